use super::clicks::sides_of;
use super::lab::LabPixels;
use super::slic::NO_LABEL;

/// How far from a boundary, in pixels, the colors on its two sides are compared: an edge in a
/// photograph is a few pixels wide.
const STEP: usize = 2;

/// Contrasts below this are noise, however even the window is.
const MIN_EDGE: f32 = 1.5;

/// What squared differences of a feature's parts count.
const FEATURE_WEIGHTS: Feature = [1.0, 1.0, 1.0, 2.0];

/// Superpixels as the nodes of a graph, joined where they share a boundary.
pub(super) struct RegionGraph {
    /// Mean color and roughness of each region.
    pub(super) features: Vec<Feature>,
    /// Number of pixels of each region.
    pub(super) areas: Vec<f32>,
    /// Mean column and row of each region, in pixels of the window.
    pub(super) middles: Vec<(f32, f32)>,
    /// Boundaries between regions, sorted by the two.
    pub(super) borders: Vec<Border>,
    /// Length, in pixels, of what each region shares with the edge of the window.
    pub(super) open: Vec<f32>,
    /// About how wide a region is, in pixels.
    pub(super) side: f32,
    /// The usual contrast of a border, which is taken for an edge.
    pub(super) edge: f32,
    /// Borders of each region: `around[first[r]..first[r + 1]]` are numbers of borders.
    around: Vec<u32>,
    first: Vec<u32>,
}

/// L*, a*, b* and how rough the ground is, on a scale like that of L*.
pub(super) type Feature = [f32; 4];

/// The boundary of two regions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Border {
    /// The regions, the smaller number first.
    pub(super) ends: (u32, u32),
    /// Number of pixel sides.
    pub(super) length: f32,
    /// Mean color difference across it.
    pub(super) contrast: f32,
}

impl RegionGraph {
    /// The graph of regions numbered below `num`, each about `side` pixels wide; `colors` are
    /// compared across borders, `rough` is how rough the ground is at each pixel.
    pub(super) fn of(
        labels: &[u32],
        width: usize,
        num: usize,
        colors: &LabPixels,
        rough: &[f32],
        side: f32,
    ) -> Self {
        let mut sums = vec![[0.0_f64; 7]; num];
        let mut open = vec![0.0; num];
        for (index, &label) in labels.iter().enumerate() {
            if label == NO_LABEL {
                continue;
            }
            let [l, a, b] = colors.get(index);
            let (x, y) = ((index % width) as f32, (index / width) as f32);
            let values = [l, a, b, rough[index], x, y, 1.0];
            let sums = sums[label as usize].iter_mut().zip(values);
            sums.for_each(|(sum, value)| *sum += f64::from(value));
            let sides = sides_of(index, width, labels.len()).into_iter();
            let is_open = |side: &Option<usize>| side.is_none_or(|next| labels[next] == NO_LABEL);
            open[label as usize] += sides.filter(is_open).count() as f32;
        }
        let borders = borders_of(steps(labels, width, colors));
        let (first, around) = incidence(&borders, num);
        let length: f32 = borders.iter().map(|border| border.length).sum();
        let contrast = borders.iter().map(|border| border.contrast * border.length);
        let mean = |sum: &[f64; 7], at: usize| (sum[at] / sum[6].max(1.0)) as f32;
        let feature = |sum: &[f64; 7]| std::array::from_fn(|at| mean(sum, at));
        Self {
            features: sums.iter().map(feature).collect(),
            areas: sums.iter().map(|sum| sum[6] as f32).collect(),
            middles: sums
                .iter()
                .map(|sum| (mean(sum, 4), mean(sum, 5)))
                .collect(),
            edge: (contrast.sum::<f32>() / length.max(1.0)).max(MIN_EDGE),
            side,
            borders,
            open,
            around,
            first,
        }
    }

    /// Number of regions.
    pub(super) fn num(&self) -> usize {
        self.areas.len()
    }

    /// The borders of a region, each with the region on its other side.
    pub(super) fn borders_around(&self, region: usize) -> impl Iterator<Item = (usize, Border)> {
        let range = self.first[region] as usize..self.first[region + 1] as usize;
        self.around[range].iter().map(move |&number| {
            let border = self.borders[number as usize];
            let (one, other) = (border.ends.0 as usize, border.ends.1 as usize);
            (if one == region { other } else { one }, border)
        })
    }

    /// How surely a contrast is an edge in this window, from 0 to 1.
    pub(super) fn strength(&self, contrast: f32) -> f32 {
        let relative = contrast / self.edge;
        1.0 - (-0.5 * relative * relative).exp()
    }
}

/// Squared distance of two features.
pub(super) fn distance_squared(one: &Feature, other: &Feature) -> f32 {
    let squares = one.iter().zip(other).zip(FEATURE_WEIGHTS);
    squares
        .map(|((p, q), weight)| weight * (p - q) * (p - q))
        .sum()
}

/// Distance of two pixels' colors.
pub(super) fn difference(lab: &LabPixels, one: usize, other: usize) -> f32 {
    let (p, q) = (lab.get(one), lab.get(other));
    p.iter()
        .zip(q)
        .map(|(p, q)| (p - q) * (p - q))
        .sum::<f32>()
        .sqrt()
}

/// The regions on the two sides of each pixel side between regions, and the contrast there.
fn steps(labels: &[u32], width: usize, colors: &LabPixels) -> Vec<(u32, u32, f32)> {
    let height = labels.len() / width.max(1);
    let mut steps = Vec::new();
    let mut add = |one: u32, other: u32, near: usize, far: usize| {
        if one != other && one != NO_LABEL && other != NO_LABEL {
            let contrast = difference(colors, near, far);
            steps.push((one.min(other), one.max(other), contrast));
        }
    };
    let places =
        |at: usize, extent: usize| (at.saturating_sub(STEP - 1), (at + STEP).min(extent - 1));
    for (index, &label) in labels.iter().enumerate() {
        let (x, y) = (index % width, index / width);
        if x + 1 < width {
            let (near, far) = places(x, width);
            add(label, labels[index + 1], y * width + near, y * width + far);
        }
        if y + 1 < height {
            let (near, far) = places(y, height);
            add(
                label,
                labels[index + width],
                near * width + x,
                far * width + x,
            );
        }
    }
    steps
}

/// Sums up pixel sides of the same two regions.
fn borders_of(mut steps: Vec<(u32, u32, f32)>) -> Vec<Border> {
    steps.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    steps
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .map(|same| Border {
            ends: (same[0].0, same[0].1),
            length: same.len() as f32,
            contrast: same.iter().map(|step| step.2).sum::<f32>() / same.len() as f32,
        })
        .collect()
}

fn incidence(borders: &[Border], num: usize) -> (Vec<u32>, Vec<u32>) {
    let mut first = vec![0_u32; num + 1];
    for border in borders {
        first[border.ends.0 as usize + 1] += 1;
        first[border.ends.1 as usize + 1] += 1;
    }
    for region in 0..num {
        first[region + 1] += first[region];
    }
    let mut at = first.clone();
    let mut around = vec![0; borders.len() * 2];
    for (number, border) in borders.iter().enumerate() {
        for end in [border.ends.0, border.ends.1] {
            around[at[end as usize] as usize] = number as u32;
            at[end as usize] += 1;
        }
    }
    (first, around)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_know_their_size_borders_and_colors() {
        let (dark, bright) = ([0, 0, 0, 255], [255, 255, 255, 255]);
        let labels = [0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, NO_LABEL];
        let pixels = labels.map(|label| if label == 1 { bright } else { dark });
        let graph = RegionGraph::of(&labels, 4, 3, &LabPixels::of(&pixels), &[0.5; 12], 2.0);
        assert_eq!(graph.num(), 3);
        assert_eq!(graph.areas, [4.0, 4.0, 3.0]);
        assert_eq!(graph.open, [4.0, 5.0, 5.0]);
        assert_eq!(graph.middles, [(0.5, 0.5), (2.5, 0.5), (1.0, 2.0)]);
        assert!((graph.features[1][0] - 100.0).abs() < 1e-3 && graph.features[1][3] == 0.5);
        let ends: Vec<_> = graph
            .borders
            .iter()
            .map(|border| (border.ends, border.length))
            .collect();
        assert_eq!(ends, [((0, 1), 2.0), ((0, 2), 2.0), ((1, 2), 1.0)]);
        assert!((graph.borders[0].contrast - 100.0).abs() < 1e-3);
        let around: Vec<usize> = graph.borders_around(2).map(|(other, _)| other).collect();
        assert_eq!(around, [0, 1]);
    }
}
