use std::collections::BTreeSet;

use super::judge::Judge;
use super::problem::{Problem, ProblemKind};
use super::seen::{Seen, SeenMask};
use crate::dataset::{Discovery, LayoutKind};
use crate::label::{Class, ClassTable, Encoding, Mask, UNLABELED, subject_of};

/// At most so many colors are named.
const MOST_NAMED: usize = 6;

/// What pixels of a mask count as without being exactly that.
#[derive(Debug, Default)]
pub(super) struct Misread {
    /// Pixels of colors that are no class's and count as one, and one of these in words.
    pub(super) guessed: Option<(u64, String)>,
    /// Of a black and white mask that is read as black alone: its pixels of other numbers than 0,
    /// and the greatest of these.
    pub(super) faint: Option<(u64, u8)>,
    /// In a file that declares 0 as nodata: pixels of the class that 0 is.
    pub(super) void_zero: Option<u64>,
}

/// The class that 0, or black, stands for where it is one.
pub(super) fn class_of_zero(discovery: &Discovery) -> Option<u8> {
    let table = discovery.all_classes();
    let of_code = |has: fn(&Class) -> bool| {
        let mut classes = table.iter().flat_map(ClassTable::classes);
        classes.find(|class| has(class)).map(|class| class.index)
    };
    match discovery.encoding.form {
        Encoding::Rgb => of_code(|class| class.code() == [0; 3]),
        Encoding::Binary => of_code(|class| class.codes.contains(&[0; 3])).or(Some(0)),
        Encoding::Index | Encoding::Auto => Some(0),
    }
}

/// Other numbers than 0 in a mask that is read as black alone: how many pixels, and the greatest.
/// `counts` are of what it is read as, `numbers` are those of the file.
pub(super) fn faint(counts: &[(u8, u64)], black: Option<u8>, numbers: &Mask) -> Option<(u64, u8)> {
    let is_black = |&(class, _): &(u8, u64)| class == UNLABELED || Some(class) == black;
    let numbers = (1..UNLABELED).zip(numbers.histogram().into_iter().skip(1));
    let numbers = numbers.filter(|(_, pixels)| *pixels > 0);
    let (greatest, _) = numbers.clone().next_back()?;
    let pixels = numbers.map(|(_, pixels)| pixels).sum();
    counts.iter().all(is_black).then_some((pixels, greatest))
}

impl Judge<'_> {
    /// Labels that are read, but probably as something else than they are.
    pub(super) fn misread(&self) -> Vec<Problem> {
        let all = [
            self.guessed_colors(),
            self.faint_masks(),
            self.declared_zeros(),
        ];
        all.into_iter().flatten().collect()
    }

    /// What `of` finds in masks, with where.
    fn those<T>(&self, of: impl Fn(&SeenMask) -> Option<T>) -> Vec<(&Seen, T)> {
        let all = self.seen.iter();
        all.filter_map(|seen| Some((seen, of(seen.mask.as_ref()?)?)))
            .collect()
    }

    /// So many of the pixels of all masks, in words.
    fn share_of_masks(&self, pixels: u64) -> String {
        let masks = self.seen.iter().filter_map(|seen| seen.mask.as_ref());
        let all: u64 = masks.map(SeenMask::num_pixels).sum();
        format!("{:.2} %", 100.0 * pixels as f64 / all.max(1) as f64)
    }

    fn guessed_colors(&self) -> Option<Problem> {
        // Of compressed masks it is told that they are.
        let is_told = |mask: &SeenMask| mask.is_blurred || mask.is_jpeg;
        let those = self.those(|mask| mask.misread.guessed.clone().filter(|_| !is_told(mask)));
        let pixels: u64 = those.iter().map(|(_, (pixels, _))| pixels).sum();
        let colors: BTreeSet<&str> = those.iter().map(|(_, (_, color))| color.as_str()).collect();
        let colors: Vec<&str> = colors.into_iter().take(MOST_NAMED).collect();
        let sentence = format!(
            "{} {pixels} pixels, {} of all, of colors that are no class's and count as one, as \
             each channel is split in the middle, for example {}; add their classes to the list, \
             or state that other colors are unlabeled (--off-palette unlabeled)",
            subject_of(those.len(), "mask", "holds", "hold"),
            self.share_of_masks(pixels),
            colors.join("; ")
        );
        let paths = those.iter().filter_map(|(seen, _)| self.mask_path(seen));
        let problem = Problem::of(ProblemKind::GuessedColors, those.len(), paths, sentence)?;
        // Its publisher wants channels to be split.
        let is_wanted = self.discovery.layout.kind == LayoutKind::DeepGlobeLandCover;
        Some(problem.mild_where(is_wanted))
    }

    fn faint_masks(&self) -> Option<Problem> {
        let those = self.those(|mask| mask.misread.faint);
        let pixels: u64 = those.iter().map(|(_, (pixels, _))| pixels).sum();
        let greatest = those.iter().map(|(_, (_, greatest))| greatest).max()?;
        let sentence = format!(
            "{} numbers up to {greatest} and nothing bright: all is read as black, also {pixels} \
             pixels, {} of all, that are not 0; they are probably class indices, or of another \
             scale than black and white, so convert such masks, or leave them out",
            subject_of(those.len(), "mask", "holds", "hold"),
            self.share_of_masks(pixels)
        );
        let paths = those.iter().filter_map(|(seen, _)| self.mask_path(seen));
        Problem::of(ProblemKind::FaintMasks, those.len(), paths, sentence)
    }

    fn declared_zeros(&self) -> Option<Problem> {
        let zero = class_of_zero(self.discovery)?;
        let mut ignored = self.discovery.ignored.iter();
        if ignored.any(|class| class.index == zero) {
            return None;
        }
        let those = self.those(|mask| mask.misread.void_zero.filter(|pixels| *pixels > 0));
        let pixels: u64 = those.iter().map(|(_, pixels)| pixels).sum();
        let classes = self.discovery.all_classes().unwrap_or_default();
        let sentence = format!(
            "{} 0 as nodata, which counts as “{}” all the same, {} of all pixels, since many \
             programs declare the background so; if nobody labeled that ground, state that the \
             class is unlabeled (--ignore-classes {zero})",
            subject_of(those.len(), "mask", "declares", "declare"),
            classes.name_of(zero),
            self.share_of_masks(pixels)
        );
        let paths = those.iter().filter_map(|(seen, _)| self.mask_path(seen));
        let problem = Problem::of(ProblemKind::DeclaredZeros, those.len(), paths, sentence)?;
        // A background that somebody states is just what programs declare so.
        let is_stated =
            self.discovery.encoding.form == Encoding::Binary || !self.discovery.are_classes_made;
        Some(problem.mild_where(is_stated && self.discovery.is_nothing(zero)))
    }
}
