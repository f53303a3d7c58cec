use std::collections::HashSet;

use super::JobId;
use super::jobs::Report;
use super::state::{Layer, LayerId, Session};
use crate::geom::{ImageSize, PixelRect};
use crate::label::{CellKey, Selection, WantedCells};
use crate::metrics::{Confusion, PartConfusion, PartFact, Scores, TileConfusion, TiledGround};

/// More tiles than this are counted again in the background instead of at once.
const MOST_AT_ONCE: usize = 2_048;

/// Label against prediction, kept up with every change of either.
#[derive(Debug, Default)]
pub(super) struct LiveCounts {
    of: Option<Pairing>,
    counts: Option<TileConfusion>,
    /// Those of the blocks that judge.
    judging: PartConfusion,
    job: Option<JobId>,
    /// Columns and rows of the tiles that changed since the counts were right.
    dirty: HashSet<(u32, u32)>,
    /// What the counts of the whole image come to.
    scores: Option<Scores>,
    /// Whether the list of images does not know them yet.
    is_unlisted: bool,
    version: u64,
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
    /// What each model learned from.
    pub(super) learned: Vec<PartFact>,
    pub(super) unreviewed: PartFact,
}

/// What scores of a part of the ground were made of; of equal ones they are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreKey {
    version: u64,
    scope: ScoreScope,
    selected: Option<Selection>,
    cells: Vec<CellKey>,
    /// What is reviewed, of whatever scope.
    done: Vec<CellKey>,
}

impl LiveCounts {
    /// Pixels of one of the masks changed, which have this size.
    pub(super) fn note(&mut self, dirty: &[PixelRect], size: ImageSize) {
        if self.of.is_some() {
            let inside = dirty.iter().map(|rect| rect.intersect(size.bounds()));
            self.dirty.extend(inside.flat_map(TileConfusion::tiles_in));
        }
    }

    /// What is said of the numbers may be something else now.
    pub(super) const fn said_anew(&mut self) {
        self.version += 1;
    }

    /// The prediction is another one, or more of it is there.
    pub(super) const fn list_anew(&mut self) {
        self.is_unlisted = true;
    }

    /// A job ended, whatever came of it.
    pub(super) fn ended(&mut self, id: JobId) {
        self.job = self.job.filter(|job| *job != id);
    }
}

impl Session {
    /// The scores of the prediction against the label as both are now; `None` while either is
    /// missing or read. Those of a prediction that is being made are of the blocks that are there,
    /// all of one model; labeled ground without one counts as wrong. Blocks that judge the model are
    /// left out, see [`Session::judging_left_out`].
    pub const fn scores(&self) -> Option<&Scores> {
        self.live.scores.as_ref()
    }

    /// Whether parts of the ground have no numbers since all is being counted.
    pub const fn is_counting(&self) -> bool {
        self.live.counts.is_none()
    }

    /// What the scores on a part of the ground are made of now; cheap enough for every frame.
    pub fn score_key(&self, scope: ScoreScope) -> ScoreKey {
        let selected = self.selected.as_ref().map(|selected| &selected.pixels);
        let cells = match scope {
            ScoreScope::Cells(wanted) => self.coverage().cells(wanted),
            _ => Vec::new(),
        };
        ScoreKey {
            version: self.live.version,
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
        let (counts, truth, predicted) = (
            self.live.counts.as_ref()?,
            &self.label.as_ref()?.mask,
            &self.prediction.as_ref()?.mask,
        );
        if scope == ScoreScope::Whole {
            return self.live.scores.clone();
        }
        let ground = self.asked_ground(scope)?.without(self.judging_blocks());
        let is_ragged = matches!(scope, ScoreScope::Selection | ScoreScope::Training);
        if is_ragged && ground.num_cut() > MOST_AT_ONCE {
            return None;
        }
        let confusion = kept.counts.of(&ground, counts, [truth, predicted]);
        Some(Scores::new(&confusion, self.classes()))
    }

    /// Brings the numbers up to date with what changed. A stroke counts when it ends.
    pub(super) fn follow_scores(&mut self) {
        if self.stroke.is_some() {
            return;
        }
        let pairing = self.pairing();
        let is_counted = self.live.dirty.is_empty() || self.live.job.is_some();
        if pairing != self.live.of || (!is_counted && self.live.dirty.len() > MOST_AT_ONCE) {
            return self.count_anew(pairing);
        }
        if !is_counted {
            self.count_changes();
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
        let (Some(before), Some(now)) = (self.live.of, self.pairing()) else {
            return;
        };
        let is_same_label = (before.label, before.num_classes) == (now.label, now.num_classes);
        if let Some(counts) = self.live.counts.as_ref().filter(|_| is_same_label) {
            let counts = counts.unpredicted();
            (self.live.of, self.live.counts) = (Some(now), Some(counts));
            self.live.version += 1;
            self.score_whole();
        }
    }

    /// The scores of the whole image from what is counted.
    pub(super) fn score_whole(&mut self) {
        if self.pairing() != self.live.of {
            return;
        }
        let blocks = self.judging_blocks().to_vec();
        let live = &mut self.live;
        let (Some(counts), Some(label), Some(prediction)) =
            (&live.counts, &self.label, &self.prediction)
        else {
            return;
        };
        let ground = TiledGround::of_rects(label.mask.size(), &blocks);
        let masks = [&label.mask, &prediction.mask];
        let mut all = counts.total().clone();
        all.take_away(&live.judging.of(&ground, counts, masks));
        live.scores = Some(Scores::new(&all, &self.palette.table));
    }

    fn count_anew(&mut self, pairing: Option<Pairing>) {
        let version = self.live.version + 1;
        let old = std::mem::take(&mut self.live);
        if let Some(job) = old.job {
            self.stop_job(job);
        }
        (self.live.of, self.live.version) = (pairing, version);
        self.live.is_unlisted = old.is_unlisted || pairing != old.of;
        if pairing.is_some() && pairing == old.of {
            self.live.scores = old.scores;
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
        self.live.job = Some(job);
    }

    pub(super) fn counted(&mut self, pairing: Pairing, counts: TileConfusion) {
        if self.live.of != Some(pairing) || self.pairing() != Some(pairing) {
            return;
        }
        (self.live.counts, self.live.job) = (Some(counts), None);
        // What was painted meanwhile.
        self.count_changes();
    }

    /// Notes the listed image's score once the whole prediction is there. A look at a model that is
    /// being learned is none.
    fn list_score(&mut self) {
        let is_in_work = self.live.counts.is_none() || self.prediction_state.job.is_some();
        if !self.live.is_unlisted || is_in_work {
            return;
        }
        self.live.is_unlisted = false;
        let is_part = self.maker().is_some_and(|made| !made.is_whole);
        if is_part || self.study.finetune.is_running() {
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
        let (Some(counts), Some(label), Some(prediction)) =
            (&mut self.live.counts, &self.label, &self.prediction)
        else {
            return;
        };
        let dirty: Vec<_> = self.live.dirty.drain().collect();
        counts.update(&label.mask, &prediction.mask, &dirty);
        self.live.version += 1;
        self.score_whole();
    }

    /// Whether the numbers are those of the masks, where they claim to be.
    pub(super) fn check_scores(&self) {
        let (Some(counts), Some(label), Some(prediction)) =
            (&self.live.counts, &self.label, &self.prediction)
        else {
            return;
        };
        let is_current = self.live.dirty.is_empty() && self.pairing() == self.live.of;
        if is_current && self.stroke.is_none() {
            let num_classes = counts.total().num_classes();
            let fresh = Confusion::between(&label.mask, &prediction.mask, num_classes);
            assert_eq!(*counts.total(), fresh, "the numbers follow the brush");
        }
    }
}
