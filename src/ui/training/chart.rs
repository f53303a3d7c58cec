use egui::{Color32, Response, Sense, Ui, vec2};

use super::chart_sheet::Sheet;
use crate::train::Scale;

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
    /// Stands beside the marks of the best epoch and of the end; all are shown under the pointer.
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
    let Some(at) = response.hover_pos() else {
        return response;
    };
    let near = |mark: &&Mark| (sheet.x(mark.epoch) - at.x).abs() < 7.0;
    let near = chart.marks.iter().filter(near);
    let words: Vec<&str> = near.map(|mark| mark.word.as_str()).collect();
    if words.is_empty() {
        return response;
    }
    response.on_hover_text(words.join("\n"))
}

impl Chart {
    /// The last epoch that a curve has come to the end of; 0 without one.
    fn last_epoch(&self) -> u32 {
        let curves = self.lines.iter().filter(|line| !line.is_noise);
        let ends = curves.filter_map(|line| line.points.last());
        ends.map(|&(epoch, _)| epoch as u32).max().unwrap_or(0)
    }
}

impl ChartLine {
    /// The value at an epoch as it was measured, or the last one.
    pub(super) fn value_at(&self, epoch: Option<f64>) -> Option<f64> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
