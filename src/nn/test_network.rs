use burn::tensor::{Device, Tensor, TensorData};

use super::{ModelConfig, Network};

/// Numbers in [0, 1) that are the same each time.
pub fn noise() -> impl FnMut() -> f32 {
    let mut n = 0u32;
    move || {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (n >> 8) as f32 / (1 << 24) as f32
    }
}

/// The network of `config` with fresh weights from [`noise`].
pub fn network(config: &ModelConfig, num_classes: usize, device: &Device) -> Network {
    Network::new(config, num_classes, &mut noise(), device)
}

/// How many weights the network of `config` has.
pub fn weights_of(config: &ModelConfig, num_classes: usize) -> usize {
    Network::new(config, num_classes, &mut || 0.5, &Device::flex()).num_weights()
}

/// How many weights the published network `name` has; written by
/// `tests/reference/weight_counts.py`.
pub fn published(name: &str) -> usize {
    let text = include_str!("../../tests/reference/weight_counts.json");
    let counts: serde_json::Value = serde_json::from_str(text).expect("counts");
    let count = counts[name].as_u64().expect("a network that was counted");
    usize::try_from(count).expect("it fits")
}

/// Images of `shape` `[N, C, H, W]` without regularity, in -1 to 1.
pub fn images(shape: [usize; 4], device: &Device) -> Tensor<4> {
    let mut uniform = noise();
    let numbers = (0..shape.iter().product()).map(|_| uniform() * 2.0 - 1.0);
    Tensor::from_data(
        TensorData::new(numbers.collect::<Vec<f32>>(), shape),
        device,
    )
}
