//! The same work without a window: each subcommand speaks the same commands as the window.
//!
//! Progress goes to stderr, results to stdout. Exit codes: 0 done, 1 failed with one clear line,
//! 2 wrong usage,
//! 130 ended by a second Ctrl+C, 141 ended since nobody reads the results any more.
#![expect(clippy::print_stderr, reason = "a command line talks")]

/// Prints a line; whoever stopped reading ends the program without a complaint.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::say::line(format_args!($($text)*))
    };
}

mod args;
mod args_of_data;
mod args_of_predictions;
mod args_of_runs;
mod bench;
mod compare;
mod convert;
mod dataset;
mod demo;
mod doctor;
mod drive;
mod evaluate;
mod experiment;
mod finetune;
mod folds;
mod ground;
mod info;
mod interrupt;
mod judge;
mod makers;
mod mosaic;
mod picture;
mod predict;
mod predict_desk;
mod predict_tasks;
mod project;
mod pyramid;
mod queue;
mod sample;
mod say;
mod search;
mod sheet;
mod tiles;
mod train;
mod values;

use args::DatasetWork;
pub use args::{Arguments, ScreenshotArgs, Subcommand, Work};
pub use bench::{BenchArgs, BenchViewArgs, BenchWork, say_view};
pub use picture::{check_png, write_png};

/// Does one piece of work.
///
/// # Errors
/// What failed, in one line.
pub fn run(work: Work) -> anyhow::Result<()> {
    match work {
        Work::Sample(args) => sample::run(&args),
        Work::Info(args) => info::run(&args),
        Work::Dataset(DatasetWork::Inspect(args)) => dataset::inspected(&args),
        Work::Train(args) => train::run(*args),
        Work::Test(args) => judge::run(&args),
        Work::Experiment(args) => experiment::run(&args),
        Work::Search(args) => search::run(&args),
        Work::Finetune(args) => finetune::run(&args),
        Work::Queue(args) => queue::run(&args),
        Work::Predict(args) => predict::run(&args),
        Work::Eval(args) => evaluate::run(&args),
        Work::Compare(args) => compare::run(&args),
        Work::Convert(args) => convert::run(&args),
        Work::Pyramid(args) => pyramid::run(&args),
        Work::Mosaic(args) => mosaic::run(&args),
        Work::Tiles(args) => tiles::run(&args),
        Work::History(args) => project::history(&args),
        Work::Merge(args) => project::merged(&args),
        Work::Pack(args) => project::packed(&args),
        Work::Render(args) => picture::run(&args),
        Work::Doctor(args) => doctor::run(&args),
        Work::Demo(args) => demo::run(&args),
    }
}
