//! A training whose process is killed again and again ends as one that was left alone.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ciborium::Value;
use orthobrush::dataset::{Augment, Rng};
use orthobrush::train::{Constant, OptimizerConfig, Plateau, Recipe, Schedule, Sgd, UpdateConfig};

use crate::fixture::own_sample;
use crate::program::{orthobrush, text};
use crate::training::quick;

const KILLS: u32 = 5;
/// Fewer only where the training was over before; two trainings are killed in this file.
const FEWEST_KILLS: u32 = 3;
const PATIENCE: Duration = Duration::from_mins(2);

/// An epoch, from 1, and the steps done in all.
type Place = (u64, u64);

/// A state that a run went on from, or could have, to the last bit.
#[derive(Clone, PartialEq)]
struct State {
    /// Where the training is: all but times and folders.
    progress: String,
    network: Vec<u8>,
    optimizer: Vec<u8>,
}

/// The state that lies in `run`; none before the first and after the end.
fn state_in(run: &Path) -> Option<(Place, State)> {
    let bytes = std::fs::read(run.join("resume.state")).ok()?;
    let mut rest = &bytes[8..];
    let mut part = || {
        let (length, behind) = rest.split_at(8);
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        // Behind the length comes a checksum.
        let (part, behind) = behind[4..].split_at(length as usize);
        rest = behind;
        part
    };
    let (progress, network, optimizer) = (part(), part(), part());
    let progress: Value = ciborium::from_reader(progress).expect("CBOR");
    let place = ["epoch", "step"].map(|name| number(&progress, name));
    let state = State {
        progress: format!("{:?}", timeless(progress)),
        network: network.to_vec(),
        optimizer: optimizer.to_vec(),
    };
    Some((place.into(), state))
}

fn number(table: &Value, name: &str) -> u64 {
    let fields = table.as_map().expect("a table");
    let field = fields.iter().find(|(key, _)| key.as_text() == Some(name));
    let number = field.and_then(|(_, value)| value.as_integer());
    number.expect("a number").try_into().expect("none below 0")
}

/// `value` without the time that anything took, and with names instead of paths.
fn timeless(value: Value) -> Value {
    let is_time = |key: &str| key.ends_with("seconds") || matches!(key, "spent" | "peak_bytes");
    match value {
        Value::Map(fields) => {
            let fields = fields.into_iter();
            let kept = fields.filter(|(key, _)| !key.as_text().is_some_and(is_time));
            Value::Map(kept.map(|(key, value)| (key, timeless(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(timeless).collect()),
        Value::Text(text) => {
            let name = Path::new(&text).file_name().and_then(OsStr::to_str);
            Value::Text(name.unwrap_or_default().to_owned())
        }
        other => other,
    }
}

/// A training that is watched, and the states that were seen of it.
struct Watched {
    run: PathBuf,
    states: BTreeMap<Place, State>,
    process: Child,
}

impl Watched {
    fn start(run: &Path, arguments: &[&str]) -> Self {
        Self {
            run: run.to_owned(),
            states: BTreeMap::new(),
            process: train(arguments),
        }
    }

    /// Notes states until `is_enough` of a place, or the process ends; then says how.
    #[track_caller]
    fn until(&mut self, mut is_enough: impl FnMut(Place) -> bool) -> Option<ExitStatus> {
        let began = Instant::now();
        loop {
            if let Some((place, state)) = state_in(&self.run) {
                let before = self.states.entry(place).or_insert_with(|| state.clone());
                assert!(*before == state, "{place:?} came to something else again");
                if is_enough(place) {
                    return None;
                }
            }
            if let Some(status) = self.process.try_wait().expect("a status") {
                return Some(status);
            }
            assert!(began.elapsed() < PATIENCE, "it neither goes on nor ends");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[track_caller]
    fn ends(&mut self) {
        let status = self.until(|_| false).expect("it ends");
        assert!(status.success(), "{status}");
    }

    /// Kills the process [`KILLS`] times, and leaves it alone then: how often it was killed, and how
    /// often that was within an epoch of so many steps.
    #[track_caller]
    fn kill_again_and_again(&mut self, steps: u32, work: Duration, seed: u64) -> [u32; 2] {
        let steps = u64::from(steps);
        let is_within = |(_, step): Place| step % steps > 0;
        let mut random = Rng::of(&[seed]);
        let (mut killed, mut within, mut from) = (0, 0, None);
        for round in 0..KILLS {
            // The first kill falls into the middle of an epoch.
            let is_placed =
                |(_, step): Place| round > 0 || (1..=steps / 2).contains(&(step % steps));
            let mut over = self.until(|place| Some(place) != from && is_placed(place));
            if round > 0 && over.is_none() {
                let end = Instant::now() + (work / 8).mul_f32(random.unit());
                over = self.until(|_| Instant::now() >= end);
            }
            if over.is_some() {
                break;
            }
            from = self.kill();
            let Some(place) = from else {
                // It was over but for its report.
                return [killed, within];
            };
            killed += 1;
            within += u32::from(is_within(place));
        }
        self.ends();
        [killed, within]
    }

    /// Kills the process and lets another one go on; where that begins.
    fn kill(&mut self) -> Option<Place> {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
        let (place, _) = state_in(&self.run)?;
        self.process = train(&["--resume", text(&self.run)]);
        Some(place)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Where the test fails, nothing goes on training.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn train(arguments: &[&str]) -> Child {
    let mut command = orthobrush(&["train"]);
    let command = command.args(arguments).stdout(Stdio::null());
    command.spawn().expect("it starts")
}

/// What a run leaves: its table without the columns of seconds and of memory, and the names and
/// weights of its best and its last network.
fn outcome(run: &Path) -> (Vec<String>, [(String, Vec<u8>); 2]) {
    let table = std::fs::read_to_string(run.join("metrics.csv")).expect("a table");
    let head: Vec<&str> = table.lines().next().expect("a head").split(',').collect();
    let timeless = |line: &str| {
        let fields = head.iter().zip(line.split(','));
        let is_same = |name: &str| !name.ends_with("seconds") && name != "peak_bytes";
        let kept = fields.filter(|(name, _)| is_same(name));
        kept.map(|(_, field)| field).collect::<Vec<_>>().join(",")
    };
    let networks = ["best", "last"].map(|name| {
        let name = std::fs::read_to_string(run.join(name)).expect("a name");
        let path = run
            .join("ckpt")
            .join(name.trim())
            .join("weights.safetensors");
        (name, std::fs::read(path).expect("weights"))
    });
    (table.lines().map(timeless).collect(), networks)
}

/// Another number each time, or that of a failure: the waits follow from it.
fn seed() -> u64 {
    let stated = std::env::var("KILL_SEED").ok();
    stated.map_or_else(
        || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            since.expect("a time after 1970").as_nanos() as u64
        },
        |text| text.parse().expect("a number"),
    )
}

/// Trains by `recipe` once without a break, and once killed after waits that follow from `seed`.
#[track_caller]
fn check_goes_on(recipe: &Recipe, seed: u64) {
    let (folder, ortho) = own_sample();
    let label = ortho.with_file_name("label.tif");
    let recipe_file = folder.path().join("recipe.toml");
    let start = |name: &str, state_seconds: f64| {
        let recipe = Recipe {
            state_seconds: Some(state_seconds),
            ..recipe.clone()
        };
        recipe.save(&recipe_file).expect("written");
        let run = folder.path().join(name);
        let data = ["--image", text(&ortho), "--label", text(&label)];
        let how = ["--recipe", text(&recipe_file), "--out", text(&run)];
        let mut training = Watched::start(&run, &[data, how].concat());
        let status = training.until(|_| true);
        assert!(status.is_none(), "no state was written");
        training
    };
    // All states of the one that is left alone.
    let mut whole = start("whole", 0.0);
    let began = Instant::now();
    whole.ends();
    let work = began.elapsed();
    // Of the other some steps are lost each time.
    let mut parts = start("parts", work.as_secs_f64() / 60.0);
    let [killed, within] = parts.kill_again_and_again(recipe.steps_per_epoch, work, seed);
    assert!(killed >= FEWEST_KILLS, "it was killed {killed} times");
    assert!(within > 0, "it never went on within an epoch");
    let mut both = 0;
    for (place, state) in &parts.states {
        if let Some(expected) = whole.states.get(place) {
            assert!(state == expected, "the states at {place:?} differ");
            both += 1;
        }
    }
    assert!(both > KILLS, "{both} states were compared");
    assert!(
        outcome(&whole.run) == outcome(&parts.run),
        "the runs differ"
    );
    // What is finished does not go on.
    let mut again = train(&["--resume", text(&parts.run)]);
    assert!(!again.wait().expect("it ends").success());
}

#[test]
fn a_killed_training_goes_on_to_the_same_last_bit() {
    let seed = seed();
    println!("KILL_SEED={seed}");
    let recipe = Recipe {
        epochs: 8,
        steps_per_epoch: 7,
        batch: 4,
        ..quick()
    };
    check_goes_on(&recipe, seed);
}

#[test]
fn so_does_one_with_all_that_remembers_earlier_steps() {
    let seed = seed();
    println!("KILL_SEED={seed}");
    let recipe = Recipe {
        epochs: 8,
        // Odd, so that gradients are gathered over the end of an epoch.
        steps_per_epoch: 7,
        batch: 4,
        learning_rate: 0.01,
        optimizer: OptimizerConfig::Sgd(Sgd {
            nesterov: true,
            ..Sgd::default()
        }),
        updates: UpdateConfig {
            ema: Some(0.9),
            accumulate: 2,
            ..UpdateConfig::default()
        },
        schedule: Schedule::Constant(Constant::default()),
        plateau: Plateau {
            patience: 1,
            factor: 0.5,
            // Hardly any epoch brings as much, so the rate falls again and again.
            least_progress: 0.5,
            ..Plateau::default()
        },
        stop_patience: 3,
        augment: Augment::strong(),
        ..quick()
    };
    check_goes_on(&recipe, seed);
}
