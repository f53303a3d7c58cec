use super::grid::ChunkAt;
use super::page::{Page, Photometric};
use crate::raster::source::SampleType;
use crate::raster::stretch::{Samples, Stretch};

/// The range that the samples of a page have by themselves; `None` where the values must be looked
/// at.
pub(super) fn stretch_of(page: &Page) -> Option<Stretch> {
    let is_narrow = page.bits <= 8 && page.sample != SampleType::F16;
    let range = match page.sample {
        SampleType::U8 => return Some(Stretch::of_bits(u32::from(page.bits))),
        sample if is_narrow || page.photometric == Photometric::Cmyk => sample.range()?,
        _ => return None,
    };
    let (low, high) = (*range.start(), *range.end());
    Some(Stretch { low, high })
}

/// Turns rows of samples of one page to RGBA.
pub struct Painter<'a> {
    page: &'a Page,
    stretch: Stretch,
    nodata: Option<f64>,
    /// What each value of at most 8 bits looks like where one band makes the picture.
    table: Vec<[u8; 4]>,
}

/// A run of pixels within one row of chunks.
pub struct Run<'a> {
    /// Decoded chunks: one, or one for each of the [`Painter::bands`].
    pub planes: &'a [&'a [u8]],
    /// Position of the first pixel within the chunk.
    pub pixel: usize,
}

impl<'p> Painter<'p> {
    /// A painter of `page`; wide samples are shown within `stretch`.
    pub fn new(page: &'p Page, stretch: Stretch, nodata: Option<f64>) -> Self {
        let mut painter = Self {
            page,
            stretch,
            nodata,
            table: Vec::new(),
        };
        if page.sample.is_index() && page.color_bands().len() == 1 {
            painter.table = (0..=255).map(|value| painter.color_of(value)).collect();
        }
        painter
    }

    /// The bands that are needed: the colors, then black and alpha where there are such.
    pub fn bands(page: &Page) -> Vec<u16> {
        let alpha = page.alpha.map(|alpha| alpha.band);
        let colors = page.color_bands().iter().copied();
        colors.chain(page.black_band()).chain(alpha).collect()
    }

    /// The chunks that hold the needed bands of chunk (col, row).
    pub fn chunks(page: &Page, col: u32, row: u32) -> Vec<ChunkAt> {
        if page.grid.chunk_bands == page.bands {
            return vec![ChunkAt { col, row, plane: 0 }];
        }
        Self::bands(page)
            .into_iter()
            .map(|plane| ChunkAt { col, row, plane })
            .collect()
    }

    /// Paints one run of pixels.
    pub fn paint(&self, run: &Run<'_>, out: &mut [u8]) {
        let page = self.page;
        let is_plain = page.sample == SampleType::U8
            && page.alpha.is_none()
            && self.nodata.is_none()
            && page.bands == 3
            && page.grid.chunk_bands == 3
            && page.color_bands().len() == 3;
        if is_plain {
            let pixels = run.planes[0][run.pixel * 3..].chunks_exact(3);
            for (out, pixel) in out.chunks_exact_mut(4).zip(pixels) {
                out.copy_from_slice(&[pixel[0], pixel[1], pixel[2], 255]);
            }
            return;
        }
        match page.color_bands().len() {
            1 => self.paint_single(run, out),
            _ => self.paint_colors(run, out),
        }
        if page.photometric == Photometric::Cmyk {
            self.paint_inks(run, out);
        }
        self.paint_alpha(run, out);
    }

    /// The samples of the needed band number `index`, from the run's first pixel on.
    fn samples<'a>(&self, run: &Run<'a>, index: usize, count: usize) -> Samples<'a> {
        let page = self.page;
        let size = usize::from(page.sample.bits().div_ceil(8));
        let chunk_bands = usize::from(page.grid.chunk_bands);
        let (plane, band) = if run.planes.len() == 1 && chunk_bands == usize::from(page.bands) {
            (run.planes[0], usize::from(Self::bands(page)[index]))
        } else {
            (run.planes[index], 0)
        };
        let stride = chunk_bands * size;
        let start = run.pixel * stride + band * size;
        let end = (start + (count - 1) * stride + size).min(plane.len());
        Samples {
            bytes: &plane[start.min(end)..end],
            stride,
            sample: page.sample,
        }
    }

    fn paint_single(&self, run: &Run<'_>, out: &mut [u8]) {
        let samples = self.samples(run, 0, out.len() / 4);
        if self.page.sample.is_index() {
            let pixels = out
                .chunks_exact_mut(4)
                .zip(samples.bytes.iter().step_by(samples.stride));
            pixels.for_each(|(out, &index)| out.copy_from_slice(&self.table[usize::from(index)]));
            return;
        }
        samples.each_with(out.as_chunks_mut().0, |out, value| {
            let grey = self.grey(value);
            let alpha = if self.is_void(value) { 0 } else { 255 };
            *out = [grey, grey, grey, alpha];
        });
    }

    fn grey(&self, value: f64) -> u8 {
        let grey = self.stretch.apply(value);
        if self.page.photometric == Photometric::WhiteIsZero {
            255 - grey
        } else {
            grey
        }
    }

    fn is_void(&self, value: f64) -> bool {
        value.is_nan()
            || self
                .nodata
                .is_some_and(|nodata| same(value, nodata, self.page.sample))
    }

    fn color_of(&self, value: u8) -> [u8; 4] {
        let [red, green, blue] = match &self.page.palette {
            Some(palette) => palette.get(usize::from(value)).copied().unwrap_or_default(),
            None => [self.grey(f64::from(value)); 3],
        };
        [
            red,
            green,
            blue,
            if self.is_void(f64::from(value)) {
                0
            } else {
                255
            },
        ]
    }

    fn paint_colors(&self, run: &Run<'_>, out: &mut [u8]) {
        let count = out.len() / 4;
        out.chunks_exact_mut(4).for_each(|out| out[3] = 0);
        for band in 0..3 {
            let samples = self.samples(run, band, count);
            if self.page.sample == SampleType::U8 {
                let nodata = self
                    .nodata
                    .filter(|&nodata| (0.0..=255.0).contains(&nodata));
                let nodata = nodata
                    .filter(|nodata| nodata.fract() == 0.0)
                    .map(|value| value as u8);
                let values = samples.bytes.iter().step_by(samples.stride);
                for (out, &value) in out.chunks_exact_mut(4).zip(values) {
                    out[band] = value;
                    out[3] |= u8::from(Some(value) != nodata);
                }
            } else {
                samples.each_with(out.chunks_exact_mut(4), |out, value| {
                    out[band] = self.stretch.apply(value);
                    out[3] |= u8::from(!self.is_void(value));
                });
            }
        }
        // A pixel is void only where all bands are.
        out.chunks_exact_mut(4).for_each(|out| out[3] *= 255);
    }

    /// Turns cyan, magenta and yellow to the colors that they and black leave.
    fn paint_inks(&self, run: &Run<'_>, out: &mut [u8]) {
        let light = |ink: u8| 255 - ink;
        for pixel in out.as_chunks_mut::<4>().0 {
            pixel[..3].iter_mut().for_each(|ink| *ink = light(*ink));
        }
        if self.page.black_band().is_none() {
            return;
        }
        let black = self.samples(run, self.page.color_bands().len(), out.len() / 4);
        black.each_with(out.as_chunks_mut::<4>().0, |pixel, value| {
            let left = u16::from(light(self.stretch.apply(value)));
            let colors = pixel[..3].iter_mut();
            colors.for_each(|color| *color = (u16::from(*color) * left / 255) as u8);
        });
    }

    fn paint_alpha(&self, run: &Run<'_>, out: &mut [u8]) {
        let Some(alpha) = self.page.alpha else { return };
        let samples = self.samples(run, Self::bands(self.page).len() - 1, out.len() / 4);
        if self.page.sample == SampleType::U8 && !alpha.is_premultiplied {
            let pixels = out
                .chunks_exact_mut(4)
                .zip(samples.bytes.iter().step_by(samples.stride));
            pixels.for_each(|(out, &opacity)| out[3] = out[3].min(opacity));
            return;
        }
        let full = full_alpha(self.page.sample);
        samples.each_with(out.chunks_exact_mut(4), |out, value| {
            let opacity = Stretch {
                low: 0.0,
                high: full,
            }
            .apply(value);
            if alpha.is_premultiplied && opacity > 0 {
                let straight = |color: u8| (u32::from(color) * 255 / u32::from(opacity)).min(255);
                out[..3]
                    .iter_mut()
                    .for_each(|color| *color = straight(*color) as u8);
            }
            out[3] = out[3].min(opacity);
        });
    }
}

/// The alpha sample of an opaque pixel.
pub fn full_alpha(sample: SampleType) -> f64 {
    match sample {
        SampleType::U16 => f64::from(u16::MAX),
        SampleType::I16 => f64::from(i16::MAX),
        // Nobody means so many steps of opacity: these are bytes that were widened with the rest.
        SampleType::U32 | SampleType::I32 | SampleType::U64 | SampleType::I64 => 255.0,
        SampleType::I8 => 127.0,
        SampleType::F16 | SampleType::F32 | SampleType::F64 => 1.0,
        _ => sample.range().map_or(255.0, |range| *range.end()),
    }
}

/// Whether a sample is the nodata value, which a file writes in decimals.
pub fn same(value: f64, nodata: f64, sample: SampleType) -> bool {
    if sample == SampleType::F32 {
        value as f32 == nodata as f32
    } else {
        value == nodata
    }
}
