//! The command line as a process: results on stdout, one clear line on stderr, exit codes.

use crate::fixture::sample;
use crate::program::{done, failed, json, orthobrush, refused, text};

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
    refused(&["pyramid", image, "--out", image], &["replace a file"]);
    let odd = ["pyramid", image, "--out", text(&out), "--tile", "100"];
    refused(&odd, &["multiple of 16", "cog.tif"]);
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
    done(&arguments);
    let picture = image::open(&out).expect("a PNG").into_rgba8();
    assert_eq!(picture.dimensions(), (640, 240));
    let colors: std::collections::HashSet<_> = picture.pixels().map(|pixel| pixel.0).collect();
    assert!(colors.len() > 1_000, "an image, not a plain surface");
}

#[test]
fn a_picture_beyond_what_the_device_draws_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("picture.png");
    let image = text(&sample().ortho);
    for size in ["20000x10000", "4294967295x1", "1x4294967295"] {
        let render = ["render", image, "--size", size, "--out", text(&out)];
        let screenshot = ["screenshot", "--size", size, "--out", text(&out)];
        for arguments in [&render[..], &screenshot] {
            let errors = failed(arguments, 1);
            assert!(errors.contains("to a side"), "{errors}");
        }
    }
    assert!(!out.exists());
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
    refused(&["info", text(&broken)], &["orthobrush:", "broken.tif"]);
    refused(&["info", text(&no_image)], &["notes.tif"]);
    refused(&["info", "/nowhere/at/all.tif"], &["all.tif"]);
    let truth = text(&sample().label_true);
    refused(
        &["eval", "--truth", truth, "--pred", "/nowhere.tif"],
        &["nowhere.tif"],
    );
    refused(
        &[
            "predict", "--model", "/nowhere", "--image", truth, "--out", "x.tif",
        ],
        &["nowhere"],
    );
}

#[test]
fn a_result_that_nobody_reads_is_no_success() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = orthobrush(&["info", text(&sample().ortho)]);
    let output = command.stdout(writer).stderr(std::process::Stdio::piped());
    let output = output
        .spawn()
        .and_then(std::process::Child::wait_with_output);
    let output = output.expect("it ends");
    assert_eq!(output.status.code(), Some(141));
    assert!(output.stderr.is_empty(), "no complaint");
}

#[test]
fn wrong_usage_is_exit_code_two() {
    for (arguments, word) in [
        (&["render"][..], "Usage"),
        (&["sample", "--out", "x", "--size", "big"], "no size"),
        (&["train", "--out", "x"], "--image"),
        (&["train", "--image", "a.tif", "--out", "x"], "--label"),
    ] {
        let errors = failed(arguments, 2);
        assert!(errors.contains(word), "“{word}” is missing in: {errors}");
    }
}

#[test]
fn options_of_train_that_would_be_ignored_are_refused() {
    let image = "train --image a.tif --label b.tif --out x";
    let data = "train --data d --out x";
    let resume = "train --resume x";
    let cases = [
        (image, "--folds 3"),
        (image, "--seeds 1,2"),
        (data, "--label b.tif"),
        (resume, "--label b.tif"),
        (resume, "--folds 3"),
        (resume, "--seeds 1,2"),
        (resume, "--epochs 3"),
        (resume, "--lr 0.1"),
        (resume, "--seed 4"),
        (resume, "--batch 2"),
        (resume, "--patch 64"),
        (resume, "--steps 2"),
        (resume, "--bands all"),
        (resume, "--device cpu"),
        (resume, "--find-rate"),
        (resume, "--preset fast"),
    ];
    for (command, option) in cases {
        let line = format!("{command} {option}");
        let errors = failed(&line.split(' ').collect::<Vec<_>>(), 2);
        assert!(errors.contains("cannot be used with"), "{line}: {errors}");
    }
    for line in [
        format!("{data} --seeds 7,1,7"),
        format!("{data} --folds 2 --seeds 7,7"),
    ] {
        let words = line.split(' ').collect::<Vec<_>>();
        refused(&words, &["The seed 7 is named twice"]);
    }
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
    refused(&arguments, &["10 × 12", "small.png"]);
    assert!(!out.exists());
}
