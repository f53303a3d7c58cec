use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::dataset::parts::PartRule;
use crate::dataset::{DatasetError, Ground, PatchConfig, PatchSource, Rng, Scene, Watch};
use crate::label::{ClassTable, Encoding, Mask, load_mask};
use crate::raster::{TileSource, open_raster};
use crate::train::{Recipe, RunRecord, TrainData, TrainError};

/// Name of the label in a run folder that earlier trainings learned from and nobody corrected.
pub(in crate::train) const REPLAY_FILE: &str = "replay.tif";
/// More earlier runs are not read.
pub(super) const MOST_RUNS: usize = 8;
/// Bytes for decoded images of each source.
const CACHE_BYTES: usize = 96 << 20;

/// Where what earlier trainings learned from lies; part of a run, so that it can go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplaySources {
    /// Share of the patches that come from it.
    pub share: f64,
    /// Whether the run folder holds a label of the same image for it.
    pub same_image: bool,
    /// Runs on other images or data sets; they are read as those runs read them.
    pub runs: Vec<PathBuf>,
}

/// What earlier trainings of a chain learned from, mixed into the patches of a training so that
/// it is not forgotten.
#[derive(Debug)]
pub(in crate::train) struct Replay {
    share: f64,
    sources: Vec<PatchSource>,
}

impl Replay {
    /// Reads `sources` for a run with this recipe; `own` is what there is of the same image.
    /// Sources that are gone or too small are left out and named; `None` when nothing is left.
    ///
    /// # Errors
    /// When `watch` says stop.
    pub(in crate::train) fn read(
        sources: &ReplaySources,
        own: Option<Ground>,
        (recipe, classes): (&Recipe, &ClassTable),
        watch: &Watch<'_>,
    ) -> Result<(Option<Self>, Vec<String>), TrainError> {
        let (mut found, mut notes) = (Vec::new(), Vec::new());
        if sources.share <= 0.0 {
            return Ok((None, notes));
        }
        let own = own.map(|ground| patches(ground, (recipe, classes), recipe.parts(), watch));
        let of_runs = sources.runs.iter().map(|run| {
            let read = of_run(run, (recipe, classes), watch);
            let name = run.file_name().unwrap_or_default().to_string_lossy();
            (name.into_owned(), read)
        });
        let own = own.map(|read| ("the model's last training".to_owned(), read));
        for (name, read) in own.into_iter().chain(of_runs) {
            match read {
                Ok(patches) => found.push(patches),
                Err(TrainError::Dataset(DatasetError::Stopped)) => {
                    return Err(DatasetError::Stopped.into());
                }
                Err(error) => {
                    notes.push(format!("What {name} learned from is not repeated: {error}"));
                }
            }
        }
        let replay = (!found.is_empty()).then_some(Self {
            share: sources.share,
            sources: found,
        });
        Ok((replay, notes))
    }

    /// The label of the same image that is repeated.
    pub(in crate::train) fn own_label(&self) -> Option<&Mask> {
        match self.sources.first()?.ground() {
            Ground::Image(scene) if scene.name() == REPLAY_FILE => Some(scene.image_mask()),
            _ => None,
        }
    }

    /// The same with images read as the model reads them.
    pub(in crate::train) fn read_as(
        self,
        apply: impl Fn(PatchSource) -> Result<PatchSource, DatasetError>,
    ) -> Result<Self, DatasetError> {
        let sources = self.sources.into_iter().map(apply);
        Ok(Self {
            sources: sources.collect::<Result<_, _>>()?,
            share: self.share,
        })
    }

    /// Where training patch `index` of `epoch` comes from, if not from the corrected image.
    pub(in crate::train) fn source(
        &self,
        seed: u64,
        epoch: u64,
        index: u64,
    ) -> Option<&PatchSource> {
        let mut rng = Rng::of(&[seed, epoch, index, SALT]);
        if f64::from(rng.unit()) >= self.share {
            return None;
        }
        self.sources
            .get(rng.below(self.sources.len() as u64) as usize)
    }

    /// `own`, the labeled pixels of each class in the corrected ground, with those of here in the
    /// proportion in which patches are drawn.
    pub(in crate::train) fn mixed(&self, own: &[u64]) -> Vec<u64> {
        let mut other = vec![0; own.len()];
        for source in &self.sources {
            for (sum, pixels) in other.iter_mut().zip(source.class_pixels()) {
                *sum += pixels;
            }
        }
        let [total, others] = [own, &other].map(|all| all.iter().sum::<u64>().max(1) as f64);
        let factor = total / others * self.share / (1.0 - self.share).max(1e-3);
        let mix = |(own, other): (&u64, &u64)| own + (*other as f64 * factor).round() as u64;
        own.iter().zip(&other).map(mix).collect()
    }
}

/// So that which patches are replayed has nothing to do with where they lie.
const SALT: u64 = 0x7265_706c_6179;

/// The label of `image` that the run in `folder` repeats, if it does.
///
/// # Errors
/// When image or label cannot be read any more.
pub(in crate::train) fn kept_replay(
    image: &Path,
    folder: &Path,
    sources: &ReplaySources,
) -> Result<Option<Ground>, TrainError> {
    if !sources.same_image {
        return Ok(None);
    }
    let source = open_raster(image).map_err(DatasetError::from)?;
    let (path, size) = (folder.join(REPLAY_FILE), source.info().size);
    let label = load_mask(&path, Some(size), Encoding::Index, None)?;
    Ok(Some(replay_ground(source, label.mask)))
}

/// A label of the corrected image as ground that is repeated.
pub(super) fn replay_ground(source: Arc<dyn TileSource>, label: Mask) -> Ground {
    let scene = Scene::tiled(REPLAY_FILE.to_owned(), source, label, CACHE_BYTES);
    Ground::Image(Arc::new(scene))
}

/// What an earlier run learned from, with what it held out held out.
fn of_run(
    run: &Path,
    (recipe, classes): (&Recipe, &ClassTable),
    watch: &Watch<'_>,
) -> Result<PatchSource, TrainError> {
    let ground = TrainData::of_run(run)?.ground_watched(run, CACHE_BYTES, watch)?;
    let before = Recipe::load(&run.join("recipe.toml"))?;
    let differing = ClassTable::load(&run.join("classes.toml"))? != *classes;
    if differing {
        return Err(TrainError::Recipe("its classes are others".to_owned()));
    }
    let with_its_seed = Recipe {
        seed: before.seed,
        ..recipe.clone()
    };
    // Older versions drew a part that nobody stated in another way.
    let split = RunRecord::load(run)?.split;
    let parts = PartRule {
        held_out: split.map(|split| split.validation_files),
        ..before.parts()
    };
    patches(ground, (&with_its_seed, classes), parts, watch)
}

fn patches(
    ground: Ground,
    (recipe, classes): (&Recipe, &ClassTable),
    parts: PartRule,
    watch: &Watch<'_>,
) -> Result<PatchSource, TrainError> {
    let config = PatchConfig {
        parts,
        ..recipe.patch_config(classes)?
    };
    Ok(PatchSource::watched(ground, config, watch)?)
}
