use std::path::Path;

use super::super::{ClassTable, Mask, MaskBuilder, MaskError, UNLABELED};
use super::meaning::{Encoding, Evidence, MIDDLE_GREY, Meaning};
use super::rows::RowReader;
use super::shades::{Shade, Shaded};
use super::tally::{Tally, added_classes};
use crate::geom::{Georef, ImageSize};

/// A mask as it was read from a file.
#[derive(Clone, Debug)]
pub struct LoadedMask {
    /// The pixels.
    pub mask: Mask,
    /// The classes they stand for.
    pub classes: ClassTable,
    /// How the file encodes them; never `Auto`.
    pub encoding: Encoding,
    /// Where the mask lies on the map, when the file says so.
    pub georef: Option<Georef>,
    /// What the user should know: guesses that were made, pixels that stand for nothing.
    pub notes: Vec<String>,
}

/// Reads a mask file. Memory is bounded by a few hundred rows and the mask itself.
///
/// The class table is `classes`, else the one beside the file, else the file's own palette, else
/// made from the values that occur.
///
/// # Errors
/// [`MaskError`] when the file cannot be read, does not have the `expected` size, or its pixels
/// cannot be classes in this encoding.
pub fn load_mask(
    path: &Path,
    expected: Option<ImageSize>,
    encoding: Encoding,
    classes: Option<&ClassTable>,
) -> Result<LoadedMask, MaskError> {
    read(path, expected, (encoding, MIDDLE_GREY), classes)
}

/// Reads a black and white mask as [`load_mask`] does: greys from `threshold` (of 8 bits, of wider
/// samples in proportion) on are class 1.
///
/// # Errors
/// As for [`load_mask`].
pub fn load_mask_split(
    path: &Path,
    threshold: u8,
    classes: Option<&ClassTable>,
) -> Result<LoadedMask, MaskError> {
    read(path, None, (Encoding::Binary, threshold), classes)
}

fn read(
    path: &Path,
    expected: Option<ImageSize>,
    (encoding, threshold): (Encoding, u8),
    classes: Option<&ClassTable>,
) -> Result<LoadedMask, MaskError> {
    let mut reader = RowReader::open(path)?;
    if let Some(expected) = expected.filter(|&expected| expected != reader.size) {
        return Err(MaskError::Size {
            found: reader.size,
            expected,
            path: path.to_owned(),
        });
    }
    let beside = if classes.is_none() {
        ClassTable::beside(path)?
    } else {
        None
    };
    let table = classes.or(beside.as_ref());
    let shaded = Shaded::read(&mut reader)?;
    let occurring = shaded.as_ref().map(Shaded::occurring);
    let evidence = Evidence {
        form: reader.form,
        palette: reader.palette.as_deref(),
        void: reader.void,
        shades: occurring.as_deref(),
        table,
        threshold,
    };
    let meaning = Meaning::decide(encoding, &evidence).map_err(|reason| MaskError::NotAMask {
        reason,
        path: path.to_owned(),
    })?;
    let (mask, mut notes) = match shaded {
        Some(shaded) => decoded(shaded, &meaning),
        None => decoded_again(path, &meaning)?,
    };
    notes.extend(table.and_then(|table| added_classes(table, &meaning, &mask)));
    let Meaning {
        classes, encoding, ..
    } = meaning;
    Ok(LoadedMask {
        mask,
        classes,
        encoding,
        georef: reader.georef,
        notes,
    })
}

/// The mask of numbered shades.
fn decoded(shaded: Shaded, meaning: &Meaning) -> (Mask, Vec<String>) {
    let mut table = [UNLABELED; 256];
    let mut tally = Tally::default();
    for (place, &shade) in shaded.shades.iter().enumerate() {
        let class = meaning.class_of(shade);
        table[place] = class.unwrap_or(UNLABELED);
        let count = shaded.counts[place];
        if count > 0 {
            let at = || shaded.mask.position_of(place as u8).unwrap_or_default();
            tally.add(meaning, shade, count, at);
        }
    }
    (shaded.mask.recoded(&table), tally.notes(meaning))
}

/// The mask of a file with too many shades to number, read once more.
fn decoded_again(path: &Path, meaning: &Meaning) -> Result<(Mask, Vec<String>), MaskError> {
    let mut reader = RowReader::open(path)?;
    let mut builder = MaskBuilder::new(reader.size);
    let mut tally = Tally::default();
    while let Some((ground, pixels)) = reader.next_band()? {
        let mut classes = Vec::with_capacity(ground.num_pixels() as usize);
        for (place, pixel) in pixels.chunks_exact(reader.form.bytes()).enumerate() {
            let shade = Shade::of(pixel, reader.form);
            classes.push(meaning.class_of(shade).unwrap_or(UNLABELED));
            let place = place as u32;
            let at = || {
                (
                    ground.x + place % ground.width,
                    ground.y + place / ground.width,
                )
            };
            tally.add(meaning, shade, 1, at);
        }
        builder.push_rows(&classes);
    }
    Ok((builder.finish(), tally.notes(meaning)))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::disk::replace_with;
    use crate::geom::PixelRect;

    struct Png<'a> {
        color: png::ColorType,
        depth: png::BitDepth,
        size: (u32, u32),
        pixels: &'a [u8],
    }

    impl Png<'_> {
        fn write(&self, folder: &Path) -> PathBuf {
            let path = folder.join("mask.png");
            let write = |file: &mut std::io::BufWriter<&mut std::fs::File>| {
                let mut encoder = png::Encoder::new(file, self.size.0, self.size.1);
                encoder.set_color(self.color);
                encoder.set_depth(self.depth);
                encoder.write_header()?.write_image_data(self.pixels)?;
                Ok(())
            };
            replace_with(&path, write).expect("written");
            path
        }
    }

    fn grey(pixels: &[u8]) -> Png<'_> {
        let (color, depth) = (png::ColorType::Grayscale, png::BitDepth::Eight);
        Png {
            color,
            depth,
            size: (pixels.len() as u32, 1),
            pixels,
        }
    }

    fn rgb(pixels: &[u8]) -> Png<'_> {
        let (color, depth) = (png::ColorType::Rgb, png::BitDepth::Eight);
        Png {
            color,
            depth,
            size: (pixels.len() as u32 / 3, 1),
            pixels,
        }
    }

    fn wide(pixels: &[u8]) -> Png<'_> {
        let (color, depth) = (png::ColorType::Grayscale, png::BitDepth::Sixteen);
        Png {
            color,
            depth,
            size: (pixels.len() as u32 / 2, 1),
            pixels,
        }
    }

    fn two_classes() -> ClassTable {
        ClassTable::from_values([0, 1])
    }

    #[track_caller]
    fn check(file: &Png<'_>, table: Option<&ClassTable>, encoding: Encoding, expected: &[u8]) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = file.write(folder.path());
        let loaded = load_mask(&path, None, Encoding::Auto, table).expect("a mask");
        let size = loaded.mask.size();
        assert_eq!(loaded.mask.read_rect(size.bounds()), expected);
        assert_eq!(loaded.encoding, encoding);
        for class in expected.iter().filter(|class| **class != UNLABELED) {
            assert!(
                loaded.classes.get(*class).is_some(),
                "class {class} is in the table"
            );
        }
    }

    #[test]
    fn numbers_are_classes() {
        check(
            &grey(&[0, 1, 4, 255]),
            None,
            Encoding::Index,
            &[0, 1, 4, 255],
        );
        check(
            &grey(&[0, 1, 4, 255]),
            Some(&two_classes().with_values([4])),
            Encoding::Index,
            &[0, 1, 4, 255],
        );
        check(
            &grey(&[0, 255]),
            Some(&ClassTable::landcover_ai()),
            Encoding::Index,
            &[0, 255],
        );
        check(
            &rgb(&[1, 1, 1, 0, 0, 0, 3, 3, 3]),
            None,
            Encoding::Index,
            &[1, 0, 3],
        );
    }

    #[test]
    fn black_and_white_are_two_classes() {
        check(&grey(&[0, 255, 255]), None, Encoding::Binary, &[0, 1, 1]);
        check(&grey(&[255, 255]), None, Encoding::Binary, &[1, 1]);
        check(
            &grey(&[0, 255]),
            Some(&two_classes()),
            Encoding::Binary,
            &[0, 1],
        );
        check(
            &grey(&[0, 255]),
            Some(&ClassTable::road()),
            Encoding::Binary,
            &[0, 1],
        );
        check(
            &rgb(&[255, 255, 255, 0, 0, 0]),
            None,
            Encoding::Binary,
            &[1, 0],
        );
        check(
            &rgb(&[255, 255, 255, 0, 0, 0]),
            Some(&ClassTable::road()),
            Encoding::Rgb,
            &[1, 0],
        );
    }

    #[test]
    fn soft_greys_split_in_the_middle() {
        check(
            &grey(&[0, 3, 127, 128, 237]),
            None,
            Encoding::Binary,
            &[0, 0, 0, 1, 1],
        );
        check(
            &grey(&[0, 3, 127, 128, 237]),
            Some(&two_classes()),
            Encoding::Binary,
            &[0, 0, 0, 1, 1],
        );
        let soft: Vec<u8> = (0..=120).collect();
        check(&grey(&soft), None, Encoding::Binary, &[0; 121]);
    }

    #[test]
    fn sixteen_bits_are_black_and_white_or_small_numbers() {
        check(&wide(&[0, 0, 255, 255]), None, Encoding::Binary, &[0, 1]);
        check(
            &wide(&[0x7f, 0xff, 0x80, 0x00]),
            None,
            Encoding::Binary,
            &[0, 1],
        );
        check(&wide(&[0, 0, 0, 3]), None, Encoding::Index, &[0, 3]);
        let many: Vec<u8> = (0_u16..1_000)
            .flat_map(|n| (n * 60).to_be_bytes())
            .collect();
        let expected: Vec<u8> = (0_u16..1_000).map(|n| u8::from(n * 60 >= 32_768)).collect();
        check(&wide(&many), None, Encoding::Binary, &expected);
    }

    #[test]
    fn small_depths_are_numbers() {
        let pixels = [0b1011_0000];
        let (color, depth) = (png::ColorType::Grayscale, png::BitDepth::One);
        check(
            &Png {
                color,
                depth,
                size: (4, 1),
                pixels: &pixels,
            },
            None,
            Encoding::Index,
            &[1, 0, 1, 1],
        );
        let depth = png::BitDepth::Two;
        check(
            &Png {
                color,
                depth,
                size: (4, 1),
                pixels: &pixels,
            },
            None,
            Encoding::Index,
            &[2, 3, 0, 0],
        );
    }

    #[test]
    fn codes_are_classes_and_unknown_colors_are_reported() {
        let table = ClassTable::landcover_ai();
        let pixels = [97, 74, 74, 0, 197, 255, 1, 2, 3, 1, 2, 3];
        check(
            &rgb(&pixels),
            Some(&table),
            Encoding::Rgb,
            &[1, 3, 255, 255],
        );
        let folder = tempfile::tempdir().expect("a folder");
        let path = rgb(&pixels).write(folder.path());
        let notes = load_mask(&path, None, Encoding::Rgb, Some(&table))
            .expect("a mask")
            .notes;
        let expected =
            "2 pixels stand for no class and are unlabeled, for example color 1, 2, 3 at 2, 0";
        assert_eq!(notes, [expected]);
    }

    #[test]
    fn impure_colors_split_only_where_all_codes_are_pure() {
        let pure = ClassTable::from_codes(&[[0, 0, 0], [0, 255, 255], [255, 255, 0]]);
        let pixels = [3, 200, 250, 255, 130, 9, 255, 0, 255];
        check(&rgb(&pixels), Some(&pure), Encoding::Rgb, &[1, 2, 255]);
        let mixed = ClassTable::from_codes(&[[0, 0, 0], [0, 255, 254]]);
        check(&rgb(&pixels), Some(&mixed), Encoding::Rgb, &[255, 255, 255]);
    }

    #[test]
    fn a_picture_needs_a_table_and_may_have_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let pixels: Vec<u8> = (0..400_u16)
            .flat_map(|n| [n as u8, (n / 3) as u8, 200])
            .collect();
        let path = rgb(&pixels).write(folder.path());
        let error = load_mask(&path, None, Encoding::Auto, None).expect_err("too many colors");
        assert!(error.to_string().contains("give a class table"), "{error}");
        let pure = ClassTable::from_codes(&[[0, 0, 255], [255, 0, 255]]);
        let loaded = load_mask(&path, None, Encoding::Auto, Some(&pure)).expect("split");
        assert_eq!(loaded.notes.len(), 2, "{:?}", loaded.notes);
        assert_eq!((loaded.mask.get(0, 0), loaded.mask.get(130, 0)), (0, 1));
    }

    #[test]
    fn classes_without_an_entry_are_added_and_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = grey(&[0, 9, 9]).write(folder.path());
        let table = ClassTable::landcover_ai();
        let loaded = load_mask(&path, None, Encoding::Auto, Some(&table)).expect("a mask");
        assert_eq!(loaded.classes.name_of(9), "class 9");
        assert!(
            loaded.notes[0].ends_with("9 (2 pixels)"),
            "{:?}",
            loaded.notes
        );
    }

    #[test]
    fn a_mask_of_another_size_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = grey(&[0, 1]).write(folder.path());
        let error = load_mask(&path, Some(ImageSize::new(3, 1)), Encoding::Auto, None);
        let text = error.expect_err("another size").to_string();
        assert!(
            text.starts_with("The mask has 2 × 1 pixels but the image has 3 × 1"),
            "{text}"
        );
    }

    #[test]
    fn the_encoding_can_be_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = grey(&[0, 255, 7]).write(folder.path());
        for (encoding, expected) in [
            ("index", [0, 255, 7]),
            ("Binary", [0, 1, 0]),
            ("rgb", [0, 2, 1]),
        ] {
            let encoding = encoding.parse().expect("an encoding");
            let loaded = load_mask(&path, None, encoding, None).expect("a mask");
            assert_eq!(loaded.mask.read_rect(PixelRect::new(0, 0, 3, 1)), expected);
        }
        assert!("palette".parse::<Encoding>().is_err());
    }

    #[test]
    fn damaged_files_are_errors() {
        let folder = tempfile::tempdir().expect("a folder");
        let noise: Vec<u8> = (0..4_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let path = Png {
            size: (40, 100),
            ..grey(&noise)
        }
        .write(folder.path());
        let bytes = std::fs::read(&path).expect("there");
        for end in (0..bytes.len() - 16).step_by(97) {
            crate::disk::replace_file(&path, &bytes[..end]).expect("written");
            assert!(
                load_mask(&path, None, Encoding::Auto, None).is_err(),
                "{end} bytes"
            );
        }
    }

    #[test]
    fn a_file_that_calls_255_no_data_means_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        for (nodata, expected) in [(Some(255), [0, 255]), (None, [0, 1])] {
            let kind = crate::raster::PixelKind::Index { palette: None };
            let options = crate::raster::TiffOptions {
                nodata,
                ..crate::raster::TiffOptions::new(ImageSize::new(2, 1), kind)
            };
            let mut writer = crate::raster::TiffWriter::create(&path, options).expect("created");
            writer.write_rows(&[0, 255]).expect("rows");
            writer.finish().expect("written");
            let loaded = load_mask(&path, None, Encoding::Auto, None).expect("a mask");
            assert_eq!(loaded.mask.read_rect(PixelRect::new(0, 0, 2, 1)), expected);
        }
    }

    /// Masks of real data sets, where they lie beside the project.
    #[test]
    fn real_masks_load() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
        let cases = [
            ("camvid_11_480x360/valannot", Encoding::Index),
            ("epfl_roads/groundtruth", Encoding::Binary),
            (
                "roads_sagemaker_layout/sagemaker/seg-data/test/masks",
                Encoding::Binary,
            ),
            ("tgs_salt_1500/train/masks", Encoding::Binary),
            ("landcoverai_style/masks", Encoding::Index),
        ];
        for (folder, expected) in cases {
            let Ok(files) = std::fs::read_dir(data.join(folder)) else {
                tracing::warn!("{folder} is not here; nothing was tested on it");
                continue;
            };
            for file in files.take(12).flatten() {
                let loaded = load_mask(&file.path(), None, Encoding::Auto, None).expect("a mask");
                let is_empty = loaded.mask.histogram()[0] == loaded.mask.size().num_pixels();
                assert!(loaded.encoding == expected || is_empty, "{:?}", file.path());
            }
        }
    }
}
