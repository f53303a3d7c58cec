//! Judging a run from the command line and in the window: asked for, counted, at the labels' own
//! size.

use std::path::Path;

use egui::Key;
use egui_kittest::kittest::Queryable as _;
use orthobrush::train::{Judgement, ScoredOn};
use serde_json::Value;

use crate::fixture::{own_sample, turn};
use crate::program::{
    done, failed, json, note_leaks, orthobrush, quick_training, succeeded, text, tiles,
};
use crate::window::{settle, window};

/// A run in `run` that learned a little from tiles of the sample in `data`, with a test part.
#[track_caller]
fn train_quickly(data: &Path, run: &Path) {
    tiles(data);
    done(&quick_training(data, run));
}

#[test]
fn a_test_part_is_judged_once_it_is_asked_for_and_a_second_time_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, run) = (folder.path().join("data"), folder.path().join("run"));
    train_quickly(&data, &run);
    assert!(!run.join("scores-test.json").exists(), "nobody asked");
    note_leaks(&run);
    let test = ["test", "--run", text(&run), "--json"];
    let first = json(&test);
    assert_eq!((&first["on"], &first["reads"]), (&"test".into(), &1.into()));
    let leaks = "The test part is not apart, so that scores on it may be too good: 5 test images";
    assert_eq!(first["leaks"], leaks);
    for name in ["report.md", "report.html"] {
        let report = std::fs::read_to_string(run.join(name)).expect("a report");
        assert!(report.contains(leaks), "{report}");
    }
    let images = first["images"].as_array().expect("a list");
    assert_eq!(first["scores"]["unpredicted"], 0);
    assert!(!images.is_empty());
    let again = succeeded(&mut orthobrush(&test));
    let second: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!(second["reads"], 2);
    assert_eq!(second["scores"], first["scores"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("judged once before"));
    let on_part = |part| [&test[..], &["--part", part]].concat();
    let chose = json(&on_part("validation"));
    assert_eq!(
        (&chose["on"], &chose["reads"]),
        (&"validation".into(), &1.into())
    );
    let more = ["test", "--run", text(&run), "--part", "validation"];
    let more = succeeded(&mut orthobrush(&more));
    let (said, warned) = (
        String::from_utf8_lossy(&more.stdout),
        String::from_utf8_lossy(&more.stderr),
    );
    assert!(said.contains("there to choose by, was judged 2"), "{said}");
    let leaks = "\nwarning: The validation part is not apart, so that scores on it may be too \
                 good: 2 validation images\n";
    assert!(
        said.contains(leaks) && !said.contains("test images"),
        "{said}"
    );
    assert!(!warned.contains("judged"), "no warning: {warned}");
    failed(&on_part("training"), 2);
    failed(&["test", "--run", text(&data)], 1);
}

#[test]
fn the_window_judges_into_the_file_that_the_command_line_counts_in() {
    let _turn = turn();
    let (folder, ortho) = own_sample();
    let run = folder.path().join("orthobrush-runs").join("first");
    train_quickly(&folder.path().join("data"), &run);
    let report = |name: &str| std::fs::read_to_string(run.join(name)).expect("a report");
    assert!(!report("report.md").contains("| test |"));
    let mut harness = window(Some(&ortho));
    harness.key_press(Key::F8);
    harness.run_steps(2);
    settle(&mut harness);
    let once = "The test part was judged once";
    assert!(harness.query_by_label(once).is_none(), "nobody asked");
    harness.get_by_label("Judge on test part").click_accesskit();
    harness.run_steps(2);
    settle(&mut harness);
    harness.get_by_label(once);
    harness.get_by_label("Mean IoU per image");
    let judgement = Judgement::load(&run, ScoredOn::Test).expect("a judgement");
    assert_eq!(
        (judgement.reads, judgement.total.scores.unpredicted),
        (1, 0)
    );
    for name in ["report.md", "report.html"] {
        assert!(report(name).contains(once), "{name}");
    }
    let second = json(&["test", "--run", text(&run), "--json"]);
    assert_eq!(second["reads"], 2, "the same file counts");
    let header = "|  | test | validation, selected on it |";
    assert!(report("report.md").contains(header));
    assert!(report("report.html").contains("judged 2 times"));
}

#[test]
fn an_experiment_is_called_by_its_name() {
    let errors = failed(&["experiment", "weather"], 2);
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
