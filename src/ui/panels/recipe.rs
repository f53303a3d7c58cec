use egui::{ComboBox, DragValue, Grid, Ui};

use crate::job::{self, Job, JobEvent, Waker};
use crate::render::list_adapters;
use crate::session::{Session, TrainOn};
use crate::train::{DeviceChoice, EncoderKind, Family, Preset, Recipe};
use crate::ui::theme;

/// The recipe being put together for the next training.
#[derive(Debug, Default)]
pub struct TrainForm {
    /// How the next training will be done.
    pub recipe: Recipe,
    /// Whether all images of the opened folder are learned from.
    on_folder: bool,
    adapters: Adapters,
}

impl TrainForm {
    /// What the next training learns from.
    pub fn learn_from(&self, session: &Session) -> TrainOn {
        match session.list() {
            Some(list) if self.on_folder => TrainOn::Folder(list.folder.clone()),
            _ => TrainOn::OpenImage,
        }
    }
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

/// What is learned from, the preset and what differs from it.
pub fn recipe_ui(ui: &mut Ui, session: &Session, form: &mut TrainForm) {
    let adapters = form.adapters.names(ui.ctx()).to_vec();
    if let Some(list) = session.list() {
        ui.horizontal(|ui| {
            ui.selectable_value(&mut form.on_folder, false, "This image");
            let all = format!("The folder, {} images", list.entries.len());
            ui.selectable_value(&mut form.on_folder, true, all)
                .on_hover_text(
                    "Whole files are held out: those that the folder states, else a tenth",
                );
        });
    }
    let recipe = &mut form.recipe;
    network_ui(ui, recipe);
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
            number(ui, "Rate", rate, "Learning rate at its highest");
            ui.end_row();
        });
    ui.horizontal(|ui| {
        let label = ui.label("Device");
        device_ui(ui, &mut recipe.device, &adapters).labelled_by(label.id);
    });
}

/// Preset, family and encoder.
fn network_ui(ui: &mut Ui, recipe: &mut Recipe) {
    let like = |preset: &Preset| Recipe {
        device: recipe.device.clone(),
        ..preset.recipe()
    };
    let found = Preset::ALL
        .into_iter()
        .find(|preset| like(preset) == *recipe);
    let mut chosen = None;
    ui.horizontal(|ui| {
        let label = ui.label("Preset");
        ComboBox::from_id_salt("preset")
            .selected_text(found.map_or("changed", Preset::name))
            .width(180.0)
            .show_ui(ui, |ui| {
                for preset in Preset::ALL {
                    let row = ui.selectable_label(found == Some(preset), preset.name());
                    if row.on_hover_text(preset.help()).clicked() {
                        chosen = Some(like(&preset));
                    }
                }
            })
            .response
            .labelled_by(label.id);
    });
    if let Some(chosen) = chosen {
        *recipe = chosen;
    }
    let model = &mut recipe.model;
    ui.horizontal(|ui| {
        let label = ui.label("Network");
        ComboBox::from_id_salt("family")
            .selected_text(model.family.name())
            .width(104.0)
            .show_ui(ui, |ui| {
                for family in Family::ALL {
                    ui.selectable_value(&mut model.family, family, family.name())
                        .on_hover_text(format!("{} ({})", family.help(), family.paper()));
                }
            })
            .response
            .labelled_by(label.id);
        let label = ui.label("on");
        ComboBox::from_id_salt("encoder")
            .selected_text(model.encoder.name())
            .width(74.0)
            .show_ui(ui, |ui| {
                for encoder in EncoderKind::ALL {
                    ui.selectable_value(&mut model.encoder, encoder, encoder.name())
                        .on_hover_text(encoder.help());
                }
            })
            .response
            .labelled_by(label.id);
    });
    if let Err(why) = recipe.check() {
        ui.colored_label(theme::ERROR, why.to_string());
    }
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
