use std::path::PathBuf;

use serde::Serialize;

use crate::disk::serialize_paths;

/// How much harm something does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Training works, but learns or scores something else than it seems.
    Warning,
    /// Samples cannot be used, or scores are not to be trusted.
    Error,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// Files that cannot be read.
    Unreadable,
    /// Masks with another extent than their images.
    SizeMismatch,
    /// Colors or numbers that stand for no class.
    UnknownValues,
    /// Colors that are no class's and count as one.
    GuessedColors,
    /// Masks of other numbers than black and white that are read as black alone.
    FaintMasks,
    /// Equal images in different parts, which makes scores better than they are.
    DuplicatesAcrossParts,
    /// Equal images with different masks.
    ContradictingMasks,
    /// Equal images.
    DuplicateImages,
    /// Equal masks with something in them, on different images.
    DuplicateMasks,
    /// Masks blurred by lossy compression or interpolation.
    BlurredMasks,
    /// Images with areas of exactly white or black that reach their edges.
    Voids,
    /// Groups of masks whose roads differ in width.
    RoadWidths,
    /// Images that are put together of cells.
    Patchwork,
    /// Masks that declare 0 as nodata, though it counts as a class.
    DeclaredZeros,
    /// Images without masks.
    ImagesWithoutMasks,
    /// Masks without images.
    MasksWithoutImages,
    /// Images of a single color.
    ConstantImages,
    /// Masks with nothing but background or unlabeled ground.
    EmptyMasks,
    /// Masks stored in different depths.
    MixedMaskDepth,
    /// Images stored in different depths.
    MixedImageDepth,
    /// Images with transparent or missing ground.
    Nodata,
    /// Classes of the table that no mask shows.
    AbsentClasses,
}

impl ProblemKind {
    /// How much harm it does.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Unreadable
            | Self::SizeMismatch
            | Self::UnknownValues
            | Self::GuessedColors
            | Self::FaintMasks
            | Self::DuplicatesAcrossParts => Severity::Error,
            Self::ContradictingMasks
            | Self::DuplicateImages
            | Self::DuplicateMasks
            | Self::BlurredMasks
            | Self::Voids
            | Self::RoadWidths
            | Self::Patchwork
            | Self::DeclaredZeros
            | Self::ConstantImages
            | Self::MixedImageDepth => Severity::Warning,
            Self::ImagesWithoutMasks
            | Self::MasksWithoutImages
            | Self::EmptyMasks
            | Self::MixedMaskDepth
            | Self::Nodata
            | Self::AbsentClasses => Severity::Info,
        }
    }
}

/// Most files that are named.
const MOST_EXAMPLES: usize = 10_000;

/// Something about the files that the user should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// How much harm it does.
    pub severity: Severity,
    /// How many files or classes it is about.
    pub count: usize,
    /// The files, 10,000 at most.
    #[serde(serialize_with = "serialize_paths")]
    pub examples: Vec<PathBuf>,
    /// What it is, as a sentence without its period.
    pub sentence: String,
}

impl Problem {
    /// A problem of `count` files, which `examples` are; `None` when there is none.
    pub(super) fn of(
        kind: ProblemKind,
        count: usize,
        examples: impl IntoIterator<Item = PathBuf>,
        sentence: String,
    ) -> Option<Self> {
        (count > 0).then(|| Self {
            kind,
            severity: kind.severity(),
            count,
            examples: examples.into_iter().take(MOST_EXAMPLES).collect(),
            sentence,
        })
    }

    /// The same as something that is only good to know, where `is_so`.
    pub(super) fn mild_where(mut self, is_so: bool) -> Self {
        if is_so {
            self.severity = Severity::Info;
        }
        self
    }

    /// Puts the worst first, and of equally bad ones the more frequent.
    pub(super) fn sort(problems: &mut [Self]) {
        problems.sort_by_key(|problem| {
            let rank = (problem.severity, problem.count);
            (std::cmp::Reverse(rank), problem.kind)
        });
    }
}
