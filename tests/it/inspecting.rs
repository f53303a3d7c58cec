//! Looking at data sets from the command line: the contact sheet, and a threshold that is corrected.

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage};
use serde_json::Value;

use crate::program::{done, failed, json, quick_training, refused, text};

fn made_folders(set: &Path) {
    for part in ["images", "masks"] {
        fs::create_dir_all(set.join(part)).expect("a folder");
    }
}

/// Seven images of one color whose masks have a class on the left and another on the right, and an
/// image without a mask.
fn colored_set(set: &Path) {
    made_folders(set);
    let classes = "name,r,g,b\nwater,0,0,200\nwood,0,200,0\n";
    orthobrush::disk::replace_file(&set.join("class_dict.csv"), classes.as_bytes())
        .expect("written");
    let code = |x: u32| if x < 4 { [0, 0, 200] } else { [0, 200, 0] };
    for name in 0..8 {
        let file = format!("{name}.png");
        let image = RgbImage::from_pixel(8, 8, Rgb([200, 100, 0]));
        image.save(set.join("images").join(&file)).expect("saved");
        if name < 7 {
            let mask = RgbImage::from_fn(8, 8, |x, _| Rgb(code(x)));
            mask.save(set.join("masks").join(&file)).expect("saved");
        }
    }
}

#[test]
fn a_contact_sheet_shows_samples_with_their_masks_and_says_which_is_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let (set, out) = (folder.path().join("set"), folder.path().join("sheet.png"));
    colored_set(&set);
    let inspect = ["dataset", "inspect", text(&set), "--sheet", text(&out)];
    let said = done(&inspect);
    assert!(said.contains("row 1, column 6: 5 (no part)\n"), "{said}");
    assert!(said.contains("row 2, column 1: 6 (no part)\n"), "{said}");
    let sheet = image::open(&out).expect("a PNG").into_rgba8();
    // Cells of 160 pixels with 8 around them: six beside each other, the seventh below.
    assert_eq!(sheet.dimensions(), (1_016, 344));
    let at = |x, y| sheet.get_pixel(x, y).0;
    let ground = [38, 38, 38, 255];
    for (left, top) in [(8, 8), (848, 8), (8, 176)] {
        assert_eq!(at(left, top), [100, 50, 100, 255], "water over the image");
        assert_eq!(at(left + 159, top + 159), [100, 150, 0, 255], "wood");
        assert_eq!(at(left + 160, top), ground, "beside the cell");
    }
    assert_eq!(at(300, 300), ground, "no eighth sample has a mask");
    let told = json(&[&inspect[..], &["--json"]].concat());
    let cells = told["sheet"]["cells"].as_array().expect("a list");
    let last =
        serde_json::json!({ "row": 2, "column": 1, "name": "6", "part": null, "has_mask": true });
    assert_eq!((cells.len(), &cells[6]), (7, &last));
    assert_eq!(told["inspection"]["channels"][0]["name"], "red");
}

#[test]
fn a_contact_sheet_that_cannot_be_written_is_one_clear_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let set = folder.path().join("set");
    colored_set(&set);
    let check = |out: &Path, words: &str| {
        let inspect = ["dataset", "inspect", text(&set), "--sheet", text(out)];
        refused(&inspect, &[words]);
    };
    check(&set.join("class_dict.csv/sheet.png"), "sheet.png");
    check(&folder.path().join("sheet.jpg"), "ends in .png");
    let mask = set.join("masks/0.png");
    let before = fs::read(&mask).expect("a mask");
    check(&mask, "would replace a file");
    assert_eq!(fs::read(&mask).expect("a mask"), before);
}

/// Ten images whose masks are black, dark grey, light grey and white, a quarter each.
fn soft_set(set: &Path) {
    made_folders(set);
    for name in 0..10_u32 {
        let file = format!("{name}.png");
        let seed = name * 20;
        let color = |x: u32, y: u32| [x * 2, y * 2, (x * y + seed) % 251].map(|value| value as u8);
        let image = RgbImage::from_fn(96, 96, |x, y| Rgb(color(x, y)));
        image.save(set.join("images").join(&file)).expect("saved");
        let grey = |x: u32| [0, 100, 200, 255][x as usize / 24];
        let mask = GrayImage::from_fn(96, 96, |x, _| Luma([grey(x)]));
        mask.save(set.join("masks").join(&file)).expect("saved");
    }
}

#[test]
fn the_threshold_of_black_and_white_masks_can_be_stated_and_is_kept_with_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let (set, run) = (folder.path().join("set"), folder.path().join("run"));
    soft_set(&set);
    let bright = |threshold: &[&str]| {
        let inspect = ["dataset", "inspect", text(&set), "--json"];
        let told = json(&[&inspect[..], threshold].concat());
        let classes = told["inspection"]["classes"]
            .as_array()
            .expect("a list")
            .clone();
        assert_eq!(classes.len(), 2);
        classes[1]["share"].clone()
    };
    assert_eq!(bright(&[]), 0.5);
    assert_eq!(bright(&["--mask-threshold", "90"]), 0.75);
    assert_eq!(bright(&["--mask-threshold", "201"]), 0.25);
    let threshold = ["--mask-threshold", "90"];
    done(&[&quick_training(&set, &run)[..], &threshold].concat());
    let kept = fs::read(run.join("data.json")).expect("what it learned from");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    assert_eq!(kept["corrections"]["threshold"], 90);
    // Black is a quarter of all ground, also of that which was scored.
    let test = [
        "test",
        "--run",
        text(&run),
        "--part",
        "validation",
        "--json",
    ];
    let baseline = json(&test)["scores"]["majority_baseline"].clone();
    assert_eq!(baseline, 0.75);
    let other = ["--mask-threshold", "90", "--mask-encoding", "rgb"];
    refused(
        &[&["dataset", "inspect", text(&set)][..], &other].concat(),
        &["--mask-threshold is for black and white masks"],
    );
}

#[test]
fn leaks_are_between_the_parts_of_the_recipe() {
    let folder = tempfile::tempdir().expect("a folder");
    let (set, recipe) = (folder.path().join("set"), folder.path().join("apart.toml"));
    colored_set(&set);
    let apart = b"[parts]\ntwins = \"apart\"\n";
    orthobrush::disk::replace_file(&recipe, apart).expect("written");
    let inspect = ["dataset", "inspect", text(&set)];
    let leaks = |more: &[&str]| {
        let options = ["--leaks", "--json"];
        json(&[&inspect[..], &options, more].concat())["leaks"].clone()
    };
    // All images are alike and stay together, so that nothing is left to validate with.
    let usual = leaks(&[]);
    assert_eq!(usual["images"], 0);
    assert_eq!(usual["leaks"], serde_json::json!([]));
    let why = usual["notes"][0].as_str().expect("a note");
    assert!(why.contains("nothing to validate"), "{why}");
    assert_eq!(leaks(&["--preset", "balanced"]), usual);
    let apart = leaks(&["--recipe", text(&recipe)]);
    assert_eq!(apart["images"], 7);
    assert_eq!(apart["leaks"][0]["kind"], "same_pixels");
    let alone = [&inspect[..], &["--recipe", text(&recipe)]].concat();
    assert!(failed(&alone, 2).contains("--leaks"));
}

#[test]
fn several_data_sets_are_one_json_object_and_none_of_nothing_is_called_fine() {
    let folder = tempfile::tempdir().expect("a folder");
    let [colored, soft] = ["colored", "soft"].map(|name| folder.path().join(name));
    colored_set(&colored);
    soft_set(&soft);
    let inspect = ["dataset", "inspect", text(folder.path())];
    let told = json(&[&inspect[..], &["--json"]].concat());
    let expected = serde_json::json!([text(&colored), text(&soft)]);
    assert_eq!(told["datasets"], expected);
    assert!(
        told["layout"].is_string() && told["leaks"].is_null(),
        "{told}"
    );
    let told = json(&[&inspect[..], &["--json", "--leaks"]].concat());
    assert!(told["leaks"]["leaks"].is_array(), "{told}");
    assert!(done(&[&inspect[..], &["--leaks"]].concat()).contains("between the data sets"));
    let nothing = ["dataset", "inspect", text(&soft), "--most", "0"];
    assert!(failed(&nothing, 2).contains("--most"));
}

#[test]
fn what_is_unlabeled_and_how_files_are_named_can_be_stated() {
    let folder = tempfile::tempdir().expect("a folder");
    let (set, run) = (folder.path().join("set"), folder.path().join("run"));
    fs::create_dir(&set).expect("a folder");
    for name in 0..10_u32 {
        let color = |x: u32, y: u32| [x * 2, y * 2, (x * y + name * 20) % 251];
        let image = RgbImage::from_fn(96, 96, |x, y| Rgb(color(x, y).map(|value| value as u8)));
        let place = |end: &str| set.join(format!("{name}{end}"));
        image.save(place("_view.png")).expect("saved");
        let class = |x: u32| [0, 1, 3][x as usize / 32];
        let mask = GrayImage::from_fn(96, 96, |x, _| Luma([class(x)]));
        mask.save(place("_truth.png")).expect("saved");
    }
    let inspect = ["dataset", "inspect", text(&set), "--json"];
    let names = ["--image-suffix", "_view", "--mask-suffix", "_truth.png"];
    let indices = |more: &[&str]| -> Vec<Value> {
        let told = json(&[&inspect[..], &names, more].concat());
        let classes = told["inspection"]["classes"].as_array().expect("a list");
        classes.iter().map(|class| class["index"].clone()).collect()
    };
    assert_eq!(indices(&[]), [0, 1, 3]);
    let ignored = ["--ignore-classes", "0"];
    assert_eq!(indices(&ignored), [1, 3]);
    done(&[&quick_training(&set, &run)[..], &names, &ignored].concat());
    let kept = fs::read(run.join("data.json")).expect("what it learned from");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    assert_eq!(kept["corrections"]["ignored"], serde_json::json!([0]));
    assert_eq!(kept["corrections"]["image_suffix"], "_view");
    let classes = fs::read_to_string(run.join("classes.toml")).expect("classes");
    assert_eq!(classes.matches("[[class]]").count(), 2, "{classes}");
    let wrong = ["--mask-suffix", "_label"];
    refused(
        &[&inspect[..], &wrong].concat(),
        &["No mask is named like “*_label”"],
    );
    let nearest = ["--off-palette", "nearest"];
    refused(
        &[&inspect[..], &names, &nearest].concat(),
        &["state a list of classes"],
    );
}
