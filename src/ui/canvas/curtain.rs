use egui::{Color32, CursorIcon, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

/// Points on both sides of the line at which it can be taken.
const REACH: f32 = 5.0;
const KNOB: f32 = 9.0;

/// The line between two contents of the pane of number `place`, and where it was dragged to: its
/// place as a share of the pane's width, in all panes the same.
pub fn curtain_ui(ui: &Ui, place: usize, pane: Rect, share: f32) -> f32 {
    let line = line(pane, share);
    let x = line.center().x;
    let response = ui.interact(line, ui.scope_id().with(("curtain", place)), Sense::drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Splitter, true, "Curtain"));
    let response = response.on_hover_and_drag_cursor(CursorIcon::ResizeHorizontal);
    let dragged = response
        .interact_pointer_pos()
        .filter(|_| response.dragged());
    let painter = ui.painter();
    let width = if response.hovered() { 3.0 } else { 2.0 };
    painter.vline(x, pane.y_range(), Stroke::new(width, Color32::WHITE));
    let knob = pos2(x, pane.center().y);
    painter.circle_filled(knob, KNOB, Color32::WHITE);
    for side in [-1.0, 1.0] {
        let tip = knob + vec2(side * 6.0, 0.0);
        let ends = [
            tip,
            tip + vec2(-side * 3.0, -3.0),
            tip + vec2(-side * 3.0, 3.0),
        ];
        let arrow = egui::Shape::convex_polygon(ends.to_vec(), Color32::DARK_GRAY, Stroke::NONE);
        painter.add(arrow);
    }
    match dragged {
        Some(at) => ((at.x - pane.left()) / pane.width().max(1.0)).clamp(0.0, 1.0),
        None => share,
    }
}

/// Where the line can be taken.
pub fn line(pane: Rect, share: f32) -> Rect {
    let x = pane.left() + share * pane.width();
    Rect::from_x_y_ranges(x - REACH..=x + REACH, pane.y_range())
}

/// The parts of a pane at the left and at the right of the curtain.
pub fn parts(pane: Rect, share: f32) -> [Rect; 2] {
    let x = (pane.left() + share * pane.width()).round();
    [
        Rect::from_x_y_ranges(pane.left()..=x, pane.y_range()),
        Rect::from_x_y_ranges(x..=pane.right(), pane.y_range()),
    ]
}
