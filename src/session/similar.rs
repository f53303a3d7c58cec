use std::sync::Arc;
use std::time::SystemTime;

use super::doubts::square;
use super::jobs::{JobId, Leash, Report};
use super::review::PlaceKind;
use super::state::{ImageId, Session};
use super::{CommandError, Notice};
use crate::geom::PixelRect;
use crate::label::Selection;
use crate::train::{Alike, FeatureIndex, FeatureStore, KeptLooks, SimilarEvent, SimilarOrder};

/// So many places are worth a walk.
const MOST_PLACES: usize = 60;

/// What the open image looks like, once somebody asked for similar ground.
#[derive(Debug, Default)]
pub(super) struct SimilarWork {
    /// Where it is found again what was seen before.
    store: Option<FeatureStore>,
    index: Option<(ImageId, Arc<FeatureIndex>)>,
    /// The job that looks at the image.
    job: Option<(JobId, ImageId)>,
    /// The ground that is shown to whom looks.
    wanted: Option<(ImageId, Selection)>,
}

impl SimilarWork {
    /// Bytes that it takes.
    pub(super) fn bytes_used(&self) -> usize {
        let index = self.index.as_ref();
        index.map_or(0, |(_, index)| index.bytes_used())
    }
}

impl Session {
    /// From now on what whole images look like is kept in `store`.
    pub fn keep_features(&mut self, store: FeatureStore) {
        self.study.similar.store = Some(store);
    }

    /// Walks through the places that look most like `ground`, or like what is selected. The whole
    /// image is looked at the first time.
    pub(super) fn start_similar(&mut self, ground: Option<PixelRect>) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let (id, bounds) = (image.id, image.size().bounds());
        let ground = match (ground, &self.selected) {
            (Some(rect), _) => Selection::of_rect(rect.intersect(bounds)),
            (None, Some(selected)) => selected.pixels.clone(),
            (None, None) => Selection::default(),
        };
        if ground.is_empty() {
            return Err(CommandError::Refused(
                "Nothing says what to look for: select some ground or point at it".to_owned(),
            ));
        }
        self.study.similar.wanted = Some((id, ground));
        let known = self.study.similar.index.as_ref().map(|(known, _)| *known);
        if known == Some(id) {
            self.find_similar();
            return Ok(());
        }
        if self.study.similar.job.is_some_and(|(_, of)| of == id) {
            return Ok(());
        }
        self.look_over(id)
    }

    fn look_over(&mut self, id: ImageId) -> Result<(), CommandError> {
        if let Some((job, _)) = self.study.similar.job {
            self.stop_job(job);
        }
        self.study.similar.index = None;
        let engine = self.engine()?.clone();
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let store = self.study.similar.store.clone();
        let order = SimilarOrder {
            source: Arc::clone(&image.source),
            kept: store.map(|store| KeptLooks {
                store,
                image: image.path.clone(),
                now: SystemTime::now(),
            }),
        };
        let job = engine.look_over(order, self.config.waker.clone());
        let job = self.list_job("Looking at the whole image", Leash::Similar(job));
        self.study.similar.job = Some((job, id));
        Ok(())
    }

    pub(super) fn absorb_similar(&mut self, id: JobId, event: SimilarEvent) {
        match event {
            SimilarEvent::Progress(share) => self.set_progress(id, share),
            SimilarEvent::Index(index) => {
                let open = self.image.as_ref().map(|image| image.id);
                let of = self
                    .study
                    .similar
                    .job
                    .filter(|(job, of)| *job == id && open == Some(*of));
                if let Some((_, of)) = of {
                    self.study.similar.index = Some((of, index));
                    self.find_similar();
                }
            }
        }
    }

    pub(super) fn similar_ended(&mut self, id: JobId) {
        if self.study.similar.job.is_some_and(|(job, _)| job == id) {
            self.study.similar.job = None;
        }
    }

    /// What was seen of an image goes with it.
    pub(super) fn forget_similar(&mut self) {
        if let Some((job, _)) = self.study.similar.job.take() {
            self.stop_job(job);
        }
        let store = self.study.similar.store.take();
        self.study.similar = SimilarWork {
            store,
            ..SimilarWork::default()
        };
    }

    fn find_similar(&mut self) {
        let work = &mut self.study.similar;
        let Some((image, ground)) = work.wanted.take() else {
            return;
        };
        let Some((_, index)) = work.index.clone().filter(|(of, _)| *of == image) else {
            return;
        };
        self.start_quiet_job("Finding similar places", move |job| {
            let found = index.alike(&ground, MOST_PLACES);
            job.tell(Report::Similar(image, found))?;
            Ok(())
        });
    }

    pub(super) fn similar_found(&mut self, image: ImageId, found: Vec<Alike>) {
        if self.image.as_ref().map(|open| open.id) != Some(image) {
            return;
        }
        if found.is_empty() {
            self.notify(Notice::info(
                "There is no other ground to compare it with, or no data there",
            ));
        }
        let place = |alike: Alike| square(alike.rect, PlaceKind::Similar(alike.likeness));
        let all = found.len();
        self.walk_through(found.into_iter().map(place).collect(), all, None);
    }
}
