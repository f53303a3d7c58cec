use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{QueuePlan, Trial, TrialEnd};
use crate::disk::replace_file;
use crate::train::TrainError;

/// Name of the file in a queue's folder.
const QUEUE_FILE: &str = "queue.json";
/// No queue this program writes is larger.
const MOST_BYTES: u64 = 64 << 20;

/// What is to be done and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger {
    pub(super) trials: Vec<Trial>,
    /// By the trial's name.
    #[serde(default)]
    pub(super) ends: BTreeMap<String, TrialEnd>,
}

impl Ledger {
    /// Writes `plan` down, keeping what came of the trials that it has in common with what was
    /// there before.
    pub(super) fn begin(plan: &QueuePlan) -> Result<Self, TrainError> {
        let before = match Self::read(plan.folder()) {
            Err(TrainError::NoQueue(_)) => Self::default(),
            read => read?,
        };
        let is_same = |name: &String| {
            let find = |trials: &[Trial]| trials.iter().find(|trial| trial.name == *name).cloned();
            let planned = find(plan.trials());
            planned.is_some() && planned == find(&before.trials)
        };
        let ends = before.ends.iter().filter(|(name, _)| is_same(name));
        let ledger = Self {
            trials: plan.trials().to_vec(),
            ends: ends
                .map(|(name, end)| (name.clone(), end.clone()))
                .collect(),
        };
        ledger.save(plan.folder())?;
        Ok(ledger)
    }

    /// Notes how `trial` ended.
    pub(super) fn note(
        &mut self,
        folder: &Path,
        trial: &Trial,
        end: TrialEnd,
    ) -> Result<(), TrainError> {
        self.ends.insert(trial.name.clone(), end);
        self.save(folder)
    }

    fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let mut text = serde_json::to_string_pretty(self).expect("plain records become JSON");
        text.push('\n');
        Ok(replace_file(&folder.join(QUEUE_FILE), text.as_bytes())?)
    }

    /// How many trials ended well.
    pub(super) fn num_done(&self) -> usize {
        let ends = self.ends.values();
        ends.filter(|end| **end == TrialEnd::Done).count()
    }

    /// What the file in `folder` says.
    pub(super) fn read(folder: &Path) -> Result<Self, TrainError> {
        let path = folder.join(QUEUE_FILE);
        let damaged = |why: String| {
            TrainError::Queue(format!(
                "The queue cannot be read ({why}): {}",
                path.display()
            ))
        };
        let file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(TrainError::NoQueue(folder.to_owned()));
            }
            opened => opened.map_err(|error| damaged(error.to_string()))?,
        };
        let mut bytes = Vec::new();
        let read = file.take(MOST_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| damaged(error.to_string()))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(damaged("it is too large".to_owned()));
        }
        serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))
    }
}
