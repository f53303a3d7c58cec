use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::bands::ImageFacts;
use super::cells::Cells;
use super::ground::TRIED;
use super::leaks::pixel_fingerprint;
use super::watch::counted;
use super::{
    BandFacts, BandReading, DatasetError, Discovery, GridScale, MaskSource, Sample, Scene, Watch,
    image_meters,
};
use crate::geom::PixelRect;
use crate::label::Mask;
use crate::raster::{TileSource, open_raster};

/// Images up to this many bytes (RGBA8) are kept decoded; larger ones are read tile by tile.
const SMALL_IMAGE_BYTES: u64 = 64 << 20;

/// Image and mask files of a data set that are read when they are wanted, with a bounded memory of
/// the last ones.
pub struct FileSet {
    discovery: Discovery,
    /// Those of its samples that have masks.
    labelled: Vec<usize>,
    /// How each of them is read.
    scales: Vec<GridScale>,
    /// Which bands of them.
    reading: BandReading,
    cache_bytes: usize,
    recent: Mutex<VecDeque<(usize, Arc<Scene>)>>,
    /// What a look at all masks found, until somebody wants it.
    scanned: Mutex<Option<Vec<ScannedMask>>>,
}

/// What is kept of a mask: how its classes lie, and what its reader noted.
pub(super) type ScannedMask = (Cells, Vec<String>);

impl FileSet {
    /// The samples of a data set that have masks, which are read as it says; at most about
    /// `cache_bytes` of decoded scenes are kept (the newest one always is).
    pub fn new(discovery: Discovery, cache_bytes: usize) -> Self {
        let has_mask = |&at: &usize| discovery.samples[at].mask.is_some();
        let labelled: Vec<usize> = (0..discovery.samples.len()).filter(has_mask).collect();
        Self {
            scales: vec![GridScale::OWN; labelled.len()],
            reading: BandReading::default(),
            labelled,
            discovery,
            cache_bytes,
            recent: Mutex::new(VecDeque::new()),
            scanned: Mutex::new(None),
        }
    }

    /// Number of images with masks.
    pub fn len(&self) -> usize {
        self.labelled.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labelled.is_empty()
    }

    /// What was recognized.
    pub const fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    /// Sample `index` of those with masks.
    pub fn sample(&self, index: usize) -> &Sample {
        &self.discovery.samples[self.labelled[index]]
    }

    /// The image of sample `index` and how its grid becomes the run's.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn source(
        &self,
        index: usize,
    ) -> Result<(Arc<dyn TileSource>, GridScale), DatasetError> {
        Ok((open_raster(&self.sample(index).image)?, self.scales[index]))
    }

    /// What the headers of all images say.
    pub(super) fn facts(&self, watch: &Watch<'_>) -> Result<Vec<ImageFacts>, DatasetError> {
        counted(watch, self.len(), |at| {
            let source = open_raster(&self.sample(at).image)?;
            Ok(ImageFacts {
                name: self.name(at),
                meters: image_meters(source.info()),
                bands: BandFacts::of(&*source),
            })
        })
    }

    /// From now on reads all images in these grids.
    pub(super) fn read_in_scales(&mut self, scales: &[GridScale]) {
        if scales == self.scales {
            return;
        }
        self.scales = scales.to_vec();
        self.forget_scenes();
        *self
            .scanned
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// From now on reads the bands of all images as `reading` says.
    pub(super) fn read_as(&mut self, reading: BandReading) {
        self.reading = reading;
        self.forget_scenes();
    }

    fn forget_scenes(&mut self) {
        let recent = self.recent.get_mut();
        recent.unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The mask of sample `index` on its image's own grid, checked against its extent, and what the reader noted.
    ///
    /// # Errors
    /// When image or mask cannot be read or their extents differ.
    pub fn mask(&self, index: usize) -> Result<(Mask, Vec<String>), DatasetError> {
        self.sample(index).load_mask(&self.discovery)
    }

    /// All masks, each read once, even when [`Self::classes_seen`] looked at them before.
    ///
    /// # Errors
    /// When image or mask cannot be read, their extents differ, or `watch` says stop.
    pub(super) fn scan(&self, watch: &Watch<'_>) -> Result<Vec<ScannedMask>, DatasetError> {
        if let Some(scanned) = self.known_scan().take() {
            return Ok(scanned);
        }
        counted(watch, self.len(), |at| {
            let (mask, notes) = self.mask(at)?;
            Ok((Cells::scan(&self.scales[at].labels(&mask)), notes))
        })
    }

    /// The classes that occur in the masks, rising.
    ///
    /// # Errors
    /// As for reading the masks, or when `watch` says stop.
    pub fn classes_seen(&self, watch: &Watch<'_>) -> Result<Vec<u8>, DatasetError> {
        let scanned = self.scan(watch)?;
        let mut seen = [false; 255];
        for (cells, _) in &scanned {
            for (seen, pixels) in seen.iter_mut().zip(cells.histogram(|_| true)) {
                *seen |= pixels > 0;
            }
        }
        *self.known_scan() = Some(scanned);
        Ok((0..u8::MAX)
            .filter(|&class| seen[usize::from(class)])
            .collect())
    }

    fn known_scan(&self) -> std::sync::MutexGuard<'_, Option<Vec<ScannedMask>>> {
        self.scanned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that only images of equal pixels share.
    ///
    /// # Errors
    /// When the image cannot be read.
    pub(super) fn fingerprint(&self, index: usize) -> Result<u64, DatasetError> {
        Ok(pixel_fingerprint(&*open_raster(
            &self.sample(index).image,
        )?)?)
    }

    /// What the user calls sample `index`: the image's path below the data set's folder, with `/`.
    pub fn name(&self, index: usize) -> String {
        self.below(&self.sample(index).image)
    }

    /// The path of its mask below the data set's folder, with `/`.
    pub(super) fn mask_name(&self, index: usize) -> String {
        let sample = self.sample(index);
        let mask = sample.mask.as_ref().map(MaskSource::path);
        self.below(mask.unwrap_or(&sample.image))
    }

    fn below(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.discovery.folder);
        let parts = below.unwrap_or(path).components();
        let parts: Vec<_> = parts
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        parts.join("/")
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

    /// Opens the image of sample `index` and decodes a block of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn try_image(&self, index: usize) -> Result<(), DatasetError> {
        let source = open_raster(&self.sample(index).image)?;
        let block = PixelRect::new(0, 0, TRIED, TRIED);
        let block = block.intersect(source.info().size.bounds());
        let mut pictures = self.reading.pictures(&source).into_iter();
        pictures.try_for_each(|picture| {
            picture.read_rgba(0, block)?;
            Ok(())
        })
    }

    fn open(&self, index: usize) -> Result<Scene, DatasetError> {
        let source = open_raster(&self.sample(index).image)?;
        let (mask, _) = self.mask(index)?;
        let name = self.name(index);
        let bytes = source.info().size.num_pixels() * 4 * self.reading.num_pictures() as u64;
        let scene = if bytes <= SMALL_IMAGE_BYTES {
            let path = self.sample(index).image.clone();
            Scene::whole_as(&self.reading, name, (path, &source), mask)?
        } else {
            let cache_bytes = SMALL_IMAGE_BYTES as usize;
            Scene::tiled_as(&self.reading, name, source, mask, cache_bytes)
        };
        Ok(match self.scales[index] {
            GridScale::OWN => scene,
            scale => scene.scaled(scale),
        })
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
            .field("images", &self.labelled.len())
            .finish_non_exhaustive()
    }
}
