use egui::{Button, DragValue, RichText, Ui};

use super::plan::{seconds_an_epoch, time_words};
use crate::dataset::parts::{FoldUnit, PartWay};
use crate::session::{Command, FoldsOrder, QueueCommand, Session, TrainOn};
use crate::train::Recipe;
use crate::ui::panels::recipe::TrainForm;
use crate::ui::theme;
use crate::ui::view::CommandQueue;

/// How many portions, and what that takes; `true` when it was started.
pub fn folds_ui(
    ui: &mut Ui,
    session: &Session,
    folds: &mut u32,
    form: &TrainForm,
    commands: &mut CommandQueue,
) -> bool {
    let (recipe, on) = (&form.recipe, form.learn_from(session));
    ui.horizontal(|ui| {
        let label = ui.label("Portions");
        let drag = DragValue::new(folds).range(2..=20).speed(0.05);
        ui.add(drag).labelled_by(label.id);
        ui.weak(unit_words(recipe, &on));
    });
    ui.weak("Each portion validates once and the others are learned from, so the score is a mean with its deviation.");
    ui.add_space(theme::GRID);
    let epochs = u64::from(*folds) * u64::from(recipe.epochs);
    let time = time_words(epochs, seconds_an_epoch(session, recipe));
    ui.label(format!(
        "{folds} trainings of {} epochs; {time}",
        recipe.epochs
    ));
    let fault = recipe.check().err();
    if let Some(why) = &fault {
        theme::words(ui, theme::ERROR, why.to_string());
    }
    ui.add_space(theme::GRID);
    let start =
        Button::new(RichText::new("Start").strong()).fill(theme::ACCENT.gamma_multiply(0.6));
    let can_start = fault.is_none() && form.can_start(session) && !session.is_learning();
    let start = ui.add_enabled(can_start, start);
    let is_pressed = start
        .on_disabled_hover_text("Open an image with a label or a data set, and let what runs end")
        .clicked();
    if is_pressed {
        let order = Box::new(FoldsOrder {
            recipe: recipe.clone(),
            on,
            folds: Some(*folds),
            seeds: Vec::new(),
            folder: None,
        });
        commands.push(Command::Queue(QueueCommand::CrossValidate(order)));
    }
    is_pressed
}

/// What a portion is made of.
fn unit_words(recipe: &Recipe, on: &TrainOn) -> &'static str {
    const BLOCKS: &str = "of blocks of the image";
    if *on == TrainOn::OpenImage {
        return BLOCKS;
    }
    match recipe.parts().split {
        PartWay::Blocks { .. }
        | PartWay::KFold {
            unit: FoldUnit::Block { .. },
            ..
        } => BLOCKS,
        PartWay::ByGroup { .. } => "of whole groups of files",
        _ => "of whole files",
    }
}
