use super::boxes::Span;
use super::codestream::{Codestream, marker};
use super::coding::{Coding, CodingDefault, check_pieces, read_component_coding};
use super::fields::{Fields, read_bytes};
use crate::raster::error::Fault;
use crate::raster::limits::{MAX_CHUNK_BYTES, zeroed};
use crate::raster::read_at::ReadAt;

/// The most tile-parts of a codestream.
const MAX_PARTS: usize = 1 << 19;
/// Bytes of a tile-part's first segment, its marker included.
const SOT_BYTES: u64 = 12;

/// Where the parts of one tile lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TileParts {
    spans: Vec<Span>,
    /// How many parts the file says there are; 0 where it does not.
    stated: u8,
    /// Whether the file ends within one.
    is_cut: bool,
}

/// Finds the parts of all tiles, by number.
pub fn find_parts(bytes: &dyn ReadAt, codestream: &Codestream) -> Result<Vec<TileParts>, Fault> {
    let mut tiles = vec![TileParts::default(); codestream.tiles() as usize];
    let Span { start: mut at, end } = codestream.parts;
    // Without an end marker the file is cut off somewhere behind the last part.
    for _ in 0..MAX_PARTS {
        if at + SOT_BYTES > end {
            break;
        }
        let head = read_bytes(bytes, at, SOT_BYTES as usize)?;
        let Some(start) = PartStart::read(&head) else {
            break;
        };
        let tile = tiles
            .get_mut(usize::from(start.tile))
            .ok_or_else(|| Fault::damaged("it has a tile too many"))?;
        let len = match u64::from(start.len) {
            // The last part may leave its length open.
            0 => {
                let tail = read_bytes(bytes, end - 2, 2)?;
                let has_end = tail == marker::EOC.to_be_bytes();
                end - at - if has_end { 2 } else { 0 }
            }
            len if len < SOT_BYTES + 2 => return Err(Fault::damaged("a tile of it has no data")),
            len => len,
        };
        tile.is_cut |= at + len > end;
        tile.stated = tile.stated.max(start.stated);
        tile.spans.push(Span {
            start: at,
            end: end.min(at + len),
        });
        at += len;
    }
    Ok(tiles)
}

/// What a tile-part begins with (SOT segment).
struct PartStart {
    tile: u16,
    len: u32,
    stated: u8,
}

impl PartStart {
    fn read(head: &[u8]) -> Option<Self> {
        let mut fields = Fields::of(head);
        let is_start = fields.short()? == marker::SOT;
        fields.short()?;
        let (tile, len) = (fields.short()?, fields.long()?);
        fields.byte()?;
        let stated = fields.byte()?;
        is_start.then_some(Self { tile, len, stated })
    }
}

impl TileParts {
    /// Bytes of all parts.
    pub fn bytes(&self) -> u64 {
        self.spans.iter().map(|span| span.end - span.start).sum()
    }

    /// A codestream of this tile alone, which is at `column` and `row` of the tiles.
    pub fn read(
        &self,
        bytes: &dyn ReadAt,
        codestream: &Codestream,
        (column, row): (u32, u32),
    ) -> Result<Vec<u8>, Fault> {
        let is_whole = self.stated == 0 || self.spans.len() == usize::from(self.stated);
        if self.is_cut || self.spans.is_empty() || !is_whole {
            return Err(Fault::damaged("a tile of it is not all there"));
        }
        if self.bytes() > MAX_CHUNK_BYTES {
            return Err(Fault::unsupported(format!(
                "A JPEG 2000 tile of more than {} MiB",
                MAX_CHUNK_BYTES >> 20
            )));
        }
        let header = codestream.header_of_tile(column, row);
        let mut stream = zeroed(header.len() + self.bytes() as usize)?;
        stream[..header.len()].copy_from_slice(&header);
        let mut at = header.len();
        for span in &self.spans {
            let len = (span.end - span.start) as usize;
            let part = &mut stream[at..at + len];
            bytes.read_exact_at(part, span.start)?;
            // It is the first and only tile now, and its length is known.
            part[4..6].fill(0);
            part[6..10].copy_from_slice(&(len as u32).to_be_bytes());
            check_part(part, codestream)?;
            at += len;
        }
        stream.extend_from_slice(&marker::EOC.to_be_bytes());
        Ok(stream)
    }
}

/// Looks through the header of a tile-part for a packing of its own, which is bounded as that of
/// the whole is.
fn check_part(part: &[u8], codestream: &Codestream) -> Result<(), Fault> {
    let broken = || Fault::damaged("the header of a tile makes no sense");
    let mut fields = Fields::of(part);
    fields.bytes(SOT_BYTES as usize).ok_or_else(broken)?;
    let mut codings: Option<(Vec<Coding>, u16)> = None;
    loop {
        let found = fields.short().ok_or_else(broken)?;
        if found == marker::SOD {
            break;
        }
        let len = fields.short().ok_or_else(broken)?;
        let len = usize::from(len).checked_sub(2).ok_or_else(broken)?;
        let content = fields.bytes(len).ok_or_else(broken)?;
        let count = codestream.components.len();
        match found {
            marker::COD => {
                let usual = CodingDefault::read(content)?;
                codings = Some((vec![usual.coding; count], usual.layers));
            }
            marker::COC => {
                let (component, coding) = read_component_coding(content, count)?;
                let usual = || (codestream.codings.clone(), codestream.layers);
                codings.get_or_insert_with(usual).0[component] = coding;
            }
            _ => {}
        }
    }
    match codings {
        Some((codings, layers)) => {
            let [width, height] = codestream.axes.map(|axis| axis.tile_len(0));
            check_pieces(&codings, layers, (width, height))
        }
        None => Ok(()),
    }
}
