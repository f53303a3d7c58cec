use std::path::{Path, PathBuf};

use super::ScoredGround;
use super::jobs::JobId;
use super::outcome::condensed;
use crate::dataset::SplitReport;
use crate::geom::PixelRect;
use crate::train::{
    BestBy, EpochRow, Forecast, Recipe, Remedy, ScoredOn, TrainReport, TrainStatus, can_go_on,
    remedies_in_words,
};

/// Where a training is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TrainingPhase {
    /// None was started yet.
    #[default]
    Idle,
    /// The device is chosen, the first batch is made.
    Starting,
    /// Steps are being taken.
    Running {
        /// The epoch that runs, from 1.
        epoch: u32,
        /// Steps taken in it.
        step: u32,
        /// Steps in each epoch.
        steps: u32,
    },
    /// It ended well: finished, or stopped by the person.
    Ended(Box<TrainReport>),
    /// It failed; why.
    Failed(String),
}

/// The training that runs or ran last: plain data for curves and tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingState {
    /// Where it is.
    pub phase: TrainingPhase,
    /// Its job while it runs.
    pub job: Option<JobId>,
    /// One row an epoch.
    pub rows: Vec<EpochRow>,
    /// The loss of each step of the running epoch that was taken here, with the step's number in the
    /// whole training, from 1.
    pub step_losses: Vec<(u64, f64)>,
    /// The device and why it was chosen.
    pub device: Option<(String, String)>,
    /// How the ground was split.
    pub split: Option<SplitReport>,
    /// The image or the folder of the data set that is learned from, absolute, once it is known.
    pub source: Option<PathBuf>,
    /// How it is trained.
    pub recipe: Option<Recipe>,
    /// The run folder, once it has one.
    pub run: Option<PathBuf>,
    /// Which part of the network learns, and how.
    pub explained: Option<String>,
    /// What the training had to say.
    pub notes: Vec<String>,
    /// What it takes, once some steps were measured.
    pub forecast: Option<Forecast>,
    /// The epoch in which that was made, 0 before the first.
    pub forecast_epoch: u32,
    /// What would take less memory, where a step does not fit at once.
    pub remedies: Vec<Remedy>,
    /// Whether it rests.
    pub is_paused: bool,
    /// What is tried before the first epoch, like "Opening each image", and the share of it that is
    /// done, 0 to 1.
    pub trying: Option<(&'static str, f32)>,
}

impl TrainingState {
    /// Job `id` is about to train as `recipe` says, into the folder `run`.
    pub(super) fn starting(id: JobId, recipe: Recipe, run: PathBuf) -> Self {
        Self {
            phase: TrainingPhase::Starting,
            job: Some(id),
            recipe: Some(recipe),
            run: Some(run),
            ..Self::default()
        }
    }

    /// Whether a training runs.
    pub const fn is_running(&self) -> bool {
        matches!(
            self.phase,
            TrainingPhase::Starting | TrainingPhase::Running { .. }
        )
    }

    /// Whether all steps of an epoch are taken, so that what it came to is being judged.
    pub const fn is_judging(&self) -> bool {
        matches!(self.phase, TrainingPhase::Running { step, steps, .. } if step >= steps)
    }

    /// The run that was stopped or failed and can go on.
    pub fn resumable(&self) -> Option<&Path> {
        let is_over = match &self.phase {
            TrainingPhase::Ended(report) => report.status == TrainStatus::Stopped,
            TrainingPhase::Failed(_) => true,
            _ => false,
        };
        self.run.as_deref().filter(|run| is_over && can_go_on(run))
    }

    /// What the training had to say besides its numbers, each kind of note once.
    pub fn said(&self) -> Vec<String> {
        let mut said = condensed(&self.notes);
        if !self.remedies.is_empty() {
            said.push(remedies_in_words(&self.remedies));
        }
        said.extend(self.forecast.iter().map(ToString::to_string));
        said
    }

    /// The epoch with the best network so far.
    pub fn best_row(&self) -> Option<&EpochRow> {
        self.rows.iter().rev().find(|row| row.best)
    }

    /// The same where numbers choose it, so that it is not merely the last.
    pub fn chosen_row(&self) -> Option<&EpochRow> {
        self.best_row().filter(|_| self.chooses())
    }

    /// Whether numbers of held-out ground choose the best epoch.
    pub fn chooses(&self) -> bool {
        let recipe = self.recipe.as_ref();
        recipe.is_none_or(|recipe| recipe.best_by != BestBy::Latest)
    }

    /// The epoch that runs; 0 before the first.
    pub const fn running_epoch(&self) -> u32 {
        match self.phase {
            TrainingPhase::Running { epoch, .. } => epoch,
            _ => 0,
        }
    }

    /// What ground the numbers of its epochs are of.
    pub fn ground(&self) -> ScoredGround {
        let split = self.split.as_ref();
        let unreviewed = split.and_then(|split| split.unreviewed);
        ScoredGround::of_part(ScoredOn::Validation, unreviewed)
    }

    /// Whole blocks that no training patch touches, in level-0 pixels: those that choose the best
    /// epoch, and those that judge.
    pub fn held_out(&self) -> [&[PixelRect]; 2] {
        let split = self.split.as_ref();
        split.map_or([&[], &[]], |split| {
            [&split.validation_blocks, &split.test_blocks]
        })
    }

    /// Seconds until the last epoch ends, when an epoch's length is known; `None` while that epoch
    /// is judged.
    pub fn seconds_left(&self) -> Option<f64> {
        let (TrainingPhase::Running { epoch, step, steps }, Some(recipe)) =
            (&self.phase, &self.recipe)
        else {
            return None;
        };
        if self.is_judging() && *epoch >= recipe.epochs {
            return None;
        }
        // Epochs in which the encoder learns, too, are longer than those before.
        let is_unfrozen = recipe.is_unfrozen(*epoch);
        let of_phase = |row: &&EpochRow| recipe.is_unfrozen(row.epoch) == is_unfrozen;
        let of = |row: &EpochRow| row.seconds;
        let mut seconds: Vec<f64> = self.rows.iter().filter(of_phase).map(of).collect();
        let unfreezing = self.forecast.and_then(|forecast| forecast.unfreezing);
        let later = unfreezing.and_then(|unfreezing| unfreezing.seconds);
        let later = later.map(|[seconds, _]| seconds);
        if seconds.is_empty() {
            let is_of_before = is_unfrozen && self.forecast_epoch <= recipe.unfreeze_after;
            if !is_of_before {
                return self.forecast.map(|forecast| forecast.seconds_left);
            }
            if unfreezing.is_some() {
                return later;
            }
            // Nothing held still.
            seconds = self.rows.iter().map(of).collect();
        }
        if seconds.is_empty() {
            return None;
        }
        let per_epoch = seconds.iter().sum::<f64>() / seconds.len() as f64;
        let done = f64::from(*epoch) - 1.0 + f64::from(*step) / f64::from((*steps).max(1));
        let (last, later) = match later {
            Some(later) if !is_unfrozen => (recipe.last_of_phase(*epoch), later),
            _ => (recipe.epochs, 0.0),
        };
        Some((f64::from(last) - done).max(0.0) * per_epoch + later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Waker;
    use crate::session::{ProjectPlace, Session, SessionConfig, Severity};
    use crate::train::{TrainEvent, Unfreezing};

    #[test]
    fn how_it_learns_is_no_warning() {
        let mut session = Session::new(SessionConfig {
            waker: Waker::none(),
            settings_path: None,
            projects: ProjectPlace::Nowhere,
        });
        let how = "The decoder learns alone".to_owned();
        session.absorb_training(JobId(0), TrainEvent::Explained(how.clone()));
        assert_eq!(session.training().explained, Some(how));
        assert!(session.take_notices().is_empty());
        let note = "Two images are the same".to_owned();
        session.absorb_training(JobId(0), TrainEvent::Note(note));
        let notices = session.take_notices();
        let severities: Vec<Severity> = notices.iter().map(|notice| notice.severity).collect();
        assert_eq!(severities, [Severity::Warning]);
        assert!(notices[0].is_of_training);
        assert_eq!(session.training().said(), [notices[0].text.as_str()]);
    }

    #[test]
    fn epochs_in_which_the_encoder_learns_count_as_they_were_measured() {
        let at = |epoch: u32| {
            let row = |epoch, seconds| EpochRow {
                epoch,
                seconds,
                ..EpochRow::default()
            };
            let rows = [row(1, 8.0), row(2, 8.0), row(3, 30.0)];
            let unfreezing = Unfreezing {
                epoch: 3,
                seconds: Some([80.0, 4.0]),
            };
            TrainingState {
                phase: TrainingPhase::Running {
                    epoch,
                    step: 5,
                    steps: 10,
                },
                rows: rows[..epoch as usize - 1].to_vec(),
                recipe: Some(Recipe {
                    epochs: 4,
                    unfreeze_after: 2,
                    ..Recipe::default()
                }),
                forecast: Some(Forecast {
                    bytes: None,
                    step_bytes: None,
                    estimated_bytes: 0,
                    seconds_per_step: 1.0,
                    data_seconds_per_step: 0.0,
                    encoding_seconds: 0.0,
                    seconds_left: 100.0,
                    unfreezing: Some(unfreezing),
                    steps: 2,
                }),
                ..TrainingState::default()
            }
        };
        let told = [1, 2, 3, 4].map(|epoch| at(epoch).seconds_left());
        assert_eq!(told, [100.0, 4.0 + 80.0, 80.0, 15.0].map(Some));
        // Measured anew, not tried, and where nothing held still.
        let mut anew = at(3);
        anew.forecast_epoch = 3;
        assert_eq!(anew.seconds_left(), Some(100.0));
        let other = |unfreezing| {
            let mut state = at(3);
            let forecast = state.forecast.as_mut().expect("a forecast");
            forecast.unfreezing = unfreezing;
            state.seconds_left()
        };
        let untried = Unfreezing {
            epoch: 3,
            seconds: None,
        };
        assert_eq!(other(Some(untried)), None);
        assert_eq!(other(None), Some(1.5 * 8.0));
    }

    #[test]
    fn the_time_left_is_not_told_while_the_last_epoch_is_judged() {
        let at = |epoch, step| TrainingState {
            phase: TrainingPhase::Running {
                epoch,
                step,
                steps: 10,
            },
            rows: vec![EpochRow {
                seconds: 8.0,
                ..EpochRow::default()
            }],
            recipe: Some(Recipe {
                epochs: 3,
                ..Recipe::default()
            }),
            ..TrainingState::default()
        };
        let told = [at(2, 5), at(2, 10), at(3, 5), at(3, 10)]
            .map(|state| (state.is_judging(), state.seconds_left()));
        let expected = [
            (false, Some(12.0)),
            (true, Some(8.0)),
            (false, Some(4.0)),
            (true, None),
        ];
        assert_eq!(told, expected);
    }
}
