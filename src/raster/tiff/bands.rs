use super::display::same;
use super::grid::ChunkAt;
use super::source::{PageKind, TiffSource, buffer_len, check_inside, chunks_of, for_each_run};
use crate::geom::PixelRect;
use crate::raster::error::Fault;
use crate::raster::source::{BandSamples, TileSource as _};
use crate::raster::stretch::Samples;

/// Some band of the pixel does not hold the nodata value.
pub(super) const HAS_VALUE: u8 = 1;
/// Some band of the pixel is no number, or the pixel is hidden.
const IS_VOID: u8 = 2;

impl TiffSource {
    /// The samples of `bands` within `rect` of the image as they are stored.
    pub(super) fn band_samples(
        &self,
        rect: PixelRect,
        bands: &[u16],
    ) -> Result<BandSamples, Fault> {
        self.level_samples(0, rect, bands)
    }

    /// As [`Self::band_samples`], of stored level `stored`.
    pub(super) fn level_samples(
        &self,
        stored: usize,
        rect: PixelRect,
        bands: &[u16],
    ) -> Result<BandSamples, Fault> {
        let page = self.level_page(stored)?;
        check_inside(rect, page.size)?;
        if bands.iter().any(|&band| band >= page.bands) {
            return Err(Fault::Outside);
        }
        let bytes = buffer_len(rect, size_of::<f32>() as u64)?;
        let num_pixels = bytes / size_of::<f32>();
        let mut flags = vec![0; num_pixels];
        let mut planes = Vec::with_capacity(bands.len());
        let (sample, nodata) = (page.sample, self.info().nodata);
        let is_nodata = |value: f64| nodata.is_some_and(|nodata| same(value, nodata, sample));
        for &band in bands {
            let mut plane = reserved(num_pixels)?;
            self.each_run_of((stored, band), rect, |at, samples| {
                let count = samples.count();
                let targets = plane[at..][..count].iter_mut().zip(&mut flags[at..]);
                samples.each_with(targets, |(target, flags), value| {
                    *target = value as f32;
                    *flags |= if is_nodata(value) { 0 } else { HAS_VALUE };
                    *flags |= if value.is_nan() { IS_VOID } else { 0 };
                });
            })?;
            planes.push(plane);
        }
        self.hide(stored, rect, &mut flags)?;
        let has_data = flags.iter().map(|&flags| flags == HAS_VALUE).collect();
        Ok(BandSamples { planes, has_data })
    }

    /// The samples of one band within `rect` of the image as they are stored.
    pub(super) fn values(&self, rect: PixelRect, band: u16) -> Result<Vec<f64>, Fault> {
        let page = self.base_page();
        check_inside(rect, page.size)?;
        if band >= page.bands {
            return Err(Fault::Outside);
        }
        let num_pixels = buffer_len(rect, size_of::<f64>() as u64)? / size_of::<f64>();
        let mut out = reserved(num_pixels)?;
        self.each_run_of((0, band), rect, |at, samples| {
            samples.each_with(&mut out[at..], |target, value| *target = value);
        })?;
        Ok(out)
    }

    /// Marks what alpha and the mask hide.
    pub(super) fn hide(
        &self,
        stored: usize,
        rect: PixelRect,
        flags: &mut [u8],
    ) -> Result<(), Fault> {
        if let Some(alpha) = self.base_page().alpha {
            self.each_run_of((stored, alpha.band), rect, |at, samples| {
                samples.each_with(&mut flags[at..], |flags, opacity| {
                    *flags |= if opacity > 0.0 { 0 } else { IS_VOID };
                });
            })?;
        }
        if let Some(mask) = self.level_mask(stored, rect).transpose()? {
            let hidden = flags.iter_mut().zip(mask).filter(|(_, mask)| *mask == 0);
            hidden.for_each(|(flags, _)| *flags |= IS_VOID);
        }
        Ok(())
    }

    /// Calls `visit(first pixel in the window, samples)` for each run of pixels of a band that lie
    /// beside each other in a chunk and in `rect`.
    pub(super) fn each_run_of(
        &self,
        (stored, band): (usize, u16),
        rect: PixelRect,
        mut visit: impl FnMut(usize, Samples<'_>),
    ) -> Result<(), Fault> {
        let page = self.level_page(stored)?;
        let size = usize::from(page.sample.bits().div_ceil(8));
        let stride = size * usize::from(page.grid.chunk_bands);
        let (plane, first) = if page.grid.chunk_bands < page.bands {
            (band, 0)
        } else {
            (0, usize::from(band) * size)
        };
        for (col, row) in chunks_of(page, rect) {
            let chunk = self.chunk((stored, PageKind::Image, ChunkAt { col, row, plane }))?;
            for_each_run(page, (col, row), rect, |pixel, at, count| {
                let start = pixel * stride + first;
                let end = start + count.saturating_sub(1) * stride + size;
                visit(
                    at,
                    Samples {
                        bytes: &chunk.bytes[start..end],
                        stride,
                        sample: page.sample,
                    },
                );
            });
        }
        Ok(())
    }
}

impl Samples<'_> {
    /// How many there are.
    const fn count(&self) -> usize {
        self.bytes.len().div_ceil(self.stride)
    }
}

/// Zeros, or an error where the system has no memory for them.
pub(super) fn reserved<T: Clone + Default>(len: usize) -> Result<Vec<T>, Fault> {
    let mut plane = Vec::new();
    plane
        .try_reserve_exact(len)
        .map_err(|error| Fault::damaged(format!("a band of it needs too much memory: {error}")))?;
    plane.resize(len, T::default());
    Ok(plane)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::raster::tiff::MadeBands;

    /// A value that every sample type holds but for bytes, which have its low 8 bits.
    fn value(x: u32, y: u32, band: u16) -> f64 {
        f64::from((x * 7 + y * 131 + u32::from(band) * 1_009) % 30_000)
    }

    fn source(file: Vec<u8>) -> TiffSource {
        TiffSource::read(Box::new(file), Path::new("a.tif")).expect("a sound file")
    }

    #[track_caller]
    fn check(made: &MadeBands, bands: &[u16]) {
        let most = if made.bits == 8 { 256.0 } else { f64::INFINITY };
        let value = |x, y, band| value(x, y, band).rem_euclid(most);
        let source = source(made.file(value));
        let rect = PixelRect::new(3, 2, made.width - 5, made.height - 4);
        let samples = source.read_bands(rect, bands).expect("samples");
        assert!(
            samples.has_data.iter().all(|&has_data| has_data),
            "{made:?}"
        );
        for (plane, &band) in samples.planes.iter().zip(bands) {
            for (at, &found) in plane.iter().enumerate() {
                let (x, y) = (3 + at as u32 % rect.width, 2 + at as u32 / rect.width);
                assert!(
                    (f64::from(found) - value(x, y, band)).abs() < 1e-3,
                    "{made:?} {x} {y}"
                );
            }
        }
    }

    #[test]
    fn bands_are_read_as_they_were_written() {
        let kinds = [
            (4, 8, 1),
            (1, 16, 1),
            (5, 16, 1),
            (3, 16, 2),
            (2, 32, 1),
            (6, 32, 3),
        ];
        for (bands, bits, format) in kinds {
            for (is_planar, tile) in [
                (false, None),
                (true, None),
                (false, Some(16)),
                (true, Some(16)),
            ] {
                let made = MadeBands {
                    format,
                    is_planar,
                    tile,
                    ..MadeBands::new(37, 21, bands, bits)
                };
                check(&made, &(0..bands).collect::<Vec<_>>());
                check(&made, &[bands - 1, 0, bands - 1]);
            }
        }
    }

    #[test]
    fn what_has_no_data_is_told_by_nodata_alpha_and_no_number() {
        let made = MadeBands {
            nodata: "500",
            ..MadeBands::new(4, 1, 2, 16)
        };
        // Nodata in both bands, in the first, in the second, in none.
        let is_void = [[true; 2], [true, false], [false, true], [false; 2]];
        let file = made.file(|x, _, band| {
            if is_void[x as usize][usize::from(band)] {
                500.0
            } else {
                7.0
            }
        });
        let row = PixelRect::new(0, 0, 4, 1);
        let has_data = |file: &Vec<u8>, bands: &[u16]| {
            let samples = source(file.clone()).read_bands(row, bands);
            samples.expect("samples").has_data
        };
        assert_eq!(has_data(&file, &[0, 1]), [false, true, true, true]);
        assert_eq!(has_data(&file, &[0]), [false, false, true, true]);
        let alpha = MadeBands {
            extra: vec![2],
            ..MadeBands::new(4, 1, 4, 8)
        };
        let file = alpha.file(|x, _, band| if band == 3 { f64::from(x % 2) } else { 9.0 });
        assert_eq!(has_data(&file, &[2]), [false, true, false, true]);
        assert_eq!(source(file).data_bands(), [0, 1, 2]);
        let float = MadeBands {
            format: 3,
            ..MadeBands::new(4, 1, 1, 32)
        };
        let file = float.file(|x, _, _| if x == 2 { f64::NAN } else { -1.5 });
        assert_eq!(has_data(&file, &[0]), [true, true, false, true]);
    }

    #[test]
    fn bands_that_are_not_there_are_refused_and_damage_is_told() {
        let made = MadeBands::new(9, 9, 2, 16);
        let file = made.file(value);
        let whole = PixelRect::new(0, 0, 9, 9);
        let read = |file: &[u8], rect, bands: &[u16]| {
            let source = TiffSource::read(Box::new(file.to_vec()), Path::new("a.tif"));
            source
                .ok()
                .map(|source| source.read_bands(rect, bands).is_ok())
        };
        assert_eq!(read(&file, whole, &[0, 1]), Some(true));
        assert_eq!(read(&file, whole, &[2]), Some(false));
        assert_eq!(read(&file, PixelRect::new(1, 0, 9, 9), &[0]), Some(false));
        for at in 0..file.len() {
            let mut broken = file.clone();
            broken[at] ^= 0xFF;
            // An error or other numbers, but never a panic.
            read(&broken, whole, &[1]);
            read(&file[..at], whole, &[1]);
        }
    }
}
