use std::io::{self, BufRead, Read};

use super::{CLEAR, END, FIRST, LEAST_WIDTH, MOST_WIDTH};

/// Bytes that are copied at once.
const STRIDE: usize = 16;

/// The most bytes between two codes that clear, when a stream is unpacked bit by bit: more than the
/// longest strings that there can be.
const SEGMENT_BYTES: usize = 8 << 20;

/// A code for which there is no string yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::raster) struct UnknownCode;

impl From<UnknownCode> for io::Error {
    fn from(_: UnknownCode) -> Self {
        Self::new(
            io::ErrorKind::InvalidData,
            "a code stands for nothing that came before",
        )
    }
}

/// Unpacks a stream into `out`, of the usual kind or of that before TIFF 6, and gives the bytes that
/// were written; fewer than there is room for when the stream ends early. What follows is ignored.
///
/// # Errors
/// [`UnknownCode`] when the stream is damaged.
pub(in crate::raster) fn unpack(data: &[u8], out: &mut [u8]) -> Result<usize, UnknownCode> {
    if is_old(data) {
        unpack_as::<true>(data, out)
    } else {
        unpack_as::<false>(data, out)
    }
}

/// Whether a stream that begins so is from before TIFF 6.
fn is_old(data: &[u8]) -> bool {
    data.len() > 1 && data[0] == 0 && data[1] & 1 == 1
}

fn unpack_as<const OLD: bool>(data: &[u8], out: &mut [u8]) -> Result<usize, UnknownCode> {
    let (mut codes, mut strings) = (Codes::<OLD, _>::new(data), NO_STRINGS);
    let mut at = 0;
    loop {
        let end;
        (at, end) = segment(&mut codes, &mut strings, out, at)?;
        if end != End::Cleared {
            return Ok(at);
        }
    }
}

/// Where each string lies in what was unpacked, and its length.
type Strings = [(u32, u32); 1 << MOST_WIDTH];
static NO_STRINGS: Strings = [(0, 0); 1 << MOST_WIDTH];

/// Why unpacking paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All strings are forgotten.
    Cleared,
    /// There are no more codes.
    Over,
    /// There is no more room.
    Full,
}

/// Unpacks into `out` from `at` on until all strings are forgotten; gives the end of what was
/// written.
fn segment<const OLD: bool>(
    codes: &mut Codes<OLD, impl Input>,
    strings: &mut Strings,
    out: &mut [u8],
    mut at: usize,
) -> Result<(usize, End), UnknownCode> {
    let (mut next, mut width) = (FIRST, LEAST_WIDTH);
    let (mut last, mut last_len) = (0, 0);
    while at < out.len() {
        let code = match codes.next(width) {
            None | Some(END) => return Ok((at, End::Over)),
            Some(CLEAR) => return Ok((at, End::Cleared)),
            Some(code) => code,
        };
        if last_len > 0 && next < 1 << MOST_WIDTH {
            // The last string and the byte behind it, which is the first of what comes now.
            strings[next as usize] = (last as u32, last_len as u32 + 1);
            next += 1;
        }
        let len = if let Ok(byte) = u8::try_from(code) {
            out[at] = byte;
            1
        } else if code < next {
            let (start, len) = strings[code as usize];
            let len = (len as usize).min(out.len() - at);
            repeat(out, start as usize, at, len);
            len
        } else {
            return Err(UnknownCode);
        };
        (last, last_len) = (at, len);
        at += len;
        let is_full = next + u32::from(!OLD) >= 1 << width;
        width += u32::from(is_full && width < MOST_WIDTH);
    }
    Ok((at, End::Full))
}

/// Writes `len` bytes from `start` on again at `at`, which may be before their end.
fn repeat(out: &mut [u8], start: usize, at: usize, len: usize) {
    let is_roomy = at + len.next_multiple_of(STRIDE) <= out.len();
    if at - start >= STRIDE && is_roomy {
        // What is written too far is written anew by the next string.
        for done in (0..len).step_by(STRIDE) {
            out.copy_within(start + done..start + done + STRIDE, at + done);
        }
    } else {
        for done in 0..len {
            out[at + done] = out[start + done];
        }
    }
}

/// Unpacks a stream that is too large for memory.
pub(in crate::raster) struct Unpacker<R> {
    codes: EitherCodes<R>,
    strings: Box<Strings>,
    segment: Vec<u8>,
    /// What of the segment was read, and its end.
    read: usize,
    len: usize,
    is_over: bool,
}

enum EitherCodes<R> {
    Usual(Codes<false, Buffered<R>>),
    Old(Codes<true, Buffered<R>>),
}

impl<R: BufRead> Unpacker<R> {
    /// Unpacks what `from` gives.
    ///
    /// # Errors
    /// When its first bytes cannot be read.
    pub(in crate::raster) fn new(mut from: R) -> io::Result<Self> {
        let is_old = is_old(from.fill_buf()?);
        let input = Buffered { from, error: None };
        Ok(Self {
            codes: if is_old {
                EitherCodes::Old(Codes::new(input))
            } else {
                EitherCodes::Usual(Codes::new(input))
            },
            strings: Box::new(NO_STRINGS),
            segment: vec![0; SEGMENT_BYTES],
            read: 0,
            len: 0,
            is_over: false,
        })
    }

    fn next_segment(&mut self) -> io::Result<()> {
        let (strings, out) = (&mut *self.strings, &mut self.segment[..]);
        let (unpacked, input) = match &mut self.codes {
            EitherCodes::Usual(codes) => (segment(codes, strings, out, 0), &mut codes.input),
            EitherCodes::Old(codes) => (segment(codes, strings, out, 0), &mut codes.input),
        };
        if let Some(error) = input.error.take() {
            return Err(error);
        }
        let (len, end) = unpacked?;
        if end == End::Full {
            return Err(UnknownCode.into());
        }
        (self.read, self.len, self.is_over) = (0, len, end == End::Over);
        Ok(())
    }
}

impl<R: BufRead> Read for Unpacker<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.len && !self.is_over {
            self.next_segment()?;
        }
        let count = (self.len - self.read).min(buffer.len());
        buffer[..count].copy_from_slice(&self.segment[self.read..][..count]);
        self.read += count;
        Ok(count)
    }
}

/// Bytes of a stream, the first first.
trait Input {
    /// The next four, where they are at hand.
    fn four(&mut self) -> Option<[u8; 4]>;
    /// The next one.
    fn one(&mut self) -> Option<u8>;
}

impl Input for &[u8] {
    #[inline]
    fn four(&mut self) -> Option<[u8; 4]> {
        let (four, rest) = self.split_first_chunk()?;
        *self = rest;
        Some(*four)
    }

    fn one(&mut self) -> Option<u8> {
        let (byte, rest) = self.split_first()?;
        *self = rest;
        Some(*byte)
    }
}

/// Bytes that are read when they are needed.
struct Buffered<R> {
    from: R,
    /// Why no more came.
    error: Option<io::Error>,
}

impl<R: BufRead> Buffered<R> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        match self.from.fill_buf() {
            Ok(held) => {
                let bytes = held.first_chunk().copied()?;
                self.from.consume(N);
                Some(bytes)
            }
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }
}

impl<R: BufRead> Input for Buffered<R> {
    fn four(&mut self) -> Option<[u8; 4]> {
        self.take()
    }

    fn one(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }
}

/// The codes of a stream.
struct Codes<const OLD: bool, I> {
    input: I,
    /// Bits that were read but not used, the next at the highest place (at the lowest, if old).
    held: u64,
    count: u32,
}

impl<const OLD: bool, I: Input> Codes<OLD, I> {
    const fn new(input: I) -> Self {
        Self {
            input,
            held: 0,
            count: 0,
        }
    }

    #[inline]
    fn next(&mut self, width: u32) -> Option<u32> {
        if self.count < width {
            if let Some(four) = self.input.four() {
                self.hold(u32::from_le_bytes(four), 32);
            } else {
                while self.count < width {
                    let byte = self.input.one()?;
                    self.hold(u32::from(byte), 8);
                }
            }
        }
        let code = if OLD {
            let code = self.held & ((1 << width) - 1);
            self.held >>= width;
            code
        } else {
            let code = self.held >> (u64::BITS - width);
            self.held <<= width;
            code
        };
        self.count -= width;
        Some(code as u32)
    }

    /// Takes the `count` lowest bits of bytes, the first of them lowest.
    fn hold(&mut self, bytes: u32, count: u32) {
        self.held |= if OLD {
            u64::from(bytes) << self.count
        } else {
            let bytes = bytes.swap_bytes() >> (u32::BITS - count);
            u64::from(bytes) << (u64::BITS - count - self.count)
        };
        self.count += count;
    }
}
