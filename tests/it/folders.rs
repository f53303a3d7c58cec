//! Folders of images: which labels their files lack.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use orthobrush::app::{App, AppConfig};
use orthobrush::disk::replace_file;
use orthobrush::job::Waker;
use orthobrush::label::{Encoding, load_mask};
use orthobrush::session::{
    Command, CopiedCommand, EntryStatus, Notice, ProjectCommand, ProjectPlace, Session,
    SessionConfig, Severity, StepTo,
};

use crate::fixture::{finish, sample, settle, turn};
use crate::improving::mark_done;
use crate::keeping::{keeping, label, stroke};
use crate::program::{done, json, refused, text};
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

/// Carries a command out and gives all that was said about it.
fn told(session: &mut Session, command: Command) -> Vec<Notice> {
    session.apply(command).expect("accepted");
    let mut told = Vec::new();
    let began = Instant::now();
    while session.pump(64) > 0 || !session.is_idle() {
        told.extend(session.take_notices());
        assert!(began.elapsed() < Duration::from_mins(5), "it does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
    told.extend(session.take_notices());
    told
}

/// Strokes on the first images of a folder, the last of which stays open.
fn painted(opened: &Path, images: usize) -> Session {
    let mut session = keeping();
    let path = opened.to_owned();
    finish(&mut session, Command::Open { path });
    for image in 0..images {
        if image > 0 {
            finish(&mut session, Command::Step(StepTo::Next));
        }
        stroke(&mut session, (100.0, 100.0), (600.0, 400.0), 4);
    }
    session
}

const SAVE_ALL: Command = Command::Project(ProjectCommand::SaveAllLabels);

#[test]
fn all_labels_are_saved_whose_files_lack_something() {
    let (_folder, opened) = folder_of(&["a.tif", "b.tif", "c.tif", "d.tif"]);
    let mut session = painted(&opened, 3);
    let words = "Saved 3 labels; 1 image was up to date";
    assert_eq!(told(&mut session, SAVE_ALL), [Notice::info(words)]);
    assert_eq!(session.unsaved().count(), 0);
    assert!(!session.has_unsaved_work());
    let mask = |name: &str| opened.join("masks").join(name);
    for name in ["a.tif", "b.tif", "c.tif"] {
        let read = load_mask(&mask(name), None, Encoding::Auto, None).expect("readable");
        assert_eq!(&read.mask, label(&session), "{name}");
    }
    let bytes = |path: &Path| std::fs::read(path).expect("readable");
    assert_eq!(bytes(&mask("d.tif")), bytes(&sample().label));
    let words = "Saved 0 labels; 4 images were up to date";
    assert_eq!(told(&mut session, SAVE_ALL), [Notice::info(words)]);
    drop(session);

    let mut session = keeping();
    let open = Command::Open {
        path: opened.clone(),
    };
    let said = told(&mut session, open);
    let is_fine = |notice: &Notice| notice.severity == Severity::Info;
    assert!(said.iter().all(is_fine), "no file is strange: {said:?}");
    assert_eq!(session.unsaved().count(), 0);
}

#[test]
fn a_label_that_cannot_be_saved_with_the_others_is_named() {
    let (_folder, opened) = folder_of(&["a.tif", "b.tif", "c.tif"]);
    let mut session = painted(&opened, 3);
    let first = opened.join("masks/a.tif");
    let bytes = std::fs::read(&sample().label).expect("readable");
    replace_file(&first, &bytes).expect("written by another program");
    std::fs::remove_file(opened.join("images/b.tif")).expect("removed");
    let told = told(&mut session, SAVE_ALL);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].severity, Severity::Error);
    let words = "Saved 1 label; 0 images were up to date; 2 labels could not be saved: \
                 a.tif: Another program wrote its file";
    assert!(told[0].text.starts_with(words), "{}", told[0].text);
    assert!(told[0].text.contains(". b.tif: "), "{}", told[0].text);
    assert_eq!(session.unsaved().collect::<Vec<_>>(), [0, 1]);
    assert_eq!(std::fs::read(&first).expect("readable"), bytes);
}

#[test]
fn all_labels_are_saved_from_the_menu() {
    let _turn = turn();
    let (_folder, opened) = folder_of(&["a.tif", "b.tif"]);
    drop(painted(&opened, 2));
    let mut harness = window_keeping(&opened);
    assert_eq!(session_of(&harness).unsaved().count(), 2);
    harness.get_by_label("File").click();
    harness.run_steps(4);
    harness.get_by_label_contains("Save all labels").click();
    harness.run_steps(2);
    settle_window(&mut harness);
    assert_eq!(session_of(&harness).unsaved().count(), 0);
}

#[test]
fn only_what_opened_is_among_the_recent_files() {
    let (folder, opened) = folder_of(&["a.tif", "b.tif"]);
    let mut session = Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: Some(folder.path().join("settings.toml")),
        projects: ProjectPlace::Nowhere,
    });
    let path = |name: &str| folder.path().join(name);
    std::fs::copy(&sample().ortho, path("good.tif")).expect("a copy");
    replace_file(&path("text.tif"), b"no image").expect("written");
    replace_file(&path("empty.tif"), b"").expect("written");
    let open = |session: &mut Session, path: &Path| {
        let path = path.to_owned();
        session.apply(Command::Open { path }).expect("accepted");
        settle(session)
    };
    assert!(open(&mut session, &path("good.tif")).is_empty());
    for name in ["text.tif", "empty.tif", "missing.tif"] {
        assert!(!open(&mut session, &path(name)).is_empty(), "{name}");
    }
    assert_eq!(session.settings().recent, [path("good.tif")]);
    assert!(open(&mut session, &opened).is_empty());
    let both = [opened.clone(), path("good.tif")];
    assert_eq!(session.settings().recent, both, "not the folder's images");
    replace_file(&path("good.tif"), b"no image any more").expect("written");
    assert!(!open(&mut session, &path("good.tif")).is_empty());
    assert_eq!(session.settings().recent, [opened]);
}

#[test]
fn an_image_of_a_folder_is_learned_from_and_ranked_without_a_window() {
    let (folder, opened) = folder_of(&["a.tif", "b.tif"]);
    let (project, run) = (opened.join("area.orthobrush"), folder.path().join("run"));
    let image = |name: &str| opened.join("images").join(name);
    let mut session = painted(&opened, 2);
    mark_done(&mut session, (0, 0));
    let words = session.as_command(CopiedCommand::Finetune).expect("words");
    drop(session);
    let b = image("b.tif");
    let of_b = ["--project", text(&project), "--image", text(&b)];
    assert!(
        words.ends_with(&format!("finetune {}", of_b.join(" "))),
        "{words}"
    );

    let quick = "finetune --epochs 1 --steps 2 --json --device cpu".split(' ');
    let quick: Vec<&str> = quick.chain(of_b).collect();
    done(&[&quick[..], &["--out", text(&run)]].concat());
    assert!(run.join("verdict.json").is_file());
    let queue = ["queue", "--count", "3", "--json", "--model", text(&run)];
    json(&[&queue[..], &of_b].concat());
    let other = folder.path().join("other.tif");
    std::fs::copy(&b, &other).expect("a copy");
    let of_other = ["--project", text(&project), "--image", text(&other)];
    let none = [&queue[..], &of_other].concat();
    refused(&none, &["none of the project's folder", "other.tif"]);

    let out = folder.path().join("cells.tif");
    let predict = ["predict", "--json", "--device", "cpu", "--cells", "done"];
    let paths = ["--model", text(&run), "--out", text(&out), "--image"];
    let predict = [&predict[..], &paths].concat();
    refused(
        &[&predict[..], &[text(&image("a.tif"))]].concat(),
        &["no such cell"],
    );
    json(&[&predict[..], &[text(&b)]].concat());
}
