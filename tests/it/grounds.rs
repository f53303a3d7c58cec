//! What ground numbers are of, and which ground is held out, also without a training of this
//! session.

use orthobrush::dataset::parts::{PartRule, PartWay};
use orthobrush::geom::{ImagePoint, PixelRect};
use orthobrush::label::{CellKey, CellState, Origin, UNLABELED, WantedCells};
use orthobrush::session::{
    Command, CopiedCommand, FinetuneCommand, LayerKind, PlaceCommand, Predicting,
    PredictionCommand, ReviewCommand, ScoreScope, ScoredGround, SelectHow, SelectionCommand,
    Session,
};
use orthobrush::train::{DeviceChoice, Recipe, RunRecord};

use crate::fixture::{finish, opened, own_sample, settle};
use crate::improving::{kept, mark_done};
use crate::predicting::run;
use crate::training::{quick, start};

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
    assert!(session.comparison_of(ScoreScope::Whole).is_some());
    let ground = |scope| session.ground_of_comparison(scope);
    assert_eq!(ground(ScoreScope::Whole), ScoredGround::Training);
    assert_eq!(ground(ScoreScope::HeldOut), ScoredGround::HeldOut);
    let image = &session.image().expect("an image").path;
    let path = image.with_file_name("label_true.tif");
    let layer = LayerKind::Prediction;
    finish(&mut session, Command::OpenMask { layer, path });
    let (_, of_file) = scored(&session, ScoreScope::Whole);
    assert_eq!(of_file, ScoredGround::Unknown);
}

/// The sample predicted by a model that held a block out to choose by and one to judge; these.
fn judged_later() -> (tempfile::TempDir, Session, [PixelRect; 2]) {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let cpu = Predicting::Device(DeviceChoice::Cpu);
    finish(&mut session, Command::SetPredicting(cpu));
    let split = PartWay::Given {
        validation: vec![PixelRect::new(0, 0, 256, 256)],
        test: vec![PixelRect::new(512, 256, 256, 256)],
        margin: 64,
        unreviewed: 1,
    };
    let parts = PartRule {
        split,
        ..PartRule::default()
    };
    let recipe = Recipe {
        epochs: 1,
        parts: Some(parts),
        ..quick()
    };
    let run = folder.path().join("run");
    finish(&mut session, start(recipe, &run));
    finish(&mut session, Command::predict(None));
    let record = RunRecord::load(&run).expect("a run");
    let of_run = ScoredGround::of_run(&record);
    assert_eq!(of_run, ScoredGround::HeldOutUnreviewed);
    let split = record.split.expect("blocks");
    assert!(split.notes.concat().contains("unreviewed"));
    let blocks = [split.validation_blocks[0], split.test_blocks[0]];
    (folder, session, blocks)
}

#[test]
fn no_score_is_of_the_ground_that_judges_the_model_that_predicted() {
    let (folder, mut session, [choosing, judging]) = judged_later();
    let pixels = |session: &Session, scope| {
        let left_out = session.judging_left_out(scope);
        (scored(session, scope).0, left_out)
    };
    let outside = |x, y| !judging.contains(x, y);
    let (whole, all) = (labeled(&session, outside), labeled(&session, |_, _| true));
    assert!(whole < all, "some of it is labeled");
    assert_eq!(pixels(&session, ScoreScope::Whole), (whole, 1));
    assert_eq!(
        scored(&session, ScoreScope::Whole).1,
        ScoredGround::Training
    );
    let chosen = labeled(&session, |x, y| choosing.contains(x, y));
    assert_eq!(pixels(&session, ScoreScope::HeldOut), (chosen, 0));
    assert_eq!(pixels(&session, ScoreScope::Within(judging)), (0, 1));

    let part = PixelRect::new(400, 256, 300, 200);
    let of_part = labeled(&session, |x, y| part.contains(x, y) && outside(x, y));
    assert_eq!(pixels(&session, ScoreScope::Within(part)), (of_part, 1));
    let [left, top, right, bottom] = [part.x, part.y, part.right(), part.bottom()].map(f64::from);
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
    let select = SelectionCommand::Polygon {
        corners: corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec(),
        how: SelectHow::Replace,
    };
    finish(&mut session, Command::Selection(select));
    assert_eq!(pixels(&session, ScoreScope::Selection), (of_part, 1));
    let done = PlaceCommand::MarkCell {
        cell: CellKey { row: 0, col: 0 },
        state: Some(CellState::Done),
    };
    finish(&mut session, Command::Place(done));
    assert_eq!(
        pixels(&session, ScoreScope::Cells(WantedCells::Done)),
        (whole, 1)
    );
    let (layer, path) = (LayerKind::Prediction, folder.path().join("saved.tif"));
    finish(&mut session, Command::SaveAs { layer, path });
    finish(&mut session, Command::SaveLabel);
    let words = session.as_command(CopiedCommand::Evaluate(ScoreScope::Whole));
    let words = words.expect("words");
    assert!(words.contains("--by view --view "), "{words}");
    check_judging_is_not_followed(session, judging, all);
}

/// Strokes there change no number, and neither does another model; what nobody knows the ground of
/// is compared everywhere.
fn check_judging_is_not_followed(mut session: Session, judging: PixelRect, all: u64) {
    let before = session.scores().cloned();
    let at = judging.center();
    for class in [0, 1] {
        session
            .apply(Command::BeginStroke { at, class })
            .expect("begun");
        finish(&mut session, Command::EndStroke);
    }
    assert_eq!(session.scores().cloned(), before);
    finish(&mut session, Command::Prediction(PredictionCommand::Keep));
    finish(&mut session, Command::predict(None));
    assert_eq!(session.judging_of_contest(), [judging]);
    let compared = |scope| session.comparison_of(scope).expect("compared");
    let left_out = |scope| session.judging_left_out_of_comparison(scope);
    let (found, whole) = (
        compared(ScoreScope::Whole),
        session.scores().expect("scores"),
    );
    let truth = found.truth.as_ref().expect("a label");
    assert_eq!(truth.b.pixels, whole.pixels - whole.unpredicted);
    let bounds = session.image().expect("an image").size().bounds();
    let pixels = bounds.num_pixels() - judging.num_pixels();
    assert_eq!((found.pixels, left_out(ScoreScope::Whole)), (pixels, 1));
    let within = ScoreScope::Within(judging);
    assert_eq!((compared(within).pixels, left_out(within)), (0, 1));
    let words = session.as_command(CopiedCommand::Compare(within));
    words.expect_err("it judges");

    let image = &session.image().expect("an image").path;
    let path = image.with_file_name("label_true.tif");
    let layer = LayerKind::Prediction;
    finish(&mut session, Command::OpenMask { layer, path });
    assert_eq!(session.judging_left_out(ScoreScope::Whole), 0);
    let now = labeled(&session, |_, _| true);
    assert!(now >= all);
    assert_eq!(scored(&session, ScoreScope::Whole).0, now);
}

#[test]
fn a_run_says_whether_somebody_looked_at_the_label_that_validates() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let recipe = Recipe {
        epochs: 1,
        ..quick()
    };
    let trained = |session: &mut Session, name: &str| {
        let run = folder.path().join(name);
        finish(session, start(recipe.clone(), &run));
        let record = RunRecord::load(&run).expect("a run");
        let ground = ScoredGround::of_run(&record);
        assert_eq!(session.training().ground(), ground, "while it trained");
        (record.num_unreviewed(), ground)
    };
    let (unreviewed, ground) = trained(&mut session, "imported");
    assert!(unreviewed > Some(0), "{unreviewed:?}");
    assert_eq!(ground, ScoredGround::HeldOutUnreviewed);
    mark_done(&mut session, (0, 0));
    let reviewed = (Some(0), ScoredGround::HeldOut);
    assert_eq!(trained(&mut session, "reviewed"), reviewed);
    // Of a run that does not say it nobody knows.
    let none = ScoredGround::of_run(&RunRecord::default());
    assert_eq!(none, ScoredGround::HeldOutAsGiven);
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

#[test]
fn blocks_of_a_training_are_not_those_of_another_image() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let recipe = Recipe {
        epochs: 500,
        ..quick()
    };
    let run = folder.path().join("run");
    session.apply(start(recipe, &run)).expect("started");
    pump_while(&mut session, |session| session.training().rows.is_empty());
    let blocks = session.training().held_out().concat();
    assert!(!blocks.is_empty());
    assert_eq!(session.held_out_ground().concat(), blocks);

    let path = folder.path().join("label_true.tif");
    let other = Command::Open { path };
    session.apply(other).expect("begun to open");
    pump_while(&mut session, |session| {
        let open = session.image().map(|image| &image.path);
        !open.is_some_and(|path| path.ends_with("label_true.tif"))
    });
    assert!(session.training().is_running());
    assert_eq!(session.training().held_out().concat(), blocks);
    assert!(session.held_out_ground().concat().is_empty());
    let job = session.training().job.expect("a job");
    session.apply(Command::StopJob(job)).expect("stopped");
    settle(&mut session);
}

/// Takes in what jobs report as long as `waits`, while a training runs.
fn pump_while(session: &mut Session, waits: impl Fn(&Session) -> bool) {
    while waits(session) {
        session.pump(16);
        let training = session.training();
        assert!(training.is_running(), "{:?}", training.phase);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
