use super::chart::{Axis, CHART_STYLE, short};
use super::scale::Scale;
use super::words::put;
use crate::train::RateVerdict;

/// Extent of the picture and of the room around its lines.
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = 40.0;

/// Losses over learning rates as one SVG picture: the smoothed line with the raw one behind, and
/// marks where the loss falls most steeply and at the rate that is suggested.
pub(in crate::train) fn rate_svg(
    rates: &[f64],
    losses: &[f64],
    verdict: Option<&RateVerdict>,
) -> String {
    let smoothed = verdict.map_or(&[][..], |verdict| &verdict.smoothed);
    // Losses that broke away would press all others to the floor.
    let shown = if smoothed.is_empty() {
        losses
    } else {
        smoothed
    };
    let x = Scale::of(Axis::Log, rates.iter().copied());
    let y = Scale::of(Axis::Linear, shown.iter().copied());
    let across = |rate: f64| Some(LEFT + x.place(rate)? * (WIDTH - RIGHT - LEFT));
    let up = |loss: f64| Some(HEIGHT - BOTTOM - y.place(loss)? * (HEIGHT - BOTTOM - TOP));
    let mut svg = format!(
        "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         role=\"img\" aria-label=\"Loss by learning rate\">\n<style>{CHART_STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"20\">Loss by learning rate</text>\n"
    );
    add_axes(&mut svg, [&x, &y]);
    for (class, values) in [("raw c0", losses), ("line c0", smoothed)] {
        let points = rates.iter().zip(values);
        let path = path(points.filter_map(|(&rate, &loss)| Some((across(rate)?, up(loss)?))));
        put!(&mut svg, "<path class=\"{class}\" d=\"{path}\"/>\n");
    }
    let floor = HEIGHT - BOTTOM;
    if let Some(verdict) = verdict {
        let rate = verdict.suggestion();
        put!(
            &mut svg,
            "<text x=\"{LEFT}\" y=\"38\">suggested: {} (steepest fall at {})</text>\n",
            short(rate),
            short(verdict.steepest)
        );
        if let Some(at) = across(rate) {
            put!(
                &mut svg,
                "<path class=\"best\" d=\"M{at:.1} {TOP}V{floor}\"/>\n"
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Grid lines with the losses, and the rates below.
fn add_axes(svg: &mut String, [x, y]: [&Scale; 2]) {
    let (floor, end) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    for (value, text) in y.ticks() {
        if let Some(at) = y.place(value) {
            let at = floor - at * (floor - TOP);
            put!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{end}\"/><text x=\"{:.1}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{text}</text>\n",
                LEFT - 7.0,
                at + 3.8
            );
        }
    }
    for (value, text) in x.ticks() {
        if let Some(at) = x.place(value) {
            let at = LEFT + at * (end - LEFT);
            put!(
                svg,
                "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>\n",
                floor + 16.0
            );
        }
    }
    put!(svg, "<path class=\"axis\" d=\"M{LEFT} {floor}H{end}\"/>\n");
}

fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        let pen = if path.is_empty() { 'M' } else { 'L' };
        put!(&mut path, "{pen}{x:.1} {y:.1}");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lines_and_the_suggestion_are_drawn() {
        let rates = [1e-4, 1e-3, 1e-2, 0.1];
        let losses = [1.0, 0.8, 0.5, f64::NAN];
        let verdict = RateVerdict {
            smoothed: vec![1.0, 0.9, 0.7],
            steepest: 1e-2,
            tenth_of_least: 1e-3,
        };
        let svg = rate_svg(&rates, &losses, Some(&verdict));
        assert!(
            svg.contains("suggested: 0.0010 (steepest fall at 0.0100)"),
            "{svg}"
        );
        assert_eq!(svg.matches("class=\"best\"").count(), 1);
        // Three losses are numbers, and three are smoothed.
        let lines: Vec<&str> = svg
            .lines()
            .filter(|line| line.contains("c0\" d=\"M"))
            .collect();
        assert_eq!(lines.len(), 2);
        assert!(
            lines.iter().all(|line| line.matches('L').count() == 2),
            "{svg}"
        );
        assert!(rate_svg(&[], &[], None).ends_with("</svg>\n"));
    }
}
