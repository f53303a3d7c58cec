use std::sync::Arc;

use super::jobs::Report;
use super::state::{ImageId, Session};
use super::{CommandError, Selected, Tool};
use crate::geom::{ImagePoint, ImageSize, PixelRect};
use crate::label::{Hint, ObjectFinder};

/// Longest side of the ground in which an object is looked for, in level-0 pixels.
const LONGEST_SIDE: u32 = 1_024;
/// Shortest side of it, so that there is ground around a small object.
const SHORTEST_SIDE: u32 = 192;

/// The object that somebody points at.
#[derive(Clone, Default)]
pub(super) struct ObjectWork {
    /// What was said about it so far.
    pub hints: Vec<Hint>,
    /// The ground around it, prepared.
    finder: Option<(ImageId, Arc<ObjectFinder>)>,
}

impl Session {
    /// Clicks and strokes for and against the object that is being pointed at.
    pub fn object_hints(&self) -> &[Hint] {
        &self.object.hints
    }

    /// Takes a further hint and looks for the object anew.
    pub(super) fn hint_object(
        &mut self,
        hint: Hint,
        visible: PixelRect,
    ) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let Some(at) = hint.points.first().and_then(|at| at.pixel_in(image.size())) else {
            return Ok(());
        };
        let (id, size, source) = (image.id, image.size(), Arc::clone(&image.source));
        // Something else was selected: this is another object.
        if self.selected.is_none() && self.doing.selecting.is_none() {
            self.object.hints.clear();
        }
        self.object.hints.push(hint);
        let hints = self.object.hints.clone();
        let known = self.object.finder.as_ref();
        let known = known.filter(|(of, finder)| *of == id && finder.window().contains(at.0, at.1));
        let finder = known.map(|(_, finder)| Arc::clone(finder));
        let window = window_around(at, visible, size);
        if let Some(last) = self.doing.selecting.take() {
            self.stop_job(last);
        }
        let job = self.start_job("Finding the object", move |job| {
            let finder = if let Some(finder) = finder {
                finder
            } else {
                let pixels = source.read_rgba(0, window)?;
                job.check()?;
                Arc::new(ObjectFinder::of(window, &pixels))
            };
            job.check()?;
            let reach = f64::from(finder.window().width.max(finder.window().height)) * 0.55;
            let pixels = finder.find(&hints, reach);
            let selected = (!pixels.is_empty()).then(|| Box::new(Selected::new(pixels, size)));
            job.tell(Report::ObjectFound(id, finder, selected))?;
            Ok(())
        });
        self.doing.selecting = Some(job);
        Ok(())
    }

    /// Whether the ground around a place, in level-0 pixels, is to be prepared for the tool in hand
    /// before it is used there.
    pub fn wants_ground(&self, at: ImagePoint, visible: PixelRect) -> bool {
        match self.tool() {
            Tool::Superpixel => !self.has_superpixels_at(at),
            Tool::Object => self.object_ground_around(at, visible).is_some(),
            _ => false,
        }
    }

    pub(super) fn prepare_ground(
        &mut self,
        at: ImagePoint,
        visible: PixelRect,
    ) -> Result<(), CommandError> {
        if self.tool() == Tool::Superpixel {
            return self.prepare_superpixels(at);
        }
        let (Some(window), Some(image)) = (self.object_ground_around(at, visible), &self.image)
        else {
            return Ok(());
        };
        let (id, source) = (image.id, Arc::clone(&image.source));
        let job = self.start_job("Looking for objects", move |job| {
            let pixels = source.read_rgba(0, window)?;
            job.check()?;
            let finder = Arc::new(ObjectFinder::of(window, &pixels));
            job.tell(Report::ObjectGround(id, finder))?;
            Ok(())
        });
        self.doing.preparing = Some(job);
        Ok(())
    }

    /// The ground to prepare for a click at a place; `None` when what is prepared reaches far enough
    /// around it, or somebody is at it.
    fn object_ground_around(&self, at: ImagePoint, visible: PixelRect) -> Option<PixelRect> {
        let image = self.image.as_ref()?;
        let is_busy = self.doing.preparing.is_some() || self.doing.selecting.is_some();
        // Hints on one object are all answered from the same ground.
        if is_busy || !self.object.hints.is_empty() {
            return None;
        }
        let size = image.size();
        let at = at.pixel_in(size)?;
        let known = self.object.finder.as_ref();
        let known = known.filter(|(of, _)| *of == image.id);
        let is_near = known.is_some_and(|(_, finder)| {
            let (window, wanted) = (finder.window(), window_around(at, visible, size));
            let (aside, below) = (wanted.width / 4, wanted.height / 4);
            let (width, height) = (wanted.width - 2 * aside, wanted.height - 2 * below);
            let core = PixelRect::new(wanted.x + aside, wanted.y + below, width, height);
            // Seen from much nearer, a part of it would be the object.
            window.intersect(core) == core && window.width <= wanted.width * 2
        });
        (!is_near).then(|| window_around(at, visible, size))
    }

    pub(super) fn object_ground_found(&mut self, image: ImageId, finder: Arc<ObjectFinder>) {
        let is_open = self.image.as_ref().is_some_and(|open| open.id == image);
        if is_open && self.object.hints.is_empty() {
            self.object.finder = Some((image, finder));
        }
    }

    pub(super) fn object_found(
        &mut self,
        image: ImageId,
        finder: Arc<ObjectFinder>,
        selected: Option<Box<Selected>>,
    ) {
        if self.image.as_ref().map(|open| open.id) == Some(image) {
            self.object.finder = Some((image, finder));
            self.selected = selected.map(|selected| *selected);
        }
    }

    /// The next hint begins another object.
    pub(super) fn forget_object(&mut self) {
        self.object.hints.clear();
    }
}

/// The ground in which the object under `at` is looked for: what is seen around it, within limits.
fn window_around(at: (u32, u32), visible: PixelRect, size: ImageSize) -> PixelRect {
    let side = |seen: u32| seen.clamp(SHORTEST_SIDE, LONGEST_SIDE);
    let (width, height) = (side(visible.width), side(visible.height));
    let first = |at: u32, side: u32, whole: u32| {
        at.saturating_sub(side / 2).min(whole.saturating_sub(side))
    };
    let x = first(at.0, width, size.width);
    let y = first(at.1, height, size.height);
    PixelRect::new(x, y, width, height).intersect(size.bounds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_holds_the_click_and_stays_in_the_image() {
        let size = ImageSize::new(5_000, 300);
        for (at, visible) in [
            ((0, 0), PixelRect::new(0, 0, 5_000, 300)),
            ((4_999, 299), PixelRect::new(4_900, 200, 100, 100)),
            ((2_500, 150), PixelRect::new(2_400, 100, 700, 200)),
        ] {
            let window = window_around(at, visible, size);
            assert!(window.contains(at.0, at.1), "{at:?} in {window:?}");
            assert_eq!(window.intersect(size.bounds()), window);
            assert!(window.width >= 192 && window.width <= 1_024);
        }
    }
}
