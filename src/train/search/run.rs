use super::ledger::{RungEnd, SearchLedger, Standing};
use super::{Rung, SearchEvent, SearchPlan, SearchResult, SearchTrial};
use crate::job::JobContext;
use crate::train::folder_lock::taken;
use crate::train::{
    BestBy, QueueEvent, QueuePlan, RunRecord, ScoredOn, TrainError, TrialEnd, queue,
};

/// Searches as `plan` says, as far as that is not done. `between` is called between steps, when no
/// tensor is in use.
///
/// The tables in the folder are written after each part. When the job is stopped, the trial that
/// runs is left so that it can go on. Where the disk refuses a trial, the search ends before a cut.
pub(in crate::train) fn run(
    plan: &SearchPlan,
    job: &JobContext<SearchEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<()> {
    job.check()?;
    let _lock = taken(plan.folder())?;
    let mut ledger = SearchLedger::begin(plan)?;
    let found = SearchResult::read(plan, &ledger);
    job.tell(SearchEvent::Found(Box::new(found)))?;
    let mut left: Vec<&SearchTrial> = plan.trials().iter().collect();
    for (at, &rung) in plan.rungs().iter().enumerate() {
        if at >= ledger.rungs.len() {
            let total = plan.rungs().len();
            job.tell(SearchEvent::RungBegan {
                at,
                total,
                rung,
                trials: left.iter().map(|trial| trial.name.clone()).collect(),
            })?;
            let end = climbed(plan, &left, rung, job, &mut *between)?;
            ledger.note(plan, end)?;
        }
        let next = plan.rungs().get(at + 1).map_or(1, |next| next.trials);
        let kept = ledger.rungs[at].best(next);
        left = kept.iter().filter_map(|name| plan.trial(name)).collect();
        let result = SearchResult::read(plan, &ledger);
        result.write(plan.folder())?;
        job.tell(SearchEvent::RungEnded {
            at,
            kept: kept.into_iter().map(str::to_owned).collect(),
            result: Box::new(result),
        })?;
    }
    let winner = left.first().copied();
    let winner = winner.ok_or_else(|| TrainError::Search("no trial is left".to_owned()))?;
    if !plan.refit_seeds.is_empty() {
        refitted(plan, winner, job, between)?;
    }
    let result = SearchResult::read(plan, &ledger);
    result.write(plan.folder())?;
    Ok(job.tell(SearchEvent::Finished(Box::new(result)))?)
}

/// The working end for a queue of the search.
fn of_queue(job: &JobContext<SearchEvent>) -> JobContext<QueueEvent> {
    job.part(|event| SearchEvent::Queue(Box::new(event)))
}

/// Trains `trials` as far as the part says, and puts them in order.
fn climbed(
    plan: &SearchPlan,
    trials: &[&SearchTrial],
    rung: Rung,
    job: &JobContext<SearchEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<RungEnd> {
    let queued = trials.iter().map(|trial| plan.queued(trial, rung.until));
    let queue = QueuePlan::new(plan.folder().to_owned(), queued.collect(), plan.cache_bytes)?;
    let ends = queue::work(&queue.strict().timed(plan.clock), &of_queue(job), between)?;
    let standing = |(trial, end): (&&SearchTrial, TrialEnd)| {
        let (cost, failure) = match end {
            TrialEnd::Failed { why } => (None, Some(why)),
            TrialEnd::Done => {
                let record = RunRecord::load(&plan.folder().join(&trial.name)).unwrap_or_default();
                (best_cost(&record, &plan.best_by, rung.until), None)
            }
        };
        Standing {
            name: trial.name.clone(),
            cost,
            failure,
        }
    };
    let standings: Vec<Standing> = trials.iter().zip(ends).map(standing).collect();
    if standings.iter().all(|one| one.cost.is_none()) {
        // Nothing is noted, so that the same command tries them again.
        let why = standings.iter().find_map(|one| one.failure.as_deref());
        let why = why.unwrap_or("none has a score");
        return Err(TrainError::Search(format!("every trial failed; the first so: {why}")).into());
    }
    Ok(RungEnd::of(rung.until, standings))
}

/// The smallest cost up to an epoch.
fn best_cost(record: &RunRecord, best_by: &BestBy, until: u32) -> Option<f64> {
    let classes = record.classes.clone().unwrap_or_default();
    let rows = record.rows.iter().filter(|row| row.epoch <= until);
    let costs = rows.map(|row| best_by.cost(row, &classes));
    costs.filter(|cost| cost.is_finite()).min_by(f64::total_cmp)
}

/// Trains the winner anew and judges it on the test part, where its own run held one out.
fn refitted(
    plan: &SearchPlan,
    winner: &SearchTrial,
    job: &JobContext<SearchEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<()> {
    let split = RunRecord::load(&plan.folder().join(&winner.name))?.split;
    let has_test =
        split.is_some_and(|split| !(split.test_files.is_empty() && split.test_blocks.is_empty()));
    let judge = has_test.then_some(ScoredOn::Test);
    let refits = plan.refits(winner, judge);
    job.tell(SearchEvent::RefitBegan {
        winner: winner.name.clone(),
        label: plan.label(winner),
        on: judge.unwrap_or(ScoredOn::Validation),
        trials: refits.iter().map(|trial| trial.name.clone()).collect(),
    })?;
    let queue = QueuePlan::new(plan.folder().to_owned(), refits, plan.cache_bytes)?;
    queue::work(&queue.strict().timed(plan.clock), &of_queue(job), between)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::ClassTable;
    use crate::train::EpochRow;

    #[test]
    fn the_best_so_far_counts_and_no_number_does_not() {
        let row = |epoch, val_loss| EpochRow {
            epoch,
            val_loss,
            mean_iou: Some(val_loss / 2.0),
            ..EpochRow::default()
        };
        let rows = vec![row(1, 0.5), row(2, f64::NAN), row(3, 0.7), row(4, 0.1)];
        let mut record = RunRecord {
            rows,
            classes: Some(ClassTable::road()),
            ..RunRecord::default()
        };
        assert_eq!(best_cost(&record, &BestBy::ValLoss, 3), Some(0.5));
        assert_eq!(best_cost(&record, &BestBy::ValLoss, 4), Some(0.1));
        assert_eq!(best_cost(&record, &BestBy::MeanIou, 4), Some(-0.35));
        record.rows[2].per_class_iou = vec![Some(0.9), Some(0.25)];
        let of_road = BestBy::ClassIou("road".to_owned());
        assert_eq!(best_cost(&record, &of_road, 4), Some(-0.25));
        record.rows.retain(|row| row.epoch == 2);
        assert_eq!(best_cost(&record, &BestBy::ValLoss, 9), None);
    }
}
