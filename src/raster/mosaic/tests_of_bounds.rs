//! Stories of mosaics that are much larger than what lies in them, or ask for too much.

use std::path::PathBuf;
use std::sync::Arc;

use super::made::{Made, open, placed_source, source, vrt};
use crate::geom::PixelRect;
use crate::raster::{MadeBands, Pyramid, ReadError, TileCache, open_raster};

const SIDE: u32 = 256;

/// A VRT of one band in which a file of [`SIDE`] × [`SIDE`] pixels lies so many times.
fn layered(made: &Made, name: &str, file: &str, times: usize) -> PathBuf {
    let all = [0.0, 0.0, f64::from(SIDE), f64::from(SIDE)];
    let band = placed_source(file, "1", all, all, "").repeat(times);
    made.vrt(name, &vrt((SIDE, SIDE), "Byte", &[band]))
}

#[test]
fn ground_where_nothing_lies_takes_no_time() {
    let made = Made::new();
    made.color("a.tif", [200; 3]);
    let side = 2_000_000_000;
    let mosaic = open(&made.vrt("none.vrt", &vrt((side, side), "Byte", &[String::new()])));
    assert!(mosaic.is_unwritten(mosaic.info().size.bounds()));
    let band = source("a.tif", "1", (1e9, 0.0), "");
    let sparse = open(&made.vrt("sparse.vrt", &vrt((side, side), "Byte", &[band])));
    let strip = |x: u32| PixelRect::new(x, 0, 100, side);
    assert!(!sparse.is_unwritten(strip(999_999_901)));
    assert!(sparse.is_unwritten(strip(999_999_900)));
    assert!(sparse.is_unwritten(strip(1_000_000_008)));
    // Blocks across all columns would be read whole rows at a time.
    let blocks = "<SourceProperties BlockXSize=\"640\" BlockYSize=\"128\"/>";
    let band = source("a.tif", "1", (0.0, 0.0), blocks);
    let narrow = open(&made.vrt("narrow.vrt", &vrt((600, side), "Byte", &[band])));
    assert_eq!(narrow.block_size(0).width, 512);
    for source in [mosaic, sparse, narrow] {
        let pyramid = Pyramid::of_samples(source, Arc::new(TileCache::new(1 << 26)));
        let shape = pyramid.shape();
        let root = pyramid.tile(shape.root()).expect("a tile");
        let last = &root.bytes[root.bytes.len() - 4..];
        assert_eq!(last, [0; 4], "ground without a file is transparent");
    }
}

#[test]
fn mosaics_in_mosaics_read_no_more_than_is_in_proportion() {
    let made = Made::new();
    made.numbers("a.tif", &MadeBands::new(SIDE, SIDE, 1, 8), |x, _, _| {
        f64::from(x % 200)
    });
    let bounds = PixelRect::new(0, 0, SIDE, SIDE);
    layered(&made, "few.vrt", "a.tif", 5);
    let few = open(&layered(&made, "of_few.vrt", "few.vrt", 5));
    layered(&made, "many.vrt", "a.tif", 20);
    let many = open(&layered(&made, "of_many.vrt", "many.vrt", 20));
    let check_few = || {
        let values = few.read_index(bounds).expect("bytes");
        assert_eq!(values[..3], [0, 1, 2]);
        assert!(few.read_rgba(0, bounds).is_ok());
    };
    check_few();
    let reads = [
        many.read_rgba(0, bounds).map(|_| ()),
        many.read_bands(bounds, &[0]).map(|_| ()),
    ];
    for read in reads {
        let error = read.expect_err("too much is read");
        assert!(
            matches!(&error, ReadError::Part { reason, .. } if reason.contains("too much")),
            "{error}"
        );
    }
    check_few();
}

#[test]
fn mosaics_are_shown_much_smaller_in_mosaics() {
    let made = Made::new();
    let (side, small) = (2_000, 50);
    made.numbers("0.tif", &MadeBands::new(side, side, 1, 16), |x, y, _| {
        f64::from(10 * x + y)
    });
    let all = [0.0, 0.0, f64::from(side), f64::from(side)];
    let mut below = "0.tif".to_owned();
    for depth in 1..=4 {
        let band = placed_source(&below, "1", all, all, "");
        below = format!("{depth}.vrt");
        made.vrt(&below, &vrt((side, side), "UInt16", &[band]));
    }
    let to = [0.0, 0.0, f64::from(small), f64::from(small)];
    let band = placed_source(&below, "1", all, to, "");
    let mosaic = open(&made.vrt("small.vrt", &vrt((small, small), "UInt16", &[band])));
    let values = mosaic.read_values(PixelRect::new(0, 0, small, small), 0);
    // The middle of each lies in every fortieth column and row.
    let row = |y: u32| (0..small).map(move |x| f64::from(10 * (40 * x + 20) + 40 * y + 20));
    let expected: Vec<f64> = (0..small).flat_map(row).collect();
    assert_eq!(values.expect("values"), expected);
}

#[test]
fn a_band_that_a_file_does_not_have_breaks_only_that_part() {
    let made = Made::new();
    made.color("a.tif", [200, 10, 20]);
    made.color("b.tif", [30, 40, 50]);
    let band = source("a.tif", "9", (0.0, 0.0), "") + &source("b.tif", "2", (8.0, 0.0), "");
    let mosaic = open(&made.vrt("m.vrt", &vrt((16, 8), "Byte", &[band])));
    let error = mosaic.read_rgba(0, PixelRect::new(0, 0, 9, 1));
    let error = error.expect_err("there is no such band");
    assert!(
        matches!(&error, ReadError::Part { path, .. } if path.ends_with("a.tif")),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("it has 3 bands, and the mosaic asks for band 9"),
        "{text}"
    );
    assert!(!text.contains("is shown"), "also said where nothing is");
    let sound = mosaic.read_index(PixelRect::new(8, 0, 2, 1));
    assert_eq!(sound.expect("bytes"), [40, 40]);
}

#[test]
fn hidden_nodata_values_are_data() {
    let made = Made::new();
    made.color("a.tif", [9, 9, 9]);
    let read = |name: &str, more: &str| {
        let band = format!("{more}{}", source("a.tif", "1", (0.0, 0.0), ""));
        let mosaic = open(&made.vrt(name, &vrt((10, 8), "Byte", &[band])));
        let row = PixelRect::new(6, 0, 4, 1);
        let samples = mosaic.read_bands(row, &[0]).expect("samples");
        let rgba = mosaic.read_rgba(0, row).expect("a picture");
        let shown: Vec<bool> = rgba.chunks_exact(4).map(|pixel| pixel[3] > 0).collect();
        assert_eq!(samples.has_data, shown);
        assert_eq!(samples.planes[0], [9.0; 4], "filled with the value");
        (mosaic.info().nodata, shown)
    };
    let nodata = "<NoDataValue>9</NoDataValue>";
    assert_eq!(read("told.vrt", nodata), (Some(9.0), vec![false; 4]));
    let hidden = format!("{nodata}<HideNoDataValue>1</HideNoDataValue>");
    let shown = vec![true, true, false, false];
    assert_eq!(read("hidden.vrt", &hidden), (None, shown));
    let told = format!("{nodata}<HideNoDataValue>0</HideNoDataValue>");
    assert_eq!(read("zero.vrt", &told), (Some(9.0), vec![false; 4]));
}

#[test]
fn all_formats_are_named_where_none_is_known() {
    let made = Made::new();
    let error = open_raster(&made.vrt("note.txt", "no image"));
    let text = error.map(|_| ()).expect_err("no image").to_string();
    for name in ["TIFF", "JPEG 2000", "PNG", "JPEG", "WebP", "VRT"] {
        assert!(text.contains(name), "{name} is missing in: {text}");
    }
}
