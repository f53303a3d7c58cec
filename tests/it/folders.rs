//! Folders of images: which labels their files lack.

use std::path::{Path, PathBuf};

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use orthobrush::app::{App, AppConfig};
use orthobrush::session::{Command, EntryStatus, ProjectPlace, Session, StepTo};

use crate::fixture::{finish, sample, turn};
use crate::keeping::{keeping, stroke};
use crate::window::{
    canvas_center, drag, session as session_of, settle as settle_window, window, window_of,
};

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

/// A window that keeps strokes in a project.
fn window_keeping(opened: &Path) -> Harness<'static, App> {
    window_of(AppConfig {
        open: Some(opened.to_owned()),
        projects: ProjectPlace::Beside { fallback: None },
        ..AppConfig::default()
    })
}

#[test]
fn that_one_label_was_saved_is_not_said_of_another() {
    let _turn = turn();
    let (_folder, opened) = folder_of(&["a.tif", "b.tif"]);
    let mut harness = window(Some(&opened));
    let said = |harness: &Harness<'_, App>| {
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

#[test]
fn the_list_knows_which_labels_their_files_lack() {
    let (_folder, opened) = folder_of(&["a.tif", "b.tif", "c.tif"]);
    let open = || {
        let mut session = keeping();
        let path = opened.clone();
        finish(&mut session, Command::Open { path });
        session
    };
    let unsaved = |session: &Session| session.unsaved().collect::<Vec<_>>();
    let next = Command::Step(StepTo::Next);
    let mut session = open();
    assert!(unsaved(&session).is_empty());
    stroke(&mut session, (100.0, 100.0), (600.0, 400.0), 4);
    assert_eq!(unsaved(&session), [0], "the open image at once");
    finish(&mut session, next.clone());
    stroke(&mut session, (100.0, 100.0), (600.0, 400.0), 4);
    finish(&mut session, next.clone());
    assert_eq!(unsaved(&session), [0, 1], "images that were left");
    drop(session);

    let mut session = open();
    assert_eq!(unsaved(&session), [0, 1], "after a restart");
    // The image is left before its label is written.
    session.apply(Command::SaveLabel).expect("accepted");
    finish(&mut session, next.clone());
    assert_eq!(unsaved(&session), [1]);
    finish(&mut session, Command::Undo);
    assert!(unsaved(&session).is_empty(), "back to what its file has");
    let path = opened.clone();
    finish(&mut session, Command::Open { path });
    let list = session.list().expect("a list");
    assert_eq!(list.entries[1].status, EntryStatus::InWork);
    drop(session);
    assert!(unsaved(&open()).is_empty(), "after another restart");
}

#[test]
fn the_panel_marks_labels_that_are_not_saved() {
    let _turn = turn();
    let (_folder, opened) = folder_of(&["a.tif", "b.tif"]);
    let mut harness = window_keeping(&opened);
    let marks = |harness: &Harness<'_, App>| {
        let mark = egui_material_icons::icons::ICON_SAVE.codepoint;
        harness.query_all_by_label(mark).count()
    };
    let words = "1 label is not saved to its file yet";
    harness
        .get_by_role_and_label(egui::Role::Button, "Images")
        .click_accesskit();
    harness.key_press(Key::Num4);
    harness.run_steps(2);
    assert_eq!(marks(&harness), 0);
    let at = canvas_center(&harness);
    drag(&mut harness, &[at, at + egui::vec2(150.0, 60.0)]);
    harness.key_press(Key::D);
    harness.run_steps(2);
    settle_window(&mut harness);
    assert_eq!(marks(&harness), 1);
    harness.get_by_label(words);
    harness.key_press(Key::A);
    harness.run_steps(2);
    settle_window(&mut harness);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run_steps(2);
    settle_window(&mut harness);
    assert_eq!(marks(&harness), 0);
    assert!(harness.query_by_label(words).is_none());
}
