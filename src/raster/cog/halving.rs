use rayon::prelude::*;

use crate::raster::shrink::{RowPair, average_opaque, average_rgba, average_valid, most_frequent};
use crate::raster::source::SampleType;

/// How four pixels become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Halving {
    /// Bytes of color or grey: averages in linear light of those pixels that are not hidden.
    Light {
        /// A pixel of which all bands are this is hidden.
        nodata: Option<u8>,
    },
    /// Red, green, blue and opacity in bytes: averages in linear light, weighted by opacity.
    Opacity,
    /// Indices: the most frequent one.
    Index {
        /// The index that stands only where all four pixels have it.
        void: Option<u8>,
    },
    /// Any numbers: averages of each band by itself, without those that are nodata or no number.
    Numbers {
        sample: SampleType,
        nodata: Option<f64>,
    },
}

/// Some rows of pixels: samples with bands interleaved, and which of them the image's mask shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) pixels: Vec<u8>,
    /// 0 for hidden pixels, else 255; `None` without a mask.
    pub(super) shown: Option<Vec<u8>>,
}

impl Rows {
    /// Rows of an image without a mask.
    pub(super) const fn without_mask(pixels: Vec<u8>) -> Self {
        Self {
            pixels,
            shown: None,
        }
    }
}

impl Halving {
    /// Rows of `width` pixels of `pixel_bytes` bytes each at half their sides; the last row and column
    /// of an odd side stand for both.
    pub(super) fn halve(self, rows: &Rows, width: usize, pixel_bytes: usize) -> Rows {
        let (row_len, half) = (width * pixel_bytes, width.div_ceil(2));
        let height = rows.pixels.len() / row_len.max(1);
        let mut pixels = vec![0; half * pixel_bytes * height.div_ceil(2)];
        let mut shown = rows
            .shown
            .as_ref()
            .map(|_| vec![0; half * height.div_ceil(2)]);
        let pairs = rows.pixels.par_chunks(2 * row_len);
        let outputs = pixels.par_chunks_exact_mut(half * pixel_bytes);
        match (&rows.shown, &mut shown) {
            (Some(flags), Some(half_flags)) => outputs
                .zip(pairs)
                .zip(
                    half_flags
                        .par_chunks_exact_mut(half)
                        .zip(flags.par_chunks(2 * width)),
                )
                .for_each(|((out, pair), (half_flags, flags))| {
                    let flags = pair_of(flags, width);
                    self.halve_pair(pair_of(pair, row_len), Some(flags), pixel_bytes, out);
                    any_shown(flags, half_flags);
                }),
            _ => outputs.zip(pairs).for_each(|(out, pair)| {
                self.halve_pair(pair_of(pair, row_len), None, pixel_bytes, out);
            }),
        }
        Rows { pixels, shown }
    }

    fn halve_pair(
        self,
        rows: RowPair<'_>,
        shown: Option<RowPair<'_>>,
        pixel_bytes: usize,
        out: &mut [u8],
    ) {
        match (self, pixel_bytes) {
            (Self::Light { nodata: None }, 3) if shown.is_none() => average_opaque::<3>(rows, out),
            (Self::Light { nodata: None }, 1) if shown.is_none() => average_opaque::<1>(rows, out),
            (Self::Light { nodata }, _) => average_valid(rows, shown, nodata, pixel_bytes, out),
            (Self::Opacity, _) => average_rgba(rows, out),
            (Self::Index { void }, _) => most_frequent(rows, void, out),
            (Self::Numbers { sample, nodata }, _) => {
                let bands = pixel_bytes / usize::from(sample.bits() / 8).max(1);
                average_numbers(rows, sample, nodata, bands, out);
            }
        }
    }
}

fn pair_of(rows: &[u8], row_len: usize) -> RowPair<'_> {
    let (top, bottom) = rows.split_at(row_len);
    RowPair {
        top,
        bottom: if bottom.is_empty() { top } else { bottom },
    }
}

/// A pixel is shown where any of its four is.
fn any_shown(rows: RowPair<'_>, out: &mut [u8]) {
    let pairs = rows.top.chunks(2).zip(rows.bottom.chunks(2));
    for (out, (top, bottom)) in out.iter_mut().zip(pairs) {
        let is_shown = top.iter().chain(bottom).any(|&flag| flag > 0);
        *out = if is_shown { 255 } else { 0 };
    }
}

/// Averages of numbers in this machine's byte order; `nodata` (or 0) where none of the four is one.
fn average_numbers(
    rows: RowPair<'_>,
    sample: SampleType,
    nodata: Option<f64>,
    bands: usize,
    out: &mut [u8],
) {
    macro_rules! whole {
        ($type:ty, $value:expr) => {
            numbers(
                rows,
                bands,
                nodata,
                out,
                |raw| $value(<$type>::from_ne_bytes(raw)),
                |mean| (mean.round() as $type).to_ne_bytes(),
            )
        };
    }
    match sample {
        SampleType::I8 => whole!(i8, f64::from),
        SampleType::U16 => whole!(u16, f64::from),
        SampleType::I16 => whole!(i16, f64::from),
        SampleType::U32 => whole!(u32, f64::from),
        SampleType::I32 => whole!(i32, f64::from),
        SampleType::U64 => whole!(u64, |value: u64| value as f64),
        SampleType::I64 => whole!(i64, |value: i64| value as f64),
        SampleType::F32 => {
            let value = |raw| f64::from(f32::from_ne_bytes(raw));
            numbers(rows, bands, nodata, out, value, |mean| {
                (mean as f32).to_ne_bytes()
            });
        }
        SampleType::F64 => {
            numbers(
                rows,
                bands,
                nodata,
                out,
                f64::from_ne_bytes,
                f64::to_ne_bytes,
            );
        }
        // Halves have no arithmetic here: the first of the four stands for all.
        SampleType::F16 => first_of_four(rows, bands, out),
        SampleType::U1 | SampleType::U2 | SampleType::U4 | SampleType::U8 => whole!(u8, f64::from),
    }
}

fn numbers<const N: usize>(
    rows: RowPair<'_>,
    bands: usize,
    nodata: Option<f64>,
    out: &mut [u8],
    read: impl Fn([u8; N]) -> f64,
    write: impl Fn(f64) -> [u8; N],
) {
    let (top, bottom) = (rows.top.as_chunks::<N>().0, rows.bottom.as_chunks::<N>().0);
    for (index, out) in out.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        let (pixel, band) = (index / bands, index % bands);
        let left = 2 * pixel * bands + band;
        let right = if left + bands < top.len() {
            left + bands
        } else {
            left
        };
        let (mut sum, mut count) = (0.0, 0.0);
        for raw in [top[left], top[right], bottom[left], bottom[right]] {
            let value = read(raw);
            if !value.is_nan() && nodata != Some(value) {
                sum += value;
                count += 1.0;
            }
        }
        *out = if count > 0.0 {
            write(sum / count)
        } else {
            // All are void alike.
            top[left]
        };
    }
}

fn first_of_four(rows: RowPair<'_>, bands: usize, out: &mut [u8]) {
    let pixel = 2 * bands;
    let sources = rows.top.chunks(2 * pixel);
    for (out, source) in out.chunks_exact_mut(pixel).zip(sources) {
        out.copy_from_slice(&source[..pixel]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halved(halving: Halving, pixels: &[u8], width: usize, bytes: usize) -> Vec<u8> {
        let rows = Rows {
            pixels: pixels.to_vec(),
            shown: None,
        };
        halving.halve(&rows, width, bytes).pixels
    }

    #[test]
    fn numbers_are_averaged_without_void_and_odd_edges_repeat() {
        let halving = Halving::Numbers {
            sample: SampleType::I16,
            nodata: Some(-99.0),
        };
        let raw = |values: &[i16]| {
            values
                .iter()
                .flat_map(|it| it.to_ne_bytes())
                .collect::<Vec<_>>()
        };
        let pixels = raw(&[10, -99, 7, -99, 20, 7, -99, -99, 5]);
        assert_eq!(halved(halving, &pixels, 3, 2), raw(&[15, 7, -99, 5]));
        let float = Halving::Numbers {
            sample: SampleType::F32,
            nodata: None,
        };
        let raw = |values: &[f32]| {
            values
                .iter()
                .flat_map(|it| it.to_ne_bytes())
                .collect::<Vec<_>>()
        };
        let pixels = raw(&[1.0, f32::NAN, 2.0, 3.0]);
        assert_eq!(halved(float, &pixels, 2, 4), raw(&[2.0]));
    }

    #[test]
    fn hidden_pixels_give_no_color_and_hide_only_together() {
        let rows = Rows {
            pixels: vec![200, 10, 90, 90, 10, 10, 90, 90],
            shown: Some(vec![255, 0, 0, 0, 0, 0, 0, 0]),
        };
        let half = (Halving::Light { nodata: None }).halve(&rows, 4, 1);
        assert_eq!(half.pixels[0], 200);
        assert_eq!(half.shown, Some(vec![255, 0]));
        let nodata = Halving::Light { nodata: Some(10) };
        assert_eq!(halved(nodata, &[200, 10, 10, 10], 2, 1), [200]);
        assert_eq!(halved(nodata, &[10; 4], 2, 1), [10]);
        // An average must not become the value that hides.
        assert_eq!(
            halved(Halving::Light { nodata: Some(50) }, &[49, 49, 51, 51], 2, 1)[0],
            51
        );
    }

    #[test]
    fn indices_vote() {
        let some = Halving::Index { void: Some(255) };
        assert_eq!(halved(some, &[255, 3, 255, 255], 2, 1), [3]);
        assert_eq!(
            halved(Halving::Index { void: None }, &[255, 3, 255, 255], 2, 1),
            [255]
        );
    }
}
