use std::collections::HashMap;
use std::path::Path;

use super::naming::{Match, Matches, Naming, split_image, split_mask, stem_of};
use super::patterns::around;

const IMAGE_STARTS: [&str; 7] = ["image", "images", "img", "imgs", "sat", "rgb", "ortho"];
const MASK_STARTS: [&str; 12] = [
    "mask",
    "masks",
    "msk",
    "label",
    "labels",
    "lbl",
    "gt",
    "groundtruth",
    "seg",
    "annot",
    "annotation",
    "target",
];

/// What follows a word like `img` that an image's name begins with: `0` of `img_0` and of `img0`,
/// nothing of `img`.
pub(super) fn behind_image(stem: &str) -> Option<&str> {
    behind(stem, &IMAGE_STARTS)
}

/// The same of a mask.
pub(super) fn behind_mask(stem: &str) -> Option<&str> {
    behind(stem, &MASK_STARTS)
}

fn behind<'s>(stem: &'s str, words: &[&str]) -> Option<&'s str> {
    let end = stem.find(|letter: char| !letter.is_alphabetic());
    let (word, rest) = stem.split_at(end.unwrap_or(stem.len()));
    let is_known = words.contains(&word.to_lowercase().as_str());
    is_known.then(|| rest.strip_prefix(['_', '-', '.', ' ']).unwrap_or(rest))
}

fn stem(path: &Path) -> String {
    stem_of(path.file_name().unwrap_or_default())
}

impl Matches {
    /// Of the files of one folder in which nothing belongs together by ends of names: pairs like
    /// `img_0` and `mask_0`, `0` and `mask_0`, `image` and `label`.
    pub(super) fn by_starts_within(mut self) -> Self {
        if self.matches.iter().any(|file| file.mask.is_some()) {
            return self;
        }
        let is_mask = |file: &Match| behind_mask(&stem(&file.image)).is_some();
        let (masks, images): (Vec<Match>, Vec<Match>) = std::mem::take(&mut self.matches)
            .into_iter()
            .partition(is_mask);
        let mut found = Self {
            matches: images,
            lonely_masks: masks.iter().map(|file| file.image.clone()).collect(),
            ..Self::default()
        };
        found.pair_by_starts(true);
        if found.matches.iter().all(|file| file.mask.is_none()) {
            self.matches = found.matches;
            self.matches.extend(masks);
            self.matches.sort_by(|a, b| a.image.cmp(&b.image));
            return self;
        }
        self.matches = found.matches;
        self.lonely_masks.extend(found.lonely_masks);
        self
    }

    /// Gives masks that are left to images that are left, by words that their names begin with.
    pub(super) fn pair_by_starts(&mut self, is_beside: bool) {
        if self.lonely_masks.is_empty() {
            return;
        }
        let mut masks: HashMap<String, (usize, Naming)> = HashMap::new();
        for (at, mask) in self.lonely_masks.iter().enumerate() {
            let stem = stem(mask);
            let core = || split_mask(&stem).map_or(stem.as_str(), |(core, _)| core);
            let sample = behind_mask(&stem).unwrap_or_else(core);
            let naming = Naming {
                image: String::new(),
                mask: around(&stem, sample),
                is_beside,
            };
            masks.entry(sample.to_owned()).or_insert((at, naming));
        }
        let mut taken = vec![false; self.lonely_masks.len()];
        for file in self.matches.iter_mut().filter(|file| file.mask.is_none()) {
            let stem = stem(&file.image);
            let samples = [
                Some(stem.as_str()),
                Some(split_image(&stem).0),
                behind_image(&stem),
            ];
            let found = samples.into_iter().flatten().find_map(|sample| {
                let (at, naming) = masks.remove(sample)?;
                Some((sample, at, naming))
            });
            let Some((sample, at, naming)) = found else {
                continue;
            };
            taken[at] = true;
            file.name = named(sample, &stem, &file.image, is_beside);
            let naming = Naming {
                image: around(&stem, sample),
                ..naming
            };
            file.mask = Some((self.lonely_masks[at].clone(), naming));
        }
        let masks = std::mem::take(&mut self.lonely_masks).into_iter();
        let left = masks.zip(taken).filter(|(_, taken)| !taken);
        self.lonely_masks = left.map(|(mask, _)| mask).collect();
    }
}

/// What a sample is called; one whose image is just `image` is called after its folder.
fn named(sample: &str, stem: &str, image: &Path, is_beside: bool) -> String {
    let folder = image.parent().and_then(Path::file_name);
    let folder = folder.map(|name| name.to_string_lossy().into_owned());
    match (sample, folder) {
        ("", Some(folder)) if is_beside => folder,
        ("", _) => stem.to_owned(),
        (sample, _) => sample.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn files(folder: &str, names: &[&str]) -> Vec<PathBuf> {
        let files = names.iter();
        files.map(|name| Path::new(folder).join(name)).collect()
    }

    #[track_caller]
    fn check(found: &Matches, expected: &[(&str, Option<&str>)], lonely: usize) {
        let text = |mask: &Path| mask.to_string_lossy().replace('\\', "/");
        let pair = |file: &Match| {
            let mask = file.mask.as_ref().map(|(mask, _)| text(mask));
            (file.name.clone(), mask)
        };
        let mut pairs: Vec<_> = found.matches.iter().map(pair).collect();
        pairs.sort();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, mask)| ((*name).to_owned(), mask.map(str::to_owned)))
            .collect();
        assert_eq!(pairs, expected);
        assert_eq!(found.lonely_masks.len(), lonely, "{:?}", found.lonely_masks);
    }

    #[test]
    fn words_at_the_start_tell_images_and_masks_of_one_folder_apart() {
        let names = ["img_0.png", "img_1.png", "mask_0.png", "mask_2.png"];
        let found = Matches::within(files("d", &names));
        check(&found, &[("0", Some("d/mask_0.png")), ("img_1", None)], 1);
        let naming = found.matches[0].mask.as_ref().map(|(_, naming)| naming);
        let naming = naming.expect("a pair");
        assert_eq!((&*naming.image, &*naming.mask), ("img_*", "mask_*"));
        let names = ["image0.jpg", "image1.jpg", "mask0.png", "mask1.png"];
        check(
            &Matches::within(files("d", &names)),
            &[("0", Some("d/mask0.png")), ("1", Some("d/mask1.png"))],
            0,
        );
        check(
            &Matches::within(files("d/s0", &["image.tif", "label.tif"])),
            &[("s0", Some("d/s0/label.tif"))],
            0,
        );
        check(
            &Matches::within(files("d", &["7.jpg", "gt_7.png"])),
            &[("7", Some("d/gt_7.png"))],
            0,
        );
        // Words alone make no masks.
        check(
            &Matches::within(files("d", &["gt_1.png", "labelled.png", "mask_1.png"])),
            &[("gt_1", None), ("labelled", None), ("mask_1", None)],
            0,
        );
    }

    #[test]
    fn words_at_the_start_do_not_hinder_folders() {
        check(
            &Matches::across(
                files("i", &["img_0.jpg", "img_1.jpg", "img_2.jpg", "x.jpg"]),
                files("m", &["img_1.png", "mask_0.png", "2.png", "mask_y.png"]),
            ),
            &[
                ("0", Some("m/mask_0.png")),
                ("2", Some("m/2.png")),
                ("img_1", Some("m/img_1.png")),
                ("x", None),
            ],
            1,
        );
    }
}
