use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{
    Align, DragValue, Frame, Layout, PopupCloseBehavior, ScrollArea, Slider, TextStyle, Ui,
    UiBuilder, vec2,
};

use crate::label::BrushShape;
use crate::session::{
    Command, InkChoice, LayerKind, PredictionInk, SUPERPIXEL_SIDES, SelectionCommand, Session, Tool,
};
use crate::ui::keys::{Action, Keymap};
use crate::ui::perform::toggled_instant;
use crate::ui::view::{CommandQueue, ShapeUse, View};
use crate::ui::{text, theme};

/// A bar that is not as wide as this, in points, has no room for all options of a brush.
const WIDE: f32 = 560.0;

/// How high the bar is, with its margins: the same whatever it shows, so that the picture above
/// stays under the pointer.
pub fn bar_height(ui: &Ui) -> f32 {
    let button = ui.text_style_height(&TextStyle::Button) + 2.0 * ui.spacing().button_padding.y;
    let margin = Frame::side_top_panel(ui.style()).total_margin().sum().y;
    button.max(ui.spacing().interact_size.y).ceil() + margin
}

/// The options of the tool in hand, in one line below the canvases. What is selected stands at the
/// right end; options that do not fit beside it scroll.
pub fn options_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let room = ui.available_rect_before_wrap();
    let from_right = Layout::right_to_left(Align::Center);
    // A child, so that nothing in it makes the bar a pixel higher.
    let mut bar = ui.new_child(UiBuilder::new().max_rect(room).layout(from_right));
    bar.spacing_mut().item_spacing.x = 10.0;
    selected_ui(&mut bar, session, commands);
    let is_narrow = room.width() < WIDE && session.selected().is_none();
    if is_narrow && paints(session.tool()) {
        // It stands still beside what scrolls.
        instant_ui(&mut bar, session, &view.keymap, commands);
        bar.separator();
    }
    bar.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.style_mut().always_scroll_the_only_direction = true;
        let line = ScrollArea::horizontal().auto_shrink(false);
        line.show(ui, |ui| tool_ui(ui, session, view, is_narrow, commands));
    });
    ui.advance_cursor_after_rect(room);
}

/// Whether a tool paints, in some way.
const fn paints(tool: Tool) -> bool {
    !matches!(tool, Tool::Pan | Tool::Picker | Tool::Ruler)
}

fn tool_ui(
    ui: &mut Ui,
    session: &Session,
    view: &mut View,
    is_narrow: bool,
    commands: &mut CommandQueue,
) {
    active_class_ui(ui, session);
    ui.separator();
    if matches!(
        session.tool(),
        Tool::Polygon | Tool::Lasso | Tool::Rectangle
    ) {
        ui.selectable_value(&mut view.shape_use, ShapeUse::Fill, "Fill");
        ui.selectable_value(&mut view.shape_use, ShapeUse::Select, "Select")
            .on_hover_text("Shift adds to the selection, the right button takes away");
        ui.separator();
    }
    if session.tool() == Tool::Line {
        width_ui(ui, session, commands);
        ui.separator();
    }
    if session.tool() == Tool::Wand {
        wand_ui(ui, session, commands);
        ui.separator();
    }
    if session.tool() == Tool::Superpixel {
        size_ui(ui, session, is_narrow, commands);
        grain_ui(ui, session, commands);
        ui.separator();
    }
    if matches!(session.tool(), Tool::Brush | Tool::Eraser) {
        size_ui(ui, session, is_narrow, commands);
        shape_ui(ui, session, commands);
        ui.separator();
    }
    if paints(session.tool()) {
        let mut only = session.only_unlabeled();
        if ui.checkbox(&mut only, "Only over unlabeled").changed() {
            commands.push(Command::SetOnlyUnlabeled(only));
        }
        if !is_narrow {
            instant_ui(ui, session, &view.keymap, commands);
        }
        ink_ui(ui, session, commands);
    }
    hint_ui(ui, session);
}

fn shape_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let mut is_square = session.brush_shape() == BrushShape::Square;
    if ui.checkbox(&mut is_square, "Square").changed() {
        let shape = if is_square {
            BrushShape::Square
        } else {
            BrushShape::Round
        };
        commands.push(Command::SetBrushShape(shape));
    }
}

/// What keys and buttons do with the tool in hand.
fn hint_ui(ui: &mut Ui, session: &Session) {
    let hint = match session.tool() {
        Tool::Polygon => "Enter fills · Backspace drops the last corner · Esc cancels",
        Tool::Line => "Enter paints · Backspace drops the last point · Esc cancels",
        Tool::Ruler => "Click along a way or around ground · Esc ends",
        Tool::Object if session.selected().is_none() => {
            "Click the object · right-click what is not part of it · drag inside it"
        }
        _ => return,
    };
    ui.weak(hint);
}

/// Whether tools paint the active class or what the prediction says.
fn ink_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    if session.layer(LayerKind::Prediction).is_none() {
        return;
    }
    let mut takes = session.paints_prediction();
    let check = ui.checkbox(&mut takes, "From the prediction");
    if check
        .on_hover_text("Paint what the prediction says")
        .changed()
    {
        commands.push(Command::SetInk(if takes {
            InkChoice::Prediction(PredictionInk::default())
        } else {
            InkChoice::ActiveClass
        }));
    }
    let InkChoice::Prediction(ink) = session.ink() else {
        return;
    };
    let stays_open = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    let (button, shown) = MenuButton::new(ink_words(ink, session))
        .config(stays_open)
        .ui(ui, |ui| taken_ui(ui, ink, session));
    button.on_hover_text("Which class is painted, and how sure the prediction has to be of it");
    if let Some(new) = shown.map(|shown| shown.inner).filter(|new| *new != ink) {
        commands.push(Command::SetInk(InkChoice::Prediction(new)));
    }
}

/// What is taken from the prediction, short enough that the bar stays one line.
fn ink_words(ink: PredictionInk, session: &Session) -> String {
    let class = |index| session.classes().name_of(index);
    let class = ink.only.map_or("all classes".to_owned(), class);
    if ink.least > 0.0 {
        format!("{class} > {:.0} %", ink.least * 100.0)
    } else {
        class
    }
}

/// The choice of class and certainty.
fn taken_ui(ui: &mut Ui, ink: PredictionInk, session: &Session) -> PredictionInk {
    let mut new = ink;
    ui.selectable_value(&mut new.only, None, "all classes");
    for class in session.classes().classes() {
        ui.selectable_value(&mut new.only, Some(class.index), &class.name);
    }
    if session.certainty().is_some() {
        ui.separator();
        ui.horizontal(|ui| {
            let label = ui.label("surer than");
            let percent = |value: f64, _| format!("{:.0} %", value * 100.0);
            let drag = DragValue::new(&mut new.least).range(0.0..=1.0).speed(0.01);
            ui.add(drag.custom_formatter(percent)).labelled_by(label.id);
        });
    }
    new
}

/// Whether what is seen is answered from the scribbles at hand.
fn instant_ui(ui: &mut Ui, session: &Session, keys: &Keymap, commands: &mut CommandQueue) {
    let mut is_on = session.instant().is_some();
    let check = ui.checkbox(&mut is_on, "Instant answers");
    let help = "Answers what is seen after each stroke, from as little as one stroke a class";
    let check = check.on_hover_ui(|ui| {
        ui.strong(keys.tooltip(Action::InstantAnswers));
        ui.label(help);
    });
    if check.changed() {
        commands.push(Command::Instant(toggled_instant(session)));
    }
}

/// The width of lines, in meters where the image lies on the map.
fn width_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let meters = session.image().and_then(|image| image.pixel_meters);
    let (pixel, unit) = meters.map_or((1.0, " px"), |[width, _]| (width, " m"));
    let label = ui.label("Width");
    let mut width = session.brush_diameter() * pixel;
    let drag = DragValue::new(&mut width)
        .range(pixel..=4_096.0 * pixel)
        .suffix(unit)
        .speed(0.1)
        .max_decimals(1);
    if ui.add(drag).labelled_by(label.id).changed() {
        commands.push(Command::SetBrushDiameter(width / pixel));
    }
}

/// The selection, which tools paint within; from right to left.
fn selected_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let Some(selected) = session.selected() else {
        return;
    };
    if ui.button("Drop (Esc)").clicked() {
        commands.push(Command::Selection(SelectionCommand::Drop));
    }
    if ui.button("Fill (Enter)").clicked() {
        commands.push(Command::Selection(SelectionCommand::Fill));
    }
    ui.label(format!(
        "{} px selected",
        text::grouped(selected.pixels.num_pixels())
    ))
    .on_hover_text("Tools paint only within the selection");
    ui.separator();
}

fn grain_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let label = ui.label("Patch");
    let mut side = session.superpixel_side();
    let drag = DragValue::new(&mut side)
        .range(SUPERPIXEL_SIDES)
        .suffix(" px");
    let dragged = ui.add(drag).labelled_by(label.id);
    if dragged
        .on_hover_text("About how large a patch is")
        .changed()
    {
        commands.push(Command::SetSuperpixelSide(side));
    }
}

fn wand_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let mut wand = session.wand_settings();
    let label = ui.label("Tolerance");
    let slider = Slider::new(&mut wand.tolerance, 0..=128);
    let slid = ui.add(slider).labelled_by(label.id);
    let checked = ui
        .checkbox(&mut wand.contiguous, "Joined ground only")
        .on_hover_text("Else all alike ground in view");
    if slid.changed() || checked.changed() {
        commands.push(Command::SetWand(wand));
    }
}

fn active_class_ui(ui: &mut Ui, session: &Session) {
    let class = session.classes().get(session.active_class());
    let (color, name) = match class {
        Some(class) => (theme::class_color(class.color), class.name.as_str()),
        None => (egui::Color32::TRANSPARENT, "unlabeled"),
    };
    let (rect, _) = ui.allocate_exact_size(vec2(14.0, 14.0), egui::Sense::hover());
    ui.painter().rect_filled(rect, 3.0, color);
    let outline = egui::Stroke::new(1.0, ui.visuals().weak_text_color());
    ui.painter()
        .rect_stroke(rect, 3.0, outline, egui::StrokeKind::Inside);
    ui.strong(name);
}

/// How large the brush is; where there is little room, without a slider.
fn size_ui(ui: &mut Ui, session: &Session, is_narrow: bool, commands: &mut CommandQueue) {
    let label = ui.label("Size");
    let mut diameter = session.brush_diameter();
    let mut is_changed = false;
    if !is_narrow {
        let slider = Slider::new(&mut diameter, 1.0..=1024.0)
            .logarithmic(true)
            .show_value(false);
        is_changed = ui.add(slider).labelled_by(label.id).changed();
    }
    let drag = DragValue::new(&mut diameter)
        .range(1.0..=4096.0)
        .suffix(" px")
        .max_decimals(0);
    is_changed |= ui.add(drag).labelled_by(label.id).changed();
    if is_changed {
        commands.push(Command::SetBrushDiameter(diameter.round()));
    }
    if let Some([width, _]) = session.image().and_then(|image| image.pixel_meters) {
        ui.weak(format!("{:.1} m", diameter * width));
    }
}
