use anyhow::ensure;
use indicatif::ProgressBar;
use serde_json::json;

use super::args::InspectArgs;
use super::sheet::Sheet;
use crate::dataset::leaks::{LeakLimits, LeakReport};
use crate::dataset::{DatasetError, Discovery, InspectOptions, Watch, discover_corrected, inspect};
use crate::train::Recipe;

/// Says what a data set holds, how it was recognized, and what is wrong with it.
pub fn inspected(args: &InspectArgs) -> anyhow::Result<()> {
    let discovery = discover_corrected(&args.folder, &args.corrections.given()?)?;
    if !discovery.datasets.is_empty() {
        tell_datasets(&discovery, args)?;
        ensure!(
            args.sheet.is_none(),
            "A contact sheet is of one data set; choose one of these"
        );
        return Ok(());
    }
    let bar = ProgressBar::new(0);
    // The first thing, since what keeps it from being written should not be heard at the end.
    let sheet = args.sheet.as_ref();
    let sheet = sheet.map(|file| Sheet::write(file, &discovery, &bar));
    let sheet = sheet.transpose()?;
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
    let leaks = args.leaks.then(|| {
        // Between those that the data set states, else those that a training would make.
        let rule = Recipe::default().parts();
        watched(&bar, |watch| {
            discovery.leaks(&rule, LeakLimits::default(), watch)
        })
    });
    let leaks = leaks.transpose()?;
    if args.json {
        say!(
            "{}",
            json!({ "inspection": inspection, "leaks": leaks, "sheet": sheet })
        );
    } else {
        say!("{}", inspection.to_text().trim_end());
        if let Some(report) = &leaks {
            tell_leaks(report, "parts");
        }
        if let Some(sheet) = &sheet {
            sheet.tell();
        }
        let leaks = leaks.map(|report| report.leaks.len());
        if let Some(verdict) = verdict(inspection.problems.len(), leaks) {
            say!("\n{verdict}");
        }
    }
    Ok(())
}

/// Names the data sets of a folder that holds several, and what they share where that is asked for.
fn tell_datasets(discovery: &Discovery, args: &InspectArgs) -> anyhow::Result<()> {
    let leaks = args.leaks.then(|| {
        let find = |watch: &Watch<'_>| discovery.leaks_between_sets(LeakLimits::default(), watch);
        watched(&ProgressBar::new(0), find)
    });
    let leaks = leaks.transpose()?;
    if args.json {
        let layout = discovery.layout.to_string();
        say!(
            "{}",
            json!({ "layout": layout, "datasets": discovery.datasets, "leaks": leaks })
        );
        return Ok(());
    }
    say!("{}", discovery.layout);
    for folder in &discovery.datasets {
        say!("{}", folder.display());
    }
    if let Some(report) = &leaks {
        tell_leaks(report, "data sets");
    }
    Ok(())
}

/// What a search for leaks finds, with the bar as its progress.
fn watched(
    bar: &ProgressBar,
    find: impl FnOnce(&Watch<'_>) -> Result<LeakReport, DatasetError>,
) -> anyhow::Result<LeakReport> {
    bar.set_length(1_000);
    let report = find(&Watch {
        is_cancelled: &|| false,
        progress: &|share| bar.set_position((share * 1_000.0) as u64),
    })?;
    bar.finish_and_clear();
    Ok(report)
}

/// Says what these, the parts or the data sets, share.
fn tell_leaks(report: &LeakReport, these: &str) {
    say!(
        "\nLeaks between the {these} ({} images compared)",
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

/// What remains to be said of so many problems, and leaks where they were looked for.
const fn verdict(problems: usize, leaks: Option<usize>) -> Option<&'static str> {
    match (problems, leaks) {
        (0, None) => Some(
            "No problems were found. Leaks between the parts were not looked for; --leaks does so.",
        ),
        (_, None) => Some("Leaks between the parts were not looked for; --leaks does so."),
        (0, Some(0)) => Some("No problems were found."),
        (_, Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_called_fine_that_was_not_looked_for() {
        let unasked = verdict(0, None).expect("words");
        assert!(unasked.contains("were not looked for; --leaks does so"));
        assert!(verdict(2, None).is_some_and(|words| !words.contains("No problems")));
        assert_eq!(verdict(0, Some(0)), Some("No problems were found."));
        assert_eq!((verdict(0, Some(3)), verdict(1, Some(0))), (None, None));
    }
}
