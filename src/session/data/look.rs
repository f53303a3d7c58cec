use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::view::DataReport;
use crate::dataset::leaks::{LeakLimits, LeakReport};
use crate::dataset::parts::PartRule;
use crate::dataset::{
    Corrections, DatasetError, InspectOptions, Watch, discover_corrected, inspect,
};
use crate::job::JobContext;
use crate::session::jobs::Report;

/// The share of measuring roads where there are several data sets.
const MEASURED: f64 = 0.2;
/// The share of the inspection; the rest is the search for leaks.
const INSPECTED: f64 = 0.65;

/// Looks at a data set and reports each part as soon as it is known.
pub(super) fn look(
    (folder, corrections): (&Path, &Corrections),
    parts: &PartRule,
    job: &JobContext<Report>,
) -> anyhow::Result<()> {
    let tell = |report: DataReport| job.tell(Report::Data(report));
    let discovery = Arc::new(discover_corrected(folder, corrections)?);
    tell(DataReport::Recognized(Arc::clone(&discovery)))?;
    let progress = Progress {
        job,
        last: AtomicU32::new(0),
    };
    if !discovery.datasets.is_empty() {
        let widths = discovery.road_widths_between_sets(&Watch {
            is_cancelled: &|| job.check().is_err(),
            progress: &|share| progress.tell(MEASURED * share),
        });
        job.check()?;
        tell(DataReport::Widths(widths?))?;
        return leaks(job, (&progress, MEASURED), |watch| {
            discovery.leaks_between_sets(LeakLimits::default(), watch)
        });
    }
    let options = InspectOptions {
        max_samples: None,
        cancel: || job.check().is_err(),
        progress: |done: usize, all: usize| {
            progress.tell(INSPECTED * done as f64 / all.max(1) as f64);
        },
    };
    let inspection = inspect(&discovery, &options);
    tell(DataReport::Inspected(Arc::new(inspection)))?;
    // Between the parts that the data set states, else those that a training would make.
    leaks(job, (&progress, INSPECTED), |watch| {
        discovery.leaks(parts, LeakLimits::default(), watch)
    })
}

/// Reports what `find` finds, in the share of the work from `start` on.
fn leaks(
    job: &JobContext<Report>,
    (progress, start): (&Progress<'_>, f64),
    find: impl FnOnce(&Watch<'_>) -> Result<LeakReport, DatasetError>,
) -> anyhow::Result<()> {
    let found = find(&Watch {
        is_cancelled: &|| job.check().is_err(),
        progress: &|share| progress.tell(start + (1.0 - start) * share),
    });
    // Whoever asked to stop hears that, and no error.
    job.check()?;
    job.tell(Report::Data(DataReport::Leaks(Arc::new(found?))))?;
    Ok(())
}

/// Tells whole percents, each once, from any thread.
struct Progress<'a> {
    job: &'a JobContext<Report>,
    last: AtomicU32,
}

impl Progress<'_> {
    fn tell(&self, share: f64) {
        let percent = (share * 100.0) as u32;
        if self.last.fetch_max(percent, Ordering::Relaxed) < percent {
            self.job.mention(Report::Progress(share as f32));
        }
    }
}
