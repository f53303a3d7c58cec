//! What ground numbers are of, and which ground is held out, also without a training of this
//! session.

use orthobrush::geom::PixelRect;
use orthobrush::label::{CellKey, CellState, Origin, UNLABELED};
use orthobrush::session::{
    Command, FinetuneCommand, LayerKind, PlaceCommand, Predicting, PredictionCommand,
    ReviewCommand, ScoreScope, ScoredGround, Session,
};
use orthobrush::train::{DeviceChoice, RunRecord};

use crate::fixture::{finish, opened, own_sample};
use crate::improving::kept;
use crate::predicting::run;

/// The sample predicted by a model that is in use and was trained elsewhere.
fn predicted() -> (tempfile::TempDir, Session) {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let cpu = Predicting::Device(DeviceChoice::Cpu);
    finish(&mut session, Command::SetPredicting(cpu));
    let run = run().to_owned();
    finish(
        &mut session,
        Command::Finetune(FinetuneCommand::Activate { run }),
    );
    finish(&mut session, Command::predict(None));
    (folder, session)
}

/// Labeled pixels that `is_meant` by column and row.
fn labeled(session: &Session, is_meant: impl Fn(u32, u32) -> bool) -> u64 {
    let mask = &session.layer(LayerKind::Label).expect("a label").mask;
    let bounds = mask.size().bounds();
    let classes = mask.read_rect(bounds).into_iter();
    let places = (0..bounds.height).flat_map(|y| (0..bounds.width).map(move |x| (x, y)));
    let pixels = classes.zip(places);
    let pixels = pixels.filter(|&(class, (x, y))| class != UNLABELED && is_meant(x, y));
    pixels.count() as u64
}

fn scored(session: &Session, scope: ScoreScope) -> (u64, ScoredGround) {
    let scores = session.scores_of(scope).expect("scores");
    (scores.pixels, session.ground_of_scores(scope))
}

#[test]
fn held_out_ground_of_the_model_in_use_is_known_without_its_training() {
    let (_folder, mut session) = predicted();
    let split = RunRecord::load(run())
        .expect("a run")
        .split
        .expect("blocks");
    assert!(session.training().held_out().concat().is_empty());
    let blocks = session.held_out_ground().concat();
    assert!(!blocks.is_empty());
    assert_eq!(blocks, split.validation_blocks);

    let is_in = |x, y| blocks.iter().any(|block| block.contains(x, y));
    let far = |x, y| {
        let mut blocks = blocks.iter();
        !blocks.any(|block| block.grown(split.margin).contains(x, y))
    };
    let held_out = labeled(&session, is_in);
    let unreviewed = (held_out, ScoredGround::HeldOutUnreviewed);
    assert_eq!(scored(&session, ScoreScope::HeldOut), unreviewed);
    let training = (labeled(&session, far), ScoredGround::Training);
    assert_eq!(scored(&session, ScoreScope::Training), training);
    let (_, whole) = scored(&session, ScoreScope::Whole);
    assert_eq!(whole, ScoredGround::Training);

    let done = PlaceCommand::MarkCell {
        cell: CellKey { row: 0, col: 0 },
        state: Some(CellState::Done),
    };
    finish(&mut session, Command::Place(done));
    let reviewed = (held_out, ScoredGround::HeldOut);
    assert_eq!(scored(&session, ScoreScope::HeldOut), reviewed);
    let within = ScoreScope::Within(blocks[0]);
    assert_eq!(session.ground_of_scores(within), ScoredGround::HeldOut);
    check_pairs(session);
}

/// Two predictions are of the ground that either learned from; of a file nobody knows.
fn check_pairs(mut session: Session) {
    finish(&mut session, Command::Prediction(PredictionCommand::Keep));
    finish(&mut session, Command::predict(None));
    assert!(session.contest().found().is_some());
    assert_eq!(session.contest().ground(), ScoredGround::Training);
    let image = &session.image().expect("an image").path;
    let path = image.with_file_name("label_true.tif");
    let layer = LayerKind::Prediction;
    finish(&mut session, Command::OpenMask { layer, path });
    let (_, of_file) = scored(&session, ScoreScope::Whole);
    assert_eq!(of_file, ScoredGround::Unknown);
}

#[test]
fn a_label_that_is_said_to_be_right_counts_as_made_by_hand() {
    let (_folder, ortho) = own_sample();
    let mut session = kept(&ortho);
    let cpu = Predicting::Device(DeviceChoice::Cpu);
    finish(&mut session, Command::SetPredicting(cpu));
    finish(&mut session, Command::predict(Some(run().to_owned())));
    finish(&mut session, Command::Review(ReviewCommand::Start));
    let all = session.review().expect("a walk").position().1;
    let whole = PixelRect::new(0, 0, 1_024, 1_024);
    let pixels = |session: &Session, kind| session.layer(kind).expect("one").mask.read_rect(whole);
    let label = pixels(&session, LayerKind::Label);
    let place = session.review().and_then(|walk| walk.current());
    let count = place.expect("a place").pixels;

    let skip = ReviewCommand::Step { forth: true };
    finish(&mut session, Command::Review(skip));
    finish(
        &mut session,
        Command::Review(ReviewCommand::Step { forth: false }),
    );
    assert_eq!(session.review().expect("a walk").position(), (1, all));
    finish(&mut session, Command::Review(ReviewCommand::Reject));
    assert_eq!(session.review().expect("a walk").position(), (1, all - 1));
    assert!(pixels(&session, LayerKind::Label) == label);
    let by_hand = |session: &Session| {
        let origins = pixels(session, LayerKind::Origins).into_iter();
        let confirmed = Origin::CONFIRMED.index();
        origins.filter(|origin| *origin == confirmed).count() as u64
    };
    let confirmed = by_hand(&session);
    let names = session.origins();
    assert_eq!(
        names.name_of(Origin::CONFIRMED.index()),
        "found right by hand"
    );
    assert!((1..=count).contains(&confirmed), "{confirmed} of {count}");
    finish(&mut session, Command::Undo);
    assert_eq!(by_hand(&session), 0);
    finish(&mut session, Command::Redo);
    drop(session);

    let session = kept(&ortho);
    assert_eq!(by_hand(&session), confirmed, "it is kept");
    assert!(session.can_undo());
}
