use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::{DatasetError, Pair, Scene};
use crate::label::{ClassTable, Encoding, Mask, load_mask};
use crate::raster::{TileSource, open_raster};

/// Images up to this many bytes (RGBA8) are kept decoded; larger ones are read tile by tile.
const SMALL_IMAGE_BYTES: u64 = 64 << 20;

/// Image and mask files that are read when they are wanted, with a bounded memory of the last
/// ones.
pub struct FileSet {
    pairs: Vec<Pair>,
    classes: ClassTable,
    encoding: Encoding,
    cache_bytes: usize,
    recent: Mutex<VecDeque<(usize, Arc<Scene>)>>,
}

impl FileSet {
    /// A set of `pairs` whose masks are read as `classes` and `encoding` say; at most about
    /// `cache_bytes` of decoded scenes are kept (the newest one always is).
    pub fn new(
        pairs: Vec<Pair>,
        classes: ClassTable,
        encoding: Encoding,
        cache_bytes: usize,
    ) -> Self {
        Self {
            pairs,
            classes,
            encoding,
            cache_bytes,
            recent: Mutex::new(VecDeque::new()),
        }
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The pairs, in order.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The mask of pair `index`, checked against its image's extent, and what the reader noted.
    ///
    /// # Errors
    /// When image or mask cannot be read or their extents differ.
    pub fn mask(&self, index: usize) -> Result<(Mask, Vec<String>), DatasetError> {
        let source = open_raster(&self.pairs[index].image)?;
        self.mask_on(&*source, index)
    }

    fn mask_on(
        &self,
        source: &dyn TileSource,
        index: usize,
    ) -> Result<(Mask, Vec<String>), DatasetError> {
        let path = &self.pairs[index].mask;
        let size = source.info().size;
        let loaded = load_mask(path, Some(size), self.encoding, Some(&self.classes))?;
        if loaded.mask.size() == size {
            Ok((loaded.mask, loaded.notes))
        } else {
            Err(DatasetError::size_differs(
                size,
                loaded.mask.size(),
                path.clone(),
            ))
        }
    }

    /// What the user calls pair `index`: the image's file name.
    pub fn name(&self, index: usize) -> String {
        let image = &self.pairs[index].image;
        image
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// Scene `index`, from memory if it was wanted lately.
    ///
    /// # Errors
    /// When image or mask cannot be read.
    pub(super) fn scene(&self, index: usize) -> Result<Arc<Scene>, DatasetError> {
        if let Some(scene) = self.remembered(index) {
            return Ok(scene);
        }
        // Opened without holding the lock: two threads may open one file twice, but none waits.
        let scene = Arc::new(self.open(index)?);
        self.remember(index, Arc::clone(&scene));
        Ok(scene)
    }

    fn open(&self, index: usize) -> Result<Scene, DatasetError> {
        let source = open_raster(&self.pairs[index].image)?;
        let (mask, _) = self.mask_on(&*source, index)?;
        let name = self.name(index);
        if source.info().size.num_pixels() * 4 <= SMALL_IMAGE_BYTES {
            Ok(Scene::whole(name, &*source, mask)?)
        } else {
            Ok(Scene::tiled(name, source, mask, SMALL_IMAGE_BYTES as usize))
        }
    }

    fn remembered(&self, index: usize) -> Option<Arc<Scene>> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let at = recent.iter().position(|(known, _)| *known == index)?;
        let found = recent.remove(at)?;
        let scene = Arc::clone(&found.1);
        recent.push_back(found);
        Some(scene)
    }

    fn remember(&self, index: usize, scene: Arc<Scene>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|(known, _)| *known != index);
        recent.push_back((index, scene));
        let mut bytes: usize = recent.iter().map(|(_, scene)| scene.bytes_used()).sum();
        while bytes > self.cache_bytes && recent.len() > 1 {
            bytes -= recent
                .pop_front()
                .map_or(0, |(_, scene)| scene.bytes_used());
        }
    }
}

impl std::fmt::Debug for FileSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSet")
            .field("pairs", &self.pairs.len())
            .finish_non_exhaustive()
    }
}
