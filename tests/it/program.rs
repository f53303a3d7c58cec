//! The program as tests start it, and what it says.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use orthobrush::disk::replace_file;
use serde_json::{Value, json};

use crate::fixture::sample;

/// The program, to be started with `arguments`.
pub fn orthobrush<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    // The graphics drivers of some systems complain on stderr when this folder is missing.
    let run = std::env::var_os("XDG_RUNTIME_DIR").unwrap_or_else(|| std::env::temp_dir().into());
    let mut command = Command::new(env!("CARGO_BIN_EXE_orthobrush"));
    command.args(arguments).env("XDG_RUNTIME_DIR", run);
    command
}

/// A path as an argument.
#[track_caller]
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// What comes of a command that must work.
#[track_caller]
pub fn succeeded(command: &mut Command) -> Output {
    let output = command.output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    output
}

/// What is printed when all went well.
#[track_caller]
pub fn done(arguments: &[&str]) -> String {
    let output = succeeded(&mut orthobrush(arguments));
    String::from_utf8(output.stdout).expect("text")
}

/// The one object that is printed when all went well.
#[track_caller]
pub fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&done(arguments)).expect("one JSON object")
}

/// What is said on stderr with exit status `code`.
#[track_caller]
pub fn failed(arguments: &[&str], code: i32) -> String {
    let output = orthobrush(arguments).output().expect("it starts");
    let errors = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

/// It must refuse in one line, which has all of `words`.
#[track_caller]
pub fn refused(arguments: &[&str], words: &[&str]) {
    let errors = failed(arguments, 1);
    for word in words {
        assert!(errors.contains(word), "“{word}” is missing in: {errors}");
    }
    assert_eq!(errors.lines().count(), 1, "one line: {errors}");
}

/// Cuts the sample into a data set of small tiles in `folder`.
#[track_caller]
pub fn tiles(folder: &Path) {
    let ortho = text(&sample().ortho);
    done(&["tiles", ortho, "--out", text(folder), "--side", "256"]);
}

/// Arguments that train for seconds on the data set in `data`.
pub fn quick_training<'a>(data: &'a Path, run: &'a Path) -> Vec<&'a str> {
    let train = ["train", "--data", text(data), "--out", text(run)];
    let quick = "--epochs 1 --steps 2 --batch 2 --patch 64 --device cpu";
    train.into_iter().chain(quick.split(' ')).collect()
}

/// Writes into the run that both of its held-out parts share images with the training part.
#[track_caller]
pub fn note_leaks(run: &Path) {
    let leak = |part: &str, sentence: &str| {
        json!({
            "kind": "same_parent",
            "between": ["train", part],
            "pairs": 1,
            "samples": 1,
            "examples": [],
            "sentence": sentence,
        })
    };
    let leaks = [
        leak("test", "5 test images"),
        leak("validation", "2 validation images"),
    ];
    let report = json!({ "leaks": leaks, "images": 9, "notes": [] });
    let path = run.join("leaks.json");
    replace_file(&path, report.to_string().as_bytes()).expect("written");
}
