use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Nobody works when nothing came for so long.
const CALM: Duration = Duration::from_millis(150);
/// A step waits so long at most.
const MOST: Duration = Duration::from_millis(500);
/// How often a waiting step looks again.
const LOOK: Duration = Duration::from_millis(10);

/// Room that a training makes for whoever works in the window: it waits between two steps while
/// somebody moves the pointer. Clones speak of the same room.
#[derive(Clone, Debug, Default)]
pub struct Room(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_refused: AtomicBool,
    wanted: Mutex<Option<Instant>>,
    waited_us: AtomicU64,
}

impl Room {
    /// Says that somebody works now.
    pub fn want(&self) {
        *self.0.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether room is made at all; it is, unless somebody says otherwise.
    pub fn set_made(&self, is_made: bool) {
        self.0.is_refused.store(!is_made, Ordering::Relaxed);
    }

    /// How long steps waited in all.
    pub fn waited(&self) -> Duration {
        Duration::from_micros(self.0.waited_us.load(Ordering::Relaxed))
    }

    /// Waits until nobody works any more, for a moment at most.
    pub(super) fn wait(&self) {
        let began = Instant::now();
        while self.is_wanted() && began.elapsed() < MOST {
            std::thread::sleep(LOOK);
        }
        let waited = began.elapsed().as_micros() as u64;
        if waited >= LOOK.as_micros() as u64 {
            self.0.waited_us.fetch_add(waited, Ordering::Relaxed);
        }
    }

    fn is_wanted(&self) -> bool {
        let wanted = *self.0.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        !self.0.is_refused.load(Ordering::Relaxed)
            && wanted.is_some_and(|since| since.elapsed() < CALM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_waits_while_somebody_works_and_no_longer_than_it_must() {
        let room = Room::default();
        room.wait();
        assert_eq!(room.waited(), Duration::ZERO, "nobody works");
        room.clone().want();
        room.wait();
        assert!(room.waited() + LOOK >= CALM, "{:?}", room.waited());
        let before = room.waited();
        room.set_made(false);
        room.want();
        room.wait();
        assert_eq!(room.waited(), before, "no room is made");
        room.set_made(true);
        let is_over = AtomicBool::new(false);
        room.want();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    room.want();
                    std::thread::sleep(LOOK);
                }
            });
            // Though it is wanted all the time, a step waits for a moment and not for ever.
            room.wait();
            is_over.store(true, Ordering::Relaxed);
        });
        assert!(room.waited() > before);
    }
}
