use super::*;
use crate::dataset::parts::{PartRule, PartWay, Shares};
use crate::job::{JobEvent, Waker};
use crate::train::test_folder::{EIGHT, recipe_with_test, write_images};
use crate::train::test_world::{events_of, recipe};
use crate::train::{
    Engine, FinalTable, Judgement, Recipe, RunRecord, ScoredOn, TrainData, TrainPlan, opened_folder,
};

/// A finished run on files in `folder`, in `folder/run`.
fn trained(engine: &Engine, folder: &std::path::Path, recipe: Recipe) -> std::path::PathBuf {
    let (ground, classes) = opened_folder(folder, 1 << 22).expect("ground");
    let run = folder.join("run");
    let plan = TrainPlan::new(recipe, ground, classes, run.clone()).expect("a plan");
    let folder = folder.to_owned();
    let plan = plan.reading(TrainData::folder(folder));
    let events = events_of(&engine.train(plan, Waker::none()));
    assert_eq!(events.last(), Some(&JobEvent::Finished));
    run
}

fn judged(engine: &Engine, run: &std::path::Path, on: ScoredOn) -> Vec<JudgeEvent> {
    let plan = JudgePlan::new(run.to_owned(), on, 1 << 22).expect("a plan");
    let events = events_of(&engine.judge(plan, Waker::none()));
    assert_eq!(events.last(), Some(&JobEvent::Finished));
    let said = events.into_iter().filter_map(|event| match event {
        JobEvent::Said(event) => Some(event),
        _ => None,
    });
    said.collect()
}

#[test]
fn the_test_part_is_judged_when_asked_for_and_each_time_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::start().expect("a thread");
    write_images(folder.path(), &EIGHT, 48);
    let run = trained(&engine, folder.path(), recipe_with_test());
    assert!(!run.join("scores-test.json").exists(), "nobody asked yet");
    let first = judged(&engine, &run, ScoredOn::Test);
    assert!(!first.contains(&JudgeEvent::JudgedBefore { reads: 0 }));
    let found = Judgement::load(&run, ScoredOn::Test).expect("a judgement");
    let record = RunRecord::load(&run).expect("a run");
    let split = record.split.as_ref().expect("a split");
    let names: Vec<_> = found.images.iter().map(|image| &image.name).collect();
    assert_eq!(names, split.test_files.iter().collect::<Vec<_>>());
    assert_eq!(found.total.scores.pixels, 48 * 48 * names.len() as u64);
    assert_eq!((found.reads, found.total.scores.unpredicted), (1, 0));
    assert_eq!(Some(found.total.epoch), record.best_epoch());
    let binary = found.binary.as_ref().expect("two classes");
    assert_eq!(
        (binary.name.as_str(), binary.salt.images),
        ("disc", names.len() as u64)
    );
    assert_eq!(record.scores(), Some(&found.total));
    assert_eq!(FinalTable::of(&[record]).rows[0].on, ScoredOn::Test);
    assert!(thumbnail::thumbnail_path(&run, ScoredOn::Test, 0).is_file());
    let second = judged(&engine, &run, ScoredOn::Test);
    assert_eq!(second[0], JudgeEvent::JudgedBefore { reads: 1 });
    let again = Judgement::load(&run, ScoredOn::Test).expect("a judgement");
    assert_eq!((again.reads, &again.total), (2, &found.total));
}

#[test]
fn a_judging_writes_the_report_anew_and_makes_none_where_there_was_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::start().expect("a thread");
    write_images(folder.path(), &EIGHT, 48);
    let run = trained(&engine, folder.path(), recipe_with_test());
    let read = |name: &str| std::fs::read_to_string(run.join(name)).expect("a report");
    assert!(!read("report.md").contains("The test part was judged"));
    judged(&engine, &run, ScoredOn::Test);
    for name in ["report.md", "report.html"] {
        assert!(
            read(name).contains("The test part was judged once."),
            "{name}"
        );
    }
    judged(&engine, &run, ScoredOn::Test);
    assert!(read("report.md").contains("judged 2 times"));
    std::fs::remove_file(run.join("report.md")).expect("it was there");
    judged(&engine, &run, ScoredOn::Test);
    assert!(!run.join("report.md").exists());
}

#[test]
fn the_part_that_chose_is_judged_without_a_word_of_test() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::start().expect("a thread");
    write_images(folder.path(), &EIGHT, 48);
    let run = trained(&engine, folder.path(), recipe());
    let error = JudgePlan::new(run.clone(), ScoredOn::Test, 1 << 22).expect_err("no test part");
    assert!(error.to_string().contains("no test part"), "{error}");
    judged(&engine, &run, ScoredOn::Validation);
    let record = RunRecord::load(&run).expect("a run");
    assert_eq!(
        (record.test_scores.is_some(), &record.notes),
        (false, &Vec::new())
    );
}

#[test]
fn blocks_of_one_image_are_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::start().expect("a thread");
    let shares = Shares {
        train: 8.0,
        validation: 1.0,
        test: 1.0,
    };
    let parts = PartRule {
        split: PartWay::Blocks { side: 32, shares },
        ..PartRule::default()
    };
    let recipe = Recipe {
        parts: Some(parts),
        ..recipe()
    };
    write_images(folder.path(), &[0], 256);
    let run = trained(&engine, folder.path(), recipe);
    let split = RunRecord::load(&run)
        .expect("a run")
        .split
        .expect("a split");
    assert_eq!(split.test_blocks.len(), 6, "{split:?}");
    judged(&engine, &run, ScoredOn::Test);
    let found = Judgement::load(&run, ScoredOn::Test).expect("a judgement");
    assert_eq!(found.total.scores.pixels, 6 * 32 * 32);
    assert_eq!(found.images.len(), 6);
    assert!(found.images[0].name.starts_with("images/00.png at "));
}
