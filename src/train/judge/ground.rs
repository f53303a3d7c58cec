use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::JudgePlan;
use crate::dataset::{DatasetError, FileSet, SplitKind, discover_corrected};
use crate::geom::PixelRect;
use crate::label::{Encoding, Mask, load_mask};
use crate::raster::{TileSource, open_raster};
use crate::train::data::LABEL_FILE;
use crate::train::finetune::check_image_print;
use crate::train::{ScoredOn, TrainData, TrainError};

/// The ground of one part.
pub(in crate::train) enum PartGround {
    /// Whole files, by their places in the set.
    Files(Box<FileSet>, Vec<usize>),
    /// Blocks of one image.
    Blocks(Unit, Vec<PixelRect>),
}

/// An image with its labels and the ground of it that is judged.
#[derive(Clone)]
pub(in crate::train) struct Unit {
    pub(in crate::train) name: String,
    pub(in crate::train) source: Arc<dyn TileSource>,
    pub(in crate::train) truth: Mask,
    pub(in crate::train) rect: PixelRect,
}

impl PartGround {
    /// Finds the files again that the run's split names.
    pub(in crate::train) fn of(plan: &JudgePlan) -> Result<Self, TrainError> {
        let data = TrainData::of_run(&plan.run)?;
        let split = &plan.split;
        let (files, blocks) = match plan.on {
            ScoredOn::Validation => (&split.validation_files, &split.validation_blocks),
            ScoredOn::Test => (&split.test_files, &split.test_blocks),
        };
        let (folder, corrections) = match data {
            TrainData::Image { image } | TrainData::Finetune { image, .. } => {
                let source = open_raster(&image).map_err(DatasetError::from)?;
                check_image_print(&plan.run, &*source)?;
                let path = plan.run.join(LABEL_FILE);
                let size = source.info().size;
                let truth = load_mask(&path, Some(size), Encoding::Index, None)?.mask;
                return Ok(Self::Blocks(whole(&image, source, truth), blocks.clone()));
            }
            TrainData::Folder {
                folder,
                corrections,
            } => (folder, corrections),
        };
        let set = FileSet::new(discover_corrected(&folder, &corrections)?, plan.cache_bytes);
        let gone = || TrainError::GroundChanged {
            what: "a held-out file is gone",
            path: plan.run.clone(),
        };
        if split.kind == SplitKind::Blocks {
            if set.len() != 1 {
                return Err(gone());
            }
            return Ok(Self::Blocks(unit_of(&set, 0)?, blocks.clone()));
        }
        let known: HashMap<String, usize> = (0..set.len()).map(|at| (set.name(at), at)).collect();
        let places: Option<Vec<usize>> =
            files.iter().map(|name| known.get(name).copied()).collect();
        let places = places.ok_or_else(gone)?;
        Ok(Self::Files(Box::new(set), places))
    }

    /// Number of units.
    pub(in crate::train) fn len(&self) -> usize {
        match self {
            Self::Files(_, places) => places.len(),
            Self::Blocks(_, blocks) => blocks.len(),
        }
    }

    /// Unit `at`, read from its files.
    pub(in crate::train) fn unit(&self, at: usize) -> Result<Unit, TrainError> {
        match self {
            Self::Files(set, places) => unit_of(set, places[at]),
            Self::Blocks(image, blocks) => {
                let rect = blocks[at].intersect(image.truth.size().bounds());
                Ok(Unit {
                    name: format!("{} at {}, {}", image.name, rect.x, rect.y),
                    rect,
                    ..image.clone()
                })
            }
        }
    }
}

fn unit_of(set: &FileSet, at: usize) -> Result<Unit, TrainError> {
    let source = open_raster(&set.sample(at).image).map_err(DatasetError::from)?;
    let (truth, _) = set.mask(at)?;
    Ok(Unit {
        name: set.name(at),
        rect: truth.size().bounds(),
        source,
        truth,
    })
}

fn whole(image: &Path, source: Arc<dyn TileSource>, truth: Mask) -> Unit {
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    Unit {
        name: name.into_owned(),
        rect: truth.size().bounds(),
        source,
        truth,
    }
}
