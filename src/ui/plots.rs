use egui::{Color32, ProgressBar, RichText, Stroke, Ui};
use egui_plot::{HLine, Line, LineStyle, Plot, PlotPoints, Points, VLine};

use super::training::figure_help;
use super::{text, theme};
use crate::metrics::Figure;
use crate::session::{ScoredGround, Session};
use crate::train::EpochRow;

const HEIGHT: f32 = 120.0;

/// Training and validation loss by epoch.
pub fn loss_plot(ui: &mut Ui, rows: &[EpochRow], best: Option<f64>) {
    let curves = [
        Curve {
            name: "train",
            color: theme::CURVE_TRAIN,
            value: |row| Some(row.train_loss),
        },
        Curve {
            name: "validation",
            color: theme::CURVE_VALIDATION,
            value: |row| Some(row.val_loss),
        },
    ];
    legend_ui(ui, "Loss", &curves, best.is_some());
    plot(ui, "Loss by epoch", rows, best, &curves, None, None);
}

/// Mean IoU and pixel accuracy by epoch, from 0 to 1, and what the most frequent class alone would
/// score; all `of` this ground.
pub fn score_plot(ui: &mut Ui, rows: &[EpochRow], best: Option<f64>, of: ScoredGround) {
    let curves = [
        Curve {
            name: "mean IoU",
            color: theme::CURVE_IOU,
            value: |row| row.mean_iou,
        },
        Curve {
            name: "accuracy",
            color: theme::CURVE_ACCURACY,
            value: |row| row.pixel_accuracy,
        },
    ];
    legend_ui(ui, "Validation", &curves, best.is_some());
    theme::ground(ui, of);
    let baseline = baseline_of(rows);
    let top = Some(1.0);
    plot(ui, "Scores by epoch", rows, best, &curves, top, baseline);
    if let Some(share) = baseline {
        let words = format!("– –  accuracy of the majority alone {share:.3}");
        ui.label(RichText::new(words).small().weak())
            .on_hover_text(figure_help(Figure::MajorityBaseline));
    }
}

/// The majority baseline of the newest epoch that has one; all are of the same ground.
fn baseline_of(rows: &[EpochRow]) -> Option<f64> {
    rows.iter().rev().find_map(|row| row.majority_baseline)
}

struct Curve {
    name: &'static str,
    color: Color32,
    value: fn(&EpochRow) -> Option<f64>,
}

fn plot(
    ui: &mut Ui,
    id: &'static str,
    rows: &[EpochRow],
    best: Option<f64>,
    curves: &[Curve],
    top: Option<f64>,
    baseline: Option<f64>,
) {
    let epochs = rows.len().max(2) as f64;
    let mut plot = Plot::new(id)
        .height(HEIGHT)
        .allow_drag(false)
        .allow_scroll(false)
        .allow_zoom(false)
        .include_x(1.0)
        .include_x(epochs)
        .include_y(0.0);
    if let Some(top) = top {
        plot = plot.include_y(top);
    }
    let response = plot.show(ui, |plot| {
        if let Some(best) = best {
            let mark = VLine::new("best", best).color(theme::ACCENT.gamma_multiply(0.7));
            plot.vline(mark.style(LineStyle::dashed_dense()));
        }
        if let Some(baseline) = baseline {
            let level = HLine::new("majority alone", baseline).color(theme::CURVE_ACCURACY);
            plot.hline(level.style(LineStyle::dashed_loose()));
        }
        for curve in curves {
            let points: Vec<[f64; 2]> = rows
                .iter()
                .filter_map(|row| Some([f64::from(row.epoch), (curve.value)(row)?]))
                .collect();
            let dots = Points::new(curve.name, PlotPoints::from(points.clone()));
            plot.points(dots.color(curve.color).radius(2.0));
            let line = Line::new(curve.name, PlotPoints::from(points));
            plot.line(line.stroke(Stroke::new(1.8, curve.color)));
        }
    });
    response.response.widget_info(|| {
        egui::WidgetInfo::labeled(
            egui::Role::Figure,
            true,
            format!("{id}, {} epochs", rows.len()),
        )
    });
}

/// What a plot shows and which curve is which, above it: inside it would hide their ends.
fn legend_ui(ui: &mut Ui, title: &str, curves: &[Curve], has_best: bool) {
    let best = has_best.then_some(("best epoch", theme::ACCENT));
    let named = curves.iter().map(|curve| (curve.name, curve.color));
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).small().strong());
        for (name, color) in named.chain(best) {
            let (dot, _) = ui.allocate_exact_size(egui::vec2(8.0, 8.0), egui::Sense::hover());
            ui.painter().circle_filled(dot.center(), 3.0, color);
            ui.label(RichText::new(name).small().weak());
        }
    });
}

/// One bar a class: its IoU on the validation ground.
pub fn class_bars(ui: &mut Ui, session: &Session, row: &EpochRow) {
    for (index, iou) in row.per_class_iou.iter().enumerate() {
        let class = session.classes().get(index as u8);
        let name = class.map_or_else(|| format!("class {index}"), |class| class.name.clone());
        let color = class.map_or(theme::ACCENT, |class| theme::class_color(class.color));
        ui.horizontal(|ui| {
            ui.add_sized(
                [90.0, 16.0],
                egui::Label::new(RichText::new(name).small()).truncate(),
            );
            let share = iou.unwrap_or(0.0) as f32;
            let bar = ProgressBar::new(share).desired_height(9.0).fill(color);
            ui.add(bar.desired_width(ui.available_width() - 48.0));
            let shown = ui.label(RichText::new(text::ratio(*iou)).small().monospace());
            if iou.is_none() {
                shown.on_hover_text("No truth of this class in the validation ground");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_is_that_of_the_newest_epoch_that_has_one() {
        let row = |majority_baseline| EpochRow {
            majority_baseline,
            ..EpochRow::default()
        };
        assert_eq!(baseline_of(&[row(None), row(None)]), None);
        let rows = [row(None), row(Some(0.5)), row(Some(0.625)), row(None)];
        assert_eq!(baseline_of(&rows), Some(0.625));
    }
}
