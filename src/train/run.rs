use std::path::PathBuf;
use std::time::Instant;

use super::device::{ChosenDevice, choose};
use super::learner::{Learner, Validation};
use super::run_folder::{BEST, LAST};
use super::{
    EarlyStop, EpochRow, KeepBest, PlateauDecay, TrainError, TrainEvent, TrainPlan, TrainReport,
    TrainStatus,
};
use crate::job::{Cancelled, JobContext};
use crate::metrics::Scores;

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
    let started = Instant::now();
    let chosen = choose(&plan.recipe.device, plan.workload())?;
    let ChosenDevice { name, reason, .. } = chosen.clone();
    job.tell(TrainEvent::DeviceChosen { name, reason })?;
    for note in plan.notes() {
        job.tell(TrainEvent::Note(note.clone()))?;
    }
    job.tell(TrainEvent::Split(plan.split().report.clone()))?;
    plan.folder
        .begin(&plan.recipe, &plan.classes, &plan.split().report)?;
    let mut training = Training::new(plan, &chosen, job)?;
    let ended = training.epochs(between);
    let status = match ended {
        Ok(()) => TrainStatus::Finished,
        Err(Halt::Stopped(Cancelled)) => TrainStatus::Stopped,
        Err(Halt::Failed(error)) => return Err(error.into()),
    };
    let report = training.into_report(status, chosen.name, started)?;
    // Telling sends even when the job was cancelled, and then says so: the job's own last event.
    Ok(job.tell(TrainEvent::Finished(report))?)
}

struct Training<'a> {
    plan: &'a TrainPlan,
    job: &'a JobContext<TrainEvent>,
    learner: Learner,
    plateau: PlateauDecay,
    stop: EarlyStop,
    keep: KeepBest,
    rows: Vec<EpochRow>,
    best: Option<(EpochRow, PathBuf)>,
    /// Share of the scheduled rate that the plateaus have left.
    share: f64,
    /// Steps done.
    step: u64,
}

impl<'a> Training<'a> {
    fn new(
        plan: &'a TrainPlan,
        chosen: &ChosenDevice,
        job: &'a JobContext<TrainEvent>,
    ) -> Result<Self, TrainError> {
        let recipe = &plan.recipe;
        Ok(Self {
            plan,
            job,
            learner: Learner::new(plan, &chosen.device)?,
            plateau: PlateauDecay::new(recipe.plateau(), recipe.learning_rate),
            stop: EarlyStop::new(recipe.stop_patience),
            keep: KeepBest::default(),
            rows: Vec::new(),
            best: None,
            share: 1.0,
            step: 0,
        })
    }

    fn epochs(&mut self, between: &mut dyn FnMut()) -> Result<(), Halt> {
        for epoch in 1..=self.plan.recipe.epochs {
            let started = Instant::now();
            let train_loss = self.train_epoch(epoch, between)?;
            let job = self.job;
            let validation = self.learner.validate(self.plan, || {
                between();
                job.check().map_err(Halt::from)
            })?;
            let row = self.row(epoch, train_loss, &validation, started);
            let is_last = self.judge(row)?;
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
    fn train_epoch(&mut self, epoch: u32, between: &mut dyn FnMut()) -> Result<f64, Halt> {
        let recipe = &self.plan.recipe;
        let (steps, batch) = (recipe.steps_per_epoch, recipe.batch as u64);
        let mut sum = 0.0;
        for step in 1..=steps {
            between();
            self.job.check()?;
            let first = u64::from(step - 1) * batch;
            let patches = &self.plan.patches;
            let patches = patches
                .batch(recipe.seed, epoch.into(), first..first + batch)
                .map_err(TrainError::from)?;
            let loss = self.learner.step(patches, self.rate())?;
            if !loss.is_finite() {
                return Err(TrainError::Diverged { epoch, step }.into());
            }
            self.step += 1;
            sum += loss;
            self.job.mention(TrainEvent::Step {
                epoch,
                step,
                steps,
                loss,
            });
        }
        Ok(sum / f64::from(steps))
    }

    /// The learning rate of the next step.
    fn rate(&self) -> f64 {
        let recipe = &self.plan.recipe;
        recipe.learning_rate * self.share * recipe.schedule.factor(self.step, recipe.span())
    }

    fn row(
        &mut self,
        epoch: u32,
        train_loss: f64,
        validation: &Validation,
        started: Instant,
    ) -> EpochRow {
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
        let recipe = &self.plan.recipe;
        let done = self.step.saturating_sub(1);
        EpochRow {
            epoch,
            train_loss,
            val_loss: validation.loss,
            mean_iou: scores.mean_iou,
            pixel_accuracy: scores.pixel_accuracy,
            per_class_iou,
            lr: recipe.learning_rate * self.share * recipe.schedule.factor(done, recipe.span()),
            seconds: started.elapsed().as_secs_f64(),
            best: self.keep.judge(cost),
        }
    }

    /// Saves, reports and hears the policies; whether this was the last epoch.
    fn judge(&mut self, row: EpochRow) -> Result<bool, Halt> {
        let names = if row.best { &[BEST, LAST][..] } else { &[LAST] };
        let path = self.save(Some(row.clone()), names)?;
        self.rows.push(row.clone());
        self.plan
            .folder
            .write_metrics(&self.rows, &self.plan.classes)?;
        if row.best {
            self.best = Some((row.clone(), path.clone()));
        }
        let cost = self.plan.recipe.best_by.cost(row.val_loss, row.mean_iou);
        let (epoch, is_best) = (row.epoch, row.best);
        self.share = self.plateau.judge(cost);
        let is_last = self.stop.judge(cost);
        self.job.tell(TrainEvent::EpochEnded(row))?;
        if is_best {
            self.job.tell(TrainEvent::BestSaved { epoch, path })?;
        }
        Ok(is_last)
    }

    fn save(&self, metrics: Option<EpochRow>, names: &[&str]) -> Result<PathBuf, TrainError> {
        let card = super::ModelCard {
            step: self.step,
            metrics,
            ..self.plan.card()
        };
        self.plan
            .folder
            .save(&card, &self.learner.weights()?, names)
    }

    fn into_report(
        self,
        status: TrainStatus,
        device: String,
        started: Instant,
    ) -> Result<TrainReport, TrainError> {
        let (best_epoch, best_mean_iou, checkpoint) = match &self.best {
            Some((row, path)) => (row.epoch, row.mean_iou, path.clone()),
            // Stopped in its first epoch (or never better than no number): what there is is kept.
            None => (0, None, self.save(None, &[BEST, LAST])?),
        };
        Ok(TrainReport {
            status,
            epochs: self.rows.len() as u32,
            best_epoch,
            best_mean_iou,
            checkpoint,
            device,
            seconds: started.elapsed().as_secs_f64(),
            split: self.plan.split().report.clone(),
        })
    }
}
