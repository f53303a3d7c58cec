use std::path::Path;

use super::super::{ClassTable, MASK_TILE_SIZE, MaskError, UNLABELED};
use super::save::replaced_by;
use crate::geom::{Georef, ImageSize, PixelRect};
use crate::raster::{BandMeaning, PixelKind, TiffOptions, TiffWriter, open_raster};

/// What a file of one byte a pixel says beside its pixels.
#[derive(Clone, Copy, Debug)]
pub struct IndexTiff<'a> {
    /// Extent in pixels.
    pub size: ImageSize,
    /// The classes that bytes stand for; without them they are greys.
    pub classes: Option<&'a ClassTable>,
    /// Where the image lies on the map.
    pub georef: Option<&'a Georef>,
    /// What bytes stand for that are not classes.
    pub meaning: Option<&'a BandMeaning>,
}

/// Writes a `GeoTIFF` of one byte a pixel, 255 for no data, that no [`Mask`](crate::label::Mask)
/// holds: `read` gives the bytes of whole rows, twice from top to bottom, and must give the same
/// both times. As with [`save_mask`](crate::label::save_mask) the file is there whole or not at all,
/// only after it reads back equal, and its last three versions are kept.
///
/// # Errors
/// What `read` says, or [`MaskError`] when the disk refuses or the file reads back otherwise; the
/// old file is then untouched.
pub fn save_index_tiff<E: From<MaskError>>(
    path: &Path,
    file: &IndexTiff<'_>,
    mut read: impl FnMut(PixelRect) -> Result<Vec<u8>, E>,
) -> Result<(), E> {
    let mut unread = None;
    let mut told = |rect| match read(rect) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            unread = Some(error);
            None
        }
    };
    let done = replaced_by(path, |draft| {
        let is_whole = write(draft, file, &mut told)? && is_equal(draft, file, &mut told)?;
        if is_whole {
            return Ok(());
        }
        Err(MaskError::Unverified {
            reason: "it came back otherwise".to_owned(),
            path: path.to_owned(),
        })
    });
    match unread {
        Some(error) => Err(error),
        None => Ok(done?),
    }
}

type Told<'a> = dyn FnMut(PixelRect) -> Option<Vec<u8>> + 'a;

/// Whether all rows came.
fn write(draft: &Path, file: &IndexTiff<'_>, told: &mut Told<'_>) -> Result<bool, MaskError> {
    let palette = file.classes.map(|classes| classes.colors().to_vec());
    let options = TiffOptions {
        georef: file.georef.cloned(),
        nodata: Some(UNLABELED),
        meaning: file.meaning.cloned(),
        ..TiffOptions::new(file.size, PixelKind::Index { palette })
    };
    let mut writer = TiffWriter::create(draft, options)?;
    for band in bands(file.size) {
        let Some(rows) = told(band) else {
            return Ok(false);
        };
        writer.write_rows(&rows)?;
    }
    writer.finish()?;
    Ok(true)
}

/// Whether all rows came again and are those of the file.
fn is_equal(draft: &Path, file: &IndexTiff<'_>, told: &mut Told<'_>) -> Result<bool, MaskError> {
    let written = open_raster(draft)?;
    for band in bands(file.size) {
        if told(band) != Some(written.read_index(band)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn bands(size: ImageSize) -> impl Iterator<Item = PixelRect> {
    (0..size.height)
        .step_by(MASK_TILE_SIZE as usize)
        .map(move |y| PixelRect::new(0, y, size.width, MASK_TILE_SIZE).intersect(size.bounds()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{Class, Encoding, load_mask};

    const SIZE: ImageSize = ImageSize {
        width: 700,
        height: 600,
    };

    fn pixels(rect: PixelRect) -> Vec<u8> {
        let row = |y| (rect.x..rect.right()).map(move |x| ((x / 90 + y / 70) % 3) as u8);
        (rect.y..rect.bottom()).flat_map(row).collect()
    }

    fn classes() -> ClassTable {
        let class = |index: u8| Class::new(index, format!("class {index}"), [index * 80; 3]);
        ClassTable::new(None, (0..3).map(class).collect()).expect("a table")
    }

    #[test]
    fn what_was_told_row_by_row_is_a_mask_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        let classes = classes();
        let file = IndexTiff {
            size: SIZE,
            classes: Some(&classes),
            georef: None,
            meaning: None,
        };
        save_index_tiff(&path, &file, |rect| Ok::<_, MaskError>(pixels(rect))).expect("written");
        let loaded = load_mask(&path, Some(SIZE), Encoding::Auto, None).expect("a mask");
        let all = SIZE.bounds();
        assert!(loaded.mask.read_rect(all) == pixels(all));
    }

    #[test]
    fn what_bytes_stand_for_is_in_the_file_and_changes_no_pixel() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sure.tif");
        let meaning = BandMeaning {
            description: "Heat, 9 < 10".to_owned(),
            scale: -0.25,
            offset: 8.5,
            unit: "K",
        };
        let file = IndexTiff {
            size: SIZE,
            classes: None,
            georef: None,
            meaning: Some(&meaning),
        };
        save_index_tiff(&path, &file, |rect| Ok::<_, MaskError>(pixels(rect))).expect("written");
        let bytes = std::fs::read(&path).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        for item in [
            "name=\"DESCRIPTION\" sample=\"0\" role=\"description\">Heat, 9 &lt; 10<",
            "role=\"scale\">-0.25<",
            "role=\"offset\">8.5<",
            "role=\"unittype\">K<",
        ] {
            assert_eq!(text.matches(item).count(), 1, "{item}");
        }
        let written = open_raster(&path).expect("opens");
        let all = SIZE.bounds();
        assert!(written.read_index(all).expect("read") == pixels(all));
    }

    #[test]
    fn what_cannot_be_read_or_changes_leaves_the_old_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        let file = IndexTiff {
            size: SIZE,
            classes: None,
            georef: None,
            meaning: None,
        };
        let save = |read: &mut dyn FnMut(PixelRect) -> anyhow::Result<Vec<u8>>| {
            save_index_tiff(&path, &file, read)
        };
        save(&mut |rect| Ok(pixels(rect))).expect("written");
        let old = std::fs::read(&path).expect("a file");
        let why = save(&mut |rect| match rect.y {
            0 => Ok(pixels(rect)),
            _ => anyhow::bail!("the block is gone"),
        });
        assert_eq!(why.expect_err("a failure").to_string(), "the block is gone");
        let mut times = 0;
        let changing = save(&mut |rect| {
            times += 1;
            let mut bytes = pixels(rect);
            bytes[0] = u8::from(times > 3);
            Ok(bytes)
        });
        assert!(
            changing
                .expect_err("a failure")
                .to_string()
                .contains("otherwise")
        );
        assert!(std::fs::read(&path).expect("a file") == old);
    }
}
