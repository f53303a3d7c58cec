use super::state::Session;
use super::{ClassCommand, CommandError};
use crate::label::{ClassTable, UNLABELED, default_color};

impl Session {
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
            ClassCommand::Rename { class, name } => self.rename_class(class, &name),
            ClassCommand::Recolor { class, color } => self.recolor_class(class, color),
            ClassCommand::Show { class, is_visible } => self.show_class(class, is_visible),
            ClassCommand::Lock { class, is_locked } => self.lock_class(class, is_locked),
        }
    }

    fn add_class(&mut self, name: &str) -> Result<(), CommandError> {
        let color = default_color(
            self.palette.table.num_classes(),
            self.palette.table.num_classes() + 1,
        );
        let added = self.palette.table.added(name, color);
        let (table, class) = added.map_err(|error| CommandError::Refused(error.to_string()))?;
        self.palette.table = table;
        self.keep_classes();
        self.select_class(class)
    }

    fn rename_class(&mut self, class: u8, name: &str) -> Result<(), CommandError> {
        let renamed = self.palette.table.renamed(class, name);
        self.palette.table = renamed.map_err(|error| CommandError::Refused(error.to_string()))?;
        self.keep_classes();
        Ok(())
    }

    fn recolor_class(&mut self, class: u8, color: [u8; 3]) -> Result<(), CommandError> {
        let recolored = self.palette.table.recolored(class, color);
        self.palette.table = recolored.map_err(|error| CommandError::Refused(error.to_string()))?;
        self.keep_classes();
        Ok(())
    }

    fn show_class(&mut self, class: u8, is_visible: bool) -> Result<(), CommandError> {
        self.palette.hidden.retain(|&hidden| hidden != class);
        if !is_visible {
            self.palette.hidden.push(class);
        }
        Ok(())
    }

    fn lock_class(&mut self, class: u8, is_locked: bool) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.palette.locked.retain(|&locked| locked != class);
        if is_locked {
            self.palette.locked.push(class);
        }
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
        self.palette.locked.clear();
        self.palette.table = table;
    }
}
