use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bounded::read_bounded;
use super::class_rows::{confusion_csv, parse_per_class, per_class_csv, with_epoch};
use super::{CurveLook, ReportPicture, RunRecord, curves_svg, report_html, report_markdown};
use crate::disk::{ReplaceError, replace_file};
use crate::label::ClassTable;
use crate::metrics::{Confusion, Scores};
use crate::train::TrainError;

/// Name of the table of classes by epoch in a run folder.
pub(super) const PER_CLASS_FILE: &str = "per_class.csv";
/// Name of the report that people read as text.
pub(in crate::train) const REPORT_FILE: &str = "report.md";
/// No table this program writes is larger.
pub(super) const MOST_TABLE_BYTES: u64 = 32 << 20;

/// Which ground scores come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoredOn {
    /// The held-out ground by which the best epoch was chosen.
    Validation,
    /// Ground that nothing was chosen by.
    Test,
}

impl ScoredOn {
    /// How tables call it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Validation => "validation, selected on it",
            Self::Test => "test",
        }
    }

    pub(super) const fn file_name(self) -> &'static str {
        match self {
            Self::Validation => "scores-validation.json",
            Self::Test => "scores-test.json",
        }
    }
}

/// All scores of a run's best network on one ground.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinalScores {
    /// Which ground.
    pub on: ScoredOn,
    /// The epoch the network is of, from 1.
    pub epoch: u32,
    /// The scores.
    pub scores: Scores,
}

impl FinalScores {
    /// Writes `scores-validation.json` or `scores-test.json` into the run folder.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let mut text = serde_json::to_string_pretty(self).expect("plain numbers become JSON");
        text.push('\n');
        let path = folder.join(self.on.file_name());
        Ok(replace_file(&path, text.as_bytes())?)
    }
}

/// What the held-out ground said after an epoch.
#[derive(Clone, Copy, Debug)]
pub struct EpochFiles<'a> {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Whether it is the best so far.
    pub is_best: bool,
    /// The counts.
    pub confusion: &'a Confusion,
    /// The run's classes.
    pub classes: &'a ClassTable,
}

/// Writes what an epoch adds to the run folder: its rows in `per_class.csv` (rows of this and of
/// later epochs are replaced, so that an epoch may be done again), and when it is the best one
/// `confusion.csv` and `scores-validation.json`. Each file is written whole or not at all.
///
/// # Errors
/// When the disk refuses. A `per_class.csv` that cannot be read is begun anew.
pub fn write_run_files(folder: &Path, files: &EpochFiles) -> Result<(), TrainError> {
    let scores = Scores::new(files.confusion, files.classes);
    let path = folder.join(PER_CLASS_FILE);
    let before = match read_bounded(&path, MOST_TABLE_BYTES) {
        Ok(bytes) => parse_per_class(&bytes).0,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::debug!("A table is begun anew ({error}): {}", path.display());
            }
            Vec::new()
        }
    };
    let rows = with_epoch(before, files.epoch, &scores);
    replace_file(&path, per_class_csv(&rows).as_bytes())?;
    if files.is_best {
        let counts = confusion_csv(files.confusion, files.classes);
        replace_file(&folder.join("confusion.csv"), counts.as_bytes())?;
        let best = FinalScores {
            on: ScoredOn::Validation,
            epoch: files.epoch,
            scores,
        };
        best.save(folder)?;
    }
    Ok(())
}

/// Writes `report.md`, `report.html` and `curves.svg` of the run in `folder` from its files, with
/// `pictures`, or with the strips in `samples` when there are none.
///
/// # Errors
/// [`TrainError::NoRun`] when the folder holds no run, or the disk refuses.
pub fn write_report(folder: &Path, pictures: &[ReportPicture]) -> Result<(), TrainError> {
    let record = RunRecord::load(folder)?;
    let own = if pictures.is_empty() {
        record.best_pictures()
    } else {
        Vec::new()
    };
    let pictures = if pictures.is_empty() { &own } else { pictures };
    let write = |name: &str, text: String| -> Result<(), ReplaceError> {
        replace_file(&folder.join(name), text.as_bytes())
    };
    let look = CurveLook::fitting(&record.rows);
    write("curves.svg", curves_svg(&record, look))?;
    write(REPORT_FILE, report_markdown(&record, pictures))?;
    Ok(write("report.html", report_html(&record, pictures))?)
}

#[cfg(test)]
mod tests {
    use super::super::test_run::plain_run;
    use super::super::{Patch, write_strip};
    use super::*;
    use crate::geom::ImageSize;

    #[test]
    fn the_confusion_is_that_of_the_best_epoch() {
        let folder = tempfile::tempdir().expect("a folder");
        let classes = ClassTable::road();
        let write = |epoch, is_best, pixels| {
            let mut confusion = Confusion::new(2);
            confusion.add_many(0, 0, pixels);
            let (confusion, classes) = (&confusion, &classes);
            let files = EpochFiles {
                epoch,
                is_best,
                confusion,
                classes,
            };
            write_run_files(folder.path(), &files).expect("written");
        };
        write(1, true, 5);
        write(2, true, 7);
        write(3, false, 9);
        let read = |name: &str| {
            std::fs::read_to_string(folder.path().join(name)).expect("written by an epoch")
        };
        assert!(read("confusion.csv").contains(",7,0,0\n"));
        let best: FinalScores =
            serde_json::from_str(&read("scores-validation.json")).expect("ours");
        assert_eq!((best.epoch, best.scores.pixels), (2, 7));
        let rows = parse_per_class(read(PER_CLASS_FILE).as_bytes()).0;
        let supports: Vec<_> = rows
            .iter()
            .map(|row| (row.epoch, row.scores.support))
            .collect();
        assert_eq!(supports, [(1, 5), (1, 0), (2, 7), (2, 0), (3, 9), (3, 0)]);
    }

    #[test]
    fn a_report_shows_the_strips_of_the_run() {
        let run = plain_run();
        let patch = Patch {
            size: ImageSize::new(1, 1),
            image: &[9, 9, 9, 255],
            labels: &[0],
            prediction: &[1],
        };
        write_strip(run.path(), (0, 2), &patch, &ClassTable::road()).expect("written");
        write_report(run.path(), &[]).expect("written");
        let read = |name: &str| std::fs::read_to_string(run.path().join(name)).expect("written");
        assert!(read("report.html").contains("<img src=\"data:image/png;base64,iVBORw0KGgo"));
        assert!(read("report.md").contains("](<samples/sample-00-epoch-00002.png>)"));
        assert!(read("curves.svg").contains("best: 2"));
        assert!(write_report(&run.path().join("none"), &[]).is_err());
    }
}
