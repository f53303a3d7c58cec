use std::path::{Path, PathBuf};

use super::jobs::Report;
use super::state::{LayerId, Session};
use super::{Change, Command, CommandError, LayerKind, Notice};
use crate::label::{
    ClassTable, IndexTiff, MaskError, SaveAs, StateMark, save_index_tiff, save_mask,
};

/// A layer that was written to a file.
pub(super) struct SavedLayer {
    /// `None`: of an image that was not open.
    pub layer: Option<LayerId>,
    /// The image whose label it is, if it is a label.
    pub label_of: Option<PathBuf>,
    pub path: PathBuf,
    /// The state that it was in.
    pub state: StateMark,
}

impl Session {
    pub(super) fn save_label(&mut self) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        if label.is_loading {
            return Err(CommandError::LabelLoading);
        }
        if label.broken.is_some() {
            return Err(CommandError::LabelNotWhole);
        }
        let path = label.path.clone().or_else(|| self.default_label_path());
        self.save_as(LayerKind::Label, path.ok_or(CommandError::NoLabelFile)?)
    }

    /// Saves the label first; `next` is applied when that has worked.
    pub(super) fn save_then(&mut self, next: Command) -> Result<(), CommandError> {
        self.save_label()?;
        self.after_saving = Some(next);
        Ok(())
    }

    pub(super) fn discard_strokes(&mut self) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.saved = self.history.mark();
        Ok(())
    }

    pub(super) fn save_as(&mut self, kind: LayerKind, path: PathBuf) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        let format =
            SaveAs::of_path(&path).ok_or_else(|| CommandError::UnknownFormat(path.clone()))?;
        let layer = match kind {
            LayerKind::Label | LayerKind::Preview => {
                self.label.as_ref().ok_or(CommandError::NoLabel)?
            }
            LayerKind::Prediction => self.prediction.as_ref().ok_or(CommandError::NoPrediction)?,
            LayerKind::Origins => self.origins.as_ref().ok_or(CommandError::NoLabel)?,
            LayerKind::Certainty => self.certainty.as_ref().ok_or(CommandError::NoPrediction)?,
            LayerKind::Kept => {
                let kept = self.predicting.contest.layer.as_ref();
                kept.ok_or(CommandError::NoPrediction)?
            }
        };
        if layer.is_loading {
            return Err(CommandError::LabelLoading);
        }
        if kind == LayerKind::Label && self.is_file_needed() {
            self.save_later = Some(Command::SaveAs { layer: kind, path });
            return Ok(());
        }
        let (id, mask) = (layer.id, layer.mask.clone());
        let classes = match kind {
            LayerKind::Origins => self.origins(),
            LayerKind::Certainty => ClassTable::default(),
            _ => self.classes().clone(),
        };
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let georef = image.georef().cloned();
        let saved = SavedLayer {
            layer: Some(id),
            label_of: (kind == LayerKind::Label).then(|| image.path.clone()),
            path,
            state: self.history.mark(),
        };
        let meaning = (kind == LayerKind::Certainty).then(|| self.shown_meaning());
        self.start_job(format!("Saving {}", saved.path.display()), move |job| {
            let path = &saved.path;
            if let (Some(meaning), SaveAs::GeoTiff) = (&meaning, format) {
                let file = IndexTiff {
                    size: mask.size(),
                    classes: None,
                    georef: georef.as_ref(),
                    meaning: Some(meaning),
                };
                save_index_tiff(path, &file, |rect| Ok::<_, MaskError>(mask.read_rect(rect)))?;
            } else {
                save_mask(path, &mask, &classes, georef.as_ref(), format)?;
                classes.save(&path.with_extension("classes.toml"))?;
            }
            job.tell(Report::Saved(saved))?;
            Ok(())
        });
        Ok(())
    }

    pub(super) fn layer_saved(&mut self, saved: SavedLayer) {
        let name = saved.path.display().to_string();
        let kind = saved.layer.and_then(|id| self.kind_of(id));
        if !self.note_saved(saved) {
            return;
        }
        self.notify(Notice::info(format!("Saved {name}")));
        if kind == Some(LayerKind::Label)
            && let Some(next) = self.after_saving.take()
            && let Err(error) = self.apply(next)
        {
            self.notify(Notice::error(error.to_string()));
        }
    }

    /// Notes what a file has now; `false` for a layer that is not shown any more and was no label.
    pub(super) fn note_saved(&mut self, saved: SavedLayer) -> bool {
        let SavedLayer {
            layer,
            label_of,
            path,
            state,
        } = saved;
        let shown = layer.and_then(|id| Some((id, self.kind_of(id)?)));
        match (shown, label_of) {
            (Some((id, LayerKind::Label)), _) => {
                self.saved = state;
                self.keep_saved(id, &path, state);
                self.changes.push(Change::LabelSaved(id));
            }
            (None, Some(image)) => self.left_label_saved(&image, &path, state),
            (None, None) => return false,
            (Some(_), _) => {}
        }
        if let Some(layer) = shown.and_then(|(_, kind)| self.layer_mut(kind)) {
            layer.path = Some(path);
            layer.broken = None;
        }
        true
    }

    /// Where the label of the open image goes when nobody says: `STEM_label.tif` beside it.
    pub fn default_label_path(&self) -> Option<PathBuf> {
        Some(label_file_of(&self.image.as_ref()?.path))
    }

    /// A path beside the open image: its stem and `ending`.
    pub fn beside_image(&self, ending: &str) -> Option<PathBuf> {
        Some(beside(&self.image.as_ref()?.path, ending))
    }
}

/// Where the label of an image goes when nobody says.
pub(super) fn label_file_of(image: &Path) -> PathBuf {
    beside(image, "_label.tif")
}

/// Whether a file is taken for the label of an image for the end of its name alone, and is not the
/// one that Save writes, which must never be replaced unasked.
pub(super) fn is_guessed_label(image: &Path, label: &Path) -> bool {
    image.parent() == label.parent() && label != label_file_of(image)
}

fn beside(image: &Path, ending: &str) -> PathBuf {
    let stem = image.file_stem().unwrap_or_default().to_string_lossy();
    image.with_file_name(format!("{stem}{ending}"))
}
