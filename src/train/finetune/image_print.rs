use std::fs;
use std::path::Path;

use crate::dataset::{DatasetError, Scene};
use crate::disk::replace_file;
use crate::geom::PixelRect;
use crate::raster::{SampleType, TileSource};
use crate::train::TrainError;

/// Name of the file in the folder of a run on one image that tells the image from others.
pub(super) const PRINT_FILE: &str = "image_print.txt";
/// Looked at in each direction, from border to border.
const SPOTS: u32 = 4;
/// Columns and rows of a spot.
const SPOT: u32 = 32;

/// A word that two files share when they show the same image, whatever they are called: the size
/// and a checksum of the colors at sixteen spots.
///
/// # Errors
/// When the image cannot be read.
pub(in crate::train) fn image_print(source: &dyn TileSource) -> Result<String, DatasetError> {
    let size = source.info().size;
    let mut sum = 0;
    for row in 0..SPOTS {
        for col in 0..SPOTS {
            let along = |length: u32, at: u32| {
                (u64::from(length.saturating_sub(SPOT)) * u64::from(at) / u64::from(SPOTS - 1))
                    as u32
            };
            let (x, y) = (along(size.width, col), along(size.height, row));
            let spot = PixelRect::new(x, y, SPOT, SPOT).intersect(size.bounds());
            sum = crc32c::crc32c_append(sum, &source.read_rgba(0, spot)?);
        }
    }
    Ok(format!("{}x{}-{sum:08x}", size.width, size.height))
}

/// Writes the print of the image that the run in `folder` learns from, so that the image is known
/// again when its file was moved. One that cannot be read everywhere has none.
pub(in crate::train) fn keep_image_print(folder: &Path, scene: &Scene) -> Result<(), TrainError> {
    let print = scene.source().and_then(|source| image_print(&*source));
    match print {
        Ok(print) => {
            let text = format!("{print}\n");
            Ok(replace_file(&folder.join(PRINT_FILE), text.as_bytes())?)
        }
        Err(error) => {
            tracing::debug!("The image gets no print ({error}): {}", scene.name());
            Ok(())
        }
    }
}

/// Refuses an image that is another one than the run in `folder` began on, where that is known.
///
/// # Errors
/// [`TrainError::GroundChanged`].
pub(in crate::train) fn check_image_print(
    folder: &Path,
    source: &dyn TileSource,
) -> Result<(), TrainError> {
    // The colors of wide samples depend on what overviews there are: of those only the size tells.
    let narrow = [
        SampleType::U1,
        SampleType::U2,
        SampleType::U4,
        SampleType::U8,
    ];
    let is_narrow = narrow.contains(&source.info().sample);
    let told = |print: &str| match print.split_once('-') {
        Some((size, _)) if !is_narrow => size.to_owned(),
        _ => print.to_owned(),
    };
    // One that cannot be read says so where it is used.
    let is_another = kept_image_print(folder)
        .is_some_and(|before| image_print(source).is_ok_and(|now| told(&now) != told(&before)));
    if is_another {
        return Err(TrainError::GroundChanged {
            what: "the image is another one than the training began on",
            path: folder.to_owned(),
        });
    }
    Ok(())
}

/// The print of the image that the run in `folder` learned from, if one was kept.
pub(super) fn kept_image_print(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(PRINT_FILE)).ok()?;
    let print = text.trim();
    (!print.is_empty()).then(|| print.to_owned())
}
