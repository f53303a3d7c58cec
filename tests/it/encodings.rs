//! Masks of other programs, corrected and saved: their files stay what they were.

use std::path::Path;

use orthobrush::dataset::discover;
use orthobrush::disk::replace_file;
use orthobrush::geom::ImagePoint;
use orthobrush::label::{ClassTable, Encoding, Mask, SaveAs, UNLABELED, load_mask, save_mask};
use orthobrush::raster::open_raster;
use orthobrush::session::{Command, LayerKind, Session, StepTo};

use crate::fixture::{finish, sample, session};

/// Images `a.tif` and `b.tif` with a mask each: class 0, on the left another one.
fn folder_of(classes: &[u8], table: &ClassTable, save_as: SaveAs) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("images")).expect("made");
    let size = open_raster(&sample().ortho).expect("an image").info().size;
    for ((parts, name), &class) in (2..).zip(["a", "b"]).zip(classes) {
        let image = folder.path().join(format!("images/{name}.tif"));
        std::fs::copy(&sample().ortho, image).expect("a copy");
        let mut mask = Mask::filled(size, 0);
        let mut left = size.bounds();
        left.width /= parts;
        mask.set_rect(left, &vec![class; left.num_pixels() as usize]);
        let path = folder.path().join(format!("masks/{name}.png"));
        save_mask(&path, &mask, table, None, save_as).expect("saved");
    }
    folder
}

fn opened_folder(folder: &Path) -> Session {
    let mut session = session();
    let path = folder.to_owned();
    finish(&mut session, Command::Open { path });
    session
}

/// Paints a dab and saves.
fn dab(session: &mut Session, class: u8) {
    let at = ImagePoint::new(900.0, 500.0);
    session
        .apply(Command::BeginStroke { at, class })
        .expect("begun");
    session.apply(Command::EndStroke).expect("ended");
    finish(session, Command::SaveLabel);
}

#[test]
fn a_black_and_white_mask_stays_one_and_its_data_set_readable() {
    let folder = folder_of(&[1, 1], &ClassTable::road(), SaveAs::BinaryPng);
    let mut session = opened_folder(folder.path());
    dab(&mut session, 1);
    let painted = &session.layer(LayerKind::Label).expect("a label").mask;
    assert_eq!(painted.get(900, 500), 1);
    let path = folder.path().join("masks/a.png");
    let read = load_mask(&path, None, Encoding::Binary, None).expect("a mask");
    assert_eq!(&read.mask, painted);
    let found = discover(folder.path()).expect("a data set");
    for sample in &found.samples {
        let (mask, notes) = sample.load_mask(&found).expect("a mask");
        assert_eq!(mask.histogram()[usize::from(UNLABELED)], 0, "{notes:?}");
        assert!(mask.histogram()[1] > 0);
    }
}

#[test]
fn color_coded_masks_of_a_folder_share_the_classes_of_its_list() {
    let colors = ClassTable::from_codes(&[[0, 255, 255], [0, 0, 255], [0, 255, 0]]);
    let folder = folder_of(&[2, 1], &colors, SaveAs::RgbPng);
    let list = "name,r,g,b\nurban,0,255,255\nwater,0,0,255\nforest,0,255,0\n";
    replace_file(&folder.path().join("class_dict.csv"), list.as_bytes()).expect("written");
    let mut session = opened_folder(folder.path());
    let check = |session: &Session, class: u8| {
        let classes = session.classes().classes();
        let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
        assert_eq!(names, ["urban", "water", "forest"]);
        let mask = &session.layer(LayerKind::Label).expect("a label").mask;
        assert_eq!((mask.get(10, 10), mask.get(1_000, 10)), (class, 0));
    };
    check(&session, 2);
    dab(&mut session, 1);
    let path = folder.path().join("masks/a.png");
    let palette = open_raster(&path).expect("a mask").info().palette.clone();
    assert_eq!(palette, None);
    let read = load_mask(&path, None, Encoding::Rgb, Some(&colors)).expect("a mask");
    assert_eq!(
        read.mask,
        session.layer(LayerKind::Label).expect("a label").mask
    );
    finish(&mut session, Command::Step(StepTo::Next));
    check(&session, 1);
}

#[test]
fn a_note_that_all_masks_need_is_told_once() {
    let near = ClassTable::from_codes(&[[0; 3], [250; 3]]);
    let folder = folder_of(&[1, 1], &near, SaveAs::RgbPng);
    let mut session = session();
    let path = folder.path().to_owned();
    session.apply(Command::Open { path }).expect("accepted");
    assert_eq!(notes_of(&mut session), 1);
    session
        .apply(Command::Step(StepTo::Next))
        .expect("accepted");
    assert_eq!(notes_of(&mut session), 0);
    let path = folder.path().to_owned();
    session.apply(Command::Open { path }).expect("accepted");
    assert_eq!(notes_of(&mut session), 1);
}

/// How many notes about greys come until all is done.
fn notes_of(session: &mut Session) -> usize {
    let mut notes = 0;
    while session.pump(64) > 0 || !session.is_idle() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    for notice in session.take_notices() {
        notes += usize::from(notice.text.contains("neither black nor white"));
    }
    notes
}
