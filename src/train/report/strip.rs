use std::fs;
use std::path::{Path, PathBuf};

use crate::dataset::Normalization;
use crate::disk::replace_file;
use crate::geom::ImageSize;
use crate::label::{ClassTable, Rgb, UNLABELED};
use crate::train::TrainError;

/// The folder of strips in a run folder.
const SAMPLES: &str = "samples";
/// Files of the folder that are looked at.
const MOST_STRIPS: usize = 200_000;
/// Columns between two panes.
const GAP: u32 = 4;
/// Nothing, so that strips fit on light and dark paper.
const GAP_COLOR: [u8; 4] = [0; 4];
/// Ground without a label.
const NO_LABEL: Rgb = [64; 3];
const WRONG: Rgb = [230, 57, 40];

/// A piece of ground that is looked at after each epoch. All by row from the upper left.
#[derive(Clone, Copy, Debug)]
pub struct Patch<'a> {
    /// Its extent.
    pub size: ImageSize,
    /// Four bytes a pixel: red, green, blue and alpha (not premultiplied).
    pub image: &'a [u8],
    /// The true class of each pixel, 255 where there is none.
    pub labels: &'a [u8],
    /// The predicted class of each pixel, 255 where there is none.
    pub prediction: &'a [u8],
}

impl Patch<'_> {
    fn num_pixels(&self) -> Option<usize> {
        let area = u64::from(self.size.width) * u64::from(self.size.height);
        let area = usize::try_from(area).ok().filter(|&area| area > 0)?;
        let fits = self.labels.len() == area
            && self.prediction.len() == area
            && Some(self.image.len()) == area.checked_mul(4);
        fits.then_some(area)
    }

    /// Image, label, prediction and error of a pixel.
    fn colors_at(&self, at: usize, classes: &[Rgb; 256]) -> [Rgb; 4] {
        let image = over_grey(&self.image[4 * at..4 * at + 4]);
        let color = |class: u8| match class {
            UNLABELED => NO_LABEL,
            class => classes[usize::from(class)],
        };
        let (label, prediction) = (self.labels[at], self.prediction[at]);
        let error = match label {
            UNLABELED => NO_LABEL,
            label if label != prediction => WRONG,
            _ => faded(image),
        };
        [image, color(label), color(prediction), error]
    }
}

/// A pixel of an image on the grey of missing ground.
fn over_grey(rgba: &[u8]) -> Rgb {
    let alpha = u32::from(rgba[3]);
    [0, 1, 2].map(|channel| {
        let mixed = u32::from(rgba[channel]) * alpha + u32::from(NO_LABEL[0]) * (255 - alpha);
        (mixed / 255) as u8
    })
}

/// Light and without color, so that only errors have one.
fn faded([red, green, blue]: Rgb) -> Rgb {
    let luma = (u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114) / 1000;
    [(140 + luma * 115 / 255) as u8; 3]
}

/// The strip as a PNG file: image, label, prediction and error side by side. Errors are red;
/// ground without a label is dark grey, since nothing there is right or wrong.
///
/// `None` when the lengths do not fit the size, or there is no pixel.
pub fn strip_png(patch: &Patch, classes: &ClassTable) -> Option<Vec<u8>> {
    let num_pixels = patch.num_pixels()?;
    let width = patch.size.width.checked_mul(4)?.checked_add(3 * GAP)?;
    let colors = classes.colors();
    let mut pixels: Vec<u8> = Vec::with_capacity(num_pixels.checked_mul(4 * 4)?);
    let columns = patch.size.width as usize;
    for row in 0..patch.size.height as usize {
        for pane in 0..4 {
            if pane > 0 {
                (0..GAP).for_each(|_| pixels.extend(GAP_COLOR));
            }
            for at in row * columns..(row + 1) * columns {
                pixels.extend(patch.colors_at(at, &colors)[pane]);
                pixels.push(255);
            }
        }
    }
    encoded(width, patch.size.height, &pixels).ok()
}

fn encoded(width: u32, height: u32, rgba: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgba)?;
    writer.finish()?;
    Ok(bytes)
}

/// The pixels of one patch of a [`Batch`](crate::dataset::Batch), channels × rows × columns of
/// normalized values, as [`Patch::image`] has them: the first three channels, or the last of fewer
/// as often as needed.
pub fn rgba_of(planes: &[f32], normalization: &Normalization) -> Vec<u8> {
    let channels = normalization.num_channels();
    let area = planes.len() / channels;
    let level = |channel: usize, at: usize| {
        let channel = channel.min(channels - 1);
        let value = planes[channel * area + at];
        let value = value * normalization.std[channel] + normalization.mean[channel];
        (value * 255.0).round().clamp(0.0, 255.0) as u8
    };
    (0..area)
        .flat_map(|at| [level(0, at), level(1, at), level(2, at), 255])
        .collect()
}

/// Where the strip of a sample (from 0) after an epoch (from 1) lies: by name all epochs of one
/// sample follow each other.
pub fn sample_path(run: &Path, sample: usize, epoch: u32) -> PathBuf {
    let name = format!("sample-{sample:02}-epoch-{epoch:05}.png");
    run.join(SAMPLES).join(name)
}

/// Sample and epoch of a file that [`sample_path`] named.
fn sample_of(name: &str) -> Option<(usize, u32)> {
    let name = name.strip_prefix("sample-")?.strip_suffix(".png")?;
    let (sample, epoch) = name.split_once("-epoch-")?;
    Some((sample.parse().ok()?, epoch.parse().ok()?))
}

/// Sample (from 0) and epoch (from 1) of each strip in the run's folder, by epoch.
pub fn list_samples(run: &Path) -> Vec<(usize, u32)> {
    let entries = fs::read_dir(run.join(SAMPLES)).into_iter().flatten();
    let mut samples: Vec<(usize, u32)> = entries
        .take(MOST_STRIPS)
        .flatten()
        .filter_map(|entry| sample_of(&entry.file_name().to_string_lossy()))
        .collect();
    samples.sort_unstable_by_key(|&(sample, epoch)| (epoch, sample));
    samples
}

/// Writes the strip of a sample into the run's folder `samples`. Nothing is written when the
/// patch's lengths do not fit its size.
///
/// # Errors
/// When the disk refuses.
pub fn write_strip(
    run: &Path,
    (sample, epoch): (usize, u32),
    patch: &Patch,
    classes: &ClassTable,
) -> Result<(), TrainError> {
    if let Some(png) = strip_png(patch, classes) {
        replace_file(&sample_path(run, sample, epoch), &png)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Class;

    fn patch() -> Patch<'static> {
        Patch {
            size: ImageSize::new(2, 1),
            image: &[255, 255, 255, 255, 0, 0, 0, 0],
            labels: &[0, 1],
            prediction: &[0, 0],
        }
    }

    #[test]
    fn a_strip_shows_image_label_prediction_and_error() {
        let classes = vec![Class::new(0, "a", [1, 2, 3]), Class::new(1, "b", [4, 5, 6])];
        let classes = ClassTable::new(None, classes).expect("a table");
        let png = strip_png(&patch(), &classes).expect("it fits");
        let decoded = image::load_from_memory(&png).expect("a PNG").to_rgb8();
        assert_eq!(decoded.dimensions(), (4 * 2 + 3 * 4, 1));
        let at = |x| decoded.get_pixel(x, 0).0;
        assert_eq!([at(0), at(1), at(2)], [[255; 3], [64; 3], [0; 3]]);
        assert_eq!([at(6), at(7)], [[1, 2, 3], [4, 5, 6]]);
        assert_eq!([at(12), at(13)], [[1, 2, 3], [1, 2, 3]]);
        assert_eq!([at(18), at(19)], [[255; 3], WRONG]);
        let unlabeled = Patch {
            labels: &[255, 1],
            ..patch()
        };
        let png = strip_png(&unlabeled, &classes).expect("it fits");
        let decoded = image::load_from_memory(&png).expect("a PNG").to_rgb8();
        assert_eq!(decoded.get_pixel(18, 0).0, NO_LABEL);
    }

    #[test]
    fn what_does_not_fit_makes_no_strip() {
        let classes = ClassTable::road();
        for size in [
            ImageSize::new(0, 1),
            ImageSize::new(3, 1),
            ImageSize::new(u32::MAX, u32::MAX),
        ] {
            let wrong = Patch { size, ..patch() };
            assert_eq!(strip_png(&wrong, &classes), None);
        }
    }

    #[test]
    fn normalized_colors_become_levels_again() {
        let normalization = Normalization {
            mean: vec![0.5, 0.0, 1.0],
            std: vec![0.5, 1.0, 0.5],
        };
        let planes = [-1.0, 1.0, 0.2, 9.0, 0.0, f32::NAN];
        let expected = [0, 51, 255, 255, 255, 255, 0, 255];
        assert_eq!(rgba_of(&planes, &normalization), expected);
        assert_eq!(rgba_of(&[], &normalization), [0; 0]);
    }

    #[test]
    fn names_of_strips_are_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        write_strip(folder.path(), (3, 12), &patch(), &ClassTable::road()).expect("written");
        let path = sample_path(folder.path(), 3, 12);
        assert!(path.is_file());
        let name = path.file_name().expect("a name").to_string_lossy();
        assert_eq!(sample_of(&name), Some((3, 12)));
        assert_eq!(sample_of("sample-x-epoch-1.png"), None);
    }
}
