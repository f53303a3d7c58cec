//! What holds for every optimizer: agreement with PyTorch, a state that comes back to the last
//! bit.

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData};

use super::parameters::lengths;
use super::test_line::{Line, Problem};
use super::updates::without_variants;
use super::{
    Adam, AdamW, Decays, Optimizer, OptimizerConfig, RateGroup, RmsProp, Sgd, UpdateConfig,
};
use crate::nn::{EncoderKind, Family, ModelConfig, Network, read_weights, write_weights};

/// Written by `tests/reference/optimizers.py`.
const REFERENCE: &str = include_str!("../../../tests/reference/optimizers.json");

#[derive(serde::Deserialize)]
struct Reference {
    problem: Problem,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    optimizer: OptimizerConfig,
    updates: UpdateConfig,
    rates: Vec<f64>,
    /// Weight and bias after each step.
    steps: Vec<Vec<f32>>,
    /// Their running means after the last, where they are kept.
    #[serde(default)]
    averaged: Vec<f32>,
}

fn reference() -> Reference {
    serde_json::from_str(REFERENCE).expect("the reference")
}

#[track_caller]
fn assert_near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let far = (found - expected).abs() / expected.abs().max(1e-2);
        assert!(far < 1e-5, "{found} is not {expected}");
    }
}

/// The networks after each step at `rates`, learning from `batch` on.
fn train(
    problem: &Problem,
    optimizer: &mut Optimizer,
    mut network: Line,
    rates: &[f64],
    mut batch: usize,
) -> Vec<Line> {
    let mut networks = Vec::new();
    for rate in rates {
        while !optimizer.is_due() {
            let gradients = problem.gradients(&network, batch);
            optimizer.accumulate(&network, gradients);
            batch += 1;
        }
        network = optimizer.step(network, *rate);
        networks.push(network.clone());
    }
    networks
}

#[test]
fn steps_agree_with_pytorch() {
    let Reference { problem, cases } = reference();
    assert!(cases.len() >= 14);
    for case in cases {
        println!("{:?} {:?}", case.optimizer, case.updates);
        let network = problem.network();
        let mut optimizer =
            Optimizer::new(&case.optimizer, &case.updates, &network).expect("an optimizer");
        let networks = train(&problem, &mut optimizer, network, &case.rates, 0);
        assert_eq!(networks.len(), case.steps.len());
        for (network, expected) in networks.iter().zip(&case.steps) {
            assert_near(&network.numbers(), expected);
        }
        if !case.averaged.is_empty() {
            let averaged = optimizer.averaged(&networks[networks.len() - 1]);
            assert_near(&averaged.numbers(), &case.averaged);
        }
    }
}

/// Every rule with all that can be done beside it.
fn everything() -> Vec<(OptimizerConfig, UpdateConfig)> {
    let weight_decay = 0.02;
    let updates = UpdateConfig {
        decays: Decays::Weights,
        clip_norm: Some(0.3),
        accumulate: 2,
        ema: Some(0.9),
        groups: vec![RateGroup {
            prefix: "bias".to_owned(),
            factor: 0.5,
        }],
    };
    let rules = [
        OptimizerConfig::Adam(Adam::default()),
        OptimizerConfig::AdamW(AdamW::default()),
        OptimizerConfig::RmsProp(RmsProp {
            momentum: 0.9,
            weight_decay,
            ..RmsProp::default()
        }),
        OptimizerConfig::Sgd(Sgd {
            nesterov: true,
            weight_decay,
            ..Sgd::default()
        }),
        OptimizerConfig::Sgd(Sgd {
            momentum: 0.0,
            ..Sgd::default()
        }),
    ];
    let plain = rules.map(|rule| (rule, UpdateConfig::default()));
    let full = rules.map(|rule| (rule, updates.clone()));
    [plain, full].concat()
}

#[test]
fn ten_steps_are_five_and_five_after_a_restart_to_the_last_bit() {
    let problem = reference().problem;
    let rates: Vec<f64> = (1..=10).map(|n| 0.1 / f64::from(n)).collect();
    for (rule, updates) in everything() {
        let new = |network: &Line| Optimizer::new(&rule, &updates, network).expect("an optimizer");
        let network = problem.network();
        let mut whole = new(&network);
        let networks = train(&problem, &mut whole, network.clone(), &rates, 0);

        let mut first = new(&network);
        let half = train(&problem, &mut first, network, &rates[..5], 0).remove(4);
        let bytes = first.state_bytes().expect("a state");
        let resumed = half.rebuilt();
        let mut second = new(&resumed);
        second.load_state(&bytes, &Device::flex()).expect("a fit");
        assert_eq!(second.state_bytes().expect("a state"), bytes);
        let batch = 5 * updates.accumulate as usize;
        let last = train(&problem, &mut second, resumed, &rates[5..], batch).remove(4);

        let bits = |line: &Line| {
            line.numbers()
                .into_iter()
                .map(f32::to_bits)
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&last), bits(&networks[9]), "{rule:?}");
        let averages = [whole.averaged(&last), second.averaged(&last)];
        assert_eq!(bits(&averages[0]), bits(&averages[1]), "{rule:?}");
        assert_eq!((whole.steps(), second.steps()), (10, 10));
    }
}

#[test]
fn gradients_that_wait_for_more_batches_are_kept_too() {
    let problem = reference().problem;
    let (rule, updates) = everything().remove(5);
    let network = problem.network();
    let mut whole = Optimizer::new(&rule, &updates, &network).expect("an optimizer");
    whole.accumulate(&network, problem.gradients(&network, 0));
    assert!(!whole.is_due());
    let mut resumed = Optimizer::new(&rule, &updates, &network).expect("an optimizer");
    let bytes = whole.state_bytes().expect("a state");
    resumed.load_state(&bytes, &Device::flex()).expect("a fit");
    let [a, b] = [&mut whole, &mut resumed].map(|optimizer| {
        optimizer.accumulate(&network, problem.gradients(&network, 1));
        assert!(optimizer.is_due());
        optimizer.step(network.clone(), 0.1).numbers()
    });
    assert_eq!(a, b);
}

#[test]
fn a_state_that_does_not_fit_is_refused_and_changes_nothing() {
    let problem = reference().problem;
    let network = problem.network();
    let new = |rule: &OptimizerConfig, updates: &UpdateConfig| {
        let mut optimizer = Optimizer::new(rule, updates, &network).expect("an optimizer");
        optimizer.accumulate(&network, problem.gradients(&network, 0));
        drop(optimizer.step(network.clone(), 0.1));
        optimizer
    };
    let configs = everything();
    let mut optimizer = new(&configs[0].0, &configs[0].1);
    let before = optimizer.state_bytes().expect("a state");
    let cut_short = before[..before.len() - 4].to_vec();
    let adamw = new(&configs[1].0, &configs[1].1)
        .state_bytes()
        .expect("a state");
    let mut renamed = before.clone();
    let at = (0..renamed.len() - 6).find(|&at| &renamed[at..at + 6] == b"weight");
    renamed[at.expect("a path")] = b'W';
    for (bytes, word) in [
        (cut_short, "damaged"),
        (adamw, "adamw"),
        (renamed, "does not fit"),
        (Vec::new(), "cut short"),
    ] {
        let error = optimizer
            .load_state(&bytes, &Device::flex())
            .expect_err("a refusal");
        assert!(error.to_string().contains(word), "{error}");
    }
    let mut averaging = new(&configs[5].0, &configs[5].1);
    let error = averaging
        .load_state(&before, &Device::flex())
        .expect_err("a refusal");
    assert!(error.to_string().contains("running means"), "{error}");
    assert_eq!(optimizer.state_bytes().expect("a state"), before);
}

#[test]
fn what_is_frozen_stays_and_may_be_thawed() {
    let problem = reference().problem;
    let group = |factor| {
        [RateGroup {
            prefix: "weight".to_owned(),
            factor,
        }]
    };
    let updates = UpdateConfig {
        groups: group(0.0).to_vec(),
        ..UpdateConfig::default()
    };
    let rule = OptimizerConfig::AdamW(AdamW::default());
    let network = problem.network();
    let before = network.numbers();
    let mut optimizer = Optimizer::new(&rule, &updates, &network).expect("an optimizer");
    let network = train(&problem, &mut optimizer, network, &[0.1; 3], 0).remove(2);
    let after = network.numbers();
    assert_eq!(after[..6], before[..6]);
    assert!((6..9).all(|at| after[at] != before[at]));
    optimizer.set_groups(&group(1.0)).expect("a group");
    let network = train(&problem, &mut optimizer, network, &[0.1], 3).remove(0);
    assert!((0..6).all(|at| network.numbers()[at] != before[at]));
    let error = optimizer.set_groups(&[RateGroup {
        prefix: "encoder".to_owned(),
        factor: 0.1,
    }]);
    let error = error.expect_err("a refusal").to_string();
    assert!(error.contains("bias, weight"), "{error}");
}

#[test]
fn without_gradients_a_step_changes_nothing() {
    let problem = reference().problem;
    let network = problem.network();
    let (rule, updates) = (OptimizerConfig::default(), UpdateConfig::default());
    let mut optimizer = Optimizer::new(&rule, &updates, &network).expect("an optimizer");
    let before = network.numbers();
    assert_eq!(optimizer.step(network, 0.1).numbers(), before);
    assert_eq!(optimizer.steps(), 0);
}

/// A small network with norms, and a batch for it.
fn small_unet() -> (Network, Tensor<4>) {
    let device = Device::flex().autodiff();
    let config = ModelConfig {
        base_filters: 2,
        depth: 1,
        ..ModelConfig::default()
    };
    let mut at = 0.1_f32;
    let mut uniform = || {
        at = (at * 7.3 + 0.11).fract();
        at
    };
    let network = Network::new(&config, 2, &mut uniform, &device);
    let numbers: Vec<f32> = (0..3 * 64).map(|_| uniform() - 0.5).collect();
    let images = TensorData::new(numbers, [1, 3, 8, 8]);
    (network, Tensor::from_data(images, &device))
}

fn taught(
    optimizer: &mut Optimizer,
    mut network: Network,
    images: &Tensor<4>,
    steps: u32,
) -> Network {
    for _ in 0..steps {
        let loss = network.forward(images.clone()).square().mean();
        optimizer.accumulate(&network, loss.backward());
        network = optimizer.step(network, 0.01);
    }
    network
}

#[test]
fn a_unet_goes_on_from_its_files_to_the_last_bit() {
    let updates = UpdateConfig {
        clip_norm: Some(0.5),
        ema: Some(0.9),
        ..UpdateConfig::default()
    };
    let (network, images) = small_unet();
    let new = |network: &Network| {
        Optimizer::new(&OptimizerConfig::default(), &updates, network).expect("an optimizer")
    };
    let bytes_of = |network: &Network| write_weights(&network.valid()).expect("bytes");
    let mut optimizer = new(&network);
    let half = taught(&mut optimizer, network, &images, 2);
    let (weights, state) = (bytes_of(&half), optimizer.state_bytes().expect("a state"));
    let whole = taught(&mut optimizer, half, &images, 3);

    let (mut resumed, _) = small_unet();
    read_weights(&mut resumed, weights).expect("a fit");
    let mut second = new(&resumed);
    second.load_state(&state, &Device::flex()).expect("a fit");
    let resumed = taught(&mut second, resumed, &images, 3);
    assert_eq!(bytes_of(&resumed), bytes_of(&whole));
    let averages = [optimizer.averaged(&whole), second.averaged(&resumed)];
    assert_eq!(bytes_of(&averages[0]), bytes_of(&averages[1]));
}

#[test]
fn asking_for_the_means_leaves_the_network_as_it_is() {
    let updates = UpdateConfig {
        ema: Some(0.9),
        ..UpdateConfig::default()
    };
    let (network, images) = small_unet();
    let mut optimizer =
        Optimizer::new(&OptimizerConfig::default(), &updates, &network).expect("an optimizer");
    let network = taught(&mut optimizer, network, &images, 3);
    let bytes_of = |network: &Network| write_weights(&network.valid()).expect("bytes");
    let before = bytes_of(&network);
    let averaged = bytes_of(&optimizer.averaged(&network));
    // Norms share their running means between clones of a network.
    assert_ne!(averaged, before);
    assert_eq!(bytes_of(&network), before);
}

#[test]
fn each_weight_of_an_encoder_is_of_one_stage() {
    for encoder in EncoderKind::ALL {
        let config = ModelConfig {
            family: Family::Fpn,
            encoder,
            base_filters: 1,
            stem_filters: 2,
            ..ModelConfig::default()
        };
        let network = Network::new(&config, 2, &mut || 0.5, &Device::flex());
        let paths: Vec<String> = lengths(&network).into_keys().collect();
        let group = |prefix: &str| RateGroup {
            prefix: prefix.to_owned(),
            factor: 0.1,
        };
        let stages = encoder.stages();
        let of_encoder = |path: &&String| without_variants(path).starts_with("encoder.");
        for path in paths.iter().filter(of_encoder) {
            let prefixes = stages.iter().copied().flatten();
            let found = prefixes.filter(|prefix| group(prefix).holds(path)).count();
            assert_eq!(found, 1, "{} {path}", encoder.name());
        }
        for prefix in stages.iter().copied().flatten() {
            let holds = paths.iter().any(|path| group(prefix).holds(path));
            assert!(holds, "{} {prefix}", encoder.name());
        }
    }
}
