use std::sync::Arc;

use super::super::jobs::{JobId, Report};
use super::super::state::Session;
use super::super::{CommandError, LayerKind};
use super::view::DataReport;
use crate::dataset::{Augment, MirroredWindow, PatchView, Scene, preview};
use crate::geom::{ImagePoint, ImageSize};
use crate::label::{ClassTable, Mask, UNLABELED};
use crate::raster::RgbaTile;

/// Longer sides are not previewed: sixteen of them would take too long.
const LONGEST: u32 = 256;
/// Decoded tiles that a preview may keep.
const CACHE_BYTES: usize = 64 << 20;

/// One variation of a patch.
#[derive(Clone, Debug)]
pub struct VariedPatch {
    /// The image; transparent where the network is given the mean color instead.
    pub image: Arc<RgbaTile>,
    /// The classes in their colors; transparent where nothing is learned.
    pub labels: Arc<RgbaTile>,
}

/// Variations of a patch of the open image, or why there are none.
#[derive(Clone, Debug, Default)]
pub struct Varied {
    /// What came last.
    pub patches: Option<Result<Arc<[VariedPatch]>, String>>,
    pub(super) job: Option<JobId>,
}

impl Session {
    /// Variations of a patch that were asked for last.
    pub const fn varied(&self) -> &Varied {
        &self.study.varied
    }

    /// Varies the patch of the open image around a place as a training would.
    pub(super) fn vary_patch(
        &mut self,
        augment: Augment,
        (at, side): (ImagePoint, u32),
        seed: u64,
    ) -> Result<(), CommandError> {
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let label = self.layer(LayerKind::Label);
        let mask = label.map_or_else(|| Mask::new(image.size()), |label| label.mask.clone());
        let (source, name) = (Arc::clone(&image.source), image.name());
        let (classes, size) = (self.classes().clone(), image.size());
        if let Some(job) = self.study.varied.job.take() {
            self.stop_job(job);
        }
        let id = self.start_quiet_job("Varying a patch", move |job| {
            let scene = Scene::tiled(name, source, mask, CACHE_BYTES);
            let views = preview(&scene, window(at, side, size), &augment, seed);
            let patches = views.map_err(|why| why.to_string()).map(|views| {
                let patch = |view| varied_patch(view, &classes);
                views.into_iter().map(patch).collect()
            });
            job.tell(Report::Data(DataReport::Varied(patches)))?;
            Ok(())
        });
        self.study.varied.job = Some(id);
        Ok(())
    }
}

/// A window of at most [`LONGEST`] pixels around a place, inside the image where it fits.
fn window(at: ImagePoint, side: u32, size: ImageSize) -> MirroredWindow {
    let side = side.min(LONGEST);
    let start = |at: f64, length: u32| {
        let most = length.saturating_sub(side);
        (at - f64::from(side) / 2.0).clamp(0.0, f64::from(most)) as i64
    };
    MirroredWindow {
        x: start(at.x, size.width),
        y: start(at.y, size.height),
        side,
    }
}

fn varied_patch(view: PatchView, classes: &ClassTable) -> VariedPatch {
    let size = ImageSize::new(view.side as u32, view.side as u32);
    let colors = classes.colors();
    let color = |&class: &u8| match class {
        UNLABELED => [0; 4],
        class => {
            let [red, green, blue] = colors[usize::from(class)];
            [red, green, blue, 255]
        }
    };
    let labels = view.labels.iter().flat_map(color).collect();
    VariedPatch {
        image: Arc::new(RgbaTile {
            size,
            pixels: view.rgba,
        }),
        labels: Arc::new(RgbaTile {
            size,
            pixels: labels,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_stays_inside() {
        let size = ImageSize::new(300, 100);
        let at = |x, y, side| {
            let window = window(ImagePoint::new(x, y), side, size);
            (window.x, window.y, window.side)
        };
        assert_eq!(at(150.0, 50.0, 64), (118, 18, 64));
        assert_eq!(at(0.0, 99.0, 64), (0, 36, 64));
        assert_eq!(at(299.0, 50.0, 4096), (44, 0, 256));
    }
}
