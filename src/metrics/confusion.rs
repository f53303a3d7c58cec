use super::{BinaryCounts, Counts};
use crate::geom::PixelRect;
use crate::label::{MASK_TILE_SIZE, Mask, UNLABELED};

/// How often each class was taken for each: rows are the truth, columns the prediction.
///
/// Ground whose truth is unlabeled, or a class the table does not have, is ignored. A prediction of
/// 255, or of a class the table does not have, on labeled ground is wrong and also counted as
/// unpredicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    num_classes: usize,
    /// `num_classes` rows of `num_classes` predictions and one count of unpredicted pixels.
    counts: Vec<u64>,
    ignored: u64,
}

impl Confusion {
    /// Zero counts for the classes 0 to `num_classes` - 1; more than 255 are cut to 255.
    pub fn new(num_classes: usize) -> Self {
        let num_classes = num_classes.min(usize::from(UNLABELED));
        Self {
            num_classes,
            counts: vec![0; num_classes * (num_classes + 1)],
            ignored: 0,
        }
    }

    /// The counts of two masks of the same size.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn between(truth: &Mask, prediction: &Mask, num_classes: usize) -> Self {
        assert_eq!(
            truth.size(),
            prediction.size(),
            "truth and prediction cover the same ground"
        );
        let mut confusion = Self::new(num_classes);
        for (col, row, tile) in truth.tiles() {
            let ground = truth.tile_rect(col, row);
            match (
                tile.uniform_class(),
                prediction.tile(col, row).uniform_class(),
            ) {
                (Some(truth), Some(prediction)) => {
                    confusion.add_many(truth, prediction, ground.num_pixels());
                }
                _ => confusion.add(&truth.read_rect(ground), &prediction.read_rect(ground)),
            }
        }
        confusion
    }

    /// The counts of two masks of the same size inside `rect`.
    pub fn within(truth: &Mask, prediction: &Mask, rect: PixelRect, num_classes: usize) -> Self {
        let mut confusion = Self::new(num_classes);
        let rect = rect.intersect(truth.size().bounds());
        let band_rows = MASK_TILE_SIZE as usize;
        for top in (rect.y..rect.bottom()).step_by(band_rows) {
            let band = PixelRect::new(rect.x, top, rect.width, MASK_TILE_SIZE).intersect(rect);
            confusion.add(&truth.read_rect(band), &prediction.read_rect(band));
        }
        confusion
    }

    /// Counts pixel by pixel.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add(&mut self, truth: &[u8], prediction: &[u8]) {
        assert_eq!(
            truth.len(),
            prediction.len(),
            "one prediction a pixel of truth"
        );
        for (truth, prediction) in truth.iter().zip(prediction) {
            self.add_many(*truth, *prediction, 1);
        }
    }

    /// Counts `pixels` pixels of one truth and one prediction.
    pub fn add_many(&mut self, truth: u8, prediction: u8, pixels: u64) {
        match self.place(truth, prediction) {
            Some(place) => self.counts[place] += pixels,
            None => self.ignored += pixels,
        }
    }

    /// Takes back what [`Confusion::add_many`] counted.
    ///
    /// # Panics
    /// When that was never counted.
    pub fn subtract_many(&mut self, truth: u8, prediction: u8, pixels: u64) {
        match self.place(truth, prediction) {
            Some(place) => self.counts[place] -= pixels,
            None => self.ignored -= pixels,
        }
    }

    /// Adds the counts of other ground.
    ///
    /// # Panics
    /// When the numbers of classes differ.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(
            self.num_classes, other.num_classes,
            "counts of the same classes"
        );
        for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *ours += theirs;
        }
        self.ignored += other.ignored;
    }

    /// Takes the counts of some of the ground away, as far as they were counted.
    ///
    /// # Panics
    /// When the numbers of classes differ.
    pub fn take_away(&mut self, part: &Self) {
        assert_eq!(
            self.num_classes, part.num_classes,
            "counts of the same classes"
        );
        for (ours, theirs) in self.counts.iter_mut().zip(&part.counts) {
            *ours = ours.saturating_sub(*theirs);
        }
        self.ignored = self.ignored.saturating_sub(part.ignored);
    }

    /// The same without labeled ground that has no prediction.
    #[must_use]
    pub fn of_predicted(mut self) -> Self {
        for row in self.counts.chunks_exact_mut(self.num_classes + 1) {
            row[self.num_classes] = 0;
        }
        self
    }

    /// Number of classes.
    pub const fn num_classes(&self) -> usize {
        self.num_classes
    }

    /// Pixels of class `truth` that were predicted as `prediction`; 0 for unknown classes.
    pub fn count(&self, truth: usize, prediction: usize) -> u64 {
        if truth >= self.num_classes || prediction >= self.num_classes {
            return 0;
        }
        self.counts[truth * (self.num_classes + 1) + prediction]
    }

    /// Pixels of class `truth` that have no prediction.
    pub fn unpredicted_of(&self, truth: usize) -> u64 {
        if truth >= self.num_classes {
            return 0;
        }
        self.counts[truth * (self.num_classes + 1) + self.num_classes]
    }

    /// Labeled pixels without a prediction.
    pub fn unpredicted(&self) -> u64 {
        (0..self.num_classes)
            .map(|truth| self.unpredicted_of(truth))
            .sum()
    }

    /// Pixels whose truth is unlabeled or unknown.
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Labeled pixels.
    pub fn pixels(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Labeled pixels that were predicted right.
    pub fn correct(&self) -> u64 {
        (0..self.num_classes)
            .map(|class| self.count(class, class))
            .sum()
    }

    /// Pixels whose truth is this class.
    pub fn support(&self, class: usize) -> u64 {
        let row = self.counts.chunks_exact(self.num_classes + 1).nth(class);
        row.map_or(0, |row| row.iter().sum())
    }

    /// Labeled pixels that were predicted as this class.
    pub fn predicted(&self, class: usize) -> u64 {
        (0..self.num_classes)
            .map(|truth| self.count(truth, class))
            .sum()
    }

    /// One class against all others, on labeled ground; an unpredicted pixel of the class is a miss.
    pub fn binary(&self, class: usize) -> BinaryCounts {
        let (hits, support) = (self.count(class, class), self.support(class));
        let false_alarms = self.predicted(class) - hits;
        BinaryCounts {
            hits,
            false_alarms,
            misses: support - hits,
            rejections: self.pixels() - support - false_alarms,
        }
    }

    /// The class with most truth and its pixels, the lowest index of equals; `None` when no pixel
    /// is labeled.
    pub fn majority(&self) -> Option<(u8, u64)> {
        let supports = (0..self.num_classes).map(|class| (class as u8, self.support(class)));
        // `max_by_key` would answer with the last of equals.
        let largest = supports.rev().max_by_key(|&(_, support)| support);
        largest.filter(|&(_, support)| support > 0)
    }

    /// The counts without the unpredicted pixels, one row a truth class.
    pub fn rows(&self) -> Vec<Vec<u64>> {
        let cut = |row: &[u64]| row[..self.num_classes].to_vec();
        self.counts
            .chunks_exact(self.num_classes + 1)
            .map(cut)
            .collect()
    }

    /// Where a pair is counted, `None` where it is ignored.
    fn place(&self, truth: u8, prediction: u8) -> Option<usize> {
        let truth = usize::from(truth);
        if truth >= self.num_classes {
            return None;
        }
        let column = usize::from(prediction).min(self.num_classes);
        Some(truth * (self.num_classes + 1) + column)
    }
}

/// Of truth and prediction.
impl Counts<2> for Confusion {
    fn of_nothing(&self) -> Self {
        Self::new(self.num_classes)
    }

    fn count(&mut self, [truth, prediction]: [u8; 2], pixels: u64) {
        self.add_many(truth, prediction, pixels);
    }

    fn uncount(&mut self, [truth, prediction]: [u8; 2], pixels: u64) {
        self.subtract_many(truth, prediction, pixels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    #[test]
    fn every_pixel_is_counted_once() {
        let mut confusion = Confusion::new(2);
        confusion.add(&[0, 0, 1, 1, 1, 255, 7], &[0, 1, 1, 255, 9, 0, 0]);
        assert_eq!(confusion.rows(), [[1, 1], [0, 1]]);
        assert_eq!((confusion.pixels(), confusion.ignored()), (5, 2));
        assert_eq!(
            (confusion.unpredicted(), confusion.unpredicted_of(1)),
            (2, 2)
        );
        assert_eq!(
            (
                confusion.support(1),
                confusion.predicted(1),
                confusion.correct()
            ),
            (3, 2, 2)
        );
    }

    #[test]
    fn masks_count_like_their_pixels() {
        let size = ImageSize::new(300, 260);
        let mut truth = Mask::filled(size, 1);
        truth.set_rect(PixelRect::new(200, 200, 80, 60), &[0; 4_800]);
        let mut prediction = Mask::filled(size, 1);
        prediction.set_rect(PixelRect::new(240, 220, 60, 40), &[255; 2_400]);
        let confusion = Confusion::between(&truth, &prediction, 2);
        let mut expected = Confusion::new(2);
        expected.add(
            &truth.read_rect(size.bounds()),
            &prediction.read_rect(size.bounds()),
        );
        assert_eq!(confusion, expected);
        assert_eq!(
            Confusion::within(&truth, &prediction, size.bounds(), 2),
            expected
        );
        let part = Confusion::within(&truth, &prediction, PixelRect::new(240, 220, 99, 99), 2);
        assert_eq!((part.pixels(), part.unpredicted()), (2_400, 2_400));
        let mut rest = confusion;
        rest.take_away(&part);
        let num_left = size.num_pixels() - 2_400;
        assert_eq!((rest.pixels(), rest.unpredicted()), (num_left, 0));
        rest.take_away(&expected);
        assert_eq!(rest.pixels(), 0, "never below nothing");
    }

    #[test]
    fn one_class_against_the_others_counts_every_labeled_pixel() {
        let mut confusion = Confusion::new(3);
        confusion.add(&[0, 0, 1, 1, 1, 255], &[0, 1, 1, 255, 2, 1]);
        let one = confusion.binary(1);
        assert_eq!((one.hits, one.false_alarms), (1, 1));
        assert_eq!((one.misses, one.rejections), (2, 1));
        assert_eq!(confusion.majority(), Some((1, 3)));
        confusion.add(&[0], &[0]);
        assert_eq!(confusion.majority(), Some((0, 3)));
        assert_eq!(Confusion::new(3).majority(), None);
    }

    #[test]
    fn merging_adds() {
        let (mut a, mut b) = (Confusion::new(2), Confusion::new(2));
        a.add(&[0, 255], &[0, 0]);
        b.add(&[1], &[0]);
        a.merge(&b);
        assert_eq!((a.rows(), a.ignored()), (vec![vec![1, 0], vec![1, 0]], 1));
        a.subtract_many(1, 0, 1);
        assert_eq!(a.pixels(), 1);
    }
}
