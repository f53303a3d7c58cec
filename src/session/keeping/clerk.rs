use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::keeper::{Ended, Work};
use super::load::{ReadLabel, load};
use super::place::{Place, ProjectPlace};
use crate::job::JobContext;
use crate::label::{Mask, StateMark, UNLABELED};
use crate::project::{KeptTile, LayerKey, Project, ProjectError, recover};
use crate::session::jobs::{ProjectRead, Report};
use crate::session::places::KeptPlaces;
use crate::session::{ImageId, LayerId, Notice};

/// A disk that refused is asked again after this.
const RETRY: Duration = Duration::from_secs(1);
/// Tiles of a label's first ground that are written at a time, between strokes.
const BASE_TILES: usize = 64;
/// How often the last good copy is made while people work.
const BACKUP_EVERY: Duration = Duration::from_mins(10);
/// Undo steps of one label on the disk.
const HISTORY_ON_DISK: u64 = 1 << 30;
/// Bytes of older steps that are read back at a time.
const RECALLED_BYTES: usize = 8 << 20;
/// Steps between two looks at the size of the history.
const STEPS_PER_LOOK: u32 = 200;
/// How often a closing window asks a disk that refuses.
const LAST_TRIES: usize = 3;

/// The one who writes the project; everything happens in the order it was given.
pub(super) struct Clerk {
    place: ProjectPlace,
    opened: PathBuf,
    /// Whoever wrote the same project before, until that has ended.
    before: Option<Ended>,
    settled: Option<Place>,
    project: Option<Project>,
    /// The label in work and its row.
    layer: Option<(LayerId, LayerKey)>,
    base: Option<Base>,
    queue: VecDeque<Work>,
    is_failing: bool,
    /// When the first step after the last good copy was kept.
    changed: Option<Instant>,
    steps: u32,
}

/// Ground of a label that waits to be written tile by tile.
struct Base {
    layer: LayerId,
    key: LayerKey,
    tiles: std::vec::IntoIter<KeptTile>,
}

impl Clerk {
    pub const fn new(place: ProjectPlace, opened: PathBuf, before: Option<Ended>) -> Self {
        Self {
            place,
            opened,
            before,
            settled: None,
            project: None,
            layer: None,
            base: None,
            queue: VecDeque::new(),
            is_failing: false,
            changed: None,
            steps: 0,
        }
    }

    /// Works until nobody can give work any more and all is done.
    pub fn run(mut self, inbox: &Receiver<Work>, job: &JobContext<Report>) {
        let mut tries = 0;
        loop {
            let is_closing = !self.take_in(inbox);
            self.work_off(job);
            if !self.is_failing {
                self.write_base(job);
                self.back_up_in_time();
            }
            if is_closing {
                tries += usize::from(self.is_failing);
                let is_done = self.queue.is_empty() && self.base.is_none();
                if is_done || tries >= LAST_TRIES {
                    break;
                }
            }
        }
        self.close();
    }

    /// Takes what waits in the inbox; `false` when nothing will come any more.
    fn take_in(&mut self, inbox: &Receiver<Work>) -> bool {
        let patience = if self.is_failing {
            RETRY
        } else if self.base.is_some() {
            Duration::ZERO
        } else {
            BACKUP_EVERY
        };
        match inbox.recv_timeout(patience) {
            Ok(work) => self.queue.push_back(work),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                if self.is_failing {
                    std::thread::sleep(RETRY / 10);
                }
                return false;
            }
        }
        self.queue.extend(inbox.try_iter());
        true
    }

    fn work_off(&mut self, job: &JobContext<Report>) {
        while let Some(work) = self.queue.pop_front() {
            match self.perform(&work, job) {
                Ok(()) => {
                    self.is_failing = false;
                    say(job, Report::Kept);
                }
                Err(error) => {
                    self.queue.push_front(work);
                    self.is_failing = true;
                    say(job, Report::NotKept(error.to_string()));
                    return;
                }
            }
        }
    }

    fn perform(&mut self, work: &Work, job: &JobContext<Report>) -> Result<(), ProjectError> {
        match work {
            Work::Load {
                layer,
                opened,
                image,
                size,
                companion,
            } => {
                // Strokes on the image before must not wait behind this one.
                self.write_all_base(job)?;
                self.find(job);
                let read =
                    |clerk: &Self| load(clerk.project.as_ref(), image, *size, companion.as_ref());
                let mut loaded = read(self);
                if let Err(error) = &loaded
                    && error.is_damage()
                {
                    self.project = self.past_damage(error, job);
                    loaded = read(self);
                }
                let label = loaded.unwrap_or_else(|error| ReadLabel::Refused(error.to_string()));
                self.resume(*layer, &label);
                say(job, Report::LabelRead(*layer, Box::new(label)));
                self.tell_places(*opened, image, job);
                Ok(())
            }
            Work::Begin {
                layer,
                image,
                mask,
                origins,
                source,
                mark,
            } => {
                self.base = None;
                let project = self.writable()?;
                let key = project.begin_layer(image, mask.size(), source.as_ref(), *mark)?;
                self.layer = Some((*layer, key));
                self.base = Some(Base::new(*layer, key, (mask, origins)));
                Ok(())
            }
            Work::Step { layer, step } => {
                self.with_layer(*layer, |project, key| project.keep_step(key, step))
            }
            Work::Cursor { layer, mark, tiles } => self.with_layer(*layer, |project, key| {
                project.keep_cursor(key, *mark, tiles)
            }),
            Work::Recall { layer, base } => {
                self.recall(*layer, *base, job);
                Ok(())
            }
            Work::Saved { layer, file, mark } => {
                self.with_layer(*layer, |project, key| project.keep_saved(key, file, *mark))
            }
            // Looking makes no project.
            Work::SavedOf { .. } if self.project.is_none() => Ok(()),
            about => self.keep_about(about),
        }
    }

    /// Keeps what there is besides labels.
    fn keep_about(&mut self, work: &Work) -> Result<(), ProjectError> {
        let project = self.writable()?;
        match work {
            Work::Classes(classes) => project.keep_classes(classes),
            Work::Locks(classes) => project.keep_locks(classes),
            Work::Image(image) => project.keep_image(image),
            Work::Decisions(decisions) => project.keep_decisions(*decisions),
            Work::ActiveModel(run) => project.keep_active_model(run),
            Work::Cell { image, key, mark } => project.keep_cell(image, *key, mark),
            Work::Bookmarks { image, bookmarks } => project.keep_bookmarks(image, bookmarks),
            Work::Check { image, points } => project.keep_check(image, points),
            Work::Model { place, name } => project.keep_model(*place, name),
            Work::SavedOf { image, file, mark } => project.keep_saved_of(image, file, *mark),
            Work::Load { .. }
            | Work::Begin { .. }
            | Work::Step { .. }
            | Work::Cursor { .. }
            | Work::Recall { .. }
            | Work::Saved { .. } => Ok(()),
        }
    }

    fn tell_places(&self, opened: ImageId, image: &Path, job: &JobContext<Report>) {
        let Some(project) = &self.project else { return };
        let check = project.check(image).unwrap_or_else(|error| {
            note(job, Notice::error(error.to_string()));
            None
        });
        if let (Ok(cells), Ok(bookmarks)) = (project.cells(image), project.bookmarks(image)) {
            let places = KeptPlaces {
                cells,
                bookmarks,
                check,
            };
            say(job, Report::PlacesRead(opened, Box::new(places)));
        }
    }

    /// Tells the steps that led to `base`; what cannot be read is said, and never asked again.
    fn recall(&self, layer: LayerId, base: StateMark, job: &JobContext<Report>) {
        let known = self.layer.filter(|(known, _)| *known == layer);
        let older = known
            .zip(self.project.as_ref())
            .and_then(|((_, key), project)| {
                project
                    .older_steps(key, base, RECALLED_BYTES)
                    .inspect_err(|error| note(job, Notice::error(error.to_string())))
                    .ok()
            });
        say(job, Report::Recalled(layer, older));
    }

    fn with_layer(
        &mut self,
        layer: LayerId,
        write: impl FnOnce(&mut Project, LayerKey) -> Result<(), ProjectError>,
    ) -> Result<(), ProjectError> {
        // A label that is not kept has nothing to be written to.
        let Some((_, key)) = self.layer.filter(|(known, _)| *known == layer) else {
            return Ok(());
        };
        write(self.writable()?, key)?;
        self.changed.get_or_insert_with(Instant::now);
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_PER_LOOK) {
            self.writable()?.forget_old_steps(key, HISTORY_ON_DISK)?;
        }
        Ok(())
    }

    /// Finds the place of the project and opens it, if there is one yet.
    fn find(&mut self, job: &JobContext<Report>) {
        if let Some(Err(_ended)) = self.before.take().map(|before| before.recv()) {
            tracing::debug!("the project was closed by the thread before");
        }
        if self.settled.is_none() {
            match self.place.settle(&self.opened) {
                Ok(place) => self.settled = place,
                Err(error) => note(
                    job,
                    Notice::warning(format!(
                        "Strokes are not kept until you save: nothing can be written beside the \
                         image ({error})"
                    )),
                ),
            }
        }
        let Some(place) = &self.settled else { return };
        let is_read_only = place.lock.is_none();
        let path = place.path.clone();
        if self.project.is_none() && path.exists() {
            let opened = if is_read_only {
                Project::open_read_only(&path)
            } else {
                Project::open(&path)
            };
            self.project = match opened {
                Ok(project) => Some(project),
                Err(error) => self.past_damage(&error, job),
            };
            self.tell_missing(job);
            let read = self.project.as_ref().map(read_project);
            if let Some(Ok(read)) = read {
                say(job, Report::ProjectRead(read));
            }
        }
        say(job, Report::ProjectFound { path, is_read_only });
    }

    fn tell_missing(&self, job: &JobContext<Report>) {
        let Some(missing) = self.project.as_ref().and_then(Project::missing) else {
            return;
        };
        let aside = match &missing.set_aside {
            Some(path) => format!("was set aside: {}", path.display()),
            None => "is gone".to_owned(),
        };
        note(
            job,
            Notice::error(format!(
                "The last {} steps that had been kept are missing, and the label is as it was \
                 before them: the project's journal was damaged on the disk. It {aside}",
                missing.steps
            )),
        );
    }

    /// Sets a damaged project aside and opens its last good copy. Another error is only told: what
    /// is not ours is left alone.
    fn past_damage(&mut self, error: &ProjectError, job: &JobContext<Report>) -> Option<Project> {
        self.project = None;
        let place = self.settled.as_ref()?;
        if !error.is_damage() || place.lock.is_none() {
            note(job, Notice::error(error.to_string()));
            return None;
        }
        match recover(&place.path) {
            Ok(recovered) => {
                let instead = if recovered.from_backup {
                    "its last good copy is open instead"
                } else {
                    "there was no copy, so the label comes from its mask file"
                };
                let aside = recovered.set_aside.display();
                note(
                    job,
                    Notice::error(format!(
                        "{error}. It was set aside untouched, and {instead}: {aside}"
                    )),
                );
                let opened = recovered.from_backup.then(|| Project::open(&place.path));
                opened.and_then(Result::ok)
            }
            Err(refused) => {
                note(job, Notice::error(format!("{error}. {refused}")));
                None
            }
        }
    }

    /// Goes on with a label that was read: with what of its ground is not yet in tiles, too.
    fn resume(&mut self, layer: LayerId, label: &ReadLabel) {
        self.layer = None;
        if let ReadLabel::Kept(kept) = label {
            self.layer = Some((layer, kept.key));
            self.base = kept
                .needs_source
                .then(|| Base::new(layer, kept.key, (&kept.read.mask, &kept.read.origins)));
        }
    }

    /// The project for writing; made when there is none.
    fn writable(&mut self) -> Result<&mut Project, ProjectError> {
        let place = match &self.settled {
            Some(place) if place.lock.is_some() => place,
            _ => {
                return Err(ProjectError::Io {
                    source: std::io::ErrorKind::PermissionDenied.into(),
                    path: self.opened.clone(),
                });
            }
        };
        let project = match self.project.take() {
            Some(project) => project,
            None => Project::open(&place.path)?,
        };
        Ok(self.project.insert(project))
    }

    /// Writes some of a label's first ground; its end is told.
    fn write_base(&mut self, job: &JobContext<Report>) {
        let Some(mut base) = self.base.take() else {
            return;
        };
        let Some(project) = self.project.as_mut() else {
            return;
        };
        let some: Vec<_> = base.tiles.clone().take(BASE_TILES).collect();
        let written = if some.is_empty() {
            project.end_base(base.key)
        } else {
            project.keep_base(base.key, &some)
        };
        match written {
            Ok(()) if some.is_empty() => say(job, Report::GroundKept(base.layer)),
            Ok(()) => {
                base.tiles.by_ref().take(some.len()).for_each(drop);
                self.base = Some(base);
            }
            Err(error) => {
                self.base = Some(base);
                self.is_failing = true;
                say(job, Report::NotKept(error.to_string()));
            }
        }
    }

    fn write_all_base(&mut self, job: &JobContext<Report>) -> Result<(), ProjectError> {
        self.is_failing = false;
        while self.base.is_some() && !self.is_failing {
            self.write_base(job);
        }
        Ok(())
    }

    fn back_up_in_time(&mut self) {
        let is_due = self
            .changed
            .is_some_and(|since| since.elapsed() >= BACKUP_EVERY);
        if is_due {
            self.back_up();
        }
    }

    fn back_up(&mut self) {
        if let Some(project) = &self.project
            && let Err(error) = project.back_up()
        {
            // The project itself is whole; the copy before stays.
            tracing::warn!("no copy of the project was made: {error}");
        }
        self.changed = None;
    }

    fn close(mut self) {
        if self.changed.is_some() {
            self.back_up();
        }
        if let Some(Err(error)) = self.project.take().map(Project::close) {
            tracing::warn!("the project's journal stays beside it: {error}");
        }
    }
}

impl Base {
    fn new(layer: LayerId, key: LayerKey, (mask, origins): (&Mask, &Mask)) -> Self {
        let tiles: Vec<_> = mask
            .tiles()
            .filter(|(.., tile)| tile.uniform_class() != Some(UNLABELED))
            .map(|(col, row, _)| KeptTile::of(mask, origins, (col, row)))
            .collect();
        Self {
            layer,
            key,
            tiles: tiles.into_iter(),
        }
    }
}

fn read_project(project: &Project) -> Result<ProjectRead, ProjectError> {
    Ok(ProjectRead {
        images: project.images()?,
        unsaved: project.unsaved()?,
        models: project.models()?,
        order: project.class_order()?,
        removed: project.removed_classes()?,
        locked: project.locks()?,
        decisions: project.decisions()?,
        active_model: project.active_model()?,
    })
}

fn note(job: &JobContext<Report>, notice: Notice) {
    say(job, Report::Note(notice));
}

fn say(job: &JobContext<Report>, report: Report) {
    if job.tell(report).is_err() {
        tracing::debug!("the session is gone and hears no more");
    }
}
