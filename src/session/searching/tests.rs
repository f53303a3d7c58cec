use super::*;
use crate::job::Waker;
use crate::session::{ProjectPlace, SessionConfig};
use crate::train::{RefitResult, RefitRow, ScoredOn, SearchRow};

const SEARCH: &str = "way = \"grid\"\nrecipe.epochs = 4\nvary.batch = [2, 4, 8]\n\
                      halving = { first_epochs = 1, keep = 0.34 }\nrefit = { seeds = [7] }";

fn planned() -> (Session, SearchPlan) {
    let mut session = Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: None,
        projects: ProjectPlace::Nowhere,
    });
    let spec = SearchSpec::from_toml(SEARCH).expect("a search");
    let base = spec.base(Path::new("")).expect("a recipe");
    let plan = SearchPlan::new(&spec, base, "data".into(), "out".into(), 1);
    let plan = plan.expect("a plan");
    session.search_planned(&plan);
    (session, plan)
}

fn say(session: &mut Session, event: SearchEvent) {
    session.absorb_search(JobId(1), event);
}

fn queue(session: &mut Session, event: QueueEvent) {
    say(session, SearchEvent::Queue(Box::new(event)));
}

fn began(plan: &SearchPlan) -> SearchEvent {
    SearchEvent::RungBegan {
        at: 0,
        total: 1,
        rung: plan.rungs()[0],
        trials: plan.trials().iter().map(|one| one.name.clone()).collect(),
    }
}

fn trained(session: &mut Session, plan: &SearchPlan, at: usize, end: TrialEnd) {
    let trial = &plan.trials()[at];
    let (name, run) = (trial.name.clone(), plan.folder().join(&trial.name));
    let recipe = Box::new(trial.recipe.clone());
    let total = plan.trials().len();
    queue(
        session,
        QueueEvent::Began {
            at,
            total,
            name,
            run,
            recipe,
        },
    );
    queue(session, QueueEvent::Ended { at, total, end });
}

fn result(plan: &SearchPlan, order: [usize; 3]) -> SearchResult {
    let row = |at: usize| SearchRow {
        name: plan.trials()[at].name.clone(),
        values: vec![at.to_string()],
        rungs: 1,
        epochs: 1,
        best_epoch: Some(1),
        val_loss: Some(0.5),
        mean_iou: Some(0.25),
        leaks: None,
        seconds: 1.0,
        failure: (at == 1).then(|| "no memory".to_owned()),
    };
    SearchResult {
        title: "Search".to_owned(),
        paths: vec!["batch".to_owned()],
        best_by: plan.trials()[0].recipe.best_by.clone(),
        rungs: plan.rungs().to_vec(),
        rungs_done: plan.rungs().len(),
        cost: plan.cost(),
        rows: order.map(row).to_vec(),
        refit: None,
    }
}

/// What the new training of `winner` came to.
fn refit_of(winner: &str) -> RefitResult {
    let row = RefitRow {
        name: "refit-seed-7".to_owned(),
        epochs: 9,
        best_epoch: Some(3),
        val_loss: Some(0.5),
        val_mean_iou: Some(0.625),
        on: ScoredOn::Test,
        leaks: None,
        mean_iou: Some(0.5),
        pixel_accuracy: Some(0.75),
        majority_baseline: Some(0.5),
        seconds: Some(1.0),
    };
    RefitResult {
        winner: winner.to_owned(),
        wanted: 1,
        rows: vec![row],
        on: Some(ScoredOn::Test),
        mean_iou: None,
        pixel_accuracy: None,
        majority_baseline: None,
    }
}

#[test]
fn the_trials_follow_what_the_search_says() {
    let (mut session, plan) = planned();
    assert_eq!((plan.rungs().len(), plan.trials().len()), (1, 3));
    assert!(session.search().is_begun() && session.search().resumable().is_some());
    say(&mut session, began(&plan));
    let at = 0;
    let trial = &plan.trials()[at];
    let (name, run) = (trial.name.clone(), plan.folder().join(&trial.name));
    let recipe = Box::new(trial.recipe.clone());
    queue(
        &mut session,
        QueueEvent::Began {
            at,
            total: 3,
            name,
            run: run.clone(),
            recipe,
        },
    );
    assert_eq!(session.search().running(), Some(0));
    assert_eq!(session.training().run.as_ref(), Some(&run));
    assert!(session.training().is_running());
    session.search_ended(Some("Stopped".to_owned()));
    let search = session.search();
    assert_eq!(
        (search.running(), search.failure.as_deref()),
        (None, Some("Stopped"))
    );
    assert_eq!(
        search.trials[0].phase,
        TrialPhase::Waiting,
        "it goes on later"
    );
}

#[test]
fn cuts_winner_and_new_trainings_are_told_apart() {
    let (mut session, plan) = planned();
    say(&mut session, began(&plan));
    let why = || "no memory".to_owned();
    trained(&mut session, &plan, 0, TrialEnd::Done);
    trained(&mut session, &plan, 1, TrialEnd::Failed { why: why() });
    trained(&mut session, &plan, 2, TrialEnd::Done);
    let failed = TrialPhase::Ended(TrialEnd::Failed { why: why() });
    assert_eq!(session.search().trials[1].phase, failed);
    let winner = plan.trials()[2].name.clone();
    let ended = SearchEvent::RungEnded {
        at: 0,
        kept: vec![winner.clone()],
        result: Box::new(result(&plan, [2, 0, 1])),
    };
    say(&mut session, ended);
    let search = session.search();
    assert_eq!(search.winner.as_ref(), Some(&winner));
    assert_eq!(
        (search.trials[2].mean_iou, search.trials[2].epochs),
        (Some(0.25), 1)
    );
    assert_eq!(search.trials[1].phase, failed);
    let refit = SearchEvent::RefitBegan {
        winner: winner.clone(),
        label: "batch 8".to_owned(),
        on: ScoredOn::Test,
        trials: vec!["refit-seed-7".to_owned()],
    };
    say(&mut session, refit);
    assert_eq!(session.search().trials.len(), 4);
    trained(&mut session, &plan, 0, TrialEnd::Done);
    let last = &session.search().trials[3];
    assert_eq!(last.phase, TrialPhase::Ended(TrialEnd::Done));
    assert_eq!(last.recipe, session.search().trials[2].recipe);
    let whole = SearchResult {
        refit: Some(refit_of(&winner)),
        ..result(&plan, [2, 0, 1])
    };
    say(&mut session, SearchEvent::Finished(Box::new(whole)));
    let search = session.search();
    assert!(search.is_over && search.resumable().is_none());
    let last = &search.trials[3];
    assert_eq!((last.epochs, last.mean_iou), (9, Some(0.625)));
}
