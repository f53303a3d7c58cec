//! A fine-tuning that is killed gets its verdict from the same command.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use orthobrush::train::ancestors;
use serde_json::Value;

use crate::fixture::own_sample;
use crate::improving::{kept, paint};
use crate::program::{done, failed, orthobrush, refused, text};

const PATIENCE: Duration = Duration::from_mins(5);

#[test]
fn a_killed_improvement_goes_on_to_its_verdict() {
    let (folder, ortho) = own_sample();
    let mut session = kept(&ortho);
    paint(&mut session);
    drop(session);
    let (project, run) = (
        ortho.with_extension("orthobrush"),
        folder.path().join("run"),
    );
    let quick = "finetune --epochs 40 --steps 2 --json --device cpu".split(' ');
    let places = ["--project", text(&project), "--out", text(&run)];
    let finetune: Vec<&str> = quick.chain(places).collect();
    let mut command = orthobrush(&finetune);
    let mut process = command.stdout(Stdio::null()).spawn().expect("it starts");
    let (state, began) = (run.join("resume.state"), Instant::now());
    while !state.exists() {
        assert!(began.elapsed() < PATIENCE, "no state was written");
        thread::sleep(Duration::from_millis(2));
    }
    process.kill().expect("it can be killed");
    process.wait().expect("it ends");
    assert!(state.exists() && !run.join("verdict.json").exists());

    let last = |said: &str| -> Value {
        serde_json::from_str(said.lines().last().expect("a line")).expect("JSON")
    };
    let said = done(&finetune);
    let table = std::fs::read_to_string(run.join("metrics.csv")).expect("a table");
    // Each epoch once and the verdict here, a head and each epoch there.
    assert_eq!(said.lines().count(), table.lines().count());
    assert_eq!(last(&said)["verdict"]["decision"], "first");
    assert_eq!(last(&said)["active"], run.display().to_string());
    assert!(failed(&finetune, 1).contains("already holds a run"));

    // As a kill while it is judged leaves it.
    assert!(!ancestors(&run)[0].goes_on, "it has its verdict");
    std::fs::remove_file(run.join("verdict.json")).expect("it was judged");
    assert!(ancestors(&run)[0].goes_on);
    refused(
        &["train", "--resume", text(&run)],
        &["only its verdict is missing"],
    );
    let said = done(&finetune);
    assert_eq!(said.lines().count(), 1, "nothing was trained");
    assert_eq!(last(&said)["verdict"]["decision"], "first");
    assert!(run.join("verdict.json").is_file());
    let again = std::fs::read_to_string(run.join("metrics.csv")).expect("a table");
    assert_eq!(again, table);
}
