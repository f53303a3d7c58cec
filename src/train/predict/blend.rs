use rayon::prelude::*;

use crate::dataset::Watch;
use crate::geom::PixelRect;
use crate::job::Cancelled;
use crate::label::UNLABELED;
use crate::train::PredictEvent;
use crate::train::logits::WindowLogits;

/// Bytes of logits that are blended at once, so that many classes take no more than few.
const SUM_BYTES: usize = 256 << 20;

/// What is predicted of a rectangle, by row.
#[derive(Debug, Default)]
pub(in crate::train) struct Predicted {
    /// Its classes; 255 where the image has no data.
    pub(in crate::train) classes: Vec<u8>,
    /// For each measure how sure they are, 0 to 254; 255 where there is no data.
    pub(in crate::train) sure: Vec<Vec<u8>>,
}

impl Predicted {
    /// Says that it is what was predicted at `rect`.
    pub(super) fn at(self, rect: PixelRect) -> PredictEvent {
        PredictEvent::Block {
            rect,
            classes: self.classes,
            sure: self.sure,
        }
    }
}

/// Predicts the image's pixels `rect`: the greatest of the logits blended from every window that
/// touches them, and how sure that is.
pub(super) fn predict_block(
    rect: PixelRect,
    num_classes: usize,
    logits: &mut WindowLogits<'_>,
    watch: &Watch<'_>,
) -> anyhow::Result<Predicted> {
    let mut all = Predicted {
        classes: Vec::with_capacity(rect.num_pixels() as usize),
        sure: vec![Vec::new(); logits.measures.len()],
    };
    let share_of = |y: u32| f64::from(y - rect.y) / f64::from(rect.height.max(1));
    for strip in strips(rect, num_classes) {
        let part = watch.during((share_of(strip.y), share_of(strip.bottom())), |watch| {
            predict_strip(strip, num_classes, logits, watch)
        })?;
        all.classes.extend(part.classes);
        for (all, part) in all.sure.iter_mut().zip(part.sure) {
            all.extend(part);
        }
    }
    Ok(all)
}

/// Whole rows of `rect`, as many at once as [`SUM_BYTES`] hold.
fn strips(rect: PixelRect, num_classes: usize) -> impl Iterator<Item = PixelRect> {
    let row_bytes = num_classes.max(1) * rect.width as usize * size_of::<f32>();
    let rows = (SUM_BYTES / row_bytes.max(1)).clamp(1, rect.height.max(1) as usize);
    (rect.y..rect.bottom())
        .step_by(rows)
        .map(move |y| PixelRect::new(rect.x, y, rect.width, rows as u32).intersect(rect))
}

fn predict_strip(
    rect: PixelRect,
    num_classes: usize,
    logits: &mut WindowLogits<'_>,
    watch: &Watch<'_>,
) -> anyhow::Result<Predicted> {
    let area = rect.num_pixels() as usize;
    let ground = logits.scene.read_image(rect)?;
    let is_void = |pixel: &[u8]| pixel[3] == 0;
    if ground.chunks_exact(4).all(is_void) {
        return Ok(Predicted {
            classes: vec![UNLABELED; area],
            sure: vec![vec![UNLABELED; area]; logits.measures.len()],
        });
    }
    let (sums, shares) = blended_on_image(rect, num_classes, logits, watch)?;
    let mut classes = greatest(&sums, area);
    let measures = logits.measures.iter();
    let mut sure: Vec<Vec<u8>> = measures
        .map(|measure| measure.of(&sums, &shares, &classes))
        .collect();
    for (place, pixel) in ground.chunks_exact(4).enumerate() {
        if is_void(pixel) {
            classes[place] = UNLABELED;
            for sure in &mut sure {
                sure[place] = UNLABELED;
            }
        }
    }
    Ok(Predicted { classes, sure })
}

/// The sums of weighted logits by class, and of the weights, at the image's pixels `rect`. From a
/// run's grid that is another they are carried over as lines between its pixels, or means of them:
/// what is chosen is a class of the image's own pixels.
fn blended_on_image(
    rect: PixelRect,
    num_classes: usize,
    logits: &mut WindowLogits<'_>,
    watch: &Watch<'_>,
) -> anyhow::Result<(Vec<f32>, Vec<f32>)> {
    let (scale, size) = (logits.scene.scale(), logits.scene.size());
    let grid_rect = scale.grid_rect(rect, size);
    let (sums, shares) = blended(grid_rect, num_classes, logits, watch)?;
    if scale.is_own() {
        return Ok((sums, shares));
    }
    let onto_image = |plane: &[f32]| scale.onto_image(plane, rect, size);
    let planes = sums.par_chunks_exact(shares.len());
    let sums: Vec<Vec<f32>> = planes.map(onto_image).collect();
    Ok((sums.concat(), onto_image(&shares)))
}

/// The sums of weighted logits by class, and of the weights, at the run's pixels `rect`.
fn blended(
    rect: PixelRect,
    num_classes: usize,
    logits: &mut WindowLogits<'_>,
    watch: &Watch<'_>,
) -> anyhow::Result<(Vec<f32>, Vec<f32>)> {
    let area = rect.num_pixels() as usize;
    let weights = logits.grid.weights();
    let mut sums = vec![0.0_f32; num_classes * area];
    let mut shares = vec![0.0_f32; area];
    let whole = vec![1.0_f32; weights.len() * weights.len()];
    let windows = logits.grid.touching(rect);
    for at in 0..windows.len() {
        if (watch.is_cancelled)() {
            return Err(Cancelled.into());
        }
        (watch.progress)(at as f64 / windows.len() as f64);
        let Some(window) = logits.first_of(&windows[at..])? else {
            continue;
        };
        let place = logits.grid.window(windows[at]);
        let offset = (i64::from(rect.x) - place.x, i64::from(rect.y) - place.y);
        let side = place.side as usize;
        let planes = window.par_chunks_exact(side * side);
        sums.par_chunks_exact_mut(area)
            .zip(planes)
            .for_each(|(sums, plane)| {
                add_window(sums, rect.width as usize, plane, &weights, offset);
            });
        add_window(&mut shares, rect.width as usize, &whole, &weights, offset);
    }
    Ok((sums, shares))
}

/// Adds the weighted logits of one class of a window to a block's sums of that class. `offset` is
/// where the block's corner lies in the window.
fn add_window(sums: &mut [f32], width: usize, plane: &[f32], weights: &[f32], offset: (i64, i64)) {
    let side = weights.len() as i64;
    let shared = |offset: i64, length: usize| {
        let low = (-offset).max(0);
        let high = (side - offset).min(length as i64).max(low);
        low as usize..high as usize
    };
    let (cols, rows) = (
        shared(offset.0, width),
        shared(offset.1, sums.len() / width),
    );
    if cols.is_empty() {
        return;
    }
    let left = (cols.start as i64 + offset.0) as usize;
    for row in rows {
        let y = (row as i64 + offset.1) as usize;
        let from = &plane[y * weights.len() + left..][..cols.len()];
        let to = &mut sums[row * width..][cols.clone()];
        for ((sum, logit), weight) in to.iter_mut().zip(from).zip(&weights[left..]) {
            *sum += logit * (weight * weights[y]);
        }
    }
}

/// The class with the greatest sum at each pixel; the first of equals.
pub(in crate::train) fn greatest(sums: &[f32], area: usize) -> Vec<u8> {
    let mut classes = vec![0; area];
    let mut most = sums[..area].to_vec();
    for (class, plane) in sums.chunks_exact(area).enumerate().skip(1) {
        for ((best, most), &sum) in classes.iter_mut().zip(&mut most).zip(plane) {
            if sum > *most {
                *most = sum;
                *best = class as u8;
            }
        }
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;
    use crate::train::grid::WindowGrid;

    #[test]
    fn many_classes_are_blended_a_few_rows_at_a_time() {
        let rect = PixelRect::new(2_048, 1_024, 1_024, 1_000);
        assert_eq!(strips(rect, 5).collect::<Vec<_>>(), [rect]);
        let some: Vec<PixelRect> = strips(rect, 255).collect();
        assert_eq!(some.len(), 4);
        assert_eq!(some[0], PixelRect::new(2_048, 1_024, 1_024, 257));
        let rows: u32 = some.iter().map(|strip| strip.height).sum();
        assert_eq!((rows, some[3].bottom()), (1_000, rect.bottom()));
    }

    #[test]
    fn a_constant_window_field_leaves_no_seam() {
        let size = ImageSize::new(100, 90);
        let grid = WindowGrid::new(size, 32);
        let weights = grid.weights();
        let ones = vec![1.0; 32 * 32];
        let rect = PixelRect::new(20, 10, 70, 80);
        let (mut once, mut twice) = (vec![0.0; 5600], vec![0.0; 5600]);
        for at in grid.touching(rect) {
            let place = grid.window(at);
            let offset = (20 - place.x, 10 - place.y);
            add_window(&mut once, 70, &ones, &weights, offset);
            add_window(&mut twice, 70, &vec![2.0; 1024], &weights, offset);
        }
        for (once, twice) in once.iter().zip(&twice) {
            assert!(*once > 0.2, "every pixel has weight");
            assert!((twice / once - 2.0).abs() < 1e-5);
        }
    }

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(
            greatest(&[1.0, 0.0, 3.0, 1.0, 2.0, 3.0, 0.0, 2.0, 4.0], 3),
            [0, 1, 2]
        );
    }
}
