//! The same work without a window: each subcommand speaks the same commands as the window.
//!
//! Progress goes to stderr, results to stdout. Exit codes: 0 done, 1 failed with one clear line,
//! 2 wrong usage.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks"
)]

mod args;
mod curves;
mod demo;
mod doctor;
mod drive;
mod evaluate;
mod info;
mod picture;
mod predict;
mod sample;
mod train;

pub use args::{Arguments, ScreenshotArgs, Subcommand};
pub use picture::write_png;

use std::process::ExitCode;

/// Runs one subcommand; failures are one line on stderr.
pub fn run(subcommand: Subcommand) -> ExitCode {
    let done = match subcommand {
        Subcommand::Sample(args) => sample::run(&args),
        Subcommand::Info(args) => info::run(&args),
        Subcommand::Train(args) => train::run(args),
        Subcommand::Predict(args) => predict::run(&args),
        Subcommand::Eval(args) => evaluate::run(&args),
        Subcommand::Render(args) => picture::run(&args),
        Subcommand::Screenshot(_) => unreachable!("the window draws itself"),
        Subcommand::Doctor(args) => doctor::run(&args),
        Subcommand::Demo(args) => demo::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orthobrush: {error:#}");
            ExitCode::FAILURE
        }
    }
}
