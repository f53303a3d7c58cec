use std::path::PathBuf;

use super::images::EntryStatus;
use super::jobs::Report;
use super::state::{Layer, LayerId, Session};
use super::{Change, CommandError, LayerKind, Notice};
use crate::geom::ImageSize;
use crate::label::{Edit, Encoding, LoadedMask, Mask, MaskLevels, UNLABELED, load_mask};

const LABEL_OPACITY: f32 = 0.5;

/// A shown, empty-handed layer.
pub(super) const fn new_label(number: u64, mask: Mask) -> Layer {
    Layer {
        id: LayerId(number),
        mask,
        path: None,
        is_visible: true,
        opacity: LABEL_OPACITY,
        is_loading: false,
        broken: None,
    }
}

/// Pixels of each class of the label, kept up to date edit by edit; counting them anew takes too
/// long for a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Areas(pub [u64; 256]);

/// A mask that was read, with what is derived from all its pixels.
pub(super) struct ReadMask {
    pub loaded: LoadedMask,
    pub areas: Areas,
    pub levels: MaskLevels,
}

impl Areas {
    pub fn unlabeled(size: ImageSize) -> Self {
        let mut areas = [0; 256];
        areas[usize::from(UNLABELED)] = size.num_pixels();
        Self(areas)
    }
}

impl Session {
    /// Pixels of each class of the label as of the last finished stroke; 255 is unlabeled ground.
    pub const fn areas(&self) -> &[u64; 256] {
        &self.areas.0
    }

    pub(super) fn count_areas(&mut self, edit: &Edit) {
        for change in edit.changes() {
            self.areas.0[usize::from(change.from)] -= change.pixels;
            self.areas.0[usize::from(change.to)] += change.pixels;
        }
    }

    pub(super) fn open_mask(&mut self, kind: LayerKind, path: PathBuf) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        if kind == LayerKind::Label {
            self.refuse_with_unsaved_work()?;
        }
        let size = self.image.as_ref().ok_or(CommandError::NoImage)?.size();
        let mut layer = new_label(self.next_number(), Mask::new(size));
        let id = layer.id;
        layer.is_loading = true;
        layer.path = Some(path.clone());
        self.replace_layer(kind, Some(layer));
        self.start_job(format!("Reading {}", path.display()), move |job| {
            let loaded = load_mask(&path, Some(size), Encoding::Auto, None);
            job.tell(match loaded {
                Ok(loaded) => {
                    let areas = Areas(loaded.mask.histogram());
                    let mut levels = MaskLevels::new(loaded.mask.size());
                    let root = levels.shape().root();
                    levels.tile(&loaded.mask, root);
                    Report::MaskLoaded(
                        id,
                        Box::new(ReadMask {
                            loaded,
                            areas,
                            levels,
                        }),
                    )
                }
                Err(error) => Report::MaskRefused(id, error.to_string()),
            })?;
            Ok(())
        });
        Ok(())
    }

    pub(super) fn mask_loaded(&mut self, id: LayerId, read: ReadMask) {
        let ReadMask {
            loaded,
            areas,
            levels,
        } = read;
        // Another file may have been opened in the meantime.
        let Some(kind) = self.kind_of(id) else { return };
        if let Some(layer) = self.layer_mut(kind) {
            layer.mask = loaded.mask;
            layer.is_loading = false;
        }
        if kind == LayerKind::Label {
            self.areas = areas;
            self.set_classes(loaded.classes);
        }
        for note in loaded.notes {
            self.notify(Notice::warning(note));
        }
        let levels = Box::new(levels);
        self.changes.push(Change::MaskLoaded { layer: id, levels });
    }

    pub(super) fn mask_refused(&mut self, id: LayerId, why: String) {
        let Some(kind) = self.kind_of(id) else { return };
        self.notify(Notice::error(why.clone()));
        match kind {
            LayerKind::Prediction => self.replace_layer(kind, None),
            LayerKind::Label => {
                if let Some(layer) = self.layer_mut(kind) {
                    layer.is_loading = false;
                    layer.broken = Some(why);
                }
            }
        }
    }

    /// Puts another layer in place; scores of the old ones are gone, and the history of a replaced label
    /// goes with it.
    pub(super) fn replace_layer(&mut self, kind: LayerKind, layer: Option<Layer>) {
        let place = match kind {
            LayerKind::Label => &mut self.label,
            LayerKind::Prediction => &mut self.prediction,
        };
        if let Some(old) = std::mem::replace(place, layer) {
            self.changes.push(Change::SourceGone(old.id.0));
        }
        self.scores = None;
        if kind == LayerKind::Label {
            let size = self.label.as_ref().map(|label| label.mask.size());
            self.areas = Areas::unlabeled(size.unwrap_or_default());
            self.history.clear();
            self.saved = self.history.mark();
        }
    }

    pub(super) fn close_layers(&mut self) {
        self.replace_layer(LayerKind::Label, None);
        self.replace_layer(LayerKind::Prediction, None);
    }

    pub(super) fn show_layer(
        &mut self,
        kind: LayerKind,
        is_visible: bool,
    ) -> Result<(), CommandError> {
        self.some_layer(kind)?.is_visible = is_visible;
        Ok(())
    }

    pub(super) fn set_opacity(
        &mut self,
        kind: LayerKind,
        opacity: f32,
    ) -> Result<(), CommandError> {
        self.some_layer(kind)?.opacity = opacity.clamp(0.0, 1.0);
        Ok(())
    }

    pub(super) fn mark_in_work(&mut self) {
        if let Some(entry) = self.current_entry()
            && entry.status == EntryStatus::New
        {
            entry.status = EntryStatus::InWork;
        }
    }

    pub(super) fn layer_mut(&mut self, kind: LayerKind) -> Option<&mut Layer> {
        match kind {
            LayerKind::Label => self.label.as_mut(),
            LayerKind::Prediction => self.prediction.as_mut(),
        }
    }

    fn some_layer(&mut self, kind: LayerKind) -> Result<&mut Layer, CommandError> {
        let missing = match kind {
            LayerKind::Label => CommandError::NoLabel,
            LayerKind::Prediction => CommandError::NoPrediction,
        };
        self.layer_mut(kind).ok_or(missing)
    }

    pub(super) fn kind_of(&self, id: LayerId) -> Option<LayerKind> {
        [LayerKind::Label, LayerKind::Prediction]
            .into_iter()
            .find(|&kind| self.layer(kind).is_some_and(|layer| layer.id == id))
    }
}
