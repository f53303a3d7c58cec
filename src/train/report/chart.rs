use super::scale::{Scale, round_step};
use super::words::{escaped, put};

/// Extent of one chart, in units of the picture.
pub(super) const WIDTH: f64 = 330.0;
pub(super) const HEIGHT: f64 = 220.0;
/// Room for the title and the legend, the numbers on both axes, and behind the last epoch.
const TOP: f64 = 58.0;
const LEFT: f64 = 38.0;
const BOTTOM: f64 = 34.0;
const RIGHT: f64 = 14.0;
/// A line has no more points than a screen has columns, about.
const MOST_POINTS: usize = 1_000;
/// Points that can be hovered; with more they would cover each other.
const MOST_HOVERED: usize = 120;

/// The colors of charts on light and dark paper.
pub(super) const CHART_STYLE: &str = include_str!("chart.css");

/// How an axis is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// Equal steps are equal differences.
    #[default]
    Linear,
    /// Equal steps are equal ratios; numbers that are not positive are left out.
    Log,
}

/// How curves are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CurveLook {
    /// How the axis of losses is divided.
    pub loss_axis: Axis,
    /// How much of the past a smoothed value holds: 0 (nothing is smoothed) to below 1. The line as
    /// it is stays visible behind.
    pub smoothing: f64,
}

/// A line of a chart: its points are epochs and values.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// An epoch worth a mark.
pub(super) struct Mark {
    pub(super) epoch: f64,
    pub(super) kind: MarkKind,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarkKind {
    Best,
    RateDrop,
    Unfreezing,
    End,
}

/// One panel of lines over the epochs.
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) scale: Scale,
    pub(super) lines: Vec<Line>,
    pub(super) smoothing: f64,
    /// A value to compare with, and its name.
    pub(super) level: Option<(f64, &'static str)>,
    /// The last epoch on the axis, at least 2; the first is 1.
    pub(super) last_epoch: f64,
}

impl Chart {
    /// The chart as an SVG picture of its own to stand in a page that has [`CHART_STYLE`].
    pub(super) fn picture(&self, marks: &[Mark]) -> String {
        let mut svg = format!(
            "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" \
             viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} by epoch\">\n",
            self.title
        );
        self.draw(&mut svg, marks);
        svg.push_str("</svg>\n");
        svg
    }

    /// Draws into the rectangle from (0, 0) to ([`WIDTH`], [`HEIGHT`]).
    pub(super) fn draw(&self, svg: &mut String, marks: &[Mark]) {
        put!(
            svg,
            "<text class=\"title\" x=\"{LEFT}\" y=\"18\">{}</text>\n",
            self.title
        );
        self.draw_axes(svg);
        self.draw_level(svg);
        for mark in marks {
            self.draw_mark(svg, mark);
        }
        let mut legend = LEFT;
        for (place, line) in self.lines.iter().enumerate() {
            put!(
                svg,
                "<path class=\"line c{place}\" d=\"M{legend:.1} 31h16\"/>\
                 <text x=\"{:.1}\" y=\"35\">{}</text>\n",
                legend + 21.0,
                line.name
            );
            legend += 37.0 + 6.2 * line.name.len() as f64;
            self.draw_line(svg, place, line);
        }
    }

    fn x(&self, epoch: f64) -> f64 {
        let share = (epoch - 1.0) / (self.last_epoch - 1.0);
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> Option<f64> {
        let place = self.scale.place(value)?;
        Some(HEIGHT - BOTTOM - place * (HEIGHT - BOTTOM - TOP))
    }

    fn draw_axes(&self, svg: &mut String) {
        let (from, to, floor) = (LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (value, text) in self.scale.ticks() {
            if let Some(at) = self.y(value) {
                put!(
                    svg,
                    "<path class=\"grid\" d=\"M{from:.1} {at:.1}H{to:.1}\"/>\
                     <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>\n",
                    from - 7.0,
                    at + 3.8
                );
            }
        }
        let step = round_step((self.last_epoch / 6.0).max(1.0)).max(1.0);
        let num_steps = (self.last_epoch / step) as u32;
        for epoch in (0..=num_steps).map(|at| (f64::from(at) * step).max(1.0)) {
            // The first tick is epoch 1; one right behind it would touch it.
            if epoch == 1.0 || epoch >= 1.0 + step * 0.5 {
                put!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{epoch}</text>\n",
                    self.x(epoch),
                    floor + 16.0
                );
            }
        }
        put!(
            svg,
            "<path class=\"axis\" d=\"M{from:.1} {floor:.1}H{to:.1}\"/>\
             <text x=\"{to:.1}\" y=\"{:.1}\" text-anchor=\"end\">epoch</text>\n",
            floor + 30.0
        );
    }

    fn draw_level(&self, svg: &mut String) {
        let level = self
            .level
            .and_then(|(value, name)| Some((self.y(value)?, value, name)));
        if let Some((at, value, name)) = level {
            put!(
                svg,
                "<path class=\"level\" d=\"M{LEFT} {at:.1}H{:.1}\"><title>{name}: {value:.3}</title>\
                 </path><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\n",
                WIDTH - RIGHT,
                WIDTH - RIGHT - 4.0,
                at + 12.0
            );
        }
    }

    fn draw_mark(&self, svg: &mut String, mark: &Mark) {
        let (x, floor) = (self.x(mark.epoch), HEIGHT - BOTTOM);
        let text = escaped(&mark.text);
        match mark.kind {
            MarkKind::Best => put!(
                svg,
                "<path class=\"best\" d=\"M{x:.1} {TOP}V{floor:.1}\"/>\
                 <text class=\"best-text\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{}\">{text}</text>\n",
                TOP - 4.0,
                if x > WIDTH * 0.8 { "end" } else { "middle" }
            ),
            MarkKind::RateDrop => put!(
                svg,
                "<path class=\"drop\" d=\"M{:.1} {:.1}h9l-4.5 7z\"><title>{text}</title></path>\n",
                x - 4.5,
                floor - 8.0
            ),
            MarkKind::Unfreezing => put!(
                svg,
                "<path class=\"thaw\" d=\"M{:.1} {:.1}h9l-4.5 -7z\"><title>{text}</title></path>\n",
                x - 4.5,
                floor - 1.0
            ),
            MarkKind::End => put!(
                svg,
                "<g><title>{text}</title><path class=\"end\" d=\"M{x:.1} {TOP}V{floor:.1}\"/>\
                 <path class=\"stop\" d=\"M{:.1} {:.1}h8v8h-8z\"/></g>\n",
                x - 4.0,
                floor - 8.0
            ),
        }
    }

    fn draw_line(&self, svg: &mut String, place: usize, line: &Line) {
        if self.smoothing > 0.0 {
            let raw = self.path(&line.points);
            put!(svg, "<polyline class=\"raw c{place}\" points=\"{raw}\"/>\n");
        }
        let path = self.path(&smoothed(&line.points, self.smoothing));
        put!(
            svg,
            "<polyline class=\"line c{place}\" points=\"{path}\"/>\n"
        );
        if line.points.len() > MOST_HOVERED {
            return;
        }
        for &(epoch, value) in &line.points {
            if let Some(y) = self.y(value) {
                put!(
                    svg,
                    "<circle class=\"dot c{place}\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"5\">\
                     <title>{}, epoch {epoch}: {}</title></circle>\n",
                    self.x(epoch),
                    line.name,
                    short(value)
                );
            }
        }
    }

    fn path(&self, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        for (epoch, value) in thinned(points) {
            if let Some(y) = self.y(value) {
                put!(&mut path, " {:.1},{y:.1}", self.x(epoch));
            }
        }
        path.trim_start().to_owned()
    }
}

/// A number in few letters: rates need powers of ten.
pub(super) fn short(value: f64) -> String {
    if value == 0.0 || (1e-3..1e5).contains(&value.abs()) {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    }
}

/// Exponentially weighted means without the pull of the missing past: each is the weighted mean of
/// all values so far, one an epoch older weighing `weight` times as much (the correction of Kingma
/// and Ba, "Adam", ICLR 2015, section 3). What is no number is left out.
pub fn smoothed(points: &[(f64, f64)], weight: f64) -> Vec<(f64, f64)> {
    let weight = if weight.is_finite() {
        weight.clamp(0.0, 0.999)
    } else {
        0.0
    };
    let (mut sum, mut total) = (0.0, 0.0);
    let numbers = points.iter().filter(|(_, value)| value.is_finite());
    numbers
        .map(|&(epoch, value)| {
            sum = sum * weight + value;
            total = total * weight + 1.0;
            (epoch, sum / total)
        })
        .collect()
}

/// As many points as a screen can show: of each stretch the lowest and the highest.
pub fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(MOST_POINTS / 2);
    let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
    let mut kept = Vec::with_capacity(MOST_POINTS);
    for part in points.chunks(stretch) {
        let ends = [part.iter().min_by(by_value), part.iter().max_by(by_value)];
        let mut ends: Vec<(f64, f64)> = ends.into_iter().flatten().copied().collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        ends.dedup();
        kept.extend(ends);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_is_as_computed_by_hand() {
        let points = [(1.0, 4.0), (2.0, 1.0), (3.0, f64::NAN), (4.0, 1.0)];
        // (4·½ + 1) / 1.5, then (4·¼ + 1·½ + 1) / 1.75.
        let expected = [(1.0, 4.0), (2.0, 2.0), (4.0, 2.5 / 1.75)];
        assert_eq!(smoothed(&points, 0.5), expected);
        assert_eq!(smoothed(&points[..2], 0.0), points[..2]);
    }

    #[test]
    fn long_lines_keep_their_spikes() {
        let mut points: Vec<(f64, f64)> = (0..50_000).map(|at| (f64::from(at), 1.0)).collect();
        points[31_234].1 = 9.0;
        let kept = thinned(&points);
        assert!(kept.len() <= MOST_POINTS);
        assert!(kept.contains(&(31_234.0, 9.0)));
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            (short(0.25), short(1e-4)),
            ("0.2500".to_owned(), "1.000e-4".to_owned())
        );
    }
}
