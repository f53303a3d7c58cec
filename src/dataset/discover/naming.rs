use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// How a mask is named after its image.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Naming {
    /// What the image's name has behind the common part, for example `_sat`, or what it is like,
    /// with a `*` for that part, for example `img_*`.
    pub(super) image: String,
    /// The same of the mask, for example `_mask` or `mask_*`.
    pub(super) mask: String,
    /// Whether both lie in one folder.
    pub(super) is_beside: bool,
}

/// An image, and its mask when there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) image: PathBuf,
    /// The image's name without its ending and without what sets it off from the mask.
    pub(super) name: String,
    pub(super) mask: Option<(PathBuf, Naming)>,
}

/// The images of some folders, and the masks that belong to none of them.
#[derive(Debug, Default)]
pub(super) struct Matches {
    pub(super) matches: Vec<Match>,
    pub(super) lonely_masks: Vec<PathBuf>,
    /// Files left out for another of the same name, and that other.
    pub(super) doubles: Vec<(PathBuf, PathBuf)>,
    /// Files whose names are as a person said of neither images nor masks.
    pub(super) unnamed: Vec<PathBuf>,
}

const IMAGE_ENDINGS: [&str; 8] = [
    "sat",
    "image",
    "img",
    "rgb",
    "irrg",
    "rgbir",
    "leftimg8bit",
    "ortho",
];
const MASK_ENDINGS: [&str; 14] = [
    "mask",
    "masks",
    "label",
    "labels",
    "lbl",
    "gt",
    "groundtruth",
    "seg",
    "segmentation",
    "annot",
    "annotation",
    "l",
    "m",
    "msk",
];

/// The stem without an ending like `_sat` of an image, and that ending.
pub(super) fn split_image(stem: &str) -> (&str, &str) {
    split_ending(stem, &IMAGE_ENDINGS).unwrap_or((stem, ""))
}

/// The stem without an ending like `_mask`, and that ending; single letters only as data sets have
/// them, `_L` and `_m`.
pub(super) fn split_mask(stem: &str) -> Option<(&str, &str)> {
    split_ending(stem, &MASK_ENDINGS)
        .filter(|(_, ending)| ending.len() > 2 || matches!(*ending, "_L" | "_m"))
}

fn split_ending<'s>(stem: &'s str, words: &[&str]) -> Option<(&'s str, &'s str)> {
    let at = stem.rfind(['_', '-', '.', ' '])?;
    let word = stem[at + 1..].to_lowercase();
    (at > 0 && words.contains(&word.as_str())).then(|| stem.split_at(at))
}

/// The name without its ending, as text.
pub(super) fn stem_of(name: &OsStr) -> String {
    Path::new(name)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

impl Matches {
    /// The images in `images` with the masks in `masks`: of the same name, else of the same name
    /// but for usual endings, else but for words that names usually begin with.
    pub(super) fn across(images: Vec<PathBuf>, masks: Vec<PathBuf>) -> Self {
        let mut found = Self::default();
        let images = found.by_stem(images);
        let masks = found.by_stem(masks);
        let exact: HashMap<&str, usize> = index(masks.iter().map(|(stem, _)| stem.as_str()));
        let core = |stem| split_mask(stem).map_or(stem, |(core, _)| core);
        let by_core: HashMap<&str, usize> = index(masks.iter().map(|(stem, _)| core(stem)));
        let mut is_taken = vec![false; masks.len()];
        for (stem, image) in &images {
            let (image_core, image_ending) = split_image(stem);
            let same = exact.get(stem.as_str()).map(|&at| (at, Naming::default()));
            let alike = || {
                let at = *by_core
                    .get(stem.as_str())
                    .or_else(|| by_core.get(image_core))?;
                let is_whole = core(&masks[at].0) == stem;
                let mask = split_mask(&masks[at].0).map_or("", |(_, ending)| ending);
                let image = if is_whole { "" } else { image_ending };
                let naming = Naming {
                    image: image.to_owned(),
                    mask: mask.to_owned(),
                    is_beside: false,
                };
                Some((at, naming))
            };
            let mask = same.or_else(alike).filter(|(at, _)| !is_taken[*at]);
            if let Some((at, _)) = mask {
                is_taken[at] = true;
            }
            found.matches.push(Match {
                image: image.clone(),
                name: image_core.to_owned(),
                mask: mask.map(|(at, naming)| (masks[at].1.clone(), naming)),
            });
        }
        let lonely = masks.into_iter().zip(is_taken).filter(|(_, taken)| !taken);
        found.lonely_masks = lonely.map(|((_, path), _)| path).collect();
        found.pair_by_starts(false);
        found
    }

    /// The images of one folder with the masks beside them, told apart by endings of their names;
    /// where all are a JPEG or TIFF and a PNG of one name, by that; where endings tell nothing, by
    /// words that names begin with.
    pub(super) fn within(files: Vec<PathBuf>) -> Self {
        if let Some(found) = Self::by_format(&files) {
            return found;
        }
        let mut found = Self::default();
        let files = found.by_stem(files);
        let bases = |(at, (stem, _)): (usize, &(String, PathBuf))| {
            let (core, _) = split_image(stem);
            let is_mask = split_mask(stem).is_some_and(|(_, ending)| ending.len() > 2);
            (!is_mask).then(|| [(stem.clone(), at), (core.to_owned(), at)])
        };
        let images: HashMap<String, usize> = files
            .iter()
            .enumerate()
            .filter_map(bases)
            .flatten()
            .collect();
        let mut masks: HashMap<usize, (PathBuf, Naming)> = HashMap::new();
        let mut is_mask = vec![false; files.len()];
        for (at, (stem, path)) in files.iter().enumerate() {
            let Some((core, ending)) = split_mask(stem) else {
                continue;
            };
            match images.get(core).filter(|&&image| image != at) {
                Some(&image) => {
                    is_mask[at] = true;
                    let naming = Naming {
                        image: files[image].0[core.len()..].to_owned(),
                        mask: ending.to_owned(),
                        is_beside: true,
                    };
                    masks.entry(image).or_insert((path.clone(), naming));
                }
                None if ending.len() > 2 => {
                    is_mask[at] = true;
                    found.lonely_masks.push(path.clone());
                }
                None => {}
            }
        }
        for (at, (stem, image)) in files.into_iter().enumerate() {
            if !is_mask[at] {
                found.matches.push(Match {
                    image,
                    name: split_image(&stem).0.to_owned(),
                    mask: masks.remove(&at),
                });
            }
        }
        found.by_starts_within()
    }

    /// Pairs like `a.jpg` and `a.png`, when a folder holds nothing else.
    fn by_format(files: &[PathBuf]) -> Option<Self> {
        let mut found = Self::default();
        let (pairs, rest) = files.as_chunks::<2>();
        for [image, mask] in pairs {
            let stem = |path: &Path| stem_of(path.file_name().unwrap_or_default());
            let is_png = mask.extension().is_some_and(|ending| ending == "png");
            let is_other = image.extension().is_some_and(|ending| ending != "png");
            if !is_png || !is_other || stem(image) != stem(mask) {
                return None;
            }
            let naming = Naming {
                is_beside: true,
                ..Naming::default()
            };
            found.matches.push(Match {
                image: image.clone(),
                name: stem(image),
                mask: Some((mask.clone(), naming)),
            });
        }
        (rest.is_empty() && !pairs.is_empty()).then_some(found)
    }

    /// The files by stem, the first of each; the others are noted.
    fn by_stem(&mut self, mut files: Vec<PathBuf>) -> Vec<(String, PathBuf)> {
        files.sort();
        let mut first: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<(String, PathBuf)> = Vec::with_capacity(files.len());
        for path in files {
            let stem = stem_of(path.file_name().unwrap_or_default());
            if let Some(&at) = first.get(&stem) {
                self.doubles.push((path, kept[at].1.clone()));
            } else {
                first.insert(stem.clone(), kept.len());
                kept.push((stem, path));
            }
        }
        kept
    }
}

/// The place of the first of each name.
fn index<'s>(names: impl Iterator<Item = &'s str>) -> HashMap<&'s str, usize> {
    let mut places = HashMap::new();
    for (at, name) in names.enumerate() {
        places.entry(name).or_insert(at);
    }
    places
}

/// Full paths of the files of a folder.
pub(super) fn paths(folder: &Path, names: &[OsString]) -> Vec<PathBuf> {
    names.iter().map(|name| folder.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &str, names: &[&str]) -> Vec<PathBuf> {
        names
            .iter()
            .map(|name| Path::new(folder).join(name))
            .collect()
    }

    fn pairs(found: &Matches) -> Vec<(String, Option<String>)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let pair = |found: &Match| {
            let mask = found.mask.as_ref().map(|(mask, _)| text(mask));
            (found.name.clone(), mask)
        };
        found.matches.iter().map(pair).collect()
    }

    #[track_caller]
    fn check(found: &Matches, expected: &[(&str, Option<&str>)], lonely: usize) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, mask)| ((*name).to_owned(), mask.map(str::to_owned)))
            .collect();
        assert_eq!(pairs(found), expected);
        assert_eq!(found.lonely_masks.len(), lonely, "{:?}", found.lonely_masks);
    }

    #[test]
    fn endings_set_masks_off_from_the_images_beside_them() {
        let names = ["1_mask.png", "1_sat.jpg", "2_sat.jpg", "9_mask.png"];
        let found = Matches::within(files("d", &names));
        check(&found, &[("1", Some("d/1_mask.png")), ("2", None)], 1);
        let naming = found.matches[0].mask.as_ref().map(|(_, naming)| naming);
        assert_eq!(naming.map(|naming| naming.image.as_str()), Some("_sat"));

        let names = [
            "0016E5_1.png",
            "0016E5_1_L.png",
            "T_1.jpg",
            "T_1_m.png",
            "lone_L.png",
        ];
        check(
            &Matches::within(files("d", &names)),
            &[
                ("0016E5_1", Some("d/0016E5_1_L.png")),
                ("T_1", Some("d/T_1_m.png")),
                ("lone_L", None),
            ],
            0,
        );
        let names = ["a.jpg", "a.png", "b.jpg", "b.png"];
        check(
            &Matches::within(files("d", &names)),
            &[("a", Some("d/a.png")), ("b", Some("d/b.png"))],
            0,
        );
    }

    #[test]
    fn names_match_across_folders_with_and_without_endings() {
        let found = Matches::across(
            files("i", &["a.v2.tif", "b_sat.jpg", "c.png", "c.tif", "d.png"]),
            files("m", &["a.v2.png", "b_mask.png", "c_L.png", "e.png"]),
        );
        check(
            &found,
            &[
                ("a.v2", Some("m/a.v2.png")),
                ("b", Some("m/b_mask.png")),
                ("c", Some("m/c_L.png")),
                ("d", None),
            ],
            1,
        );
        assert_eq!(found.doubles, [("i/c.tif".into(), "i/c.png".into())]);
    }
}
