use std::collections::BTreeSet;

use toml::{Table, Value};

use super::with_base::at;
use super::{Halving, Refit, SearchSpec, SearchWay};
use crate::train::changes::TAGS;
use crate::train::{BestBy, Recipe};

/// A choice of the recipe that people often vary, with what it may be besides what the recipe says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SearchAxis {
    /// How gradients become weights.
    Optimizer,
    /// What is made small.
    Loss,
    /// Whether rare classes count more.
    Weighting,
    /// How the rate changes from step to step.
    Schedule,
    /// When the rate falls because nothing gets better.
    Plateau,
}

/// What a choice may be: as people read it, and as it stands in a recipe file.
type Options = &'static [(&'static str, &'static str)];

const OPTIMIZERS: Options = &[
    ("Adam", r#"{ kind = "adam" }"#),
    ("AdamW", r#"{ kind = "adamw" }"#),
    ("SGD with momentum", r#"{ kind = "sgd", momentum = 0.9 }"#),
    ("RMSprop", r#"{ kind = "rmsprop" }"#),
];

const LOSSES: Options = &[
    ("Cross-entropy", r#"[{ kind = "cross_entropy" }]"#),
    ("Dice", r#"[{ kind = "dice" }]"#),
    ("Focal", r#"[{ kind = "focal" }]"#),
    ("Jaccard", r#"[{ kind = "jaccard" }]"#),
    ("Lovász", r#"[{ kind = "lovasz" }]"#),
    (
        "Cross-entropy + Dice",
        r#"[{ kind = "cross_entropy" }, { kind = "dice" }]"#,
    ),
    (
        "Binary cross-entropy (2 classes)",
        r#"[{ kind = "binary_cross_entropy" }]"#,
    ),
];

const WEIGHTINGS: Options = &[
    ("All alike", r#""none""#),
    ("Root of inverse frequency", r#""sqrt_inverse""#),
    ("Inverse frequency", r#""inverse""#),
    ("Median frequency", r#""median_frequency""#),
];

const SCHEDULES: Options = &[
    ("Constant", r#""constant""#),
    ("Step", r#""step""#),
    ("Cosine", r#""cosine""#),
    (
        "Cosine with restarts",
        r#"{ kind = "cosine", restart_epochs = 10 }"#,
    ),
    ("Polynomial", r#""polynomial""#),
    (
        "Exponential",
        r#"{ kind = "exponential", factor_per_epoch = 0.9 }"#,
    ),
    ("One cycle", r#""one_cycle""#),
];

const PLATEAUS: Options = &[("Never", "0"), ("After 3 epochs", "3"), ("After 5", "5")];

impl SearchAxis {
    /// All of them, as a dialog shows them.
    pub const ALL: [Self; 5] = [
        Self::Optimizer,
        Self::Loss,
        Self::Weighting,
        Self::Schedule,
        Self::Plateau,
    ];

    /// What people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Optimizer => "Optimizer",
            Self::Loss => "Loss",
            Self::Weighting => "Class weights",
            Self::Schedule => "Schedule",
            Self::Plateau => "Plateau",
        }
    }

    /// What it means.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Optimizer => "How gradients become weights",
            Self::Loss => "What the training makes small",
            Self::Weighting => "Whether rare classes count more in the loss",
            Self::Schedule => "How the learning rate changes from step to step",
            Self::Plateau => "When the learning rate falls because nothing gets better",
        }
    }

    /// The names of what it may be.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.options().iter().map(|(name, _)| *name)
    }

    /// The place of what the recipe has, if that is one of [`Self::names`].
    pub fn own(self, recipe: &Recipe) -> Option<usize> {
        let own = tag(&self.value_in(&table_of(recipe))?);
        (0..self.options().len()).find(|&place| tag(&self.value(place)) == own)
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Optimizer => "optimizer",
            Self::Loss => "loss",
            Self::Weighting => "class_weighting",
            Self::Schedule => "schedule",
            Self::Plateau => "plateau.patience",
        }
    }

    const fn options(self) -> Options {
        match self {
            Self::Optimizer => OPTIMIZERS,
            Self::Loss => LOSSES,
            Self::Weighting => WEIGHTINGS,
            Self::Schedule => SCHEDULES,
            Self::Plateau => PLATEAUS,
        }
    }

    fn value(self, place: usize) -> Value {
        let text = self.options()[place].1;
        let table: Result<Table, _> = toml::from_str(&format!("v = {text}"));
        let mut table = table.expect("a test reads all of them");
        table.remove("v").expect("it was just given")
    }

    fn value_in(self, recipe: &Table) -> Option<Value> {
        at(recipe, self.path())
    }
}

/// What a value is, whatever its numbers are: `adamw`, `cross_entropy + dice`, `0`; a fall that
/// begins anew is another than a single one.
fn tag(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Array(values) => values.iter().map(tag).collect::<Vec<_>>().join(" + "),
        Value::Table(table) => {
            let word = TAGS.iter().find_map(|tag| table.get(*tag)?.as_str());
            let epochs = table.get("restart_epochs").and_then(Value::as_integer);
            match word {
                Some(word) if epochs.is_some_and(|epochs| epochs > 0) => format!("{word} again"),
                Some(word) => word.to_owned(),
                None => value.to_string(),
            }
        }
        other => other.to_string(),
    }
}

fn table_of(recipe: &Recipe) -> Table {
    toml::from_str(&recipe.to_toml()).expect("what was just written is read")
}

/// Learning rates of a search, spread so that equal ratios are equally likely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateChoice {
    /// Whether the rate varies at all.
    pub is_varied: bool,
    /// The least.
    pub from: f64,
    /// The greatest.
    pub to: f64,
    /// How many there are where all are combined with all; by chance any between the ends.
    pub steps: u32,
}

/// A search as it is put together by ticks. What the recipe itself has is always one of the values.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchChoices {
    /// What is tried besides what the recipe has: places in [`SearchAxis::names`].
    pub ticked: BTreeSet<(SearchAxis, usize)>,
    /// Learning rates.
    pub rate: RateChoice,
    /// All with all, or some by chance.
    pub way: SearchWay,
    /// Trials of a sample by chance.
    pub samples: usize,
    /// Epochs of a whole training.
    pub epochs: u32,
    /// Whether only the better trials go on at each cut.
    pub is_cut: bool,
    /// When trials are cut.
    pub halving: Halving,
    /// Whether the winner is trained anew from three seeds, and judged.
    pub refits: bool,
}

impl Default for SearchChoices {
    fn default() -> Self {
        Self {
            ticked: BTreeSet::new(),
            rate: RateChoice {
                is_varied: true,
                from: 1e-4,
                to: 1e-2,
                steps: 3,
            },
            way: SearchWay::Random,
            samples: 12,
            epochs: Recipe::default().epochs,
            is_cut: true,
            halving: Halving::default(),
            refits: true,
        }
    }
}

impl SearchChoices {
    /// The search and the recipe that its trials begin with.
    pub fn order(&self, recipe: &Recipe) -> (SearchSpec, Recipe) {
        let own = table_of(recipe);
        let mut vary = Table::new();
        for axis in SearchAxis::ALL {
            let values = self.values(axis, &own);
            if values.len() > 1 {
                vary.insert(axis.path().to_owned(), Value::Array(values));
            }
        }
        if self.rate.is_varied {
            vary.insert("learning_rate".to_owned(), self.rate_value());
        }
        let mut base = recipe.clone();
        base.epochs = self.epochs;
        let losses = [SearchAxis::Loss, SearchAxis::Weighting].map(SearchAxis::path);
        let has_losses = losses.iter().any(|path| vary.contains_key(*path));
        if has_losses && base.best_by == BestBy::ValLoss {
            // The validation loss of one loss cannot be compared with that of another.
            base.best_by = BestBy::MeanIou;
        }
        let uncut = Halving {
            first_epochs: self.epochs.max(1),
            keep: 1.0,
        };
        let spec = SearchSpec {
            title: "Search".to_owned(),
            preset: None,
            recipe: None,
            way: self.way,
            samples: (self.way == SearchWay::Random).then_some(self.samples),
            seed: 1,
            with_base: true,
            vary,
            halving: if self.is_cut { self.halving } else { uncut },
            refit: if self.refits {
                Refit::default()
            } else {
                Refit { seeds: Vec::new() }
            },
        };
        (spec, base)
    }

    /// What the recipe has, and what is ticked besides.
    fn values(&self, axis: SearchAxis, own: &Table) -> Vec<Value> {
        let mut values: Vec<Value> = axis.value_in(own).into_iter().collect();
        let ticked = self.ticked.iter().filter(|(of, _)| *of == axis);
        for &(_, place) in ticked.filter(|(_, place)| *place < axis.options().len()) {
            let value = axis.value(place);
            if values.iter().all(|known| tag(known) != tag(&value)) {
                values.push(value);
            }
        }
        values
    }

    fn rate_value(&self) -> Value {
        let RateChoice {
            from, to, steps, ..
        } = self.rate;
        let mut range = Table::from_iter([
            ("from".to_owned(), Value::Float(from)),
            ("to".to_owned(), Value::Float(to)),
            ("scale".to_owned(), "log".into()),
        ]);
        if self.way == SearchWay::Grid {
            range.insert("steps".to_owned(), Value::Integer(steps.into()));
        }
        Value::Table(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{OptimizerConfig, Preset, SearchPlan, TrainError};

    fn planned(choices: &SearchChoices, recipe: &Recipe) -> Result<SearchPlan, TrainError> {
        let (spec, base) = choices.order(recipe);
        SearchPlan::new(&spec, base, "data".into(), "out".into(), 1)
    }

    fn still() -> SearchChoices {
        let mut choices = SearchChoices {
            way: SearchWay::Grid,
            ..SearchChoices::default()
        };
        choices.rate.is_varied = false;
        choices
    }

    #[test]
    fn what_is_offered_can_be_tried_with_every_preset() {
        for preset in Preset::ALL {
            let recipe = preset.recipe();
            for axis in SearchAxis::ALL {
                let mut choices = still();
                let places = 0..axis.names().count();
                choices.ticked = places.clone().map(|place| (axis, place)).collect();
                let plan = planned(&choices, &recipe).expect("a plan");
                let own = usize::from(axis.own(&recipe).is_none());
                assert_eq!(plan.trials().len(), places.len() + own, "{axis:?}");
                let base = Recipe {
                    epochs: choices.epochs,
                    parts: Some(recipe.parts()),
                    best_by: plan.best_by.clone(),
                    ..recipe.clone()
                };
                assert_eq!(
                    plan.trials()[0].recipe,
                    base,
                    "{axis:?}: the own one is first"
                );
            }
        }
    }

    #[test]
    fn ticks_become_a_search() {
        let recipe = Recipe::default();
        let mut choices = SearchChoices::default();
        let plan = planned(&choices, &recipe).expect("a plan");
        assert_eq!(plan.trials().len(), 12);
        let first = &plan.trials()[0].recipe;
        assert_eq!(first.learning_rate, recipe.learning_rate);
        assert_eq!(first.best_by, BestBy::ValLoss);
        choices.ticked.insert((SearchAxis::Loss, 1));
        choices.ticked.insert((SearchAxis::Optimizer, 2));
        choices.way = SearchWay::Grid;
        choices.epochs = 20;
        let plan = planned(&choices, &recipe).expect("a plan");
        // Two losses, two optimizers and three rates, and the recipe, whose rate is none of them.
        assert_eq!(plan.trials().len(), 13);
        assert_eq!(plan.refit_seeds, [1, 2, 3]);
        let is_sgd = |recipe: &Recipe| matches!(recipe.optimizer, OptimizerConfig::Sgd(_));
        let trials = plan.trials().iter();
        assert_eq!(trials.filter(|trial| is_sgd(&trial.recipe)).count(), 6);
        let recipes = plan.trials().iter().map(|trial| &trial.recipe);
        let mut ends = recipes.map(|recipe| (recipe.epochs, recipe.best_by.clone()));
        assert!(ends.all(|end| end == (20, BestBy::MeanIou)));
        (choices.is_cut, choices.refits) = (false, false);
        let plan = planned(&choices, &recipe).expect("a plan");
        assert_eq!(plan.cost().epochs, plan.cost().uncut_epochs);
        assert_eq!(plan.cost().refit_epochs, 0);
    }

    #[test]
    fn a_cosine_with_restarts_is_a_choice_of_its_own() {
        let own = |schedule: &str| {
            let text = format!("schedule = {schedule}\n");
            let recipe = Recipe::from_toml(&text).expect("a recipe");
            let place = SearchAxis::Schedule.own(&recipe).expect("it is offered");
            SearchAxis::Schedule.names().nth(place)
        };
        assert_eq!(own(r#""cosine""#), Some("Cosine"));
        assert_eq!(own(r#"{ kind = "cosine", floor = 0.2 }"#), Some("Cosine"));
        let restarts = r#"{ kind = "cosine", restart_epochs = 4 }"#;
        assert_eq!(own(restarts), Some("Cosine with restarts"));
        assert_eq!(own(r#"{ kind = "step", factor = 0.5 }"#), Some("Step"));
    }

    #[test]
    fn a_search_of_nothing_is_refused() {
        let error = planned(&still(), &Recipe::default()).expect_err("a refusal");
        assert!(error.to_string().contains("nothing varies"), "{error}");
        assert_eq!(SearchAxis::Optimizer.own(&Recipe::default()), Some(1));
    }
}
