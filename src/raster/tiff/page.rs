use super::directory::{ByteOrder, Directory};
use super::grid::{ChunkGrid, Cut};
use super::lerc::LercPacking;
use super::tag;
use super::ycbcr::YCbCr;
use crate::geom::ImageSize;
use crate::raster::error::{Fault, RECODE_COMPLEX};
use crate::raster::limits::{MAX_BANDS, MAX_SIDE};
use crate::raster::read_at::ReadAt;
use crate::raster::source::SampleType;

/// The codecs that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Lzw,
    Deflate,
    PackBits,
    Jpeg,
    Zstd,
    Lzma,
    WebP,
    Lerc(LercPacking),
}

impl Compression {
    fn read(bytes: &dyn ReadAt, directory: &Directory) -> Result<Self, Fault> {
        let code = directory.number(bytes, tag::COMPRESSION)?.unwrap_or(1);
        Ok(match code {
            1 => Self::None,
            5 => Self::Lzw,
            7 => Self::Jpeg,
            8 | 32_946 => Self::Deflate,
            32_773 => Self::PackBits,
            34_887 => {
                let parameters = directory.numbers(bytes, tag::LERC_PARAMETERS, 2)?;
                Self::Lerc(LercPacking::from_code(*parameters.get(1).unwrap_or(&0))?)
            }
            34_925 => Self::Lzma,
            50_000 => Self::Zstd,
            50_001 => Self::WebP,
            _ => return Err(Fault::unsupported(codec_name(code))),
        })
    }

    /// The name that other programs use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Lzw => "LZW",
            Self::Deflate => "Deflate",
            Self::PackBits => "PackBits",
            Self::Jpeg => "JPEG",
            Self::Zstd => "ZSTD",
            Self::Lzma => "LZMA",
            Self::WebP => "WebP",
            Self::Lerc(_) => "LERC",
        }
    }
}

fn codec_name(code: u64) -> String {
    let name = match code {
        2 => "CCITT RLE",
        3 => "CCITT Group 3 fax",
        4 => "CCITT Group 4 fax",
        6 => "Old-style JPEG",
        9 | 10 | 34_661 => "JBIG",
        32_766 => "NeXT RLE",
        32_771 => "CCITT RLE/W",
        32_809 => "ThunderScan",
        32_845 | 34_676 | 34_677 => "SGI LogLuv",
        33_003 | 33_005 | 34_712 => "JPEG 2000",
        50_002 | 52_546 => "JPEG XL",
        _ => return format!("TIFF compression number {code}"),
    };
    format!("{name} compression in TIFF")
}

/// What a sample stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Photometric {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette,
    Mask,
    /// Cyan, magenta, yellow and black ink.
    Cmyk,
    /// Made RGB while chunks are decoded.
    YCbCr,
}

/// How samples were made smaller before compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predictor {
    None,
    /// Differences to the left neighbour.
    Horizontal,
    /// Differences between the bytes of floating-point numbers.
    FloatingPoint,
}

/// The band that holds opacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alpha {
    pub band: u16,
    /// Whether colors were multiplied by it.
    pub is_premultiplied: bool,
}

/// Order of bits within a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FillOrder {
    HighFirst,
    LowFirst,
}

/// One image of a TIFF file: what its directory says, checked.
#[derive(Debug)]
pub struct Page {
    pub size: ImageSize,
    pub bands: u16,
    /// Bits of a sample in the file.
    pub bits: u16,
    /// A sample once it is unpacked.
    pub sample: SampleType,
    pub compression: Compression,
    pub photometric: Photometric,
    pub predictor: Predictor,
    pub fill_order: FillOrder,
    pub order: ByteOrder,
    pub alpha: Option<Alpha>,
    pub palette: Option<Vec<[u8; 3]>>,
    pub jpeg_tables: Vec<u8>,
    /// Where the codec does not make RGB of luminance and color.
    pub ycbcr: Option<YCbCr>,
    pub grid: ChunkGrid,
}

impl Page {
    /// Reads and checks one directory.
    pub fn read(bytes: &dyn ReadAt, directory: &Directory) -> Result<Self, Fault> {
        let number =
            |tag, default| Ok::<_, Fault>(directory.number(bytes, tag)?.unwrap_or(default));
        let size = read_size(bytes, directory)?;
        let bands = number(tag::SAMPLES_PER_PIXEL, 1)?;
        if bands == 0 || bands > u64::from(MAX_BANDS) {
            return Err(Fault::damaged(format!("it claims {bands} bands")));
        }
        let bands = bands as u16;
        let (bits, sample) = read_sample_type(bytes, directory)?;
        let compression = Compression::read(bytes, directory)?;
        let photometric = directory.number(bytes, tag::PHOTOMETRIC)?;
        let photometric = photometric_of(photometric, bands)?;
        let predictor = predictor_of(number(tag::PREDICTOR, 1)?, compression, bits, sample)?;
        let fill_order = number(tag::FILL_ORDER, 1)?;
        let palette = read_palette(bytes, directory, photometric, sample)?;
        let ycbcr = match (photometric, compression) {
            (Photometric::YCbCr, Compression::Jpeg | Compression::WebP) => None,
            (Photometric::YCbCr, _) => Some(YCbCr::read(bytes, directory)?),
            _ => None,
        };
        let cut = Cut {
            size,
            bands,
            bits,
            compression,
            ycbcr: ycbcr.as_ref(),
            is_reversed: fill_order == 2,
        };
        let grid = ChunkGrid::read(bytes, directory, &cut)?;
        check_combination(compression, sample, bits)?;
        check_ycbcr(ycbcr.as_ref(), bands, bits, grid.chunk_bands)?;
        Ok(Self {
            size,
            bands,
            bits,
            sample,
            compression,
            photometric,
            predictor,
            fill_order: if fill_order == 2 {
                FillOrder::LowFirst
            } else {
                FillOrder::HighFirst
            },
            order: directory.order,
            alpha: read_alpha(bytes, directory, photometric, bands)?,
            palette,
            jpeg_tables: directory
                .bytes(bytes, tag::JPEG_TABLES, 1 << 16)?
                .unwrap_or_default(),
            ycbcr,
            grid,
        })
    }

    /// The band of black ink.
    pub fn black_band(&self) -> Option<u16> {
        let is_ink = self.photometric == Photometric::Cmyk && self.bands >= 4;
        is_ink.then_some(3)
    }

    /// The bands that make the picture, but for black ink: one for grey and palettes, else three.
    pub fn color_bands(&self) -> &'static [u16] {
        let colors = self.bands - u16::from(self.alpha.is_some());
        let is_single = matches!(
            self.photometric,
            Photometric::WhiteIsZero | Photometric::Palette | Photometric::Mask
        );
        if colors >= 3 && !is_single {
            &[0, 1, 2]
        } else {
            &[0]
        }
    }
}

fn read_size(bytes: &dyn ReadAt, directory: &Directory) -> Result<ImageSize, Fault> {
    let width = directory.number(bytes, tag::IMAGE_WIDTH)?.unwrap_or(0);
    let height = directory.number(bytes, tag::IMAGE_LENGTH)?.unwrap_or(0);
    if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
        return Err(Fault::damaged(format!(
            "it claims {width} × {height} pixels"
        )));
    }
    Ok(ImageSize::new(width as u32, height as u32))
}

/// Bits of a sample in the file, and what it is once it is unpacked: whole numbers of an odd
/// number of bits become unsigned ones of 8, 16 or 32.
fn read_sample_type(bytes: &dyn ReadAt, directory: &Directory) -> Result<(u16, SampleType), Fault> {
    let most = u64::from(MAX_BANDS);
    let bits = directory.numbers(bytes, tag::BITS_PER_SAMPLE, most)?;
    let formats = directory.numbers(bytes, tag::SAMPLE_FORMAT, most)?;
    let (bit, format) = (
        bits.first().copied().unwrap_or(1),
        formats.first().copied().unwrap_or(1),
    );
    if bits.iter().any(|&other| other != bit) || formats.iter().any(|&other| other != format) {
        return Err(Fault::unsupported(
            "A TIFF whose bands have different sample types",
        ));
    }
    let sample = match (format, bit) {
        (1 | 4, 1) => SampleType::U1,
        (1 | 4, 2) => SampleType::U2,
        (1 | 4, 4) => SampleType::U4,
        (2, 8) => SampleType::I8,
        (2, 16) => SampleType::I16,
        (2, 32) => SampleType::I32,
        (2, 64) => SampleType::I64,
        (3, 16) => SampleType::F16,
        (3, 32) => SampleType::F32,
        (3, 64) => SampleType::F64,
        (3, _) => {
            return Err(Fault::unsupported(format!(
                "A TIFF with {bit}-bit float samples"
            )));
        }
        (5 | 6, _) => {
            return Err(Fault::Unsupported {
                what: "The imaginary part of a TIFF of complex numbers".to_owned(),
                advice: RECODE_COMPLEX,
            });
        }
        (_, 1..=8) => SampleType::U8,
        (_, 9..=16) => SampleType::U16,
        (_, 17..=32) => SampleType::U32,
        (_, 64) => SampleType::U64,
        _ => return Err(Fault::unsupported(format!("A TIFF with {bit}-bit samples"))),
    };
    Ok((bit as u16, sample))
}

/// Refuses samples that a codec cannot hold.
fn check_combination(compression: Compression, sample: SampleType, bits: u16) -> Result<(), Fault> {
    let is_held = match compression {
        Compression::Jpeg | Compression::WebP => sample == SampleType::U8 && bits == 8,
        Compression::Lerc(_) => matches!(bits, 8 | 16 | 32 | 64) && bits == sample.bits(),
        _ => true,
    };
    if is_held {
        return Ok(());
    }
    let name = compression.name();
    Err(Fault::unsupported(format!(
        "{name} compression of {bits}-bit samples"
    )))
}

/// Refuses luminance and color in other arrangements than those that are in use.
fn check_ycbcr(
    ycbcr: Option<&YCbCr>,
    bands: u16,
    bits: u16,
    chunk_bands: u16,
) -> Result<(), Fault> {
    let Some(colors) = ycbcr else { return Ok(()) };
    if bands != 3 || bits != 8 || (chunk_bands == 1 && colors.is_subsampled()) {
        return Err(Fault::unsupported(
            "A TIFF with YCbCr colors in this arrangement",
        ));
    }
    Ok(())
}

fn photometric_of(code: Option<u64>, bands: u16) -> Result<Photometric, Fault> {
    Ok(match code {
        None if bands >= 3 => Photometric::Rgb,
        Some(0) => Photometric::WhiteIsZero,
        None | Some(1) => Photometric::BlackIsZero,
        Some(2) => Photometric::Rgb,
        Some(3) => Photometric::Palette,
        Some(4) => Photometric::Mask,
        // A single band is grey whatever its name is.
        Some(5 | 6) if bands == 1 => Photometric::BlackIsZero,
        Some(5) => Photometric::Cmyk,
        Some(6) => Photometric::YCbCr,
        Some(8..=10) => return Err(Fault::unsupported("A TIFF with CIE Lab colors")),
        Some(code) => {
            return Err(Fault::unsupported(format!(
                "A TIFF with photometric interpretation {code}"
            )));
        }
    })
}

fn predictor_of(
    code: u64,
    compression: Compression,
    bits: u16,
    sample: SampleType,
) -> Result<Predictor, Fault> {
    // The tag means nothing elsewhere, and some writers leave it behind.
    if !matches!(
        compression,
        Compression::Lzw | Compression::Deflate | Compression::Zstd | Compression::Lzma
    ) {
        return Ok(Predictor::None);
    }
    let is_float = matches!(sample, SampleType::F16 | SampleType::F32 | SampleType::F64);
    match code {
        1 => Ok(Predictor::None),
        2 if matches!(bits, 8 | 16 | 32 | 64) => Ok(Predictor::Horizontal),
        3 if is_float => Ok(Predictor::FloatingPoint),
        _ => Err(Fault::unsupported(format!(
            "Predictor {code} on {bits}-bit samples in TIFF"
        ))),
    }
}

/// The colors of a palette; values of a wrong 8-bit map are taken as they are meant.
fn read_palette(
    bytes: &dyn ReadAt,
    directory: &Directory,
    photometric: Photometric,
    sample: SampleType,
) -> Result<Option<Vec<[u8; 3]>>, Fault> {
    if photometric != Photometric::Palette || !sample.is_index() {
        return Ok(None);
    }
    let map = directory.numbers(bytes, tag::COLOR_MAP, 3 * 256)?;
    let len = (map.len() / 3).min(1 << sample.bits());
    if len == 0 {
        return Ok(None);
    }
    let shift = if map.iter().all(|&value| value < 256) {
        0
    } else {
        8
    };
    let stride = map.len() / 3;
    let color = |index: usize| [0, 1, 2].map(|band| (map[band * stride + index] >> shift) as u8);
    Ok(Some((0..len).map(color).collect()))
}

fn read_alpha(
    bytes: &dyn ReadAt,
    directory: &Directory,
    photometric: Photometric,
    bands: u16,
) -> Result<Option<Alpha>, Fault> {
    let extra = directory.numbers(bytes, tag::EXTRA_SAMPLES, u64::from(bands))?;
    let colors = match photometric {
        Photometric::Rgb | Photometric::YCbCr => 3,
        Photometric::Cmyk => 4,
        _ => 1,
    };
    // Files with more grey bands than the model says list one extra sample fewer than bands.
    let first = usize::from(bands).saturating_sub(extra.len()).max(colors);
    let found = extra.iter().position(|&kind| kind == 1 || kind == 2);
    Ok(found
        .filter(|index| first + index < usize::from(bands))
        .map(|index| Alpha {
            band: (first + index) as u16,
            is_premultiplied: extra[index] == 1,
        }))
}
