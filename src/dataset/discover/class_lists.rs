use std::collections::BTreeSet;
use std::path::Path;

use super::tree::{Folder, Tree};
use crate::exchange::{find_table, read_class_list};
use crate::label::{ClassTable, FoundTable, MaskError, TableOrigin};

/// Names of lists of classes; the first that is there and can be read counts.
const LISTS: [&str; 9] = [
    "classes.toml",
    "class_dict.csv",
    "label_colors.txt",
    "classes.csv",
    "labelmap.txt",
    "label_map.txt",
    "classes.txt",
    "class_names.txt",
    "labels.txt",
];

/// The classes of a data set and what could not be read: from a list in its folder, else from
/// where any mask file's classes are looked for.
pub(super) fn find_list(
    folder: Option<&Folder>,
    mask: Option<&Path>,
) -> (Option<FoundTable>, Vec<String>) {
    let mut notes = Vec::new();
    let lists = LISTS.iter().filter_map(|name| {
        let folder = folder?;
        let own = folder.others.iter().find(|own| is_named(own, name))?;
        Some(folder.path.join(own))
    });
    for path in lists {
        match read_list(&path) {
            Ok(classes) => {
                let origin = TableOrigin::List(path);
                return (Some(FoundTable { classes, origin }), notes);
            }
            Err(error) => notes.push(error.to_string()),
        }
    }
    let beside = mask.map(|mask| find_table(mask, None)).transpose();
    match beside {
        Ok(found) => (found.flatten(), notes),
        Err(error) => {
            notes.push(error.to_string());
            (None, notes)
        }
    }
}

/// Whether a list says neither colors nor indices, so that it tells nothing of masks in colors.
pub(super) fn is_names_alone(found: &FoundTable) -> bool {
    let TableOrigin::List(path) = &found.origin else {
        return false;
    };
    let mut classes = found.classes.classes().iter();
    let is_text = path.extension().is_some_and(|ending| ending == "txt");
    is_text && classes.all(|class| class.codes.is_empty())
}

/// A list of classes of any kind.
pub(super) fn read_list(path: &Path) -> Result<ClassTable, MaskError> {
    if path.extension().is_some_and(|ending| ending == "toml") {
        ClassTable::load(path)
    } else {
        read_class_list(path)
    }
}

/// The folders that have a list of classes, as steps from the root joined by `/`.
pub(super) fn folders_with_lists(tree: &Tree) -> BTreeSet<String> {
    let has_list = |folder: &&Folder| {
        let mut files = folder.others.iter();
        files.any(|file| LISTS.iter().any(|name| is_named(file, name)))
    };
    let folders = tree.folders.iter().filter(has_list);
    folders.map(|folder| folder.steps.join("/")).collect()
}

fn is_named(file: &std::ffi::OsStr, name: &str) -> bool {
    file.to_string_lossy().eq_ignore_ascii_case(name)
}
