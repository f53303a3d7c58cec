//! Which stages of a pretrained encoder hold still, and up to which epoch.

use super::KeptFeatures;
use crate::nn::{EncoderKind, ModelConfig, NUM_LEVELS};
use crate::train::{Recipe, TrainError, TrainPlan};

impl Recipe {
    /// Whether stages that were frozen at first learn in `epoch` as well.
    pub const fn is_unfrozen(&self, epoch: u32) -> bool {
        self.unfreeze_after > 0 && epoch > self.unfreeze_after
    }

    /// The last epoch in which the same parts learn as in `epoch`, where stages hold still at
    /// first.
    pub const fn last_of_phase(&self, epoch: u32) -> u32 {
        if self.unfreeze_after == 0 || self.is_unfrozen(epoch) {
            self.epochs
        } else {
            self.unfreeze_after
        }
    }

    /// The recipe as it is computed once frozen stages learn, too; `None` where they never do.
    pub(in crate::train) fn unfrozen(&self) -> Option<Self> {
        (self.unfreeze_after > 0).then(|| Self {
            model: ModelConfig {
                frozen_stages: 0,
                ..self.model.clone()
            },
            ..self.clone()
        })
    }

    /// How many stages of the encoder hold still and have their features kept; 0: none.
    pub(in crate::train) fn kept_stages(&self, is_cpu: bool) -> usize {
        if self.unlabeled.share > 0.0 {
            // What is mixed and tinted anew at every step cannot be kept.
            return 0;
        }
        self.features.kept_stages(&self.model, is_cpu)
    }

    /// Stages of the encoder that hold still at first.
    fn frozen_stages(&self, is_cpu: bool) -> usize {
        self.model.frozen_stages.max(self.kept_stages(is_cpu))
    }

    /// The first epoch in which frozen stages learn, too; `None` where they never do, or where none
    /// is frozen.
    pub(in crate::train) fn unfreezing_epoch(&self, is_cpu: bool) -> Option<u32> {
        let unfreezes = self.unfreeze_after > 0 && self.frozen_stages(is_cpu) > 0;
        unfreezes.then(|| self.unfreeze_after.saturating_add(1))
    }

    /// Says what does not work about the unfreezing, if anything.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] where no stage is frozen, or no epoch is left to learn in.
    pub(in crate::train) fn check_unfreezing(&self) -> Result<(), TrainError> {
        let Self {
            unfreeze_after: after,
            epochs,
            ..
        } = self;
        if *after == 0 {
            return Ok(());
        }
        if self.frozen_stages(true) == 0 {
            return Err(TrainError::Recipe(format!(
                "unfreeze_after = {after} finds no frozen stage; with model.encoder lite0 choose \
                 model.frozen_stages above 0 or features.keep always, or leave unfreeze_after out"
            )));
        }
        if after >= epochs {
            return Err(TrainError::Recipe(format!(
                "unfreeze_after = {after} leaves no epoch to learn in, since epochs = {epochs}; \
                 choose fewer than that, or 0 for never"
            )));
        }
        Ok(())
    }
}

impl TrainPlan {
    /// The network as it trains while the first `kept_stages` stages of its encoder hold still.
    pub(in crate::train) fn model_holding(&self, kept_stages: usize) -> ModelConfig {
        let model = &self.recipe.model;
        ModelConfig {
            frozen_stages: model.frozen_stages.max(kept_stages),
            ..model.clone()
        }
    }

    /// The recipe as it is computed meanwhile.
    pub(in crate::train) fn recipe_holding(&self, kept_stages: usize) -> Recipe {
        Recipe {
            model: self.model_holding(kept_stages),
            ..self.recipe.clone()
        }
    }

    /// How many stages of the encoder hold still and have their features kept; 0: none.
    pub(in crate::train) fn kept_stages(&self, is_cpu: bool) -> usize {
        self.recipe.kept_stages(is_cpu)
    }

    /// Which part of a network with a pretrained encoder learns, and why, for the user.
    pub(in crate::train) fn features_note(&self, kept: Option<&KeptFeatures>) -> Option<String> {
        let Recipe {
            model, features, ..
        } = &self.recipe;
        if model.encoder != EncoderKind::Lite0 {
            return None;
        }
        let what = match kept {
            Some(kept) => format!(
                "The decoder learns {} still, so what is seen in {} training patches is computed \
                 once and kept ({} MB)",
                if kept.stages() < NUM_LEVELS {
                    "with the encoder's last stages: its first ones hold"
                } else {
                    "alone: the pretrained encoder holds"
                },
                kept.num_patches(),
                kept.num_bytes().div_ceil(1 << 20)
            ),
            None => "The encoder looks at every patch anew".to_owned(),
        };
        let kept_stages = kept.map_or(0, KeptFeatures::stages);
        let why = features.reason(model, kept_stages);
        let after = self.recipe.unfreeze_after;
        let is_frozen = self.model_holding(kept_stages).frozen_stages > 0;
        let outlook = (after > 0 && is_frozen).then(|| {
            let epoch = u64::from(after) + 1;
            format!(". From epoch {epoch} on the whole encoder learns as well")
        });
        Some(format!("{what}. {why}{}", outlook.unwrap_or_default()))
    }

    /// The same once stages that were frozen learn, too.
    pub(in crate::train) fn unfrozen_note(&self) -> String {
        let after = self.recipe.unfreeze_after;
        format!(
            "The encoder learns from epoch {} on, as the recipe says (unfreeze_after = {after}), \
             and looks at every patch anew",
            u64::from(after) + 1
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{FeatureConfig, KeepFeatures, Preset, Unlabeled};

    fn unfreezing(after: u32, keep: KeepFeatures, frozen_stages: usize) -> Recipe {
        let balanced = Preset::Balanced.recipe();
        Recipe {
            unfreeze_after: after,
            features: FeatureConfig {
                keep,
                ..balanced.features
            },
            model: ModelConfig {
                frozen_stages,
                ..balanced.model
            },
            ..balanced
        }
    }

    #[test]
    fn a_training_has_two_phases_where_stages_unfreeze() {
        let recipe = unfreezing(5, KeepFeatures::Auto, 0);
        recipe.check().expect("a recipe that works");
        let phases = [1, 5, 6, 14].map(|at| (recipe.is_unfrozen(at), recipe.last_of_phase(at)));
        assert_eq!(phases, [(false, 5), (false, 5), (true, 14), (true, 14)]);
        let never = Preset::Balanced.recipe();
        assert_eq!((never.is_unfrozen(14), never.last_of_phase(1)), (false, 14));
        assert_eq!(never.unfrozen(), None);
        assert_eq!(Recipe::from_toml(&recipe.to_toml()), Ok(recipe));
    }

    #[test]
    fn a_step_takes_more_once_the_encoder_learns() {
        let recipe = unfreezing(5, KeepFeatures::Auto, 5);
        let unfrozen = recipe.unfrozen().expect("it unfreezes");
        assert!(unfrozen.estimated_bytes() > recipe.estimated_bytes());
    }

    #[test]
    fn only_what_is_frozen_unfreezes() {
        use KeepFeatures::{Always, Auto, Never};
        // Choice, frozen stages, the epoch on the CPU and elsewhere.
        let table = [
            (Auto, 0, Some(6), None),
            (Auto, 3, Some(6), Some(6)),
            (Always, 0, Some(6), Some(6)),
            (Never, 2, Some(6), Some(6)),
            (Never, 0, None, None),
        ];
        for (keep, frozen_stages, on_cpu, elsewhere) in table {
            let recipe = unfreezing(5, keep, frozen_stages);
            let epochs = [true, false].map(|is_cpu| recipe.unfreezing_epoch(is_cpu));
            assert_eq!(epochs, [on_cpu, elsewhere], "{keep:?} {frozen_stages}");
            assert_eq!(recipe.check().is_ok(), on_cpu.is_some());
        }
    }

    #[test]
    fn what_cannot_unfreeze_is_named() {
        let check = |recipe: &Recipe, word: &str| {
            let error = recipe.check().expect_err("a refusal").to_string();
            assert!(error.contains(word), "{error}");
        };
        check(&unfreezing(14, KeepFeatures::Auto, 0), "epochs = 14");
        check(&unfreezing(5, KeepFeatures::Never, 0), "no frozen stage");
        let plain = Recipe {
            unfreeze_after: 5,
            ..Recipe::default()
        };
        check(&plain, "no frozen stage");
        let mut unlabeled = unfreezing(5, KeepFeatures::Auto, 0);
        unlabeled.updates.ema = Some(0.9);
        unlabeled.unlabeled = Unlabeled {
            share: 0.5,
            ..Unlabeled::default()
        };
        check(&unlabeled, "no frozen stage");
    }
}
