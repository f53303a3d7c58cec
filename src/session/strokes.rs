use super::labels::{Areas, new_layer};
use super::state::{BRUSH_DIAMETERS, Session};
use super::{Change, CommandError, LayerKind, Tool};
use crate::geom::{ImagePoint, PixelRect};
use crate::label::{
    Brush, BrushShape, DirtyRects, Edit, EditKind, FillLimits, Ink, Mask, MaskError, Paint,
    PaintOver, Stroke, UNLABELED,
};

/// A flood fill larger than this is a mistake more often than a wish.
const MAX_FILL_PIXELS: u64 = 200_000_000;

/// A stroke between the brush's touch and its lift.
pub(super) struct OpenStroke {
    stroke: Stroke,
    paint: Paint,
    last: ImagePoint,
    /// Whose prediction is painted; another one's may take its place meanwhile.
    model: Option<String>,
}

impl Session {
    pub(super) fn select_tool(&mut self, tool: Tool) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.tool = tool;
        Ok(())
    }

    pub(super) fn set_brush_diameter(&mut self, diameter: f64) -> Result<(), CommandError> {
        self.brush_diameter = if diameter.is_finite() {
            diameter.clamp(*BRUSH_DIAMETERS.start(), *BRUSH_DIAMETERS.end())
        } else {
            self.brush_diameter
        };
        Ok(())
    }

    pub(super) fn set_brush_shape(&mut self, shape: BrushShape) -> Result<(), CommandError> {
        self.brush_shape = shape;
        Ok(())
    }

    pub(super) fn set_only_unlabeled(&mut self, only: bool) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.only_unlabeled = only;
        Ok(())
    }

    pub(super) fn begin_stroke(&mut self, at: ImagePoint, class: u8) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.ready_label()?;
        self.reveal(class);
        let paint = self.paint(class);
        let kind = match class {
            UNLABELED => EditKind::Erase,
            _ if self.paints_prediction() => EditKind::Accept,
            _ => EditKind::Brush,
        };
        self.stroke = Some(OpenStroke {
            stroke: Stroke::begin(kind).through(self.stencil(class)),
            paint,
            last: self.brush().anchored(at),
            model: (kind == EditKind::Accept).then(|| self.prediction_name()),
        });
        self.extend_stroke(at)
    }

    pub(super) fn extend_stroke(&mut self, to: ImagePoint) -> Result<(), CommandError> {
        let brush = self.brush();
        // A brush thinner than a pixel's diagonal would slip between pixel centres.
        let to = brush.anchored(to);
        let from = self.stroke.as_ref().ok_or(CommandError::NoStroke)?.last;
        let region = match self.tool {
            Tool::Superpixel => Some(self.superpixels_along(from, to)),
            _ => None,
        };
        let open = self.stroke.as_mut().ok_or(CommandError::NoStroke)?;
        let label = self.label.as_mut().ok_or(CommandError::NoLabel)?;
        open.last = to;
        let (stroke, mask, paint) = (&mut open.stroke, &mut label.mask, &open.paint);
        let dirty = match region {
            None => stroke.segment(mask, (from, to), &brush, paint),
            Some(Some(region)) => stroke.select(mask, &region, paint),
            Some(None) => DirtyRects::new(),
        };
        self.label_changed(&dirty);
        Ok(())
    }

    pub(super) fn end_stroke(&mut self) -> Result<(), CommandError> {
        let open = self.stroke.take().ok_or(CommandError::NoStroke)?;
        self.commit(open.stroke, open.model);
        Ok(())
    }

    pub(super) fn cancel_stroke(&mut self) -> Result<(), CommandError> {
        let open = self.stroke.take().ok_or(CommandError::NoStroke)?;
        let label = self.label.as_mut().ok_or(CommandError::NoLabel)?;
        let dirty = open.stroke.rollback(&mut label.mask);
        self.label_changed(&dirty);
        Ok(())
    }

    pub(super) fn fill_polygon(
        &mut self,
        corners: &[ImagePoint],
        class: Option<u8>,
    ) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.ready_label()?;
        let class = class.unwrap_or(self.active_class());
        self.reveal(class);
        let paint = self.paint(class);
        self.paint_label(EditKind::Polygon, class, |stroke, mask| {
            Ok(stroke.polygon(mask, corners, &paint))
        })
    }

    pub(super) fn flood_fill(&mut self, at: ImagePoint) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.ready_label()?;
        let size = self
            .label
            .as_ref()
            .ok_or(CommandError::NoLabel)?
            .mask
            .size();
        let Some(seed) = at.pixel_in(size) else {
            return Ok(());
        };
        self.reveal(self.active_class());
        let paint = self.paint(self.active_class());
        let limits = FillLimits {
            max_pixels: MAX_FILL_PIXELS,
            ..FillLimits::default()
        };
        let refused = |error: MaskError| CommandError::Refused(error.to_string());
        // What is filled is the region that is seen in the ink.
        let prediction = self
            .prediction
            .as_ref()
            .filter(|_| self.paints_prediction());
        let region = prediction.map(|prediction| prediction.mask.region_at(seed, &limits));
        let region = region.transpose().map_err(refused)?;
        let class = self.active_class();
        self.paint_label(EditKind::Fill, class, |stroke, mask| match region {
            Some(region) => Ok(stroke.select(mask, &region, &paint)),
            None => stroke.flood(mask, seed, &paint, &limits).map_err(refused),
        })
    }

    pub(super) fn pick_class(&mut self, at: ImagePoint) -> Result<(), CommandError> {
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        match at.pixel_in(label.mask.size()) {
            Some((x, y)) => self.select_class(label.mask.get(x, y)),
            None => Ok(()),
        }
    }

    pub(super) fn undo(&mut self) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.refuse_when_read_only()?;
        self.refuse_during_operation()?;
        if !self.history.can_undo() && self.has_older_steps() {
            return self.recall_steps();
        }
        let undone = self.history.mark();
        let step = self.history.undo();
        self.replay(step)?;
        self.undo_decision(undone);
        Ok(())
    }

    pub(super) fn redo(&mut self) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.refuse_when_read_only()?;
        self.refuse_during_operation()?;
        let step = self.history.redo();
        self.replay(step)
    }

    fn replay(&mut self, step: Option<Edit>) -> Result<(), CommandError> {
        let (Some(edit), Some(label)) = (step, self.label.as_mut()) else {
            return Ok(());
        };
        let dirty = label.mask.apply(&edit);
        if let Some(origins) = &mut self.origins {
            origins.mask.apply_origins(&edit);
        }
        self.count_areas(&edit);
        self.restore_classes();
        self.drop_preview();
        self.label_changed(&dirty);
        self.mask_changed(LayerKind::Origins, &edit.dirty_rects());
        self.keep_cursor(&edit);
        Ok(())
    }

    /// Makes an edit that was carried out, with its origins, one step of the history.
    pub(super) fn record(&mut self, edit: Edit) {
        self.drop_preview();
        self.count_areas(&edit);
        self.warn_of_hidden(&edit);
        self.mask_changed(LayerKind::Origins, &edit.dirty_rects());
        let before = self.history.mark();
        self.history.push(edit.clone());
        self.keep_step(edit, before);
        self.mark_in_work();
    }

    /// Paints `class`, or what is chosen instead, through the stencil that is set.
    pub(super) fn paint_label(
        &mut self,
        kind: EditKind,
        class: u8,
        paint: impl FnOnce(&mut Stroke, &mut Mask) -> Result<DirtyRects, CommandError>,
    ) -> Result<(), CommandError> {
        let stencil = self.stencil(class);
        let kind = match &stencil.source {
            Some(_) => EditKind::Accept,
            None => kind,
        };
        self.carry_out(Stroke::begin(kind).through(stencil), paint)
    }

    pub(super) fn edit_label(
        &mut self,
        kind: EditKind,
        paint: impl FnOnce(&mut Stroke, &mut Mask) -> Result<DirtyRects, CommandError>,
    ) -> Result<(), CommandError> {
        self.carry_out(Stroke::begin(kind), paint)
    }

    pub(super) fn carry_out(
        &mut self,
        mut stroke: Stroke,
        paint: impl FnOnce(&mut Stroke, &mut Mask) -> Result<DirtyRects, CommandError>,
    ) -> Result<(), CommandError> {
        let label = self.label.as_mut().ok_or(CommandError::NoLabel)?;
        match paint(&mut stroke, &mut label.mask) {
            Ok(dirty) => {
                self.label_changed(&dirty);
                self.commit(stroke, None);
                Ok(())
            }
            Err(error) => {
                let dirty = stroke.rollback(&mut label.mask);
                self.label_changed(&dirty);
                Err(error)
            }
        }
    }

    fn commit(&mut self, stroke: Stroke, model: Option<String>) {
        let Some(label) = self.label.as_ref() else {
            return;
        };
        if let Some(edit) = stroke.commit(&label.mask) {
            let edit = self.signed(edit, model);
            self.record(edit);
        }
    }

    fn refuse_during_operation(&self) -> Result<(), CommandError> {
        match self.doing.operation {
            Some(_) => Err(CommandError::Busy("A clean-up of the label")),
            None => Ok(()),
        }
    }

    /// Makes sure that there is a label to paint on: an empty one when there is none.
    pub(super) fn ready_label(&mut self) -> Result<(), CommandError> {
        self.refuse_when_read_only()?;
        self.label_to_look_at()
    }

    /// Makes sure that there is a label to compare with: an empty one, in memory alone, when there
    /// is none.
    pub(super) fn label_to_look_at(&mut self) -> Result<(), CommandError> {
        self.refuse_during_operation()?;
        let size = self.image.as_ref().ok_or(CommandError::NoImage)?.size();
        match &self.label {
            Some(label) if label.is_loading => Err(CommandError::LabelLoading),
            Some(_) => Ok(()),
            None => {
                let id = self.next_number();
                self.label = Some(new_layer(id, Mask::new(size)));
                self.replace_origins(Some(Mask::new(size)));
                self.areas = Areas::unlabeled(size);
                self.origin_areas = Areas::unlabeled(size);
                Ok(())
            }
        }
    }

    pub(super) fn label_changed(&mut self, dirty: &[PixelRect]) {
        self.mask_changed(LayerKind::Label, dirty);
    }

    pub(super) fn mask_changed(&mut self, kind: LayerKind, dirty: &[PixelRect]) {
        let Some(layer) = self.layer_mut(kind) else {
            return;
        };
        if kind == LayerKind::Prediction {
            // No file has these pixels.
            layer.path = None;
        }
        let (layer, size) = (layer.id, layer.mask.size());
        if let LayerKind::Label | LayerKind::Prediction = kind {
            self.live.note(dirty, size);
            self.predicting.contest.note(dirty, size);
        }
        let change = |&rect: &PixelRect| Change::MaskPixels { layer, size, rect };
        self.changes.extend(dirty.iter().map(change));
    }

    pub(super) fn paint(&self, class: u8) -> Paint {
        let ink = if class == UNLABELED {
            Ink::Erase
        } else {
            Ink::Class(class)
        };
        let mut over = self.unlocked();
        if self.only_unlabeled {
            over = PaintOver::only([UNLABELED]);
        }
        Paint { ink, over }
    }

    /// All classes that are not locked, and unlabeled ground.
    pub(super) fn unlocked(&self) -> PaintOver {
        let locked = self.palette.locked.iter();
        locked.fold(PaintOver::everything(), |over, &class| over.without(class))
    }

    const fn brush(&self) -> Brush {
        match self.brush_shape {
            BrushShape::Round => Brush::round(self.brush_diameter),
            BrushShape::Square => Brush::square(self.brush_diameter),
        }
    }
}
