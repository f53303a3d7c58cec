use std::fmt::Write as _;

use crate::train::EpochRow;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 260.0;
const MARGIN: f64 = 46.0;
/// Colors that all people can tell apart (Okabe and Ito).
const COLORS: [&str; 2] = ["#0072b2", "#d55e00"];

/// One panel of curves over the epochs.
struct Panel {
    title: &'static str,
    /// Upper end of the scale; the lower one is 0.
    top: f64,
    curves: [(&'static str, Vec<(f64, f64)>); 2],
}

/// Loss and scores by epoch as an SVG picture.
pub fn curves_svg(rows: &[EpochRow]) -> String {
    let points = |value: fn(&EpochRow) -> Option<f64>| -> Vec<(f64, f64)> {
        let rows = rows.iter();
        rows.filter_map(|row| Some((f64::from(row.epoch), value(row)?)))
            .collect()
    };
    let losses = rows.iter().flat_map(|row| [row.train_loss, row.val_loss]);
    let highest = losses.filter(|loss| loss.is_finite()).fold(0.1, f64::max);
    let panels = [
        Panel {
            title: "Loss",
            top: highest * 1.05,
            curves: [
                ("train", points(|row| Some(row.train_loss))),
                ("validation", points(|row| Some(row.val_loss))),
            ],
        },
        Panel {
            title: "Validation scores",
            top: 1.0,
            curves: [
                ("mean IoU", points(|row| row.mean_iou)),
                ("pixel accuracy", points(|row| row.pixel_accuracy)),
            ],
        },
    ];
    let last = rows.iter().map(|row| row.epoch).max().unwrap_or(1);
    let best = rows.iter().rev().find(|row| row.best).map(|row| row.epoch);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    for (place, panel) in panels.iter().enumerate() {
        let left = WIDTH / 2.0 * place as f64;
        panel.draw(&mut svg, left, f64::from(last.max(2)), best.map(f64::from));
    }
    svg.push_str("</svg>\n");
    svg
}

impl Panel {
    fn draw(&self, svg: &mut String, left: f64, last: f64, best: Option<f64>) {
        let (width, height) = (WIDTH / 2.0 - MARGIN - 14.0, HEIGHT - 2.0 * MARGIN);
        let x = |epoch: f64| left + MARGIN + (epoch - 1.0) / (last - 1.0) * width;
        let y = |value: f64| MARGIN + height - value.clamp(0.0, self.top) / self.top * height;
        let mut line = |text: String| {
            svg.push_str(&text);
            svg.push('\n');
        };
        line(format!(
            "<text x=\"{}\" y=\"20\" font-size=\"13\" font-weight=\"bold\">{}</text>",
            left + MARGIN,
            self.title
        ));
        for step in 0..=4 {
            let value = self.top * f64::from(step) / 4.0;
            let (from, to, at) = (x(1.0), x(last), y(value));
            line(format!(
                "<path d=\"M{from:.1} {at:.1}H{to:.1}\" stroke=\"#ddd\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.2}</text>",
                from - 6.0,
                at + 4.0
            ));
        }
        line(format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">epoch 1 to {last}</text>",
            x(f64::midpoint(last, 1.0)),
            HEIGHT - 14.0
        ));
        if let Some(best) = best {
            line(format!(
                "<path d=\"M{:.1} {MARGIN}V{:.1}\" stroke=\"#888\" stroke-dasharray=\"4 3\"/>",
                x(best),
                MARGIN + height
            ));
        }
        for ((name, points), (place, color)) in self.curves.iter().zip(COLORS.iter().enumerate()) {
            let mut path = String::new();
            for &(epoch, value) in points {
                write!(path, " {:.1},{:.1}", x(epoch), y(value)).expect("a string takes any text");
            }
            line(format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\
                 <text x=\"{:.1}\" y=\"20\" fill=\"{color}\">{name}</text>",
                path.trim_start(),
                left + MARGIN + 130.0 + 70.0 * place as f64
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(epoch: u32, loss: f64, is_best: bool) -> EpochRow {
        EpochRow {
            epoch,
            train_loss: loss,
            val_loss: loss * 1.2,
            mean_iou: Some(1.0 - loss),
            pixel_accuracy: None,
            per_class_iou: Vec::new(),
            lr: 1e-3,
            seconds: 1.0,
            best: is_best,
        }
    }

    #[test]
    fn each_curve_has_its_points() {
        let svg = curves_svg(&[row(1, 0.9, true), row(2, 0.5, true), row(3, 0.6, false)]);
        let lines: Vec<&str> = svg
            .lines()
            .filter(|line| line.contains("polyline"))
            .collect();
        let count = |line: &&str| line.matches(',').count();
        assert_eq!(lines.iter().map(count).collect::<Vec<_>>(), [3, 3, 3, 0]);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn no_epoch_is_no_panic() {
        assert!(curves_svg(&[]).contains("Loss"));
        assert!(curves_svg(&[row(1, f64::NAN, false)]).contains("svg"));
    }
}
