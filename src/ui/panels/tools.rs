use egui::{Button, DragValue, RichText, Slider, Ui, vec2};
use egui_material_icons::icons;

use crate::label::BrushShape;
use crate::session::{Command, SUPERPIXEL_SIDES, Session, Tool};
use crate::ui::keys::{Action, Keymap};
use crate::ui::view::CommandQueue;
use crate::ui::{text, theme};

const RAIL_ICON: f32 = 20.0;

/// One line of the tool rail.
struct ToolButton {
    tool: Tool,
    action: Action,
    icon: egui_material_icons::MaterialIcon,
    help: &'static str,
}

const TOOLS: [ToolButton; 10] = [
    ToolButton {
        tool: Tool::Brush,
        action: Action::Brush,
        icon: icons::ICON_BRUSH,
        help: "Paint the active class. Right button erases, Shift+click draws a line.",
    },
    ToolButton {
        tool: Tool::Eraser,
        action: Action::Eraser,
        icon: icons::ICON_INK_ERASER,
        help: "Make pixels unlabeled again.",
    },
    ToolButton {
        tool: Tool::Superpixel,
        action: Action::Superpixel,
        icon: icons::ICON_GRAIN,
        help: "Paint whole patches of like color under the brush.",
    },
    ToolButton {
        tool: Tool::Fill,
        action: Action::Fill,
        icon: icons::ICON_FORMAT_COLOR_FILL,
        help: "Fill the region of equal label under the pointer.",
    },
    ToolButton {
        tool: Tool::Polygon,
        action: Action::Polygon,
        icon: icons::ICON_PENTAGON,
        help: "Click corners; Enter or a click on the first corner fills.",
    },
    ToolButton {
        tool: Tool::Lasso,
        action: Action::Lasso,
        icon: icons::ICON_LASSO_SELECT,
        help: "Draw around ground to fill it; the right button erases it.",
    },
    ToolButton {
        tool: Tool::Rectangle,
        action: Action::Rectangle,
        icon: icons::ICON_RECTANGLE,
        help: "Drag a rectangle to fill it; the right button erases it.",
    },
    ToolButton {
        tool: Tool::Wand,
        action: Action::Wand,
        icon: icons::ICON_AUTO_FIX_HIGH,
        help: "Select ground of like color in the image; Enter fills it, Esc drops it.",
    },
    ToolButton {
        tool: Tool::Picker,
        action: Action::Picker,
        icon: icons::ICON_COLORIZE,
        help: "Take the class under the pointer. Ctrl+click does it in any tool.",
    },
    ToolButton {
        tool: Tool::Pan,
        action: Action::Pan,
        icon: icons::ICON_PAN_TOOL,
        help: "Move the picture. Space or the middle button does it in any tool.",
    },
];

/// One column of tools, or two where one would not fit the window.
pub const fn rail_width(height: f32) -> f32 {
    // Buttons of 30 points with their gaps, and the two for undo and redo.
    const COLUMN: f32 = (TOOLS.len() + 2) as f32 * 36.0 + 30.0;
    if height < COLUMN { 80.0 } else { 46.0 }
}

/// The tools at the left.
pub fn rail_ui(ui: &mut Ui, session: &Session, keys: &Keymap, commands: &mut CommandQueue) {
    ui.add_space(theme::GRID);
    ui.spacing_mut().item_spacing = vec2(4.0, 5.0);
    let columns = if ui.available_width() > 60.0 { 2 } else { 1 };
    for row in TOOLS.chunks(columns) {
        ui.horizontal(|ui| {
            for tool in row {
                tool_ui(ui, tool, session, keys, commands);
            }
        });
    }
    ui.separator();
    let steps = [
        (icons::ICON_UNDO, Action::Undo, Command::Undo),
        (icons::ICON_REDO, Action::Redo, Command::Redo),
    ];
    for row in steps.chunks(columns) {
        ui.horizontal(|ui| {
            for (icon, action, command) in row {
                let can = match action {
                    Action::Undo => session.can_undo(),
                    _ => session.can_redo(),
                };
                let button = rail_button(icon.codepoint, false);
                let response = ui
                    .add_enabled(can, button)
                    .on_hover_text(keys.tooltip(*action));
                name_button(&response, action.name(), false);
                if response.clicked() {
                    commands.push(command.clone());
                }
            }
        });
    }
}

fn tool_ui(
    ui: &mut Ui,
    tool: &ToolButton,
    session: &Session,
    keys: &Keymap,
    commands: &mut CommandQueue,
) {
    let is_held = session.tool() == tool.tool;
    let button = rail_button(tool.icon.codepoint, is_held);
    let response = ui.add(button).on_hover_ui(|ui| {
        ui.strong(keys.tooltip(tool.action));
        ui.label(tool.help);
    });
    name_button(&response, tool.action.name(), is_held);
    if response.clicked() {
        commands.push(Command::SelectTool(tool.tool));
    }
}

fn rail_button(icon: &str, is_held: bool) -> Button<'_> {
    Button::new(RichText::new(icon).size(RAIL_ICON))
        .selected(is_held)
        .min_size(vec2(30.0, 30.0))
        .frame_when_inactive(false)
}

/// Gives an icon button the name that screen readers and tests know it by.
pub fn name_button(response: &egui::Response, name: &str, is_selected: bool) {
    let kind = egui::Role::Button;
    response.widget_info(|| egui::WidgetInfo::selected(kind, true, is_selected, name));
}

/// The options of the tool in hand, in one line below the canvases.
pub fn options_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        active_class_ui(ui, session);
        ui.separator();
        if session.tool() == Tool::Superpixel {
            size_ui(ui, session, commands);
            grain_ui(ui, session, commands);
            ui.separator();
        }
        if matches!(session.tool(), Tool::Brush | Tool::Eraser) {
            size_ui(ui, session, commands);
            let mut is_square = session.brush_shape() == BrushShape::Square;
            if ui.checkbox(&mut is_square, "Square").changed() {
                let shape = if is_square {
                    BrushShape::Square
                } else {
                    BrushShape::Round
                };
                commands.push(Command::SetBrushShape(shape));
            }
            ui.separator();
        }
        if !matches!(session.tool(), Tool::Pan | Tool::Picker) {
            let mut only = session.only_unlabeled();
            if ui.checkbox(&mut only, "Only over unlabeled").changed() {
                commands.push(Command::SetOnlyUnlabeled(only));
            }
        }
        if session.tool() == Tool::Wand {
            ui.separator();
            wand_ui(ui, session, commands);
        }
        if session.tool() == Tool::Polygon {
            ui.weak("Enter fills · Backspace drops the last corner · Esc cancels");
        }
    });
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
    if let Some(selected) = session.selected() {
        ui.separator();
        ui.label(format!(
            "{} px",
            text::grouped(selected.pixels.num_pixels())
        ));
        if ui.button("Fill (Enter)").clicked() {
            commands.push(Command::FillSelection);
        }
        if ui.button("Drop (Esc)").clicked() {
            commands.push(Command::DropSelection);
        }
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

fn size_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let label = ui.label("Size");
    let mut diameter = session.brush_diameter();
    let slider = Slider::new(&mut diameter, 1.0..=1024.0)
        .logarithmic(true)
        .show_value(false);
    let slid = ui.add(slider).labelled_by(label.id);
    let drag = DragValue::new(&mut diameter)
        .range(1.0..=4096.0)
        .suffix(" px")
        .max_decimals(0);
    let dragged = ui.add(drag).labelled_by(label.id);
    if slid.changed() || dragged.changed() {
        commands.push(Command::SetBrushDiameter(diameter.round()));
    }
    if let Some(georef) = session.image().and_then(|image| image.georef()) {
        ui.weak(format!("{:.1} m", diameter * georef.pixel_size()[0]));
    }
}
