use std::path::PathBuf;
use std::time::SystemTime;

use super::jobs::{JobId, Leash};
use super::state::Session;
use super::training_state::{TrainingPhase, TrainingState};
use super::{CommandError, Notice, QueueCommand};
use crate::label::count_of;
use crate::train::{
    EpochRow, JudgeEvent, JudgePlan, Judgement, QueueEvent, QueuePlan, QueueReport, QueueTable,
    ScoredOn, TrainError, TrainEvent, TrialEnd,
};

/// The queue of trainings that runs or ran last: plain data for lists and tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueState {
    /// Its job while it runs.
    pub job: Option<JobId>,
    /// Its folder.
    pub folder: Option<PathBuf>,
    /// Its trials in their order.
    pub trials: Vec<TrialState>,
    /// The epochs that ended since it was started, with the place of their trial.
    pub rows: Vec<(usize, EpochRow)>,
    /// What it came to.
    pub report: Option<QueueReport>,
    /// What its trainings came to together, of a cross-validation.
    pub table: Option<Box<QueueTable>>,
    /// The page that says so.
    pub page: Option<PathBuf>,
    /// Why it ended early.
    pub failure: Option<String>,
    /// Whether a table of its trainings is written.
    pub(super) has_table: bool,
    /// The judging of a run outside of the queue.
    pub judging: JudgingState,
}

/// A trial of a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialState {
    /// Its name.
    pub name: String,
    /// What its numbers are averaged with.
    pub group: String,
    /// Its run folder.
    pub run: PathBuf,
    /// Where it is.
    pub phase: TrialPhase,
    /// What its best network came to, if it was judged since the queue was started.
    pub judgement: Option<Box<Judgement>>,
}

/// Where a trial is.
#[derive(Clone, Debug, PartialEq)]
pub enum TrialPhase {
    /// Its turn has not come.
    Waiting,
    /// It is trained; [`Session::training`] says how far.
    Training,
    /// Its best network is judged.
    Judging {
        /// Images done.
        done: usize,
        /// Images in all.
        total: usize,
    },
    /// It is over.
    Ended(TrialEnd),
}

/// The judging of a run outside of a queue that runs or ran last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JudgingState {
    /// Its job while it runs.
    pub job: Option<JobId>,
    /// The run that is judged.
    pub run: Option<PathBuf>,
    /// How often the part was judged before.
    pub read_before: u32,
    /// What it came to.
    pub judgement: Option<Box<Judgement>>,
}

impl Session {
    pub(super) fn apply_queue(&mut self, command: QueueCommand) -> Result<(), CommandError> {
        if let QueueCommand::Search(command) = command {
            // Looking and reading are never in the way.
            return self.apply_search(command);
        }
        self.refuse_during_stroke()?;
        self.refuse_while_learning()?;
        if self.study.queue.judging.job.is_some() {
            return Err(CommandError::Busy("A judging"));
        }
        let cache_bytes = self.settings.budget().tile_cache_bytes;
        let refused = |error: TrainError| CommandError::Refused(error.to_string());
        let (plan, has_table) = match command {
            QueueCommand::Start { folder, trials } => {
                (QueuePlan::new(folder, trials, cache_bytes), false)
            }
            QueueCommand::GoOn { folder } => (QueuePlan::begun(folder, cache_bytes), true),
            QueueCommand::CrossValidate(order) => return self.cross_validate(*order),
            QueueCommand::Search(command) => return self.apply_search(command),
            QueueCommand::Judge { run, on, device } => {
                let plan = JudgePlan::new(run.clone(), on, cache_bytes).map_err(refused)?;
                let plan = match device {
                    Some(device) => plan.with_device(device),
                    None => plan,
                };
                return self.start_judging(run, plan);
            }
        };
        self.start_queue(plan.map_err(refused)?, has_table)
    }

    /// Hands the queue to the thread that owns all tensors.
    pub(super) fn start_queue(
        &mut self,
        plan: QueuePlan,
        has_table: bool,
    ) -> Result<(), CommandError> {
        let trial = |trial: &crate::train::Trial| TrialState {
            name: trial.name.clone(),
            group: trial.group.clone(),
            run: plan.run_of(trial),
            phase: TrialPhase::Waiting,
            judgement: None,
        };
        let mut queue = QueueState {
            folder: Some(plan.folder().to_owned()),
            trials: plan.trials().iter().map(trial).collect(),
            has_table,
            ..QueueState::default()
        };
        let waker = self.config.waker.clone();
        let job = self
            .engine()?
            .queue(plan.timed(Some(SystemTime::now)), waker);
        queue.job = Some(self.list_job("Training queue", Leash::Queue(job)));
        self.study.queue = queue;
        Ok(())
    }

    fn start_judging(&mut self, run: PathBuf, plan: JudgePlan) -> Result<(), CommandError> {
        let waker = self.config.waker.clone();
        let job = self.engine()?.judge(plan, waker);
        self.study.queue.judging = JudgingState {
            job: Some(self.list_job("Judging", Leash::Judging(job))),
            run: Some(run),
            ..JudgingState::default()
        };
        Ok(())
    }

    pub(super) fn absorb_queue(&mut self, id: JobId, event: QueueEvent) {
        match event {
            QueueEvent::Began {
                at, run, recipe, ..
            } => {
                self.set_phase(at, TrialPhase::Training);
                self.training = TrainingState::starting(id, *recipe, run);
            }
            QueueEvent::Training(event) => {
                if let (TrainEvent::EpochEnded(row), Some(at)) =
                    (&*event, self.study.queue.running())
                {
                    self.study.queue.rows.push((at, row.clone()));
                }
                self.absorb_training(id, *event);
                let share = self.study.queue.share(&self.training);
                self.set_progress(id, share);
            }
            QueueEvent::Judging(event) => self.trial_judged(event),
            QueueEvent::Note(note) => self.notify(Notice::warning(note)),
            QueueEvent::Ended { at, end, .. } => {
                if let (TrialEnd::Failed { why }, Some(trial)) =
                    (&end, self.study.queue.trials.get(at))
                {
                    // The queue goes on, so it is no error of the whole.
                    let text = format!("The trial {} failed: {why}", trial.name);
                    self.notify(Notice::warning(text));
                    self.training_ended(Some(why.clone()));
                }
                if self.training.is_running() {
                    // There was nothing left to train, only to judge.
                    self.training.phase = TrainingPhase::Idle;
                }
                self.set_phase(at, TrialPhase::Ended(end));
            }
            QueueEvent::Finished(report) => {
                self.notify(Notice::info(format!(
                    "The queue is done: {} trained, {} were done before, {} failed",
                    report.done, report.left_alone, report.failed
                )));
                self.study.queue.report = Some(report);
                self.write_queue_table();
            }
        }
    }

    fn trial_judged(&mut self, event: JudgeEvent) {
        let Some(at) = self.study.queue.running() else {
            return;
        };
        match event {
            JudgeEvent::JudgedBefore { on, reads } => self.notify(judged_before(on, reads)),
            JudgeEvent::Progress { done, total } => {
                self.set_phase(at, TrialPhase::Judging { done, total });
            }
            JudgeEvent::Note(note) => self.notify(Notice::warning(note)),
            JudgeEvent::Finished(judgement) => {
                self.study.queue.trials[at].judgement = Some(judgement);
            }
        }
    }

    fn set_phase(&mut self, at: usize, phase: TrialPhase) {
        if let Some(trial) = self.study.queue.trials.get_mut(at) {
            trial.phase = phase;
        }
    }

    pub(super) fn absorb_judging(&mut self, id: JobId, event: JudgeEvent) {
        match event {
            JudgeEvent::JudgedBefore { on, reads } => {
                self.study.queue.judging.read_before = reads;
                self.notify(judged_before(on, reads));
            }
            JudgeEvent::Progress { done, total } => {
                self.set_progress(id, done as f32 / total.max(1) as f32);
            }
            JudgeEvent::Note(note) => self.notify(Notice::warning(note)),
            JudgeEvent::Finished(judgement) => {
                self.notify(Notice::info(judged_text(&judgement)));
                self.study.queue.judging.judgement = Some(judgement);
            }
        }
    }

    /// `why` is the reason when the job did not finish.
    pub(super) fn queue_ended(&mut self, why: Option<String>) {
        self.study.queue.job = None;
        self.study.queue.failure.clone_from(&why);
        if let Some(at) = self.study.queue.running() {
            self.set_phase(at, TrialPhase::Waiting);
        }
        self.training_ended(why);
    }
}

impl QueueState {
    /// The place of the trial that runs.
    pub fn running(&self) -> Option<usize> {
        self.trials
            .iter()
            .position(|trial| trial.phase.is_running())
    }
}

/// That a part was judged before: what the test part is for happens once, while the validation part
/// is there to be chosen by.
fn judged_before(on: ScoredOn, reads: u32) -> Notice {
    match (on, reads) {
        (ScoredOn::Validation, 1) => {
            Notice::info("The validation part was judged once before; it is there to choose by")
        }
        (ScoredOn::Validation, _) => Notice::info(format!(
            "The validation part was judged {reads} times before; it is there to choose by"
        )),
        (ScoredOn::Test, _) => {
            let times = if reads == 1 {
                "once".to_owned()
            } else {
                count_of(reads as usize, "time")
            };
            Notice::warning(format!(
                "This part was judged {times} before; who chooses by its scores has used it up"
            ))
        }
    }
}

fn judged_text(judgement: &Judgement) -> String {
    let part = match judgement.total.on {
        ScoredOn::Validation => "validation",
        ScoredOn::Test => "test",
    };
    let ratio = |value: Option<f64>| {
        value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.3}"))
    };
    let scores = &judgement.total.scores;
    let leaks = judgement.leaks.as_ref();
    format!(
        "Judged on the {part} part: mean IoU {}, pixel accuracy {} (majority alone {}){}",
        ratio(scores.mean_iou),
        ratio(scores.pixel_accuracy),
        ratio(scores.majority_baseline),
        leaks.map_or_else(String::new, |leaks| format!(". {leaks}"))
    )
}

#[cfg(test)]
mod tests {
    use super::super::Severity;
    use super::*;

    #[test]
    fn only_the_test_part_is_used_up() {
        for reads in [1, 5] {
            let test = judged_before(ScoredOn::Test, reads);
            assert_eq!(test.severity, Severity::Warning);
            assert!(test.text.contains("used it up"), "{}", test.text);
            let validation = judged_before(ScoredOn::Validation, reads);
            assert_eq!(validation.severity, Severity::Info);
            assert!(!validation.text.contains("used"), "{}", validation.text);
        }
        let often = judged_before(ScoredOn::Validation, 5);
        assert!(often.text.contains("5 times"), "{}", often.text);
    }
}
