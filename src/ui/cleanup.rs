use egui::{ComboBox, DragValue, Grid, Ui, Window};

use super::view::{CommandQueue, View};
use crate::geom::PixelRect;
use crate::label::{Cleanup, MAX_CLEANUP_RADIUS, UNLABELED};
use crate::session::{Command, LayerKind, MOST_PREVIEWED, Session, Wholesale};
use crate::ui::text;

/// What can be done to the whole label at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Operation {
    #[default]
    Majority,
    DropSpecks,
    FillHoles,
    Grow,
    Shrink,
    Open,
    Close,
    Replace,
}

impl Operation {
    const ALL: [Self; 8] = [
        Self::Majority,
        Self::DropSpecks,
        Self::FillHoles,
        Self::Grow,
        Self::Shrink,
        Self::Open,
        Self::Close,
        Self::Replace,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Majority => "Smooth borders (majority)",
            Self::DropSpecks => "Drop specks",
            Self::FillHoles => "Fill holes",
            Self::Grow => "Grow (dilate)",
            Self::Shrink => "Shrink (erode)",
            Self::Open => "Remove thin parts (open)",
            Self::Close => "Close gaps (close)",
            Self::Replace => "Replace class",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::Majority => "Each pixel takes the most frequent class around it.",
            Self::DropSpecks => "Small regions of any class take the class around them.",
            Self::FillHoles => "Small holes in the class become the class.",
            Self::Grow => "The class grows over its neighbors.",
            Self::Shrink => "The class shrinks; its neighbors take the ground.",
            Self::Open => "What is thinner than twice the radius goes; the rest stays as it is.",
            Self::Close => "Gaps thinner than twice the radius are closed.",
            Self::Replace => "All pixels of one class become another.",
        }
    }

    const fn has_radius(self) -> bool {
        matches!(
            self,
            Self::Majority | Self::Grow | Self::Shrink | Self::Open | Self::Close
        )
    }

    const fn has_size(self) -> bool {
        matches!(self, Self::DropSpecks | Self::FillHoles)
    }

    const fn has_class(self) -> bool {
        !matches!(self, Self::Majority | Self::DropSpecks)
    }
}

/// The clean-up that is being put together.
#[derive(Clone, Debug)]
pub struct CleanupForm {
    is_open: bool,
    operation: Operation,
    class: u8,
    into: u8,
    radius: u32,
    pixels: u64,
    in_view: bool,
    shows_preview: bool,
    /// What is previewed, where, and at which step of the history.
    previewed: Option<(Wholesale, PixelRect, (usize, usize))>,
}

impl Default for CleanupForm {
    fn default() -> Self {
        Self {
            is_open: false,
            operation: Operation::default(),
            class: 0,
            into: 0,
            radius: 1,
            pixels: 50,
            in_view: false,
            shows_preview: true,
            previewed: None,
        }
    }
}

impl CleanupForm {
    /// Closes the form; whether it was open.
    pub const fn close(&mut self) -> bool {
        std::mem::replace(&mut self.is_open, false)
    }

    /// Opens the form for the active class, or closes it.
    pub const fn toggle(&mut self, session: &Session) {
        self.is_open = !self.is_open;
        self.class = session.active_class();
    }

    const fn change(&self) -> Wholesale {
        let (class, radius) = (self.class, self.radius);
        Wholesale::CleanUp(match self.operation {
            Operation::Majority => Cleanup::Majority { radius },
            Operation::DropSpecks => Cleanup::DropSpecks {
                class: None,
                min_pixels: self.pixels,
            },
            Operation::FillHoles => Cleanup::FillHoles {
                class,
                max_pixels: self.pixels,
            },
            Operation::Grow => Cleanup::Dilate { class, radius },
            Operation::Shrink => Cleanup::Erode { class, radius },
            Operation::Open => Cleanup::Open { class, radius },
            Operation::Close => Cleanup::Close { class, radius },
            Operation::Replace => {
                return Wholesale::Replace {
                    from: class,
                    to: self.into,
                };
            }
        })
    }

    /// Asks for a preview when what is seen or chosen is new, and for none when the window closes.
    fn preview(&mut self, visible: PixelRect, session: &Session, commands: &mut CommandQueue) {
        let wanted = (self.is_open && self.shows_preview).then(|| {
            let (change, part) = (self.change(), visible);
            (change, part, session.num_steps())
        });
        if wanted == self.previewed {
            return;
        }
        self.previewed = wanted;
        commands.push(match wanted {
            Some((change, part, _)) => Command::Preview { change, part },
            None => Command::DropPreview,
        });
    }
}

/// The clean-up window: stays open, so that steps can follow each other; each is one undo step.
pub fn cleanup_ui(ui: &Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if session.layer(LayerKind::Label).is_none() {
        return;
    }
    let visible = view.visible;
    let form = &mut view.cleanup;
    let mut is_open = form.is_open;
    Window::new("Clean up the label")
        .open(&mut is_open)
        .collapsible(false)
        .resizable(false)
        .default_pos([80.0, 60.0])
        .show(ui.ctx(), |ui| {
            ui.set_width(300.0);
            form_ui(ui, session, form);
            preview_ui(ui, session, form, visible);
            ui.add_space(6.0);
            ui.horizontal(|ui| {
                let is_running = session.activities().any(|activity| {
                    ["Cleaning up", "Replacing a class"].contains(&activity.title.as_str())
                });
                let apply = ui.add_enabled(!is_running, egui::Button::new("Apply"));
                if apply.clicked() {
                    commands.push(Command::Wholesale {
                        change: form.change(),
                        within: form.in_view.then_some(visible),
                    });
                }
                if ui
                    .add_enabled(session.can_undo(), egui::Button::new("Undo"))
                    .clicked()
                {
                    commands.push(Command::Undo);
                }
            });
        });
    form.is_open = is_open;
    // While the picture or a number is dragged there would be a new one each frame.
    if !ui.input(|input| input.pointer.any_down()) {
        form.preview(visible, session, commands);
    }
}

/// How much would change in what is seen.
fn preview_ui(ui: &mut Ui, session: &Session, form: &mut CleanupForm, visible: PixelRect) {
    ui.horizontal(|ui| {
        ui.checkbox(&mut form.shows_preview, "Preview");
        if !form.shows_preview {
            return;
        }
        if visible.num_pixels() > MOST_PREVIEWED {
            ui.weak("Zoom in to see it");
            return;
        }
        match session.preview().map(|preview| preview.pixels) {
            Some(Some(0)) => {
                ui.weak("Nothing changes in view");
            }
            Some(Some(pixels)) => {
                let area = session.square_meters(pixels);
                ui.label(format!("{} px in view{area}", text::grouped(pixels)));
            }
            _ => {
                ui.spinner();
            }
        }
    });
}

fn form_ui(ui: &mut Ui, session: &Session, form: &mut CleanupForm) {
    ComboBox::from_id_salt("operation")
        .selected_text(form.operation.name())
        .width(230.0)
        .show_ui(ui, |ui| {
            for operation in Operation::ALL {
                ui.selectable_value(&mut form.operation, operation, operation.name());
            }
        });
    ui.weak(form.operation.help());
    let operation = form.operation;
    Grid::new("clean-up").num_columns(2).show(ui, |ui| {
        if operation.has_class() {
            class_ui(ui, session, "Class", &mut form.class);
        }
        if operation == Operation::Replace {
            class_ui(ui, session, "Becomes", &mut form.into);
        }
        if operation.has_radius() {
            let label = ui.label("Radius");
            let radius = DragValue::new(&mut form.radius).range(1..=MAX_CLEANUP_RADIUS);
            ui.add(radius.suffix(" px")).labelled_by(label.id);
            ui.end_row();
        }
        if operation.has_size() {
            let label = ui.label("Smaller than");
            let pixels = DragValue::new(&mut form.pixels).range(1..=100_000_000);
            ui.add(pixels.suffix(" px")).labelled_by(label.id);
            ui.end_row();
        }
        ui.label("Where");
        ui.horizontal(|ui| {
            if session.selected().is_some() {
                ui.label("Within the selection");
                return;
            }
            ui.radio_value(&mut form.in_view, false, "Whole image");
            ui.radio_value(&mut form.in_view, true, "In view");
        });
        ui.end_row();
    });
}

fn class_ui(ui: &mut Ui, session: &Session, name: &str, class: &mut u8) {
    let name_of = |class: u8| match session.classes().get(class) {
        Some(class) => class.name.as_str(),
        None => "unlabeled",
    };
    ui.label(name);
    ComboBox::from_id_salt(name)
        .selected_text(name_of(*class))
        .show_ui(ui, |ui| {
            let classes = session.classes().classes().iter().map(|class| class.index);
            for index in classes.chain([UNLABELED]) {
                ui.selectable_value(class, index, name_of(index));
            }
        });
    ui.end_row();
}
