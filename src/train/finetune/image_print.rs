use crate::dataset::DatasetError;
use crate::geom::PixelRect;
use crate::raster::TileSource;

/// Looked at in each direction, from border to border.
const SPOTS: u32 = 4;
/// Columns and rows of a spot.
const SPOT: u32 = 32;

/// A word that two files share when they show the same image, whatever they are called: the size
/// and a checksum of the colors at sixteen spots.
///
/// # Errors
/// When the image cannot be read.
pub(super) fn image_print(source: &dyn TileSource) -> Result<String, DatasetError> {
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
