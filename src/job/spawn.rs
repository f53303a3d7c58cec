use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use super::{CancelToken, PauseToken, told};

const EVENTS_IN_FLIGHT: usize = 256;

/// Tells whoever waits (a window, a command line) that an event is there.
#[derive(Clone)]
pub struct Waker(Arc<dyn Fn() + Send + Sync>);

impl Waker {
    /// A waker that calls `wake` from any thread.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(wake))
    }

    /// A waker for those who wait on the channel itself.
    pub fn none() -> Self {
        Self::new(|| {})
    }

    /// Wakes the waiting side.
    pub fn wake(&self) {
        (self.0)();
    }
}

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waker")
    }
}

/// The work was asked to stop, or nobody listens any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Stopped on request")]
pub struct Cancelled;

/// What a job sends.
#[derive(Clone, Debug, PartialEq)]
pub enum JobEvent<E> {
    /// Something the work itself says.
    Said(E),
    /// The last event of a job that ended well.
    Finished,
    /// The last event of a job that was stopped.
    Cancelled,
    /// The last event of a job that failed; the message says what, why and what to do.
    Failed(String),
}

/// The leash of a running job: its events and a way to stop it. Dropping it cancels the job.
#[derive(Debug)]
pub struct Job<E> {
    events: Receiver<JobEvent<E>>,
    cancel: CancelToken,
    pause: PauseToken,
}

impl<E> Job<E> {
    /// Makes the two ends of a job that runs elsewhere, for example on the one thread that owns
    /// all tensors.
    pub fn pair(waker: Waker) -> (Self, JobContext<E>) {
        Self::pair_holding(EVENTS_IN_FLIGHT, waker)
    }

    /// As [`Self::pair`] for a job whose events are large: the work waits while `most` of them were
    /// not taken.
    pub fn pair_holding(most: usize, waker: Waker) -> (Self, JobContext<E>) {
        let (sender, events) = sync_channel(most);
        let (cancel, pause) = (CancelToken::default(), PauseToken::default());
        let context = JobContext {
            outlet: Outlet::Channel(sender),
            cancel: cancel.clone(),
            pause: pause.clone(),
            waker,
        };
        let job = Self {
            events,
            cancel,
            pause,
        };
        (job, context)
    }

    /// Asks the job to stop; [`JobEvent::Cancelled`] follows when it has.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// The token that asks the job to rest; only trainings heed it.
    pub const fn pause_token(&self) -> &PauseToken {
        &self.pause
    }

    /// The next event if one waits. A job whose thread vanished reports a failure.
    pub fn try_next(&self) -> Option<JobEvent<E>> {
        match self.events.try_recv() {
            Ok(event) => Some(event),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(vanished()),
        }
    }

    /// The next event, waiting at most `timeout`.
    pub fn next_within(&self, timeout: Duration) -> Option<JobEvent<E>> {
        match self.events.recv_timeout(timeout) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(vanished()),
        }
    }
}

fn vanished<E>() -> JobEvent<E> {
    JobEvent::Failed("The job ended without a word; please report this".to_owned())
}

impl<E> Drop for Job<E> {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// The working end of a job.
#[derive(Debug)]
pub struct JobContext<E> {
    outlet: Outlet<E>,
    cancel: CancelToken,
    pause: PauseToken,
    waker: Waker,
}

/// Where the events of a job go.
enum Outlet<E> {
    /// To whoever holds the [`Job`].
    Channel(SyncSender<JobEvent<E>>),
    /// Into the events of a larger job.
    Larger(Arc<dyn Fn(E, Delivery) -> bool + Send + Sync>),
}

impl<E> Clone for Outlet<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Channel(sender) => Self::Channel(sender.clone()),
            Self::Larger(say) => Self::Larger(Arc::clone(say)),
        }
    }
}

/// Whether an event waits for a listener that is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    Waits,
    MayBeLost,
}

impl<E> Outlet<E> {
    /// Whether the event was taken.
    fn say(&self, event: E, delivery: Delivery) -> bool {
        match (self, delivery) {
            (Self::Channel(sender), Delivery::Waits) => sender.send(JobEvent::Said(event)).is_ok(),
            (Self::Channel(sender), Delivery::MayBeLost) => {
                sender.try_send(JobEvent::Said(event)).is_ok()
            }
            (Self::Larger(say), delivery) => say(event, delivery),
        }
    }
}

impl<E> std::fmt::Debug for Outlet<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outlet")
    }
}

impl<E> JobContext<E> {
    /// Sends what must arrive; waits while the listener is behind.
    ///
    /// # Errors
    /// [`Cancelled`] when the job was asked to stop or nobody listens.
    pub fn tell(&self, event: E) -> Result<(), Cancelled> {
        let is_taken = self.outlet.say(event, Delivery::Waits);
        self.waker.wake();
        if is_taken {
            self.check()
        } else {
            Err(Cancelled)
        }
    }

    /// Sends what may be lost; never waits. For progress, not for results.
    pub fn mention(&self, event: E) {
        if self.outlet.say(event, Delivery::MayBeLost) {
            self.waker.wake();
        }
    }

    /// Stops the work here if somebody asked.
    ///
    /// # Errors
    /// [`Cancelled`] when the job was asked to stop.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.cancel.is_cancelled() {
            Err(Cancelled)
        } else {
            Ok(())
        }
    }

    /// The token that says whether somebody asked to stop.
    pub const fn cancel_token(&self) -> &CancelToken {
        &self.cancel
    }

    /// Whether somebody asked the work to rest.
    pub fn is_paused(&self) -> bool {
        self.pause.is_paused()
    }

    /// The working end of a part of this job: what the part says is said by this job as `wrap`
    /// puts it, and both stop together. The part's end is its result, not an event.
    pub fn part<F>(&self, wrap: impl Fn(F) -> E + Send + Sync + 'static) -> JobContext<F>
    where
        E: Send + 'static,
    {
        let outlet = self.outlet.clone();
        JobContext {
            outlet: Outlet::Larger(Arc::new(move |event, delivery| {
                outlet.say(wrap(event), delivery)
            })),
            cancel: self.cancel.clone(),
            pause: self.pause.clone(),
            waker: self.waker.clone(),
        }
    }

    /// Runs `work` behind a panic fence and sends its last event.
    pub fn finish_with(self, work: impl FnOnce(&Self) -> anyhow::Result<()>) {
        let last = match fenced(|| work(&self)) {
            Ok(Ok(())) => JobEvent::Finished,
            Ok(Err(error)) if error.is::<Cancelled>() => JobEvent::Cancelled,
            Ok(Err(error)) => JobEvent::Failed(told(&error)),
            Err(panic) => JobEvent::Failed(panic),
        };
        if let Outlet::Channel(sender) = &self.outlet {
            // Nobody listening any more is the normal end of a dropped job.
            drop(sender.send(last));
        }
        self.waker.wake();
    }
}

/// Runs `work`; a panic becomes a sentence for the user.
///
/// # Errors
/// The panic's message.
pub fn fenced<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        format!(
            "An internal error stopped this work: {}",
            panic_text(&*panic)
        )
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

/// Runs `work` on a thread of its own and hands back the leash.
///
/// A panic inside `work` arrives as [`JobEvent::Failed`]; the window lives on.
///
/// # Errors
/// When the system has no more threads.
pub fn spawn<E, W>(name: &str, waker: Waker, work: W) -> io::Result<Job<E>>
where
    E: Send + 'static,
    W: FnOnce(&JobContext<E>) -> anyhow::Result<()> + Send + 'static,
{
    let (job, context) = Job::pair(waker);
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || context.finish_with(work))?;
    Ok(job)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events_of(job: &Job<u32>) -> Vec<JobEvent<u32>> {
        let mut events = Vec::new();
        while let Some(event) = job.next_within(Duration::from_secs(10)) {
            let is_last = !matches!(event, JobEvent::Said(_));
            events.push(event);
            if is_last {
                break;
            }
        }
        events
    }

    #[test]
    fn a_part_speaks_through_its_job_and_stops_with_it() {
        let job = spawn("whole", Waker::none(), |job: &JobContext<u32>| {
            let part = job.part(|n: u32| 10 * n);
            let small = part.part(|n: u8| u32::from(n) + 1);
            part.tell(1)?;
            small.mention(1);
            part.cancel_token().cancel();
            assert_eq!(
                (job.check(), small.check()),
                (Err(Cancelled), Err(Cancelled))
            );
            small.finish_with(|_| Ok(()));
            Ok(())
        });
        assert_eq!(
            events_of(&job.expect("a thread")),
            [JobEvent::Said(10), JobEvent::Said(20), JobEvent::Finished]
        );
    }

    #[test]
    fn events_arrive_in_order_and_end() {
        let job = spawn("count", Waker::none(), |job| {
            Ok((0..3).try_for_each(|n| job.tell(n))?)
        });
        let events = events_of(&job.expect("a thread"));
        assert_eq!(
            events,
            [
                JobEvent::Said(0),
                JobEvent::Said(1),
                JobEvent::Said(2),
                JobEvent::Finished
            ]
        );
    }

    #[test]
    fn a_panic_is_an_event() {
        let job = spawn("panic", Waker::none(), |_: &JobContext<u32>| {
            panic!("no such kernel")
        });
        let events = events_of(&job.expect("a thread"));
        assert!(matches!(&events[..], [JobEvent::Failed(why)] if why.contains("no such kernel")));
    }

    #[test]
    fn a_cancelled_job_says_so() {
        let job = spawn("wait", Waker::none(), |job: &JobContext<u32>| {
            loop {
                job.check()?;
                thread::yield_now();
            }
        })
        .expect("a thread");
        job.cancel();
        assert_eq!(events_of(&job), [JobEvent::Cancelled]);
    }

    #[test]
    fn dropping_the_leash_cancels() {
        let (job, context) = Job::<u32>::pair(Waker::none());
        drop(job);
        assert_eq!(context.check(), Err(Cancelled));
    }
}
