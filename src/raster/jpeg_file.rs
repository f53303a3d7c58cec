use std::io::Read as _;
use std::path::Path;

use super::error::Fault;
use super::plain::{Pixels, plain_info};
use super::source::{RasterInfo, SampleType};
use super::tiff::{JpegColors, decode_jpeg, exif_orientation, jpeg_header};
use crate::disk::open_file;
use crate::geom::ImageSize;

/// Bytes at the start of a JPEG file among which its header must be.
const HEADER_BYTES: u64 = 16 << 20;

/// What the header of a JPEG file says.
pub(super) fn jpeg_info(path: &Path) -> Result<RasterInfo, Fault> {
    let mut head = Vec::new();
    open_file(path)?.take(HEADER_BYTES).read_to_end(&mut head)?;
    let header = jpeg_header(&head)?;
    Ok(RasterInfo {
        bands: if header.components == 1 { 1 } else { 3 },
        compression: "JPEG".to_owned(),
        orientation: header.exif.map(exif_orientation).unwrap_or_default(),
        ..plain_info(header.size, SampleType::U8, "JPEG")
    })
}

/// All samples of a JPEG file with the header that [`jpeg_info`] read.
pub(super) fn decode_whole_jpeg(path: &Path, size: ImageSize, bands: u16) -> Result<Pixels, Fault> {
    let stream = std::fs::read(path)?;
    let colors = if bands == 1 {
        JpegColors::Grey
    } else {
        JpegColors::Rgb
    };
    let (_, bands, bytes) = decode_jpeg(&stream, colors, |found| {
        if found == size {
            Ok(())
        } else {
            Err(Fault::damaged("it changed while it was open"))
        }
    })?;
    Ok(Pixels { bands, bytes })
}
