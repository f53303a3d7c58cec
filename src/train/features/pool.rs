use crate::dataset::Rng;

/// Sets the order of passes apart from whatever else follows from a seed.
const ORDERS: u64 = 0x706F_6F6C;

/// Which of a fixed number of patches is drawn when: all of them once in their order, then all
/// again and again, each time in an order of its own.
#[derive(Debug)]
pub(super) struct Pool {
    seed: u64,
    len: u64,
    /// The order of the pass that was asked for last.
    order: Option<(u64, Vec<u32>)>,
}

impl Pool {
    /// `len` patches, at least one.
    pub(super) fn new(seed: u64, len: u32) -> Self {
        Self {
            seed,
            len: u64::from(len.max(1)),
            order: None,
        }
    }

    /// Number of patches.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// The patch of a draw, from 0; a function of seed, length and draw.
    pub(super) fn drawn(&mut self, draw: u64) -> u64 {
        let (pass, at) = (draw / self.len, draw % self.len);
        if pass == 0 {
            return at;
        }
        if self.order.as_ref().is_none_or(|(known, _)| *known != pass) {
            self.order = Some((pass, self.shuffled(pass)));
        }
        let order = self.order.as_ref().map(|(_, order)| order[at as usize]);
        order.map_or(at, u64::from)
    }

    /// Fisher and Yates.
    fn shuffled(&self, pass: u64) -> Vec<u32> {
        let mut rng = Rng::of(&[self.seed, ORDERS, pass]);
        let mut order: Vec<u32> = (0..self.len as u32).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, rng.below(last as u64 + 1) as usize);
        }
        order
    }
}

/// How many patches there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PoolSize {
    /// Labelled pixels of the training ground.
    pub(super) pixels: u64,
    /// Columns and rows of a patch.
    pub(super) side: u32,
    /// How often the ground is covered.
    pub(super) variants: u32,
    /// Patches that the whole training draws.
    pub(super) draws: u64,
    /// Patches that can be kept.
    pub(super) room: u64,
}

impl PoolSize {
    /// The ground covered as often as is wanted, but not more patches than are drawn or have room.
    pub(super) fn patches(self) -> u32 {
        let area = u64::from(self.side).pow(2).max(1);
        let wanted = self.pixels.saturating_mul(self.variants.into());
        let wanted = wanted.div_ceil(area).min(self.draws).min(self.room);
        u32::try_from(wanted).unwrap_or(u32::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pass_draws_every_patch_once_and_the_first_in_order() {
        let mut pool = Pool::new(3, 10);
        let passes: Vec<Vec<u64>> = (0..4)
            .map(|pass| (0..10).map(|at| pool.drawn(pass * 10 + at)).collect())
            .collect();
        assert_eq!(passes[0], (0..10).collect::<Vec<u64>>());
        for (at, pass) in passes.iter().enumerate() {
            let mut sorted = pass.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, passes[0]);
            assert!(passes[..at].iter().all(|other| other != pass));
        }
    }

    #[test]
    fn a_draw_does_not_depend_on_what_was_drawn_before() {
        let drawn = |seed, draws: &[u64]| -> Vec<u64> {
            let mut pool = Pool::new(seed, 7);
            draws.iter().map(|&draw| pool.drawn(draw)).collect()
        };
        let mut backwards = drawn(1, &[40, 23, 22, 8, 2]);
        backwards.reverse();
        assert_eq!(drawn(1, &[2, 8, 22, 23, 40]), backwards);
        let many: Vec<u64> = (7..70).collect();
        assert_ne!(drawn(1, &many), drawn(2, &many));
        assert_eq!(drawn(1, &[0, 99]).len(), 2);
        assert!(Pool::new(1, 0).drawn(5) == 0);
    }

    #[test]
    fn sizes_by_hand() {
        let size = PoolSize {
            pixels: 100 * 1024,
            side: 32,
            variants: 4,
            draws: 1_000_000,
            room: 1_000_000,
        };
        assert_eq!(size.patches(), 400);
        let cases = [
            (PoolSize { draws: 30, ..size }, 30),
            (PoolSize { room: 20, ..size }, 20),
            (PoolSize { pixels: 1, ..size }, 1),
            (PoolSize { room: 0, ..size }, 1),
            (
                PoolSize {
                    pixels: u64::MAX,
                    ..size
                },
                1_000_000,
            ),
        ];
        for (size, expected) in cases {
            assert_eq!(size.patches(), expected, "{size:?}");
        }
    }
}
