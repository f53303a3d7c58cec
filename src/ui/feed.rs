use std::sync::Arc;
use std::thread;

use crate::geom::TileKey;
use crate::job::Waker;
use crate::raster::{Loaded, Loader};
use crate::render::{Renderer, SourceId};
use crate::session::OpenImage;

/// Bytes of tiles that one frame may hand to the graphics card; the rest waits for the next frame.
const UPLOAD_BYTES_PER_FRAME: usize = 8 << 20;

/// Brings the open image's tiles from its file to the graphics card.
#[derive(Debug)]
pub struct Feed {
    source: SourceId,
    loader: Loader,
    wants: Vec<TileKey>,
    failures: Vec<String>,
}

impl Feed {
    /// Starts decoding threads for `image`: one for each core but one.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn start(image: &OpenImage, waker: Waker) -> std::io::Result<Self> {
        let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let loader = Loader::start(Arc::clone(&image.pyramid), cores.max(2) - 1, waker)?;
        let source = SourceId(image.id.0);
        Ok(Self {
            source,
            loader,
            wants: Vec::new(),
            failures: Vec::new(),
        })
    }

    /// Uploads what is decoded; `true` when more waits for the next frame.
    pub fn upload(&mut self, renderer: &mut Renderer) -> bool {
        let mut bytes = 0;
        while bytes < UPLOAD_BYTES_PER_FRAME {
            match self.loader.try_next() {
                Some(Loaded::Sketch(sketch)) => {
                    bytes += sketch.pixels.len();
                    renderer.upload_sketch(self.source, &sketch);
                }
                Some(Loaded::Tile(key, tile)) => {
                    bytes += tile.pixels.len();
                    renderer.upload_image(self.source, key, &tile);
                }
                Some(Loaded::Failed(_, why)) => self.failures.push(why),
                None => return false,
            }
        }
        true
    }

    /// Adds tiles that a pane misses in this frame.
    pub fn want(&mut self, keys: &[TileKey]) {
        for &key in keys {
            if !self.wants.contains(&key) {
                self.wants.push(key);
            }
        }
    }

    /// Replaces what is being decoded by what this frame's panes missed; `true` when they missed
    /// nothing.
    pub fn end_frame(&mut self) -> bool {
        self.loader.replace_wants(&self.wants);
        let is_sharp = self.wants.is_empty();
        self.wants.clear();
        is_sharp
    }

    /// Why tiles could not be read, each once.
    pub fn take_failures(&mut self) -> Vec<String> {
        self.failures.dedup();
        std::mem::take(&mut self.failures)
    }

    /// Whether everything that was wanted is on the card.
    pub fn is_idle(&self) -> bool {
        self.loader.is_idle()
    }
}
