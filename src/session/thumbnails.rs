use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::jobs::Report;
use super::state::Session;
use super::{CommandError, JobId};
use crate::geom::ImageSize;
use crate::raster::{Pyramid, RgbaTile, TileCache, open_raster};

/// Longest side of a thumbnail in pixels.
const SIDE: u32 = 64;
/// Decoded tiles that making one may keep.
const CACHE_BYTES: usize = 16 << 20;

/// Pictures that are kept; those made longest ago go first. 32 MB at most.
const MOST: usize = 2_000;

/// The small pictures of the listed images.
#[derive(Debug, Default)]
pub(super) struct Thumbnails {
    job: Option<JobId>,
    /// Places in the list of the images that have one, in the order they were made.
    made: VecDeque<usize>,
}

impl Session {
    /// Makes small pictures of the images at these places of the list that have none, instead of
    /// those that were asked for before.
    pub(super) fn make_thumbnails(&mut self, of: &[usize]) -> Result<(), CommandError> {
        if let Some(job) = self.study.thumbnails.job.take() {
            self.stop_job(job);
        }
        let list = self.list.as_ref().ok_or(CommandError::NoList)?;
        let entry = |&at: &usize| Some((at, list.entries.get(at)?));
        let wanted = of.iter().filter_map(entry);
        let wanted = wanted.filter(|(_, entry)| entry.thumbnail.is_none());
        let wanted: Vec<(usize, PathBuf)> = wanted
            .map(|(at, entry)| (at, entry.image.clone()))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let job = self.start_quiet_job("Making thumbnails", move |job| {
            for (at, file) in wanted {
                job.check()?;
                // An image that cannot be read says so when it is opened.
                if let Some(picture) = thumbnail(&file, SIDE) {
                    job.tell(Report::Thumbnail(at, file, Arc::new(picture)))?;
                }
            }
            Ok(())
        });
        self.study.thumbnails.job = Some(job);
        Ok(())
    }

    pub(super) fn thumbnail_made(&mut self, at: usize, image: &Path, picture: Arc<RgbaTile>) {
        let Some(list) = &mut self.list else { return };
        // Another folder may have been opened meanwhile.
        let Some(entry) = list.entries.get_mut(at).filter(|it| it.image == image) else {
            return;
        };
        let made = &mut self.study.thumbnails.made;
        if entry.thumbnail.replace(picture).is_none() {
            made.push_back(at);
        }
        if made.len() > MOST
            && let Some(oldest) = made.pop_front().and_then(|at| list.entries.get_mut(at))
        {
            oldest.thumbnail = None;
        }
    }

    /// Another list: nothing is made of it yet.
    pub(super) fn forget_thumbnails(&mut self) {
        if let Some(job) = std::mem::take(&mut self.study.thumbnails).job {
            self.stop_job(job);
        }
    }
}

/// A picture of an image file, at most `side` pixels on its longest side.
pub(super) fn thumbnail(file: &Path, side: u32) -> Option<RgbaTile> {
    let source = open_raster(file).ok()?;
    let pyramid = Pyramid::new(source, Arc::new(TileCache::new(CACHE_BYTES)));
    let picture = if pyramid.needs_sketch() {
        pyramid.sketch()
    } else {
        pyramid.tile(pyramid.shape().root())
    };
    Some(shrunk(&picture.ok()?.picture()?, side))
}

/// The picture with its longest side brought to `side`, by the nearest pixel.
fn shrunk(picture: &RgbaTile, side: u32) -> RgbaTile {
    let longest = picture.size.width.max(picture.size.height).max(1);
    let scaled = |length: u32| (length * side / longest).clamp(1, length.max(1));
    let size = ImageSize::new(scaled(picture.size.width), scaled(picture.size.height));
    let mut pixels = Vec::with_capacity(size.num_pixels() as usize * 4);
    for y in 0..size.height {
        for x in 0..size.width {
            let from_x = x * picture.size.width / size.width;
            let from_y = y * picture.size.height / size.height;
            let at = (from_y * picture.size.width + from_x) as usize * 4;
            pixels.extend_from_slice(&picture.pixels[at..at + 4]);
        }
    }
    RgbaTile { size, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbnails_keep_the_shape() {
        let size = ImageSize::new(512, 256);
        let picture = RgbaTile {
            size,
            pixels: vec![7; 512 * 256 * 4],
        };
        let small = shrunk(&picture, SIDE);
        assert_eq!(small.size, ImageSize::new(64, 32));
        assert_eq!(small.pixels.len(), 64 * 32 * 4);
        assert_eq!(shrunk(&small, SIDE).size, small.size);
    }
}
