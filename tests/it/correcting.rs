//! Taking predictions over piece by piece, painting within selections, classes that come and go.

use orthobrush::geom::{ImagePoint, PixelRect};
use orthobrush::label::{EditKind, Hint, Mask, Side, UNLABELED, grouped};
use orthobrush::session::{
    ClassCommand, Command, InkChoice, LayerKind, PredictionInk, ReviewCommand, SelectHow,
    SelectionCommand, Session, Wholesale,
};

use crate::fixture::{finish, own_sample, rectangle, sample, session, settle};

/// The sample with its true label as a prediction.
fn predicted() -> Session {
    let mut session = session();
    let path = sample().ortho.clone();
    finish(&mut session, Command::Open { path });
    let (layer, path) = (LayerKind::Prediction, sample().label_true.clone());
    finish(&mut session, Command::OpenMask { layer, path });
    session
}

fn mask(session: &Session, kind: LayerKind) -> Mask {
    session.layer(kind).expect("a layer").mask.clone()
}

fn point(x: f64, y: f64) -> ImagePoint {
    ImagePoint::new(x, y)
}

/// Number of pixels in which two masks differ.
fn differing(one: &Mask, other: &Mask) -> u64 {
    orthobrush::label::Edit::between(one, other, EditKind::Brush)
        .map_or(0, |edit| edit.num_pixels())
}

#[test]
fn a_lasso_takes_the_prediction_over_where_it_is_drawn() {
    let mut session = predicted();
    let (before, prediction) = (
        mask(&session, LayerKind::Label),
        mask(&session, LayerKind::Prediction),
    );
    let all = differing(&before, &prediction);
    session
        .apply(Command::SetInk(InkChoice::Prediction(
            PredictionInk::default(),
        )))
        .expect("accepted");
    let part = PixelRect::new(100, 100, 700, 600);
    let corners = rectangle(part);
    session
        .apply(Command::FillPolygon {
            corners,
            class: None,
        })
        .expect("accepted");
    let after = mask(&session, LayerKind::Label);
    assert_eq!(after.read_rect(part), prediction.read_rect(part));
    assert!(differing(&after, &prediction) < all);
    assert!(session.origin_areas()[2] > 0, "it is the model's work");
    session.apply(Command::Undo).expect("accepted");
    assert_eq!(mask(&session, LayerKind::Label), before);
    // Only one class of it, with the brush.
    let ink = PredictionInk {
        only: Some(3),
        least: 0.0,
    };
    session
        .apply(Command::SetInk(InkChoice::Prediction(ink)))
        .expect("accepted");
    finish(
        &mut session,
        Command::AcceptPrediction(orthobrush::session::Over::All),
    );
    let after = mask(&session, LayerKind::Label);
    let taken =
        orthobrush::label::Edit::between(&before, &after, EditKind::Accept).expect("some water");
    assert!(taken.changes().iter().all(|change| change.to == 3));
    assert_eq!(after.histogram()[3], {
        let counts = prediction.histogram()[3];
        counts.max(after.histogram()[3])
    });
}

#[test]
fn differences_are_taken_over_or_left_one_by_one() {
    let mut session = predicted();
    finish(&mut session, Command::Review(ReviewCommand::Start));
    let (_, all) = session.review().expect("differences").position();
    assert!(all > 2, "{all} differences");
    let first = session
        .review()
        .and_then(|review| review.current())
        .expect("one")
        .clone();
    let prediction = mask(&session, LayerKind::Prediction);
    let before = differing(&mask(&session, LayerKind::Label), &prediction);
    session
        .apply(Command::Review(ReviewCommand::Accept))
        .expect("accepted");
    session.check_invariants();
    let after = differing(&mask(&session, LayerKind::Label), &prediction);
    assert_eq!(
        before - after,
        first.pixels,
        "just that ground was taken over"
    );
    let second = session
        .review()
        .and_then(|review| review.current())
        .expect("one")
        .clone();
    assert!(second.pixels <= first.pixels, "the largest come first");
    session
        .apply(Command::Review(ReviewCommand::Reject))
        .expect("accepted");
    assert_eq!(session.review().expect("more").position(), (1, all - 2));
    assert_eq!(session.review().expect("more").decided(), (1, 1));
    session
        .apply(Command::Review(ReviewCommand::Step { forth: false }))
        .expect("accepted");
    assert_eq!(
        session.review().expect("more").position(),
        (all - 2, all - 2)
    );
    while session.review().is_some() {
        session
            .apply(Command::Review(ReviewCommand::Reject))
            .expect("accepted");
    }
    assert_eq!(
        differing(&mask(&session, LayerKind::Label), &prediction),
        after
    );
}

#[test]
fn tools_paint_only_within_the_selection() {
    let mut session = predicted();
    let before = mask(&session, LayerKind::Label);
    let select = |session: &mut Session, rect, how| {
        let corners = rectangle(rect);
        let command = SelectionCommand::Polygon { corners, how };
        session
            .apply(Command::Selection(command))
            .expect("accepted");
    };
    select(
        &mut session,
        PixelRect::new(200, 200, 100, 100),
        SelectHow::Replace,
    );
    select(
        &mut session,
        PixelRect::new(400, 200, 50, 100),
        SelectHow::Add,
    );
    select(
        &mut session,
        PixelRect::new(200, 250, 400, 50),
        SelectHow::Subtract,
    );
    assert_eq!(
        session.selected().expect("some").pixels.num_pixels(),
        100 * 50 + 50 * 50
    );
    for command in [
        Command::SetBrushDiameter(400.0),
        Command::BeginStroke {
            at: point(300.0, 250.0),
            class: UNLABELED,
        },
        Command::EndStroke,
    ] {
        session.apply(command).expect("accepted");
    }
    let after = mask(&session, LayerKind::Label);
    let erased = |mask: &Mask, rect| mask.read_rect(rect).iter().all(|&class| class == UNLABELED);
    assert!(erased(&after, PixelRect::new(200, 200, 100, 50)));
    assert!(erased(&after, PixelRect::new(400, 200, 50, 50)));
    assert_eq!(
        after.read_rect(PixelRect::new(300, 200, 100, 100)),
        before.read_rect(PixelRect::new(300, 200, 100, 100))
    );
    session
        .apply(Command::Selection(SelectionCommand::Drop))
        .expect("accepted");
    assert!(session.selected().is_none());
}

#[test]
fn a_click_on_an_object_selects_it_and_enter_fills_it() {
    let mut session = predicted();
    let truth = mask(&session, LayerKind::Prediction);
    // Some pixel well inside the largest water.
    let at = truth.position_of(3).expect("water");
    let hint = Hint::click(
        Side::For,
        point(f64::from(at.0) + 0.5, f64::from(at.1) + 4.5),
    );
    let visible = PixelRect::new(0, 0, 1_024, 1_024);
    let command = SelectionCommand::Object { hint, visible };
    finish(&mut session, Command::Selection(command));
    let selected = session.selected().expect("an object").pixels.num_pixels();
    assert!(selected > 50, "{selected} pixels");
    session.apply(Command::SelectClass(3)).expect("accepted");
    let water = session.areas()[3];
    session
        .apply(Command::Selection(SelectionCommand::Fill))
        .expect("accepted");
    assert!(session.areas()[3] >= water && session.selected().is_none());
    assert!(
        session.object_hints().is_empty(),
        "the next click begins another object"
    );
}

#[test]
fn a_removed_class_gives_its_pixels_away_and_comes_back_with_undo() {
    let (_folder, ortho) = own_sample();
    let mut session = session();
    finish(&mut session, Command::Open { path: ortho });
    let (water, wood) = (session.areas()[3], session.areas()[2]);
    let tell = |session: &mut Session, command| finish(session, Command::Class(command));
    tell(&mut session, ClassCommand::Remove { class: 3, into: 2 });
    assert!(session.classes().get(3).is_none());
    assert_eq!((session.areas()[3], session.areas()[2]), (0, wood + water));
    finish(&mut session, Command::Undo);
    assert_eq!(session.classes().get(3).expect("it is back").name, "water");
    assert_eq!(session.areas()[3], water);
    // The order and what is shown change no index.
    tell(&mut session, ClassCommand::Move { class: 4, place: 0 });
    assert_eq!(session.shown_classes()[0].index, 4);
    tell(&mut session, ClassCommand::Solo { class: 4 });
    assert!(session.is_class_visible(4) && !session.is_class_visible(2));
    tell(&mut session, ClassCommand::Solo { class: 4 });
    assert!(session.is_class_visible(2));
    assert_eq!(session.areas()[3], water);
}

#[test]
fn a_class_added_after_a_removal_takes_nothing_of_it_over() {
    let mut session = predicted();
    let water = session.areas()[3];
    let tell = |session: &mut Session, command| finish(session, Command::Class(command));
    let add = |name: &str| ClassCommand::Add {
        name: name.to_owned(),
    };
    tell(&mut session, ClassCommand::Remove { class: 3, into: 2 });
    tell(&mut session, add("sheds"));
    assert_eq!(session.active_class(), 5);
    assert!(session.classes().get(3).is_none(), "the prediction has it");
    finish(&mut session, Command::Undo);
    assert_eq!((session.areas()[3], session.areas()[5]), (water, 0));
    let names = [3, 5].map(|class| session.classes().name_of(class));
    assert_eq!(names, ["water", "sheds"]);
    // A class of the same name is the same class.
    tell(&mut session, ClassCommand::Remove { class: 3, into: 2 });
    tell(&mut session, add("water"));
    assert_eq!(session.active_class(), 3);
    assert_eq!(session.next_class(), Some(6));
    finish(&mut session, Command::Undo);
    assert_eq!(session.areas()[3], water);
    assert_eq!(session.classes().classes().len(), 6);
    // Of the last class as well, which nothing on the label has.
    tell(&mut session, ClassCommand::Remove { class: 5, into: 0 });
    tell(&mut session, add("barns"));
    assert_eq!(session.active_class(), 6);
}

#[test]
fn nobody_paints_or_erases_what_is_hidden_unseen() {
    let (_folder, ortho) = own_sample();
    let mut session = session();
    finish(&mut session, Command::Open { path: ortho });
    let square = |x| rectangle(PixelRect::new(x, 100, 50, 50));
    let fill = |session: &mut Session, x, class| {
        let corners = square(x);
        let class = Some(class);
        session
            .apply(Command::FillPolygon { corners, class })
            .expect("accepted");
        session.take_notices()
    };
    let hide = |session: &mut Session, class| {
        let is_visible = false;
        let command = ClassCommand::Show { class, is_visible };
        session.apply(Command::Class(command)).expect("accepted");
    };
    // Painting shows the class again.
    hide(&mut session, 2);
    let told = fill(&mut session, 100, 2);
    assert!(session.is_class_visible(2));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].text.contains("woodland"), "{told:?}");
    assert_eq!(fill(&mut session, 200, 2), []);
    // Another class over it is warned of once, until it is hidden again.
    hide(&mut session, 2);
    for (x, class, warnings) in [(100, 1, 1), (200, UNLABELED, 0)] {
        let told = fill(&mut session, x, class);
        assert_eq!(told.len(), warnings, "{told:?}");
    }
    assert!(!session.is_class_visible(2));
    fill(&mut session, 100, 2);
    hide(&mut session, 2);
    let at = point(120.0, 120.0);
    let class = UNLABELED;
    for command in [Command::BeginStroke { at, class }, Command::EndStroke] {
        session.apply(command).expect("accepted");
    }
    let told = session.take_notices();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].text.contains("woodland"), "{told:?}");
}

#[test]
fn how_much_was_changed_is_told_in_groups_of_three_digits() {
    let (_folder, ortho) = own_sample();
    let mut session = session();
    finish(&mut session, Command::Open { path: ortho });
    let pixels = session.areas()[0];
    let change = Wholesale::Replace { from: 0, to: 3 };
    let within = None;
    session
        .apply(Command::Wholesale { change, within })
        .expect("accepted");
    while session.pump(64) > 0 || !session.is_idle() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let told = session.take_notices();
    let words = format!("{} pixels changed ", grouped(pixels));
    assert!(pixels >= 1_000, "{pixels}");
    assert!(
        told.iter().any(|notice| notice.text.contains(&words)),
        "{told:?}"
    );
    let ground = session.square_meters(400_000_000);
    assert!(ground.contains(','), "{ground}");
}

#[test]
fn class_tables_go_out_and_come_back() {
    let (folder, ortho) = own_sample();
    let mut session = session();
    finish(&mut session, Command::Open { path: ortho });
    let table = session.classes().clone();
    for name in ["c.csv", "c.toml"] {
        let path = folder.path().join(name);
        let saved = ClassCommand::Save { path: path.clone() };
        finish(&mut session, Command::Class(saved));
        let renamed = ClassCommand::Rename {
            class: 3,
            name: "sea".to_owned(),
        };
        finish(&mut session, Command::Class(renamed));
        finish(&mut session, Command::Class(ClassCommand::Load { path }));
        let names = |table: &orthobrush::label::ClassTable| {
            let all = table.classes().iter();
            all.map(|class| (class.name.clone(), class.color))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(session.classes()), names(&table), "{name}");
    }
    let path = folder.path().join("c.csv");
    orthobrush::disk::replace_file(&path, b"index,name,color\n0,ground,#000000\n")
        .expect("written");
    finish(&mut session, Command::Class(ClassCommand::Load { path }));
    assert_eq!(session.classes().name_of(0), "ground");
    assert_eq!(
        session.classes().name_of(3),
        "water",
        "the label has it, so it stays"
    );
    assert!(settle(&mut session).is_empty());
}

#[test]
fn a_clean_up_is_previewed_and_stays_within_the_selection() {
    let mut session = predicted();
    let before = mask(&session, LayerKind::Label);
    let change = Wholesale::Replace { from: 0, to: 3 };
    let chosen = PixelRect::new(100, 100, 300, 200);
    let corners = rectangle(chosen);
    let how = SelectHow::Replace;
    finish(
        &mut session,
        Command::Selection(SelectionCommand::Polygon { corners, how }),
    );
    let part = PixelRect::new(0, 0, 1_024, 500);
    finish(&mut session, Command::Preview { change, part });
    let would = session
        .preview()
        .and_then(|preview| preview.pixels)
        .expect("a count");
    let shown = mask(&session, LayerKind::Preview);
    assert_eq!(shown.histogram()[3], would);
    assert_eq!(
        mask(&session, LayerKind::Label),
        before,
        "nothing is done yet"
    );
    finish(
        &mut session,
        Command::Wholesale {
            change,
            within: None,
        },
    );
    let after = mask(&session, LayerKind::Label);
    assert_eq!(differing(&before, &after), would);
    assert!(session.preview().is_none() && session.layer(LayerKind::Preview).is_none());
    let inside = |mask: &Mask| mask.read_rect(chosen).contains(&0);
    assert!(inside(&before) && !inside(&after));
}
