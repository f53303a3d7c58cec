use indicatif::ProgressBar;
use serde_json::json;

use super::args::InspectArgs;
use crate::dataset::leaks::{LeakLimits, LeakReport};
use crate::dataset::{Discovery, InspectOptions, Watch, discover_corrected, inspect};
use crate::train::Recipe;

/// Says what a data set holds, how it was recognized, and what is wrong with it.
pub fn inspected(args: &InspectArgs) -> anyhow::Result<()> {
    let discovery = discover_corrected(&args.folder, &args.corrections.given()?)?;
    if !discovery.datasets.is_empty() {
        say!("{}", discovery.layout);
        for folder in &discovery.datasets {
            say!("{}", folder.display());
        }
        return Ok(());
    }
    let bar = ProgressBar::new(0);
    let options = InspectOptions {
        max_samples: args.most,
        cancel: || false,
        progress: |done: usize, total: usize| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        },
    };
    let inspection = inspect(&discovery, &options);
    bar.finish_and_clear();
    let leaks = if args.leaks {
        Some(leaks_of(&discovery, &bar)?)
    } else {
        None
    };
    if args.json {
        say!("{}", json!({ "inspection": inspection, "leaks": leaks }));
    } else {
        say!("{}", inspection.to_text().trim_end());
        if let Some(report) = leaks {
            tell_leaks(&report);
        }
    }
    Ok(())
}

/// What the parts share: those that the data set states, else those that a training would make.
fn leaks_of(discovery: &Discovery, bar: &ProgressBar) -> anyhow::Result<LeakReport> {
    bar.set_length(1_000);
    let watch = Watch {
        is_cancelled: &|| false,
        progress: &|share| bar.set_position((share * 1_000.0) as u64),
    };
    let rule = Recipe::default().parts();
    let report = discovery.leaks(&rule, LeakLimits::default(), &watch)?;
    bar.finish_and_clear();
    Ok(report)
}

fn tell_leaks(report: &LeakReport) {
    say!(
        "\nLeaks between the parts ({} images compared)",
        report.images
    );
    if report.leaks.is_empty() {
        say!("  none found");
    }
    for leak in &report.leaks {
        say!("  {}", leak.sentence);
        for example in leak.examples.iter().take(3) {
            say!(
                "    {} and {}: {}",
                example.first,
                example.second,
                example.detail
            );
        }
    }
    for note in &report.notes {
        say!("  note: {note}");
    }
}
