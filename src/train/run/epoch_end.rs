use std::path::PathBuf;
use std::time::Instant;

use super::Halt;
use super::clock::Spent;
use super::training::Training;
use crate::geom::ImageSize;
use crate::metrics::{Confusion, Scores};
use crate::train::learner::Validation;
use crate::train::memory::peak_bytes;
use crate::train::report::append_steps;
use crate::train::resume::{Progress, RunState, forget_state};
use crate::train::run_folder::{BEST, LAST};
use crate::train::{
    BestBy, EpochFiles, EpochRow, ModelCard, Patch, StopReason, TrainError, TrainEvent,
    TrainReport, TrainStatus, rgba_of, write_run_files, write_strip,
};

impl Training<'_, '_> {
    /// What the epoch came to, judged.
    pub(super) fn row(&mut self, train_loss: f64, validation: &Validation) -> EpochRow {
        let mut row = self.row_of(train_loss, validation);
        row.best = self.progress.keep.judge(self.cost(&row));
        row
    }

    /// What is to be made small, by the recipe.
    fn cost(&self, row: &EpochRow) -> f64 {
        self.plan.recipe.best_by.cost(row, &self.plan.classes)
    }

    fn row_of(&self, train_loss: f64, validation: &Validation) -> EpochRow {
        let scores = Scores::new(&validation.confusion, &self.plan.classes);
        let mut per_class_iou = vec![None; self.plan.classes.num_classes()];
        for class in &scores.per_class {
            per_class_iou[usize::from(class.index)] = class.iou;
        }
        EpochRow {
            epoch: self.progress.epoch,
            train_loss,
            val_loss: validation.loss,
            mean_iou: scores.mean_iou,
            pixel_accuracy: scores.pixel_accuracy,
            majority_baseline: scores.majority_baseline,
            per_class_iou,
            lr: self.rate(self.progress.step.saturating_sub(1)),
            plateau_share: Some(self.progress.share),
            seconds: self.spent().total,
            data_seconds: self.progress.spent.data,
            compute_seconds: self.progress.spent.compute,
            peak_bytes: peak_bytes(),
            best: false,
        }
    }

    /// Judges the model that a fine-tuning begins with on its held-out ground, so that it is known
    /// which epoch is better. Not where loading ahead has begun already: what comes next is fixed.
    pub(super) fn judge_start(&mut self) -> Result<(), Halt> {
        let is_begun = self.progress.epoch > 1 || self.progress.step_in_epoch > 0;
        let is_known = self.plan.start_from.is_some() && !is_begun;
        if !is_known || self.feed.is_some() || self.plan.recipe.best_by == BestBy::Latest {
            return Ok(());
        }
        let validation = self.validate()?;
        let cost = self.cost(&self.row_of(f64::NAN, &validation));
        self.start_cost = Some(cost).filter(|cost| cost.is_finite());
        Ok(())
    }

    /// Saves, reports and lets the policies hear.
    pub(super) fn judge(&mut self, row: EpochRow, confusion: &Confusion) -> Result<(), Halt> {
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
        let cost = self.plan.recipe.best_by.cost(&row, &self.plan.classes);
        let (epoch, is_best) = (row.epoch, row.best);
        let share_before = progress.share;
        progress.share = progress.plateau.judge(cost);
        progress.stop.judge(cost);
        (progress.epoch, progress.step_in_epoch) = (progress.epoch + 1, 0);
        progress.loss_sum = 0.0;
        progress.spent = Spent::default();
        self.epoch_began = self.outside.clock.seconds();
        let is_without_score = epoch == 1 && row.val_loss.is_finite() && !cost.is_finite();
        self.outside.tell(TrainEvent::EpochEnded(row))?;
        self.log_fall(share_before);
        if is_without_score {
            self.outside.tell(TrainEvent::Note(format!(
                "The validation ground shows nothing that has a {}, so no epoch is better than \
                 another; choose another best_by",
                self.plan.recipe.best_by.words()
            )))?;
        }
        if is_best {
            let beats_start = self.start_cost.is_none_or(|start| cost < start);
            let saved = TrainEvent::BestSaved {
                epoch,
                path,
                beats_start,
                is_chosen: self.plan.recipe.best_by != BestBy::Latest,
            };
            self.outside.tell(saved)?;
        }
        Ok(())
    }

    /// Notes in the log where a plateau lowered the rate of the steps to come.
    fn log_fall(&mut self, share_before: f64) {
        let (recipe, progress) = (&self.plan.recipe, &self.progress);
        let is_over = progress.epoch > recipe.epochs || progress.stop.is_over();
        if is_over || progress.share >= share_before {
            return;
        }
        let rate = self.rate(progress.step);
        let before = rate / progress.share * share_before;
        let epochs = match recipe.plateau.patience {
            1 => "an epoch".to_owned(),
            patience => format!("{patience} epochs"),
        };
        let line = format!(
            "The rate falls from {before:.4e} to {rate:.4e} after epoch {}: no progress in {epochs}",
            progress.epoch - 1
        );
        self.outside.log(line);
    }

    /// Pictures of the first held-out patches, so that one can see what an epoch changed.
    pub(super) fn write_strips(&self, validation: &Validation) -> Result<(), TrainError> {
        let plan = self.plan;
        for (number, looked_at) in validation.looked_at.iter().enumerate() {
            let shown = plan.patches.shown()[number];
            let rgba = match plan.patches.shown_colors(shown)? {
                Some(rgba) => rgba,
                None => rgba_of(&looked_at.image, plan.patches.normalization()),
            };
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

    pub(super) fn save(
        &self,
        metrics: Option<EpochRow>,
        names: &[&str],
    ) -> Result<PathBuf, TrainError> {
        let card = ModelCard {
            step: self.progress.step,
            metrics,
            ..self.plan.card()
        };
        self.plan
            .folder
            .save(&card, &self.learner.weights()?, names)
    }

    /// Where the running epoch's time went so far.
    fn spent(&self) -> Spent {
        let part = self.outside.clock.seconds() - self.epoch_began;
        Spent {
            total: self.progress.spent.total + part,
            ..self.progress.spent
        }
    }

    /// Writes down where the training is, so that it can go on from here.
    pub(super) fn keep_state(&mut self) -> Result<(), TrainError> {
        append_steps(self.plan.folder.path(), &std::mem::take(&mut self.steps))?;
        let state = RunState {
            progress: Progress {
                seconds: self.outside.clock.seconds(),
                spent: self.spent(),
                ..self.progress.clone()
            },
            learner: self.learner.state()?,
        };
        state.save(self.plan.folder.path())?;
        self.kept = Instant::now();
        Ok(())
    }

    /// A stopped training can go on; a finished one cannot.
    pub(super) fn leave_state(&mut self, status: TrainStatus) -> Result<(), TrainError> {
        match status {
            TrainStatus::Finished => forget_state(self.plan.folder.path()),
            TrainStatus::Stopped => self.keep_state(),
        }
    }

    pub(super) fn into_report(
        self,
        status: TrainStatus,
        reason: StopReason,
        device: &str,
    ) -> Result<TrainReport, TrainError> {
        let (best_epoch, best_mean_iou, checkpoint) = match &self.progress.best {
            Some((row, path)) => (row.epoch, row.mean_iou, path.clone()),
            // Stopped in its first epoch (or never better than no number): what there is is kept.
            None => (0, None, self.save(None, &[BEST, LAST])?),
        };
        Ok(TrainReport {
            status,
            reason,
            epochs: self.progress.rows.len() as u32,
            best_epoch,
            best_mean_iou,
            checkpoint,
            device: device.to_owned(),
            seconds: self.outside.clock.seconds(),
            split: self.plan.split().report.clone(),
        })
    }
}
