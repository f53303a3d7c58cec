use std::time::{Duration, Instant};

use crate::geom::{ImagePoint, ImageSize};
use crate::job::Waker;
use crate::label::{Mask, StateMark};
use crate::session::{Command, LayerKind, ProjectPlace, Session, SessionConfig, Severity};

fn opened(image: &std::path::Path) -> Session {
    let mut session = Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: None,
        projects: ProjectPlace::Beside { fallback: None },
    });
    let path = image.to_owned();
    session.apply(Command::Open { path }).expect("accepted");
    wait(&mut session, |session| {
        (session.label.as_ref()).is_some_and(|label| !label.is_loading)
    });
    session
}

#[track_caller]
fn wait(session: &mut Session, until: impl Fn(&Session) -> bool) {
    let began = Instant::now();
    while !until(session) {
        assert!(began.elapsed() < Duration::from_mins(1), "it never came");
        session.pump(64);
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn masks(session: &Session) -> [Mask; 2] {
    [LayerKind::Label, LayerKind::Origins]
        .map(|kind| session.layer(kind).expect("a layer").mask.clone())
}

/// The program may be killed when the ground of a label is on the disk and its first step is not.
#[test]
fn the_ground_that_is_kept_first_has_nothing_of_the_first_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("field.png");
    let size = ImageSize::new(300, 300);
    let green = image::RgbImage::from_pixel(size.width, size.height, image::Rgb([40, 90, 30]));
    green.save(&image).expect("written");
    let label = image::GrayImage::from_pixel(size.width, size.height, image::Luma([1]));
    label
        .save(folder.path().join("field_label.png"))
        .expect("written");

    let mut session = opened(&image);
    let before = masks(&session);
    // The step is made where nobody keeps it; its label is kept after it.
    let keeper = session.keeper.take();
    let at = ImagePoint::new(150.0, 150.0);
    for command in [Command::BeginStroke { at, class: 2 }, Command::EndStroke] {
        session.apply(command).expect("accepted");
    }
    assert_ne!(masks(&session), before, "the stroke painted");
    session.keeper = keeper;
    let edit = session.history.steps().0.last().expect("a step").clone();
    session.begin_keeping(StateMark::from_number(0), Some(&edit));
    let is_on_disk = |session: &Session| {
        let keeper = session.keeper.as_ref().expect("a keeper");
        keeper.is_done() && !keeper.needs_source
    };
    wait(&mut session, is_on_disk);
    drop(session);

    let session = opened(&image);
    assert_eq!(session.num_steps(), (0, 0));
    assert_eq!(masks(&session), before);
}

#[test]
fn what_only_looks_like_a_label_by_its_name_is_no_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let colors = image::RgbImage::from_fn(300, 300, |x, y| {
        image::Rgb([x as u8, y as u8, (x * y % 251) as u8])
    });
    for name in ["field.png", "field_gt.png"] {
        colors.save(folder.path().join(name)).expect("written");
    }
    for projects in [
        ProjectPlace::Nowhere,
        ProjectPlace::Beside { fallback: None },
    ] {
        let mut session = Session::new(SessionConfig {
            waker: Waker::none(),
            settings_path: None,
            projects,
        });
        let path = folder.path().join("field.png");
        session.apply(Command::Open { path }).expect("accepted");
        wait(&mut session, |session| {
            session.image.is_some() && session.label.is_none()
        });
        wait(&mut session, |session| !session.notices.is_empty());
        let notices = session.take_notices();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert_eq!(notices[0].severity, Severity::Info, "{notices:?}");
        assert!(session.label.is_none(), "nothing was taken for the label");
        // Who says that it is the label is told why not.
        let path = folder.path().join("field_gt.png");
        let layer = LayerKind::Label;
        session
            .apply(Command::OpenMask { layer, path })
            .expect("accepted");
        wait(&mut session, |session| !session.notices.is_empty());
        let notices = session.take_notices();
        assert_eq!(notices[0].severity, Severity::Error, "{notices:?}");
    }
}

#[test]
fn a_kept_label_is_not_saved_over_what_only_looks_like_a_label_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("field.png");
    let colors = image::RgbImage::from_fn(300, 300, |x, y| {
        image::Rgb([x as u8, y as u8, (x * y % 251) as u8])
    });
    for name in ["field.png", "field_gt.png"] {
        colors.save(folder.path().join(name)).expect("written");
    }
    let mut session = Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: None,
        projects: ProjectPlace::Beside { fallback: None },
    });
    let path = image.clone();
    session.apply(Command::Open { path }).expect("accepted");
    wait(&mut session, |session| !session.notices.is_empty());
    let at = ImagePoint::new(150.0, 150.0);
    for command in [Command::BeginStroke { at, class: 2 }, Command::EndStroke] {
        session.apply(command).expect("accepted");
    }
    drop(session);

    let session = opened(&image);
    let label = session.label.as_ref().expect("a label");
    assert!(label.mask.histogram()[2] > 0, "the stroke was kept");
    assert_eq!(label.path, None);
}
