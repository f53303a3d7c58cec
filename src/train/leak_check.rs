use std::fs;
use std::path::Path;

use super::TrainError;
use crate::dataset::leaks::{LeakLimits, LeakReport};
use crate::dataset::{Ground, PatchSource, Watch};

/// Name of the file in a run folder that says what its parts share.
pub(super) const LEAKS_FILE: &str = "leaks.json";
/// Pixels that are read to find leaks before a training: about nine seconds of one core.
const MOST_PIXELS: u64 = 256 << 20;

/// What the parts of a data set share and should not; `None` for one image, whose blocks are kept
/// apart by a margin.
pub(super) fn leaks_of(
    patches: &PatchSource,
    watch: &Watch<'_>,
) -> Result<Option<LeakReport>, TrainError> {
    let Ground::Files(files) = patches.ground() else {
        return Ok(None);
    };
    let limits = LeakLimits {
        pixels: MOST_PIXELS,
        ..LeakLimits::default()
    };
    Ok(Some(patches.split().leaks(files, limits, watch)?))
}

/// What was found when the run in `folder` began; `None` when nothing was kept.
pub(super) fn kept_leaks(folder: &Path) -> Option<LeakReport> {
    let text = fs::read_to_string(folder.join(LEAKS_FILE)).ok()?;
    serde_json::from_str(&text).ok()
}

/// The report as warnings.
pub(super) fn leak_notes(report: &LeakReport) -> Vec<String> {
    let leaks = report.leaks.iter();
    let warning = |sentence: &String| format!("The parts are not apart: {sentence}");
    let warnings = leaks.map(|leak| warning(&leak.sentence));
    warnings.chain(report.notes.iter().cloned()).collect()
}
