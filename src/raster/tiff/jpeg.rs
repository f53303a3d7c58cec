use std::io::Cursor;

use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::jpeg_frame::JpegFrame;
use super::jpeg_scan::with_guard;
use crate::geom::ImageSize;
use crate::raster::error::Fault;
use crate::raster::limits::zeroed;

/// What the components of a JPEG stream become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::raster) enum JpegColors {
    /// As many samples as there are components, none of them converted.
    AsStored,
    /// Red, green, blue out of whatever the stream says it holds.
    Rgb,
    /// One sample.
    Grey,
}

/// "Adobe", version 100, no flags, transform 0: the components are not YCbCr.
const NO_TRANSFORM: [u8; 16] = [
    0xFF, 0xEE, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, 0,
];

/// A stream as a decoder expects it: with the shared tables, and with a word against conversion
/// where there must be none.
pub(super) fn whole_stream(
    tables: &[u8],
    data: &[u8],
    colors: JpegColors,
) -> Result<Vec<u8>, Fault> {
    let Some(body) = data.strip_prefix(&[0xFF, 0xD8]) else {
        return Err(Fault::damaged("a JPEG chunk does not start like one"));
    };
    let tables = tables.strip_prefix(&[0xFF, 0xD8]).unwrap_or(&[]);
    let tables = tables.strip_suffix(&[0xFF, 0xD9]).unwrap_or(tables);
    let mut stream = Vec::with_capacity(data.len() + tables.len() + NO_TRANSFORM.len());
    stream.extend_from_slice(&[0xFF, 0xD8]);
    if colors == JpegColors::AsStored {
        stream.extend_from_slice(&NO_TRANSFORM);
    }
    stream.extend_from_slice(tables);
    stream.extend_from_slice(body);
    Ok(stream)
}

/// What the header of a JPEG stream says.
pub(in crate::raster) struct JpegHeader {
    pub(in crate::raster) size: ImageSize,
    pub(in crate::raster) components: u8,
    pub(in crate::raster) exif: Option<Vec<u8>>,
}

/// The header alone, from the first bytes of a stream.
///
/// Kinds of JPEG that are sound but not read here are told so.
pub(in crate::raster) fn jpeg_header(stream: &[u8]) -> Result<JpegHeader, Fault> {
    if let Some(frame) = JpegFrame::of(stream) {
        frame.check_kind()?;
    }
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(stream), options(u32::MAX));
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    Ok(JpegHeader {
        size: ImageSize::new(width as u32, height as u32),
        components: decoder.info().map_or(0, |info| info.components),
        exif: decoder.exif().cloned(),
    })
}

/// The samples of a JPEG stream, of which the header has been found small enough by `accept`.
///
/// Fails where it holds fewer than its header says.
pub(in crate::raster) fn decode_jpeg(
    stream: Vec<u8>,
    colors: JpegColors,
    accept: impl FnOnce(ImageSize) -> Result<(), Fault>,
) -> Result<(ImageSize, usize, Vec<u8>), Fault> {
    let JpegHeader {
        size, components, ..
    } = jpeg_header(&stream)?;
    accept(size)?;
    let stream = match JpegFrame::of(&stream) {
        Some(frame) => with_guard(stream, &frame)?,
        None => stream,
    };
    let space = match (colors, components) {
        (JpegColors::Grey, _) | (JpegColors::AsStored, 1) => ColorSpace::Luma,
        (JpegColors::AsStored, 4) => ColorSpace::CMYK,
        (JpegColors::AsStored, 2) => ColorSpace::LumaA,
        _ => ColorSpace::RGB,
    };
    let options = options(size.width.max(size.height)).jpeg_set_out_colorspace(space);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(stream), options);
    decoder.decode_headers().map_err(damaged)?;
    // Bytes between headers that mean nothing are no harm; what is amiss behind them is.
    decoder.set_options(options.set_strict_mode(true));
    let bands = space.num_components();
    let mut pixels = zeroed(size.num_pixels() as usize * bands)?;
    let decoded = decoder.decode_into(&mut pixels);
    decoded.map_err(|error| {
        let what = format!("JPEG: its data do not make {size} pixels: {error}");
        Fault::damaged(what)
    })?;
    Ok((size, bands, pixels))
}

fn options(most: u32) -> DecoderOptions {
    let side = most.min(u32::from(u16::MAX)) as usize;
    DecoderOptions::default()
        .set_max_width(side)
        .set_max_height(side)
}

fn damaged(error: impl std::fmt::Display) -> Fault {
    Fault::damaged(format!("JPEG: {error}"))
}
