use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::jobs::{Report, tell_progress};
use super::state::Session;
use crate::geom::ImageSize;
use crate::raster::{Pyramid, RgbaTile, TileCache, open_raster};

/// Longest side of a thumbnail in pixels.
const SIDE: u32 = 64;
/// Decoded tiles that making one may keep.
const CACHE_BYTES: usize = 16 << 20;

impl Session {
    /// Makes a small picture of each image of the list in the background, first to last.
    pub(super) fn make_thumbnails(&mut self) {
        let Some(list) = &self.list else { return };
        let files: Vec<PathBuf> = list
            .entries
            .iter()
            .map(|entry| entry.image.clone())
            .collect();
        self.start_job("Making thumbnails", move |job| {
            let (count, mut last) = (files.len(), 0);
            for (number, file) in files.into_iter().enumerate() {
                job.check()?;
                tell_progress(job, &mut last, number as f64 / count as f64);
                // An image that cannot be read says so when it is opened.
                if let Some(picture) = thumbnail(&file, SIDE) {
                    job.tell(Report::Thumbnail(file, Arc::new(picture)))?;
                }
            }
            Ok(())
        });
    }

    pub(super) fn thumbnail_made(&mut self, image: &Path, picture: Arc<RgbaTile>) {
        let entries = self.list.iter_mut().flat_map(|list| &mut list.entries);
        for entry in entries.filter(|entry| entry.image == image) {
            entry.thumbnail = Some(Arc::clone(&picture));
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
    Some(shrunk(&*picture.ok()?, side))
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
