use std::path::Path;

use rusqlite::{OptionalExtension as _, Row};

use super::store::checksum;
use super::{BaseFile, LayerKey, Project, ProjectError};
use crate::geom::ImageSize;
use crate::label::{Edit, KeptHistory, Mask, MaskTile, StateMark};

/// A label as it was kept.
#[derive(Debug)]
pub struct KeptLayer {
    /// For keeping more of it.
    pub key: LayerKey,
    /// Its extent.
    pub size: ImageSize,
    /// The mask file it belongs to.
    pub source: Option<std::path::PathBuf>,
    /// What the ground without tiles is.
    pub base: KeptBase,
    /// Tiles by column and row.
    pub tiles: Vec<(u32, u32, MaskTile)>,
    /// The newest steps.
    pub history: KeptHistory,
    /// The state that the mask file holds.
    pub saved: Option<StateMark>,
}

/// What the ground of a kept label is where it has no tiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptBase {
    /// Unlabeled: all ground is in tiles.
    Unlabeled,
    /// That of a mask file, whose tiles were not all kept when the program ended.
    File(BaseFile),
}

impl KeptLayer {
    /// The mask over `ground`, which is that of the base.
    pub fn mask_over(&self, ground: Mask) -> Mask {
        let mut mask = ground;
        for (col, row, tile) in &self.tiles {
            mask.put_tile(*col, *row, tile.clone());
        }
        mask
    }
}

/// The row of a layer.
struct LayerRow {
    id: i64,
    size: ImageSize,
    source: Option<String>,
    base: Option<(i64, i64)>,
    base_mark: i64,
    cursor: i64,
    next_mark: i64,
    saved: Option<i64>,
}

impl LayerRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let bytes: Option<i64> = row.get(4)?;
        let time: Option<i64> = row.get(5)?;
        Ok(Self {
            id: row.get(0)?,
            size: ImageSize::new(row.get(1)?, row.get(2)?),
            source: row.get(3)?,
            base: bytes.zip(time),
            base_mark: row.get(6)?,
            cursor: row.get(7)?,
            next_mark: row.get(8)?,
            saved: row.get(9)?,
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
        let row = self
            .db
            .query_row(
                "SELECT layer.id, width, height, source, base_bytes, base_time, base_mark, \
                 cursor, next_mark, saved FROM layer JOIN image ON image.id = layer.image \
                 WHERE image.path = ?1",
                [self.named(image)],
                LayerRow::read,
            )
            .optional()?;
        let Some(row) = row else { return Ok(None) };
        let source = row.source.as_deref().map(|source| self.found(source));
        let base = match (&source, row.base) {
            (Some(path), Some((bytes, time))) => KeptBase::File(BaseFile {
                path: path.clone(),
                bytes: bytes as u64,
                time,
            }),
            _ => KeptBase::Unlabeled,
        };
        Ok(Some(KeptLayer {
            key: LayerKey(row.id),
            size: row.size,
            source,
            base,
            tiles: self.tiles(row.id)?,
            history: self.history(&row, history_bytes)?,
            saved: row.saved.map(mark),
        }))
    }

    fn tiles(&self, layer: i64) -> Result<Vec<(u32, u32, MaskTile)>, ProjectError> {
        let mut query = self
            .db
            .prepare("SELECT col, row, data, crc FROM tile WHERE layer = ?1")?;
        let mut rows = query.query([layer])?;
        let mut tiles = Vec::new();
        while let Some(found) = rows.next()? {
            let (col, row): (u32, u32) = (found.get(0)?, found.get(1)?);
            let data = found.get_ref(2)?.as_blob().unwrap_or_default();
            let crc: u32 = found.get(3)?;
            let is_whole = crc == checksum(&[layer, i64::from(col), i64::from(row)], data);
            let tile = is_whole.then(|| MaskTile::from_bytes(data)).flatten();
            let tile = tile.ok_or_else(|| {
                self.damaged(format!("the tile in column {col}, row {row} was changed"))
            })?;
            tiles.push((col, row, tile));
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
            let is_whole = found.get::<_, u32>(2)? == checksum(&[row.id, number], data);
            let edit = is_whole.then(|| Edit::from_bytes(data).ok()).flatten();
            let edit =
                edit.ok_or_else(|| self.damaged(format!("the edit {number} was changed")))?;
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

const fn mark(number: i64) -> StateMark {
    StateMark::from_number(number as u64)
}
