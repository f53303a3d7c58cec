use std::collections::BTreeMap;

use super::{GroupBy, SampleId, Twins};
use crate::dataset::hash;

/// Samples that go to one part together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// Indices of the samples, rising.
    pub(super) members: Vec<usize>,
    /// A number that follows from the seed and the names of what belongs together.
    pub(super) key: u64,
    /// For a stable order when keys are equal, and for sentences.
    pub(super) name: String,
}

/// The units of the samples `among`, ordered by key: groups are whole, and so are twins when
/// wanted. Samples without a group stand alone.
pub(super) fn units_of(
    samples: &[SampleId<'_>],
    among: &[usize],
    group: Option<&GroupBy>,
    twins: Twins,
    seed: u64,
) -> Vec<Unit> {
    let mut sets = Sets::new(samples.len());
    let groups: Vec<Option<&str>> = samples
        .iter()
        .map(|sample| group.and_then(|rule| rule.group_of(sample)))
        .collect();
    let mut first_of_group: BTreeMap<&str, usize> = BTreeMap::new();
    let mut first_of_twins: BTreeMap<u64, usize> = BTreeMap::new();
    for &at in among {
        if let Some(group) = groups[at] {
            sets.join(at, *first_of_group.entry(group).or_insert(at));
        }
        let fingerprint = samples[at].fingerprint;
        if let Some(fingerprint) = fingerprint.filter(|_| twins == Twins::Together) {
            sets.join(at, *first_of_twins.entry(fingerprint).or_insert(at));
        }
    }
    let mut by_root: BTreeMap<usize, Unit> = BTreeMap::new();
    for &at in among {
        let label = groups[at].unwrap_or(samples[at].name);
        let key = name_hash(seed, label);
        let unit = by_root.entry(sets.root(at)).or_insert_with(|| Unit {
            members: Vec::new(),
            key,
            name: label.to_owned(),
        });
        unit.members.push(at);
        if (key, label) < (unit.key, &unit.name) {
            unit.key = key;
            label.clone_into(&mut unit.name);
        }
    }
    let mut units: Vec<Unit> = by_root.into_values().collect();
    for unit in &mut units {
        unit.members.sort_unstable();
    }
    units.sort_by(|a, b| (a.key, &a.name).cmp(&(b.key, &b.name)));
    units
}

/// A number that depends on `seed` and `name` alone.
pub(super) fn name_hash(seed: u64, name: &str) -> u64 {
    name.as_bytes()
        .chunks(8)
        .fold(hash(&[seed, name.len() as u64]), |state, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash(&[state, u64::from_le_bytes(word)])
        })
}

/// Disjoint sets of indices.
struct Sets(Vec<usize>);

impl Sets {
    fn new(len: usize) -> Self {
        Self((0..len).collect())
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dataset::discover;

    #[test]
    fn groups_and_twins_chain_into_one_unit() {
        let names = ["a_1", "a_2", "b_1", "c_1", "d"];
        let prints = [Some(1), Some(2), Some(2), Some(3), Some(3)];
        let samples: Vec<SampleId<'_>> = names
            .iter()
            .zip(prints)
            .map(|(name, fingerprint)| SampleId {
                fingerprint,
                ..SampleId::new(name, Path::new(""))
            })
            .collect();
        let rule = GroupBy::UpTo {
            separator: "_".to_owned(),
        };
        let members = |twins| {
            let mut members: Vec<Vec<usize>> =
                units_of(&samples, &[0, 1, 2, 3, 4], Some(&rule), twins, 1)
                    .into_iter()
                    .map(|unit| unit.members)
                    .collect();
            members.sort();
            members
        };
        assert_eq!(members(Twins::Together), [vec![0, 1, 2], vec![3, 4]]);
        assert_eq!(
            members(Twins::Apart),
            [vec![0, 1], vec![2], vec![3], vec![4]]
        );
    }

    #[test]
    fn real_frames_are_of_three_recordings() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../shared/data/camvid_11_480x360"
        );
        if !Path::new(folder).is_dir() {
            eprintln!("CamVid is not at hand, nothing is tested");
            return;
        }
        let found = discover(Path::new(folder)).expect("a data set");
        let samples = found.samples.iter();
        let samples: Vec<SampleId<'_>> = samples
            .map(|sample| SampleId::new(&sample.name, &sample.image))
            .collect();
        let all: Vec<usize> = (0..samples.len()).collect();
        let rule = GroupBy::Sequence;
        let units = units_of(&samples, &all, Some(&rule), Twins::Together, 1);
        let mut sizes: Vec<usize> = units.iter().map(|unit| unit.members.len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [62, 101, 305]);
    }

    #[test]
    fn names_of_any_length_have_their_own_number() {
        let names = ["", "a", "a\0", "12345678", "123456780"];
        let mut seen: Vec<u64> = names.iter().map(|name| name_hash(1, name)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), names.len());
        assert_ne!(name_hash(1, "a"), name_hash(2, "a"));
    }
}
