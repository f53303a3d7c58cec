use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::jobs::Report;
use super::super::state::Session;
use super::shelf::RunsReport;
use crate::disk::open_file;
use crate::geom::ImageSize;
use crate::raster::RgbaTile;
use crate::train::sample_path;

/// More pictures of an epoch are not shown.
const MOST_SAMPLES: usize = 12;
/// No picture of a run needs more when it is decoded.
const MOST_BYTES: usize = 128 << 20;

/// The pictures that a run made of its fixed patches after an epoch: image, label, prediction and
/// error side by side.
#[derive(Clone, Debug)]
pub struct RunSamples {
    /// The run's folder.
    pub run: PathBuf,
    /// The epoch, from 1.
    pub epoch: u32,
    /// The pictures by sample; those that cannot be read are left out.
    pub pictures: Vec<Arc<RgbaTile>>,
}

impl Session {
    pub(super) fn show_samples(&mut self, run: PathBuf, epoch: u32) {
        let wanted = Some((run.clone(), epoch));
        if self.study.runs.wanted == wanted {
            return;
        }
        self.study.runs.wanted = wanted;
        let entry = self.study.runs.entry(&run);
        let samples = entry.map(|entry| Arc::clone(&entry.samples));
        self.start_quiet_job("Reading sample pictures", move |job| {
            let samples = samples.unwrap_or_default();
            let of_epoch = samples.iter().filter(|(_, of)| *of == epoch);
            let pictures = of_epoch.take(MOST_SAMPLES).filter_map(|&(sample, epoch)| {
                let picture = decoded(&sample_path(&run, sample, epoch));
                let said = picture.map_err(|why| tracing::debug!("{why}"));
                said.ok().map(Arc::new)
            });
            let pictures = pictures.collect();
            job.tell(Report::Runs(RunsReport::Samples(RunSamples {
                run: run.clone(),
                epoch,
                pictures,
            })))?;
            Ok(())
        });
    }
}

fn decoded(path: &Path) -> anyhow::Result<RgbaTile> {
    let limits = png::Limits { bytes: MOST_BYTES };
    let file = BufReader::new(open_file(path)?);
    let mut decoder = png::Decoder::new_with_limits(file, limits);
    decoder.set_transformations(
        png::Transformations::normalize_to_color8() | png::Transformations::ALPHA,
    );
    let mut reader = decoder.read_info()?;
    let size = ImageSize::new(reader.info().width, reader.info().height);
    let bytes = reader
        .output_buffer_size()
        .filter(|&bytes| bytes <= MOST_BYTES);
    let bytes = bytes.filter(|&bytes| bytes as u64 == size.num_pixels() * 4);
    let mut pixels = vec![0; bytes.ok_or_else(|| anyhow::anyhow!("no picture of this program"))?];
    reader.next_frame(&mut pixels)?;
    Ok(RgbaTile { size, pixels })
}
