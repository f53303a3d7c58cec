use super::leaks::{LeakHooks, LeakLimits, LeakReport, LeakSample, LeakSet, find_leaks_between};
use super::{DatasetError, Discovery, Part, Watch, discover};
use crate::raster::open_raster;

impl Discovery {
    /// What the data sets of a folder that holds several share with each other, whatever parts they
    /// have. Those that cannot be recognized are noted.
    ///
    /// # Errors
    /// [`DatasetError::Stopped`] when `watch` says so; images that cannot be read are noted.
    pub fn leaks_between_sets(
        &self,
        limits: LeakLimits,
        watch: &Watch<'_>,
    ) -> Result<LeakReport, DatasetError> {
        let (mut found, mut notes) = (Vec::new(), Vec::new());
        for folder in &self.datasets {
            match discover(folder) {
                Ok(discovery) => {
                    let name = folder.strip_prefix(&self.folder).unwrap_or(folder);
                    found.push((name.display().to_string(), discovery.samples));
                }
                Err(error) => notes.push(error.to_string()),
            }
        }
        let images: Vec<(String, &std::path::Path)> = found
            .iter()
            .flat_map(|(set, samples)| samples.iter().map(move |sample| (set, sample)))
            .map(|(set, sample)| (format!("{set}/{}", sample.name), sample.image.as_path()))
            .collect();
        let samples: Vec<LeakSample<'_>> = images
            .iter()
            .map(|&(ref name, path)| LeakSample {
                name,
                path,
                part: Part::Train,
            })
            .collect();
        let sets = found.iter().map(|(name, samples)| LeakSet {
            name,
            len: samples.len(),
        });
        let hooks = LeakHooks {
            open: &|at| Ok(open_raster(samples[at].path)?),
            is_cancelled: watch.is_cancelled,
            progress: watch.progress,
        };
        let report = find_leaks_between(&sets.collect::<Vec<_>>(), &samples, limits, &hooks);
        let mut report = report.ok_or(DatasetError::Stopped)?;
        report.notes.append(&mut notes);
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::dataset::discover::test_folders::{Kind, png};
    use crate::dataset::hash;
    use crate::dataset::leaks::LeakKind;

    const SIDE: u32 = 64;

    /// Writes an image of patches with a mask; other seeds make other images.
    fn write(set: &Path, name: &str, seed: u64, is_flipped: bool) {
        let grey = |at: u32| {
            let (x, y) = (at % SIDE, at / SIDE);
            let x = if is_flipped { SIDE - 1 - x } else { x };
            hash(&[seed, u64::from(x / 8), u64::from(y / 8)]) as u8
        };
        let pixels: Vec<u8> = (0..SIDE * SIDE).flat_map(|at| [grey(at); 3]).collect();
        png(set, &format!("images/{name}.png"), Kind::Rgb, SIDE, &pixels);
        let mask: Vec<u8> = (0..SIDE * SIDE).map(|at| (at / 9 % 2) as u8).collect();
        png(set, &format!("masks/{name}.png"), Kind::Grey, SIDE, &mask);
    }

    /// What a folder would be that holds data sets of these names.
    fn several(folder: &Path, names: &[&str]) -> Discovery {
        let datasets: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
        Discovery {
            folder: folder.to_owned(),
            samples: Vec::new(),
            datasets,
            ..discover(&folder.join(names[0])).expect("a data set")
        }
    }

    fn leaks(discovery: &Discovery) -> LeakReport {
        let leaks = discovery.leaks_between_sets(LeakLimits::default(), &Watch::NOBODY);
        leaks.expect("nobody stops it")
    }

    #[test]
    fn a_flipped_copy_in_another_data_set_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let sets = ["farms", "towns", "woods"];
        for (at, set) in (0..).zip(sets) {
            for (number, name) in (0..).zip(["hill", "lake", "moor"]) {
                write(&folder.path().join(set), name, 10 * at + number, false);
            }
        }
        write(&folder.path().join("woods"), "turned", 1, true);
        // A copy within a set is not between sets.
        write(&folder.path().join("towns"), "twice", 10, true);
        let report = leaks(&several(folder.path(), &sets));
        assert_eq!((report.images, report.notes.len()), (11, 0));
        let leak = &report.leaks[0];
        let expected = Some(["farms".to_owned(), "woods".to_owned()]);
        assert_eq!(
            (leak.kind, leak.samples, &leak.sets),
            (LeakKind::Copy, 1, &expected)
        );
        let names = (&*leak.examples[0].first, &*leak.examples[0].second);
        assert_eq!(names, ("farms/lake", "woods/turned"));
        assert!(
            leak.sentence
                .starts_with("1 image of woods is copied from farms, turned")
        );
        assert!(
            leak.sentence
                .ends_with("; never train on one and judge on the other")
        );
        let copies = report
            .leaks
            .iter()
            .filter(|leak| leak.kind <= LeakKind::Copy);
        assert_eq!(copies.count(), 1, "{report:?}");
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!(json["leaks"][0]["sets"][1], "woods");
    }

    #[test]
    fn what_cannot_be_recognized_is_noted_and_it_can_be_stopped() {
        let folder = tempfile::tempdir().expect("a folder");
        write(&folder.path().join("farms"), "hill", 1, false);
        let both = several(folder.path(), &["farms", "nothing"]);
        let report = leaks(&both);
        assert_eq!((report.leaks.len(), report.notes.len()), (0, 1));
        let stop = Watch {
            is_cancelled: &|| true,
            ..Watch::NOBODY
        };
        let stopped = both.leaks_between_sets(LeakLimits::default(), &stop);
        assert!(matches!(stopped, Err(DatasetError::Stopped)));
    }

    #[test]
    fn both_forms_of_camvid_share_their_pictures() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
        let sets = ["Cam101_480x360", "camvid_11_480x360"];
        if sets.iter().any(|set| !folder.join(set).is_dir()) {
            eprintln!("CamVid is not at hand in both forms, nothing is tested");
            return;
        }
        let report = leaks(&several(&folder, &sets));
        let leak = &report.leaks[0];
        assert_eq!((leak.kind, leak.samples), (LeakKind::Copy, 101), "{leak:?}");
    }
}
