use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::args::QueueArgs;
use super::finetune::opened;
use crate::disk::path_text;
use crate::session::{Command, Difference, PlaceKind, Predicting, Session};
use crate::train::Flips;

/// Lets a network predict the image of a project and ranks the places that somebody should look at.
pub fn run(args: &QueueArgs) -> anyhow::Result<()> {
    let mut drive = opened("Queue", &args.of)?;
    let model = args
        .model
        .clone()
        .or_else(|| drive.session().model_in_use());
    let model = model.context(
        "The project has no model yet. Name a run with --model, or train one with \
         `orthobrush train`",
    )?;
    let flips = if args.tta { Flips::All } else { Flips::None };
    for choice in [
        Predicting::Flips(flips),
        Predicting::Certainty(args.certainty_by),
    ] {
        drive.finish(Command::SetPredicting(choice))?;
    }
    drive.finish(Command::predict(Some(model.clone())))?;
    drive.finish(Command::Review(args.by.walk()))?;
    let session = drive.session();
    let review = session.review();
    let all = review.map_or(&[][..], |review| review.places());
    ensure!(
        args.json || !all.is_empty(),
        "There is no such place. Doubt leaves cells that are done out; --by differences does not"
    );
    let places = &all[..all.len().min(args.count)];
    let mut ranked = (1..).zip(places);
    if args.json {
        let places: Vec<Value> = ranked
            .map(|(rank, place)| entry(session, rank, place))
            .collect();
        say!(
            "{}",
            json!({ "model": path_text(&model), "by": args.by.name(), "places": places })
        );
    } else {
        ranked.try_for_each(|(rank, place)| {
            say!("{}", line(session, rank, place));
            anyhow::Ok(())
        })?;
    }
    Ok(())
}

/// The class that is predicted there, where that is why somebody should look.
fn class_of(session: &Session, place: &Difference) -> Option<String> {
    let PlaceKind::Predicted(index) = place.kind else {
        return None;
    };
    let class = session.classes().get(index)?;
    Some(class.name.clone())
}

/// How doubtful it is, where that is why somebody should look.
const fn doubt_of(place: &Difference) -> Option<f64> {
    match place.kind {
        PlaceKind::Doubtful(doubt) => Some(doubt),
        PlaceKind::Predicted(_) | PlaceKind::Similar(_) => None,
    }
}

fn entry(session: &Session, rank: usize, place: &Difference) -> Value {
    let rect = place.bounds;
    json!({
        "rank": rank,
        "rect": [rect.x, rect.y, rect.width, rect.height],
        "pixels": place.pixels,
        "predicted": class_of(session, place),
        "doubt": doubt_of(place),
    })
}

fn line(session: &Session, rank: usize, place: &Difference) -> String {
    let rect = place.bounds;
    let (x, y, width, height) = (rect.x, rect.y, rect.width, rect.height);
    let what = class_of(session, place).map_or(String::new(), |name| format!("  {name}"));
    format!("{rank:>5}  {x},{y},{width},{height}{what}")
}
