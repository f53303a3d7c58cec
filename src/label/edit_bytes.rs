use super::delta::TileDelta;
use super::runs::{push_varint, read_varint};
use super::{Edit, EditKind, MaskError};
use crate::geom::PixelRect;

/// Set in the first byte when origins follow; then the number of label deltas comes next.
const HAS_ORIGINS: u8 = 0x80;

impl Edit {
    /// The edit as bytes for a project file: the kind, then each tile's rectangle and its runs
    /// before and after, all numbers as LEB128; then the same for what origins changed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let number = EditKind::ALL.iter().position(|kind| *kind == self.kind);
        let number = number.expect("ALL holds every kind") as u8;
        let mut bytes = Vec::new();
        if self.origin_deltas().is_empty() {
            bytes.push(number);
        } else {
            bytes.push(number | HAS_ORIGINS);
            push_varint(&mut bytes, self.deltas().len() as u32);
        }
        for delta in self.deltas().iter().chain(self.origin_deltas()) {
            push_delta(&mut bytes, delta);
        }
        bytes
    }

    /// The edit that [`Edit::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`MaskError::DamagedEdit`] for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MaskError> {
        let damaged = |reason| MaskError::DamagedEdit { reason };
        let (&number, mut rest) = bytes.split_first().ok_or(damaged("it is empty"))?;
        let kind = EditKind::ALL
            .get(usize::from(number & !HAS_ORIGINS))
            .ok_or(damaged("its kind is unknown"))?;
        let mut count = u32::MAX;
        if number & HAS_ORIGINS != 0 {
            (count, rest) = read_varint(rest).ok_or(damaged("it ends too early"))?;
        }
        let mut deltas = Vec::new();
        while !rest.is_empty() {
            let (delta, behind) = read_delta(rest).ok_or(damaged("a tile's runs do not fit"))?;
            deltas.push(delta);
            rest = behind;
        }
        let origins = deltas.split_off(deltas.len().min(count as usize));
        if !deltas.is_empty() {
            let edit = Self::from_deltas(*kind, deltas).ok_or(damaged("it changes nothing"))?;
            return Ok(edit.with_origin_deltas(origins));
        }
        let edit = Self::from_deltas(*kind, origins).ok_or(damaged("it changes nothing"))?;
        Ok(edit.of_origins())
    }
}

fn push_delta(bytes: &mut Vec<u8>, delta: &TileDelta) {
    let PixelRect {
        x,
        y,
        width,
        height,
    } = delta.rect();
    let (before, after) = delta.parts();
    let lengths = [before.len() as u32, after.len() as u32];
    for value in [x, y, width, height].into_iter().chain(lengths) {
        push_varint(bytes, value);
    }
    bytes.extend_from_slice(before);
    bytes.extend_from_slice(after);
}

fn read_delta(bytes: &[u8]) -> Option<(TileDelta, &[u8])> {
    let mut numbers = [0; 6];
    let mut rest = bytes;
    for number in &mut numbers {
        (*number, rest) = read_varint(rest)?;
    }
    let [x, y, width, height, before, after] = numbers;
    let (before, rest) = rest.split_at_checked(before as usize)?;
    let (after, rest) = rest.split_at_checked(after as usize)?;
    Some((
        TileDelta::from_parts(PixelRect::new(x, y, width, height), before, after)?,
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Mask;
    use super::*;
    use crate::geom::ImageSize;

    fn some_edit() -> Edit {
        let before = Mask::filled(ImageSize::new(600, 300), 1);
        let mut after = before.clone();
        after.set_rect(PixelRect::new(250, 10, 12, 2), &(0..24).collect::<Vec<_>>());
        Edit::between(&before, &after, EditKind::Accept).expect("they differ")
    }

    #[test]
    fn an_edit_reads_back_as_it_was_written() {
        let edit = some_edit();
        assert_eq!(Edit::from_bytes(&edit.to_bytes()).expect("our own"), edit);
    }

    #[test]
    fn a_shortened_edit_is_refused() {
        let bytes = some_edit().to_bytes();
        let first = bytes.len() / 2;
        assert!((0..first).all(|end| Edit::from_bytes(&bytes[..end]).is_err()));
        assert!(Edit::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }

    proptest! {
        #[test]
        fn damaged_bytes_are_an_error_or_an_edit_that_applies(
            places in prop::collection::vec((0_usize..200, any::<u8>()), 1..6)
        ) {
            let mut bytes = some_edit().to_bytes();
            for (place, value) in places {
                let length = bytes.len();
                bytes[place % length] = value;
            }
            if let Ok(edit) = Edit::from_bytes(&bytes) {
                Mask::new(ImageSize::new(500, 100)).apply(&edit);
                edit.changes();
            }
        }
    }
}
