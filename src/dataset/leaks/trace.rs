use super::blur::Grey;
use super::keypoint::{Keypoint, KeypointFinder, retain_unrepeated};
use super::landmark::{Finder, Landmark};
use super::spots::Relief;
use super::thumb::{Thumb, ThumbSums};
use crate::geom::{ImageSize, PixelRect};
use crate::raster::{ReadError, TileSource};

/// Side of the parts that an image is read in.
const CORE: u32 = 1024;

/// What finds the places of images; one for each run, since all must be looked at alike.
pub(super) struct Finders {
    pub(super) landmarks: Finder,
    pub(super) keypoints: KeypointFinder,
}

/// What is remembered of an image.
#[derive(Clone)]
pub(super) struct Trace {
    /// A number that only images of equal size and pixels share.
    pub(super) pixels: u64,
    /// Its small picture.
    pub(super) thumb: Thumb,
    /// Its landmarks, by the part of the image they are in.
    pub(super) landmarks: Vec<Landmark>,
    /// Its keypoints, likewise.
    pub(super) keypoints: Vec<Keypoint>,
}

impl Trace {
    /// Reads all of `source` once; `None` when `is_cancelled` says so meanwhile.
    pub(super) fn read(
        source: &dyn TileSource,
        finders: &Finders,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, ReadError> {
        let size = source.info().size;
        let mut pixels = start(size);
        let mut sums = ThumbSums::new(size);
        let (mut landmarks, mut keypoints) = (Vec::new(), Vec::new());
        let halo = finders.landmarks.halo().max(finders.keypoints.halo());
        for core in cores(size) {
            if is_cancelled() {
                return Ok(None);
            }
            let rect = core.grown(halo).intersect(size.bounds());
            let rgba = source.read_rgba(0, rect)?;
            let (left, top) = ((core.x - rect.x) as usize, (core.y - rect.y) as usize);
            let cols = left..left + core.width as usize;
            let rows = top..top + core.height as usize;
            for y in rows.clone() {
                let row = &rgba[y * rect.width as usize * 4..][..rect.width as usize * 4];
                pixels = mixed_in(pixels, &row[cols.start * 4..cols.end * 4]);
            }
            let grey = Grey::new(rect, &rgba);
            sums.add(&grey, cols, rows);
            let relief = Relief::of(&grey);
            landmarks.extend(finders.landmarks.landmarks((&grey, &relief), core, size));
            keypoints.extend(finders.keypoints.keypoints((&grey, &relief), core));
        }
        retain_unrepeated(&mut keypoints);
        Ok(Some(Self {
            pixels,
            thumb: sums.finish(),
            landmarks,
            keypoints,
        }))
    }
}

/// A number that only images of equal size and RGBA pixels share, for
/// [`crate::dataset::parts::SampleId`].
///
/// # Errors
/// [`ReadError`] when the image does not decode.
pub fn pixel_fingerprint(source: &dyn TileSource) -> Result<u64, ReadError> {
    let size = source.info().size;
    cores(size).try_fold(start(size), |state, core| {
        let rgba = source.read_rgba(0, core)?;
        let rows = rgba.chunks_exact(core.width as usize * 4);
        Ok(rows.fold(state, mixed_in))
    })
}

fn cores(size: ImageSize) -> impl Iterator<Item = PixelRect> {
    let along = |end: u32| (0..end).step_by(CORE as usize);
    along(size.height).flat_map(move |y| {
        along(size.width).map(move |x| PixelRect::new(x, y, CORE, CORE).intersect(size.bounds()))
    })
}

fn start(size: ImageSize) -> u64 {
    crate::dataset::hash(&[u64::from(size.width), u64::from(size.height)])
}

/// Folds a row of RGBA pixels into `state` by multiplication to twice the width, as wyhash does.
fn mixed_in(state: u64, row: &[u8]) -> u64 {
    row.chunks(16).fold(state, |state, chunk| {
        let mut words = [0u8; 16];
        words[..chunk.len()].copy_from_slice(chunk);
        let words = u128::from_le_bytes(words);
        let (low, high) = (words as u64, (words >> 64) as u64);
        let product = u128::from(state ^ low ^ 0xA076_1D64_78BD_642F).wrapping_mul(u128::from(
            high ^ state.rotate_left(32) ^ 0xE703_7ED1_A0B4_28DB,
        ));
        (product as u64) ^ (product >> 64) as u64
    })
}
