//! What is told of real masks and images, where they are at hand.

use std::path::{Path, PathBuf};

use super::problem::ProblemKind;
use super::seen::Seen;
use super::stories::found;
use crate::dataset::discover::test_folders::write;
use crate::dataset::leaks::Patchwork;
use crate::dataset::{Discovery, InspectOptions, Watch, discover, inspect};
use crate::raster::open_raster;

fn folder(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = folder.join(name);
    if !folder.is_dir() {
        eprintln!("{name} is not at hand, nothing is tested");
        return None;
    }
    Some(folder)
}

/// Pixels in voids of the samples with these names.
fn voids(found: &Discovery, names: &[&str]) -> Vec<u64> {
    let place = |name: &&str| {
        let mut samples = found.samples.iter();
        samples.position(|sample| sample.name == *name)
    };
    let places = names.iter().map(|name| place(name).expect("a sample"));
    places.map(|at| Seen::look(found, at).void).collect()
}

#[test]
fn real_skies_are_no_voids_and_real_voids_are() {
    if let Some(camvid) = folder("camvid_11_480x360") {
        let names = [
            "0006R0_f02820",
            "0006R0_f02940",
            "0006R0_f03000",
            "0006R0_f03030",
            "0016E5_00930",
            "0016E5_04740",
            "0016E5_06390",
        ];
        let mut camvid = discover(&camvid).expect("a data set");
        assert_eq!(voids(&camvid, &names), [0; 7]);
        // Where no class has that name, and where only the shape of the areas tells.
        let table = camvid.classes.take().expect("classes");
        let sky = table.by_name("Sky").expect("a sky").index;
        assert_eq!(voids(&camvid, &names), [0; 7]);
        camvid.classes = table.renamed(sky, "Himmel").ok();
        assert_eq!(voids(&camvid, &names), [0; 7]);
    }
    if let Some(roads) = folder("roads_sagemaker_layout") {
        let roads = discover(&roads).expect("a data set");
        let found = voids(&roads, &["17728720_1_1", "25379290_1_1"]);
        assert!(found.iter().all(|&pixels| pixels >= 4 * 256), "{found:?}");
    }
}

#[test]
fn real_indices_are_not_called_interpolated() {
    for name in [
        "camvid_11_480x360",
        "aerial_samples/loveda",
        "aerial_samples/potsdam",
        "aerial_samples/vaihingen",
    ] {
        let Some(folder) = folder(name) else { continue };
        let options = InspectOptions {
            max_samples: Some(20),
            cancel: || false,
            progress: |_, _| {},
        };
        let inspection = inspect(&discover(&folder).expect("a data set"), &options);
        let mut problems = inspection.problems.iter();
        let blurred = problems.find(|problem| problem.kind == ProblemKind::BlurredMasks);
        assert_eq!(blurred, None, "{name}");
    }
}

/// Copies a file into a folder of another data set.
fn copy(from: &Path, to: &Path, folder: &str) {
    let name = from.file_name().expect("a name").to_string_lossy();
    let bytes = std::fs::read(from).expect("a file");
    write(to, &format!("{folder}/{name}"), &bytes);
}

#[test]
fn roads_of_two_publishers_in_one_folder_are_told() {
    let folders = (folder("epfl_roads"), folder("roads_sagemaker_layout"));
    let (Some(epfl), Some(tiles)) = folders else {
        return;
    };
    let tiles = tiles.join("sagemaker/seg-data/train");
    let mixed = tempfile::tempdir().expect("a folder");
    let satellite = ["satImage_001", "satImage_004", "satImage_005"];
    let cut = ["17278960_1_1", "18628795_1_1", "19678630_0_0"];
    for (from, masks, names) in [(epfl, "groundtruth", satellite), (tiles, "masks", cut)] {
        for name in names {
            let (image, mask) = (format!("{name}.jpg"), format!("{name}.png"));
            copy(&from.join("images").join(&image), mixed.path(), "images");
            copy(&from.join(masks).join(&mask), mixed.path(), "masks");
        }
    }
    let problem = found(mixed.path(), ProblemKind::RoadWidths).expect("a problem");
    assert_eq!(problem.count, 3);
}

#[test]
fn a_real_patchwork_is_told_and_real_ground_is_not() {
    if let Some(patchwork) = folder("landcoverai_style") {
        let problem = found(&patchwork, ProblemKind::Patchwork).expect("a problem");
        let words = "1 image is put together of cells of 500 × 500 pixels: ";
        assert!(problem.sentence.starts_with(words), "{}", problem.sentence);
    }
    for name in [
        "aerial_samples/loveda",
        "camvid_11_480x360",
        "deepglobe_style",
        "epfl_roads",
        "roads_sagemaker_layout",
    ] {
        let Some(folder) = folder(name) else { continue };
        assert_eq!(found(&folder, ProblemKind::Patchwork), None, "{name}");
    }
    let Some(orthos) = folder("orthos") else {
        return;
    };
    for name in [
        "ortho_callas_quarry_z20.tif",
        "neon_deepforest/OSBS_029.tif",
        "neon_deepforest/2019_YELL_2_528000_4978000_image_crop2.png",
    ] {
        let source = open_raster(&orthos.join(name)).expect("an image");
        let seen = Patchwork::of(&*source, &Watch::NOBODY).expect("a look");
        assert_eq!(seen, None, "{name}");
    }
}
