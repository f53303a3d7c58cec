use std::path::{Path, PathBuf};

use super::ancestors::ancestors;
use super::image_print::{image_print, kept_image_print};
use super::trained_ground::{AskedImage, TrainedGround, saw};
use super::verdict::FEWEST_BLOCKS;
use super::{Ancestor, HeldOut};
use crate::dataset::SplitReport;
use crate::geom::PixelRect;
use crate::label::{Mask, UNLABELED};
use crate::raster::TileSource;
use crate::train::leak_check::{kept_leaks, leak_warning};
use crate::train::{RunRecord, ScoredOn, TrainData, TrainError};

/// What a model and those it comes from learned from of one image, and what they left out.
#[derive(Clone, Debug)]
pub struct ModelGround {
    /// Ground that none of them learned from, held out so that it can choose and judge.
    pub held_out: HeldOut,
    /// Labeled where one of them learned from.
    pub learned: Mask,
    /// Whether there is ground left that could judge the next model, were it done.
    pub has_room: bool,
    /// The model's run folder.
    pub(super) run: PathBuf,
    /// What tells the image from others.
    pub(super) print: String,
}

impl ModelGround {
    /// The ground of the model in `run` on the image at `path`, whose pixels `source` reads.
    ///
    /// # Errors
    /// When the image, or what a run learned from, cannot be read.
    pub fn of(run: &Path, path: &Path, source: &dyn TileSource) -> Result<Self, TrainError> {
        let print = image_print(source)?;
        let size = source.info().size;
        let image = AskedImage {
            source,
            print: &print,
            patch: 0,
        };
        let mut trained = TrainedGround::default();
        let mut held_out = None;
        for ancestor in &ancestors(run) {
            let split = RunRecord::load(&ancestor.run)?.split;
            // Of a data set of one image the run keeps what it keeps of an image.
            if let Ok(TrainData::Folder { folder, .. }) = TrainData::of_run(&ancestor.run)
                && kept_image_print(&ancestor.run).is_none()
            {
                let of_file = split.and_then(|split| held_out_file(&split, path, size.bounds()));
                if path.starts_with(&folder) && of_file.is_none() {
                    trained.add_whole();
                }
                held_out = held_out.or(of_file);
                continue;
            }
            trained.add(&ancestor.run, image)?;
            held_out = held_out.or_else(|| held_out_blocks(ancestor, split, image));
        }
        let mut held_out = held_out.unwrap_or_default();
        let learned = trained.mask(size);
        let is_learned = |&block: &PixelRect| {
            let block = block.intersect(size.bounds());
            learned.read_rect(block).iter().any(|&of| of != UNLABELED)
        };
        for blocks in [&mut held_out.choosing, &mut held_out.judging] {
            blocks.retain(|block| !is_learned(block));
        }
        let has_room = held_out.judging.len() >= FEWEST_BLOCKS
            || HeldOut::fits(size, |block| is_learned(&block) || trained.touches(block));
        Ok(Self {
            held_out,
            learned,
            has_room,
            run: run.to_owned(),
            print,
        })
    }

    /// The blocks that are read for a verdict alone. An image that judges as a whole, as a file of
    /// a data set does, is none.
    pub fn judging_blocks(&self) -> &[PixelRect] {
        let whole = self.learned.size().bounds();
        match &self.held_out.judging[..] {
            [one] if one.intersect(whole) == whole => &[],
            blocks => blocks,
        }
    }

    /// Why numbers of held-out ground may be too good, a sentence without a period for each part
    /// of which `is_asked` says that they are of some of its blocks.
    pub fn leak_warnings(&self, is_asked: impl Fn(&[PixelRect]) -> bool) -> Vec<String> {
        let leaks = kept_leaks(&self.run).unwrap_or_default();
        let parts = [
            (ScoredOn::Test, &self.held_out.judging),
            (ScoredOn::Validation, &self.held_out.choosing),
        ];
        let asked = parts.into_iter().filter(|(_, blocks)| is_asked(blocks));
        asked
            .filter_map(|(on, _)| leak_warning(&leaks, on))
            .collect()
    }
}

/// What a model held out of the image, if it saw it.
fn held_out_blocks(
    model: &Ancestor,
    split: Option<SplitReport>,
    image: AskedImage<'_>,
) -> Option<HeldOut> {
    if let Some(lineage) = &model.lineage {
        return (lineage.image_print == image.print).then(|| lineage.held_out.clone());
    }
    let data = TrainData::of_run(&model.run).ok()?;
    let split = split.filter(|_| saw(&model.run, &data, image))?;
    Some(HeldOut {
        choosing: split.validation_blocks,
        judging: split.test_blocks,
    })
}

/// The whole image, if it is one of the files that a data set's split holds out.
fn held_out_file(split: &SplitReport, path: &Path, whole: PixelRect) -> Option<HeldOut> {
    let part = |files: &[String]| {
        let is_among = files.iter().any(|name| path.ends_with(name));
        if is_among { vec![whole] } else { Vec::new() }
    };
    let held_out = HeldOut {
        choosing: part(&split.validation_files),
        judging: part(&split.test_files),
    };
    (!held_out.is_empty()).then_some(held_out)
}
