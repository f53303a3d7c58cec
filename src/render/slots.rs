use std::collections::HashMap;
use std::hash::Hash;

/// Which tile lies in which place of an atlas. Pure bookkeeping: least recently used first, and
/// never a place that the current frame draws from.
#[derive(Clone, Debug)]
pub struct Slots<K> {
    places: Vec<Option<(K, u64)>>,
    place_of: HashMap<K, usize>,
    frame: u64,
}

impl<K: Copy + Eq + Hash> Slots<K> {
    /// Bookkeeping for `capacity` places, all free.
    pub fn new(capacity: usize) -> Self {
        Self {
            places: vec![None; capacity],
            place_of: HashMap::new(),
            frame: 1,
        }
    }

    /// Number of places.
    pub const fn capacity(&self) -> usize {
        self.places.len()
    }

    /// Starts a frame: from here on places in use are those touched since.
    pub const fn begin_frame(&mut self) {
        self.frame += 1;
    }

    /// Whether `key` has a place.
    pub fn contains(&self, key: K) -> bool {
        self.place_of.contains_key(&key)
    }

    /// The place of `key`, now in use by this frame.
    pub fn touch(&mut self, key: K) -> Option<usize> {
        let place = *self.place_of.get(&key)?;
        self.places[place] = Some((key, self.frame));
        Some(place)
    }

    /// Gives `key` a place: its own, a free one, or the one unused longest. `None` when this frame
    /// draws from all of them.
    pub fn claim(&mut self, key: K) -> Option<usize> {
        if let Some(place) = self.touch(key) {
            return Some(place);
        }
        let last_use = |place: &Option<(K, u64)>| place.map_or(0, |(_, frame)| frame);
        let (place, oldest) = self
            .places
            .iter()
            .enumerate()
            .min_by_key(|(_, place)| last_use(place))?;
        if last_use(oldest) == self.frame {
            return None;
        }
        if let Some((evicted, _)) = self.places[place] {
            self.place_of.remove(&evicted);
        }
        self.places[place] = Some((key, self.frame));
        self.place_of.insert(key, place);
        Some(place)
    }

    /// All keys that have a place.
    pub fn keys(&self) -> impl Iterator<Item = K> {
        self.place_of.keys().copied()
    }

    /// Frees the places of all keys that `is_gone` names.
    pub fn forget(&mut self, is_gone: impl Fn(K) -> bool) {
        for place in &mut self.places {
            if let Some((key, _)) = *place
                && is_gone(key)
            {
                self.place_of.remove(&key);
                *place = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_goes_first() {
        let mut slots = Slots::new(2);
        slots.claim('a');
        slots.begin_frame();
        slots.claim('b');
        slots.begin_frame();
        slots.touch('a');
        slots.begin_frame();
        slots.claim('c');
        assert!(slots.contains('a') && slots.contains('c') && !slots.contains('b'));
    }

    #[test]
    fn a_frame_keeps_what_it_draws() {
        let mut slots = Slots::new(1);
        assert!(slots.claim('a').is_some());
        assert!(slots.claim('b').is_none());
        slots.begin_frame();
        assert!(slots.claim('b').is_some());
    }

    #[test]
    fn forgotten_places_are_free() {
        let mut slots = Slots::new(2);
        slots.claim('a');
        slots.claim('b');
        slots.forget(|key| key == 'a');
        assert!(!slots.contains('a') && slots.claim('c').is_some() && slots.contains('b'));
    }
}
