use std::ops::ControlFlow;

use anyhow::ensure;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::args::SampleArgs;
use crate::disk::path_text;
use crate::sample::{SampleConfig, SamplePaths, write_sample};

/// Writes a sample and says what was written.
pub fn run(args: &SampleArgs) -> anyhow::Result<()> {
    for name in ["ortho.tif", "label.tif", "label_true.tif"] {
        let there = args.out.join(name);
        ensure!(
            !there.exists(),
            "The sample would replace a file that is there; name a folder of its own: {}",
            there.display()
        );
    }
    let config = SampleConfig {
        size: args.size,
        seed: args.seed,
        has_overviews: !args.no_overviews,
    };
    let style = ProgressStyle::with_template("Sample {bar:32} {percent:>3} %")?;
    let bar = ProgressBar::new(1000).with_style(style);
    let paths = write_sample(&args.out, &config, |share| {
        bar.set_position((share * 1000.0) as u64);
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    if args.json {
        say!("{}", paths_json(&paths));
    } else {
        say!("{}", paths.ortho.display());
        say!("{}", paths.label_true.display());
        say!("{}", paths.label.display());
        say!("{}", paths.classes.display());
    }
    Ok(())
}

/// The files of a sample by what they are.
pub fn paths_json(paths: &SamplePaths) -> serde_json::Value {
    json!({
        "ortho": path_text(&paths.ortho),
        "label_true": path_text(&paths.label_true),
        "label": path_text(&paths.label),
        "classes": path_text(&paths.classes),
    })
}
