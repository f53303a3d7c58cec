use std::path::Path;

use super::image_print::image_print;
use crate::dataset::{FileSet, discover_corrected};
use crate::geom::{ImageSize, PixelRect};
use crate::label::{Encoding, Mask, UNLABELED, load_mask};
use crate::raster::{TileSource, open_raster};
use crate::train::data::LABEL_FILE;
use crate::train::{RunRecord, TrainData, TrainError};

/// What of one image the models of a chain learned from.
#[derive(Debug, Default)]
pub(super) struct TrainedGround {
    parts: Vec<Learned>,
}

#[derive(Debug)]
enum Learned {
    /// The labels of a run and the ground that its patches kept away from.
    Labels(Box<Mask>, Vec<PixelRect>),
    /// All of it.
    Whole,
}

impl TrainedGround {
    /// Adds what the run in `run` learned from, if it saw the image `source` whose print is
    /// `print`. A run that says nothing of its data adds nothing.
    ///
    /// # Errors
    /// When the run's label is there and cannot be read.
    pub(super) fn add(
        &mut self,
        run: &Path,
        (source, print): (&dyn TileSource, &str),
    ) -> Result<(), TrainError> {
        let Ok(data) = TrainData::of_run(run) else {
            return Ok(());
        };
        let split = RunRecord::load(run)?.split;
        match data.image() {
            Some(image) if shows(image, source, print) => {
                let (path, size) = (run.join(LABEL_FILE), source.info().size);
                let label = load_mask(&path, Some(size), Encoding::Index, None)?.mask;
                let blocked = split.map_or_else(Vec::new, |split| {
                    let blocks = split.validation_blocks.iter().chain(&split.test_blocks);
                    blocks.map(|block| block.grown(split.margin)).collect()
                });
                self.parts.push(Learned::Labels(Box::new(label), blocked));
            }
            Some(_) => {}
            None => {
                let held_out = split.map_or_else(Vec::new, |split| {
                    [split.validation_files, split.test_files].concat()
                });
                if learned_whole(&data, &held_out, (source, print)) {
                    self.parts.push(Learned::Whole);
                }
            }
        }
        Ok(())
    }

    /// Adds the whole image.
    pub(super) fn add_whole(&mut self) {
        self.parts.push(Learned::Whole);
    }

    /// Labeled where something was learned from.
    pub(super) fn mask(&self, size: ImageSize) -> Mask {
        let mut all = Mask::new(size);
        for part in &self.parts {
            let Learned::Labels(label, blocked) = part else {
                return Mask::filled(size, 0);
            };
            let mut seen = Mask::clone(label);
            for block in blocked {
                let block = block.intersect(size.bounds());
                seen.set_rect(block, &vec![UNLABELED; block.num_pixels() as usize]);
            }
            all.lay_over(&seen);
        }
        all
    }

    /// Whether anything in `block` was learned from.
    pub(super) fn touches(&self, block: PixelRect) -> bool {
        self.parts.iter().any(|part| match part {
            Learned::Whole => true,
            Learned::Labels(label, blocked) => {
                let classes = label.read_rect(block);
                let rows = classes.chunks_exact(block.width.max(1) as usize);
                rows.zip(block.y..).any(|(row, y)| {
                    let mut pixels = row.iter().zip(block.x..);
                    pixels.any(|(&class, x)| {
                        class != UNLABELED && !blocked.iter().any(|rect| rect.contains(x, y))
                    })
                })
            }
        })
    }
}

/// Whether the file at `path` shows the same image; one that is gone does not.
pub(super) fn shows(path: &Path, source: &dyn TileSource, print: &str) -> bool {
    let Ok(other) = open_raster(path) else {
        return false;
    };
    other.info().size == source.info().size
        && image_print(&*other).is_ok_and(|other| other == print)
}

/// Whether a data set learned from the image as one of its files.
fn learned_whole(
    data: &TrainData,
    held_out: &[String],
    (source, print): (&dyn TileSource, &str),
) -> bool {
    let TrainData::Folder {
        folder,
        corrections,
    } = data
    else {
        return false;
    };
    let Ok(discovery) = discover_corrected(folder, corrections) else {
        return false;
    };
    let files = FileSet::new(discovery, 0);
    let is_it = |at: usize| {
        let path = &files.sample(at).image;
        !held_out.contains(&files.name(at)) && shows(path, source, print)
    };
    (0..files.len()).any(is_it)
}
