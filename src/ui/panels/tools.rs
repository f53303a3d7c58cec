use egui::{Button, RichText, Ui, vec2};
use egui_material_icons::icons;

use crate::session::{Command, Session, Tool};
use crate::ui::keys::{Action, Keymap};
use crate::ui::theme;
use crate::ui::view::CommandQueue;

const RAIL_ICON: f32 = 20.0;

/// One line of the tool rail.
struct ToolButton {
    tool: Tool,
    action: Action,
    icon: egui_material_icons::MaterialIcon,
    help: &'static str,
}

const TOOLS: [ToolButton; 13] = [
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
        tool: Tool::Object,
        action: Action::Object,
        icon: icons::ICON_TARGET,
        help: "Point at an object, or draw a stroke inside it; the right button says where it is not. Enter fills it.",
    },
    ToolButton {
        tool: Tool::Line,
        action: Action::Line,
        icon: icons::ICON_ROAD,
        help: "Click along a road or a river; Enter paints it, as wide as the brush.",
    },
    ToolButton {
        tool: Tool::Ruler,
        action: Action::Ruler,
        icon: icons::ICON_STRAIGHTEN,
        help: "Click along a way to measure it, around ground for its area; Esc ends.",
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
    let button = Button::new(RichText::new(icon).size(RAIL_ICON));
    let button = if is_held {
        button.fill(theme::ACCENT.gamma_multiply(0.55))
    } else {
        button
    };
    button
        .selected(is_held)
        .min_size(vec2(30.0, 30.0))
        .frame_when_inactive(false)
}

/// Gives an icon button the name that screen readers and tests know it by.
pub fn name_button(response: &egui::Response, name: &str, is_selected: bool) {
    let kind = egui::Role::Button;
    response.widget_info(|| egui::WidgetInfo::selected(kind, true, is_selected, name));
}
