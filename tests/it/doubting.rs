//! Where to look next: doubtful squares and likely mistakes, decided one after the other.

use orthobrush::geom::PixelRect;
use orthobrush::label::{CellKey, CellState};
use orthobrush::session::{Command, CommandError, LayerKind, PlaceCommand, ReviewCommand, Session};
use orthobrush::train::DeviceChoice;

use crate::fixture::{finish, opened, own_sample, settle};
use crate::predicting::run;

/// The sample predicted by a network that hardly learned anything.
fn predicted() -> (tempfile::TempDir, Session) {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    finish(
        &mut session,
        Command::SetPredicting(orthobrush::session::Predicting::Device(DeviceChoice::Cpu)),
    );
    finish(&mut session, Command::predict(Some(run().to_owned())));
    (folder, session)
}

fn review(session: &mut Session, command: ReviewCommand) {
    finish(session, Command::Review(command));
}

fn pixels(session: &Session, kind: LayerKind, rect: PixelRect) -> Vec<u8> {
    session.layer(kind).expect("a layer").mask.read_rect(rect)
}

#[test]
fn doubtful_squares_are_taken_over_or_left_and_done_cells_are_not_among_them() {
    let (_folder, mut session) = predicted();
    review(&mut session, ReviewCommand::StartDoubtful);
    let walk = session.review().expect("places");
    assert_eq!(walk.position(), (1, 16), "squares of 256 in 1,024 pixels");
    let place = walk.current().expect("a place").clone();
    assert_eq!((place.class, place.pixels), (None, 256 * 256));
    let before = pixels(&session, LayerKind::Label, place.bounds);
    let said = pixels(&session, LayerKind::Prediction, place.bounds);
    assert_ne!(before, said);
    review(&mut session, ReviewCommand::Accept);
    assert!(pixels(&session, LayerKind::Label, place.bounds) == said);
    review(&mut session, ReviewCommand::Reject);
    let walk = session.review().expect("places");
    assert_eq!((walk.decided(), walk.position()), ((1, 1), (1, 14)));
    finish(&mut session, Command::Undo);
    assert!(pixels(&session, LayerKind::Label, place.bounds) == before);
    review(&mut session, ReviewCommand::End);
    let done = PlaceCommand::MarkCell {
        cell: CellKey { row: 0, col: 0 },
        state: Some(CellState::Done),
    };
    finish(&mut session, Command::Place(done));
    review(&mut session, ReviewCommand::StartDoubtful);
    assert!(session.review().is_none(), "the only cell is done");
}

#[test]
fn what_the_prediction_is_sure_of_against_the_label_is_a_likely_mistake() {
    let (_folder, mut session) = predicted();
    session
        .apply(Command::Review(ReviewCommand::StartConfident))
        .expect("accepted");
    assert!(settle(&mut session).is_empty());
    let [label, said, sure] = [
        LayerKind::Label,
        LayerKind::Prediction,
        LayerKind::Certainty,
    ]
    .map(|kind| pixels(&session, kind, PixelRect::new(0, 0, 1_024, 1_024)));
    let expected = (label.iter().zip(&said).zip(&sure))
        .filter(|((label, said), sure)| label != said && (229..255).contains(*sure))
        .count() as u64;
    let found = session.review().map_or(0, |walk| walk.position().1);
    assert_eq!(found > 0, expected > 0);
    if let Some(place) = session.review().and_then(|walk| walk.current()) {
        assert!(place.class.is_some() && place.pixels <= expected);
    }
    let path = session
        .image()
        .expect("an image")
        .path
        .with_file_name("label_true.tif");
    let layer = LayerKind::Prediction;
    finish(&mut session, Command::OpenMask { layer, path });
    let unknown = session.apply(Command::Review(ReviewCommand::StartDoubtful));
    assert!(matches!(unknown, Err(CommandError::Refused(_))));
}
