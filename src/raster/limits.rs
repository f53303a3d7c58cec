//! What a header may ask for before anything is allocated.

use std::fmt::Display;

use super::error::Fault;

/// The most bytes that one chunk may decode to.
pub(super) const MAX_CHUNK_BYTES: u64 = 256 << 20;
/// The most bytes that a PNG, JPEG or WebP file may decode to, with what is kept meanwhile.
pub const MAX_WHOLE_BYTES: u64 = 1 << 30;
/// The most chunks of one level; each has an offset and a count in memory.
pub(super) const MAX_CHUNKS: u64 = 1 << 24;
/// The most directories that are followed in one file.
pub(super) const MAX_DIRECTORIES: usize = 1_024;
/// The most bands of an image.
pub(super) const MAX_BANDS: u16 = 4_096;
/// The largest side of an image, so that sums of two coordinates stay in 32 bits.
pub(super) const MAX_SIDE: u64 = i32::MAX as u64;

/// Bytes that a growing buffer has room for at first.
const FIRST_BYTES: usize = 4 << 20;

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

/// A zeroed buffer, or an error where the system has no memory for it. It takes memory where it is
/// written to, so a file that ends early takes none for what it does not hold.
pub(super) fn zeroed(len: usize) -> Result<Vec<u8>, Fault> {
    bytemuck::allocation::try_zeroed_vec(len).map_err(|()| no_memory(len, "there is none"))
}

/// A buffer full of `value`, or an error where the system has no memory for it.
pub(super) fn filled(len: usize, value: u8) -> Result<Vec<u8>, Fault> {
    let mut buffer = zeroed(len)?;
    if value > 0 {
        buffer.fill(value);
    }
    Ok(buffer)
}

/// Makes room for `more` bytes in a buffer that will have `whole` in the end: as much again as it
/// has, so that a file which ends early takes no memory for what it does not hold.
pub(super) fn grow(buffer: &mut Vec<u8>, more: usize, whole: usize) -> Result<(), Fault> {
    if buffer.capacity() - buffer.len() >= more {
        return Ok(());
    }
    let left = whole.saturating_sub(buffer.len());
    let step = buffer.len().max(FIRST_BYTES).min(left).max(more);
    let reserved = buffer.try_reserve_exact(step);
    reserved.map_err(|error| no_memory(buffer.len() + step, error))
}

pub(super) fn no_memory(len: usize, error: impl Display) -> Fault {
    Fault::damaged(format!(
        "it needs {} MiB of memory at once: {error}",
        len >> 20
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_grows_with_what_is_in_it_and_ends_as_it_should() {
        let mut buffer = Vec::new();
        let (row, whole) = (1 << 20, 11 << 20);
        while buffer.len() < whole {
            grow(&mut buffer, row, whole).unwrap();
            buffer.resize(buffer.len() + row, 7);
            assert!(buffer.capacity() <= (2 * buffer.len()).max(FIRST_BYTES));
        }
        assert_eq!(buffer.capacity(), whole);
    }
}
