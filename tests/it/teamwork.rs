//! Two people on one image, the change registry, packing, and steps older than memory holds.

use std::path::Path;

use orthobrush::disk::replace_file;
use orthobrush::geom::ImagePoint;
use orthobrush::job::Waker;
use orthobrush::label::{Encoding, Mask, load_mask};
use orthobrush::session::{
    Command, LayerKind, ProjectCommand, ProjectPlace, ReviewCommand, Session, SessionConfig,
};

use crate::fixture::{finish, own_sample, settle};
use crate::keeping::{opened, stroke};
use crate::program::{done, failed, json, text};

fn label(session: &Session) -> Mask {
    session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .clone()
}

#[test]
fn two_labels_of_one_image_are_compared_and_merged() {
    let (here, ortho) = own_sample();
    let (there, other) = own_sample();
    let mut ours = opened(&ortho);
    stroke(&mut ours, (100.0, 100.0), (300.0, 120.0), 3);
    settle(&mut ours);
    let mut theirs = opened(&other);
    stroke(&mut theirs, (600.0, 600.0), (800.0, 640.0), 4);
    settle(&mut theirs);
    let their_label = label(&theirs);
    drop(theirs);
    let project = other.with_extension("orthobrush");
    finish(
        &mut ours,
        Command::Project(ProjectCommand::OpenTheirs {
            path: project.clone(),
        }),
    );
    assert_eq!(
        ours.layer(LayerKind::Prediction).expect("theirs").mask,
        their_label
    );
    finish(&mut ours, Command::Review(ReviewCommand::Start));
    assert!(
        ours.review().is_some(),
        "the differences can be walked through"
    );
    drop(ours);

    merge_headless(here.path(), &ortho, &project);
    drop(there);
}

fn merge_headless(folder: &Path, ortho: &Path, theirs: &Path) {
    let (out, disagreement) = (folder.join("merged.tif"), folder.join("differ.tif"));
    let told = json(&[
        "merge",
        text(&ortho.with_extension("orthobrush")),
        text(theirs),
        "--image",
        text(ortho),
        "--rule",
        "theirs",
        "--out",
        text(&out),
        "--disagreement",
        text(&disagreement),
        "--json",
    ]);
    let kappa = told["kappa"].as_f64().expect("a number");
    assert!((0.9..1.0).contains(&kappa), "{kappa}");
    let merged = load_mask(&out, None, Encoding::Index, None)
        .expect("a mask")
        .mask;
    let differing = load_mask(&disagreement, None, Encoding::Index, None)
        .expect("a mask")
        .mask;
    let counts = differing.histogram();
    assert_eq!(
        counts[..255].iter().sum::<u64>(),
        told["differ"].as_u64().expect("a number")
    );
    assert_eq!(merged.get(700, 620), 4, "their road");
}

#[test]
fn the_history_goes_out_row_by_row() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    stroke(&mut session, (100.0, 100.0), (300.0, 120.0), 3);
    stroke(&mut session, (500.0, 100.0), (500.0, 600.0), 4);
    settle(&mut session);
    let path = folder.path().join("history.csv");
    finish(
        &mut session,
        Command::Project(ProjectCommand::ExportHistory { path: path.clone() }),
    );
    let table = std::fs::read_to_string(&path).expect("text");
    assert!(
        table.lines().count() > 2 && table.contains("Brush stroke"),
        "{table}"
    );
    let project = ortho.with_extension("orthobrush");
    let out = folder.path().join("history.geojson");
    drop(session);
    let history = ["history", text(&project), "--image", text(&ortho)];
    done(&[&history[..], &["--out", text(&out)]].concat());
    let written = std::fs::read_to_string(&out).expect("text");
    let written: serde_json::Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(written["features"].as_array().expect("features").len(), 2);
}

#[test]
fn a_packed_project_opens_elsewhere() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    stroke(&mut session, (100.0, 100.0), (300.0, 120.0), 3);
    settle(&mut session);
    let painted = label(&session);
    drop(session);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let out = elsewhere.path().join("packed");
    let project = ortho.with_extension("orthobrush");
    let pack = ["pack", text(&project), "--out", text(&out)];
    done(&pack);
    let session = opened(&out.join("ortho.tif"));
    assert_eq!(label(&session), painted);
    assert!(session.can_undo());
    // What is there is not written over.
    failed(&pack, 1);
}

#[test]
fn steps_that_memory_does_not_hold_are_read_back() {
    let (folder, ortho) = own_sample();
    let settings = folder.path().join("settings.toml");
    replace_file(&settings, b"history_mib = 0\n").expect("written");
    let mut session = Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: Some(settings),
        projects: ProjectPlace::Beside { fallback: None },
    });
    let path = ortho.clone();
    finish(&mut session, Command::Open { path });
    let before = label(&session);
    for n in 0..6 {
        let y = 100.0 + 60.0 * f64::from(n);
        stroke(&mut session, (100.0, y), (400.0, y + 20.0), 3);
    }
    settle(&mut session);
    assert_eq!(session.num_steps(), (1, 1), "memory holds the newest alone");
    for _ in 0..6 {
        assert!(session.can_undo());
        finish(&mut session, Command::Undo);
    }
    assert_eq!(label(&session), before);
    assert!(!session.can_undo());
    for _ in 0..6 {
        finish(&mut session, Command::Redo);
    }
    let at = ImagePoint::new(120.0, 100.0);
    let (x, y) = at.pixel_in(before.size()).expect("inside");
    assert_eq!(label(&session).get(x, y), 3);
}
