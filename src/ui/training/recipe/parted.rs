use std::sync::Arc;

use egui::{Label, RichText, Ui};

use crate::dataset::{Part, SetParts};
use crate::session::{Command, DataCommand, DataSet, Session, TrainOn};
use crate::ui::panels::recipe::TrainForm;
use crate::ui::view::CommandQueue;
use crate::ui::{text, theme};

/// Fewer images with masks are not split as files.
const FEWEST: usize = 2;

/// The parts that the recipe makes of the files of the data set that is looked at, or why it makes
/// none; `None` until they are known, and where no files are split.
pub fn ask_parts<'a>(
    data: &'a DataSet,
    form: &TrainForm,
    commands: &mut CommandQueue,
) -> Option<&'a Result<Arc<SetParts>, String>> {
    let samples = &data.discovery.as_ref()?.samples;
    let masks = samples.iter().filter(|sample| sample.mask.is_some());
    if masks.take(FEWEST).count() < FEWEST {
        return None;
    }
    let rule = form.recipe.parts();
    let parted = data.parted.as_ref();
    if parted.is_none_or(|parted| parted.rule != rule) {
        commands.push(Command::Data(DataCommand::Part(Box::new(rule))));
    }
    parted?.parts.as_ref()
}

/// How many files each part of the data set that is learned from has.
pub fn parted_ui(ui: &mut Ui, session: &Session, form: &TrainForm, commands: &mut CommandQueue) {
    let learned = |data: &&DataSet| match form.learn_from(session) {
        TrainOn::Folder(folder) | TrainOn::Corrected(folder, _) => data.folder == folder,
        _ => session.image().is_none(),
    };
    let Some(data) = session.data().filter(learned) else {
        return;
    };
    match ask_parts(data, form, commands) {
        Some(Ok(parts)) => counts_ui(ui, parts),
        Some(Err(why)) => {
            theme::words(ui, theme::WARNING, why);
        }
        None => {}
    }
}

/// How many files each part has, and what to know about them.
pub fn counts_ui(ui: &mut Ui, parts: &SetParts) {
    ui.label(in_words(parts));
    let drawn = "Drawn by name; the training also keeps equal images together and leaves out masks \
                 without labels";
    let drawn = (!parts.are_stated).then_some(drawn);
    for note in drawn
        .into_iter()
        .chain(parts.notes.iter().map(String::as_str))
    {
        let note = RichText::new(format!("{note}.")).small().weak();
        ui.add(Label::new(note).wrap());
    }
}

/// How many files each part has.
fn in_words(parts: &SetParts) -> String {
    let counts = Part::ALL.map(|part| text::grouped(parts.count(part) as u64));
    let [train, validation, test] = counts;
    format!("{train} files for training, {validation} for validation, {test} for the test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_by_part() {
        let (train, test) = (Some(Part::Train), Some(Part::Test));
        let parts = SetParts {
            parts: vec![train, train, None, test],
            are_stated: true,
            notes: Vec::new(),
        };
        let words = "2 files for training, 0 for validation, 1 for the test";
        assert_eq!(in_words(&parts), words);
    }
}
