use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::jobs::{JobId, Leash};
use super::state::Session;
use super::training_state::{TrainingPhase, TrainingState};
use super::{Notice, Severity, TrialPhase};
use crate::train::{
    BegunWork, EpochRow, JudgeEvent, QueueEvent, Recipe, Rung, SearchCost, SearchEvent, SearchPlan,
    SearchResult, SearchSpec, TrainError, TrainEvent, TrialEnd,
};

/// The search of the choices of a recipe that runs or ran last: plain data for lists and tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchState {
    /// Its job while it runs or is prepared.
    pub job: Option<JobId>,
    /// Its folder.
    pub folder: Option<PathBuf>,
    /// Its trials in their order, and behind them the new trainings of the winner.
    pub trials: Vec<SearchTrialState>,
    /// The part that runs or ran last: its place, how many there are, and what it is.
    pub part: Option<(usize, usize, Rung)>,
    /// How many epochs it takes, at most.
    pub cost: Option<SearchCost>,
    /// The winner, once the last part is over.
    pub winner: Option<String>,
    /// What it came to so far.
    pub result: Option<Arc<SearchResult>>,
    /// Whether it is over.
    pub is_over: bool,
    /// Why it ended early.
    pub failure: Option<String>,
    /// Searches and cross-validations that were found beside the runs.
    pub begun: Vec<BegunWork>,
    /// The search file that was read last.
    pub read: Option<Arc<ReadSearch>>,
    /// The places of the trials that are trained one after the other now.
    pub(super) queued: Vec<usize>,
}

/// A trial of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchTrialState {
    /// Its name.
    pub name: String,
    /// What is special about it.
    pub label: String,
    /// Its run folder.
    pub run: PathBuf,
    /// How it is trained.
    pub recipe: Arc<Recipe>,
    /// Where it is in the part that runs.
    pub phase: TrialPhase,
    /// Whether others were better at a cut, so that it does not go on.
    pub is_cut: bool,
    /// Epochs that ended.
    pub epochs: u32,
    /// The validation loss of its best epoch.
    pub val_loss: Option<f64>,
    /// The mean `IoU` of its best epoch.
    pub mean_iou: Option<f64>,
}

/// A search file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadSearch {
    /// The file's name, or that of a search that comes with the program.
    pub name: String,
    /// What is searched.
    pub spec: SearchSpec,
    /// The recipe that every trial begins with.
    pub base: Recipe,
}

impl ReadSearch {
    /// The search file at `path`.
    ///
    /// # Errors
    /// When it cannot be read or does not parse.
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        let spec = SearchSpec::load(path)?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            base: spec.base(path.parent().unwrap_or(Path::new("")))?,
            spec,
        })
    }

    /// A search that comes with the program.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn shipped(name: &str) -> Result<Self, TrainError> {
        let unknown = || TrainError::Search(format!("no search {name} comes with the program"));
        let spec = SearchSpec::shipped(name).ok_or_else(unknown)?;
        Ok(Self {
            name: name.to_owned(),
            base: spec.base(Path::new(""))?,
            spec,
        })
    }
}

impl SearchState {
    /// The folder of the search, if it can go on.
    pub fn resumable(&self) -> Option<&Path> {
        let is_resting = self.job.is_none() && !self.is_over;
        self.folder.as_deref().filter(|_| is_resting)
    }

    /// Whether there is anything to show.
    pub const fn is_begun(&self) -> bool {
        self.folder.is_some()
    }

    /// The place of the trial that runs.
    pub fn running(&self) -> Option<usize> {
        let is_running = |trial: &SearchTrialState| trial.phase.is_running();
        self.trials.iter().position(is_running)
    }

    /// Share that is done, 0 to 1, when the running trial has taken this much of an epoch.
    fn share(&self, of_epoch: f64) -> f32 {
        let all = self.cost.map_or(0, |cost| cost.epochs + cost.refit_epochs);
        let epochs = self.trials.iter().map(|trial| u64::from(trial.epochs));
        let done: u64 = epochs.sum();
        ((done as f64 + of_epoch) / all.max(1) as f64).min(1.0) as f32
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.trials.iter().position(|trial| trial.name == name)
    }

    /// The trials of these names are trained next, in this order.
    fn queue_up(&mut self, names: &[String]) {
        self.queued = names.iter().filter_map(|name| self.place(name)).collect();
        for &place in &self.queued {
            self.trials[place].phase = TrialPhase::Waiting;
        }
    }

    /// The trial at this place of the queue that runs.
    fn queued(&mut self, at: usize) -> Option<&mut SearchTrialState> {
        let place = *self.queued.get(at)?;
        self.trials.get_mut(place)
    }

    fn runs_now(&mut self) -> Option<&mut SearchTrialState> {
        let place = self.running()?;
        self.trials.get_mut(place)
    }

    /// New trainings of the winner stand behind the trials.
    fn add_refits(&mut self, winner: &str, names: &[String]) {
        let Some(recipe) = self
            .place(winner)
            .map(|at| Arc::clone(&self.trials[at].recipe))
        else {
            return;
        };
        let folder = self.folder.clone().unwrap_or_default();
        for name in names {
            if self.place(name).is_none() {
                let seed = name.rsplit('-').next().unwrap_or_default();
                let label = format!("{winner} anew, seed {seed}");
                let run = folder.join(name);
                self.trials.push(SearchTrialState::new(
                    name.clone(),
                    label,
                    run,
                    Arc::clone(&recipe),
                ));
            }
        }
    }

    /// Takes over how far trials are and what they came to.
    fn take_scores(&mut self, result: &SearchResult) {
        for row in &result.rows {
            if let Some(place) = self.place(&row.name) {
                let trial = &mut self.trials[place];
                (trial.epochs, trial.val_loss) = (row.epochs, row.val_loss);
                trial.mean_iou = row.mean_iou;
            }
        }
        for row in result.refit.iter().flat_map(|refit| &refit.rows) {
            if let Some(place) = self.place(&row.name) {
                let trial = &mut self.trials[place];
                (trial.epochs, trial.val_loss) = (row.epochs, row.val_loss);
                trial.mean_iou = row.val_mean_iou;
            }
        }
    }

    /// A part is over: `kept` go on, or are the winner.
    fn cut(&mut self, kept: &[String], result: SearchResult) {
        let is_last = result.rungs_done >= result.rungs.len();
        if is_last {
            self.winner = kept.first().cloned();
        }
        self.take_scores(&result);
        for row in &result.rows {
            let Some(place) = self.place(&row.name) else {
                continue;
            };
            let trial = &mut self.trials[place];
            let was_in = row.rungs == result.rungs_done;
            trial.phase = match &row.failure {
                Some(why) => TrialPhase::Ended(TrialEnd::Failed { why: why.clone() }),
                None if was_in && !is_last && kept.contains(&row.name) => TrialPhase::Waiting,
                None if row.rungs > 0 => TrialPhase::Ended(TrialEnd::Done),
                None => TrialPhase::Waiting,
            };
            // Who was in the last part was trained as far as the search goes.
            trial.is_cut = row.failure.is_none()
                && if is_last {
                    !was_in
                } else {
                    !kept.contains(&row.name)
                };
        }
        self.result = Some(Arc::new(result));
    }
}

impl SearchTrialState {
    const fn new(name: String, label: String, run: PathBuf, recipe: Arc<Recipe>) -> Self {
        Self {
            name,
            label,
            run,
            recipe,
            phase: TrialPhase::Waiting,
            is_cut: false,
            epochs: 0,
            val_loss: None,
            mean_iou: None,
        }
    }

    fn epoch_ended(&mut self, row: &EpochRow) {
        self.epochs = row.epoch;
        if row.best {
            self.val_loss = Some(row.val_loss).filter(|loss| loss.is_finite());
            self.mean_iou = row.mean_iou;
        }
    }
}

impl Session {
    /// The plan of a search is made: hands it to the thread that owns all tensors.
    pub(super) fn search_ready(&mut self, plan: SearchPlan) {
        for note in plan.notes() {
            self.notify(Notice::warning(note.clone()));
        }
        self.search_planned(&plan);
        let waker = self.config.waker.clone();
        match self
            .engine()
            .map(|engine| engine.search(plan.timed(Some(SystemTime::now)), waker))
        {
            Ok(job) => {
                self.study.search.job = Some(self.list_job("Search", Leash::Search(job)));
            }
            Err(error) => {
                self.study.search.job = None;
                self.study.search.failure = Some(error.to_string());
            }
        }
    }

    fn search_planned(&mut self, plan: &SearchPlan) {
        let trial = |trial: &crate::train::SearchTrial| {
            let recipe = Arc::new(trial.recipe.clone());
            let run = plan.folder().join(&trial.name);
            SearchTrialState::new(trial.name.clone(), plan.label(trial), run, recipe)
        };
        let search = &mut self.study.search;
        search.folder = Some(plan.folder().to_owned());
        search.trials = plan.trials().iter().map(trial).collect();
        search.cost = Some(plan.cost());
    }

    pub(super) fn absorb_search(&mut self, id: JobId, event: SearchEvent) {
        let search = &mut self.study.search;
        match event {
            SearchEvent::RungBegan {
                at,
                total,
                rung,
                trials,
            } => {
                search.part = Some((at, total, rung));
                search.queue_up(&trials);
            }
            SearchEvent::Found(result) => search.take_scores(&result),
            SearchEvent::Queue(event) => self.absorb_trial(id, *event),
            SearchEvent::RungEnded { kept, result, .. } => search.cut(&kept, *result),
            SearchEvent::RefitBegan {
                winner,
                label,
                trials,
                ..
            } => {
                search.add_refits(&winner, &trials);
                search.queue_up(&trials);
                self.notify(Notice::info(format!("{winner} won ({label})")));
            }
            SearchEvent::Finished(result) => {
                search.is_over = true;
                search.take_scores(&result);
                search.result = Some(Arc::new(*result));
                let words = match &search.winner {
                    Some(winner) => format!("The search is over: {winner} is the best"),
                    None => "The search is over".to_owned(),
                };
                self.notify(Notice::info(words));
            }
        }
    }

    fn absorb_trial(&mut self, id: JobId, event: QueueEvent) {
        let search = &mut self.study.search;
        match event {
            QueueEvent::Began {
                at, run, recipe, ..
            } => {
                if let Some(trial) = search.queued(at) {
                    trial.phase = TrialPhase::Training;
                }
                self.training = TrainingState::starting(id, *recipe, run);
            }
            QueueEvent::Training(event) => {
                if let (TrainEvent::EpochEnded(row), Some(trial)) = (&*event, search.runs_now()) {
                    trial.epoch_ended(row);
                }
                let told = self.notices.len();
                self.absorb_training(id, *event);
                // How each of many trainings goes is in the table of trials.
                let news = self.notices.split_off(told);
                let is_worth_it = |notice: &Notice| notice.severity != Severity::Info;
                self.notices.extend(news.into_iter().filter(is_worth_it));
                let share = self.study.search.share(self.training.share_of_epoch());
                self.set_progress(id, share);
            }
            QueueEvent::Judging(JudgeEvent::Progress { done, total }) => {
                if let Some(trial) = search.runs_now() {
                    trial.phase = TrialPhase::Judging { done, total };
                }
            }
            QueueEvent::Note(note) | QueueEvent::Judging(JudgeEvent::Note(note)) => {
                self.notify(Notice::warning(note));
            }
            QueueEvent::Ended { at, end, .. } => {
                if let (TrialEnd::Failed { why }, Some(trial)) = (&end, search.queued(at)) {
                    // The search goes on, so it is no error of the whole.
                    let text = format!("{} failed: {why}", trial.name);
                    self.notify(Notice::warning(text));
                    self.training_ended(Some(why.clone()));
                }
                if self.training.is_running() {
                    self.training.phase = TrainingPhase::Idle;
                }
                if let Some(trial) = self.study.search.queued(at) {
                    trial.phase = TrialPhase::Ended(end);
                }
            }
            QueueEvent::Judging(_) | QueueEvent::Finished(_) => {}
        }
    }

    /// `why` is the reason when the job did not finish.
    pub(super) fn search_ended(&mut self, why: Option<String>) {
        let search = &mut self.study.search;
        search.job = None;
        search.failure.clone_from(&why);
        if let Some(trial) = search.runs_now() {
            trial.phase = TrialPhase::Waiting;
        }
        self.training_ended(why);
    }
}

#[cfg(test)]
mod tests;
