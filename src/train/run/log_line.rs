use crate::train::{EpochRow, TrainEvent, remedies_in_words};

/// What a run's log says of an event, if it is worth keeping.
pub(super) fn log_line(event: &TrainEvent) -> Option<String> {
    Some(match event {
        TrainEvent::DeviceChosen { name, reason } => format!("Computes on {name}: {reason}"),
        TrainEvent::Split(split, _) => format!(
            "{} labelled pixels to learn from, {} held out",
            split.train_pixels, split.validation_pixels
        ),
        TrainEvent::Step { .. } | TrainEvent::Trying { .. } => return None,
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
        TrainEvent::Finished(report) => format!(
            "{}; best epoch: {}, seconds of work: {:.1}",
            report.reason, report.best_epoch, report.seconds
        ),
    })
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
}
