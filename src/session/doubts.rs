use std::sync::Arc;

use super::jobs::Report;
use super::review::{Difference, PlaceKind, ordered, outlined};
use super::state::Session;
use super::{CommandError, LayerId, PredictionInk};
use crate::geom::{ImagePoint, PixelRect};
use crate::label::{
    CellState, EditKind, Mask, Origin, Paint, Selection, Stencil, Stroke, UNLABELED,
    doubtful_places,
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
        let decided = self.decided();
        let coverage = self.coverage().clone();
        self.start_job("Ranking places by doubt", move |job| {
            let is_open = |rect: PixelRect| {
                let mut cells = coverage.cells_in(rect);
                cells.any(|cell| coverage.state(cell, None) != CellState::Done)
            };
            let certainty = decided.left_of(certainty, &prediction);
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
        let (of, [label, prediction, certainty]) = self.compared()?;
        let decided = self.decided();
        self.start_job("Looking for likely mistakes", move |job| {
            let certainty = decided.left_of(certainty, &prediction);
            let masks = [label, prediction, certainty];
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
        self.label_to_look_at()?;
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

    /// Notes that `class` is predicted on some ground against the label, which is right.
    pub(super) fn refuse_predicted(&mut self, class: u8, ground: &Selection) {
        let Some(label) = &self.label else { return };
        let known = self.predicting.refused.take();
        let known = known.filter(|(of, _)| *of == label.id);
        let mut refused = known.map_or_else(|| Mask::new(label.mask.size()), |(_, mask)| mask);
        let mut stroke = Stroke::begin(EditKind::Confirm);
        stroke.select(&mut refused, ground, &Paint::class(class));
        self.predicting.refused = Some((label.id, refused));
    }

    fn decided(&self) -> Decided {
        let label = self.label.as_ref().map(|label| label.id);
        let refused = self.predicting.refused.as_ref();
        let refused = refused.filter(|(of, _)| Some(*of) == label);
        Decided {
            origins: self.origins.as_ref().map(|origins| origins.mask.clone()),
            refused: refused.map(|(_, mask)| mask.clone()),
        }
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

/// Ground that somebody found right, and what was predicted there then, where that is known.
#[derive(Debug)]
struct Decided {
    origins: Option<Mask>,
    refused: Option<Mask>,
}

impl Decided {
    /// `certainty` without ground that needs no other look: somebody found the label right there,
    /// and `prediction` says nothing else than it did then.
    fn left_of(&self, mut certainty: Mask, prediction: &Mask) -> Mask {
        let confirmed = Origin::CONFIRMED.index();
        let Some(origins) = &self.origins else {
            return certainty;
        };
        for (col, row, tile) in origins.tiles() {
            if tile
                .uniform_class()
                .is_some_and(|origin| origin != confirmed)
            {
                continue;
            }
            let ground = origins.tile_rect(col, row);
            let origins = origins.read_rect(ground);
            if !origins.contains(&confirmed) {
                continue;
            }
            let refused = self.refused.as_ref().map(|mask| mask.read_rect(ground));
            let predicted = prediction.read_rect(ground);
            let mut left = certainty.read_rect(ground);
            for (place, sure) in left.iter_mut().enumerate() {
                let refused = refused.as_ref().map_or(UNLABELED, |refused| refused[place]);
                let is_said_again = refused == UNLABELED || refused == predicted[place];
                if origins[place] == confirmed && is_said_again {
                    *sure = UNLABELED;
                }
            }
            certainty.set_rect(ground, &left);
        }
        certainty
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    const SIZE: ImageSize = ImageSize::new(400, 300);

    fn with(mask: &Mask, rect: PixelRect, class: u8) -> Mask {
        let mut mask = mask.clone();
        mask.set_rect(rect, &vec![class; rect.num_pixels() as usize]);
        mask
    }

    fn mistakes(decided: &Decided, label: &Mask, prediction: &Mask) -> u64 {
        let sure = decided.left_of(Mask::filled(SIZE, 250), prediction);
        let found = confident_difference(&[label.clone(), prediction.clone(), sure]);
        SIZE.num_pixels() - found.histogram()[usize::from(UNLABELED)]
    }

    #[test]
    fn ground_that_was_found_right_comes_again_only_when_something_changed_there() {
        let (right, wrong) = (
            PixelRect::new(200, 10, 80, 50),
            PixelRect::new(20, 20, 30, 30),
        );
        let label = Mask::filled(SIZE, 0);
        let prediction = with(&with(&label, right, 1), wrong, 2);
        let imported = label.origins_from(Origin::IMPORTED);
        let decided = |origins: &Mask, refused: Option<Mask>| Decided {
            origins: Some(origins.clone()),
            refused,
        };
        let fresh = decided(&imported, None);
        assert_eq!(mistakes(&fresh, &label, &prediction), 4_000 + 900);

        let confirmed = with(&imported, right, Origin::CONFIRMED.index());
        let refused = with(&Mask::new(SIZE), right, 1);
        for known in [Some(refused.clone()), None] {
            let decided = decided(&confirmed, known);
            assert_eq!(mistakes(&decided, &label, &prediction), 900);
        }
        let other = with(&prediction, right, 3);
        let known = decided(&confirmed, Some(refused));
        assert_eq!(mistakes(&known, &label, &other), 4_000 + 900);
        // Whoever paints there takes the confirmation away with it.
        let painted = with(&confirmed, right, Origin::HAND.index());
        let painted = decided(&painted, None);
        assert_eq!(mistakes(&painted, &label, &prediction), 4_000 + 900);
    }

    #[test]
    fn a_square_that_was_found_right_is_not_doubtful() {
        let (label, prediction) = (Mask::filled(SIZE, 0), Mask::filled(SIZE, 1));
        let square = PixelRect::new(0, 0, 256, 256);
        let imported = label.origins_from(Origin::IMPORTED);
        let decided = Decided {
            origins: Some(with(&imported, square, Origin::CONFIRMED.index())),
            refused: None,
        };
        let sure = decided.left_of(Mask::filled(SIZE, 40), &prediction);
        let found = doubtful_places(&sure, [&label, &prediction], (256, 9), |_| true);
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|place| place.rect != square));
    }
}
