use serde::Serialize;

use super::inspection::counted;
use super::seen::Seen;

/// Images of a pixel size on the ground.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PixelSizeCount {
    /// Meters along a side, to three digits; `None` for images that do not say.
    pub meters: Option<f64>,
    /// How many.
    pub images: usize,
}

impl PixelSizeCount {
    /// The size as text: 0.3 m/px.
    pub fn words(&self) -> String {
        self.meters
            .map_or_else(|| "unknown".to_owned(), |meters| format!("{meters} m/px"))
    }
}

/// Pixel sizes of the images, the most frequent first.
pub(super) fn pixel_sizes(seen: &[Seen]) -> Vec<PixelSizeCount> {
    let known = seen.iter().filter(|seen| seen.header.is_some());
    // The bits of numbers above 0 are ordered as these are.
    let sizes = counted(known.map(|seen| seen.meters.map(|meters| rounded(meters).to_bits())));
    let size = |(bits, images): (Option<u64>, usize)| PixelSizeCount {
        meters: bits.map(f64::from_bits),
        images,
    };
    sizes.into_iter().map(size).collect()
}

/// Three digits of a number, since neighbors on a map of degrees differ in more.
fn rounded(meters: f64) -> f64 {
    format!("{meters:.2e}").parse().unwrap_or(meters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    #[test]
    fn sizes_are_counted_to_three_digits() {
        let seen = |meters: Option<f64>| Seen {
            header: Some((ImageSize::new(1, 1), (3, 8, "uint8"))),
            meters,
            ..Seen::default()
        };
        let seen = [Some(0.300_04), None, Some(0.299_98), Some(10.0), None, None].map(seen);
        let told = pixel_sizes(&seen);
        let told: Vec<_> = told
            .iter()
            .map(|size| (size.words(), size.images))
            .collect();
        let expected = [("unknown", 3), ("0.3 m/px", 2), ("10 m/px", 1)];
        assert_eq!(
            told,
            expected.map(|(words, images)| (words.to_owned(), images))
        );
    }
}
