use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{GroupBy, Part, Strata};
use crate::geom::PixelRect;

/// How samples become parts; part of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartRule {
    /// All that is chosen follows from this and from the samples' names.
    pub seed: u64,
    /// What happens to samples of equal pixels.
    pub twins: Twins,
    /// The way.
    pub split: PartWay,
    /// Files that a run which goes on holds out: a validation part that nobody stated is drawn as
    /// it was then, one by one or in groups.
    #[serde(skip)]
    pub held_out: Option<Vec<String>>,
}

impl Default for PartRule {
    fn default() -> Self {
        Self {
            seed: 1,
            twins: Twins::Together,
            split: PartWay::Ratio {
                shares: Shares::default(),
            },
            held_out: None,
        }
    }
}

/// Whether samples of equal pixels may part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Twins {
    /// They are in one part.
    #[default]
    Together,
    /// Each goes where its name leads it.
    Apart,
}

/// The ways to make parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case", deny_unknown_fields)]
pub enum PartWay {
    /// Shares of the samples, drawn by name.
    Ratio {
        /// How much each part gets.
        #[serde(default)]
        shares: Shares,
    },
    /// The parts that the folders of the data set state.
    ByFolder {
        /// Used for what is not stated.
        #[serde(default)]
        shares: Shares,
    },
    /// The parts that the folders of the data set state, the validation part cut into one that
    /// chooses and one that judges (see [`super::cut_for_judging`]).
    ByFolderCut {
        /// Frames of a recording that are left out between the two.
        #[serde(default = "usual_gap")]
        gap: usize,
    },
    /// The parts that list files state.
    ByList {
        /// The list files.
        lists: ListFiles,
        /// Used for what is not stated.
        #[serde(default)]
        shares: Shares,
    },
    /// Shares of the samples, groups kept whole.
    ByGroup {
        /// What makes a group.
        group: GroupBy,
        /// How much each part gets.
        #[serde(default)]
        shares: Shares,
    },
    /// Square blocks of each image (see [`super::block_parts`]).
    Blocks {
        /// Side of a block in pixels.
        #[serde(default = "usual_block")]
        side: u32,
        /// How much each part gets.
        #[serde(default)]
        shares: Shares,
    },
    /// Blocks of the one image that somebody chose, in level-0 pixels; either list may be empty.
    Given {
        /// What chooses.
        #[serde(default)]
        validation: Vec<PixelRect>,
        /// What judges.
        #[serde(default)]
        test: Vec<PixelRect>,
        /// Distance in level-0 pixels that training patches keep from both.
        margin: u32,
        /// How many of those that choose have a label that nobody vouched for.
        #[serde(default)]
        unreviewed: usize,
    },
    /// Shares of the samples, each part with the same mixture.
    Stratified {
        /// What is to be mixed alike.
        strata: Strata,
        /// How much each part gets.
        #[serde(default)]
        shares: Shares,
    },
    /// One of `folds` equal portions validates, the rest trains.
    KFold {
        /// Number of portions, at least 2.
        folds: u32,
        /// The portion that validates, from 0.
        fold: u32,
        /// What is kept whole.
        #[serde(default)]
        unit: FoldUnit,
    },
}

const fn usual_block() -> u32 {
    512
}

const fn usual_gap() -> usize {
    15
}

/// What a fold is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "snake_case", deny_unknown_fields)]
pub enum FoldUnit {
    /// Samples.
    #[default]
    File,
    /// Groups of samples.
    Group {
        /// What makes a group.
        group: GroupBy,
    },
    /// Square blocks of each image.
    Block {
        /// Side of a block in pixels.
        side: u32,
    },
}

/// List files, one sample a line; paths may be relative to the data set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListFiles {
    /// Names of what is learned from; everything no other list names when missing.
    pub train: Option<PathBuf>,
    /// Names of what chooses.
    pub validation: Option<PathBuf>,
    /// Names of what judges.
    pub test: Option<PathBuf>,
}

/// How much each part gets, in any unit: 90, 10, 0 is the same as 0.9, 0.1, 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// What is learned from.
    pub train: f64,
    /// What chooses.
    pub validation: f64,
    /// What judges.
    #[serde(default)]
    pub test: f64,
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            train: 90.0,
            validation: 10.0,
            test: 0.0,
        }
    }
}

impl Shares {
    /// The shares with a sum of 1, by [`Part::ALL`].
    ///
    /// # Errors
    /// A sentence when one is negative or no number, or when nothing is left to train.
    pub fn normal(&self) -> Result<[f64; 3], String> {
        let shares = [self.train, self.validation, self.test];
        let sum: f64 = shares.iter().sum();
        let usable = |share: &f64| share.is_finite() && *share >= 0.0;
        if !shares.iter().all(usable) || !sum.is_finite() {
            return Err("The shares of the parts must be numbers of 0 or more".to_owned());
        }
        if self.train <= 0.0 {
            return Err("The training part must have a share above 0".to_owned());
        }
        Ok(shares.map(|share| share / sum))
    }

    /// The parts with a share above 0.
    pub(super) fn asked(&self) -> impl Iterator<Item = Part> + use<> {
        let shares = [self.train, self.validation, self.test];
        Part::ALL
            .into_iter()
            .zip(shares)
            .filter(|&(_, share)| share > 0.0)
            .map(|(part, _)| part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_states_any_way() {
        let table = [
            ("", PartRule::default()),
            (
                "seed = 3\ntwins = \"apart\"\nsplit = { way = \"by_group\", group = { by = \
                 \"prefix\", chars = 8 }, shares = { train = 8, validation = 1, test = 1 } }",
                PartRule {
                    seed: 3,
                    twins: Twins::Apart,
                    split: PartWay::ByGroup {
                        group: GroupBy::Prefix { chars: 8 },
                        shares: Shares {
                            train: 8.0,
                            validation: 1.0,
                            test: 1.0,
                        },
                    },
                    held_out: None,
                },
            ),
            (
                "split = { way = \"k_fold\", folds = 5, fold = 0, unit = { unit = \"block\", side \
                 = 256 } }",
                PartRule {
                    split: PartWay::KFold {
                        folds: 5,
                        fold: 0,
                        unit: FoldUnit::Block { side: 256 },
                    },
                    ..PartRule::default()
                },
            ),
        ];
        for (text, expected) in table {
            let rule: PartRule = toml::from_str(text).expect(text);
            assert_eq!(rule, expected, "{text}");
            let again: PartRule =
                toml::from_str(&toml::to_string(&rule).expect("a text")).expect("a rule");
            assert_eq!(again, rule);
        }
    }

    #[test]
    fn misspelled_rules_are_refused() {
        for text in [
            "sead = 3",
            "split = { way = \"ratio\", share = {} }",
            "split = { way = \"by_luck\" }",
            "split = { way = \"by_group\", group = { by = \"prefix\", char = 8 } }",
        ] {
            assert!(toml::from_str::<PartRule>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_need_a_part_to_train() {
        let shares = |train, validation| Shares {
            train,
            validation,
            test: 0.0,
        };
        assert_eq!(shares(3.0, 1.0).normal(), Ok([0.75, 0.25, 0.0]));
        for bad in [shares(0.0, 1.0), shares(f64::NAN, 1.0), shares(2.0, -1.0)] {
            assert!(bad.normal().is_err(), "{bad:?}");
        }
    }
}
