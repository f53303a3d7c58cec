//! The window's insides: canvases, panels, plots, dialogs, keys and colors.
//!
//! Functions here read a `&Session` and push `Command`s; nothing of the session is changed here.
//! What only the window knows (camera, pane layout, open dialogs) lives in [`View`].

mod banner;
mod canvas;
mod chooser;
mod cleanup;
mod coordinates;
mod dialogs;
mod dock;
mod export;
mod feed;
mod import;
mod keys;
mod look;
mod menu;
mod messages;
mod pace;
mod panels;
mod perform;
mod places;
mod plots;
mod predicting;
mod safety;
mod status;
mod stop;
mod text;
mod theme;
mod training;
mod view;
mod welcome;
mod window;

pub use canvas::{PaneContent, PaneLayout};
pub use dialogs::FileWish;
pub use keys::{ACTIONS, Action, Keymap};
pub use theme::install as install_theme;
pub use view::{CommandQueue, View, ViewConfig};
pub use window::window_ui;
