use std::path::PathBuf;

use super::images::EntryStatus;
use super::jobs::Report;
use super::keeping::{Companion, ReadLabel, ReadMask};
use super::kept_places::KeptPlace;
use super::state::{Layer, LayerId, OpenImage, Session};
use super::{Change, CommandError, LayerKind, Notice};
use crate::geom::ImageSize;
use crate::label::{ClassChange, Edit, Mask, UNLABELED};
use crate::train::Certainty;

const LABEL_OPACITY: f32 = 0.5;

/// What is said where a layer is needed that is not there.
pub(super) const fn missing(kind: LayerKind) -> CommandError {
    match kind {
        LayerKind::Label | LayerKind::Origins | LayerKind::Preview => CommandError::NoLabel,
        LayerKind::Prediction
        | LayerKind::Certainty(_)
        | LayerKind::Kept(_)
        | LayerKind::Replaced => CommandError::NoPrediction,
    }
}

/// A shown layer without a file.
pub(super) const fn new_layer(number: u64, mask: Mask) -> Layer {
    Layer {
        id: LayerId(number),
        mask,
        path: None,
        is_visible: true,
        opacity: LABEL_OPACITY,
        is_loading: false,
        broken: None,
        source: None,
    }
}

/// Pixels of each class of the label, kept up to date edit by edit; counting them anew takes too
/// long for a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Areas(pub [u64; 256]);

impl Areas {
    pub fn unlabeled(size: ImageSize) -> Self {
        let mut areas = [0; 256];
        areas[usize::from(UNLABELED)] = size.num_pixels();
        Self(areas)
    }

    fn count(&mut self, changes: &[ClassChange]) {
        for change in changes {
            self.0[usize::from(change.from)] -= change.pixels;
            self.0[usize::from(change.to)] += change.pixels;
        }
    }
}

impl Session {
    /// Pixels of each class of the label as of the last finished stroke; 255 is unlabeled ground.
    pub const fn areas(&self) -> &[u64; 256] {
        &self.areas.0
    }

    /// Pixels of each origin as of the last finished stroke; 255 is unlabeled ground.
    pub const fn origin_areas(&self) -> &[u64; 256] {
        &self.origin_areas.0
    }

    pub(super) fn count_areas(&mut self, edit: &Edit) {
        self.areas.count(&edit.changes());
        self.origin_areas.count(&edit.origin_changes());
    }

    pub(super) fn open_mask(&mut self, kind: LayerKind, path: PathBuf) -> Result<(), CommandError> {
        let file = Companion {
            path,
            classes: None,
            is_guess: false,
        };
        self.read_mask(kind, file)
    }

    fn read_mask(&mut self, kind: LayerKind, file: Companion) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        if kind == LayerKind::Label {
            self.refuse_when_read_only()?;
            self.refuse_with_unsaved_work()?;
        }
        let size = self.image.as_ref().ok_or(CommandError::NoImage)?.size();
        let mut layer = new_layer(self.next_number(), Mask::new(size));
        let id = layer.id;
        layer.is_loading = true;
        layer.path = Some(file.path.clone());
        self.replace_layer(kind, Some(layer));
        self.start_job(format!("Reading {}", file.path.display()), move |job| {
            job.tell(match file.read(size) {
                ReadLabel::File(read) => Report::MaskLoaded(id, Box::new(read)),
                other => Report::LabelRead(id, Box::new(other)),
            })?;
            Ok(())
        });
        Ok(())
    }

    pub(super) fn mask_loaded(&mut self, id: LayerId, read: ReadMask) {
        // Another file may have been opened in the meantime.
        let Some(kind) = self.kind_of(id) else { return };
        if let Some(layer) = self.layer_mut(kind) {
            layer.mask = read.mask;
            layer.is_loading = false;
        }
        self.note_source(kind, read.source);
        if kind == LayerKind::Label {
            self.replace_origins(Some(read.origins));
            self.areas = read.areas;
            self.origin_areas = read.origin_areas;
            if let Some(classes) = read.classes {
                self.set_classes(classes);
            }
        }
        for note in read.notes {
            if self.list.as_mut().is_none_or(|list| list.is_news(&note)) {
                self.notify(Notice::warning(note));
            }
        }
        let levels = Box::new(read.levels);
        self.changes.push(Change::MaskLoaded { layer: id, levels });
    }

    /// A mask that the person opened is there.
    pub(super) fn opened_mask_loaded(&mut self, id: LayerId, read: ReadMask) {
        self.mask_loaded(id, read);
        if self.kind_of(id) == Some(LayerKind::Label) {
            self.keep_replaced_label();
        }
    }

    /// Begins to read the label of an image that was just opened.
    pub(super) fn open_label(&mut self, companion: Option<Companion>) {
        let Some(size) = self.image.as_ref().map(OpenImage::size) else {
            return;
        };
        if self.keeper.is_some() {
            let mut layer = new_layer(self.next_number(), Mask::new(size));
            let id = layer.id;
            layer.is_loading = true;
            // A label that was kept beside a wrong guess must not be saved over it.
            let known = companion.as_ref().filter(|companion| !companion.is_guess);
            layer.path = known.map(|companion| companion.path.clone());
            self.replace_layer(LayerKind::Label, Some(layer));
            self.load_kept(id, companion);
        } else if let Some(companion) = companion
            && let Err(error) = self.read_mask(LayerKind::Label, companion)
        {
            self.notify(Notice::error(error.to_string()));
        }
    }

    pub(super) fn mask_refused(&mut self, id: LayerId, why: String) {
        let Some(kind) = self.kind_of(id) else { return };
        self.notify(Notice::error(why.clone()));
        match kind {
            LayerKind::Prediction
            | LayerKind::Origins
            | LayerKind::Certainty(_)
            | LayerKind::Kept(_)
            | LayerKind::Replaced
            | LayerKind::Preview => {
                self.replace_layer(kind, None);
            }
            LayerKind::Label => {
                if let Some(layer) = self.layer_mut(kind) {
                    layer.is_loading = false;
                    layer.broken = Some(why);
                }
            }
        }
    }

    /// Puts another layer in place; the history and the origins of a replaced label go with it.
    pub(super) fn replace_layer(&mut self, kind: LayerKind, layer: Option<Layer>) {
        self.put_layer(kind, layer);
        self.review = None;
        self.drop_preview();
        if kind == LayerKind::Prediction {
            self.drop_measures();
            self.put_layer(LayerKind::Replaced, None);
        }
        if kind == LayerKind::Label {
            let size = self.label.as_ref().map(|label| label.mask.size());
            self.replace_origins(size.map(Mask::new));
            self.areas = Areas::unlabeled(size.unwrap_or_default());
            self.origin_areas = self.areas.clone();
            self.history.clear();
            self.oldest = self.history.base();
            self.saved = self.history.mark();
        }
    }

    pub(super) fn put_layer(&mut self, kind: LayerKind, layer: Option<Layer>) {
        if let Some(old) = std::mem::replace(self.place_of(kind), layer) {
            self.changes.push(Change::SourceGone(old.id.0));
        }
    }

    const fn place_of(&mut self, kind: LayerKind) -> &mut Option<Layer> {
        match kind {
            LayerKind::Label => &mut self.label,
            LayerKind::Prediction => &mut self.prediction,
            LayerKind::Origins => &mut self.origins,
            LayerKind::Certainty(measure) => &mut self.certainty[measure as usize],
            LayerKind::Preview => &mut self.preview_layer,
            LayerKind::Kept(place) => self.predicting.kept.layer_mut(place),
            LayerKind::Replaced => &mut self.predicting.makers.replaced,
        }
    }

    pub(super) fn close_layers(&mut self) {
        self.forget_makers();
        self.study.finetune.view = None;
        self.replace_layer(LayerKind::Label, None);
        self.replace_layer(LayerKind::Prediction, None);
        self.drop_all_kept();
    }

    pub(super) fn show_layer(
        &mut self,
        kind: LayerKind,
        is_visible: bool,
    ) -> Result<(), CommandError> {
        for layer in self.shown_alike(kind)? {
            layer.is_visible = is_visible;
        }
        Ok(())
    }

    pub(super) fn set_opacity(
        &mut self,
        kind: LayerKind,
        opacity: f32,
    ) -> Result<(), CommandError> {
        for layer in self.shown_alike(kind)? {
            layer.opacity = opacity.clamp(0.0, 1.0);
        }
        Ok(())
    }

    pub(super) fn mark_in_work(&mut self) {
        if let Some(entry) = self.current_entry()
            && entry.status == EntryStatus::New
        {
            entry.status = EntryStatus::InWork;
            self.keep_entry();
        }
    }

    pub(super) const fn layer_mut(&mut self, kind: LayerKind) -> Option<&mut Layer> {
        self.place_of(kind).as_mut()
    }

    /// A layer, with those that always look as it does: all measures of how sure the prediction is.
    fn shown_alike(
        &mut self,
        kind: LayerKind,
    ) -> Result<impl Iterator<Item = &mut Layer>, CommandError> {
        self.layer(kind).ok_or_else(|| missing(kind))?;
        let places = match kind {
            LayerKind::Certainty(_) => self.certainty.as_mut_slice(),
            _ => std::slice::from_mut(self.place_of(kind)),
        };
        Ok(places.iter_mut().flatten())
    }

    pub(super) fn kind_of(&self, id: LayerId) -> Option<LayerKind> {
        let kept = KeptPlace::ALL.map(LayerKind::Kept);
        let kinds = [LayerKind::Label, LayerKind::Prediction, LayerKind::Origins].into_iter();
        let kinds = kinds.chain(Certainty::ALL.map(LayerKind::Certainty));
        kinds
            .chain(kept)
            .find(|&kind| self.layer(kind).is_some_and(|layer| layer.id == id))
    }
}
