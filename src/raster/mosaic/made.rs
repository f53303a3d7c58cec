//! Small files that tests of mosaics are made of.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::replace_file;
use crate::geom::{Georef, ImageSize};
use crate::raster::source::TileSource;
use crate::raster::writer::{Overviews, PixelKind, TiffOptions, TiffWriter};
use crate::raster::{MadeBands, open_raster};

/// A folder of files for a mosaic.
pub(super) struct Made {
    pub(super) folder: tempfile::TempDir,
}

impl Made {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A TIFF of 8 × 8 pixels of one color.
    pub(super) fn color(&self, name: &str, color: [u8; 3]) -> PathBuf {
        self.rgb(
            name,
            TiffOptions::new(ImageSize::new(8, 8), PixelKind::Rgb),
            |_, _| color,
        )
    }

    /// The same with a place: its upper-left corner, in pixels of half a meter.
    pub(super) fn placed(&self, name: &str, color: [u8; 3], (x, y): (f64, f64)) -> PathBuf {
        let mut options = TiffOptions::new(ImageSize::new(8, 8), PixelKind::Rgb);
        options.georef = Some(Georef::north_up(x, y, 0.5, Some(2_180)));
        self.rgb(name, options, |_, _| color)
    }

    /// A TIFF of red, green and blue.
    pub(super) fn rgb(
        &self,
        name: &str,
        options: TiffOptions,
        color: impl Fn(u32, u32) -> [u8; 3],
    ) -> PathBuf {
        let (path, size) = (self.path(name), options.size);
        let mut writer = TiffWriter::create(&path, options).expect("created");
        let rows = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        let pixels: Vec<u8> = rows.flat_map(|(x, y)| color(x, y)).collect();
        writer.write_rows(&pixels).expect("written");
        writer.finish().expect("finished");
        path
    }

    /// A TIFF with smaller copies in tiles of 16 pixels.
    pub(super) fn with_levels(&self, name: &str, side: u32, color: [u8; 3], x: f64) -> PathBuf {
        let options = TiffOptions {
            tile: 16,
            overviews: Overviews::Average,
            georef: Some(Georef::north_up(x, 0.0, 0.5, Some(2_180))),
            ..TiffOptions::new(ImageSize::new(side, side), PixelKind::Rgb)
        };
        self.rgb(name, options, |_, _| color)
    }

    /// A TIFF of numbers.
    pub(super) fn numbers(
        &self,
        name: &str,
        made: &MadeBands,
        value: impl Fn(u32, u32, u16) -> f64,
    ) -> PathBuf {
        let path = self.path(name);
        replace_file(&path, &made.file(value)).expect("written");
        path
    }

    /// A square PNG of one color.
    pub(super) fn tile(&self, name: &str, side: u32, color: [u8; 4]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let mut encoder = png::Encoder::new(File::create(path).expect("created"), side, side);
        encoder.set_color(png::ColorType::Rgba);
        let mut writer = encoder.write_header().expect("a header");
        let pixels = color.repeat((side * side) as usize);
        writer.write_image_data(&pixels).expect("pixels");
    }

    /// Writes a VRT.
    pub(super) fn vrt(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        replace_file(&path, text.as_bytes()).expect("written");
        path
    }
}

pub(super) fn open(path: &Path) -> Arc<dyn TileSource> {
    open_raster(path).expect("a mosaic")
}

/// A source of a VRT of all 8 × 8 pixels of a file.
pub(super) fn source(name: &str, band: &str, (x, y): (f64, f64), more: &str) -> String {
    placed_source(name, band, [0.0, 0.0, 8.0, 8.0], [x, y, 8.0, 8.0], more)
}

pub(super) fn placed_source(
    name: &str,
    band: &str,
    from: [f64; 4],
    to: [f64; 4],
    more: &str,
) -> String {
    let rect = |name: &str, [x, y, width, height]: [f64; 4]| {
        format!("<{name} xOff=\"{x}\" yOff=\"{y}\" xSize=\"{width}\" ySize=\"{height}\"/>")
    };
    let kind = if more.is_empty() {
        "SimpleSource"
    } else {
        "ComplexSource"
    };
    format!(
        "<{kind}><SourceFilename relativeToVRT=\"1\">{name}</SourceFilename>\
         <SourceBand>{band}</SourceBand>{}{}{more}</{kind}>\n",
        rect("SrcRect", from),
        rect("DstRect", to)
    )
}

/// A VRT of bands, each of them what stands in it.
pub(super) fn vrt((width, height): (u32, u32), kind: &str, bands: &[String]) -> String {
    let bands = (1..).zip(bands).map(|(number, band): (u32, &String)| {
        format!("<VRTRasterBand dataType=\"{kind}\" band=\"{number}\">\n{band}</VRTRasterBand>\n")
    });
    let bands: String = bands.collect();
    format!("<VRTDataset rasterXSize=\"{width}\" rasterYSize=\"{height}\">\n{bands}</VRTDataset>\n")
}

/// A VRT of red, green and blue of files of 8 × 8 pixels, each at its place.
pub(super) fn rgb_vrt(size: (u32, u32), files: &[(&str, (f64, f64))]) -> String {
    let bands = ["1", "2", "3"].map(|band| {
        let sources = files.iter().map(|(name, at)| source(name, band, *at, ""));
        sources.collect::<String>()
    });
    vrt(size, "Byte", &bands)
}
