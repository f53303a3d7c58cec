use rayon::prelude::*;

use super::bands::{ImageFacts, measured_ranges};
use super::{BandReading, ChannelKind, DatasetError, PatchSource, Watch};
use crate::geom::PixelRect;

/// Patches whose samples tell the range of a channel.
const MEASURED_PATCHES: usize = 64;
/// Pixels of each, about.
const MEASURED_PIXELS: usize = 4096;
/// Columns and rows of each at most, in the image's own pixels.
const MOST_SIDE: u32 = 512;

impl PatchSource {
    /// How bands become channels.
    pub const fn reading(&self) -> &BandReading {
        &self.reading
    }

    /// Reads bands as a model does instead of as the recipe says, and measures means and deviations
    /// anew.
    ///
    /// # Errors
    /// [`DatasetError::Bands`] names an image that cannot be read like this.
    pub fn reading_as(self, reading: &BandReading) -> Result<Self, DatasetError> {
        if self.reading == *reading {
            return Ok(self);
        }
        let facts = self.ground.facts(&Watch::NOBODY)?;
        reading.check_all(&facts)?;
        for image in &facts {
            reading.fit(&image.bands)?;
        }
        self.applying(reading.clone())
    }

    /// Reads bands by `reading`, which fits all images, and measures means and deviations.
    pub(super) fn applying(mut self, reading: BandReading) -> Result<Self, DatasetError> {
        if reading != self.reading {
            self.ground = self.ground.read_as(&reading)?;
            self.reading = reading;
        }
        self.normalization = self.measured()?;
        if let Some(note) = self.config.augment.left_out(self.reading.kind())
            && !self.notes.contains(&note)
        {
            self.notes.push(note);
        }
        Ok(self)
    }

    /// `reading` with the ranges of samples of more than 8 bits, which follow from a bounded number
    /// of places, spread over the training ground of all images that have such; `facts` are those
    /// of all images.
    pub(super) fn with_ranges(
        &mut self,
        reading: BandReading,
        facts: &[ImageFacts],
    ) -> Result<BandReading, DatasetError> {
        let Some(sample) = facts.iter().find(|image| image.bands.is_wide()) else {
            return Ok(reading);
        };
        let is_wide = |site: &&(u32, u32)| {
            let (scene, _) = self.scenes[site.0 as usize];
            facts[scene].bands.is_wide()
        };
        let wide: Vec<(u32, u32)> = self.sites.iter().filter(is_wide).copied().collect();
        if wide.is_empty() {
            return if reading.bands.is_empty() {
                Ok(reading)
            } else {
                Err(DatasetError::Bands(format!(
                    "Only images that are held out have {} samples, so nothing says what these \
                     become; hold others out, or convert them to 8 bits: {}",
                    sample.bands.sample, sample.name
                )))
            };
        }
        let count = wide.len().min(MEASURED_PATCHES);
        let places = (0..count).into_par_iter();
        let read = |at: usize| self.values_at(wide[at * wide.len() / count], &reading);
        let found: Vec<Vec<Vec<f32>>> = places.map(read).collect::<Result<_, _>>()?;
        let of_channel = |channel: usize| {
            let values = found
                .iter()
                .flat_map(|patch| patch[channel].iter().copied());
            values.collect()
        };
        let ranges = measured_ranges((0..reading.num_channels()).map(of_channel).collect());
        let shown = ranges.iter().map(|[low, high]| format!("{low} to {high}"));
        let shown: Vec<String> = shown.take(8).collect();
        self.notes.push(format!(
            "{} samples are brought to 8 bits by ranges that hold 99.8 % of the training ground: {}",
            sample.bands.sample,
            shown.join(", ")
        ));
        Ok(BandReading { ranges, ..reading })
    }

    /// Some of the values of each channel at a place.
    fn values_at(
        &self,
        (scene, corner): (u32, u32),
        reading: &BandReading,
    ) -> Result<Vec<Vec<f32>>, DatasetError> {
        let (scene, sites) = &self.scenes[scene as usize];
        let (source, scale) = self.ground.source(*scene)?;
        let (x, y) = sites.corners[corner as usize];
        let side = self.config.side;
        let rect = scale.image_rect(PixelRect::new(x, y, side, side), source.info().size);
        let (width, height) = (rect.width.min(MOST_SIDE), rect.height.min(MOST_SIDE));
        let rect = PixelRect::new(rect.x, rect.y, width, height);
        let samples = source.read_bands(rect, &reading.source_bands(&*source))?;
        let step = (rect.num_pixels() as usize)
            .div_ceil(MEASURED_PIXELS)
            .max(1);
        let some = |plane: &Vec<f32>| {
            let values = plane.iter().zip(&samples.has_data).step_by(step);
            values
                .filter(|(_, has_data)| **has_data)
                .map(|(value, _)| *value)
                .collect()
        };
        Ok(samples.planes.iter().map(some).collect())
    }

    /// RGBA8 of validation patch `index` as people see the image; `None` where its channels are
    /// just these colors.
    ///
    /// # Errors
    /// When the image cannot be read any more.
    pub fn shown_colors(&self, index: usize) -> Result<Option<Vec<u8>>, DatasetError> {
        if self.reading.kind() == ChannelKind::Colors {
            return Ok(None);
        }
        let (scene, corner, _) = self.validation[index];
        let scene = self.ground.scene(scene)?;
        scene.read_shown(self.window(corner)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dataset::parts::{PartRule, PartWay, Shares};
    use crate::dataset::patch_fixture::config;
    use crate::dataset::{Bands, FileSet, Ground, PatchConfig, discover, hash};
    use crate::disk::replace_file;
    use crate::geom::ImageSize;
    use crate::label::{ClassTable, Mask, SaveAs, save_mask};
    use crate::raster::MadeBands;

    /// The least value of an image.
    fn least(n: u32) -> u32 {
        200 + 1_000 * n
    }

    /// Images of 16 bits, each brighter than the one before, and one of bytes; none looks like
    /// another.
    fn write(folder: &Path) {
        let size = ImageSize::new(64, 64);
        let table = ClassTable::from_values(0..=254);
        for n in 0..7 {
            let mut mask = Mask::filled(size, 0);
            mask.set_rect(PixelRect::new(0, 0, 64, 30), &[1; 64 * 30]);
            let path = folder.join("masks").join(format!("{n}.png"));
            save_mask(&path, &mask, &table, None, SaveAs::IndexPng).expect("saved");
            let made = MadeBands::new(64, 64, 2, if n == 0 { 8 } else { 16 });
            let value = |x: u32, y: u32, band: u16| {
                let noise = hash(&[u64::from(n), u64::from(x), u64::from(y)]) % 900;
                match n {
                    0 => (noise % 256) as f64,
                    _ => f64::from(least(n) + noise as u32 + u32::from(band) * 50),
                }
            };
            let path = folder.join("images").join(format!("{n}.tif"));
            replace_file(&path, &made.file(value)).expect("written");
        }
    }

    fn source(folder: &Path, bands: Bands) -> Result<PatchSource, DatasetError> {
        let files = FileSet::new(discover(folder).expect("pairs"), 1 << 24);
        let shares = Shares {
            train: 6.0,
            validation: 4.0,
            test: 0.0,
        };
        let config = PatchConfig {
            seed: 1,
            parts: PartRule {
                split: PartWay::Ratio { shares },
                ..PartRule::default()
            },
            bands,
            ..config()
        };
        PatchSource::new(Ground::Files(Box::new(files)), config)
    }

    #[test]
    fn one_range_is_measured_over_the_training_part_of_all_images() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path());
        let source = source(folder.path(), Bands::All).expect("patches");
        let held_out = &source.split().report.validation_files;
        let is_wide_and_learned =
            |n: &u32| *n > 0 && !held_out.contains(&format!("images/{n}.tif"));
        let learned: Vec<u32> = (0..7).filter(is_wide_and_learned).collect();
        assert!(!learned.is_empty() && learned.len() < 6, "{held_out:?}");
        let reading = source.reading().clone();
        assert_eq!(
            (reading.bands.as_slice(), reading.ranges.len()),
            (&[1, 2][..], 2)
        );
        for (band, [low, high]) in (0..).zip(&reading.ranges) {
            let expected = [
                least(learned[0]) + band * 50,
                least(learned[learned.len() - 1]) + 899 + band * 50,
            ];
            assert!(
                (low - expected[0] as f32).abs() < 30.0,
                "{low} {expected:?}"
            );
            assert!(
                (high - expected[1] as f32).abs() < 30.0,
                "{high} {expected:?}"
            );
        }
        let batch = source
            .validation_batch(0..source.num_validation())
            .expect("patches");
        assert_eq!(batch.images.len(), 2 * batch.labels.len());
        assert!(
            source
                .notes()
                .iter()
                .any(|note| note.starts_with("uint16 samples"))
        );
    }

    #[test]
    fn colors_of_wide_samples_have_a_range_and_can_be_read_as_before() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path());
        let source = source(folder.path(), Bands::Color).expect("patches");
        assert_eq!(source.reading().ranges.len(), 3);
        assert_eq!(source.reading().ranges[0], source.reading().ranges[1]);
        let measured = source.validation_batch(0..1).expect("a patch");
        let before = source.reading_as(&BandReading::default()).expect("patches");
        assert!(before.reading().is_as_shown());
        assert_ne!(before.validation_batch(0..1).expect("a patch"), measured);
        let error = before.reading_as(&BandReading {
            bands: vec![3],
            ranges: Vec::new(),
        });
        let words = error.expect_err("two bands").to_string();
        assert!(
            words.contains("Band 3") && words.contains(".tif"),
            "{words}"
        );
    }
}
