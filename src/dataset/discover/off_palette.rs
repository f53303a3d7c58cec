use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::dataset::DatasetError;
use crate::label::{ClassTable, Mask, UNLABELED};

/// What becomes of colors and numbers of masks that are exactly no class's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffPalette {
    /// Where each channel of all classes' colors is 0 or 255, a channel counts as the one on its
    /// side of 128; other such colors are unlabeled. Numbers stay what they are.
    #[default]
    Middle,
    /// They are unlabeled, however near to a class's they are.
    Unlabeled,
    /// They become the class with the nearest color or number.
    Nearest {
        /// The greatest distance: of colors in RGB (Euclidean, a channel being 0 to 255), of
        /// numbers their difference; what lies farther is unlabeled.
        max_distance: u16,
    },
}

/// No two colors are farther from each other.
const FARTHEST: u16 = 442;

impl OffPalette {
    /// The class with the nearest color or number at any distance.
    pub const NEAREST: Self = Self::Nearest {
        max_distance: FARTHEST,
    };

    /// A mask of numbers, of which those that are no class become what this says, and how many
    /// pixels they are.
    pub(super) fn numbers(self, mask: Mask, classes: &ClassTable) -> (Mask, u64) {
        let is_class = |number: u8| number == UNLABELED || classes.get(number).is_some();
        let counts = (0..=UNLABELED).zip(mask.histogram());
        let strange = counts.filter(|(number, _)| !is_class(*number));
        let pixels = strange.map(|(_, count)| count).sum();
        let class_of = |number: u8| match self {
            Self::Middle => number,
            _ if is_class(number) => number,
            Self::Unlabeled => UNLABELED,
            Self::Nearest { max_distance } => {
                let all = classes.classes().iter();
                let apart = all.map(|class| (class.index.abs_diff(number), class.index));
                let nearest = apart.min();
                let nearest = nearest.filter(|(apart, _)| u16::from(*apart) <= max_distance);
                nearest.map_or(UNLABELED, |(_, class)| class)
            }
        };
        let table = std::array::from_fn(|number| class_of(number as u8));
        (mask.recoded(&table), pixels)
    }
}

impl fmt::Display for OffPalette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Middle => f.write_str("middle"),
            Self::Unlabeled => f.write_str("unlabeled"),
            Self::NEAREST => f.write_str("nearest"),
            Self::Nearest { max_distance } => write!(f, "nearest={max_distance}"),
        }
    }
}

impl FromStr for OffPalette {
    type Err = DatasetError;

    fn from_str(text: &str) -> Result<Self, DatasetError> {
        let distance = text.strip_prefix("nearest=").map(str::parse);
        match (text, distance) {
            ("middle", _) => Ok(Self::Middle),
            ("unlabeled", _) => Ok(Self::Unlabeled),
            ("nearest", _) => Ok(Self::NEAREST),
            (_, Some(Ok(max_distance))) if max_distance <= FARTHEST => {
                Ok(Self::Nearest { max_distance })
            }
            _ => Err(DatasetError::Correction(format!(
                "“{text}” does not say what becomes of other colors; write middle, unlabeled, \
                 nearest, or nearest=40 with a distance from 0 to {FARTHEST}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    #[test]
    fn what_is_written_is_read() {
        let near = OffPalette::Nearest { max_distance: 40 };
        for (how, text) in [
            (OffPalette::Middle, "middle"),
            (OffPalette::Unlabeled, "unlabeled"),
            (OffPalette::NEAREST, "nearest"),
            (near, "nearest=40"),
        ] {
            assert_eq!(how.to_string(), text);
            assert_eq!(text.parse::<OffPalette>().ok(), Some(how));
        }
        for text in ["", "near", "nearest=", "nearest=443", "nearest=-1"] {
            let error = text.parse::<OffPalette>().expect_err("refused").to_string();
            assert!(error.contains("write middle"), "{error}");
        }
    }

    #[test]
    fn numbers_find_the_nearest_class_and_unlabeled_ones_stay_so() {
        let size = ImageSize::new(6, 1);
        let mut mask = Mask::filled(size, 0);
        mask.set_rect(size.bounds(), &[0, 3, 50, 97, 200, 255]);
        let classes = ClassTable::from_values([0, 100]);
        let near = OffPalette::Nearest { max_distance: 3 };
        for (how, expected) in [
            (OffPalette::Middle, [0, 3, 50, 97, 200, 255]),
            (OffPalette::Unlabeled, [0, 255, 255, 255, 255, 255]),
            (OffPalette::NEAREST, [0, 0, 0, 100, 100, 255]),
            (near, [0, 0, 255, 100, 255, 255]),
        ] {
            let (mask, pixels) = how.numbers(mask.clone(), &classes);
            assert_eq!(mask.read_rect(size.bounds()), expected, "{how}");
            assert_eq!(pixels, 4);
        }
    }
}
