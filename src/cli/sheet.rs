use std::path::{Path, PathBuf};

use anyhow::ensure;
use indicatif::ProgressBar;
use serde::Serialize;

use super::picture::{check_png, write_png};
use crate::dataset::{Discovery, Part, Sample};
use crate::disk::serialize_path;
use crate::geom::ImageSize;
use crate::raster::RgbaTile;
use crate::session::ContactTile;

const COLUMNS: usize = 6;
/// Pixels around the cells.
const GAP: u32 = 8;
/// What is behind the pictures.
const GROUND: [u8; 3] = [38; 3];

/// A contact sheet as it was written, for those who look at it.
#[derive(Debug, Serialize)]
pub struct Sheet {
    #[serde(serialize_with = "serialize_path")]
    file: PathBuf,
    /// What is in its cells, row by row.
    cells: Vec<Cell>,
    /// Samples that would be on it if their images could be read.
    unreadable: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Cell {
    /// Counted from 1, from the top and from the left.
    row: usize,
    column: usize,
    name: String,
    part: Option<&'static str>,
    has_mask: bool,
}

impl Sheet {
    /// Writes samples spread over a data set, with their masks over them, as one
    /// PNG. Memory is that of one sample and of the sheet, which has 24 samples at most.
    ///
    /// # Errors
    /// When no image can be read, the file is of the data set or no PNG, or the disk refuses.
    pub fn write(file: &Path, discovery: &Discovery, bar: &ProgressBar) -> anyhow::Result<Self> {
        let samples = discovery.samples.iter();
        let masks = samples.clone().filter_map(|sample| sample.mask.as_ref());
        let masks = masks.map(|mask| mask.path().as_path());
        let images = samples.map(|sample| sample.image.as_path());
        let lonely = discovery.lonely_masks.iter().map(PathBuf::as_path);
        check_png(file, images.chain(masks).chain(lonely))?;
        let shown = ContactTile::samples(discovery);
        let (mut tiles, mut cells, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        bar.set_length(shown.len() as u64);
        for sample in shown {
            match ContactTile::of(sample, discovery) {
                Some(tile) => {
                    cells.push(Cell::of(cells.len(), sample, &tile));
                    tiles.push(tile);
                }
                None => unreadable.push(sample.name.clone()),
            }
            bar.inc(1);
        }
        bar.reset();
        ensure!(
            !tiles.is_empty(),
            "No image of the contact sheet can be read; dataset inspect without --sheet says why: {}",
            discovery.folder.display()
        );
        let sheet = drawn(&tiles);
        write_png(file, sheet.size, &sheet.pixels)?;
        Ok(Self {
            file: file.to_owned(),
            cells,
            unreadable,
        })
    }

    /// Says what is where on it.
    pub fn tell(&self) {
        say!("\nContact sheet: {}", self.file.display());
        for cell in &self.cells {
            let part = cell.part.unwrap_or("no part");
            let lack = if cell.has_mask {
                ""
            } else {
                ", without a mask that can be read"
            };
            let (row, column, name) = (cell.row, cell.column, &cell.name);
            say!("  row {row}, column {column}: {name} ({part}){lack}");
        }
        for name in &self.unreadable {
            say!("  not on it, since the image cannot be read: {name}");
        }
    }
}

impl Cell {
    fn of(at: usize, sample: &Sample, tile: &ContactTile) -> Self {
        Self {
            row: at / COLUMNS + 1,
            column: at % COLUMNS + 1,
            name: sample.name.clone(),
            part: sample.part.map(Part::folder),
            has_mask: tile.mask.is_some(),
        }
    }
}

/// The samples in their cells.
fn drawn(tiles: &[ContactTile]) -> RgbaTile {
    let length = |cells: usize| cells as u32 * (ContactTile::SIDE + GAP) + GAP;
    let rows = tiles.len().div_ceil(COLUMNS);
    let size = ImageSize::new(length(tiles.len().min(COLUMNS)), length(rows));
    let mut sheet = RgbaTile::blank(size);
    let [red, green, blue] = GROUND;
    for pixel in sheet.pixels.as_chunks_mut::<4>().0 {
        *pixel = [red, green, blue, 255];
    }
    for (at, tile) in tiles.iter().enumerate() {
        lay(
            &mut sheet,
            tile,
            (length(at % COLUMNS), length(at / COLUMNS)),
        );
    }
    sheet
}

/// Lays a sample into the middle of the cell at this corner, as large as it fits, by the nearest
/// pixel: a mixture of classes would be another class.
fn lay(sheet: &mut RgbaTile, tile: &ContactTile, (left, top): (u32, u32)) {
    let (side, from) = (ContactTile::SIDE, tile.image.size);
    let longest = from.width.max(from.height).max(1);
    let fitted = |length: u32| (length * side / longest).max(1);
    let (width, height) = (fitted(from.width), fitted(from.height));
    let (left, top) = (left + (side - width) / 2, top + (side - height) / 2);
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let (from_x, from_y) = (x * from.width / width, y * from.height / height);
        let place = (from_y * from.width + from_x) as usize * 4;
        let mut color = over(GROUND, &tile.image.pixels[place..place + 4], 1.0);
        if let Some(mask) = &tile.mask {
            color = over(color, &mask.pixels[place..place + 4], ContactTile::COVER);
        }
        let place = ((top + y) * sheet.size.width + left + x) as usize * 4;
        sheet.pixels[place..place + 3].copy_from_slice(&color);
    }
}

/// An RGBA8 pixel laid over a color.
fn over(under: [u8; 3], pixel: &[u8], cover: f32) -> [u8; 3] {
    let share = cover * f32::from(pixel[3]) / 255.0;
    std::array::from_fn(|channel| {
        let (below, above) = (f32::from(under[channel]), f32::from(pixel[channel]));
        (below + (above - below) * share).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_wide_sample_lies_in_the_middle_of_its_cell_and_clear_pixels_show_the_ground() {
        let picture = |pixels: &[u8]| {
            Arc::new(RgbaTile {
                size: ImageSize::new(2, 1),
                pixels: pixels.to_vec(),
            })
        };
        let tile = ContactTile {
            image: picture(&[200, 100, 0, 255, 200, 100, 0, 0]),
            mask: Some(picture(&[0, 0, 100, 255, 0, 0, 0, 0])),
        };
        let sheet = drawn(&[tile.clone(), tile]);
        assert_eq!(sheet.size, ImageSize::new(344, 176));
        let at = |x: usize, y: usize| &sheet.pixels[(y * 344 + x) * 4..][..4];
        let ground = [38, 38, 38, 255];
        // Of 160 rows of the cell the middle 80 are the sample's.
        assert_eq!((at(20, 47), at(20, 128)), (&ground[..], &ground[..]));
        for left in [8, 176] {
            assert_eq!(at(left, 48), [100, 50, 50, 255]);
            assert_eq!(at(left + 79, 127), [100, 50, 50, 255]);
            assert_eq!(at(left + 80, 127), ground);
        }
    }
}
