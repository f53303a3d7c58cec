use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{SampleId, frame_name, name_stem, tile_name};

/// What samples must share to belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum GroupBy {
    /// What the data set states.
    Stated,
    /// The first `chars` characters of the name.
    Prefix {
        /// Number of characters.
        chars: usize,
    },
    /// The name up to a separator.
    UpTo {
        /// What separates; not part of the group.
        separator: String,
    },
    /// The digits that the name begins with, such as `17728720` of `17728720_0_1`.
    Digits,
    /// The image that a tile was cut from, such as `M-33-7-A-d-2-3` of `M-33-7-A-d-2-3_12`.
    Parent,
    /// The recording that a frame is of, such as `0016E5` of `0016E5_07959`.
    Sequence,
    /// The image that a tile was cut from, or else the recording that a frame is of.
    Known,
    /// The folder that the image lies in.
    Folder,
}

impl GroupBy {
    /// The group of `sample`; `None` when it shows none, so that it stands alone.
    pub fn group_of<'a>(&self, sample: &SampleId<'a>) -> Option<&'a str> {
        let stem = name_stem(sample.name);
        let found = match self {
            Self::Stated => sample.group,
            Self::Prefix { chars } => Some(first_chars(stem, *chars)),
            Self::UpTo { separator } if separator.is_empty() => None,
            Self::UpTo { separator } => stem.split_once(separator.as_str()).map(|(head, _)| head),
            Self::Digits => {
                let rest = stem.trim_start_matches(|c: char| c.is_ascii_digit());
                Some(&stem[..stem.len() - rest.len()])
            }
            Self::Parent => tile_name(stem).map(|tile| tile.parent),
            Self::Sequence => frame_name(stem).map(|frame| frame.sequence),
            Self::Known => tile_name(stem)
                .map(|tile| tile.parent)
                .or_else(|| frame_name(stem).map(|frame| frame.sequence)),
            Self::Folder => sample.path.parent().and_then(Path::to_str),
        };
        found.filter(|group| !group.is_empty())
    }
}

fn first_chars(text: &str, chars: usize) -> &str {
    text.char_indices()
        .nth(chars)
        .map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_show_their_groups() {
        let up_to = |text: &str| GroupBy::UpTo {
            separator: text.to_owned(),
        };
        let table = [
            (
                GroupBy::Prefix { chars: 8 },
                "17728720_0_0.jpg",
                Some("17728720"),
            ),
            (GroupBy::Prefix { chars: 2 }, "äöü.png", Some("äö")),
            (GroupBy::Prefix { chars: 9 }, "ab", Some("ab")),
            (GroupBy::Digits, "17728720_0_0.jpg", Some("17728720")),
            (GroupBy::Digits, "a1.jpg", None),
            (up_to("_"), "0016E5_07959.png", Some("0016E5")),
            (up_to("_"), "austin1.tif", None),
            (up_to(""), "austin1.tif", None),
            (
                GroupBy::Parent,
                "x/M-33-7-A-d-2-3_12.jpg",
                Some("M-33-7-A-d-2-3"),
            ),
            (GroupBy::Parent, "17728720_0_0.jpg", Some("17728720")),
            (GroupBy::Sequence, "0016E5_07959.png", Some("0016E5")),
            (GroupBy::Sequence, "0006R0_f00930.png", Some("0006R0")),
            (GroupBy::Sequence, "satImage_001.png", None),
            (GroupBy::Known, "17728720_0_0.jpg", Some("17728720")),
            (GroupBy::Known, "0016E5_07959.png", Some("0016E5")),
            (GroupBy::Known, "austin1.tif", None),
            (GroupBy::Folder, "a.png", Some("set/north")),
            (GroupBy::Stated, "a.png", None),
        ];
        for (rule, name, expected) in table {
            let sample = SampleId::new(name, Path::new("set/north/a.png"));
            assert_eq!(rule.group_of(&sample), expected, "{rule:?} {name}");
        }
    }
}
