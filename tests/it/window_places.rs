//! Coverage, going places, the command palette and the keys, in the window.

use egui::{Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use orthobrush::app::{App, AppConfig};
use orthobrush::geom::PixelRect;
use orthobrush::label::{CellKey, CellState};
use orthobrush::metrics::Figure;
use orthobrush::session::{
    CheckCommand, Command, LayerKind, PlaceCommand, Review, ReviewCommand, Tool,
};
use orthobrush::ui::{PaneContent, PaneLayout};

use crate::fixture::{own_sample, turn};
use crate::window::{canvas_center, drag, session, settle, window, window_of};

fn press(harness: &mut Harness<'_, App>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.step();
    harness.step();
}

/// A list in the middle of the window takes some frames to find its place.
fn lay_out(harness: &mut Harness<'_, App>) {
    (0..12).for_each(|_| harness.step());
}

fn type_text(harness: &mut Harness<'_, App>, text: &str) {
    harness.event(egui::Event::Text(text.to_owned()));
    harness.step();
    harness.step();
}

#[test]
fn cells_are_marked_noted_and_kept() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let cell = CellKey { row: 0, col: 0 };
    let mut harness = window(Some(&ortho));
    let at = canvas_center(&harness);
    harness.hover_at(at);
    harness.step();
    press(&mut harness, Modifiers::SHIFT, Key::K);
    let state = session(&harness).coverage().state(cell, None);
    assert_eq!(state, CellState::NeedsReview);
    press(&mut harness, Modifiers::NONE, Key::K);
    assert_eq!(session(&harness).coverage().num_done(), 1);
    assert!(harness.query_by_label("100 % done").is_some());
    press(&mut harness, Modifiers::COMMAND, Key::K);
    type_text(&mut harness, "all well");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(session(&harness).coverage().note(cell), "all well");
}

#[test]
fn the_palette_finds_tools_and_classes_by_their_letters() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    press(&mut harness, Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    type_text(&mut harness, "magwa");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(session(&harness).tool(), Tool::Wand);
    press(&mut harness, Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    type_text(&mut harness, "class: wat");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(session(&harness).active_class(), 3);
    press(&mut harness, Modifiers::SHIFT, Key::O);
    let origins = session(&harness)
        .layer(LayerKind::Origins)
        .expect("origins");
    assert!(origins.is_visible);
}

#[test]
fn a_key_is_changed_in_the_sheet_and_a_conflict_is_told() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    press(&mut harness, Modifiers::NONE, Key::F1);
    lay_out(&mut harness);
    harness.get_by_label("Change the key of Brush").click();
    harness.step();
    harness.step();
    press(&mut harness, Modifiers::NONE, Key::E);
    assert!(
        harness
            .query_by_label("E is the key of “Eraser”.")
            .is_some()
    );
    harness.get_by_label("Give it to “Brush”").click();
    harness.step();
    harness.step();
    press(&mut harness, Modifiers::NONE, Key::Escape);
    press(&mut harness, Modifiers::NONE, Key::W);
    assert_eq!(session(&harness).tool(), Tool::Wand);
    press(&mut harness, Modifiers::NONE, Key::E);
    assert_eq!(session(&harness).tool(), Tool::Brush);
    press(&mut harness, Modifiers::NONE, Key::F1);
    lay_out(&mut harness);
    harness.get_by_label("Restore the defaults").click();
    harness.step();
    harness.step();
    press(&mut harness, Modifiers::NONE, Key::Escape);
    press(&mut harness, Modifiers::NONE, Key::E);
    assert_eq!(session(&harness).tool(), Tool::Eraser);
}

#[test]
fn a_place_is_gone_to_and_bookmarked() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    press(&mut harness, Modifiers::COMMAND, Key::G);
    type_text(&mut harness, "far away");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let why = "Type two numbers with a space between them";
    assert!(harness.query_by_label(why).is_some());
    press(&mut harness, Modifiers::NONE, Key::Escape);
    press(&mut harness, Modifiers::COMMAND, Key::G);
    type_text(&mut harness, "200.5, 300");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    press(&mut harness, Modifiers::COMMAND, Key::B);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let marks = session(&harness).bookmarks();
    assert_eq!(
        (marks[0].name.as_str(), marks[0].at.x, marks[0].at.y),
        ("Place 1", 200.5, 300.0)
    );
}

#[test]
fn place_and_zoom_stay_when_panes_come_and_go() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    press(&mut harness, Modifiers::NONE, Key::V);
    press(&mut harness, Modifiers::COMMAND, Key::Num1);
    let at = canvas_center(&harness);
    drag(&mut harness, &[at, at + vec2(150.0, 90.0)]);
    let looked = harness.state_mut().view_mut().camera.expect("a camera");
    assert_eq!(looked.scale, 1.0);
    assert!(looked.center.x < 400.0 && looked.center.y < 450.0);
    for layout in [
        PaneLayout::Two,
        PaneLayout::Three,
        PaneLayout::Four,
        PaneLayout::One,
    ] {
        press(&mut harness, Modifiers::NONE, Key::C);
        let view = harness.state_mut().view_mut();
        assert_eq!((view.layout, view.camera), (layout, Some(looked)));
    }
    harness
        .get_by_role_and_label(egui::Role::Button, "View")
        .click();
    harness.run_steps(3);
    harness
        .get_by_role_and_label(egui::Role::RadioButton, PaneLayout::Two.name())
        .click();
    harness.run_steps(2);
    let view = harness.state_mut().view_mut();
    assert_eq!((view.layout, view.camera), (PaneLayout::Two, Some(looked)));
}

#[test]
fn panes_come_back_with_the_image_and_show_nothing_of_what_is_gone() {
    let _turn = turn();
    let (folder, ortho) = own_sample();
    let config = || AppConfig {
        open: Some(ortho.clone()),
        settings_path: Some(folder.path().join("settings.toml")),
        ..AppConfig::default()
    };
    let mut harness = window_of(config());
    let view = harness.state_mut().view_mut();
    view.layout = PaneLayout::Two;
    let shown = [PaneContent::Label, PaneContent::Errors];
    for (place, content) in shown.into_iter().enumerate() {
        view.contents.choose(PaneLayout::Two, place, content);
    }
    harness.run_steps(2);
    drop(harness);
    let mut harness = window_of(config());
    let view = harness.state_mut().view_mut();
    assert_eq!(view.layout, PaneLayout::Two);
    // There is no prediction to have errors.
    let shown = view.contents.of(PaneLayout::Two);
    assert_eq!(shown, [PaneContent::Label; 2]);
}

#[test]
fn what_a_single_pane_shows_is_chosen_in_its_header() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let pane = harness.get_by_label("Canvas: Image and label").rect();
    let header = pane.left_top() + vec2(40.0, 20.0);
    drag(&mut harness, &[header]);
    settle(&mut harness);
    let original = PaneContent::Original.name();
    harness
        .get_by_role_and_label(egui::Role::RadioButton, original)
        .click();
    settle(&mut harness);
    let view = harness.state_mut().view_mut();
    let shown = view.contents.of(PaneLayout::One);
    assert_eq!(shown, [PaneContent::Original]);
    assert!(!session(&harness).can_undo(), "nothing is painted");
}

#[test]
fn the_picture_stays_under_the_pointer_whatever_the_bar_below_shows() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    harness.set_size(vec2(1_000.0, 800.0));
    settle(&mut harness);
    let canvas = |harness: &Harness<'_, App>| {
        let canvas = harness.get_by_label("Canvas: Image and label");
        canvas.rect()
    };
    press(&mut harness, Modifiers::NONE, Key::V);
    let before = canvas(&harness);
    for (modifiers, key) in [
        (Modifiers::NONE, Key::B),
        (Modifiers::NONE, Key::P),
        (Modifiers::SHIFT, Key::W),
        (Modifiers::NONE, Key::S),
        (Modifiers::NONE, Key::W),
    ] {
        press(&mut harness, modifiers, key);
        assert_eq!(canvas(&harness), before, "{key:?}");
    }
    drag(&mut harness, &[before.center() + vec2(100.0, 60.0)]);
    settle(&mut harness);
    assert!(session(&harness).selected().is_some());
    assert_eq!(canvas(&harness), before);
    let fill = harness.get_by_label("Fill (Enter)");
    assert!(before.x_range().contains(fill.rect().right()));
    fill.click();
    harness.run_steps(3);
    assert!(session(&harness).selected().is_none(), "it can be pressed");
}

/// How many classes the status bar names.
fn named_classes(harness: &mut Harness<'_, App>, at: egui::Pos2) -> usize {
    harness.hover_at(at);
    harness.run_steps(2);
    harness.query_all_by_label_contains("label: ").count()
}

#[test]
fn no_map_tells_what_is_at_a_point_that_is_checked() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let at = canvas_center(&harness);
    assert_eq!(named_classes(&mut harness, at), 1);
    let view = harness.state_mut().view_mut();
    view.layout = PaneLayout::Three;
    let told = [PaneContent::Errors, PaneContent::Changed, PaneContent::Work];
    for (place, content) in told.into_iter().enumerate() {
        view.contents.choose(PaneLayout::Three, place, content);
    }
    let canvases = |harness: &Harness<'_, App>, content: PaneContent| {
        let label = format!("Canvas: {}", content.name());
        harness.query_all_by_label(&label).count()
    };
    harness.run_steps(2);
    assert_eq!(told.map(|content| canvases(&harness, content)), [1; 3]);
    let check = |command| Command::Place(PlaceCommand::Check(command));
    let draw = CheckCommand::Draw {
        of: LayerKind::Label,
        points: 20,
        seed: 1,
    };
    harness.state_mut().perform(vec![check(draw)]);
    settle(&mut harness);
    assert!(session(&harness).checked_point().is_some());
    assert_eq!(canvases(&harness, PaneContent::Original), 3);
    assert_eq!(named_classes(&mut harness, at), 0);
    harness
        .state_mut()
        .perform(vec![check(CheckCommand::Leave)]);
    harness.run_steps(2);
    assert_eq!(told.map(|content| canvases(&harness, content)), [1; 3]);
    assert_eq!(named_classes(&mut harness, at), 1);
}

/// The middle of the canvas, with some ground around the place that is walked through.
fn middle(harness: &mut Harness<'_, App>, place: PixelRect) -> Vec<[u8; 4]> {
    let around = place.grown(place.width.max(place.height));
    harness.state_mut().view_mut().show_rect(around);
    settle(harness);
    let at = canvas_rect(harness).center();
    let (left, top) = (at.x as u32 - 150, at.y as u32 - 150);
    let picture = harness.render().expect("a picture");
    let places = (0..90_000).map(|place| (left + place % 300, top + place / 300));
    places.map(|(x, y)| picture.get_pixel(x, y).0).collect()
}

/// Where the only pane is, whatever it shows.
fn canvas_rect(harness: &Harness<'_, App>) -> egui::Rect {
    let contents = [PaneContent::Work, PaneContent::Original];
    let names = contents.map(|content| format!("Canvas: {}", content.name()));
    let canvas = names.iter().find_map(|name| harness.query_by_label(name));
    canvas.expect("a canvas").rect()
}

#[test]
fn no_walk_tells_what_is_at_a_point_that_is_checked() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let path = ortho.with_file_name("label_true.tif");
    let layer = LayerKind::Prediction;
    let perform = |harness: &mut Harness<'_, App>, command| {
        harness.state_mut().perform(vec![command]);
        settle(harness);
    };
    let check = |command| Command::Place(PlaceCommand::Check(command));
    let [start, end] = [ReviewCommand::Start, ReviewCommand::End].map(Command::Review);
    perform(&mut harness, Command::OpenMask { layer, path });
    perform(&mut harness, start);
    let current = session(&harness).review().and_then(Review::current);
    let place = current.expect("a difference").bounds;
    let walked = middle(&mut harness, place);
    let draw = CheckCommand::Draw {
        of: LayerKind::Label,
        points: 20,
        seed: 1,
    };
    perform(&mut harness, check(draw));
    let asked = middle(&mut harness, place);
    perform(&mut harness, end);
    assert!(session(&harness).checked_point().is_some());
    assert!(middle(&mut harness, place) == asked);
    perform(&mut harness, check(CheckCommand::Leave));
    assert!(middle(&mut harness, place) != walked, "it is drawn then");
}

#[test]
fn a_small_window_shows_the_first_scores_and_the_box_of_instant_answers() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let path = ortho.with_file_name("label_true.tif");
    let layer = LayerKind::Prediction;
    harness
        .state_mut()
        .perform(vec![Command::OpenMask { layer, path }]);
    harness.set_size(vec2(800.0, 500.0));
    settle(&mut harness);
    let button = egui::Role::Button;
    harness
        .get_by_role_and_label(button, "Scores")
        .click_accesskit();
    settle(&mut harness);
    let below = harness.get_by_role_and_label(button, "Improve").rect();
    for figure in [Figure::MeanIou, Figure::PixelAccuracy] {
        let figure = harness.get_by_label(figure.definition().name).rect();
        assert!(figure.bottom() <= below.top(), "{figure:?} {below:?}");
    }
    let room = canvas_rect(&harness).x_range();
    let answers = harness
        .get_by_role_and_label(egui::Role::CheckBox, "Instant answers")
        .rect();
    assert!(room.contains(answers.left()) && room.contains(answers.right()));
}
