use egui::{Button, CollapsingHeader, Frame, Grid, ProgressBar, RichText, Ui};

use super::super::stop::stop_ui;
use super::super::theme;
use super::super::view::CommandQueue;
use super::class_table::{figure_help, number_ui};
use crate::metrics::{Figure, POOLED_OR_PER_IMAGE};
use crate::session::{Command, JobId, QueueCommand, RunEntry, RunStatus, Session};
use crate::train::{JudgedClass, RunRecord, RunSummary, ScoredOn};
use crate::ui::text;

/// What is shown of the test part at once.
const SHOWN: [Figure; 5] = [
    Figure::MeanIou,
    Figure::MeanIouWithoutBackground,
    Figure::PixelAccuracy,
    Figure::MajorityBaseline,
    Figure::PerImageMeanIou,
];

/// What is shown of one of two classes at once beside what its probabilities tell.
const OF_CLASS: [Figure; 5] = [
    Figure::SaltPrecision,
    Figure::SaltEmptyBaseline,
    Figure::RelaxedF1,
    Figure::PresenceAccuracy,
    Figure::PresenceBaseline,
];

/// The buttons that judge a run on its parts; while that goes on, how far it is, and Stop.
pub fn judge_ui(ui: &mut Ui, entry: &RunEntry, session: &Session, commands: &mut CommandQueue) {
    let record = &entry.record;
    let judging = session.judging();
    if let Some(job) = judging.job
        && judging.run.as_ref() == Some(&record.folder)
    {
        return running_ui(ui, job, session, commands);
    }
    if record.is_binary() {
        button_ui(ui, entry, session, ScoredOn::Validation, commands);
    }
    button_ui(ui, entry, session, ScoredOn::Test, commands);
}

fn button_ui(
    ui: &mut Ui,
    entry: &RunEntry,
    session: &Session,
    on: ScoredOn,
    commands: &mut CommandQueue,
) {
    let refusal = refusal(entry, session, on);
    let (words, help) = match on {
        ScoredOn::Test => ("Judge on test part", help(&entry.record)),
        ScoredOn::Validation => ("Judge on validation part", CHOOSES.to_owned()),
    };
    let button = ui.add_enabled(refusal.is_none(), Button::new(words));
    let button = button.on_hover_text(help);
    if button
        .on_disabled_hover_text(refusal.unwrap_or_default())
        .clicked()
    {
        commands.push(Command::Queue(QueueCommand::Judge {
            run: entry.record.folder.clone(),
            on,
            device: None,
        }));
    }
}

/// What judging the validation part is good for.
const CHOOSES: &str = "Of two classes it chooses the threshold with the best F1, which the test \
                       part is then judged at; where it was not done, judging the test part does \
                       it first";

fn help(record: &RunRecord) -> String {
    let mut words = "The best network predicts the test part, which it neither learned from nor \
                     was chosen by: on the Predict button's own path, compared at the \
                     labels' own size. Each time is counted, since who chooses by these \
                     scores uses the part up."
        .to_owned();
    if record.is_binary() {
        words.push_str(
            " The threshold is chosen on the validation part, which is judged first where it was \
             not.",
        );
    }
    if let Some(reading) = &record.test_reading {
        words.push_str("\n\n");
        words.push_str(&reading.words());
    }
    words
}

/// Why it cannot be judged now.
fn refusal(entry: &RunEntry, session: &Session, on: ScoredOn) -> Option<String> {
    let record = &entry.record;
    let why = if on == ScoredOn::Test && !record.has_test_part() {
        return Some(format!(
            "No test part was held out, so the scores of this run are “{}”. Give \
             “Test share” in the recipe a value to hold one out in the next training",
            ScoredOn::Validation.words()
        ));
    } else if session.is_learning() {
        "A training goes on; stop it, or wait for its end"
    } else if entry.status == RunStatus::Running {
        "Another program trains this run; wait for its end"
    } else if record.best.is_none() {
        "It has kept no network; let it go on to the end of an epoch"
    } else if session.judging().job.is_some() {
        "Another run is judged; wait for its end"
    } else {
        return None;
    };
    Some(why.to_owned())
}

fn running_ui(ui: &mut Ui, job: JobId, session: &Session, commands: &mut CommandQueue) {
    let help = "This time is not counted then, and what was judged before stays";
    stop_ui(ui, session, job, ("Stop judging", help), commands);
    let bar = match session.activity(job).and_then(|activity| activity.progress) {
        Some(share) => {
            let percent = 100.0 * share;
            ProgressBar::new(share).text(format!("Judging, {percent:.0} %"))
        }
        None => ProgressBar::new(0.0).text("Judging…"),
    };
    ui.add(bar.desired_width(200.0));
}

/// What the best network came to: where it was judged, and folded all that is known.
pub fn judged_ui(ui: &mut Ui, record: &RunRecord) {
    let summary = RunSummary::of(record);
    if record.test_reading.is_some() || !record.judged_classes.is_empty() {
        ui.add_space(theme::GRID);
        parts_ui(ui, record, &summary);
    }
    if summary.is_known() {
        ui.add_space(theme::GRID);
        CollapsingHeader::new("All figures").show(ui, |ui| all_ui(ui, &summary));
    }
}

/// The test part beside the validation, and of two classes what is known of one.
fn parts_ui(ui: &mut Ui, record: &RunRecord, summary: &RunSummary) {
    let (reading, has_test) = (&record.test_reading, record.best_test().is_some());
    if reading.is_some() && !has_test {
        ui.weak("It was judged on its test part before it was trained further; those scores are not shown");
    }
    if has_test {
        table_ui(ui, "judged", summary, &SHOWN);
    }
    if !record.judged_classes.is_empty() {
        table_ui(ui, "ranked", summary, &JudgedClass::RANKING);
        table_ui(ui, "of one class", summary, &OF_CLASS);
    }
    for class in &record.judged_classes {
        if let Some(words) = class.threshold_words() {
            ui.label(RichText::new(words).small().weak());
        }
    }
    if let Some(reading) = reading.as_ref().filter(|_| has_test) {
        let words = RichText::new(reading.words()).small().weak();
        ui.label(words).on_hover_text(
            "From scores-test.json in the run's folder, where the command line counts as well",
        );
    }
}

/// Every figure on each ground, one a line.
fn all_ui(ui: &mut Ui, summary: &RunSummary) {
    let grid = Grid::new("all figures").num_columns(1 + summary.grounds.len());
    grid.spacing([16.0, 5.0]).show(ui, |ui| {
        ui.label(RichText::new("Scored on").small().strong());
        for on in &summary.grounds {
            ui.label(RichText::new(on.words()).small().strong());
        }
        ui.end_row();
        for (figure, values) in &summary.rows {
            ui.label(figure.definition().name)
                .on_hover_text(long_help(*figure));
            for value in values {
                number_ui(ui, text::ratio(*value));
            }
            ui.end_row();
        }
    });
}

/// Those of `figures` that are known, on each ground.
fn table_ui(ui: &mut Ui, id: &str, summary: &RunSummary, figures: &[Figure]) {
    let rows = summary.rows.iter();
    let rows: Vec<_> = rows.filter(|row| figures.contains(&row.0)).collect();
    if rows.is_empty() {
        return;
    }
    let frame = Frame::new()
        .fill(ui.visuals().extreme_bg_color)
        .corner_radius(4.0)
        .inner_margin(8.0);
    let grid = Grid::new(id).num_columns(1 + rows.len());
    frame.show(ui, |ui| {
        grid.spacing([16.0, 5.0])
            .show(ui, |ui| figures_ui(ui, summary, &rows));
    });
}

fn figures_ui(ui: &mut Ui, summary: &RunSummary, rows: &[&(Figure, Vec<Option<f64>>)]) {
    ui.label(RichText::new("Scored on").small().strong());
    for (figure, _) in rows {
        let name = RichText::new(figure.definition().name).small().strong();
        ui.label(name).on_hover_text(long_help(*figure));
    }
    ui.end_row();
    for (at, on) in summary.grounds.iter().enumerate() {
        ui.label(on.words());
        for (_, values) in rows {
            number_ui(ui, text::ratio(values[at]));
        }
        ui.end_row();
    }
}

/// What a figure is; of one per image what that means as well.
fn long_help(figure: Figure) -> String {
    let help = figure_help(figure);
    match figure {
        Figure::PerImageMeanIou => format!("{help}\n\n{POOLED_OR_PER_IMAGE}."),
        _ => help,
    }
}
