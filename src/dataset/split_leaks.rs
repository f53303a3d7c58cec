use super::leaks::{
    LeakBlocks, LeakHooks, LeakLimits, LeakReport, LeakSample, find_leaks, find_repeats,
};
use super::parts::PartRule;
use super::split_files::FileParts;
use super::watch::counted;
use super::{DatasetError, Discovery, FileSet, Part, Scene, Split, Watch};
use crate::geom::PixelRect;
use crate::label::UNLABELED;
use crate::raster::open_raster;

/// Shares of the work that reading masks is, and finding equal images.
const MASKS_READ: f64 = 0.15;
const PARTS_MADE: f64 = 0.3;

impl Split {
    /// What the parts of `files` share and should not, by their images and names.
    ///
    /// # Errors
    /// [`DatasetError::Stopped`] when `watch` says so; images that cannot be read are noted.
    pub fn leaks(
        &self,
        files: &FileSet,
        limits: LeakLimits,
        watch: &Watch<'_>,
    ) -> Result<LeakReport, DatasetError> {
        let validation: Vec<usize> = self.held_out.iter().map(|(scene, _)| *scene).collect();
        let parts = [&self.train_scenes, &validation, &self.test_scenes];
        leaks_between(files, parts, limits, watch)
    }

    /// Ground that the one image of `scene` shows in different ones of its parts, of which at most
    /// about `most_pixels` are read.
    ///
    /// # Errors
    /// When the image cannot be opened; as for [`Self::leaks`].
    pub fn repeats(
        &self,
        scene: &Scene,
        most_pixels: u64,
        watch: &Watch<'_>,
    ) -> Result<LeakReport, DatasetError> {
        let (report, label) = (&self.report, scene.image_mask());
        let (validation, test) = (&report.validation_blocks, &report.test_blocks);
        let margins = validation.iter().chain(test);
        let margins = margins.map(|block| block.grown(report.margin));
        let unlabeled = label.tiles().filter_map(|(col, row, tile)| {
            let is_unlabeled = tile.uniform_class() == Some(UNLABELED);
            is_unlabeled.then(|| label.tile_rect(col, row))
        });
        let unused: Vec<PixelRect> = margins.chain(unlabeled).collect();
        let blocks = LeakBlocks {
            name: scene.name(),
            validation,
            test,
            unused: &unused,
        };
        find_repeats(&*scene.source()?, &blocks, most_pixels, watch)
    }
}

impl Discovery {
    /// What the parts that a training by `rule` makes of the data set share and should not, at the
    /// images' own pixel size. Where it makes no parts of whole files, the report is empty and says
    /// why; masks that cannot be read are left out, which it says, too.
    ///
    /// # Errors
    /// When a list of the rule cannot be read; as for [`Split::leaks`].
    pub fn leaks(
        &self,
        rule: &PartRule,
        limits: LeakLimits,
        watch: &Watch<'_>,
    ) -> Result<LeakReport, DatasetError> {
        let files = FileSet::new(self.clone(), 0);
        if files.len() < 2 {
            return Ok(nothing_compared(match files.len() {
                0 => "No image has a mask, so a training makes no parts".to_owned(),
                _ => "Only one image has a mask: blocks of it are held out, which a margin keeps \
                      apart, so there are no images to compare; whether it shows ground of these \
                      blocks twice is looked for when a training starts"
                    .to_owned(),
            }));
        }
        let (counts, notes) = watch.during((0.0, MASKS_READ), |watch| pixels_of(&files, watch))?;
        let parts = watch.during((MASKS_READ, PARTS_MADE), |watch| {
            parts_of(&files, &counts, rule, watch)
        });
        let mut report = match parts {
            Ok(FileParts { parts, .. }) => watch.during((PARTS_MADE, 1.0), |watch| {
                leaks_between(&files, parts.each_ref(), limits, watch)
            })?,
            Err(DatasetError::TooLittle(why)) => nothing_compared(why),
            Err(error) => return Err(error),
        };
        report.notes.splice(0..0, notes);
        Ok(report)
    }
}

fn nothing_compared(why: String) -> LeakReport {
    LeakReport {
        notes: vec![why],
        ..LeakReport::default()
    }
}

/// Pixels of each class in each mask, none where it cannot be read, and a sentence about those.
fn pixels_of(
    files: &FileSet,
    watch: &Watch<'_>,
) -> Result<(Vec<Vec<u64>>, Option<String>), DatasetError> {
    let read = |at: usize| {
        let mask = files.mask(at);
        Ok(mask.map(|(mask, _)| mask.histogram()[..usize::from(UNLABELED)].to_vec()))
    };
    let masks = counted(watch, files.len(), read)?;
    let failed = (0..).zip(&masks);
    let failed: Vec<_> = failed
        .filter_map(|(at, mask)| Some((at, mask.as_ref().err()?)))
        .collect();
    let note = failed.first().map(|(at, error)| {
        format!(
            "{} masks could not be read, which ends a training; the parts are those of the others. \
             The first is {}: {error}",
            failed.len(),
            files.name(*at)
        )
    });
    let counts = masks.into_iter().map(Result::unwrap_or_default);
    Ok((counts.collect(), note))
}

/// The parts that a training makes; images that cannot be read are equal to none.
fn parts_of(
    files: &FileSet,
    counts: &[Vec<u64>],
    rule: &PartRule,
    watch: &Watch<'_>,
) -> Result<FileParts, DatasetError> {
    let print = |at| Ok(files.fingerprint(at).ok());
    FileParts::of((files, counts), rule, print, watch)
}

/// What `parts` of `files`, by [`Part::ALL`], share.
fn leaks_between(
    files: &FileSet,
    parts: [&Vec<usize>; 3],
    limits: LeakLimits,
    watch: &Watch<'_>,
) -> Result<LeakReport, DatasetError> {
    let parts = Part::ALL.into_iter().zip(parts);
    let scenes: Vec<(Part, usize)> = parts
        .flat_map(|(part, scenes)| scenes.iter().map(move |&scene| (part, scene)))
        .collect();
    let names: Vec<String> = scenes.iter().map(|&(_, scene)| files.name(scene)).collect();
    let samples: Vec<LeakSample<'_>> = scenes
        .iter()
        .zip(&names)
        .map(|(&(part, scene), name)| LeakSample {
            name,
            path: &files.sample(scene).image,
            part,
        })
        .collect();
    let hooks = LeakHooks {
        open: &|at| Ok(open_raster(samples[at].path)?),
        is_cancelled: watch.is_cancelled,
        progress: watch.progress,
    };
    find_leaks(&samples, limits, &hooks).ok_or(DatasetError::Stopped)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dataset::leaks::LeakKind;
    use crate::dataset::parts::{PartWay, Shares, Strata, Twins};
    use crate::dataset::patch_fixture::config;
    use crate::dataset::{Ground, PatchConfig, PatchSource, discover};
    use crate::geom::ImageSize;
    use crate::label::{ClassTable, Mask, SaveAs, save_mask};

    /// Writes image `n`, which has a twin, and its mask into these folders.
    fn write(folder: &Path, n: u8, folders: &[&str]) {
        let (size, table) = (ImageSize::new(32, 32), ClassTable::from_values(0..40));
        let pixels = [Mask::filled(size, n / 2), Mask::filled(size, n % 2)];
        for (kind, pixels) in folders.iter().zip(&pixels) {
            let path = folder.join(kind).join(format!("{n:02}.png"));
            save_mask(&path, pixels, &table, None, SaveAs::IndexPng).expect("saved");
        }
    }

    fn source(folder: &Path, parts: PartRule) -> PatchSource {
        let files = FileSet::new(discover(folder).expect("pairs"), 1 << 20);
        let config = PatchConfig {
            seed: 1,
            parts,
            ..config()
        };
        PatchSource::new(Ground::Files(Box::new(files)), config).expect("patches")
    }

    fn rule(twins: Twins, split: PartWay) -> PartRule {
        PartRule {
            twins,
            split,
            ..PartRule::default()
        }
    }

    /// A look tells what a training finds, and makes the same parts.
    #[track_caller]
    fn check(folder: &Path, rule: &PartRule) -> LeakReport {
        let patches = source(folder, rule.clone());
        let Ground::Files(files) = patches.ground() else {
            panic!("files");
        };
        let split = patches.split();
        let (counts, _) = pixels_of(files, &Watch::NOBODY).expect("masks");
        let parts = parts_of(files, &counts, rule, &Watch::NOBODY).expect("parts");
        let held_out: Vec<usize> = split.held_out.iter().map(|(scene, _)| *scene).collect();
        let trained = [
            split.train_scenes.clone(),
            held_out,
            split.test_scenes.clone(),
        ];
        assert_eq!(parts.parts, trained, "{rule:?}");
        let limits = LeakLimits::default();
        let told = split.leaks(files, limits, &Watch::NOBODY).expect("leaks");
        let looked = discover(folder).expect("pairs");
        let looked = looked.leaks(rule, limits, &Watch::NOBODY).expect("leaks");
        assert_eq!(looked, told, "{rule:?}");
        looked
    }

    #[test]
    fn a_look_is_of_the_parts_that_a_training_makes() {
        let ratio = || PartRule::default().split;
        let by_folder = || PartWay::ByFolder {
            shares: Shares::default(),
        };
        let alike = || PartWay::Stratified {
            strata: Strata::Occurrence,
            shares: Shares::default(),
        };
        let folder = tempfile::tempdir().expect("a folder");
        for n in 0..20 {
            write(folder.path(), n, &["images", "masks"]);
        }
        // Without a mask, so in no part.
        write(folder.path(), 20, &["images"]);
        let between = (Part::Train, Part::Validation);
        let same = |twins, split| {
            let report = check(folder.path(), &rule(twins, split));
            report.of(LeakKind::SamePixels, between).is_some()
        };
        for split in [ratio(), by_folder(), alike()] {
            assert!(!same(Twins::Together, split));
        }
        assert!(same(Twins::Apart, ratio()));
        let folder = tempfile::tempdir().expect("a folder");
        for n in 0..26 {
            let part = if n < 21 { "train" } else { "test" };
            let [images, masks] = ["images", "masks"].map(|kind| format!("{part}/{kind}"));
            write(folder.path(), n, &[&images, &masks]);
        }
        let report = check(folder.path(), &rule(Twins::Together, by_folder()));
        let torn = report.of(LeakKind::SamePixels, (Part::Train, Part::Test));
        let torn = torn.or_else(|| report.of(LeakKind::SamePixels, (Part::Validation, Part::Test)));
        assert_eq!(torn.expect("20 and 21 are twins").samples, 1);
        assert_eq!(report.of(LeakKind::SamePixels, between), None);
    }

    #[test]
    fn where_no_files_are_held_out_the_report_says_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let blocks = PartWay::Blocks {
            side: 64,
            shares: Shares::default(),
        };
        let blocks = rule(Twins::Together, blocks);
        for (n, words) in [(0, "margin"), (1, "cut within an image")] {
            write(folder.path(), n, &["images", "masks"]);
            let looked = discover(folder.path()).expect("pairs");
            let report = looked.leaks(&blocks, LeakLimits::default(), &Watch::NOBODY);
            let report = report.expect("a report");
            assert_eq!((report.leaks.len(), report.images), (0, 0));
            assert!(report.notes[0].contains(words), "{:?}", report.notes);
        }
    }

    #[test]
    fn parts_that_share_pixels_are_told_even_when_no_pixel_may_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        for n in 0..20 {
            write(folder.path(), n, &["images", "masks"]);
        }
        let patches = source(folder.path(), rule(Twins::Apart, PartRule::default().split));
        let Ground::Files(files) = patches.ground() else {
            panic!("files");
        };
        let leaks = |pixels| {
            let limits = LeakLimits {
                pixels,
                ..LeakLimits::default()
            };
            let leaks = patches.split().leaks(files, limits, &Watch::NOBODY);
            leaks.expect("nobody stops it")
        };
        let (all, none) = (leaks(u64::MAX), leaks(0));
        let same = |report: &LeakReport| {
            let leak = report.of(LeakKind::SamePixels, (Part::Train, Part::Validation));
            leak.expect("twins are apart").samples
        };
        assert_eq!(same(&all), same(&none));
        assert_eq!((all.images, none.images, none.notes.len()), (20, 0, 1));
        let stop = Watch {
            is_cancelled: &|| true,
            ..Watch::NOBODY
        };
        let stopped = patches.split().leaks(files, LeakLimits::default(), &stop);
        assert!(matches!(stopped, Err(DatasetError::Stopped)));
    }
}
