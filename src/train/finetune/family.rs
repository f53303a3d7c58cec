use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Ancestor, Lineage, Verdict, ancestors};
use crate::train::{RunRecord, SavedModel};

/// The runs in a folder.
pub(super) fn runs_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| RunRecord::is_run(path)).collect()
}

/// The names of the models of `chain` and of all that share an ancestor with them and lie in one of
/// their folders or beside `out`, also those that were refused or given back.
pub(super) fn family_names(out: &Path, chain: &[Ancestor]) -> BTreeSet<String> {
    let known: BTreeSet<&Path> = chain.iter().map(|model| &*model.run).collect();
    let folders: BTreeSet<&Path> = (known.iter().copied().chain([out]))
        .filter_map(Path::parent)
        .collect();
    let siblings = folders.into_iter().flat_map(runs_in).filter(|run| {
        let of_run = ancestors(run);
        of_run.iter().any(|model| known.contains(&*model.run))
    });
    let runs = known.iter().map(|run| run.to_path_buf()).chain(siblings);
    let name = |run: PathBuf| Some(run.file_name()?.to_string_lossy().into_owned());
    runs.filter_map(name).collect()
}

/// How often the judging blocks of `lineage`, which is that of the model in `run`, were read for a
/// verdict, this time counted: by models that it comes from and by all that lie beside it.
pub(super) fn reads_of(run: &Path, lineage: &Lineage) -> u32 {
    let chain = ancestors(run).into_iter().map(|model| model.run);
    let beside = run.parent().map(runs_in).unwrap_or_default();
    let others: BTreeSet<PathBuf> = chain.chain(beside).filter(|other| other != run).collect();
    let shares_ground = |other: &&PathBuf| {
        let card = SavedModel::card_of(other).ok();
        card.and_then(|card| card.lineage)
            .is_some_and(|other| judges_alike(lineage, &other))
    };
    let verdicts: Vec<Verdict> = (others.iter())
        .filter(shares_ground)
        .filter_map(|other| Verdict::load(other))
        .collect();
    // What others counted may be of runs that are gone by now.
    let counted = verdicts.iter().map(|verdict| verdict.reads);
    let own = Verdict::load(run).map(|verdict| verdict.reads);
    let most = counted.chain(own).max().unwrap_or_default();
    most.max(verdicts.len() as u32) + 1
}

/// Whether any ground judges both.
fn judges_alike(one: &Lineage, other: &Lineage) -> bool {
    let mut blocks = one.held_out.judging.iter();
    one.image_print == other.image_print
        && blocks.any(|block| {
            let mut others = other.held_out.judging.iter();
            others.any(|other| !block.intersect(*other).is_empty())
        })
}
