use std::path::Path;

use super::super::{ClassTable, MaskError, Rgb, UNLABELED};
use super::meaning::{Encoding, Meaning};
use super::shade_counts::{Occurrence, ShadeCounts};
use super::shades::Shade;
use super::shading::Shading;
use super::survey_words::why;
use super::understood::{FoundTable, Understood};
use super::zero::Zero;
use crate::geom::{Georef, ImageSize};

/// At most so many unknown values are listed.
const MOST_UNKNOWN: usize = 64;

/// What the pixels of a mask file say, and what they leave open.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskSurvey {
    /// Extent in pixels.
    pub size: ImageSize,
    /// Where it lies on the map, when the file says so.
    pub georef: Option<Georef>,
    /// The recognized encoding; never `Auto`.
    pub encoding: Encoding,
    /// Why, as a sentence without its period.
    pub why: String,
    /// The classes, and where they came from.
    pub table: FoundTable,
    /// The classes that occur, by index, with their pixels; only exact colors count.
    pub known: Vec<(u8, u64)>,
    /// Values that stand for no class, most frequent first, at most 64.
    pub unknown: Vec<UnknownValue>,
    /// Pixels of all values that stand for no class, listed or not.
    pub num_unknown: u64,
    /// How many such values there are; a lower bound past 262144 colors.
    pub num_unknown_values: usize,
    /// What 0 or black may stand for, when it occurs.
    pub zero: Option<Zero>,
    /// How sharply colors keep to codes, in color-coded files.
    pub shading: Option<Shading>,
}

/// A number or color of a mask file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskValue {
    /// A number of a single band.
    Number(u16),
    /// A color.
    Color(Rgb),
}

impl std::fmt::Display for MaskValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "value {number}"),
            Self::Color([red, green, blue]) => write!(f, "color {red}, {green}, {blue}"),
        }
    }
}

/// A value that stands for no class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownValue {
    /// The value.
    pub value: MaskValue,
    /// How many pixels have it.
    pub pixels: u64,
    /// The first of them from the top as (x, y) in the file's pixels.
    pub at: (u32, u32),
}

/// Looks at all pixels of a mask file, with the class table that was found for it.
///
/// Memory is bounded by a few hundred rows and 24 MB of counts.
///
/// # Errors
/// [`MaskError`] when the file cannot be read, or its pixels cannot be classes at all.
pub fn survey_mask(path: &Path, found: Option<&FoundTable>) -> Result<MaskSurvey, MaskError> {
    let understood = Understood::read(path, found, Encoding::Auto)?;
    let given = found.map(|found| &found.classes);
    let zero = Zero::of(&understood);
    let shading = Shading::of(&understood.counts, &understood.meaning);
    let (known, unknown) = split(&understood.counts, &understood.meaning, given);
    let listed = |&(shade, found): &(Shade, Occurrence)| {
        let value = match shade {
            Shade::Number(number) => MaskValue::Number(number),
            Shade::Color(color) => MaskValue::Color(color),
            Shade::Clear => return None,
        };
        Some(UnknownValue {
            value,
            pixels: found.pixels,
            at: found.at,
        })
    };
    let is_binary = understood.meaning.encoding == Encoding::Binary;
    let unlisted = if is_binary {
        0
    } else {
        understood.counts.unlisted
    };
    let Understood {
        reader,
        meaning,
        origin,
        counts,
    } = understood;
    Ok(MaskSurvey {
        size: reader.size,
        encoding: meaning.encoding,
        why: why(&reader, &counts, &meaning, &origin, unknown.len()),
        known,
        num_unknown: unknown.iter().map(|(_, found)| found.pixels).sum::<u64>() + unlisted,
        num_unknown_values: unknown.len(),
        unknown: unknown
            .iter()
            .filter_map(listed)
            .take(MOST_UNKNOWN)
            .collect(),
        zero,
        shading,
        table: FoundTable {
            classes: table_of(given, &meaning),
            origin,
        },
        georef: reader.georef,
    })
}

fn table_of(given: Option<&ClassTable>, meaning: &Meaning) -> ClassTable {
    given.unwrap_or(&meaning.classes).clone()
}

type Shades = Vec<(Shade, Occurrence)>;

/// The classes that occur by index, and the shades that stand for none.
fn split(
    counts: &ShadeCounts,
    meaning: &Meaning,
    given: Option<&ClassTable>,
) -> (Vec<(u8, u64)>, Shades) {
    let mut pixels = [0_u64; 256];
    let mut unknown = Vec::new();
    for (shade, found) in counts.by_frequency() {
        match known_class(shade, meaning, given) {
            Some(class) => pixels[usize::from(class)] += found.pixels,
            None => unknown.push((shade, found)),
        }
    }
    let occurs = |&(class, pixels): &(u8, u64)| class != UNLABELED && pixels > 0;
    let known = (0..=UNLABELED).zip(pixels).filter(occurs).collect();
    (known, unknown)
}

/// The class that a shade stands for without guessing.
pub(super) fn known_class(
    shade: Shade,
    meaning: &Meaning,
    given: Option<&ClassTable>,
) -> Option<u8> {
    match meaning.encoding {
        Encoding::Rgb if shade != Shade::Clear && !meaning.is_void(shade) => {
            meaning.codes.get(&meaning.color_of(shade)?).copied()
        }
        Encoding::Index => meaning.class_of(shade).filter(|&class| {
            class == UNLABELED || given.is_none_or(|table| table.get(class).is_some())
        }),
        _ => meaning.class_of(shade),
    }
}
