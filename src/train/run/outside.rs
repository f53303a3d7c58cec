use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::log_line::{elapsed, log_line};
use crate::job::{Cancelled, JobContext};
use crate::train::{TrainEvent, append_log};

/// Whoever rests looks this often whether to go on.
const LOOKS: Duration = Duration::from_millis(20);

/// What a training hears and says while it works.
pub(super) struct Outside<'a> {
    job: &'a JobContext<TrainEvent>,
    /// Serves other requests, when no tensor is in use.
    between: &'a mut dyn FnMut(),
    /// The time that the training has worked.
    pub(super) clock: Clock,
    /// Time that went to others.
    away: Duration,
    log: Log<'a>,
}

enum Log<'a> {
    /// The run has no folder yet: times and what happened.
    Waiting(Vec<(String, String)>),
    /// Lines go into the log of this folder.
    In(&'a Path),
}

impl<'a> Outside<'a> {
    pub(super) const fn new(
        job: &'a JobContext<TrainEvent>,
        between: &'a mut dyn FnMut(),
        clock: Clock,
    ) -> Self {
        Self {
            job,
            between,
            clock,
            away: Duration::ZERO,
            log: Log::Waiting(Vec::new()),
        }
    }

    /// Serves others, rests while it is asked to, and hears whether to go on.
    ///
    /// # Errors
    /// [`Cancelled`] when the training was asked to stop.
    pub(super) fn look_up(&mut self) -> Result<(), Cancelled> {
        let began = Instant::now();
        (self.between)();
        self.away += began.elapsed();
        if self.is_paused() {
            self.rest()?;
        }
        self.job.check()
    }

    /// Whether it was asked to rest.
    pub(super) fn is_paused(&self) -> bool {
        self.job.is_paused()
    }

    /// Others are served meanwhile, and the time does not count.
    fn rest(&mut self) -> Result<(), Cancelled> {
        self.tell(TrainEvent::Paused)?;
        let began = Instant::now();
        while self.is_paused() && self.job.check().is_ok() {
            (self.between)();
            thread::sleep(LOOKS);
        }
        self.away += began.elapsed();
        self.clock.leave_out(began.elapsed());
        self.tell(TrainEvent::GoesOn)
    }

    /// Says what must arrive and keeps it in the log.
    ///
    /// # Errors
    /// [`Cancelled`] when the training was asked to stop; it is said all the same.
    pub(super) fn tell(&mut self, event: TrainEvent) -> Result<(), Cancelled> {
        if let Some(line) = log_line(&event) {
            self.log(line);
        }
        self.tell_again(event)
    }

    /// Says what the log has already.
    ///
    /// # Errors
    /// [`Cancelled`] when the training was asked to stop; it is said all the same.
    pub(super) fn tell_again(&self, event: TrainEvent) -> Result<(), Cancelled> {
        self.job.tell(event)
    }

    /// Says what may be lost.
    pub(super) fn mention(&self, event: TrainEvent) {
        self.job.mention(event);
    }

    /// Keeps a line in the log. A log that cannot be written is no reason to stop a training.
    pub(super) fn log(&mut self, line: String) {
        let time = elapsed(self.clock.seconds());
        match &mut self.log {
            Log::Waiting(lines) => lines.push((time, line)),
            Log::In(folder) => written(folder, &time, &line),
        }
    }

    /// Writes what waits, and what follows at once, into the log of `folder`.
    pub(super) fn open_log(&mut self, folder: &'a Path) {
        let before = std::mem::replace(&mut self.log, Log::In(folder));
        if let Log::Waiting(lines) = before {
            for (time, line) in lines {
                written(folder, &time, &line);
            }
        }
    }

    /// Does `work` and says how many seconds of the training's own it took.
    pub(super) fn timed<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> (T, f64) {
        let (began, away) = (Instant::now(), self.away);
        let done = work(self);
        let own = began
            .elapsed()
            .saturating_sub(self.away.saturating_sub(away));
        (done, own.as_secs_f64())
    }
}

fn written(folder: &Path, time: &str, line: &str) {
    if let Err(error) = append_log(folder, time, line) {
        tracing::warn!("{error}");
    }
}
