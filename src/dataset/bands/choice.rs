use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::MOST_CHANNELS;

/// Which bands of its images a network learns from; part of a recipe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Bands {
    /// Red, green and blue as they are shown, of grey and palette images too: `"color"`.
    #[default]
    Color,
    /// All bands but that of opacity, in the order of the file: `"all"`.
    All,
    /// These, from 1, in this order: `[4, 1, 2]`.
    List(Vec<u16>),
}

/// As it stands in a recipe.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    List(Vec<u16>),
    Word(String),
}

impl TryFrom<Written> for Bands {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Word(word) => word.parse(),
            Written::List(bands) => {
                if bands.is_empty() || bands.len() > MOST_CHANNELS || bands.contains(&0) {
                    let shown: Vec<String> = bands.iter().map(u16::to_string).collect();
                    return Err(refused(&format!("[{}]", shown.join(", "))));
                }
                Ok(Self::List(bands))
            }
        }
    }
}

impl From<Bands> for Written {
    fn from(bands: Bands) -> Self {
        match bands {
            Bands::Color => Self::Word("color".to_owned()),
            Bands::All => Self::Word("all".to_owned()),
            Bands::List(bands) => Self::List(bands),
        }
    }
}

impl FromStr for Bands {
    type Err = String;

    /// `color`, `all`, or numbers with commas.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "color" => return Ok(Self::Color),
            "all" => return Ok(Self::All),
            _ => {}
        }
        let bands = text.split(',').map(|band| band.trim().parse::<u16>());
        let bands: Vec<u16> = bands
            .collect::<Result<_, _>>()
            .map_err(|_no_number| refused(text))?;
        Self::try_from(Written::List(bands))
    }
}

fn refused(shown: &str) -> String {
    format!(
        "bands is {shown}, it must be color, all or a list of at most {MOST_CHANNELS} bands that \
         are counted from 1, such as [4, 1, 2]"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Holder {
        bands: Bands,
    }

    #[test]
    fn every_choice_survives_a_file() {
        for (text, bands) in [
            ("bands = \"color\"\n", Bands::Color),
            ("bands = \"all\"\n", Bands::All),
            ("bands = [4, 1, 2]\n", Bands::List(vec![4, 1, 2])),
        ] {
            let holder = Holder { bands };
            assert_eq!(toml::to_string(&holder).expect("text"), text);
            assert_eq!(toml::from_str::<Holder>(text).expect("bands"), holder);
        }
        assert_eq!(toml::from_str(""), Ok(Holder::default()));
        let spoken = toml::from_str::<Holder>("bands = \"4, 1,2\"").expect("bands");
        assert_eq!(spoken.bands, Bands::List(vec![4, 1, 2]));
    }

    #[test]
    fn what_names_no_bands_is_refused() {
        for text in [
            "[]",
            "[0, 1]",
            "\"colour\"",
            "\"1,,2\"",
            "\"\"",
            "[-1]",
            "3",
        ] {
            let read = toml::from_str::<Holder>(&format!("bands = {text}"));
            assert!(read.is_err(), "{text}");
        }
        let many = vec!["1"; 65].join(",");
        let error = many.parse::<Bands>().expect_err("too many");
        assert!(error.contains("at most 64"), "{error}");
    }
}
