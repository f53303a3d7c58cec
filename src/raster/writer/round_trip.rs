//! What is written is what is read, with the overviews, the colors and the place on the map.

use std::path::Path;
use std::sync::Arc;

use super::{Compression, Overviews, PixelKind, TiffOptions, TiffWriter, WriteError};
use crate::geom::{GeoKeys, Georef, ImageSize, PixelRect};
use crate::raster::{SampleType, TileSource, open_raster};

/// A smooth picture with some noise, so that neither codec nor predictor has it easy.
fn picture(size: ImageSize, bands: usize) -> Vec<u8> {
    let value = |index: usize| {
        let (pixel, band) = (index / bands, index % bands);
        let (x, y) = (pixel % size.width as usize, pixel / size.width as usize);
        if band == 3 {
            255
        } else {
            ((x * (band + 1) / 3 + y / 2 + (x * y) % 5) % 256) as u8
        }
    };
    (0..size.num_pixels() as usize * bands).map(value).collect()
}

/// Writes `pixels` in pieces of a few rows each and opens the file.
fn written(path: &Path, options: &TiffOptions, pixels: &[u8]) -> Arc<dyn TileSource> {
    let mut writer = TiffWriter::create(path, options.clone()).unwrap();
    let row_len = options.size.width as usize * options.kind.bands();
    pixels
        .chunks(row_len * 23)
        .for_each(|rows| writer.write_rows(rows).unwrap());
    writer.finish().unwrap();
    open_raster(path).unwrap()
}

fn options(size: ImageSize, kind: PixelKind, tile: u32, compression: Compression) -> TiffOptions {
    TiffOptions {
        tile,
        compression,
        ..TiffOptions::new(size, kind)
    }
}

#[test]
fn lossless_files_come_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let grey = || PixelKind::Index { palette: None };
    let cases = [
        (300, 200, PixelKind::Rgb, 64, Compression::None),
        (300, 200, PixelKind::Rgb, 128, Compression::Deflate),
        (129, 257, PixelKind::Rgba, 64, Compression::Deflate),
        (1, 1, PixelKind::Rgb, 256, Compression::Deflate),
        (513, 31, grey(), 16, Compression::Deflate),
        (64, 64, grey(), 64, Compression::None),
    ];
    for (index, (width, height, kind, tile, compression)) in cases.into_iter().enumerate() {
        let size = ImageSize::new(width, height);
        let pixels = picture(size, kind.bands());
        let path = folder.path().join(format!("{index}.tif"));
        let bands = kind.bands();
        let source = written(&path, &options(size, kind, tile, compression), &pixels);
        assert_eq!(
            (source.info().size, usize::from(source.info().bands)),
            (size, bands)
        );
        let rgba = source.read_rgba(0, size.bounds()).unwrap();
        for (pixel, expected) in rgba.chunks_exact(4).zip(pixels.chunks_exact(bands)) {
            let color = if bands == 1 {
                [expected[0]; 3]
            } else {
                [expected[0], expected[1], expected[2]]
            };
            assert_eq!(pixel[..3], color, "case {index}");
            assert_eq!(pixel[3], 255, "case {index}");
        }
    }
}

#[test]
fn jpeg_files_come_back_nearly() {
    let folder = tempfile::tempdir().unwrap();
    let size = ImageSize::new(200, 150);
    let smooth = |index: usize| ((index / 3 % 200) / 2 + index / 600 / 2) as u8;
    let pixels: Vec<u8> = (0..size.num_pixels() as usize * 3).map(smooth).collect();
    let jpeg = options(size, PixelKind::Rgb, 64, Compression::Jpeg { quality: 90 });
    let source = written(&folder.path().join("a.tif"), &jpeg, &pixels);
    assert_eq!(source.info().compression, "JPEG");
    let rgba = source.read_rgba(0, size.bounds()).unwrap();
    let differences = rgba.chunks_exact(4).zip(pixels.chunks_exact(3));
    let worst = differences
        .map(|(found, expected)| found[0].abs_diff(expected[0]))
        .max();
    assert!(worst.unwrap() <= 6, "{worst:?}");
}

#[test]
fn index_files_keep_values_colors_and_nodata() {
    let folder = tempfile::tempdir().unwrap();
    let size = ImageSize::new(70, 50);
    let pixels: Vec<u8> = (0..3_500)
        .map(|index| [0, 1, 2, 255][index / 7 % 4])
        .collect();
    let palette = vec![[1, 2, 3], [40, 50, 60], [255, 0, 128]];
    let kind = PixelKind::Index {
        palette: Some(palette.clone()),
    };
    let masked = TiffOptions {
        tile: 32,
        nodata: Some(255),
        ..TiffOptions::new(size, kind)
    };
    let source = written(&folder.path().join("mask.tif"), &masked, &pixels);
    let info = source.info();
    assert_eq!(info.sample, SampleType::U8);
    assert_eq!(info.nodata, Some(255.0));
    assert_eq!(info.palette.as_ref().unwrap()[..3], palette[..]);
    assert_eq!(source.read_index(size.bounds()).unwrap(), pixels);
    let rgba = source.read_rgba(0, PixelRect::new(7, 0, 15, 1)).unwrap();
    assert_eq!(rgba[..4], [40, 50, 60, 255]);
    assert_eq!(rgba[14 * 4 + 3], 0);
}

#[test]
fn overviews_halve_until_one_tile_holds_all() {
    let folder = tempfile::tempdir().unwrap();
    let size = ImageSize::new(101, 37);
    let mut pixels = vec![9_u8; 101 * 37];
    pixels[0] = 255;
    pixels[1] = 255;
    pixels[101] = 255;
    let classes = TiffOptions {
        tile: 16,
        ..TiffOptions::new(size, PixelKind::Index { palette: None })
    };
    let source = written(&folder.path().join("a.tif"), &classes, &pixels);
    let sizes: Vec<_> = source
        .info()
        .level_sizes
        .iter()
        .map(|size| (size.width, size.height))
        .collect();
    assert_eq!(sizes, [(101, 37), (51, 19), (26, 10), (13, 5)]);
    // Three void pixels and one of class 9 are class 9.
    let rgba = source.read_rgba(1, PixelRect::new(0, 0, 51, 19)).unwrap();
    assert!(rgba.chunks_exact(4).all(|pixel| pixel == [9, 9, 9, 255]));

    let plain = TiffOptions {
        overviews: Overviews::None,
        ..classes
    };
    assert_eq!(
        written(&folder.path().join("b.tif"), &plain, &pixels)
            .info()
            .level_sizes
            .len(),
        1
    );
}

#[test]
fn colors_are_averaged_in_linear_light() {
    let folder = tempfile::tempdir().unwrap();
    let size = ImageSize::new(32, 32);
    let checkers: Vec<u8> = (0..32 * 32 * 3)
        .map(|index| {
            if (index / 3 + index / 96) % 2 == 0 {
                255
            } else {
                0
            }
        })
        .collect();
    let options = TiffOptions {
        tile: 16,
        ..TiffOptions::new(size, PixelKind::Rgb)
    };
    let source = written(&folder.path().join("a.tif"), &options, &checkers);
    let rgba = source.read_rgba(1, PixelRect::new(0, 0, 16, 16)).unwrap();
    assert!(
        rgba.chunks_exact(4)
            .all(|pixel| pixel == [188, 188, 188, 255])
    );
}

#[test]
fn the_place_on_the_map_survives() {
    let folder = tempfile::tempdir().unwrap();
    let size = ImageSize::new(16, 16);
    let pixels = picture(size, 3);
    let north_up = Georef::north_up(500_000.0, 250_000.0, 0.25, Some(2_180));
    let turned = Georef {
        map_from_image: [1.0, 0.5, 10.0, 0.5, -1.0, 20.0],
        ..north_up.clone()
    };
    let keys = GeoKeys {
        directory: vec![
            1, 1, 0, 3, 1_025, 0, 1, 1, 1_026, 34_737, 5, 0, 3_072, 0, 1, 2_180,
        ],
        doubles: Vec::new(),
        ascii: "Test|".to_owned(),
    };
    let with_keys = Georef {
        keys: Some(keys.clone()),
        ..north_up.clone()
    };
    for georef in [north_up, turned, with_keys] {
        let options = TiffOptions {
            georef: Some(georef.clone()),
            ..TiffOptions::new(size, PixelKind::Rgb)
        };
        let found = written(&folder.path().join("a.tif"), &options, &pixels)
            .info()
            .georef
            .clone();
        let found = found.unwrap();
        assert_eq!(found.map_from_image, georef.map_from_image);
        assert_eq!(found.epsg, Some(2_180));
        if georef.keys.is_some() {
            assert_eq!(found.keys, georef.keys);
        }
    }
}

#[test]
fn wrong_rows_and_wrong_options_are_refused_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let size = ImageSize::new(10, 10);
    let rgb = TiffOptions::new(size, PixelKind::Rgb);
    let mut writer = TiffWriter::create(&path, rgb.clone()).unwrap();
    assert!(matches!(
        writer.write_rows(&[0; 31]),
        Err(WriteError::Rows { .. })
    ));
    assert!(matches!(
        writer.write_rows(&[0; 330]),
        Err(WriteError::Rows { .. })
    ));
    writer.write_rows(&[0; 270]).unwrap();
    assert!(matches!(
        writer.finish(),
        Err(WriteError::Rows {
            given: 270,
            expected: 300,
            ..
        })
    ));
    let palette = PixelKind::Index {
        palette: Some(vec![[0; 3]]),
    };
    let wrong = [
        TiffOptions {
            size: ImageSize::new(0, 5),
            ..rgb.clone()
        },
        TiffOptions {
            tile: 100,
            ..rgb.clone()
        },
        TiffOptions {
            overviews: Overviews::Mode { void: 0 },
            ..rgb.clone()
        },
        TiffOptions {
            kind: palette,
            compression: Compression::Jpeg { quality: 90 },
            ..rgb
        },
    ];
    for options in wrong {
        assert!(matches!(
            TiffWriter::create(&path, options),
            Err(WriteError::Options { .. })
        ));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
