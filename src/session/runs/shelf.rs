use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::super::jobs::{JobId, Report};
use super::super::state::Session;
use super::look::{RunStatus, Stamp, look};
use super::samples::RunSamples;
use crate::session::keeping::absolute;
use crate::session::training::RUNS_FOLDER;
use crate::train::RunRecord;

/// The runs of a folder, the newest first.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// The folder that is listed; `None` until one was looked through.
    pub folder: Option<PathBuf>,
    /// What its runs say.
    pub entries: Vec<RunEntry>,
    /// The run that was asked for by name.
    pub asked: Option<PathBuf>,
    /// Pictures of one epoch of one run.
    pub samples: Option<RunSamples>,
    /// The folder that a person chose.
    pub(super) chosen: Option<PathBuf>,
    pub(super) looking: Option<JobId>,
    /// The pictures that were asked for last.
    pub(super) wanted: Option<(PathBuf, u32)>,
}

impl Runs {
    /// The run in `folder`.
    pub fn entry(&self, folder: &Path) -> Option<&RunEntry> {
        let mut entries = self.entries.iter();
        entries.find(|entry| entry.record.folder == folder)
    }

    /// What the list calls a run: the name of its folder, and behind it that of the queue or search
    /// that it is of, since those name theirs alike.
    pub fn name_of(&self, record: &RunRecord) -> String {
        let name = record.name();
        let listed = self.folder.as_deref();
        let within = listed.and_then(|listed| record.folder.strip_prefix(listed).ok()?.parent());
        match within.filter(|queue| !queue.as_os_str().is_empty()) {
            Some(queue) => format!("{name} · {}", queue.display()),
            None => name,
        }
    }
}

/// One run.
#[derive(Clone, Debug)]
pub struct RunEntry {
    /// What its folder says.
    pub record: Arc<RunRecord>,
    /// Whether it goes on, ended or can go on.
    pub status: RunStatus,
    /// When it was begun.
    pub began: SystemTime,
    /// Sample (from 0) and epoch (from 1) of each picture it made, by epoch.
    pub samples: Arc<[(usize, u32)]>,
    pub(super) stamp: Stamp,
}

/// What jobs report about runs.
pub(in crate::session) enum RunsReport {
    /// A folder was looked through.
    Read {
        folder: PathBuf,
        entries: Vec<RunEntry>,
        /// The run that was asked for.
        asked: Option<PathBuf>,
    },
    /// Pictures were read.
    Samples(RunSamples),
}

impl Session {
    /// The runs that are listed.
    pub const fn runs(&self) -> &Runs {
        &self.study.runs
    }

    pub(super) fn open_runs(&mut self, folder: PathBuf, now: SystemTime) {
        self.study.runs.chosen = Some(folder);
        self.study.runs.looking = None;
        self.look_at_runs(now);
    }

    /// Looks through the chosen folder, else the one beside the image, unless that is being done.
    pub(super) fn look_at_runs(&mut self, now: SystemTime) {
        if self.study.runs.looking.is_some() {
            return;
        }
        let Some(folder) = self.study.runs.chosen.clone().or_else(|| self.own_runs()) else {
            return;
        };
        let known = self.study.runs.entries.clone();
        let id = self.start_quiet_job("Reading the runs", move |job| {
            let read = look(&folder, &known, now, &|| job.check().is_err())?;
            job.tell(Report::Runs(read))?;
            Ok(())
        });
        self.study.runs.looking = Some(id);
    }

    /// Where the runs of the last training are, else those of the open data set or image.
    fn own_runs(&self) -> Option<PathBuf> {
        let of_training = self.training.run.as_deref().and_then(Path::parent);
        let data = self.data().map(|data| absolute(&data.folder));
        let image = || Some(self.image.as_ref()?.path.clone());
        let beside = || Some(data.or_else(image)?.parent()?.join(RUNS_FOLDER));
        of_training.map(Path::to_owned).or_else(beside)
    }

    /// `id` is the job that reports; a look at another folder comes too late.
    pub(in crate::session) fn absorb_runs(&mut self, id: JobId, report: RunsReport) {
        match report {
            RunsReport::Read { .. } if self.study.runs.looking != Some(id) => {}
            RunsReport::Read {
                folder,
                entries,
                asked,
            } => {
                if asked.is_some() {
                    self.study.runs.chosen = Some(folder.clone());
                    self.study.runs.asked = asked;
                }
                self.study.runs.folder = Some(folder);
                self.study.runs.entries = entries;
            }
            RunsReport::Samples(samples) => {
                let is_wanted = self
                    .study
                    .runs
                    .wanted
                    .as_ref()
                    .is_some_and(|(run, epoch)| (run, *epoch) == (&samples.run, samples.epoch));
                if is_wanted {
                    self.study.runs.samples = Some(samples);
                }
            }
        }
    }

    pub(in crate::session) fn runs_job_ended(&mut self, id: JobId) {
        if self.study.runs.looking == Some(id) {
            self.study.runs.looking = None;
        }
    }
}
