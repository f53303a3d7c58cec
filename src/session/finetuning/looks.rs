use std::iter::once;

use crate::geom::PixelRect;
use crate::session::state::Session;
use crate::session::{JobId, Notice};

/// So much of a view is predicted at once while the training waits, in each direction.
const MOST_AT_ONCE: u32 = 1_024;
/// So many pixels of a view are predicted with each better model.
const MOST_LOOKED_AT: u64 = 5 << 20;

impl Session {
    /// A better model was saved: what is looked at is predicted with it, the middle at once, but for
    /// somebody who walks through places of the prediction that is there.
    pub(in crate::session) fn finetune_got_better(&mut self) {
        let is_learning = self.is_finetuning();
        let is_look = self.prediction_state.run == self.study.finetune.run;
        let finetune = &mut self.study.finetune;
        finetune.has_gained |= is_learning;
        finetune.unseen.clear();
        let is_other = self.prediction_state.job.is_some() && !is_look;
        if !is_learning || is_other || self.review().is_some() || !self.is_corrected_image_open() {
            return;
        }
        // What the model of an epoch before says is of no use any more.
        self.stop_prediction();
        let bounds = self.image.as_ref().map(|image| image.size().bounds());
        let view = self.study.finetune.view.zip(bounds);
        let view = view.map(|(view, bounds)| view.intersect(bounds));
        if let Some(view) = view.filter(|view| !view.is_empty()) {
            self.study.finetune.unseen = pieces(view);
            self.look_at_next();
        }
    }

    /// The training made a step: what is not seen yet of what is looked at is predicted, a piece
    /// after each step, so that the training goes on between them.
    pub(in crate::session) fn look_on(&mut self) {
        let finetune = &self.study.finetune;
        let is_shown = finetune.run.is_some() && self.predicted_by() == finetune.run.as_deref();
        let is_free = self.prediction_state.job.is_none() && self.review().is_none();
        if is_shown && is_free && self.is_finetuning() && self.is_corrected_image_open() {
            self.look_at_next();
        }
    }

    /// A job was told to stop: a training that was does not wait for a look at its model.
    pub(in crate::session) fn training_stopped(&mut self, id: JobId) {
        let is_it = self.training.job == Some(id) && self.is_finetuning();
        if is_it && self.prediction_state.run == self.study.finetune.run {
            self.look_no_further();
            self.stop_prediction();
        }
    }

    /// Somebody stopped a look.
    pub(in crate::session) fn look_no_further(&mut self) {
        self.study.finetune.unseen.clear();
    }

    fn look_at_next(&mut self) {
        let finetune = &mut self.study.finetune;
        if let Some(view) = finetune.view {
            let is_seen = |piece: &PixelRect| !piece.intersect(view).is_empty();
            finetune.unseen.retain(is_seen);
        }
        if let (Some(run), Some(piece)) = (finetune.run.clone(), finetune.unseen.pop())
            && let Err(error) = self.predict_anew(run, piece)
        {
            self.look_no_further();
            self.notify(Notice::warning(error.to_string()));
        }
    }
}

/// A view in pieces, the nearest to its middle last; of a large one those around its middle.
fn pieces(view: PixelRect) -> Vec<PixelRect> {
    let middle = view.around_center(MOST_AT_ONCE);
    let cols = cuts((view.x, view.right()), middle.x);
    let rows = cuts((view.y, view.bottom()), middle.y);
    let mut pieces = Vec::new();
    for row in rows.windows(2) {
        let piece = |col: &[u32]| PixelRect::new(col[0], row[0], col[1] - col[0], row[1] - row[0]);
        pieces.extend(cols.windows(2).map(piece));
    }
    let far = |piece: &PixelRect| piece.center().distance(view.center());
    pieces.sort_by(|a, b| far(a).total_cmp(&far(b)));
    let mut pixels = 0;
    let near = pieces.into_iter().take_while(|piece| {
        pixels += piece.num_pixels();
        pixels <= MOST_LOOKED_AT
    });
    let mut near: Vec<PixelRect> = near.collect();
    near.reverse();
    near
}

/// Where a stretch is cut: at both ends, and every so many pixels from `at` on in both directions.
fn cuts((from, to): (u32, u32), at: u32) -> Vec<u32> {
    let first = from + (at - from) % MOST_AT_ONCE;
    let inside = (first..to).step_by(MOST_AT_ONCE as usize);
    let inside = inside.filter(|&cut| cut > from);
    once(from).chain(inside).chain(once(to)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_looked_at_from_its_middle_outwards_and_each_pixel_once() {
        let small = PixelRect::new(100, 200, 300, 250);
        assert_eq!(pieces(small), [small]);
        for view in [
            PixelRect::new(7, 9, 1_500, 900),
            PixelRect::new(0, 0, 1_025, 1_024),
            PixelRect::new(311, 40, 2_560, 1_440),
        ] {
            let pieces = pieces(view);
            assert_eq!(pieces.last(), Some(&view.around_center(1_024)));
            let pixels: u64 = pieces.iter().map(|piece| piece.num_pixels()).sum();
            assert_eq!(pixels, view.num_pixels());
            for (at, piece) in pieces.iter().enumerate() {
                assert_eq!(piece.intersect(view), *piece);
                let mut others = pieces[..at].iter();
                assert!(others.all(|other| other.intersect(*piece).is_empty()));
            }
        }
        let whole = PixelRect::new(0, 0, 9_500, 9_000);
        let pieces = pieces(whole);
        assert_eq!(pieces.len(), 5);
        assert_eq!(pieces.last(), Some(&whole.around_center(1_024)));
    }
}
