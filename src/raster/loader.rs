use std::collections::HashSet;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::draft::ShowTile;
use super::{Pyramid, ReadError, Tile};
use crate::geom::TileKey;
use crate::job::{Waker, fenced};

/// Finished tiles that may wait for the window; a worker waits when there are more.
const TILES_IN_FLIGHT: usize = 32;

/// What the loader sends.
#[derive(Debug)]
pub enum Loaded {
    /// The quick first picture of the whole image.
    Sketch(Arc<Tile>),
    /// A tile in the making, which stands in until it is whole.
    Draft(TileKey, Arc<Tile>),
    /// A tile that was wanted.
    Tile(TileKey, Arc<Tile>),
    /// A tile that cannot be read; it is not tried again.
    Failed(TileKey, String),
}

/// Decodes wanted tiles on threads of its own, most wanted first.
///
/// Each frame replaces what is wanted, so that tiles nobody looks at any more are never decoded.
/// Dropping the loader stops its threads after the tile they are at.
#[derive(Debug)]
pub struct Loader {
    board: Arc<Board>,
    loaded: Receiver<Loaded>,
}

#[derive(Debug, Default)]
struct Board {
    state: Mutex<Wants>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wants {
    /// Least wanted first, so that a worker takes from the end.
    queue: Vec<TileKey>,
    in_flight: HashSet<TileKey>,
    failed: HashSet<TileKey>,
    wants_sketch: bool,
    /// The first picture is being made, or waits for the window.
    is_sketching: bool,
    is_closed: bool,
}

enum Task {
    Sketch,
    Tile(TileKey),
}

impl Loader {
    /// Starts `num_threads` workers on `pyramid`; a first picture of the whole image comes before
    /// everything else, and with it [`Pyramid::statistics`].
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn start(pyramid: Arc<Pyramid>, num_threads: usize, waker: Waker) -> io::Result<Self> {
        let board = Arc::new(Board::default());
        board.lock().wants_sketch = true;
        let (sender, loaded) = sync_channel(TILES_IN_FLIGHT);
        let loader = Self { board, loaded };
        for number in 0..num_threads.max(1) {
            let (board, sender) = (Arc::clone(&loader.board), sender.clone());
            let (pyramid, waker) = (Arc::clone(&pyramid), waker.clone());
            thread::Builder::new()
                .name(format!("decode-{number}"))
                .spawn(move || work(&board, &pyramid, &sender, &waker))?;
        }
        Ok(loader)
    }

    /// Replaces what is wanted; the first of `wants` is decoded first.
    pub fn replace_wants(&self, wants: &[TileKey]) {
        let mut state = self.board.lock();
        let state = &mut *state;
        state.queue.clear();
        let is_new = |key: &TileKey| !state.in_flight.contains(key) && !state.failed.contains(key);
        state
            .queue
            .extend(wants.iter().rev().copied().filter(is_new));
        self.board.changed.notify_all();
    }

    /// A finished tile if one waits.
    pub fn try_next(&self) -> Option<Loaded> {
        let loaded = self.loaded.try_recv().ok()?;
        match &loaded {
            Loaded::Tile(key, _) => drop(self.board.lock().in_flight.remove(key)),
            Loaded::Sketch(_) => self.board.lock().is_sketching = false,
            Loaded::Draft(..) | Loaded::Failed(..) => {}
        }
        Some(loaded)
    }

    /// Whether nothing is being decoded and nothing waits to be.
    pub fn is_idle(&self) -> bool {
        let state = self.board.lock();
        let has_sketch = !state.wants_sketch && !state.is_sketching;
        has_sketch && state.queue.is_empty() && state.in_flight.is_empty()
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.board.lock().is_closed = true;
        self.board.changed.notify_all();
    }
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Wants> {
        // The state is plain bookkeeping and stays usable after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to do; `None` when the loader is gone.
    fn next_task(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if std::mem::take(&mut state.wants_sketch) {
                state.is_sketching = true;
                return Some(Task::Sketch);
            }
            if let Some(key) = state.queue.pop() {
                state.in_flight.insert(key);
                return Some(Task::Tile(key));
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_up(&self, key: TileKey) {
        let mut state = self.lock();
        state.in_flight.remove(&key);
        state.failed.insert(key);
    }
}

fn work(board: &Board, pyramid: &Pyramid, sender: &SyncSender<Loaded>, waker: &Waker) {
    while let Some(task) = board.next_task() {
        let show = |key, tile| {
            // Who has gone needs no stand-ins.
            drop(sender.send(Loaded::Draft(key, tile)));
            waker.wake();
        };
        let Some(loaded) = perform(task, board, pyramid, &show) else {
            continue;
        };
        if sender.send(loaded).is_err() {
            return;
        }
        waker.wake();
    }
}

fn perform(task: Task, board: &Board, pyramid: &Pyramid, show: ShowTile<'_>) -> Option<Loaded> {
    match task {
        // The true tiles follow; an image whose quick picture fails shows their errors.
        Task::Sketch => match read(|| pyramid.look_around()) {
            Ok(sketch) => Some(Loaded::Sketch(sketch)),
            Err(why) => {
                board.lock().is_sketching = false;
                Some(Loaded::Failed(pyramid.shape().root(), why))
            }
        },
        Task::Tile(key) => Some(match read(|| pyramid.tile_in_steps(key, Some(show))) {
            Ok(tile) => Loaded::Tile(key, tile),
            Err(why) => {
                board.give_up(key);
                Loaded::Failed(key, why)
            }
        }),
    }
}

fn read(read: impl FnOnce() -> Result<Arc<Tile>, ReadError>) -> Result<Arc<Tile>, String> {
    fenced(read)?.map_err(|error| error.to_string())
}
