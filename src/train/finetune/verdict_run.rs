use std::time::Instant;

use super::ancestors;
use super::verdict::{Decision, Forgetting, Verdict, VerdictEvent, VerdictPlan};
use crate::dataset::{DatasetError, Rng};
use crate::geom::PixelRect;
use crate::job::JobContext;
use crate::label::{ClassTable, Encoding, load_mask};
use crate::metrics::{Confusion, PairedGain, Scores, paired_gain};
use crate::raster::open_raster;
use crate::train::data::LABEL_FILE;
use crate::train::judge::{PartGround, Unit, predicted_unit};
use crate::train::predict::Predictor;
use crate::train::{JudgePlan, SavedModel, ScoredOn};

/// Side in pixels of the blocks that an interval is drawn from.
const BLOCK: u32 = 256;
/// Images or blocks of the parent's held-out ground that are looked at.
const MOST_OF_PARENT: usize = 8;
/// Draws of the interval follow from this.
const SEED: u64 = 1;

/// Both models on their device.
struct Pair<'a> {
    before: (&'a SavedModel, Predictor),
    after: (&'a SavedModel, Predictor),
}

/// Judges as `plan` says. `between` is called between pieces of ground, when no tensor is in use.
pub(in crate::train) fn run(
    plan: &VerdictPlan,
    job: &JobContext<VerdictEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<()> {
    let started = Instant::now();
    let chain = ancestors(&plan.run);
    let reads = chain
        .iter()
        .skip(1)
        .filter(|at| at.verdict.is_some())
        .count() as u32
        + 1;
    let mut verdict = Verdict {
        decision: Decision::First,
        before: None,
        after: None,
        gain: PairedGain::default(),
        blocks: 0,
        reads,
        forgetting: None,
        seconds: 0.0,
    };
    if let Some(parent) = &plan.parent {
        let pair = Pair {
            before: (parent, Predictor::of(parent, &plan.device)?),
            after: (&plan.model, Predictor::of(&plan.model, &plan.device)?),
        };
        pair.judge(plan, &mut verdict, (job, between))?;
        verdict.forgetting = pair.forgetting(plan, (job, between))?;
    }
    verdict.seconds = started.elapsed().as_secs_f64();
    verdict.save(&plan.run)?;
    Ok(job.tell(VerdictEvent::Finished(Box::new(verdict)))?)
}

/// Whoever listens, and what is served meanwhile.
type Outside<'a, 'b> = (&'a JobContext<VerdictEvent>, &'a mut (dyn FnMut() + 'b));

impl Pair<'_> {
    /// Compares both on the judging blocks.
    fn judge(
        &self,
        plan: &VerdictPlan,
        verdict: &mut Verdict,
        outside: Outside<'_, '_>,
    ) -> anyhow::Result<()> {
        let judging = &plan.lineage.held_out.judging;
        let mut counted = Vec::new();
        if !judging.is_empty() {
            let source = open_raster(&plan.lineage.image).map_err(DatasetError::from)?;
            let (path, size) = (plan.run.join(LABEL_FILE), source.info().size);
            let truth = load_mask(&path, Some(size), Encoding::Index, None)?.mask;
            let units = judging.iter().map(|&rect| Unit {
                name: String::new(),
                source: source.clone(),
                truth: truth.clone(),
                rect,
            });
            counted = self.counted(plan, units.map(Ok).collect(), outside)?;
        }
        let classes = plan.model.classes();
        let mut rng = Rng::of(&[SEED]);
        verdict.gain = paired_gain(&counted, |end| rng.below(end));
        verdict.blocks = counted.len();
        [verdict.before, verdict.after] = scores_of(&counted, classes);
        let name = |class: usize| classes.name_of(class as u8);
        verdict.decision = Decision::of(&verdict.gain, verdict.blocks, name);
        Ok(())
    }

    /// Compares both on some of what the parent's training held out; `None` when it is the same
    /// ground, or gone.
    fn forgetting(
        &self,
        plan: &VerdictPlan,
        outside: Outside<'_, '_>,
    ) -> anyhow::Result<Option<Forgetting>> {
        let Some(parent) = &plan.lineage.parent else {
            return Ok(None);
        };
        let judge = JudgePlan::new(parent.run.clone(), ScoredOn::Validation, plan.cache_bytes);
        let Some(ground) = judge.ok().and_then(|judge| PartGround::of(&judge).ok()) else {
            return Ok(None);
        };
        let count = ground.len().min(MOST_OF_PARENT);
        let spread = (0..count).map(|at| ground.unit(at * ground.len() / count));
        let counted = self.counted(plan, spread.collect(), outside)?;
        let mut rng = Rng::of(&[SEED]);
        let gain = paired_gain(&counted, |end| rng.below(end));
        let [before, after] = scores_of(&counted, plan.model.classes());
        Ok(before.zip(after).map(|(before, after)| Forgetting {
            before,
            after,
            gain,
            images: count,
        }))
    }

    /// What both say of some ground, counted by blocks; blocks without truth are left out.
    fn counted(
        &self,
        plan: &VerdictPlan,
        units: Vec<Result<Unit, crate::train::TrainError>>,
        (job, between): Outside<'_, '_>,
    ) -> anyhow::Result<Vec<[Confusion; 2]>> {
        let total = units.len();
        let mut counted = Vec::new();
        for (done, unit) in (1..).zip(units) {
            between();
            job.check()?;
            let mut unit = unit?;
            let mut said = Vec::new();
            for (model, predictor) in [&self.before, &self.after] {
                said.push(predicted_unit(
                    (predictor, model, &plan.device),
                    &mut unit,
                    job.cancel_token(),
                )?);
            }
            let num_classes = self.after.0.card().num_classes;
            for block in blocks_of(unit.rect) {
                let of = |mask| Confusion::within(&unit.truth, mask, block, num_classes);
                let both = [of(&said[0]), of(&said[1])];
                if both[0].pixels() > 0 {
                    counted.push(both);
                }
            }
            job.mention(VerdictEvent::Progress { done, total });
        }
        Ok(counted)
    }
}

/// The blocks of a piece of ground.
fn blocks_of(rect: PixelRect) -> impl Iterator<Item = PixelRect> {
    let ys = (rect.y..rect.bottom()).step_by(BLOCK as usize);
    ys.flat_map(move |y| {
        let xs = (rect.x..rect.right()).step_by(BLOCK as usize);
        xs.map(move |x| PixelRect::new(x, y, BLOCK, BLOCK).intersect(rect))
    })
}

/// The pooled scores of both; nothing of nothing.
fn scores_of(counted: &[[Confusion; 2]], classes: &ClassTable) -> [Option<Scores>; 2] {
    [0, 1].map(|which| {
        let mut all = counted.first()?[which].clone();
        for both in &counted[1..] {
            all.merge(&both[which]);
        }
        Some(Scores::new(&all, classes))
    })
}
