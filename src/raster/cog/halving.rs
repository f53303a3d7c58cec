use rayon::prelude::*;

use super::numbers::{Numbers, most_frequent_pixel};
use crate::raster::shrink::{RowPair, average_opaque, average_rgba, average_valid, most_frequent};

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
    /// Any numbers: averages of each band by itself.
    Numbers(Numbers),
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
            (Self::Index { void }, 1) if shown.is_none() => most_frequent(rows, void, out),
            (Self::Index { void }, _) => most_frequent_pixel(rows, shown, void, pixel_bytes, out),
            (Self::Numbers(numbers), _) => {
                let bands = pixel_bytes / usize::from(numbers.sample.bits() / 8).max(1);
                numbers.average(rows, shown, bands, out);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::source::SampleType;

    fn halved(halving: Halving, pixels: &[u8], width: usize, bytes: usize) -> Vec<u8> {
        let rows = Rows {
            pixels: pixels.to_vec(),
            shown: None,
        };
        halving.halve(&rows, width, bytes).pixels
    }

    #[test]
    fn numbers_are_averaged_without_void_and_odd_edges_repeat() {
        let numbers = Numbers {
            sample: SampleType::I16,
            nodata: Some(-99.0),
            alpha: None,
        };
        let halving = Halving::Numbers(numbers);
        let raw = |values: &[i16]| {
            values
                .iter()
                .flat_map(|it| it.to_ne_bytes())
                .collect::<Vec<_>>()
        };
        let pixels = raw(&[10, -99, 7, -99, 20, 7, -99, -99, 5]);
        assert_eq!(halved(halving, &pixels, 3, 2), raw(&[15, 7, -99, 5]));
        let float = Halving::Numbers(Numbers {
            sample: SampleType::F32,
            nodata: None,
            ..numbers
        });
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
        // A band that is nodata in a pixel that is there says nothing of that band.
        let colors = [200, 10, 100, 40, 10, 10];
        assert_eq!(halved(nodata, &colors, 2, 3), [149, 10, 100]);
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
