use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{Axis, Halving};
use crate::disk::{from_toml, open_file};
use crate::train::changes::changed;
use crate::train::{Preset, Recipe, TrainError};

/// No search file is larger.
const MOST_BYTES: u64 = 1 << 20;

/// The searches that come with the program: names and files.
const SHIPPED: [(&str, &str); 2] = [
    (
        "camvid",
        include_str!("../../../assets/searches/camvid.toml"),
    ),
    (
        "camvid-quick",
        include_str!("../../../assets/searches/camvid_quick.toml"),
    ),
];

/// What is searched; a TOML file. What a file leaves out has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchSpec {
    /// The heading of the table of results.
    #[serde(default = "usual_title")]
    pub title: String,
    /// The preset that every trial begins with; the default recipe without one.
    #[serde(default)]
    pub preset: Option<String>,
    /// A table of changes to the preset, or instead of a preset the path of a recipe file, as seen
    /// from the search file.
    #[serde(default)]
    pub recipe: Option<Value>,
    /// How trials are chosen.
    #[serde(default)]
    pub way: SearchWay,
    /// Trials of a random sample, 12 when missing. A grid has as many as it has.
    #[serde(default)]
    pub samples: Option<usize>,
    /// Another seed is another random sample. It is not the seed of the trainings.
    #[serde(default = "one")]
    pub seed: u64,
    /// Whether the recipe as it is is a trial, the first, wherever it is not one anyway.
    #[serde(default)]
    pub with_base: bool,
    /// What varies: paths into the recipe, each with a list of values or a range.
    pub vary: Table,
    /// When trials are cut.
    #[serde(default)]
    pub halving: Halving,
    /// From which seeds the winner is trained anew, to be judged.
    #[serde(default)]
    pub refit: Refit,
}

/// How the trials of a search are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchWay {
    /// So many, each value by chance.
    #[default]
    Random,
    /// Every value with every other.
    Grid,
}

/// The winner is trained anew from each seed; each run's best network is judged once on the test
/// part where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Refit {
    /// The seeds, three when missing; without any it is not trained anew.
    pub seeds: Vec<u64>,
}

impl Default for Refit {
    fn default() -> Self {
        Self {
            seeds: vec![1, 2, 3],
        }
    }
}

impl SearchSpec {
    /// A search from the text of a TOML file.
    ///
    /// # Errors
    /// Names the line that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        from_toml(text)
    }

    /// Reads the search file at `path`.
    ///
    /// # Errors
    /// When it cannot be read or does not parse.
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        let failed = |reason| TrainError::SearchFile {
            reason,
            path: path.to_owned(),
        };
        let mut text = String::new();
        let file = open_file(path).map_err(|error| failed(error.to_string()))?;
        let read = file.take(MOST_BYTES + 1).read_to_string(&mut text);
        read.map_err(|error| failed(error.to_string()))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(failed("it is too large".to_owned()));
        }
        Self::from_toml(&text).map_err(failed)
    }

    /// The search of a name that comes with the program.
    pub fn shipped(name: &str) -> Option<Self> {
        let (_, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == name)?;
        Some(Self::from_toml(text).expect("a test reads all of them"))
    }

    /// The names of the searches that come with the program.
    pub fn shipped_names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// The recipe that every trial begins with; a path is as seen from `folder`.
    ///
    /// # Errors
    /// When there is no such preset or recipe, or the changes to it are none.
    pub fn base(&self, folder: &Path) -> Result<Recipe, TrainError> {
        let wrong = |why: String| TrainError::Search(why);
        let preset = match &self.preset {
            None => None,
            Some(name) => Some(Preset::of_name(name).ok_or_else(|| {
                let names: Vec<&str> = Preset::ALL.iter().map(|preset| preset.name()).collect();
                wrong(format!(
                    "there is no preset {name}; the presets are {}",
                    names.join(", ")
                ))
            })?),
        };
        let begin = preset.map(Preset::recipe);
        match (&self.recipe, begin) {
            (None, begin) => Ok(begin.unwrap_or_default()),
            (Some(Value::Table(changes)), begin) => changed(&begin.unwrap_or_default(), [changes])
                .map_err(|why| wrong(format!("recipe: {why}"))),
            (Some(Value::String(path)), None) => Recipe::load(&folder.join(path)),
            (Some(Value::String(_)), Some(_)) => Err(wrong(
                "it names a preset and a recipe file; leave one out".to_owned(),
            )),
            (Some(_), _) => Err(wrong(
                "recipe must be the path of a recipe file or a table of changes".to_owned(),
            )),
        }
    }

    /// What varies, by path.
    ///
    /// # Errors
    /// When nothing does, or something is neither a list of values nor a range.
    pub(super) fn axes(&self) -> Result<Vec<Axis>, TrainError> {
        let axes = Axis::all_of(&self.vary)?;
        if axes.is_empty() {
            return Err(TrainError::Search(
                "nothing varies; give lists of values or ranges in [vary]".to_owned(),
            ));
        }
        Ok(axes)
    }
}

fn usual_title() -> String {
    "Search".to_owned()
}

const fn one() -> u64 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> SearchSpec {
        SearchSpec::from_toml(text).expect("a search")
    }

    #[test]
    fn a_file_needs_no_more_than_what_varies() {
        let spec = spec("vary.batch = [4, 8]");
        assert_eq!((spec.way, spec.seed), (SearchWay::Random, 1));
        assert_eq!(spec.halving, Halving::default());
        assert_eq!(spec.refit.seeds, [1, 2, 3]);
        assert_eq!(
            spec.base(Path::new("")).expect("a recipe"),
            Recipe::default()
        );
        let error = SearchSpec::from_toml("varies.batch = [4]").expect_err("a misspelling");
        assert!(error.contains("varies"), "{error}");
    }

    #[test]
    fn a_recipe_is_a_file_or_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = Recipe {
            epochs: 5,
            ..Recipe::default()
        };
        own.save(&folder.path().join("my.toml")).expect("saved");
        let base = |text: &str| spec(&format!("{text}\nvary.batch = [4]")).base(folder.path());
        assert_eq!(base("recipe = \"my.toml\"").expect("a recipe"), own);
        let changed = base("preset = \"salt\"\nrecipe.epochs = 7").expect("a recipe");
        let expected = Recipe {
            epochs: 7,
            ..Preset::Salt.recipe()
        };
        assert_eq!(changed, expected);
        for (text, word) in [
            ("preset = \"sugar\"", "no preset sugar"),
            ("recipe.epoch = 7", "unknown field `epoch`"),
            ("recipe = 3", "must be the path"),
            ("preset = \"salt\"\nrecipe = \"my.toml\"", "leave one out"),
            ("recipe = \"other.toml\"", "other.toml"),
        ] {
            let error = base(text).expect_err("a refusal").to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.toml");
        assert!(SearchSpec::load(&path).is_err());
        let large = vec![b'#'; MOST_BYTES as usize + 1];
        crate::disk::replace_file(&path, &large).expect("saved");
        let error = SearchSpec::load(&path).expect_err("too much").to_string();
        assert!(
            error.contains("too large") && error.ends_with("s.toml"),
            "{error}"
        );
    }
}
