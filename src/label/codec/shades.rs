use std::collections::HashMap;

use super::super::{Mask, MaskBuilder, MaskError, Rgb};
use super::rows::{Form, RowReader};

/// What one pixel of a mask file says before it is known which class that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Shade {
    /// A number of a single band.
    Number(u16),
    /// A color.
    Color(Rgb),
    /// Nothing: a transparent pixel.
    Clear,
}

impl Shade {
    /// The shade of a pixel of this form.
    pub(super) fn of(pixel: &[u8], form: Form) -> Self {
        match (form, pixel) {
            (Form::Wide, &[high, low]) => Self::Number(u16::from_be_bytes([high, low])),
            (Form::Rgba | Form::Stretched, &[_, _, _, 0]) => Self::Clear,
            (Form::Rgba, &[red, green, blue, _]) => Self::Color([red, green, blue]),
            _ => Self::Number(u16::from(pixel[0])),
        }
    }

    /// The number, or the grey of a color without hue.
    pub(super) const fn as_number(self) -> Option<u16> {
        match self {
            Self::Number(number) => Some(number),
            Self::Color([red, green, blue]) if red == green && green == blue => Some(red as u16),
            _ => None,
        }
    }
}

/// A mask file with its shades numbered, and how often each occurs.
pub(super) struct Shaded {
    /// Places in `shades`.
    pub(super) mask: Mask,
    /// At most 256.
    pub(super) shades: Vec<Shade>,
    pub(super) counts: [u64; 256],
}

impl Shaded {
    /// Reads all of the file; `None` when it holds more shades than a mask can number.
    pub(super) fn read(reader: &mut RowReader) -> Result<Option<Self>, MaskError> {
        let mut builder = MaskBuilder::new(reader.size);
        let mut numbering = Numbering::new(reader.form);
        while let Some((_, pixels)) = reader.next_band()? {
            match numbering.number(pixels) {
                Some(numbers) => builder.push_rows(&numbers),
                None => return Ok(None),
            }
        }
        let mask = builder.finish();
        let counts = mask.histogram();
        Ok(Some(Self {
            mask,
            shades: numbering.shades,
            counts,
        }))
    }

    /// The shades that occur.
    pub(super) fn occurring(&self) -> Vec<Shade> {
        let occurs = |(place, _): &(usize, &Shade)| self.counts[*place] > 0;
        self.shades
            .iter()
            .enumerate()
            .filter(occurs)
            .map(|(_, &shade)| shade)
            .collect()
    }
}

struct Numbering {
    form: Form,
    shades: Vec<Shade>,
    places: HashMap<Shade, u8>,
}

impl Numbering {
    fn new(form: Form) -> Self {
        let shades = match form {
            Form::Byte => (0..=255).map(Shade::Number).collect(),
            Form::Wide | Form::Stretched | Form::Rgba => Vec::new(),
        };
        Self {
            form,
            shades,
            places: HashMap::new(),
        }
    }

    fn number(&mut self, pixels: Vec<u8>) -> Option<Vec<u8>> {
        if self.form.bytes() == 1 {
            return Some(pixels);
        }
        let mut numbers = Vec::with_capacity(pixels.len() / self.form.bytes());
        let mut last: Option<(&[u8], u8)> = None;
        for pixel in pixels.chunks_exact(self.form.bytes()) {
            let place = match last {
                Some((same, place)) if same == pixel => place,
                _ => self.place_of(Shade::of(pixel, self.form))?,
            };
            last = Some((pixel, place));
            numbers.push(place);
        }
        Some(numbers)
    }

    fn place_of(&mut self, shade: Shade) -> Option<u8> {
        if let Some(&place) = self.places.get(&shade) {
            return Some(place);
        }
        let place = u8::try_from(self.shades.len()).ok()?;
        self.shades.push(shade);
        self.places.insert(shade, place);
        Some(place)
    }
}
