use std::path::Path;

use super::Discovery;
use crate::label::{ClassTable, Encoding, Mask, MaskError, Rgb, UNLABELED, load_mask};
use crate::raster::open_raster;

/// A mask of class indices with a palette among black and white or color-coded masks, with what
/// there is to note; `None` for one that is read like the others.
///
/// The classes of `STEM.classes.toml` beside it decide. Without it black and white are 0 and 1, and
/// a palette without any color of a class stands for its indices.
pub(super) fn decode_apart(
    path: &Path,
    discovery: &Discovery,
    table: Option<&ClassTable>,
) -> Result<Option<(Mask, Vec<String>)>, MaskError> {
    let form = discovery.encoding.form;
    if !matches!(form, Encoding::Binary | Encoding::Rgb) {
        return Ok(None);
    }
    let Some(palette) = open_raster(path)?.info().palette.clone() else {
        return Ok(None);
    };
    let own = ClassTable::own(path)?;
    let loaded = load_mask(path, None, Encoding::Index, own.as_ref())?;
    let counts = loaded.mask.histogram();
    let Some(own) = own else {
        let is_apart = match (form, table) {
            (Encoding::Rgb, Some(table)) => has_no_code(&palette, &counts, table),
            (Encoding::Rgb, None) => false,
            _ => counts[1] > 0 && counts[2..255].iter().all(|&count| count == 0),
        };
        return Ok(is_apart.then_some((loaded.mask, loaded.notes)));
    };
    let Some(table) = table else {
        return Ok(Some((loaded.mask, loaded.notes)));
    };
    let index_of = in_terms_of(table, &own, form);
    let lost = (0..UNLABELED)
        .find(|&index| counts[usize::from(index)] > 0 && index_of[usize::from(index)] == UNLABELED);
    let note = lost.map(|index| {
        let lost = (0..255).filter(|&index: &usize| index_of[index] == UNLABELED);
        let pixels: u64 = lost.map(|index| counts[index]).sum();
        let name = own.name_of(index);
        format!("{pixels} pixels stand for no class and are unlabeled, for example \"{name}\"")
    });
    let mask = loaded.mask.recoded(&index_of);
    Ok(Some((mask, note.into_iter().collect())))
}

/// Whether the colors that occur are those of no class, and the indices are classes.
fn has_no_code(palette: &[Rgb], counts: &[u64; 256], table: &ClassTable) -> bool {
    let mut occurring = (0..UNLABELED).filter(|&index| counts[usize::from(index)] > 0);
    occurring.all(|index| {
        let color = palette.get(usize::from(index));
        let mut classes = table.classes().iter();
        let is_code = classes.any(|class| Some(&class.code()) == color);
        !is_code && table.get(index).is_some()
    })
}

/// The class of the data set for each index of a mask's own classes: the one with the same color
/// code, else the one of the same name, else in black and white masks the one of the same index.
fn in_terms_of(table: &ClassTable, own: &ClassTable, form: Encoding) -> [u8; 256] {
    let mut index_of = [UNLABELED; 256];
    for class in own.classes() {
        let is_coded = |code: &Rgb| class.codes.contains(code);
        let mut all = table.classes().iter();
        let same = all.find(|other| other.codes.iter().any(is_coded));
        let same = same.or_else(|| table.by_name(&class.name));
        let same = same.or_else(|| {
            let same = table.get(class.index);
            same.filter(|_| form == Encoding::Binary)
        });
        if let Some(same) = same {
            index_of[usize::from(class.index)] = same.index;
        }
    }
    index_of
}

#[cfg(test)]
mod tests {
    use super::super::test_folders::{Kind, image, png, write};
    use super::*;
    use crate::dataset::discover;
    use crate::geom::{ImageSize, PixelRect};
    use crate::label::{Class, SaveAs, save_mask};

    /// A palette PNG of 2 × 2 pixels.
    fn indices(path: &Path, classes: &ClassTable, pixels: [u8; 4]) {
        let mut mask = Mask::new(ImageSize::new(2, 2));
        mask.set_rect(PixelRect::new(0, 0, 2, 2), &pixels);
        save_mask(path, &mask, classes, None, SaveAs::IndexPng).expect("saved");
    }

    #[track_caller]
    fn check(folder: &Path, expected: [[u8; 4]; 2]) {
        let found = discover(folder).expect("a data set");
        for (sample, expected) in found.samples.iter().zip(expected) {
            let (mask, notes) = sample.load_mask(&found).expect("a mask");
            assert_eq!(mask.read_rect(mask.size().bounds()), expected, "{notes:?}");
        }
        let is_told = |note: &String| note.starts_with("Masks differ in encoding: 1 of 2");
        assert!(found.notes.iter().any(is_told), "{:?}", found.notes);
    }

    #[test]
    fn indices_among_black_and_white_masks_are_indices() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a", "b"] {
            image(folder.path(), &format!("images/{name}.png"), 2, 0);
        }
        png(
            folder.path(),
            "masks/a.png",
            Kind::Grey,
            2,
            &[0, 255, 0, 255],
        );
        let table = ClassTable::from_values(0..2);
        indices(&folder.path().join("masks/b.png"), &table, [0, 1, 1, 0]);
        check(folder.path(), [[0, 1, 0, 1], [0, 1, 1, 0]]);
    }

    #[test]
    fn a_masks_own_classes_say_what_its_indices_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        write(root, "label_colors.txt", b"128 0 0 Wall\n0 0 192 Way\n");
        image(root, "a.png", 2, 0);
        image(root, "b.png", 2, 9);
        let pixels = [128, 0, 0, 0, 0, 192, 0, 0, 192, 0, 0, 192];
        png(root, "a_L.png", Kind::Rgb, 2, &pixels);
        let class = |index, name: &str, code| Class {
            codes: vec![code],
            ..Class::new(index, name, [7; 3])
        };
        let classes = vec![class(0, "street", [0, 0, 192]), class(1, "x", [128, 0, 0])];
        let own = ClassTable::new(None, classes).expect("valid");
        indices(&root.join("b_L.png"), &own, [0, 1, 1, 0]);
        own.save(&root.join("b_L.classes.toml")).expect("saved");
        check(root, [[0, 1, 1, 1], [1, 0, 0, 1]]);
    }
}
