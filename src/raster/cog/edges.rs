//! Ground beside what is hidden, for codecs that spread a pixel over its neighbours.

/// How far a pixel of JPEG reaches where colors are halved: the side of a block.
const REACH: usize = 16;

/// Gives hidden pixels of a tile of `side` pixels, whose `bands` are interleaved, the color of what is
/// shown near them in their row, else in their column, so that none of their own is seen beside them.
///
/// `shown` is 0 for hidden pixels.
pub(super) fn fill_hidden(pixels: &mut [u8], shown: &[u8], bands: usize, side: usize) {
    let is_all = |flag: u8| shown.iter().all(|&shown| (shown > 0) == (flag > 0));
    if is_all(0) || is_all(1) {
        return;
    }
    let mut known: Vec<bool> = shown.iter().map(|&shown| shown > 0).collect();
    for y in 0..side {
        let row = (0..side).map(|x| y * side + x);
        extend(pixels, &mut known, bands, row.clone());
        extend(pixels, &mut known, bands, row.rev());
    }
    for x in 0..side {
        let column = (0..side).map(|y| y * side + x);
        extend(pixels, &mut known, bands, column.clone());
        extend(pixels, &mut known, bands, column.rev());
    }
}

/// Carries the color of pixels that are known on to those behind them on `line`.
fn extend(pixels: &mut [u8], known: &mut [bool], bands: usize, line: impl Iterator<Item = usize>) {
    let (mut from, mut left) = (0, 0);
    for at in line {
        if known[at] {
            (from, left) = (at, REACH);
        } else if left > 0 {
            pixels.copy_within(from * bands..(from + 1) * bands, at * bands);
            known[at] = true;
            left -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_pixels_near_shown_ones_take_their_color() {
        let side = 64;
        let is_shown = |x: usize, y: usize| (20..24).contains(&x) && y < 8;
        let places = || (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
        let shown: Vec<u8> = places().map(|(x, y)| u8::from(is_shown(x, y))).collect();
        let color = |x: usize, y: usize| {
            if is_shown(x, y) {
                [100 + x as u8, 7 + y as u8]
            } else {
                [0, 0]
            }
        };
        let before: Vec<u8> = places().flat_map(|(x, y)| color(x, y)).collect();
        let mut pixels = before.clone();
        fill_hidden(&mut pixels, &shown, 2, side);
        let pixel = |x: usize, y: usize| [0, 1].map(|band| pixels[(y * side + x) * 2 + band]);
        assert_eq!(pixel(21, 3), color(21, 3));
        assert_eq!(pixel(24, 3), color(23, 3));
        assert_eq!(pixel(39, 3), color(23, 3));
        assert_eq!(pixel(4, 3), color(20, 3));
        assert_eq!(pixel(22, 23), color(22, 7));
        assert_eq!(pixel(30, 12), color(23, 7), "around the corner");
        assert_eq!([pixel(40, 3), pixel(3, 3), pixel(22, 24)], [[0, 0]; 3]);
        let mut pixels = before.clone();
        fill_hidden(&mut pixels, &vec![255; side * side], 2, side);
        assert_eq!(pixels, before);
    }
}
