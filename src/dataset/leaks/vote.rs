use std::fmt;

use super::landmark::{Landmark, MARGIN};
use super::turn::Turn;
use crate::geom::ImageSize;

/// Landmarks that must agree on where one image lies on the other.
const LEAST_VOTES: usize = 5;
/// Pixels by which their answers may differ.
const SLACK: i64 = 3;
/// The agreeing landmarks reach at least this far in one direction and half as far in the other, so
/// that a logo or a line of text is no common ground.
const LEAST_SPREAD: i64 = 48;
/// Most matches of a pair of images that are looked at.
const MOST_MATCHES: usize = 512;

/// Where one image lies on another, by most of their common landmarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fit {
    /// Landmarks that agree.
    pub(super) votes: usize,
    /// Landmarks of the first image that should be seen in the second one.
    pub(super) expected: usize,
    /// From the first image to the second, about their upper left corners, before `offset`.
    pub(super) turn: Turn,
    /// Column and row of the second image that column 0 and row 0 of the first lie at.
    pub(super) offset: (i64, i64),
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.turn.is_none() {
            ""
        } else {
            ", turned or flipped"
        };
        let (votes, expected, (x, y)) = (self.votes, self.expected, self.offset);
        write!(
            f,
            "{votes} of {expected} landmarks agree{how}, shifted by {x}, {y} pixels"
        )
    }
}

/// What one matching landmark says of where the first image lies on the second.
struct Claim {
    turn: Turn,
    offset: (i64, i64),
    /// Where in the first image.
    place: (i64, i64),
}

impl Claim {
    fn of((a, b): &(Landmark, Landmark)) -> Self {
        let turn = a.turn.then(b.turn.inverse());
        let place = (i64::from(a.at.0), i64::from(a.at.1));
        let (x, y) = turn.apply(place.0, place.1);
        Self {
            turn,
            offset: (i64::from(b.at.0) - x, i64::from(b.at.1) - y),
            place,
        }
    }

    /// Whether both say nearly the same.
    fn agrees(&self, other: &Self) -> bool {
        self.turn == other.turn
            && (self.offset.0 - other.offset.0).abs() <= SLACK
            && (self.offset.1 - other.offset.1).abs() <= SLACK
    }
}

/// Finds the fit of two images from matching landmarks.
pub(super) fn fit(
    matches: &[(Landmark, Landmark)],
    first: &[Landmark],
    size_of_second: ImageSize,
) -> Option<Fit> {
    let stride = matches.len().div_ceil(MOST_MATCHES).max(1);
    let claims: Vec<Claim> = matches.iter().step_by(stride).map(Claim::of).collect();
    let mut best: Option<Fit> = None;
    for claim in &claims {
        let agreeing = claims.iter().filter(|other| claim.agrees(other));
        let mut places: Vec<(i64, i64)> = agreeing.map(|other| other.place).collect();
        places.sort_unstable();
        places.dedup();
        let votes = places.len();
        if votes >= LEAST_VOTES && best.is_none_or(|best| votes > best.votes) && is_spread(&places)
        {
            best = Some(Fit {
                votes,
                expected: 0,
                turn: claim.turn,
                offset: claim.offset,
            });
        }
    }
    best.map(|fit| Fit {
        expected: expected(&fit, first, size_of_second).max(fit.votes),
        ..fit
    })
}

fn is_spread(places: &[(i64, i64)]) -> bool {
    let span = |axis: &dyn Fn(&(i64, i64)) -> i64| {
        let low = places.iter().map(axis).min().unwrap_or(0);
        places.iter().map(axis).max().unwrap_or(0) - low
    };
    let (wide, tall) = (span(&|place| place.0), span(&|place| place.1));
    wide.max(tall) >= LEAST_SPREAD && wide.min(tall) >= LEAST_SPREAD / 2
}

/// Landmarks of `first` that `fit` puts inside the second image.
fn expected(fit: &Fit, first: &[Landmark], size: ImageSize) -> usize {
    let inside = |at: i64, length: u32| {
        at >= i64::from(MARGIN) && at < i64::from(length) - i64::from(MARGIN)
    };
    let seen = first.iter().filter(|landmark| {
        let (x, y) = fit
            .turn
            .apply(i64::from(landmark.at.0), i64::from(landmark.at.1));
        inside(x + fit.offset.0, size.width) && inside(y + fit.offset.1, size.height)
    });
    seen.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Landmarks at `places`, and the same moved by (-30, -10), as seen in an image of 400 pixels.
    fn moved(places: &[(u32, u32)]) -> Option<Fit> {
        let landmark = |at| Landmark {
            look: 0,
            at,
            turn: Turn::NONE,
        };
        let first: Vec<Landmark> = places.iter().map(|&at| landmark(at)).collect();
        let pairs: Vec<(Landmark, Landmark)> = first
            .iter()
            .map(|&a| (a, landmark((a.at.0 - 30, a.at.1 - 10))))
            .collect();
        fit(&pairs, &first, ImageSize::new(400, 400))
    }

    #[test]
    fn five_spread_landmarks_make_a_fit() {
        let places = [(100, 100), (160, 120), (200, 180), (130, 220), (300, 300)];
        let found = moved(&places).expect("a fit");
        let expected = Fit {
            votes: 5,
            expected: 5,
            turn: Turn::NONE,
            offset: (-30, -10),
        };
        assert_eq!(found, expected);
        assert_eq!(moved(&places[..4]), None);
    }

    #[test]
    fn a_line_of_text_is_no_common_ground() {
        let line: Vec<(u32, u32)> = (0..9).map(|at| (100 + 20 * at, 200 + at % 2)).collect();
        assert_eq!(moved(&line), None);
        assert_eq!(moved(&[]), None);
    }

    #[test]
    fn turned_images_fit_by_their_turn() {
        let turn = Turn::new((true, false), true);
        let first: Vec<Landmark> = [(50, 60), (150, 70), (90, 200), (220, 140), (170, 240)]
            .map(|at| Landmark {
                look: 0,
                at,
                turn: Turn::NONE,
            })
            .to_vec();
        let pairs = first.iter().map(|&a| {
            let (x, y) = turn.apply(i64::from(a.at.0), i64::from(a.at.1));
            let seen = Landmark {
                look: 0,
                at: (x as u32, (y + 300) as u32),
                turn: turn.inverse(),
            };
            (a, seen)
        });
        let pairs: Vec<_> = pairs.collect();
        let found = fit(&pairs, &first, ImageSize::new(300, 300)).expect("a fit");
        assert_eq!((found.turn, found.offset, found.votes), (turn, (0, 300), 5));
    }
}
