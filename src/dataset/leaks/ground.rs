use std::collections::BTreeSet;

use rayon::prelude::*;

use super::LeakSample;
use super::index::Index;
use super::landmark::Landmark;
use super::places::Places;
use super::report::{Found, LeakKind};
use super::trace::Trace;
use super::vote::fit;
use crate::geom::ImageSize;

/// Bits of the words that a look is searched by.
const WORD: u32 = 16;
/// Most bits of 64 in which two looks of one place differ.
const MOST_BITS: u32 = 10;

/// Pairs of images of different parts that show common ground.
///
/// `sizes` are those of the samples; pairs in `known` are not looked at again.
pub(super) fn common_ground(
    samples: &[LeakSample<'_>],
    traces: &[(usize, Trace)],
    sizes: &[ImageSize],
    known: &BTreeSet<(u32, u32)>,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Vec<Found> {
    let places = Places::new(samples, traces, |trace| trace.landmarks.len());
    let looks = traces.iter().flat_map(|(_, trace)| &trace.landmarks);
    let looks = looks.map(|landmark| landmark.look).collect();
    let index = Index::new(looks, places.part.clone(), WORD, MOST_BITS);
    let Some(mut matches) = index.partners(0, is_cancelled) else {
        return Vec::new();
    };
    let landmark = |place: u32| {
        let (image, within) = places.of(place);
        traces[image].1.landmarks[within]
    };
    let groups = places.by_images(&mut matches, |pair| pair);
    let found = groups.into_par_iter().filter_map(|group| {
        let ((a, b), pair) = places.unknown_pair(samples, traces, group[0], known)?;
        let matches: Vec<(Landmark, Landmark)> = group
            .iter()
            .map(|&(a, b)| (landmark(a), landmark(b)))
            .collect();
        let fit = fit(&matches, &traces[a].1.landmarks, sizes[traces[b].0])?;
        Some(Found {
            kind: LeakKind::SameGround,
            pair,
            weight: fit.votes as u32,
            detail: fit.to_string(),
        })
    });
    found.collect()
}
