use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};

use super::store::checksum;
use super::tally::count;
use super::{Project, ProjectError};
use crate::geom::ImageSize;
use crate::label::{Edit, Mask, MaskTile, StateMark};

/// The label of one image in the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerKey(pub(super) i64);

/// The mask file that a label came from or was saved to, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was written, in nanoseconds since 1970.
    pub time: i64,
}

impl SourceFile {
    /// The file at `path` as it is now.
    ///
    /// # Errors
    /// When it is not there.
    pub fn now(path: &Path) -> std::io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        Ok(Self {
            path: std::path::absolute(path)?,
            bytes: metadata.len(),
            time: nanoseconds(metadata.modified()?),
        })
    }
}

/// One tile of a label with who made it.
#[derive(Clone, Debug)]
pub struct KeptTile {
    /// Column of tiles.
    pub col: u32,
    /// Row of tiles.
    pub row: u32,
    /// The classes.
    pub classes: MaskTile,
    /// Their origins.
    pub origins: MaskTile,
}

impl KeptTile {
    /// The tile of a label and its origins, masks of one size.
    pub fn of(label: &Mask, origins: &Mask, (col, row): (u32, u32)) -> Self {
        Self {
            col,
            row,
            classes: label.tile(col, row).clone(),
            origins: origins.tile(col, row).clone(),
        }
    }
}

/// One step of the history with what it changed: everything that makes it durable.
#[derive(Clone, Debug)]
pub struct KeptStep {
    /// The state it leads to.
    pub mark: StateMark,
    /// What it did.
    pub edit: Edit,
    /// The tiles it touched, as they are now.
    pub tiles: Vec<KeptTile>,
    /// When it was finished.
    pub at: SystemTime,
}

impl Project {
    /// Begins to keep the label of an image; what was kept of it before is replaced.
    ///
    /// With a `source` the label's ground is that file's until [`Project::end_base`]; without, it
    /// is unlabeled where no tile says otherwise.
    ///
    /// # Errors
    /// When the disk refuses; nothing was changed then.
    pub fn begin_layer(
        &mut self,
        image: &Path,
        size: ImageSize,
        source: Option<&SourceFile>,
        mark: StateMark,
    ) -> Result<LayerKey, ProjectError> {
        let image = self.image_id(image)?;
        let name = source.map(|source| self.named(&source.path));
        let transaction = self.db.transaction()?;
        for old in ["tile", "edit"] {
            let delete =
                format!("DELETE FROM {old} WHERE layer IN (SELECT id FROM layer WHERE image = ?1)");
            transaction.execute(&delete, [image])?;
        }
        transaction.execute("DELETE FROM layer WHERE image = ?1", [image])?;
        transaction.execute(
            "INSERT INTO layer (image, width, height, source, source_bytes, source_time, \
             needs_source, base_mark, cursor, next_mark, saved) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?8 + 1, ?9)",
            params![
                image,
                size.width,
                size.height,
                name,
                source.map(|source| source.bytes as i64),
                source.map(|source| source.time),
                source.is_some(),
                number(mark),
                source.map(|_| number(mark)),
            ],
        )?;
        let key = LayerKey(transaction.last_insert_rowid());
        let steps = count(&transaction)?;
        transaction.commit()?;
        self.tally.note(steps);
        Ok(key)
    }

    /// Keeps a finished step: the edit, the tiles it touched and the new state, all or nothing.
    /// Steps that were undone before are forgotten.
    ///
    /// # Errors
    /// When the disk refuses; nothing was changed then.
    pub fn keep_step(&mut self, layer: LayerKey, step: &KeptStep) -> Result<(), ProjectError> {
        let data = step.edit.to_bytes();
        let mark = number(step.mark);
        let transaction = self.db.transaction()?;
        transaction
            .prepare_cached(
                "DELETE FROM edit WHERE layer = ?1 AND mark > \
                 (SELECT cursor FROM layer WHERE id = ?1)",
            )?
            .execute([layer.0])?;
        transaction
            .prepare_cached("INSERT INTO edit VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                layer.0,
                mark,
                nanoseconds(step.at) / 1_000_000,
                data,
                checksum(&[layer.0, mark], &data)
            ])?;
        put_tiles(&transaction, layer, &step.tiles, "REPLACE")?;
        transaction
            .prepare_cached("UPDATE layer SET cursor = ?2, next_mark = ?2 + 1 WHERE id = ?1")?
            .execute([layer.0, mark])?;
        let steps = count(&transaction)?;
        transaction.commit()?;
        self.tally.note(steps);
        Ok(())
    }

    /// Keeps a step back or forth: the tiles as they are now and the state they are in.
    ///
    /// # Errors
    /// When the disk refuses; nothing was changed then.
    pub fn keep_cursor(
        &mut self,
        layer: LayerKey,
        cursor: StateMark,
        tiles: &[KeptTile],
    ) -> Result<(), ProjectError> {
        let transaction = self.db.transaction()?;
        put_tiles(&transaction, layer, tiles, "REPLACE")?;
        transaction
            .prepare_cached("UPDATE layer SET cursor = ?2 WHERE id = ?1")?
            .execute([layer.0, number(cursor)])?;
        let steps = count(&transaction)?;
        transaction.commit()?;
        self.tally.note(steps);
        Ok(())
    }

    /// Keeps some tiles of the ground that the label began with. A tile that a step has touched
    /// already stays as that step left it.
    ///
    /// # Errors
    /// When the disk refuses; nothing was changed then.
    pub fn keep_base(&mut self, layer: LayerKey, tiles: &[KeptTile]) -> Result<(), ProjectError> {
        let transaction = self.db.transaction()?;
        put_tiles(&transaction, layer, tiles, "IGNORE")?;
        Ok(transaction.commit()?)
    }

    /// Notes that all ground is in tiles now, so that the file the label came from is not needed
    /// any more.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn end_base(&mut self, layer: LayerKey) -> Result<(), ProjectError> {
        self.db
            .execute("UPDATE layer SET needs_source = 0 WHERE id = ?1", [layer.0])?;
        Ok(())
    }

    /// Notes that `file` holds the label in this state.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_saved(
        &mut self,
        layer: LayerKey,
        file: &SourceFile,
        mark: StateMark,
    ) -> Result<(), ProjectError> {
        let name = self.named(&file.path);
        self.db.execute(
            "UPDATE layer SET source = ?2, source_bytes = ?3, source_time = ?4, saved = ?5 \
             WHERE id = ?1",
            params![layer.0, name, file.bytes as i64, file.time, number(mark)],
        )?;
        Ok(())
    }

    /// As [`Project::keep_saved`], for the label of `image`, if one is kept.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_saved_of(
        &mut self,
        image: &Path,
        file: &SourceFile,
        mark: StateMark,
    ) -> Result<(), ProjectError> {
        match self.layer_key(image)? {
            Some(layer) => self.keep_saved(layer, file, mark),
            None => Ok(()),
        }
    }

    /// Forgets the oldest steps until all of a layer take at most `budget_bytes`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget_old_steps(
        &mut self,
        layer: LayerKey,
        budget_bytes: u64,
    ) -> Result<(), ProjectError> {
        // The newest step to go is the first, counted from the newest, that is over the budget.
        let last_to_go: Option<i64> = self.db.query_row(
            "SELECT max(mark) FROM (SELECT mark, sum(length(data)) OVER \
             (ORDER BY mark DESC) AS bytes FROM edit WHERE layer = ?1) WHERE bytes > ?2 \
             AND mark < (SELECT cursor FROM layer WHERE id = ?1)",
            params![layer.0, budget_bytes as i64],
            |row| row.get(0),
        )?;
        let Some(last) = last_to_go else {
            return Ok(());
        };
        let transaction = self.db.transaction()?;
        transaction.execute(
            "DELETE FROM edit WHERE layer = ?1 AND mark <= ?2",
            [layer.0, last],
        )?;
        transaction.execute(
            "UPDATE layer SET base_mark = ?2 WHERE id = ?1",
            [layer.0, last],
        )?;
        transaction.commit()?;
        self.db.execute_batch("PRAGMA incremental_vacuum(4096)")?;
        Ok(())
    }
}

fn put_tiles(
    db: &Connection,
    layer: LayerKey,
    tiles: &[KeptTile],
    conflict: &str,
) -> rusqlite::Result<()> {
    let insert = format!("INSERT OR {conflict} INTO tile VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    let mut insert = db.prepare_cached(&insert)?;
    for tile in tiles {
        let (classes, origins) = (tile.classes.to_bytes(), tile.origins.to_bytes());
        let crc = tile_checksum(layer.0, (tile.col, tile.row), &classes, &origins);
        insert.execute(params![layer.0, tile.col, tile.row, classes, crc, origins])?;
    }
    Ok(())
}

/// The check of a tile's row; empty `origins` are none.
pub(super) fn tile_checksum(
    layer: i64,
    (col, row): (u32, u32),
    classes: &[u8],
    origins: &[u8],
) -> u32 {
    let crc = checksum(&[layer, i64::from(col), i64::from(row)], classes);
    crc32c::crc32c_append(crc, origins)
}

pub(super) const fn number(mark: StateMark) -> i64 {
    mark.number() as i64
}

fn nanoseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
