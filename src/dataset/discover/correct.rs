use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::builtin::Known;
use super::class_lists::read_list;
use super::find::{discover_between, discover_named, split_ignored};
use super::suffixes::Suffixes;
use super::{Discovery, OffPalette};
use crate::dataset::DatasetError;
use crate::label::{Encoding, is_void_name};

/// What a person says of a data set where what was recognized is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Corrections {
    /// How the pixels of masks stand for classes; as recognized when it is `auto`.
    pub encoding: Encoding,
    /// The least grey of 8 bits that is bright in black and white masks, which the masks are then,
    /// unless another encoding is stated; the middle when missing.
    pub threshold: Option<u8>,
    /// The list of classes (`classes.toml`, `class_dict.csv` or `label_colors.txt`, by any name),
    /// absolute; those that were recognized when missing.
    pub classes: Option<PathBuf>,
    /// The indices of the classes whose pixels count as unlabeled, of none when it is empty; those
    /// that were recognized when missing.
    pub ignored: Option<Vec<u8>>,
    /// What becomes of colors and numbers that are exactly no class's; as recognized when missing.
    pub off_palette: Option<OffPalette>,
    /// The folder with the images, absolute; what was recognized when missing.
    pub images: Option<PathBuf>,
    /// The folder with their masks, absolute; what was recognized when missing.
    pub masks: Option<PathBuf>,
    /// What the names of images end with, before the ending of the file (`_sat`) or with it
    /// (`_sat.jpg`), or what they are like, with one `*` for what differs from sample to sample and
    /// with folders or without (`img_*`, `*/image.tif`); as recognized when missing. Where it is
    /// stated, names alone tell images and masks apart, and not what their folders are called.
    pub image_suffix: Option<String>,
    /// The same of the names of masks.
    pub mask_suffix: Option<String>,
    /// Whether areas of pure white or black where an image seems cut off are nodata: labels there
    /// are neither learned from nor judged.
    pub voids_are_nodata: bool,
}

impl Corrections {
    /// Whether nothing is corrected.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// As [`discover`](super::discover), with what a person says of it. With a folder of images or of masks, all images
/// below the one are paired with the masks below the other by their names, and parts come from
/// lists alone.
///
/// # Errors
/// As for [`discover`](super::discover), when one of the folders or the list of classes cannot be
/// read, and [`DatasetError::Correction`] when what is said does not fit the data set.
pub fn discover_corrected(
    folder: &Path,
    corrections: &Corrections,
) -> Result<Discovery, DatasetError> {
    let (image, mask) = (&corrections.image_suffix, &corrections.mask_suffix);
    let suffixes = Suffixes::stated(image.as_deref(), mask.as_deref(), folder)?;
    let mut found = match (&corrections.images, &corrections.masks) {
        (None, None) => discover_named(folder, suffixes)?,
        (images, masks) => {
            let images = images.as_deref().unwrap_or(folder);
            let masks = masks.as_deref().unwrap_or(folder);
            discover_between(folder, (images, masks), suffixes)?
        }
    };
    if suffixes.are_stated() {
        let note = "Images and masks are told apart by their names, as was stated";
        found.notes.push(note.to_owned());
    }
    if !found.datasets.is_empty() {
        // One of them has to be chosen before anything can be said of it.
        return Ok(found);
    }
    found.corrected(corrections)
}

impl Discovery {
    /// What was recognized, with encoding, threshold, classes and voids corrected.
    fn corrected(mut self, corrections: &Corrections) -> Result<Self, DatasetError> {
        let (form, why) = match (corrections.encoding, corrections.threshold) {
            (Encoding::Auto, Some(_)) => (Encoding::Binary, "A threshold was stated"),
            (form, _) => (form, "The encoding was stated"),
        };
        if form != Encoding::Auto && form != self.encoding.form {
            self.encoding.form = form;
            why.clone_into(&mut self.encoding.why);
            if self.are_classes_made {
                // They were made for another encoding.
                let two = || Known::two("background", "foreground").classes;
                self.classes = (form == Encoding::Binary).then(two);
                self.are_classes_made = form != Encoding::Binary;
            }
        }
        if let Some(threshold) = corrections.threshold.filter(|_| form == Encoding::Binary) {
            self.encoding.threshold = threshold;
            self.notes.push(format!(
                "Greys of masks from {threshold} on count as white, as was stated"
            ));
        }
        if let Some(path) = &corrections.classes {
            let classes = read_list(path)?;
            let mut named = classes.classes().iter();
            let ignored = named.find(|class| is_void_name(&class.name));
            let ignored = ignored.map(|class| class.index);
            (self.classes, self.ignored) = split_ignored(Known { classes, ignored });
            self.are_classes_made = false;
        }
        if let Some(ignored) = &corrections.ignored {
            self = self.ignoring(ignored)?;
        }
        if let Some(off_palette) = corrections.off_palette {
            self = self.with_off_palette(off_palette)?;
        }
        if corrections.voids_are_nodata {
            self.are_voids_nodata = true;
            let note = "Labels do not count in areas of exactly white or black that reach the edge \
                        of an image";
            self.notes.push(note.to_owned());
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::discover;
    use crate::dataset::discover::test_folders::{Kind, image, png, write};
    use crate::disk::replace_file;
    use crate::geom::ImageSize;
    use crate::label::{ClassTable, Mask, SaveAs, save_mask};

    fn found(value: u8) -> (tempfile::TempDir, Discovery) {
        let folder = tempfile::tempdir().expect("a folder");
        let (size, table) = (ImageSize::new(4, 4), ClassTable::from_values(0..=254));
        for kind in ["images", "masks"] {
            let path = folder.path().join(kind).join("a.png");
            let mask = Mask::filled(size, value);
            save_mask(&path, &mask, &table, None, SaveAs::IndexPng).expect("saved");
        }
        let discovery = discover(folder.path()).expect("pairs");
        (folder, discovery)
    }

    #[test]
    fn a_stated_encoding_is_used_with_classes_that_fit_it() {
        let (_folder, discovery) = found(200);
        assert!(discovery.are_classes_made);
        let corrections = Corrections {
            encoding: Encoding::Binary,
            ..Corrections::default()
        };
        let corrected = discovery.corrected(&corrections).expect("corrected");
        let classes = corrected.classes.as_ref().expect("classes");
        assert_eq!(classes.classes().len(), 2);
        let (mask, _) = corrected.samples[0].load_mask(&corrected).expect("a mask");
        assert_eq!(mask.histogram()[1], 16);
    }

    /// A data set of one image with a mask of four greys.
    fn greys(pixels: [u8; 4]) -> (tempfile::TempDir, Discovery) {
        let folder = tempfile::tempdir().expect("a folder");
        image(folder.path(), "images/a.png", 2, 1);
        png(folder.path(), "masks/a.png", Kind::Grey, 2, &pixels);
        let discovery = discover(folder.path()).expect("pairs");
        (folder, discovery)
    }

    #[track_caller]
    fn check_split(discovery: &Discovery, threshold: u8, expected: [u8; 4]) {
        let corrections = Corrections {
            threshold: Some(threshold),
            ..Corrections::default()
        };
        let corrected = discovery.clone().corrected(&corrections);
        let corrected = corrected.expect("corrected");
        assert_eq!(corrected.encoding.form, Encoding::Binary);
        let (mask, _) = corrected.samples[0].load_mask(&corrected).expect("a mask");
        assert_eq!(mask.read_rect(mask.size().bounds()), expected);
        let words = format!("from {threshold} on count as white");
        let is_told = corrected.notes.iter().any(|note| note.contains(&words));
        assert!(is_told, "{:?}", corrected.notes);
    }

    #[test]
    fn a_stated_threshold_splits_black_and_white() {
        let (folder, discovery) = greys([0, 100, 200, 255]);
        let (mask, _) = discovery.samples[0].load_mask(&discovery).expect("a mask");
        assert_eq!(mask.read_rect(mask.size().bounds()), [0, 0, 1, 1]);
        check_split(&discovery, 100, [0, 1, 1, 1]);
        check_split(&discovery, 101, [0, 0, 1, 1]);
        check_split(&discovery, 255, [0, 0, 0, 1]);
        // Colors that JPEG left of black and white are split by their mean.
        let colors = [[8, 2, 2], [90, 100, 119], [90, 100, 101], [250, 255, 255]];
        let mask = "masks/a.png";
        png(folder.path(), mask, Kind::Rgb, 2, colors.as_flattened());
        check_split(&discovery, 100, [0, 1, 0, 1]);
        // Samples of 16 bits in proportion.
        let wide = [0, 0, 100, 0, 99, 255, 255, 255];
        png(folder.path(), mask, Kind::Wide, 2, &wide);
        check_split(&discovery, 100, [0, 1, 0, 1]);
    }

    #[test]
    fn a_stated_threshold_makes_indices_black_and_white_and_heeds_what_white_stands_for() {
        let (folder, discovery) = greys([0, 3, 9, 12]);
        assert_eq!(discovery.encoding.form, Encoding::Index);
        check_split(&discovery, 9, [0, 0, 1, 1]);
        let list = b"name,r,g,b\nroad,255,255,255\nrest,0,0,0\n";
        write(folder.path(), "class_dict.csv", list);
        let listed = discover(folder.path()).expect("pairs");
        check_split(&listed, 9, [1, 1, 0, 0]);
        // Another encoding that is stated as well counts.
        let corrections = Corrections {
            encoding: Encoding::Index,
            threshold: Some(9),
            ..Corrections::default()
        };
        let corrected = discovery.corrected(&corrections).expect("corrected");
        assert_eq!(corrected.encoding.form, Encoding::Index);
        let text = serde_json::to_string(&corrections).expect("JSON");
        assert_eq!(serde_json::from_str(&text).ok(), Some(corrections));
        assert_eq!(
            serde_json::from_str(r#"{"voids_are_nodata":false}"#).ok(),
            Some(Corrections::default())
        );
    }

    #[test]
    fn a_stated_list_of_classes_replaces_what_was_recognized() {
        let (folder, discovery) = found(2);
        let list = folder.path().join("my.csv");
        let text = b"name,r,g,b\nfield,1,2,3\nwood,4,5,6\nvoid,0,0,0\n";
        replace_file(&list, text).expect("a list");
        let corrections = Corrections {
            classes: Some(list),
            ..Corrections::default()
        };
        let corrected = discovery.corrected(&corrections).expect("corrected");
        let classes = corrected.classes.as_ref().expect("classes");
        let names: Vec<&str> = classes
            .classes()
            .iter()
            .map(|class| class.name.as_str())
            .collect();
        assert_eq!(names, ["field", "wood"]);
        // Class 2 is the void one: nothing is labelled.
        let (mask, _) = corrected.samples[0].load_mask(&corrected).expect("a mask");
        assert_eq!(mask.histogram()[2], 0);
        let missing = Corrections {
            classes: Some(folder.path().join("none.toml")),
            ..Corrections::default()
        };
        assert!(corrected.corrected(&missing).is_err());
    }

    #[test]
    fn folders_that_no_name_tells_apart_are_paired_when_they_are_stated() {
        let folder = tempfile::tempdir().expect("a folder");
        let (size, table) = (ImageSize::new(4, 4), ClassTable::from_values(0..3));
        for (place, value) in [
            ("left/a", 0),
            ("left/sub/b", 0),
            ("left/right/a", 1),
            ("left/right/b", 2),
        ] {
            let path = folder.path().join(format!("{place}.png"));
            let mask = Mask::filled(size, value);
            save_mask(&path, &mask, &table, None, SaveAs::IndexPng).expect("saved");
        }
        let corrections = Corrections {
            images: Some(folder.path().join("left")),
            masks: Some(folder.path().join("left/right")),
            ..Corrections::default()
        };
        let found = discover_corrected(folder.path(), &corrections).expect("pairs");
        let read = |at: usize| {
            found.samples[at]
                .load_mask(&found)
                .expect("a mask")
                .0
                .get(0, 0)
        };
        assert_eq!(found.samples.len(), 2);
        assert_eq!([read(0), read(1)], [1, 2]);
        assert_eq!(found.folder, folder.path());
        assert!(found.layout.why.contains("left/right/"), "{}", found.layout);
        let gone = Corrections {
            masks: Some(folder.path().join("none")),
            ..corrections
        };
        assert!(discover_corrected(folder.path(), &gone).is_err());
    }
}
