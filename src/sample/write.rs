use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::band::paint_band;
use super::canvas::UNLABELED;
use super::world::World;
use crate::geom::{Georef, ImageSize};
use crate::label::{ClassTable, MaskError};
use crate::raster::{Compression, Overviews, PixelKind, TiffOptions, TiffWriter, WriteError};

/// Rows that are painted and handed to the files at a time.
const BAND_ROWS: u32 = 256;
/// The largest side in pixels; beyond it the arithmetic of the landscape becomes coarse.
const MAX_SIDE: u32 = 131_072;
/// Map position of the upper-left corner in EPSG:2180: a place in the middle of Poland.
const CORNER: (f64, f64) = (512_000.0, 480_000.0);
/// Ground size of a pixel in meters.
const PIXEL_METERS: f64 = 0.25;
const EPSG: u32 = 2180;

/// What sample to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleConfig {
    /// Extent in pixels of a quarter of a meter; all classes occur from 1,024 × 1,024 on.
    pub size: ImageSize,
    /// Which landscape; equal seeds make equal files.
    pub seed: u64,
    /// Whether the files hold smaller copies of themselves.
    pub has_overviews: bool,
}

impl Default for SampleConfig {
    /// 4,096 × 4,096 pixels of landscape 1 with overviews.
    fn default() -> Self {
        Self {
            size: ImageSize::new(4_096, 4_096),
            seed: 1,
            has_overviews: true,
        }
    }
}

/// The files of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamplePaths {
    /// The orthophoto, RGB.
    pub ortho: PathBuf,
    /// The true class of each pixel.
    pub label_true: PathBuf,
    /// A label with mistakes as people make them.
    pub label: PathBuf,
    /// The class table.
    pub classes: PathBuf,
}

impl SamplePaths {
    fn within(dir: &Path) -> Self {
        Self {
            ortho: dir.join("ortho.tif"),
            label_true: dir.join("label_true.tif"),
            label: dir.join("label.tif"),
            classes: dir.join("classes.toml"),
        }
    }

    fn each(&self) -> [&Path; 4] {
        [&self.classes, &self.label_true, &self.label, &self.ortho]
    }
}

/// No sample was written.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// Somebody stopped it.
    #[error("Stopped on request; nothing was written")]
    Stopped,
    /// There can be no such image.
    #[error(
        "A sample of {size} pixels cannot be made: its sides must be from 1 to {MAX_SIDE}. \
         Choose another size"
    )]
    Size {
        /// What was asked for.
        size: ImageSize,
    },
    /// The folder cannot be used.
    #[error(
        "Could not write to the folder ({source}). \
         Check that the disk has space and the folder is writable: {path}"
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An image could not be written.
    #[error(transparent)]
    Image(#[from] WriteError),
    /// The class table could not be written.
    #[error(transparent)]
    Classes(#[from] MaskError),
}

/// Writes an orthophoto, its true label, a label with mistakes and the class table into `dir`,
/// which is made when it is missing.
///
/// `progress` gets the finished share (0 to 1) after each band and may stop the work. The files
/// appear together at the end; until then they lie in a folder of their own that vanishes when
/// the work stops. Memory does not grow with the height.
///
/// # Errors
/// [`SampleError`] when it was stopped, the size is out of range or the disk refuses.
pub fn write_sample(
    dir: &Path,
    config: &SampleConfig,
    progress: impl FnMut(f64) -> ControlFlow<()>,
) -> Result<SamplePaths, SampleError> {
    let size = config.size;
    if size.is_empty() || size.width.max(size.height) > MAX_SIDE {
        return Err(SampleError::Size { size });
    }
    let is_new = !dir.exists();
    let written = write_inside(dir, config, progress);
    if written.is_err() && is_new {
        // Fails, and rightly so, when somebody else has put something there.
        fs::remove_dir(dir).ok();
    }
    written
}

fn write_inside(
    dir: &Path,
    config: &SampleConfig,
    progress: impl FnMut(f64) -> ControlFlow<()>,
) -> Result<SamplePaths, SampleError> {
    let refused = |source| SampleError::Folder {
        path: dir.to_owned(),
        source,
    };
    fs::create_dir_all(dir).map_err(refused)?;
    let workshop: TempDir = tempfile::Builder::new()
        .prefix(".orthobrush-sample-")
        .tempdir_in(dir)
        .map_err(refused)?;
    let made = SamplePaths::within(workshop.path());
    paint_files(&made, config, progress)?;
    let placed = SamplePaths::within(dir);
    for (from, to) in made.each().into_iter().zip(placed.each()) {
        fs::rename(from, to).map_err(refused)?;
    }
    Ok(placed)
}

fn paint_files(
    paths: &SamplePaths,
    config: &SampleConfig,
    mut progress: impl FnMut(f64) -> ControlFlow<()>,
) -> Result<(), SampleError> {
    let table = ClassTable::landcover_ai();
    let mut ortho = TiffWriter::create(&paths.ortho, ortho_options(config))?;
    let mut truth = TiffWriter::create(&paths.label_true, label_options(config, &table))?;
    let mut hasty = TiffWriter::create(&paths.label, label_options(config, &table))?;
    let world = World::new(config.seed);
    let ImageSize { width, height } = config.size;
    let mut done = 0;
    while done < height {
        let rows = BAND_ROWS.min(height - done);
        let band = paint_band(&world, done, rows, width);
        ortho.write_rows(&band.rgb)?;
        truth.write_rows(&band.truth)?;
        hasty.write_rows(&band.hasty)?;
        done += rows;
        if progress(f64::from(done) / f64::from(height)).is_break() {
            return Err(SampleError::Stopped);
        }
    }
    ortho.finish()?;
    truth.finish()?;
    hasty.finish()?;
    Ok(table.save(&paths.classes)?)
}

fn georef() -> Georef {
    Georef::north_up(CORNER.0, CORNER.1, PIXEL_METERS, Some(EPSG))
}

fn ortho_options(config: &SampleConfig) -> TiffOptions {
    let mut options = TiffOptions::new(config.size, PixelKind::Rgb);
    options.compression = Compression::Jpeg { quality: 90 };
    options.georef = Some(georef());
    if !config.has_overviews {
        options.overviews = Overviews::None;
    }
    options
}

fn label_options(config: &SampleConfig, table: &ClassTable) -> TiffOptions {
    let mut palette = vec![[0; 3]; table.num_classes()];
    for class in table.classes() {
        palette[usize::from(class.index)] = class.color;
    }
    let mut options = TiffOptions::new(
        config.size,
        PixelKind::Index {
            palette: Some(palette),
        },
    );
    options.georef = Some(georef());
    options.nodata = Some(UNLABELED);
    if !config.has_overviews {
        options.overviews = Overviews::None;
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::PixelRect;
    use crate::raster::open_raster;

    fn small(seed: u64) -> SampleConfig {
        SampleConfig {
            size: ImageSize::new(700, 300),
            seed,
            has_overviews: true,
        }
    }

    #[test]
    fn a_sample_is_georeferenced_and_its_labels_are_what_was_painted() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("new");
        let paths = write_sample(&dir, &small(4), |_| ControlFlow::Continue(())).expect("written");
        let band = paint_band(&World::new(4), 0, 300, 700);
        let all = PixelRect::new(0, 0, 700, 300);
        let truth = open_raster(&paths.label_true).expect("opens");
        assert_eq!(truth.read_index(all).expect("read"), band.truth);
        let label = open_raster(&paths.label).expect("opens");
        assert_eq!(label.read_index(all).expect("read"), band.hasty);
        let ortho = open_raster(&paths.ortho).expect("opens");
        let georef = ortho.info().georef.clone().expect("placed");
        assert_eq!(
            (georef.epsg, georef.pixel_size()),
            (Some(2180), [0.25, 0.25])
        );
        assert_eq!(ortho.info().level_sizes.len(), 2);
        assert_eq!(fs::read_dir(&dir).expect("a folder").count(), 4);
    }

    #[test]
    fn a_stopped_run_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("new");
        let stopped = write_sample(&dir, &small(1), |_| ControlFlow::Break(()));
        assert!(matches!(stopped, Err(SampleError::Stopped)));
        assert!(!dir.exists());
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for size in [ImageSize::new(0, 10), ImageSize::new(10, MAX_SIDE + 1)] {
            let config = SampleConfig {
                size,
                ..SampleConfig::default()
            };
            let refused =
                write_sample(Path::new("nowhere"), &config, |_| ControlFlow::Continue(()));
            assert!(matches!(refused, Err(SampleError::Size { .. })));
        }
    }
}
