//! Names of files that are no text, which file systems of Linux allow.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::fixture::sample;
use crate::predicting::run;
use crate::program::{orthobrush, succeeded, text, tiles};

fn odd(folder: &Path, name: &[u8]) -> PathBuf {
    folder.join(OsStr::from_bytes(name))
}

/// The object that is printed by a command that ends with this path.
#[track_caller]
fn told(words: &[&str], path: &Path) -> Value {
    let output = succeeded(orthobrush(words).arg(path).arg("--json"));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn what_is_no_text_in_a_name_is_replaced_where_it_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &[u8]| odd(folder.path(), name);
    let (image, label) = (text(&sample().ortho), text(&sample().label));
    let predict = ["predict", "--device", "cpu", "--area", "0,0,128,128"];
    let predict = [&predict[..], &["--model", text(run()), "--image", image]].concat();
    for (words, path, key) in [
        (vec!["convert", label], place(b"c\xff.tif"), "out"),
        (vec!["pyramid", image], place(b"p\xff.tif"), "out"),
        (
            vec!["tiles", image, "--side", "512"],
            place(b"t\xff"),
            "out",
        ),
        (predict, place(b"said\xff.tif"), "prediction"),
    ] {
        let told = told(&[&words[..], &["--out"]].concat(), &path);
        assert_eq!(told[key], path.to_string_lossy().into_owned(), "{words:?}");
        assert!(path.exists(), "{words:?}");
    }
    let tiles = place(b"t\xff");
    let inspected = told(&["dataset", "inspect"], &tiles);
    let named = &inspected["inspection"]["folder"];
    assert_eq!(*named, tiles.to_string_lossy().into_owned());
}

#[test]
fn a_training_whose_files_could_not_name_their_folders_is_refused_before_it_begins() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &[u8]| odd(folder.path(), name);
    let quick = "train --epochs 1 --steps 2 --batch 2 --patch 64 --device cpu";
    let quick: Vec<&str> = quick.split(' ').collect();
    let check = |more: &[&str], data: &Path, out: &Path| {
        let mut command = orthobrush(&quick);
        command.args(more).arg("--data").arg(data).arg("--out");
        let output = command.arg(out).output().expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains("no UTF-8 text"), "{errors}");
        assert!(output.stdout.is_empty() && !out.exists());
    };
    let data = place(b"data");
    tiles(&data);
    check(&[], &data, &place(b"run\xff"));
    check(&["--folds", "2"], &data, &place(b"folds\xff"));
    let moved = place(b"data\xff");
    std::fs::rename(&data, &moved).expect("renamed");
    check(&[], &moved, &place(b"run"));
    check(&["--folds", "2"], &moved, &place(b"folds"));
}
