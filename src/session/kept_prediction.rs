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
use crate::geom::ImagePoint;
use crate::train::{BlockStore, KeptPrediction};

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
        let before = std::mem::replace(&mut self.predicting.flips, by.flips);
        let begun = self.predict_again(run, &asked, near);
        if begun.is_err() {
            self.predicting.flips = before;
        }
        begun
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
        };
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
