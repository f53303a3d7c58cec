use std::collections::BTreeMap;

use super::{ACTIONS, Action, Chord};

/// Keys that somebody changed: what settings files hold, the action's id to its keys as text.
pub type KeyChanges = BTreeMap<String, Vec<String>>;

/// Which keys do what: the table's own keys, and those that somebody changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    chords: Vec<(Chord, Action)>,
    changes: KeyChanges,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::with(&KeyChanges::new())
    }
}

impl Keymap {
    /// The table's keys with these changes. Ids and keys that nobody knows are left out; of two
    /// actions on one key the one that was changed has it.
    pub fn with(changes: &KeyChanges) -> Self {
        let (mut changed, mut chords) = (Vec::new(), Vec::new());
        for info in ACTIONS {
            match changes.get(&info.action.id()) {
                Some(keys) => {
                    let own = keys.iter().filter_map(|key| Chord::from_text(key));
                    changed.extend(own.map(|chord| (chord, info.action)));
                }
                None => chords.extend(defaults(info.action).map(|chord| (chord, info.action))),
            }
        }
        chords.retain(|(chord, _)| changed.iter().all(|(taken, _)| taken != chord));
        chords.extend(changed);
        let changes = changes.clone();
        Self { chords, changes }
    }

    /// Takes these changes in, when they are others than before.
    pub fn follow(&mut self, changes: &KeyChanges) {
        if self.changes != *changes {
            *self = Self::with(changes);
        }
    }

    /// What a chord does.
    pub fn action(&self, chord: Chord) -> Option<Action> {
        let found = self.chords.iter().find(|(known, _)| *known == chord);
        found.map(|(_, action)| *action)
    }

    /// The keys of an action.
    pub fn chords(&self, action: Action) -> impl Iterator<Item = Chord> {
        let own = self.chords.iter().filter(move |(_, of)| *of == action);
        own.map(|(chord, _)| *chord)
    }

    /// Whether a key of an action is down, for what lasts as long as it is held.
    pub fn is_held(&self, action: Action, input: &egui::InputState) -> bool {
        self.chords(action).any(|chord| {
            input.key_down(chord.key)
                && input.modifiers.command == chord.ctrl
                && input.modifiers.shift == chord.shift
        })
    }

    /// The first key of an action as text, empty when it has none.
    pub fn text(&self, action: Action) -> String {
        self.chords(action)
            .next()
            .map_or_else(String::new, Chord::text)
    }

    /// All keys of an action as text.
    pub fn all_text(&self, action: Action) -> String {
        let texts: Vec<String> = self.chords(action).map(Chord::text).collect();
        texts.join(", ")
    }

    /// An action's name and its key, for tooltips.
    pub fn tooltip(&self, action: Action) -> String {
        match self.text(action) {
            key if key.is_empty() => action.name().to_owned(),
            key => format!("{} ({key})", action.name()),
        }
    }
}

fn defaults(action: Action) -> impl Iterator<Item = Chord> {
    let keys = action.info().keys.iter();
    keys.map(|&(modifiers, key)| Chord::new(modifiers, key))
}

/// The changes after `action` got `chord` as its only key; another action that had it is left with
/// its other keys.
pub fn rebound(changes: &KeyChanges, action: Action, chord: Chord) -> KeyChanges {
    let now = Keymap::with(changes);
    let mut changes = changes.clone();
    if let Some(loser) = now.action(chord).filter(|loser| *loser != action) {
        let others = now.chords(loser).filter(|other| *other != chord);
        changes.insert(loser.id(), others.map(Chord::text).collect());
    }
    changes.insert(action.id(), vec![chord.text()]);
    without_defaults(changes)
}

/// The changes that say something else than the table.
fn without_defaults(mut changes: KeyChanges) -> KeyChanges {
    for info in ACTIONS {
        let own: Vec<String> = defaults(info.action).map(Chord::text).collect();
        if changes.get(&info.action.id()) == Some(&own) {
            changes.remove(&info.action.id());
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn chord(text: &str) -> Chord {
        Chord::from_text(text).expect("a chord")
    }

    #[test]
    fn no_key_does_two_things() {
        let mut seen = HashSet::new();
        for info in ACTIONS {
            for key in defaults(info.action) {
                assert!(seen.insert(key), "{} is bound twice", key.text());
            }
        }
    }

    #[test]
    fn the_table_holds_until_somebody_changes_it() {
        let keymap = Keymap::default();
        assert_eq!(keymap.text(Action::Redo), "Ctrl+Shift+Z");
        assert_eq!(keymap.tooltip(Action::SmallerBrush), "Smaller brush ([)");
        assert_eq!(keymap.all_text(Action::Fill), "F, G");
        assert_eq!(keymap.action(chord("B")), Some(Action::Brush));
        assert_eq!(keymap.action(chord("Ctrl+Shift+F12")), None);
    }

    #[test]
    fn a_taken_key_goes_over_and_can_come_back() {
        let changes = rebound(&KeyChanges::new(), Action::Brush, chord("E"));
        let keymap = Keymap::with(&changes);
        assert_eq!(keymap.action(chord("E")), Some(Action::Brush));
        assert_eq!(keymap.action(chord("B")), None);
        assert_eq!(keymap.text(Action::Eraser), "");
        assert_eq!(keymap.tooltip(Action::Eraser), "Eraser");
        let back = rebound(&changes, Action::Brush, chord("B"));
        let back = rebound(&back, Action::Eraser, chord("E"));
        assert!(back.is_empty(), "{back:?}");
        assert_eq!(Keymap::with(&back), Keymap::default());
    }

    #[test]
    fn nonsense_in_a_settings_file_changes_nothing_else() {
        let mut changes = KeyChanges::new();
        changes.insert("Teleport".to_owned(), vec!["T".to_owned()]);
        changes.insert(
            "Brush".to_owned(),
            vec!["Hyper+Q".to_owned(), "J".to_owned()],
        );
        let keymap = Keymap::with(&changes);
        assert_eq!(keymap.all_text(Action::Brush), "J");
        assert_eq!(keymap.text(Action::Eraser), "E");
    }
}
