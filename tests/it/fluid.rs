//! The window stays fluid: what a frame costs its thread while a network learns and predicts.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use orthobrush::app::Stage;
use orthobrush::geom::{ImagePoint, ImageSize};
use orthobrush::session::{Command, TrainOn};
use orthobrush::train::{DeviceChoice, Recipe};

use crate::fixture::{PATIENCE, gpu, own_sample, turn};

/// What 95 of 100 frames may take of the window's own thread, in milliseconds.
const MOST: f64 = 16.0;
const FRAMES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(4);

/// The processor time that this thread had so far. Other work beside does not count, as it would on
/// a clock, so that a busy machine does not change what is found.
fn spent() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let nanos = stat.split(' ').next().expect("a first number");
    Duration::from_nanos(nanos.parse().expect("a number"))
}

/// Runs a frame with something to do, and says what it cost.
fn frame(stage: &mut Stage, commands: Vec<Command>) -> Duration {
    let before = spent();
    stage.app_mut().perform(commands);
    stage.frame();
    let cost = spent().checked_sub(before).expect("time goes on");
    stage.flush();
    thread::sleep(PAUSE);
    cost
}

/// Paints and pans; milliseconds that 95 of 100 frames stay under, and how many there were.
fn work(stage: &mut Stage, mut goes_on: impl FnMut(&mut Stage) -> bool) -> (f64, usize) {
    let mut costs = Vec::new();
    for number in 0..FRAMES {
        if !goes_on(stage) {
            break;
        }
        let camera = stage.app_mut().view_mut().camera.as_mut().expect("a view");
        camera.center.x = 400.0 + f64::from(number);
        let at = |step: u32| ImagePoint::new(f64::from(200 + step * 4), f64::from(300 + number));
        let class = (number / 10 % 3) as u8;
        let commands = match number % 10 {
            0 => vec![Command::BeginStroke { at: at(0), class }],
            9 => vec![Command::EndStroke],
            step => vec![Command::ExtendStroke { to: at(step) }],
        };
        costs.push(frame(stage, commands));
    }
    if !costs.len().is_multiple_of(10) {
        stage.app_mut().perform(vec![Command::EndStroke]);
    }
    costs.sort_unstable();
    let most = costs.get(costs.len() * 95 / 100);
    let millis = most.map_or(0.0, |most| most.as_secs_f64() * 1e3);
    (millis, costs.len())
}

fn frames_until(stage: &mut Stage, is_so: impl Fn(&mut Stage) -> bool) {
    let began = Instant::now();
    while !is_so(stage) {
        assert!(began.elapsed() < PATIENCE, "it does not come");
        frame(stage, Vec::new());
    }
}

fn training(out: PathBuf) -> Command {
    Command::StartTraining {
        recipe: Box::new(Recipe {
            epochs: 10_000,
            steps_per_epoch: 4,
            device: DeviceChoice::Cpu,
            ..Recipe::default()
        }),
        on: TrainOn::OpenImage,
        out: Some(out),
    }
}

#[test]
fn painting_costs_little_while_a_network_learns_and_predicts() {
    let _turn = turn();
    let (folder, ortho) = own_sample();
    let mut stage = Stage::new(gpu(), Some(ortho), ImageSize::new(1_280, 800));
    stage.settle().expect("all is shown");
    let run = folder.path().join("run");
    stage.app_mut().perform(vec![training(run.clone())]);
    frames_until(&mut stage, |stage| {
        !stage.app_mut().session().training().rows.is_empty()
    });
    let learns = |stage: &mut Stage| stage.app_mut().session().training().job.is_some();
    let (millis, frames) = work(&mut stage, learns);
    assert_eq!(frames, FRAMES as usize, "it learned all the while");
    assert!(millis < MOST, "{millis:.1} ms while a network learns");

    let job = stage.app_mut().session().training().job.expect("it runs");
    stage.app_mut().perform(vec![Command::StopJob(job)]);
    frames_until(&mut stage, |stage| stage.app_mut().session().is_idle());
    stage.app_mut().perform(vec![Command::predict(Some(run))]);
    let predicts = |stage: &mut Stage| !stage.app_mut().session().is_idle();
    let (millis, frames) = work(&mut stage, predicts);
    assert!(frames > 20, "it predicted during {frames} frames only");
    assert!(millis < MOST, "{millis:.1} ms while an image is predicted");
    frames_until(&mut stage, |stage| stage.app_mut().session().is_idle());
}
