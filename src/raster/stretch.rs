//! How samples of any type become what is shown.

use std::collections::BTreeSet;

use half::f16;

use super::source::SampleType;

/// Chunks along each side that tell the range of wide samples.
const PROBES: u32 = 3;

/// The range of sample values that is shown as 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Stretch {
    /// From zero to the greatest number of so many bits.
    pub(super) fn of_bits(bits: u32) -> Self {
        Self {
            low: 0.0,
            high: 2.0_f64.powi(bits as i32) - 1.0,
        }
    }

    /// The value as it is shown.
    pub(super) fn apply(self, value: f64) -> u8 {
        let range = self.high - self.low;
        if range <= 0.0 {
            return if value > self.high { 255 } else { 0 };
        }
        // Casting takes NaN to 0 and cuts what is out of range.
        ((value - self.low) / range * 255.0 + 0.5) as u8
    }
}

/// Least and greatest of the values seen so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    low: f64,
    high: f64,
}

impl Spread {
    /// Nothing seen yet.
    pub(super) const NONE: Self = Self {
        low: f64::INFINITY,
        high: f64::NEG_INFINITY,
    };

    /// Looks at more values; infinities, what is no number and `nodata` do not count.
    pub(super) fn look_at(&mut self, samples: Samples<'_>, nodata: Option<f64>) {
        samples.each_with(std::iter::repeat(()), |(), value| {
            if value.is_finite() && nodata != Some(value) {
                self.low = self.low.min(value);
                self.high = self.high.max(value);
            }
        });
    }

    /// The range to show; from 0 to 1 where there was nothing.
    pub(super) fn stretch(self) -> Stretch {
        if self.low <= self.high {
            Stretch {
                low: self.low,
                high: self.high,
            }
        } else {
            Stretch {
                low: 0.0,
                high: 1.0,
            }
        }
    }
}

/// Which of `count` chunks along a side are looked at for the range of values.
pub(super) fn probes(count: u32) -> BTreeSet<u32> {
    let last = count.saturating_sub(1);
    let places = 0..PROBES;
    places
        .map(|step| (u64::from(step) * u64::from(last) / u64::from(PROBES - 1)) as u32)
        .collect()
}

/// Samples of one band within decoded bytes: where the first is and how far the next.
#[derive(Clone, Copy)]
pub(super) struct Samples<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes from one sample to the next.
    pub(super) stride: usize,
    pub(super) sample: SampleType,
}

impl Samples<'_> {
    /// Calls `take` with each of `targets` and its value as it is; `NaN` only from floating-point
    /// files.
    pub(super) fn each_with<T>(
        self,
        targets: impl IntoIterator<Item = T>,
        take: impl FnMut(T, f64),
    ) {
        let run = Run {
            samples: self,
            targets,
            take,
        };
        match self.sample {
            SampleType::I8 => run.each(|[byte]: [u8; 1]| f64::from(byte as i8)),
            SampleType::U16 => run.each(|raw| f64::from(u16::from_ne_bytes(raw))),
            SampleType::I16 => run.each(|raw| f64::from(i16::from_ne_bytes(raw))),
            SampleType::U32 => run.each(|raw| f64::from(u32::from_ne_bytes(raw))),
            SampleType::I32 => run.each(|raw| f64::from(i32::from_ne_bytes(raw))),
            SampleType::U64 => run.each(|raw| u64::from_ne_bytes(raw) as f64),
            SampleType::I64 => run.each(|raw| i64::from_ne_bytes(raw) as f64),
            SampleType::F16 => run.each(|raw| f16::from_ne_bytes(raw).to_f64()),
            SampleType::F32 => run.each(|raw| f64::from(f32::from_ne_bytes(raw))),
            SampleType::F64 => run.each(f64::from_ne_bytes),
            _ => run.each(|[byte]: [u8; 1]| f64::from(byte)),
        }
    }
}

/// Samples on their way, so that their type is asked once and not for each.
struct Run<'a, I, F> {
    samples: Samples<'a>,
    targets: I,
    take: F,
}

impl<T, I: IntoIterator<Item = T>, F: FnMut(T, f64)> Run<'_, I, F> {
    fn each<const N: usize>(mut self, number: impl Fn([u8; N]) -> f64) {
        let chunks = self.samples.bytes.chunks(self.samples.stride);
        for (raw, target) in chunks.zip(self.targets) {
            if let Some(&raw) = raw.first_chunk::<N>() {
                (self.take)(target, number(raw));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_reaches_both_ends() {
        let stretch = Stretch {
            low: 100.0,
            high: 300.0,
        };
        let shown = [0.0, 100.0, 200.0, 300.0, 9_999.0, f64::NAN].map(|value| stretch.apply(value));
        assert_eq!(shown, [0, 0, 128, 255, 255, 0]);
    }

    #[test]
    fn halves_are_read() {
        let bits = [0x3C00_u16, 0xC000, 0x0001, 0x7BFF, 0x7E00];
        let samples = Samples {
            bytes: &bits.map(u16::to_ne_bytes).concat(),
            stride: 2,
            sample: SampleType::F16,
        };
        let mut values = [0.0; 5];
        samples.each_with(&mut values, |target, value| *target = value);
        assert_eq!(values[..4], [1.0, -2.0, 2.0_f64.powi(-24), 65_504.0]);
        assert!(values[4].is_nan());
    }

    #[test]
    fn a_few_places_stand_for_all() {
        assert_eq!(Vec::from_iter(probes(1)), [0]);
        assert_eq!(Vec::from_iter(probes(2)), [0, 1]);
        assert_eq!(Vec::from_iter(probes(9)), [0, 4, 8]);
        assert!(probes(0).len() == 1);
    }

    #[test]
    fn a_spread_leaves_out_what_is_no_value() {
        let samples = Samples {
            bytes: &[3.0, f64::NAN, -9_999.0, 7.0]
                .map(f64::to_ne_bytes)
                .concat(),
            stride: 8,
            sample: SampleType::F64,
        };
        let mut spread = Spread::NONE;
        spread.look_at(samples, Some(-9_999.0));
        let stretch = spread.stretch();
        assert_eq!((stretch.low, stretch.high), (3.0, 7.0));
        assert_eq!(Spread::NONE.stretch().high, 1.0);
    }
}
