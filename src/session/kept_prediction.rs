use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::asked::Asked;
use super::jobs::Report;
use super::keeping::absolute;
use super::maker::{Made, ModelMark};
use super::state::Session;
use super::training::RUNS_FOLDER;
use super::{CommandError, ImageId, Notice, ScoreScope};
use crate::disk::folder_of;
use crate::geom::{ImagePoint, PixelRect};
use crate::train::{BlockStore, DecisionThreshold, KeptPrediction};

impl Session {
    /// Blocks of a prediction that is not whole and does not run: those that are there, and all.
    pub fn unfinished_prediction(&self) -> Option<(u64, u64)> {
        let made = self.maker()?;
        let (done, all) = made.blocks;
        (self.prediction_state.job.is_none() && done < all).then_some((done, all))
    }

    /// Goes on with the prediction that is shown, made as it was.
    pub(super) fn go_on_predicting(
        &mut self,
        near: Option<ImagePoint>,
    ) -> Result<(), CommandError> {
        self.refuse_while_predicting()?;
        let made = self.maker().ok_or(CommandError::NoPrediction)?;
        let (run, asked, by) = (made.run.clone(), Arc::clone(&made.asked), made.by);
        let how = &mut self.predicting;
        let before = (how.flips, how.threshold);
        (how.flips, how.threshold) = (by.flips, by.threshold);
        let begun = self.predict_again(run, &asked, near);
        if begun.is_err() {
            (self.predicting.flips, self.predicting.threshold) = before;
        }
        begun
    }

    /// Predicts the second of two classes from this probability on, from now on, and what is shown
    /// anew where it is of two; finished blocks are read back.
    pub(super) fn decide_at(&mut self, probability: f64) -> Result<(), CommandError> {
        let threshold = DecisionThreshold::new(probability);
        let threshold = threshold.map_err(|error| CommandError::Refused(error.to_string()))?;
        self.refuse_while_predicting()?;
        let before = std::mem::replace(&mut self.predicting.threshold, threshold);
        let shown = self.maker().filter(|made| made.classes.num_classes() == 2);
        let Some(made) = shown.filter(|made| made.by.threshold != threshold) else {
            return Ok(());
        };
        let (run, asked) = (made.run.clone(), Arc::clone(&made.asked));
        let begun = self.predict_again(run, &asked, None);
        if begun.is_err() {
            self.predicting.threshold = before;
        }
        begun
    }

    /// The finished blocks of what is shown, where `made` is the same but for the threshold; `made`
    /// has its blocks then.
    pub(super) fn decided_otherwise(&self, made: &mut Made) -> HashSet<PixelRect> {
        let like = |mark: ModelMark| (mark.checksums, mark.flips);
        let shown = self.maker().filter(|shown| {
            let is_other = shown.by.threshold != made.by.threshold;
            is_other && like(shown.by) == like(made.by) && shown.asked.is_same(&made.asked)
        });
        let Some(shown) = shown else {
            return HashSet::new();
        };
        made.kept = Arc::clone(&shown.kept);
        shown.done.known(shown.asked.sum)
    }

    /// From which probability on the second of two classes is predicted, and its name; `None` where
    /// what is shown was not predicted here or is not of two.
    pub fn decision_threshold(&self) -> Option<(DecisionThreshold, String)> {
        let made = self.maker()?;
        let second = made.classes.classes().get(1)?;
        (made.classes.num_classes() == 2).then(|| (made.by.threshold, second.name.clone()))
    }

    fn predict_again(
        &mut self,
        run: PathBuf,
        asked: &Asked,
        near: Option<ImagePoint>,
    ) -> Result<(), CommandError> {
        let plan = asked.chosen_in(self.prediction_plan(&run)?)?;
        self.begin_prediction(plan, (run, asked.on), near)
    }

    /// Beside the project, for the prediction of `run` that begins; nowhere without a project that
    /// is ours.
    pub(super) fn store_for(&self, run: &Path) -> Option<BlockStore> {
        let is_ours = self.keeper.as_ref().is_some_and(|one| !one.is_read_only);
        let store = self.block_store().filter(|_| is_ours)?;
        Some(store.of_run(absolute(run)))
    }

    pub(super) fn block_store(&self) -> Option<BlockStore> {
        let project = self.project_file()?;
        let name = project.file_name()?.to_string_lossy();
        // Hidden, so that who looks through a folder for images passes it by.
        let folder = folder_of(project).join(format!(".{name}.predictions"));
        let image = self.image.as_ref()?;
        Some(BlockStore::new(folder, absolute(&image.path)))
    }

    /// Where runs of a project lie that was moved.
    fn shelves(&self) -> Vec<PathBuf> {
        let beside = |path: &Path| Some(absolute(path).parent()?.to_owned());
        let in_use = self.model_in_use().and_then(|run| beside(&run));
        let image = self.image.as_ref().and_then(|image| beside(&image.path));
        let project = self.project_file().and_then(beside);
        let own = [image, project].into_iter().flatten();
        let own = own.map(|folder| folder.join(RUNS_FOLDER));
        in_use.into_iter().chain(own).collect()
    }

    /// Looks what the newest earlier prediction left of the open image, whichever model made it.
    pub(super) fn look_for_kept_prediction(&mut self) {
        let (Some(store), Some(image), None) = (self.block_store(), &self.image, &self.prediction)
        else {
            return;
        };
        let store = store.with_shelves(self.shelves());
        let (id, source) = (image.id, Arc::clone(&image.source));
        self.start_quiet_job("Looking for an earlier prediction", move |job| {
            if let Some(kept) = store.read(&source) {
                job.tell(Report::PredictionKept(id, Box::new(kept)))?;
            }
            Ok(())
        });
    }

    /// Shows what an earlier prediction left, unless there is another one by now.
    pub(super) fn kept_prediction_read(&mut self, image: ImageId, kept: KeptPrediction) {
        let is_open = self.image.as_ref().is_some_and(|open| open.id == image);
        let is_free = self.prediction.is_none() && self.prediction_state.job.is_none();
        let Some(bounds) = self.image.as_ref().map(|open| open.size().bounds()) else {
            return;
        };
        if !is_open || !is_free {
            return;
        }
        let by = ModelMark {
            checksums: kept.model.checksums(),
            flips: kept.flips,
            threshold: kept.threshold,
        };
        self.predicting.threshold = kept.threshold;
        let on = match kept.ground {
            // Or cells; what is asked for is known without.
            Some(_) => ScoreScope::Selection,
            None if kept.area == bounds => ScoreScope::Whole,
            None => ScoreScope::Within(kept.area),
        };
        let asked = Asked::new(on, kept.area, kept.ground);
        let (done, all) = kept.blocks;
        let classes = kept.model.classes().clone();
        let made = Made {
            is_whole: on == ScoreScope::Whole && done == all,
            done: kept.done,
            blocks: kept.blocks,
            ..Made::new(by, kept.run, asked, classes, Arc::new(kept.on_disk))
        };
        if self.label.is_none() {
            self.set_classes(kept.model.classes().clone());
        }
        for warning in kept.model.card().class_differences(self.classes()) {
            self.notify(Notice::warning(warning));
        }
        self.bring_back(made, kept.masks);
        if done < all {
            self.notify(Notice::info(format!(
                "{done} of {all} blocks of an earlier prediction are there; Train › Go on with the \
                 prediction computes the rest"
            )));
        }
    }
}
