//! Whole searches, on made pictures and on the real sets where they are at hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::dataset::parts::Part::{self, Test, Train, Validation};
use crate::dataset::{DatasetError, hash};
use crate::geom::{ImageSize, PixelRect};
use crate::raster::{Layout, RasterInfo, ReadError, SampleType, TileSource, open_raster};

/// A grey picture in memory.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) info: RasterInfo,
    luma: Vec<u8>,
}

impl Made {
    pub(super) fn new(width: u32, height: u32, luma: impl Fn(u32, u32) -> u8) -> Self {
        let size = ImageSize::new(width, height);
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self {
            info: RasterInfo {
                size,
                bands: 1,
                sample: SampleType::U8,
                compression: "none".to_owned(),
                layout: Layout::Whole,
                level_sizes: vec![size],
                georef: None,
                nodata: None,
                palette: None,
                has_alpha: false,
                orientation: crate::raster::Orientation::default(),
                format: "PNG",
            },
            luma: pixels.map(|(x, y)| luma(x, y)).collect(),
        }
    }

    /// Ground of its own for each `seed`: values on three lattices, blended between.
    pub(super) fn ground(seed: u64, width: u32, height: u32) -> Self {
        let value = |cell: u32, x: u32, y: u32| {
            let corner =
                |x: u32, y: u32| (hash(&[seed, cell.into(), x.into(), y.into()]) >> 56) as f32;
            let (u, v) = (
                (x % cell) as f32 / cell as f32,
                (y % cell) as f32 / cell as f32,
            );
            let (x, y) = (x / cell, y / cell);
            let upper = corner(x, y) * (1.0 - u) + corner(x + 1, y) * u;
            let lower = corner(x, y + 1) * (1.0 - u) + corner(x + 1, y + 1) * u;
            upper * (1.0 - v) + lower * v
        };
        Self::new(width, height, |x, y| {
            (0.3 * value(61, x, y) + 0.35 * value(23, x, y) + 0.3 * value(9, x, y)) as u8
        })
    }

    pub(super) fn at(&self, x: u32, y: u32) -> u8 {
        self.luma[(y * self.info.size.width + x) as usize]
    }

    pub(super) fn crop(&self, x0: u32, y0: u32, width: u32, height: u32) -> Self {
        Self::new(width, height, |x, y| self.at(x0 + x, y0 + y))
    }

    /// A quarter turn of a brighter picture.
    fn turned_and_brighter(&self) -> Self {
        let ImageSize { width, height } = self.info.size;
        Self::new(height, width, |x, y| {
            (f32::from(self.at(y, height - 1 - x)) * 1.1 + 8.0) as u8
        })
    }
}

impl TileSource for Made {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn read_rgba(&self, _: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let rows = rect.y..rect.bottom();
        let pixel = |(x, y)| {
            let luma = self.at(x, y);
            [luma, luma, luma, 255]
        };
        let pixels = rows.flat_map(|y| (rect.x..rect.right()).map(move |x| (x, y)));
        Ok(pixels.flat_map(pixel).collect())
    }

    fn read_index(&self, _: PixelRect) -> Result<Vec<u8>, ReadError> {
        Ok(self.luma.clone())
    }

    fn block_size(&self, _: usize) -> ImageSize {
        self.info.size
    }
}

pub(super) fn search(pictures: &[(Made, Part)]) -> LeakReport {
    let paths: Vec<PathBuf> = (0..pictures.len())
        .map(|at| PathBuf::from(format!("p{at}")))
        .collect();
    let names: Vec<String> = (0..pictures.len()).map(|at| format!("p{at}")).collect();
    let samples: Vec<LeakSample<'_>> = pictures
        .iter()
        .enumerate()
        .map(|(at, (_, part))| LeakSample {
            name: &names[at],
            path: &paths[at],
            part: *part,
        })
        .collect();
    let open = |at: usize| -> Result<Arc<dyn TileSource>, DatasetError> {
        Ok(Arc::new(pictures[at].0.clone()))
    };
    let hooks = LeakHooks {
        open: &open,
        is_cancelled: &|| false,
        progress: &|_| {},
    };
    find_leaks(&samples, LeakLimits::default(), &hooks).expect("not cancelled")
}

/// Kind, pairs and samples of each leak.
pub(super) fn summary(report: &LeakReport) -> Vec<(LeakKind, usize, usize)> {
    let leaks = report.leaks.iter();
    leaks
        .map(|leak| (leak.kind, leak.pairs, leak.samples))
        .collect()
}

#[test]
fn equal_copied_and_cut_pictures_are_told_apart() {
    let ground = Made::ground(1, 400, 300);
    let flat = |luma| Made::new(101, 101, move |_, _| luma);
    let report = search(&[
        (ground.clone(), Train),
        (Made::ground(2, 400, 300), Train),
        (ground.clone(), Test),
        (ground.turned_and_brighter(), Test),
        (ground.crop(131, 67, 230, 210), Test),
        (ground.crop(90, 20, 260, 200).turned_and_brighter(), Test),
        (Made::ground(3, 400, 300), Test),
        (flat(0), Train),
        (flat(9), Test),
    ]);
    let expected = [
        (LeakKind::SamePixels, 1, 1),
        (LeakKind::Copy, 1, 1),
        (LeakKind::SameGround, 2, 2),
    ];
    assert_eq!(summary(&report), expected, "{report:?}");
    assert_eq!(report.images, 9);
    let crop = &report.leaks[2].examples;
    assert!(
        crop.iter()
            .any(|pair| pair.detail.contains("shifted by -131, -67")),
        "{crop:?}"
    );
    assert!(crop.iter().all(|pair| pair.first == "p0"), "{crop:?}");
}

#[test]
fn overlapping_patches_of_a_large_image_are_found_across_its_parts() {
    let large = Made::ground(5, 1500, 1200);
    let report = search(&[
        (large.crop(0, 0, 1300, 1200), Validation),
        (large.crop(900, 800, 300, 300), Test),
        (large.crop(1180, 300, 320, 400), Train),
    ]);
    let between: BTreeSet<_> = report
        .leaks
        .iter()
        .map(|leak| (leak.kind, leak.between))
        .collect();
    let ground = LeakKind::SameGround;
    assert_eq!(
        between,
        BTreeSet::from([(ground, (Validation, Test)), (ground, (Train, Validation))])
    );
}

#[test]
fn unrelated_pictures_raise_no_alarm() {
    let pictures: Vec<(Made, Part)> = (10..34)
        .map(|seed| {
            (
                Made::ground(seed, 200, 200),
                if seed % 3 == 0 { Test } else { Train },
            )
        })
        .collect();
    assert_eq!(summary(&search(&pictures)), []);
}

#[test]
fn a_search_tells_its_progress_and_can_be_stopped() {
    let picture = Made::ground(1, 64, 64);
    let samples = [Train, Test].map(|part| LeakSample {
        name: "a",
        path: Path::new("no/such/file"),
        part,
    });
    let open = |_| -> Result<Arc<dyn TileSource>, DatasetError> { Ok(Arc::new(picture.clone())) };
    let told = AtomicU32::new(0);
    let progress = |share: f64| {
        told.fetch_max((share * 100.0) as u32, Ordering::Relaxed);
    };
    let hooks = |is_cancelled| LeakHooks {
        open: &open,
        is_cancelled,
        progress: &progress,
    };
    let report = find_leaks(&samples, LeakLimits::default(), &hooks(&|| false)).expect("a report");
    assert_eq!(summary(&report), [(LeakKind::SameFile, 1, 1)]);
    assert_eq!(told.load(Ordering::Relaxed), 100);
    assert!(find_leaks(&samples, LeakLimits::default(), &hooks(&|| true)).is_none());
}

#[test]
fn images_that_do_not_open_are_compared_by_name() {
    let samples = [("0016E5_00010.png", Train), ("0016E5_00040.png", Test)];
    let samples = samples.map(|(name, part)| LeakSample {
        name,
        path: Path::new(name),
        part,
    });
    let open = |_| Err(DatasetError::TooLittle("broken".to_owned()));
    let hooks = LeakHooks {
        open: &open,
        is_cancelled: &|| false,
        progress: &|_| {},
    };
    let report = find_leaks(&samples, LeakLimits::default(), &hooks).expect("a report");
    assert_eq!(summary(&report), [(LeakKind::SameRecording, 1, 1)]);
    assert!(report.notes[0].contains("broken"), "{:?}", report.notes);
}

/// The images of a folder of the real sets, by name; `None`, and a word, when it is not there.
fn real(folder: &str) -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("Not tested, there is no {}", folder.display());
        return None;
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| !path.to_string_lossy().ends_with("_L.png"));
    paths.sort();
    Some(paths)
}

fn search_files(sets: &[(&[PathBuf], Part)]) -> LeakReport {
    let files: Vec<(&PathBuf, String, Part)> = sets
        .iter()
        .flat_map(|(paths, part)| paths.iter().map(|path| (path, *part)))
        .map(|(path, part)| {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (path, name, part)
        })
        .collect();
    let samples: Vec<LeakSample<'_>> = files
        .iter()
        .map(|(path, name, part)| LeakSample {
            name,
            path,
            part: *part,
        })
        .collect();
    let hooks = LeakHooks {
        open: &|at| Ok(open_raster(samples[at].path)?),
        is_cancelled: &|| false,
        progress: &|_| {},
    };
    find_leaks(&samples, LeakLimits::default(), &hooks).expect("not cancelled")
}

#[test]
fn camvid_validates_on_a_drive_it_trains_on() {
    let (Some(mut train), Some(mut validation)) = (
        real("camvid_11_480x360/train"),
        real("camvid_11_480x360/val"),
    ) else {
        return;
    };
    // A few are enough, with the nearest ones.
    let nearest = train
        .iter()
        .find(|path| path.ends_with("0016E5_08190.jpg"))
        .cloned();
    train = train.into_iter().step_by(20).chain(nearest).collect();
    validation = validation.into_iter().rev().step_by(10).collect();
    let report = search_files(&[(&train, Train), (&validation, Validation)]);
    let leak = report
        .of(LeakKind::SameRecording, (Train, Validation))
        .expect("a leak");
    assert_eq!(leak.samples, 11);
    assert!(leak.examples[0].detail.contains("31 frames"), "{leak:?}");
    // The nearest ones show the same street, nearer or farther.
    let others = report
        .leaks
        .iter()
        .filter(|leak| leak.kind != LeakKind::SameRecording);
    for leak in others {
        assert_eq!(leak.kind, LeakKind::SameGround, "{report:?}");
        let is_near = |pair: &LeakExample| pair.first == "0016E5_08190.jpg";
        assert!(
            leak.pairs <= 2 && leak.examples.iter().all(is_near),
            "{leak:?}"
        );
    }
}

#[test]
fn cam101_is_the_validation_part_of_camvid() {
    let sets = [
        "Cam101_480x360/train",
        "Cam101_480x360/test",
        "camvid_11_480x360/val",
    ]
    .map(real);
    let [Some(mut cam101), Some(rest), Some(validation)] = sets else {
        return;
    };
    cam101.extend(rest);
    cam101.retain(|path| path.extension().is_some_and(|ending| ending == "png"));
    let report = search_files(&[(&cam101, Train), (&validation, Validation)]);
    let leak = report
        .of(LeakKind::Copy, (Train, Validation))
        .expect("a leak");
    assert_eq!((cam101.len(), leak.samples), (101, 101));
}

#[test]
fn the_roads_have_five_parents_in_both_parts_and_are_in_the_patchwork() {
    let folder = "roads_sagemaker_layout/sagemaker/seg-data";
    let (Some(train), Some(test), Some(patchwork)) = (
        real(&format!("{folder}/train/images")),
        real(&format!("{folder}/test/images")),
        real("landcoverai_style/images"),
    ) else {
        return;
    };
    let report = search_files(&[(&train, Train), (&test, Test)]);
    let kinds = [LeakKind::SameParent, LeakKind::Neighbors];
    assert_eq!(
        report
            .leaks
            .iter()
            .map(|leak| leak.kind)
            .collect::<Vec<_>>(),
        kinds
    );
    let parents = report.leaks[0]
        .examples
        .iter()
        .map(|pair| &pair.second[..8]);
    let expected = ["17728720", "18778720", "19678630", "23129125", "23279035"];
    assert_eq!(parents.collect::<BTreeSet<_>>(), BTreeSet::from(expected));

    let report = search_files(&[(&patchwork, Train), (&test, Test)]);
    let leak = report
        .of(LeakKind::SameGround, (Train, Test))
        .expect("a leak");
    assert_eq!((leak.samples, test.len()), (9, 9));
    let known = leak
        .examples
        .iter()
        .find(|pair| pair.second == "18028870_0_0.jpg");
    if let Some(pair) = known {
        assert!(pair.detail.contains("shifted by -119, -1119"), "{pair:?}");
    }
}

#[test]
fn salt_has_equal_images_and_two_that_overlap() {
    let Some(mut images) = real("tgs_salt_1500/train/images") else {
        return;
    };
    images.retain(|path| path.extension().is_some_and(|ending| ending == "png"));
    let prints = images.iter().map(|path| {
        let source = open_raster(path).expect("an image");
        pixel_fingerprint(&*source).expect("pixels")
    });
    let distinct: BTreeSet<u64> = prints.collect();
    assert_eq!(images.len() - distinct.len(), 29);
    let (even, odd): (Vec<_>, Vec<_>) = images
        .chunks(2)
        .map(|two| (two[0].clone(), two[two.len() - 1].clone()))
        .unzip();
    let report = search_files(&[(&even, Train), (&odd, Test)]);
    let kinds: Vec<LeakKind> = report.leaks.iter().map(|leak| leak.kind).collect();
    assert_eq!(
        kinds,
        [LeakKind::SamePixels, LeakKind::SameGround],
        "{report:?}"
    );
    let pair = &report.leaks[1].examples[0];
    let names = [pair.first.as_str(), pair.second.as_str()];
    assert_eq!(
        (names, report.leaks[1].pairs),
        (["bd526ca9af.png", "7b4ccb8113.png"], 1)
    );
}
