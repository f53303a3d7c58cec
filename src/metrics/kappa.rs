use serde::{Deserialize, Serialize};

use super::Confusion;
use super::ratio::ratio;
use crate::label::ClassTable;

/// How far two people who labeled the same image agree beyond chance; the field names are those of
/// the JSON reports.
///
/// Cohen's kappa is (p₀ - pₑ) / (1 - pₑ), where p₀ is the share of pixels that both labeled alike
/// and pₑ the share that would be alike if both had drawn their classes by lot in the proportions
/// they used (J. Cohen, "A coefficient of agreement for nominal scales", Educational and
/// Psychological Measurement 20, 1960, pp. 37-46, equation 1). It is 1 when they agree everywhere,
/// 0 when no more than by chance, and negative below that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kappa {
    /// Pixels that both labeled.
    pub pixels: u64,
    /// Pixels that one of them, or neither, labeled; they are in none of the numbers.
    pub left_out: u64,
    /// p₀, 0 to 1; `None` when there is no pixel that both labeled.
    pub observed: Option<f64>,
    /// pₑ, 0 to 1; `None` as above.
    pub expected: Option<f64>,
    /// Cohen's kappa; `None` as above, or when both used one and the same class only.
    pub kappa: Option<f64>,
    /// One row a class of the table, then classes that occur without being in it.
    pub per_class: Vec<ClassKappa>,
    /// Pixel counts: rows are the first person's classes, columns the second one's.
    pub confusion: Vec<Vec<u64>>,
}

/// How far both agree where a class is, all others taken as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassKappa {
    /// The index in masks.
    pub index: u8,
    /// The name in the class table.
    pub name: String,
    /// Cohen's kappa of this class against all others; `None` when neither used it, or both used
    /// nothing else.
    pub kappa: Option<f64>,
    /// Pixels to which both gave it.
    pub both: u64,
    /// Pixels to which the first one gave it, of those that both labeled.
    pub first: u64,
    /// Pixels to which the second one gave it, of those that both labeled.
    pub second: u64,
}

impl Kappa {
    /// The agreement of two masks from their counts: [`Confusion::between`] with the first
    /// person's mask as the truth and the second one's as the prediction.
    ///
    /// Pixels of classes beyond the counts' number are left out as well; 255 classes hold all.
    pub fn new(counts: &Confusion, classes: &ClassTable) -> Self {
        let rows = counts.rows();
        let first: Vec<u64> = rows.iter().map(|row| row.iter().sum()).collect();
        let second: Vec<u64> = (0..rows.len())
            .map(|class| counts.predicted(class))
            .collect();
        let pixels: u64 = first.iter().sum();
        let of_class = |index: usize| {
            let (both, first, second) = (rows[index][index], first[index], second[index]);
            let others = (pixels - first, pixels - second);
            let expected = chance(&[(first, second), others], pixels);
            ClassKappa {
                index: index as u8,
                name: classes.name_of(index as u8),
                kappa: beyond_chance(ratio(pixels + 2 * both - first - second, pixels), expected),
                both,
                first,
                second,
            }
        };
        let is_shown =
            |row: &ClassKappa| classes.get(row.index).is_some() || row.first > 0 || row.second > 0;
        let pairs: Vec<_> = first.iter().copied().zip(second.iter().copied()).collect();
        let observed = ratio(counts.correct(), pixels);
        let expected = chance(&pairs, pixels);
        Self {
            pixels,
            left_out: counts.ignored() + counts.unpredicted(),
            observed,
            expected,
            kappa: beyond_chance(observed, expected),
            per_class: (0..rows.len()).map(of_class).filter(is_shown).collect(),
            confusion: rows,
        }
    }
}

/// The kappa of a prediction and its truth; unpredicted pixels agree with nothing.
pub(super) fn kappa_with_truth(counts: &Confusion) -> Option<f64> {
    let used: Vec<_> = (0..counts.num_classes())
        .map(|class| (counts.support(class), counts.predicted(class)))
        .collect();
    let pixels = counts.pixels();
    beyond_chance(ratio(counts.correct(), pixels), chance(&used, pixels))
}

/// pₑ from the pixels that each person gave to each class.
fn chance(used: &[(u64, u64)], pixels: u64) -> Option<f64> {
    let share = |count| ratio(count, pixels);
    let both = |&(first, second): &(u64, u64)| Some(share(first)? * share(second)?);
    used.iter().map(both).sum()
}

fn beyond_chance(observed: Option<f64>, expected: Option<f64>) -> Option<f64> {
    let (observed, expected) = (observed?, expected?);
    (expected < 1.0).then(|| (observed - expected) / (1.0 - expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::{ImageSize, PixelRect};
    use crate::label::Mask;

    /// Counts with these pixels of (first, second).
    fn counted(cells: &[(u8, u8, u64)], num_classes: usize) -> Confusion {
        let mut counts = Confusion::new(num_classes);
        for &(first, second, pixels) in cells {
            counts.add_many(first, second, pixels);
        }
        counts
    }

    fn kappa(cells: &[(u8, u8, u64)]) -> Kappa {
        Kappa::new(&counted(cells, 3), &ClassTable::from_values([0, 1]))
    }

    #[track_caller]
    fn assert_near(value: Option<f64>, expected: f64) {
        let value = value.expect("a number");
        assert!(
            (value - expected).abs() < 1e-12,
            "{value} is not {expected}"
        );
    }

    #[test]
    fn two_classes_are_as_computed_by_hand() {
        // p₀ = 35/50; pₑ = 25/50 · 30/50 + 25/50 · 20/50 = 0.5; (0.7 - 0.5) / 0.5 = 0.4
        let found = kappa(&[(0, 0, 20), (0, 1, 5), (1, 0, 10), (1, 1, 15)]);
        assert_near(found.observed, 0.7);
        assert_near(found.expected, 0.5);
        assert_near(found.kappa, 0.4);
        for class in &found.per_class {
            assert_near(class.kappa, 0.4);
        }
        let [zero, one] = &found.per_class[..] else {
            panic!("two classes");
        };
        assert_eq!((zero.both, zero.first, zero.second), (20, 25, 30));
        assert_eq!((one.both, one.first, one.second), (15, 25, 20));
    }

    #[test]
    fn three_classes_are_as_computed_by_hand() {
        // p₀ = 70/95; pₑ = 50/95 · 45/95 + 30/95 · 35/95 + 15/95 · 15/95
        let found = kappa(&[
            (0, 0, 40),
            (0, 1, 10),
            (1, 0, 5),
            (1, 1, 20),
            (1, 2, 5),
            (2, 1, 5),
            (2, 2, 10),
            (2, 255, 7),
            (255, 0, 8),
            (255, 255, 9),
        ]);
        assert_eq!((found.pixels, found.left_out), (95, 24));
        let expected = (50.0 * 45.0 + 30.0 * 35.0 + 15.0 * 15.0) / (95.0 * 95.0);
        assert_near(found.expected, expected);
        assert_near(found.kappa, (70.0 / 95.0 - expected) / (1.0 - expected));
        // Class 2 against the others: 10 both, 75 neither; shares 15/95 each.
        let (share, rest) = (15.0 / 95.0_f64, 80.0 / 95.0_f64);
        let expected = share * share + rest * rest;
        let class = &found.per_class[2];
        assert_eq!(class.name, "class 2");
        assert_near(class.kappa, (85.0 / 95.0 - expected) / (1.0 - expected));
    }

    #[test]
    fn full_agreement_is_one_and_full_disagreement_negative() {
        assert_near(kappa(&[(0, 0, 30), (1, 1, 70)]).kappa, 1.0);
        assert_near(kappa(&[(0, 1, 50), (1, 0, 50)]).kappa, -1.0);
        assert_near(
            kappa(&[(0, 0, 25), (0, 1, 25), (1, 0, 25), (1, 1, 25)]).kappa,
            0.0,
        );
    }

    #[test]
    fn what_would_divide_by_nothing_is_none() {
        let nothing = kappa(&[(255, 0, 5), (0, 255, 5)]);
        assert_eq!(
            (nothing.observed, nothing.expected, nothing.kappa),
            (None, None, None)
        );
        assert_eq!((nothing.pixels, nothing.left_out), (0, 10));
        let one_class = kappa(&[(1, 1, 5)]);
        assert_eq!((one_class.observed, one_class.kappa), (Some(1.0), None));
        assert!(
            one_class
                .per_class
                .iter()
                .all(|class| class.kappa.is_none())
        );
    }

    #[test]
    fn it_is_the_same_from_either_side_and_from_masks() {
        let size = ImageSize::new(300, 300);
        let (mut ours, mut theirs) = (Mask::filled(size, 0), Mask::new(size));
        ours.set_rect(PixelRect::new(100, 0, 100, 300), &vec![254; 30_000]);
        theirs.set_rect(PixelRect::new(0, 0, 150, 300), &vec![0; 45_000]);
        theirs.set_rect(PixelRect::new(150, 0, 90, 300), &vec![254; 27_000]);
        let table = ClassTable::default();
        let found = Kappa::new(&Confusion::between(&ours, &theirs, 255), &table);
        let back = Kappa::new(&Confusion::between(&theirs, &ours, 255), &table);
        assert_eq!((found.pixels, found.left_out), (72_000, 18_000));
        // 100 + 50 of 240 columns alike; pₑ = 140/240 · 150/240 + 100/240 · 90/240
        let (observed, expected) = (150.0 / 240.0, 30_000.0 / 57_600.0);
        assert_near(found.kappa, (observed - expected) / (1.0 - expected));
        assert_near(back.kappa, found.kappa.expect("a number"));
        assert_eq!(back.left_out, found.left_out);
        let shown: Vec<u8> = found.per_class.iter().map(|class| class.index).collect();
        assert_eq!(shown, [0, 254]);
    }
}
