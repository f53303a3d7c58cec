use std::collections::HashMap;

use super::landmark::Landmark;
use super::report::LeakExample;
use super::turn::Turn;

/// Most bits of 64 in which two looks of one place differ.
const MOST_BITS: u32 = 10;
/// Words that so many landmarks share say nothing.
const MOST_ALIKE: usize = 1 << 12;
/// Landmarks of a block that must agree on where its ground is shown as well.
const LEAST_VOTES: usize = 8;
/// Claims of a block that are held against each other; of more a sample is.
const MOST_CLAIMS: usize = 2_048;
/// Pixels by which their answers may differ.
const SLACK: i64 = 3;
/// Their least deviation in pixels across the direction in which they reach farthest: the dashes
/// of a road are all alike, and no common ground.
const LEAST_DEVIATION: f64 = 16.0;
/// Ground that looks half as much the same when it is moved by less than so many pixels is a
/// pattern: an orchard, rows of cars or of solar panels.
const LONGEST_PERIOD: i64 = 512;

/// The landmarks of a part, by each of the four words of their looks.
pub(super) struct Looks {
    landmarks: Vec<Landmark>,
    by_word: [HashMap<u16, Vec<u32>>; 4],
}

impl Looks {
    pub(super) fn new(landmarks: Vec<Landmark>) -> Self {
        let by_word = std::array::from_fn(|word| {
            let mut by_word: HashMap<u16, Vec<u32>> = HashMap::new();
            for (at, landmark) in (0..).zip(&landmarks) {
                let word = word_of(landmark.look, word);
                by_word.entry(word).or_default().push(at);
            }
            by_word
        });
        Self { landmarks, by_word }
    }

    /// The landmark that looks most like `landmark`.
    fn nearest(&self, landmark: Landmark) -> Option<Landmark> {
        let words = self.by_word.iter().enumerate();
        let alike = words.filter_map(|(word, by_word)| by_word.get(&word_of(landmark.look, word)));
        let alike = alike.filter(|alike| alike.len() <= MOST_ALIKE).flatten();
        let bits = |at: u32| (self.landmarks[at as usize].look ^ landmark.look).count_ones();
        let (bits, at) = alike.map(|&at| (bits(at), at)).min()?;
        (bits <= MOST_BITS).then(|| self.landmarks[at as usize])
    }

    /// Where most of a block's ground is shown as well, if it is.
    pub(super) fn repeat(&self, block: &[Landmark]) -> Option<Repeat> {
        let claim = |held: &Landmark| Some(Claim::of(self.nearest(*held)?, *held));
        let all: Vec<Claim> = block.iter().filter_map(claim).collect();
        let stride = all.len().div_ceil(MOST_CLAIMS).max(1);
        let claims: Vec<&Claim> = all.iter().step_by(stride).collect();
        let votes: Vec<usize> = claims.iter().map(|claim| claim.votes(&claims)).collect();
        let (most, best) = votes.iter().copied().zip(&claims).max_by_key(|of| of.0)?;
        let is_rival =
            |(votes, claim): (&usize, &&Claim)| *votes * 2 > most && claim.is_period_of(best);
        if most < LEAST_VOTES || votes.iter().zip(&claims).any(is_rival) {
            return None;
        }
        let claims: Vec<&Claim> = all.iter().collect();
        let most = best.votes(&claims);
        let agreeing = claims.iter().filter(|claim| claim.agrees(best));
        let places: Vec<_> = agreeing.map(|claim| claim.places).collect();
        let held: Vec<(f64, f64)> = places.iter().map(|[_, held]| *held).collect();
        (least_deviation(&held) >= LEAST_DEVIATION).then(|| Repeat {
            votes: most,
            landmarks: block.len(),
            is_turned: !best.turn.is_none(),
            middles: [0, 1].map(|which| {
                let of: Vec<(f64, f64)> = places.iter().map(|places| places[which]).collect();
                let (x, y) = middle(&of);
                (x.round() as u32, y.round() as u32)
            }),
        })
    }
}

fn word_of(look: u64, word: usize) -> u16 {
    (look >> (16 * word)) as u16
}

/// Ground of a block that is shown elsewhere, too.
pub(super) struct Repeat {
    /// Landmarks that agree.
    pub(super) votes: usize,
    /// Landmarks of the block.
    landmarks: usize,
    is_turned: bool,
    /// The middles of both places, that of the earlier part first.
    pub(super) middles: [(u32, u32); 2],
}

impl Repeat {
    pub(super) fn example(&self, name: &str) -> LeakExample {
        let [first, second] = self.middles.map(|(x, y)| format!("{name} around {x}, {y}"));
        let how = if self.is_turned {
            ", turned or flipped"
        } else {
            ""
        };
        LeakExample {
            first,
            second,
            detail: format!(
                "{} of {} landmarks of the block agree{how}",
                self.votes, self.landmarks
            ),
        }
    }
}

/// What a landmark of a block and the one that looks like it say of where the ground is shown.
struct Claim {
    turn: Turn,
    offset: (i64, i64),
    /// The one elsewhere, and that of the block.
    places: [(f64, f64); 2],
}

impl Claim {
    fn of(elsewhere: Landmark, held: Landmark) -> Self {
        let turn = elsewhere.turn.then(held.turn.inverse());
        let (x, y) = turn.apply(elsewhere.at.0.into(), elsewhere.at.1.into());
        Self {
            turn,
            offset: (i64::from(held.at.0) - x, i64::from(held.at.1) - y),
            places: [elsewhere, held].map(|it| (it.at.0.into(), it.at.1.into())),
        }
    }

    /// How far apart what two say is, in the direction in which it is farther; `None` where they
    /// speak of different turns.
    fn distance(&self, other: &Self) -> Option<i64> {
        let apart = (
            (self.offset.0 - other.offset.0).abs(),
            (self.offset.1 - other.offset.1).abs(),
        );
        (self.turn == other.turn).then(|| apart.0.max(apart.1))
    }

    /// Whether both say nearly the same.
    fn agrees(&self, other: &Self) -> bool {
        self.distance(other).is_some_and(|apart| apart <= SLACK)
    }

    /// Whether both can be true of a pattern alone.
    fn is_period_of(&self, other: &Self) -> bool {
        let periods = 2 * SLACK + 1..=LONGEST_PERIOD;
        let apart = self.distance(other);
        apart.is_some_and(|apart| periods.contains(&apart))
    }

    /// How many landmarks elsewhere say the same.
    fn votes(&self, claims: &[&Self]) -> usize {
        let agreeing = claims.iter().filter(|claim| claim.agrees(self));
        let mut places: Vec<(u32, u32)> = agreeing
            .map(|claim| (claim.places[0].0 as u32, claim.places[0].1 as u32))
            .collect();
        places.sort_unstable();
        places.dedup();
        places.len()
    }
}

fn middle(places: &[(f64, f64)]) -> (f64, f64) {
    let count = places.len().max(1) as f64;
    let sum = |axis: fn(&(f64, f64)) -> f64| places.iter().map(axis).sum::<f64>();
    (sum(|place| place.0) / count, sum(|place| place.1) / count)
}

/// The standard deviation of places in the direction in which it is least.
fn least_deviation(places: &[(f64, f64)]) -> f64 {
    let (x, y) = middle(places);
    let products: Vec<(f64, f64)> = (places.iter())
        .map(|place| ((place.0 - x).powi(2), (place.1 - y).powi(2)))
        .collect();
    let (xx, yy) = middle(&products);
    let mixed = places.iter().map(|place| (place.0 - x) * (place.1 - y));
    let xy = mixed.sum::<f64>() / places.len().max(1) as f64;
    // The lesser eigenvalue of the covariance.
    let least = f64::midpoint(xx, yy) - ((xx - yy) / 2.0).hypot(xy);
    least.max(0.0).sqrt()
}
