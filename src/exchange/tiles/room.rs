use std::fs;
use std::path::{Path, PathBuf};

use super::shapes::COCO_FILE;
use super::split::Part;
use crate::disk::ReplaceError;
use crate::exchange::ExchangeError;
use crate::label::ClassTable;

/// Fails when `stem` cannot begin a file's name.
pub(super) fn check_stem(stem: &str) -> Result<(), ExchangeError> {
    if stem.is_empty() || stem.contains(['/', '\\', '\0']) {
        return Err(ExchangeError::TilePlan {
            reason: format!("{stem:?} cannot begin a file's name; choose a plain name"),
        });
    }
    Ok(())
}

/// The classes with those that earlier cuts of other images wrote into the same folder.
///
/// # Errors
/// When one index would stand for two classes.
pub(super) fn with_those_there(
    path: &Path,
    ours: &ClassTable,
) -> Result<ClassTable, ExchangeError> {
    if !path.is_file() {
        return Ok(ours.clone());
    }
    let there = ClassTable::load(path)?;
    let mut classes = ours.classes().to_vec();
    for class in there.classes() {
        match ours.get(class.index) {
            None => classes.push(class.clone()),
            Some(known) if known.name == class.name => {}
            Some(known) => {
                return Err(ExchangeError::TilePlan {
                    reason: format!(
                        "class {} is {} here and {} in the tiles that are there already; \
                         choose another folder: {}",
                        class.index,
                        known.name,
                        class.name,
                        path.display()
                    ),
                });
            }
        }
    }
    let background = ours.background().or(there.background());
    Ok(ClassTable::new(background, classes)?)
}

/// Fails when tiles of an earlier cut of the same image are there.
pub(super) fn check_folder(folder: &Path, stem: &str) -> Result<(), ExchangeError> {
    for part in Part::ALL {
        for kind in ["images", "masks"] {
            if let Some(found) = tile_in(&folder.join(part.folder()).join(kind), stem)? {
                return Err(ExchangeError::TilePlan {
                    reason: format!(
                        "the folder has tiles of {stem:?} already; \
                         remove them or choose another folder: {}",
                        found.display()
                    ),
                });
            }
        }
    }
    Ok(())
}

/// Fails when another image's tiles have a COCO file, which cannot be added to.
pub(super) fn check_coco(folder: &Path) -> Result<(), ExchangeError> {
    let files = Part::ALL.map(|part| folder.join(part.folder()).join(COCO_FILE));
    match files.iter().find(|path| path.exists()) {
        None => Ok(()),
        Some(found) => Err(ExchangeError::TilePlan {
            reason: format!(
                "the folder has COCO annotations of another cut, which cannot be added to; \
                 choose another folder: {}",
                found.display()
            ),
        }),
    }
}

/// A file of the folder, which need not be there, that is named like a tile.
fn tile_in(folder: &Path, stem: &str) -> Result<Option<PathBuf>, ReplaceError> {
    let refused = |source| ReplaceError {
        path: folder.to_owned(),
        source,
    };
    if !folder.is_dir() {
        return Ok(None);
    }
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_tile_name(&name, stem) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether a name is `STEM_r{row}_c{col}.png`.
fn is_tile_name(name: &str, stem: &str) -> bool {
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    name.strip_prefix(stem)
        .and_then(|rest| {
            rest.strip_prefix("_r")?
                .strip_suffix(".png")?
                .split_once("_c")
        })
        .is_some_and(|(row, col)| is_number(row) && is_number(col))
}
