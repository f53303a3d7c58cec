//! Predictions that are kept, so that panes show them beside others, and measures of doubt side by
//! side.

use std::path::PathBuf;

use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::label::{Mask, SaveAs, save_mask};
use orthobrush::metrics::PredictionComparison;
use orthobrush::session::{
    Command, FinetuneCommand, KeptPlace, LayerKind, Predicting, PredictionCommand, ScoreScope,
    Session,
};
use orthobrush::train::{Certainty, DeviceChoice};
use orthobrush::ui::{PaneContent, PaneLayout};

use crate::contesting::{on_cpu, predict, prediction, wholly_predicted};
use crate::fixture::{finish, own_sample, settle, turn};
use crate::keeping::stroke;
use crate::predicting::{run, trained};
use crate::window::{self, session, window};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use orthobrush::app::App;

#[track_caller]
fn whole(session: &Session) -> PredictionComparison {
    let found = session.comparison_of(ScoreScope::Whole);
    found.expect("counted")
}

#[test]
fn predictions_of_several_networks_are_kept_and_any_of_them_is_held_against_the_one_that_is_there()
{
    let (folder, image) = own_sample();
    let others: [PathBuf; 2] = [7, 8].map(|seed| {
        let own = folder.path().join(format!("{seed}"));
        std::fs::create_dir(&own).expect("a folder");
        trained(&own, seed)
    });
    let mut session = on_cpu(&image);
    let places = |session: &Session| session.kept_places().collect::<Vec<_>>();
    let mut shown = Vec::new();
    for run in [run(), &others[0], &others[1]] {
        finish(&mut session, predict(run, ScoreScope::Whole));
        shown.push(prediction(&session));
        finish(&mut session, Command::Prediction(PredictionCommand::Keep));
    }
    // Kept twice, the same network's answers take one place.
    finish(&mut session, Command::Prediction(PredictionCommand::Keep));
    let three = [KeptPlace::First, KeptPlace::Second, KeptPlace::Third];
    assert_eq!(places(&session), three);
    for (place, mask) in three.into_iter().zip(&shown) {
        let layer = session.layer(LayerKind::Kept(place)).expect("kept");
        assert_eq!(&layer.mask, mask);
        assert!(session.kept_by(place).is_some());
    }
    assert_eq!(
        session.contest_run(),
        Some(&*others[1]),
        "the last one kept"
    );
    assert_eq!(whole(&session).changed, 0);

    let bounds = shown[0].size().bounds();
    for (place, mask) in three.into_iter().zip(&shown) {
        let turn = Command::Prediction(PredictionCommand::CompareWith(place));
        finish(&mut session, turn);
        let pairs = mask
            .read_rect(bounds)
            .into_iter()
            .zip(shown[2].read_rect(bounds));
        let changed = pairs.filter(|(a, b)| a != b).count() as u64;
        assert_eq!(whole(&session).changed, changed, "{place:?}");
    }
    let held = session.bytes_used();
    let drop = |place| Command::Prediction(PredictionCommand::DropKept(place));
    finish(&mut session, drop(KeptPlace::First));
    assert!(session.bytes_used() < held);
    assert_eq!(session.contest().a(), KeptPlace::Third, "it stays");
    finish(&mut session, drop(KeptPlace::Third));
    assert_eq!(places(&session), [KeptPlace::Second]);
    assert_eq!(session.contest().a(), KeptPlace::Second);
    assert!(whole(&session).changed > 0);
    let gone = Command::Prediction(PredictionCommand::CompareWith(KeptPlace::First));
    session.apply(gone).expect_err("nothing is there");
}

#[test]
fn a_fifth_prediction_is_not_kept_and_says_what_to_do() {
    let (folder, image) = own_sample();
    let mut session = on_cpu(&image);
    let size = session.image().expect("an image").size();
    for class in 0..5 {
        let path = folder.path().join(format!("{class}.tif"));
        let mut mask = Mask::new(size);
        mask.set_rect(PixelRect::new(0, 0, 9, 9), &[class; 81]);
        let classes = session.classes();
        save_mask(&path, &mask, classes, None, SaveAs::GeoTiff).expect("written");
        let layer = LayerKind::Prediction;
        finish(&mut session, Command::OpenMask { layer, path });
        let kept = session.apply(Command::Prediction(PredictionCommand::Keep));
        settle(&mut session);
        assert_eq!(kept.is_ok(), class < 4);
        if let Err(why) = kept {
            assert!(why.to_string().contains("Drop one first"), "{why}");
        }
    }
    let names = session
        .kept_places()
        .map(|place| PaneContent::Kept(place).entry(&session));
    let of_files = [0, 1, 2, 3].map(|class| format!("Kept prediction of {class}.tif"));
    assert_eq!(names.collect::<Vec<_>>(), of_files);
    let next = folder.path().join("ortho.tif");
    finish(&mut session, Command::Open { path: next });
    assert_eq!(
        session.kept_places().count(),
        0,
        "they were of the other image"
    );
}

#[test]
fn the_image_is_predicted_by_a_run_that_is_chosen_from_a_list() {
    let _turn = turn();
    let (folder, ortho) = own_sample();
    let runs = folder.path().join("orthobrush-runs");
    std::fs::create_dir(&runs).expect("a folder");
    let run = runs.join("run");
    std::fs::rename(trained(folder.path(), 3), &run).expect("moved");
    let mut harness = window(Some(&ortho));
    harness
        .get_by_label("Predict with another run…")
        .click_accesskit();
    window::settle(&mut harness);
    assert!(harness.query_by_label("Another folder…").is_some());
    harness.get_by_label("run").click();
    window::settle(&mut harness);
    let state = session(&harness).prediction_state();
    assert_eq!(state.run.as_deref(), Some(&*run));
    assert!(state.is_complete);
    let doubt = PaneContent::Certainty(session(&harness).certainty_measure());
    for content in [PaneContent::Prediction, PaneContent::Errors, doubt] {
        assert_eq!(content.hint(session(&harness)), "of run", "{content:?}");
    }
    assert!(
        harness.query_by_label("Another folder…").is_none(),
        "closed"
    );
}

#[test]
fn a_run_that_is_chosen_from_the_list_predicts_where_the_panel_says() {
    let _turn = turn();
    let (folder, ortho) = own_sample();
    let runs = folder.path().join("orthobrush-runs");
    std::fs::create_dir(&runs).expect("a folder");
    let run = runs.join("run");
    std::fs::rename(trained(folder.path(), 3), &run).expect("moved");
    let mut harness = window(Some(&ortho));
    let choice = (egui::Role::ComboBox, "Predict on");
    let choice = harness.get_by_role_and_label(choice.0, choice.1);
    choice.click_accesskit();
    window::settle(&mut harness);
    harness.get_by_label("What is in view").click_accesskit();
    window::settle(&mut harness);
    harness
        .get_by_label("Predict with another run…")
        .click_accesskit();
    window::settle(&mut harness);
    let said = harness.query_by_label("Predict on: What is in view");
    assert!(said.is_some());
    harness.get_by_label("run").click();
    window::settle(&mut harness);
    let state = session(&harness).prediction_state();
    assert_eq!(state.run.as_deref(), Some(&*run));
    assert!(
        matches!(state.on, ScoreScope::Within(_)),
        "on {:?}",
        state.on
    );
}

#[test]
fn a_model_that_is_in_use_predicts_by_a_button_before_anything_is_trained() {
    let _turn = turn();
    let (folder, ortho) = own_sample();
    let run = trained(folder.path(), 3);
    let mut harness = window(Some(&ortho));
    let predict = (egui::Role::Button, "Predict");
    assert!(
        harness
            .query_by_role_and_label(predict.0, predict.1)
            .is_none()
    );
    let activate = FinetuneCommand::Activate { run };
    let activate = vec![Command::Finetune(activate)];
    harness.state_mut().perform(activate);
    window::settle(&mut harness);
    harness
        .get_by_role_and_label(predict.0, predict.1)
        .click_accesskit();
    window::settle(&mut harness);
    let state = session(&harness).prediction_state();
    assert_eq!((state.on, state.is_complete), (ScoreScope::Whole, true));
}

#[test]
fn a_prediction_that_is_stopped_before_its_first_block_gives_the_one_before_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = trained(folder.path(), 7);
    let mut session = wholly_predicted(folder.path(), ImageSize::new(3_200, 2_100));
    let before = prediction(&session);
    let stop_at_once = |session: &mut Session| {
        let begin = predict(&other, ScoreScope::Whole);
        session.apply(begin).expect("accepted");
        let job = session.prediction_state().job.expect("a job");
        session.apply(Command::StopJob(job)).expect("accepted");
        assert!(settle(session).is_empty());
        session.check_invariants();
        assert!(session.layer(LayerKind::Replaced).is_none());
    };
    stop_at_once(&mut session);
    assert!(prediction(&session) == before);
    let state = session.prediction_state();
    assert_eq!(
        (state.run.as_deref(), state.is_complete),
        (Some(run()), true)
    );
    assert_eq!(session.unfinished_prediction(), None);
    assert!(session.certainty().is_some());
    finish(&mut session, predict(run(), ScoreScope::Whole));
    assert_eq!(session.prediction_state().computed, 0, "it is there");

    // Of a file as well, beside a label.
    stroke(&mut session, (10.0, 10.0), (90.0, 60.0), 1);
    let path = folder.path().join("saved.tif");
    let layer = LayerKind::Prediction;
    let save = Command::SaveAs {
        layer,
        path: path.clone(),
    };
    finish(&mut session, save);
    finish(&mut session, Command::OpenMask { layer, path });
    stop_at_once(&mut session);
    assert!(prediction(&session) == before);
    assert_eq!(session.prediction_state().run, None);
}

/// By how much the middle of a canvas is redder than blue, as it is drawn.
fn redness(harness: &mut Harness<'_, App>, canvas: &str) -> f64 {
    let middle = harness.get_by_label(canvas).rect().center();
    let picture = harness.render().expect("a picture");
    let (left, top) = (middle.x as u32 - 20, middle.y as u32 - 20);
    let places = (0..1_600).map(|place| (left + place % 40, top + place / 40));
    let differences = places.map(|(x, y)| {
        let [red, _, blue, _] = picture.get_pixel(x, y).0;
        f64::from(red) - f64::from(blue)
    });
    differences.sum::<f64>() / 1_600.0
}

#[test]
fn each_pane_shows_the_measure_of_doubt_that_is_chosen_for_it() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let device = Predicting::Device(DeviceChoice::Cpu);
    let commands = vec![
        Command::SetPredicting(device),
        predict(run(), ScoreScope::Whole),
    ];
    harness.state_mut().perform(commands);
    let choose = |harness: &mut Harness<'_, App>, contents: [PaneContent; 2]| {
        let view = harness.state_mut().view_mut();
        view.layout = PaneLayout::Two;
        for (place, content) in contents.into_iter().enumerate() {
            view.contents.choose(PaneLayout::Two, place, content);
        }
        window::settle(harness);
    };
    choose(&mut harness, [PaneContent::Original, PaneContent::Label]);
    let bare = redness(&mut harness, "Canvas: Original");
    let two = [Certainty::Margin, Certainty::Entropy].map(PaneContent::Certainty);
    choose(&mut harness, two);
    let mask = |harness: &Harness<'_, App>, by| {
        let layer = session(harness).layer(LayerKind::Certainty(by));
        layer.map(|layer| layer.mask.clone())
    };
    let both = [Certainty::Margin, Certainty::Entropy].map(|by| mask(&harness, by));
    assert!(both[0].is_some() && both[1].is_some() && both[0] != both[1]);
    for name in ["Canvas: Doubt: margin", "Canvas: Doubt: entropy"] {
        let red = redness(&mut harness, name);
        assert!(red > bare + 20.0, "{name}: {red}, without {bare}");
    }
    let legends = [
        "margin 0.5 or less; clear: 1",
        "entropy half of the most, or more; clear: 0",
    ];
    for legend in legends {
        assert!(harness.query_by_label(legend).is_some(), "{legend}");
    }
    // Another one is chosen in the second pane's menu.
    let header = harness.get_by_label("Canvas: Doubt: entropy").rect();
    let header = header.left_top() + egui::vec2(40.0, 20.0);
    window::drag(&mut harness, &[header]);
    window::settle(&mut harness);
    harness.get_by_label("Doubt: probability").click();
    window::settle(&mut harness);
    assert!(
        harness
            .query_by_label("Canvas: Doubt: probability")
            .is_some()
    );
    assert!(mask(&harness, Certainty::Probability).is_some(), "chosen");
    assert!(mask(&harness, Certainty::Margin) == both[0]);
    assert!(mask(&harness, Certainty::Entropy).is_none(), "let go of");
}
