use std::collections::BTreeSet;

use super::grain::squares;
use crate::label::Mask;

/// So many different greys lossy compression makes at least.
const FEWEST_GREYS: usize = 8;

/// Whether a black and white mask of 8 bits has greys where lossy compression leaves them: nearly
/// black amid dark pixels and nearly white amid bright ones. Borders that were only smoothed have
/// both sides in sight, and masks of other greys hold little that is black or white.
///
/// The few greys of the highest qualities are told by [`super::lattice::Lattice`].
pub(super) fn has_halos(shades: &Mask) -> bool {
    let (mut halo, mut pure, mut pixels, mut greys) = (0_u64, 0_u64, 0_u64, BTreeSet::new());
    for rect in squares(shades.size()) {
        let values = shades.read_rect(rect);
        pixels += rect.num_pixels();
        pure += values
            .iter()
            .filter(|value| matches!(value, 0 | 255))
            .count() as u64;
        for grey in halos(&values, rect.width as usize) {
            halo += 1;
            greys.insert(grey);
        }
    }
    halo * 1_000 >= pixels && pure * 3 >= pixels && greys.len() >= FEWEST_GREYS
}

/// The greys near black or white whose eight neighbors are on their side of the middle.
fn halos(values: &[u8], width: usize) -> impl Iterator<Item = u8> {
    let height = values.len().checked_div(width).unwrap_or(0);
    let inside = (1..height.saturating_sub(1))
        .flat_map(move |y| (1..width.saturating_sub(1)).map(move |x| y * width + x));
    inside.filter_map(move |at| {
        let grey = values[at];
        let is_halo = matches!(grey, 1..=63 | 192..=254);
        let first = at - width - 1;
        let mut around = (0..9).map(|n| values[first + n / 3 * width + n % 3]);
        (is_halo && around.all(|other| (other < 128) == (grey < 128))).then_some(grey)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothed_borders_are_no_halos() {
        let row = [0, 0, 0, 0, 40, 210, 255, 255, 255, 255];
        let smooth: Vec<u8> = row.repeat(5);
        assert_eq!(halos(&smooth, 10).count(), 0);
        let mut rung = smooth;
        rung[22] = 7;
        rung[28] = 250;
        assert_eq!(halos(&rung, 10).collect::<Vec<_>>(), [7, 250]);
    }
}
