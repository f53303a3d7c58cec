use std::path::PathBuf;

use super::drawing_in::is_vector_file;
use super::jobs::Report;
use super::keeping::Work;
use super::operations::Operated;
use super::state::{LayerId, Session};
use super::{CommandError, ImportCommand, LayerKind, Notice};
use crate::exchange::{ImageGround, MaskAudit, audit_mask, load_mask_as};
use crate::job::JobContext;
use crate::label::{ClassTable, Edit, EditKind, Mask, MaskDecisions, Origin, align_classes};

/// A mask file that leaves questions open, until somebody answers or gives it up.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The file.
    pub path: PathBuf,
    /// What was found in it, and what is asked.
    pub audit: MaskAudit,
}

/// A mask that was read as decided, brought to the label's classes.
pub(super) struct Imported {
    operated: Operated,
    classes: ClassTable,
    notes: Vec<String>,
}

/// A label with what was imported in it.
pub(super) struct Drawn {
    pub mask: Mask,
    pub classes: ClassTable,
    /// What the person should know.
    pub notes: Vec<String>,
}

impl Session {
    /// The mask file that waits for answers.
    pub const fn examined(&self) -> Option<&Examined> {
        self.examined.as_ref()
    }

    /// What was decided about the mask file before, to be suggested for the next.
    pub const fn decided_before(&self) -> Option<MaskDecisions> {
        self.decisions
    }

    pub(super) fn apply_import(&mut self, command: ImportCommand) -> Result<(), CommandError> {
        match command {
            ImportCommand::Examine { path } => self.examine_mask(path),
            ImportCommand::Take { path, decisions } => self.import_mask(path, decisions),
            ImportCommand::Draw {
                attribute,
                line_width,
            } => self.draw_vectors(attribute, line_width),
            ImportCommand::Overlay(command) => self.apply_overlay(command),
            ImportCommand::Leave => {
                self.examined = None;
                self.vectors = None;
                Ok(())
            }
        }
    }

    /// Looks at a mask file: one that is plainly understood is opened as the label, any other waits
    /// for answers.
    fn examine_mask(&mut self, path: PathBuf) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.refuse_when_read_only()?;
        let ground = self.image_ground()?;
        if is_vector_file(&path) {
            return self.examine_vectors(path);
        }
        self.start_job(format!("Examining {}", path.display()), move |job| {
            let audit = audit_mask(&path, &ground, None)?;
            job.tell(Report::Examined(Box::new(Examined { path, audit })))?;
            Ok(())
        });
        Ok(())
    }

    pub(super) fn mask_examined(&mut self, examined: Examined) {
        let is_plain = examined.audit.open_questions().is_empty() && examined.audit.is_aligned();
        if !is_plain {
            self.examined = Some(examined);
        } else if let Err(error) = self.open_mask(LayerKind::Label, examined.path) {
            self.notify(Notice::error(error.to_string()));
        }
    }

    /// Takes a mask file over as decided, as one undo step; its own file is never written.
    fn import_mask(&mut self, path: PathBuf, decisions: MaskDecisions) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.ready_label()?;
        let ground = self.image_ground()?;
        let is_empty = self.areas()[..255].iter().all(|&pixels| pixels == 0);
        let ours = self.classes().clone();
        self.examined = None;
        self.remember_decisions(decisions);
        self.start_import(format!("Importing {}", path.display()), move |_, job| {
            let loaded = load_mask_as(&path, &ground, None, decisions)?;
            job.check()?;
            let (mask, classes) = if is_empty {
                (loaded.mask, loaded.classes)
            } else {
                let (classes, map) = align_classes(&ours, &loaded.classes)?;
                (loaded.mask.recoded(&map), classes)
            };
            Ok(Drawn {
                mask,
                classes,
                notes: loaded.notes,
            })
        })
    }

    /// Makes what `work` makes of the label the label, as one undo step that imports; painting
    /// waits meanwhile.
    pub(super) fn start_import(
        &mut self,
        title: String,
        work: impl FnOnce(&Mask, &JobContext<Report>) -> anyhow::Result<Drawn> + Send + 'static,
    ) -> Result<(), CommandError> {
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        let origins = self.origins.as_ref().ok_or(CommandError::NoLabel)?;
        let (id, before) = (label.id, label.mask.clone());
        let mut origins = origins.mask.clone();
        let job = self.start_job(title, move |job| {
            let Drawn {
                mask,
                classes,
                notes,
            } = work(&before, job)?;
            let edit = Edit::between(&before, &mask, EditKind::Import);
            let edit = edit.map(|edit| edit.with_origin(&mut origins, Origin::IMPORTED));
            let imported = Imported {
                operated: Operated {
                    mask,
                    origins,
                    edit,
                },
                classes,
                notes,
            };
            job.tell(Report::Imported(id, Box::new(imported)))?;
            Ok(())
        });
        self.doing.operation = Some(job);
        Ok(())
    }

    pub(super) fn mask_imported(&mut self, label: LayerId, imported: Imported) {
        if self.kind_of(label) != Some(LayerKind::Label) {
            return;
        }
        if imported.classes.get(self.palette.active).is_some() {
            self.palette.table = imported.classes;
        } else {
            self.set_classes(imported.classes);
        }
        self.keep_classes();
        self.operated(label, imported.operated);
        for note in imported.notes {
            self.notify(Notice::warning(note));
        }
    }

    fn remember_decisions(&mut self, decisions: MaskDecisions) {
        self.decisions = Some(decisions);
        if let Some(keeper) = &mut self.keeper
            && !keeper.is_read_only
            && keeper.knows_image
        {
            keeper.give(Work::Decisions(decisions));
        }
    }

    fn image_ground(&self) -> Result<ImageGround, CommandError> {
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        Ok(ImageGround {
            size: image.size(),
            georef: image.georef().cloned(),
        })
    }
}
