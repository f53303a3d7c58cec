use std::path::PathBuf;
use std::sync::Arc;

use super::super::jobs::{JobId, Report};
use super::super::state::Session;
use super::super::training::watched;
use super::varied::of_view;
use super::view::DataReport;
use crate::dataset::{Augment, Corrections, PatchSource};
use crate::label::ClassTable;
use crate::train::{Recipe, opened_patches};

/// Training patches of a data set: all its labels are read once, then patches are drawn for as many
/// choices of variation as somebody tries.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawn {
    /// What is to be shown; `None` while something else is.
    asked: Option<Asked>,
    reading: Option<(JobId, DrawnFrom)>,
    read: Option<(DrawnFrom, Arc<ReadSet>)>,
}

/// How patches are varied, and which ones are drawn.
#[derive(Clone, Debug)]
struct Asked {
    augment: Augment,
    seed: u64,
    epoch: u64,
}

/// What decides where patches may be drawn.
#[derive(Clone, Debug, PartialEq)]
struct DrawnFrom {
    folder: PathBuf,
    corrections: Corrections,
    /// The choices that have nothing to do with it are the usual ones.
    recipe: Box<Recipe>,
}

/// A data set whose labels were read.
#[derive(Debug)]
pub(in crate::session) struct ReadSet {
    patches: PatchSource,
    classes: ClassTable,
}

impl Drawn {
    /// Something else is shown from now on.
    pub(super) fn leave(&mut self) {
        self.asked = None;
    }
}

impl DrawnFrom {
    fn new(folder: PathBuf, corrections: Corrections, recipe: &Recipe) -> Self {
        let recipe = Recipe {
            seed: recipe.seed,
            patch: recipe.patch,
            parts: recipe.parts.clone(),
            patches: recipe.patches.clone(),
            pixel_size: recipe.pixel_size,
            bands: recipe.bands.clone(),
            ..Recipe::default()
        };
        Self {
            folder,
            corrections,
            recipe: Box::new(recipe),
        }
    }
}

impl Session {
    /// Shows the first patches that a training by `recipe` draws in `epoch` from the data set in
    /// `folder`; its labels are read before if they were not for the same choices.
    pub(super) fn draw_patches(
        &mut self,
        (folder, corrections): (PathBuf, Corrections),
        recipe: Recipe,
        epoch: u64,
    ) {
        let from = DrawnFrom::new(folder, corrections, &recipe);
        let drawn = &mut self.study.varied.drawn;
        drawn.asked = Some(Asked {
            augment: recipe.augment.clone(),
            seed: recipe.seed,
            epoch,
        });
        if drawn.read.as_ref().is_some_and(|(read, _)| *read == from) {
            return self.show_drawn();
        }
        if (drawn.reading.as_ref()).is_some_and(|(_, reading)| *reading == from) {
            return;
        }
        drawn.read = None;
        let reading = drawn.reading.take();
        let job = self.study.varied.job.take();
        for job in reading.map(|(job, _)| job).into_iter().chain(job) {
            self.stop_job(job);
        }
        self.study.varied.patches = None;
        let cache_bytes = self.settings.budget().tile_cache_bytes;
        let (folder, corrections) = (from.folder.clone(), from.corrections.clone());
        let id = self.start_job("Reading labels for a look at patches", move |job| {
            let data = (folder.as_path(), &corrections);
            let read = watched(job, |watch| {
                opened_patches(&recipe, data, cache_bytes, watch)
            });
            job.check()?;
            let read = read.map_err(|why| why.to_string());
            let read = read.map(|(patches, classes)| Arc::new(ReadSet { patches, classes }));
            job.tell(Report::Data(DataReport::Drawable(read)))?;
            Ok(())
        });
        self.study.varied.drawn.reading = Some((id, from));
    }

    /// How many of the labels are read that a look at patches of a data set needs, 0 to 1; `None`
    /// while none are.
    pub fn reading_labels(&self) -> Option<f32> {
        let (job, _) = self.study.varied.drawn.reading.as_ref()?;
        let activity = self.activities().find(|activity| activity.id == *job)?;
        Some(activity.progress.unwrap_or(0.0))
    }

    pub(super) fn drawable(&mut self, id: JobId, read: Result<Arc<ReadSet>, String>) {
        let drawn = &mut self.study.varied.drawn;
        let Some((_, from)) = drawn.reading.take_if(|(job, _)| *job == id) else {
            return;
        };
        match read {
            Ok(set) => {
                drawn.read = Some((from, set));
                self.show_drawn();
            }
            Err(why) => self.study.varied.patches = Some(Err(why)),
        }
    }

    /// Draws anew from what was read.
    fn show_drawn(&mut self) {
        let drawn = &self.study.varied.drawn;
        let (Some(asked), Some((_, set))) = (drawn.asked.clone(), &drawn.read) else {
            return;
        };
        let set = Arc::clone(set);
        self.show_varied(move || {
            let Asked {
                augment,
                seed,
                epoch,
            } = asked;
            let views = set.patches.preview(&augment, seed, epoch)?;
            Ok(views
                .iter()
                .map(|view| of_view(view, &set.classes))
                .collect())
        });
    }

    /// Lets go of what was read: it may be another data set now.
    pub(super) fn forget_drawable(&mut self) {
        self.study.varied.drawn.read = None;
    }

    /// `why` is the reason when a job did not finish.
    pub(super) fn drawing_ended(&mut self, id: JobId, why: Option<&str>) {
        let varied = &mut self.study.varied;
        if varied
            .drawn
            .reading
            .take_if(|(job, _)| *job == id)
            .is_some()
        {
            varied.patches = why.map(|why| Err(why.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dataset::{PREVIEWED, hash};
    use crate::disk::replace_file;
    use crate::geom::{ImageSize, PixelRect};
    use crate::job::Waker;
    use crate::label::{Mask, SaveAs, save_mask};
    use crate::raster::MadeBands;
    use crate::session::{Command, DataCommand, ProjectPlace, SessionConfig};

    const SIDE: u32 = 64;

    /// Images of noise whose upper half is of class 1.
    fn write(folder: &Path, count: u64) {
        let table = ClassTable::road();
        for n in 0..count {
            let mut mask = Mask::filled(ImageSize::new(SIDE, SIDE), 0);
            mask.set_rect(PixelRect::new(0, 0, SIDE, 32), &[1; 64 * 32]);
            let path = folder.join("masks").join(format!("{n}.png"));
            save_mask(&path, &mask, &table, None, SaveAs::IndexPng).expect("saved");
            let value = |x: u32, y: u32, band: u16| {
                let place = [n, u64::from(x), u64::from(y), u64::from(band)];
                (hash(&place) % 256) as f64
            };
            let path = folder.join("images").join(format!("{n}.tif"));
            let made = MadeBands::new(SIDE, SIDE, 3, 8);
            replace_file(&path, &made.file(value)).expect("written");
        }
    }

    fn asked(folder: &Path, augment: Augment, epoch: u64) -> Command {
        let recipe = Recipe {
            patch: 32,
            augment,
            ..Recipe::default()
        };
        Command::Data(DataCommand::Draw {
            folder: folder.to_owned(),
            corrections: Corrections::default(),
            recipe: Box::new(recipe),
            epoch,
        })
    }

    fn session() -> Session {
        Session::new(SessionConfig {
            waker: Waker::none(),
            settings_path: None,
            projects: ProjectPlace::Nowhere,
        })
    }

    fn done(session: &mut Session, command: Command) {
        session.apply(command).expect("it can be asked");
        while !session.is_idle() {
            session.pump(64);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    fn shown(session: &mut Session, command: Command) -> Vec<Vec<u8>> {
        done(session, command);
        let patches = session.varied().patches.as_ref().expect("an answer");
        let patches = patches.as_ref().expect("patches").iter();
        let pixels = patches.map(|patch| {
            assert_eq!(patch.image.size, ImageSize::new(32, 32));
            assert!(
                patch
                    .labels
                    .pixels
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .all(|p| p[3] == 255)
            );
            patch.image.pixels.clone()
        });
        pixels.collect()
    }

    #[test]
    fn patches_are_drawn_from_a_data_set_without_an_image() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), 8);
        let mut session = session();
        let first = shown(&mut session, asked(folder.path(), Augment::None, 1));
        assert_eq!(first.len(), PREVIEWED);
        assert!(first.iter().any(|patch| *patch != first[0]));
        let turned = shown(&mut session, asked(folder.path(), Augment::Turns, 1));
        assert_ne!(turned, first);
        let again = shown(&mut session, asked(folder.path(), Augment::None, 1));
        assert_eq!(again, first, "equal numbers, equal patches");
        let others = shown(&mut session, asked(folder.path(), Augment::None, 2));
        assert_ne!(others, first);
        assert!(session.image().is_none());
    }

    #[test]
    fn a_data_set_without_masks_says_so_where_patches_would_be() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), 2);
        std::fs::remove_dir_all(folder.path().join("masks")).expect("it was there");
        let mut session = session();
        done(&mut session, asked(folder.path(), Augment::None, 1));
        let patches = session.varied().patches.as_ref().expect("an answer");
        let why = patches.as_ref().expect_err("no masks");
        assert!(why.contains("No image has a mask"), "{why}");
    }
}
