//! The window, driven by pointer and keys as a person would, on a software adapter.

use std::path::Path;
use std::time::{Duration, Instant};

use egui::{Key, Modifiers, Pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use orthobrush::app::{App, AppConfig};
use orthobrush::render::Gpu;
use orthobrush::session::{LayerKind, Session};

use crate::fixture::{own_sample, turn, window_setup};

const PATIENCE: Duration = Duration::from_mins(5);

/// A window that shows `open`, once everything is loaded.
fn window(open: Option<&Path>) -> Harness<'static, App> {
    let config = AppConfig {
        open: open.map(Path::to_owned),
        ..AppConfig::default()
    };
    let mut harness = Harness::builder()
        .with_size(vec2(1_280.0, 800.0))
        .wgpu_setup(window_setup())
        .build_eframe(move |creation| {
            let gpu = creation.wgpu_render_state.as_ref().map(Gpu::of_window);
            App::new(&creation.egui_ctx, gpu, config)
        });
    settle(&mut harness);
    harness
}

/// Runs frames until nothing loads or runs any more.
fn settle(harness: &mut Harness<'_, App>) {
    let began = Instant::now();
    let mut quiet = 0;
    while quiet < 3 {
        harness.step();
        quiet = if harness.state().is_settled() {
            quiet + 1
        } else {
            0
        };
        assert!(began.elapsed() < PATIENCE, "the window did not settle");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn session<'a>(harness: &'a Harness<'_, App>) -> &'a Session {
    harness.state().session()
}

fn count(harness: &Harness<'_, App>, class: usize) -> u64 {
    let label = session(harness).layer(LayerKind::Label).expect("a label");
    label.mask.histogram()[class]
}

fn drag(harness: &mut Harness<'_, App>, points: &[Pos2]) {
    harness.hover_at(points[0]);
    harness.step();
    harness.drag_at(points[0]);
    for &point in &points[1..] {
        harness.hover_at(point);
        harness.step();
    }
    harness.drop_at(points[points.len() - 1]);
    harness.step();
    harness.step();
}

fn canvas_center(harness: &Harness<'_, App>) -> Pos2 {
    harness
        .get_by_label("Canvas: Image and label")
        .rect()
        .center()
}

#[test]
fn a_stroke_with_the_pointer_changes_the_masks_pixels() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    harness.key_press(Key::Num4);
    harness.step();
    assert_eq!(
        session(&harness).active_class(),
        3,
        "digit 4 is the fourth class"
    );
    let before = count(&harness, 3);
    let at = canvas_center(&harness);
    drag(
        &mut harness,
        &[at, at + vec2(60.0, 10.0), at + vec2(120.0, 0.0)],
    );
    let painted = count(&harness, 3);
    assert!(
        painted > before + 2_000,
        "{before} pixels before, {painted} after"
    );
    assert!(session(&harness).has_unsaved_work());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.step();
    harness.step();
    assert_eq!(count(&harness, 3), before, "one stroke is one undo step");
}

#[test]
fn the_right_button_erases_and_escape_takes_a_stroke_back() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let before = count(&harness, 255);
    let at = canvas_center(&harness);
    let press = |pressed| egui::Event::PointerButton {
        pos: at,
        button: egui::PointerButton::Secondary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    harness.hover_at(at);
    harness.step();
    harness.event(press(true));
    harness.step();
    harness.step();
    assert!(count(&harness, 255) > before, "held down, it erases");
    harness.key_press(Key::Escape);
    harness.step();
    harness.step();
    assert_eq!(count(&harness, 255), before, "Esc takes it back");
    harness.event(press(false));
    harness.step();
    assert!(!session(&harness).can_undo());
}

#[test]
fn tools_are_chosen_by_key_and_by_button() {
    use orthobrush::session::Tool;
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    for (key, tool) in [
        (Key::E, Tool::Eraser),
        (Key::F, Tool::Fill),
        (Key::P, Tool::Polygon),
        (Key::I, Tool::Picker),
        (Key::V, Tool::Pan),
        (Key::B, Tool::Brush),
    ] {
        harness.key_press(key);
        harness.step();
        harness.step();
        assert_eq!(session(&harness).tool(), tool);
    }
    harness
        .get_by_role_and_label(egui::Role::Button, "Polygon")
        .click();
    harness.step();
    harness.step();
    assert_eq!(session(&harness).tool(), Tool::Polygon);
}

#[test]
fn a_polygon_is_clicked_and_filled_with_enter() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    harness.key_press(Key::P);
    harness.key_press(Key::Num3);
    harness.step();
    harness.step();
    let before = count(&harness, 2);
    let at = canvas_center(&harness);
    for corner in [
        vec2(-80.0, -80.0),
        vec2(80.0, -80.0),
        vec2(80.0, 80.0),
        vec2(-80.0, 80.0),
    ] {
        drag(&mut harness, &[at + corner]);
    }
    assert_eq!(count(&harness, 2), before, "nothing is filled yet");
    harness.key_press(Key::Enter);
    harness.step();
    harness.step();
    let label = session(&harness).layer(LayerKind::Label).expect("a label");
    assert_eq!(label.mask.get(512, 512), 2);
    assert!(session(&harness).can_undo());
}

#[test]
fn the_welcome_screen_opens_what_is_given() {
    let _turn = turn();
    let mut harness = window(None);
    harness.get_by_label("Open the sample project");
    harness.get_by_label("Open image…").click();
    harness.step();
    harness.step();
    let (_folder, ortho) = own_sample();
    harness
        .get_by_label("Path")
        .type_text(ortho.to_str().expect("a plain path"));
    harness.step();
    harness.get_by_label("Open").click();
    harness.step();
    settle(&mut harness);
    assert!(session(&harness).image().is_some());
    assert!(
        session(&harness).layer(LayerKind::Label).is_some(),
        "the label beside it is opened"
    );
}

#[test]
fn a_missing_file_is_said_and_harms_nothing() {
    let _turn = turn();
    let mut harness = window(Some(Path::new("/nowhere/ortho.tif")));
    assert!(session(&harness).image().is_none());
    let why = harness.state_mut().take_failure().expect("a message");
    assert!(why.contains("/nowhere/ortho.tif"), "{why}");
}

#[test]
fn the_main_panes_are_drawn() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    for key in [None, Some(Key::C), Some(Key::C)] {
        if let Some(key) = key {
            harness.key_press(key);
        }
        settle(&mut harness);
        let picture = harness.render().expect("a picture");
        let colors: std::collections::HashSet<_> = picture.pixels().map(|pixel| pixel.0).collect();
        assert!(colors.len() > 5_000, "{} colors only", colors.len());
    }
    harness.get_by_label("Canvas: Original");
    harness.get_by_label("Canvas: Label");
    harness.get_by_label("Canvas: Prediction");
}
