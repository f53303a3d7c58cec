use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::label::{
    ClassTable, Encoding, FoundTable, MIDDLE_GREY, MaskError, MaskSurvey, MaskValue, Rgb, Shading,
    grouped, load_mask, survey_mask,
};
use crate::raster::open_raster;

/// So many masks are looked at, spread over all.
const MOST_MASKS: usize = 24;
/// The pixels of them together, the first one left out.
const MOST_PIXELS: u64 = 96 << 20;
/// A larger mask is not looked at, though it may be read later.
const LARGEST: u64 = 256 << 20;

/// What the pixels of some masks say about all.
#[derive(Debug, Default)]
pub(super) struct MaskFacts {
    /// How many masks were looked at.
    pub(super) looked: usize,
    /// Masks with more than one value, by how they would be read alone.
    pub(super) index: usize,
    pub(super) binary: usize,
    pub(super) rgb: usize,
    /// Masks that are 0 everywhere: they fit every encoding.
    pub(super) blank: usize,
    /// Numbers in masks of class indices.
    pub(super) values: BTreeSet<u8>,
    /// Colors in color-coded masks.
    pub(super) colors: BTreeSet<Rgb>,
    /// Masks whose colors look as after lossy compression.
    pub(super) compressed: usize,
    /// Whether black and white masks have greys as well.
    pub(super) is_soft: bool,
    /// Masks of class indices with a palette among black and white or color-coded ones; they are
    /// read by themselves.
    apart: usize,
    /// Bands and bits of a sample.
    pub(super) depths: BTreeSet<(u16, u16)>,
    /// Why the first mask that is not blank is read as it is.
    pub(super) why: Option<String>,
    /// What could not be read, in words.
    pub(super) unreadable: Vec<String>,
}

/// Looks at some of the masks, with the class table that was found for them.
pub(super) fn look(masks: &[&Path], found: Option<&FoundTable>) -> MaskFacts {
    let mut facts = MaskFacts::default();
    let mut chosen: Vec<(PathBuf, bool)> = Vec::new();
    let mut pixels = 0;
    for path in spread(masks.len(), MOST_MASKS).map(|at| masks[at]) {
        match open_raster(path) {
            Err(error) => facts.unreadable.push(error.to_string()),
            Ok(source) => {
                let info = source.info();
                facts.depths.insert((info.bands, info.sample.bits()));
                let size = info.size.num_pixels();
                let is_fitting = chosen.is_empty() || pixels + size <= MOST_PIXELS;
                if size <= LARGEST && is_fitting {
                    pixels += size;
                    chosen.push((path.to_owned(), info.palette.is_some()));
                }
            }
        }
    }
    let surveys: Vec<Result<MaskSurvey, MaskError>> = chosen
        .par_iter()
        .map(|(path, _)| survey_mask(path, found))
        .collect();
    let mut with_palette = Vec::new();
    for ((path, has_palette), survey) in chosen.iter().zip(surveys) {
        match survey {
            Ok(survey) if *has_palette => with_palette.push((path, survey)),
            Ok(survey) => facts.add(path, survey),
            Err(error) => facts.unreadable.push(error.to_string()),
        }
    }
    let is_apart = |(path, survey): &(&PathBuf, MaskSurvey)| {
        matches!(ClassTable::own(path), Ok(Some(_))) || numbers_of(survey).all(is_of_two)
    };
    if facts.binary + facts.rgb > 0 && with_palette.iter().all(is_apart) {
        facts.apart = with_palette.len();
        facts.looked += facts.apart;
    } else {
        for (path, survey) in with_palette {
            facts.add(path, survey);
        }
    }
    facts
}

/// The numbers of bytes that occur.
fn numbers_of(survey: &MaskSurvey) -> impl Iterator<Item = u8> {
    let unknown = survey.unknown.iter().filter_map(|found| match found.value {
        MaskValue::Number(number) => u8::try_from(number).ok(),
        MaskValue::Color(_) => None,
    });
    survey.known.iter().map(|(class, _)| *class).chain(unknown)
}

const fn is_of_two(number: u8) -> bool {
    matches!(number, 0 | 1 | 255)
}

/// At most `most` places out of `count`, spread evenly, the first and the last among them.
pub(in crate::dataset) fn spread(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let taken = count.min(most);
    (0..taken).map(move |at| {
        if taken < 2 {
            0
        } else {
            at * (count - 1) / (taken - 1)
        }
    })
}

impl MaskFacts {
    fn add(&mut self, path: &Path, survey: MaskSurvey) {
        self.looked += 1;
        let compressed = survey.shading.filter(Shading::looks_compressed);
        self.compressed += usize::from(compressed.is_some());
        let known = survey.known.iter().map(|(class, _)| *class);
        let is_blank = survey.unknown.is_empty()
            && matches!(survey.known[..], [(0, _)])
            && survey.encoding != Encoding::Rgb;
        if is_blank {
            self.blank += 1;
            return;
        }
        match survey.encoding {
            Encoding::Index | Encoding::Auto => {
                self.index += 1;
                self.values.extend(numbers_of(&survey));
            }
            Encoding::Binary => {
                self.binary += 1;
                self.is_soft = self.is_soft || is_soft(path);
            }
            Encoding::Rgb => {
                self.rgb += 1;
                let classes = &survey.table.classes;
                let codes = known.filter_map(|class| Some(classes.get(class)?.code()));
                let others = survey.unknown.iter().filter_map(|found| match found.value {
                    MaskValue::Color(color) => Some(color),
                    MaskValue::Number(_) => None,
                });
                self.colors.extend(codes.chain(others));
            }
        }
        self.why.get_or_insert(survey.why);
    }

    /// How all masks are read, given what single ones say.
    pub(super) fn encoding(&self, table: Option<&ClassTable>) -> Encoding {
        if self.rgb > 0 && self.rgb >= self.index {
            return Encoding::Rgb;
        }
        let is_black_and_white =
            self.binary > 0 && (self.binary > self.index || !self.has_class_numbers());
        if is_black_and_white {
            let codes = table.is_some_and(names_white);
            return if codes {
                Encoding::Rgb
            } else {
                Encoding::Binary
            };
        }
        match (self.index, self.blank) {
            (0, 0) => Encoding::Auto,
            _ => Encoding::Index,
        }
    }

    /// Whether all masks are read as class indices, of which none is but black, so that they may be
    /// black and white: white is read as unlabeled, and masks with it as blank ones.
    pub(super) fn may_be_black_and_white(&self) -> bool {
        let is_index = self.binary + self.rgb == 0;
        is_index && self.values.iter().all(|value| matches!(value, 0 | 255))
    }

    /// Whether the numbers look like class indices: small, and few are missing between them.
    fn has_class_numbers(&self) -> bool {
        let numbers = self.values.iter().filter(|value| **value != 255);
        let highest = numbers.clone().max().copied().unwrap_or(0);
        highest < 64 && numbers.count() * 2 > usize::from(highest)
    }

    /// What there is to say.
    pub(super) fn notes(&self, num_masks: usize) -> Vec<String> {
        let mut notes = Vec::new();
        if self.depths.len() > 1 {
            let depths: Vec<String> = self
                .depths
                .iter()
                .map(|(bands, bits)| format!("{bands} × {bits} bit"))
                .collect();
            let depths = depths.join(", ");
            notes.push(format!("Masks are stored in different depths: {depths}"));
        }
        if self.apart > 0 {
            notes.push(format!(
                "Masks differ in encoding: {} of {} that were looked at are class indices with a \
                 palette and are read as such",
                self.apart, self.looked
            ));
        }
        if self.is_soft {
            notes.push(format!(
                "Masks have greys between black and white; they are split at {MIDDLE_GREY} unless \
                 another threshold is stated"
            ));
        }
        if self.compressed > 0 {
            notes.push(format!(
                "{} of {} masks look as after lossy compression; colors count as the nearest class",
                self.compressed, self.looked
            ));
        }
        if let Some(first) = self.unreadable.first() {
            let count = self.unreadable.len();
            notes.push(format!(
                "{count} of the masks that were tried cannot be read; the first: {first}"
            ));
        }
        if self.looked > 0 && self.looked < num_masks {
            notes.push(format!(
                "The encoding was concluded from {} of {} masks",
                grouped(self.looked as u64),
                grouped(num_masks as u64)
            ));
        }
        notes
    }
}

/// Whether a black and white mask has greys.
fn is_soft(path: &Path) -> bool {
    load_mask(path, None, Encoding::Binary, None).is_ok_and(|loaded| !loaded.notes.is_empty())
}

/// Whether black and white are codes of two classes, whichever comes first.
fn names_white(table: &ClassTable) -> bool {
    let has = |code: Rgb| {
        let mut classes = table.classes().iter();
        classes.any(|class| class.codes.contains(&code))
    };
    has([0; 3]) && has([255; 3])
}

#[cfg(test)]
mod tests {
    use super::super::test_folders::{Kind, png};
    use super::*;

    #[test]
    fn a_spread_takes_both_ends() {
        let all = |count, most| spread(count, most).collect::<Vec<_>>();
        assert_eq!(all(3, 24), [0, 1, 2]);
        assert_eq!(all(101, 3), [0, 50, 100]);
        assert_eq!((all(0, 5), all(7, 1)), (vec![], vec![0]));
    }

    #[track_caller]
    fn check(masks: &[(Kind, &[u8])], expected: Encoding) {
        let folder = tempfile::tempdir().expect("a folder");
        let paths: Vec<PathBuf> = (0..)
            .zip(masks)
            .map(|(at, (kind, pixels)): (usize, _)| {
                png(folder.path(), &format!("{at}.png"), *kind, 2, pixels)
            })
            .collect();
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let facts = look(&paths, None);
        assert_eq!(facts.encoding(None), expected, "{facts:?}");
    }

    #[test]
    fn masks_decide_together() {
        let (grey, wide, rgb) = (Kind::Grey, Kind::Wide, Kind::Rgb);
        check(&[(grey, &[0, 1]), (grey, &[2, 4])], Encoding::Index);
        check(
            &[(grey, &[0, 0]), (wide, &[0, 0, 255, 255])],
            Encoding::Binary,
        );
        // Of indices with 255 for unlabeled one mask may look black and white.
        check(
            &[(grey, &[0, 255]), (grey, &[0, 1]), (grey, &[2, 255])],
            Encoding::Index,
        );
        // Of soft masks one may look like indices.
        check(
            &[(grey, &[0, 90]), (grey, &[3, 237]), (grey, &[0, 200])],
            Encoding::Binary,
        );
        check(
            &[(rgb, &[0; 6]), (rgb, &[255, 0, 0, 0, 0, 255])],
            Encoding::Rgb,
        );
        check(&[(grey, &[0, 0])], Encoding::Index);
        check(&[], Encoding::Auto);
    }
}
