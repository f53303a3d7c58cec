use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::naming::{Match, Matches, paths};
use super::suffixes::Suffixes;
use super::tree::{Folder, Limits, Tree, walk};
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
    /// Files whose names are as a person said of neither images nor masks.
    pub(super) unnamed: Vec<PathBuf>,
    /// Images of folders without a pair, where whole names found the pairs of others.
    pub(super) left_out: Vec<PathBuf>,
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
        suffixes: Suffixes<'_>,
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
            suffixes.within(files(images, masks)?)
        } else {
            suffixes.across(files(images, masks)?, files(masks, images)?)
        };
        found.add(matches, None, "");
        Ok(found)
    }

    /// The files of a whole data set whose patterns hold folders.
    fn by_paths(tree: &Tree, suffixes: Suffixes<'_>) -> Self {
        let all = tree.folders.iter();
        let all = all.flat_map(|folder| paths(&folder.path, &folder.rasters));
        let mut matches = suffixes.within(all.collect());
        let mut files = Self::default();
        files.note_folders(tree.folders.iter(), &matches);
        let by_path = tree.folders.iter();
        let by_path = by_path.map(|folder| (folder.path.as_path(), folder.steps.as_slice()));
        let steps: HashMap<&Path, &[String]> = by_path.collect();
        for file in std::mem::take(&mut matches.matches) {
            let above = file.image.parent().and_then(|above| steps.get(above));
            let place = place(above.copied().unwrap_or_default());
            files.found.push(Found {
                file,
                part: place.part,
                group: place.key,
            });
        }
        files.add(matches, None, "");
        files
    }

    /// Notes which of the folders hold images, and which only masks.
    fn note_folders<'t>(&mut self, folders: impl Iterator<Item = &'t Folder>, matches: &Matches) {
        let images = matches.matches.iter().map(|file| file.image.as_path());
        let masks = matches.matches.iter().filter_map(|file| file.mask.as_ref());
        let masks = masks.map(|(mask, _)| mask).chain(&matches.lonely_masks);
        let images: HashSet<&Path> = images.filter_map(Path::parent).collect();
        let masks: HashSet<&Path> = masks.filter_map(|mask| mask.parent()).collect();
        for folder in folders {
            let (path, name) = (folder.path.as_path(), folder.steps.join("/"));
            if images.contains(path) {
                self.image_folders.insert(name);
            } else if masks.contains(path) {
                self.mask_folders.insert(name);
            }
        }
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
        self.unnamed.extend(matches.unnamed);
    }

    /// Gives masks that are left to images that are left: one of the folders may be cut into parts
    /// and the other not.
    fn match_rest(&mut self, suffixes: Suffixes<'_>) {
        if self.lonely_masks.is_empty() {
            return;
        }
        let (lonely, found): (Vec<_>, Vec<_>) = std::mem::take(&mut self.found)
            .into_iter()
            .partition(|found| found.file.mask.is_none());
        self.found = found;
        let images = lonely.iter().map(|found| found.file.image.clone());
        let masks = std::mem::take(&mut self.lonely_masks);
        let matches = suffixes.across(images.collect(), masks.clone());
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

    /// Once whole names have found pairs across folders, leaves out images of folders without any:
    /// they are other pictures of the same ground, for example its heights.
    fn leave_unpaired(&mut self) {
        let folder = |found: &Found| found.file.image.parent().map(Path::to_owned);
        let pairs = self.found.iter().filter(|found| found.file.mask.is_some());
        let mut folders: HashSet<PathBuf> = pairs.filter_map(folder).collect();
        if folders.is_empty() {
            return;
        }
        if folders.len() == 1 {
            // The folder of all images is no place that some of them share.
            for found in &mut self.found {
                found.group.clear();
            }
        }
        let of_parts = self.found.iter().filter(|found| found.part.is_some());
        folders.extend(of_parts.filter_map(folder));
        let (kept, left_out): (Vec<Found>, Vec<Found>) = std::mem::take(&mut self.found)
            .into_iter()
            .partition(|found| folder(found).is_some_and(|folder| folders.contains(&folder)));
        self.found = kept;
        let left_out = left_out.into_iter().map(|found| found.file.image);
        self.left_out.extend(left_out);
        self.image_folders
            .retain(|name| folders.iter().any(|folder| folder.ends_with(name)));
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
pub(super) fn pair_files(tree: &Tree, suffixes: Suffixes<'_>) -> BTreeMap<String, RootFiles> {
    if suffixes.have_folders() {
        let all = RootFiles::by_paths(tree, suffixes);
        return BTreeMap::from([(String::new(), all)]);
    }
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
        if suffixes.are_stated() {
            fill_named(files, tree, &bucket, (part, group), suffixes);
        } else {
            fill(files, tree, bucket, (part, group));
        }
    }
    for files in roots.values_mut() {
        files.match_rest(suffixes);
    }
    roots
}

/// As [`fill`], whatever the folders are called: a person said how the files are.
fn fill_named(
    files: &mut RootFiles,
    tree: &Tree,
    bucket: &Bucket,
    (part, group): (Option<Part>, &str),
    suffixes: Suffixes<'_>,
) {
    let places = [&bucket.images, &bucket.masks, &bucket.plain];
    let folders = || places.into_iter().flatten().map(|&at| &tree.folders[at]);
    let all = folders().flat_map(|folder| paths(&folder.path, &folder.rasters));
    let matches = suffixes.within(all.collect());
    files.note_folders(folders(), &matches);
    files.add(matches, part, group);
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
pub(super) fn merged(
    mut roots: BTreeMap<String, RootFiles>,
    suffixes: Suffixes<'_>,
) -> (RootFiles, String) {
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
        all.unnamed.extend(files.unnamed);
        all.image_folders.extend(files.image_folders);
        all.mask_folders.extend(files.mask_folders);
    }
    // Where folders say nothing, whole names still may.
    if all.num_pairs() == 0 {
        all.match_rest(suffixes);
        all.leave_unpaired();
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
        let found: Vec<_> = pair_files(&tree, Suffixes::default())
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
        let files = &pair_files(&tree, Suffixes::default())[""];
        let groups: Vec<_> = files
            .found
            .iter()
            .map(|found| (found.group.as_str(), found.file.mask.is_some()))
            .collect();
        assert_eq!(groups, [("a", false), ("b", true)]);
    }
}
