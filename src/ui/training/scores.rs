use egui::Ui;

use super::super::theme;
use super::class_table::{ClassOrder, class_table_ui};
use super::confusion::{MatrixNumbers, confusion_ui};
use super::curves::heading;
use crate::metrics::ClassScores;
use crate::session::ScoredGround;
use crate::train::RunRecord;

/// Below this width the table of classes and the confusion matrix stand under each other.
const SIDE_BY_SIDE: f32 = 860.0;

/// Scores by class after the epoch that was chosen for the patches, or else of the best network,
/// and the latter's confusion matrix.
pub fn scores_ui(
    ui: &mut Ui,
    record: &RunRecord,
    chosen: Option<u32>,
    (order, numbers): (&mut ClassOrder, &mut MatrixNumbers),
) {
    let (classes, (ground, of)) = classes_of(record, chosen);
    if classes.is_empty() {
        return;
    }
    let mut table = |ui: &mut Ui| {
        heading(ui, &format!("Classes ({of})"));
        theme::ground(ui, ground);
        class_table_ui(ui, &classes, record.classes.as_ref(), order);
    };
    let mut matrix = |ui: &mut Ui| {
        if let Some(scores) = record.scores() {
            let on = scores.on.words();
            heading(ui, &format!("Confusion ({on}, epoch {})", scores.epoch));
            if let Some(epoch) = chosen.filter(|&epoch| epoch != scores.epoch) {
                ui.weak(format!(
                    "Confusion is kept of the best epoch alone, so this is not of epoch {epoch}, \
                     which is chosen below"
                ));
            }
            theme::ground(ui, ScoredGround::of_scores(record));
            confusion_ui(ui, &scores.scores, numbers);
        }
    };
    if ui.available_width() < SIDE_BY_SIDE {
        table(ui);
        matrix(ui);
        return;
    }
    ui.horizontal_top(|ui| {
        ui.vertical(table);
        ui.add_space(3.0 * theme::GRID);
        ui.vertical(matrix);
    });
}

/// The scores of each class, and the ground and the epoch that they are of.
fn classes_of(
    record: &RunRecord,
    chosen: Option<u32>,
) -> (Vec<ClassScores>, (ScoredGround, String)) {
    let best = record.best_epoch();
    if let Some(epoch) = chosen.filter(|_| chosen != best) {
        let classes = record.class_scores_after(epoch);
        if !classes.is_empty() {
            let of = format!("validation, epoch {epoch}, chosen below");
            return (classes, (ScoredGround::of_run(record), of));
        }
    }
    let on = record
        .scores()
        .map_or("validation, selected on it", |scores| scores.on.words());
    let epoch = best.map_or_else(String::new, |epoch| format!(", epoch {epoch}"));
    let of = format!("{on}{epoch}");
    (record.class_scores(), (ScoredGround::of_scores(record), of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{ClassEpoch, EpochRow};

    fn after(epoch: u32, iou: f64) -> ClassEpoch {
        ClassEpoch {
            epoch,
            scores: ClassScores {
                index: 0,
                name: "road".to_owned(),
                iou: Some(iou),
                precision: None,
                recall: None,
                f1: None,
                support: 1,
            },
        }
    }

    #[test]
    fn the_classes_are_those_of_the_chosen_epoch() {
        let row = |epoch, best| EpochRow {
            epoch,
            best,
            ..EpochRow::default()
        };
        let record = RunRecord {
            rows: vec![row(1, true), row(2, true), row(3, false), row(4, false)],
            class_rows: vec![after(1, 0.25), after(2, 0.75), after(3, 0.5)],
            ..RunRecord::default()
        };
        let shown = |chosen| {
            let (classes, (_, of)) = classes_of(&record, chosen);
            (classes.first().and_then(|class| class.iou), of)
        };
        let best = (Some(0.75), "validation, selected on it, epoch 2".to_owned());
        assert_eq!(shown(None), best);
        assert_eq!(shown(Some(2)), best);
        let third = "validation, epoch 3, chosen below".to_owned();
        assert_eq!(shown(Some(3)), (Some(0.5), third));
        // Nothing is known of the classes after the fourth.
        assert_eq!(shown(Some(4)), best);
    }
}
