use super::*;
use crate::label::ClassTable;
use crate::metrics::{Confusion, Scores};
use crate::train::{FinalScores, Recipe, RunEnd, ScoredOn};

fn one_of_four_epochs() -> RunRecord {
    let row = EpochRow {
        epoch: 1,
        best: true,
        ..EpochRow::default()
    };
    let recipe = Recipe {
        epochs: 4,
        ..Recipe::default()
    };
    RunRecord {
        rows: vec![row],
        recipe: Some(recipe),
        ..RunRecord::default()
    }
}

#[test]
fn a_run_that_goes_on_has_no_end() {
    let record = one_of_four_epochs();
    let kinds = |status| {
        let marks = marks(&record, status);
        marks.iter().map(|mark| mark.kind).collect::<Vec<_>>()
    };
    let stopped = end_reason(&record, RunStatus::Stopped);
    assert_eq!(stopped.as_deref(), Some("Stopped by hand in epoch 2"));
    assert_eq!(kinds(RunStatus::Stopped), [MarkKind::Best, MarkKind::End]);
    assert_eq!(end_reason(&record, RunStatus::Running), None);
    assert_eq!(kinds(RunStatus::Running), [MarkKind::Best]);
}

#[test]
fn what_a_run_says_of_its_end_goes_before_what_its_files_let_one_think() {
    let mut record = one_of_four_epochs();
    let words = |record: &RunRecord, status| end_reason(record, status).expect("an end");
    assert_eq!(
        words(&record, RunStatus::Finished),
        "No progress in 10 epochs, ended after epoch 1"
    );
    assert_eq!(
        words(&record, RunStatus::Interrupted),
        "Interrupted after epoch 1"
    );
    let (reason, seconds) = (StopReason::TimeLimit { minutes: 5.0 }, 300.0);
    record.end = Some(RunEnd::Finished { reason, seconds });
    let limit = "The time limit of 5 min is reached, ended after epoch 1";
    assert_eq!(words(&record, RunStatus::Finished), limit);
    let marks = marks(&record, RunStatus::Finished);
    assert_eq!(marks.last().map(|mark| mark.word.as_str()), Some(limit));
    assert_eq!(end_reason(&record, RunStatus::Running), None);
    let reason = StopReason::FarEnough { epoch: 1 };
    record.end = Some(RunEnd::Stopped { reason, seconds });
    assert_eq!(
        words(&record, RunStatus::Stopped),
        "Rests after epoch 1 and can go on"
    );
    let why = "the disk is full".to_owned();
    record.end = Some(RunEnd::Failed { why, seconds });
    let failure = "Failed after epoch 1: the disk is full";
    assert_eq!(words(&record, RunStatus::Failed), failure);
}

#[test]
fn the_best_epoch_says_by_what_and_the_baseline_of_which_line_it_is() {
    let mut record = one_of_four_epochs();
    let words = |record: &RunRecord| marks(record, RunStatus::Running)[0].word.clone();
    assert_eq!(words(&record), "best by validation loss: 1");
    if let Some(recipe) = &mut record.recipe {
        recipe.best_by = BestBy::Latest;
    }
    assert_eq!(words(&record), "last: 1");
    let scores = Scores::new(&Confusion::new(2), &ClassTable::road());
    let scores = Scores {
        majority_baseline: Some(0.5),
        ..scores
    };
    record.validation_scores = Some(FinalScores {
        epoch: 1,
        on: ScoredOn::Validation,
        scores,
    });
    let chart = score_chart(&record, Look::default(), &like());
    let [level] = chart.levels[..] else {
        panic!("one baseline");
    };
    assert_eq!(level.value, 0.5);
    let of = chart.lines.iter().find(|line| line.color == level.color);
    let name = &of.expect("a line of that color").name;
    assert!(level.name.ends_with(name.as_str()), "{}", level.name);
}

fn like() -> Chart {
    Chart {
        title: "",
        lines: Vec::new(),
        marks: Vec::new(),
        levels: Vec::new(),
        remark: None,
        epochs: [1.0, 2.0],
        scale: Scale::of_ratios(),
        number: |value| format!("{value:.3}"),
        height: TALL,
    }
}

fn step(step: u64, lr: Option<f32>) -> StepLoss {
    StepLoss {
        step,
        loss: 1.0,
        seconds: None,
        lr,
    }
}

#[test]
fn the_rate_is_that_of_steps_where_they_have_one() {
    let mut record = one_of_four_epochs();
    record.rows[0].lr = 0.25;
    if let Some(recipe) = &mut record.recipe {
        recipe.steps_per_epoch = 2;
    }
    let points = |record: &RunRecord, shows_steps| {
        let chart = rate_chart(record, shows_steps, &like());
        chart.lines[0].points.clone()
    };
    let by_epoch = [(1.0, 0.25)];
    assert_eq!(points(&record, true), by_epoch);
    record.step_losses = vec![step(1, None), step(2, None)];
    assert_eq!(points(&record, true), by_epoch);
    record.step_losses = vec![step(1, Some(0.125)), step(2, Some(0.25))];
    assert_eq!(points(&record, true), [(0.5, 0.125), (1.0, 0.25)]);
    assert_eq!(points(&record, false), by_epoch);
}

#[test]
fn a_plateau_is_marked_at_the_rate() {
    let mut record = one_of_four_epochs();
    record.rows = [1.0, 0.5]
        .into_iter()
        .zip(1..)
        .map(|(share, epoch)| EpochRow {
            epoch,
            plateau_share: Some(share),
            ..EpochRow::default()
        })
        .collect();
    let like = Chart {
        marks: marks(&record, RunStatus::Running),
        ..like()
    };
    let chart = rate_chart(&record, true, &like);
    let drops = chart.marks.iter().map(|mark| (mark.kind, mark.epoch));
    let drops: Vec<_> = drops.collect();
    assert_eq!(drops, [(MarkKind::RateDrop, 2.0)]);
}

#[test]
fn time_has_its_parts_where_they_were_measured() {
    let mut rows = one_of_four_epochs().rows;
    rows[0].seconds = 9.0;
    let lines = |rows: &[EpochRow]| -> Vec<(String, f64)> {
        let lines = time_chart(rows, &like()).lines.into_iter();
        lines.map(|line| (line.name, line.points[0].1)).collect()
    };
    assert_eq!(lines(&rows), [("total".to_owned(), 9.0)]);
    (rows[0].data_seconds, rows[0].compute_seconds) = (2.0, 6.0);
    let expected = [("data", 2.0), ("compute", 6.0), ("total", 9.0)];
    assert_eq!(
        lines(&rows),
        expected.map(|(name, value)| (name.to_owned(), value))
    );
}
