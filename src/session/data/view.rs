use std::path::PathBuf;
use std::sync::Arc;

use super::super::jobs::JobId;
use super::super::state::Session;
use super::drawn::ReadSet;
use super::look::look;
use super::{ContactTile, Parted, SamplePictures, VariedPatch};
use crate::dataset::leaks::LeakReport;
use crate::dataset::parts::PartRule;
use crate::dataset::{Corrections, Discovery, Inspection, Problem, SetParts};

/// How far the look at a data set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataPhase {
    /// Its files are being read.
    Looking,
    /// It is over; what was found is all there is.
    Seen,
    /// It failed or was stopped; why.
    Failed(String),
}

/// What is known of a data set; parts come as they are found.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// The folder that was chosen.
    pub folder: PathBuf,
    /// What is corrected of what is recognized.
    pub corrections: Corrections,
    /// How far the look is.
    pub phase: DataPhase,
    /// What was recognized.
    pub discovery: Option<Arc<Discovery>>,
    /// Samples in small, those that are looked at.
    pub pictures: SamplePictures,
    /// What is in the files, and what is wrong with them.
    pub inspection: Option<Arc<Inspection>>,
    /// How roads differ between the data sets of a folder that holds several.
    pub widths: Option<Problem>,
    /// How a training makes the parts that leaks are looked for between.
    pub parts: PartRule,
    /// What training, validation and test ground share; of a folder of several data sets what these
    /// do.
    pub leaks: Option<Arc<LeakReport>>,
    /// The parts that were asked for last.
    pub parted: Option<Parted>,
    /// The job that looks.
    pub job: Option<JobId>,
}

impl DataSet {
    /// Whether anything that was found so far can be learned from.
    pub fn has_masks(&self) -> bool {
        let found = self.discovery.iter();
        let mut samples = found.flat_map(|discovery| &discovery.samples);
        samples.any(|sample| sample.mask.is_some())
    }
}

/// What the job that looks at a data set reports, in this order, and what others do.
pub(in crate::session) enum DataReport {
    Recognized(Arc<Discovery>),
    Inspected(Arc<Inspection>),
    Widths(Option<Problem>),
    Leaks(Arc<LeakReport>),
    /// Another job's: the sample at this place in small, if its image can be read.
    Pictured(usize, Option<ContactTile>),
    /// Another job's: the parts of its files, or why there are none.
    Parted(Result<Arc<SetParts>, String>),
    /// Another job's: a data set to draw patches from, or why there is none.
    Drawable(Result<Arc<ReadSet>, String>),
    /// Another job's: varied patches.
    Varied(Result<Arc<[VariedPatch]>, String>),
}

impl Session {
    /// The data set that is looked at.
    pub const fn data(&self) -> Option<&DataSet> {
        self.study.data.as_ref()
    }

    pub(super) fn look_at_data(
        &mut self,
        folder: PathBuf,
        parts: PartRule,
        corrections: Corrections,
    ) {
        self.leave_data();
        let (chosen, corrected, rule) = (folder.clone(), corrections.clone(), parts.clone());
        let id = self.start_job("Looking at the data set", move |job| {
            look((&chosen, &corrected), &rule, job)
        });
        self.study.data = Some(DataSet {
            folder,
            corrections,
            phase: DataPhase::Looking,
            discovery: None,
            pictures: SamplePictures::default(),
            inspection: None,
            widths: None,
            parts,
            leaks: None,
            parted: None,
            job: Some(id),
        });
    }

    pub(super) fn leave_data(&mut self) {
        self.forget_drawable();
        let Some(data) = self.study.data.take() else {
            return;
        };
        let parting = data.parted.map(|parted| parted.job);
        let jobs = data.job.into_iter().chain(data.pictures.job());
        for job in jobs.chain(parting) {
            self.stop_job(job);
        }
    }

    /// `id` is the job that reports; one that was left is not heard.
    pub(in crate::session) fn absorb_data(&mut self, id: JobId, report: DataReport) {
        let data = self.study.data.as_mut().filter(|data| data.job == Some(id));
        match (report, data) {
            (DataReport::Pictured(at, tile), _) => self.sample_pictured(id, at, tile),
            (DataReport::Parted(parts), _) => self.parted(id, parts),
            (DataReport::Drawable(read), _) => self.drawable(id, read),
            (DataReport::Varied(patches), _) => {
                if self.study.varied.job == Some(id) {
                    self.study.varied.patches = Some(patches);
                }
            }
            (_, None) => {}
            (DataReport::Recognized(discovery), Some(data)) => data.discovery = Some(discovery),
            (DataReport::Inspected(inspection), Some(data)) => data.inspection = Some(inspection),
            (DataReport::Widths(widths), Some(data)) => data.widths = widths,
            (DataReport::Leaks(leaks), Some(data)) => data.leaks = Some(leaks),
        }
    }

    /// `why` is the reason when the job did not finish.
    pub(in crate::session) fn data_job_ended(&mut self, id: JobId, why: Option<&str>) {
        self.picturing_ended(id);
        self.drawing_ended(id, why);
        if let Some(data) = self.study.data.as_mut().filter(|data| data.job == Some(id)) {
            data.job = None;
            data.phase = why.map_or(DataPhase::Seen, |why| DataPhase::Failed(why.to_owned()));
        }
    }
}
