use crate::raster::error::Fault;
use crate::raster::limits::zeroed;
use crate::raster::read_at::ReadAt;

/// Numbers one after another, the highest byte first.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The numbers in `bytes`.
    pub const fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes; `None` where there are fewer.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    /// The next two bytes.
    pub fn short(&mut self) -> Option<u16> {
        let raw = self.bytes(2)?.first_chunk()?;
        Some(u16::from_be_bytes(*raw))
    }

    /// The next four bytes.
    pub fn long(&mut self) -> Option<u32> {
        let raw = self.bytes(4)?.first_chunk()?;
        Some(u32::from_be_bytes(*raw))
    }
}

/// `len` bytes of a file from `offset` on, which the caller has bounded.
pub fn read_bytes(bytes: &dyn ReadAt, offset: u64, len: usize) -> Result<Vec<u8>, Fault> {
    if offset.saturating_add(len as u64) > bytes.len() {
        return Err(Fault::damaged("it ends before its data does"));
    }
    let mut buffer = zeroed(len)?;
    bytes.read_exact_at(&mut buffer, offset)?;
    Ok(buffer)
}
