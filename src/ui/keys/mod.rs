//! What can be asked for, and with which keys: one table of actions, a keymap over it that people
//! can change, the key sheet and the command palette.

mod actions;
mod chord;
mod keymap;
mod palette;
mod pressed;
mod sheet;
mod table;

pub use actions::{Action, ActionInfo};
pub use chord::Chord;
pub use keymap::{KeyChanges, Keymap, rebound};
pub use palette::{Palette, palette_ui};
pub use pressed::{Wish, chord_of, is_class_key, pressed};
pub use sheet::{KeySheet, sheet_ui};
pub use table::ACTIONS;
