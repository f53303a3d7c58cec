use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What is measured.
    #[command(subcommand)]
    pub work: BenchWork,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum BenchWork {
    /// Looks at an image along a path that is always the same: how soon it is there, what frames
    /// cost, how long tiles are missed, how much memory it takes.
    View(BenchViewArgs),
}

/// Arguments of `bench view`.
#[derive(Debug, Args)]
pub struct BenchViewArgs {
    /// The image.
    pub path: PathBuf,
    /// How long it is looked at, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// Draw the frames, too, instead of stopping before the graphics card.
    #[arg(long)]
    pub draw: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Prints what was measured.
pub fn say_view(report: &Value, is_json: bool) {
    if is_json {
        say!("{report}");
        return;
    }
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    let three = |value: &Value| {
        let parts = (0..3).map(|at| format!("{:.1}", number(&value[at])));
        parts.collect::<Vec<_>>().join(" / ")
    };
    let size = &report["size"];
    say!("{} x {} pixels, {}", size[0], size[1], report["adapter"]);
    let [first, sharp] = ["first_picture_ms", "sharp_ms"].map(|key| number(&report[key]));
    say!("first picture after {first:.0} ms, sharp after {sharp:.0} ms");
    say!("at most {:.0} MiB", number(&report["peak_mib"]));
    for part in report["parts"].as_array().into_iter().flatten() {
        say!("{}", part["name"].as_str().unwrap_or_default());
        say!(
            "  own work of a frame, median / 95 % / most: {} ms",
            three(&part["frame_ms"])
        );
        let (waits, tiles) = (three(&part["wait_ms"]), &part["tiles"]);
        say!("  until a missed tile came: {waits} ms ({tiles} tiles)");
    }
}
