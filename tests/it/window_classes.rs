//! The list of classes in the window.

use egui::{Event, Key, Modifiers, PointerButton, Pos2, Role, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use orthobrush::app::App;
use orthobrush::session::Tool;

use crate::fixture::{own_sample, turn};
use crate::window::{canvas_center, count, drag, session, window};

fn press(harness: &mut Harness<'_, App>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run_steps(2);
}

fn click(harness: &mut Harness<'_, App>, button: &str) {
    harness.get_by_role_and_label(Role::Button, button).click();
    harness.run_steps(3);
}

#[test]
fn keys_work_again_as_soon_as_a_class_is_renamed() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    // Each event of a test is a frame of its own, a quarter of a second after the one before.
    let patient = |options: &mut egui::Options| options.input_options.max_double_click_delay = 2.0;
    harness.ctx.options_mut(patient);
    click(&mut harness, "woodland");
    click(&mut harness, "woodland");
    harness.get_by_label("Class name");
    press(&mut harness, Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("forest".to_owned()));
    harness.run_steps(2);
    assert_eq!(session(&harness).tool(), Tool::Brush);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(session(&harness).classes().name_of(2), "forest");
    press(&mut harness, Modifiers::NONE, Key::W);
    assert_eq!(session(&harness).tool(), Tool::Wand);
    // Esc leaves the name as it is, and the keys work again, too.
    click(&mut harness, "water");
    click(&mut harness, "water");
    harness.get_by_label("Class name");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert_eq!(session(&harness).classes().name_of(3), "water");
    press(&mut harness, Modifiers::NONE, Key::P);
    assert_eq!(session(&harness).tool(), Tool::Polygon);
}

#[test]
fn what_is_background_is_said_in_a_classs_menu() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    assert_eq!(session(&harness).classes().background(), Some(0));
    for (name, expected) in [("water", Some(3)), ("water", None)] {
        let row = harness.get_by_role_and_label(Role::Button, name);
        row.click_secondary();
        harness.run_steps(3);
        let choice = harness.get_by_role_and_label(Role::CheckBox, "Background");
        choice.click();
        harness.run_steps(3);
        assert_eq!(session(&harness).classes().background(), expected);
    }
}

/// The menu of the class `water`.
fn open_menu(harness: &mut Harness<'_, App>) {
    let row = harness.get_by_role_and_label(Role::Button, "water");
    row.click_secondary();
    harness.run_steps(3);
    assert!(is_menu_open(harness));
}

fn is_menu_open(harness: &Harness<'_, App>) -> bool {
    harness
        .query_by_role_and_label(Role::CheckBox, "Background")
        .is_some()
}

fn button(pos: Pos2, pressed: bool) -> Event {
    Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    }
}

#[test]
fn a_click_that_only_closes_a_menu_paints_nothing() {
    let _turn = turn();
    let (_folder, ortho) = own_sample();
    let mut harness = window(Some(&ortho));
    press(&mut harness, Modifiers::NONE, Key::Num4);
    let before = count(&harness, 3);
    let at = canvas_center(&harness);
    open_menu(&mut harness);
    drag(&mut harness, &[at]);
    harness.run_steps(3);
    assert!(!is_menu_open(&harness));
    assert!(!session(&harness).can_undo(), "nothing was painted");
    // Pressed and let go within one frame.
    open_menu(&mut harness);
    harness.hover_at(at);
    harness.step();
    let events = &mut harness.input_mut().events;
    events.extend([button(at, true), button(at, false)]);
    harness.run_steps(4);
    assert!(!is_menu_open(&harness));
    assert!(!session(&harness).can_undo(), "nothing was painted");
    assert_eq!(count(&harness, 3), before);
    // The next stroke is one.
    drag(&mut harness, &[at, at + vec2(120.0, 0.0)]);
    assert!(count(&harness, 3) > before);
}
