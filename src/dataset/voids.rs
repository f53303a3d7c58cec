use super::Discovery;
use super::void_edges::Distances;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{ClassTable, Mask, UNLABELED};
use crate::raster::{RasterInfo, ReadError, SampleType, TileSource};

/// Columns and rows of the blocks that voids are told by.
const BLOCK: u32 = 16;
/// Areas of fewer blocks may be bright roofs or deep shadows.
const FEWEST_BLOCKS: usize = 4;
/// Rows are read in bands of about so many pixels.
const BAND_PIXELS: u32 = 4 << 20;

/// Channels this near to white or black count as nearly so.
pub(super) const NEAR: u8 = 24;
const COLORS: [u8; 2] = [255, 0];

/// Where an image seems cut off: connected blocks of nothing but pure white, or of nothing but pure
/// black, that reach an edge of the image and end at once, in straight lines. Bright sky and deep
/// shadow fade into what is nearly white or black instead, or end where trees and houses do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Voids {
    /// The blocks of each area, those at the edges cut off there.
    areas: Vec<Vec<PixelRect>>,
}

impl Voids {
    /// Whether an image may have any: those that say themselves where they are empty have none, and
    /// those of wide samples are white where a stretch ends.
    pub(super) fn may_be_in(info: &RasterInfo) -> bool {
        !info.has_alpha && info.nodata.is_none() && info.sample == SampleType::U8
    }

    /// Reads all of an image.
    ///
    /// # Errors
    /// [`ReadError`] when a part does not decode.
    pub(super) fn of(source: &dyn TileSource) -> Result<Self, ReadError> {
        let info = source.info();
        let mut finder = VoidFinder::new(info.size);
        let read = |band: PixelRect| source.read_rgba(0, band);
        if Self::may_be_in(info) && !info.size.is_empty() {
            for band in bands(info.size) {
                finder.add(band, &read(band)?);
            }
        }
        finder.voids(read)
    }

    /// Those that are none by their labels left out. In pictures with more than two classes, or one
    /// for the sky, all that is shown has one; there a void is an area of which at least half is
    /// labeled as nothing.
    pub(super) fn where_labels_allow(mut self, mask: &Mask, discovery: &Discovery) -> Self {
        if !self.areas.is_empty() && names_all(discovery) {
            self.areas.retain(|area| {
                let labels = area.iter().flat_map(|block| mask.read_rect(*block));
                let (nothing, labeled): (Vec<u8>, Vec<u8>) =
                    labels.partition(|&class| discovery.is_nothing(class));
                nothing.len() >= labeled.len()
            });
        }
        self
    }

    /// Pixels in them.
    pub(super) fn num_pixels(&self) -> u64 {
        let blocks = self.areas.iter().flatten();
        blocks.map(|block| block.num_pixels()).sum()
    }

    /// Takes the labels of a mask on them away.
    pub(super) fn unlabel(&self, mask: &mut Mask) {
        for block in self.areas.iter().flatten() {
            mask.set_rect(*block, &vec![UNLABELED; block.num_pixels() as usize]);
        }
    }
}

/// Whether there are more than two classes, or one of them is the sky.
fn names_all(discovery: &Discovery) -> bool {
    let table = discovery.all_classes();
    let mut classes = table.iter().flat_map(ClassTable::classes);
    classes.clone().count() > 2 || classes.any(|class| class.name.eq_ignore_ascii_case("sky"))
}

/// Bands of whole rows of an image.
pub(super) fn bands(size: ImageSize) -> impl Iterator<Item = PixelRect> {
    let rows = (BAND_PIXELS / size.width.max(1)).max(1);
    let tops = (0..size.height).step_by(rows as usize);
    tops.map(move |top| PixelRect::new(0, top, size.width, rows.min(size.height - top)))
}

/// How far a color is from a grey, in the channel where that is most.
pub(super) fn apart([red, green, blue, _]: [u8; 4], grey: u8) -> u8 {
    let [red, green, blue] = [red, green, blue].map(|channel| channel.abs_diff(grey));
    red.max(green).max(blue)
}

/// Finds the voids of an image whose rows come in bands.
pub(super) struct VoidFinder {
    size: ImageSize,
    cols: usize,
    /// What the blocks hold, row by row.
    blocks: Vec<Block>,
}

/// What a block holds beside pure white, and beside pure black.
#[derive(Clone, Copy, Default)]
struct Block {
    near: [u32; 2],
    far: [u32; 2],
    is_taken: bool,
}

impl VoidFinder {
    /// Nothing is known of an image of `size`.
    pub(super) fn new(size: ImageSize) -> Self {
        let cols = size.width.div_ceil(BLOCK) as usize;
        let rows = size.height.div_ceil(BLOCK) as usize;
        Self {
            size,
            cols,
            blocks: vec![Block::default(); cols * rows],
        }
    }

    /// Looks at a band of whole rows in RGBA8.
    pub(super) fn add(&mut self, band: PixelRect, pixels: &[u8]) {
        let (pixels, _) = pixels.as_chunks::<4>();
        for (y, row) in (band.y..).zip(pixels.chunks_exact(band.width.max(1) as usize)) {
            let first = (y / BLOCK) as usize * self.cols;
            let blocks = self.blocks[first..].iter_mut();
            for (block, run) in blocks.zip(row.chunks(BLOCK as usize)) {
                block.add(run);
            }
        }
    }

    /// The voids, once all rows were added; where there may be some, `read` reads the image again,
    /// in bands.
    ///
    /// # Errors
    /// [`ReadError`] when a part does not decode.
    pub(super) fn voids(
        mut self,
        read: impl Fn(PixelRect) -> Result<Vec<u8>, ReadError>,
    ) -> Result<Voids, ReadError> {
        let mut voids = Voids::default();
        for (color, grey) in COLORS.into_iter().enumerate() {
            let mut areas = self.areas(color);
            if !areas.is_empty() {
                let mut distances = Distances::read(self.size, (color, grey), &read)?;
                areas.retain(|area| distances.are_of_void(area));
            }
            voids.areas.append(&mut areas);
        }
        Ok(voids)
    }

    /// The blocks of areas that may be voids of this color.
    fn areas(&mut self, color: usize) -> Vec<Vec<PixelRect>> {
        let mut areas = Vec::new();
        for at in 0..self.blocks.len() {
            let area = self.take_area(at, color);
            let is_at_edge = area.iter().any(|&at| self.is_at_edge(at));
            if is_at_edge && area.len() >= FEWEST_BLOCKS && self.ends_at_once(&area, color) {
                areas.push(area.into_iter().map(|at| self.rect(at)).collect());
            }
        }
        areas
    }

    /// Takes the blocks out that are connected to one and of its color.
    fn take_area(&mut self, at: usize, color: usize) -> Vec<usize> {
        let (mut area, mut next) = (Vec::new(), vec![at]);
        while let Some(at) = next.pop() {
            let block = &mut self.blocks[at];
            if block.is_taken || block.near[color] + block.far[color] > 0 {
                continue;
            }
            block.is_taken = true;
            area.push(at);
            next.extend(self.beside(at));
        }
        area
    }

    /// Whether at most half of what lies beside an area, itself left out, is nearly of its color.
    fn ends_at_once(&self, area: &[usize], color: usize) -> bool {
        let beside = || area.iter().flat_map(|&at| self.beside(at));
        let near: u32 = beside().map(|at| self.blocks[at].near[color]).sum();
        let far: u32 = beside().map(|at| self.blocks[at].far[color]).sum();
        near <= far
    }

    /// The blocks to the left, to the right, above and below.
    fn beside(&self, at: usize) -> impl Iterator<Item = usize> {
        let (col, below) = (at % self.cols, at + self.cols);
        let left = (col > 0).then(|| at - 1);
        let right = (col + 1 < self.cols).then_some(at + 1);
        let below = (below < self.blocks.len()).then_some(below);
        let above = at.checked_sub(self.cols);
        [left, right, above, below].into_iter().flatten()
    }

    const fn is_at_edge(&self, at: usize) -> bool {
        let (col, below) = (at % self.cols, at + self.cols);
        col == 0 || col + 1 == self.cols || at < self.cols || below >= self.blocks.len()
    }

    fn rect(&self, at: usize) -> PixelRect {
        let (col, row) = ((at % self.cols) as u32, (at / self.cols) as u32);
        PixelRect::new(col * BLOCK, row * BLOCK, BLOCK, BLOCK).intersect(self.size.bounds())
    }
}

impl Block {
    fn add(&mut self, run: &[[u8; 4]]) {
        for pixel in run {
            for (at, grey) in COLORS.into_iter().enumerate() {
                let most = apart(*pixel, grey);
                self.near[at] += u32::from((1..=NEAR).contains(&most));
                self.far[at] += u32::from(most > NEAR);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pixels in voids of a picture of 70 × 50 pixels.
    fn found(paint: impl Fn(u32, u32) -> u8) -> u64 {
        let size = ImageSize::new(70, 50);
        let mut finder = VoidFinder::new(size);
        let read = |band: PixelRect| {
            let rows = (band.y..band.bottom()).flat_map(|y| (0..70).map(move |x| (x, y)));
            let pixel = |(x, y): (u32, u32)| [paint(x, y), paint(x, y), paint(x, y), 255];
            rows.flat_map(pixel).collect::<Vec<u8>>()
        };
        for top in (0..50).step_by(7) {
            let band = PixelRect::new(0, top, 70, 7.min(50 - top));
            finder.add(band, &read(band));
        }
        finder
            .voids(|band| Ok(read(band)))
            .expect("pixels")
            .num_pixels()
    }

    #[test]
    fn voids_are_large_pure_and_reach_an_edge() {
        // Whole blocks: two rows of them over all columns.
        assert_eq!(found(|_, y| if y < 40 { 255 } else { 90 }), 70 * 32);
        assert_eq!(found(|_, y| if y < 40 { 0 } else { 90 }), 70 * 32);
        assert_eq!(found(|_, y| if y < 40 { 254 } else { 90 }), 0);
        // The lowest row of blocks is two pixels high.
        assert_eq!(found(|x, _| if x >= 48 { 255 } else { 90 }), 22 * 50);
        // A bright sky fades.
        let fading = |y: u32| 255 - y.saturating_sub(32).min(9) as u8;
        assert_eq!(found(|_, y| fading(y)), 0);
        // Three blocks are a roof, and what touches no edge is one as well.
        assert_eq!(found(|x, y| if x < 48 && y < 16 { 255 } else { 90 }), 0);
        let amid = |x: u32, y: u32| (16..48).contains(&x) && (16..48).contains(&y);
        assert_eq!(found(|x, y| if amid(x, y) { 255 } else { 90 }), 0);
    }

    #[test]
    fn labels_on_voids_are_taken_away() {
        let mut mask = Mask::filled(ImageSize::new(20, 20), 1);
        let areas = vec![vec![PixelRect::new(16, 0, 4, 16)]];
        Voids { areas }.unlabel(&mut mask);
        assert_eq!(mask.histogram()[255], 64);
        assert_eq!((mask.get(15, 0), mask.get(16, 16)), (1, 1));
    }
}
