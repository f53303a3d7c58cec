//! Searches and cross-validations put together and watched in the window.

use std::fs;

use egui::{Key, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use orthobrush::app::App;

use crate::fixture::{own_sample, turn};
use crate::window::{session, set_number, settle, window};

fn press(harness: &mut Harness<'_, App>, label: &str) {
    // By its name: it may have to be scrolled to.
    harness.get_by_label(label).click_accesskit();
    harness.run_steps(3);
    settle(harness);
}

/// A window on the sample, in the training area.
fn shown() -> (tempfile::TempDir, Harness<'static, App>) {
    let (folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    harness.key_press(Key::F8);
    harness.run_steps(2);
    settle(&mut harness);
    (folder, harness)
}

#[test]
fn a_search_says_what_it_takes_before_it_starts() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    press(&mut harness, "Search…");
    // The winner is trained whole anyway.
    harness.get_by_label("12 trials: 12 to epoch 3, 4 to epoch 9");
    press(&mut harness, "Train it anew from 3 seeds");
    harness.get_by_label("12 trials: 12 to epoch 3, 4 to epoch 9, 1 to epoch 14");
    press(&mut harness, "Only the better ones go on");
    harness.get_by_label("12 trials: 12 to epoch 14");
    press(&mut harness, "Dice");
    press(&mut harness, "All combinations");
    // Two losses with three rates, and the recipe as it is.
    harness.get_by_label("7 trials: 7 to epoch 14");
    press(&mut harness, "camvid");
    harness.get_by_label("CamVid: optimizer, loss, schedule and rate");
    press(&mut harness, "By ticks");
    harness.get_by_label("7 trials: 7 to epoch 14");
    assert!(!session(&harness).search().is_begun());
}

#[test]
fn the_dialogs_fit_into_small_and_large_windows() {
    let _turn = turn();
    let (_folder, mut harness) = shown();
    for entry in ["Search…", "Cross-validate…"] {
        harness.set_size(vec2(1_280.0, 800.0));
        harness.run_steps(2);
        press(&mut harness, entry);
        for size in [
            vec2(360.0, 240.0),
            vec2(700.0, 500.0),
            vec2(2_400.0, 1_600.0),
        ] {
            harness.set_size(size);
            harness.run_steps(3);
            harness.get_by_label("Start");
        }
        harness.key_press(Key::Escape);
        harness.run_steps(2);
        assert!(harness.query_by_label("Start").is_none(), "Esc closes it");
    }
}

#[test]
fn an_image_is_cross_validated_and_its_table_is_kept() {
    let _turn = turn();
    let (folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    for (name, value) in [("Epochs", "1"), ("Batch", "2"), ("Patch", "64")] {
        set_number(&mut harness, name, value);
    }
    press(&mut harness, "Cross-validate…");
    set_number(&mut harness, "Portions", "2");
    press(&mut harness, "Start");
    let queue = session(&harness).queue();
    assert_eq!(queue.failure, None);
    assert_eq!(
        queue.report.map(|report| (report.done, report.failed)),
        Some((2, 0))
    );
    let table = queue.table.as_ref().expect("a table");
    assert_eq!(table.group.runs, 2);
    harness.get_by_label("fold-0");
    harness.get_by_label("Majority alone");
    let runs = folder.path().join("orthobrush-runs");
    let names = fs::read_dir(&runs).expect("runs").flatten();
    let names = names.map(|entry| entry.path().join("folds.md"));
    assert_eq!(names.filter(|page| page.is_file()).count(), 1);
}
