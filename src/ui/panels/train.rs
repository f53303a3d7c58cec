use egui::{Button, Link, Popup, ProgressBar, RichText, Ui};

use super::recipe::{memory_ui, recipe_ui, remedies_ui};
use crate::dataset::SplitKind;
use crate::session::{
    Command, FinetuneCommand, LayerKind, Session, TrainOn, TrainingPhase, TrainingState,
};
use crate::train::TrainStatus;
use crate::ui::dialogs::FileWish;
use crate::ui::predicting::{
    can_predict, go_on_ui, predict_there, runs_menu, show_prediction, where_ui, why_not,
};
use crate::ui::stop::stop_ui;
use crate::ui::training::{Page, entries_ui, has_trials, pause_ui, room_ui};
use crate::ui::view::{CommandQueue, View};
use crate::ui::{plots, text, theme};

/// Recipe, progress, curves and results, in one panel that never blocks.
pub fn train_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let state = session.training();
    if state.is_running() {
        running_ui(ui, session, commands);
        offered_ui(ui, state, view);
    } else if session.is_learning() {
        ui.weak("A search or a cross-validation prepares its next training…");
    } else {
        recipe_ui(ui, session, &mut view.form);
        if !memory_ui(ui, &mut view.form) {
            offered_ui(ui, state, view);
        }
        let all = ui.link("All of the recipe…");
        if all
            .on_hover_text("Every choice, with help and a preview (Ctrl+F8)")
            .clicked()
        {
            view.training.open(Page::Recipe);
        }
        start_ui(ui, session, view, commands);
        ui.horizontal_wrapped(|ui| {
            let parts = (&mut view.training.sheet, &view.form);
            entries_ui(ui, session, parts, commands);
        });
        outcome_ui(ui, session, commands);
    }
    predict_ui(ui, session, view, commands);
    if !session.is_learning() {
        others_ui(ui, session, view, commands);
    }
    if session.is_learning() && has_trials(session) && ui.link("All trials…").clicked() {
        view.training.open(Page::Trials);
    }
    if !state.rows.is_empty() || state.is_running() {
        let area = ui.link("Classes, confusion, samples and other runs…");
        if area.on_hover_text("The training area (F8)").clicked() {
            view.training.open(Page::Run);
        }
        curves_ui(ui, session);
    }
}

/// What helps a training whose steps did not fit into the memory at once, for the next one.
fn offered_ui(ui: &mut Ui, state: &TrainingState, view: &mut View) {
    if state.remedies.is_empty() {
        return;
    }
    let words = "A step did not fit into the memory at once. For the next training:";
    theme::words(ui, theme::WARNING, words);
    remedies_ui(ui, &mut view.form.recipe, &state.remedies);
}

fn start_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    ui.add_space(theme::GRID);
    let on = view.form.learn_from(session);
    let has_label = view.form.can_start(session);
    let train =
        egui::Button::new(RichText::new("Train").strong()).fill(theme::ACCENT.gamma_multiply(0.6));
    let wide = egui::vec2(ui.available_width(), 28.0);
    let response = ui
        .add_enabled_ui(has_label, |ui| ui.add_sized(wide, train))
        .inner;
    if response.clicked() {
        let recipe = Box::new(view.form.recipe.clone());
        commands.push(Command::StartTraining {
            recipe,
            on,
            out: None,
        });
    }
    if has_label {
        response.on_hover_text("Trains on the label as it is now; painting goes on (Ctrl+T)");
    } else {
        response.on_disabled_hover_text("There is no label to learn from yet");
        ui.weak("Paint a label or open one first.");
    }
}

pub(super) fn running_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let state = session.training();
    let epochs = state.recipe.as_ref().map_or(0, |recipe| recipe.epochs);
    ui.horizontal(|ui| {
        let (title, hover) = match &state.phase {
            TrainingPhase::Running { epoch, .. } => {
                let place = text::of_all(u64::from(*epoch), u64::from(epochs));
                (format!("Epoch {place}"), "")
            }
            _ => (
                state.trying.map_or("Starting…", |it| it.0).to_owned(),
                "Choosing the device and cutting the first patches. What the training takes is \
                 said as soon as some steps are measured",
            ),
        };
        ui.strong(title).on_hover_text(hover);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let help = if session.finetuning().is_running() {
                "Stops after this batch and compares what was learned so far with the model before"
            } else {
                "Stops after this batch; the best network stays, and it can go on"
            };
            if let Some(job) = state.job {
                stop_ui(ui, session, job, ("Stop", help), commands);
            }
            pause_ui(ui, state, commands);
            if let Some(left) = state.seconds_left() {
                // In the room that is left, from its beginning on.
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    let words = RichText::new(format!("{} left", text::duration(left))).weak();
                    let left = ui.add(egui::Label::new(words).truncate());
                    if let Some(forecast) = &state.forecast {
                        left.on_hover_text(forecast.to_string());
                    }
                });
            }
        });
    });
    if let TrainingPhase::Running { step, steps, .. } = state.phase {
        let share = step as f32 / steps.max(1) as f32;
        let loss = state
            .step_losses
            .last()
            .map_or_else(String::new, |(_, loss)| format!("loss {loss:.3}"));
        let place = if session.prediction_state().waiting().is_some() {
            "waits for the prediction".to_owned()
        } else if state.is_judging() {
            "judging the epoch".to_owned()
        } else {
            let done = text::of_all(u64::from(step), u64::from(steps));
            format!("step {done}")
        };
        let note = format!("{place}   {loss}");
        ui.add(ProgressBar::new(share).text(note));
    } else {
        ui.add(ProgressBar::new(0.0));
    }
    room_ui(ui, session, commands);
    device_line(ui, state);
}

/// What it is computed on, and which part of the network learns.
fn device_line(ui: &mut Ui, state: &TrainingState) {
    if let Some((name, reason)) = &state.device {
        ui.label(RichText::new(format!("On {name}")).small().weak())
            .on_hover_text(reason);
    }
    if let Some(how) = &state.explained {
        ui.label(RichText::new(how).small().weak());
    }
}

fn outcome_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let state = session.training();
    match &state.phase {
        TrainingPhase::Failed(why) => {
            theme::words(ui, theme::ERROR, why);
        }
        TrainingPhase::Ended(report) => {
            ui.separator();
            ui.label(ended_words(report.status, report.best_epoch, state));
            device_line(ui, state);
        }
        _ => {}
    }
    if let Some(run) = state.resumable()
        && ui
            .button("Go on with this training")
            .on_hover_text("From where it was, as if it had never stopped")
            .clicked()
    {
        commands.push(Command::StartTraining {
            recipe: Box::default(),
            on: TrainOn::Resume(run.to_owned()),
            out: None,
        });
    }
}

/// What other runs are good for.
fn others_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let link = Link::new("Predict with another run…");
    let link = ui.add_enabled(can_predict(session), link);
    Popup::menu(&link).show(|ui| runs_menu(ui, session, view, commands));
    if ui.link("Go on with another run…").clicked() {
        view.wish(FileWish::Resume);
    }
}

/// How a training ended, with the time that the run's page tells: that of all epochs that ended.
fn ended_words(status: TrainStatus, best_epoch: u32, state: &TrainingState) -> String {
    let rows = &state.rows;
    let status = match status {
        TrainStatus::Finished => "finished",
        TrainStatus::Stopped => "stopped",
    };
    if best_epoch == 0 {
        return format!("Training {status}; no epoch was finished");
    }
    let noun = if rows.len() == 1 { "epoch" } else { "epochs" };
    let seconds = text::duration(rows.iter().map(|row| row.seconds).sum());
    let num_epochs = rows.len();
    let kept = if state.chooses() { "best" } else { "last" };
    format!("Training {status}, {num_epochs} {noun} in {seconds}; {kept} epoch {best_epoch}")
}

/// Predicts with the model in use, where that is chosen to be; one that was just trained beside
/// another in use can take its place.
fn predict_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let state = session.training();
    let used = session.model_in_use();
    if session.image().is_none() || (used.is_none() && session.is_learning()) {
        return;
    }
    ui.add_space(theme::GRID);
    ui.horizontal_wrapped(|ui| where_ui(ui, session, view));
    let is_trained = !session.is_learning() && state.best_row().is_some();
    let trained = state.run.clone().filter(|_| is_trained);
    let other = trained.filter(|run| used.as_ref() != Some(run));
    ui.horizontal_wrapped(|ui| {
        if let Some(used) = used {
            let used = used.file_name().unwrap_or_default().to_string_lossy();
            let name = if other.is_some() {
                format!("Predict with {used}")
            } else {
                "Predict".to_owned()
            };
            let why_not = why_not(session, view);
            let button = ui.add_enabled(why_not.is_none(), Button::new(name));
            let button = button.on_hover_text(format!("With the model in use: {used}"));
            let button = button.on_disabled_hover_text(why_not.unwrap_or_default());
            if button.clicked() {
                commands.push(predict_there(None, session, view));
            }
        }
        if let Some(run) = other {
            let help = "Predictions and the next improvement start from it, not from the model \
                        that was chosen before";
            if ui.button("Use this model").on_hover_text(help).clicked() {
                commands.push(Command::Finetune(FinetuneCommand::Activate { run }));
            }
        }
        if session.layer(LayerKind::Prediction).is_some() && ui.button("Compare").clicked() {
            show_prediction(session, view);
        }
    });
    if let Some(title) = session.computes_long() {
        let words = format!("“{title}” waits between two steps until a prediction is there");
        ui.label(RichText::new(words).small().weak());
    }
    go_on_ui(ui, session, view, commands);
}

fn curves_ui(ui: &mut Ui, session: &Session) {
    let state = session.training();
    let best = state.chosen_row().map(|row| f64::from(row.epoch));
    ui.add_space(theme::GRID);
    plots::loss_plot(ui, &state.rows, best);
    plots::score_plot(ui, &state.rows, best, state.ground());
    if let Some(row) = state.best_row() {
        ui.label(
            RichText::new(format!("IoU of each class, epoch {}", row.epoch))
                .small()
                .strong(),
        );
        theme::ground(ui, state.ground());
        plots::class_bars(ui, session, row);
    }
    if let Some(last) = state.rows.last() {
        let rate = format!(
            "Learning rate {:.1e}, {} an epoch",
            last.lr,
            text::duration(last.seconds)
        );
        ui.label(RichText::new(rate).small().weak());
    }
    if let Some(split) = &state.split {
        let kind = match split.kind {
            SplitKind::Blocks => "whole blocks held out",
            SplitKind::Files => "whole files held out",
        };
        let note = format!(
            "Split: {}. {} training and {} validation pixels",
            kind,
            text::grouped(split.train_pixels),
            text::grouped(split.validation_pixels)
        );
        ui.label(RichText::new(note).small().weak());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{BestBy, EpochRow, Recipe};

    #[test]
    fn the_time_of_a_training_is_that_of_its_epochs() {
        let row = EpochRow {
            seconds: 19.0,
            ..EpochRow::default()
        };
        let mut state = TrainingState {
            rows: vec![row.clone(), row],
            ..TrainingState::default()
        };
        let words = |best, state: &TrainingState| ended_words(TrainStatus::Stopped, best, state);
        let expected = "Training stopped, 2 epochs in 38 s; best epoch 2";
        assert_eq!(words(2, &state), expected);
        let none = "Training stopped; no epoch was finished";
        assert_eq!(words(0, &state), none);
        // Nothing chooses.
        state.recipe = Some(Recipe {
            best_by: BestBy::Latest,
            ..Recipe::default()
        });
        let expected = "Training stopped, 2 epochs in 38 s; last epoch 2";
        assert_eq!(words(2, &state), expected);
    }
}
