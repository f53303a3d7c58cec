use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::finetune::check_image_print;
use super::{Lineage, Recipe, ReplaySources, TrainError};
use crate::dataset::{
    Corrections, DatasetError, FileSet, Ground, PatchSource, Scene, Watch, discover_corrected,
};
use crate::label::{ClassTable, Encoding, load_mask};
use crate::raster::open_raster;

/// Name of the file in a run folder that says what was read.
pub(super) const DATA_FILE: &str = "data.json";
/// Name of the label in a run folder, as it was when the training began.
pub(super) const LABEL_FILE: &str = "label.tif";

/// What a training reads, written beside the run so that it can go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
        /// What a person corrected of what was recognized.
        #[serde(default)]
        corrections: Corrections,
    },
    /// An image that was corrected, to go on from a model; what of its label is trusted is in the
    /// run folder.
    Finetune {
        /// The image, absolute.
        image: PathBuf,
        /// What is mixed in.
        replay: ReplaySources,
        /// Where the model will come from.
        lineage: Box<Lineage>,
    },
}

impl TrainData {
    /// A data set as it is recognized.
    pub fn folder(folder: PathBuf) -> Self {
        Self::Folder {
            folder,
            corrections: Corrections::default(),
        }
    }

    /// The one image that is learned from, if it is one.
    pub fn image(&self) -> Option<&Path> {
        match self {
            Self::Image { image } | Self::Finetune { image, .. } => Some(image),
            Self::Folder { .. } => None,
        }
    }

    /// Refuses a path that the files of a run could not name.
    pub(super) fn check_names(&self) -> Result<(), TrainError> {
        let mut paths = vec![self.source()];
        match self {
            Self::Image { .. } => {}
            Self::Folder { corrections, .. } => {
                let known = [
                    &corrections.classes,
                    &corrections.images,
                    &corrections.masks,
                ];
                paths.extend(known.into_iter().flatten().map(PathBuf::as_path));
            }
            Self::Finetune {
                replay, lineage, ..
            } => {
                paths.extend(replay.runs.iter().map(PathBuf::as_path));
                paths.extend(lineage.parent.iter().map(|parent| parent.run.as_path()));
            }
        }
        paths.into_iter().try_for_each(check_name)
    }

    /// Where the model will come from, if it goes on from another.
    pub(super) fn lineage(&self) -> Option<&Lineage> {
        match self {
            Self::Finetune { lineage, .. } => Some(lineage),
            _ => None,
        }
    }

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
    /// When image, label or data set cannot be read any more, or the image is another one.
    pub fn ground(&self, folder: &Path, cache_bytes: usize) -> Result<Ground, TrainError> {
        self.ground_watched(folder, cache_bytes, &Watch::NOBODY)
    }

    /// As [`Self::ground`], watched where masks are read.
    ///
    /// # Errors
    /// As for [`Self::ground`], and [`DatasetError::Stopped`].
    pub fn ground_watched(
        &self,
        folder: &Path,
        cache_bytes: usize,
        watch: &Watch<'_>,
    ) -> Result<Ground, TrainError> {
        match self {
            Self::Image { image } | Self::Finetune { image, .. } => {
                let source = open_raster(image).map_err(DatasetError::from)?;
                check_image_print(folder, &*source)?;
                let (path, size) = (folder.join(LABEL_FILE), source.info().size);
                let label = load_mask(&path, Some(size), Encoding::Index, None)?;
                let name = image.file_name().unwrap_or_default().to_string_lossy();
                let scene = Scene::tiled(name.into_owned(), source, label.mask, cache_bytes);
                Ok(Ground::Image(Arc::new(scene)))
            }
            Self::Folder {
                folder,
                corrections,
            } => Ok(opened_corrected(folder, corrections, cache_bytes, watch)?.0),
        }
    }
}

/// Refuses a path that is no text, since the files of a run hold paths as text.
pub(super) fn check_name(path: &Path) -> Result<(), TrainError> {
    if path.to_str().is_none() {
        return Err(TrainError::NoText(path.to_owned()));
    }
    Ok(())
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
    opened_corrected(folder, &Corrections::default(), cache_bytes, &Watch::NOBODY)
}

/// As [`opened_folder`] with what a person corrected of it. Where only the masks say which classes
/// there are, all are read, which `watch` sees; they are not read again for the training.
///
/// # Errors
/// As for [`opened_folder`], and when the list of classes cannot be read or `watch` says stop.
pub fn opened_corrected(
    folder: &Path,
    corrections: &Corrections,
    cache_bytes: usize,
    watch: &Watch<'_>,
) -> Result<(Ground, ClassTable), TrainError> {
    let discovery = discover_corrected(folder, corrections)?;
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
    let files = FileSet::new(discovery, cache_bytes);
    if files.is_empty() {
        return Err(DatasetError::NoPairs {
            what: "No image has a mask".to_owned(),
            path: folder.to_owned(),
        }
        .into());
    }
    let classes = classes_of(&files, corrections, watch)?;
    let ground = Ground::Files(Box::new(files));
    if ground.num_scenes() == 1 {
        // Blocks of it are held out instead of whole files.
        return Ok((Ground::Image(ground.scene(0)?), classes));
    }
    Ok((ground, classes))
}

/// What a training by `recipe` on the data set in `folder` draws its patches from, and the classes;
/// at most about `cache_bytes` of decoded images are kept. Reads all masks once.
///
/// # Errors
/// As for [`opened_corrected`], and when the recipe does not work on the data set.
pub fn opened_patches(
    recipe: &Recipe,
    (folder, corrections): (&Path, &Corrections),
    cache_bytes: usize,
    watch: &Watch<'_>,
) -> Result<(PatchSource, ClassTable), TrainError> {
    recipe.check()?;
    let (ground, classes) = watch.during((0.0, 0.4), |watch| {
        opened_corrected(folder, corrections, cache_bytes, watch)
    })?;
    let config = recipe.patch_config(&classes)?;
    let patches = watch.during((0.4, 1.0), |watch| {
        PatchSource::watched(ground, config, watch)
    })?;
    Ok((patches, classes))
}

/// The list that a person gave or the folder's own class table, else what was recognized, else the
/// values of all masks.
fn classes_of(
    files: &FileSet,
    corrections: &Corrections,
    watch: &Watch<'_>,
) -> Result<ClassTable, TrainError> {
    let discovery = files.discovery();
    let own = discovery.folder.join("classes.toml");
    // What a person says of its classes is in those that were recognized by it.
    let is_as_listed = corrections.classes.is_none() && corrections.ignored.is_none();
    if is_as_listed && own.is_file() {
        return Ok(ClassTable::load(&own)?);
    }
    match &discovery.classes {
        // Some masks were looked at; others may hold more values.
        Some(_) if discovery.are_classes_made && discovery.encoding.form == Encoding::Index => {}
        Some(classes) => return Ok(classes.clone()),
        None => {}
    }
    let seen = files.classes_seen(watch)?.into_iter();
    let is_zero_ignored = discovery.ignored.iter().any(|class| class.index == 0);
    Ok(ClassTable::from_values(
        seen.chain((!is_zero_ignored).then_some(0)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;
    use crate::label::{Mask, SaveAs, save_mask};

    #[test]
    fn a_class_of_one_mask_among_many_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let (size, table) = (ImageSize::new(8, 8), ClassTable::from_values(0..=254));
        for n in 0..60_u8 {
            for kind in ["images", "masks"] {
                let value = if n == 43 { 9 } else { n % 3 };
                let path = folder.path().join(kind).join(format!("{n:02}.png"));
                let mask = Mask::filled(size, value);
                save_mask(&path, &mask, &table, None, SaveAs::IndexPng).expect("saved");
            }
        }
        let (ground, classes) = opened_folder(folder.path(), 1 << 20).expect("ground");
        let found: Vec<u8> = classes.classes().iter().map(|class| class.index).collect();
        assert_eq!((ground.num_scenes(), found), (60, vec![0, 1, 2, 9]));
        let stop = Watch {
            is_cancelled: &|| true,
            ..Watch::NOBODY
        };
        let stopped = opened_corrected(folder.path(), &Corrections::default(), 1 << 20, &stop);
        assert!(matches!(
            stopped,
            Err(TrainError::Dataset(DatasetError::Stopped))
        ));
    }

    #[test]
    fn stated_unlabeled_classes_are_not_learned() {
        let folder = tempfile::tempdir().expect("a folder");
        let (size, table) = (ImageSize::new(8, 8), ClassTable::from_values(0..=254));
        for n in 0..4_u8 {
            for kind in ["images", "masks"] {
                let path = folder.path().join(kind).join(format!("{n}.png"));
                let mask = Mask::filled(size, n);
                save_mask(&path, &mask, &table, None, SaveAs::IndexPng).expect("saved");
            }
        }
        let corrections = Corrections {
            ignored: Some(vec![0, 2]),
            ..Corrections::default()
        };
        let check = |folder: &Path| {
            let opened = opened_corrected(folder, &corrections, 1 << 20, &Watch::NOBODY);
            let (_, classes) = opened.expect("ground");
            let found: Vec<u8> = classes.classes().iter().map(|class| class.index).collect();
            assert_eq!(found, [1, 3]);
        };
        check(folder.path());
        let list = folder.path().join("classes.toml");
        ClassTable::from_values(0..4).save(&list).expect("a list");
        check(folder.path());
    }

    #[test]
    fn runs_from_before_there_were_corrections_are_read() {
        let text = r#"{ "kind": "folder", "folder": "/d" }"#;
        let data: TrainData = serde_json::from_str(text).expect("data");
        assert_eq!(data, TrainData::folder(PathBuf::from("/d")));
    }
}
