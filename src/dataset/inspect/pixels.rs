use super::channels::{Channel, Moments, channels_of};
use crate::dataset::hash;
use crate::dataset::leaks::{Patchwork, PatchworkFinder};
use crate::dataset::voids::{VoidFinder, Voids};
use crate::geom::{ImageSize, PixelRect};
use crate::label::Mask;
use crate::raster::{ReadError, TileSource};

/// Rows are read in bands of about so many bytes.
const BAND_BYTES: u64 = 16 << 20;
/// Cells are looked for in the middle of so many pixels a side: 16 MiB for each image that is looked
/// at in parallel, and enough strips to tell seams from ground.
const PATCHWORK_SIDE: u32 = 4_096;

/// What all pixels of an image say.
#[derive(Clone, Debug, Default)]
pub(super) struct PixelSums {
    /// Pixels that are not transparent.
    pub(super) opaque: u64,
    /// Transparent ones, nodata among them.
    pub(super) clear: u64,
    /// Sums of red, green and blue over the opaque pixels, and of their squares.
    pub(super) sum: [u64; 3],
    pub(super) square: [u64; 3],
    /// Mean and spread of all channels.
    pub(super) channels: Vec<(Channel, Moments)>,
    /// Whether all pixels are equal.
    pub(super) is_constant: bool,
    /// The cells that it is put together of, if it is.
    pub(super) patchwork: Option<Patchwork>,
    /// Equal for equal pixels, and practically for those alone.
    pub(super) digest: Digest,
}

/// A number of 128 bits that follows from pixels and extent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Digest(u64, u64);

impl Digest {
    fn of(size: ImageSize) -> Self {
        let (width, height) = (u64::from(size.width), u64::from(size.height));
        Self(hash(&[width, height]), hash(&[height, width]))
    }

    /// Two multiplicative hashes with different odd factors and rotations.
    fn push(&mut self, word: u32) {
        let word = u64::from(word);
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95);
        self.1 = (self.1.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl PixelSums {
    /// Reads all of an image in bands; the voids are those of an image that does not say itself
    /// what is missing.
    ///
    /// # Errors
    /// [`ReadError`] when a part does not decode.
    pub(super) fn of(source: &dyn TileSource) -> Result<(Self, Voids), ReadError> {
        let size = source.info().size;
        let mut sums = Self {
            is_constant: !size.is_empty(),
            digest: Digest::of(size),
            ..Self::default()
        };
        let mut first = None;
        let mut voids = VoidFinder::new(size);
        let mut seams = PatchworkFinder::new(size, PATCHWORK_SIDE);
        for band in bands(size, source.block_size(0).height) {
            let pixels = source.read_rgba(0, band)?;
            voids.add(band, &pixels);
            seams.add(band, &pixels);
            for pixel in pixels.as_chunks::<4>().0 {
                sums.add(*pixel);
                sums.is_constant &= first.get_or_insert(*pixel) == pixel;
            }
        }
        let channel = |at: usize| Moments::of_bytes(sums.opaque, sums.sum[at], sums.square[at]);
        sums.channels = channels_of(source, [0, 1, 2].map(channel))?;
        sums.patchwork = seams.patchwork();
        let voids = if sums.clear == 0 && Voids::may_be_in(source.info()) {
            voids.voids(|band| source.read_rgba(0, band))?
        } else {
            Voids::default()
        };
        Ok((sums, voids))
    }

    fn add(&mut self, pixel: [u8; 4]) {
        self.digest.push(u32::from_le_bytes(pixel));
        let [red, green, blue, opacity] = pixel;
        if opacity == 0 {
            self.clear += 1;
            return;
        }
        self.opaque += 1;
        for (channel, value) in [red, green, blue].into_iter().enumerate() {
            let value = u64::from(value);
            self.sum[channel] += value;
            self.square[channel] += value * value;
        }
    }
}

/// Bands of whole rows of RGBA8, of whole blocks where these are not too high.
fn bands(size: ImageSize, block_rows: u32) -> impl Iterator<Item = PixelRect> {
    bands_of(size, block_rows, 4)
}

/// As [`bands`], with so many bytes a pixel.
pub(super) fn bands_of(
    size: ImageSize,
    block_rows: u32,
    pixel_bytes: u64,
) -> impl Iterator<Item = PixelRect> {
    let row_bytes = (u64::from(size.width) * pixel_bytes).max(1);
    let fitting = (BAND_BYTES / row_bytes).clamp(1, 1 << 20) as u32;
    let block_rows = block_rows.clamp(1, size.height.max(1));
    let rows = if block_rows <= fitting {
        fitting - fitting % block_rows
    } else {
        fitting
    };
    let tops = (0..size.height).step_by(rows as usize);
    tops.map(move |top| PixelRect::new(0, top, size.width, rows.min(size.height - top)))
}

/// The digest of the classes of a mask.
pub(super) fn digest_of_mask(mask: &Mask) -> Digest {
    let size = mask.size();
    let mut digest = Digest::of(size);
    for band in bands(size, 1) {
        for class in mask.read_rect(band) {
            digest.push(u32::from(class));
        }
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::discover::test_folders::{Kind, png};
    use crate::raster::open_raster;

    fn sums(pixels: &[u8], width: u32) -> PixelSums {
        let folder = tempfile::tempdir().expect("a folder");
        let path = png(folder.path(), "a.png", Kind::Rgb, width, pixels);
        let source = open_raster(&path).expect("a picture");
        PixelSums::of(&*source).expect("pixels").0
    }

    #[test]
    fn sums_by_hand_and_digests_of_pixels_and_extent() {
        let found = sums(&[1, 2, 3, 10, 20, 30], 2);
        assert_eq!((found.opaque, found.clear), (2, 0));
        assert_eq!(found.sum, [11, 22, 33]);
        assert_eq!(found.square, [101, 404, 909]);
        assert!(!found.is_constant && sums(&[7; 12], 2).is_constant);
        assert_eq!(found.digest, sums(&[1, 2, 3, 10, 20, 30], 2).digest);
        assert_ne!(found.digest, sums(&[1, 2, 3, 10, 20, 30], 1).digest);
        assert_ne!(found.digest, sums(&[1, 2, 3, 10, 20, 31], 2).digest);
    }

    #[test]
    fn bands_cover_all_rows_once() {
        for (size, block) in [
            ((3, 10), 4),
            ((100_000, 999), 256),
            ((1, 1), 0),
            ((5, 0), 7),
        ] {
            let size = ImageSize::new(size.0, size.1);
            let mut next = 0;
            for band in bands(size, block) {
                assert_eq!(band.y, next);
                next = band.bottom();
            }
            assert_eq!(next, size.height);
        }
    }
}
