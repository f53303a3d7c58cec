use std::path::{Path, PathBuf};

use super::jobs::Report;
use super::keeping::{ReadMask, absolute};
use super::labels::new_layer;
use super::state::Session;
use super::{CommandError, LayerKind, Notice, ProjectCommand, Safety};
use crate::exchange::{RegistryFrame, write_registry};
use crate::geom::ImageSize;
use crate::label::{ClassTable, Encoding, Mask, align_classes, count_of, load_mask};
use crate::metrics::{Confusion, Kappa};
use crate::project::{Project, TheirLabel, pack};

impl Session {
    pub(super) fn apply_project(&mut self, command: ProjectCommand) -> Result<(), CommandError> {
        match command {
            ProjectCommand::ExportHistory { path } => self.export_history(path),
            ProjectCommand::OpenTheirs { path } => self.open_theirs(path),
            ProjectCommand::Pack { folder } => self.pack_project(folder),
            ProjectCommand::SaveAllLabels => self.save_all_labels(),
        }
    }

    /// The project file with all strokes in it.
    fn whole_project(&self) -> Result<PathBuf, CommandError> {
        match self.safety() {
            Safety::Kept(path) if path.exists() => Ok(path),
            Safety::Writing => Err(CommandError::Refused(
                "Strokes are on their way to the disk; try again in a moment".to_owned(),
            )),
            _ => Err(CommandError::Refused(
                "There is no project file yet; it is made with the first stroke".to_owned(),
            )),
        }
    }

    fn export_history(&mut self, out: PathBuf) -> Result<(), CommandError> {
        let project = self.whole_project()?;
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let (path, georef) = (absolute(&image.path), image.georef().cloned());
        let classes = self.classes().clone();
        self.start_job(format!("Exporting {}", out.display()), move |job| {
            let project = Project::open_read_only(&project)?;
            let Some(layer) = project.layer_key(&path)? else {
                anyhow::bail!("Nothing was kept of this image's label yet");
            };
            let frame = RegistryFrame {
                classes: &classes,
                georef: georef.as_ref(),
            };
            let steps = |visit: &mut crate::label::VisitStep<'_>| project.visit_steps(layer, visit);
            let count = write_registry(&out, frame, steps)?;
            let changes = count_of(count as usize, "change");
            let told = format!("Exported {changes}: {}", out.display());
            job.tell(Report::Note(Notice::info(told)))?;
            Ok(())
        });
        Ok(())
    }

    /// Shows another's label of the open image where predictions are shown, so that differences
    /// can be walked through and taken over; says how well both agree.
    fn open_theirs(&mut self, path: PathBuf) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let (image, size) = (absolute(&image.path), image.size());
        let ours = self
            .label
            .as_ref()
            .ok_or(CommandError::NoLabel)?
            .mask
            .clone();
        let table = self.classes().clone();
        let mut layer = new_layer(self.next_number(), Mask::new(size));
        let id = layer.id;
        layer.is_loading = true;
        layer.path = Some(path.clone());
        self.prediction_state.run = None;
        self.replace_layer(LayerKind::Prediction, Some(layer));
        self.start_job(format!("Reading {}", path.display()), move |job| {
            let (theirs, classes) = their_mask(&path, &image, size, &table)?;
            let counts = Confusion::between(&ours, &theirs, 255);
            let kappa = Kappa::new(&counts, &classes);
            let agreed = 100.0 * kappa.observed.unwrap_or_default();
            let told = match kappa.kappa {
                Some(kappa) => format!(
                    "Both labels agree on {agreed:.1} % of the pixels that both have (Cohen's \
                     kappa {kappa:.3}). J walks through the differences"
                ),
                None => "The labels share no ground that both have labeled".to_owned(),
            };
            job.tell(Report::MaskLoaded(id, Box::new(ReadMask::imported(theirs))))?;
            job.tell(Report::Note(Notice::info(told)))?;
            Ok(())
        });
        Ok(())
    }

    fn pack_project(&mut self, folder: PathBuf) -> Result<(), CommandError> {
        let project = self.whole_project()?;
        self.start_job(format!("Packing into {}", folder.display()), move |job| {
            let mut last = 0;
            let mut progress = |done: crate::project::PackProgress| {
                let share = done.done_bytes as f64 / done.total_bytes.max(1) as f64;
                super::jobs::tell_progress(job, &mut last, share);
            };
            let packed = pack(&project, &folder, &mut progress, &|| job.check().is_err())?;
            for missing in &packed.missing {
                let told = format!("Not packed, since it is not there: {}", missing.display());
                job.tell(Report::Note(Notice::warning(told)))?;
            }
            let files = count_of(packed.files, "file");
            let told = format!("Packed {files}: {}", folder.display());
            job.tell(Report::Note(Notice::info(told)))?;
            Ok(())
        });
        Ok(())
    }
}

/// Another's label of an image with its classes brought to ours, and the table of both.
///
/// # Errors
/// When the project has no label of the image, or it cannot be read.
pub fn their_mask(
    project: &Path,
    image: &Path,
    size: ImageSize,
    ours: &ClassTable,
) -> anyhow::Result<(Mask, ClassTable)> {
    let project = Project::open_read_only(project)?;
    let Some(theirs) = project.label_elsewhere(image, size)? else {
        anyhow::bail!(
            "The project has no label of an image of this name and size: {}",
            image.display()
        );
    };
    anyhow::ensure!(
        theirs.num_twins == 0,
        "The project has several images of this name and size, and it cannot be told which is \
         meant: {}",
        image.display()
    );
    let mask = whole_mask(&theirs)?;
    let counts = mask.histogram();
    let occurring = (0..255_u8).filter(|&class| counts[usize::from(class)] > 0);
    let table = theirs.classes.unwrap_or_default().with_values(occurring);
    let (classes, map) = align_classes(ours, &table)?;
    Ok((mask.recoded(&map), classes))
}

fn whole_mask(theirs: &TheirLabel) -> anyhow::Result<Mask> {
    if let Some(mask) = theirs.mask() {
        return Ok(mask);
    }
    let size = theirs.layer.size;
    let ground = match &theirs.layer.source {
        Some(source) => load_mask(&source.path, Some(size), Encoding::Auto, None)?.mask,
        None => Mask::new(size),
    };
    Ok(theirs.layer.masks_over(ground).0)
}
