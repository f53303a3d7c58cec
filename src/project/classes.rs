use rusqlite::{Connection, OptionalExtension as _};

use super::{Project, ProjectError};
use crate::label::{Class, ClassTable};

/// What is kept about the classes of a project.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptClasses {
    /// Their names and colors.
    pub table: ClassTable,
    /// The order in which they are shown, by index; empty when nobody changed it.
    pub order: Vec<u8>,
    /// Classes that were taken out, the latest last: a step back may bring their pixels again.
    pub removed: Vec<Class>,
}

impl Project {
    /// Keeps the classes.
    ///
    /// # Errors
    /// When the disk refuses; nothing was changed then.
    pub fn keep_classes(&mut self, classes: &KeptClasses) -> Result<(), ProjectError> {
        let order: Vec<String> = classes.order.iter().map(u8::to_string).collect();
        // One of each index: the latest.
        let mut removed: Vec<Class> = Vec::new();
        for class in classes.removed.iter().rev() {
            if removed.iter().all(|known| known.index != class.index) {
                removed.push(class.clone());
            }
        }
        let removed = ClassTable::new(None, removed).map(|table| table.to_toml());
        let rows = [
            ("classes", classes.table.to_toml()),
            ("class order", order.join(" ")),
            ("removed classes", removed.unwrap_or_default()),
        ];
        let transaction = self.db.transaction()?;
        for (key, value) in rows {
            let insert = "INSERT OR REPLACE INTO meta VALUES (?1, ?2)";
            transaction.prepare_cached(insert)?.execute([key, &value])?;
        }
        Ok(transaction.commit()?)
    }

    /// Keeps which classes are locked, by index.
    ///
    /// # Errors
    /// When the disk refuses; nothing was changed then.
    pub fn keep_locks(&mut self, classes: &[u8]) -> Result<(), ProjectError> {
        let words: Vec<String> = classes.iter().map(u8::to_string).collect();
        let insert = "INSERT OR REPLACE INTO meta VALUES ('locked classes', ?1)";
        self.db.execute(insert, [words.join(" ")])?;
        Ok(())
    }

    /// Which classes are locked, by index.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub fn locks(&self) -> Result<Vec<u8>, ProjectError> {
        indices_of(&self.db, "locked classes")
    }

    /// Names and colors of the classes, once some were kept.
    ///
    /// # Errors
    /// When they cannot be read back.
    pub fn classes(&self) -> Result<Option<ClassTable>, ProjectError> {
        text_of(&self.db, "classes")?
            .map(|text| ClassTable::from_toml(&text))
            .transpose()
            .map_err(|error| self.damaged(error.to_string()))
    }

    /// The order in which classes are shown; empty when nobody changed it.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub fn class_order(&self) -> Result<Vec<u8>, ProjectError> {
        indices_of(&self.db, "class order")
    }

    /// Classes that were taken out, one of each index.
    ///
    /// # Errors
    /// When they cannot be read back.
    pub fn removed_classes(&self) -> Result<Vec<Class>, ProjectError> {
        let text = text_of(&self.db, "removed classes")?;
        let table = text.and_then(|text| ClassTable::from_toml(&text).ok());
        Ok(table.map_or_else(Vec::new, |table| table.classes().to_vec()))
    }
}

fn indices_of(db: &Connection, key: &str) -> Result<Vec<u8>, ProjectError> {
    let text = text_of(db, key)?.unwrap_or_default();
    let words = text.split(' ');
    Ok(words.filter_map(|word| word.parse().ok()).collect())
}

fn text_of(db: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    let query = "SELECT value FROM meta WHERE key = ?1";
    db.query_row(query, [key], |row| row.get(0)).optional()
}
