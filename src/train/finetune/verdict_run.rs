use std::path::Path;
use std::time::Instant;

use super::family::reads_of;
use super::image_print::image_print;
use super::pieces::Piece;
use super::trained_ground::{AskedImage, TrainedGround, patch_side};
use super::verdict::{Decision, Elsewhere, Forgetting, Verdict, VerdictEvent, VerdictPlan};
use super::{Lineage, ancestors};
use crate::dataset::{DatasetError, Rng};
use crate::job::JobContext;
use crate::label::{ClassTable, Coverage, Encoding, load_mask};
use crate::metrics::{Confusion, PairedGain, Scores, paired_gain};
use crate::raster::open_raster;
use crate::train::data::LABEL_FILE;
use crate::train::judge::{PartGround, Unit, predicted_unit};
use crate::train::predict::Predictor;
use crate::train::run::elapsed;
use crate::train::{JudgePlan, SavedModel, ScoredOn, TrainError, append_log};

/// Images or blocks of the first training's held-out ground that are looked at.
const MOST_OF_FIRST: usize = 8;
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
    let reads = reads_of(&plan.run, plan.lineage.judging());
    let mut verdict = Verdict {
        decision: Decision::First,
        before: None,
        after: None,
        gain: PairedGain::default(),
        blocks: 0,
        reads: reads.verdicts + reads.tests + 1,
        test_reads: reads.tests,
        forgetting: None,
        elsewhere: None,
        seconds: 0.0,
    };
    if let Some(parent) = &plan.parent {
        let pair = Pair {
            before: (parent, Predictor::of(parent, &plan.device)?),
            after: (&plan.model, Predictor::of(&plan.model, &plan.device)?),
        };
        pair.judge(plan, &mut verdict, (job, between))?;
        verdict.forgetting = pair.forgetting(plan, (job, between))?;
        verdict.elsewhere = pair.elsewhere(plan, (job, between))?;
    }
    verdict.seconds = started.elapsed().as_secs_f64();
    verdict.save(&plan.run)?;
    append_log(&plan.run, &elapsed(verdict.seconds), &verdict.in_words())?;
    Ok(job.tell(VerdictEvent::Finished(Box::new(verdict)))?)
}

/// How many cells an image has; any number where it is gone.
fn num_cells(image: &Path) -> u64 {
    let size = open_raster(image).map(|source| source.info().size);
    size.map_or(u64::MAX, |size| Coverage::new(size).num_cells())
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
            counted = self.counted(plan, (units.map(Ok).collect(), true), outside)?;
        }
        let classes = plan.model.classes();
        let mut rng = Rng::of(&[SEED]);
        verdict.gain = paired_gain(&counted, |end| rng.below(end));
        verdict.blocks = counted.len();
        [verdict.before, verdict.after] = scores_of(&counted, classes);
        let name = |class: usize| classes.name_of(class as u8);
        let lineage = &plan.lineage;
        let cells = [lineage.learned.done_cells, num_cells(&lineage.image)];
        verdict.decision = Decision::of(&verdict.gain, (verdict.blocks, cells), name);
        Ok(())
    }

    /// Compares both on some of what the chain's first training held out and none learned from
    /// since; `None` when there is no such ground, or it is gone.
    fn forgetting(
        &self,
        plan: &VerdictPlan,
        outside: Outside<'_, '_>,
    ) -> anyhow::Result<Option<Forgetting>> {
        let Some(ground) = ground_of_first(plan)? else {
            return Ok(None);
        };
        let count = ground.len().min(MOST_OF_FIRST);
        let spread = (0..count).map(|at| ground.unit(at * ground.len() / count));
        let is_one_image = matches!(ground, PartGround::Blocks(..));
        self.compared(plan, (spread.collect(), is_one_image), outside)
    }

    /// Compares both on the judging blocks of the last model of the chain that was corrected on
    /// another image; `None` when there is none, or image or label are gone.
    fn elsewhere(
        &self,
        plan: &VerdictPlan,
        outside: Outside<'_, '_>,
    ) -> anyhow::Result<Option<Elsewhere>> {
        let Some((lineage, ground)) = ground_elsewhere(plan) else {
            return Ok(None);
        };
        let units = (0..ground.len()).map(|at| ground.unit(at)).collect();
        let reads = reads_of(&plan.run, lineage.judging());
        let scores = self.compared(plan, (units, true), outside)?;
        Ok(scores.map(|scores| Elsewhere {
            image: lineage.image,
            image_print: lineage.image_print,
            blocks: lineage.held_out.judging,
            reads: reads.verdicts + reads.tests + 1,
            test_reads: reads.tests,
            scores,
        }))
    }

    /// Compares both on some ground, which may be of one image; `None` without truth there.
    fn compared(
        &self,
        plan: &VerdictPlan,
        ground: (Vec<Result<Unit, TrainError>>, bool),
        outside: Outside<'_, '_>,
    ) -> anyhow::Result<Option<Forgetting>> {
        let counted = self.counted(plan, ground, outside)?;
        let mut rng = Rng::of(&[SEED]);
        let gain = paired_gain(&counted, |end| rng.below(end));
        let [before, after] = scores_of(&counted, plan.model.classes());
        Ok(before.zip(after).map(|(before, after)| Forgetting {
            before,
            after,
            gain,
            images: counted.len(),
        }))
    }

    /// What both say of some ground, which may be of one image, counted by pieces that lie apart;
    /// blocks without truth are left out.
    fn counted(
        &self,
        plan: &VerdictPlan,
        (units, is_one_image): (Vec<Result<Unit, TrainError>>, bool),
        (job, between): Outside<'_, '_>,
    ) -> anyhow::Result<Vec<[Confusion; 2]>> {
        let total = units.len();
        let mut pieces = Vec::new();
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
            let of = |mask| Confusion::within(&unit.truth, mask, unit.rect, num_classes);
            let both = [of(&said[0]), of(&said[1])];
            if both[0].pixels() > 0 {
                let image = if is_one_image { 0 } else { done };
                pieces = Piece::added(pieces, Piece::new(image, unit.rect, both));
            }
            job.mention(VerdictEvent::Progress { done, total });
        }
        Ok(pieces.iter().map(|piece| piece.both().clone()).collect())
    }
}

/// What the first training of the chain held out to choose its epoch, as far as it is there and
/// none learned from it since.
fn ground_of_first(plan: &VerdictPlan) -> Result<Option<PartGround>, TrainError> {
    let chain = ancestors(&plan.run);
    let Some((first, later)) = chain.split_last().filter(|(_, later)| !later.is_empty()) else {
        return Ok(None);
    };
    let judge = JudgePlan::new(first.run.clone(), ScoredOn::Validation, plan.cache_bytes);
    let ground = judge.ok().and_then(|judge| PartGround::of(&judge).ok());
    let Some(PartGround::Blocks(image, mut blocks)) = ground else {
        return Ok(ground);
    };
    let card = plan.model.card();
    let asked = AskedImage {
        source: &*image.source,
        print: &image_print(&*image.source)?,
        patch: patch_side(card.patch, card.pixel_size, &*image.source),
    };
    let mut learned = TrainedGround::default();
    for model in later {
        learned.add(&model.run, asked)?;
    }
    blocks.retain(|&block| !learned.touches(block));
    Ok((!blocks.is_empty()).then_some(PartGround::Blocks(image, blocks)))
}

/// The judging blocks of the last model before that was corrected on another image, with where it
/// came from, as far as image and label are there. No model since learned from that image.
fn ground_elsewhere(plan: &VerdictPlan) -> Option<(Lineage, PartGround)> {
    let chain = ancestors(&plan.run);
    let (run, lineage) = chain.into_iter().find_map(|model| {
        let lineage = model.lineage?;
        let is_another = lineage.image_print != plan.lineage.image_print;
        is_another.then_some((model.run, lineage))
    })?;
    let judge = JudgePlan::new(run, ScoredOn::Test, plan.cache_bytes).ok()?;
    let PartGround::Blocks(image, _) = PartGround::of(&judge).ok()? else {
        return None;
    };
    let is_it = image_print(&*image.source).is_ok_and(|print| print == lineage.image_print);
    let blocks = lineage.held_out.judging.clone();
    is_it.then_some((lineage, PartGround::Blocks(image, blocks)))
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
