use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};

use super::jobs::Report;
use super::keeping::absolute;
use super::saving::{MaskToWrite, SavedLayer, is_guessed_label, label_file_of};
use super::state::Session;
use super::{Command, CommandError, Notice, ProjectCommand};
use crate::geom::Georef;
use crate::job::{JobContext, told};
use crate::label::{ClassTable, Mask};
use crate::project::{Project, SourceFile};
use crate::raster::open_raster;

/// Labels that could not be saved and are named; of the others there is the number.
const MOST_NAMED: usize = 5;

/// What is saved together.
struct Order {
    /// The label in work.
    open: Option<OpenLabel>,
    /// Those of other images, as the project has them.
    left: Vec<LeftLabel>,
    project: Option<PathBuf>,
    /// The classes of labels whose project says none.
    classes: ClassTable,
    /// The classes of all masks, where the data set says them.
    known: Option<Arc<ClassTable>>,
    /// Images whose labels need no saving.
    num_up_to_date: usize,
}

struct OpenLabel {
    saved: SavedLayer,
    mask: Mask,
    georef: Option<Georef>,
    /// Whether it was read from that file or saved to it.
    is_own: bool,
}

struct LeftLabel {
    image: PathBuf,
    /// The mask file that belongs to the image by its name.
    mask: Option<PathBuf>,
}

/// What became of it.
#[derive(Default)]
struct Sum {
    num_saved: usize,
    num_wanted: usize,
    num_up_to_date: usize,
    failed: Vec<String>,
}

impl Session {
    /// Saves the labels of the list that have what their files lack.
    pub(super) fn save_all_labels(&mut self) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.refuse_when_read_only()?;
        if self.doing.saving_all.is_some() {
            return Err(CommandError::Busy("Saving all labels"));
        }
        let num_images = self
            .list
            .as_ref()
            .ok_or(CommandError::NoList)?
            .entries
            .len();
        // Once it is read, all that was painted on other images is in the project.
        if self.label.as_ref().is_some_and(|label| label.is_loading) {
            return Err(CommandError::LabelLoading);
        }
        let unsaved: Vec<usize> = self.unsaved().collect();
        if self.has_unsaved_work() && self.is_file_needed() {
            self.save_later = Some(Command::Project(ProjectCommand::SaveAllLabels));
            return Ok(());
        }
        let open = self.open_label_to_save()?;
        let is_open = |entry: &Path| {
            let open = open
                .as_ref()
                .and_then(|open| open.saved.label_of.as_deref());
            open == Some(entry)
        };
        let entries = self.list.iter().flat_map(|list| &list.entries);
        let entries = entries.enumerate().filter(|(at, _)| unsaved.contains(at));
        let left = entries.filter(|(_, entry)| !is_open(&entry.image));
        let left = left.map(|(_, entry)| LeftLabel {
            image: entry.image.clone(),
            mask: (entry.mask.clone()).filter(|mask| !is_guessed_label(&entry.image, mask)),
        });
        let order = Order {
            left: left.collect(),
            open,
            project: self.project_file().map(Path::to_owned),
            classes: self.classes().clone(),
            known: self.list.as_ref().and_then(|list| list.classes.clone()),
            num_up_to_date: num_images - unsaved.len(),
        };
        let job = self.start_job("Saving all labels", move |job| order.carry_out(job));
        self.doing.saving_all = Some(job);
        Ok(())
    }

    /// The open image's label, if its file lacks something.
    fn open_label_to_save(&self) -> Result<Option<OpenLabel>, CommandError> {
        let (Some(label), Some(image)) = (&self.label, &self.image) else {
            return Ok(None);
        };
        if !self.has_unsaved_work() || label.broken.is_some() {
            return Ok(None);
        }
        let path = label.path.clone().or_else(|| self.default_label_path());
        Ok(Some(OpenLabel {
            saved: SavedLayer {
                layer: Some(label.id),
                label_of: Some(image.path.clone()),
                path: path.ok_or(CommandError::NoLabelFile)?,
                state: self.history.mark(),
                pixels: None,
                notes: Vec::new(),
            },
            is_own: label.path.is_some(),
            mask: label.mask.clone(),
            georef: image.georef().cloned(),
        }))
    }

    pub(super) fn one_of_all_saved(&mut self, saved: SavedLayer) {
        self.note_saved(saved);
    }
}

impl Order {
    fn carry_out(self, job: &JobContext<Report>) -> anyhow::Result<()> {
        let project = self.project.as_deref().filter(|_| !self.left.is_empty());
        let project = project.map(Project::open_read_only).transpose()?;
        let mut sum = Sum {
            num_wanted: self.left.len() + usize::from(self.open.is_some()),
            num_up_to_date: self.num_up_to_date,
            ..Sum::default()
        };
        let (classes, known) = (&self.classes, self.known.as_deref());
        let open = self.open.into_iter().map(|open| {
            let image = open.saved.label_of.clone().unwrap_or_default();
            (image, open.save(classes, known))
        });
        let left = self.left.into_iter().map(|left| {
            let saved = left.save(project.as_ref(), (classes, known));
            (left.image, saved)
        });
        // Lazily: each is saved when its turn comes.
        for (at, (image, saved)) in open.chain(left).enumerate() {
            match saved {
                Ok(saved) => {
                    sum.num_saved += 1;
                    if job.tell(Report::OneOfAllSaved(saved)).is_err() {
                        break;
                    }
                }
                Err(error) => sum.failed.push(failure(&image, &error)),
            }
            job.mention(Report::Progress((at + 1) as f32 / sum.num_wanted as f32));
            if job.check().is_err() {
                break;
            }
        }
        job.tell(Report::Note(sum.notice()))?;
        Ok(())
    }
}

impl OpenLabel {
    fn save(
        mut self,
        classes: &ClassTable,
        known: Option<&ClassTable>,
    ) -> anyhow::Result<SavedLayer> {
        let mask = MaskToWrite {
            mask: &self.mask,
            classes,
            georef: self.georef.as_ref(),
            is_own: self.is_own,
            known,
        };
        self.saved.notes = mask.write(&self.saved.path)?;
        Ok(self.saved)
    }
}

impl LeftLabel {
    /// Writes the file that opening the image and saving would write; not where somebody would have
    /// to decide something first.
    fn save(
        &self,
        project: Option<&Project>,
        (classes, known): (&ClassTable, Option<&ClassTable>),
    ) -> anyhow::Result<SavedLayer> {
        let project = project.context("There is no project that it is kept in")?;
        let raster = open_raster(&self.image)?;
        let info = raster.info();
        let kept = project.layer(&absolute(&self.image), 0)?;
        let kept = kept.context("Nothing is kept of its label any more")?;
        ensure!(
            kept.size == info.size,
            "The image is {} pixels now and its label {}; the image was replaced",
            info.size,
            kept.size
        );
        ensure!(
            !kept.needs_source,
            "Some of its ground is in its file only; open the image and save its label there"
        );
        let path = kept.source.as_ref().map(|source| source.path.clone());
        let path = path.or_else(|| self.mask.clone());
        let path = path.unwrap_or_else(|| label_file_of(&self.image));
        let now = SourceFile::now(&path).ok();
        let is_same =
            |then: &SourceFile, now: SourceFile| (then.bytes, then.time) == (now.bytes, now.time);
        let is_known = kept
            .source
            .as_ref()
            .zip(now)
            .is_some_and(|(then, now)| is_same(then, now));
        ensure!(
            is_known || !path.exists(),
            "Another program wrote its file; open the image to see which label is right, and save \
             it there: {}",
            path.display()
        );
        let table = project.classes()?.unwrap_or_else(|| classes.clone());
        let state = kept.history.cursor;
        let (mask, _) = kept.masks_over(Mask::new(info.size));
        let mask = MaskToWrite {
            mask: &mask,
            classes: &table,
            georef: info.georef.as_ref(),
            is_own: true,
            known,
        };
        Ok(SavedLayer {
            notes: mask.write(&path)?,
            layer: None,
            label_of: Some(self.image.clone()),
            path,
            state,
            pixels: None,
        })
    }
}

fn failure(image: &Path, error: &anyhow::Error) -> String {
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}: {}", told(error))
}

impl Sum {
    fn notice(&self) -> Notice {
        let num_failed = self.failed.len();
        let num_left = self.num_wanted - self.num_saved - num_failed;
        let of = |count: usize, noun: &str, more: &str| match count {
            1 => format!("1 {noun} {more}"),
            _ => format!("{count} {noun}s {more}"),
        };
        let saved = of(self.num_saved, "label", "");
        let mut parts = vec![format!("Saved {}", saved.trim_end())];
        if num_left > 0 {
            parts.push(of(num_left, "label", "not, since it was stopped"));
        }
        let were = if self.num_up_to_date == 1 {
            "was"
        } else {
            "were"
        };
        parts.push(of(
            self.num_up_to_date,
            "image",
            &format!("{were} up to date"),
        ));
        if num_failed == 0 {
            return Notice::info(parts.join("; "));
        }
        parts.push(of(num_failed, "label", "could not be saved:"));
        let named = &self.failed[..num_failed.min(MOST_NAMED)];
        let mut text = format!("{} {}", parts.join("; "), named.join(". "));
        if num_failed > named.len() {
            text = format!("{text}. And {} more", num_failed - named.len());
        }
        Notice::error(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_says_what_was_saved_and_what_was_not() {
        let told = |sum: Sum| sum.notice();
        let all = Sum {
            num_saved: 12,
            num_wanted: 12,
            num_up_to_date: 68,
            failed: Vec::new(),
        };
        let words = "Saved 12 labels; 68 images were up to date";
        assert_eq!(told(all), Notice::info(words));
        let stopped = Sum {
            num_saved: 1,
            num_wanted: 3,
            num_up_to_date: 1,
            failed: Vec::new(),
        };
        let words = "Saved 1 label; 2 labels not, since it was stopped; 1 image was up to date";
        assert_eq!(told(stopped), Notice::info(words));
        let failed = Sum {
            num_saved: 0,
            num_wanted: 7,
            num_up_to_date: 0,
            failed: (0..7).map(|at| format!("{at}.tif: full")).collect(),
        };
        let words = "Saved 0 labels; 0 images were up to date; 7 labels could not be saved: \
                     0.tif: full. 1.tif: full. 2.tif: full. 3.tif: full. 4.tif: full. And 2 more";
        assert_eq!(told(failed), Notice::error(words));
    }
}
