use super::parts::{PartLists, PartRule, PartWay, SampleId, assign_parts};
use super::{DatasetError, Discovery, Part, Sample};

/// The parts that a rule makes of a data set as far as names, folders and lists say; no image is
/// read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetParts {
    /// The part of each sample; `None` when it is left out or has no mask.
    pub parts: Vec<Option<Part>>,
    /// Whether folders or lists state them. What is drawn may come out otherwise in a training,
    /// which keeps equal images together and leaves out masks without labels.
    pub are_stated: bool,
    /// What the user should know about them.
    pub notes: Vec<String>,
}

impl SetParts {
    /// Number of samples of `part`.
    pub fn count(&self, part: Part) -> usize {
        let parts = self.parts.iter();
        parts.filter(|&&other| other == Some(part)).count()
    }
}

impl Sample {
    /// What is known of it without its pixels.
    pub(super) fn id(&self) -> SampleId<'_> {
        SampleId {
            stated_part: self.part,
            group: self.group.as_deref(),
            ..SampleId::new(&self.name, &self.image)
        }
    }
}

impl Discovery {
    /// The parts that a training by `rule` makes of the samples with masks.
    ///
    /// # Errors
    /// When the rule cannot be followed, or a list cannot be read.
    pub fn parts(&self, rule: &PartRule) -> Result<SetParts, DatasetError> {
        let has_mask = |&at: &usize| self.samples[at].mask.is_some();
        let labelled: Vec<usize> = (0..self.samples.len()).filter(has_mask).collect();
        let ids = labelled.iter().map(|&at| self.samples[at].id());
        let ids: Vec<SampleId<'_>> = ids.collect();
        let lists = PartLists::of(rule, &self.folder)?;
        let assigned = assign_parts(rule, &ids, &lists)?;
        let mut parts = vec![None; self.samples.len()];
        for (place, &at) in labelled.iter().enumerate() {
            parts[at] = assigned.part(place);
        }
        let is_chooser = |id: &SampleId<'_>| id.stated_part == Some(Part::Validation);
        let are_stated = match &rule.split {
            PartWay::ByFolder { .. } | PartWay::ByFolderCut { .. } => ids.iter().any(is_chooser),
            PartWay::ByList { lists, .. } => lists.validation.is_some(),
            _ => false,
        };
        Ok(SetParts {
            parts,
            are_stated,
            notes: assigned.notes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::discover;
    use crate::dataset::parts::{ListFiles, Shares};
    use crate::disk::replace_file;
    use crate::geom::ImageSize;
    use crate::label::{ClassTable, Mask, SaveAs, save_mask};

    fn rule(split: PartWay) -> PartRule {
        PartRule {
            split,
            ..PartRule::default()
        }
    }

    #[test]
    fn parts_are_known_before_an_image_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let (size, table) = (ImageSize::new(8, 8), ClassTable::from_values(0..30));
        for n in 0..20_u8 {
            for (kind, pixels) in [("images", n), ("masks", 1)] {
                let path = folder.path().join(kind).join(format!("{n:02}.png"));
                let mask = Mask::filled(size, pixels);
                save_mask(&path, &mask, &table, None, SaveAs::IndexPng).expect("saved");
            }
        }
        let set = discover(folder.path()).expect("pairs");
        let shares = Shares::default();
        let drawn = set.parts(&rule(PartWay::Ratio { shares })).expect("parts");
        assert_eq!(Part::ALL.map(|part| drawn.count(part)), [18, 2, 0]);
        assert!(!drawn.are_stated);
        for (name, text) in [("train.txt", "00\n01\n"), ("val.txt", "02\n")] {
            replace_file(&folder.path().join(name), text.as_bytes()).expect("written");
        }
        let lists = ListFiles {
            train: Some("train.txt".into()),
            validation: Some("val.txt".into()),
            test: None,
        };
        let by_list = rule(PartWay::ByList { lists, shares });
        let stated = set.parts(&by_list).expect("parts");
        assert_eq!(Part::ALL.map(|part| stated.count(part)), [2, 1, 0]);
        assert!(stated.are_stated);
        let blocks = rule(PartWay::Blocks { side: 64, shares });
        assert!(set.parts(&blocks).is_err(), "two images and more");
    }
}
