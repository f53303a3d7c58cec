use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bounded::read_bounded;
use super::{FinalScores, ScoredOn};
use crate::disk::replace_file;
use crate::metrics::{PerImageScores, PresenceScores, RankingScores, RelaxedCounts, SaltPrecision};
use crate::train::TrainError;

/// No judgement this program writes is larger.
const MOST_BYTES: u64 = 8 << 20;

/// What a run's best network came to on held-out ground when it predicted whole images, as the
/// Predict button does.
///
/// On the test part it is `scores-test.json`, which a [`RunRecord`](super::RunRecord) reads as
/// well; on the validation part `judged-validation.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The scores of all ground together.
    #[serde(flatten)]
    pub total: FinalScores,
    /// How often this part was judged by networks of this run, this time included.
    pub reads: u32,
    /// The device's name.
    pub device: String,
    /// Time it took.
    pub seconds: f64,
    /// Means over the images (or blocks of one image).
    pub per_image: PerImageScores,
    /// The images, in the order of the split; the first 10,000 of them.
    pub images: Vec<JudgedImage>,
    /// What is known when there are two classes.
    #[serde(default)]
    pub binary: Option<BinaryJudgement>,
    /// Why the scores may be too good: what the part shares with others, as `leaks.json` said when
    /// it was judged.
    #[serde(default)]
    pub leaks: Option<String>,
}

/// One image, or one block of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgedImage {
    /// Its name; of a block that and its place.
    pub name: String,
    /// Labeled pixels.
    pub pixels: u64,
    /// Mean IoU over the classes that it holds or that are shown on it.
    pub mean_iou: Option<f64>,
    /// Share of its labeled pixels that are right.
    pub pixel_accuracy: Option<f64>,
}

/// The scores of one class against all other ground.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BinaryJudgement {
    /// The class.
    pub class: u8,
    /// Its name.
    pub name: String,
    /// The salt competition's score.
    pub salt: SaltPrecision,
    /// Precision and recall that forgive shifts of 3 pixels.
    pub relaxed: RelaxedCounts,
    /// Whether images hold the class at all, by the number of pixels predicted so.
    pub presence: PresenceScores,
    /// The same from the number of pixels on that was best on the validation part; `None` where
    /// none was chosen, and in judgements of older versions.
    #[serde(default)]
    pub presence_at_threshold: Option<PresenceScores>,
    /// What its probabilities tell, with the threshold that was best on the validation part; none
    /// in judgements of older versions.
    #[serde(default)]
    pub ranking: Option<RankingScores>,
}

/// The thresholds that a judgement of the validation part chose for one class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::train) struct ChosenThresholds {
    /// The probability from which on a pixel is taken for the class, 0 to 1.
    pub probability: Option<f64>,
    /// The number of pixels above which an image is said to hold the class.
    pub presence: Option<f64>,
}

impl ChosenThresholds {
    /// What was chosen for `class` when the validation part of the run in `folder` was judged by
    /// the network of `epoch`; nothing when it was not, or by another network.
    pub(in crate::train) fn of_run(folder: &Path, epoch: u32, class: u8) -> Self {
        let binary = judged_class(folder, epoch, class);
        binary.map_or_else(Self::default, |binary| Self {
            probability: binary.ranking.and_then(|ranking| ranking.threshold),
            presence: binary.presence_at_threshold.map(|scores| scores.threshold),
        })
    }

    /// Whether the validation part was asked, also where it holds none of the class.
    pub(in crate::train) fn were_sought(folder: &Path, epoch: u32, class: u8) -> bool {
        judged_class(folder, epoch, class).is_some_and(|binary| binary.ranking.is_some())
    }
}

/// What was found of `class` when the network of `epoch` was judged on the validation part.
fn judged_class(folder: &Path, epoch: u32, class: u8) -> Option<BinaryJudgement> {
    let judgement = Judgement::load(folder, ScoredOn::Validation);
    let judgement = judgement.filter(|judgement| judgement.total.epoch == epoch);
    let binary = judgement.and_then(|judgement| judgement.binary);
    binary.filter(|binary| binary.class == class)
}

/// What a run's folder says of a judgement on the test part beside its scores.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TestReading {
    /// How often the part was judged by networks of this run; 0 where nobody counted.
    pub reads: u32,
    /// Means over the images, or over the blocks of one image.
    pub per_image: Option<PerImageScores>,
}

impl TestReading {
    /// How often the part was judged, in a sentence without a period.
    pub fn words(&self) -> String {
        match self.reads {
            0 => "How often the test part was judged is not known".to_owned(),
            1 => "The test part was judged once".to_owned(),
            reads => format!(
                "The test part was judged {reads} times; who chooses by its scores has used it up"
            ),
        }
    }
}

impl Judgement {
    /// The name of its file in a run folder.
    pub(in crate::train) const fn file_name(on: ScoredOn) -> &'static str {
        match on {
            ScoredOn::Test => "scores-test.json",
            ScoredOn::Validation => "judged-validation.json",
        }
    }

    /// Reads the judgement of the run in `folder`; `None` when there is none, or none that can be
    /// read.
    pub fn load(folder: &Path, on: ScoredOn) -> Option<Self> {
        let bytes = read_bounded(&folder.join(Self::file_name(on)), MOST_BYTES).ok()?;
        let judgement: Self = serde_json::from_slice(&bytes).ok()?;
        (judgement.total.on == on).then_some(judgement)
    }

    /// Writes it into the run folder, whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let mut text = serde_json::to_string_pretty(self).expect("plain numbers become JSON");
        text.push('\n');
        let path = folder.join(Self::file_name(self.total.on));
        Ok(replace_file(&path, text.as_bytes())?)
    }
}
