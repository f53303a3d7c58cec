use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use png::{BitDepth, ColorType, Info, Limits, Reader, Transformations};

use super::error::Fault;
use super::limits::{MAX_WHOLE_BYTES, grow, zeroed};
use super::plain::{Head, Pixels, plain_info};
use super::source::{RasterInfo, SampleType};
use super::tiff::{BitRows, unpack_bits};
use crate::disk::open_file;
use crate::geom::ImageSize;

/// Bytes that one byte of Deflate becomes at most: 258 of two bits.
const MOST_INFLATED: u64 = 1_032;
/// Bytes of pixels that any file is believed to hold.
const ALWAYS_BELIEVED: u64 = 64 << 10;

type PngReader = Reader<BufReader<File>>;

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

/// What the header of a PNG file says.
///
/// A grey that stands for transparent pixels is nodata, as GDAL has it; a color that does makes
/// opacity, a band more than the file has.
pub(super) fn png_head(path: &Path) -> Result<Head, Fault> {
    let reader = png_decoder(path)?.read_info().map_err(png_fault)?;
    let info = reader.info();
    check_claim(info, path)?;
    let bands = info.color_type.samples() as u16;
    let sample = match info.bit_depth {
        BitDepth::One => SampleType::U1,
        BitDepth::Two => SampleType::U2,
        BitDepth::Four => SampleType::U4,
        BitDepth::Eight => SampleType::U8,
        BitDepth::Sixteen => SampleType::U16,
    };
    let is_indexed = info.color_type == ColorType::Indexed;
    let palette = info.palette.as_deref().filter(|_| is_indexed);
    let colors = palette.map(|colors| {
        let colors = colors.as_chunks::<3>().0;
        colors.to_vec()
    });
    let key = info.trns.as_deref();
    let palette_alpha = key.filter(|_| is_indexed).unwrap_or_default().to_vec();
    let nodata = key.filter(|_| info.color_type == ColorType::Grayscale);
    // A sample has two bytes at most; what follows in the chunk means nothing.
    let number = |bytes: &[u8]| match *bytes {
        [high, low, ..] => f64::from(u16::from_be_bytes([high, low])),
        [value] => f64::from(value),
        [] => 0.0,
    };
    let is_keyed = key.is_some() && info.color_type == ColorType::Rgb;
    let is_clear = |&alpha: &u8| alpha < 255;
    let raster = RasterInfo {
        bands,
        palette: colors,
        nodata: nodata.map(number),
        has_alpha: matches!(bands, 2 | 4) || is_keyed || palette_alpha.iter().any(is_clear),
        compression: "Deflate".to_owned(),
        ..plain_info(ImageSize::new(info.width, info.height), sample, "PNG")
    };
    Ok(Head {
        info: raster,
        palette_alpha,
        is_keyed,
    })
}

/// Fails where so small a file cannot hold the pixels of its header.
fn check_claim(info: &Info<'_>, path: &Path) -> Result<(), Fault> {
    let size = ImageSize::new(info.width, info.height);
    let bits = size
        .num_pixels()
        .saturating_mul(info.bits_per_pixel() as u64);
    let file_bytes = std::fs::metadata(path)?.len();
    let believed = file_bytes
        .saturating_mul(MOST_INFLATED)
        .saturating_add(ALWAYS_BELIEVED);
    if bits / 8 > believed {
        return Err(Fault::damaged(format!(
            "its header says {size} pixels, which {file_bytes} bytes cannot hold"
        )));
    }
    Ok(())
}

/// All samples of a PNG file, of 16 bits with the high byte first; where `is_keyed` with the opacity
/// that its transparent color makes.
pub(super) fn decode_png(path: &Path, is_keyed: bool) -> Result<Pixels, Fault> {
    let mut decoder = png_decoder(path)?;
    // Indices and small greys stay numbers; they are unpacked here instead of scaled there.
    decoder.set_transformations(if is_keyed {
        Transformations::EXPAND
    } else {
        Transformations::IDENTITY
    });
    let mut reader = decoder.read_info().map_err(png_fault)?;
    check_claim(reader.info(), path)?;
    let (color, depth) = reader.output_color_type();
    let bands = color.samples();
    let row = BitRows {
        bits: depth as u16,
        samples: reader.info().width as usize * bands,
    };
    let len = (row.samples * row.unpacked_bytes()).checked_mul(reader.info().height as usize);
    let len = len.filter(|&len| len as u64 <= MAX_WHOLE_BYTES);
    let len = len.ok_or_else(|| Fault::unsupported("A PNG image this large"))?;
    let bytes = if reader.info().interlaced {
        decode_interlaced(&mut reader, row, len)
    } else {
        decode_rows(&mut reader, row, len)
    }?;
    Ok(Pixels { bands, bytes })
}

/// Decodes row by row; memory grows with the rows that are there.
fn decode_rows(reader: &mut PngReader, row: BitRows, len: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while let Some(packed) = reader.next_row().map_err(png_fault)? {
        let packed = packed.data();
        let row_len = row.samples * row.unpacked_bytes();
        if packed.len() != row.row_bytes() || bytes.len() + row_len > len {
            return Err(Fault::damaged("PNG: its rows are not those of its header"));
        }
        grow(&mut bytes, row_len, len)?;
        if row.bits < 8 {
            let start = bytes.len();
            bytes.resize(start + row_len, 0);
            unpack_bits(packed, row, &mut bytes[start..]);
        } else {
            bytes.extend_from_slice(packed);
        }
    }
    Ok(bytes)
}

/// Decodes an image of which each pass has pixels from all over.
fn decode_interlaced(reader: &mut PngReader, row: BitRows, len: usize) -> Result<Vec<u8>, Fault> {
    let packed_len = reader.output_buffer_size();
    let packed_len = packed_len.filter(|&len| len as u64 <= MAX_WHOLE_BYTES);
    let packed_len = packed_len.ok_or_else(|| Fault::unsupported("A PNG image this large"))?;
    let mut packed = zeroed(packed_len)?;
    reader.next_frame(&mut packed).map_err(png_fault)?;
    if row.bits >= 8 {
        return Ok(packed);
    }
    let mut bytes = zeroed(len)?;
    unpack_bits(&packed, row, &mut bytes);
    Ok(bytes)
}

fn png_fault(error: png::DecodingError) -> Fault {
    match error {
        png::DecodingError::IoError(error) => Fault::from(error),
        png::DecodingError::LimitsExceeded => Fault::unsupported("A PNG image this large"),
        error => Fault::damaged(format!("PNG: {error}")),
    }
}
