use anyhow::ensure;
use indicatif::ProgressBar;
use serde_json::json;

use super::args::InspectArgs;
use super::sheet::Sheet;
use super::train::chosen_recipe;
use crate::dataset::leaks::{LeakLimits, LeakReport};
use crate::dataset::{DatasetError, Discovery, InspectOptions, Watch, discover_corrected, inspect};
use crate::label::count_of;

/// Says what a data set holds, how it was recognized, and what is wrong with it.
pub fn inspected(args: &InspectArgs) -> anyhow::Result<()> {
    let rule = chosen_recipe(args.recipe.as_deref(), args.preset)?.parts();
    let corrections = args.corrections.given(Some(&args.folder))?;
    let discovery = discover_corrected(&args.folder, &corrections)?;
    if !discovery.datasets.is_empty() {
        tell_datasets(&discovery, args)?;
        ensure!(
            args.sheet.is_none() && args.most.is_none(),
            "--sheet and --most look into one data set, and the folder holds several; name one of \
             these instead"
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
        if let Some(verdict) = verdict(inspection.problems.len(), leaks.as_ref()) {
            say!("\n{verdict}");
        }
    }
    Ok(())
}

/// Names the data sets of a folder that holds several, whether their roads differ, and what they
/// share where that is asked for.
fn tell_datasets(discovery: &Discovery, args: &InspectArgs) -> anyhow::Result<()> {
    let find = |watch: &Watch<'_>| discovery.road_widths_between_sets(watch);
    let widths = watched(&ProgressBar::new(0), find)?;
    let leaks = args.leaks.then(|| {
        let find = |watch: &Watch<'_>| discovery.leaks_between_sets(LeakLimits::default(), watch);
        watched(&ProgressBar::new(0), find)
    });
    let leaks = leaks.transpose()?;
    if args.json {
        let layout = discovery.layout.to_string();
        say!(
            "{}",
            json!({
                "layout": layout, "datasets": discovery.datasets, "leaks": leaks,
                "problems": widths.as_slice(),
            })
        );
        return Ok(());
    }
    say!("{}", discovery.layout);
    for folder in &discovery.datasets {
        say!("{}", folder.display());
    }
    if let Some(problem) = &widths {
        say!("\nBetween the data sets\n{}", problem.to_text().trim_end());
    }
    if let Some(report) = &leaks {
        tell_leaks(report, "data sets");
    }
    Ok(())
}

/// What a search finds, with the bar as its progress.
fn watched<R>(
    bar: &ProgressBar,
    find: impl FnOnce(&Watch<'_>) -> Result<R, DatasetError>,
) -> anyhow::Result<R> {
    bar.set_length(1_000);
    let found = find(&Watch {
        is_cancelled: &|| false,
        progress: &|share| bar.set_position((share * 1_000.0) as u64),
    })?;
    bar.finish_and_clear();
    Ok(found)
}

/// Says what these, the parts or the data sets, share.
fn tell_leaks(report: &LeakReport, these: &str) {
    say!(
        "\nLeaks between the {these} ({} compared)",
        count_of(report.images, "image")
    );
    if report.leaks.is_empty() && report.images > 0 {
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

/// What remains to be said of so many problems, and of leaks where they were looked for.
fn verdict(problems: usize, leaks: Option<&LeakReport>) -> Option<&'static str> {
    // Where nothing was compared, a note has said why.
    let is_fine = |report: &LeakReport| report.leaks.is_empty() && report.images > 0;
    match (problems, leaks.map(is_fine)) {
        (0, None) => Some(
            "No problems were found. Leaks between the parts were not looked for; --leaks does so.",
        ),
        (_, None) => Some("Leaks between the parts were not looked for; --leaks does so."),
        (0, Some(true)) => Some("No problems were found."),
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
        let compared = |images| LeakReport {
            images,
            ..LeakReport::default()
        };
        let (some, none) = (compared(9), compared(0));
        assert_eq!(verdict(0, Some(&some)), Some("No problems were found."));
        assert_eq!(
            (verdict(0, Some(&none)), verdict(1, Some(&some))),
            (None, None)
        );
    }
}
