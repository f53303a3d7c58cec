//! Whether a JPEG stream holds the samples that its header promises. The decoder makes grey of what
//! is missing and says nothing.

use super::jpeg_frame::{JpegFrame, segments};
use crate::raster::error::Fault;

const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];
/// Ones alone, which are no code of any table (ITU-T T.81, C.2); more of them than a decoder reads
/// ahead. In a scan, a zero follows each byte of ones.
const NO_CODE: [u8; 16] = [
    0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0,
];
/// Bits of the longest code.
const LONGEST: u32 = 16;
/// Coefficients of a block.
const BLOCK: u32 = 64;

/// Sees to it that a decoder notices where a scan ends too early: one that holds all components ends
/// in what is no code; the first of several is read here.
pub(super) fn with_guard(mut stream: Vec<u8>, frame: &JpegFrame) -> Result<Vec<u8>, Fault> {
    if frame.kept_bytes() > 0 {
        walk_first_scan(&stream, frame)?;
        return Ok(stream);
    }
    let start = frame.scan_at.min(stream.len());
    stream.truncate(start + scan_len(&stream[start..]));
    stream.extend_from_slice(&NO_CODE);
    stream.extend_from_slice(&END_OF_IMAGE);
    Ok(stream)
}

/// Bytes of a scan that begins here, up to the marker behind it or the end.
fn scan_len(data: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = data[at..].iter().position(|&byte| byte == 0xFF) {
        at += found;
        match data.get(at + 1) {
            Some(0x00 | 0xD0..=0xD7) => at += 2,
            Some(0xFF) => at += 1,
            _ => return at,
        }
    }
    data.len()
}

/// Reads the codes of the first scan without making samples of them.
fn walk_first_scan(stream: &[u8], frame: &JpegFrame) -> Result<(), Fault> {
    let scan =
        Scan::of(stream, frame).ok_or_else(|| Fault::damaged("JPEG: a scan lacks tables"))?;
    let mut bits = Bits::of(&stream[frame.scan_at.min(stream.len())..]);
    let walked = scan.walk(&mut bits);
    walked.ok_or_else(|| {
        let size = frame.size;
        Fault::damaged(format!("JPEG: its data end before its {size} pixels do"))
    })
}

/// The first scan of a picture that comes in several.
struct Scan {
    blocks: Vec<Blocks>,
    /// Groups of blocks in the scan.
    units: u64,
    /// Groups between two points where reading can begin; 0 without such.
    restart: u64,
}

/// What each group of blocks has of a component.
struct Blocks {
    count: u64,
    means: Codes,
    /// How the rest of a block is packed, if this scan has it.
    rest: Option<Codes>,
}

impl Scan {
    /// `None` where something is missing that the standard asks for.
    fn of(stream: &[u8], frame: &JpegFrame) -> Option<Self> {
        let mut restart = 0;
        let mut tables = [const { [const { None }; 4] }; 2];
        for (marker, body, _) in segments(stream) {
            match marker {
                0xC4 => read_codes(body, &mut tables)?,
                0xDD => restart = u64::from(u16::from_be_bytes(*body.first_chunk()?)),
                0xDA => return Self::of_header(body, frame, &tables, restart),
                _ => {}
            }
        }
        None
    }

    fn of_header(
        body: &[u8],
        frame: &JpegFrame,
        tables: &[[Option<Codes>; 4]; 2],
        restart: u64,
    ) -> Option<Self> {
        let count = usize::from(*body.first()?);
        let parts = body.get(1..1 + 2 * count)?.as_chunks::<2>().0;
        let &[first, _, bits] = body.get(1 + 2 * count..)?.first_chunk()?;
        // What comes first is the mean of each block.
        if first != 0 || bits >> 4 != 0 {
            return None;
        }
        let table = |class: usize, name: u8| tables[class].get(usize::from(name))?.clone();
        let alone = parts.len() == 1;
        let mut units = frame.units();
        let mut blocks = Vec::new();
        for &[id, names] in parts {
            let part = frame.parts.iter().find(|part| part.id == id)?;
            let rest = if frame.is_progressive() {
                None
            } else {
                Some(table(1, names & 15)?)
            };
            if alone {
                units = frame.blocks_of(part);
            }
            blocks.push(Blocks {
                count: if alone { 1 } else { part.blocks() },
                means: table(0, names >> 4)?,
                rest,
            });
        }
        Some(Self {
            blocks,
            units,
            restart,
        })
    }

    /// Reads all codes; `None` where they end too early.
    fn walk(&self, bits: &mut Bits) -> Option<()> {
        for unit in 0..self.units {
            if self.restart > 0 && unit > 0 && unit % self.restart == 0 {
                bits.restart()?;
            }
            for blocks in &self.blocks {
                for _ in 0..blocks.count {
                    blocks.walk(bits)?;
                }
            }
        }
        Some(())
    }
}

impl Blocks {
    fn walk(&self, bits: &mut Bits) -> Option<()> {
        let len = bits.symbol(&self.means)?;
        bits.take(u32::from(len).min(LONGEST))?;
        let Some(rest) = &self.rest else {
            return Some(());
        };
        let mut at = 1;
        while at < BLOCK {
            let symbol = bits.symbol(rest)?;
            let (zeros, len) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if len == 0 && zeros < 15 {
                break;
            }
            bits.take(len)?;
            at += zeros + 1;
        }
        Some(())
    }
}

/// For each 16 bits the length of the code that they begin with, 0 for none, and its symbol.
#[derive(Clone)]
struct Codes(Vec<(u8, u8)>);

/// Puts the tables of a segment in their places, those of means first.
fn read_codes(mut body: &[u8], tables: &mut [[Option<Codes>; 4]; 2]) -> Option<()> {
    while let Some((&name, rest)) = body.split_first() {
        let counts = rest.first_chunk::<16>()?;
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        let symbols = rest.get(16..16 + total)?;
        let class = tables.get_mut(usize::from(name >> 4))?;
        *class.get_mut(usize::from(name & 15))? = Some(Codes::of(*counts, symbols));
        body = &rest[16 + total..];
    }
    Some(())
}

impl Codes {
    /// ITU-T T.81, annex C: codes of one length follow each other.
    fn of(counts: [u8; 16], symbols: &[u8]) -> Self {
        let mut codes = Vec::with_capacity(1 << LONGEST);
        let mut symbols = symbols.iter();
        for (len, count) in (1_u8..).zip(counts) {
            for &symbol in symbols.by_ref().take(usize::from(count)) {
                let filled = codes.len() + (1 << (LONGEST - u32::from(len)));
                codes.resize(filled.min(1 << LONGEST), (len, symbol));
            }
        }
        codes.resize(1 << LONGEST, (0, 0));
        Self(codes)
    }
}

/// The bits of a scan.
struct Bits<'a> {
    data: &'a [u8],
    /// Bits that were read and not taken, the next one the highest.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    const fn of(data: &'a [u8]) -> Self {
        Self {
            data,
            held: 0,
            count: 0,
        }
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let (byte, rest) = match *self.data {
                [0xFF, 0x00, ref rest @ ..] => (0xFF, rest),
                [0xFF, ..] | [] => return,
                [byte, ref rest @ ..] => (byte, rest),
            };
            self.data = rest;
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    fn symbol(&mut self, codes: &Codes) -> Option<u8> {
        if self.count < LONGEST {
            self.fill();
        }
        let (len, symbol) = codes.0[(self.held >> 48) as usize];
        self.take(u32::from(len)).filter(|()| len > 0)?;
        Some(symbol)
    }

    fn take(&mut self, count: u32) -> Option<()> {
        if self.count < count {
            self.fill();
        }
        self.count = self.count.checked_sub(count)?;
        self.held <<= count;
        Some(())
    }

    /// Goes on behind the next marker, which must be one to begin anew at.
    fn restart(&mut self) -> Option<()> {
        while let [0xFF, 0xFF, ..] = *self.data {
            self.data = &self.data[1..];
        }
        let [0xFF, 0xD0..=0xD7, ref rest @ ..] = *self.data else {
            return None;
        };
        *self = Self::of(rest);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    use super::*;
    use crate::raster::tiff::jpeg::{JpegColors, decode_jpeg};

    const SIDE: u16 = 45;

    /// Pixels that no two blocks have alike, packed in each way.
    fn streams() -> Vec<Vec<u8>> {
        let side = u32::from(SIDE);
        let color = |at: u32| [at * 7, at / side * 5, at * at].map(|value| (value % 251) as u8);
        let pixels: Vec<u8> = (0..side * side).flat_map(color).collect();
        let ways = [(false, 0), (false, 3), (true, 0), (true, 3)];
        let factors = [SamplingFactor::F_1_1, SamplingFactor::F_2_2];
        let all = ways
            .into_iter()
            .flat_map(|way| factors.map(|kind| (way, kind)));
        all.map(|((is_progressive, restart), factor)| {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, 85);
            encoder.set_progressive(is_progressive);
            encoder.set_restart_interval(restart);
            encoder.set_sampling_factor(factor);
            encoder.encode(&pixels, SIDE, SIDE, ColorType::Rgb).unwrap();
            bytes
        })
        .collect()
    }

    fn decodes(stream: &[u8]) -> bool {
        decode_jpeg(stream.to_vec(), JpegColors::Rgb, |_| Ok(())).is_ok()
    }

    #[test]
    fn a_scan_that_ends_early_is_an_error() {
        for stream in streams() {
            assert!(decodes(&stream));
            // The last two bytes are a marker, which nothing is lost with.
            for len in (2..stream.len() - 3).step_by(7) {
                assert!(!decodes(&stream[..len]), "{len} of {}", stream.len());
            }
            let trailing = [&stream[..], &[0; 40]].concat();
            assert!(decodes(&trailing));
        }
    }

    #[test]
    fn a_header_that_promises_more_is_a_lie() {
        for stream in streams() {
            let is_frame = |found: &[u8]| matches!(found, [0xFF, 0xC0 | 0xC2, 0, 17]);
            let at = stream.windows(4).position(is_frame).unwrap() + 5;
            for [height, width] in [[SIDE + 8, SIDE], [SIDE, SIDE + 8], [9_000, 9_000]] {
                let mut lie = stream.clone();
                lie[at..at + 2].copy_from_slice(&height.to_be_bytes());
                lie[at + 2..at + 4].copy_from_slice(&width.to_be_bytes());
                assert!(!decodes(&lie), "{width} × {height}");
            }
        }
    }

    #[test]
    fn components_may_come_one_by_one() {
        // Each scan has one of the scans of a grey picture, so that each component is that.
        let mut grey = Vec::new();
        let encoder = Encoder::new(&mut grey, 85);
        let pixels: Vec<u8> = (0..16 * 24).map(|at| (at * 37 % 256) as u8).collect();
        encoder.encode(&pixels, 16, 24, ColorType::Luma).unwrap();
        let frame = JpegFrame::of(&grey).unwrap();
        let scan = &grey[frame.scan_at..grey.len() - 2];
        let mut stream = Vec::new();
        for (marker, body, end) in segments(&grey[..frame.scan_at]) {
            let start = end - body.len() - 4;
            match marker {
                0xC0 => {
                    stream.extend([0xFF, 0xC0, 0, 17, 8, 0, 24, 0, 16, 3]);
                    stream.extend((1..=3).flat_map(|id| [id, 0x11, 0]));
                }
                0xDA => {
                    for id in 1..=3 {
                        stream.extend([0xFF, 0xDA, 0, 8, 1, id, 0, 0, 63, 0]);
                        stream.extend(scan);
                    }
                }
                _ => stream.extend(&grey[start..end]),
            }
        }
        let mut whole = vec![0xFF, 0xD8];
        whole.extend(&stream);
        whole.extend(END_OF_IMAGE);
        assert!(JpegFrame::of(&whole).unwrap().kept_bytes() > 0);
        assert!(decodes(&whole));
        let first = frame.scan_at + 20 + scan.len() / 2;
        assert!(!decodes(&whole[..first]));
    }
}
