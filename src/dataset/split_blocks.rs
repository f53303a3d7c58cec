use super::cells::Cells;
use super::parts::{BlockChoice, FoldUnit, PartRule, PartWay, block_parts};
use super::sites::SceneSites;
use super::split::{Split, SplitKind, SplitReport};
use super::{DatasetError, Part};
use crate::geom::PixelRect;

/// Side and choice of the blocks that `rule` asks for; `None` when it is not about blocks.
fn choice_of(rule: &PartRule) -> Option<(u32, BlockChoice)> {
    match &rule.split {
        PartWay::Blocks { side, shares } => Some((*side, BlockChoice::Shares(*shares))),
        PartWay::KFold {
            folds,
            fold,
            unit: FoldUnit::Block { side },
        } => {
            let (folds, fold) = (*folds, *fold);
            Some((*side, BlockChoice::Fold { folds, fold }))
        }
        _ => None,
    }
}

/// What to say when patches of `patch` pixels come nearer to held-out ground than their own side.
pub(super) fn nearness(margin: u32, patch: u32) -> Option<String> {
    (margin < patch).then(|| {
        format!(
            "Training patches of {patch} pixels never touch held-out ground but come within \
             {margin} pixels of it, so scores are of ground near to what was learned from; larger \
             blocks or smaller patches keep them further apart"
        )
    })
}

impl Split {
    /// Holds blocks of one image out as `rule` says: some choose, some judge, and training patches
    /// keep clear of both. `None` when the rule is not about blocks.
    ///
    /// # Errors
    /// When the blocks do not fit the image or no training patch keeps clear of them.
    pub(super) fn of_ruled_image(
        cells: &Cells,
        rule: &PartRule,
        patch: u32,
    ) -> Result<Option<Self>, DatasetError> {
        let Some((side, choice)) = choice_of(rule) else {
            return Ok(None);
        };
        let labelled = cells.sums(None);
        // Labels are counted by cells, so a block holds whole ones.
        let side = side.max(cells.side).next_multiple_of(cells.side);
        let parts = block_parts(cells.extent, side, choice, rule.seed, |rect| {
            labelled.over(rect) > 0
        })?;
        let of = |part| -> Vec<PixelRect> {
            let blocks = parts.blocks.iter().filter(|block| block.part == part);
            blocks.map(|block| block.rect).collect()
        };
        let (validation, test) = (of(Part::Validation), of(Part::Test));
        let blocked = parts.blocked();
        let no_site = SceneSites::find(cells, patch, &blocked, None)
            .corners
            .is_empty();
        if validation.is_empty() || no_site {
            return Err(DatasetError::TooLittle(format!(
                "No training patch of {patch} pixels keeps clear of the held-out blocks of {side} \
                 pixels; use smaller patches, smaller blocks or hold out less"
            )));
        }
        let is_blocked = cells.sums_touching(&blocked);
        let train = cells.histogram(|ground| is_blocked.over(ground) == 0);
        let report = SplitReport {
            kind: SplitKind::Blocks,
            seed: rule.seed,
            train_pixels: train.iter().sum(),
            validation_pixels: validation.iter().map(|&block| labelled.over(block)).sum(),
            validation_blocks: validation.clone(),
            test_blocks: test.clone(),
            margin: parts.margin,
            validation_files: Vec::new(),
            test_files: Vec::new(),
            train_files: 1,
            unreviewed: None,
            notes: (parts.notes.into_iter())
                .chain(nearness(parts.margin, patch))
                .collect(),
        };
        Ok(Some(Self {
            report,
            held_out: validation.into_iter().map(|block| (0, block)).collect(),
            train_scenes: vec![0],
            test_scenes: Vec::new(),
            judging: test,
            margin: parts.margin,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Rng;
    use crate::dataset::parts::Shares;
    use crate::geom::ImageSize;
    use crate::label::Mask;

    fn rule(split: PartWay) -> PartRule {
        PartRule {
            split,
            ..PartRule::default()
        }
    }

    #[test]
    fn blocks_choose_and_judge_and_training_keeps_clear_of_both() {
        let cells = Cells::scan(&Mask::filled(ImageSize::new(1024, 768), 0));
        let shares = Shares {
            train: 8.0,
            validation: 1.0,
            test: 1.0,
        };
        let rule = rule(PartWay::Blocks { side: 128, shares });
        let split = Split::of_ruled_image(&cells, &rule, 64).expect("parts");
        let split = split.expect("a rule about blocks");
        let report = &split.report;
        assert_eq!(
            (report.validation_blocks.len(), report.test_blocks.len()),
            (5, 5)
        );
        assert_eq!(split.blocked().len(), 10);
        for test in &report.test_blocks {
            assert!(!report.validation_blocks.contains(test));
        }
        assert!(report.train_pixels < 38 * 128 * 128);
    }

    #[test]
    fn folds_of_blocks_validate_all_ground_once() {
        let cells = Cells::scan(&Mask::filled(ImageSize::new(512, 512), 0));
        let fold = |fold| {
            let unit = FoldUnit::Block { side: 128 };
            let way = PartWay::KFold {
                folds: 4,
                fold,
                unit,
            };
            let split = Split::of_ruled_image(&cells, &rule(way), 32).expect("parts");
            split.expect("a rule about blocks").report.validation_pixels
        };
        assert_eq!((0..4).map(fold).sum::<u64>(), 512 * 512);
    }

    /// Pixels of every patch that can be drawn that lie in ground that judges or chooses, or within
    /// the margin around it.
    fn pixels_shared(cells: &Cells, split: &Split, patch: u32) -> u64 {
        let sites = SceneSites::find(cells, patch, &split.blocked(), None);
        assert!(!sites.corners.is_empty());
        let held_out = split.held_out.iter().map(|(_, block)| block);
        let kept: Vec<PixelRect> = held_out
            .chain(&split.judging)
            .map(|block| block.grown(split.margin))
            .collect();
        let mut rng = Rng::of(&[u64::from(patch)]);
        let count = sites.corners.len();
        let some = (0..count).step_by(count / 500 + 1);
        let moved = some.flat_map(|at| [at; 8]);
        let mut drawn: Vec<(u32, u32)> = moved.map(|at| sites.moved(at, &mut rng)).collect();
        drawn.extend((0..500).filter_map(|_| sites.anywhere(&mut rng)));
        drawn.extend(&sites.corners);
        let rects = drawn
            .iter()
            .map(|&(x, y)| PixelRect::new(x, y, patch, patch));
        let over = |rect: PixelRect| -> u64 {
            let blocks = kept.iter();
            blocks
                .map(|block| rect.intersect(*block).num_pixels())
                .sum()
        };
        rects.map(over).sum()
    }

    #[test]
    fn no_patch_of_any_size_shares_a_pixel_with_held_out_ground() {
        // Extents and sides that are no multiples of cells, blocks or patches.
        let cells = Cells::scan(&Mask::filled(ImageSize::new(771, 517), 0));
        let shares = Shares {
            train: 8.0,
            validation: 1.0,
            test: 1.0,
        };
        let mut tried = 0;
        for patch in [16, 33, 64, 100, 128] {
            for side in [60, 128, 200] {
                for seed in 0..4 {
                    let fold = PartWay::KFold {
                        folds: 7,
                        fold: seed,
                        unit: FoldUnit::Block { side },
                    };
                    for way in [PartWay::Blocks { side, shares }, fold] {
                        let rule = PartRule {
                            split: way,
                            seed: u64::from(seed),
                            ..PartRule::default()
                        };
                        // Where no patch keeps clear of the blocks, nothing is learned from.
                        let Ok(split) = Split::of_ruled_image(&cells, &rule, patch) else {
                            continue;
                        };
                        let split = split.expect("a rule about blocks");
                        tried += 1;
                        assert_eq!(pixels_shared(&cells, &split, patch), 0, "{patch} {side}");
                    }
                }
            }
            let usual = Split::of_image(&cells, 3, patch).expect("a split");
            assert_eq!(pixels_shared(&cells, &usual, patch), 0, "{patch}");
        }
        assert!(
            tried >= 72,
            "all of the three smaller sizes find room: {tried}"
        );
    }

    #[test]
    fn patches_larger_than_the_margin_are_told() {
        let cells = Cells::scan(&Mask::filled(ImageSize::new(2048, 1024), 0));
        let notes = |patch: u32| {
            let shares = Shares::default();
            let rule = rule(PartWay::Blocks { side: 256, shares });
            let split = Split::of_ruled_image(&cells, &rule, patch).expect("parts");
            split.expect("a rule about blocks").report.notes
        };
        assert_eq!(notes(64), [""; 0]);
        let near = notes(65);
        assert!(
            near.len() == 1 && near[0].contains("within 64 pixels"),
            "{near:?}"
        );
        let cells = Cells::scan(&Mask::filled(ImageSize::new(4096, 4096), 0));
        let usual = |patch: u32| {
            let split = Split::of_image(&cells, 7, patch).expect("a split");
            split.report.notes.len()
        };
        assert_eq!((usual(128), usual(256)), (0, 1));
    }

    #[test]
    fn other_rules_are_left_to_others_and_too_little_ground_is_said() {
        let cells = Cells::scan(&Mask::filled(ImageSize::new(256, 256), 0));
        let none = Split::of_ruled_image(&cells, &PartRule::default(), 64).expect("no parts");
        assert_eq!(none, None);
        let shares = Shares::default();
        let way = PartWay::Blocks { side: 128, shares };
        let error = Split::of_ruled_image(&cells, &rule(way), 256).expect_err("no room");
        assert!(error.to_string().contains("256"), "{error}");
    }
}
