//! A training step on the CPU beside the same network in `PyTorch`, on the same machine, step by
//! step in turn, so that whatever else the machine does falls on both.
//!
//! `cargo bench --bench throughput`; `PYTHON` names an interpreter that has torch. Without one only
//! our own time is printed.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use burn::tensor::{Device, Int, Tensor, TensorData};
use orthobrush::nn::{KeptMemory, ModelConfig, Network, cross_entropy, share_one_heap};
use orthobrush::train::{Optimizer, OptimizerConfig, UpdateConfig};

const NUM_CLASSES: usize = 5;
const ROUNDS: usize = 6;

/// A network and a step's data.
#[derive(Clone, Copy)]
struct Case {
    base_filters: usize,
    patch: usize,
    batch: usize,
}

const CASES: [Case; 2] = [
    Case {
        base_filters: 16,
        patch: 256,
        batch: 8,
    },
    Case {
        base_filters: 8,
        patch: 128,
        batch: 8,
    },
];
const DEPTH: usize = 4;

fn main() {
    share_one_heap();
    // `cargo test --benches` asks for a run that only shows that it works.
    let rounds = if std::env::args().any(|arg| arg == "--bench") {
        ROUNDS
    } else {
        1
    };
    // As a training does.
    let _kept = KeptMemory::begin();
    for case in CASES {
        compare(case, rounds);
    }
}

fn compare(case: Case, rounds: usize) {
    let Case {
        base_filters,
        patch,
        batch,
    } = case;
    println!("U-Net, {base_filters} filters, depth {DEPTH}, batch {batch} of {patch} x {patch}");
    let mut ours = Ours::new(case);
    let mut peer = Peer::start(case);
    ours.step();
    if let Some(peer) = &mut peer {
        peer.step();
    }
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        own.push(ours.step());
        other.extend(peer.as_mut().map(Peer::step));
    }
    println!("  Orthobrush (Flex): {:.3} s a step", median(&mut own));
    if !other.is_empty() {
        println!("  PyTorch:           {:.3} s a step", median(&mut other));
        println!(
            "  ratio:             {:.2}",
            median(&mut own) / median(&mut other)
        );
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

struct Ours {
    network: Network,
    optimizer: Optimizer,
    images: Tensor<4>,
    labels: Tensor<3, Int>,
    weights: Tensor<1>,
}

impl Ours {
    fn new(case: Case) -> Self {
        let device = Device::flex().autodiff();
        let config = ModelConfig {
            base_filters: case.base_filters,
            depth: DEPTH,
            ..ModelConfig::default()
        };
        let mut noise = noise();
        let network = Network::new(&config, NUM_CLASSES, &mut noise, &device);
        println!("  weights:           {}", network.num_weights());
        let Case { patch, batch, .. } = case;
        let pixels: Vec<f32> = (0..batch * 3 * patch * patch)
            .map(|_| noise() * 2.0 - 1.0)
            .collect();
        let labels: Vec<i32> = (0..batch * patch * patch)
            .map(|_| (noise() * NUM_CLASSES as f32) as i32)
            .collect();
        let plain = device.clone().inner();
        Self {
            optimizer: Optimizer::new(
                &OptimizerConfig::default(),
                &UpdateConfig::default(),
                &network,
            )
            .expect("the default fits any network"),
            network,
            images: Tensor::from_data(TensorData::new(pixels, [batch, 3, patch, patch]), &device),
            labels: Tensor::from_data(TensorData::new(labels, [batch, patch, patch]), &plain),
            weights: Tensor::ones([NUM_CLASSES], &plain),
        }
    }

    /// Seconds of one step: forward, backward, update.
    fn step(&mut self) -> f64 {
        let began = Instant::now();
        let logits = self.network.forward(self.images.clone());
        let loss = cross_entropy(logits, self.labels.clone(), self.weights.clone()).mean();
        self.optimizer.accumulate(&self.network, loss.backward());
        self.network = self.optimizer.step(self.network.clone(), 1e-3);
        assert!(loss.into_scalar::<f32>().is_finite());
        began.elapsed().as_secs_f64()
    }
}

fn noise() -> impl FnMut() -> f32 {
    let mut n = 1_u32;
    move || {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (n >> 8) as f32 / (1 << 24) as f32
    }
}

/// The same in another process.
struct Peer {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start(case: Case) -> Option<Self> {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let numbers = [
            case.base_filters,
            DEPTH,
            case.patch,
            case.batch,
            NUM_CLASSES,
            threads,
        ];
        let mut process = Command::new(&python)
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/benches/peers/unet.py"
            ))
            .args(numbers.map(|number| number.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut answers = BufReader::new(process.stdout.take()?);
        let mut line = String::new();
        answers.read_line(&mut line).ok()?;
        if !line.starts_with("ready") {
            println!("  {python} has no torch; set PYTHON to compare");
            return None;
        }
        println!("  PyTorch:           {}", line.trim());
        Some(Self { process, answers })
    }

    fn step(&mut self) -> f64 {
        let stdin = self.process.stdin.as_mut().expect("a pipe");
        stdin.write_all(b"step\n").expect("a peer that listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        line.trim().parse().expect("seconds")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
