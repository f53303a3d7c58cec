//! Two predictions are compared on the ground that is chosen for the scores, and the command line
//! finds the same there.

use std::path::Path;
use std::time::Duration;

use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::label::{CellKey, CellState, Mask, UNLABELED, WantedCells};
use orthobrush::metrics::{ComparedPredictions, PredictionComparison};
use orthobrush::raster::{Overviews, PixelKind, TiffOptions, TiffWriter};
use orthobrush::session::{
    Command, CopiedCommand, KeptComparison, KeptScores, LayerKind, PlaceCommand, PredictionCommand,
    ScoreScope, SelectionCommand, Session,
};

use crate::contesting::{
    done, on_cpu, predict, predict_in_part, predicted_pixels, prediction, select, wholly_predicted,
};
use crate::fixture::{fill, finish, own_sample, settle, turn};
use crate::keeping::stroke;
use crate::predicting::{run, trained};
use crate::window::{self, window};
use egui_kittest::kittest::Queryable as _;

const KEEP: Command = Command::Prediction(PredictionCommand::Keep);
const VIEW: PixelRect = PixelRect::new(100, 300, 417, 255);

/// The sample, all of which two networks predicted; a polygon is selected, a cell is done.
fn two_predictions() -> (tempfile::TempDir, Session) {
    let (folder, image) = own_sample();
    let other = trained(folder.path(), 7);
    let mut session = on_cpu(&image);
    finish(&mut session, predict(run(), ScoreScope::Whole));
    finish(&mut session, KEEP);
    finish(&mut session, predict(&other, ScoreScope::Whole));
    select(
        &mut session,
        &[(90.0, 20.0), (700.0, 260.0), (300.0, 600.0)],
    );
    let mark = PlaceCommand::MarkCell {
        cell: CellKey { row: 0, col: 0 },
        state: Some(CellState::Done),
    };
    finish(&mut session, Command::Place(mark));
    (folder, session)
}

/// What is compared where `ground` is labeled, pixel by pixel.
fn fresh(session: &Session, ground: &Mask) -> PredictionComparison {
    let kept = LayerKind::Kept(session.contest().a());
    let bounds = ground.size().bounds();
    let [a, b, truth] = [kept, LayerKind::Prediction, LayerKind::Label].map(|kind| {
        let layer = session.layer(kind).expect("a layer");
        let mut mask = layer.mask.clone();
        mask.without(bounds, ground, |_, held| held == UNLABELED);
        mask.read_rect(bounds)
    });
    let num_classes = session.classes().num_classes();
    let mut counts = ComparedPredictions::new(num_classes, true);
    counts.add(&a, &b, Some(&truth));
    counts.comparison(session.classes())
}

/// The ground of each scope as a mask.
fn grounds(session: &Session) -> [(ScoreScope, Mask); 4] {
    let size = session.image().expect("an image").size();
    let of_rect = |rect| {
        let mut ground = Mask::new(size);
        ground.fill_rect(rect, 0);
        ground
    };
    let selected = session.selected().expect("a selection");
    let cell = session.coverage().rect(CellKey { row: 0, col: 0 });
    [
        (ScoreScope::Whole, of_rect(size.bounds())),
        (ScoreScope::Within(VIEW), of_rect(VIEW)),
        (ScoreScope::Selection, selected.pixels.ground(size)),
        (ScoreScope::Cells(WantedCells::Done), of_rect(cell)),
    ]
}

#[test]
fn the_comparison_is_of_the_chosen_ground_and_follows_the_brush() {
    let (_folder, mut session) = two_predictions();
    let grounds = grounds(&session);
    let mut kept = <[KeptComparison; 4]>::default();
    let mut check = |session: &Session| {
        session.check_invariants();
        for ((scope, ground), kept) in grounds.iter().zip(&mut kept) {
            let found = session.comparison_kept(*scope, kept).expect("counted");
            assert!(found.changed > 0 && found.alone == 0, "{scope:?}");
            assert_eq!(found.agreed + found.changed, found.pixels);
            let truth = found.truth.as_ref().expect("a label");
            let right = [truth.mended, truth.spoiled, truth.both_right];
            let all = right.iter().sum::<u64>() + truth.both_wrong;
            assert_eq!(all, truth.a.pixels, "{scope:?}");
            assert_eq!(found, fresh(session, ground), "{scope:?}");
            assert_eq!(session.comparison_of(*scope), Some(found), "{scope:?}");
            let word = session.ground_of_comparison_kept(*scope, kept);
            assert_eq!(word, session.ground_of_comparison(*scope), "{scope:?}");
        }
    };
    check(&session);
    let scope = ScoreScope::Within(VIEW);
    let (before, key) = (session.comparison_of(scope), session.score_key(scope));
    for class in [4, 3] {
        stroke(&mut session, (100.0, 310.0), (500.0, 500.0), class);
        assert!(settle(&mut session).is_empty());
        check(&session);
    }
    assert!(session.comparison_of(scope) != before && session.score_key(scope) != key);
    for _ in 0..2 {
        session.apply(Command::Undo).expect("undone");
    }
    settle(&mut session);
    check(&session);
    assert_eq!(session.comparison_of(scope), before);
    finish(&mut session, Command::Selection(SelectionCommand::Drop));
    assert_eq!(session.comparison_of(ScoreScope::Selection), None);
}

#[test]
fn a_comparison_of_a_part_is_copied_as_the_command_that_finds_the_same() {
    let (_folder, mut session) = two_predictions();
    for (scope, option) in [
        (ScoreScope::Within(VIEW), " --area 100,300,417,255"),
        (ScoreScope::Selection, " --polygon "),
        (ScoreScope::Cells(WantedCells::Done), " --area "),
    ] {
        let words = session.as_command(CopiedCommand::Compare(scope));
        let words = words.expect("words");
        assert!(words.contains(option), "{words}");
        let report = done(&format!("{words} --device cpu --json"));
        let said: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
        let found = session.comparison_of(scope).expect("counted");
        let found = serde_json::to_value(found).expect("plain data");
        for name in ["pixels", "alone", "agreed", "changed", "says"] {
            assert_eq!(said[name], found[name], "{name}: {words}");
        }
        for name in ["mended", "spoiled", "both_right", "both_wrong"] {
            assert_eq!(said["truth"][name], found["truth"][name], "{name}: {words}");
        }
    }
    let why_not = |session: &Session, scope| {
        let words = session.as_command(CopiedCommand::Compare(scope));
        words.expect_err("no words").to_string()
    };
    let none = why_not(&session, ScoreScope::Training);
    assert!(none.contains("No command line says that ground"), "{none}");
    finish(&mut session, Command::Selection(SelectionCommand::Drop));
    let none = why_not(&session, ScoreScope::Selection);
    assert!(none.contains("Nothing is selected"), "{none}");
}

#[test]
fn a_prediction_of_a_part_is_compared_and_copied_where_it_is() {
    let (folder, image) = own_sample();
    let other = trained(folder.path(), 7);
    let mut session = on_cpu(&image);
    finish(&mut session, predict(run(), ScoreScope::Whole));
    finish(&mut session, KEEP);
    let within = ScoreScope::Within(VIEW);
    finish(&mut session, predict(&other, within));
    let found = session.comparison_of(ScoreScope::Whole).expect("counted");
    let all = prediction(&session).size().bounds().num_pixels();
    let held = VIEW.num_pixels();
    assert_eq!((found.pixels, found.alone), (held, all - held));
    assert_eq!(session.comparison_of(within).expect("counted").alone, 0);
    let copied = |scope| session.as_command(CopiedCommand::Compare(scope));
    for scope in [ScoreScope::Whole, within] {
        let words = copied(scope).expect("words");
        assert!(words.contains(" --area 100,300,417,255"), "{words}");
    }
    let wider = PixelRect::new(50, 300, 400, 200);
    let why_not = copied(ScoreScope::Within(wider)).expect_err("a part is missing");
    assert!(
        why_not.to_string().contains("Predict both there first"),
        "{why_not}"
    );
    // The scores are of that ground as well, and the command line scores no other.
    let mut kept = KeptScores::default();
    let scores = session.scores_kept(ScoreScope::Within(wider), &mut kept);
    let share = kept.share_predicted().expect("a part");
    assert!(share > 0.0 && share < 1.0, "{share}");
    assert_eq!(scores.expect("scores").unpredicted, 0);
}

/// Writes an image whose left 200 columns have no data.
fn write_half_void(path: &Path, size: ImageSize) {
    let options = TiffOptions {
        overviews: Overviews::None,
        ..TiffOptions::new(size, PixelKind::Rgba)
    };
    let mut writer = TiffWriter::create(path, options).expect("begun");
    for y in 0..size.height {
        let pixel = |x: u32| {
            let [red, green] = [x / 97 * 40 % 256, y / 61 * 30 % 256].map(|band| band as u8);
            [red, green, 60, if x < 200 { 0 } else { 255 }]
        };
        let row: Vec<u8> = (0..size.width).flat_map(pixel).collect();
        writer.write_rows(&row).expect("written");
    }
    writer.finish().expect("finished");
}

#[test]
fn a_comparison_of_ground_that_lacks_data_in_part_is_copied() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = trained(folder.path(), 7);
    let image = folder.path().join("image.tif");
    write_half_void(&image, ImageSize::new(700, 500));
    let mut session = on_cpu(&image);
    let within = ScoreScope::Within(PixelRect::new(100, 50, 300, 200));
    finish(&mut session, predict(run(), within));
    finish(&mut session, KEEP);
    finish(&mut session, predict(&other, within));
    let found = session.comparison_of(within).expect("counted");
    assert_eq!((found.pixels, found.alone), (200 * 200, 0));
    let copied = |scope| session.as_command(CopiedCommand::Compare(scope));
    for scope in [ScoreScope::Whole, within] {
        let words = copied(scope).expect("words");
        assert!(words.contains(" --area 100,50,300,200"), "{words}");
        let report = done(&format!("{words} --device cpu --json"));
        let said: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
        for (name, count) in [
            ("pixels", found.pixels),
            ("alone", 0),
            ("changed", found.changed),
        ] {
            assert_eq!(said[name], count, "{name}: {words}");
        }
    }
    // A command would predict what neither did.
    let wider = ScoreScope::Within(PixelRect::new(100, 50, 301, 200));
    copied(wider).expect_err("a part is missing");
}

#[test]
fn a_prediction_in_work_is_compared_block_by_block_and_a_stopped_one_where_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = trained(folder.path(), 7);
    let mut session = wholly_predicted(folder.path(), ImageSize::new(3_200, 2_100));
    finish(&mut session, KEEP);
    let all = 3_200 * 2_100;
    let check = |session: &Session| {
        let there = predicted_pixels(&prediction(session));
        let found = session.comparison_of(ScoreScope::Whole).expect("counted");
        assert_eq!((found.pixels, found.alone), (there, all - there));
        assert!(found.truth.is_none());
        there
    };
    assert_eq!(check(&session), all);
    let begin = predict(&other, ScoreScope::Whole);
    session.apply(begin).expect("accepted");
    let mut between = 0;
    while session.prediction_state().blocks.0 < 2 {
        session.pump(1);
        let there = check(&session);
        between += u32::from(there > 0 && there < all);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(between > 0);
    let job = session.prediction_state().job.expect("a job");
    session.apply(Command::StopJob(job)).expect("accepted");
    assert!(settle(&mut session).is_empty());
    session.check_invariants();
    let there = check(&session);
    assert!(there > 0 && there < all);
    assert!(session.unfinished_prediction().is_some());
    let words = session.as_command(CopiedCommand::Compare(ScoreScope::Whole));
    words.expect_err("a command would predict all");
}

#[test]
fn scores_of_a_stopped_prediction_are_of_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = wholly_predicted(folder.path(), ImageSize::new(3_200, 2_100));
    let area = PixelRect::new(0, 0, 3_200, 2_100);
    fill(&mut session, area, 1);
    let share = |session: &Session| {
        let mut kept = KeptScores::default();
        let scores = session.scores_kept(ScoreScope::Whole, &mut kept);
        (scores.expect("scores"), kept.share_predicted())
    };
    let (whole, none) = share(&session);
    assert_eq!((whole.pixels, none), (3_200 * 2_100, None));
    let other = trained(folder.path(), 7);
    predict_in_part(&mut session, &other, ScoreScope::Whole);
    let (part, some) = share(&session);
    let there = predicted_pixels(&prediction(&session));
    assert_eq!((part.pixels, part.unpredicted), (there, 0));
    assert_eq!(some, Some(there as f64 / whole.pixels as f64));
    let go_on = PredictionCommand::GoOn { near: None };
    finish(&mut session, Command::Prediction(go_on));
    let (again, none) = share(&session);
    assert_eq!((again.pixels, none), (whole.pixels, None));
}

#[test]
fn the_panel_shows_the_comparison_on_the_chosen_ground() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let (layer, path) = (
        LayerKind::Prediction,
        ortho.with_file_name("label_true.tif"),
    );
    for command in [Command::OpenMask { layer, path }, KEEP] {
        harness.state_mut().perform(vec![command]);
        window::settle(&mut harness);
    }
    harness
        .get_by_role_and_label(egui::Role::Button, "Scores")
        .click_accesskit();
    window::settle(&mut harness);
    let same = "0.00 % changed its mind";
    assert!(harness.query_by_label(same).is_some());
    let scope = (egui::Role::ComboBox, "Numbers of");
    harness
        .get_by_role_and_label(scope.0, scope.1)
        .click_accesskit();
    window::settle(&mut harness);
    harness.get_by_label("The selection").click_accesskit();
    window::settle(&mut harness);
    assert!(harness.query_by_label(same).is_none());
    let nothing = harness.query_all_by_label("Nothing is selected.");
    assert_eq!(nothing.count(), 2, "of the comparison and of the scores");
}
