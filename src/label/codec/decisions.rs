use serde::{Deserialize, Serialize};

use super::meaning::Encoding;

/// How a mask file becomes a label: what its pixels cannot say, as a person decided it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaskDecisions {
    /// How pixels stand for classes.
    pub encoding: Encoding,
    /// What the number 0, or black, stands for.
    pub zero: ZeroMeans,
    /// What happens to values without a class.
    pub unknown: Unknown,
    /// How the file is laid onto the image.
    pub align: Align,
}

/// What the number 0 of a mask file, or black in a color-coded one, stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZeroMeans {
    /// A class like others.
    #[default]
    Class,
    /// Ground that nobody labeled, or that the file does not cover.
    Unlabeled,
}

/// What happens to numbers and colors that stand for no class of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// They become unlabeled.
    #[default]
    Unlabeled,
    /// Each becomes a class of its own, without a name: a number at its index, a color at the
    /// lowest free one.
    NewClasses,
    /// Colors become the class with the nearest code, as after lossy compression; numbers have no
    /// neighbors and become unlabeled.
    Nearest {
        /// The greatest distance in RGB (Euclidean, a channel being 0 to 255, so at most 442);
        /// colors beyond become unlabeled.
        max_distance: u16,
    },
}

/// How a mask file is laid onto an image with other extent or place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// Only a file that has the image's extent, and whose place does not contradict, is taken.
    #[default]
    Refuse,
    /// By where both lie on the map.
    ByGeoreference,
    /// The upper-left pixels lie on each other; what is missing is unlabeled, what is too much is
    /// left out.
    CornerToCorner,
    /// Stretched to the image's extent.
    Scale,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_read_back_and_missing_ones_are_careful() {
        let decisions = MaskDecisions {
            encoding: Encoding::Rgb,
            zero: ZeroMeans::Unlabeled,
            unknown: Unknown::Nearest { max_distance: 40 },
            align: Align::ByGeoreference,
        };
        let text = serde_json::to_string(&decisions).expect("JSON");
        let expected = r#"{"encoding":"rgb","zero":"unlabeled","unknown":{"nearest":{"max_distance":40}},"align":"by_georeference"}"#;
        assert_eq!(text, expected);
        assert_eq!(
            serde_json::from_str::<MaskDecisions>(&text).expect("ours"),
            decisions
        );
        let careful: MaskDecisions = serde_json::from_str("{}").expect("all have defaults");
        assert_eq!(careful, MaskDecisions::default());
        assert!(serde_json::from_str::<MaskDecisions>(r#"{"snap":1}"#).is_err());
    }
}
