use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::naming::{Match, Matches, paths};
use super::tree::{Limits, Tree, walk};
use super::words::{Role, place};
use crate::dataset::DatasetError;
use crate::exchange::Part;

/// An image with what folders and names say of it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) file: Match,
    pub(super) part: Option<Part>,
    /// The folders between the data set and the file that name neither parts nor roles.
    pub(super) group: String,
}

/// The images and masks below one folder.
#[derive(Debug, Default)]
pub(super) struct RootFiles {
    pub(super) found: Vec<Found>,
    pub(super) lonely_masks: Vec<PathBuf>,
    pub(super) doubles: Vec<(PathBuf, PathBuf)>,
    /// Folders that hold images, and such that hold masks, relative to the searched folder.
    pub(super) image_folders: BTreeSet<String>,
    pub(super) mask_folders: BTreeSet<String>,
}

impl RootFiles {
    /// How many images have masks.
    pub(super) fn num_pairs(&self) -> usize {
        let is_pair = |found: &&Found| found.file.mask.is_some();
        self.found.iter().filter(is_pair).count()
    }

    /// The files below a folder of images and one of masks; each may lie in the other.
    pub(super) fn between(
        (images, masks): (&Path, &Path),
        folder: &Path,
    ) -> Result<Self, DatasetError> {
        let files = |own: &Path, other: &Path| -> Result<Vec<PathBuf>, DatasetError> {
            let tree = walk(own, Limits::default())?;
            let is_other = |path: &Path| path.starts_with(other) && !own.starts_with(other);
            let folders = tree.folders.iter().filter(|found| !is_other(&found.path));
            Ok(folders
                .flat_map(|folder| paths(&folder.path, &folder.rasters))
                .collect())
        };
        let name = |path: &Path| {
            let within = path.strip_prefix(folder).unwrap_or(path);
            BTreeSet::from([within.to_string_lossy().replace('\\', "/")])
        };
        let mut found = Self {
            image_folders: name(images),
            mask_folders: name(masks),
            ..Self::default()
        };
        let matches = if images == masks {
            Matches::within(files(images, masks)?)
        } else {
            Matches::across(files(images, masks)?, files(masks, images)?)
        };
        found.add(matches, None, "");
        Ok(found)
    }

    fn add(&mut self, matches: Matches, part: Option<Part>, group: &str) {
        self.found
            .extend(matches.matches.into_iter().map(|file| Found {
                file,
                part,
                group: group.to_owned(),
            }));
        self.lonely_masks.extend(matches.lonely_masks);
        self.doubles.extend(matches.doubles);
    }

    /// Gives masks that are left to images that are left: one of the folders may be cut into parts
    /// and the other not.
    fn match_rest(&mut self) {
        if self.lonely_masks.is_empty() {
            return;
        }
        let (lonely, found): (Vec<_>, Vec<_>) = std::mem::take(&mut self.found)
            .into_iter()
            .partition(|found| found.file.mask.is_none());
        self.found = found;
        let images = lonely.iter().map(|found| found.file.image.clone());
        let masks = std::mem::take(&mut self.lonely_masks);
        let matches = Matches::across(images.collect(), masks.clone());
        let left_out: HashSet<PathBuf> = matches
            .doubles
            .iter()
            .map(|(path, _)| path.clone())
            .collect();
        self.lonely_masks = matches.lonely_masks;
        self.lonely_masks
            .extend(masks.into_iter().filter(|mask| left_out.contains(mask)));
        let mut masks: BTreeMap<PathBuf, Match> = matches
            .matches
            .into_iter()
            .map(|file| (file.image.clone(), file))
            .collect();
        self.found.extend(lonely.into_iter().map(|found| Found {
            file: masks.remove(&found.file.image).unwrap_or(found.file),
            ..found
        }));
    }
}

/// Folders of one part and kind.
#[derive(Default)]
struct Bucket {
    images: Vec<usize>,
    masks: Vec<usize>,
    /// Folders whose names say neither.
    plain: Vec<usize>,
}

/// Finds what belongs together by names alone, for each folder that may be a data set of its own;
/// the empty name is the searched folder itself.
pub(super) fn pair_files(tree: &Tree) -> BTreeMap<String, RootFiles> {
    let mut buckets: BTreeMap<(String, String, Option<Part>), Bucket> = BTreeMap::new();
    for (at, folder) in tree.folders.iter().enumerate() {
        if folder.rasters.is_empty() {
            continue;
        }
        let place = place(&folder.steps);
        let root = folder.steps[..place.root].join("/");
        let bucket = buckets.entry((root, place.key, place.part)).or_default();
        match place.role {
            Some(Role::Image) => bucket.images.push(at),
            Some(Role::Mask) => bucket.masks.push(at),
            None => bucket.plain.push(at),
        }
    }
    let mut roots: BTreeMap<String, RootFiles> = BTreeMap::new();
    for ((root, key, part), bucket) in buckets {
        let group = key.strip_prefix(&root).unwrap_or(&key);
        let group = group.trim_start_matches('/');
        let files = roots.entry(root.clone()).or_default();
        fill(files, tree, bucket, (part, group));
    }
    for files in roots.values_mut() {
        files.match_rest();
    }
    roots
}

fn fill(
    files: &mut RootFiles,
    tree: &Tree,
    mut bucket: Bucket,
    (part, group): (Option<Part>, &str),
) {
    if bucket.images.is_empty() && !bucket.masks.is_empty() {
        bucket.images = std::mem::take(&mut bucket.plain);
    }
    let all = |folders: &[usize]| -> Vec<PathBuf> {
        let folders = folders.iter().map(|&at| &tree.folders[at]);
        folders
            .flat_map(|folder| paths(&folder.path, &folder.rasters))
            .collect()
    };
    let name = |at: &usize| tree.folders[*at].steps.join("/");
    let mut alone = std::mem::take(&mut bucket.plain);
    if bucket.masks.is_empty() {
        alone.append(&mut bucket.images);
    } else if bucket.images.is_empty() {
        // A folder called after masks may hold the images as well.
        let is_mixed = |at: &usize| {
            let found = Matches::within(all(&[*at]));
            found.matches.iter().any(|file| file.mask.is_some())
        };
        let (mixed, masks) = bucket.masks.iter().copied().partition(is_mixed);
        bucket.masks = masks;
        alone.append(&mut { mixed });
    }
    for at in alone {
        let matches = Matches::within(all(&[at]));
        files.image_folders.insert(name(&at));
        files.add(matches, part, group);
    }
    files.image_folders.extend(bucket.images.iter().map(name));
    files.mask_folders.extend(bucket.masks.iter().map(name));
    if !bucket.masks.is_empty() {
        let matches = Matches::across(all(&bucket.images), all(&bucket.masks));
        files.add(matches, part, group);
    }
}

/// Folders of one form as one data set, each a group of its own, and the folder of all of them.
pub(super) fn merged(mut roots: BTreeMap<String, RootFiles>) -> (RootFiles, String) {
    if roots.len() == 1
        && let Some((root, files)) = roots.pop_first()
    {
        return (files, root);
    }
    let mut all = RootFiles::default();
    for (root, files) in roots {
        all.found.extend(files.found.into_iter().map(|found| {
            let steps = [root.as_str(), &found.group];
            let named = steps.into_iter().filter(|step| !step.is_empty());
            Found {
                group: named.collect::<Vec<_>>().join("/"),
                ..found
            }
        }));
        all.lonely_masks.extend(files.lonely_masks);
        all.doubles.extend(files.doubles);
        all.image_folders.extend(files.image_folders);
        all.mask_folders.extend(files.mask_folders);
    }
    // Where folders say nothing, whole names still may.
    if all.num_pairs() == 0 {
        all.match_rest();
    }
    (all, String::new())
}

#[cfg(test)]
mod tests {
    use super::super::test_folders::folder_with;
    use super::super::tree::{Limits, walk};
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: &[(&str, usize, usize, usize)]) {
        let folder = folder_with(names);
        let tree = walk(folder.path(), Limits::default()).expect("a folder");
        let found: Vec<_> = pair_files(&tree)
            .into_iter()
            .map(|(root, files)| {
                let (pairs, lonely) = (files.num_pairs(), files.lonely_masks.len());
                (root, pairs, files.found.len() - pairs, lonely)
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|&(root, pairs, images, masks)| (root.to_owned(), pairs, images, masks))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn images_meet_their_masks_in_every_usual_tree() {
        check(
            &["images/1.tif", "images/2.tif", "masks/1.tif", "masks/3.tif"],
            &[("", 1, 1, 1)],
        );
        check(
            &[
                "train/1.png",
                "trainannot/1.png",
                "val/2.png",
                "valannot/2.png",
            ],
            &[("", 2, 0, 0)],
        );
        check(
            &[
                "a/train/images/1.jpg",
                "a/train/masks/1.png",
                "b/images/1.jpg",
                "b/gt/1.png",
            ],
            &[("a", 1, 0, 0), ("b", 1, 0, 0)],
        );
        check(
            &[
                "images/aachen/1.png",
                "images/ulm/1.png",
                "gt/aachen/1.png",
                "gt/ulm/1.png",
            ],
            &[("", 2, 0, 0)],
        );
        check(&["images/1.png", "annot/train/1.png"], &[("", 1, 0, 0)]);
        check(&["1.tif", "masks/1.tif"], &[("", 1, 0, 0)]);
        check(
            &["top/1.tif", "gts_for_all/1.tif"],
            &[("", 0, 0, 1), ("top", 0, 1, 0)],
        );
        check(&["labels/1.tif", "labels/1_mask.tif"], &[("", 1, 0, 0)]);
        check(
            &["train/1_sat.jpg", "train/1_mask.png", "test/2_sat.jpg"],
            &[("", 1, 1, 0)],
        );
    }

    #[test]
    fn twins_in_many_groups_stay_in_theirs() {
        let folder = folder_with(&["images/a/1.png", "images/b/1.png", "masks/b/1.png"]);
        let tree = walk(folder.path(), Limits::default()).expect("a folder");
        let files = &pair_files(&tree)[""];
        let groups: Vec<_> = files
            .found
            .iter()
            .map(|found| (found.group.as_str(), found.file.mask.is_some()))
            .collect();
        assert_eq!(groups, [("a", false), ("b", true)]);
    }
}
