//! Halving numbers as they are stored, and pixels that are no amounts.

use crate::raster::shrink::{RowPair, most_voted};
use crate::raster::source::SampleType;
use crate::raster::tiff::full_alpha;

/// Bands of numbers that are interleaved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Numbers {
    pub(super) sample: SampleType,
    pub(super) nodata: Option<f64>,
    /// The band that says how much of a pixel is seen, where the others are not multiplied by it.
    pub(super) alpha: Option<u16>,
}

impl Numbers {
    /// Averages of each 2 × 2 pixels of `bands` samples in this machine's byte order, band by band,
    /// without those that are nodata, no number, or hidden by `shown` (0 for hidden), weighted by
    /// opacity; the first of the four where none is left.
    pub(super) fn average(
        self,
        rows: RowPair<'_>,
        shown: Option<RowPair<'_>>,
        bands: usize,
        out: &mut [u8],
    ) {
        macro_rules! whole {
            ($type:ty, $value:expr) => {
                self.averages(
                    (rows, shown),
                    bands,
                    out,
                    |raw| $value(<$type>::from_ne_bytes(raw)),
                    |mean| (mean.round() as $type).to_ne_bytes(),
                )
            };
        }
        match self.sample {
            SampleType::I8 => whole!(i8, f64::from),
            SampleType::U16 => whole!(u16, f64::from),
            SampleType::I16 => whole!(i16, f64::from),
            SampleType::U32 => whole!(u32, f64::from),
            SampleType::I32 => whole!(i32, f64::from),
            SampleType::U64 => whole!(u64, |value: u64| value as f64),
            SampleType::I64 => whole!(i64, |value: i64| value as f64),
            SampleType::F32 => {
                let value = |raw| f64::from(f32::from_ne_bytes(raw));
                let number = |mean| (mean as f32).to_ne_bytes();
                self.averages((rows, shown), bands, out, value, number);
            }
            SampleType::F64 => {
                let (value, number) = (f64::from_ne_bytes, f64::to_ne_bytes);
                self.averages((rows, shown), bands, out, value, number);
            }
            // Halves have no arithmetic here: the first of the four stands for all.
            SampleType::F16 => first_of_four(rows, bands, out),
            SampleType::U1 | SampleType::U2 | SampleType::U4 | SampleType::U8 => {
                whole!(u8, f64::from);
            }
        }
    }

    fn averages<const N: usize>(
        self,
        (rows, shown): (RowPair<'_>, Option<RowPair<'_>>),
        bands: usize,
        out: &mut [u8],
        read: impl Fn([u8; N]) -> f64,
        write: impl Fn(f64) -> [u8; N],
    ) {
        let (top, bottom) = (rows.top.as_chunks::<N>().0, rows.bottom.as_chunks::<N>().0);
        let columns = top.len() / bands;
        let full = full_alpha(self.sample);
        let alpha = self.alpha.map(usize::from).filter(|&band| band < bands);
        let out = out.as_chunks_mut::<N>().0.chunks_exact_mut(bands);
        for (index, out) in out.enumerate() {
            let (left, right) = (2 * index, (2 * index + 1).min(columns - 1));
            let four = [(top, left), (top, right), (bottom, left), (bottom, right)];
            let seen = shown.map_or([1.0; 4], |shown| {
                let (top, bottom) = (shown.top, shown.bottom);
                [top[left], top[right], bottom[left], bottom[right]]
                    .map(|flag| f64::from(u8::from(flag > 0)))
            });
            let value = |at: usize, band: usize| {
                let (row, column) = four[at];
                read(row[column * bands + band])
            };
            let share = |at: usize| {
                let opacity = alpha.map_or(1.0, |band| (value(at, band) / full).clamp(0.0, 1.0));
                seen[at] * opacity
            };
            let weights = [0, 1, 2, 3].map(share);
            for (band, out) in out.iter_mut().enumerate() {
                let weights = if alpha == Some(band) { &seen } else { &weights };
                let (mut sum, mut weight) = (0.0, 0.0);
                for (at, &share) in weights.iter().enumerate() {
                    let value = value(at, band);
                    if share > 0.0 && !value.is_nan() && self.nodata != Some(value) {
                        sum += share * value;
                        weight += share;
                    }
                }
                *out = if weight > 0.0 {
                    write(sum / weight)
                } else {
                    // All are void alike.
                    top[left * bands + band]
                };
            }
        }
    }
}

fn first_of_four(rows: RowPair<'_>, bands: usize, out: &mut [u8]) {
    let pixel = 2 * bands;
    let sources = rows.top.chunks(2 * pixel);
    for (out, source) in out.chunks_exact_mut(pixel).zip(sources) {
        out.copy_from_slice(&source[..pixel]);
    }
}

/// The most frequent of each 2 × 2 pixels of `bytes` bytes that `shown` does not hide (0); one that
/// is `void` in its first byte only where all are. Of equally frequent ones the first in reading
/// order is taken.
pub(super) fn most_frequent_pixel(
    rows: RowPair<'_>,
    shown: Option<RowPair<'_>>,
    void: Option<u8>,
    bytes: usize,
    out: &mut [u8],
) {
    let columns = rows.top.len() / bytes;
    for (index, out) in out.chunks_exact_mut(bytes).enumerate() {
        let (left, right) = (2 * index, (2 * index + 1).min(columns - 1));
        let four = [(true, left), (true, right), (false, left), (false, right)];
        let pixel = |(is_top, at): (bool, usize)| {
            let row = if is_top { rows.top } else { rows.bottom };
            &row[at * bytes..][..bytes]
        };
        let is_known = |(is_top, at): (bool, usize)| {
            let flag = shown.map(|shown| if is_top { shown.top } else { shown.bottom }[at]);
            flag != Some(0) && void.is_none_or(|void| pixel((is_top, at))[0] != void)
        };
        let most = most_voted(&four.map(pixel), four.map(is_known)).unwrap_or(0);
        out.copy_from_slice(pixel(four[most]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: RowPair<'static> = RowPair {
        top: &[255, 0],
        bottom: &[0, 0],
    };

    #[test]
    fn what_is_hidden_gives_no_color() {
        let numbers = Numbers {
            sample: SampleType::U8,
            nodata: None,
            alpha: Some(1),
        };
        // Grey and opacity.
        let rows = RowPair {
            top: &[200, 255, 10, 0],
            bottom: &[100, 255, 10, 0],
        };
        let mut out = [0; 2];
        numbers.average(rows, None, 2, &mut out);
        assert_eq!(out, [150, 128]);
        numbers.average(rows, Some(HALF), 2, &mut out);
        assert_eq!(out, [200, 255]);
        let plain = Numbers {
            alpha: None,
            ..numbers
        };
        plain.average(rows, None, 2, &mut out);
        assert_eq!(out, [80, 128]);
    }

    #[test]
    fn whole_pixels_vote_and_hidden_ones_do_not() {
        let rows = RowPair {
            top: &[7, 1, 9, 9],
            bottom: &[7, 2, 9, 9],
        };
        let mut out = [0; 2];
        most_frequent_pixel(rows, None, None, 2, &mut out);
        assert_eq!(out, [9, 9]);
        most_frequent_pixel(rows, None, Some(9), 2, &mut out);
        assert_eq!(out, [7, 1]);
        most_frequent_pixel(rows, Some(HALF), None, 2, &mut out);
        assert_eq!(out, [7, 1]);
    }
}
