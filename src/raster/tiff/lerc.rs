use lerc_core::PixelData;
use lerc_reader::{Decoded, InspectOptions};

use super::codec::{inflate_at_most, unpack_zstd_at_most};
use crate::geom::ImageSize;
use crate::raster::error::Fault;
use crate::raster::source::SampleType;

/// What a LERC blob was packed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LercPacking {
    None,
    Deflate,
    Zstd,
}

impl LercPacking {
    /// From the second number of the tag `LercParameters`.
    pub fn from_code(code: u64) -> Result<Self, Fault> {
        match code {
            0 => Ok(Self::None),
            1 => Ok(Self::Deflate),
            2 => Ok(Self::Zstd),
            _ => Err(Fault::unsupported(format!("LERC with packing {code}"))),
        }
    }
}

/// What a blob has to hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct LercShape {
    pub size: ImageSize,
    pub bands: usize,
    pub sample: SampleType,
    /// Whether the last band is opacity, which the blob's mask may stand for.
    pub has_alpha: bool,
}

/// The samples of a LERC blob, bands interleaved, in this machine's byte order. Numbers that the
/// blob's mask leaves out are NaN where they are floating point, else 0.
pub(super) fn decode_lerc(
    data: &[u8],
    packing: LercPacking,
    shape: LercShape,
) -> Result<Vec<u8>, Fault> {
    let num_pixels = shape.size.num_pixels() as usize;
    let bytes = usize::from(shape.sample.bits() / 8);
    let most = 2 * num_pixels * shape.bands * bytes + (1 << 16);
    let unpacked = match packing {
        LercPacking::None => data.to_vec(),
        LercPacking::Deflate => inflate_at_most(data, most)?,
        LercPacking::Zstd => unpack_zstd_at_most(data, most)?,
    };
    let quick = InspectOptions::new().with_compute_value_range(false);
    let info = lerc_reader::inspect_first_with_options(&unpacked, quick).map_err(damaged)?;
    if (info.width, info.height) != (shape.size.width, shape.size.height) {
        return Err(Fault::damaged(format!(
            "a LERC chunk of {} pixels claims {} × {}",
            shape.size, info.width, info.height
        )));
    }
    let depth = info.depth as usize;
    let is_masked_alpha = shape.has_alpha && depth + 1 == shape.bands;
    if depth != shape.bands && !is_masked_alpha {
        return Err(Fault::damaged(format!(
            "a LERC chunk has {depth} of {} bands",
            shape.bands
        )));
    }
    let decoded = lerc_reader::decode_first(&unpacked).map_err(damaged)?;
    let Decoded { pixels, mask, .. } = decoded;
    let mut out = samples(pixels, shape.sample)?;
    if out.len() != num_pixels * depth * bytes {
        return Err(Fault::damaged("a LERC chunk is shorter than it claims"));
    }
    if is_masked_alpha {
        return Ok(with_alpha(&out, depth * bytes, mask.as_deref(), bytes));
    }
    if let Some(mask) = mask.filter(|_| shape.sample.range().is_none()) {
        let nan = not_a_number(shape.sample);
        let pixels = out.chunks_exact_mut(depth * bytes).zip(mask);
        for (pixel, _) in pixels.filter(|(_, is_valid)| *is_valid == 0) {
            let numbers = pixel.chunks_exact_mut(bytes);
            numbers.for_each(|number| number.copy_from_slice(&nan));
        }
    }
    Ok(out)
}

fn samples(pixels: PixelData, sample: SampleType) -> Result<Vec<u8>, Fault> {
    Ok(match (pixels, sample) {
        (PixelData::I8(values), SampleType::I8) => bytes_of(&values, i8::to_ne_bytes),
        (PixelData::U8(values), SampleType::U8) => values,
        (PixelData::I16(values), SampleType::I16) => bytes_of(&values, i16::to_ne_bytes),
        (PixelData::U16(values), SampleType::U16) => bytes_of(&values, u16::to_ne_bytes),
        (PixelData::I32(values), SampleType::I32) => bytes_of(&values, i32::to_ne_bytes),
        (PixelData::U32(values), SampleType::U32) => bytes_of(&values, u32::to_ne_bytes),
        (PixelData::F32(values), SampleType::F32) => bytes_of(&values, f32::to_ne_bytes),
        (PixelData::F64(values), SampleType::F64) => bytes_of(&values, f64::to_ne_bytes),
        _ => {
            return Err(Fault::damaged(format!(
                "a LERC chunk holds other samples than {sample}"
            )));
        }
    })
}

fn bytes_of<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| bytes(value)).collect()
}

/// Pixels of `len` bytes with a band of opacity of `bytes` bytes behind each.
fn with_alpha(pixels: &[u8], len: usize, mask: Option<&[u8]>, bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(pixels.len() / len * (len + bytes));
    for (index, pixel) in pixels.chunks_exact(len).enumerate() {
        let is_valid = mask.is_none_or(|mask| mask[index] != 0);
        out.extend_from_slice(pixel);
        out.extend(std::iter::repeat_n(if is_valid { 255 } else { 0 }, bytes));
    }
    out
}

/// NaN in as many bytes as the sample has.
fn not_a_number(sample: SampleType) -> Vec<u8> {
    match sample {
        SampleType::F64 => f64::NAN.to_ne_bytes().to_vec(),
        _ => f32::NAN.to_ne_bytes().to_vec(),
    }
}

fn damaged(error: impl std::fmt::Display) -> Fault {
    Fault::damaged(format!("LERC: {error}"))
}
