use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::pixels::bands_of;
use super::seen::Seen;
use crate::dataset::BandFacts;
use crate::raster::{ReadError, TileSource};

/// Bands that are read together, so that images of many take no more memory.
const AT_ONCE: usize = 4;

/// Mean and spread of one channel over all images that have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelStatistics {
    /// `red`, `green` and `blue`, or `grey`, as images of up to 8 bits are shown; `band 4` and so on,
    /// counted from 1, for what else they hold. Of samples of more bits or with a sign all bands are
    /// named like that, with how they are stored: `band 1 (uint16)`. Opacity is no channel.
    pub name: String,
    /// Mean over all pixels with data: of samples of up to 8 bits the share of their range, 0 to 1,
    /// of others the numbers as they are stored.
    pub mean: f64,
    /// Standard deviation of the same.
    pub deviation: f64,
    /// Images that have it.
    pub images: usize,
}

impl ChannelStatistics {
    /// Mean and deviation as people read them.
    pub fn words(&self) -> [String; 2] {
        let is_large = self.mean.abs() >= 100.0 || self.deviation >= 100.0;
        let digits = if is_large { 1 } else { 3 };
        [self.mean, self.deviation].map(|number| format!("{number:.digits$}"))
    }

    /// Those of all images, in the order of their bands.
    pub(super) fn of(seen: &[Seen]) -> Vec<Self> {
        let mut all: BTreeMap<Channel, (Moments, usize)> = BTreeMap::new();
        let pixels = seen.iter().filter_map(|seen| seen.pixels.as_ref());
        for (channel, moments) in pixels.flat_map(|pixels| &pixels.channels) {
            let (sum, images) = all.entry(*channel).or_default();
            sum.add(*moments);
            *images += 1;
        }
        let known = all.into_iter().filter(|(_, (sum, _))| sum.count > 0);
        let named = known.map(|(channel, (sum, images))| Self {
            name: channel.to_string(),
            mean: sum.mean,
            deviation: sum.deviation(),
            images,
        });
        named.collect()
    }
}

/// What images have in common that makes their numbers one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Channel {
    Red,
    Green,
    Blue,
    Grey,
    /// Of up to 8 bits, counted from 1.
    Band(u16),
    /// As it is stored, with the name of the samples' type.
    Stored(&'static str, u16),
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Red => f.write_str("red"),
            Self::Green => f.write_str("green"),
            Self::Blue => f.write_str("blue"),
            Self::Grey => f.write_str("grey"),
            Self::Band(band) => write!(f, "band {band}"),
            Self::Stored(sample, band) => write!(f, "band {band} ({sample})"),
        }
    }
}

/// Count, mean and sum of squared differences from the mean of some numbers, which can be joined
/// without the loss of digits that sums of squares have (Chan, Golub, `LeVeque` 1979, "Updating
/// Formulae and a Pairwise Algorithm for Computing Sample Variances", formula 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn of(numbers: impl Iterator<Item = f64> + Clone) -> Self {
        let (mut count, mut sum) = (0_u64, 0.0);
        for number in numbers.clone() {
            count += 1;
            sum += number;
        }
        let mean = sum / count.max(1) as f64;
        let squares = numbers.map(|number| (number - mean).powi(2)).sum();
        Self {
            count,
            mean,
            squares,
        }
    }

    /// Of bytes, as shares of 255, by their sum and the sum of their squares.
    pub(super) fn of_bytes(count: u64, sum: u64, square: u64) -> Self {
        let pixels = count.max(1) as f64;
        // Whole numbers, so that even ground has no deviation.
        let spread = u128::from(square) * u128::from(count) - u128::from(sum).pow(2);
        Self {
            count,
            mean: sum as f64 / pixels / 255.0,
            squares: spread as f64 / pixels / (255.0 * 255.0),
        }
    }

    fn add(&mut self, other: Self) {
        if other.count == 0 {
            return;
        }
        let count = self.count + other.count;
        let share = other.count as f64 / count as f64;
        let apart = other.mean - self.mean;
        self.squares += other.squares + apart * apart * share * self.count as f64;
        self.mean += apart * share;
        self.count = count;
    }

    fn scaled(self, factor: f64) -> Self {
        Self {
            mean: self.mean * factor,
            squares: self.squares * factor * factor,
            ..self
        }
    }

    fn deviation(&self) -> f64 {
        (self.squares / self.count.max(1) as f64).sqrt()
    }
}

/// The channels of an image, whose colors as they are shown are `colors`.
///
/// # Errors
/// [`ReadError`] when a part does not decode.
pub(super) fn channels_of(
    source: &dyn TileSource,
    colors: [Moments; 3],
) -> Result<Vec<(Channel, Moments)>, ReadError> {
    let facts = BandFacts::of(source);
    if facts.is_wide() {
        let sample = facts.sample.name();
        return read(source, &source.data_bands(), |band| {
            Channel::Stored(sample, band)
        });
    }
    let shown = source.color_bands();
    let names = if shown.len() == 1 && !facts.has_palette {
        &[Channel::Grey][..]
    } else {
        &[Channel::Red, Channel::Green, Channel::Blue]
    };
    let mut channels: Vec<_> = names.iter().copied().zip(colors).collect();
    let mut others = source.data_bands();
    others.retain(|band| !shown.contains(band));
    let range = facts.sample.range().map_or(1.0, |range| *range.end());
    let others = read(source, &others, Channel::Band)?.into_iter();
    channels.extend(others.map(|(channel, moments)| (channel, moments.scaled(1.0 / range))));
    Ok(channels)
}

/// Reads these bands, counted from 0, whole.
fn read(
    source: &dyn TileSource,
    bands: &[u16],
    named: impl Fn(u16) -> Channel,
) -> Result<Vec<(Channel, Moments)>, ReadError> {
    let (size, rows) = (source.info().size, source.block_size(0).height);
    let mut channels = Vec::with_capacity(bands.len());
    for group in bands.chunks(AT_ONCE) {
        let mut all = vec![Moments::default(); group.len()];
        // Four bytes a sample, and whether there is data.
        for rect in bands_of(size, rows, 4 * group.len() as u64 + 1) {
            let samples = source.read_bands(rect, group)?;
            for (moments, plane) in all.iter_mut().zip(&samples.planes) {
                let pixels = plane.iter().zip(&samples.has_data);
                let known = pixels.filter(|(value, has_data)| **has_data && value.is_finite());
                moments.add(Moments::of(known.map(|(value, _)| f64::from(*value))));
            }
        }
        let names = group.iter().map(|band| named(band + 1));
        channels.extend(names.zip(all));
    }
    Ok(channels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: Moments, count: u64, mean: f64, deviation: f64) {
        let is_near = |a: f64, b: f64| (a - b).abs() < 1e-8;
        assert_eq!(found.count, count);
        assert!(
            is_near(found.mean, mean) && is_near(found.deviation(), deviation),
            "{found:?}"
        );
    }

    #[test]
    fn moments_are_joined_as_if_counted_together() {
        let of = |numbers: &[f64]| Moments::of(numbers.iter().copied());
        let numbers = [1e6, 1e6 + 2.0, 1e6 + 4.0, 1e6 + 10.0];
        let mut joined = of(&numbers[..1]);
        joined.add(of(&[]));
        joined.add(of(&numbers[1..]));
        // Differences from the mean: -4, -2, 0, 6.
        check(joined, 4, 1e6 + 4.0, 14.0_f64.sqrt());
        let mut from_nothing = Moments::default();
        from_nothing.add(of(&[1.0, 3.0]));
        check(from_nothing, 2, 2.0, 1.0);
        check(Moments::of_bytes(2, 255, 65_025), 2, 0.5, 0.5);
        check(of(&[0.0, 10.0]).scaled(0.1), 2, 0.5, 0.5);
    }
}
