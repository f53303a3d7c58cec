use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use super::super::{ClassTable, Mask, MaskError, Rgb, UNLABELED};
use super::meaning::Encoding;
use super::save::for_each_band;
use crate::geom::Georef;
use crate::raster::{Overviews, PixelKind, TiffOptions, TiffWriter};

/// How a mask file without a palette stands for classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coding {
    /// How pixels stand for classes; never `Auto`.
    pub encoding: Encoding,
    /// How a pixel is stored.
    pub samples: Samples,
    /// What unlabeled pixels of a single band are and the file declares as no data, where no class
    /// needs it; only in `GeoTIFF`.
    pub void: Option<u8>,
}

/// How a pixel of a mask file without a palette is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samples {
    /// One band of 8 bits.
    Grey,
    /// One band of 16 bits; only in PNG.
    WideGrey,
    /// Three bands of 8 bits.
    Rgb,
}

/// The bytes of a pixel of each class, and whether an alpha channel is among them.
pub(super) struct CodedPixels {
    of_class: Vec<Vec<u8>>,
    has_alpha: bool,
    void: Option<u8>,
}

impl Coding {
    /// The bytes that stand for each class that occurs, or why there are none.
    ///
    /// Unlabeled is what the file declares as no data, else 255 among indices, else transparent.
    pub(super) fn pixels(
        self,
        mask: &Mask,
        classes: &ClassTable,
        may_be_clear: bool,
    ) -> Result<CodedPixels, String> {
        let counts = mask.histogram();
        let codes = match self.encoding {
            Encoding::Rgb => color_codes(&counts, classes)?,
            Encoding::Binary => {
                let last = if may_be_clear || self.void.is_some() {
                    255
                } else {
                    256
                };
                black_and_white(&counts[..last], classes)?
            }
            Encoding::Index | Encoding::Auto => std::array::from_fn(|index| [index as u8; 3]),
        };
        let occurs = |index: u8| counts[usize::from(index)] > 0;
        let is_free = |void: &u8| {
            (0..UNLABELED).all(|index| !occurs(index) || codes[usize::from(index)][0] != *void)
        };
        let void = self.void.filter(is_free);
        let gaps = counts[usize::from(UNLABELED)];
        let needs_alpha = matches!(self.encoding, Encoding::Rgb | Encoding::Binary);
        let has_alpha = gaps > 0 && needs_alpha && void.is_none();
        if has_alpha && !may_be_clear {
            return Err(format!(
                "{gaps} pixels are unlabeled, and it has no opacity"
            ));
        }
        let is_grey = |[red, green, blue]: Rgb| red == green && green == blue;
        let colored =
            (0..UNLABELED).find(|&index| occurs(index) && !is_grey(codes[usize::from(index)]));
        if let Some(index) = colored.filter(|_| self.samples != Samples::Rgb) {
            let name = classes.name_of(index);
            return Err(format!("its pixels are grey, and {name} has a color"));
        }
        let pixel = |index: u8| match void {
            Some(void) if index == UNLABELED => vec![void],
            _ => self.pixel(index, codes[usize::from(index)], has_alpha),
        };
        Ok(CodedPixels {
            of_class: (0..=UNLABELED).map(pixel).collect(),
            has_alpha,
            void,
        })
    }

    fn pixel(self, index: u8, code: Rgb, has_alpha: bool) -> Vec<u8> {
        let mut pixel = match self.samples {
            Samples::Grey => vec![code[0]],
            Samples::WideGrey if self.encoding == Encoding::Index => vec![0, code[0]],
            Samples::WideGrey => vec![code[0]; 2],
            Samples::Rgb => code.to_vec(),
        };
        if has_alpha {
            let opacity = if index == UNLABELED { 0 } else { 255 };
            let bytes = if self.samples == Samples::WideGrey {
                2
            } else {
                1
            };
            pixel.extend(std::iter::repeat_n(opacity, bytes));
        }
        pixel
    }

    pub(super) fn write_png(
        self,
        file: &mut impl Write,
        mask: &Mask,
        pixels: &CodedPixels,
    ) -> io::Result<()> {
        let mut encoder = png::Encoder::new(file, mask.size().width, mask.size().height);
        encoder.set_color(match (self.samples, pixels.has_alpha) {
            (Samples::Rgb, false) => png::ColorType::Rgb,
            (Samples::Rgb, true) => png::ColorType::Rgba,
            (Samples::Grey | Samples::WideGrey, false) => png::ColorType::Grayscale,
            (Samples::Grey | Samples::WideGrey, true) => png::ColorType::GrayscaleAlpha,
        });
        encoder.set_depth(match self.samples {
            Samples::WideGrey => png::BitDepth::Sixteen,
            Samples::Grey | Samples::Rgb => png::BitDepth::Eight,
        });
        encoder.set_filter(match self.samples {
            Samples::Rgb => png::Filter::Up,
            Samples::Grey | Samples::WideGrey => png::Filter::NoFilter,
        });
        let mut writer = encoder.write_header()?;
        let mut rows = writer.stream_writer()?;
        for_each_band(mask, |band| rows.write_all(&pixels.of(band)))?;
        rows.finish()?;
        Ok(writer.finish()?)
    }

    pub(super) fn write_tiff(
        self,
        path: &Path,
        mask: &Mask,
        pixels: &CodedPixels,
        georef: Option<&Georef>,
    ) -> Result<(), MaskError> {
        let kind = match (self.samples, pixels.has_alpha) {
            (Samples::Rgb, false) => PixelKind::Rgb,
            (Samples::Rgb, true) => PixelKind::Rgba,
            (Samples::Grey | Samples::WideGrey, _) => PixelKind::Index { palette: None },
        };
        let mut options = TiffOptions {
            georef: georef.cloned(),
            ..TiffOptions::new(mask.size(), kind)
        };
        let is_index = self.encoding == Encoding::Index && self.samples != Samples::Rgb;
        options.nodata = pixels.void.or(is_index.then_some(UNLABELED));
        if !is_index {
            // Mixed codes would be colors of no class.
            options.overviews = Overviews::None;
        }
        let mut writer = TiffWriter::create(path, options)?;
        for_each_band(mask, |band| writer.write_rows(&pixels.of(band)))?;
        Ok(writer.finish()?)
    }
}

impl CodedPixels {
    fn of(&self, classes: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(classes.len() * self.of_class[0].len());
        for &class in classes {
            bytes.extend_from_slice(&self.of_class[usize::from(class)]);
        }
        bytes
    }
}

/// The color of each index that occurs, or why there is none.
fn color_codes(counts: &[u64; 256], classes: &ClassTable) -> Result<[Rgb; 256], String> {
    let mut codes = [[0; 3]; 256];
    let mut taken = HashMap::new();
    for index in (0..UNLABELED).filter(|&index| counts[usize::from(index)] > 0) {
        let name = classes.name_of(index);
        let class = classes
            .get(index)
            .ok_or_else(|| format!("{name} has no color; add it to the class table"))?;
        codes[usize::from(index)] = class.code();
        if let Some(other) = taken.insert(class.code(), name.clone()) {
            return Err(format!(
                "\"{other}\" and \"{name}\" have the same color; change one"
            ));
        }
    }
    Ok(codes)
}

/// Black and white can say nothing but classes 0 and 1.
fn black_and_white(counts: &[u64], classes: &ClassTable) -> Result<[Rgb; 256], String> {
    match (2..counts.len()).find(|&index| counts[index] > 0) {
        None => Ok(std::array::from_fn(|index| {
            [if index == 1 { 255 } else { 0 }; 3]
        })),
        Some(index) => Err(format!(
            "black and white stand for the classes 0 and 1, and {} pixels are {}",
            counts[index],
            classes.name_of(index as u8)
        )),
    }
}
