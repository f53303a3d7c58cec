use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::family::Judging;
use crate::disk::replace_file;
use crate::geom::PixelRect;
use crate::metrics::{Estimate, PairedGain, Scores};
use crate::train::report::REPORT_FILE;
use crate::train::{DeviceChoice, Lineage, SavedModel, TrainError, can_go_on};

/// Name of the verdict in a run folder.
const VERDICT_FILE: &str = "verdict.json";
/// With fewer pieces of judging ground that lie apart an interval says nothing.
pub(super) const FEWEST_BLOCKS: usize = 8;
/// So many cells have to be done before any of their ground judges.
pub const FEWEST_CELLS: u64 = 4;
/// A class may lose so much `IoU` and no more.
const MOST_LOSS: f64 = 0.05;

/// Whether a fine-tuned model takes its parent's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", content = "why", rename_all = "snake_case")]
pub enum Decision {
    /// It does.
    Promoted,
    /// It does since there was none before.
    First,
    /// It was measured and is not better for sure, or a class got worse.
    Kept(String),
    /// There is too little held-out ground to say.
    NotMeasured(String),
}

/// A fine-tuned model beside its parent, on ground that neither learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What follows from it.
    #[serde(flatten)]
    pub decision: Decision,
    /// The parent's scores on the judging blocks; `None` without a parent or blocks.
    pub before: Option<Scores>,
    /// The model's scores there.
    pub after: Option<Scores>,
    /// The gain with its 95 % interval.
    pub gain: PairedGain,
    /// Pieces of ground that were counted: held-out blocks, those that touch as one.
    pub blocks: usize,
    /// How often any of this ground was read for a verdict, this time counted: by the models of
    /// this chain and by those that lie beside them; or when one of these was judged on its test
    /// part.
    pub reads: u32,
    /// How many of these were judgings of a test part.
    #[serde(default)]
    pub test_reads: u32,
    /// What became of what the chain's first model knew.
    pub forgetting: Option<Forgetting>,
    /// What became of what the model before learned on another image.
    #[serde(default)]
    pub elsewhere: Option<Elsewhere>,
    /// Seconds it took.
    pub seconds: f64,
}

/// Both models on what the chain's first training held out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forgetting {
    /// The parent's scores.
    pub before: Scores,
    /// The model's scores.
    pub after: Scores,
    /// The gain with its 95 % interval; below zero it forgot.
    pub gain: PairedGain,
    /// Images, or pieces of ground that lie apart, that were looked at; a few are enough.
    pub images: usize,
}

/// Both models on the ground that judged the last of the chain that was corrected on another image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// That image.
    pub image: PathBuf,
    /// What tells it from others.
    pub image_print: String,
    /// The blocks.
    pub blocks: Vec<PixelRect>,
    /// How often any of them were read, this time counted, as [`Verdict::reads`] says it.
    pub reads: u32,
    /// How many of these were judgings of a test part.
    pub test_reads: u32,
    /// What both models say there.
    pub scores: Forgetting,
}

impl Elsewhere {
    /// What both models say there, and how often it was read, in words; `None` where nothing was
    /// counted.
    pub fn in_words(&self) -> Option<String> {
        let name = self.image.file_name().unwrap_or(self.image.as_os_str());
        Some(format!(
            "{} on {}, read {}",
            self.scores.in_words()?,
            name.to_string_lossy(),
            reads_in_words(self.reads, self.test_reads)
        ))
    }

    /// Its ground.
    pub(super) fn judging(&self) -> Judging<'_> {
        Judging {
            print: &self.image_print,
            blocks: &self.blocks,
        }
    }
}

/// A line of a verdict's table.
#[derive(Clone, Debug, PartialEq)]
pub struct VerdictRow {
    /// The class, or that it is the mean.
    pub name: String,
    /// The `IoU` of the model before.
    pub before: Option<f64>,
    /// That of the new one.
    pub after: Option<f64>,
    /// By how much it is greater.
    pub gain: Option<f64>,
    /// Where 95 % of what chance would have given lie; `None` also where there is too little ground
    /// to say.
    pub interval: Option<[f64; 2]>,
}

impl VerdictRow {
    /// The interval in points, like "+0.4 to +5.9".
    pub fn interval_in_points(&self) -> Option<String> {
        let [low, high] = self.interval?.map(|ratio| ratio * 100.0);
        Some(format!("{low:+.1} to {high:+.1}"))
    }
}

impl Forgetting {
    /// The gain in words, with its interval where there is enough ground for one; `None` where
    /// nothing was counted.
    pub fn in_words(&self) -> Option<String> {
        let gain = self.gain.mean_iou.as_ref()?;
        if self.images >= FEWEST_BLOCKS {
            return Some(gain.in_points());
        }
        Some(format!(
            "{:+.1} points (of {}, too few for an interval)",
            gain.value * 100.0,
            self.images
        ))
    }
}

/// What a judging of a fine-tuning says.
#[derive(Clone, Debug, PartialEq)]
pub enum VerdictEvent {
    /// How far it is; lost when the listener is behind.
    Progress {
        /// Pieces of ground done.
        done: usize,
        /// Pieces in all.
        total: usize,
    },
    /// It is done and written into the run folder.
    Finished(Box<Verdict>),
}

/// A judging of a fine-tuning that can start.
#[derive(Clone, Debug)]
pub struct VerdictPlan {
    pub(super) run: PathBuf,
    pub(super) model: SavedModel,
    pub(super) lineage: Lineage,
    pub(super) parent: Option<SavedModel>,
    pub(super) device: DeviceChoice,
    pub(super) cache_bytes: usize,
}

impl VerdictPlan {
    /// Judges the best model of the run in `run` beside the one that it went on from.
    ///
    /// # Errors
    /// When either cannot be read, or the run is no fine-tuning.
    pub fn new(run: PathBuf, device: DeviceChoice, cache_bytes: usize) -> Result<Self, TrainError> {
        let model = SavedModel::load(&run)?;
        let lineage = model.card().lineage.clone();
        let lineage = lineage.ok_or_else(|| TrainError::Model {
            reason: "it was not fine-tuned, so there is no model to compare it with".to_owned(),
            path: run.clone(),
        })?;
        let parent = (lineage.parent.as_ref())
            .map(|parent| SavedModel::load(&parent.found_from(&run)))
            .transpose()?;
        Ok(Self {
            run,
            model,
            lineage,
            parent,
            device,
            cache_bytes,
        })
    }

    /// Whether the run in `run` is a fine-tuning whose training is over and that was not judged,
    /// as when the program was killed meanwhile. The report is the last that a training writes.
    pub fn is_due(run: &Path) -> bool {
        let is_over = run.join(REPORT_FILE).is_file() && !can_go_on(run);
        let is_tuned = || SavedModel::card_of(run).is_ok_and(|card| card.lineage.is_some());
        is_over && Verdict::load(run).is_none() && is_tuned()
    }
}

impl Verdict {
    /// The verdict in a run folder, if there is one.
    pub fn load(run: &Path) -> Option<Self> {
        let text = fs::read_to_string(run.join(VERDICT_FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Writes it into the run folder.
    pub(super) fn save(&self, run: &Path) -> Result<(), TrainError> {
        let text = serde_json::to_string_pretty(self).expect("numbers and words");
        Ok(replace_file(&run.join(VERDICT_FILE), text.as_bytes())?)
    }

    /// What the run's log says of it.
    pub(super) fn in_words(&self) -> String {
        match &self.decision {
            Decision::First => "The first model of its chain".to_owned(),
            Decision::Promoted => {
                let gain = self.gain.mean_iou.as_ref();
                let points = gain.map(Estimate::in_points);
                let points = points.unwrap_or_default();
                format!("Judged better than the model before: {points}")
            }
            Decision::Kept(why) => format!("Judged not better for sure: {why}"),
            Decision::NotMeasured(why) => format!("Not measured: {why}"),
        }
    }

    /// Before and after on the judging blocks, the mean first, then each class with truth there;
    /// empty where nothing was counted.
    pub fn rows(&self) -> Vec<VerdictRow> {
        let (Some(before), Some(after)) = (&self.before, &self.after) else {
            return Vec::new();
        };
        let row =
            |name: &str, [before, after]: [Option<f64>; 2], gain: Option<&Estimate>| VerdictRow {
                name: name.to_owned(),
                before,
                after,
                gain: gain.map(|gain| gain.value),
                interval: gain
                    .filter(|_| self.blocks >= FEWEST_BLOCKS)
                    .map(|gain| [gain.low, gain.high]),
            };
        let mean = [before.mean_iou, after.mean_iou];
        let mut rows = vec![row("mean", mean, self.gain.mean_iou.as_ref())];
        for class in after.per_class.iter().filter(|class| class.support > 0) {
            let old = before.per_class.iter().find(|old| old.index == class.index);
            let gain = self.gain.per_class.get(usize::from(class.index));
            let ious = [old.and_then(|old| old.iou), class.iou];
            rows.push(row(&class.name, ious, gain.and_then(Option::as_ref)));
        }
        rows
    }

    /// How often the judging blocks were read, in words that go on after "read".
    pub fn reads_in_words(&self) -> String {
        reads_in_words(self.reads, self.test_reads)
    }

    /// Whether the model takes its parent's place by itself.
    pub const fn promotes(&self) -> bool {
        matches!(self.decision, Decision::Promoted | Decision::First)
    }
}

fn reads_in_words(reads: u32, test_reads: u32) -> String {
    match (reads, test_reads) {
        (1, _) => "for the first time".to_owned(),
        (reads, 0) => format!("{reads} times by this and other models"),
        (reads, tests) => format!(
            "{reads} times by this and other models, {tests} of them when somebody judged a test \
             part or scored it"
        ),
    }
}

impl Decision {
    /// What follows from `gain` on so many blocks: the new model is taken when the 95 % interval
    /// of the gain in mean `IoU` lies above 0 and no class lost more than 0.05. `names` are those
    /// of the classes by index, and so many of all cells are done.
    pub(super) fn of(
        gain: &PairedGain,
        (blocks, cells): (usize, [u64; 2]),
        names: impl Fn(usize) -> String,
    ) -> Self {
        let Some(mean) = gain.mean_iou.filter(|_| blocks >= FEWEST_BLOCKS) else {
            return Self::NotMeasured(format!(
                "{blocks} of at least {FEWEST_BLOCKS} blocks of held-out ground that lie apart; {}",
                what_to_do(blocks, cells)
            ));
        };
        let worst = (gain.per_class.iter().enumerate())
            .filter_map(|(class, gain)| gain.map(|gain| (class, gain.value)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        match worst {
            Some((class, loss)) if loss < -MOST_LOSS => Self::Kept(format!(
                "{} lost {:.1} points of IoU",
                names(class),
                -loss * 100.0
            )),
            _ if mean.low > 0.0 => Self::Promoted,
            _ => Self::Kept(format!(
                "the gain of {} is not above zero for sure",
                mean.in_points()
            )),
        }
    }
}

/// What makes the next model measurable, where `blocks` pieces of ground in the `done` ones of all
/// cells did not.
fn what_to_do(blocks: usize, [done, all]: [u64; 2]) -> String {
    let noun = |count| if count == 1 { "cell" } else { "cells" };
    if all < FEWEST_CELLS {
        return format!("the image has fewer than {FEWEST_CELLS} cells, too few to measure on it");
    }
    if done < FEWEST_CELLS {
        let missing = FEWEST_CELLS - done;
        let cells = noun(missing);
        return format!(
            "mark {missing} more {cells} as done (K), and where a model before learned from them \
             press Train then, which holds ground of done cells out"
        );
    }
    // A cell between ground that was learned from has room for one.
    let missing = FEWEST_BLOCKS.saturating_sub(blocks).max(1) as u64;
    let mark = match missing.min(all.saturating_sub(done)) {
        0 => String::new(),
        missing => format!(
            "mark about {missing} more {} as done (K) where no model before learned, or ",
            noun(missing)
        ),
    };
    format!(
        "too much of the {done} cells that are done was learned from before, or is not labeled: \
         {mark}press Train: a new training holds ground of done cells out in advance"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::ClassTable;
    use crate::metrics::Confusion;

    fn scores() -> Scores {
        Scores::new(&Confusion::new(2), &ClassTable::road())
    }

    fn gain(low: f64, worst: f64) -> PairedGain {
        let estimate = |value, low| Estimate {
            value,
            low,
            high: value + 0.1,
        };
        PairedGain {
            mean_iou: Some(estimate(0.03, low)),
            per_class: vec![Some(estimate(0.2, 0.1)), None, Some(estimate(worst, -0.2))],
        }
    }

    #[test]
    fn a_few_pieces_of_ground_give_no_interval() {
        let words = |images| {
            let forgetting = Forgetting {
                before: scores(),
                after: scores(),
                gain: gain(0.01, 0.0),
                images,
            };
            forgetting.in_words().expect("a gain")
        };
        assert_eq!(words(8), "+3.0 points (+1.0 to +13.0)");
        assert_eq!(words(2), "+3.0 points (of 2, too few for an interval)");
    }

    #[test]
    fn a_verdict_says_before_and_after_of_all_and_of_each_class_with_truth() {
        let mut counts = Confusion::new(2);
        counts.add_many(1, 1, 10);
        let scores = Scores::new(&counts, &ClassTable::road());
        let mut verdict = Verdict {
            decision: Decision::Promoted,
            before: Some(scores.clone()),
            after: Some(scores),
            gain: PairedGain {
                per_class: vec![None, gain(0.0, -0.04).per_class[2]],
                ..gain(0.01, 0.0)
            },
            blocks: FEWEST_BLOCKS,
            reads: 2,
            test_reads: 0,
            forgetting: None,
            elsewhere: None,
            seconds: 0.0,
        };
        let told = |verdict: &Verdict| -> Vec<(String, Option<String>)> {
            let rows = verdict.rows().into_iter();
            rows.map(|row| (row.name.clone(), row.interval_in_points()))
                .collect()
        };
        let road = ClassTable::road().name_of(1);
        let words = |text: &str| Some(text.to_owned());
        let expected = [
            ("mean".to_owned(), words("+1.0 to +13.0")),
            (road, words("-20.0 to +6.0")),
        ];
        assert_eq!(told(&verdict), expected, "none without truth");
        assert_eq!(verdict.reads_in_words(), "2 times by this and other models");
        verdict.blocks -= 1;
        assert!(
            told(&verdict)
                .iter()
                .all(|(_, interval)| interval.is_none())
        );
        verdict.before = None;
        assert!(verdict.rows().is_empty());
    }

    #[test]
    fn what_is_not_measured_says_what_to_do() {
        let then = "as done (K), and where a model before learned from them press Train then, \
                    which holds ground of done cells out";
        assert_eq!(what_to_do(0, [1, 9]), format!("mark 3 more cells {then}"));
        assert_eq!(what_to_do(0, [3, 9]), format!("mark 1 more cell {then}"));
        let most = "mark about 2 more cells as done (K) where no model";
        assert!(what_to_do(6, [9, 99]).contains(most));
        // There are not so many.
        assert!(what_to_do(0, [9, 10]).contains("mark about 1 more cell as done (K)"));
        let none = what_to_do(0, [9, 9]);
        assert!(
            !none.contains("mark") && none.contains(": press Train:"),
            "{none}"
        );
        assert!(what_to_do(0, [0, 2]).contains("fewer than 4 cells"));
    }

    #[test]
    fn it_is_promoted_only_when_better_for_sure_and_in_no_class_much_worse() {
        let of = |gain: &PairedGain, blocks| {
            Decision::of(gain, (blocks, [4, 9]), |at| format!("class {at}"))
        };
        assert_eq!(of(&gain(0.01, -0.04), 8), Decision::Promoted);
        assert!(matches!(
            of(&gain(0.01, -0.04), 7),
            Decision::NotMeasured(_)
        ));
        assert!(matches!(
            of(&PairedGain::default(), 90),
            Decision::NotMeasured(_)
        ));
        let Decision::Kept(why) = of(&gain(0.01, -0.06), 8) else {
            panic!("a class got worse");
        };
        assert_eq!(why, "class 2 lost 6.0 points of IoU");
        let Decision::Kept(why) = of(&gain(-0.01, 0.0), 8) else {
            panic!("not for sure");
        };
        assert_eq!(
            why,
            "the gain of +3.0 points (-1.0 to +13.0) is not above zero for sure"
        );
    }
}
