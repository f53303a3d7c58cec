use std::sync::Arc;

use super::same::same_bits;

/// A row of class indices as (length, class) runs: lengths as LEB128, then one byte a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Runs(Arc<[u8]>);

impl Runs {
    /// The runs of the classes in these lines, one after another.
    pub(super) fn encode<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut encoder = Encoder::default();
        lines.into_iter().for_each(|line| encoder.add(line));
        encoder.end_run();
        Self(Arc::from(encoder.bytes))
    }

    /// One run, none when `length` is 0.
    pub(super) fn uniform(length: u32, class: u8) -> Self {
        let mut bytes = Vec::with_capacity(6);
        if length > 0 {
            push_run(&mut bytes, length, class);
        }
        Self(Arc::from(bytes))
    }

    /// Runs from bytes that a file held; `None` unless they make exactly `num_pixels` pixels.
    pub(super) fn from_bytes(bytes: &[u8], num_pixels: u32) -> Option<Self> {
        let mut rest = bytes;
        let mut total = 0_u64;
        while !rest.is_empty() {
            let (length, behind) = read_varint(rest)?;
            if length == 0 {
                return None;
            }
            total += u64::from(length);
            rest = behind.split_first()?.1;
        }
        (total == u64::from(num_pixels)).then(|| Self(Arc::from(bytes)))
    }

    /// The encoded form.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The (length, class) pairs.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u8)> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (length, behind) = read_varint(rest)?;
            let (&class, behind) = behind.split_first()?;
            rest = behind;
            Some((length, class))
        })
    }

    /// Calls `visit` with (length, ours, theirs) for each stretch on which both are constant.
    pub(super) fn zip(&self, other: &Self, mut visit: impl FnMut(u32, u8, u8)) {
        let (mut ours, mut theirs) = (self.iter(), other.iter());
        let (mut a, mut b) = (ours.next(), theirs.next());
        while let (Some((left_a, class_a)), Some((left_b, class_b))) = (a, b) {
            let length = left_a.min(left_b);
            visit(length, class_a, class_b);
            a = if left_a > length {
                Some((left_a - length, class_a))
            } else {
                ours.next()
            };
            b = if left_b > length {
                Some((left_b - length, class_b))
            } else {
                theirs.next()
            };
        }
    }
}

/// Makes runs line by line.
#[derive(Default)]
struct Encoder {
    bytes: Vec<u8>,
    /// The run that may go on.
    class: u8,
    length: u32,
}

impl Encoder {
    fn add(&mut self, line: &[u8]) {
        let Some((first, behind)) = line.split_first() else {
            return;
        };
        self.begin_unless(*first);
        self.length += 1;
        let (starts, rest) = behind.as_chunks();
        let (before, _) = line.as_chunks();
        for (part, before) in starts.iter().zip(before) {
            self.add_part(part, !same_bits(part, before));
        }
        for class in rest {
            self.begin_unless(*class);
            self.length += 1;
        }
    }

    /// Adds 64 classes; `starts` has a bit for each that differs from the one before it.
    fn add_part(&mut self, part: &[u8; 64], mut starts: u64) {
        let mut from = 0;
        while starts != 0 {
            let start = starts.trailing_zeros();
            self.length += start - from;
            self.end_run();
            (self.class, self.length) = (part[start as usize], 0);
            from = start;
            starts &= starts - 1;
        }
        self.length += 64 - from;
    }

    fn begin_unless(&mut self, class: u8) {
        if class != self.class {
            self.end_run();
            (self.class, self.length) = (class, 0);
        }
    }

    fn end_run(&mut self) {
        if self.length > 0 {
            push_run(&mut self.bytes, self.length, self.class);
        }
    }
}

fn push_run(bytes: &mut Vec<u8>, length: u32, class: u8) {
    if length < 0x80 {
        // Most runs, and pushed in one go they take half the time.
        bytes.extend_from_slice(&[length as u8, class]);
        return;
    }
    push_varint(bytes, length);
    bytes.push(class);
}

/// Appends `value` as LEB128: seven bits a byte, low ones first.
pub(super) fn push_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Takes a LEB128 number off the front; `None` when the bytes end early or the number is too big.
pub(super) fn read_varint(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_short() {
        let runs = Runs::encode([&vec![3; 65_536][..]]);
        assert_eq!(runs.as_bytes(), [0x80, 0x80, 0x04, 3]);
        assert_eq!(Runs::encode([&[1][..], &[1, 2]]).as_bytes(), [2, 1, 1, 2]);
        assert!(Runs::encode([]).as_bytes().is_empty());
    }

    #[test]
    fn damaged_runs_are_refused() {
        for (bytes, pixels) in [
            (&[2, 1][..], 3),
            (&[2][..], 2),
            (&[0, 1][..], 0),
            (&[0xff; 8][..], 9),
            (&[0x80][..], 0),
        ] {
            assert_eq!(Runs::from_bytes(bytes, pixels), None, "{bytes:?}");
        }
        assert!(Runs::from_bytes(&[2, 1, 1, 2], 3).is_some());
    }

    #[test]
    fn two_sequences_are_walked_together() {
        let mut seen = Vec::new();
        let (a, b) = (
            Runs::encode([&[1, 1, 2, 2][..]]),
            Runs::encode([&[5, 6, 6, 6][..]]),
        );
        a.zip(&b, |length, a, b| seen.push((length, a, b)));
        assert_eq!(seen, [(1, 1, 5), (1, 1, 6), (2, 2, 6)]);
    }

    proptest::proptest! {
        #[test]
        fn runs_keep_every_pixel(
            stretches in proptest::collection::vec((0_u8..4, 1_usize..90), 0..300),
            longest in 1_usize..90,
            width in 1_usize..300,
        ) {
            let stretch = |&(class, length): &(u8, usize)| vec![class; length.min(longest)];
            let classes: Vec<u8> = stretches.iter().flat_map(stretch).collect();
            let runs = Runs::encode(classes.chunks(width));
            let back: Vec<u8> =
                runs.iter().flat_map(|(length, class)| vec![class; length as usize]).collect();
            proptest::prop_assert_eq!(&back, &classes);
            let read = Runs::from_bytes(runs.as_bytes(), classes.len() as u32);
            proptest::prop_assert_eq!(read, Some(runs));
        }
    }
}
