use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::asked::Asked;
use super::jobs::{JobId, Report};
use super::shelf::KeptPlace;
use super::state::{Layer, LayerId, Session};
use super::{Command, CommandError, LayerKind, ScoreScope, ScoredGround};
use crate::geom::ImagePoint;
use crate::label::StateMark;
use crate::metrics::{ComparedPredictions, PredictionComparison};
use crate::train::{Certainty, Flips};

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
    /// Counts anew in what the two differ.
    Compare,
    /// Holds these measures of how sure the prediction is, beside the chosen one, and no others.
    Measures(Vec<Certainty>),
}

/// One of the kept predictions (A), held against the one that is there now (B).
#[derive(Debug, Default)]
pub struct Contest {
    a: KeptPlace,
    of: Option<Contestants>,
    job: Option<JobId>,
    found: Option<PredictionComparison>,
    pub(super) ground: ScoredGround,
}

/// How a prediction was made here.
#[derive(Clone, Debug)]
pub(super) struct MadeBy {
    pub run: PathBuf,
    pub flips: Flips,
    /// Which ground it is of, unless that is all of the image.
    pub asked: Option<Arc<Asked>>,
}

/// What was counted: A, B, and the label in one state of its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contestants {
    a: LayerId,
    b: LayerId,
    label: Option<(LayerId, StateMark)>,
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

    /// In what the two differ; `None` until they are counted.
    pub const fn found(&self) -> Option<&PredictionComparison> {
        self.found.as_ref()
    }

    /// What ground its numbers against the label are of.
    pub const fn ground(&self) -> ScoredGround {
        self.ground
    }
}

impl Session {
    /// A kept prediction against the one that is there.
    pub const fn contest(&self) -> &Contest {
        &self.predicting.contest
    }

    /// Whether the label changed since the two predictions were counted.
    pub fn is_contest_old(&self) -> bool {
        let now = self.contestants();
        self.predicting.contest.found.is_some()
            && now.is_some()
            && now != self.predicting.contest.of
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
            PredictionCommand::Compare => {
                self.predicting.contest.of = None;
                self.follow_contest();
                Ok(())
            }
            PredictionCommand::Measures(measures) => self.hold_measures(measures),
        }
    }

    /// How the prediction was made that is shown.
    pub(super) fn made_by(&self) -> Option<MadeBy> {
        let made = self.maker()?;
        Some(MadeBy {
            run: made.run.clone(),
            flips: made.by.flips,
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
        if let Some(job) = self.predicting.contest.job.take() {
            self.stop_job(job);
        }
        self.predicting.contest = Contest::default();
    }

    /// The prediction has other pixels now.
    pub(super) const fn contest_again(&mut self) {
        self.predicting.contest.of = None;
        self.live.list_anew();
    }

    /// The kept prediction that is compared with.
    pub(super) const fn contest_layer(&self) -> Option<&Layer> {
        self.predicting.shelf.layer(self.predicting.contest.a)
    }

    /// The run whose network made it, when it is known.
    pub fn contest_run(&self) -> Option<&Path> {
        self.kept_by(self.contest().a)
    }

    pub(super) const fn contest_made_by(&self) -> Option<&MadeBy> {
        self.predicting.shelf.made_by(self.predicting.contest.a)
    }

    fn contestants(&self) -> Option<Contestants> {
        let (a, b) = (self.contest_layer()?, self.prediction.as_ref()?);
        let is_whole = self.prediction_state.job.is_none() && !b.is_loading;
        let label = self.label.as_ref().filter(|label| !label.is_loading);
        let is_pair = is_whole && a.mask.size() == b.mask.size();
        is_pair.then(|| Contestants {
            a: a.id,
            b: b.id,
            label: label.map(|label| (label.id, self.history.mark())),
        })
    }

    /// Counts in the background when another prediction is there. Strokes alone change the numbers
    /// only when somebody asks.
    pub(super) fn follow_contest(&mut self) {
        let Some(now) = self.contestants() else {
            return;
        };
        let is_same = |before: Contestants| (before.a, before.b) == (now.a, now.b);
        if self.predicting.contest.of.is_some_and(is_same) {
            return;
        }
        if let Some(job) = self.predicting.contest.job.take() {
            self.stop_job(job);
        }
        self.predicting.contest.of = Some(now);
        let [a, b] = [self.contest_layer(), self.prediction.as_ref()].map(|layer| {
            let layer = layer.expect("both are there: they were counted on");
            layer.mask.clone()
        });
        let label = self.label.as_ref().filter(|_| now.label.is_some());
        let mut truth = label.map(|label| label.mask.clone());
        for block in self.judging_of_contest() {
            if let Some(truth) = &mut truth {
                truth.without(block, &a, |_, _| true);
            }
        }
        let classes = self.classes().clone();
        self.predicting.contest.job = Some(self.start_quiet_job(
            "Comparing two predictions",
            move |job| {
                let num_classes = classes.num_classes();
                let counts = ComparedPredictions::between(&a, &b, truth.as_ref(), num_classes);
                let found = counts.comparison(&classes);
                job.tell(Report::Contested(now, Box::new(found)))?;
                Ok(())
            },
        ));
    }

    pub(super) fn contested(&mut self, of: Contestants, found: PredictionComparison) {
        if self.predicting.contest.of == Some(of) {
            self.predicting.contest.job = None;
            self.predicting.contest.found = Some(found);
            self.predicting.contest.ground = self.ground_of_contest();
        }
    }
}
