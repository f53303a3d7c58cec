use std::borrow::Cow;
use std::fmt;

use super::halves;
use super::rgba_tile::RgbaTile;
use super::shrink::{RowPair, average_rgba};
use crate::geom::{ImageSize, PixelRect};

/// How one number of a tile is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Depth {
    /// A byte, 255 for one.
    #[default]
    Byte,
    /// A floating-point number of two bytes (IEEE 754 binary16) in this machine's order.
    Half,
}

/// How the pixels of tiles lie in memory: in layers of four numbers each, three bands and opacity.
///
/// Each row holds the pixels of all layers, one layer behind the other, so that a tile of one layer
/// is a picture and one of many is a picture that is wider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TileFormat {
    /// Size of each number.
    pub depth: Depth,
    /// Layers of three bands and opacity, at least one.
    pub layers: u8,
}

impl TileFormat {
    /// RGBA8.
    pub const PICTURE: Self = Self {
        depth: Depth::Byte,
        layers: 1,
    };

    /// Bytes of a pixel of one layer.
    pub const fn texel_bytes(self) -> usize {
        match self.depth {
            Depth::Byte => 4,
            Depth::Half => 8,
        }
    }

    /// Bytes of a row of `width` pixels of all layers.
    pub const fn row_bytes(self, width: u32) -> usize {
        self.layer_bytes(width) * self.layers as usize
    }

    /// Bytes of a row of `width` pixels of one layer.
    pub(super) const fn layer_bytes(self, width: u32) -> usize {
        width as usize * self.texel_bytes()
    }

    /// Halves two whole rows of `width` pixels; `out` has the pixels of all layers from `at` on of a
    /// row of `out_width`.
    ///
    /// Bytes are colors and averaged in linear light, other numbers as they are.
    pub(super) fn average(
        self,
        rows: RowPair<'_>,
        width: u32,
        out: &mut [u8],
        (at, out_width): (u32, u32),
    ) {
        let (len, out_len) = (self.layer_bytes(width), self.layer_bytes(out_width));
        let halved = width.div_ceil(2).min(out_width.saturating_sub(at));
        for layer in 0..usize::from(self.layers) {
            let part = RowPair {
                top: &rows.top[layer * len..][..len],
                bottom: &rows.bottom[layer * len..][..len],
            };
            let out = &mut out[layer * out_len + self.layer_bytes(at)..];
            let out = &mut out[..self.layer_bytes(halved)];
            match self.depth {
                Depth::Byte => average_rgba(part, out),
                Depth::Half => halves::average(part, out),
            }
        }
    }

    /// The numbers of some bytes: 0 to 255 of bytes.
    pub(super) fn widened(self, bytes: &[u8]) -> Vec<f32> {
        match self.depth {
            Depth::Byte => bytes.iter().map(|&byte| f32::from(byte)).collect(),
            Depth::Half => halves::widened(bytes),
        }
    }

    /// The four numbers of one pixel of a layer.
    pub(super) fn pixel(self, bytes: &[u8]) -> [f32; 4] {
        let mut numbers = [0.0; 4];
        match self.depth {
            Depth::Byte => (numbers.iter_mut().zip(bytes))
                .for_each(|(number, &byte)| *number = f32::from(byte)),
            Depth::Half => (numbers.iter_mut().zip(bytes.as_chunks::<2>().0))
                .for_each(|(number, &raw)| *number = halves::number(raw)),
        }
        numbers
    }

    /// The other way around.
    pub(super) fn narrowed(self, numbers: &[f32]) -> Vec<u8> {
        match self.depth {
            Depth::Byte => (numbers.iter().map(|number| (number + 0.5) as u8)).collect(),
            Depth::Half => halves::narrowed(numbers),
        }
    }

    /// The number that stands for full opacity, as [`Self::widened`] gives it.
    pub(super) const fn opaque(self) -> f32 {
        match self.depth {
            Depth::Byte => 255.0,
            Depth::Half => 1.0,
        }
    }
}

/// The pixels of one tile.
#[derive(Clone, PartialEq, Eq)]
pub struct Tile {
    /// Extent: [`super::TILE_SIZE`] squared, or less at the right and bottom edges of the image.
    pub size: ImageSize,
    /// How `bytes` are to be read.
    pub format: TileFormat,
    /// Row by row, alpha not multiplied in; bytes of colors are gamma-encoded (sRGB).
    pub bytes: Vec<u8>,
}

impl Tile {
    /// A transparent tile of `size`.
    pub fn blank(size: ImageSize, format: TileFormat) -> Self {
        Self {
            size,
            format,
            bytes: vec![0; format.row_bytes(size.width) * size.height as usize],
        }
    }

    /// The first layer as a picture, where it holds bytes.
    pub fn picture(&self) -> Option<RgbaTile> {
        (self.format.depth == Depth::Byte).then(|| RgbaTile {
            size: self.size,
            pixels: self.picked([0, 1, 2]).into_owned(),
        })
    }

    /// Bytes of one row of all layers.
    pub(super) const fn row_bytes(&self) -> usize {
        self.format.row_bytes(self.size.width)
    }

    /// Bands `picks`, counted through all layers, and opacity as a tile of one layer, row by row.
    /// A band that is not there is the first.
    pub fn picked(&self, picks: [u16; 3]) -> Cow<'_, [u8]> {
        let (row, len) = (self.row_bytes(), self.format.layer_bytes(self.size.width));
        if self.format.layers == 1 && picks == [0, 1, 2] {
            return Cow::Borrowed(&self.bytes);
        }
        let rows = self.bytes.chunks_exact(row.max(1));
        let layer = usize::from(picks[0] / 3);
        let is_in_order =
            picks[0].is_multiple_of(3) && picks[1] == picks[0] + 1 && picks[2] == picks[0] + 2;
        if is_in_order && layer < usize::from(self.format.layers) {
            let layers = rows.flat_map(|row| &row[layer * len..][..len]);
            return layers.copied().collect();
        }
        let size = self.format.texel_bytes() / 4;
        let bands = 3 * u16::from(self.format.layers);
        let starts = picks.map(|pick| {
            let pick = usize::from(if pick < bands { pick } else { 0 });
            pick / 3 * len + pick % 3 * size
        });
        let mut out = Vec::with_capacity(len * self.size.height as usize);
        for row in rows {
            for at in (0..len).step_by(4 * size) {
                for start in starts {
                    out.extend_from_slice(&row[start + at..][..size]);
                }
                out.extend_from_slice(&row[3 * size + at..][..size]);
            }
        }
        Cow::Owned(out)
    }

    /// Puts all of `part` at `at` (pixels of this tile), which has room for it.
    pub(super) fn draw(&mut self, part: &Self, at: (u32, u32)) {
        let [len, part_len] = [self, part].map(|tile| tile.format.layer_bytes(tile.size.width));
        let (row, left) = (self.row_bytes(), self.format.layer_bytes(at.0));
        let rows = self.bytes.chunks_exact_mut(row.max(1)).skip(at.1 as usize);
        for (row, part) in rows.zip(part.bytes.chunks_exact(part.row_bytes().max(1))) {
            let layers = row.chunks_exact_mut(len);
            for (layer, part) in layers.zip(part.chunks_exact(part_len)) {
                layer[left..left + part_len].copy_from_slice(part);
            }
        }
    }

    /// Puts the halved `child` at `at` (pixels of this tile).
    pub(super) fn draw_halved(&mut self, child: &Self, at: (u32, u32)) {
        let (child_row, row) = (child.row_bytes(), self.row_bytes());
        let rows = child.size.height.div_ceil(2);
        let rows = rows.min(self.size.height.saturating_sub(at.1));
        for y in 0..rows as usize {
            let top = &child.bytes[2 * y * child_row..][..child_row];
            let bottom = child.bytes.get((2 * y + 1) * child_row..);
            let bottom = bottom.and_then(|rest| rest.get(..child_row)).unwrap_or(top);
            let out = &mut self.bytes[(at.1 as usize + y) * row..][..row];
            let place = (at.0, self.size.width);
            let pair = RowPair { top, bottom };
            self.format.average(pair, child.size.width, out, place);
        }
    }

    /// The same pixels as a tile of `size`; missing last rows and columns repeat those before.
    pub(super) fn extended(&self, size: ImageSize) -> Self {
        let mut out = Self::blank(size, self.format);
        if self.size.is_empty() {
            return out;
        }
        let (texel, row) = (self.format.texel_bytes(), out.row_bytes());
        let len = self.format.layer_bytes(self.size.width);
        for (y, out) in (0..).zip(out.bytes.chunks_exact_mut(row)) {
            let y = y.min(self.size.height as usize - 1);
            let from = &self.bytes[y * self.row_bytes()..][..self.row_bytes()];
            let layers = out.chunks_exact_mut(self.format.layer_bytes(size.width));
            for (out, from) in layers.zip(from.chunks_exact(len)) {
                for (x, out) in (0..).zip(out.chunks_exact_mut(texel)) {
                    let x = x.min(self.size.width as usize - 1);
                    out.copy_from_slice(&from[x * texel..][..texel]);
                }
            }
        }
        out
    }

    /// `rect` of a row of tiles, whose first row it begins with.
    pub(super) fn cut(&self, rect: PixelRect) -> Self {
        let len = self.format.layer_bytes(self.size.width);
        let (start, part) = (
            self.format.layer_bytes(rect.x),
            self.format.layer_bytes(rect.width),
        );
        let rows = self.bytes.chunks_exact(self.row_bytes());
        let mut bytes =
            Vec::with_capacity(self.format.row_bytes(rect.width) * rect.height as usize);
        for row in rows.take(rect.height as usize) {
            for layer in row.chunks_exact(len) {
                bytes.extend_from_slice(&layer[start..][..part]);
            }
        }
        Self {
            size: ImageSize::new(rect.width, rect.height),
            format: self.format,
            bytes,
        }
    }
}

impl fmt::Debug for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tile({})", self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: TileFormat = TileFormat {
        depth: Depth::Byte,
        layers: 2,
    };

    fn picture(size: ImageSize, bytes: Vec<u8>) -> Tile {
        Tile {
            size,
            format: TileFormat::PICTURE,
            bytes,
        }
    }

    #[test]
    fn a_missing_row_and_column_repeat_those_before() {
        let small = picture(ImageSize::new(1, 1), vec![1, 2, 3, 255]);
        let large = small.extended(ImageSize::new(2, 2));
        assert_eq!(large.bytes, [1, 2, 3, 255].repeat(4));
        let small = Tile {
            size: ImageSize::new(1, 1),
            format: TWO,
            bytes: vec![1, 2, 3, 255, 4, 5, 6, 255],
        };
        let large = small.extended(ImageSize::new(2, 1));
        let layers = [[1, 2, 3, 255], [4, 5, 6, 255]].map(|pixel| pixel.repeat(2));
        assert_eq!(large.bytes, layers.concat());
    }

    #[test]
    fn a_halved_child_lands_in_its_quarter() {
        for layers in 1..=2 {
            let format = TileFormat { layers, ..TWO };
            let mut parent = Tile::blank(ImageSize::new(3, 2), format);
            let child = Tile {
                size: ImageSize::new(3, 3),
                format,
                bytes: [9, 9, 9, 255].repeat(9 * usize::from(layers)),
            };
            parent.draw_halved(&child, (1, 0));
            let picture = parent.picture().expect("bytes");
            let is_drawn: Vec<bool> = (picture.pixels.chunks_exact(4))
                .map(|pixel| pixel[3] > 0)
                .collect();
            assert_eq!(is_drawn, [false, true, true, false, true, true]);
        }
    }

    #[test]
    fn any_three_bands_make_a_layer() {
        // One row of two pixels: bands 0 to 2 with opacity, then bands 3 to 5.
        let bytes = vec![
            10, 11, 12, 255, 20, 21, 22, 0, 13, 14, 15, 255, 23, 24, 25, 0,
        ];
        let tile = Tile {
            size: ImageSize::new(2, 1),
            format: TWO,
            bytes,
        };
        assert_eq!(*tile.picked([0, 1, 2]), [10, 11, 12, 255, 20, 21, 22, 0]);
        assert_eq!(*tile.picked([3, 4, 5]), [13, 14, 15, 255, 23, 24, 25, 0]);
        assert_eq!(*tile.picked([3, 1, 0]), [13, 11, 10, 255, 23, 21, 20, 0]);
        assert_eq!(*tile.picked([5, 5, 99]), [15, 15, 10, 255, 25, 25, 20, 0]);
        let cut = tile.cut(PixelRect::new(1, 0, 1, 1));
        assert_eq!(cut.bytes, [20, 21, 22, 0, 23, 24, 25, 0]);
    }
}
