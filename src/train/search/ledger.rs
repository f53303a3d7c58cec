use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use super::SearchPlan;
use crate::disk::replace_file;
use crate::train::TrainError;
use crate::train::report::read_bounded;

/// Name of the file in a search's folder.
pub(in crate::train) const SEARCH_FILE: &str = "search.json";
/// No such file this program writes is larger.
const MOST_BYTES: u64 = 16 << 20;

/// How the parts of a search that are over ended. What was cut stays cut, whatever becomes of the
/// run folders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SearchLedger {
    /// A number of what is searched, so that another search is noticed.
    print: String,
    /// The parts that are over, in their order.
    #[serde(default)]
    pub(super) rungs: Vec<RungEnd>,
}

/// The end of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RungEnd {
    /// The epoch that its trials were trained to.
    pub(super) until: u32,
    /// Its trials, the best first.
    pub(super) standings: Vec<Standing>,
}

/// How a trial stands at the end of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    /// The trial.
    pub(super) name: String,
    /// The number that is made small, the best so far; `None`: it failed or has none.
    pub(super) cost: Option<f64>,
    /// Why it failed.
    #[serde(default)]
    pub(super) failure: Option<String>,
}

impl RungEnd {
    /// The trials in order: the smallest cost first, ties by name, what failed last.
    pub(super) fn of(until: u32, mut standings: Vec<Standing>) -> Self {
        let key = |standing: &Standing| standing.cost.unwrap_or(f64::INFINITY);
        standings.sort_by(|one, other| {
            let by_cost = key(one).total_cmp(&key(other));
            by_cost.then_with(|| one.name.cmp(&other.name))
        });
        Self { until, standings }
    }

    /// The best `count`; fewer where more failed.
    pub(super) fn best(&self, count: usize) -> Vec<&str> {
        let good = self.standings.iter().filter(|one| one.cost.is_some());
        good.take(count).map(|one| one.name.as_str()).collect()
    }
}

impl SearchLedger {
    /// What the folder of `plan` holds, or the beginning.
    ///
    /// # Errors
    /// When it holds another search, or its file is damaged.
    pub(super) fn begin(plan: &SearchPlan) -> Result<Self, TrainError> {
        let path = plan.folder().join(SEARCH_FILE);
        let damaged = |why: String| TrainError::SearchFile {
            reason: why,
            path: path.clone(),
        };
        let ledger: Self = match read_bounded(&path, MOST_BYTES) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let rungs = Vec::new();
                let print = plan.print();
                let ledger = Self { print, rungs };
                ledger.save(plan)?;
                return Ok(ledger);
            }
            Err(error) => return Err(damaged(error.to_string())),
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?
            }
        };
        if ledger.print != plan.print() {
            return Err(TrainError::OtherSearch(plan.folder().to_owned()));
        }
        Ok(ledger)
    }

    /// What the folder of `plan` holds of this very search; `None` when that is nothing.
    pub(super) fn begun(plan: &SearchPlan) -> Option<Self> {
        let bytes = read_bounded(&plan.folder().join(SEARCH_FILE), MOST_BYTES).ok()?;
        let ledger: Self = serde_json::from_slice(&bytes).ok()?;
        (ledger.print == plan.print()).then_some(ledger)
    }

    /// Notes the end of the next part.
    pub(super) fn note(&mut self, plan: &SearchPlan, end: RungEnd) -> Result<(), TrainError> {
        self.rungs.push(end);
        self.save(plan)
    }

    fn save(&self, plan: &SearchPlan) -> Result<(), TrainError> {
        let mut text = serde_json::to_string_pretty(self).expect("plain records become JSON");
        text.push('\n');
        Ok(replace_file(
            &plan.folder().join(SEARCH_FILE),
            text.as_bytes(),
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(name: &str, cost: Option<f64>) -> Standing {
        Standing {
            name: name.to_owned(),
            cost,
            failure: None,
        }
    }

    #[test]
    fn the_better_ones_go_on_and_what_failed_does_not() {
        let end = RungEnd::of(
            3,
            vec![
                standing("e", None),
                standing("d", Some(-0.5)),
                standing("b", Some(-0.7)),
                standing("a", None),
                standing("c", Some(-0.5)),
            ],
        );
        assert_eq!(end.best(2), ["b", "c"]);
        assert_eq!(end.best(5), ["b", "c", "d"]);
        let names: Vec<&str> = end.standings.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["b", "c", "d", "a", "e"]);
    }
}
