use std::path::Path;

use super::super::{ClassTable, MaskBuilder, MaskError, UNLABELED};
use super::decisions::{MaskDecisions, Unknown};
use super::load::LoadedMask;
use super::rows::RowReader;
use super::shades::Shade;
use super::translation::Translation;
use super::understood::{FoundTable, Understood};

/// Reads a mask file as it was decided, with the class table that was found for it, in the file's
/// own extent: [`MaskDecisions::align`] is not looked at.
///
/// The file is read twice; memory is bounded by a few hundred rows, 24 MB of counts and the mask
/// itself.
///
/// # Errors
/// [`MaskError`] when the file cannot be read, or its pixels cannot be classes in this encoding.
pub fn load_mask_unaligned(
    path: &Path,
    found: Option<&FoundTable>,
    decisions: MaskDecisions,
) -> Result<LoadedMask, MaskError> {
    let understood = Understood::read(path, found, decisions.encoding)?;
    let given = found.map(|found| &found.classes);
    let mut translation = Translation::new(&understood, given, decisions)?;
    let mut reader = RowReader::open(path)?;
    let mut builder = MaskBuilder::new(reader.size);
    let mut last: Option<(Shade, u8)> = None;
    while let Some((ground, pixels)) = reader.next_band()? {
        let mut classes = Vec::with_capacity(ground.num_pixels() as usize);
        for pixel in pixels.chunks_exact(reader.form.bytes()) {
            let shade = Shade::of(pixel, reader.form);
            let class = match last {
                Some((same, class)) if same == shade => class,
                _ => translation.class_of(shade),
            };
            last = Some((shade, class));
            classes.push(class);
        }
        builder.push_rows(&classes);
    }
    let mask = builder.finish();
    let notes = notes(&understood, given, decisions, &translation.classes);
    Ok(LoadedMask {
        mask,
        classes: translation.classes,
        encoding: understood.meaning.encoding,
        georef: reader.georef,
        notes,
    })
}

fn notes(
    understood: &Understood,
    given: Option<&ClassTable>,
    decisions: MaskDecisions,
    classes: &ClassTable,
) -> Vec<String> {
    let mut notes = Vec::new();
    let is_unknown =
        |shade: &Shade| super::survey::known_class(*shade, &understood.meaning, given).is_none();
    let unknown = understood.counts.by_frequency().into_iter();
    let unknown = unknown.filter(|(shade, _)| is_unknown(shade));
    let pixels: u64 = unknown.map(|(_, found)| found.pixels).sum();
    if pixels > 0 {
        notes.push(match decisions.unknown {
            Unknown::Unlabeled => format!("{pixels} pixels stand for no class and are unlabeled"),
            Unknown::NewClasses => format!("{pixels} pixels got classes without a name"),
            Unknown::Nearest { max_distance } => format!(
                "{pixels} pixels are not exactly a class's color; they got the nearest class \
                 within {max_distance}, or are unlabeled"
            ),
        });
    }
    let added = classes.classes().iter().filter(|class| {
        class.index != UNLABELED && given.is_some_and(|table| table.get(class.index).is_none())
    });
    let added: Vec<String> = added.map(|class| class.index.to_string()).collect();
    if !added.is_empty() {
        let list = added.join(", ");
        notes.push(format!("Classes were added without a name: {list}"));
    }
    notes
}
