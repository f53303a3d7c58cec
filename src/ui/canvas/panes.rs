use egui::{Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, vec2};

use super::header::header_ui;
use super::{CanvasFrame, PaneContent, curtain, input, navigator, overlay, scene};
use crate::geom::Camera;
use crate::session::{Command, FinetuneCommand, InstantCommand, PredictionCommand, Session};
use crate::ui::keys::Action;
use crate::ui::view::{CommandQueue, View};

const GAP: f32 = 2.0;

/// How many canvases there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum PaneLayout {
    /// The image with the label over it.
    #[default]
    One,
    /// Original and label side by side.
    Two,
    /// Original, label and prediction side by side.
    Three,
    /// Original, label, prediction, and both over the image.
    Four,
}

impl PaneLayout {
    /// All layouts, in the order that one key goes through them.
    pub const ALL: [Self; 4] = [Self::One, Self::Two, Self::Three, Self::Four];

    /// How many panes it has.
    pub const fn num_panes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
        }
    }

    /// The layout after this one.
    pub fn next(self) -> Self {
        let place = Self::ALL
            .iter()
            .position(|&layout| layout == self)
            .unwrap_or(0);
        Self::ALL[(place + 1) % Self::ALL.len()]
    }

    /// What menus call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "One pane",
            Self::Two => "Original and label",
            Self::Three => "Original, label and prediction",
            Self::Four => "Four panes",
        }
    }
}

/// Lays out all canvases in what is left of the window.
pub fn panes_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let area = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(area);
    let panes = view.contents.of(view.layout).iter();
    let panes: Vec<PaneContent> = panes.map(|content| content.seen(session)).collect();
    let rects = pane_rects(area, panes.len());
    if let Some(image) = session.image()
        && view.camera.is_none()
    {
        let frame = CanvasFrame {
            rect: rects[0],
            pixels_per_point: ui.pixels_per_point(),
        };
        view.camera = Some(Camera::fitting(image.size(), frame.size()));
    }
    if let (Some(image), Some(camera)) = (session.image(), view.camera) {
        let frame = CanvasFrame {
            rect: rects[0],
            pixels_per_point: ui.pixels_per_point(),
        };
        view.visible = camera.visible_pixels(frame.size(), image.size());
        view.canvas = frame.size();
        tell_seen(session, view, commands);
    }
    view.pointer_at = None;
    for (place, (&content, rect)) in panes.iter().zip(&rects).enumerate() {
        let pane = Pane {
            place,
            content,
            rect: *rect,
        };
        input_ui(ui, pane, session, view, commands);
    }
    view.covered.clear();
    for (place, (&content, &rect)) in panes.iter().zip(&rects).enumerate() {
        let pane = Pane {
            place,
            content,
            rect,
        };
        paint_pane(ui, pane, session, view);
    }
    if view.shows_navigator {
        let frame = CanvasFrame {
            rect: rects[0],
            pixels_per_point: ui.pixels_per_point(),
        };
        navigator::navigator_ui(ui, frame, session, view);
    }
}

/// Tells the session what ground and which measures are seen, when that is news.
fn tell_seen(session: &Session, view: &View, commands: &mut CommandQueue) {
    if session.wants_look(view.visible) {
        commands.push(Command::Instant(InstantCommand::Look(view.visible)));
    }
    if session.finetuning().wants_look(view.visible) {
        commands.push(Command::Finetune(FinetuneCommand::Look(view.visible)));
    }
    let measures = view.contents.measures(view.layout);
    if session.wants_measures(&measures) {
        commands.push(Command::Prediction(PredictionCommand::Measures(measures)));
    }
}

#[derive(Clone, Copy)]
struct Pane {
    place: usize,
    content: PaneContent,
    rect: Rect,
}

/// All panes take their input before any is painted, so that all show the same camera and pointer.
fn input_ui(ui: &Ui, pane: Pane, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let id = ui.scope_id().with(("canvas", pane.place));
    let response = ui.interact(pane.rect, id, Sense::click_and_drag());
    let name = format!("Canvas: {}", pane.content.name());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &name));
    let frame = CanvasFrame {
        rect: pane.rect,
        pixels_per_point: ui.pixels_per_point(),
    };
    input::handle(ui, &response, frame, session, view, commands);
}

fn paint_pane(ui: &mut Ui, pane: Pane, session: &Session, view: &mut View) {
    let is_one = view.layout == PaneLayout::One;
    let behind = view.contents.behind.seen(session);
    // A pane that shows what lies behind has nothing to draw aside; a single one says so itself.
    let has_two = is_one || pane.content != behind;
    if let Some(share) = view.curtain.filter(|_| has_two) {
        let [left, right] = curtain::parts(pane.rect, share);
        paint_part(ui, pane.content, (pane.rect, left), session, view);
        paint_part(ui, behind, (pane.rect, right), session, view);
        view.curtain = Some(curtain::curtain_ui(ui, pane.place, pane.rect, share));
        view.covered.push(curtain::line(pane.rect, share));
        if let Some(content) = header_ui(ui, right, behind, session, view) {
            view.contents.behind = content;
        }
        choose_ui(ui, pane, left, session, view);
        return;
    }
    let is_held = ui.input(|input| view.keymap.is_held(Action::Blink, input));
    // Of several panes the one under the pointer blinks.
    let blinks = is_held && (is_one || ui.rect_contains_pointer(pane.rect));
    let content = if blinks { behind } else { pane.content };
    paint_part(ui, content, (pane.rect, pane.rect), session, view);
    let pane = Pane { content, ..pane };
    choose_ui(ui, pane, pane.rect, session, view);
}

/// The pane's header in a part of it.
fn choose_ui(ui: &mut Ui, pane: Pane, within: Rect, session: &Session, view: &mut View) {
    if let Some(content) = header_ui(ui, within, pane.content, session, view) {
        view.contents.choose(view.layout, pane.place, content);
    }
}

/// Paints what of a content lies in a part of a pane.
fn paint_part(
    ui: &mut Ui,
    content: PaneContent,
    (rect, part): (Rect, Rect),
    session: &Session,
    view: &mut View,
) {
    let mut pane_ui = ui.new_child(UiBuilder::new().max_rect(rect));
    pane_ui.set_clip_rect(part.intersect(ui.clip_rect()));
    let frame = CanvasFrame {
        rect,
        pixels_per_point: ui.pixels_per_point(),
    };
    scene::paint(&pane_ui, content, frame, session, view);
    overlay::paint(&pane_ui, content, frame, session, view);
}

fn pane_rects(area: Rect, count: usize) -> Vec<Rect> {
    let (cols, rows) = if count == 4 {
        (2, 2)
    } else {
        (count.max(1), 1)
    };
    let width = (area.width() - GAP * (cols - 1) as f32) / cols as f32;
    let height = (area.height() - GAP * (rows - 1) as f32) / rows as f32;
    let size = vec2(width.max(1.0), height.max(1.0));
    (0..count)
        .map(|place| {
            let (col, row) = ((place % cols) as f32, (place / cols) as f32);
            let corner = area.min + vec2(col * (width + GAP), row * (height + GAP));
            Rect::from_min_size(corner, size)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_share_the_width() {
        let area = Rect::from_min_size(egui::pos2(10.0, 20.0), vec2(904.0, 300.0));
        let rects = pane_rects(area, 3);
        assert_eq!(rects.len(), 3);
        assert!(rects.iter().all(|rect| (rect.width() - 300.0).abs() < 0.01));
        assert_eq!(rects[2].right(), area.right());
    }

    #[test]
    fn one_key_goes_through_all_layouts() {
        let visited: Vec<_> =
            std::iter::successors(Some(PaneLayout::One), |layout| Some(layout.next()))
                .take(5)
                .collect();
        assert_eq!(visited[4], PaneLayout::One);
        assert_eq!(visited[..4], PaneLayout::ALL);
    }
}
