//! Sound files of all arrangements are read exactly; damaged ones end in pixels or an error.

use std::path::Path;

use super::made::{LERC, LZMA, Made, WEBP, ZSTD, sample};
use super::source::TiffSource;
use crate::geom::PixelRect;
use crate::raster::error::Fault;
use crate::raster::source::TileSource as _;
use crate::raster::writer::Form;

fn open(bytes: Vec<u8>) -> Result<TiffSource, Fault> {
    TiffSource::read(Box::new(bytes), Path::new("made.tif"))
}

/// Sound files of all arrangements.
pub(in crate::raster) fn made_files() -> Vec<Vec<u8>> {
    all_kinds().iter().map(Made::file).collect()
}

fn all_kinds() -> Vec<Made> {
    let base = Made::default;
    let grey = |bits| Made {
        bands: 1,
        bits,
        photometric: 1,
        ..base()
    };
    let codecs = [1, 5, 8, 32_773, LZMA, ZSTD, WEBP].map(|compression| Made {
        compression,
        ..base()
    });
    let others = [
        Made {
            is_planar: true,
            ..base()
        },
        Made {
            is_planar: true,
            compression: 5,
            form: Form::Big,
            ..base()
        },
        Made {
            rows: 9,
            form: Form::Big,
            ..base()
        },
        Made {
            rows: 1_000_000,
            ..base()
        },
        grey(1),
        grey(2),
        grey(3),
        grey(4),
        grey(5),
        grey(7),
        Made {
            compression: ZSTD,
            bits: 6,
            ..grey(6)
        },
        Made {
            compression: LERC,
            ..grey(8)
        },
        Made {
            photometric: 0,
            ..grey(1)
        },
        Made {
            bands: 2,
            ..grey(8)
        },
    ];
    codecs.into_iter().chain(others).collect()
}

#[test]
fn every_arrangement_is_read_exactly() {
    for made in all_kinds() {
        let source = open(made.file()).unwrap();
        let rect = PixelRect::new(2, 1, made.width - 3, made.height - 2);
        let index = source.read_index(rect).unwrap();
        let rgba = source.read_rgba(0, rect).unwrap();
        let mask = (u16::MAX >> (16 - made.bits)) as u8;
        let pixels = index.iter().zip(rgba.chunks_exact(4)).enumerate();
        for (at, (&index, rgba)) in pixels {
            let (x, y) = (2 + at % rect.width as usize, 1 + at / rect.width as usize);
            let stored = sample(x, y, 0) & mask;
            assert_eq!(index, stored, "{made:?}");
            let shown = if made.photometric == 0 {
                mask - stored
            } else {
                stored
            };
            let shown = (f64::from(shown) * 255.0 / f64::from(mask) + 0.5) as u8;
            assert_eq!((rgba[0], rgba[3]), (shown, 255), "{made:?}");
            if made.bands == 3 {
                assert_eq!(rgba[1..3], [sample(x, y, 1), sample(x, y, 2)], "{made:?}");
            }
        }
        // The key says that the tie point is the center of the pixel.
        let georef = source.info().georef.clone().unwrap();
        assert_eq!(georef.map_from_image, [2.0, 0.0, 9.0, 0.0, -2.0, 21.0]);
    }
}

/// Reads what a viewer would; the answer may be an error, but never one of ours.
fn look_at(bytes: Vec<u8>) {
    let read = || {
        let source = open(bytes)?;
        let rect = PixelRect::new(0, 0, 600, 600).intersect(source.info().size.bounds());
        for stored in 0..source.info().level_sizes.len() {
            let level = source.info().level_sizes[stored];
            source.rgba(stored, rect.intersect(level.bounds()))?;
        }
        source
            .read_index(rect)
            .map_err(|error| Fault::damaged(error.to_string()))
    };
    if let Err(Fault::Damaged(why)) = read() {
        assert!(!why.contains("internal error"), "{why}");
    }
}

#[test]
fn truncated_files_end_in_an_error() {
    for made in all_kinds() {
        let file = made.file();
        for len in (0..file.len()).step_by(37) {
            look_at(file[..len].to_vec());
        }
    }
}

#[test]
fn flipped_bytes_end_in_pixels_or_an_error() {
    for made in all_kinds() {
        let file = made.file();
        for at in 0..file.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut broken = file.clone();
                broken[at] ^= flip;
                look_at(broken);
            }
        }
    }
}

#[test]
fn a_directory_that_points_at_itself_ends() {
    let mut file = Made::default().file();
    let at = u32::from_le_bytes([file[4], file[5], file[6], file[7]]);
    let link = file.len() - 4;
    file[link..].copy_from_slice(&at.to_le_bytes());
    assert_eq!(open(file).unwrap().info().level_sizes.len(), 1);
}

#[test]
fn chunks_never_written_are_black_and_huge_claims_are_refused() {
    let made = Made::default();
    let mut file = made.file();
    let offsets = 16_u32.to_le_bytes();
    let place = file
        .windows(4)
        .rposition(|window| window == offsets)
        .unwrap();
    file[place..place + 4].fill(0);
    let source = open(file).unwrap();
    let rgba = source.read_rgba(0, PixelRect::new(0, 0, 1, 5)).unwrap();
    assert_eq!(rgba[..4], [0, 0, 0, 255]);
    assert_eq!(
        rgba[16..20],
        [sample(0, 4, 0), sample(0, 4, 1), sample(0, 4, 2), 255]
    );

    for (width, rows) in [(u32::MAX, 4), (i32::MAX as u32, 4), (1 << 30, 1 << 20)] {
        let mut file = made.file();
        for (tag, value) in [(256_u16, width), (278, rows), (257, 1 << 20)] {
            let entry = [
                &tag.to_le_bytes()[..],
                &4_u16.to_le_bytes(),
                &1_u32.to_le_bytes(),
            ]
            .concat();
            let at = file.windows(8).position(|window| window == entry).unwrap() + 8;
            file[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        assert!(open(file).is_err(), "{width} × {rows}");
    }
}
