use egui::{CursorIcon, Event, Key, PointerButton, Pos2, Response, Ui};

use super::CanvasFrame;
use crate::geom::{Camera, ImagePoint};
use crate::label::{Hint, Side, UNLABELED};
use crate::session::{Command, SelectHow, SelectionCommand, Session, Tool};
use crate::ui::view::{CommandQueue, ShapeUse, View};

/// Zoom of one notch of the wheel.
const WHEEL_ZOOM: f64 = 1.002;
/// Brush growth of one notch of the wheel.
const WHEEL_BRUSH: f64 = 1.003;
/// Points that an arrow key pans.
const ARROW_PAN: f32 = 60.0;
/// Clicking this near to a polygon's first corner closes it, in points.
const CLOSE_DISTANCE: f32 = 8.0;

/// A click may slip so far, in screen pixels, before it is a stroke.
const CLICK_SLIP: f64 = 4.0;

/// What the pointer is doing; derived from button presses, never guessed from state.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Gesture {
    /// Nothing is held.
    #[default]
    Idle,
    /// The picture follows the pointer.
    Panning,
    /// The brush is down; the button that holds it down.
    Painting(PointerButton),
    /// Corners of a polygon so far.
    Outlining(Vec<ImagePoint>),
    /// A lasso or a rectangle is drawn.
    Drawing(Drawing),
}

/// A shape that is filled when the button is let go.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// The tool that began it.
    tool: Tool,
    /// The button that holds it; the right one erases.
    button: PointerButton,
    /// Whether a selection grows by it.
    adds: bool,
    /// Where the pointer was, in level-0 pixels.
    points: Vec<ImagePoint>,
}

impl Drawing {
    fn extend(&mut self, to: ImagePoint) {
        if self.tool == Tool::Rectangle {
            self.points.truncate(1);
        }
        self.points.push(to);
    }

    /// The corners so far.
    pub fn corners(&self) -> Vec<ImagePoint> {
        match (self.tool, self.points.as_slice()) {
            (Tool::Rectangle, &[from, to]) => vec![
                from,
                ImagePoint::new(to.x, from.y),
                to,
                ImagePoint::new(from.x, to.y),
            ],
            (_, points) => points.to_vec(),
        }
    }
}

/// Takes one canvas's share of this frame's input.
pub fn handle(
    ui: &Ui,
    response: &Response,
    frame: CanvasFrame,
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let (Some(image), Some(camera)) = (session.image(), frame.aligned(view.camera)) else {
        return;
    };
    if let Some(at) = response.hover_pos() {
        let here = frame.image_from_points(&camera, at);
        // No footprint lies over a header; a stroke goes on below it.
        let is_covered = view.covered.iter().any(|rect| rect.contains(at));
        let is_idle = matches!(view.gesture, Gesture::Idle);
        view.pointer_at = (!(is_covered && is_idle)).then_some(here);
        let visible = view.visible;
        if is_idle && session.wants_ground(here, visible) {
            commands.push(Command::PrepareGround { at: here, visible });
        }
        zoom_or_resize(ui, at, frame, session, view, commands);
    }
    pan(ui, response, frame, view);
    let held = view.camera.map(|camera| camera.held_inside(image.size()));
    view.camera = held;
    if let Some(camera) = frame.aligned(held) {
        use_tool(ui, response, frame, &camera, session, view, commands);
    }
    cursor(ui, response, session, view);
}

fn zoom_or_resize(
    ui: &Ui,
    at: Pos2,
    frame: CanvasFrame,
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let (scroll, pinch, alt) = ui.input(|input| {
        (
            f64::from(input.smooth_scroll_delta.y),
            f64::from(input.zoom_delta()),
            input.modifiers.alt,
        )
    });
    if alt && scroll != 0.0 {
        let diameter = session.brush_diameter() * WHEEL_BRUSH.powf(scroll);
        commands.push(Command::SetBrushDiameter(diameter));
        return;
    }
    let factor = WHEEL_ZOOM.powf(scroll) * pinch;
    if let Some(camera) = view.camera.as_mut()
        && factor != 1.0
    {
        camera.zoom_about(frame.size(), frame.screen_from_points(at), factor);
    }
}

fn pan(ui: &Ui, response: &Response, frame: CanvasFrame, view: &mut View) {
    let Some(camera) = view.camera.as_mut() else {
        return;
    };
    let scale = f64::from(frame.pixels_per_point);
    if view.gesture == Gesture::Panning {
        let delta = response.drag_delta();
        camera.pan(f64::from(delta.x) * scale, f64::from(delta.y) * scale);
    }
    if response.hovered() {
        let arrows = [
            (Key::ArrowLeft, (1.0, 0.0)),
            (Key::ArrowRight, (-1.0, 0.0)),
            (Key::ArrowUp, (0.0, 1.0)),
            (Key::ArrowDown, (0.0, -1.0)),
        ];
        for (key, (dx, dy)) in arrows {
            if ui.input(|input| input.key_pressed(key)) {
                let step = f64::from(ARROW_PAN) * scale;
                camera.pan(dx * step, dy * step);
            }
        }
    }
}

fn use_tool(
    ui: &Ui,
    response: &Response,
    frame: CanvasFrame,
    camera: &Camera,
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    if response.contains_pointer() || view.gesture != Gesture::Idle {
        for event in ui.input(|input| input.events.clone()) {
            let at = |pos: Pos2| frame.image_from_points(camera, pos);
            match event {
                Event::PointerButton {
                    pos,
                    button,
                    pressed: true,
                    modifiers,
                } if response.contains_pointer() => {
                    let pane = response.id;
                    let press = Press {
                        at: at(pos),
                        pos,
                        button,
                        modifiers,
                        pane,
                    };
                    pressed(ui, press, frame, camera, session, view, commands);
                }
                Event::PointerMoved(pos) if is_painting_here(response, view) => {
                    commands.push(Command::ExtendStroke { to: at(pos) });
                }
                Event::PointerMoved(pos) if view.gesture_pane == Some(response.id) => {
                    if let Gesture::Drawing(drawing) = &mut view.gesture {
                        drawing.extend(at(pos));
                    }
                }
                Event::PointerButton {
                    button,
                    pressed: false,
                    ..
                } => {
                    released(button, view, commands);
                }
                _ => {}
            }
        }
    }
}

/// A stroke belongs to the pane it began in.
fn is_painting_here(response: &Response, view: &View) -> bool {
    matches!(view.gesture, Gesture::Painting(_)) && view.gesture_pane == Some(response.id)
}

struct Press {
    at: ImagePoint,
    pos: Pos2,
    button: PointerButton,
    modifiers: egui::Modifiers,
    pane: egui::Id,
}

fn pressed(
    ui: &Ui,
    press: Press,
    frame: CanvasFrame,
    camera: &Camera,
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let hit = ui.ctx().layer_id_at(press.pos);
    let is_covered = view.has_popup
        || hit.is_some_and(|layer| layer != ui.layer_id())
        || view.covered.iter().any(|rect| rect.contains(press.pos));
    if is_covered || !frame.rect.contains(press.pos) {
        return;
    }
    view.gesture_pane = Some(press.pane);
    let wants_pan = press.button == PointerButton::Middle
        || ui.input(|input| input.key_down(Key::Space))
        || (session.tool() == Tool::Pan && press.button == PointerButton::Primary);
    if wants_pan {
        view.gesture = Gesture::Panning;
    } else if matches!(session.tool(), Tool::Lasso | Tool::Rectangle | Tool::Object)
        && !press.modifiers.command
    {
        view.gesture = Gesture::Drawing(Drawing {
            tool: session.tool(),
            button: press.button,
            adds: press.modifiers.shift,
            points: vec![press.at],
        });
    } else if press.button == PointerButton::Secondary && session.tool() != Tool::Ruler {
        begin_stroke(press, UNLABELED, view, commands);
    } else if press.modifiers.command {
        commands.push(Command::PickClass { at: press.at });
    } else {
        match session.tool() {
            Tool::Brush | Tool::Superpixel => {
                begin_stroke(press, session.active_class(), view, commands);
            }
            Tool::Eraser => begin_stroke(press, UNLABELED, view, commands),
            Tool::Fill => commands.push(Command::FloodFill { at: press.at }),
            Tool::Wand => commands.push(Command::Selection(SelectionCommand::Alike {
                at: press.at,
                within: (!session.wand_settings().contiguous).then_some(view.visible),
            })),
            Tool::Picker => commands.push(Command::PickClass { at: press.at }),
            Tool::Polygon => add_corner(&press, frame, camera, view, commands),
            Tool::Line | Tool::Ruler => add_point(&press, view),
            Tool::Pan | Tool::Lasso | Tool::Rectangle | Tool::Object => {}
        }
    }
}

fn begin_stroke(press: Press, class: u8, view: &mut View, commands: &mut CommandQueue) {
    if !matches!(view.gesture, Gesture::Idle) {
        return;
    }
    view.gesture = Gesture::Painting(press.button);
    let line_from = view.last_dab.filter(|_| press.modifiers.shift);
    commands.push(Command::BeginStroke {
        at: line_from.unwrap_or(press.at),
        class,
    });
    if line_from.is_some() {
        commands.push(Command::ExtendStroke { to: press.at });
    }
    view.last_dab = Some(press.at);
}

fn add_corner(
    press: &Press,
    frame: CanvasFrame,
    camera: &Camera,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let mut corners = match std::mem::take(&mut view.gesture) {
        Gesture::Outlining(corners) => corners,
        _ => Vec::new(),
    };
    let closes = corners.len() > 2
        && frame
            .points_from_image(camera, corners[0])
            .distance(press.pos)
            < CLOSE_DISTANCE;
    if closes {
        let adds = press.modifiers.shift;
        commands.push(shape_command(view, corners, PointerButton::Primary, adds));
    } else {
        corners.push(press.at);
        view.gesture = Gesture::Outlining(corners);
    }
}

/// Adds a point to a line or a measurement.
fn add_point(press: &Press, view: &mut View) {
    let mut points = match std::mem::take(&mut view.gesture) {
        Gesture::Outlining(points) => points,
        _ => Vec::new(),
    };
    points.push(press.at);
    view.gesture = Gesture::Outlining(points);
}

/// What a drawn shape asks for: to be filled, or to be selected.
pub fn shape_command(
    view: &View,
    corners: Vec<ImagePoint>,
    button: PointerButton,
    adds: bool,
) -> Command {
    let is_right = button == PointerButton::Secondary;
    if view.shape_use == ShapeUse::Fill {
        let class = is_right.then_some(UNLABELED);
        return Command::FillPolygon { corners, class };
    }
    let how = match (is_right, adds) {
        (true, _) => SelectHow::Subtract,
        (false, true) => SelectHow::Add,
        (false, false) => SelectHow::Replace,
    };
    Command::Selection(SelectionCommand::Polygon { corners, how })
}

/// A click or a stroke says where an object is, with the right button where it is not.
fn hint_command(points: Vec<ImagePoint>, button: PointerButton, view: &View) -> Command {
    let side = match button {
        PointerButton::Secondary => Side::Against,
        _ => Side::For,
    };
    let scale = view.camera.map_or(1.0, |camera| camera.scale);
    let away = |point: &ImagePoint| (point.x - points[0].x).hypot(point.y - points[0].y) * scale;
    let is_click = points.iter().all(|point| away(point) < CLICK_SLIP);
    let hint = if is_click {
        Hint::click(side, points[0])
    } else {
        let radius = 1.0 / scale;
        Hint {
            side,
            points,
            radius,
        }
    };
    Command::Selection(SelectionCommand::Object {
        hint,
        visible: view.visible,
    })
}

fn released(button: PointerButton, view: &mut View, commands: &mut CommandQueue) {
    match &view.gesture {
        Gesture::Drawing(drawing) if drawing.button == button => {
            let (corners, adds) = (drawing.corners(), drawing.adds);
            if drawing.tool == Tool::Object {
                commands.push(hint_command(corners, button, view));
            } else if corners.len() > 2 {
                commands.push(shape_command(view, corners, button, adds));
            }
            view.gesture = Gesture::Idle;
        }
        Gesture::Painting(held) if *held == button => {
            commands.push(Command::EndStroke);
            view.last_dab = view.pointer_at.or(view.last_dab);
            view.gesture = Gesture::Idle;
        }
        Gesture::Panning => view.gesture = Gesture::Idle,
        _ => {}
    }
}

fn cursor(ui: &Ui, response: &Response, session: &Session, view: &View) {
    if !response.hovered() {
        return;
    }
    let space = ui.input(|input| input.key_down(Key::Space));
    let icon = match (session.tool(), &view.gesture) {
        (_, Gesture::Panning) => CursorIcon::Grabbing,
        _ if space => CursorIcon::Grab,
        (Tool::Pan, _) => CursorIcon::Grab,
        // The footprint itself is the cursor.
        (Tool::Brush | Tool::Eraser, _) => CursorIcon::None,
        _ => CursorIcon::Crosshair,
    };
    ui.ctx().set_cursor_icon(icon);
}
