use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::jobs::{JobId, Report};
use super::keeping::absolute;
use super::state::{ImageId, Session};
use super::{CommandError, KeptComparison, KeptScores, LayerKind, ScoreScope};
use crate::geom::PixelRect;
use crate::label::{Coverage, Mask, Origin, Stencil, UNLABELED, WantedCells};
use crate::metrics::{PartFact, TiledGround};
use crate::train::{ModelGround, RunRecord, ScoredOn};

/// What ground a number is of, in the words that the window has for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoredGround {
    /// What the model left out of its training, and what somebody vouches for.
    HeldOut,
    /// The same with labels that nobody looked at.
    HeldOutUnreviewed,
    /// The same with labels as files have them, of which it is not known who looked at them.
    HeldOutAsGiven,
    /// What is held out to judge: it neither learned nor chose.
    Judging,
    /// Ground that the model learned from is among it.
    Training,
    /// Labels are among it that nobody looked at: imported, or accepted from a model.
    Unreviewed,
    /// Ground that somebody vouches for and the model neither learned from nor held out.
    New,
    /// The same with labels as files have them, of which it is not known who looked at them.
    NewAsGiven,
    /// What was learned from is not known.
    #[default]
    Unknown,
}

impl ScoredGround {
    /// What the numbers of verdicts are of.
    pub const OF_VERDICTS: Self = Self::HeldOut;

    /// What the validation numbers of a run are of.
    pub fn of_run(record: &RunRecord) -> Self {
        Self::of_part(ScoredOn::Validation, record.num_unreviewed())
    }

    /// What the numbers of a run's best network are of.
    pub fn of_scores(record: &RunRecord) -> Self {
        let on = record
            .scores()
            .map_or(ScoredOn::Validation, |scores| scores.on);
        Self::of_part(on, record.num_unreviewed())
    }

    /// What the numbers of a part are of, where so many of the blocks that choose have a label that
    /// nobody vouched for, as far as that is known.
    pub const fn of_part(on: ScoredOn, unreviewed: Option<usize>) -> Self {
        match (on, unreviewed) {
            (ScoredOn::Test, _) => Self::Judging,
            (ScoredOn::Validation, Some(0)) => Self::HeldOut,
            (ScoredOn::Validation, Some(_)) => Self::HeldOutUnreviewed,
            (ScoredOn::Validation, None) => Self::HeldOutAsGiven,
        }
    }

    /// What `ground` is of which none of `models` learned; whether its label is unreviewed is not
    /// always known.
    pub fn of_models(
        ground: &TiledGround,
        models: &[&ModelGround],
        unreviewed: Option<bool>,
    ) -> Self {
        let mut judging = models.iter().flat_map(|model| &model.held_out.judging);
        if judging.any(|block| ground.touches(*block)) {
            return Self::Judging;
        }
        let mut choosing = models.iter().map(|model| &model.held_out.choosing);
        let is_held_out = choosing.all(|blocks| ground.is_within(blocks));
        match (is_held_out, unreviewed) {
            (true, Some(false)) => Self::HeldOut,
            (true, Some(true)) => Self::HeldOutUnreviewed,
            (true, None) => Self::HeldOutAsGiven,
            (false, Some(false)) => Self::New,
            (false, Some(true)) => Self::Unreviewed,
            (false, None) => Self::NewAsGiven,
        }
    }

    /// A word or two to stand beside a number.
    pub const fn word(self) -> &'static str {
        match self {
            Self::HeldOut => "held-out",
            Self::HeldOutUnreviewed | Self::HeldOutAsGiven => "held-out, unreviewed",
            Self::Judging => "held out to judge",
            Self::Training => "training ground",
            Self::Unreviewed | Self::NewAsGiven => "unreviewed",
            Self::New => "new ground",
            Self::Unknown => "agreement",
        }
    }

    /// What the word means.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::HeldOut => "Of held-out ground: the model did not learn from it.",
            Self::HeldOutUnreviewed => {
                "Of held-out ground that the model did not learn from, but the label of some of it \
                 is imported or accepted from a model: agreement, not accuracy. Mark cells as done \
                 (K) when their label is right."
            }
            Self::HeldOutAsGiven => {
                "Of held-out ground that the model did not learn from, with the label as its file \
                 has it: whether anybody reviewed it is not known, so it is agreement, and accuracy \
                 only as far as that label is right."
            }
            Self::Judging => {
                "Of ground that is held out to judge: the model did not learn from it, and who \
                 chooses by numbers of such ground has used it up."
            }
            Self::Training => {
                "Ground that the model learned from is among it: agreement with what it was \
                 taught, not accuracy on new ground."
            }
            Self::Unreviewed => {
                "The label of some of it is imported or accepted from a model and nobody looked at \
                 it: agreement, not accuracy. Mark cells as done (K) when their label is right."
            }
            Self::New => {
                "Labeled by hand or marked as done, and not learned from yet. Where only mistakes \
                 were corrected, it looks worse than the rest."
            }
            Self::NewAsGiven => {
                "Of ground that the model did not learn from, with the label as its file has it: \
                 whether anybody reviewed it is not known, so it is agreement, and accuracy only \
                 as far as that label is right."
            }
            Self::Unknown => {
                "Agreement of label and prediction, not accuracy: what the prediction's maker \
                 learned from is not known."
            }
        }
    }
}

/// What models learned from of the open image, as far as somebody asks.
#[derive(Debug, Default)]
pub(super) struct ModelGrounds {
    known: Vec<KnownGround>,
    job: Option<JobId>,
}

#[derive(Debug)]
struct KnownGround {
    image: ImageId,
    run: PathBuf,
    /// `None` where it cannot be told.
    ground: Option<Box<ModelGround>>,
}

impl ModelGrounds {
    fn of(&self, run: &Path) -> Option<&ModelGround> {
        let known = self.known.iter().find(|known| known.run == run)?;
        known.ground.as_deref()
    }

    /// A job ended, whatever came of it.
    pub(super) fn ended(&mut self, id: JobId) {
        self.job = self.job.filter(|job| *job != id);
    }
}

impl Session {
    /// Blocks that the model in use did not learn from, in level-0 pixels: those that choose the
    /// best epoch, and those that judge. While a training on the open image runs they are its own.
    pub fn held_out_ground(&self) -> [&[PixelRect]; 2] {
        let in_use = self.model_in_use();
        let known = in_use.and_then(|run| self.study.grounds.of(&run));
        let is_of_open = self.trains_on_open();
        match known {
            Some(ground) if !(is_of_open && self.training.is_running()) => {
                [&ground.held_out.choosing, &ground.held_out.judging]
            }
            _ if is_of_open => self.training.held_out(),
            _ => [&[], &[]],
        }
    }

    /// Whether the training that runs or ran last learned from the open image.
    fn trains_on_open(&self) -> bool {
        let source = self.training.source.as_ref().zip(self.image.as_ref());
        source.is_some_and(|(source, image)| absolute(&image.path).starts_with(source))
    }

    /// Whether the model in use learned from so much of the open image that what is left cannot judge
    /// the next one, whatever is done.
    pub fn is_ground_used_up(&self) -> bool {
        let in_use = self.model_in_use();
        let known = in_use.and_then(|run| self.study.grounds.of(&run));
        known.is_some_and(|ground| !ground.has_room)
    }

    /// What ground [`Session::scores_of`] is of.
    pub fn ground_of_scores(&self, scope: ScoreScope) -> ScoredGround {
        self.ground_of_scores_kept(scope, &mut KeptScores::default())
    }

    /// The same, with a look only at tiles that are not known yet.
    pub fn ground_of_scores_kept(&self, scope: ScoreScope, kept: &mut KeptScores) -> ScoredGround {
        self.scored_ground(scope, &[self.predicted_by()], kept)
    }

    /// What ground [`Session::comparison_of`] is of.
    pub fn ground_of_comparison(&self, scope: ScoreScope) -> ScoredGround {
        self.ground_of_comparison_kept(scope, &mut KeptComparison::default())
    }

    /// The same, with a look only at tiles that are not known yet.
    pub fn ground_of_comparison_kept(
        &self,
        scope: ScoreScope,
        kept: &mut KeptComparison,
    ) -> ScoredGround {
        let runs = [self.contest_run(), self.predicted_by()];
        self.scored_ground(scope, &runs, &mut kept.ground)
    }

    fn scored_ground(
        &self,
        scope: ScoreScope,
        runs: &[Option<&Path>],
        kept: &mut KeptScores,
    ) -> ScoredGround {
        let ground_of = |run: Option<&Path>| self.study.grounds.of(run?);
        let models: Option<Vec<&ModelGround>> = runs.iter().copied().map(ground_of).collect();
        let (label, asked) = (self.layer(LayerKind::Label), self.asked_ground(scope));
        let (Some(models), Some(label), Some(asked)) = (models, label, asked) else {
            return ScoredGround::Unknown;
        };
        let judging = models.iter().map(|model| model.judging_blocks());
        let ground = judging.fold(asked, TiledGround::without);
        kept.learned.resize_with(models.len(), PartFact::default);
        let mut learned = models.iter().zip(&mut kept.learned);
        let is_learned = learned.any(|(model, kept)| {
            kept.holds(&ground, [&label.mask, &model.learned], |of| of != UNLABELED)
        });
        if scope == ScoreScope::Training || is_learned {
            return ScoredGround::Training;
        }
        let unreviewed = self.is_unreviewed(ground.clone(), kept);
        ScoredGround::of_models(&ground, &models, Some(unreviewed))
    }

    /// The blocks that judge the model whose prediction is shown: a verdict alone reads them, and
    /// counts it, so no score here is of them.
    pub(super) fn judging_blocks(&self) -> &[PixelRect] {
        let ground = self
            .predicted_by()
            .and_then(|run| self.study.grounds.of(run));
        ground.map_or(&[][..], ModelGround::judging_blocks)
    }

    /// How many such blocks lie on the ground of a scope; its scores are of the rest.
    pub fn judging_left_out(&self, scope: ScoreScope) -> usize {
        self.num_asked(scope, self.judging_blocks())
    }

    /// How many blocks that judge either of two predictions' models lie there; the comparison is of
    /// the rest.
    pub fn judging_left_out_of_comparison(&self, scope: ScoreScope) -> usize {
        self.num_asked(scope, &self.judging_of_contest())
    }

    /// How many of these blocks lie on the ground of a scope.
    pub(super) fn num_asked(&self, scope: ScoreScope, blocks: &[PixelRect]) -> usize {
        if blocks.is_empty() {
            return 0;
        }
        let Some(ground) = self.asked_ground(scope) else {
            return 0;
        };
        let is_asked = |block: &&PixelRect| ground.touches(**block);
        blocks.iter().filter(is_asked).count()
    }

    /// The blocks that judge either of two predictions' models, which are not compared there.
    pub fn judging_of_contest(&self) -> Vec<PixelRect> {
        let kept = self.contest_run();
        let kept = kept.and_then(|run| self.study.grounds.of(run));
        let mut blocks = self.judging_blocks().to_vec();
        for block in kept.map_or(&[][..], ModelGround::judging_blocks) {
            if !blocks.contains(block) {
                blocks.push(*block);
            }
        }
        blocks
    }

    /// The ground of a scope's scores in rectangles; `None` where there is none.
    pub(super) fn rects_of(&self, scope: ScoreScope) -> Option<Vec<PixelRect>> {
        self.rects_without(scope, self.judging_blocks())
    }

    /// The ground of a scope in rectangles, without these blocks; `None` where there is none.
    pub(super) fn rects_without(
        &self,
        scope: ScoreScope,
        blocks: &[PixelRect],
    ) -> Option<Vec<PixelRect>> {
        Some(PixelRect::outside(self.asked_rects(scope)?, blocks))
    }

    /// The ground of a scope by tiles, with what judges.
    pub(super) fn asked_ground(&self, scope: ScoreScope) -> Option<TiledGround> {
        Some(match scope {
            ScoreScope::Selection => TiledGround::of_mask(&self.selected.as_ref()?.ground),
            ScoreScope::Training => TiledGround::of_mask(&self.scored_model()?.learned),
            _ => TiledGround::of_rects(self.image.as_ref()?.size(), &self.asked_rects(scope)?),
        })
    }

    /// The ground of a scope in rectangles, with what judges.
    fn asked_rects(&self, scope: ScoreScope) -> Option<Vec<PixelRect>> {
        let bounds = self.image.as_ref()?.size().bounds();
        Some(match scope {
            ScoreScope::Whole => vec![bounds],
            ScoreScope::Within(rect) => vec![rect.intersect(bounds)],
            ScoreScope::Selection => self.selected.as_ref()?.pixels.rects(),
            ScoreScope::Cells(wanted) => self.coverage().rects(wanted),
            ScoreScope::HeldOut => self.scored_model()?.held_out.choosing.clone(),
            ScoreScope::Training => Vec::new(),
        })
    }

    /// The ground of a scope as a mask, all but unlabeled pixels; `None`: the whole image.
    pub(super) fn ground_of_scope(&self, scope: ScoreScope) -> Result<Option<Mask>, CommandError> {
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let ground = match scope {
            ScoreScope::Whole => return Ok(None),
            ScoreScope::Selection => self.selected().map(|selected| selected.ground.clone()),
            ScoreScope::Training => self.scored_model().map(|model| model.learned.clone()),
            _ => {
                let rects = self.rects_of(scope);
                rects.map(|rects| Stencil::ground_of(image.size(), &rects))
            }
        };
        let none = || {
            CommandError::Refused(
                "There is no such ground: nothing is selected, or it is not known what the model \
                 learned from. Choose other ground for the numbers"
                    .to_owned(),
            )
        };
        ground.map(Some).ok_or_else(none)
    }

    /// Whether a label is in `ground` that is imported or accepted, in a cell that is not done.
    fn is_unreviewed(&self, ground: TiledGround, kept: &mut KeptScores) -> bool {
        let (Some(label), Some(origins)) = (&self.label, &self.origins) else {
            return false;
        };
        let open = ground.without(&self.coverage().rects(WantedCells::Done));
        let masks = [&label.mask, &origins.mask];
        kept.unreviewed.holds(&open, masks, is_nobodys)
    }

    /// What ground the numbers of the trainings in `folder` are of, of their part `on`: as the one
    /// of them says that runs or ran last.
    pub fn ground_of_trials(&self, folder: Option<&Path>, on: ScoredOn) -> ScoredGround {
        let run = self.training.run.as_deref();
        let is_of = run.zip(folder).is_some_and(|(run, of)| run.starts_with(of));
        let split = self.training.split.as_ref().filter(|_| is_of);
        ScoredGround::of_part(on, split.and_then(|split| split.unreviewed))
    }

    /// The ground of the model that predicted, else of the one in use.
    pub(super) fn scored_model(&self) -> Option<&ModelGround> {
        let run = self.predicted_by().map(Path::to_owned);
        let run = run.or_else(|| self.model_in_use())?;
        self.study.grounds.of(&run)
    }

    /// Looks up what the models learned from that are in use or have predicted.
    pub(super) fn follow_grounds(&mut self) {
        let Some(image) = &self.image else {
            return;
        };
        let id = image.id;
        let runs = [
            self.model_in_use(),
            self.predicted_by().map(Path::to_owned),
            self.contest_run().map(Path::to_owned),
        ];
        let runs: Vec<PathBuf> = runs.into_iter().flatten().collect();
        let grounds = &mut self.study.grounds;
        let is_wanted = |known: &KnownGround| known.image == id && runs.contains(&known.run);
        grounds.known.retain(is_wanted);
        let is_known = |run: &PathBuf| grounds.known.iter().any(|known| known.run == *run);
        let missing = runs.iter().find(|run| !is_known(run)).cloned();
        let (Some(run), None) = (missing, grounds.job) else {
            return;
        };
        let (path, source) = (absolute(&image.path), Arc::clone(&image.source));
        let job = self.start_quiet_job("Looking up what a model learned from", move |job| {
            let ground = ModelGround::of(&run, &path, &*source).ok();
            job.tell(Report::Ground(id, run, ground.map(Box::new)))?;
            Ok(())
        });
        self.study.grounds.job = Some(job);
    }

    pub(super) fn ground_found(
        &mut self,
        image: ImageId,
        run: PathBuf,
        ground: Option<Box<ModelGround>>,
    ) {
        let judges = |ground: &ModelGround| !ground.judging_blocks().is_empty();
        let judges = ground.as_deref().is_some_and(judges);
        let grounds = &mut self.study.grounds;
        grounds.job = None;
        grounds.known.push(KnownGround { image, run, ground });
        if judges {
            // What was counted before is of that ground as well.
            self.live.list_anew();
            self.score_whole();
        }
        self.live.said_anew();
        self.say_ground_of_entry();
    }
}

/// Whether a label is in `ground` that is imported or accepted, in a cell that is not done, of a
/// label and its origins.
pub fn is_unreviewed(masks: [&Mask; 2], coverage: &Coverage, ground: TiledGround) -> bool {
    let open = ground.without(&coverage.rects(WantedCells::Done));
    PartFact::default().holds(&open, masks, is_nobodys)
}

/// Whether nobody made or looked at a label of an origin.
fn is_nobodys(origin: u8) -> bool {
    origin != UNLABELED && !Origin::is_persons(origin)
}
