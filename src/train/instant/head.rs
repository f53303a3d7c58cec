use rayon::prelude::*;

use super::descent::minimize;
use super::seen::Moments;
use super::sight::Level;
use crate::job::CancelToken;

/// How strongly large weights are held back, beside the mean loss of an example.
const PENALTY: f64 = 0.001;
/// Steps of a learning, and the slope that ends it early.
const SEARCH: (usize, f64) = (60, 1e-4);
/// Examples that are looked at in one go; sums follow from it, so it is no matter of taste.
const PIECE: usize = 128;
/// Deviations below this are those of rounding.
const LEAST_DEVIATION: f64 = 1e-3;
/// Numbers of a product that are added side by side.
const LANES: usize = 8;

/// Pixels that are known, as they are seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Examples {
    /// By example, in the order of their classes' places below.
    pub(super) features: Vec<f32>,
    /// The class of each.
    pub(super) classes: Vec<u8>,
}

/// Weights of features for each class; the class with the greatest sum is the answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Head {
    classes: Vec<u8>,
    width: usize,
    /// By class and feature.
    weights: Vec<f32>,
    biases: Vec<f32>,
}

impl Head {
    /// Learns to tell the classes of `examples` apart by multinomial logistic regression.
    ///
    /// Features are brought to a mean of 0 by `moments`, and to such deviations that each of `levels`
    /// counts alike, however many channels it has; so does each class, however many examples it
    /// has. The result follows from the arguments, to the last bit.
    /// `None` when there are fewer than two classes or somebody cancels.
    pub(super) fn learned(
        examples: &Examples,
        (moments, levels): (&Moments, &[Level]),
        cancel: &CancelToken,
    ) -> Option<Self> {
        let mut classes = examples.classes.clone();
        classes.sort_unstable();
        classes.dedup();
        if classes.len() < 2 {
            return None;
        }
        let scales = Scales::of(moments, levels);
        let problem = Problem::new(examples, &classes, &scales);
        let start = vec![0.0; classes.len() * problem.width];
        let found = minimize(start, SEARCH, |at| {
            (!cancel.is_cancelled()).then(|| problem.value_and_slope(at))
        })?;
        Some(scales.unscaled(classes, &found))
    }

    /// How many classes it knows.
    pub(super) fn num_classes(&self) -> usize {
        self.classes.len()
    }

    /// The classes, by the place of their weights.
    pub(super) fn classes(&self) -> &[u8] {
        &self.classes
    }

    /// The weights of the class at a place.
    pub(super) fn weights_of(&self, class: usize) -> &[f32] {
        &self.weights[class * self.width..][..self.width]
    }

    /// What is added to each class's sum.
    pub(super) fn biases(&self) -> &[f32] {
        &self.biases
    }
}

/// What brings features to a mean of 0 and each level's sum of variances to 1.
struct Scales {
    means: Vec<f64>,
    factors: Vec<f64>,
}

impl Scales {
    fn of(moments: &Moments, levels: &[Level]) -> Self {
        let means: Vec<f64> = (moments.sums.iter())
            .map(|[number, sum, _]| sum / number.max(1.0))
            .collect();
        let channels = levels
            .iter()
            .flat_map(|level| vec![level.channels as f64; level.channels]);
        let factor = |(([number, _, squares], mean), channels): ((&[f64; 3], &f64), f64)| {
            let variance = (squares / number.max(1.0) - mean * mean).max(0.0);
            1.0 / (variance.sqrt().max(LEAST_DEVIATION) * channels.sqrt())
        };
        let sums = moments.sums.iter().zip(&means).zip(channels);
        Self {
            factors: sums.map(factor).collect(),
            means,
        }
    }

    /// The head for features as they are, from weights (and a bias) for scaled ones.
    fn unscaled(&self, classes: Vec<u8>, found: &[f64]) -> Head {
        let width = self.means.len();
        let mut head = Head {
            classes,
            width,
            weights: Vec::new(),
            biases: Vec::new(),
        };
        for of_class in found.chunks_exact(width + 1) {
            let mut bias = of_class[width];
            for ((weight, factor), mean) in of_class.iter().zip(&self.factors).zip(&self.means) {
                head.weights.push((weight * factor) as f32);
                bias -= weight * factor * mean;
            }
            head.biases.push(bias as f32);
        }
        head
    }
}

/// The function of the weights that is to be small.
struct Problem {
    /// Features and the one that is always 1.
    width: usize,
    num_classes: usize,
    /// By example; scaled.
    features: Vec<f32>,
    /// The place of each example's class, and how much the example counts.
    wanted: Vec<(usize, f32)>,
}

impl Problem {
    fn new(examples: &Examples, classes: &[u8], scales: &Scales) -> Self {
        let place = |class: &u8| classes.partition_point(|known| known < class);
        let mut numbers = vec![0_u32; classes.len()];
        for class in &examples.classes {
            numbers[place(class)] += 1;
        }
        let wanted = examples.classes.iter().map(|class| {
            let place = place(class);
            (place, 1.0 / (numbers[place] as f32 * classes.len() as f32))
        });
        let each = scales.means.len();
        let scaled = |example: &[f32]| -> Vec<f32> {
            let numbers = example.iter().zip(&scales.means).zip(&scales.factors);
            let scaled =
                numbers.map(|((&x, mean), factor)| ((f64::from(x) - mean) * factor) as f32);
            scaled.chain([1.0]).collect()
        };
        let features = examples.features.par_chunks_exact(each.max(1));
        Self {
            width: each + 1,
            num_classes: classes.len(),
            features: features.flat_map_iter(scaled).collect(),
            wanted: wanted.collect(),
        }
    }

    /// The mean cross entropy with its penalty, and its slope.
    fn value_and_slope(&self, weights: &[f64]) -> (f64, Vec<f64>) {
        let narrow: Vec<f32> = weights.iter().map(|&weight| weight as f32).collect();
        let examples = self.features.par_chunks(PIECE * self.width);
        let parts: Vec<(f64, Vec<f32>)> = examples
            .zip(self.wanted.par_chunks(PIECE))
            .map(|(features, wanted)| self.part(features, wanted, &narrow))
            .collect();
        let mut value = 0.0;
        let mut slope = vec![0.0_f64; weights.len()];
        for (of_part, slopes) in parts {
            value += of_part;
            for (slope, part) in slope.iter_mut().zip(slopes) {
                *slope += f64::from(part);
            }
        }
        for (at, (slope, weight)) in slope.iter_mut().zip(weights).enumerate() {
            if at % self.width + 1 < self.width {
                value += 0.5 * PENALTY * weight * weight;
                *slope += PENALTY * weight;
            }
        }
        (value, slope)
    }

    /// The share of some examples in value and slope.
    fn part(&self, features: &[f32], wanted: &[(usize, f32)], weights: &[f32]) -> (f64, Vec<f32>) {
        let (mut value, mut slope) = (0.0, vec![0.0_f32; weights.len()]);
        let mut logits = vec![0.0_f32; self.num_classes];
        for (example, &(class, share)) in features.chunks_exact(self.width).zip(wanted) {
            for (logit, weights) in logits.iter_mut().zip(weights.chunks_exact(self.width)) {
                *logit = dot(example, weights);
            }
            let most = logits.iter().copied().fold(f32::MIN, f32::max);
            let odds: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
            value += f64::from(share * (odds.ln() + most - logits[class]));
            for (place, slope) in slope.chunks_exact_mut(self.width).enumerate() {
                let is_wanted = f32::from(u8::from(place == class));
                let error = share * ((logits[place] - most).exp() / odds - is_wanted);
                for (slope, number) in slope.iter_mut().zip(example) {
                    *slope += error * number;
                }
            }
        }
        (value, slope)
    }
}

/// The sum of products, in an order of its own that never changes.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: &[Level] = &[Level {
        stride: 1,
        channels: 3,
    }];

    /// Three classes at the corners of a triangle, with spread; two features and one of noise.
    fn examples(each: usize) -> (Examples, Moments) {
        let corners = [(2_u8, 0.0, 0.0), (5, 4.0, 0.0), (9, 0.0, 40.0)];
        let mut examples = Examples::default();
        for (class, x, y) in corners {
            for n in 0..each {
                let spread = |salt: f32| ((n as f32 * 12.9898 + salt).sin() * 43_758.547).fract();
                let point = [x + spread(0.1), y + 10.0 * spread(0.7), spread(0.3)];
                examples.features.extend(point);
                examples.classes.push(class);
            }
        }
        let mut moments = Moments {
            sums: vec![[0.0; 3]; 3],
        };
        for (at, &number) in examples.features.iter().enumerate() {
            let number = f64::from(number);
            let sums = &mut moments.sums[at % 3];
            *sums = [sums[0] + 1.0, sums[1] + number, sums[2] + number * number];
        }
        (examples, moments)
    }

    fn answer(head: &Head, features: &[f32]) -> u8 {
        let sums: Vec<f32> = (0..head.num_classes())
            .map(|class| dot(head.weights_of(class), features) + head.biases()[class])
            .collect();
        let best = (0..sums.len()).max_by(|&a, &b| sums[a].total_cmp(&sums[b]));
        head.classes()[best.expect("classes")]
    }

    #[test]
    fn what_can_be_told_apart_is_learned_and_alike_each_time() {
        let (examples, moments) = examples(300);
        let head =
            Head::learned(&examples, (&moments, LEVELS), &CancelToken::default()).expect("a head");
        assert_eq!(head.classes(), [2, 5, 9]);
        let answers = examples.features.chunks_exact(3).map(|x| answer(&head, x));
        let wrong = answers.zip(&examples.classes).filter(|(a, b)| a != *b);
        assert_eq!(wrong.count(), 0);
        let again = Head::learned(&examples, (&moments, LEVELS), &CancelToken::default());
        assert_eq!(again, Some(head));
    }

    #[test]
    fn one_class_says_nothing_and_a_cancelled_learning_ends() {
        let (mut examples, moments) = examples(9);
        let cancel = CancelToken::default();
        cancel.cancel();
        assert_eq!(Head::learned(&examples, (&moments, LEVELS), &cancel), None);
        examples.classes.fill(4);
        let head = Head::learned(&examples, (&moments, LEVELS), &CancelToken::default());
        assert_eq!(head, None);
    }

    #[test]
    fn the_slope_is_that_of_the_value() {
        let (examples, moments) = examples(40);
        let problem = Problem::new(&examples, &[2, 5, 9], &Scales::of(&moments, LEVELS));
        let at: Vec<f64> = (0..12).map(|n| (f64::from(n) * 0.7).sin()).collect();
        let (_, slope) = problem.value_and_slope(&at);
        for n in 0..at.len() {
            let value = |by: f64| {
                let mut at = at.clone();
                at[n] += by;
                problem.value_and_slope(&at).0
            };
            let measured = (value(0.01) - value(-0.01)) / 0.02;
            assert!((measured - slope[n]).abs() < 1e-3, "{n}: {measured}");
        }
    }
}
