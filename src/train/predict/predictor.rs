use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use burn::module::Module as _;

use super::blend::{Predicted, predict_block};
use super::kept::StoreLock;
use super::plan::PredictPlan;
use crate::dataset::Watch;
use crate::geom::PixelRect;
use crate::job::JobContext;
use crate::nn::{Loss, Network};
use crate::train::device::{ChosenDevice, choose};
use crate::train::logits::WindowLogits;
use crate::train::self_test::Workload;
use crate::train::{DeviceChoice, ModelCard, PredictEvent, PredictReport, SavedModel, TrainError};

/// Windows of a patch's side that the network looks at in one go; of larger ones so many that they
/// have as many pixels.
const BATCH: usize = 8;

/// Predicts as `plan` says.
pub(in crate::train) fn run(
    plan: &PredictPlan,
    job: &JobContext<PredictEvent>,
) -> anyhow::Result<()> {
    job.check()?;
    let started = Instant::now();
    let (plan, mut lock) = take_up(plan, job)?;
    let predictor = Predictor::of(&plan.model, &plan.device)?;
    let ChosenDevice { name, reason, .. } = predictor.chosen.clone();
    job.tell(PredictEvent::DeviceChosen {
        name: name.clone(),
        reason,
    })?;
    let total_blocks = plan.num_blocks();
    let missing = plan.blocks().len() as u64;
    let mut done_blocks = total_blocks - missing;
    job.tell(PredictEvent::Progress {
        done_blocks,
        total_blocks,
    })?;
    let known = done_blocks as f64;
    let watch = Watch {
        is_cancelled: &|| job.cancel_token().is_cancelled(),
        progress: &|share| {
            let done = known + share * missing as f64;
            job.mention(PredictEvent::Share(done / total_blocks as f64));
        },
    };
    let windows = predictor.each_block(&plan, &watch, |rect, predicted| {
        if let Some(kept) = &plan.kept
            && let Err(error) = kept.put(rect, &predicted, &mut lock)
        {
            job.tell(PredictEvent::NotKept(error.to_string()))?;
        }
        job.tell(plan.decided(predicted).at(rect))?;
        done_blocks += 1;
        job.mention(PredictEvent::Progress {
            done_blocks,
            total_blocks,
        });
        Ok(())
    })?;
    let report = PredictReport {
        blocks: missing,
        windows,
        device: name,
        seconds: started.elapsed().as_secs_f64(),
    };
    Ok(job.tell(PredictEvent::Finished(report))?)
}

/// Tells the blocks that the same prediction left in the plan's store, or before at another
/// threshold: what is to be computed without them, and what lets others be added.
fn take_up(
    plan: &PredictPlan,
    job: &JobContext<PredictEvent>,
) -> anyhow::Result<(PredictPlan, Option<StoreLock>)> {
    let mut plan = plan.clone();
    let Some(kept) = plan.kept.clone() else {
        return Ok((plan, None));
    };
    let mut there = std::mem::take(&mut plan.finished);
    let mut lock = None;
    match plan.store.as_ref().map(|store| store.begin(&plan)) {
        Some(Ok((file, begun))) => {
            there.extend(file.known());
            kept.take_in(file, begun.ground);
            lock = Some(begun);
        }
        Some(Err(error)) => job.tell(PredictEvent::NotKept(error.to_string()))?,
        None => {}
    }
    there.retain(|rect| !plan.is_known(*rect));
    let mut found = HashSet::new();
    for rect in there {
        // What cannot be read is computed again.
        if let Ok(block) = kept.finished_block(rect) {
            found.insert(rect);
            job.tell(plan.decided(block).at(rect))?;
        }
    }
    Ok((plan.also_without(found), lock))
}

/// A model on its device, for as many images as there are.
pub(in crate::train) struct Predictor {
    pub(super) network: Network,
    chosen: ChosenDevice,
}

impl Predictor {
    /// Chooses the device and puts the model there.
    pub(in crate::train) fn of(
        model: &SavedModel,
        device: &DeviceChoice,
    ) -> Result<Self, TrainError> {
        let ModelCard {
            model: network,
            patch,
            ..
        } = model.card();
        let workload = Workload::new([BATCH, *patch as usize], network, &Loss::default());
        let chosen = choose(device, &workload)?;
        let network = model.network(&chosen.device)?.valid();
        Ok(Self { network, chosen })
    }

    /// The device's name and why it was chosen.
    pub(in crate::train) fn chosen(&self) -> (&str, &str) {
        (&self.chosen.name, &self.chosen.reason)
    }

    /// The device's name.
    pub(in crate::train) fn device_name(&self) -> &str {
        &self.chosen.name
    }

    /// Hands what is predicted to `take`, block by block; the number of windows that the network
    /// looked at. The plan's model must be this one.
    pub(in crate::train) fn each_block(
        &self,
        plan: &PredictPlan,
        watch: &Watch<'_>,
        take: impl FnMut(PixelRect, Predicted) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        self.each_of(&plan.blocks(), plan, watch, take)
    }

    /// The same for these of the plan's blocks, in this order.
    pub(super) fn each_of(
        &self,
        blocks: &[PixelRect],
        plan: &PredictPlan,
        watch: &Watch<'_>,
        mut take: impl FnMut(PixelRect, Predicted) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let card = plan.model.card();
        let scene = plan.scene();
        let grid = plan.windows(&scene);
        let patches = (grid.side() / card.patch) as usize;
        let most = (BATCH / (patches * patches)).max(1);
        // A batch is always filled up; a small image has no use for a large one.
        let area = scene.scale().grid_rect(plan.area, scene.size());
        let batch = grid.touching(area).len().clamp(1, most);
        let mut logits = WindowLogits {
            network: self.network.clone(),
            device: self.chosen.device.clone(),
            scene: &scene,
            normalization: card.normalization.clone(),
            grid,
            flips: plan.flips,
            measures: plan.measures.clone(),
            batch,
            budget: plan.cache_bytes,
            looked_at: 0,
            known: HashMap::new(),
            bytes: 0,
            by_age: BTreeSet::new(),
            clock: 0,
        };
        let share_of = |at: usize| at as f64 / blocks.len() as f64;
        for (at, &rect) in blocks.iter().enumerate() {
            let mut predicted = watch.during((share_of(at), share_of(at + 1)), |watch| {
                predict_block(rect, card.num_classes, &mut logits, watch)
            })?;
            plan.erase_unwanted(rect, &mut predicted);
            take(rect, predicted)?;
        }
        Ok(logits.looked_at)
    }
}
