//! The state of a training that can go on: written whole each epoch and now and then between.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::learner::LearnerState;
use super::run::Spent;
use super::{EarlyStop, EpochRow, KeepBest, PlateauDecay, TrainError};
use crate::dataset::{BandReading, Normalization, SplitReport};
use crate::disk::{ReplaceError, open_file, replace_with};

/// Name of the state in a run folder.
pub(super) const STATE_FILE: &str = "resume.state";
/// What the file begins with; the last byte is the version.
const MAGIC: [u8; 8] = *b"ORTHRUN\x01";
/// No state this program writes is larger.
const MOST_BYTES: u64 = 32 << 30;

/// Where a training is, but for its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// What the training ground was, so that another is noticed.
    pub(super) ground: GroundPrint,
    /// Stages of the encoder that hold still and whose features are kept.
    #[serde(default)]
    pub(super) kept_stages: usize,
    /// The epoch that runs, from 1.
    pub(super) epoch: u32,
    /// Steps done in it.
    pub(super) step_in_epoch: u32,
    /// The sum of their losses.
    pub(super) loss_sum: f64,
    /// Steps done in all.
    pub(super) step: u64,
    /// Share of the scheduled rate that the plateaus have left.
    pub(super) share: f64,
    pub(super) plateau: PlateauDecay,
    pub(super) stop: EarlyStop,
    pub(super) keep: KeepBest,
    /// Epochs that ended.
    pub(super) rows: Vec<EpochRow>,
    /// The best of them and its checkpoint's name.
    pub(super) best: Option<(EpochRow, PathBuf)>,
    /// Seconds of work before.
    pub(super) seconds: f64,
    /// Where the time of the running epoch went.
    #[serde(default)]
    pub(super) spent: Spent,
    /// Patches that are computed at once when memory is short; 0: all of a step.
    #[serde(default)]
    pub(super) piece: usize,
}

/// What a training reads, in a few numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct GroundPrint {
    pub(super) split: SplitReport,
    pub(super) class_pixels: Vec<u64>,
    /// Left out where images are read as they are shown, as before there was a choice.
    #[serde(default, skip_serializing_if = "BandReading::is_as_shown")]
    pub(super) bands: BandReading,
    pub(super) normalization: Normalization,
}

/// A training written down.
pub(super) struct RunState {
    pub(super) progress: Progress,
    pub(super) learner: LearnerState,
}

impl RunState {
    /// Writes the state into the run folder, whole or not at all.
    ///
    /// Three parts follow each other: where the training is (CBOR, which keeps each bit of a
    /// number), the network and the optimizer (safetensors), each behind its length and crc32c.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let mut progress = Vec::new();
        ciborium::into_writer(&self.progress, &mut progress)
            .map_err(|error| TrainError::State(error.to_string()))?;
        let parts = [&progress, &self.learner.network, &self.learner.optimizer];
        replace_with(&folder.join(STATE_FILE), |file| {
            file.write_all(&MAGIC)?;
            for part in parts {
                file.write_all(&(part.len() as u64).to_le_bytes())?;
                file.write_all(&crc32c::crc32c(part).to_le_bytes())?;
                file.write_all(part)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Reads the state from the run folder.
    ///
    /// # Errors
    /// [`TrainError::NothingLeft`] when there is none, [`TrainError::State`] when it is damaged.
    pub(super) fn load(folder: &Path) -> Result<Self, TrainError> {
        let path = folder.join(STATE_FILE);
        let wrong = |what: &str| TrainError::State(format!("{what}: {}", path.display()));
        let length = fs::metadata(&path)
            .map_err(|_missing| TrainError::NothingLeft(folder.to_owned()))?
            .len();
        if length > MOST_BYTES {
            return Err(wrong("the file is too large"));
        }
        let bytes = fs::read(&path).map_err(|error| wrong(&error.to_string()))?;
        let rest = bytes.strip_prefix(&MAGIC);
        let mut rest = rest.ok_or_else(|| wrong("the file is of another version or program"))?;
        let mut part = || {
            let (head, behind) = rest.split_at_checked(12)?;
            let (length, sum) = head.split_at(8);
            let length = u64::from_le_bytes(length.try_into().ok()?);
            let sum = u32::from_le_bytes(sum.try_into().ok()?);
            let (part, behind) = behind.split_at_checked(usize::try_from(length).ok()?)?;
            rest = behind;
            (crc32c::crc32c(part) == sum).then_some(part)
        };
        let (Some(progress), Some(network), Some(optimizer)) = (part(), part(), part()) else {
            return Err(wrong("the file is damaged"));
        };
        let progress =
            ciborium::from_reader(progress).map_err(|error| wrong(&error.to_string()))?;
        Ok(Self {
            progress,
            learner: LearnerState {
                network: network.to_vec(),
                optimizer: optimizer.to_vec(),
            },
        })
    }
}

/// Whether the run in `folder` is going on, or was stopped or killed and can go on: it holds a state
/// of the version that this program reads; only the beginning of the file is looked at.
pub fn can_go_on(folder: &Path) -> bool {
    begins_as_state(&folder.join(STATE_FILE))
}

/// Whether the file at `path` begins as a state of the version that this program reads.
pub(super) fn begins_as_state(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    let read = open_file(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == MAGIC
}

/// Takes the state away: the training is finished.
pub(super) fn forget_state(folder: &Path) -> Result<(), TrainError> {
    forget(folder.join(STATE_FILE))
}

/// Takes the file at `path` away, if there is one.
pub(super) fn forget(path: PathBuf) -> Result<(), TrainError> {
    match fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(ReplaceError { path, source }.into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Plateau;
    use super::*;
    use crate::dataset::SplitKind;

    fn state() -> RunState {
        let split = SplitReport {
            kind: SplitKind::Files,
            seed: 1,
            train_pixels: 5,
            validation_pixels: 6,
            validation_blocks: Vec::new(),
            test_blocks: Vec::new(),
            margin: 0,
            validation_files: vec!["a.tif".to_owned()],
            test_files: Vec::new(),
            train_files: 3,
            unreviewed: None,
            notes: Vec::new(),
        };
        let ground = GroundPrint {
            split,
            class_pixels: vec![1, 2],
            bands: BandReading::default(),
            normalization: Normalization::measured([]),
        };
        let mut plateau = PlateauDecay::new(Plateau::SALT, 1e-3);
        plateau.judge(0.1 + 0.2);
        RunState {
            progress: Progress {
                ground,
                kept_stages: 5,
                epoch: 3,
                step_in_epoch: 7,
                loss_sum: 0.1 + 0.7,
                step: 57,
                share: 1.0 / 3.0,
                plateau,
                stop: EarlyStop::new(3),
                keep: KeepBest::default(),
                rows: Vec::new(),
                best: None,
                seconds: 1.5,
                spent: Spent::default(),
                piece: 2,
            },
            learner: LearnerState {
                network: vec![1, 2, 3],
                optimizer: Vec::new(),
            },
        }
    }

    #[test]
    fn every_bit_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let written = state();
        written.save(folder.path()).expect("written");
        let read = RunState::load(folder.path()).expect("our own");
        assert!(can_go_on(folder.path()));
        assert_eq!(read.progress, written.progress);
        assert_eq!(read.learner.network, written.learner.network);
        forget_state(folder.path()).expect("removed");
        assert!(!can_go_on(folder.path()));
        assert!(RunState::load(folder.path()).is_err());
        forget_state(folder.path()).expect("nothing to remove");
    }

    #[test]
    fn states_of_older_versions_are_read() {
        let mut progress = serde_json::to_value(state().progress).expect("a table");
        for name in ["spent", "piece"] {
            let table = progress.as_object_mut().expect("a table");
            table.remove(name).expect("it was there");
        }
        let progress: Progress = serde_json::from_value(progress).expect("an older state");
        assert_eq!((progress.piece, progress.spent), (0, Spent::default()));
    }

    #[test]
    fn a_damaged_state_is_refused_wherever_the_damage_is() {
        let folder = tempfile::tempdir().expect("a folder");
        state().save(folder.path()).expect("written");
        let path = folder.path().join(STATE_FILE);
        let whole = fs::read(&path).expect("written");
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            crate::disk::replace_file(&path, &bytes).expect("written");
            assert!(RunState::load(folder.path()).is_err(), "byte {at}");
            crate::disk::replace_file(&path, &whole[..at]).expect("written");
            assert!(RunState::load(folder.path()).is_err(), "cut at {at}");
        }
    }
}
