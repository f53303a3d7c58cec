//! What a header may ask for before anything is allocated.

use super::error::Fault;

/// The most bytes that one chunk may decode to.
pub(super) const MAX_CHUNK_BYTES: u64 = 256 << 20;
/// The most bytes that a PNG or JPEG file may decode to.
pub(super) const MAX_WHOLE_BYTES: u64 = 1 << 30;
/// The most chunks of one level; each has an offset and a count in memory.
pub(super) const MAX_CHUNKS: u64 = 1 << 24;
/// The most directories that are followed in one file.
pub(super) const MAX_DIRECTORIES: usize = 1_024;
/// The most bands of an image.
pub(super) const MAX_BANDS: u16 = 4_096;
/// The largest side of an image, so that sums of two coordinates stay in 32 bits.
pub(super) const MAX_SIDE: u64 = i32::MAX as u64;

/// The product of all `factors`, refused above `cap`.
pub(super) fn product_within(factors: &[u64], cap: u64, what: &str) -> Result<u64, Fault> {
    let product = factors
        .iter()
        .try_fold(1_u64, |product, &factor| product.checked_mul(factor));
    match product {
        Some(product) if product <= cap => Ok(product),
        _ => Err(Fault::unsupported(format!(
            "{what} of more than {} MiB",
            cap >> 20
        ))),
    }
}

/// A zeroed buffer, or an error where the system has no memory for it.
pub(super) fn zeroed(len: usize) -> Result<Vec<u8>, Fault> {
    filled(len, 0)
}

/// A buffer full of `value`, or an error where the system has no memory for it.
pub(super) fn filled(len: usize, value: u8) -> Result<Vec<u8>, Fault> {
    if value == 0 && len < 1 << 20 {
        return Ok(vec![0; len]);
    }
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(len).map_err(|error| {
        Fault::damaged(format!(
            "it needs {} MiB of memory at once: {error}",
            len >> 20
        ))
    })?;
    buffer.resize(len, value);
    Ok(buffer)
}
