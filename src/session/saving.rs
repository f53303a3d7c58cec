use std::path::{Path, PathBuf};

use super::jobs::Report;
use super::state::{LayerId, Session};
use super::{Change, Command, CommandError, LayerKind, Notice};
use crate::label::{
    ClassTable, IndexTiff, MaskError, SaveAs, StateMark, save_index_tiff, save_mask,
};

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
            self.save_later = Some((kind, path));
            return Ok(());
        }
        let (id, mask) = (layer.id, layer.mask.clone());
        let classes = match kind {
            LayerKind::Origins => self.origins(),
            LayerKind::Certainty => ClassTable::default(),
            _ => self.classes().clone(),
        };
        let georef = self
            .image
            .as_ref()
            .and_then(|image| image.georef().cloned());
        let state = self.history.mark();
        let meaning = (kind == LayerKind::Certainty).then(|| self.shown_meaning());
        self.start_job(format!("Saving {}", path.display()), move |job| {
            if let (Some(meaning), SaveAs::GeoTiff) = (&meaning, format) {
                let file = IndexTiff {
                    size: mask.size(),
                    classes: None,
                    georef: georef.as_ref(),
                    meaning: Some(meaning),
                };
                save_index_tiff(&path, &file, |rect| {
                    Ok::<_, MaskError>(mask.read_rect(rect))
                })?;
            } else {
                save_mask(&path, &mask, &classes, georef.as_ref(), format)?;
                classes.save(&path.with_extension("classes.toml"))?;
            }
            job.tell(Report::Saved {
                layer: id,
                path,
                state,
            })?;
            Ok(())
        });
        Ok(())
    }

    pub(super) fn layer_saved(&mut self, id: LayerId, path: PathBuf, state: StateMark) {
        let Some(kind) = self.kind_of(id) else { return };
        let name = path.display().to_string();
        if let Some(layer) = self.layer_mut(kind) {
            layer.path = Some(path);
            layer.broken = None;
        }
        if kind == LayerKind::Label {
            self.saved = state;
            self.keep_saved(id, Path::new(&name), state);
            self.changes.push(Change::LabelSaved(id));
        }
        self.notify(Notice::info(format!("Saved {name}")));
        if kind == LayerKind::Label
            && let Some(next) = self.after_saving.take()
            && let Err(error) = self.apply(next)
        {
            self.notify(Notice::error(error.to_string()));
        }
    }

    /// Where the label of the open image goes when nobody says: `STEM_label.tif` beside it.
    pub fn default_label_path(&self) -> Option<PathBuf> {
        self.beside_image("_label.tif")
    }

    /// A path beside the open image: its stem and `ending`.
    pub fn beside_image(&self, ending: &str) -> Option<PathBuf> {
        let image = &self.image.as_ref()?.path;
        let stem = image.file_stem()?.to_string_lossy();
        Some(image.with_file_name(format!("{stem}{ending}")))
    }
}
