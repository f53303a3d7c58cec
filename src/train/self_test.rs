use burn::nn::BatchNormConfig;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::nn::{Loss, ModelConfig, Network};

/// What a training or a prediction will ask of a device.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Workload {
    /// Patches in a step.
    pub(super) batch: usize,
    /// Columns and rows of a patch.
    pub(super) side: usize,
    /// The network, as thin as [`ModelConfig::thin`] makes it.
    model: ModelConfig,
    loss: Loss,
}

impl Workload {
    /// Steps of `batch` patches of `side` × `side` pixels.
    pub(super) fn new([batch, side]: [usize; 2], model: &ModelConfig, loss: &Loss) -> Self {
        Self {
            batch,
            side,
            model: model.thin(),
            loss: loss.clone(),
        }
    }
}

/// Answers of two devices may differ by this share; a wrong kernel is off by far more.
const TOLERANCE: f32 = 1e-2;

/// Classes in a step of the workload's own network; what holds for two holds for more.
const NUM_CLASSES: usize = 2;
/// Columns and rows of its images.
const OWN_SIDE: usize = 64;

/// Compares `device` with the CPU on what a training does: a batch normalisation, a mean and a small
/// network forward and backward over the real number of pixels, since some drivers count only part
/// of a long axis; and a step of the workload's own kind of network and loss over few pixels.
///
/// # Errors
/// Says what differs. May panic where the driver does.
pub(super) fn agrees_with_cpu(device: &Device, workload: &Workload) -> Result<(), String> {
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

fn answers(device: &Device, workload: &Workload) -> Result<[Answer; 6], String> {
    let device = device.clone().autodiff();
    let images = noise([workload.batch, 3, workload.side], &device);
    let norm = BatchNormConfig::new(3).init(&device);
    let normalised = norm.forward(images.clone());
    let mean = (images.clone() + 0.5).mean();
    let pixel = normalised.slice([0..1, 0..3, 0..1, 0..4]).reshape([12]);
    let small = ModelConfig {
        base_filters: 4,
        depth: 1,
        ..ModelConfig::default()
    };
    let squares = |logits: Tensor<4>| Ok(logits.powf_scalar(2.0).mean());
    let (loss, gradient) = step(&small, 2, images, squares)?;
    let (own_loss, own_gradient) = own_step(&device, workload)?;
    Ok([
        ("mean", read(mean)?),
        ("batch normalisation", read(pixel)?),
        ("loss", loss),
        ("gradient", gradient),
        ("loss of the network", own_loss),
        ("gradient of the network", own_gradient),
    ])
}

/// Numbers in -0.75 to 1.25, equal everywhere, as `[N, C, side, side]`.
fn noise([batch, channels, side]: [usize; 3], device: &Device) -> Tensor<4> {
    let numbers = (0..batch * channels * side * side).map(|n| {
        // The middle bits of a product are as good as random here.
        let bits = (n as u32).wrapping_mul(2_654_435_761) >> 12;
        (bits & 0xFFF) as f32 / 2048.0 - 0.75
    });
    let shape = [batch, channels, side, side];
    Tensor::from_data(
        TensorData::new(numbers.collect::<Vec<f32>>(), shape),
        device,
    )
}

/// A step of the workload's own kind of network and loss. Few pixels suffice: how long axes are
/// counted is seen elsewhere.
fn own_step(device: &Device, workload: &Workload) -> Result<(Vec<f32>, Vec<f32>), String> {
    let Workload { model, loss, .. } = workload;
    let images = noise([2, model.in_channels, OWN_SIDE], device);
    let rows = Tensor::<1, Int>::arange(0..OWN_SIDE as i64, &device.clone().inner());
    let labels = rows.greater_equal_elem(OWN_SIDE as i64 / 3).int();
    let labels = labels.reshape([1, OWN_SIDE, 1]).repeat(&[2, 1, OWN_SIDE]);
    step(model, NUM_CLASSES, images, |logits| {
        let value = loss.value(logits, labels, &[1.0; NUM_CLASSES]);
        value.map_err(|error| error.to_string())
    })
}

/// The loss of a fresh network and the slopes of its last weights; those of the first lose too many
/// digits in a deep one, on any device.
fn step(
    config: &ModelConfig,
    num_classes: usize,
    images: Tensor<4>,
    loss: impl FnOnce(Tensor<4>) -> Result<Tensor<1>, String>,
) -> Result<(Vec<f32>, Vec<f32>), String> {
    let mut weight = 0.0_f32;
    let mut uniform = || {
        weight = (weight + 0.618_034).fract();
        weight
    };
    let network = Network::new(config, num_classes, &mut uniform, &images.device());
    let loss = loss(network.forward(images))?;
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    let gradient = gradients
        .get::<4>(network.head_weight())
        .ok_or("it gives no gradient")?;
    Ok((read(loss)?, read(gradient.flatten(0, 3))?))
}

fn read(tensor: Tensor<1>) -> Result<Vec<f32>, String> {
    tensor.try_into_vec_as().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{EncoderKind, Family};

    #[test]
    fn the_cpu_agrees_with_itself_on_every_kind_of_network() {
        let device = Device::flex();
        let pairs = Family::ALL
            .into_iter()
            .flat_map(|family| EncoderKind::ALL.map(|encoder| (family, encoder)));
        for (family, encoder) in pairs {
            let model = ModelConfig {
                family,
                encoder,
                ..ModelConfig::default()
            };
            let workload = Workload::new([2, 32], &model, &Loss::default());
            assert_eq!(workload.model.check(), Ok(()));
            assert_eq!(agrees_with_cpu(&device, &workload), Ok(()));
        }
    }
}
