use super::leaks::{LeakHooks, LeakLimits, LeakReport, LeakSample, find_leaks};
use super::parts::{PartLists, PartRule, SampleId, assign_parts};
use super::{DatasetError, Discovery, FileSet, Part, Sample, Split, Watch};
use crate::raster::open_raster;

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
        let validation = self.held_out.iter().map(|(scene, _)| scene);
        let parts = [
            (Part::Train, self.train_scenes.iter().collect::<Vec<_>>()),
            (Part::Validation, validation.collect()),
            (Part::Test, self.test_scenes.iter().collect()),
        ];
        let scenes: Vec<(Part, usize)> = parts
            .into_iter()
            .flat_map(|(part, scenes)| scenes.into_iter().map(move |&scene| (part, scene)))
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
        found(&samples, limits, watch)
    }
}

impl Discovery {
    /// What the parts that `rule` makes of the data set share and should not, whether labeled or
    /// not.
    ///
    /// # Errors
    /// When the rule cannot be followed; as for [`Split::leaks`].
    pub fn leaks(
        &self,
        rule: &PartRule,
        limits: LeakLimits,
        watch: &Watch<'_>,
    ) -> Result<LeakReport, DatasetError> {
        let ids: Vec<SampleId<'_>> = self.samples.iter().map(Sample::id).collect();
        let parts = assign_parts(rule, &ids, &PartLists::of(rule, &self.folder)?)?;
        let samples = ids.iter().enumerate().filter_map(|(at, id)| {
            Some(LeakSample {
                name: id.name,
                path: id.path,
                part: parts.part(at)?,
            })
        });
        found(&samples.collect::<Vec<_>>(), limits, watch)
    }
}

fn found(
    samples: &[LeakSample<'_>],
    limits: LeakLimits,
    watch: &Watch<'_>,
) -> Result<LeakReport, DatasetError> {
    let hooks = LeakHooks {
        open: &|at| Ok(open_raster(samples[at].path)?),
        is_cancelled: watch.is_cancelled,
        progress: watch.progress,
    };
    find_leaks(samples, limits, &hooks).ok_or(DatasetError::Stopped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::leaks::LeakKind;
    use crate::dataset::parts::{PartRule, Twins};
    use crate::dataset::patch_fixture::config;
    use crate::dataset::{Ground, PatchConfig, PatchSource, discover};
    use crate::geom::ImageSize;
    use crate::label::{ClassTable, Mask, SaveAs, save_mask};

    fn twins(folder: &std::path::Path) -> PatchSource {
        let (size, table) = (ImageSize::new(32, 32), ClassTable::from_values(0..40));
        for n in 0..20_u8 {
            // Each image has a twin.
            let image = Mask::filled(size, n / 2);
            for (kind, pixels) in [("images", &image), ("masks", &Mask::filled(size, n % 2))] {
                let path = folder.join(kind).join(format!("{n:02}.png"));
                save_mask(&path, pixels, &table, None, SaveAs::IndexPng).expect("saved");
            }
        }
        let files = FileSet::new(discover(folder).expect("pairs"), 1 << 20);
        let config = PatchConfig {
            seed: 1,
            parts: PartRule {
                twins: Twins::Apart,
                ..PartRule::default()
            },
            ..config()
        };
        PatchSource::new(Ground::Files(Box::new(files)), config).expect("patches")
    }

    #[test]
    fn parts_that_share_pixels_are_told_even_when_no_pixel_may_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let patches = twins(folder.path());
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
