use std::collections::BTreeMap;

use super::blurred::Verdict;
use super::grain::{Grain, squares};
use crate::label::{Mask, UNLABELED};

/// Runs of fewer pixels in a row or column are lines, others areas.
const AREA: usize = 3;
/// Pairs of classes that meet less often are not judged.
const FEWEST_MEETINGS: u64 = 20;
/// Masks whose classes meet less often are not judged.
const FEWEST_CROSSINGS: u64 = 200;

/// How two classes meet along rows and columns: from an area of the one to an area of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meetings {
    /// At once.
    pub(super) sharp: u64,
    /// Through lines of classes that lie between the two, rising or falling all the way: what
    /// averaging makes of a border.
    pub(super) stepped: u64,
}

/// The meetings of pairs of classes, the lower one first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Borders(pub(super) BTreeMap<(u8, u8), Meetings>);

impl Borders {
    /// Those in some squares of a mask.
    pub(super) fn of(mask: &Mask) -> Self {
        let mut borders = Self::default();
        for rect in squares(mask.size()) {
            let (values, width) = (mask.read_rect(rect), rect.width as usize);
            for row in values.chunks_exact(width) {
                borders.walk(row);
            }
            for x in 0..width {
                let column: Vec<u8> = values.iter().skip(x).step_by(width).copied().collect();
                borders.walk(&column);
            }
        }
        borders
    }

    fn walk(&mut self, line: &[u8]) {
        // The last area and the lines since.
        let mut path = Vec::new();
        for run in line.chunk_by(|a, b| a == b) {
            let value = run[0];
            if value == UNLABELED {
                path.clear();
            } else if run.len() >= AREA {
                path.push(value);
                self.cross(&path);
                path = vec![value];
            } else if !path.is_empty() {
                path.push(value);
            }
        }
    }

    fn cross(&mut self, path: &[u8]) {
        let [from, lines @ .., to] = path else {
            return;
        };
        let is_direct = lines.is_empty();
        let is_stepped = path.is_sorted_by(|a, b| a < b) || path.is_sorted_by(|a, b| a > b);
        if is_direct || is_stepped {
            let pair = self.0.entry((*from.min(to), *from.max(to))).or_default();
            pair.sharp += u64::from(is_direct);
            pair.stepped += u64::from(!is_direct);
        }
    }

    /// Adds what another mask says.
    pub(super) fn add(&mut self, more: &Self) {
        for (pair, meetings) in &more.0 {
            let own = self.0.entry(*pair).or_default();
            own.sharp += meetings.sharp;
            own.stepped += meetings.stepped;
        }
    }

    /// Pairs of classes with others between them.
    fn apart(&self) -> impl Iterator<Item = (&(u8, u8), &Meetings)> {
        self.0.iter().filter(|((low, high), _)| high - low > 1)
    }

    /// Of the borders between classes with others between them the share that is stepped.
    pub(super) fn stepped_share(&self) -> f64 {
        let all: u64 = self.apart().map(|(_, pair)| pair.all()).sum();
        let stepped: u64 = self.apart().map(|(_, pair)| pair.stepped).sum();
        stepped as f64 / all.max(1) as f64
    }

    /// Whether they are stepped more often than drawn borders are: of real masks 0 to 3 %, after
    /// interpolation or JPEG more than 30 %, and of nearly all pairs of classes. Classes with a
    /// class that is drawn as a line between them (a curb) are single pairs.
    pub(super) fn verdict(&self, grains: &BTreeMap<u8, Grain>) -> Verdict {
        let all: u64 = self.apart().map(|(_, pair)| pair.all()).sum();
        let next = self.0.values().map(Meetings::all).sum::<u64>() - all;
        let stepped: u64 = self.apart().map(|(_, pair)| pair.stepped).sum();
        let known: Vec<_> = (self.apart())
            .filter(|(_, pair)| pair.all() >= FEWEST_MEETINGS)
            .collect();
        let is_at_home = |class: u8| grains.get(&class).is_some_and(Grain::is_at_home);
        let is_told = if let [(&(low, high), pair)] = known[..] {
            pair.stepped * 2 >= pair.all() && (high - low > 2 || is_at_home(low + 1))
        } else {
            let many = known.iter().filter(|(_, pair)| pair.is_mostly_stepped());
            many.count() * 2 >= known.len() && !known.is_empty()
        };
        // Where nearly all borders are those of neighbors, the classes are steps of a scale.
        let is_scale = stepped * 8 < next;
        if is_told && !is_scale && all >= FEWEST_CROSSINGS && self.is_suspect() {
            Verdict::Stepped(self.stepped_share())
        } else {
            Verdict::Sharp
        }
    }

    /// Whether more borders are stepped than drawing explains.
    pub(super) fn is_suspect(&self) -> bool {
        self.stepped_share() >= 0.15
    }
}

impl Meetings {
    const fn all(&self) -> u64 {
        self.sharp + self.stepped
    }

    const fn is_mostly_stepped(&self) -> bool {
        self.stepped * 100 >= self.all() * 15
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    fn borders(width: u32, values: &[u8]) -> Borders {
        let size = ImageSize::new(width, values.len() as u32 / width);
        let mut mask = Mask::new(size);
        mask.set_rect(size.bounds(), values);
        Borders::of(&mask)
    }

    fn meetings(sharp: u64, stepped: u64) -> Meetings {
        Meetings { sharp, stepped }
    }

    #[test]
    fn meetings_are_counted_by_hand() {
        // One row: no column holds an area.
        let row = [0, 0, 0, 2, 4, 4, 4, 1, 1, 1, 3, 1, 1, 1, 2, 2, 2];
        let found = borders(17, &row);
        let expected = [
            ((0, 4), meetings(0, 1)),
            ((1, 2), meetings(1, 0)),
            ((1, 4), meetings(1, 0)),
        ];
        assert_eq!(found.0.into_iter().collect::<Vec<_>>(), expected);
        // Unlabeled ground, and a line that does not lie between, end a way.
        let row = [0, 0, 0, 255, 4, 4, 4, 5, 0, 0, 0];
        assert_eq!(borders(11, &row), Borders::default());
        let found = borders(1, &[5, 5, 5, 4, 3, 1, 1, 1]);
        assert_eq!(found.0[&(1, 5)], meetings(0, 1));
        assert!((found.stepped_share() - 1.0).abs() < 1e-12);
    }

    fn verdict(pairs: &[((u8, u8), Meetings)], home: &[u8]) -> Verdict {
        let grain = Grain {
            pixels: 100,
            home: 50,
            ..Grain::default()
        };
        let grains = home.iter().map(|&class| (class, grain)).collect();
        Borders(pairs.iter().copied().collect()).verdict(&grains)
    }

    #[test]
    fn many_pairs_or_a_class_with_areas_tell() {
        let stepped =
            |pairs: &[_], home: &[u8]| matches!(verdict(pairs, home), Verdict::Stepped(_));
        let (sharp, soft) = (meetings(300, 3), meetings(100, 200));
        assert!(stepped(&[((0, 2), soft), ((0, 5), soft)], &[]));
        // One pair of three has a line of its own between.
        assert!(!stepped(
            &[((0, 2), soft), ((0, 5), sharp), ((1, 5), sharp)],
            &[1]
        ));
        assert!(stepped(&[((0, 2), soft)], &[0, 1, 2]));
        assert!(!stepped(&[((0, 2), soft)], &[0, 2]));
        assert!(stepped(&[((0, 3), soft)], &[0, 3]));
        // Steps of a scale, and too little to say.
        let scale = [((0, 1), meetings(9_000, 0)), ((0, 2), soft), ((1, 3), soft)];
        assert!(!stepped(&scale, &[0, 1, 2, 3]));
        assert!(!stepped(&[((0, 3), meetings(0, 199))], &[]));
    }
}
