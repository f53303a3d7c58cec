use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Stage;
use crate::geom::{Camera, ImagePoint, ImageSize};
use crate::render::{Gpu, list_adapters};
use crate::session::{Command, OpenImage};

const WINDOW: ImageSize = ImageSize::new(1_280, 800);
/// A screen that shows 60 pictures a second.
const FRAME: Duration = Duration::from_micros(16_667);
/// One screen a second, in screen pixels a frame.
const STEP: f64 = 1_280.0 / 60.0;
/// An image that is not sharp by then is measured as it is.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// Looks at an image as a person would, along a path that is always the same, and says what that
/// costs: a window of 1280 × 800 without a display.
#[derive(Clone, Debug)]
pub struct ViewBench {
    /// The image.
    pub path: PathBuf,
    /// How long it is looked at.
    pub seconds: u32,
    /// Whether frames are drawn, too; else they stop before the graphics card.
    pub draws: bool,
}

/// What looking at an image costs.
#[derive(Clone, Debug, Serialize)]
pub struct ViewReport {
    /// The graphics adapter.
    pub adapter: String,
    /// Columns and rows of the image.
    pub size: [u32; 2],
    /// Milliseconds from the wish to open it until anything of it is shown.
    pub first_picture_ms: f64,
    /// The same until all of the window is sharp.
    pub sharp_ms: f64,
    /// What each part of the path costs.
    pub parts: Vec<PartReport>,
    /// The most memory that the process had in a frame, in MiB.
    pub peak_mib: f64,
}

/// What a part of the path costs.
#[derive(Clone, Debug, Serialize)]
pub struct PartReport {
    /// What is done.
    pub name: &'static str,
    /// Frames of the part.
    pub frames: usize,
    /// Own work of a frame in milliseconds: median, 95th percentile, greatest.
    pub frame_ms: [f64; 3],
    /// How long visible tiles were missed in milliseconds: median, 95th percentile, greatest.
    pub wait_ms: [f64; 3],
    /// Tiles that were missed and came.
    pub tiles: usize,
}

impl ViewBench {
    /// Runs it.
    ///
    /// # Errors
    /// When the image cannot be opened or there is no graphics device.
    pub fn run(&self) -> anyhow::Result<ViewReport> {
        let gpu = Gpu::headless()?;
        let mut stage = Stage::new(gpu, None, WINDOW);
        stage.settle()?;
        let mut peak = 0.0;
        let began = Instant::now();
        let path = self.path.clone();
        stage.app_mut().perform(vec![Command::Open { path }]);
        let mut first_picture = None;
        while stage.app_mut().session().image().is_none() || !stage.app_mut().is_settled() {
            step(&mut stage, &mut peak)?;
            if first_picture.is_none() && stage.app_mut().view_mut().has_picture() {
                first_picture = Some(began.elapsed());
            }
            anyhow::ensure!(
                began.elapsed() < LONGEST_WAIT,
                "The image was not sharp within two minutes"
            );
            thread::sleep(Duration::from_millis(1));
        }
        let sharp = began.elapsed();
        let size = stage.app_mut().session().image().map(OpenImage::size);
        let size = size.unwrap_or_default();
        let frames = (u64::from(self.seconds) * 20).max(1);
        let mut parts = Vec::new();
        for (name, camera) in PATHS {
            parts.push(self.part(
                &mut stage,
                name,
                frames,
                &|share| camera(size, share),
                &mut peak,
            )?);
        }
        let adapter = list_adapters().into_iter().next();
        Ok(ViewReport {
            adapter: adapter.map_or_else(String::new, |adapter| adapter.name),
            size: [size.width, size.height],
            first_picture_ms: millis(first_picture.unwrap_or(sharp)),
            sharp_ms: millis(sharp),
            parts,
            peak_mib: peak,
        })
    }

    fn part(
        &self,
        stage: &mut Stage,
        name: &'static str,
        frames: u64,
        camera: &dyn Fn(u64) -> Camera,
        peak: &mut f64,
    ) -> anyhow::Result<PartReport> {
        drop(stage.app_mut().view_mut().take_waits());
        let mut own = Vec::new();
        let mut waits = Vec::new();
        for at in 0..frames {
            stage.app_mut().view_mut().camera = Some(camera(at));
            let began = Instant::now();
            stage.frame();
            own.push(began.elapsed());
            if self.draws {
                stage.picture()?;
            }
            stage.flush();
            *peak = peak.max(memory_mib());
            waits.extend(stage.app_mut().view_mut().take_waits());
            thread::sleep(FRAME.saturating_sub(began.elapsed()));
        }
        Ok(PartReport {
            name,
            frames: own.len(),
            frame_ms: spread(&mut own),
            wait_ms: spread(&mut waits),
            tiles: waits.len(),
        })
    }
}

/// A part of the path: the camera of a frame over an image.
type Path = fn(ImageSize, u64) -> Camera;

const PATHS: [(&str, Path); 3] = [
    ("one screen a second, actual pixels", |size, at| {
        along(size, at, 1.0)
    }),
    ("one screen a second, an eighth", |size, at| {
        along(size, at, 0.125)
    }),
    ("in and out, once in four seconds", |size, at| {
        let share = (at as f64 / 240.0 * std::f64::consts::TAU)
            .cos()
            .mul_add(-0.5, 0.5);
        let (far, near) = (800.0 / f64::from(size.height.max(1)), 4.0_f64);
        Camera {
            center: ImagePoint::new(f64::from(size.width) * 0.4, f64::from(size.height) * 0.6),
            scale: far * (near / far).powf(share),
        }
    }),
];

/// To the right and back again, a little lower each time.
fn along(size: ImageSize, at: u64, scale: f64) -> Camera {
    let [width, height] = [size.width, size.height].map(f64::from);
    let way = at as f64 * STEP / scale;
    let (rounds, there) = ((way / width).floor(), way % width);
    let is_back = rounds as u64 % 2 == 1;
    let x = if is_back { width - there } else { there };
    let y = (height * 0.3 + way * 0.11) % height;
    Camera {
        center: ImagePoint::new(x, y),
        scale,
    }
}

fn step(stage: &mut Stage, peak: &mut f64) -> anyhow::Result<()> {
    stage.frame();
    stage.flush();
    *peak = peak.max(memory_mib());
    match stage.app_mut().take_failure() {
        Some(why) => Err(anyhow::anyhow!(why)),
        None => Ok(()),
    }
}

fn memory_mib() -> f64 {
    let resident = memory_stats::memory_stats().map_or(0, |stats| stats.physical_mem);
    resident as f64 / f64::from(1 << 20)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Median, 95th percentile and greatest in milliseconds.
fn spread(durations: &mut [Duration]) -> [f64; 3] {
    durations.sort_unstable();
    let last = durations.len().saturating_sub(1);
    [50, 95, 100].map(|percent| {
        let at = last * percent / 100;
        durations.get(at).copied().map_or(0.0, millis)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_stays_over_the_image() {
        let size = ImageSize::new(9_000, 700);
        for (name, camera) in PATHS {
            for at in 0..2_000 {
                let camera = camera(size, at);
                assert!((0.0..=9_000.0).contains(&camera.center.x), "{name} {at}");
                assert!((0.0..=700.0).contains(&camera.center.y), "{name} {at}");
                assert!(camera.scale > 0.0);
            }
        }
    }
}
