use serde::{Deserialize, Serialize};

/// Which patches are worth keeping, by the share of some classes in them.
///
/// The default keeps what the LandCover.ai recipe keeps: patches with more than 5 % of other
/// classes than background, class 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatchFilter {
    /// The classes whose pixels count.
    pub counted: Counted,
    /// A patch is kept when more than this share, 0 to 1, of its labelled pixels counts. Below 0
    /// every patch is kept.
    pub more_than: f64,
}

/// Classes, chosen by naming them or by naming the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// These classes.
    Only(Vec<u8>),
    /// All classes but these.
    AllBut(Vec<u8>),
}

impl Default for PatchFilter {
    fn default() -> Self {
        Self {
            counted: Counted::AllBut(vec![0]),
            more_than: 0.05,
        }
    }
}

impl Counted {
    /// Whether pixels of `class` count.
    pub fn counts(&self, class: u8) -> bool {
        match self {
            Self::Only(classes) => classes.contains(&class),
            Self::AllBut(classes) => !classes.contains(&class),
        }
    }
}

impl PatchFilter {
    /// The share of counted pixels among the labelled ones; `class_pixels` by class index, a 256th
    /// entry (pixels without a label) is not looked at. `None` when nothing is labelled.
    pub fn share(&self, class_pixels: &[u64]) -> Option<f64> {
        let (mut counted, mut all) = (0.0, 0.0);
        for (class, &pixels) in (0..255u8).zip(class_pixels) {
            all += pixels as f64;
            counted += if self.counted.counts(class) {
                pixels as f64
            } else {
                0.0
            };
        }
        (all > 0.0).then(|| counted / all)
    }

    /// Whether a patch with these pixels is kept; one without labels is not, unless all are.
    pub fn keeps(&self, class_pixels: &[u64]) -> bool {
        self.more_than < 0.0
            || self
                .share(class_pixels)
                .is_some_and(|share| share > self.more_than)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_of_background_go() {
        let filter = PatchFilter::default();
        let mut unlabelled = vec![0; 256];
        unlabelled[255] = 1000;
        let table: [(&[u64], bool); 6] = [
            (&[95, 5], false),
            (&[94, 6], true),
            (&[94, 3, 3], true),
            (&[100], false),
            (&[], false),
            (&unlabelled, false),
        ];
        for (pixels, kept) in table {
            assert_eq!(filter.keeps(pixels), kept, "{pixels:?}");
        }
        let all = PatchFilter {
            more_than: -1.0,
            ..filter
        };
        assert!(all.keeps(&[]));
    }

    #[test]
    fn chosen_classes_alone_may_count() {
        let filter: PatchFilter =
            toml::from_str("counted = { only = [4] }\nmore_than = 0.1").expect("a filter");
        assert_eq!(filter.share(&[10, 0, 0, 10, 20]), Some(0.5));
        assert!(filter.keeps(&[10, 0, 0, 10, 20]) && !filter.keeps(&[10, 90]));
    }
}
