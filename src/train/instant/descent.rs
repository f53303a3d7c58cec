use std::collections::VecDeque;

/// Steps whose curvature is remembered.
const MEMORY: usize = 8;
/// Share of the decrease promised by the slope that a step must bring (Armijo).
const LEAST_DECREASE: f64 = 1e-4;
/// Halvings of a step before the search ends.
const MOST_HALVINGS: u32 = 20;

/// A step, the change of the slope along it, and one over their product.
type Curvature = (Vec<f64>, Vec<f64>, f64);

/// Looks for the least value of a smooth convex function from `start` on by limited-memory BFGS
/// (Liu and Nocedal 1989, algorithm 2.1) with step halving.
///
/// `value_and_slope` gives nothing when the search is to be given up, and so does this. It ends
/// after `most_steps`, or when no slope is steeper than `flat`.
pub(super) fn minimize(
    start: Vec<f64>,
    (most_steps, flat): (usize, f64),
    mut value_and_slope: impl FnMut(&[f64]) -> Option<(f64, Vec<f64>)>,
) -> Option<Vec<f64>> {
    let mut at = start;
    let (mut value, mut slope) = value_and_slope(&at)?;
    let mut memory: VecDeque<Curvature> = VecDeque::new();
    for _ in 0..most_steps {
        if slope.iter().all(|one| one.abs() <= flat) {
            break;
        }
        let direction = direction(&slope, &memory);
        let descent = dot(&direction, &slope);
        let mut length = 1.0;
        if memory.is_empty() {
            length = 1.0 / dot(&slope, &slope).sqrt().max(1.0);
        }
        let mut found = None;
        for _ in 0..MOST_HALVINGS {
            let next: Vec<f64> = (at.iter().zip(&direction))
                .map(|(at, direction)| at + length * direction)
                .collect();
            let (next_value, next_slope) = value_and_slope(&next)?;
            if next_value <= value + LEAST_DECREASE * length * descent {
                found = Some((next, next_value, next_slope));
                break;
            }
            length /= 2.0;
        }
        let Some((next, next_value, next_slope)) = found else {
            break;
        };
        remember(&mut memory, less(&next, &at), less(&next_slope, &slope));
        (at, value, slope) = (next, next_value, next_slope);
    }
    Some(at)
}

/// Where to go: the slope turned by what is known of the curvature.
fn direction(slope: &[f64], memory: &VecDeque<Curvature>) -> Vec<f64> {
    let mut turned: Vec<f64> = slope.iter().map(|one| -one).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for (step, change, inverse) in memory.iter().rev() {
        let share = inverse * dot(step, &turned);
        add(&mut turned, -share, change);
        shares.push(share);
    }
    if let Some((step, change, _)) = memory.back() {
        let scale = dot(step, change) / dot(change, change);
        for one in &mut turned {
            *one *= scale;
        }
    }
    for ((step, change, inverse), share) in memory.iter().zip(shares.into_iter().rev()) {
        let other = inverse * dot(change, &turned);
        add(&mut turned, share - other, step);
    }
    turned
}

fn remember(memory: &mut VecDeque<Curvature>, step: Vec<f64>, change: Vec<f64>) {
    let product = dot(&step, &change);
    // Rounding can hide the curvature of a very short step.
    if product > f64::MIN_POSITIVE {
        if memory.len() == MEMORY {
            memory.pop_front();
        }
        memory.push_back((step, change, 1.0 / product));
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn less(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn add(to: &mut [f64], share: f64, more: &[f64]) {
    for (to, more) in to.iter_mut().zip(more) {
        *to += share * more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bowl, a hundred times as steep along one axis, whose least point is (3, -2).
    fn bowl(at: &[f64]) -> Option<(f64, Vec<f64>)> {
        let (x, y) = (at[0] - 3.0, at[1] + 2.0);
        Some((x * x + 100.0 * y * y, vec![2.0 * x, 200.0 * y]))
    }

    #[test]
    fn the_least_point_of_a_narrow_bowl_is_found_in_a_few_steps() {
        let found = minimize(vec![0.0, 0.0], (12, 1e-9), bowl).expect("not given up");
        assert!((found[0] - 3.0).abs() < 1e-5 && (found[1] + 2.0).abs() < 1e-5);
    }

    #[test]
    fn a_search_can_be_given_up() {
        let mut looks = 0;
        let found = minimize(vec![0.0, 0.0], (12, 1e-9), |at| {
            looks += 1;
            if looks < 3 { bowl(at) } else { None }
        });
        assert_eq!((found, looks), (None, 3));
    }
}
