use std::path::Path;

use super::apart::decode_apart;
use super::{Discovery, OffPalette};
use crate::dataset::DatasetError;
use crate::label::{
    ClassTable, Encoding, FoundTable, LoadedMask, Mask, MaskDecisions, Rgb, TableOrigin, UNLABELED,
    Unknown, load_mask, load_mask_split, load_mask_unaligned,
};

/// How the masks of a data set are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskEncoding {
    /// How pixels stand for classes.
    pub form: Encoding,
    /// Of black and white masks: the least grey of 8 bits that is bright, class 1; wider samples are
    /// split in proportion. 128 unless somebody says otherwise.
    pub threshold: u8,
    /// What becomes of colors and numbers that are exactly no class's.
    pub off_palette: OffPalette,
    /// Why, as a sentence without its period.
    pub why: String,
}

/// Reads a mask file as the data set has it, ignored classes and all.
pub(super) fn decode(
    path: &Path,
    discovery: &Discovery,
) -> Result<(Mask, Vec<String>), DatasetError> {
    let encoding = &discovery.encoding;
    let table = discovery.all_classes();
    let table = table.as_ref();
    if let Some(read) = decode_apart(path, discovery, table)? {
        return Ok(read);
    }
    let loaded = match (encoding.form, table) {
        (Encoding::Binary, table) => {
            let loaded = load_mask_split(path, encoding.threshold, table)?;
            let mask = match table.and_then(black_and_white) {
                None | Some([0, 1]) => loaded.mask,
                Some(classes) => {
                    let mut table = [UNLABELED; 256];
                    table[..2].copy_from_slice(&classes);
                    loaded.mask.recoded(&table)
                }
            };
            return Ok((mask, loaded.notes));
        }
        (Encoding::Rgb, Some(classes)) => match encoding.off_palette {
            OffPalette::Middle => load_mask(path, None, Encoding::Rgb, table)?,
            OffPalette::Unlabeled => exactly(path, classes, Unknown::Unlabeled)?,
            OffPalette::Nearest { max_distance } => {
                exactly(path, classes, Unknown::Nearest { max_distance })?
            }
        },
        (Encoding::Index, Some(classes)) if encoding.off_palette != OffPalette::Middle => {
            return numbers(path, classes, encoding.off_palette);
        }
        (form, table) => load_mask(path, None, form, table)?,
    };
    Ok((loaded.mask, loaded.notes))
}

/// Reads colors, of which only the very codes of classes are known.
fn exactly(
    path: &Path,
    classes: &ClassTable,
    unknown: Unknown,
) -> Result<LoadedMask, DatasetError> {
    let found = FoundTable {
        classes: classes.clone(),
        origin: TableOrigin::Given,
    };
    let decisions = MaskDecisions {
        encoding: Encoding::Rgb,
        unknown,
        ..MaskDecisions::default()
    };
    Ok(load_mask_unaligned(path, Some(&found), decisions)?)
}

/// Reads numbers, of which those that are no class become what was stated.
fn numbers(
    path: &Path,
    classes: &ClassTable,
    how: OffPalette,
) -> Result<(Mask, Vec<String>), DatasetError> {
    // What this notes of numbers without a class is said below as it is here.
    let loaded = load_mask(path, None, Encoding::Index, Some(classes))?;
    let (mask, pixels) = how.numbers(loaded.mask, classes);
    let note = match how {
        OffPalette::Nearest { max_distance } => format!(
            "{pixels} pixels hold numbers without a class; they got the nearest class within \
             {max_distance}, or are unlabeled"
        ),
        _ => format!("{pixels} pixels stand for no class and are unlabeled"),
    };
    Ok((mask, (pixels > 0).then_some(note).into_iter().collect()))
}

/// The classes that black and white stand for, where the table says it.
fn black_and_white(table: &ClassTable) -> Option<[u8; 2]> {
    let of_code = |code: Rgb| {
        let mut classes = table.classes().iter();
        let class = classes.find(|class| class.codes.contains(&code))?;
        Some(class.index)
    };
    Some([of_code([0; 3])?, of_code([255; 3])?])
}

/// The mask without the classes that the data set ignores.
pub(super) fn ignoring(mask: Mask, discovery: &Discovery) -> Mask {
    if discovery.ignored.is_empty() {
        return mask;
    }
    let mut table: [u8; 256] = std::array::from_fn(|index| index as u8);
    for class in &discovery.ignored {
        table[usize::from(class.index)] = UNLABELED;
    }
    mask.recoded(&table)
}

impl Discovery {
    /// The classes as masks have them: those that count and those that are ignored.
    pub fn all_classes(&self) -> Option<ClassTable> {
        let classes = self.classes.as_ref()?;
        let all = classes.classes().iter().chain(&self.ignored).cloned();
        // A table that a caller made contradict itself is used without what is ignored.
        let table = ClassTable::new(classes.background(), all.collect());
        Some(table.unwrap_or_else(|_| classes.clone()))
    }

    /// Whether a class says of its pixels that nothing is there: it is the background, ignored, or
    /// none.
    pub(in crate::dataset) fn is_nothing(&self, class: u8) -> bool {
        let is_binary = self.encoding.form == Encoding::Binary;
        let background = self.classes.as_ref().and_then(ClassTable::background);
        let mut ignored = self.ignored.iter();
        class == UNLABELED
            || Some(class) == background.or(is_binary.then_some(0))
            || ignored.any(|own| own.index == class)
    }

    /// From now on counts a class as unlabeled; nothing happens when there is no such class.
    pub fn ignore(&mut self, index: u8) {
        let class = self.classes.as_ref().and_then(|table| table.get(index));
        if let (Some(class), Some(table)) = (class.cloned(), &self.classes)
            && let Ok(table) = table.removed(index)
        {
            self.classes = Some(table);
            self.ignored.push(class);
        }
    }
}
