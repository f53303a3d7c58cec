use std::collections::HashMap;
use std::sync::Arc;

use super::seen::SeenTile;

/// Column and row of a tile.
pub(super) type TileAt = (u32, u32);

/// What was seen of tiles, up to a bound in bytes; what was asked for longest ago goes first.
#[derive(Clone, Debug)]
pub(super) struct SeenTiles {
    budget: usize,
    known: HashMap<TileAt, (Arc<SeenTile>, u64)>,
    bytes: usize,
    clock: u64,
}

impl SeenTiles {
    /// None yet.
    pub(super) fn new(budget: usize) -> Self {
        Self {
            budget,
            known: HashMap::new(),
            bytes: 0,
            clock: 0,
        }
    }

    /// Bytes held.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The tile at `at`, if it is held.
    pub(super) fn get(&mut self, at: TileAt) -> Option<Arc<SeenTile>> {
        self.clock += 1;
        let (tile, used) = self.known.get_mut(&at)?;
        *used = self.clock;
        Some(Arc::clone(tile))
    }

    /// Whether the tile at `at` is held.
    pub(super) fn has(&self, at: TileAt) -> bool {
        self.known.contains_key(&at)
    }

    /// Holds a tile, and lets go of others as far as there is no room.
    pub(super) fn keep(&mut self, at: TileAt, tile: Arc<SeenTile>) {
        self.clock += 1;
        self.bytes += tile.bytes();
        if let Some((old, _)) = self.known.insert(at, (tile, self.clock)) {
            self.bytes -= old.bytes();
        }
        while self.bytes > self.budget && self.known.len() > 1 {
            let oldest = self.known.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(&at, _)| at) else {
                break;
            };
            if let Some((tile, _)) = self.known.remove(&oldest) {
                self.bytes -= tile.bytes();
            }
        }
    }

    /// Lets go of all.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::seen::{MARGIN, SIDE, WINDOW};
    use super::super::sight::Level;
    use super::*;

    fn tile() -> Arc<SeenTile> {
        let level = Level {
            stride: 32,
            channels: 1,
        };
        let map = vec![0.0; (WINDOW / 32).pow(2)];
        let rgba = vec![255; 4 * WINDOW * WINDOW];
        Arc::new(SeenTile::cut(&[level], &[map], &rgba, (MARGIN, MARGIN)))
    }

    #[test]
    fn what_was_asked_for_longest_ago_goes_first() {
        let each = 2 * (SIDE / 32 + 1).pow(2) + 3 * 8;
        let mut tiles = SeenTiles::new(3 * each);
        for col in 0..3 {
            tiles.keep((col, 0), tile());
        }
        assert!(tiles.get((0, 0)).is_some());
        tiles.keep((3, 0), tile());
        tiles.keep((3, 0), tile());
        assert_eq!(tiles.bytes(), 3 * each);
        let held = [0, 1, 2, 3].map(|col| tiles.has((col, 0)));
        assert_eq!(held, [true, false, true, true]);
        tiles.clear();
        assert_eq!((tiles.bytes(), tiles.get((0, 0))), (0, None));
    }

    #[test]
    fn one_tile_is_held_however_small_the_bound_is() {
        let mut tiles = SeenTiles::new(0);
        tiles.keep((0, 0), tile());
        tiles.keep((1, 0), tile());
        assert!(!tiles.has((0, 0)) && tiles.has((1, 0)));
    }
}
