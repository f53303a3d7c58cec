use super::chains::{Chains, Entries};

/// A set of runs that are joined by sides, and that the sweep may still add to.
struct Set {
    /// Itself for the root of a tree.
    parent: u32,
    class: u8,
    pixels: u64,
    entries: Entries,
    /// The last row of corners below which it has pixels.
    seen: u32,
}

/// A region that got no pixel in the row below.
pub(super) struct Finished {
    pub(super) class: u8,
    pub(super) pixels: u64,
    pub(super) entries: Entries,
}

/// The regions that have pixels in the row the sweep has come to, as disjoint sets (union-find with
/// path halving; Tarjan and van Leeuwen 1984). Numbers of past ones are used again.
#[derive(Default)]
pub(super) struct OpenRegions {
    sets: Vec<Set>,
    free: Vec<u32>,
    /// Those that went up in others since the last row; runs may still have their numbers.
    merged: Vec<u32>,
}

impl OpenRegions {
    /// A region that starts in row `y`.
    pub(super) fn add(&mut self, class: u8, y: u32) -> u32 {
        let place = self.free.pop().unwrap_or(self.sets.len() as u32);
        let set = Set {
            parent: place,
            class,
            pixels: 0,
            entries: Entries::NONE,
            seen: y,
        };
        match self.sets.get_mut(place as usize) {
            Some(old) => *old = set,
            None => self.sets.push(set),
        }
        place
    }

    /// The number that stands for the whole region.
    pub(super) fn root(&mut self, mut at: u32) -> u32 {
        while self.sets[at as usize].parent != at {
            let parent = self.sets[at as usize].parent;
            let grandparent = self.sets[parent as usize].parent;
            self.sets[at as usize].parent = grandparent;
            at = grandparent;
        }
        at
    }

    /// Says that a region goes on in row `y`; the number that stands for it.
    pub(super) fn go_on(&mut self, region: u32, y: u32) -> u32 {
        let root = self.root(region);
        self.sets[root as usize].seen = y;
        root
    }

    /// Makes one region of two, of which `a` goes on in the row the sweep has come to.
    pub(super) fn join(&mut self, a: u32, b: u32, chains: &mut Chains) -> u32 {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            let gone = &mut self.sets[b as usize];
            gone.parent = a;
            let (pixels, entries) = (gone.pixels, gone.entries);
            let kept = &mut self.sets[a as usize];
            kept.pixels += pixels;
            chains.append(&mut kept.entries, entries);
            self.merged.push(b);
        }
        a
    }

    /// Adds pixels to a region.
    pub(super) fn add_pixels(&mut self, region: u32, pixels: u32) {
        let root = self.root(region);
        self.sets[root as usize].pixels += u64::from(pixels);
    }

    /// Adds a turn to those that the region's rings are looked up by.
    pub(super) fn add_entry(&mut self, region: u32, node: u32, chains: &mut Chains) {
        let root = self.root(region);
        chains.add_entry(&mut self.sets[root as usize].entries, node);
    }

    /// Takes out a region that does not go on in row `y`; `None` when it does or was taken before.
    pub(super) fn take_finished(&mut self, region: u32, y: u32) -> Option<Finished> {
        let root = self.root(region);
        let set = &mut self.sets[root as usize];
        if set.seen == y {
            return None;
        }
        set.seen = y;
        self.merged.push(root);
        Some(Finished {
            class: set.class,
            pixels: set.pixels,
            entries: set.entries,
        })
    }

    /// Gives numbers free that no run has any more.
    pub(super) fn recycle(&mut self) {
        self.free.append(&mut self.merged);
    }
}
