use super::chart::Axis;

/// How numbers become places on an axis: a part of the line and its ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    axis: Axis,
    low: f64,
    high: f64,
}

/// Ticks on an axis, about.
const NUM_TICKS: f64 = 5.0;

impl Scale {
    /// A scale that shows all of `values` that can be shown: a linear one begins at 0 or below, a
    /// logarithmic one leaves out what is not positive.
    pub fn of(axis: Axis, values: impl Iterator<Item = f64>) -> Self {
        let is_shown = |value: &f64| value.is_finite() && (axis == Axis::Linear || *value > 0.0);
        let (low, high) = values
            .filter(is_shown)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let (low, high) = match axis {
            _ if low > high => (1e-3, 1.0),
            Axis::Linear => (low.min(0.0), high.max(0.0) * 1.05),
            Axis::Log => (low / 1.25, high * 1.25),
        };
        // Equal ends would divide by nothing, and infinite ones have no middle.
        let is_open = high - low > f64::MIN_POSITIVE && (high - low).is_finite();
        let (low, high) = if is_open { (low, high) } else { (0.0, 1.0) };
        let axis = if low > 0.0 { axis } else { Axis::Linear };
        Self { axis, low, high }
    }

    /// From 0 to 1.
    pub const fn of_ratios() -> Self {
        Self {
            axis: Axis::Linear,
            low: 0.0,
            high: 1.0,
        }
    }

    /// The place of `value` from 0 (low end) to 1 (high end); `None` when it cannot be shown.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        Some(self.position(value)?.clamp(0.0, 1.0))
    }

    /// The place of `value`: 0 at the low end, 1 at the high end, and beyond both ends what lies
    /// beyond; `None` when it cannot be shown.
    pub fn position(&self, value: f64) -> Option<f64> {
        let place = match self.axis {
            Axis::Linear => (value - self.low) / (self.high - self.low),
            Axis::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        place.is_finite().then_some(place)
    }

    /// Round numbers on the axis with what to write there.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        match self.axis {
            Axis::Linear => linear_ticks(self.low, self.high),
            Axis::Log => self.log_ticks(),
        }
    }

    fn log_ticks(&self) -> Vec<(f64, String)> {
        let (first, last) = (self.low.log10().floor(), self.high.log10().floor());
        let decades = last - first;
        let mantissas: &[u8] = if decades < 2.0 { &[1, 2, 5] } else { &[1] };
        let step = (decades / NUM_TICKS).ceil().max(1.0) as usize;
        let mut ticks = Vec::new();
        for power in (first as i32..=last as i32).step_by(step) {
            for &mantissa in mantissas {
                let value = f64::from(mantissa) * 10_f64.powi(power);
                if (self.low..=self.high).contains(&value) {
                    ticks.push((value, power_text(mantissa, power)));
                }
            }
        }
        ticks
    }
}

/// Multiples of 1, 2 or 5 times a power of ten between two ends.
pub(super) fn linear_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let step = round_step((high - low) / NUM_TICKS);
    let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    let (first, last) = ((low / step).ceil(), (high / step + 1e-9).floor());
    let num_ticks = (last - first).clamp(0.0, 20.0) as u32;
    // Long rows of zeros do not fit beside a chart.
    let is_tiny = decimals > 4 && low.abs().max(high.abs()) < 0.1;
    let text = |value: f64| {
        if !is_tiny {
            format!("{value:.decimals$}")
        } else if value == 0.0 {
            "0".to_owned()
        } else {
            format!("{value:.1e}").replace(".0e", "e")
        }
    };
    (0..=num_ticks)
        .map(|tick| (first + f64::from(tick)) * step)
        .map(|value| (value, text(value)))
        .collect()
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `step`.
pub(super) fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let mantissa = step / power;
    let round = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|&round| mantissa <= round * 1.0001);
    round.unwrap_or(10.0) * power
}

fn power_text(mantissa: u8, power: i32) -> String {
    match power {
        -3..=-1 => format!(
            "{:.*}",
            power.unsigned_abs() as usize,
            f64::from(mantissa) * 10_f64.powi(power)
        ),
        0..=3 => format!("{}", u32::from(mantissa) * 10_u32.pow(power.unsigned_abs())),
        _ => format!("{mantissa}e{power}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(ticks: &[(f64, String)]) -> Vec<&str> {
        ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            texts(&linear_ticks(0.0, 1.0)),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            texts(&linear_ticks(0.0, 0.84)),
            ["0.0", "0.2", "0.4", "0.6", "0.8"]
        );
        assert_eq!(texts(&linear_ticks(0.0, 78.0)), ["0", "20", "40", "60"]);
        assert_eq!(texts(&linear_ticks(0.0, 1.05e-4)), ["0", "5e-5", "1e-4"]);
        assert_eq!(
            texts(&linear_ticks(0.0, 7.0e-6)),
            ["0", "2e-6", "4e-6", "6e-6"]
        );
        let log = Scale::of(Axis::Log, [0.002, 0.9].into_iter());
        assert_eq!(texts(&log.ticks()), ["0.01", "0.1", "1"]);
        let narrow = Scale::of(Axis::Log, [0.2, 0.9].into_iter());
        assert_eq!(texts(&narrow.ticks()), ["0.2", "0.5", "1"]);
        let wide = Scale::of(Axis::Log, [1e-9, 1.0].into_iter());
        assert_eq!(texts(&wide.ticks()), ["1e-8", "1e-6", "1e-4", "0.01", "1"]);
    }

    #[test]
    fn places_are_as_computed_by_hand() {
        let linear = Scale::of(Axis::Linear, [1.0, 2.0, f64::NAN].into_iter());
        assert_eq!(linear.place(1.05), Some(0.5));
        assert_eq!(linear.place(f64::NAN), None);
        let log = Scale::of(Axis::Log, [0.01, 1.0, 0.0].into_iter());
        assert!((log.place(0.1).expect("shown") - 0.5).abs() < 1e-12);
        assert_eq!((log.place(0.0), log.place(-1.0)), (None, None));
    }

    proptest! {
        #[test]
        fn any_numbers_make_a_scale(values in prop::collection::vec(any::<f64>(), 0..6), is_log: bool) {
            let axis = if is_log { Axis::Log } else { Axis::Linear };
            let scale = Scale::of(axis, values.iter().copied());
            prop_assert!(scale.ticks().len() <= 40);
            for value in values {
                prop_assert!(scale.place(value).is_none_or(|place| (0.0..=1.0).contains(&place)));
            }
        }
    }
}
