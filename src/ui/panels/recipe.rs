use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{ComboBox, DragValue, Grid, Ui};

use crate::job::{self, Job, JobEvent, Waker};
use crate::render::list_adapters;
use crate::session::{DataSet, LayerKind, Session, TrainOn};
use crate::train::{DeviceChoice, EncoderKind, Family, Preset, Recipe, Remedy, fit_of_processor};
use crate::ui::dialogs::FileWish;
use crate::ui::predicting::PredictOn;
use crate::ui::training::Draft;
use crate::ui::{text, theme};

/// The recipe being put together for the next training.
#[derive(Debug)]
pub struct TrainForm {
    /// How the next training will be done.
    pub recipe: Recipe,
    /// Whether all images of the opened folder are learned from.
    on_folder: bool,
    /// A data set that is learned from instead of what is open.
    pub data: Option<PathBuf>,
    /// A data set that was opened, until it is known whether it can be learned from.
    opened: Option<PathBuf>,
    /// Whether a person chose among image, folder and data set.
    is_by_hand: bool,
    /// The preset or file that the recipe began as.
    pub base: Recipe,
    /// The file that was taken over last.
    pub taken: Option<Arc<Recipe>>,
    /// Only fields that say this are shown.
    pub searched: String,
    /// A word that is being typed into the recipe.
    pub draft: Draft,
    /// A file that the form asks for.
    pub wish: Option<FileWish>,
    /// Why the last change made no recipe.
    pub refused: Option<String>,
    /// Where the next prediction is made.
    pub predict_on: PredictOn,
    adapters: Adapters,
}

impl Default for TrainForm {
    fn default() -> Self {
        let recipe = Preset::Balanced.recipe();
        Self {
            base: recipe.clone(),
            recipe,
            on_folder: false,
            data: None,
            opened: None,
            is_by_hand: false,
            taken: None,
            searched: String::new(),
            draft: Draft::default(),
            wish: None,
            refused: None,
            predict_on: PredictOn::default(),
            adapters: Adapters::default(),
        }
    }
}

impl TrainForm {
    /// Whether there is something to learn from.
    pub fn can_start(&self, session: &Session) -> bool {
        self.learn_from(session) != TrainOn::OpenImage || has_label(session)
    }

    /// A person chose what the next training learns from: a data set, or of what is open the folder
    /// or the image.
    pub fn choose(&mut self, data: Option<PathBuf>, on_folder: bool) {
        (self.data, self.on_folder) = (data, on_folder);
        (self.opened, self.is_by_hand) = (None, true);
    }

    /// Who opens a data set means to learn from it; whether one can is known later.
    pub fn open_data(&mut self, folder: &Path) {
        self.opened = Some(folder.to_owned());
    }

    /// Learns from a data set that was opened as soon as masks were found in it, unless a person
    /// chose image or folder and the image has a label.
    pub fn follow_data(&mut self, session: &Session) {
        let data = session.data();
        let found = data.filter(|data| self.opened.as_ref() == Some(&data.folder));
        if !found.is_some_and(DataSet::has_masks) {
            return;
        }
        let opened = self.opened.take();
        if !self.is_by_hand || self.data.is_some() || !has_label(session) {
            self.data = opened;
        }
    }

    /// The preset that the recipe is, wherever it computes.
    pub fn preset(&self) -> Option<Preset> {
        self.preset_like(&self.recipe)
    }

    /// The preset that the recipe began as, wherever it computed.
    fn preset_before(&self) -> Option<Preset> {
        let began = Recipe {
            device: self.recipe.device.clone(),
            ..self.base.clone()
        };
        self.preset_like(&began)
    }

    fn preset_like(&self, recipe: &Recipe) -> Option<Preset> {
        let is_it = |preset: &Preset| self.with_device(*preset) == *recipe;
        Preset::ALL.into_iter().find(is_it)
    }

    /// Takes the recipe of a preset; where it computes stays.
    pub fn take_preset(&mut self, preset: Preset) {
        self.recipe = self.with_device(preset);
        self.base = self.recipe.clone();
    }

    fn with_device(&self, preset: Preset) -> Recipe {
        Recipe {
            device: self.recipe.device.clone(),
            ..preset.recipe()
        }
    }

    /// What the next training learns from.
    pub fn learn_from(&self, session: &Session) -> TrainOn {
        if let Some(data) = &self.data {
            let seen = session.data().filter(|seen| seen.folder == *data);
            return match seen.map(|seen| &seen.corrections) {
                Some(said) if !said.is_none() => TrainOn::Corrected(data.clone(), said.clone()),
                _ => TrainOn::Folder(data.clone()),
            };
        }
        match session.list() {
            Some(list) if self.on_folder => TrainOn::Folder(list.folder.clone()),
            _ => TrainOn::OpenImage,
        }
    }
}

/// What is missing where there is nothing to learn from.
pub fn missing(session: &Session) -> &'static str {
    match session.data() {
        Some(data) if data.has_masks() => {
            "The data set is not learned from: tick “Learn from it” on the Data page"
        }
        Some(data) if data.job.is_some() => "The data set is still being looked at",
        Some(_) => {
            "Nothing in the data set has a mask; open an image with a label, or another data set"
        }
        None => "Open an image with a label, or a data set",
    }
}

fn has_label(session: &Session) -> bool {
    session.layer(LayerKind::Label).is_some()
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
    source_ui(ui, session, form);
    network_ui(ui, form);
    let recipe = &mut form.recipe;
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
    device_ui(ui, form);
}

/// What is learned from, where there is more than one thing.
pub fn source_ui(ui: &mut Ui, session: &Session, form: &mut TrainForm) {
    let (list, data) = (session.list(), session.data());
    if list.is_none() && data.is_none() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let (on_data, on_folder) = (form.data.is_some(), form.on_folder);
        if session.image().is_some() {
            let is_image = !on_data && !on_folder;
            if ui.selectable_label(is_image, "This image").clicked() {
                form.choose(None, false);
            }
        }
        if let Some(list) = list {
            let images = text::count_of(list.entries.len(), "image");
            let all = format!("The folder, {images}");
            let folder = ui.selectable_label(!on_data && on_folder, all);
            let help = "Whole files are held out: those that the folder states, else a tenth";
            if folder.on_hover_text(help).clicked() {
                form.choose(None, true);
            }
        }
        if let Some(data) = data {
            let name = data.folder.file_name().unwrap_or(data.folder.as_os_str());
            let words = format!("Data set {}", name.to_string_lossy());
            let set = ui.selectable_label(form.data.as_ref() == Some(&data.folder), words);
            if set
                .on_hover_text(data.folder.display().to_string())
                .clicked()
            {
                form.choose(Some(data.folder.clone()), false);
            }
        }
    });
}

/// Preset, family and encoder.
pub fn network_ui(ui: &mut Ui, form: &mut TrainForm) {
    preset_ui(ui, form);
    let model = &mut form.recipe.model;
    let before = (model.family, model.encoder);
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
    if before != (model.family, model.encoder) {
        // Each has a width of its own.
        model.width = None;
    }
    let fault = form.recipe.check().err().map(|why| why.to_string());
    if let Some(why) = form.refused.as_ref().or(fault.as_ref()) {
        theme::words(ui, theme::ERROR, why);
    }
}

fn preset_ui(ui: &mut Ui, form: &mut TrainForm) {
    let found = form.preset();
    let words = match (found, form.preset_before()) {
        (Some(preset), _) => preset.name().to_owned(),
        (None, Some(before)) => format!("{}, changed", before.name()),
        (None, None) => "changed".to_owned(),
    };
    let mut chosen = None;
    ui.horizontal(|ui| {
        let label = ui.label("Preset");
        ComboBox::from_id_salt("preset")
            .selected_text(words)
            .width(180.0)
            .show_ui(ui, |ui| {
                for preset in Preset::ALL {
                    let row = ui.selectable_label(found == Some(preset), preset.name());
                    if row.on_hover_text(preset.help()).clicked() {
                        chosen = Some(preset);
                    }
                }
            })
            .response
            .labelled_by(label.id);
    });
    if let Some(chosen) = chosen {
        form.take_preset(chosen);
    }
}

fn number(ui: &mut Ui, name: &str, value: DragValue<'_>, hover: &str) {
    let label = ui.label(name);
    ui.add(value).labelled_by(label.id).on_hover_text(hover);
}

/// What helps where a step of the next training does not fit into the memory that is free now;
/// whether there is anything.
pub fn memory_ui(ui: &mut Ui, form: &mut TrainForm) -> bool {
    let has_adapters = !form.adapters.names(ui.ctx()).is_empty();
    let works = form.recipe.check().is_ok();
    let Some(fit) = fit_of_processor(&form.recipe, has_adapters).filter(|_| works) else {
        return false;
    };
    let remedies = Remedy::of(&form.recipe, fit.piece);
    theme::words(ui, theme::WARNING, fit.shortage(&form.recipe));
    remedies_ui(ui, &mut form.recipe, &remedies);
    true
}

/// Changes of the recipe, each by a press.
pub fn remedies_ui(ui: &mut Ui, recipe: &mut Recipe, remedies: &[Remedy]) {
    ui.horizontal_wrapped(|ui| {
        for remedy in remedies {
            let changed = remedy.applied(recipe);
            let button = egui::Button::new(remedy.title()).small();
            let button = ui.add_enabled(changed != *recipe, button);
            let words = format!("{}: {}", remedy.lines(), remedy.help());
            if button.on_hover_text(words).clicked() {
                *recipe = changed;
            }
        }
    });
}

/// What is said of the choice of a device.
pub const DEVICE_HELP: &str = "Where the next training computes: a graphics card or the processor";

/// Where the next training computes.
pub fn device_ui(ui: &mut Ui, form: &mut TrainForm) {
    let adapters = form.adapters.names(ui.ctx()).to_vec();
    ui.horizontal(|ui| {
        let label = ui.label("Device");
        let device = &mut form.recipe.device;
        device_choice_ui(ui, device, &adapters)
            .labelled_by(label.id)
            .on_hover_text(DEVICE_HELP);
    });
}

fn device_choice_ui(ui: &mut Ui, device: &mut DeviceChoice, adapters: &[String]) -> egui::Response {
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
