use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image_webp::{DecodingError, WebPDecoder};

use super::error::Fault;
use super::limits::{MAX_WHOLE_BYTES, zeroed};
use super::plain::{Pixels, plain_info};
use super::source::{RasterInfo, SampleType};
use super::tiff::exif_orientation;
use crate::disk::open_file;
use crate::geom::ImageSize;

fn webp_decoder(path: &Path) -> Result<WebPDecoder<BufReader<File>>, Fault> {
    let mut decoder = WebPDecoder::new(BufReader::new(open_file(path)?)).map_err(webp_fault)?;
    decoder.set_memory_limit(MAX_WHOLE_BYTES as usize);
    Ok(decoder)
}

/// What the header of a WebP file says.
pub(super) fn webp_info(path: &Path) -> Result<RasterInfo, Fault> {
    let mut decoder = webp_decoder(path)?;
    let (width, height) = decoder.dimensions();
    // Damaged metadata must not hide the picture.
    let exif = decoder.exif_metadata().ok().flatten();
    Ok(RasterInfo {
        bands: if decoder.has_alpha() { 4 } else { 3 },
        has_alpha: decoder.has_alpha(),
        compression: "WebP".to_owned(),
        orientation: exif.map(exif_orientation).unwrap_or_default(),
        ..plain_info(ImageSize::new(width, height), SampleType::U8, "WebP")
    })
}

/// All samples of a WebP file; of an animation those of its first picture.
pub(super) fn decode_webp_file(path: &Path) -> Result<Pixels, Fault> {
    let mut decoder = webp_decoder(path)?;
    let bands = if decoder.has_alpha() { 4 } else { 3 };
    let len = decoder.output_buffer_size();
    let len = len.filter(|&len| len as u64 <= MAX_WHOLE_BYTES);
    let mut bytes = zeroed(len.ok_or_else(|| Fault::unsupported("A WebP image this large"))?)?;
    decoder.read_image(&mut bytes).map_err(webp_fault)?;
    Ok(Pixels { bands, bytes })
}

fn webp_fault(error: DecodingError) -> Fault {
    match error {
        DecodingError::IoError(error) => Fault::from(error),
        DecodingError::MemoryLimitExceeded => Fault::unsupported("A WebP image this large"),
        error => Fault::damaged(format!("WebP: {error}")),
    }
}
