use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Tensor, TensorData};

use super::super::batch::{images_on, labels_on, numbers, pieces};
use super::super::unlabeled::{Mixing, Unlabeled, tint};
use super::super::{TrainError, TrainPlan};
use super::Learner;
use crate::dataset::{Batch, Rng, hash};
use crate::label::UNLABELED;
use crate::nn::Network;

/// Ground without labels in the batches of a training.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lessons {
    rule: Unlabeled,
    /// Labelled patches of a batch; those behind have none.
    labeled: usize,
    seed: u64,
    steps: u64,
}

impl Lessons {
    /// Those of a plan, if it has any.
    pub(super) fn of(plan: &TrainPlan) -> Option<Self> {
        let recipe = &plan.recipe;
        (recipe.unlabeled.patches(recipe.batch) > 0).then(|| Self {
            rule: recipe.unlabeled,
            labeled: recipe.batch,
            seed: hash(&[recipe.seed, SALT]),
            steps: recipe.total_steps(),
        })
    }
}

/// So that how patches are mixed has nothing to do with where they lie.
const SALT: u64 = 0x0074_6561_6368;

impl Learner {
    /// A batch without the patches that have no labels, and those.
    pub(super) fn parted(&self, batch: Batch) -> (Batch, Option<Batch>) {
        match self.lessons {
            Some(lessons) if batch.len > lessons.labeled => {
                let (labeled, rest) = batch.split_at(lessons.labeled);
                (labeled, Some(rest))
            }
            _ => (batch, None),
        }
    }

    /// Gathers the gradients of what the network says of unlabelled patches otherwise than its
    /// running mean.
    pub(super) fn learn_unlabeled(&mut self, batch: Batch, step: u64) -> Result<(), TrainError> {
        let Some(Lessons {
            rule, seed, steps, ..
        }) = self.lessons
        else {
            return Ok(());
        };
        let weight = rule.weight_at(step, steps);
        if weight == 0.0 {
            return Ok(());
        }
        let len = batch.len.max(1) as f64;
        let teacher = self.optimizer.averaged(&self.network);
        for (at, piece) in (0..).zip(pieces(batch, self.piece)) {
            let mut rng = Rng::of(&[seed, step, at]);
            let mixing = Mixing::drawn((piece.len, piece.side), &mut rng);
            let likely = mixing.mixed(&self.taught(&teacher, &piece)?);
            let shape = [piece.len, self.class_weights.len(), piece.side, piece.side];
            let likely = TensorData::new(likely, shape);
            let likely = Tensor::<4>::from_data(likely, &self.plain_device());
            let mut images = mixing.mixed(&piece.images);
            tint(&mut images, (piece.len, piece.side), &mut rng);
            let images = images_on(&self.device, images, piece.len, piece.side);
            let (logits, _) = self.network.forward_deeply(images);
            let pixels = likely.clone().sum().clamp_min(1.0);
            let loss = (log_softmax(logits, 1) * likely).sum().neg() / pixels;
            let share = weight * piece.len as f64 / len;
            (self.optimizer).gather(&self.network, (loss * share).backward());
        }
        Ok(())
    }

    /// How likely `teacher` finds each class in the pixels of a batch, `[N, classes, side, side]`;
    /// 0 where there is no image. Classes weigh as they do in training.
    fn taught(&self, teacher: &Network, batch: &Batch) -> Result<Vec<f32>, TrainError> {
        let device = self.plain_device();
        let is_void = labels_on(&device, batch).equal_elem(i32::from(UNLABELED));
        let images = images_on(&device, batch.images.clone(), batch.len, batch.side);
        let likely = softmax(teacher.forward(images), 1);
        let [_, classes, _, _] = likely.dims();
        let is_void = is_void.unsqueeze_dim::<4>(1).repeat_dim(1, classes);
        numbers(likely.mask_fill(is_void, 0.0))
    }

    /// What takes logits of weighted classes to those of true odds, `[1, classes, 1, 1]`.
    pub(super) fn true_odds(&self) -> Tensor<4> {
        let true_odds = super::logarithms(&self.class_weights, -1.0);
        let shape = [1, true_odds.len(), 1, 1];
        let data = TensorData::new(true_odds, shape);
        Tensor::from_data(data, &self.plain_device())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::test_world::{plan, recipe};
    use super::super::super::{Recipe, UpdateConfig};
    use super::*;

    /// The weights after some steps.
    fn learned(unlabeled: Unlabeled) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let recipe = Recipe {
            unlabeled,
            updates: UpdateConfig {
                ema: Some(0.9),
                ..UpdateConfig::default()
            },
            ..recipe()
        };
        let plan = plan(recipe, &folder.path().join("run"));
        let device = burn::tensor::Device::flex();
        let mut learner = Learner::new(&plan, &device, 0).expect("a learner");
        for step in 0..6 {
            let batch = plan.step_batch(1, step).expect("a batch");
            assert_eq!(batch.len, 5 + unlabeled.patches(5));
            learner.step(batch, step.into(), 1e-2).expect("a loss");
        }
        learner.weights().expect("weights")
    }

    #[test]
    fn ground_without_labels_is_learned_from_as_much_as_it_weighs() {
        let usual = Unlabeled {
            share: 0.6,
            ..Unlabeled::default()
        };
        let without = learned(Unlabeled::default());
        assert!(without != learned(usual));
        let weight = 0.0;
        assert!(without == learned(Unlabeled { weight, ..usual }));
    }
}
