use burn::tensor::{Device, Tensor};

use super::{Adam, AdamW, OptimizerConfig, RmsProp, Sgd};

/// What an optimizer remembers of one parameter.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    /// Steps the parameter has made.
    pub(super) time: u64,
    /// As [`OptimizerConfig::memories`] names them; empty before the first step.
    pub(super) memories: Vec<Tensor<1>>,
}

impl Slot {
    fn take(&mut self, device: &Device) -> impl Iterator<Item = Tensor<1>> + use<> {
        let device = device.clone();
        std::mem::take(&mut self.memories)
            .into_iter()
            .map(move |memory| {
                if memory.device() == device {
                    memory
                } else {
                    memory.to_device(&device)
                }
            })
    }
}

/// A step of one parameter.
pub(super) struct Move {
    /// Its numbers.
    pub(super) weight: Tensor<1>,
    /// Their gradient.
    pub(super) gradient: Tensor<1>,
    /// The learning rate.
    pub(super) rate: f64,
    /// Whether the parameter decays.
    pub(super) decays: bool,
}

impl OptimizerConfig {
    /// The parameter after the step.
    pub(super) fn moved(&self, step: Move, slot: &mut Slot) -> Tensor<1> {
        slot.time += 1;
        match self {
            Self::Adam(rule) => rule.moved(step, slot),
            Self::AdamW(rule) => rule.moved(step, slot),
            Self::RmsProp(rule) => rule.moved(step, slot),
            Self::Sgd(rule) => rule.moved(step, slot),
        }
    }
}

impl Move {
    /// Adds `decay` times the weight to the gradient.
    fn with_l2(mut self, decay: f64) -> Self {
        if decay > 0.0 && self.decays {
            self.gradient = self.gradient + self.weight.clone() * decay;
        }
        self
    }
}

/// `keep` of the running mean and the rest of `new`.
fn blended(mean: Option<Tensor<1>>, new: Tensor<1>, keep: f64) -> Tensor<1> {
    match mean {
        Some(mean) => mean * keep + new * (1.0 - keep),
        None => new * (1.0 - keep),
    }
}

/// The change that Adam makes: the mean gradient over the root of the mean squared one, both
/// freed of the weight of the nothing before the first step.
fn adam_change(gradient: Tensor<1>, rate: f64, rule: &Adam, slot: &mut Slot) -> Tensor<1> {
    let mut memories = slot.take(&gradient.device());
    let mean = blended(memories.next(), gradient.clone(), rule.beta_1);
    let square = blended(memories.next(), gradient.square(), rule.beta_2);
    let time = slot.time as f64;
    let (lack_1, lack_2) = (1.0 - rule.beta_1.powf(time), 1.0 - rule.beta_2.powf(time));
    // (mean / lack_1) / (sqrt(square / lack_2) + epsilon), with one pass less over the numbers.
    let below = square.clone().sqrt() + rule.epsilon * lack_2.sqrt();
    let change = mean.clone() / below * (rate * lack_2.sqrt() / lack_1);
    slot.memories = vec![mean, square];
    change
}

impl Adam {
    fn moved(&self, step: Move, slot: &mut Slot) -> Tensor<1> {
        let step = step.with_l2(self.weight_decay);
        step.weight - adam_change(step.gradient, step.rate, self, slot)
    }
}

impl AdamW {
    fn moved(&self, step: Move, slot: &mut Slot) -> Tensor<1> {
        let rule = Adam {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            weight_decay: 0.0,
        };
        let change = adam_change(step.gradient, step.rate, &rule, slot);
        let lost = if step.decays {
            step.rate * self.weight_decay
        } else {
            0.0
        };
        if lost > 0.0 {
            return step.weight * (1.0 - lost) - change;
        }
        step.weight - change
    }
}

impl RmsProp {
    fn moved(&self, step: Move, slot: &mut Slot) -> Tensor<1> {
        let step = step.with_l2(self.weight_decay);
        let gradient = step.gradient;
        let mut memories = slot.take(&gradient.device());
        let square = blended(memories.next(), gradient.clone().square(), self.alpha);
        let scaled = gradient / (square.clone().sqrt() + self.epsilon);
        slot.memories = vec![square];
        if self.momentum == 0.0 {
            return step.weight - scaled * step.rate;
        }
        let last = match memories.next() {
            Some(last) => last * self.momentum + scaled,
            None => scaled,
        };
        slot.memories.push(last.clone());
        step.weight - last * step.rate
    }
}

impl Sgd {
    fn moved(&self, step: Move, slot: &mut Slot) -> Tensor<1> {
        let step = step.with_l2(self.weight_decay);
        let gradient = step.gradient;
        if self.momentum == 0.0 {
            return step.weight - gradient * step.rate;
        }
        let last = match slot.take(&gradient.device()).next() {
            Some(last) => last * self.momentum + gradient.clone(),
            None => gradient.clone(),
        };
        slot.memories = vec![last.clone()];
        let ahead = if self.nesterov {
            gradient + last * self.momentum
        } else {
            last
        };
        step.weight - ahead * step.rate
    }
}
