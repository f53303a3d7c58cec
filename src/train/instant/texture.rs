use super::sight::{COLOR_LEVELS, TEXTURE_RADII};

/// Columns and rows of a window's pixels.
pub(super) type WindowSide = usize;

const COLORS: usize = 3;

/// The numbers of the color levels at all their cells in a square window of RGBA8: for each level a
/// map by channel and row, whose cell k lies on pixel s (k + 1) - 1 for the stride s. Colors and
/// what comes of them are 0 to 1.
pub(super) fn color_maps(rgba: &[u8], side: WindowSide) -> Vec<Vec<f32>> {
    let planes: Vec<Vec<f32>> = (0..COLORS)
        .map(|color| {
            let values = rgba.iter().skip(color).step_by(4);
            values.map(|&value| f32::from(value) / 255.0).collect()
        })
        .collect();
    let mut maps = vec![planes.concat()];
    let sums: Vec<Sums> = planes.iter().map(|plane| Sums::of(plane, side)).collect();
    for (level, radius) in COLOR_LEVELS[1..].iter().zip(TEXTURE_RADII) {
        let around = sums.iter().map(|sums| sums.around(level.stride, radius));
        let (means, deviations): (Vec<_>, Vec<_>) = around.unzip();
        maps.push([means.concat(), deviations.concat()].concat());
    }
    maps
}

/// Sums of values and of their squares over all pixels above and to the left.
struct Sums {
    side: usize,
    values: Vec<[f64; 2]>,
}

impl Sums {
    fn of(plane: &[f32], side: usize) -> Self {
        let wide = side + 1;
        let mut values = vec![[0.0; 2]; wide * wide];
        for y in 0..side {
            let mut row = [0.0; 2];
            for x in 0..side {
                let value = f64::from(plane[y * side + x]);
                row = [row[0] + value, row[1] + value * value];
                let above = values[y * wide + x + 1];
                values[(y + 1) * wide + x + 1] = [above[0] + row[0], above[1] + row[1]];
            }
        }
        Self { side, values }
    }

    /// Mean and deviation at each cell of pixels at most `radius` away in both directions, as far as
    /// there are any.
    fn around(&self, stride: usize, radius: usize) -> (Vec<f32>, Vec<f32>) {
        let cells = self.side / stride;
        let places = (0..cells * cells).map(|at| {
            let center = |cell: usize| stride * (cell + 1) - 1;
            self.mean_and_deviation(center(at % cells), center(at / cells), radius)
        });
        places.unzip()
    }

    fn mean_and_deviation(&self, x: usize, y: usize, radius: usize) -> (f32, f32) {
        let wide = self.side + 1;
        let span = |at: usize| (at.saturating_sub(radius), (at + radius + 1).min(self.side));
        let ((left, right), (top, bottom)) = (span(x), span(y));
        let number = ((right - left) * (bottom - top)) as f64;
        let corner = |x: usize, y: usize| self.values[y * wide + x];
        let [sum, squares] = std::array::from_fn(|of| {
            (corner(right, bottom)[of] - corner(left, bottom)[of] - corner(right, top)[of]
                + corner(left, top)[of])
                / number
        });
        (sum as f32, (squares - sum * sum).max(0.0).sqrt() as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_deviations_are_those_of_the_pixels_around() {
        // A window of 8 × 8 whose red is 255 in the right half.
        let rgba: Vec<u8> = (0..64)
            .flat_map(|at| [if at % 8 < 4 { 0 } else { 255 }, 51, 0, 255])
            .collect();
        let maps = color_maps(&rgba, 8);
        assert_eq!(maps.iter().map(Vec::len).collect::<Vec<_>>(), [192, 96, 24]);
        assert_eq!((maps[0][3], maps[0][4]), (0.0, 1.0));
        // The second cell lies on pixel 3: two of five columns are red.
        assert!((maps[1][1] - 0.4).abs() < 1e-6);
        assert!((maps[1][48 + 1] - 0.24_f32.sqrt()).abs() < 1e-5);
        // Green is the same everywhere.
        assert!(maps[1][16..32].iter().all(|mean| (mean - 0.2).abs() < 1e-6));
        assert!(maps[1][64..80].iter().all(|spread| spread.abs() < 1e-3));
    }
}
