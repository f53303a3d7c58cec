mod differing;

use std::sync::Arc;

use differing::{difference, ground_of};

use super::jobs::Report;
use super::state::{LayerId, Session};
use super::{CommandError, Notice, ReviewCommand, ScoreScope};
use crate::exchange::{Region, polygonize};
use crate::geom::{ImagePoint, PixelRect};
use crate::job::JobContext;
use crate::label::{Edit, EditKind, Mask, Origin, Selection, StateMark, UNLABELED};

/// Smaller differences than this, in pixels, are not stepped through.
const SMALLEST: u64 = 12;
/// So many differences are stepped through, the largest first.
const MOST: usize = 10_000;

/// A walk through the places where label and prediction differ, the largest first.
#[derive(Clone, Debug)]
pub struct Review {
    /// What is left to decide; nothing when the walk is over, until a decision is undone.
    regions: Vec<Difference>,
    at: usize,
    /// How many were decided: taken and left.
    decided: (usize, usize),
    /// How many went since something else changed the label there.
    mended: usize,
    /// How many are walked through of how many.
    found: (usize, usize),
    cell: Option<[u8; 2]>,
    /// Decisions that changed something, the last one last.
    decisions: Vec<Decision>,
}

/// A decision that can be undone.
#[derive(Clone, Debug)]
struct Decision {
    /// The state of the label that it led to.
    mark: StateMark,
    place: Difference,
    /// Where the place was in the walk.
    at: usize,
    is_taken: bool,
}

/// Places that a job found to walk through.
#[derive(Debug)]
pub(super) struct Found {
    /// The label and the prediction that were compared.
    pub of: [LayerId; 2],
    /// The places in the order of the walk.
    pub places: Vec<Difference>,
    /// How many there are with those that are too many to walk through.
    pub all: usize,
    /// The cell of the confusion matrix that they are of, if of one.
    pub cell: Option<[u8; 2]>,
}

/// Why ground is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlaceKind {
    /// This class is predicted there.
    Predicted(u8),
    /// The prediction is unsure there: its mean doubt, 0 to 1.
    Doubtful(f64),
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

    /// How many places are walked through of how many, before any was decided.
    pub const fn found(&self) -> (usize, usize) {
        self.found
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

    const fn decisions_like(&mut self, is_taken: bool) -> &mut usize {
        let (taken, left) = &mut self.decided;
        if is_taken { taken } else { left }
    }
}

impl Session {
    /// The walk through the differences, while there is one.
    pub fn review(&self) -> Option<&Review> {
        let review = self.review.as_ref();
        review.filter(|review| !review.regions.is_empty())
    }

    pub(super) fn apply_review(&mut self, command: ReviewCommand) -> Result<(), CommandError> {
        match command {
            ReviewCommand::Start => return self.start_review(None),
            ReviewCommand::StartOf {
                truth,
                predicted,
                on,
            } => return self.start_review(Some(([truth, predicted], on))),
            ReviewCommand::StartDoubtful => return self.start_doubtful(),
            ReviewCommand::StartConfident => return self.start_confident(),
            ReviewCommand::StartSimilar(ground) => return self.start_similar(ground),
            ReviewCommand::End => self.review = None,
            ReviewCommand::Step { forth } => return self.step_on(forth),
            ReviewCommand::GoTo(place) => {
                let (_, count) = self.review().ok_or(CommandError::NoReview)?.position();
                if let Some(review) = &mut self.review {
                    review.at = place.min(count.saturating_sub(1));
                }
            }
            ReviewCommand::Accept => return self.accept_difference(),
            ReviewCommand::Reject => return self.reject_difference(),
        }
        Ok(())
    }

    /// `of` is a cell of the confusion matrix, the label's class and the prediction's, and the
    /// ground that its number is of.
    fn start_review(&mut self, of: Option<([u8; 2], ScoreScope)>) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        let (cell, on) = of.map_or((None, ScoreScope::Whole), |(cell, on)| (Some(cell), on));
        let ground = self.ground_of_scope(on)?;
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        let prediction = self.prediction.as_ref().ok_or(CommandError::NoPrediction)?;
        let of_both = [label.id, prediction.id];
        let (label, prediction) = (label.mask.clone(), prediction.mask.clone());
        self.start_job("Looking for differences", move |job| {
            let mut differing = match cell {
                None => difference(&label, &prediction),
                Some(cell) => ground_of(cell, &label, &prediction),
            };
            if let Some(ground) = ground {
                let all = differing.size().bounds();
                differing.without(all, &ground, |_, ground| ground == UNLABELED);
            }
            if let Some(mut regions) = outlined(&differing, job)? {
                let smallest = if cell.is_some() { 1 } else { SMALLEST };
                regions.retain(|region| region.pixels >= smallest);
                job.tell(Report::Differences(Found::largest(of_both, regions, cell)))?;
            }
            Ok(())
        });
        Ok(())
    }

    pub(super) fn differences_found(&mut self, found: Found) {
        let now = [&self.label, &self.prediction].map(|layer| layer.as_ref().map(|it| it.id));
        if now != found.of.map(Some) {
            return;
        }
        if found.places.is_empty() {
            self.notify(Notice::info(if found.cell.is_some() {
                "There is no such place on the ground that the numbers are of".to_owned()
            } else {
                format!("There is no such place, or only specks of less than {SMALLEST} pixels")
            }));
        }
        self.walk_through(found.places, found.all, found.cell);
    }

    /// Begins a walk, or none when there are no places; there were `all` to choose from, and `cell`
    /// says which cell of the confusion matrix they are of.
    pub(super) fn walk_through(
        &mut self,
        regions: Vec<Difference>,
        all: usize,
        cell: Option<[u8; 2]>,
    ) {
        self.review = (!regions.is_empty()).then_some(Review {
            found: (regions.len(), all),
            regions,
            at: 0,
            decided: (0, 0),
            mended: 0,
            cell,
            decisions: Vec::new(),
        });
    }

    /// Goes to the next place, or to the one before.
    fn step_on(&mut self, forth: bool) -> Result<(), CommandError> {
        self.review().ok_or(CommandError::NoReview)?;
        let is_left = !self.is_current_mended();
        let review = self.review.as_mut().ok_or(CommandError::NoReview)?;
        if is_left {
            let count = review.regions.len().max(1);
            let step = if forth { 1 } else { count - 1 };
            review.at = (review.at + step) % count;
        }
        self.drop_mended(forth);
        Ok(())
    }

    fn is_current_mended(&self) -> bool {
        let (Some(review), Some(label)) = (&self.review, &self.label) else {
            return false;
        };
        let current = review.current();
        current.is_some_and(|place| place.is_mended(&label.mask, review.cell))
    }

    /// Drops places that something else mended, from the one that is looked at on. Without any left
    /// the walk is over.
    fn drop_mended(&mut self, forth: bool) {
        while self.is_current_mended()
            && let Some(review) = &mut self.review
        {
            review.regions.remove(review.at);
            review.mended += 1;
            let count = review.regions.len().max(1);
            let step = if forth { 0 } else { count - 1 };
            review.at = (review.at + step) % count;
        }
        let over = self.review.as_ref();
        if let Some(review) = over.filter(|review| review.regions.is_empty()) {
            let (taken, left) = review.decided;
            let mended = match review.mended {
                0 => String::new(),
                count => format!(", {count} mended otherwise"),
            };
            self.notify(Notice::info(format!(
                "All differences are decided: {taken} taken over, {left} left as they were{mended}"
            )));
        }
    }

    fn accept_difference(&mut self) -> Result<(), CommandError> {
        let review = self.review.as_ref().ok_or(CommandError::NoReview)?;
        let current = review.current().ok_or(CommandError::NoReview)?.clone();
        self.refuse_during_stroke()?;
        self.ready_label()?;
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        let ground = current.ground(label.mask.size());
        let before = self.history.mark();
        match current.kind {
            PlaceKind::Doubtful(_) | PlaceKind::Similar(_) => self.accept_ground(&ground)?,
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
        self.leave_difference(before, true);
        Ok(())
    }

    /// The label stays as it is. Somebody says by this that it is right there, which is as good as
    /// if it were made by hand; of similar places it says nothing.
    fn reject_difference(&mut self) -> Result<(), CommandError> {
        let review = self.review.as_ref().ok_or(CommandError::NoReview)?;
        let current = review.current().ok_or(CommandError::NoReview)?.clone();
        let before = self.history.mark();
        if !matches!(current.kind, PlaceKind::Similar(_)) {
            self.refuse_during_stroke()?;
            self.confirm_label(&current)?;
        }
        self.leave_difference(before, false);
        Ok(())
    }

    /// What is labeled of a place is right; what is not stays so.
    fn confirm_label(&mut self, place: &Difference) -> Result<(), CommandError> {
        self.ready_label()?;
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        let ground = place.ground(label.mask.size());
        let is_labeled = |row| label.mask.read_rect(row).iter().any(|&it| it != UNLABELED);
        if !rows_of(&ground).any(is_labeled) {
            self.notify(Notice::info(
                "Nothing is labeled there, so there is nothing to learn from: the place is only \
                 left, and comes again",
            ));
            return Ok(());
        }
        let origins = self.origins.as_mut().ok_or(CommandError::NoLabel)?;
        if let Some(edit) = Edit::confirming(&mut origins.mask, &ground, Origin::CONFIRMED) {
            self.record(edit);
            self.live.said_anew();
        }
        self.refuse_predicted(&ground);
        Ok(())
    }

    /// Takes the current difference, which was decided from this state of the label on, off the
    /// list, and those after it that are mended; the last one ends the walk.
    fn leave_difference(&mut self, before: StateMark, is_taken: bool) {
        let mark = self.history.mark();
        let Some(review) = &mut self.review else {
            return;
        };
        let place = review.regions.remove(review.at);
        *review.decisions_like(is_taken) += 1;
        if mark != before {
            let at = review.at;
            review.decisions.push(Decision {
                mark,
                place,
                at,
                is_taken,
            });
        }
        if review.at >= review.regions.len() {
            review.at = 0;
        }
        self.drop_mended(true);
    }

    /// Looks again at the place whose decision led to a state of the label that is undone, also when
    /// that ended the walk.
    pub(super) fn undo_decision(&mut self, undone: StateMark) {
        let Some(review) = &mut self.review else {
            return;
        };
        let is_undone = |last: &Decision| last.mark == undone;
        if review.decisions.last().is_some_and(is_undone)
            && let Some(last) = review.decisions.pop()
        {
            *review.decisions_like(last.is_taken) -= 1;
            review.at = last.at.min(review.regions.len());
            review.regions.insert(review.at, last.place);
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

/// The pixels of some ground as rows of rectangles.
fn rows_of(ground: &Selection) -> impl Iterator<Item = PixelRect> {
    let spans = ground.spans().iter();
    spans.map(|span| PixelRect::new(span.start, span.y, span.end - span.start, 1))
}

impl Found {
    /// Regions to decide about, the largest first, as many as are walked through.
    pub(super) fn largest(
        of: [LayerId; 2],
        mut regions: Vec<Region>,
        cell: Option<[u8; 2]>,
    ) -> Self {
        let all = regions.len();
        regions.sort_by_key(|region| std::cmp::Reverse(region.pixels));
        regions.truncate(MOST);
        Self {
            of,
            places: regions.iter().map(Difference::of).collect(),
            all,
            cell,
        }
    }
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

    /// Whether the label says by now what is predicted there; of a cell of the matrix, whether it
    /// is of another class than the cell's. Less than is walked through may be left of it.
    fn is_mended(&self, label: &Mask, cell: Option<[u8; 2]>) -> bool {
        let PlaceKind::Predicted(class) = self.kind else {
            return false;
        };
        let is_left = |ours: u8| cell.map_or(ours != class, |[truth, _]| ours == truth);
        // The first corner is the leftmost of the topmost ones, so the pixel there is inside.
        let first = self.rings.first().and_then(|ring| ring.first());
        if first.is_some_and(|at| is_left(label.get(at.x as u32, at.y as u32))) {
            return false;
        }
        let least = match cell {
            Some(_) => 1,
            None => SMALLEST.min(self.pixels),
        };
        let mut left = 0;
        rows_of(&self.ground(label.size())).all(|row| {
            left += label
                .read_rect(row)
                .iter()
                .filter(|it| is_left(**it))
                .count() as u64;
            left < least
        })
    }

    /// Its pixels: those in an odd number of rings.
    fn ground(&self, size: crate::geom::ImageSize) -> Selection {
        let mut rings = self.rings.iter();
        let polygon = |ring: &Vec<ImagePoint>| Selection::of_polygon(ring, size);
        let outer = rings.next().map(polygon).unwrap_or_default();
        rings.fold(outer, |ground, hole| ground.without(&polygon(hole)))
    }
}

#[cfg(test)]
mod tests;
