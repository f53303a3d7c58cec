use egui::{Key, Modifiers};

/// What a key can do. Menus, tooltips, the key sheet and the README show this one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table below says what each does")]
pub enum Action {
    Open,
    Save,
    SaveAs,
    Undo,
    Redo,
    Brush,
    Eraser,
    Superpixel,
    Fill,
    Polygon,
    Lasso,
    Rectangle,
    Wand,
    Picker,
    Pan,
    SmallerBrush,
    LargerBrush,
    LessOpacity,
    MoreOpacity,
    SwapClass,
    Unlabeled,
    FinishShape,
    CancelShape,
    DropCorner,
    FitImage,
    ActualPixels,
    ZoomIn,
    ZoomOut,
    HideLabel,
    HidePrediction,
    CyclePanes,
    NextImage,
    PreviousImage,
    NextNotDone,
    CleanUp,
    PredictImage,
    Train,
    TogglePanels,
    KeySheet,
}

/// One line of the key table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// What happens.
    pub action: Action,
    /// What menus and the key sheet call it.
    pub name: &'static str,
    /// The keys, any of which does it.
    pub keys: &'static [(Modifiers, Key)],
}

const NONE: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers::COMMAND;
const SHIFT: Modifiers = Modifiers::SHIFT;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

const fn bind(action: Action, name: &'static str, keys: &'static [(Modifiers, Key)]) -> Binding {
    Binding { action, name, keys }
}

/// All keys, in the order of the key sheet. Digits choose classes and are not listed here.
pub const BINDINGS: &[Binding] = &[
    bind(Action::Open, "Open image", &[(CTRL, Key::O)]),
    bind(Action::Save, "Save label", &[(CTRL, Key::S)]),
    bind(Action::SaveAs, "Save label as", &[(CTRL_SHIFT, Key::S)]),
    bind(Action::Undo, "Undo", &[(CTRL, Key::Z)]),
    bind(
        Action::Redo,
        "Redo",
        &[(CTRL_SHIFT, Key::Z), (CTRL, Key::Y)],
    ),
    bind(Action::Brush, "Brush", &[(NONE, Key::B)]),
    bind(Action::Eraser, "Eraser", &[(NONE, Key::E)]),
    bind(Action::Superpixel, "Superpixel brush", &[(NONE, Key::S)]),
    bind(
        Action::Fill,
        "Fill region",
        &[(NONE, Key::F), (NONE, Key::G)],
    ),
    bind(Action::Polygon, "Polygon", &[(NONE, Key::P)]),
    bind(Action::Lasso, "Lasso", &[(NONE, Key::L)]),
    bind(Action::Rectangle, "Rectangle", &[(NONE, Key::R)]),
    bind(Action::Wand, "Magic wand", &[(NONE, Key::W)]),
    bind(Action::Picker, "Pick class", &[(NONE, Key::I)]),
    bind(Action::Pan, "Pan", &[(NONE, Key::V)]),
    bind(
        Action::SmallerBrush,
        "Smaller brush",
        &[(NONE, Key::OpenBracket)],
    ),
    bind(
        Action::LargerBrush,
        "Larger brush",
        &[(NONE, Key::CloseBracket)],
    ),
    bind(
        Action::LessOpacity,
        "Less opacity",
        &[(SHIFT, Key::OpenBracket)],
    ),
    bind(
        Action::MoreOpacity,
        "More opacity",
        &[(SHIFT, Key::CloseBracket)],
    ),
    bind(
        Action::SwapClass,
        "Swap class with the previous one",
        &[(NONE, Key::X)],
    ),
    bind(Action::Unlabeled, "Paint unlabeled", &[(NONE, Key::U)]),
    bind(
        Action::FinishShape,
        "Finish polygon, fill selection",
        &[(NONE, Key::Enter)],
    ),
    bind(
        Action::CancelShape,
        "Cancel polygon or stroke",
        &[(NONE, Key::Escape)],
    ),
    bind(
        Action::DropCorner,
        "Drop the last corner",
        &[(NONE, Key::Backspace)],
    ),
    bind(
        Action::FitImage,
        "Fit image",
        &[(CTRL, Key::Num0), (NONE, Key::Home)],
    ),
    bind(Action::ActualPixels, "Actual pixels", &[(CTRL, Key::Num1)]),
    bind(
        Action::ZoomIn,
        "Zoom in",
        &[(CTRL, Key::Equals), (CTRL, Key::Plus)],
    ),
    bind(Action::ZoomOut, "Zoom out", &[(CTRL, Key::Minus)]),
    bind(
        Action::HideLabel,
        "Show or hide the label",
        &[(NONE, Key::H)],
    ),
    bind(
        Action::HidePrediction,
        "Show or hide the prediction",
        &[(SHIFT, Key::H)],
    ),
    bind(
        Action::CyclePanes,
        "One, two, three or four panes",
        &[(NONE, Key::C)],
    ),
    bind(
        Action::NextImage,
        "Next image",
        &[(NONE, Key::D), (NONE, Key::PageDown)],
    ),
    bind(
        Action::PreviousImage,
        "Previous image",
        &[(NONE, Key::A), (NONE, Key::PageUp)],
    ),
    bind(
        Action::NextNotDone,
        "Next image that is not done",
        &[(CTRL_SHIFT, Key::D)],
    ),
    bind(Action::CleanUp, "Clean up", &[(NONE, Key::M)]),
    bind(
        Action::PredictImage,
        "Predict the whole image",
        &[(CTRL_SHIFT, Key::Enter)],
    ),
    bind(Action::Train, "Train", &[(CTRL, Key::T)]),
    bind(
        Action::TogglePanels,
        "Hide or show all panels",
        &[(NONE, Key::F9)],
    ),
    bind(Action::KeySheet, "Keys", &[(NONE, Key::F1)]),
];

impl Action {
    /// The line of the table that says this action's name and keys.
    pub fn binding(self) -> &'static Binding {
        let found = BINDINGS.iter().find(|binding| binding.action == self);
        found.expect("a test checks that each action is in the table")
    }

    /// What menus call it.
    pub fn name(self) -> &'static str {
        self.binding().name
    }

    /// Its first key as text, such as "Ctrl+S".
    pub fn key_text(self) -> String {
        let Some(&(modifiers, key)) = self.binding().keys.first() else {
            return String::new();
        };
        key_text(modifiers, key)
    }

    /// Its name and its key, for tooltips.
    pub fn tooltip(self) -> String {
        format!("{} ({})", self.name(), self.key_text())
    }
}

/// A key as people write it.
pub fn key_text(modifiers: Modifiers, key: Key) -> String {
    let symbol = match key {
        Key::OpenBracket => "[",
        Key::CloseBracket => "]",
        Key::Equals => "=",
        Key::Minus => "-",
        Key::PageDown => "PgDn",
        Key::PageUp => "PgUp",
        Key::Escape => "Esc",
        key => key.name(),
    };
    let ctrl = if modifiers.command { "Ctrl+" } else { "" };
    let shift = if modifiers.shift { "Shift+" } else { "" };
    format!("{ctrl}{shift}{symbol}")
}

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
/// before the frame looks at the keyboard.
pub fn pressed(ctx: &egui::Context) -> Vec<Wish> {
    ctx.input_mut(|input| {
        let mut wishes = Vec::new();
        input.events.retain(|event| {
            let wish = wish_of(event);
            wishes.extend(wish);
            wish.is_none()
        });
        wishes
    })
}

/// The key as the layout has it goes first; its place on the keyboard counts where that one asks
/// for nothing (`Shift+1` is `!`, and another sign elsewhere).
fn wish_of(event: &egui::Event) -> Option<Wish> {
    let egui::Event::Key {
        key,
        physical_key,
        pressed: true,
        modifiers,
        ..
    } = event
    else {
        return None;
    };
    if modifiers.alt {
        return None;
    }
    let find = |key: Key| {
        let action = action_of(key, *modifiers).map(Wish::Action);
        action.or_else(|| class_place(key, *modifiers).map(Wish::Class))
    };
    find(*key).or_else(|| physical_key.and_then(find))
}

fn action_of(key: Key, modifiers: Modifiers) -> Option<Action> {
    let is_bound = |&(with, bound): &(Modifiers, Key)| {
        bound == key && with.shift == modifiers.shift && with.command == modifiers.command
    };
    let binding = BINDINGS
        .iter()
        .find(|binding| binding.keys.iter().any(is_bound))?;
    Some(binding.action)
}

fn class_place(key: Key, modifiers: Modifiers) -> Option<usize> {
    let place = DIGITS.iter().position(|&digit| digit == key)?;
    let shifted = if modifiers.shift { DIGITS.len() } else { 0 };
    (!modifiers.command).then_some(place + shifted)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_does_two_things() {
        let mut seen = HashSet::new();
        for binding in BINDINGS {
            for &(with, key) in binding.keys {
                assert!(
                    seen.insert((with, key)),
                    "{} is bound twice",
                    key_text(with, key)
                );
            }
        }
    }

    fn key(key: Key, physical_key: Key, modifiers: Modifiers) -> egui::Event {
        egui::Event::Key {
            key,
            physical_key: Some(physical_key),
            pressed: true,
            repeat: false,
            modifiers,
        }
    }

    #[test]
    fn a_chord_counts_though_it_was_let_go_before_the_frame() {
        let ctx = egui::Context::default();
        let input = egui::RawInput {
            events: vec![
                key(Key::S, Key::S, Modifiers::COMMAND),
                key(Key::S, Key::S, Modifiers::COMMAND | Modifiers::ALT),
                key(Key::Exclamationmark, Key::Num1, Modifiers::SHIFT),
                key(Key::Num3, Key::Num3, Modifiers::NONE),
            ],
            ..Default::default()
        };
        ctx.begin_pass(input);
        let wishes = pressed(&ctx);
        let expected = [Wish::Action(Action::Save), Wish::Class(10), Wish::Class(2)];
        assert_eq!(wishes, expected);
    }

    #[test]
    fn keys_read_as_people_write_them() {
        assert_eq!(Action::Redo.key_text(), "Ctrl+Shift+Z");
        assert_eq!(Action::SmallerBrush.tooltip(), "Smaller brush ([)");
    }

    #[test]
    fn the_readme_shows_every_key() {
        let readme = include_str!("../../README.md");
        for binding in BINDINGS {
            assert!(
                readme.contains(binding.name),
                "the README's key table lacks “{}”",
                binding.name
            );
        }
    }
}
