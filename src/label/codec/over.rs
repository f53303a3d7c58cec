use std::path::Path;

use super::super::{ClassTable, Mask, MaskError, Rgb};
use super::coding::{Coding, Samples};
use super::load::{LoadedMask, load_mask};
use super::meaning::Encoding;
use super::rows::{Form, RowReader};
use super::save::{SaveAs, save_mask};
use crate::geom::Georef;

/// Writes a mask over a mask file, in the encoding that the file has: black and white, grey
/// indices and colors stay what they are, and the colors of a palette those that `classes` did not
/// change. Classes that this cannot say make it a file of class indices with a palette. What the
/// person should know of that is the answer, a sentence each without its period.
///
/// `known` are the classes that the file was read with, where they do not lie beside it. A file
/// that is no mask any more is written as its name says.
///
/// # Errors
/// As for [`save_mask`].
pub fn save_mask_over(
    path: &Path,
    mask: &Mask,
    classes: &ClassTable,
    georef: Option<&Georef>,
    known: Option<&ClassTable>,
) -> Result<Vec<String>, MaskError> {
    let by_name = SaveAs::of_path(path).unwrap_or(SaveAs::IndexPng);
    let by_index = match by_name {
        SaveAs::GeoTiff => SaveAs::GeoTiff,
        _ => SaveAs::IndexPng,
    };
    let Ok(there) = There::look(path, classes, known) else {
        save_mask(path, mask, classes, georef, by_name)?;
        return Ok(Vec::new());
    };
    let (loaded, coding) = match there {
        There::Palette(shown) => {
            save_mask(path, mask, &shown, georef, by_index)?;
            return Ok(Vec::new());
        }
        There::Coded(loaded, coding) => (loaded, coding),
    };
    let reason = match save_mask(path, mask, classes, georef, SaveAs::Coded(coding)) {
        Ok(()) => return Ok(new_colors(mask, classes, &loaded)),
        Err(MaskError::Unwritable { reason, .. }) => reason,
        Err(MaskError::Unverified { .. }) => {
            "written so, it would be read as other classes".to_owned()
        }
        Err(error) => return Err(error),
    };
    save_mask(path, mask, classes, georef, by_index)?;
    let was = match coding.encoding {
        Encoding::Rgb => "a mask of colors",
        Encoding::Binary => "a black and white mask",
        Encoding::Index | Encoding::Auto => "a grey mask",
    };
    Ok(vec![format!(
        "What was {was} holds class indices with a palette now, unlike others of its folder: \
         {reason}"
    )])
}

/// What a mask file that is to be replaced is.
enum There {
    /// Class indices with a palette; the classes in its colors.
    Palette(ClassTable),
    /// Anything else.
    Coded(Box<LoadedMask>, Coding),
}

impl There {
    fn look(
        path: &Path,
        classes: &ClassTable,
        known: Option<&ClassTable>,
    ) -> Result<Self, MaskError> {
        let reader = RowReader::open(path)?;
        let load = || load_mask(path, None, Encoding::Auto, known);
        if let Some(palette) = &reader.palette {
            let has_color = |&class: &usize, color: Rgb| palette.get(class) == Some(&color);
            let mut all = classes.classes().iter();
            if all.all(|class| has_color(&usize::from(class.index), class.color)) {
                return Ok(Self::Palette(classes.clone()));
            }
            return Ok(Self::Palette(in_colors(palette, classes, &load()?)));
        }
        let loaded = load()?;
        let is_tiff = SaveAs::of_path(path) == Some(SaveAs::GeoTiff);
        let samples = match reader.form {
            Form::Rgba if reader.bands > 2 => Samples::Rgb,
            Form::Wide if !is_tiff => Samples::WideGrey,
            Form::Rgba | Form::Wide | Form::Byte | Form::Stretched => Samples::Grey,
        };
        let encoding = match loaded.encoding {
            // What other programs see in a single bit.
            Encoding::Index if reader.is_bilevel => Encoding::Binary,
            encoding => encoding,
        };
        // The number of a class may be declared all the same and cannot say what is none.
        let is_free = |&void: &u8| match encoding {
            Encoding::Index => classes.get(void).is_none(),
            _ => void != 0,
        };
        let void = reader.void.filter(|_| is_tiff);
        let void = void.and_then(|void| u8::try_from(void).ok());
        let void = void.filter(is_free);
        let coding = Coding {
            encoding,
            samples,
            void: void.filter(|_| samples == Samples::Grey),
        };
        Ok(Self::Coded(Box::new(loaded), coding))
    }
}

/// The classes in the colors of a file's palette, where it shows them and nobody has changed their
/// color since it was read.
fn in_colors(palette: &[Rgb], classes: &ClassTable, read: &LoadedMask) -> ClassTable {
    let counts = read.mask.histogram();
    let mut shown = classes.clone();
    for class in classes.classes() {
        let index = usize::from(class.index);
        let before = read.classes.get(class.index);
        let is_as_read = before.is_some_and(|before| before.color == class.color);
        if let Some(&color) = palette.get(index)
            && is_as_read
            && counts[index] > 0
        {
            shown = shown.recolored(class.index, color).unwrap_or(shown);
        }
    }
    shown
}

/// What is to be said of classes that a color-coded file had no color for.
fn new_colors(mask: &Mask, classes: &ClassTable, read: &LoadedMask) -> Vec<String> {
    if read.encoding != Encoding::Rgb {
        return Vec::new();
    }
    let counts = mask.histogram();
    let is_new = |index: u8| counts[usize::from(index)] > 0 && read.classes.get(index).is_none();
    let new = classes.classes().iter().filter(|class| is_new(class.index));
    new.map(|class| {
        let [red, green, blue] = class.code();
        format!(
            "\"{}\" had no color in this mask and is {red}, {green}, {blue} in it now; other \
             programs need it in their list of classes",
            class.name
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{replace_file, replace_with};
    use crate::geom::{ImageSize, PixelRect};
    use crate::label::{Class, UNLABELED};
    use crate::raster::{MadeBands, open_raster};

    const GREY: png::ColorType = png::ColorType::Grayscale;

    /// A PNG of one row.
    fn png(path: &Path, color: png::ColorType, depth: png::BitDepth, pixels: &[u8]) {
        let bits = color.samples() * depth as usize;
        let width = (pixels.len() * 8 / bits) as u32;
        replace_with(path, |file| {
            let mut encoder = png::Encoder::new(file, width, 1);
            encoder.set_color(color);
            encoder.set_depth(depth);
            encoder.write_header()?.write_image_data(pixels)?;
            Ok(())
        })
        .expect("written");
    }

    fn stored(path: &Path) -> (png::ColorType, png::BitDepth, Vec<u8>) {
        let file = crate::disk::open_file(path).expect("there");
        let mut decoder = png::Decoder::new(std::io::BufReader::new(file));
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().expect("a PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("small")];
        let frame = reader.next_frame(&mut bytes).expect("whole");
        bytes.truncate(frame.buffer_size());
        (frame.color_type, frame.bit_depth, bytes)
    }

    /// Reads the file, gives pixel 0 the class of pixel 1, and saves.
    fn dabbed(path: &Path) -> Vec<String> {
        let loaded = load_mask(path, None, Encoding::Auto, None).expect("a mask");
        let mut mask = loaded.mask;
        let class = mask.get(1, 0);
        mask.set_rect(PixelRect::new(0, 0, 1, 1), &[class]);
        save_mask_over(path, &mask, &loaded.classes, None, None).expect("saved")
    }

    #[test]
    fn pixels_keep_their_encoding() {
        use png::BitDepth::{Eight, One, Sixteen};
        use png::ColorType::Rgb;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.png");
        let cases: [(_, _, &[u8], _, &[u8]); 7] = [
            (GREY, Eight, &[0, 255, 0], Eight, &[255, 255, 0]),
            (GREY, Eight, &[0, 237, 3, 90], Eight, &[255, 255, 0, 0]),
            (GREY, Eight, &[0, 4, 2, 255], Eight, &[4, 4, 2, 255]),
            (GREY, Sixteen, &[0, 0, 0, 7], Sixteen, &[0, 7, 0, 7]),
            (
                GREY,
                Sixteen,
                &[0, 0, 255, 255],
                Sixteen,
                &[255, 255, 255, 255],
            ),
            (
                Rgb,
                Eight,
                &[255, 0, 0, 0, 255, 255],
                Eight,
                &[0, 255, 255, 0, 255, 255],
            ),
            (
                Rgb,
                Eight,
                &[0, 0, 0, 255, 255, 255],
                Eight,
                &[255, 255, 255, 255, 255, 255],
            ),
        ];
        for (color, depth, before, depth_after, after) in cases {
            png(&path, color, depth, before);
            assert_eq!(dabbed(&path), Vec::<String>::new(), "{before:?}");
            assert_eq!(stored(&path), (color, depth_after, after.to_vec()));
        }
        png(&path, GREY, One, &[0b0100_0001]);
        assert_eq!(dabbed(&path), Vec::<String>::new());
        let bits = vec![255, 255, 0, 0, 0, 0, 0, 255];
        assert_eq!(stored(&path), (GREY, Eight, bits));
    }

    #[test]
    fn palettes_keep_colors_that_nobody_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.png");
        let mut mask = Mask::filled(ImageSize::new(3, 1), 0);
        mask.set_rect(PixelRect::new(1, 0, 2, 1), &[1, 2]);
        let own = ClassTable::from_codes(&[[0; 3], [9, 8, 7], [1, 2, 3]]);
        save_mask(&path, &mask, &own, None, SaveAs::IndexPng).expect("saved");
        let known = ClassTable::from_values(0..3);
        let now = known.recolored(2, [4, 5, 6]).expect("there");
        let notes = save_mask_over(&path, &mask, &now, None, Some(&known)).expect("saved");
        assert_eq!(notes, Vec::<String>::new());
        let palette = open_raster(&path).expect("a PNG").info().palette.clone();
        assert_eq!(palette.expect("one")[..3], [[0; 3], [9, 8, 7], [4, 5, 6]]);
    }

    #[test]
    fn tiffs_keep_their_encoding() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        let mut mask = Mask::filled(ImageSize::new(3, 1), 0);
        mask.set_rect(PixelRect::new(1, 0, 1, 1), &[1]);
        let table = ClassTable::from_codes(&[[0; 3], [255; 3]]);
        for samples in [Samples::Grey, Samples::Rgb] {
            for encoding in [Encoding::Binary, Encoding::Rgb] {
                let coding = Coding {
                    encoding,
                    samples,
                    void: None,
                };
                save_mask(&path, &mask, &table, None, SaveAs::Coded(coding)).expect("saved");
                assert_eq!(dabbed(&path), Vec::<String>::new(), "{coding:?}");
                let source = open_raster(&path).expect("a TIFF");
                assert!(source.info().palette.is_none());
                let pixels = source.read_rgba(0, source.info().size.bounds());
                let pixels = pixels.expect("read");
                assert_eq!(pixels, [vec![255; 8], vec![0, 0, 0, 255]].concat());
            }
        }
    }

    #[test]
    fn gaps_are_transparent() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.png");
        png(&path, GREY, png::BitDepth::Eight, &[0, 255, 0]);
        let read = || load_mask(&path, None, Encoding::Auto, None).expect("a mask");
        let (mut mask, classes) = (read().mask, read().classes);
        mask.set_rect(PixelRect::new(0, 0, 1, 1), &[UNLABELED]);
        let notes = save_mask_over(&path, &mask, &classes, None, None).expect("saved");
        assert_eq!(notes, Vec::<String>::new());
        let (color, _, bytes) = stored(&path);
        assert_eq!(color, png::ColorType::GrayscaleAlpha);
        assert_eq!(bytes, [0, 0, 255, 255, 0, 255]);
        assert_eq!(read().mask, mask);
    }

    #[test]
    fn what_an_encoding_cannot_say_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.png");
        let with_water = |table: &ClassTable| {
            let water = Class::new(2, "water", [10, 20, 30]);
            let all = table.classes().iter().cloned().chain([water]);
            ClassTable::new(table.background(), all.collect()).expect("valid")
        };
        let saved = |known: Option<&ClassTable>| {
            let loaded = load_mask(&path, None, Encoding::Auto, known).expect("a mask");
            let (mut mask, classes) = (loaded.mask, with_water(&loaded.classes));
            mask.set_rect(PixelRect::new(0, 0, 1, 1), &[2]);
            let notes = save_mask_over(&path, &mask, &classes, None, known).expect("saved");
            let read = load_mask(&path, None, Encoding::Auto, Some(&classes));
            assert_eq!(read.expect("a mask").mask, mask);
            notes
        };
        png(&path, GREY, png::BitDepth::Eight, &[0, 255, 0]);
        let notes = saved(None);
        assert!(notes[0].contains("1 pixels are water"), "{notes:?}");
        assert_eq!(stored(&path).0, png::ColorType::Indexed);
        let pixels = [255, 0, 0, 0, 255, 255, 255, 0, 0];
        png(&path, png::ColorType::Rgb, png::BitDepth::Eight, &pixels);
        let known = ClassTable::from_codes(&[[255, 0, 0], [0, 255, 255]]);
        let notes = saved(Some(&known));
        assert!(notes[0].contains("10, 20, 30"), "{notes:?}");
        assert_eq!(stored(&path).2[..6], [10, 20, 30, 0, 255, 255]);
    }

    #[test]
    fn what_a_file_calls_no_data_stays_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        let made = MadeBands {
            nodata: "9",
            ..MadeBands::new(4, 1, 1, 8)
        };
        for (before, class, after, nodata) in [
            ([0, 1, 9, 9], UNLABELED, [9, 1, 9, 9], 9.0),
            ([0, 1, 9, 9], 1, [1, 1, 9, 9], 9.0),
            ([0, 255, 9, 255], UNLABELED, [9, 255, 9, 255], 9.0),
            // A class that a person gave this number.
            ([0, 1, 9, 9], 9, [9, 1, 255, 255], 255.0),
        ] {
            let file = made.file(|x, _, _| f64::from(before[x as usize]));
            replace_file(&path, &file).expect("written");
            let loaded = load_mask(&path, None, Encoding::Auto, None).expect("a mask");
            let classes = loaded.classes.with_values([class]);
            let mut mask = loaded.mask;
            mask.set_rect(PixelRect::new(0, 0, 1, 1), &[class]);
            let notes = save_mask_over(&path, &mask, &classes, None, None).expect("saved");
            assert_eq!(notes, Vec::<String>::new());
            let source = open_raster(&path).expect("a TIFF");
            let stored = source.read_index(source.info().size.bounds());
            assert_eq!(stored.expect("read"), after);
            assert_eq!(source.info().nodata, Some(nodata));
            let read = load_mask(&path, None, Encoding::Auto, Some(&classes));
            assert_eq!(read.expect("a mask").mask, mask);
        }
    }

    #[test]
    fn no_data_is_kept_unless_the_known_classes_have_its_number() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        for (nodata, known, before, class, after, nodata_after) in [
            ("0", &[1, 2][..], [0, 1, 2, 0], 2, [0, 2, 2, 0], 0.0),
            ("0", &[1, 2], [0, 1, 2, 0], UNLABELED, [0, 0, 2, 0], 0.0),
            ("0", &[0, 1], [0, 1, 1, 0], UNLABELED, [0, 255, 1, 0], 255.0),
            ("9", &[0, 9], [0, 0, 9, 9], 9, [0, 9, 9, 9], 255.0),
            ("9", &[0, 9], [0, 9, 0, 0], UNLABELED, [0, 255, 0, 0], 255.0),
        ] {
            let made = MadeBands {
                nodata,
                ..MadeBands::new(4, 1, 1, 8)
            };
            let file = made.file(|x, _, _| f64::from(before[x as usize]));
            replace_file(&path, &file).expect("written");
            let known = ClassTable::from_values(known.iter().copied());
            let load = || load_mask(&path, None, Encoding::Auto, Some(&known)).expect("a mask");
            let mut mask = load().mask;
            mask.set_rect(PixelRect::new(1, 0, 1, 1), &[class]);
            let notes = save_mask_over(&path, &mask, &known, None, Some(&known)).expect("saved");
            assert_eq!(notes, Vec::<String>::new());
            let source = open_raster(&path).expect("a TIFF");
            let stored = source.read_index(source.info().size.bounds());
            assert_eq!(stored.expect("read"), after);
            assert_eq!(source.info().nodata, Some(nodata_after));
            assert_eq!(load().mask, mask);
        }
    }
}
