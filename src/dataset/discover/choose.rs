use std::collections::{BTreeMap, BTreeSet};

use super::lists::PartList;
use super::naming::{Naming, stem_of};
use super::pairing::RootFiles;

/// Which folders below the searched one are the data set.
pub(super) enum Chosen {
    /// One of them; what else lies there.
    One(String, Vec<String>),
    /// Several of one form, taken together.
    All,
    /// Several that have nothing to do with each other.
    Several(Vec<String>),
}

/// Names by which folders of different data sets are told apart, though their files lie alike.
const NAMES: [&str; 14] = [
    "loveda",
    "potsdam",
    "vaihingen",
    "camvid",
    "cam101",
    "deepglobe",
    "landcover",
    "salt",
    "inria",
    "massachusetts",
    "epfl",
    "sagemaker",
    "cityscapes",
    "isaid",
];

/// Decides which of the folders with files are meant. `lists` are those of the searched folder,
/// `own_lists` the folders that have class lists of their own.
pub(super) fn choose(
    roots: &BTreeMap<String, RootFiles>,
    lists: &[PartList],
    own_lists: &BTreeSet<String>,
) -> Chosen {
    let with_pairs: Vec<&String> = roots
        .iter()
        .filter(|(_, files)| files.num_pairs() > 0)
        .map(|(root, _)| root)
        .collect();
    let one = |root: &String| {
        let others = roots.keys().filter(|other| *other != root);
        Chosen::One(root.clone(), others.cloned().collect())
    };
    match with_pairs[..] {
        [] => return Chosen::All,
        [only] => return one(only),
        _ => {}
    }
    let listed: Vec<&&String> = with_pairs
        .iter()
        .filter(|root| is_listed(&roots[**root], lists))
        .collect();
    if let [only] = listed[..] {
        return one(only);
    }
    if with_pairs[0].is_empty() {
        return one(with_pairs[0]);
    }
    let form = |root: &&String| {
        let files = &roots[*root];
        (
            form_of(root, files),
            known_name(root),
            parent(root).to_owned(),
        )
    };
    let forms: BTreeSet<_> = with_pairs.iter().map(form).collect();
    let is_one_form = forms.len() == 1 && !with_pairs.iter().any(|root| own_lists.contains(*root));
    if is_one_form {
        return Chosen::All;
    }
    Chosen::Several(with_pairs.into_iter().cloned().collect())
}

/// Whether the first lines of the lists name images of this folder.
fn is_listed(files: &RootFiles, lists: &[PartList]) -> bool {
    let stems: BTreeSet<String> = files
        .found
        .iter()
        .map(|found| stem_of(found.file.image.file_name().unwrap_or_default()))
        .collect();
    lists.iter().any(|list| list.names_any(&stems))
}

type Form = (BTreeSet<String>, BTreeSet<String>, BTreeSet<Naming>);

/// The folders and the naming of a data set, without its own name.
fn form_of(root: &str, files: &RootFiles) -> Form {
    let below = |folders: &BTreeSet<String>| {
        let own = |folder: &String| folder.strip_prefix(root).unwrap_or(folder).to_owned();
        folders.iter().map(own).collect()
    };
    let masks = files
        .found
        .iter()
        .filter_map(|found| found.file.mask.as_ref());
    let namings = masks.map(|(_, naming)| naming.clone()).collect();
    (
        below(&files.image_folders),
        below(&files.mask_folders),
        namings,
    )
}

fn known_name(root: &str) -> Option<&'static str> {
    let root = root.to_lowercase();
    NAMES.into_iter().find(|name| root.contains(name))
}

fn parent(root: &str) -> &str {
    root.rsplit_once('/').map_or("", |(parent, _)| parent)
}
