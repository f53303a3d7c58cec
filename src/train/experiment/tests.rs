use std::path::Path;

use super::*;
use crate::dataset::parts::PartWay;
use crate::job::{JobEvent, Waker};
use crate::train::test_folder::{EIGHT, recipe_with_test, write_images};
use crate::train::test_world::events_of;
use crate::train::{Engine, Judgement, QueuePlan, ScoredOn, Trial};

#[test]
fn all_experiments_have_recipes_that_work_at_both_sizes() {
    for experiment in Experiment::ALL {
        assert_eq!(Experiment::of_name(experiment.name()), Some(experiment));
        let spec = experiment.spec();
        for size in [RunSize::Small, RunSize::Full] {
            let choice = ExperimentChoice {
                size,
                ..ExperimentChoice::default()
            };
            let trials = spec.trials(&choice, Path::new("data"));
            let trials = trials.unwrap_or_else(|error| panic!("{}: {error}", experiment.name()));
            let cells = spec.cells(&choice, Path::new("data")).expect("cells");
            QueuePlan::new("queue".into(), trials.clone(), 1).expect("a queue");
            assert_eq!(cells.is_empty(), experiment != Experiment::Landcover);
            let has_part = trials.iter().all(|trial| trial.recipe.parts.is_some());
            assert!(has_part, "{}: parts are stated", experiment.name());
        }
    }
}

#[test]
fn salt_is_the_recipe_of_the_original_over_five_folds() {
    let choice = ExperimentChoice {
        size: RunSize::Full,
        ..ExperimentChoice::default()
    };
    let spec = Experiment::Salt.spec();
    let trials = spec.trials(&choice, Path::new("data")).expect("trials");
    let names: Vec<_> = trials.iter().map(|trial| trial.name.as_str()).collect();
    assert_eq!(names, ["fold-0", "fold-1", "fold-2", "fold-3", "fold-4"]);
    let recipe = &trials[4].recipe;
    assert_eq!((recipe.batch, recipe.patch, recipe.epochs), (32, 128, 50));
    assert_eq!((recipe.steps_per_epoch, recipe.stop_patience), (38, 10));
    assert_eq!((recipe.model.base_filters, recipe.model.depth), (16, 4));
    let rule = recipe.parts();
    assert!(matches!(
        rule.split,
        PartWay::KFold {
            folds: 5,
            fold: 4,
            ..
        }
    ));
    let choice = ExperimentChoice {
        epochs: Some(1),
        folds: Some(3),
        ..choice
    };
    let trials = spec.trials(&choice, Path::new("data")).expect("trials");
    assert_eq!((trials.len(), trials[0].recipe.epochs), (3, 1));
}

/// A finished queue of two seeds on the images in `folder`.
fn finished(folder: &Path) -> Vec<Trial> {
    write_images(folder, &EIGHT, 48);
    let trial = Trial {
        name: "disc".to_owned(),
        group: "U-Net <small>".to_owned(),
        recipe: recipe_with_test(),
        data: folder.to_owned(),
        judge: Some(ScoredOn::Test),
        until: None,
    };
    let trials = trial.repeated(&[1, 2]);
    let plan = QueuePlan::new(folder.join("runs"), trials.clone(), 1 << 22).expect("a queue");
    let engine = Engine::start().expect("a thread");
    let events = events_of(&engine.queue(plan, Waker::none()));
    assert_eq!(events.last(), Some(&JobEvent::Finished));
    trials
}

/// A training of the table of costs that was measured.
fn measured(runs: &Path) -> Cell {
    let cell = Cell {
        patch: 32,
        batch: 5,
        accumulate: 2,
    };
    let result = CellResult {
        cell,
        steps: 3,
        seconds_a_step: Some(0.25),
        peak_bytes: Some(300 << 20),
    };
    result.save(&cell.run_in(runs)).expect("saved");
    cell
}

/// Takes what probabilities told from the judgement of a run, as if it was made by an older
/// version.
fn make_older(run: &Path) {
    let mut judgement = Judgement::load(run, ScoredOn::Test).expect("a judgement");
    let binary = judgement.binary.as_mut().expect("two classes");
    let ranking = binary.ranking.take().expect("probabilities");
    assert!(
        ranking.threshold.is_some() && ranking.f1_at_threshold.is_some(),
        "a queue chooses before it reads the test part: {ranking:?}"
    );
    judgement.save(run).expect("saved");
}

/// What stands in the page of finished runs.
const PARTS_OF_A_PAGE: &[&str] = &[
    "# Roads from tiles",
    "Stand-in data.",
    "    orthobrush experiment roads --full\n",
    "more files neither learn nor choose: they judge",
    "| U-Net \\<small\\> | 2 |",
    "| test |",
    "F1 within 3 px",
    "| AUROC | Average precision | Threshold chosen on validation | F1 at that threshold |",
    "| Images rightly called empty or not | The same answer for all images |",
    "- Images rightly called empty or not: Images rightly said to hold the class or not",
    "- F1 within 3 px: Harmonic mean of relaxed precision",
    "- AUROC: Chance that a pixel of the class",
    "- Pooled or per image: ",
    "| once |",
    "| 32 | 5 | 2 | 10 | 250 ms | 50 ms | 300 MiB |",
    "![Curves of disc-seed-1](<roads/disc-seed-1-curves.svg>)",
    "![Pictures of disc-seed-1](<roads/disc-seed-1-0.png>)",
    "the score of an empty map",
    "- Device: ",
];

#[test]
fn a_page_is_made_from_the_files_of_finished_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let trials = finished(folder.path());
    let mut spec = Experiment::Roads.spec();
    spec.grid = Experiment::Landcover.spec().grid;
    let (runs, out) = (folder.path().join("runs"), folder.path().join("docs"));
    let missing = Trial {
        name: "never-run".to_owned(),
        ..trials[0].clone()
    };
    let cell = measured(&runs);
    let page = |trials: &[Trial]| {
        let page = ExperimentPage {
            spec: &spec,
            name: "roads",
            size: RunSize::Small,
            trials,
            cells: &[cell],
            runs: &runs,
            command: "orthobrush experiment roads",
            full_command: "orthobrush experiment roads --full",
            twin: None,
        };
        let report = page.write(&out).expect("written");
        let text = std::fs::read_to_string(&report.path);
        (text.expect("a page"), report)
    };
    let (text, report) = page(&trials);
    assert_eq!((report.runs, report.missing), (2, 0));
    for part in PARTS_OF_A_PAGE {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(out.join("roads/disc-seed-1-0.png").is_file());
    assert_eq!(page(&trials).0, text, "the same runs make the same page");
    make_older(&runs.join(&trials[0].name));
    assert!(page(&trials).0.contains("| – | – | – | – |\n"));
    let (text, report) = page(&[trials[0].clone(), missing]);
    assert_eq!(report.missing, 1);
    assert!(text.contains("1 of 2 runs are missing"));
    let state = runs.join(&trials[1].name).join("resume.state");
    crate::disk::replace_file(&state, b"ORTHRUN\x01 and more").expect("written");
    let (text, report) = page(&trials);
    assert_eq!((report.runs, report.missing), (1, 1));
    assert!(text.contains("1 of 2 runs are missing or still going on"));
}
