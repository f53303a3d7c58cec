use super::Geometry;
use super::vector::ring_of;

/// Takes apart a geometry of a `GeoPackage` (OGC 12-128r18, 2.1.3): a header, then well-known
/// binary. Empty for geometries that are neither polygons nor lines, and for empty ones.
///
/// # Errors
/// What is wrong with the bytes.
pub(super) fn parts_of_blob(blob: &[u8]) -> Result<Vec<Geometry>, &'static str> {
    let (header, _) = blob
        .split_first_chunk::<8>()
        .filter(|(header, _)| header.starts_with(b"GP"))
        .ok_or("a geometry is not one of a GeoPackage")?;
    let flags = header[3];
    if flags & 0b11_0000 != 0 {
        // Empty, or of a kind of its own.
        return Ok(Vec::new());
    }
    let envelope = match flags >> 1 & 0b111 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return Err("a geometry's header is damaged"),
    };
    let wkb = blob.get(8 + envelope..).ok_or(TOO_SHORT)?;
    parts_of_wkb(wkb)
}

/// Takes apart well-known binary (OGC 06-103r4, 8.2), in both byte orders; heights and measures, in
/// whatever way they are marked, are left out.
///
/// # Errors
/// What is wrong with the bytes.
pub(super) fn parts_of_wkb(wkb: &[u8]) -> Result<Vec<Geometry>, &'static str> {
    let mut reader = Reader {
        rest: wkb,
        is_little: true,
    };
    let kind = reader.head()?;
    let mut parts = Vec::new();
    match kind.base {
        2 | 3 => parts.extend(reader.part(kind)?),
        5 | 6 => {
            for _ in 0..reader.u32()? {
                let member = reader.head()?;
                if member.base + 3 != kind.base {
                    return Err("a geometry has a part of another kind");
                }
                parts.extend(reader.part(member)?);
            }
        }
        _ => {}
    }
    Ok(parts)
}

const TOO_SHORT: &str = "a geometry is cut off";

#[derive(Clone, Copy)]
struct Kind {
    /// 2 for a line, 3 for a polygon, and 3 more for many of them.
    base: u32,
    /// Numbers of a position.
    dimensions: usize,
}

struct Reader<'a> {
    rest: &'a [u8],
    is_little: bool,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(TOO_SHORT)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn u32(&mut self) -> Result<u32, &'static str> {
        let bytes = self.take()?;
        Ok(if self.is_little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    /// The byte order and the kind. Heights and measures are said by thousands (ISO) or by the two
    /// upper bits (EWKB), which may be followed by the number of a coordinate system.
    fn head(&mut self) -> Result<Kind, &'static str> {
        self.is_little = match self.take()? {
            [0] => false,
            [1] => true,
            _ => return Err("a geometry's byte order is neither 0 nor 1"),
        };
        let code = self.u32()?;
        if code & 0x2000_0000 != 0 {
            self.u32()?;
        }
        let iso = code & 0x1fff_ffff;
        let extra = match iso / 1000 {
            0 => (code >> 31) + (code >> 30 & 1),
            1 | 2 => 1,
            3 => 2,
            _ => return Err("a geometry is of an unknown kind"),
        };
        Ok(Kind {
            base: iso % 1000,
            dimensions: 2 + extra as usize,
        })
    }

    /// A line or a polygon; `None` for an empty one.
    fn part(&mut self, kind: Kind) -> Result<Option<Geometry>, &'static str> {
        if kind.base == 2 {
            let line = self.line(kind.dimensions)?;
            return Ok((line.len() >= 2).then_some(Geometry::Line(line)));
        }
        let mut rings = Vec::new();
        for index in 0..self.u32()? {
            match ring_of(self.line(kind.dimensions)?) {
                Some(ring) if index == 0 || !rings.is_empty() => rings.push(ring),
                // Without an outer ring there is no polygon that holes could be in.
                _ => {}
            }
        }
        Ok((!rings.is_empty()).then_some(Geometry::Polygon(rings)))
    }

    fn line(&mut self, dimensions: usize) -> Result<Vec<[f64; 2]>, &'static str> {
        let count = self.u32()? as usize;
        let length = count.checked_mul(dimensions * 8).ok_or(TOO_SHORT)?;
        let (line, rest) = self.rest.split_at_checked(length).ok_or(TOO_SHORT)?;
        self.rest = rest;
        let number = |bytes: [u8; 8]| {
            if self.is_little {
                f64::from_le_bytes(bytes)
            } else {
                f64::from_be_bytes(bytes)
            }
        };
        let positions = line.chunks_exact(dimensions * 8);
        let xy = positions.map(|position| position.as_chunks::<8>().0);
        Ok(xy.map(|xy| [number(xy[0]), number(xy[1])]).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Well-known binary of a kind, with counts as `u32` and all else as numbers.
    struct Writer {
        bytes: Vec<u8>,
        is_little: bool,
    }

    impl Writer {
        fn u32(&mut self, value: u32) {
            let bytes = value.to_le_bytes();
            let reversed = value.to_be_bytes();
            self.bytes
                .extend(if self.is_little { bytes } else { reversed });
        }

        fn head(&mut self, kind: u32) {
            self.bytes.push(u8::from(self.is_little));
            self.u32(kind);
        }

        fn line(&mut self, points: &[[f64; 2]], extra: usize) {
            self.u32(points.len() as u32);
            for point in points {
                for value in point.iter().chain(&[7.5, 8.5][..extra]) {
                    let (little, big) = (value.to_le_bytes(), value.to_be_bytes());
                    self.bytes.extend(if self.is_little { little } else { big });
                }
            }
        }
    }

    const RING: [[f64; 2]; 4] = [[0.0, 0.0], [4.0, 0.0], [4.0, 3.0], [0.0, 0.0]];

    fn multipolygon(is_little: bool, marks: u32, extra: usize) -> Vec<u8> {
        let bytes = Vec::new();
        let mut writer = Writer { bytes, is_little };
        writer.head(6 + marks);
        writer.u32(2);
        for _ in 0..2 {
            writer.head(3 + marks);
            writer.u32(2);
            writer.line(&RING, extra);
            writer.line(&RING[..3], extra);
        }
        writer.bytes
    }

    #[test]
    fn all_byte_orders_and_marks_of_heights_are_read() {
        let rings = vec![RING[..3].to_vec(), RING[..3].to_vec()];
        let expected = vec![Geometry::Polygon(rings); 2];
        for is_little in [false, true] {
            for (marks, extra) in [
                (0, 0),
                (1000, 1),
                (2000, 1),
                (3000, 2),
                (0x8000_0000, 1),
                (0x4000_0000, 1),
                (0xc000_0000, 2),
            ] {
                let wkb = multipolygon(is_little, marks, extra);
                assert_eq!(parts_of_wkb(&wkb).expect("valid"), expected, "{marks}");
            }
        }
    }

    #[test]
    fn lines_are_read_and_others_left_out() {
        let mut writer = Writer {
            bytes: Vec::new(),
            is_little: true,
        };
        writer.head(5);
        writer.u32(2);
        writer.head(2);
        writer.line(&RING, 0);
        writer.head(2);
        writer.line(&[], 0);
        let parts = parts_of_wkb(&writer.bytes).expect("valid");
        assert_eq!(parts, [Geometry::Line(RING.to_vec())]);
        for kind in [1, 4, 7, 10, 1001, 17] {
            let mut wkb = vec![1];
            wkb.extend(u32::to_le_bytes(kind));
            assert_eq!(parts_of_wkb(&wkb), Ok(Vec::new()), "{kind}");
        }
    }

    #[test]
    fn headers_are_skipped_whatever_envelope_they_have() {
        let wkb = multipolygon(true, 0, 0);
        for (envelope, length) in [(0, 0), (1, 32), (2, 48), (3, 48), (4, 64)] {
            let mut blob = b"GP\0".to_vec();
            blob.push(1 | envelope << 1);
            blob.extend([0; 4]);
            blob.extend(vec![0; length]);
            blob.extend(&wkb);
            assert_eq!(parts_of_blob(&blob).expect("valid").len(), 2);
            blob[3] |= 1 << 4;
            assert_eq!(parts_of_blob(&blob), Ok(Vec::new()));
        }
        for damaged in [
            &b"GP\0\x0f0000"[..],
            b"GP\0\x090000",
            b"GP",
            b"PG\0\x010000",
        ] {
            assert!(parts_of_blob(damaged).is_err());
        }
    }

    #[test]
    fn counts_are_not_trusted() {
        let mut wkb = vec![1];
        wkb.extend([2_u32.to_le_bytes(), u32::MAX.to_le_bytes()].concat());
        assert_eq!(parts_of_wkb(&wkb), Err(TOO_SHORT));
        wkb[1] = 6;
        assert_eq!(parts_of_wkb(&wkb), Err(TOO_SHORT));
    }

    proptest! {
        #[test]
        fn damaged_bytes_do_no_harm(
            is_little: bool,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            length: prop::sample::Index,
        ) {
            let mut wkb = multipolygon(is_little, 0, 0);
            for (at, value) in changes {
                let at = at.index(wkb.len());
                wkb[at] = value;
            }
            wkb.truncate(length.index(wkb.len() + 1));
            if let Ok(parts) = parts_of_wkb(&wkb) {
                let points: usize = parts.iter().map(|part| part.points().count()).sum();
                prop_assert!(points * 16 <= wkb.len());
            }
        }

        #[test]
        fn any_bytes_do_no_harm(blob in prop::collection::vec(any::<u8>(), 0..80)) {
            for parts in [parts_of_wkb(&blob), parts_of_blob(&blob)].into_iter().flatten() {
                prop_assert!(parts.len() <= blob.len());
            }
        }
    }
}
