//! The command line as a process: results on stdout, one clear line on stderr, exit codes.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::fixture::sample;

fn orthobrush(arguments: &[&str]) -> Output {
    // The graphics drivers of some systems complain on stderr when this folder is missing.
    let run = std::env::var_os("XDG_RUNTIME_DIR").unwrap_or_else(|| std::env::temp_dir().into());
    Command::new(env!("CARGO_BIN_EXE_orthobrush"))
        .args(arguments)
        .env("XDG_RUNTIME_DIR", run)
        .output()
        .expect("it starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[track_caller]
fn json(arguments: &[&str]) -> Value {
    let output = orthobrush(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[track_caller]
fn check_failure(arguments: &[&str], code: i32, words: &[&str]) {
    let output = orthobrush(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    for word in words {
        assert!(errors.contains(word), "“{word}” is missing in: {errors}");
    }
    if code == 1 {
        assert_eq!(errors.trim().lines().count(), 1, "one line: {errors}");
    }
}

#[test]
fn info_tells_what_the_header_says() {
    let info = json(&["info", text(&sample().ortho), "--json"]);
    assert_eq!(info["width"], 1_024);
    assert_eq!(info["height"], 1_024);
    assert_eq!(info["bands"], 3);
    assert_eq!(info["dtype"], "uint8");
    assert_eq!(info["layout"], "tiled");
    assert_eq!(info["epsg"], 2180);
    assert_eq!(info["pixel_size"], serde_json::json!([0.25, 0.25]));
    assert!(info["nodata"].is_null());
}

#[test]
fn a_pyramid_is_written_whole_and_keeps_what_the_image_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, out) = (text(&sample().label_true), folder.path().join("cog.tif"));
    let report = json(&[
        "pyramid",
        image,
        "--out",
        text(&out),
        "--tile",
        "256",
        "--json",
    ]);
    assert_eq!(
        (&report["levels"], &report["tile"]),
        (&3.into(), &256.into())
    );
    let told = |path: &str| json(&["info", path, "--checksum", "--json"]);
    let (before, after) = (told(image), told(text(&out)));
    for what in [
        "width",
        "height",
        "bands",
        "dtype",
        "epsg",
        "bounds",
        "nodata",
        "checksums",
    ] {
        assert_eq!(before[what], after[what], "{what}");
    }
    assert_eq!(after["tile"], serde_json::json!([256, 256]));
    check_failure(&["pyramid", image, "--out", image], 1, &["replace a file"]);
    let odd = ["pyramid", image, "--out", text(&out), "--tile", "100"];
    check_failure(&odd, 1, &["multiple of 16", "cog.tif"]);
    assert_eq!(told(text(&out)), after, "a failure leaves the file alone");
}

#[test]
fn eval_scores_the_label_with_mistakes_against_the_truth() {
    let paths = sample();
    let truth = text(&paths.label_true);
    let same = json(&["eval", "--truth", truth, "--pred", truth, "--json"]);
    assert_eq!(same["pixel_accuracy"], 1.0);
    assert_eq!(same["mean_iou"], 1.0);
    assert_eq!(same["pixels"], 1_024 * 1_024);
    let wrong = json(&[
        "eval",
        "--truth",
        truth,
        "--pred",
        text(&paths.label),
        "--json",
    ]);
    let accuracy = wrong["pixel_accuracy"].as_f64().expect("a number");
    assert!((0.8..0.97).contains(&accuracy), "{accuracy}");
    assert_eq!(wrong["per_class"].as_array().map(Vec::len), Some(5));
    assert_eq!(wrong["confusion"].as_array().map(Vec::len), Some(5));
    assert!(wrong["majority_baseline"].is_number() && wrong["ignored"].is_number());
}

#[test]
fn render_draws_a_png_of_the_wanted_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("picture.png");
    let paths = sample();
    let arguments = [
        "render",
        text(&paths.ortho),
        "--label",
        text(&paths.label),
        "--rect",
        "100,100,400,300",
        "--size",
        "640x240",
        "--out",
        text(&out),
    ];
    let output = orthobrush(&arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let picture = image::open(&out).expect("a PNG").into_rgba8();
    assert_eq!(picture.dimensions(), (640, 240));
    let colors: std::collections::HashSet<_> = picture.pixels().map(|pixel| pixel.0).collect();
    assert!(colors.len() > 1_000, "an image, not a plain surface");
}

#[test]
fn failures_are_one_clear_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.tif");
    std::fs::copy(&sample().ortho, &broken).expect("a copy");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&broken)
        .expect("open");
    file.set_len(100).expect("truncated");
    let no_image = folder.path().join("notes.tif");
    std::fs::copy(&sample().classes, &no_image).expect("a copy");
    check_failure(&["info", text(&broken)], 1, &["orthobrush:", "broken.tif"]);
    check_failure(&["info", text(&no_image)], 1, &["notes.tif"]);
    check_failure(&["info", "/nowhere/at/all.tif"], 1, &["all.tif"]);
    let truth = text(&sample().label_true);
    check_failure(
        &["eval", "--truth", truth, "--pred", "/nowhere.tif"],
        1,
        &["nowhere.tif"],
    );
    check_failure(
        &[
            "predict", "--model", "/nowhere", "--image", truth, "--out", "x.tif",
        ],
        1,
        &["nowhere"],
    );
}

#[test]
fn wrong_usage_is_exit_code_two() {
    check_failure(&["render"], 2, &["Usage"]);
    check_failure(&["sample", "--out", "x", "--size", "big"], 2, &["no size"]);
    check_failure(&["train", "--out", "x"], 2, &["--image"]);
    check_failure(
        &["train", "--image", "a.tif", "--out", "x"],
        2,
        &["--label"],
    );
}

#[test]
fn a_mask_of_another_size_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = folder.path().join("small.png");
    image::GrayImage::new(10, 12).save(&small).expect("saved");
    let out = folder.path().join("picture.png");
    let arguments = [
        "render",
        text(&sample().ortho),
        "--label",
        text(&small),
        "--out",
        text(&out),
    ];
    check_failure(&arguments, 1, &["10 × 12", "small.png"]);
    assert!(!out.exists());
}
