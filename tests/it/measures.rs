//! How sure a prediction is: all measures are had with it, and shown one after the other.

use orthobrush::geom::PixelRect;
use orthobrush::label::Mask;
use orthobrush::session::{
    Command, LayerKind, Predicting, PredictionCommand, ReviewCommand, ScoreScope, Session,
};
use orthobrush::train::{Certainty, DeviceChoice};

use crate::fixture::{finish, opened, own_sample, settle};
use crate::predicting::run;

fn measure(by: Certainty) -> Command {
    Command::SetPredicting(Predicting::Certainty(by))
}

fn predict(part: PixelRect) -> Command {
    Command::Prediction(PredictionCommand::Predict {
        run: Some(run().to_owned()),
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
        finish(session, predict(part));
    }
}

fn shown(session: &Session) -> Mask {
    let layer = session.layer(LayerKind::Certainty).expect("a measure");
    assert!(!layer.is_loading && layer.broken.is_none());
    layer.mask.clone()
}

#[test]
fn another_measure_is_that_of_another_prediction_without_predicting_again() {
    let parts = [
        PixelRect::new(0, 0, 300, 200),
        PixelRect::new(200, 100, 300, 200),
    ];
    let expected = Certainty::ALL.map(|by| {
        let (_folder, ortho) = own_sample();
        let mut session = opened(&ortho);
        predicted(&mut session, by, parts);
        shown(&session)
    });
    assert!(expected[0] != expected[1] && expected[1] != expected[2]);

    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    predicted(&mut session, Certainty::Margin, parts);
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
    for command in [measure(Certainty::Margin), predict(parts[1])] {
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
