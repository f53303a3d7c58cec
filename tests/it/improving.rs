//! The loop: correct, mark as done, learn from it, take or refuse the new model, go back.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use orthobrush::geom::{ImagePoint, PixelRect};
use orthobrush::job::Waker;
use orthobrush::label::{CellKey, CellState, Mask, UNLABELED};
use orthobrush::session::{
    Command, CommandError, CopiedCommand, FinetuneCommand, FinetunePhase, JobId, Layer, LayerKind,
    Over, PlaceCommand, Predicting, PredictionCommand, ProjectPlace, QueuedBy, ScoreScope, Session,
    SessionConfig, TrainingPhase,
};
use orthobrush::train::{
    Certainty, Decision, DeviceChoice, FinetuneOptions, Flips, Recipe, SavedModel,
};

use crate::fixture::{finish, opened, own_sample, settle};
use crate::program::{done, json, text};
use crate::training::{quick, start};

/// A session whose work is kept beside the image.
pub fn kept(ortho: &Path) -> Session {
    let mut session = Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: None,
        projects: ProjectPlace::Beside { fallback: None },
    });
    let path = ortho.to_owned();
    finish(&mut session, Command::Open { path });
    session
}

fn train(session: &mut Session, run: &Path) {
    train_seeded(session, run, Recipe::default().seed);
}

fn train_seeded(session: &mut Session, run: &Path, seed: u64) {
    let recipe = Recipe {
        seed,
        epochs: 1,
        ..quick()
    };
    finish(session, start(recipe, run));
}

fn improve(out: &Path) -> Command {
    let options = FinetuneOptions {
        epochs: 2,
        steps_per_epoch: 2,
        batch: 4,
        ..FinetuneOptions::default()
    };
    learn(options, out)
}

/// Learn from the corrections, beginning with the active model.
pub fn learn(options: FinetuneOptions, out: &Path) -> Command {
    Command::Finetune(FinetuneCommand::Start {
        options: Box::new(options),
        parent: None,
        out: Some(out.to_owned()),
    })
}

/// Makes the model of a run the active one.
pub fn activate(run: &Path) -> Command {
    let run = run.to_owned();
    Command::Finetune(FinetuneCommand::Activate { run })
}

/// Says that the cell in a row and column is done.
pub fn mark_done(session: &mut Session, (row, col): (u32, u32)) {
    let mark = PlaceCommand::MarkCell {
        cell: CellKey { row, col },
        state: Some(CellState::Done),
    };
    finish(session, Command::Place(mark));
}

/// Strokes of two classes.
pub fn paint(session: &mut Session) {
    for (class, y) in [(2, 100.0), (0, 400.0)] {
        let (at, to) = (ImagePoint::new(100.0, y), ImagePoint::new(300.0, y + 100.0));
        for command in [
            Command::BeginStroke { at, class },
            Command::ExtendStroke { to },
            Command::EndStroke,
        ] {
            session.apply(command).expect("accepted");
        }
    }
    settle(session);
}

/// The command line for the next improvement names the project and the model in use.
fn check_words(session: &Session, [project, model]: [&Path; 2]) {
    let thorough = session.as_command(CopiedCommand::FinetuneThoroughly);
    let words = session.as_command(CopiedCommand::Finetune).expect("words");
    let thorough = thorough.expect("words");
    assert_eq!(thorough.replace(" --thorough", ""), words);
    for part in [
        "orthobrush finetune --project ",
        &project.display().to_string(),
        &format!("--model {}", model.display()),
    ] {
        assert!(words.contains(part), "{part} is missing in {words}");
    }
}

/// The names of the chain's runs.
pub fn chain(session: &Session) -> Vec<String> {
    let runs = session.finetuning().chain.iter();
    let names = runs.filter_map(|model| model.run.file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_model_is_judged_taken_by_hand_and_given_back_and_the_choice_survives() {
    let (folder, ortho) = own_sample();
    let [parent, child] = ["parent", "child"].map(|name| folder.path().join(name));
    let mut session = kept(&ortho);
    train(&mut session, &parent);
    let nothing = session.apply(improve(&child));
    let errors = settle(&mut session);
    assert!(
        nothing.is_ok()
            && errors
                .iter()
                .any(|why| why.contains("nothing was corrected"))
    );
    assert!(matches!(
        session.finetuning().phase,
        FinetunePhase::Failed(_)
    ));

    mark_done(&mut session, (0, 0));
    let view = PixelRect::new(100, 200, 300, 250);
    let look = Command::Finetune(FinetuneCommand::Look(view));
    finish(&mut session, look);
    session.apply(improve(&child)).expect("accepted");
    let busy = session.apply(improve(&child));
    assert!(matches!(busy, Err(CommandError::Busy(_))));
    assert!(settle(&mut session).is_empty());
    let state = session.finetuning();
    let FinetunePhase::Judged(verdict) = &state.phase else {
        panic!("{:?}", state.phase);
    };
    // The parent learned from nearly all of the one cell.
    assert!(matches!(verdict.decision, Decision::NotMeasured(_)));
    assert_eq!(state.active.as_deref(), Some(&*parent));
    assert_eq!(session.model_in_use().as_deref(), Some(&*parent));
    assert_eq!(chain(&session), ["child", "parent"]);
    // What is looked at was predicted meanwhile, and nothing else.
    let prediction = &session.layer(LayerKind::Prediction).expect("a layer").mask;
    assert!(prediction.read_rect(view).iter().all(|&class| class < 255));
    let predicted = prediction.size().num_pixels() - prediction.histogram()[255];
    assert_eq!(predicted, view.num_pixels());

    finish(&mut session, activate(&child));
    drop(session);
    let mut session = kept(&ortho);
    assert_eq!(session.finetuning().active.as_deref(), Some(&*child));
    assert_eq!(chain(&session), ["child", "parent"]);
    finish(&mut session, activate(&parent));
    let held_out = session.held_out_ground().concat();
    assert!(
        !held_out.is_empty(),
        "known after a start, before any training"
    );
    assert_eq!(chain(&session), ["parent"]);
    let lineage = SavedModel::card_of(&child).expect("a model").lineage;
    let lineage = lineage.expect("a fine-tuned one");
    assert_eq!(lineage.parent.expect("a parent").run, parent);
    check_words(&session, [&ortho.with_extension("orthobrush"), &parent]);
    let gone = session.apply(activate(&folder.path().join("nowhere")));
    assert!(matches!(gone, Err(CommandError::Refused(_))));
}

/// Pumps event by event until `is_there`.
fn pump_until(session: &mut Session, is_there: impl Fn(&Session) -> bool) {
    let began = Instant::now();
    while !is_there(session) {
        session.pump(1);
        assert!(began.elapsed() < Duration::from_mins(5), "it does not come");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A session with a model, a cell that is done and something in view.
fn ready() -> (tempfile::TempDir, PathBuf, Session) {
    let (folder, ortho) = own_sample();
    let parent = folder.path().join("parent");
    let mut session = kept(&ortho);
    train(&mut session, &parent);
    mark_done(&mut session, (0, 0));
    let look = FinetuneCommand::Look(PixelRect::new(100, 200, 300, 250));
    finish(&mut session, Command::Finetune(look));
    (folder, parent, session)
}

/// An improvement that somebody has to stop.
fn endless(steps_per_epoch: u32, out: &Path) -> Command {
    let options = FinetuneOptions {
        epochs: 200,
        steps_per_epoch,
        batch: 4,
        ..FinetuneOptions::default()
    };
    learn(options, out)
}

fn stop(session: &mut Session, job: Option<JobId>) {
    let stop = Command::StopJob(job.expect("a job"));
    session.apply(stop).expect("accepted");
}

#[test]
fn an_improvement_that_brought_nothing_yet_ends_with_stop() {
    let (folder, parent, mut session) = ready();
    let begin = endless(1_000, &folder.path().join("child"));
    session.apply(begin).expect("accepted");
    pump_until(&mut session, |session| {
        matches!(session.training().phase, TrainingPhase::Running { .. })
    });
    let job = session.training().job;
    stop(&mut session, job);
    pump_until(&mut session, |session| session.training().job.is_none());
    let phase = &session.finetuning().phase;
    let is_over = |why: &str| why.starts_with("Stopped before anything better was learned");
    assert!(
        matches!(phase, FinetunePhase::Failed(why) if is_over(why)),
        "{phase:?}"
    );
    assert!(settle(&mut session).is_empty());
    assert_eq!(session.model_in_use().as_deref(), Some(&*parent));
}

#[test]
fn a_prediction_that_runs_makes_way_for_an_improvement() {
    let (folder, parent, mut session) = ready();
    session.take_notices();
    session.apply(Command::predict(None)).expect("accepted");
    let begin = improve(&folder.path().join("child"));
    session.apply(begin).expect("accepted");
    assert_eq!(session.prediction_state().job, None);
    let said = session.take_notices();
    let why = "so that learning begins at once";
    assert!(said.iter().any(|it| it.text.contains(why)), "{said:?}");
    assert!(settle(&mut session).is_empty());
    finish(&mut session, Command::predict(Some(parent)));
    assert!(session.prediction_state().is_complete);
}

#[test]
fn what_was_learned_until_stop_is_compared_and_a_second_stop_ends_that_at_once() {
    let (folder, parent, mut session) = ready();
    let child = folder.path().join("child");
    session.apply(endless(2, &child)).expect("accepted");
    // An epoch that is better than the model before is shown.
    pump_until(&mut session, |session| {
        session.prediction_state().run.as_ref() == Some(&child)
    });
    let job = session.training().job;
    stop(&mut session, job);
    pump_until(&mut session, |session| {
        session.finetuning().phase != FinetunePhase::Learning
    });
    assert_eq!(session.finetuning().phase, FinetunePhase::Judging);
    let mut said = session.take_notices().into_iter();
    assert!(said.any(|notice| {
        notice
            .text
            .contains("is now compared with the model before")
    }));
    let job = session.finetuning().judging;
    stop(&mut session, job);
    let is_over = |session: &Session| match &session.finetuning().phase {
        FinetunePhase::Failed(why) => why.starts_with("The comparison was stopped"),
        _ => false,
    };
    assert!(is_over(&session), "at once");
    assert!(settle(&mut session).is_empty());
    assert!(is_over(&session), "no verdict comes after it");
    let mut family = session.finetuning().family.iter();
    let is_listed = family.any(|relative| relative.model.run.ends_with("child"));
    assert!(is_listed, "the tree was read again");
    assert_eq!(session.model_in_use().as_deref(), Some(&*parent));
    assert_eq!(session.prediction_state().run.as_deref(), Some(&*parent));
}

/// The prediction's layer.
#[track_caller]
pub fn prediction(session: &Session) -> &Layer {
    let layer = session.layer(LayerKind::Prediction);
    layer.expect("a prediction")
}

/// Waits until no job runs; all the while the prediction is `whole` or lies in `view` alone. How
/// often it lay there.
fn settle_on_one(session: &mut Session, whole: &Mask, view: PixelRect) -> usize {
    let (began, mut last, mut looks) = (Instant::now(), None, 0);
    while session.pump(1) > 0 || !session.is_idle() {
        let layer = prediction(session);
        if last != Some(layer.id) && layer.mask != *whole {
            let is_predicted = |class: &u8| *class != UNLABELED;
            let inside = layer.mask.read_rect(view);
            let inside = inside.iter().filter(|class| is_predicted(class)).count() as u64;
            let bare = layer.mask.histogram()[usize::from(UNLABELED)];
            assert_eq!(inside, layer.mask.size().num_pixels() - bare);
            looks += 1;
        }
        last = Some(layer.id);
        assert!(began.elapsed() < Duration::from_mins(5), "it does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
    looks
}

/// Takes the whole prediction over, says whose work pixels are then, and takes it back.
pub fn accepted_from(session: &mut Session) -> Vec<String> {
    finish(session, Command::AcceptPrediction(Over::All));
    let (areas, names) = (session.origin_areas(), session.origins());
    let models = 2..UNLABELED;
    let models = models.filter(|&origin| areas[usize::from(origin)] > 0);
    let whose = models.map(|origin| names.name_of(origin).clone()).collect();
    finish(session, Command::Undo);
    whose
}

#[test]
fn the_prediction_is_of_one_model_at_any_time() {
    let (folder, ortho) = own_sample();
    let [parent, child] = ["parent", "child"].map(|name| folder.path().join(name));
    let mut session = kept(&ortho);
    train(&mut session, &parent);
    finish(&mut session, Command::predict(None));
    let (whole, scores) = (prediction(&session).mask.clone(), session.scores().cloned());
    assert!(scores.is_some());

    mark_done(&mut session, (0, 0));
    let view = PixelRect::new(100, 200, 300, 250);
    let look = Command::Finetune(FinetuneCommand::Look(view));
    finish(&mut session, look);
    session.apply(improve(&child)).expect("accepted");
    assert!(settle_on_one(&mut session, &whole, view) > 0);
    // The new model was not taken, and what the old one predicted is there again.
    assert!(prediction(&session).mask == whole);
    let state = session.prediction_state();
    assert_eq!(state.run.as_deref(), Some(&*parent));
    assert!(state.is_complete);
    assert_eq!(session.scores().cloned(), scores);

    finish(&mut session, activate(&child));
    let by_child = prediction(&session).mask.clone();
    assert_eq!(
        session.prediction_state().run.as_deref(),
        Some(&*child),
        "the model in use predicts"
    );
    let mut other = opened(&ortho);
    let on_cpu = Predicting::Device(DeviceChoice::Cpu);
    finish(&mut other, Command::SetPredicting(on_cpu));
    finish(&mut other, Command::predict(Some(child)));
    assert!(
        by_child == prediction(&other).mask,
        "all of it is the child's"
    );
    assert_eq!(accepted_from(&mut session), ["accepted from child"]);

    session.apply(activate(&parent)).expect("accepted");
    assert!(prediction(&session).mask == whole, "nothing is computed");
    assert!(settle(&mut session).is_empty());
    assert!(prediction(&session).mask == whole);
    assert_eq!(accepted_from(&mut session), ["accepted from parent"]);
}

#[test]
fn a_part_alone_is_predicted_by_the_model_that_comes_into_use() {
    let (folder, ortho) = own_sample();
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    let mut session = kept(&ortho);
    train_seeded(&mut session, &second, 7);
    train_seeded(&mut session, &first, 1);
    let [elsewhere, view] = [(600, 600), (0, 0)].map(|(x, y)| PixelRect::new(x, y, 200, 100));
    let predict = PredictionCommand::Predict {
        run: Some(first.clone()),
        on: ScoreScope::Within(elsewhere),
        near: None,
    };
    finish(&mut session, Command::Prediction(predict));
    let by_first = prediction(&session).mask.clone();
    let look = Command::Finetune(FinetuneCommand::Look(view));
    finish(&mut session, look);
    finish(&mut session, activate(&second));
    let mask = &prediction(&session).mask;
    let bare = |class: &u8| *class == UNLABELED;
    assert!(mask.read_rect(elsewhere).iter().all(bare));
    assert!(!mask.read_rect(view).iter().any(bare));
    // Back again, both parts are of the first.
    finish(&mut session, activate(&first));
    let mask = &prediction(&session).mask;
    assert!(mask.read_rect(elsewhere) == by_first.read_rect(elsewhere));
    assert!(!mask.read_rect(view).iter().any(bare));

    let at = ImagePoint::new(50.0, 50.0);
    let begin = Command::BeginStroke { at, class: 1 };
    session.apply(begin).expect("a stroke");
    let refused = session.apply(activate(&second));
    assert!(matches!(refused, Err(CommandError::StrokeOpen)));
}

#[test]
fn a_project_is_learned_from_without_a_window() {
    let (folder, ortho) = own_sample();
    let mut session = kept(&ortho);
    paint(&mut session);
    drop(session);
    let project: PathBuf = ortho.with_extension("orthobrush");
    let run = folder.path().join("first");
    let quick = "finetune --epochs 1 --steps 2 --unlabeled 0.25 --json --device cpu".split(' ');
    let places = ["--project", text(&project), "--out", text(&run)];
    let said = done(&quick.chain(places).collect::<Vec<_>>());
    let last: serde_json::Value =
        serde_json::from_str(said.lines().last().expect("a line")).expect("JSON");
    assert_eq!(last["verdict"]["decision"], "first");
    assert!(last["learned"]["trusted_pixels"].as_u64() > Some(0));
    for none in ["accepted_pixels", "not_judged_pixels"] {
        assert_eq!(last["learned"][none], 0, "{none}");
    }
    assert_eq!(last["active"], run.display().to_string());
    let recipe = Recipe::load(&run.join("recipe.toml")).expect("a recipe");
    assert!((recipe.unlabeled.share - 0.25).abs() < 1e-12);
    assert!(recipe.updates.ema.is_some(), "it has a teacher");
    let mut session = kept(&ortho);
    assert_eq!(session.finetuning().active.as_deref(), Some(&*run));
    check_queue_words(&mut session);
    drop(session);
    check_queue(&project, &run);
}

/// Its command line says why places are ranked, and how the prediction is made.
fn check_queue_words(session: &mut Session) {
    let words = |session: &Session, by| {
        let words = session.as_command(CopiedCommand::Queue(by));
        words.expect("words")
    };
    let plain = words(session, QueuedBy::Mistakes);
    assert!(plain.starts_with("orthobrush queue --project "), "{plain}");
    assert!(plain.ends_with(" --by mistakes"), "{plain}");
    for choice in [
        Predicting::Flips(Flips::All),
        Predicting::Certainty(Certainty::Margin),
    ] {
        finish(session, Command::SetPredicting(choice));
    }
    let said = words(session, QueuedBy::Doubt);
    let how = " --by doubt --tta --certainty-by margin";
    assert!(said.ends_with(how), "{said}");
    let said = words(session, QueuedBy::Differences);
    assert!(said.ends_with(" --by differences --tta"), "{said}");
}

/// Where to look next is ranked without a window: squares, none of them twice.
fn check_queue(project: &Path, run: &Path) {
    let queue = ["queue", "--count", "3", "--json", "--project"];
    let ranked = |by| json(&[&queue[..], &[text(project), "--by", by]].concat());
    let found = ranked("doubt");
    assert_eq!(found["model"], run.display().to_string());
    let places = found["places"].as_array().expect("places");
    assert_eq!(places.len(), 3);
    for (at, place) in places.iter().enumerate() {
        assert_eq!(place["rank"], at + 1);
        let doubt = place["doubt"].as_f64().expect("why it is listed");
        assert!((0.0..=1.0).contains(&doubt), "{doubt}");
        assert!(
            places[..at]
                .iter()
                .all(|other| other["rect"] != place["rect"])
        );
    }
    // Two strokes cover little of what is predicted, so the largest difference has its class.
    let how = ["--tta", "--certainty-by", "margin"];
    let otherwise = json(&[&queue[..], &[text(project)], &how[..]].concat());
    assert_eq!(otherwise["by"], "doubt");
    let found = ranked("differences");
    let first = &found["places"][0];
    assert!(first["predicted"].is_string(), "{found}");
    assert!(first["doubt"].is_null(), "{found}");
}
