use png::{BitDepth, ColorType};

use super::*;
use crate::disk::replace_with;
use crate::raster::tile::Depth;

fn open(path: &Path) -> Result<PlainSource, OpenError> {
    let is_jpeg = path.extension().is_some_and(|ending| ending == "jpg");
    let kind = if is_jpeg {
        PlainKind::Jpeg
    } else {
        PlainKind::Png
    };
    PlainSource::open(path, kind)
}

/// Writes a PNG of 3 × 2 pixels from packed rows.
fn write_png(path: &Path, color: ColorType, depth: BitDepth, rows: &[u8]) {
    write_keyed(path, color, depth, rows, &[]);
}

/// The same with a color, of two bytes a band, that stands for transparent pixels.
fn write_keyed(path: &Path, color: ColorType, depth: BitDepth, rows: &[u8], key: &[u8]) {
    replace_with(path, |file| {
        let mut encoder = png::Encoder::new(file, 3, 2);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == ColorType::Indexed {
            encoder.set_palette(vec![10, 20, 30, 40, 50, 60, 70, 80, 90]);
            encoder.set_trns(vec![255, 0]);
        }
        if !key.is_empty() {
            encoder.set_trns(key.to_vec());
        }
        encoder.write_header()?.write_image_data(rows)?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_palette_png_gives_indices_and_colors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mask.png");
    let packings: [(BitDepth, &[u8]); 2] = [
        (BitDepth::Eight, &[0, 1, 2, 2, 1, 0]),
        (BitDepth::Two, &[0b0001_1000, 0b1001_0000]),
    ];
    for (depth, rows) in packings {
        write_png(&path, ColorType::Indexed, depth, rows);
        let source = open(&path).unwrap();
        let all = source.info().size.bounds();
        assert_eq!(source.read_index(all).unwrap(), [0, 1, 2, 2, 1, 0]);
        assert_eq!(source.info().palette.as_ref().unwrap()[2], [70, 80, 90]);
        let rgba = source.read_rgba(0, PixelRect::new(1, 0, 2, 1)).unwrap();
        assert_eq!(rgba, [40, 50, 60, 0, 70, 80, 90, 255]);
    }
}

#[test]
fn greys_are_scaled_for_the_eye_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grey.png");
    write_png(
        &path,
        ColorType::Grayscale,
        BitDepth::One,
        &[0b0100_0000, 0b1010_0000],
    );
    let source = open(&path).unwrap();
    assert_eq!(
        source.read_index(source.info().size.bounds()).unwrap(),
        [0, 1, 0, 1, 0, 1]
    );
    let rgba = source.read_rgba(0, PixelRect::new(0, 1, 2, 1)).unwrap();
    assert_eq!(rgba, [255, 255, 255, 255, 0, 0, 0, 255]);
}

#[test]
fn wide_samples_are_shown_but_are_no_indices() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.png");
    write_png(
        &path,
        ColorType::Grayscale,
        BitDepth::Sixteen,
        &[0x80, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0],
    );
    let source = open(&path).unwrap();
    assert_eq!(source.info().sample, SampleType::U16);
    let first = PixelRect::new(0, 0, 1, 1);
    assert_eq!(source.read_rgba(0, first).unwrap(), [128, 128, 128, 255]);
    assert!(matches!(
        source.read_index(first),
        Err(ReadError::NoIndices { .. })
    ));
    let all = source.info().size.bounds();
    let samples = source.read_bands(all, &[0]).unwrap();
    assert_eq!(samples.planes[0], [32_768.0, 258.0, 772.0, 0.0, 0.0, 0.0]);
    let outside = PixelRect::new(2, 0, 2, 1);
    assert!(matches!(
        source.read_rgba(0, outside),
        Err(ReadError::Outside { .. })
    ));
}

#[test]
fn jpeg_files_are_read_and_bombs_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
    encoder
        .encode(&[200; 24 * 16 * 3], 24, 16, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    crate::disk::replace_file(&path, &bytes).unwrap();
    let source = open(&path).unwrap();
    assert_eq!(source.info().size, ImageSize::new(24, 16));
    let rgba = source.read_rgba(0, PixelRect::new(20, 12, 4, 4)).unwrap();
    assert!(
        rgba.chunks_exact(4)
            .all(|pixel| pixel[0].abs_diff(200) <= 2 && pixel[3] == 255)
    );

    let frame = bytes
        .windows(2)
        .position(|marker| marker == [0xFF, 0xC0])
        .unwrap();
    // 20,000 × 20,000 pixels.
    bytes[frame + 5..frame + 9].copy_from_slice(&[0x4E, 0x20, 0x4E, 0x20]);
    crate::disk::replace_file(&path, &bytes).unwrap();
    let told = open(&path).err().unwrap().to_string();
    assert!(told.contains("20000 × 20000 pixels, which"), "{told}");
    // As many pixels as so many bytes could hold are still too many.
    bytes.resize(6 << 20, 0);
    crate::disk::replace_file(&path, &bytes).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Unsupported { .. })));
}

#[test]
fn damaged_files_end_in_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    write_png(&path, ColorType::Rgb, BitDepth::Eight, &[7; 18]);
    let bytes = std::fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 0xFF;
        for damaged in [&broken[..], &bytes[..at]] {
            crate::disk::replace_file(&path, damaged).unwrap();
            let Ok(source) = open(&path) else {
                continue;
            };
            if source.info().size.num_pixels() < 1 << 20 {
                drop(source.read_rgba(0, source.info().size.bounds()));
            }
        }
    }
}

/// The numbers of a tile of one row as sample values, the opacity behind them.
fn tile_row(source: &PlainSource, rect: PixelRect) -> Vec<[f64; 4]> {
    let samples = source.tile_samples(&source.tile_bands()).unwrap();
    let tile = source.read_tile(0, rect, &samples.bands).unwrap();
    let numbers = samples.format.widened(&tile);
    let pixels = numbers.as_chunks::<4>().0.iter();
    pixels
        .map(|&[red, green, blue, alpha]| {
            let [red, green, blue] = [red, green, blue].map(|number| samples.value(number).round());
            [red, green, blue, f64::from(alpha)]
        })
        .collect()
}

#[test]
fn tiles_of_wide_samples_hold_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.png");
    let row = PixelRect::new(1, 0, 2, 1);
    let grey = [0, 0, 0x80, 0, 0x10, 0, 0, 0, 0, 0, 0, 0];
    write_png(&path, ColorType::Grayscale, BitDepth::Sixteen, &grey);
    let source = open(&path).unwrap();
    assert_eq!(source.tile_format().depth, Depth::Half);
    let samples = source.tile_samples(&[0]).unwrap();
    assert_eq!((samples.scale, samples.usual), ([0.0, 65_535.0], None));
    for (found, expected) in tile_row(&source, row).iter().zip([32_768.0, 4_096.0]) {
        assert!(
            found[..3]
                .iter()
                .all(|value| (value - expected).abs() < 20.0)
        );
        assert_eq!(found[3], 1.0);
    }
    let wide = source.read_wide(row).unwrap();
    assert_eq!(wide.as_deref(), Some(&[0x80, 0, 0x10, 0][..]));

    // Colors with opacity: the last band is that.
    let pixel = [0x40, 0, 0x20, 0, 0x10, 0, 0xFF, 0xFF];
    let clear = [0x40, 0, 0x20, 0, 0x10, 0, 0, 0];
    let rows = [clear, pixel, clear, pixel, pixel, pixel].concat();
    write_png(&path, ColorType::Rgba, BitDepth::Sixteen, &rows);
    let source = open(&path).unwrap();
    assert_eq!(source.tile_bands(), [0, 1, 2]);
    let found = tile_row(&source, row);
    assert_eq!([found[0][3], found[1][3]], [1.0, 0.0]);
    for (value, expected) in found[0].iter().zip([16_384.0, 8_192.0, 4_096.0]) {
        assert!((value - expected).abs() < 10.0, "{found:?}");
    }
    let read = source.read_bands(row, &[2, 3]).unwrap();
    assert_eq!(read.planes, [[4_096.0, 4_096.0], [65_535.0, 0.0]]);
    assert_eq!(read.has_data, [true, false]);
}

#[test]
fn a_transparent_grey_is_nodata() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyed.png");
    let files: [(BitDepth, &[u8], [u8; 2], f64); 3] = [
        (BitDepth::Two, &[0b0001_1000, 0b1001_0000], [0, 1], 1.0),
        (BitDepth::Eight, &[0, 1, 2, 2, 1, 0], [0, 1], 1.0),
        (
            BitDepth::Sixteen,
            &[1, 0, 1, 1, 1, 2, 1, 2, 1, 1, 1, 0],
            [1, 1],
            257.0,
        ),
    ];
    for (depth, rows, key, nodata) in files {
        write_keyed(&path, ColorType::Grayscale, depth, rows, &key);
        let source = open(&path).unwrap();
        let info = source.info();
        assert_eq!((info.bands, info.nodata), (1, Some(nodata)), "{depth:?}");
        assert_eq!(info.sample.bits(), depth as u16);
        let all = info.size.bounds();
        let read = source.read_bands(all, &[0]).unwrap();
        let first = nodata as f32 - 1.0;
        let values = [0.0, 1.0, 2.0, 2.0, 1.0, 0.0].map(|value| value + first);
        assert_eq!(read.planes, [values]);
        let shown = [true, false, true, true, false, true];
        assert_eq!(read.has_data, shown);
        let rgba = source.read_rgba(0, all).unwrap();
        let is_shown: Vec<bool> = rgba.chunks_exact(4).map(|pixel| pixel[3] > 0).collect();
        assert_eq!(is_shown, shown);
    }
}

#[test]
fn a_transparent_color_is_opacity_without_a_band() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyed.png");
    for depth in [BitDepth::Eight, BitDepth::Sixteen] {
        let bytes = depth as usize / 8;
        let sample = |value: u8| [0, value].into_iter().skip(2 - bytes);
        let rows: Vec<u8> = (0..18).flat_map(sample).collect();
        write_keyed(&path, ColorType::Rgb, depth, &rows, &[0, 3, 0, 4, 0, 5]);
        let source = open(&path).unwrap();
        assert_eq!(
            (source.info().bands, source.data_bands()),
            (3, vec![0, 1, 2])
        );
        let all = source.info().size.bounds();
        let read = source.read_bands(all, &[2]).unwrap();
        assert_eq!(read.planes, [[2.0, 5.0, 8.0, 11.0, 14.0, 17.0]]);
        assert_eq!(read.has_data, [true, false, true, true, true, true]);
        assert_eq!(source.read_rgba(0, all).unwrap()[7], 0);
        assert_eq!(tile_row(&source, PixelRect::new(1, 0, 1, 1))[0][3], 0.0);
    }
}

#[test]
fn interlaced_samples_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    // Adam7 of 3 × 2 pixels: the first, then the third of its row, the second, then the last row.
    let passes = [0, 0x10, 0, 0x30, 0, 0x20, 0, 0x21, 0x30];
    let file = made(3, 2, BitDepth::Four, true, &packed_bytes(&passes));
    crate::disk::replace_file(&path, &file).unwrap();
    let source = open(&path).unwrap();
    let index = source.read_index(source.info().size.bounds());
    assert_eq!(index.unwrap(), [1, 2, 3, 2, 1, 3]);
}

/// A grey PNG whose header says anything and whose pixels are these packed bytes.
fn made(width: u32, height: u32, depth: BitDepth, is_interlaced: bool, pixels: &[u8]) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([depth as u8, 0, 0, 0, u8::from(is_interlaced)]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let chunks: [(&[u8; 4], &[u8]); 3] = [(b"IHDR", &header), (b"IDAT", pixels), (b"IEND", &[])];
    for (name, body) in chunks {
        file.extend((body.len() as u32).to_be_bytes());
        let mut sum = flate2::Crc::new();
        sum.update(name);
        sum.update(body);
        file.extend([&name[..], body].concat());
        file.extend(sum.sum().to_be_bytes());
    }
    file
}

fn packed_bytes(bytes: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::best();
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), level);
    std::io::Write::write_all(&mut packer, bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_png_that_is_too_small_for_its_header_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.png");
    let few = packed_bytes(&[0; 10]);
    for is_interlaced in [false, true] {
        let file = made(32_700, 32_700, BitDepth::Eight, is_interlaced, &few);
        crate::disk::replace_file(&path, &file).unwrap();
        let told = open(&path).err().unwrap().to_string();
        let size = "its header says 32700 × 32700 pixels, which";
        assert!(told.contains(size) && told.contains("bomb.png"), "{told}");
    }
    // Zeros that are packed as tightly as Deflate can are no bomb.
    let rows = vec![0; 2_001 * 2_000];
    let file = made(2_000, 2_000, BitDepth::Eight, false, &packed_bytes(&rows));
    crate::disk::replace_file(&path, &file).unwrap();
    let source = open(&path).unwrap();
    assert_eq!(
        source.read_index(PixelRect::new(7, 1_999, 2, 1)).unwrap(),
        [0, 0]
    );
    // A file that ends early does so before its pixels take memory.
    let file = made(200, 300, BitDepth::Eight, false, &few);
    crate::disk::replace_file(&path, &file).unwrap();
    let source = open(&path).unwrap();
    let read = source.read_index(PixelRect::new(0, 0, 1, 1));
    assert!(matches!(read, Err(ReadError::Damaged { .. })));
}

#[test]
fn what_scans_of_a_jpeg_keep_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    for is_progressive in [false, true] {
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
        encoder.set_progressive(is_progressive);
        let colors = jpeg_encoder::ColorType::Rgb;
        encoder.encode(&[200; 24 * 16 * 3], 24, 16, colors).unwrap();
        let marker = [0xFF, if is_progressive { 0xC2 } else { 0xC0 }, 0, 17];
        let frame = bytes.windows(4).position(|found| found == marker);
        let at = frame.unwrap() + 5;
        // 16,000 × 16,000 pixels, and bytes enough for them.
        bytes[at..at + 4].copy_from_slice(&[0x3E, 0x80, 0x3E, 0x80]);
        bytes.resize(4 << 20, 0);
        crate::disk::replace_file(&path, &bytes).unwrap();
        let opened = open(&path);
        assert_eq!(opened.is_ok(), !is_progressive);
        if let Err(error) = opened {
            let told = error.to_string();
            assert!(told.contains("progressive") && told.contains("gdal_translate"));
        }
    }
}
