use egui::{Align, Button, Rect, RichText, ScrollArea, TextStyle, Ui, pos2, vec2};

use crate::session::{Command, Difference, LayerKind, PlaceKind, Review, ReviewCommand, Session};
use crate::ui::places::walk;
use crate::ui::text;
use crate::ui::view::{CommandQueue, View};

/// So many places are seen of the list at once.
const LISTED: f32 = 6.0;

/// The walk through the differences: begin it, decide, how far it is, and all its places.
pub fn review_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if session.image().is_none() {
        return;
    }
    let Some((review, current)) = session
        .review()
        .and_then(|review| Some((review, review.current()?)))
    else {
        view.listed = None;
        walks_ui(ui, session, view, commands);
        ui.separator();
        return;
    };
    let has_prediction = session.layer(LayerKind::Prediction).is_some();
    let (number, all) = review.position();
    let place = text::of_all(number as u64, all as u64);
    let words = ui.strong(format!("{} {place}", title(current)));
    if view.listed.is_none() {
        // The walk begins, perhaps from a cell far below.
        words.scroll_to_me(Some(Align::TOP));
    }
    ui.label(about(session, review, current));
    let (walked, found) = review.found();
    if walked < found {
        let first = text::of_all(walked as u64, found as u64);
        ui.weak(format!("The first {first} places, the largest first."));
    }
    decisions_ui(ui, (current.kind, has_prediction), session, view, commands);
    list_ui(ui, (review, current), session, view, commands);
    ui.separator();
}

/// What can be said about the place that is looked at.
fn decisions_ui(
    ui: &mut Ui,
    (kind, has_prediction): (PlaceKind, bool),
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let (leave, leave_help) = match kind {
        PlaceKind::Predicted(_) | PlaceKind::Doubtful(_) => (
            "Label is right (N)",
            "What is labeled there stays and counts as made by hand, so it is learned from",
        ),
        PlaceKind::Similar(_) => ("Leave (N)", "The label stays as it is"),
    };
    let take_help = match kind {
        PlaceKind::Predicted(_) => "The label becomes what is predicted",
        _ => "The label becomes what is predicted, but for what was made by hand",
    };
    let decisions = [
        ("Take over (Y)", take_help, ReviewCommand::Accept),
        (leave, leave_help, ReviewCommand::Reject),
        (
            "Skip (J)",
            "Decide later: it stays in the walk",
            ReviewCommand::Step { forth: true },
        ),
        (
            "End (Esc)",
            "What is decided stays decided",
            ReviewCommand::End,
        ),
    ];
    ui.horizontal_wrapped(|ui| {
        for (name, help, command) in decisions {
            let is_possible = command != ReviewCommand::Accept || has_prediction;
            let button = ui.add_enabled(is_possible, Button::new(name));
            let button = button.on_hover_text(help);
            let button = button.on_disabled_hover_text("Nothing is predicted");
            if !button.clicked() {
                continue;
            }
            match command {
                ReviewCommand::End => commands.push(Command::Review(command)),
                _ => walk(command, session, view, commands),
            }
        }
    });
}

const fn title(place: &Difference) -> &'static str {
    match place.kind {
        PlaceKind::Predicted(_) => "Difference",
        PlaceKind::Doubtful(_) => "Doubtful place",
        PlaceKind::Similar(_) => "Similar place",
    }
}

/// What is known of the place that is looked at.
fn about(session: &Session, review: &Review, place: &Difference) -> String {
    let name = |class| session.classes().name_of(class);
    match (place.kind, review.cell()) {
        (PlaceKind::Predicted(_), Some([truth, predicted])) => format!(
            "{} taken for {}, {}",
            name(truth),
            name(predicted),
            area(session, place)
        ),
        (PlaceKind::Predicted(class), None) => {
            format!(
                "The prediction says {}, {}",
                name(class),
                area(session, place)
            )
        }
        (PlaceKind::Doubtful(doubt), _) => format!(
            "Doubt {doubt:.2} of 1. Correct it, take the prediction over, or say that the label is \
             right."
        ),
        (PlaceKind::Similar(likeness), _) => {
            format!("Likeness {likeness:.2}, 1 being the same look")
        }
    }
}

fn area(session: &Session, place: &Difference) -> String {
    let pixels = text::grouped(place.pixels);
    format!("{pixels} px{}", session.square_meters(place.pixels))
}

/// All places of the walk, the current one marked; a press on another goes there.
fn list_ui(
    ui: &mut Ui,
    (review, current): (&Review, &Difference),
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let at = review.position().0 - 1;
    let spacing = ui.spacing();
    let height = ui.text_style_height(&TextStyle::Button) + 2.0 * spacing.button_padding.y;
    let height = height.max(spacing.interact_size.y);
    let step = height + spacing.item_spacing.y;
    let list = ScrollArea::vertical()
        .id_salt("places")
        .max_height(LISTED * step)
        .auto_shrink([false, true]);
    list.show_rows(ui, height, review.places().len(), |ui, rows| {
        let (corner, first) = (ui.max_rect().min, rows.start as f32);
        let size = vec2(ui.available_width(), height);
        let row_rect = |row: usize| {
            let top = corner.y + step * (row as f32 - first);
            Rect::from_min_size(pos2(corner.x, top), size)
        };
        if view.listed != Some(current.bounds) {
            view.listed = Some(current.bounds);
            ui.scroll_to_rect(row_rect(at), None);
        }
        for row in rows {
            let words = row_words(session, review, row);
            let button = Button::selectable(row == at, words).truncate();
            if ui.add(button.min_size(size)).clicked() {
                // Somebody who looked around meanwhile is brought back, too.
                view.reviewed = None;
                walk(ReviewCommand::GoTo(row), session, view, commands);
            }
        }
    });
}

/// The rank of a place, and what tells it from others.
fn row_words(session: &Session, review: &Review, row: usize) -> String {
    let place = &review.places()[row];
    let words = match (place.kind, review.cell()) {
        (PlaceKind::Predicted(class), None) => {
            let name = session.classes().name_of(class);
            format!("{name}, {}", area(session, place))
        }
        (PlaceKind::Similar(likeness), _) => format!("likeness {likeness:.2}"),
        (PlaceKind::Doubtful(doubt), _) => format!("doubt {doubt:.2}"),
        _ => area(session, place),
    };
    format!("{}.  {words}", row + 1)
}

/// The walks that can begin.
fn walks_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let has = |kind| session.layer(kind).is_some();
    let has_both = has(LayerKind::Label) && has(LayerKind::Prediction);
    let is_sure_known = has(LayerKind::Prediction) && session.certainty().is_some();
    let unpredicted = "There must be a label and a prediction";
    let unsure = "It is not known how sure this prediction is; predict here";
    let walks = [
        (
            "Differences",
            "Step through the places where label and prediction differ, the largest first (J)",
            ReviewCommand::Start,
            (has_both, unpredicted),
        ),
        (
            "Doubtful places",
            "Where to look next: ground where the prediction is unsure and differs, spread over \
             what is not done yet",
            ReviewCommand::StartDoubtful,
            (is_sure_known, unsure),
        ),
        (
            "Likely mistakes",
            "Places where the prediction is sure that the label is wrong",
            ReviewCommand::StartConfident,
            (is_sure_known, unsure),
        ),
        (
            "Similar places",
            "Ground anywhere in the image that looks like what is selected (Ctrl+F, also for what \
             is pointed at). The image is looked at as a whole the first time",
            ReviewCommand::StartSimilar(None),
            (session.selected().is_some(), "Select some ground first"),
        ),
    ];
    ui.label(RichText::new("Walk through").small().strong());
    ui.horizontal_wrapped(|ui| {
        for (name, help, command, (is_possible, why_not)) in walks {
            let button = ui.add_enabled(is_possible, Button::new(name));
            let button = button.on_hover_text(help);
            if button.on_disabled_hover_text(why_not).clicked() {
                walk(command, session, view, commands);
            }
        }
    });
}
