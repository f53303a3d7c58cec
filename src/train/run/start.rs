use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;

use super::Halt;
use super::clock::Clock;
use super::log_line::last_line;
use super::outside::Outside;
use super::preflight::{Trial, advise, preflight};
use super::training::Training;
use crate::disk::FileLock;
use crate::job::{Cancelled, JobContext, fenced, told};
use crate::nn::{KeptMemory, simd_bits};
use crate::train::device::{ChosenDevice, choose};
use crate::train::fitting::{halved, names_memory, pieces_in_words};
use crate::train::learner::Learner;
use crate::train::leftovers::remove_leftovers;
use crate::train::report::END_FILE;
use crate::train::resume::{RunState, forget};
use crate::train::{
    BestBy, Environment, RunEnd, StopReason, TrainError, TrainEvent, TrainPlan, TrainReport,
    write_report,
};

/// Trains as `plan` says. `between` is called between steps, when no tensor is in use: the place
/// to serve other requests.
///
/// A stopped training reports as well, before it says that it was cancelled.
pub(in crate::train) fn run(
    plan: &Arc<TrainPlan>,
    job: &JobContext<TrainEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<()> {
    job.check()?;
    let _kept = KeptMemory::begin();
    let before = plan.resumed.as_ref().map_or(0.0, |before| before.seconds);
    let outside = &mut Outside::new(job, between, Clock::from(before));
    let chosen = introduced(plan, outside)?;
    let (trial, _lock) = if let Some(progress) = &plan.resumed {
        let lock = plan.folder.taken()?;
        remove_leftovers(plan.folder.path());
        tell_other_sums(plan, &chosen, outside)?;
        for row in &progress.rows {
            outside.tell_again(TrainEvent::EpochEnded(row.clone()))?;
        }
        (Trial::of_earlier_part(plan, progress), lock)
    } else {
        if let Some(data) = &plan.data {
            data.check_names()?;
        }
        let trial = preflight(plan, &chosen, outside).map_err(Halt::into_cause)?;
        (trial, begin(plan, &chosen)?)
    };
    let ended = trained(plan, &chosen, outside, trial);
    write_end(plan.folder.path(), &ended, outside);
    let report = ended?;
    let chooses = plan.recipe.best_by != BestBy::Latest;
    let kept = (report.best_epoch, chooses);
    outside.log(last_line(report.reason, kept, report.seconds));
    // Telling sends even when the job was cancelled, and then says so: the job's own last event.
    Ok(outside.tell(TrainEvent::Finished(report))?)
}

/// Writes how the training ended, and the report, which says it as well. What the disk refuses here
/// is no failure of the training.
fn write_end(folder: &Path, ended: &anyhow::Result<TrainReport>, outside: &mut Outside<'_>) {
    let seconds = outside.clock.seconds();
    let end = match ended {
        Ok(report) => RunEnd::of(report.reason, report.seconds),
        Err(error) if error.is::<Cancelled>() => RunEnd::of(StopReason::Person, seconds),
        Err(error) => {
            let why = told(error);
            outside.log(format!("Failed: {why}"));
            RunEnd::Failed { why, seconds }
        }
    };
    if let Err(error) = end.save(folder).and_then(|()| write_report(folder, &[])) {
        let note = format!("The report was not written: {error}");
        // Whether somebody stopped it is said by its last event.
        let _stopped = outside.tell(TrainEvent::Note(note));
    }
}

/// Chooses the device and says what is known before anything is computed.
fn introduced(plan: &TrainPlan, outside: &mut Outside<'_>) -> anyhow::Result<ChosenDevice> {
    let chosen = choose(&plan.recipe.device, &plan.workload())?;
    let ChosenDevice { name, reason, .. } = chosen.clone();
    outside.tell(TrainEvent::DeviceChosen { name, reason })?;
    for note in plan.notes() {
        outside.tell(TrainEvent::Note(note.clone()))?;
    }
    let source = plan.data.as_ref().map(|data| data.source().to_owned());
    outside.tell(TrainEvent::Split(plan.split().report.clone(), source))?;
    Ok(chosen)
}

/// Says where a run that goes on will not end to the last bit as it would have.
fn tell_other_sums(
    plan: &TrainPlan,
    chosen: &ChosenDevice,
    outside: &mut Outside<'_>,
) -> Result<(), Cancelled> {
    let before = Environment::of_run(plan.folder.path()).filter(|_| chosen.is_cpu());
    let note = before.and_then(|before| before.other_sums(simd_bits()));
    note.map_or(Ok(()), |note| outside.tell(TrainEvent::Note(note)))
}

/// Makes the run's folder, which is ours as long as the lock is held.
fn begin(plan: &TrainPlan, chosen: &ChosenDevice) -> Result<Option<FileLock>, TrainError> {
    let lock = plan.folder.begin(plan)?;
    remove_leftovers(plan.folder.path());
    let num_cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let device = [chosen.name.as_str(), chosen.driver.as_str()];
    Environment::of_program(num_cpus, device, &plan.data_fingerprint())
        .beginning(plan.clock.map(|now| now()))
        .save(plan.folder.path())?;
    Ok(lock)
}

/// Trains to the end or until somebody stops it. Where the device has too little memory, it goes
/// on from the last state with half as many patches at once.
fn trained<'a>(
    plan: &'a Arc<TrainPlan>,
    chosen: &ChosenDevice,
    outside: &mut Outside<'a>,
    mut trial: Trial,
) -> anyhow::Result<TrainReport> {
    outside.open_log(plan.folder.path());
    forget(plan.folder.path().join(END_FILE))?;
    let mut before = match &plan.resumed {
        Some(_) => Some(RunState::load(plan.folder.path())?),
        None => None,
    };
    loop {
        let mut training = placed(plan, chosen, (before, trial), outside)?;
        let piece = training.learner.piece();
        let why = match fenced(|| training.epochs()) {
            Ok(Ok(reason)) => return Ok(training.leave(reason, &chosen.name)?),
            Ok(Err(Halt::Stopped(Cancelled))) => {
                return Ok(training.leave(StopReason::Person, &chosen.name)?);
            }
            Ok(Err(Halt::Failed(error))) if names_memory(&error.to_string()) => error.to_string(),
            Ok(Err(Halt::Failed(error))) => return Err(error.into()),
            Err(panic) if names_memory(&panic) => panic,
            Err(panic) => return Err(anyhow!(panic)),
        };
        // What the failed part holds of the device's memory goes before it begins anew.
        drop(training);
        if piece <= 1 {
            return Err(TrainError::OutOfMemory(why).into());
        }
        let mut state = RunState::load(plan.folder.path())?;
        state.progress.piece = halved(piece);
        outside.tell(TrainEvent::Note(format!(
            "The device ran out of memory, so the training goes on from its last state (epoch {}, \
             step {}). From here on {}",
            state.progress.epoch,
            state.progress.step_in_epoch,
            pieces_in_words(&plan.recipe, state.progress.piece)
        )))?;
        advise(plan, state.progress.piece, outside)?;
        trial = Trial::of_earlier_part(plan, &state.progress);
        before = Some(state);
    }
}

/// A training at the state `before`, or at its beginning.
fn placed<'a, 'o>(
    plan: &'a Arc<TrainPlan>,
    chosen: &ChosenDevice,
    (before, trial): (Option<RunState>, Trial),
    outside: &'a mut Outside<'o>,
) -> Result<Training<'a, 'o>, TrainError> {
    let kept_stages = match &before {
        Some(state) => state.progress.kept_stages,
        None => plan.kept_stages(chosen.is_cpu()),
    };
    let mut learner = Learner::new(plan, &chosen.device, kept_stages)?;
    let Some(state) = before else {
        let mut progress = plan.fresh_progress(kept_stages);
        progress.piece = trial.piece;
        let learner = learner.in_pieces_of(trial.piece);
        let mut training = Training::new(plan, (learner, progress, trial), outside)?;
        // There is something to go back to from the first step on.
        training.keep_state()?;
        return Ok(training);
    };
    if plan.recipe.is_unfrozen(state.progress.epoch) {
        learner.unfreeze(plan)?;
    }
    learner.resume(state.learner)?;
    let progress = plan.folder.rebased(state.progress);
    let piece = match progress.piece {
        0 => plan.recipe.batch,
        piece => piece,
    };
    Training::new(
        plan,
        (learner.in_pieces_of(piece), progress, trial),
        outside,
    )
}

impl Training<'_, '_> {
    /// Leaves the folder as the end for `reason` wants it, and reports.
    fn leave(mut self, reason: StopReason, device: &str) -> Result<TrainReport, TrainError> {
        let status = reason.status();
        self.leave_state(status)?;
        self.into_report(status, reason, device)
    }
}
