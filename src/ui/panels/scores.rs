use egui::{Grid, RichText, Ui};

use crate::metrics::Scores;
use crate::session::{Command, LayerKind, ReviewCommand, Session};
use crate::ui::view::CommandQueue;
use crate::ui::{text, theme};

/// Scores of the prediction against the label, with what always answering one class would score.
pub fn scores_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    review_ui(ui, session, commands);
    let Some(scores) = session.scores() else {
        let has_both = session.layer(LayerKind::Label).is_some()
            && session.layer(LayerKind::Prediction).is_some();
        ui.weak(if has_both {
            "The prediction is scored when it covers the whole image."
        } else {
            "Scores appear when there are a label and a prediction."
        });
        return;
    };
    summary_ui(ui, scores);
    ui.add_space(theme::GRID);
    classes_ui(ui, scores);
    ui.add_space(theme::GRID);
    ui.weak("The prediction against the label as it was when the prediction ended.");
}

/// The walk through the differences: begin it, decide, and how far it is.
fn review_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let has_both =
        session.layer(LayerKind::Label).is_some() && session.layer(LayerKind::Prediction).is_some();
    if !has_both {
        return;
    }
    let Some((review, current)) = session
        .review()
        .and_then(|review| Some((review, review.current()?)))
    else {
        let button = ui.button("Review differences");
        let hover = "Step through the places where label and prediction differ (J)";
        if button.on_hover_text(hover).clicked() {
            commands.push(Command::Review(ReviewCommand::Start));
        }
        ui.separator();
        return;
    };
    let (number, all) = review.position();
    ui.strong(format!("Difference {number} of {all}"));
    ui.label(format!(
        "The prediction says {}, {} px",
        session.classes().name_of(current.class),
        text::grouped(current.pixels)
    ));
    ui.horizontal_wrapped(|ui| {
        for (name, command) in [
            ("Take over (Y)", ReviewCommand::Accept),
            ("Leave (N)", ReviewCommand::Reject),
            ("Next (J)", ReviewCommand::Step { forth: true }),
            ("End (Esc)", ReviewCommand::End),
        ] {
            if ui.button(name).clicked() {
                commands.push(Command::Review(command));
            }
        }
    });
    ui.separator();
}

fn summary_ui(ui: &mut Ui, scores: &Scores) {
    let lines = [
        (
            "Mean IoU",
            scores.mean_iou,
            "Over the classes that have truth",
        ),
        (
            "Pixel accuracy",
            scores.pixel_accuracy,
            "Share of the labeled pixels",
        ),
        (
            "Majority baseline",
            scores.majority_baseline,
            "The accuracy of always answering the most frequent class",
        ),
    ];
    Grid::new("summary").num_columns(2).show(ui, |ui| {
        for (name, value, meaning) in lines {
            ui.label(name).on_hover_text(meaning);
            ui.monospace(text::ratio(value));
            ui.end_row();
        }
    });
}

fn classes_ui(ui: &mut Ui, scores: &Scores) {
    Grid::new("class scores")
        .num_columns(5)
        .striped(true)
        .show(ui, |ui| {
            for head in ["Class", "IoU", "Precision", "Recall", "Pixels"] {
                ui.label(RichText::new(head).small().strong());
            }
            ui.end_row();
            for class in &scores.per_class {
                ui.label(&class.name);
                for value in [class.iou, class.precision, class.recall] {
                    ui.label(RichText::new(text::ratio(value)).small().monospace());
                }
                ui.label(
                    RichText::new(text::grouped(class.support))
                        .small()
                        .monospace(),
                );
                ui.end_row();
            }
        });
}
