//! Label against prediction: numbers that follow the brush, and places found by a cell of the matrix.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use orthobrush::geom::{ImagePoint, ImageSize, PixelRect};
use orthobrush::label::{CellKey, CellState, Mask, UNLABELED, WantedCells};
use orthobrush::metrics::{Confusion, Scores};
use orthobrush::session::{
    Command, CommandError, Difference, KeptScores, LayerKind, PlaceCommand, PlaceKind, Predicting,
    PredictionCommand, ReviewCommand, ScoreScope, SelectionCommand, Session,
};
use orthobrush::train::DeviceChoice;

use crate::fixture::{fill, finish, opened, own_sample, settle};
use crate::predicting::{painted, run, trained};

/// The sample with its true label as the prediction.
fn compared() -> (tempfile::TempDir, Session) {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    finish(
        &mut session,
        Command::OpenMask {
            layer: LayerKind::Prediction,
            path: ortho.with_file_name("label_true.tif"),
        },
    );
    settle(&mut session);
    (folder, session)
}

fn mask(session: &Session, kind: LayerKind) -> &Mask {
    &session.layer(kind).expect("a layer").mask
}

/// The same counted from nothing; of a prediction that was made here in part, only where it is.
fn fresh(session: &Session, part: Option<PixelRect>) -> Scores {
    let [label, prediction] =
        [LayerKind::Label, LayerKind::Prediction].map(|kind| mask(session, kind));
    let num_classes = session.classes().num_classes();
    let counts = match part {
        Some(rect) => Confusion::within(label, prediction, rect, num_classes),
        None => Confusion::between(label, prediction, num_classes),
    };
    let state = session.prediction_state();
    let is_part = state.run.is_some() && !state.is_complete;
    let counts = if is_part {
        counts.of_predicted()
    } else {
        counts
    };
    Scores::new(&counts, session.classes())
}

fn paint(session: &mut Session, class: u8, from: (f64, f64), to: (f64, f64)) {
    let point = |(x, y)| ImagePoint::new(x, y);
    let commands = [
        Command::BeginStroke {
            at: point(from),
            class,
        },
        Command::ExtendStroke { to: point(to) },
        Command::EndStroke,
    ];
    for command in commands {
        session.apply(command).expect("accepted");
    }
    settle(session);
    session.check_invariants();
}

#[test]
fn numbers_follow_strokes_undo_and_whole_image_changes() {
    let (_folder, mut session) = compared();
    let before = session.scores().expect("numbers").clone();
    assert_eq!(before, fresh(&session, None));
    paint(&mut session, 4, (100.0, 100.0), (700.0, 600.0));
    let painted = session.scores().expect("numbers").clone();
    assert_ne!(painted, before);
    assert_eq!(painted, fresh(&session, None));
    session.apply(Command::Undo).expect("undone");
    settle(&mut session);
    assert_eq!(session.scores(), Some(&before));
    session
        .apply(Command::AcceptPrediction(orthobrush::session::Over::All))
        .expect("accepted");
    settle(&mut session);
    session.check_invariants();
    let agreed = session.scores().expect("numbers");
    assert_eq!(
        (agreed.pixel_accuracy, agreed.kappa),
        (Some(1.0), Some(1.0))
    );
}

#[test]
fn numbers_are_of_the_part_that_is_asked_for() {
    let (_folder, mut session) = compared();
    let part = PixelRect::new(100, 300, 777, 555);
    let within = session.scores_of(ScoreScope::Within(part));
    assert_eq!(within, Some(fresh(&session, Some(part))));
    assert_eq!(session.scores_of(ScoreScope::Selection), None);
    let corners = [
        (100.0, 300.0),
        (877.0, 300.0),
        (877.0, 855.0),
        (100.0, 855.0),
    ];
    let corners = corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec();
    let select = SelectionCommand::Polygon {
        corners,
        how: orthobrush::session::SelectHow::Replace,
    };
    finish(&mut session, Command::Selection(select));
    assert_eq!(session.scores_of(ScoreScope::Selection), within);
    check_equal_sizes_are_told_apart(&mut session);
    let none = session
        .scores_of(ScoreScope::Cells(WantedCells::Done))
        .expect("counts");
    assert_eq!(none.pixels, 0);
    let cell = CellKey { row: 0, col: 1 };
    let done = PlaceCommand::MarkCell {
        cell,
        state: Some(CellState::Done),
    };
    session.apply(Command::Place(done)).expect("marked");
    let ground = session.coverage().rect(cell);
    let of_cell = session.scores_of(ScoreScope::Cells(WantedCells::Done));
    assert_eq!(of_cell, Some(fresh(&session, Some(ground))));
}

#[test]
fn kept_numbers_follow_strokes_as_those_that_are_counted_anew() {
    let (_folder, mut session) = compared();
    let corners = [(100.0, 20.0), (900.0, 300.0), (300.0, 1_000.0)];
    let select = SelectionCommand::Polygon {
        corners: corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec(),
        how: orthobrush::session::SelectHow::Replace,
    };
    finish(&mut session, Command::Selection(select));
    let done = PlaceCommand::MarkCell {
        cell: CellKey { row: 0, col: 0 },
        state: Some(CellState::Done),
    };
    session.apply(Command::Place(done)).expect("marked");
    let part = PixelRect::new(100, 300, 777, 555);
    let scopes = [
        ScoreScope::Whole,
        ScoreScope::Within(part),
        ScoreScope::Selection,
        ScoreScope::Cells(WantedCells::Done),
    ];
    let mut kept = <[KeptScores; 4]>::default();
    let mut check = |session: &Session| {
        for (scope, kept) in scopes.into_iter().zip(&mut kept) {
            let numbers = session.scores_kept(scope, kept);
            assert!(numbers.is_some(), "{scope:?}");
            assert_eq!(numbers, session.scores_of(scope), "{scope:?}");
            let ground = session.ground_of_scores_kept(scope, kept);
            assert_eq!(ground, session.ground_of_scores(scope), "{scope:?}");
        }
    };
    check(&session);
    for (class, to) in [
        (4, (700.0, 600.0)),
        (0, (120.0, 900.0)),
        (2, (400.0, 320.0)),
    ] {
        paint(&mut session, class, (100.0, 100.0), to);
        check(&session);
    }
    session.apply(Command::Undo).expect("undone");
    settle(&mut session);
    check(&session);
}

/// Numbers are not those of another selection of as many pixels, or of other cells.
fn check_equal_sizes_are_told_apart(session: &mut Session) {
    let select = |session: &mut Session, left: f64| {
        let corners = [(left, 0.0), (left + 50.0, 0.0), (left + 50.0, 50.0)];
        let select = SelectionCommand::Polygon {
            corners: corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec(),
            how: orthobrush::session::SelectHow::Replace,
        };
        finish(session, Command::Selection(select));
        session.score_key(ScoreScope::Selection)
    };
    let [here, there, again] = [0.0, 200.0, 0.0].map(|left| select(session, left));
    assert!(here != there && here == again);
    let mark = |session: &mut Session, state: Option<CellState>| {
        let cell = CellKey { row: 0, col: 0 };
        let mark = PlaceCommand::MarkCell { cell, state };
        session.apply(Command::Place(mark)).expect("marked");
        session.score_key(ScoreScope::Cells(WantedCells::Done))
    };
    let [done, none] = [Some(CellState::Done), None].map(|state| mark(session, state));
    assert!(done != none);
}

/// Predicts the whole image with the model of `run`: there are numbers at any time, those of the
/// masks. Of how many states they were.
fn numbers_while_predicting(session: &mut Session, run: &Path) -> usize {
    let predict = Command::predict(Some(run.to_owned()));
    session.apply(predict).expect("accepted");
    let all = labeled(session);
    let mut predicted = BTreeSet::new();
    loop {
        let scores = session.scores().expect("numbers at any time").clone();
        if predicted.insert(scores.pixels) {
            assert_eq!(scores, fresh(session, None));
            assert_eq!(scores.unpredicted, 0);
            let mut kept = KeptScores::default();
            session.scores_kept(ScoreScope::Whole, &mut kept);
            let share = scores.pixels as f64 / all as f64;
            assert_eq!(kept.share_predicted().unwrap_or(1.0), share);
            let part = PixelRect::new(900, 1_000, 700, 300);
            let within = session.scores_of(ScoreScope::Within(part));
            assert_eq!(within, Some(fresh(session, Some(part))));
        }
        if session.pump(1) == 0 {
            if session.is_idle() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let mut kept = KeptScores::default();
    session.scores_kept(ScoreScope::Whole, &mut kept);
    assert_eq!(kept.share_predicted(), None, "it is whole");
    assert!(predicted.contains(&all), "all was predicted");
    predicted.len()
}

/// Labeled pixels.
fn labeled(session: &Session) -> u64 {
    let areas = mask(session, LayerKind::Label).histogram();
    areas[..usize::from(UNLABELED)].iter().sum()
}

#[test]
fn numbers_are_right_after_each_block_of_a_prediction() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("image.tif");
    painted(&image, ImageSize::new(2_100, 1_100));
    let other = trained(folder.path(), 7);
    let mut session = opened(&image);
    let device = Predicting::Device(DeviceChoice::Cpu);
    finish(&mut session, Command::SetPredicting(device));
    let area = PixelRect::new(5, 5, 2_090, 1_090);
    fill(&mut session, area, 1);
    let predict = PredictionCommand::Predict {
        run: Some(run().to_owned()),
        on: ScoreScope::Within(PixelRect::new(0, 0, 70, 70)),
        near: None,
    };
    finish(&mut session, Command::Prediction(predict));
    // Six blocks, and the state before.
    assert_eq!(numbers_while_predicting(&mut session, run()), 7);
    // The other model begins with nothing, and none of its numbers counts what the first one said.
    assert_eq!(numbers_while_predicting(&mut session, &other), 7);
}

/// The cell of the matrix with the most wrong pixels: the label's class, the prediction's, and how
/// many they are.
fn largest_error(scores: &Scores) -> (u8, u8, u64) {
    let (truth, predicted, pixels) = (0..scores.confusion.len())
        .flat_map(|truth| (0..scores.confusion.len()).map(move |other| (truth, other)))
        .filter(|(truth, other)| truth != other)
        .map(|(truth, other)| (truth as u8, other as u8, scores.confusion[truth][other]))
        .max_by_key(|&(.., pixels)| pixels)
        .expect("a cell");
    assert!(pixels > 0);
    (truth, predicted, pixels)
}

#[test]
fn places_of_a_cell_are_of_the_ground_that_its_number_is_of() {
    let (_folder, mut session) = compared();
    let part = PixelRect::new(100, 300, 777, 555);
    let corners = [(100.0, 20.0), (900.0, 300.0), (300.0, 1_000.0)];
    let select = SelectionCommand::Polygon {
        corners: corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec(),
        how: orthobrush::session::SelectHow::Replace,
    };
    finish(&mut session, Command::Selection(select));
    for on in [ScoreScope::Within(part), ScoreScope::Selection] {
        let scores = session.scores_of(on).expect("numbers");
        let (truth, predicted, pixels) = largest_error(&scores);
        let of_cell = ReviewCommand::StartOf {
            truth,
            predicted,
            on,
        };
        finish(&mut session, Command::Review(of_cell));
        let review = session.review().expect("places");
        let places = review.places();
        assert_eq!(
            places.iter().map(|place| place.pixels).sum::<u64>(),
            pixels,
            "{on:?}"
        );
        assert_eq!(review.found(), (places.len(), places.len()));
        let is_inside = |place: &Difference| place.bounds.intersect(part) == place.bounds;
        assert!(on == ScoreScope::Selection || places.iter().all(is_inside));
    }
    let (truth, predicted) = (0, 1);
    finish(&mut session, Command::Selection(SelectionCommand::Drop));
    let of_nothing = ReviewCommand::StartOf {
        truth,
        predicted,
        on: ScoreScope::Selection,
    };
    let refused = session.apply(Command::Review(of_nothing));
    assert!(matches!(refused, Err(CommandError::Refused(_))));
}

/// Paints the class over a place that is predicted there, and over its holes.
fn mend(session: &mut Session, place: &Difference) {
    let PlaceKind::Predicted(class) = place.kind else {
        panic!("{place:?}");
    };
    let (corners, class) = (place.rings[0].clone(), Some(class));
    finish(session, Command::FillPolygon { corners, class });
}

#[test]
fn places_that_were_mended_by_a_tool_are_stepped_over() {
    let (_folder, mut session) = compared();
    finish(&mut session, Command::Review(ReviewCommand::Start));
    let places = session.review().expect("places").places().to_vec();
    assert!(places.len() > 2);
    let step = |session: &mut Session, forth: bool| {
        finish(session, Command::Review(ReviewCommand::Step { forth }));
        let review = session.review().expect("more");
        (review.current().cloned(), review.places().to_vec())
    };
    mend(&mut session, &places[1]);
    let (current, left) = step(&mut session, true);
    assert!(current.is_some() && current.as_ref() != Some(&places[0]));
    assert!(left.contains(&places[0]) && !left.contains(&places[1]));
    let (current, _) = step(&mut session, false);
    assert_eq!(current.as_ref(), Some(&places[0]));
    // What is looked at stays until somebody goes on.
    mend(&mut session, &places[0]);
    let current = session.review().and_then(|walk| walk.current());
    assert_eq!(current, Some(&places[0]));
    let (_, left) = step(&mut session, true);
    assert!(!left.contains(&places[0]));
    assert_eq!(session.review().expect("more").decided(), (0, 0));
    assert_eq!(session.review().expect("more").found().0, places.len());
}

#[test]
fn a_cell_of_the_matrix_is_found_on_the_ground() {
    let (_folder, mut session) = compared();
    let scores = session.scores().expect("numbers").clone();
    let (truth, predicted, pixels) = largest_error(&scores);
    let of_cell = ReviewCommand::StartOf {
        truth,
        predicted,
        on: ScoreScope::Whole,
    };
    finish(&mut session, Command::Review(of_cell));
    let mut found = 0;
    let review = session.review().expect("places");
    assert_eq!(review.cell(), Some([truth, predicted]));
    let (_, count) = review.position();
    for _ in 0..count {
        let place = session.review().and_then(|review| review.current());
        let place = place.expect("a place");
        assert_eq!(place.kind, PlaceKind::Predicted(predicted));
        found += place.pixels;
        let next = ReviewCommand::Step { forth: true };
        session.apply(Command::Review(next)).expect("a step");
    }
    assert_eq!(found, pixels);
    let go_to = |place| Command::Review(ReviewCommand::GoTo(place));
    session.apply(go_to(count - 1)).expect("a place");
    let review = session.review().expect("places");
    assert_eq!(review.position(), (count, count));
    assert_eq!(review.current(), review.places().last());
    // A list that is a frame old may name a place that is gone.
    session.apply(go_to(count)).expect("the last place");
    assert_eq!(session.review().expect("places").position().0, count);
}
