use super::field::{Field, Kind};
use super::fields::Section;
use crate::train::Recipe;

/// What is read, and which patches are drawn of it.
pub const GROUND: Section = Section {
    title: "Ground and patches",
    fields: &[
        Field::of(
            "pixel_size",
            [
                "Pixel size",
                "Meters on the ground; images of another size are resampled as they are read",
            ],
            Kind::WordOrReal(
                &[("auto", "That of most images"), ("as_is", "Each as it is")],
                (1e-3, 1000.0),
                0.25,
            ),
        ),
        Field::of(
            "patches.rare_classes",
            [
                "Rare classes",
                "How strongly ground that shows rare classes is preferred",
            ],
            Kind::WordOrReal(
                &[("none", "Not preferred"), ("balanced", "All alike")],
                (0.0, 1.0),
                0.5,
            ),
        ),
    ],
};

/// How ground without labels is learned from.
pub const UNLABELED: Section = Section {
    title: "Ground without labels",
    fields: &[
        Field::real(
            "unlabeled.share",
            [
                "Patches",
                "Patches of any training ground for each with labels; 0: none. Needs a mean of weights, which teaches",
            ],
            (0.0, 16.0),
        ),
        Field::real(
            "unlabeled.weight",
            [
                "Weight",
                "Weight of the loss on them, beside 1 for that on labels",
            ],
            (0.0, 100.0),
        ),
    ],
};

/// What a training may take of the machine.
pub const MEMORY: Section = Section {
    title: "Memory and time",
    fields: &[
        Field::real(
            "time_limit_minutes",
            [
                "Time limit",
                "Minutes of work after which it ends with the epoch that runs; 0: never",
            ],
            (0.0, Recipe::MOST_MINUTES),
        ),
        Field::word(
            "memory",
            ["Too little memory", "What is done when a step does not fit"],
            &[
                ("fit", "Fewer patches at once"),
                ("as_stated", "Tried all the same"),
            ],
        ),
        Field::of(
            "gradient_checkpointing",
            [
                "Compute twice",
                "Results are computed again on the way back: less memory with group norms, more time",
            ],
            Kind::Flag,
        ),
        Field::word(
            "features.keep",
            [
                "Keep features",
                "A pretrained encoder holds still, and what it sees is computed once",
            ],
            &[
                ("auto", "On a processor"),
                ("always", "Always"),
                ("never", "Never"),
            ],
        ),
        Field::whole(
            "features.variants",
            [
                "Variations",
                "Kept patches for each that fits into the ground side by side",
            ],
            (1, 10_000),
        ),
        Field::word(
            "features.precision",
            ["Precision", "How the numbers of features are kept"],
            &[("half", "Two bytes"), ("single", "Four bytes")],
        ),
        Field::whole(
            "features.memory_mb",
            ["Memory for features", "Megabytes"],
            (1, 1 << 20),
        ),
        Field::whole(
            "features.disk_mb",
            [
                "Disk for features",
                "Megabytes for what memory does not hold",
            ],
            (0, 1 << 20),
        ),
    ],
};
