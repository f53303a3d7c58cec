//! Painting through the session's commands: what people do, without a window.

use orthobrush::disk::version_path;
use orthobrush::exchange::read_geojson;
use orthobrush::geom::{ImagePoint, PixelRect};
use orthobrush::label::{Cleanup, Encoding, Span, UNLABELED, load_mask};
use orthobrush::session::{
    Command, CommandError, EntryStatus, ExportOrder, LayerKind, SelectionCommand, Session, StepTo,
    Tool, WandSettings, Wholesale,
};
use proptest::prelude::*;

use crate::fixture::{finish, opened, own_sample, sample, session, settle};

fn label_at(session: &Session, x: u32, y: u32) -> u8 {
    session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .get(x, y)
}

fn stroke(session: &mut Session, class: u8, points: &[(f64, f64)]) {
    let mut points = points.iter().map(|&(x, y)| ImagePoint::new(x, y));
    let at = points.next().expect("a first point");
    session
        .apply(Command::BeginStroke { at, class })
        .expect("begun");
    for to in points {
        session
            .apply(Command::ExtendStroke { to })
            .expect("extended");
    }
    session.apply(Command::EndStroke).expect("ended");
    session.check_invariants();
}

/// The sample's orthophoto in a folder of its own, without the label beside it.
fn without_label() -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("alone.tif");
    std::fs::copy(&sample().ortho, &path).expect("a copy");
    let session = opened(&path);
    (folder, session)
}

#[test]
fn a_stroke_paints_and_undo_takes_it_back() {
    let mut session = opened(&sample().ortho);
    let before = session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .clone();
    session
        .apply(Command::SetBrushDiameter(20.0))
        .expect("accepted");
    stroke(&mut session, 3, &[(100.0, 100.0), (200.0, 100.0)]);
    assert_eq!(label_at(&session, 150, 100), 3);
    assert!(session.has_unsaved_work());
    session.apply(Command::Undo).expect("undone");
    assert_eq!(
        session.layer(LayerKind::Label).expect("a label").mask,
        before
    );
    assert!(
        !session.has_unsaved_work(),
        "the label is as in its file again"
    );
    session.apply(Command::Redo).expect("redone");
    assert_eq!(label_at(&session, 150, 100), 3);
}

#[test]
fn a_cancelled_stroke_leaves_nothing() {
    let mut session = opened(&sample().ortho);
    let before = session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .clone();
    let at = ImagePoint::new(300.0, 300.0);
    session
        .apply(Command::BeginStroke { at, class: 1 })
        .expect("begun");
    assert!(matches!(
        session.apply(Command::Undo),
        Err(CommandError::StrokeOpen)
    ));
    assert!(matches!(
        session.apply(Command::SaveLabel),
        Err(CommandError::StrokeOpen)
    ));
    session.apply(Command::CancelStroke).expect("cancelled");
    assert_eq!(
        session.layer(LayerKind::Label).expect("a label").mask,
        before
    );
    assert!(!session.can_undo());
}

#[test]
fn painting_without_a_label_makes_one() {
    let (_folder, mut session) = without_label();
    assert!(session.layer(LayerKind::Label).is_none());
    stroke(&mut session, 2, &[(50.0, 50.0)]);
    assert_eq!(label_at(&session, 50, 50), 2);
    assert_eq!(label_at(&session, 500, 500), UNLABELED);
}

#[test]
fn polygon_fill_and_picker_do_what_they_say() {
    let (_folder, mut session) = without_label();
    let corner = |x: f64, y: f64| ImagePoint::new(x, y);
    session.apply(Command::SelectClass(4)).expect("accepted");
    let corners = vec![
        corner(10.0, 10.0),
        corner(110.0, 10.0),
        corner(110.0, 60.0),
        corner(10.0, 60.0),
    ];
    session
        .apply(Command::FillPolygon {
            corners,
            class: None,
        })
        .expect("filled");
    let histogram = session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .histogram();
    assert_eq!(histogram[4], 100 * 50);
    session.apply(Command::SelectClass(1)).expect("accepted");
    session
        .apply(Command::FloodFill {
            at: corner(50.0, 30.0),
        })
        .expect("filled");
    assert_eq!(label_at(&session, 10, 10), 1);
    assert_eq!(label_at(&session, 200, 200), UNLABELED);
    session.apply(Command::SelectClass(2)).expect("accepted");
    session
        .apply(Command::PickClass {
            at: corner(20.0, 20.0),
        })
        .expect("picked");
    assert_eq!(session.active_class(), 1);
    session.apply(Command::Undo).expect("undone");
    assert_eq!(label_at(&session, 10, 10), 4, "a fill is one step");
}

#[test]
fn only_unlabeled_ground_is_painted_when_asked() {
    let mut session = opened(&sample().ortho);
    let before = label_at(&session, 400, 400);
    assert_ne!(before, UNLABELED);
    session
        .apply(Command::SetOnlyUnlabeled(true))
        .expect("accepted");
    stroke(&mut session, (before + 1) % 5, &[(400.0, 400.0)]);
    assert_eq!(label_at(&session, 400, 400), before);
}

#[test]
fn saving_writes_what_is_seen() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    stroke(&mut session, 3, &[(10.0, 10.0), (900.0, 700.0)]);
    finish(&mut session, Command::SaveLabel);
    assert!(!session.has_unsaved_work());
    let label = session.layer(LayerKind::Label).expect("a label");
    let path = label.path.as_ref().expect("a file");
    let read = load_mask(path, None, Encoding::Auto, None).expect("readable");
    assert_eq!(read.mask, label.mask);
    assert_eq!(read.georef.map(|georef| georef.epsg), Some(Some(2180)));
}

#[test]
fn commands_that_make_no_sense_say_why() {
    let mut session = session();
    let at = ImagePoint::new(1.0, 1.0);
    assert!(matches!(
        session.apply(Command::BeginStroke { at, class: 1 }),
        Err(CommandError::NoImage)
    ));
    assert!(matches!(
        session.apply(Command::SaveLabel),
        Err(CommandError::NoLabel)
    ));
    assert!(matches!(
        session.apply(Command::EndStroke),
        Err(CommandError::NoStroke)
    ));
    assert!(matches!(
        session.apply(Command::SelectClass(77)),
        Err(CommandError::NoClass(77))
    ));
    assert!(matches!(
        session.apply(Command::predict(None)),
        Err(CommandError::NoRun)
    ));
    session
        .apply(Command::Undo)
        .expect("nothing to undo is no error");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_strokes_undone_restore_the_label(
        strokes in prop::collection::vec((0u8..5, 0.0..1024.0, 0.0..1024.0, 1.0..200.0), 1..12)
    ) {
        let mut session = opened(&sample().ortho);
        let before = session.layer(LayerKind::Label).expect("a label").mask.clone();
        for &(class, x, y, size) in &strokes {
            session.apply(Command::SetBrushDiameter(size)).expect("accepted");
            stroke(&mut session, class, &[(x, y), (y, x)]);
        }
        let after = session.layer(LayerKind::Label).expect("a label").mask.clone();
        while session.can_undo() {
            session.apply(Command::Undo).expect("undone");
        }
        prop_assert_eq!(&session.layer(LayerKind::Label).expect("a label").mask, &before);
        while session.can_redo() {
            session.apply(Command::Redo).expect("redone");
        }
        prop_assert_eq!(&session.layer(LayerKind::Label).expect("a label").mask, &after);
    }
}

#[test]
fn opening_something_else_never_loses_strokes() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    stroke(&mut session, 3, &[(10.0, 10.0), (90.0, 70.0)]);
    let painted = session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .clone();
    let open = Command::Open {
        path: sample().ortho.clone(),
    };
    assert!(matches!(
        session.apply(open.clone()),
        Err(CommandError::UnsavedWork)
    ));
    finish(&mut session, Command::SaveThen(Box::new(open)));
    assert_eq!(
        session.image().map(|image| &image.path),
        Some(&sample().ortho)
    );
    let saved = folder.path().join("label.tif");
    let read = load_mask(&saved, None, Encoding::Auto, None).expect("readable");
    assert_eq!(read.mask, painted);
}

#[test]
fn what_follows_a_save_does_not_happen_when_the_save_fails() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    stroke(&mut session, 3, &[(10.0, 10.0), (90.0, 70.0)]);
    // A folder in the file's place: the rename onto it must fail, for root as well.
    let label = folder.path().join("label.tif");
    std::fs::remove_file(&label).expect("removed");
    std::fs::create_dir_all(label.join("inside")).expect("made");
    let open = Command::Open {
        path: sample().ortho.clone(),
    };
    session
        .apply(Command::SaveThen(Box::new(open)))
        .expect("accepted");
    let errors = settle(&mut session);
    assert!(
        errors.iter().any(|error| error.contains("label.tif")),
        "{errors:?}"
    );
    assert_eq!(
        session.image().map(|image| &image.path),
        Some(&ortho),
        "nothing else was opened"
    );
    assert!(session.has_unsaved_work());
}

#[test]
fn a_list_is_stepped_through_and_remembers_what_was_done() {
    let folder = tempfile::tempdir().expect("a folder");
    for part in ["images", "masks"] {
        std::fs::create_dir(folder.path().join(part)).expect("made");
    }
    for name in ["a.tif", "b.tif"] {
        let image = folder.path().join("images").join(name);
        std::fs::copy(&sample().ortho, image).expect("a copy");
        std::fs::copy(&sample().label, folder.path().join("masks").join(name)).expect("a copy");
    }
    let mut session = session();
    finish(
        &mut session,
        Command::Open {
            path: folder.path().to_owned(),
        },
    );
    assert_eq!(session.list().and_then(|list| list.current), Some(0));
    stroke(&mut session, 4, &[(500.0, 500.0)]);
    let status = |session: &Session, at: usize| session.list().expect("a list").entries[at].status;
    assert_eq!(status(&session, 0), EntryStatus::InWork);
    finish(&mut session, Command::Step(StepTo::Next));
    assert_eq!(session.list().and_then(|list| list.current), Some(1));
    let first = folder.path().join("masks/a.tif");
    let read = load_mask(&first, None, Encoding::Auto, None).expect("readable");
    assert_eq!(
        read.mask.get(500, 500),
        4,
        "leaving an image saves its label"
    );
    finish(&mut session, Command::MarkDone { is_done: true });
    finish(&mut session, Command::MakeThumbnails { of: vec![0, 7] });
    assert!(
        session.list().expect("a list").entries[0]
            .thumbnail
            .is_some()
    );
    std::fs::remove_file(folder.path().join("images/a.tif")).expect("removed");
    let gone = session.apply(Command::Step(StepTo::NextNotDone));
    assert!(matches!(gone, Err(CommandError::MissingFile(_))));
    assert_eq!(status(&session, 0), EntryStatus::Missing);
    assert_eq!(status(&session, 1), EntryStatus::Done);
}

#[test]
fn a_clean_up_is_one_step_and_painting_waits_for_it() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let before = session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .clone();
    let what = Cleanup::Majority { radius: 3 };
    session
        .apply(Command::Wholesale {
            change: Wholesale::CleanUp(what),
            within: None,
        })
        .expect("accepted");
    let at = ImagePoint::new(10.0, 10.0);
    let refused = session.apply(Command::BeginStroke { at, class: 1 });
    assert!(matches!(refused, Err(CommandError::Busy(_))));
    assert!(settle(&mut session).is_empty());
    let after = session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .clone();
    assert_ne!(after, before);
    assert_eq!(session.num_steps(), (1, 1));
    session.apply(Command::Undo).expect("accepted");
    assert_eq!(
        session.layer(LayerKind::Label).expect("a label").mask,
        before
    );
}

#[test]
fn a_class_becomes_another_everywhere_or_in_a_part() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let counts = |session: &Session| *session.areas();
    let before = counts(&session);
    let within = Some(PixelRect::new(0, 0, 1_024, 300));
    for within in [within, None] {
        finish(
            &mut session,
            Command::Wholesale {
                change: Wholesale::Replace { from: 2, to: 4 },
                within,
            },
        );
    }
    let after = counts(&session);
    assert_eq!((after[2], after[4]), (0, before[4] + before[2]));
    assert_eq!(session.num_steps(), (2, 2));
    let unknown = Command::Wholesale {
        change: Wholesale::Replace { from: 2, to: 77 },
        within: None,
    };
    assert!(matches!(
        session.apply(unknown),
        Err(CommandError::NoClass(77))
    ));
}

#[test]
fn the_wand_selects_like_ground_and_enter_fills_it() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let at = ImagePoint::new(520.5, 300.5);
    let wand = WandSettings {
        tolerance: 40,
        contiguous: true,
    };
    session.apply(Command::SetWand(wand)).expect("accepted");
    finish(
        &mut session,
        Command::Selection(SelectionCommand::Alike { at, within: None }),
    );
    let chosen = session.selected().expect("a selection").pixels.clone();
    assert!(chosen.num_pixels() > 100);
    session.apply(Command::SelectClass(3)).expect("accepted");
    session
        .apply(Command::Selection(SelectionCommand::Fill))
        .expect("accepted");
    assert!(session.selected().is_none());
    let label = &session.layer(LayerKind::Label).expect("a label").mask;
    for span in chosen.spans() {
        assert!((span.start..span.end).all(|x| label.get(x, span.y) == 3));
    }
    session.check_invariants();
    session.apply(Command::Undo).expect("accepted");
    // Another image has no selection.
    finish(
        &mut session,
        Command::Selection(SelectionCommand::Alike { at, within: None }),
    );
    session
        .apply(Command::Selection(SelectionCommand::Drop))
        .expect("accepted");
    assert!(session.selected().is_none());
}

#[test]
fn the_superpixel_brush_paints_whole_patches() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let at = ImagePoint::new(400.5, 300.5);
    assert!(!session.has_superpixels_at(at));
    let visible = PixelRect::new(0, 0, 700, 600);
    let superpixels = Command::SelectTool(Tool::Superpixel);
    session.apply(superpixels).expect("accepted");
    finish(&mut session, Command::PrepareGround { at, visible });
    assert!(session.has_superpixels_at(at));
    session
        .apply(Command::SetBrushDiameter(30.0))
        .expect("accepted");
    let patches = session.superpixels_under_brush(at).expect("patches");
    let before = session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .clone();
    session
        .apply(Command::BeginStroke { at, class: 3 })
        .expect("accepted");
    session.apply(Command::EndStroke).expect("accepted");
    let after = &session.layer(LayerKind::Label).expect("a label").mask;
    let inside = |x: u32, y: u32| {
        let holds = |span: &Span| span.y == y && (span.start..span.end).contains(&x);
        patches.spans().iter().any(holds)
    };
    for (x, y) in (350..460).flat_map(|x| (250..360).map(move |y| (x, y))) {
        let expected = if inside(x, y) { 3 } else { before.get(x, y) };
        assert_eq!(after.get(x, y), expected, "({x}, {y})");
    }
    assert!(patches.num_pixels() > 400);
}

#[test]
fn what_a_save_replaces_is_kept() {
    let (_folder, ortho) = own_sample();
    let file = ortho.with_file_name("label.tif");
    let first = std::fs::read(&file).expect("a label");
    let mut session = opened(&ortho);
    for class in [1, 2] {
        stroke(&mut session, class, &[(100.0, 100.0), (300.0, 200.0)]);
        finish(&mut session, Command::SaveLabel);
    }
    let newest = load_mask(&version_path(&file, 1), None, Encoding::Auto, None);
    assert_eq!(newest.expect("a mask").mask.get(200, 150), 1);
    let oldest = std::fs::read(version_path(&file, 2)).expect("a version");
    assert_eq!(oldest, first);
}

#[test]
fn the_label_is_exported_as_polygons() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let path = folder.path().join("label.geojson");
    let order = ExportOrder::File {
        path: path.clone(),
        generalize: None,
    };
    finish(&mut session, Command::Export(order));
    assert!(!session.has_unsaved_work());
    let layer = read_geojson(&path).expect("polygons");
    assert!(layer.shapes.len() > 10 && layer.epsg() == Some(2180));
}
