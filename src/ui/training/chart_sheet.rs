use std::sync::Arc;

use egui::{
    Align2, Color32, CornerRadius, FontId, Galley, Painter, Pos2, Rangef, Rect, Shape, Stroke, Ui,
    Vec2, pos2, vec2,
};

use super::super::theme;
use super::chart::{Chart, ChartLine, Level, Mark, MarkKind};
use super::chart_words::{least_covering, lines_of};

/// Room for the title and the values with the upper half of a number on the axis, the numbers on both
/// axes, and behind the last epoch.
const TOP: f32 = 48.0;
const LEFT: f32 = 44.0;
const BOTTOM: f32 = 20.0;
const RIGHT: f32 = 14.0;
/// The raw line behind a smoothed one.
const RAW_OPACITY: f32 = 0.28;
const SMALL: FontId = FontId::proportional(11.0);
/// From one line of small letters to the next.
const LINE: f32 = 13.0;

/// A chart being drawn into a rectangle.
pub(super) struct Sheet<'a> {
    chart: &'a Chart,
    painter: Painter,
    /// Where lines are drawn.
    pub(super) plot: Rect,
    rect: Rect,
    text: Color32,
    weak: Color32,
    grid: Color32,
    warning: Color32,
    /// What words stand on.
    plate: Color32,
    /// The words of marks.
    told: Vec<Told>,
}

/// Words of a mark above the plot.
struct Told {
    kind: MarkKind,
    /// From left to right.
    span: Rangef,
    /// From the upper one on.
    line: usize,
    words: Arc<Galley>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(ui: &Ui, rect: Rect, chart: &'a Chart) -> Self {
        let plot = Rect::from_min_max(rect.min + vec2(LEFT, TOP), rect.max - vec2(RIGHT, BOTTOM));
        let visuals = ui.visuals();
        let back = visuals.extreme_bg_color;
        ui.painter().rect_filled(rect, CornerRadius::same(4), back);
        let mut sheet = Self {
            chart,
            painter: ui.painter_at(rect),
            plot,
            rect,
            text: visuals.text_color(),
            weak: visuals.weak_text_color(),
            grid: visuals.text_color().gamma_multiply(0.12),
            warning: theme::legible(theme::WARNING, visuals),
            plate: back.gamma_multiply(0.85),
            told: Vec::new(),
        };
        sheet.told = sheet.tell();
        let lines = sheet.told.iter().map(|told| told.line + 1).max();
        sheet.plot.min.y += LINE * lines.unwrap_or(0) as f32;
        sheet
    }

    pub(super) fn x(&self, epoch: f64) -> f32 {
        let [first, last] = self.chart.epochs;
        let share = (epoch - first) / (last - first).max(f64::MIN_POSITIVE);
        self.plot.left() + share as f32 * self.plot.width()
    }

    pub(super) fn epoch_at(&self, x: f32) -> f64 {
        let [first, last] = self.chart.epochs;
        let share = f64::from((x - self.plot.left()) / self.plot.width().max(1.0));
        first + share * (last - first)
    }

    fn y(&self, value: f64) -> Option<f32> {
        let place = self.chart.scale.position(value)?.clamp(-2.0, 3.0) as f32;
        Some(self.plot.bottom() - place * self.plot.height())
    }

    /// Where a value lies, unless it is beyond the axis.
    fn inside(&self, value: f64, x: f32) -> Option<Pos2> {
        let at = pos2(x, self.y(value)?);
        self.plot.expand(1.0).contains(at).then_some(at)
    }

    fn places(&self, points: &[(f64, f64)]) -> Vec<Pos2> {
        let place = |&(epoch, value): &(f64, f64)| Some(pos2(self.x(epoch), self.y(value)?));
        points.iter().filter_map(place).collect()
    }

    pub(super) fn draw(&self, hovered: Option<f64>) {
        self.draw_axes();
        for level in &self.chart.levels {
            self.draw_level(level);
        }
        for mark in &self.chart.marks {
            self.draw_mark(mark);
        }
        // As much as half a line on the edge is broad.
        let inside = self.painter.with_clip_rect(self.plot.expand(1.0));
        for line in &self.chart.lines {
            self.draw_line(&inside, line);
        }
        self.draw_words();
        if let Some(epoch) = hovered {
            self.draw_hovered(epoch);
        }
        self.draw_values(hovered);
    }

    fn draw_axes(&self) {
        for (value, text) in self.chart.scale.ticks() {
            let Some(y) = self.y(value) else { continue };
            let inside = self.plot.y_range().expand(0.5);
            if !inside.contains(y) {
                continue;
            }
            let stroke = Stroke::new(1.0, self.grid);
            self.painter
                .hline(self.plot.x_range(), y.round() + 0.5, stroke);
            let at = pos2(self.plot.left() - 6.0, y);
            self.painter
                .text(at, Align2::RIGHT_CENTER, text, SMALL, self.weak);
        }
        let [first, last] = self.chart.epochs;
        let room = (self.plot.width() / 46.0).max(2.0);
        let step = whole_step((last - first) / f64::from(room));
        let mut epoch = (first / step).ceil() * step;
        while epoch <= last {
            let at = pos2(self.x(epoch), self.plot.bottom() + 4.0);
            self.painter.text(
                at,
                Align2::CENTER_TOP,
                format!("{epoch:.0}"),
                SMALL,
                self.weak,
            );
            epoch += step;
        }
    }

    /// Where the line of a level begins and ends, unless it is beyond the axis.
    fn ends_of(&self, level: &Level) -> Option<[Pos2; 2]> {
        let (y, plot) = (self.y(level.value)?, self.plot);
        let is_inside = plot.y_range().contains(y);
        is_inside.then(|| [pos2(plot.left(), y), pos2(plot.right(), y)])
    }

    fn draw_level(&self, level: &Level) {
        let Some(ends) = self.ends_of(level) else {
            return;
        };
        let stroke = Stroke::new(1.0, level.color);
        self.painter
            .extend(Shape::dashed_line(&ends, stroke, 5.0, 4.0));
    }

    /// The words of marks above the plot, and the names of levels where they cover least of the
    /// curves.
    fn draw_words(&self) {
        for told in &self.told {
            let at = pos2(told.span.min, self.top_of(told.line));
            let words = Arc::clone(&told.words);
            self.painter.galley(at, words, self.text);
        }
        let mut lines: Vec<Vec<Pos2>> = (self.chart.lines.iter())
            .filter(|line| !line.is_noise)
            .map(|line| self.places(&line.points))
            .collect();
        let levels = self.chart.levels.iter();
        lines.extend(levels.filter_map(|level| Some(self.ends_of(level)?.to_vec())));
        let mut taken = Vec::new();
        for level in &self.chart.levels {
            let Some([left, _]) = self.ends_of(level) else {
                continue;
            };
            let words = format!("{} {:.3}", level.name, level.value);
            let words = self.painter.layout_no_wrap(words, SMALL, self.weak);
            // Names over each other could not be read.
            let places = self.places_beside(left.y, words.size());
            if let Some(place) = least_covering(&places, &taken, &lines) {
                let plate = place.expand2(vec2(2.0, 0.0));
                self.painter
                    .rect_filled(plate, CornerRadius::same(2), self.plate);
                self.painter.galley(place.min, words, self.text);
                taken.push(place);
            }
        }
    }

    /// Below and above a level, at the left and at the right, as far as that is on the plot.
    fn places_beside(&self, y: f32, size: Vec2) -> Vec<Rect> {
        let xs = [self.plot.left() + 4.0, self.plot.right() - size.x - 4.0];
        let ys = [y + 2.0, y - size.y - 2.0];
        let place = |y: f32| xs.map(|x| Rect::from_min_size(pos2(x, y), size));
        let places = ys.into_iter().flat_map(place);
        places
            .filter(|place| self.plot.contains_rect(*place))
            .collect()
    }

    /// The words of marks that have some, each on a line above the plot that it has to itself
    /// there, beside its mark on the side with room.
    fn tell(&self) -> Vec<Told> {
        let told = |mark: &Mark| {
            let color = match mark.kind {
                MarkKind::Best => theme::ACCENT,
                MarkKind::End => self.weak,
                MarkKind::RateDrop | MarkKind::Unfreezing => return None,
            };
            let words = mark.word.clone();
            let words = self.painter.layout_no_wrap(words, SMALL, color);
            let (x, width) = (self.x(mark.epoch), words.size().x);
            let left = if x + 4.0 + width <= self.rect.right() - 4.0 {
                x + 4.0
            } else {
                (x - 4.0 - width).max(self.rect.left() + 4.0)
            };
            let span = Rangef::new(left, left + width);
            let kind = mark.kind;
            Some(Told {
                kind,
                span,
                line: 0,
                words,
            })
        };
        let mut told: Vec<Told> = self.chart.marks.iter().filter_map(told).collect();
        let spans: Vec<Rangef> = told.iter().map(|told| told.span.expand(4.0)).collect();
        for (told, line) in told.iter_mut().zip(lines_of(&spans)) {
            told.line = line;
        }
        told
    }

    /// The upper edge of a line of words above the plot.
    fn top_of(&self, line: usize) -> f32 {
        self.rect.top() + TOP - 6.0 + LINE * line as f32
    }

    /// From the words of a kind of marks to the lower edge of the plot.
    fn range_of(&self, kind: MarkKind) -> Rangef {
        let told = self.told.iter().find(|told| told.kind == kind);
        let top = told.map_or(self.plot.top(), |told| self.top_of(told.line));
        Rangef::new(top, self.plot.bottom())
    }

    fn draw_mark(&self, mark: &Mark) {
        let x = self.x(mark.epoch).round() + 0.5;
        match mark.kind {
            MarkKind::RateDrop => {
                let tip = pos2(x, self.plot.bottom() - 1.0);
                let corners = vec![tip, tip + vec2(-4.5, -7.0), tip + vec2(4.5, -7.0)];
                self.painter
                    .add(Shape::convex_polygon(corners, self.weak, Stroke::NONE));
            }
            MarkKind::Unfreezing => {
                let tip = pos2(x, self.plot.bottom() - 8.0);
                let corners = vec![tip, tip + vec2(4.5, 7.0), tip + vec2(-4.5, 7.0)];
                self.painter
                    .add(Shape::convex_polygon(corners, theme::ACCENT, Stroke::NONE));
            }
            MarkKind::Best => {
                let stroke = Stroke::new(1.0, theme::ACCENT.gamma_multiply(0.8));
                self.painter.vline(x, self.range_of(mark.kind), stroke);
            }
            MarkKind::End => {
                let range = self.range_of(mark.kind);
                let ends = [pos2(x, range.min), pos2(x, range.max)];
                self.painter
                    .extend(Shape::dotted_line(&ends, self.weak, 4.0, 0.9));
                let foot = pos2(x, self.plot.bottom() - 4.0);
                let stop = Rect::from_center_size(foot, vec2(7.0, 7.0));
                self.painter
                    .rect_filled(stop, CornerRadius::ZERO, self.weak);
            }
        }
    }

    fn draw_line(&self, inside: &Painter, line: &ChartLine) {
        if line.is_noise {
            let stroke = Stroke::new(1.0, line.color.gamma_multiply(0.45));
            inside.add(Shape::line(self.places(&line.points), stroke));
            return;
        }
        if !line.raw.is_empty() {
            let faint = Stroke::new(1.2, line.color.gamma_multiply(RAW_OPACITY));
            inside.add(Shape::line(self.places(&line.raw), faint));
        }
        let places = self.places(&line.points);
        let stroke = Stroke::new(1.8, line.color);
        if let [only] = places[..] {
            // A whole dot, also on the edge.
            if self.plot.expand(1.0).contains(only) {
                self.painter.circle_filled(only, 2.5, line.color);
            }
        } else if line.is_dashed {
            inside.extend(Shape::dashed_line(&places, stroke, 6.0, 3.5));
        } else {
            inside.add(Shape::line(places, stroke));
        }
    }

    fn draw_hovered(&self, epoch: f64) {
        let x = self.x(epoch);
        self.painter
            .vline(x, self.plot.y_range(), Stroke::new(1.0, self.weak));
        for line in self.chart.lines.iter().filter(|line| !line.is_noise) {
            let Some(value) = line.value_at(Some(epoch)) else {
                continue;
            };
            if let Some(at) = self.inside(value, x) {
                let ring = Stroke::new(1.5, self.text);
                self.painter.circle(at, 3.0, line.color, ring);
            }
        }
    }

    /// The title, and below it each line's name and value: that under the pointer, else the last.
    fn draw_values(&self, hovered: Option<f64>) {
        let title = FontId::proportional(12.5);
        let at = self.rect.min + vec2(10.0, 5.0);
        self.painter
            .text(at, Align2::LEFT_TOP, self.chart.title, title, self.text);
        if let Some(remark) = &self.chart.remark {
            let at = self.rect.right_top() + vec2(-RIGHT, 23.0);
            self.painter
                .text(at, Align2::RIGHT_TOP, remark, SMALL, self.warning);
        }
        if let Some(epoch) = hovered {
            let at = self.rect.right_top() + vec2(-RIGHT, 6.0);
            let words = format!("epoch {epoch:.0}");
            self.painter
                .text(at, Align2::RIGHT_TOP, words, SMALL, self.text);
        }
        let mut at = self.rect.min + vec2(10.0, 23.0);
        for line in self.chart.lines.iter().rev() {
            if at.x > self.rect.right() - 60.0 {
                break;
            }
            at.x += self.draw_name(at, line, hovered).x + 14.0;
        }
    }

    fn draw_name(&self, at: Pos2, line: &ChartLine, hovered: Option<f64>) -> Vec2 {
        let middle = at + vec2(0.0, 7.0);
        let ends = [middle, middle + vec2(12.0, 0.0)];
        let width = if line.is_noise { 1.0 } else { 2.0 };
        let stroke = Stroke::new(width, line.color);
        if line.is_dashed {
            self.painter
                .extend(Shape::dashed_line(&ends, stroke, 4.0, 3.0));
        } else {
            self.painter.line_segment(ends, stroke);
        }
        let value = line.value_at(hovered).filter(|_| !line.is_noise);
        let value = value.map_or_else(String::new, |value| {
            format!(" {}", (self.chart.number)(value))
        });
        let words = format!("{}{value}", line.name);
        let written = self.painter.text(
            at + vec2(16.0, 0.0),
            Align2::LEFT_TOP,
            words,
            SMALL,
            self.text,
        );
        vec2(16.0 + written.width(), written.height())
    }
}

/// The least of 1, 2, 5, 10, 20, … that is not below `step`.
fn whole_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.max(1.0).log10().floor());
    let mantissas = [1.0, 2.0, 5.0, 10.0];
    let fits = mantissas
        .iter()
        .map(|m| m * power)
        .find(|&found| found >= step);
    fits.unwrap_or(power * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_marked_in_whole_steps() {
        let steps = [0.1, 1.0, 1.2, 3.0, 9.0, 17.0, 400.0].map(whole_step);
        assert_eq!(steps, [1.0, 1.0, 2.0, 5.0, 10.0, 20.0, 500.0]);
    }
}
