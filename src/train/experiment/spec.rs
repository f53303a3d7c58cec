use serde::Deserialize;
use toml::Table;

use super::cell::Grid;
use crate::train::{Preset, ScoredOn};

/// An experiment that was published, as this program does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Experiment {
    /// Salt bodies in seismic images (TGS).
    Salt,
    /// Streets from a car (`CamVid`).
    Camvid,
    /// Roads from tiles.
    Roads,
    /// Land cover from satellite tiles (`DeepGlobe`).
    Deepglobe,
    /// Land cover of Poland (`LandCover.ai`).
    Landcover,
}

/// How much is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunSize {
    /// What a processor does in a short time.
    #[default]
    Small,
    /// What was published, as far as it is known.
    Full,
}

/// What an experiment is made of; a TOML file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSpec {
    /// The page's heading.
    pub title: String,
    /// The name of the data's folder.
    pub data: String,
    /// The recipe that everything begins with, by its name.
    pub preset: String,
    /// What it is about, in paragraphs.
    pub about: Vec<String>,
    /// What the data stands in for, when it is not what was published.
    #[serde(default)]
    pub stand_in: Option<String>,
    /// How the data is divided and why so.
    pub split: String,
    /// The part that is judged when a training has ended.
    #[serde(default)]
    pub judge: Option<ScoredOn>,
    /// Portions of a cross-validation; none without.
    #[serde(default)]
    pub folds: Option<u32>,
    /// Seeds to repeat each trial with; none without.
    #[serde(default)]
    pub seeds: Vec<u64>,
    /// Which scores of the one class that matters are shown.
    #[serde(default)]
    pub binary: Vec<BinaryColumn>,
    /// Changes to the preset in all trials.
    #[serde(default)]
    pub recipe: Table,
    /// The small size.
    pub small: SizeSpec,
    /// The full size.
    pub full: SizeSpec,
    /// The trials.
    #[serde(rename = "trial")]
    pub trials: Vec<TrialSpec>,
    /// Trainings that tell what patch, batch and accumulation cost.
    #[serde(default)]
    pub grid: Option<Grid>,
    /// What was published.
    pub original: Original,
    /// What else one should know: licenses, what differs.
    pub notes: Vec<String>,
    /// The file with the same recipe's results in another program, below the project's folder.
    #[serde(default)]
    pub twin: Option<TwinSpec>,
}

/// A score of one class against all other ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinaryColumn {
    /// The `IoU` of the class.
    Iou,
    /// Its F1 where the likelier class is taken, at a threshold of 0.5.
    F1,
    /// Its F1 within 3 pixels.
    RelaxedF1,
    /// The salt competition's score, and that of always answering nothing.
    Salt,
    /// Whether images hold the class at all.
    Presence,
    /// What its probabilities tell over all thresholds, and its F1 at the one that was chosen on
    /// the validation part.
    Ranking,
}

/// What a size means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeSpec {
    /// In words.
    pub words: String,
    /// Changes to the recipe.
    #[serde(default)]
    pub recipe: Table,
}

/// One network or way of training.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialSpec {
    /// The name of its run folder, or what the names of its folds begin with.
    pub name: String,
    /// What the page calls it.
    pub title: String,
    /// Changes to the recipe.
    #[serde(default)]
    pub recipe: Table,
    /// Changes at the small size.
    #[serde(default)]
    pub small: Table,
    /// Changes at the full size.
    #[serde(default)]
    pub full: Table,
}

/// What was published and what it measured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// The name of the work and where it stands.
    pub source: String,
    /// What it says, in sentences.
    pub published: Vec<String>,
    /// What the numbers really measured, in sentences.
    pub measured: Vec<String>,
}

/// Results of the same recipe in another program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwinSpec {
    /// What it is.
    pub words: String,
    /// A CSV file with one line a fold.
    pub file: String,
}

impl Experiment {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Salt,
        Self::Camvid,
        Self::Roads,
        Self::Deepglobe,
        Self::Landcover,
    ];

    /// The word for it on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Salt => "salt",
            Self::Camvid => "camvid",
            Self::Roads => "roads",
            Self::Deepglobe => "deepglobe",
            Self::Landcover => "landcover",
        }
    }

    /// The experiment of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// What it is made of.
    pub fn spec(self) -> ExperimentSpec {
        let text = match self {
            Self::Salt => include_str!("../../../assets/experiments/salt.toml"),
            Self::Camvid => include_str!("../../../assets/experiments/camvid.toml"),
            Self::Roads => include_str!("../../../assets/experiments/roads.toml"),
            Self::Deepglobe => include_str!("../../../assets/experiments/deepglobe.toml"),
            Self::Landcover => include_str!("../../../assets/experiments/landcover.toml"),
        };
        toml::from_str(text).expect("a test reads all of them")
    }
}

impl RunSize {
    /// The word for it in paths.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Full => "full",
        }
    }
}

impl ExperimentSpec {
    /// What a size means.
    pub const fn size(&self, size: RunSize) -> &SizeSpec {
        match size {
            RunSize::Small => &self.small,
            RunSize::Full => &self.full,
        }
    }

    /// The preset that everything begins with.
    pub(super) fn preset(&self) -> Option<Preset> {
        Preset::of_name(&self.preset)
    }
}
