//! EfficientNet-Lite0 beside its twin in PyTorch, which tests/reference/lite0.py holds.

use burn::tensor::activation::relu;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use serde::Deserialize;

use super::lite0::{Lite0, Norms};
use super::lite0_blocks::Block;

/// What tests/reference/lite0.py wrote.
#[derive(Deserialize)]
struct Reference {
    running: Vec<Vec<Summary>>,
    trained_on_running: Trained,
    trained_on_batch: Trained,
}

#[derive(Deserialize)]
struct Trained {
    maps: Vec<Summary>,
    gradients: std::collections::BTreeMap<String, Summary>,
}

#[derive(Deserialize)]
struct Summary {
    shape: Vec<usize>,
    mean: f64,
    std: f64,
    at: Vec<usize>,
    values: Vec<f64>,
}

impl Summary {
    /// Deviations are measured in standard deviations.
    #[track_caller]
    fn check<const D: usize>(&self, tensor: Tensor<D>, tolerance: f64) {
        assert_eq!(tensor.dims().to_vec(), self.shape);
        let values: Vec<f64> = tensor.try_into_vec_as().expect("numbers");
        let len = values.len() as f64;
        let mean = values.iter().sum::<f64>() / len;
        let square = |value: &f64| (value - mean).powi(2);
        let std = (values.iter().map(square).sum::<f64>() / len).sqrt();
        let near = |value: f64, expected: f64| {
            let off = (value - expected).abs() / self.std;
            assert!(
                off < tolerance,
                "{value} for {expected} in {:?}",
                self.shape
            );
        };
        near(mean, self.mean);
        near(std, self.std);
        for (&at, &expected) in self.at.iter().zip(&self.values) {
            near(values[at], expected);
        }
    }
}

fn reference() -> Reference {
    let text = include_str!("../../../tests/reference/lite0.json");
    serde_json::from_str(text).expect("the reference")
}

/// The pictures of tests/reference/lite0.py.
pub(super) fn pictures(count: usize, [rows, columns]: [usize; 2], device: &Device) -> Tensor<4> {
    let mut values = Vec::with_capacity(count * 3 * rows * columns);
    for n in 0..count {
        for c in 0..3 {
            for y in 0..rows {
                values.extend((0..columns).map(|x| {
                    let byte = x * x * (c + 1) / 16 + y * (7 + c) + x * y / 8 + 40 * c + 90 * n;
                    ((byte % 256) as f32 - Lite0::CENTER) / Lite0::SPREAD
                }));
            }
        }
    }
    Tensor::from_data(TensorData::new(values, [count, 3, rows, columns]), device)
}

/// Rows and columns of the pictures.
const SIZES: [[usize; 2]; 2] = [[48, 64], [61, 75]];

/// The reference's loss, gone backward.
pub(super) fn mean_square_above_zero(maps: &[Tensor<4>]) -> Gradients {
    maps.iter()
        .map(|map| relu(map.clone()).powi_scalar(2).mean())
        .reduce(|sum, part| sum + part)
        .expect("five maps")
        .backward()
}

#[test]
fn it_answers_as_in_pytorch_and_so_does_its_frozen_copy() {
    let device = Device::flex();
    let network = Lite0::new(3, &device);
    let frozen = network.frozen();
    for (size, expected) in SIZES.into_iter().zip(reference().running) {
        let images = pictures(1, size, &device);
        let maps = network.forward(images.clone());
        let features = frozen.features(images);
        assert_eq!((maps.len(), features.len()), (5, 5));
        for ((map, features), expected) in maps.into_iter().zip(features).zip(expected) {
            expected.check(map.clone(), 1e-4);
            let apart: f32 = (map - features).abs().max().into_scalar();
            assert!(f64::from(apart) < 1e-4 * expected.std, "{apart}");
        }
    }
}

#[test]
fn it_learns_as_in_pytorch() {
    let device = Device::flex().autodiff();
    let reference = reference();
    let cases = [
        (Norms::Running, reference.trained_on_running),
        (Norms::Batch, reference.trained_on_batch),
    ];
    for (norms, expected) in cases {
        let network = Lite0::new(3, &device).held(0, norms);
        let maps = network.forward(pictures(2, SIZES[1], &device));
        let grads = mean_square_above_zero(&maps);
        for (map, expected) in maps.into_iter().zip(expected.maps) {
            expected.check(map, 1e-3);
        }
        for (name, expected) in expected.gradients {
            check_gradient(&network, &name, &grads, &expected);
        }
    }
}

#[track_caller]
fn check_gradient(network: &Lite0, name: &str, grads: &Gradients, expected: &Summary) {
    const TOLERANCE: f64 = 1e-2;
    let blocks: Vec<&Block> = network
        .stages
        .iter()
        .flat_map(|stage| &stage.blocks)
        .collect();
    let stem = network.stages[0].stem.as_ref().expect("a stem");
    let weight = match name {
        "_conv_stem.weight" => &stem.weight,
        "_blocks.3._depthwise_conv.weight" => &blocks[3].depthwise.weight,
        "_blocks.11._depthwise_conv.weight" => &blocks[11].depthwise.weight,
        "_blocks.15._project_conv.weight" => &blocks[15].project.weight,
        vector => {
            let (layer, is_gamma) = match vector {
                "_blocks.5._bn0.weight" => (blocks[5].expand.as_ref(), true),
                "_blocks.15._bn2.bias" => (Some(&blocks[15].project), false),
                other => panic!("{other} is not watched"),
            };
            let norm = layer.and_then(|layer| layer.norm.as_ref()).expect("a norm");
            let vector = if is_gamma { &norm.gamma } else { &norm.beta };
            return expected.check(vector.grad(grads).expect("a gradient"), TOLERANCE);
        }
    };
    expected.check(weight.grad(grads).expect("a gradient"), TOLERANCE);
}
