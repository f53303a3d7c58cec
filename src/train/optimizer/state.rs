use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use super::Optimizer;
use super::average::Average;
use super::flat_file::FlatFile;
use super::gradients::Gathered;
use super::rule::Slot;
use crate::train::TrainError;

/// The version of the state that this program writes and reads.
const VERSION: &str = "1";
const VERSION_WORD: &str = "orthobrush_optimizer";
const KIND_WORD: &str = "kind";
const STEPS_WORD: &str = "steps";
const BATCHES_WORD: &str = "batches";
const TIMES_WORD: &str = "times";
/// First names of the rows that are no memories of the rule.
const AVERAGE: &str = "average";
const GATHERED: &str = "gathered";

impl Optimizer {
    /// All that is remembered, as the bytes of a safetensors file: the rule's memories by the
    /// path of the parameter, the running means, and gradients that wait for more batches.
    ///
    /// # Errors
    /// [`TrainError::DeviceLost`] when a tensor cannot be read back.
    pub fn state_bytes(&self) -> Result<Vec<u8>, TrainError> {
        let mut file = FlatFile::default();
        for (path, slot) in &self.slots {
            for (memory, numbers) in self.rule.memories().iter().zip(&slot.memories) {
                file.rows.insert(format!("{memory}/{path}"), read(numbers)?);
            }
        }
        let means = self.average.iter().flat_map(|average| &average.means);
        for (path, numbers) in means {
            file.rows
                .insert(format!("{AVERAGE}/{path}"), read(numbers)?);
        }
        for (path, numbers) in &self.gathered.sums {
            file.rows
                .insert(format!("{GATHERED}/{path}"), read(numbers)?);
        }
        let times: BTreeMap<&String, u64> =
            (self.slots.iter().map(|(path, slot)| (path, slot.time))).collect();
        let times = serde_json::to_string(&times).expect("numbers by words are JSON");
        let words = [
            (VERSION_WORD, VERSION.to_owned()),
            (KIND_WORD, self.rule.name().to_owned()),
            (STEPS_WORD, self.steps.to_string()),
            (BATCHES_WORD, self.gathered.num_batches.to_string()),
            (TIMES_WORD, times),
        ];
        file.words = words.map(|(name, word)| (name.to_owned(), word)).into();
        Ok(file.to_bytes())
    }

    /// Takes up the state in `bytes`, on the `device` of the network. Nothing is changed on an
    /// error.
    ///
    /// # Errors
    /// [`TrainError::State`] when the bytes are damaged, or of another optimizer or network.
    pub fn load_state(&mut self, bytes: &[u8], device: &Device) -> Result<(), TrainError> {
        let file = FlatFile::from_bytes(bytes).map_err(TrainError::State)?;
        let mut state = State {
            file,
            lengths: &self.lengths,
            device: device.clone().inner(),
        };
        let loaded = state.load(self).map_err(TrainError::State)?;
        *self = loaded;
        Ok(())
    }
}

fn read(numbers: &Tensor<1>) -> Result<Vec<f32>, TrainError> {
    (numbers.clone().try_into_vec_as()).map_err(|error| TrainError::DeviceLost(error.to_string()))
}

/// A state that is being read.
struct State<'a> {
    file: FlatFile,
    lengths: &'a BTreeMap<String, usize>,
    device: Device,
}

impl State<'_> {
    /// `optimizer` with this state.
    fn load(&mut self, optimizer: &Optimizer) -> Result<Optimizer, String> {
        let version = self.word(VERSION_WORD)?;
        if version != VERSION {
            return Err(format!(
                "it has version {version} of the format, this program knows {VERSION}"
            ));
        }
        let (kind, name) = (self.word(KIND_WORD)?, optimizer.rule.name());
        if kind != name {
            return Err(format!("it is of {kind}, the recipe wants {name}"));
        }
        let steps = self.number(STEPS_WORD)?;
        let num_batches = u32::try_from(self.number(BATCHES_WORD)?)
            .map_err(|error| format!("{BATCHES_WORD}: {error}"))?;
        let slots = self.slots(optimizer.rule.memories())?;
        let average = match (&optimizer.average, self.rows(AVERAGE)?) {
            (None, _) => None,
            (Some(_), means) if means.len() == self.lengths.len() => Some(Average { means }),
            (Some(_), _) => return Err("it has no running means of the weights".to_owned()),
        };
        let sums = self.rows(GATHERED)?;
        if let Some(name) = self.file.rows.keys().next() {
            return Err(format!("{name} is left over"));
        }
        Ok(Optimizer {
            rule: optimizer.rule,
            updates: optimizer.updates.clone(),
            lengths: self.lengths.clone(),
            slots,
            gathered: Gathered { sums, num_batches },
            average,
            steps,
        })
    }

    fn word(&self, name: &str) -> Result<String, String> {
        let word = self.file.words.get(name).cloned();
        word.ok_or_else(|| format!("{name} is missing"))
    }

    fn number(&self, name: &str) -> Result<u64, String> {
        (self.word(name)?.parse()).map_err(|error| format!("{name}: {error}"))
    }

    fn slots(&mut self, memories: &[&str]) -> Result<BTreeMap<String, Slot>, String> {
        let times: BTreeMap<String, u64> = serde_json::from_str(&self.word(TIMES_WORD)?)
            .map_err(|error| format!("{TIMES_WORD}: {error}"))?;
        let mut rows = Vec::new();
        for memory in memories {
            rows.push((memory, self.rows(memory)?));
        }
        let mut slots = BTreeMap::new();
        for (path, time) in times {
            if !self.lengths.contains_key(&path) {
                return Err(format!("{path} does not fit the network"));
            }
            let mut slot = Slot {
                time,
                ..Slot::default()
            };
            for (memory, rows) in &mut rows {
                let row = rows.remove(&path);
                let row = row.ok_or_else(|| format!("{memory}/{path} is missing"))?;
                slot.memories.push(row);
            }
            slots.insert(path, slot);
        }
        let left = rows.iter().find_map(|(_, rows)| rows.keys().next());
        match left {
            Some(path) => Err(format!("{path} has no time")),
            None => Ok(slots),
        }
    }

    /// Takes out the rows of `kind` by path.
    fn rows(&mut self, kind: &str) -> Result<BTreeMap<String, Tensor<1>>, String> {
        let is_wanted = |name: &String, _: &mut Vec<f32>| {
            name.split_once('/').is_some_and(|(first, _)| first == kind)
        };
        let mut tensors = BTreeMap::new();
        for (name, row) in self.file.rows.extract_if(.., is_wanted) {
            let path = &name[kind.len() + 1..];
            if self.lengths.get(path) != Some(&row.len()) {
                return Err(format!("{name} does not fit the network"));
            }
            let len = row.len();
            let tensor = Tensor::from_data(TensorData::new(row, [len]), &self.device);
            tensors.insert(path.to_owned(), tensor);
        }
        Ok(tensors)
    }
}
