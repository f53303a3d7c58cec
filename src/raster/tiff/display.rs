use super::grid::ChunkAt;
use super::page::{Page, Photometric};
use crate::raster::source::SampleType;

/// The range of sample values that is shown as 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    pub low: f64,
    pub high: f64,
}

impl Stretch {
    /// The range that the samples of a page have by themselves; `None` where the values must be
    /// looked at.
    pub fn of_page(page: &Page) -> Option<Self> {
        let is_narrow = page.bits <= 8 && page.sample != SampleType::F16;
        let range = match page.sample {
            SampleType::U8 => 0.0..=f64::from((1_u32 << page.bits) - 1),
            sample if is_narrow || page.photometric == Photometric::Cmyk => sample.range()?,
            _ => return None,
        };
        let (low, high) = (*range.start(), *range.end());
        Some(Self { low, high })
    }

    /// What a value looks like.
    pub fn apply(self, value: f64) -> u8 {
        let range = self.high - self.low;
        if range <= 0.0 {
            return if value > self.high { 255 } else { 0 };
        }
        // Casting takes NaN to 0 and cuts what is out of range.
        ((value - self.low) / range * 255.0 + 0.5) as u8
    }
}

/// Samples of one band within decoded bytes: where the first is and how far the next.
#[derive(Clone, Copy)]
pub struct Samples<'a> {
    pub bytes: &'a [u8],
    /// Bytes from one sample to the next.
    pub stride: usize,
    pub sample: SampleType,
}

impl<'a> Samples<'a> {
    /// The values as they are; `NaN` only from floating-point files.
    pub fn values(self) -> Box<dyn Iterator<Item = f64> + 'a> {
        match self.sample {
            SampleType::I8 => self.each(|[byte]: [u8; 1]| f64::from(byte as i8)),
            SampleType::U16 => self.each(|raw| f64::from(u16::from_ne_bytes(raw))),
            SampleType::I16 => self.each(|raw| f64::from(i16::from_ne_bytes(raw))),
            SampleType::U32 => self.each(|raw| f64::from(u32::from_ne_bytes(raw))),
            SampleType::I32 => self.each(|raw| f64::from(i32::from_ne_bytes(raw))),
            SampleType::U64 => self.each(|raw| u64::from_ne_bytes(raw) as f64),
            SampleType::I64 => self.each(|raw| i64::from_ne_bytes(raw) as f64),
            SampleType::F16 => self.each(|raw| half(u16::from_ne_bytes(raw))),
            SampleType::F32 => self.each(|raw| f64::from(f32::from_ne_bytes(raw))),
            SampleType::F64 => self.each(f64::from_ne_bytes),
            _ => self.each(|[byte]: [u8; 1]| f64::from(byte)),
        }
    }

    fn each<const N: usize>(
        self,
        number: impl Fn([u8; N]) -> f64 + 'a,
    ) -> Box<dyn Iterator<Item = f64> + 'a> {
        let chunks = self.bytes.chunks(self.stride);
        Box::new(chunks.filter_map(move |raw| raw.first_chunk::<N>().map(|&raw| number(raw))))
    }
}

/// The value of a 16-bit floating-point number (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 0x1F), f64::from(bits & 0x3FF));
    match exponent {
        0 => sign * fraction * 2.0_f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1.0 + fraction / 1_024.0) * 2.0_f64.powi(exponent - 15),
    }
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
        for (out, value) in out.chunks_exact_mut(4).zip(samples.values()) {
            let grey = self.grey(value);
            let alpha = if self.is_void(value) { 0 } else { 255 };
            out.copy_from_slice(&[grey, grey, grey, alpha]);
        }
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
                for (out, value) in out.chunks_exact_mut(4).zip(samples.values()) {
                    out[band] = self.stretch.apply(value);
                    out[3] |= u8::from(!self.is_void(value));
                }
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
        for (pixel, value) in out.as_chunks_mut::<4>().0.iter_mut().zip(black.values()) {
            let left = u16::from(light(self.stretch.apply(value)));
            let colors = pixel[..3].iter_mut();
            colors.for_each(|color| *color = (u16::from(*color) * left / 255) as u8);
        }
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
        for (out, value) in out.chunks_exact_mut(4).zip(samples.values()) {
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
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_reaches_both_ends() {
        let stretch = Stretch {
            low: 100.0,
            high: 300.0,
        };
        let shown = [0.0, 100.0, 200.0, 300.0, 9_999.0, f64::NAN].map(|value| stretch.apply(value));
        assert_eq!(shown, [0, 0, 128, 255, 255, 0]);
    }

    #[test]
    fn halves_are_read() {
        assert_eq!([0x3C00, 0xC000, 0x0001, 0x7BFF].map(half)[..2], [1.0, -2.0]);
        assert_eq!([half(0x0001), half(0x7BFF)], [2.0_f64.powi(-24), 65_504.0]);
        assert!(half(0x7E00).is_nan());
    }
}
