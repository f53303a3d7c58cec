use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::pixels::{Digest, PixelSums};
use super::problem::{Problem, ProblemKind};
use super::seen::{Depth, Seen, SeenMask};
use crate::dataset::leaks::Patchwork;
use crate::dataset::{Discovery, Sample};
use crate::label::subject_of;

/// Judges what was seen of all samples that were looked at, ordered by their place.
pub(super) struct Judge<'a> {
    pub(super) discovery: &'a Discovery,
    pub(super) seen: &'a [Seen],
}

impl Judge<'_> {
    /// The problems, worst first.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        problems.extend(self.unreadable());
        problems.extend(self.size_mismatches());
        problems.extend(self.unknown_values());
        problems.extend(self.misread());
        problems.extend(self.duplicate_images());
        problems.extend(self.duplicate_masks());
        problems.extend(self.partners());
        problems.extend(self.blurred_masks());
        problems.extend(self.voids());
        problems.extend(self.road_widths());
        problems.extend(self.patchworks());
        problems.extend(self.simple_ones());
        problems.extend(self.depths());
        problems.extend(self.absent_classes());
        Problem::sort(&mut problems);
        problems
    }

    pub(super) fn sample(&self, seen: &Seen) -> &Sample {
        &self.discovery.samples[seen.at]
    }

    pub(super) fn mask_path(&self, seen: &Seen) -> Option<PathBuf> {
        self.sample(seen).mask_place()
    }

    fn unreadable(&self) -> Option<Problem> {
        let files: Vec<_> = self.seen.iter().flat_map(|seen| &seen.unreadable).collect();
        let (_, reason) = files.first()?;
        let subject = subject_of(files.len(), "file", "cannot", "cannot");
        let sentence = format!("{subject} be read. The first: {reason}");
        let paths = files.iter().map(|(path, _)| path.clone());
        Problem::of(ProblemKind::Unreadable, files.len(), paths, sentence)
    }

    fn size_mismatches(&self) -> Option<Problem> {
        let all = || self.seen.iter().filter(|seen| seen.size_differs.is_some());
        let first = all().next()?.size_differs.as_ref()?;
        let count = all().count();
        let subject = subject_of(count, "mask", "has", "have");
        let sentence = format!("{subject} not the extent of the image. The first: {first}");
        let paths = all().filter_map(|seen| self.mask_path(seen));
        Problem::of(ProblemKind::SizeMismatch, count, paths, sentence)
    }

    fn unknown_values(&self) -> Option<Problem> {
        let unknown = |seen: &Seen| seen.mask.as_ref()?.unknown.clone();
        let all = || self.seen.iter().filter(|seen| unknown(seen).is_some());
        let pixels: u64 = all().filter_map(unknown).map(|(pixels, _)| pixels).sum();
        let values: BTreeSet<String> = all().filter_map(unknown).map(|(_, value)| value).collect();
        let values: Vec<String> = values.into_iter().take(6).collect();
        let count = all().count();
        let sentence = format!(
            "{} {} for no class, for example {}; add the classes or choose another class table",
            subject_of(count, "mask", "holds", "hold"),
            subject_of(pixels as usize, "pixel", "that stands", "that stand"),
            values.join("; ")
        );
        let paths = all().filter_map(|seen| self.mask_path(seen));
        Problem::of(ProblemKind::UnknownValues, count, paths, sentence)
    }

    fn duplicate_images(&self) -> Vec<Problem> {
        let digest = |seen: &Seen| Some(seen.pixels.as_ref()?.digest);
        let twins = twins(self.seen, digest);
        let is_crossing = |twins: &&Vec<&Seen>| {
            let parts = twins.iter().filter_map(|seen| self.sample(seen).part);
            parts.collect::<BTreeSet<_>>().len() > 1
        };
        let is_torn = |twins: &&Vec<&Seen>| {
            let masks = twins
                .iter()
                .filter_map(|seen| Some(seen.mask.as_ref()?.digest));
            masks.collect::<BTreeSet<_>>().len() > 1
        };
        let all = self.copies(twins.iter(), ProblemKind::DuplicateImages, |count| {
            let subject = subject_of(count, "image", "is an exact copy", "are exact copies");
            format!("{subject} of others; keep copies in one part")
        });
        let crossing = twins.iter().filter(is_crossing);
        let crossing = self.copies(crossing, ProblemKind::DuplicatesAcrossParts, |count| {
            let subject = subject_of(count, "image", "is", "are");
            format!(
                "{subject} in more than one part, so scores are better than they should be; \
                 remove copies from all parts but one"
            )
        });
        let torn = twins.iter().filter(is_torn);
        let torn = self.copies(torn, ProblemKind::ContradictingMasks, |count| {
            let subject = subject_of(count, "image", "is an exact copy", "are exact copies");
            format!("{subject} of others but with another mask")
        });
        all.into_iter().chain(crossing).chain(torn).collect()
    }

    /// A problem of images that are copies of others.
    fn copies<'s>(
        &self,
        twins: impl Iterator<Item = &'s Vec<&'s Seen>> + Clone,
        kind: ProblemKind,
        sentence: impl Fn(usize) -> String,
    ) -> Option<Problem> {
        let count = twins.clone().map(|twins| twins.len() - 1).sum();
        let all = twins.flatten().map(|seen| self.sample(seen).image.clone());
        Problem::of(kind, count, all, sentence(count))
    }

    fn duplicate_masks(&self) -> Option<Problem> {
        let image = |seen: &Seen| Some(seen.pixels.as_ref()?.digest);
        let digest = |seen: &Seen| {
            let mask = seen.mask.as_ref()?;
            (mask.counts.len() > 1).then_some(mask.digest)
        };
        let mut twins = twins(self.seen, digest);
        twins.retain(|twins| {
            let images: BTreeSet<_> = twins.iter().map(|seen| image(seen)).collect();
            images.len() > 1
        });
        let count = twins.iter().map(|twins| twins.len() - 1).sum();
        let paths = twins
            .iter()
            .flatten()
            .filter_map(|seen| self.mask_path(seen));
        let sentence = format!(
            "{} a mask of another image, though it shows more than one class; at least one of \
             them is probably wrong",
            subject_of(count, "mask", "equals", "equal")
        );
        Problem::of(ProblemKind::DuplicateMasks, count, paths, sentence)
    }

    fn partners(&self) -> Vec<Problem> {
        let samples = self.discovery.samples.iter();
        let lonely = || samples.clone().filter(|sample| sample.mask.is_none());
        let masks = &self.discovery.lonely_masks;
        let (images, num_masks) = (lonely().count(), masks.len());
        let one = Problem::of(
            ProblemKind::ImagesWithoutMasks,
            images,
            lonely().map(|sample| sample.image.clone()),
            format!(
                "{} no mask; such images can be predicted but not learned from",
                subject_of(images, "image", "has", "have")
            ),
        );
        let other = Problem::of(
            ProblemKind::MasksWithoutImages,
            num_masks,
            masks.iter().cloned(),
            format!("{} no image", subject_of(num_masks, "mask", "has", "have")),
        );
        one.into_iter().chain(other).collect()
    }

    fn simple_ones(&self) -> Vec<Problem> {
        let is_constant = |seen: &Seen| seen.pixels.as_ref().is_some_and(|sums| sums.is_constant);
        let is_clear = |seen: &Seen| seen.pixels.as_ref().is_some_and(|sums| sums.clear > 0);
        // What is only read as nothing is told elsewhere.
        let shows_nothing = |mask: &SeenMask| self.is_empty(mask) && mask.misread.faint.is_none();
        let is_empty = |seen: &Seen| seen.mask.as_ref().is_some_and(shows_nothing);
        let image = |seen: &Seen| Some(self.sample(seen).image.clone());
        let mask = |seen: &Seen| self.mask_path(seen);
        let those = |is_so: &dyn Fn(&Seen) -> bool, path: &dyn Fn(&Seen) -> Option<PathBuf>| {
            let all = self.seen.iter().filter(|seen| is_so(seen));
            all.filter_map(path).collect::<Vec<_>>()
        };
        let constant = those(&is_constant, &image);
        let clear = those(&is_clear, &image);
        let empty = those(&is_empty, &mask);
        let words = [
            subject_of(
                constant.len(),
                "image",
                "has a single color",
                "have a single color",
            ),
            subject_of(clear.len(), "image", "is", "are") + " transparent or without data in part",
            subject_of(empty.len(), "mask", "shows", "show") + " nothing but background",
        ];
        let kinds = [
            (ProblemKind::ConstantImages, constant),
            (ProblemKind::Nodata, clear),
            (ProblemKind::EmptyMasks, empty),
        ];
        let all = kinds.into_iter().zip(words);
        all.filter_map(|((kind, paths), words)| Problem::of(kind, paths.len(), paths, words))
            .collect()
    }

    /// Whether nothing but background and unlabeled ground is in a mask.
    pub(super) fn is_empty(&self, mask: &SeenMask) -> bool {
        let mut classes = mask.counts.iter();
        classes.all(|&(class, _)| self.discovery.is_nothing(class))
    }

    /// Images that seem cut off without saying where.
    fn voids(&self) -> Option<Problem> {
        if self.discovery.are_voids_nodata {
            return None;
        }
        let all = || self.seen.iter().filter(|seen| seen.void > 0);
        let pixels = |sums: &PixelSums| sums.opaque + sums.clear;
        let sums = self.seen.iter().filter_map(|seen| seen.pixels.as_ref());
        let share =
            all().map(|seen| seen.void).sum::<u64>() as f64 / sums.map(pixels).sum::<u64>() as f64;
        let count = all().count();
        let sentence = format!(
            "{} areas of exactly white or black that reach the edge, {:.2} % of all pixels, and \
             labels count there as elsewhere; if the ground was cut off there, state that voids \
             are nodata",
            subject_of(count, "image", "has", "have"),
            100.0 * share
        );
        let paths = all().map(|seen| self.sample(seen).image.clone());
        Problem::of(ProblemKind::Voids, count, paths, sentence)
    }

    /// Images that are put together of cells, by these.
    fn patchworks(&self) -> Vec<Problem> {
        let mut images: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for seen in self.seen {
            if let Some(cells) = seen.pixels.as_ref().and_then(|sums| sums.patchwork) {
                let same = images.entry(cells.to_string()).or_default();
                same.push(self.sample(seen).image.clone());
            }
        }
        let problem = |(cells, paths): (String, Vec<PathBuf>)| {
            let subject = subject_of(paths.len(), "image", "is", "are");
            let sentence = format!("{subject} put together of {cells}: {}", Patchwork::MEANING);
            Problem::of(ProblemKind::Patchwork, paths.len(), paths, sentence)
        };
        images.into_iter().filter_map(problem).collect()
    }

    fn depths(&self) -> Vec<Problem> {
        let of_image = |seen: &Seen| {
            let (_, depth) = seen.header?;
            Some((depth, self.sample(seen).image.clone()))
        };
        let of_mask = |seen: &Seen| Some((seen.mask.as_ref()?.depth?, self.mask_path(seen)?));
        let images = self.seen.iter().filter_map(of_image).collect();
        let masks = self.seen.iter().filter_map(of_mask).collect();
        let images = mixed(ProblemKind::MixedImageDepth, images, "Images");
        let masks = mixed(ProblemKind::MixedMaskDepth, masks, "Masks");
        images.into_iter().chain(masks).collect()
    }

    fn absent_classes(&self) -> Option<Problem> {
        let masks = self.seen.iter().filter_map(|seen| seen.mask.as_ref());
        let occurring: BTreeSet<u8> = masks
            .flat_map(|mask| mask.counts.iter().map(|(class, _)| *class))
            .collect();
        if occurring.is_empty() {
            return None;
        }
        let classes = self.discovery.classes.as_ref()?.classes().iter();
        let absent = classes.filter(|class| !occurring.contains(&class.index));
        let names: Vec<&str> = absent.map(|class| class.name.as_str()).collect();
        let first: Vec<&str> = names.iter().take(6).copied().collect();
        let sentence = format!(
            "{} in none of the masks that were looked at: {}{}",
            subject_of(names.len(), "class", "is", "are"),
            first.join(", "),
            if names.len() > 6 { " and others" } else { "" }
        );
        Problem::of(ProblemKind::AbsentClasses, names.len(), [], sentence)
    }
}

/// A problem of files that are not stored as most others are.
fn mixed(kind: ProblemKind, files: Vec<(Depth, PathBuf)>, what: &str) -> Option<Problem> {
    let mut counts: BTreeMap<Depth, usize> = BTreeMap::new();
    for (depth, _) in &files {
        *counts.entry(*depth).or_default() += 1;
    }
    let (&usual, &most) = counts.iter().max_by_key(|(_, count)| **count)?;
    let rest = files.len() - most;
    let words: Vec<String> = counts
        .iter()
        .map(|((bands, _, sample), count)| format!("{count} of {bands} × {sample}"))
        .collect();
    let sentence = format!(
        "{what} are stored with different bands or samples: {}",
        words.join(", ")
    );
    let others = files.into_iter().filter(|(depth, _)| *depth != usual);
    Problem::of(kind, rest, others.map(|(_, path)| path), sentence)
}

/// Those that share a digest with another, by their order.
fn twins(seen: &[Seen], digest: impl Fn(&Seen) -> Option<Digest>) -> Vec<Vec<&Seen>> {
    let mut groups: BTreeMap<Digest, Vec<&Seen>> = BTreeMap::new();
    for seen in seen {
        if let Some(digest) = digest(seen) {
            groups.entry(digest).or_default().push(seen);
        }
    }
    let mut twins: Vec<Vec<&Seen>> = groups
        .into_values()
        .filter(|group| group.len() > 1)
        .collect();
    twins.sort_by_key(|group| group[0].at);
    twins
}
