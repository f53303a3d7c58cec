use std::sync::{Arc, OnceLock};

use super::{CommandError, ScoreScope};
use crate::geom::{ImagePoint, PixelRect};
use crate::label::{Mask, Selection};
use crate::train::PredictPlan;

/// Ground in more runs than this is not outlined.
const MOST_RUNS: usize = 500_000;

/// The ground that a prediction was asked for, as it was then: selection and cells may be others
/// by now.
#[derive(Debug)]
pub(super) struct Asked {
    /// By what it was chosen.
    pub on: ScoreScope,
    /// All of it, or what holds it.
    pub area: PixelRect,
    /// Where alone pixels are wanted: all but unlabeled ones; `None` is all of the area.
    pub ground: Option<Mask>,
    /// The ground's checksum.
    pub sum: Option<u32>,
    shape: OnceLock<Option<Shape>>,
}

/// Ground as a command line says it.
#[derive(Debug)]
pub(super) enum Shape {
    Rects(Vec<PixelRect>),
    /// Polygons that hold it by the even-odd rule, none where they were too many, and its pixels.
    Rings(Vec<Vec<ImagePoint>>, u64),
}

impl Asked {
    pub fn new(on: ScoreScope, area: PixelRect, ground: Option<Mask>) -> Arc<Self> {
        Arc::new(Self {
            on,
            area,
            sum: ground.as_ref().map(Mask::checksum),
            ground,
            shape: OnceLock::new(),
        })
    }

    /// What `plan` predicts, which was chosen by `on`.
    pub fn of(plan: &PredictPlan, on: ScoreScope) -> Arc<Self> {
        Self::new(on, plan.area(), plan.ground().cloned())
    }

    /// Whether both are the same pixels.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.area, self.sum) == (other.area, other.sum)
    }

    /// Lets `plan` predict this ground.
    pub fn chosen_in(&self, plan: PredictPlan) -> Result<PredictPlan, CommandError> {
        let plan = match &self.ground {
            Some(ground) => plan.only_where(ground.clone()),
            None => plan.within(self.area),
        };
        plan.map_err(|error| CommandError::Refused(error.to_string()))
    }

    /// Its outline; `None` when it is in too many pieces.
    pub fn shape(&self) -> Option<&Shape> {
        let shape = self.shape.get_or_init(|| match &self.ground {
            None => Some(Shape::Rects(vec![self.area])),
            Some(ground) => Selection::of_labeled(ground, MOST_RUNS)
                .map(|held| Shape::of(&held, || held.outline())),
        });
        shape.as_ref()
    }
}

impl Shape {
    /// That of these pixels, whose outline is this.
    pub fn of(held: &Selection, outline: impl FnOnce() -> Vec<Vec<ImagePoint>>) -> Self {
        let bounds = held.bounds();
        if held.num_pixels() == bounds.num_pixels() {
            Self::Rects(vec![bounds])
        } else {
            Self::Rings(outline(), held.num_pixels())
        }
    }

    pub fn num_pixels(&self) -> u64 {
        match self {
            Self::Rects(rects) => rects.iter().map(|rect| rect.num_pixels()).sum(),
            Self::Rings(_, pixels) => *pixels,
        }
    }
}
