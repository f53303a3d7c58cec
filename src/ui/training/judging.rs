use egui::{Button, Frame, Grid, ProgressBar, RichText, Ui};

use super::super::theme;
use super::super::view::CommandQueue;
use super::class_table::{figure_help, number_ui};
use crate::metrics::{Figure, POOLED_OR_PER_IMAGE};
use crate::session::{Command, JobId, QueueCommand, RunEntry, RunStatus, Session};
use crate::train::{RunRecord, RunSummary, ScoredOn};
use crate::ui::text;

/// What is shown of the test part; the report has all figures.
const SHOWN: [Figure; 5] = [
    Figure::MeanIou,
    Figure::MeanIouWithoutBackground,
    Figure::PixelAccuracy,
    Figure::MajorityBaseline,
    Figure::PerImageMeanIou,
];

/// The button that judges a run on its test part; while that goes on, how far it is, and Stop.
pub fn judge_ui(ui: &mut Ui, entry: &RunEntry, session: &Session, commands: &mut CommandQueue) {
    let record = &entry.record;
    let judging = session.judging();
    if let Some(job) = judging.job
        && judging.run.as_ref() == Some(&record.folder)
    {
        return running_ui(ui, job, session, commands);
    }
    let refusal = refusal(entry, session);
    let button = ui.add_enabled(refusal.is_none(), Button::new("Judge on test part"));
    let button = button.on_hover_text(help(record));
    if button
        .on_disabled_hover_text(refusal.unwrap_or_default())
        .clicked()
    {
        commands.push(Command::Queue(QueueCommand::Judge {
            run: record.folder.clone(),
            on: ScoredOn::Test,
            device: None,
        }));
    }
}

fn help(record: &RunRecord) -> String {
    let mut words = "The best network predicts the test part, which it neither learned from nor \
                     was chosen by: on the Predict button's own path, compared at the \
                     labels' own size. Each time is counted, since who chooses by these \
                     scores uses the part up."
        .to_owned();
    if let Some(reading) = &record.test_reading {
        words.push_str("\n\n");
        words.push_str(&reading.words());
    }
    words
}

/// Why it cannot be judged now.
fn refusal(entry: &RunEntry, session: &Session) -> Option<String> {
    let record = &entry.record;
    let why = if !record.has_test_part() {
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
    if ui.button("Stop judging").on_hover_text(help).clicked() {
        commands.push(Command::StopJob(job));
    }
    let mut activities = session.activities();
    let activity = activities.find(|activity| activity.id == job);
    let bar = match activity.and_then(|activity| activity.progress) {
        Some(share) => {
            let percent = 100.0 * share;
            ProgressBar::new(share).text(format!("Judging, {percent:.0} %"))
        }
        None => ProgressBar::new(0.0).text("Judging…"),
    };
    ui.add(bar.desired_width(200.0));
}

/// What the best network came to on the test part, beside the validation, if it was judged.
pub fn judged_ui(ui: &mut Ui, record: &RunRecord) {
    let Some(reading) = &record.test_reading else {
        return;
    };
    ui.add_space(theme::GRID);
    if record.best_test().is_none() {
        ui.weak("It was judged on its test part before it was trained further; those scores are not shown");
        return;
    }
    Frame::new()
        .fill(ui.visuals().extreme_bg_color)
        .corner_radius(4.0)
        .inner_margin(8.0)
        .show(ui, |ui| table_ui(ui, &RunSummary::of(record)));
    let words = RichText::new(reading.words()).small().weak();
    ui.label(words).on_hover_text(
        "From scores-test.json in the run's folder, where the command line counts as well",
    );
}

fn table_ui(ui: &mut Ui, summary: &RunSummary) {
    let rows = summary.rows.iter();
    let rows: Vec<_> = rows.filter(|row| SHOWN.contains(&row.0)).collect();
    Grid::new("judged")
        .num_columns(1 + rows.len())
        .spacing([16.0, 5.0])
        .show(ui, |ui| {
            ui.label(RichText::new("Scored on").small().strong());
            for (figure, _) in &rows {
                let name = RichText::new(figure.definition().name).small().strong();
                let help = match figure {
                    Figure::PerImageMeanIou => {
                        format!("{}\n\n{POOLED_OR_PER_IMAGE}.", figure_help(*figure))
                    }
                    _ => figure_help(*figure),
                };
                ui.label(name).on_hover_text(help);
            }
            ui.end_row();
            for (at, on) in summary.grounds.iter().enumerate() {
                ui.label(on.words());
                for (_, values) in &rows {
                    number_ui(ui, text::ratio(values[at]));
                }
                ui.end_row();
            }
        });
}
