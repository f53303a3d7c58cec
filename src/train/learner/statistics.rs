use burn::module::Module as _;
use burn::tensor::Device;

use super::super::batch::{images_on, pieces};
use super::super::checkpoint::fresh_network;
use super::super::{TrainError, TrainPlan};
use crate::nn::{ModelConfig, Network, NormKind, read_weights, write_weights};

/// Patches that are looked at together. So few, since whoever holds statistics still has little
/// memory; what they say is brought together by the running means.
const TOGETHER: usize = 2;
/// Looks; a tenth of the running means is new with each.
const LOOKS: usize = 40;

/// The fresh network of `model`, whose batch norms hold their statistics still, with those of the
/// first patches of the training.
///
/// # Errors
/// When a patch cannot be read.
pub(super) fn network_with_statistics(
    plan: &TrainPlan,
    model: &ModelConfig,
    device: &Device,
) -> Result<Network, TrainError> {
    let (recipe, num_classes) = (&plan.recipe, plan.classes.num_classes());
    let measuring = ModelConfig {
        norm: NormKind::Batch,
        ..model.clone()
    };
    let measured = fresh_network(&measuring, num_classes, recipe.seed, device);
    let mut looks = 0;
    for step in (0..recipe.steps_per_epoch).cycle() {
        for piece in pieces(plan.step_batch(1, step)?, TOGETHER) {
            if looks < LOOKS {
                let images = images_on(device, piece.images, piece.len, piece.side);
                // Only the norms hear of it.
                drop(measured.forward_deeply(images));
            }
            looks += 1;
        }
        if looks >= LOOKS {
            break;
        }
    }
    let mut network = fresh_network(model, num_classes, recipe.seed, device);
    read_weights(&mut network, write_weights(&measured.valid())?)?;
    Ok(network)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::super::test_world::{plan, recipe};
    use super::super::super::{Recipe, SavedModel};
    use super::super::Learner;
    use super::*;

    /// The numbers of a safetensors file by name.
    fn numbers(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let (length, rest) = bytes.split_first_chunk::<8>().expect("a length");
        let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let header: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(header).expect("a table");
        let tensors = header
            .into_iter()
            .filter(|(name, _)| name != "__metadata__");
        let place = |value: &serde_json::Value| value.as_u64().expect("a place") as usize;
        let tensor = |(name, entry): (String, serde_json::Value)| {
            let places = &entry["data_offsets"];
            (name, data[place(&places[0])..place(&places[1])].to_vec())
        };
        tensors.map(tensor).collect()
    }

    fn frozen() -> Recipe {
        let mut recipe = recipe();
        recipe.model.norm = NormKind::FrozenBatch;
        recipe
    }

    fn is_statistic(name: &str) -> bool {
        name.contains("running_")
    }

    #[test]
    fn a_step_moves_all_but_the_statistics() {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = plan(frozen(), &folder.path().join("run"));
        let mut learner = Learner::new(&plan, &Device::flex(), 0).expect("a learner");
        let before = numbers(&learner.weights().expect("weights"));
        for step in 0..3 {
            learner.step_at(&plan, step, 1e-2).expect("a loss");
        }
        let after = numbers(&learner.weights().expect("weights"));
        assert!(before.keys().any(|name| is_statistic(name)));
        for (name, old) in &before {
            assert_eq!(&after[name] == old, is_statistic(name), "{name}");
        }
        // They were measured, so they are neither 0 nor 1.
        let means = before
            .iter()
            .filter(|(name, _)| name.contains("running_mean"));
        for (name, bytes) in means {
            assert!(bytes.iter().any(|byte| *byte != 0), "{name}");
        }
    }

    #[test]
    fn what_is_frozen_is_a_choice_of_each_training() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = |name: &str| folder.path().join(name);
        let first = plan(recipe(), &run("first"));
        let learner = Learner::new(&first, &Device::flex(), 0).expect("a learner");
        let (card, weights) = (first.card(), learner.weights().expect("weights"));
        first.folder.begin(&first).expect("a folder");
        first
            .folder
            .save(&card, &weights, &["best"])
            .expect("saved");
        let model = SavedModel::load(&run("first")).expect("a model");
        let next = plan(frozen(), &run("next")).starting_from(model.clone());
        let next = next.expect("a fit");
        assert_eq!(next.recipe().model.norm, NormKind::FrozenBatch);
        let learner = Learner::new(&next, &Device::flex(), 0).expect("a learner");
        // Those of the model count, which are not measured again.
        assert_eq!(
            numbers(&learner.weights().expect("weights")).len(),
            numbers(&weights).len()
        );
        let mut grouped = recipe();
        grouped.model.norm = NormKind::Group;
        let next = plan(grouped, &run("grouped")).starting_from(model);
        assert_eq!(next.expect("a fit").recipe().model.norm, NormKind::Batch);
    }
}
