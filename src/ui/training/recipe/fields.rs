use super::field::{Field, Kind};
use super::ground_fields::{GROUND, MEMORY, UNLABELED};
use super::learner_fields::{NETWORK, OPTIMIZER};
use crate::train::{Recipe, Schedule};

/// Fields that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Their heading.
    pub title: &'static str,
    /// The fields.
    pub fields: &'static [Field],
}

const FALLS: &[&str] = &["constant", "step", "exponential", "cosine", "polynomial"];
const KIND: &str = "schedule.kind";

/// The section that the choice of a class for the best epoch belongs to.
pub const STOPPING: &str = "Plateau and stopping";

/// The sections before the loss.
pub const SECTIONS: &[Section] = &[
    Section {
        title: "Length and patches",
        fields: &[
            Field::whole(
                "epochs",
                [
                    "Epochs",
                    "At most so many; each ends with a look at the validation ground",
                ],
                Recipe::EPOCHS,
            ),
            Field::whole(
                "steps_per_epoch",
                [
                    "Steps in an epoch",
                    "Steps between two looks at the validation ground",
                ],
                Recipe::STEPS_PER_EPOCH,
            ),
            Field::whole(
                "batch",
                [
                    "Batch",
                    "Patches in a step; more are steadier and need more memory",
                ],
                Recipe::BATCH,
            ),
            Field::whole(
                "patch",
                ["Patch", "Columns and rows of a patch: a multiple of 32"],
                Recipe::PATCH,
            ),
            Field::of(
                "bands",
                [
                    "Bands",
                    "What is learned from: color, all, or bands from 1 such as 4, 1, 2",
                ],
                Kind::Bands,
            ),
            Field::whole(
                "seed",
                [
                    "Seed",
                    "What is held out, first weights, order and variation follow from it",
                ],
                (0, u64::MAX),
            ),
        ],
    },
    Section {
        title: "Learning rate",
        fields: &[
            Field::real(
                "learning_rate",
                [
                    "Rate",
                    "The full learning rate; too high diverges, too low crawls",
                ],
                (1e-9, Recipe::MOST_RATE),
            ),
            Field::word(
                KIND,
                ["Schedule", "How the rate changes from step to step"],
                &[
                    ("constant", "Constant"),
                    ("step", "Steps"),
                    ("exponential", "Exponential"),
                    ("cosine", "Cosine"),
                    ("polynomial", "Polynomial"),
                    ("one_cycle", "One cycle"),
                ],
            ),
            Field::of(
                "schedule.warm_up",
                [
                    "Warm-up",
                    "Steps in which the rate rises; automatic: one in twenty, at most 100",
                ],
                Kind::MaybeWhole(0, 1_000_000, 100),
            )
            .unset("automatic")
            .only(KIND, FALLS),
            Field::whole(
                "schedule.every_epochs",
                ["Falls every", "Epochs between two falls"],
                (1, Schedule::MOST_EPOCHS),
            )
            .only(KIND, &["step"]),
            Field::real(
                "schedule.factor",
                ["Factor", "What the rate is multiplied by at a fall"],
                Schedule::FALL,
            )
            .only(KIND, &["step"]),
            Field::real(
                "schedule.factor_per_epoch",
                [
                    "Left after an epoch",
                    "What is left of the rate after each epoch",
                ],
                Schedule::FALL,
            )
            .only(KIND, &["exponential"]),
            Field::real(
                "schedule.power",
                [
                    "Power",
                    "Of the share of the time that is left; 0.9 is DeepLab's",
                ],
                Schedule::POWER,
            )
            .only(KIND, &["polynomial"]),
            Field::real(
                "schedule.floor",
                ["Floor", "Where the rate ends, as a share of the full rate"],
                Schedule::SHARE,
            )
            .only(KIND, &["cosine", "polynomial"]),
            Field::whole(
                "schedule.restart_epochs",
                [
                    "Restart after",
                    "Epochs of the first fall; 0: a single fall to the end",
                ],
                (0, Schedule::MOST_EPOCHS),
            )
            .only(KIND, &["cosine"]),
            Field::real(
                "schedule.restart_factor",
                [
                    "Each fall longer by",
                    "How many times longer each fall is than the one before",
                ],
                Schedule::RESTART_FACTOR,
            )
            .only(KIND, &["cosine"]),
            Field::real(
                "schedule.rise",
                ["Rise", "Share of the steps in which the rate rises"],
                Schedule::SHARE,
            )
            .only(KIND, &["one_cycle"]),
            Field::real(
                "schedule.first",
                ["Begins at", "As a share of the full rate"],
                Schedule::SHARE,
            )
            .only(KIND, &["one_cycle"]),
            Field::real(
                "schedule.last",
                ["Ends at", "As a share of the full rate"],
                Schedule::SHARE,
            )
            .only(KIND, &["one_cycle"]),
        ],
    },
    Section {
        title: STOPPING,
        fields: &[
            Field::whole(
                "plateau.patience",
                [
                    "Plateau after",
                    "Epochs without progress after which the rate falls; 0: never",
                ],
                (0, 100_000),
            ),
            Field::real(
                "plateau.factor",
                ["Plateau factor", "What the rate is multiplied by then"],
                (1e-6, 1.0),
            ),
            Field::real(
                "plateau.floor",
                [
                    "Lowest rate",
                    "The rate below which a plateau lets it not fall",
                ],
                (0.0, 1.0),
            ),
            Field::real(
                "plateau.least_progress",
                ["Least progress", "Smaller changes are no progress"],
                (0.0, 1.0),
            ),
            Field::whole(
                "stop_patience",
                [
                    "Stop after",
                    "Epochs without progress after which the training ends; 0: never",
                ],
                (0, 100_000),
            ),
            Field::word(
                "best_by",
                [
                    "Best by",
                    "Which epoch's network is kept, and what counts as progress; below, one class may say it",
                ],
                &[
                    ("val_loss", "Smallest validation loss"),
                    ("mean_iou", "Greatest mean IoU"),
                    ("mean_iou_without_background", "Mean IoU without background"),
                    ("pixel_accuracy", "Greatest pixel accuracy"),
                    ("mean_f1", "Greatest mean F1"),
                    ("latest", "The last epoch"),
                ],
            ),
        ],
    },
    OPTIMIZER,
    NETWORK,
    GROUND,
    UNLABELED,
    MEMORY,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{EncoderKind, Family, Recipe};
    use crate::ui::training::recipe::tree::Tree;

    #[test]
    fn rows_depend_on_words_that_there_are() {
        let words: Vec<&str> = Family::ALL.iter().map(|it| it.name()).collect();
        let encoders: Vec<&str> = EncoderKind::ALL.iter().map(|it| it.name()).collect();
        let fields = SECTIONS.iter().flat_map(|section| section.fields);
        let conditions: Vec<_> = fields.filter_map(|field| field.used).collect();
        for (path, needed) in &conditions {
            let known = if *path == "model.family" {
                &words
            } else {
                &encoders
            };
            assert!(
                needed.iter().all(|word| known.contains(word)),
                "{path}: {needed:?}"
            );
        }
        assert!(conditions.len() > 5);
    }

    #[test]
    fn every_row_has_its_field_in_the_file() {
        let tree = Tree::of(&Recipe::default());
        let all = || SECTIONS.iter().flat_map(|section| section.fields);
        for field in all().filter(|field| field.exists(&tree)) {
            let is_optional = matches!(field.kind, Kind::MaybeReal(..) | Kind::MaybeWhole(..));
            assert!(
                is_optional || !tree.get(field.path).is_null(),
                "{}",
                field.path
            );
        }
    }

    #[test]
    fn fields_are_found_by_words() {
        let all = || SECTIONS.iter().flat_map(|section| section.fields);
        let found = |words: &str| all().filter(|field| field.matches(words)).count();
        assert_eq!(found("plateau patience"), 1);
        assert!(found("rate") > 3);
        assert_eq!(found("nothing of the kind"), 0);
    }
}
