use std::collections::BTreeMap;
use std::path::Path;

use super::{ListFiles, Part, PartRule, PartWay, SampleId, name_stem};
use crate::dataset::DatasetError;
use crate::exchange::read_text;

/// Most bytes of a list file; a million names fit.
const MOST_BYTES: u64 = 64 << 20;

/// What list files say, one sample a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartLists {
    entries: Vec<(Part, String)>,
}

impl PartLists {
    /// Reads the files that `files` names, relative ones in `folder`.
    ///
    /// # Errors
    /// When a file cannot be read or is larger than 64 MiB.
    pub fn load(files: &ListFiles, folder: &Path) -> Result<Self, DatasetError> {
        let mut lists = Self::default();
        let named = [&files.train, &files.validation, &files.test];
        for (part, file) in Part::ALL.into_iter().zip(named) {
            if let Some(file) = file {
                let path = folder.join(file);
                let text = read_text(&path, MOST_BYTES).map_err(|error| DatasetError::List {
                    why: error.to_string(),
                    path,
                })?;
                lists.add(part, &text);
            }
        }
        Ok(lists)
    }

    /// Reads the files that a rule names, as [`Self::load`]; of a rule without any, none.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn of(rule: &PartRule, folder: &Path) -> Result<Self, DatasetError> {
        match &rule.split {
            PartWay::ByList { lists, .. } => Self::load(lists, folder),
            _ => Ok(Self::default()),
        }
    }

    /// Adds the lines of `text` to the list of `part`; empty lines and lines after `#` are skipped.
    pub fn add(&mut self, part: Part, text: &str) {
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let named = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        self.entries
            .extend(named.map(|line| (part, line.to_owned())));
    }

    /// The part that the lists state for each of `samples`, and what is odd about them.
    ///
    /// A line names a sample by its stem; folders in front of it, also those of another machine,
    /// tell samples of one stem apart. Of `image mask` lines the first column counts.
    pub(super) fn stated(&self, samples: &[SampleId<'_>]) -> (Vec<Option<Part>>, Vec<String>) {
        let mut by_stem: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, sample) in samples.iter().enumerate() {
            by_stem.entry(name_stem(sample.name)).or_default().push(at);
        }
        let mut parts: Vec<Option<Part>> = vec![None; samples.len()];
        let (mut unknown, mut twice) = (Vec::new(), Vec::new());
        for (part, line) in &self.entries {
            let first = line.split_whitespace().next().unwrap_or(line);
            let found = [line.as_str(), first].into_iter().find_map(|entry| {
                let same = by_stem.get(name_stem(entry))?;
                Some(closest(entry, same, samples))
            });
            let Some(found) = found else {
                unknown.push(line.as_str());
                continue;
            };
            for at in found {
                // The part that is used latest wins, so that nothing judged was learned from.
                if parts[at].is_some_and(|other| other != *part) {
                    twice.push(samples[at].name);
                }
                parts[at] = parts[at].max(Some(*part));
            }
        }
        let mut notes = Vec::new();
        notes.extend(counted(&unknown, "of the lists are no samples here"));
        notes.extend(counted(
            &twice,
            "are in several lists; the later part keeps them",
        ));
        (parts, notes)
    }
}

/// Those of `same` (samples of one stem) whose path ends most like `entry`.
fn closest(entry: &str, same: &[usize], samples: &[SampleId<'_>]) -> Vec<usize> {
    let folders = |path: &str| -> Vec<String> {
        let folders = path.rsplit(['/', '\\']).skip(1).map(str::to_owned);
        folders.collect()
    };
    let wanted = folders(entry);
    let alike = |at: usize| {
        let of_path = folders(&samples[at].path.to_string_lossy());
        let equal = wanted.iter().zip(&of_path).take_while(|(a, b)| a == b);
        equal.count()
    };
    let most = same.iter().map(|&at| alike(at)).max().unwrap_or(0);
    same.iter()
        .copied()
        .filter(|&at| alike(at) == most)
        .collect()
}

fn counted(names: &[&str], what: &str) -> Option<String> {
    let first = names.first()?;
    Some(format!(
        "{} names {what}; the first is {first}",
        names.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(names: &[&str], lists: &[(Part, &str)]) -> (Vec<Option<Part>>, usize) {
        let mut all = PartLists::default();
        for (part, text) in lists {
            all.add(*part, text);
        }
        let samples: Vec<SampleId<'_>> = names
            .iter()
            .map(|name| SampleId::new(name, Path::new(name)))
            .collect();
        let (parts, notes) = all.stated(&samples);
        (parts, notes.len())
    }

    #[test]
    fn lines_name_samples_in_many_ways() {
        let (train, test) = (Some(Part::Train), Some(Part::Test));
        let names = ["train/x.png", "test/y z.jpg", "M-33-7_1.jpg", "w.tif"];
        let lists = [
            (
                Part::Train,
                "\u{feff}# a comment\n/SegNet/CamVid/train/x.png /SegNet/CamVid/trainannot/x.png\r\n",
            ),
            (Part::Test, "y z.jpg\nM-33-7_1\n\n"),
        ];
        assert_eq!(stated(&names, &lists), (vec![train, test, test, None], 0));
    }

    #[test]
    fn folders_tell_equal_stems_apart() {
        let names = ["a/1.png", "b/1.png"];
        let lists = [(Part::Train, "b/1.png"), (Part::Test, "/else/a/1.png")];
        let expected = vec![Some(Part::Test), Some(Part::Train)];
        assert_eq!(stated(&names, &lists), (expected, 0));
    }

    #[test]
    fn odd_lines_are_said() {
        let lists = [(Part::Test, "a\nnowhere"), (Part::Train, "a")];
        assert_eq!(stated(&["a.png"], &lists), (vec![Some(Part::Test)], 2));
    }

    #[test]
    fn a_missing_list_is_an_error_that_names_it() {
        let files = ListFiles {
            train: Some("no-such-list.txt".into()),
            ..ListFiles::default()
        };
        let folder = tempfile::tempdir().expect("a folder");
        let error = PartLists::load(&files, folder.path()).expect_err("no list");
        assert!(error.to_string().ends_with("no-such-list.txt"), "{error}");
    }
}
