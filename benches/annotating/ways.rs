//! Three ways to a label: by brush, with instant answers, with a model that learns from corrections.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::fs;
use std::path::Path;

use orthobrush::geom::ImageSize;
use orthobrush::label::{Cleanup, Mask, UNLABELED};
use orthobrush::session::{
    Command, FinetuneCommand, InstantCommand, LayerKind, Over, Predicting, PredictionCommand,
    ReviewCommand, Wholesale,
};
use orthobrush::train::{DeviceChoice, FinetuneOptions};

use super::area::Area;
use super::hand::{Hand, Moment};
use super::plan::Limits;

/// Scribbles are drawn with a brush of this radius at most, and so long at most, in pixels.
const SCRIBBLE: Limits = Limits {
    radius: 6.0,
    length: 150.0,
};
/// So many scribbles in a row that make the answer no better by [`BETTER`] are enough.
const ENOUGH: usize = 8;
const BETTER: f64 = 0.005;
/// What is right of a square before the next one is turned to, and the share of it that a stroke
/// has to mend to be worth it there.
const DONE: f64 = 0.97;
const WORTH_IT: f32 = 0.01;
/// Specks of a prediction of fewer pixels than this are dissolved once it is taken over.
const SPECK: u64 = 100;
/// Times that a model learns from corrections.
const ROUNDS: u32 = 3;
/// Thresholds that are tried on a prediction of two classes, one after the other.
const THRESHOLDS: [f64; 6] = [0.7, 0.5, 0.35, 0.2, 0.1, 0.05];
/// A prediction that is right on this share of a square is taken over there first.
const USEFUL: f64 = 0.5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Brush,
    Instant,
    /// With quick or thorough learning.
    Loop {
        is_thorough: bool,
    },
}

impl Way {
    pub const ALL: [Self; 4] = [
        Self::Brush,
        Self::Instant,
        Self::Loop { is_thorough: false },
        Self::Loop { is_thorough: true },
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Brush => "brush",
            Self::Instant => "instant answers",
            Self::Loop { is_thorough: false } => "loop",
            Self::Loop { is_thorough: true } => "thorough loop",
        }
    }

    /// Works until the label's mean `IoU` is `goal`, or for `most` strokes.
    pub fn moments(self, area: &Area, goal: f64, most: u32) -> Vec<Moment> {
        let image = alone(area);
        let mut hand = Hand::new(area, &image);
        match self {
            Self::Brush => fill(&mut hand),
            Self::Instant => scribble(&mut hand),
            Self::Loop { is_thorough } => correct(&mut hand, &image, is_thorough),
        }
        let all = hand.ground.bounds;
        hand.paint(all, 1.0, |hand| {
            hand.now.mean_iou >= goal || hand.now.strokes >= most
        });
        hand.moments
    }
}

/// A copy of the area's image in a folder where no label and no run lies.
fn alone(area: &Area) -> std::path::PathBuf {
    let folder = area.folder.join("hand");
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).expect("a folder");
    let image = folder.join("image.png");
    let size = area.truth.size();
    let all = image::open(&area.image).expect("an image");
    let part = all.crop_imm(0, 0, size.width, size.height);
    part.save(&image).expect("written");
    area.classes
        .save(&folder.join("classes.toml"))
        .expect("written");
    image
}

/// An area without what lies further right or down than `side` pixels.
pub fn at_most(area: Area, side: u32) -> Area {
    let size = area.truth.size();
    let size = ImageSize::new(size.width.min(side), size.height.min(side));
    let mut truth = Mask::new(size);
    truth.set_rect(size.bounds(), &area.truth.read_rect(size.bounds()));
    Area { truth, ..area }
}

/// Scribbles until the answers get no better, and takes them over.
fn scribble(hand: &mut Hand<'_>) {
    hand.by_key(Command::Instant(InstantCommand::On));
    let all = hand.ground.bounds;
    hand.apply(Command::Instant(InstantCommand::Look(all)));
    hand.wait();
    let (mut best, mut in_vain) = (0.0, 0);
    while in_vain < ENOUGH {
        // Without an answer yet, what is unlabeled is wrong.
        let Some(stroke) = hand.next_stroke(LayerKind::Prediction, all, SCRIBBLE) else {
            break;
        };
        hand.stroke(&stroke);
        hand.wait();
        let now = hand.mean_iou(LayerKind::Prediction);
        in_vain = if now > best + BETTER { 0 } else { in_vain + 1 };
        best = now.max(best);
    }
    hand.by_menu(Command::AcceptPrediction(Over::Rest));
    hand.apply(Command::Instant(InstantCommand::Off));
    hand.wait();
}

/// Makes all ground the class that there is most of, as whoever paints by brush would begin.
fn fill(hand: &mut Hand<'_>) {
    let counts = hand.area.truth.histogram();
    let most = (0..UNLABELED).max_by_key(|&class| counts[usize::from(class)]);
    let to = most.unwrap_or(0);
    let change = Wholesale::Replace {
        from: UNLABELED,
        to,
    };
    hand.by_menu(Command::Wholesale {
        change,
        within: None,
    });
}

/// Corrects the squares that a model doubts most and lets it learn from them, some rounds long, and
/// takes its answer over. Before each round it is noted what taking over would come to, for
/// whoever wants no better map.
fn correct(hand: &mut Hand<'_>, image: &Path, is_thorough: bool) {
    let device = Predicting::Device(DeviceChoice::Cpu);
    hand.apply(Command::SetPredicting(device));
    let options = if is_thorough {
        FinetuneOptions::thorough()
    } else {
        FinetuneOptions::default()
    };
    let mut run = hand.area.parent.clone();
    for round in 0..ROUNDS {
        hand.by_menu(Command::predict(Some(run.clone())));
        decide(hand);
        hand.consider(taken_over());
        let squares = hand.ground.bounds.num_pixels() / (256 * 256);
        correct_squares(hand, squares.div_ceil(20) as usize);
        let out = image.with_file_name(format!("run-{round}"));
        hand.by_key(Command::Finetune(FinetuneCommand::Start {
            options: Box::new(FinetuneOptions {
                device: Some(DeviceChoice::Cpu),
                ..options.clone()
            }),
            parent: Some(run),
            out: Some(out.clone()),
        }));
        run = out;
    }
    hand.by_menu(Command::predict(Some(run)));
    decide(hand);
    for command in taken_over() {
        hand.by_menu(command);
    }
}

/// Moves the threshold of two classes, first down and then up, as long as the prediction looks
/// better for it, and back by one.
fn decide(hand: &mut Hand<'_>) {
    let Some((now, _)) = hand.session.decision_threshold() else {
        return;
    };
    let far = |of: f64| (of - now.probability()).abs();
    let mut at = 0;
    for (place, &threshold) in THRESHOLDS.iter().enumerate() {
        if far(threshold) < far(THRESHOLDS[at]) {
            at = place;
        }
    }
    let mut best = hand.mean_iou(LayerKind::Prediction);
    let mut has_moved = false;
    for step in [1, -1] {
        while let Some(next) = at.checked_add_signed(step)
            && let Some(&threshold) = THRESHOLDS.get(next)
            && !(has_moved && step < 0)
        {
            hand.by_menu(decided_at(threshold));
            let looks = hand.mean_iou(LayerKind::Prediction);
            if looks <= best {
                hand.by_menu(decided_at(THRESHOLDS[at]));
                break;
            }
            (at, best) = (next, looks);
            has_moved |= step > 0;
        }
    }
    println!("threshold {}: mean IoU {best:.3}", THRESHOLDS[at]);
}

const fn decided_at(threshold: f64) -> Command {
    Command::Prediction(PredictionCommand::DecideAt(threshold))
}

/// The prediction becomes the label where nobody has painted, and its specks go.
fn taken_over() -> [Command; 2] {
    let change = Wholesale::CleanUp(Cleanup::DropSpecks {
        class: None,
        min_pixels: SPECK,
    });
    [
        Command::AcceptPrediction(Over::Rest),
        Command::Wholesale {
            change,
            within: None,
        },
    ]
}

fn correct_squares(hand: &mut Hand<'_>, count: usize) {
    hand.by_menu(Command::Review(ReviewCommand::StartDoubtful));
    for _ in 0..count {
        let walk = hand.session.review();
        let Some(square) = walk.and_then(|walk| walk.current()).map(|it| it.bounds) else {
            return;
        };
        let is_useful = hand.right_share(LayerKind::Prediction, square) >= USEFUL;
        // Taking the prediction over goes to the next square as well.
        if is_useful {
            hand.by_key(Command::Review(ReviewCommand::Accept));
        }
        let least = WORTH_IT * square.num_pixels() as f32;
        hand.paint(square, least, |hand| {
            hand.right_share(LayerKind::Label, square) >= DONE
        });
        if !is_useful {
            hand.by_key(Command::Review(ReviewCommand::Reject));
        }
    }
    hand.apply(Command::Review(ReviewCommand::End));
}
