use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::HeldOut;

/// Where a fine-tuned model comes from; part of each of its checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// The model it went on from; `None` when it began with weights learned elsewhere.
    pub parent: Option<Parent>,
    /// Fine-tunings so far, this one counted.
    pub generation: u32,
    /// The corrected image.
    pub image: PathBuf,
    /// What tells the image from others, whatever its file is called.
    pub image_print: String,
    /// What it learned from.
    pub learned: LearnedFrom,
    /// Ground that no model of the chain learned from.
    pub held_out: HeldOut,
}

/// A model that another one went on from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its run folder.
    pub run: PathBuf,
    /// The checksum (crc32c) of its weights' file.
    pub weights: String,
}

/// What a fine-tuning learned from, in numbers of pixels of the corrected image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LearnedFrom {
    /// Cells that were marked as done.
    pub done_cells: u64,
    /// Labeled pixels in those cells, and corrected ones elsewhere; held-out ground counts.
    pub trusted_pixels: u64,
    /// Those of them that were accepted from a prediction.
    pub accepted_pixels: u64,
    /// Pixels on held-out ground that were accepted from a model of this chain and so say nothing
    /// about it; they are left out of the verdict.
    pub not_judged_pixels: u64,
    /// Share of the patches of a step that come from what earlier trainings learned from.
    pub replay_share: f64,
}
