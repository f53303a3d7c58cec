use std::path::PathBuf;

use super::checkpoint::ModelCard;
use super::run_folder::RunFolder;
use super::self_test::Workload;
use super::{ClassWeighting, Recipe, SavedModel, TrainError};
use crate::dataset::{Ground, PatchConfig, PatchSource, Split, class_weights};
use crate::label::ClassTable;

/// A training that can start: everything was looked at before.
#[derive(Debug)]
pub struct TrainPlan {
    pub(super) recipe: Recipe,
    pub(super) classes: ClassTable,
    pub(super) folder: RunFolder,
    pub(super) patches: PatchSource,
    pub(super) start_from: Option<SavedModel>,
}

impl TrainPlan {
    /// Checks the recipe, the folder, every mask and the amount of labels, and holds ground out.
    /// `folder` is where the run goes; it must not hold one already. Masks in `ground` are frozen:
    /// painting may go on. Reads all masks of a folder once, so it may take a while.
    ///
    /// # Errors
    /// The first thing that does not work, in a sentence for the user.
    pub fn new(
        recipe: Recipe,
        ground: Ground,
        classes: ClassTable,
        folder: PathBuf,
    ) -> Result<Self, TrainError> {
        recipe.check()?;
        let folder = RunFolder::unused(folder)?;
        let num_classes = classes.num_classes();
        if num_classes < 2 {
            return Err(TrainError::Recipe(
                "there must be at least two classes to tell apart; add one to the class table"
                    .to_owned(),
            ));
        }
        let config = PatchConfig {
            seed: recipe.seed,
            side: recipe.patch,
            num_classes,
            augment: recipe.augment,
        };
        let patches = PatchSource::new(ground, config)?;
        check_labels(&patches)?;
        Ok(Self {
            recipe,
            classes,
            folder,
            patches,
            start_from: None,
        })
    }

    /// Starts from the weights of `model` instead of fresh ones; its network and normalisation
    /// replace the recipe's.
    ///
    /// # Errors
    /// When the model's classes are not those of the plan, or its network does not fit the patch.
    pub fn starting_from(mut self, model: SavedModel) -> Result<Self, TrainError> {
        let differences = model.card().class_differences(&self.classes);
        if !differences.is_empty() {
            return Err(TrainError::Model {
                reason: format!("its classes are others: {}", differences.join("; ")),
                path: model.folder().to_owned(),
            });
        }
        self.recipe.model = model.card().model.clone();
        self.recipe.check()?;
        self.patches = self.patches.with_normalization(model.card().normalization);
        self.start_from = Some(model);
        Ok(self)
    }

    /// All choices, as they will be stored.
    pub const fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// What is held out.
    pub const fn split(&self) -> &Split {
        self.patches.split()
    }

    /// What the user should know about the data before starting.
    pub fn notes(&self) -> &[String] {
        self.patches.notes()
    }

    /// The weight of each class in the loss.
    pub(super) fn class_weights(&self) -> Vec<f32> {
        match self.recipe.class_weighting {
            ClassWeighting::None => vec![1.0; self.classes.num_classes()],
            ClassWeighting::SqrtInverse => class_weights(self.patches.class_pixels()),
        }
    }

    /// The description of the models that this training saves.
    pub(super) fn card(&self) -> ModelCard {
        let recipe = &self.recipe;
        let normalization = self.patches.normalization();
        ModelCard::new(
            recipe.model.clone(),
            &self.classes,
            normalization,
            recipe.patch,
            recipe.seed,
        )
    }

    pub(super) const fn workload(&self) -> Workload {
        Workload {
            batch: self.recipe.batch,
            side: self.recipe.patch as usize,
        }
    }
}

fn check_labels(patches: &PatchSource) -> Result<(), TrainError> {
    let seen = patches
        .class_pixels()
        .iter()
        .filter(|&&pixels| pixels > 0)
        .count();
    if seen < 2 {
        return Err(TrainError::Recipe(format!(
            "the training ground shows {seen} of {} classes, two are needed; label ground of \
             another class",
            patches.class_pixels().len()
        )));
    }
    Ok(())
}
