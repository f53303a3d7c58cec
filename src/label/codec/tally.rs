use super::super::{ClassTable, Mask};
use super::meaning::{Encoding, MIDDLE_GREY, Meaning};
use super::shades::Shade;

/// Counts the pixels that the user should hear about.
#[derive(Default)]
pub(super) struct Tally {
    unknown: u64,
    example: Option<(Shade, (u32, u32))>,
    near: u64,
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
            let split = match (meaning.encoding, meaning.threshold) {
                (Encoding::Binary, MIDDLE_GREY) => {
                    "neither black nor white; the brighter half is class 1".to_owned()
                }
                (Encoding::Binary, threshold) => {
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
