use std::collections::BTreeMap;

use crate::raster::tiff::tag;

/// Classic TIFF (offsets of 32 bits) or `BigTIFF` (64 bits). All numbers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::raster) enum Form {
    Classic,
    Big,
}

impl Form {
    /// The first bytes of a file whose first directory is at `directory`.
    pub(in crate::raster) fn head(self, directory: u64) -> Vec<u8> {
        match self {
            Self::Classic => {
                let mut head = b"II\x2A\x00".to_vec();
                head.extend_from_slice(&(directory as u32).to_le_bytes());
                head
            }
            Self::Big => {
                let mut head = b"II\x2B\x00\x08\x00\x00\x00".to_vec();
                head.extend_from_slice(&directory.to_le_bytes());
                head
            }
        }
    }

    const fn offset_size(self) -> usize {
        match self {
            Self::Classic => 4,
            Self::Big => 8,
        }
    }

    /// A count or an offset.
    fn number(self, number: u64) -> Vec<u8> {
        match self {
            Self::Classic => (number as u32).to_le_bytes().to_vec(),
            Self::Big => number.to_le_bytes().to_vec(),
        }
    }
}

/// The values of one tag, packed.
struct Values {
    field_type: u16,
    count: u64,
    bytes: Vec<u8>,
}

/// The tags of one image.
#[derive(Default)]
pub(in crate::raster) struct DirectoryBuilder {
    entries: BTreeMap<u16, Values>,
}

impl DirectoryBuilder {
    pub(in crate::raster) fn shorts(&mut self, tag: u16, values: &[u16]) {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.put(tag, 3, values.len(), bytes);
    }

    /// Whole numbers of 32 bits.
    pub(in crate::raster) fn longs(&mut self, tag: u16, values: &[u64]) {
        let bytes = values
            .iter()
            .flat_map(|&value| (value as u32).to_le_bytes());
        self.put(tag, 4, values.len(), bytes.collect());
    }

    /// A table of 256 colors; missing ones are black.
    pub(in crate::raster) fn palette(&mut self, colors: &[[u8; 3]]) {
        let shade = |index: usize, band: usize| {
            u16::from(colors.get(index).map_or(0, |color| color[band])) * 257
        };
        let map = (0..3).flat_map(|band| (0..256).map(move |index| shade(index, band)));
        self.shorts(tag::COLOR_MAP, &map.collect::<Vec<_>>());
    }

    /// Bytes without a meaning here.
    pub(in crate::raster) fn bytes(&mut self, tag: u16, bytes: Vec<u8>) {
        self.put(tag, 7, bytes.len(), bytes);
    }

    /// Numbers as fractions, if there are any.
    pub(in crate::raster) fn fractions(&mut self, tag: u16, values: &[f64]) {
        const UNDER: u32 = 1_000_000;
        let fraction = |value: &f64| {
            let (over, under) = if value.fract() == 0.0 {
                (*value as u32, 1)
            } else {
                ((value * f64::from(UNDER)).round() as u32, UNDER)
            };
            [over.to_le_bytes(), under.to_le_bytes()].concat()
        };
        if !values.is_empty() {
            let bytes = values.iter().flat_map(fraction).collect();
            self.put(tag, 5, values.len(), bytes);
        }
    }

    pub(in crate::raster) fn long(&mut self, tag: u16, value: u32) {
        self.put(tag, 4, 1, value.to_le_bytes().to_vec());
    }

    /// Places or lengths in the file, as wide as `form` needs.
    pub(in crate::raster) fn offsets(&mut self, tag: u16, values: &[u64], form: Form) {
        let bytes = values
            .iter()
            .flat_map(|&value| form.number(value))
            .collect();
        let field_type = if form == Form::Big { 16 } else { 4 };
        self.put(tag, field_type, values.len(), bytes);
    }

    pub(in crate::raster) fn doubles(&mut self, tag: u16, values: &[f64]) {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.put(tag, 12, values.len(), bytes);
    }

    /// Whole numbers as fractions over 1.
    pub(in crate::raster) fn rationals(&mut self, tag: u16, values: &[u32]) {
        let fraction = |value: &u32| [value.to_le_bytes(), 1_u32.to_le_bytes()].concat();
        self.put(
            tag,
            5,
            values.len(),
            values.iter().flat_map(fraction).collect(),
        );
    }

    /// A text; characters that TIFF cannot hold become question marks.
    pub(in crate::raster) fn text(&mut self, tag: u16, text: &str) {
        let plain = |letter: char| {
            if letter.is_ascii() && letter != '\0' {
                letter as u8
            } else {
                b'?'
            }
        };
        let bytes: Vec<u8> = text.chars().map(plain).chain([0]).collect();
        self.put(tag, 2, bytes.len(), bytes);
    }

    fn put(&mut self, tag: u16, field_type: u16, count: usize, bytes: Vec<u8>) {
        self.entries.insert(
            tag,
            Values {
                field_type,
                count: count as u64,
                bytes,
            },
        );
    }

    /// The bytes that stand at `start` in the file, and where the directory itself begins.
    pub(in crate::raster) fn pack(&self, start: u64, next: u64, form: Form) -> (Vec<u8>, u64) {
        let size = form.offset_size();
        let mut out = Vec::new();
        let mut table = Vec::new();
        align(&mut out, start);
        for (tag, values) in &self.entries {
            table.extend_from_slice(&tag.to_le_bytes());
            table.extend_from_slice(&values.field_type.to_le_bytes());
            table.extend_from_slice(&form.number(values.count));
            let mut field = values.bytes.clone();
            if field.len() > size {
                field = form.number(start + out.len() as u64);
                out.extend_from_slice(&values.bytes);
                align(&mut out, start);
            }
            field.resize(size, 0);
            table.extend_from_slice(&field);
        }
        let directory = start + out.len() as u64;
        match form {
            Form::Classic => out.extend_from_slice(&(self.entries.len() as u16).to_le_bytes()),
            Form::Big => out.extend_from_slice(&(self.entries.len() as u64).to_le_bytes()),
        }
        out.extend_from_slice(&table);
        out.extend_from_slice(&form.number(next));
        (out, directory)
    }

    /// The directory as it stands at `start`, a multiple of eight, in the file, its values behind it.
    /// How many bytes it has does not depend on numbers in it.
    pub(in crate::raster) fn pack_values_behind(
        &self,
        start: u64,
        next: u64,
        form: Form,
    ) -> Vec<u8> {
        let size = form.offset_size();
        let mut out = match form {
            Form::Classic => (self.entries.len() as u16).to_le_bytes().to_vec(),
            Form::Big => (self.entries.len() as u64).to_le_bytes().to_vec(),
        };
        let table = out.len() + self.entries.len() * (4 + 2 * size) + size;
        let mut behind = Vec::new();
        align(&mut behind, start + table as u64);
        for (tag, values) in &self.entries {
            out.extend_from_slice(&tag.to_le_bytes());
            out.extend_from_slice(&values.field_type.to_le_bytes());
            out.extend_from_slice(&form.number(values.count));
            let mut field = values.bytes.clone();
            if field.len() > size {
                let at = start + (table + behind.len()) as u64;
                field = form.number(at);
                behind.extend_from_slice(&values.bytes);
                align(&mut behind, start + table as u64);
            }
            field.resize(size, 0);
            out.extend_from_slice(&field);
        }
        out.extend_from_slice(&form.number(next));
        out.extend_from_slice(&behind);
        out
    }

    /// A bound on the bytes that [`Self::pack`] makes.
    pub(in crate::raster) fn most_bytes(&self) -> u64 {
        let values = self
            .entries
            .values()
            .map(|values| values.bytes.len() as u64 * 2 + 8);
        values.sum::<u64>() + self.entries.len() as u64 * 20 + 32
    }
}

/// Fills up so that what follows lies at a multiple of eight in the file.
fn align(out: &mut Vec<u8>, start: u64) {
    let behind = (start + out.len() as u64) % 8;
    out.resize(out.len() + ((8 - behind) % 8) as usize, 0);
}
