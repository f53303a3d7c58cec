//! Folders of images: which labels their files lack.

use std::path::PathBuf;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use crate::fixture::{sample, turn};
use crate::window::{session as session_of, settle as settle_window, window};

/// A folder of images in `images`, each with a mask in `masks`.
fn folder_of(names: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = folder.path().join("area");
    for (part, file) in [("images", &sample().ortho), ("masks", &sample().label)] {
        std::fs::create_dir_all(opened.join(part)).expect("made");
        for name in names {
            std::fs::copy(file, opened.join(part).join(name)).expect("a copy");
        }
    }
    (folder, opened)
}

#[test]
fn that_one_label_was_saved_is_not_said_of_another() {
    let _turn = turn();
    let (_folder, opened) = folder_of(&["a.tif", "b.tif"]);
    let mut harness = window(Some(&opened));
    let said = |harness: &egui_kittest::Harness<'_, _>| {
        let words = ["As in the file", " ago"];
        words.map(|words| harness.query_by_label_contains(words).is_some())
    };
    assert_eq!(said(&harness), [true, false]);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run_steps(2);
    settle_window(&mut harness);
    assert_eq!(said(&harness), [false, true], "it was saved just now");
    harness.key_press(Key::D);
    harness.run_steps(2);
    settle_window(&mut harness);
    let list = session_of(&harness).list().expect("a list");
    assert_eq!(list.current, Some(1));
    assert_eq!(said(&harness), [true, false], "this one was not saved");
}
