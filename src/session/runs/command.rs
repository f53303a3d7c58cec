use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::super::CommandError;
use super::super::state::Session;
use crate::raster::RgbaTile;

/// What can be done with runs; none of it changes what a training wrote.
#[derive(Clone, Debug, PartialEq)]
pub enum RunsCommand {
    /// Lists the runs of a folder, or those beside a run.
    Open {
        /// A folder of runs, or a run.
        folder: PathBuf,
        /// The time it is.
        now: SystemTime,
    },
    /// Reads what changed in the listed folder; at first that is `orthobrush-runs` beside the
    /// data set or the image.
    Look {
        /// The time it is: files that changed lately belong to a run that goes on.
        now: SystemTime,
    },
    /// Reads the pictures that a run made after an epoch.
    ShowSamples {
        /// The run's folder.
        run: PathBuf,
        /// The epoch, from 1.
        epoch: u32,
    },
    /// Writes the table of some runs, or the report of one.
    Export {
        /// The runs' folders, in the order of the rows.
        runs: Vec<PathBuf>,
        /// The run that the others are compared with.
        pinned: Option<PathBuf>,
        /// `.csv`, `.md` or `.html`.
        to: PathBuf,
    },
    /// Writes a picture of curves.
    SavePicture {
        /// The picture.
        picture: Arc<RgbaTile>,
        /// A `.png` file.
        to: PathBuf,
    },
}

impl Session {
    pub(in crate::session) fn apply_runs(
        &mut self,
        command: RunsCommand,
    ) -> Result<(), CommandError> {
        match command {
            RunsCommand::Open { folder, now } => {
                self.open_runs(folder, now);
                Ok(())
            }
            RunsCommand::Look { now } => {
                self.look_at_runs(now);
                Ok(())
            }
            RunsCommand::ShowSamples { run, epoch } => {
                self.show_samples(run, epoch);
                Ok(())
            }
            RunsCommand::Export { runs, pinned, to } => {
                self.export_runs(&runs, pinned.as_deref(), to)
            }
            RunsCommand::SavePicture { picture, to } => {
                self.save_picture(picture, to);
                Ok(())
            }
        }
    }
}
