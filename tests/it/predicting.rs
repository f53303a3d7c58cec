//! Predictions into files by the program: killed at any moment they go on to the same last byte,
//! and memory does not grow with the image.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use orthobrush::disk::replace_file;
use orthobrush::geom::ImageSize;
use orthobrush::raster::{Overviews, PixelKind, TiffOptions, TiffWriter};
use orthobrush::train::{DeviceChoice, Recipe};
use serde_json::Value;

use crate::fixture::sample;
use crate::improving::{kept, mark_done};
use crate::keeping::stroke;
use crate::program::{done, json, orthobrush, text};

const PATIENCE: Duration = Duration::from_mins(4);

#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    for word in words {
        assert!(errors.contains(word), "“{word}” is missing in: {errors}");
    }
}

/// Trains the smallest U-Net there is on the sample (five classes), a few steps.
pub fn trained(folder: &Path, seed: u64) -> PathBuf {
    let mut recipe = Recipe {
        seed,
        epochs: 1,
        steps_per_epoch: 4,
        batch: 4,
        patch: 128,
        device: DeviceChoice::Cpu,
        ..Recipe::default()
    };
    (recipe.model.base_filters, recipe.model.depth) = (1, 1);
    let (file, run) = (folder.join("recipe.toml"), folder.join("run"));
    recipe.save(&file).expect("written");
    let (image, label) = (text(&sample().ortho), text(&sample().label));
    let train = ["train", "--image", image, "--label", label, "--recipe"];
    done(&[&train[..], &[text(&file), "--out", text(&run)]].concat());
    run
}

/// The run of all tests here.
pub fn run() -> &'static Path {
    static RUN: OnceLock<PathBuf> = OnceLock::new();
    RUN.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder").keep();
        trained(&folder, 1)
    })
}

/// Writes an image of `size` painted by formula, a row at a time.
pub fn painted(path: &Path, size: ImageSize) {
    let options = TiffOptions {
        overviews: Overviews::None,
        ..TiffOptions::new(size, PixelKind::Rgb)
    };
    let mut writer = TiffWriter::create(path, options).expect("begun");
    for y in 0..size.height {
        let pixel = |x: u32| {
            let field = (x / 97 + y / 61) % 5;
            let grain = (x * 7 + y * 13) % 16;
            [field * 40 + grain, 200 - field * 30, 60 + grain].map(|band| band as u8)
        };
        let row: Vec<u8> = (0..size.width).flat_map(pixel).collect();
        writer.write_rows(&row).expect("written");
    }
    writer.finish().expect("finished");
}

/// Arguments that predict `image` into `out`.
fn predict<'a>(image: &'a Path, out: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let words = ["predict", "--device", "cpu", "--json", "--model"];
    let paths = [text(run()), "--image", text(image), "--out", text(out)];
    [&words, &paths, more].concat()
}

/// Starts it, and kills it when its file of blocks has grown by `blocks` writes or so; whether it
/// ended before.
fn killed(arguments: &[&str], part: &Path, patience: Duration) -> bool {
    let mut child = orthobrush(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let kept = || std::fs::metadata(part.join("blocks")).map_or(0, |facts| facts.len());
    let (before, began) = (kept(), Instant::now());
    while kept() == before && began.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success());
            return true;
        }
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(patience);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends").success()
}

#[test]
fn a_killed_prediction_goes_on_to_the_same_last_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let image = at("image.tif");
    painted(&image, ImageSize::new(3_200, 2_100));
    let whole = json(&predict(&image, &at("whole.tif"), &["--uncertainty"]));
    assert_eq!(whole["done_before"], false);
    assert!(!at("whole.tif.part").exists());

    let (out, part) = (at("killed.tif"), at("killed.tif.part"));
    let again = predict(&image, &out, &["--uncertainty", "--resume"]);
    let mut kills = 0;
    while !killed(&again, &part, Duration::from_millis(kills * 37 % 90)) {
        kills += 1;
        assert!(kills < 60, "it never ends");
        if kills == 2 {
            check_refusals(&image, &out);
        }
    }
    assert!(kills >= 3, "only {kills} kills came in time");
    let entropy = std::fs::read(at("whole.entropy.tif")).expect("a file");
    let entropy = String::from_utf8_lossy(&entropy);
    assert!(entropy.contains("Entropy of the probabilities of 5 classes, in nats"));
    for name in ["tif", "probability.tif", "margin.tif", "entropy.tif"] {
        let read = |stem: &str| std::fs::read(at(&format!("{stem}.{name}"))).expect("a file");
        assert!(read("whole") == read("killed"), "{name} differs");
    }
    assert!(!part.exists());
    assert_eq!(json(&again)["done_before"], true);
}

/// What was begun goes on only as it was begun, and is not begun anew by mistake.
fn check_refusals(image: &Path, out: &Path) {
    let start = |arguments: &[&str]| {
        let mut command = orthobrush(&predict(image, out, arguments));
        command.output().expect("it starts")
    };
    refused(
        &start(&["--uncertainty"]),
        &["begun before", "--resume", "killed.tif.part"],
    );
    let resume = ["--resume", "--uncertainty"];
    let with = |more: &[&str]| start(&[&resume[..], more].concat());
    refused(&with(&["--tta"]), &["--tta", "killed.tif.part"]);
    refused(&with(&["--area", "0,0,900,900"]), &["the area is not"]);
    refused(
        &start(&["--resume"]),
        &["the measures of certainty are not"],
    );
}

#[test]
fn a_part_of_an_image_is_what_the_whole_has_there() {
    use orthobrush::geom::PixelRect;
    use orthobrush::label::{Encoding, load_mask};

    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let image = at("image.tif");
    let size = ImageSize::new(1_500, 1_200);
    painted(&image, size);
    json(&predict(&image, &at("all.tif"), &[]));
    let two = ["--area", "100,50,300,200", "--area", "1000,1000,200,150"];
    json(&predict(&image, &at("parts.tif"), &two));
    let read = |name: &str| {
        let loaded = load_mask(&at(name), Some(size), Encoding::Auto, None);
        loaded.expect("a mask").mask
    };
    let (all, parts) = (read("all.tif"), read("parts.tif"));
    let areas = [
        PixelRect::new(100, 50, 300, 200),
        PixelRect::new(1_000, 1_000, 200, 150),
    ];
    for area in areas {
        assert!(all.read_rect(area) == parts.read_rect(area));
    }
    let predicted: u64 = parts.histogram()[..255].iter().sum();
    assert_eq!(predicted, 300 * 200 + 200 * 150);
}

#[test]
fn masks_that_no_prediction_wrote_are_replaced_only_on_demand() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (image, out) = (at("image.tif"), at("label.tif"));
    painted(&image, ImageSize::new(300, 200));
    let start = |more: &[&str]| {
        let mut command = orthobrush(&predict(&image, &out, more));
        command.output().expect("it starts")
    };
    let words = ["no prediction wrote", "--overwrite"];
    for name in ["label.classes.toml", "label.tif"] {
        replace_file(&at(name), b"by hand").expect("written");
        refused(&start(&[]), &[&words[..], &[name]].concat());
        refused(&start(&["--resume"]), &[&words[..], &[name]].concat());
        let kept = std::fs::read(at(name)).expect("a file");
        assert_eq!(kept, b"by hand", "{name}");
    }
    assert!(start(&["--overwrite"]).status.success());
    assert!(start(&[]).status.success(), "a prediction is replaced");
    replace_file(&out, b"corrected").expect("written");
    refused(&start(&[]), &[&words[..], &["label.tif"]].concat());
}

#[test]
fn of_many_images_a_broken_one_is_told_and_the_others_are_predicted() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("images")).expect("a folder");
    for name in ["a.tif", "c.tif"] {
        painted(&at("images").join(name), ImageSize::new(300, 200));
    }
    replace_file(&at("images").join("b.tif"), b"no image").expect("written");
    let start = |images: &Path| {
        let words = ["predict", "--device", "cpu", "--json", "--resume"];
        let mut command = orthobrush(&words);
        let command = command.arg("--model").arg(run());
        let command = command.arg("--images").arg(images);
        let command = command.arg("--out").arg(at("out"));
        command.output().expect("it starts")
    };
    let summary = |output: &Output| -> Value {
        serde_json::from_slice(&output.stdout).expect("one JSON object")
    };
    let first = start(&at("images"));
    refused(
        &first,
        &["b.tif was not predicted", "1 of 3 images", "--resume"],
    );
    assert_eq!(summary(&first)["done"], 2);
    assert_eq!(summary(&first)["images"][1]["status"], "failed");
    assert!(at("out").join("c.tif").exists() && !at("out").join("b.tif").exists());

    replace_file(
        &at("list.txt"),
        b"# two of them\nimages/c.tif\n\nimages/a.tif\n",
    )
    .expect("written");
    let second = start(&at("list.txt"));
    assert!(second.status.success());
    assert_eq!(summary(&second)["done_before"], 2);
}

#[test]
fn of_many_images_one_without_a_project_fails_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("images")).expect("a folder");
    for name in ["a.tif", "b.tif"] {
        painted(&at("images").join(name), ImageSize::new(300, 200));
    }
    let mut session = kept(&at("images").join("b.tif"));
    stroke(&mut session, (10.0, 10.0), (90.0, 60.0), 1);
    mark_done(&mut session, (0, 0));
    drop(session);
    let words = ["predict", "--device", "cpu", "--json", "--cells", "done"];
    let mut command = orthobrush(&words);
    let command = command.arg("--model").arg(run());
    let command = command.arg("--images").arg(at("images"));
    let output = command.arg("--out").arg(at("out")).output();
    let output = output.expect("it starts");
    refused(
        &output,
        &["a.tif was not predicted", "No project", "1 of 2 images"],
    );
    let summary: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(summary["images"][0]["status"], "failed");
    assert_eq!(summary["images"][1]["status"], "done");
    assert!(at("out").join("b.tif").exists() && !at("out").join("a.tif").exists());
}

/// The whole process, its code and its threads' stacks, within 1 GiB of addresses, the tile cache
/// included; without and with mirror images and all measures of certainty.
/// `ORTHOBRUSH_PREDICT_SIZE=9500x9000` or `30000x30000` tries larger images, which take minutes.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_image() {
    let asked = std::env::var("ORTHOBRUSH_PREDICT_SIZE");
    let asked = asked.unwrap_or_else(|_| "4096x4096".to_owned());
    let (width, height) = asked.split_once('x').expect("columns x rows");
    let side = |text: &str| text.parse().expect("a number");
    let size = ImageSize::new(side(width), side(height));
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    painted(&at("image.tif"), size);
    for (out, how) in [
        ("plain.tif", &[][..]),
        ("all.tif", &["--tta", "--uncertainty"]),
    ] {
        let began = Instant::now();
        capped(&predict(&at("image.tif"), &at(out), how));
        let seconds = began.elapsed().as_secs_f64();
        eprintln!("{asked} {how:?}: {seconds:.0} s");
    }
    for name in [
        "plain",
        "all",
        "all.probability",
        "all.margin",
        "all.entropy",
    ] {
        let written = orthobrush::raster::open_raster(&at(&format!("{name}.tif")));
        assert_eq!(written.expect("a mask").info().size, size, "{name}");
    }
}

/// Must work within 1 GiB of addresses.
#[cfg(target_os = "linux")]
#[track_caller]
fn capped(arguments: &[&str]) {
    const CAP_KIB: u32 = 1 << 20;
    let within = format!("ulimit -v {CAP_KIB}; exec \"$0\" \"$@\"");
    let mut shell = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_orthobrush");
    let command = shell.args(["-c", &within, program]).args(arguments);
    let output = crate::program::succeeded(command);
    serde_json::from_slice::<Value>(&output.stdout).expect("one JSON object");
}
