use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::shelf::{RunEntry, RunsReport};
use crate::train::{RunEnd, RunRecord, list_samples};

/// Nobody looks through more runs at once.
const MOST_RUNS: usize = 400;
/// Entries of a folder that are asked whether they are runs.
const MOST_ENTRIES: usize = 4_000;
/// A run that wrote nothing for so long, and for three epochs, is not going on.
const QUIET: Duration = Duration::from_mins(3);
/// The files that say whether a run changed.
const WATCHED: [&str; 13] = [
    "recipe.toml",
    "metrics.csv",
    "resume.state",
    "report.md",
    "per_class.csv",
    "scores-validation.json",
    "scores-test.json",
    "best",
    "last",
    "steps.csv",
    "environment.json",
    "judged-validation.json",
    "end.json",
];

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// Its files change.
    Running,
    /// It came to the end of its recipe, ran out of patience or of time.
    Finished,
    /// A person or a search stopped it, and it can go on.
    Stopped,
    /// Something did not work.
    Failed,
    /// Its program went away in the middle.
    Interrupted,
}

/// Size and time of the watched files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp([Option<(u64, SystemTime)>; WATCHED.len()]);

impl Stamp {
    fn of(folder: &Path) -> Self {
        Self(WATCHED.map(|name| {
            let known = fs::metadata(folder.join(name)).ok()?;
            Some((known.len(), known.modified().ok()?))
        }))
    }

    fn time(&self, place: usize) -> Option<SystemTime> {
        self.0[place].map(|(_, time)| time)
    }

    fn newest(&self) -> Option<SystemTime> {
        self.0.iter().flatten().map(|(_, time)| *time).max()
    }

    fn status(&self, record: &RunRecord, now: SystemTime) -> RunStatus {
        match record.end {
            Some(RunEnd::Finished { .. }) => RunStatus::Finished,
            Some(RunEnd::Stopped { .. }) => RunStatus::Stopped,
            Some(RunEnd::Failed { .. }) => RunStatus::Failed,
            None => self.guessed_status(record, now),
        }
    }

    /// Of a run that does not say how it ended: it goes on, its program went away, or it is of an
    /// older version.
    fn guessed_status(&self, record: &RunRecord, now: SystemTime) -> RunStatus {
        let [_, metrics, state, report] = [0, 1, 2, 3].map(|place| self.time(place));
        // The report is the last thing that a training writes, whether it finished or was stopped.
        // One that finished leaves no state behind, so that a copy's times do not matter.
        let is_over =
            report.is_some_and(|report| state.is_none() || Some(report) >= metrics.max(state));
        let longest_epoch = record
            .rows
            .iter()
            .map(|row| row.seconds)
            .fold(0.0, f64::max);
        let longest_epoch = Duration::try_from_secs_f64(longest_epoch).unwrap_or(QUIET);
        let quiet = QUIET.max(longest_epoch.saturating_mul(3));
        let since = self.newest().and_then(|time| now.duration_since(time).ok());
        match (is_over, state) {
            (true, None) => RunStatus::Finished,
            (true, Some(_)) => RunStatus::Stopped,
            // A time in the future is one of now.
            (false, _) if since.is_none_or(|since| since < quiet) => RunStatus::Running,
            // Runs of earlier versions wrote no report.
            (false, None) if record.best.is_some() => RunStatus::Finished,
            (false, _) => RunStatus::Interrupted,
        }
    }
}

/// The runs in `folder` and one level deeper, newest first; when it is a run itself, those beside
/// it. Of `known` runs whose files did not change nothing is read again.
pub(super) fn look(
    folder: &Path,
    known: &[RunEntry],
    now: SystemTime,
    is_cancelled: &dyn Fn() -> bool,
) -> anyhow::Result<RunsReport> {
    let is_run = RunRecord::is_run(folder);
    let listed = match folder.parent() {
        Some(parent) if is_run => parent,
        _ => folder,
    };
    let mut entries = Vec::new();
    for run in run_folders(listed)? {
        if is_cancelled() {
            break;
        }
        entries.extend(entry(run, known, now));
    }
    entries.sort_by(|a, b| {
        let names = || b.record.folder.cmp(&a.record.folder);
        b.began.cmp(&a.began).then_with(names)
    });
    Ok(RunsReport::Read {
        folder: listed.to_owned(),
        entries,
        asked: is_run.then(|| folder.to_owned()),
    })
}

fn entry(run: PathBuf, known: &[RunEntry], now: SystemTime) -> Option<RunEntry> {
    let stamp = Stamp::of(&run);
    let same = known.iter().find(|entry| entry.record.folder == run);
    if let Some(same) = same.filter(|same| same.stamp == stamp) {
        let status = stamp.status(&same.record, now);
        return Some(RunEntry {
            status,
            ..same.clone()
        });
    }
    // A folder that holds no run any more is simply not listed.
    let record = RunRecord::load(&run).ok()?;
    Some(RunEntry {
        status: stamp.status(&record, now),
        began: stamp.time(0).or_else(|| stamp.newest()).unwrap_or(now),
        samples: list_samples(&run).into(),
        record: Arc::new(record),
        stamp,
    })
}

fn run_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut runs = Vec::new();
    // Where there is no folder yet there are no runs yet.
    let inside = match folders_in(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(runs),
        inside => inside?,
    };
    for path in inside {
        if RunRecord::is_run(&path) {
            runs.push(path);
        } else if let Ok(deeper) = folders_in(&path) {
            runs.extend(deeper.into_iter().filter(|path| RunRecord::is_run(path)));
        }
        if runs.len() >= MOST_RUNS {
            break;
        }
    }
    runs.truncate(MOST_RUNS);
    Ok(runs)
}

fn folders_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.take(MOST_ENTRIES).flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    Ok(folders.map(|entry| entry.path()).collect())
}

#[cfg(test)]
mod tests {
    use super::super::shelf::Runs;
    use super::*;
    use crate::disk::replace_file;
    use crate::train::ScoredOn;

    const METRICS: &str = "epoch,train_loss,val_loss,mean_iou,pixel_accuracy,iou_a,lr,seconds,best\n\
                           1,1.0,1.1,0.3,0.5,0.3,1e-3,2.00,true\n";

    fn made(folder: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(folder).expect("a folder");
        for (name, text) in files {
            replace_file(&folder.join(name), text.as_bytes()).expect("written");
        }
    }

    fn looked(
        folder: &Path,
        known: &[RunEntry],
        now: SystemTime,
    ) -> (Vec<RunEntry>, Option<PathBuf>) {
        match look(folder, known, now, &|| false).expect("read") {
            RunsReport::Read { entries, asked, .. } => (entries, asked),
            RunsReport::Samples(_) => unreachable!(),
        }
    }

    #[test]
    fn runs_are_found_by_their_files_and_one_level_deeper() {
        let folder = tempfile::tempdir().expect("a folder");
        made(&folder.path().join("a"), &[("metrics.csv", METRICS)]);
        made(&folder.path().join("search/b"), &[("recipe.toml", "")]);
        made(&folder.path().join("else"), &[("notes.txt", "")]);
        let now = SystemTime::now();
        let (entries, asked) = looked(folder.path(), &[], now);
        assert_eq!((entries.len(), asked), (2, None));
        let run = folder.path().join("a");
        let (beside, asked) = looked(&run, &entries, now);
        assert_eq!((beside.len(), asked), (1 + 1, Some(run.clone())));
        let same = |all: &[RunEntry]| {
            let found = all.iter().find(|entry| entry.record.folder == run);
            Arc::clone(&found.expect("a run").record)
        };
        assert!(
            Arc::ptr_eq(&same(&entries), &same(&beside)),
            "it is not read again"
        );
        assert!(looked(&folder.path().join("none"), &[], now).0.is_empty());
    }

    #[test]
    fn a_record_says_what_its_parts_share_and_the_list_which_queue_it_is_of() {
        const LEAKS: &str = r#"{"leaks": [{"kind": "copy", "between": ["train", "test"],
            "pairs": 1, "samples": 1, "examples": [], "sentence": "1 test image is copied"}],
            "images": 9, "notes": []}"#;
        let folder = tempfile::tempdir().expect("a folder");
        let [leaking, beside] = ["one/fold-0", "fold-0"].map(|name| folder.path().join(name));
        made(&leaking, &[("leaks.json", LEAKS), ("metrics.csv", METRICS)]);
        made(&beside, &[("metrics.csv", METRICS)]);
        let (entries, _) = looked(folder.path(), &[], SystemTime::now());
        let runs = Runs {
            folder: Some(folder.path().to_owned()),
            entries,
            ..Runs::default()
        };
        let [leaking, beside] = [leaking, beside].map(|run| {
            let entry = runs.entry(&run).expect("a run");
            Arc::clone(&entry.record)
        });
        assert_eq!(runs.name_of(&leaking), "fold-0 · one");
        assert_eq!(runs.name_of(&beside), "fold-0");
        let told = leaking.leak_warning(ScoredOn::Test).expect("a leak");
        assert!(told.ends_with("too good: 1 test image is copied"), "{told}");
        assert_eq!(leaking.leak_warning(ScoredOn::Validation), None);
        assert_eq!(leaking.leak_warnings(), [""; 0], "nothing was judged");
        assert_eq!(beside.leak_warning(ScoredOn::Test), None);
    }

    #[test]
    fn the_files_tell_whether_a_run_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("a");
        made(&run, &[("metrics.csv", METRICS), ("resume.state", "?")]);
        let now = SystemTime::now();
        let status = |now| looked(folder.path(), &[], now).0[0].status;
        assert_eq!(status(now), RunStatus::Running);
        assert_eq!(status(now + 2 * QUIET), RunStatus::Interrupted);
        made(&run, &[("report.md", "all")]);
        assert_eq!(status(now), RunStatus::Stopped);
        fs::remove_file(run.join("resume.state")).expect("it was there");
        assert_eq!(status(now), RunStatus::Finished);
        // A copy has its files in any order.
        let copied = fs::File::options()
            .write(true)
            .open(run.join("metrics.csv"));
        let touched = copied.and_then(|file| file.set_modified(now + QUIET));
        touched.expect("a time");
        assert_eq!(status(now + QUIET), RunStatus::Finished);
    }

    #[test]
    fn a_run_that_says_how_it_ended_is_believed() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("a");
        // Without the end this one would go on.
        made(&run, &[("metrics.csv", METRICS), ("resume.state", "?")]);
        let (mut known, _) = looked(folder.path(), &[], SystemTime::now());
        assert_eq!(known[0].status, RunStatus::Running);
        for (end, expected) in [
            (
                r#"{"status": "failed", "why": "x", "seconds": 1.0}"#,
                RunStatus::Failed,
            ),
            (
                r#"{"status": "stopped", "reason": {"kind": "far_enough", "epoch": 1}, "seconds": 1.0}"#,
                RunStatus::Stopped,
            ),
            (
                r#"{"status": "finished", "reason": {"kind": "all_epochs"}, "seconds": 1.0}"#,
                RunStatus::Finished,
            ),
        ] {
            made(&run, &[("end.json", end)]);
            // A new end is noticed in a run that was looked at before.
            (known, _) = looked(folder.path(), &known, SystemTime::now());
            assert_eq!(known[0].status, expected);
        }
        fs::remove_file(run.join("end.json")).expect("it was there");
        (known, _) = looked(folder.path(), &known, SystemTime::now());
        assert_eq!(known[0].status, RunStatus::Running, "it goes on");
    }
}
