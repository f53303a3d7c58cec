use std::path::Path;

use rusqlite::{OptionalExtension as _, Row};

use super::layers::tile_checksum;
use super::{KeptTile, LayerKey, Project, ProjectError, SourceFile};
use crate::geom::ImageSize;
use crate::label::{KeptHistory, Mask, MaskTile, Origin, StateMark};

/// A label as it was kept.
#[derive(Debug)]
pub struct KeptLayer {
    /// For keeping more of it.
    pub key: LayerKey,
    /// Its extent.
    pub size: ImageSize,
    /// The mask file it belongs to, as it was when it was read or saved last.
    pub source: Option<SourceFile>,
    /// Whether ground without tiles is that of the mask file, since not all tiles were kept when
    /// the program ended; else it is unlabeled.
    pub needs_source: bool,
    /// Tiles with who made them.
    pub tiles: Vec<KeptTile>,
    /// The newest steps.
    pub history: KeptHistory,
    /// The state before the oldest step that was kept.
    pub oldest: StateMark,
    /// The state that the mask file holds.
    pub saved: Option<StateMark>,
}

impl KeptLayer {
    /// The mask over `ground`, the mask file's or unlabeled, and its origins.
    pub fn masks_over(&self, ground: Mask) -> (Mask, Mask) {
        let mut origins = ground.origins_from(Origin::IMPORTED);
        let mut mask = ground;
        for tile in &self.tiles {
            mask.put_tile(tile.col, tile.row, tile.classes.clone());
            origins.put_tile(tile.col, tile.row, tile.origins.clone());
        }
        (mask, origins)
    }
}

/// The row of a layer.
struct LayerRow {
    id: i64,
    size: ImageSize,
    source: Option<(String, i64, i64)>,
    needs_source: bool,
    base_mark: i64,
    cursor: i64,
    next_mark: i64,
    saved: Option<i64>,
}

impl LayerRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let source: Option<String> = row.get(3)?;
        let stamp: Option<(i64, i64)> = Option::zip(row.get(4)?, row.get(5)?);
        Ok(Self {
            id: row.get(0)?,
            size: ImageSize::new(row.get(1)?, row.get(2)?),
            source: source
                .zip(stamp)
                .map(|(name, (bytes, time))| (name, bytes, time)),
            needs_source: row.get(6)?,
            base_mark: row.get(7)?,
            cursor: row.get(8)?,
            next_mark: row.get(9)?,
            saved: row.get(10)?,
        })
    }
}

impl Project {
    /// The label of an image as it was kept, with the newest steps of its history up to
    /// `history_bytes`; `None` when nothing was kept of it.
    ///
    /// # Errors
    /// [`ProjectError::Damaged`] when a row is not what was written.
    pub fn layer(
        &self,
        image: &Path,
        history_bytes: usize,
    ) -> Result<Option<KeptLayer>, ProjectError> {
        self.layer_named(&self.named(image), history_bytes)
    }

    /// As [`Project::layer`], by the image's name as it is stored.
    pub(super) fn layer_named(
        &self,
        image: &str,
        history_bytes: usize,
    ) -> Result<Option<KeptLayer>, ProjectError> {
        let row = self
            .db
            .query_row(
                "SELECT layer.id, width, height, source, source_bytes, source_time, \
                 needs_source, base_mark, cursor, next_mark, saved FROM layer JOIN image ON image.id = layer.image \
                 WHERE image.path = ?1",
                [image],
                LayerRow::read,
            )
            .optional()?;
        let Some(row) = row else { return Ok(None) };
        let source = row.source.as_ref().map(|(name, bytes, time)| SourceFile {
            path: self.found(name),
            bytes: *bytes as u64,
            time: *time,
        });
        Ok(Some(KeptLayer {
            key: LayerKey(row.id),
            size: row.size,
            source,
            needs_source: row.needs_source,
            tiles: self.tiles(row.id)?,
            history: self.history(&row, history_bytes)?,
            oldest: mark(row.base_mark),
            saved: row.saved.map(mark),
        }))
    }

    fn tiles(&self, layer: i64) -> Result<Vec<KeptTile>, ProjectError> {
        let origin = if self.version < 2 { "NULL" } else { "origin" };
        let query = format!("SELECT col, row, data, crc, {origin} FROM tile WHERE layer = ?1");
        let mut query = self.db.prepare(&query)?;
        let mut rows = query.query([layer])?;
        let mut tiles = Vec::new();
        while let Some(found) = rows.next()? {
            let (col, row): (u32, u32) = (found.get(0)?, found.get(1)?);
            let classes = found.get_ref(2)?.as_blob().unwrap_or_default();
            let origins = found.get_ref(4)?.as_blob_or_null();
            let origins = origins.ok().flatten().unwrap_or_default();
            let crc: u32 = found.get(3)?;
            let is_whole = crc == tile_checksum(layer, (col, row), classes, origins);
            let tile = is_whole.then(|| tile_from(classes, origins)).flatten();
            let (classes, origins) = tile.ok_or_else(|| {
                self.damaged(format!("the tile in column {col}, row {row} was changed"))
            })?;
            tiles.push(KeptTile {
                col,
                row,
                classes,
                origins,
            });
        }
        Ok(tiles)
    }

    fn history(&self, row: &LayerRow, budget: usize) -> Result<KeptHistory, ProjectError> {
        let mut query = self
            .db
            .prepare("SELECT mark, data, crc FROM edit WHERE layer = ?1 ORDER BY mark DESC")?;
        let mut rows = query.query([row.id])?;
        let (mut steps, mut bytes, mut base) = (Vec::new(), 0, row.base_mark);
        while let Some(found) = rows.next()? {
            let number: i64 = found.get(0)?;
            let data = found.get_ref(1)?.as_blob().unwrap_or_default();
            bytes += data.len();
            if bytes > budget && number < row.cursor {
                base = number;
                break;
            }
            let edit = self.edit_from([row.id, number], data, found.get(2)?)?;
            steps.push((mark(number), edit));
        }
        steps.reverse();
        Ok(KeptHistory {
            base: mark(base),
            steps,
            cursor: mark(row.cursor),
            next: mark(row.next_mark),
        })
    }
}

/// Classes and origins of a row; without origins all came from a file.
fn tile_from(classes: &[u8], origins: &[u8]) -> Option<(MaskTile, MaskTile)> {
    let classes = MaskTile::from_bytes(classes)?;
    let origins = if origins.is_empty() {
        classes.origins_from(Origin::IMPORTED)
    } else {
        MaskTile::from_bytes(origins)?
    };
    Some((classes, origins))
}

pub(super) const fn mark(number: i64) -> StateMark {
    StateMark::from_number(number as u64)
}
