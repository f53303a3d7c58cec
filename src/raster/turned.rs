use std::sync::Arc;

use super::error::ReadError;
use super::source::{BandSamples, Layout, RasterInfo, TileSamples, TileSource};
use super::tile::{Depth, TileFormat};
use crate::geom::{ImageSize, PixelRect};

/// How the rows and columns of a file have to be turned to be seen upright (TIFF 6, tag 274; EXIF).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orientation {
    /// Columns of the file are rows of the picture.
    is_swapped: bool,
    /// Columns, as the file counts them, run from right to left (or from below to above).
    is_flipped_across: bool,
    /// Rows, as the file counts them, run from below to above (or from right to left).
    is_flipped_down: bool,
}

impl Orientation {
    /// From the number that files state; numbers without a meaning are upright.
    pub(super) const fn from_code(code: u64) -> Self {
        let (is_swapped, is_flipped_across, is_flipped_down) = match code {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, false, true),
            7 => (true, true, true),
            8 => (true, true, false),
            _ => (false, false, false),
        };
        Self {
            is_swapped,
            is_flipped_across,
            is_flipped_down,
        }
    }

    /// Whether nothing has to be turned.
    pub fn is_upright(self) -> bool {
        self == Self::default()
    }

    const fn turned_size(self, size: ImageSize) -> ImageSize {
        if self.is_swapped {
            ImageSize::new(size.height, size.width)
        } else {
            size
        }
    }

    /// Where the pixels of `rect` of the picture are in a file of `stored` pixels.
    const fn stored_rect(self, rect: PixelRect, stored: ImageSize) -> PixelRect {
        let (mut x, mut y) = (rect.x, rect.y);
        let (mut width, mut height) = (rect.width, rect.height);
        if self.is_swapped {
            (x, y) = (y, x);
            (width, height) = (height, width);
        }
        if self.is_flipped_across {
            x = stored.width - x - width;
        }
        if self.is_flipped_down {
            y = stored.height - y - height;
        }
        PixelRect::new(x, y, width, height)
    }

    /// The pixels of a rectangle of the picture with `width` columns and `height` rows, from those
    /// of [`Orientation::stored_rect`].
    fn turn<T: Copy>(self, stored: &[T], width: u32, height: u32) -> Vec<T> {
        let (width, height) = (width as usize, height as usize);
        let (stored_width, stored_height) = if self.is_swapped {
            (height, width)
        } else {
            (width, height)
        };
        let mut out = Vec::with_capacity(stored.len());
        for y in 0..height {
            for x in 0..width {
                let (mut column, mut row) = if self.is_swapped { (y, x) } else { (x, y) };
                if self.is_flipped_across {
                    column = stored_width - 1 - column;
                }
                if self.is_flipped_down {
                    row = stored_height - 1 - row;
                }
                out.push(stored[row * stored_width + column]);
            }
        }
        out
    }
}

/// A source that shows another one upright.
pub(super) struct Turned {
    stored: Arc<dyn TileSource>,
    orientation: Orientation,
    info: RasterInfo,
}

impl Turned {
    /// Turns `stored` as its header says.
    pub(super) fn new(stored: Arc<dyn TileSource>) -> Self {
        let orientation = stored.info().orientation;
        let mut info = stored.info().clone();
        info.size = orientation.turned_size(info.size);
        let sizes = info.level_sizes.into_iter();
        info.level_sizes = sizes.map(|size| orientation.turned_size(size)).collect();
        info.layout = match (info.layout, orientation.is_swapped) {
            (Layout::Tiles { width, height }, true) => Layout::Tiles {
                width: height,
                height: width,
            },
            // Columns of pieces lie side by side then, which nobody has to know.
            (Layout::Strips { .. }, true) => Layout::Whole,
            (layout, _) => layout,
        };
        Self {
            stored,
            orientation,
            info,
        }
    }

    /// The rectangle in the file, `None` where `rect` is not inside the picture.
    fn stored_rect(&self, level: usize, rect: PixelRect) -> Option<PixelRect> {
        let size = *self.info.level_sizes.get(level)?;
        let is_inside = rect.right() <= size.width && rect.bottom() <= size.height;
        let stored = self.stored.info().level_sizes[level];
        is_inside.then(|| self.orientation.stored_rect(rect, stored))
    }

    /// What is asked of the file: what lies outside stays outside.
    fn asked(&self, level: usize, rect: PixelRect) -> PixelRect {
        let beyond = PixelRect::new(u32::MAX - 1, u32::MAX - 1, 1, 1);
        self.stored_rect(level, rect).unwrap_or(beyond)
    }

    fn turn<T: Copy>(&self, stored: &[T], rect: PixelRect) -> Vec<T> {
        self.orientation.turn(stored, rect.width, rect.height)
    }
}

impl TileSource for Turned {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn data_bands(&self) -> Vec<u16> {
        self.stored.data_bands()
    }

    fn color_bands(&self) -> Vec<u16> {
        self.stored.color_bands()
    }

    fn read_bands(&self, rect: PixelRect, bands: &[u16]) -> Result<BandSamples, ReadError> {
        let samples = self.stored.read_bands(self.asked(0, rect), bands)?;
        let planes = samples.planes.iter();
        Ok(BandSamples {
            planes: planes.map(|plane| self.turn(plane, rect)).collect(),
            has_data: self.turn(&samples.has_data, rect),
        })
    }

    fn read_values(&self, rect: PixelRect, band: u16) -> Result<Vec<f64>, ReadError> {
        let values = self.stored.read_values(self.asked(0, rect), band)?;
        Ok(self.turn(&values, rect))
    }

    fn read_rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let rgba = self.stored.read_rgba(stored, self.asked(stored, rect))?;
        Ok(self.turn(rgba.as_chunks::<4>().0, rect).into_flattened())
    }

    fn tile_format(&self) -> TileFormat {
        self.stored.tile_format()
    }

    fn tile_bands(&self) -> Vec<u16> {
        self.stored.tile_bands()
    }

    fn tile_samples(&self, bands: &[u16]) -> Result<TileSamples, ReadError> {
        self.stored.tile_samples(bands)
    }

    fn read_tile(
        &self,
        stored: usize,
        rect: PixelRect,
        bands: &[u16],
    ) -> Result<Vec<u8>, ReadError> {
        let asked = self.asked(stored, rect);
        let bytes = self.stored.read_tile(stored, asked, bands)?;
        let format = self.tile_format();
        let layer = |layer: usize| {
            let len = format.layer_bytes(asked.width);
            let rows = bytes.chunks_exact(format.row_bytes(asked.width));
            let pixels: Vec<u8> = (rows.flat_map(|row| &row[layer * len..][..len]))
                .copied()
                .collect();
            match format.depth {
                Depth::Byte => self.turn(pixels.as_chunks::<4>().0, rect).into_flattened(),
                Depth::Half => self.turn(pixels.as_chunks::<8>().0, rect).into_flattened(),
            }
        };
        let layers: Vec<Vec<u8>> = (0..usize::from(format.layers)).map(layer).collect();
        let len = format.layer_bytes(rect.width);
        let rows = (0..rect.height as usize)
            .flat_map(|y| layers.iter().map(move |layer| &layer[y * len..][..len]));
        Ok(rows.flatten().copied().collect())
    }

    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let indices = self.stored.read_index(self.asked(0, rect))?;
        Ok(self.turn(&indices, rect))
    }

    fn read_wide(&self, rect: PixelRect) -> Result<Option<Vec<u8>>, ReadError> {
        let wide = self.stored.read_wide(self.asked(0, rect))?;
        Ok(wide.map(|wide| self.turn(wide.as_chunks::<2>().0, rect).into_flattened()))
    }

    fn is_sequential(&self) -> bool {
        self.stored.is_sequential()
    }

    fn block_size(&self, stored: usize) -> ImageSize {
        let block = self.stored.block_size(stored);
        self.orientation.turned_size(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_the_eight_ways_brings_the_letter_upright() {
        // An F of 3 × 5 pixels as it is seen, and what a file holds for each code.
        let upright = "###|#..|##.|#..|#..";
        let files = [
            (1, "###|#..|##.|#..|#.."),
            (2, "###|..#|.##|..#|..#"),
            (3, "..#|..#|.##|..#|###"),
            (4, "#..|#..|##.|#..|###"),
            (5, "#####|#.#..|#...."),
            (6, "#....|#.#..|#####"),
            (7, "....#|..#.#|#####"),
            (8, "#####|..#.#|....#"),
        ];
        for (code, file) in files {
            let orientation = Orientation::from_code(code);
            let stored: Vec<char> = file.chars().filter(|&pixel| pixel != '|').collect();
            let turned = orientation.turn(&stored, 3, 5);
            let rows: Vec<String> = turned.chunks(3).map(|row| row.iter().collect()).collect();
            assert_eq!(rows.join("|"), upright, "code {code}");
        }
    }

    #[test]
    fn a_window_of_the_picture_is_that_window_of_the_whole_turned() {
        let stored_size = ImageSize::new(7, 4);
        let stored: Vec<u32> = (0..28).collect();
        for code in 1..=8 {
            let orientation = Orientation::from_code(code);
            let size = orientation.turned_size(stored_size);
            let whole = orientation.turn(&stored, size.width, size.height);
            let rect = PixelRect::new(1, 2, 3, 2);
            let source = orientation.stored_rect(rect, stored_size);
            let rows = source.y..source.bottom();
            let cut = |row| (source.x..source.right()).map(move |column| row * 7 + column);
            let window: Vec<u32> = rows.flat_map(cut).collect();
            let expected: Vec<u32> = (rect.y..rect.bottom())
                .flat_map(|y| (rect.x..rect.right()).map(move |x| (x, y)))
                .map(|(x, y)| whole[(y * size.width + x) as usize])
                .collect();
            assert_eq!(orientation.turn(&window, 3, 2), expected, "code {code}");
        }
    }
}
