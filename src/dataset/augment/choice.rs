use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Augmentation, ColorShift, Turn};
use crate::dataset::{ChannelKind, DatasetError, Rng};

/// How far patches are varied between epochs: in a recipe a word (`augment = "full"`) or a table
/// (`[augment]`).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Augment {
    /// `"none"`: patches as they are.
    None,
    /// `"turns"`: flips and quarter turns.
    Turns,
    /// `"upright"`: left and right exchanged, and the colors of `"full"`, for pictures that have an
    /// above, such as those of a street.
    Upright,
    /// `"full"`: flips, quarter turns and mild changes of brightness, contrast and color.
    #[default]
    Full,
    /// A table of kinds. The word `"strong"` is read as the table [`Augmentation::strong`], so
    /// that what is written down stays the same when that preset changes.
    Own(Box<Augmentation>),
}

const WORDS: [&str; 5] = ["none", "turns", "upright", "full", "strong"];

impl Augment {
    /// [`Augmentation::strong`], for aerial images.
    pub fn strong() -> Self {
        Self::Own(Box::new(Augmentation::strong()))
    }

    /// The kinds that are left out of patches whose channels are of `kind`, as a sentence.
    pub(in crate::dataset) fn left_out(&self, kind: ChannelKind) -> Option<String> {
        let Self::Own(own) = self else { return None };
        let mut names = Vec::new();
        if kind != ChannelKind::Colors {
            names.extend(own.saturation.map(|_| "saturation"));
            names.extend(own.hue.map(|_| "hue"));
        }
        if kind == ChannelKind::Other {
            names.extend(own.jpeg.map(|_| "jpeg"));
        }
        (!names.is_empty()).then(|| {
            format!(
                "The channels are not red, green and blue, so these variations are left out: {}",
                names.join(", ")
            )
        })
    }

    /// Says which range or probability makes no sense, if any.
    ///
    /// # Errors
    /// [`DatasetError::Augment`] names the entry, what it may be and what it is.
    pub fn check(&self) -> Result<(), DatasetError> {
        match self {
            Self::None | Self::Turns | Self::Upright | Self::Full => Ok(()),
            Self::Own(own) => own.check(),
        }
    }

    /// The turn and the shift of the channels of one patch by a word; none by a table.
    pub(in crate::dataset) fn drawn(
        &self,
        num_channels: usize,
        rng: &mut Rng,
    ) -> (Turn, ColorShift) {
        match self {
            Self::None | Self::Own(_) => (Turn::NONE, ColorShift::NONE),
            Self::Turns => (Turn::drawn(rng), ColorShift::NONE),
            Self::Upright => (Turn::mirrored(rng), ColorShift::drawn(num_channels, rng)),
            Self::Full => (Turn::drawn(rng), ColorShift::drawn(num_channels, rng)),
        }
    }
}

impl Serialize for Augment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str(WORDS[0]),
            Self::Turns => serializer.serialize_str(WORDS[1]),
            Self::Upright => serializer.serialize_str(WORDS[2]),
            Self::Full => serializer.serialize_str(WORDS[3]),
            Self::Own(own) => own.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Augment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrTable)
    }
}

/// Unlike serde's `untagged` it says which key or word is wrong.
struct WordOrTable;

impl<'de> Visitor<'de> for WordOrTable {
    type Value = Augment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of the words {} or a table", WORDS.join(", "))
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Augment, E> {
        match word {
            "none" => Ok(Augment::None),
            "turns" => Ok(Augment::Turns),
            "upright" => Ok(Augment::Upright),
            "full" => Ok(Augment::Full),
            "strong" => Ok(Augment::strong()),
            _ => Err(E::unknown_variant(word, &WORDS)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Augment, A::Error> {
        let own = Augmentation::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Augment::Own(Box::new(own)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a recipe holds it.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    #[derive(Default)]
    struct Recipe {
        augment: Augment,
        seed: u64,
    }

    #[track_caller]
    fn read(text: &str) -> Augment {
        toml::from_str::<Recipe>(text).expect("a recipe").augment
    }

    #[track_caller]
    fn check_refused(text: &str, word: &str) {
        let error = toml::from_str::<Recipe>(text).expect_err("a refusal");
        assert!(error.to_string().contains(word), "{error}");
    }

    #[test]
    fn words_are_read_and_written_as_ever() {
        assert_eq!(read(""), Augment::Full);
        for (word, augment) in [
            ("none", Augment::None),
            ("turns", Augment::Turns),
            ("upright", Augment::Upright),
            ("full", Augment::Full),
        ] {
            assert_eq!(read(&format!("augment = \"{word}\"")), augment);
            let recipe = Recipe { augment, seed: 3 };
            let text = toml::to_string(&recipe).expect("text");
            assert_eq!(text, format!("augment = \"{word}\"\nseed = 3\n"));
        }
        assert_eq!(read("augment = \"strong\""), Augment::strong());
    }

    #[test]
    fn a_table_survives_a_file() {
        for augment in [
            Augment::strong(),
            Augment::Own(Box::default()),
            read("[augment]\nborder = \"ignore\"\nrotation = { probability = 1, range = [-9, 9] }"),
        ] {
            let recipe = Recipe { augment, seed: 3 };
            let text = toml::to_string(&recipe).expect("text");
            assert_eq!(toml::from_str::<Recipe>(&text).expect(&text), recipe);
        }
    }

    #[test]
    fn misspelled_words_and_keys_are_named() {
        check_refused("augment = \"ful\"", "`ful`");
        check_refused("augment = 3", "one of the words");
        check_refused("[augment]\nrotatoin = {}", "rotatoin");
        check_refused(
            "[augment]\nscale = { probability = 1.0, rnge = [1.0, 1.0] }",
            "rnge",
        );
        check_refused("[augment]\nscale = { probability = 1.0 }", "range");
        check_refused("[augment]\nborder = \"wrap\"", "wrap");
        check_refused(
            "[augment]\nscale = { probability = 1.0, range = [1.0] }",
            "array",
        );
    }
}
