use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::inside::Access;
use super::nesting::Nesting;
use super::text::{Joined, Tile, vrt_text};
use super::vrt::read_text;
use crate::disk::{ReplaceError, folder_of, replace_file};
use crate::geom::{Georef, ImageSize, PixelRect};
use crate::raster::error::OpenError;
use crate::raster::limits::MAX_SIDE;
use crate::raster::open::open_stored;
use crate::raster::source::{RasterInfo, TileSource};

/// How far a file may lie beside the grid of the others, in pixels.
const GRID_TOLERANCE: f64 = 0.01;

/// Files do not make a mosaic.
#[derive(Debug, thiserror::Error)]
pub enum MosaicError {
    /// Nothing to join.
    #[error("There is no image to join. Name the images, or a folder that holds them")]
    Empty,
    /// One of them cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// One of them is unlike the others.
    #[error(
        "The images make no mosaic: {reason}. Leave this one out, or bring it onto the grid of the \
         others with `gdalwarp`: {path}"
    )]
    DoesNotFit {
        /// The first that does not fit.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The mosaic would lie where it may not name its files.
    #[error(
        "The VRT has to lie in the folder of its images or above it, since files elsewhere are not \
         read. Write it to {}, or move the images: {path}", .folder.display()
    )]
    Elsewhere {
        /// The first image that lies elsewhere.
        path: PathBuf,
        /// A folder from which it can be named.
        folder: PathBuf,
    },
    /// The mosaic cannot be written.
    #[error(transparent)]
    Write(#[from] ReplaceError),
}

/// What was joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MosaicReport {
    /// Number of files.
    pub files: usize,
    /// Extent of the mosaic.
    pub size: ImageSize,
}

/// Adjoining files with a place on the map as one image; where they overlap, the later by name
/// wins, and ground without any is transparent.
///
/// They must have one coordinate system, one pixel size, one grid of pixels (to a hundredth of a
/// pixel), north up, and the same bands.
///
/// # Errors
/// [`MosaicError`], which names the first file that does not fit and why.
pub fn mosaic_of(paths: &[PathBuf]) -> Result<Arc<dyn TileSource>, MosaicError> {
    let joined = join(paths)?;
    // Not the name of a file, whose notes would be taken for those of the mosaic.
    let place = folder_of(&joined.tiles[0].path).to_owned();
    let name_of = |tile: &Tile| fs::canonicalize(&tile.path).ok();
    let text = vrt_text(&joined, false, name_of).map_err(|path| no_text(&path))?;
    let nesting = Nesting::default();
    let nesting = nesting.within(&place);
    let nesting = nesting.map_err(|fault| fault.on_open(&place))?;
    let mosaic = read_text(&text, &place, Access::Given, nesting);
    Ok(Arc::new(mosaic.map_err(|refusal| refusal.on_open(&place))?))
}

/// Writes a VRT at `out` that joins `paths` as [`mosaic_of`] does, with names relative to it.
///
/// # Errors
/// As [`mosaic_of`]; also when an image lies neither in the folder of `out` nor below it, or the
/// disk refuses.
pub fn write_mosaic(paths: &[PathBuf], out: &Path) -> Result<MosaicReport, MosaicError> {
    let joined = join(paths)?;
    let folder = fs::canonicalize(folder_of(out)).map_err(|source| OpenError::Io {
        path: folder_of(out).to_owned(),
        source,
    })?;
    let name_of = |tile: &Tile| {
        let real = fs::canonicalize(&tile.path).ok()?;
        real.strip_prefix(&folder).ok().map(Path::to_owned)
    };
    if let Some(tile) = joined.tiles.iter().find(|tile| name_of(tile).is_none()) {
        return Err(MosaicError::Elsewhere {
            path: tile.path.clone(),
            folder: common_folder(&joined.tiles),
        });
    }
    let text = vrt_text(&joined, true, name_of).map_err(|path| no_text(&path))?;
    replace_file(out, text.as_bytes())?;
    Ok(MosaicReport {
        files: joined.tiles.len(),
        size: joined.size,
    })
}

/// The deepest folder that all files lie in or below.
fn common_folder(tiles: &[Tile]) -> PathBuf {
    let folders = tiles.iter().map(|tile| {
        let real = fs::canonicalize(&tile.path);
        folder_of(&real.unwrap_or_else(|_| tile.path.clone())).to_owned()
    });
    let common = folders.reduce(|one, other| {
        let shared = one.components().zip(other.components());
        let shared = shared.take_while(|(one, other)| one == other);
        shared.map(|(part, _)| part).collect()
    });
    common.unwrap_or_default()
}

fn no_text(path: &Path) -> MosaicError {
    MosaicError::DoesNotFit {
        path: path.to_owned(),
        reason: "a name is no Unicode text, which a VRT needs".to_owned(),
    }
}

/// The files in the order in which they lie over each other, each with its place.
fn join(paths: &[PathBuf]) -> Result<Joined, MosaicError> {
    let mut paths = paths.to_vec();
    paths.sort_by(|one, other| (one.file_name(), one).cmp(&(other.file_name(), other)));
    paths.dedup();
    // All are looked at, so that the first by name is told.
    let opened: Vec<_> = paths.into_par_iter().map(Opened::read).collect();
    let opened = opened.into_iter().collect::<Result<Vec<_>, _>>()?;
    let first = opened.first().ok_or(MosaicError::Empty)?;
    let grid = Grid::of(first)?;
    let mut places = Vec::with_capacity(opened.len());
    for file in &opened {
        let place = grid.place(file).and_then(|place| {
            let reason = first.unlike(file);
            reason.map_or(Ok(place), Err)
        });
        places.push(place.map_err(|reason| MosaicError::DoesNotFit {
            path: file.path.clone(),
            reason,
        })?);
    }
    let left = places.iter().map(|place| place.0).min().unwrap_or(0);
    let top = places.iter().map(|place| place.1).min().unwrap_or(0);
    let mut joined = Joined {
        size: ImageSize::new(0, 0),
        georef: grid.moved(left, top),
        has_mask: false,
        alpha: first.alpha(),
        info: first.info.clone(),
        tiles: Vec::with_capacity(opened.len()),
    };
    let mut reach = PixelRect::default();
    for (file, (x, y)) in opened.iter().zip(places) {
        let covers = covers_of(file, (x - left, y - top))?;
        reach = reach.union(covers);
        joined.has_mask |= file.info.has_alpha && joined.alpha.is_none();
        joined.tiles.push(Tile {
            path: file.path.clone(),
            covers,
            hides: file.info.has_alpha,
            layout: file.info.layout,
        });
    }
    joined.size = ImageSize::new(reach.right(), reach.bottom());
    Ok(joined)
}

fn covers_of(file: &Opened, (x, y): (i64, i64)) -> Result<PixelRect, MosaicError> {
    let size = file.info.size;
    let most = MAX_SIDE as i64;
    let is_near = x + i64::from(size.width) <= most && y + i64::from(size.height) <= most;
    if !is_near {
        return Err(MosaicError::DoesNotFit {
            path: file.path.clone(),
            reason: format!("the mosaic would have more than {MAX_SIDE} pixels along a side"),
        });
    }
    Ok(PixelRect::new(x as u32, y as u32, size.width, size.height))
}

/// The header of a file.
struct Opened {
    path: PathBuf,
    info: RasterInfo,
    data_bands: Vec<u16>,
}

impl Opened {
    fn read(path: PathBuf) -> Result<Self, OpenError> {
        let source = open_stored(&path)?;
        Ok(Self {
            info: source.info().clone(),
            data_bands: source.data_bands(),
            path,
        })
    }

    /// The band of opacity.
    fn alpha(&self) -> Option<u16> {
        (0..self.info.bands).find(|band| !self.data_bands.contains(band))
    }

    /// How another file differs in what it holds.
    fn unlike(&self, other: &Self) -> Option<String> {
        let (one, two) = (&self.info, &other.info);
        if one.bands != two.bands || self.alpha() != other.alpha() {
            return Some(format!(
                "it has {} bands, the first image has {}, or another one of opacity",
                two.bands, one.bands
            ));
        }
        if one.sample != two.sample {
            let (one, two) = (one.sample, two.sample);
            return Some(format!("it has {two} samples, the first image has {one}"));
        }
        if one.palette != two.palette {
            return Some("its palette is another one than that of the first image".to_owned());
        }
        let is_same_nodata = match (one.nodata, two.nodata) {
            (Some(one), Some(two)) => one == two || (one.is_nan() && two.is_nan()),
            (one, two) => one == two,
        };
        let told =
            |nodata: Option<f64>| nodata.map_or("none".to_owned(), |value| value.to_string());
        (!is_same_nodata).then(|| {
            let (one, two) = (told(one.nodata), told(two.nodata));
            format!("its nodata value is {two}, that of the first image is {one}")
        })
    }
}

/// The grid of pixels of the first file.
struct Grid {
    georef: Georef,
    width: f64,
    height: f64,
}

impl Grid {
    fn of(file: &Opened) -> Result<Self, MosaicError> {
        let georef = north_up(&file.info).map_err(|reason| MosaicError::DoesNotFit {
            path: file.path.clone(),
            reason,
        })?;
        let [width, _, _, _, height, _] = georef.map_from_image;
        Ok(Self {
            georef: georef.clone(),
            width,
            height: -height,
        })
    }

    /// Column and row of a file's first pixel, counted from that of the first file.
    fn place(&self, file: &Opened) -> Result<(i64, i64), String> {
        let georef = north_up(&file.info)?;
        let is_same_system = georef.epsg == self.georef.epsg
            && (georef.epsg.is_some() || georef.keys == self.georef.keys);
        if !is_same_system {
            let told = |epsg: Option<u32>| {
                epsg.map_or("without a code".to_owned(), |code| format!("EPSG:{code}"))
            };
            let (here, there) = (told(georef.epsg), told(self.georef.epsg));
            return Err(format!(
                "its coordinate system ({here}) is not that of the first image ({there})"
            ));
        }
        let [width, _, x, _, height, y] = georef.map_from_image;
        let size = file.info.size;
        let drift = |one: f64, other: f64, len: u32| ((one - other) / other).abs() * f64::from(len);
        if drift(width, self.width, size.width) > GRID_TOLERANCE
            || drift(-height, self.height, size.height) > GRID_TOLERANCE
        {
            return Err(format!(
                "its pixels are {width} × {} large, those of the first image {} × {}",
                -height, self.width, self.height
            ));
        }
        let [_, _, first_x, _, _, first_y] = self.georef.map_from_image;
        let across = (x - first_x) / self.width;
        let down = (first_y - y) / self.height;
        let off = [across, down].map(|steps| (steps - steps.round()).abs());
        if off.iter().any(|off| *off > GRID_TOLERANCE) {
            return Err(format!(
                "it lies {:.3} × {:.3} pixels beside the grid of the first image",
                off[0], off[1]
            ));
        }
        if across.abs() > MAX_SIDE as f64 || down.abs() > MAX_SIDE as f64 {
            return Err("it lies too far away from the first image".to_owned());
        }
        Ok((across.round() as i64, down.round() as i64))
    }

    /// The place of a pixel that is counted from the first file's.
    fn moved(&self, col: i64, row: i64) -> Georef {
        let mut georef = self.georef.clone();
        georef.map_from_image[2] += col as f64 * self.width;
        georef.map_from_image[5] -= row as f64 * self.height;
        georef
    }
}

pub(super) fn north_up(info: &RasterInfo) -> Result<&Georef, String> {
    let georef = info.georef.as_ref();
    let georef = georef.ok_or_else(|| "it has no place on the map".to_owned())?;
    let [width, turn, _, lean, height, _] = georef.map_from_image;
    if turn != 0.0 || lean != 0.0 || width <= 0.0 || height >= 0.0 {
        return Err("it does not lie with north up".to_owned());
    }
    Ok(georef)
}
