use std::io::Read as _;
use std::path::Path;

use super::error::{Fault, RECODE_SCANS};
use super::limits::MAX_WHOLE_BYTES;
use super::plain::{Pixels, plain_info};
use super::source::{RasterInfo, SampleType};
use super::tiff::{JpegColors, JpegFrame, decode_jpeg, exif_orientation, jpeg_header};
use crate::disk::open_file;
use crate::geom::ImageSize;

/// Bytes at the start of a JPEG file among which its header must be.
const HEADER_BYTES: u64 = 16 << 20;

/// What the header of a JPEG file says.
pub(super) fn jpeg_info(path: &Path) -> Result<RasterInfo, Fault> {
    let mut head = Vec::new();
    let file = open_file(path)?;
    let file_bytes = file.metadata()?.len();
    file.take(HEADER_BYTES).read_to_end(&mut head)?;
    let header = jpeg_header(&head)?;
    let bands = if header.components == 1 { 1 } else { 3 };
    if let Some(frame) = JpegFrame::of(&head) {
        check_claim(&frame, bands, file_bytes)?;
    }
    Ok(RasterInfo {
        bands,
        compression: "JPEG".to_owned(),
        orientation: header.exif.map(exif_orientation).unwrap_or_default(),
        ..plain_info(header.size, SampleType::U8, "JPEG")
    })
}

/// Fails where so small a file cannot hold the pixels of its header, or where they and what is kept
/// of them between scans take too much memory.
fn check_claim(frame: &JpegFrame, bands: u16, file_bytes: u64) -> Result<(), Fault> {
    let size = frame.size;
    if frame.least_bytes() > file_bytes {
        return Err(Fault::damaged(format!(
            "its header says {size} pixels, which {file_bytes} bytes cannot hold"
        )));
    }
    let kept = frame.kept_bytes();
    if kept > 0 && kept + size.num_pixels() * u64::from(bands) > MAX_WHOLE_BYTES {
        let most = MAX_WHOLE_BYTES >> 20;
        return Err(Fault::Unsupported {
            what: format!("A progressive JPEG image that takes more than {most} MiB at once"),
            advice: RECODE_SCANS,
        });
    }
    Ok(())
}

/// All samples of a JPEG file with the header that [`jpeg_info`] read.
pub(super) fn decode_whole_jpeg(path: &Path, size: ImageSize, bands: u16) -> Result<Pixels, Fault> {
    let stream = std::fs::read(path)?;
    let colors = if bands == 1 {
        JpegColors::Grey
    } else {
        JpegColors::Rgb
    };
    let (_, bands, bytes) = decode_jpeg(stream, colors, |found| {
        if found.size == size {
            Ok(())
        } else {
            Err(Fault::damaged("it changed while it was open"))
        }
    })?;
    Ok(Pixels { bands, bytes })
}
