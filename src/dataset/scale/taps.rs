use std::ops::Range;

/// The samples that one resampled sample is made of, and how much each counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tap {
    /// The first of them.
    pub(super) first: u32,
    /// How much it and those after it count; not empty.
    pub(super) weights: Vec<f32>,
}

/// Taps for the samples `range` of an axis that is cut into pieces of `step` old samples, of which
/// there are `length` (at least 1): the mean over each piece where pieces are larger than a sample,
/// else a line between the two nearest samples.
pub(super) fn smooth(range: Range<u32>, step: f64, length: u32) -> Vec<Tap> {
    if step > 1.0 {
        area(range, step, length)
    } else {
        line(range, step, length)
    }
}

/// As [`smooth`], but the nearest sample where pieces are smaller than one: for labels, which are
/// never mixed.
pub(super) fn whole(range: Range<u32>, step: f64, length: u32) -> Vec<Tap> {
    if step > 1.0 {
        return area(range, step, length);
    }
    let nearest = |at: u32| Tap {
        first: index((f64::from(at) + 0.5) * step, length),
        weights: vec![1.0],
    };
    range.map(nearest).collect()
}

fn area(range: Range<u32>, step: f64, length: u32) -> Vec<Tap> {
    let piece = |at: u32| {
        let end = (f64::from(at + 1) * step).min(f64::from(length));
        // What rounding leaves over of a piece that begins at a sample's end is nothing.
        let start = (f64::from(at) * step).min(end - 1e-6).max(0.0);
        let first = index(start + 1e-6, length);
        let last = index(end - 1e-6, length).max(first);
        let share = |sample: u32| {
            let (low, high) = (f64::from(sample), f64::from(sample) + 1.0);
            (end.min(high) - start.max(low)).max(1e-6) as f32
        };
        Tap {
            first,
            weights: (first..=last).map(share).collect(),
        }
    };
    range.map(piece).collect()
}

fn line(range: Range<u32>, step: f64, length: u32) -> Vec<Tap> {
    let between = |at: u32| {
        let center = (f64::from(at) + 0.5) * step - 0.5;
        let center = center.clamp(0.0, f64::from(length - 1));
        let first = index(center, length);
        let share = (center - f64::from(first)) as f32;
        let weights = if share > 0.0 {
            vec![1.0 - share, share]
        } else {
            vec![1.0]
        };
        Tap { first, weights }
    };
    range.map(between).collect()
}

fn index(position: f64, length: u32) -> u32 {
    (position.max(0.0) as u32).min(length - 1)
}

/// The samples that all of `taps` (not empty) need.
pub(super) fn needed(taps: &[Tap]) -> Range<u32> {
    let first = taps.iter().map(|tap| tap.first).min().unwrap_or(0);
    let end = taps.iter().map(|tap| tap.first + tap.weights.len() as u32);
    first..end.max().unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tap(first: u32, weights: &[f32]) -> Tap {
        Tap {
            first,
            weights: weights.to_vec(),
        }
    }

    #[track_caller]
    fn check(found: &[Tap], expected: &[Tap]) {
        let near = |(a, b): (&Tap, &Tap)| {
            let mut pairs = a.weights.iter().zip(&b.weights);
            a.first == b.first
                && a.weights.len() == b.weights.len()
                && pairs.all(|(a, b)| (a - b).abs() < 1e-5)
        };
        let are_near = found.iter().zip(expected).all(near);
        assert!(found.len() == expected.len() && are_near, "{found:?}");
    }

    #[test]
    fn pieces_larger_than_a_sample_are_means() {
        check(
            &smooth(0..2, 2.0, 4),
            &[tap(0, &[1.0, 1.0]), tap(2, &[1.0, 1.0])],
        );
        check(
            &smooth(0..2, 1.5, 3),
            &[tap(0, &[1.0, 0.5]), tap(1, &[0.5, 1.0])],
        );
        // The last piece hangs over the end.
        check(&smooth(1..2, 2.0, 3), &[tap(2, &[1.0])]);
        assert_eq!(whole(0..5, 2.5, 12), smooth(0..5, 2.5, 12));
    }

    #[test]
    fn pieces_smaller_than_a_sample_lie_between_two() {
        // Centers of halves: -0.25, 0.25, 0.75, 1.25.
        let found = smooth(0..4, 0.5, 2);
        check(
            &found,
            &[
                tap(0, &[1.0]),
                tap(0, &[0.75, 0.25]),
                tap(0, &[0.25, 0.75]),
                tap(1, &[1.0]),
            ],
        );
        let nearest: Vec<u32> = whole(0..4, 0.5, 2).iter().map(|tap| tap.first).collect();
        assert_eq!(nearest, [0, 0, 1, 1]);
        assert_eq!(needed(&found), 0..2);
    }

    #[test]
    fn taps_stay_inside_and_do_not_depend_on_the_range() {
        for step in [0.13, 0.5, 0.999, 1.001, 1.7, 2.0, 3.3, 31.9] {
            let length = 77;
            let count = (f64::from(length) / step - 1e-6).ceil() as u32;
            for make in [smooth, whole] {
                let all = make(0..count, step, length);
                assert!(needed(&all).end <= length);
                assert_eq!(
                    make(count - 1..count, step, length),
                    all[count as usize - 1..]
                );
            }
        }
    }
}
