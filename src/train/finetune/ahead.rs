use std::path::PathBuf;
use std::sync::Arc;

use super::HeldOut;
use super::plan::HELD_OUT_SEED;
use crate::dataset::parts::{PartRule, PartWay};
use crate::dataset::{DatasetError, Ground, PixelSize, Scene, Watch};
use crate::label::{ClassTable, Coverage};
use crate::train::{Recipe, TrainError, TrainPlan};

impl TrainPlan {
    /// A first training on an image, of which `coverage` says what is done. Where that is enough and
    /// the recipe does not say itself what is held out, blocks of done cells are, in advance, so
    /// that models that go on from it can be judged there: what a model learned from judges none
    /// that comes of it.
    ///
    /// # Errors
    /// As for [`TrainPlan::watched`].
    pub fn of_image(
        recipe: Recipe,
        (scene, coverage): (Arc<Scene>, &Coverage),
        classes: ClassTable,
        folder: PathBuf,
        watch: &Watch<'_>,
    ) -> Result<Self, TrainError> {
        let planned = |recipe: Recipe| {
            let ground = Ground::Image(Arc::clone(&scene));
            Self::watched(recipe, ground, classes.clone(), folder.clone(), watch)
        };
        let Some(parts) = parts_ahead(&recipe, &scene, coverage) else {
            return planned(recipe);
        };
        let with_parts = Recipe {
            parts: Some(parts),
            ..recipe.clone()
        };
        match planned(with_parts) {
            // Too little is labeled for that.
            Err(TrainError::Dataset(DatasetError::TooLittle(_))) => planned(recipe),
            Err(error) => Err(error),
            Ok(plan) => {
                let blocks = plan.split().report.test_blocks.len();
                Ok(plan.noting(vec![format!(
                    "{blocks} blocks of cells that are done are held out to judge what comes of \
                     this model"
                )]))
            }
        }
    }
}

/// What is held out of the image; `None` where the recipe says it, or too little is done.
fn parts_ahead(recipe: &Recipe, scene: &Scene, coverage: &Coverage) -> Option<PartRule> {
    if recipe.parts.is_some() {
        return None;
    }
    let (held_out, unreviewed) = HeldOut::ahead(scene.image_mask(), coverage, HELD_OUT_SEED)?;
    let of_run = match recipe.pixel_size {
        PixelSize::Meters(meters) => Some(meters),
        PixelSize::Auto | PixelSize::AsIs => None,
    };
    let step = of_run.zip(scene.image_meters());
    let step = step.map_or(1.0, |(run, image)| run / image);
    Some(PartRule {
        seed: HELD_OUT_SEED,
        split: PartWay::Given {
            validation: held_out.choosing,
            test: held_out.judging,
            margin: (f64::from(recipe.patch) * step).ceil() as u32,
            unreviewed,
        },
        ..PartRule::default()
    })
}
