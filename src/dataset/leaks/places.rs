use std::collections::BTreeSet;

use super::LeakSample;
use super::names::in_order;
use super::trace::Trace;

/// Which image each of the places of all images is in.
pub(super) struct Places {
    /// Number of places before each image's, and of all.
    starts: Vec<u32>,
    /// Image of each place, by position in the traces.
    image: Vec<u32>,
    /// Part of each place's image.
    pub(super) part: Vec<u8>,
}

impl Places {
    /// Those of `traces`, of which each has `count`.
    pub(super) fn new(
        samples: &[LeakSample<'_>],
        traces: &[(usize, Trace)],
        count: impl Fn(&Trace) -> usize,
    ) -> Self {
        let mut places = Self {
            starts: vec![0],
            image: Vec::new(),
            part: Vec::new(),
        };
        for (image, (at, trace)) in (0u32..).zip(traces) {
            let count = count(trace);
            let part = samples[*at].part as u8;
            places.image.extend(std::iter::repeat_n(image, count));
            places.part.extend(std::iter::repeat_n(part, count));
            places.starts.push(places.image.len() as u32);
        }
        places
    }

    /// The image of a place, and which of its places it is.
    pub(super) fn of(&self, place: u32) -> (usize, usize) {
        let image = self.image[place as usize];
        let within = place - self.starts[image as usize];
        (image as usize, within as usize)
    }

    /// Pairs of places, as `places_of` reads them, by the pairs of images that they are in.
    pub(super) fn by_images<'a, T: Copy + Ord>(
        &self,
        pairs: &'a mut [T],
        places_of: impl Fn(T) -> (u32, u32),
    ) -> Vec<&'a [T]> {
        let image = |place: u32| self.image[place as usize];
        let images = |pair: T| {
            let (a, b) = places_of(pair);
            (image(a), image(b))
        };
        pairs.sort_unstable_by_key(|&pair| (images(pair), pair));
        pairs.chunk_by(|&a, &b| images(a) == images(b)).collect()
    }

    /// The positions in `traces` of the two images that `places` are in, and the pair as it is
    /// told; `None` where `known` holds it.
    pub(super) fn unknown_pair(
        &self,
        samples: &[LeakSample<'_>],
        traces: &[(usize, Trace)],
        places: (u32, u32),
        known: &BTreeSet<(u32, u32)>,
    ) -> Option<((usize, usize), (u32, u32))> {
        let ((a, _), (b, _)) = (self.of(places.0), self.of(places.1));
        let (first, second) = in_order(samples, traces[a].0, traces[b].0);
        let pair = (first as u32, second as u32);
        (!known.contains(&pair)).then_some(((a, b), pair))
    }
}
