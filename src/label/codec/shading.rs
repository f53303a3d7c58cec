use super::super::Rgb;
use super::meaning::{Encoding, Meaning};
use super::shade_counts::ShadeCounts;
use super::shades::Shade;

/// A color this near to a class's code (Euclidean in RGB, a channel being 0 to 255) probably was it
/// before lossy compression.
pub const NEAR_CODE: u16 = 40;

/// How sharply the colors of a file keep to the codes of its classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shading {
    /// Different colors or greys; transparency is none.
    pub num_colors: usize,
    /// Codes that occur exactly.
    pub num_codes: usize,
    /// Share of the pixels that are exactly on a code, 0 to 1.
    pub exact: f64,
    /// Share of the pixels that are within [`NEAR_CODE`] of exactly one code, 0 to 1.
    pub near: f64,
}

impl Shading {
    /// Whether the colors look like those of a mask after lossy compression: far more of them than
    /// codes, and most of them near one.
    pub fn looks_compressed(&self) -> bool {
        self.is_crowded() && self.near >= 0.8
    }

    /// Whether the colors have little to do with the codes: another class table, or a picture.
    pub fn looks_foreign(&self) -> bool {
        self.near < 0.5 && self.exact < 0.5
    }

    fn is_crowded(&self) -> bool {
        self.num_colors >= 16 && self.num_colors >= 2 * self.num_codes && self.exact < 0.999
    }

    /// The shading of a color-coded file; `None` for numbers.
    pub(super) fn of(counts: &ShadeCounts, meaning: &Meaning) -> Option<Self> {
        if meaning.encoding != Encoding::Rgb || meaning.codes.is_empty() {
            return None;
        }
        let (mut total, mut exact, mut near) = (counts.unlisted, 0, 0);
        let mut num_codes = 0;
        for (shade, found) in counts.by_frequency() {
            if shade == Shade::Clear {
                continue;
            }
            total += found.pixels;
            let Some(color) = meaning.color_of(shade) else {
                continue;
            };
            if meaning.codes.contains_key(&color) {
                exact += found.pixels;
                num_codes += 1;
            }
            let limit = u32::from(NEAR_CODE).pow(2);
            let is_near = |code: &&Rgb| squared_distance(color, **code) <= limit;
            if meaning.codes.keys().filter(is_near).count() == 1 {
                near += found.pixels;
            }
        }
        let share = |pixels: u64| pixels as f64 / total.max(1) as f64;
        Some(Self {
            num_colors: counts.num_opaque(),
            num_codes,
            exact: share(exact),
            near: share(near),
        })
    }
}

/// The square of the Euclidean distance of two colors.
pub(super) fn squared_distance(a: Rgb, b: Rgb) -> u32 {
    let squared = |(a, b): (u8, u8)| u32::from(a.abs_diff(b)).pow(2);
    a.into_iter().zip(b).map(squared).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_euclidean() {
        assert_eq!(squared_distance([10, 20, 30], [13, 16, 30]), 25);
        assert_eq!(squared_distance([0; 3], [255; 3]), 195_075);
    }
}
