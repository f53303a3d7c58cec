use std::path::{Path, PathBuf};

use super::ground::Unit;
use crate::disk::replace_file;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{ClassTable, Mask};
use crate::train::{Patch, ScoredOn, TrainError, strip_png};

/// The folder of thumbnails in a run folder.
const THUMBNAILS: &str = "judged";
/// Units of a part that get a thumbnail.
pub(super) const MOST_THUMBNAILS: usize = 4;
/// Sides of the ground that is shown, at most: the middle of a larger unit.
const MOST_GROUND: u32 = 1024;
/// Sides of a pane, at most: small enough to show what may not be passed on.
const MOST_SIDE: u32 = 160;

/// Where thumbnail `number` of a part lies.
pub(in crate::train) fn thumbnail_path(run: &Path, on: ScoredOn, number: usize) -> PathBuf {
    let part = match on {
        ScoredOn::Validation => "validation",
        ScoredOn::Test => "test",
    };
    run.join(THUMBNAILS).join(format!("{part}-{number:02}.png"))
}

/// The unit whose thumbnail is `number`, of `total`: spread over all.
pub(super) const fn shown(number: usize, total: usize) -> usize {
    (2 * number + 1) * total / (2 * MOST_THUMBNAILS)
}

/// Writes image, label, prediction and error of `unit` side by side, made small.
pub(super) fn write_thumbnail(
    path: &Path,
    unit: &Unit,
    prediction: &Mask,
    classes: &ClassTable,
) -> Result<(), TrainError> {
    let rect = middle(unit.rect);
    let step = rect.width.max(rect.height).div_ceil(MOST_SIDE).max(1);
    let rgba = unit.source.read_rgba(0, rect)?;
    let (labels, predicted) = (unit.truth.read_rect(rect), prediction.read_rect(rect));
    let size = ImageSize::new(rect.width / step, rect.height / step);
    let patch = Patch {
        size,
        image: &averaged(&rgba, rect.width, size, step),
        labels: &sampled(&labels, rect.width, size, step),
        prediction: &sampled(&predicted, rect.width, size, step),
    };
    if let Some(png) = strip_png(&patch, classes) {
        replace_file(path, &png)?;
    }
    Ok(())
}

fn middle(rect: PixelRect) -> PixelRect {
    let (width, height) = (rect.width.min(MOST_GROUND), rect.height.min(MOST_GROUND));
    let (x, y) = (
        rect.x + (rect.width - width) / 2,
        rect.y + (rect.height - height) / 2,
    );
    PixelRect::new(x, y, width, height)
}

/// The mean color of each square of `step` pixels.
fn averaged(rgba: &[u8], width: u32, size: ImageSize, step: u32) -> Vec<u8> {
    let mut small = Vec::with_capacity(size.num_pixels() as usize * 4);
    for (row, col) in places(size) {
        let mut sums = [0_u32; 4];
        for y in row * step..(row + 1) * step {
            let start = (y * width + col * step) as usize * 4;
            for pixel in rgba[start..start + step as usize * 4].chunks_exact(4) {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += u32::from(value);
                }
            }
        }
        small.extend(sums.map(|sum| (sum / (step * step)) as u8));
    }
    small
}

/// The middle pixel of each square: classes have no mean.
fn sampled(labels: &[u8], width: u32, size: ImageSize, step: u32) -> Vec<u8> {
    let at = |(row, col): (u32, u32)| {
        let (x, y) = (col * step + step / 2, row * step + step / 2);
        labels[(y * width + x) as usize]
    };
    places(size).map(at).collect()
}

/// Row and column of each pixel, by row.
fn places(size: ImageSize) -> impl Iterator<Item = (u32, u32)> {
    (0..size.height).flat_map(move |row| (0..size.width).map(move |col| (row, col)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_averaged_and_classes_picked() {
        let rgba: Vec<u8> = [0, 2, 4, 6]
            .into_iter()
            .flat_map(|v| [v, v, v, 255])
            .collect();
        let size = ImageSize::new(1, 1);
        assert_eq!(averaged(&rgba, 2, size, 2), [3, 3, 3, 255]);
        assert_eq!(sampled(&[0, 1, 2, 3], 2, size, 2), [3]);
        assert_eq!(
            middle(PixelRect::new(0, 0, 3024, 100)),
            PixelRect::new(1000, 0, 1024, 100)
        );
    }

    #[test]
    fn thumbnails_are_spread_over_all() {
        let of = |total| [0, 1, 2, 3].map(|number| shown(number, total));
        assert_eq!((of(4), of(8), of(1)), ([0, 1, 2, 3], [1, 3, 5, 7], [0; 4]));
    }
}
