use std::path::Path;

use rusqlite::params;

use super::{Project, ProjectError};
use crate::geom::ImagePoint;
use crate::label::{CellKey, CellMark, CellState, MapCheck};

/// A place in an image that somebody wants to come back to.
#[derive(Clone, Debug, PartialEq)]
pub struct Bookmark {
    /// What it is called; an image has one of a name.
    pub name: String,
    /// The middle of the view, in level-0 pixels.
    pub at: ImagePoint,
    /// Screen pixels a level-0 pixel.
    pub scale: f64,
}

impl Project {
    /// Keeps what is said about a cell of an image; an empty mark is forgotten.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_cell(
        &mut self,
        image: &Path,
        key: CellKey,
        mark: &CellMark,
    ) -> Result<(), ProjectError> {
        let image = self.image_id(image)?;
        if mark.is_empty() {
            self.db.execute(
                "DELETE FROM cell WHERE image = ?1 AND row = ?2 AND col = ?3",
                params![image, key.row, key.col],
            )?;
            return Ok(());
        }
        let state = mark.state.map_or("", CellState::word);
        self.db.execute(
            "INSERT OR REPLACE INTO cell (image, col, row, state, note) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![image, key.col, key.row, state, mark.note],
        )?;
        Ok(())
    }

    /// What is said about the cells of an image.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cells(&self, image: &Path) -> Result<Vec<(CellKey, CellMark)>, ProjectError> {
        if self.version < 2 {
            return Ok(Vec::new());
        }
        let mut query = self.db.prepare(
            "SELECT row, col, state, note FROM cell JOIN image ON image.id = cell.image \
             WHERE image.path = ?1",
        )?;
        let cells = query.query_map([self.named(image)], |row| {
            let key = CellKey {
                row: row.get(0)?,
                col: row.get(1)?,
            };
            let mark = CellMark {
                state: CellState::from_word(&row.get::<_, String>(2)?),
                note: row.get(3)?,
            };
            Ok((key, mark))
        })?;
        Ok(cells.collect::<Result<_, _>>()?)
    }

    /// Keeps all bookmarks of an image.
    ///
    /// # Errors
    /// When the disk refuses; those of before are then kept.
    pub fn keep_bookmarks(
        &mut self,
        image: &Path,
        bookmarks: &[Bookmark],
    ) -> Result<(), ProjectError> {
        let image = self.image_id(image)?;
        let transaction = self.db.transaction()?;
        transaction.execute("DELETE FROM bookmark WHERE image = ?1", [image])?;
        for mark in bookmarks {
            transaction.execute(
                "INSERT OR REPLACE INTO bookmark (image, name, x, y, scale) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![image, mark.name, mark.at.x, mark.at.y, mark.scale],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// The bookmarks of an image, by name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn bookmarks(&self, image: &Path) -> Result<Vec<Bookmark>, ProjectError> {
        if self.version < 2 {
            return Ok(Vec::new());
        }
        let mut query = self.db.prepare(
            "SELECT name, x, y, scale FROM bookmark JOIN image ON image.id = bookmark.image \
             WHERE image.path = ?1 ORDER BY name",
        )?;
        let marks = query.query_map([self.named(image)], |row| {
            Ok(Bookmark {
                name: row.get(0)?,
                at: ImagePoint::new(row.get(1)?, row.get(2)?),
                scale: row.get(3)?,
            })
        })?;
        Ok(marks.collect::<Result<_, _>>()?)
    }

    /// Keeps the points of an image that somebody looks at; none are forgotten.
    ///
    /// # Errors
    /// When the disk refuses; those of before are then kept.
    pub fn keep_check(&mut self, image: &Path, points: &MapCheck) -> Result<(), ProjectError> {
        let image = self.image_id(image)?;
        if points.points.is_empty() {
            self.db
                .execute("DELETE FROM map_check WHERE image = ?1", [image])?;
            return Ok(());
        }
        let data = serde_json::to_string(points).map_err(std::io::Error::from);
        let data = data.map_err(|source| ProjectError::Io {
            source,
            path: self.path.clone(),
        })?;
        self.db.execute(
            "INSERT OR REPLACE INTO map_check (image, data) VALUES (?1, ?2)",
            params![image, data],
        )?;
        Ok(())
    }

    /// The points of an image that somebody looks at, if there are any.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn check(&self, image: &Path) -> Result<Option<MapCheck>, ProjectError> {
        if self.version < 3 {
            return Ok(None);
        }
        let mut query = self.db.prepare(
            "SELECT data FROM map_check JOIN image ON image.id = map_check.image \
             WHERE image.path = ?1",
        )?;
        let mut found = query.query_map([self.named(image)], |row| row.get::<_, String>(0))?;
        let Some(data) = found.next().transpose()? else {
            return Ok(None);
        };
        let points = serde_json::from_str(&data);
        Ok(Some(points.map_err(|error| {
            self.damaged(format!("the points to check: {error}"))
        })?))
    }
}
