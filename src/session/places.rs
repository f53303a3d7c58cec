use super::checking::Checking;
use super::keeping::{Work, absolute};
use super::state::{OpenImage, Session};
use super::{CommandError, ImageId, Panes, PlaceCommand};
use crate::label::{CellKey, CellMark, CellState, Coverage, MapCheck};
use crate::project::Bookmark;
use crate::raster::{Look, Shading};

/// What is said about places in the open image.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub coverage: Coverage,
    pub bookmarks: Vec<Bookmark>,
    pub checking: Checking,
    /// How the open image is shown.
    pub look: Look,
    /// How it was shown before other bands were picked, until something is known of these.
    pub stand_in: Option<Shading>,
}

/// What a project knows of places in an image.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptPlaces {
    pub cells: Vec<(CellKey, CellMark)>,
    pub bookmarks: Vec<Bookmark>,
    pub check: Option<MapCheck>,
}

impl Session {
    /// Which cells of the open image are done.
    pub const fn coverage(&self) -> &Coverage {
        &self.places.coverage
    }

    /// Places in the open image to come back to, by name.
    pub fn bookmarks(&self) -> &[Bookmark] {
        &self.places.bookmarks
    }

    /// Nothing is said about another image yet.
    pub(super) fn forget_places(&mut self) {
        let size = self.image.as_ref().map(OpenImage::size);
        self.places.coverage = Coverage::new(size.unwrap_or_default());
        self.places.bookmarks.clear();
        self.places.checking = Checking::default();
    }

    pub(super) fn places_read(&mut self, image: ImageId, places: KeptPlaces) {
        if self.image.as_ref().map(|open| open.id) != Some(image) {
            return;
        }
        for (key, mark) in places.cells {
            self.places.coverage.set(key, mark);
        }
        self.places.bookmarks = places.bookmarks;
        self.places.checking.points = places.check.unwrap_or_default();
    }

    pub(super) fn apply_place(&mut self, command: PlaceCommand) -> Result<(), CommandError> {
        match command {
            PlaceCommand::Look(look) => self.set_look(look),
            PlaceCommand::MarkCell { cell, state } => self.mark_cell(cell, state),
            PlaceCommand::NoteCell { cell, note } => self.note_cell(cell, &note),
            PlaceCommand::AddBookmark(mark) => self.add_bookmark(mark),
            PlaceCommand::RemoveBookmark { name } => self.remove_bookmark(&name),
            PlaceCommand::Coordinates(shown) => self.set_coordinates(shown),
            PlaceCommand::Panes(panes) => self.keep_panes(panes),
            PlaceCommand::Check(command) => self.apply_check(command),
        }
    }

    fn keep_panes(&mut self, panes: Panes) -> Result<(), CommandError> {
        self.settings.keep_panes(panes);
        self.save_settings();
        Ok(())
    }

    fn mark_cell(&mut self, key: CellKey, state: Option<CellState>) -> Result<(), CommandError> {
        let mark = self.places.coverage.mark(key);
        let said = |state: &CellState| matches!(state, CellState::Done | CellState::NeedsReview);
        self.set_cell(
            key,
            CellMark {
                state: state.filter(said),
                ..mark
            },
        )
    }

    fn note_cell(&mut self, key: CellKey, note: &str) -> Result<(), CommandError> {
        let mark = self.places.coverage.mark(key);
        self.set_cell(
            key,
            CellMark {
                note: note.trim().to_owned(),
                ..mark
            },
        )
    }

    fn set_cell(&mut self, key: CellKey, mark: CellMark) -> Result<(), CommandError> {
        self.refuse_when_read_only()?;
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let image = absolute(&image.path);
        self.places.coverage.set(key, mark.clone());
        if let Some(keeper) = &mut self.keeper {
            keeper.give(Work::Cell { image, key, mark });
        }
        Ok(())
    }

    /// A bookmark of a name that is taken takes its place.
    fn add_bookmark(&mut self, mark: Bookmark) -> Result<(), CommandError> {
        if mark.name.trim().is_empty() {
            let why = "A bookmark needs a name; type one";
            return Err(CommandError::Refused(why.to_owned()));
        }
        let mut bookmarks = self.places.bookmarks.clone();
        bookmarks.retain(|known| known.name != mark.name);
        bookmarks.push(mark);
        self.set_bookmarks(bookmarks)
    }

    fn remove_bookmark(&mut self, name: &str) -> Result<(), CommandError> {
        let mut bookmarks = self.places.bookmarks.clone();
        bookmarks.retain(|known| known.name != name);
        self.set_bookmarks(bookmarks)
    }

    fn set_bookmarks(&mut self, mut bookmarks: Vec<Bookmark>) -> Result<(), CommandError> {
        self.refuse_when_read_only()?;
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let image = absolute(&image.path);
        bookmarks.sort_by(|a, b| a.name.cmp(&b.name));
        self.places.bookmarks.clone_from(&bookmarks);
        if let Some(keeper) = &mut self.keeper {
            keeper.give(Work::Bookmarks { image, bookmarks });
        }
        Ok(())
    }
}
