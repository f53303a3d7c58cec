use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ancestors::{Ancestor, ancestors};
use super::family::family_names;
use super::image_print::image_print;
use super::replay::{MOST_RUNS, replay_ground};
use super::trained_ground::{AskedImage, TrainedGround, patch_side, print_of};
use super::{FinetuneOrder, HeldOut, LearnedFrom, Lineage, Parent, ReplaySources};
use crate::dataset::parts::{PartRule, PartWay};
use crate::dataset::{DatasetError, Ground, PixelSize, Scene, Watch};
use crate::label::{Encoding, Mask, UNLABELED, load_mask};
use crate::nn::{EncoderKind, Loss};
use crate::train::data::LABEL_FILE;
use crate::train::optimizer::ENCODER;
use crate::train::{
    BestBy, ClassWeighting, Cosine, KeepFeatures, PatchChoice, Plateau, Preset, RateGroup, Recipe,
    SavedModel, Schedule, TrainData, TrainError, TrainPlan, Unlabeled,
};

/// Held-out ground is drawn by this, so that all models of a chain agree.
pub(super) const HELD_OUT_SEED: u64 = 1;
/// Epochs in which the rate rises: fresh moments of the optimizer would tear down what was learned.
const WARM_UP_EPOCHS: u64 = 2;
/// How much of the running mean of the weights stays at a step where it teaches.
const EMA: f64 = 0.99;

/// What is known before ground is divided.
struct Known {
    model: Option<SavedModel>,
    chain: Vec<Ancestor>,
    /// Names of models that share an ancestor with the new one.
    family: BTreeSet<String>,
    print: String,
    trusted: Mask,
}

impl FinetuneOrder {
    /// The training that it asks for, into `out`, which must hold no run yet.
    ///
    /// # Errors
    /// When nothing was corrected, the model cannot be read or knows other classes, or what was
    /// corrected is too little to learn from.
    pub fn plan(self, out: PathBuf, watch: &Watch<'_>) -> Result<TrainPlan, TrainError> {
        let known = self.known(&out)?;
        let (held_out, notes) = self.held_out(&known)?;
        let planned = self.with_held_out(&known, held_out.clone(), &out, watch);
        let plan = match planned {
            // Too little is labeled to hold anything of it out.
            Err(TrainError::Dataset(DatasetError::TooLittle(_))) if !held_out.is_empty() => {
                self.with_held_out(&known, HeldOut::default(), &out, watch)
            }
            planned => planned,
        };
        Ok(plan?.noting(notes))
    }

    fn known(&self, out: &Path) -> Result<Known, TrainError> {
        let trusted = self.label.trusted(self.origins.as_ref(), &self.coverage);
        if trusted.histogram()[usize::from(UNLABELED)] == trusted.size().num_pixels() {
            return Err(TrainError::Recipe(
                "nothing was corrected yet: paint where the label is wrong, or mark cells that \
                 are right as done"
                    .to_owned(),
            ));
        }
        let model = self.parent.as_deref().map(SavedModel::load).transpose()?;
        let chain = self.parent.as_deref().map(ancestors).unwrap_or_default();
        Ok(Known {
            family: family_names(out, &chain),
            chain,
            print: image_print(&*self.source)?,
            model,
            trusted,
        })
    }

    /// What is held out, and what could not be told of it.
    fn held_out(&self, known: &Known) -> Result<(HeldOut, Vec<String>), TrainError> {
        let card = known.model.as_ref().map(SavedModel::card);
        let patch = card.map_or_else(|| from_the_encoder().patch, |card| card.patch);
        let image = AskedImage {
            source: &*self.source,
            print: &known.print,
            patch: patch_side(patch, card.and_then(|card| card.pixel_size), &*self.source),
        };
        let mut learned = TrainedGround::default();
        for ancestor in &known.chain {
            learned.add(&ancestor.run, image)?;
        }
        let lineages = known.chain.iter().filter_map(|at| at.lineage.as_ref());
        let before = lineages
            .filter(|lineage| lineage.image_print == known.print)
            .map(|lineage| lineage.held_out.clone())
            .next()
            .unwrap_or_default();
        let (trusted, coverage) = (&known.trusted, &self.coverage);
        let held_out = before.grown(trusted, coverage, HELD_OUT_SEED, |block| {
            learned.touches(block)
        });
        Ok((held_out, learned.notes().to_vec()))
    }

    fn with_held_out(
        &self,
        known: &Known,
        held_out: HeldOut,
        out: &Path,
        watch: &Watch<'_>,
    ) -> Result<TrainPlan, TrainError> {
        let mut trusted = known.trusted.clone();
        let learned = self.learned_from(known, &held_out, &mut trusted);
        let recipe = self.recipe(known, &held_out)?;
        let ground = Ground::Image(Arc::new(self.scene(trusted)));
        let classes = self.classes.clone();
        let (sources, own) = self.replay(known)?;
        let plan = watch.during((0.0, 0.5), |watch| {
            TrainPlan::unchecked(recipe, ground, classes, out.to_owned(), watch)
        })?;
        let plan = watch.during((0.5, 1.0), |watch| plan.repeating(&sources, own, watch))?;
        let plan = match &known.model {
            Some(model) => plan.starting_from(model.clone())?,
            None => plan,
        };
        let parent = self.parent.as_ref().zip(known.model.as_ref());
        let lineage = Lineage {
            parent: parent.map(|(run, model)| Parent {
                run: run.clone(),
                weights: model.weights_print(),
            }),
            generation: 1
                + (known.chain.iter())
                    .filter(|ancestor| ancestor.lineage.is_some())
                    .count() as u32,
            image: self.image.clone(),
            image_print: known.print.clone(),
            learned,
            held_out,
        };
        Ok(plan.reading(TrainData::Finetune {
            image: self.image.clone(),
            replay: sources,
            lineage: Box::new(lineage),
        }))
    }

    fn scene(&self, label: Mask) -> Scene {
        let name = self.image.file_name().unwrap_or_default().to_string_lossy();
        let source = Arc::clone(&self.source);
        Scene::tiled(name.into_owned(), source, label, self.cache_bytes)
    }

    /// What is learned from, in numbers; takes from `trusted` what a model of the chain or one
    /// that shares an ancestor with it said on held-out ground, since that says nothing about it.
    fn learned_from(&self, known: &Known, held_out: &HeldOut, trusted: &mut Mask) -> LearnedFrom {
        let count = |mask: &Mask| mask.size().num_pixels() - mask.histogram()[255];
        let trusted_pixels = count(trusted);
        let labeled_in = |block| {
            let classes = trusted.read_rect(block);
            classes.iter().filter(|&&class| class != UNLABELED).count() as u64
        };
        let mut learned = LearnedFrom {
            held_out_pixels: held_out.blocks().map(labeled_in).sum(),
            done_cells: self.coverage.num_done(),
            trusted_pixels,
            replay_share: self.options.replay_share,
            ..LearnedFrom::default()
        };
        let Some(origins) = &self.origins else {
            return learned;
        };
        let of_models = self.accepted(|_| true);
        let whole = trusted.size().bounds();
        learned.accepted_pixels =
            (trusted.clone()).without(whole, origins, |_, origin| of_models.contains(&origin));
        let of_family = self.accepted(|name| known.family.contains(name));
        for block in held_out.blocks() {
            learned.not_judged_pixels +=
                trusted.without(block, origins, |_, origin| of_family.contains(&origin));
        }
        learned
    }

    /// What earlier trainings learned from: of the same image what nobody vouches for and nobody
    /// changed, and other runs as they are.
    fn replay(&self, known: &Known) -> Result<(ReplaySources, Option<Ground>), TrainError> {
        let mut sources = ReplaySources {
            share: self.options.replay_share,
            ..ReplaySources::default()
        };
        let mut own = None;
        for ancestor in &known.chain {
            let Ok(data) = TrainData::of_run(&ancestor.run) else {
                continue;
            };
            let is_same = data.image() == Some(&self.image)
                || print_of(&ancestor.run, &data).as_ref() == Some(&known.print);
            match data {
                TrainData::Image { .. } if is_same => own = Some(ancestor.run.join(LABEL_FILE)),
                // Its corrections are in the label by now.
                TrainData::Finetune { .. } if is_same => {}
                _ if sources.runs.len() < MOST_RUNS => sources.runs.push(ancestor.run.clone()),
                _ => {}
            }
        }
        let Some(path) = own.filter(|_| sources.share > 0.0) else {
            return Ok((sources, None));
        };
        let size = self.label.size();
        let mut label = load_mask(&path, Some(size), Encoding::Index, None)?.mask;
        label.without(size.bounds(), &self.label, |before, now| before != now);
        label.without(size.bounds(), &known.trusted, |_, now| now != UNLABELED);
        sources.same_image = true;
        let ground = replay_ground(Arc::clone(&self.source), label);
        Ok((sources, Some(ground)))
    }

    /// The recipe of the chain's first training with what a fine-tuning changes of it.
    fn recipe(&self, known: &Known, held_out: &HeldOut) -> Result<Recipe, TrainError> {
        let (options, model) = (&self.options, known.model.as_ref());
        let (before, was_tuned) = first_recipe(known)?;
        let pixel_size = match model.map(|model| model.card().pixel_size) {
            Some(Some(meters)) => PixelSize::Meters(meters),
            Some(None) => PixelSize::AsIs,
            None => before.pixel_size,
        };
        // The rate is lowered once, not again with each fine-tuning of a chain.
        let rate_share = if was_tuned { 1.0 } else { options.rate_share };
        let is_judged = !held_out.choosing.is_empty();
        let patch = model.map_or(before.patch, |model| model.card().patch);
        let meters = model.and_then(|model| model.card().pixel_size);
        let margin = patch_side(patch, meters, &*self.source);
        let before = with_encoder(before, options.encoder_share, was_tuned);
        let before = with_overlap(with_unlabeled(before, options.unlabeled));
        Ok(Recipe {
            seed: options.seed,
            epochs: options.epochs,
            steps_per_epoch: options.steps_per_epoch,
            batch: options.batch,
            patch,
            pixel_size,
            learning_rate: before.learning_rate * rate_share,
            schedule: Schedule::Cosine(Cosine {
                warm_up: Some(WARM_UP_EPOCHS * u64::from(options.steps_per_epoch)),
                ..Cosine::default()
            }),
            plateau: Plateau::default(),
            // Half of all epochs without progress are enough.
            stop_patience: if is_judged { options.epochs / 2 } else { 0 },
            time_limit_minutes: 0.0,
            best_by: if is_judged {
                BestBy::MeanIou
            } else {
                BestBy::Latest
            },
            parts: Some(PartRule {
                seed: HELD_OUT_SEED,
                split: PartWay::Given {
                    validation: held_out.choosing.clone(),
                    test: held_out.judging.clone(),
                    margin,
                    unreviewed: 0,
                },
                ..PartRule::default()
            }),
            patches: PatchChoice {
                keep: None,
                ..before.patches
            },
            device: options.device.clone().unwrap_or(before.device),
            ..before
        })
    }
}

/// The recipe of the first training of the chain whose run is there, and whether that was a
/// fine-tuning itself; what cannot be found is as usual.
fn first_recipe(known: &Known) -> Result<(Recipe, bool), TrainError> {
    let Some(model) = &known.model else {
        return Ok((from_the_encoder(), true));
    };
    for ancestor in known.chain.iter().rev() {
        let path = ancestor.run.join("recipe.toml");
        if path.is_file() {
            return Ok((Recipe::load(&path)?, ancestor.lineage.is_some()));
        }
    }
    let recipe = Recipe {
        model: model.card().model.clone(),
        patch: model.card().patch,
        ..Recipe::default()
    };
    Ok((recipe, model.card().lineage.is_some()))
}

/// The recipe with the encoder learning at this share of the rate; without one as it was, or
/// holding still again on a processor where the recipe is that of a fine-tuning that let it learn.
/// Networks without a pretrained one learn as a whole either way. Nothing unfreezes later: there
/// are few epochs.
fn with_encoder(mut recipe: Recipe, share: Option<f64>, was_tuned: bool) -> Recipe {
    recipe.unfreeze_after = 0;
    if recipe.model.encoder != EncoderKind::Lite0 || (share.is_none() && !was_tuned) {
        return recipe;
    }
    recipe.features.keep = KeepFeatures::Auto;
    if let Some(factor) = share {
        let groups = &mut recipe.updates.groups;
        groups.retain(|group| group.prefix != ENCODER);
        let prefix = ENCODER.to_owned();
        groups.push(RateGroup { prefix, factor });
        recipe.features.keep = KeepFeatures::Never;
        recipe.model.frozen_stages = 0;
    }
    recipe
}

/// The recipe with ground without labels learned from in this way, by the running mean of the
/// weights; without one as it was.
fn with_unlabeled(mut recipe: Recipe, unlabeled: Option<Unlabeled>) -> Recipe {
    recipe.unlabeled = unlabeled.unwrap_or(recipe.unlabeled);
    if recipe.unlabeled.share > 0.0 {
        recipe.updates.ema.get_or_insert(EMA);
    }
    recipe
}

/// The recipe with the Dice loss beside the cross-entropy, where its loss is the usual one: on few
/// corrections a thorough training gains up to three points of mean `IoU` by it
/// (docs/loop/results.md). It makes rare classes count, so they need no weights.
fn with_overlap(mut recipe: Recipe) -> Recipe {
    let usual = Recipe::default();
    if recipe.loss == usual.loss && recipe.class_weighting == usual.class_weighting {
        recipe.loss = Loss::with_dice(1.0);
        recipe.class_weighting = ClassWeighting::None;
    }
    recipe
}

/// Without a model, a decoder learns on the embedded encoder; half as wide as published, it takes
/// half the time for a point of mean `IoU` less (docs/loop/results.md).
fn from_the_encoder() -> Recipe {
    Preset::Balanced.recipe()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_that_learned_once_holds_still_again() {
        let parent = from_the_encoder();
        let is_same = |recipe: &Recipe| *recipe == parent;
        assert!(is_same(&with_encoder(parent.clone(), None, false)));
        let thorough = with_encoder(parent.clone(), Some(0.1), false);
        assert_eq!(thorough.features.keep, KeepFeatures::Never);
        assert!((thorough.updates.factor("encoder.stages.0") - 0.1).abs() < 1e-12);
        assert!((thorough.updates.factor("decoder.0") - 1.0).abs() < 1e-12);
        let again = with_encoder(thorough.clone(), Some(0.2), true);
        assert_eq!(again.updates.groups.len(), 1);
        assert!(is_same(&with_encoder(thorough, None, true)));
        let unfreezing = Recipe {
            unfreeze_after: 3,
            ..parent.clone()
        };
        assert!(is_same(&with_encoder(unfreezing, None, false)));
        let plain = Recipe::default();
        assert_eq!(with_encoder(plain.clone(), Some(0.1), false), plain);
    }

    #[test]
    fn a_recipe_that_learns_from_unlabeled_ground_does_so_until_another_way_is_asked_for() {
        let half = Unlabeled {
            share: 0.5,
            ..Unlabeled::default()
        };
        let plain = from_the_encoder();
        assert_eq!(with_unlabeled(plain.clone(), None), plain);
        let asked = with_unlabeled(plain, Some(half));
        assert_eq!((asked.unlabeled, asked.updates.ema), (half, Some(EMA)));
        assert!(asked.check().is_ok());
        assert_eq!(with_unlabeled(asked.clone(), None), asked);
        let weak = Unlabeled {
            weight: 0.1,
            ..half
        };
        let by_hand = with_unlabeled(asked.clone(), Some(weak));
        assert_eq!(by_hand.unlabeled, weak);
        let none = with_unlabeled(asked, Some(Unlabeled::default()));
        assert_eq!(none.unlabeled, Unlabeled::default());
    }

    #[test]
    fn rare_classes_count_by_their_overlap_unless_somebody_chose_otherwise() {
        let tuned = with_overlap(from_the_encoder());
        assert_eq!(tuned.loss, Loss::with_dice(1.0));
        assert_eq!(tuned.class_weighting, ClassWeighting::None);
        assert_eq!(with_overlap(tuned.clone()), tuned);
        let by_hand = Recipe {
            class_weighting: ClassWeighting::MedianFrequency,
            ..from_the_encoder()
        };
        assert_eq!(with_overlap(by_hand.clone()), by_hand);
    }
}
