use super::super::{ClassTable, Mask};
use super::meaning::{Encoding, MIDDLE_GREY, Meaning};
use super::shades::Shade;

/// Counts the pixels that the user should hear about.
#[derive(Default)]
pub(super) struct Tally {
    unknown: u64,
    example: Option<(Shade, (u32, u32))>,
    near: u64,
    /// Those of them that count as class 0.
    near_dark: u64,
}

impl Tally {
    /// Counts `pixels` pixels of a shade; `at` finds one of them.
    pub(super) fn add(
        &mut self,
        meaning: &Meaning,
        shade: Shade,
        pixels: u64,
        at: impl FnOnce() -> (u32, u32),
    ) {
        if meaning.class_of(shade).is_none() {
            self.unknown += pixels;
            self.example.get_or_insert_with(|| (shade, at()));
        } else if shade != Shade::Clear && meaning.is_near_only(shade) {
            self.near += pixels;
            if meaning.class_of(shade) == Some(0) {
                self.near_dark += pixels;
            }
        }
    }

    /// What there is to say.
    pub(super) fn notes(&self, meaning: &Meaning) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some((shade, (x, y))) = self.example {
            let what = match shade {
                Shade::Color([red, green, blue]) => format!("color {red}, {green}, {blue}"),
                Shade::Number(number) => format!("value {number}"),
                Shade::Clear => "transparency".to_owned(),
            };
            notes.push(format!(
                "{} pixels stand for no class and are unlabeled, for example {what} at {x}, {y}",
                self.unknown
            ));
        }
        if self.near > 0 {
            let split = match (meaning.encoding, self.near_dark, meaning.threshold) {
                (Encoding::Binary, 0, threshold) => format!(
                    "neither black nor white; all are {threshold} or brighter and count as white"
                ),
                (Encoding::Binary, dark, threshold) if dark == self.near => format!(
                    "neither black nor white; none is as bright as {threshold}, so that all count \
                     as black"
                ),
                (Encoding::Binary, _, MIDDLE_GREY) => {
                    "neither black nor white; the brighter half is class 1".to_owned()
                }
                (Encoding::Binary, _, threshold) => {
                    format!("neither black nor white; those from {threshold} on count as white")
                }
                _ => "not exactly a class's color; each channel was split at 128".to_owned(),
            };
            notes.push(format!("{} pixels are {split}", self.near));
        }
        notes
    }
}

/// The note about classes that the user's table does not have, if there are any.
pub(super) fn added_classes(table: &ClassTable, meaning: &Meaning, mask: &Mask) -> Option<String> {
    let is_new = |index: &u8| table.get(*index).is_none();
    let indices = meaning
        .classes
        .classes()
        .iter()
        .map(|class| class.index)
        .filter(is_new);
    let counts = mask.histogram();
    let list: Vec<String> = indices
        .map(|index| format!("{index} ({} pixels)", counts[usize::from(index)]))
        .collect();
    (!list.is_empty()).then(|| {
        format!(
            "Classes that the class table does not have were added without a name: {}",
            list.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::replace_with;
    use crate::label::load_mask;

    #[test]
    fn what_became_of_greys_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.png");
        let cases: [(&[u8; 4], &str); 4] = [
            (
                &[0, 1, 3, 255],
                "2 pixels are neither black nor white; none is as bright as 128",
            ),
            (
                &[0, 200, 130, 255],
                "2 pixels are neither black nor white; all are 128 or brighter",
            ),
            (
                &[0, 90, 200, 255],
                "2 pixels are neither black nor white; the brighter half",
            ),
            (&[0, 255, 255, 255], ""),
        ];
        for (greys, expected) in cases {
            replace_with(&path, |file| {
                let mut encoder = png::Encoder::new(file, 4, 1);
                encoder.set_color(png::ColorType::Grayscale);
                encoder.write_header()?.write_image_data(greys)?;
                Ok(())
            })
            .expect("written");
            let loaded = load_mask(&path, None, Encoding::Binary, None).expect("a mask");
            let note = loaded.notes.join("; ");
            assert_eq!(note.is_empty(), expected.is_empty(), "{note}");
            assert!(note.starts_with(expected), "{note}");
        }
    }
}
