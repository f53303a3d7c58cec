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

    /// Draws a tile below into it, where that is not too small.
    pub(super) fn add(&self, key: TileKey, piece: &Tile) {
        let below = self.key.level.saturating_sub(key.level);
        let halved = match below {
            1 => None,
            PIECES_BELOW => Some(half_of(piece)),
            _ => return,
        };
        let piece = halved.as_ref().unwrap_or(piece);
        let place = |at: u32, own: u32| (at - (own << below)) * (TILE_SIZE >> below);
        let at = (place(key.col, self.key.col), place(key.row, self.key.row));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tile.draw_halved(piece, at);
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

/// A tile of half the size.
pub(super) fn half_of(tile: &Tile) -> Tile {
    let [width, height] = [tile.size.width, tile.size.height].map(|side| side.div_ceil(2));
    let mut half = Tile::blank(ImageSize::new(width, height), tile.format);
    half.draw_halved(tile, (0, 0));
    half
}
