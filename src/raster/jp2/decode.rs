use jpeg2k::{DecodeArea, DecodeParameters, Image, ImageComponent};

use super::codestream::Component;
use crate::geom::ImageSize;
use crate::job::fenced;
use crate::raster::error::Fault;
use crate::raster::source::SampleType;

/// What is wanted of the only tile of a codestream.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// How often it is halved.
    pub reduce: u8,
    /// Columns and rows on the canvas, at full size.
    pub columns: (u32, u32),
    pub rows: (u32, u32),
    /// Pixels that this makes.
    pub size: ImageSize,
}

/// A decoded piece: the samples of each band as bytes of this machine's order, row by row.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    pub planes: Vec<Vec<u8>>,
}

impl Block {
    /// Bytes of all bands.
    pub fn bytes(&self) -> usize {
        self.planes.iter().map(Vec::len).sum()
    }
}

/// The type that holds the samples of all components; `None` where some have a sign and some not.
pub fn sample_type(components: &[Component]) -> Option<SampleType> {
    let first = components.first()?;
    let is_alike = |component: &Component| component.is_signed == first.is_signed;
    let bits = components.iter().map(|component| component.bits).max()?;
    let sample = match (bits, first.is_signed) {
        (..=8, false) => SampleType::U8,
        (..=8, true) => SampleType::I8,
        (..=16, false) => SampleType::U16,
        (..=16, true) => SampleType::I16,
        (_, false) => SampleType::U32,
        (_, true) => SampleType::I32,
    };
    components.iter().all(is_alike).then_some(sample)
}

/// Decodes a part of a codestream of one tile.
pub fn decode(
    stream: &[u8],
    wanted: Wanted,
    components: usize,
    sample: SampleType,
) -> Result<Block, Fault> {
    let area = DecodeArea::new(
        wanted.columns.0,
        wanted.rows.0,
        wanted.columns.1,
        wanted.rows.1,
    );
    let parameters = DecodeParameters::new()
        .reduce(u32::from(wanted.reduce))
        .decode_area(Some(area));
    let decoded = fenced(|| {
        let image = Image::from_bytes_with(stream, parameters)
            .map_err(|error| Fault::damaged(format!("a tile does not decode: {error}")))?;
        let found = image.components();
        if found.len() != components {
            return Err(Fault::damaged("a tile has other bands than the image"));
        }
        let planes = found
            .iter()
            .map(|plane| samples(plane, wanted.size, sample));
        Ok(Block {
            planes: planes.collect::<Result<_, _>>()?,
        })
    });
    decoded.map_err(Fault::Damaged)?
}

fn samples(plane: &ImageComponent, size: ImageSize, sample: SampleType) -> Result<Vec<u8>, Fault> {
    if (plane.width(), plane.height()) != (size.width, size.height) {
        return Err(Fault::damaged("a tile has another size than its place"));
    }
    let values = plane.data().iter();
    Ok(match sample {
        SampleType::U8 | SampleType::I8 => values.map(|&value| value as u8).collect(),
        SampleType::U16 | SampleType::I16 => values
            .flat_map(|&value| (value as u16).to_ne_bytes())
            .collect(),
        _ => values.flat_map(|value| value.to_ne_bytes()).collect(),
    })
}
