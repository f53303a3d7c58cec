use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::family::runs_in;
use super::{Ancestor, ancestors};

/// A model in the tree of all that come from one.
#[derive(Clone, Debug, PartialEq)]
pub struct Relative {
    /// It.
    pub model: Ancestor,
    /// How many models of the tree it comes from.
    pub depth: usize,
}

/// The model in `run`, all that it comes from, and all that share an ancestor with it and lie in a
/// folder with one of these, also those that were refused: each behind the one that it went on
/// from, those of one parent by name. Runs that are gone end the tree.
pub fn family_tree(run: &Path) -> Vec<Relative> {
    let chain = ancestors(run);
    let Some(root) = chain.last().map(|model| model.run.clone()) else {
        return Vec::new();
    };
    let folders: BTreeSet<PathBuf> = (chain.iter())
        .filter_map(|model| model.run.parent().map(Path::to_owned))
        .collect();
    // By run; each with the one that it went on from.
    let mut known: BTreeMap<PathBuf, (Option<PathBuf>, Ancestor)> = BTreeMap::new();
    let others = folders.iter().flat_map(|folder| runs_in(folder));
    let chains = others.map(|other| ancestors(&other));
    for models in std::iter::once(chain).chain(chains) {
        if models.last().is_none_or(|first| first.run != root) {
            continue;
        }
        let parents: Vec<PathBuf> = models.iter().map(|model| model.run.clone()).collect();
        for (at, model) in models.into_iter().enumerate() {
            let parent = parents.get(at + 1).cloned();
            known.insert(model.run.clone(), (parent, model));
        }
    }
    let mut tree = Vec::new();
    let mut open = vec![(root, 0)];
    while let Some((run, depth)) = open.pop() {
        let children = (known.iter().rev())
            .filter(|(_, (parent, _))| parent.as_ref() == Some(&run))
            .map(|(child, _)| (child.clone(), depth + 1));
        open.extend(children);
        if let Some((_, model)) = known.remove(&run) {
            tree.push(Relative { model, depth });
        }
    }
    tree
}
