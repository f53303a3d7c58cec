use std::path::Path;

use egui::{Button, Color32, DragValue, Grid, ProgressBar, RichText, Ui};

use crate::label::{CheckPoint, CheckedMap, MapCheck, Seen};
use crate::metrics::{AreaEstimates, ClassArea, Margined};
use crate::session::{CheckCommand, Command, LayerKind, MOST_POINTS, PlaceCommand, Session};
use crate::ui::dialogs::FileWish;
use crate::ui::training::swatch_ui;
use crate::ui::view::{CommandQueue, View};
use crate::ui::{text, theme};

/// What is to be drawn next.
#[derive(Clone, Copy, Debug)]
pub struct AreaForm {
    points: usize,
    of: LayerKind,
    /// How often was drawn: each time other points.
    draws: u64,
    /// Whether dropping the points was asked for once.
    asks_to_drop: bool,
}

impl Default for AreaForm {
    fn default() -> Self {
        Self {
            points: 200,
            of: LayerKind::Prediction,
            draws: 0,
            asks_to_drop: false,
        }
    }
}

/// What a command about points is.
pub const fn check(command: CheckCommand) -> Command {
    Command::Place(PlaceCommand::Check(command))
}

/// How much ground each class covers: the sample, the point in work, and the estimates.
pub fn area_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if session.image().is_none() {
        ui.weak("Open an image first.");
        return;
    }
    let Some(points) = session.map_check() else {
        return draw_ui(ui, session, view, commands);
    };
    match session.checked_point() {
        Some(point) => point_ui(ui, session, points, point, commands),
        None => rest_ui(ui, points, view, commands),
    }
    ui.separator();
    map_ui(ui, session, points);
    match session.area_estimates() {
        Some(estimates) => estimates_ui(ui, session, &estimates),
        None => {
            ui.weak(session.areas_lack().unwrap_or_default());
        }
    }
}

fn draw_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    ui.label(
        "A map is never quite right, so counting its pixels is not the area of a class. Look at \
         some random points of it, and you get areas and accuracies with 95 % intervals.",
    );
    ui.weak("Stratified random sample; Olofsson et al. 2014.");
    ui.add_space(theme::GRID);
    let form = &mut view.area;
    let has = |kind| session.layer(kind).is_some();
    if !has(form.of) {
        form.of = LayerKind::Label;
    }
    ui.horizontal(|ui| {
        ui.label("Map");
        for (kind, name) in [
            (LayerKind::Prediction, "Prediction"),
            (LayerKind::Label, "Label"),
        ] {
            ui.add_enabled_ui(has(kind), |ui| {
                ui.selectable_value(&mut form.of, kind, name);
            });
        }
    });
    ui.horizontal(|ui| {
        ui.label("Points");
        ui.add(DragValue::new(&mut form.points).range(10..=MOST_POINTS))
            .on_hover_text(
                "Half of them are spread evenly over the classes, so that rare ones have some, \
                 and half by ground. Four times as many halve the interval",
            );
    });
    let draw = ui.add_enabled(has(form.of), Button::new("Draw points and begin"));
    if draw
        .on_disabled_hover_text("There must be a label or a prediction")
        .clicked()
    {
        form.draws += 1;
        commands.push(check(CheckCommand::Draw {
            of: form.of,
            points: form.points,
            seed: form.draws,
        }));
    }
}

/// The question what is at a point.
fn point_ui(
    ui: &mut Ui,
    session: &Session,
    points: &MapCheck,
    (at, point): (usize, CheckPoint),
    commands: &mut CommandQueue,
) {
    let place = text::of_all(at as u64 + 1, points.points.len() as u64);
    ui.strong(format!("Point {place}"));
    ui.label("What is in the marked pixel? The map is hidden, so that it does not tell.");
    let classes = session.shown_classes();
    for (place, class) in classes.iter().enumerate() {
        let key = if place < 9 {
            format!(" ({})", place + 1)
        } else {
            String::new()
        };
        let is_said = point.seen == Some(Seen::Class(class.index));
        ui.horizontal(|ui| {
            let [r, g, b] = class.color;
            swatch_ui(ui, Color32::from_rgb(r, g, b));
            let button = Button::new(format!("{}{key}", class.name)).selected(is_said);
            if ui.add(button).clicked() {
                commands.push(check(CheckCommand::Say(Seen::Class(class.index))));
            }
        });
    }
    ui.horizontal_wrapped(|ui| {
        for (name, command) in [
            ("Cannot tell (N)", CheckCommand::Say(Seen::Unclear)),
            ("Back (Shift+J)", CheckCommand::Step { forth: false }),
            ("Next (J)", CheckCommand::Step { forth: true }),
            ("Pause (Esc)", CheckCommand::Leave),
        ] {
            if ui.button(name).clicked() {
                commands.push(check(command));
            }
        }
    });
    progress_ui(ui, points);
}

fn progress_ui(ui: &mut Ui, points: &MapCheck) {
    let (done, unclear) = points.progress();
    let all = points.points.len();
    let checked = text::of_all(done as u64, all as u64);
    let words = match unclear {
        0 => format!("{checked} checked"),
        _ => format!("{checked} checked, {unclear} of them cannot be told"),
    };
    ui.add(ProgressBar::new(done as f32 / all as f32).desired_height(4.0));
    ui.weak(words);
}

/// What can be done with points that nobody looks at now.
fn rest_ui(ui: &mut Ui, points: &MapCheck, view: &mut View, commands: &mut CommandQueue) {
    progress_ui(ui, points);
    let is_done = points.progress().0 == points.points.len();
    ui.horizontal_wrapped(|ui| {
        let go_on = if is_done { "Look again" } else { "Go on" };
        if ui.button(go_on).clicked() {
            commands.push(check(CheckCommand::GoOn));
        }
        if ui.button("Export…").clicked() {
            view.dialogs.ask(FileWish::ExportAreas);
        }
        let name = if view.area.asks_to_drop {
            "Really drop all answers?"
        } else {
            "Drop the points"
        };
        if ui.button(name).clicked() {
            if view.area.asks_to_drop {
                commands.push(check(CheckCommand::Drop));
            }
            view.area.asks_to_drop = !view.area.asks_to_drop;
        }
    });
}

/// Which map the points are of, and whether another one is there by now.
fn map_ui(ui: &mut Ui, session: &Session, points: &MapCheck) {
    let Some(of) = points.of.as_ref().map(map_name) else {
        return;
    };
    match session.map_instead_of_checked() {
        Some(other) => {
            let other = map_name(&other);
            let words = format!(
                "These points are of {of} and say nothing about {other}, which is there now. To \
                 check that, drop them and draw others."
            );
            theme::words(ui, theme::WARNING, words);
        }
        None => {
            ui.weak(format!("The points are of {of}."));
        }
    }
}

fn map_name(map: &CheckedMap) -> String {
    let CheckedMap::Prediction(by) = map else {
        return "the label".to_owned();
    };
    let name = by.as_deref().and_then(Path::file_name);
    name.map_or_else(
        || "a prediction".to_owned(),
        |name| format!("the prediction of {}", name.to_string_lossy()),
    )
}

/// Areas as the sample says, beside what the map has.
fn estimates_ui(ui: &mut Ui, session: &Session, estimates: &AreaEstimates) {
    ui.horizontal(|ui| {
        ui.label("Accuracy of the map");
        ui.monospace(percent(estimates.overall));
    })
    .response
    .on_hover_text("Share of the ground that is mapped as what it is, with its 95 % interval");
    let hectares = session
        .mapped_square_meters()
        .map(|meters| meters / 10_000.0);
    Grid::new("areas")
        .num_columns(3)
        .striped(true)
        .show(ui, |ui| {
            let unit = if hectares.is_some() { "ha" } else { "%" };
            for (head, help) in [
                ("Class", "Point at a row for how right the map is about it"),
                (
                    &*format!("Map, {unit}"),
                    "What the map says: its pixels counted",
                ),
                (
                    &*format!("Checked, {unit}"),
                    "What the checked points say, with the 95 % interval",
                ),
            ] {
                ui.label(RichText::new(head).small().strong())
                    .on_hover_text(help);
            }
            ui.end_row();
            let scale = hectares.unwrap_or(100.0);
            for (class, area) in session.area_classes().iter().zip(&estimates.per_class) {
                ui.label(&class.name).on_hover_text(accuracies(area));
                number_ui(ui, format!("{:.1}", area.mapped * scale));
                let (value, margin) = (area.share.value * scale, area.share.margin * scale);
                number_ui(ui, format!("{value:.1} ± {margin:.1}"));
                ui.end_row();
            }
        });
    if let Some(removed) = session.areas_removed() {
        ui.weak(removed);
    }
}

fn number_ui(ui: &mut Ui, text: String) {
    ui.label(RichText::new(text).small().monospace());
}

fn percent(of: Margined) -> String {
    format!("{:.1} ± {:.1} %", of.value * 100.0, of.margin * 100.0)
}

fn accuracies(area: &ClassArea) -> String {
    let words = |of: Option<Margined>| of.map_or_else(|| "not known".to_owned(), percent);
    format!(
        "User's accuracy (mapped as it and is it): {}\nProducer's accuracy (is it and mapped as \
         it): {}",
        words(area.users),
        words(area.producers)
    )
}
