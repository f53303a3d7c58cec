use super::super::UNLABELED;
use super::work::{ChangedTile, Part, Work};
use crate::geom::PixelRect;

/// Gives each pixel the most frequent class of the square around it.
pub(super) fn majority(work: &Work<'_>, radius: u32) -> Option<Vec<ChangedTile>> {
    work.by_parts(radius, |part| Filter::new(work, part, radius).run())
}

/// The classes of a column are several.
const MIXED: u16 = 256;

/// The filter of one part: counts by column of the window slide down, and their sum slides to the
/// right, so that the cost of a pixel does not grow with the radius (Perreault and Hébert 2007).
struct Filter {
    window: PixelRect,
    /// The part in the window's own pixels.
    part: PixelRect,
    radius: usize,
    classes: Vec<u8>,
    /// The labeled classes of the window, ascending, and the place of each among them.
    present: Vec<u8>,
    place: [u8; 256],
    /// Counts of the present classes, column by column.
    counts: Vec<u16>,
    /// The one class of each column of the window, or [`MIXED`].
    unison: Vec<u16>,
    /// For how many rows upwards each column has been of one class.
    steady: Vec<u32>,
}

impl Filter {
    fn new(work: &Work<'_>, part: &Part, radius: u32) -> Self {
        let window = work.with_margin(part.rect, radius);
        let classes = work.mask.read_rect(window);
        let mut is_present = [false; 256];
        for run in classes.chunk_by(|a, b| a == b) {
            is_present[usize::from(run[0])] = true;
        }
        let labeled = (0..UNLABELED).filter(|&class| is_present[usize::from(class)]);
        let present: Vec<u8> = labeled.collect();
        let mut place = [0; 256];
        for (index, &class) in present.iter().enumerate() {
            place[usize::from(class)] = index as u8;
        }
        let width = window.width as usize;
        Self {
            window,
            part: PixelRect {
                x: part.rect.x - window.x,
                y: part.rect.y - window.y,
                ..part.rect
            },
            radius: radius as usize,
            counts: vec![0; width * present.len()],
            unison: vec![MIXED; width],
            steady: vec![0; width],
            classes,
            present,
            place,
        }
    }

    /// The classes of the part, row by row; `None` when nothing changes.
    fn run(mut self) -> Option<Vec<u8>> {
        if self.present.is_empty() {
            return None;
        }
        let (top, height) = (self.part.y as usize, self.window.height as usize);
        let mut after = Vec::with_capacity(self.part.num_pixels() as usize);
        let mut added = 0;
        for y in top..top + self.part.height as usize {
            let rows = y.saturating_sub(self.radius)..(y + self.radius + 1).min(height);
            while added < rows.end {
                self.add_row(added);
                added += 1;
            }
            if y > self.radius {
                self.remove_row(y - self.radius - 1);
            }
            self.note_unison(rows.end - 1, rows.len());
            self.filter_row(y, &mut after);
        }
        Some(after)
    }

    fn row(&self, y: usize) -> std::ops::Range<usize> {
        let width = self.window.width as usize;
        y * width..(y + 1) * width
    }

    fn add_row(&mut self, y: usize) {
        let (row, width) = (self.row(y), self.window.width as usize);
        let num_classes = self.present.len();
        for (x, at) in row.enumerate() {
            let class = self.classes[at];
            let is_same = y > 0 && self.classes[at - width] == class;
            self.steady[x] = if is_same { self.steady[x] + 1 } else { 1 };
            if class != UNLABELED {
                self.counts[x * num_classes + usize::from(self.place[usize::from(class)])] += 1;
            }
        }
    }

    fn remove_row(&mut self, y: usize) {
        let num_classes = self.present.len();
        for (x, at) in self.row(y).enumerate() {
            let class = self.classes[at];
            if class != UNLABELED {
                self.counts[x * num_classes + usize::from(self.place[usize::from(class)])] -= 1;
            }
        }
    }

    /// Notes which columns are of one class over the `num_rows` rows that end with `last`.
    fn note_unison(&mut self, last: usize, num_rows: usize) {
        let row = self.row(last);
        let columns = self.unison.iter_mut().zip(&self.steady);
        for ((unison, &steady), &class) in columns.zip(&self.classes[row]) {
            let is_one = steady as usize >= num_rows;
            *unison = if is_one { u16::from(class) } else { MIXED };
        }
    }

    fn filter_row(&self, y: usize, after: &mut Vec<u8>) {
        let (left, width) = (self.part.x as usize, self.window.width as usize);
        let line = &self.classes[self.row(y)];
        let mut sum = Sum::new(self.present.len());
        for x in 0..(left + self.radius).min(width) {
            sum.add(self.column(x));
        }
        let columns = line.iter().enumerate().skip(left);
        for (x, &own) in columns.take(self.part.width as usize) {
            let leaving = x.checked_sub(self.radius + 1);
            let entering = Some(x + self.radius).filter(|&x| x < width);
            if !self.is_exchange_of_equals(leaving, entering) {
                if let Some(x) = entering {
                    sum.add(self.column(x));
                }
                if let Some(x) = leaving {
                    sum.remove(self.column(x));
                }
                sum.find_best();
            }
            after.push(self.winner(own, &sum));
        }
    }

    /// Whether the square's counts stay as they are when one column leaves and one enters.
    fn is_exchange_of_equals(&self, leaving: Option<usize>, entering: Option<usize>) -> bool {
        match (leaving, entering) {
            (Some(a), Some(b)) => self.unison[a] != MIXED && self.unison[a] == self.unison[b],
            _ => false,
        }
    }

    fn winner(&self, own: u8, sum: &Sum) -> u8 {
        let own_place = usize::from(self.place[usize::from(own)]);
        if own == UNLABELED || sum.counts[own_place] == sum.most {
            own
        } else {
            self.present[sum.best]
        }
    }

    fn column(&self, x: usize) -> &[u16] {
        let num_classes = self.present.len();
        &self.counts[x * num_classes..(x + 1) * num_classes]
    }
}

/// Counts of the present classes in the square, and the first of the most frequent.
struct Sum {
    counts: Vec<u32>,
    most: u32,
    best: usize,
}

impl Sum {
    fn new(num_classes: usize) -> Self {
        Self {
            counts: vec![0; num_classes],
            most: 0,
            best: 0,
        }
    }

    fn add(&mut self, column: &[u16]) {
        for (count, &more) in self.counts.iter_mut().zip(column) {
            *count += u32::from(more);
        }
    }

    fn remove(&mut self, column: &[u16]) {
        for (count, &less) in self.counts.iter_mut().zip(column) {
            *count -= u32::from(less);
        }
    }

    fn find_best(&mut self) {
        self.most = self.counts.iter().copied().max().unwrap_or(0);
        let is_most = |&count: &u32| count == self.most;
        self.best = self.counts.iter().position(is_most).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::test_masks::{any_case, blocky, check, huge, pixels};
    use super::super::{Cleanup, Control, clean_up};
    use super::*;
    use crate::geom::ImageSize;
    use crate::label::{Mask, PaintOver};

    fn by_definition(mask: &Mask, radius: u32) -> Vec<u8> {
        let bounds = mask.size().bounds();
        let classes = pixels(mask);
        let vote = |at: usize| {
            let own = classes[at];
            let (x, y) = (at as u32 % bounds.width, at as u32 / bounds.width);
            let square = PixelRect::new(x, y, 1, 1).grown(radius).intersect(bounds);
            let mut counts = [0_u32; 255];
            for y in square.y..square.bottom() {
                for x in square.x..square.right() {
                    let class = classes[(y * bounds.width + x) as usize];
                    if class != UNLABELED {
                        counts[usize::from(class)] += 1;
                    }
                }
            }
            let most = counts.iter().max().expect("not empty");
            if own == UNLABELED || counts[usize::from(own)] == *most {
                return own;
            }
            counts
                .iter()
                .position(|count| count == most)
                .expect("among them") as u8
        };
        (0..classes.len()).map(vote).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_majority_is_its_definition(case in any_case(), radius in 0_u32..7) {
            let free = by_definition(&case.mask, radius);
            check(&case, Cleanup::Majority { radius }, &free);
        }
    }

    #[test]
    fn a_square_larger_than_the_mask_sees_all_of_it() {
        let size = ImageSize::new(270, 20);
        let mask = blocky(size, 5, 7, 9);
        let after = clean_up(
            &mask,
            size.bounds(),
            &PaintOver::everything(),
            Cleanup::Majority { radius: 5_000 },
            &Control::default(),
        )
        .expect("not cancelled");
        let free = by_definition(&mask, super::super::MAX_CLEANUP_RADIUS);
        assert_eq!(pixels(&after), free);
    }

    #[test]
    fn a_huge_mask_is_filtered_where_it_is_painted() {
        let mask = huge();
        let after = clean_up(
            &mask,
            mask.size().bounds(),
            &PaintOver::everything(),
            Cleanup::Majority { radius: 5 },
            &Control::default(),
        )
        .expect("not cancelled");
        assert!(after.histogram()[1] < mask.histogram()[1]);
        assert!(after.tile(7, 7).is_same(mask.tile(7, 7)));
    }
}
