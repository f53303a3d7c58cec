//! Where to look next: doubtful squares and likely mistakes, decided one after the other.

use orthobrush::geom::{ImagePoint, PixelRect};
use orthobrush::label::{CellKey, CellState, Origin, UNLABELED};
use orthobrush::session::{
    Command, CommandError, LayerKind, Notice, Over, PlaceCommand, PlaceKind, ReviewCommand,
    SelectHow, SelectionCommand, Session,
};
use orthobrush::train::{Certainty, DeviceChoice};

use crate::fixture::{fill, finish, opened, own_sample, settle};
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
    assert_eq!(place.pixels, 256 * 256);
    let mut doubts = walk.places().iter().map(|place| match place.kind {
        PlaceKind::Doubtful(doubt) => doubt,
        other => panic!("{other:?}"),
    });
    assert!(doubts.all(|doubt| (0.0..=1.0).contains(&doubt)));
    let before = pixels(&session, LayerKind::Label, place.bounds);
    let said = pixels(&session, LayerKind::Prediction, place.bounds);
    assert_ne!(before, said);
    review(&mut session, ReviewCommand::Accept);
    assert!(pixels(&session, LayerKind::Label, place.bounds) == said);
    review(&mut session, ReviewCommand::Reject);
    let walk = session.review().expect("places");
    assert_eq!((walk.decided(), walk.position()), ((1, 1), (1, 14)));
    // What was found right, and what was taken over.
    finish(&mut session, Command::Undo);
    let walk = session.review().expect("places");
    assert_eq!((walk.decided(), walk.position()), ((1, 0), (1, 15)));
    finish(&mut session, Command::Undo);
    assert!(pixels(&session, LayerKind::Label, place.bounds) == before);
    let walk = session.review().expect("places");
    assert_eq!((walk.decided(), walk.position()), ((0, 0), (1, 16)));
    assert_eq!(walk.current(), Some(&place));
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
fn a_walk_that_ended_is_open_again_when_its_last_decision_is_undone() {
    let (_folder, mut session) = predicted();
    review(&mut session, ReviewCommand::StartDoubtful);
    let mut last = None;
    while let Some(walk) = session.review() {
        last = walk.current().cloned();
        review(&mut session, ReviewCommand::Reject);
    }
    assert!(last.is_some());
    let step = Command::Review(ReviewCommand::Step { forth: true });
    let over = session.apply(step);
    assert!(matches!(over, Err(CommandError::NoReview)), "{over:?}");
    finish(&mut session, Command::Undo);
    let walk = session.review().expect("it is open again");
    assert_eq!((walk.decided(), walk.position()), ((0, 15), (1, 1)));
    assert_eq!(walk.current(), last.as_ref());
    // What somebody ended stays so.
    review(&mut session, ReviewCommand::End);
    finish(&mut session, Command::Undo);
    assert!(session.review().is_none());
}

/// Begins the walk through doubtful squares at `square`, if it is among them; how many there are.
fn doubtful(session: &mut Session, square: PixelRect) -> (bool, usize) {
    review(session, ReviewCommand::StartDoubtful);
    let walk = session.review().expect("places");
    let (_, all) = walk.position();
    let place = walk.places().iter().position(|it| it.bounds == square);
    if let Some(place) = place {
        review(session, ReviewCommand::GoTo(place));
    }
    (place.is_some(), all)
}

#[test]
fn a_doubtful_square_with_a_right_label_is_learned_from_and_does_not_come_again() {
    let (_folder, mut session) = predicted();
    let square = PixelRect::new(256, 512, 256, 256);
    let (bare, part) = (
        PixelRect::new(256, 512, 256, 20),
        PixelRect::new(300, 600, 30, 30),
    );
    fill(&mut session, bare, UNLABELED);
    assert_eq!(doubtful(&mut session, square), (true, 16));
    let label = pixels(&session, LayerKind::Label, square);
    review(&mut session, ReviewCommand::Reject);
    assert!(pixels(&session, LayerKind::Label, square) == label);
    let origins = pixels(&session, LayerKind::Origins, square);
    for (class, origin) in label.iter().zip(origins) {
        let expected = match *class {
            UNLABELED => UNLABELED,
            _ => Origin::CONFIRMED.index(),
        };
        assert_eq!(origin, expected);
    }
    assert_eq!(doubtful(&mut session, square), (false, 15));
    // Painted or erased, it is another label.
    let was = pixels(&session, LayerKind::Label, part)[0];
    let other = if was == 3 { 2 } else { 3 };
    for (rect, class) in [(part, other), (part, UNLABELED), (bare, other)] {
        fill(&mut session, rect, class);
        assert_eq!(
            doubtful(&mut session, square),
            (true, 16),
            "{rect:?} {class}"
        );
        finish(&mut session, Command::Undo);
        assert_eq!(doubtful(&mut session, square), (false, 15));
    }
}

#[test]
fn a_doubtful_square_without_a_label_is_only_left() {
    let (_folder, mut session) = predicted();
    let square = PixelRect::new(256, 512, 256, 256);
    fill(&mut session, square, UNLABELED);
    assert_eq!(doubtful(&mut session, square), (true, 16));
    let steps = session.num_steps();
    session.take_notices();
    let reject = Command::Review(ReviewCommand::Reject);
    session.apply(reject).expect("accepted");
    let said = session.take_notices();
    let is_told = |notice: &Notice| notice.text.starts_with("Nothing is labeled there");
    assert!(said.iter().any(is_told), "{said:?}");
    assert_eq!(session.num_steps(), steps);
    assert_eq!(session.review().expect("more").position().1, 15);
    assert_eq!(doubtful(&mut session, square), (true, 16));
}

#[test]
fn what_was_made_by_hand_in_a_doubtful_square_stays_when_it_is_taken_over() {
    let (_folder, mut session) = predicted();
    let square = PixelRect::new(512, 256, 256, 256);
    let by_hand = PixelRect::new(600, 300, 50, 40);
    fill(&mut session, by_hand, 3);
    let painted = pixels(&session, LayerKind::Origins, by_hand);
    let label = pixels(&session, LayerKind::Label, square);
    let said = pixels(&session, LayerKind::Prediction, square);
    assert!(doubtful(&mut session, square).0);
    review(&mut session, ReviewCommand::Accept);
    let after = pixels(&session, LayerKind::Label, square);
    for (place, class) in after.into_iter().enumerate() {
        let at = place as u32;
        let at = (square.x + at % square.width, square.y + at / square.width);
        // A pixel that had the class before is nobody's work but the file's.
        let is_painted = by_hand.contains(at.0, at.1) && {
            let (x, y) = (at.0 - by_hand.x, at.1 - by_hand.y);
            painted[(y * by_hand.width + x) as usize] == Origin::HAND.index()
        };
        let expected = if is_painted {
            label[place]
        } else {
            said[place]
        };
        assert_eq!(class, expected, "at {at:?}");
    }
    assert!(painted.contains(&Origin::HAND.index()));
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
        LayerKind::Certainty(Certainty::Probability),
    ]
    .map(|kind| pixels(&session, kind, PixelRect::new(0, 0, 1_024, 1_024)));
    let expected = (label.iter().zip(&said).zip(&sure))
        .filter(|((label, said), sure)| label != said && (229..255).contains(*sure))
        .count() as u64;
    let found = session.review().map_or(0, |walk| walk.position().1);
    assert_eq!(found > 0, expected > 0);
    if let Some(place) = session.review().and_then(|walk| walk.current()) {
        assert!(matches!(place.kind, PlaceKind::Predicted(_)) && place.pixels <= expected);
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

#[test]
fn what_was_made_by_hand_stays_when_the_prediction_is_taken_over() {
    let (_folder, mut session) = predicted();
    let (by_hand, done) = (
        PixelRect::new(500, 500, 40, 40),
        PixelRect::new(0, 0, 512, 512),
    );
    let area = PixelRect::new(500, 500, 40, 40);
    fill(&mut session, area, 3);
    let whole = PixelRect::new(0, 0, 1_024, 1_024);
    let [before, said] =
        [LayerKind::Label, LayerKind::Prediction].map(|kind| pixels(&session, kind, whole));
    finish(&mut session, Command::AcceptPrediction(Over::Rest));
    let after = pixels(&session, LayerKind::Label, whole);
    let is_by_hand = |place: usize| {
        let (x, y) = (place as u32 % 1_024, place as u32 / 1_024);
        (by_hand.x..by_hand.right()).contains(&x) && (by_hand.y..by_hand.bottom()).contains(&y)
    };
    for (place, &class) in after.iter().enumerate() {
        let expected = if is_by_hand(place) { 3 } else { said[place] };
        assert_eq!(class, expected, "at {place}");
    }
    finish(&mut session, Command::Undo);
    assert!(pixels(&session, LayerKind::Label, whole) == before);
    let mark = PlaceCommand::MarkCell {
        cell: CellKey { row: 0, col: 0 },
        state: Some(CellState::Done),
    };
    finish(&mut session, Command::Place(mark));
    let kept = pixels(&session, LayerKind::Label, done);
    finish(&mut session, Command::AcceptPrediction(Over::Rest));
    assert!(
        pixels(&session, LayerKind::Label, done) == kept,
        "the cell is done"
    );
    finish(&mut session, Command::AcceptPrediction(Over::All));
    assert!(pixels(&session, LayerKind::Label, whole) == said);
}

/// Where the walk is, and how much that looks like what was shown.
fn similar(session: &Session) -> (PixelRect, f32) {
    let place = session.review().and_then(|walk| walk.current());
    let place = place.expect("a place");
    let PlaceKind::Similar(likeness) = place.kind else {
        panic!("{place:?}");
    };
    (place.bounds, likeness)
}

#[test]
fn places_like_what_is_shown_are_walked_through_without_any_prediction() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let nothing = session.apply(Command::Review(ReviewCommand::StartSimilar(None)));
    assert!(matches!(nothing, Err(CommandError::Refused(_))));
    let shown = PixelRect::new(300, 200, 64, 64);
    review(&mut session, ReviewCommand::StartSimilar(Some(shown)));
    let (_, all) = session.review().expect("places").position();
    assert_eq!(all, 60);
    let (first, likest) = similar(&session);
    assert!(
        first.intersect(shown).is_empty() && likest > 0.3,
        "{likest}"
    );
    assert_eq!((first.width, first.height), (64, 64));
    let accept = session.apply(Command::Review(ReviewCommand::Accept));
    assert!(
        matches!(accept, Err(CommandError::NoPrediction)),
        "{accept:?}"
    );
    review(&mut session, ReviewCommand::Step { forth: false });
    assert!(
        similar(&session).1 < likest,
        "the last one is the least alike"
    );
    review(&mut session, ReviewCommand::End);

    // What is selected is what is shown, and the image is not looked at again.
    let corners = [
        (300.0, 200.0),
        (364.0, 200.0),
        (364.0, 264.0),
        (300.0, 264.0),
    ];
    let corners = corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec();
    let how = SelectHow::default();
    finish(
        &mut session,
        Command::Selection(SelectionCommand::Polygon { corners, how }),
    );
    let start = Command::Review(ReviewCommand::StartSimilar(None));
    session.apply(start).expect("accepted");
    assert_eq!(session.activities().count(), 0);
    settle(&mut session);
    assert_eq!(similar(&session), (first, likest));
}
