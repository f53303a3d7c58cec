use std::ops::Range;

use rayon::prelude::*;

use super::augment::{ColorShift, Place, Square};
use super::parts::PartRule;
use super::scan::{ValidationWindow, class_pixels, scan_all, validation_windows};
use super::shown::shown;
use super::sites::SceneSites;
use super::split::Split;
use super::{
    Augment, BandReading, Bands, DatasetError, Ground, KeepRule, MirroredWindow, Normalization,
    PixelSize, RareClasses, Rng, Watch,
};
use crate::geom::PixelRect;
use crate::label::UNLABELED;

/// Patches looked at to measure means and deviations.
const MEASURED_PATCHES: usize = 64;

/// Validation patches that are shown to people.
const SHOWN: usize = 4;

/// How a training set is cut.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchConfig {
    /// What is held out follows from this.
    pub seed: u64,
    /// Columns and rows of a patch.
    pub side: u32,
    /// Classes are 0 to one less than this.
    pub num_classes: usize,
    /// How training patches are varied.
    pub augment: Augment,
    /// Which files are held out, and which are for tests alone.
    pub parts: PartRule,
    /// Which training patches are worth keeping; all when missing. What is held out is never
    /// filtered.
    pub keep: Option<KeepRule>,
    /// How strongly training ground that shows rare classes is preferred.
    pub rare: RareClasses,
    /// The size that images are read with.
    pub pixel_size: PixelSize,
    /// The bands that become channels.
    pub bands: Bands,
}

/// Images and labels as a network reads them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Normalised channels, N × channels × side × side.
    pub images: Vec<f32>,
    /// Classes, N × side × side; 255 is not learned from.
    pub labels: Vec<u8>,
    /// Number of patches.
    pub len: usize,
    /// Columns and rows of a patch.
    pub side: usize,
}

impl Batch {
    /// Batches of the same side one after the other.
    pub fn joined(batches: &[Self]) -> Self {
        let images = batches
            .iter()
            .flat_map(|batch| batch.images.iter().copied());
        let labels = batches
            .iter()
            .flat_map(|batch| batch.labels.iter().copied());
        Self {
            images: images.collect(),
            labels: labels.collect(),
            len: batches.iter().map(|batch| batch.len).sum(),
            side: batches.first().map_or(0, |batch| batch.side),
        }
    }
}

/// Patches of a training set. Which patch is which is a function of numbers alone.
#[derive(Debug)]
pub struct PatchSource {
    pub(super) ground: Ground,
    pub(super) config: PatchConfig,
    split: Split,
    /// Scene and places, for every scene of the training ground that offers any.
    pub(super) scenes: Vec<(usize, SceneSites)>,
    /// All training places: index into `scenes` and into its corners.
    pub(super) sites: Vec<(u32, u32)>,
    /// For each class that training shows, indices into `sites`.
    by_class: Vec<Vec<u32>>,
    pub(super) validation: Vec<ValidationWindow>,
    /// Validation patches that are shown to people.
    shown: Vec<usize>,
    pub(super) reading: BandReading,
    pub(super) normalization: Normalization,
    class_pixels: Vec<u64>,
    pixel_meters: Option<f64>,
    pub(super) notes: Vec<String>,
}

impl PatchSource {
    /// Reads all masks once, holds ground out and measures the rest.
    ///
    /// # Errors
    /// When a file cannot be read, a mask does not fit its image or the classes, too little is
    /// labelled, or a range of the augmentation makes no sense.
    pub fn new(ground: Ground, config: PatchConfig) -> Result<Self, DatasetError> {
        Self::watched(ground, config, &Watch::NOBODY)
    }

    /// As [`Self::new`], watched while it reads masks.
    ///
    /// # Errors
    /// As for [`Self::new`], and [`DatasetError::Stopped`].
    pub fn watched(
        ground: Ground,
        config: PatchConfig,
        watch: &Watch<'_>,
    ) -> Result<Self, DatasetError> {
        config.augment.check()?;
        let facts = watch.during((0.0, 0.1), |watch| ground.facts(watch))?;
        let reading = BandReading::of(&config.bands, &facts)?;
        let (ground, pixels) = ground.in_pixels(config.pixel_size, &facts)?;
        let (scans, mut notes) = watch.during((0.1, 0.5), |watch| {
            scan_all(&ground, config.num_classes, watch)
        })?;
        let split = match &ground {
            Ground::Image(scene) => {
                let split = Split::of_scene(scene, &scans[0], &config)?;
                split.told_in_pixels_of(scene)
            }
            Ground::Files(files) => {
                notes.extend(files.discovery().notes.iter().cloned());
                watch.during((0.5, 1.0), |watch| {
                    Split::of_files(&scans, files, &config.parts, config.num_classes, watch)
                })?
            }
        };
        let told = pixels.notes.into_iter().chain(split.report.notes.clone());
        notes.splice(0..0, told);
        let blocked = split.blocked();
        let sites_of = |&scene: &usize| {
            (
                scene,
                SceneSites::find(&scans[scene], config.side, &blocked, config.keep.as_ref()),
            )
        };
        let scenes: Vec<(usize, SceneSites)> = split.train_scenes.iter().map(sites_of).collect();
        let validation = validation_windows(&scans, &split, config.side);
        let mut source = Self {
            class_pixels: class_pixels(&scans, &split, config.num_classes),
            shown: shown(&scans, &validation, config.side, (SHOWN, config.seed)),
            validation,
            reading: BandReading::default(),
            normalization: Normalization::measured([]),
            pixel_meters: pixels.meters,
            sites: Vec::new(),
            by_class: Vec::new(),
            ground,
            config,
            split,
            scenes,
            notes,
        };
        source.index_sites();
        source.tell_filtered()?;
        let reading = source.with_ranges(reading, &facts)?;
        source.applying(reading)
    }

    fn index_sites(&mut self) {
        let mut by_class = vec![Vec::new(); 256];
        for (at, (_, scene)) in (0..).zip(&self.scenes) {
            let first = self.sites.len() as u32;
            self.sites
                .extend((0..scene.corners.len() as u32).map(|corner| (at, corner)));
            for (class, corners) in &scene.by_class {
                by_class[usize::from(*class)].extend(corners.iter().map(|corner| first + corner));
            }
        }
        by_class.retain(|sites| !sites.is_empty());
        self.by_class = by_class;
    }

    /// Notes what the filter left out.
    fn tell_filtered(&mut self) -> Result<(), DatasetError> {
        let left_out: usize = self.scenes.iter().map(|(_, sites)| sites.left_out).sum();
        if left_out == 0 {
            return Ok(());
        }
        let all = left_out + self.sites.len();
        if self.sites.is_empty() {
            return Err(DatasetError::TooLittle(format!(
                "The filter patches.keep leaves out all {all} places of the training ground; \
                 lower its more_than or count other classes"
            )));
        }
        self.notes.push(format!(
            "{left_out} of {all} places for training patches are left out by the filter \
             patches.keep; what is held out is not filtered"
        ));
        Ok(())
    }

    pub(super) fn measured(&self) -> Result<Normalization, DatasetError> {
        let count = self.sites.len().min(MEASURED_PATCHES);
        let read = |at: usize| {
            let (scene, corner) = self.sites[at * self.sites.len() / count];
            let (scene, sites) = &self.scenes[scene as usize];
            let scene = self.ground.scene(*scene)?;
            Ok(scene.read_window(self.window(sites.corners[corner as usize]))?)
        };
        let samples: Vec<Vec<u8>> = (0..count)
            .into_par_iter()
            .map(read)
            .collect::<Result<_, DatasetError>>()?;
        let samples = samples.iter().map(Vec::as_slice);
        Ok(Normalization::of_channels(
            self.reading.num_channels(),
            samples,
        ))
    }

    /// Training patch `index` of `epoch`, the same whenever it is asked for: its place, its turn
    /// and its colors follow from the numbers. How many patches are of a class drawn first says
    /// [`PatchConfig::rare`].
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub fn patch(&self, seed: u64, epoch: u64, index: u64) -> Result<Batch, DatasetError> {
        let (square, shift) = self.square(&self.config.augment, [seed, epoch, index])?;
        Ok(square.into_batch(&self.normalization, &shift))
    }

    /// Training patch `index` of `epoch`, both in `numbers` behind the seed, varied by `augment`,
    /// and how its colors are shifted where they become numbers.
    pub(super) fn square(
        &self,
        augment: &Augment,
        numbers: [u64; 3],
    ) -> Result<(Square, ColorShift), DatasetError> {
        let mut rng = Rng::of(&numbers);
        let site = if !self.config.rare.draws_class(rng.bits()) || self.by_class.is_empty() {
            rng.below(self.sites.len() as u64) as usize
        } else {
            let class = &self.by_class[rng.below(self.by_class.len() as u64) as usize];
            class[rng.below(class.len() as u64) as usize] as usize
        };
        let (scene, corner) = self.sites[site];
        let (scene, sites) = &self.scenes[scene as usize];
        let corner = sites.moved(corner as usize, &mut rng);
        if let Augment::Own(own) = augment {
            let place = Place {
                scene: &*self.ground.scene(*scene)?,
                window: self.window(corner),
                blocked: &self.split.blocked(),
            };
            let channels = (&self.normalization, self.reading.kind());
            return Ok((place.varied(own, channels, &mut rng)?, ColorShift::NONE));
        }
        let (turn, shift) = augment.drawn(self.reading.num_channels(), &mut rng);
        let whole = PixelRect::new(0, 0, u32::MAX, u32::MAX);
        Ok((self.cut(*scene, corner, whole)?.turned(turn), shift))
    }

    /// Training patches `range` of `epoch` as one batch.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub fn batch(&self, seed: u64, epoch: u64, range: Range<u64>) -> Result<Batch, DatasetError> {
        let patches: Vec<Batch> = range
            .into_par_iter()
            .map(|index| self.patch(seed, epoch, index))
            .collect::<Result<_, _>>()?;
        Ok(Batch::joined(&patches))
    }

    /// Number of validation patches; together they cover the held-out ground without overlap.
    pub fn num_validation(&self) -> usize {
        self.validation.len()
    }

    /// The validation patches to show to people, rising: a few, spread over the held-out ground,
    /// rather such that show many classes.
    pub fn shown(&self) -> &[usize] {
        &self.shown
    }

    /// Validation patches `range` as one batch, neither turned nor tinted.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub fn validation_batch(&self, range: Range<usize>) -> Result<Batch, DatasetError> {
        let patches: Vec<Batch> = self.validation[range]
            .par_iter()
            .map(|&(scene, corner, held_out)| {
                let square = self.cut(scene, corner, held_out)?;
                Ok(square.into_batch(&self.normalization, &ColorShift::NONE))
            })
            .collect::<Result<_, DatasetError>>()?;
        Ok(Batch::joined(&patches))
    }

    pub(super) fn window(&self, (x, y): (u32, u32)) -> MirroredWindow {
        MirroredWindow {
            x: i64::from(x),
            y: i64::from(y),
            side: self.config.side,
        }
    }

    fn cut(
        &self,
        scene: usize,
        corner: (u32, u32),
        allowed: PixelRect,
    ) -> Result<Square, DatasetError> {
        let scene = self.ground.scene(scene)?;
        let side = self.config.side as usize;
        let pixels = scene.read_window(self.window(corner))?;
        let mut labels = scene.read_labels(self.window(corner), allowed);
        for (label, pixel) in labels.iter_mut().zip(pixels.chunks_exact(4)) {
            if pixel[3] == 0 {
                *label = UNLABELED;
            }
        }
        Ok(Square {
            side,
            rgba: pixels,
            labels,
        })
    }

    /// What is read.
    pub const fn ground(&self) -> &Ground {
        &self.ground
    }

    /// What is held out.
    pub const fn split(&self) -> &Split {
        &self.split
    }

    /// The same of held-out blocks, so many of which have a label that nobody vouched for.
    #[must_use]
    pub const fn with_unreviewed(mut self, unreviewed: Option<usize>) -> Self {
        self.split.report.unreviewed = unreviewed;
        self
    }

    /// How images are normalised.
    pub const fn normalization(&self) -> &Normalization {
        &self.normalization
    }

    /// Normalises with given numbers instead of measured ones, for a network trained with those.
    #[must_use]
    pub fn with_normalization(mut self, normalization: Normalization) -> Self {
        self.normalization = normalization;
        self
    }

    /// Meters along a side of a pixel of the run; `None` when it is not known.
    pub const fn pixel_meters(&self) -> Option<f64> {
        self.pixel_meters
    }

    /// Labelled training pixels of each class.
    pub fn class_pixels(&self) -> &[u64] {
        &self.class_pixels
    }

    /// What the user should know about the data.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

#[cfg(test)]
mod tests {
    use super::super::patch_fixture::{SIZE, config, halves};
    use super::*;

    /// Left half black and class 0, right half white and class 1, the last ten columns nodata.
    fn source(augment: Augment) -> PatchSource {
        let paint = |x: u32, _| match x {
            0..150 => [0, 0, 0, 255],
            150..290 => [255, 255, 255, 255],
            _ => [0; 4],
        };
        let config = PatchConfig {
            augment,
            ..config()
        };
        PatchSource::new(halves(paint), config).expect("a source")
    }

    #[test]
    fn a_patch_is_a_function_of_its_numbers() {
        let (one, two) = (source(Augment::Full), source(Augment::Full));
        assert_eq!(
            one.patch(1, 2, 3).expect("a patch"),
            two.patch(1, 2, 3).expect("a patch")
        );
        let patches: Vec<Batch> = (0..4)
            .map(|n| one.patch(1, 2, n).expect("a patch"))
            .collect();
        assert_eq!(
            one.batch(1, 2, 0..4).expect("a batch"),
            Batch::joined(&patches)
        );
        assert!((0..20).any(|n| one.patch(1, 2, n).ok() != one.patch(1, 3, n).ok()));
    }

    #[test]
    fn labels_stay_with_their_pixels_whatever_the_turn() {
        let source = source(Augment::Turns);
        let white = (1.0 - source.normalization().mean[0]) / source.normalization().std[0];
        for index in 0..50 {
            let patch = source.patch(9, 1, index).expect("a patch");
            for (value, label) in patch.images.iter().zip(&patch.labels) {
                let expected = match (value - white).abs() < 1e-5 {
                    true => 1,
                    false if *value == 0.0 => UNLABELED,
                    false => 0,
                };
                assert_eq!(*label, expected);
            }
        }
    }

    #[test]
    fn validation_covers_the_held_out_ground_once() {
        let source = source(Augment::Full);
        let batch = source
            .validation_batch(0..source.num_validation())
            .expect("a batch");
        let counted = batch
            .labels
            .iter()
            .filter(|&&label| label != UNLABELED)
            .count() as u64;
        let held_out: u64 = source
            .split()
            .held_out
            .iter()
            .map(|(_, b)| b.num_pixels())
            .sum();
        let nodata: u64 = (source.split().held_out.iter())
            .map(|(_, block)| {
                block
                    .intersect(PixelRect::new(290, 0, 10, 260))
                    .num_pixels()
            })
            .sum();
        assert_eq!(counted, held_out - nodata);
        assert_eq!(source.split().report.validation_pixels, held_out);
    }

    #[test]
    fn training_counts_only_what_it_may_see() {
        let source = source(Augment::None);
        let seen: u64 = source.class_pixels().iter().sum();
        assert_eq!(seen, source.split().report.train_pixels);
        assert!(seen + source.split().report.validation_pixels < SIZE.num_pixels());
    }
}
