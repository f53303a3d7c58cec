mod looks;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::jobs::{JobId, Leash, Report};
use super::keeping::{Work, absolute};
use super::state::Session;
use super::training::watched;
use super::{CommandError, Notice, TrainOn, TrainingPhase, TrainingState};
use crate::geom::PixelRect;
use crate::train::{
    Ancestor, Decision, DeviceChoice, FinetuneOptions, FinetuneOrder, Recipe, Relative, StopReason,
    TrainData, TrainError, Verdict, VerdictEvent, VerdictPlan, ancestors, can_go_on, family_tree,
};

/// What can be asked of going on from a model with what was corrected.
#[derive(Clone, Debug, PartialEq)]
pub enum FinetuneCommand {
    /// Learns from the open image's corrections and judges what comes of it. A model that is
    /// better for sure becomes the active one.
    Start {
        /// How.
        options: Box<FinetuneOptions>,
        /// The model to go on from; without, the active one, else that of the last training, else
        /// none.
        parent: Option<PathBuf>,
        /// The run folder; without, the next beside the image. A fine-tuning of the open image that
        /// was begun there and not judged yet goes on as it was begun.
        out: Option<PathBuf>,
    },
    /// What is looked at, to be predicted anew after each epoch that made the model better and when
    /// another model comes into use; level-0 pixels.
    Look(PixelRect),
    /// Makes the model of a run the active one, whatever its verdict: overrules it, or goes back.
    /// The prediction becomes its own, unless a file or scribbles gave it.
    Activate {
        /// Its folder.
        run: PathBuf,
    },
}

/// Where a fine-tuning is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum FinetunePhase {
    /// None was started.
    #[default]
    Idle,
    /// It learns; [`Session::training`] says how far.
    Learning,
    /// Its model is judged beside its parent.
    Judging,
    /// It is over and was judged.
    Judged(Box<Verdict>),
    /// It failed, or was stopped before a better model was there or was judged; why.
    Failed(String),
}

/// The fine-tuning that runs or ran last, and the active model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FinetuneState {
    /// Where it is.
    pub phase: FinetunePhase,
    /// Its run folder.
    pub run: Option<PathBuf>,
    /// The model that predictions and fine-tunings start from, by its run.
    pub active: Option<PathBuf>,
    /// The active model and all that it comes from, itself first; the new one's while it waits for
    /// a decision.
    pub chain: Vec<Ancestor>,
    /// All models that share an ancestor with the chain, each behind the one that it went on from.
    pub family: Vec<Relative>,
    /// What is looked at.
    pub view: Option<PixelRect>,
    /// The comparing with the model before, while it runs.
    pub judging: Option<JobId>,
    /// Whether a model that is better was not taken, since another project was open.
    pub is_left: bool,
    /// The image that was corrected.
    image: Option<PathBuf>,
    /// What was opened when it began, if that has a project.
    of_project: Option<PathBuf>,
    /// Whether an epoch was better than the model before, or that is not known.
    has_gained: bool,
    /// What of the view its model did not predict yet since it got better, the nearest piece last.
    unseen: Vec<PixelRect>,
}

impl FinetuneState {
    /// Whether it learns or is judged.
    pub const fn is_running(&self) -> bool {
        matches!(self.phase, FinetunePhase::Learning | FinetunePhase::Judging)
    }

    /// Whether it is to be told that this is seen, in level-0 pixels.
    pub fn wants_look(&self, visible: PixelRect) -> bool {
        !visible.is_empty() && self.view != Some(visible)
    }
}

impl Session {
    /// The fine-tuning that runs or ran last, and the active model.
    pub const fn finetuning(&self) -> &FinetuneState {
        &self.study.finetune
    }

    pub(super) fn apply_finetune(&mut self, command: FinetuneCommand) -> Result<(), CommandError> {
        match command {
            FinetuneCommand::Start {
                options,
                parent,
                out,
            } => self.start_finetuning(*options, parent, out),
            FinetuneCommand::Look(view) => {
                self.study.finetune.view = Some(view);
                Ok(())
            }
            FinetuneCommand::Activate { run } => {
                if !run.join("recipe.toml").is_file() {
                    return Err(CommandError::Refused(TrainError::NoRun(run).to_string()));
                }
                self.refuse_when_read_only()?;
                self.refuse_during_stroke()?;
                let run = absolute(&run);
                self.study.finetune.is_left = false;
                self.activate(run.clone());
                if !self.is_prediction_of_others() {
                    self.turn_prediction_to(run);
                }
                Ok(())
            }
        }
    }

    fn start_finetuning(
        &mut self,
        options: FinetuneOptions,
        parent: Option<PathBuf>,
        out: Option<PathBuf>,
    ) -> Result<(), CommandError> {
        self.refuse_when_read_only()?;
        self.refuse_during_stroke()?;
        if self.is_learning() || self.study.finetune.is_running() {
            return Err(CommandError::Busy("A training"));
        }
        if let Some(out) = &out
            && self.go_on_finetuning(&absolute(out), parent.as_deref())?
        {
            return Ok(());
        }
        let parent = parent.or_else(|| self.model_in_use());
        let order = self.finetune_order(options, parent)?;
        if let (None, Some(parent)) = (&self.study.finetune.active, &order.parent) {
            // From here on the last training is this one, which is not in use yet.
            self.activate(parent.clone());
        }
        let out = match out {
            Some(out) => absolute(&out),
            None => self.next_run_folder(&TrainOn::OpenImage)?,
        };
        self.make_way_for_learning();
        let image = Some(order.image.clone());
        let folder = out.clone();
        let id = self.start_job("Preparing to learn from the corrections", move |job| {
            let plan = watched(job, |watch| order.plan(folder, watch))?;
            job.tell(Report::TrainingReady(Box::new(plan)))?;
            Ok(())
        });
        self.training = TrainingState {
            phase: TrainingPhase::Starting,
            job: Some(id),
            run: Some(out.clone()),
            ..TrainingState::default()
        };
        self.study.finetune.phase = FinetunePhase::Learning;
        self.finetuning_begins(out, image);
        self.study.finetune.has_gained = false;
        Ok(())
    }

    /// Goes on with a fine-tuning of the open image that was stopped or killed while it learned or
    /// was judged; `false` when `run` holds none, or none that began with `parent`, if that is
    /// said.
    pub(super) fn go_on_finetuning(
        &mut self,
        run: &Path,
        parent: Option<&Path>,
    ) -> Result<bool, CommandError> {
        let Ok(TrainData::Finetune { image, lineage, .. }) = TrainData::of_run(run) else {
            return Ok(false);
        };
        let began = lineage.parent.map(|parent| parent.run);
        let is_another = parent.is_some_and(|parent| began != Some(absolute(parent)));
        let open = self.image.as_ref().map(|open| absolute(&open.path));
        let is_due = VerdictPlan::is_due(run);
        if is_another || open.as_ref() != Some(&image) || !(is_due || can_go_on(run)) {
            return Ok(false);
        }
        self.refuse_when_read_only()?;
        if self.study.finetune.is_running() {
            return Err(CommandError::Busy("A training"));
        }
        let recipe = Recipe::load(&run.join("recipe.toml"))
            .map_err(|error| CommandError::Refused(error.to_string()))?;
        self.make_way_for_learning();
        if !is_due {
            self.resume_training(run.to_owned())?;
            self.study.finetune.phase = FinetunePhase::Learning;
        }
        self.finetuning_begins(run.to_owned(), Some(image));
        self.study.finetune.has_gained = true;
        if is_due {
            self.judge_finetuning("Comparing with the model before", recipe.device)?;
        }
        Ok(true)
    }

    /// A fine-tuning into `run` begins or goes on.
    fn finetuning_begins(&mut self, run: PathBuf, image: Option<PathBuf>) {
        let of_project = self.opened_project();
        let finetune = &mut self.study.finetune;
        finetune.run = Some(run);
        finetune.image = image;
        finetune.of_project = of_project;
        finetune.is_left = false;
    }

    /// What is open, if it has a project.
    fn opened_project(&self) -> Option<PathBuf> {
        let keeper = self.keeper.as_ref()?;
        Some(keeper.opened().to_owned())
    }

    /// The run whose model is active, else that of the last training, else that of the prediction
    /// that is shown.
    pub fn model_in_use(&self) -> Option<PathBuf> {
        self.study
            .finetune
            .active
            .clone()
            .or_else(|| self.last_run())
            .or_else(|| self.predicted_by().map(Path::to_owned))
    }

    /// The open image as it is now, frozen.
    fn finetune_order(
        &self,
        options: FinetuneOptions,
        parent: Option<PathBuf>,
    ) -> Result<FinetuneOrder, CommandError> {
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        if label.is_loading {
            return Err(CommandError::LabelLoading);
        }
        Ok(FinetuneOrder {
            image: absolute(&image.path),
            source: Arc::clone(&image.source),
            label: label.mask.clone(),
            origins: self.origins.as_ref().map(|layer| layer.mask.clone()),
            models: self.models.clone(),
            coverage: self.coverage().clone(),
            classes: self.classes().clone(),
            parent: parent.map(|run| absolute(&run)),
            options,
            cache_bytes: self.settings.budget().tile_cache_bytes,
        })
    }

    /// A new model is better: it is active in its project, and the prediction of the image that was
    /// corrected is its own, if that is open.
    fn take_over(&mut self, run: PathBuf) {
        let is_here = self.is_corrected_image_open();
        let project = &self.study.finetune.of_project;
        let is_own = project.is_some() && *project == self.opened_project();
        if !(is_here || is_own) {
            self.study.finetune.is_left = true;
            return self.read_chain(run);
        }
        self.activate(run.clone());
        if is_here {
            self.turn_prediction_to(run);
        }
    }

    /// A new model that is not active must not stay in sight as if it were.
    fn show_active_again(&mut self, new: &Path) {
        if self.prediction_state.run.as_deref() != Some(new) {
            return;
        }
        self.stop_prediction();
        let active = self.study.finetune.active.clone();
        if let Some(active) = active.filter(|active| active != new)
            && !self.is_prediction_of_others()
        {
            self.turn_prediction_to(active);
        }
    }

    /// There is no new model, or it was not judged; why.
    fn finetune_failed(&mut self, why: String) {
        self.study.finetune.phase = FinetunePhase::Failed(why);
        if let Some(new) = self.study.finetune.run.clone() {
            self.show_active_again(&new);
        }
        self.read_chain_again();
    }

    /// A run ended, which the tree of models says.
    fn read_chain_again(&mut self) {
        let finetune = &self.study.finetune;
        if let Some(run) = finetune.active.clone().or_else(|| finetune.run.clone()) {
            self.read_chain(run);
        }
    }

    fn activate(&mut self, run: PathBuf) {
        if let Some(keeper) = &mut self.keeper {
            keeper.give(Work::ActiveModel(run.clone()));
        }
        self.study.finetune.active = Some(run.clone());
        self.read_chain(run);
    }

    /// Reads where a model comes from.
    pub(super) fn read_chain(&mut self, run: PathBuf) {
        self.start_quiet_job("Reading where a model comes from", move |job| {
            job.tell(Report::Chain(ancestors(&run), family_tree(&run)))?;
            Ok(())
        });
    }

    /// Takes over which model is active from a project.
    pub(super) fn active_model_read(&mut self, run: Option<PathBuf>) {
        self.study.finetune.active = run.filter(|run| run.is_dir());
        if let Some(run) = self.study.finetune.active.clone() {
            self.read_chain(run);
        }
    }

    /// Whether the training that runs is a fine-tuning.
    fn is_finetuning(&self) -> bool {
        let finetune = &self.study.finetune;
        finetune.phase == FinetunePhase::Learning && finetune.run == self.training.run
    }

    /// Whether the image is open whose corrections are learned from.
    fn is_corrected_image_open(&self) -> bool {
        let open = self.image.as_ref().map(|image| absolute(&image.path));
        open == self.study.finetune.image
    }

    /// The training is over; `why` says why it has no model, if so.
    pub(super) fn finetune_learned(&mut self) {
        if !self.is_finetuning() {
            return self.read_chain_again();
        }
        let is_stopped = match &self.training.phase {
            TrainingPhase::Failed(why) => return self.finetune_failed(why.clone()),
            TrainingPhase::Ended(report) => report.reason == StopReason::Person,
            _ => false,
        };
        if is_stopped && !self.study.finetune.has_gained {
            let why = "Stopped before anything better was learned; the model in use is as before";
            return self.finetune_failed(why.to_owned());
        }
        let title = if is_stopped {
            self.notify(Notice::info(
                "What was learned so far is now compared with the model before. Stop ends that as \
                 well, and the model before stays in use",
            ));
            "Comparing what was learned so far"
        } else {
            "Comparing with the model before"
        };
        let device = (self.training.recipe.as_ref())
            .map_or_else(DeviceChoice::default, |recipe| recipe.device.clone());
        if let Err(error) = self.judge_finetuning(title, device) {
            self.finetune_failed(error.to_string());
        }
    }

    fn judge_finetuning(
        &mut self,
        title: &'static str,
        device: DeviceChoice,
    ) -> Result<(), CommandError> {
        let Some(run) = self.study.finetune.run.clone() else {
            return Ok(());
        };
        let cache_bytes = self.settings.budget().tile_cache_bytes;
        let plan = VerdictPlan::new(run, device, cache_bytes)
            .map_err(|error| CommandError::Refused(error.to_string()))?;
        let waker = self.config.waker.clone();
        let job = self.engine()?.verdict(plan, waker);
        self.study.finetune.judging = Some(self.list_job(title, Leash::Verdict(job)));
        self.study.finetune.phase = FinetunePhase::Judging;
        Ok(())
    }

    /// Somebody stopped the comparing: that is over at once, whatever its thread still does.
    pub(super) fn judging_stopped(&mut self, id: JobId) {
        if self
            .study
            .finetune
            .judging
            .take_if(|job| *job == id)
            .is_some()
        {
            let why = "The comparison was stopped: the model before stays in use. The new one is \
                       among the runs";
            self.notify(Notice::info(why));
            self.finetune_failed(why.to_owned());
        }
    }

    pub(super) fn absorb_verdict(&mut self, id: JobId, event: VerdictEvent) {
        if self.study.finetune.judging != Some(id) {
            return;
        }
        match event {
            VerdictEvent::Progress { done, total } => {
                self.set_progress(id, done as f32 / total.max(1) as f32);
            }
            VerdictEvent::Finished(verdict) => {
                match self.study.finetune.run.clone() {
                    Some(run) if verdict.promotes() => self.take_over(run),
                    Some(run) => {
                        self.show_active_again(&run);
                        self.read_chain(run);
                    }
                    None => {}
                }
                let is_left = self.study.finetune.is_left;
                self.notify(Notice::info(verdict_text(&verdict, is_left)));
                self.study.finetune.phase = FinetunePhase::Judged(verdict);
            }
        }
    }

    /// `why` is the reason when the judging did not finish.
    pub(super) fn verdict_ended(&mut self, id: JobId, why: Option<String>) {
        let ended = self.study.finetune.judging.take_if(|job| *job == id);
        if ended.is_some() && self.study.finetune.phase == FinetunePhase::Judging {
            let why = why.unwrap_or_else(|| "The comparison ended early".to_owned());
            self.finetune_failed(why);
        }
    }
}

/// What becomes of a better model where another project is open.
const NOT_TAKEN: &str = "it is not in use, since another project was open when it was judged. \
                         Choose it under Model when its project is open";

/// A verdict in a sentence. `is_left`: a better model was not taken, since another project is open.
fn verdict_text(verdict: &Verdict, is_left: bool) -> String {
    let score = |scores: &Option<crate::metrics::Scores>| {
        let mean = scores.as_ref().and_then(|scores| scores.mean_iou);
        mean.map_or_else(|| "unknown".to_owned(), |mean| format!("{mean:.3}"))
    };
    let (before, after) = (score(&verdict.before), score(&verdict.after));
    match &verdict.decision {
        Decision::First if is_left => format!("The first model is ready; {NOT_TAKEN}"),
        Decision::Promoted if is_left => format!(
            "The new model is better: mean IoU {before} before, {after} after, on held-out ground; \
             {NOT_TAKEN}"
        ),
        Decision::First => "The first model is ready and active".to_owned(),
        Decision::Promoted => format!(
            "The new model is better and active now: mean IoU {before} before, {after} after, on \
             held-out ground"
        ),
        Decision::Kept(why) => format!(
            "The model before stays active: {why} (mean IoU {before} before, {after} after, on \
             held-out ground)"
        ),
        Decision::NotMeasured(why) => {
            format!("The new model was not measured, so the one before stays active: {why}")
        }
    }
}
