use egui::{
    Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Response, Sense, Stroke,
    StrokeKind, Ui, pos2, vec2,
};

use super::super::{text, theme};
use crate::metrics::{ClassScores, Scores};

/// More classes than this are not legible.
const MOST_CLASSES: usize = 40;
/// Room for the names at the left and above.
const NAMES: f32 = 92.0;
const ABOVE: f32 = 76.0;
/// Room at the right for the support, over which the last name leans.
const BESIDE: f32 = 56.0;
/// How far right of the cells the support ends.
const SUPPORT: f32 = 40.0;
/// How much longer than high a name at half a right angle is.
const SLANT: f32 = std::f32::consts::SQRT_2;
const LARGEST_CELL: f32 = 46.0;
const SMALLEST_CELL: f32 = 11.0;
const SMALL: FontId = FontId::proportional(11.0);
/// Right predictions; wrong ones are of the color of warnings.
const RIGHT: Color32 = theme::CURVE_IOU;
const WRONG: Color32 = theme::CURVE_VALIDATION;

/// What the numbers in a confusion matrix are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatrixNumbers {
    /// Pixels.
    Counts,
    /// Shares of each true class.
    #[default]
    OfTruth,
    /// Shares of each predicted class.
    OfPrediction,
}

impl MatrixNumbers {
    const ALL: [Self; 3] = [Self::Counts, Self::OfTruth, Self::OfPrediction];

    const fn name(self) -> &'static str {
        match self {
            Self::Counts => "Counts",
            Self::OfTruth => "By row",
            Self::OfPrediction => "By column",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::Counts => "Pixels",
            Self::OfTruth => "In % of each true class: what became of it (recall)",
            Self::OfPrediction => "In % of each predicted class: what it really is (precision)",
        }
    }
}

/// Which true class was predicted as which: the numbers that are chosen above it, the support of
/// each true class beside it, counts under the pointer. The true and the predicted class of a cell
/// that was pressed come back.
pub fn confusion_ui(ui: &mut Ui, scores: &Scores, numbers: &mut MatrixNumbers) -> Option<(u8, u8)> {
    let mut heat = Heat::of(scores, *numbers);
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
    numbers_ui(ui, numbers);
    heat.numbers = *numbers;
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

/// The choice of numbers.
fn numbers_ui(ui: &mut Ui, numbers: &mut MatrixNumbers) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for other in MatrixNumbers::ALL {
            ui.selectable_value(numbers, other, other.name())
                .on_hover_text(other.help());
        }
    });
}

/// The counts of the classes that occur.
struct Heat<'a> {
    scores: &'a Scores,
    numbers: MatrixNumbers,
    /// Classes with truth or predictions, by index.
    shown: Vec<usize>,
}

impl<'a> Heat<'a> {
    fn of(scores: &'a Scores, numbers: MatrixNumbers) -> Self {
        let counts = &scores.confusion;
        let is_used = |&class: &usize| {
            let column = counts.iter().filter_map(|row| row.get(class)).sum::<u64>();
            counts[class].iter().sum::<u64>() + column > 0
        };
        let shown = (0..counts.len()).filter(is_used).collect();
        Self {
            scores,
            numbers,
            shown,
        }
    }

    fn count(&self, truth: usize, predicted: usize) -> u64 {
        let row = &self.scores.confusion[self.shown[truth]];
        row.get(self.shown[predicted]).copied().unwrap_or(0)
    }

    /// True pixels of a class, those without a prediction included.
    fn support(&self, truth: usize) -> u64 {
        let index = self.shown[truth];
        let row = self.scores.confusion[index].iter().sum::<u64>();
        self.class(truth)
            .map_or(row, |class| class.support.max(row))
    }

    /// The share of the true or of the predicted class; `None` where there is none of it.
    fn share(&self, truth: usize, predicted: usize) -> Option<f64> {
        let total = match self.numbers {
            MatrixNumbers::OfPrediction => (0..self.shown.len())
                .map(|truth| self.count(truth, predicted))
                .sum(),
            MatrixNumbers::Counts | MatrixNumbers::OfTruth => self.support(truth),
        };
        (total > 0).then(|| self.count(truth, predicted) as f64 / total as f64)
    }

    /// How strongly a cell is colored, from 0 to 1.
    fn strength(&self, truth: usize, predicted: usize) -> f32 {
        let share = match self.numbers {
            MatrixNumbers::Counts => {
                let counts = self.scores.confusion.iter().flatten();
                let most = counts.copied().max().unwrap_or(0).max(1);
                self.count(truth, predicted) as f64 / most as f64
            }
            _ => self.share(truth, predicted).unwrap_or(0.0),
        };
        // By the root, since rare confusions would not be seen otherwise.
        share.sqrt() as f32
    }

    /// What stands in a cell; nothing where it would be 0.
    fn words(&self, truth: usize, predicted: usize) -> Option<String> {
        let count = self.count(truth, predicted);
        if self.numbers == MatrixNumbers::Counts {
            return (count > 0).then(|| text::short(count));
        }
        let share = self.share(truth, predicted)?;
        (share >= 0.005).then(|| format!("{:.0}", share * 100.0))
    }

    fn class(&self, place: usize) -> Option<&ClassScores> {
        let index = self.shown[place];
        let mut classes = self.scores.per_class.iter();
        classes.find(|class| usize::from(class.index) == index)
    }

    fn name(&self, place: usize) -> String {
        self.class(place).map_or_else(
            || format!("class {}", self.shown[place]),
            |class| class.name.clone(),
        )
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
        self.draw_support(painter);
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
        self.draw_slanted(painter, &name, middle.x, self.text);
    }

    /// Slanted words stand closer than level ones.
    fn draw_slanted(&self, painter: &Painter, words: &str, x: f32, color: Color32) {
        let slanted = shortened(painter, words, (ABOVE - 12.0) * SLANT);
        let galley = painter.layout_no_wrap(slanted, SMALL, color);
        // The lower left corner stays where it is, over the cells.
        let foot = pos2(x - 2.0, self.origin.y - 3.0 - galley.size().y);
        let shape = egui::epaint::TextShape::new(foot, galley, color)
            .with_angle_and_anchor(-0.75, Align2::LEFT_BOTTOM);
        painter.add(shape);
    }

    /// The true pixels of each class, at the right.
    fn draw_support(&self, painter: &Painter) {
        let count = self.heat.shown.len();
        let right = self.origin.x + count as f32 * self.cell + SUPPORT;
        self.draw_slanted(painter, "support", right - SUPPORT / 2.0, self.weak);
        for truth in 0..count {
            let at = pos2(right, self.rect(truth, truth).center().y);
            let words = text::short(self.heat.support(truth));
            painter.text(at, Align2::RIGHT_CENTER, words, SMALL, self.weak);
        }
    }

    fn draw_cell(&self, painter: &Painter, truth: usize, predicted: usize) {
        let rect = self.rect(truth, predicted);
        let color = if truth == predicted { RIGHT } else { WRONG };
        let strength = self.heat.strength(truth, predicted);
        let empty = self.text.gamma_multiply(0.05);
        painter.rect_filled(rect, CornerRadius::same(2), empty);
        painter.rect_filled(rect, CornerRadius::same(2), color.gamma_multiply(strength));
        let words = self.heat.words(truth, predicted);
        let Some(words) = words.filter(|_| self.cell >= 24.0) else {
            return;
        };
        let ink = if strength > 0.55 {
            Color32::BLACK
        } else {
            self.text
        };
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
    let was = if truth == predicted {
        "found".to_owned()
    } else {
        format!("taken for {name}")
    };
    let whole = match heat.numbers {
        MatrixNumbers::OfPrediction => format!("that was taken for {name}"),
        MatrixNumbers::Counts | MatrixNumbers::OfTruth => truth_name.clone(),
    };
    format!("{pixels} pixels of {truth_name} were {was}: {percent} of all {whole}")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::ClassTable;
    use crate::metrics::Confusion;

    #[test]
    fn numbers_are_pixels_or_shares_of_rows_or_columns() {
        let mut counts = Confusion::new(2);
        counts.add_many(0, 0, 300);
        counts.add_many(1, 0, 100);
        counts.add_many(1, 1, 1_900);
        let scores = Scores::new(&counts, &ClassTable::default());
        let told = |numbers| {
            let heat = Heat::of(&scores, numbers);
            [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(row, column)| heat.words(row, column))
        };
        let words = |words: [&str; 3]| {
            let [first, second, third] = words.map(|word| Some(word.to_owned()));
            [first, None, second, third]
        };
        assert_eq!(told(MatrixNumbers::Counts), words(["300", "100", "1.9k"]));
        assert_eq!(told(MatrixNumbers::OfTruth), words(["100", "5", "95"]));
        assert_eq!(
            told(MatrixNumbers::OfPrediction),
            words(["75", "25", "100"])
        );
        let heat = Heat::of(&scores, MatrixNumbers::OfPrediction);
        assert_eq!([0, 1].map(|class| heat.support(class)), [300, 2_000]);
        let whole = sentence(&heat, 1, 0);
        assert!(whole.starts_with("100 pixels of "), "{whole}");
        assert!(
            whole.contains(": 25.0 % of all that was taken for "),
            "{whole}"
        );
    }
}
