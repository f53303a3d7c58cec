use super::JobId;
use super::followed::{Followed, MOST_AT_ONCE, Next};
use super::jobs::Report;
use super::state::{Layer, LayerId, Session};
use crate::geom::{ImageSize, PixelRect};
use crate::label::{CellKey, Selection, WantedCells};
use crate::metrics::{Confusion, PartConfusion, PartFact, Scores, TileConfusion, TiledGround};

/// Label against prediction, kept up with every change of either.
#[derive(Debug, Default)]
pub(super) struct LiveCounts {
    tiles: Followed<Pairing, Confusion, 2>,
    /// Those of the blocks that judge.
    judging: PartConfusion,
    /// What the counts of the whole image come to.
    scores: Option<Scores>,
    /// The share of the labeled ground that they are of, where they are of what is predicted.
    share: Option<f64>,
    /// Whether they were those of a prediction that is not whole.
    was_part: bool,
    /// Whether the list of images does not know them yet.
    is_unlisted: bool,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pairing {
    label: LayerId,
    prediction: LayerId,
    num_classes: usize,
}

/// Which ground numbers are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScoreScope {
    /// The whole image.
    #[default]
    Whole,
    /// A rectangle in level-0 pixels, for example what is seen.
    Within(PixelRect),
    /// What is selected.
    Selection,
    /// Cells, by what somebody said of them.
    Cells(WantedCells),
    /// What the model left out of its training to choose the best epoch by: the one that predicted,
    /// else the one in use. What it left out to judge is read for a verdict alone.
    HeldOut,
    /// What that model learned from.
    Training,
}

/// What was counted of a scope, kept by who shows its numbers: with it a stroke costs only the tiles
/// that it touched. Of another scope it is filled anew.
#[derive(Debug, Default)]
pub struct KeptScores {
    counts: PartConfusion,
    share: Option<f64>,
    /// What each model learned from.
    pub(super) learned: Vec<PartFact>,
    pub(super) unreviewed: PartFact,
}

/// What scores of a part of the ground were made of; of equal ones they are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreKey {
    /// Of the scores, and of the comparison of two predictions.
    versions: [u64; 2],
    scope: ScoreScope,
    selected: Option<Selection>,
    cells: Vec<CellKey>,
    /// What is reviewed, of whatever scope.
    done: Vec<CellKey>,
}

impl LiveCounts {
    /// Pixels of one of the masks changed, which have this size.
    pub(super) fn note(&mut self, dirty: &[PixelRect], size: ImageSize) {
        self.tiles.note(dirty, size);
    }

    /// What is said of the numbers may be something else now.
    pub(super) const fn said_anew(&mut self) {
        self.tiles.version += 1;
    }

    /// The prediction is another one, or more of it is there.
    pub(super) const fn list_anew(&mut self) {
        self.is_unlisted = true;
    }

    /// A job ended, whatever came of it.
    pub(super) fn ended(&mut self, id: JobId) {
        self.tiles.ended(id);
    }
}

impl KeptScores {
    /// The share of the labeled ground, 0 to 1, that the scores are of; `None` where they are of all
    /// of it, and ground without a prediction counts as wrong.
    pub const fn share_predicted(&self) -> Option<f64> {
        self.share
    }
}

impl Session {
    /// The scores of the prediction against the label as both are now; `None` while either is
    /// missing or read. Those of a prediction that was made here and is not whole are of the ground
    /// that it holds, all of one model, see [`KeptScores::share_predicted`]; of a whole one, and of a
    /// file, labeled ground without a prediction counts as wrong. Blocks that judge the model are left
    /// out, see [`Session::judging_left_out`].
    pub const fn scores(&self) -> Option<&Scores> {
        self.live.scores.as_ref()
    }

    /// Whether parts of the ground have no numbers since all is being counted.
    pub const fn is_counting(&self) -> bool {
        self.live.tiles.counts.is_none()
    }

    /// What the scores on a part of the ground, and the comparison there, are made of now; cheap
    /// enough for every frame.
    pub fn score_key(&self, scope: ScoreScope) -> ScoreKey {
        let selected = self.selected.as_ref().map(|selected| &selected.pixels);
        let cells = match scope {
            ScoreScope::Cells(wanted) => self.coverage().cells(wanted),
            _ => Vec::new(),
        };
        ScoreKey {
            versions: [self.live.tiles.version, self.contest().version()],
            scope,
            selected: selected.filter(|_| scope == ScoreScope::Selection).cloned(),
            cells,
            done: self.coverage().cells(WantedCells::Done),
        }
    }

    /// The scores on a part of the ground; `None` as for [`Session::scores`], where there is no
    /// such part, and for ground that is too large and ragged to be counted at once.
    pub fn scores_of(&self, scope: ScoreScope) -> Option<Scores> {
        self.scores_kept(scope, &mut KeptScores::default())
    }

    /// The same, counted only where it is not known yet.
    pub fn scores_kept(&self, scope: ScoreScope, kept: &mut KeptScores) -> Option<Scores> {
        kept.share = None;
        let (counts, truth, predicted) = (
            self.live.tiles.counts.as_ref()?,
            &self.label.as_ref()?.mask,
            &self.prediction.as_ref()?.mask,
        );
        if scope == ScoreScope::Whole {
            kept.share = self.live.share;
            return self.live.scores.clone();
        }
        let ground = self.counted_ground(scope, self.judging_blocks())?;
        let counts = kept.counts.of(&ground, counts, [truth, predicted]);
        let (scores, share) = self.scored(counts);
        kept.share = share;
        Some(scores)
    }

    /// The ground of a scope without what judges; `None` where there is none, or it is too large and
    /// ragged to be counted at once.
    pub(super) fn counted_ground(
        &self,
        scope: ScoreScope,
        judging: &[PixelRect],
    ) -> Option<TiledGround> {
        let ground = self.asked_ground(scope)?.without(judging);
        let is_ragged = matches!(scope, ScoreScope::Selection | ScoreScope::Training);
        (!is_ragged || ground.num_cut() <= MOST_AT_ONCE).then_some(ground)
    }

    /// What counts come to, and of which share of the labeled ground that is, if only what is
    /// predicted counts.
    fn scored(&self, counts: Confusion) -> (Scores, Option<f64>) {
        let classes = self.classes();
        if !self.is_prediction_in_part() {
            return (Scores::new(&counts, classes), None);
        }
        let (all, missing) = (counts.pixels(), counts.unpredicted());
        let share = (all > 0).then(|| (all - missing) as f64 / all as f64);
        (Scores::new(&counts.of_predicted(), classes), share)
    }

    /// Whether the prediction is one that was made here, but not of the whole image.
    pub(super) fn is_prediction_in_part(&self) -> bool {
        let shown = self.prediction.as_ref().map(|layer| layer.id);
        let is_answers = shown.is_some() && shown == self.study.instant.layer();
        self.maker().map_or(is_answers, |made| !made.is_whole)
    }

    /// Brings the numbers up to date with what changed. A stroke counts when it ends.
    pub(super) fn follow_scores(&mut self) {
        if self.stroke.is_some() {
            return;
        }
        let pairing = self.pairing();
        match self.live.tiles.next(pairing.as_ref()) {
            Next::Anew => return self.count_anew(pairing),
            Next::Changes => self.count_changes(),
            Next::Nothing => {}
        }
        let is_part = self.is_prediction_in_part();
        if is_part != self.live.was_part {
            self.live.was_part = is_part;
            self.live.said_anew();
            self.score_whole();
        }
        self.list_score();
    }

    /// What can be counted now.
    fn pairing(&self) -> Option<Pairing> {
        let is_whole = |layer: &&Layer| !layer.is_loading && layer.broken.is_none();
        let label = self.label.as_ref().filter(is_whole)?;
        let prediction = self.prediction.as_ref().filter(is_whole)?;
        (label.mask.size() == prediction.mask.size()).then(|| Pairing {
            label: label.id,
            prediction: prediction.id,
            num_classes: self.classes().num_classes(),
        })
    }

    /// A prediction without any pixel took the place of another model's. What is known of the label
    /// counts for it, too, so that there are numbers before and after each of its blocks, and none
    /// of them is of two models.
    pub(super) fn count_as_unpredicted(&mut self) {
        let (Some(before), Some(now)) = (self.live.tiles.of, self.pairing()) else {
            return;
        };
        let prediction = now.prediction;
        if now
            == (Pairing {
                prediction,
                ..before
            })
            && self.live.tiles.count_as_unpredicted(now)
        {
            self.score_whole();
        }
    }

    /// The scores of the whole image from what is counted.
    pub(super) fn score_whole(&mut self) {
        if self.pairing() != self.live.tiles.of {
            return;
        }
        let blocks = self.judging_blocks().to_vec();
        let live = &mut self.live;
        let (Some(counts), Some(label), Some(prediction)) =
            (&live.tiles.counts, &self.label, &self.prediction)
        else {
            return;
        };
        let ground = TiledGround::of_rects(label.mask.size(), &blocks);
        let masks = [&label.mask, &prediction.mask];
        let mut all = counts.total().clone();
        all.take_away(&live.judging.of(&ground, counts, masks));
        let (scores, share) = self.scored(all);
        (self.live.scores, self.live.share) = (Some(scores), share);
    }

    fn count_anew(&mut self, pairing: Option<Pairing>) {
        let is_same = pairing.is_some() && pairing == self.live.tiles.of;
        if let Some(job) = self.live.tiles.begin(pairing) {
            self.stop_job(job);
        }
        self.live.judging = PartConfusion::default();
        if !is_same {
            self.live.is_unlisted = true;
            (self.live.scores, self.live.share) = (None, None);
        }
        let (Some(pairing), Some(label), Some(prediction)) =
            (pairing, &self.label, &self.prediction)
        else {
            return;
        };
        let (truth, predicted) = (label.mask.clone(), prediction.mask.clone());
        let job = self.start_quiet_job("Comparing label and prediction", move |job| {
            let counts = TileConfusion::new(&truth, &predicted, pairing.num_classes);
            job.tell(Report::Counted(pairing, Box::new(counts)))?;
            Ok(())
        });
        self.live.tiles.job = Some(job);
    }

    pub(super) fn counted(&mut self, pairing: Pairing, counts: TileConfusion) {
        if self.pairing() == Some(pairing) {
            self.live.tiles.counted(&pairing, counts);
            // What was painted meanwhile.
            self.count_changes();
        }
    }

    /// Notes the listed image's score once the whole prediction is there. A look at a model that is
    /// being learned is none.
    fn list_score(&mut self) {
        let is_in_work = self.live.tiles.counts.is_none() || self.prediction_state.job.is_some();
        if !self.live.is_unlisted || is_in_work {
            return;
        }
        self.live.is_unlisted = false;
        if self.is_prediction_in_part() || self.study.finetune.is_running() {
            return;
        }
        let mean_iou = self.live.scores.as_ref().and_then(|scores| scores.mean_iou);
        let listed = self.current_entry();
        if let Some(entry) = listed.filter(|entry| entry.score != mean_iou) {
            entry.score = mean_iou;
            self.keep_entry();
        }
        self.say_ground_of_entry();
    }

    /// Notes what ground the listed image's score is of.
    pub(super) fn say_ground_of_entry(&mut self) {
        let ground = self.ground_of_scores(ScoreScope::Whole);
        let is_scored = self.live.scores.is_some();
        if let Some(entry) = self.current_entry().filter(|_| is_scored) {
            entry.ground = ground;
        }
    }

    fn count_changes(&mut self) {
        let (Some(label), Some(prediction)) = (&self.label, &self.prediction) else {
            return;
        };
        let masks = [&label.mask, &prediction.mask];
        if self.live.tiles.count_changes(masks) {
            self.score_whole();
        }
    }

    /// Whether the numbers are those of the masks, where they claim to be.
    pub(super) fn check_scores(&self) {
        let tiles = &self.live.tiles;
        let (Some(counts), Some(label), Some(prediction)) =
            (&tiles.counts, &self.label, &self.prediction)
        else {
            return;
        };
        let is_current = tiles.is_current() && self.pairing() == tiles.of;
        if is_current && self.stroke.is_none() {
            let num_classes = counts.total().num_classes();
            let fresh = Confusion::between(&label.mask, &prediction.mask, num_classes);
            assert_eq!(*counts.total(), fresh, "the numbers follow the brush");
        }
    }
}
