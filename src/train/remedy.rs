use super::fitting::{FEW_PATCHES, Fit, fitting};
use super::memory::available_bytes;
use super::{DeviceChoice, Recipe};
use crate::nn::{ModelConfig, NormKind};

/// A change of a recipe that takes less memory, or that suits batches of few patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Smaller batches whose gradients are added up, so that a step of the weights learns from as
    /// many patches as before, and an epoch has as many.
    Accumulate {
        /// Patches in a batch.
        batch: usize,
        /// Batches of a step.
        accumulate: u32,
        /// Batches of an epoch.
        steps_per_epoch: u32,
    },
    /// Norms that do not depend on the number of patches.
    Norm(NormKind),
    /// Cheap results are computed again on the way back instead of being kept.
    Checkpointing,
}

impl Remedy {
    /// What helps where only `piece` patches of a batch of `recipe` can be computed at once, in the
    /// order to try it in.
    pub fn of(recipe: &Recipe, piece: usize) -> Vec<Self> {
        let mut all = Vec::new();
        let pieces = recipe.batch.div_ceil(piece.max(1)) as u32;
        if pieces > 1 {
            all.push(Self::Accumulate {
                batch: piece,
                accumulate: recipe.updates.accumulate.saturating_mul(pieces),
                steps_per_epoch: recipe.steps_per_epoch.saturating_mul(pieces),
            });
        }
        if recipe.model.norm == NormKind::Batch && piece < FEW_PATCHES {
            all.extend([NormKind::Group, NormKind::FrozenBatch].map(Self::Norm));
        }
        // Elsewhere nothing is gained by it: what follows a convolution is one operation there.
        if recipe.model.norm == NormKind::Group && !recipe.gradient_checkpointing {
            all.push(Self::Checkpointing);
        }
        all
    }

    /// The recipe with it.
    #[must_use]
    pub fn applied(self, recipe: &Recipe) -> Recipe {
        let mut recipe = recipe.clone();
        match self {
            Self::Accumulate {
                batch,
                accumulate,
                steps_per_epoch,
            } => {
                (recipe.batch, recipe.updates.accumulate) = (batch, accumulate);
                recipe.steps_per_epoch = steps_per_epoch;
            }
            Self::Norm(norm) => recipe.model.norm = norm,
            Self::Checkpointing => recipe.gradient_checkpointing = true,
        }
        recipe
    }

    /// What a recipe file says then.
    pub fn lines(self) -> String {
        match self {
            Self::Accumulate {
                batch,
                accumulate,
                steps_per_epoch,
            } => format!(
                "batch = {batch}, updates.accumulate = {accumulate}, steps_per_epoch = \
                 {steps_per_epoch}"
            ),
            Self::Norm(NormKind::Group) => "model.norm = \"group\"".to_owned(),
            Self::Norm(NormKind::FrozenBatch) => "model.norm = \"frozen_batch\"".to_owned(),
            Self::Norm(NormKind::Batch) => "model.norm = \"batch\"".to_owned(),
            Self::Norm(NormKind::None) => "model.norm = \"none\"".to_owned(),
            Self::Checkpointing => "gradient_checkpointing = true".to_owned(),
        }
    }

    /// What it is, on a button.
    pub fn title(self) -> String {
        match self {
            Self::Accumulate {
                batch, accumulate, ..
            } => format!("Batch {batch}, accumulate {accumulate}"),
            Self::Norm(NormKind::FrozenBatch) => "Freeze the norms".to_owned(),
            Self::Norm(_) => "Normalize by groups".to_owned(),
            Self::Checkpointing => "Compute twice".to_owned(),
        }
    }

    /// What it does, in a line.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Accumulate { .. } => {
                "fewer patches at once, as many for each step of the weights"
            }
            Self::Norm(NormKind::FrozenBatch) => {
                "statistics measured once and held still do not depend on the number of patches"
            }
            Self::Norm(_) => "norms within an image do not depend on the number of patches",
            Self::Checkpointing => "what is cheap is not kept but computed again; slower",
        }
    }
}

/// Remedies as lines of a recipe, in a sentence.
pub fn remedies_in_words(remedies: &[Remedy]) -> String {
    let each = remedies
        .iter()
        .map(|remedy| format!("{} ({})", remedy.lines(), remedy.help()));
    let each = each.collect::<Vec<_>>().join("; or ");
    format!("A recipe that needs less memory says: {each}")
}

/// How the steps of `recipe` fit into the main memory that is free now; `None` where they do, or
/// where they are computed elsewhere or nobody can say.
pub fn fit_of_processor(recipe: &Recipe, has_adapters: bool) -> Option<Fit> {
    let is_here = match recipe.device {
        DeviceChoice::Cpu => true,
        DeviceChoice::Auto => !has_adapters,
        _ => false,
    };
    if !is_here {
        return None;
    }
    let model = &recipe.model;
    let kept = recipe.kept_stages(true);
    // As when it trains.
    let held = recipe.unfrozen().unwrap_or_else(|| Recipe {
        model: ModelConfig {
            frozen_stages: model.frozen_stages.max(kept),
            ..model.clone()
        },
        ..recipe.clone()
    });
    fitting(&held, available_bytes()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedies_come_in_order_and_make_recipes_that_fit() {
        let recipe = Recipe::default();
        let fit = fitting(&recipe, recipe.bytes_of(2)).expect("too little");
        let remedies = Remedy::of(&recipe, fit.piece);
        let accumulate = Remedy::Accumulate {
            batch: 2,
            accumulate: 4,
            steps_per_epoch: 200,
        };
        assert_eq!(
            remedies,
            [
                accumulate,
                Remedy::Norm(NormKind::Group),
                Remedy::Norm(NormKind::FrozenBatch),
            ]
        );
        let grouped = Remedy::Norm(NormKind::Group).applied(&recipe);
        assert_eq!(Remedy::of(&grouped, 2), [accumulate, Remedy::Checkpointing]);
        let twice = Remedy::Checkpointing.applied(&grouped);
        assert!(twice.estimated_bytes() < grouped.estimated_bytes());
        assert_eq!(Remedy::of(&twice, 2), [accumulate]);
        let smaller = accumulate.applied(&recipe);
        assert_eq!(fitting(&smaller, recipe.bytes_of(2)), None);
        for remedy in remedies {
            let changed = remedy.applied(&recipe);
            assert_ne!(changed, recipe);
            changed.check().expect("a recipe that works");
            // What is done is not offered again.
            assert!(
                !Remedy::of(&changed, changed.batch).contains(&remedy),
                "{remedy:?}"
            );
        }
    }

    #[test]
    fn what_is_said_can_be_written_into_a_recipe() {
        let recipe = Recipe::default();
        let all = Remedy::of(&recipe, 2).into_iter();
        for remedy in all.chain([Remedy::Checkpointing]) {
            let text = remedy.lines().replace(", ", "\n");
            assert_eq!(Recipe::from_toml(&text), Ok(remedy.applied(&recipe)));
        }
    }

    #[test]
    fn large_pieces_want_no_other_norm() {
        let recipe = Recipe {
            batch: 64,
            ..Recipe::default()
        };
        let is_norm = |remedy: &Remedy| matches!(remedy, Remedy::Norm(_));
        assert!(!Remedy::of(&recipe, 16).iter().any(is_norm));
        assert!(remedies_in_words(&Remedy::of(&recipe, 16)).contains("updates.accumulate = 4"));
    }
}
