use egui::{ComboBox, Grid, RichText, Ui};

use super::contest::{ContestView, contest_ui};
use super::review::review_ui;
use crate::geom::PixelRect;
use crate::label::WantedCells;
use crate::metrics::{Figure, Scores};
use crate::render::Looked;
use crate::session::{
    KeptScores, LayerKind, Review, ReviewCommand, ScoreKey, ScoreScope, ScoredGround, Session,
};
use crate::ui::places::walk;
use crate::ui::training::{MatrixNumbers, confusion_ui, figure_help};
use crate::ui::view::{CommandQueue, View};
use crate::ui::{text, theme};

/// Which ground the panel's numbers are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Scope {
    #[default]
    Whole,
    View,
    Selection,
    DoneCells,
    HeldOut,
    Training,
}

impl Scope {
    const ALL: [Self; 6] = [
        Self::Whole,
        Self::View,
        Self::Selection,
        Self::DoneCells,
        Self::HeldOut,
        Self::Training,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Whole => "Whole image",
            Self::View => "What is in view",
            Self::Selection => "The selection",
            Self::DoneCells => "Cells that are done",
            Self::HeldOut => "Held-out ground",
            Self::Training => "Training ground",
        }
    }
}

/// The numbers as they were shown last, and what they were made of.
#[derive(Debug, Default)]
pub struct ScoresView {
    scope: Scope,
    numbers: MatrixNumbers,
    made_of: Option<ScoreKey>,
    kept: KeptScores,
    scores: Option<Scores>,
    ground: ScoredGround,
    /// Blocks that judge the model and are left out.
    num_judging: usize,
    pub(super) contest: ContestView,
}

/// What is known of numbers that are not there.
pub struct Missing {
    /// Whether all is being counted.
    pub is_counting: bool,
    /// Whether the ground was counted, and nothing was found.
    pub is_counted: bool,
    /// Blocks that judge and are left out.
    pub num_judging: usize,
    /// What it says that nothing was found.
    pub nothing: &'static str,
}

impl ScoresView {
    /// Which ground the numbers are of, when this is seen in level-0 pixels.
    pub const fn scope(&self, seen: PixelRect) -> ScoreScope {
        match self.scope {
            Scope::Whole => ScoreScope::Whole,
            Scope::View => ScoreScope::Within(seen),
            Scope::Selection => ScoreScope::Selection,
            Scope::DoneCells => ScoreScope::Cells(WantedCells::Done),
            Scope::HeldOut => ScoreScope::HeldOut,
            Scope::Training => ScoreScope::Training,
        }
    }

    /// Counts again where something changed since the last frame.
    fn follow(&mut self, session: &Session, seen: PixelRect) {
        let scope = self.scope(seen);
        let made_of = Some(session.score_key(scope));
        if self.made_of != made_of {
            self.made_of = made_of;
            self.scores = session.scores_kept(scope, &mut self.kept);
            self.ground = session.ground_of_scores_kept(scope, &mut self.kept);
            self.num_judging = session.judging_left_out(scope);
            self.contest.follow(session, scope);
        }
    }

    /// What is known of scores that are not there.
    fn missing(&self, session: &Session) -> Missing {
        Missing {
            is_counting: session.is_counting(),
            is_counted: self.scores.is_some(),
            num_judging: self.num_judging,
            nothing: match self.kept.share_predicted() {
                Some(_) => "Nothing of the labeled ground there is predicted yet.",
                None => "No labeled ground there.",
            },
        }
    }

    /// Why there are no numbers.
    pub(super) fn why_none(&self, session: &Session, missing: &Missing) -> &'static str {
        match self.scope {
            Scope::Selection if session.selected().is_none() => "Nothing is selected.",
            _ if missing.is_counting => "Counting…",
            Scope::Selection if !missing.is_counted => {
                "The selection is too large and ragged to be counted. Select less, or look at what \
                 is in view."
            }
            Scope::HeldOut => {
                "The model held no labeled ground of this image out to choose its epoch by. What \
                 it held out to judge is read for a verdict alone."
            }
            Scope::Training => {
                "The model learned from nothing here, or from too many pieces to count."
            }
            _ if missing.num_judging > 0 => {
                "This ground judges the model: it is read for a verdict alone. What differs there \
                 is shown on the map and walked through (J) all the same."
            }
            _ => missing.nothing,
        }
    }
}

/// Scores of the prediction against the label as both are now, with what always answering one class
/// would score, and which class is taken for which. The first numbers stand above all but a walk
/// that goes on, so that they are seen in a small window, too.
pub fn scores_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let is_walked = session.review().and_then(Review::current).is_some();
    if is_walked {
        review_ui(ui, session, view, commands);
    }
    let seen = view.visible;
    if session.scores().is_some() || session.kept_places().next().is_some() {
        scope_ui(ui, &mut view.scores);
        view.scores.follow(session, seen);
    } else {
        view.scores.made_of = None;
        (view.scores.kept, view.scores.contest) = Default::default();
    }
    figures_ui(ui, session, &view.scores);
    ui.add_space(theme::GRID);
    if !is_walked {
        review_ui(ui, session, view, commands);
    }
    contest_ui(ui, session, view, commands);
    let state = &mut view.scores;
    let Some(scores) = shown(session, state.scores.as_ref()) else {
        return;
    };
    classes_ui(ui, scores);
    ui.add_space(theme::GRID);
    ui.label(RichText::new("Confusion").strong()).on_hover_text(
        "Press a cell to see its pixels, and to walk through its places on this ground (J)",
    );
    if let Some((truth, predicted)) = confusion_ui(ui, scores, &mut state.numbers) {
        let of_cell = ReviewCommand::StartOf {
            truth,
            predicted,
            on: state.scope(seen),
        };
        view.looked = Looked::Pair { truth, predicted };
        view.listed = None;
        walk(of_cell, session, view, commands);
    }
}

/// The scores, where there are any to be shown.
fn shown<'a>(session: &Session, scores: Option<&'a Scores>) -> Option<&'a Scores> {
    scores.filter(|scores| session.scores().is_some() && scores.pixels > 0)
}

/// The numbers of all classes together and the ground that they are of, or why there are none.
fn figures_ui(ui: &mut Ui, session: &Session, state: &ScoresView) {
    if session.scores().is_none() {
        ui.weak(why_unscored(session));
        return;
    }
    let Some(scores) = shown(session, state.scores.as_ref()) else {
        ui.weak(state.why_none(session, &state.missing(session)));
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(
            RichText::new("Against the label as it is now:")
                .small()
                .weak(),
        );
        theme::ground(ui, state.ground);
    });
    left_out_ui(ui, state.num_judging);
    part_ui(ui, session, scores, state.kept.share_predicted());
    summary_ui(ui, scores);
}

/// Which ground scores and comparison are of.
fn scope_ui(ui: &mut Ui, state: &mut ScoresView) {
    ui.horizontal(|ui| {
        let label = ui.label("Numbers of");
        let choice = ComboBox::from_id_salt("scope").selected_text(state.scope.name());
        let chosen = choice.show_ui(ui, |ui| {
            for scope in Scope::ALL {
                ui.selectable_value(&mut state.scope, scope, scope.name());
            }
        });
        chosen.response.labelled_by(label.id);
    });
}

fn why_unscored(session: &Session) -> &'static str {
    let layers = [LayerKind::Label, LayerKind::Prediction];
    if layers.iter().all(|&kind| session.layer(kind).is_some()) {
        "Label and prediction are compared as soon as both are read."
    } else {
        "Scores appear when there are a label and a prediction."
    }
}

/// Of which part of the labeled ground the scores are, where a prediction is not whole, or that
/// ground without one counts as wrong.
fn part_ui(ui: &mut Ui, session: &Session, scores: &Scores, share: Option<f64>) {
    if let Some(share) = share.filter(|share| *share < 1.0) {
        let share = share * 100.0;
        ui.weak(if session.prediction_state().job.is_some() {
            format!("So far, of {share:.1} % of the labeled ground: the rest is not predicted yet.")
        } else if session.unfinished_prediction().is_some() {
            format!("Of {share:.1} % of the labeled ground: the prediction was stopped.")
        } else {
            format!("Of {share:.1} % of the labeled ground: the rest is not predicted.")
        });
    } else if scores.unpredicted > 0 {
        let share = scores.unpredicted as f64 / scores.pixels as f64 * 100.0;
        ui.weak(format!(
            "{share:.1} % of it has no prediction and counts as wrong."
        ));
    }
}

/// That numbers leave out the ground that judges.
pub fn left_out_ui(ui: &mut Ui, num_judging: usize) {
    if num_judging == 0 {
        return;
    }
    let blocks = if num_judging == 1 { "block" } else { "blocks" };
    let words = format!("Without {num_judging} {blocks} that judge");
    ui.label(RichText::new(words).small().weak()).on_hover_text(
        "They are read for a verdict alone, and each reading is counted: who chooses by numbers of \
         that ground uses it up. What differs there is shown on the map and walked through (J) all \
         the same.",
    );
}

fn summary_ui(ui: &mut Ui, scores: &Scores) {
    let lines = [
        (Figure::MeanIou, scores.mean_iou),
        (Figure::PixelAccuracy, scores.pixel_accuracy),
        (Figure::FrequencyWeightedIou, scores.frequency_weighted_iou),
        (Figure::Kappa, scores.kappa),
        (Figure::MajorityBaseline, scores.majority_baseline),
    ];
    Grid::new("summary").num_columns(2).show(ui, |ui| {
        for (figure, value) in lines {
            ui.label(figure.definition().name)
                .on_hover_text(figure_help(figure));
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
            ui.label(RichText::new("Class").small().strong());
            for figure in [Figure::Iou, Figure::Precision, Figure::Recall, Figure::F1] {
                ui.label(RichText::new(figure.definition().name).small().strong())
                    .on_hover_text(figure_help(figure));
            }
            ui.end_row();
            for class in &scores.per_class {
                let support = text::grouped(class.support);
                ui.label(&class.name)
                    .on_hover_text(format!("{support} labeled pixels"));
                for value in [class.iou, class.precision, class.recall, class.f1] {
                    ui.label(RichText::new(text::ratio(value)).small().monospace());
                }
                ui.end_row();
            }
        });
}
