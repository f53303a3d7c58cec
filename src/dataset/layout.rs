use std::path::{Path, PathBuf};

use super::DatasetError;
use super::discover::NamedPairs;
use crate::raster::has_raster_ending;

/// Folder names that hold images.
pub const IMAGE_FOLDERS: [&str; 4] = ["images", "image", "imgs", "img_dir"];
/// Folder names that hold the masks of the images beside them.
pub const MASK_FOLDERS: [&str; 7] = [
    "masks",
    "groundtruth",
    "mask",
    "ground_truth",
    "labels",
    "gt",
    "ann_dir",
];

/// An image and the mask that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The image file.
    pub image: PathBuf,
    /// The mask file, on the image's grid.
    pub mask: PathBuf,
}

/// Finds image and mask pairs in `folder`: a folder `images` beside `masks` or `groundtruth`
/// (and a few other usual names), matched by file name without its extension. Where there are no
/// such folders, the pairs of all parts that [`discover`](super::discover) finds by name.
///
/// Pairs come ordered by name. The notes say in words what was left out.
///
/// # Errors
/// [`DatasetError`] when the folders are missing or nothing belongs together.
pub fn find_pairs(folder: &Path) -> Result<(Vec<Pair>, Vec<String>), DatasetError> {
    let missing = |what: &str| DatasetError::NoPairs {
        what: what.to_owned(),
        path: folder.to_owned(),
    };
    let subfolder = |names: &[&str]| {
        names
            .iter()
            .map(|name| folder.join(name))
            .find(|path| path.is_dir())
    };
    let found = match (subfolder(&IMAGE_FOLDERS), subfolder(&MASK_FOLDERS)) {
        (Some(images), Some(masks)) => NamedPairs::between(&images, &masks)?,
        (images, _) => match NamedPairs::below(folder)? {
            Some(found) => found,
            None if images.is_none() => return Err(missing("There is no folder of images")),
            None => return Err(missing("There is no folder of masks")),
        },
    };
    let mut notes: Vec<String> = found
        .doubles
        .iter()
        .map(|(path, first)| {
            format!(
                "{} is left out: {} has the same name",
                file_name(path),
                file_name(first)
            )
        })
        .collect();
    notes.extend(left_out(
        &found.lonely_images,
        "image",
        "no mask of its name",
    ));
    notes.extend(left_out(
        &found.lonely_masks,
        "mask",
        "no image of its name",
    ));
    if found.pairs.is_empty() {
        return Err(missing("No image and mask share a name"));
    }
    Ok((found.pairs, notes))
}

/// Whether a visible file of this name may be a raster.
pub(super) fn has_raster_name(path: &Path) -> bool {
    has_raster_ending(path) && !file_name(path).starts_with('.')
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn left_out(paths: &[PathBuf], kind: &str, why: &str) -> Option<String> {
    let first = file_name(paths.first()?);
    Some(match paths.len() {
        1 => format!("1 {kind} is left out, it has {why}: {first}"),
        n => format!("{n} {kind}s are left out, they have {why}; the first is {first}"),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            crate::disk::replace_file(&path, b"").expect("a file");
        }
        folder
    }

    fn names(pairs: &[Pair]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|pair| (file_name(&pair.image), file_name(&pair.mask)))
            .collect()
    }

    #[test]
    fn pairs_are_matched_by_stem_across_extensions_and_spaces() {
        let folder = folder_with(&[
            "images/b field.JPG",
            "images/a.v2.tif",
            "images/a.v2.tif.aux.xml",
            "masks/b field.png",
            "masks/a.v2.TIFF",
            "masks/classes.toml",
        ]);
        let (pairs, notes) = find_pairs(folder.path()).expect("pairs");
        let expected = [("a.v2.tif", "a.v2.TIFF"), ("b field.JPG", "b field.png")];
        assert_eq!(
            names(&pairs),
            expected.map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn what_has_no_partner_is_said() {
        let folder = folder_with(&[
            "images/1.png",
            "images/2.png",
            "images/3.png",
            "images/3.tif",
            "groundtruth/3.png",
            "groundtruth/4.png",
        ]);
        let (pairs, notes) = find_pairs(folder.path()).expect("pairs");
        assert_eq!(names(&pairs), [("3.png".to_owned(), "3.png".to_owned())]);
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(
            notes
                .iter()
                .any(|note| note.contains("2 images are left out")),
            "{notes:?}"
        );
        assert!(notes.iter().any(|note| note.contains("4.png")), "{notes:?}");
    }

    #[test]
    fn deeper_trees_are_searched_where_there_are_no_such_folders() {
        let folder = folder_with(&[
            "train/2_sat.jpg",
            "train/2_mask.png",
            "valid/3_sat.jpg",
            "class_dict.csv",
        ]);
        let (pairs, notes) = find_pairs(folder.path()).expect("pairs");
        assert_eq!(
            names(&pairs),
            [("2_sat.jpg".to_owned(), "2_mask.png".to_owned())]
        );
        assert_eq!(notes.len(), 1, "{notes:?}");
        let several = folder_with(&["a/images/1.png", "b/x.jpg", "b/x_L.png"]);
        assert!(find_pairs(several.path()).is_ok(), "only one has pairs");
    }

    #[test]
    fn a_folder_without_pairs_is_an_error_that_names_it() {
        for files in [
            &["images/1.png"][..],
            &["images/1.png", "masks/2.png"],
            &["masks/1.png"],
        ] {
            let folder = folder_with(files);
            let error = find_pairs(folder.path()).expect_err("no pairs").to_string();
            assert!(
                error.ends_with(&folder.path().display().to_string()),
                "{error}"
            );
        }
    }
}
