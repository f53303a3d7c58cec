//! `orthobrush convert` as a process: what goes out comes back the same.

use std::path::Path;

use orthobrush::disk::replace_file;
use orthobrush::label::{Encoding, Mask, load_mask};

use crate::fixture::sample;
use crate::program::{json, orthobrush, refused, succeeded, text};

#[track_caller]
fn converted(arguments: &[&Path]) {
    let output = succeeded(orthobrush(&["convert"]).args(arguments));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.is_empty(), "{errors}");
}

fn mask(path: &Path) -> Mask {
    load_mask(path, None, Encoding::Auto, None)
        .expect("a mask")
        .mask
}

#[test]
fn each_format_that_can_hold_a_label_gives_it_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let label = &sample().label;
    let (out, like) = (Path::new("--out"), Path::new("--like"));
    for name in [
        "a.geojson",
        "a.gpkg",
        "a.coco.json",
        "a.yolo.txt",
        "a.png",
        "a.rgb.png",
        "a.tif",
    ] {
        let there = folder.path().join(name);
        let back = folder.path().join(format!("{name}.back.tif"));
        converted(&[label, out, &there, like, &sample().ortho]);
        converted(&[&there, out, &back, like, &sample().ortho]);
        assert_eq!(mask(&back), mask(label), "{name}");
    }
}

#[test]
fn tiles_hold_the_labels_ground_once_and_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let quarters = ["--side", "256", "--validation", "0.25", "--test", "0.25"];
    let tiles = ["tiles", text(&sample().ortho), "--json", "--out"];
    let report = json(&[&tiles, &[text(folder.path())][..], &quarters].concat());
    let number = |part: &str| report[part].as_u64().expect("a number");
    assert_eq!(number("train") + number("val") + number("test"), 16);
    assert!(number("val") > 0 && number("test") > 0, "{report}");
    let mut counts = [0_u64; 256];
    for part in ["train", "val", "test"] {
        for tile in std::fs::read_dir(folder.path().join(part).join("masks")).expect("tiles") {
            let tile = mask(&tile.expect("a tile").path()).histogram();
            counts
                .iter_mut()
                .zip(tile)
                .for_each(|(sum, own)| *sum += own);
        }
    }
    assert_eq!(counts, mask(&sample().label).histogram());
}

#[test]
fn polygons_have_names_areas_and_a_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.geojson");
    converted(&[&sample().label, Path::new("--out"), &path]);
    let text = std::fs::read_to_string(&path).expect("text");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        json["crs"]["properties"]["name"],
        "urn:ogc:def:crs:EPSG::2180"
    );
    let features = json["features"].as_array().expect("features");
    let mut pixels = [0_u64; 256];
    for feature in features {
        let (class, count) = (
            &feature["properties"]["class"],
            &feature["properties"]["pixels"],
        );
        let count = count.as_u64().expect("a number");
        pixels[class.as_u64().expect("a class") as usize] += count;
        let area = feature["properties"]["area_m2"].as_f64().expect("an area");
        assert!((area - count as f64 / 16.0).abs() < 0.01, "0.25 m pixels");
    }
    assert_eq!(pixels[..5], mask(&sample().label).histogram()[..5]);
}

#[test]
fn what_cannot_be_converted_is_said_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = [
        "none.geojson",
        "broken.geojson",
        "far.geojson",
        "a.tif",
        "a.bmp",
    ];
    let [none, broken, far, tif, bmp] = names.map(|name| folder.path().join(name));
    let no_features = r#"{"type":"FeatureCollection","features":[]}"#;
    replace_file(&none, no_features.as_bytes()).expect("written");
    replace_file(&broken, b"{\"type\": 7").expect("written");
    let beyond = r#"{"type":"Feature","properties":{"class":256},
        "geometry":{"type":"LineString","coordinates":[[1,2],[3,4]]}}"#;
    replace_file(&far, beyond.as_bytes()).expect("written");
    let like = ["--like", text(&sample().ortho)];
    for (from, to, like, word) in [
        (&none, &tif, &[][..], "--like"),
        (&none, &tif, &like, "--attribute"),
        (&broken, &tif, &like, "broken.geojson"),
        (&far, &tif, &like, "(--value=256=CLASS)"),
        (&sample().label, &tif, &["--simplify", "2"], "--simplify"),
        (&sample().label, &bmp, &[], ".rgb.png"),
    ] {
        let convert = ["convert", text(from), "--out", text(to)];
        refused(&[&convert, like].concat(), &[word]);
    }
}
