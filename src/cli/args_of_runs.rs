use std::path::PathBuf;

use clap::Args;

use super::values::parse_experiment;
use crate::train::{DeviceChoice, Experiment};

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// A run folder whose training has ended.
    #[arg(long, value_name = "RUN")]
    pub run: PathBuf,
    /// auto, gpu, cpu, or an adapter's name; without it where the run was trained.
    #[arg(long)]
    pub device: Option<DeviceChoice>,
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
