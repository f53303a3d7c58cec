use std::path::Path;

use super::ImageEntry;
use super::state::Session;
use crate::label::StateMark;

impl Session {
    /// Places in the list of the images whose labels have what their files lack.
    pub fn unsaved(&self) -> impl Iterator<Item = usize> {
        let open = self.open_place().filter(|_| self.is_label_known());
        let entries = self.list.iter().flat_map(|list| &list.entries);
        let is_unsaved = move |(at, entry): (usize, &ImageEntry)| {
            if open == Some(at) {
                self.has_unsaved_work()
            } else {
                entry.unsaved.is_some()
            }
        };
        let places = entries.enumerate();
        places.filter_map(move |(at, entry)| is_unsaved((at, entry)).then_some(at))
    }

    /// The place of the open image in the list.
    fn open_place(&self) -> Option<usize> {
        let (image, list) = (self.image.as_ref()?, self.list.as_ref()?);
        let is_it = |entry: &ImageEntry| entry.image == image.path;
        // One that cannot be opened is the current one all the same.
        let current = list.current.filter(|&at| is_it(&list.entries[at]));
        current.or_else(|| list.entries.iter().position(is_it))
    }

    /// Whether what there is of the open image's label was read.
    pub(super) fn is_label_known(&self) -> bool {
        let label = self.label.as_ref();
        label.is_none_or(|label| !label.is_loading && label.broken.is_none())
    }

    /// Notes in the list whether the label that is about to be left has what its file lacks.
    pub(super) fn note_unsaved(&mut self) {
        if !self.is_label_known() {
            return;
        }
        let mark = self.has_unsaved_work().then(|| self.history.mark());
        if let Some(at) = self.open_place()
            && let Some(list) = &mut self.list
        {
            list.entries[at].unsaved = mark;
        }
    }

    /// The label of an image that is not open any more was saved to `path`, in this state.
    pub(super) fn left_label_saved(&mut self, image: &Path, path: &Path, state: StateMark) {
        let entries = self.list.iter_mut().flat_map(|list| &mut list.entries);
        for entry in entries.filter(|entry| entry.image == image) {
            entry.unsaved = entry.unsaved.filter(|mark| *mark != state);
        }
        self.keep_saved_of(image, path, state);
    }
}
