use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The file as it is written, without what nobody here asks for.
#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) images: Vec<ImageEntry>,
    #[serde(default)]
    pub(super) annotations: Vec<Annotation>,
    #[serde(default)]
    pub(super) categories: Vec<Category>,
}

#[derive(Deserialize)]
pub(super) struct ImageEntry {
    pub(super) id: Id,
    pub(super) file_name: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

#[derive(Deserialize)]
pub(super) struct Annotation {
    pub(super) image_id: Id,
    pub(super) category_id: Id,
    #[serde(default)]
    pub(super) segmentation: Segmentation,
    /// 0 or 1; some tools write a truth value.
    #[serde(default)]
    iscrowd: Value,
}

impl Annotation {
    /// Whether it is the rough ground of several objects.
    pub(super) fn is_crowd(&self) -> bool {
        self.iscrowd == 1 || self.iscrowd == true
    }
}

#[derive(Deserialize)]
pub(super) struct Category {
    pub(super) id: Id,
    #[serde(default)]
    pub(super) name: String,
    /// Ours only.
    pub(super) class_index: Option<Value>,
    /// As in panoptic files.
    pub(super) color: Option<Value>,
}

/// What entries are referred to by: numbers as a rule, but some tools write strings.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(i64),
    Text(String),
}

/// The ground of an annotation.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Segmentation {
    /// None, or one that is none of the others.
    #[default]
    None,
    /// Flat lists of x and y in turn.
    Polygons(Vec<Vec<f64>>),
    /// Run lengths down the columns of an image of `[height, width]`.
    Rle { size: [u32; 2], counts: Counts },
}

#[derive(Debug, PartialEq)]
pub(super) enum Counts {
    Text(String),
    List(Vec<u64>),
}

// Not derived: an untagged enum would keep each number of a file in 32 bytes before it knows what
// they are.
impl<'de> Deserialize<'de> for Segmentation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SegmentationVisitor)
    }
}

struct SegmentationVisitor;

impl<'de> Visitor<'de> for SegmentationVisitor {
    type Value = Segmentation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of polygons or an object with \"size\" and \"counts\"")
    }

    fn visit_unit<E>(self) -> Result<Segmentation, E> {
        Ok(Segmentation::None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Segmentation, A::Error> {
        let mut polygons = Vec::new();
        while let Some(polygon) = list.next_element()? {
            polygons.push(polygon);
        }
        Ok(Segmentation::Polygons(polygons))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Segmentation, A::Error> {
        let (mut size, mut counts) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "size" => size = Some(map.next_value()?),
                "counts" => counts = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(match (size, counts) {
            (Some(size), Some(counts)) => Segmentation::Rle { size, counts },
            _ => Segmentation::None,
        })
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CountsVisitor)
    }
}

struct CountsVisitor;

impl<'de> Visitor<'de> for CountsVisitor {
    type Value = Counts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("run lengths as a string or a list of numbers")
    }

    fn visit_str<E>(self, text: &str) -> Result<Counts, E> {
        Ok(Counts::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Counts, A::Error> {
        let mut counts = Vec::new();
        while let Some(count) = list.next_element()? {
            counts.push(count);
        }
        Ok(Counts::List(counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grounds_of_all_kinds_are_understood() {
        let rle = |counts| Segmentation::Rle {
            size: [4, 5],
            counts,
        };
        for (text, expected) in [
            ("null", Segmentation::None),
            ("{\"size\": [4, 5]}", Segmentation::None),
            ("[]", Segmentation::Polygons(Vec::new())),
            (
                "[[1, 2.5], []]",
                Segmentation::Polygons(vec![vec![1.0, 2.5], Vec::new()]),
            ),
            (
                "{\"counts\": [4, 16], \"x\": {}, \"size\": [4, 5]}",
                rle(Counts::List(vec![4, 16])),
            ),
            (
                "{\"size\": [4, 5], \"counts\": \"4\\\\\"}",
                rle(Counts::Text("4\\".to_owned())),
            ),
        ] {
            let read: Segmentation = serde_json::from_str(text).expect(text);
            assert_eq!(read, expected, "{text}");
        }
        for text in ["7", "[7]", "{\"counts\": [-1]}", "{\"size\": [4]}"] {
            assert!(
                serde_json::from_str::<Segmentation>(text).is_err(),
                "{text}"
            );
        }
    }
}
