use super::fields::{Fields, read_bytes};
use crate::raster::error::Fault;
use crate::raster::read_at::ReadAt;

/// The most boxes of a file, and of a box.
const MAX_BOXES: usize = 4_096;
/// The most bytes of a box that is read whole; palettes and places on the map are smaller.
const MAX_BOX_BYTES: u64 = 4 << 20;
/// Boxes within boxes of what is read are fewer.
const MAX_DEPTH: usize = 4;
/// The box of a degenerate GeoTIFF (`GeoJP2`).
const GEOTIFF_UUID: [u8; 16] = [
    0xB1, 0x4B, 0xF8, 0xBD, 0x08, 0x3D, 0x4B, 0x43, 0xA5, 0xAE, 0x8C, 0xD7, 0xD5, 0xA6, 0xCE, 0x03,
];
/// The most entries of a palette that bytes can name.
const MAX_PALETTE: usize = 256;

/// Bytes of a file, from one offset to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: u64,
    pub end: u64,
}

/// What a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    pub band: u16,
    /// 0 is color, 1 opacity, 2 opacity that colors are multiplied by.
    pub kind: u16,
    /// The color, from 1; 0 is the whole image.
    pub of: u16,
}

/// What the boxes around a codestream say.
#[derive(Debug, Default, PartialEq)]
pub struct Container {
    pub codestream: Option<Span>,
    /// Number of the color space, where it is one of the numbered ones.
    pub colors: Option<u32>,
    pub channels: Vec<Channel>,
    pub palette: Option<Vec<[u8; 3]>>,
    /// A GeoTIFF that has nothing but a place.
    pub geotiff: Option<Vec<u8>>,
    /// The place in GML.
    pub gml: Option<String>,
}

impl Container {
    /// Reads the boxes of a file, or takes it whole where it is a bare codestream.
    pub fn read(bytes: &dyn ReadAt) -> Result<Self, Fault> {
        let mut found = Self::default();
        let all = Span {
            start: 0,
            end: bytes.len(),
        };
        let mut magic = [0; 4];
        bytes.read_exact_at(&mut magic, 0)?;
        if magic == [0xFF, 0x4F, 0xFF, 0x51] {
            found.codestream = Some(all);
            return Ok(found);
        }
        for (name, span) in boxes_in(bytes, all)? {
            match &name {
                b"jp2c" => {
                    found.codestream.get_or_insert(span);
                }
                b"jp2h" => found.read_header(&content(bytes, span)?)?,
                // What describes the place may be broken without hiding the image.
                b"uuid" => found.read_uuid(&content(bytes, span).unwrap_or_default()),
                b"asoc" if found.gml.is_none() => {
                    let content = content(bytes, span).unwrap_or_default();
                    found.gml = gml_in(&content, 0);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn read_header(&mut self, header: &Vec<u8>) -> Result<(), Fault> {
        let all = Span {
            start: 0,
            end: header.len() as u64,
        };
        let (mut entries, mut columns) = (None, None);
        for (name, span) in boxes_in(header, all)? {
            let content = &header[span.start as usize..span.end as usize];
            match &name {
                b"colr" if self.colors.is_none() => self.colors = numbered_colors(content),
                b"cdef" => self.channels = channels(content).unwrap_or_default(),
                b"pclr" => entries = palette_entries(content),
                b"cmap" => columns = color_columns(content),
                _ => {}
            }
        }
        self.palette =
            entries.and_then(|entries| colors_of(&entries, columns.unwrap_or([0, 1, 2])));
        Ok(())
    }

    fn read_uuid(&mut self, content: &[u8]) {
        if let Some(geotiff) = content.strip_prefix(&GEOTIFF_UUID) {
            self.geotiff.get_or_insert(geotiff.to_vec());
        }
    }
}

/// Names and contents of the boxes within `span`; what the file cuts off ends with it.
fn boxes_in(bytes: &dyn ReadAt, span: Span) -> Result<Vec<([u8; 4], Span)>, Fault> {
    let mut found = Vec::new();
    let mut at = span.start;
    while span.end - at >= 8 && found.len() < MAX_BOXES {
        let mut head = [0; 8];
        bytes.read_exact_at(&mut head, at)?;
        let mut fields = Fields::of(&head);
        let (len, name) = (
            fields.long().unwrap_or(0),
            [head[4], head[5], head[6], head[7]],
        );
        let (head_len, len) = match len {
            0 => (8, span.end - at),
            1 => {
                let mut long = [0; 8];
                bytes.read_exact_at(&mut long, at + 8)?;
                (16, u64::from_be_bytes(long))
            }
            len => (8, u64::from(len)),
        };
        if len < head_len {
            break;
        }
        let end = at.saturating_add(len).min(span.end);
        let start = at + head_len;
        if start > end {
            break;
        }
        found.push((name, Span { start, end }));
        at = end;
    }
    Ok(found)
}

fn content(bytes: &dyn ReadAt, span: Span) -> Result<Vec<u8>, Fault> {
    let len = span.end - span.start;
    if len > MAX_BOX_BYTES {
        return Err(Fault::unsupported(format!(
            "A JPEG 2000 header of more than {} MiB",
            MAX_BOX_BYTES >> 20
        )));
    }
    read_bytes(bytes, span.start, len as usize)
}

/// The first text about a grid among boxes within boxes.
fn gml_in(content: &Vec<u8>, depth: usize) -> Option<String> {
    let all = Span {
        start: 0,
        end: content.len() as u64,
    };
    let inside = boxes_in(content, all).ok()?;
    inside.into_iter().find_map(|(name, span)| {
        let content = &content[span.start as usize..span.end as usize];
        match &name {
            b"asoc" if depth < MAX_DEPTH => gml_in(&content.to_vec(), depth + 1),
            b"xml " => {
                let text = str::from_utf8(content).ok()?;
                let text = text.trim_end_matches('\0');
                text.contains("RectifiedGrid").then(|| text.to_owned())
            }
            _ => None,
        }
    })
}

fn numbered_colors(content: &[u8]) -> Option<u32> {
    let mut fields = Fields::of(content);
    let is_numbered = fields.byte()? == 1;
    fields.bytes(2)?;
    is_numbered.then(|| fields.long())?
}

fn channels(content: &[u8]) -> Option<Vec<Channel>> {
    let mut fields = Fields::of(content);
    let count = fields.short()?;
    let mut channel = || {
        Some(Channel {
            band: fields.short()?,
            kind: fields.short()?,
            of: fields.short()?,
        })
    };
    (0..count).map(|_| channel()).collect()
}

/// The entries of a palette, all columns of each; `None` where they are no bytes.
fn palette_entries(content: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut fields = Fields::of(content);
    let entries = usize::from(fields.short()?);
    let columns = usize::from(fields.byte()?);
    let are_bytes = fields.bytes(columns)?.iter().all(|&depth| depth == 7);
    if !are_bytes || columns < 3 {
        return None;
    }
    let rows = fields.rest().chunks_exact(columns);
    Some(
        rows.take(entries.min(MAX_PALETTE))
            .map(<[u8]>::to_vec)
            .collect(),
    )
}

/// The columns of the palette that are red, green and blue.
fn color_columns(content: &[u8]) -> Option<[u8; 3]> {
    let mut columns = content.as_chunks::<4>().0.iter();
    let mut column = || match columns.next()? {
        [0, 0, 1, column] => Some(*column),
        _ => None,
    };
    Some([column()?, column()?, column()?])
}

fn colors_of(entries: &[Vec<u8>], columns: [u8; 3]) -> Option<Vec<[u8; 3]>> {
    let color = |entry: &Vec<u8>| {
        let [red, green, blue] = columns.map(|column| entry.get(usize::from(column)).copied());
        Some([red?, green?, blue?])
    };
    entries.iter().map(color).collect()
}

#[cfg(test)]
mod tests {
    use super::super::made::boxed;
    use super::*;

    #[test]
    fn boxes_tell_colors_opacity_palette_and_place() {
        let header = [
            boxed(*b"colr", &[1, 0, 0, 0, 0, 0, 16]),
            boxed(*b"pclr", &[0, 2, 3, 7, 7, 7, 10, 20, 30, 40, 50, 60]),
            boxed(*b"cmap", &[0, 0, 1, 2, 0, 0, 1, 1, 0, 0, 1, 0]),
            boxed(*b"cdef", &[0, 1, 0, 3, 0, 1, 0, 0]),
        ];
        let gml = boxed(*b"asoc", &boxed(*b"xml ", b"<RectifiedGrid/>"));
        let file = [
            boxed(*b"jP  ", &[0x0D, 0x0A, 0x87, 0x0A]),
            boxed(*b"jp2h", &header.concat()),
            boxed(*b"uuid", &[&GEOTIFF_UUID[..], b"II"].concat()),
            boxed(*b"asoc", &gml),
            [&[0, 0, 0, 0][..], b"jp2c", &[1, 2, 3]].concat(),
        ]
        .concat();
        let found = Container::read(&file).expect("boxes");
        assert_eq!(found.colors, Some(16));
        assert_eq!(found.palette, Some(vec![[30, 20, 10], [60, 50, 40]]));
        let opacity = Channel {
            band: 3,
            kind: 1,
            of: 0,
        };
        assert_eq!(found.channels, [opacity]);
        assert_eq!(found.geotiff.as_deref(), Some(&b"II"[..]));
        assert_eq!(found.gml.as_deref(), Some("<RectifiedGrid/>"));
        let end = file.len() as u64;
        let start = end - 3;
        assert_eq!(found.codestream, Some(Span { start, end }));
    }

    #[test]
    fn broken_boxes_do_no_harm() {
        for broken in [
            &[0, 0, 0, 3, b'j', b'p', b'2', b'h'][..],
            &[0, 0, 0, 1, b'j', b'p', b'2', b'c', 0, 0, 0, 0, 0, 0, 0, 1],
            &[0xFF, 0xFF, 0xFF, 0xFF, b'a', b's', b'o', b'c'],
        ] {
            let found = Container::read(&broken.to_vec()).expect("no boxes");
            assert_eq!(found.codestream, None);
        }
        assert!(Container::read(&vec![0, 0, 0, 1, 1, 1, 1, 1]).is_err());
    }
}
