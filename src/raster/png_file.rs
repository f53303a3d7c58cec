use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use png::{BitDepth, ColorType, Limits, Transformations};

use super::error::Fault;
use super::limits::{MAX_WHOLE_BYTES, zeroed};
use super::plain::{Pixels, plain_info};
use super::source::{RasterInfo, SampleType};
use super::tiff::{BitRows, unpack_bits};
use crate::disk::open_file;
use crate::geom::ImageSize;

/// How samples of 16 bits are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// To their high bytes.
    Byte,
    /// To two bytes, the high one first.
    Stored,
}

fn png_decoder(path: &Path) -> Result<png::Decoder<BufReader<File>>, Fault> {
    let file = BufReader::with_capacity(1 << 18, open_file(path)?);
    let mut decoder = png::Decoder::new(file);
    decoder.set_limits(Limits {
        bytes: MAX_WHOLE_BYTES as usize,
    });
    // Texts and color profiles are not used, and bombs hide in them.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    Ok(decoder)
}

/// What the header of a PNG file says, and the opacity of each index of its palette.
pub(super) fn png_info(path: &Path) -> Result<(RasterInfo, Vec<u8>), Fault> {
    let reader = png_decoder(path)?.read_info().map_err(png_fault)?;
    let info = reader.info();
    let has_key = info.trns.is_some();
    let bands = match info.color_type {
        ColorType::Indexed => 1,
        ColorType::Grayscale => 1 + u16::from(has_key),
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb => 3 + u16::from(has_key),
        ColorType::Rgba => 4,
    };
    let sample = match info.bit_depth {
        BitDepth::One => SampleType::U1,
        BitDepth::Two => SampleType::U2,
        BitDepth::Four => SampleType::U4,
        BitDepth::Eight => SampleType::U8,
        BitDepth::Sixteen => SampleType::U16,
    };
    // A transparent grey has to be spread to whole bytes to get its alpha.
    let is_spread = has_key && info.color_type == ColorType::Grayscale && sample.bits() < 8;
    let palette = info
        .palette
        .as_deref()
        .filter(|_| info.color_type == ColorType::Indexed);
    let colors = palette.map(|colors| {
        colors
            .chunks_exact(3)
            .map(|color| [color[0], color[1], color[2]])
            .collect()
    });
    let palette_alpha = match (&info.trns, info.color_type) {
        (Some(alpha), ColorType::Indexed) => alpha.to_vec(),
        _ => Vec::new(),
    };
    let raster = RasterInfo {
        bands,
        palette: colors,
        has_alpha: bands == 2 || bands == 4 || palette_alpha.iter().any(|&alpha| alpha < 255),
        compression: "Deflate".to_owned(),
        ..plain_info(
            ImageSize::new(info.width, info.height),
            if is_spread { SampleType::U8 } else { sample },
            "PNG",
        )
    };
    Ok((raster, palette_alpha))
}

/// All samples of a PNG file.
pub(super) fn decode_png(path: &Path, width: Width) -> Result<Pixels, Fault> {
    let mut decoder = png_decoder(path)?;
    let header = decoder.read_header_info().map_err(png_fault)?;
    let (is_indexed, depth) = (
        header.color_type == ColorType::Indexed,
        header.bit_depth as u16,
    );
    let mut reader = decoder.read_info().map_err(png_fault)?;
    let has_key = reader.info().trns.is_some() && !is_indexed;
    drop(reader);
    let mut decoder = png_decoder(path)?;
    let narrowed = match width {
        Width::Byte => Transformations::STRIP_16,
        Width::Stored => Transformations::IDENTITY,
    };
    // Indices and small greys stay numbers; they are unpacked here instead of scaled there.
    decoder.set_transformations(if has_key {
        Transformations::EXPAND | narrowed
    } else {
        narrowed
    });
    reader = decoder.read_info().map_err(png_fault)?;
    let (columns, rows) = (reader.info().width as usize, reader.info().height as usize);
    let (color, _) = reader.output_color_type();
    let len = reader
        .output_buffer_size()
        .filter(|&len| len as u64 <= MAX_WHOLE_BYTES);
    let mut bytes = zeroed(len.ok_or_else(|| Fault::unsupported("A PNG image this large"))?)?;
    reader.next_frame(&mut bytes).map_err(png_fault)?;
    let bands = color.samples();
    if depth >= 8 || has_key {
        return Ok(Pixels { bands, bytes });
    }
    let mut unpacked = zeroed(columns * rows)?;
    unpack_bits(
        &bytes,
        BitRows {
            bits: depth,
            samples: columns,
        },
        &mut unpacked,
    );
    Ok(Pixels {
        bands,
        bytes: unpacked,
    })
}

fn png_fault(error: png::DecodingError) -> Fault {
    match error {
        png::DecodingError::IoError(error) => Fault::from(error),
        png::DecodingError::LimitsExceeded => Fault::unsupported("A PNG image this large"),
        error => Fault::damaged(format!("PNG: {error}")),
    }
}
