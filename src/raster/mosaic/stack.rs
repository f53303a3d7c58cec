use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::join::{MosaicError, MosaicReport, north_up};
use super::text::{escaped, gdal_name, in_slashes, told};
use crate::disk::{folder_of, replace_file};
use crate::geom::{Georef, ImageSize};
use crate::raster::error::OpenError;
use crate::raster::open::open_stored;
use crate::raster::source::{RasterInfo, SampleType};

/// A file whose bands are put behind those of the files before.
struct Part {
    /// As it stands in the text.
    name: String,
    info: RasterInfo,
    bands: Vec<u16>,
    /// Left, top, width, height in pixels of the stack.
    place: [f64; 4],
}

/// Writes a VRT at `out` whose bands are those of all `paths`, in their order: colors and what lies
/// over the same ground besides, such as infrared and height. The first file gives the grid of
/// pixels; others are laid onto it by their place on the map, by the nearest pixel.
///
/// # Errors
/// [`MosaicError`] when a file cannot be opened, lies in another coordinate system or apart from the
/// first one, or neither in the folder of `out` nor below it; or when the disk refuses.
pub fn write_stack(paths: &[PathBuf], out: &Path) -> Result<MosaicReport, MosaicError> {
    let folder = fs::canonicalize(folder_of(out)).map_err(|source| OpenError::Io {
        path: folder_of(out).to_owned(),
        source,
    })?;
    let mut parts: Vec<Part> = Vec::with_capacity(paths.len());
    for path in paths {
        let source = open_stored(path)?;
        let info = source.info().clone();
        let place = place_of(parts.first().map_or(&info, |first| &first.info), &info);
        let place = place.map_err(|reason| MosaicError::DoesNotFit {
            path: path.clone(),
            reason,
        })?;
        parts.push(Part {
            name: name_below(path, &folder)?,
            bands: source.data_bands(),
            info,
            place,
        });
    }
    let Some(first) = parts.first() else {
        return Err(MosaicError::Empty);
    };
    let size = first.info.size;
    replace_file(out, text_of(&parts, size).as_bytes())?;
    Ok(MosaicReport {
        files: parts.len(),
        size,
    })
}

fn name_below(path: &Path, folder: &Path) -> Result<String, MosaicError> {
    let elsewhere = || MosaicError::Elsewhere {
        path: path.to_owned(),
        folder: folder_of(path).to_owned(),
    };
    let real = fs::canonicalize(path).ok().ok_or_else(elsewhere)?;
    let below = real.strip_prefix(folder).ok().ok_or_else(elsewhere)?;
    let text = in_slashes(below).ok_or_else(|| MosaicError::DoesNotFit {
        path: path.to_owned(),
        reason: "its name is no Unicode text, which a VRT needs".to_owned(),
    })?;
    Ok(escaped(&text).into_owned())
}

/// Where a file lies on the grid of the first: by the map, or over all of it where neither has a
/// place and the extents are the same.
fn place_of(first: &RasterInfo, other: &RasterInfo) -> Result<[f64; 4], String> {
    let [width, height] = [other.size.width, other.size.height].map(f64::from);
    if first.georef.is_none() && other.georef.is_none() {
        let (one, two) = (first.size, other.size);
        return if one == two {
            Ok([0.0, 0.0, width, height])
        } else {
            Err(format!(
                "it has {two} pixels, the first image has {one}, and neither a place on the map"
            ))
        };
    }
    let (grid, there): (&Georef, &Georef) = (north_up(first)?, north_up(other)?);
    if grid.epsg != there.epsg {
        let told =
            |epsg: Option<u32>| epsg.map_or("no code".to_owned(), |code| format!("EPSG:{code}"));
        let (one, two) = (told(grid.epsg), told(there.epsg));
        return Err(format!(
            "its coordinate system ({two}) is not that of the first image ({one})"
        ));
    }
    let [a, _, left, _, e, top] = grid.map_from_image;
    let [there_a, _, there_left, _, there_e, there_top] = there.map_from_image;
    let place = [
        (there_left - left) / a,
        (there_top - top) / e,
        width * there_a / a,
        height * there_e / e,
    ];
    let [x, y, across, down] = place;
    let is_apart = x >= f64::from(first.size.width)
        || y >= f64::from(first.size.height)
        || x + across <= 0.0
        || y + down <= 0.0;
    if is_apart || place.iter().any(|number| !number.is_finite()) {
        return Err("it covers other ground than the first image".to_owned());
    }
    Ok(place)
}

/// The type that holds all samples.
fn common_type(parts: &[Part]) -> &'static str {
    let mut names = parts.iter().map(|part| gdal_name(part.info.sample));
    let first = names.next().unwrap_or("Byte");
    let is_exact_in_floats = |part: &Part| {
        let sample = part.info.sample;
        sample.bits() <= 16 || sample == SampleType::F32
    };
    if names.all(|name| name == first) {
        first
    } else if parts.iter().all(is_exact_in_floats) {
        "Float32"
    } else {
        "Float64"
    }
}

fn text_of(parts: &[Part], ImageSize { width, height }: ImageSize) -> String {
    let mut text = format!("<VRTDataset rasterXSize=\"{width}\" rasterYSize=\"{height}\">\n");
    let first = &parts[0];
    // Writing to a string cannot fail.
    if let Some(georef) = &first.info.georef {
        if let Some(code) = georef.epsg {
            writeln!(text, "  <SRS>EPSG:{code}</SRS>").ok();
        }
        let [a, b, c, d, e, f] = georef.map_from_image;
        let numbers = [c, a, b, f, d, e].map(|number| format!("{number:?}"));
        writeln!(
            text,
            "  <GeoTransform>{}</GeoTransform>",
            numbers.join(", ")
        )
        .ok();
    }
    let kind = common_type(parts);
    let has_colors = first.bands.len() >= 3;
    let bands = parts
        .iter()
        .flat_map(|part| part.bands.iter().map(move |band| (part, band)));
    for (number, (part, band)) in bands.enumerate() {
        let meaning = match number {
            0 if has_colors => "Red",
            1 if has_colors => "Green",
            2 if has_colors => "Blue",
            0 => "Gray",
            _ => "Undefined",
        };
        write!(
            text,
            "  <VRTRasterBand dataType=\"{kind}\" band=\"{}\">",
            number + 1
        )
        .ok();
        if let Some(nodata) = part.info.nodata {
            write!(text, "<NoDataValue>{}</NoDataValue>", told(nodata)).ok();
        }
        writeln!(text, "<ColorInterp>{meaning}</ColorInterp>").ok();
        text += &source(part, &(band + 1).to_string());
        text += "  </VRTRasterBand>\n";
    }
    if first.info.has_alpha {
        text += "  <MaskBand><VRTRasterBand dataType=\"Byte\">\n";
        text += &source(first, "mask,1");
        text += "  </VRTRasterBand></MaskBand>\n";
    }
    text + "</VRTDataset>\n"
}

fn source(part: &Part, band: &str) -> String {
    let ImageSize { width, height } = part.info.size;
    let [x, y, across, down] = part.place;
    let nodata = part.info.nodata.filter(|_| !band.starts_with("mask"));
    let (kind, nodata) = match nodata {
        Some(value) => ("ComplexSource", format!("<NODATA>{}</NODATA>", told(value))),
        None => ("SimpleSource", String::new()),
    };
    format!(
        "    <{kind}><SourceFilename relativeToVRT=\"1\">{}</SourceFilename>\
         <SourceBand>{band}</SourceBand>\
         <SrcRect xOff=\"0\" yOff=\"0\" xSize=\"{width}\" ySize=\"{height}\" />\
         <DstRect xOff=\"{x:?}\" yOff=\"{y:?}\" xSize=\"{across:?}\" ySize=\"{down:?}\" />{nodata}\
         </{kind}>\n",
        part.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::PixelRect;
    use crate::raster::layers::held_bands;
    use crate::raster::tiff::MadeBands;
    use crate::raster::{Depth, open_raster};

    #[test]
    fn bands_of_other_files_lie_behind_those_of_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, made: &MadeBands, value: fn(u32, u32, u16) -> f64| {
            let file = made.file(value);
            crate::disk::replace_file(&path(name), &file).expect("written");
        };
        let colors = |x: u32, y: u32, band: u16| f64::from(x + 10 * y + 50 * u32::from(band));
        write("rgb.tif", &MadeBands::new(9, 6, 3, 8), colors);
        let height = |x: u32, y: u32, _: u16| f64::from(2_000 + 100 * x + y);
        write("height.tif", &MadeBands::new(9, 6, 1, 16), height);
        let out = path("all.vrt");
        let files = [path("rgb.tif"), path("height.tif")];
        let report = write_stack(&files, &out).expect("written");
        assert_eq!((report.files, report.size), (2, ImageSize::new(9, 6)));
        let stack = open_raster(&out).expect("it opens");
        let info = stack.info();
        assert_eq!((info.bands, info.sample), (4, SampleType::F32));
        assert_eq!(stack.color_bands(), [0, 1, 2]);
        let rect = PixelRect::new(4, 5, 1, 1);
        let samples = stack.read_bands(rect, &[0, 1, 2, 3]).expect("samples");
        let values: Vec<f32> = samples.planes.iter().map(|plane| plane[0]).collect();
        assert_eq!(values, [54.0, 104.0, 154.0, 2_405.0]);
        let format = stack.tile_format();
        assert_eq!((format.depth, format.layers), (Depth::Half, 2));
        let bands = stack.tile_bands();
        let tile = stack.read_tile(0, rect, &bands).expect("a tile");
        let samples = stack.tile_samples(&bands).expect("a scale");
        let height = samples.value(format.widened(&tile)[4]);
        assert!((height - 2_405.0).abs() < 2.0, "{height}");

        write("small.tif", &MadeBands::new(4, 4, 1, 8), colors);
        let misfit = write_stack(&[path("rgb.tif"), path("small.tif")], &out);
        assert!(matches!(misfit, Err(MosaicError::DoesNotFit { .. })));
        assert!(matches!(write_stack(&[], &out), Err(MosaicError::Empty)));
    }

    #[test]
    fn tiles_hold_those_of_many_bands_that_are_picked() {
        let folder = tempfile::tempdir().expect("a folder");
        let (many, out) = (folder.path().join("many.tif"), folder.path().join("a.vrt"));
        let made = MadeBands::new(9, 6, 20, 16);
        let file = made.file(|x, y, band| f64::from(x + 10 * y + 1_000 * u32::from(band)));
        crate::disk::replace_file(&many, &file).expect("written");
        write_stack(std::slice::from_ref(&many), &out).expect("written");
        for path in [many, out] {
            let source = open_raster(&path).expect("it opens");
            assert_eq!(source.tile_bands(), (0..20).collect::<Vec<_>>());
            let held = held_bands(source.tile_bands(), &[19, 15, 3]);
            let (format, pixel) = (source.tile_format(), PixelRect::new(4, 5, 1, 1));
            assert_eq!(format.layers, 4);
            let samples = source.tile_samples(&held).expect("a scale");
            let tile = source.read_tile(0, pixel, &held).expect("a tile");
            let layers = format.widened(&tile);
            let numbers = layers
                .as_chunks::<4>()
                .0
                .iter()
                .flat_map(|layer| &layer[..3]);
            for (&number, &band) in numbers.zip(&held) {
                let (found, expected) = (samples.value(number), 54.0 + 1_000.0 * f64::from(band));
                assert!((found - expected).abs() < 10.0, "{found} for {expected}");
            }
        }
    }
}
