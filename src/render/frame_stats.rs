use std::collections::VecDeque;
use std::time::Duration;

const KEPT_FRAMES: usize = 120;

/// The time that recent frames took of this thread, for the status bar.
///
/// Own work only: from the start of the frame's logic to the end of its layout, without the
/// graphics card and the wait for the screen.
#[derive(Clone, Debug, Default)]
pub struct FrameStats {
    recent: VecDeque<Duration>,
}

impl FrameStats {
    /// Adds one frame's own work.
    pub fn add(&mut self, own_work: Duration) {
        if self.recent.len() == KEPT_FRAMES {
            self.recent.pop_front();
        }
        self.recent.push_back(own_work);
    }

    /// The median of the recent frames, `None` before the first.
    pub fn median(&self) -> Option<Duration> {
        let mut sorted: Vec<_> = self.recent.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_frames_are_forgotten() {
        let mut stats = FrameStats::default();
        assert_eq!(stats.median(), None);
        stats.add(Duration::from_secs(9));
        (0..KEPT_FRAMES).for_each(|_| stats.add(Duration::from_millis(2)));
        assert_eq!(stats.median(), Some(Duration::from_millis(2)));
    }
}
