use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::TrainError;
use crate::dataset::{DatasetError, Discovery, FileSet, Ground, Scene, discover};
use crate::label::{ClassTable, Encoding, load_mask};
use crate::raster::open_raster;

/// Name of the file in a run folder that says what was read.
pub(super) const DATA_FILE: &str = "data.json";
/// Name of the label in a run folder, as it was when the training began.
pub(super) const LABEL_FILE: &str = "label.tif";
/// Masks of a folder that are read to learn which classes there are.
const MASKS_LOOKED_AT: usize = 32;

/// What a training reads, written beside the run so that it can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TrainData {
    /// An image; its label is in the run folder.
    Image {
        /// The image, absolute.
        image: PathBuf,
    },
    /// A data set.
    Folder {
        /// Its folder, absolute.
        folder: PathBuf,
    },
}

impl TrainData {
    /// What the run in `folder` reads.
    ///
    /// # Errors
    /// [`TrainError::NoRun`] when nothing says so.
    pub fn of_run(folder: &Path) -> Result<Self, TrainError> {
        let text = fs::read_to_string(folder.join(DATA_FILE)).ok();
        let data = text.and_then(|text| serde_json::from_str(&text).ok());
        data.ok_or_else(|| TrainError::NoRun(folder.to_owned()))
    }

    /// The ground that the run in `folder` reads, with `cache_bytes` for decoded images.
    ///
    /// # Errors
    /// When image, label or data set cannot be read any more.
    pub fn ground(&self, folder: &Path, cache_bytes: usize) -> Result<Ground, TrainError> {
        match self {
            Self::Image { image } => {
                let source = open_raster(image).map_err(DatasetError::from)?;
                let (path, size) = (folder.join(LABEL_FILE), source.info().size);
                let label = load_mask(&path, Some(size), Encoding::Index, None)?;
                let name = image.file_name().unwrap_or_default().to_string_lossy();
                let scene = Scene::tiled(name.into_owned(), source, label.mask, cache_bytes);
                Ok(Ground::Image(Arc::new(scene)))
            }
            Self::Folder { folder } => Ok(opened_folder(folder, cache_bytes)?.0),
        }
    }
}

/// The data set in `folder` as ground to learn from, with its classes: those of its class table, or
/// of its masks.
///
/// # Errors
/// When there is no image with a mask, or there are several data sets.
pub fn opened_folder(
    folder: &Path,
    cache_bytes: usize,
) -> Result<(Ground, ClassTable), TrainError> {
    let discovery = discover(folder)?;
    if !discovery.datasets.is_empty() {
        let names: Vec<String> = discovery
            .datasets
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return Err(DatasetError::Several {
            names: names.join(", "),
            path: folder.to_owned(),
        }
        .into());
    }
    let classes = classes_of(&discovery)?;
    let files = FileSet::new(discovery, cache_bytes);
    if files.is_empty() {
        return Err(DatasetError::NoPairs {
            what: "No image has a mask".to_owned(),
            path: folder.to_owned(),
        }
        .into());
    }
    let ground = Ground::Files(Box::new(files));
    if ground.num_scenes() == 1 {
        // Blocks of it are held out instead of whole files.
        return Ok((Ground::Image(ground.scene(0)?), classes));
    }
    Ok((ground, classes))
}

/// The folder's own class table, else what was recognized, else the values of some masks, spread
/// over the folder, since reading all may take minutes.
fn classes_of(discovery: &Discovery) -> Result<ClassTable, TrainError> {
    let own = discovery.folder.join("classes.toml");
    if own.is_file() {
        return Ok(ClassTable::load(&own)?);
    }
    if let Some(classes) = &discovery.classes {
        return Ok(classes.clone());
    }
    let samples: Vec<_> = discovery
        .samples
        .iter()
        .filter(|sample| sample.mask.is_some())
        .collect();
    let step = samples.len().div_ceil(MASKS_LOOKED_AT).max(1);
    let mut seen = [false; 255];
    for sample in samples.into_iter().step_by(step) {
        let (mask, _) = sample.load_mask(discovery)?;
        for (seen, &pixels) in seen.iter_mut().zip(&mask.histogram()) {
            *seen |= pixels > 0;
        }
    }
    let found = (0..u8::MAX).filter(|&class| seen[usize::from(class)]);
    Ok(ClassTable::from_values(found))
}
