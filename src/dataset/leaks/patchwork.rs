use std::fmt;

use super::blur::Grey;
use super::seam_grid::SeamGrid;
use super::seams::{Line, RUN, lost_likeness};
use crate::dataset::{DatasetError, Watch};
use crate::geom::{ImageSize, PixelRect};
use crate::raster::TileSource;

/// Of an image that is larger the middle of so many pixels a side is looked at.
const SIDE: u32 = 8_192;
/// Rows that are read at once.
const BAND: u32 = 512;
/// Two images that were joined are no patchwork.
const FEWEST_SEAMS: usize = 2;
/// The least mean share of likeness that is lost at the seams. Tiles that were compressed apart lose
/// 0.1 to 0.5, and cells of which a third have their true neighbor 0.8.
const LEAST_LOST: f64 = 0.6;

/// An image that is put together of cells: seams at a regular distance, at which the pictures on
/// both sides have nothing to do with each other. How large its cells are; `None` where there are
/// no seams in that direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patchwork {
    /// Columns of a cell.
    pub width: Option<f64>,
    /// Rows of a cell.
    pub height: Option<f64>,
}

impl Patchwork {
    /// What its cells mean, the rest of a sentence that names them.
    pub(in crate::dataset) const MEANING: &str = "cells side by side need not be neighbors on the ground, so blocks of it are no honest \
         held-out ground; hold out whole images, or judge on another image";

    /// Looks at an image, the middle of one that is too large; what cannot be read tells nothing.
    ///
    /// # Errors
    /// [`DatasetError::Stopped`] when `watch` says so.
    pub fn of(source: &dyn TileSource, watch: &Watch<'_>) -> Result<Option<Self>, DatasetError> {
        let size = source.info().size;
        let mut finder = PatchworkFinder::new(size, SIDE);
        let bands = finder.window.pieces(ImageSize::new(size.width, BAND));
        for (at, band) in bands.iter().enumerate() {
            if (watch.is_cancelled)() {
                return Err(DatasetError::Stopped);
            }
            if let Ok(pixels) = source.read_rgba(0, *band) {
                finder.add(*band, &pixels);
            }
            (watch.progress)((at + 1) as f64 / bands.len() as f64);
        }
        Ok(finder.patchwork())
    }

    /// What somebody should know who holds blocks of it out.
    pub fn warning(&self) -> String {
        format!("The image is put together of {self}: {}", Self::MEANING)
    }
}

impl fmt::Display for Patchwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.width, self.height) {
            (Some(width), Some(height)) => write!(f, "cells of {width:.0} × {height:.0} pixels"),
            (Some(width), None) => write!(f, "cells that are {width:.0} pixels wide"),
            (None, Some(height)) => write!(f, "cells that are {height:.0} pixels high"),
            (None, None) => write!(f, "cells"),
        }
    }
}

/// Looks for seams in an image whose rows come in bands.
pub(in crate::dataset) struct PatchworkFinder {
    /// What is looked at.
    window: PixelRect,
    /// Its brightness; 0 where it is transparent.
    luma: Vec<u8>,
}

impl PatchworkFinder {
    /// Nothing is known of an image of `size`, of which the middle of so many pixels a side will be
    /// looked at. A byte is kept for each.
    pub(in crate::dataset) fn new(size: ImageSize, most: u32) -> Self {
        let start = |extent: u32| extent.saturating_sub(most) / 2;
        let side = |extent: u32| extent.min(most);
        let window = PixelRect::new(
            start(size.width),
            start(size.height),
            side(size.width),
            side(size.height),
        );
        Self {
            luma: vec![0; window.num_pixels() as usize],
            window,
        }
    }

    /// Looks at RGBA8 of a band that has all columns of the window.
    pub(in crate::dataset) fn add(&mut self, band: PixelRect, pixels: &[u8]) {
        let rows = band.intersect(self.window);
        if rows.is_empty() {
            return;
        }
        let grey = Grey::new(band, pixels);
        let is_void = |at: usize| grey.void.as_ref().is_some_and(|void| void[at]);
        let width = self.window.width as usize;
        for y in rows.y..rows.bottom() {
            let from = (y - band.y) as usize * grey.width() + (rows.x - band.x) as usize;
            let to = (y - self.window.y) as usize * width;
            for (at, luma) in (from..).zip(&mut self.luma[to..to + width]) {
                *luma = if is_void(at) { 0 } else { grey.luma[at] };
            }
        }
    }

    /// The cells, once all bands were added.
    pub(in crate::dataset) fn patchwork(&self) -> Option<Patchwork> {
        let [width, height] = [self.window.width, self.window.height].map(|side| side as usize);
        let columns = |at: usize| -> Vec<Line> {
            let rows = &self.luma[at * RUN * width..][..RUN * width];
            let column = |x: usize| std::array::from_fn(|y| rows[y * width + x]);
            (0..width).map(column).collect()
        };
        let rows = |at: usize| -> Vec<Line> {
            let row = |y: usize| std::array::from_fn(|x| self.luma[y * width + at * RUN + x]);
            (0..height).map(row).collect()
        };
        let columns = SeamGrid::of(&lost_likeness(height / RUN, columns));
        let rows = SeamGrid::of(&lost_likeness(width / RUN, rows));
        let grids = || columns.iter().chain(&rows);
        let seams: usize = grids().map(|grid| grid.seams).sum();
        let lost: f64 = grids().map(|grid| grid.lost).sum();
        let is_patchwork = seams >= FEWEST_SEAMS && lost >= LEAST_LOST * seams as f64;
        is_patchwork.then(|| Patchwork {
            width: columns.map(|grid| grid.period),
            height: rows.map(|grid| grid.period),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::discover::test_folders::{Kind, png};
    use crate::dataset::hash;
    use crate::raster::open_raster;

    const SIDE: u32 = 640;

    /// Smooth random ground, the same wherever it is asked for.
    fn ground(x: u32, y: u32) -> f64 {
        let [across, down] = [x, y].map(|at| f64::from(at % 7) / 7.0);
        let corner = |right: u32, low: u32| {
            let place = [x / 7 + right, y / 7 + low].map(u64::from);
            (hash(&place) >> 56) as f64
        };
        let row = |low: u32| corner(0, low) * (1.0 - across) + corner(1, low) * across;
        row(0) * (1.0 - down) + row(1) * down
    }

    /// The ground with its cells of these extents in another order.
    fn shuffled(x: u32, y: u32, width: u32, height: u32) -> f64 {
        let far = hash(&[u64::from(x / width), u64::from(y / height)]) % 1_000;
        let (x, y) = (x % width, y % height);
        ground(x + 1_000 * far as u32, y + 1_000)
    }

    const fn cells(width: Option<f64>, height: Option<f64>) -> Option<Patchwork> {
        Some(Patchwork { width, height })
    }

    #[track_caller]
    fn check(pixel: impl Fn(u32, u32) -> f64, expected: Option<Patchwork>) {
        let mut finder = PatchworkFinder::new(ImageSize::new(SIDE, SIDE), SIDE);
        for top in (0..SIDE).step_by(160) {
            let places = (top..top + 160).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
            let rgba = places.flat_map(|(x, y)| {
                let grey = pixel(x, y) as u8;
                [grey, grey, grey, 255]
            });
            let band = PixelRect::new(0, top, SIDE, 160);
            finder.add(band, &rgba.collect::<Vec<u8>>());
        }
        assert_eq!(finder.patchwork(), expected);
    }

    #[test]
    fn cells_are_found_with_their_extents() {
        for (width, height) in [(128, 128), (100, 80), (320, 320)] {
            let expected = cells(Some(width.into()), Some(height.into()));
            check(|x, y| shuffled(x, y, width, height), expected);
        }
        // Cut out of a larger one.
        let cut = |x, y| shuffled(x + 30, y + 17, 150, 150);
        check(cut, cells(Some(150.0), Some(150.0)));
        check(|x, y| shuffled(x, y, 160, 9_000), cells(Some(160.0), None));
        check(|x, y| shuffled(x, y, 9_000, 160), cells(None, Some(160.0)));
    }

    #[test]
    fn ground_as_it_is_raises_no_alarm() {
        check(ground, None);
        // Two images that were joined, somewhere and in the middle.
        check(|x, y| shuffled(x, y, 400, 9_000), None);
        check(|x, y| shuffled(x, y, 320, 9_000), None);
        // Blocks that were compressed apart.
        let noise = |x: u32, y: u32| (hash(&[u64::from(x), u64::from(y)]) % 8) as f64;
        let shade = |x: u32, y: u32| (hash(&[u64::from(x / 256), u64::from(y / 256)]) % 16) as f64;
        check(|x, y| ground(x, y) * 0.9 + shade(x, y) + noise(x, y), None);
        // Fields of other brightness, and roads, at regular distances.
        let field = |x: u32| {
            if (x / 128).is_multiple_of(2) {
                0.5
            } else {
                1.0
            }
        };
        check(|x, y| ground(x, y) * field(x), None);
        let is_road = |x: u32| (60..72).contains(&(x % 128));
        let road = |x: u32, y: u32| 200.0 + ground(x + 5_000, y) / 10.0;
        check(
            |x, y| if is_road(x) { road(x, y) } else { ground(x, y) },
            None,
        );
        check(|x, y| if is_road(x) { 220.0 } else { ground(x, y) }, None);
        check(|_, _| 90.0, None);
    }

    #[test]
    fn the_middle_of_a_large_image_is_looked_at() {
        let window = PatchworkFinder::new(ImageSize::new(10_192, 300), 8_192).window;
        assert_eq!(window, PixelRect::new(1_000, 0, 8_192, 300));
        let nothing = PatchworkFinder::new(ImageSize::new(0, 300), 8_192);
        assert_eq!(nothing.patchwork(), None);
    }

    #[test]
    fn a_file_is_read_and_can_be_stopped() {
        let folder = tempfile::tempdir().expect("a folder");
        let places = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
        let pixels = places.map(|(x, y)| shuffled(x, y, 128, 128) as u8);
        let pixels: Vec<u8> = pixels.collect();
        let path = png(folder.path(), "a.png", Kind::Grey, SIDE, &pixels);
        let source = open_raster(&path).expect("an image");
        let found = Patchwork::of(&*source, &Watch::NOBODY).expect("a look");
        let warning = found.expect("a patchwork").warning();
        let words = "The image is put together of cells of 128 × 128 pixels: cells side by side";
        assert!(warning.starts_with(words), "{warning}");
        let stop = Watch {
            is_cancelled: &|| true,
            ..Watch::NOBODY
        };
        let stopped = Patchwork::of(&*source, &stop);
        assert!(matches!(stopped, Err(DatasetError::Stopped)));
    }
}
