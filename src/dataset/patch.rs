use std::ops::Range;

use rayon::prelude::*;

use super::augment::{ColorShift, Place, Square, Turn};
use super::cells::Cells;
use super::parts::PartRule;
use super::sites::SceneSites;
use super::split::Split;
use super::{Augment, DatasetError, Ground, MirroredWindow, Normalization, Rng};
use crate::geom::PixelRect;
use crate::label::UNLABELED;

/// Patches looked at to measure means and deviations.
const MEASURED_PATCHES: usize = 64;

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
}

/// Images and labels as a network reads them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Normalised colors, N × 3 × side × side.
    pub images: Vec<f32>,
    /// Classes, N × side × side; 255 is not learned from.
    pub labels: Vec<u8>,
    /// Number of patches.
    pub len: usize,
    /// Columns and rows of a patch.
    pub side: usize,
}

/// Patches of a training set. Which patch is which is a function of numbers alone.
#[derive(Debug)]
pub struct PatchSource {
    ground: Ground,
    config: PatchConfig,
    split: Split,
    /// Scene and places, for every scene of the training ground that offers any.
    scenes: Vec<(usize, SceneSites)>,
    /// All training places: index into `scenes` and into its corners.
    sites: Vec<(u32, u32)>,
    /// For each class that training shows, indices into `sites`.
    by_class: Vec<Vec<u32>>,
    /// Scene, upper left corner and held-out ground of every validation patch.
    validation: Vec<(usize, (u32, u32), PixelRect)>,
    normalization: Normalization,
    class_pixels: Vec<u64>,
    notes: Vec<String>,
}

impl PatchSource {
    /// Reads all masks once, holds ground out and measures the rest.
    ///
    /// # Errors
    /// When a file cannot be read, a mask does not fit its image or the classes, too little is
    /// labelled, or a range of the augmentation makes no sense.
    pub fn new(ground: Ground, config: PatchConfig) -> Result<Self, DatasetError> {
        config.augment.check()?;
        let (scans, mut notes) = scan_all(&ground, config.num_classes)?;
        let split = match &ground {
            Ground::Image(_) => Split::of_ruled_image(&scans[0], &config.parts, config.side)?
                .map_or_else(|| Split::of_image(&scans[0], config.seed, config.side), Ok)?,
            Ground::Files(files) => {
                notes.extend(files.discovery().notes.iter().cloned());
                Split::of_files(&scans, files, &config.parts, config.num_classes)?
            }
        };
        notes.splice(0..0, split.report.notes.iter().cloned());
        let blocked = split.blocked();
        let sites_of = |&scene: &usize| {
            (
                scene,
                SceneSites::find(&scans[scene], config.side, &blocked),
            )
        };
        let scenes: Vec<(usize, SceneSites)> = split.train_scenes.iter().map(sites_of).collect();
        let mut source = Self {
            class_pixels: class_pixels(&scans, &split, config.num_classes),
            validation: validation_windows(&scans, &split, config.side),
            normalization: Normalization::measured([]),
            sites: Vec::new(),
            by_class: Vec::new(),
            ground,
            config,
            split,
            scenes,
            notes,
        };
        source.index_sites();
        source.normalization = source.measured()?;
        Ok(source)
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

    fn measured(&self) -> Result<Normalization, DatasetError> {
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
        Ok(Normalization::measured(samples.iter().map(Vec::as_slice)))
    }

    /// Training patch `index` of `epoch`, the same whenever it is asked for: its place, its turn
    /// and its colors follow from the numbers. Half of the patches are drawn from all training
    /// ground, the other half from the ground of a class drawn first, so that rare classes are
    /// seen.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub fn patch(&self, seed: u64, epoch: u64, index: u64) -> Result<Batch, DatasetError> {
        let mut rng = Rng::of(&[seed, epoch, index]);
        let site = if rng.bits() & 1 == 0 || self.by_class.is_empty() {
            rng.below(self.sites.len() as u64) as usize
        } else {
            let class = &self.by_class[rng.below(self.by_class.len() as u64) as usize];
            class[rng.below(class.len() as u64) as usize] as usize
        };
        let (scene, corner) = self.sites[site];
        let (scene, sites) = &self.scenes[scene as usize];
        let corner = sites.moved(corner as usize, &mut rng);
        if let Augment::Own(own) = &self.config.augment {
            let place = Place {
                scene: &*self.ground.scene(*scene)?,
                window: self.window(corner),
                blocked: &self.split.blocked(),
            };
            let square = place.varied(own, self.normalization.mean_color(), &mut rng)?;
            return Ok(square.into_batch(&self.normalization, ColorShift::NONE));
        }
        let variation = self.config.augment.drawn(&mut rng);
        self.cut(
            *scene,
            corner,
            PixelRect::new(0, 0, u32::MAX, u32::MAX),
            variation,
        )
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
        Ok(self.joined(&patches))
    }

    /// Number of validation patches; together they cover the held-out ground without overlap.
    pub fn num_validation(&self) -> usize {
        self.validation.len()
    }

    /// Validation patches `range` as one batch, neither turned nor tinted.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub fn validation_batch(&self, range: Range<usize>) -> Result<Batch, DatasetError> {
        let patches: Vec<Batch> = self.validation[range]
            .par_iter()
            .map(|&(scene, corner, held_out)| {
                self.cut(scene, corner, held_out, (Turn::NONE, ColorShift::NONE))
            })
            .collect::<Result<_, _>>()?;
        Ok(self.joined(&patches))
    }

    fn window(&self, (x, y): (u32, u32)) -> MirroredWindow {
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
        (turn, shift): (Turn, ColorShift),
    ) -> Result<Batch, DatasetError> {
        let scene = self.ground.scene(scene)?;
        let side = self.config.side as usize;
        let pixels = scene.read_window(self.window(corner))?;
        let mut labels = scene.read_labels(self.window(corner), allowed);
        for (label, pixel) in labels.iter_mut().zip(pixels.chunks_exact(4)) {
            if pixel[3] == 0 {
                *label = UNLABELED;
            }
        }
        let square = Square {
            side,
            rgba: turn.applied(&pixels, side, 4),
            labels: turn.applied(&labels, side, 1),
        };
        Ok(square.into_batch(&self.normalization, shift))
    }

    fn joined(&self, patches: &[Batch]) -> Batch {
        Batch {
            images: patches
                .iter()
                .flat_map(|patch| patch.images.iter().copied())
                .collect(),
            labels: patches
                .iter()
                .flat_map(|patch| patch.labels.iter().copied())
                .collect(),
            len: patches.len(),
            side: self.config.side as usize,
        }
    }

    /// What is read.
    pub const fn ground(&self) -> &Ground {
        &self.ground
    }

    /// What is held out.
    pub const fn split(&self) -> &Split {
        &self.split
    }

    /// How images are normalised.
    pub const fn normalization(&self) -> Normalization {
        self.normalization
    }

    /// Normalises with given numbers instead of measured ones, for a network trained with those.
    #[must_use]
    pub const fn with_normalization(mut self, normalization: Normalization) -> Self {
        self.normalization = normalization;
        self
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

fn scan_all(
    ground: &Ground,
    num_classes: usize,
) -> Result<(Vec<Cells>, Vec<String>), DatasetError> {
    let scan = |at: usize| {
        let (mask, notes, name) = match ground {
            Ground::Image(scene) => (scene.mask().clone(), Vec::new(), scene.name().to_owned()),
            Ground::Files(files) => {
                let (mask, notes) = files.mask(at)?;
                (mask, notes, files.name(at))
            }
        };
        check_classes(&mask.histogram(), num_classes, &name)?;
        Ok((Cells::scan(&mask), notes))
    };
    let scanned: Vec<(Cells, Vec<String>)> = (0..ground.num_scenes())
        .into_par_iter()
        .map(scan)
        .collect::<Result<_, DatasetError>>()?;
    let (scans, notes): (Vec<Cells>, Vec<Vec<String>>) = scanned.into_iter().unzip();
    // A folder's files tend to say the same thing; once is enough.
    let mut notes = notes.concat();
    let mut seen = std::collections::BTreeSet::new();
    notes.retain(|note| seen.insert(note.clone()));
    Ok((scans, notes))
}

fn check_classes(
    histogram: &[u64; 256],
    num_classes: usize,
    scene: &str,
) -> Result<(), DatasetError> {
    let unknown = (num_classes..usize::from(UNLABELED)).find(|&class| histogram[class] > 0);
    match unknown {
        None => Ok(()),
        Some(class) => Err(DatasetError::UnknownClass {
            class: class as u8,
            last: num_classes.saturating_sub(1),
            scene: scene.to_owned(),
        }),
    }
}

fn class_pixels(scans: &[Cells], split: &Split, num_classes: usize) -> Vec<u64> {
    let blocked = split.blocked();
    let mut pixels = vec![0; num_classes];
    for &scene in &split.train_scenes {
        let is_blocked = scans[scene].sums_touching(&blocked);
        let histogram = scans[scene].histogram(|ground| is_blocked.over(ground) == 0);
        for (sum, count) in pixels.iter_mut().zip(histogram) {
            *sum += count;
        }
    }
    pixels
}

/// The held-out ground cut into patches without overlap, those without labels left out.
fn validation_windows(
    scans: &[Cells],
    split: &Split,
    side: u32,
) -> Vec<(usize, (u32, u32), PixelRect)> {
    let mut windows = Vec::new();
    for &(scene, ground) in &split.held_out {
        let labelled = scans[scene].sums(None);
        for y in (ground.y..ground.bottom()).step_by(side as usize) {
            for x in (ground.x..ground.right()).step_by(side as usize) {
                let rect = PixelRect::new(x, y, side, side).intersect(ground);
                if labelled.over(rect) > 0 {
                    windows.push((scene, (x, y), ground));
                }
            }
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Scene;
    use super::super::ground::tests::Painted;
    use super::*;
    use crate::geom::ImageSize;
    use crate::label::Mask;

    const SIZE: ImageSize = ImageSize {
        width: 300,
        height: 260,
    };

    /// Left half black and class 0, right half white and class 1, the last ten columns nodata.
    fn source(augment: Augment) -> PatchSource {
        let paint = |x: u32, _| match x {
            0..150 => [0, 0, 0, 255],
            150..290 => [255, 255, 255, 255],
            _ => [0; 4],
        };
        let mut mask = Mask::filled(SIZE, 0);
        mask.set_rect(PixelRect::new(150, 0, 150, 260), &vec![1; 150 * 260]);
        let scene = Scene::tiled(
            "halves".to_owned(),
            Painted::new(SIZE, paint),
            mask,
            1 << 22,
        );
        let config = PatchConfig {
            seed: 4,
            side: 32,
            num_classes: 2,
            augment,
            parts: PartRule::default(),
        };
        PatchSource::new(Ground::Image(Arc::new(scene)), config).expect("a source")
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
            one.joined(&patches)
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

    #[test]
    fn a_class_beyond_the_table_is_named() {
        let mask = Mask::filled(SIZE, 9);
        let scene = Scene::tiled(
            "odd".to_owned(),
            Painted::new(SIZE, |_, _| [1; 4]),
            mask,
            1 << 20,
        );
        let config = PatchConfig {
            seed: 4,
            side: 32,
            num_classes: 2,
            augment: Augment::None,
            parts: PartRule::default(),
        };
        let error = PatchSource::new(Ground::Image(Arc::new(scene)), config).expect_err("an error");
        assert!(
            matches!(
                error,
                DatasetError::UnknownClass {
                    class: 9,
                    last: 1,
                    ..
                }
            ),
            "{error}"
        );
    }
}
