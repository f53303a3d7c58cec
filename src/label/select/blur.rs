/// The mean over the square of `radius` around each place of a grid with rows of `width`, cut at
/// the grid's edge.
pub(super) fn blurred(values: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let mut rows = Vec::with_capacity(values.len());
    for row in values.chunks_exact(width.max(1)) {
        let mut sum: f32 = row[..radius.min(width)].iter().sum();
        for x in 0..width {
            sum += row.get(x + radius).copied().unwrap_or(0.0);
            sum -= if x > radius { row[x - radius - 1] } else { 0.0 };
            rows.push(sum / num_within(x, radius, width));
        }
    }
    let height = values.len() / width.max(1);
    let row = |y: usize| &rows[y * width..(y + 1) * width];
    let mut sums = vec![0.0_f32; width];
    for y in 0..radius.min(height) {
        sums.iter_mut()
            .zip(row(y))
            .for_each(|(sum, value)| *sum += value);
    }
    let mut means = Vec::with_capacity(values.len());
    for y in 0..height {
        if y + radius < height {
            let entering = row(y + radius);
            sums.iter_mut()
                .zip(entering)
                .for_each(|(sum, value)| *sum += value);
        }
        if y > radius {
            let leaving = row(y - radius - 1);
            sums.iter_mut()
                .zip(leaving)
                .for_each(|(sum, value)| *sum -= value);
        }
        let num = num_within(y, radius, height);
        means.extend(sums.iter().map(|sum| sum / num));
    }
    means
}

/// How many of `extent` places are within `radius` of place `at`.
fn num_within(at: usize, radius: usize, extent: usize) -> f32 {
    ((at + radius + 1).min(extent) - at.saturating_sub(radius)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_is_the_mean_of_the_square_around() {
        let values: Vec<f32> = (0..7 * 5).map(|at| ((at * 11) % 17) as f32).collect();
        for radius in [0, 1, 2, 9] {
            let means = blurred(&values, 7, radius);
            for (at, found) in means.into_iter().enumerate() {
                let (x, y) = (at % 7, at / 7);
                let near = |other: &usize| {
                    (other % 7).abs_diff(x) <= radius && (other / 7).abs_diff(y) <= radius
                };
                let around: Vec<f32> = (0..values.len())
                    .filter(near)
                    .map(|other| values[other])
                    .collect();
                let mean = around.iter().sum::<f32>() / around.len() as f32;
                assert!((found - mean).abs() < 1e-4, "{radius} {at}");
            }
        }
        assert!(blurred(&[], 0, 1).is_empty());
    }
}
