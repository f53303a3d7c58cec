use serde::{Deserialize, Serialize};

/// The pixel size of a run; part of a recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum PixelSize {
    /// The commonest of the images that lie on a map: `"auto"`.
    #[default]
    Auto,
    /// Every image is read as it is: `"as_is"`.
    AsIs,
    /// So many meters on the ground along a side.
    Meters(f64),
}

/// As it stands in a recipe.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Meters(f64),
    Word(String),
}

impl TryFrom<Written> for PixelSize {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let refused = |shown: String| {
            format!("pixel_size is {shown}, it must be auto, as_is or a number of meters above 0")
        };
        match written {
            Written::Meters(meters) if meters > 0.0 && meters.is_finite() => {
                Ok(Self::Meters(meters))
            }
            Written::Meters(meters) => Err(refused(meters.to_string())),
            Written::Word(word) => match word.as_str() {
                "auto" => Ok(Self::Auto),
                "as_is" => Ok(Self::AsIs),
                _ => Err(refused(word)),
            },
        }
    }
}

impl From<PixelSize> for Written {
    fn from(size: PixelSize) -> Self {
        match size {
            PixelSize::Auto => Self::Word("auto".to_owned()),
            PixelSize::AsIs => Self::Word("as_is".to_owned()),
            PixelSize::Meters(meters) => Self::Meters(meters),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        pixel_size: PixelSize,
    }

    #[test]
    fn words_and_meters_survive_a_file() {
        for (text, size) in [
            ("pixel_size = \"auto\"\n", PixelSize::Auto),
            ("pixel_size = \"as_is\"\n", PixelSize::AsIs),
            ("pixel_size = 0.25\n", PixelSize::Meters(0.25)),
        ] {
            let holder: Holder = toml::from_str(text).expect(text);
            assert_eq!(holder.pixel_size, size);
            assert_eq!(toml::to_string(&holder).expect("text"), text);
        }
        for text in [
            "pixel_size = 0.0",
            "pixel_size = inf",
            "pixel_size = \"big\"",
        ] {
            let error = toml::from_str::<Holder>(text).expect_err(text).to_string();
            assert!(error.contains("auto, as_is"), "{error}");
        }
    }
}
