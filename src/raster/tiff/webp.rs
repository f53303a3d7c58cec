use std::io::Cursor;

use image_webp::WebPDecoder;

use crate::geom::ImageSize;
use crate::raster::error::Fault;
use crate::raster::limits::zeroed;

/// The samples of a WebP stream of `size`, with 3 or 4 bands; where the stream has no opacity,
/// the fourth is 255.
pub(super) fn decode_webp(data: &[u8], size: ImageSize, bands: usize) -> Result<Vec<u8>, Fault> {
    let mut decoder = WebPDecoder::new(Cursor::new(data)).map_err(damaged)?;
    let found = decoder.dimensions();
    if found != (size.width, size.height) {
        return Err(Fault::damaged(format!(
            "a WebP chunk of {size} pixels claims {} × {}",
            found.0, found.1
        )));
    }
    let num_pixels = size.num_pixels() as usize;
    let stored = if decoder.has_alpha() { 4 } else { 3 };
    let mut pixels = zeroed(num_pixels * stored)?;
    decoder.read_image(&mut pixels).map_err(damaged)?;
    match (stored, bands) {
        (3, 3) | (4, 4) => Ok(pixels),
        (3 | 4, 3 | 4) => {
            let mut out = zeroed(num_pixels * bands)?;
            out.fill(255);
            let rows = out.chunks_exact_mut(bands).zip(pixels.chunks_exact(stored));
            rows.for_each(|(out, pixel)| out[..3].copy_from_slice(&pixel[..3]));
            Ok(out)
        }
        _ => Err(Fault::unsupported(format!("WebP of {bands} bands in TIFF"))),
    }
}

fn damaged(error: impl std::fmt::Display) -> Fault {
    Fault::damaged(format!("WebP: {error}"))
}
