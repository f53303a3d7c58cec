//! Answers from a few scribbles, as they are asked for, taken over and taken back.

use orthobrush::geom::{ImagePoint, ImageSize, PixelRect};
use orthobrush::label::{Encoding, Mask, UNLABELED, load_mask};
use orthobrush::session::{
    Command, CommandError, InkChoice, InstantCommand, LayerKind, PredictionCommand, PredictionInk,
    Session,
};
use orthobrush::train::{Certainty, InstantOutcome, Recipe};

use crate::fixture::{finish, opened, own_sample, sample, session, settle};
use crate::improving::accepted_from;
use crate::predicting::painted;
use crate::training::{quick, start};

const VIEW: PixelRect = PixelRect::new(300, 200, 500, 400);

/// The sample without a label of its own, and its truth.
fn unlabeled() -> (tempfile::TempDir, Session, Mask) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("alone.tif");
    std::fs::copy(&sample().ortho, &path).expect("a copy");
    let mut session = session();
    finish(&mut session, Command::Open { path });
    finish(&mut session, Command::SetBrushDiameter(9.0));
    let truth = load_mask(&sample().label_true, None, Encoding::Auto, None).expect("a truth");
    (folder, session, truth.mask)
}

/// Draws a stroke of `class` where the truth has room for it, from the place of a number on.
fn scribble(session: &mut Session, truth: &Mask, class: u8, from: u32) {
    const LENGTH: u32 = 40;
    let fits = |&(x, y): &(u32, u32)| {
        let around = PixelRect::new(x - 8, y - 8, LENGTH + 16, 16);
        truth.read_rect(around).iter().all(|&found| found == class)
    };
    let steps =
        (0..VIEW.width * VIEW.height).map(|step| (step * 37 + from) % (VIEW.width * VIEW.height));
    let places = steps.map(|step| (VIEW.x + step % VIEW.width, VIEW.y + step / VIEW.width));
    let mut places = places.filter(|&(x, _)| x + LENGTH + 16 < VIEW.right());
    let (x, y) = places.find(fits).expect("room for a stroke");
    let at = |x: u32| ImagePoint::new(f64::from(x), f64::from(y));
    session
        .apply(Command::BeginStroke { at: at(x), class })
        .expect("begun");
    session
        .apply(Command::ExtendStroke { to: at(x + LENGTH) })
        .expect("drawn");
    finish(session, Command::EndStroke);
}

fn answers(session: &Session) -> Mask {
    session
        .layer(LayerKind::Prediction)
        .expect("answers")
        .mask
        .clone()
}

/// The two classes that have most of the view.
fn most_frequent(truth: &Mask) -> [u8; 2] {
    let mut numbers = [0; 256];
    for class in truth.read_rect(VIEW) {
        numbers[usize::from(class)] += 1;
    }
    let mut classes: Vec<u8> = (0..UNLABELED).collect();
    classes.sort_by_key(|&class| std::cmp::Reverse(numbers[usize::from(class)]));
    [classes[0], classes[1]]
}

/// The share of the view's pixels that are answered right.
fn accuracy(session: &Session, truth: &Mask) -> f64 {
    let (truth, found) = (truth.read_rect(VIEW), answers(session).read_rect(VIEW));
    let right = truth
        .iter()
        .zip(&found)
        .filter(|(truth, found)| truth == found);
    right.count() as f64 / truth.len() as f64
}

fn on(session: &mut Session) {
    session
        .apply(Command::Instant(InstantCommand::Look(VIEW)))
        .expect("looked");
    finish(session, Command::Instant(InstantCommand::On));
}

#[test]
fn scribbles_are_answered_better_with_each_and_as_before_when_taken_back() {
    let (_folder, mut session, truth) = unlabeled();
    let [first, second] = most_frequent(&truth);
    on(&mut session);
    let report = |session: &Session| {
        session
            .instant()
            .and_then(|state| state.report)
            .expect("told")
    };
    let prepared = report(&session);
    assert_eq!(prepared.outcome, InstantOutcome::TooFewClasses);
    assert!(prepared.looked_at > 0, "the view is seen before a stroke");
    scribble(&mut session, &truth, first, 0);
    assert_eq!(
        (
            report(&session).num_classes,
            answers(&session).histogram()[255]
        ),
        (1, 1 << 20)
    );
    scribble(&mut session, &truth, second, 0);
    let answered = report(&session);
    assert_eq!(answered.outcome, InstantOutcome::Answered);
    assert_eq!(answered.looked_at, 0, "the first answer finds it seen");
    let once = accuracy(&session, &truth);
    assert!(once > 0.5, "{once}");
    let of_two = answers(&session);
    scribble(&mut session, &truth, first, 90_000);
    scribble(&mut session, &truth, second, 90_000);
    let twice = accuracy(&session, &truth);
    assert!(twice > once - 0.02, "{twice} after {once}");
    // The same scribbles, the same answer.
    for _ in 0..2 {
        finish(&mut session, Command::Undo);
    }
    assert_eq!(answers(&session), of_two);
}

#[test]
fn answers_are_measured_in_all_ways_that_are_wanted() {
    let (_folder, mut session, truth) = unlabeled();
    on(&mut session);
    for class in most_frequent(&truth) {
        scribble(&mut session, &truth, class, 0);
    }
    let sure = |session: &Session, by| {
        let layer = session.layer(LayerKind::Certainty(by));
        layer.map(|layer| layer.mask.clone())
    };
    let answered = answers(&session);
    let probable = sure(&session, Certainty::Probability).expect("measured");
    assert_eq!(sure(&session, Certainty::Entropy), None);
    let hold = |measures| Command::Prediction(PredictionCommand::Measures(measures));
    finish(&mut session, hold(vec![Certainty::Entropy]));
    assert!(answers(&session) == answered);
    assert!(sure(&session, Certainty::Probability).expect("still") == probable);
    let entropy = sure(&session, Certainty::Entropy).expect("measured, too");
    assert!(entropy != probable);
    assert_eq!(entropy.histogram()[255], probable.histogram()[255]);
    // Another stroke is answered by both.
    scribble(&mut session, &truth, most_frequent(&truth)[0], 90_000);
    assert!(sure(&session, Certainty::Probability).expect("still") != probable);
    assert!(sure(&session, Certainty::Entropy).expect("still") != entropy);
    finish(&mut session, hold(Vec::new()));
    assert_eq!(sure(&session, Certainty::Entropy), None);
}

#[test]
fn answers_are_taken_over_as_their_own_work_and_taken_back() {
    let (_folder, mut session, truth) = unlabeled();
    on(&mut session);
    for class in most_frequent(&truth) {
        scribble(&mut session, &truth, class, 0);
    }
    let label = session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .clone();
    finish(
        &mut session,
        Command::SetInk(InkChoice::Prediction(PredictionInk::default())),
    );
    let corners = [
        (310.0, 210.0),
        (400.0, 210.0),
        (400.0, 260.0),
        (310.0, 260.0),
    ];
    let corners = corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec();
    finish(
        &mut session,
        Command::FillPolygon {
            corners,
            class: None,
        },
    );
    assert!(
        session.origin_areas()[2] > 4_000,
        "it is the work of the answers"
    );
    let names = session.origins();
    assert_eq!(names.name_of(2), "accepted from instant answers");
    finish(&mut session, Command::Undo);
    assert_eq!(
        session.layer(LayerKind::Label).expect("a label").mask,
        label
    );
}

#[test]
fn without_two_classes_old_answers_go() {
    let (_folder, mut session, truth) = unlabeled();
    let [first, second] = most_frequent(&truth);
    on(&mut session);
    scribble(&mut session, &truth, first, 0);
    scribble(&mut session, &truth, second, 0);
    assert!(answers(&session).histogram()[255] < 1 << 20);
    finish(&mut session, Command::Undo);
    assert_eq!(answers(&session).histogram()[255], 1 << 20);
}

#[test]
fn answers_and_another_prediction_give_way_to_each_other() {
    let (_folder, mut session, truth) = unlabeled();
    let path = sample().label_true.clone();
    let layer = LayerKind::Prediction;
    finish(
        &mut session,
        Command::OpenMask {
            layer,
            path: path.clone(),
        },
    );
    on(&mut session);
    assert_ne!(answers(&session), truth, "the answers took its place");
    finish(&mut session, Command::OpenMask { layer, path });
    assert_eq!(session.instant(), None);
    assert_eq!(answers(&session), truth);
    assert!(!session.wants_look(VIEW));
    let nothing = Command::Instant(InstantCommand::On);
    let refused = crate::fixture::session().apply(nothing);
    assert!(matches!(refused, Err(CommandError::NoImage)));
}

#[test]
fn a_stroke_while_an_answer_is_on_its_way_is_answered_in_the_end() {
    let (_folder, mut session, truth) = unlabeled();
    let [first, second] = most_frequent(&truth);
    session
        .apply(Command::Instant(InstantCommand::Look(VIEW)))
        .expect("looked");
    session
        .apply(Command::Instant(InstantCommand::On))
        .expect("on");
    session.pump(64);
    assert!(session.instant().is_some_and(|state| state.is_working));
    scribble(&mut session, &truth, first, 0);
    let at = |x: f64| ImagePoint::new(x, 400.0);
    for class in [first, second] {
        session
            .apply(Command::BeginStroke {
                at: at(400.0),
                class,
            })
            .expect("begun");
        session.apply(Command::EndStroke).expect("ended");
        session.pump(1);
    }
    scribble(&mut session, &truth, second, 0);
    let answered = answers(&session).read_rect(VIEW);
    assert!(!answered.contains(&UNLABELED));
    session
        .apply(Command::Instant(InstantCommand::Off))
        .expect("off");
    settle(&mut session);
    assert_eq!(
        (session.instant(), answers(&session).read_rect(VIEW)),
        (None, answered)
    );
}

#[test]
fn the_prediction_of_a_file_comes_back_when_answers_are_switched_off() {
    let (_folder, mut session, truth) = unlabeled();
    let path = sample().label_true.clone();
    let open = Command::OpenMask {
        layer: LayerKind::Prediction,
        path: path.clone(),
    };
    finish(&mut session, open);
    let [first, second] = most_frequent(&truth);
    for class in [first, second] {
        on(&mut session);
        scribble(&mut session, &truth, class, 0);
        assert!(answers(&session) != truth, "the answers took its place");
        finish(&mut session, Command::Instant(InstantCommand::Off));
        let back = session.layer(LayerKind::Prediction).expect("a prediction");
        assert!(back.mask == truth, "it is there again");
        assert_eq!(back.path.as_ref(), Some(&path));
    }
}

#[test]
fn the_prediction_of_a_model_comes_back_with_all_that_is_known_of_it() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let recipe = Recipe {
        epochs: 1,
        ..quick()
    };
    finish(&mut session, start(recipe, &folder.path().join("run")));
    finish(&mut session, Command::predict(None));
    let (whole, scores) = (answers(&session), session.scores().cloned());
    let state = session.prediction_state().clone();
    assert!(state.is_complete && scores.is_some());
    on(&mut session);
    assert!(answers(&session) != whole, "the answers took its place");
    assert!(!session.prediction_state().is_complete);
    finish(&mut session, Command::Instant(InstantCommand::Off));
    assert!(answers(&session) == whole, "it is there again");
    assert_eq!(session.prediction_state(), &state);
    assert_eq!(session.scores().cloned(), scores);
    assert_eq!(accepted_from(&mut session), ["accepted from run"]);
}

#[test]
fn in_the_midst_of_one_class_both_are_known_and_all_answers_are_of_one_head() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wide.tif");
    painted(&path, ImageSize::new(5_120, 1_536));
    let mut session = session();
    finish(&mut session, Command::Open { path });
    // Fifteen columns of six tiles, and two at the right end.
    for (class, left, right) in [(1, 0.0, 3_840.0), (2, 4_608.0, 5_120.0)] {
        let corners = [(left, 0.0), (right, 0.0), (right, 1_536.0), (left, 1_536.0)];
        let fill = Command::FillPolygon {
            corners: corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec(),
            class: Some(class),
        };
        finish(&mut session, fill);
    }
    let [first, second] = [300, 3_000].map(|x| PixelRect::new(x, 300, 400, 400));
    let look = |session: &mut Session, at| {
        finish(session, Command::Instant(InstantCommand::Look(at)));
        let report = session.instant().and_then(|state| state.report);
        let report = report.expect("told");
        assert_eq!(
            (report.outcome, report.num_classes),
            (InstantOutcome::Answered, 2)
        );
        report.nearest.expect("not all labels count")
    };
    finish(&mut session, Command::Instant(InstantCommand::Look(first)));
    finish(&mut session, Command::Instant(InstantCommand::On));
    let of_first = look(&mut session, first);
    let answered = answers(&session);
    assert!(!answered.read_rect(first).contains(&UNLABELED));
    // Others are nearest there, so what these said goes.
    assert_ne!(look(&mut session, second), of_first);
    let found = answers(&session);
    assert!(!found.read_rect(second).contains(&UNLABELED));
    let gone = found.read_rect(first);
    assert!(gone.iter().all(|&class| class == UNLABELED));
    assert_eq!(look(&mut session, first), of_first);
    assert!(answers(&session) == answered);
}
