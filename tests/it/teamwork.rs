//! Two people on one image, the change registry, packing, and steps older than memory holds.

use std::path::Path;
use std::process::{Command as Process, Output};

use orthobrush::disk::replace_file;
use orthobrush::geom::ImagePoint;
use orthobrush::job::Waker;
use orthobrush::label::{Encoding, Mask, load_mask};
use orthobrush::session::{
    Command, LayerKind, ProjectCommand, ProjectPlace, ReviewCommand, Session, SessionConfig,
};

use crate::fixture::{finish, own_sample, settle};
use crate::keeping::{opened, stroke};

fn run(arguments: &[&Path]) -> Output {
    let mut program = Process::new(env!("CARGO_BIN_EXE_orthobrush"));
    program.args(arguments).output().expect("it starts")
}

#[track_caller]
fn done(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

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
    let output = run(&[
        Path::new("merge"),
        &ortho.with_extension("orthobrush"),
        theirs,
        Path::new("--image"),
        ortho,
        Path::new("--rule"),
        Path::new("theirs"),
        Path::new("--out"),
        &out,
        Path::new("--disagreement"),
        &disagreement,
        Path::new("--json"),
    ]);
    let told: serde_json::Value = serde_json::from_str(&done(&output)).expect("JSON");
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
    let text = std::fs::read_to_string(&path).expect("text");
    assert!(
        text.lines().count() > 2 && text.contains("Brush stroke"),
        "{text}"
    );
    let project = ortho.with_extension("orthobrush");
    let out = folder.path().join("history.geojson");
    drop(session);
    let [image, to] = ["--image", "--out"].map(Path::new);
    done(&run(&[
        Path::new("history"),
        &project,
        image,
        &ortho,
        to,
        &out,
    ]));
    let text = std::fs::read_to_string(&out).expect("text");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["features"].as_array().expect("features").len(), 2);
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
    done(&run(&[
        Path::new("pack"),
        &project,
        Path::new("--out"),
        &out,
    ]));
    let session = opened(&out.join("ortho.tif"));
    assert_eq!(label(&session), painted);
    assert!(session.can_undo());
    let again = run(&[Path::new("pack"), &project, Path::new("--out"), &out]);
    assert!(!again.status.success(), "what is there is not written over");
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
