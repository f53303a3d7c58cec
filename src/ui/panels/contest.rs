use egui::{ComboBox, Grid, RichText, Ui};

use super::scores::{Missing, left_out_ui};
use crate::metrics::{PredictionComparison, TruthComparison};
use crate::session::{
    Command, KeptComparison, PredictionCommand, ScoreScope, ScoredGround, Session,
};
use crate::ui::canvas::{PaneContent, PaneLayout};
use crate::ui::view::{CommandQueue, View};
use crate::ui::{text, theme};

/// The comparison as it was shown last.
#[derive(Debug, Default)]
pub struct ContestView {
    kept: KeptComparison,
    found: Option<PredictionComparison>,
    ground: ScoredGround,
    /// Blocks that judge either model and are left out.
    num_judging: usize,
}

impl ContestView {
    /// Counts again what may have changed since the last frame.
    pub fn follow(&mut self, session: &Session, scope: ScoreScope) {
        self.found = session.comparison_kept(scope, &mut self.kept);
        self.ground = session.ground_of_comparison_kept(scope, &mut self.kept);
        self.num_judging = session.judging_left_out_of_comparison(scope);
    }

    /// What is there to be shown, else what is known of it.
    fn found(&self, session: &Session) -> Result<&PredictionComparison, Missing> {
        let found = self.found.as_ref().filter(|found| found.pixels > 0);
        found.ok_or_else(|| Missing {
            is_counting: session.is_counting_contest(),
            is_counted: self.found.is_some(),
            num_judging: self.num_judging,
            nothing: "No ground there that both A and B have predicted.",
        })
    }
}

/// A kept prediction (A) against the one that is there now (B) on the ground of the scores: how much
/// changed, and what each class won or lost by it.
pub fn contest_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if session.kept_places().next().is_none() {
        return;
    }
    ui.strong("Kept prediction A, prediction B");
    choose_ui(ui, session, commands);
    if session.is_contest_open() {
        numbers_ui(ui, session, view);
    } else {
        ui.weak("Predict with another network to compare.");
    }
    ui.separator();
}

fn numbers_ui(ui: &mut Ui, session: &Session, view: &mut View) {
    let contest = &view.scores.contest;
    let found = match contest.found(session) {
        Ok(found) => found,
        Err(missing) => {
            ui.weak(view.scores.why_none(session, &missing));
            return;
        }
    };
    let share = found.changed_share.unwrap_or_default() * 100.0;
    let mut is_shown = false;
    ui.horizontal_wrapped(|ui| {
        let [agreed, changed] = [found.agreed, found.changed].map(text::grouped);
        ui.label(format!("{share:.2} % changed its mind"))
            .on_hover_text(format!("{changed} pixels; on {agreed} both agree"));
        is_shown = ui.link("Show where").clicked();
    });
    left_out_ui(ui, contest.num_judging);
    if found.alone > 0 {
        let share = found.alone as f64 / (found.alone + found.pixels) as f64 * 100.0;
        ui.weak(format!(
            "{share:.1} % of this ground has one of the two alone and is left out."
        ));
    }
    if let Some(truth) = &found.truth {
        truth_ui(ui, truth, contest.ground);
    }
    classes_ui(ui, found);
    if is_shown {
        show_changes(view);
    }
}

/// Which of several kept predictions is A.
fn choose_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    if session.kept_places().nth(1).is_none() {
        return;
    }
    let mut a = session.contest().a();
    let name = |place| PaneContent::Kept(place).entry(session);
    ui.horizontal(|ui| {
        let label = ui.label("A");
        let shown = ComboBox::from_id_salt("kept prediction").selected_text(name(a));
        let chosen = shown
            .width(ui.available_width())
            .truncate()
            .show_ui(ui, |ui| {
                for place in session.kept_places() {
                    ui.selectable_value(&mut a, place, name(place));
                }
            });
        chosen.response.labelled_by(label.id);
    });
    if a != session.contest().a() {
        commands.push(Command::Prediction(PredictionCommand::CompareWith(a)));
    }
}

/// Shows the map in the last pane; a single pane is worked in and gets one beside it.
fn show_changes(view: &mut View) {
    if view.layout == PaneLayout::One {
        view.layout = PaneLayout::Two;
    }
    view.contents.show_changes(view.layout);
}

fn truth_ui(ui: &mut Ui, truth: &TruthComparison, ground: ScoredGround) {
    if truth.a.pixels == 0 {
        ui.weak("No labeled ground there that says which of them is right.");
        return;
    }
    let counts = [
        truth.mended,
        truth.spoiled,
        truth.both_right,
        truth.both_wrong,
    ];
    let [mended, spoiled, right, wrong] = counts.map(text::grouped);
    ui.weak(format!(
        "By the label, B mends {mended} px and spoils {spoiled} px; both are right on {right} px and \
         wrong on {wrong} px."
    ));
    ui.horizontal(|ui| {
        ui.label("Mean IoU");
        let [a, b] = [truth.a.mean_iou, truth.b.mean_iou].map(text::ratio);
        ui.monospace(format!("{a} → {b}"));
        delta_ui(ui, truth.mean_iou_delta);
    });
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("These numbers are of:").small().weak());
        theme::ground(ui, ground);
    });
}

fn classes_ui(ui: &mut Ui, found: &PredictionComparison) {
    let has_truth = found.truth.as_ref().is_some_and(|truth| truth.a.pixels > 0);
    Grid::new("contest")
        .num_columns(4)
        .striped(true)
        .show(ui, |ui| {
            let heads = if has_truth {
                ["Class", "IoU A", "IoU B", "B − A"]
            } else {
                ["Class", "A, px", "B, px", "B − A"]
            };
            for head in heads {
                ui.label(RichText::new(head).small().strong());
            }
            ui.end_row();
            for class in &found.per_class {
                ui.label(&class.name);
                if has_truth {
                    for value in [class.iou_a, class.iou_b] {
                        ui.label(RichText::new(text::ratio(value)).small().monospace());
                    }
                    delta_ui(ui, class.delta);
                } else {
                    for pixels in [class.pixels_a, class.pixels_b] {
                        ui.label(RichText::new(text::grouped(pixels)).small().monospace());
                    }
                    let more = class.pixels_b as i64 - class.pixels_a as i64;
                    let sign = if more < 0 { "−" } else { "+" };
                    let more = format!("{sign}{}", text::grouped(more.unsigned_abs()));
                    ui.label(RichText::new(more).small().monospace());
                }
                ui.end_row();
            }
        });
}

/// A difference of two ratios with its sign.
fn delta_ui(ui: &mut Ui, delta: Option<f64>) {
    let Some(delta) = delta else {
        ui.label(RichText::new("–").small().monospace());
        return;
    };
    let words = format!("{delta:+.3}").replace('-', "−");
    let words = RichText::new(words).small().monospace();
    ui.label(if delta >= 0.0005 {
        words.color(theme::legible(theme::GOOD, ui.visuals()))
    } else if delta <= -0.0005 {
        words.color(theme::legible(theme::ERROR, ui.visuals()))
    } else {
        words
    });
}
