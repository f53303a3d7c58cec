use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder_scan::{companion_label, scan_folder};
use super::jobs::{Report, tell_progress};
use super::keeping::{Companion, absolute};
use super::overviews::open_source;
use super::saving::is_guessed_label;
use super::state::{ImageId, OpenImage, Session};
use super::{Change, Command, CommandError, Notice, ScoredGround, StepTo};
use crate::exchange::{MapPlace, pixel_meters};
use crate::label::{ClassTable, StateMark};
use crate::project::Project;
use crate::raster::{OpenError, OverviewStore, Pyramid, RgbaTile, TileCache, is_tile_folder};
use crate::sample::{SampleConfig, write_sample};

/// How far the work on an image is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EntryStatus {
    /// Nobody has edited it.
    #[default]
    New,
    /// It was edited.
    InWork,
    /// Somebody said that it is done.
    Done,
    /// Its file is not where it was.
    Missing,
}

impl EntryStatus {
    /// The word for it in a project file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New | Self::Missing => "new",
            Self::InWork => "in work",
            Self::Done => "done",
        }
    }

    /// What a project file's word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::New, Self::InWork, Self::Done]
            .into_iter()
            .find(|status| status.word() == word)
    }
}

/// One image of an opened folder.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageEntry {
    /// The image's file.
    pub image: PathBuf,
    /// Its mask's file, when there is one.
    pub mask: Option<PathBuf>,
    /// How far the work is.
    pub status: EntryStatus,
    /// The state that its label was in when the image was left, if its file lacks that; see
    /// [`Session::unsaved`].
    pub unsaved: Option<StateMark>,
    /// Mean IoU of the last prediction against its label, when one was made.
    pub score: Option<f64>,
    /// What ground that is of, as far as it is known.
    pub ground: ScoredGround,
    /// A small picture of it, once it is made.
    pub thumbnail: Option<Arc<RgbaTile>>,
}

/// The images of an opened folder, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageList {
    /// The folder.
    pub folder: PathBuf,
    /// Its images.
    pub entries: Vec<ImageEntry>,
    /// Which one is open.
    pub current: Option<usize>,
    /// The classes of all masks, where the data set says them.
    pub classes: Option<Arc<ClassTable>>,
    /// Notes about masks that were told, without the numbers of pixels.
    pub(super) told: HashSet<String>,
}

impl ImageList {
    /// Whether a note about a mask says what none said before but for its number of pixels.
    pub(super) fn is_news(&mut self, note: &str) -> bool {
        let words = note.trim_start_matches(|digit: char| digit.is_ascii_digit());
        self.told.insert(words.to_owned())
    }

    /// Takes over what is known of the images from a look through the same folder before.
    fn carry_over(&mut self, old: Self) {
        let known = old.entries.into_iter();
        let mut known: HashMap<_, _> = known.map(|it| (it.image.clone(), it)).collect();
        for entry in &mut self.entries {
            if let Some(old) = known.remove(&entry.image)
                && old.status != EntryStatus::Missing
            {
                *entry = ImageEntry {
                    mask: entry.mask.take(),
                    thumbnail: None,
                    ..old
                };
            }
        }
    }
}

/// What a look through a folder found.
pub(super) struct ScannedList {
    pub list: ImageList,
    pub open_first: bool,
}

impl Session {
    pub(super) fn open(&mut self, path: &Path) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.refuse_to_lose_work()?;
        // What is remembered must lead there from any folder.
        let path = &absolute(path);
        if path
            .extension()
            .is_some_and(|ending| ending == "orthobrush")
        {
            self.open_project(path);
            return Ok(());
        }
        if path.is_dir() && !is_tile_folder(path) {
            self.scan(path, true);
        } else {
            self.list = None;
            self.open_image(path);
        }
        // It is remembered again once it is open.
        self.settings.forget(path);
        Ok(())
    }

    /// Opens what a project file was made for: its one image, or the folder of its images.
    fn open_project(&mut self, path: &Path) {
        let path = path.to_owned();
        self.start_job(format!("Opening {}", path.display()), move |job| {
            let images = Project::open_read_only(&path)?.images()?;
            let opened = match (images.as_slice(), path.parent()) {
                ([image], _) => image.path.clone(),
                (_, Some(folder)) => folder.to_owned(),
                (_, None) => PathBuf::from("."),
            };
            job.tell(Report::ReadyToOpen(opened))?;
            Ok(())
        });
    }

    fn scan(&mut self, folder: &Path, open_first: bool) {
        let folder = folder.to_owned();
        self.start_job(
            format!("Looking through {}", folder.display()),
            move |job| {
                let list = scan_folder(&folder)?;
                job.tell(Report::Scanned(ScannedList { list, open_first }))?;
                Ok(())
            },
        );
    }

    pub(super) fn list_scanned(&mut self, scanned: ScannedList) {
        self.note_unsaved();
        let mut list = scanned.list;
        if let Some(old) = self.list.take().filter(|old| old.folder == list.folder) {
            list.carry_over(old);
        }
        self.remember(&list.folder);
        self.list = Some(list);
        self.forget_thumbnails();
        if scanned.open_first
            && let Err(error) = self.step(StepTo::Index(0))
        {
            self.notify(Notice::error(error.to_string()));
        }
    }

    fn open_image(&mut self, path: &Path) {
        let path = path.to_owned();
        let id = ImageId(self.next_number());
        self.doing.opening = Some(id);
        let (cache, store) = (Arc::clone(&self.cache), self.overview_store());
        let title = format!("Opening {}", path.display());
        self.start_job(title, move |job| {
            let image = open_from(&path, id, &cache, store.as_ref())?;
            job.tell(Report::ImageOpened(Box::new(image)))?;
            Ok(())
        });
    }

    pub(super) fn image_opened(&mut self, mut image: OpenImage) {
        if self.doing.opening != Some(image.id) {
            return;
        }
        if self.list.is_none() {
            self.remember(&image.path);
        }
        self.keep_look_for(&mut image);
        self.note_unsaved();
        // Not before: what is painted until now belongs to the image before.
        let of_list = self.list.as_ref().map(|list| list.folder.clone());
        self.turn_to_project(&of_list.unwrap_or_else(|| image.path.clone()));
        self.close_layers();
        self.selected = None;
        self.superpixels = None;
        self.forget_similar();
        if let Some(old) = self.image.take() {
            self.changes.push(Change::SourceGone(old.id.0));
        }
        let mask = match &self.list {
            Some(list) => list
                .current
                .and_then(|current| list.entries[current].mask.clone()),
            None => companion_label(&image.path),
        };
        let classes = self.list.as_ref().and_then(|list| list.classes.clone());
        let companion = mask.map(|path| Companion {
            is_guess: is_guessed_label(&image.path, &path),
            path,
            classes,
        });
        self.changes.push(Change::ImageOpened(image.id));
        self.image = Some(image);
        self.make_overviews();
        self.forget_places();
        self.place_overlays();
        self.open_label(companion);
    }

    pub(super) fn step(&mut self, to: StepTo) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        let list = self.list.as_ref().ok_or(CommandError::NoList)?;
        let target = target_of(list, to)?;
        if self.would_lose_work() {
            return self.save_then(Command::Step(to));
        }
        let list = self.list.as_mut().ok_or(CommandError::NoList)?;
        let entry = &mut list.entries[target];
        if !entry.image.exists() {
            entry.status = EntryStatus::Missing;
            return Err(CommandError::MissingFile(entry.image.clone()));
        }
        let path = entry.image.clone();
        list.current = Some(target);
        self.open_image(&path);
        Ok(())
    }

    pub(super) fn mark_done(&mut self, is_done: bool) -> Result<(), CommandError> {
        let entry = self.current_entry().ok_or(CommandError::NoList)?;
        entry.status = if is_done {
            EntryStatus::Done
        } else {
            EntryStatus::InWork
        };
        self.keep_entry();
        Ok(())
    }

    pub(super) fn relink(&mut self, folder: &Path) -> Result<(), CommandError> {
        let list = self.list.as_mut().ok_or(CommandError::NoList)?;
        let mut found = 0;
        for entry in &mut list.entries {
            if entry.status != EntryStatus::Missing {
                continue;
            }
            let Ok(below) = entry.image.strip_prefix(&list.folder) else {
                continue;
            };
            let moved = folder.join(below);
            if moved.exists() {
                entry.mask = companion_label(&moved);
                entry.image = moved;
                entry.status = EntryStatus::New;
                found += 1;
            }
        }
        self.notify(Notice::info(format!(
            "{found} missing files were found again"
        )));
        Ok(())
    }

    pub(super) fn current_entry(&mut self) -> Option<&mut ImageEntry> {
        let list = self.list.as_mut()?;
        list.entries.get_mut(list.current?)
    }

    pub(super) fn open_sample(&mut self, folder: PathBuf) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.refuse_to_lose_work()?;
        self.start_job("Making the sample project", move |job| {
            if !folder.join("ortho.tif").exists() {
                let mut last = 0;
                write_sample(&folder, &SampleConfig::default(), |share| {
                    tell_progress(job, &mut last, share);
                    if job.check().is_ok() {
                        std::ops::ControlFlow::Continue(())
                    } else {
                        std::ops::ControlFlow::Break(())
                    }
                })?;
            }
            job.tell(Report::ReadyToOpen(folder.join("ortho.tif")))?;
            Ok(())
        });
        Ok(())
    }

    /// Opens what a job prepared or found.
    pub(super) fn open_now(&mut self, path: PathBuf) {
        if let Err(error) = self.apply(Command::Open { path }) {
            self.notify(Notice::error(error.to_string()));
        }
    }

    pub(super) fn refuse_with_unsaved_work(&self) -> Result<(), CommandError> {
        if self.has_unsaved_work() {
            Err(CommandError::UnsavedWork)
        } else {
            Ok(())
        }
    }

    pub(super) fn refuse_to_lose_work(&self) -> Result<(), CommandError> {
        if self.would_lose_work() {
            Err(CommandError::UnsavedWork)
        } else {
            Ok(())
        }
    }

    pub(super) fn refuse_during_stroke(&self) -> Result<(), CommandError> {
        if self.stroke.is_some() {
            Err(CommandError::StrokeOpen)
        } else {
            Ok(())
        }
    }
}

fn open_from(
    path: &Path,
    id: ImageId,
    cache: &Arc<TileCache>,
    store: Option<&OverviewStore>,
) -> Result<OpenImage, OpenError> {
    let source = open_source(path, store)?;
    let pyramid = Arc::new(Pyramid::of_samples(Arc::clone(&source), Arc::clone(cache)));
    let georef = source.info().georef.as_ref();
    let pixel_meters = pixel_meters(source.info().size, georef);
    let map = georef.map(|georef| Arc::new(MapPlace::new(georef)));
    Ok(OpenImage {
        id,
        path: path.to_owned(),
        source,
        pyramid,
        pixel_meters,
        map,
    })
}

fn target_of(list: &ImageList, to: StepTo) -> Result<usize, CommandError> {
    let after = list.current.map_or(0, |current| current + 1);
    let target = match to {
        StepTo::Index(index) => Some(index),
        StepTo::Next => Some(after),
        StepTo::Previous => list.current.and_then(|current| current.checked_sub(1)),
        StepTo::NextNotDone => {
            let not_done = |&index: &usize| list.entries[index].status != EntryStatus::Done;
            (after..list.entries.len())
                .chain(0..after.min(list.entries.len()))
                .find(not_done)
        }
    };
    let end = match to {
        StepTo::Previous => "This is the first image",
        StepTo::NextNotDone => "All images are marked as done",
        StepTo::Next | StepTo::Index(_) => "This is the last image",
    };
    target
        .filter(|&target| target < list.entries.len())
        .ok_or(CommandError::EndOfList(end))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::job::Waker;
    use crate::session::{Coordinates, PlaceCommand, ProjectPlace, SessionConfig, Settings};

    #[test]
    fn the_next_not_done_wraps_around() {
        let entry = |status| ImageEntry {
            image: "x".into(),
            mask: None,
            status,
            unsaved: None,
            score: None,
            ground: ScoredGround::default(),
            thumbnail: None,
        };
        let list = ImageList {
            folder: "f".into(),
            entries: vec![
                entry(EntryStatus::New),
                entry(EntryStatus::Done),
                entry(EntryStatus::Done),
            ],
            current: Some(1),
            classes: None,
            told: HashSet::new(),
        };
        assert_eq!(
            target_of(&list, StepTo::NextNotDone).expect("there is one"),
            0
        );
        assert_eq!(target_of(&list, StepTo::Next).expect("there is one"), 2);
        assert_eq!(target_of(&list, StepTo::Previous).expect("there is one"), 0);
    }

    #[test]
    fn what_is_remembered_leads_there_from_any_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("settings.toml");
        let config = SessionConfig {
            waker: Waker::none(),
            settings_path: Some(file.clone()),
            projects: ProjectPlace::Nowhere,
        };
        let mut session = Session::new(config);
        let path = PathBuf::from("docs/demo.jpg");
        session.apply(Command::Open { path }).expect("accepted");
        let began = Instant::now();
        while session.image.is_none() {
            assert!(began.elapsed() < Duration::from_mins(1), "it never came");
            session.pump(64);
            std::thread::sleep(Duration::from_millis(1));
        }
        let shown = Coordinates {
            shows_map: true,
            shows_degrees: true,
        };
        let choice = PlaceCommand::Coordinates(shown);
        session.apply(Command::Place(choice)).expect("accepted");
        let (kept, _) = Settings::load(&file);
        let whole = std::env::current_dir().expect("a folder");
        assert_eq!(kept.recent, [whole.join("docs/demo.jpg")]);
        assert_eq!(kept.coordinates, shown);
    }
}
