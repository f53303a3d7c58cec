use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::choose::{Chosen, choose};
use super::naming::{Matches, paths};
use super::pairing::{merged, pair_files};
use super::suffixes::Suffixes;
use super::tree::{Limits, walk};
use crate::dataset::{DatasetError, Pair};

/// Pairs found by names alone, and what belongs to none.
pub(in crate::dataset) struct NamedPairs {
    /// Ordered by image.
    pub(in crate::dataset) pairs: Vec<Pair>,
    pub(in crate::dataset) lonely_images: Vec<PathBuf>,
    pub(in crate::dataset) lonely_masks: Vec<PathBuf>,
    /// Files left out for another of the same name, and that other.
    pub(in crate::dataset) doubles: Vec<(PathBuf, PathBuf)>,
}

impl NamedPairs {
    /// The pairs of a folder of images and one of masks, without what lies deeper.
    ///
    /// # Errors
    /// [`DatasetError::Folder`] when one of them cannot be listed.
    pub(in crate::dataset) fn between(images: &Path, masks: &Path) -> Result<Self, DatasetError> {
        let limits = Limits {
            depth: 0,
            ..Limits::default()
        };
        let files = |folder: &Path| -> Result<Vec<PathBuf>, DatasetError> {
            let tree = walk(folder, limits)?;
            let folders = tree.folders.iter();
            Ok(folders
                .flat_map(|folder| paths(&folder.path, &folder.rasters))
                .collect())
        };
        Ok(Self::of(Matches::across(files(images)?, files(masks)?)))
    }

    /// The pairs of the data set below a folder; `None` when there are none.
    ///
    /// # Errors
    /// [`DatasetError::Folder`] when it cannot be listed, [`DatasetError::NoPairs`] when it holds
    /// several data sets.
    pub(in crate::dataset) fn below(folder: &Path) -> Result<Option<Self>, DatasetError> {
        let tree = walk(folder, Limits::default())?;
        let mut roots = pair_files(&tree, Suffixes::default());
        let files = match choose(&roots, &[], &BTreeSet::new()) {
            Chosen::One(root, _) => roots.remove(&root).unwrap_or_default(),
            Chosen::All => merged(roots, Suffixes::default()).0,
            Chosen::Several(names) => {
                let names = names.join(", ");
                let what = format!("There are several data sets ({names}), choose one");
                let path = folder.to_owned();
                return Err(DatasetError::NoPairs { what, path });
            }
        };
        let found = Self::of(Matches {
            matches: files.found.into_iter().map(|found| found.file).collect(),
            lonely_masks: files.lonely_masks,
            doubles: files.doubles,
            ..Matches::default()
        });
        Ok((!found.pairs.is_empty()).then_some(found))
    }

    fn of(matches: Matches) -> Self {
        let mut found = Self {
            pairs: Vec::new(),
            lonely_images: Vec::new(),
            lonely_masks: matches.lonely_masks,
            doubles: matches.doubles,
        };
        for file in matches.matches {
            match file.mask {
                Some((mask, _)) => found.pairs.push(Pair {
                    image: file.image,
                    mask,
                }),
                None => found.lonely_images.push(file.image),
            }
        }
        found.pairs.sort_by(|a, b| a.image.cmp(&b.image));
        found.lonely_images.sort();
        found
    }
}
