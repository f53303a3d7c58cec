//! Parses the arguments and hands over to the window or to a subcommand.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use orthobrush::app::{AppConfig, bench_view, run_window, take_screenshot};
use orthobrush::cli::{Arguments, BenchWork, Subcommand, run};
use orthobrush::nn::share_one_heap;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Where words come from that an error of ours says again, with the file.
const QUIET: [&str; 2] = ["jpeg2k", "openjp2"];

fn main() -> ExitCode {
    share_one_heap();
    name_the_default_device();
    start_logging();
    let arguments = Arguments::parse();
    report(match arguments.subcommand {
        None => run_window(AppConfig {
            data: arguments.data,
            ..AppConfig::of_user(arguments.path)
        }),
        Some(Subcommand::Screenshot(args)) => take_screenshot(&args),
        Some(Subcommand::Bench(bench)) => match bench.work {
            BenchWork::View(args) => bench_view(&args),
        },
        Some(Subcommand::Work(work)) => run(work),
    })
}

#[expect(clippy::print_stderr, reason = "the last word of a failed program")]
fn report(done: anyhow::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orthobrush: {}", orthobrush::job::told(&error));
            ExitCode::FAILURE
        }
    }
}

/// Burn restores an optimizer's state on its default device, which would be the GPU on machines
/// that may have none; everything names its device, and this is what is left.
fn name_the_default_device() {
    #[expect(
        unsafe_code,
        reason = "no other thread runs yet that could read the environment"
    )]
    // SAFETY: this is the first statement of `main`; no thread has been started.
    unsafe {
        std::env::set_var("BURN_DEVICE", "flex");
    }
}

fn start_logging() {
    let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned());
    let level = wanted.parse().unwrap_or(LevelFilter::ERROR);
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let words = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal() && !is_plain)
        .with_writer(std::io::stderr);
    let quiet = QUIET.map(|target| (target, LevelFilter::OFF));
    let targets = Targets::new().with_default(level).with_targets(quiet);
    tracing_subscriber::registry()
        .with(words)
        .with(targets)
        .init();
}
