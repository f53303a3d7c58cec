use egui::{Slider, Ui};

use crate::train::{Axis, Scale, smoothed, thinned};

use super::chart::ChartLine;

/// How curves are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// How much of the past a value holds, 0 to below 1.
    smoothing: f64,
    /// Whether losses are shown by their powers.
    is_log: bool,
    /// Whether values that lie far above all others are shown as well.
    fits_all: bool,
    /// Whether the loss and the rate of each step are shown.
    pub shows_steps: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            smoothing: 0.0,
            is_log: false,
            fits_all: false,
            shows_steps: true,
        }
    }
}

impl Look {
    /// A line, smoothed, with the raw one behind.
    pub fn line(&self, name: &str, color: egui::Color32, points: Vec<(f64, f64)>) -> ChartLine {
        let raw = thinned(&points);
        let (points, raw) = if self.smoothing > 0.0 {
            (thinned(&smoothed(&points, self.smoothing)), raw)
        } else {
            (raw, Vec::new())
        };
        ChartLine {
            name: name.to_owned(),
            color,
            points,
            raw,
            ..ChartLine::default()
        }
    }

    /// The axis of losses for these values, and how many lie above its upper end.
    pub fn loss_scale(&self, values: &[f64]) -> (Scale, usize) {
        let axis = if self.is_log { Axis::Log } else { Axis::Linear };
        let top = if self.fits_all || self.is_log {
            f64::INFINITY
        } else {
            robust_top(values)
        };
        let (shown, above): (Vec<f64>, Vec<f64>) = values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .partition(|value| *value <= top);
        (Scale::of(axis, shown.into_iter()), above.len())
    }
}

/// The greatest value that belongs to the rest. Above three interquartile ranges over the upper
/// quartile, and twice that, lie epochs that exploded; ordinary first epochs do not.
fn robust_top(values: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(&greatest), true) = (sorted.last(), sorted.len() > 2) else {
        return f64::INFINITY;
    };
    let quartile = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    let (low, high) = (quartile(0.25), quartile(0.75));
    let fence = high + 3.0 * (high - low).max(high * 0.1);
    if greatest <= 2.0 * fence {
        return f64::INFINITY;
    }
    let inside = sorted.into_iter().rev().find(|value| *value <= fence);
    inside.unwrap_or(fence)
}

/// The controls of the curves.
pub fn look_ui(ui: &mut Ui, look: &mut Look, has_steps: bool) {
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("Smoothing");
        let slider = Slider::new(&mut look.smoothing, 0.0..=0.98).fixed_decimals(2);
        ui.spacing_mut().slider_width = 90.0;
        ui.add(slider).labelled_by(label.id).on_hover_text(
            "Exponentially weighted mean of the past; the line as measured stays visible behind",
        );
        ui.checkbox(&mut look.is_log, "Log axis")
            .on_hover_text("Equal steps are equal ratios of the loss");
        let fits_all = egui::Checkbox::new(&mut look.fits_all, "Fit all");
        ui.add_enabled(!look.is_log, fits_all).on_hover_text(
            "Also shows losses far above all others, like that of a first epoch that exploded",
        );
        if has_steps {
            ui.checkbox(&mut look.shows_steps, "Steps").on_hover_text(
                "The loss of each step's batch, as a thin line, and its learning rate",
            );
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exploded_epoch_does_not_flatten_the_rest() {
        assert_eq!(robust_top(&[80.0, 0.9, 0.8, 0.7]), 0.9);
        assert_eq!(robust_top(&[2.0, 1.0, 0.7, 0.5, 0.45, 0.4]), f64::INFINITY);
        assert_eq!(robust_top(&[80.0, 0.9]), f64::INFINITY);
        let look = Look::default();
        assert_eq!(look.loss_scale(&[80.0, 0.9, 0.8, 0.7]).1, 1);
        let all = Look {
            fits_all: true,
            ..look
        };
        assert_eq!(all.loss_scale(&[80.0, 0.9, f64::NAN, 0.7]).1, 0);
    }
}
