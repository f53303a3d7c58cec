use std::path::Path;
use std::time::Instant;

use super::ground::{PartGround, Unit};
use super::plan::{JudgeEvent, JudgePlan};
use super::tally::{Tally, looked_for};
use super::thumbnail::{MOST_THUMBNAILS, shown, thumbnail_path, write_thumbnail};
use crate::dataset::Watch;
use crate::job::{CancelToken, JobContext};
use crate::label::{Mask, UNLABELED};
use crate::metrics::TwoClassRanking;
use crate::train::certainty::Certainty;
use crate::train::folder_lock::taken;
use crate::train::leak_check::{kept_leaks, leak_warning};
use crate::train::predict::{Predicted, Predictor};
use crate::train::report::{ChosenThresholds, REPORT_FILE};
use crate::train::{
    DeviceChoice, Judgement, ModelCard, PredictPlan, SavedModel, ScoredOn, TrainError, write_report,
};

/// Judges as `plan` says; where the test part reads what is chosen on the validation part and nobody
/// chose it yet, that is judged first, so that the test part is read once. `between` is called
/// between images, when no tensor is in use.
pub(in crate::train) fn run(
    plan: &JudgePlan,
    job: &JobContext<JudgeEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<()> {
    job.check()?;
    let _lock = taken(&plan.run)?;
    if let Some(choosing) = choosing_for(plan)? {
        judged(&choosing, job, &mut *between)?;
    }
    judged(plan, job, between)
}

/// Judges one part.
fn judged(
    plan: &JudgePlan,
    job: &JobContext<JudgeEvent>,
    between: &mut dyn FnMut(),
) -> anyhow::Result<()> {
    let started = Instant::now();
    let before = Judgement::load(&plan.run, plan.on).map_or(0, |judgement| judgement.reads);
    if before > 0 {
        let (on, reads) = (plan.on, before);
        job.tell(JudgeEvent::JudgedBefore { on, reads })?;
    }
    let model = SavedModel::load(&plan.run)?;
    let predictor = Predictor::of(&model, &plan.device)?;
    let ground = PartGround::of(plan)?;
    let total = ground.len();
    let mut tally = Tally::new(model.classes().clone(), model.card().num_classes);
    for at in 0..total {
        between();
        job.check()?;
        let mut unit = ground.unit(at)?;
        let with = (&predictor, &model, &plan.device);
        let prediction = ranked_unit(with, &mut unit, tally.ranking(), job.cancel_token())?;
        tally.add(&unit, &prediction);
        if let Some(number) = (0..MOST_THUMBNAILS).find(|&number| shown(number, total) == at) {
            let path = thumbnail_path(&plan.run, plan.on, number);
            write_thumbnail(&path, &unit, &prediction, model.classes())?;
        }
        let done = at + 1;
        job.mention(JudgeEvent::Progress { done, total });
    }
    let epoch = epoch_of(model.card());
    let chosen = chosen_for(plan, model.card());
    let judgement = Judgement {
        reads: before + 1,
        device: predictor.device_name().to_owned(),
        seconds: started.elapsed().as_secs_f64(),
        leaks: kept_leaks(&plan.run).and_then(|leaks| leak_warning(&leaks, plan.on)),
        ..tally.into_judgement(plan.on, epoch, chosen)
    };
    judgement.save(&plan.run)?;
    if let Err(error) = report_anew(&plan.run) {
        let note = format!(
            "The scores are kept, but the run's report was not written with them; Export on the \
             Run page writes one elsewhere: {error}"
        );
        job.tell(JudgeEvent::Note(note))?;
    }
    Ok(job.tell(JudgeEvent::Finished(Box::new(judgement)))?)
}

/// Brings the report that the training wrote up to date. Where there is none the training was
/// killed, and a report would say that it ended.
fn report_anew(run: &Path) -> Result<(), TrainError> {
    if run.join(REPORT_FILE).is_file() {
        write_report(run, &[])?;
    }
    Ok(())
}

/// The judging of the validation part that chooses the threshold which `plan` reads on the test
/// part; `None` where there are more than two classes, it was sought before, or no ground was held
/// out to choose by. Weights are not read.
pub(super) fn choosing_for(plan: &JudgePlan) -> Result<Option<JudgePlan>, TrainError> {
    let card = SavedModel::card_of(&plan.run)?;
    let class = class_of(&card).filter(|_| plan.on == ScoredOn::Test);
    let is_unknown = class
        .is_some_and(|class| !ChosenThresholds::were_sought(&plan.run, epoch_of(&card), class));
    let has_ground =
        !plan.split.validation_files.is_empty() || !plan.split.validation_blocks.is_empty();
    Ok((is_unknown && has_ground).then(|| JudgePlan {
        on: ScoredOn::Validation,
        ..plan.clone()
    }))
}

/// The thresholds that were chosen for the class that the model looks for.
fn chosen_for(plan: &JudgePlan, card: &ModelCard) -> ChosenThresholds {
    class_of(card).map_or_else(ChosenThresholds::default, |class| {
        ChosenThresholds::of_run(&plan.run, epoch_of(card), class)
    })
}

fn class_of(card: &ModelCard) -> Option<u8> {
    looked_for(card.background, card.num_classes)
}

fn epoch_of(card: &ModelCard) -> u32 {
    card.metrics.as_ref().map_or(0, |row| row.epoch)
}

/// The predicted classes of the unit's ground. Ground without data is predicted by nobody, so
/// labels there are taken away.
pub(in crate::train) fn predicted_unit(
    with: (&Predictor, &SavedModel, &DeviceChoice),
    unit: &mut Unit,
    cancel: &CancelToken,
) -> anyhow::Result<Mask> {
    ranked_unit(with, unit, None, cancel)
}

/// As [`predicted_unit`]; counts the probabilities of one of two classes in `ranking` as well.
fn ranked_unit(
    (predictor, model, device): (&Predictor, &SavedModel, &DeviceChoice),
    unit: &mut Unit,
    mut ranking: Option<&mut TwoClassRanking>,
    cancel: &CancelToken,
) -> anyhow::Result<Mask> {
    let measures = ranking.iter().map(|_| Certainty::Probability);
    let measures: Vec<Certainty> = measures.collect();
    let source = unit.source.clone();
    let predict = PredictPlan::with(model.clone(), source, device.clone())?
        .within(unit.rect)?
        .measured_by(&measures);
    let mut prediction = Mask::new(unit.truth.size());
    let watch = Watch {
        is_cancelled: &|| cancel.is_cancelled(),
        ..Watch::NOBODY
    };
    predictor.each_block(&predict, &watch, |rect, predicted| {
        let Predicted { classes, sure } = predicted;
        prediction.set_rect(rect, &classes);
        if let Some((ranking, sure)) = ranking.as_deref_mut().zip(sure.first()) {
            ranking.add(&unit.truth.read_rect(rect), &classes, sure);
        }
        if classes.contains(&UNLABELED) {
            let mut labels = unit.truth.read_rect(rect);
            for (label, class) in labels.iter_mut().zip(&classes) {
                if *class == UNLABELED {
                    *label = UNLABELED;
                }
            }
            unit.truth.set_rect(rect, &labels);
        }
        Ok(())
    })?;
    Ok(prediction)
}
