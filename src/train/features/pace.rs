/// How long the encoder looks at a patch that is not kept yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    looks: u32,
    /// Time of all looks.
    seconds: f64,
    /// Patches and their time; the first look alone may be slower than all others and counts only
    /// as long as there is no other.
    measured: (usize, f64),
}

impl Pace {
    /// Hears how long a look at some patches took.
    pub(super) fn hear(&mut self, patches: usize, seconds: f64) {
        if self.looks == 1 {
            self.measured = (0, 0.0);
        }
        self.looks += 1;
        self.seconds += seconds;
        self.measured.0 += patches;
        self.measured.1 += seconds;
    }

    /// Time of all looks so far.
    pub(super) const fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Time of a patch; 0 where nothing was measured.
    pub(super) fn seconds_per_patch(&self) -> f64 {
        let (patches, seconds) = self.measured;
        seconds / patches.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_counts_as_long_as_it_is_alone() {
        let mut pace = Pace::default();
        assert_eq!((pace.seconds(), pace.seconds_per_patch()), (0.0, 0.0));
        pace.hear(2, 8.0);
        assert_eq!((pace.seconds(), pace.seconds_per_patch()), (8.0, 4.0));
        pace.hear(2, 2.0);
        pace.hear(2, 4.0);
        assert_eq!((pace.seconds(), pace.seconds_per_patch()), (14.0, 1.5));
    }
}
