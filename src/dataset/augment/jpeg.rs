use std::io::Cursor;

use jpeg_encoder::{ColorType, Encoder};
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::dataset::DatasetError;

/// Packs RGBA8 of a square of `side` as JPEG of `quality` and unpacks it again; alpha stays.
pub(super) fn through_jpeg(rgba: &mut [u8], side: usize, quality: u8) -> Result<(), DatasetError> {
    let failed = |why: String| {
        DatasetError::Augment(format!(
            "A patch cannot be packed as JPEG ({why}); turn augment.jpeg off or use smaller patches"
        ))
    };
    let edge = u16::try_from(side).map_err(|error| failed(error.to_string()))?;
    let mut packed = Vec::with_capacity(side * side / 2);
    Encoder::new(&mut packed, quality.clamp(1, 100))
        .encode(rgba, edge, edge, ColorType::Rgba)
        .map_err(|error| failed(error.to_string()))?;
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let unpacked = JpegDecoder::new_with_options(Cursor::new(packed), options)
        .decode()
        .map_err(|error| failed(error.to_string()))?;
    for (pixel, color) in rgba
        .as_chunks_mut::<4>()
        .0
        .iter_mut()
        .zip(unpacked.as_chunks::<3>().0)
    {
        pixel[..3].copy_from_slice(color);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_quality_stays_near_and_a_bad_one_does_not() {
        let pixel = |at: u32| {
            [
                (at % 16 * 15) as u8,
                (at / 16 * 15) as u8,
                90,
                (at % 2) as u8,
            ]
        };
        let original: Vec<u8> = (0..256).flat_map(pixel).collect();
        let worst = |quality| {
            let mut packed = original.clone();
            through_jpeg(&mut packed, 16, quality).expect("a patch");
            let differences = original.iter().zip(&packed).map(|(a, b)| a.abs_diff(*b));
            assert!(
                packed
                    .chunks(4)
                    .zip(original.chunks(4))
                    .all(|(a, b)| a[3] == b[3])
            );
            differences.max().expect("pixels")
        };
        assert!(worst(100) <= 4, "{}", worst(100));
        assert!(worst(5) > worst(100));
    }
}
