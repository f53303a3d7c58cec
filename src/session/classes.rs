use super::CommandError;
use super::state::Session;
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

    pub(super) fn add_class(&mut self, name: &str) -> Result<(), CommandError> {
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

    pub(super) fn rename_class(&mut self, class: u8, name: &str) -> Result<(), CommandError> {
        let renamed = self.palette.table.renamed(class, name);
        self.palette.table = renamed.map_err(|error| CommandError::Refused(error.to_string()))?;
        self.keep_classes();
        Ok(())
    }

    pub(super) fn recolor_class(&mut self, class: u8, color: [u8; 3]) -> Result<(), CommandError> {
        let recolored = self.palette.table.recolored(class, color);
        self.palette.table = recolored.map_err(|error| CommandError::Refused(error.to_string()))?;
        self.keep_classes();
        Ok(())
    }

    pub(super) fn show_class(&mut self, class: u8, is_visible: bool) -> Result<(), CommandError> {
        self.palette.hidden.retain(|&hidden| hidden != class);
        if !is_visible {
            self.palette.hidden.push(class);
        }
        Ok(())
    }

    pub(super) fn lock_class(&mut self, class: u8, is_locked: bool) -> Result<(), CommandError> {
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
