use super::words::{count, duration};
use super::{FinalScores, RunRecord, ScoredOn};
use crate::dataset::parts::PartWay;
use crate::dataset::{SplitKind, SplitReport};
use crate::metrics::ClassScores;
use crate::train::leak_check::leak_warning;
use crate::train::{BestBy, EpochRow};

/// The figures of a run's best network that a report begins with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BestFigures {
    pub(super) on: ScoredOn,
    pub(super) mean_iou: Option<f64>,
    pub(super) pixel_accuracy: Option<f64>,
    /// What answering one class everywhere would score.
    pub(super) majority_baseline: Option<f64>,
    pub(super) majority_class: Option<u8>,
}

impl RunRecord {
    /// The row of the best epoch.
    pub fn best_row(&self) -> Option<&EpochRow> {
        self.rows.iter().rev().find(|row| row.best)
    }

    /// The best epoch, from 1.
    pub fn best_epoch(&self) -> Option<u32> {
        self.best_row().map(|row| row.epoch)
    }

    /// Time of all epochs that ended, in seconds.
    pub fn seconds(&self) -> Option<f64> {
        let seconds = self.rows.iter().map(|row| row.seconds);
        let sum: f64 = seconds.filter(|seconds| *seconds >= 0.0).sum();
        (!self.rows.is_empty()).then_some(sum)
    }

    /// The network's family and encoder.
    pub fn network(&self) -> Option<String> {
        let of_best = self.best.as_ref().map(|card| &card.model);
        let model = of_best.or(self.recipe.as_ref().map(|recipe| &recipe.model))?;
        let (family, encoder) = (model.family.name(), model.encoder.name());
        Some(format!("{family}, {encoder}"))
    }

    /// The scores to report: those on the test ground when there are any of the best epoch.
    pub fn scores(&self) -> Option<&FinalScores> {
        self.best_test().or_else(|| self.best_validation())
    }

    /// The scores on the test ground, if they are of the best epoch: a run may have been trained
    /// further since it was judged.
    pub fn best_test(&self) -> Option<&FinalScores> {
        self.of_best(self.test_scores.as_ref())
    }

    /// The scores on the validation ground, if they are of the best epoch: a program that is
    /// killed between two files leaves those of an earlier one.
    pub fn best_validation(&self) -> Option<&FinalScores> {
        self.of_best(self.validation_scores.as_ref())
    }

    fn of_best<'a>(&self, scores: Option<&'a FinalScores>) -> Option<&'a FinalScores> {
        scores.filter(|scores| self.best_epoch().is_none_or(|best| best == scores.epoch))
    }

    /// Whether ground was held out that neither learns nor chooses.
    pub fn has_test_part(&self) -> bool {
        let split = self.split.as_ref();
        split.is_some_and(|split| !split.test_files.is_empty() || !split.test_blocks.is_empty())
    }

    /// The most main memory that the program held while it trained, up to the last epoch that
    /// ended; `None` where nobody knows.
    pub fn peak_bytes(&self) -> Option<u64> {
        self.rows.iter().filter_map(|row| row.peak_bytes).max()
    }

    /// How many of the blocks that chose the best epoch have a label that nobody vouched for; `None`
    /// where that was not noted.
    pub fn num_unreviewed(&self) -> Option<usize> {
        let of_split = self.split.as_ref().and_then(|split| split.unreviewed);
        let of_recipe = || match &self.recipe.as_ref()?.parts.as_ref()?.split {
            PartWay::Given { unreviewed, .. } => Some(*unreviewed),
            _ => None,
        };
        of_split.or_else(of_recipe)
    }

    /// What answering one class everywhere would score on the validation ground.
    pub fn validation_baseline(&self) -> Option<f64> {
        let scores = self.validation_scores.as_ref();
        let of_rows = || self.rows.iter().rev().find_map(|row| row.majority_baseline);
        scores
            .and_then(|scores| scores.scores.majority_baseline)
            .or_else(of_rows)
    }

    /// From the final scores, else from the best epoch's row.
    pub(super) fn figures(&self) -> BestFigures {
        if let Some(FinalScores { on, scores, .. }) = self.scores() {
            return BestFigures {
                on: *on,
                mean_iou: scores.mean_iou,
                pixel_accuracy: scores.pixel_accuracy,
                majority_baseline: scores.majority_baseline,
                majority_class: scores.majority_class,
            };
        }
        let row = self.best_row();
        BestFigures {
            on: ScoredOn::Validation,
            mean_iou: row.and_then(|row| row.mean_iou),
            pixel_accuracy: row.and_then(|row| row.pixel_accuracy),
            majority_baseline: row.and_then(|row| row.majority_baseline),
            majority_class: None,
        }
    }

    /// The scores of each class: from the final scores, else those after the best epoch.
    pub fn class_scores(&self) -> Vec<ClassScores> {
        match self.scores() {
            Some(scores) => scores.scores.per_class.clone(),
            None => self
                .best_epoch()
                .map_or_else(Vec::new, |best| self.class_scores_after(best)),
        }
    }

    /// The scores of each class on the validation ground after an epoch: from `per_class.csv`, else
    /// from the epoch's row, which knows the IoU only; empty where neither has it.
    pub fn class_scores_after(&self, epoch: u32) -> Vec<ClassScores> {
        let of_epoch = self.class_rows.iter().filter(|row| row.epoch == epoch);
        let rows: Vec<ClassScores> = of_epoch.map(|row| row.scores.clone()).collect();
        if !rows.is_empty() {
            return rows;
        }
        let Some(row) = self.rows.iter().rev().find(|row| row.epoch == epoch) else {
            return Vec::new();
        };
        let ious = row.per_class_iou.iter().zip(&self.class_names);
        let scores = (0..=254)
            .zip(ious)
            .map(|(index, (&iou, name))| ClassScores {
                index,
                name: name.clone(),
                iou,
                precision: None,
                recall: None,
                f1: None,
                support: 0,
            });
        scores.collect()
    }

    /// The name of a class by its index.
    pub(super) fn class_name(&self, index: u8) -> String {
        match &self.classes {
            Some(classes) => classes.name_of(index),
            None => format!("class {index}"),
        }
    }

    /// Whether numbers of held-out ground choose the best epoch, so that it is not merely the last.
    pub(super) fn chooses(&self) -> bool {
        let recipe = self.recipe.as_ref();
        recipe.is_none_or(|recipe| recipe.best_by != BestBy::Latest)
    }

    /// What this run is, in a sentence.
    pub(super) fn lead(&self) -> String {
        let network = self
            .network()
            .unwrap_or_else(|| "Unknown network".to_owned());
        let mut parts = vec![network];
        if let Some(weights) = self.num_weights {
            parts.push(format!("{} weights", count(weights)));
        }
        let planned = self.recipe.as_ref().map(|recipe| recipe.epochs);
        parts.push(match planned {
            Some(planned) => format!("{} of at most {planned} epochs", self.rows.len()),
            None => format!("{} epochs", self.rows.len()),
        });
        if let Some(seconds) = self.seconds() {
            parts.push(duration(seconds));
        }
        if let Some(best) = self.best_epoch() {
            let kept = if self.chooses() { "best" } else { "kept" };
            parts.push(format!("{kept} after epoch {best}"));
        }
        if self.can_go_on {
            parts.push("it can go on".to_owned());
        }
        parts.join(" · ")
    }

    /// Why scores on a part may be too good: what it shares with others, in a sentence without a
    /// period; `None` where nothing was found.
    pub fn leak_warning(&self, on: ScoredOn) -> Option<String> {
        leak_warning(self.leaks.as_ref()?, on)
    }

    /// The same of each part that there are scores on.
    pub fn leak_warnings(&self) -> Vec<String> {
        let test = self.best_test().map(|_| ScoredOn::Test);
        let parts = test.into_iter().chain([ScoredOn::Validation]);
        parts.filter_map(|on| self.leak_warning(on)).collect()
    }

    /// How much the scores may be trusted.
    pub(super) fn caution(&self) -> String {
        if self.best_test().is_none() {
            return "Scored on the validation ground. The best epoch was selected on it, so the \
                    scores flatter a little; only ground that nothing was chosen by tells what to \
                    expect."
                .to_owned();
        }
        let reading = self.test_reading.clone().unwrap_or_default();
        let mut text = format!(
            "Scored on test ground, which nothing was chosen by, predicted as the Predict button \
             does and compared at the labels' own size. {}.",
            reading.words()
        );
        if self.best_validation().is_some() {
            text.push_str(
                " The best epoch was selected on the validation ground, so the scores there \
                 flatter a little.",
            );
        }
        text
    }
}

/// What was held out and how, in sentences.
pub(in crate::train) fn held_out(split: &SplitReport) -> Vec<String> {
    let labelled = split.train_pixels.saturating_add(split.validation_pixels);
    let share = 100.0 * split.validation_pixels as f64 / labelled.max(1) as f64;
    let pixels = format!(
        "{} of {} labeled pixels ({share:.1} %)",
        count(split.validation_pixels),
        count(labelled)
    );
    let what = match split.kind {
        SplitKind::Blocks => format!(
            "Held out: {} blocks of the image, {pixels}, chosen by seed {}. Training patches keep \
             {} pixels away from them.",
            split.validation_blocks.len(),
            split.seed,
            split.margin
        ),
        SplitKind::Files => format!(
            "Held out: {} whole files, {pixels}, chosen by seed {}; {} files are trained on.",
            split.validation_files.len(),
            split.seed,
            split.train_files
        ),
    };
    let judging = match (split.test_files.len(), split.test_blocks.len()) {
        (0, 0) => None,
        (0, blocks) => Some(format!(
            "{blocks} more blocks neither learn nor choose: they judge"
        )),
        (files, _) => Some(format!(
            "{files} more files neither learn nor choose: they judge"
        )),
    };
    std::iter::once(what)
        .chain(judging)
        .chain(split.notes.iter().cloned())
        .collect()
}
