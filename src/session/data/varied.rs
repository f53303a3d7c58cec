use std::sync::Arc;

use super::super::jobs::{JobId, Report};
use super::super::state::Session;
use super::super::{CommandError, LayerKind};
use super::drawn::Drawn;
use super::view::DataReport;
use crate::dataset::{Augment, DatasetError, MirroredWindow, PatchView, Scene, preview};
use crate::geom::{ImagePoint, ImageSize};
use crate::label::{ClassTable, Mask, UNLABELED};
use crate::raster::RgbaTile;

/// Longer sides are not previewed, or smaller: sixteen of them would take too long.
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

/// Varied patches of the open image or of a data set, or why there are none.
#[derive(Clone, Debug, Default)]
pub struct Varied {
    /// What came last.
    pub patches: Option<Result<Arc<[VariedPatch]>, String>>,
    pub(super) job: Option<JobId>,
    /// What is drawn from, when it is a data set.
    pub(super) drawn: Drawn,
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
        self.study.varied.drawn.leave();
        self.show_varied(move || {
            let scene = Scene::tiled(name, source, mask, CACHE_BYTES);
            let views = preview(&scene, window(at, side, size), &augment, seed)?;
            Ok(views.iter().map(|view| of_view(view, &classes)).collect())
        });
        Ok(())
    }

    /// Makes varied patches behind the window, instead of those that were asked for before.
    pub(super) fn show_varied(
        &mut self,
        make: impl FnOnce() -> Result<Arc<[VariedPatch]>, DatasetError> + Send + 'static,
    ) {
        if let Some(job) = self.study.varied.job.take() {
            self.stop_job(job);
        }
        let id = self.start_quiet_job("Varying patches", move |job| {
            let patches = make().map_err(|why| why.to_string());
            job.tell(Report::Data(DataReport::Varied(patches)))?;
            Ok(())
        });
        self.study.varied.job = Some(id);
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

/// A patch as it is shown; one with a side beyond [`LONGEST`] by every second pixel, or third.
pub(super) fn of_view(view: &PatchView, classes: &ClassTable) -> VariedPatch {
    let step = view.side.div_ceil(LONGEST as usize).max(1);
    let side = view.side.div_ceil(step);
    let size = ImageSize::new(side as u32, side as u32);
    let shown = (0..side * side).map(|at| (at / side * view.side + at % side) * step);
    let colors = classes.colors();
    let color = |at: usize| match view.labels[at] {
        UNLABELED => [0; 4],
        class => {
            let [red, green, blue] = colors[usize::from(class)];
            [red, green, blue, 255]
        }
    };
    let labels = shown.clone().flat_map(color).collect();
    let image = shown.flat_map(|at| view.rgba[at * 4..at * 4 + 4].iter().copied());
    VariedPatch {
        image: Arc::new(RgbaTile {
            size,
            pixels: image.collect(),
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

    #[test]
    fn a_large_patch_is_shown_smaller() {
        let side = 512;
        let view = PatchView {
            side,
            rgba: (0..side * side)
                .flat_map(|at| [(at % side / 2) as u8, (at / side / 2) as u8, 0, 255])
                .collect(),
            labels: (0..side * side).map(|at| (at % 2) as u8).collect(),
        };
        let classes = ClassTable::road();
        let shown = of_view(&view, &classes);
        assert_eq!(shown.image.size, ImageSize::new(256, 256));
        let pixel = |at: usize| &shown.image.pixels[at * 4..at * 4 + 4];
        assert_eq!(pixel(0), [0, 0, 0, 255]);
        assert_eq!(pixel(3 * 256 + 200), [200, 3, 0, 255]);
        assert_eq!(shown.labels.pixels.len(), 256 * 256 * 4);
        // Every second column is of class 0.
        let [red, green, blue] = classes.colors()[0];
        let is_first = |pixel: &[u8; 4]| *pixel == [red, green, blue, 255];
        assert!(shown.labels.pixels.as_chunks().0.iter().all(is_first));
    }
}
