use std::path::PathBuf;

use clap::Args;

use super::args_of_data::CorrectionArgs;
use super::values::{parse_certainty, parse_experiment, parse_part, parse_share, parse_unlabeled};
use crate::session::QueuedBy;
use crate::train::{Certainty, DeviceChoice, Experiment, ScoredOn};

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// A run folder whose training has ended.
    #[arg(long, value_name = "RUN")]
    pub run: PathBuf,
    /// The held-out part that is judged: test, or validation, by which the threshold of a class
    /// against another is chosen.
    #[arg(long, value_name = "PART", default_value = "test", value_parser = parse_part)]
    pub part: ScoredOn,
    /// auto, gpu, cpu, or an adapter's name; without it where the run was trained.
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// An image of a project.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// The project, beside its image or in the opened folder.
    #[arg(long, value_name = "FILE")]
    pub project: PathBuf,
    /// Which of the project's images, when it has several.
    #[arg(long)]
    pub image: Option<PathBuf>,
}

/// Arguments of `finetune`.
#[derive(Debug, Args)]
pub struct FinetuneArgs {
    /// What was corrected.
    #[command(flatten)]
    pub of: ProjectArgs,
    /// The run of the model to go on from; without, the project's active one, else none.
    #[arg(long, value_name = "RUN")]
    pub model: Option<PathBuf>,
    /// The run folder to make; without, the next beside the image.
    #[arg(long, value_name = "RUN")]
    pub out: Option<PathBuf>,
    /// Epochs at most.
    #[arg(long)]
    pub epochs: Option<u32>,
    /// Steps in an epoch.
    #[arg(long)]
    pub steps: Option<u32>,
    /// Lets the encoder learn as well, in six times as many epochs: slower, and goes further.
    #[arg(long)]
    pub thorough: bool,
    /// Share of the patches that come from what earlier trainings learned from, like 0.25.
    #[arg(long, value_parser = parse_share)]
    pub replay: Option<f64>,
    /// Patches without labels for each labelled one, like 0.5: the running mean of the weights says
    /// what is on them, and the network learns to say the same of them mixed and tinted. No features
    /// are kept then, so it is slower. Without, as the chain's first training did; 0: none.
    #[arg(long, value_name = "SHARE", value_parser = parse_unlabeled)]
    pub unlabeled: Option<f64>,
    /// What is drawn at random follows from this.
    #[arg(long)]
    pub seed: Option<u64>,
    /// auto, gpu, cpu, or an adapter's name; without it where the model was trained.
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// Make the new model the active one whatever its verdict.
    #[arg(long)]
    pub activate: bool,
    /// Print a JSON object an epoch and one with the verdict.
    #[arg(long)]
    pub json: bool,
}

fn parse_queued_by(text: &str) -> Result<QueuedBy, String> {
    QueuedBy::ALL
        .into_iter()
        .find(|by| by.name() == text)
        .ok_or_else(|| "write doubt, mistakes or differences".to_owned())
}

/// Arguments of `queue`.
#[derive(Debug, Args)]
pub struct QueueArgs {
    /// What has the label.
    #[command(flatten)]
    pub of: ProjectArgs,
    /// The run of the model that predicts; without, the project's active one.
    #[arg(long, value_name = "RUN")]
    pub model: Option<PathBuf>,
    /// What makes a place worth a look: doubt, mistakes (of the label) or differences.
    #[arg(long, value_name = "WHY", default_value = "doubt", value_parser = parse_queued_by)]
    pub by: QueuedBy,
    /// Also looks at mirror images (test-time augmentation): four times the work.
    #[arg(long)]
    pub tta: bool,
    /// What says how sure the model is: probability, margin or entropy.
    #[arg(long, value_name = "MEASURE", default_value = "probability", value_parser = parse_certainty)]
    pub certainty_by: Certainty,
    /// Places at most.
    #[arg(long, default_value_t = 60)]
    pub count: usize,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `experiment`.
#[derive(Debug, Args)]
pub struct ExperimentArgs {
    /// salt, camvid, roads, deepglobe or landcover.
    #[arg(value_parser = parse_experiment)]
    pub name: Experiment,
    /// The data set; without it the folder of its usual name in data or ../shared/data.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The folder for runs; those that are done there are left alone, one that was begun goes on.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,
    /// The folder to write the page into.
    #[arg(long, value_name = "DIR", default_value = "docs/experiments")]
    pub out: PathBuf,
    /// What was published, as far as it is known; hours or days.
    #[arg(long, conflicts_with = "quick")]
    pub full: bool,
    /// What a processor does in a short time; the default.
    #[arg(long)]
    pub quick: bool,
    /// Epochs at most.
    #[arg(long)]
    pub epochs: Option<u32>,
    /// Portions of the cross-validation, where the experiment has one.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=100))]
    pub folds: Option<u32>,
    /// auto, gpu, cpu, or an adapter's name.
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// Only write the page anew from the runs that are there.
    #[arg(long)]
    pub pages_only: bool,
    /// Measure one training of the table of costs in this process.
    #[arg(long, hide = true)]
    pub cell: Option<usize>,
}

/// Arguments of `search`.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// A search file (TOML), or the name of a search that comes with the program: camvid, camvid-quick.
    #[arg(value_name = "SPEC")]
    pub spec: String,
    /// The data set to learn from.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// What is said of it instead of what is recognized.
    #[command(flatten)]
    pub corrections: CorrectionArgs,
    /// The folder for the runs and the tables; what is done there is left alone, so the same
    /// command goes on after a stop.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// auto, gpu, cpu, or an adapter's name.
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// Print one JSON line an epoch and a last one.
    #[arg(long)]
    pub json: bool,
}
