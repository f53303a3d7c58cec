//! Training and prediction: recipe, policies, the loop, checkpoints, the device and the one thread
//! that owns all tensors.
//!
//! Only this layer and `nn` know Burn. It knows no windows and no session: plans come in, events
//! go out, and a plan that was made is a plan that can start.

mod adapters;
#[cfg(test)]
mod band_stories;
mod batch;
mod begun;
mod best_by;
mod block_file;
mod certainty;
mod changes;
mod checkpoint;
mod data;
mod device;
mod engine;
mod epoch;
mod error;
mod event;
mod experiment;
mod features;
mod find_rate;
mod finetune;
mod fitting;
mod flips;
mod folder_lock;
mod forecast;
#[cfg(test)]
mod going_on;
mod grid;
mod instant;
mod judge;
mod kept_data;
mod leak_check;
mod learner;
mod leftovers;
mod logits;
mod memory;
mod optimizer;
#[cfg(test)]
mod other_pixels;
mod plan;
mod policy;
mod predict;
mod preset;
mod processor;
mod queue;
mod rate_range;
mod recipe;
mod remedy;
mod report;
mod resume;
mod room;
mod run;
mod run_folder;
mod schedule;
mod search;
mod self_test;
mod similar;
#[cfg(test)]
mod test_folder;
#[cfg(test)]
mod test_world;
mod threshold;
mod to_files;
mod unlabeled;

pub use crate::nn::{EncoderKind, Family, LossTerm, ModelConfig};
pub use adapters::{AdapterKind, AdapterReport};
pub use begun::{BegunWork, WorkKind, list_begun};
pub use best_by::BestBy;
pub use certainty::Certainty;
pub use checkpoint::{ClassEntry, ModelCard, SavedModel};
pub use data::{TrainData, opened_corrected, opened_folder, opened_patches};
pub use device::{DeviceChoice, DeviceReport};
pub use engine::Engine;
pub use epoch::EpochRow;
pub use error::TrainError;
pub use event::{PredictEvent, PredictReport, StopReason, TrainEvent, TrainReport, TrainStatus};
pub use experiment::{
    Cell, CellResult, Experiment, ExperimentChoice, ExperimentPage, ExperimentSpec, PageReport,
    RunSize,
};
pub use features::{FeatureConfig, KeepFeatures, Precision};
pub use find_rate::{RateEvent, RateReport};
pub use finetune::{
    Ancestor, Decision, Elsewhere, FEWEST_CELLS, FinetuneOptions, FinetuneOrder, Forgetting,
    HeldOut, LearnedFrom, Lineage, ModelGround, Parent, Relative, ReplaySources, Verdict,
    VerdictEvent, VerdictPlan, VerdictRow, ancestors, family_tree,
};
pub use fitting::{Fit, fitting};
pub use flips::Flips;
pub use forecast::{Forecast, Unfreezing};
pub use instant::{InstantEvent, InstantMind, InstantOrder, InstantOutcome, InstantReport, Sight};
pub use judge::{JudgeEvent, JudgePlan};
pub use optimizer::{
    Adam, AdamW, Decays, Optimizer, OptimizerConfig, RateGroup, RmsProp, Sgd, UpdateConfig,
};
pub use plan::TrainPlan;
pub use policy::{EarlyStop, KeepBest, Plateau, PlateauDecay};
pub use predict::{BlockOrder, BlockStore, DoneBlocks, KeptBlocks, KeptPrediction, PredictPlan};
pub use preset::Preset;
pub use queue::{QueueEvent, QueuePlan, QueueReport, QueueTable, Trial, TrialEnd};
pub use rate_range::{RateRange, RateVerdict};
pub use recipe::{ClassWeighting, MemoryUse, PatchChoice, Recipe};
pub use remedy::{Remedy, fit_of_processor, remedies_in_words};
pub use report::{
    Axis, BinaryJudgement, ClassEpoch, CurveLook, Environment, EpochFiles, FinalGroup, FinalRow,
    FinalScores, FinalTable, JudgedClass, JudgedImage, Judgement, Patch, ReportPicture, RunEnd,
    RunRecord, RunSummary, Scale, ScoredOn, Spread, StepLoss, TestReading, append_log,
    comparison_html, curves_svg, list_samples, rate_drops, report_html, report_markdown, rgba_of,
    sample_path, smoothed, step_seconds, strip_png, thinned, unfreezing, write_report,
    write_run_files, write_strip,
};
pub use resume::can_go_on;
pub use room::Room;
pub use run::WallClock;
pub use schedule::{Constant, Cosine, Exponential, OneCycle, Polynomial, Schedule, Span, Steps};
pub use search::{
    Halving, RateChoice, Refit, RefitResult, RefitRow, Rung, SearchAxis, SearchChoices, SearchCost,
    SearchEvent, SearchOrder, SearchPlan, SearchResult, SearchRow, SearchSpec, SearchTrial,
    SearchWay,
};
pub use similar::{Alike, FeatureIndex, FeatureStore, KeptLooks, SimilarEvent, SimilarOrder};
pub use threshold::DecisionThreshold;
pub use to_files::{FileEnd, FileMaker, FileTask, FilesEvent, FilesPlan, IfBegun, run_of};
pub use unlabeled::Unlabeled;
