use std::collections::BTreeSet;

use rayon::prelude::*;

use super::LeakSample;
use super::index::Index;
use super::keypoint::mirror_mask;
use super::places::Places;
use super::report::{Found, LeakKind};
use super::trace::Trace;
use super::warp::{LookAlike, WarpFit, warp_fit};
use crate::geom::ImageSize;

/// Most bits of 63 in which two looks of one place differ.
const MOST_BITS: u32 = 12;
/// The least share of both images that a copy and its original show both; less is common ground.
const LEAST_SHARED: f64 = 0.5;
/// Most expected keypoints of copies for one that agrees; frames of a moving camera have more.
const MOST_FOR_VOTE: usize = 20;

/// Pairs of images of different parts that show common ground turned by any angle or at another
/// scale; pairs in `known` are not looked at again.
///
/// Of copies turned by any angle, mirrored, brightened and written as JPEG all of 400 pixels and
/// more were found at scales of 0.5 to 2 and as cuts of a quarter of the area and more; of 256
/// pixels 0.98 at scales of 0.8 to 1.25 and 0.9 beyond. Images of 100 pixels have too few keypoints.
pub(super) fn augmented(
    samples: &[LeakSample<'_>],
    traces: &[(usize, Trace)],
    sizes: &[ImageSize],
    known: &BTreeSet<(u32, u32)>,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Vec<Found> {
    let places = Places::new(samples, traces, |trace| trace.keypoints.len());
    let looks = traces.iter().flat_map(|(_, trace)| &trace.keypoints);
    let looks: Vec<u64> = looks.map(|keypoint| keypoint.look).collect();
    // Narrow words find more of the looks that differ in some bits, wide ones compare fewer.
    let width = looks.len().max(1).ilog2().saturating_sub(5).clamp(10, 16);
    let index = Index::new(looks, places.part.clone(), width, MOST_BITS);
    let mut matches = Vec::new();
    for (mirror, flag) in [(0, 0), (mirror_mask(), 1u32)] {
        let Some(found) = index.partners(mirror, is_cancelled) else {
            return Vec::new();
        };
        matches.extend(found.into_iter().map(|(a, b)| (a, b << 1 | flag)));
    }
    let groups = places.by_images(&mut matches, |(a, b)| (a, b >> 1));
    let keypoint = |place: u32| {
        let (image, within) = places.of(place);
        traces[image].1.keypoints[within]
    };
    let found = groups.into_par_iter().filter_map(|group| {
        let ((a, b), pair) =
            places.unknown_pair(samples, traces, (group[0].0, group[0].1 >> 1), known)?;
        let matches: Vec<LookAlike> = group
            .iter()
            .map(|&(a, b)| (keypoint(a), keypoint(b >> 1), b & 1 == 1))
            .collect();
        let WarpFit { warp, votes } = warp_fit(&matches)?;
        let (from, to) = (sizes[traces[a].0], sizes[traces[b].0]);
        let expected = warp.expected(&traces[a].1.keypoints, to).max(votes);
        let is_most = warp
            .shared(from, to)
            .iter()
            .all(|&share| share >= LEAST_SHARED);
        let is_copy = is_most && !warp.is_shift() && votes * MOST_FOR_VOTE >= expected;
        Some(Found {
            kind: if is_copy {
                LeakKind::Copy
            } else {
                LeakKind::SameGround
            },
            pair,
            weight: votes as u32,
            detail: format!("{votes} of {expected} landmarks agree{warp}"),
        })
    });
    found.collect()
}
