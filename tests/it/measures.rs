//! How sure a prediction is: all measures are had with it, and shown one after the other or side by
//! side.

use std::path::Path;

use orthobrush::geom::PixelRect;
use orthobrush::label::Mask;
use orthobrush::session::{
    Command, InstantCommand, LayerKind, Predicting, PredictionCommand, ReviewCommand, ScoreScope,
    Session,
};
use orthobrush::train::{Certainty, DeviceChoice};

use crate::contesting::on_cpu;
use crate::fixture::{finish, opened, own_sample, settle};
use crate::predicting::{run, trained};

/// Parts that share some ground.
const PARTS: [PixelRect; 2] = [
    PixelRect::new(0, 0, 300, 200),
    PixelRect::new(200, 100, 300, 200),
];

fn measure(by: Certainty) -> Command {
    Command::SetPredicting(Predicting::Certainty(by))
}

/// Holds these beside the chosen one.
fn hold(measures: &[Certainty]) -> Command {
    Command::Prediction(PredictionCommand::Measures(measures.to_vec()))
}

fn predict(run: &Path, part: PixelRect) -> Command {
    Command::Prediction(PredictionCommand::Predict {
        run: Some(run.to_owned()),
        on: ScoreScope::Within(part),
        near: None,
    })
}

/// What is in these rectangles is predicted, one after the other, and measured so.
fn predicted(session: &mut Session, by: Certainty, parts: [PixelRect; 2]) {
    let device = Predicting::Device(DeviceChoice::Cpu);
    finish(session, Command::SetPredicting(device));
    finish(session, measure(by));
    for part in parts {
        finish(session, predict(run(), part));
    }
}

#[track_caller]
fn measured(session: &Session, by: Certainty) -> Mask {
    let layer = session.layer(LayerKind::Certainty(by)).expect("a measure");
    assert!(!layer.is_loading && layer.broken.is_none());
    layer.mask.clone()
}

#[track_caller]
fn shown(session: &Session) -> Mask {
    measured(session, session.certainty_measure())
}

/// The measures that are in memory.
fn held(session: &Session) -> Vec<Certainty> {
    let is_held = |&by: &Certainty| session.layer(LayerKind::Certainty(by)).is_some();
    Certainty::ALL.into_iter().filter(is_held).collect()
}

/// What each measure says when it is chosen before anything is predicted.
fn one_by_one() -> [Mask; 3] {
    Certainty::ALL.map(|by| {
        let (_folder, ortho) = own_sample();
        let mut session = opened(&ortho);
        predicted(&mut session, by, PARTS);
        shown(&session)
    })
}

#[test]
fn another_measure_is_that_of_another_prediction_without_predicting_again() {
    let expected = one_by_one();
    assert!(expected[0] != expected[1] && expected[1] != expected[2]);

    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    predicted(&mut session, Certainty::Margin, PARTS);
    let layer = session.layer(LayerKind::Prediction).expect("classes").id;
    let by_turns = [2, 0, 1, 2].map(|place| (Certainty::ALL[place], &expected[place]));
    for (by, expected) in by_turns {
        session.apply(measure(by)).expect("accepted");
        assert!(session.prediction_state().job.is_none());
        let walk = Command::Review(ReviewCommand::StartDoubtful);
        assert!(session.apply(walk).is_err(), "it is not read yet");
        finish(&mut session, measure(by));
        assert!(shown(&session) == *expected, "by {}", by.name());
    }
    let after = session.layer(LayerKind::Prediction).expect("classes").id;
    assert_eq!(after, layer);
}

#[test]
fn blocks_that_come_while_a_measure_is_read_are_of_it_too() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let parts = [
        PixelRect::new(0, 0, 100, 100),
        PixelRect::new(500, 500, 300, 300),
    ];
    predicted(&mut session, Certainty::Entropy, [parts[0]; 2]);
    for command in [measure(Certainty::Margin), predict(run(), parts[1])] {
        session.apply(command).expect("accepted");
    }
    let errors = settle(&mut session);
    assert!(errors.is_empty(), "{errors:?}");
    let sure = shown(&session);
    let classes = session.layer(LayerKind::Prediction).expect("classes");
    assert_eq!(sure.histogram()[255], classes.mask.histogram()[255]);
    assert!(
        parts
            .iter()
            .all(|part| sure.get(part.x + 50, part.y + 50) < 255)
    );
    finish(&mut session, measure(Certainty::Entropy));
    assert!(shown(&session) != sure);
    finish(&mut session, measure(Certainty::Margin));
    assert!(shown(&session) == sure);
}

#[test]
fn measures_are_held_side_by_side_as_long_as_they_are_wanted() {
    use Certainty::{Entropy, Margin, Probability};
    let expected = one_by_one();
    let check = |session: &Session, wanted: &[Certainty]| {
        assert_eq!(held(session), wanted);
        for &by in wanted {
            let place = Certainty::ALL.iter().position(|&one| one == by);
            let expected = &expected[place.expect("one of all")];
            assert!(measured(session, by) == *expected, "{}", by.name());
        }
        session.bytes_used()
    };
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    finish(&mut session, hold(&[Entropy]));
    check(&session, &[]);
    // One comes with each block, the other is read back.
    predicted(&mut session, Margin, PARTS);
    let two = check(&session, &[Margin, Entropy]);
    session
        .apply(hold(&[Probability, Entropy]))
        .expect("accepted");
    let layer = session.layer(LayerKind::Certainty(Probability));
    assert!(layer.expect("begun").is_loading);
    settle(&mut session);
    let three = check(&session, &Certainty::ALL);
    assert!(three > two);
    // What is there already is chosen at once, and what is neither chosen nor wanted goes.
    session.apply(measure(Entropy)).expect("accepted");
    check(&session, &[Probability, Entropy]);
    finish(&mut session, hold(&[]));
    assert!(check(&session, &[Entropy]) < two);
    // One that is wanted no more while it is read does not come back.
    for measures in [&[Margin][..], &[]] {
        session.apply(hold(measures)).expect("accepted");
    }
    settle(&mut session);
    check(&session, &[Entropy]);
}

#[test]
fn all_measures_look_alike() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    finish(&mut session, hold(&[Certainty::Margin]));
    predicted(&mut session, Certainty::Probability, PARTS);
    let layer = LayerKind::Certainty(Certainty::Probability);
    let (is_visible, opacity) = (true, 0.25);
    finish(&mut session, Command::ShowLayer { layer, is_visible });
    finish(&mut session, Command::SetOpacity { layer, opacity });
    finish(&mut session, hold(&Certainty::ALL));
    for by in Certainty::ALL {
        let layer = session.layer(LayerKind::Certainty(by)).expect("held");
        assert_eq!((layer.is_visible, layer.opacity), (is_visible, opacity));
    }
}

#[test]
fn held_measures_are_those_of_the_prediction_that_is_there() {
    let (folder, ortho) = own_sample();
    let other = trained(folder.path(), 7);
    let mut session = on_cpu(&ortho);
    finish(&mut session, hold(&[Certainty::Margin, Certainty::Entropy]));
    let all = |session: &Session| Certainty::ALL.map(|by| measured(session, by));
    finish(&mut session, predict(run(), PARTS[0]));
    let first = all(&session);
    finish(&mut session, predict(&other, PARTS[0]));
    let second = all(&session);
    assert!(first.iter().zip(&second).all(|(one, other)| one != other));
    finish(&mut session, predict(run(), PARTS[0]));
    assert_eq!(session.prediction_state().computed, 0);
    assert!(all(&session) == first);
    // Answers take its place, and give it back.
    finish(&mut session, Command::Instant(InstantCommand::On));
    for mask in all(&session) {
        assert_eq!(mask.histogram()[255], mask.size().num_pixels());
    }
    finish(&mut session, Command::Instant(InstantCommand::Off));
    assert!(all(&session) == first);
    let path = ortho.with_file_name("label_true.tif");
    let layer = LayerKind::Prediction;
    finish(&mut session, Command::OpenMask { layer, path });
    assert_eq!(held(&session), [], "a file does not say it");
}
