use std::path::{Path, PathBuf};

use super::{Lineage, Verdict};
use crate::train::SavedModel;

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
        chain.push(Ancestor {
            verdict: Verdict::load(&run),
            lineage,
            run,
        });
    }
    chain
}
