use super::chart::{Mark, MarkKind};
use crate::session::RunStatus;
use crate::train::{BestBy, RunRecord, StopReason, rate_drops, unfreezing};

/// The best epoch of a run, the ends of epochs after which its rate fell or its encoder began to
/// learn, and its end.
pub fn marks(record: &RunRecord, status: RunStatus) -> Vec<Mark> {
    let rows = &record.rows;
    // Epoch 3 begins where epoch 2 ends.
    let drops = rate_drops(rows).into_iter().map(|(epoch, word)| Mark {
        epoch: f64::from(epoch) - 1.0,
        kind: MarkKind::RateDrop,
        word,
    });
    let unfreezing = unfreezing(record).map(|(epoch, word)| Mark {
        epoch: f64::from(epoch) - 1.0,
        kind: MarkKind::Unfreezing,
        word,
    });
    let best = record.best_epoch().map(|epoch| Mark {
        epoch: f64::from(epoch),
        kind: MarkKind::Best,
        word: best_words(record, epoch),
    });
    let last = rows.last().map(|row| f64::from(row.epoch));
    let end = end_reason(record, status)
        .zip(last)
        .map(|(word, epoch)| Mark {
            epoch,
            kind: MarkKind::End,
            word,
        });
    drops.chain(unfreezing).chain(best).chain(end).collect()
}

/// The best epoch and what it is best by.
fn best_words(record: &RunRecord, epoch: u32) -> String {
    match record.recipe.as_ref().map(|recipe| &recipe.best_by) {
        None => format!("best: {epoch}"),
        Some(BestBy::Latest) => format!("last: {epoch}"),
        Some(by) => format!("best by {}: {epoch}", by.words()),
    }
}

/// Why a run ended, in a sentence; `None` while it goes on.
pub fn end_reason(record: &RunRecord, status: RunStatus) -> Option<String> {
    if status == RunStatus::Running {
        return None;
    }
    (record.end_words()).or_else(|| guessed_end(record, status))
}

/// What the files of a run that does not say why it ended let one think.
fn guessed_end(record: &RunRecord, status: RunStatus) -> Option<String> {
    let last = record.rows.last()?.epoch;
    let recipe = record.recipe.as_ref();
    let epochs = recipe.map_or(0, |recipe| recipe.epochs);
    let patience = recipe.map_or(0, |recipe| recipe.stop_patience);
    let reason = match status {
        RunStatus::Running | RunStatus::Failed => return None,
        RunStatus::Interrupted => return Some(format!("Interrupted after epoch {last}")),
        RunStatus::Stopped => StopReason::Person,
        RunStatus::Finished if last >= epochs => StopReason::AllEpochs,
        RunStatus::Finished if patience > 0 => StopReason::NoProgress { patience },
        RunStatus::Finished => return Some(format!("Ended after epoch {last}")),
    };
    Some(reason.after(last))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::train::{EpochRow, Recipe, RunEnd};

    /// A run that was to take four epochs, after the first.
    pub fn one_of_four_epochs() -> RunRecord {
        let row = EpochRow {
            epoch: 1,
            best: true,
            ..EpochRow::default()
        };
        let recipe = Recipe {
            epochs: 4,
            ..Recipe::default()
        };
        RunRecord {
            rows: vec![row],
            recipe: Some(recipe),
            ..RunRecord::default()
        }
    }

    #[test]
    fn a_run_that_goes_on_has_no_end() {
        let record = one_of_four_epochs();
        let kinds = |status| {
            let marks = marks(&record, status);
            marks.iter().map(|mark| mark.kind).collect::<Vec<_>>()
        };
        let stopped = end_reason(&record, RunStatus::Stopped);
        assert_eq!(stopped.as_deref(), Some("Stopped by hand in epoch 2"));
        assert_eq!(kinds(RunStatus::Stopped), [MarkKind::Best, MarkKind::End]);
        assert_eq!(end_reason(&record, RunStatus::Running), None);
        assert_eq!(kinds(RunStatus::Running), [MarkKind::Best]);
    }

    #[test]
    fn what_a_run_says_of_its_end_goes_before_what_its_files_let_one_think() {
        let mut record = one_of_four_epochs();
        let words = |record: &RunRecord, status| end_reason(record, status).expect("an end");
        assert_eq!(
            words(&record, RunStatus::Finished),
            "No progress in 10 epochs, ended after epoch 1"
        );
        assert_eq!(
            words(&record, RunStatus::Interrupted),
            "Interrupted after epoch 1"
        );
        let (reason, seconds) = (StopReason::TimeLimit { minutes: 5.0 }, 300.0);
        record.end = Some(RunEnd::Finished { reason, seconds });
        let limit = "The time limit of 5 min is reached, ended after epoch 1";
        assert_eq!(words(&record, RunStatus::Finished), limit);
        let marks = marks(&record, RunStatus::Finished);
        assert_eq!(marks.last().map(|mark| mark.word.as_str()), Some(limit));
        assert_eq!(end_reason(&record, RunStatus::Running), None);
        let reason = StopReason::FarEnough { epoch: 1 };
        record.end = Some(RunEnd::Stopped { reason, seconds });
        assert_eq!(
            words(&record, RunStatus::Stopped),
            "Rests after epoch 1 and can go on"
        );
        let why = "the disk is full".to_owned();
        record.end = Some(RunEnd::Failed { why, seconds });
        let failure = "Failed after epoch 1: the disk is full";
        assert_eq!(words(&record, RunStatus::Failed), failure);
    }
}
