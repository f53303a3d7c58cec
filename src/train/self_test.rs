use burn::nn::BatchNormConfig;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use crate::nn::{ModelConfig, Network};

/// The shape that a training or a prediction will have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Workload {
    /// Patches in a step.
    pub(super) batch: usize,
    /// Columns and rows of a patch.
    pub(super) side: usize,
}

/// Answers of two devices may differ by this share; a wrong kernel is off by far more.
const TOLERANCE: f32 = 1e-2;

/// Compares `device` with the CPU on what a training does: a small network forward and backward
/// and a batch normalisation and a mean over the real number of pixels, since some drivers count
/// only part of a long axis.
///
/// # Errors
/// Says what differs. May panic where the driver does.
pub(super) fn agrees_with_cpu(device: &Device, workload: Workload) -> Result<(), String> {
    let found = answers(device, workload)?;
    let expected = answers(&Device::flex(), workload)?;
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        let scale = expected
            .iter()
            .fold(1e-3_f32, |most, value| most.max(value.abs()));
        let is_close =
            |(found, expected): (&f32, &f32)| (found - expected).abs() <= TOLERANCE * scale;
        if found.len() != expected.len() || !found.iter().zip(expected).all(is_close) {
            return Err(format!("its {name} differs from the CPU's"));
        }
    }
    Ok(())
}

type Answer = (&'static str, Vec<f32>);

fn answers(device: &Device, workload: Workload) -> Result<[Answer; 4], String> {
    let device = device.clone().autodiff();
    let Workload { batch, side } = workload;
    let noise = (0..batch * 3 * side * side).map(|n| {
        // The middle bits of a product are as good as random here and equal everywhere.
        let bits = (n as u32).wrapping_mul(2_654_435_761) >> 12;
        (bits & 0xFFF) as f32 / 2048.0 - 0.75
    });
    let images = TensorData::new(noise.collect::<Vec<f32>>(), [batch, 3, side, side]);
    let images = Tensor::<4>::from_data(images, &device);
    let norm = BatchNormConfig::new(3).init(&device);
    let normalised = norm.forward(images.clone());
    let mean = (images.clone() + 0.5).mean();
    let pixel = normalised.slice([0..1, 0..3, 0..1, 0..4]).reshape([12]);
    let (loss, gradient) = step_of_small_network(&device, images)?;
    Ok([
        ("mean", read(mean)?),
        ("batch normalisation", read(pixel)?),
        ("loss", loss),
        ("gradient", gradient),
    ])
}

fn step_of_small_network(
    device: &Device,
    images: Tensor<4>,
) -> Result<(Vec<f32>, Vec<f32>), String> {
    let config = ModelConfig {
        base_filters: 4,
        depth: 1,
        ..ModelConfig::default()
    };
    let mut weight = 0.0_f32;
    let mut uniform = || {
        weight = (weight + 0.618_034).fract();
        weight
    };
    let network = Network::new(&config, 2, &mut uniform, device);
    let loss = network.forward(images).powf_scalar(2.0).mean();
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    let gradient = gradients
        .get::<4>(network.head_weight())
        .ok_or("it gives no gradient")?;
    Ok((read(loss)?, read(gradient.reshape([8]))?))
}

fn read(tensor: Tensor<1>) -> Result<Vec<f32>, String> {
    tensor.try_into_vec_as().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_agrees_with_itself() {
        assert_eq!(
            agrees_with_cpu(&Device::flex(), Workload { batch: 2, side: 32 }),
            Ok(())
        );
    }
}
