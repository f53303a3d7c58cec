use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::run_folder::{BEST, CHECKPOINTS, LAST};
use super::{EpochRow, Lineage, TrainError};
use crate::dataset::{BandReading, Normalization, Rng};
use crate::label::{Class, ClassTable, MaskError};
use crate::nn::{ModelConfig, Network, read_weights};

/// Name of the weights in a checkpoint folder.
pub(super) const WEIGHTS_FILE: &str = "weights.safetensors";
/// Name of the description in a checkpoint folder.
pub(super) const CARD_FILE: &str = "model.json";
/// The version of `model.json` that this program writes and reads.
const SCHEMA: u32 = 1;
/// No weights file this program writes is larger.
const MOST_WEIGHT_BYTES: u64 = 8 << 30;

/// One class in a model's description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassEntry {
    /// The index in masks; also the network's output.
    pub index: u8,
    /// What people call it.
    pub name: String,
    /// The color it is shown in.
    pub color: [u8; 3],
}

/// All that is needed to use a model's weights, and how good they were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Version of this file's fields.
    pub schema: u32,
    /// Version of the program that trained it.
    pub app_version: String,
    /// The network.
    pub model: ModelConfig,
    /// Outputs of the network: the highest class index and one.
    pub num_classes: usize,
    /// The classes it was trained on.
    pub classes: Vec<ClassEntry>,
    /// The class of ground that is nothing else, when there is one.
    pub background: Option<u8>,
    /// How bands of its images became channels; before there was a choice, the colors.
    #[serde(default, skip_serializing_if = "BandReading::is_as_shown")]
    pub bands: BandReading,
    /// How its images were normalised.
    pub normalization: Normalization,
    /// Columns and rows of its training patches.
    pub patch: u32,
    /// Meters along a side of a pixel of its training ground, when they are known.
    #[serde(default)]
    pub pixel_size: Option<f64>,
    /// The training's seed.
    pub seed: u64,
    /// Steps it was trained for.
    pub step: u64,
    /// Scores of the epoch it was saved after; none when it was stopped before the first ended.
    pub metrics: Option<EpochRow>,
    /// Which model it went on from, and what with; none when it was not fine-tuned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
    /// The text of its recipe; none in cards of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// A number that is another for other labels or other held-out ground, as in
    /// `environment.json`; none in cards of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_fingerprint: Option<String>,
}

impl ModelCard {
    /// The current schema and version with everything else as given.
    pub(super) fn new(
        model: ModelConfig,
        classes: &ClassTable,
        normalization: Normalization,
        patch: u32,
        seed: u64,
    ) -> Self {
        let entry = |class: &Class| ClassEntry {
            index: class.index,
            name: class.name.clone(),
            color: class.color,
        };
        Self {
            schema: SCHEMA,
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            model,
            num_classes: classes.num_classes(),
            classes: classes.classes().iter().map(entry).collect(),
            background: classes.background(),
            bands: BandReading::default(),
            normalization,
            patch,
            pixel_size: None,
            seed,
            step: 0,
            metrics: None,
            lineage: None,
            recipe: None,
            data_fingerprint: None,
        }
    }

    /// What keeps the card from describing a network, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        if self.schema != SCHEMA {
            return Some(format!(
                "it has version {} of the format, this program knows {SCHEMA}; update the program",
                self.schema
            ));
        }
        if let Err(misfit) = self.model.check() {
            return Some(misfit);
        }
        let numbers = &self.normalization;
        let sane = (1..=255).contains(&self.num_classes)
            && self.bands.is_sane()
            && [
                self.bands.num_channels(),
                numbers.mean.len(),
                numbers.std.len(),
            ]
            .iter()
            .all(|&channels| channels == self.model.in_channels)
            && (32..=4096).contains(&self.patch)
            && (self.patch as usize).is_multiple_of(self.model.stride())
            && numbers.std.iter().all(|&std| std.is_finite() && std > 0.0)
            && numbers.mean.iter().all(|mean| mean.is_finite())
            && self
                .pixel_size
                .is_none_or(|meters| meters.is_finite() && meters > 0.0);
        (!sane).then(|| "its numbers make no network".to_owned())
    }

    fn class_table(&self) -> Result<ClassTable, MaskError> {
        let class = |entry: &ClassEntry| Class::new(entry.index, entry.name.clone(), entry.color);
        ClassTable::new(self.background, self.classes.iter().map(class).collect())
    }

    /// Says how this model's classes differ from `classes`; empty when a prediction's indices
    /// mean the same in both.
    pub fn class_differences(&self, classes: &ClassTable) -> Vec<String> {
        let mut differences = Vec::new();
        for entry in &self.classes {
            match classes.get(entry.index) {
                None => differences.push(format!(
                    "the model knows class {} ({}), the table does not",
                    entry.index, entry.name
                )),
                Some(class) if class.name != entry.name => differences.push(format!(
                    "class {} is {} in the model and {} in the table",
                    entry.index, entry.name, class.name
                )),
                Some(_) => {}
            }
        }
        let is_unknown =
            |class: &&Class| self.classes.iter().all(|entry| entry.index != class.index);
        for class in classes.classes().iter().filter(is_unknown) {
            differences.push(format!(
                "the model does not know class {} ({})",
                class.index, class.name
            ));
        }
        differences
    }
}

/// A model as it lies on the disk, verified and ready to be put on a device.
#[derive(Clone, Debug)]
pub struct SavedModel {
    card: ModelCard,
    classes: ClassTable,
    weights: Arc<Vec<u8>>,
    folder: PathBuf,
}

impl SavedModel {
    /// Reads the model in `path`: a run folder (its best checkpoint, else its last) or one
    /// checkpoint's folder. The weights are tried on a network once.
    ///
    /// # Errors
    /// Says which file is missing or damaged and how.
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        let folder = checkpoint_folder(path)?;
        let card_path = folder.join(CARD_FILE);
        let failed = |reason: String, path: &Path| TrainError::Model {
            reason,
            path: path.to_owned(),
        };
        let card = Self::card_of(&folder)?;
        let classes = card
            .class_table()
            .map_err(|error| failed(error.to_string(), &card_path))?;
        let weights_path = folder.join(WEIGHTS_FILE);
        let unreadable = |error: std::io::Error| failed(error.to_string(), &weights_path);
        if fs::metadata(&weights_path).map_err(unreadable)?.len() > MOST_WEIGHT_BYTES {
            return Err(failed(
                "it is larger than any network".to_owned(),
                &weights_path,
            ));
        }
        let weights = Arc::new(fs::read(&weights_path).map_err(unreadable)?);
        let model = Self {
            card,
            classes,
            weights,
            folder,
        };
        model
            .network(&Device::flex())
            .map_err(|error| failed(error.to_string(), &weights_path))?;
        Ok(model)
    }

    /// The description of the model in `path` alone, found as by [`Self::load`].
    ///
    /// # Errors
    /// Says what is missing or damaged.
    pub fn card_of(path: &Path) -> Result<ModelCard, TrainError> {
        let path = checkpoint_folder(path)?.join(CARD_FILE);
        let failed = |reason: String| TrainError::Model {
            reason,
            path: path.clone(),
        };
        let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
        let card: ModelCard =
            serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        card.fault().map_or(Ok(card), |fault| Err(failed(fault)))
    }

    /// The checksum (crc32c) of the weights' file, in eight digits.
    pub fn weights_print(&self) -> String {
        let [_, weights] = self.checksums();
        format!("{weights:08x}")
    }

    /// The description.
    pub const fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The classes it was trained on.
    pub const fn classes(&self) -> &ClassTable {
        &self.classes
    }

    /// The checkpoint's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Checksums (crc32c) of the description and of the weights.
    pub fn checksums(&self) -> [u32; 2] {
        let card = serde_json::to_vec(&self.card).expect("plain numbers and texts");
        [crc32c::crc32c(&card), crc32c::crc32c(&self.weights)]
    }

    /// The network with these weights on `device`.
    pub(super) fn network(&self, device: &Device) -> Result<Network, TrainError> {
        self.network_as(&self.card.model, device)
    }

    /// The same as `model`, which differs at most by what of it holds still.
    pub(super) fn network_as(
        &self,
        model: &ModelConfig,
        device: &Device,
    ) -> Result<Network, TrainError> {
        let mut network = Network::new(model, self.card.num_classes, &mut || 0.5, device);
        read_weights(&mut network, self.weights.to_vec())?;
        Ok(network)
    }
}

/// A network with fresh weights that follow from `seed`.
pub(super) fn fresh_network(
    model: &ModelConfig,
    num_classes: usize,
    seed: u64,
    device: &Device,
) -> Network {
    let mut rng = Rng::of(&[seed, u64::MAX]);
    Network::new(model, num_classes, &mut || rng.unit(), device)
}

/// The checkpoint of the run in `path` that the text of a file like [`BEST`] names.
pub(super) fn named_checkpoint(path: &Path, text: &str) -> Option<PathBuf> {
    // Anybody may have written that file: only digits lead on.
    let step = text.trim();
    let is_step = (1..=20).contains(&step.len()) && step.bytes().all(|byte| byte.is_ascii_digit());
    is_step.then(|| path.join(CHECKPOINTS).join(step))
}

fn checkpoint_folder(path: &Path) -> Result<PathBuf, TrainError> {
    if path.join(CARD_FILE).is_file() {
        return Ok(path.to_owned());
    }
    for name in [BEST, LAST] {
        if let Ok(step) = fs::read_to_string(path.join(name))
            && let Some(folder) = named_checkpoint(path, &step)
        {
            return Ok(folder);
        }
    }
    Err(TrainError::Model {
        reason: format!("there is neither {CARD_FILE} nor a file {BEST} or {LAST} naming one"),
        path: path.to_owned(),
    })
}
