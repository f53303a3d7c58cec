use std::path::{Component, Path, PathBuf};

use rusqlite::{OptionalExtension as _, params};

use super::load::mark;
use super::{Project, ProjectError};
use crate::label::{MaskDecisions, StateMark};

/// What is known of an image besides its label.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptImage {
    /// Its file.
    pub path: PathBuf,
    /// How far the work is: `new`, `in work` or `done`.
    pub status: String,
    /// Mean IoU of its last prediction.
    pub score: Option<f64>,
}

impl Project {
    /// All images that the project knows.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn images(&self) -> Result<Vec<KeptImage>, ProjectError> {
        let mut query = self
            .db
            .prepare("SELECT path, status, score FROM image ORDER BY path")?;
        let rows = query.query_map([], |row| {
            Ok(KeptImage {
                path: self.found(&row.get::<_, String>(0)?),
                status: row.get(1)?,
                score: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The images whose labels have what their files lack, and the states that the labels are in.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn unsaved(&self) -> Result<Vec<(PathBuf, StateMark)>, ProjectError> {
        let mut query = self.db.prepare(
            "SELECT image.path, layer.cursor FROM layer JOIN image ON image.id = layer.image \
             WHERE layer.saved IS NOT layer.cursor ORDER BY image.path",
        )?;
        let rows = query.query_map([], |row| {
            let path = self.found(&row.get::<_, String>(0)?);
            Ok((path, mark(row.get(1)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps how far the work on an image is.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_image(&mut self, image: &KeptImage) -> Result<(), ProjectError> {
        let id = self.image_id(&image.path)?;
        self.db
            .prepare_cached("UPDATE image SET status = ?2, score = ?3 WHERE id = ?1")?
            .execute(params![id, image.status, image.score])?;
        Ok(())
    }

    /// Keeps the name of a model whose prediction was accepted; its place is its number.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_model(&mut self, place: usize, name: &str) -> Result<(), ProjectError> {
        self.db.execute(
            "INSERT OR IGNORE INTO model VALUES (?1, ?2)",
            params![place as i64, name],
        )?;
        Ok(())
    }

    /// The models whose predictions were accepted, in the order of their numbers.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn models(&self) -> Result<Vec<String>, ProjectError> {
        if self.version < 2 {
            return Ok(Vec::new());
        }
        let mut query = self.db.prepare("SELECT name FROM model ORDER BY place")?;
        let names = query.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Keeps what was decided about a mask file, to be suggested for the next.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_decisions(&mut self, decisions: MaskDecisions) -> Result<(), ProjectError> {
        let text = serde_json::to_string(&decisions).expect("decisions are words and numbers");
        self.db.execute(
            "INSERT OR REPLACE INTO meta VALUES ('mask decisions', ?1)",
            [text],
        )?;
        Ok(())
    }

    /// What was decided about a mask file last; `None` also for words of another version.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub fn decisions(&self) -> Result<Option<MaskDecisions>, ProjectError> {
        let query = "SELECT value FROM meta WHERE key = 'mask decisions'";
        let text: Option<String> = self.db.query_row(query, [], |row| row.get(0)).optional()?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Keeps which run's model is active.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_active_model(&mut self, run: &Path) -> Result<(), ProjectError> {
        self.db.execute(
            "INSERT OR REPLACE INTO meta VALUES ('active model', ?1)",
            [self.named(run)],
        )?;
        Ok(())
    }

    /// The run whose model is active, if one is.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub fn active_model(&self) -> Result<Option<PathBuf>, ProjectError> {
        let query = "SELECT value FROM meta WHERE key = 'active model'";
        let name: Option<String> = self.db.query_row(query, [], |row| row.get(0)).optional()?;
        Ok(name.map(|name| self.found(&name)))
    }

    /// The row of an image, made when there is none.
    pub(super) fn image_id(&mut self, path: &Path) -> Result<i64, ProjectError> {
        let name = self.named(path);
        self.db
            .prepare_cached("INSERT OR IGNORE INTO image (path) VALUES (?1)")?
            .execute([&name])?;
        let id = self
            .db
            .prepare_cached("SELECT id FROM image WHERE path = ?1")?
            .query_row([&name], |row| row.get(0))?;
        Ok(id)
    }

    /// A file's name as it is stored: below the project's folder where possible, so that both can
    /// move together, with `/` on every system.
    pub(super) fn named(&self, path: &Path) -> String {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let path = plain(path);
        let below = path.strip_prefix(folder).unwrap_or(&path);
        if below.is_absolute() {
            return below.to_string_lossy().into_owned();
        }
        let parts = below.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// Where the file of a stored name is.
    pub(super) fn found(&self, name: &str) -> PathBuf {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        folder.join(name)
    }
}

/// A path without `.` and, where a folder stands before it, without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        let is_folder = matches!(plain.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::CurDir => {}
            Component::ParentDir if is_folder => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}
