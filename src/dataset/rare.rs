use serde::{Deserialize, Serialize};

/// How strongly training ground that shows rare classes is preferred; part of a recipe.
///
/// It is the share of the training patches for which a class is drawn first, each that training
/// shows as often as any other, and then a place among those that show it. The other patches are
/// drawn from all training places alike. Half is the default: rare classes are met often, and the
/// usual look of the ground as well.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct RareClasses(f64);

/// As it stands in a recipe.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Share(f64),
    Word(String),
}

impl RareClasses {
    /// All training places are drawn alike: `"none"`.
    pub const NONE: Self = Self(0.0);
    /// All classes are drawn alike: `"balanced"`.
    pub const BALANCED: Self = Self(1.0);

    /// The share of patches for which a class is drawn first; `None` outside 0 to 1.
    pub fn share(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    /// Whether a patch with these random bits is of a class drawn first.
    pub(super) fn draws_class(self, bits: u64) -> bool {
        // The lowest bit decides first, as it always did for one half.
        let fraction = (bits.reverse_bits() >> 11) as f64 / (1u64 << 53) as f64;
        fraction >= 1.0 - self.0
    }
}

impl Default for RareClasses {
    fn default() -> Self {
        Self(0.5)
    }
}

impl TryFrom<Written> for RareClasses {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let (share, shown) = match written {
            Written::Share(share) => (Some(share), share.to_string()),
            Written::Word(word) => match word.as_str() {
                "none" => return Ok(Self::NONE),
                "balanced" => return Ok(Self::BALANCED),
                _ => (None, word),
            },
        };
        share.and_then(Self::share).ok_or_else(|| {
            format!("rare_classes is {shown}, it must be none, balanced or a number in 0 to 1")
        })
    }
}

impl From<RareClasses> for Written {
    fn from(rare: RareClasses) -> Self {
        match rare {
            RareClasses::NONE => Self::Word("none".to_owned()),
            RareClasses::BALANCED => Self::Word("balanced".to_owned()),
            RareClasses(share) => Self::Share(share),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Rng;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        rare_classes: RareClasses,
    }

    #[test]
    fn words_and_numbers_survive_a_file() {
        for (text, rare) in [
            ("rare_classes = \"none\"\n", RareClasses::NONE),
            ("rare_classes = \"balanced\"\n", RareClasses::BALANCED),
            ("rare_classes = 0.25\n", RareClasses(0.25)),
        ] {
            let holder: Holder = toml::from_str(text).expect(text);
            assert_eq!(holder.rare_classes, rare);
            assert_eq!(toml::to_string(&holder).expect("text"), text);
        }
        for text in [
            "rare_classes = 1.5",
            "rare_classes = \"often\"",
            "rare_classes = nan",
        ] {
            let error = toml::from_str::<Holder>(text).expect_err(text).to_string();
            assert!(error.contains("none, balanced"), "{error}");
        }
    }

    #[test]
    fn so_many_patches_are_of_a_class_drawn_first() {
        let mut rng = Rng::of(&[3]);
        let bits: Vec<u64> = (0..4000).map(|_| rng.bits()).collect();
        let count = |rare: RareClasses| bits.iter().filter(|&&bits| rare.draws_class(bits)).count();
        assert_eq!(
            (count(RareClasses::NONE), count(RareClasses::BALANCED)),
            (0, 4000)
        );
        assert!((900..1100).contains(&count(RareClasses(0.25))));
        let half = RareClasses::default();
        assert!(
            bits.iter()
                .all(|&bits| half.draws_class(bits) == (bits & 1 == 1))
        );
    }
}
