//! Masks of one band whose samples are wide, or floating point, and yet hold whole numbers.

use super::rows::BAND_ROWS;
use crate::geom::PixelRect;
use crate::raster::{ReadError, SampleType, TileSource};

/// Bytes of doubles that are read at once, as far as single rows allow.
const PIECE_BYTES: usize = 4 << 20;

/// Whether the samples are whole numbers of 16 bits, as far as the first, the middle and the last
/// rows tell.
pub(super) fn is_whole(source: &dyn TileSource) -> bool {
    let info = source.info();
    // Of other formats not all give samples as they are stored.
    if !info.format.contains("TIFF") && info.format != "VRT" {
        return false;
    }
    if info.sample == SampleType::U16 {
        return true;
    }
    let size = info.size;
    let rows = BAND_ROWS.min(size.height);
    let last = size.height - rows;
    let tops = [0, last / 2, last];
    // What lies further down a stream is reached through all that is above it.
    let num_tops = if last == 0 || source.is_sequential() {
        1
    } else {
        3
    };
    tops.into_iter().take(num_tops).all(|top| {
        let rect = PixelRect::new(0, top, size.width, rows);
        matches!(whole_numbers(source, rect), Ok(Some(_)))
    })
}

/// The samples of `rect` as two bytes a pixel, high byte first; `None` where one is no whole number
/// of 16 bits.
pub(super) fn whole_numbers(
    source: &dyn TileSource,
    rect: PixelRect,
) -> Result<Option<Vec<u8>>, ReadError> {
    let width = rect.width as usize;
    let mut bytes = vec![0; 2 * width * rect.height as usize];
    for piece in pieces(rect, source.block_size(0).width) {
        let values = source.read_values(piece, 0)?;
        let (left, top) = ((piece.x - rect.x) as usize, (piece.y - rect.y) as usize);
        for (row, values) in values.chunks_exact(piece.width as usize).enumerate() {
            let place = 2 * ((top + row) * width + left);
            for (pixel, &value) in bytes[place..].chunks_exact_mut(2).zip(values) {
                let number = value as u16;
                if f64::from(number) != value {
                    return Ok(None);
                }
                pixel.copy_from_slice(&number.to_be_bytes());
            }
        }
    }
    Ok(Some(bytes))
}

/// The parts that `rect` is read in: as wide as a block, so that of tiles and of strips each is
/// decoded once, and few rows of these where blocks are wide.
fn pieces(rect: PixelRect, block_width: u32) -> impl Iterator<Item = PixelRect> {
    let columns = block_width.clamp(1, rect.width.max(1));
    let most = PIECE_BYTES / size_of::<f64>() / columns as usize;
    let rows = (most as u32).max(1);
    let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
    (rect.x..right)
        .step_by(columns as usize)
        .flat_map(move |x| {
            let tops = (rect.y..bottom).step_by(rows as usize);
            tops.map(move |y| PixelRect::new(x, y, columns.min(right - x), rows.min(bottom - y)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::replace_file;
    use crate::label::{Encoding, load_mask};
    use crate::raster::{MadeBands, open_raster};

    #[test]
    fn pieces_cover_all_of_a_band_within_their_bytes() {
        for (rect, block_width) in [
            (PixelRect::new(0, 512, 700, 256), 256),
            (PixelRect::new(0, 0, 70_000, 200), 70_000),
            (PixelRect::new(0, 3, 900_000, 5), 900_000),
            (PixelRect::new(0, 0, 5, 5), 0),
            (PixelRect::new(0, 0, 5, 5), 64),
        ] {
            let all: Vec<PixelRect> = pieces(rect, block_width).collect();
            let pixels: u64 = all.iter().copied().map(PixelRect::num_pixels).sum();
            assert_eq!(pixels, rect.num_pixels());
            for piece in all {
                assert_eq!(piece.intersect(rect), piece);
                let bytes = piece.num_pixels() * 8;
                assert!(
                    piece.height == 1 || bytes <= PIECE_BYTES as u64,
                    "{piece:?}"
                );
            }
        }
    }

    #[test]
    fn numbers_lie_where_their_samples_do_in_tiles_and_in_strips() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        for tile in [Some(16), None] {
            let made = MadeBands {
                format: 3,
                tile,
                ..MadeBands::new(50, 40, 1, 32)
            };
            let number = |x: u32, y: u32| (x * 7 + y * 300) as u16;
            let file = made.file(|x, y, _| f64::from(number(x, y)));
            replace_file(&path, &file).expect("written");
            let source = open_raster(&path).expect("a TIFF");
            assert!(is_whole(&*source));
            let rect = PixelRect::new(3, 5, 41, 30);
            let found = whole_numbers(&*source, rect).expect("read");
            let expected = (5..35).flat_map(|y| (3..44).map(move |x| (x, y)));
            let expected = expected.flat_map(|(x, y)| number(x, y).to_be_bytes());
            assert_eq!(found, Some(expected.collect()), "{tile:?}");
        }
    }

    #[test]
    fn fractions_between_the_looks_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        let made = MadeBands {
            format: 3,
            ..MadeBands::new(2, 2_000, 1, 32)
        };
        let file = made.file(|_, y, _| if y == 500 { 0.5 } else { 1.0 });
        replace_file(&path, &file).expect("written");
        let source = open_raster(&path).expect("a TIFF");
        assert!(is_whole(&*source));
        let error = load_mask(&path, None, Encoding::Auto, None).expect_err("fractions");
        assert!(error.to_string().contains("such as fractions"), "{error}");
    }
}
