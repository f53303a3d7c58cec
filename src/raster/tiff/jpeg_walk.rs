//! The codes of all scans of a JPEG stream, read without making samples of them
//! (ITU-T T.81, annexes F and G).

use super::jpeg_bits::{Bits, Codes, Tables, read_codes};
use super::jpeg_frame::{JpegFrame, Part, segment_at};
use super::jpeg_scan::scan_len;
use crate::raster::error::Fault;
use crate::raster::limits::no_memory;

/// Coefficients of a block.
const BLOCK: u32 = 64;
/// Bytes behind the codes of a scan that are believed to be there for nothing.
const MOST_TRAILING: usize = 32;

/// Fails where a scan holds more or fewer codes than the header says, or where a component has none.
pub(super) fn walk_scans(stream: &[u8], frame: &JpegFrame) -> Result<(), Fault> {
    let mut known = Known::of(frame);
    let mut at = 2;
    while let Some((marker, body, end)) = segment_at(stream, at) {
        at = end;
        match marker {
            0xC4 => {
                let read = read_codes(body, &mut known.tables);
                read.ok_or_else(|| Fault::damaged("JPEG: a table of codes is cut off"))?;
            }
            0xDD => {
                let count = body.first_chunk().copied().unwrap_or_default();
                known.restart = u64::from(u16::from_be_bytes(count));
            }
            0xDA => {
                let data = &stream[at..at + scan_len(&stream[at..])];
                known.walk(body, data)?;
                at += data.len();
            }
            _ => {}
        }
    }
    if known.seen.iter().all(|&is_seen| is_seen) {
        return Ok(());
    }
    Err(Fault::damaged(
        "JPEG: it ends before all its components are there",
    ))
}

/// What was read until now.
struct Known<'a> {
    frame: &'a JpegFrame,
    tables: Tables,
    /// Groups of blocks between two points where reading can begin; 0 without such.
    restart: u64,
    /// For each component whether a scan had the means of its blocks.
    seen: Vec<bool>,
    /// For each component a bit for each coefficient of each block that is not zero, where scans
    /// refine it.
    filled: Vec<Vec<u64>>,
}

/// A scan.
struct Scan<'a> {
    parts: Vec<ScanPart<'a>>,
    /// The first and the last coefficient.
    band: [u32; 2],
    /// Whether it adds a bit to what earlier scans brought.
    refines: bool,
}

/// A component of a scan.
struct ScanPart<'a> {
    number: usize,
    part: &'a Part,
    /// Of means and of the rest.
    codes: [Option<&'a Codes>; 2],
}

impl<'a> Known<'a> {
    fn of(frame: &'a JpegFrame) -> Self {
        Self {
            frame,
            tables: Tables::default(),
            restart: 0,
            seen: vec![false; frame.parts.len()],
            filled: vec![Vec::new(); frame.parts.len()],
        }
    }

    fn walk(&mut self, body: &[u8], data: &[u8]) -> Result<(), Fault> {
        let size = self.frame.size;
        let scan = Scan::of(body, self.frame, &self.tables);
        let scan = scan.ok_or_else(|| Fault::damaged("JPEG: a scan lacks what it refers to"))?;
        let mut bits = Bits::of(data);
        let [first, _] = scan.band;
        let walked = if first == 0 {
            scan.parts
                .iter()
                .for_each(|part| self.seen[part.number] = true);
            scan.walk_means(&mut bits, self.frame, self.restart)
        } else {
            let part = &scan.parts[0];
            let blocks = self.frame.blocks_of(part.part);
            let filled = &mut self.filled[part.number];
            if filled.is_empty() {
                let len = blocks as usize;
                let zeros = bytemuck::allocation::try_zeroed_vec(len);
                *filled = zeros.map_err(|()| no_memory(len * 8, "there is none"))?;
            }
            scan.walk_rest(&mut bits, filled, self.restart)
        };
        walked.ok_or_else(|| {
            Fault::damaged(format!("JPEG: its data end before its {size} pixels do"))
        })?;
        if bits.left() > MOST_TRAILING {
            let what = format!("JPEG: its data go on behind its {size} pixels");
            return Err(Fault::damaged(what));
        }
        Ok(())
    }
}

impl<'a> Scan<'a> {
    /// `None` where something is missing that the standard asks for.
    fn of(body: &[u8], frame: &'a JpegFrame, tables: &'a Tables) -> Option<Self> {
        let count = usize::from(*body.first()?);
        let named = body.get(1..1 + 2 * count)?.as_chunks::<2>().0;
        let &[first, last, bits] = body.get(1 + 2 * count..)?.first_chunk()?;
        let parts = named.iter().map(|&[id, names]| {
            let number = frame.parts.iter().position(|part| part.id == id)?;
            Some(ScanPart {
                number,
                part: &frame.parts[number],
                codes: [tables.find(0, names >> 4), tables.find(1, names & 15)],
            })
        });
        let parts: Vec<ScanPart<'_>> = parts.collect::<Option<_>>()?;
        let [first, last] = if frame.is_progressive() {
            [first, last].map(u32::from)
        } else {
            [0, BLOCK - 1]
        };
        // Coefficients other than means come for one component at a time, without the means.
        let is_sound = match (parts.len(), first, last) {
            (0, ..) | (_, 1.., BLOCK..) => false,
            (_, 0, last) => last == 0 || !frame.is_progressive(),
            (count, ..) => count == 1 && first <= last,
        };
        is_sound.then_some(Self {
            parts,
            band: [first, last],
            refines: frame.is_progressive() && bits >> 4 > 0,
        })
    }

    /// Reads the means of blocks, and in a sequence of whole blocks the rest of each; `None` where
    /// they end too early.
    fn walk_means(&self, bits: &mut Bits<'_>, frame: &JpegFrame, restart: u64) -> Option<()> {
        let (units, alone) = match &self.parts[..] {
            [only] => (frame.blocks_of(only.part), true),
            _ => (frame.units(), false),
        };
        for unit in 0..units {
            if restart > 0 && unit > 0 && unit % restart == 0 {
                bits.restart()?;
            }
            for part in &self.parts {
                let count = if alone { 1 } else { part.part.blocks() };
                for _ in 0..count {
                    self.walk_block(part, bits)?;
                }
            }
        }
        Some(())
    }

    fn walk_block(&self, part: &ScanPart<'_>, bits: &mut Bits<'_>) -> Option<()> {
        if self.refines {
            bits.take(1)?;
            return Some(());
        }
        let len = bits.symbol(part.codes[0]?)?;
        bits.take(u32::from(len).min(16))?;
        let [_, last] = self.band;
        let mut at = 1;
        while at <= last {
            let symbol = bits.symbol(part.codes[1]?)?;
            let (zeros, len) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if len == 0 && zeros < 15 {
                break;
            }
            bits.take(len)?;
            at += zeros + 1;
        }
        Some(())
    }

    /// Reads the rest of the blocks of one component; `filled` knows which are not zero.
    fn walk_rest(&self, bits: &mut Bits<'_>, filled: &mut [u64], restart: u64) -> Option<()> {
        let codes = self.parts[0].codes[1];
        // Blocks, this one included, that hold nothing more.
        let mut empty = 0_u32;
        for (unit, block) in (0_u64..).zip(filled) {
            if restart > 0 && unit > 0 && unit.is_multiple_of(restart) {
                bits.restart()?;
                empty = 0;
            }
            if self.refines {
                self.refine_block(bits, codes?, block, &mut empty)?;
            } else if empty > 0 {
                empty -= 1;
            } else {
                empty = self.fill_block(bits, codes?, block)?;
            }
        }
        Some(())
    }

    /// The first bits of a block; how many blocks behind it hold nothing.
    fn fill_block(&self, bits: &mut Bits<'_>, codes: &Codes, block: &mut u64) -> Option<u32> {
        let [mut at, last] = self.band;
        while at <= last {
            let symbol = bits.symbol(codes)?;
            let (run, len) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if len == 0 && run < 15 {
                return Some((1 << run) - 1 + bits.take(run)?);
            }
            bits.take(len)?;
            at += run;
            if len > 0 && at < BLOCK {
                *block |= 1 << at;
            }
            at += 1;
        }
        Some(0)
    }

    /// One more bit for what is not zero, and what becomes that now.
    fn refine_block(
        &self,
        bits: &mut Bits<'_>,
        codes: &Codes,
        block: &mut u64,
        empty: &mut u32,
    ) -> Option<()> {
        let [mut at, last] = self.band;
        while *empty == 0 && at <= last {
            let symbol = bits.symbol(codes)?;
            let (mut zeros, len) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if len == 0 && zeros < 15 {
                *empty = (1 << zeros) + bits.take(zeros)?;
                break;
            }
            bits.take(len.min(1))?;
            while at <= last {
                if *block >> at & 1 == 1 {
                    bits.take(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                at += 1;
            }
            if len > 0 && at <= last {
                *block |= 1 << at;
            }
            at += 1;
        }
        if *empty > 0 {
            let left = (at..=last).filter(|&at| *block >> at & 1 == 1).count();
            for _ in 0..left {
                bits.take(1)?;
            }
            *empty -= 1;
        }
        Some(())
    }
}
