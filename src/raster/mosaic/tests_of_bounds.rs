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
