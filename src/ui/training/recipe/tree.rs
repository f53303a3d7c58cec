use serde_json::{Map, Value, json};

use crate::train::{Recipe, Schedule};

/// A recipe as a tree of values, so that every field is reached by its path, as in its file:
/// `plateau.patience`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree(Value);

impl Tree {
    /// The tree of a recipe. Schedules are always tables here, never words.
    pub fn of(recipe: &Recipe) -> Self {
        let mut value = json!(recipe);
        value["schedule"] = schedule(&recipe.schedule);
        Self(value)
    }

    /// The recipe again.
    ///
    /// # Errors
    /// Names the field that makes no sense.
    pub fn recipe(&self) -> Result<Recipe, String> {
        serde_json::from_value(self.0.clone()).map_err(|error| error.to_string())
    }

    /// The value at a path; null where there is none, and all of it at the empty path.
    pub fn get(&self, path: &str) -> &Value {
        let names = path.split('.').filter(|name| !name.is_empty());
        names.fold(&self.0, |value, name| &value[name])
    }

    /// Sets the value at a path; null takes it away. Where a word stands on the way nothing
    /// happens.
    pub fn set(&mut self, path: &str, value: Value) {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        let mut names = parent.split('.').filter(|name| !name.is_empty());
        let parent = names.try_fold(&mut self.0, |value, name| value.get_mut(name));
        let Some(Value::Object(parent)) = parent else {
            return;
        };
        if value.is_null() {
            parent.remove(name);
        } else {
            parent.insert(name.to_owned(), value);
        }
    }

    /// Whether two trees differ at a path.
    pub fn differs(&self, other: &Self, path: &str) -> bool {
        self.get(path) != other.get(path)
    }
}

/// A schedule as a table with all its fields.
fn schedule(schedule: &Schedule) -> Value {
    let (kind, fields) = match schedule {
        Schedule::Constant(fields) => ("constant", json!(fields)),
        Schedule::Step(fields) => ("step", json!(fields)),
        Schedule::Exponential(fields) => ("exponential", json!(fields)),
        Schedule::Cosine(fields) => ("cosine", json!(fields)),
        Schedule::Polynomial(fields) => ("polynomial", json!(fields)),
        Schedule::OneCycle(fields) => ("one_cycle", json!(fields)),
    };
    let mut table = Map::new();
    table.insert("kind".to_owned(), json!(kind));
    if let Value::Object(fields) = fields {
        table.extend(fields);
    }
    Value::Object(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Augment;
    use crate::train::Preset;

    #[test]
    fn every_preset_survives_the_tree() {
        let strong = Recipe {
            augment: Augment::strong(),
            ..Recipe::default()
        };
        let presets = Preset::ALL.into_iter().map(Preset::recipe);
        for recipe in presets.chain([Recipe::default(), strong]) {
            assert_eq!(Tree::of(&recipe).recipe(), Ok(recipe));
        }
    }

    #[test]
    fn fields_are_set_by_their_paths() {
        let mut tree = Tree::of(&Recipe::default());
        let before = tree.clone();
        tree.set("plateau.patience", json!(9));
        tree.set("epochs", json!(3));
        tree.set("schedule.kind", json!("cosine"));
        assert!(tree.differs(&before, "plateau.patience"));
        assert!(!tree.differs(&before, "schedule"));
        let recipe = tree.recipe().expect("a recipe");
        assert_eq!((recipe.plateau.patience, recipe.epochs), (9, 3));
        tree.set("augment.flip", json!(1));
        assert_eq!(tree.recipe().expect("a recipe").augment, Augment::Full);
    }
}
