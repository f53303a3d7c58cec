//! What the window says a training learns from.

use std::path::PathBuf;

use egui::Key;
use egui::accesskit::Toggled;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use orthobrush::app::App;

use crate::fixture::turn;
use crate::window::{session, settle, window};
use crate::window_training::{look_at, press, shown};

/// Whether the next training learns from the data set that is shown.
fn is_learned(harness: &Harness<'_, App>) -> bool {
    let learn = harness.get_by_label("Learn from it");
    learn.accesskit_node().toggled() == Some(Toggled::True)
}

/// Two data sets of tiles.
fn two_sets() -> (tempfile::TempDir, [PathBuf; 2]) {
    let folder = tempfile::tempdir().expect("a folder");
    let sets = ["first", "second"].map(|name| folder.path().join(name));
    for set in &sets {
        crate::program::tiles(set);
    }
    (folder, sets)
}

#[test]
fn a_data_set_that_was_opened_is_learned_from() {
    let _turn = turn();
    let (_sets, [first, second]) = two_sets();
    let mut harness = window(None);
    harness.key_press(Key::F8);
    harness.run_steps(2);
    look_at(&mut harness, &first);
    assert!(is_learned(&harness));
    press(&mut harness, "Learn from it");
    assert!(!is_learned(&harness));
    // Without a label there is nothing else to learn from.
    look_at(&mut harness, &second);
    assert!(is_learned(&harness));
}

#[test]
fn runs_beside_a_data_set_that_was_opened_are_listed() {
    let _turn = turn();
    let (sets, [first, _]) = two_sets();
    let runs = sets.path().join("orthobrush-runs");
    std::fs::create_dir(&runs).expect("a folder");
    let mut harness = window(None);
    harness.key_press(Key::F8);
    harness.run_steps(2);
    assert_eq!(session(&harness).runs().folder, None);
    look_at(&mut harness, &first);
    settle(&mut harness);
    assert_eq!(session(&harness).runs().folder, Some(runs));
}

#[test]
fn a_label_that_was_chosen_by_hand_stays_what_is_learned_from() {
    let _turn = turn();
    let (_sets, [first, second]) = two_sets();
    let (_folder, mut harness) = shown();
    look_at(&mut harness, &first);
    assert!(is_learned(&harness));
    press(&mut harness, "Learn from it");
    look_at(&mut harness, &second);
    assert!(!is_learned(&harness));
    press(&mut harness, "Learn from it");
    assert!(is_learned(&harness));
}
