use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::jobs::{Report, SharedSource, tell_progress};
use super::state::{ImageId, Session};
use super::{Change, JobId};
use crate::raster::{CogError, OpenError, OverviewError, OverviewStore, TileSource, open_raster};

/// Overviews of images that have none.
#[derive(Debug, Default)]
pub(super) struct OverviewWork {
    store: Option<OverviewStore>,
    job: Option<JobId>,
}

impl Session {
    /// From now on overviews of images that have none are made in the background and kept in
    /// `store`.
    pub fn keep_overviews(&mut self, store: OverviewStore) {
        self.study.overviews.store = Some(store);
    }

    pub(super) fn overview_store(&self) -> Option<OverviewStore> {
        self.study.overviews.store.clone()
    }

    /// Makes overviews of the open image where it has none and they can be made.
    pub(super) fn make_overviews(&mut self) {
        if let Some(job) = self.study.overviews.job.take() {
            self.stop_job(job);
        }
        let (Some(store), Some(image)) = (self.overview_store(), &self.image) else {
            return;
        };
        // Of these alone parts can be read without decoding all, and files say that they changed.
        let format = image.info().format;
        let is_suited = format.ends_with("TIFF") || format == "VRT";
        if !is_suited || !image.pyramid.needs_sketch() {
            return;
        }
        let (path, id) = (image.path.clone(), image.id);
        let title = format!("Overviews of {}", image.name());
        let job = self.start_job(title, move |job| {
            let told = Mutex::new(0);
            let goes_on = |share: f64| {
                if let Ok(mut told) = told.lock() {
                    tell_progress(job, &mut told, share);
                }
                job.check().is_ok()
            };
            match store.make(&path, SystemTime::now(), &goes_on) {
                Err(OverviewError::Build(CogError::Cancelled)) => return Ok(()),
                made => made?,
            };
            let source = store.open(&path, SystemTime::now())?;
            job.tell(Report::OverviewsMade(id, source))?;
            Ok(())
        });
        self.study.overviews.job = Some(job);
    }

    pub(super) fn overviews_made(&mut self, id: ImageId, source: SharedSource) {
        let Some(image) = self.image.as_mut().filter(|image| image.id == id) else {
            return;
        };
        image.pyramid = Arc::new(image.pyramid.again_with(Arc::clone(&source)));
        image.source = source;
        self.changes.push(Change::PyramidReady(id));
    }
}

/// Opens an image file, with its overviews where they are kept.
pub(super) fn open_source(
    path: &Path,
    store: Option<&OverviewStore>,
) -> Result<Arc<dyn TileSource>, OpenError> {
    match store {
        Some(store) => store.open(path, SystemTime::now()),
        None => open_raster(path),
    }
}
