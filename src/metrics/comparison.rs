use serde::Serialize;

use super::ratio::ratio;
use super::{Confusion, Counts, Scores, TileCounts};
use crate::label::{ClassTable, UNLABELED};

/// What two predictions, A and B, say of the same ground, counted pixel by pixel. Only ground that
/// both gave a class is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedPredictions {
    /// Rows are what A says, columns what B says.
    says: Confusion,
    /// The truth against A, against B, and against both where they agree.
    against_truth: [Confusion; 3],
    /// Pixels that one of the two alone gave a class.
    alone: u64,
    has_truth: bool,
}

/// A, B and the truth by tiles.
pub type TileComparison = TileCounts<ComparedPredictions, 3>;

/// What came of it; the field names are those of the JSON reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PredictionComparison {
    /// Pixels that both gave a class.
    pub pixels: u64,
    /// Pixels that one of the two alone gave a class; they are compared with nothing.
    pub alone: u64,
    /// Pixels of which both say the same.
    pub agreed: u64,
    /// Pixels of which B says otherwise than A.
    pub changed: u64,
    /// Their share of those that both gave a class; `None` where there are none.
    pub changed_share: Option<f64>,
    /// Pixel counts: rows are what A says, columns what B says.
    pub says: Vec<Vec<u64>>,
    /// Each class that either says or that has truth.
    pub per_class: Vec<ClassChange>,
    /// What the truth says of both, where there is one.
    pub truth: Option<TruthComparison>,
}

/// How two predictions differ in a class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassChange {
    /// The index in masks.
    pub index: u8,
    /// The name in the class table.
    pub name: String,
    /// Pixels that A says.
    pub pixels_a: u64,
    /// Pixels that B says, of those that A gave a class.
    pub pixels_b: u64,
    /// Intersection over union of A and the truth; `None` without truth of the class.
    pub iou_a: Option<f64>,
    /// That of B.
    pub iou_b: Option<f64>,
    /// By how much B's is greater.
    pub delta: Option<f64>,
}

/// Two predictions against the truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TruthComparison {
    /// Scores of A.
    pub a: Scores,
    /// Scores of B.
    pub b: Scores,
    /// By how much B's mean `IoU` is greater.
    pub mean_iou_delta: Option<f64>,
    /// Pixels that A says wrong and B right.
    pub mended: u64,
    /// Pixels that A says right and B wrong.
    pub spoiled: u64,
    /// Pixels that both say right.
    pub both_right: u64,
    /// Pixels that both say wrong, alike or not.
    pub both_wrong: u64,
}

impl ComparedPredictions {
    /// No pixels yet, of the classes 0 to `num_classes` - 1; `has_truth` says whether there is a
    /// truth that they are held against.
    pub fn new(num_classes: usize, has_truth: bool) -> Self {
        let none = Confusion::new(num_classes);
        Self {
            says: none.clone(),
            against_truth: [none.clone(), none.clone(), none],
            alone: 0,
            has_truth,
        }
    }

    /// Counts pixel by pixel.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add(&mut self, a: &[u8], b: &[u8], truth: Option<&[u8]>) {
        assert_eq!(a.len(), b.len(), "two predictions of the same ground");
        for (at, (&a, &b)) in a.iter().zip(b).enumerate() {
            let truth = truth.map_or(UNLABELED, |truth| truth[at]);
            self.count([a, b, truth], 1);
        }
    }

    /// What the counts come to.
    pub fn comparison(&self, classes: &ClassTable) -> PredictionComparison {
        let (pixels, agreed) = (self.says.pixels(), self.says.correct());
        let changed = pixels - agreed;
        let rows = (0..self.says.num_classes()).map(|class| self.class(class, classes));
        PredictionComparison {
            pixels,
            alone: self.alone,
            agreed,
            changed,
            changed_share: ratio(changed, pixels),
            says: self.says.rows(),
            per_class: rows
                .filter(|row| row.pixels_a + row.pixels_b > 0 || row.iou_a.is_some())
                .collect(),
            truth: self.has_truth.then(|| self.truth(classes)),
        }
    }

    /// Lets `change` count what A, B and the truth say of pixels that A and B gave a class.
    fn each(&mut self, [a, b, truth]: [u8; 3], change: impl Fn(&mut Confusion, u8, u8)) {
        change(&mut self.says, a, b);
        let both = if a == b { a } else { UNLABELED };
        for (against, said) in self.against_truth.iter_mut().zip([a, b, both]) {
            change(against, truth, said);
        }
    }

    fn class(&self, class: usize, classes: &ClassTable) -> ClassChange {
        let [iou_a, iou_b] = [0, 1].map(|which: usize| {
            let against = &self.against_truth[which];
            let has_truth = against.support(class) > 0;
            has_truth.then(|| against.binary(class).iou()).flatten()
        });
        ClassChange {
            index: class as u8,
            name: classes.name_of(class as u8),
            pixels_a: self.says.support(class),
            pixels_b: self.says.predicted(class),
            iou_a,
            iou_b,
            delta: iou_b.zip(iou_a).map(|(b, a)| b - a),
        }
    }

    fn truth(&self, classes: &ClassTable) -> TruthComparison {
        let [a, b] = [0, 1].map(|which: usize| Scores::new(&self.against_truth[which], classes));
        let [right_a, right_b, both_right] = self.against_truth.each_ref().map(Confusion::correct);
        let (mended, spoiled) = (right_b - both_right, right_a - both_right);
        TruthComparison {
            mean_iou_delta: b.mean_iou.zip(a.mean_iou).map(|(b, a)| b - a),
            both_wrong: a.pixels - both_right - mended - spoiled,
            a,
            b,
            mended,
            spoiled,
            both_right,
        }
    }
}

/// Of A, B and the truth.
impl Counts<3> for ComparedPredictions {
    fn of_nothing(&self) -> Self {
        Self::new(self.says.num_classes(), self.has_truth)
    }

    fn count(&mut self, says: [u8; 3], pixels: u64) {
        match [says[0], says[1]].map(|said| said == UNLABELED) {
            [false, false] => self.each(says, |counts, row, col| counts.add_many(row, col, pixels)),
            [true, true] => {}
            _ => self.alone += pixels,
        }
    }

    fn uncount(&mut self, says: [u8; 3], pixels: u64) {
        match [says[0], says[1]].map(|said| said == UNLABELED) {
            [false, false] => self.each(says, |counts, row, col| {
                counts.subtract_many(row, col, pixels);
            }),
            [true, true] => {}
            _ => self.alone -= pixels,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{PartCounts, TileConfusion, TiledGround};
    use super::*;
    use crate::geom::{ImageSize, PixelRect};
    use crate::label::{Class, Mask};

    fn classes() -> ClassTable {
        let names = ["field", "road", "lake"];
        let class = |(at, name): (usize, &str)| Class::new(at as u8, name, [at as u8; 3]);
        let classes = names.into_iter().enumerate().map(class).collect();
        ClassTable::new(None, classes).expect("a table")
    }

    const A: [u8; 6] = [0, 0, 1, 1, 255, 0];
    const B: [u8; 6] = [0, 1, 1, 0, 0, 255];
    const TRUTH: [u8; 6] = [0, 1, 1, 1, 0, 0];

    #[test]
    fn changes_are_counted_where_both_say_something() {
        let mut counts = ComparedPredictions::new(3, false);
        counts.add(&A, &B, None);
        let found = counts.comparison(&classes());
        assert_eq!((found.pixels, found.agreed, found.changed), (4, 2, 2));
        assert_eq!(found.alone, 2);
        assert_eq!(found.changed_share, Some(0.5));
        assert_eq!(found.says, [[1, 1, 0], [1, 1, 0], [0, 0, 0]]);
        assert_eq!(found.per_class.len(), 2);
        assert!(found.truth.is_none() && found.per_class[0].delta.is_none());
    }

    #[test]
    fn the_truth_says_what_was_mended_and_what_was_spoiled() {
        let mut counts = ComparedPredictions::new(3, true);
        counts.add(&A, &B, Some(&TRUTH));
        let found = counts.comparison(&classes());
        let truth = found.truth.expect("a truth");
        assert_eq!((truth.mended, truth.spoiled), (1, 1));
        assert_eq!((truth.both_right, truth.both_wrong), (2, 0));
        // Road: A has two of three and nothing more, so has B.
        let road = &found.per_class[1];
        assert_eq!((road.iou_a, road.iou_b), (Some(2.0 / 3.0), Some(2.0 / 3.0)));
        assert_eq!(road.delta, Some(0.0));
        assert_eq!(truth.mean_iou_delta, Some(0.0));
    }

    #[test]
    fn a_class_without_truth_has_no_delta() {
        let mut counts = ComparedPredictions::new(3, true);
        counts.add(&[0, 2, 2], &[0, 2, 0], Some(&[0, 255, 0]));
        let found = counts.comparison(&classes());
        let lake = &found.per_class[1];
        assert_eq!((&*lake.name, lake.pixels_a, lake.pixels_b), ("lake", 2, 1));
        assert_eq!((lake.iou_a, lake.iou_b, lake.delta), (None, None, None));
        let mut bare = ComparedPredictions::new(3, true);
        bare.add(&A, &B, None);
        let truth = bare.comparison(&classes()).truth.expect("a bare one");
        assert_eq!((truth.a.pixels, truth.mean_iou_delta), (0, None));
        assert_eq!((truth.both_right, truth.both_wrong), (0, 0));
    }

    const SIZE: ImageSize = ImageSize::new(600, 400);

    /// The same pixel by pixel.
    fn counted(part: PixelRect, masks: [&Mask; 3]) -> ComparedPredictions {
        let [a, b, truth] = masks.map(|mask| mask.read_rect(part.intersect(SIZE.bounds())));
        let mut counts = ComparedPredictions::new(3, true);
        counts.add(&a, &b, Some(&truth));
        counts
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn kept_comparisons_equal_fresh_ones(
            rects in prop::collection::vec(
                (0_u32..600, 0_u32..400, 1_u32..200, 1_u32..200, 0_u8..4),
                1..8,
            )
        ) {
            let mut masks = [Mask::filled(SIZE, 1), Mask::filled(SIZE, 2), Mask::new(SIZE)];
            let nothing = ComparedPredictions::new(3, true);
            let mut kept = TileComparison::of(masks.each_ref(), nothing);
            let mut of_part = PartCounts::default();
            for (turn, (x, y, w, h, class)) in rects.into_iter().enumerate() {
                let rect = PixelRect::new(x, y, w, h);
                // 3 is no class of the table.
                masks[turn % 3].set_rect(rect, &vec![class; (w * h) as usize]);
                let tiles: Vec<_> = TileConfusion::tiles_in(rect.intersect(SIZE.bounds())).collect();
                kept.update(masks.each_ref(), &tiles);
                prop_assert_eq!(kept.total(), &counted(SIZE.bounds(), masks.each_ref()));
                let part = PixelRect::new(x / 2, y / 3, 3 * w, 2 * h);
                let ground = TiledGround::of_rects(SIZE, &[part]);
                let found = of_part.of(&ground, &kept, masks.each_ref());
                prop_assert_eq!(found, counted(part, masks.each_ref()));
            }
            masks[1] = Mask::new(SIZE);
            let bare = kept.unpredicted();
            prop_assert_eq!(bare.total(), &counted(SIZE.bounds(), masks.each_ref()));
        }
    }
}
