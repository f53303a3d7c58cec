/// Share of the values of a band at either end that its range leaves out: some broken pixels, or
/// the sun in a wet roof.
const LEFT_OUT: f64 = 1e-3;

/// For each channel what becomes 0 and 255, from some of its values: those between which all but a
/// thousandth at either end lie.
pub(in crate::dataset) fn measured_ranges(channels: Vec<Vec<f32>>) -> Vec<[f32; 2]> {
    channels.into_iter().map(range).collect()
}

fn range(mut values: Vec<f32>) -> [f32; 2] {
    values.retain(|value| value.is_finite());
    if values.is_empty() {
        return [0.0, 1.0];
    }
    let left_out = (values.len() as f64 * LEFT_OUT) as usize;
    let last = values.len() - 1;
    let mut at = |place: usize| *values.select_nth_unstable_by(place, f32::total_cmp).1;
    let (low, high) = (at(left_out), at(last - left_out));
    if high > low {
        [low, high]
    } else {
        // A flat band says nothing, but must not be divided by its extent.
        [low, low + low.abs().max(1.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousandth_at_either_end_does_not_count() {
        let mut values: Vec<f32> = (0..2_000).map(|n| 200.0 + n as f32 / 2.0).collect();
        values.reverse();
        (values[0], values[1], values[1_999]) = (65_535.0, f32::NAN, 0.0);
        let [low, high] = measured_ranges(vec![values])[0];
        assert!(
            (200.0..202.0).contains(&low) && (1_197.0..1_200.0).contains(&high),
            "{low} {high}"
        );
    }

    #[test]
    fn flat_and_empty_bands_have_a_range() {
        let flat = vec![vec![7.0; 5], vec![0.0], Vec::new(), vec![f32::INFINITY]];
        let expected = [[7.0, 14.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]];
        assert_eq!(measured_ranges(flat), expected);
    }
}
