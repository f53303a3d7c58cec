use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::replace_file;
use crate::train::judge::thumbnail_path;
use crate::train::{CurveLook, RunRecord, ScoredOn, TrainError, curves_svg};

/// Pictures of one part that a page shows of a run.
const MOST_PICTURES: usize = 4;
/// Patches of the validation ground that are shown of a run that was not judged.
const MOST_STRIPS: usize = 2;
/// No thumbnail is larger.
const MOST_BYTES: u64 = 4 << 20;

/// Writes the curves of a run into `folder` and gives the file's name there; `None` before the
/// first epoch has ended.
pub(super) fn write_curves(
    record: &RunRecord,
    folder: &Path,
) -> Result<Option<PathBuf>, TrainError> {
    if record.rows.is_empty() {
        return Ok(None);
    }
    let name = PathBuf::from(format!("{}-curves.svg", record.name()));
    let svg = curves_svg(record, CurveLook::fitting(&record.rows));
    replace_file(&folder.join(&name), svg.as_bytes())?;
    Ok(Some(name))
}

/// Copies the thumbnails of a run into `folder` and gives their names there: those of the judged
/// part, else some of the validation patches.
pub(super) fn copy_pictures(
    record: &RunRecord,
    on: Option<ScoredOn>,
    folder: &Path,
) -> Result<Vec<PathBuf>, TrainError> {
    let judged = (0..MOST_PICTURES).filter_map(|number| {
        let bytes = small_file(&thumbnail_path(&record.folder, on?, number))?;
        Some((format!("{}-{number}.png", record.name()), bytes))
    });
    let mut pictures: Vec<(String, Vec<u8>)> = judged.collect();
    if pictures.is_empty() {
        let strips = record.best_pictures().into_iter().take(MOST_STRIPS);
        let named = |(at, strip): (usize, crate::train::ReportPicture)| {
            (format!("{}-{at}.png", record.name()), strip.bytes)
        };
        pictures = strips.enumerate().map(named).collect();
    }
    let mut names = Vec::new();
    for (name, bytes) in pictures {
        replace_file(&folder.join(&name), &bytes)?;
        names.push(PathBuf::from(name));
    }
    Ok(names)
}

fn small_file(path: &Path) -> Option<Vec<u8>> {
    let is_small = fs::metadata(path).ok()?.len() <= MOST_BYTES;
    is_small.then(|| fs::read(path).ok()).flatten()
}
