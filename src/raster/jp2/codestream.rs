use super::area::{Axis, read_axes};
use super::boxes::Span;
use super::coding::{Coding, CodingDefault, check_pieces, read_component_coding};
use super::fields::{Fields, read_bytes};
use crate::geom::ImageSize;
use crate::raster::error::Fault;
use crate::raster::limits::MAX_BANDS;
use crate::raster::read_at::ReadAt;

/// The most bytes of the main header that are kept.
const MAX_HEADER_BYTES: usize = 4 << 20;
/// The most segments of a header.
const MAX_SEGMENTS: usize = 1 << 17;
/// Samples of more bits do not fit the library's numbers.
const MAX_BITS: u8 = 31;

/// Markers of segments, and of what stands between them.
pub mod marker {
    pub const SOC: u16 = 0xFF4F;
    pub const CAP: u16 = 0xFF50;
    pub const SIZ: u16 = 0xFF51;
    pub const COD: u16 = 0xFF52;
    pub const COC: u16 = 0xFF53;
    pub const CPF: u16 = 0xFF59;
    pub const QCD: u16 = 0xFF5C;
    pub const QCC: u16 = 0xFF5D;
    pub const RGN: u16 = 0xFF5E;
    pub const POC: u16 = 0xFF5F;
    pub const PPM: u16 = 0xFF60;
    /// Transforms of bands that Part 2 of the standard adds.
    pub const PART_TWO: std::ops::RangeInclusive<u16> = 0xFF74..=0xFF78;
    pub const SOT: u16 = 0xFF90;
    pub const SOD: u16 = 0xFF93;
    pub const EOC: u16 = 0xFFD9;
}

/// Samples of one component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    pub bits: u8,
    pub is_signed: bool,
}

/// What the main header of a codestream says.
#[derive(Debug)]
pub struct Codestream {
    /// Columns and rows.
    pub axes: [Axis; 2],
    pub components: Vec<Component>,
    pub codings: Vec<Coding>,
    pub layers: u16,
    /// From the first tile-part to the end.
    pub parts: Span,
    /// The segments that a tile needs to be decoded alone, the first with the size.
    segments: Vec<u8>,
}

impl Codestream {
    /// Reads the main header of the codestream that lies in `span`.
    pub fn read(bytes: &dyn ReadAt, span: Span) -> Result<Self, Fault> {
        let (segments, first_part) = read_segments(bytes, span)?;
        let content = |wanted: u16| {
            let mut found = segments.iter().filter(move |(marker, _)| *marker == wanted);
            found.next().map(|(_, content)| &content[..])
        };
        let missing = |name: &str| Fault::damaged(format!("it has no {name} segment"));
        let siz = content(marker::SIZ).ok_or_else(|| missing("SIZ"))?;
        let (axes, components) = read_size(siz)?;
        let usual = content(marker::COD).ok_or_else(|| missing("COD"))?;
        let usual = CodingDefault::read(usual)?;
        let mut codings = vec![usual.coding; components.len()];
        for (_, content) in segments.iter().filter(|(marker, _)| *marker == marker::COC) {
            let (component, coding) = read_component_coding(content, components.len())?;
            codings[component] = coding;
        }
        let tile = axes.map(|axis| axis.tile_len(0));
        check_pieces(&codings, usual.layers, (tile[0], tile[1]))?;
        let packed = segments
            .iter()
            .map(|(marker, content)| segment(*marker, content));
        Ok(Self {
            axes,
            components,
            codings,
            layers: usual.layers,
            parts: Span {
                start: first_part,
                end: span.end,
            },
            segments: packed.collect::<Vec<_>>().concat(),
        })
    }

    /// The size of the level that is halved `reduce` times.
    pub fn size(&self, reduce: u8) -> ImageSize {
        let [across, down] = self.axes;
        ImageSize::new(across.len(reduce), down.len(reduce))
    }

    /// How often all components can be halved.
    pub fn levels(&self) -> u8 {
        let levels = self.codings.iter().map(|coding| coding.levels);
        levels.min().unwrap_or(0)
    }

    /// How many tiles there are.
    pub fn tiles(&self) -> u32 {
        self.axes[0].tiles() * self.axes[1].tiles()
    }

    /// The main header of a codestream that has but one tile, which lies where it lies here.
    pub fn header_of_tile(&self, column: u32, row: u32) -> Vec<u8> {
        let mut header = marker::SOC.to_be_bytes().to_vec();
        header.extend_from_slice(&self.segments);
        // Behind SOC, the marker, its length and the capabilities.
        let numbers = 2 + 2 + 2 + 2;
        for (slot, (axis, tile)) in self.axes.iter().zip([column, row]).enumerate() {
            let (start, end) = axis.tile(tile);
            let tile_start = axis.tile_start + tile * axis.tile_len;
            // The image's end and start, the tile's length (as it is) and start.
            for (place, number) in [(0, end), (2, start), (6, tile_start)] {
                let at = numbers + 4 * (place + slot);
                header[at..at + 4].copy_from_slice(&number.to_be_bytes());
            }
        }
        header
    }
}

fn segment(marker: u16, content: &[u8]) -> Vec<u8> {
    let len = content.len() as u16 + 2;
    [&marker.to_be_bytes(), &len.to_be_bytes(), content].concat()
}

/// A marker and what stands behind it.
type Segment = (u16, Vec<u8>);

/// The segments that matter, the one with the size first, and where the first tile-part begins.
fn read_segments(bytes: &dyn ReadAt, span: Span) -> Result<(Vec<Segment>, u64), Fault> {
    let mut at = span.start;
    let start = read_bytes(bytes, at, 4)?;
    let begins = [marker::SOC.to_be_bytes(), marker::SIZ.to_be_bytes()].concat();
    if start != begins {
        return Err(Fault::damaged("it does not begin with its size"));
    }
    at += 2;
    let (mut segments, mut kept) = (Vec::new(), 0);
    for _ in 0..MAX_SEGMENTS {
        let head = read_bytes(bytes, at, 4)?;
        let (marker, len) = (
            u16::from_be_bytes([head[0], head[1]]),
            u16::from_be_bytes([head[2], head[3]]),
        );
        match marker {
            marker::SOT => return Ok((segments, at)),
            marker::PPM => {
                let what = "JPEG 2000 with packed packet headers (PPM)";
                return Err(Fault::unsupported(what));
            }
            marker if marker::PART_TWO.contains(&marker) => {
                return Err(Fault::unsupported("JPEG 2000 Part 2"));
            }
            0xFF00.. if len >= 2 => {}
            _ => return Err(Fault::damaged("its header makes no sense")),
        }
        if is_kept(marker) {
            kept += usize::from(len);
            if kept > MAX_HEADER_BYTES {
                return Err(Fault::damaged("its header is too long"));
            }
            let content = read_bytes(bytes, at + 4, usize::from(len) - 2)?;
            segments.push((marker, content));
        }
        at += 2 + u64::from(len);
    }
    Err(Fault::damaged("its header is too long"))
}

/// Whether a tile needs the segment to be decoded.
const fn is_kept(marker: u16) -> bool {
    matches!(
        marker,
        marker::CAP
            | marker::SIZ
            | marker::COD
            | marker::COC
            | marker::CPF
            | marker::QCD
            | marker::QCC
            | marker::RGN
            | marker::POC
    )
}

fn read_size(content: &[u8]) -> Result<([Axis; 2], Vec<Component>), Fault> {
    let broken = || Fault::damaged("its SIZ segment makes no sense");
    let mut fields = Fields::of(content);
    fields.short().ok_or_else(broken)?;
    let axes = read_axes(&mut fields).ok_or_else(broken)??;
    let count = fields.short().ok_or_else(broken)?;
    if count == 0 {
        return Err(broken());
    }
    if count > MAX_BANDS {
        return Err(Fault::unsupported(format!("An image of {count} bands")));
    }
    let mut components = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let raw = fields.bytes(3).ok_or_else(broken)?;
        let component = Component {
            bits: (raw[0] & 0x7F) + 1,
            is_signed: raw[0] & 0x80 != 0,
        };
        if component.bits > MAX_BITS {
            let what = format!("JPEG 2000 with samples of {} bits", component.bits);
            return Err(Fault::unsupported(what));
        }
        if raw[1..] != [1, 1] {
            return Err(Fault::unsupported("JPEG 2000 with bands of fewer pixels"));
        }
        components.push(component);
    }
    Ok((axes, components))
}
