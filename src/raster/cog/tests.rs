use std::path::Path;

use super::*;
use crate::geom::{Georef, ImageSize, PixelRect};
use crate::raster::shrink::{RowPair, average_opaque};
use crate::raster::tiff::MadeBands;
use crate::raster::writer::{Compression, Overviews, PixelKind, TiffOptions, TiffWriter};
use crate::raster::{Layout, TileSource, checksum, open_raster};

const SIZE: ImageSize = ImageSize::new(301, 213);

fn colors(size: ImageSize) -> Vec<u8> {
    let pixels = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
    pixels
        .flat_map(|(x, y)| [x * 3 + y, x ^ y, y * 7].map(|value| value as u8))
        .collect()
}

fn write(path: &Path, options: TiffOptions, rows: &[u8]) {
    let mut writer = TiffWriter::create(path, options).expect("a file");
    writer.write_rows(rows).expect("rows");
    writer.finish().expect("a whole file");
}

fn photo(path: &Path, compression: Compression) {
    let options = TiffOptions {
        tile: 64,
        compression,
        overviews: Overviews::None,
        georef: Some(Georef::north_up(5e5, 6e6, 0.25, Some(2_180))),
        ..TiffOptions::new(SIZE, PixelKind::Rgb)
    };
    write(path, options, &colors(SIZE));
}

fn cog(input: &Path, out: &Path, options: CogOptions) -> CogReport {
    write_cog(input, out, &options, &|_| true).expect("a pyramid")
}

fn rgb(source: &dyn TileSource, level: usize) -> Vec<u8> {
    let bounds = source.info().level_sizes[level].bounds();
    let rgba = source.read_rgba(level, bounds).expect("pixels");
    rgba.chunks_exact(4)
        .flat_map(|pixel| pixel[..3].to_vec())
        .collect()
}

/// The pixels of the next level.
fn halved(pixels: &[u8], size: ImageSize) -> Vec<u8> {
    let half = size.at_level(1);
    let row_len = size.width as usize * 3;
    let mut out = vec![0; half.num_pixels() as usize * 3];
    let pairs = pixels.chunks(2 * row_len);
    for (out, pair) in out.chunks_mut(half.width as usize * 3).zip(pairs) {
        let top = &pair[..row_len];
        let bottom = pair.get(row_len..2 * row_len).unwrap_or(top);
        average_opaque::<3>(RowPair { top, bottom }, out);
    }
    out
}

#[test]
fn lossless_tiles_are_taken_over_and_overviews_are_averages() {
    let folder = tempfile::tempdir().expect("a folder");
    let [source, out] = ["a.tif", "b.tif"].map(|name| folder.path().join(name));
    for compression in [
        Compression::None,
        Compression::Lzw,
        Compression::Deflate,
        Compression::Zstd,
    ] {
        photo(&source, compression);
        let report = cog(&source, &out, CogOptions::default());
        let is_copied = compression != Compression::None;
        assert_eq!(
            (report.levels, report.tile, report.is_copied),
            (4, 64, is_copied)
        );
        let file = open_raster(&out).expect("a raster");
        let info = file.info();
        assert_eq!(
            info.compression,
            open_raster(&source).expect("a raster").info().compression
        );
        assert_eq!(
            info.georef.as_ref().and_then(|georef| georef.epsg),
            Some(2_180)
        );
        let mut expected = colors(SIZE);
        for (level, &size) in info.level_sizes.iter().enumerate() {
            assert_eq!(
                rgb(&*file, level),
                expected,
                "{compression:?}, level {level}"
            );
            expected = halved(&expected, size);
        }
    }
}

#[test]
fn other_tiles_and_codecs_are_packed_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let [source, out] = ["a.tif", "b.tif"].map(|name| folder.path().join(name));
    photo(&source, Compression::Deflate);
    for (packing, name) in [
        (Packing::None, "None"),
        (Packing::Lzw, "LZW"),
        (Packing::Zstd, "ZSTD"),
        (Packing::AsSource, "Deflate"),
    ] {
        let options = CogOptions {
            packing,
            tile: Some(128),
            ..CogOptions::default()
        };
        assert!(!cog(&source, &out, options).is_copied);
        let file = open_raster(&out).expect("a raster");
        assert_eq!(file.info().compression, name);
        assert_eq!(rgb(&*file, 0), colors(SIZE));
        assert_eq!(rgb(&*file, 1), halved(&colors(SIZE), SIZE));
    }
}

#[test]
fn jpeg_tiles_stay_to_the_last_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let [source, out] = ["a.tif", "new/b.tif"].map(|name| folder.path().join(name));
    photo(&source, Compression::Jpeg { quality: 80 });
    assert!(cog(&source, &out, CogOptions::default()).is_copied);
    let [before, after] = [&source, &out].map(|path| open_raster(path).expect("a raster"));
    assert_eq!(rgb(&*before, 0), rgb(&*after, 0));
    assert_eq!(after.info().level_sizes.len(), 4);
    let quality = CogOptions {
        quality: Some(30),
        ..CogOptions::default()
    };
    assert!(!cog(&source, &out, quality).is_copied);
}

#[test]
fn wide_numbers_strips_and_planes_keep_their_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let [source, out] = ["a.tif", "b.tif"].map(|name| folder.path().join(name));
    for (bands, bits, format) in [(4, 16, 1), (1, 16, 2), (2, 32, 3), (5, 8, 1)] {
        for (is_planar, tile) in [
            (false, None),
            (true, None),
            (true, Some(16)),
            (false, Some(16)),
        ] {
            let made = MadeBands {
                format,
                is_planar,
                tile,
                ..MadeBands::new(133, 71, bands, bits)
            };
            let file =
                made.file(|x, y, band| f64::from((x * 7 + y * 13 + u32::from(band) * 50) % 200));
            crate::disk::replace_file(&source, &file).expect("a file");
            let options = CogOptions {
                tile: Some(64),
                ..CogOptions::default()
            };
            cog(&source, &out, options);
            let [before, after] = [&source, &out].map(|path| open_raster(path).expect("a raster"));
            assert_eq!(before.info().sample, after.info().sample);
            assert_eq!(
                after.info().layout,
                Layout::Tiles {
                    width: 64,
                    height: 64
                }
            );
            for band in 0..bands {
                let sums = [&before, &after].map(|file| checksum(&**file, band).expect("a sum"));
                assert_eq!(sums[0], sums[1], "{made:?}, band {band}");
            }
        }
    }
}

#[test]
fn indices_keep_their_colors_and_vote() {
    let folder = tempfile::tempdir().expect("a folder");
    let [source, out] = ["a.tif", "b.tif"].map(|name| folder.path().join(name));
    let palette = Some(vec![[1, 2, 3], [40, 50, 60]]);
    let size = ImageSize::new(130, 70);
    let options = TiffOptions {
        nodata: Some(255),
        overviews: Overviews::None,
        tile: 64,
        ..TiffOptions::new(size, PixelKind::Index { palette })
    };
    // Columns of ones, but for every fourth pixel, which is not known.
    let rows: Vec<u8> = (0..size.num_pixels())
        .map(|at| if at % 4 == 0 { 255 } else { 1 })
        .collect();
    write(&source, options, &rows);
    cog(&source, &out, CogOptions::default());
    let file = open_raster(&out).expect("a raster");
    assert_eq!(
        file.info().palette.as_ref().map(|colors| colors[1]),
        Some([40, 50, 60])
    );
    let small = file
        .read_rgba(1, PixelRect::new(0, 0, 64, 35))
        .expect("pixels");
    assert!(
        small
            .chunks_exact(4)
            .all(|pixel| pixel == [40, 50, 60, 255])
    );
}

#[test]
fn directories_come_first_and_small_levels_before_large_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let [source, out] = ["a.tif", "b.tif"].map(|name| folder.path().join(name));
    photo(&source, Compression::Deflate);
    cog(&source, &out, CogOptions::default());
    let file = std::fs::read(&out).expect("a file");
    let number =
        |at: usize| u32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]);
    let (mut directory, mut firsts) = (number(4) as usize, Vec::new());
    assert_eq!(directory, 8);
    while directory != 0 {
        let count = usize::from(file[directory]) + 256 * usize::from(file[directory + 1]);
        let entries = (0..count).map(|entry| directory + 2 + 12 * entry);
        let offsets = entries
            .clone()
            .find(|&at| file[at..at + 2] == 324_u16.to_le_bytes());
        let at = offsets.expect("tiles");
        let place = number(at + 8) as usize;
        let first = if number(at + 4) == 1 {
            place
        } else {
            number(place) as usize
        };
        assert!(first > directory);
        firsts.push(first);
        directory = number(directory + 2 + 12 * count) as usize;
    }
    assert!(firsts.is_sorted_by(|a, b| a > b), "{firsts:?}");
}

#[test]
fn a_cancelled_pyramid_leaves_nothing_and_wrong_options_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let [source, out] = ["a.tif", "b.tif"].map(|name| folder.path().join(name));
    photo(&source, Compression::Deflate);
    let stopped = write_cog(&source, &out, &CogOptions::default(), &|share| share < 0.5);
    assert!(matches!(stopped, Err(CogError::Cancelled)));
    let odd = CogOptions {
        tile: Some(100),
        ..CogOptions::default()
    };
    assert!(matches!(
        write_cog(&source, &out, &odd, &|_| true),
        Err(CogError::Write(_))
    ));
    let left = std::fs::read_dir(folder.path()).expect("a folder");
    assert_eq!(left.count(), 1);
}

#[test]
fn colors_of_four_bits_stay_colors_and_opacity_weighs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, out) = (folder.path().join("a.tif"), folder.path().join("out.tif"));
    let small = CogOptions {
        tile: Some(64),
        ..CogOptions::default()
    };
    let narrow = MadeBands::new(130, 90, 3, 4);
    crate::disk::replace_file(&input, &narrow.file(|_, _, band| f64::from(3 + 4 * band)))
        .expect("written");
    cog(&input, &out, small);
    let source = open_raster(&out).expect("a pyramid");
    for level in 0..source.info().level_sizes.len() {
        let pixels = rgb(&*source, level);
        assert!(
            pixels
                .as_chunks::<3>()
                .0
                .iter()
                .all(|it| *it == pixels[..3])
        );
        assert!(pixels[0] < pixels[1] && pixels[1] < pixels[2], "{level}");
    }
    // Grey of 16 bits: every other column is black and hidden.
    let hidden = MadeBands {
        extra: vec![2],
        ..MadeBands::new(130, 90, 2, 16)
    };
    let value = |x: u32, _, band| match (band, x % 2) {
        (0, 0) => 4_000.0,
        (1, 0) => 65_535.0,
        _ => 0.0,
    };
    crate::disk::replace_file(&input, &hidden.file(value)).expect("written");
    cog(&input, &out, small);
    let source = open_raster(&out).expect("a pyramid");
    let samples = source.tile_samples(&[0]).expect("samples");
    let tile = (source.read_tile(1, PixelRect::new(0, 0, 8, 8), &[0])).expect("a tile");
    let numbers = source.tile_format().widened(&tile);
    assert!((samples.value(numbers[0]) - 4_000.0).abs() < 3.0);
    assert!((numbers[3] / source.tile_format().opaque() - 0.5).abs() < 0.01);
}

#[test]
fn a_codec_that_was_asked_for_is_not_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, out) = (folder.path().join("a.tif"), folder.path().join("out.tif"));
    let wide = MadeBands::new(70, 50, 3, 16);
    crate::disk::replace_file(&input, &wide.file(|x, _, _| f64::from(x))).expect("written");
    let jpeg = CogOptions {
        packing: Packing::Jpeg,
        ..CogOptions::default()
    };
    let refused = write_cog(&input, &out, &jpeg, &|_| true).expect_err("a refusal");
    assert!(refused.to_string().contains("8 bits"), "{refused}");
    assert!(!out.exists());
}

#[test]
fn a_quality_of_what_has_none_and_a_name_of_another_format_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let [input, out, png] = ["a.tif", "out.tif", "out.png"].map(|name| folder.path().join(name));
    let colors = MadeBands::new(70, 50, 3, 8);
    crate::disk::replace_file(&input, &colors.file(|x, _, _| f64::from(x))).expect("written");
    let refusal = |out: &Path, options: CogOptions| {
        let refused = write_cog(&input, out, &options, &|_| true).expect_err("a refusal");
        assert!(!out.exists());
        refused.to_string()
    };
    for packing in [Packing::AsSource, Packing::Lzw, Packing::None] {
        let quality = Some(80);
        let told = refusal(
            &out,
            CogOptions {
                packing,
                quality,
                ..CogOptions::default()
            },
        );
        assert!(told.contains("only JPEG has a quality"), "{told}");
    }
    let told = refusal(&png, CogOptions::default());
    assert!(told.contains("ends in .tif: "), "{told}");
}

/// Writes a PNG of 70 × 50 pixels, of which any byte is a sample or samples.
fn png(path: &Path, color: png::ColorType, depth: png::BitDepth, key: &[u8]) {
    let (mut file, row) = (
        Vec::new(),
        (70 * color.samples() * depth as usize).div_ceil(8),
    );
    let mut encoder = png::Encoder::new(&mut file, 70, 50);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if !key.is_empty() {
        encoder.set_trns(key.to_vec());
    }
    let bytes: Vec<u8> = (0..row * 50).map(|at| (at * at / 7 % 251) as u8).collect();
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&bytes).expect("pixels");
    writer.finish().expect("a file");
    crate::disk::replace_file(path, &file).expect("a file");
}

#[test]
fn samples_of_a_png_are_kept() {
    use png::{BitDepth, ColorType};
    let folder = tempfile::tempdir().expect("a folder");
    let [source, out] = ["a.png", "b.tif"].map(|name| folder.path().join(name));
    let key = [0, 1, 0, 2, 0, 3];
    let files: [(ColorType, BitDepth, &[u8], u16, u16); 11] = [
        (ColorType::Rgb, BitDepth::Eight, &key, 4, 8),
        (ColorType::Grayscale, BitDepth::One, &[], 1, 8),
        (ColorType::Grayscale, BitDepth::Four, &[], 1, 8),
        (ColorType::Grayscale, BitDepth::Two, &key[..2], 1, 8),
        (ColorType::Grayscale, BitDepth::Eight, &key[..2], 1, 8),
        (ColorType::GrayscaleAlpha, BitDepth::Eight, &[], 2, 8),
        (ColorType::Grayscale, BitDepth::Sixteen, &[], 1, 16),
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen, &[], 2, 16),
        (ColorType::Rgb, BitDepth::Sixteen, &[], 3, 16),
        (ColorType::Rgba, BitDepth::Sixteen, &[], 4, 16),
        (ColorType::Rgb, BitDepth::Sixteen, &key, 4, 16),
    ];
    for (color, depth, key, bands, bits) in files {
        png(&source, color, depth, key);
        let options = CogOptions {
            tile: Some(64),
            ..CogOptions::default()
        };
        cog(&source, &out, options);
        let [before, after] = [&source, &out].map(|path| open_raster(path).expect("a raster"));
        let what = format!("{color:?} {depth:?} {key:?}");
        let info = after.info();
        assert_eq!((info.bands, info.sample.bits()), (bands, bits), "{what}");
        assert_eq!(info.nodata, before.info().nodata, "{what}");
        assert_eq!(info.has_alpha, before.info().has_alpha, "{what}");
        for band in 0..before.info().bands {
            let sums = [&before, &after].map(|file| checksum(&**file, band).expect("a sum"));
            assert_eq!(sums[0], sums[1], "{what}, band {band}");
        }
        if before.info().sample.bits() < 8 {
            let all = info.size.bounds();
            let [old, new] = [&before, &after].map(|file| file.read_rgba(0, all).expect("colors"));
            assert!(old == new, "{what} looks otherwise");
        }
    }
}
