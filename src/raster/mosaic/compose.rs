//! Samples of a mosaic out of those of its files, and the picture out of them.

use std::sync::Arc;

use super::place::{FileBand, Layer, Placement, fitted};
use super::source::{FORMAT, Mosaic};
use crate::geom::PixelRect;
use crate::raster::error::{Fault, ReadError};
use crate::raster::limits::{MAX_WHOLE_BYTES, product_within};
use crate::raster::source::{SampleType, TileSource};
use crate::raster::stretch::Stretch;
use crate::raster::tiff::{full_alpha, same};

/// The most pixels of a file that are read at once.
const MOST_WINDOW: u64 = 1 << 22;
/// The most pixels of a mosaic within the mosaic that are read for one: its files may be read for
/// each of them.
const MOST_OF_MOSAIC: u64 = 16;
/// Files that tell the range of wide samples, and the side of what is read of each.
const STRETCH_PROBES: usize = 9;
const STRETCH_SIDE: u32 = 512;

/// One band of a rectangle.
pub(super) struct Plane {
    pub(super) values: Vec<f64>,
    /// Where some file lies.
    pub(super) is_drawn: Vec<bool>,
}

/// Bands of a rectangle with what hides them.
pub(super) struct Gathered {
    pub(super) planes: Vec<Plane>,
    /// Opacity of each pixel, where something states it.
    opacity: Option<Vec<u8>>,
}

/// Samples of a file, and which of them it does not hide where that was asked.
struct FileSamples {
    values: Vec<f64>,
    is_shown: Option<Vec<bool>>,
}

impl Mosaic {
    /// The samples of a band in `rect`; of one of its placements where `only` says so.
    pub(super) fn plane(
        &self,
        layer: &Layer,
        rect: PixelRect,
        only: Option<u32>,
    ) -> Result<Plane, ReadError> {
        let factors = [rect.num_pixels(), size_of::<f64>() as u64];
        let len = product_within(&factors, 8 * MAX_WHOLE_BYTES, "A window")
            .map_err(|fault| fault.on_read(&self.path))?;
        let num_pixels = len as usize / size_of::<f64>();
        let mut plane = Plane {
            values: self.reserved(num_pixels, layer.fill)?,
            is_drawn: self.reserved(num_pixels, false)?,
        };
        let numbers = match only {
            Some(number) => vec![number],
            None => layer.touching(rect),
        };
        for number in numbers {
            if let Some(placement) = layer.placements.get(number as usize) {
                let cut = placement.covers.intersect(rect);
                self.lay(placement, cut, rect, &mut plane)?;
            }
        }
        Ok(plane)
    }

    fn reserved<T: Clone>(&self, len: usize, value: T) -> Result<Vec<T>, ReadError> {
        let mut out = Vec::new();
        out.try_reserve_exact(len).map_err(|error| {
            Fault::damaged(format!("a band of it needs too much memory: {error}"))
                .on_read(&self.path)
        })?;
        out.resize(len, value);
        Ok(out)
    }

    /// Lays what is placed over `cut` of a plane of `rect`.
    fn lay(
        &self,
        placement: &Placement,
        cut: PixelRect,
        rect: PixelRect,
        plane: &mut Plane,
    ) -> Result<(), ReadError> {
        if cut.is_empty() {
            return Ok(());
        }
        let source = self.part(placement)?;
        let (across, down) = placement.axes(source.info().size);
        let cols: Vec<_> = (cut.x..cut.right()).map(|x| across.source_of(x)).collect();
        let rows: Vec<_> = (cut.y..cut.bottom()).map(|y| down.source_of(y)).collect();
        let (Some((x, width)), Some((y, height))) = (reach(&cols), reach(&rows)) else {
            return Ok(());
        };
        let window = PixelRect::new(x, y, width, height);
        if is_too_large(window, cut, &*source) && cut.num_pixels() > 1 {
            for half in cut.halves() {
                self.lay(placement, half, rect, plane)?;
            }
            return Ok(());
        }
        self.files.count(placement.file, window.num_pixels())?;
        let samples = read_samples(&*source, placement, window)?;
        for (out_y, row) in (cut.y..).zip(&rows) {
            let start = (out_y - rect.y) as usize * rect.width as usize + (cut.x - rect.x) as usize;
            for (at, col) in (start..).zip(&cols) {
                let (Some(row), Some(col)) = (row, col) else {
                    continue;
                };
                let from = (row - y) as usize * width as usize + (col - x) as usize;
                if let Some(value) = self.placed_value(placement, &samples, from) {
                    plane.values[at] = value;
                    plane.is_drawn[at] = true;
                }
            }
        }
        Ok(())
    }

    /// The file of a placement, which has the band that is placed.
    fn part(&self, placement: &Placement) -> Result<Arc<dyn TileSource>, ReadError> {
        let source = self.files.source(placement.file)?;
        let has = source.info().bands;
        match placement.band {
            FileBand::Samples(band) if band >= has => {
                let bands = if has == 1 { "band" } else { "bands" };
                let reason = format!(
                    "it has {has} {bands}, and the mosaic asks for band {}",
                    u32::from(band) + 1
                );
                Err(self.files.broken(placement.file, reason))
            }
            _ => Ok(source),
        }
    }

    /// What a sample of a file becomes; `None` where it lets what is below shine through.
    fn placed_value(&self, placement: &Placement, samples: &FileSamples, at: usize) -> Option<f64> {
        let value = *samples.values.get(at)?;
        let is_hidden = samples.is_shown.as_ref().is_some_and(|shown| !shown[at]);
        let is_void = placement.nodata.is_some_and(|nodata| {
            same(value, nodata, self.info.sample) || (nodata.is_nan() && value.is_nan())
        });
        if is_hidden || is_void {
            return None;
        }
        let changed = placement.change.as_ref();
        let sample = self.info.sample;
        let value = changed.map_or(value, |change| change.apply(value, sample));
        Some(fitted(value, sample))
    }

    /// Bands of `rect` and what hides them.
    pub(super) fn gather(
        &self,
        rect: PixelRect,
        bands: &[u16],
        only: Option<u32>,
    ) -> Result<Gathered, ReadError> {
        let planes = bands.iter().map(|&band| {
            let layer = &self.bands[usize::from(band)];
            self.plane(layer, rect, only)
        });
        let planes = planes.collect::<Result<Vec<_>, _>>()?;
        let mut opacity: Option<Vec<u8>> = None;
        let alpha = self.alpha.map(|band| &self.bands[usize::from(band)]);
        let alpha = alpha.map(|layer| (layer, full_alpha(self.info.sample)));
        let mask = self.mask.as_ref().map(|layer| (layer, 255.0));
        for (layer, full) in alpha.into_iter().chain(mask) {
            let plane = self.plane(layer, rect, only)?;
            let stretch = Stretch {
                low: 0.0,
                high: full,
            };
            let shares = plane.values.into_iter().zip(plane.is_drawn);
            let shares = shares.map(|(value, is_drawn)| {
                if is_drawn && value > 0.0 {
                    // Hardly anything is still something.
                    stretch.apply(value).max(1)
                } else {
                    0
                }
            });
            opacity = Some(match opacity {
                Some(known) => known.into_iter().zip(shares).map(least).collect(),
                None => shares.collect(),
            });
        }
        Ok(Gathered { planes, opacity })
    }

    /// Which pixels have data: see [`crate::raster::BandSamples::has_data`].
    pub(super) fn has_data(&self, gathered: &Gathered, bands: &[u16]) -> Vec<bool> {
        let len = gathered
            .planes
            .first()
            .map_or(0, |plane| plane.values.len());
        let nodata = |band: u16| self.bands[usize::from(band)].nodata;
        let is_there = |at: usize| {
            let values = gathered.planes.iter().zip(bands);
            let (mut has_value, mut has_number) = (false, true);
            for (plane, &band) in values {
                let value = plane.values[at];
                let is_void =
                    nodata(band).is_some_and(|nodata| same(value, nodata, self.info.sample));
                has_value |= plane.is_drawn[at] && !is_void;
                has_number &= !value.is_nan();
            }
            has_value && has_number
        };
        let is_opaque = |at: usize| gathered.opacity.as_ref().is_none_or(|share| share[at] > 0);
        (0..len).map(|at| is_there(at) && is_opaque(at)).collect()
    }

    /// The picture of `rect`, out of samples; of one placement where `only` says so.
    pub(super) fn painted(&self, rect: PixelRect, only: Option<u32>) -> Result<Vec<u8>, ReadError> {
        let stretch = self.stretch();
        let gathered = self.gather(rect, &self.colors, only)?;
        let has_data = self.has_data(&gathered, &self.colors);
        let mut out = self.reserved(has_data.len() * 4, 0_u8)?;
        for (at, pixel) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            if !has_data[at] {
                continue;
            }
            let shown = |plane: &Plane| stretch.apply(plane.values[at]);
            let [red, green, blue] = match (&self.info.palette, &gathered.planes[..]) {
                (Some(palette), [index, ..]) => {
                    let index = index.values[at] as usize;
                    palette.get(index).copied().unwrap_or_default()
                }
                (None, [red, green, blue]) => [red, green, blue].map(shown),
                (_, [grey, ..]) => [shown(grey); 3],
                (_, []) => [0; 3],
            };
            let opacity = gathered.opacity.as_ref().map_or(255, |share| share[at]);
            *pixel = [red, green, blue, opacity];
        }
        Ok(out)
    }

    /// The range of values that is shown: one for the whole mosaic, so that no seams show.
    pub(super) fn stretch(&self) -> Stretch {
        if self.info.sample.bits() <= 8
            && let Some(range) = self.info.sample.range()
        {
            return Stretch {
                low: *range.start(),
                high: *range.end(),
            };
        }
        *self.stretch.get_or_init(|| self.probe_stretch())
    }

    /// Least and greatest value in the middle of some files; those that cannot be read say nothing.
    fn probe_stretch(&self) -> Stretch {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &band in &self.colors {
            let layer = &self.bands[usize::from(band)];
            for number in spread_over(layer.placements.len(), STRETCH_PROBES) {
                let middle = layer.placements[number].covers.around_center(STRETCH_SIDE);
                let _reading = self.files.begin_read(middle.num_pixels(), 1);
                let Ok(plane) = self.plane(layer, middle, Some(number as u32)) else {
                    continue;
                };
                let drawn = plane.values.iter().zip(&plane.is_drawn);
                for (&value, _) in drawn.filter(|(_, is_drawn)| **is_drawn) {
                    let is_void = layer
                        .nodata
                        .is_some_and(|nodata| same(value, nodata, self.info.sample));
                    if value.is_finite() && !is_void {
                        (low, high) = (low.min(value), high.max(value));
                    }
                }
            }
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        Stretch { low, high }
    }
}

/// Whether what stands for `cut` is too much of a file to be read at once.
fn is_too_large(window: PixelRect, cut: PixelRect, source: &dyn TileSource) -> bool {
    let is_mosaic = source.info().format == FORMAT;
    let is_sparse = window.num_pixels() > MOST_OF_MOSAIC.saturating_mul(cut.num_pixels());
    window.num_pixels() > MOST_WINDOW || (is_mosaic && is_sparse)
}

const fn least((one, other): (u8, u8)) -> u8 {
    if one < other { one } else { other }
}

/// At most `count` of so many numbers, evenly spread, with the first and the last.
pub(super) fn spread_over(len: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(len);
    (0..count).map(move |step| step * (len - 1) / (count - 1).max(1))
}

/// The first of some columns and how many lie from there to the last.
fn reach(places: &[Option<u32>]) -> Option<(u32, u32)> {
    let first = places.iter().flatten().min()?;
    let last = places.iter().flatten().max()?;
    Some((*first, last - first + 1))
}

/// Samples of a window of a file, and which it shows where that matters.
fn read_samples(
    source: &dyn TileSource,
    placement: &Placement,
    window: PixelRect,
) -> Result<FileSamples, ReadError> {
    let band = match placement.band {
        FileBand::Samples(band) => band,
        FileBand::Mask => return read_mask(source, placement, window),
    };
    if !placement.uses_mask {
        let values = source.read_values(window, band)?;
        return Ok(FileSamples {
            values,
            is_shown: None,
        });
    }
    let samples = source.read_bands(window, &[band])?;
    let sample = source.info().sample;
    let values = if sample.bits() <= 16 || sample == SampleType::F32 {
        let plane = samples.planes.into_iter().next().unwrap_or_default();
        plane.into_iter().map(f64::from).collect()
    } else {
        source.read_values(window, band)?
    };
    Ok(FileSamples {
        values,
        is_shown: Some(samples.has_data),
    })
}

/// What a file hides, as numbers from 0 to 255.
fn read_mask(
    source: &dyn TileSource,
    placement: &Placement,
    window: PixelRect,
) -> Result<FileSamples, ReadError> {
    let data = source.data_bands();
    let info = source.info();
    let alpha = (0..info.bands).find(|band| !data.contains(band));
    let alpha = alpha.filter(|_| info.sample == SampleType::U8);
    let values = if let Some(band) = alpha {
        source.read_values(window, band)?
    } else {
        let shown = source
            .read_bands(window, &data[..1.min(data.len())])?
            .has_data;
        let number = |is_shown| if is_shown { 255.0 } else { 0.0 };
        shown.into_iter().map(number).collect()
    };
    let is_shown = placement.uses_mask.then(|| {
        let values: &Vec<f64> = &values;
        values.iter().map(|&value| value > 0.0).collect()
    });
    Ok(FileSamples { values, is_shown })
}
