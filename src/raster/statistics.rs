use super::source::TileSamples;
use super::tile::Tile;

/// Pixels along each side of the grid that is looked at.
const GRID: u32 = 160;

/// The values of one band.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BandValues {
    /// Values of pixels that lie evenly over the image, rising; none where nothing has data.
    sorted: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
}

impl BandValues {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let count = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2));
        Self {
            mean,
            deviation: (squares.sum::<f64>() / count).sqrt(),
            sorted: values,
        }
    }

    /// The value below which the share `share` (0 to 1) of the values lies; `None` without values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let last = self.sorted.len().checked_sub(1)?;
        let at = (share.clamp(0.0, 1.0) * last as f64).round() as usize;
        Some(self.sorted[at])
    }

    /// How many of the values lie in each of `bins` equal parts from `low` to `high`.
    pub fn histogram(&self, [low, high]: [f64; 2], bins: usize) -> Vec<usize> {
        let mut counts = vec![0; bins];
        let width = (high - low) / bins as f64;
        let inside = self
            .sorted
            .iter()
            .filter(|&&value| (low..=high).contains(&value));
        for value in inside.filter(|_| width > 0.0) {
            counts[(((value - low) / width) as usize).min(bins - 1)] += 1;
        }
        counts
    }
}

/// The values that the bands of an image have, as a small picture of the whole image shows them.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// What the numbers of tiles stand for.
    pub samples: TileSamples,
    /// For each band of the tiles its values.
    pub bands: Vec<BandValues>,
}

impl Statistics {
    /// The values of some pixels of `tile`, which lie evenly.
    pub(super) fn of(tile: &Tile, samples: &TileSamples) -> Self {
        let mut values = vec![Vec::new(); samples.bands.len()];
        let format = tile.format;
        let step = |side: u32| side.div_ceil(GRID).max(1) as usize;
        let texel = format.texel_bytes();
        for y in (0..tile.size.height as usize).step_by(step(tile.size.height)) {
            let row = &tile.bytes[y * tile.row_bytes()..][..tile.row_bytes()];
            for (layer, values) in row
                .chunks_exact(format.layer_bytes(tile.size.width))
                .zip(values.chunks_mut(3))
            {
                let numbers = format.widened(layer);
                let pixels = numbers.as_chunks::<4>().0.iter();
                for pixel in pixels.step_by(step(tile.size.width)) {
                    // Where a part of what a pixel was made of is hidden, the rest is still true.
                    if pixel[3] > 0.0 {
                        let bands = values.iter_mut().zip(pixel);
                        bands.for_each(|(values, &number)| values.push(samples.value(number)));
                    }
                }
                debug_assert_eq!(layer.len() % texel, 0);
            }
        }
        Self {
            samples: samples.clone(),
            bands: values.into_iter().map(BandValues::of).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;
    use crate::raster::tile::{Depth, TileFormat};

    #[test]
    fn values_are_those_of_the_file_and_hidden_pixels_are_left_out() {
        let format = TileFormat {
            depth: Depth::Half,
            layers: 1,
        };
        // 0, 0.25, 0.5, 0.75 and a hidden 1 on a scale from 100 to 300.
        let numbers: Vec<f32> = [0.0, 0.25, 0.5, 0.75, 1.0]
            .into_iter()
            .flat_map(|value| [value, value, value, if value < 1.0 { 1.0 } else { 0.0 }])
            .collect();
        let tile = Tile {
            size: ImageSize::new(5, 1),
            format,
            bytes: format.narrowed(&numbers),
        };
        let samples = TileSamples {
            bands: vec![0],
            format,
            scale: [100.0, 300.0],
            usual: None,
            is_inverted: false,
        };
        let band = &Statistics::of(&tile, &samples).bands[0];
        assert_eq!(
            [0.0, 0.5, 1.0].map(|share| band.quantile(share).unwrap()),
            [100.0, 200.0, 250.0]
        );
        assert_eq!(band.mean, 175.0);
        assert_eq!(band.histogram([100.0, 300.0], 4), [1, 1, 1, 1]);
        assert_eq!(BandValues::of(Vec::new()).quantile(0.5), None);
    }
}
