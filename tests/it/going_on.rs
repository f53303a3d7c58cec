//! A training whose process is killed again and again ends as one that was left alone.

use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use orthobrush::train::{Recipe, SavedModel};

use crate::fixture::own_sample;
use crate::program::{orthobrush, text};
use crate::training::quick;

const KILLS: u32 = 10;
const PATIENCE: Duration = Duration::from_mins(2);

fn train(arguments: &[&str]) -> Child {
    let mut command = orthobrush(&["train"]);
    let command = command.args(arguments).stdout(Stdio::null());
    command.spawn().expect("it starts")
}

/// The table of a run without the columns of seconds and of memory, and the weights of its best network.
fn outcome(run: &Path) -> (Vec<String>, Vec<u8>) {
    let table = std::fs::read_to_string(run.join("metrics.csv")).expect("a table");
    let timeless = |line: &str| {
        let mut fields: Vec<&str> = line.split(',').collect();
        let best = fields.pop().unwrap_or_default();
        fields.truncate(fields.len() - 4);
        fields.push(best);
        fields.join(",")
    };
    let model = SavedModel::load(run).expect("a model");
    let weights = std::fs::read(model.folder().join("weights.safetensors")).expect("weights");
    (table.lines().map(timeless).collect(), weights)
}

#[test]
fn a_killed_training_goes_on_to_the_same_last_bit() {
    let (folder, ortho) = own_sample();
    let recipe_file = folder.path().join("recipe.toml");
    let recipe = Recipe {
        epochs: 8,
        batch: 4,
        ..quick()
    };
    recipe.save(&recipe_file).expect("written");
    let label = ortho.with_file_name("label.tif");
    let data = ["--image", text(&ortho), "--label", text(&label)];
    let start = |run: &Path| {
        let how = ["--recipe", text(&recipe_file), "--out", text(run)];
        train(&[data, how].concat())
    };
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    let began = Instant::now();
    assert!(start(&whole).wait().expect("it ends").success());
    let work = began.elapsed();

    let mut process = start(&parts);
    let state = parts.join("resume.state");
    let began = Instant::now();
    while !state.exists() {
        assert!(began.elapsed() < PATIENCE, "no state was written");
        thread::sleep(Duration::from_millis(2));
    }
    let mut killed = 0;
    for round in 0..KILLS {
        thread::sleep(work * (round * 7 % KILLS) / KILLS / 2);
        process.kill().expect("it can be killed");
        killed += u32::from(!process.wait().expect("it ends").success());
        if !state.exists() {
            break;
        }
        process = train(&["--resume", text(&parts)]);
    }
    if state.exists() {
        assert!(process.wait().expect("it ends").success());
    }
    assert!(killed > 1, "it was killed {killed} times");
    assert!(outcome(&whole) == outcome(&parts), "the runs differ");
    // What is finished does not go on.
    let mut again = train(&["--resume", text(&parts)]);
    assert!(!again.wait().expect("it ends").success());
}
