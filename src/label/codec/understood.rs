use std::path::{Path, PathBuf};

use super::super::{ClassTable, MaskError, Rgb};
use super::meaning::{Encoding, Evidence, MIDDLE_GREY, Meaning};
use super::rows::RowReader;
use super::shade_counts::ShadeCounts;
use super::shades::Shade;
use super::shading::squared_distance;

/// Where a class table came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableOrigin {
    /// Whoever asked gave it.
    Given,
    /// A `classes.toml` beside the mask.
    Beside,
    /// The category names that GDAL keeps beside a raster.
    CategoryNames(PathBuf),
    /// A list of classes beside the mask or in the folder above.
    List(PathBuf),
    /// The file's own palette.
    Palette,
    /// Made from the numbers that occur, without names.
    Values,
    /// Made from the colors that occur, or from the frequent ones of many, without names.
    Colors,
    /// Black and white: there is nothing to name.
    BlackAndWhite,
}

impl TableOrigin {
    /// Whether nobody said what the classes are.
    pub const fn is_made(&self) -> bool {
        matches!(self, Self::Values | Self::Colors)
    }

    /// Whether a person or another program named the classes.
    pub const fn is_named(&self) -> bool {
        matches!(
            self,
            Self::Given | Self::Beside | Self::CategoryNames(_) | Self::List(_)
        )
    }
}

/// A class table that was found for a mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTable {
    /// The classes.
    pub classes: ClassTable,
    /// Where they came from.
    pub origin: TableOrigin,
}

/// A mask file whose pixels were all looked at once.
pub(super) struct Understood {
    /// What the header says; its rows are used up.
    pub(super) reader: RowReader,
    pub(super) counts: ShadeCounts,
    pub(super) meaning: Meaning,
    pub(super) origin: TableOrigin,
}

impl Understood {
    /// Reads all of the file and decides what its pixels mean, as
    /// [`load_mask`](super::load_mask) does. In addition a color-coded file with too many colors
    /// and no table is understood by its frequent colors.
    pub(super) fn read(
        path: &Path,
        found: Option<&FoundTable>,
        encoding: Encoding,
    ) -> Result<Self, MaskError> {
        let mut reader = RowReader::open(path)?;
        let counts = ShadeCounts::read(&mut reader)?;
        let shades = counts.occurring();
        let mut evidence = Evidence {
            form: reader.form,
            palette: reader.palette.as_deref(),
            // What 0 stands for is for a person to say.
            void: reader.void.filter(|&void| void != 0),
            shades: shades.as_deref(),
            table: found.map(|found| &found.classes),
            threshold: MIDDLE_GREY,
        };
        let mut meaning = Meaning::decide(encoding, &evidence);
        let frequent;
        if meaning.is_err() && found.is_none() {
            frequent = frequent_colors(&counts);
            evidence.table = frequent.as_ref();
            if frequent.is_some() {
                meaning = Meaning::decide(Encoding::Rgb, &evidence);
            }
        }
        let has_palette = evidence.palette.is_some();
        let meaning = meaning.map_err(|reason| MaskError::NotAMask {
            reason,
            path: path.to_owned(),
        })?;
        let origin = match (found, meaning.encoding) {
            (Some(found), _) => found.origin.clone(),
            (None, Encoding::Binary) => TableOrigin::BlackAndWhite,
            (None, _) if has_palette => TableOrigin::Palette,
            (None, Encoding::Rgb) => TableOrigin::Colors,
            (None, _) => TableOrigin::Values,
        };
        Ok(Self {
            reader,
            counts,
            meaning,
            origin,
        })
    }
}

/// Classes for the colors that stand out in a file with too many, as after lossy compression: those
/// with at least a two hundredth of the pixels, the more frequent first, far enough from each other.
fn frequent_colors(counts: &ShadeCounts) -> Option<ClassTable> {
    const LEAST_DISTANCE: u32 = 60;
    let all = counts.by_frequency();
    let total: u64 = all.iter().map(|(_, found)| found.pixels).sum::<u64>() + counts.unlisted;
    let mut colors: Vec<Rgb> = Vec::new();
    for (shade, found) in all {
        let Shade::Color(color) = shade else { continue };
        let is_far = |other: &Rgb| squared_distance(color, *other) >= LEAST_DISTANCE.pow(2);
        if found.pixels.saturating_mul(200) < total {
            break;
        }
        if colors.iter().all(is_far) {
            colors.push(color);
        }
    }
    colors.sort_unstable();
    (colors.len() >= 2).then(|| ClassTable::from_codes(&colors))
}
