//! What work on labels costs: painting, clean-up, ground chosen by color, polygons.
//!
//! `cargo bench --bench labels`, under four minutes. What takes seconds runs once or three times,
//! and says so. `GDAL_POLYGONIZE` names the `gdal_polygonize.py` to compare with; without one only
//! our own time is printed.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

mod cleaning;
mod colors;
mod ground;
mod numbers;
mod painting;
mod polygons;

use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    painting::bench(&mut criterion);
    cleaning::bench();
    colors::bench(&mut criterion);
    numbers::bench(&mut criterion);
    polygons::bench();
    criterion.final_summary();
}

/// Whether times are wanted; `cargo test --benches` asks for a run that only shows that it works.
fn is_measuring() -> bool {
    std::env::args().any(|arg| arg == "--bench")
}

/// A side, or a small one when nothing is measured.
fn side(full: u32) -> u32 {
    if is_measuring() { full } else { full / 16 }
}

/// A group of runs that take up to half a second: ten of them, each timed by itself.
fn few<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_secs(2));
    group
}

/// Prints the middle of the times of three runs, for what takes longer; one when nothing is
/// measured.
fn thrice<T>(what: &str, mut work: impl FnMut() -> T) {
    let runs = if is_measuring() { 3 } else { 1 };
    let mut times: Vec<f64> = (0..runs).map(|_| timed(&mut work).0).collect();
    println!("{what}: {:.3} s (of {runs})", median(&mut times));
}

/// What `work` gives; prints the seconds that this one run took.
fn once<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (seconds, given) = timed(work);
    println!("{what}: {seconds:.3} s (one run)");
    given
}

/// The seconds that `work` took, and what it gives.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let began = Instant::now();
    let given = work();
    (began.elapsed().as_secs_f64(), given)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}
