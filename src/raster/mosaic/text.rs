//! A mosaic as GDAL writes it down.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::geom::{Georef, ImageSize, PixelRect};
use crate::raster::source::{Layout, RasterInfo, SampleType};

/// Files on one grid of pixels.
pub(super) struct Joined {
    pub(super) size: ImageSize,
    pub(super) georef: Georef,
    /// Whether a file has a mask.
    pub(super) has_mask: bool,
    /// The band of opacity.
    pub(super) alpha: Option<u16>,
    /// What the first file is; all have the same bands.
    pub(super) info: RasterInfo,
    /// From below to above.
    pub(super) tiles: Vec<Tile>,
}

/// A file of a mosaic.
pub(super) struct Tile {
    pub(super) path: PathBuf,
    pub(super) covers: PixelRect,
    /// Whether it hides pixels by opacity or a mask.
    pub(super) hides: bool,
    pub(super) layout: Layout,
}

impl Joined {
    /// Whether files leave ground open, or might.
    fn has_gaps(&self) -> bool {
        let covered = self.tiles.iter().map(|tile| tile.covers.num_pixels());
        covered.sum::<u64>() != self.size.num_pixels()
    }

    fn nodata(&self) -> Option<f64> {
        self.info.nodata
    }
}

/// The text of a VRT. `name_of` is how a file is named in it.
///
/// # Errors
/// The path of a file whose name is no text.
pub(super) fn vrt_text(
    joined: &Joined,
    is_relative: bool,
    name_of: impl Fn(&Tile) -> Option<PathBuf>,
) -> Result<String, PathBuf> {
    let names = joined.tiles.iter().map(|tile| {
        let name = name_of(tile).unwrap_or_else(|| tile.path.clone());
        let text = in_slashes(&name).ok_or_else(|| tile.path.clone())?;
        Ok(escaped(&text).into_owned())
    });
    let names = names.collect::<Result<Vec<String>, PathBuf>>()?;
    let mut out = Text {
        text: String::new(),
        joined,
        names,
        is_relative,
    };
    out.dataset();
    Ok(out.text)
}

struct Text<'a> {
    text: String,
    joined: &'a Joined,
    /// Of each file, as they stand in the text.
    names: Vec<String>,
    is_relative: bool,
}

impl Text<'_> {
    fn line(&mut self, indent: usize, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        writeln!(self.text, "{:1$}{line}", "", 2 * indent).ok();
    }

    fn dataset(&mut self) {
        let joined = self.joined;
        let ImageSize { width, height } = joined.size;
        self.line(
            0,
            format_args!("<VRTDataset rasterXSize=\"{width}\" rasterYSize=\"{height}\">"),
        );
        if let Some(code) = joined.georef.epsg {
            self.line(1, format_args!("<SRS>EPSG:{code}</SRS>"));
        }
        let [a, b, c, d, e, f] = joined.georef.map_from_image;
        self.line(
            1,
            format_args!("<GeoTransform>{c:?}, {a:?}, {b:?}, {f:?}, {d:?}, {e:?}</GeoTransform>"),
        );
        for band in 0..joined.info.bands {
            self.band(band);
        }
        let is_open = joined.has_gaps() && joined.nodata().is_none();
        if joined.alpha.is_none() && (joined.has_mask || is_open) {
            self.line(1, format_args!("<MaskBand>"));
            self.line(2, format_args!("<VRTRasterBand dataType=\"Byte\">"));
            for at in 0..joined.tiles.len() {
                self.source(3, at, "mask,1", SampleType::U8, None);
            }
            self.line(2, format_args!("</VRTRasterBand>"));
            self.line(1, format_args!("</MaskBand>"));
        }
        self.line(0, format_args!("</VRTDataset>"));
    }

    fn band(&mut self, band: u16) {
        let joined = self.joined;
        let sample = joined.info.sample;
        let (name, number) = (gdal_name(sample), band + 1);
        self.line(
            1,
            format_args!("<VRTRasterBand dataType=\"{name}\" band=\"{number}\">"),
        );
        let is_alpha = joined.alpha == Some(band);
        let nodata = joined.nodata().filter(|_| !is_alpha);
        if let Some(nodata) = nodata {
            let nodata = told(nodata);
            self.line(2, format_args!("<NoDataValue>{nodata}</NoDataValue>"));
        }
        let meaning = self.meaning_of(band);
        self.line(2, format_args!("<ColorInterp>{meaning}</ColorInterp>"));
        if let (Some(palette), 0) = (&joined.info.palette, band) {
            self.line(2, format_args!("<ColorTable>"));
            for [red, green, blue] in palette {
                self.line(
                    3,
                    format_args!("<Entry c1=\"{red}\" c2=\"{green}\" c3=\"{blue}\" c4=\"255\" />"),
                );
            }
            self.line(2, format_args!("</ColorTable>"));
        }
        let band = number.to_string();
        for at in 0..joined.tiles.len() {
            self.source(2, at, &band, sample, nodata);
        }
        self.line(1, format_args!("</VRTRasterBand>"));
    }

    fn meaning_of(&self, band: u16) -> &'static str {
        let joined = self.joined;
        let data = joined.info.bands - u16::from(joined.alpha.is_some());
        match band {
            _ if joined.alpha == Some(band) => "Alpha",
            0 if joined.info.palette.is_some() => "Palette",
            0 if data < 3 => "Gray",
            0 if data == 3 => "Red",
            1 if data == 3 => "Green",
            2 if data == 3 => "Blue",
            _ => "Undefined",
        }
    }

    fn source(
        &mut self,
        indent: usize,
        at: usize,
        band: &str,
        sample: SampleType,
        nodata: Option<f64>,
    ) {
        let tile = &self.joined.tiles[at];
        let PixelRect {
            x,
            y,
            width,
            height,
        } = tile.covers;
        let uses_mask = tile.hides;
        let kind = if uses_mask || nodata.is_some() {
            "ComplexSource"
        } else {
            "SimpleSource"
        };
        let (block_width, block_height) = match tile.layout {
            Layout::Tiles { width, height } => (width, height),
            Layout::Strips { rows } => (width, rows),
            Layout::Whole => (width, 1),
        };
        let relative = u8::from(self.is_relative);
        let name = std::mem::take(&mut self.names[at]);
        let type_name = gdal_name(sample);
        self.line(
            indent,
            format_args!(
                "<{kind}><SourceFilename relativeToVRT=\"{relative}\">{name}</SourceFilename>\
                 <SourceBand>{band}</SourceBand>\
                 <SourceProperties RasterXSize=\"{width}\" RasterYSize=\"{height}\" \
                 DataType=\"{type_name}\" BlockXSize=\"{block_width}\" \
                 BlockYSize=\"{block_height}\" />\
                 <SrcRect xOff=\"0\" yOff=\"0\" xSize=\"{width}\" ySize=\"{height}\" />\
                 <DstRect xOff=\"{x}\" yOff=\"{y}\" xSize=\"{width}\" ySize=\"{height}\" />{}{}\
                 </{kind}>",
                nodata.map_or(String::new(), |value| format!(
                    "<NODATA>{}</NODATA>",
                    told(value)
                )),
                if uses_mask {
                    "<UseMaskBand>true</UseMaskBand>"
                } else {
                    ""
                },
            ),
        );
        self.names[at] = name;
    }
}

/// A number as GDAL reads it.
pub(super) fn told(number: f64) -> String {
    if number.is_nan() {
        "nan".to_owned()
    } else {
        number.to_string()
    }
}

/// The type that holds samples as they are read.
pub(super) const fn gdal_name(sample: SampleType) -> &'static str {
    match sample {
        SampleType::U1 | SampleType::U2 | SampleType::U4 | SampleType::U8 => "Byte",
        SampleType::I8 => "Int8",
        SampleType::U16 => "UInt16",
        SampleType::I16 => "Int16",
        SampleType::U32 => "UInt32",
        SampleType::I32 => "Int32",
        SampleType::U64 => "UInt64",
        SampleType::I64 => "Int64",
        SampleType::F16 | SampleType::F32 => "Float32",
        SampleType::F64 => "Float64",
    }
}

/// A path as text with slashes, as any system reads it.
pub(super) fn in_slashes(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    Some(if std::path::MAIN_SEPARATOR == '/' {
        text.to_owned()
    } else {
        text.replace(std::path::MAIN_SEPARATOR, "/")
    })
}

pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"']) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    Cow::Owned(text.replace('>', "&gt;").replace('"', "&quot;"))
}
