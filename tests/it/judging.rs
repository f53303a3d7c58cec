//! Judging a run from the command line: asked for, counted, at the labels' own size.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::fixture::sample;

fn orthobrush(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orthobrush"))
        .args(arguments)
        .output()
        .expect("it starts")
}

#[track_caller]
fn done(arguments: &[&str]) -> Output {
    let output = orthobrush(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    output
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[test]
fn a_test_part_is_judged_once_it_is_asked_for_and_a_second_time_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, run) = (folder.path().join("data"), folder.path().join("run"));
    let ortho = sample().ortho.clone();
    done(&["tiles", text(&ortho), "--out", text(&data), "--side", "256"]);
    let train = ["train", "--data", text(&data), "--out", text(&run)];
    let quick = "--epochs 1 --steps 2 --batch 2 --patch 64 --device cpu";
    let arguments: Vec<&str> = train.into_iter().chain(quick.split(' ')).collect();
    done(&arguments);
    assert!(!run.join("scores-test.json").exists(), "nobody asked");
    let judged = || done(&["test", "--run", text(&run), "--json"]);
    let first: Value = serde_json::from_slice(&judged().stdout).expect("JSON");
    assert_eq!((&first["on"], &first["reads"]), (&"test".into(), &1.into()));
    let images = first["images"].as_array().expect("a list");
    assert_eq!(first["scores"]["unpredicted"], 0);
    assert!(!images.is_empty());
    let again = judged();
    let second: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!(second["reads"], 2);
    assert_eq!(second["scores"], first["scores"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("judged once before"));
    let on_part = |part| orthobrush(&["test", "--run", text(&run), "--part", part, "--json"]);
    let chose: Value = serde_json::from_slice(&on_part("validation").stdout).expect("JSON");
    assert_eq!(
        (&chose["on"], &chose["reads"]),
        (&"validation".into(), &1.into())
    );
    assert_eq!(on_part("training").status.code(), Some(2));
    assert!(!orthobrush(&["test", "--run", text(&data)]).status.success());
}

#[test]
fn an_experiment_is_called_by_its_name() {
    let output = orthobrush(&["experiment", "weather"]);
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.contains("salt, camvid, roads, deepglobe, landcover"),
        "{errors}"
    );
}

#[test]
fn a_page_of_nothing_says_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (runs, out) = (folder.path().join("runs"), folder.path().join("docs"));
    let places = ["--runs", text(&runs), "--out", text(&out), "--pages-only"];
    let arguments: Vec<&str> = ["experiment", "salt"].into_iter().chain(places).collect();
    done(&arguments);
    let page = std::fs::read_to_string(out.join("salt.md")).expect("a page");
    assert!(page.contains("5 of 5 runs are missing"), "{page}");
    assert!(page.contains("0.752"), "what the original measured");
}
