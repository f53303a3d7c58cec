use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EpochRow, TrainError};
use crate::label::ClassTable;

/// Which number decides which epoch's checkpoint is the best, and what counts as progress for
/// early stopping and the plateau. All are of the validation ground.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum BestBy {
    /// The smallest loss: `val_loss`.
    #[default]
    ValLoss,
    /// The greatest mean `IoU`: `mean_iou`.
    MeanIou,
    /// The same without the class table's background: `mean_iou_without_background`.
    MeanIouWithoutBackground,
    /// The greatest share of pixels that are right: `pixel_accuracy`.
    PixelAccuracy,
    /// The greatest mean F1: `mean_f1`.
    MeanF1,
    /// The greatest `IoU` of the class of this name: `iou:road`.
    ClassIou(String),
    /// The greatest F1 of the class of this name: `f1:road`.
    ClassF1(String),
    /// None, the last epoch is the best, for trainings that hold nothing out: `latest`.
    Latest,
}

impl BestBy {
    /// Those that need no class.
    pub const PLAIN: [Self; 6] = [
        Self::ValLoss,
        Self::MeanIou,
        Self::MeanIouWithoutBackground,
        Self::PixelAccuracy,
        Self::MeanF1,
        Self::Latest,
    ];

    /// The number to make small; no number where an epoch has none.
    pub fn cost(&self, row: &EpochRow, classes: &ClassTable) -> f64 {
        match self {
            Self::ValLoss => row.val_loss,
            Self::Latest => -f64::from(row.epoch),
            _ => self.score(row, classes).map_or(f64::NAN, |score| -score),
        }
    }

    /// The number to make great, of those that are scores.
    fn score(&self, row: &EpochRow, classes: &ClassTable) -> Option<f64> {
        let of_class = |name: &str| {
            let class = classes.by_name(name)?;
            *row.per_class_iou.get(usize::from(class.index))?
        };
        match self {
            Self::ValLoss | Self::Latest => None,
            Self::MeanIou => row.mean_iou,
            Self::PixelAccuracy => row.pixel_accuracy,
            Self::MeanIouWithoutBackground => {
                let background = usize::from(classes.background()?);
                let ious = row.per_class_iou.iter().enumerate();
                mean(ious.filter_map(|(class, iou)| iou.filter(|_| class != background)))
            }
            Self::MeanF1 => mean(row.per_class_iou.iter().flatten().map(|iou| f1_of(*iou))),
            Self::ClassIou(name) => of_class(name),
            Self::ClassF1(name) => of_class(name).map(f1_of),
        }
    }

    /// Says what does not fit the classes, if anything.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] when the class is not among `classes`, which it lists, or there is no
    /// background to leave out.
    pub fn check(&self, classes: &ClassTable) -> Result<(), TrainError> {
        let wrong = |why: String| Err(TrainError::Recipe(format!("best_by is \"{self}\", {why}")));
        match self {
            Self::ClassIou(name) | Self::ClassF1(name) if classes.by_name(name).is_none() => {
                let names = classes.classes().iter().map(|class| class.name.as_str());
                let names = names.collect::<Vec<_>>().join(", ");
                wrong(format!(
                    "but there is no such class; the classes are {names}"
                ))
            }
            Self::MeanIouWithoutBackground if classes.background().is_none() => wrong(
                "but no class is the background; choose \"mean_iou\", or say in the class table \
                 which one is"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    /// What it is, as tables call it.
    pub fn words(&self) -> String {
        match self {
            Self::ValLoss => "validation loss".to_owned(),
            Self::MeanIou => "mean IoU".to_owned(),
            Self::MeanIouWithoutBackground => "mean IoU without background".to_owned(),
            Self::PixelAccuracy => "pixel accuracy".to_owned(),
            Self::MeanF1 => "mean F1".to_owned(),
            Self::ClassIou(name) => format!("IoU of {name}"),
            Self::ClassF1(name) => format!("F1 of {name}"),
            Self::Latest => "the last epoch".to_owned(),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// F1 of a class by its `IoU`: with TP / (TP + FP + FN) known, 2 TP / (2 TP + FP + FN) follows.
fn f1_of(iou: f64) -> f64 {
    2.0 * iou / (1.0 + iou)
}

impl fmt::Display for BestBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ValLoss => f.write_str("val_loss"),
            Self::MeanIou => f.write_str("mean_iou"),
            Self::MeanIouWithoutBackground => f.write_str("mean_iou_without_background"),
            Self::PixelAccuracy => f.write_str("pixel_accuracy"),
            Self::MeanF1 => f.write_str("mean_f1"),
            Self::ClassIou(name) => write!(f, "iou:{name}"),
            Self::ClassF1(name) => write!(f, "f1:{name}"),
            Self::Latest => f.write_str("latest"),
        }
    }
}

impl From<BestBy> for String {
    fn from(best_by: BestBy) -> Self {
        best_by.to_string()
    }
}

impl TryFrom<String> for BestBy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(plain) = Self::PLAIN.into_iter().find(|one| one.to_string() == text) {
            return Ok(plain);
        }
        let named = |name: &str| Some(name.trim().to_owned()).filter(|name| !name.is_empty());
        match text
            .split_once(':')
            .map(|(score, name)| (score, named(name)))
        {
            Some(("iou", Some(name))) => Ok(Self::ClassIou(name)),
            Some(("f1", Some(name))) => Ok(Self::ClassF1(name)),
            _ => {
                let plain = Self::PLAIN.map(|one| one.to_string()).join(", ");
                Err(format!(
                    "best_by is \"{text}\", it must be one of {plain}, or iou: or f1: with the \
                     name of a class, like iou:road"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Confusion, Scores};
    use crate::train::{KeepBest, Recipe};

    fn row(epoch: u32, per_class_iou: Vec<Option<f64>>) -> EpochRow {
        EpochRow {
            epoch,
            train_loss: 1.0,
            val_loss: f64::from(epoch),
            mean_iou: mean(per_class_iou.iter().flatten().copied()),
            per_class_iou,
            ..EpochRow::default()
        }
    }

    #[test]
    fn what_is_the_best_depends_on_what_is_asked() {
        let rows = [
            (0.9, Some(0.1)),
            (0.4, None),
            (0.3, Some(0.6)),
            (0.5, Some(0.5)),
        ];
        let rows = (1..).zip(rows);
        let rows: Vec<EpochRow> = rows
            .map(|(epoch, (background, road))| row(epoch, vec![Some(background), road]))
            .collect();
        let verdicts = |by: BestBy| {
            let mut keep = KeepBest::default();
            let cost = |row: &EpochRow| by.cost(row, &ClassTable::road());
            rows.iter()
                .map(|row| keep.judge(cost(row)))
                .collect::<Vec<_>>()
        };
        assert_eq!(verdicts(BestBy::ValLoss), [true, false, false, false]);
        assert_eq!(verdicts(BestBy::MeanIou), [true, false, false, false]);
        assert_eq!(verdicts(BestBy::Latest), [true; 4]);
        assert_eq!(verdicts(BestBy::PixelAccuracy), [false; 4]);
        for by in [
            BestBy::ClassIou("road".to_owned()),
            BestBy::ClassF1("road".to_owned()),
            BestBy::MeanIouWithoutBackground,
        ] {
            assert_eq!(verdicts(by), [true, false, true, false]);
        }
        let of_background = BestBy::ClassIou("background".to_owned());
        assert_eq!(verdicts(of_background), [true, false, false, false]);
    }

    #[test]
    fn scores_are_those_of_the_evaluation() {
        let classes = ClassTable::road();
        let mut confusion = Confusion::new(2);
        confusion.add_many(0, 0, 70);
        confusion.add_many(0, 1, 10);
        confusion.add_many(1, 0, 5);
        confusion.add_many(1, 1, 15);
        let scores = Scores::new(&confusion, &classes);
        let row = row(1, scores.per_class.iter().map(|class| class.iou).collect());
        let near = |by: BestBy, expected: Option<f64>| {
            let expected = expected.expect("a score");
            assert!((by.cost(&row, &classes) + expected).abs() < 1e-12, "{by}");
        };
        near(BestBy::MeanIou, scores.mean_iou);
        near(BestBy::MeanF1, scores.mean_f1);
        near(
            BestBy::MeanIouWithoutBackground,
            scores.mean_iou_without_background,
        );
        near(BestBy::ClassF1("road".to_owned()), scores.per_class[1].f1);
    }

    #[test]
    fn all_are_words_of_a_recipe() {
        let named = ["iou:road", "f1:low vegetation"].map(str::to_owned);
        let plain = BestBy::PLAIN.map(|one| one.to_string());
        for text in plain.into_iter().chain(named) {
            let recipe = Recipe::from_toml(&format!("best_by = \"{text}\"")).expect("a recipe");
            assert_eq!(recipe.best_by.to_string(), text);
            assert_eq!(Recipe::from_toml(&recipe.to_toml()), Ok(recipe));
        }
        for text in ["accuracy", "iou:", "iou", "recall:road"] {
            let error = Recipe::from_toml(&format!("best_by = \"{text}\"")).expect_err("a refusal");
            assert!(error.contains("iou:road"), "{error}");
        }
    }

    #[test]
    fn a_class_that_is_not_there_is_refused_with_those_that_are() {
        let classes = ClassTable::road();
        assert!(BestBy::ClassIou("road".to_owned()).check(&classes).is_ok());
        let error = BestBy::ClassF1("river".to_owned())
            .check(&classes)
            .expect_err("a refusal")
            .to_string();
        for part in ["f1:river", "background", "road"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
