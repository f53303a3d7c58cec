use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Table;

use super::{ExperimentChoice, ExperimentSpec, RunSize};
use crate::disk::replace_file;
use crate::train::{TrainError, Trial};

/// The name of the file in a cell's run folder.
const CELL_FILE: &str = "cell.json";
/// No such file this program writes is larger.
const MOST_BYTES: u64 = 1 << 16;

/// Trainings that tell what patch, batch and accumulation cost. Each runs in a process of its own,
/// since only so the peak of the memory is its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// What is seen in it.
    pub words: String,
    /// Millions of pixels that each training sees at the small size.
    pub small_megapixels: u32,
    /// Millions of pixels that each training sees at the full size.
    pub full_megapixels: u32,
    /// Changes to the recipe.
    #[serde(default)]
    pub recipe: Table,
    /// The trainings.
    #[serde(rename = "cell")]
    pub cells: Vec<Cell>,
}

/// One training of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Columns and rows of a patch.
    pub patch: u32,
    /// Patches in a step.
    pub batch: usize,
    /// Steps whose gradients are added up before the weights change.
    pub accumulate: u32,
}

/// What a training of the table cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellResult {
    /// The training.
    pub cell: Cell,
    /// Steps it took.
    pub steps: u32,
    /// Seconds a step, its patches included; none when too few steps were seen.
    pub seconds_a_step: Option<f64>,
    /// The most memory that the process held, where the system tells.
    pub peak_bytes: Option<u64>,
}

impl Cell {
    /// The name of its run folder.
    pub fn name(&self) -> String {
        format!("cell-{}-{}-{}", self.patch, self.batch, self.accumulate)
    }

    /// Steps that see so many millions of pixels, whole updates of the weights.
    fn steps(&self, megapixels: u32) -> u32 {
        let update = u64::from(self.patch).pow(2) * self.batch as u64 * u64::from(self.accumulate);
        let updates = (u64::from(megapixels) * 1_000_000 / update.max(1)).max(1);
        u32::try_from(updates)
            .unwrap_or(u32::MAX)
            .saturating_mul(self.accumulate)
    }

    /// The folder of all of them, below that of the experiment's runs.
    pub fn queue_in(runs: &Path) -> PathBuf {
        runs.join("costs")
    }

    /// Its run folder, below that of the experiment's runs.
    pub fn run_in(&self, runs: &Path) -> PathBuf {
        Self::queue_in(runs).join(self.name())
    }
}

impl CellResult {
    /// Writes it into the run folder, whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, run: &Path) -> Result<(), TrainError> {
        let text = serde_json::to_string_pretty(self).expect("plain numbers become JSON");
        Ok(replace_file(&run.join(CELL_FILE), text.as_bytes())?)
    }

    /// What the run folder says; `None` when it says nothing that can be read.
    pub fn load(run: &Path) -> Option<Self> {
        let file = File::open(run.join(CELL_FILE)).ok()?;
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

impl ExperimentSpec {
    /// The trainings of the experiment's table of costs on the data in `data` (absolute).
    ///
    /// # Errors
    /// When a recipe does not work.
    pub fn cells(
        &self,
        choice: &ExperimentChoice,
        data: &Path,
    ) -> Result<Vec<(Cell, Trial)>, TrainError> {
        let Some(grid) = &self.grid else {
            return Ok(Vec::new());
        };
        let megapixels = match choice.size {
            RunSize::Small => grid.small_megapixels,
            RunSize::Full => grid.full_megapixels,
        };
        let trial = |cell: &Cell| {
            let mut recipe = self.recipe(choice, &[&grid.recipe])?;
            recipe.patch = cell.patch;
            recipe.batch = cell.batch;
            recipe.updates.accumulate = cell.accumulate;
            (recipe.epochs, recipe.steps_per_epoch) = (1, cell.steps(megapixels));
            recipe.check()?;
            let trial = Trial {
                name: cell.name(),
                group: cell.name(),
                recipe,
                data: data.to_owned(),
                judge: None,
                until: None,
            };
            Ok((*cell, trial))
        };
        grid.cells.iter().map(trial).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_training_sees_as_many_pixels() {
        let cells = [(128, 2, 1), (512, 1, 8), (256, 8, 1)];
        for (patch, batch, accumulate) in cells {
            let cell = Cell {
                patch,
                batch,
                accumulate,
            };
            let steps = cell.steps(32);
            assert_eq!(steps % accumulate, 0);
            let seen = u64::from(patch * patch * steps) * batch as u64;
            let update = u64::from(patch * patch * accumulate) * batch as u64;
            assert!(seen <= 32_000_000 && seen + update > 32_000_000, "{cell:?}");
        }
        let cell = Cell {
            patch: 512,
            batch: 64,
            accumulate: 2,
        };
        assert_eq!(cell.steps(1), 2);
    }
}
