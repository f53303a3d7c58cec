use egui::{
    Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui,
    Vec2, pos2, vec2,
};

use super::super::theme;
use crate::train::Scale;

/// Room for the title and the values, the numbers on both axes, and behind the last epoch.
const TOP: f32 = 40.0;
const LEFT: f32 = 44.0;
const BOTTOM: f32 = 20.0;
const RIGHT: f32 = 14.0;
/// The raw line behind a smoothed one.
const RAW_OPACITY: f32 = 0.28;
const SMALL: FontId = FontId::proportional(11.0);
/// From one line of small letters to the next.
const LINE: f32 = 13.0;

/// Lines over the epochs, with marks and the values under the pointer.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What is drawn.
    pub title: &'static str,
    /// Its lines, the last one on top.
    pub lines: Vec<ChartLine>,
    /// Epochs worth a mark.
    pub marks: Vec<Mark>,
    /// Values to compare with.
    pub levels: Vec<Level>,
    /// A remark at the upper right.
    pub remark: Option<String>,
    /// The first and the last epoch on the axis.
    pub epochs: [f64; 2],
    /// The axis of values.
    pub scale: Scale,
    /// How values are written.
    pub number: fn(f64) -> String,
    /// Points from top to bottom.
    pub height: f32,
}

/// One line.
#[derive(Clone, Debug, Default)]
pub struct ChartLine {
    /// What it is.
    pub name: String,
    /// Its color.
    pub color: Color32,
    /// Epochs and values.
    pub points: Vec<(f64, f64)>,
    /// The same before it was smoothed; drawn faintly behind.
    pub raw: Vec<(f64, f64)>,
    /// Thin and faint, without points and without a value: many numbers that are noise each.
    pub is_noise: bool,
    /// Dashed, so that color is not the only sign.
    pub is_dashed: bool,
}

/// A value to compare with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// The value.
    pub value: f64,
    /// What it is, and of which line.
    pub name: &'static str,
    /// The color of that line.
    pub color: Color32,
}

/// An epoch worth a mark.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Where.
    pub epoch: f64,
    /// What happened.
    pub kind: MarkKind,
    /// A word beside the mark of the best epoch; those of others are shown under the pointer.
    pub word: String,
}

/// What a mark stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// The network of this epoch was kept.
    Best,
    /// The learning rate fell.
    RateDrop,
    /// Frozen stages of the encoder began to learn.
    Unfreezing,
    /// The training ended.
    End,
}

/// The epoch under the pointer, shared by charts that stand together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hover {
    shown: Option<f64>,
    next: Option<f64>,
}

impl Hover {
    /// Begins a frame: shows where the pointer was in the frame before.
    pub const fn begin(&mut self) {
        self.shown = self.next;
        self.next = None;
    }

    /// Asks for another frame when the pointer is at another epoch now.
    pub fn end(&self, ui: &Ui) {
        if self.next != self.shown {
            ui.request_repaint();
        }
    }
}

/// Draws a chart as wide as there is room.
pub fn chart_ui(ui: &mut Ui, chart: &Chart, hover: &mut Hover) -> Response {
    let size = vec2(ui.available_width(), chart.height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| {
        let words = format!("{}, {} epochs", chart.title, chart.last_epoch());
        egui::WidgetInfo::labeled(egui::Role::Figure, true, words)
    });
    let sheet = Sheet::new(ui, rect, chart);
    if let Some(at) = response.hover_pos()
        && sheet.plot.x_range().contains(at.x)
    {
        hover.next = Some(sheet.epoch_at(at.x).round());
    }
    sheet.draw(hover.shown);
    let near = |mark: &&Mark| {
        let near = |at: Pos2| (sheet.x(mark.epoch) - at.x).abs() < 7.0;
        mark.kind != MarkKind::Best && response.hover_pos().is_some_and(near)
    };
    match chart.marks.iter().find(near) {
        Some(mark) => response.on_hover_text(&mark.word),
        None => response,
    }
}

impl Chart {
    /// The last epoch that a curve has come to the end of; 0 without one.
    fn last_epoch(&self) -> u32 {
        let curves = self.lines.iter().filter(|line| !line.is_noise);
        let ends = curves.filter_map(|line| line.points.last());
        ends.map(|&(epoch, _)| epoch as u32).max().unwrap_or(0)
    }
}

/// A chart being drawn into a rectangle.
struct Sheet<'a> {
    chart: &'a Chart,
    painter: Painter,
    /// Where lines are drawn.
    plot: Rect,
    rect: Rect,
    text: Color32,
    weak: Color32,
    grid: Color32,
    warning: Color32,
}

impl<'a> Sheet<'a> {
    fn new(ui: &Ui, rect: Rect, chart: &'a Chart) -> Self {
        let plot = Rect::from_min_max(rect.min + vec2(LEFT, TOP), rect.max - vec2(RIGHT, BOTTOM));
        let visuals = ui.visuals();
        let back = visuals.extreme_bg_color;
        ui.painter().rect_filled(rect, CornerRadius::same(4), back);
        Self {
            chart,
            painter: ui.painter_at(rect),
            plot,
            rect,
            text: visuals.text_color(),
            weak: visuals.weak_text_color(),
            grid: visuals.text_color().gamma_multiply(0.12),
            warning: theme::legible(theme::WARNING, visuals),
        }
    }

    fn x(&self, epoch: f64) -> f32 {
        let [first, last] = self.chart.epochs;
        let share = (epoch - first) / (last - first).max(f64::MIN_POSITIVE);
        self.plot.left() + share as f32 * self.plot.width()
    }

    fn epoch_at(&self, x: f32) -> f64 {
        let [first, last] = self.chart.epochs;
        let share = f64::from((x - self.plot.left()) / self.plot.width().max(1.0));
        first + share * (last - first)
    }

    fn y(&self, value: f64) -> Option<f32> {
        let place = self.chart.scale.position(value)?.clamp(-2.0, 3.0) as f32;
        Some(self.plot.bottom() - place * self.plot.height())
    }

    fn places(&self, points: &[(f64, f64)]) -> Vec<Pos2> {
        let place = |&(epoch, value): &(f64, f64)| Some(pos2(self.x(epoch), self.y(value)?));
        points.iter().filter_map(place).collect()
    }

    fn draw(&self, hovered: Option<f64>) {
        self.draw_axes();
        self.draw_levels();
        for mark in &self.chart.marks {
            self.draw_mark(mark);
        }
        let inside = self
            .painter
            .with_clip_rect(self.plot.expand2(vec2(4.0, 2.0)));
        for line in &self.chart.lines {
            self.draw_line(&inside, line);
        }
        if let Some(epoch) = hovered {
            self.draw_hovered(&inside, epoch);
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

    fn draw_levels(&self) {
        let mut named: Vec<f32> = Vec::new();
        for level in &self.chart.levels {
            let y = self.y(level.value);
            let Some(y) = y.filter(|y| self.plot.y_range().contains(*y)) else {
                continue;
            };
            let ends = [pos2(self.plot.left(), y), pos2(self.plot.right(), y)];
            let stroke = Stroke::new(1.0, level.color);
            self.painter
                .extend(Shape::dashed_line(&ends, stroke, 5.0, 4.0));
            // Names over each other could not be read.
            if named.iter().all(|other| (other - y).abs() >= LINE) {
                let words = format!("{} {:.3}", level.name, level.value);
                let at = ends[0] + vec2(4.0, 2.0);
                self.painter
                    .text(at, Align2::LEFT_TOP, words, SMALL, self.weak);
                named.push(y);
            }
        }
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
            MarkKind::Best => self.draw_upright(x, theme::ACCENT, &mark.word),
            MarkKind::End => {
                let ends = [pos2(x, self.plot.top()), pos2(x, self.plot.bottom())];
                let stroke = Stroke::new(1.0, self.weak);
                self.painter.extend(Shape::dotted_line(
                    &ends,
                    self.weak,
                    4.0,
                    stroke.width * 0.9,
                ));
            }
        }
    }

    fn draw_upright(&self, x: f32, color: Color32, word: &str) {
        let stroke = Stroke::new(1.0, color.gamma_multiply(0.8));
        self.painter.vline(x, self.plot.y_range(), stroke);
        let word = self.painter.layout_no_wrap(word.to_owned(), SMALL, color);
        let is_right = x + 4.0 + word.size().x > self.plot.right();
        let (side, by) = if is_right {
            (Align2::RIGHT_TOP, vec2(-4.0, 0.0))
        } else {
            (Align2::LEFT_TOP, vec2(4.0, 0.0))
        };
        let at = pos2(x, self.plot.top()) + by;
        let at = side.anchor_size(at, word.size()).min;
        self.painter.galley(at, word, color);
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
            inside.circle_filled(only, 2.5, line.color);
        } else if line.is_dashed {
            inside.extend(Shape::dashed_line(&places, stroke, 6.0, 3.5));
        } else {
            inside.add(Shape::line(places, stroke));
        }
    }

    fn draw_hovered(&self, inside: &Painter, epoch: f64) {
        let x = self.x(epoch);
        self.painter
            .vline(x, self.plot.y_range(), Stroke::new(1.0, self.weak));
        for line in self.chart.lines.iter().filter(|line| !line.is_noise) {
            let Some(value) = line.value_at(Some(epoch)) else {
                continue;
            };
            if let Some(y) = self.y(value) {
                let ring = Stroke::new(1.5, self.text);
                inside.circle(pos2(x, y), 3.0, line.color, ring);
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

impl ChartLine {
    /// The value at an epoch as it was measured, or the last one.
    fn value_at(&self, epoch: Option<f64>) -> Option<f64> {
        let points = if self.raw.is_empty() {
            &self.points
        } else {
            &self.raw
        };
        let distance = |at: f64, epoch: f64| (at - epoch).abs();
        let found = match epoch {
            // Of a line by steps the one that is nearest to the epoch's end.
            Some(epoch) => (points.iter().filter(|(at, _)| distance(*at, epoch) < 0.5)).min_by(
                |(one, _), (other, _)| distance(*one, epoch).total_cmp(&distance(*other, epoch)),
            ),
            None => points.last(),
        };
        found.map(|&(_, value)| value)
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

    #[test]
    fn a_value_under_the_pointer_is_the_measured_one() {
        let line = ChartLine {
            points: vec![(1.0, 2.0), (2.0, 1.5)],
            raw: vec![(1.0, 2.0), (2.0, 1.0)],
            ..ChartLine::default()
        };
        assert_eq!(line.value_at(Some(2.0)), Some(1.0));
        assert_eq!(
            (line.value_at(None), line.value_at(Some(3.0))),
            (Some(1.0), None)
        );
    }

    #[test]
    fn a_line_by_steps_has_the_value_at_the_end_of_an_epoch() {
        let line = ChartLine {
            points: vec![(0.5, 0.1), (0.98, 1.0), (1.5, 0.6), (2.0, 0.3), (2.5, 0.2)],
            ..ChartLine::default()
        };
        let values = [1.0, 2.0, 4.0].map(|epoch| line.value_at(Some(epoch)));
        assert_eq!(values, [Some(1.0), Some(0.3), None]);
        let chart = Chart {
            title: "Learning rate",
            lines: vec![line],
            marks: Vec::new(),
            levels: Vec::new(),
            remark: None,
            epochs: [0.0, 3.0],
            scale: Scale::of_ratios(),
            number: |value| value.to_string(),
            height: 100.0,
        };
        assert_eq!(chart.last_epoch(), 2);
    }
}
