use super::jobs::Report;
use super::state::{LayerId, Session};
use crate::metrics::{Confusion, Scores};

impl Session {
    /// The scores of the last whole prediction against the label as it was then.
    pub const fn scores(&self) -> Option<&Scores> {
        self.scores.as_ref()
    }

    /// Compares label and prediction in the background.
    pub(super) fn score_prediction(&mut self) {
        let (Some(label), Some(prediction)) = (&self.label, &self.prediction) else {
            return;
        };
        let (truth, predicted) = (label.mask.clone(), prediction.mask.clone());
        let (id, classes) = (prediction.id, self.classes().clone());
        self.start_job("Comparing label and prediction", move |job| {
            let confusion = Confusion::between(&truth, &predicted, classes.num_classes());
            let scores = Scores::new(&confusion, &classes);
            job.tell(Report::Scored(id, Box::new(scores)))?;
            Ok(())
        });
    }

    pub(super) fn prediction_scored(&mut self, prediction: LayerId, scores: Scores) {
        if self.kind_of(prediction).is_none() {
            return;
        }
        if let Some(entry) = self.current_entry() {
            entry.score = scores.mean_iou;
        }
        self.keep_entry();
        self.scores = Some(scores);
    }
}
