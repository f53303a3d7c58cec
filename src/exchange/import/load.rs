use std::path::Path;

use super::alignment::Alignment;
use super::find_table::find_table;
use super::ground::ImageGround;
use crate::exchange::ExchangeError;
use crate::label::{ClassTable, LoadedMask, MaskDecisions, load_mask_unaligned};
use crate::raster::open_raster;

/// Reads a mask file as it was decided, on the grid of `image`, with `classes` or the class table
/// that lies beside it.
///
/// Memory is bounded by some hundred rows, 24 MB of counts and the mask before and after.
///
/// # Errors
/// [`ExchangeError`] when the file cannot be read so, or does not lie on the image as decided.
pub fn load_mask_as(
    path: &Path,
    image: &ImageGround,
    classes: Option<&ClassTable>,
    decisions: MaskDecisions,
) -> Result<LoadedMask, ExchangeError> {
    let alignment = alignment_of(path, image, decisions)?;
    let found = find_table(path, classes)?;
    let loaded = load_mask_unaligned(path, found.as_ref(), decisions)?;
    let mut notes = loaded.notes;
    notes.extend(alignment.note().map(str::to_owned));
    Ok(LoadedMask {
        mask: alignment.apply(loaded.mask),
        georef: image.georef.clone().or(loaded.georef),
        notes,
        ..loaded
    })
}

/// The way of a file onto the image, from its header alone.
fn alignment_of(
    path: &Path,
    image: &ImageGround,
    decisions: MaskDecisions,
) -> Result<Alignment, ExchangeError> {
    let source = open_raster(path).map_err(crate::label::MaskError::from)?;
    let mask = ImageGround {
        size: source.info().size,
        georef: source.info().georef.clone(),
    };
    Alignment::new(&mask, image, decisions.align, path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::audit_mask;
    use super::super::test_files::{grey, jpeg, rgb};
    use super::*;
    use crate::geom::{Georef, ImageSize};
    use crate::label::{Align, Encoding, Mask, SaveAs, Unknown, ZeroMeans, save_mask};

    const CAREFUL: MaskDecisions = MaskDecisions {
        encoding: Encoding::Auto,
        zero: ZeroMeans::Class,
        unknown: Unknown::Unlabeled,
        align: Align::Refuse,
    };

    fn ground(size: ImageSize) -> ImageGround {
        ImageGround { size, georef: None }
    }

    #[track_caller]
    fn check(
        path: &Path,
        table: Option<&ClassTable>,
        decisions: MaskDecisions,
        expected: &[u8],
    ) -> LoadedMask {
        let size = ImageSize::new(expected.len() as u32, 1);
        let loaded = load_mask_as(path, &ground(size), table, decisions).expect("a mask");
        assert_eq!(loaded.mask.read_rect(size.bounds()), expected);
        loaded
    }

    #[test]
    fn numbers_become_what_was_decided() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = grey(folder.path(), 5, &[0, 1, 9, 255, 9]);
        let land = ClassTable::landcover_ai();
        let (zero, unknown) = (ZeroMeans::Unlabeled, Unknown::NewClasses);
        check(&file, Some(&land), CAREFUL, &[0, 1, 255, 255, 255]);
        check(
            &file,
            Some(&land),
            MaskDecisions { zero, ..CAREFUL },
            &[255, 1, 255, 255, 255],
        );
        let new = MaskDecisions { unknown, ..CAREFUL };
        let loaded = check(&file, Some(&land), new, &[0, 1, 9, 255, 9]);
        assert_eq!(loaded.classes.name_of(9), "class 9");
        assert_eq!(loaded.notes.len(), 2, "{:?}", loaded.notes);
        let loaded = check(
            &file,
            None,
            MaskDecisions { zero, ..CAREFUL },
            &[255, 1, 9, 255, 9],
        );
        assert_eq!(
            loaded.classes.get(0),
            None,
            "a made class goes with its pixels"
        );
        let loaded = check(&file, None, CAREFUL, &[0, 1, 9, 255, 9]);
        assert_eq!(
            loaded.classes.background(),
            None,
            "0 is a class like others"
        );
        let loaded = check(&file, Some(&land), CAREFUL, &[0, 1, 255, 255, 255]);
        assert_eq!(
            loaded.classes.background(),
            Some(0),
            "a written table stays"
        );
    }

    #[test]
    fn colors_become_what_was_decided() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = ClassTable::from_codes(&[[0, 0, 0], [200, 0, 0], [0, 200, 0]]);
        let pixels = [0, 0, 0, 200, 0, 0, 190, 5, 0, 0, 0, 255, 90, 0, 0, 4, 0, 0];
        let file = rgb(folder.path(), 6, &pixels);
        let near = |max_distance| MaskDecisions {
            unknown: Unknown::Nearest { max_distance },
            encoding: Encoding::Rgb,
            ..CAREFUL
        };
        let rgb = MaskDecisions {
            encoding: Encoding::Rgb,
            ..CAREFUL
        };
        check(&file, Some(&table), rgb, &[0, 1, 255, 255, 255, 255]);
        check(&file, Some(&table), near(40), &[0, 1, 1, 255, 255, 0]);
        check(&file, Some(&table), near(442), &[0, 1, 1, 0, 0, 0]);
        let zero = ZeroMeans::Unlabeled;
        let void = MaskDecisions { zero, ..near(442) };
        check(&file, Some(&table), void, &[255, 1, 1, 255, 255, 255]);
        let unknown = Unknown::NewClasses;
        let loaded = check(
            &file,
            Some(&table),
            MaskDecisions { unknown, ..rgb },
            &[0, 1, 6, 3, 5, 4],
        );
        assert_eq!(loaded.classes.get(3).expect("new").codes, [[0, 0, 255]]);
    }

    #[test]
    fn black_and_white_may_leave_the_dark_unlabeled() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = grey(folder.path(), 3, &[0, 255, 0]);
        let zero = ZeroMeans::Unlabeled;
        check(&file, None, CAREFUL, &[0, 1, 0]);
        check(
            &file,
            None,
            MaskDecisions { zero, ..CAREFUL },
            &[255, 1, 255],
        );
    }

    #[test]
    fn a_mask_on_another_grid_is_laid_where_it_was_decided() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        let mut mask = Mask::filled(ImageSize::new(8, 6), 1);
        mask.set_rect(crate::geom::PixelRect::new(2, 0, 6, 6), &[2; 36]);
        let georef = Georef::north_up(10.0, 20.0, 0.5, Some(2180));
        let table = ClassTable::landcover_ai();
        save_mask(&path, &mask, &table, Some(&georef), SaveAs::GeoTiff).expect("written");
        let image = ImageGround {
            size: ImageSize::new(4, 3),
            georef: Some(Georef::north_up(11.0, 20.0, 1.0, Some(2180))),
        };
        let load = |align| {
            let decisions = MaskDecisions { align, ..CAREFUL };
            let loaded = load_mask_as(&path, &image, Some(&table), decisions)?;
            Ok::<_, ExchangeError>(
                loaded
                    .mask
                    .read_rect(crate::geom::PixelRect::new(0, 1, 4, 1)),
            )
        };
        assert_eq!(load(Align::ByGeoreference).expect("there"), [2, 2, 2, 255]);
        assert_eq!(load(Align::CornerToCorner).expect("there"), [1, 1, 2, 2]);
        assert_eq!(load(Align::Scale).expect("there"), [1, 2, 2, 2]);
        let error = load(Align::Refuse).expect_err("another size").to_string();
        assert!(
            error.contains("8 × 6 pixels but the image has 4 × 3"),
            "{error}"
        );
    }

    /// Rectangles of classes as colors, and the classes.
    fn blocky(table: &ClassTable, side: u32, seed: u32) -> (Vec<u8>, Vec<u8>) {
        let class = |x: u32, y: u32| {
            let cell = (y / 37 * 31 + x / 29)
                .wrapping_add(seed)
                .wrapping_mul(2_654_435_761);
            (cell >> 20) as u8 % 5
        };
        let classes: Vec<u8> = (0..side * side)
            .map(|n| class(n % side, n / side))
            .collect();
        let code = |class: &u8| table.get(*class).expect("there").code();
        (classes.iter().flat_map(code).collect(), classes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]

        #[test]
        fn a_compressed_mask_is_noticed_and_snaps_back(seed in any::<u32>()) {
            let folder = tempfile::tempdir().expect("a folder");
            let table = ClassTable::landcover_ai();
            let (pixels, classes) = blocky(&table, 256, seed);
            let file = jpeg(folder.path(), 256, &pixels);
            let image = ground(ImageSize::new(256, 256));
            let audit = audit_mask(&file, &image, Some(&table)).expect("a mask");
            let shading = audit.survey.shading.expect("colors");
            prop_assert!(shading.looks_compressed(), "{:?}", shading);
            prop_assert!(audit.open_questions().len() == 1, "{:?}", audit.open_questions());
            let loaded = load_mask_as(&file, &image, Some(&table), audit.suggested());
            let found = loaded.expect("a mask").mask.read_rect(image.size.bounds());
            let right = found.iter().zip(&classes).filter(|(a, b)| a == b).count();
            let share = right as f64 / classes.len() as f64;
            prop_assert!(share > 0.97, "{share}");
            let sharp = rgb(folder.path(), 256, &pixels);
            let audit = audit_mask(&sharp, &image, Some(&table)).expect("a mask");
            prop_assert!(audit.survey.shading.is_some_and(|shading| !shading.looks_compressed()));
        }
    }
}
