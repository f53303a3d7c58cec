//! A tiny data set in files for the tests of this layer.

use std::path::Path;

use super::Recipe;
use super::test_world::{class_at, classes, recipe};
use crate::dataset::parts::{PartRule, PartWay, Shares};
use crate::geom::ImageSize;
use crate::label::{Mask, SaveAs, save_mask};

/// Eight images of which no two are alike.
pub(super) const EIGHT: [u32; 8] = [0, 3, 6, 9, 12, 15, 18, 21];

/// Writes images of `side` columns and rows with their masks: discs, moved by each of `shifts`.
pub(super) fn write_images(folder: &Path, shifts: &[u32], side: u32) {
    let size = ImageSize::new(side, side);
    for (at, &shift) in shifts.iter().enumerate() {
        let class = |x: u32, y: u32| class_at(x + shift, y);
        let image = image::RgbImage::from_fn(side, side, |x, y| {
            let grain = (x * 7 + y * 13 + shift) as u8 % 40;
            image::Rgb([60 + 120 * class(x, y) + grain, 90 + grain, 70])
        });
        let images = folder.join("images");
        std::fs::create_dir_all(&images).expect("a folder");
        image
            .save(images.join(format!("{at:02}.png")))
            .expect("saved");
        let labels: Vec<u8> = (0..side)
            .flat_map(|y| (0..side).map(move |x| class(x, y)))
            .collect();
        let mut mask = Mask::new(size);
        mask.set_rect(size.bounds(), &labels);
        let path = folder.join("masks").join(format!("{at:02}.png"));
        save_mask(&path, &mask, &classes(), None, SaveAs::IndexPng).expect("saved");
    }
    classes().save(&folder.join("classes.toml")).expect("saved");
}

/// A quick recipe that holds files out for choosing and for judging.
pub(super) fn recipe_with_test() -> Recipe {
    let shares = Shares {
        train: 4.0,
        validation: 1.0,
        test: 1.0,
    };
    Recipe {
        steps_per_epoch: 3,
        parts: Some(PartRule {
            split: PartWay::Ratio { shares },
            ..PartRule::default()
        }),
        ..recipe()
    }
}
