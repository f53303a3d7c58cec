use super::clicks::sides_of;
use super::hint::Side;
use super::lab::LabPixels;
use super::maxflow::FlowGraph;
use super::region_graph::difference;
use super::slic::NO_LABEL;

/// Capacities that no cut is worth: of a pixel with a hint, and of one beside the band.
const FIRM: (f32, f32) = (1e6, 1e3);

/// How far the outline may move, in sides of a superpixel.
const BAND: f32 = 0.6;

/// What separating two pixels of one color costs.
const EDGE_WEIGHT: f32 = 3.0;

/// The most that a pixel's color may say.
const MOST_COLOR: f32 = 3.0;

/// No pixel of the band.
const NO_PLACE: u32 = u32::MAX;

/// The pixels whose edges are looked for.
pub(super) struct Ground<'a> {
    /// Columns.
    pub(super) width: usize,
    /// The superpixel of each pixel; nodata has none.
    pub(super) labels: &'a [u32],
    /// The colors of the pixels.
    pub(super) colors: &'a LabPixels,
    /// About how wide a superpixel is, in pixels.
    pub(super) side: f32,
}

/// Moves the outline of `grid` to the edges of the pixels near it, by a minimum cut of the pixels
/// of a narrow band that knows the colors on both sides of each place.
pub(super) fn refined(
    ground: &Ground<'_>,
    mut grid: Vec<bool>,
    marks: &[Option<Side>],
) -> Vec<bool> {
    let reach = (ground.side * BAND).max(2.0) as u32;
    let (band, depth) = ground.band(&grid, reach);
    let mut place = vec![NO_PLACE; grid.len()];
    for (number, &index) in band.iter().enumerate() {
        place[index] = number as u32;
    }
    let colors = LocalColors::of(ground, &grid, |index| depth[index] >= reach / 2);
    let terminal = band.iter().map(|&index| match marks[index] {
        Some(Side::For) => FIRM.0,
        Some(Side::Against) => -FIRM.0,
        None => {
            let beside = ground
                .known_sides(index)
                .filter(|&next| place[next] == NO_PLACE);
            let firm = |next: usize| if grid[next] { FIRM.1 } else { -FIRM.1 };
            colors.evidence(index) + beside.map(firm).sum::<f32>()
        }
    });
    let cut = FlowGraph::new(terminal.collect(), &ground.pairs(&band, &place)).cut();
    for (&index, is_in) in band.iter().zip(cut) {
        grid[index] = is_in;
    }
    grid
}

impl Ground<'_> {
    fn known_sides(&self, index: usize) -> impl Iterator<Item = usize> {
        let sides = sides_of(index, self.width, self.labels.len());
        sides
            .into_iter()
            .flatten()
            .filter(|&next| self.labels[next] != NO_LABEL)
    }

    /// The pixels less than `reach` steps from the outline, in order, and the steps of all pixels.
    fn band(&self, grid: &[bool], reach: u32) -> (Vec<usize>, Vec<u32>) {
        let mut depth = vec![u32::MAX; grid.len()];
        let is_at_outline = |&index: &usize| {
            self.labels[index] != NO_LABEL
                && self
                    .known_sides(index)
                    .any(|next| grid[next] != grid[index])
        };
        let mut band: Vec<usize> = (0..grid.len()).filter(is_at_outline).collect();
        for &index in &band {
            depth[index] = 0;
        }
        let mut at = 0;
        while let Some(&index) = band.get(at) {
            at += 1;
            if depth[index] + 1 >= reach {
                continue;
            }
            for next in self.known_sides(index) {
                if depth[next] == u32::MAX {
                    depth[next] = depth[index] + 1;
                    band.push(next);
                }
            }
        }
        band.sort_unstable();
        (band, depth)
    }

    /// The band's pixels joined to their eight neighbors, weaker across edges.
    fn pairs(&self, band: &[usize], place: &[u32]) -> Vec<(u32, u32, f32, f32)> {
        let mut pairs = Vec::with_capacity(band.len() * 4);
        for (number, &index) in band.iter().enumerate() {
            let x = index % self.width;
            let (is_first, is_last) = (x == 0, x + 1 == self.width);
            let below = index + self.width;
            let neighbors = [
                (!is_last).then_some((index + 1, 1.0)),
                Some((below, 1.0)),
                (!is_last).then_some((below + 1, std::f32::consts::FRAC_1_SQRT_2)),
                (!is_first).then_some((below - 1, std::f32::consts::FRAC_1_SQRT_2)),
            ];
            for (next, weight) in neighbors.into_iter().flatten() {
                let other = place.get(next).copied().unwrap_or(NO_PLACE);
                if other != NO_PLACE {
                    let apart = difference(self.colors, index, next).powi(2);
                    pairs.push((number as u32, other, weight, apart));
                }
            }
        }
        let mean = pairs.iter().map(|pair| f64::from(pair.3)).sum::<f64>();
        let mean = (mean / pairs.len().max(1) as f64).max(0.05) as f32;
        for (_, _, capacity, back) in &mut pairs {
            *capacity *= EDGE_WEIGHT * ((-*back / (2.0 * mean)).exp() + 0.02);
            *back = *capacity;
        }
        pairs
    }
}

/// Sums of L*, a*, b*, of their squares, and a count.
type Sums = [f32; 5];

/// Colors inside and outside by cells of a grid, each with its neighbor cells.
struct LocalColors<'a> {
    ground: &'a Ground<'a>,
    cell: usize,
    cols: usize,
    inside: Vec<Sums>,
    outside: Vec<Sums>,
}

impl<'a> LocalColors<'a> {
    /// The colors of pixels that are `sure` to be where `grid` says.
    fn of(ground: &'a Ground<'a>, grid: &[bool], sure: impl Fn(usize) -> bool) -> Self {
        let cell = (ground.side as usize).max(4);
        let cols = ground.width.div_ceil(cell);
        let rows = (grid.len() / ground.width).div_ceil(cell);
        let mut colors = Self {
            ground,
            cell,
            cols,
            inside: vec![Sums::default(); cols * rows],
            outside: vec![Sums::default(); cols * rows],
        };
        for (index, &is_in) in grid.iter().enumerate() {
            if ground.labels[index] != NO_LABEL && sure(index) {
                let at = colors.cell_of(index);
                let [l, a, b] = ground.colors.get(index);
                let all = if is_in {
                    &mut colors.inside
                } else {
                    &mut colors.outside
                };
                let values = [l, a, b, l * l + a * a + b * b, 1.0];
                all[at]
                    .iter_mut()
                    .zip(values)
                    .for_each(|(sum, value)| *sum += value);
            }
        }
        colors.inside = with_neighbors(&colors.inside, cols);
        colors.outside = with_neighbors(&colors.outside, cols);
        colors
    }

    fn cell_of(&self, index: usize) -> usize {
        let (x, y) = (index % self.ground.width, index / self.ground.width);
        y / self.cell * self.cols + x / self.cell
    }

    /// How much a pixel's color speaks for the object; 0 where one side's colors are unknown.
    fn evidence(&self, index: usize) -> f32 {
        let at = self.cell_of(index);
        let color = self.ground.colors.get(index);
        match (
            unlikeliness(&self.inside[at], color),
            unlikeliness(&self.outside[at], color),
        ) {
            (Some(inside), Some(outside)) => (outside - inside).clamp(-MOST_COLOR, MOST_COLOR),
            _ => 0.0,
        }
    }
}

/// Negative logarithm of a Gaussian that is equally wide in L*, a* and b*; `None` of few pixels.
fn unlikeliness(sums: &Sums, color: [f32; 3]) -> Option<f32> {
    let [l, a, b, squares, num] = *sums;
    if num < 4.0 {
        return None;
    }
    let mean = [l / num, a / num, b / num];
    let of_mean: f32 = mean.iter().map(|value| value * value).sum();
    let variance = ((squares / num - of_mean) / 3.0).max(2.0);
    let apart: f32 = color.iter().zip(mean).map(|(p, q)| (p - q) * (p - q)).sum();
    Some(0.5 * apart / variance + 1.5 * variance.ln())
}

/// Each cell's sums and those of the eight cells around it.
fn with_neighbors(sums: &[Sums], cols: usize) -> Vec<Sums> {
    let rows = sums.len() / cols.max(1);
    let mut all = vec![Sums::default(); sums.len()];
    for (at, total) in all.iter_mut().enumerate() {
        let (x, y) = (at % cols, at / cols);
        for row in y.saturating_sub(1)..(y + 2).min(rows) {
            for cell in &sums[row * cols..][x.saturating_sub(1)..(x + 2).min(cols)] {
                total
                    .iter_mut()
                    .zip(cell)
                    .for_each(|(total, value)| *total += value);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_moves_to_the_edge_nearby() {
        let (width, height) = (60, 40);
        let is_bright = |index: usize| (20..40).contains(&(index % width));
        let gray = |index| {
            if is_bright(index) {
                [200, 200, 200, 255]
            } else {
                [60, 60, 60, 255]
            }
        };
        let pixels: Vec<[u8; 4]> = (0..width * height).map(gray).collect();
        let colors = LabPixels::of(&pixels);
        let ground = Ground {
            width,
            labels: &vec![0; pixels.len()],
            colors: &colors,
            side: 12.0,
        };
        let shifted = (0..pixels.len()).map(|index| (23..43).contains(&(index % width)));
        let grid = refined(&ground, shifted.collect(), &vec![None; pixels.len()]);
        let expected: Vec<bool> = (0..pixels.len()).map(is_bright).collect();
        assert_eq!(grid, expected);
    }
}
