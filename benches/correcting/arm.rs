use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use orthobrush::dataset::parts::{PartRule, PartWay};
use orthobrush::dataset::{Ground, Rng, Scene, Watch};
use orthobrush::geom::PixelRect;
use orthobrush::job::{JobEvent, Waker};
use orthobrush::label::{Coverage, Mask, Origin, UNLABELED};
use orthobrush::metrics::{Confusion, Estimate, Scores, paired_gain};
use orthobrush::raster::open_raster;
use orthobrush::train::{
    BestBy, Certainty, DeviceChoice, FinetuneOptions, FinetuneOrder, InstantEvent, InstantMind,
    InstantOrder, Recipe, Sight, TrainPlan,
};

use super::area::{Area, predicted, train};
use super::pick::Pick;

/// Side in pixels of the blocks that intervals are drawn from.
const BLOCK: u32 = 256;

/// A way to a map of the area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arm {
    /// The model as it came.
    Parent,
    /// One click, what the model learned from mixed in.
    Click,
    /// One click on the corrections alone.
    ClickWithoutReplay,
    /// One click whose encoder learns as well, in six times the steps.
    Thorough,
    /// A decoder on the embedded encoder's weights, as many steps on the same cells.
    Encoder,
    /// The same whose encoder learns as well, in six times the steps.
    EncoderThorough,
    /// The default network from scratch, as many steps.
    Scratch,
    /// The same with ten times the steps.
    ScratchTenfold,
    /// The head of the instant answers on the same cells.
    Instant,
}

/// Which corrections an arm is given.
pub struct Task<'a> {
    pub area: &'a Area,
    pub budget: u32,
    pub pick: Pick,
    pub seed: u64,
    pub cells: &'a [PixelRect],
    /// How a click goes.
    pub usual: FinetuneOptions,
}

/// What an arm came to.
pub struct Outcome {
    pub scores: Scores,
    /// Over the parent, on the same ground.
    pub gain: Option<Estimate>,
    pub seconds: f64,
}

impl Arm {
    pub const ALL: [Self; 9] = [
        Self::Parent,
        Self::Click,
        Self::ClickWithoutReplay,
        Self::Thorough,
        Self::Encoder,
        Self::EncoderThorough,
        Self::Scratch,
        Self::ScratchTenfold,
        Self::Instant,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Click => "click",
            Self::ClickWithoutReplay => "click without replay",
            Self::Thorough => "thorough click",
            Self::Encoder => "encoder",
            Self::EncoderThorough => "encoder, thorough",
            Self::Scratch => "scratch",
            Self::ScratchTenfold => "scratch, tenfold steps",
            Self::Instant => "instant",
        }
    }

    /// Whether the protocol has it at a budget: what takes many steps is asked at 5 % alone.
    pub fn is_asked(self, budget: u32) -> bool {
        let is_long = matches!(
            self,
            Self::Thorough | Self::EncoderThorough | Self::ScratchTenfold
        );
        !is_long || budget == 5
    }

    /// Corrects the cells, learns, predicts the area and is judged.
    pub fn outcome(self, task: &Task<'_>) -> Outcome {
        let began = Instant::now();
        let said = match self {
            Self::Parent => task.area.said.clone(),
            Self::Instant => task.instantly(),
            _ => self.learned(task),
        };
        let seconds = began.elapsed().as_secs_f64();
        let judged = task.judged_truth();
        let counted = blocks(
            &judged,
            [&task.area.said, &said],
            task.area.classes.num_classes(),
        );
        let mut rng = Rng::of(&[1]);
        let mut all = Confusion::new(task.area.classes.num_classes());
        for both in &counted {
            all.merge(&both[1]);
        }
        Outcome {
            scores: Scores::new(&all, &task.area.classes),
            gain: paired_gain(&counted, |end| rng.below(end)).mean_iou,
            seconds,
        }
    }

    /// What the arm's model says of the area after it learned.
    fn learned(self, task: &Task<'_>) -> Mask {
        let run = task.area.folder.join("arm");
        drop(fs::remove_dir_all(&run));
        let parent = Some(task.area.parent.clone());
        let thorough = FinetuneOptions::thorough();
        let plan = match self {
            Self::Scratch => task.untaught(&run, 1),
            Self::ScratchTenfold => task.untaught(&run, 10),
            Self::Encoder => task.click(&run, None, without_replay(&task.usual)),
            Self::EncoderThorough => task.click(&run, None, without_replay(&thorough)),
            Self::ClickWithoutReplay => task.click(&run, parent, without_replay(&task.usual)),
            Self::Thorough => task.click(&run, parent, thorough),
            Self::Parent | Self::Click | Self::Instant => {
                task.click(&run, parent, task.usual.clone())
            }
        };
        train(&task.area.engine, plan);
        let source = open_raster(&task.area.image).expect("an image");
        let (said, _) = predicted(&task.area.engine, &run, source);
        drop(fs::remove_dir_all(&run));
        said
    }
}

impl Task<'_> {
    /// The truth in the corrected cells, as a label.
    fn label(&self) -> Mask {
        let mut label = Mask::new(self.area.truth.size());
        for &cell in self.cells {
            label.set_rect(cell, &self.area.truth.read_rect(cell));
        }
        label
    }

    /// The truth without the corrected cells and a patch's side around them.
    fn judged_truth(&self) -> Mask {
        let mut truth = self.area.truth.clone();
        for cell in self.cells {
            let near = cell.grown(self.area.patch).intersect(truth.size().bounds());
            truth.set_rect(near, &vec![UNLABELED; near.num_pixels() as usize]);
        }
        truth
    }

    /// What the head of the instant answers says of the area.
    fn instantly(&self) -> Mask {
        let (label, source) = (
            self.label(),
            open_raster(&self.area.image).expect("an image"),
        );
        let size = label.size();
        let order = InstantOrder {
            mind: Box::new(InstantMind::new(Sight::default())),
            image: 1,
            source,
            origins: label.origins_from(Origin::HAND),
            label,
            area: size.bounds(),
            measures: vec![Certainty::default()],
        };
        let job = self.area.engine.answer(order, Waker::none());
        let mut said = Mask::new(size);
        while let Some(event) = job.next_within(Duration::from_hours(2)) {
            match event {
                JobEvent::Said(InstantEvent::Block { rect, classes, .. }) => {
                    said.set_rect(rect, &classes);
                }
                JobEvent::Said(_) => {}
                JobEvent::Finished => break,
                ended => panic!("{ended:?}"),
            }
        }
        said
    }

    fn click(&self, run: &Path, parent: Option<PathBuf>, options: FinetuneOptions) -> TrainPlan {
        let label = self.label();
        let order = FinetuneOrder {
            image: self.area.image.clone(),
            source: open_raster(&self.area.image).expect("an image"),
            origins: Some(label.origins_from(Origin::HAND)),
            models: Vec::new(),
            coverage: Coverage::new(label.size()),
            label,
            classes: self.area.classes.clone(),
            parent,
            options: FinetuneOptions {
                seed: self.seed,
                device: Some(DeviceChoice::Cpu),
                ..options
            },
            cache_bytes: 1 << 28,
        };
        order.plan(run.to_owned(), &Watch::NOBODY).expect("a plan")
    }

    fn untaught(&self, run: &Path, times: u32) -> TrainPlan {
        let usual = &self.usual;
        let recipe = Recipe {
            seed: self.seed,
            epochs: usual.epochs,
            steps_per_epoch: usual.steps_per_epoch * times,
            batch: usual.batch,
            patch: self.area.patch,
            stop_patience: 0,
            best_by: BestBy::Latest,
            device: DeviceChoice::Cpu,
            parts: Some(PartRule {
                split: PartWay::Given {
                    validation: Vec::new(),
                    test: Vec::new(),
                    margin: 0,
                    unreviewed: 0,
                },
                ..PartRule::default()
            }),
            ..Recipe::default()
        };
        let source = open_raster(&self.area.image).expect("an image");
        let scene = Scene::tiled("here".to_owned(), source, self.label(), 1 << 28);
        let ground = Ground::Image(Arc::new(scene));
        let classes = self.area.classes.clone();
        TrainPlan::new(recipe, ground, classes, run.to_owned()).expect("a plan")
    }
}

fn without_replay(options: &FinetuneOptions) -> FinetuneOptions {
    FinetuneOptions {
        replay_share: 0.0,
        ..options.clone()
    }
}

/// Two predictions counted by blocks; blocks without judged ground are left out.
fn blocks(truth: &Mask, said: [&Mask; 2], num_classes: usize) -> Vec<[Confusion; 2]> {
    let bounds = truth.size().bounds();
    let ys = (0..bounds.height).step_by(BLOCK as usize);
    let places = ys.flat_map(|y| {
        let xs = (0..bounds.width).step_by(BLOCK as usize);
        xs.map(move |x| PixelRect::new(x, y, BLOCK, BLOCK))
    });
    let count = |rect: PixelRect| {
        let rect = rect.intersect(bounds);
        said.map(|mask| Confusion::within(truth, mask, rect, num_classes))
    };
    places
        .map(count)
        .filter(|both| both[0].pixels() > 0)
        .collect()
}
