use std::cell::Cell;

thread_local! {
    static IS_TAKEN: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` with Burn's own layers, to hold ours against them.
pub fn by_burn<R>(work: impl FnOnce() -> R) -> R {
    let before = IS_TAKEN.replace(true);
    let result = work();
    IS_TAKEN.set(before);
    result
}

/// Whether this is within [`by_burn`].
pub fn is_taken() -> bool {
    IS_TAKEN.get()
}

#[cfg(test)]
mod tests {
    use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
    use burn::tensor::{Device, TensorData};

    use super::super::test_numbers::assert_close;
    use super::*;
    use crate::nn::test_network::{images, network};
    use crate::nn::{DecoderUp, EncoderKind, Family, ModelConfig};

    /// What networks of two families say before and after a step of training.
    fn trained() -> Vec<TensorData> {
        let unet = ModelConfig {
            base_filters: 4,
            depth: 2,
            residual: true,
            decoder_up: DecoderUp::Transposed,
            ..ModelConfig::default()
        };
        let fpn = ModelConfig {
            family: Family::Fpn,
            encoder: EncoderKind::Lite0,
            width: Some(32),
            ..ModelConfig::default()
        };
        [unet, fpn].iter().flat_map(logits_of_two_steps).collect()
    }

    fn logits_of_two_steps(config: &ModelConfig) -> [TensorData; 2] {
        let device = Device::flex().autodiff();
        let mut network = network(config, 2, &device);
        let mut optimizer: ModuleOptimizer = SgdConfig::new().init();
        let images = images([2, 3, 64, 64], &device);
        [(); 2].map(|()| {
            let logits = network.forward(images.clone());
            let loss = logits.clone().powi_scalar(2).mean();
            let grads = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(1e-3, network.clone(), grads);
            logits.into_data()
        })
    }

    #[test]
    fn networks_train_as_they_do_with_burns_own_layers() {
        assert_close(&trained(), &by_burn(trained));
    }

    #[test]
    fn the_number_of_threads_changes_no_bit_of_a_training() {
        let [one, two, three] = [1, 2, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().expect("threads").install(trained)
        });
        assert_eq!(one, two);
        assert_eq!(one, three);
    }
}
