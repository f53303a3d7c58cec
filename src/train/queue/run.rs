use super::ledger::Ledger;
use super::stage::{Stage, clear};
use super::{QueueEvent, QueuePlan, QueueReport, Trial, TrialEnd};
use crate::job::{Cancelled, JobContext, fenced};
use crate::train::folder_lock::taken;
use crate::train::{JudgePlan, TrainData, TrainError, TrainPlan, judge, run as training};
use std::sync::Arc;

/// Does the trials of `plan` that are not done. `between` is called between steps, when no tensor
/// is in use.
///
/// When the job is stopped, the trial that runs is left so that it can go on. Gives the end of each
/// trial, in their order.
///
/// # Errors
/// When somebody else trains into the folder, or that of any trial holds something else; then
/// nothing is done.
pub(in crate::train) fn run(
    plan: &QueuePlan,
    job: &JobContext<QueueEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<Vec<TrialEnd>> {
    job.check()?;
    let _lock = taken(plan.folder())?;
    work(plan, job, between)
}

/// As [`run`] in a folder that is taken already.
pub(in crate::train) fn work(
    plan: &QueuePlan,
    job: &JobContext<QueueEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<Vec<TrialEnd>> {
    // What the folder holds of something else is said before anything is written.
    for trial in plan.trials() {
        Stage::of(plan, trial)?;
    }
    let mut ledger = Ledger::begin(plan)?;
    let mut report = QueueReport::default();
    let mut ends = Vec::new();
    let total = plan.trials().len();
    for (at, trial) in plan.trials().iter().enumerate() {
        job.check()?;
        let is_done = ledger.ends.get(&trial.name) == Some(&TrialEnd::Done);
        let stage = Stage::of(plan, trial);
        if is_done && matches!(stage, Ok(Stage::Complete)) {
            report.left_alone += 1;
            let end = TrialEnd::Done;
            ends.push(end.clone());
            job.tell(QueueEvent::Ended { at, total, end })?;
            continue;
        }
        job.tell(QueueEvent::Began {
            at,
            total,
            name: trial.name.clone(),
            run: plan.run_of(trial),
            recipe: Box::new(trial.recipe.clone()),
        })?;
        let end = match fenced(|| done(plan, trial, job, &mut *between)) {
            Ok(Ok(())) => TrialEnd::Done,
            Ok(Err(error)) if error.is::<Cancelled>() => return Err(error),
            Ok(Err(error)) if plan.is_strict && may_pass(&error) => {
                let name = &trial.name;
                let why = format!("It ended at {name} and goes on there when it is started again");
                return Err(error.context(why));
            }
            Ok(Err(error)) => failed(format!("{error:#}")),
            Err(panic) => failed(panic),
        };
        let count = match end {
            TrialEnd::Done => &mut report.done,
            TrialEnd::Failed { .. } => &mut report.failed,
        };
        *count += 1;
        ledger.note(plan.folder(), trial, end.clone())?;
        ends.push(end.clone());
        job.tell(QueueEvent::Ended { at, total, end })?;
    }
    job.tell(QueueEvent::Finished(report))?;
    Ok(ends)
}

fn may_pass(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<TrainError>();
    error.is_some_and(TrainError::may_pass)
}

const fn failed(why: String) -> TrialEnd {
    TrialEnd::Failed { why }
}

/// Trains and judges `trial` as far as that is not done.
fn done(
    plan: &QueuePlan,
    trial: &Trial,
    job: &JobContext<QueueEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<()> {
    let run = plan.run_of(trial);
    let mut stage = Stage::of(plan, trial)?;
    if stage == Stage::Lost {
        clear(&run)?;
        let note = "It was stopped before anything was kept, so it begins anew";
        job.tell(QueueEvent::Note(note.to_owned()))?;
        stage = Stage::Fresh;
    }
    let train_plan = match stage {
        Stage::Fresh | Stage::Lost => Some(fresh(plan, trial)?),
        Stage::Begun => {
            let ground = TrainData::of_run(&run)?.ground(&run, plan.cache_bytes)?;
            Some(TrainPlan::resume(ground, run.clone())?)
        }
        Stage::Trained | Stage::Complete => None,
    };
    if let Some(train_plan) = train_plan {
        training::run(
            &Arc::new(train_plan.until(trial.until).timed(plan.clock)),
            &job.part(|event| QueueEvent::Training(Box::new(event))),
            &mut *between,
        )?;
    }
    // What was judged before and then trained on is judged again, and that is counted.
    if let Some(on) = trial.judge.filter(|_| stage != Stage::Complete) {
        let judge_plan = JudgePlan::new(run, on, plan.cache_bytes)?;
        let job = job.part(QueueEvent::Judging);
        judge::run(&judge_plan, &job, between)?;
    }
    Ok(())
}

fn fresh(plan: &QueuePlan, trial: &Trial) -> anyhow::Result<TrainPlan> {
    let data = plan.data_of(trial);
    let (ground, classes) = data.opened(plan.folder(), plan.cache_bytes)?;
    let train_plan = TrainPlan::new(trial.recipe.clone(), ground, classes, plan.run_of(trial))?;
    Ok(train_plan.reading(data))
}
