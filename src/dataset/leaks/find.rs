use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::affordable::affordable;
use super::augmented::augmented;
use super::copies::copies;
use super::equal_files::equal_files;
use super::ground::common_ground;
use super::keypoint::KeypointFinder;
use super::landmark::Finder;
use super::names::{in_order, leaks_by_name};
use super::overlap::{MapExtent, map_overlaps};
use super::report::{Found, Leak, LeakExample, LeakKind, LeakReport, MOST_EXAMPLES, sentence};
use super::trace::{Finders, Trace};
use crate::dataset::DatasetError;
use crate::dataset::parts::Part;
use crate::geom::ImageSize;
use crate::label::subject_of;
use crate::raster::TileSource;

/// The least distances between landmarks and between keypoints, in pixels, and the greatest. Of
/// copies of 256 pixels, resized and cut, 0.9 are found with 7 and 0.7 with 10.
const LEAST_RADII: (u32, u32) = (10, 7);
const MOST_RADIUS: u32 = 64;
/// The area of all versions of an image that keypoints are found in, by its own.
const AREA_OF_VERSIONS: f64 = 1.875;
/// Square distances for each landmark, about.
const AREA_OF_LANDMARK: f64 = 5.0;
/// Share of the work that reading is.
pub(super) const READING: f64 = 0.9;

/// A sample to look at.
#[derive(Clone, Copy, Debug)]
pub struct LeakSample<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its image.
    pub path: &'a Path,
    /// Its part.
    pub part: Part,
}

/// How much may be remembered, and how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeakLimits {
    /// Landmarks of all images, about, and as many keypoints; 80 bytes for one of each.
    pub landmarks: usize,
    /// Most pixels that are read. Of larger sets a sample spread over the parts is compared by its
    /// pixels, and all images by file, place and name.
    pub pixels: u64,
}

impl Default for LeakLimits {
    fn default() -> Self {
        Self {
            landmarks: 4_000_000,
            pixels: u64::MAX,
        }
    }
}

/// How a search reads images and talks to its caller.
#[derive(Clone, Copy)]
pub struct LeakHooks<'a> {
    /// Opens the image of sample `index`; each is opened twice, once for its header.
    pub open: &'a (dyn Fn(usize) -> Result<Arc<dyn TileSource>, DatasetError> + Sync),
    /// Whether to stop.
    pub is_cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Told the share of the work that is done, 0 to 1, from any thread.
    pub progress: &'a (dyn Fn(f64) + Sync),
}

/// Finds what the parts of `samples` share; `None` when cancelled.
///
/// Images that cannot be read are compared by name alone, and the notes say so.
pub fn find_leaks(
    samples: &[LeakSample<'_>],
    limits: LeakLimits,
    hooks: &LeakHooks<'_>,
) -> Option<LeakReport> {
    let read = Read::of(samples, limits, hooks)?;
    (hooks.progress)(READING);
    let leaks = leaks_among(samples, &read, hooks.is_cancelled)?;
    (hooks.progress)(1.0);
    Some(LeakReport {
        leaks,
        images: read.traces.len(),
        patchwork: None,
        notes: read.notes,
    })
}

/// What was read of the images of some samples.
pub(super) struct Read {
    headers: Vec<Header>,
    /// Of those whose pixels were read.
    pub(super) traces: Traces,
    /// Whether that are not all.
    is_sample: bool,
    pub(super) notes: Vec<String>,
}

impl Read {
    /// Reads each image once; `None` when cancelled.
    pub(super) fn of(
        samples: &[LeakSample<'_>],
        limits: LeakLimits,
        hooks: &LeakHooks<'_>,
    ) -> Option<Self> {
        let headers = headers(samples, hooks)?;
        let sizes: Vec<ImageSize> = headers.iter().map(|header| header.size).collect();
        let read = affordable(samples, &sizes, limits.pixels);
        let pixels: f64 = read
            .iter()
            .map(|&at| sizes[at].bounds().num_pixels() as f64)
            .sum();
        let radius = |least: u32, versions: f64| {
            let area = versions * pixels / limits.landmarks.max(1) as f64 / AREA_OF_LANDMARK;
            (area.sqrt().ceil() as u32).clamp(least, MOST_RADIUS)
        };
        let finders = Finders {
            landmarks: Finder::new(radius(LEAST_RADII.0, 1.0)),
            keypoints: KeypointFinder::new(radius(LEAST_RADII.1, AREA_OF_VERSIONS)),
        };
        let (traces, mut notes) = traces(samples, &finders, (&read, pixels), &sizes, hooks)?;
        let is_sample = read.len() < samples.len();
        if is_sample {
            notes.push(format!(
                "{} of {} images were compared by their pixels, a sample spread over the parts, \
                 and all by file, place and name; orthobrush dataset inspect --leaks compares all",
                read.len(),
                samples.len()
            ));
        }
        Some(Self {
            headers,
            traces,
            is_sample,
            notes,
        })
    }

    /// What of it is about the samples at these places, in their order; `places` rise.
    pub(super) fn about(&self, places: &[usize]) -> Self {
        let trace = |(at, trace): &(usize, Trace)| {
            let at = places.binary_search(at).ok()?;
            Some((at, trace.clone()))
        };
        Self {
            headers: places.iter().map(|&at| self.headers[at].clone()).collect(),
            traces: self.traces.iter().filter_map(trace).collect(),
            is_sample: self.is_sample,
            notes: Vec::new(),
        }
    }
}

/// What the parts of `samples` share, the worst first; `None` when cancelled.
pub(super) fn leaks_among(
    samples: &[LeakSample<'_>],
    read: &Read,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Leak>> {
    let (headers, traces) = (&read.headers, &read.traces);
    let sizes: Vec<ImageSize> = headers.iter().map(|header| header.size).collect();
    let mut found = same_files(samples, headers);
    let mut known: BTreeSet<(u32, u32)> = found.iter().map(|found| found.pair).collect();
    let near = copies(samples, traces, is_cancelled);
    found.extend(near.into_iter().filter(|near| !known.contains(&near.pair)));
    known.extend(found.iter().map(|found| found.pair));
    if read.is_sample {
        let equal = equal_files(samples, is_cancelled).into_iter();
        found.extend(equal.filter(|equal| !known.contains(&equal.pair)));
        known.extend(found.iter().map(|found| found.pair));
    }
    let ground = common_ground(samples, traces, &sizes, &known, is_cancelled);
    let seen: BTreeSet<(u32, u32)> = ground
        .iter()
        .map(|found| found.pair)
        .chain(known.iter().copied())
        .collect();
    found.extend(ground);
    found.extend(augmented(samples, traces, &sizes, &seen, is_cancelled));
    let extents: Vec<Option<MapExtent>> = headers.iter().map(|header| header.extent).collect();
    found.extend(map_overlaps(samples, &extents, &known));
    found.extend(leaks_by_name(samples));
    (!is_cancelled()).then(|| gathered(samples, found))
}

/// What is known before pixels are read.
#[derive(Clone)]
struct Header {
    /// Extent; empty when the image does not open.
    size: ImageSize,
    /// The file itself, whatever links lead to it.
    file: PathBuf,
    /// Where it lies on the map.
    extent: Option<MapExtent>,
}

fn headers(samples: &[LeakSample<'_>], hooks: &LeakHooks<'_>) -> Option<Vec<Header>> {
    let header = |index: usize| {
        if (hooks.is_cancelled)() {
            return None;
        }
        let path = samples[index].path;
        let mut header = Header {
            size: ImageSize::new(0, 0),
            file: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            extent: None,
        };
        if let Ok(source) = (hooks.open)(index) {
            let info = source.info();
            header.size = info.size;
            let georef = info.georef.as_ref();
            header.extent =
                georef.and_then(|georef| Some((georef.epsg?, georef.bounds(info.size))));
        }
        Some(header)
    };
    (0..samples.len()).into_par_iter().map(header).collect()
}

type Traces = Vec<(usize, Trace)>;

fn traces(
    samples: &[LeakSample<'_>],
    finders: &Finders,
    (chosen, pixels): (&[usize], f64),
    sizes: &[ImageSize],
    hooks: &LeakHooks<'_>,
) -> Option<(Traces, Vec<String>)> {
    let kilopixels = AtomicUsize::new(0);
    let read = |index: usize| -> Option<Result<Trace, DatasetError>> {
        let trace = (hooks.open)(index)
            .and_then(|source| Ok(Trace::read(&*source, finders, hooks.is_cancelled)?));
        let done = (sizes[index].bounds().num_pixels() / 1000) as usize;
        let done = kilopixels.fetch_add(done, Ordering::Relaxed) + done;
        (hooks.progress)(READING * (done as f64 * 1000.0 / pixels.max(1.0)).min(1.0));
        if (hooks.is_cancelled)() {
            return None;
        }
        trace.transpose()
    };
    let all: Option<Vec<_>> = chosen.par_iter().map(|&index| read(index)).collect();
    let mut traces = Vec::new();
    let mut failed = Vec::new();
    for (&index, trace) in chosen.iter().zip(all?) {
        match trace {
            Ok(trace) => traces.push((index, trace)),
            Err(error) => failed.push((index, error)),
        }
    }
    let note = failed.first().map(|(index, error)| {
        format!(
            "{} compared by name alone, as reading failed; the first is {}: {error}",
            subject_of(failed.len(), "image", "is", "are"),
            samples[*index].name
        )
    });
    Some((traces, note.into_iter().collect()))
}

fn same_files(samples: &[LeakSample<'_>], headers: &[Header]) -> Vec<Found> {
    let mut seen: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, header) in headers.iter().enumerate() {
        let same = seen.entry(&header.file).or_default();
        // One partner of each part tells all there is to say.
        for &other in same
            .iter()
            .filter(|&&other| samples[other].part != samples[at].part)
        {
            let (first, second) = in_order(samples, other, at);
            found.push(Found {
                kind: LeakKind::SameFile,
                pair: (first as u32, second as u32),
                weight: 0,
                detail: "one file".to_owned(),
            });
        }
        if same.len() < Part::ALL.len() {
            same.push(at);
        }
    }
    found
}

/// Pairs as leaks, the worst first.
fn gathered(samples: &[LeakSample<'_>], found: Vec<Found>) -> Vec<Leak> {
    let mut by_kind: BTreeMap<(LeakKind, Part, Part), Vec<Found>> = BTreeMap::new();
    for found in found {
        let part = |at: u32| samples[at as usize].part;
        let key = (found.kind, part(found.pair.0), part(found.pair.1));
        by_kind.entry(key).or_default().push(found);
    }
    let mut leaks: Vec<Leak> = by_kind
        .into_iter()
        .map(|((kind, first, second), mut pairs)| {
            pairs.sort_by_key(|found| (std::cmp::Reverse(found.weight), found.pair));
            let held: BTreeSet<u32> = pairs.iter().map(|found| found.pair.1).collect();
            let name = |at: u32| samples[at as usize].name.to_owned();
            let examples = pairs.iter().take(MOST_EXAMPLES).map(|found| LeakExample {
                first: name(found.pair.0),
                second: name(found.pair.1),
                detail: found.detail.clone(),
            });
            Leak {
                kind,
                between: (first, second),
                sets: None,
                pairs: pairs.len(),
                samples: held.len(),
                examples: examples.collect(),
                sentence: sentence(kind, held.len(), (first, second)),
            }
        })
        .collect();
    leaks.sort_by_key(|leak| (leak.kind, std::cmp::Reverse(leak.samples), leak.between));
    leaks
}
