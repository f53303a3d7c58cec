use std::path::PathBuf;

use serde::Serialize;

use super::device::{ChosenDevice, choose};
use super::features::KeptFeatures;
use super::learner::Learner;
use super::memory::available_bytes;
use super::report::{put, rate_svg};
use super::{RateRange, RateVerdict, TrainError, TrainPlan, fitting};
use crate::disk::replace_file;
use crate::job::JobContext;

/// The table and the picture of a search for a learning rate, in the run folder.
pub(super) const RATE_FILES: [&str; 2] = ["rate_range.csv", "rate_range.svg"];

/// What a search for a learning rate says.
#[derive(Clone, Debug, PartialEq)]
pub enum RateEvent {
    /// Where it computes and why there.
    DeviceChosen {
        /// The device's name.
        name: String,
        /// A sentence for the user.
        reason: String,
    },
    /// A step is done; lost when the listener is behind.
    Step {
        /// Step, from 1.
        step: u32,
        /// Steps at most.
        steps: u32,
        /// Its learning rate.
        rate: f64,
        /// The loss of its patches from before it.
        loss: f64,
    },
    /// It is over.
    Finished(RateReport),
}

/// What a search for a learning rate came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RateReport {
    /// The rate of each step.
    pub rates: Vec<f64>,
    /// The loss of each step.
    pub losses: Vec<f64>,
    /// What they say; `None` when no loss fell.
    pub verdict: Option<RateVerdict>,
    /// The folder with `rate_range.csv` and `rate_range.svg`.
    pub folder: PathBuf,
}

impl RateReport {
    /// The steps as a CSV file; the smoothed loss ends where the losses broke away.
    pub fn csv(&self) -> String {
        let smoothed = self.verdict.as_ref();
        let smoothed = smoothed.map_or(&[][..], |verdict| &verdict.smoothed);
        let mut text = "rate,loss,smoothed\n".to_owned();
        for (at, (rate, loss)) in self.rates.iter().zip(&self.losses).enumerate() {
            let smoothed = smoothed.get(at).map(|value| format!("{value:.6}"));
            let smoothed = smoothed.unwrap_or_default();
            put!(&mut text, "{rate:e},{loss:.6},{smoothed}\n");
        }
        text
    }

    fn save(&self) -> Result<(), TrainError> {
        let write = |name: &str, text: String| -> Result<(), TrainError> {
            Ok(replace_file(&self.folder.join(name), text.as_bytes())?)
        };
        let [table, picture] = RATE_FILES;
        write(table, self.csv())?;
        let svg = rate_svg(&self.rates, &self.losses, self.verdict.as_ref());
        write(picture, svg)
    }
}

/// Trains a network that is thrown away, at rates that rise as `range` says, with the patches that
/// the plan's training would begin with. `between` is called between steps.
pub(super) fn run(
    plan: &TrainPlan,
    range: RateRange,
    job: &JobContext<RateEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<()> {
    job.check()?;
    range.check()?;
    let chosen = choose(&plan.recipe.device, &plan.workload())?;
    let ChosenDevice { name, reason, .. } = chosen.clone();
    job.tell(RateEvent::DeviceChosen { name, reason })?;
    let _lock = plan.folder.taken()?;
    let kept_stages = plan.kept_stages(chosen.is_cpu());
    let learner = Learner::new(plan, &chosen.device, kept_stages)?;
    let kept = learner.kept().map_or(0, KeptFeatures::bytes_in_memory);
    let recipe = plan.recipe_holding(kept_stages);
    let known = available_bytes().filter(|_| chosen.is_cpu());
    let fit = known.and_then(|bytes| fitting(&recipe, bytes.saturating_sub(kept)));
    let mut learner = learner.in_pieces_of(fit.map_or(plan.recipe.batch, |fit| fit.piece));
    let (mut rates, mut losses) = (Vec::new(), Vec::new());
    while !range.is_over(&losses) {
        between();
        job.check()?;
        let step = losses.len() as u32;
        let rate = range.rate(step);
        let loss = loss_at(&mut learner, plan, (step, rate))?;
        rates.push(rate);
        losses.push(loss);
        let steps = range.steps;
        job.mention(RateEvent::Step {
            step: step + 1,
            steps,
            rate,
            loss,
        });
    }
    let report = RateReport {
        verdict: range.judge(&losses),
        rates,
        losses,
        folder: plan.folder.path().to_owned(),
    };
    report.save()?;
    Ok(job.tell(RateEvent::Finished(report))?)
}

/// The mean loss of the batches that make one change of the weights.
fn loss_at(
    learner: &mut Learner,
    plan: &TrainPlan,
    (step, rate): (u32, f64),
) -> Result<f64, TrainError> {
    let batches = plan.recipe.updates.accumulate;
    let mut sum = 0.0;
    for batch in step * batches..(step + 1) * batches {
        sum += learner.step_at(plan, batch.into(), rate)?;
    }
    Ok(sum / f64::from(batches))
}

#[cfg(test)]
mod tests {
    use super::super::folder_lock::taken;
    use super::super::test_world::{events_of, plan, recipe};
    use super::super::{Engine, SavedModel};
    use super::*;
    use crate::job::{JobEvent, Waker};

    #[test]
    fn a_search_ends_with_a_rate_and_leaves_the_folder_to_the_training() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("run");
        let range = RateRange {
            from: 1e-5,
            to: 10.0,
            steps: 40,
        };
        let engine = Engine::start().expect("a thread");
        let events = events_of(&engine.find_rate(plan(recipe(), &run), range, Waker::none()));
        let report = events.iter().find_map(|event| match event {
            JobEvent::Said(RateEvent::Finished(report)) => Some(report),
            _ => None,
        });
        let report = report.unwrap_or_else(|| panic!("{events:?}"));
        let suggestion = report.verdict.as_ref().expect("it learns").suggestion();
        assert!((1e-5..1.0).contains(&suggestion), "{suggestion}");
        let table = std::fs::read_to_string(run.join("rate_range.csv")).expect("a table");
        assert_eq!(table.lines().count(), report.losses.len() + 1);
        assert!(run.join("rate_range.svg").is_file());
        assert!(SavedModel::load(&run).is_err());
        plan(recipe(), &run);
        let _lock = taken(&run).expect("nobody searches any more");
        match events_of(&engine.find_rate(plan(recipe(), &run), range, Waker::none())).pop() {
            Some(JobEvent::Failed(why)) => assert!(why.contains("Another Orthobrush"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}
