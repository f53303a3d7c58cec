use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::geom::TileKey;
use crate::job::Waker;
use crate::raster::{Loaded, Loader, Pyramid, Tile};
use crate::render::{Renderer, SourceId};
use crate::session::{OpenImage, Session};

/// Bytes of tiles that one frame may hand to the graphics card; the rest waits for the next frame.
const UPLOAD_BYTES_PER_FRAME: usize = 8 << 20;
/// Waits that are remembered when nobody asks.
const MOST_WAITS: usize = 1 << 14;

/// Brings the open image's tiles from its file to the graphics card.
#[derive(Debug)]
pub struct Feed {
    source: SourceId,
    loader: Loader,
    pyramid: Arc<Pyramid>,
    is_broken_told: bool,
    wants: Vec<TileKey>,
    failures: Vec<String>,
    /// Since when tiles that are missing now are missed.
    missed: HashMap<TileKey, Instant>,
    /// How long tiles were missed that came.
    waits: Vec<Duration>,
    has_picture: bool,
    /// The quick first picture, all bands of it.
    sketch: Option<Arc<Tile>>,
}

impl Feed {
    /// Decodes what the session has open; `None` without an image, or where the system has no more
    /// threads.
    pub fn of(session: &Session, waker: &Waker) -> Option<Self> {
        let started = Self::start(session.image()?, waker.clone());
        let started = started.inspect_err(|error| tracing::error!("no decoding threads: {error}"));
        started.ok()
    }

    /// Starts decoding threads for `image`: one for each core but one.
    fn start(image: &OpenImage, waker: Waker) -> std::io::Result<Self> {
        let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let loader = Loader::start(Arc::clone(&image.pyramid), cores.max(2) - 1, waker)?;
        let source = SourceId(image.id.0);
        Ok(Self {
            source,
            loader,
            pyramid: Arc::clone(&image.pyramid),
            is_broken_told: false,
            wants: Vec::new(),
            failures: Vec::new(),
            missed: HashMap::new(),
            waits: Vec::new(),
            has_picture: false,
            sketch: None,
        })
    }

    /// Uploads what is decoded, of which the bands `picks` are shown; `true` when more waits for the
    /// next frame.
    pub fn upload(&mut self, renderer: &mut Renderer, picks: Option<[u16; 3]>) -> bool {
        let mut bytes = 0;
        if let Some(picks) = picks
            && renderer.pick_bands(self.source, picks)
            && let Some(sketch) = &self.sketch
        {
            renderer.upload_sketch(self.source, sketch);
        }
        while bytes < UPLOAD_BYTES_PER_FRAME {
            match self.loader.try_next() {
                Some(Loaded::Sketch(sketch)) => {
                    bytes += sketch.bytes.len();
                    renderer.upload_sketch(self.source, &sketch);
                    self.has_picture = true;
                    self.sketch = Some(sketch);
                }
                // One that is whole already must not be blurred again.
                Some(Loaded::Draft(key, tile)) if self.missed.contains_key(&key) => {
                    bytes += tile.bytes.len();
                    renderer.upload_draft(self.source, key, &tile);
                    self.has_picture = true;
                }
                Some(Loaded::Draft(..)) => {}
                Some(Loaded::Tile(key, tile)) => {
                    bytes += tile.bytes.len();
                    renderer.upload_image(self.source, key, &tile);
                    self.has_picture = true;
                    if let Some(since) = self.missed.remove(&key) {
                        self.waits.push(since.elapsed());
                        self.waits.truncate(MOST_WAITS);
                    }
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
        let now = Instant::now();
        self.missed.retain(|key, _| self.wants.contains(key));
        for &key in &self.wants {
            self.missed.entry(key).or_insert(now);
        }
        let is_sharp = self.wants.is_empty();
        self.wants.clear();
        is_sharp
    }

    /// How long tiles were missed that came since the last call, in the order in which they came.
    pub fn take_waits(&mut self) -> Vec<Duration> {
        std::mem::take(&mut self.waits)
    }

    /// Whether anything of the image is on the card.
    pub const fn has_picture(&self) -> bool {
        self.has_picture
    }

    /// Why tiles could not be read, each once; of ground that is broken the first piece.
    pub fn take_failures(&mut self) -> Vec<String> {
        if !self.is_broken_told && self.pyramid.num_broken() > 0 {
            self.is_broken_told = true;
            let first = self.pyramid.broken().into_iter().next();
            self.failures.extend(first.map(|piece| piece.why));
        }
        self.failures.dedup();
        std::mem::take(&mut self.failures)
    }

    /// Whether everything that was wanted is on the card.
    pub fn is_idle(&self) -> bool {
        self.loader.is_idle()
    }
}
