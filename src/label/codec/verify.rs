use std::path::Path;

use super::super::{ClassTable, Mask, MaskError};
use super::load::load_mask;
use super::meaning::{Encoding, Evidence, MIDDLE_GREY, Meaning};
use super::rows::RowReader;
use super::save::SaveAs;
use super::shades::Shade;

/// Reads a written file back, band by band, and compares it with the mask.
pub(super) fn verify(
    path: &Path,
    mask: &Mask,
    classes: &ClassTable,
    save_as: SaveAs,
) -> Result<(), MaskError> {
    let differs = |reason: String| MaskError::MaskFile {
        reason,
        path: path.to_owned(),
    };
    if let SaveAs::Coded(_) = save_as {
        // Nothing but its pixels says how such a file is to be read.
        let read = load_mask(path, Some(mask.size()), Encoding::Auto, Some(classes))?;
        return if read.mask == *mask {
            Ok(())
        } else {
            Err(differs(
                "it would be read as other classes than it was written with".to_owned(),
            ))
        };
    }
    let mut reader = RowReader::open(path)?;
    if reader.size != mask.size() {
        return Err(MaskError::Size {
            found: reader.size,
            expected: mask.size(),
            path: path.to_owned(),
        });
    }
    let encoding = match save_as {
        SaveAs::RgbPng => Encoding::Rgb,
        SaveAs::BinaryPng => Encoding::Binary,
        SaveAs::IndexPng | SaveAs::GeoTiff | SaveAs::Coded(_) => Encoding::Index,
    };
    let evidence = Evidence {
        form: reader.form,
        palette: None,
        void: Some(255),
        shades: Some(&[]),
        table: Some(classes),
        threshold: MIDDLE_GREY,
    };
    let meaning = Meaning::decide(encoding, &evidence).map_err(differs)?;
    while let Some((ground, pixels)) = reader.next_band()? {
        let expected = mask.read_rect(ground);
        let found = pixels.chunks_exact(reader.form.bytes());
        let wrong = found.zip(&expected).position(|(pixel, &class)| {
            meaning.class_of(Shade::of(pixel, reader.form)) != Some(class)
        });
        if let Some(place) = wrong {
            let (x, y) = (
                place as u32 % ground.width,
                ground.y + place as u32 / ground.width,
            );
            return Err(differs(format!("pixel {x}, {y} came back otherwise")));
        }
    }
    Ok(())
}
