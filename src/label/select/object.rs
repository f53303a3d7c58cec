use super::super::Selection;
use super::blur::blurred;
use super::clicks::spans_of;
use super::hint::{Hint, Side};
use super::lab::LabPixels;
use super::object_edge::{Ground, refined};
use super::object_regions::{Seeds, chosen_regions};
use super::object_shape::{fill_holes, keep_joined};
use super::pieces::join_pieces;
use super::region_graph::RegionGraph;
use super::slic::{NO_LABEL, Slic};
use crate::geom::PixelRect;

/// About how many superpixels a window is cut into.
const NUM_REGIONS: f32 = 6000.0;

/// Narrowest and widest superpixels, in pixels.
const SIDES: (f32, f32) = (5.0, 16.0);

/// Weight of place against color in SLIC; a little less than usual, so that edges are followed.
const COMPACTNESS: f32 = 8.0;

/// A window of an image, prepared once, in which objects are found from a few hints.
///
/// The window is cut into superpixels. A minimum cut of their graph gives the object roughly; it
/// weighs how likely the colors are inside and outside, how far the ground is from the hints along
/// paths that avoid edges, and how strong the edge around the object is. A second cut moves the
/// outline to the pixels' own edges. The same pixels and hints always give the same region.
///
/// After Y. Boykov, M.-P. Jolly, "Interactive graph cuts for optimal boundary & region
/// segmentation of objects in N-D images", ICCV 2001; C. Rother, V. Kolmogorov, A. Blake,
/// "`GrabCut`", SIGGRAPH 2004; B. Price, B. Morse, S. Cohen, "Geodesic graph cut for interactive
/// image segmentation", CVPR 2010; several cuts to choose from after J. Carreira, C. Sminchisescu,
/// "CPMC", IEEE TPAMI 34 (2012).
pub struct ObjectFinder {
    window: PixelRect,
    /// The superpixel of each pixel, row by row.
    labels: Vec<u32>,
    /// Colors of the pixels as they are: blurred ones would shift the outline.
    lab: LabPixels,
    graph: RegionGraph,
}

impl ObjectFinder {
    /// Prepares `window` (level-0 pixels), whose RGBA8 pixels are given row by row; those of alpha
    /// 0 are nodata and belong to no object.
    ///
    /// Takes time and memory (about 60 bytes a pixel) by the window's size; it is meant for what a
    /// screen shows.
    ///
    /// # Panics
    /// When `rgba` is not four bytes for each pixel of `window` long.
    pub fn of(window: PixelRect, rgba: &[u8]) -> Self {
        let (pixels, rest) = rgba.as_chunks::<4>();
        let is_all = pixels.len() as u64 == window.num_pixels() && rest.is_empty();
        assert!(is_all, "four bytes a pixel");
        let (width, height) = (window.width as usize, window.height as usize);
        let lab = LabPixels::of(pixels);
        // Against noise.
        let smooth = LabPixels {
            lightness: blurred(&lab.lightness, width, 1),
            a: blurred(&lab.a, width, 1),
            b: blurred(&lab.b, width, 1),
        };
        let side = (pixels.len() as f32 / NUM_REGIONS).sqrt();
        let side = side.clamp(SIDES.0, SIDES.1) as u32;
        let (labels, num) = if window.is_empty() {
            (Vec::new(), 0)
        } else {
            let is_known = |index: usize| pixels[index][3] != 0;
            let slic = Slic::new(&smooth, is_known, (width, height), side, COMPACTNESS);
            let mut labels = slic.run();
            let num = join_pieces(&mut labels, width, &lab, (side * side / 4) as usize);
            (labels, num)
        };
        let rough = roughness(&lab.lightness, width, side as usize / 2 + 1);
        let graph = RegionGraph::of(&labels, width, num, &smooth, &rough, side as f32);
        Self {
            window,
            labels,
            lab,
            graph,
        }
    }

    /// The window, in level-0 pixels.
    pub const fn window(&self) -> PixelRect {
        self.window
    }

    /// The object that the hints mean, in level-0 pixels of the window.
    ///
    /// Every pixel of hints for it is in and none of those against it; of hints on the same pixel
    /// the later one holds. All of it is joined by sides to a hint for it, nodata and what lies
    /// outside the window are never in, and without a hint for it there is nothing. Holes stay
    /// where a hint is against them or where they are large. `reach` is how wide an object is at
    /// most expected to be, in pixels: half of what the screen shows is fair.
    pub fn find(&self, hints: &[Hint], reach: f64) -> Selection {
        let marks = self.marks(hints);
        let seeds = Seeds::of(&marks, &self.labels, self.graph.num());
        if self.window.is_empty() || !marks.contains(&Some(Side::For)) {
            return Selection::default();
        }
        let is_chosen = chosen_regions(&self.graph, &seeds, reach.max(1.0) as f32);
        let rough: Vec<bool> = self
            .labels
            .iter()
            .map(|&label| label != NO_LABEL && is_chosen[label as usize])
            .collect();
        let ground = Ground {
            width: self.window.width as usize,
            labels: &self.labels,
            colors: &self.lab,
            side: self.graph.side,
        };
        let mut grid = refined(&ground, rough, &marks);
        for (is_in, mark) in grid.iter_mut().zip(&marks) {
            *is_in = mark.map_or(*is_in, |side| side == Side::For);
        }
        keep_joined(&mut grid, ground.width, &marks);
        let may_fill =
            |index: usize| marks[index] != Some(Side::Against) && self.labels[index] != NO_LABEL;
        fill_holes(&mut grid, ground.width, may_fill);
        Selection::from_spans(spans_of(&grid, self.window))
    }

    /// What the hints say of each pixel; nothing of nodata.
    fn marks(&self, hints: &[Hint]) -> Vec<Option<Side>> {
        let mut marks = vec![None; self.labels.len()];
        for hint in hints {
            hint.visit_pixels(self.window, |index| {
                if self.labels[index] != NO_LABEL {
                    marks[index] = Some(hint.side);
                }
            });
        }
        marks
    }
}

/// Mean difference of a pixel from its neighborhood's lightness, over places `radius` around.
fn roughness(lightness: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let around = blurred(lightness, width, 2);
    let differences = lightness
        .iter()
        .zip(&around)
        .map(|(own, mean)| (own - mean).abs());
    let differences: Vec<f32> = differences.collect();
    blurred(&blurred(&differences, width, radius), width, radius)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::clicks::{clicks_to_iou, grid_of, intersection_over_union, sides_of};
    use super::*;
    use crate::geom::ImagePoint;

    const GRASS: [u8; 4] = [70, 110, 60, 255];

    /// A lawn, slightly uneven, with a roof of this color on columns 30..70 and rows 40..64.
    fn lawn_with_roof(roof: [u8; 4]) -> (PixelRect, Vec<u8>, Selection) {
        let window = PixelRect::new(500, 300, 120, 100);
        let roof_rect = PixelRect::new(530, 340, 40, 24);
        let mut bytes = Vec::new();
        for y in window.y..window.bottom() {
            for x in window.x..window.right() {
                let color = if roof_rect.contains(x, y) {
                    roof
                } else {
                    GRASS
                };
                let uneven = (x * 7 + y * 13) % 5;
                bytes.extend(color.map(|value| value.saturating_add(uneven as u8)));
            }
        }
        let grid: Vec<bool> = (0..window.num_pixels() as u32)
            .map(|at| roof_rect.contains(window.x + at % 120, window.y + at / 120))
            .collect();
        (
            window,
            bytes,
            Selection::from_spans(spans_of(&grid, window)),
        )
    }

    fn click(side: Side, x: f64, y: f64) -> Hint {
        Hint::click(side, ImagePoint::new(x, y))
    }

    #[test]
    fn one_click_or_a_loose_stroke_finds_a_roof() {
        let (window, bytes, roof) = lawn_with_roof([170, 80, 60, 255]);
        let finder = ObjectFinder::of(window, &bytes);
        let stroke = Hint {
            side: Side::For,
            points: vec![ImagePoint::new(536.0, 346.0), ImagePoint::new(563.0, 357.0)],
            radius: 3.0,
        };
        for hint in [
            click(Side::For, 550.5, 352.5),
            click(Side::For, 533.0, 342.0),
            stroke,
        ] {
            let found = finder.find(&[hint], 60.0);
            let iou = intersection_over_union(&roof, &found);
            assert!(iou > 0.97, "{iou}");
        }
    }

    #[test]
    fn a_simulated_person_needs_one_click_for_a_plain_roof() {
        let (window, bytes, roof) = lawn_with_roof([180, 180, 190, 255]);
        let finder = ObjectFinder::of(window, &bytes);
        let (clicks, iou) = clicks_to_iou(&roof, 0.95, 5, &mut |hints| finder.find(hints, 60.0));
        assert_eq!(clicks, 1);
        assert!(iou >= 0.95);
    }

    #[test]
    fn nothing_comes_of_no_hint_for_the_object() {
        let (window, bytes, _) = lawn_with_roof([170, 80, 60, 255]);
        let finder = ObjectFinder::of(window, &bytes);
        assert!(finder.find(&[], 60.0).is_empty());
        assert!(
            finder
                .find(&[click(Side::Against, 550.0, 350.0)], 60.0)
                .is_empty()
        );
        assert!(finder.find(&[click(Side::For, 5.0, 5.0)], 60.0).is_empty());
        assert!(
            finder
                .find(&[click(Side::For, f64::NAN, 350.0)], 60.0)
                .is_empty()
        );
        let nothing = ObjectFinder::of(PixelRect::default(), &[]);
        assert!(nothing.find(&[click(Side::For, 0.0, 0.0)], 1.0).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_region_keeps_to_its_hints_and_hangs_together(
            values in prop::collection::vec((0_u8..4, 0_u8..4, 0_u8..20), 40 * 30),
            (width, height) in (1_u32..=40, 1_u32..=30),
            clicks in prop::collection::vec((0_u32..40, 0_u32..30, any::<bool>(), 0.0..3.0), 1..6),
            reach in prop_oneof![Just(0.0), Just(20.0), Just(f64::NAN), Just(f64::INFINITY)],
        ) {
            let window = PixelRect::new(7, 9, width, height);
            let color = |&(r, g, alpha): &(u8, u8, u8)| [r * 80, g * 70, 9, alpha];
            let pixels: Vec<_> = values[..(width * height) as usize].iter().map(color).collect();
            let finder = ObjectFinder::of(window, pixels.as_flattened());
            let hints: Vec<Hint> = clicks
                .iter()
                .map(|&(x, y, is_for, radius)| Hint {
                    side: if is_for { Side::For } else { Side::Against },
                    points: vec![ImagePoint::new(f64::from(x) + 7.5, f64::from(y) + 9.5)],
                    radius,
                })
                .collect();
            let found = finder.find(&hints, reach);
            let grid = grid_of(&found, window);
            prop_assert_eq!(grid.iter().filter(|is_in| **is_in).count() as u64, found.num_pixels());
            let marks = finder.marks(&hints);
            let width = width as usize;
            let mut joined: Vec<usize> =
                (0..grid.len()).filter(|&at| marks[at] == Some(Side::For)).collect();
            let mut left = grid.clone();
            for &at in &joined {
                prop_assert!(grid[at]);
                left[at] = false;
            }
            while let Some(at) = joined.pop() {
                for next in sides_of(at, width, grid.len()).into_iter().flatten() {
                    if left[next] {
                        left[next] = false;
                        joined.push(next);
                    }
                }
            }
            prop_assert!(!left.contains(&true), "all of it is joined to a hint");
            for at in (0..grid.len()).filter(|&at| grid[at]) {
                prop_assert!(marks[at] != Some(Side::Against) && pixels[at][3] != 0);
            }
            prop_assert_eq!(&finder.find(&hints, reach), &found);
        }
    }
}
