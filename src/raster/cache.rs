use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::tile::Tile;
use crate::geom::TileKey;

/// Keeps what was used last, up to a number of bytes.
#[derive(Debug)]
pub(super) struct ByteLru<K, V> {
    budget_bytes: usize,
    bytes_used: usize,
    clock: u64,
    entries: HashMap<K, Slot<V>>,
    by_age: BTreeMap<u64, K>,
}

#[derive(Debug)]
struct Slot<V> {
    value: V,
    bytes: usize,
    used_at: u64,
}

impl<K: Copy + Eq + Hash, V: Clone> ByteLru<K, V> {
    /// An empty store for `budget_bytes`.
    pub(super) fn new(budget_bytes: usize) -> Self {
        Self {
            budget_bytes,
            bytes_used: 0,
            clock: 0,
            entries: HashMap::new(),
            by_age: BTreeMap::new(),
        }
    }

    /// What is kept under `key`, which is then the youngest.
    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        self.clock += 1;
        let slot = self.entries.get_mut(key)?;
        self.by_age.remove(&slot.used_at);
        slot.used_at = self.clock;
        self.by_age.insert(self.clock, *key);
        Some(slot.value.clone())
    }

    /// Whether something is kept under `key`, without making it younger.
    pub(super) fn has(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    /// Keeps `value`, which counts as `bytes`; the oldest others go. The youngest always stays,
    /// even where it is larger than the budget.
    pub(super) fn put(&mut self, key: K, value: V, bytes: usize) {
        self.remove(&key);
        self.clock += 1;
        self.bytes_used += bytes;
        self.by_age.insert(self.clock, key);
        self.entries.insert(
            key,
            Slot {
                value,
                bytes,
                used_at: self.clock,
            },
        );
        while self.bytes_used > self.budget_bytes && self.entries.len() > 1 {
            let Some((_, oldest)) = self.by_age.first_key_value() else {
                return;
            };
            let oldest = *oldest;
            self.remove(&oldest);
        }
    }

    /// Forgets what `is_unwanted` names.
    pub(super) fn remove_where(&mut self, is_unwanted: impl Fn(&K) -> bool) {
        let unwanted: Vec<K> = self
            .by_age
            .values()
            .copied()
            .filter(|key| is_unwanted(key))
            .collect();
        for key in &unwanted {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: &K) {
        if let Some(slot) = self.entries.remove(key) {
            self.by_age.remove(&slot.used_at);
            self.bytes_used -= slot.bytes;
        }
    }
}

/// Names one pyramid among those that share a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PyramidId(pub(super) u64);

/// Decoded tiles of any number of pyramids, those used last, up to a number of bytes.
#[derive(Debug)]
pub struct TileCache {
    tiles: Mutex<ByteLru<(PyramidId, TileKey), Arc<Tile>>>,
}

impl TileCache {
    /// An empty cache for `budget_bytes` of pixels.
    pub fn new(budget_bytes: usize) -> Self {
        Self {
            tiles: Mutex::new(ByteLru::new(budget_bytes)),
        }
    }

    /// Bytes of all pixels that are kept.
    pub fn bytes_used(&self) -> usize {
        self.lock().bytes_used
    }

    pub(super) fn get(&self, pyramid: PyramidId, key: TileKey) -> Option<Arc<Tile>> {
        self.lock().get(&(pyramid, key))
    }

    pub(super) fn has(&self, pyramid: PyramidId, key: TileKey) -> bool {
        self.lock().has(&(pyramid, key))
    }

    pub(super) fn put(&self, pyramid: PyramidId, key: TileKey, tile: Arc<Tile>) {
        let bytes = tile.bytes.len();
        self.lock().put((pyramid, key), tile, bytes);
    }

    pub(super) fn forget(&self, pyramid: PyramidId) {
        self.lock().remove_where(|(id, _)| *id == pyramid);
    }

    fn lock(&self) -> MutexGuard<'_, ByteLru<(PyramidId, TileKey), Arc<Tile>>> {
        // No step of the bookkeeping can stop half-way for a reason that a panic leaves behind.
        self.tiles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::TileFormat;

    #[test]
    fn the_oldest_goes_first_and_use_makes_young() {
        let mut lru = ByteLru::new(30);
        for key in 0..3 {
            lru.put(key, key * 10, 10);
        }
        assert_eq!(lru.get(&0), Some(0));
        lru.put(3, 30, 10);
        assert_eq!(
            [0, 1, 2, 3].map(|key| lru.has(&key)),
            [true, false, true, true]
        );
        assert_eq!(lru.bytes_used, 30);
    }

    #[test]
    fn one_giant_stays_alone() {
        let mut lru = ByteLru::new(30);
        lru.put(1, 'a', 10);
        lru.put(2, 'b', 500);
        assert_eq!(
            (lru.get(&1), lru.get(&2), lru.bytes_used),
            (None, Some('b'), 500)
        );
        lru.put(2, 'c', 20);
        assert_eq!((lru.get(&2), lru.bytes_used), (Some('c'), 20));
    }

    #[test]
    fn a_closed_pyramid_leaves_nothing() {
        let cache = TileCache::new(1 << 20);
        let size = crate::geom::ImageSize::new(2, 2);
        let tile = Arc::new(Tile::blank(size, TileFormat::PICTURE));
        let key = TileKey::new(0, 0, 0);
        cache.put(PyramidId(1), key, Arc::clone(&tile));
        cache.put(PyramidId(2), key, tile);
        cache.forget(PyramidId(1));
        assert_eq!(cache.bytes_used(), 16);
        assert!(cache.get(PyramidId(1), key).is_none() && cache.has(PyramidId(2), key));
    }
}
