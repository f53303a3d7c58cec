use std::sync::Arc;

use super::jobs::Report;
use super::review::{Difference, Found, PlaceKind, outlined};
use super::state::Session;
use super::{CommandError, LayerId, PredictionInk};
use crate::geom::{ImagePoint, PixelRect};
use crate::label::{
    CellState, Doubtful, EditKind, Mask, Origin, Paint, Selection, Stencil, Stroke, UNLABELED,
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
            let place = |found: &Doubtful| square(found.rect, PlaceKind::Doubtful(found.doubt));
            job.tell(Report::Differences(Found {
                of,
                all: found.len(),
                places: found.iter().map(place).collect(),
                cell: None,
            }))?;
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
                job.tell(Report::Differences(Found::largest(of, regions, None)))?;
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
        let certainty = self.certainty().ok_or_else(|| {
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

    /// Notes what is predicted on some ground whose label is right, or stays without one.
    pub(super) fn refuse_predicted(&mut self, ground: &Selection) {
        let (Some(label), Some(source)) = (&self.label, self.source(PredictionInk::default()))
        else {
            return;
        };
        let (of, size, bounds) = (label.id, label.mask.size(), ground.bounds());
        let mut labeled = Mask::new(size);
        let mut stroke = Stroke::begin(EditKind::Confirm).through(Stencil {
            source: Some(source),
            ..Stencil::default()
        });
        stroke.select(&mut labeled, ground, &Paint::class(0));
        let mut bare = labeled.clone();
        labeled.without(bounds, &label.mask, |_, class| class == UNLABELED);
        bare.without(bounds, &label.mask, |_, class| class != UNLABELED);
        let known = self.predicting.refused.take();
        let known = known.filter(|(known, _)| *known == of);
        let none = || [Mask::new(size), Mask::new(size)];
        let mut refused = known.map_or_else(none, |(_, masks)| masks);
        for (mask, more) in refused.iter_mut().zip([labeled, bare]) {
            mask.lay_over(&more);
        }
        self.predicting.refused = Some((of, refused));
    }

    fn decided(&self) -> Decided {
        let label = self.label.as_ref().map(|label| label.id);
        let refused = self.predicting.refused.as_ref();
        let refused = refused.filter(|(of, _)| Some(*of) == label);
        Decided {
            origins: self.origins.as_ref().map(|origins| origins.mask.clone()),
            refused: refused.map(|(_, masks)| masks.clone()),
        }
    }

    /// Takes over what the prediction says on some ground, but for what somebody made there or found
    /// right.
    pub(super) fn accept_ground(&mut self, ground: &Selection) -> Result<(), CommandError> {
        self.prediction.as_ref().ok_or(CommandError::NoPrediction)?;
        let origins = self.origins.as_ref().ok_or(CommandError::NoLabel)?;
        let mut within = ground.ground(origins.mask.size());
        within.without(ground.bounds(), &origins.mask, |_, origin| {
            Origin::is_persons(origin)
        });
        let stencil = Stencil {
            within: Some(within),
            source: self.source(PredictionInk::default()),
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
    /// Of ground that was found right, and of ground that was left without a label.
    refused: Option<[Mask; 2]>,
}

impl Decided {
    /// `certainty` without ground that needs no other look: somebody found the label right there,
    /// or left it without one, and `prediction` says nothing else than it did then.
    fn left_of(&self, mut certainty: Mask, prediction: &Mask) -> Mask {
        let confirmed = Origin::CONFIRMED.index();
        let Some(origins) = &self.origins else {
            return certainty;
        };
        for (col, row, tile) in origins.tiles() {
            let is_open = match tile.uniform_class() {
                Some(UNLABELED) => !self.is_left_bare(col, row),
                Some(origin) => origin != confirmed,
                None => false,
            };
            if is_open {
                continue;
            }
            let ground = origins.tile_rect(col, row);
            let origins = origins.read_rect(ground);
            let refused = self.refused.as_ref();
            let refused = refused.map(|masks| masks.each_ref().map(|mask| mask.read_rect(ground)));
            let predicted = prediction.read_rect(ground);
            let mut left = certainty.read_rect(ground);
            for (place, sure) in left.iter_mut().enumerate() {
                let of_place = |masks: &[Vec<u8>; 2]| [masks[0][place], masks[1][place]];
                let [labeled, bare] = refused.as_ref().map_or([UNLABELED; 2], of_place);
                let (origin, said) = (origins[place], predicted[place]);
                let is_right = origin == confirmed && (labeled == UNLABELED || labeled == said);
                if is_right || (origin == UNLABELED && bare == said) {
                    *sure = UNLABELED;
                }
            }
            certainty.set_rect(ground, &left);
        }
        certainty
    }

    /// Whether anything of a tile was left without a label.
    fn is_left_bare(&self, col: u32, row: u32) -> bool {
        let bare = self.refused.as_ref().map(|[_, bare]| bare.tile(col, row));
        bare.is_some_and(|tile| tile.uniform_class() != Some(UNLABELED))
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
        let decided = |origins: &Mask, refused: Option<[Mask; 2]>| Decided {
            origins: Some(origins.clone()),
            refused,
        };
        let fresh = decided(&imported, None);
        assert_eq!(mistakes(&fresh, &label, &prediction), 4_000 + 900);

        let confirmed = with(&imported, right, Origin::CONFIRMED.index());
        let refused = [with(&Mask::new(SIZE), right, 1), Mask::new(SIZE)];
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

    #[test]
    fn ground_that_was_left_without_a_label_comes_again_only_when_something_changed_there() {
        let (bare, part) = (
            PixelRect::new(0, 0, 256, 256),
            PixelRect::new(8, 8, 100, 100),
        );
        let (label, prediction) = (Mask::new(SIZE), Mask::filled(SIZE, 1));
        let left = [Mask::new(SIZE), with(&Mask::new(SIZE), bare, 1)];
        let is_listed = |origins: Mask, prediction: &Mask, refused: Option<[Mask; 2]>| {
            let decided = Decided {
                origins: Some(origins),
                refused,
            };
            let sure = decided.left_of(Mask::filled(SIZE, 40), prediction);
            let found = doubtful_places(&sure, [&label, prediction], (256, 9), |_| true);
            found.iter().any(|place| place.rect == bare)
        };
        let nobodys = Mask::new(SIZE);
        assert!(is_listed(nobodys.clone(), &prediction, None));
        assert!(!is_listed(nobodys.clone(), &prediction, Some(left.clone())));
        let painted = with(&nobodys, part, Origin::HAND.index());
        assert!(is_listed(painted, &prediction, Some(left.clone())));
        let other = with(&prediction, part, 2);
        assert!(is_listed(nobodys, &other, Some(left)));
    }
}
