use egui::{
    Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Response, Sense, Stroke,
    StrokeKind, Ui, pos2, vec2,
};

use super::super::{text, theme};
use crate::metrics::Scores;

/// More classes than this are not legible.
const MOST_CLASSES: usize = 40;
/// Room for the names at the left and above.
const NAMES: f32 = 92.0;
const ABOVE: f32 = 76.0;
/// Room at the right, over which the last name leans.
const BESIDE: f32 = 56.0;
/// How much longer than high a name at half a right angle is.
const SLANT: f32 = std::f32::consts::SQRT_2;
const LARGEST_CELL: f32 = 46.0;
const SMALLEST_CELL: f32 = 11.0;
const SMALL: FontId = FontId::proportional(11.0);
/// Right predictions; wrong ones are of the color of warnings.
const RIGHT: Color32 = theme::CURVE_IOU;
const WRONG: Color32 = theme::CURVE_VALIDATION;

/// Which true class was predicted as which: shares of each true class, counts under the pointer.
/// The true and the predicted class of a cell that was pressed come back.
pub fn confusion_ui(ui: &mut Ui, scores: &Scores) -> Option<(u8, u8)> {
    let heat = Heat::of(scores);
    if heat.shown.is_empty() {
        ui.weak("No pixel was scored.");
        return None;
    }
    if heat.shown.len() > MOST_CLASSES {
        ui.weak(
            "Too many classes for a picture; confusion.csv in the run's folder has all counts.",
        );
        return None;
    }
    let count = heat.shown.len() as f32;
    let cell = ((ui.available_width() - NAMES - BESIDE) / count).clamp(SMALLEST_CELL, LARGEST_CELL);
    let size = vec2(NAMES + cell * count + BESIDE, ABOVE + cell * count + 8.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        let words = format!("Confusion matrix, {} classes", heat.shown.len());
        egui::WidgetInfo::labeled(egui::Role::Figure, true, words)
    });
    let back = ui.visuals().extreme_bg_color;
    ui.painter().rect_filled(rect, CornerRadius::same(4), back);
    let board = Board {
        heat: &heat,
        origin: rect.min + vec2(NAMES, ABOVE),
        cell,
        text: ui.visuals().text_color(),
        weak: ui.visuals().weak_text_color(),
    };
    board.draw(&ui.painter_at(rect));
    board.hover_ui(ui, response)
}

/// The counts of the classes that occur.
struct Heat<'a> {
    scores: &'a Scores,
    /// Classes with truth or predictions, by index.
    shown: Vec<usize>,
}

impl<'a> Heat<'a> {
    fn of(scores: &'a Scores) -> Self {
        let counts = &scores.confusion;
        let is_used = |&class: &usize| {
            let column = counts.iter().filter_map(|row| row.get(class)).sum::<u64>();
            counts[class].iter().sum::<u64>() + column > 0
        };
        let shown = (0..counts.len()).filter(is_used).collect();
        Self { scores, shown }
    }

    fn count(&self, truth: usize, predicted: usize) -> u64 {
        let row = &self.scores.confusion[self.shown[truth]];
        row.get(self.shown[predicted]).copied().unwrap_or(0)
    }

    /// The share of the true class; `None` without truth.
    fn share(&self, truth: usize, predicted: usize) -> Option<f64> {
        let index = self.shown[truth];
        let classes = &self.scores.per_class;
        let class = classes
            .iter()
            .find(|class| usize::from(class.index) == index);
        let row = self.scores.confusion[index].iter().sum::<u64>();
        let total = class.map_or(row, |class| class.support.max(row));
        (total > 0).then(|| self.count(truth, predicted) as f64 / total as f64)
    }

    fn name(&self, place: usize) -> String {
        let index = self.shown[place];
        let classes = &self.scores.per_class;
        let class = classes
            .iter()
            .find(|class| usize::from(class.index) == index);
        class.map_or_else(|| format!("class {index}"), |class| class.name.clone())
    }
}

struct Board<'a> {
    heat: &'a Heat<'a>,
    origin: Pos2,
    cell: f32,
    text: Color32,
    weak: Color32,
}

impl Board<'_> {
    fn rect(&self, truth: usize, predicted: usize) -> Rect {
        let by = vec2(predicted as f32 * self.cell, truth as f32 * self.cell);
        Rect::from_min_size(self.origin + by, vec2(self.cell, self.cell)).shrink(0.75)
    }

    fn draw(&self, painter: &Painter) {
        let count = self.heat.shown.len();
        let corner = self.origin - vec2(NAMES - 8.0, ABOVE - 4.0);
        let words = "truth \\ prediction";
        painter.text(corner, Align2::LEFT_TOP, words, SMALL, self.weak);
        for place in 0..count {
            self.draw_names(painter, place);
            for predicted in 0..count {
                self.draw_cell(painter, place, predicted);
            }
        }
    }

    /// The name of a class at the left and above, as much of it as there is room for.
    fn draw_names(&self, painter: &Painter, place: usize) {
        let name = self.heat.name(place);
        let middle = self.rect(place, place).center();
        let left = pos2(self.origin.x - 6.0, middle.y);
        if self.cell >= SMALLEST_CELL {
            let fitting = shortened(painter, &name, NAMES - 14.0);
            painter.text(left, Align2::RIGHT_CENTER, fitting, SMALL, self.text);
        }
        // Slanted words stand closer than level ones.
        let slanted = shortened(painter, &name, (ABOVE - 12.0) * SLANT);
        let galley = painter.layout_no_wrap(slanted, SMALL, self.text);
        let foot = pos2(middle.x - 4.0, self.origin.y - 6.0);
        let shape = egui::epaint::TextShape::new(foot, galley, self.text)
            .with_angle_and_anchor(-0.75, Align2::LEFT_BOTTOM);
        painter.add(shape);
    }

    fn draw_cell(&self, painter: &Painter, truth: usize, predicted: usize) {
        let rect = self.rect(truth, predicted);
        let share = self.heat.share(truth, predicted);
        let color = if truth == predicted { RIGHT } else { WRONG };
        // By the root, since rare confusions would not be seen otherwise.
        let strength = share.unwrap_or(0.0).sqrt() as f32;
        let empty = self.text.gamma_multiply(0.05);
        painter.rect_filled(rect, CornerRadius::same(2), empty);
        painter.rect_filled(rect, CornerRadius::same(2), color.gamma_multiply(strength));
        let Some(share) = share.filter(|&share| share >= 0.005 && self.cell >= 24.0) else {
            return;
        };
        let ink = if strength > 0.55 {
            Color32::BLACK
        } else {
            self.text
        };
        let words = format!("{:.0}", share * 100.0);
        painter.text(rect.center(), Align2::CENTER_CENTER, words, SMALL, ink);
    }

    fn hover_ui(&self, ui: &Ui, response: Response) -> Option<(u8, u8)> {
        let at = response.hover_pos()?;
        let by = (at - self.origin) / self.cell;
        let count = self.heat.shown.len() as f32;
        if by.x < 0.0 || by.y < 0.0 || by.x >= count || by.y >= count {
            return None;
        }
        let (truth, predicted) = (by.y as usize, by.x as usize);
        let ring = Stroke::new(1.5, self.text);
        let rect = self.rect(truth, predicted);
        ui.painter()
            .rect_stroke(rect, CornerRadius::same(2), ring, StrokeKind::Outside);
        let response = response.on_hover_text_at_pointer(sentence(self.heat, truth, predicted));
        let class = |place: usize| self.heat.shown[place] as u8;
        response.clicked().then(|| (class(truth), class(predicted)))
    }
}

fn sentence(heat: &Heat<'_>, truth: usize, predicted: usize) -> String {
    let pixels = text::grouped(heat.count(truth, predicted));
    let (truth_name, name) = (heat.name(truth), heat.name(predicted));
    let share = heat.share(truth, predicted);
    let percent = share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0));
    if truth == predicted {
        format!("{pixels} pixels of {truth_name} were found: {percent} of it")
    } else {
        format!(
            "{pixels} pixels of {truth_name} were taken for {name}: {percent} of all {truth_name}"
        )
    }
}

/// As much of the words as fits `width`.
fn shortened(painter: &Painter, words: &str, width: f32) -> String {
    let measured = |words: &str| {
        let galley = painter.layout_no_wrap(words.to_owned(), SMALL, Color32::WHITE);
        galley.size().x
    };
    if measured(words) <= width {
        return words.to_owned();
    }
    let letters: Vec<char> = words.chars().collect();
    let fits = (1..letters.len()).rev().map(|count| {
        let start: String = letters[..count].iter().collect();
        format!("{start}…")
    });
    let mut fits = fits.skip_while(|start| measured(start) > width);
    fits.next().unwrap_or_else(|| "…".to_owned())
}
