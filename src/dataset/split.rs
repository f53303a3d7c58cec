use serde::{Deserialize, Serialize};

use super::cells::Cells;
use super::sites::SceneSites;
use super::split_blocks::nearness;
use super::split_given::GivenBlocks;
use super::{DatasetError, PatchConfig, Scene, hash};
use crate::geom::PixelRect;

/// Side of a held-out block, in pixels, wherever the labelled ground is large enough.
const BLOCK: u32 = 512;
/// The smallest block tried when it is not.
const SMALLEST_BLOCK: u32 = 32;
/// A block's side over the distance that training patches keep from it (512 / 4 = 128).
const MARGIN_SHARE: u32 = 4;
/// One in this many blocks or files is held out.
const HELD_OUT_SHARE: usize = 10;
const FEWEST_BLOCKS: usize = 2;

/// What is held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitKind {
    /// Square blocks of one image.
    Blocks,
    /// Whole files of a folder.
    Files,
}

/// What was held out, in numbers; stored beside a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitReport {
    /// What is held out.
    pub kind: SplitKind,
    /// The seed the choice follows from.
    pub seed: u64,
    /// Labelled pixels that training may see, of the run's size.
    pub train_pixels: u64,
    /// Labelled pixels held out, of the run's size.
    pub validation_pixels: u64,
    /// The held-out blocks, in image pixels; empty when files are held out.
    pub validation_blocks: Vec<PixelRect>,
    /// The blocks that neither learn nor choose, and judge at the end.
    #[serde(default)]
    pub test_blocks: Vec<PixelRect>,
    /// Distance in pixels that training patches keep from those blocks; 0 for files.
    pub margin: u32,
    /// Names of the held-out files; empty when blocks are held out.
    pub validation_files: Vec<String>,
    /// Names of the files that neither learn nor choose, and judge at the end.
    #[serde(default)]
    pub test_files: Vec<String>,
    /// Number of files used for training.
    pub train_files: usize,
    /// How many of the held-out blocks have a label that nobody vouched for: imported, or accepted
    /// from a model, in no cell that is marked as done; `None` where that is not known.
    #[serde(default)]
    pub unreviewed: Option<usize>,
    /// What the user should know about the choice.
    pub notes: Vec<String>,
}

/// Which ground is for training and which is held out.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The numbers.
    pub report: SplitReport,
    /// Held-out rectangles by scene, in the run's grid.
    pub held_out: Vec<(usize, PixelRect)>,
    /// Scenes that training reads.
    pub train_scenes: Vec<usize>,
    /// Scenes that judge at the end.
    pub test_scenes: Vec<usize>,
    /// Rectangles of the one image that judge at the end, in the run's grid.
    pub judging: Vec<PixelRect>,
    /// The report's margin in the run's grid.
    pub(super) margin: u32,
}

impl Split {
    /// Rectangles of the one image that no training patch may touch, in the run's grid.
    pub(super) fn blocked(&self) -> Vec<PixelRect> {
        let blocks = self.held_out.iter().map(|(_, block)| block);
        let blocks = blocks.chain(&self.judging);
        match self.report.kind {
            SplitKind::Blocks => blocks.map(|block| block.grown(self.margin)).collect(),
            SplitKind::Files => Vec::new(),
        }
    }

    /// The split with the places of its report in the image's own pixels.
    pub(super) fn told_in_pixels_of(mut self, scene: &Scene) -> Self {
        let scale = scene.scale();
        let report = &mut self.report;
        let blocks = report.validation_blocks.iter_mut();
        for block in blocks.chain(&mut report.test_blocks) {
            *block = scale.image_rect(*block, scene.image_size());
        }
        report.margin = (f64::from(self.margin) * scale.step()).round() as u32;
        self
    }

    /// Holds blocks of one image out as the rule of `config` says, else a tenth of them; `cells`
    /// are those of the scene's mask in the run's grid.
    ///
    /// # Errors
    /// When there are too few labels, or the rule does not fit.
    pub(super) fn of_scene(
        scene: &Scene,
        cells: &Cells,
        config: &PatchConfig,
    ) -> Result<Self, DatasetError> {
        if let Some(given) = GivenBlocks::of(&config.parts, scene) {
            return given.split(cells, config.side);
        }
        Self::of_ruled_image(cells, &config.parts, config.side)?
            .map_or_else(|| Self::of_image(cells, config.seed, config.side), Ok)
    }

    /// Holds blocks of one image out: the tenth (at least 2) of the blocks with labels whose
    /// `hash(seed, column, row)` is smallest.
    ///
    /// # Errors
    /// When there are too few labels for two blocks of any size and a training patch.
    pub(super) fn of_image(cells: &Cells, seed: u64, patch: u32) -> Result<Self, DatasetError> {
        let total: u64 = cells.histogram(|_| true).iter().sum();
        let mut fallback = None;
        let mut side = BLOCK;
        while side >= SMALLEST_BLOCK.max(cells.side) {
            if let Some(split) = Self::with_blocks(cells, seed, patch, side) {
                if split.report.train_pixels * 2 >= total {
                    return Ok(split);
                }
                fallback = Some(split);
            }
            side /= 2;
        }
        fallback.ok_or_else(|| {
            DatasetError::TooLittle(format!(
                "Too little is labelled to train ({total} pixels): no patch of {patch} pixels \
                 keeps clear of two held-out blocks; label more ground or use smaller patches"
            ))
        })
    }

    fn with_blocks(cells: &Cells, seed: u64, patch: u32, side: u32) -> Option<Self> {
        let mut blocks = labelled_blocks(cells, side);
        let wanted = (blocks.len() / HELD_OUT_SHARE).max(FEWEST_BLOCKS);
        if blocks.len() <= wanted {
            return None;
        }
        blocks.sort_by_key(|&(col, row)| (hash(&[seed, u64::from(col), u64::from(row)]), row, col));
        blocks.truncate(wanted);
        blocks.sort_by_key(|&(col, row)| (row, col));
        let block = |(col, row)| PixelRect::new(col * side, row * side, side, side);
        let held_out: Vec<PixelRect> = blocks
            .into_iter()
            .map(|at| block(at).intersect(cells.extent.bounds()))
            .collect();
        let margin = side / MARGIN_SHARE;
        let blocked: Vec<PixelRect> = held_out.iter().map(|block| block.grown(margin)).collect();
        if SceneSites::find(cells, patch, &blocked, None)
            .corners
            .is_empty()
        {
            return None;
        }
        let labelled = cells.sums(None);
        let is_blocked = cells.sums_touching(&blocked);
        let train = cells.histogram(|ground| is_blocked.over(ground) == 0);
        let report = SplitReport {
            kind: SplitKind::Blocks,
            seed,
            train_pixels: train.iter().sum(),
            validation_pixels: held_out.iter().map(|&block| labelled.over(block)).sum(),
            validation_blocks: held_out.clone(),
            test_blocks: Vec::new(),
            margin,
            validation_files: Vec::new(),
            test_files: Vec::new(),
            train_files: 1,
            unreviewed: None,
            notes: block_note(side, margin, patch).into_iter().collect(),
        };
        let held_out = held_out.into_iter().map(|block| (0, block)).collect();
        Some(Self {
            report,
            held_out,
            train_scenes: vec![0],
            test_scenes: Vec::new(),
            judging: Vec::new(),
            margin,
        })
    }
}

/// What there is to say about blocks of `side` pixels.
fn block_note(side: u32, margin: u32, patch: u32) -> Option<String> {
    if side == BLOCK {
        return nearness(margin, patch);
    }
    let nearer = if margin < patch {
        ", less than the side of a patch"
    } else {
        ""
    };
    Some(format!(
        "The labelled ground is small, so blocks of {side} instead of {BLOCK} pixels are held out \
         and training keeps {margin} pixels away from them{nearer}"
    ))
}

/// Columns and rows of the blocks that hold at least one labelled pixel, by row.
fn labelled_blocks(cells: &Cells, side: u32) -> Vec<(u32, u32)> {
    let labelled = cells.sums(None);
    let (cols, rows) = (
        cells.extent.width.div_ceil(side),
        cells.extent.height.div_ceil(side),
    );
    let all = (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row)));
    all.filter(|&(col, row)| labelled.over(PixelRect::new(col * side, row * side, side, side)) > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;
    use crate::label::Mask;

    fn split_of(width: u32, height: u32, seed: u64, patch: u32) -> Split {
        let cells = Cells::scan(&Mask::filled(ImageSize::new(width, height), 0));
        Split::of_image(&cells, seed, patch).expect("a split")
    }

    #[test]
    fn a_tenth_of_the_blocks_is_held_out() {
        let split = split_of(512 * 8, 512 * 5, 1, 256);
        assert_eq!(split.held_out.len(), 4);
        assert_eq!(split.report.validation_pixels, 4 * 512 * 512);
        assert_eq!(split.report.margin, 128);
        assert_eq!(split.report.notes.len(), 1, "a patch has 256 pixels");
        assert!(
            split
                .held_out
                .iter()
                .all(|(_, block)| block.x % 512 == 0 && block.y % 512 == 0)
        );
    }

    #[test]
    fn the_choice_follows_from_the_seed_alone() {
        let blocks = |seed| split_of(4096, 4096, seed, 128).report.validation_blocks;
        assert_eq!(blocks(7), blocks(7));
        assert_ne!(blocks(7), blocks(8));
        let patch = |patch| split_of(4096, 4096, 7, patch).report.validation_blocks;
        assert_eq!(patch(128), patch(256));
    }

    #[test]
    fn the_demo_image_keeps_blocks_of_512() {
        for seed in 0..40 {
            let split = split_of(1536, 1536, seed, 128);
            assert_eq!(split.held_out.len(), 2);
            assert_eq!(split.report.validation_pixels, 2 * 512 * 512);
        }
    }

    #[test]
    fn small_images_get_smaller_blocks_and_a_word_about_it() {
        let split = split_of(600, 400, 3, 64);
        let side = split
            .held_out
            .iter()
            .map(|(_, block)| block.width)
            .max()
            .expect("blocks");
        assert!(side < 512);
        assert_eq!(split.report.notes.len(), 1);
        let report = &split.report;
        assert!(report.train_pixels * 2 >= 600 * 400, "{report:?}");
        assert!(report.train_pixels + report.validation_pixels <= 600 * 400);
    }

    #[test]
    fn only_blocks_with_labels_are_held_out() {
        let mut mask = Mask::new(ImageSize::new(5120, 5120));
        for at in 0..6 {
            mask.set_rect(
                PixelRect::new(at * 512, 2048, 512, 512),
                &vec![1; 512 * 512],
            );
        }
        let split = Split::of_image(&Cells::scan(&mask), 9, 128).expect("a split");
        assert!(
            split
                .held_out
                .iter()
                .all(|(_, block)| block.y == 2048 && block.x < 6 * 512)
        );
    }

    #[test]
    fn a_mask_without_labels_cannot_be_split() {
        let cells = Cells::scan(&Mask::new(ImageSize::new(2000, 2000)));
        assert!(matches!(
            Split::of_image(&cells, 1, 64),
            Err(DatasetError::TooLittle(_))
        ));
    }
}
