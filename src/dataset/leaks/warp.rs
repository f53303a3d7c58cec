use std::f64::consts::TAU;
use std::fmt;

use super::keypoint::{Keypoint, mirror_mask};
use crate::geom::ImageSize;

/// Places that must agree on how one image lies on the other. Of 33,000 pairs of unrelated aerial
/// and street images, 560,000 of seismic ones and 6,000 of made boards, grids and noise none had
/// more than five; two seismic ones had six and thirteen, and do overlap.
const LEAST_VOTES: usize = 8;
/// Pixels between places that count as two, in both images.
const APART: f64 = 8.0;
/// Pixels, of the version it was found in, by which a place may miss.
const SLACK: f64 = 2.5;
/// How far the direction and the scale of one match may be from those of all, in radians and as a
/// logarithm.
const TURN_SLACK: f64 = 0.4;
const SCALE_SLACK: f64 = 0.4;
/// The agreeing places reach at least this far in one direction and half as far in the other.
const LEAST_SPREAD: f64 = 48.0;
/// Scales that are looked for, and how much more in one direction than in the other.
const SCALES: std::ops::RangeInclusive<f64> = 0.3..=3.4;
const MOST_STRETCH: f64 = 1.6;
/// Degrees of a turn, and scales, that are told.
const LEAST_TURN: f64 = 1.0;
const LIKE_SCALES: std::ops::RangeInclusive<f64> = 0.95..=1.05;
/// Scales at which keypoints are seen in the second image.
const SEEN: std::ops::Range<f64> = 0.84..3.36;
/// Most matches of a pair of images that are looked at, those of the most similar looks.
const MOST_MATCHES: usize = 512;
/// Matches that are tried as the first of a fit.
const MOST_SEEDS: usize = 6;

/// Cells a side by which shared ground is measured.
const CELLS: usize = 16;

type Point = [f64; 2];
/// A keypoint of one image and one of another that look alike, and whether they do so mirrored.
pub(super) type LookAlike = (Keypoint, Keypoint, bool);

/// A linear map and a shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Warp {
    /// What a step to the right and a step downward become.
    axes: [Point; 2],
    shift: Point,
}

/// What two keypoints that look alike say of how one image lies on the other.
struct Match {
    from: Point,
    to: Point,
    /// By how much the second is larger.
    ratio: f64,
    /// By how much it is turned, after mirroring the first up and down where they are mirrored.
    turn: f64,
    is_mirrored: bool,
    /// Pixels of the second image by which it may miss.
    slack: f64,
    /// Bits in which the looks differ.
    bits: u32,
}

impl Match {
    fn new((a, b, is_mirrored): &LookAlike) -> Self {
        let is_mirrored = *is_mirrored;
        let mirror = if is_mirrored { mirror_mask() } else { 0 };
        let angle = if is_mirrored { -a.angle } else { a.angle };
        Self {
            from: a.at.map(f64::from),
            to: b.at.map(f64::from),
            ratio: f64::from(b.scale / a.scale),
            turn: f64::from(b.angle - angle),
            is_mirrored,
            slack: SLACK * f64::from(b.scale),
            bits: (a.look ^ b.look ^ mirror).count_ones(),
        }
    }

    /// The map that this match alone asks for.
    fn warp(&self) -> Warp {
        let (sin, cos) = self.turn.sin_cos();
        let complex = [self.ratio * cos, self.ratio * sin];
        Warp::similar(complex, self.is_mirrored).through(self.from, self.to)
    }

    /// Whether both ask for nearly the same direction and scale.
    fn agrees(&self, other: &Self) -> bool {
        let turn = (self.turn - other.turn).rem_euclid(TAU);
        self.is_mirrored == other.is_mirrored
            && turn.min(TAU - turn) <= TURN_SLACK
            && (self.ratio / other.ratio).ln().abs() <= SCALE_SLACK
    }
}

impl Warp {
    /// A turn and a scale, as a complex number, mirrored up and down before where told so.
    fn similar([re, im]: Point, is_mirrored: bool) -> Self {
        let side = if is_mirrored { -1.0 } else { 1.0 };
        Self {
            axes: [[re, im], [-im * side, re * side]],
            shift: [0.0; 2],
        }
    }

    /// The same with the shift that leads `from` to `to`.
    fn through(self, from: Point, to: Point) -> Self {
        let there = Self {
            shift: [0.0; 2],
            ..self
        }
        .apply(from);
        Self {
            shift: [to[0] - there[0], to[1] - there[1]],
            ..self
        }
    }

    pub(super) fn apply(&self, [x, y]: Point) -> Point {
        let [[a, b], [c, d]] = self.axes;
        [a * x + c * y + self.shift[0], b * x + d * y + self.shift[1]]
    }

    /// Whether it mirrors left and right, by how many degrees it turns clockwise after that, and
    /// how many times it enlarges.
    fn parts(&self) -> (bool, f64, f64) {
        let [[a, b], [c, d]] = self.axes;
        let side = self.determinant().signum();
        let turn = (side * b - c).atan2(side * a + d).to_degrees();
        (side < 0.0, turn, self.scale())
    }

    /// Whether it neither mirrors nor turns nor resizes, to speak of.
    pub(super) fn is_shift(&self) -> bool {
        let (is_mirrored, turn, scale) = self.parts();
        !is_mirrored && turn.abs() < LEAST_TURN && LIKE_SCALES.contains(&scale)
    }

    /// How many of `first`, the keypoints of one image, should be seen in the other, of size
    /// `second`.
    pub(super) fn expected(&self, first: &[Keypoint], second: ImageSize) -> usize {
        let (width, height) = (f64::from(second.width), f64::from(second.height));
        let is_expected = |keypoint: &&Keypoint| {
            let [x, y] = self.apply(keypoint.at.map(f64::from));
            let scale = f64::from(keypoint.scale) * self.scale();
            (0.0..width).contains(&x) && (0.0..height).contains(&y) && SEEN.contains(&scale)
        };
        first.iter().filter(is_expected).count()
    }

    /// The shares of two images of these sizes, the first led onto the second, that both show.
    pub(super) fn shared(&self, first: ImageSize, second: ImageSize) -> [f64; 2] {
        let length = |size: ImageSize| [f64::from(size.width), f64::from(size.height)];
        let (from, to) = (length(first), length(second));
        let is_inside = |cell: &usize| {
            let part = |at: usize| (at as f64 + 0.5) / CELLS as f64;
            let at = [part(cell % CELLS) * from[0], part(cell / CELLS) * from[1]];
            let [x, y] = self.apply(at);
            (0.0..to[0]).contains(&x) && (0.0..to[1]).contains(&y)
        };
        let inside = (0..CELLS * CELLS).filter(is_inside).count();
        let share = inside as f64 / (CELLS * CELLS) as f64;
        let area = from[0] * from[1] * self.determinant().abs();
        [share, (share * area / (to[0] * to[1])).min(1.0)]
    }

    /// By how much it misses.
    fn miss(&self, pair: &Match) -> f64 {
        distance(self.apply(pair.from), pair.to)
    }

    const fn determinant(&self) -> f64 {
        let [[a, b], [c, d]] = self.axes;
        a * d - b * c
    }

    /// Length in the second image of a pixel of the first.
    pub(super) fn scale(&self) -> f64 {
        self.determinant().abs().sqrt()
    }

    /// The ratio of the greatest to the least of the lengths that a pixel gets in all directions:
    /// that of the singular values.
    fn stretch(&self) -> f64 {
        let [[a, b], [c, d]] = self.axes;
        let half = (a * a + b * b + c * c + d * d) / 2.0;
        let product = self.determinant().abs().max(1e-12);
        let greatest = half + (half * half - product * product).max(0.0).sqrt();
        greatest / product
    }

    /// The affine map with the least squares of misses; `None` where the places are on a line.
    fn fitted(pairs: &[&Match]) -> Option<Self> {
        let count = pairs.len() as f64;
        let mean = |of: &dyn Fn(&Match) -> Point| {
            let sum = pairs
                .iter()
                .map(|pair| of(pair))
                .fold([0.0; 2], |sum, at| [sum[0] + at[0], sum[1] + at[1]]);
            sum.map(|sum| sum / count)
        };
        let (from, to) = (mean(&|pair| pair.from), mean(&|pair| pair.to));
        let (mut square, mut product) = ([0.0; 3], [[0.0; 2]; 2]);
        for pair in pairs {
            let [x, y] = [pair.from[0] - from[0], pair.from[1] - from[1]];
            let [u, v] = [pair.to[0] - to[0], pair.to[1] - to[1]];
            square = [square[0] + x * x, square[1] + x * y, square[2] + y * y];
            let [p, q] = product;
            product = [[p[0] + x * u, p[1] + x * v], [q[0] + y * u, q[1] + y * v]];
        }
        let [xx, xy, yy] = square;
        let determinant = xx * yy - xy * xy;
        if determinant <= 1e-3 * (xx + yy) * (xx + yy) {
            return None;
        }
        let [p, q] = product;
        let right = [0, 1].map(|i| (yy * p[i] - xy * q[i]) / determinant);
        let down = [0, 1].map(|i| (xx * q[i] - xy * p[i]) / determinant);
        let linear = Self {
            axes: [right, down],
            shift: [0.0; 2],
        };
        Some(linear.through(from, to))
    }
}

/// How one image lies on another, by most of their keypoints that look alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WarpFit {
    pub(super) warp: Warp,
    /// Places that agree.
    pub(super) votes: usize,
}

/// Finds the fit of two images from keypoints that look alike.
pub(super) fn warp_fit(matches: &[LookAlike]) -> Option<WarpFit> {
    if matches.len() < LEAST_VOTES {
        return None;
    }
    let mut pairs: Vec<Match> = matches.iter().map(Match::new).collect();
    pairs.sort_by_key(|pair| pair.bits);
    pairs.truncate(MOST_MATCHES);
    let mut seeds: Vec<(usize, usize)> = (0..pairs.len())
        .map(|at| (supporters(&pairs, &pairs[at]).count(), at))
        .filter(|(count, _)| *count >= LEAST_VOTES)
        .collect();
    seeds.sort_unstable_by_key(|&(count, at)| (std::cmp::Reverse(count), at));
    let fits = seeds
        .iter()
        .take(MOST_SEEDS)
        .filter_map(|&(_, at)| fit_about(&pairs, &pairs[at]));
    fits.max_by_key(|fit| fit.votes)
}

/// The matches that a map by `seed` alone leads about where they are.
fn supporters<'a>(pairs: &'a [Match], seed: &Match) -> impl Iterator<Item = &'a Match> {
    let warp = seed.warp();
    let to = seed.to;
    let is_near =
        move |other: &Match| warp.miss(other) <= 2.0 * other.slack + 0.3 * distance(other.to, to);
    let agreeing: Vec<&Match> = pairs.iter().filter(|other| seed.agrees(other)).collect();
    agreeing.into_iter().filter(move |other| is_near(other))
}

/// The best map through `seed` and another match, refined with all that agree with it.
fn fit_about(pairs: &[Match], seed: &Match) -> Option<WarpFit> {
    let near: Vec<&Match> = supporters(pairs, seed).collect();
    let through_both = near.iter().filter_map(|other| similar_through(seed, other));
    let counted = through_both.map(|warp| {
        let agrees =
            |pair: &&&Match| warp.miss(pair) <= pair.slack + 0.08 * distance(pair.to, seed.to);
        (near.iter().filter(agrees).count(), warp)
    });
    let (_, first) = counted.max_by_key(|(count, _)| *count)?;
    let mut agreeing: Vec<&Match> = near
        .iter()
        .copied()
        .filter(|pair| first.miss(pair) <= pair.slack + 0.08 * distance(pair.to, seed.to))
        .collect();
    let mut warp = first;
    for _ in 0..3 {
        if agreeing.len() < LEAST_VOTES {
            return None;
        }
        warp = Warp::fitted(&agreeing)?;
        agreeing = near
            .iter()
            .copied()
            .filter(|pair| warp.miss(pair) <= pair.slack)
            .collect();
    }
    let is_mirrored = warp.determinant() < 0.0;
    let places = distinct(&warp, &agreeing);
    let is_sound = places.len() >= LEAST_VOTES
        && is_mirrored == seed.is_mirrored
        && SCALES.contains(&warp.scale())
        && warp.stretch() <= MOST_STRETCH
        && is_spread(&places);
    is_sound.then_some(WarpFit {
        warp,
        votes: places.len(),
    })
}

/// The turn, scale and shift that lead both matches where they are.
fn similar_through(a: &Match, b: &Match) -> Option<Warp> {
    let side = if a.is_mirrored { -1.0 } else { 1.0 };
    let [x, y] = [b.from[0] - a.from[0], side * (b.from[1] - a.from[1])];
    let [u, v] = [b.to[0] - a.to[0], b.to[1] - a.to[1]];
    let square = x * x + y * y;
    if square < LEAST_SPREAD * LEAST_SPREAD / 4.0 {
        return None;
    }
    let complex = [(u * x + v * y) / square, (v * x - u * y) / square];
    Some(Warp::similar(complex, a.is_mirrored).through(a.from, a.to))
}

/// Places of the first image whose matches are apart from each other in both, the best first.
fn distinct(warp: &Warp, agreeing: &[&Match]) -> Vec<Point> {
    let mut ordered = agreeing.to_vec();
    ordered.sort_by(|a, b| (warp.miss(a) / a.slack).total_cmp(&(warp.miss(b) / b.slack)));
    let mut kept: Vec<&Match> = Vec::new();
    for pair in ordered {
        let is_apart = |other: &&Match| {
            distance(pair.from, other.from) >= APART && distance(pair.to, other.to) >= APART
        };
        if kept.iter().all(is_apart) {
            kept.push(pair);
        }
    }
    kept.iter().map(|pair| pair.from).collect()
}

fn is_spread(places: &[Point]) -> bool {
    let span = |axis: usize| {
        let along = places.iter().map(|place| place[axis]);
        let low = along.clone().fold(f64::INFINITY, f64::min);
        along.fold(f64::NEG_INFINITY, f64::max) - low
    };
    let (wide, tall) = (span(0), span(1));
    wide.max(tall) >= LEAST_SPREAD && wide.min(tall) >= LEAST_SPREAD / 2.0
}

fn distance(a: Point, b: Point) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

impl fmt::Display for Warp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (is_mirrored, turn, scale) = self.parts();
        if self.is_shift() {
            let [x, y] = self.shift.map(f64::round);
            return write!(f, ", shifted by {x}, {y} pixels");
        }
        if is_mirrored {
            f.write_str(", mirrored")?;
        }
        if turn.abs() >= LEAST_TURN {
            let way = if turn > 0.0 { "" } else { "counter" };
            write!(f, ", turned {:.0}° {way}clockwise", turn.abs())?;
        }
        if scale > *LIKE_SCALES.end() {
            write!(f, ", enlarged {scale:.1} times")?;
        } else if scale < *LIKE_SCALES.start() {
            write!(f, ", reduced to {:.0} %", 100.0 * scale)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve keypoints and what they become when turned, mirrored left and right first where told
    /// so, and resized.
    fn look_alikes(degrees: f32, scale: f32, is_mirrored: bool) -> Vec<LookAlike> {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let side = if is_mirrored { -1.0 } else { 1.0 };
        let moved = |[x, y]: [f32; 2]| {
            let (x, y) = (side * x * scale, y * scale);
            [cos * x - sin * y + 300.0, sin * x + cos * y + 200.0]
        };
        let pair = |at: u16| {
            let angle = f32::from(at);
            let from = Keypoint {
                look: 0,
                at: [f32::from(at * 37 % 120), f32::from(at * 53 % 90)],
                angle,
                scale: 1.0,
            };
            let (x, y) = (side * angle.cos(), angle.sin());
            let to = Keypoint {
                look: if is_mirrored { mirror_mask() } else { 0 },
                at: moved(from.at),
                angle: (sin * x + cos * y).atan2(cos * x - sin * y),
                scale: if scale > 1.2 { 1.414 } else { 1.0 },
            };
            (from, to, is_mirrored)
        };
        (0..12).map(pair).collect()
    }

    #[test]
    fn turns_scales_and_mirrors_are_told() {
        let table = [
            (33.0, 1.0, false, ", turned 33° clockwise"),
            (
                -137.0,
                1.0,
                true,
                ", mirrored, turned 137° counterclockwise",
            ),
            (0.0, 1.4, false, ", enlarged 1.4 times"),
            (
                10.0,
                0.8,
                true,
                ", mirrored, turned 10° clockwise, reduced to 80 %",
            ),
            (0.0, 1.0, false, ", shifted by 300, 200 pixels"),
        ];
        for (degrees, scale, is_mirrored, words) in table {
            let fit = warp_fit(&look_alikes(degrees, scale, is_mirrored)).expect("a fit");
            assert_eq!((fit.votes, fit.warp.to_string().as_str()), (12, words));
            assert_eq!(fit.warp.is_shift(), words.contains("shifted"));
        }
    }

    #[test]
    fn few_and_scattered_matches_make_no_fit() {
        let all = look_alikes(33.0, 1.0, false);
        assert!(warp_fit(&all[..LEAST_VOTES - 1]).is_none());
        let mut scattered = all.clone();
        for (at, pair) in (0u16..).zip(&mut scattered) {
            pair.1.at = [f32::from(at * 71 % 300), f32::from(at * 29 % 200)];
        }
        assert!(warp_fit(&scattered).is_none());
        // Places in one spot, such as a logo.
        let mut logo = all;
        for pair in &mut logo {
            pair.0.at = pair.0.at.map(|at| at / 10.0);
            pair.1.at = [pair.0.at[0] + 50.0, pair.0.at[1] + 60.0];
        }
        assert!(warp_fit(&logo).is_none());
    }

    #[test]
    fn what_both_show_is_measured_in_each() {
        let half = Warp {
            axes: [[0.5, 0.0], [0.0, 0.5]],
            shift: [0.0, 0.0],
        };
        let size = ImageSize::new(320, 160);
        assert_eq!(half.shared(size, size), [1.0, 0.25]);
        let aside = Warp {
            axes: [[1.0, 0.0], [0.0, 1.0]],
            shift: [160.0, 0.0],
        };
        assert_eq!(aside.shared(size, size), [0.5, 0.5]);
    }
}
