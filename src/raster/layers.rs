//! Samples of bands in the layers that the viewer keeps.

use super::source::{BandSamples, SampleType, TileSamples};
use super::tile::{Depth, TileFormat};
use crate::geom::PixelRect;

/// Bands that tiles hold at most.
const MOST_BANDS: usize = 12;

/// As many of `all` bands as tiles hold: those of `picked` and the nearest to them, as they follow
/// each other in the file.
pub(super) fn held_bands(mut all: Vec<u16>, picked: &[u16]) -> Vec<u16> {
    if all.len() <= MOST_BANDS {
        return all;
    }
    all.sort_by_key(|band| picked.iter().map(|pick| pick.abs_diff(*band)).min());
    all.truncate(MOST_BANDS);
    all.sort_unstable();
    all
}

/// How tiles hold bands of one type, of which there are `bands`.
pub(super) fn format_of(sample: SampleType, bands: usize) -> TileFormat {
    TileFormat {
        depth: if sample.is_index() {
            Depth::Byte
        } else {
            Depth::Half
        },
        layers: bands.min(MOST_BANDS).div_ceil(3) as u8,
    }
}

/// The sample values that the numbers 0 and 1 of tiles stand for; `None` where the values have to be
/// looked at.
pub(super) const fn scale_of(sample: SampleType) -> Option<[f64; 2]> {
    Some(match sample {
        SampleType::U1 | SampleType::U2 | SampleType::U4 | SampleType::U8 => [0.0, 255.0],
        // A half has eleven bits wherever it is, so that no range has to be known.
        SampleType::F16 => [0.0, 1.0],
        SampleType::I8 => [0.0, 127.0],
        SampleType::U16 => [0.0, 65_535.0],
        SampleType::I16 => [0.0, 32_767.0],
        _ => return None,
    })
}

/// A range that was found, as a scale: never empty.
pub(super) fn found_scale([low, high]: [f64; 2]) -> [f64; 2] {
    let is_flat = low.partial_cmp(&high) != Some(std::cmp::Ordering::Less);
    [low, if is_flat { low + 1.0 } else { high }]
}

/// Samples of `rect` in layers; `opacity` is 0 to 1 for each pixel.
pub(super) fn packed(
    samples: &TileSamples,
    read: &BandSamples,
    opacity: &[f32],
    rect: PixelRect,
) -> Vec<u8> {
    let format = samples.format;
    let (width, height) = (rect.width as usize, rect.height as usize);
    let full = format.opaque();
    let [low, one] = [0.0, 1.0].map(|share| samples.value(share * full));
    let factor = f64::from(full) / (one - low);
    let number = |value: f32| {
        let number = ((f64::from(value) - low) * factor) as f32;
        if number.is_nan() { 0.0 } else { number }
    };
    let mut out = Vec::with_capacity(format.row_bytes(rect.width) * height);
    let mut row = Vec::with_capacity(4 * width);
    for y in 0..height {
        let pixels = y * width..(y + 1) * width;
        for planes in read.planes.chunks(3) {
            row.clear();
            // One band alone is grey.
            let grey = planes.first().filter(|_| read.planes.len() == 1);
            let bands = [0, 1, 2].map(|band| planes.get(band).or(grey));
            for at in pixels.clone() {
                row.extend(bands.map(|plane| plane.map_or(0.0, |plane| number(plane[at]))));
                row.push(opacity[at] * full);
            }
            out.extend(format.narrowed(&row));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_that_are_picked_are_held_with_their_neighbours() {
        let all = || (0..20).collect::<Vec<u16>>();
        assert_eq!(held_bands(all(), &[0, 1, 2]), (0..12).collect::<Vec<_>>());
        let held = held_bands(all(), &[18, 14, 2]);
        assert_eq!(held, [0, 1, 2, 3, 4, 12, 13, 14, 15, 17, 18, 19]);
        assert_eq!(held_bands(all(), &held), held);
        assert_eq!(held_bands(all(), &[]), (0..12).collect::<Vec<_>>());
        // A picture's bands stay in the order of its colors.
        assert_eq!(held_bands(vec![2, 1, 0], &[0, 1, 2]), [2, 1, 0]);
    }
}
