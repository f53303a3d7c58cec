use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::ground::is_unreviewed;
use super::jobs::{JobId, Leash, Report};
use super::keeping::absolute;
use super::outcome::condensed;
use super::state::Session;
use super::training_state::{TrainingPhase, TrainingState};
use super::{CommandError, Notice, Pause, TrainOn};
use crate::dataset::{Corrections, Scene, Watch};
use crate::geom::PixelRect;
use crate::job::JobContext;
use crate::label::{ClassTable, Coverage, Mask};
use crate::metrics::TiledGround;
use crate::train::{
    Engine, Recipe, TrainData, TrainError, TrainEvent, TrainPlan, TrainReport, TrainStatus,
    VerdictPlan, opened_corrected, remedies_in_words,
};

/// Runs go into this folder beside the image.
pub(super) const RUNS_FOLDER: &str = "orthobrush-runs";

impl Session {
    pub(super) fn start_training(
        &mut self,
        recipe: Recipe,
        on: &TrainOn,
        out: Option<PathBuf>,
    ) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.refuse_while_learning()?;
        if let TrainOn::Resume(run) = on {
            if self.go_on_finetuning(&absolute(run), None)? {
                return Ok(());
            }
            return self.resume_training(run.clone());
        }
        let ground = self.training_ground(on)?;
        let out = match out {
            Some(out) => out,
            None => self.next_run_folder(on)?,
        };
        let (planned, folder) = (recipe.clone(), out.clone());
        let id = self.start_job("Preparing the training", move |job| {
            let plan = watched(job, |watch| ground.planned(planned, folder, watch))?;
            job.tell(Report::TrainingReady(Box::new(plan)))?;
            Ok(())
        });
        self.training = TrainingState::starting(id, recipe, out);
        Ok(())
    }

    /// Goes on with a run that was stopped or killed.
    pub(super) fn resume_training(&mut self, run: PathBuf) -> Result<(), CommandError> {
        let cache_bytes = self.settings.budget().tile_cache_bytes;
        let refused = |error: TrainError| CommandError::Refused(error.to_string());
        TrainData::of_run(&run).map_err(refused)?;
        if VerdictPlan::is_due(&run) {
            return Err(refused(TrainError::NotJudged(run)));
        }
        let recipe = Recipe::load(&run.join("recipe.toml")).map_err(refused)?;
        let folder = run.clone();
        let id = self.start_job("Preparing to go on with the training", move |job| {
            let data = TrainData::of_run(&folder)?;
            let plan = watched(job, |watch| {
                let ground = watch.during((0.0, 0.5), |watch| {
                    data.ground_watched(&folder, cache_bytes, watch)
                })?;
                watch.during((0.5, 1.0), |watch| {
                    TrainPlan::resume_watched(ground, folder, watch)
                })
            })?;
            job.tell(Report::TrainingReady(Box::new(plan)))?;
            Ok(())
        });
        self.training = TrainingState::starting(id, recipe, run);
        Ok(())
    }

    /// What is learned from: frozen, so that painting goes on meanwhile.
    pub(super) fn training_ground(&self, on: &TrainOn) -> Result<ChosenGround, CommandError> {
        let cache_bytes = self.settings.budget().tile_cache_bytes;
        let data = match on {
            TrainOn::Folder(folder) => Some((folder, Corrections::default())),
            TrainOn::Corrected(folder, corrections) => Some((folder, corrections.clone())),
            _ => None,
        };
        if let Some((folder, corrections)) = data {
            return Ok(ChosenGround::Folder {
                folder: absolute(folder),
                corrections,
                cache_bytes,
            });
        }
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        let origins = self.origins.as_ref().ok_or(CommandError::NoLabel)?;
        if label.is_loading {
            return Err(CommandError::LabelLoading);
        }
        let source = Arc::clone(&image.source);
        let scene = Scene::tiled(image.name(), source, label.mask.clone(), cache_bytes);
        Ok(ChosenGround::Scene {
            scene: Arc::new(scene),
            coverage: self.coverage().clone(),
            origins: origins.mask.clone(),
            classes: self.classes().clone(),
            image: absolute(&image.path),
        })
    }

    /// Everything was looked at: hands the plan to the thread that owns all tensors.
    pub(super) fn training_ready(&mut self, plan: TrainPlan) {
        for note in condensed(plan.notes()) {
            self.notices.push(Notice::of_training(note));
        }
        self.training.notes.extend_from_slice(plan.notes());
        self.training.recipe = Some(plan.recipe().clone());
        let waker = self.config.waker.clone();
        match self
            .engine()
            .map(|engine| engine.train(plan.timed(Some(SystemTime::now)), waker))
        {
            Ok(job) => {
                let id = self.list_job("Training", Leash::Training(job));
                self.training.job = Some(id);
            }
            Err(error) => self.training.phase = TrainingPhase::Failed(error.to_string()),
        }
    }

    /// The next run of an image goes beside it, that of a data set beside the data set.
    pub(super) fn next_run_folder(&self, on: &TrainOn) -> Result<PathBuf, CommandError> {
        self.next_folder(on, "")
    }

    /// The same for what is not one run; `kind` is a word of its name, like `search-`.
    pub(super) fn next_folder(&self, on: &TrainOn, kind: &str) -> Result<PathBuf, CommandError> {
        let of_list = self.list.as_ref().map(|list| &list.folder);
        let source = match on {
            TrainOn::Folder(folder) | TrainOn::Corrected(folder, _) if Some(folder) != of_list => {
                absolute(folder)
            }
            _ => self
                .image
                .as_ref()
                .ok_or(CommandError::NoImage)?
                .path
                .clone(),
        };
        let stem = source
            .file_stem()
            .map_or_else(Default::default, |stem| stem.to_string_lossy());
        let folder = source.parent().unwrap_or(Path::new(".")).join(RUNS_FOLDER);
        let free = (1..10_000)
            .map(|number| folder.join(format!("{stem}-{kind}{number:03}")))
            .find(|run| !run.exists());
        free.ok_or_else(|| CommandError::Refused("All run folder names are taken".to_owned()))
    }

    /// The one thread that owns all tensors, started when it is first needed.
    pub(super) fn engine(&mut self) -> Result<&Engine, CommandError> {
        if self.engine.is_none() {
            let started = if self.study.is_watched {
                Engine::start_behind()
            } else {
                Engine::start()
            };
            let engine = started.map_err(|error| {
                CommandError::Refused(format!("The training thread could not start ({error})"))
            })?;
            engine.room().set_made(!self.settings.never_makes_room);
            self.engine = Some(engine);
        }
        self.engine
            .as_ref()
            .ok_or(CommandError::Busy("The training thread"))
    }

    pub(super) fn absorb_training(&mut self, id: JobId, event: TrainEvent) {
        match event {
            TrainEvent::DeviceChosen { name, reason } => {
                self.training.device = Some((name, reason));
            }
            TrainEvent::Split(split, source) => {
                self.training.split = Some(split);
                self.training.source = source;
            }
            TrainEvent::Step {
                epoch,
                step,
                steps,
                loss,
                ..
            } => {
                self.step_done(id, epoch, step, steps, loss);
                self.look_on();
            }
            TrainEvent::Trying { what, done, total } => {
                // No share of the training, which is what its activity tells.
                let share = done as f64 / total.max(1) as f64;
                self.training.trying = Some((what, share as f32));
            }
            TrainEvent::Forecast(forecast) => {
                self.training.forecast = Some(forecast);
                self.training.forecast_epoch = self.training.running_epoch();
            }
            TrainEvent::Tight(remedies) => {
                self.notify(Notice::of_training(remedies_in_words(&remedies)));
                self.training.remedies = remedies;
            }
            TrainEvent::Paused => self.training.is_paused = true,
            TrainEvent::GoesOn => self.training.is_paused = false,
            TrainEvent::EpochEnded(row) => {
                self.training.step_losses.clear();
                self.training.rows.push(row);
            }
            TrainEvent::BestSaved { beats_start, .. } => {
                if beats_start {
                    self.finetune_got_better();
                }
            }
            TrainEvent::Explained(how) => self.training.explained = Some(how),
            TrainEvent::Note(note) => {
                // What was said before the start is not said again.
                if !self.training.notes.contains(&note) {
                    self.notify(Notice::of_training(note.clone()));
                    self.training.notes.push(note);
                }
            }
            TrainEvent::Finished(report) => {
                let said = finished_text(&report, &self.training);
                self.notify(Notice::info(said));
                self.training.phase = TrainingPhase::Ended(Box::new(report));
            }
        }
    }

    fn step_done(&mut self, id: JobId, epoch: u32, step: u32, steps: u32, loss: f64) {
        self.training.phase = TrainingPhase::Running { epoch, step, steps };
        self.training.trying = None;
        let number = u64::from(epoch.saturating_sub(1)) * u64::from(steps) + u64::from(step);
        let losses = &mut self.training.step_losses;
        // A training that ran out of memory takes steps again.
        losses.truncate(losses.partition_point(|&(known, _)| known < number));
        losses.push((number, loss));
        let epochs = self
            .training
            .recipe
            .as_ref()
            .map_or(1, |recipe| recipe.epochs);
        let done = f64::from(epoch) - 1.0 + f64::from(step) / f64::from(steps.max(1));
        self.set_progress(id, (done / f64::from(epochs.max(1))) as f32);
    }

    /// Lets the training rest until it may go on; predictions are served meanwhile.
    pub(super) fn pause_training(&mut self, pause: Pause) -> Result<(), CommandError> {
        if let Pause::MakeRoom(is_made) = pause {
            return self.make_room(is_made);
        }
        let job = self.training.job;
        let running = self.jobs.iter().find(|run| Some(run.activity.id) == job);
        let Some(token) = running.and_then(|running| running.leash.pause_token()) else {
            return Err(CommandError::Refused("No training runs".to_owned()));
        };
        match pause {
            Pause::Rest => token.pause(),
            Pause::GoOn | Pause::MakeRoom(_) => token.go_on(),
        }
        Ok(())
    }

    /// Says that somebody looks on: computing goes behind what the window does.
    pub const fn watch(&mut self) {
        self.study.is_watched = true;
    }

    /// Says that somebody works in the window now; trainings make room for a moment.
    pub fn note_work(&self) {
        if let Some(engine) = &self.engine {
            engine.room().want();
        }
    }

    /// Whether trainings make room, and how long they waited for it so far.
    pub fn room_made(&self) -> (bool, std::time::Duration) {
        let waited = self.engine.as_ref().map(|engine| engine.room().waited());
        (!self.settings.never_makes_room, waited.unwrap_or_default())
    }

    fn make_room(&mut self, is_made: bool) -> Result<(), CommandError> {
        self.settings.never_makes_room = !is_made;
        if let Some(engine) = &self.engine {
            engine.room().set_made(is_made);
        }
        self.save_settings();
        Ok(())
    }

    /// `why` is the reason when the job did not finish.
    pub(super) fn training_ended(&mut self, why: Option<String>) {
        self.training.job = None;
        self.training.is_paused = false;
        if self.training.is_running() {
            let why = why.unwrap_or_else(|| "The training ended early".to_owned());
            self.training.phase = TrainingPhase::Failed(why);
        }
        self.finetune_learned();
    }

    /// The run folder of the last training that left a network.
    pub(super) fn last_run(&self) -> Option<PathBuf> {
        self.training.best_row()?;
        self.training.run.clone()
    }
}

/// What a training learns from, before its files are looked at.
pub(super) enum ChosenGround {
    Scene {
        scene: Arc<Scene>,
        /// What of the image is done.
        coverage: Coverage,
        /// Where its label comes from.
        origins: Mask,
        classes: ClassTable,
        image: PathBuf,
    },
    Folder {
        folder: PathBuf,
        corrections: Corrections,
        /// Bytes that decoded images of it may take.
        cache_bytes: usize,
    },
}

/// What `work` makes while it is watched by `job`, which may stop it.
pub(super) fn watched<R>(
    job: &JobContext<Report>,
    work: impl FnOnce(&Watch<'_>) -> Result<R, TrainError>,
) -> anyhow::Result<R> {
    let made = work(&Watch {
        is_cancelled: &|| job.check().is_err(),
        progress: &|share| job.mention(Report::Progress(share as f32)),
    });
    // Whoever asked to stop hears that, and no error.
    job.check()?;
    Ok(made?)
}

impl ChosenGround {
    /// The plan for it.
    pub(super) fn planned(
        self,
        recipe: Recipe,
        out: PathBuf,
        watch: &Watch<'_>,
    ) -> Result<TrainPlan, TrainError> {
        match self {
            Self::Scene {
                scene,
                coverage,
                origins,
                classes,
                image,
            } => {
                let ground = (Arc::clone(&scene), &coverage);
                let plan = TrainPlan::of_image(recipe, ground, classes, out, watch)?;
                let held_out = &plan.split().report;
                let blocks = held_out.validation_blocks.iter();
                let masks = [scene.image_mask(), &origins];
                let is_open = |block: &&PixelRect| {
                    let block = TiledGround::of_rects(masks[0].size(), &[**block]);
                    is_unreviewed(masks, &coverage, block)
                };
                let unreviewed = held_out
                    .unreviewed
                    .max(Some(blocks.filter(is_open).count()));
                let plan = plan.reviewed(unreviewed);
                Ok(plan.reading(TrainData::Image { image }))
            }
            Self::Folder {
                folder,
                corrections,
                cache_bytes,
            } => {
                let (ground, classes) = watch.during((0.0, 0.4), |watch| {
                    opened_corrected(&folder, &corrections, cache_bytes, watch)
                })?;
                let plan = watch.during((0.4, 1.0), |watch| {
                    TrainPlan::watched(recipe, ground, classes, out, watch)
                })?;
                Ok(plan.reading(TrainData::Folder {
                    folder,
                    corrections,
                }))
            }
        }
    }
}

fn finished_text(report: &TrainReport, state: &TrainingState) -> String {
    let iou = state.best_row().and_then(|row| row.mean_iou);
    let iou = iou.map_or_else(|| "no IoU".to_owned(), |iou| format!("mean IoU {iou:.3}"));
    let status = match report.status {
        TrainStatus::Finished => "finished",
        TrainStatus::Stopped => "stopped",
    };
    let best = match report.best_epoch {
        0 => "No epoch was finished".to_owned(),
        epoch if state.chooses() => format!("Best network: epoch {epoch}, {iou}"),
        epoch => format!("Its network is that of the last epoch, {epoch}"),
    };
    format!("Training {status} ({}). {best}", report.reason)
}
