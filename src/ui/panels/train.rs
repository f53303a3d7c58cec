use egui::{ComboBox, DragValue, Grid, ProgressBar, RichText, Ui};

use crate::dataset::SplitKind;
use crate::job::{self, Job, JobEvent, Waker};
use crate::render::list_adapters;
use crate::session::{Command, LayerKind, Session, TrainOn, TrainingPhase, TrainingState};
use crate::train::{DeviceChoice, Recipe, TrainStatus};
use crate::ui::canvas::PaneLayout;
use crate::ui::dialogs::FileWish;
use crate::ui::view::{CommandQueue, View};
use crate::ui::{plots, text, theme};

/// The recipe being put together for the next training.
#[derive(Debug, Default)]
pub struct TrainForm {
    /// How the next training will be done.
    pub recipe: Recipe,
    adapters: Adapters,
}

/// The names of the graphics adapters; asking the drivers takes too long for a frame.
#[derive(Debug, Default)]
enum Adapters {
    #[default]
    Unknown,
    Asked(Job<Vec<String>>),
    Known(Vec<String>),
}

impl Adapters {
    fn names(&mut self, ctx: &egui::Context) -> &[String] {
        if matches!(self, Self::Unknown) {
            let ctx = ctx.clone();
            let asked = job::spawn(
                "adapters",
                Waker::new(move || ctx.request_repaint()),
                |job| {
                    let adapters = list_adapters().into_iter();
                    Ok(job.tell(adapters.map(|adapter| adapter.name).collect())?)
                },
            );
            *self = asked.map_or_else(|_| Self::Known(Vec::new()), Self::Asked);
        }
        if let Self::Asked(asked) = self
            && let Some(answer) = asked.try_next()
        {
            *self = match answer {
                JobEvent::Said(names) => Self::Known(names),
                _ => Self::Known(Vec::new()),
            };
        }
        match self {
            Self::Known(names) => names,
            _ => &[],
        }
    }
}

/// Recipe, progress, curves and results, in one panel that never blocks.
pub fn train_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let state = session.training();
    if state.is_running() {
        running_ui(ui, state, commands);
    } else {
        recipe_ui(ui, view);
        start_ui(ui, session, view, commands);
        outcome_ui(ui, session, view, commands);
    }
    if !state.rows.is_empty() || state.is_running() {
        curves_ui(ui, session);
    }
}

fn recipe_ui(ui: &mut Ui, view: &mut View) {
    let adapters = view.form.adapters.names(ui.ctx()).to_vec();
    let recipe = &mut view.form.recipe;
    let model = &recipe.model;
    ui.label(format!(
        "U-Net, {} filters, {} levels",
        model.base_filters, model.depth
    ))
    .on_hover_text("Trained from scratch");
    Grid::new("recipe")
        .num_columns(4)
        .spacing([10.0, 5.0])
        .show(ui, |ui| {
            let epochs = DragValue::new(&mut recipe.epochs).range(1..=1_000);
            number(
                ui,
                "Epochs",
                epochs,
                "Passes, each with a look at the held-out ground",
            );
            let batch = DragValue::new(&mut recipe.batch).range(1..=64);
            number(ui, "Batch", batch, "Patches in one step");
            ui.end_row();
            let patch = DragValue::new(&mut recipe.patch)
                .range(32..=1_024)
                .speed(32)
                .suffix(" px");
            number(ui, "Patch", patch, "Columns and rows of a patch");
            let rate = DragValue::new(&mut recipe.learning_rate)
                .range(1e-6..=1.0)
                .speed(1e-5)
                .max_decimals(6);
            number(ui, "Rate", rate, "Learning rate of AdamW at its highest");
            ui.end_row();
        });
    ui.horizontal(|ui| {
        let label = ui.label("Device");
        device_ui(ui, &mut recipe.device, &adapters).labelled_by(label.id);
    });
}

fn number(ui: &mut Ui, name: &str, value: DragValue<'_>, hover: &str) {
    let label = ui.label(name);
    ui.add(value).labelled_by(label.id).on_hover_text(hover);
}

fn device_ui(ui: &mut Ui, device: &mut DeviceChoice, adapters: &[String]) -> egui::Response {
    let shown = device.to_string();
    ComboBox::from_id_salt("device")
        .selected_text(shown)
        .width(180.0)
        .show_ui(ui, |ui| {
            let automatic = "Automatic: a GPU that passes the self-test, else the CPU";
            ui.selectable_value(device, DeviceChoice::Auto, "auto")
                .on_hover_text(automatic);
            ui.selectable_value(device, DeviceChoice::Cpu, "cpu");
            for name in adapters {
                ui.selectable_value(device, DeviceChoice::Named(name.clone()), name);
            }
        })
        .response
}

fn start_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    ui.add_space(theme::GRID);
    let has_label = session.layer(LayerKind::Label).is_some();
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
            on: TrainOn::OpenImage,
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

fn running_ui(ui: &mut Ui, state: &TrainingState, commands: &mut CommandQueue) {
    let epochs = state.recipe.as_ref().map_or(0, |recipe| recipe.epochs);
    ui.horizontal(|ui| {
        let (title, hover) = match &state.phase {
            TrainingPhase::Running { epoch, .. } => (format!("Epoch {epoch} of {epochs}"), ""),
            _ => (
                "Starting…".to_owned(),
                "Choosing the device and cutting the first patches",
            ),
        };
        ui.strong(title).on_hover_text(hover);
        if let Some(left) = state.seconds_left() {
            ui.weak(format!("{} left", text::duration(left)));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let stop = ui
                .button("Stop")
                .on_hover_text("Stops after this batch; the best network stays");
            if let Some(job) = state.job
                && stop.clicked()
            {
                commands.push(Command::StopJob(job));
            }
        });
    });
    if let TrainingPhase::Running { step, steps, .. } = state.phase {
        let share = step as f32 / steps.max(1) as f32;
        let loss = state
            .step_losses
            .last()
            .map_or_else(String::new, |loss| format!("loss {loss:.3}"));
        let note = format!("step {step} of {steps}   {loss}");
        ui.add(ProgressBar::new(share).text(note));
    } else {
        ui.add(ProgressBar::new(0.0).animate(true));
    }
    device_line(ui, state);
}

fn device_line(ui: &mut Ui, state: &TrainingState) {
    if let Some((name, reason)) = &state.device {
        ui.label(RichText::new(format!("On {name}")).small().weak())
            .on_hover_text(reason);
    }
}

fn outcome_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let state = session.training();
    match &state.phase {
        TrainingPhase::Failed(why) => {
            ui.colored_label(theme::ERROR, why);
        }
        TrainingPhase::Ended(report) => {
            ui.separator();
            let seconds = text::duration(report.seconds);
            let status = match report.status {
                TrainStatus::Finished => "finished",
                TrainStatus::Stopped => "stopped",
            };
            ui.label(format!(
                "Training {status} after {seconds}; best epoch {}",
                report.best_epoch
            ));
            device_line(ui, state);
        }
        _ => {}
    }
    if state.best_row().is_some() && session.prediction_state().job.is_none() {
        ui.horizontal_wrapped(|ui| {
            if ui.button("Predict this image").clicked() {
                commands.push(Command::Predict { run: None });
                view.layout = PaneLayout::Three;
                view.camera = None;
            }
            if session.layer(LayerKind::Prediction).is_some() && ui.button("Compare").clicked() {
                view.layout = PaneLayout::Three;
                view.camera = None;
            }
        });
    }
    if ui.link("Predict with another run…").clicked() {
        view.wish(FileWish::PredictWith);
    }
}

fn curves_ui(ui: &mut Ui, session: &Session) {
    let state = session.training();
    let best = state.best_row().map(|row| f64::from(row.epoch));
    ui.add_space(theme::GRID);
    ui.label(RichText::new("Loss").small().strong());
    plots::loss_plot(ui, &state.rows, best);
    ui.label(
        RichText::new("Mean IoU and pixel accuracy on the validation ground")
            .small()
            .strong(),
    );
    plots::score_plot(ui, &state.rows, best);
    if let Some(row) = state.best_row() {
        ui.label(
            RichText::new(format!("IoU of each class, epoch {}", row.epoch))
                .small()
                .strong(),
        );
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
