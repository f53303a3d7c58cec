use std::path::{Path, PathBuf};

use super::jobs::Report;
use super::labels::missing;
use super::state::{Layer, LayerId, Session};
use super::{Change, Command, CommandError, LayerKind, Notice};
use crate::exchange::find_table;
use crate::geom::Georef;
use crate::label::{
    ClassTable, IndexTiff, Mask, MaskError, SaveAs, StateMark, save_index_tiff, save_mask,
    save_mask_over,
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
    /// The pixels, where no state tells whether the layer still has them.
    pub pixels: Option<Mask>,
    /// What the person should know.
    pub notes: Vec<String>,
}

/// A mask on its way to a file.
pub(super) struct MaskToWrite<'a> {
    pub mask: &'a Mask,
    pub classes: &'a ClassTable,
    pub georef: Option<&'a Georef>,
    /// Whether the file that is there is the mask's own, so that it keeps its encoding.
    pub is_own: bool,
    /// The classes of all masks, where the data set says them.
    pub known: Option<&'a ClassTable>,
}

impl MaskToWrite<'_> {
    /// Writes it with its class table beside it, and says what the person should know.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<Vec<String>> {
        let (mask, classes, georef) = (self.mask, self.classes, self.georef);
        let notes = if self.is_own && path.is_file() {
            // A list that cannot be read is no reason to lose work.
            let known = find_table(path, self.known).ok().flatten();
            let known = known.map(|found| found.classes);
            save_mask_over(path, mask, classes, georef, known.as_ref())?
        } else {
            let format = SaveAs::of_path(path);
            let format = format.ok_or_else(|| CommandError::UnknownFormat(path.to_owned()))?;
            save_mask(path, mask, classes, georef, format)?;
            Vec::new()
        };
        classes.save(&path.with_extension("classes.toml"))?;
        Ok(notes)
    }
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
        let layer = self.layer_to_save(kind)?;
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
            LayerKind::Certainty(_) => ClassTable::default(),
            _ => self.classes().clone(),
        };
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let georef = image.georef().cloned();
        let is_own = kind == LayerKind::Label && self.is_file_of_label(&path);
        let mut saved = SavedLayer {
            layer: Some(id),
            label_of: (kind == LayerKind::Label).then(|| image.path.clone()),
            path,
            state: self.history.mark(),
            pixels: (kind == LayerKind::Prediction).then(|| mask.clone()),
            notes: Vec::new(),
        };
        let known = self.list.as_ref().and_then(|list| list.classes.clone());
        let meaning = self.meaning_of(kind);
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
                let mask = MaskToWrite {
                    mask: &mask,
                    classes: &classes,
                    georef: georef.as_ref(),
                    is_own,
                    known: known.as_deref(),
                };
                saved.notes = mask.write(path)?;
            }
            job.tell(Report::Saved(saved))?;
            Ok(())
        });
        Ok(())
    }

    fn layer_to_save(&self, kind: LayerKind) -> Result<&Layer, CommandError> {
        let kind = match kind {
            LayerKind::Preview => LayerKind::Label,
            kind => kind,
        };
        self.layer(kind).ok_or(missing(kind))
    }

    /// Whether the label was read from this file or saved to it, so that it stays what it is.
    fn is_file_of_label(&self, path: &Path) -> bool {
        let own = self.label.as_ref().and_then(|label| label.path.as_deref());
        own == Some(path)
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
            pixels,
            notes,
        } = saved;
        for note in notes {
            self.notify(Notice::warning(format!("{note}: {}", path.display())));
        }
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
            let is_as_written = pixels.is_none_or(|pixels| pixels == layer.mask);
            layer.path = is_as_written.then_some(path);
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
