use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::parts::{Broken, OpenParts};
use super::tile_folder::{Reach, TileFolder, TileName};
use crate::geom::{Georef, ImageSize, PixelRect};
use crate::raster::error::{Fault, OpenError, ReadError};
use crate::raster::limits::{MAX_SIDE, MAX_WHOLE_BYTES, product_within, zeroed};
use crate::raster::open::Opened;
use crate::raster::source::{BandSamples, Layout, RasterInfo, SampleType, TileSource};
use crate::raster::turned::Orientation;

/// Half the side of the world in Web Mercator, in meters.
const HALF_WORLD: f64 = 20_037_508.342_789_244;
const WEB_MERCATOR: u32 = 3_857;
/// Bytes of decoded tiles that are kept.
const TILE_BYTES: usize = 64 << 20;

/// Whether `path` is a folder of tiles (`ZOOM/COLUMN/ROW.png`), which is one image, and not one of
/// images.
pub fn is_tile_folder(path: &Path) -> bool {
    TileFolder::recognize(path).is_some()
}

/// A folder of tiles as maps on the net have them, its zooms as stored levels.
///
/// The extent is that of the tiles of the deepest zoom; tiles that are not there are transparent.
pub(in crate::raster) struct TilePyramid {
    folder: TileFolder,
    info: RasterInfo,
    levels: Vec<ZoomLevel>,
    /// Side of a tile.
    side: u32,
    open: OpenParts<TileName>,
}

/// A zoom that is a stored level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ZoomLevel {
    zoom: u8,
    /// The first pixel of the image among those of the zoom.
    origin: (u64, u64),
}

impl TilePyramid {
    /// Opens the folder at `path`; `None` where it is none of tiles.
    pub(in crate::raster) fn open(path: &Path) -> Option<Result<Self, OpenError>> {
        let folder = TileFolder::recognize(path)?;
        Some(Self::read(folder).map_err(|fault| fault.on_open(path)))
    }

    fn read(folder: TileFolder) -> Result<Self, Fault> {
        let tiles = folder.zooms.iter();
        let found = tiles
            .copied()
            .find_map(|zoom| Some((zoom, folder.reach(zoom)?)));
        let nothing = || Fault::damaged("there is no tile in it");
        let (deepest, reach) = found.ok_or_else(nothing)?;
        let first = folder.first_tile().ok_or_else(nothing)?;
        let (side, compression) = tile_kind(&first)?;
        let size = size_of_reach(&reach, side)?;
        let levels = levels_of(&folder, deepest, &reach, side);
        let sizes = levels
            .iter()
            .map(|level| size.at_level(deepest - level.zoom));
        let info = RasterInfo {
            size,
            bands: 4,
            sample: SampleType::U8,
            compression,
            layout: Layout::Tiles {
                width: side,
                height: side,
            },
            level_sizes: sizes.collect(),
            georef: folder.is_mercator.then(|| place_of(deepest, &reach, side)),
            nodata: None,
            palette: None,
            has_alpha: true,
            orientation: Orientation::default(),
            format: if folder.is_upward { "TMS" } else { "XYZ" },
        };
        Ok(Self {
            folder,
            info,
            levels,
            side,
            open: OpenParts::new(TILE_BYTES),
        })
    }

    /// A tile, `None` where there is none.
    fn tile(&self, name: TileName) -> Result<Option<Arc<dyn TileSource>>, Broken> {
        self.open.get(name, || {
            for path in self.folder.files_of(name) {
                match open_tile(&path) {
                    Ok(tile) if tile.info().size == ImageSize::new(self.side, self.side) => {
                        return Ok(Some(tile));
                    }
                    Ok(tile) => {
                        let size = tile.info().size;
                        let reason =
                            format!("it has {size} pixels, others have {0} × {0}", self.side);
                        return Err(Broken { path, reason });
                    }
                    Err(OpenError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                    Err(error) => {
                        let reason = super::nesting::reason_of(error);
                        return Err(Broken { path, reason });
                    }
                }
            }
            Ok(None)
        })
    }

    fn rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let outside = || Fault::Outside.on_read(&self.folder.path);
        let level = self.levels.get(stored).ok_or_else(outside)?;
        let size = self.info.level_sizes[stored];
        let end = |from: u32, len: u32| u64::from(from) + u64::from(len);
        if end(rect.x, rect.width) > u64::from(size.width)
            || end(rect.y, rect.height) > u64::from(size.height)
        {
            return Err(outside());
        }
        let len = product_within(&[rect.num_pixels(), 4], 4 * MAX_WHOLE_BYTES, "A window");
        let blank = len.and_then(|len| zeroed(len as usize));
        let mut out = blank.map_err(|fault| fault.on_read(&self.folder.path))?;
        let runs = |from: u32, len: u32, origin: u64| {
            runs_of(
                origin + u64::from(from),
                u64::from(len),
                u64::from(self.side),
            )
        };
        for down in runs(rect.y, rect.height, level.origin.1) {
            for across in runs(rect.x, rect.width, level.origin.0) {
                let name = TileName {
                    zoom: level.zoom,
                    col: across.tile,
                    row: down.tile,
                };
                if let Some(tile) = self.tile(name)? {
                    let window = PixelRect::new(across.from, down.from, across.len, down.len);
                    let pixels = tile.read_rgba(0, window)?;
                    copy_rows(&pixels, window, &mut out, rect.width, (across.to, down.to));
                }
            }
        }
        Ok(out)
    }
}

/// Pixels of one tile along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RunOfTile {
    tile: u32,
    /// Within the tile.
    from: u32,
    len: u32,
    /// Within what is read.
    to: u32,
}

/// The tiles of `side` pixels that `len` pixels from `from` on lie in.
fn runs_of(from: u64, len: u64, side: u64) -> impl Iterator<Item = RunOfTile> {
    let end = from + len;
    let tiles = from / side..end.div_ceil(side);
    tiles.map(move |tile| {
        let (first, last) = ((tile * side).max(from), ((tile + 1) * side).min(end));
        RunOfTile {
            tile: tile as u32,
            from: (first - tile * side) as u32,
            len: last.saturating_sub(first) as u32,
            to: (first - from) as u32,
        }
    })
}

fn copy_rows(pixels: &[u8], window: PixelRect, out: &mut [u8], out_width: u32, (x, y): (u32, u32)) {
    let (len, out_len) = (window.width as usize * 4, out_width as usize * 4);
    if len == 0 {
        return;
    }
    for (row, pixels) in (y as usize..).zip(pixels.chunks_exact(len)) {
        let start = row * out_len + x as usize * 4;
        if let Some(out) = out.get_mut(start..start + len) {
            out.copy_from_slice(pixels);
        }
    }
}

fn open_tile(path: &Path) -> Result<Arc<dyn TileSource>, OpenError> {
    match Opened::open(path)? {
        Opened::Plain(tile) => Ok(tile),
        _ => Err(OpenError::UnknownFormat {
            path: path.to_owned(),
        }),
    }
}

/// Side and codec of tiles, by one of them.
fn tile_kind(tile: &Path) -> Result<(u32, String), Fault> {
    let opened = open_tile(tile).map_err(|error| {
        let reason = super::nesting::reason_of(error);
        Fault::damaged(format!("its tile {}: {reason}", tile.display()))
    })?;
    let info = opened.info();
    let ImageSize { width, height } = info.size;
    if width != height || !width.is_power_of_two() || !(64..=4_096).contains(&width) {
        return Err(Fault::unsupported(format!(
            "A folder of tiles of {width} × {height} pixels"
        )));
    }
    Ok((width, info.compression.clone()))
}

fn size_of_reach(reach: &Reach, side: u32) -> Result<ImageSize, Fault> {
    let pixels =
        |range: &std::ops::Range<u32>| u64::from(range.end - range.start) * u64::from(side);
    let (width, height) = (pixels(&reach.cols), pixels(&reach.rows));
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(Fault::unsupported(format!(
            "A folder of tiles that reach over {width} × {height} pixels"
        )));
    }
    Ok(ImageSize::new(width as u32, height as u32))
}

/// The zooms whose pixels lie on those of the deepest: its first pixel is the first of one of theirs.
fn levels_of(folder: &TileFolder, deepest: u8, reach: &Reach, side: u32) -> Vec<ZoomLevel> {
    let origin = [reach.cols.start, reach.rows.start].map(|tile| u64::from(tile) * u64::from(side));
    let zooms = folder.zooms.iter().filter(|&&zoom| zoom <= deepest);
    let levels = zooms.filter_map(|&zoom| {
        let factor = 1_u64 << (deepest - zoom);
        let is_aligned = origin.iter().all(|first| first.is_multiple_of(factor));
        is_aligned.then_some(ZoomLevel {
            zoom,
            origin: (origin[0] / factor, origin[1] / factor),
        })
    });
    levels.collect()
}

/// The place of the world's tiles in Web Mercator.
fn place_of(zoom: u8, reach: &Reach, side: u32) -> Georef {
    let tile = 2.0 * HALF_WORLD / f64::from(1_u32 << zoom);
    let min_x = f64::from(reach.cols.start) * tile - HALF_WORLD;
    let max_y = HALF_WORLD - f64::from(reach.rows.start) * tile;
    Georef::north_up(min_x, max_y, tile / f64::from(side), Some(WEB_MERCATOR))
}

impl TileSource for TilePyramid {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn read_bands(&self, rect: PixelRect, bands: &[u16]) -> Result<BandSamples, ReadError> {
        if bands.iter().any(|&band| band >= self.info.bands) {
            return Err(Fault::Outside.on_read(&self.folder.path));
        }
        let rgba = self.rgba(0, rect)?;
        let pixels = rgba.as_chunks::<4>().0;
        let plane = |&band: &u16| {
            let values = pixels
                .iter()
                .map(|pixel| f32::from(pixel[usize::from(band)]));
            values.collect()
        };
        Ok(BandSamples {
            planes: bands.iter().map(plane).collect(),
            has_data: pixels.iter().map(|pixel| pixel[3] > 0).collect(),
        })
    }

    fn read_rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.rgba(stored, rect)
    }

    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let rgba = self.rgba(0, rect)?;
        Ok(rgba.iter().step_by(4).copied().collect())
    }

    fn block_size(&self, _: usize) -> ImageSize {
        ImageSize::new(self.side, self.side)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_cut_at_tiles() {
        let run = |tile, from, len, to| RunOfTile {
            tile,
            from,
            len,
            to,
        };
        let runs: Vec<RunOfTile> = runs_of(500, 300, 256).collect();
        assert_eq!(
            runs,
            [run(1, 244, 12, 0), run(2, 0, 256, 12), run(3, 0, 32, 268)]
        );
        assert_eq!(runs_of(512, 0, 256).count(), 0);
    }

    #[test]
    fn the_world_lies_around_zero() {
        let all = Reach {
            cols: 0..1,
            rows: 0..1,
        };
        let bounds = place_of(0, &all, 256).bounds(ImageSize::new(256, 256));
        let world = [-HALF_WORLD, -HALF_WORLD, HALF_WORLD, HALF_WORLD];
        for (found, expected) in bounds.iter().zip(world) {
            assert!((found - expected).abs() < 1e-6, "{bounds:?}");
        }
    }
}
