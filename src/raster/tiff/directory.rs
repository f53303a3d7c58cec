use std::collections::{BTreeMap, HashSet};

use super::tag;
use crate::raster::error::Fault;
use crate::raster::limits::{MAX_CHUNKS, MAX_DIRECTORIES};
use crate::raster::read_at::ReadAt;

/// The most entries of a directory; real ones have some dozens.
const MAX_ENTRIES: u64 = 4_096;

/// Order of the bytes in a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// Whether numbers have to be turned around on this machine.
    pub const fn is_foreign(self) -> bool {
        matches!(self, Self::Big) == cfg!(target_endian = "little")
    }

    /// The unsigned number in `bytes` (at most eight).
    fn number(self, bytes: &[u8]) -> u64 {
        let join = |number: u64, &byte: &u8| (number << 8) | u64::from(byte);
        match self {
            Self::Little => bytes.iter().rev().fold(0, join),
            Self::Big => bytes.iter().fold(0, join),
        }
    }
}

/// One value list of a directory, not read yet.
#[derive(Clone, Copy, Debug)]
struct Entry {
    field_type: u16,
    count: u64,
    /// Where the values are in the file, be it inside the entry itself.
    offset: u64,
}

/// Where the values of one image are.
#[derive(Clone, Debug)]
pub struct Directory {
    pub order: ByteOrder,
    entries: BTreeMap<u16, Entry>,
}

/// The directories of a file, in order, and whether it is a `BigTIFF`.
pub struct Directories {
    pub all: Vec<Directory>,
    form: Form,
}

impl Directories {
    /// Follows the chain of directories; a broken link ends it unless it is the first.
    pub fn read(bytes: &dyn ReadAt) -> Result<Self, Fault> {
        let (form, mut next) = Form::read(bytes)?;
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        while next != 0 && all.len() < MAX_DIRECTORIES && seen.insert(next) {
            match form.read_directory(bytes, next) {
                Ok((directory, following)) => {
                    all.push(directory);
                    next = following;
                }
                Err(fault) if all.is_empty() => return Err(fault),
                Err(_) => break,
            }
        }
        if all.is_empty() {
            return Err(Fault::damaged("it has no image directory"));
        }
        Ok(Self { all, form })
    }

    /// Whether counts and offsets have 64 bits.
    pub const fn is_big(&self) -> bool {
        self.form.is_big
    }

    /// The directories that directory number `index` names as being below it, and those that these
    /// link to; broken ones are left out.
    pub fn below(&self, bytes: &dyn ReadAt, index: usize) -> Vec<Directory> {
        let most = MAX_DIRECTORIES as u64;
        let starts = self.all[index].numbers(bytes, tag::SUB_IFDS, most);
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        for start in starts.unwrap_or_default() {
            let mut next = start;
            while next != 0 && all.len() < MAX_DIRECTORIES && seen.insert(next) {
                let Ok((directory, following)) = self.form.read_directory(bytes, next) else {
                    break;
                };
                all.push(directory);
                next = following;
            }
        }
        all
    }
}

/// Classic TIFF or `BigTIFF`: how wide counts and offsets are.
struct Form {
    order: ByteOrder,
    is_big: bool,
}

impl Form {
    fn read(bytes: &dyn ReadAt) -> Result<(Self, u64), Fault> {
        let mut head = [0; 16];
        let len = bytes.len().min(16) as usize;
        bytes.read_exact_at(&mut head[..len], 0)?;
        let order = if head.starts_with(b"MM") {
            ByteOrder::Big
        } else {
            ByteOrder::Little
        };
        let is_big = order.number(&head[2..4]) == 43;
        if len < if is_big { 16 } else { 8 } {
            return Err(Fault::damaged("it ends inside its header"));
        }
        let first = if is_big { &head[8..16] } else { &head[4..8] };
        Ok((Self { order, is_big }, order.number(first)))
    }

    const fn offset_size(&self) -> usize {
        if self.is_big { 8 } else { 4 }
    }

    fn read_directory(&self, bytes: &dyn ReadAt, at: u64) -> Result<(Directory, u64), Fault> {
        let size = self.offset_size();
        let (count_size, entry_size) = if self.is_big { (8, 20) } else { (2, 12) };
        let count = self.order.number(&read_bytes(bytes, at, count_size)?);
        if count > MAX_ENTRIES {
            return Err(Fault::damaged(format!(
                "a directory claims {count} entries"
            )));
        }
        let first = at.saturating_add(count_size as u64);
        let table = read_bytes(bytes, first, count as usize * entry_size)?;
        let mut entries = BTreeMap::new();
        for (index, raw) in table.chunks_exact(entry_size).enumerate() {
            let tag = self.order.number(&raw[..2]) as u16;
            let field_type = self.order.number(&raw[2..4]) as u16;
            let count = self.order.number(&raw[4..4 + size]);
            let value = &raw[4 + size..];
            let inside = first + (index * entry_size + 4 + size) as u64;
            let total = count.saturating_mul(type_size(field_type) as u64);
            let offset = if total <= size as u64 {
                inside
            } else {
                self.order.number(value)
            };
            entries.entry(tag).or_insert(Entry {
                field_type,
                count,
                offset,
            });
        }
        // Some writers forget the link behind the last directory.
        let link = read_bytes(bytes, first + table.len() as u64, size).unwrap_or_default();
        Ok((
            Directory {
                order: self.order,
                entries,
            },
            self.order.number(&link),
        ))
    }
}

fn read_bytes(bytes: &dyn ReadAt, at: u64, len: usize) -> Result<Vec<u8>, Fault> {
    if at
        .checked_add(len as u64)
        .is_none_or(|end| end > bytes.len())
    {
        return Err(Fault::damaged(
            "a directory points behind the end of the file",
        ));
    }
    let mut buffer = vec![0; len];
    bytes.read_exact_at(&mut buffer, at)?;
    Ok(buffer)
}

/// Bytes of one value; 0 for a type that nobody knows.
const fn type_size(field_type: u16) -> usize {
    match field_type {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => 0,
    }
}

impl Directory {
    /// Whether the directory has `tag`.
    pub fn has(&self, tag: u16) -> bool {
        self.entries.contains_key(&tag)
    }

    /// The raw bytes of a value list and the size of one value; `None` when the tag is missing.
    fn raw(
        &self,
        bytes: &dyn ReadAt,
        tag: u16,
        most: u64,
    ) -> Result<Option<(Vec<u8>, u16)>, Fault> {
        let Some(entry) = self.entries.get(&tag) else {
            return Ok(None);
        };
        let size = type_size(entry.field_type) as u64;
        if size == 0 {
            return Ok(None);
        }
        let count = entry.count.min(most);
        let len = count.saturating_mul(size);
        let left = bytes.len().saturating_sub(entry.offset);
        if len > left {
            return Err(Fault::damaged(format!(
                "tag {tag} claims more values than the file holds"
            )));
        }
        Ok(Some((
            read_bytes(bytes, entry.offset, len as usize)?,
            entry.field_type,
        )))
    }

    /// All whole numbers of a tag, at most `most`; empty when it is missing.
    pub fn numbers(&self, bytes: &dyn ReadAt, tag: u16, most: u64) -> Result<Vec<u64>, Fault> {
        let Some((raw, field_type)) = self.raw(bytes, tag, most.min(MAX_CHUNKS))? else {
            return Ok(Vec::new());
        };
        let size = type_size(field_type);
        let shift = 64 - 8 * size as u32;
        let sign = |number: u64| (((number << shift) as i64) >> shift).max(0) as u64;
        Ok(match field_type {
            5 | 10..=12 => self
                .floats_of(&raw, field_type)
                .map(|float| float as u64)
                .collect(),
            6 | 8 | 9 | 17 => raw
                .chunks_exact(size)
                .map(|raw| sign(self.order.number(raw)))
                .collect(),
            _ => raw
                .chunks_exact(size)
                .map(|raw| self.order.number(raw))
                .collect(),
        })
    }

    /// The first whole number of a tag.
    pub fn number(&self, bytes: &dyn ReadAt, tag: u16) -> Result<Option<u64>, Fault> {
        Ok(self.numbers(bytes, tag, 1)?.first().copied())
    }

    /// All floating-point numbers of a tag, at most `most`; empty when it is missing.
    pub fn floats(&self, bytes: &dyn ReadAt, tag: u16, most: u64) -> Result<Vec<f64>, Fault> {
        let Some((raw, field_type)) = self.raw(bytes, tag, most)? else {
            return Ok(Vec::new());
        };
        Ok(self.floats_of(&raw, field_type).collect())
    }

    fn floats_of<'a>(&'a self, raw: &'a [u8], field_type: u16) -> impl Iterator<Item = f64> + 'a {
        raw.chunks_exact(type_size(field_type)).map(move |raw| {
            let number = self.order.number(raw);
            match field_type {
                5 | 10 => {
                    let half = |bytes| self.order.number(bytes) as u32;
                    let (over, under) = (half(&raw[..4]), half(&raw[4..]));
                    if field_type == 5 {
                        f64::from(over) / f64::from(under)
                    } else {
                        f64::from(over as i32) / f64::from(under as i32)
                    }
                }
                11 => f64::from(f32::from_bits(number as u32)),
                12 => f64::from_bits(number),
                _ => number as f64,
            }
        })
    }

    /// The bytes of a tag, at most `most`.
    pub fn bytes(&self, bytes: &dyn ReadAt, tag: u16, most: u64) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.raw(bytes, tag, most)?.map(|(raw, _)| raw))
    }

    /// The text of a tag without its closing NUL.
    pub fn text(&self, bytes: &dyn ReadAt, tag: u16) -> Result<Option<String>, Fault> {
        let raw = self.bytes(bytes, tag, 1 << 16)?;
        Ok(raw.map(|raw| {
            String::from_utf8_lossy(&raw)
                .trim_end_matches('\0')
                .to_owned()
        }))
    }
}
