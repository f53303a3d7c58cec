//! What is kept beside the label: who made it, coverage, bookmarks.

use orthobrush::geom::ImagePoint;
use orthobrush::label::{CellKey, CellMark, CellState, Encoding, UNLABELED, load_mask};
use orthobrush::session::{Bookmark, ClassCommand, Command, LayerKind, PlaceCommand, Session};

use crate::fixture::{finish, own_sample, settle};
use crate::keeping::{opened, stroke};

#[test]
fn who_made_each_pixel_is_known_after_a_restart() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let total: u64 = session.areas()[..255].iter().sum();
    assert_eq!(session.origin_areas()[0], total, "all came from the file");
    stroke(&mut session, (100.0, 100.0), (300.0, 120.0), 3);
    stroke(&mut session, (500.0, 100.0), (500.0, 600.0), UNLABELED);
    let by_hand = session.origin_areas()[1];
    assert!(by_hand > 1_000);
    let prediction = ortho.with_file_name("label_true.tif");
    let layer = LayerKind::Prediction;
    let path = prediction.clone();
    finish(&mut session, Command::OpenMask { layer, path });
    finish(
        &mut session,
        Command::AcceptPrediction(orthobrush::session::Over::All),
    );
    let accepted = session.origin_areas()[2];
    assert!(accepted > 1_000);
    let names: Vec<String> = session
        .origins()
        .classes()
        .iter()
        .map(|it| it.name.clone())
        .collect();
    assert_eq!(
        names,
        ["imported", "made by hand", "accepted from label_true.tif"]
    );
    let origins = session
        .layer(LayerKind::Origins)
        .expect("origins")
        .mask
        .clone();
    drop(session);

    let mut session = opened(&ortho);
    assert_eq!(
        session.layer(LayerKind::Origins).expect("origins").mask,
        origins
    );
    assert_eq!(session.origins().classes().len(), 3);
    finish(&mut session, Command::Undo);
    assert_eq!(session.origin_areas()[1..3], [by_hand, 0]);
    let saved = ortho.with_file_name("who.tif");
    let path = saved.clone();
    finish(
        &mut session,
        Command::SaveAs {
            layer: LayerKind::Origins,
            path,
        },
    );
    let read = load_mask(&saved, None, Encoding::Index, None).expect("a mask");
    assert_eq!(
        &read.mask,
        &session.layer(LayerKind::Origins).expect("origins").mask
    );
}

#[test]
fn what_is_said_about_places_is_there_after_a_restart() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let cell = CellKey { row: 0, col: 0 };
    let state = Some(CellState::NeedsReview);
    let note = "is this a road?".to_owned();
    let mark = Bookmark {
        name: "the mill".to_owned(),
        at: ImagePoint::new(20.5, 30.0),
        scale: 2.0,
    };
    let tell = |session: &mut Session, command| {
        session.apply(Command::Place(command)).expect("accepted");
    };
    tell(&mut session, PlaceCommand::MarkCell { cell, state });
    let said = note.clone();
    tell(&mut session, PlaceCommand::NoteCell { cell, note: said });
    tell(&mut session, PlaceCommand::AddBookmark(mark.clone()));
    settle(&mut session);
    drop(session);
    let mut session = opened(&ortho);
    settle(&mut session);
    assert_eq!(session.coverage().mark(cell), CellMark { state, note });
    assert_eq!(session.bookmarks(), [mark]);
    let name = "the mill".to_owned();
    tell(&mut session, PlaceCommand::RemoveBookmark { name });
    tell(&mut session, PlaceCommand::MarkCell { cell, state: None });
    let note = String::new();
    tell(&mut session, PlaceCommand::NoteCell { cell, note });
    settle(&mut session);
    drop(session);
    let session = opened(&ortho);
    assert!(session.bookmarks().is_empty() && session.coverage().marks().next().is_none());
}

#[test]
fn a_removed_class_comes_back_by_its_name_after_a_restart() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let water = session.areas()[3];
    let remove = Command::Class(ClassCommand::Remove { class: 3, into: 2 });
    finish(&mut session, remove);
    assert!(session.classes().get(3).is_none());
    drop(session);
    let mut session = opened(&ortho);
    assert!(session.classes().get(3).is_none());
    finish(&mut session, Command::Undo);
    assert_eq!(session.areas()[3], water);
    assert_eq!(session.classes().get(3).expect("it is back").name, "water");
}
