//! The layouts on real files, where they are at hand.

use std::path::PathBuf;

use super::{Discovery, LayoutKind, Sample, discover};
use crate::exchange::Part;
use crate::label::{Encoding, UNLABELED};

fn found(name: &str) -> Option<Discovery> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = folder.join(name);
    if !folder.is_dir() {
        eprintln!("{name} is not at hand, nothing is tested");
        return None;
    }
    Some(discover(&folder).expect("a data set"))
}

fn parts(found: &Discovery) -> [usize; 4] {
    let count = |part| {
        let samples = found.samples.iter();
        samples.filter(|sample| sample.part == part).count()
    };
    let [train, validation, test] = Part::ALL.map(|part| count(Some(part)));
    [train, validation, test, count(None)]
}

#[track_caller]
fn check(name: &str, kind: LayoutKind, parts_expected: [usize; 4], form: Encoding) {
    let Some(found) = found(name) else { return };
    assert_eq!(found.layout.kind, kind, "{}", found.layout);
    assert_eq!(parts(&found), parts_expected, "{}", found.layout);
    assert_eq!(found.encoding.form, form, "{:?}", found.encoding);
    let lonely = found.samples.iter().filter(|sample| sample.mask.is_none());
    assert_eq!(lonely.count() + found.lonely_masks.len(), 0);
    check_masks(&found);
}

/// Some masks hold known classes alone.
fn check_masks(found: &Discovery) {
    let classes = found.classes.as_ref().expect("classes");
    for sample in found.samples.iter().step_by(found.samples.len() / 5 + 1) {
        let (mask, notes) = sample.load_mask(found).expect("a mask");
        let counts = mask.histogram();
        for (class, _) in (0..UNLABELED).zip(counts).filter(|(_, count)| *count > 0) {
            assert!(classes.get(class).is_some(), "{class} in {sample:?}");
        }
        let unknown = notes.iter().any(|note| note.contains("stand for no class"));
        assert!(!unknown, "{notes:?}");
    }
}

#[test]
fn every_real_data_set_is_recognized() {
    use Encoding::{Binary, Index, Rgb};
    use LayoutKind as Kind;
    check(
        "camvid_11_480x360",
        Kind::CamVidSegNet,
        [367, 101, 0, 0],
        Index,
    );
    check("Cam101_480x360", Kind::CamVid, [90, 0, 11, 0], Rgb);
    check("tgs_salt_1500", Kind::TgsSalt, [1500, 0, 0, 0], Binary);
    check("epfl_roads", Kind::EpflRoads, [0, 0, 0, 80], Binary);
    check(
        "roads_sagemaker_layout",
        Kind::SageMakerRoads,
        [32, 0, 9, 0],
        Binary,
    );
    check(
        "deepglobe_style",
        Kind::DeepGlobeLandCover,
        [3, 0, 0, 0],
        Rgb,
    );
    check("aerial_samples/loveda", Kind::LoveDa, [0, 0, 0, 3], Index);
    check("aerial_samples/potsdam", Kind::Potsdam, [0, 0, 0, 1], Index);
    check(
        "aerial_samples/vaihingen",
        Kind::Vaihingen,
        [0, 0, 0, 1],
        Index,
    );
    check("landcoverai_style", Kind::LandCoverAi, [0, 0, 0, 1], Index);
}

#[test]
fn void_is_ignored_and_places_are_known() {
    if let Some(camvid) = found("camvid_11_480x360") {
        let names: Vec<&str> = camvid
            .ignored
            .iter()
            .map(|class| class.name.as_str())
            .collect();
        assert_eq!(names, ["Void"]);
        let group = |sample: &Sample| sample.group.clone();
        assert_eq!(group(&camvid.samples[0]).as_deref(), Some("0001TP"));
    }
    if let Some(salt) = found("tgs_salt_1500") {
        assert_eq!(salt.side[0].get("0050766ae2", "z"), Some(835.0));
        assert!(
            salt.notes
                .iter()
                .any(|note| note.contains("different depths"))
        );
    }
    if let Some(roads) = found("roads_sagemaker_layout") {
        let shared = roads
            .samples
            .iter()
            .filter(|sample| sample.group.as_deref() == Some("17728720"));
        assert!(shared.count() >= 2);
    }
    if let Some(loveda) = found("aerial_samples/loveda") {
        assert_eq!(loveda.ignored[0].index, 0);
    }
}

#[test]
fn run_lengths_say_what_mask_files_say() {
    let Some(salt) = found("tgs_salt_1500") else {
        return;
    };
    let table = salt.folder.join("train.csv");
    let runs = super::rle::RunTable::read(&table)
        .expect("run lengths")
        .runs;
    for sample in salt.samples.iter().step_by(50) {
        let (mask, _) = sample.load_mask(&salt).expect("a mask");
        let runs = runs[&sample.name].clone();
        let table = table.clone();
        let other = Sample {
            mask: Some(super::MaskSource::Rle { runs, table }),
            ..sample.clone()
        };
        let (drawn, _) = other.load_mask(&salt).expect("run lengths");
        let all = mask.size().bounds();
        assert_eq!(mask.read_rect(all), drawn.read_rect(all), "{}", sample.name);
    }
}

#[test]
fn images_alone_and_collections_are_said() {
    if let Some(patches) = found("landcoverai_real_patches") {
        assert_eq!(patches.layout.kind, LayoutKind::LandCoverAiPatches);
        assert_eq!(parts(&patches), [0, 0, 0, 11]);
        assert_eq!(patches.samples[0].group.as_deref(), Some("M-33-7-A-d-2-3"));
    }
    for name in ["", "aerial_samples"] {
        let Some(several) = found(name) else { continue };
        assert_eq!(
            several.layout.kind,
            LayoutKind::Several,
            "{}",
            several.layout
        );
        assert!(several.datasets.len() >= 3 && several.samples.is_empty());
    }
}
