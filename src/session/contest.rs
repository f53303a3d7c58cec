use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::asked::Asked;
use super::followed::{Followed, Next};
use super::jobs::{JobId, Report};
use super::kept_places::KeptPlace;
use super::state::{Layer, LayerId, Session};
use super::{Command, CommandError, KeptScores, LayerKind, ScoreScope};
use crate::geom::{ImagePoint, ImageSize, PixelRect};
use crate::label::Mask;
use crate::metrics::{
    ComparedPredictions, PartCounts, PredictionComparison, TileComparison, TileCounts,
};
use crate::train::{Certainty, DecisionThreshold, Flips};

/// Predictions of parts of the image, and of two networks on the same ground.
#[derive(Clone, Debug, PartialEq)]
pub enum PredictionCommand {
    /// Predicts some ground; what the same network has predicted stays.
    Predict {
        /// A run folder; `None` takes the last run of this session.
        run: Option<PathBuf>,
        /// Which ground.
        on: ScoreScope,
        /// What is predicted first, for example the middle of what is seen.
        near: Option<ImagePoint>,
    },
    /// Goes on with the prediction that is shown and not finished, with its own model and settings.
    GoOn {
        /// What is predicted first.
        near: Option<ImagePoint>,
    },
    /// Keeps the prediction as it is now (A), so that another one (B) can be held against it.
    Keep,
    /// Lets go of a kept one.
    DropKept(KeptPlace),
    /// Holds another one of those that are kept (A) against the prediction (B).
    CompareWith(KeptPlace),
    /// Holds these measures of how sure the prediction is, beside the chosen one, and no others.
    Measures(Vec<Certainty>),
    /// Predicts the second of two classes from this probability on.
    DecideAt(f64),
}

/// One of the kept predictions (A), held against the one that is there now (B).
#[derive(Debug, Default)]
pub struct Contest {
    a: KeptPlace,
    tiles: Followed<Contestants, ComparedPredictions, 3>,
}

/// What was counted of two predictions on a part of the ground, as [`KeptScores`] are kept.
#[derive(Debug, Default)]
pub struct KeptComparison {
    counts: PartCounts<3>,
    pub(super) ground: KeptScores,
}

/// How a prediction was made here.
#[derive(Clone, Debug)]
pub(super) struct MadeBy {
    pub run: PathBuf,
    pub flips: Flips,
    pub threshold: DecisionThreshold,
    /// Which ground it is of, unless that is all of the image.
    pub asked: Option<Arc<Asked>>,
}

/// What is counted: A, B, and the label, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contestants {
    a: LayerId,
    b: LayerId,
    label: Option<LayerId>,
    num_classes: usize,
}

impl Command {
    /// Predicts the whole open image with the network of `run`, or of the last run of this session.
    pub const fn predict(run: Option<PathBuf>) -> Self {
        Self::Prediction(PredictionCommand::Predict {
            run,
            on: ScoreScope::Whole,
            near: None,
        })
    }
}

impl Contest {
    /// Where A is kept, if any is.
    pub const fn a(&self) -> KeptPlace {
        self.a
    }

    pub(super) const fn turn_to(&mut self, place: KeptPlace) {
        self.a = place;
    }

    /// Another one whenever the numbers may be others.
    pub(super) const fn version(&self) -> u64 {
        self.tiles.version
    }

    /// Pixels of the label or of B changed, which have this size.
    pub(super) fn note(&mut self, dirty: &[PixelRect], size: ImageSize) {
        self.tiles.note(dirty, size);
    }

    /// A job ended, whatever came of it.
    pub(super) fn ended(&mut self, id: JobId) {
        self.tiles.ended(id);
    }
}

impl Session {
    /// A kept prediction against the one that is there.
    pub const fn contest(&self) -> &Contest {
        &self.predicting.contest
    }

    /// Whether two predictions are there to be compared.
    pub fn is_contest_open(&self) -> bool {
        self.contestants().is_some()
    }

    /// Whether parts of the ground have no numbers of the two since all is being counted.
    pub const fn is_counting_contest(&self) -> bool {
        self.contest().tiles.counts.is_none()
    }

    /// In what the two differ on a part of the ground, and what the label says of it; `None` while
    /// they are counted, where there is no such part, and for ground that is too large and ragged to
    /// be counted at once. Only ground that both hold is compared. Blocks that judge either model are
    /// left out, see [`Session::judging_left_out_of_comparison`].
    pub fn comparison_of(&self, scope: ScoreScope) -> Option<PredictionComparison> {
        self.comparison_kept(scope, &mut KeptComparison::default())
    }

    /// The same, counted only where it is not known yet.
    pub fn comparison_kept(
        &self,
        scope: ScoreScope,
        kept: &mut KeptComparison,
    ) -> Option<PredictionComparison> {
        let tiles = &self.contest().tiles;
        let (of, counts) = (self.contestants()?, tiles.counts.as_ref()?);
        if tiles.of != Some(of) {
            return None;
        }
        let judging = self.judging_of_contest();
        if scope == ScoreScope::Whole && judging.is_empty() {
            return Some(counts.total().comparison(self.classes()));
        }
        let ground = self.counted_ground(scope, &judging)?;
        let masks = self.contest_masks(of)?;
        let masks = masks.each_ref().map(|mask| &**mask);
        let found = kept.counts.of(&ground, counts, masks);
        Some(found.comparison(self.classes()))
    }

    pub(super) fn apply_prediction(
        &mut self,
        command: PredictionCommand,
    ) -> Result<(), CommandError> {
        match command {
            PredictionCommand::Predict { run, on, near } => self.predict(run, on, near),
            PredictionCommand::GoOn { near } => self.go_on_predicting(near),
            PredictionCommand::Keep => self.keep_prediction(),
            PredictionCommand::DropKept(place) => {
                self.drop_kept(place);
                Ok(())
            }
            PredictionCommand::CompareWith(place) => self.compare_with(place),
            PredictionCommand::Measures(measures) => self.hold_measures(measures),
            PredictionCommand::DecideAt(probability) => self.decide_at(probability),
        }
    }

    /// How the prediction was made that is shown.
    pub(super) fn made_by(&self) -> Option<MadeBy> {
        let made = self.maker()?;
        Some(MadeBy {
            run: made.run.clone(),
            flips: made.by.flips,
            threshold: made.by.threshold,
            asked: (!made.is_whole).then(|| Arc::clone(&made.asked)),
        })
    }

    pub(super) fn compare_with(&mut self, place: KeptPlace) -> Result<(), CommandError> {
        if self.layer(LayerKind::Kept(place)).is_none() {
            return Err(CommandError::NoPrediction);
        }
        if self.contest().a != place {
            self.end_contest();
            self.predicting.contest.turn_to(place);
        }
        Ok(())
    }

    pub(super) fn end_contest(&mut self) {
        let contest = &mut self.predicting.contest;
        contest.a = KeptPlace::default();
        if let Some(job) = contest.tiles.begin(None) {
            self.stop_job(job);
        }
    }

    /// The kept prediction that is compared with.
    pub(super) const fn contest_layer(&self) -> Option<&Layer> {
        self.predicting.kept.layer(self.predicting.contest.a)
    }

    /// The run whose network made it, when it is known.
    pub fn contest_run(&self) -> Option<&Path> {
        self.kept_by(self.contest().a)
    }

    pub(super) const fn contest_made_by(&self) -> Option<&MadeBy> {
        self.predicting.kept.made_by(self.predicting.contest.a)
    }

    fn contestants(&self) -> Option<Contestants> {
        let is_whole = |layer: &&Layer| !layer.is_loading && layer.broken.is_none();
        let (a, b) = (
            self.contest_layer()?,
            self.prediction.as_ref().filter(is_whole)?,
        );
        let is_same_size = |layer: &&Layer| layer.mask.size() == b.mask.size();
        let label = self.label.as_ref().filter(is_whole).filter(is_same_size);
        is_same_size(&a).then(|| Contestants {
            a: a.id,
            b: b.id,
            label: label.map(|label| label.id),
            num_classes: self.classes().num_classes(),
        })
    }

    /// The pixels of A, B and the label, which is bare where there is none.
    fn contest_masks(&self, of: Contestants) -> Option<[Cow<'_, Mask>; 3]> {
        let (a, b) = (&self.contest_layer()?.mask, &self.prediction.as_ref()?.mask);
        let label = self.label.as_ref().filter(|_| of.label.is_some());
        let truth = label.map_or_else(
            || Cow::Owned(Mask::new(b.size())),
            |label| Cow::Borrowed(&label.mask),
        );
        Some([Cow::Borrowed(a), Cow::Borrowed(b), truth])
    }

    /// Brings the numbers up to date with what changed, as [`Session::follow_scores`] does.
    pub(super) fn follow_contest(&mut self) {
        if self.stroke.is_some() {
            return;
        }
        let now = self.contestants();
        match self.predicting.contest.tiles.next(now.as_ref()) {
            Next::Anew => self.count_contest(now),
            Next::Changes => self.count_contest_changes(),
            Next::Nothing => {}
        }
    }

    fn count_contest(&mut self, now: Option<Contestants>) {
        if let Some(job) = self.predicting.contest.tiles.begin(now) {
            self.stop_job(job);
        }
        let masks = now.and_then(|of| Some((of, self.contest_masks(of)?)));
        let Some((of, masks)) = masks else {
            return;
        };
        let masks = masks.map(Cow::into_owned);
        let job = self.start_quiet_job("Comparing two predictions", move |job| {
            let nothing = ComparedPredictions::new(of.num_classes, of.label.is_some());
            let counts = TileCounts::of(masks.each_ref(), nothing);
            job.tell(Report::Contested(of, Box::new(counts)))?;
            Ok(())
        });
        self.predicting.contest.tiles.job = Some(job);
    }

    pub(super) fn contested(&mut self, of: Contestants, counts: TileComparison) {
        self.predicting.contest.tiles.counted(&of, counts);
    }

    fn count_contest_changes(&mut self) {
        let mut tiles = std::mem::take(&mut self.predicting.contest.tiles);
        if let Some(masks) = tiles.of.and_then(|of| self.contest_masks(of)) {
            tiles.count_changes(masks.each_ref().map(|mask| &**mask));
        }
        self.predicting.contest.tiles = tiles;
    }

    /// A prediction without any pixel took the place of B, as in [`Session::count_as_unpredicted`].
    pub(super) fn contest_as_unpredicted(&mut self) {
        let tiles = &self.predicting.contest.tiles;
        let (Some(before), Some(now)) = (tiles.of, self.contestants()) else {
            return;
        };
        if now == (Contestants { b: now.b, ..before }) {
            self.predicting.contest.tiles.count_as_unpredicted(now);
        }
    }

    /// Whether the numbers of the two are those of their pixels, where they claim to be.
    pub(super) fn check_contest(&self) {
        let tiles = &self.contest().tiles;
        let (Some(of), Some(counts)) = (tiles.of, &tiles.counts) else {
            return;
        };
        let is_current = tiles.is_current() && self.contestants() == Some(of);
        let masks = self.contest_masks(of).filter(|_| is_current);
        if let Some(masks) = masks.filter(|_| self.stroke.is_none()) {
            let nothing = ComparedPredictions::new(of.num_classes, of.label.is_some());
            let fresh = TileCounts::of(masks.each_ref().map(|mask| &**mask), nothing);
            assert_eq!(
                counts.total(),
                fresh.total(),
                "the comparison follows the brush"
            );
        }
    }
}
