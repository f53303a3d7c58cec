use super::{ImageId, LayerId};
use crate::geom::{ImageSize, PixelRect};
use crate::label::MaskLevels;

/// What looks different since the last time somebody asked.
#[derive(Debug)]
pub enum Change {
    /// Another image is open.
    ImageOpened(ImageId),
    /// The open image has tiles of all levels at hand now.
    PyramidReady(ImageId),
    /// Tiles of the open image hold other bands now.
    OtherBands(ImageId),
    /// An image or a layer is gone; its number never comes back.
    SourceGone(u64),
    /// A mask was read; its coarse levels come with it, derived off the interface thread.
    MaskLoaded {
        /// Which mask.
        layer: LayerId,
        /// All its levels.
        levels: Box<MaskLevels>,
    },
    /// The label was saved to its file.
    LabelSaved(LayerId),
    /// Pixels of a mask changed.
    MaskPixels {
        /// Which mask.
        layer: LayerId,
        /// The extent of the mask.
        size: ImageSize,
        /// Which pixels, level 0.
        rect: PixelRect,
    },
}

/// How much attention a message deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something good or neutral happened.
    Info,
    /// Something is not as expected and nothing is lost.
    Warning,
    /// Something failed.
    Error,
}

/// A sentence for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much attention it deserves.
    pub severity: Severity,
    /// What happened, why, and what to do.
    pub text: String,
    /// Whether it is kept with the training that runs ([`TrainingState::said`]), so that it need not
    /// be shown here.
    ///
    /// [`TrainingState::said`]: super::TrainingState::said
    pub is_of_training: bool,
}

impl Notice {
    /// Something good or neutral.
    pub fn info(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Info,
            text: text.into(),
            is_of_training: false,
        }
    }

    /// Something unexpected.
    pub fn warning(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            text: text.into(),
            is_of_training: false,
        }
    }

    /// A failure.
    pub fn error(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            text: text.into(),
            is_of_training: false,
        }
    }

    /// Something unexpected that is kept with the training that runs.
    pub(super) fn of_training(text: impl Into<String>) -> Self {
        Self {
            is_of_training: true,
            ..Self::warning(text)
        }
    }
}

/// The notes with those that differ only in numbers told once, with how many there are.
pub(super) fn condensed(notes: &[String]) -> Vec<String> {
    let kind = |note: &str| note.replace(|letter: char| letter.is_ascii_digit(), "");
    let mut kinds: Vec<(String, &String, usize)> = Vec::new();
    for note in notes {
        let this = kind(note);
        match kinds.iter_mut().find(|(known, ..)| *known == this) {
            Some((.., count)) => *count += 1,
            None => kinds.push((this, note, 1)),
        }
    }
    let told = |(_, first, count): (String, &String, usize)| match count {
        1 => first.clone(),
        _ => format!("{first} (and {} more such)", count - 1),
    };
    kinds.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_one_kind_are_told_once() {
        let notes = [
            "a.png: 17 grey pixels",
            "No mask for b.png",
            "a.png: 4 grey pixels",
        ];
        let told = condensed(&notes.map(str::to_owned));
        assert_eq!(
            told,
            [
                "a.png: 17 grey pixels (and 1 more such)",
                "No mask for b.png"
            ]
        );
        assert!(condensed(&[]).is_empty());
    }
}
