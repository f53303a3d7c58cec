use super::jobs::Report;
use super::labels::new_layer;
use super::operations::Wholesale;
use super::state::{Layer, LayerId, Session};
use super::{CommandError, LayerKind};
use crate::geom::PixelRect;
use crate::label::{Control, Edit, EditKind, Mask, UNLABELED};

/// Larger ground than this is not previewed: it would take as long as the change itself.
pub const MOST_PREVIEWED: u64 = 16_000_000;

/// What a change of the label would do in a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// How many pixels would change; `None` while it is being found out.
    pub pixels: Option<u64>,
    /// Where it was looked at, in level-0 pixels.
    pub part: PixelRect,
}

impl Session {
    /// What the change that is being put together would do.
    pub const fn preview(&self) -> Option<&Preview> {
        self.preview.as_ref()
    }

    /// Finds out what `change` would do in `part` and shows it over the label.
    pub(super) fn preview_change(
        &mut self,
        change: Wholesale,
        part: PixelRect,
    ) -> Result<(), CommandError> {
        self.drop_preview();
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        let part = part.intersect(label.mask.size().bounds());
        if label.is_loading || part.is_empty() || part.num_pixels() > MOST_PREVIEWED {
            return Ok(());
        }
        let (id, before) = (label.id, label.mask.clone());
        let (over, ground) = (self.unlocked(), self.selected_ground());
        self.preview = Some(Preview { pixels: None, part });
        let job = self.start_job("Previewing", move |job| {
            let control = Control {
                progress: &|_| (),
                is_cancelled: &|| job.check().is_err(),
            };
            let Some(after) = change.carried_out(&before, part, &over, &control) else {
                return Ok(job.check()?);
            };
            let after =
                Wholesale::within(&before, after, ground.as_ref().map(|(ground, _)| ground));
            let edit = Edit::between(&before, &after, EditKind::Cleanup);
            let pixels = edit.as_ref().map_or(0, Edit::num_pixels);
            let shown = shown_change(&before, &after, edit.as_ref());
            job.tell(Report::Previewed(id, Box::new(shown), pixels))?;
            Ok(())
        });
        self.doing.previewing = Some(job);
        Ok(())
    }

    pub(super) fn previewed(&mut self, label: LayerId, shown: Mask, pixels: u64) {
        if self.kind_of(label) != Some(LayerKind::Label) {
            return;
        }
        let Some(preview) = &mut self.preview else {
            return;
        };
        preview.pixels = Some(pixels);
        let layer = Layer {
            opacity: 1.0,
            ..new_layer(self.next_number(), shown)
        };
        self.put_layer(LayerKind::Preview, Some(layer));
    }

    pub(super) fn leave_preview(&mut self) -> Result<(), CommandError> {
        self.drop_preview();
        Ok(())
    }

    pub(super) fn drop_preview(&mut self) {
        if let Some(job) = self.doing.previewing.take() {
            self.stop_job(job);
        }
        self.preview = None;
        self.put_layer(LayerKind::Preview, None);
    }
}

/// The new classes where they are other ones, and nothing elsewhere.
fn shown_change(before: &Mask, after: &Mask, edit: Option<&Edit>) -> Mask {
    let mut shown = Mask::new(before.size());
    for rect in edit.map(Edit::dirty_rects).unwrap_or_default() {
        let old = before.read_rect(rect);
        let mut new = after.read_rect(rect);
        for (new, old) in new.iter_mut().zip(old) {
            if *new == old {
                *new = UNLABELED;
            }
        }
        shown.set_rect(rect, &new);
    }
    shown
}
