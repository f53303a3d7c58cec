use serde::{Deserialize, Serialize};

use super::DatasetError;
use crate::label::{ClassTable, UNLABELED};

/// Which patches are worth keeping, by the share of some classes in them; part of a recipe.
///
/// The default keeps what the LandCover.ai recipe keeps: patches with more than 5 % of other
/// classes than background, class 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatchFilter {
    /// The classes whose pixels count.
    pub counted: Counted,
    /// A patch is kept when more than this share, 0 to 1, of its labelled pixels counts.
    pub more_than: f64,
}

/// Classes, chosen by naming them or by naming the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// These classes.
    Only(Vec<ClassChoice>),
    /// All classes but these.
    AllBut(Vec<ClassChoice>),
}

/// A class as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClassChoice {
    /// By its index in masks.
    Index(u8),
    /// By its name in the class table.
    Name(String),
}

impl Default for PatchFilter {
    fn default() -> Self {
        Self {
            counted: Counted::AllBut(vec![ClassChoice::Index(0)]),
            more_than: 0.05,
        }
    }
}

impl Counted {
    fn named(&self) -> &[ClassChoice] {
        match self {
            Self::Only(classes) | Self::AllBut(classes) => classes,
        }
    }
}

impl PatchFilter {
    /// The filter for masks with the classes of `table`.
    ///
    /// # Errors
    /// When a class is not in the table or the share is outside 0 to 1.
    pub fn resolved(&self, table: &ClassTable) -> Result<KeepRule, DatasetError> {
        if !(0.0..1.0).contains(&self.more_than) {
            return Err(DatasetError::TooLittle(format!(
                "patches.keep.more_than is {}, it must be in 0 to 1",
                self.more_than
            )));
        }
        let is_all_but = matches!(self.counted, Counted::AllBut(_));
        let mut counts = [is_all_but; 256];
        for choice in self.counted.named() {
            let index = match choice {
                // Leaving out what is not there changes nothing.
                ClassChoice::Index(index) if is_all_but => Some(*index),
                ClassChoice::Index(index) => table.get(*index).map(|class| class.index),
                ClassChoice::Name(name) => table.by_name(name).map(|class| class.index),
            };
            let index = index.ok_or_else(|| unknown(choice, table))?;
            counts[usize::from(index)] = !is_all_but;
        }
        Ok(KeepRule {
            counts,
            more_than: self.more_than,
        })
    }
}

fn unknown(choice: &ClassChoice, table: &ClassTable) -> DatasetError {
    let called = match choice {
        ClassChoice::Index(index) => format!("{index}"),
        ClassChoice::Name(name) => format!("“{name}”"),
    };
    let classes = table.classes().iter();
    let names: Vec<&str> = classes.map(|class| class.name.as_str()).collect();
    DatasetError::TooLittle(format!(
        "patches.keep names class {called}, but the classes are {}; correct the recipe",
        names.join(", ")
    ))
}

/// A [`PatchFilter`] whose classes are known.
#[derive(Clone, Debug, PartialEq)]
pub struct KeepRule {
    counts: [bool; 256],
    more_than: f64,
}

impl KeepRule {
    /// Whether pixels of `class` count.
    pub const fn counts(&self, class: u8) -> bool {
        class != UNLABELED && self.counts[class as usize]
    }

    /// Whether a patch is kept of whose `labelled` pixels so many are `counted`; one without
    /// labels is not.
    pub fn keeps(&self, counted: u64, labelled: u64) -> bool {
        labelled > 0 && counted as f64 > self.more_than * labelled as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Class;

    fn table() -> ClassTable {
        let classes = vec![
            Class::new(0, "background", [0; 3]),
            Class::new(1, "building", [1; 3]),
            Class::new(4, "road", [2; 3]),
        ];
        ClassTable::new(Some(0), classes).expect("a table")
    }

    #[test]
    fn patches_of_background_go() {
        let rule = PatchFilter::default().resolved(&table()).expect("a rule");
        assert!(!rule.counts(0) && rule.counts(1) && rule.counts(4) && !rule.counts(255));
        for (counted, labelled, kept) in [
            (5, 100, false),
            (6, 100, true),
            (0, 100, false),
            (0, 0, false),
            (1, 1, true),
        ] {
            assert_eq!(rule.keeps(counted, labelled), kept, "{counted}/{labelled}");
        }
    }

    #[test]
    fn classes_are_chosen_by_name_or_by_index() {
        let filter = |text: &str| toml::from_str::<PatchFilter>(text).expect("a filter");
        for text in [
            "counted = { only = [4] }",
            "counted = { only = [\"road\"] }",
            "counted = { all_but = [0, \"building\"] }",
        ] {
            let rule = filter(text).resolved(&table()).expect("a rule");
            assert!(
                rule.counts(4) && !rule.counts(0) && !rule.counts(1),
                "{text}"
            );
        }
        for (text, word) in [
            ("counted = { only = [\"roof\"] }", "“roof”"),
            ("counted = { only = [3] }", "class 3"),
            ("more_than = 1.5", "more_than is 1.5"),
        ] {
            let error = filter(text).resolved(&table()).expect_err(text).to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
