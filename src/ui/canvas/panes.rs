use egui::{Align2, FontId, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, vec2};

use super::{CanvasFrame, input, navigator, overlay, scene};
use crate::geom::Camera;
use crate::session::{LayerKind, Session};
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

/// What one canvas shows over the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaneContent {
    /// The image alone.
    Original,
    /// The label.
    Label,
    /// The prediction.
    Prediction,
    /// The label, and the prediction where there is no label layer.
    Work,
}

impl PaneLayout {
    /// All layouts, in the order that one key goes through them.
    pub const ALL: [Self; 4] = [Self::One, Self::Two, Self::Three, Self::Four];

    /// What the panes show, from left to right.
    pub const fn panes(self) -> &'static [PaneContent] {
        use PaneContent::{Label, Original, Prediction, Work};
        match self {
            Self::One => &[Work],
            Self::Two => &[Original, Label],
            Self::Three => &[Original, Label, Prediction],
            Self::Four => &[Original, Label, Prediction, Work],
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

impl PaneContent {
    /// What the pane's header says.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Original => "Original",
            Self::Label => "Label",
            Self::Prediction => "Prediction",
            Self::Work => "Image and label",
        }
    }

    /// The mask layers that it draws, first drawn first.
    pub fn layers(self, session: &Session) -> Vec<LayerKind> {
        match self {
            Self::Original => Vec::new(),
            Self::Label => vec![LayerKind::Label],
            Self::Prediction if is_shown(session, LayerKind::Certainty) => {
                vec![LayerKind::Certainty]
            }
            Self::Prediction => vec![LayerKind::Prediction],
            // Both at once could not be told apart.
            Self::Work if is_shown(session, LayerKind::Origins) => vec![LayerKind::Origins],
            Self::Work if is_shown(session, LayerKind::Certainty) => vec![LayerKind::Certainty],
            Self::Work => {
                let label = session.layer(LayerKind::Label).map(|_| LayerKind::Label);
                vec![label.unwrap_or(LayerKind::Prediction), LayerKind::Preview]
            }
        }
    }
}

fn is_shown(session: &Session, kind: LayerKind) -> bool {
    session.layer(kind).is_some_and(|layer| layer.is_visible)
}

/// Lays out all canvases in what is left of the window.
pub fn panes_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let area = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(area);
    let panes = view.layout.panes();
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
    for (&content, &rect) in panes.iter().zip(&rects) {
        paint_pane(ui, content, rect, session, view);
    }
    view.navigator = None;
    if view.shows_navigator {
        let frame = CanvasFrame {
            rect: rects[0],
            pixels_per_point: ui.pixels_per_point(),
        };
        navigator::navigator_ui(ui, frame, session, view);
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

fn paint_pane(ui: &mut Ui, content: PaneContent, rect: Rect, session: &Session, view: &mut View) {
    let mut pane_ui = ui.new_child(UiBuilder::new().max_rect(rect));
    pane_ui.set_clip_rect(rect.intersect(ui.clip_rect()));
    let frame = CanvasFrame {
        rect,
        pixels_per_point: ui.pixels_per_point(),
    };
    scene::paint(&pane_ui, content, frame, session, view);
    overlay::paint(&pane_ui, frame, session, view);
    if view.layout != PaneLayout::One {
        header(&pane_ui, content, rect, session);
    }
}

fn header(ui: &Ui, content: PaneContent, rect: Rect, session: &Session) {
    let missing = match content {
        PaneContent::Label => session.layer(LayerKind::Label).is_none(),
        PaneContent::Prediction => session.layer(LayerKind::Prediction).is_none(),
        PaneContent::Original | PaneContent::Work => false,
    };
    let hint = match content {
        _ if !missing => "",
        PaneContent::Label => "  ·  none yet: paint here, or File › Open label…",
        _ => "  ·  none yet: press Train, then Predict",
    };
    let text = format!("{}{hint}", content.name());
    let painter = ui.painter();
    let font = FontId::proportional(12.0);
    let galley = painter.layout_no_wrap(text, font, egui::Color32::from_gray(235));
    let place = Align2::LEFT_TOP.anchor_size(rect.min + vec2(8.0, 8.0), galley.size());
    painter.rect_filled(
        place.expand2(vec2(6.0, 3.0)),
        4.0,
        egui::Color32::from_black_alpha(150),
    );
    painter.galley(place.min, galley, egui::Color32::WHITE);
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
