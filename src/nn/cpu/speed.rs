use std::time::{Duration, Instant};

use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};

use super::bypass::by_burn;
use super::test_numbers::numbers;
use crate::nn::test_network::noise;
use crate::nn::{DecoderUp, EncoderKind, Family, KeptMemory, ModelConfig, Network, share_one_heap};

/// A network in training, and what a step of it gets.
struct Training {
    network: Network,
    optimizer: ModuleOptimizer,
    images: Tensor<4>,
    labels: Tensor<4>,
}

impl Training {
    fn new(config: &ModelConfig, batch: usize) -> Self {
        let device = Device::flex().autodiff();
        let labels = numbers([batch, 1, 128, 128], &device)
            .greater_elem(0.5)
            .float();
        Self {
            network: Network::new(config, 1, &mut noise(), &device),
            optimizer: AdamConfig::new().init(),
            images: numbers([batch, 3, 128, 128], &device),
            labels,
        }
    }

    /// A step with binary cross-entropy.
    fn step(mut self) -> (Self, Duration) {
        let start = Instant::now();
        let logits = self.network.forward(self.images.clone());
        let spread = (-logits.clone().abs()).exp().log1p();
        let loss = logits.clone().clamp_min(0.0) - logits * self.labels.clone() + spread;
        let grads = GradientsParams::from_grads(loss.mean().backward(), &self.network);
        self.network = self.optimizer.step(1e-3, self.network, grads);
        (self, start.elapsed())
    }
}

/// The shortest of some steps, by Burn's layers and by ours, in turn.
fn compare(name: &str, config: &ModelConfig, batch: usize) {
    let mut pair = [(); 2].map(|()| Some(Training::new(config, batch)));
    let mut shortest = [Duration::MAX; 2];
    for _ in 0..4 {
        for (at, training) in pair.iter_mut().enumerate() {
            let before = training.take().expect("put back each time");
            let (after, took) = if at == 0 {
                by_burn(|| before.step())
            } else {
                before.step()
            };
            *training = Some(after);
            shortest[at] = shortest[at].min(took);
        }
    }
    let [burn, ours] = shortest.map(|time| time.as_secs_f64());
    println!(
        "{name}: {burn:.2} s, then {ours:.2} s a step, {:.1} times faster",
        burn / ours
    );
}

#[test]
#[ignore = "a measurement, of a minute"]
fn steps_of_training() {
    share_one_heap();
    let _kept = KeptMemory::begin();
    let wide = ModelConfig {
        base_filters: 16,
        dropout: 0.05,
        decoder_up: DecoderUp::Transposed,
        ..ModelConfig::default()
    };
    let pretrained = ModelConfig {
        family: Family::Fpn,
        encoder: EncoderKind::Lite0,
        ..ModelConfig::default()
    };
    compare("U-Net of 16 filters, batch 32", &wide, 32);
    compare("U-Net of 8 filters, batch 8", &ModelConfig::default(), 8);
    compare("FPN on Lite0, batch 8", &pretrained, 8);
}
