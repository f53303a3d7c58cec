use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::{ClassTable, MASK_TILE_SIZE, Mask, MaskError, UNLABELED};
use super::coding::{Coding, Samples};
use super::meaning::Encoding;
use super::verify::verify;
use crate::disk::{
    ReplaceError, folder_of, keep_version, move_into_place, replace_file, replace_with,
};
use crate::geom::{Georef, ImageSize, PixelRect};
use crate::raster::{MAX_WHOLE_BYTES, PixelKind, TiffOptions, TiffWriter};

/// The kind of file to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveAs {
    /// PNG of class indices with the class colors as its palette.
    IndexPng,
    /// PNG of the classes' color codes; unlabeled pixels are transparent.
    RgbPng,
    /// Grey PNG: 0 for class 0, 255 for class 1.
    BinaryPng,
    /// Tiled `GeoTIFF` of class indices with a color table and overviews.
    GeoTiff,
    /// PNG or `GeoTIFF`, as the name says, without a palette and in a given encoding.
    Coded(Coding),
}

impl SaveAs {
    /// The format that a file's name says: `.tif` is a GeoTIFF, `.rgb.png` has class colors,
    /// `.binary.png` black and white, any other `.png` class indices.
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let endings = [
            (".tif", Self::GeoTiff),
            (".tiff", Self::GeoTiff),
            (".rgb.png", Self::RgbPng),
            (".binary.png", Self::BinaryPng),
            (".png", Self::IndexPng),
        ];
        let found = endings
            .into_iter()
            .find(|(ending, _)| name.ends_with(ending));
        found.map(|(_, save_as)| save_as)
    }

    const fn coding(self) -> Option<Coding> {
        let (encoding, samples) = match self {
            Self::Coded(coding) => return Some(coding),
            Self::RgbPng => (Encoding::Rgb, Samples::Rgb),
            Self::BinaryPng => (Encoding::Binary, Samples::Grey),
            Self::IndexPng | Self::GeoTiff => return None,
        };
        Some(Coding {
            encoding,
            samples,
            void: None,
        })
    }

    fn is_tiff(self, path: &Path) -> bool {
        match self {
            Self::GeoTiff => true,
            Self::Coded(_) => Self::of_path(path) == Some(Self::GeoTiff),
            Self::IndexPng | Self::RgbPng | Self::BinaryPng => false,
        }
    }

    /// Whether a mask of this extent can be read again: what is no TIFF is decoded as a whole.
    pub fn can_hold(self, size: ImageSize) -> bool {
        let bytes = match self {
            Self::GeoTiff => return true,
            Self::RgbPng | Self::Coded(_) => 4,
            Self::IndexPng | Self::BinaryPng => 1,
        };
        size.num_pixels() <= MAX_WHOLE_BYTES / bytes
    }
}

/// Old versions of a mask file that are kept.
const VERSIONS: u32 = 3;

/// Writes a mask file: whole or not at all, and only after what was written reads back equal. The
/// last three versions stay in a hidden folder beside it ([`version_path`](crate::disk::version_path)).
///
/// A PNG's georeference goes to a world file beside it. The class table itself is not written;
/// [`ClassTable::save`] does that.
///
/// # Errors
/// [`MaskError`] when the disk refuses, the encoding cannot say a class, or the written file reads
/// back otherwise; the old file is then untouched.
pub fn save_mask(
    path: &Path,
    mask: &Mask,
    classes: &ClassTable,
    georef: Option<&Georef>,
    save_as: SaveAs,
) -> Result<(), MaskError> {
    replaced_by(path, |draft| {
        write_draft(draft, mask, classes, georef, save_as).map_err(|error| match error {
            // The draft's place is nobody's business.
            MaskError::Unwritable { reason, .. } => MaskError::Unwritable {
                reason,
                path: path.to_owned(),
            },
            error => error,
        })?;
        verify(draft, mask, classes, save_as).map_err(|error| MaskError::Unverified {
            reason: error.to_string(),
            path: path.to_owned(),
        })
    })?;
    if let Some(georef) = georef
        && !save_as.is_tiff(path)
    {
        replace_file(&world_file_of(path), world_file(georef).as_bytes())?;
    }
    Ok(())
}

/// Lets `write` make a draft that then takes the place of the file at `path`, whose last versions
/// are kept.
pub(super) fn replaced_by(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), MaskError>,
) -> Result<(), MaskError> {
    let refused = |source| ReplaceError {
        path: path.to_owned(),
        source,
    };
    let name = path
        .file_name()
        .ok_or_else(|| refused(io::ErrorKind::InvalidFilename.into()))?;
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(refused)?;
    // A folder, so that the draft has the file's own name and its usual permissions.
    let mut room = tempfile::Builder::new();
    let room = room
        .prefix(".orthobrush-")
        .tempdir_in(folder)
        .map_err(refused)?;
    let draft = room.path().join(name);
    write(&draft)?;
    keep_version(path, VERSIONS).map_err(refused)?;
    move_into_place(&draft, path).map_err(refused)?;
    Ok(())
}

fn write_draft(
    draft: &Path,
    mask: &Mask,
    classes: &ClassTable,
    georef: Option<&Georef>,
    save_as: SaveAs,
) -> Result<(), MaskError> {
    let unwritable = |reason| MaskError::Unwritable {
        reason,
        path: draft.to_owned(),
    };
    let Some(coding) = save_as.coding() else {
        if save_as.is_tiff(draft) {
            return write_tiff(draft, mask, classes, georef);
        }
        return Ok(replace_with(draft, |file| {
            write_index_png(file, mask, classes)
        })?);
    };
    let is_tiff = save_as.is_tiff(draft);
    let may_be_clear = match save_as {
        // Black and white that a person asks for is nothing else.
        SaveAs::BinaryPng => false,
        _ => !is_tiff || coding.samples == Samples::Rgb,
    };
    let pixels = coding
        .pixels(mask, classes, may_be_clear)
        .map_err(unwritable)?;
    if is_tiff {
        return coding.write_tiff(draft, mask, &pixels, georef);
    }
    Ok(replace_with(draft, |file| {
        coding.write_png(file, mask, &pixels)
    })?)
}

/// Calls `write` with each band of rows, top to bottom.
pub(super) fn for_each_band<E>(
    mask: &Mask,
    mut write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let size = mask.size();
    for top in (0..size.height).step_by(MASK_TILE_SIZE as usize) {
        let band = PixelRect::new(0, top, size.width, MASK_TILE_SIZE).intersect(size.bounds());
        write(&mask.read_rect(band))?;
    }
    Ok(())
}

fn write_index_png(file: &mut impl Write, mask: &Mask, classes: &ClassTable) -> io::Result<()> {
    let counts = mask.histogram();
    let highest = (0..256).rev().find(|&index| counts[index] > 0).unwrap_or(0);
    let num_colors = classes.num_classes().max(highest + 1);
    let colors = classes.colors();
    let mut encoder = png::Encoder::new(file, mask.size().width, mask.size().height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(colors[..num_colors].concat());
    if counts[usize::from(UNLABELED)] > 0 {
        let mut alpha = vec![255; 256];
        alpha[usize::from(UNLABELED)] = 0;
        encoder.set_trns(alpha);
    }
    // Neighboring indices are equal or unrelated; differences would only blur that.
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    let mut rows = writer.stream_writer()?;
    for_each_band(mask, |band| rows.write_all(band))?;
    rows.finish()?;
    Ok(writer.finish()?)
}

fn write_tiff(
    path: &Path,
    mask: &Mask,
    classes: &ClassTable,
    georef: Option<&Georef>,
) -> Result<(), MaskError> {
    let kind = PixelKind::Index {
        palette: Some(classes.colors().to_vec()),
    };
    let options = TiffOptions {
        georef: georef.cloned(),
        nodata: Some(UNLABELED),
        ..TiffOptions::new(mask.size(), kind)
    };
    let mut writer = TiffWriter::create(path, options)?;
    for_each_band(mask, |band| writer.write_rows(band))?;
    Ok(writer.finish()?)
}

/// `STEM.pgw` beside a PNG.
fn world_file_of(path: &Path) -> PathBuf {
    path.with_extension("pgw")
}

/// The six lines of a world file: the columns' effects first, then the center of the first pixel.
fn world_file(georef: &Georef) -> String {
    let [a, b, c, d, e, f] = georef.map_from_image;
    let (x, y) = (c + f64::midpoint(a, b), f + f64::midpoint(d, e));
    format!("{a}\n{d}\n{b}\n{e}\n{x}\n{y}\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Encoding, load_mask};
    use super::*;
    use crate::geom::ImageSize;

    const KINDS: [(SaveAs, &str); 3] = [
        (SaveAs::IndexPng, "mask.png"),
        (SaveAs::RgbPng, "mask.png"),
        (SaveAs::GeoTiff, "mask.tif"),
    ];

    fn table() -> ClassTable {
        ClassTable::landcover_ai()
    }

    /// Rows of 700 pixels with patches of all classes and of none.
    fn patches(size: ImageSize, classes: &[u8]) -> Mask {
        let mut mask = Mask::new(size);
        for (n, &class) in (0_u32..).zip(classes) {
            let rect = PixelRect::new(n * 97 % size.width, n * 61 % size.height, 150, 90);
            mask.set_rect(rect, &vec![class; rect.num_pixels() as usize]);
        }
        mask
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn every_kind_of_file_keeps_every_pixel(
            width in 1_u32..700,
            height in 1_u32..600,
            classes in prop::collection::vec(prop_oneof![0_u8..5, Just(255)], 0..20),
        ) {
            let mask = patches(ImageSize::new(width, height), &classes);
            let folder = tempfile::tempdir().expect("a folder");
            for (save_as, name) in KINDS {
                let path = folder.path().join(name);
                save_mask(&path, &mask, &table(), None, save_as).expect("saved");
                let loaded = load_mask(&path, Some(mask.size()), Encoding::Auto, Some(&table()));
                let loaded = loaded.expect("our own");
                prop_assert_eq!(&loaded.mask, &mask, "{:?}", save_as);
                prop_assert_eq!(&loaded.classes, &table());
                prop_assert_eq!(loaded.notes, Vec::<String>::new());
            }
        }
    }

    #[test]
    fn black_and_white_say_two_classes_and_no_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.binary.png");
        assert_eq!(SaveAs::of_path(&path), Some(SaveAs::BinaryPng));
        let mut mask = patches(ImageSize::new(300, 200), &[1, 0, 1]);
        let table = ClassTable::road();
        let save = |mask: &Mask| save_mask(&path, mask, &table, None, SaveAs::BinaryPng);
        let error = save(&mask).expect_err("some is unlabeled").to_string();
        assert!(error.contains("unlabeled"), "{error}");
        let table_of_zero: [u8; 256] = std::array::from_fn(|index| u8::from(index == 1));
        mask = mask.recoded(&table_of_zero);
        save(&mask).expect("saved");
        let loaded = load_mask(&path, None, Encoding::Auto, Some(&table)).expect("our own");
        assert_eq!(loaded.mask, mask);
        assert_eq!(loaded.encoding, Encoding::Binary);
    }

    #[test]
    fn the_files_own_palette_is_enough_to_show_it() {
        let mask = patches(ImageSize::new(300, 200), &[0, 1, 4]);
        let folder = tempfile::tempdir().expect("a folder");
        for (save_as, name) in [
            (SaveAs::IndexPng, "mask.png"),
            (SaveAs::GeoTiff, "mask.tif"),
        ] {
            let path = folder.path().join(name);
            save_mask(&path, &mask, &table(), None, save_as).expect("saved");
            let loaded = load_mask(&path, None, Encoding::Auto, None).expect("our own");
            assert_eq!(loaded.mask, mask);
            assert_eq!(loaded.classes.colors()[4], table().colors()[4]);
        }
    }

    #[test]
    fn the_georeference_stays() {
        let mask = patches(ImageSize::new(300, 200), &[0, 1, 4]);
        let georef = Georef::north_up(500_000.0, 250_000.0, 0.25, None);
        let folder = tempfile::tempdir().expect("a folder");
        for (save_as, name) in KINDS {
            let path = folder.path().join(name);
            save_mask(&path, &mask, &table(), Some(&georef), save_as).expect("saved");
            let loaded = load_mask(&path, None, Encoding::Auto, Some(&table())).expect("our own");
            let found = loaded.georef.expect("kept");
            assert_eq!(found.map_from_image, georef.map_from_image, "{save_as:?}");
        }
    }

    #[test]
    fn saving_leaves_nothing_but_the_file_and_its_old_version() {
        let folder = tempfile::tempdir().expect("a folder");
        let mask = Mask::filled(ImageSize::new(20, 20), 2);
        let path = folder.path().join("mask.png");
        for _ in 0..2 {
            save_mask(&path, &mask, &table(), None, SaveAs::IndexPng).expect("saved");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
        assert!(crate::disk::version_path(&path, 1).is_file());
    }

    #[test]
    fn what_colors_cannot_say_is_refused_and_the_old_file_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.png");
        replace_file(&path, b"old").expect("written");
        let size = ImageSize::new(2, 1);
        let mut mask = Mask::filled(size, 9);
        let error =
            save_mask(&path, &mask, &table(), None, SaveAs::RgbPng).expect_err("no class 9");
        assert!(
            error.to_string().contains("class 9 has no color"),
            "{error}"
        );
        mask.set_rect(size.bounds(), &[0, 1]);
        let twins = ClassTable::from_values([0, 1])
            .recolored(1, [230, 159, 0])
            .expect("there");
        let error = save_mask(&path, &mask, &twins, None, SaveAs::RgbPng).expect_err("twins");
        assert!(error.to_string().contains("the same color"), "{error}");
        assert_eq!(fs::read(&path).expect("there"), b"old");
    }
}
