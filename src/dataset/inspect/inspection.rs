use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::Serialize;

use super::channels::ChannelStatistics;
use super::judge::Judge;
use super::pixel_sizes::{PixelSizeCount, pixel_sizes};
use super::problem::Problem;
use super::seen::{Depth, Seen, header_of};
use crate::dataset::discover::spread;
use crate::dataset::{Discovery, Layout, Part};
use crate::disk::serialize_path;
use crate::label::UNLABELED;

/// Images of more pixels are read one after the other, so that memory stays bounded.
const LARGE: u64 = 16 << 20;

/// What is looked at, and who is told.
pub struct InspectOptions<C, P> {
    /// At most so many samples, spread over all; `None` for all.
    pub max_samples: Option<usize>,
    /// Whether to stop; asked before each sample.
    pub cancel: C,
    /// Told how many samples are done and how many there are, from any thread.
    pub progress: P,
}

/// What was found in the files of a data set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// The data set's folder.
    #[serde(serialize_with = "serialize_path")]
    pub folder: PathBuf,
    /// What was recognized.
    pub layout: Layout,
    /// What was noted when it was recognized.
    pub notes: Vec<String>,
    /// All samples.
    pub num_samples: usize,
    /// Samples whose files were read.
    pub num_looked: usize,
    /// Whether somebody stopped it; the numbers are then of what was read until then.
    pub is_cancelled: bool,
    /// Samples by part; those without one last.
    pub parts: Vec<PartCount>,
    /// Extents of the images, the most frequent first.
    pub sizes: Vec<SizeCount>,
    /// Sizes of their pixels on the ground, the most frequent first.
    pub pixel_sizes: Vec<PixelSizeCount>,
    /// Bands and sample types of the images, the most frequent first.
    pub image_depths: Vec<DepthCount>,
    /// Bands and sample types of the mask files, the most frequent first.
    pub mask_depths: Vec<DepthCount>,
    /// Mean and standard deviation of every channel; none when no pixel has data.
    pub channels: Vec<ChannelStatistics>,
    /// Share of transparent or missing ground, 0 to 1.
    pub nodata_share: f64,
    /// Pixels by class: those of the table, then others that occur.
    pub classes: Vec<ClassCount>,
    /// Pixels without a class, those of ignored classes among them.
    pub unlabeled_pixels: u64,
    /// The most frequent class: answering it everywhere is right that often.
    pub majority: Option<Majority>,
    /// What is wrong, worst first.
    pub problems: Vec<Problem>,
}

/// Samples of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartCount {
    /// `train`, `val`, `test`, or `None` for those without a part.
    pub part: Option<&'static str>,
    /// Images.
    pub images: usize,
    /// Those with masks.
    pub masks: usize,
}

/// Images of an extent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SizeCount {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// How many.
    pub images: usize,
}

/// Files of a depth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DepthCount {
    /// Bands, alpha included.
    pub bands: u16,
    /// Bits of a sample.
    pub bits: u16,
    /// The type of a sample, for example `uint8`.
    pub sample: &'static str,
    /// How many.
    pub files: usize,
}

/// How often a class occurs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassCount {
    /// The index in masks.
    pub index: u8,
    /// What people call it.
    pub name: String,
    /// Its pixels.
    pub pixels: u64,
    /// Their share of all labeled pixels, 0 to 1.
    pub share: f64,
    /// Masks that show it.
    pub images: usize,
}

/// The most frequent class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Majority {
    /// The index in masks.
    pub index: u8,
    /// What people call it.
    pub name: String,
    /// Its share of all labeled pixels: the accuracy that no training is needed for.
    pub share: f64,
}

/// Reads the files of a data set and counts what is in them.
///
/// Memory is bounded by a few hundred MiB and some hundred bytes a sample. Nothing that is wrong
/// with a file stops it; that is among the problems.
pub fn inspect<C, P>(discovery: &Discovery, options: &InspectOptions<C, P>) -> Inspection
where
    C: Fn() -> bool + Sync,
    P: Fn(usize, usize) + Sync,
{
    let count = discovery.samples.len();
    let most = options.max_samples.unwrap_or(count);
    let chosen: Vec<usize> = spread(count, most).collect();
    let done = AtomicUsize::new(0);
    let look = |&at: &usize| {
        if (options.cancel)() {
            return None;
        }
        let seen = Seen::look(discovery, at);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        (options.progress)(done, chosen.len());
        Some(seen)
    };
    let is_large = |at: &usize| {
        let size = header_of(&discovery.samples[*at]);
        size.is_some_and(|size| size.num_pixels() > LARGE)
    };
    let sizes: Vec<bool> = chosen.par_iter().map(is_large).collect();
    let of_size = |wanted: bool| -> Vec<usize> {
        let all = chosen.iter().zip(&sizes);
        all.filter(|(_, large)| **large == wanted)
            .map(|(at, _)| *at)
            .collect()
    };
    let mut seen: Vec<Seen> = of_size(false).par_iter().filter_map(look).collect();
    seen.extend(of_size(true).iter().filter_map(look));
    seen.sort_by_key(|seen| seen.at);
    summary(discovery, &seen, seen.len() < chosen.len())
}

fn summary(discovery: &Discovery, seen: &[Seen], is_cancelled: bool) -> Inspection {
    let judge = Judge { discovery, seen };
    let (classes, unlabeled_pixels) = class_counts(discovery, seen);
    let majority = classes.iter().filter(|class| class.pixels > 0);
    // Of equally frequent classes the first one.
    let majority = majority.rev().max_by_key(|class| class.pixels);
    let majority = majority.map(|class| Majority {
        index: class.index,
        name: class.name.clone(),
        share: class.share,
    });
    let pixels = || seen.iter().filter_map(|seen| seen.pixels.as_ref());
    let clear: u64 = pixels().map(|sums| sums.clear).sum();
    let all: u64 = pixels().map(|sums| sums.clear + sums.opaque).sum();
    let mask_depths = seen.iter().filter_map(|seen| seen.mask.as_ref()?.depth);
    Inspection {
        folder: discovery.folder.clone(),
        layout: discovery.layout.clone(),
        notes: discovery.notes.clone(),
        num_samples: discovery.samples.len(),
        num_looked: seen.len(),
        is_cancelled,
        parts: part_counts(discovery),
        sizes: size_counts(seen),
        pixel_sizes: pixel_sizes(seen),
        image_depths: depth_counts(seen.iter().filter_map(|seen| Some(seen.header?.1))),
        mask_depths: depth_counts(mask_depths),
        channels: ChannelStatistics::of(seen),
        nodata_share: clear as f64 / all.max(1) as f64,
        classes,
        unlabeled_pixels,
        majority,
        problems: judge.problems(),
    }
}

fn part_counts(discovery: &Discovery) -> Vec<PartCount> {
    let parts = Part::ALL.into_iter().map(Some).chain([None]);
    let count = |part: Option<Part>| {
        let samples = discovery
            .samples
            .iter()
            .filter(|sample| sample.part == part);
        PartCount {
            part: part.map(Part::folder),
            images: samples.clone().count(),
            masks: samples.filter(|sample| sample.mask.is_some()).count(),
        }
    };
    parts.map(count).filter(|part| part.images > 0).collect()
}

/// How often each occurs, the most frequent first.
pub(super) fn counted<T: Ord>(all: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for item in all {
        *counts.entry(item).or_default() += 1;
    }
    let mut counts: Vec<(T, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

fn size_counts(seen: &[Seen]) -> Vec<SizeCount> {
    let sizes = seen.iter().filter_map(|seen| seen.header);
    let sizes = counted(sizes.map(|(size, _)| (size.width, size.height)));
    let size = |((width, height), images)| SizeCount {
        width,
        height,
        images,
    };
    sizes.into_iter().map(size).collect()
}

fn depth_counts(depths: impl Iterator<Item = Depth>) -> Vec<DepthCount> {
    let depth = |((bands, bits, sample), files)| DepthCount {
        bands,
        bits,
        sample,
        files,
    };
    counted(depths).into_iter().map(depth).collect()
}

/// The pixels of each class, and those that are unlabeled or ignored.
fn class_counts(discovery: &Discovery, seen: &[Seen]) -> (Vec<ClassCount>, u64) {
    let (mut pixels, mut images) = ([0_u64; 256], [0_usize; 256]);
    for mask in seen.iter().filter_map(|seen| seen.mask.as_ref()) {
        for &(class, count) in &mask.counts {
            pixels[usize::from(class)] += count;
            images[usize::from(class)] += 1;
        }
    }
    let table = discovery.classes.clone().unwrap_or_default();
    let is_ignored = |index| {
        let mut ignored = discovery.ignored.iter();
        index == UNLABELED || ignored.any(|class| class.index == index)
    };
    let all = (0..=UNLABELED).zip(pixels);
    let unlabeled = all.clone().filter(|(index, _)| is_ignored(*index));
    let unlabeled: u64 = unlabeled.map(|(_, pixels)| pixels).sum();
    let labeled = pixels.iter().sum::<u64>() - unlabeled;
    let is_shown = |&(index, pixels): &(u8, u64)| {
        !is_ignored(index) && (pixels > 0 || table.get(index).is_some())
    };
    let class = |(index, pixels): (u8, u64)| ClassCount {
        index,
        name: table.name_of(index),
        pixels,
        share: pixels as f64 / labeled.max(1) as f64,
        images: images[usize::from(index)],
    };
    (all.filter(is_shown).map(class).collect(), unlabeled)
}

#[cfg(test)]
mod tests {
    use super::super::problem::{ProblemKind, Severity};
    use super::*;
    use crate::dataset::discover;
    use crate::dataset::discover::test_folders::{Kind, image, png, write};
    use crate::disk::replace_with;

    fn all(discovery: &Discovery) -> Inspection {
        let options = InspectOptions {
            max_samples: None,
            cancel: || false,
            progress: |_, _| {},
        };
        inspect(discovery, &options)
    }

    /// Black and white masks of 2 × 2 pixels with most of what can be wrong.
    fn troubled() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let grey = |name: &str, pixels: &[u8]| png(root, name, Kind::Grey, 2, pixels);
        for (at, seed) in [(0, 1), (1, 1), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7)] {
            image(root, &format!("train/images/{at}.png"), 2, seed);
        }
        image(root, "test/images/7.png", 2, 3);
        grey("test/masks/7.png", &[0, 255, 0, 255]);
        grey("train/masks/0.png", &[0, 255, 255, 255]);
        grey("train/masks/1.png", &[0, 0, 255, 255]);
        grey("train/masks/2.png", &[0, 255, 0, 255]);
        grey("train/masks/3.png", &[0, 0, 255, 255]);
        grey("train/masks/4.png", &[0, 0, 0, 0]);
        grey("train/masks/5.png", &[0, 0, 255, 255, 0, 0]);
        write(root, "train/masks/6.png", b"no picture");
        image(root, "train/images/lonely.png", 2, 80);
        png(root, "train/images/flat.png", Kind::Rgb, 2, &[9; 12]);
        let wide = [0, 0, 255, 255, 0, 0, 0, 0];
        png(root, "train/masks/flat.png", Kind::Wide, 2, &wide);
        grey("train/masks/no_image.png", &[0, 0, 0, 0]);
        folder
    }

    #[test]
    fn problems_are_found_and_the_worst_come_first() {
        let folder = troubled();
        let found = all(&discover(folder.path()).expect("a data set"));
        let problems: Vec<(ProblemKind, usize)> = found
            .problems
            .iter()
            .map(|problem| (problem.kind, problem.count))
            .collect();
        let expected = [
            (ProblemKind::Unreadable, 1),
            (ProblemKind::SizeMismatch, 1),
            (ProblemKind::DuplicatesAcrossParts, 1),
            (ProblemKind::DuplicateImages, 2),
            (ProblemKind::ContradictingMasks, 1),
            (ProblemKind::DuplicateMasks, 1),
            (ProblemKind::ConstantImages, 1),
            (ProblemKind::ImagesWithoutMasks, 1),
            (ProblemKind::MasksWithoutImages, 1),
            (ProblemKind::EmptyMasks, 1),
            (ProblemKind::MixedMaskDepth, 1),
        ];
        assert_eq!(problems, expected);
        assert_eq!(found.problems[0].severity, Severity::Error);
        assert!(found.problems[0].examples[0].ends_with("train/masks/6.png"));
        let json = serde_json::to_value(&found).expect("JSON");
        assert_eq!(json["problems"][0]["kind"], "unreadable");
    }

    #[test]
    fn classes_are_counted_by_hand() {
        let folder = troubled();
        let found = all(&discover(folder.path()).expect("a data set"));
        // Masks 0, 1, 2, 3, 4, 7 and the wide one: 4 pixels each, 3 + 2 + 2 + 2 + 0 + 2 + 1 bright.
        let pixels: Vec<u64> = found.classes.iter().map(|class| class.pixels).collect();
        let images: Vec<usize> = found.classes.iter().map(|class| class.images).collect();
        assert_eq!((pixels, images), (vec![16, 12], vec![7, 6]));
        let majority = found.majority.expect("a class");
        assert_eq!(majority.index, 0);
        assert!((majority.share - 16.0 / 28.0).abs() < 1e-12);
        let parts: Vec<_> = found
            .parts
            .iter()
            .map(|part| (part.part, part.images, part.masks))
            .collect();
        assert_eq!(parts, [(Some("train"), 9, 8), (Some("test"), 1, 1)]);
        assert_eq!(found.sizes.len(), 1);
        assert_eq!(found.mask_depths[0].files, 6);
    }

    #[test]
    fn unknown_colors_and_ignored_classes_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        write(
            folder.path(),
            "label_colors.txt",
            b"128 0 0 Wall\n0 0 192 Way\n0 0 0 Void\n",
        );
        image(folder.path(), "a.png", 2, 0);
        let pixels = [128, 0, 0, 0, 0, 192, 0, 0, 0, 1, 2, 3];
        png(folder.path(), "a_L.png", Kind::Rgb, 2, &pixels);
        let found = all(&discover(folder.path()).expect("a data set"));
        assert_eq!(found.unlabeled_pixels, 2);
        assert_eq!(found.classes.len(), 2);
        let problem = &found.problems[0];
        assert_eq!(
            (problem.kind, problem.count),
            (ProblemKind::UnknownValues, 1)
        );
        let expected = "1 mask holds 1 pixel that stands for no class, for example color 1, 2, 3";
        assert!(
            problem.sentence.starts_with(expected),
            "{}",
            problem.sentence
        );
    }

    #[test]
    fn transparent_pixels_of_masks_are_no_unknown_colors() {
        let folder = tempfile::tempdir().expect("a folder");
        write(
            folder.path(),
            "label_colors.txt",
            b"128 0 0 Wall\n0 0 192 Way\n",
        );
        image(folder.path(), "a.png", 3, 0);
        let (wall, way, odd, clear) = ([128, 0, 0, 255], [0, 0, 192, 255], [9, 99, 9, 255], [0; 4]);
        let pixels = [wall, way, odd, clear, clear, clear];
        replace_with(&folder.path().join("a_L.png"), |file| {
            let mut encoder = ::png::Encoder::new(file, 3, 2);
            encoder.set_color(::png::ColorType::Rgba);
            let mut writer = encoder.write_header()?;
            writer.write_image_data(pixels.as_flattened())?;
            Ok(())
        })
        .expect("a mask");
        let found = all(&discover(folder.path()).expect("a data set"));
        assert_eq!(found.unlabeled_pixels, 4);
        let mut problems = found.problems.iter();
        let unknown = problems.find(|problem| problem.kind == ProblemKind::UnknownValues);
        let sentence = &unknown.expect("a color without a class").sentence;
        let expected = "1 mask holds 1 pixel that stands for no class, for example color 9, 99, 9";
        assert!(sentence.starts_with(expected), "{sentence}");
    }

    #[test]
    fn it_can_be_stopped_and_be_asked_for_some_samples() {
        let folder = troubled();
        let found = discover(folder.path()).expect("a data set");
        let asked = AtomicUsize::new(0);
        let options = InspectOptions {
            max_samples: Some(3),
            cancel: || false,
            progress: |_, all| {
                assert_eq!(all, 3);
                asked.fetch_add(1, Ordering::Relaxed);
            },
        };
        let some = inspect(&found, &options);
        assert_eq!((some.num_looked, some.is_cancelled), (3, false));
        assert_eq!(asked.into_inner(), 3);
        let options = InspectOptions {
            max_samples: None,
            cancel: || true,
            progress: |_, _| {},
        };
        let none = inspect(&found, &options);
        assert_eq!((none.num_looked, none.is_cancelled), (0, true));
    }

    #[test]
    fn real_salt_has_its_known_troubles() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/tgs_salt_1500");
        if !folder.is_dir() {
            eprintln!("the salt is not at hand, nothing is tested");
            return;
        }
        let found = all(&discover(&folder).expect("a data set"));
        let count = |kind| {
            let problem = found.problems.iter().find(|problem| problem.kind == kind);
            problem.map_or(0, |problem| problem.count)
        };
        assert_eq!(count(ProblemKind::EmptyMasks), 608);
        assert_eq!(count(ProblemKind::MixedMaskDepth), 608);
        assert_eq!(count(ProblemKind::DuplicateImages), 29);
        let majority = found.majority.expect("a class");
        assert!(
            (majority.share - 0.762).abs() < 0.0005,
            "{}",
            majority.share
        );
    }
}
