use egui::{Key, Modifiers};

/// A key with the modifiers that are held with it. Alt is never part of one: window managers keep
/// it for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chord {
    /// Ctrl, or Cmd on a Mac.
    pub ctrl: bool,
    /// Shift.
    pub shift: bool,
    /// The key.
    pub key: Key,
}

/// Keys that are written by their sign.
const SIGNS: [(Key, &str); 9] = [
    (Key::OpenBracket, "["),
    (Key::CloseBracket, "]"),
    (Key::Equals, "="),
    (Key::Minus, "-"),
    (Key::Comma, ","),
    (Key::Period, "."),
    (Key::PageDown, "PgDn"),
    (Key::PageUp, "PgUp"),
    (Key::Escape, "Esc"),
];

impl Chord {
    /// A key with modifiers; Alt is left out.
    pub const fn new(modifiers: Modifiers, key: Key) -> Self {
        Self {
            ctrl: modifiers.command,
            shift: modifiers.shift,
            key,
        }
    }

    /// Whether it is Ctrl, Shift, Alt or the like alone, pressed on the way to another key.
    pub const fn is_modifier(self) -> bool {
        matches!(
            self.key,
            Key::ShiftLeft
                | Key::ShiftRight
                | Key::ControlLeft
                | Key::ControlRight
                | Key::AltLeft
                | Key::AltRight
                | Key::SuperLeft
                | Key::SuperRight
        )
    }

    /// The chord as people write it, such as `Ctrl+Shift+Z`.
    pub fn text(self) -> String {
        let sign = SIGNS.iter().find(|(key, _)| *key == self.key);
        let name = sign.map_or(self.key.name(), |(_, sign)| sign);
        let ctrl = if self.ctrl { "Ctrl+" } else { "" };
        let shift = if self.shift { "Shift+" } else { "" };
        format!("{ctrl}{shift}{name}")
    }

    /// The chord that [`Chord::text`] wrote; `None` for anything else.
    pub fn from_text(text: &str) -> Option<Self> {
        let (ctrl, rest) = match text.strip_prefix("Ctrl+") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (shift, name) = match rest.strip_prefix("Shift+") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let sign = SIGNS.iter().find(|(_, sign)| *sign == name);
        let key = sign.map(|(key, _)| *key).or_else(|| Key::from_name(name))?;
        Some(Self { ctrl, shift, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_read_as_people_write_them() {
        for (modifiers, key, text) in [
            (
                Modifiers::COMMAND | Modifiers::SHIFT,
                Key::Z,
                "Ctrl+Shift+Z",
            ),
            (Modifiers::NONE, Key::OpenBracket, "["),
            (Modifiers::SHIFT, Key::PageUp, "Shift+PgUp"),
            (Modifiers::NONE, Key::F9, "F9"),
            (Modifiers::COMMAND, Key::Plus, "Ctrl+Plus"),
        ] {
            let chord = Chord::new(modifiers, key);
            assert_eq!(chord.text(), text);
            assert_eq!(Chord::from_text(text), Some(chord));
        }
        assert_eq!(Chord::from_text("Hyper+Q"), None);
        assert!(Chord::new(Modifiers::COMMAND, Key::ControlLeft).is_modifier());
        assert!(!Chord::new(Modifiers::COMMAND, Key::O).is_modifier());
    }

    #[test]
    fn every_key_reads_back() {
        for &key in Key::ALL {
            let chord = Chord::new(Modifiers::COMMAND, key);
            assert_eq!(Chord::from_text(&chord.text()), Some(chord), "{key:?}");
        }
    }
}
