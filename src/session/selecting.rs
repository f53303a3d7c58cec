use std::sync::Arc;

use super::jobs::Report;
use super::state::{ImageId, Session};
use super::{CommandError, Notice, SelectHow, SelectionCommand};
use crate::geom::{ImagePoint, ImageSize, PixelRect};
use crate::label::{EditKind, Mask, Selection, Wand, grouped, wand};

/// A selection of more pixels is a mistake more often than a wish.
const MOST_PIXELS: u64 = 100_000_000;
/// An outline of more stretches is neither seen nor drawn in time.
const MOST_OUTLINED: usize = 100_000;

/// Pixels that a tool chose, to be filled or dropped.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The pixels.
    pub pixels: Selection,
    /// Rings around them in level-0 pixels; empty when there are too many.
    pub outline: Arc<Vec<Vec<ImagePoint>>>,
    /// The same pixels as ground that tools paint within.
    pub(super) ground: Mask,
}

impl Selected {
    pub(super) fn new(pixels: Selection, size: ImageSize) -> Self {
        let outline = if pixels.spans().len() > MOST_OUTLINED {
            Vec::new()
        } else {
            pixels.outline()
        };
        Self {
            outline: Arc::new(outline),
            ground: pixels.ground(size),
            pixels,
        }
    }
}

/// What the magic wand takes for alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WandSettings {
    /// Largest difference of any band from the color under the pointer.
    pub tolerance: u8,
    /// Only ground that is joined to the pointer.
    pub contiguous: bool,
}

impl Default for WandSettings {
    fn default() -> Self {
        Self {
            tolerance: 24,
            contiguous: true,
        }
    }
}

impl Session {
    /// What the wand chose.
    pub const fn selected(&self) -> Option<&Selected> {
        self.selected.as_ref()
    }

    /// What the wand takes for alike.
    pub const fn wand_settings(&self) -> WandSettings {
        self.wand
    }

    pub(super) fn apply_selection(
        &mut self,
        command: SelectionCommand,
    ) -> Result<(), CommandError> {
        match command {
            SelectionCommand::Alike { at, within } => self.select_alike(at, within),
            SelectionCommand::Polygon { corners, how } => self.select_polygon(&corners, how),
            SelectionCommand::Object { hint, visible } => self.hint_object(hint, visible),
            SelectionCommand::Fill => self.fill_selection(),
            SelectionCommand::Drop => self.drop_selection(),
        }
    }

    fn select_alike(
        &mut self,
        at: ImagePoint,
        within: Option<PixelRect>,
    ) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let Some(seed) = at.pixel_in(image.size()) else {
            return Ok(());
        };
        let (id, source, size) = (image.id, Arc::clone(&image.source), image.size());
        let area = within.map_or(image.size().bounds(), |within| {
            within.intersect(image.size().bounds())
        });
        let settings = Wand {
            tolerance: self.wand.tolerance,
            contiguous: self.wand.contiguous,
            max_pixels: MOST_PIXELS,
        };
        if let Some(last) = self.doing.selecting.take() {
            self.stop_job(last);
        }
        let job = self.start_job("Selecting", move |job| {
            let read = |rect| source.read_rgba(0, rect).map_err(|error| error.to_string());
            let is_cancelled = || job.check().is_err();
            let pixels = wand(&read, area, seed, &settings, &is_cancelled);
            job.check()?;
            let pixels = pixels?;
            let selected = Selected::new(pixels, size);
            job.tell(Report::Selected(id, Box::new(selected)))?;
            Ok(())
        });
        self.doing.selecting = Some(job);
        Ok(())
    }

    pub(super) fn selection_made(&mut self, image: ImageId, selected: Selected) {
        if self.image.as_ref().map(|open| open.id) != Some(image) {
            return;
        }
        if selected.outline.is_empty() && !selected.pixels.is_empty() {
            self.notify(Notice::info(format!(
                "{} pixels are selected, in too many pieces to outline. Enter fills them",
                grouped(selected.pixels.num_pixels())
            )));
        }
        self.selected = (!selected.pixels.is_empty()).then_some(selected);
    }

    pub(super) fn set_wand(&mut self, wand: WandSettings) -> Result<(), CommandError> {
        self.wand = wand;
        Ok(())
    }

    fn fill_selection(&mut self) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.ready_label()?;
        let Some(selected) = self.selected.take() else {
            return Ok(());
        };
        self.forget_object();
        let class = self.active_class();
        self.reveal(class);
        let paint = self.paint(class);
        self.paint_label(EditKind::Selection, class, |stroke, mask| {
            Ok(stroke.select(mask, &selected.pixels, &paint))
        })
    }

    fn select_polygon(
        &mut self,
        corners: &[ImagePoint],
        how: SelectHow,
    ) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        let size = self.image.as_ref().ok_or(CommandError::NoImage)?.size();
        let drawn = Selection::of_polygon(corners, size);
        let before = self.selected.take().map(|selected| selected.pixels);
        let before = before.unwrap_or_default();
        let pixels = match how {
            SelectHow::Replace => drawn,
            SelectHow::Add => before.with(&drawn),
            SelectHow::Subtract => before.without(&drawn),
        };
        self.selected = (!pixels.is_empty()).then(|| Selected::new(pixels, size));
        Ok(())
    }

    fn drop_selection(&mut self) -> Result<(), CommandError> {
        self.selected = None;
        self.forget_object();
        if let Some(job) = self.doing.selecting.take() {
            self.stop_job(job);
        }
        Ok(())
    }
}
