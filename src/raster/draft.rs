//! Coarse tiles that are shown before they are whole.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::pyramid::TILE_SIZE;
use super::tile::Tile;
use crate::geom::{ImageSize, TileKey};

/// Nothing new is shown for so long; tests do not wait.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 0 } else { 150 });
/// How many levels below a tile the pieces are that are shown one by one.
const PIECES_BELOW: u8 = 2;

/// Who is shown tiles in the making.
pub type ShowTile<'a> = &'a (dyn Fn(TileKey, Arc<Tile>) + Sync);

/// A wanted tile in the making: blurred ground, and sharp pieces as they come.
pub(super) struct Draft<'a> {
    key: TileKey,
    state: Mutex<State>,
    show: ShowTile<'a>,
}

struct State {
    tile: Tile,
    shown: Instant,
}

impl<'a> Draft<'a> {
    /// A draft of `key` that begins as the blurred `tile`.
    pub(super) fn new(key: TileKey, tile: Tile, show: ShowTile<'a>) -> Self {
        let shown = Instant::now();
        Self {
            key,
            state: Mutex::new(State { tile, shown }),
            show,
        }
    }

    /// Draws a tile below into it.
    pub(super) fn add(&self, key: TileKey, piece: &Tile) {
        if key.level + PIECES_BELOW != self.key.level {
            return;
        }
        let half = [piece.size.width, piece.size.height].map(|side| side.div_ceil(2));
        let mut halved = Tile::blank(ImageSize::new(half[0], half[1]), piece.format);
        halved.draw_halved(piece, (0, 0));
        let place = |at: u32, own: u32| (at - (own << PIECES_BELOW)) * (TILE_SIZE >> PIECES_BELOW);
        let at = (place(key.col, self.key.col), place(key.row, self.key.row));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tile.draw_halved(&halved, at);
        if state.shown.elapsed() >= PAUSE {
            state.shown = Instant::now();
            (self.show)(self.key, Arc::new(state.tile.clone()));
        }
    }

    /// Who is shown something now, where it is time.
    pub(super) fn due(&self) -> Option<ShowTile<'a>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = state.shown.elapsed() >= PAUSE;
        if is_due {
            state.shown = Instant::now();
        }
        is_due.then_some(self.show)
    }
}
