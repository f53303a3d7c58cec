use std::path::PathBuf;
use std::sync::Arc;

use super::contest::Contestants;
use super::data::DataReport;
use super::images::ScannedList;
use super::importing::Imported;
use super::keeping::{Keeper, ReadLabel, ReadMask};
pub(super) use super::leash::{Leash, Said};
use super::measures::ReadMeasure;
use super::operations::Operated;
use super::places::KeptPlaces;
use super::queue_command::QueuesReport;
use super::review::Found;
use super::runs::RunsReport;
use super::saving::SavedLayer;
use super::scoring::Pairing;
use super::state::{ImageId, LayerId, OpenImage, Session};
use super::{CommandError, Examined, Notice, Outline, Selected, Vectors};
use crate::job::{JobContext, JobEvent, spawn};
use crate::label::{Class, MapCheck, Mask, MaskDecisions, ObjectFinder, StateMark, Superpixels};
use crate::metrics::{TileComparison, TileConfusion};
use crate::project::{KeptImage, OlderSteps};
use crate::raster::RgbaTile;
use crate::train::{Alike, Ancestor, KeptPrediction, ModelGround, Recipe, Relative, TrainPlan};

/// One background activity; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// A background activity as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// Which job; for [`Command::StopJob`](super::Command::StopJob).
    pub id: JobId,
    /// What it does.
    pub title: String,
    /// Share that is done, 0 to 1, when it can be told.
    pub progress: Option<f32>,
    /// Whether it was told to stop and has not come to a safe place yet.
    pub is_stopping: bool,
}

/// What a job of the session itself reports.
pub(super) enum Report {
    /// Share that is done, 0 to 1.
    Progress(f32),
    /// An image's header was read.
    ImageOpened(Box<OpenImage>),
    /// A mask was read.
    MaskLoaded(LayerId, Box<ReadMask>),
    /// Another measure of how sure the prediction is was read back, or why not.
    MeasureRead(LayerId, Box<Result<ReadMeasure, String>>),
    /// A layer was written to a file.
    Saved(SavedLayer),
    /// One of the labels that are saved together was written.
    OneOfAllSaved(SavedLayer),
    /// Label and prediction were compared.
    Counted(Pairing, Box<TileConfusion>),
    /// Two predictions were compared.
    Contested(Contestants, Box<TileComparison>),
    /// All levels of an image are at hand.
    OverviewsMade(ImageId, SharedSource),
    /// A small picture of the image at this place of the list was made.
    Thumbnail(usize, PathBuf, Arc<RgbaTile>),
    /// A folder was looked through.
    Scanned(ScannedList),
    /// A training was checked and can start.
    TrainingReady(Box<TrainPlan>),
    /// A search for a learning rate was checked and can start.
    RateSearchReady(Box<TrainPlan>),
    /// Something about searches and queues.
    Queues(QueuesReport),
    /// What is to be opened is there.
    ReadyToOpen(PathBuf),
    /// The project's place is known.
    ProjectFound { path: PathBuf, is_read_only: bool },
    /// What the project knows besides labels.
    ProjectRead(ProjectRead),
    /// What there is of an image's label.
    LabelRead(LayerId, Box<ReadLabel>),
    /// What is known of places in an image.
    PlacesRead(ImageId, Box<KeptPlaces>),
    /// Places to decide about.
    Differences(Found),
    /// Places that look like what was shown, the likest first.
    Similar(ImageId, Vec<Alike>),
    /// What an earlier prediction left of an image.
    PredictionKept(ImageId, Box<KeptPrediction>),
    /// Points of a map were drawn, to be looked at.
    PointsDrawn(ImageId, MapCheck),
    /// An object was found in prepared ground.
    ObjectFound(ImageId, Arc<ObjectFinder>, Option<Box<Selected>>),
    /// Ground was prepared in which objects can be found.
    ObjectGround(ImageId, Arc<ObjectFinder>),
    /// What a change would do: the new classes, and how many pixels they are.
    Previewed(LayerId, Box<Mask>, u64),
    /// Polygons and lines were read.
    VectorsRead(Box<Vectors>),
    /// Polygons and lines were brought to the pixels of an image.
    OverlayPlaced(ImageId, PathBuf, Arc<[Outline]>),
    /// A mask file was looked at.
    Examined(Box<Examined>),
    /// A mask file was read as decided.
    Imported(LayerId, Box<Imported>),
    /// One piece of work is on the disk.
    Kept,
    /// The disk refused; the work waits.
    NotKept(String),
    /// Steps older than those in memory; `None` when they cannot be read.
    Recalled(LayerId, Option<OlderSteps>),
    /// All ground of a label is in the project.
    GroundKept(LayerId),
    /// An operation on the whole label is done.
    Operated(LayerId, Box<Operated>),
    /// The ground around the pointer was divided.
    Superpixels(ImageId, Box<Superpixels>),
    /// The wand chose pixels of an image.
    Selected(ImageId, Box<Selected>),
    /// Something about runs.
    Runs(RunsReport),
    /// A recipe file was read.
    RecipeRead(Arc<Recipe>),
    /// Something about a data set.
    Data(DataReport),
    /// What a model learned from of an image, where it can be told.
    Ground(ImageId, PathBuf, Option<Box<ModelGround>>),
    /// A model with all that it comes from, and the tree that it is part of.
    Chain(Vec<Ancestor>, Vec<Relative>),
    /// Something to say.
    Note(Notice),
}

/// What a project knows besides labels.
pub(super) struct ProjectRead {
    pub images: Vec<KeptImage>,
    /// Images whose labels have what their files lack, and the states of those labels.
    pub unsaved: Vec<(PathBuf, StateMark)>,
    /// Models whose predictions were accepted.
    pub models: Vec<String>,
    /// The order in which classes are shown.
    pub order: Vec<u8>,
    /// Classes that were taken out.
    pub removed: Vec<Class>,
    /// Classes that are locked.
    pub locked: Vec<u8>,
    /// What was decided about a mask file last.
    pub decisions: Option<MaskDecisions>,
    /// The run whose model is active.
    pub active_model: Option<PathBuf>,
}

/// A job that runs.
pub(super) struct Running {
    pub activity: Activity,
    pub leash: Leash,
    /// Whether it is too short to be worth a word.
    pub is_quiet: bool,
}

impl Session {
    /// Starts a job of the session's own and lists it as `title`.
    pub(super) fn start_job(
        &mut self,
        title: impl Into<String>,
        work: impl FnOnce(&JobContext<Report>) -> anyhow::Result<()> + Send + 'static,
    ) -> JobId {
        let title = title.into();
        match spawn("session-job", self.config.waker.clone(), work) {
            Ok(job) => self.list_job(title, Leash::Session(job)),
            Err(error) => {
                let why = format!("“{title}” could not start ({error}); close other programs");
                self.notify(Notice::error(why));
                self.next_job_id()
            }
        }
    }

    /// The same for work of some milliseconds, which is not listed.
    pub(super) fn start_quiet_job(
        &mut self,
        title: &'static str,
        work: impl FnOnce(&JobContext<Report>) -> anyhow::Result<()> + Send + 'static,
    ) -> JobId {
        let id = self.start_job(title, work);
        self.hush(id);
        id
    }

    /// Takes a job off the list of what people are told.
    pub(super) fn hush(&mut self, id: JobId) {
        let mut jobs = self.jobs.iter_mut();
        if let Some(running) = jobs.find(|running| running.activity.id == id) {
            running.is_quiet = true;
        }
    }

    pub(super) fn list_job(&mut self, title: impl Into<String>, leash: Leash) -> JobId {
        let id = self.next_job_id();
        let activity = Activity {
            id,
            title: title.into(),
            progress: None,
            is_stopping: false,
        };
        self.jobs.push(Running {
            activity,
            leash,
            is_quiet: false,
        });
        id
    }

    /// Takes in at most `max_events` events of the session's jobs and says how many came.
    pub fn pump(&mut self, max_events: usize) -> usize {
        let mut taken = 0;
        self.pump_closing();
        while taken < max_events && self.pump_keeper() {
            taken += 1;
        }
        while taken < max_events {
            let next = self
                .jobs
                .iter()
                .find_map(|running| Some((running.activity.id, running.leash.next()?)));
            let Some((id, event)) = next else { break };
            self.absorb(id, event);
            taken += 1;
        }
        self.follow_instant();
        self.follow_grounds();
        self.follow_scores();
        self.follow_contest();
        taken
    }

    /// Takes in one event of the thread that writes the project; whether there was one.
    fn pump_keeper(&mut self) -> bool {
        let Some(event) = self.keeper.as_mut().and_then(Keeper::next) else {
            return false;
        };
        match event {
            JobEvent::Said(report) => self.absorb_report(JobId(0), report),
            JobEvent::Failed(why) => {
                self.keeper = None;
                self.notify(Notice::error(format!(
                    "Strokes are not kept any more; save the label now. {why}"
                )));
            }
            JobEvent::Finished | JobEvent::Cancelled => self.keeper = None,
        }
        true
    }

    /// Hears the projects that were left, and lets go of those that are closed.
    fn pump_closing(&mut self) {
        for mut keeper in std::mem::take(&mut self.closing) {
            let is_open = loop {
                match keeper.next() {
                    Some(JobEvent::Said(Report::NotKept(why))) => {
                        self.notify(Notice::error(format!(
                            "The last strokes of what was open before are not on the disk: {why}"
                        )));
                    }
                    Some(JobEvent::Said(_)) => {}
                    Some(JobEvent::Failed(why)) => {
                        self.notify(Notice::error(why));
                        break false;
                    }
                    Some(_) => break false,
                    None => break true,
                }
            };
            if is_open {
                self.closing.push(keeper);
            }
        }
    }

    /// Whether no job runs and all strokes are on the disk, as far as it takes them.
    pub fn is_idle(&self) -> bool {
        let is_keeping = self
            .keeper
            .as_ref()
            .is_some_and(|keeper| !keeper.is_done() && keeper.failing.is_none());
        self.jobs.is_empty() && !is_keeping && self.closing.is_empty() && self.save_later.is_none()
    }

    /// What runs in the background, oldest first.
    pub fn activities(&self) -> impl Iterator<Item = &Activity> {
        let told = self.jobs.iter().filter(|running| !running.is_quiet);
        told.map(|running| &running.activity)
    }

    /// One of [`Self::activities`], while it runs.
    pub fn activity(&self, id: JobId) -> Option<&Activity> {
        self.activities().find(|activity| activity.id == id)
    }

    /// The title of what computes for long, and waits while others are predicted.
    pub fn computes_long(&self) -> Option<&str> {
        let mut running = self.jobs.iter();
        let long = running.find(|running| running.leash.is_long())?;
        Some(&long.activity.title)
    }

    pub(super) fn stop(&mut self, id: JobId) -> Result<(), CommandError> {
        self.stop_job(id);
        self.training_stopped(id);
        self.judging_stopped(id);
        Ok(())
    }

    pub(super) fn stop_job(&mut self, id: JobId) {
        // A job that ended in the meantime needs no stopping.
        let mut jobs = self.jobs.iter_mut();
        if let Some(running) = jobs.find(|running| running.activity.id == id) {
            running.leash.cancel();
            running.activity.is_stopping = true;
        }
    }

    pub(super) fn set_progress(&mut self, id: JobId, progress: f32) {
        if let Some(running) = self
            .jobs
            .iter_mut()
            .find(|running| running.activity.id == id)
        {
            running.activity.progress = Some(progress);
        }
    }

    fn absorb(&mut self, id: JobId, event: JobEvent<Said>) {
        match event {
            JobEvent::Said(Said::Session(report)) => self.absorb_report(id, report),
            JobEvent::Said(Said::Training(event)) => self.absorb_training(id, event),
            JobEvent::Said(Said::Prediction(event)) => self.absorb_prediction(id, event),
            JobEvent::Said(Said::Instant(event)) => self.absorb_instant(event),
            JobEvent::Said(Said::Similar(event)) => self.absorb_similar(id, event),
            JobEvent::Said(Said::RateSearch(event)) => self.absorb_rate_search(id, event),
            JobEvent::Said(Said::Queue(event)) => self.absorb_queue(id, event),
            JobEvent::Said(Said::Search(event)) => self.absorb_search(id, event),
            JobEvent::Said(Said::Judging(event)) => self.absorb_judging(id, event),
            JobEvent::Said(Said::Verdict(event)) => self.absorb_verdict(id, event),
            JobEvent::Finished => self.job_ended(id, None),
            JobEvent::Cancelled => self.job_ended(id, Some("Stopped".to_owned())),
            JobEvent::Failed(why) => {
                // What was to follow a save must not happen when saving failed.
                self.after_saving = None;
                self.notify(Notice::error(why.clone()));
                self.job_ended(id, Some(why));
            }
        }
    }

    fn absorb_report(&mut self, id: JobId, report: Report) {
        match report {
            Report::Progress(share) => self.set_progress(id, share),
            Report::ImageOpened(image) => self.image_opened(*image),
            Report::MaskLoaded(layer, read) => self.opened_mask_loaded(layer, *read),
            Report::MeasureRead(layer, read) => self.measure_read(layer, *read),
            Report::Saved(saved) => self.layer_saved(saved),
            Report::OneOfAllSaved(saved) => self.one_of_all_saved(saved),
            Report::Counted(pairing, counts) => self.counted(pairing, *counts),
            Report::Contested(of, found) => self.contested(of, *found),
            Report::Thumbnail(at, image, picture) => self.thumbnail_made(at, &image, picture),
            Report::OverviewsMade(id, source) => self.overviews_made(id, source),
            Report::Scanned(list) => self.list_scanned(list),
            Report::TrainingReady(plan) => self.training_ready(*plan),
            Report::RateSearchReady(plan) => self.rate_search_ready(*plan),
            Report::Queues(report) => self.absorb_queues(id, report),
            Report::ReadyToOpen(path) => self.open_now(path),
            Report::ProjectFound { path, is_read_only } => self.project_found(path, is_read_only),
            Report::ProjectRead(read) => self.project_read(read),
            Report::LabelRead(layer, read) => self.label_read(layer, *read),
            Report::PlacesRead(image, places) => self.places_read(image, *places),
            Report::Differences(found) => self.differences_found(found),
            Report::Similar(image, found) => self.similar_found(image, found),
            Report::PredictionKept(image, kept) => self.kept_prediction_read(image, *kept),
            Report::PointsDrawn(image, points) => self.points_drawn(image, points),
            Report::ObjectFound(image, finder, found) => self.object_found(image, finder, found),
            Report::ObjectGround(image, finder) => self.object_ground_found(image, finder),
            Report::Previewed(label, shown, pixels) => self.previewed(label, *shown, pixels),
            Report::VectorsRead(vectors) => self.vectors_read(*vectors),
            Report::OverlayPlaced(image, path, outlines) => {
                self.overlay_placed(image, &path, outlines);
            }
            Report::Examined(examined) => self.mask_examined(*examined),
            Report::Imported(label, imported) => self.mask_imported(label, *imported),
            Report::Recalled(layer, older) => self.steps_recalled(layer, older),
            Report::Kept => self.work_kept(),
            Report::NotKept(why) => self.work_not_kept(why),
            Report::GroundKept(layer) => self.ground_kept(layer),
            Report::Operated(layer, done) => self.operated(layer, *done),
            Report::Superpixels(image, found) => self.superpixels_found(image, *found),
            Report::Selected(image, selected) => self.selection_made(image, *selected),
            Report::Runs(report) => self.absorb_runs(id, report),
            Report::RecipeRead(recipe) => self.study.recipe = Some(recipe),
            Report::Data(report) => self.absorb_data(id, report),
            Report::Ground(image, run, ground) => self.ground_found(image, run, ground),
            Report::Chain(chain, family) => {
                self.study.finetune.chain = chain;
                self.study.finetune.family = family;
            }
            Report::Note(notice) => self.notify(notice),
        }
    }

    /// `why` is the reason when the job did not finish.
    fn job_ended(&mut self, id: JobId, why: Option<String>) {
        let Some(at) = self
            .jobs
            .iter()
            .position(|running| running.activity.id == id)
        else {
            return;
        };
        let ended = self.jobs.remove(at);
        if self.doing.operation == Some(id) {
            // It was stopped: the pixels of a class that was to go are still there.
            self.palette.leaving = None;
        }
        let kinds = [
            &mut self.doing.operation,
            &mut self.doing.selecting,
            &mut self.doing.preparing,
            &mut self.doing.previewing,
            &mut self.doing.saving_all,
        ];
        for running in kinds {
            if *running == Some(id) {
                *running = None;
            }
        }
        self.live.ended(id);
        self.predicting.contest.ended(id);
        self.study.grounds.ended(id);
        self.runs_job_ended(id);
        self.data_job_ended(id, why.as_deref());
        match ended.leash {
            Leash::Training(_) => self.training_ended(why),
            Leash::Prediction(_) => self.prediction_ended(id, why),
            Leash::Instant(_) => self.instant_ended(why),
            Leash::Similar(_) => self.similar_ended(id),
            Leash::Queue(_) => self.queue_ended(why),
            Leash::Search(_) => self.search_ended(why),
            Leash::Judging(_) => self.study.queue.judging.job = None,
            Leash::Verdict(_) => self.verdict_ended(id, why),
            // Preparing a training failed or was stopped; a plan that was made is another job.
            Leash::Session(_) if self.training.job == Some(id) => self.training_ended(why),
            Leash::Session(_) if self.preparing_ended(id, why.as_ref()) => {}
            Leash::Session(_) | Leash::RateSearch(_) => self.rate_search_ended(id, why),
        }
    }

    fn next_job_id(&mut self) -> JobId {
        self.next_number += 1;
        JobId(self.next_number)
    }
}

/// Shares that are worth an event: whole percents.
pub(super) fn tell_progress(job: &JobContext<Report>, last: &mut u32, share: f64) {
    let percent = (share * 100.0) as u32;
    if percent != *last {
        *last = percent;
        job.mention(Report::Progress(share as f32));
    }
}

/// An image shared with a job.
pub(super) type SharedSource = Arc<dyn crate::raster::TileSource>;
