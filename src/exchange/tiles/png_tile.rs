use std::io::{self, Write};

use crate::label::{ClassTable, UNLABELED};

/// Writes a square of `side` pixels as RGB; `rgba` is its left upper part, `width` pixels wide, and
/// the rest and what has alpha 0 is black.
pub(super) fn write_image(
    file: &mut impl Write,
    rgba: &[[u8; 4]],
    width: u32,
    side: u32,
) -> io::Result<()> {
    let color = |&[r, g, b, alpha]: &[u8; 4]| if alpha == 0 { [0; 3] } else { [r, g, b] };
    let mut encoder = png::Encoder::new(file, side, side);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let pixels = padded(rgba.iter().map(color), width, side, [0; 3]);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels.as_flattened())?;
    Ok(writer.finish()?)
}

/// Writes a square of `side` pixels as class indices with the classes' colors as palette; `classes`
/// is its left upper part, `width` pixels wide, and the rest is unlabeled.
pub(super) fn write_mask(
    file: &mut impl Write,
    classes: &[u8],
    width: u32,
    side: u32,
    table: &ClassTable,
) -> io::Result<()> {
    let mut encoder = png::Encoder::new(file, side, side);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(table.colors().concat());
    let mut alpha = vec![255; 256];
    alpha[usize::from(UNLABELED)] = 0;
    encoder.set_trns(alpha);
    encoder.set_filter(png::Filter::NoFilter);
    let pixels = padded(classes.iter().copied(), width, side, UNLABELED);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    Ok(writer.finish()?)
}

fn padded<T: Copy>(from: impl Iterator<Item = T>, width: u32, side: u32, rest: T) -> Vec<T> {
    let (width, side) = (width.max(1) as usize, side as usize);
    let mut pixels = vec![rest; side * side];
    for (index, pixel) in from.enumerate() {
        pixels[index / width * side + index % width] = pixel;
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_filled_up() {
        assert_eq!(
            padded([1, 2, 3, 4].into_iter(), 2, 3, 9),
            [1, 2, 9, 3, 4, 9, 9, 9, 9]
        );
    }
}
