use crate::train::{EpochRow, StopReason, TrainEvent, remedies_in_words};

/// What a run's log says of an event, if it is worth keeping.
pub(super) fn log_line(event: &TrainEvent) -> Option<String> {
    Some(match event {
        TrainEvent::DeviceChosen { name, reason } => format!("Computes on {name}: {reason}"),
        TrainEvent::Split(split, _) => format!(
            "{} labelled pixels to learn from, {} held out",
            split.train_pixels, split.validation_pixels
        ),
        // The line of the end says more than the event: [`last_line`].
        TrainEvent::Step { .. } | TrainEvent::Trying { .. } | TrainEvent::Finished(_) => {
            return None;
        }
        TrainEvent::EpochEnded(row) => of_epoch(row),
        TrainEvent::BestSaved {
            epoch,
            is_chosen: true,
            ..
        } => format!("Epoch {epoch} is the best so far"),
        TrainEvent::BestSaved { epoch, .. } => {
            format!("Epoch {epoch} is the last so far, and kept: nothing held out chooses")
        }
        TrainEvent::Explained(note) | TrainEvent::Note(note) => note.clone(),
        TrainEvent::Forecast(forecast) => forecast.to_string(),
        TrainEvent::Tight(remedies) => remedies_in_words(remedies),
        TrainEvent::Paused => "Paused".to_owned(),
        TrainEvent::GoesOn => "Goes on after a pause".to_owned(),
    })
}

/// What a run's log says when it has ended: why, which epoch is kept and whether numbers of held-out
/// ground chose it, so that it is not merely the last, and the seconds of work.
pub(super) fn last_line(reason: StopReason, (epoch, chooses): (u32, bool), seconds: f64) -> String {
    let kept = match epoch {
        0 => "no epoch was finished".to_owned(),
        epoch if chooses => format!("best epoch: {epoch}"),
        epoch => format!("kept epoch: {epoch}, the last"),
    };
    format!("{reason}; {kept}, seconds of work: {seconds:.1}")
}

fn of_epoch(row: &EpochRow) -> String {
    let iou = row.mean_iou.map_or_else(
        || "no mean IoU".to_owned(),
        |iou| format!("mean IoU {iou:.4}"),
    );
    let loss = if row.val_loss.is_finite() {
        format!("{:.4}", row.val_loss)
    } else {
        "not measured".to_owned()
    };
    format!(
        "Epoch {}: training loss {:.4}, validation loss {loss}, {iou}, rate {:.3e}, {:.1} s ({:.1} s \
         waiting for images, {:.1} s computing)",
        row.epoch, row.train_loss, row.lr, row.seconds, row.data_seconds, row.compute_seconds
    )
}

/// Seconds of work as hours, minutes and seconds.
pub(in crate::train) fn elapsed(seconds: f64) -> String {
    let whole = seconds as u64;
    format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn steps_are_too_many_to_keep() {
        let trying = TrainEvent::Trying {
            what: "Opening",
            done: 1,
            total: 2,
        };
        assert_eq!(log_line(&trying), None);
        let saved = |is_chosen| {
            let (path, beats_start) = (PathBuf::new(), true);
            let saved = TrainEvent::BestSaved {
                epoch: 5,
                path,
                beats_start,
                is_chosen,
            };
            log_line(&saved).unwrap_or_default()
        };
        assert_eq!(saved(true), "Epoch 5 is the best so far");
        assert!(saved(false).starts_with("Epoch 5 is the last so far"));
        let note = TrainEvent::Note("A note".to_owned());
        assert_eq!(log_line(&note).as_deref(), Some("A note"));
        assert_eq!(elapsed(36_061.9), "10:01:01");
    }

    #[test]
    fn the_last_line_calls_an_epoch_best_only_where_something_chose_it() {
        let line = |epoch, chooses| last_line(StopReason::AllEpochs, (epoch, chooses), 2.5);
        let best = "All epochs are done; best epoch: 3, seconds of work: 2.5";
        assert_eq!(line(3, true), best);
        let last = "All epochs are done; kept epoch: 3, the last, seconds of work: 2.5";
        assert_eq!(line(3, false), last);
        assert!(line(0, true).contains("; no epoch was finished, "));
    }
}
