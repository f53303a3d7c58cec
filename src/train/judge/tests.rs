use super::tally::Tally;
use super::*;
use crate::dataset::parts::{PartRule, PartWay, Shares};
use crate::job::{JobEvent, Waker};
use crate::train::folder_lock::taken;
use crate::train::report::ChosenThresholds;
use crate::train::test_folder::{EIGHT, recipe_with_test, write_images};
use crate::train::test_world::{classes, events_of, recipe};
use crate::train::{
    Engine, FinalTable, Judgement, Recipe, RunRecord, SavedModel, ScoredOn, TrainData, TrainPlan,
    opened_folder,
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
    let is_told = |event: &JudgeEvent| matches!(event, JudgeEvent::JudgedBefore { .. });
    assert!(!first.iter().any(is_told));
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
    let (on, reads) = (ScoredOn::Test, 1);
    assert_eq!(second[0], JudgeEvent::JudgedBefore { on, reads });
    let again = Judgement::load(&run, ScoredOn::Test).expect("a judgement");
    assert_eq!((again.reads, &again.total), (2, &found.total));
    let _lock = taken(&run).expect("nobody judges any more");
    let plan = JudgePlan::new(run.clone(), ScoredOn::Test, 1 << 22).expect("a plan");
    match events_of(&engine.judge(plan, Waker::none())).pop() {
        Some(JobEvent::Failed(why)) => assert!(why.contains("Another Orthobrush"), "{why}"),
        other => panic!("{other:?}"),
    }
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
fn the_threshold_of_the_validation_part_is_read_on_the_test_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::start().expect("a thread");
    write_images(folder.path(), &EIGHT, 48);
    let run = trained(&engine, folder.path(), recipe_with_test());
    let found = |on| {
        judged(&engine, &run, on);
        let judgement = Judgement::load(&run, on).expect("a judgement");
        let binary = judgement.binary.clone().expect("two classes");
        (judgement, binary.ranking.expect("probabilities"), binary)
    };
    let (judgement, read, binary) = found(ScoredOn::Test);
    assert_eq!(judgement.reads, 1);
    assert_eq!(read.f1_at_half, judgement.total.scores.per_class[1].f1);
    let ratios = [read.auroc, read.average_precision, read.f1_at_half];
    assert!(ratios.iter().flatten().count() == 3, "{read:?}");
    assert!(
        ratios
            .iter()
            .flatten()
            .all(|ratio| (0.0..=1.0).contains(ratio))
    );
    // The validation part was judged first, by itself.
    let judgement = Judgement::load(&run, ScoredOn::Validation).expect("chosen by");
    assert_eq!(judgement.reads, 1);
    let chose = judgement.binary.clone().expect("two classes");
    let chosen = chose.ranking.expect("probabilities");
    assert!(chosen.threshold.is_some(), "{chosen:?}");
    assert!(chosen.f1_at_threshold >= chosen.f1_at_half, "{chosen:?}");
    assert_eq!(read.threshold, chosen.threshold);
    assert!(read.f1_at_threshold.is_some(), "{read:?}");
    // A second reading finds it chosen.
    let (again, same, _) = found(ScoredOn::Test);
    assert_eq!((again.reads, same), (2, read));
    let validation = Judgement::load(&run, ScoredOn::Validation).expect("chosen by");
    assert_eq!(validation.reads, 1);
    let threshold = |binary: crate::train::BinaryJudgement| {
        binary.presence_at_threshold.map(|scores| scores.threshold)
    };
    assert_eq!(threshold(binary), threshold(chose));
    let epoch = judgement.total.epoch;
    let of_run = |epoch, class| ChosenThresholds::of_run(&run, epoch, class);
    assert_eq!(of_run(epoch, 1).probability, chosen.threshold);
    assert_eq!(of_run(epoch + 1, 1), ChosenThresholds::default());
    assert_eq!(of_run(epoch, 0), ChosenThresholds::default());
}

/// The judgement of four pixels, of which those of the class have the higher probabilities.
fn of_four_pixels(on: ScoredOn, chosen: ChosenThresholds) -> Judgement {
    let mut tally = Tally::new(classes(), 2);
    let ranking = tally.ranking().expect("two classes");
    ranking.add(&[1, 1, 0, 0], &[1, 0, 0, 0], &[254, 160, 220, 254]);
    tally.into_judgement(on, 1, chosen)
}

#[test]
fn a_perfect_ranking_has_an_area_of_1_and_only_validation_chooses() {
    let nothing = ChosenThresholds::default();
    let ranking = |on, chosen| {
        let binary = of_four_pixels(on, chosen).binary.expect("two classes");
        binary.ranking.expect("probabilities")
    };
    let validation = ranking(ScoredOn::Validation, nothing);
    assert_eq!(validation.auroc, Some(1.0));
    assert_eq!(validation.f1_at_half, Some(2.0 / 3.0));
    assert_eq!(validation.f1_at_threshold, Some(1.0));
    assert_eq!(ranking(ScoredOn::Test, nothing).threshold, None);
    let chosen = ChosenThresholds {
        probability: Some(0.05),
        presence: None,
    };
    let test = ranking(ScoredOn::Test, chosen);
    // From 0.05 on, one pixel of other ground (0.13) is taken as well.
    assert_eq!(
        (test.threshold, test.f1_at_threshold),
        (Some(0.05), Some(0.8))
    );
}

#[test]
fn whether_a_threshold_is_missing_is_known_without_the_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::start().expect("a thread");
    write_images(folder.path(), &EIGHT, 48);
    let run = trained(&engine, folder.path(), recipe_with_test());
    let model = SavedModel::load(&run).expect("a model");
    let weights = model.folder().join("weights.safetensors");
    std::fs::remove_file(weights).expect("removed");
    assert!(SavedModel::load(&run).is_err());
    let plan = JudgePlan::new(run.clone(), ScoredOn::Test, 1 << 22).expect("a plan");
    let choosing = choosing_for(&plan).expect("a card");
    assert_eq!(choosing.map(|plan| plan.on), Some(ScoredOn::Validation));
    let mut judgement = of_four_pixels(ScoredOn::Validation, ChosenThresholds::default());
    judgement.total.epoch = model.card().metrics.as_ref().expect("scores").epoch;
    judgement.save(&run).expect("saved");
    assert!(choosing_for(&plan).expect("a card").is_none());
}

#[test]
fn judgements_of_older_versions_load_without_thresholds() {
    let folder = tempfile::tempdir().expect("a folder");
    for on in [ScoredOn::Validation, ScoredOn::Test] {
        let judgement = of_four_pixels(on, ChosenThresholds::default());
        judgement.save(folder.path()).expect("saved");
        assert_eq!(Judgement::load(folder.path(), on), Some(judgement));
        let path = folder.path().join(Judgement::file_name(on));
        let text = std::fs::read_to_string(&path).expect("a file");
        let mut old: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let binary = old["binary"].as_object_mut().expect("two classes");
        assert!(binary.remove("ranking").is_some());
        assert!(binary.remove("presence_at_threshold").is_some());
        let old = serde_json::to_vec(&old).expect("plain data");
        crate::disk::replace_file(&path, &old).expect("written");
        let loaded = Judgement::load(folder.path(), on).expect("an old judgement");
        let binary = loaded.binary.expect("two classes");
        assert_eq!((binary.ranking, binary.presence_at_threshold), (None, None));
        assert_eq!(
            ChosenThresholds::of_run(folder.path(), 1, 1),
            ChosenThresholds::default()
        );
    }
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
