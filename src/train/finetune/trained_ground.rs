use std::path::Path;

use super::image_print::{image_print, kept_image_print};
use crate::dataset::{DatasetError, FileSet, discover_corrected, image_meters};
use crate::geom::{ImageSize, PixelRect};
use crate::label::{Encoding, Mask, UNLABELED, load_mask};
use crate::raster::{TileSource, open_raster};
use crate::train::data::LABEL_FILE;
use crate::train::{RunRecord, SavedModel, TrainData, TrainError};

/// An image that may have been learned from.
#[derive(Clone, Copy)]
pub(super) struct AskedImage<'a> {
    /// Its pixels.
    pub source: &'a dyn TileSource,
    /// What tells it from others.
    pub print: &'a str,
    /// The side in level-0 pixels of the patches that the next model learns from.
    pub patch: u32,
}

/// What of one image the models of a chain learned from.
#[derive(Debug, Default)]
pub(super) struct TrainedGround {
    parts: Vec<Learned>,
    notes: Vec<String>,
}

#[derive(Debug)]
enum Learned {
    Labels(Box<Labels>),
    /// All of it.
    Whole,
}

/// What a run learned from.
#[derive(Debug)]
struct Labels {
    label: Mask,
    /// Ground that its patches kept away from.
    blocked: Vec<PixelRect>,
    /// The side of its patches in level-0 pixels, which reach so far beyond labels.
    patch: u32,
    /// What has to lie between its patches and held-out ground.
    margin: u32,
}

/// Whether a run saw an image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Saw {
    It,
    Another,
    /// Nobody can tell any more, but it was one of this size.
    ItPerhaps,
}

impl TrainedGround {
    /// Adds what the run in `run` learned from, if it saw `image` or may have.
    ///
    /// # Errors
    /// When the run's label is there and cannot be read.
    pub(super) fn add(&mut self, run: &Path, image: AskedImage<'_>) -> Result<(), TrainError> {
        if !RunRecord::is_run(run) {
            self.notes.push(format!(
                "{} is gone, and with it what it learned from: no more ground is held out here, \
                 since it may have seen all of it",
                named(run)
            ));
            self.parts.push(Learned::Whole);
            return Ok(());
        }
        let data = TrainData::of_run(run).ok();
        let kept =
            (data.as_ref()).map_or_else(|| kept_image_print(run), |data| print_of(run, data));
        let saw = match (kept, data) {
            (Some(print), _) => saw_print(&print, image),
            (None, Some(data @ TrainData::Folder { .. })) => {
                return self.add_set(run, &data, image);
            }
            (None, data) => saw_file(run, data.as_ref().and_then(TrainData::image), image),
        };
        if saw == Saw::ItPerhaps {
            self.notes.push(format!(
                "Whether {} learned from this image cannot be told any more, since its image is \
                 gone: ground that it labeled is not held out",
                named(run)
            ));
        }
        if saw != Saw::Another {
            self.add_labels(run, image)?;
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
            let Learned::Labels(labels) = part else {
                return Mask::filled(size, 0);
            };
            let mut seen = labels.label.clone();
            for block in &labels.blocked {
                let block = block.intersect(size.bounds());
                seen.set_rect(block, &vec![UNLABELED; block.num_pixels() as usize]);
            }
            all.lay_over(&seen);
        }
        all
    }

    /// Adds the labels of a run on one image.
    fn add_labels(&mut self, run: &Path, image: AskedImage<'_>) -> Result<(), TrainError> {
        let info = image.source.info();
        let label = load_mask(
            &run.join(LABEL_FILE),
            Some(info.size),
            Encoding::Index,
            None,
        )?;
        let split = RunRecord::load(run)?.split;
        let blocked = split.map_or_else(Vec::new, |split| {
            let blocks = split.validation_blocks.iter().chain(&split.test_blocks);
            blocks.map(|block| block.grown(split.margin)).collect()
        });
        let card = SavedModel::card_of(run).ok();
        let patch = card.map_or(image.patch, |card| {
            patch_side(card.patch, card.pixel_size, image.source)
        });
        self.parts.push(Learned::Labels(Box::new(Labels {
            label: label.mask,
            blocked,
            patch,
            margin: patch.max(image.patch),
        })));
        Ok(())
    }

    /// Adds the image whole where a data set holds it as a file that was learned from.
    fn add_set(
        &mut self,
        run: &Path,
        data: &TrainData,
        image: AskedImage<'_>,
    ) -> Result<(), TrainError> {
        let held_out = RunRecord::load(run)?.split.map_or_else(Vec::new, |split| {
            [split.validation_files, split.test_files].concat()
        });
        match learned_whole(data, &held_out, image) {
            Ok(true) => self.parts.push(Learned::Whole),
            Ok(false) => {}
            Err(error) => self.notes.push(format!(
                "Whether {} learned from this image cannot be told any more: {error}",
                named(run)
            )),
        }
        Ok(())
    }

    /// What could not be told, in sentences for the user.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether `block` lies less than a patch's side from ground that may have been in a training
    /// patch.
    pub(super) fn touches(&self, block: PixelRect) -> bool {
        self.parts.iter().any(|part| match part {
            Learned::Whole => true,
            Learned::Labels(labels) => labels.touch(block),
        })
    }
}

impl Labels {
    fn touch(&self, block: PixelRect) -> bool {
        let bounds = self.label.size().bounds();
        let near = block.grown(self.margin).intersect(bounds);
        let within_reach = near.grown(self.patch).intersect(bounds);
        let blocked: Vec<PixelRect> = (self.blocked.iter())
            .filter(|rect| !rect.intersect(within_reach).is_empty())
            .copied()
            .collect();
        let is_open = |x, y| !blocked.iter().any(|rect| rect.contains(x, y));
        let mut rows = near.y..near.bottom();
        if !rows.any(|y| (near.x..near.right()).any(|x| is_open(x, y))) {
            // No patch came so near, whatever is labeled around.
            return false;
        }
        let classes = self.label.read_rect(within_reach);
        let rows = classes.chunks_exact(within_reach.width.max(1) as usize);
        rows.zip(within_reach.y..).any(|(row, y)| {
            let mut pixels = row.iter().zip(within_reach.x..);
            pixels.any(|(&class, x)| class != UNLABELED && is_open(x, y))
        })
    }
}

/// The side in level-0 pixels of `image` of a patch of so many pixels of a model, which are of
/// `meters` if that is known.
pub(super) fn patch_side(patch: u32, meters: Option<f64>, image: &dyn TileSource) -> u32 {
    let of_both = meters.zip(image_meters(image.info()));
    let step = of_both.map_or(1.0, |(model, image)| model / image);
    (f64::from(patch) * step).ceil() as u32
}

/// The print of the one image that a run learned from, if it was kept.
pub(super) fn print_of(run: &Path, data: &TrainData) -> Option<String> {
    let of_lineage = data.lineage().map(|lineage| lineage.image_print.clone());
    of_lineage.or_else(|| kept_image_print(run))
}

/// Whether the run in `run`, which read `data`, saw `image` for sure.
pub(super) fn saw(run: &Path, data: &TrainData, image: AskedImage<'_>) -> bool {
    let saw = match print_of(run, data) {
        Some(print) => saw_print(&print, image),
        None => saw_file(run, data.image().map(AsRef::as_ref), image),
    };
    saw == Saw::It
}

/// A run as the user knows it.
fn named(run: &Path) -> String {
    let name = run.file_name().unwrap_or(run.as_os_str());
    format!("the model {}", name.to_string_lossy())
}

fn saw_print(print: &str, image: AskedImage<'_>) -> Saw {
    if print == image.print {
        return Saw::It;
    }
    Saw::Another
}

/// Whether a run of a version that kept no prints saw `image`, by the file that it read.
fn saw_file(run: &Path, path: Option<&Path>, image: AskedImage<'_>) -> Saw {
    let print = path.map(open_raster).and_then(Result::ok).map(|other| {
        let print = image_print(&*other);
        print.map_or(Saw::ItPerhaps, |print| saw_print(&print, image))
    });
    if let Some(saw @ (Saw::It | Saw::Another)) = print {
        return saw;
    }
    let label = open_raster(&run.join(LABEL_FILE));
    if label.is_ok_and(|label| label.info().size == image.source.info().size) {
        Saw::ItPerhaps
    } else {
        Saw::Another
    }
}

/// Whether a data set learned from the image as one of its files.
fn learned_whole(
    data: &TrainData,
    held_out: &[String],
    image: AskedImage<'_>,
) -> Result<bool, DatasetError> {
    let TrainData::Folder {
        folder,
        corrections,
    } = data
    else {
        return Ok(false);
    };
    let files = FileSet::new(discover_corrected(folder, corrections)?, 0);
    let size = image.source.info().size;
    let shows = |path: &Path| {
        let other = open_raster(path)
            .ok()
            .filter(|other| other.info().size == size);
        other.is_some_and(|other| image_print(&*other).is_ok_and(|print| print == image.print))
    };
    let is_it = |at: usize| !held_out.contains(&files.name(at)) && shows(&files.sample(at).image);
    Ok((0..files.len()).any(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    const SIZE: ImageSize = ImageSize::new(2_048, 2_048);

    fn block(x: u32) -> PixelRect {
        PixelRect::new(x, 512, 256, 256)
    }

    #[test]
    fn held_out_ground_keeps_a_patch_away_from_patches_that_reach_beyond_labels() {
        let mut label = Mask::new(SIZE);
        let learned = PixelRect::new(0, 0, 512, 2_048);
        label.set_rect(learned, &vec![1; learned.num_pixels() as usize]);
        let labels = Labels {
            label,
            blocked: Vec::new(),
            patch: 64,
            margin: 128,
        };
        for (x, is_touched) in [(512, true), (703, true), (704, false), (1_500, false)] {
            assert_eq!(labels.touch(block(x)), is_touched, "{x}");
        }
    }

    #[test]
    fn ground_that_an_earlier_training_kept_clear_of_is_free_as_far_as_its_margin_goes() {
        let held_out = PixelRect::new(512, 512, 512, 512);
        let with_margin = |margin| Labels {
            label: Mask::filled(SIZE, 1),
            blocked: vec![held_out.grown(128)],
            patch: 64,
            margin,
        };
        assert!(!with_margin(128).touch(block(512)));
        assert!(!with_margin(128).touch(block(768)));
        assert!(with_margin(128).touch(block(769)));
        assert!(with_margin(129).touch(block(512)));
    }
}
