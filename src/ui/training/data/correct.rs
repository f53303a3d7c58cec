use std::path::{Path, PathBuf};

use egui::{CollapsingHeader, ComboBox, DragValue, Grid, RichText, Ui};

use super::correct_names::suffixes_ui;
use super::correct_values::{ignored_ui, off_palette_ui};
use super::page::corrected_look;
use crate::dataset::{Corrections, Discovery, MaskSource};
use crate::label::{Encoding, MIDDLE_GREY};
use crate::session::{Command, DataSet, Session, inspect_command};
use crate::ui::dialogs::FileWish;
use crate::ui::panels::recipe::TrainForm;
use crate::ui::view::{CommandQueue, View};

/// What can be said of a data set by naming a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// Where its images are.
    Images,
    /// Where their masks are.
    Masks,
    /// What its classes are.
    Classes,
}

impl Correction {
    const ALL: [Self; 3] = [Self::Images, Self::Masks, Self::Classes];

    const fn title(self) -> &'static str {
        match self {
            Self::Images => "Images are in",
            Self::Masks => "Masks are in",
            Self::Classes => "Classes are those of",
        }
    }

    const fn verb(self) -> &'static str {
        match self {
            Self::Images | Self::Masks => "Choose folder…",
            Self::Classes => "Choose list…",
        }
    }

    fn said(self, corrections: &mut Corrections) -> &mut Option<PathBuf> {
        match self {
            Self::Images => &mut corrections.images,
            Self::Masks => &mut corrections.masks,
            Self::Classes => &mut corrections.classes,
        }
    }

    /// Looks at the open data set again, with `path` for this.
    pub fn command(self, path: PathBuf, form: &TrainForm, session: &Session) -> Command {
        let (folder, mut corrections) = session.data().map_or_else(
            || (path.clone(), Corrections::default()),
            |data| (data.folder.clone(), data.corrections.clone()),
        );
        let path = std::path::absolute(&path).unwrap_or(path);
        *self.said(&mut corrections) = Some(path);
        corrected_look(&folder, form, corrections)
    }
}

/// How masks are read, where files are and what the classes are, each to be said otherwise.
pub fn correct_ui(
    ui: &mut Ui,
    data: &DataSet,
    discovery: Option<&Discovery>,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let title = if data.corrections.is_none() {
        "Recognized wrongly?"
    } else {
        "Corrected by hand"
    };
    // While nothing is found it is open, which says nothing of what is found then.
    let salt = ("corrections", discovery.is_some());
    let header = CollapsingHeader::new(RichText::new(title).small()).id_salt(salt);
    let header = header.default_open(discovery.is_none() || !data.corrections.is_none());
    let mut said = data.corrections.clone();
    header.show(ui, |ui| {
        Grid::new("corrections")
            .num_columns(3)
            .spacing([12.0, 5.0])
            .show(ui, |ui| {
                encoding_ui(ui, &mut said, discovery);
                threshold_ui(ui, &mut said, discovery);
                off_palette_ui(ui, &mut said, discovery);
                ignored_ui(ui, &mut said, discovery);
                for what in Correction::ALL {
                    path_ui(ui, what, &mut said, (data, discovery), view);
                }
                suffixes_ui(ui, &data.folder, &mut said);
            });
        let words = "Voids are nodata";
        ui.checkbox(&mut said.voids_are_nodata, words).on_hover_text(
            "Labels in areas of exactly white or black that reach the edge of an image, where it \
             was cut off, are neither learned from nor judged",
        );
        let line = inspect_command(&data.folder, &data.corrections);
        let copy = ui.button("Copy as command").on_hover_text(&line);
        if copy.clicked() {
            ui.ctx().copy_text(line);
        }
    });
    if said != data.corrections {
        commands.push(corrected_look(&data.folder, &view.form, said));
    }
}

const fn words(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Auto => "as recognized",
        Encoding::Index => "class indices",
        Encoding::Binary => "dark and bright",
        Encoding::Rgb => "colors of classes",
    }
}

fn encoding_ui(ui: &mut Ui, said: &mut Corrections, discovery: Option<&Discovery>) {
    let label = ui.label(RichText::new("Masks are read as").weak());
    let found = discovery.map(|discovery| &discovery.encoding);
    let shown = match (said.encoding, found) {
        (Encoding::Auto, Some(found)) if found.form != Encoding::Auto => {
            format!("{} (recognized)", words(found.form))
        }
        (encoding, _) => words(encoding).to_owned(),
    };
    let choice = ComboBox::from_id_salt("mask encoding").width(190.0);
    let choice = choice.selected_text(shown).show_ui(ui, |ui| {
        for encoding in [
            Encoding::Auto,
            Encoding::Index,
            Encoding::Binary,
            Encoding::Rgb,
        ] {
            ui.selectable_value(&mut said.encoding, encoding, words(encoding));
        }
    });
    if matches!(said.encoding, Encoding::Index | Encoding::Rgb) {
        // It would count again unseen when the encoding is taken back.
        said.threshold = None;
    }
    if said.encoding == Encoding::Binary {
        said.off_palette = None;
    }
    choice.response.labelled_by(label.id);
    if let Some(found) = found {
        ui.label(RichText::new(format!("{}.", found.why)).small().weak());
    }
    ui.end_row();
}

/// Where dark ends and bright begins, of masks that are black and white.
fn threshold_ui(ui: &mut Ui, said: &mut Corrections, discovery: Option<&Discovery>) {
    let found = discovery.map(|discovery| &discovery.encoding);
    let recognized = found.map_or(Encoding::Auto, |found| found.form);
    let is_black_and_white = match said.encoding {
        Encoding::Auto => recognized == Encoding::Binary || said.threshold.is_some(),
        stated => stated == Encoding::Binary,
    };
    if !is_black_and_white {
        return;
    }
    let label = ui.label(RichText::new("Bright from").weak());
    let stated = said.threshold.unwrap_or(MIDDLE_GREY);
    let id = egui::Id::unique("mask threshold");
    let pending: Option<u8> = ui.data(|data| data.get_temp(id));
    let mut grey = pending.unwrap_or(stated);
    let drag = DragValue::new(&mut grey).range(1..=255);
    let response = ui.add(drag.update_while_editing(false));
    let response = response.labelled_by(label.id).on_hover_text(
        "Greys of masks from this on count as white, darker ones as black; of samples of more than \
         8 bits, in proportion",
    );
    // All files are looked at again, which is not done for each step of a drag.
    if response.dragged() || response.has_focus() {
        ui.data_mut(|data| data.insert_temp(id, grey));
    } else {
        ui.data_mut(|data| data.remove_temp::<u8>(id));
        if grey != stated {
            said.threshold = Some(grey);
        }
    }
    if said.threshold.is_none() {
        ui.label(RichText::new("The middle of 8 bits.").small().weak());
    } else if ui.button("In the middle").clicked() {
        said.threshold = None;
    }
    ui.end_row();
}

fn path_ui(
    ui: &mut Ui,
    what: Correction,
    said: &mut Corrections,
    (data, discovery): (&DataSet, Option<&Discovery>),
    view: &mut View,
) {
    ui.label(RichText::new(what.title()).weak());
    let path = what.said(said);
    let shown = match path.as_deref() {
        Some(path) => shortened(path, &data.folder),
        None => recognized(what, data, discovery),
    };
    let label = ui.add(egui::Label::new(shown).truncate());
    if let Some(path) = path.as_deref() {
        label.on_hover_text(path.display().to_string());
    }
    ui.horizontal(|ui| {
        if ui.button(what.verb()).clicked() {
            view.wish(FileWish::Correct(what));
        }
        if path.is_some() && ui.button("As recognized").clicked() {
            *path = None;
        }
    });
    ui.end_row();
}

/// What was found where nothing is said.
fn recognized(what: Correction, data: &DataSet, discovery: Option<&Discovery>) -> String {
    let Some(discovery) = discovery else {
        return "not recognized".to_owned();
    };
    let sample = discovery.samples.iter();
    let mut with_mask = sample.filter(|sample| sample.mask.is_some());
    let sample = with_mask.next().or_else(|| discovery.samples.first());
    let folder_of = |path: &Path| {
        path.parent().map_or_else(String::new, |folder| {
            format!("{} (recognized)", shortened(folder, &data.folder))
        })
    };
    match what {
        Correction::Images => sample.map_or_else(String::new, |sample| folder_of(&sample.image)),
        Correction::Masks => match sample.and_then(|sample| sample.mask.as_ref()) {
            Some(MaskSource::File(path)) => folder_of(path),
            Some(MaskSource::Rle { table, .. }) => shortened(table, &data.folder),
            None => "none found".to_owned(),
        },
        Correction::Classes => {
            let count = discovery
                .classes
                .as_ref()
                .map_or(0, |classes| classes.classes().len());
            let from = if discovery.are_classes_made {
                "made of the masks' values"
            } else {
                "recognized"
            };
            format!("{count} classes ({from})")
        }
    }
}

fn shortened(path: &Path, folder: &Path) -> String {
    match path.strip_prefix(folder) {
        Ok(within) if within.as_os_str().is_empty() => "the folder itself".to_owned(),
        Ok(within) => within.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}
