use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::LeakSample;
use super::names::in_order;
use super::report::{Found, LeakKind};

/// So much of a file is looked at before all of it.
const HEAD: u64 = 64 << 10;
/// Bytes read at once.
const CHUNK: usize = 1 << 20;

/// Files of equal bytes in different parts.
pub(super) fn equal_files(
    samples: &[LeakSample<'_>],
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Vec<Found> {
    let paths: Vec<&Path> = samples.iter().map(|sample| sample.path).collect();
    let parts_differ = |group: &[usize]| {
        let first = samples[group[0]].part;
        group.iter().any(|&at| samples[at].part != first)
    };
    let mut found = Vec::new();
    for twins in alike_files(&paths, &parts_differ, is_cancelled) {
        let partner = |&at: &usize| {
            let other = |other: &&usize| samples[**other].part != samples[at].part;
            let other = twins.iter().filter(other);
            let other = other.min_by_key(|&&other| samples[other].part)?;
            let (first, second) = in_order(samples, *other, at);
            // Each pair once, from its later sample.
            (second == at).then(|| Found {
                kind: LeakKind::SamePixels,
                pair: (first as u32, second as u32),
                weight: 0,
                detail: "equal files".to_owned(),
            })
        };
        found.extend(twins.iter().filter_map(partner));
    }
    found
}

/// Groups of files of equal bytes, by their places in `paths`, without decoding any: of files of
/// equal length those with equal beginnings are read whole. Groups that `is_wanted` does not want
/// are left out as early as they are seen, as are files that cannot be read.
pub(in crate::dataset) fn alike_files(
    paths: &[&Path],
    is_wanted: &dyn Fn(&[usize]) -> bool,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Vec<Vec<usize>> {
    let all = vec![(0..paths.len()).collect::<Vec<_>>()];
    let split = |groups, mark: &dyn Fn(&Path) -> io::Result<u128>| {
        let mut groups = narrowed(paths, groups, is_cancelled, mark);
        groups.retain(|group| is_wanted(group));
        groups
    };
    let alike = split(all, &|path| Ok(u128::from(fs::metadata(path)?.len())));
    let alike = split(alike, &|path| digest(path, HEAD));
    split(alike, &|path| digest(path, u64::MAX))
}

/// The groups split by what `mark` says of their files.
fn narrowed(
    paths: &[&Path],
    groups: Vec<Vec<usize>>,
    is_cancelled: &(dyn Fn() -> bool + Sync),
    mark: &dyn Fn(&Path) -> io::Result<u128>,
) -> Vec<Vec<usize>> {
    let mut narrowed = Vec::new();
    for group in groups {
        let mut by_mark: BTreeMap<u128, Vec<usize>> = BTreeMap::new();
        for at in group {
            if is_cancelled() {
                return Vec::new();
            }
            if let Ok(mark) = mark(paths[at]) {
                by_mark.entry(mark).or_default().push(at);
            }
        }
        narrowed.extend(by_mark.into_values());
    }
    narrowed
}

/// A number that files of equal first `most` bytes share, and hardly any others.
fn digest(path: &Path, most: u64) -> io::Result<u128> {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
    let mut file = File::open(path)?.take(most);
    let mut buffer = vec![0; CHUNK.min(most as usize)];
    let mut state: u128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D;
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            return Ok(state);
        }
        for word in buffer[..length].chunks(8) {
            let mut bytes = [0; 8];
            bytes[..word.len()].copy_from_slice(word);
            let word = u128::from(u64::from_le_bytes(bytes));
            // FNV-1a by words; the turn brings the high bits down.
            state = (state ^ word).wrapping_mul(PRIME).rotate_left(41);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::parts::Part;
    use crate::disk::replace_file;

    #[test]
    fn equal_files_of_different_parts_are_found_without_decoding() {
        let folder = tempfile::tempdir().expect("a folder");
        let long = |last: u8| [vec![7; 100_000], vec![last]].concat();
        let files = [
            ("a", long(1), Part::Train),
            ("b", long(1), Part::Validation),
            ("c", long(2), Part::Validation),
            ("d", vec![3], Part::Train),
            ("e", vec![3], Part::Train),
            ("f", long(1), Part::Train),
        ];
        let paths: Vec<_> = files
            .iter()
            .map(|(name, bytes, _)| {
                let path = folder.path().join(name);
                replace_file(&path, bytes).expect("a file");
                path
            })
            .collect();
        let samples: Vec<LeakSample<'_>> = files
            .iter()
            .zip(&paths)
            .map(|((name, _, part), path)| LeakSample {
                name,
                path,
                part: *part,
            })
            .collect();
        let found = equal_files(&samples, &|| false);
        let pairs: Vec<(u32, u32)> = found.iter().map(|found| found.pair).collect();
        assert_eq!(pairs, [(0, 1)]);
        assert!(equal_files(&samples, &|| true).is_empty());
    }
}
