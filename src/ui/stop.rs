use egui::{Button, Ui};

use super::view::CommandQueue;
use crate::session::{Command, JobId, Session};

/// The button `name` that stops a job; `help` says what that leaves. Once it was pressed it says so
/// until the job has come to a safe place.
pub fn stop_ui(
    ui: &mut Ui,
    session: &Session,
    job: JobId,
    (name, help): (&str, &str),
    commands: &mut CommandQueue,
) {
    let is_stopping = session
        .activity(job)
        .is_some_and(|activity| activity.is_stopping);
    let name = if is_stopping { "Stopping…" } else { name };
    let button = ui.add_enabled(!is_stopping, Button::new(name));
    if button.on_hover_text(help).clicked() {
        commands.push(Command::StopJob(job));
    }
}
