use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::super::jobs::{JobId, Report};
use super::super::state::Session;
use super::super::thumbnails::thumbnail;
use super::view::DataReport;
use crate::dataset::{Discovery, Sample};
use crate::geom::ImageSize;
use crate::label::{ClassTable, Mask, UNLABELED};
use crate::raster::RgbaTile;

/// Samples of a sheet at most.
const SHOWN: usize = 24;

/// Samples whose pictures are kept; with their masks 82 MB at most. Few screens show more.
pub const MOST_PICTURES: usize = 400;

/// A sample in small, with its mask to lay over it.
#[derive(Clone, Debug)]
pub struct ContactTile {
    /// The image.
    pub image: Arc<RgbaTile>,
    /// The classes in their colors, of the same extent; `None` without a mask that can be read.
    pub mask: Option<Arc<RgbaTile>>,
}

impl ContactTile {
    /// Longest side of a picture in pixels.
    pub const SIDE: u32 = 160;

    /// How much masks cover where nobody says otherwise, 0 to 1.
    pub const COVER: f32 = 0.5;

    /// The samples of a sheet, 24 at most: spread over all of the data set, those with masks alone
    /// where there are any.
    pub fn samples(discovery: &Discovery) -> Vec<&Sample> {
        let samples = discovery.samples.iter();
        let mut all: Vec<&Sample> = samples.filter(|sample| sample.mask.is_some()).collect();
        if all.is_empty() {
            all = discovery.samples.iter().collect();
        }
        let step = all.len().div_ceil(SHOWN).max(1);
        all.into_iter().step_by(step).collect()
    }

    /// The sample in small; `None` when its image cannot be read.
    pub fn of(sample: &Sample, discovery: &Discovery) -> Option<Self> {
        let image = thumbnail(&sample.image, Self::SIDE)?;
        let classes = discovery.classes.clone();
        let mask = sample.mask.as_ref().and_then(|_| {
            let read = sample.load_mask(discovery);
            let said = read.map_err(|why| tracing::debug!("{why}"));
            let (mask, _) = said.ok()?;
            let classes = classes.unwrap_or_else(|| table_of(&mask));
            Some(Arc::new(colored(&mask, &classes, image.size)))
        });
        Some(Self {
            image: Arc::new(image),
            mask,
        })
    }
}

/// Pictures of the samples that somebody looks at, and of some that were looked at before.
#[derive(Clone, Debug, Default)]
pub struct SamplePictures {
    /// By the sample's place in the data set; `None` where the image cannot be read.
    made: HashMap<usize, Option<ContactTile>>,
    /// Those that were made, the oldest first.
    order: VecDeque<usize>,
    /// Those that are looked at, [`MOST_PICTURES`] at most.
    wanted: Vec<usize>,
    /// Whether others were wanted since the job began.
    is_late: bool,
    job: Option<JobId>,
}

impl SamplePictures {
    /// The picture of a sample, once it is made.
    pub fn get(&self, at: usize) -> Option<&ContactTile> {
        self.made.get(&at)?.as_ref()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.made.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.made.is_empty()
    }

    fn want(&mut self, mut samples: Vec<usize>) {
        samples.truncate(MOST_PICTURES);
        self.wanted = samples;
    }

    /// Those of `count` samples that are wanted and not made.
    fn missing(&self, count: usize) -> Vec<usize> {
        let wanted = self.wanted.iter().copied();
        wanted
            .filter(|at| *at < count && !self.made.contains_key(at))
            .collect()
    }

    /// Keeps what was made of a sample; what nobody looks at goes for it.
    pub(crate) fn keep(&mut self, at: usize, tile: Option<ContactTile>) {
        if self.made.insert(at, tile).is_none() {
            self.order.push_back(at);
        }
        while self.made.len() > MOST_PICTURES {
            let is_old = |at: &usize| !self.wanted.contains(at);
            let Some(place) = self.order.iter().position(is_old) else {
                return;
            };
            let oldest = self.order.remove(place);
            oldest.and_then(|oldest| self.made.remove(&oldest));
        }
    }

    pub(super) const fn job(&self) -> Option<JobId> {
        self.job
    }
}

impl Session {
    /// Makes pictures of these samples, the first ones first.
    pub(super) fn look_at_samples(&mut self, samples: Vec<usize>) {
        if let Some(data) = &mut self.study.data {
            data.pictures.want(samples);
            self.picture_samples();
        }
    }

    /// Begins with what is missing. One job at a time: another begins when it has ended, so that
    /// large files do not pile up while somebody scrolls past them.
    fn picture_samples(&mut self) {
        let Some(data) = &mut self.study.data else {
            return;
        };
        let Some(discovery) = data.discovery.clone() else {
            return;
        };
        if let Some(job) = data.pictures.job {
            data.pictures.is_late = true;
            return self.stop_job(job);
        }
        let missing = data.pictures.missing(discovery.samples.len());
        if missing.is_empty() {
            return;
        }
        let id = self.start_quiet_job("Making pictures of samples", move |job| {
            for at in missing {
                job.check()?;
                let tile = ContactTile::of(&discovery.samples[at], &discovery);
                job.tell(Report::Data(DataReport::Pictured(at, tile)))?;
            }
            Ok(())
        });
        if let Some(data) = &mut self.study.data {
            data.pictures.job = Some(id);
        }
    }

    pub(super) fn sample_pictured(&mut self, id: JobId, at: usize, tile: Option<ContactTile>) {
        // Another data set may be looked at meanwhile.
        if let Some(data) = &mut self.study.data
            && data.pictures.job == Some(id)
        {
            data.pictures.keep(at, tile);
        }
    }

    pub(super) fn picturing_ended(&mut self, id: JobId) {
        let Some(data) = &mut self.study.data else {
            return;
        };
        if data.pictures.job.take_if(|job| *job == id).is_some()
            && std::mem::take(&mut data.pictures.is_late)
        {
            self.picture_samples();
        }
    }
}

fn table_of(mask: &Mask) -> ClassTable {
    let values = (0..UNLABELED).zip(mask.histogram());
    ClassTable::from_values(
        values
            .filter(|(_, pixels)| *pixels > 0)
            .map(|(value, _)| value),
    )
}

/// The mask in colors, by the nearest pixel: a mixture of classes would be another class.
fn colored(mask: &Mask, classes: &ClassTable, size: ImageSize) -> RgbaTile {
    let (from, colors) = (mask.size(), classes.colors());
    let mut picture = RgbaTile::blank(size);
    for (at, pixel) in picture.pixels.chunks_exact_mut(4).enumerate() {
        let (x, y) = (at as u32 % size.width, at as u32 / size.width);
        let nearest = |to: u32, from: u32, at: u32| {
            (u64::from(at) * u64::from(from) / u64::from(to.max(1))) as u32
        };
        let class = mask.get(
            nearest(size.width, from.width, x),
            nearest(size.height, from.height, y),
        );
        if class != UNLABELED {
            let [red, green, blue] = colors[usize::from(class)];
            pixel.copy_from_slice(&[red, green, blue, 255]);
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::PixelRect;
    use crate::label::Class;

    #[test]
    fn a_mask_is_colored_by_its_nearest_pixels() {
        let mut mask = Mask::new(ImageSize::new(8, 4));
        mask.set_rect(PixelRect::new(4, 0, 4, 4), &[1; 16]);
        let classes = vec![Class::new(0, "a", [9; 3]), Class::new(1, "b", [1, 2, 3])];
        let classes = ClassTable::new(None, classes).expect("a table");
        let small = colored(&mask, &classes, ImageSize::new(2, 1));
        assert_eq!(small.pixels, [0, 0, 0, 0, 1, 2, 3, 255]);
    }

    #[test]
    fn pictures_stay_bounded_while_somebody_goes_through_25_000_samples() {
        let mut pictures = SamplePictures::default();
        for first in (0..25_000).step_by(7) {
            pictures.want((first..first + 60).collect());
            for at in pictures.missing(25_000) {
                pictures.keep(at, None);
                assert!(pictures.len() <= MOST_PICTURES);
            }
            assert_eq!(pictures.missing(25_000), [0; 0], "all that are in sight");
            assert_eq!(pictures.order.len(), pictures.len());
        }
        assert_eq!(pictures.len(), MOST_PICTURES);
        pictures.want((0..25_000).collect());
        assert_eq!(pictures.missing(25_000).len(), MOST_PICTURES);
    }
}
