use rayon::prelude::*;

/// Words that so many pairs share say nothing.
const MOST_PAIRS: usize = 1 << 20;
/// Partners that a place keeps, those of the most similar look.
const PARTNERS: usize = 6;
/// No partner.
const NONE: u64 = u64::MAX;

/// The looks of places in images of up to three parts, searched by the words they are made of.
pub(super) struct Index {
    looks: Vec<u64>,
    /// Part of the image of each.
    part: Vec<u8>,
    /// Bits of a word.
    width: u32,
    /// Most bits of 64 in which two looks of one place differ.
    most_bits: u32,
}

impl Index {
    pub(super) const fn new(looks: Vec<u64>, part: Vec<u8>, width: u32, most_bits: u32) -> Self {
        Self {
            looks,
            part,
            width,
            most_bits,
        }
    }

    /// For each place of a later part those of earlier parts that look most alike, the bits of
    /// `mirror` turned over on one side: pairs of places, that of the earlier part first. `None`
    /// when `is_cancelled` says so.
    pub(super) fn partners(
        &self,
        mirror: u64,
        is_cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Option<Vec<(u32, u32)>> {
        let mut partners = Partners::new(&self.part);
        for word in 0..u64::BITS / self.width {
            if is_cancelled() {
                return None;
            }
            for (place, partner) in self.matches(word, mirror) {
                partners.insert(place, partner);
            }
        }
        Some(partners.into_pairs())
    }

    /// Places of later parts with partners of earlier ones whose look shares word `word` and nearly
    /// all else.
    fn matches(&self, word: u32, mirror: u64) -> Vec<(u32, u64)> {
        let earlier = self.ordered_by(word, 0);
        let later = self.ordered_by(word, mirror);
        let of_key = |key: usize| {
            let mut found = Vec::new();
            for part in 1..3 {
                let earlier = earlier.of(key, 0..part);
                let later = later.of(key, part..part + 1);
                if earlier.len().saturating_mul(later.len()) <= MOST_PAIRS {
                    self.pairs(earlier, later, mirror, &mut found);
                }
            }
            found
        };
        let keys = 0..1usize << self.width;
        keys.into_par_iter().flat_map_iter(of_key).collect()
    }

    fn pairs(&self, earlier: &[u32], later: &[u32], mirror: u64, found: &mut Vec<(u32, u64)>) {
        for &place in later {
            let look = self.looks[place as usize] ^ mirror;
            let mut nearest = [NONE; PARTNERS];
            for &partner in earlier {
                let bits = (look ^ self.looks[partner as usize]).count_ones();
                let entry = u64::from(bits) << 32 | u64::from(partner);
                if bits <= self.most_bits && entry < nearest[PARTNERS - 1] {
                    nearest[PARTNERS - 1] = entry;
                    nearest.sort_unstable();
                }
            }
            let kept = nearest.into_iter().take_while(|&entry| entry != NONE);
            found.extend(kept.map(|entry| (place, entry)));
        }
    }

    /// The places by word `word`, the bits of `mirror` turned over, and by part.
    fn ordered_by(&self, word: u32, mirror: u64) -> Ordered {
        let keys = 1usize << self.width;
        let key = |at: usize| {
            let word = (self.looks[at] ^ mirror) >> (self.width * word);
            (word as usize & (keys - 1)) * 3 + usize::from(self.part[at])
        };
        let mut starts = vec![0u32; keys * 3 + 1];
        for at in 0..self.looks.len() {
            starts[key(at) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut places = vec![0; self.looks.len()];
        for at in 0..self.looks.len() {
            let place = &mut next[key(at)];
            places[*place as usize] = at as u32;
            *place += 1;
        }
        Ordered { starts, places }
    }
}

/// Places by word and part.
struct Ordered {
    /// Where each word and part starts.
    starts: Vec<u32>,
    places: Vec<u32>,
}

impl Ordered {
    /// Those of some parts whose word is `key`.
    fn of(&self, key: usize, parts: std::ops::Range<usize>) -> &[u32] {
        let start = |part: usize| self.starts[key * 3 + part] as usize;
        &self.places[start(parts.start)..start(parts.end)]
    }
}

/// For each place of a later part, the most similar ones of earlier parts.
struct Partners {
    /// The row of `nearest` of each place; those of the first part have none.
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

    fn insert(&mut self, place: u32, partner: u64) {
        let nearest = &mut self.nearest[self.row[place as usize] as usize];
        if partner < nearest[PARTNERS - 1] && !nearest.contains(&partner) {
            nearest[PARTNERS - 1] = partner;
            nearest.sort_unstable();
        }
    }

    /// Pairs of places, that of the earlier part first.
    fn into_pairs(self) -> Vec<(u32, u32)> {
        let mut pairs = Vec::new();
        for place in 0..self.row.len() {
            let row = self.row[place] as usize;
            let is_later = self
                .row
                .get(place + 1)
                .map_or(self.nearest.len(), |&row| row as usize)
                > row;
            if is_later {
                let partners = self.nearest[row].iter().filter(|&&partner| partner != NONE);
                pairs.extend(partners.map(|&partner| (partner as u32, place as u32)));
            }
        }
        pairs
    }
}
