use std::path::Path;

use serde::{Deserialize, Serialize};

use super::RunRecord;
use crate::disk::replace_file;
use crate::train::{StopReason, TrainError, TrainStatus};

/// Name of the file in a run folder.
pub(in crate::train) const END_FILE: &str = "end.json";

/// How a training ended. A run that goes on has none, nor one whose program went away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum RunEnd {
    /// By its recipe.
    Finished {
        /// Why.
        reason: StopReason,
        /// Seconds of work.
        seconds: f64,
    },
    /// Before that, and it can go on.
    Stopped {
        /// Why.
        reason: StopReason,
        /// Seconds of work.
        seconds: f64,
    },
    /// Something did not work.
    Failed {
        /// What, why and what to do.
        why: String,
        /// Seconds of work.
        seconds: f64,
    },
}

impl RunEnd {
    /// The end of a training that did not fail.
    pub(in crate::train) const fn of(reason: StopReason, seconds: f64) -> Self {
        match reason.status() {
            TrainStatus::Finished => Self::Finished { reason, seconds },
            TrainStatus::Stopped => Self::Stopped { reason, seconds },
        }
    }

    /// Writes `end.json` into the run folder, whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(in crate::train) fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let mut text = serde_json::to_string_pretty(self).expect("words and numbers become JSON");
        text.push('\n');
        Ok(replace_file(&folder.join(END_FILE), text.as_bytes())?)
    }
}

impl RunRecord {
    /// Why the run ended, in a sentence; `None` when its folder does not say: it goes on, its
    /// program went away, or it is of an older version.
    pub fn end_words(&self) -> Option<String> {
        let epochs = self.rows.last().map_or(0, |row| row.epoch);
        Some(match self.end.as_ref()? {
            RunEnd::Finished { reason, .. } | RunEnd::Stopped { reason, .. } => {
                reason.after(epochs)
            }
            RunEnd::Failed { why, .. } if epochs == 0 => {
                format!("Failed in the first epoch: {why}")
            }
            RunEnd::Failed { why, .. } => format!("Failed after epoch {epochs}: {why}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::test_run::plain_run;
    use super::super::{report_html, report_markdown, write_report};
    use super::*;

    const REASONS: [(StopReason, &str); 6] = [
        (StopReason::AllEpochs, "Finished all 3 epochs"),
        (
            StopReason::NoProgress { patience: 2 },
            "No progress in 2 epochs, ended after epoch 3",
        ),
        (
            StopReason::NoProgress { patience: 1 },
            "An epoch brought no progress, ended after epoch 3",
        ),
        (
            StopReason::TimeLimit { minutes: 7.5 },
            "The time limit of 7.5 min is reached, ended after epoch 3",
        ),
        (
            StopReason::FarEnough { epoch: 3 },
            "Rests after epoch 3 and can go on",
        ),
        (StopReason::Person, "Stopped by hand in epoch 4"),
    ];

    #[test]
    fn every_reason_comes_back_from_the_folder_and_stands_in_the_reports() {
        let run = plain_run();
        assert_eq!(run.record().end_words(), None);
        for (reason, words) in REASONS {
            let end = RunEnd::of(reason, 12.5);
            end.save(run.path()).expect("written");
            let record = run.record();
            assert_eq!(record.end, Some(end));
            assert_eq!(record.end_words().as_deref(), Some(words));
            let text = report_markdown(&record, &[]);
            assert!(text.contains(&format!("\n\n{words}\n\n")), "{text}");
            let html = report_html(&record, &[]);
            // In the head and at the end of each chart.
            assert_eq!(html.matches(words).count(), 4, "{html}");
            write_report(run.path(), &[]).expect("written");
            let svg = fs::read_to_string(run.path().join("curves.svg")).expect("written");
            assert_eq!(svg.matches(words).count(), 3, "{svg}");
        }
    }

    #[test]
    fn a_failure_is_said_and_cannot_become_markup() {
        let run = plain_run();
        let why = "the disk is full: <b>&run".to_owned();
        let seconds = 1.0;
        let end = RunEnd::Failed { why, seconds };
        end.save(run.path()).expect("written");
        let mut record = run.record();
        assert_eq!(record.end, Some(end));
        let words = "Failed after epoch 3: the disk is full: <b>&run";
        assert_eq!(record.end_words().as_deref(), Some(words));
        let html = report_html(&record, &[]);
        assert!(html.contains("full: &lt;b&gt;&amp;run") && !html.contains("<b>"));
        assert!(report_markdown(&record, &[]).contains("full: \\<b\\>&amp;run"));
        record.rows.clear();
        let words = record.end_words().expect("an end");
        assert!(words.starts_with("Failed in the first epoch: the disk"));
    }

    #[test]
    fn the_file_says_how_and_why_to_other_programs() {
        let text = |end| serde_json::to_string(&end).expect("text");
        assert_eq!(
            text(RunEnd::of(StopReason::TimeLimit { minutes: 0.5 }, 31.25)),
            r#"{"status":"finished","reason":{"kind":"time_limit","minutes":0.5},"seconds":31.25}"#
        );
        assert_eq!(
            text(RunEnd::of(StopReason::Person, 2.5)),
            r#"{"status":"stopped","reason":{"kind":"person"},"seconds":2.5}"#
        );
        let run = plain_run();
        run.write(END_FILE, b"{}");
        let record = run.record();
        assert_eq!(record.end, None);
        assert!(record.notes[0].starts_with("end.json cannot be read"));
    }
}
