use std::path::Path;

use rayon::prelude::*;

use super::Tile;
use super::split::Part;
use crate::disk::ReplaceError;
use crate::exchange::{
    CocoForm, CocoImage, CocoWriter, ExchangeError, Region, YoloFolders, polygonize, write_yolo,
    write_yolo_data, yolo_path,
};
use crate::geom::{ImageSize, PixelRect};
use crate::label::{ClassTable, Control, Mask, UNLABELED};

/// How tiles are labeled besides by masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileShapes {
    /// `PART/labels/NAME.txt` with YOLO segments, and `data.yaml`.
    Yolo,
    /// `PART/instances.json` with COCO annotations.
    Coco,
}

/// Name of a part's COCO file.
pub(super) const COCO_FILE: &str = "instances.json";
/// Tiles whose regions are in memory at a time.
const AT_ONCE: usize = 64;

/// The tiles of a cut that were written, with the label they come from.
pub(super) struct CutTiles<'a> {
    pub(super) folder: &'a Path,
    pub(super) stem: &'a str,
    pub(super) side: u32,
    pub(super) mask: &'a Mask,
    pub(super) classes: &'a ClassTable,
    pub(super) tiles: &'a [(Tile, Part)],
}

impl CutTiles<'_> {
    /// Writes the tiles' labels as `shapes`; `None` when cancelled.
    pub(super) fn write(
        &self,
        shapes: TileShapes,
        control: &Control<'_>,
    ) -> Result<Option<Vec<String>>, ExchangeError> {
        match shapes {
            TileShapes::Yolo => self.write_yolo(control),
            TileShapes::Coco => self.write_coco(control),
        }
    }

    /// The regions of a tile in its own pixels; `None` when cancelled.
    fn regions(&self, tile: Tile, control: &Control<'_>) -> Option<Vec<Region>> {
        let size = self.size();
        let mut mask = Mask::new(size);
        let rect = PixelRect::new(0, 0, tile.rect.width, tile.rect.height);
        mask.set_rect(rect, &self.mask.read_rect(tile.rect));
        let keep = |class: u8| class != UNLABELED;
        polygonize(&mask, size.bounds(), &keep, &|| (control.is_cancelled)())
    }

    const fn size(&self) -> ImageSize {
        ImageSize::new(self.side, self.side)
    }

    fn name(&self, tile: Tile) -> String {
        format!("{}.png", tile.name(self.stem))
    }

    fn write_yolo(&self, control: &Control<'_>) -> Result<Option<Vec<String>>, ExchangeError> {
        let write = |&(tile, part): &(Tile, Part)| -> Result<Option<()>, ReplaceError> {
            let Some(regions) = self.regions(tile, control) else {
                return Ok(None);
            };
            let images = self.folder.join(part.folder()).join("images");
            let path = yolo_path(&images.join(self.name(tile)));
            write_yolo(&path, self.size(), &regions).map(Some)
        };
        let written: Result<Option<Vec<()>>, _> = self.tiles.par_iter().map(write).collect();
        if written?.is_none() {
            return Ok(None);
        }
        let images = |part: Part| format!("{}/images", part.folder());
        let has_tests = self.tiles.iter().any(|tile| tile.1 == Part::Test);
        let test = has_tests.then(|| images(Part::Test));
        let folders = YoloFolders {
            train: &images(Part::Train),
            validation: &images(Part::Validation),
            test: test.as_deref(),
        };
        write_yolo_data(&self.folder.join("data.yaml"), self.classes, &folders)?;
        Ok(Some(Vec::new()))
    }

    fn write_coco(&self, control: &Control<'_>) -> Result<Option<Vec<String>>, ExchangeError> {
        let mut notes = Vec::new();
        for part in Part::ALL {
            let ours = self.tiles.iter().filter(|tile| tile.1 == part);
            let tiles: Vec<Tile> = ours.map(|tile| tile.0).collect();
            if tiles.is_empty() {
                continue;
            }
            let path = self.folder.join(part.folder()).join(COCO_FILE);
            let mut file = CocoWriter::create(&path, self.classes, CocoForm::default())?;
            for some in tiles.chunks(AT_ONCE) {
                let regions = some.par_iter().map(|&tile| self.regions(tile, control));
                let regions: Option<Vec<_>> = regions.collect();
                let Some(regions) = regions else {
                    return Ok(None);
                };
                for (&tile, regions) in some.iter().zip(&regions) {
                    file.add(&CocoImage {
                        name: &format!("images/{}", self.name(tile)),
                        size: self.size(),
                        regions,
                    })?;
                }
            }
            for note in file.finish()? {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        Ok(Some(notes))
    }
}
