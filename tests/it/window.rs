//! The window, driven by pointer and keys as a person would, on a software adapter.

use std::path::Path;
use std::time::{Duration, Instant};

use egui::{Key, Modifiers, Pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use orthobrush::app::{App, AppConfig};
use orthobrush::geom::PixelRect;
use orthobrush::raster::open_raster;
use orthobrush::render::Gpu;
use orthobrush::session::{LayerKind, Session};

use crate::fixture::{own_sample, turn, window_setup};

const PATIENCE: Duration = Duration::from_mins(5);

/// A window that shows `open`, once everything is loaded.
pub fn window(open: Option<&Path>) -> Harness<'static, App> {
    window_of(AppConfig {
        open: open.map(Path::to_owned),
        ..AppConfig::default()
    })
}

/// The same with more said.
pub fn window_of(config: AppConfig) -> Harness<'static, App> {
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
pub fn settle(harness: &mut Harness<'_, App>) {
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

pub fn session<'a>(harness: &'a Harness<'_, App>) -> &'a Session {
    harness.state().session()
}

pub fn count(harness: &Harness<'_, App>, class: usize) -> u64 {
    let label = session(harness).layer(LayerKind::Label).expect("a label");
    label.mask.histogram()[class]
}

pub fn drag(harness: &mut Harness<'_, App>, points: &[Pos2]) {
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

pub fn canvas_center(harness: &Harness<'_, App>) -> Pos2 {
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
    harness.get_by_label("Canvas: Label");
    harness.get_by_label("Canvas: Prediction");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num1);
    settle(&mut harness);
    let pane = harness.get_by_label("Canvas: Original").rect();
    let picture = harness.render().expect("a picture");
    let shown = picture_at(&picture, pane.center());
    // The pane's middle lies on a corner of four pixels.
    let mut near = (510..=514).flat_map(|y| (510..=514).map(move |x| (x, y)));
    let is_exact = near.any(|at| file_at(&ortho, at) == shown);
    assert!(is_exact, "at 1:1 the screen has the file's own bytes");
}

/// The colors around a place of the window, 16 × 16.
fn picture_at(picture: &image::RgbaImage, at: Pos2) -> Vec<[u8; 3]> {
    let (left, top) = (at.x as u32 - 8, at.y as u32 - 8);
    let places = (0..256).map(|place| (left + place % 16, top + place / 16));
    let color = |(x, y)| {
        let [red, green, blue, _] = picture.get_pixel(x, y).0;
        [red, green, blue]
    };
    places.map(color).collect()
}

/// The colors around a pixel of an image file, 16 × 16.
fn file_at(path: &Path, (x, y): (u32, u32)) -> Vec<[u8; 3]> {
    let source = open_raster(path).expect("an image");
    let rect = PixelRect::new(x - 8, y - 8, 16, 16);
    let pixels = source.read_rgba(0, rect).expect("pixels");
    let color = |pixel: &[u8]| [pixel[0], pixel[1], pixel[2]];
    pixels.chunks_exact(4).map(color).collect()
}

/// Types a number into a field of the training panel.
pub fn set_number(harness: &mut Harness<'_, App>, field: &str, value: &str) {
    harness
        .get_by_role_and_label(egui::Role::SpinButton, field)
        .click();
    harness.run_steps(3);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text(value.to_owned()));
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
}

#[test]
fn a_training_is_started_by_its_button_and_its_curves_are_drawn() {
    /// The theme's color of the validation loss.
    const CURVE: [u8; 4] = [230, 159, 0, 255];
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    set_number(&mut harness, "Epochs", "2");
    set_number(&mut harness, "Patch", "64");
    set_number(&mut harness, "Batch", "5");
    let button = harness.get_all_by_role_and_label(egui::Role::Button, "Train");
    let wide = button.max_by_key(|button| button.rect().width() as u32);
    wide.expect("a button").click();
    harness.run_steps(2);
    assert!(session(&harness).training().is_running());
    settle(&mut harness);
    let rows = &session(&harness).training().rows;
    assert_eq!(rows.len(), 2);
    let name = "Loss by epoch, 2 epochs";
    harness.get_by_label(name).scroll_to_me();
    harness.run_steps(5);
    let plot = harness.get_by_label(name).rect();
    let picture = harness.render().expect("a picture");
    let drawn = picture
        .enumerate_pixels()
        .filter(|(x, y, pixel)| plot.contains(Pos2::new(*x as f32, *y as f32)) && pixel.0 == CURVE);
    let drawn = drawn.count();
    assert!(drawn > 40, "{drawn} pixels of the validation curve");
}

#[test]
fn the_wand_selects_with_a_click_and_enter_fills() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    harness.key_press(Key::W);
    harness.key_press(Key::Num4);
    harness.run_steps(2);
    let before = count(&harness, 3);
    let at = canvas_center(&harness) + vec2(150.0, 60.0);
    drag(&mut harness, &[at]);
    settle(&mut harness);
    let chosen = session(&harness).selected().expect("a selection");
    let chosen = chosen.pixels.num_pixels();
    assert_eq!(count(&harness, 3), before, "nothing is filled yet");
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    assert!(session(&harness).selected().is_none());
    let filled = count(&harness, 3) - before;
    assert!(filled > 0 && filled <= chosen, "{filled} of {chosen}");
}

#[test]
fn a_clean_up_is_chosen_in_its_window_and_applied() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    harness.key_press(Key::M);
    harness.run_steps(3);
    harness.get_by_label("Clean up the label");
    harness
        .get_by_role_and_label(egui::Role::Button, "Apply")
        .click();
    harness.run_steps(2);
    settle(&mut harness);
    assert_eq!(session(&harness).num_steps(), (1, 1));
}

#[test]
fn a_rectangle_and_a_lasso_are_drawn_and_filled() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    let at = canvas_center(&harness);
    harness.key_press(Key::R);
    harness.key_press(Key::Num4);
    harness.run_steps(2);
    let before = count(&harness, 3);
    drag(
        &mut harness,
        &[at, at + vec2(30.0, 10.0), at + vec2(100.0, 80.0)],
    );
    let rectangle = count(&harness, 3) - before;
    assert!(rectangle > 5_000, "{rectangle} pixels");
    assert_eq!(session(&harness).num_steps(), (1, 1));
    harness.key_press(Key::L);
    harness.run_steps(2);
    drag(
        &mut harness,
        &[
            at - vec2(10.0, 10.0),
            at - vec2(120.0, 10.0),
            at - vec2(120.0, 120.0),
            at - vec2(10.0, 120.0),
        ],
    );
    assert!(count(&harness, 3) > before + rectangle + 5_000);
    assert_eq!(session(&harness).num_steps(), (2, 2));
}

#[test]
fn a_locked_class_is_not_painted_over() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    harness.get_by_label("Lock background").click();
    harness.run_steps(2);
    assert!(session(&harness).is_class_locked(0));
    let locked = count(&harness, 0);
    harness.key_press(Key::R);
    harness.key_press(Key::Num4);
    harness.run_steps(2);
    let at = canvas_center(&harness);
    drag(
        &mut harness,
        &[at - vec2(200.0, 200.0), at, at + vec2(200.0, 200.0)],
    );
    assert!(session(&harness).can_undo(), "other classes are painted");
    assert_eq!(count(&harness, 0), locked);
    harness.get_by_label("Unlock background").click();
    harness.run_steps(2);
    drag(
        &mut harness,
        &[at - vec2(200.0, 200.0), at, at + vec2(200.0, 200.0)],
    );
    assert!(count(&harness, 0) < locked);
}

#[test]
fn the_superpixel_brush_shows_patches_and_paints_them() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    harness.key_press(Key::S);
    harness.key_press(Key::Num4);
    harness.run_steps(2);
    let at = canvas_center(&harness);
    harness.hover_at(at);
    harness.run_steps(2);
    settle(&mut harness);
    assert!(session(&harness).superpixels().is_some());
    let before = count(&harness, 3);
    drag(&mut harness, &[at, at + vec2(40.0, 0.0)]);
    assert!(count(&harness, 3) > before + 1_000);
    assert_eq!(session(&harness).num_steps(), (1, 1));
}
