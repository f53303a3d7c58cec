use rayon::prelude::*;

/// Pixels of a line that are compared at once: no cell is smaller.
pub(super) const RUN: usize = 64;
/// Lines on each side of a boundary that are compared by their sum, as resampling spreads a seam
/// over two.
const BESIDE: usize = 2;
/// How alike lines usually are is known from the boundaries so far away, nearest and farthest.
const NEAREST: usize = 4;
const FARTHEST: usize = 10;
/// Runs that deviate by fewer greys are flat: what they are like is not known.
const LEAST_DEVIATION: f32 = 1.4;
/// Lines that are less alike have nothing to lose.
const LEAST_LIKENESS: f32 = 0.15;
/// One in so many strips must know what is lost at a boundary.
const KNOWN_STRIPS: usize = 4;

/// A line across a strip.
pub(super) type Line = [u8; RUN];

/// The share of the usual likeness of neighboring lines, their correlation, that is lost at the
/// boundary before each line: about 0 within one picture, whatever its brightness does, and 1 where
/// another begins. All strips speak for it, as far as they are not flat.
pub(super) fn lost_likeness(
    num_strips: usize,
    strip: impl Fn(usize) -> Vec<Line> + Sync,
) -> Vec<Option<f32>> {
    let strips = (0..num_strips).into_par_iter();
    let strips: Vec<Vec<Option<Loss>>> = strips.map(|at| losses(&strip(at))).collect();
    let share = |line: usize| {
        let known = strips.iter().filter_map(|strip| strip[line]);
        let (lost, usual): (Vec<f32>, Vec<f32>) = known.map(|loss| (loss.lost, loss.usual)).unzip();
        let is_known = lost.len() * KNOWN_STRIPS >= num_strips;
        is_known.then(|| lost.iter().sum::<f32>() / usual.iter().sum::<f32>())
    };
    (0..strips.first().map_or(0, Vec::len)).map(share).collect()
}

/// How much of what likeness is lost in a strip.
#[derive(Clone, Copy)]
struct Loss {
    lost: f32,
    usual: f32,
}

fn losses(lines: &[Line]) -> Vec<Option<Loss>> {
    let alike = likeness(lines);
    (0..lines.len()).map(|at| loss(&alike, at)).collect()
}

fn loss(alike: &[Option<f32>], at: usize) -> Option<Loss> {
    let around = alike.get(at.checked_sub(FARTHEST)?..=at + FARTHEST)?;
    let here = around[FARTHEST]?;
    let sides = (around[..=FARTHEST - NEAREST].iter()).chain(&around[FARTHEST + NEAREST..]);
    let known: Vec<f32> = sides.flatten().copied().collect();
    let usual = known.iter().sum::<f32>() / known.len().max(1) as f32;
    let is_known = known.len() > FARTHEST - NEAREST && usual > LEAST_LIKENESS;
    is_known.then_some(Loss {
        lost: usual - here,
        usual,
    })
}

/// The correlation of the lines on both sides of the boundary before each line.
fn likeness(lines: &[Line]) -> Vec<Option<f32>> {
    let sums = lines.windows(BESIDE);
    let sums: Vec<Option<[f32; RUN]>> = sums.map(normalized).collect();
    let product = |(before, after): (&Option<[f32; RUN]>, &Option<[f32; RUN]>)| {
        let pixels = before.as_ref()?.iter().zip(after.as_ref()?);
        Some(pixels.map(|(a, b)| a * b).sum())
    };
    let pairs = sums.iter().zip(sums.iter().skip(BESIDE));
    let mut alike = vec![None; BESIDE];
    alike.extend(pairs.map(product));
    alike
}

/// The sum of some lines, of mean 0 and length 1; `None` where it is flat.
fn normalized(lines: &[Line]) -> Option<[f32; RUN]> {
    let sum = |at: usize| lines.iter().map(|line| f32::from(line[at])).sum::<f32>();
    let sums: [f32; RUN] = std::array::from_fn(sum);
    let mean = sums.iter().sum::<f32>() / RUN as f32;
    let apart = sums.map(|sum| sum - mean);
    let length = apart.iter().map(|value| value * value).sum::<f32>().sqrt();
    let least = LEAST_DEVIATION * lines.len() as f32 * (RUN as f32).sqrt();
    (length > least).then(|| apart.map(|value| value / length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Rng;

    /// Lines that change slowly, and begin anew at line 40.
    fn strip(seed: u64) -> Vec<Line> {
        let mut rng = Rng::of(&[seed]);
        let mut random = || -> [f32; RUN] { std::array::from_fn(|_| rng.between(60.0, 190.0)) };
        let mut line = random();
        let next = |at: usize| {
            let (kept, other) = (if at == 40 { 0.0 } else { 0.8 }, random());
            let mix = |(a, b): (&f32, &f32)| a * kept + b * (1.0 - kept);
            line = std::array::from_fn(|at| mix((&line[at], &other[at])));
            line.map(|value| value as u8)
        };
        (0..80).map(next).collect()
    }

    #[test]
    fn likeness_is_lost_where_another_picture_begins() {
        let lost = lost_likeness(20, |at| strip(at as u64));
        assert_eq!(lost.len(), 80);
        assert_eq!((lost[9], lost[70], lost[10].is_some()), (None, None, true));
        let most = |lines: std::ops::Range<usize>| {
            let known = lost[lines].iter().flatten();
            known.copied().fold(f32::MIN, f32::max)
        };
        assert!(lost[40].is_some_and(|lost| lost > 0.8), "{lost:?}");
        assert!(most(10..38) < 0.3 && most(43..70) < 0.3, "{lost:?}");
    }

    #[test]
    fn flat_ground_tells_nothing_and_brightness_changes_nothing() {
        assert_eq!(lost_likeness(3, |_| vec![[90; RUN]; 40]), [None; 40]);
        // One of four strips is enough, fewer are not.
        let some = |at: usize| {
            if at == 0 {
                strip(1)
            } else {
                vec![[90; RUN]; 80]
            }
        };
        assert!(lost_likeness(4, some)[20].is_some());
        assert_eq!(lost_likeness(5, some)[20], None);
        let ramp: Line = std::array::from_fn(|at| at as u8);
        let step = |line: usize| ramp.map(|value| value + if line < 20 { 0 } else { 100 });
        let lost = lost_likeness(1, |_| (0..40).map(step).collect());
        assert!(
            lost.iter().flatten().all(|lost| lost.abs() < 1e-3),
            "{lost:?}"
        );
    }
}
