use egui::{Color32, Frame, Grid, RichText, ScrollArea, Ui};

use crate::session::{SearchState, SearchTrialState, Session, TrainingPhase, TrialPhase};
use crate::train::TrialEnd;
use crate::ui::panels::recipe::TrainForm;
use crate::ui::{text, theme};

/// A word for where a trial is, its color and what it means.
type Words = (String, Color32, String);

/// The trials of a search, the best first as far as that is known.
/// `true` when the recipe of one was taken over.
pub fn search_table_ui(ui: &mut Ui, session: &Session, form: &mut TrainForm) -> bool {
    let search = session.search();
    let mut used = None;
    framed(ui, "trials", |ui| {
        heads_ui(
            ui,
            &[
                ("", "Its place so far"),
                ("Trial", "Its run folder has this name"),
                ("What is special", "Choices that differ from trial to trial"),
                ("Epochs", "Epochs that ended"),
                ("Validation loss", "Of the best epoch"),
                ("Mean IoU", "Of the best epoch, on the validation part"),
                ("State", "Where the trial is"),
                ("", ""),
            ],
        );
        for (place, trial) in ranked(search) {
            if row_ui(ui, session, place, trial) {
                used = Some(trial.recipe.clone());
            }
            ui.end_row();
        }
    });
    let is_used = used.is_some();
    if let Some(recipe) = used {
        (form.recipe, form.base) = ((*recipe).clone(), (*recipe).clone());
    }
    is_used
}

/// The trials with their places: those that the result names in its order, then the others.
fn ranked(search: &SearchState) -> Vec<(Option<usize>, &SearchTrialState)> {
    let rows = search.result.iter().flat_map(|result| &result.rows);
    let named = rows.enumerate().filter_map(|(place, row)| {
        let trial = search.trials.iter().find(|trial| trial.name == row.name)?;
        let is_placed = row.rungs > 0 && row.failure.is_none();
        Some((is_placed.then_some(place + 1), trial))
    });
    let mut all: Vec<(Option<usize>, &SearchTrialState)> = named.collect();
    for trial in &search.trials {
        if !all.iter().any(|(_, known)| known.name == trial.name) {
            all.push((None, trial));
        }
    }
    all
}

/// A trial; `true` when its recipe is to be used.
fn row_ui(ui: &mut Ui, session: &Session, place: Option<usize>, trial: &SearchTrialState) -> bool {
    let search = session.search();
    let is_winner = search.winner.as_ref() == Some(&trial.name);
    let is_running = trial.phase.is_running();
    let toned = |words: RichText| match (is_winner || is_running, trial.is_cut) {
        (true, _) => words.strong(),
        (_, true) => words.weak(),
        _ => words,
    };
    let place = place.map_or_else(String::new, |place| place.to_string());
    ui.label(toned(RichText::new(place).monospace()));
    ui.label(toned(RichText::new(&trial.name)))
        .on_hover_text(trial.run.display().to_string());
    ui.scope(|ui| {
        ui.set_max_width(420.0);
        let label = egui::Label::new(toned(RichText::new(&trial.label).small())).truncate();
        ui.add(label).on_hover_text(&trial.label);
    });
    ui.label(toned(RichText::new(trial.epochs.to_string()).monospace()));
    for score in [trial.val_loss, trial.mean_iou] {
        ui.label(toned(RichText::new(text::ratio(score)).monospace()));
    }
    let until = search.part.map(|(.., rung)| rung.until);
    let (word, color, help) = if is_winner {
        let help = "The best of all trials by the validation part".to_owned();
        ("winner".to_owned(), theme::GOOD, help)
    } else {
        let is_active = search.job.is_some();
        phase_words(
            &trial.phase,
            (session, until, is_active),
            trial.is_cut,
            trial.epochs,
        )
    };
    let color = theme::legible(color, ui.visuals());
    ui.label(RichText::new(word).small().color(color))
        .on_hover_text(help);
    let use_it = ui.small_button("Use this recipe");
    use_it
        .on_hover_text("The next training begins with this recipe")
        .clicked()
}

fn phase_words(
    phase: &TrialPhase,
    (session, until, is_active): (&Session, Option<u32>, bool),
    is_cut: bool,
    epochs: u32,
) -> Words {
    let grey = Color32::GRAY;
    let plain = |word: &str, color, help: &str| (word.to_owned(), color, help.to_owned());
    match phase {
        TrialPhase::Training => {
            let state = session.training();
            let all = state.recipe.as_ref().map_or(0, |recipe| recipe.epochs);
            let all = until.map_or(all, |until| until.min(all));
            let word = match state.phase {
                TrainingPhase::Running { epoch, .. } => format!("epoch {epoch} of {all}"),
                _ => "starting".to_owned(),
            };
            (word, theme::ACCENT, "It is trained now".to_owned())
        }
        TrialPhase::Judging { done, total } => (
            format!("judging {}", text::of_all(*done as u64, *total as u64)),
            theme::ACCENT,
            "Its best network predicts held-out ground".to_owned(),
        ),
        TrialPhase::Ended(TrialEnd::Failed { why }) => {
            ("failed".to_owned(), theme::ERROR, why.clone())
        }
        _ if is_cut => {
            let word = format!("cut after epoch {epochs}");
            (
                word,
                grey,
                "Others were better, so it does not go on".to_owned(),
            )
        }
        TrialPhase::Ended(TrialEnd::Done) => plain("done", theme::GOOD, "As far as it goes"),
        TrialPhase::Waiting if !is_active => plain("not done", grey, "It waits until you go on"),
        TrialPhase::Waiting if epochs > 0 => plain("goes on", grey, "It was good enough so far"),
        TrialPhase::Waiting => plain("waiting", grey, "Its turn has not come"),
    }
}

/// The columns of a cross-validation and what they are.
const FOLD_HEADS: [(&str, &str); 6] = [
    ("Training", "Its run folder has this name"),
    ("Best epoch", "The epoch whose network was kept"),
    (
        "Mean IoU",
        "Of the best epoch, on the portion that validates",
    ),
    (
        "Accuracy",
        "Of the best epoch, on the portion that validates",
    ),
    (
        "Majority alone",
        "The accuracy of answering the most frequent class everywhere; known when all are done",
    ),
    ("State", "Where the training is"),
];

/// The trainings of a cross-validation.
pub fn trainings_table_ui(ui: &mut Ui, session: &Session) {
    let queue = session.queue();
    framed(ui, "folds", |ui| {
        heads_ui(ui, &FOLD_HEADS);
        for (at, trial) in queue.trials.iter().enumerate() {
            let rows = queue.rows.iter().rev();
            let best = rows
                .filter(|(of, row)| *of == at && row.best)
                .map(|(_, row)| row);
            let best = best.max_by_key(|row| row.epoch);
            let known = queue.table.as_ref().and_then(|table| {
                let mut rows = table.runs.rows.iter();
                rows.find(|row| row.name == trial.name)
            });
            let (epoch, iou, accuracy) = match (known, best) {
                (Some(row), _) => (row.best_epoch, row.mean_iou, row.pixel_accuracy),
                (None, Some(row)) => (Some(row.epoch), row.mean_iou, row.pixel_accuracy),
                (None, None) => (None, None, None),
            };
            ui.label(&trial.name)
                .on_hover_text(trial.run.display().to_string());
            let epoch = epoch.map_or_else(|| "–".to_owned(), |epoch| epoch.to_string());
            let baseline = known
                .and_then(|row| row.majority_baseline)
                .or_else(|| best.and_then(|row| row.majority_baseline));
            let ratios = [iou, accuracy, baseline].map(text::ratio);
            for fact in std::iter::once(epoch).chain(ratios) {
                ui.label(RichText::new(fact).monospace());
            }
            let context = (session, None, queue.job.is_some());
            let (word, color, help) = phase_words(&trial.phase, context, false, 0);
            let color = theme::legible(color, ui.visuals());
            ui.label(RichText::new(word).small().color(color))
                .on_hover_text(help);
            ui.end_row();
        }
    });
}

fn framed(ui: &mut Ui, id: &'static str, rows: impl FnOnce(&mut Ui)) {
    let frame = Frame::new()
        .fill(ui.visuals().extreme_bg_color)
        .corner_radius(4.0)
        .inner_margin(8.0);
    ScrollArea::horizontal().id_salt(id).show(ui, |ui| {
        frame.show(ui, |ui| {
            Grid::new(id).spacing([18.0, 6.0]).show(ui, rows);
        });
    });
}

fn heads_ui(ui: &mut Ui, heads: &[(&str, &str)]) {
    for (name, help) in heads {
        let head = ui.label(RichText::new(*name).small().strong());
        if !help.is_empty() {
            head.on_hover_text(*help);
        }
    }
    ui.end_row();
}
