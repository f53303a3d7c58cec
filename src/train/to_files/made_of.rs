use std::path::{Path, absolute};
use std::time::UNIX_EPOCH;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::plan::{FileTask, FilesPlan};
use crate::disk::replace_file;
use crate::geom::{ImageSize, PixelRect};
use crate::train::{Certainty, DecisionThreshold, Flips, TrainError};

/// The version of the files beside a prediction.
const SCHEMA: u32 = 2;

/// How long a file is, and when it was written last in nanoseconds since 1970.
///
/// # Errors
/// When there is none that can be looked at.
pub(in crate::train) fn bytes_and_time(path: &Path) -> io::Result<(u64, u64)> {
    let facts = fs::metadata(path)?;
    let time = facts.modified().ok();
    let time = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanos = time.map_or(0, |time| time.as_nanos() as u64);
    Ok((facts.len(), nanos))
}

/// What a prediction is made of. Two that are alike have the same pixels, but for what devices
/// differ in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct MadeOf {
    schema: u32,
    /// The checkpoint's folder, absolute.
    model: String,
    /// Checksums (crc32c) of the model's description and of its weights.
    model_checksums: [u32; 2],
    /// The image's file, absolute.
    image: String,
    image_bytes: u64,
    /// When the image's file was written last, in nanoseconds since 1970.
    image_time: u64,
    image_size: ImageSize,
    areas: Vec<PixelRect>,
    flips: Flips,
    #[serde(default)]
    threshold: DecisionThreshold,
    measures: Vec<Certainty>,
    /// The names of the mask and of the files that say how sure it is; none in older records.
    #[serde(default)]
    files: Vec<String>,
}

/// A path that means the same from every folder.
fn named(path: &Path) -> String {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    path.display().to_string()
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl MadeOf {
    /// What the prediction of an image of `size` is made of.
    pub(super) fn of(
        plan: &FilesPlan,
        task: &FileTask,
        size: ImageSize,
    ) -> Result<Self, TrainError> {
        let unreadable = |source| TrainError::Blocks {
            path: task.image.clone(),
            source,
        };
        let (image_bytes, image_time) = bytes_and_time(&task.image).map_err(unreadable)?;
        Ok(Self {
            schema: SCHEMA,
            model: named(plan.model.folder()),
            model_checksums: plan.model.checksums(),
            image: named(&task.image),
            image_bytes,
            image_time,
            image_size: size,
            areas: task.areas.clone(),
            flips: plan.flips,
            threshold: plan.threshold,
            measures: plan.measures.clone(),
            files: task.written().map(|path| name_of(path)).collect(),
        })
    }

    /// The checkpoint's folder and the image's file.
    pub(super) fn model_and_image(&self) -> [&Path; 2] {
        [&self.model, &self.image].map(Path::new)
    }

    /// Whether it may have been written into a file of this name.
    pub(super) fn is_of(&self, file: &Path) -> bool {
        self.files.is_empty() || self.files.contains(&name_of(file))
    }

    /// What was written at `path`; `None` where there is none or it cannot be understood.
    pub(super) fn load(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    pub(super) fn save(&self, path: &Path) -> Result<(), TrainError> {
        let text = serde_json::to_vec_pretty(self).expect("plain numbers and texts");
        Ok(replace_file(path, &text)?)
    }

    /// What of it is another prediction's, with its verb. Files may have moved meanwhile.
    pub(super) fn difference(&self, other: &Self) -> Option<&'static str> {
        let image = |one: &Self| (one.image_bytes, one.image_time, one.image_size);
        let checks = [
            (self.schema == other.schema, "the program's version is"),
            (
                self.model_checksums == other.model_checksums,
                "the model is",
            ),
            (image(self) == image(other), "the image is"),
            (self.areas == other.areas, "the area is"),
            (
                self.flips == other.flips,
                "the choice of mirror images (--tta) is",
            ),
            (self.threshold == other.threshold, "the threshold is"),
            (
                self.measures == other.measures,
                "the measures of certainty are",
            ),
        ];
        let differs = checks.into_iter().find(|(is_same, _)| !is_same);
        differs.map(|(_, what)| what)
    }
}
