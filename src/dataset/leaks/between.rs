use super::find::{READING, Read, leaks_among};
use super::report::{Leak, sentence_of_sets};
use super::{LeakHooks, LeakLimits, LeakReport, LeakSample};
use crate::dataset::parts::Part;

/// The images of a data set, whatever parts it has.
#[derive(Clone, Copy, Debug)]
pub struct LeakSet<'a> {
    /// What it is called.
    pub name: &'a str,
    /// How many of the samples are its own.
    pub len: usize,
}

/// Finds what data sets share with each other; `samples` are those of the first set, then those of
/// the second, and so on. Each image is read once. `None` when cancelled.
pub fn find_leaks_between(
    sets: &[LeakSet<'_>],
    samples: &[LeakSample<'_>],
    limits: LeakLimits,
    hooks: &LeakHooks<'_>,
) -> Option<LeakReport> {
    let read = Read::of(samples, limits, hooks)?;
    let ends = sets.iter().scan(0, |end, set| {
        *end += set.len;
        Some(*end)
    });
    let ranges: Vec<_> = sets
        .iter()
        .zip(ends)
        .map(|(set, end)| end - set.len..end)
        .collect();
    let pairs: Vec<(usize, usize)> = (0..sets.len())
        .flat_map(|second| (0..second).map(move |first| (first, second)))
        .collect();
    let mut leaks: Vec<Leak> = Vec::new();
    for (done, &(first, second)) in pairs.iter().enumerate() {
        (hooks.progress)(READING + (1.0 - READING) * done as f64 / pairs.len() as f64);
        let both = [(first, Part::Train), (second, Part::Test)].into_iter();
        let (places, these): (Vec<usize>, Vec<LeakSample<'_>>) = both
            .flat_map(|(set, part)| ranges[set].clone().map(move |at| (at, part)))
            .map(|(at, part)| {
                (
                    at,
                    LeakSample {
                        part,
                        ..samples[at]
                    },
                )
            })
            .unzip();
        let found = leaks_among(&these, &read.about(&places), hooks.is_cancelled)?;
        let names = [sets[first].name, sets[second].name];
        leaks.extend(found.into_iter().map(|leak| Leak {
            sentence: sentence_of_sets(leak.kind, leak.samples, names),
            sets: Some(names.map(str::to_owned)),
            ..leak
        }));
    }
    (hooks.progress)(1.0);
    leaks.sort_by_key(|leak| (leak.kind, std::cmp::Reverse(leak.samples)));
    Some(LeakReport {
        leaks,
        images: read.traces.len(),
        patchwork: None,
        notes: read.notes,
    })
}
