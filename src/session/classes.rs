use std::path::{Path, PathBuf};

use super::operations::Wholesale;
use super::palette::Palette;
use super::state::Session;
use super::{ClassCommand, CommandError, Notice};
use crate::exchange::{ClassList, read_class_list, write_class_list};
use crate::label::{Class, ClassChange, ClassTable, Edit, MaskError, UNLABELED, default_color};

impl Session {
    /// Names and colors of the classes in the order in which they are shown.
    pub fn shown_classes(&self) -> Vec<&Class> {
        let place = |class: &&Class| {
            let order = &self.palette.order;
            let place = order.iter().position(|&index| index == class.index);
            (place.unwrap_or(usize::MAX), class.index)
        };
        let mut classes: Vec<&Class> = self.palette.table.classes().iter().collect();
        classes.sort_by_key(place);
        classes
    }

    pub(super) fn select_class(&mut self, class: u8) -> Result<(), CommandError> {
        if class != UNLABELED && self.palette.table.get(class).is_none() {
            return Err(CommandError::NoClass(class));
        }
        if class != self.palette.active {
            self.palette.previous = std::mem::replace(&mut self.palette.active, class);
        }
        Ok(())
    }

    pub(super) fn apply_class(&mut self, command: ClassCommand) -> Result<(), CommandError> {
        match command {
            ClassCommand::Add { name } => self.add_class(&name),
            ClassCommand::Rename { class, name } => {
                self.changed(|table| table.renamed(class, &name))
            }
            ClassCommand::Recolor { class, color } => {
                self.changed(|table| table.recolored(class, color))
            }
            ClassCommand::Background { class } => {
                self.changed(|table| table.with_background(class))
            }
            ClassCommand::DefaultColors => self.changed(with_default_colors),
            ClassCommand::Show { class, is_visible } => self.show_class(class, is_visible),
            ClassCommand::Solo { class } => self.solo_class(class),
            ClassCommand::Lock { class, is_locked } => self.lock_class(class, is_locked),
            ClassCommand::Move { class, place } => self.move_class(class, place),
            ClassCommand::Remove { class, into } => self.remove_class(class, into),
            ClassCommand::Load { path } => self.load_classes(&path),
            ClassCommand::Save { path } => self.save_classes(path),
        }
    }

    fn changed(
        &mut self,
        change: impl FnOnce(&ClassTable) -> Result<ClassTable, MaskError>,
    ) -> Result<(), CommandError> {
        let table = change(&self.palette.table);
        self.palette.table = table.map_err(|error| CommandError::Refused(error.to_string()))?;
        self.keep_classes();
        Ok(())
    }

    /// The index that a class gets that is added now; `None` when all are taken.
    pub fn next_class(&self) -> Option<u8> {
        let used = self.used_indices();
        let is_used = |index: u8| used[usize::from(index)];
        self.palette.table.next_index(is_used)
    }

    /// Indices that stand for something beside the table: a new class with one of them would take
    /// over what has it.
    fn used_indices(&self) -> [bool; 256] {
        let mut used = self.history.classes();
        let predicted = self.maker().map(|made| made.classes.classes());
        let classes = predicted.unwrap_or_default().iter();
        let mut others = self.checked_classes();
        others.extend(
            classes
                .chain(&self.palette.removed)
                .map(|class| class.index),
        );
        for index in others {
            used[usize::from(index)] = true;
        }
        let unknown = self.prediction.as_ref().filter(|_| predicted.is_none());
        let shown = unknown.into_iter().chain(&self.predicting.makers.replaced);
        let counts = shown.map(|layer| layer.mask.histogram());
        for counts in counts.chain([*self.areas()]) {
            for (used, count) in used.iter_mut().zip(counts) {
                *used |= count > 0;
            }
        }
        used
    }

    /// A class of the name of a removed one is that class again, so that all that has its index goes
    /// on to mean it.
    fn add_class(&mut self, name: &str) -> Result<(), CommandError> {
        let table = &self.palette.table;
        let is_it = |class: &&Class| class.name == name.trim() && table.get(class.index).is_none();
        let added = if let Some(known) = self.palette.removed.iter().rfind(is_it) {
            let classes = [table.classes(), std::slice::from_ref(known)].concat();
            ClassTable::new(table.background(), classes).map(|table| (table, known.index))
        } else {
            let (place, used) = (table.num_classes(), self.used_indices());
            let is_used = |index: u8| used[usize::from(index)];
            table.added(name, default_color(place, place + 1), is_used)
        };
        let (table, class) = added.map_err(|error| CommandError::Refused(error.to_string()))?;
        self.palette.table = table;
        self.keep_classes();
        self.select_class(class)
    }

    fn show_class(&mut self, class: u8, is_visible: bool) -> Result<(), CommandError> {
        self.palette.hidden.retain(|&hidden| hidden != class);
        if !is_visible {
            self.palette.hidden.push(class);
            self.palette.warned = false;
        }
        Ok(())
    }

    /// Shows a class that is about to be painted: nobody paints what cannot be seen.
    pub(super) fn reveal(&mut self, class: u8) {
        if self.paints_prediction() || self.is_class_visible(class) {
            return;
        }
        self.palette.hidden.retain(|&hidden| hidden != class);
        let name = self.classes().name_of(class);
        self.notify(Notice::info(format!(
            "{name} was hidden; it is shown again, since you paint it"
        )));
    }

    /// Says, once after each hiding, that an edit changes pixels of classes that are hidden.
    pub(super) fn warn_of_hidden(&mut self, edit: &Edit) {
        let Palette {
            hidden,
            warned,
            leaving,
            ..
        } = &self.palette;
        if hidden.is_empty() || *warned || leaving.is_some() {
            return;
        }
        let changes = edit.changes();
        let is_changed = |class: &&u8| {
            let is_it = |change: &ClassChange| [change.from, change.to].contains(class);
            changes.iter().any(is_it)
        };
        let names: Vec<String> = hidden
            .iter()
            .filter(is_changed)
            .map(|&class| self.classes().name_of(class))
            .collect();
        if names.is_empty() {
            return;
        }
        self.palette.warned = true;
        self.notify(Notice::warning(format!(
            "Pixels of hidden classes were changed: {}. Undo takes it back; a locked class is \
             never painted over",
            names.join(", ")
        )));
    }

    /// Hides all classes but one; all are shown again when that is how it was.
    fn solo_class(&mut self, class: u8) -> Result<(), CommandError> {
        let others = self.palette.table.classes().iter();
        let others = others
            .map(|other| other.index)
            .filter(|&other| other != class);
        let others: Vec<u8> = others.collect();
        let is_solo = others
            .iter()
            .all(|other| self.palette.hidden.contains(other))
            && !self.palette.hidden.contains(&class);
        self.palette.hidden = if is_solo { Vec::new() } else { others };
        self.palette.warned = false;
        Ok(())
    }

    fn lock_class(&mut self, class: u8, is_locked: bool) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.palette.locked.retain(|&locked| locked != class);
        if is_locked {
            self.palette.locked.push(class);
        }
        self.keep_locks();
        Ok(())
    }

    /// Shows a class at another place of the list; no index changes.
    fn move_class(&mut self, class: u8, place: usize) -> Result<(), CommandError> {
        let mut order: Vec<u8> = self
            .shown_classes()
            .iter()
            .map(|class| class.index)
            .collect();
        let Some(from) = order.iter().position(|&index| index == class) else {
            return Err(CommandError::NoClass(class));
        };
        order.remove(from);
        order.insert(place.min(order.len()), class);
        self.palette.order = order;
        self.keep_classes();
        Ok(())
    }

    /// Gives a class's pixels to another or to none, then takes it out of the table.
    fn remove_class(&mut self, class: u8, into: u8) -> Result<(), CommandError> {
        let removed = self.palette.table.removed(class);
        let table = removed.map_err(|error| CommandError::Refused(error.to_string()))?;
        if into == class || (into != UNLABELED && table.get(into).is_none()) {
            return Err(CommandError::NoClass(into));
        }
        if self.label.is_some() && self.areas()[usize::from(class)] > 0 {
            let change = Wholesale::Replace {
                from: class,
                to: into,
            };
            self.selected = None;
            self.change_wholesale(change, None)?;
            // Pixels first: a program that is killed between leaves a class without pixels, and
            // not pixels without a class.
            self.palette.leaving = Some((class, into));
            return Ok(());
        }
        self.take_class_out(class, into);
        Ok(())
    }

    /// The pixels of the class that is to go are gone.
    pub(super) fn class_left(&mut self) {
        if let Some((class, into)) = self.palette.leaving.take() {
            self.take_class_out(class, into);
        }
    }

    fn take_class_out(&mut self, class: u8, into: u8) {
        let Ok(table) = self.palette.table.removed(class) else {
            return;
        };
        if let Some(class) = self.palette.table.get(class).cloned() {
            self.put_away(class);
        }
        self.palette.table = table;
        self.palette.hidden.retain(|&other| other != class);
        if self.is_class_locked(class) {
            self.palette.locked.retain(|&other| other != class);
            self.keep_locks();
        }
        if self.palette.active == class {
            self.palette.active = into;
        }
        if self.palette.previous == class {
            self.palette.previous = UNLABELED;
        }
        self.keep_classes();
    }

    /// Remembers a class that leaves the table: its index stays its own.
    fn put_away(&mut self, class: Class) {
        let removed = &mut self.palette.removed;
        removed.retain(|known| known.index != class.index);
        removed.push(class);
    }

    /// Brings removed classes back whose pixels a step back or forth brought back.
    pub(super) fn restore_classes(&mut self) {
        let is_unknown = |class: &u8| {
            self.areas()[usize::from(*class)] > 0 && self.classes().get(*class).is_none()
        };
        let unknown: Vec<u8> = (0..UNLABELED).filter(is_unknown).collect();
        if unknown.is_empty() {
            return;
        }
        let mut classes = self.palette.table.classes().to_vec();
        for index in unknown {
            let removed = &self.palette.removed;
            let known = removed
                .iter()
                .rev()
                .find(|class| class.index == index)
                .cloned();
            let color = default_color(usize::from(index), usize::from(index) + 1);
            classes
                .push(known.unwrap_or_else(|| Class::new(index, format!("class {index}"), color)));
        }
        let background = self.palette.table.background();
        if let Ok(table) = ClassTable::new(background, classes) {
            self.palette.table = table;
            self.keep_classes();
        }
    }

    /// Takes names and colors from a file; the label's pixels stay as they are.
    fn load_classes(&mut self, path: &Path) -> Result<(), CommandError> {
        let is_toml = path.extension().is_some_and(|ending| ending == "toml");
        let read = if is_toml {
            ClassTable::load(path)
        } else {
            read_class_list(path)
        };
        let table = read.map_err(|error| CommandError::Refused(error.to_string()))?;
        let areas = self.areas();
        let ours = self.palette.table.classes().iter();
        let (missing, gone): (Vec<Class>, Vec<Class>) = ours
            .filter(|class| table.get(class.index).is_none())
            .cloned()
            .partition(|class| areas[usize::from(class.index)] > 0);
        for class in gone {
            self.put_away(class);
        }
        if !missing.is_empty() {
            let names: Vec<&str> = missing.iter().map(|class| class.name.as_str()).collect();
            self.notify(Notice::warning(format!(
                "The file lacks classes that the label has, so these stay: {}",
                names.join(", ")
            )));
        }
        let all = [table.classes(), &missing].concat();
        self.changed(|_| ClassTable::new(table.background(), all))
    }

    fn save_classes(&mut self, path: PathBuf) -> Result<(), CommandError> {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let refused = |error: String| CommandError::Refused(error);
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        if ending == "toml" {
            let saved = self.classes().save(&path);
            saved.map_err(|error| refused(error.to_string()))?;
        } else {
            let form = match name.as_str() {
                "class_dict.csv" => ClassList::DeepGlobe,
                _ if ending == "txt" => ClassList::CamVid,
                _ => ClassList::Csv,
            };
            let notes = write_class_list(&path, self.classes(), form);
            for note in notes.map_err(|error| refused(error.to_string()))? {
                self.notify(Notice::warning(note));
            }
        }
        self.notify(Notice::info(format!(
            "Wrote the classes: {}",
            path.display()
        )));
        Ok(())
    }

    pub(super) fn set_classes(&mut self, table: ClassTable) {
        let first = table
            .classes()
            .iter()
            .find(|class| Some(class.index) != table.background());
        self.palette.active = first
            .or(table.classes().first())
            .map_or(0, |class| class.index);
        self.palette.previous = UNLABELED;
        self.palette.hidden.clear();
        self.palette.table = table;
    }
}

/// The same classes in colors that most people can tell apart.
fn with_default_colors(table: &ClassTable) -> Result<ClassTable, MaskError> {
    let count = table.classes().len();
    let recolored = (0..).zip(table.classes()).map(|(place, class)| Class {
        color: default_color(place, count),
        ..class.clone()
    });
    ClassTable::new(table.background(), recolored.collect())
}
