//! What a network answers and learns does not depend on the device: representatives of all families
//! and every loss, on a graphics adapter and on the processor.
//!
//! A software adapter compiles kernels for long and counts only part of axes of more than 65,536
//! numbers, so networks are thin, images small, and shapes few; families around encoders, which
//! take it minutes each, are compared on cards alone.

use std::process::Command;
use std::time::Instant;

use burn::module::{Module as _, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::{Device, DeviceKind, Int, Tensor, TensorData};
use orthobrush::nn::{
    DecoderUp, EncoderKind, Family, Loss, LossTerm, ModelConfig, Network, NormKind,
};

/// Columns and rows of the images.
const SIDE: usize = 64;
const NUM_CLASSES: usize = 2;
/// Answers may differ by this share of their size.
const ANSWERS: f64 = 1e-3;
/// Slopes go through every norm twice, which takes digits; a wrong kernel is off by far more.
const SLOPES: f64 = 1e-2;

/// A network, or a loss, by name.
type Case = (&'static str, ModelConfig, Loss);

/// The adapter in software where there is one, as for tests that draw, else a card; and whether it
/// is in software.
fn adapter() -> Option<(Device, bool)> {
    let kinds = [
        DeviceKind::Cpu,
        DeviceKind::DiscreteGpu(0),
        DeviceKind::IntegratedGpu(0),
        DeviceKind::VirtualGpu(0),
    ];
    let api = if cfg!(target_os = "macos") {
        WgpuBackend::Metal
    } else {
        WgpuBackend::Vulkan
    };
    let open = |kind| {
        let is_software = kind == DeviceKind::Cpu;
        let options = Device::wgpu_options().device_kind(kind).graphics_api(api);
        let device = options.tasks_max(16).init().ok()?;
        Some((device, is_software))
    };
    let device = kinds.into_iter().find_map(open);
    if device.is_none() {
        assert!(
            std::env::var_os("ORTHOBRUSH_REQUIRE_GPU").is_none(),
            "install a graphics driver, for example mesa-vulkan-drivers"
        );
    }
    device
}

/// Numbers in 0 to 1 without regularity, the same each time.
fn noise() -> impl FnMut() -> f32 {
    let mut n = 0_u32;
    move || {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (n >> 8) as f32 / (1 << 24) as f32
    }
}

/// The weights of the first convolution.
#[derive(Default)]
struct FirstLayer(Option<ParamId>);

impl ModuleVisitor for FirstLayer {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D == 4 && self.0.is_none() {
            self.0 = Some(param.id);
        }
    }
}

/// What is compared, by name, with the share that it may differ by.
type Answers = Vec<(&'static str, f64, Vec<f32>)>;

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor.into_data();
    data.try_into_vec_as().expect("numbers")
}

/// A step of a fresh network of `config` on `device`.
fn answers(config: &ModelConfig, loss: &Loss, device: &Device) -> Answers {
    let device = device.clone().autodiff();
    let network = Network::new(config, NUM_CLASSES, &mut noise(), &device);
    let mut uniform = noise();
    let pixels: Vec<f32> = (0..3 * SIDE * SIDE)
        .map(|_| uniform() * 2.0 - 1.0)
        .collect();
    let images = TensorData::new(pixels, [1, 3, SIDE, SIDE]);
    let images = Tensor::<4>::from_data(images, &device);
    // A lower half of another class, and a corner without one.
    let classes = (0..SIDE * SIDE).map(|at| match (at / SIDE, at % SIDE) {
        (0..5, 0..9) => 255,
        (row, _) => i32::from(row >= SIDE / 2),
    });
    let labels = TensorData::new(classes.collect::<Vec<i32>>(), [1, SIDE, SIDE]);
    let labels = Tensor::<3, Int>::from_data(labels, &device.clone().inner());
    let logits = network.forward(images.clone());
    let value = loss.value(logits.clone(), labels, &[1.0, 2.0]);
    let value = value.expect("a loss");
    let gradients = GradientsParams::from_grads(value.backward(), &network);
    let slope = |id: ParamId| read(gradients.get::<4>(id).expect("a gradient"));
    let mut first = FirstLayer::default();
    network.visit(&mut first);
    let mut answers = vec![
        ("logits", ANSWERS, read(logits)),
        ("loss", ANSWERS, read(value)),
        ("head", SLOPES, slope(network.head_weight())),
        (
            "first layer",
            SLOPES,
            slope(first.0.expect("a convolution")),
        ),
    ];
    if config.auxiliary_weight > 0.0 {
        // In use: in training it leaves out values, which each device draws for itself.
        let (_, second) = network.valid().forward_deeply(images.inner());
        answers.push(("second head", ANSWERS, read(second.expect("a second head"))));
    }
    answers
}

/// Root of the sum of squares.
fn size(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|number| number * number).sum::<f64>().sqrt()
}

/// Says what of a step differs between `device` and the processor, if anything.
fn differences(name: &str, config: &ModelConfig, loss: &Loss, device: &Device) -> Vec<String> {
    assert_eq!(config.check(), Ok(()), "{name}");
    let found = answers(config, loss, device);
    let expected = answers(config, loss, &Device::flex());
    let mut differences = Vec::new();
    for ((what, most, found), (_, _, expected)) in found.iter().zip(&expected) {
        let pairs = found.iter().zip(expected);
        let apart = size(pairs.map(|(a, b)| f64::from(*a) - f64::from(*b)));
        let share = apart / size(expected.iter().copied().map(f64::from)).max(1e-6);
        let is_close = found.len() == expected.len() && share <= *most;
        if !is_close {
            differences.push(format!("{name}: {what} is off by {share:.1e}"));
        }
    }
    differences
}

/// Thin networks that are trained from nothing.
fn plain_networks() -> [(&'static str, ModelConfig); 2] {
    let unet = ModelConfig {
        family: Family::Unet,
        encoder: EncoderKind::Plain,
        ..ModelConfig::default().thin()
    };
    let residual = ModelConfig {
        residual: true,
        decoder_up: DecoderUp::Transposed,
        norm: NormKind::Group,
        ..unet.clone()
    };
    [
        ("unet", unet),
        ("residual unet, transposed, group norms", residual),
    ]
}

/// Thin decoders of the other families and kinds of layers around encoders.
fn networks_around_encoders() -> [(&'static str, ModelConfig); 7] {
    let around = |family, encoder| ModelConfig {
        family,
        encoder,
        width: Some(16),
        ..ModelConfig::default().thin()
    };
    let two_heads = ModelConfig {
        auxiliary_weight: 0.4,
        ..around(Family::Pspnet, EncoderKind::Resnet18)
    };
    let dilated = ModelConfig {
        output_stride: Some(16),
        ..around(Family::DeepLabV3Plus, EncoderKind::Lite0)
    };
    [
        (
            "unet around lite0",
            around(Family::Unet, EncoderKind::Lite0),
        ),
        ("fpn", around(Family::Fpn, EncoderKind::Resnet18)),
        ("pspnet with a second head", two_heads),
        (
            "deeplabv3",
            around(Family::DeepLabV3, EncoderKind::Resnet18),
        ),
        ("deeplabv3plus around lite0", dilated),
        ("fcn16s", around(Family::Fcn16s, EncoderKind::Resnet18)),
        ("fcn8s", around(Family::Fcn8s, EncoderKind::Resnet18)),
    ]
}

fn losses() -> [(&'static str, LossTerm); 6] {
    let (weight, smoothing, smooth) = (1.0, 0.1, 1.0);
    [
        (
            "cross-entropy",
            LossTerm::CrossEntropy { weight, smoothing },
        ),
        (
            "binary cross-entropy",
            LossTerm::BinaryCrossEntropy { weight, smoothing },
        ),
        ("focal", LossTerm::Focal { weight, gamma: 2.0 }),
        ("dice", LossTerm::Dice { weight, smooth }),
        ("jaccard", LossTerm::Jaccard { weight, smooth }),
        ("lovasz", LossTerm::Lovasz { weight }),
    ]
}

/// What is compared: every loss with the first network, and the networks.
fn cases(is_software: bool) -> Vec<Case> {
    let [(_, unet), ..] = plain_networks();
    let losses = losses()
        .into_iter()
        .map(move |(name, term)| (name, unet.clone(), Loss(vec![term])));
    let around = networks_around_encoders().into_iter();
    let networks = plain_networks()
        .into_iter()
        .chain(around.filter(|_| !is_software));
    networks
        .map(|(name, config)| (name, config, Loss::default()))
        .chain(losses)
        .collect()
}

#[test]
#[ignore = "the child of the next test"]
fn compared_with_the_processor() {
    let Some((device, is_software)) = adapter() else {
        println!("Not run: there is no graphics adapter");
        return;
    };
    let name = device.identity().map(|identity| identity.name);
    println!("On {}", name.unwrap_or_default());
    let mut differing = Vec::new();
    for (name, config, loss) in cases(is_software) {
        let began = Instant::now();
        differing.extend(differences(name, &config, &loss, &device));
        println!("{name}: {:.1} s", began.elapsed().as_secs_f64());
    }
    assert!(differing.is_empty(), "\n{}", differing.join("\n"));
}

/// In a process of its own, for the search for the fastest kernels, which would take a software
/// adapter a quarter of an hour, can only be shortened from outside.
#[test]
fn graphics_adapters_compute_what_the_processor_computes() {
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args([
            "backends::compared_with_the_processor",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env("CUBECL_AUTOTUNE_LEVEL", "minimal")
        .output()
        .expect("it starts");
    let [told, errors] = [&child.stdout, &child.stderr].map(|text| String::from_utf8_lossy(text));
    println!("{told}");
    assert!(child.status.success(), "{told}\n{errors}");
    assert!(told.contains("1 passed"), "the child has a name: {told}");
}
