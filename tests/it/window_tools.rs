//! Tools in the window that draw and choose: lines, measuring, objects, selections, differences.

use egui::{Key, Modifiers, PointerButton, Pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use orthobrush::app::App;
use orthobrush::geom::{ImagePoint, PixelRect};
use orthobrush::label::Side;
use orthobrush::session::{
    Command, KeptPlace, LayerKind, PredictionCommand, ReviewCommand, ScoreScope, Tool,
};
use orthobrush::ui::{PaneContent, PaneLayout};

use crate::fixture::{own_sample, turn};
use crate::window::{canvas_center, count, drag, session, settle, window};

fn press(harness: &mut Harness<'_, App>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.step();
    harness.step();
}

fn click(harness: &mut Harness<'_, App>, at: Pos2) {
    drag(harness, &[at]);
}

#[test]
fn a_line_is_clicked_and_painted_as_wide_as_the_brush() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    press(&mut harness, Modifiers::NONE, Key::Num5);
    press(&mut harness, Modifiers::SHIFT, Key::L);
    let before = count(&harness, 4);
    let at = canvas_center(&harness);
    for corner in [vec2(-100.0, 0.0), vec2(0.0, 30.0), vec2(100.0, 0.0)] {
        click(&mut harness, at + corner);
    }
    assert!(
        !session(&harness).can_undo(),
        "nothing is painted before Enter"
    );
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(count(&harness, 4) > before + 5_000);
    assert_eq!(
        session(&harness).num_steps(),
        (1, 1),
        "a line is one undo step"
    );
}

#[test]
fn measuring_changes_nothing() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    press(&mut harness, Modifiers::SHIFT, Key::R);
    let at = canvas_center(&harness);
    for corner in [vec2(-50.0, 0.0), vec2(50.0, 0.0), vec2(50.0, 80.0)] {
        click(&mut harness, at + corner);
    }
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(!session(&harness).can_undo());
}

#[test]
fn an_object_is_clicked_selected_and_filled() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    press(&mut harness, Modifiers::SHIFT, Key::W);
    let at = canvas_center(&harness);
    // The ground is prepared while the pointer comes, so that the click is answered at once.
    harness.hover_at(at);
    settle(&mut harness);
    let everything = PixelRect::new(0, 0, 4_096, 4_096);
    let middle = ImagePoint::new(512.0, 512.0);
    assert!(!session(&harness).wants_ground(middle, everything));
    click(&mut harness, at);
    settle(&mut harness);
    assert_eq!(session(&harness).object_hints().len(), 1);
    let selected = session(&harness)
        .selected()
        .expect("something")
        .pixels
        .num_pixels();
    assert!(selected > 20, "{selected} pixels");
    press(&mut harness, Modifiers::NONE, Key::Num4);
    let before = count(&harness, 3);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(count(&harness, 3) >= before && session(&harness).selected().is_none());
}

#[test]
fn an_object_is_told_by_a_loose_stroke_and_by_one_against_it() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    press(&mut harness, Modifiers::SHIFT, Key::W);
    let at = canvas_center(&harness);
    let loose = [vec2(-30.0, 0.0), vec2(0.0, 12.0), vec2(30.0, 0.0)].map(|by| at + by);
    drag(&mut harness, &loose);
    settle(&mut harness);
    let pixels = |harness: &Harness<'_, App>| {
        let selected = session(harness).selected();
        selected.map_or(0, |selected| selected.pixels.num_pixels())
    };
    let hints = session(&harness).object_hints();
    assert!(
        matches!(hints, [hint] if hint.points.len() >= 3),
        "{hints:?}"
    );
    let first = pixels(&harness);
    assert!(first > 20, "{first} pixels");
    // The right button says what is not part of it.
    let against = [at + vec2(-30.0, 40.0), at + vec2(30.0, 40.0)];
    drag_with(&mut harness, PointerButton::Secondary, &against);
    settle(&mut harness);
    let [_, hint] = session(&harness).object_hints() else {
        panic!("two hints");
    };
    assert_eq!(hint.side, Side::Against);
    let selected = session(&harness).selected().expect("something");
    for point in &hint.points {
        let (x, y) = (point.x as u32, point.y as u32);
        let spans = selected.pixels.spans();
        let is_part = spans
            .iter()
            .any(|span| span.y == y && (span.start..span.end).contains(&x));
        assert!(!is_part, "({x}, {y}) is not part");
    }
    press(&mut harness, Modifiers::NONE, Key::Num4);
    let left = pixels(&harness);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(count(&harness, 3) >= left);
    assert_eq!(session(&harness).num_steps(), (1, 1), "one undo step");
}

/// Presses `button` at the first of `points`, moves over all and lets go at the last.
fn drag_with(harness: &mut Harness<'_, App>, button: PointerButton, points: &[Pos2]) {
    let last = points[points.len() - 1];
    let turned = |pos, pressed| egui::Event::PointerButton {
        pos,
        button,
        pressed,
        modifiers: Modifiers::NONE,
    };
    harness.hover_at(points[0]);
    harness.step();
    harness.event(turned(points[0], true));
    for &point in &points[1..] {
        harness.hover_at(point);
        harness.step();
    }
    harness.event(turned(last, false));
    harness.step();
    harness.step();
}

#[test]
fn shift_draws_a_straight_line_and_the_eraser_takes_it_away() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    press(&mut harness, Modifiers::NONE, Key::Num5);
    let at = canvas_center(&harness);
    let (from, to) = (at - vec2(120.0, 40.0), at + vec2(120.0, 40.0));
    click(&mut harness, from);
    let one_dab = count(&harness, 4);
    let turned = |pressed| egui::Event::PointerButton {
        pos: to,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::SHIFT,
    };
    harness.event(egui::Event::PointerMoved(to));
    harness.step();
    harness.event(turned(true));
    harness.step();
    harness.event(turned(false));
    harness.step();
    let line = count(&harness, 4) - one_dab;
    assert!(line > 5_000, "{line} pixels between the two clicks");
    assert_eq!(session(&harness).num_steps(), (2, 2));
    let before = count(&harness, 4);
    press(&mut harness, Modifiers::NONE, Key::E);
    drag(&mut harness, &[from, at, to]);
    let erased = before - count(&harness, 4);
    assert!(erased >= line, "{erased} of {line} pixels");
}

type Pan = fn(&mut Harness<'_, App>, &[Pos2]);

#[test]
fn what_is_under_the_pointer_stays_there_while_it_pans() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let pans: [(&str, Pan); 3] = [
        ("the tool", |harness, points| {
            press(harness, Modifiers::NONE, Key::V);
            drag(harness, points);
        }),
        ("the middle button", |harness, points| {
            drag_with(harness, PointerButton::Middle, points);
        }),
        ("Space", |harness, points| {
            harness.key_down(Key::Space);
            harness.step();
            drag(harness, points);
            harness.key_up(Key::Space);
            harness.step();
        }),
    ];
    let mut at = canvas_center(&harness);
    for (round, (name, pan)) in pans.into_iter().enumerate() {
        let by = [vec2(70.0, 40.0), vec2(-90.0, -20.0), vec2(30.0, -60.0)][round];
        press(&mut harness, Modifiers::NONE, Key::B);
        press(&mut harness, Modifiers::NONE, Key::Num3);
        click(&mut harness, at);
        let (third, fourth) = (count(&harness, 2), count(&harness, 3));
        let steps = session(&harness).num_steps();
        pan(&mut harness, &[at, at + by / 2.0, at + by]);
        assert_eq!(session(&harness).num_steps(), steps, "{name} paints");
        at += by;
        // The same spot is painted anew, where it is now.
        press(&mut harness, Modifiers::NONE, Key::B);
        press(&mut harness, Modifiers::NONE, Key::Num4);
        click(&mut harness, at);
        let (less, more) = (
            third - count(&harness, 2),
            count(&harness, 3).wrapping_sub(fourth),
        );
        assert!(less > 100 && less == more, "{name}: {less}, {more}");
    }
}

#[test]
fn the_bucket_fills_what_is_alike_and_the_picker_takes_its_class() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let at = canvas_center(&harness);
    // A region of its own to fill, whatever the sample shows there.
    press(&mut harness, Modifiers::NONE, Key::Num3);
    drag(&mut harness, &[at - vec2(40.0, 0.0), at + vec2(40.0, 0.0)]);
    let painted = count(&harness, 2);
    press(&mut harness, Modifiers::NONE, Key::Num5);
    press(&mut harness, Modifiers::NONE, Key::F);
    let before = count(&harness, 4);
    click(&mut harness, at);
    let filled = count(&harness, 4) - before;
    assert!(filled > 1_000 && filled <= painted, "{filled} of {painted}");
    assert_eq!(count(&harness, 2), painted - filled);
    assert_eq!(session(&harness).num_steps(), (2, 2));
    // From another class the picker comes back to what lies there.
    press(&mut harness, Modifiers::NONE, Key::Num1);
    press(&mut harness, Modifiers::NONE, Key::I);
    click(&mut harness, at);
    assert_eq!(session(&harness).active_class(), 4);
    assert_eq!(
        session(&harness).num_steps(),
        (2, 2),
        "looking paints nothing"
    );
}

#[test]
fn a_rectangle_selects_and_the_brush_stays_inside() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    press(&mut harness, Modifiers::NONE, Key::R);
    harness.get_by_label("Select").click();
    harness.step();
    let at = canvas_center(&harness);
    drag(
        &mut harness,
        &[at - vec2(60.0, 40.0), at, at + vec2(60.0, 40.0)],
    );
    let selected = session(&harness)
        .selected()
        .expect("a rectangle")
        .pixels
        .num_pixels();
    press(&mut harness, Modifiers::NONE, Key::E);
    let before = count(&harness, 255);
    let (left, right) = (at - vec2(200.0, 0.0), at + vec2(200.0, 0.0));
    drag(&mut harness, &[left, at, right]);
    let erased = count(&harness, 255) - before;
    assert!(erased > 0 && erased <= selected, "{erased} of {selected}");
}

/// A sample of its own in the window, with its true label as the prediction.
fn beside_truth() -> (tempfile::TempDir, Harness<'static, App>) {
    let (folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let path = ortho.with_file_name("label_true.tif");
    let layer = LayerKind::Prediction;
    harness
        .state_mut()
        .perform(vec![Command::OpenMask { layer, path }]);
    settle(&mut harness);
    (folder, harness)
}

#[test]
fn the_brush_takes_from_the_prediction_where_it_is_drawn() {
    let _turn = turn();
    let (_folder, mut harness) = beside_truth();
    let mask = |harness: &Harness<'_, App>, kind| {
        let layer = session(harness).layer(kind).expect("a layer");
        layer.mask.clone()
    };
    let before = mask(&harness, LayerKind::Label);
    press(&mut harness, Modifiers::NONE, Key::T);
    let at = canvas_center(&harness);
    let rows = (-3..=3).map(|row| row as f32 * 40.0);
    for down in rows {
        drag(
            &mut harness,
            &[at + vec2(-150.0, down), at + vec2(150.0, down)],
        );
    }
    let (after, prediction) = (
        mask(&harness, LayerKind::Label),
        mask(&harness, LayerKind::Prediction),
    );
    let [before, after, prediction] =
        [before, after, prediction].map(|mask| mask.read_rect(mask.size().bounds()));
    let pixels = before.iter().zip(&after).zip(&prediction);
    let changed: Vec<_> = pixels.filter(|((old, new), _)| old != new).collect();
    assert!(!changed.is_empty(), "the sample's label has mistakes there");
    assert!(changed.iter().all(|((_, new), there)| new == there));
}

#[test]
fn differences_are_decided_by_key() {
    let _turn = turn();
    let (_folder, mut harness) = beside_truth();
    press(&mut harness, Modifiers::NONE, Key::J);
    settle(&mut harness);
    let (_, all) = session(&harness).review().expect("differences").position();
    press(&mut harness, Modifiers::NONE, Key::Y);
    settle(&mut harness);
    assert!(session(&harness).can_undo(), "the first was taken over");
    press(&mut harness, Modifiers::NONE, Key::N);
    let review = session(&harness).review().expect("more");
    assert_eq!((review.position().1, review.decided()), (all - 2, (1, 1)));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(session(&harness).review().is_none());
}

#[test]
fn a_cell_is_walked_through_with_the_last_tool_that_corrects() {
    let _turn = turn();
    let (_folder, mut harness) = beside_truth();
    let class = session(&harness).active_class();
    let scores = session(&harness).scores().expect("numbers").clone();
    let cells = (0..scores.confusion.len()).flat_map(|truth| {
        let others = (0..scores.confusion.len()).filter(move |other| *other != truth);
        others.map(move |other| [truth, other])
    });
    let cell = cells.max_by_key(|&[truth, other]| scores.confusion[truth][other]);
    let [truth, predicted] = cell.expect("a cell").map(|class| class as u8);
    let perform = |harness: &mut Harness<'_, App>, command| {
        harness.state_mut().perform(vec![command]);
        settle(harness);
    };
    perform(&mut harness, Command::SelectTool(Tool::Lasso));
    perform(&mut harness, Command::SelectTool(Tool::Ruler));
    let of_cell = ReviewCommand::StartOf {
        truth,
        predicted,
        on: ScoreScope::Whole,
    };
    perform(&mut harness, Command::Review(of_cell));
    let review = session(&harness).review().expect("places");
    assert_eq!(review.cell(), Some([truth, predicted]));
    let (_, all) = review.position();
    press(&mut harness, Modifiers::NONE, Key::J);
    let review = session(&harness).review().expect("places");
    assert_eq!(review.position(), (1 % all + 1, all));
    assert_eq!(session(&harness).tool(), Tool::Lasso);
    assert_eq!(session(&harness).active_class(), class);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(session(&harness).review().is_none());
}

#[test]
fn a_walk_that_begins_brings_its_buttons_into_view() {
    let _turn = turn();
    let (_folder, mut harness) = beside_truth();
    harness.set_size(vec2(1_280.0, 600.0));
    settle(&mut harness);
    let button = |harness: &Harness<'_, App>, name: &str| {
        let button = harness.get_by_role_and_label(egui::Role::Button, name);
        button.rect()
    };
    let tab = button(&harness, "Scores");
    click(&mut harness, tab.center());
    harness.get_by_label("Confusion").scroll_to_me();
    harness.run_steps(8);
    let is_seen = |harness: &Harness<'_, App>, name: &str| {
        let (rect, below) = (button(harness, name), button(harness, "Improve"));
        rect.top() >= tab.bottom() && rect.bottom() <= below.top()
    };
    assert!(!is_seen(&harness, "Differences"));
    let layout = |harness: &mut Harness<'_, App>| harness.state_mut().view_mut().layout;
    assert_eq!(layout(&mut harness), PaneLayout::One);
    press(&mut harness, Modifiers::NONE, Key::J);
    settle(&mut harness);
    harness.run_steps(8);
    assert!(session(&harness).review().is_some());
    // Where the prediction is seen, too.
    assert_eq!(layout(&mut harness), PaneLayout::Three);
    for name in ["Take over (Y)", "Label is right (N)", "Skip (J)"] {
        assert!(is_seen(&harness, name), "{name}");
    }
}

#[test]
fn the_divider_of_the_panels_is_grabbed_near_it() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let tab = |harness: &Harness<'_, App>| {
        let tab = harness.get_by_role_and_label(egui::Role::Button, "Improve");
        tab.rect()
    };
    for (above, by) in [(6.0, 60.0), (1.0, -60.0)] {
        let before = tab(&harness);
        let from = before.center_top() - vec2(0.0, above);
        drag(
            &mut harness,
            &[from, from + vec2(0.0, by / 2.0), from + vec2(0.0, by)],
        );
        let moved = tab(&harness).top() - before.top();
        assert!((moved - by).abs() < 10.0, "{moved} of {by}");
    }
}

#[test]
fn a_kept_prediction_has_a_pane_until_it_is_dropped() {
    let _turn = turn();
    let (_folder, mut harness) = beside_truth();
    let keep = Command::Prediction(PredictionCommand::Keep);
    harness.state_mut().perform(vec![keep]);
    let view = harness.state_mut().view_mut();
    view.layout = PaneLayout::Two;
    let contents = &mut view.contents;
    contents.choose(PaneLayout::Two, 0, PaneContent::Kept(KeptPlace::First));
    contents.choose(PaneLayout::Two, 1, PaneContent::Prediction);
    settle(&mut harness);
    assert!(harness.query_by_label("Canvas: Kept prediction").is_some());
    assert!(harness.query_by_label("Canvas: Prediction").is_some());
    let contents = &mut harness.state_mut().view_mut().contents;
    contents.choose(
        PaneLayout::Two,
        1,
        PaneContent::KeptErrors(KeptPlace::First),
    );
    settle(&mut harness);
    let errors = "Canvas: Errors of kept";
    assert!(harness.query_by_label(errors).is_some());
    assert!(harness.query_by_label("different").is_some(), "its legend");
    let buttons = harness.get_all_by_role_and_label(egui::Role::Button, "Train");
    let menu = buttons.min_by_key(|button| button.rect().top() as i32);
    menu.expect("the menu").click();
    settle(&mut harness);
    harness.get_by_label("Drop kept prediction").click();
    settle(&mut harness);
    assert!(session(&harness).kept_places().next().is_none());
    assert!(harness.query_by_label("Canvas: Original").is_some());
    assert!(harness.query_by_label(errors).is_none());
}

#[test]
fn the_curtain_is_in_every_pane_that_has_something_else_behind_it() {
    let _turn = turn();
    let (_folder, mut harness) = beside_truth();
    harness.state_mut().view_mut().layout = PaneLayout::Three;
    settle(&mut harness);
    let lines = |harness: &Harness<'_, App>| -> Vec<Pos2> {
        let lines = harness.query_all_by_label("Curtain");
        lines.map(|line| line.rect().center()).collect()
    };
    assert_eq!(lines(&harness), []);
    press(&mut harness, Modifiers::SHIFT, Key::C);
    let before = lines(&harness);
    assert_eq!(before.len(), 2, "the third shows the prediction itself");
    drag(&mut harness, &[before[1], before[1] + vec2(40.0, 0.0)]);
    settle(&mut harness);
    for (before, after) in before.iter().zip(lines(&harness)) {
        assert!((after.x - before.x - 40.0).abs() < 2.0, "{before} {after}");
    }
    assert!(!session(&harness).can_undo(), "nothing is painted");
    press(&mut harness, Modifiers::SHIFT, Key::C);
    assert_eq!(lines(&harness), []);
}
