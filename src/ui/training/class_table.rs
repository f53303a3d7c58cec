use egui::{Color32, CornerRadius, Frame, Grid, RichText, Sense, Ui, vec2};
use egui_material_icons::icons;

use super::super::{text, theme};
use crate::label::ClassTable;
use crate::metrics::{ClassScores, Figure};

/// By which column a table of classes is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassOrder {
    by: Column,
    is_falling: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Column {
    #[default]
    Index,
    Iou,
    Precision,
    Recall,
    F1,
    Support,
}

impl Column {
    const ALL: [Self; 6] = [
        Self::Index,
        Self::Iou,
        Self::Precision,
        Self::Recall,
        Self::F1,
        Self::Support,
    ];

    const fn figure(self) -> Option<Figure> {
        match self {
            Self::Index => None,
            Self::Iou => Some(Figure::Iou),
            Self::Precision => Some(Figure::Precision),
            Self::Recall => Some(Figure::Recall),
            Self::F1 => Some(Figure::F1),
            Self::Support => Some(Figure::Support),
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Index => "Class",
            Self::Iou => "IoU",
            Self::Precision => "Precision",
            Self::Recall => "Recall",
            Self::F1 => "F1",
            Self::Support => "True pixels",
        }
    }

    fn value(self, class: &ClassScores) -> Option<f64> {
        match self {
            Self::Index => Some(class.index.into()),
            Self::Iou => class.iou,
            Self::Precision => class.precision,
            Self::Recall => class.recall,
            Self::F1 => class.f1,
            Self::Support => Some(class.support as f64),
        }
    }
}

impl ClassOrder {
    /// Sorts by a column, and the other way round when it is that already. Scores begin with the
    /// worst, since that is what one looks for.
    fn choose(&mut self, by: Column) {
        *self = Self {
            by,
            is_falling: if self.by == by {
                !self.is_falling
            } else {
                by == Column::Support
            },
        };
    }

    /// The classes in this order; those without a value stand last.
    fn sorted(self, classes: &[ClassScores]) -> Vec<&ClassScores> {
        let mut sorted: Vec<&ClassScores> = classes.iter().collect();
        sorted.sort_by(|a, b| match (self.by.value(a), self.by.value(b)) {
            (Some(a), Some(b)) if self.is_falling => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        sorted
    }
}

/// What a figure is and what it does not tell.
pub fn figure_help(figure: Figure) -> String {
    let definition = figure.definition();
    format!("{}: {}", definition.name, definition.words())
}

/// Scores of each class; a click on a heading sorts.
pub fn class_table_ui(
    ui: &mut Ui,
    classes: &[ClassScores],
    table: Option<&ClassTable>,
    order: &mut ClassOrder,
) {
    Frame::new()
        .fill(ui.visuals().extreme_bg_color)
        .corner_radius(4.0)
        .inner_margin(8.0)
        .show(ui, |ui| {
            Grid::new("class scores of the run")
                .num_columns(Column::ALL.len())
                .spacing([16.0, 5.0])
                .show(ui, |ui| {
                    for column in Column::ALL {
                        head_ui(ui, column, order);
                    }
                    ui.end_row();
                    for class in order.sorted(classes) {
                        let color = table.and_then(|table| table.get(class.index));
                        row_ui(
                            ui,
                            class,
                            color.map(|class| theme::class_color(class.color)),
                        );
                    }
                });
        });
}

fn head_ui(ui: &mut Ui, column: Column, order: &mut ClassOrder) {
    let arrow = match (order.by == column, order.is_falling) {
        (false, _) => "",
        (true, true) => icons::ICON_ARROW_DROP_DOWN.codepoint,
        (true, false) => icons::ICON_ARROW_DROP_UP.codepoint,
    };
    let words = RichText::new(format!("{}{arrow}", column.title()))
        .small()
        .strong();
    let head = ui.add(egui::Button::new(words).frame(false));
    let head = match column.figure() {
        Some(figure) => head.on_hover_text(format!("{}\nA click sorts.", figure_help(figure))),
        None => head.on_hover_text("In the order of the class table"),
    };
    if head.clicked() {
        order.choose(column);
    }
}

fn row_ui(ui: &mut Ui, class: &ClassScores, color: Option<Color32>) {
    ui.horizontal(|ui| {
        swatch_ui(ui, color.unwrap_or(Color32::GRAY));
        ui.label(&class.name);
    });
    ui.horizontal(|ui| {
        bar_ui(ui, class.iou.unwrap_or(0.0) as f32);
        number_ui(ui, text::ratio(class.iou));
    });
    for value in [class.precision, class.recall, class.f1] {
        number_ui(ui, text::ratio(value));
    }
    number_ui(ui, text::grouped(class.support));
    ui.end_row();
}

/// A number of a table.
pub fn number_ui(ui: &mut Ui, words: String) {
    ui.label(RichText::new(words).monospace());
}

/// A small square of a class's color.
pub fn swatch_ui(ui: &mut Ui, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(11.0, 11.0), Sense::empty());
    let edge = egui::Stroke::new(1.0, ui.visuals().weak_text_color().gamma_multiply(0.6));
    let inside = egui::StrokeKind::Inside;
    ui.painter()
        .rect(rect, CornerRadius::same(2), color, edge, inside);
}

/// A share of a line, 0 to 1.
pub fn bar_ui(ui: &mut Ui, share: f32) {
    let (rect, _) = ui.allocate_exact_size(vec2(54.0, 8.0), Sense::empty());
    let round = CornerRadius::same(2);
    let back = ui.visuals().text_color().gamma_multiply(0.12);
    ui.painter().rect_filled(rect, round, back);
    let filled = rect.with_max_x(rect.left() + rect.width() * share.clamp(0.0, 1.0));
    ui.painter().rect_filled(filled, round, theme::CURVE_IOU);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(index: u8, iou: Option<f64>, support: u64) -> ClassScores {
        ClassScores {
            index,
            name: format!("c{index}"),
            iou,
            precision: None,
            recall: None,
            f1: None,
            support,
        }
    }

    #[test]
    fn a_heading_sorts_and_a_second_click_turns_the_order() {
        let classes = [
            class(0, Some(0.5), 7),
            class(1, None, 0),
            class(2, Some(0.2), 9),
        ];
        let mut order = ClassOrder::default();
        let sorted = |order: ClassOrder| -> Vec<u8> {
            order
                .sorted(&classes)
                .iter()
                .map(|class| class.index)
                .collect()
        };
        assert_eq!(sorted(order), [0, 1, 2]);
        order.choose(Column::Iou);
        assert_eq!(
            sorted(order),
            [2, 0, 1],
            "the worst first, without a score last"
        );
        order.choose(Column::Iou);
        assert_eq!(sorted(order), [0, 2, 1]);
        order.choose(Column::Support);
        assert_eq!(sorted(order), [2, 0, 1], "the most first");
    }
}
