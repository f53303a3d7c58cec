//! How finished strokes outlive a crash: what the session tells the thread that writes the
//! project, and what it hears back.

mod clerk;
mod keeper;
mod load;
mod place;
#[cfg(test)]
mod tests;

pub use place::ProjectPlace;

pub(super) use keeper::{Keeper, Work};
pub(super) use load::{Companion, ReadLabel, ReadMask};

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::images::EntryStatus;
use super::jobs::ProjectRead;
use super::state::{Layer, LayerId, Session};
use super::{CommandError, LayerKind, Notice};
use crate::geom::PixelRect;
use crate::label::{Edit, History, MASK_TILE_SIZE, Mask, StateMark};
use crate::project::{KeptClasses, KeptImage, KeptStep, KeptTile, OlderSteps, SourceFile};

/// How safe finished strokes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Safety {
    /// Only in memory until the label is saved.
    InMemory,
    /// On the disk, in the project at this path.
    Kept(PathBuf),
    /// On their way to the disk.
    Writing,
    /// In memory, since the disk refuses; it is asked again and again.
    Failing(String),
    /// There are none: another window writes the project.
    ReadOnly,
}

impl Session {
    /// How safe finished strokes are.
    pub fn safety(&self) -> Safety {
        match &self.keeper {
            Some(keeper) if keeper.is_read_only => Safety::ReadOnly,
            Some(keeper) => match (&keeper.failing, &keeper.path) {
                (Some(why), _) => Safety::Failing(why.clone()),
                (None, Some(path)) if keeper.is_done() => Safety::Kept(path.clone()),
                (None, Some(_)) => Safety::Writing,
                (None, None) => Safety::InMemory,
            },
            None => Safety::InMemory,
        }
    }

    /// The project that work is kept in, once it is known.
    pub fn project_file(&self) -> Option<&Path> {
        self.keeper.as_ref()?.path.as_deref()
    }

    /// Whether finished strokes would be gone when the session ended now.
    pub fn would_lose_work(&self) -> bool {
        let is_safe = matches!(self.safety(), Safety::Kept(_) | Safety::Writing);
        self.has_unsaved_work() && !is_safe
    }

    /// Turns to the project of what is open now; that of before is closed with all it was given.
    pub(super) fn turn_to_project(&mut self, opened: &Path) {
        let opened = absolute(opened);
        let is_ours = |keeper: &Keeper| keeper.opened() == opened && !keeper.is_read_only;
        if self.keeper.as_ref().is_some_and(is_ours) {
            return;
        }
        if let Some(mut keeper) = self.keeper.take() {
            keeper.leave();
            self.closing.push(keeper);
        }
        self.models.clear();
        self.palette.locked.clear();
        self.study.finetune.active = None;
        self.study.finetune.chain.clear();
        if self.config.projects == ProjectPlace::Nowhere {
            return;
        }
        let mut closing = self.closing.iter_mut();
        let before = closing.find_map(|keeper| keeper.ended(&opened));
        let started = Keeper::start(
            self.config.projects.clone(),
            opened,
            before,
            self.config.waker.clone(),
        );
        match started {
            Ok(keeper) => self.keeper = Some(keeper),
            Err(error) => self.notify(Notice::warning(format!(
                "Strokes are not kept until you save: no thread could be started ({error})"
            ))),
        }
    }

    /// Asks the project for the label of the open image; `false` when there is no project.
    pub(super) fn load_kept(&mut self, layer: LayerId, companion: Option<Companion>) -> bool {
        let (Some(keeper), Some(image)) = (&mut self.keeper, &self.image) else {
            return false;
        };
        keeper.layer = None;
        keeper.knows_image = false;
        keeper.needs_source = false;
        keeper.give(Work::Load {
            layer,
            opened: image.id,
            image: absolute(&image.path),
            size: image.size(),
            companion,
        });
        true
    }

    pub(super) fn label_read(&mut self, layer: LayerId, read: ReadLabel) {
        match read {
            ReadLabel::Nothing => {
                if let Some(kind) = self.kind_of(layer) {
                    self.replace_layer(kind, None);
                }
            }
            ReadLabel::WrongGuess(why) => {
                if let Some(kind) = self.kind_of(layer) {
                    self.replace_layer(kind, None);
                    self.notify(Notice::info(why));
                }
            }
            ReadLabel::Refused(why) => self.mask_refused(layer, why),
            ReadLabel::File(read) => self.mask_loaded(layer, read),
            ReadLabel::Kept(kept) => {
                // Another image may have been opened in the meantime.
                if self.kind_of(layer).is_none() {
                    return;
                }
                if let Some(keeper) = &mut self.keeper {
                    keeper.layer = Some(layer);
                    keeper.knows_image = true;
                    keeper.needs_source = kept.needs_source;
                }
                self.mask_loaded(layer, kept.read);
                self.history =
                    History::restored(kept.history, self.settings.budget().history_bytes);
                self.oldest = kept.oldest;
                self.saved = kept.saved.unwrap_or(StateMark::from_number(u64::MAX));
            }
        }
        self.look_for_kept_prediction();
    }

    pub(super) fn project_found(&mut self, path: PathBuf, is_read_only: bool) {
        let Some(keeper) = &mut self.keeper else {
            return;
        };
        if is_read_only && !keeper.is_read_only {
            self.notices.push(Notice::warning(format!(
                "Another window works on this project, so nothing can be changed here: {}",
                path.display()
            )));
        }
        keeper.path = Some(path);
        keeper.is_read_only = is_read_only;
    }

    pub(super) fn project_read(&mut self, read: ProjectRead) {
        let ProjectRead {
            images,
            unsaved,
            models,
            order,
            removed,
            locked,
            decisions,
            active_model,
        } = read;
        self.decisions = decisions;
        self.active_model_read(active_model);
        self.models = models;
        self.palette.order = order;
        self.palette.removed = removed;
        self.palette.locked = locked;
        let Some(list) = &mut self.list else { return };
        let entries = list.entries.iter_mut();
        let mut entries: HashMap<_, _> = entries
            .map(|entry| (absolute(&entry.image), entry))
            .collect();
        for image in images {
            if let Some(entry) = entries.get_mut(&image.path) {
                entry.score = image.score;
                if let Some(status) = EntryStatus::from_word(&image.status) {
                    entry.status = status;
                }
            }
        }
        for (image, mark) in unsaved {
            if let Some(entry) = entries.get_mut(&image) {
                entry.unsaved = Some(mark);
            }
        }
    }

    pub(super) fn work_kept(&mut self) {
        let Some(keeper) = &mut self.keeper else {
            return;
        };
        keeper.waiting = keeper.waiting.saturating_sub(1);
        if keeper.failing.take().is_some() {
            self.notify(Notice::info("The disk works again: all strokes are kept"));
        }
    }

    pub(super) fn work_not_kept(&mut self, why: String) {
        let Some(keeper) = &mut self.keeper else {
            return;
        };
        if keeper.failing.replace(why.clone()).is_none() {
            self.notify(Notice::error(format!(
                "{why}. Nothing is lost: strokes stay in memory and are written as soon as the \
                 disk takes them"
            )));
        }
        self.save_when_ground_is_kept();
    }

    pub(super) fn ground_kept(&mut self, layer: LayerId) {
        if let Some(keeper) = &mut self.keeper
            && keeper.layer == Some(layer)
        {
            keeper.needs_source = false;
        }
        self.save_when_ground_is_kept();
    }

    /// Makes a finished step durable. `before` is the state it began in.
    pub(super) fn keep_step(&mut self, edit: Edit, before: StateMark) {
        self.begin_keeping(before, Some(&edit));
        let (Some(keeper), Some(label), Some(origins)) =
            (&mut self.keeper, &self.label, &self.origins)
        else {
            return;
        };
        let step = KeptStep {
            mark: self.history.mark(),
            tiles: tiles_of(label, &origins.mask, &edit),
            edit,
            at: SystemTime::now(),
        };
        keeper.give(Work::Step {
            layer: label.id,
            step: Box::new(step),
        });
    }

    /// Makes a step back or forth durable.
    pub(super) fn keep_cursor(&mut self, edit: &Edit) {
        let (Some(keeper), Some(label), Some(origins)) =
            (&mut self.keeper, &self.label, &self.origins)
        else {
            return;
        };
        keeper.give(Work::Cursor {
            layer: label.id,
            mark: self.history.mark(),
            tiles: tiles_of(label, &origins.mask, edit),
        });
    }

    /// Whether steps are kept that are older than those in memory.
    pub(super) fn has_older_steps(&self) -> bool {
        let is_kept = self.keeper.as_ref().is_some_and(|keeper| {
            keeper.layer.is_some() && keeper.layer == self.label.as_ref().map(|label| label.id)
        });
        is_kept && self.history.base() != self.oldest
    }

    /// Asks for steps that are older than those in memory, to take back the newest of them.
    pub(super) fn recall_steps(&mut self) -> Result<(), CommandError> {
        let base = self.history.base();
        let (Some(keeper), Some(label)) = (&mut self.keeper, &self.label) else {
            return Ok(());
        };
        let layer = label.id;
        keeper.give(Work::Recall { layer, base });
        Ok(())
    }

    pub(super) fn steps_recalled(&mut self, layer: LayerId, older: Option<OlderSteps>) {
        // Another step may have been made, or another image opened, in the meantime.
        if self.kind_of(layer) != Some(LayerKind::Label) || self.history.can_undo() {
            return;
        }
        let base = self.history.base();
        let is_longer = older.is_some_and(|older| self.history.prepend(older.steps, older.base));
        if !is_longer {
            // Older ones were forgotten to keep the project small.
            self.oldest = base;
        } else if let Err(error) = self.undo() {
            self.notify(Notice::error(error.to_string()));
        }
    }

    /// Tells the project of the label as it was in the state `mark`, before `step`, unless it knows
    /// the label. Its ground may be on the disk before the step is: what the step painted must not
    /// be in it, or a kill between the two would leave pixels that no step can take back.
    pub(super) fn begin_keeping(&mut self, mark: StateMark, step: Option<&Edit>) {
        let classes = self.kept_classes();
        let (Some(keeper), Some(label), Some(origins), Some(image)) =
            (&mut self.keeper, &self.label, &self.origins, &self.image)
        else {
            return;
        };
        if keeper.layer == Some(label.id) {
            return;
        }
        self.oldest = mark;
        keeper.layer = Some(label.id);
        keeper.knows_image = true;
        keeper.needs_source = label.source.is_some();
        let (mut mask, mut before) = (label.mask.clone(), origins.mask.clone());
        if let Some(back) = step.map(Edit::inverse) {
            mask.apply(&back);
            before.apply_origins(&back);
        }
        keeper.give(Work::Begin {
            layer: label.id,
            image: absolute(&image.path),
            mask,
            origins: before,
            source: label.source.clone(),
            mark,
        });
        keeper.give(Work::Classes(Box::new(classes)));
    }

    fn kept_classes(&self) -> KeptClasses {
        KeptClasses {
            table: self.palette.table.clone(),
            order: self.palette.order.clone(),
            removed: self.palette.removed.clone(),
        }
    }

    /// A label that was opened over a kept one takes its place in the project as well.
    pub(super) fn keep_replaced_label(&mut self) {
        let knows_image = self
            .keeper
            .as_ref()
            .is_some_and(|keeper| keeper.knows_image);
        if knows_image {
            self.begin_keeping(self.history.mark(), None);
        }
    }

    pub(super) fn keep_classes(&mut self) {
        let classes = self.kept_classes();
        if let Some(keeper) = &mut self.keeper
            && !keeper.is_read_only
            && keeper.knows_image
        {
            keeper.give(Work::Classes(Box::new(classes)));
        }
    }

    /// Keeps which classes are locked. A lock is a protection, so it makes a project where there
    /// is none yet.
    pub(super) fn keep_locks(&mut self) {
        if let Some(keeper) = &mut self.keeper
            && !keeper.is_read_only
        {
            keeper.give(Work::Locks(self.palette.locked.clone()));
        }
    }

    /// Keeps how far the work on the list's open image is.
    pub(super) fn keep_entry(&mut self) {
        let Some(entry) = self.current_entry() else {
            return;
        };
        let image = KeptImage {
            path: absolute(&entry.image),
            status: entry.status.word().to_owned(),
            score: entry.score,
        };
        self.tell_project(Work::Image(image));
    }

    pub(super) fn keep_saved(&mut self, layer: LayerId, path: &Path, mark: StateMark) {
        let Ok(file) = SourceFile::now(&absolute(path)) else {
            return;
        };
        if let Some(label) = &mut self.label
            && label.id == layer
        {
            label.source = Some(file.clone());
        }
        self.tell_project(Work::Saved { layer, file, mark });
    }

    /// The same for an image that is not open any more.
    pub(super) fn keep_saved_of(&mut self, image: &Path, path: &Path, mark: StateMark) {
        let Ok(file) = SourceFile::now(&absolute(path)) else {
            return;
        };
        let image = absolute(image);
        self.tell_project(Work::SavedOf { image, file, mark });
    }

    /// Gives work to the project, if there is one and it is ours to write.
    fn tell_project(&mut self, work: Work) {
        if let Some(keeper) = &mut self.keeper
            && !keeper.is_read_only
        {
            keeper.give(work);
        }
    }

    /// Whether the label's file must stay as it is for the moment: some kept ground is only there.
    pub(super) fn is_file_needed(&self) -> bool {
        self.keeper
            .as_ref()
            .is_some_and(|keeper| keeper.needs_source && keeper.failing.is_none())
    }

    fn save_when_ground_is_kept(&mut self) {
        if let Some(save) = self.save_later.take()
            && let Err(error) = self.apply(save)
        {
            self.notify(Notice::error(error.to_string()));
        }
    }

    pub(super) fn refuse_when_read_only(&self) -> Result<(), CommandError> {
        match &self.keeper {
            Some(keeper) if keeper.is_read_only => Err(CommandError::ReadOnly),
            _ => Ok(()),
        }
    }

    /// What a label layer was when it was read; only labels are kept.
    pub(super) fn note_source(&mut self, kind: LayerKind, source: Option<SourceFile>) {
        if let Some(layer) = self.layer_mut(kind) {
            if let Some(source) = &source {
                layer.path = Some(source.path.clone());
            }
            layer.source = source;
        }
    }
}

pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The tiles that an edit touched, as they are now.
fn tiles_of(label: &Layer, origins: &Mask, edit: &Edit) -> Vec<KeptTile> {
    let place = |rect: PixelRect| (rect.x / MASK_TILE_SIZE, rect.y / MASK_TILE_SIZE);
    let places = edit.dirty_rects().into_iter().map(place);
    places
        .map(|place| KeptTile::of(&label.mask, origins, place))
        .collect()
}
