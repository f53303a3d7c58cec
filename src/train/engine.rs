use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};

use super::device::{DeviceReport, report};
use super::finetune::judge_finetuning;
use super::self_test::Workload;
use super::{
    FilesEvent, FilesPlan, InstantEvent, InstantOrder, JudgeEvent, JudgePlan, PredictEvent,
    PredictPlan, QueueEvent, QueuePlan, RateEvent, RateRange, SearchEvent, SearchPlan, TrainEvent,
    TrainPlan, VerdictEvent, VerdictPlan, find_rate, instant, judge, predict, queue, run, search,
    to_files,
};
use crate::job::{Job, JobContext, Waker, spawn};

/// Requests that may wait; more are refused in words.
const MOST_WAITING: usize = 32;
/// Predicted blocks, two bytes a pixel, that may wait to be taken.
const BLOCKS_IN_FLIGHT: usize = 16;
/// What `devices` tries adapters with.
const PROBE: Workload = Workload {
    batch: 8,
    side: 128,
};

/// The one thread that owns all tensors. Clones are handles to the same thread; it ends when the
/// last handle is gone and its work is done.
#[derive(Clone, Debug)]
pub struct Engine {
    inbox: SyncSender<Request>,
}

enum Request {
    Train(Arc<TrainPlan>, JobContext<TrainEvent>),
    Queue(Box<QueuePlan>, JobContext<QueueEvent>),
    Search(Box<SearchPlan>, JobContext<SearchEvent>),
    Judge(Box<JudgePlan>, JobContext<JudgeEvent>),
    Verdict(Box<VerdictPlan>, JobContext<VerdictEvent>),
    Predict(Box<PredictPlan>, JobContext<PredictEvent>),
    Instant(Box<InstantOrder>, JobContext<InstantEvent>),
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
        let (inbox, requests) = sync_channel(MOST_WAITING);
        let leash = spawn("burn", Waker::none(), move |_: &JobContext<()>| {
            Desk {
                requests,
                waiting: VecDeque::new(),
            }
            .serve();
            Ok(())
        })?;
        // The thread listens to its inbox and ends with it, so the leash has no use.
        drop(leash);
        Ok(Self { inbox })
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
            Self::Predict(..) | Self::Instant(..) | Self::Devices(_)
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
            Self::FindRate(.., job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
            Self::Devices(job) => job.finish_with(|_| Err(anyhow::Error::msg(why))),
        }
    }
}

/// The thread's side of the inbox.
struct Desk {
    requests: Receiver<Request>,
    /// What may take hours and came in while something like it ran.
    waiting: VecDeque<Request>,
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
        Request::Devices(job) => job.finish_with(|job| Ok(job.tell(report(PROBE)?)?)),
        long => long.refuse("A training cannot run inside another"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::super::test_world::{World, classes, events_of, plan, recipe, truth};
    use super::super::{
        BlockOrder, DeviceChoice, EpochRow, PredictPlan, Recipe, SavedModel, TrainReport,
        TrainStatus,
    };
    use super::*;
    use crate::geom::{ImagePoint, PixelRect};
    use crate::job::JobEvent;
    use crate::label::Mask;
    use crate::metrics::{Confusion, Scores};
    use crate::nn::{EncoderKind, Family, ModelConfig};

    fn engine() -> Engine {
        Engine::start().expect("a thread")
    }

    /// Trains in a folder of its own and gives the rows (without times) and the weights' bytes.
    fn trained(folder: &Path, recipe: Recipe) -> (Vec<EpochRow>, Vec<u8>, TrainReport) {
        let job = engine().train(plan(recipe, folder), Waker::none());
        let (mut rows, mut report) = (Vec::new(), None);
        for event in events_of(&job) {
            match event {
                JobEvent::Said(TrainEvent::EpochEnded(row)) => {
                    rows.push(EpochRow {
                        seconds: 0.0,
                        data_seconds: 0.0,
                        compute_seconds: 0.0,
                        ..row
                    });
                }
                JobEvent::Said(TrainEvent::Finished(found)) => report = Some(found),
                JobEvent::Failed(why) => panic!("{why}"),
                _ => {}
            }
        }
        let report = report.expect("a report");
        let weights =
            std::fs::read(report.checkpoint.join("weights.safetensors")).expect("weights");
        (rows, weights, report)
    }

    fn predicted(engine: &Engine, run: &Path, order: BlockOrder) -> Mask {
        let plan = PredictPlan::new(run, World::new(), DeviceChoice::Cpu).expect("a plan");
        assert!(plan.differences(&classes()).is_empty());
        let job = engine.predict(plan.in_order(order), Waker::none());
        let mut mask = Mask::new(truth().size());
        for event in events_of(&job) {
            match event {
                JobEvent::Said(PredictEvent::Block { rect, classes, .. }) => {
                    mask.set_rect(rect, &classes);
                }
                JobEvent::Failed(why) => panic!("{why}"),
                _ => {}
            }
        }
        mask
    }

    #[test]
    fn one_seed_gives_one_run_to_the_last_bit() {
        let folder = tempfile::tempdir().expect("a folder");
        let [one, two] = ["one", "two"].map(|name| trained(&folder.path().join(name), recipe()));
        assert_eq!(one.0.len(), 2);
        assert_eq!(one.0, two.0);
        assert!(one.1 == two.1, "the weights differ");
        let other = trained(
            &folder.path().join("three"),
            Recipe {
                seed: 2,
                ..recipe()
            },
        );
        assert!(one.1 != other.1);
    }

    #[test]
    fn it_learns_and_any_order_of_blocks_predicts_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("a run");
        let (rows, _, report) = trained(
            &run,
            Recipe {
                epochs: 6,
                ..recipe()
            },
        );
        assert_eq!(report.status, TrainStatus::Finished);
        assert!(rows[5].train_loss < rows[0].train_loss);
        for file in [
            "recipe.toml",
            "classes.toml",
            "split.json",
            "metrics.csv",
            "best",
            "last",
        ] {
            assert!(run.join(file).is_file(), "{file}");
        }
        assert_eq!(
            SavedModel::load(&run).expect("a model").folder(),
            report.checkpoint
        );
        let engine = engine();
        let mask = predicted(&engine, &run, BlockOrder::Rows);
        let near = BlockOrder::NearestFirst(ImagePoint::new(200.0, 190.0));
        assert!(
            mask.read_rect(mask.size().bounds())
                == predicted(&engine, &run, near).read_rect(mask.size().bounds())
        );
        assert!(
            mask.read_rect(PixelRect::new(224, 0, 6, 200))
                .iter()
                .all(|&class| class == 255)
        );
        let confusion = Confusion::between(&truth(), &mask, 2);
        let scores = Scores::new(&confusion, &classes());
        assert!(scores.mean_iou > Some(0.8), "{scores:?}");
        assert_eq!(scores.unpredicted, 6 * 200);
    }

    #[test]
    fn a_network_of_another_family_is_trained_and_predicts() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("run");
        let model = ModelConfig {
            family: Family::DeepLabV3Plus,
            encoder: EncoderKind::Resnet18,
            stem_filters: 4,
            width: Some(16),
            ..ModelConfig::default()
        };
        let recipe = Recipe {
            model: model.clone(),
            ..recipe()
        };
        let (rows, _, _) = trained(&run, recipe);
        assert_eq!(rows.len(), 2);
        assert_eq!(SavedModel::load(&run).expect("a model").card().model, model);
        let mask = predicted(&engine(), &run, BlockOrder::Rows);
        let found = mask.read_rect(PixelRect::new(0, 0, 200, 200));
        assert!(found.iter().all(|&class| class < 2));
    }

    #[test]
    fn a_stopped_training_keeps_what_it_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("run");
        let job = engine().train(
            plan(
                Recipe {
                    epochs: 1000,
                    ..recipe()
                },
                &run,
            ),
            Waker::none(),
        );
        let mut events = Vec::new();
        while let Some(event) = job.next_within(Duration::from_mins(1)) {
            if matches!(event, JobEvent::Said(TrainEvent::EpochEnded(_))) {
                job.cancel();
            }
            events.push(event);
            if !matches!(events.last(), Some(JobEvent::Said(_))) {
                break;
            }
        }
        assert_eq!(events.last(), Some(&JobEvent::Cancelled));
        let stopped = events.iter().any(|event| {
            matches!(event, JobEvent::Said(TrainEvent::Finished(report))
                if report.status == TrainStatus::Stopped && report.best_epoch >= 1)
        });
        assert!(stopped);
        SavedModel::load(&run).expect("a model");
    }

    #[test]
    fn a_training_stopped_at_once_keeps_its_weights() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("run");
        let recipe = Recipe {
            steps_per_epoch: 100_000,
            ..recipe()
        };
        let job = engine().train(plan(recipe, &run), Waker::none());
        while let Some(JobEvent::Said(event)) = job.next_within(Duration::from_mins(1)) {
            if matches!(event, TrainEvent::Step { .. }) {
                job.cancel();
            }
        }
        assert_eq!(
            SavedModel::load(&run).expect("a model").card().metrics,
            None
        );
    }

    #[test]
    fn predictions_are_served_between_the_steps_of_a_training() {
        let folder = tempfile::tempdir().expect("a folder");
        let (done, busy) = (folder.path().join("done"), folder.path().join("busy"));
        trained(&done, recipe());
        let engine = engine();
        let training = engine.train(
            plan(
                Recipe {
                    epochs: 1000,
                    ..recipe()
                },
                &busy,
            ),
            Waker::none(),
        );
        let mask = predicted(&engine, &done, BlockOrder::Rows);
        assert!(mask.histogram()[..2].iter().sum::<u64>() > 0);
        // The training ran all the while and can only end by being stopped.
        training.cancel();
        assert_eq!(events_of(&training).last(), Some(&JobEvent::Cancelled));
    }

    #[test]
    fn a_training_goes_on_from_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        let (rows, ..) = trained(
            &first,
            Recipe {
                epochs: 6,
                ..recipe()
            },
        );
        let start = SavedModel::load(&first).expect("a model");
        let plan = plan(
            Recipe {
                epochs: 1,
                learning_rate: 1e-4,
                ..recipe()
            },
            &second,
        );
        let plan = plan.starting_from(start).expect("a fit");
        let events = events_of(&engine().train(plan, Waker::none()));
        let row = events.iter().find_map(|event| match event {
            JobEvent::Said(TrainEvent::EpochEnded(row)) => Some(row),
            _ => None,
        });
        assert!(row.expect("a row").val_loss < rows[0].val_loss);
    }

    #[test]
    fn the_devices_are_told() {
        let events = events_of(&engine().devices(Waker::none()));
        assert!(
            matches!(&events[..], [JobEvent::Said(report), JobEvent::Finished]
            if !report.chosen.is_empty() && !report.reason.is_empty())
        );
    }
}
