//! Halving pictures: averages in linear light, most frequent classes.

use std::sync::LazyLock;

/// Steps of linear light that are told apart when it becomes sRGB again.
const LIGHT_STEPS: usize = 1 << 12;
/// Linear light of white; four of them and an alpha of 255 stay within 32 bits.
const WHITE: u32 = (LIGHT_STEPS as u32) << 4;

/// Linear light (0 to [`WHITE`]) of each sRGB value.
static LIGHT: LazyLock<[u32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|value| {
        let value = value as f64 / 255.0;
        let light = if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        };
        (light * f64::from(WHITE)).round() as u32
    })
});

/// The sRGB value of each step of linear light.
static SHOWN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let shown = |step: usize| {
        let light = step as f64 / LIGHT_STEPS as f64;
        let value = if light <= 0.003_130_8 {
            light * 12.92
        } else {
            1.055 * light.powf(1.0 / 2.4) - 0.055
        };
        (value * 255.0).round() as u8
    };
    (0..=LIGHT_STEPS).map(shown).collect()
});

/// Two rows of a picture; where a picture ends after an odd row, `bottom` is `top` again.
#[derive(Clone, Copy)]
pub(super) struct RowPair<'a> {
    pub(super) top: &'a [u8],
    pub(super) bottom: &'a [u8],
}

/// The average of each 2 × 2 pixels of RGBA, weighted by alpha, in linear light.
///
/// The last column of an odd width stands for both.
pub(super) fn average_rgba(rows: RowPair<'_>, out: &mut [u8]) {
    let (light, shown) = (&*LIGHT, &SHOWN[..]);
    for (index, out) in out.chunks_exact_mut(4).enumerate() {
        let [a, b, c, d] = quad::<4>(rows, index);
        if a == b && a == c && a == d {
            out.copy_from_slice(&a);
            continue;
        }
        let weight = [a, b, c, d]
            .iter()
            .map(|pixel| u32::from(pixel[3]))
            .sum::<u32>();
        if weight == 0 {
            out.copy_from_slice(&[a[0], a[1], a[2], 0]);
            continue;
        }
        for band in 0..3 {
            let mean = if weight == 4 * 255 {
                let sum = [a, b, c, d].map(|pixel| light[usize::from(pixel[band])]);
                (sum[0] + sum[1] + sum[2] + sum[3] + 2) / 4
            } else {
                let sum =
                    [a, b, c, d].map(|pixel| light[usize::from(pixel[band])] * u32::from(pixel[3]));
                (sum[0] + sum[1] + sum[2] + sum[3] + weight / 2) / weight
            };
            out[band] = to_shown(shown, mean);
        }
        out[3] = ((weight + 2) / 4) as u8;
    }
}

/// The average of each 2 × 2 pixels of `N` opaque bands in linear light.
pub(super) fn average_opaque<const N: usize>(rows: RowPair<'_>, out: &mut [u8]) {
    let (light, shown) = (&*LIGHT, &SHOWN[..]);
    // Pixels of which both columns are there need no look at the edge.
    let whole = (rows.top.len() / (2 * N)).min(out.len() / N);
    let (inner, edge) = out.split_at_mut(whole * N);
    let pairs = rows
        .top
        .chunks_exact(2 * N)
        .zip(rows.bottom.chunks_exact(2 * N));
    for (out, (top, bottom)) in inner.chunks_exact_mut(N).zip(pairs) {
        for band in 0..N {
            let pixels = [top[band], top[N + band], bottom[band], bottom[N + band]];
            out[band] = mean_light(light, shown, pixels);
        }
    }
    for (index, out) in (whole..).zip(edge.chunks_exact_mut(N)) {
        let pixels = quad::<N>(rows, index);
        for band in 0..N {
            out[band] = mean_light(light, shown, pixels.map(|pixel| pixel[band]));
        }
    }
}

#[inline]
fn mean_light(light: &[u32; 256], shown: &[u8], values: [u8; 4]) -> u8 {
    let [a, b, c, d] = values.map(|value| light[usize::from(value)]);
    to_shown(shown, (a + b + c + d + 2) / 4)
}

/// The average of each 2 × 2 pixels of `bands` bytes in linear light of those that are shown and not
/// `nodata` in all bands; nodata (or the first pixel) where none is. As in GDAL, a value that is
/// nodata says nothing of its band.
pub(super) fn average_valid(
    rows: RowPair<'_>,
    shown: Option<RowPair<'_>>,
    nodata: Option<u8>,
    bands: usize,
    out: &mut [u8],
) {
    let (light, shown_of) = (&*LIGHT, &SHOWN[..]);
    let columns = rows.top.len() / bands;
    for (index, out) in out.chunks_exact_mut(bands).enumerate() {
        let (left, right) = (2 * index, (2 * index + 1).min(columns - 1));
        let places = [
            (rows.top, left),
            (rows.top, right),
            (rows.bottom, left),
            (rows.bottom, right),
        ];
        let pixels = places.map(|(row, at)| &row[at * bands..][..bands]);
        let flags = shown.map(|shown| {
            [
                shown.top[left],
                shown.top[right],
                shown.bottom[left],
                shown.bottom[right],
            ]
        });
        let is_valid = |at: usize| {
            let is_shown = flags.is_none_or(|flags| flags[at] > 0);
            is_shown && nodata.is_none_or(|void| pixels[at].iter().any(|&value| value != void))
        };
        let valid = [0, 1, 2, 3].map(is_valid);
        if !valid.contains(&true) {
            out.copy_from_slice(pixels[0]);
            continue;
        }
        for (band, out) in out.iter_mut().enumerate() {
            let (mut sum, mut count) = (0, 0);
            for (pixel, _) in pixels.iter().zip(valid).filter(|(_, valid)| *valid) {
                if Some(pixel[band]) != nodata {
                    sum += light[usize::from(pixel[band])];
                    count += 1;
                }
            }
            *out = match (nodata, (sum + count / 2).checked_div(count)) {
                (None, Some(mean)) => to_shown(shown_of, mean),
                (Some(void), Some(mean)) => other_than(void, to_shown(shown_of, mean)),
                (void, None) => void.unwrap_or(pixels[0][band]),
            };
        }
    }
}

/// What is there must not become void.
const fn other_than(void: u8, value: u8) -> u8 {
    match (value == void, void) {
        (false, _) => value,
        (true, 255) => 254,
        (true, void) => void + 1,
    }
}

fn to_shown(shown: &[u8], light: u32) -> u8 {
    shown[(light as usize + 8) >> 4]
}

/// The most frequent of each 2 × 2 indices; `void` only where all four are.
///
/// Of equally frequent ones the first in reading order is taken.
pub(super) fn most_frequent(rows: RowPair<'_>, void: Option<u8>, out: &mut [u8]) {
    for (index, out) in out.iter_mut().enumerate() {
        let values = quad::<1>(rows, index).map(|[value]| value);
        let known = values.map(|value| Some(value) != void);
        *out = values[most_voted(&values, known).unwrap_or(0)];
    }
}

/// The place of the most frequent of four that are known, of equally frequent ones the first; `None`
/// where none is known.
pub(super) fn most_voted<T: PartialEq>(four: &[T; 4], known: [bool; 4]) -> Option<usize> {
    let is_like = |at: usize, other: &usize| known[*other] && four[*other] == four[at];
    let votes = |at: usize| (0..4).filter(|other| is_like(at, other)).count();
    // `max_by_key` takes the last of equals, so the order is turned around.
    let known_places = (0..4).rev().filter(|&at| known[at]);
    known_places.max_by_key(|&at| votes(at))
}

/// The four pixels of `N` bytes below pixel `index` of the half-sized row.
fn quad<const N: usize>(rows: RowPair<'_>, index: usize) -> [[u8; N]; 4] {
    let left = 2 * index * N;
    let right = if left + 2 * N <= rows.top.len() {
        left + N
    } else {
        left
    };
    let pixel = |row: &[u8], at: usize| {
        let mut pixel = [0; N];
        pixel.copy_from_slice(&row[at..at + N]);
        pixel
    };
    [
        pixel(rows.top, left),
        pixel(rows.top, right),
        pixel(rows.bottom, left),
        pixel(rows.bottom, right),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_its_own_average() {
        for value in 0..=255 {
            let row = [value; 6];
            let mut out = [0; 3];
            average_opaque::<3>(
                RowPair {
                    top: &row,
                    bottom: &row,
                },
                &mut out,
            );
            assert_eq!(out, [value; 3]);
        }
    }

    #[test]
    fn black_and_white_make_the_grey_of_half_the_light() {
        let (top, bottom) = ([0, 0, 0, 255, 255, 255, 255, 255], [255; 8]);
        let mut out = [0; 4];
        average_rgba(
            RowPair {
                top: &top,
                bottom: &[0, 0, 0, 255, 0, 0, 0, 255],
            },
            &mut out,
        );
        assert_eq!(out, [137, 137, 137, 255]);
        average_rgba(
            RowPair {
                top: &top,
                bottom: &bottom,
            },
            &mut out,
        );
        assert_eq!(out, [225, 225, 225, 255]);
    }

    #[test]
    fn transparent_pixels_give_no_color() {
        let top = [200, 100, 0, 255, 9, 9, 9, 0];
        let mut out = [0; 4];
        average_rgba(
            RowPair {
                top: &top,
                bottom: &top,
            },
            &mut out,
        );
        assert_eq!(out, [200, 100, 0, 128]);
        average_rgba(
            RowPair {
                top: &[9, 9, 9, 0, 1, 1, 1, 0],
                bottom: &[0; 8],
            },
            &mut out,
        );
        assert_eq!(out[3], 0);
    }

    #[test]
    fn an_odd_column_stands_for_two() {
        let row = [10, 10, 10, 90, 90, 90, 7, 8, 9];
        let mut out = [0; 6];
        average_opaque::<3>(
            RowPair {
                top: &row,
                bottom: &row,
            },
            &mut out,
        );
        assert_eq!(out[3..], [7, 8, 9]);
    }

    #[test]
    fn classes_vote_and_void_is_silent() {
        let cases: [([u8; 4], u8); 5] = [
            ([1, 2, 2, 3], 2),
            ([255, 255, 255, 4], 4),
            ([255; 4], 255),
            ([5, 6, 6, 5], 5),
            ([255, 7, 8, 255], 7),
        ];
        for ([a, b, c, d], expected) in cases {
            let mut out = [0];
            most_frequent(
                RowPair {
                    top: &[a, b],
                    bottom: &[c, d],
                },
                Some(255),
                &mut out,
            );
            assert_eq!(out[0], expected);
        }
    }
}
