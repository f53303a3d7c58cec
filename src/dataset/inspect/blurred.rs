use std::collections::BTreeMap;
use std::path::PathBuf;

use super::between::Borders;
use super::grain::Grain;
use super::judge::Judge;
use super::lattice::Lattice;
use super::problem::{Problem, ProblemKind};
use super::seen::{Seen, SeenMask};
use crate::label::{Encoding, subject_of};

/// Fewer strange values may be classes that are drawn as lines.
const FEWEST_STRAYS: usize = 3;
/// Fewer pixels are not judged.
const FEWEST_PIXELS: u64 = 4_096;

impl Judge<'_> {
    /// Masks that look as after lossy compression.
    pub(super) fn blurred_masks(&self) -> Option<Problem> {
        let grains = self.grains();
        let values = self.values(&grains);
        let verdict = match values.stray[..] {
            [] => self.borders().verdict(&grains),
            _ => Verdict::Sharp,
        };
        let lattice = self.lattice();
        let is_stepped =
            |mask: &SeenMask| matches!(verdict, Verdict::Stepped(_)) && mask.borders.is_suspect();
        let is_so = |mask: &SeenMask| {
            mask.is_jpeg
                || mask.is_blurred
                || values.is_stray_in(mask)
                || is_stepped(mask)
                || (lattice.is_told() && mask.lattice.is_suspect())
        };
        let those = || {
            let all = self.seen.iter();
            all.filter(|seen| seen.mask.as_ref().is_some_and(is_so))
        };
        let is_jpeg = |seen: &Seen| seen.mask.as_ref().is_some_and(|mask| mask.is_jpeg);
        let paths: Vec<PathBuf> = those().filter_map(|seen| self.mask_path(seen)).collect();
        let sentence = match verdict {
            Verdict::Stepped(share) => stepped_sentence(paths.len(), share),
            Verdict::Sharp if !values.stray.is_empty() => values.sentence(paths.len()),
            Verdict::Sharp => self.packed_sentence(paths.len(), those().all(is_jpeg), lattice),
        };
        Problem::of(ProblemKind::BlurredMasks, paths.len(), paths, sentence)
    }

    /// About masks whose pixels were changed by JPEG, or by what works as it does.
    fn packed_sentence(&self, count: usize, are_jpeg: bool, lattice: Lattice) -> String {
        let looks = subject_of(count, "mask", "looks", "look") + " as after lossy compression";
        let again = "convert the masks from the originals again, as PNG or TIFF";
        match self.discovery.encoding.form {
            Encoding::Rgb if are_jpeg && self.discovery.are_classes_made => {
                let classes = self.discovery.classes.as_ref();
                format!(
                    "{} stored as JPEG, which makes new colors where classes meet, and without a \
                     list of classes each of them counts as one, {} in all; name a list with the \
                     real colors and let others count as the nearest (--classes FILE --off-palette \
                     nearest), or {again}",
                    subject_of(count, "mask", "is", "are"),
                    classes.map_or(0, |table| table.classes().len())
                )
            }
            _ if are_jpeg => format!(
                "{} stored as JPEG, which changes labels where classes meet; {again}",
                subject_of(count, "mask", "is", "are")
            ),
            Encoding::Binary => format!(
                "{looks}: greys lie about black and white, while 0 and 255 look real and greys \
                 from {} on count as white; {again}, or state another threshold",
                self.discovery.encoding.threshold
            ),
            Encoding::Index if lattice.is_told() => format!(
                "{looks}: {:.2} % of the pixels stray by 1 or 2, each alone, and none of them does \
                 where a block of JPEG has one class; {again}",
                100.0 * lattice.share()
            ),
            _ => format!("{looks}; export masks as PNG or TIFF"),
        }
    }

    /// The grains of all masks of class indices together.
    fn grains(&self) -> BTreeMap<u8, Grain> {
        let mut grains: BTreeMap<u8, Grain> = BTreeMap::new();
        for mask in self.seen.iter().filter_map(|seen| seen.mask.as_ref()) {
            for (value, grain) in &mask.grains {
                grains.entry(*value).or_default().add(*grain);
            }
        }
        grains
    }

    /// How their classes meet.
    fn borders(&self) -> Borders {
        let mut borders = Borders::default();
        for mask in self.seen.iter().filter_map(|seen| seen.mask.as_ref()) {
            borders.add(&mask.borders);
        }
        borders
    }

    /// The specks of all of them.
    fn lattice(&self) -> Lattice {
        let mut lattice = Lattice::default();
        for mask in self.seen.iter().filter_map(|seen| seen.mask.as_ref()) {
            lattice.add(mask.lattice);
        }
        lattice
    }

    /// Judges their values.
    fn values(&self, grains: &BTreeMap<u8, Grain>) -> Values {
        // What somebody says is a class is one, however it is drawn.
        let listed = self.discovery.all_classes();
        let listed = listed.filter(|_| !self.discovery.are_classes_made);
        let is_listed = |value: u8| {
            let class = listed.as_ref().and_then(|table| table.get(value));
            class.is_some()
        };
        let those = |is_so: &dyn Fn(u8, &Grain) -> bool| -> Vec<u8> {
            let all = grains.iter().filter(|(value, grain)| is_so(**value, grain));
            all.map(|(value, _)| *value).collect()
        };
        let stray = those(&|value, grain| !is_listed(value) && grain.is_stray());
        let in_stray = |value: &u8| grains.get(value).map_or(0, |grain| grain.pixels);
        let pixels: u64 = grains.values().map(|grain| grain.pixels).sum();
        let strange: u64 = stray.iter().map(in_stray).sum();
        let is_damage = stray.len() >= FEWEST_STRAYS
            && pixels >= FEWEST_PIXELS
            && strange.saturating_mul(500) >= pixels;
        if is_damage {
            let real = those(&|value, grain| is_listed(value) || grain.is_at_home());
            Values { stray, real }
        } else {
            Values::default()
        }
    }
}

/// What the borders between classes say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// They look drawn.
    Sharp,
    /// They look averaged: this share of them.
    Stepped(f64),
}

/// Values of masks of class indices where lossy compression has damaged them.
#[derive(Default)]
struct Values {
    /// Those that it made; none where nothing looks damaged.
    stray: Vec<u8>,
    /// Those that form areas.
    real: Vec<u8>,
}

impl Values {
    fn is_stray_in(&self, mask: &SeenMask) -> bool {
        let mut values = mask.grains.iter().map(|(value, _)| value);
        values.any(|value| self.stray.contains(value))
    }

    fn sentence(&self, count: usize) -> String {
        format!(
            "{} as after lossy compression: values that form no areas lie where others meet \
             ({}){}; convert the masks from the originals again, as PNG or TIFF, or name a list of \
             classes with the real values alone",
            subject_of(count, "mask", "looks", "look"),
            listed(&self.stray),
            match self.real[..] {
                [] => String::new(),
                ref real => format!(", those that look real are {}", listed(real)),
            }
        )
    }
}

fn stepped_sentence(count: usize, share: f64) -> String {
    format!(
        "{} as if resized with interpolation or JPEG-compressed: {:.1} % of the borders between \
         classes that do not follow each other are thin lines of the classes between them; convert \
         the masks from the originals again, resized to the nearest pixel, as PNG or TIFF, unless \
         the classes are steps of one scale",
        subject_of(count, "mask", "looks", "look"),
        100.0 * share
    )
}

/// Up to a dozen values in words.
fn listed(values: &[u8]) -> String {
    let first: Vec<String> = values.iter().take(12).map(u8::to_string).collect();
    let more = if values.len() > 12 { " and others" } else { "" };
    first.join(", ") + more
}
