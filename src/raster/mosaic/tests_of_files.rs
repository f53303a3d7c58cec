//! Stories of files that are joined, and of folders of tiles.

use std::path::PathBuf;

use super::made::{Made, open};
use super::{MosaicError, is_tile_folder, mosaic_of, write_mosaic};
use crate::geom::{Georef, ImageSize, PixelRect};
use crate::raster::source::{Layout, TileSource};
use crate::raster::writer::{PixelKind, TiffOptions};
use crate::raster::{CogOptions, write_cog};
use crate::raster::{Packing, open_raster};

const RED: [u8; 3] = [200, 10, 20];
const GREEN: [u8; 3] = [20, 190, 30];
const BLUE: [u8; 3] = [5, 60, 250];

fn pixel(source: &dyn TileSource, level: usize, x: u32, y: u32) -> [u8; 4] {
    let rgba = source.read_rgba(level, PixelRect::new(x, y, 1, 1));
    rgba.expect("a pixel").try_into().expect("four bytes")
}

fn opaque([red, green, blue]: [u8; 3]) -> [u8; 4] {
    [red, green, blue, 255]
}

/// Three of four corners, and one file over two of them.
fn corners(made: &Made) -> Vec<PathBuf> {
    vec![
        made.placed("c_southwest.tif", BLUE, (100.0, 196.0)),
        made.placed("a_northwest.tif", RED, (100.0, 200.0)),
        made.placed("b_northeast.tif", GREEN, (104.0, 200.0)),
    ]
}

#[test]
fn adjoining_files_are_one_image() {
    let made = Made::new();
    let files = corners(&made);
    let mosaic = mosaic_of(&files).expect("a mosaic");
    let info = mosaic.info();
    assert_eq!(info.size, ImageSize::new(16, 16));
    let georef = info.georef.as_ref().expect("a place");
    assert_eq!(georef.map_from_image, [0.5, 0.0, 100.0, 0.0, -0.5, 200.0]);
    assert_eq!(georef.epsg, Some(2_180));
    assert_eq!(pixel(&*mosaic, 0, 7, 7), opaque(RED));
    assert_eq!(pixel(&*mosaic, 0, 8, 7), opaque(GREEN));
    assert_eq!(pixel(&*mosaic, 0, 0, 8), opaque(BLUE));
    assert_eq!(pixel(&*mosaic, 0, 8, 8)[3], 0, "ground without a file");
}

#[test]
fn the_later_name_lies_above() {
    let made = Made::new();
    let above = made.placed("b.tif", GREEN, (102.0, 200.0));
    let below = made.placed("a.tif", RED, (100.0, 200.0));
    let mosaic = mosaic_of(&[above, below]).expect("a mosaic");
    assert_eq!(mosaic.info().size, ImageSize::new(12, 8));
    assert_eq!(pixel(&*mosaic, 0, 3, 0), opaque(RED));
    assert_eq!(pixel(&*mosaic, 0, 4, 0), opaque(GREEN));
}

#[test]
fn a_written_mosaic_is_the_mosaic() {
    let made = Made::new();
    let files = corners(&made);
    let out = made.path("all & more.vrt");
    let report = write_mosaic(&files, &out).expect("written");
    assert_eq!((report.files, report.size), (3, ImageSize::new(16, 16)));
    let (written, joined) = (open(&out), mosaic_of(&files).expect("a mosaic"));
    assert_eq!(written.info(), joined.info());
    let bounds = written.info().size.bounds();
    let picture = |source: &dyn TileSource| source.read_rgba(0, bounds).expect("a picture");
    assert_eq!(picture(&*written), picture(&*joined));
    std::fs::create_dir(made.path("below")).expect("made");
    let elsewhere = write_mosaic(&files, &made.path("below/m.vrt"));
    let error = elsewhere.expect_err("the files lie above");
    assert!(matches!(error, MosaicError::Elsewhere { .. }), "{error}");
}

#[test]
fn a_mosaic_becomes_a_pyramid() {
    let made = Made::new();
    let out = made.path("m.vrt");
    write_mosaic(&corners(&made), &out).expect("written");
    let cog = made.path("cog.tif");
    let options = CogOptions {
        packing: Packing::Deflate,
        quality: None,
        tile: Some(64),
    };
    write_cog(&out, &cog, &options, &|_| true).expect("written");
    let (mosaic, cog) = (open(&out), open(&cog));
    assert_eq!(
        cog.info().georef.as_ref().and_then(|georef| georef.epsg),
        Some(2_180)
    );
    for (x, y) in [(0, 0), (8, 0), (0, 8)] {
        assert_eq!(pixel(&*cog, 0, x, y), pixel(&*mosaic, 0, x, y));
    }
    assert_eq!(pixel(&*cog, 0, 9, 9)[3], 0);
}

#[track_caller]
fn check_misfit(made: &Made, files: &[PathBuf], name: &str, words: &str) {
    let error = mosaic_of(files).map(|_| ()).expect_err("no mosaic");
    let is_named = matches!(&error, MosaicError::DoesNotFit { path, .. } if path.ends_with(name));
    assert!(is_named && error.to_string().contains(words), "{error}");
    assert!(write_mosaic(files, &made.path("m.vrt")).is_err());
    assert!(!made.path("m.vrt").exists());
}

#[test]
fn the_first_that_does_not_fit_is_named() {
    let made = Made::new();
    let a = made.placed("a.tif", RED, (100.0, 200.0));
    let with = |name: &str, georef: Option<Georef>, kind: PixelKind| {
        let bands = kind.bands();
        let mut options = TiffOptions::new(ImageSize::new(8, 8), kind);
        options.georef = georef;
        let path = made.path(name);
        let mut writer = crate::raster::TiffWriter::create(&path, options).expect("created");
        writer.write_rows(&vec![7; 64 * bands]).expect("written");
        writer.finish().expect("finished");
        path
    };
    let place = |x: f64, size: f64, epsg: u32| Some(Georef::north_up(x, 200.0, size, Some(epsg)));
    let cases = [
        (with("no_place.tif", None, PixelKind::Rgb), "no place"),
        (
            with("other.tif", place(104.0, 0.5, 3_857), PixelKind::Rgb),
            "EPSG:3857",
        ),
        (
            with("coarse.tif", place(104.0, 1.0, 2_180), PixelKind::Rgb),
            "large",
        ),
        (
            with("beside.tif", place(104.1, 0.5, 2_180), PixelKind::Rgb),
            "beside the grid",
        ),
        (
            with("alpha.tif", place(104.0, 0.5, 2_180), PixelKind::Rgba),
            "bands",
        ),
        (
            with("far.tif", place(1e13, 0.5, 2_180), PixelKind::Rgb),
            "far",
        ),
    ];
    for (path, words) in &cases {
        let name = path.file_name().expect("a name").to_string_lossy();
        check_misfit(&made, &[a.clone(), path.clone()], &name, words);
    }
    assert!(matches!(mosaic_of(&[]), Err(MosaicError::Empty)));
    let gone = mosaic_of(&[a, made.path("gone.tif")]);
    assert!(matches!(gone, Err(MosaicError::Open(_))));
}

#[test]
fn smaller_copies_of_files_are_levels_of_the_mosaic() {
    let made = Made::new();
    let files = [
        made.with_levels("a.tif", 64, RED, 0.0),
        made.with_levels("b.tif", 64, GREEN, 32.0),
    ];
    let mosaic = mosaic_of(&files).expect("a mosaic");
    let sizes = [(128, 64), (64, 32), (32, 16)].map(|(w, h)| ImageSize::new(w, h));
    assert_eq!(mosaic.info().level_sizes, sizes);
    assert_eq!(pixel(&*mosaic, 1, 31, 9), opaque(RED));
    assert_eq!(pixel(&*mosaic, 1, 32, 9), opaque(GREEN));
    assert_eq!(pixel(&*mosaic, 2, 16, 15), opaque(GREEN));
    // One without copies takes them from all.
    let mut options = TiffOptions::new(ImageSize::new(64, 64), PixelKind::Rgb);
    options.georef = Some(Georef::north_up(64.0, 0.0, 0.5, Some(2_180)));
    let third = made.rgb("c.tif", options, |_, _| BLUE);
    let files = [files[0].clone(), files[1].clone(), third];
    let mosaic = mosaic_of(&files).expect("a mosaic");
    assert_eq!(mosaic.info().level_sizes.len(), 1);
}

/// Tiles around the middle of the world: two by two of the deepest zoom, and what lies above.
fn tiles(made: &Made, rows: [u32; 2], side: u32) {
    let [north, south] = rows;
    made.tile(&format!("map/5/16/{north}.png"), side, opaque(RED));
    made.tile(&format!("map/5/17/{north}.png"), side, opaque(GREEN));
    made.tile(&format!("map/5/16/{south}.png"), side, opaque(BLUE));
}

#[test]
fn a_folder_of_tiles_is_one_image_with_levels() {
    let made = Made::new();
    tiles(&made, [16, 17], 256);
    made.tile("map/4/8/8.png", 256, [1, 2, 3, 255]);
    let folder = made.path("map");
    assert!(is_tile_folder(&folder));
    let map = open(&folder);
    let info = map.info();
    assert_eq!((info.size, info.bands), (ImageSize::new(512, 512), 4));
    assert_eq!((info.format, &info.compression[..]), ("XYZ", "Deflate"));
    assert_eq!(info.level_sizes[1..], [ImageSize::new(256, 256)]);
    assert_eq!(
        info.layout,
        Layout::Tiles {
            width: 256,
            height: 256
        }
    );
    let georef = info.georef.as_ref().expect("a place");
    assert_eq!(georef.epsg, Some(3_857));
    let [size, _, x, _, _, y] = georef.map_from_image;
    assert!((size - 20_037_508.342_789_244 / 16.0 / 256.0).abs() < 1e-9);
    assert!(x.abs() < 1e-6 && y.abs() < 1e-6, "{x} {y}");
    assert_eq!(pixel(&*map, 0, 255, 255), opaque(RED));
    assert_eq!(pixel(&*map, 0, 256, 255), opaque(GREEN));
    assert_eq!(pixel(&*map, 0, 255, 256), opaque(BLUE));
    assert_eq!(pixel(&*map, 0, 256, 256), [0; 4], "no tile");
    assert_eq!(pixel(&*map, 1, 200, 200), [1, 2, 3, 255]);
    let values = map.read_values(PixelRect::new(255, 256, 2, 1), 3);
    assert_eq!(values.expect("opacity"), [255.0, 0.0]);
    assert!(map.read_rgba(0, PixelRect::new(1, 0, 512, 1)).is_err());
    let map = open(&folder);
    made.tile("map/5/17/17.png", 128, opaque(RED));
    assert!(
        map.read_rgba(0, PixelRect::new(300, 300, 1, 1)).is_err(),
        "a tile of another size"
    );
}

#[test]
fn rows_of_a_tile_map_count_from_the_south() {
    let made = Made::new();
    // Row 16 from the north is row 15 from the south.
    tiles(&made, [15, 14], 512);
    let text = "<?xml version=\"1.0\"?><TileMap><TileSets profile=\"mercator\"/></TileMap>";
    made.vrt("map/tilemapresource.xml", text);
    let map = open(&made.path("map"));
    assert_eq!(
        (map.info().size, map.info().format),
        (ImageSize::new(1_024, 1_024), "TMS")
    );
    let [size, _, _, _, _, y] = map.info().georef.as_ref().expect("a place").map_from_image;
    assert!(y.abs() < 1e-6 && (size - 20_037_508.342_789_244 / 16.0 / 512.0).abs() < 1e-9);
    assert_eq!(pixel(&*map, 0, 0, 0), opaque(RED));
    assert_eq!(pixel(&*map, 0, 0, 1_023), opaque(BLUE));
}

#[test]
fn zooms_off_the_grid_of_the_deepest_are_left_out() {
    let made = Made::new();
    // Nine halvings of an odd tile of 256 pixels do not end on a pixel.
    made.tile("map/10/513/512.png", 256, opaque(RED));
    made.tile("map/2/2/2.png", 256, opaque(GREEN));
    made.tile("map/1/1/1.png", 256, opaque(GREEN));
    let map = open(&made.path("map"));
    assert_eq!(
        map.info().level_sizes,
        [256, 1].map(|side| ImageSize::new(side, side))
    );
    assert!(open_raster(&made.path("map/10")).is_err());
}
