use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::Halt;
use crate::dataset::{Batch, DatasetError};
use crate::job::{Cancelled, Job, JobContext, JobEvent, Waker, spawn};
use crate::train::{TrainError, TrainPlan};

/// Batches that are made at the same time; as many more wait.
const IN_THE_MAKING: usize = 2;
/// Whoever waits for a batch looks this often whether to go on waiting.
const LOOKS: Duration = Duration::from_millis(20);

/// Where a training is in its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Epoch, from 1.
    pub(super) epoch: u32,
    /// Steps done in it; all of them when the held-out ground comes next.
    pub(super) step: u32,
}

/// The batches of a training in their order, decoded and varied on threads of their own while the
/// device computes. Which batch comes when does not depend on the number of threads.
///
/// Dropping it ends the threads after the batches they are at.
pub(super) struct Feed {
    /// Batches come from these in turn.
    lines: VecDeque<Line>,
}

struct Line {
    batches: Receiver<Result<Batch, DatasetError>>,
    job: Job<()>,
}

impl Feed {
    /// Starts loading at `place`, with `num_threads` threads named `load-…`; held-out ground comes
    /// in batches of `piece`.
    ///
    /// # Errors
    /// [`TrainError::Loading`] when the system has no more threads.
    pub(super) fn start(
        plan: &Arc<TrainPlan>,
        place: Place,
        piece: usize,
        num_threads: usize,
    ) -> Result<Self, TrainError> {
        let no_thread = |error: String| TrainError::Loading(error);
        let pool = ThreadPoolBuilder::new()
            .num_threads(num_threads)
            .thread_name(|number| format!("load-{number}"))
            .build()
            .map_err(|error| no_thread(error.to_string()))?;
        let pool = Arc::new(pool);
        let orders = Orders::from(plan, place, piece);
        let line = |number: usize| {
            let (sender, batches) = sync_channel(1);
            let orders = orders.clone().skip(number).step_by(IN_THE_MAKING);
            let (plan, pool) = (Arc::clone(plan), Arc::clone(&pool));
            let name = format!("feed-{number}");
            let job = spawn(&name, Waker::none(), move |job: &JobContext<()>| {
                serve(&plan, &pool, orders, &sender, job)
            })
            .map_err(|error| no_thread(error.to_string()))?;
            Ok(Line { batches, job })
        };
        let lines = (0..IN_THE_MAKING).map(line);
        Ok(Self {
            lines: lines.collect::<Result<_, TrainError>>()?,
        })
    }

    /// The next batch; `idle` is called while there is none yet.
    ///
    /// # Errors
    /// When a file cannot be read, or `idle` says to stop.
    pub(super) fn next(
        &mut self,
        mut idle: impl FnMut() -> Result<(), Cancelled>,
    ) -> Result<Batch, Halt> {
        self.lines.rotate_left(1);
        let line = &self.lines[IN_THE_MAKING - 1];
        loop {
            match line.batches.recv_timeout(LOOKS) {
                Ok(batch) => return Ok(batch.map_err(TrainError::from)?),
                Err(RecvTimeoutError::Timeout) => idle()?,
                Err(RecvTimeoutError::Disconnected) => return Err(line.last_words().into()),
            }
        }
    }
}

impl Line {
    /// Why it ended without a batch.
    fn last_words(&self) -> TrainError {
        let why = match self.job.next_within(Duration::from_secs(1)) {
            Some(JobEvent::Failed(why)) => why,
            _ => "its thread ended early".to_owned(),
        };
        TrainError::Loading(why)
    }
}

fn serve(
    plan: &TrainPlan,
    pool: &ThreadPool,
    orders: impl Iterator<Item = Order>,
    sender: &SyncSender<Result<Batch, DatasetError>>,
    job: &JobContext<()>,
) -> anyhow::Result<()> {
    for order in orders {
        job.check()?;
        let batch = pool.install(|| order.loaded(plan));
        let is_last = batch.is_err();
        // Nobody listens any more when the training ended early.
        if sender.send(batch).is_err() || is_last {
            break;
        }
    }
    Ok(())
}

/// One batch that will be wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Order {
    /// The batch of a step, from 0, of an epoch, from 1.
    Step { epoch: u32, step: u32 },
    /// Held-out patches.
    HeldOut(Range<usize>),
}

impl Order {
    fn loaded(&self, plan: &TrainPlan) -> Result<Batch, DatasetError> {
        match self {
            Self::Step { epoch, step } => plan.step_batch(*epoch, *step),
            Self::HeldOut(range) => plan.patches.validation_batch(range.clone()),
        }
    }
}

/// All batches that will be wanted from a place on, in their order.
#[derive(Clone, Debug)]
struct Orders {
    place: Place,
    /// Held-out patches that the epoch has seen.
    seen: usize,
    epochs: u32,
    steps: u32,
    held_out: usize,
    piece: usize,
}

impl Orders {
    fn from(plan: &TrainPlan, place: Place, piece: usize) -> Self {
        Self {
            place,
            seen: 0,
            epochs: plan.recipe.epochs,
            steps: plan.recipe.steps_per_epoch,
            held_out: plan.patches.num_validation(),
            piece: piece.max(1),
        }
    }
}

impl Iterator for Orders {
    type Item = Order;

    fn next(&mut self) -> Option<Order> {
        while self.place.epoch <= self.epochs {
            let Place { epoch, step } = self.place;
            if step < self.steps {
                self.place.step += 1;
                return Some(Order::Step { epoch, step });
            }
            if self.seen < self.held_out {
                let first = self.seen;
                self.seen = (first + self.piece).min(self.held_out);
                return Some(Order::HeldOut(first..self.seen));
            }
            self.place = Place {
                epoch: epoch + 1,
                step: 0,
            };
            self.seen = 0;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::test_world::{plan, recipe};
    use super::*;

    fn batches(plan: &Arc<TrainPlan>, from: Place, num_threads: usize) -> Vec<Batch> {
        let mut feed = Feed::start(plan, from, 4, num_threads).expect("threads");
        let all = Orders::from(plan, from, 4).count();
        let batches = (0..all).map(|_| feed.next(|| Ok(())).expect("a batch"));
        batches.collect()
    }

    #[test]
    fn batches_are_the_same_whatever_the_number_of_threads() {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = Arc::new(plan(recipe(), &folder.path().join("run")));
        let start = Place { epoch: 1, step: 0 };
        let one = batches(&plan, start, 1);
        assert!(one == batches(&plan, start, 5));
        let step = plan.step_batch(1, 3).expect("a batch");
        assert!(one[3] == step);
        let middle = Place { epoch: 1, step: 3 };
        assert!(batches(&plan, middle, 2) == one[3..]);
    }

    #[test]
    fn steps_and_held_out_ground_take_turns() {
        let orders = Orders {
            place: Place { epoch: 1, step: 1 },
            seen: 0,
            epochs: 2,
            steps: 2,
            held_out: 5,
            piece: 3,
        };
        let step = |epoch, step| Order::Step { epoch, step };
        let held_out = [Order::HeldOut(0..3), Order::HeldOut(3..5)];
        let [one, two] = held_out;
        let expected = [
            step(1, 1),
            one.clone(),
            two.clone(),
            step(2, 0),
            step(2, 1),
            one,
            two,
        ];
        assert_eq!(orders.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn whoever_waits_can_be_stopped_and_the_end_is_no_hang() {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = Arc::new(plan(recipe(), &folder.path().join("run")));
        let beyond = Place { epoch: 99, step: 0 };
        let mut feed = Feed::start(&plan, beyond, 4, 1).expect("threads");
        let halt = feed.next(|| Ok(())).expect_err("nothing comes");
        assert!(halt.to_string().contains("could not be loaded"), "{halt}");
    }
}
