use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use burn::tensor::Device;

use super::TrainError;
use super::batch::{images_on, numbers};
use super::certainty::Certainty;
use super::flips::Flips;
use super::grid::WindowGrid;
use crate::dataset::{Normalization, Scene};
use crate::nn::Network;

/// Column and row of a window.
pub(super) type WindowKey = (u32, u32);

/// Logits of a window, classes × side × side; `None` where it holds no data at all.
pub(super) type Logits = Option<Arc<Vec<f32>>>;

/// Looks at windows in batches and remembers the last ones, since neighbouring blocks share
/// them. What a window says does not depend on when or beside which others it is looked at.
pub(super) struct WindowLogits<'a> {
    pub(super) network: Network,
    pub(super) device: Device,
    pub(super) scene: &'a Scene,
    pub(super) normalization: Normalization,
    pub(super) grid: WindowGrid,
    /// Which mirror images of a window are looked at as well.
    pub(super) flips: Flips,
    /// What says how sure the network is.
    pub(super) measures: Vec<Certainty>,
    /// Windows in a batch; always filled up, so that the device sees one shape.
    pub(super) batch: usize,
    /// Bytes of logits to remember.
    pub(super) budget: usize,
    /// Windows looked at.
    pub(super) looked_at: u64,
    pub(super) known: HashMap<WindowKey, (Logits, u64)>,
    pub(super) bytes: usize,
    /// What is known, the longest unused first.
    pub(super) by_age: BTreeSet<(u64, WindowKey)>,
    pub(super) clock: u64,
}

impl WindowLogits<'_> {
    /// The logits of `wanted[0]`. When they are not known, those of the following unknown
    /// windows are found along with them.
    pub(super) fn first_of(&mut self, wanted: &[WindowKey]) -> Result<Logits, TrainError> {
        self.clock += 1;
        if let Some((logits, used)) = self.known.get_mut(&wanted[0]) {
            self.by_age.remove(&(*used, wanted[0]));
            self.by_age.insert((self.clock, wanted[0]));
            *used = self.clock;
            return Ok(logits.clone());
        }
        let mut images = Vec::new();
        let mut looked_at = Vec::new();
        for &key in wanted.iter().filter(|key| !self.known.contains_key(key)) {
            if looked_at.len() == self.batch {
                break;
            }
            // Alpha is the same in all pictures of the window.
            let pixels = self.scene.read_window(self.grid.window(key))?;
            if pixels.chunks_exact(4).any(|pixel| pixel[3] > 0) {
                let start = images.len();
                images.resize(start + self.window_numbers(), 0.0);
                self.normalization
                    .fill_planes(&pixels, &mut images[start..]);
                looked_at.push(key);
            } else if key == wanted[0] {
                return Ok(None);
            }
        }
        let found = self.looked(images, looked_at.len())?;
        let mut first = None;
        for (key, logits) in looked_at.into_iter().zip(found) {
            let logits = Some(Arc::new(logits));
            if key == wanted[0] {
                first.clone_from(&logits);
            }
            self.remember(key, logits);
        }
        Ok(first)
    }

    fn looked(&mut self, mut images: Vec<f32>, count: usize) -> Result<Vec<Vec<f32>>, TrainError> {
        self.looked_at += count as u64;
        let side = self.grid.side() as usize;
        images.resize(self.batch * self.window_numbers(), 0.0);
        let images = images_on(&self.device, images, self.batch, side);
        let logits = numbers(self.flips.logits(&self.network, images))?;
        let each = logits.len() / self.batch;
        Ok(logits
            .chunks_exact(each)
            .take(count)
            .map(<[f32]>::to_vec)
            .collect())
    }

    /// Numbers that the network reads of a window.
    fn window_numbers(&self) -> usize {
        let side = self.grid.side() as usize;
        self.normalization.num_channels() * side * side
    }

    fn remember(&mut self, key: WindowKey, logits: Logits) {
        self.bytes += bytes_of(&logits);
        self.known.insert(key, (logits, self.clock));
        self.by_age.insert((self.clock, key));
        while self.bytes > self.budget && self.known.len() > self.batch {
            let Some((_, oldest)) = self.by_age.pop_first() else {
                break;
            };
            if let Some((logits, _)) = self.known.remove(&oldest) {
                self.bytes -= bytes_of(&logits);
            }
        }
    }
}

fn bytes_of(logits: &Logits) -> usize {
    logits
        .as_ref()
        .map_or(0, |logits| logits.len() * size_of::<f32>())
}
