use std::io::Cursor;

use jpeg_decoder::ColorTransform;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::jpeg_frame::{JpegFrame, segments};
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

const START_OF_SCAN: u8 = 0xDA;
/// Where JFIF, Exif and Adobe stand.
const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;
const APP14: u8 = 0xEE;
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
    header_of(&frame_of(stream)?, stream)
}

fn frame_of(stream: &[u8]) -> Result<JpegFrame, Fault> {
    let frame = JpegFrame::of(stream);
    let frame = frame.ok_or_else(|| Fault::damaged("JPEG: its header is cut off or damaged"))?;
    frame.check_kind()?;
    Ok(frame)
}

fn header_of(frame: &JpegFrame, stream: &[u8]) -> Result<JpegHeader, Fault> {
    let size = frame.size;
    if size.is_empty() {
        return Err(Fault::damaged(format!(
            "JPEG: its header says {size} pixels"
        )));
    }
    let exif = segments(stream).take_while(|&(marker, ..)| marker != START_OF_SCAN);
    let exif = exif.filter(|&(marker, ..)| marker == APP1);
    let exif = exif.filter_map(|(_, body, _)| body.strip_prefix(b"Exif\0\0"));
    Ok(JpegHeader {
        size,
        components: u8::try_from(frame.parts.len()).unwrap_or(u8::MAX),
        exif: exif.last().map(<[u8]>::to_vec),
    })
}

/// The samples of a JPEG stream, of which the header has been found right by `accept`.
///
/// Fails where it holds fewer than its header says.
pub(in crate::raster) fn decode_jpeg(
    stream: Vec<u8>,
    colors: JpegColors,
    accept: impl FnOnce(&JpegHeader) -> Result<(), Fault>,
) -> Result<(ImageSize, usize, Vec<u8>), Fault> {
    let frame = frame_of(&stream)?;
    let header = header_of(&frame, &stream)?;
    accept(&header)?;
    let stream = with_guard(stream, &frame)?;
    if frame.is_odd() {
        let pixels = decode_odd(&stream, colors, &frame)?;
        return Ok((header.size, header.components.into(), pixels));
    }
    let space = match (colors, header.components) {
        (JpegColors::Grey, _) | (JpegColors::AsStored, 1) => ColorSpace::Luma,
        (JpegColors::AsStored, 4) => ColorSpace::CMYK,
        (JpegColors::AsStored, 2) => ColorSpace::LumaA,
        _ => ColorSpace::RGB,
    };
    let size = header.size;
    let options = options(size.width.max(size.height)).jpeg_set_out_colorspace(space);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(stream), options);
    decoder.decode_headers().map_err(damaged)?;
    // Bytes between headers that mean nothing are no harm; what is amiss behind them is.
    decoder.set_options(options.set_strict_mode(true));
    let bands = space.num_components();
    let mut pixels = zeroed(size.num_pixels() as usize * bands)?;
    let decoded = decoder.decode_into(&mut pixels);
    decoded.map_err(|error| amiss(size, error))?;
    Ok((size, bands, pixels))
}

/// The samples of a stream of which the faster decoder makes something else.
fn decode_odd(stream: &[u8], colors: JpegColors, frame: &JpegFrame) -> Result<Vec<u8>, Fault> {
    let mut decoder = jpeg_decoder::Decoder::new(stream);
    if frame.parts.len() == 3 {
        let is_plain = colors == JpegColors::AsStored || holds_rgb(stream, frame);
        decoder.set_color_transform(if is_plain {
            ColorTransform::RGB
        } else {
            ColorTransform::YCbCr
        });
    }
    let decoded = decoder.decode();
    decoded.map_err(|error| match error {
        jpeg_decoder::Error::Unsupported(_) => Fault::unsupported("A JPEG with such sampling"),
        error => amiss(frame.size, error),
    })
}

/// Whether three components are red, green and blue, by the rules that libjpeg goes by.
fn holds_rgb(stream: &[u8], frame: &JpegFrame) -> bool {
    let heads = segments(stream).take_while(|&(marker, ..)| marker != START_OF_SCAN);
    let mut adobe = None;
    for (marker, body, _) in heads {
        match (marker, body) {
            (APP0, [b'J', b'F', b'I', b'F', 0, ..]) => return false,
            (
                APP14,
                [
                    b'A',
                    b'd',
                    b'o',
                    b'b',
                    b'e',
                    _,
                    _,
                    _,
                    _,
                    _,
                    _,
                    transform,
                    ..,
                ],
            ) => {
                adobe = Some(*transform);
            }
            _ => {}
        }
    }
    let ids = frame.parts.iter().map(|part| part.id);
    adobe.map_or_else(|| ids.eq(*b"RGB"), |transform| transform == 0)
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

fn amiss(size: ImageSize, error: impl std::fmt::Display) -> Fault {
    damaged(format!("its data do not make {size} pixels: {error}"))
}
