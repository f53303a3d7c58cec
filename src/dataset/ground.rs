use std::sync::Arc;

use super::bands::ImageFacts;
use super::files::FileSet;
use super::{BandReading, DatasetError, GridScale, PixelSize, RunPixels, Scene, Watch};
use crate::geom::PixelRect;
use crate::raster::TileSource;

/// What a training reads from.
#[derive(Debug)]
pub enum Ground {
    /// One image with its mask; part of it is held out.
    Image(Arc<Scene>),
    /// Many files with their masks; some of them are held out.
    Files(Box<FileSet>),
}

impl Ground {
    /// Number of scenes.
    pub fn num_scenes(&self) -> usize {
        match self {
            Self::Image(_) => 1,
            Self::Files(files) => files.len(),
        }
    }

    /// Scene `index`, from memory or from its files.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub fn scene(&self, index: usize) -> Result<Arc<Scene>, DatasetError> {
        match self {
            Self::Image(scene) => Ok(Arc::clone(scene)),
            Self::Files(files) => files.scene(index),
        }
    }

    /// Opens the image of scene `index` and decodes a block of it, as a training will do.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn try_scene(&self, index: usize) -> Result<(), DatasetError> {
        match self {
            Self::Image(scene) => {
                let block = PixelRect::new(0, 0, TRIED, TRIED);
                let block = block.intersect(scene.size().bounds());
                (0..scene.num_pictures()).try_for_each(|at| {
                    scene.read_picture(at, block)?;
                    Ok(())
                })
            }
            Self::Files(files) => files.try_image(index),
        }
    }

    /// What the headers of all images say.
    ///
    /// # Errors
    /// When an image cannot be opened, or `watch` says stop.
    pub(super) fn facts(&self, watch: &Watch<'_>) -> Result<Vec<ImageFacts>, DatasetError> {
        match self {
            Self::Image(scene) => Ok(vec![scene.facts()]),
            Self::Files(files) => files.facts(watch),
        }
    }

    /// The image of scene `index` and how its grid becomes the run's.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn source(
        &self,
        index: usize,
    ) -> Result<(Arc<dyn TileSource>, GridScale), DatasetError> {
        match self {
            Self::Image(scene) => Ok((scene.source()?, scene.scale())),
            Self::Files(files) => files.source(index),
        }
    }

    /// The same ground with its bands read as `reading` says.
    ///
    /// # Errors
    /// When the image cannot be opened again.
    pub(super) fn read_as(self, reading: &BandReading) -> Result<Self, DatasetError> {
        match self {
            Self::Image(scene) => Ok(Self::Image(Arc::new(scene.read_as(reading)?))),
            Self::Files(mut files) => {
                files.read_as(reading.clone());
                Ok(Self::Files(files))
            }
        }
    }

    /// The same ground read with pixels of one size, how large they are, and what the user should
    /// know; `facts` are those of its images.
    ///
    /// # Errors
    /// When the pixels of an image are of a size beyond reason.
    pub(super) fn in_pixels(
        self,
        choice: PixelSize,
        facts: &[ImageFacts],
    ) -> Result<(Self, RunPixels), DatasetError> {
        let images: Vec<_> = (facts.iter())
            .map(|image| (image.name.clone(), image.meters))
            .collect();
        let run = RunPixels::of(choice, &images)?;
        match self {
            Self::Image(scene) => {
                let scene = match run.scales[0] {
                    own if own == scene.scale() => scene,
                    scale => Arc::new(scene.scaled(scale)),
                };
                Ok((Self::Image(scene), run))
            }
            Self::Files(mut files) => {
                files.read_in_scales(&run.scales);
                Ok((Self::Files(files), run))
            }
        }
    }
}

/// Columns and rows of what is decoded to see whether an image can be read.
pub(super) const TRIED: u32 = 64;
