use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::LeakSample;
use super::names::in_order;
use super::report::{Found, LeakKind};
use super::trace::Trace;
use super::turn::Turn;

/// Most signs of 63 in which the hashes of copies differ.
const MOST_BITS: u32 = 16;
/// The least correlation of the thumbnails of copies, and of their details.
const LEAST_LIKENESS: (f32, f32) = (0.97, 0.8);

/// Images of equal pixels and other copies between parts; `traces` are those of the samples that
/// could be read.
pub(super) fn copies(
    samples: &[LeakSample<'_>],
    traces: &[(usize, Trace)],
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Vec<Found> {
    let mut found = same_pixels(samples, traces);
    let known: BTreeSet<(u32, u32)> = found.iter().map(|found| found.pair).collect();
    let near: Vec<Found> = (0..traces.len())
        .into_par_iter()
        .flat_map_iter(|first| {
            let stop = is_cancelled();
            let others = if stop { &[][..] } else { &traces[first + 1..] };
            copies_of(samples, &traces[first], others)
        })
        .filter(|found| !known.contains(&found.pair))
        .collect();
    found.extend(near);
    found
}

fn same_pixels(samples: &[LeakSample<'_>], traces: &[(usize, Trace)]) -> Vec<Found> {
    let mut equal: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, trace) in traces {
        equal.entry(trace.pixels).or_default().push(*at);
    }
    let mut found = Vec::new();
    for twins in equal.values() {
        // Many equal images, such as black ones, would make a square of pairs that says no more.
        for (position, &a) in twins.iter().enumerate() {
            let partners = twins[position + 1..].iter().take(1000);
            for &b in partners.filter(|&&b| samples[a].part != samples[b].part) {
                let (first, second) = in_order(samples, a, b);
                found.push(Found {
                    kind: LeakKind::SamePixels,
                    pair: (first as u32, second as u32),
                    weight: 0,
                    detail: "equal pixels".to_owned(),
                });
            }
        }
    }
    found
}

fn copies_of(
    samples: &[LeakSample<'_>],
    (a, trace): &(usize, Trace),
    others: &[(usize, Trace)],
) -> Vec<Found> {
    if trace.thumb.is_flat {
        return Vec::new();
    }
    let turned: Vec<(Turn, u64)> = Turn::all()
        .map(|turn| (turn, trace.thumb.hash_turned(turn)))
        .collect();
    let mut found = Vec::new();
    for (b, other) in others {
        if samples[*a].part == samples[*b].part || other.thumb.is_flat {
            continue;
        }
        let near = |hash: u64| (hash ^ other.thumb.hash).count_ones() <= MOST_BITS;
        let likely = turned.iter().filter(|&&(_, hash)| near(hash));
        let best = likely
            .map(|&(turn, _)| (trace.thumb.likeness(turn, &other.thumb), turn))
            .filter(|((whole, detail), _)| {
                *whole >= LEAST_LIKENESS.0 && *detail >= LEAST_LIKENESS.1
            })
            .max_by(|((_, a), _), ((_, b), _)| a.total_cmp(b));
        if let Some(((whole, detail), turn)) = best {
            let (first, second) = in_order(samples, *a, *b);
            let how = if turn.is_none() {
                ""
            } else {
                ", turned or flipped"
            };
            found.push(Found {
                kind: LeakKind::Copy,
                pair: (first as u32, second as u32),
                weight: (detail.clamp(0.0, 1.0) * 1e6) as u32,
                detail: format!("alike to {:.1} %{how}", 100.0 * whole),
            });
        }
    }
    found
}
