use egui::{Key, Popup};

use super::{Action, Chord, Keymap};

/// What a pressed key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A bound action.
    Action(Action),
    /// The class at a place of the class list: `1` … `9`, `0` are the first ten, with Shift the
    /// next ten.
    Class(usize),
}

const DIGITS: [Key; 10] = [
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
    Key::Num0,
];

/// Takes what the keys pressed in this frame ask for out of the input, in order.
///
/// Each key counts with the modifiers of its own moment: a quick Ctrl+S in a slow frame ends
/// before the frame looks at the keyboard. An open menu or list has all keys; Esc closes it.
pub fn pressed(ctx: &egui::Context, keymap: &Keymap) -> Vec<Wish> {
    if Popup::is_any_open(ctx) {
        return Vec::new();
    }
    ctx.input_mut(|input| {
        let mut wishes = Vec::new();
        input.events.retain(|event| {
            let wish = wish_of(event, keymap);
            wishes.extend(wish);
            wish.is_none()
        });
        wishes
    })
}

/// The key as the layout has it goes first; its place on the keyboard counts where that one asks
/// for nothing (`Shift+1` is `!`, and another sign elsewhere).
fn wish_of(event: &egui::Event, keymap: &Keymap) -> Option<Wish> {
    let (chord, physical_key) = chord_of(event)?;
    let find = |key: Key| {
        let action = keymap.action(Chord { key, ..chord }).map(Wish::Action);
        action.or_else(|| class_place(Chord { key, ..chord }).map(Wish::Class))
    };
    find(chord.key).or_else(|| physical_key.and_then(find))
}

/// The chord of a key that goes down without Alt, and the key's place on the keyboard.
pub fn chord_of(event: &egui::Event) -> Option<(Chord, Option<Key>)> {
    match event {
        egui::Event::Key {
            key,
            physical_key,
            pressed: true,
            modifiers,
            ..
        } if !modifiers.alt => Some((Chord::new(*modifiers, *key), *physical_key)),
        _ => None,
    }
}

fn class_place(chord: Chord) -> Option<usize> {
    let place = DIGITS.iter().position(|&digit| digit == chord.key)?;
    let shifted = if chord.shift { DIGITS.len() } else { 0 };
    (!chord.ctrl).then_some(place + shifted)
}

/// Whether a chord picks a class, so that no action may have it.
pub fn is_class_key(chord: Chord) -> bool {
    class_place(chord).is_some()
}

/// A key that goes down, for tests.
#[cfg(test)]
pub fn key_event(key: Key, physical_key: Key, modifiers: egui::Modifiers) -> egui::Event {
    egui::Event::Key {
        key,
        physical_key: Some(physical_key),
        pressed: true,
        repeat: false,
        modifiers,
    }
}

#[cfg(test)]
mod tests {
    use egui::Modifiers;

    use super::*;

    #[test]
    fn a_chord_counts_though_it_was_let_go_before_the_frame() {
        let ctx = egui::Context::default();
        let input = egui::RawInput {
            events: vec![
                key_event(Key::S, Key::S, Modifiers::COMMAND),
                key_event(Key::S, Key::S, Modifiers::COMMAND | Modifiers::ALT),
                key_event(Key::Exclamationmark, Key::Num1, Modifiers::SHIFT),
                key_event(Key::Num3, Key::Num3, Modifiers::NONE),
            ],
            ..Default::default()
        };
        ctx.begin_pass(input);
        let wishes = pressed(&ctx, &Keymap::default());
        let expected = [Wish::Action(Action::Save), Wish::Class(10), Wish::Class(2)];
        assert_eq!(wishes, expected);
    }

    #[test]
    fn an_open_list_has_all_keys() {
        let ctx = egui::Context::default();
        let press = || egui::RawInput {
            events: [Key::B, Key::M, Key::Num3, Key::Escape]
                .map(|key| key_event(key, key, Modifiers::NONE))
                .to_vec(),
            ..Default::default()
        };
        ctx.begin_pass(press());
        let expected = [
            Wish::Action(Action::Brush),
            Wish::Action(Action::CleanUp),
            Wish::Class(2),
            Wish::Action(Action::CancelShape),
        ];
        assert_eq!(pressed(&ctx, &Keymap::default()), expected);
        drop(ctx.end_pass());

        ctx.begin_pass(press());
        Popup::open_id(&ctx, egui::Id::unique("list"));
        assert!(pressed(&ctx, &Keymap::default()).is_empty());
        assert!(ctx.input(|input| input.key_pressed(Key::Escape)));
    }
}
