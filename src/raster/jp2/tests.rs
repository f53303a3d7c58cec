use std::path::Path;
use std::time::{Duration, Instant};

use super::codestream::Component;
use super::decode::{Wanted, decode, sample_type};
use super::made::{boxed, boxed_file, rgb_file, rgb_pixel, wide_file, wide_sample};
use super::source::Jp2Source;
use crate::geom::{ImageSize, PixelRect};
use crate::raster::error::{Fault, ReadError};
use crate::raster::source::{Layout, SampleType, TileSource as _};

const RGB_SIZE: ImageSize = ImageSize::new(40, 24);

fn open(file: Vec<u8>) -> Result<Jp2Source, Fault> {
    Jp2Source::read(Box::new(file), Path::new("a.jp2"))
}

fn places(rect: PixelRect) -> impl Iterator<Item = (u32, u32)> {
    (rect.y..rect.bottom()).flat_map(move |y| (rect.x..rect.right()).map(move |x| (x, y)))
}

#[test]
fn the_header_is_told() {
    let source = open(rgb_file()).expect("a sound file");
    let info = source.info();
    assert_eq!((info.size, info.bands), (RGB_SIZE, 3));
    assert_eq!(info.sample, SampleType::U8);
    let layout = Layout::Tiles {
        width: 16,
        height: 16,
    };
    assert_eq!(info.layout, layout);
    assert_eq!(info.level_sizes, [RGB_SIZE, ImageSize::new(20, 12)]);
    assert_eq!(info.compression, "reversible wavelet");
    assert!(!info.has_alpha && info.palette.is_none() && info.georef.is_none());
}

#[test]
fn any_window_over_any_tiles_is_exact() {
    let source = open(rgb_file()).expect("a sound file");
    for rect in [
        RGB_SIZE.bounds(),
        PixelRect::new(13, 12, 2, 2),
        PixelRect::new(5, 3, 30, 20),
        PixelRect::new(39, 23, 1, 1),
    ] {
        let rgba = source.read_rgba(0, rect).expect("pixels");
        for ((x, y), found) in places(rect).zip(rgba.as_chunks::<4>().0) {
            let [red, green, blue] = rgb_pixel(x, y);
            assert_eq!(*found, [red, green, blue, 255], "{x} {y}");
        }
        let samples = source.read_bands(rect, &[2, 0]).expect("samples");
        for (at, (x, y)) in places(rect).enumerate() {
            let [red, _, blue] = rgb_pixel(x, y).map(f32::from);
            assert_eq!([samples.planes[0][at], samples.planes[1][at]], [blue, red]);
        }
    }
    let outside = PixelRect::new(30, 0, 11, 1);
    assert!(matches!(
        source.read_rgba(0, outside),
        Err(ReadError::Outside { .. })
    ));
    assert!(matches!(
        source.read_rgba(2, outside),
        Err(ReadError::Outside { .. })
    ));
    let beyond = source.read_values(PixelRect::new(0, 0, 1, 1), 3);
    assert!(matches!(beyond, Err(ReadError::Outside { .. })));
}

#[test]
fn a_halved_level_is_that_of_openjpeg() {
    let source = open(rgb_file()).expect("a sound file");
    let rgba = source
        .read_rgba(1, PixelRect::new(0, 0, 20, 12))
        .expect("pixels");
    // By `opj_decompress -r 1`.
    for ((x, y), expected) in [
        ((0, 0), [6, 8, 25]),
        ((7, 0), [90, 8, 67]),
        ((19, 0), [235, 8, 140]),
        ((8, 5), [103, 113, 105]),
        ((19, 5), [234, 112, 170]),
        ((7, 11), [90, 231, 134]),
        ((19, 11), [235, 231, 207]),
    ] {
        let at = (y * 20 + x) * 4;
        assert_eq!(rgba[at..at + 3], expected, "{x} {y}");
    }
}

#[test]
fn wide_samples_stay_and_are_stretched_for_the_eye() {
    let source = open(wide_file()).expect("a sound file");
    let info = source.info();
    assert_eq!((info.sample, info.layout), (SampleType::U16, Layout::Whole));
    let rect = PixelRect::new(3, 2, 15, 9);
    let values = source.read_values(rect, 0).expect("values");
    let wide = source.read_wide(rect).expect("values").expect("16 bits");
    for ((at, (x, y)), raw) in places(rect).enumerate().zip(wide.as_chunks::<2>().0) {
        assert_eq!(values[at], f64::from(wide_sample(x, y)));
        assert_eq!(u16::from_be_bytes(*raw), wide_sample(x, y));
    }
    let rgba = source
        .read_rgba(0, ImageSize::new(20, 12).bounds())
        .expect("pixels");
    assert!(rgba[0] < 10 && rgba[rgba.len() - 4] > 245, "{rgba:?}");
    assert!(matches!(
        source.read_index(rect),
        Err(ReadError::NoIndices { .. })
    ));
}

#[test]
fn a_part_of_a_tile_is_that_part_of_the_whole() {
    let wanted = Wanted {
        reduce: 0,
        columns: (5, 13),
        rows: (3, 9),
        size: ImageSize::new(8, 6),
    };
    let block = decode(&wide_file(), wanted, 1, SampleType::U16).expect("a part");
    let found = block.planes[0].as_chunks::<2>().0;
    for ((x, y), raw) in places(PixelRect::new(5, 3, 8, 6)).zip(found) {
        assert_eq!(u16::from_ne_bytes(*raw), wide_sample(x, y));
    }
    let wrong = Wanted {
        size: ImageSize::new(9, 6),
        ..wanted
    };
    assert!(decode(&wide_file(), wrong, 1, SampleType::U16).is_err());
}

#[test]
fn boxes_say_what_bands_are() {
    let colors = boxed(*b"colr", &[1, 0, 0, 0, 0, 0, 16]);
    let channels = boxed(*b"cdef", &[0, 1, 0, 2, 0, 1, 0, 0]);
    let file = boxed_file(&[colors, channels].concat(), &rgb_file());
    let source = open(file).expect("a sound file");
    assert!(source.info().has_alpha);
    assert_eq!(
        (source.data_bands(), source.color_bands()),
        (vec![0, 1], vec![0])
    );
    let rect = PixelRect::new(10, 4, 1, 1);
    let [red, _, blue] = rgb_pixel(10, 4);
    assert_eq!(
        source.read_rgba(0, rect).expect("a pixel"),
        [red, red, red, blue]
    );
}

#[test]
fn samples_have_the_least_type_that_holds_them() {
    let component = |bits, is_signed| Component { bits, is_signed };
    for (components, expected) in [
        (
            vec![component(8, false), component(1, false)],
            Some(SampleType::U8),
        ),
        (vec![component(5, true)], Some(SampleType::I8)),
        (
            vec![component(8, false), component(12, false)],
            Some(SampleType::U16),
        ),
        (vec![component(16, true)], Some(SampleType::I16)),
        (vec![component(17, false)], Some(SampleType::U32)),
        (vec![component(8, false), component(8, true)], None),
    ] {
        assert_eq!(sample_type(&components), expected, "{components:?}");
    }
}

/// Reads everything that is not too large, and says whether that went well.
fn reads(file: Vec<u8>) -> bool {
    let begin = Instant::now();
    let went_well = || {
        let source = open(file).ok()?;
        let size = source.info().size;
        let rect = PixelRect::new(0, 0, size.width.min(256), size.height.min(256));
        source.read_rgba(0, rect).ok()?;
        source.read_values(rect, 0).ok()?;
        let last = source.info().level_sizes.len() - 1;
        let size = source.info().level_sizes[last];
        let rect = PixelRect::new(0, 0, size.width.min(64), size.height.min(64));
        source.read_rgba(last, rect).ok().map(|_| ())
    };
    let went_well = went_well().is_some();
    assert!(begin.elapsed() < Duration::from_secs(5));
    went_well
}

#[test]
fn a_file_that_ends_early_is_an_error() {
    for file in [rgb_file(), wide_file()] {
        assert!(reads(file.clone()));
        // Without the end marker everything is there.
        for len in 0..file.len() - 2 {
            assert!(!reads(file[..len].to_vec()), "{len} bytes");
        }
    }
}

#[test]
fn flipped_bytes_end_in_pixels_or_an_error() {
    for file in [
        rgb_file(),
        wide_file(),
        boxed_file(&boxed(*b"colr", &[1; 7]), &wide_file()),
    ] {
        for at in 0..file.len() {
            for flip in [0x01, 0x10, 0x80, 0xFF] {
                let mut broken = file.clone();
                broken[at] ^= flip;
                reads(broken);
            }
        }
    }
}

#[test]
fn what_is_not_read_is_named() {
    let file = rgb_file();
    let refused = |at: usize, bytes: &[u8]| {
        let mut file = file.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        match open(file) {
            Err(Fault::Unsupported { what, .. }) => what,
            Err(fault) => panic!("{fault:?}"),
            Ok(_) => panic!("it was opened"),
        }
    };
    // Behind SOC, SIZ, its length, the capabilities, eight numbers and the count.
    let first_component = 2 + 2 + 2 + 2 + 32 + 2;
    assert!(refused(first_component, &[37]).contains("38 bits"));
    assert!(refused(first_component, &[0x87]).contains("signs"));
    assert!(refused(first_component + 1, &[2, 2]).contains("fewer pixels"));
    let count = first_component - 2;
    assert!(refused(count, &[0x20, 0]).contains("8192 bands"));
}
