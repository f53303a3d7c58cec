//! A data set of two pixel sizes, from its files to its patches.

use std::path::Path;

use crate::dataset::parts::{PartRule, PartWay, Shares};
use crate::dataset::patch_fixture::config;
use crate::dataset::{
    FileSet, Ground, PatchConfig, PatchSource, PixelSize, RareClasses, Watch, discover,
};
use crate::geom::{Georef, ImageSize};
use crate::label::{ClassTable, Mask, SaveAs, save_mask};

/// Class and color of a place in half meters.
fn class_at(x: u32, y: u32, seed: u32) -> u8 {
    u8::from((x / 9 + y / 7 + seed).is_multiple_of(2))
}

/// Ground of 64 × 64 half meters, drawn with `fine` pixels for each.
fn write(folder: &Path, name: &str, seed: u32, fine: u32) {
    let side = 64 * fine;
    let size = ImageSize::new(side, side);
    let at = |n: u32| (n % side / fine, n / side / fine);
    let labels = |n| class_at(at(n).0, at(n).1, seed);
    let shades = |n| 3 + 2 * labels(n) + (seed % 30) as u8 * 4;
    let georef = Georef::north_up(5e5, 2e5, 0.5 / f64::from(fine), Some(2180));
    let table = ClassTable::from_values(0..=254);
    let draw = |kind: &str, value: &dyn Fn(u32) -> u8| {
        let mut mask = Mask::new(size);
        let values: Vec<u8> = (0..side * side).map(value).collect();
        mask.set_rect(size.bounds(), &values);
        let path = folder.join(kind).join(name);
        save_mask(&path, &mask, &table, Some(&georef), SaveAs::GeoTiff).expect("saved");
    };
    draw("images", &shades);
    draw("masks", &labels);
}

fn source(folder: &Path, pixel_size: PixelSize) -> PatchSource {
    let files = FileSet::new(discover(folder).expect("pairs"), 1 << 24);
    let shares = Shares {
        train: 5.0,
        validation: 5.0,
        test: 0.0,
    };
    let config = PatchConfig {
        seed: 1,
        parts: PartRule {
            split: PartWay::Ratio { shares },
            ..PartRule::default()
        },
        pixel_size,
        ..config()
    };
    PatchSource::new(Ground::Files(Box::new(files)), config).expect("patches")
}

#[test]
fn finer_images_give_the_patches_of_coarse_ones() {
    let [mixed, coarse] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    for n in 0..6 {
        let name = format!("{n}.tif");
        write(mixed.path(), &name, n, if n == 2 || n == 5 { 2 } else { 1 });
        write(coarse.path(), &name, n, 1);
    }
    let own = source(coarse.path(), PixelSize::AsIs);
    for choice in [PixelSize::Auto, PixelSize::Meters(0.5)] {
        let run = source(mixed.path(), choice);
        assert!((run.pixel_meters().expect("a size") - 0.5).abs() < 1e-9);
        assert!(run.notes().iter().any(|note| note.starts_with("2 of 6")));
        assert_eq!(run.class_pixels(), own.class_pixels());
        assert_eq!(run.num_validation(), own.num_validation());
        let all = 0..own.num_validation();
        let found = run.validation_batch(all.clone()).expect("a batch");
        assert_eq!(found, own.validation_batch(all).expect("a batch"));
        for index in 0..20 {
            assert_eq!(run.patch(1, 1, index).ok(), own.patch(1, 1, index).ok());
        }
    }
}

#[test]
fn an_image_of_its_own_size_is_cut_as_if_nobody_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    (0..6).for_each(|n| write(folder.path(), &format!("{n}.tif"), n, 2));
    let [auto, as_is] = [PixelSize::Auto, PixelSize::AsIs].map(|size| source(folder.path(), size));
    assert_eq!(auto.pixel_meters(), Some(0.25));
    assert_eq!(as_is.pixel_meters(), None);
    for index in 0..20 {
        let patch = auto.patch(3, 2, index).expect("a patch");
        assert_eq!(patch, as_is.patch(3, 2, index).expect("a patch"));
    }
}

#[test]
fn blocks_held_out_of_a_scaled_image_are_told_in_its_own_pixels() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "0.tif", 0, 4);
    let files = Ground::Files(Box::new(FileSet::new(
        discover(folder.path()).expect("a pair"),
        1 << 24,
    )));
    let scene = files.scene(0).expect("a scene");
    let size = scene.image_size();
    let config = PatchConfig {
        seed: 1,
        side: 16,
        rare: RareClasses::NONE,
        pixel_size: PixelSize::Meters(0.5),
        ..config()
    };
    let source = PatchSource::watched(Ground::Image(scene), config, &Watch::NOBODY);
    let source = source.expect("patches");
    let split = source.split();
    assert_eq!(size, ImageSize::new(256, 256));
    for ((_, block), told) in split.held_out.iter().zip(&split.report.validation_blocks) {
        assert!(block.right() <= 64 && block.bottom() <= 64);
        let expected = [block.x, block.y, block.width, block.height].map(|at| at * 4);
        assert_eq!([told.x, told.y, told.width, told.height], expected);
    }
    assert!(!split.held_out.is_empty());
}
