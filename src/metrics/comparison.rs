use serde::Serialize;

use super::ratio::ratio;
use super::{Confusion, Scores};
use crate::label::{ClassTable, Mask, UNLABELED};

/// What two predictions, A and B, say of the same ground, counted pixel by pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedPredictions {
    /// Rows are what A says, columns what B says.
    says: Confusion,
    /// A and B against the truth, where there is one.
    against_truth: [Confusion; 2],
    mended: u64,
    spoiled: u64,
    has_truth: bool,
}

/// What came of it; the field names are those of the JSON reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PredictionComparison {
    /// Pixels that A gave a class.
    pub pixels: u64,
    /// Those of them that B says otherwise.
    pub changed: u64,
    /// Their share; `None` where A says nothing.
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
}

impl ComparedPredictions {
    /// No pixels yet, of the classes 0 to `num_classes` - 1.
    pub fn new(num_classes: usize) -> Self {
        let none = Confusion::new(num_classes);
        Self {
            says: none.clone(),
            against_truth: [none.clone(), none],
            mended: 0,
            spoiled: 0,
            has_truth: false,
        }
    }

    /// The counts of whole masks of one size.
    pub fn between(a: &Mask, b: &Mask, truth: Option<&Mask>, num_classes: usize) -> Self {
        let mut all = Self::new(num_classes);
        for (col, row, _) in a.tiles() {
            let rect = a.tile_rect(col, row);
            let truth = truth.map(|truth| truth.read_rect(rect));
            all.add(&a.read_rect(rect), &b.read_rect(rect), truth.as_deref());
        }
        all
    }

    /// Counts pixel by pixel. Only ground that both gave a class is compared.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add(&mut self, a: &[u8], b: &[u8], truth: Option<&[u8]>) {
        assert_eq!(a.len(), b.len(), "two predictions of the same ground");
        for (at, (&a, &b)) in a.iter().zip(b).enumerate() {
            if a == UNLABELED || b == UNLABELED {
                continue;
            }
            self.says.add_many(a, b, 1);
            let Some(truth) = truth.map(|truth| truth[at]) else {
                continue;
            };
            self.against_truth[0].add_many(truth, a, 1);
            self.against_truth[1].add_many(truth, b, 1);
            self.mended += u64::from(truth != UNLABELED && a != truth && b == truth);
            self.spoiled += u64::from(truth != UNLABELED && a == truth && b != truth);
        }
        self.has_truth |= truth.is_some();
    }

    /// What the counts come to.
    pub fn comparison(&self, classes: &ClassTable) -> PredictionComparison {
        let pixels = self.says.pixels();
        let changed = pixels - self.says.correct();
        let rows = (0..self.says.num_classes()).map(|class| self.class(class, classes));
        PredictionComparison {
            pixels,
            changed,
            changed_share: ratio(changed, pixels),
            says: self.says.rows(),
            per_class: rows
                .filter(|row| row.pixels_a + row.pixels_b > 0 || row.iou_a.is_some())
                .collect(),
            truth: self.has_truth.then(|| self.truth(classes)),
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
        TruthComparison {
            mean_iou_delta: b.mean_iou.zip(a.mean_iou).map(|(b, a)| b - a),
            a,
            b,
            mended: self.mended,
            spoiled: self.spoiled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;
    use crate::label::Class;

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
        let mut counts = ComparedPredictions::new(3);
        counts.add(&A, &B, None);
        let found = counts.comparison(&classes());
        assert_eq!((found.pixels, found.changed), (4, 2));
        assert_eq!(found.changed_share, Some(0.5));
        assert_eq!(found.says, [[1, 1, 0], [1, 1, 0], [0, 0, 0]]);
        assert_eq!(found.per_class.len(), 2);
        assert!(found.truth.is_none() && found.per_class[0].delta.is_none());
    }

    #[test]
    fn the_truth_says_what_was_mended_and_what_was_spoiled() {
        let mut counts = ComparedPredictions::new(3);
        counts.add(&A, &B, Some(&TRUTH));
        let found = counts.comparison(&classes());
        let truth = found.truth.expect("a truth");
        assert_eq!((truth.mended, truth.spoiled), (1, 1));
        // Road: A has two of three and nothing more, so has B.
        let road = &found.per_class[1];
        assert_eq!((road.iou_a, road.iou_b), (Some(2.0 / 3.0), Some(2.0 / 3.0)));
        assert_eq!(road.delta, Some(0.0));
        assert_eq!(truth.mean_iou_delta, Some(0.0));
    }

    #[test]
    fn masks_are_compared_tile_by_tile() {
        let size = ImageSize::new(300, 2);
        let (a, mut b) = (Mask::filled(size, 1), Mask::filled(size, 1));
        b.set_rect(crate::geom::PixelRect::new(255, 0, 2, 2), &[2; 4]);
        let found = ComparedPredictions::between(&a, &b, None, 3).comparison(&classes());
        assert_eq!((found.pixels, found.changed), (600, 4));
    }
}
