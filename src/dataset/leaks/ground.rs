use std::collections::BTreeSet;

use rayon::prelude::*;

use super::LeakSample;
use super::landmark::Landmark;
use super::names::in_order;
use super::report::{Found, LeakKind};
use super::trace::Trace;
use super::vote::fit;
use crate::geom::ImageSize;

/// A look is searched by each of its four words.
const WORDS: u32 = 4;
const KEYS: usize = 1 << 16;
/// Most bits of 64 in which two looks of one place differ.
const MOST_BITS: u32 = 10;
/// Words that so many pairs share say nothing.
const MOST_PAIRS: usize = 1 << 20;
/// Partners that a landmark keeps, those of the most similar look.
const PARTNERS: usize = 6;
/// No partner.
const NONE: u64 = u64::MAX;

/// All landmarks, ordered by image.
struct Places<'a> {
    traces: &'a [(usize, Trace)],
    /// Number of landmarks before each image's, and of all.
    starts: Vec<u32>,
    looks: Vec<u64>,
    /// Image of each landmark, by position in `traces`.
    image: Vec<u32>,
    /// Part of each landmark's image.
    part: Vec<u8>,
}

/// Pairs of images of different parts that show common ground.
///
/// `sizes` are those of the samples; pairs in `known` are not looked at again.
pub(super) fn common_ground(
    samples: &[LeakSample<'_>],
    traces: &[(usize, Trace)],
    sizes: &[ImageSize],
    known: &BTreeSet<(u32, u32)>,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Vec<Found> {
    let places = Places::new(samples, traces);
    let mut partners = Partners::new(&places.part);
    for word in 0..WORDS {
        if is_cancelled() {
            return Vec::new();
        }
        for (landmark, partner) in places.matches(word) {
            partners.insert(landmark, partner);
        }
    }
    let pair_of = |&(a, b): &(u32, u32)| (places.image[a as usize], places.image[b as usize]);
    let mut matches = partners.into_pairs();
    matches.sort_unstable_by_key(|pair| (pair_of(pair), *pair));
    let groups: Vec<&[(u32, u32)]> = matches.chunk_by(|a, b| pair_of(a) == pair_of(b)).collect();
    let found = groups.into_par_iter().filter_map(|group| {
        let (a, b) = pair_of(&group[0]);
        let (at_a, at_b) = (traces[a as usize].0, traces[b as usize].0);
        let (first, second) = in_order(samples, at_a, at_b);
        let pair = (first as u32, second as u32);
        if known.contains(&pair) {
            return None;
        }
        let (weight, detail) = places.common(group, a, sizes[at_b])?;
        Some(Found {
            kind: LeakKind::SameGround,
            pair,
            weight,
            detail,
        })
    });
    found.collect()
}

/// For each landmark of a later part, the most similar ones of earlier parts.
struct Partners {
    /// The row of `nearest` of each landmark; those of the first part have none.
    row: Vec<u32>,
    /// Differing bits in the upper half, the partner in the lower one, rising.
    nearest: Vec<[u64; PARTNERS]>,
}

impl Partners {
    fn new(part: &[u8]) -> Self {
        let mut rows = 0;
        let row = part
            .iter()
            .map(|&part| {
                let row = rows;
                rows += u32::from(part > 0);
                row
            })
            .collect();
        Self {
            row,
            nearest: vec![[NONE; PARTNERS]; rows as usize],
        }
    }

    fn insert(&mut self, landmark: u32, partner: u64) {
        let nearest = &mut self.nearest[self.row[landmark as usize] as usize];
        if partner < nearest[PARTNERS - 1] && !nearest.contains(&partner) {
            nearest[PARTNERS - 1] = partner;
            nearest.sort_unstable();
        }
    }

    /// Pairs of landmarks, that of the earlier part first.
    fn into_pairs(self) -> Vec<(u32, u32)> {
        let mut pairs = Vec::new();
        for landmark in 0..self.row.len() {
            let row = self.row[landmark] as usize;
            let is_later = self
                .row
                .get(landmark + 1)
                .map_or(self.nearest.len(), |&row| row as usize)
                > row;
            if is_later {
                let partners = self.nearest[row].iter().filter(|&&partner| partner != NONE);
                pairs.extend(partners.map(|&partner| (partner as u32, landmark as u32)));
            }
        }
        pairs
    }
}

impl<'a> Places<'a> {
    fn new(samples: &[LeakSample<'_>], traces: &'a [(usize, Trace)]) -> Self {
        let mut places = Self {
            traces,
            starts: vec![0],
            looks: Vec::new(),
            image: Vec::new(),
            part: Vec::new(),
        };
        for (image, (at, trace)) in traces.iter().enumerate() {
            let count = trace.landmarks.len();
            places
                .looks
                .extend(trace.landmarks.iter().map(|landmark| landmark.look));
            places
                .image
                .extend(std::iter::repeat_n(image as u32, count));
            places
                .part
                .extend(std::iter::repeat_n(samples[*at].part as u8, count));
            places.starts.push(places.looks.len() as u32);
        }
        places
    }

    fn landmark(&self, index: u32) -> Landmark {
        let image = self.image[index as usize] as usize;
        self.traces[image].1.landmarks[(index - self.starts[image]) as usize]
    }

    /// Landmarks of later parts with partners of earlier ones whose look shares word `word` and
    /// nearly all else.
    fn matches(&self, word: u32) -> Vec<(u32, u64)> {
        let (starts, ordered) = self.ordered_by(word);
        let of_key = |key: usize| {
            let mut found = Vec::new();
            for later in 1..3 {
                let start = |part: usize| starts[key * 3 + part] as usize;
                let (earlier, later) = (start(0)..start(later), start(later)..start(later + 1));
                if earlier.len().saturating_mul(later.len()) <= MOST_PAIRS {
                    self.pairs(&ordered[earlier], &ordered[later], &mut found);
                }
            }
            found
        };
        (0..KEYS).into_par_iter().flat_map_iter(of_key).collect()
    }

    fn pairs(&self, earlier: &[u32], later: &[u32], found: &mut Vec<(u32, u64)>) {
        for &landmark in later {
            let look = self.looks[landmark as usize];
            let mut nearest = [NONE; PARTNERS];
            for &partner in earlier {
                let bits = (look ^ self.looks[partner as usize]).count_ones();
                let entry = u64::from(bits) << 32 | u64::from(partner);
                if bits <= MOST_BITS && entry < nearest[PARTNERS - 1] {
                    nearest[PARTNERS - 1] = entry;
                    nearest.sort_unstable();
                }
            }
            let kept = nearest.into_iter().take_while(|&entry| entry != NONE);
            found.extend(kept.map(|entry| (landmark, entry)));
        }
    }

    /// Indices of the landmarks by word and part, and where each word and part starts.
    fn ordered_by(&self, word: u32) -> (Vec<u32>, Vec<u32>) {
        let key = |at: usize| word_of(self.looks[at], word) as usize * 3 + self.part[at] as usize;
        let mut starts = vec![0u32; KEYS * 3 + 1];
        for at in 0..self.looks.len() {
            starts[key(at) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut ordered = vec![0; self.looks.len()];
        for at in 0..self.looks.len() {
            let place = &mut next[key(at)];
            ordered[*place as usize] = at as u32;
            *place += 1;
        }
        (starts, ordered)
    }

    /// How much ground the images of `group`, of which `a` is the first (a position in the
    /// traces), have in common, and a word
    /// about where.
    fn common(&self, group: &[(u32, u32)], a: u32, size_of_b: ImageSize) -> Option<(u32, String)> {
        let matches: Vec<(Landmark, Landmark)> = group
            .iter()
            .map(|&(a, b)| (self.landmark(a), self.landmark(b)))
            .collect();
        let first = &self.traces[a as usize].1.landmarks;
        let fit = fit(&matches, first, size_of_b)?;
        let how = if fit.turn.is_none() {
            ""
        } else {
            ", turned or flipped"
        };
        let detail = format!(
            "{} of {} landmarks agree{how}, shifted by {}, {} pixels",
            fit.votes, fit.expected, fit.offset.0, fit.offset.1
        );
        Some((fit.votes as u32, detail))
    }
}

fn word_of(look: u64, word: u32) -> u16 {
    (look >> (16 * word)) as u16
}
