//! How long it takes from the click to the first prediction of the view that is better.
//!
//! `cargo bench --bench first_better [-- RATE]`: a model that was trained shortly on one made-up landscape is
//! improved on another, of which 12 cells were corrected and marked as done, from five seeds. The
//! prediction that is shown is held against the truth on ground of the view that is not done, by
//! mean `IoU`, beside the model before. The cost of the trainings before is not counted.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::job::Waker;
use orthobrush::label::{CellKey, CellState, Mask, UNLABELED};
use orthobrush::metrics::{Confusion, Scores};
use orthobrush::sample::{SampleConfig, write_sample};
use orthobrush::session::{
    Command, FinetuneCommand, LayerKind, PlaceCommand, Predicting, PredictionCommand, ProjectPlace,
    ScoreScope, Session, SessionConfig, Severity, TrainOn,
};
use orthobrush::train::{DeviceChoice, EncoderKind, FinetuneOptions, Recipe};

/// Side of the landscapes in pixels: four by four cells.
const SIDE: u32 = 4_096;
/// What is looked at: 1:1 in a window of 1,280 × 800, over done and other cells.
const VIEW: PixelRect = PixelRect::new(2_600, 2_800, 920, 690);

fn main() {
    // `cargo test --benches` asks for a run that only shows that it works.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let rate = std::env::args().find_map(|argument| argument.parse::<f64>().ok());
    let rate = rate.unwrap_or(FinetuneOptions::default().rate_share);
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second] = [1, 2].map(|seed| landscape(&folder.path().join(seed.to_string()), seed));
    let parent = folder.path().join("parent");
    train(&first, &parent);
    println!("seed  seconds  mean IoU before  shown first  is better");
    let mut better = 0;
    for seed in 1..=5 {
        let (seconds, before, after) = first_better(&second, &parent, (seed, rate));
        better += u32::from(after > before);
        println!(
            "{seed:4}  {seconds:7.1}  {before:15.3}  {after:11.3}  {}",
            after > before
        );
    }
    println!("better in {better} of 5");
}

/// An image whose label is the truth in 12 of its 16 cells and empty in the others.
fn landscape(folder: &Path, seed: u64) -> (PathBuf, Mask) {
    let config = SampleConfig {
        size: ImageSize::new(SIDE, SIDE),
        seed,
        has_overviews: true,
    };
    let paths = write_sample(folder, &config, |_| ControlFlow::Continue(())).expect("a sample");
    let truth = orthobrush::label::load_mask(
        &paths.label_true,
        None,
        orthobrush::label::Encoding::Auto,
        None,
    );
    let truth = truth.expect("a mask").mask;
    std::fs::rename(&paths.label_true, &paths.label).expect("renamed");
    (paths.ortho, truth)
}

fn opened(image: &Path) -> Session {
    let mut session = Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: None,
        projects: ProjectPlace::Nowhere,
    });
    let path = image.to_owned();
    finish(&mut session, Command::Open { path });
    let device = Predicting::Device(DeviceChoice::Cpu);
    finish(&mut session, Command::SetPredicting(device));
    session
}

/// A model that learned for a short time.
fn train((image, _): &(PathBuf, Mask), out: &Path) {
    let mut recipe = Recipe {
        epochs: 3,
        steps_per_epoch: 8,
        batch: 8,
        device: DeviceChoice::Cpu,
        ..Recipe::default()
    };
    recipe.model.encoder = EncoderKind::Lite0;
    let mut session = opened(image);
    finish(
        &mut session,
        Command::StartTraining {
            recipe: Box::new(recipe),
            on: TrainOn::OpenImage,
            out: Some(out.to_owned()),
        },
    );
}

/// Seconds until the view is predicted by the model that learns, and mean `IoU` there on ground that
/// is not done: before and then.
fn first_better(
    (image, truth): &(PathBuf, Mask),
    parent: &Path,
    (seed, rate_share): (u64, f64),
) -> (f64, f64, f64) {
    let mut session = opened(image);
    for (row, col) in (0..3).flat_map(|row| (0..4).map(move |col| (row, col))) {
        let cell = CellKey { row, col };
        let state = Some(CellState::Done);
        finish(
            &mut session,
            Command::Place(PlaceCommand::MarkCell { cell, state }),
        );
    }
    let predict = PredictionCommand::Predict {
        run: Some(parent.to_owned()),
        on: ScoreScope::Within(VIEW),
        near: None,
    };
    finish(&mut session, Command::Prediction(predict));
    let before = shown(&session).read_rect(VIEW);
    let out = image.with_file_name(format!("run-{seed}"));
    let started = [
        Command::Finetune(FinetuneCommand::Look(VIEW)),
        Command::Finetune(FinetuneCommand::Start {
            options: Box::new(FinetuneOptions {
                seed,
                rate_share,
                device: Some(DeviceChoice::Cpu),
                ..FinetuneOptions::default()
            }),
            parent: Some(parent.to_owned()),
            out: Some(out.clone()),
        }),
    ];
    let began = Instant::now();
    for command in started {
        session.apply(command).expect("accepted");
    }
    while !is_shown(&session, &out) {
        pump(&mut session);
    }
    let seconds = began.elapsed().as_secs_f64();
    let after = shown(&session).read_rect(VIEW);
    let [before, after] = [before, after].map(|said| mean_iou(&session, truth, &said));
    (seconds, before, after)
}

/// Whether the view was predicted whole by the model of a run.
fn is_shown(session: &Session, run: &Path) -> bool {
    let state = session.prediction_state();
    state.run.as_deref() == Some(run) && state.job.is_none()
}

fn shown(session: &Session) -> &Mask {
    &session
        .layer(LayerKind::Prediction)
        .expect("a prediction")
        .mask
}

/// Over the view but for the cells that are done.
fn mean_iou(session: &Session, truth: &Mask, said: &[u8]) -> f64 {
    let classes = session.classes();
    let mut both = [truth.clone(), Mask::new(truth.size())];
    both[1].set_rect(VIEW, said);
    let done = PixelRect::new(0, 0, SIDE, 3_072).intersect(VIEW);
    both[0].set_rect(done, &vec![UNLABELED; done.num_pixels() as usize]);
    let counted = Confusion::within(&both[0], &both[1], VIEW, classes.num_classes());
    Scores::new(&counted, classes).mean_iou.unwrap_or_default()
}

fn pump(session: &mut Session) {
    session.pump(64);
    for notice in session.take_notices() {
        assert!(notice.severity != Severity::Error, "{}", notice.text);
    }
    std::thread::sleep(Duration::from_millis(2));
}

fn finish(session: &mut Session, command: Command) {
    session.apply(command).expect("accepted");
    while !session.is_idle() {
        pump(session);
    }
}
