use super::{GridScale, PixelSize};
use crate::dataset::DatasetError;
use crate::exchange::pixel_meters;
use crate::raster::RasterInfo;

/// Sizes that differ by less than this factor are one.
const NEAR: f64 = 1.02;
/// Sizes that differ by more than this factor are worth a warning.
const FAR: f64 = 1.5;
/// Units of a system that is not known are likely degrees when pixels are smaller than this.
const LEAST_UNIT: f64 = 1e-3;

/// Meters on the ground along a side of the pixel in the middle of an image, the geometric mean of
/// its width and height; `None` when the image does not say.
pub fn image_meters(info: &RasterInfo) -> Option<f64> {
    let georef = info.georef.as_ref()?;
    let [width, height] = pixel_meters(info.size, Some(georef))?;
    let meters = (width * height).sqrt();
    let is_known = georef.epsg.is_some() || meters >= LEAST_UNIT;
    (is_known && meters > 0.0 && meters.is_finite()).then_some(meters)
}

/// The pixel size of a run and what it means for each image.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPixels {
    /// Meters along a side of a pixel; `None` when nothing is known, or images are read as they
    /// are.
    pub meters: Option<f64>,
    /// How each image is read.
    pub scales: Vec<GridScale>,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl RunPixels {
    /// What `choice` means for images of these names and sizes in meters.
    ///
    /// # Errors
    /// When an image differs from the run's size beyond reason.
    pub fn of(choice: PixelSize, images: &[(String, Option<f64>)]) -> Result<Self, DatasetError> {
        let known = images.iter().filter_map(|(_, meters)| *meters);
        let meters = match choice {
            PixelSize::AsIs => None,
            PixelSize::Auto => commonest(known.collect()),
            PixelSize::Meters(meters) => Some(meters),
        };
        let mut run = Self {
            meters,
            scales: vec![GridScale::OWN; images.len()],
            notes: Vec::new(),
        };
        let Some(run_meters) = meters else {
            run.tell_unknown(choice);
            return Ok(run);
        };
        for (scale, (name, meters)) in run.scales.iter_mut().zip(images) {
            if let Some(meters) = meters {
                *scale = scale_between(run_meters, *meters)
                    .ok_or_else(|| too_far(run_meters, name, *meters))?;
            }
        }
        run.tell(run_meters, images);
        Ok(run)
    }

    fn tell_unknown(&mut self, choice: PixelSize) {
        if choice == PixelSize::Auto {
            self.notes.push(
                "No image says how large its pixels are on the ground, so all are read pixel by \
                 pixel; a model of them must be used on images of about the same pixel size"
                    .to_owned(),
            );
        }
    }

    fn tell(&mut self, run: f64, images: &[(String, Option<f64>)]) {
        let all = images.len();
        let resampled = self.scales.iter().filter(|scale| !scale.is_own()).count();
        if resampled > 0 {
            self.notes.push(format!(
                "{resampled} of {all} images have another pixel size than the run's {run:.3} m and \
                 are resampled to it"
            ));
        }
        let factor = |meters: f64| (meters / run).max(run / meters);
        let known = images
            .iter()
            .filter_map(|(name, meters)| Some((name, (*meters)?)));
        let far: Vec<(&String, f64)> = known.filter(|known| factor(known.1) > FAR).collect();
        let worst = far
            .iter()
            .max_by(|a, b| factor(a.1).total_cmp(&factor(b.1)));
        if let Some((name, meters)) = worst {
            self.notes.push(format!(
                "{} images differ by more than {FAR} times from the run's pixel size of {run:.3} m; \
                 the farthest has {meters:.3} m: {name}",
                far.len()
            ));
        }
        let unknown = images.iter().filter(|(_, meters)| meters.is_none()).count();
        if unknown > 0 {
            self.notes.push(format!(
                "{unknown} of {all} images do not say how large their pixels are; they are read as \
                 if they had the run's {run:.3} m"
            ));
        }
    }
}

/// How an image with pixels of `image` meters is read by a model that learned from pixels of
/// `model` meters, and what the user should know.
///
/// # Errors
/// When the two differ beyond reason.
pub fn scale_for_model(
    model: Option<f64>,
    image: Option<f64>,
) -> Result<(GridScale, Option<String>), DatasetError> {
    let (model, image) = match (model, image) {
        (Some(model), Some(image)) => (model, image),
        (Some(model), None) => {
            let note = format!(
                "The image does not say how large its pixels are; it is read as if they had the \
                 {model:.3} m that the model learned from"
            );
            return Ok((GridScale::OWN, Some(note)));
        }
        (None, Some(image)) => {
            let note = format!(
                "How large pixels the model learned from were is not known; the image with its \
                 {image:.3} m is read pixel by pixel"
            );
            return Ok((GridScale::OWN, Some(note)));
        }
        (None, None) => return Ok((GridScale::OWN, None)),
    };
    let scale = scale_between(model, image).ok_or_else(|| too_far(model, "the image", image))?;
    let factor = (model / image).max(image / model);
    let note = (factor > FAR).then(|| {
        format!(
            "The image has pixels of {image:.3} m and the model learned from {model:.3} m, more \
             than {FAR} times apart; the image is resampled, but may look unlike what was learned"
        )
    });
    Ok((scale, note))
}

fn scale_between(run: f64, image: f64) -> Option<GridScale> {
    let step = run / image;
    if (1.0 / NEAR..=NEAR).contains(&step) {
        return Some(GridScale::OWN);
    }
    GridScale::new(step)
}

fn too_far(run: f64, name: &str, meters: f64) -> DatasetError {
    DatasetError::PixelSize(format!(
        "Pixels of {meters} m cannot be read as pixels of {run} m; choose another pixel_size or \
         leave the image out: {name}"
    ))
}

/// The size that most others are near to, of equal ones the smallest.
fn commonest(mut sizes: Vec<f64>) -> Option<f64> {
    sizes.sort_by(f64::total_cmp);
    let mut best = (0, None);
    let mut end = 0;
    for (start, &least) in sizes.iter().enumerate() {
        while end < sizes.len() && sizes[end] <= least * NEAR {
            end += 1;
        }
        if end - start > best.0 {
            best = (end - start, Some(sizes[start + (end - start) / 2]));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(sizes: &[Option<f64>]) -> Vec<(String, Option<f64>)> {
        let named = |(at, size): (usize, &Option<f64>)| (format!("{at}.tif"), *size);
        sizes.iter().enumerate().map(named).collect()
    }

    #[test]
    fn the_commonest_size_is_the_runs_and_others_are_resampled() {
        let sizes = [0.25, 0.5, 0.2501, 0.25, 0.5].map(Some);
        let run = RunPixels::of(PixelSize::Auto, &images(&sizes)).expect("pixels");
        let meters = run.meters.expect("a size");
        assert!((meters - 0.25).abs() < 1e-3);
        let steps: Vec<f64> = run.scales.iter().map(|scale| scale.step()).collect();
        assert!(run.scales[0].is_own() && run.scales[2].is_own());
        assert!((steps[1] - 0.5).abs() < 1e-3, "{steps:?}");
        assert_eq!(run.notes.len(), 2, "{:?}", run.notes);
        assert!(run.notes[0].starts_with("2 of 5"), "{:?}", run.notes);
    }

    #[test]
    fn nothing_known_or_as_it_is_leaves_all_alone() {
        for (choice, sizes, notes) in [
            (PixelSize::Auto, [None, None], 1),
            (PixelSize::AsIs, [None, None], 0),
            (PixelSize::AsIs, [Some(0.1), Some(0.5)], 0),
        ] {
            let run = RunPixels::of(choice, &images(&sizes)).expect("pixels");
            assert!(run.meters.is_none() && run.notes.len() == notes);
            assert!(run.scales.iter().all(|scale| scale.is_own()));
        }
    }

    #[test]
    fn unknown_and_far_sizes_are_said_and_absurd_ones_refused() {
        let run = |sizes: &[Option<f64>]| RunPixels::of(PixelSize::Meters(0.5), &images(sizes));
        let notes = run(&[None, Some(0.5)]).expect("pixels").notes;
        assert!(notes.len() == 1 && notes[0].contains("1 of 2"), "{notes:?}");
        let notes = run(&[Some(0.3)]).expect("pixels").notes;
        assert!(notes[1].contains("1.5 times"), "{notes:?}");
        let error = run(&[Some(0.001)]).expect_err("absurd").to_string();
        assert!(error.ends_with("0.tif"), "{error}");
    }

    #[test]
    fn a_model_reads_images_in_its_own_size() {
        let of = |model, image| scale_for_model(model, image).expect("a scale");
        assert_eq!(of(Some(0.5), Some(0.505)), (GridScale::OWN, None));
        assert_eq!(of(None, None), (GridScale::OWN, None));
        let (scale, note) = of(None, Some(0.1));
        assert!(scale.is_own() && note.is_some_and(|note| note.contains("0.100 m")));
        let (scale, note) = of(Some(0.5), Some(0.4));
        assert!((scale.step() - 1.25).abs() < 1e-9 && note.is_none());
        assert!(of(Some(0.5), Some(0.1)).1.is_some() && of(Some(0.5), None).1.is_some());
        assert!(scale_for_model(Some(30.0), Some(0.1)).is_err());
    }
}
