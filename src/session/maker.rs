use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::asked::Asked;
use super::labels::new_layer;
use super::state::{Layer, LayerId, OpenImage, Session};
use super::{CommandError, LayerKind, Notice, PredictionState, ScoreScope};
use crate::geom::PixelRect;
use crate::label::{Class, ClassTable, Mask, UNLABELED};
use crate::train::{BlockOrder, Certainty, DecisionThreshold, DoneBlocks, Flips, KeptBlocks};

/// A larger prediction is let go of when another model's takes its place, and predicted anew.
pub(super) const MOST_ASIDE: usize = 512 << 20;

/// Whose the prediction is, whose takes its place next, and what waits for its model.
#[derive(Debug, Default)]
pub(super) struct Makers {
    /// Of the layer that was predicted here last.
    shown: Option<Shown>,
    coming: Option<Coming>,
    aside: Option<Aside>,
    /// What another model predicted: shown behind the prediction that took its place and runs.
    pub replaced: Option<Layer>,
    /// Whether classes mean the same in both, so that they can be seen side by side.
    is_replaced_alike: bool,
    /// Whether what is replaced waits for its model.
    is_replaced_aside: bool,
    /// Whether a model that comes into use predicts the whole image, as the one before did.
    wants_all: bool,
}

/// Whose a prediction is, and how far it is. All of its pixels are of one model.
#[derive(Debug)]
pub(super) struct Made {
    pub by: ModelMark,
    /// The run whose network it is.
    pub run: PathBuf,
    /// Which ground was asked for last; pixels are written there alone.
    pub asked: Arc<Asked>,
    /// Whether it covers the whole image.
    pub is_whole: bool,
    /// Blocks that are finished.
    pub done: DoneBlocks,
    /// Blocks of what was asked for last: those that are finished, and all.
    pub blocks: (u64, u64),
    /// What its classes stand for.
    pub classes: ClassTable,
    /// Its finished blocks, measured in all ways.
    pub kept: Arc<KeptBlocks>,
}

/// Predictions of equal marks have equal pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ModelMark {
    pub checksums: [u32; 2],
    pub flips: Flips,
    pub threshold: DecisionThreshold,
}

/// When a prediction takes the place of another model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TakesPlace {
    /// When it is asked for.
    AtOnce,
    /// With its first block, so that nothing is bare until then.
    WithFirstBlock,
}

#[derive(Debug)]
struct Shown {
    layer: LayerId,
    made: Made,
}

/// Takes the place of a layer with its first block, if that is still shown.
#[derive(Debug)]
struct Coming {
    over: Option<LayerId>,
    made: Made,
}

/// The prediction of another model, for when that predicts again.
#[derive(Debug)]
struct Aside {
    classes: Mask,
    /// How sure they are by one of the measures.
    sure: Option<(Certainty, Mask)>,
    made: Made,
}

impl Made {
    pub fn new(
        by: ModelMark,
        run: PathBuf,
        asked: Arc<Asked>,
        classes: ClassTable,
        kept: Arc<KeptBlocks>,
    ) -> Self {
        Self {
            by,
            run,
            asked,
            is_whole: false,
            done: DoneBlocks::default(),
            blocks: (0, 0),
            classes,
            kept,
        }
    }

    /// Whether pixels of equal classes mean the same in `other`.
    fn means_same(&self, other: &Self) -> bool {
        let [ours, theirs] = [self, other].map(|made| made.classes.classes().iter());
        let meaning = |class: &Class| (class.index, class.name.clone());
        ours.map(meaning).eq(theirs.map(meaning))
    }

    /// What `next` asks for of the same model, with what is there already.
    fn goes_on(self, next: Self) -> Self {
        Self {
            is_whole: self.is_whole,
            done: self.done,
            blocks: if self.asked.is_same(&next.asked) {
                self.blocks
            } else {
                next.blocks
            },
            kept: self.kept,
            ..next
        }
    }
}

impl Makers {
    /// Bytes of what waits for its model.
    pub fn bytes_used(&self) -> usize {
        self.aside.as_ref().map_or(0, Aside::bytes_used)
    }
}

impl Aside {
    fn bytes_used(&self) -> usize {
        let sure = self.sure.as_ref().map_or(0, |(_, mask)| mask.bytes_used());
        self.classes.bytes_used() + sure
    }
}

impl Session {
    /// Whose the prediction is, when it was predicted here.
    pub(super) fn maker(&self) -> Option<&Made> {
        let layer = self.prediction.as_ref()?.id;
        let shown = self.predicting.makers.shown.as_ref()?;
        (shown.layer == layer).then_some(&shown.made)
    }

    pub(super) fn maker_mut(&mut self) -> Option<&mut Made> {
        let layer = self.prediction.as_ref()?.id;
        let shown = self.predicting.makers.shown.as_mut()?;
        (shown.layer == layer).then_some(&mut shown.made)
    }

    /// Takes along whose the prediction is, for [`Self::put_maker`].
    pub(super) fn take_maker(&mut self) -> Option<Made> {
        self.maker()?;
        self.predicting.makers.shown.take().map(|shown| shown.made)
    }

    /// Says whose the prediction is that was put back.
    pub(super) fn put_maker(&mut self, made: Made) {
        if let Some(layer) = self.prediction.as_ref().map(|layer| layer.id) {
            self.predicting.makers.shown = Some(Shown { layer, made });
        }
    }

    /// Where the prediction that runs next keeps its blocks: that of the layer that it goes on with,
    /// or will put in place.
    pub(super) fn kept_blocks(&self) -> Option<Arc<KeptBlocks>> {
        let coming = self.predicting.makers.coming.as_ref();
        let made = coming.map(|coming| &coming.made).or_else(|| self.maker());
        made.map(|made| Arc::clone(&made.kept))
    }

    /// Whose blocks the prediction that runs makes, once they are shown.
    pub(super) fn running_maker(&mut self) -> Option<&mut Made> {
        let is_shown = self.predicting.makers.coming.is_none();
        self.maker_mut().filter(|_| is_shown)
    }

    /// Whether a prediction is shown that a file or scribbles gave.
    pub(super) fn is_prediction_of_others(&self) -> bool {
        self.prediction.is_some() && self.maker().is_none()
    }

    /// Goes on with the prediction of the same model, or lets `made` take its place; the blocks that
    /// are there already.
    pub(super) fn prepare_layers(&mut self, made: Made, place: TakesPlace) -> HashSet<PixelRect> {
        self.predicting.makers.coming = None;
        if self.maker().is_some_and(|now| now.by == made.by) {
            if let Some(shown) = self.predicting.makers.shown.take() {
                let made = shown.made.goes_on(made);
                self.predicting.makers.shown = Some(Shown { made, ..shown });
            }
        } else if place == TakesPlace::AtOnce {
            self.put_in_place(made);
        } else {
            let over = self.prediction.as_ref().map(|layer| layer.id);
            self.predicting.makers.coming = Some(Coming { over, made });
            return HashSet::new();
        }
        let now = self.maker();
        now.map_or_else(HashSet::new, |made| made.done.known(made.asked.sum))
    }

    /// Whether a block of the prediction that runs has its layer. With the first one of another
    /// model, that model's layer takes the place of what was shown.
    pub(super) fn is_block_wanted(&mut self) -> bool {
        let shown = self.prediction.as_ref().map(|layer| layer.id);
        let makers = &mut self.predicting.makers;
        if let Some(coming) = makers.coming.take_if(|coming| coming.over == shown) {
            self.put_in_place(coming.made);
        }
        self.predicting.makers.coming.is_none() && self.maker().is_some()
    }

    /// Puts layers of another model in place: those that wait for it, else empty ones, behind which
    /// what was shown stays until the prediction that runs is there.
    fn put_in_place(&mut self, made: Made) {
        let Some(size) = self.image.as_ref().map(OpenImage::size) else {
            return;
        };
        let looked = self
            .prediction
            .as_ref()
            .map(|old| (old.is_visible, old.opacity));
        let aside = &mut self.predicting.makers.aside;
        let back = aside.take_if(|aside| aside.made.by == made.by);
        let is_alike = self.maker().is_some_and(|now| now.means_same(&made));
        let is_aside = self.set_aside(&made.run);
        let is_bare = back.is_none();
        if is_bare {
            let replaced = self.prediction.take_if(|old| !old.is_loading);
            self.put_layer(LayerKind::Replaced, replaced);
            self.predicting.makers.is_replaced_alike = is_alike;
            self.predicting.makers.is_replaced_aside = is_aside;
        }
        let (classes, sure, made) = match back {
            Some(aside) => {
                let sure = aside.sure.into_iter().collect();
                (aside.classes, sure, aside.made.goes_on(made))
            }
            None => (Mask::new(size), self.bare_measures(size), made),
        };
        let classes = new_layer(self.next_number(), classes);
        let (is_visible, opacity) = looked.unwrap_or((classes.is_visible, classes.opacity));
        let layer = classes.id;
        let classes = Layer {
            is_visible,
            opacity,
            ..classes
        };
        self.put_layer(LayerKind::Prediction, Some(classes));
        // Its places were those of the other model.
        self.review = None;
        self.drop_measures();
        self.put_measures(sure);
        self.predicting.makers.shown = Some(Shown { layer, made });
        if is_bare {
            self.count_as_unpredicted();
            self.contest_as_unpredicted();
        }
        // Other measures may be wanted than when it was put aside.
        self.follow_measures();
    }

    /// A block is there: what was shown in its place is not seen behind it, nor is any of that where
    /// classes mean something else.
    pub(super) fn paint_over_replaced(&mut self, block: PixelRect) {
        if !self.predicting.makers.is_replaced_alike {
            self.put_layer(LayerKind::Replaced, None);
        }
        if let Some(replaced) = self.layer_mut(LayerKind::Replaced) {
            let nothing = vec![UNLABELED; block.num_pixels() as usize];
            replaced.mask.set_rect(block, &nothing);
            self.mask_changed(LayerKind::Replaced, &[block]);
        }
    }

    /// Shows a prediction that was made before, its classes and how sure they are by the usual
    /// measure; there is none in its place.
    pub(super) fn bring_back(&mut self, made: Made, [classes, sure]: [Mask; 2]) {
        let is_whole = made.is_whole;
        let (run, asked) = (made.run.clone(), Arc::clone(&made.asked));
        let (table, kept) = (made.classes.clone(), Arc::clone(&made.kept));
        let next = Made::new(made.by, run, asked, table, kept);
        let makers = &mut self.predicting.makers;
        makers.wants_all |= is_whole;
        makers.aside = Some(Aside {
            classes,
            sure: Some((Certainty::default(), sure)),
            made,
        });
        self.put_in_place(next);
        self.tell_maker();
    }

    /// Keeps what is shown for when its model predicts again; an earlier state of the run that
    /// predicts next never does. Whether it is kept.
    fn set_aside(&mut self, next: &Path) -> bool {
        if self.maker().is_none_or(|made| made.run == next) {
            return false;
        }
        let (Some(shown), Some(classes)) = (self.predicting.makers.shown.take(), &self.prediction)
        else {
            return false;
        };
        // What is not whole yet is read again.
        let sure = self.certainty().filter(|sure| !sure.is_loading);
        let aside = Aside {
            classes: classes.mask.clone(),
            sure: sure.map(|sure| (self.certainty_measure(), sure.mask.clone())),
            made: shown.made,
        };
        let is_kept = aside.bytes_used() <= MOST_ASIDE;
        if is_kept {
            self.predicting.makers.aside = Some(aside);
        }
        is_kept
    }

    /// A prediction ended before its first block: what it took the place of is shown again, if that
    /// is of a model that is known, or of a file beside a label, which says what classes mean.
    /// Whether it is.
    pub(super) fn show_replaced_again(&mut self) -> bool {
        let is_bare = |made: &Made| made.done.known(made.asked.sum).is_empty();
        let is_aside = self.predicting.makers.is_replaced_aside;
        let is_bare = self.predicting.makers.coming.is_none() && self.maker().is_some_and(is_bare);
        let has_label = self.label.is_some();
        let is_known = |old: &Layer| is_aside || (has_label && old.path.is_some());
        let replaced = &mut self.predicting.makers.replaced;
        let Some(layer) = replaced.take_if(|old| is_bare && is_known(old)) else {
            return false;
        };
        let id = layer.id;
        self.put_layer(LayerKind::Prediction, Some(layer));
        self.review = None;
        self.drop_measures();
        let makers = &mut self.predicting.makers;
        let Some(aside) = makers.aside.take_if(|_| is_aside) else {
            makers.shown = None;
            self.prediction_state = PredictionState::default();
            return true;
        };
        makers.wants_all |= aside.made.is_whole;
        let (classes, made) = (aside.made.classes.clone(), aside.made);
        makers.shown = Some(Shown { layer: id, made });
        if !has_label {
            self.set_classes(classes);
        }
        self.put_measures(aside.sure.into_iter().collect());
        self.follow_measures();
        true
    }

    /// The prediction that runs is done: what was asked for is there.
    pub(super) fn ground_predicted(&mut self) {
        if self.predicting.makers.coming.is_some() {
            return;
        }
        let Some(made) = self.maker_mut() else { return };
        made.blocks.0 = made.blocks.1;
        made.is_whole |= made.asked.on == ScoreScope::Whole;
        let is_whole = made.is_whole;
        self.predicting.makers.wants_all |= is_whole;
    }

    /// Says what is shown, when nothing is predicted any more.
    pub(super) fn tell_maker(&mut self) {
        self.predicting.makers.coming = None;
        self.put_layer(LayerKind::Replaced, None);
        if let Some(made) = self.maker() {
            let (on, is_complete) = (made.asked.on, made.is_whole);
            let run = Some(made.run.clone());
            let blocks = made.blocks;
            self.prediction_state = PredictionState {
                job: None,
                blocks,
                run,
                on,
                is_complete,
                ..std::mem::take(&mut self.prediction_state)
            };
        }
    }

    /// Somebody stopped a prediction: the whole image is not what is wanted.
    pub(super) const fn want_no_more(&mut self) {
        self.predicting.makers.wants_all = false;
    }

    /// Stops the prediction that runs, without a word.
    pub(super) fn stop_prediction(&mut self) {
        if let Some(job) = self.prediction_state.job.take() {
            self.stop_job(job);
            self.tell_maker();
            self.live.list_anew();
        }
    }

    /// Learning begins, which a prediction would keep waiting until it ends: it is stopped, and what
    /// is finished of it stays.
    pub(super) fn make_way_for_learning(&mut self) {
        let state = &self.prediction_state;
        if state.job.is_none() {
            return;
        }
        self.predicting.makers.wants_all |= state.on == ScoreScope::Whole;
        self.stop_prediction();
        self.notify(Notice::info(
            "The prediction was stopped, so that learning begins at once. Its finished blocks stay: \
             Train › Go on with the prediction computes the rest",
        ));
    }

    /// Another image is opened: no prediction of this one is of use.
    pub(super) fn forget_makers(&mut self) {
        self.stop_prediction();
        self.predicting.makers = Makers::default();
        self.study.instant.replaced = None;
    }

    /// The model of `run` is in use from now on: what is looked at is predicted at once, and the rest
    /// after it where all was predicted before; what another one predicted is seen until then.
    pub(super) fn turn_prediction_to(&mut self, run: PathBuf) {
        let state = &self.prediction_state;
        let is_whole_coming = state.job.is_some() && state.on == ScoreScope::Whole;
        self.predicting.makers.wants_all |= is_whole_coming;
        self.stop_prediction();
        if let Err(error) = self.predict_in_use(&run) {
            self.put_layer(LayerKind::Replaced, None);
            if self.maker().is_some_and(|made| made.run != run) {
                self.take_prediction_away();
            }
            self.notify(Notice::warning(error.to_string()));
        }
    }

    fn predict_in_use(&mut self, run: &Path) -> Result<(), CommandError> {
        let Some(bounds) = self.image.as_ref().map(|image| image.size().bounds()) else {
            return Ok(());
        };
        let view = self.study.finetune.view.map(|view| view.intersect(bounds));
        let view = view.filter(|view| !view.is_empty());
        let on = match (self.predicting.makers.wants_all, view) {
            (true, _) => ScoreScope::Whole,
            (false, Some(view)) => ScoreScope::Within(view),
            (false, None) => {
                if self.maker().is_some_and(|made| made.run != run) {
                    self.take_prediction_away();
                }
                return Ok(());
            }
        };
        let plan = self.prediction_plan(run)?;
        let plan = self.only_on(plan, on)?;
        let plan = match view {
            Some(view) => plan.in_order(BlockOrder::NearestFirst(view.center())),
            None => plan,
        };
        let made = self.asked_of(&plan, run, on);
        self.prepare_layers(made, TakesPlace::AtOnce);
        if self.maker().is_some_and(|made| made.is_whole) {
            self.tell_maker();
            return Ok(());
        }
        self.start_prediction(plan, (run.to_owned(), on), TakesPlace::AtOnce)
    }

    fn take_prediction_away(&mut self) {
        self.replace_layer(LayerKind::Prediction, None);
        self.prediction_state = PredictionState::default();
        self.live.list_anew();
    }
}
