//! A tiny world in memory for the tests of this layer.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{DeviceChoice, Recipe, TrainPlan};
use crate::dataset::{Ground, Scene};
use crate::geom::{Georef, ImageSize, PixelRect};
use crate::job::{Job, JobEvent};
use crate::label::{Class, ClassTable, Mask};
use crate::nn::ModelConfig;
use crate::raster::{Layout, RasterInfo, ReadError, SampleType, TileSource};

pub(super) const SIZE: ImageSize = ImageSize {
    width: 230,
    height: 200,
};

/// Class 1 in discs on class 0; the last columns of the image have no data.
pub(super) fn class_at(x: u32, y: u32) -> u8 {
    let (dx, dy) = ((x % 50).abs_diff(25), (y % 50).abs_diff(25));
    u8::from(dx * dx + dy * dy < 200)
}

pub(super) struct World {
    info: RasterInfo,
    /// Pixels along a side of each that it is painted of.
    fine: u32,
}

impl World {
    pub(super) fn new() -> Arc<Self> {
        Self::painted(None, 1)
    }

    /// The same with pixels of half a meter, each drawn as `fine` by `fine` smaller ones.
    pub(super) fn on_the_map(fine: u32) -> Arc<Self> {
        let pixel = 0.5 / f64::from(fine);
        Self::painted(Some(Georef::north_up(5e5, 2e5, pixel, Some(2180))), fine)
    }

    fn painted(georef: Option<Georef>, fine: u32) -> Arc<Self> {
        let size = ImageSize::new(SIZE.width * fine, SIZE.height * fine);
        let info = RasterInfo {
            size,
            bands: 4,
            sample: SampleType::U8,
            compression: "none".to_owned(),
            layout: Layout::Whole,
            level_sizes: vec![size],
            georef,
            nodata: None,
            palette: None,
            has_alpha: true,
            orientation: crate::raster::Orientation::default(),
            format: "test",
        };
        Arc::new(Self { info, fine })
    }
}

impl TileSource for World {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn read_rgba(&self, _stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let pixel = |x: u32, y: u32| {
            let grain = (x * 7 + y * 13) as u8 % 40;
            let alpha = if x < SIZE.width - 6 { 255 } else { 0 };
            [60 + 120 * class_at(x, y) + grain, 90 + grain, 70, alpha]
        };
        let fine = self.fine;
        let row = |y| (rect.x..rect.right()).flat_map(move |x| pixel(x / fine, y / fine));
        Ok((rect.y..rect.bottom()).flat_map(row).collect())
    }

    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        Ok(vec![0; rect.num_pixels() as usize])
    }

    fn block_size(&self, _stored: usize) -> ImageSize {
        ImageSize::new(64, 64)
    }
}

pub(super) fn classes() -> ClassTable {
    let classes = vec![
        Class::new(0, "ground", [0; 3]),
        Class::new(1, "disc", [200; 3]),
    ];
    ClassTable::new(Some(0), classes).expect("a table")
}

pub(super) fn truth() -> Mask {
    let mut mask = Mask::new(SIZE);
    let labels: Vec<u8> = (0..SIZE.height)
        .flat_map(|y| (0..SIZE.width).map(move |x| class_at(x, y)))
        .collect();
    mask.set_rect(SIZE.bounds(), &labels);
    mask
}

pub(super) fn recipe() -> Recipe {
    Recipe {
        epochs: 2,
        steps_per_epoch: 6,
        batch: 5,
        patch: 32,
        learning_rate: 1e-2,
        device: DeviceChoice::Cpu,
        model: ModelConfig {
            base_filters: 4,
            depth: 2,
            ..ModelConfig::default()
        },
        ..Recipe::default()
    }
}

pub(super) fn ground() -> Ground {
    let scene = Scene::tiled("world".to_owned(), World::new(), truth(), 1 << 22);
    Ground::Image(Arc::new(scene))
}

pub(super) fn plan(recipe: Recipe, folder: &Path) -> TrainPlan {
    TrainPlan::new(recipe, ground(), classes(), folder.to_owned()).expect("a plan")
}

/// Held by a test that trains with dropout: the processor's random numbers are one sequence for
/// all threads.
pub(super) fn dropping_alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All events of a job; the last one tells how it ended.
pub(super) fn events_of<E>(job: &Job<E>) -> Vec<JobEvent<E>> {
    let mut events = Vec::new();
    while let Some(event) = job.next_within(Duration::from_mins(1)) {
        let is_last = !matches!(event, JobEvent::Said(_));
        events.push(event);
        if is_last {
            break;
        }
    }
    events
}
