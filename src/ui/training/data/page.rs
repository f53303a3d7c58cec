use std::path::Path;

use egui::{ProgressBar, RichText, Ui};

use super::classes::classes_ui;
use super::contact::{ContactSheet, contact_ui};
use super::correct::correct_ui;
use super::facts::{facts_ui, tiles_ui};
use super::problems::{leaks_ui, problem_ui, problems_ui};
use crate::dataset::{Corrections, Discovery, Inspection};
use crate::session::{Command, DataCommand, DataPhase, DataSet, Session};
use crate::train::Preset;
use crate::ui::dialogs::FileWish;
use crate::ui::panels::recipe::TrainForm;
use crate::ui::stop::stop_ui;
use crate::ui::training::curves::heading;
use crate::ui::training::recipe::{ask_parts, counts_ui};
use crate::ui::view::{CommandQueue, View};
use crate::ui::{text, theme};

/// Below this width facts stand under the classes.
const SIDE_BY_SIDE: f32 = 860.0;

/// What is to be known of a data set before it is learned from.
pub fn data_ui(
    ui: &mut Ui,
    session: &Session,
    sheet: &mut ContactSheet,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let Some(data) = session.data() else {
        return empty_ui(ui, session, view, commands);
    };
    head_ui(ui, data, session, view, commands);
    let Some(discovery) = &data.discovery else {
        // Nothing was found as it is; something may be said of it.
        return correct_ui(ui, data, None, view, commands);
    };
    if !discovery.datasets.is_empty() {
        several_ui(ui, (data, discovery), &mut view.form, commands);
        // Their files may be one, which names tell.
        return correct_ui(ui, data, None, view, commands);
    }
    recognized_ui(ui, (&data.folder, discovery), &mut view.form);
    correct_ui(ui, data, Some(discovery), view, commands);
    ui.add_space(theme::GRID);
    tiles_ui(ui, discovery, data.inspection.as_deref());
    ui.add_space(theme::GRID);
    if let Some(leaks) = &data.leaks {
        if data.parts != view.form.recipe.parts() {
            let words = "What the parts share is of another split than the recipe's; look again.";
            theme::words(ui, theme::WARNING, words);
        }
        leaks_ui(ui, leaks, "The parts");
    }
    if let Some(inspection) = &data.inspection {
        inspected_ui(ui, inspection, discovery);
    }
    heading(ui, "Samples");
    let parts = ask_parts(data, &view.form, commands);
    let parts = parts.and_then(|parts| parts.as_deref().ok());
    if let Some(parts) = parts {
        counts_ui(ui, parts);
    }
    contact_ui(ui, (data, discovery, parts), sheet, commands);
    ui.add_space(4.0 * theme::GRID);
}

fn empty_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    ui.add_space(60.0);
    ui.vertical_centered(|ui| {
        ui.heading("No data set is open");
        ui.weak("A folder of images and masks in any usual arrangement: what it is, what is in it and what is wrong with it is shown here before anything is learned from it.");
        ui.add_space(2.0 * theme::GRID);
        if ui.button("Open dataset…").clicked() {
            view.wish(FileWish::OpenDataset);
        }
        if let Some(list) = session.list() {
            let look = ui.button("Look at the open folder");
            if look.on_hover_text(list.folder.display().to_string()).clicked() {
                commands.push(look_at(&list.folder, &view.form));
            }
        }
    });
}

/// The command that looks at a folder, with the parts that the recipe would make.
pub fn look_at(folder: &Path, form: &TrainForm) -> Command {
    corrected_look(folder, form, Corrections::default())
}

/// As [`look_at`], with what is corrected of what is recognized.
pub fn corrected_look(folder: &Path, form: &TrainForm, corrections: Corrections) -> Command {
    Command::Data(DataCommand::Look {
        folder: folder.to_owned(),
        parts: Box::new(form.recipe.parts()),
        corrections,
    })
}

fn head_ui(
    ui: &mut Ui,
    data: &DataSet,
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    ui.horizontal_wrapped(|ui| {
        let name = data.folder.file_name().unwrap_or(data.folder.as_os_str());
        ui.heading(name.to_string_lossy())
            .on_hover_text(data.folder.display().to_string());
        if ui.button("Open dataset…").clicked() {
            view.wish(FileWish::OpenDataset);
        }
        match data.job {
            Some(job) => {
                let help = "What was found until then stays";
                stop_ui(ui, session, job, ("Stop", help), commands);
            }
            None => {
                if ui.button("Look again").clicked() {
                    let corrections = data.corrections.clone();
                    commands.push(corrected_look(&data.folder, &view.form, corrections));
                }
            }
        }
        learn_ui(ui, data, view);
    });
    match &data.phase {
        DataPhase::Looking => {
            let activity = data.job.and_then(|job| session.activity(job));
            let share = activity.and_then(|activity| activity.progress);
            let bar = ProgressBar::new(share.unwrap_or(0.0)).desired_width(320.0);
            ui.add(bar.text("Reading the files; what is known is shown already"));
        }
        DataPhase::Failed(why) => {
            theme::words(ui, theme::ERROR, why);
        }
        DataPhase::Seen => {}
    }
}

fn learn_ui(ui: &mut Ui, data: &DataSet, view: &mut View) {
    let mut is_chosen = view.form.data.as_ref() == Some(&data.folder);
    let learn = egui::Checkbox::new(&mut is_chosen, "Learn from it");
    let learn = ui.add_enabled(data.has_masks(), learn);
    if learn
        .on_hover_text("The next training learns from this data set")
        .on_disabled_hover_text("No image with a mask was found in it")
        .changed()
    {
        let chosen = is_chosen.then(|| data.folder.clone());
        view.form.choose(chosen, false);
    }
}

fn several_ui(
    ui: &mut Ui,
    (data, discovery): (&DataSet, &Discovery),
    form: &mut TrainForm,
    commands: &mut CommandQueue,
) {
    ui.label("The folder holds several data sets. Choose one:");
    for folder in &discovery.datasets {
        if ui.link(folder.display().to_string()).clicked() {
            form.open_data(folder);
            commands.push(look_at(folder, form));
        }
    }
    if let Some(widths) = &data.widths {
        ui.add_space(theme::GRID);
        problem_ui(ui, 0, widths);
    }
    if let Some(leaks) = &data.leaks {
        ui.add_space(theme::GRID);
        leaks_ui(ui, leaks, "The data sets");
    }
}

/// What it is and why, and what to know about it.
fn recognized_ui(ui: &mut Ui, (folder, discovery): (&Path, &Discovery), form: &mut TrainForm) {
    ui.horizontal_wrapped(|ui| {
        ui.strong(discovery.layout.kind.name());
        ui.label(RichText::new(format!("{}.", discovery.layout.why)).weak());
        if let Some(preset) = Preset::fitting(discovery.layout.kind)
            && form.preset() != Some(preset)
            && ui
                .link(format!("Learn from it with the preset {}", preset.name()))
                .on_hover_text(preset.help())
                .clicked()
        {
            form.take_preset(preset);
            form.choose(Some(folder.to_owned()), false);
        }
    });
    for note in &discovery.notes {
        ui.add(egui::Label::new(RichText::new(format!("{note}.")).weak()).wrap());
    }
    if !discovery.ignored.is_empty() {
        let names = discovery.ignored.iter().map(|class| class.name.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        ui.label(RichText::new(format!("Counted as unlabeled: {names}.")).weak());
    }
}

fn inspected_ui(ui: &mut Ui, inspection: &Inspection, discovery: &Discovery) {
    heading(ui, "Problems, the worst first");
    problems_ui(ui, inspection);
    if inspection.is_cancelled {
        let (looked, all) = (inspection.num_looked, inspection.num_samples);
        let samples = text::of_all(looked as u64, all as u64);
        let words = format!("Stopped: the numbers below are of {samples} samples.");
        theme::words(ui, theme::WARNING, words);
    }
    let classes = |ui: &mut Ui| {
        heading(ui, "Classes");
        classes_ui(ui, inspection, discovery);
    };
    let facts = |ui: &mut Ui| {
        heading(ui, "Files");
        facts_ui(ui, inspection);
    };
    if ui.available_width() < SIDE_BY_SIDE {
        classes(ui);
        facts(ui);
        return;
    }
    ui.horizontal_top(|ui| {
        ui.vertical(classes);
        ui.add_space(4.0 * theme::GRID);
        ui.vertical(facts);
    });
}
