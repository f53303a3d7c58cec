use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::naming::{Match, Matches, Naming, split_image, split_mask};
use super::pairing::RootFiles;
use super::patterns::{Pattern, around, stem_of};
use super::starts::{behind_image, behind_mask};
use super::words::Role;
use crate::dataset::DatasetError;
use crate::dataset::layout::file_name;

/// How images and masks are named, where a person said it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Suffixes<'a> {
    image: Option<Pattern<'a>>,
    mask: Option<Pattern<'a>>,
    /// The data set's folder, for patterns that hold folders.
    folder: Option<&'a Path>,
}

/// A file by its name.
struct Named {
    path: PathBuf,
    /// The name without its ending; what stands for the sample where a pattern was stated.
    whole: String,
    /// The same without a usual suffix of its role.
    core: String,
    /// What stands around that.
    suffix: String,
}

impl<'a> Suffixes<'a> {
    /// Takes what a person says of the names in `folder`.
    ///
    /// # Errors
    /// [`DatasetError::Correction`] when no file can be told by it.
    pub(super) fn stated(
        image: Option<&'a str>,
        mask: Option<&'a str>,
        folder: &'a Path,
    ) -> Result<Self, DatasetError> {
        let own = |text: Option<&'a str>| text.map_or(Ok(None), Pattern::stated);
        let (image, mask) = (own(image)?, own(mask)?);
        if let Some(pattern) = image.filter(|_| image == mask) {
            return Err(DatasetError::Correction(format!(
                "Images and masks cannot be told apart when the names of both are like \
                 “{pattern}”; state another name for one of them"
            )));
        }
        let folder = Some(folder);
        Ok(Self {
            image,
            mask,
            folder,
        })
    }

    /// Whether anything was said.
    pub(super) const fn are_stated(self) -> bool {
        self.image.is_some() || self.mask.is_some()
    }

    /// Whether folders belong to what was said, so that they do not tell what belongs together.
    pub(super) fn have_folders(self) -> bool {
        let mut both = self.image.iter().chain(&self.mask);
        both.any(|pattern| pattern.has_folders())
    }

    /// A path below the data set, as patterns look at it.
    fn within_folder(self, path: &Path) -> String {
        let within = self
            .folder
            .and_then(|folder| path.strip_prefix(folder).ok());
        within.unwrap_or(path).to_string_lossy().replace('\\', "/")
    }

    /// The images among the files of one place with their masks, told apart as it was stated.
    pub(super) fn within(self, files: Vec<PathBuf>) -> Matches {
        if !self.are_stated() {
            return Matches::within(files);
        }
        let (mut images, mut masks, mut unnamed) = (Vec::new(), Vec::new(), Vec::new());
        for path in files {
            match self.role(&self.within_folder(&path)) {
                Some(Role::Image) => images.push(path),
                Some(Role::Mask) => masks.push(path),
                None => unnamed.push(path),
            }
        }
        let mut found = self.across(images, masks);
        found.unnamed.extend(unnamed);
        found
    }

    /// The images of some folders with the masks of others, each named as it was stated.
    pub(super) fn across(self, images: Vec<PathBuf>, masks: Vec<PathBuf>) -> Matches {
        if !self.are_stated() {
            return Matches::across(images, masks);
        }
        let mut found = Matches::default();
        let images = self.named(images, self.image, &mut found, |stem| {
            let (core, ending) = split_image(stem);
            let start = behind_image(stem).filter(|start| ending.is_empty() && !start.is_empty());
            start.unwrap_or(core)
        });
        let masks = self.named(masks, self.mask, &mut found, |stem| {
            let core = split_mask(stem).map(|(core, _)| core);
            let start = || behind_mask(stem).filter(|start| !start.is_empty());
            core.or_else(start).unwrap_or(stem)
        });
        let mut places: HashMap<&str, usize> = HashMap::new();
        let names = || masks.iter().enumerate();
        let whole = names().map(|(at, mask)| (mask.whole.as_str(), at));
        let cores = names().map(|(at, mask)| (mask.core.as_str(), at));
        for (name, at) in whole.chain(cores) {
            places.entry(name).or_insert(at);
        }
        let mut is_taken = vec![false; masks.len()];
        for image in &images {
            let mask_of = |name: &str| {
                let at = *places.get(name).filter(|at| !is_taken[**at])?;
                let (own, other) = (image.path.parent(), masks[at].path.parent());
                let naming = Naming {
                    image: image.suffix_behind(name),
                    mask: masks[at].suffix_behind(name),
                    is_beside: own == other,
                };
                Some((at, naming))
            };
            let mask = mask_of(&image.whole).or_else(|| mask_of(&image.core));
            if let Some((at, _)) = mask {
                is_taken[at] = true;
            }
            found.matches.push(Match {
                image: image.path.clone(),
                name: image.core.rsplit('/').next().unwrap_or_default().to_owned(),
                mask: mask.map(|(at, naming)| (masks[at].path.clone(), naming)),
            });
        }
        let lonely = masks.into_iter().zip(is_taken);
        let lonely = lonely.filter(|(_, is_taken)| !is_taken);
        found.lonely_masks = lonely.map(|(mask, _)| mask.path).collect();
        found
    }

    /// What a file of this name is; of two patterns that fit, the longer one counts.
    fn role(self, name: &str) -> Option<Role> {
        let fits = |pattern: Option<Pattern<'a>>| {
            pattern.filter(|pattern| pattern.sample_of(name).is_some())
        };
        match (fits(self.image), fits(self.mask)) {
            (Some(image), Some(mask)) if mask.len() > image.len() => Some(Role::Mask),
            (Some(_), _) => Some(Role::Image),
            (None, Some(_)) => Some(Role::Mask),
            (None, None) if self.mask.is_none() => Some(Role::Mask),
            (None, None) if self.image.is_none() => Some(Role::Image),
            (None, None) => None,
        }
    }

    /// The files that are named so, the first of each name; `found` notes doubles and others.
    fn named(
        self,
        mut files: Vec<PathBuf>,
        stated: Option<Pattern<'a>>,
        found: &mut Matches,
        usual: impl Fn(&str) -> &str,
    ) -> Vec<Named> {
        files.sort();
        let mut first: HashMap<String, PathBuf> = HashMap::new();
        let mut kept = Vec::new();
        for path in files {
            let name = file_name(&path);
            let stem = stem_of(&name);
            let sample = match stated {
                Some(pattern) => pattern.sample_of(&self.within_folder(&path)),
                None => Some(stem.to_owned()),
            };
            let Some(whole) = sample else {
                found.unnamed.push(path);
                continue;
            };
            if let Some(first) = first.get(&whole) {
                found.doubles.push((path, first.clone()));
                continue;
            }
            first.insert(whole.clone(), path.clone());
            let (core, suffix) = match stated {
                Some(pattern) if !pattern.is_end() => (whole.clone(), pattern.to_string()),
                Some(_) => {
                    let suffix = stem.strip_prefix(&*whole).unwrap_or(stem);
                    (whole.clone(), suffix.to_owned())
                }
                None => {
                    let core = usual(stem);
                    (core.to_owned(), around(stem, core))
                }
            };
            kept.push(Named {
                path,
                whole,
                core,
                suffix,
            });
        }
        kept
    }

    /// Refuses what was stated where nothing is named so.
    ///
    /// # Errors
    /// [`DatasetError::Correction`] when there is no image, no mask, or none that belong together.
    pub(super) fn check(self, files: &RootFiles, folder: &Path) -> Result<(), DatasetError> {
        if !self.are_stated() || files.num_pairs() > 0 {
            return Ok(());
        }
        let missing = match (files.found.first(), files.lonely_masks.first()) {
            (None, _) => ("image", self.image),
            (_, None) => ("mask", self.mask),
            (Some(image), Some(mask)) => {
                return Err(DatasetError::Correction(format!(
                    "No image and mask have the same name apart from what was stated, for example \
                     {} and {}; look how the files are named and state it otherwise: {}",
                    self.within_folder(&image.file.image),
                    self.within_folder(mask),
                    folder.display()
                )));
            }
        };
        let why = match missing {
            (what, Some(pattern)) => format!("No {what} is named like “{pattern}”"),
            (what, None) => format!("No file is left that could be one {what}"),
        };
        Err(DatasetError::Correction(format!(
            "{why}, as was stated; look how the files are named and state it otherwise: {}",
            folder.display()
        )))
    }
}

impl Named {
    /// What the name has behind `name`, which is the whole or the core.
    fn suffix_behind(&self, name: &str) -> String {
        if self.whole == name && self.whole != self.core {
            String::new()
        } else {
            self.suffix.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(found: &Matches) -> Vec<(String, String, Option<String>)> {
        let pair = |found: &Match| {
            let mask = found.mask.as_ref().map(|(mask, _)| file_name(mask));
            (found.name.clone(), file_name(&found.image), mask)
        };
        found.matches.iter().map(pair).collect()
    }

    #[track_caller]
    fn check(
        (image, mask): (Option<&str>, Option<&str>),
        expected: &[(&str, &str, Option<&str>)],
        rest: [usize; 3],
    ) {
        let names = [
            "1_depth.png",
            "1_mask.png",
            "1_sat.jpg",
            "1_sat.tif",
            "2_mask.png",
            "3_sat.jpg",
        ];
        let files = names.map(|name| Path::new("d").join(name)).to_vec();
        let found = Suffixes::stated(image, mask, Path::new("d")).expect("suffixes");
        let found = found.within(files);
        let expected: Vec<_> = expected
            .iter()
            .map(|&(name, image, mask)| {
                let mask = mask.map(str::to_owned);
                (name.to_owned(), image.to_owned(), mask)
            })
            .collect();
        assert_eq!(pairs(&found), expected);
        let lonely = found.lonely_masks.len();
        let found = [lonely, found.doubles.len(), found.unnamed.len()];
        assert_eq!(found, rest, "masks without images, doubles, others");
    }

    #[test]
    fn stated_suffixes_tell_images_and_masks_apart() {
        let one = ("1", "1_sat.jpg", Some("1_mask.png"));
        let three = ("3", "3_sat.jpg", None);
        check((Some("_sat"), Some("_mask")), &[one, three], [1, 1, 1]);
        check(
            (Some("*_sat.jpg"), Some("_mask.png")),
            &[one, three],
            [1, 0, 2],
        );
        // What is not said is as usual.
        check((Some("_sat.jpg"), None), &[one, three], [3, 0, 0]);
        let depth = ("1", "1_sat.jpg", Some("1_depth.png"));
        check(
            (Some("_sat.jpg"), Some("_depth")),
            &[depth, three],
            [0, 0, 3],
        );
        check(
            (None, Some("_depth.png")),
            &[
                ("1_mask", "1_mask.png", None),
                depth,
                ("2_mask", "2_mask.png", None),
                three,
            ],
            [0, 1, 0],
        );
    }

    #[test]
    fn names_of_one_stem_are_told_apart_by_their_endings() {
        let files = ["a.tif", "a.png", "b.png"].map(PathBuf::from).to_vec();
        let suffixes = Suffixes::stated(Some(".png"), Some(".tif"), Path::new(""));
        let suffixes = suffixes.expect("suffixes");
        let found = suffixes.within(files);
        let a = ("a".to_owned(), "a.png".to_owned(), Some("a.tif".to_owned()));
        assert_eq!(
            pairs(&found),
            [a, ("b".to_owned(), "b.png".to_owned(), None)]
        );
        let naming = found.matches[0].mask.as_ref().map(|(_, naming)| naming);
        assert!(naming.is_some_and(|naming| naming.is_beside && naming.image.is_empty()));
    }

    #[test]
    fn suffixes_that_tell_nothing_are_refused() {
        for (image, mask, expected) in [
            (Some("_a"), Some("*_a"), "both are like “*_a”"),
            (Some("images/_a"), None, "does not say how"),
            (None, Some("_?.png"), "does not say how"),
            (None, Some("*/mask_*"), "does not say how"),
        ] {
            let error = Suffixes::stated(image, mask, Path::new("d")).expect_err("refused");
            assert!(error.to_string().contains(expected), "{error}");
        }
        let none = Suffixes::stated(Some(" "), Some("*"), Path::new("d"));
        let none = none.expect("nothing was said");
        assert!(!none.are_stated());
    }
}
