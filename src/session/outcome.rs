use super::{ImageId, LayerId};
use crate::geom::{ImageSize, PixelRect};

/// What looks different since the last time somebody asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another image is open.
    ImageOpened(ImageId),
    /// An image or a layer is gone; its number never comes back.
    SourceGone(u64),
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
}

impl Notice {
    /// Something good or neutral.
    pub fn info(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Info,
            text: text.into(),
        }
    }

    /// Something unexpected.
    pub fn warning(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            text: text.into(),
        }
    }

    /// A failure.
    pub fn error(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            text: text.into(),
        }
    }
}
