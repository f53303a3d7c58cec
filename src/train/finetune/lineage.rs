use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::HeldOut;
use super::family::Judging;
use crate::train::RunRecord;

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

impl Lineage {
    /// The ground that judges the model.
    pub(super) fn judging(&self) -> Judging<'_> {
        Judging {
            print: &self.image_print,
            blocks: &self.held_out.judging,
        }
    }
}

/// A model that another one went on from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its run folder.
    pub run: PathBuf,
    /// The checksum (crc32c) of its weights' file.
    pub weights: String,
}

impl Parent {
    /// Its run folder as it is found from `child`, the run of a model that went on from it: where
    /// it was, else beside the child, since a folder of runs is moved as a whole.
    pub(super) fn found_from(&self, child: &Path) -> PathBuf {
        let beside = (child.parent().zip(self.run.file_name()))
            .map(|(folder, name)| folder.join(name))
            .filter(|run| !RunRecord::is_run(&self.run) && RunRecord::is_run(run));
        beside.unwrap_or_else(|| self.run.clone())
    }
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
    /// Pixels on held-out ground that were accepted from a model of this chain, or from one that
    /// shares an ancestor with it, and so say nothing about it; they are left out of the verdict.
    pub not_judged_pixels: u64,
    /// Labeled pixels of held-out ground, those among them; 0 where an earlier version did not
    /// count them.
    #[serde(default)]
    pub held_out_pixels: u64,
    /// Share of the patches of a step that come from what earlier trainings learned from.
    pub replay_share: f64,
}

impl LearnedFrom {
    /// Which share of the labeled pixels of held-out ground does not judge, in percent; `None`
    /// where there are none, or none were counted.
    pub fn not_judged_percent(&self) -> Option<f64> {
        let all = self.held_out_pixels;
        (all > 0).then(|| 100.0 * self.not_judged_pixels as f64 / all as f64)
    }
}
