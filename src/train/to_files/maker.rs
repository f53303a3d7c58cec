use std::path::{Path, PathBuf, absolute};

use super::made_of::{MadeOf, bytes_and_time};
use super::run::record_of;
use crate::train::RunRecord;

/// Which run predicted a file, and of which image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMaker {
    /// Its folder.
    pub run: PathBuf,
    /// The image.
    pub image: PathBuf,
}

impl FileMaker {
    /// What the record beside the mask at `out` says; `None` where there is none, where the mask was
    /// written since by something else, or where run or image are gone.
    pub fn of(out: &Path) -> Option<Self> {
        let record = record_of(out);
        let (_, written) = bytes_and_time(out).ok()?;
        let (_, told) = bytes_and_time(&record).ok()?;
        let made = MadeOf::load(&record).filter(|_| written <= told)?;
        let [model, image] = made.model_and_image();
        let maker = Self {
            run: run_of(model)?,
            image: image.to_owned(),
        };
        maker.image.exists().then_some(maker)
    }

    /// Whether there is a record beside the mask at `out` at all.
    pub fn has_record(out: &Path) -> bool {
        record_of(out).is_file()
    }
}

/// The run that `model`, a run folder or the folder of one of its checkpoints, belongs to.
pub fn run_of(model: &Path) -> Option<PathBuf> {
    let model = absolute(model).ok()?;
    let mut folders = model.ancestors().take(3);
    let run = folders.find(|folder| RunRecord::is_run(folder))?;
    Some(run.to_owned())
}
