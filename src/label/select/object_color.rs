use std::collections::BTreeMap;

use super::region_graph::{Feature, distance_squared};

/// How far a color speaks for similar ones, about one standard deviation.
const BANDWIDTH: f32 = 4.0;

/// Side of the cells of color space whose contents count as one color.
const CELL: f32 = 4.0;

/// How common each feature is among all of them as weighed; from 0 to 1, or 0 for no weight.
///
/// A kernel density of Gaussian shape, as (1 - d² / 6)³, which is like exp(-d² / 2) and quicker.
pub(super) fn densities(features: &[Feature], weights: &[f32]) -> Vec<f32> {
    let samples = samples(features, weights);
    let total = samples.iter().map(|sample| sample.1).sum::<f32>();
    let scale = 1.0 / (6.0 * BANDWIDTH * BANDWIDTH);
    let density = |feature: &Feature| {
        let near = samples.iter().map(|(sample, weight)| {
            let kernel = (1.0 - distance_squared(feature, sample) * scale).max(0.0);
            weight * kernel * kernel * kernel
        });
        near.sum::<f32>() / total.max(f32::MIN_POSITIVE)
    };
    features.iter().map(density).collect()
}

/// The mean feature and the weight of each cell.
fn samples(features: &[Feature], weights: &[f32]) -> Vec<(Feature, f32)> {
    let mut cells: BTreeMap<[i32; 4], (Feature, f32)> = BTreeMap::new();
    for (feature, &weight) in features.iter().zip(weights) {
        if weight > 0.0 {
            let key = feature.map(|value| (value / CELL).floor() as i32);
            let (sums, sum) = cells.entry(key).or_default();
            sums.iter_mut()
                .zip(feature)
                .for_each(|(sum, value)| *sum += value * weight);
            *sum += weight;
        }
    }
    let mean = |(sums, weight): (Feature, f32)| (sums.map(|sum| sum / weight), weight);
    cells.into_values().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_colors_are_denser() {
        let features = [
            [50.0, 0.0, 0.0, 1.0],
            [50.5, 0.0, 0.0, 1.0],
            [80.0, 9.0, 9.0, 1.0],
        ];
        let found = densities(&features, &[1.0, 2.0, 1.0]);
        assert!(found[0] > 0.74 && found[0] <= 0.75, "{found:?}");
        assert_eq!(found[2], 0.25);
        assert_eq!(densities(&features, &[0.0; 3]), [0.0; 3]);
    }
}
