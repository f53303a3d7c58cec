//! The picture of a mosaic out of the pictures of its files, at any level that they have.

use super::compose::spread_over;
use super::place::{FileBand, FracRect, Layer, Placement};
use super::source::Mosaic;
use crate::geom::{ImageSize, PixelRect};
use crate::raster::error::ReadError;
use crate::raster::limits::{MAX_WHOLE_BYTES, product_within, zeroed};
use crate::raster::source::{RasterInfo, SampleType, TileSource};
use crate::raster::tile::{Tile, TileFormat};

/// How many halvings of files are looked for.
const MOST_HALVINGS: u8 = 6;
/// Files that are looked into for smaller copies.
const LEVEL_PROBES: usize = 16;
/// Side of what is halved at once.
const HALVED_SIDE: u32 = 512;

/// That pictures of files are parts of the picture of the mosaic.
#[derive(Debug)]
pub(super) struct Direct {
    opacity: Opacity,
    /// The halvings that files have, the first 0.
    pub(super) halvings: Vec<u8>,
}

/// Where the opacity of a mosaic comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opacity {
    /// Nothing states it.
    Nowhere,
    /// From that of the files.
    Files,
    /// It is full wherever a file lies.
    Covered,
}

impl Direct {
    /// How the picture of a mosaic follows from those of its files, if it does: bytes as they are,
    /// all bands of a file at one place, pixel for pixel.
    pub(super) fn of(mosaic: &Mosaic) -> Option<Self> {
        let is_in_order = (0..).zip(&mosaic.colors).all(|(at, &band)| at == band);
        let is_byte = mosaic.info.sample == SampleType::U8;
        if !is_byte || !is_in_order || !mosaic.bands.iter().all(|band| is_like(mosaic, band)) {
            return None;
        }
        let first = mosaic.bands.first()?;
        for (layer, &band) in mosaic.bands.iter().zip(&mosaic.colors) {
            let is_plain = |placement: &Placement| {
                placement.is_exact()
                    && placement.band == FileBand::Samples(band)
                    && placement.change.is_none()
            };
            if !layer.placements.iter().all(is_plain) || !is_parallel(first, layer) {
                return None;
            }
        }
        let opacity = opacity_of(mosaic, first)?;
        let halvings = halvings_of(mosaic, first);
        Some(Self { opacity, halvings })
    }
}

/// Whether a band has the nodata value of the first.
fn is_like(mosaic: &Mosaic, band: &Layer) -> bool {
    band.nodata == mosaic.info.nodata
}

/// Whether the same files lie at the same places in two bands.
fn is_parallel(one: &Layer, other: &Layer) -> bool {
    let alike = |(one, other): (&Placement, &Placement)| {
        one.file == other.file
            && one.from == other.from
            && one.to == other.to
            && one.uses_mask == other.uses_mask
            && one.nodata == other.nodata
    };
    let pairs = one.placements.iter().zip(&other.placements);
    one.placements.len() == other.placements.len() && pairs.into_iter().all(alike)
}

fn opacity_of(mosaic: &Mosaic, first: &Layer) -> Option<Opacity> {
    let is_at_same_places = |layer: &Layer| {
        let pairs = first.placements.iter().zip(&layer.placements);
        let alike = |(one, other): (&Placement, &Placement)| {
            one.file == other.file && one.from == other.from && one.to == other.to
        };
        first.placements.len() == layer.placements.len() && pairs.into_iter().all(alike)
    };
    match (mosaic.alpha, &mosaic.mask) {
        (None, None) => Some(Opacity::Nowhere),
        (Some(band), None) => {
            let layer = &mosaic.bands[usize::from(band)];
            let constant = |placement: &Placement| placement.change.as_ref()?.constant();
            let mut placements = layer.placements.iter();
            if !is_at_same_places(layer) {
                None
            } else if placements.all(|placement| constant(placement) == Some(255.0)) {
                Some(Opacity::Covered)
            } else {
                let is_own = |placement: &Placement| {
                    placement.change.is_none() && placement.band == FileBand::Samples(band)
                };
                let is_own = layer.placements.iter().all(is_own);
                (is_own && is_parallel(first, layer)).then_some(Opacity::Files)
            }
        }
        (None, Some(mask)) => {
            let is_mask = |placement: &Placement| {
                placement.band == FileBand::Mask && placement.change.is_none()
            };
            let is_own = is_at_same_places(mask) && mask.placements.iter().all(is_mask);
            is_own.then_some(Opacity::Files)
        }
        (Some(_), Some(_)) => None,
    }
}

/// Halvings at which every place is whole and every file that was looked into has a copy.
fn halvings_of(mosaic: &Mosaic, first: &Layer) -> Vec<u8> {
    let mut levels = vec![0];
    if !mosaic.files.is_outermost() || first.placements.is_empty() {
        return levels;
    }
    let size = mosaic.info.size;
    let aligned = (1..=MOST_HALVINGS).filter(|&level| {
        let mut placements = first.placements.iter();
        placements.all(|placement| is_aligned(placement.covers, size, level))
    });
    let aligned: Vec<u8> = aligned.collect();
    if aligned.is_empty() {
        return levels;
    }
    let probed = spread_over(first.placements.len(), LEVEL_PROBES).filter_map(|number| {
        let placement = &first.placements[number];
        let source = mosaic.files.source(placement.file).ok()?;
        let info = source.info();
        let has = |level: u8| is_whole(placement, info) && stored_at(info, level).is_some();
        Some(aligned.iter().map(|&level| has(level)).collect())
    });
    let probed: Vec<Vec<bool>> = probed.collect();
    let is_common = |at: usize| !probed.is_empty() && probed.iter().all(|has| has[at]);
    levels.extend(
        (0..aligned.len())
            .filter(|&at| is_common(at))
            .map(|at| aligned[at]),
    );
    levels
}

fn is_aligned(covers: PixelRect, size: ImageSize, level: u8) -> bool {
    let step = 1 << level;
    let end = |end: u32, side: u32| end.is_multiple_of(step) || end == side;
    covers.x.is_multiple_of(step)
        && covers.y.is_multiple_of(step)
        && end(covers.right(), size.width)
        && end(covers.bottom(), size.height)
}

/// Whether all of a file is placed.
fn is_whole(placement: &Placement, info: &RasterInfo) -> bool {
    let whole = FracRect::whole(info.size);
    let is_all = placement.from.is_none_or(|from| from == whole);
    is_all && (placement.to.width, placement.to.height) == (whole.width, whole.height)
}

/// The stored level of a file after so many halvings.
fn stored_at(info: &RasterInfo, level: u8) -> Option<usize> {
    let size = info.size.at_level(level);
    info.level_sizes.iter().position(|stored| *stored == size)
}

/// The pixels of a level that stand for `covers` of the mosaic.
fn at_level(covers: PixelRect, level: u8) -> PixelRect {
    let (x, y) = (covers.x >> level, covers.y >> level);
    let end = |end: u32| u64::from(end).div_ceil(1 << level) as u32;
    PixelRect::new(x, y, end(covers.right()) - x, end(covers.bottom()) - y)
}

/// The pixels of the mosaic below `rect` of a level.
fn ground_of(rect: PixelRect, level: u8) -> PixelRect {
    let factor = 1_u32 << level;
    let (x, y) = (rect.x.saturating_mul(factor), rect.y.saturating_mul(factor));
    let end = |end: u32| end.saturating_mul(factor);
    PixelRect::new(x, y, end(rect.right()) - x, end(rect.bottom()) - y)
}

impl Mosaic {
    /// The picture of `rect` of a level out of those of the files.
    pub(super) fn direct_rgba(
        &self,
        direct: &Direct,
        level: u8,
        rect: PixelRect,
    ) -> Result<Vec<u8>, ReadError> {
        let mut out = self.blank(rect)?;
        let layer = &self.bands[0];
        let ground = ground_of(rect, level).intersect(self.info.size.bounds());
        for number in layer.touching(ground) {
            let placement = &layer.placements[number as usize];
            let cut = at_level(placement.covers, level).intersect(rect);
            if cut.is_empty() {
                continue;
            }
            let pixels = self.picture_of(direct, number, level, cut)?;
            let lets_through = placement.uses_mask || placement.nodata.is_some();
            lay_over(&pixels, cut, &mut out, rect, lets_through);
        }
        Ok(out)
    }

    fn blank(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let len = product_within(&[rect.num_pixels(), 4], 4 * MAX_WHOLE_BYTES, "A window");
        let blank = len.and_then(|len| zeroed(len as usize));
        blank.map_err(|fault| fault.on_read(&self.path))
    }

    /// The picture of a placement in `cut` of a level.
    fn picture_of(
        &self,
        direct: &Direct,
        number: u32,
        level: u8,
        cut: PixelRect,
    ) -> Result<Vec<u8>, ReadError> {
        let placement = &self.bands[0].placements[number as usize];
        let source = self.files.source(placement.file)?;
        let is_suited = self.is_suited(direct, placement, &*source);
        if level == 0 {
            let window = placement.exact_window(cut);
            return if is_suited {
                self.files.count(placement.file, window.num_pixels())?;
                source.read_rgba(0, window)
            } else {
                self.painted(cut, Some(number))
            };
        }
        let stored = stored_at(source.info(), level);
        if is_suited
            && is_whole(placement, source.info())
            && let Some(stored) = stored
        {
            let whole = at_level(placement.covers, level);
            let window = PixelRect::new(cut.x - whole.x, cut.y - whole.y, cut.width, cut.height);
            return source.read_rgba(stored, window);
        }
        self.halved(direct, number, level, cut)
    }

    /// The picture of a placement in `cut` of a level that its file does not have.
    fn halved(
        &self,
        direct: &Direct,
        number: u32,
        level: u8,
        cut: PixelRect,
    ) -> Result<Vec<u8>, ReadError> {
        let covers = self.bands[0].placements[number as usize].covers;
        let side = (HALVED_SIDE >> level).max(1);
        let mut out = self.blank(cut)?;
        for y in (cut.y..cut.bottom()).step_by(side as usize) {
            for x in (cut.x..cut.right()).step_by(side as usize) {
                let block = PixelRect::new(x, y, side, side).intersect(cut);
                let ground = ground_of(block, level).intersect(covers);
                let mut tile = Tile {
                    size: ImageSize::new(ground.width, ground.height),
                    format: TileFormat::PICTURE,
                    bytes: self.picture_of(direct, number, 0, ground)?,
                };
                for _ in 0..level {
                    let mut half = Tile::blank(tile.size.at_level(1), tile.format);
                    half.draw_halved(&tile, (0, 0));
                    tile = half;
                }
                let drawn = PixelRect::new(x, y, tile.size.width, tile.size.height);
                lay_over(&tile.bytes, drawn, &mut out, cut, false);
            }
        }
        Ok(out)
    }

    /// Whether the picture of a file is that of its samples in the mosaic.
    fn is_suited(&self, direct: &Direct, placement: &Placement, source: &dyn TileSource) -> bool {
        let (info, nodata) = (source.info(), self.info.nodata);
        let is_alike = info.sample == SampleType::U8
            && info.palette == self.info.palette
            && source.color_bands() == self.colors;
        let is_inside = placement.from.is_some()
            || (f64::from(info.size.width), f64::from(info.size.height))
                == (placement.to.width, placement.to.height);
        let hides_value = if info.nodata == nodata {
            placement.nodata.is_none() || placement.nodata == nodata
        } else {
            nodata.is_none() && placement.nodata.is_none() && placement.uses_mask
        };
        let hides_pixels = match direct.opacity {
            Opacity::Nowhere => !info.has_alpha || placement.uses_mask,
            Opacity::Covered => !info.has_alpha && info.nodata.is_none(),
            Opacity::Files => match self.alpha {
                Some(alpha) => info.has_alpha && !source.data_bands().contains(&alpha),
                None => true,
            },
        };
        is_alike && is_inside && hides_value && hides_pixels
    }
}

/// Lays the picture of `cut` over that of `rect`; what is transparent too, or not.
fn lay_over(pixels: &[u8], cut: PixelRect, out: &mut [u8], rect: PixelRect, lets_through: bool) {
    let shared = cut.intersect(rect);
    let (row_len, out_len) = (cut.width as usize * 4, rect.width as usize * 4);
    for y in shared.y..shared.bottom() {
        let from = (y - cut.y) as usize * row_len + (shared.x - cut.x) as usize * 4;
        let to = (y - rect.y) as usize * out_len + (shared.x - rect.x) as usize * 4;
        let len = shared.width as usize * 4;
        let (Some(from), Some(to)) = (pixels.get(from..from + len), out.get_mut(to..to + len))
        else {
            continue;
        };
        if !lets_through {
            to.copy_from_slice(from);
            continue;
        }
        let pairs = to.chunks_exact_mut(4).zip(from.chunks_exact(4));
        let shown = pairs.filter(|(_, from)| from[3] > 0);
        shown.for_each(|(to, from)| to.copy_from_slice(from));
    }
}
