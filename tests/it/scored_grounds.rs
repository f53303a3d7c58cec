//! What ground the numbers of the command line are of, and which ground they leave out.

use std::fs;
use std::path::{Path, PathBuf};

use orthobrush::dataset::parts::{PartRule, PartWay};
use orthobrush::geom::PixelRect;
use orthobrush::train::{DeviceChoice, Recipe};
use serde_json::Value;

use crate::fixture::sample;
use crate::program::{done, json, note_leaks, refused, text};

/// A run on the sample that held a block out to choose by and one to judge, and what it predicts.
fn predicted(folder: &Path) -> [PathBuf; 2] {
    let split = PartWay::Given {
        validation: vec![PixelRect::new(0, 0, 256, 256)],
        test: vec![PixelRect::new(512, 256, 256, 256)],
        margin: 64,
        unreviewed: 1,
    };
    let mut recipe = Recipe {
        epochs: 1,
        steps_per_epoch: 2,
        batch: 2,
        patch: 64,
        device: DeviceChoice::Cpu,
        parts: Some(PartRule {
            split,
            ..PartRule::default()
        }),
        ..Recipe::default()
    };
    (recipe.model.base_filters, recipe.model.depth) = (1, 1);
    let [file, run, mask] = ["recipe.toml", "run", "mask.tif"].map(|name| folder.join(name));
    recipe.save(&file).expect("written");
    let (image, label) = (text(&sample().ortho), text(&sample().label));
    let train = ["train", "--image", image, "--label", label, "--recipe"];
    done(&[&train[..], &[text(&file), "--out", text(&run)]].concat());
    let predict = ["predict", "--model", text(&run), "--image", image];
    done(&[&predict[..], &["--out", text(&mask), "--device", "cpu"]].concat());
    [run, mask]
}

/// The scores of a mask against the label.
#[track_caller]
fn scores(mask: &Path, more: &[&str]) -> Value {
    let label = text(&sample().label);
    let eval = ["eval", "--json", "--truth", label, "--pred", text(mask)];
    json(&[&eval[..], more].concat())
}

/// The ground of some numbers, blocks that are left out, and how often such were read.
fn told(report: &Value) -> (&str, u64, Option<u64>) {
    let ground = &report["ground"];
    (
        ground["ground"].as_str().expect("a word"),
        ground["left_out_blocks"].as_u64().expect("a number"),
        ground["judging_reads"].as_u64(),
    )
}

#[test]
fn numbers_say_their_ground_and_blocks_that_judge_are_read_only_when_somebody_asks() {
    let folder = tempfile::tempdir().expect("a folder");
    let [run, mask] = predicted(folder.path());
    let plain = folder.path().join("plain.tif");
    fs::copy(&mask, &plain).expect("a copy");
    let all = scores(&plain, &[]);
    assert_eq!(told(&all), ("unknown", 0, None));
    let whole = scores(&mask, &[]);
    assert_eq!(told(&whole), ("training", 1, None));
    let left_out = whole["ground"]["left_out_pixels"].as_u64();
    let left_out = left_out.filter(|pixels| *pixels > 0).expect("some pixels");
    let pixels = |report: &Value| report["pixels"].as_u64().expect("a number");
    assert_eq!(pixels(&whole) + left_out, pixels(&all));
    let by_name = ["--model", text(&run), "--image", text(&sample().ortho)];
    assert_eq!(scores(&plain, &by_name), whole);
    let by_cells = scores(&mask, &["--by", "cells"]);
    assert_eq!(by_cells["cells"][0]["scores"]["pixels"], whole["pixels"]);

    note_leaks(&run);
    let leaks = |report: &Value| report["ground"]["leaks"].to_string();
    let choosing = scores(&mask, &["--view", "0,0,256,256"]);
    assert_eq!(told(&choosing), ("held_out_as_given", 0, None));
    assert!(leaks(&choosing).ends_with(": 2 validation images\"]"));
    let judging = ["--view", "512,256,256,256"];
    let none = scores(&mask, &judging);
    assert_eq!((pixels(&none), told(&none).1), (0, 1));
    assert!(!run.join("judging-reads.json").exists());
    for times in 1..3 {
        let read = scores(&mask, &[&judging[..], &["--judging"]].concat());
        assert_eq!(pixels(&read), left_out);
        assert_eq!(told(&read), ("judging", 0, Some(times)));
        assert!(leaks(&read).ends_with(": 5 test images\"]"));
    }
    let elsewhere = scores(&mask, &["--view", "0,0,256,256", "--judging"]);
    assert_eq!(told(&elsewhere), ("held_out_as_given", 0, None));

    let label = text(&sample().label);
    let eval = ["eval", "--truth", label, "--pred"];
    let words = done(&[&eval[..], &[text(&mask)]].concat());
    assert!(words.contains("ground: training ground. "), "{words}");
    assert!(words.contains("1 judging block is left out"), "{words}");
    let words = done(&[&eval[..], &[text(&plain)]].concat());
    assert!(words.contains("ground: agreement. "), "{words}");
    let nobody = [&eval[..], &[text(&plain), "--judging"]].concat();
    refused(&nobody, &["Which blocks judge is not known"]);
}

#[test]
fn two_networks_are_not_compared_with_the_truth_of_blocks_that_judge() {
    let folder = tempfile::tempdir().expect("a folder");
    let [run, mask] = predicted(folder.path());
    let (image, label) = (text(&sample().ortho), text(&sample().label));
    let pair = ["--a", text(&run), "--b", text(&mask), "--image", image];
    let compare = [&["compare", "--json", "--device", "cpu"], &pair[..]].concat();
    let none = json(&compare);
    assert!(none["ground"].is_null(), "{none}");
    let with = |more: &[&str]| json(&[&compare[..], &["--truth", label], more].concat());
    let (usual, read) = (with(&[]), with(&["--judging"]));
    assert_eq!(told(&usual), ("training", 1, None));
    // Once, though both are of one run.
    assert_eq!(told(&read), ("training", 0, Some(1)));
    assert_eq!(usual["pixels"], read["pixels"]);
    let pixels = |report: &Value| report["truth"]["a"]["pixels"].as_u64();
    assert!(pixels(&usual) < pixels(&read), "{usual} {read}");
}
