//! Stories of mosaics with overviews out of a cache.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::made::{Made, placed_source, vrt};
use crate::geom::{PixelRect, TileKey};
use crate::raster::source::TileSource;
use crate::raster::{MadeBands, OverviewStore, Pyramid, TileCache, open_raster};

const SIDE: u32 = 640;
const SIZE: (u32, u32) = (1_408, 1_280);

/// A band of two files with a hole between them and ground without any around.
fn band(number: u16, more: &str) -> String {
    let number = number.to_string();
    let all = [0.0, 0.0, f64::from(SIDE), f64::from(SIDE)];
    let at = |x, y| [x, y, f64::from(SIDE), f64::from(SIDE)];
    let files = [("a.tif", at(0.0, 0.0)), ("b.tif", at(704.0, 640.0))];
    let sources = files.map(|(name, to)| placed_source(name, &number, all, to, ""));
    format!("{more}{}", sources.concat())
}

/// Writes both files with values that change slowly, in `bands` of `bits`.
fn write_files(made: &Made, bands: u16, bits: u16, format: u16) {
    for (name, base) in [("a.tif", 20.0), ("b.tif", 60.0)] {
        let numbers = MadeBands {
            format,
            tile: Some(64),
            ..MadeBands::new(SIDE, SIDE, bands, bits)
        };
        let unit = if bits == 8 { 1.0 } else { 37.5 };
        made.numbers(name, &numbers, |x, y, band| {
            unit * (base + f64::from(x / 16 + y / 16) + 40.0 * f64::from(band))
        });
    }
}

/// Holds the mosaic without and with kept overviews against each other: what is stored must be the
/// same, and what is shown be nearly the same (colors are packed with a little loss).
fn compare(made: &Made, path: &Path) {
    let store = OverviewStore::new(&made.path("cache"), 1 << 30);
    let now = SystemTime::now();
    store.make(path, now, &|_| true).expect("overviews");
    let plain = open_raster(path).expect("a mosaic");
    let quick = store.open(path, now).expect("a mosaic");
    assert!(quick.info().level_sizes.len() > plain.info().level_sizes.len());
    assert_eq!(plain.tile_format(), quick.tile_format());
    let bands = plain.tile_bands();
    let samples = [&plain, &quick].map(|source| source.tile_samples(&bands).expect("samples"));
    assert_eq!(samples[0], samples[1]);
    let rect = PixelRect::new(600, 600, 128, 96);
    let shown = [&plain, &quick].map(|source| source.read_rgba(0, rect).expect("a picture"));
    assert_eq!(shown[0], shown[1]);

    let of = |source: Arc<dyn TileSource>| {
        Pyramid::of_samples(source, Arc::new(TileCache::new(1 << 28)))
    };
    let (plain, quick) = (of(plain), of(quick));
    assert!(plain.needs_sketch() && !quick.needs_sketch());
    for level in 1..=plain.shape().root().level {
        let key = TileKey::new(level, 0, 0);
        let [one, other] = [&plain, &quick].map(|it| it.tile(key).expect("a tile"));
        let format = one.format;
        let (one, other) = (format.widened(&one.bytes), format.widened(&other.bytes));
        let (one, other) = (one.chunks_exact(4), other.chunks_exact(4));
        for (at, (one, other)) in one.zip(other).enumerate() {
            let place = format!("level {level}, pixel {at}: {one:?} {other:?}");
            assert_eq!(one[3], other[3], "{place}");
            let near = |(one, other): (&f32, &f32)| (one - other).abs() <= format.opaque() / 40.0;
            let is_near = one[..3].iter().zip(other).all(near);
            assert!(is_near || one[3] == 0.0, "{place}");
        }
    }
}

#[test]
fn bytes_are_shown_alike_in_any_order_of_colors() {
    let made = Made::new();
    write_files(&made, 3, 8, 1);
    let colors = ["Blue", "Green", "Red"];
    let bands: Vec<String> = (1..)
        .zip(colors)
        .map(|(number, color)| band(number, &format!("<ColorInterp>{color}</ColorInterp>")))
        .collect();
    compare(&made, &made.vrt("bgr.vrt", &vrt(SIZE, "Byte", &bands)));
    let nodata = "<NoDataValue>0</NoDataValue>";
    let bands: Vec<String> = (1..=3).map(|number| band(number, nodata)).collect();
    compare(&made, &made.vrt("nodata.vrt", &vrt(SIZE, "Byte", &bands)));
    compare(
        &made,
        &made.vrt("grey.vrt", &vrt(SIZE, "Byte", &bands[..1])),
    );
    let entry = |index: u32| format!("<Entry c1=\"{index}\" c2=\"9\" c3=\"{}\"/>", 255 - index);
    let table: String = (0..256).map(entry).collect();
    let table = format!(
        "<ColorInterp>Palette</ColorInterp><ColorTable>{table}</ColorTable>{}",
        bands[0]
    );
    compare(&made, &made.vrt("table.vrt", &vrt(SIZE, "Byte", &[table])));
}

#[test]
fn many_bands_and_wide_numbers_are_shown_alike() {
    for (bits, format, name) in [(8, 1, "Byte"), (16, 1, "UInt16"), (32, 3, "Float32")] {
        let made = Made::new();
        write_files(&made, 4, bits, format);
        for nodata in ["", "<NoDataValue>0</NoDataValue>"] {
            let bands: Vec<String> = (1..=4).map(|number| band(number, nodata)).collect();
            compare(&made, &made.vrt("wide.vrt", &vrt(SIZE, name, &bands)));
        }
    }
}

#[test]
fn another_file_in_the_mosaic_is_another_mosaic() {
    let made = Made::new();
    write_files(&made, 3, 8, 1);
    let bands: Vec<String> = (1..=3).map(|number| band(number, "")).collect();
    let inner = made.vrt("inner.vrt", &vrt(SIZE, "Byte", &bands));
    let whole = [0.0, 0.0, f64::from(SIZE.0), f64::from(SIZE.1)];
    let bands = ["1", "2", "3"].map(|band| placed_source("inner.vrt", band, whole, whole, ""));
    let outer = made.vrt("outer.vrt", &vrt(SIZE, "Byte", &bands));
    let store = OverviewStore::new(&made.path("cache"), 1 << 30);
    let now = SystemTime::now();
    let num_levels = |path: &Path| {
        let source = store.open(path, now).expect("a mosaic");
        source.info().level_sizes.len()
    };
    for path in [&inner, &outer] {
        assert_eq!(num_levels(path), 1);
        store.make(path, now, &|_| true).expect("overviews");
        assert_eq!(num_levels(path), 3);
    }
    let numbers = MadeBands::new(SIDE, SIDE, 3, 8);
    made.numbers("b.tif", &numbers, |_, _, _| 200.0);
    assert_eq!([&inner, &outer].map(|path| num_levels(path)), [1, 1]);
}
