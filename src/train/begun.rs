use std::fs;
use std::path::{Path, PathBuf};

use super::search::SEARCH_FILE;
use super::{QueuePlan, SearchOrder};

/// Entries of a folder that are asked whether they hold a search or a queue.
const MOST_ENTRIES: usize = 4_000;

/// What the folder of many trainings is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkKind {
    /// A search that a window began.
    Search,
    /// A cross-validation, or another queue.
    Queue,
}

/// Many trainings that were begun in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BegunWork {
    /// The folder.
    pub folder: PathBuf,
    /// What it is about.
    pub kind: WorkKind,
    /// How many trainings it is about, without those of the winner.
    pub trials: usize,
    /// Whether nothing is left to do.
    pub is_over: bool,
}

/// The searches and queues in the folder of runs, the last by name first; what cannot be read is
/// left out.
pub fn list_begun(runs: &Path) -> Vec<BegunWork> {
    let Ok(entries) = fs::read_dir(runs) else {
        // Where there is no folder yet nothing was begun.
        return Vec::new();
    };
    let paths = entries
        .take(MOST_ENTRIES)
        .flatten()
        .map(|entry| entry.path());
    let mut found: Vec<BegunWork> = paths.filter_map(begun).collect();
    found.sort_by(|one, other| other.folder.cmp(&one.folder));
    found
}

fn begun(folder: PathBuf) -> Option<BegunWork> {
    if SearchOrder::is_in(&folder) {
        let plan = SearchOrder::read(&folder).ok()?;
        let plan = plan.plan(folder.clone(), 0).ok()?;
        return Some(BegunWork {
            kind: WorkKind::Search,
            trials: plan.trials().len(),
            is_over: plan.is_over(),
            folder,
        });
    }
    if folder.join(SEARCH_FILE).exists() {
        // A search of the command line, whose queue is only the part that runs.
        return None;
    }
    let plan = QueuePlan::begun(folder.clone(), 0).ok()?;
    Some(BegunWork {
        kind: WorkKind::Queue,
        trials: plan.trials().len(),
        is_over: plan.is_over(),
        folder,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{SearchSpec, TrainData};

    #[test]
    fn what_was_begun_is_found_again() {
        let runs = tempfile::tempdir().expect("a folder");
        assert!(list_begun(&runs.path().join("none")).is_empty());
        let folder = runs.path().join("a-search-001");
        fs::create_dir_all(runs.path().join("a-001")).expect("a folder");
        let spec = SearchSpec::from_toml("way = \"grid\"\nvary.batch = [4, 8]").expect("a search");
        let order = SearchOrder {
            base: spec.base(Path::new("")).expect("a recipe"),
            spec,
            data: TrainData::folder("/data".into()),
        };
        order.write(&folder, None).expect("written");
        let found = list_begun(runs.path());
        let expected = BegunWork {
            folder,
            kind: WorkKind::Search,
            trials: 2,
            is_over: false,
        };
        assert_eq!(found, [expected]);
    }
}
