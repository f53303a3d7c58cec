use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::pairing::RootFiles;
use super::tree::Folder;
use crate::exchange::Part;
use crate::label::count_of;

/// Endings of files that usually lie beside rasters and are no matter of concern.
const USUAL_ENDINGS: [&str; 16] = [
    "txt", "csv", "toml", "json", "xml", "tfw", "pgw", "jgw", "wld", "prj", "md", "db", "geojson",
    "pdf", "ovr", "qml",
];

/// Endings of pictures and arrays of kinds that are not read.
const UNREAD_ENDINGS: [&str; 20] = [
    "gif", "bmp", "tga", "ppm", "pgm", "pbm", "pnm", "heic", "heif", "avif", "jxl", "exr", "psd",
    "npy", "npz", "mat", "ecw", "sid", "dds", "svg",
];

/// The ending of a file in lower case.
fn ending_of(path: &Path) -> Option<String> {
    let ending = path.extension()?;
    Some(ending.to_string_lossy().to_lowercase())
}

/// What there is to say about pictures of kinds that are not read.
pub(super) fn unread_note<'f>(folders: impl Iterator<Item = &'f Folder>) -> Option<String> {
    let files = folders.flat_map(|folder| folder.others.iter().map(Path::new));
    let unread = |path: &&Path| {
        ending_of(path).is_some_and(|ending| UNREAD_ENDINGS.contains(&ending.as_str()))
    };
    let files: Vec<&Path> = files.filter(unread).collect();
    let endings: BTreeSet<String> = files.iter().filter_map(|path| ending_of(path)).collect();
    let endings: Vec<String> = endings.iter().map(|ending| format!(".{ending}")).collect();
    let endings = endings.join(", ");
    let what = format!(" of a kind that is not read ({endings}), to be converted to PNG or TIFF");
    (!files.is_empty()).then(|| counted(&files, "file", &what))
}

/// What there is to say about images and masks that did not find each other.
pub(super) fn pairing_notes(files: &RootFiles) -> Vec<String> {
    let mut notes = Vec::new();
    let has_pairs = files.num_pairs() > 0;
    for part in [
        None,
        Some(Part::Train),
        Some(Part::Validation),
        Some(Part::Test),
    ] {
        let of_part = || files.found.iter().filter(move |found| found.part == part);
        let lonely: Vec<&Path> = of_part()
            .filter(|found| found.file.mask.is_none())
            .map(|found| found.file.image.as_path())
            .collect();
        if !has_pairs || lonely.is_empty() {
            continue;
        }
        let name = part.map(|part| format!(" for {}", part.folder()));
        let name = name.unwrap_or_default();
        notes.push(if lonely.len() == of_part().count() {
            match lonely.len() {
                1 => format!("The only image{name} has no mask"),
                n => format!("None of the {} has a mask", count_of(n, "image") + &name),
            }
        } else {
            counted(&lonely, "image", &format!("{name} without a mask"))
        });
    }
    let masks: Vec<&Path> = files.lonely_masks.iter().map(PathBuf::as_path).collect();
    if !masks.is_empty() {
        notes.push(counted(&masks, "mask", " without an image"));
    }
    let doubles: Vec<&Path> = files
        .doubles
        .iter()
        .map(|(path, _)| path.as_path())
        .collect();
    if !doubles.is_empty() {
        let what = " left out, since others have the same name but for the ending";
        notes.push(counted(&doubles, "file", what));
    }
    for (files, kind, what) in [
        (
            &files.left_out,
            "image",
            " left out, since no image in the same folder has a mask",
        ),
        (
            &files.unnamed,
            "file",
            " left out, since their names are as was stated of neither images nor masks",
        ),
    ] {
        let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        if !files.is_empty() {
            notes.push(counted(&files, kind, what));
        }
    }
    notes
}

fn counted(paths: &[&Path], kind: &str, what: &str) -> String {
    let first = paths.first().copied().unwrap_or(Path::new(""));
    // From the folder on that all lie in.
    let is_shared = |folder: &&Path| paths.iter().all(|path| path.starts_with(folder));
    let shared = first.ancestors().skip(1).find(is_shared);
    let named = shared.and_then(|folder| first.strip_prefix(folder).ok());
    let first = named.unwrap_or(first).display();
    let link = if paths.len() == 1 {
        ":"
    } else {
        "; the first is"
    };
    format!("{}{what}{link} {first}", count_of(paths.len(), kind))
}

/// What there is to say about files that are no rasters in the folders of images and masks.
pub(super) fn foreign_note<'f>(folders: impl Iterator<Item = &'f Folder>) -> Option<String> {
    let files = folders
        .filter(|folder| !folder.rasters.is_empty())
        .flat_map(|folder| folder.others.iter().map(PathBuf::from));
    let foreign: Vec<PathBuf> = files
        .filter(|path| {
            !ending_of(path).is_some_and(|ending| {
                let ending = ending.as_str();
                USUAL_ENDINGS.contains(&ending) || UNREAD_ENDINGS.contains(&ending)
            })
        })
        .collect();
    let foreign: Vec<&Path> = foreign.iter().map(PathBuf::as_path).collect();
    (!foreign.is_empty()).then(|| counted(&foreign, "file", " that cannot be read as images"))
}

/// Names the data sets of a folder that holds several.
pub(super) fn several_why(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(8).map(String::as_str).collect();
    let more = match names.len() - first.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    format!(
        "{} folders with images and masks that differ in form: {}{more}; choose one",
        names.len(),
        first.join(", ")
    )
}

/// What there is to say about folders that are left out.
pub(super) fn left_out_note(others: &[String], images: usize) -> Option<String> {
    let first = others.iter().find(|other| !other.is_empty())?;
    let more = match others.len() {
        1 => String::new(),
        count => format!(" and {} more folders", count - 1),
    };
    (images > 0).then(|| {
        format!(
            "{images} images in {first}{more} are left out: they have no masks, or are another \
             data set"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_is_named_with_its_folder_where_others_lie_elsewhere() {
        let told = |paths: &[&str]| {
            let paths: Vec<&Path> = paths.iter().map(|path| Path::new(*path)).collect();
            counted(&paths, "image", " without a mask")
        };
        assert_eq!(told(&["set/a/0.png"]), "1 image without a mask: 0.png");
        let words = "2 images without a mask; the first is 0.png";
        assert_eq!(told(&["set/a/0.png", "set/a/1.png"]), words);
        let words = "2 images without a mask; the first is a/images/0.png";
        assert_eq!(told(&["set/a/images/0.png", "set/b/images/0.png"]), words);
    }
}
