use std::path::{Path, PathBuf};

use super::{Lineage, Verdict, VerdictPlan};
use crate::train::{SavedModel, can_go_on};

/// Longer chains are cut, which also ends those that bite their own tail.
const MOST_ANCESTORS: usize = 256;

/// A model of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Ancestor {
    /// Its run folder.
    pub run: PathBuf,
    /// Where it comes from; `None` for one that was not fine-tuned or is gone.
    pub lineage: Option<Lineage>,
    /// What its verdict was, if there is one.
    pub verdict: Option<Verdict>,
    /// Whether it is a fine-tuning that was stopped or killed before its verdict and can go on.
    pub goes_on: bool,
}

/// The model in `run` and all that it comes from, itself first. Runs that are gone end the chain.
pub fn ancestors(run: &Path) -> Vec<Ancestor> {
    let mut chain: Vec<Ancestor> = Vec::new();
    let mut next = Some(run.to_owned());
    while let Some(run) = next {
        let is_known = chain.iter().any(|ancestor| ancestor.run == run);
        if is_known || chain.len() == MOST_ANCESTORS {
            break;
        }
        let lineage = SavedModel::card_of(&run).ok().and_then(|card| card.lineage);
        next = lineage
            .as_ref()
            .and_then(|lineage| lineage.parent.as_ref())
            .map(|parent| parent.found_from(&run));
        let verdict = Verdict::load(&run);
        let is_unjudged = verdict.is_none() && lineage.is_some();
        chain.push(Ancestor {
            goes_on: is_unjudged && (VerdictPlan::is_due(&run) || can_go_on(&run)),
            verdict,
            lineage,
            run,
        });
    }
    chain
}
