use toml::{Table, Value};

use super::draw::{Choice, MOST_TRIALS};
use super::plan::recipe_of;
use super::{Axis, SearchSpec, SearchWay};
use crate::train::{Recipe, TrainError};

/// Makes the recipe as it is the first choice, unless it is one already. A random sample keeps its
/// size.
pub(super) fn put_base_first(
    choices: &mut Vec<Choice>,
    axes: &[Axis],
    base: &Recipe,
    spec: &SearchSpec,
) -> Result<(), TrainError> {
    let is_base = |values: &Choice| recipe_of(axes, values, base).is_ok_and(|one| one == *base);
    if let Some(place) = choices.iter().position(is_base) {
        choices[..=place].rotate_right(1);
        return Ok(());
    }
    let text = base.to_toml();
    let table: Table = toml::from_str(&text)
        .map_err(|error| TrainError::Search(format!("the recipe: {}", error.message())))?;
    let values: Option<Choice> = axes.iter().map(|axis| at(&table, &axis.path)).collect();
    let Some(values) = values else {
        // What is not in its file has no value that could stand in a table.
        return Ok(());
    };
    if spec.way == SearchWay::Random && Some(choices.len()) == spec.samples
        || choices.len() >= MOST_TRIALS
    {
        choices.pop();
    }
    choices.insert(0, values);
    Ok(())
}

/// The value at a dotted path such as `plateau.patience`.
pub(super) fn at(table: &Table, path: &str) -> Option<Value> {
    let Some((first, rest)) = path.split_once('.') else {
        return table.get(path).cloned();
    };
    at(table.get(first)?.as_table()?, rest)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::train::SearchPlan;

    fn rates(text: &str) -> Vec<f64> {
        let spec = SearchSpec::from_toml(text).expect("a search");
        let base = spec.base(Path::new("")).expect("a recipe");
        let plan = SearchPlan::new(&spec, base, "data".into(), "out".into(), 1);
        let plan = plan.expect("a plan");
        let trials = plan.trials().iter();
        trials.map(|trial| trial.recipe.learning_rate).collect()
    }

    #[test]
    fn the_recipe_as_it_is_is_the_first_trial() {
        let base = "with_base = true\nrecipe.learning_rate = 2e-3\n";
        let grid = format!("{base}way = \"grid\"\nvary.learning_rate = ");
        assert_eq!(rates(&format!("{grid}[1e-2, 1e-3]")), [2e-3, 1e-2, 1e-3]);
        assert_eq!(rates(&format!("{grid}[1e-2, 2e-3]")), [2e-3, 1e-2]);
        let range = "vary.learning_rate = { from = 1e-4, to = 1e-2, scale = \"log\" }";
        let sample = rates(&format!("{base}samples = 5\n{range}"));
        assert_eq!((sample.len(), sample[0]), (5, 2e-3));
        let tables = "with_base = true\nway = \"grid\"\nvary.plateau.patience = [3, 9]";
        assert_eq!(rates(tables).len(), 3, "the default waits for 5 epochs");
    }
}
