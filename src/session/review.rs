use std::sync::Arc;

use super::jobs::Report;
use super::state::{LayerId, Session};
use super::{CommandError, Notice, ReviewCommand};
use crate::exchange::{Region, polygonize};
use crate::geom::{ImagePoint, PixelRect};
use crate::job::JobContext;
use crate::label::{Edit, EditKind, Mask, MaskTile, Origin, Selection, UNLABELED};

/// Smaller differences than this, in pixels, are not stepped through.
const SMALLEST: u64 = 12;
/// So many differences are stepped through, the largest first.
const MOST: usize = 10_000;

/// A walk through the places where label and prediction differ, the largest first.
#[derive(Clone, Debug)]
pub struct Review {
    /// What is left to decide.
    regions: Vec<Difference>,
    at: usize,
    /// How many were decided: taken and left.
    decided: (usize, usize),
    cell: Option<[u8; 2]>,
}

/// Why ground is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlaceKind {
    /// This class is predicted there.
    Predicted(u8),
    /// The prediction is unsure there.
    Doubtful,
    /// It looks like ground that was shown; 1 is the same.
    Similar(f32),
}

/// Ground to decide about: joined ground of which the prediction says one class and the label
/// others, or a square that is worth a look.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Why it is looked at.
    pub kind: PlaceKind,
    /// Number of pixels.
    pub pixels: u64,
    /// Its rings in level-0 pixels: the outer one and holes.
    pub rings: Arc<Vec<Vec<ImagePoint>>>,
    /// The smallest rectangle around it, in level-0 pixels.
    pub bounds: PixelRect,
}

impl Review {
    /// The difference that is looked at.
    pub fn current(&self) -> Option<&Difference> {
        self.regions.get(self.at)
    }

    /// All that is left to decide, in the order of the walk.
    pub fn places(&self) -> &[Difference] {
        &self.regions
    }

    /// Its number from 1, and how many are left.
    pub const fn position(&self) -> (usize, usize) {
        (self.at + 1, self.regions.len())
    }

    /// The cell of the confusion matrix whose places these are, where they are of one: the label's
    /// class and the prediction's.
    pub const fn cell(&self) -> Option<[u8; 2]> {
        self.cell
    }

    /// How many were taken over, and how many left as they were.
    pub const fn decided(&self) -> (usize, usize) {
        self.decided
    }
}

impl Session {
    /// The walk through the differences, while there is one.
    pub const fn review(&self) -> Option<&Review> {
        self.review.as_ref()
    }

    pub(super) fn apply_review(&mut self, command: ReviewCommand) -> Result<(), CommandError> {
        match command {
            ReviewCommand::Start => return self.start_review(None),
            ReviewCommand::StartOf { truth, predicted } => {
                return self.start_review(Some([truth, predicted]));
            }
            ReviewCommand::StartDoubtful => return self.start_doubtful(),
            ReviewCommand::StartConfident => return self.start_confident(),
            ReviewCommand::StartSimilar(ground) => return self.start_similar(ground),
            ReviewCommand::End => self.review = None,
            ReviewCommand::Step { forth } => {
                let review = self.review.as_mut().ok_or(CommandError::NoReview)?;
                let count = review.regions.len().max(1);
                let step = if forth { 1 } else { count - 1 };
                review.at = (review.at + step) % count;
            }
            ReviewCommand::GoTo(place) => {
                let review = self.review.as_mut().ok_or(CommandError::NoReview)?;
                review.at = place.min(review.regions.len().saturating_sub(1));
            }
            ReviewCommand::Accept => return self.accept_difference(),
            ReviewCommand::Reject => return self.reject_difference(),
        }
        Ok(())
    }

    /// `of` is a cell of the confusion matrix: the label's class and the prediction's.
    fn start_review(&mut self, of: Option<[u8; 2]>) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        let prediction = self.prediction.as_ref().ok_or(CommandError::NoPrediction)?;
        let of_both = [label.id, prediction.id];
        let (label, prediction) = (label.mask.clone(), prediction.mask.clone());
        self.start_job("Looking for differences", move |job| {
            let differing = match of {
                None => difference(&label, &prediction),
                Some(cell) => ground_of(cell, &label, &prediction),
            };
            if let Some(mut regions) = outlined(&differing, job)? {
                let smallest = if of.is_some() { 1 } else { SMALLEST };
                regions.retain(|region| region.pixels >= smallest);
                job.tell(Report::Differences(of_both, ordered(regions), of))?;
            }
            Ok(())
        });
        Ok(())
    }

    /// `of` are the label and the prediction that were compared.
    pub(super) fn differences_found(
        &mut self,
        of: [LayerId; 2],
        regions: Vec<Difference>,
        cell: Option<[u8; 2]>,
    ) {
        let now = [&self.label, &self.prediction].map(|layer| layer.as_ref().map(|it| it.id));
        if now != of.map(Some) {
            return;
        }
        if regions.is_empty() {
            self.notify(Notice::info(if cell.is_some() {
                "There is no such place".to_owned()
            } else {
                format!("There is no such place, or only specks of less than {SMALLEST} pixels")
            }));
        }
        self.walk_through(regions, cell);
    }

    /// Begins a walk, or none when there are no places; `cell` says which cell of the confusion
    /// matrix they are of.
    pub(super) fn walk_through(&mut self, regions: Vec<Difference>, cell: Option<[u8; 2]>) {
        self.review = (!regions.is_empty()).then_some(Review {
            regions,
            at: 0,
            decided: (0, 0),
            cell,
        });
    }

    fn accept_difference(&mut self) -> Result<(), CommandError> {
        let review = self.review.as_ref().ok_or(CommandError::NoReview)?;
        let current = review.current().ok_or(CommandError::NoReview)?.clone();
        self.refuse_during_stroke()?;
        self.ready_label()?;
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        let ground = current.ground(label.mask.size());
        match current.kind {
            PlaceKind::Doubtful | PlaceKind::Similar(_) => self.accept_ground(&ground)?,
            PlaceKind::Predicted(class) => {
                let paint = crate::label::Paint {
                    over: self.unlocked(),
                    ..crate::label::Paint::class(class)
                };
                self.edit_label(EditKind::Accept, |stroke, mask| {
                    Ok(stroke.select(mask, &ground, &paint))
                })?;
            }
        }
        if let Some(review) = &mut self.review {
            review.decided.0 += 1;
        }
        self.leave_difference();
        Ok(())
    }

    /// The label stays as it is. Where a class is predicted against it, somebody says by this that
    /// it is right, which is as good as if it were made by hand.
    fn reject_difference(&mut self) -> Result<(), CommandError> {
        let review = self.review.as_ref().ok_or(CommandError::NoReview)?;
        let current = review.current().ok_or(CommandError::NoReview)?.clone();
        if let PlaceKind::Predicted(class) = current.kind {
            self.refuse_during_stroke()?;
            self.ready_label()?;
            let origins = self.origins.as_mut().ok_or(CommandError::NoLabel)?;
            let ground = current.ground(origins.mask.size());
            if let Some(edit) = Edit::confirming(&mut origins.mask, &ground, Origin::CONFIRMED) {
                self.record(edit);
                self.live.said_anew();
            }
            self.refuse_predicted(class, &ground);
        }
        if let Some(review) = &mut self.review {
            review.decided.1 += 1;
        }
        self.leave_difference();
        Ok(())
    }

    /// Takes the current difference off the list; the last one ends the walk.
    fn leave_difference(&mut self) {
        let Some(review) = &mut self.review else {
            return;
        };
        review.regions.remove(review.at);
        if review.at >= review.regions.len() {
            review.at = 0;
        }
        if review.regions.is_empty() {
            let (taken, left) = review.decided;
            self.review = None;
            self.notify(Notice::info(format!(
                "All differences are decided: {taken} taken over, {left} left as they were"
            )));
        }
    }
}

/// The regions of one class each of `mask`; `None` when the job was stopped.
pub(super) fn outlined(
    mask: &Mask,
    job: &JobContext<Report>,
) -> anyhow::Result<Option<Vec<Region>>> {
    let is_cancelled = || job.check().is_err();
    let is_class = |class| class != UNLABELED;
    let regions = polygonize(mask, mask.size().bounds(), &is_class, &is_cancelled);
    job.check()?;
    Ok(regions)
}

/// Regions to decide about, the largest first.
pub(super) fn ordered(mut regions: Vec<Region>) -> Vec<Difference> {
    regions.sort_by_key(|region| std::cmp::Reverse(region.pixels));
    regions.truncate(MOST);
    regions.iter().map(Difference::of).collect()
}

impl Difference {
    fn of(region: &Region) -> Self {
        let point = |&(x, y): &(u32, u32)| ImagePoint::new(f64::from(x), f64::from(y));
        let ring = |ring: &Vec<(u32, u32)>| ring.iter().map(point).collect();
        let outer = &region.rings[0];
        let bounds = outer
            .iter()
            .fold(None, |bounds: Option<PixelRect>, &(x, y)| {
                let corner = PixelRect::new(x, y, 0, 0);
                Some(bounds.map_or(corner, |bounds| {
                    let (left, top) = (bounds.x.min(x), bounds.y.min(y));
                    let (right, bottom) = (bounds.right().max(x), bounds.bottom().max(y));
                    PixelRect::new(left, top, right - left, bottom - top)
                }))
            });
        Self {
            kind: PlaceKind::Predicted(region.class),
            pixels: region.pixels,
            rings: Arc::new(region.rings.iter().map(ring).collect()),
            bounds: bounds.unwrap_or_default(),
        }
    }

    /// Its pixels: those in an odd number of rings.
    fn ground(&self, size: crate::geom::ImageSize) -> Selection {
        let mut rings = self.rings.iter();
        let polygon = |ring: &Vec<ImagePoint>| Selection::of_polygon(ring, size);
        let outer = rings.next().map(polygon).unwrap_or_default();
        rings.fold(outer, |ground, hole| ground.without(&polygon(hole)))
    }
}

/// The predicted class where it is another than the label's, [`UNLABELED`] elsewhere.
fn difference(label: &Mask, prediction: &Mask) -> Mask {
    let mut differing = Mask::new(label.size());
    for (col, row, theirs) in prediction.tiles() {
        let ours = label.tile(col, row);
        let tile = match (ours.uniform_class(), theirs.uniform_class()) {
            (Some(ours), Some(theirs)) if ours == theirs => continue,
            (Some(_), Some(theirs)) => MaskTile::Uniform(theirs),
            _ => {
                let ground = label.tile_rect(col, row);
                let (ours, mut theirs) = (label.read_rect(ground), prediction.read_rect(ground));
                for (theirs, ours) in theirs.iter_mut().zip(ours) {
                    if *theirs == ours {
                        *theirs = UNLABELED;
                    }
                }
                differing.set_rect(ground, &theirs);
                continue;
            }
        };
        differing.put_tile(col, row, tile);
    }
    differing
}

/// The predicted class where the label is of the one class and the prediction of the other,
/// [`UNLABELED`] elsewhere.
fn ground_of([truth, predicted]: [u8; 2], label: &Mask, prediction: &Mask) -> Mask {
    let mut found = Mask::new(label.size());
    for (col, row, theirs) in prediction.tiles() {
        let ours = label.tile(col, row);
        match (ours.uniform_class(), theirs.uniform_class()) {
            (Some(ours), Some(theirs)) if (ours, theirs) == (truth, predicted) => {
                found.put_tile(col, row, MaskTile::Uniform(predicted));
            }
            (Some(ours), _) if ours != truth => {}
            (_, Some(theirs)) if theirs != predicted => {}
            _ => {
                let ground = label.tile_rect(col, row);
                let (ours, mut theirs) = (label.read_rect(ground), prediction.read_rect(ground));
                for (theirs, ours) in theirs.iter_mut().zip(ours) {
                    if (ours, *theirs) != (truth, predicted) {
                        *theirs = UNLABELED;
                    }
                }
                found.set_rect(ground, &theirs);
            }
        }
    }
    found
}
