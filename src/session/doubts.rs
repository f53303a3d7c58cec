use std::sync::Arc;

use super::jobs::Report;
use super::review::{Difference, PlaceKind, ordered, outlined};
use super::state::Session;
use super::{CommandError, LayerId, PredictionInk};
use crate::geom::{ImagePoint, PixelRect};
use crate::label::{
    CellState, EditKind, Mask, Paint, Selection, Stencil, Stroke, UNLABELED, doubtful_places,
};

/// Side of the squares that are ranked by doubt, in level-0 pixels.
const SQUARE: u32 = 256;
/// So many of them are worth a walk.
const MOST_SQUARES: usize = 60;
/// From this certainty on (of 254) a prediction that differs speaks against the label.
const CONFIDENT: u8 = 229;

impl Session {
    /// Walks through the squares that are most worth a look, where cells are not done yet.
    pub(super) fn start_doubtful(&mut self) -> Result<(), CommandError> {
        let (of, [label, prediction, certainty]) = self.compared()?;
        let coverage = self.coverage().clone();
        self.start_job("Ranking places by doubt", move |job| {
            let is_open = |rect: PixelRect| {
                let mut cells = coverage.cells_in(rect);
                cells.any(|cell| coverage.state(cell, None) != CellState::Done)
            };
            let masks = [&label, &prediction];
            let found = doubtful_places(&certainty, masks, (SQUARE, MOST_SQUARES), is_open);
            let place = |rect| square(rect, PlaceKind::Doubtful);
            let found = found.into_iter().map(|found| place(found.rect)).collect();
            job.tell(Report::Differences(of, found, None))?;
            Ok(())
        });
        Ok(())
    }

    /// Walks through the places where the prediction is sure of another class than the label says:
    /// likely mistakes of the label, the largest first.
    pub(super) fn start_confident(&mut self) -> Result<(), CommandError> {
        let (of, masks) = self.compared()?;
        self.start_job("Looking for likely mistakes", move |job| {
            let suspicious = confident_difference(&masks);
            if let Some(regions) = outlined(&suspicious, job)? {
                job.tell(Report::Differences(of, ordered(regions), None))?;
            }
            Ok(())
        });
        Ok(())
    }

    /// Label, prediction and certainty as they are, and the numbers of the first two.
    fn compared(&mut self) -> Result<([LayerId; 2], [Mask; 3]), CommandError> {
        self.refuse_during_stroke()?;
        self.prediction.as_ref().ok_or(CommandError::NoPrediction)?;
        self.ready_label()?;
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        let prediction = self.prediction.as_ref().ok_or(CommandError::NoPrediction)?;
        let certainty = self.certainty.as_ref().ok_or_else(|| {
            CommandError::Refused(
                "It is not known how sure this prediction is; predict here".to_owned(),
            )
        })?;
        if certainty.is_loading {
            return Err(CommandError::Busy("Reading how sure the prediction is"));
        }
        let of = [label.id, prediction.id];
        let masks = [label, prediction, certainty].map(|layer| layer.mask.clone());
        Ok((of, masks))
    }

    /// Takes over what the prediction says on some ground.
    pub(super) fn accept_ground(&mut self, ground: &Selection) -> Result<(), CommandError> {
        self.prediction.as_ref().ok_or(CommandError::NoPrediction)?;
        let stencil = Stencil {
            source: self.source(PredictionInk::default()),
            ..Stencil::default()
        };
        let paint = Paint {
            over: self.unlocked(),
            ..Paint::class(0)
        };
        let stroke = Stroke::begin(EditKind::Accept).through(stencil);
        self.carry_out(stroke, |stroke, mask| {
            Ok(stroke.select(mask, ground, &paint))
        })
    }
}

/// A square of ground, whatever is predicted there.
pub(super) fn square(rect: PixelRect, kind: PlaceKind) -> Difference {
    let corners = [
        (rect.x, rect.y),
        (rect.right(), rect.y),
        (rect.right(), rect.bottom()),
        (rect.x, rect.bottom()),
        (rect.x, rect.y),
    ];
    let ring = corners.map(|(x, y)| ImagePoint::new(f64::from(x), f64::from(y)));
    Difference {
        kind,
        pixels: rect.num_pixels(),
        rings: Arc::new(vec![ring.to_vec()]),
        bounds: rect,
    }
}

/// The predicted class where it is another than the label's and sure, [`UNLABELED`] elsewhere.
fn confident_difference([label, prediction, certainty]: &[Mask; 3]) -> Mask {
    let mut found = Mask::new(label.size());
    for (col, row, theirs) in prediction.tiles() {
        let (ours, sure) = (label.tile(col, row), certainty.tile(col, row));
        let is_same =
            ours.uniform_class().is_some() && ours.uniform_class() == theirs.uniform_class();
        if is_same
            || theirs.uniform_class() == Some(UNLABELED)
            || sure.uniform_class() == Some(UNLABELED)
        {
            continue;
        }
        let ground = label.tile_rect(col, row);
        let (ours, sure) = (label.read_rect(ground), certainty.read_rect(ground));
        let mut theirs = prediction.read_rect(ground);
        for ((theirs, ours), sure) in theirs.iter_mut().zip(ours).zip(sure) {
            let is_sure = (CONFIDENT..UNLABELED).contains(&sure);
            if *theirs == ours || ours == UNLABELED || !is_sure {
                *theirs = UNLABELED;
            }
        }
        found.set_rect(ground, &theirs);
    }
    found
}
