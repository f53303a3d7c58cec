//! How much ground each class covers: points of a map, checked by a person.

use std::path::Path;

use orthobrush::label::{CheckedMap, Encoding, Mask, Seen, load_mask};
use orthobrush::metrics::ClassArea;
use orthobrush::session::{
    CheckCommand, ClassCommand, Command, CommandError, LayerKind, PlaceCommand, Session,
};

use crate::fixture::{finish, own_sample};
use crate::keeping::opened;

fn check(session: &mut Session, command: CheckCommand) {
    finish(session, Command::Place(PlaceCommand::Check(command)));
}

fn drawn(points: usize) -> CheckCommand {
    CheckCommand::Draw {
        of: LayerKind::Label,
        points,
        seed: 1,
    }
}

fn truth(folder: &Path) -> Mask {
    let loaded = load_mask(&folder.join("label_true.tif"), None, Encoding::Auto, None);
    loaded.expect("the true label").mask
}

/// Says at each point what the true label has there.
fn answer_truly(session: &mut Session, truth: &Mask, most: usize) {
    for _ in 0..most {
        let Some((_, point)) = session.checked_point() else {
            return;
        };
        let seen = Seen::Class(truth.get(point.x, point.y));
        check(session, CheckCommand::Say(seen));
    }
}

#[test]
fn areas_come_from_checked_points_and_outlive_a_restart() {
    let (folder, ortho) = own_sample();
    let truth = truth(folder.path());
    let mut session = opened(&ortho);
    check(&mut session, drawn(500));
    assert!(session.area_estimates().is_none(), "nobody looked yet");
    let is_seen = |session: &Session| session.layer(LayerKind::Label).expect("a label").is_visible;
    assert!(!is_seen(&session), "the map does not tell what to say");
    answer_truly(&mut session, &truth, 120);
    check(&mut session, CheckCommand::Say(Seen::Unclear));
    check(&mut session, CheckCommand::Leave);
    assert!(is_seen(&session));
    let before = session.map_check().cloned();
    let estimates = session.area_estimates();
    drop(session);

    let mut session = opened(&ortho);
    assert_eq!(session.map_check().cloned(), before);
    assert_eq!(session.area_estimates(), estimates);
    assert_eq!(before.map(|check| check.progress()), Some((121, 1)));
    check(&mut session, CheckCommand::GoOn);
    let all = session.map_check().expect("points").points.len();
    assert_eq!(session.checked_point().map(|(at, _)| at), Some(121));
    answer_truly(&mut session, &truth, all);
    assert!(session.checked_point().is_none(), "all are checked");

    // The intervals hold the true shares, and the map's own shares need not.
    let estimates = session.area_estimates().expect("estimates");
    let label = &session.layer(LayerKind::Label).expect("a label").mask;
    let mut mapped = truth.clone();
    mapped.without(truth.size().bounds(), label, |_, on_map| on_map == 255);
    let counts = mapped.histogram();
    let labeled: u64 = counts[..255].iter().sum();
    for (class, area) in session.classes().classes().iter().zip(&estimates.per_class) {
        let true_share = counts[usize::from(class.index)] as f64 / labeled as f64;
        let off = (area.share.value - true_share).abs();
        // Three standard errors, and what is too rare to be met by a point.
        assert!(
            off <= area.share.margin * 1.6 + 0.01,
            "{}: {area:?}",
            class.name
        );
    }

    let path = folder.path().join("areas.csv");
    check(&mut session, CheckCommand::Export(path.clone()));
    let table = std::fs::read_to_string(&path).expect("written");
    assert_eq!(table.lines().count(), 2 + estimates.per_class.len());
    let columns: Vec<usize> = table.lines().map(|line| line.split(',').count()).collect();
    assert!(
        columns.iter().all(|&count| count == columns[0]),
        "{columns:?}"
    );
    let points = std::fs::read_to_string(folder.path().join("areas.points.csv"));
    assert_eq!(points.expect("written").lines().count(), all + 1);

    check(&mut session, CheckCommand::Drop);
    drop(session);
    assert!(opened(&ortho).map_check().is_none());
}

/// Share of the ground and user's accuracy of a class in the estimates.
fn area_of(session: &Session, class: u8) -> Option<ClassArea> {
    let classes = session.area_classes();
    let place = classes.iter().position(|known| known.index == class)?;
    Some(session.area_estimates()?.per_class[place])
}

#[test]
fn a_removed_class_goes_on_to_count_at_points_that_were_drawn() {
    let (folder, ortho) = own_sample();
    let truth = truth(folder.path());
    let mut session = opened(&ortho);
    check(&mut session, drawn(200));
    answer_truly(&mut session, &truth, 200);
    check(&mut session, CheckCommand::Leave);
    assert_eq!(session.areas_removed(), None);
    let overall = session.area_estimates().map(|found| found.overall);
    let before = [0, 1, 2, 3, 4].map(|class| area_of(&session, class));
    assert!(overall.is_some() && before[3].is_some_and(|water| water.mapped > 0.0));
    let unchanged = |session: &Session| {
        assert_eq!(session.area_estimates().map(|found| found.overall), overall);
        let now = [0, 1, 2, 3, 4].map(|class| area_of(session, class));
        assert_eq!(now, before);
    };
    let tell = |session: &mut Session, command| finish(session, Command::Class(command));
    let add = |name: &str| ClassCommand::Add {
        name: name.to_owned(),
    };
    tell(&mut session, ClassCommand::Remove { class: 3, into: 2 });
    unchanged(&session);
    let said = session.areas_removed().expect("a class is gone");
    assert!(said.contains("water (removed)"), "{said}");
    tell(&mut session, add("sheds"));
    unchanged(&session);
    assert_eq!(
        area_of(&session, 5).map(|sheds| sheds.share.value),
        Some(0.0)
    );
    let path = folder.path().join("areas.csv");
    check(&mut session, CheckCommand::Export(path.clone()));
    let table = std::fs::read_to_string(&path).expect("written");
    assert!(table.contains("water (removed)"), "{table}");
    tell(&mut session, add("water"));
    unchanged(&session);
    assert_eq!(session.areas_removed(), None);
}

#[test]
fn a_class_with_too_few_points_is_named() {
    let (folder, ortho) = own_sample();
    let truth = truth(folder.path());
    let mut session = opened(&ortho);
    assert_eq!(session.areas_lack(), None, "there are no points");
    check(&mut session, drawn(200));
    let said = session.areas_lack().expect("nobody looked yet");
    for word in ["woodland", "water", "Go on"] {
        assert!(said.contains(word), "{said}");
    }
    // Nobody can tell what is at the points of water.
    while let Some((_, point)) = session.checked_point() {
        let seen = match point.mapped {
            3 => Seen::Unclear,
            _ => Seen::Class(truth.get(point.x, point.y)),
        };
        check(&mut session, CheckCommand::Say(seen));
    }
    assert!(session.area_estimates().is_none());
    let said = session.areas_lack().expect("water cannot be told");
    assert!(said.contains("will be no estimates"), "{said}");
    assert!(
        said.contains("water") && !said.contains("woodland"),
        "{said}"
    );
    let export = CheckCommand::Export(folder.path().join("areas.csv"));
    let refused = session.apply(Command::Place(PlaceCommand::Check(export)));
    assert!(matches!(refused, Err(CommandError::Refused(why)) if why == said));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (_folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    for command in [
        CheckCommand::GoOn,
        CheckCommand::Say(Seen::Unclear),
        CheckCommand::Step { forth: true },
        CheckCommand::Export(ortho.with_extension("csv")),
        CheckCommand::Draw {
            of: LayerKind::Prediction,
            points: 50,
            seed: 1,
        },
    ] {
        let refused = session.apply(Command::Place(PlaceCommand::Check(command.clone())));
        assert!(
            matches!(refused, Err(CommandError::Refused(_))),
            "{command:?}"
        );
    }
    check(&mut session, drawn(20));
    let unknown = CheckCommand::Say(Seen::Class(200));
    let refused = session.apply(Command::Place(PlaceCommand::Check(unknown)));
    assert!(matches!(refused, Err(CommandError::Refused(_))));
    let second = &mut opened(&ortho);
    let refused = second.apply(Command::Place(PlaceCommand::Check(drawn(20))));
    assert!(matches!(refused, Err(CommandError::ReadOnly)));
}

#[test]
fn points_are_of_one_prediction_and_not_of_the_next() {
    let (folder, ortho) = own_sample();
    let files = ["label_true.tif", "another.tif"].map(|name| folder.path().join(name));
    std::fs::copy(&files[0], &files[1]).expect("another prediction");
    let mut session = opened(&ortho);
    let open = |session: &mut Session, path: &Path| {
        let (layer, path) = (LayerKind::Prediction, path.to_owned());
        finish(session, Command::OpenMask { layer, path });
    };
    open(&mut session, &files[0]);
    let draw = CheckCommand::Draw {
        of: LayerKind::Prediction,
        points: 20,
        seed: 1,
    };
    check(&mut session, draw);
    check(&mut session, CheckCommand::Leave);
    let of_file = |path: &Path| Some(CheckedMap::Prediction(Some(path.to_owned())));
    let of = |session: &Session| session.map_check().expect("points").of.clone();
    assert_eq!(of(&session), of_file(&files[0]));
    assert_eq!(session.map_instead_of_checked(), None);
    open(&mut session, &files[1]);
    assert_eq!(of(&session), of_file(&files[0]));
    assert_eq!(session.map_instead_of_checked(), of_file(&files[1]));
    // Points of a label are of that, whatever is predicted.
    check(&mut session, drawn(20));
    assert_eq!(of(&session), Some(CheckedMap::Label));
    assert_eq!(session.map_instead_of_checked(), None);
}
