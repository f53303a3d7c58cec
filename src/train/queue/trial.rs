use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::dataset::parts::{FoldUnit, PartRule, PartWay};
use crate::train::{Recipe, ScoredOn, TrainError};

/// Letters of a trial's name, at most.
const LONGEST_NAME: usize = 100;

/// One training of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The name of its run folder: letters, digits, `-`, `_` and `.`, not at the beginning.
    pub name: String,
    /// What its numbers are averaged with: trials of one group are the same but for fold or seed.
    pub group: String,
    /// All choices.
    pub recipe: Recipe,
    /// The data set's folder, absolute; or an image whose label is kept in the queue's folder.
    pub data: PathBuf,
    /// The part that the best network is judged on once the training has ended.
    #[serde(default)]
    pub judge: Option<ScoredOn>,
    /// The epoch that it rests after, so that the same trial with a later one goes on with it;
    /// `None`: it is trained as far as its recipe says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u32>,
}

impl Trial {
    /// The trial for each of `folds` portions, named `NAME-0` and so on: each portion chooses once
    /// and the others are learned from. What a recipe with folds keeps whole stays whole.
    #[must_use]
    pub fn folded(&self, folds: u32) -> Vec<Self> {
        let rule = self.recipe.parts();
        let unit = match &rule.split {
            PartWay::KFold { unit, .. } => unit.clone(),
            PartWay::ByGroup { group, .. } => FoldUnit::Group {
                group: group.clone(),
            },
            PartWay::Blocks { side, .. } => FoldUnit::Block { side: *side },
            _ => FoldUnit::File,
        };
        let of_fold = |fold: u32| {
            let mut trial = self.named(&fold.to_string());
            trial.recipe.parts = Some(PartRule {
                split: PartWay::KFold {
                    folds,
                    fold,
                    unit: unit.clone(),
                },
                ..rule.clone()
            });
            trial
        };
        (0..folds).map(of_fold).collect()
    }

    /// The trial with each of `seeds`, named `NAME-seed-1` and so on. All hold the same files out.
    #[must_use]
    pub fn repeated(&self, seeds: &[u64]) -> Vec<Self> {
        let parts = Some(self.recipe.parts());
        let of_seed = |&seed: &u64| {
            let mut trial = self.named(&format!("seed-{seed}"));
            trial.recipe.seed = seed;
            trial.recipe.parts.clone_from(&parts);
            trial
        };
        seeds.iter().map(of_seed).collect()
    }

    fn named(&self, ending: &str) -> Self {
        Self {
            name: format!("{}-{ending}", self.name),
            ..self.clone()
        }
    }

    /// Says what does not work, if anything.
    ///
    /// # Errors
    /// When the name makes no folder or the recipe does not work.
    pub fn check(&self) -> Result<(), TrainError> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let is_name = !self.name.is_empty()
            && self.name.len() <= LONGEST_NAME
            && !self.name.starts_with('.')
            && self.name.chars().all(is_plain);
        if !is_name {
            return Err(TrainError::Queue(format!(
                "“{}” is no name for a trial; use letters, digits, - and _",
                self.name
            )));
        }
        self.recipe.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::parts::{GroupBy, Shares, Twins};

    fn trial() -> Trial {
        Trial {
            name: "unet".to_owned(),
            group: "U-Net".to_owned(),
            recipe: Recipe::default(),
            data: PathBuf::from("data"),
            judge: None,
            until: None,
        }
    }

    #[test]
    fn folds_keep_groups_and_twins_together() {
        let mut whole = trial();
        whole.recipe.parts = Some(PartRule {
            seed: 7,
            split: PartWay::ByGroup {
                group: GroupBy::Parent,
                shares: Shares::default(),
            },
            ..PartRule::default()
        });
        let folds = whole.folded(3);
        let names: Vec<_> = folds.iter().map(|trial| trial.name.as_str()).collect();
        assert_eq!(names, ["unet-0", "unet-1", "unet-2"]);
        for (at, fold) in (0..).zip(&folds) {
            let rule = fold.recipe.parts();
            assert_eq!((rule.seed, rule.twins), (7, Twins::Together));
            let group = GroupBy::Parent;
            let unit = FoldUnit::Group { group };
            assert_eq!(
                rule.split,
                PartWay::KFold {
                    folds: 3,
                    fold: at,
                    unit
                }
            );
            assert_eq!(fold.group, "U-Net");
        }
    }

    #[test]
    fn repeats_hold_the_same_ground_out() {
        let repeats = trial().repeated(&[4, 9]);
        assert_eq!(repeats[1].name, "unet-seed-9");
        assert_eq!((repeats[0].recipe.seed, repeats[1].recipe.seed), (4, 9));
        let parts = repeats[0].recipe.parts();
        assert_eq!(parts, repeats[1].recipe.parts());
        assert_eq!(parts, trial().recipe.parts());
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["", "..", ".x", "a/b", "a\\b", "a b", "é"] {
            let trial = Trial {
                name: name.to_owned(),
                ..trial()
            };
            assert!(trial.check().is_err(), "{name}");
        }
        trial().check().expect("a good name");
    }
}
