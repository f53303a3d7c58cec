use super::cells::Cells;
use super::parts::{PartRule, PartWay};
use super::sites::SceneSites;
use super::split::{Split, SplitKind, SplitReport};
use super::{DatasetError, Scene};
use crate::geom::PixelRect;

/// Blocks that somebody chose, in the run's grid.
#[derive(Debug)]
pub(super) struct GivenBlocks {
    seed: u64,
    validation: Vec<PixelRect>,
    test: Vec<PixelRect>,
    margin: u32,
    unreviewed: usize,
}

impl GivenBlocks {
    /// Those that `rule` names in `scene`; `None` when it names none.
    pub(super) fn of(rule: &PartRule, scene: &Scene) -> Option<Self> {
        let PartWay::Given {
            validation,
            test,
            margin,
            unreviewed,
        } = &rule.split
        else {
            return None;
        };
        let (scale, image) = (scene.scale(), scene.image_size());
        let in_grid = |blocks: &[PixelRect]| {
            let inside = blocks.iter().map(|block| block.intersect(image.bounds()));
            let real = inside.filter(|block| !block.is_empty());
            real.map(|block| under(block, scale.step())).collect()
        };
        Some(Self {
            seed: rule.seed,
            validation: in_grid(validation),
            test: in_grid(test),
            margin: (f64::from(*margin) / scale.step()).ceil() as u32,
            unreviewed: *unreviewed,
        })
    }

    /// What the scores of the epochs are worth where nobody looked at the label.
    fn note(&self) -> Option<String> {
        (self.unreviewed > 0).then(|| {
            format!(
                "{} of the {} blocks that choose the epoch are unreviewed: they lie in no cell that \
                 is marked as done, so scores there are agreement with the label, not accuracy",
                self.unreviewed,
                self.validation.len()
            )
        })
    }

    /// Holds them out.
    ///
    /// # Errors
    /// When no training patch of `patch` pixels keeps clear of them.
    pub(super) fn split(self, cells: &Cells, patch: u32) -> Result<Split, DatasetError> {
        let held_out = self.validation.iter().chain(&self.test);
        let blocked: Vec<PixelRect> = held_out.map(|block| block.grown(self.margin)).collect();
        let sites = SceneSites::find(cells, patch, &blocked, None);
        if sites.corners.is_empty() {
            return Err(DatasetError::TooLittle(format!(
                "No training patch of {patch} pixels lies on labelled ground that keeps clear of \
                 what is held out; label more ground"
            )));
        }
        let labelled = cells.sums(None);
        let is_blocked = cells.sums_touching(&blocked);
        let train = cells.histogram(|ground| is_blocked.over(ground) == 0);
        let over = |blocks: &[PixelRect]| blocks.iter().map(|&block| labelled.over(block)).sum();
        let report = SplitReport {
            kind: SplitKind::Blocks,
            seed: self.seed,
            train_pixels: train.iter().sum(),
            validation_pixels: over(&self.validation),
            validation_blocks: self.validation.clone(),
            test_blocks: self.test.clone(),
            margin: self.margin,
            validation_files: Vec::new(),
            test_files: Vec::new(),
            train_files: 1,
            unreviewed: Some(self.unreviewed),
            notes: self.note().into_iter().collect(),
        };
        Ok(Split {
            report,
            held_out: self.validation.into_iter().map(|at| (0, at)).collect(),
            train_scenes: vec![0],
            test_scenes: Vec::new(),
            judging: self.test,
            margin: self.margin,
        })
    }
}

/// The pixels of a grid with steps of `step` level-0 pixels that lie under `block`.
fn under(block: PixelRect, step: f64) -> PixelRect {
    let span = |start: u32, end: u32| {
        let first = (f64::from(start) / step).floor() as u32;
        (first, (f64::from(end) / step).ceil() as u32 - first)
    };
    let (x, width) = span(block.x, block.right());
    let (y, height) = span(block.y, block.bottom());
    PixelRect::new(x, y, width, height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::GridScale;
    use crate::dataset::scene::tests::Painted;
    use crate::geom::ImageSize;
    use crate::label::Mask;

    fn rule(validation: &[PixelRect], test: &[PixelRect]) -> PartRule {
        PartRule {
            split: PartWay::Given {
                validation: validation.to_vec(),
                test: test.to_vec(),
                margin: 64,
                unreviewed: 0,
            },
            ..PartRule::default()
        }
    }

    fn scene() -> Scene {
        let size = ImageSize::new(512, 256);
        let source = Painted::new(size, |_, _| [1; 4]);
        Scene::tiled("plain".to_owned(), source, Mask::filled(size, 1), 1 << 20)
    }

    #[test]
    fn training_keeps_clear_of_what_was_chosen_on_any_grid() {
        let [choosing, judging] = [0, 128].map(|y| PixelRect::new(0, y, 128, 128));
        let rule = rule(&[choosing], &[judging]);
        for step in [1.0, 2.0] {
            let scene = scene().scaled(GridScale::new(step).expect("a step"));
            let cells = Cells::scan(scene.mask());
            let given = GivenBlocks::of(&rule, &scene).expect("blocks");
            let split = given.split(&cells, 32).expect("room to learn");
            let told = split.clone().told_in_pixels_of(&scene).report;
            assert_eq!(told.validation_blocks, [choosing]);
            assert_eq!(told.test_blocks, [judging]);
            assert_eq!(told.margin, 64);
            let sites = SceneSites::find(&cells, 32, &split.blocked(), None);
            let nearest = sites.corners.iter().map(|&(x, _)| x).min();
            assert!(nearest >= Some((192.0 / step) as u32), "{nearest:?}");
        }
    }

    #[test]
    fn a_choice_by_labels_that_nobody_looked_at_says_so() {
        let scene = scene();
        let notes = |unreviewed| {
            let split = PartWay::Given {
                validation: vec![PixelRect::new(0, 0, 128, 128)],
                test: Vec::new(),
                margin: 64,
                unreviewed,
            };
            let rule = PartRule {
                split,
                ..PartRule::default()
            };
            let given = GivenBlocks::of(&rule, &scene).expect("blocks");
            let split = given.split(&Cells::scan(scene.mask()), 32);
            split.expect("room to learn").report.notes
        };
        assert!(notes(0).is_empty());
        let told = notes(1).concat();
        assert!(told.starts_with("1 of the 1 blocks"), "{told}");
    }

    #[test]
    fn nothing_chosen_leaves_all_to_learn_from_and_all_chosen_is_refused() {
        let scene = scene();
        let cells = Cells::scan(scene.mask());
        let split = |rule: &PartRule| {
            let given = GivenBlocks::of(rule, &scene).expect("a choice");
            given.split(&cells, 32)
        };
        let free = split(&rule(&[], &[])).expect("all of it");
        assert_eq!(free.report.train_pixels, 512 * 256);
        assert!(free.held_out.is_empty());
        let whole = PixelRect::new(0, 0, 512, 256);
        assert!(split(&rule(&[whole], &[])).is_err());
        assert!(GivenBlocks::of(&PartRule::default(), &scene).is_none());
    }
}
