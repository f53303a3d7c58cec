//! Where a person who knows the truth would paint next.

use orthobrush::geom::PixelRect;
use orthobrush::label::Mask;

/// Radii of brushes, in pixels.
const RADII: std::ops::RangeInclusive<f32> = 1.5..=150.0;
/// The brush stays this much inside what it paints: a hand strays over borders a little.
const INSIDE: f32 = 0.95;
/// Straying that nobody minds: a share of the radius, and in pixels.
const SLACK: f32 = 0.1;
const LEAST_SLACK: f32 = 1.5;
/// Shares of the room that brushes have: all of it, or less so that the hand may be quicker.
const SHARES: [f32; 2] = [1.0, 0.6];
/// Candidates whose strokes are thought through.
const CONSIDERED: usize = 8;
/// Pixels between candidates.
const LATTICE: usize = 3;
/// A stroke goes on while this share of what is under the brush is wrong still.
const WORTH: f32 = 0.2;

/// A stroke that a person would make.
#[derive(Clone, Debug)]
pub struct Planned {
    pub class: u8,
    pub radius: f32,
    /// Level-0 pixels.
    pub path: Vec<(f32, f32)>,
    /// Wrong pixels that it mends, about.
    pub gain: f32,
    /// Length of the path in widths of the tunnel that the brush may stray in.
    pub steering: f32,
}

impl Planned {
    pub fn length(&self) -> f32 {
        let steps = self.path.windows(2);
        steps
            .map(|ends| (ends[1].0 - ends[0].0).hypot(ends[1].1 - ends[0].1))
            .sum()
    }
}

/// The truth, and how far each pixel is from another class.
pub struct Ground {
    pub truth: Vec<u8>,
    pub bounds: PixelRect,
    room: Vec<f32>,
}

/// How a stroke may be.
#[derive(Clone, Copy)]
pub struct Limits {
    pub radius: f32,
    pub length: f32,
}

impl Ground {
    pub fn of(truth: &Mask) -> Self {
        let bounds = truth.size().bounds();
        let truth = truth.read_rect(bounds);
        let room = room(&truth, bounds.width as usize);
        Self {
            truth,
            bounds,
            room,
        }
    }

    const fn wide(&self) -> usize {
        self.bounds.width as usize
    }

    /// The stroke that mends most of `shown` for its time inside `within`.
    pub fn best(
        &self,
        shown: &[u8],
        within: PixelRect,
        limits: Limits,
        seconds: impl Fn(&Planned) -> f32,
    ) -> Option<Planned> {
        let mut wrong = vec![false; shown.len()];
        for y in within.y..within.bottom() {
            for x in within.x..within.right() {
                let at = y as usize * self.wide() + x as usize;
                wrong[at] = self.truth[at] != 255 && shown[at] != self.truth[at];
            }
        }
        let sums = Sums::of(&wrong, self.wide());
        let first = self.candidates((&wrong, &sums), within, limits);
        let sizes = first
            .into_iter()
            .flat_map(|at| SHARES.map(|share| (at, share)));
        let strokes = sizes.map(|(at, share)| {
            let radius = (self.radius_at(at, limits) * share).max(*RADII.start());
            self.grown(at, &wrong, (radius, limits))
        });
        strokes
            .filter(|stroke| stroke.gain >= 1.0)
            .map(|stroke| (stroke.gain / seconds(&stroke), stroke))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, stroke)| stroke)
    }

    /// The wrong places where a dab mends most, apart from each other.
    fn candidates(
        &self,
        (wrong, sums): (&[bool], &Sums),
        within: PixelRect,
        limits: Limits,
    ) -> Vec<usize> {
        let mut places = Vec::new();
        for y in (within.y as usize..within.bottom() as usize).step_by(LATTICE) {
            for x in (within.x as usize..within.right() as usize).step_by(LATTICE) {
                let at = y * self.wide() + x;
                let radius = self.radius_at(at, limits);
                if wrong[at] {
                    places.push((sums.around((x, y), radius * 0.8), at));
                }
            }
        }
        places.sort_unstable_by(|a, b| b.cmp(a));
        let mut chosen: Vec<usize> = Vec::new();
        for (_, at) in places {
            let place = |at: usize| ((at % self.wide()) as f32, (at / self.wide()) as f32);
            let (x, y) = place(at);
            let is_near = |&other: &usize| {
                let (a, b) = place(other);
                (a - x).hypot(b - y) < 2.0 * self.radius_at(other, limits)
            };
            if !chosen.iter().any(is_near) {
                chosen.push(at);
            }
            if chosen.len() == CONSIDERED {
                break;
            }
        }
        chosen
    }

    fn radius_at(&self, at: usize, limits: Limits) -> f32 {
        (self.room[at] / INSIDE).clamp(*RADII.start(), RADII.end().min(limits.radius))
    }

    /// A stroke from a pixel on, which goes where most is wrong.
    fn grown(&self, start: usize, wrong: &[bool], (radius, limits): (f32, Limits)) -> Planned {
        let mut left = wrong.to_vec();
        let mut at = ((start % self.wide()) as f32, (start / self.wide()) as f32);
        let mut gain = self.take(&mut left, at, radius);
        let (mut path, mut length, mut heading) = (vec![at], 0.0, None);
        let mut steering = 0.0;
        let step = (radius * 0.6).max(2.0);
        while length < limits.length {
            let next = (0..16).filter_map(|turn| {
                let angle = turn as f32 * std::f32::consts::PI / 8.0;
                let to = (at.0 + step * angle.cos(), at.1 + step * angle.sin());
                let place = self.place(to)?;
                let is_inside = self.room[place] >= radius * INSIDE || radius <= *RADII.start();
                if self.truth[place] != self.truth[start] || !is_inside {
                    return None;
                }
                let worth = self.worth(&left, to, radius);
                let straight = heading.map_or(0.0, |before: f32| 0.05 * (before - angle).cos());
                (worth >= WORTH).then_some((worth + straight, to, angle))
            });
            let Some((_, to, angle)) = next.max_by(|a, b| a.0.total_cmp(&b.0)) else {
                break;
            };
            gain += self.take(&mut left, to, radius);
            (at, heading) = (to, Some(angle));
            path.push(at);
            length += step;
            let room = self.place(to).map_or(0.0, |place| self.room[place]);
            let slack = (SLACK * radius).max(LEAST_SLACK);
            steering += step / (2.0 * ((room - radius).max(0.0) + slack));
        }
        Planned {
            class: self.truth[start],
            radius,
            path,
            gain,
            steering,
        }
    }

    fn place(&self, (x, y): (f32, f32)) -> Option<usize> {
        let is_in =
            x >= 0.0 && y >= 0.0 && x < self.bounds.width as f32 && y < self.bounds.height as f32;
        is_in.then(|| y as usize * self.wide() + x as usize)
    }

    /// The share of the dab at `at` that is wrong, by some of its pixels.
    fn worth(&self, left: &[bool], at: (f32, f32), radius: f32) -> f32 {
        let step = (radius / 5.0).max(1.0);
        let (mut hit, mut all) = (0, 0);
        let count = (radius / step) as i32;
        for row in -count..=count {
            for col in -count..=count {
                let (x, y) = (col as f32 * step, row as f32 * step);
                if x.hypot(y) > radius {
                    continue;
                }
                all += 1;
                let place = self.place((at.0 + x, at.1 + y));
                hit += i32::from(place.is_some_and(|place| left[place]));
            }
        }
        hit as f32 / all.max(1) as f32
    }

    /// Takes what the dab at `at` mends out of `left`, and says how much that is.
    fn take(&self, left: &mut [bool], at: (f32, f32), radius: f32) -> f32 {
        let mut mended = 0.0;
        let reach = radius.ceil() as i32;
        for row in -reach..=reach {
            for col in -reach..=reach {
                let (x, y) = (col as f32, row as f32);
                if x.hypot(y) > radius {
                    continue;
                }
                if let Some(place) = self.place((at.0 + x, at.1 + y))
                    && std::mem::take(&mut left[place])
                {
                    mended += 1.0;
                }
            }
        }
        mended
    }
}

/// How far each pixel is from one of another class: chamfer distances, which are right to 4 %
/// (Borgefors 1986, weights 3 and 4).
fn room(truth: &[u8], wide: usize) -> Vec<f32> {
    let high = truth.len() / wide;
    let is_border = |at: usize| {
        let (x, y) = (at % wide, at / wide);
        let differs = |other: usize| truth[other] != truth[at];
        (x > 0 && differs(at - 1))
            || (x + 1 < wide && differs(at + 1))
            || (y > 0 && differs(at - wide))
            || (y + 1 < high && differs(at + wide))
    };
    let mut room: Vec<f32> = (0..truth.len())
        .map(|at| if is_border(at) { 0.5 } else { 1e6 })
        .collect();
    let mut pass = |order: &mut dyn Iterator<Item = usize>, side: isize| {
        for at in order {
            let (x, y) = ((at % wide) as isize, (at / wide) as isize);
            let near = [
                (side, 0, 1.0),
                (0, side, 1.0),
                (side, side, 4.0 / 3.0),
                (-side, side, 4.0 / 3.0),
            ];
            for (dx, dy, away) in near {
                let (x, y) = (x + dx, y + dy);
                if x >= 0 && y >= 0 && x < wide as isize && y < high as isize {
                    let other = room[y as usize * wide + x as usize] + away;
                    room[at] = room[at].min(other);
                }
            }
        }
    };
    pass(&mut (0..truth.len()), -1);
    pass(&mut (0..truth.len()).rev(), 1);
    room
}

/// Sums of wrong pixels over all above and to the left.
struct Sums {
    sums: Vec<u32>,
    wide: usize,
}

impl Sums {
    fn of(wrong: &[bool], wide: usize) -> Self {
        let mut sums = vec![0; (wide + 1) * (wrong.len() / wide + 1)];
        for (row, line) in wrong.chunks_exact(wide).enumerate() {
            let mut sum = 0;
            for (col, &is_wrong) in line.iter().enumerate() {
                sum += u32::from(is_wrong);
                sums[(row + 1) * (wide + 1) + col + 1] = sums[row * (wide + 1) + col + 1] + sum;
            }
        }
        Self {
            sums,
            wide: wide + 1,
        }
    }

    /// Wrong pixels in a square around a pixel.
    fn around(&self, (x, y): (usize, usize), half: f32) -> u32 {
        let half = half as usize;
        let high = self.sums.len() / self.wide;
        let (left, top) = (x.saturating_sub(half), y.saturating_sub(half));
        let (right, bottom) = (
            (x + half + 1).min(self.wide - 1),
            (y + half + 1).min(high - 1),
        );
        let at = |x: usize, y: usize| self.sums[y * self.wide + x];
        at(right, bottom) + at(left, top) - at(left, bottom) - at(right, top)
    }
}
