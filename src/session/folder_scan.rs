use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{EntryStatus, ImageEntry, ImageList, ScoredGround};
use crate::dataset::{IMAGE_FOLDERS, MASK_FOLDERS, MaskSource, Sample, discover};
use crate::label::ClassTable;
use crate::raster::{RASTER_EXTENSIONS, has_raster_ending};

/// What stands behind an image's stem in the name of its mask.
const MASK_ENDINGS: [&str; 6] = ["_label", "_mask", "_labels", "_L", "_m", "_gt"];

/// The images of a folder with their masks: those in it or in its `images`, else those of the data
/// set that lies below it in any usual arrangement.
///
/// # Errors
/// When there is none.
pub(super) fn scan_folder(folder: &Path) -> anyhow::Result<ImageList> {
    let images = folder.join("images");
    let root = if images.is_dir() {
        images
    } else {
        folder.to_owned()
    };
    let mut entries = Vec::new();
    for image in images_in(&root)? {
        let mask = companion_label(&image);
        entries.push(ImageEntry {
            image,
            mask,
            status: EntryStatus::New,
            unsaved: None,
            score: None,
            ground: ScoredGround::default(),
            thumbnail: None,
        });
    }
    let mut classes = None;
    if entries.is_empty() {
        (entries, classes) = of_data_set(folder)?;
    }
    Ok(ImageList {
        folder: folder.to_owned(),
        entries,
        current: None,
        classes: classes.map(Arc::new),
        told: HashSet::new(),
    })
}

/// The images below a folder that holds none itself, and their classes where they are said.
fn of_data_set(folder: &Path) -> anyhow::Result<(Vec<ImageEntry>, Option<ClassTable>)> {
    let found = discover(folder).ok();
    let Some(found) = found.filter(|found| !found.samples.is_empty()) else {
        anyhow::bail!(
            "No images (.tif, .png, .jpg) lie in this folder. Open a folder that holds images, one \
             with `images` and `masks` inside, or a data set: {}",
            folder.display()
        );
    };
    let classes = found.all_classes().filter(|_| !found.are_classes_made);
    let entry = |sample: Sample| ImageEntry {
        image: sample.image,
        mask: match sample.mask {
            Some(MaskSource::File(mask)) => Some(mask),
            Some(MaskSource::Rle { .. }) | None => None,
        },
        status: EntryStatus::New,
        unsaved: None,
        score: None,
        ground: ScoredGround::default(),
        thumbnail: None,
    };
    Ok((found.samples.into_iter().map(entry).collect(), classes))
}

/// The images of a folder by name; masks that lie beside their image are none.
///
/// # Errors
/// When the folder cannot be read.
pub fn images_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && has_raster_ending(&path) {
            files.push(path);
        }
    }
    files.sort();
    let masks: HashSet<PathBuf> = files
        .iter()
        .filter_map(|image| companion_label(image))
        .collect();
    files.retain(|image| !masks.contains(image));
    Ok(files)
}

/// The label that belongs to an image by its name: `masks/STEM.*` or `groundtruth/STEM.*` beside a
/// folder `images`, `STEM_label.*`, `STEM_mask.*` and their like beside the image, or `label.tif`
/// beside `ortho.tif` as in the sample project.
pub fn companion_label(image: &Path) -> Option<PathBuf> {
    let folder = image.parent()?;
    let stem = image.file_stem()?.to_string_lossy().into_owned();
    let name = folder.file_name().map(|name| name.to_string_lossy());
    if name.is_some_and(|name| IMAGE_FOLDERS.contains(&&*name)) {
        let beside = folder.parent()?;
        let found = MASK_FOLDERS
            .iter()
            .find_map(|name| with_stem(&beside.join(name), &stem));
        if found.is_some() {
            return found;
        }
    }
    let base = stem.strip_suffix("_sat").unwrap_or(&stem);
    let found = MASK_ENDINGS
        .iter()
        .find_map(|ending| with_stem(folder, &format!("{base}{ending}")));
    let sample = folder.join("label.tif");
    found.or_else(|| (stem == "ortho" && sample.is_file()).then_some(sample))
}

fn with_stem(folder: &Path, stem: &str) -> Option<PathBuf> {
    RASTER_EXTENSIONS
        .iter()
        .map(|ending| folder.join(format!("{stem}.{ending}")))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;
    use crate::label::{Mask, SaveAs, save_mask};

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            crate::disk::replace_file(&folder.path().join(file), b"").expect("written");
        }
        folder
    }

    #[track_caller]
    fn check_companion(files: &[&str], image: &str, expected: Option<&str>) {
        let folder = folder_with(files);
        let found = companion_label(&folder.path().join(image));
        assert_eq!(found, expected.map(|name| folder.path().join(name)));
    }

    #[test]
    fn labels_are_found_by_name() {
        check_companion(
            &["images/a.tif", "masks/a.png"],
            "images/a.tif",
            Some("masks/a.png"),
        );
        check_companion(
            &["images/s 1.png", "groundtruth/s 1.png"],
            "images/s 1.png",
            Some("groundtruth/s 1.png"),
        );
        check_companion(&["a.jpg", "a_mask.png"], "a.jpg", Some("a_mask.png"));
        check_companion(
            &["7_sat.jpg", "7_mask.png"],
            "7_sat.jpg",
            Some("7_mask.png"),
        );
        check_companion(&["ortho.tif", "label.tif"], "ortho.tif", Some("label.tif"));
        check_companion(&["a.jpg", "b_mask.png"], "a.jpg", None);
    }

    #[test]
    fn masks_are_not_listed_as_images() {
        let folder = folder_with(&["b.png", "b_mask.png", "a.jpg", "notes.txt"]);
        let list = scan_folder(folder.path()).expect("images");
        let names: Vec<_> = list
            .entries
            .iter()
            .map(|entry| entry.image.file_name().expect("a name"))
            .collect();
        assert_eq!(names, ["a.jpg", "b.png"]);
    }

    #[test]
    fn a_data_set_is_listed_where_a_folder_holds_no_image_itself() {
        let names = [
            "train/a.png",
            "trainannot/a.png",
            "val/b.png",
            "valannot/b.png",
        ];
        let folder = tempfile::tempdir().expect("a folder");
        let table = ClassTable::from_values(0..3);
        for name in names {
            let mask = Mask::filled(ImageSize::new(4, 4), 1);
            save_mask(
                &folder.path().join(name),
                &mask,
                &table,
                None,
                SaveAs::IndexPng,
            )
            .expect("saved");
        }
        let list = scan_folder(folder.path()).expect("images");
        let entries = list.entries.into_iter();
        let pairs: Vec<_> = entries.map(|entry| (entry.image, entry.mask)).collect();
        let path = |name: &str| folder.path().join(name);
        assert_eq!(
            pairs,
            [0, 2].map(|at| (path(names[at]), Some(path(names[at + 1]))))
        );
        assert!(scan_folder(&folder_with(&["notes.txt"]).path().join(".")).is_err());
    }
}
