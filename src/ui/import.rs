use std::path::Path;

use egui::{
    Color32, ComboBox, DragValue, Modal, Rect, ScrollArea, Sense, Shape, Stroke, Ui, WidgetInfo,
    vec2,
};

use super::theme;
use super::view::{CommandQueue, View};
use crate::exchange::{Alignment, ImageGround, MaskAudit, Question};
use crate::label::{Align, MaskDecisions};
use crate::session::{Command, ImportCommand, OverlayCommand, Session, Vectors};

/// What is being answered about a mask file.
#[derive(Clone, Debug, Default)]
pub struct ImportForm {
    /// The answers so far; `None` until the questions were shown.
    decisions: Option<MaskDecisions>,
    /// The attribute that says the class of polygons.
    attribute: String,
    /// How wide lines are drawn, in meters.
    line_width: f64,
}

/// Asks how polygons and lines become classes.
pub fn vectors_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let Some(vectors) = session.vectors() else {
        view.import.attribute.clear();
        return;
    };
    let form = &mut view.import;
    if form.attribute.is_empty() {
        let likely = ["class", "name", "label", "type"].map(str::to_owned);
        let found = likely.iter().find(|name| vectors.attributes.contains(name));
        let found = found.or(vectors.attributes.first());
        form.attribute = found.cloned().unwrap_or_default();
        form.line_width = form.line_width.max(3.0);
    }
    let (mut is_taken, mut is_shown) = (false, false);
    let response = Modal::new(egui::Id::unique("vectors")).show(ui.ctx(), |ui| {
        ui.set_width(420.0);
        ui.heading("Polygons and lines");
        ui.weak(vectors.path.display().to_string());
        how_ui(ui, vectors, form);
        ui.separator();
        ui.horizontal(|ui| {
            is_taken = ui.button("Draw them").clicked();
            is_shown = ui
                .button("Only show them")
                .on_hover_text("Their outlines lie over the image; no pixel changes")
                .clicked();
            if ui.button("Leave them").clicked() {
                ui.close();
            }
        });
        ui.weak("Drawing is one undo step; numbers are class indices, words are names.");
    });
    if is_taken {
        commands.push(Command::Import(ImportCommand::Draw {
            attribute: form.attribute.clone(),
            line_width: form.line_width,
        }));
    } else if is_shown {
        commands.push(Command::Import(ImportCommand::Overlay(OverlayCommand::Add)));
    } else if response.should_close() {
        commands.push(Command::Import(ImportCommand::Leave));
    }
}

/// What there is, and what of it says the class.
fn how_ui(ui: &mut Ui, vectors: &Vectors, form: &mut ImportForm) {
    let (all, lines) = (vectors.layer.shapes.len(), vectors.num_lines);
    ui.label(format!("{} polygons, {lines} lines", all - lines));
    ui.add_space(theme::GRID);
    ui.horizontal(|ui| {
        let label = ui.label("The class is said by");
        ComboBox::from_id_salt("class attribute")
            .selected_text(&form.attribute)
            .show_ui(ui, |ui| {
                for name in &vectors.attributes {
                    ui.selectable_value(&mut form.attribute, name.clone(), name);
                }
            })
            .response
            .labelled_by(label.id);
    });
    if lines > 0 {
        ui.horizontal(|ui| {
            let label = ui.label("Lines are");
            let width = DragValue::new(&mut form.line_width).range(0.1..=1_000.0);
            ui.add(width.suffix(" m wide").speed(0.1))
                .labelled_by(label.id);
        });
    }
}

/// Asks what a mask file leaves open before it becomes the label.
pub fn import_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let Some(examined) = session.examined() else {
        view.import.decisions = None;
        return;
    };
    let audit = &examined.audit;
    let questions = audit.open_questions();
    let mut decisions = view.import.decisions.unwrap_or_else(|| {
        let suggested = audit.suggested();
        // What was decided about a file before is likely to hold for the next.
        MaskDecisions {
            zero: session
                .decided_before()
                .map_or(suggested.zero, |before| before.zero),
            ..suggested
        }
    });
    let mut is_taken = false;
    let response = Modal::new(egui::Id::unique("import")).show(ui.ctx(), |ui| {
        ui.set_width(520.0);
        ui.heading("Before this mask becomes the label");
        ui.weak(examined.path.display().to_string());
        ui.add_space(theme::GRID);
        let height = (ui.ctx().content_rect().height() - 240.0).max(120.0);
        ScrollArea::vertical().max_height(height).show(ui, |ui| {
            let is_asked = |sentence: &String| {
                questions
                    .iter()
                    .any(|question| question.text.contains(sentence.as_str()))
            };
            for sentence in audit.sentences().iter().filter(|told| !is_asked(told)) {
                ui.label(sentence);
            }
            unknown_ui(ui, session);
            for question in &questions {
                question_ui(ui, question, &mut decisions);
            }
            place_ui(ui, audit, decisions.align);
        });
        ui.separator();
        ui.horizontal(|ui| {
            let can_take = audit.is_aligned() || decisions.align != Align::Refuse;
            is_taken = ui
                .add_enabled(can_take, egui::Button::new("Take it over"))
                .on_disabled_hover_text("Say first where it lies on the image")
                .clicked();
            if ui.button("Leave it").clicked() {
                ui.close();
            }
            ui.weak("One undo step; the file itself is never changed.");
        });
    });
    view.import.decisions = Some(decisions);
    if is_taken {
        let path = examined.path.clone();
        commands.push(Command::Import(ImportCommand::Take { path, decisions }));
    } else if response.should_close() {
        commands.push(Command::Import(ImportCommand::Leave));
    }
}

/// Values that no class explains, each with a place to look at.
fn unknown_ui(ui: &mut Ui, session: &Session) {
    const MOST_SHOWN: usize = 6;
    let Some(examined) = session.examined() else {
        return;
    };
    for unknown in examined.audit.survey.unknown.iter().take(MOST_SHOWN) {
        let (x, y) = unknown.at;
        ui.weak(format!(
            "No class: {}, {} pixels, one at x {x}, y {y}",
            unknown.value,
            super::text::grouped(unknown.pixels)
        ));
    }
}

/// Where the mask would lie on the image, drawn small: the image as a plane, the mask's border over
/// it.
fn place_ui(ui: &mut Ui, audit: &MaskAudit, decided: Align) {
    const SIDE: f32 = 150.0;
    if audit.is_aligned() {
        return;
    }
    let mask = ImageGround {
        size: audit.survey.size,
        georef: audit.survey.georef.clone(),
    };
    let Ok(alignment) = Alignment::new(&mask, &audit.image, decided, Path::new("")) else {
        return;
    };
    let Some(corners) = alignment.outline() else {
        return;
    };
    let size = audit.image.size;
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let around = corners
        .iter()
        .fold([0.0, 0.0, width, height], |around, at| {
            let [left, top, right, bottom]: [f64; 4] = around;
            // Far away ground would make the image a dot.
            let (x, y) = (
                at.x.clamp(-width, 2.0 * width),
                at.y.clamp(-height, 2.0 * height),
            );
            [left.min(x), top.min(y), right.max(x), bottom.max(y)]
        });
    let [left, top, right, bottom] = around;
    let scale = f64::from(SIDE) / (right - left).max(bottom - top);
    let extent = vec2(
        ((right - left) * scale) as f32,
        ((bottom - top) * scale) as f32,
    );
    let (rect, response) = ui.allocate_exact_size(extent + vec2(8.0, 8.0), Sense::hover());
    let told = "Where the mask lies on the image";
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, told));
    response.on_hover_text("Gray: the image. Outlined: the mask. Outside of it nothing is labeled");
    let point = |x: f64, y: f64| {
        rect.min
            + vec2(
                4.0 + ((x - left) * scale) as f32,
                4.0 + ((y - top) * scale) as f32,
            )
    };
    let painter = ui.painter_at(rect);
    let image = Rect::from_two_pos(point(0.0, 0.0), point(width, height));
    painter.rect_filled(image, 1.0, Color32::from_gray(90));
    let border: Vec<_> = corners.iter().map(|at| point(at.x, at.y)).collect();
    painter.add(Shape::convex_polygon(
        border,
        theme::ACCENT.gamma_multiply(0.25),
        Stroke::new(2.0, theme::ACCENT),
    ));
}

fn question_ui(ui: &mut Ui, question: &Question, decisions: &mut MaskDecisions) {
    ui.add_space(2.0 * theme::GRID);
    ui.strong(&question.text);
    for choice in &question.choices {
        let is_chosen = choice.answer.is_in(*decisions);
        if ui.radio(is_chosen, &choice.text).clicked() {
            *decisions = choice.answer.decide(*decisions);
        }
    }
}
