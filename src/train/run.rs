use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::device::{ChosenDevice, choose};
use super::learner::{Learner, Validation};
use super::resume::{Progress, RunState, forget_state};
use super::run_folder::{BEST, LAST};
use super::{
    Environment, EpochFiles, EpochRow, Patch, TrainError, TrainEvent, TrainPlan, TrainReport,
    TrainStatus, rgba_of, write_report, write_run_files, write_strip,
};
use crate::geom::ImageSize;
use crate::job::{Cancelled, JobContext};
use crate::metrics::{Confusion, Scores};
use crate::nn::KeptMemory;

/// Why the loop left early.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error(transparent)]
    Stopped(#[from] Cancelled),
    #[error(transparent)]
    Failed(#[from] TrainError),
}

/// Trains as `plan` says. `between` is called between steps, when no tensor is in use: the place
/// to serve other requests.
///
/// A stopped training reports as well, before it says that it was cancelled.
pub(super) fn run(
    plan: &TrainPlan,
    job: &JobContext<TrainEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<()> {
    job.check()?;
    let chosen = choose(&plan.recipe.device, plan.workload())?;
    let _kept = KeptMemory::begin();
    let ChosenDevice { name, reason, .. } = chosen.clone();
    job.tell(TrainEvent::DeviceChosen { name, reason })?;
    for note in plan.notes() {
        job.tell(TrainEvent::Note(note.clone()))?;
    }
    job.tell(TrainEvent::Split(plan.split().report.clone()))?;
    let mut training = Training::new(plan, &chosen, job)?;
    if plan.resumed.is_some() {
        for row in &training.progress.rows {
            job.tell(TrainEvent::EpochEnded(row.clone()))?;
        }
    } else {
        plan.folder.begin(plan)?;
        let num_cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Environment::of_program(num_cpus, &chosen.name, &plan.data_fingerprint())
            .save(plan.folder.path())?;
    }
    let ended = training.epochs(between);
    let status = match ended {
        Ok(()) => TrainStatus::Finished,
        Err(Halt::Stopped(Cancelled)) => TrainStatus::Stopped,
        Err(Halt::Failed(error)) => return Err(error.into()),
    };
    training.leave_state(status)?;
    let report = training.into_report(status, chosen.name)?;
    if let Err(error) = write_report(plan.folder.path(), &[]) {
        job.tell(TrainEvent::Note(format!(
            "The report was not written: {error}"
        )))?;
    }
    // Telling sends even when the job was cancelled, and then says so: the job's own last event.
    Ok(job.tell(TrainEvent::Finished(report))?)
}

/// So much work may be lost when the program is killed in the middle of an epoch.
const STATE_EVERY: Duration = Duration::from_mins(1);

struct Training<'a> {
    plan: &'a TrainPlan,
    job: &'a JobContext<TrainEvent>,
    learner: Learner,
    progress: Progress,
    /// When this part of the training began.
    began: Instant,
    /// When the state was written last.
    kept: Instant,
}

impl<'a> Training<'a> {
    fn new(
        plan: &'a TrainPlan,
        chosen: &ChosenDevice,
        job: &'a JobContext<TrainEvent>,
    ) -> Result<Self, TrainError> {
        let mut learner = Learner::new(plan, &chosen.device)?;
        let progress = match &plan.resumed {
            Some(progress) => {
                learner.resume(RunState::load(plan.folder.path())?.learner)?;
                plan.folder.rebased(progress.clone())
            }
            None => plan.fresh_progress(),
        };
        Ok(Self {
            plan,
            job,
            learner,
            progress,
            began: Instant::now(),
            kept: Instant::now(),
        })
    }

    fn epochs(&mut self, between: &mut dyn FnMut()) -> Result<(), Halt> {
        while self.progress.epoch <= self.plan.recipe.epochs {
            let started = Instant::now();
            let train_loss = self.train_epoch(between)?;
            let job = self.job;
            let validation = self.learner.validate(self.plan, || {
                between();
                job.check().map_err(Halt::from)
            })?;
            let row = self.row(train_loss, &validation, started);
            self.write_strips(&validation)?;
            let is_last = self.judge(row, &validation.confusion)?;
            self.keep_state()?;
            if is_last {
                let patience = self.plan.recipe.stop_patience;
                let note = format!("No progress in {patience} epochs, so the training ends here");
                self.job.tell(TrainEvent::Note(note))?;
                break;
            }
        }
        Ok(())
    }

    /// The mean loss of the epoch's steps.
    fn train_epoch(&mut self, between: &mut dyn FnMut()) -> Result<f64, Halt> {
        let recipe = &self.plan.recipe;
        let (steps, batch) = (recipe.steps_per_epoch, recipe.batch as u64);
        let epoch = self.progress.epoch;
        while self.progress.step_in_epoch < steps {
            between();
            self.job.check()?;
            let first = u64::from(self.progress.step_in_epoch) * batch;
            let patches = &self.plan.patches;
            let patches = patches
                .batch(recipe.seed, epoch.into(), first..first + batch)
                .map_err(TrainError::from)?;
            let rate = self.rate(self.progress.step);
            let loss = self.learner.step(patches, self.progress.step, rate)?;
            let step = self.progress.step_in_epoch + 1;
            if !loss.is_finite() {
                return Err(TrainError::Diverged { epoch, step }.into());
            }
            self.progress.step += 1;
            self.progress.step_in_epoch = step;
            self.progress.loss_sum += loss;
            self.job.mention(TrainEvent::Step {
                epoch,
                step,
                steps,
                loss,
            });
            if self.kept.elapsed() >= STATE_EVERY {
                self.keep_state()?;
            }
        }
        Ok(self.progress.loss_sum / f64::from(steps))
    }

    /// The learning rate of a step, from 0.
    fn rate(&self, step: u64) -> f64 {
        let recipe = &self.plan.recipe;
        recipe.learning_rate * self.progress.share * recipe.schedule.factor(step, recipe.span())
    }

    fn row(&mut self, train_loss: f64, validation: &Validation, started: Instant) -> EpochRow {
        let scores = Scores::new(&validation.confusion, &self.plan.classes);
        let mut per_class_iou = vec![None; self.plan.classes.num_classes()];
        for class in &scores.per_class {
            per_class_iou[usize::from(class.index)] = class.iou;
        }
        let cost = self
            .plan
            .recipe
            .best_by
            .cost(validation.loss, scores.mean_iou);
        EpochRow {
            epoch: self.progress.epoch,
            train_loss,
            val_loss: validation.loss,
            mean_iou: scores.mean_iou,
            pixel_accuracy: scores.pixel_accuracy,
            per_class_iou,
            lr: self.rate(self.progress.step.saturating_sub(1)),
            seconds: started.elapsed().as_secs_f64(),
            best: self.progress.keep.judge(cost),
        }
    }

    /// Saves, reports and hears the policies; whether this was the last epoch.
    fn judge(&mut self, row: EpochRow, confusion: &Confusion) -> Result<bool, Halt> {
        let names = if row.best { &[BEST, LAST][..] } else { &[LAST] };
        let path = self.save(Some(row.clone()), names)?;
        let progress = &mut self.progress;
        progress.rows.push(row.clone());
        self.plan
            .folder
            .write_metrics(&progress.rows, &self.plan.classes)?;
        let files = EpochFiles {
            epoch: row.epoch,
            is_best: row.best,
            confusion,
            classes: &self.plan.classes,
        };
        write_run_files(self.plan.folder.path(), &files)?;
        if row.best {
            progress.best = Some((row.clone(), path.clone()));
        }
        let cost = self.plan.recipe.best_by.cost(row.val_loss, row.mean_iou);
        let (epoch, is_best) = (row.epoch, row.best);
        progress.share = progress.plateau.judge(cost);
        let is_last = progress.stop.judge(cost);
        (progress.epoch, progress.step_in_epoch) = (progress.epoch + 1, 0);
        progress.loss_sum = 0.0;
        self.job.tell(TrainEvent::EpochEnded(row))?;
        if is_best {
            self.job.tell(TrainEvent::BestSaved { epoch, path })?;
        }
        Ok(is_last)
    }

    /// Pictures of the first held-out patches, so that one can see what an epoch changed.
    fn write_strips(&self, validation: &Validation) -> Result<(), TrainError> {
        let plan = self.plan;
        for (number, looked_at) in validation.looked_at.iter().enumerate() {
            let rgba = rgba_of(&looked_at.image, &plan.patches.normalization());
            let patch = Patch {
                size: ImageSize::new(plan.recipe.patch, plan.recipe.patch),
                image: &rgba,
                labels: &looked_at.labels,
                prediction: &looked_at.predicted,
            };
            let place = (number, self.progress.epoch);
            write_strip(plan.folder.path(), place, &patch, &plan.classes)?;
        }
        Ok(())
    }

    fn save(&self, metrics: Option<EpochRow>, names: &[&str]) -> Result<PathBuf, TrainError> {
        let card = super::ModelCard {
            step: self.progress.step,
            metrics,
            ..self.plan.card()
        };
        self.plan
            .folder
            .save(&card, &self.learner.weights()?, names)
    }

    /// Writes down where the training is, so that it can go on from here.
    fn keep_state(&mut self) -> Result<(), TrainError> {
        let seconds = self.progress.seconds + self.began.elapsed().as_secs_f64();
        let state = RunState {
            progress: Progress {
                seconds,
                ..self.progress.clone()
            },
            learner: self.learner.state()?,
        };
        state.save(self.plan.folder.path())?;
        self.kept = Instant::now();
        Ok(())
    }

    /// A stopped training can go on; a finished one cannot.
    fn leave_state(&mut self, status: TrainStatus) -> Result<(), TrainError> {
        match status {
            TrainStatus::Finished => forget_state(self.plan.folder.path()),
            TrainStatus::Stopped => self.keep_state(),
        }
    }

    fn into_report(self, status: TrainStatus, device: String) -> Result<TrainReport, TrainError> {
        let (best_epoch, best_mean_iou, checkpoint) = match &self.progress.best {
            Some((row, path)) => (row.epoch, row.mean_iou, path.clone()),
            // Stopped in its first epoch (or never better than no number): what there is is kept.
            None => (0, None, self.save(None, &[BEST, LAST])?),
        };
        Ok(TrainReport {
            status,
            epochs: self.progress.rows.len() as u32,
            best_epoch,
            best_mean_iou,
            checkpoint,
            device,
            seconds: self.progress.seconds + self.began.elapsed().as_secs_f64(),
            split: self.plan.split().report.clone(),
        })
    }
}
