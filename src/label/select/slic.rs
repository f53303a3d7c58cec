use super::lab::LabPixels;

/// The label of pixels that belong to nothing, since they are nodata.
pub(super) const NO_LABEL: u32 = u32::MAX;

/// More rounds hardly move a center any more (section 3 of the paper).
const MAX_ROUNDS: usize = 10;

/// Centers that moved less than this in the mean, in pixels, have settled.
const SETTLED: f32 = 0.05;

/// Simple linear iterative clustering: labels pixels by the nearest of many centers in color and
/// place.
///
/// Achanta, Shaji, Smith, Lucchi, Fua, Süsstrunk: "SLIC Superpixels Compared to State-of-the-art
/// Superpixel Methods", IEEE TPAMI 34 (2012), algorithm 1 without the last step, which is
/// [`join_pieces`](super::pieces::join_pieces).
pub(super) struct Slic<'a> {
    lab: &'a LabPixels,
    width: usize,
    height: usize,
    /// How far a center reaches, in pixels; the grid interval of the paper, not less.
    reach: f32,
    /// What one squared pixel of distance counts: (m / S)².
    place_weight: f32,
    centers: Vec<Center>,
    labels: Vec<u32>,
    /// Squared distance to the center of the label; below zero for pixels without one.
    distances: Vec<f32>,
}

/// A cluster's mean.
#[derive(Clone, Copy, Debug)]
struct Center {
    lab: [f32; 3],
    /// Column and row in pixels of the window, whole numbers at pixel centers.
    x: f32,
    y: f32,
}

impl<'a> Slic<'a> {
    /// Centers on a grid of cells about `side` pixels wide; `is_known` is false for nodata.
    pub(super) fn new(
        lab: &'a LabPixels,
        is_known: impl Fn(usize) -> bool,
        (width, height): (usize, usize),
        side: u32,
        compactness: f32,
    ) -> Self {
        let side = side.max(1) as f32;
        let cells = |extent: usize| ((extent as f32 / side).round() as usize).clamp(1, extent);
        let (cols, rows) = (cells(width), cells(height));
        let (step_x, step_y) = (width as f32 / cols as f32, height as f32 / rows as f32);
        let mut slic = Self {
            lab,
            width,
            height,
            reach: step_x.max(step_y).max(side),
            place_weight: (compactness.max(0.0) / side).powi(2),
            centers: Vec::with_capacity(cols * rows),
            labels: vec![NO_LABEL; width * height],
            distances: vec![f32::NEG_INFINITY; width * height],
        };
        for (row, col) in (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))) {
            let x = ((col as f32 + 0.5) * step_x) as usize;
            let y = ((row as f32 + 0.5) * step_y) as usize;
            let center = slic.calmest_near(x, y);
            slic.centers.push(center);
        }
        // The grid itself is what pixels keep that no center reaches.
        for index in (0..width * height).filter(|&index| is_known(index)) {
            let (x, y) = (index % width, index / width);
            slic.labels[index] = (y * rows / height * cols + x * cols / width) as u32;
            slic.distances[index] = f32::INFINITY;
        }
        slic
    }

    /// Labels of all pixels after as many rounds as it takes; labels need not be connected.
    pub(super) fn run(mut self) -> Vec<u32> {
        for _ in 0..MAX_ROUNDS {
            self.assign();
            if self.move_centers() < SETTLED {
                break;
            }
        }
        self.labels
    }

    /// The pixel of least gradient around (x, y), so that no center sits on an edge or a speck.
    fn calmest_near(&self, x: usize, y: usize) -> Center {
        let columns = x.saturating_sub(1)..(x + 2).min(self.width);
        let rows = y.saturating_sub(1)..(y + 2).min(self.height);
        let places = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
        let (_, (x, y)) = places.map(|(x, y)| (self.gradient(x, y), (x, y))).fold(
            (f32::INFINITY, (x, y)),
            |best, place| {
                if place.0 < best.0 { place } else { best }
            },
        );
        Center {
            lab: self.lab.get(y * self.width + x),
            x: x as f32,
            y: y as f32,
        }
    }

    /// Squared color difference across a pixel, from left to right and from top to bottom.
    fn gradient(&self, x: usize, y: usize) -> f32 {
        let at = |x: usize, y: usize| self.lab.get(y * self.width + x);
        let squared = |p: [f32; 3], q: [f32; 3]| -> f32 {
            p.iter().zip(q).map(|(p, q)| (p - q) * (p - q)).sum()
        };
        let (right, below) = ((x + 1).min(self.width - 1), (y + 1).min(self.height - 1));
        squared(at(right, y), at(x.saturating_sub(1), y))
            + squared(at(x, below), at(x, y.saturating_sub(1)))
    }

    /// Gives each pixel the label of the nearest center that reaches it.
    fn assign(&mut self) {
        for distance in &mut self.distances {
            // Nodata stays nearer to nothing than any center can be.
            *distance = if *distance < 0.0 {
                *distance
            } else {
                f32::INFINITY
            };
        }
        for label in 0..self.centers.len() {
            let center = self.centers[label];
            let columns = reached(center.x, self.reach, self.width);
            for y in reached(center.y, self.reach, self.height) {
                let row = y * self.width + columns.start..y * self.width + columns.end;
                let dy = y as f32 - center.y;
                let from_row = dy * dy * self.place_weight;
                let lightness = &self.lab.lightness[row.clone()];
                let (a, b) = (&self.lab.a[row.clone()], &self.lab.b[row.clone()]);
                let distances = &mut self.distances[row.clone()];
                let labels = &mut self.labels[row];
                let all = lightness.iter().zip(a).zip(b).zip(distances).zip(labels);
                let first = columns.start as f32 - center.x;
                for (index, ((((l, a), b), distance), old)) in all.enumerate() {
                    let dx = first + index as u32 as f32;
                    let (dl, da, db) = (l - center.lab[0], a - center.lab[1], b - center.lab[2]);
                    let new = dl * dl + da * da + db * db + dx * dx * self.place_weight + from_row;
                    let is_nearer = new < *distance;
                    *distance = if is_nearer { new } else { *distance };
                    *old = if is_nearer { label as u32 } else { *old };
                }
            }
        }
    }

    /// Moves each center to the mean of its pixels; how far they moved in the mean, in pixels.
    fn move_centers(&mut self) -> f32 {
        let mut sums = vec![[0.0_f64; 6]; self.centers.len()];
        for (y, row) in self.labels.chunks_exact(self.width).enumerate() {
            for (x, &label) in row.iter().enumerate() {
                if let Some(sum) = sums.get_mut(label as usize) {
                    let [l, a, b] = self.lab.get(y * self.width + x).map(f64::from);
                    let values = [l, a, b, x as f64, y as f64, 1.0];
                    sum.iter_mut()
                        .zip(values)
                        .for_each(|(sum, value)| *sum += value);
                }
            }
        }
        let mut moved = 0.0;
        for (center, [l, a, b, x, y, count]) in self.centers.iter_mut().zip(sums) {
            if count > 0.0 {
                let mean = |sum: f64| (sum / count) as f32;
                let new = Center {
                    lab: [mean(l), mean(a), mean(b)],
                    x: mean(x),
                    y: mean(y),
                };
                moved += (new.x - center.x).hypot(new.y - center.y);
                *center = new;
            }
        }
        moved / self.centers.len() as f32
    }
}

/// The columns, or rows, within `reach` of a center.
fn reached(center: f32, reach: f32, extent: usize) -> std::ops::Range<usize> {
    let start = (center - reach).ceil().max(0.0) as usize;
    let end = (center + reach).floor().max(0.0) as usize + 1;
    start.min(extent)..end.min(extent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn each_pixel_goes_to_the_nearest_center_that_reaches_it(
            values in prop::collection::vec((0_u8..4, 0_u8..3, 0_u8..9), 31 * 23),
            side in 2_u32..20,
            compactness in 0.5_f32..40.0,
        ) {
            let (width, height) = (31, 23);
            let pixels: Vec<[u8; 4]> = values
                .iter()
                .map(|&(r, g, alpha)| [r * 80, g * 100, 30, alpha])
                .collect();
            let lab = LabPixels::of(&pixels);
            let is_known = |index: usize| pixels[index][3] != 0;
            let mut slic = Slic::new(&lab, is_known, (width, height), side, compactness);
            for _ in 0..3 {
                let before = slic.labels.clone();
                slic.assign();
                for (index, pixel) in pixels.iter().enumerate() {
                    let (col, row) = (index % width, index / width);
                    let (x, y) = (col as f32, row as f32);
                    let near = |center: &&Center| {
                        reached(center.x, slic.reach, width).contains(&col)
                            && reached(center.y, slic.reach, height).contains(&row)
                    };
                    let distance = |center: &Center| -> f32 {
                        let color = lab.get(index).into_iter().zip(center.lab);
                        let color: f32 = color.map(|(p, q)| (p - q) * (p - q)).sum();
                        let place = (center.x - x).powi(2) + (center.y - y).powi(2);
                        color + place * (compactness / side as f32).powi(2)
                    };
                    let best = slic.centers.iter().filter(near).map(distance).reduce(f32::min);
                    let label = slic.labels[index];
                    match (pixel[3], best) {
                        (0, _) => prop_assert_eq!(label, NO_LABEL),
                        (_, None) => prop_assert_eq!(label, before[index]),
                        (_, Some(best)) => {
                            let found = distance(&slic.centers[label as usize]);
                            prop_assert!(found <= best * 1.0001 + 0.001, "{} {}", found, best);
                        }
                    }
                }
                slic.move_centers();
            }
        }
    }
}
