use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};

use rayon::ThreadPool;

use super::device::{DeviceReport, report};
use super::finetune::judge_finetuning;
use super::self_test::Workload;
use super::{
    FilesEvent, FilesPlan, InstantEvent, InstantOrder, JudgeEvent, JudgePlan, PredictEvent,
    PredictPlan, QueueEvent, QueuePlan, RateEvent, RateRange, Room, SearchEvent, SearchPlan,
    SimilarEvent, SimilarOrder, TrainEvent, TrainPlan, VerdictEvent, VerdictPlan, find_rate,
    instant, judge, predict, queue, run, search, similar, to_files,
};
use crate::job::{Job, JobContext, Waker, pool_behind, spawn};
use crate::nn::{Loss, ModelConfig};

/// Requests that may wait; more are refused in words.
const MOST_WAITING: usize = 32;
/// Predicted blocks, two bytes a pixel, that may wait to be taken.
const BLOCKS_IN_FLIGHT: usize = 16;
/// The steps that `devices` tries adapters with: patches, and pixels along a side.
const PROBE: [usize; 2] = [8, 128];

/// The one thread that owns all tensors. Clones are handles to the same thread; it ends when the
/// last handle is gone and its work is done.
#[derive(Clone, Debug)]
pub struct Engine {
    inbox: SyncSender<Request>,
    room: Room,
}

enum Request {
    Train(Arc<TrainPlan>, JobContext<TrainEvent>),
    Queue(Box<QueuePlan>, JobContext<QueueEvent>),
    Search(Box<SearchPlan>, JobContext<SearchEvent>),
    Judge(Box<JudgePlan>, JobContext<JudgeEvent>),
    Verdict(Box<VerdictPlan>, JobContext<VerdictEvent>),
    Predict(Box<PredictPlan>, JobContext<PredictEvent>),
    Instant(Box<InstantOrder>, JobContext<InstantEvent>),
    Similar(SimilarOrder, JobContext<SimilarEvent>),
    FindRate(Box<TrainPlan>, RateRange, JobContext<RateEvent>),
    PredictFiles(Box<FilesPlan>, JobContext<FilesEvent>),
    Devices(JobContext<DeviceReport>),
}

impl Engine {
    /// Starts the thread, named `burn`.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn start() -> io::Result<Self> {
        Self::start_at(Priority::Usual)
    }

    /// The same behind a window: whatever the window does goes first. The work has threads of its
    /// own at a low priority.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn start_behind() -> io::Result<Self> {
        Self::start_at(Priority::Low)
    }

    fn start_at(priority: Priority) -> io::Result<Self> {
        let (inbox, requests) = sync_channel(MOST_WAITING);
        let room = Room::default();
        let desk = Desk {
            requests,
            waiting: VecDeque::new(),
            room: room.clone(),
        };
        let pool = priority.pool()?;
        let leash = spawn("burn", Waker::none(), move |_: &JobContext<()>| {
            match pool {
                Some(pool) => pool.install(|| desk.serve()),
                None => desk.serve(),
            }
            Ok(())
        })?;
        // The thread listens to its inbox and ends with it, so the leash has no use.
        drop(leash);
        Ok(Self { inbox, room })
    }

    /// The room that trainings make for whoever works beside them.
    pub const fn room(&self) -> &Room {
        &self.room
    }

    /// Trains as `plan` says, after the trainings asked for before. Cancelling keeps the best so
    /// far: [`TrainEvent::Finished`] with status "stopped" comes before the job's own last event.
    pub fn train(&self, plan: TrainPlan, waker: Waker) -> Job<TrainEvent> {
        let (job, context) = Job::pair(waker);
        self.ask(Request::Train(Arc::new(plan), context));
        job
    }

    /// Searches a learning rate for the training of `plan`, after the trainings asked for before.
    /// Its files go into the plan's folder, which is free for the training all the same.
    pub fn find_rate(&self, plan: TrainPlan, range: RateRange, waker: Waker) -> Job<RateEvent> {
        let (job, context) = Job::pair(waker);
        self.ask(Request::FindRate(Box::new(plan), range, context));
        job
    }

    /// Does the trials of `plan` after what was asked for before. Cancelling leaves the trial that
    /// runs so that it can go on.
    pub fn queue(&self, plan: QueuePlan, waker: Waker) -> Job<QueueEvent> {
        let (job, context) = Job::pair(waker);
        self.ask(Request::Queue(Box::new(plan), context));
        job
    }

    /// Searches as `plan` says, after what was asked for before. Cancelling leaves the trial that
    /// runs so that it can go on.
    pub fn search(&self, plan: SearchPlan, waker: Waker) -> Job<SearchEvent> {
        let (job, context) = Job::pair(waker);
        self.ask(Request::Search(Box::new(plan), context));
        job
    }

    /// Judges as `plan` says, after what was asked for before.
    pub fn judge(&self, plan: JudgePlan, waker: Waker) -> Job<JudgeEvent> {
        let (job, context) = Job::pair(waker);
        self.ask(Request::Judge(Box::new(plan), context));
        job
    }

    /// Judges a fine-tuning beside its parent, after what was asked for before.
    pub fn verdict(&self, plan: VerdictPlan, waker: Waker) -> Job<VerdictEvent> {
        let (job, context) = Job::pair(waker);
        self.ask(Request::Verdict(Box::new(plan), context));
        job
    }

    /// Predicts as `plan` says. A training that runs waits meanwhile, between two of its steps.
    pub fn predict(&self, plan: PredictPlan, waker: Waker) -> Job<PredictEvent> {
        let (job, context) = Job::pair_holding(BLOCKS_IN_FLIGHT, waker);
        self.ask(Request::Predict(Box::new(plan), context));
        job
    }

    /// Predicts images into files as `plan` says, after what was asked for before. Cancelling keeps
    /// the finished blocks.
    pub fn predict_files(&self, plan: FilesPlan, waker: Waker) -> Job<FilesEvent> {
        let (job, context) = Job::pair(waker);
        self.ask(Request::PredictFiles(Box::new(plan), context));
        job
    }

    /// Answers from scribbles. A training that runs waits meanwhile, between two of its steps.
    pub fn answer(&self, order: InstantOrder, waker: Waker) -> Job<InstantEvent> {
        let (job, context) = Job::pair(waker);
        self.ask(Request::Instant(Box::new(order), context));
        job
    }

    /// Looks at a whole image, so that similar ground can be found. A training that runs waits
    /// meanwhile, between two of its steps.
    pub fn look_over(&self, order: SimilarOrder, waker: Waker) -> Job<SimilarEvent> {
        let (job, context) = Job::pair(waker);
        self.ask(Request::Similar(order, context));
        job
    }

    /// Looks what there is to compute on; the job says one report.
    pub fn devices(&self, waker: Waker) -> Job<DeviceReport> {
        let (job, context) = Job::pair(waker);
        self.ask(Request::Devices(context));
        job
    }

    fn ask(&self, request: Request) {
        match self.inbox.try_send(request) {
            Ok(()) => {}
            Err(TrySendError::Full(request)) => {
                request.refuse("Too many trainings and predictions wait; try again later");
            }
            Err(TrySendError::Disconnected(request)) => {
                request.refuse("The computing thread has ended; start the program again");
            }
        }
    }
}

impl Request {
    /// Whether it may take hours, so that it waits for what else does.
    const fn is_long(&self) -> bool {
        !matches!(
            self,
            Self::Predict(..) | Self::Instant(..) | Self::Similar(..) | Self::Devices(_)
        )
    }

    fn refuse(self, why: &'static str) {
        match self {
            Self::Train(_, job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
            Self::Queue(_, job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
            Self::Search(_, job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
            Self::Judge(_, job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
            Self::Verdict(_, job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
            Self::Predict(_, job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
            Self::PredictFiles(_, job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
            Self::Instant(_, job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
            Self::Similar(_, job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
            Self::FindRate(.., job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
            Self::Devices(job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
        }
    }
}

/// How much computing may keep other work of the machine waiting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Priority {
    Usual,
    Low,
}

impl Priority {
    /// Threads for the work; `None`: those that everything shares.
    fn pool(self) -> io::Result<Option<ThreadPool>> {
        if self == Self::Usual {
            return Ok(None);
        }
        pool_behind("burn").map(Some)
    }
}

/// The thread's side of the inbox.
struct Desk {
    requests: Receiver<Request>,
    /// What may take hours and came in while something like it ran.
    waiting: VecDeque<Request>,
    room: Room,
}

impl Desk {
    fn serve(mut self) {
        while let Some(request) = self
            .waiting
            .pop_front()
            .or_else(|| self.requests.recv().ok())
        {
            match request {
                // A panic in there becomes the job's last event, and the thread lives on.
                Request::Train(plan, job) => {
                    job.finish_with(|job| run::run(&plan, job, &mut || self.serve_between()));
                }
                Request::FindRate(plan, range, job) => {
                    let between = &mut || self.serve_between();
                    job.finish_with(|job| find_rate::run(&plan, range, job, between));
                }
                Request::Queue(plan, job) => {
                    job.finish_with(|job| {
                        queue::run(&plan, job, &mut || self.serve_between()).map(drop)
                    });
                }
                Request::Search(plan, job) => {
                    job.finish_with(|job| search::run(&plan, job, &mut || self.serve_between()));
                }
                Request::Judge(plan, job) => {
                    job.finish_with(|job| judge::run(&plan, job, &mut || self.serve_between()));
                }
                Request::Verdict(plan, job) => {
                    let between = &mut || self.serve_between();
                    job.finish_with(|job| judge_finetuning(&plan, job, between));
                }
                Request::PredictFiles(plan, job) => {
                    job.finish_with(|job| to_files::run(&plan, job, &mut || self.serve_between()));
                }
                short => serve_short(short),
            }
        }
    }

    /// Serves what came in during a training, except what may take as long.
    fn serve_between(&mut self) {
        self.room.wait();
        loop {
            match self.requests.try_recv() {
                Ok(request) if request.is_long() && self.waiting.len() >= MOST_WAITING => {
                    request.refuse("Too many trainings wait; try again later");
                }
                Ok(request) if request.is_long() => self.waiting.push_back(request),
                Ok(short) => serve_short(short),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }
}

fn serve_short(request: Request) {
    match request {
        Request::Predict(plan, job) => job.finish_with(|job| predict::run(&plan, job)),
        Request::Instant(order, job) => job.finish_with(|job| instant::run(*order, job)),
        Request::Similar(order, job) => job.finish_with(|job| similar::run(order, job)),
        Request::Devices(job) => job.finish_with(|job| {
            let probe = Workload::new(PROBE, &ModelConfig::default(), &Loss::default());
            Ok(job.tell(report(&probe)?)?)
        }),
        long => long.refuse("A training cannot run inside another"),
    }
}

#[cfg(test)]
mod tests;
