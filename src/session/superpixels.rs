use std::sync::Arc;

use super::CommandError;
use super::jobs::Report;
use super::state::{ImageId, Session};
use crate::geom::{ImagePoint, PixelRect};
use crate::label::{Selection, Superpixels};

/// Side of the ground around the pointer that is divided at a time.
const WINDOW: u32 = 512;
/// Windows begin at multiples of this, so that a place is divided alike each time.
const SNAP: u32 = 128;
/// Nearer to the window's border than this the next window is wanted; superpixels at the border are
/// cut.
const MARGIN: u32 = 96;
/// How much near counts beside alike, of Achanta et al. 2012.
const COMPACTNESS: f32 = 10.0;

/// Sides of superpixels that people may ask for, in level-0 pixels.
pub const SUPERPIXEL_SIDES: std::ops::RangeInclusive<u32> = 6..=96;

impl Session {
    /// The superpixels around the pointer, once they are computed.
    pub fn superpixels(&self) -> Option<&Superpixels> {
        self.superpixels.as_deref()
    }

    /// About how large a superpixel is on a side, in level-0 pixels.
    pub const fn superpixel_side(&self) -> u32 {
        self.superpixel_side
    }

    /// Whether a place lies well inside the ground that is divided already, or is about to be.
    pub fn has_superpixels_at(&self, at: ImagePoint) -> bool {
        let (Some(image), false) = (&self.image, self.doing.preparing.is_some()) else {
            return true;
        };
        let Some((x, y)) = at.pixel_in(image.size()) else {
            return true;
        };
        let bounds = image.size().bounds();
        self.superpixels.as_ref().is_some_and(|known| {
            let window = known.window();
            let inside = |at: u32, from: u32, to: u32, end: u32| {
                (from == 0 || at >= from + MARGIN) && (to == end || at + MARGIN < to)
            };
            window.contains(x, y)
                && inside(x, window.x, window.right(), bounds.right())
                && inside(y, window.y, window.bottom(), bounds.bottom())
        })
    }

    /// The superpixels that the brush touches at a place.
    pub fn superpixels_under_brush(&self, at: ImagePoint) -> Option<Selection> {
        let known = self.superpixels.as_ref()?;
        let touched = known.touched(at, self.brush_diameter / 2.0);
        (!touched.is_empty()).then(|| known.selection(&touched))
    }

    pub(super) fn prepare_superpixels(&mut self, at: ImagePoint) -> Result<(), CommandError> {
        if self.has_superpixels_at(at) {
            return Ok(());
        }
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let Some((x, y)) = at.pixel_in(image.size()) else {
            return Ok(());
        };
        let from = |at: u32| at.saturating_sub(WINDOW / 2).next_multiple_of(SNAP);
        let window = PixelRect::new(from(x), from(y), WINDOW, WINDOW);
        let window = window.intersect(image.size().bounds());
        let (id, source, side) = (image.id, Arc::clone(&image.source), self.superpixel_side);
        let job = self.start_job("Finding superpixels", move |job| {
            let pixels = source.read_rgba(0, window)?;
            job.check()?;
            let found = Superpixels::of(window, &pixels, side, COMPACTNESS);
            job.tell(Report::Superpixels(id, Box::new(found)))?;
            Ok(())
        });
        self.doing.preparing = Some(job);
        Ok(())
    }

    pub(super) fn superpixels_found(&mut self, image: ImageId, found: Superpixels) {
        if self.image.as_ref().map(|open| open.id) == Some(image) {
            self.superpixels = Some(Arc::new(found));
        }
    }

    pub(super) fn set_superpixel_side(&mut self, side: u32) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.superpixel_side = side.clamp(*SUPERPIXEL_SIDES.start(), *SUPERPIXEL_SIDES.end());
        self.superpixels = None;
        Ok(())
    }

    /// The superpixels that a brush touches on its way.
    pub(super) fn superpixels_along(&self, from: ImagePoint, to: ImagePoint) -> Option<Selection> {
        let known = self.superpixels.as_ref()?;
        let radius = self.brush_diameter / 2.0;
        let steps = (from.distance(to) / radius.max(2.0)).ceil().max(1.0);
        let mut touched: Vec<u32> = (0..=steps as u32)
            .flat_map(|step| {
                let share = f64::from(step) / steps;
                let at = ImagePoint::new(
                    from.x + (to.x - from.x) * share,
                    from.y + (to.y - from.y) * share,
                );
                known.touched(at, radius)
            })
            .collect();
        touched.sort_unstable();
        touched.dedup();
        (!touched.is_empty()).then(|| known.selection(&touched))
    }
}
