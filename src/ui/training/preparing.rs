use egui::{CollapsingHeader, ProgressBar, RichText, Ui};

use super::super::theme;
use crate::session::{Session, TrainingPhase};
use crate::train::RunRecord;

/// What is done before a training that begins here has a run to show; whether there is such a
/// training.
pub fn preparing_ui(ui: &mut Ui, session: &Session) -> bool {
    let (state, runs) = (session.training(), session.runs());
    let run = state.run.as_ref().filter(|_| state.is_running());
    let Some(run) = run.filter(|run| runs.entry(run).is_none()) else {
        return false;
    };
    // Runs of another folder may be listed, in which this one never appears.
    let will_be_listed = runs.folder.is_none() || runs.folder.as_deref() == run.parent();
    if state.phase != TrainingPhase::Starting && !will_be_listed {
        return false;
    }
    let name = run.file_name().unwrap_or(run.as_os_str());
    ui.add_space(theme::GRID);
    ui.heading(format!("Preparing {}", name.to_string_lossy()))
        .on_hover_text(run.display().to_string());
    let activity = state.job.and_then(|job| session.activity(job));
    let title = activity.map_or("Starting", |activity| activity.title.as_str());
    let share = activity.and_then(|activity| activity.progress);
    let (what, share) = state.trying.unwrap_or((title, share.unwrap_or(0.0)));
    ui.add(ProgressBar::new(share).desired_width(320.0));
    ui.label(what);
    ui.weak("Files are opened, and a step and a look at held-out ground are tried. Curves appear with the first epoch.");
    ui.add_space(theme::GRID);
    for note in state.said() {
        ui.label(RichText::new(note).small());
    }
    ui.add_space(2.0 * theme::GRID);
    true
}

/// What the training of this run had to say, if it is the one that runs or ran last here.
pub fn notes_ui(ui: &mut Ui, record: &RunRecord, session: &Session) {
    let state = session.training();
    let said = state.said();
    if said.is_empty() || state.run.as_deref() != Some(&record.folder) {
        return;
    }
    let noun = if said.len() == 1 { "note" } else { "notes" };
    let title = format!("{} {noun} about this training", said.len());
    let shown = CollapsingHeader::new(RichText::new(title).small())
        .id_salt("notes of the training")
        .default_open(true)
        .show(ui, |ui| {
            for note in &said {
                ui.label(RichText::new(note).small());
            }
        });
    let help = "log.txt in the run's folder has them with their times";
    shown.header_response.on_hover_text(help);
}
