use egui::{Button, ProgressBar, RichText, Ui};

use super::super::panels::recipe::missing;
use super::super::stop::stop_ui;
use super::super::view::{CommandQueue, View};
use super::super::{text, theme};
use crate::session::{Command, Pause, Session, TrainingPhase, TrainingState};

/// The button that starts a training; `true` when it was pressed.
pub fn start_ui(ui: &mut Ui, session: &Session, view: &View, commands: &mut CommandQueue) -> bool {
    let on = view.form.learn_from(session);
    let can_start = view.form.can_start(session);
    let train =
        Button::new(RichText::new("Train").strong()).fill(theme::ACCENT.gamma_multiply(0.6));
    let train = ui.add_enabled(can_start, train);
    let train = train.on_disabled_hover_text(missing(session));
    let is_pressed = train.clicked();
    if is_pressed {
        commands.push(Command::StartTraining {
            recipe: Box::new(view.form.recipe.clone()),
            on,
            out: None,
        });
    }
    is_pressed
}

/// How far the training is, and Stop.
pub fn running_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let state = session.training();
    let help = "Stops after this batch; the best network stays, and it can go on";
    if let Some(job) = state.job {
        stop_ui(ui, session, job, ("Stop", help), commands);
    }
    pause_ui(ui, state, commands);
    let epochs = state.recipe.as_ref().map_or(0, |recipe| recipe.epochs);
    let bar = if let TrainingPhase::Running { epoch, step, steps } = state.phase {
        let [of_epochs, of_steps] = [[epoch, epochs], [step, steps]]
            .map(|[done, all]| text::of_all(u64::from(done), u64::from(all)));
        let place = if state.is_judging() {
            format!("poch {of_epochs}, judging it")
        } else {
            format!("poch {of_epochs}, step {of_steps}")
        };
        let words = if state.is_paused {
            format!("Paused in e{place}")
        } else {
            format!("E{place}")
        };
        ProgressBar::new(step as f32 / steps.max(1) as f32).text(words)
    } else {
        let (what, share) = state.trying.unwrap_or(("Starting…", 0.0));
        ProgressBar::new(share).text(what)
    };
    ui.add(bar.desired_width(240.0));
    if let Some(left) = state.seconds_left() {
        let left = ui.weak(format!("{} left", text::duration(left)));
        if let Some(forecast) = &state.forecast {
            left.on_hover_text(forecast.to_string());
        }
    }
}

/// The button that lets a training rest, or go on.
pub fn pause_ui(ui: &mut Ui, state: &TrainingState, commands: &mut CommandQueue) {
    let (word, help, command) = if state.is_paused {
        (
            "Go on",
            "Takes up where it rests",
            Command::PauseTraining(Pause::GoOn),
        )
    } else {
        (
            "Pause",
            "Rests after this batch; predictions are served meanwhile",
            Command::PauseTraining(Pause::Rest),
        )
    };
    if ui.button(word).on_hover_text(help).clicked() {
        commands.push(command);
    }
}

/// Whether a training makes room for the person, and what that costs.
pub fn room_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let (is_made, waited) = session.room_made();
    let mut is_wanted = is_made;
    ui.horizontal(|ui| {
        let check = ui.checkbox(&mut is_wanted, "Make room while I work");
        let check = check.on_hover_text(
            "Between two steps the training waits for as long as the pointer moves, half a second \
             at most",
        );
        if check.changed() {
            commands.push(Command::PauseTraining(Pause::MakeRoom(is_wanted)));
        }
        if waited.as_secs() > 0 {
            let cost = text::duration(waited.as_secs_f64());
            ui.weak(format!("{cost} so far"));
        }
    });
}
