use super::error::ReadError;
use super::source::{RasterInfo, TileSource};
use crate::geom::PixelRect;

/// What GDAL takes the remainder by, in turn along the pixels.
const PRIMES: [i64; 11] = [7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43];
/// The most pixels that are looked at at once.
const MOST_PIXELS: u64 = 1 << 22;

/// The checksum of a band (from 0) of an image as `gdalinfo -checksum` states it
/// (`GDALChecksumImage`): the sum of remainders, in 16 bits.
///
/// Pixels are read block by block, each once, so that memory does not grow with the image.
///
/// # Errors
/// [`ReadError`] when pixels do not decode or there is no such band.
pub fn checksum(source: &dyn TileSource, band: u16) -> Result<u16, ReadError> {
    let mut sum = 0_i64;
    for rect in windows(source) {
        let values = source.read_values(rect, band)?;
        let width = u64::from(source.info().size.width);
        for (at, &value) in (0_u64..).zip(&values) {
            let (x, y) = (at % u64::from(rect.width), at / u64::from(rect.width));
            let place = (u64::from(rect.y) + y) * width + u64::from(rect.x) + x;
            let prime = PRIMES[(place % PRIMES.len() as u64) as usize];
            sum += whole(value, source.info()) % prime;
        }
        sum &= 0xFFFF;
    }
    Ok(sum as u16)
}

/// A value as a whole number of 32 bits, as GDAL makes it one.
fn whole(value: f64, info: &RasterInfo) -> i64 {
    if info.sample.range().is_some() {
        // Casting cuts what is out of range.
        return i64::from(value as i32);
    }
    if !value.is_finite() {
        return i64::from(i32::MIN);
    }
    let rounded = (value + 0.5).floor();
    rounded.clamp(f64::from(-i32::MAX), f64::from(i32::MAX)) as i64
}

/// Blocks of the image, or pieces of such, row by row.
fn windows(source: &dyn TileSource) -> Vec<PixelRect> {
    let bounds = source.info().size.bounds();
    let block = source.block_size(0);
    let width = block.width.clamp(1, bounds.width);
    let most_rows = (MOST_PIXELS / u64::from(width)).max(1);
    let height = u64::from(block.height.clamp(1, bounds.height)).min(most_rows) as u32;
    let rows = (0..bounds.height).step_by(height as usize);
    rows.flat_map(|y| {
        let columns = (0..bounds.width).step_by(width as usize);
        columns.map(move |x| PixelRect::new(x, y, width, height).intersect(bounds))
    })
    .collect()
}
