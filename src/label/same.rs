/// Where 64 bytes equal those of another 64: the bit of a place is set when they do there.
pub(super) fn same_bits(ours: &[u8; 64], theirs: &[u8; 64]) -> u64 {
    /// Brings the lowest bits of eight bytes together in the highest byte, the first one lowest.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let same: [u8; 64] = std::array::from_fn(|at| u8::from(ours[at] == theirs[at]));
    let eights = same.as_chunks::<8>().0.iter().rev();
    eights.fold(0, |bits, &eight| {
        bits << 8 | u64::from_le_bytes(eight).wrapping_mul(GATHER) >> 56
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_own_bit() {
        for at in 0..64 {
            let mut bytes = [7; 64];
            bytes[at] = 9;
            assert_eq!(same_bits(&bytes, &[9; 64]), 1 << at);
            assert_eq!(same_bits(&bytes, &[7; 64]), !(1 << at));
        }
    }
}
