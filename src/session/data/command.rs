use std::path::PathBuf;

use super::super::CommandError;
use super::super::keeping::absolute;
use super::super::state::Session;
use crate::dataset::parts::PartRule;
use crate::dataset::{Augment, Corrections};
use crate::geom::ImagePoint;
use crate::train::Recipe;

/// What can be done with a data set besides learning from it; its files are only read.
#[derive(Clone, Debug, PartialEq)]
pub enum DataCommand {
    /// Looks at all files of a data set.
    Look {
        /// Its folder.
        folder: PathBuf,
        /// How a training would make the parts that leaks are looked for between.
        parts: Box<PartRule>,
        /// What is corrected of what is recognized.
        corrections: Corrections,
    },
    /// Makes the parts of the data set that is looked at by this rule, from names alone.
    Part(Box<PartRule>),
    /// Varies a patch of the open image as a training would.
    Vary {
        /// How.
        augment: Box<Augment>,
        /// The middle of the patch, in level-0 pixels.
        at: ImagePoint,
        /// Columns and rows of the patch.
        side: u32,
        /// Equal seeds give equal variations.
        seed: u64,
    },
    /// Shows the first patches that a training on a data set draws in an epoch. Equal recipes and
    /// epochs give equal patches.
    Draw {
        /// Its folder.
        folder: PathBuf,
        /// What is corrected of what is recognized.
        corrections: Corrections,
        /// How it would be trained.
        recipe: Box<Recipe>,
        /// The epoch, from 1.
        epoch: u64,
    },
    /// Makes pictures of these samples, by their places in the data set that is looked at, instead
    /// of those that were asked for before.
    Show(Vec<usize>),
    /// Stops looking and forgets what was found.
    Leave,
}

impl Session {
    pub(in crate::session) fn apply_data(
        &mut self,
        command: DataCommand,
    ) -> Result<(), CommandError> {
        match command {
            DataCommand::Look {
                folder,
                parts,
                corrections,
            } => self.look_at_data(folder, *parts, corrections),
            DataCommand::Leave => self.leave_data(),
            DataCommand::Part(rule) => self.part_data(*rule),
            DataCommand::Draw {
                folder,
                corrections,
                recipe,
                epoch,
            } => self.draw_patches((absolute(&folder), corrections), *recipe, epoch),
            DataCommand::Show(samples) => self.look_at_samples(samples),
            DataCommand::Vary {
                augment,
                at,
                side,
                seed,
            } => return self.vary_patch(*augment, (at, side), seed),
        }
        Ok(())
    }
}
