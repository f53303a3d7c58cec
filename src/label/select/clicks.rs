use super::super::Selection;
use super::super::span::Span;
use super::hint::{Hint, Side};
use crate::geom::{ImagePoint, PixelRect};

/// Steps of the distance transform to a neighbor by side and by corner; G. Borgefors, "Distance
/// transformations in digital images", CVGIP 34 (1986).
const STEPS: (u32, u32) = (3, 4);

/// How many clicks a simulated person needs until what `tool` finds has an intersection over
/// union of at least `target_iou` with `truth`, and the one it then has; (`most`, the best one on
/// the way) when that is not enough.
///
/// `tool` gets all hints so far and gives the whole region. The next click goes to the middle of
/// the largest connected error, for the object where it is missed and against it where there is
/// none. N. Xu et al., "Deep interactive object selection", CVPR 2016; the middle is the pixel
/// farthest from the error's edge, the first by rows of several.
pub fn clicks_to_iou(
    truth: &Selection,
    target_iou: f64,
    most: u32,
    tool: &mut dyn FnMut(&[Hint]) -> Selection,
) -> (u32, f64) {
    let mut hints = Vec::new();
    let (mut found, mut best) = (Selection::default(), 0.0_f64);
    for clicks in 1..=most {
        let Some(next) = next_click(truth, &found, &hints) else {
            return (clicks - 1, best);
        };
        hints.push(next);
        found = tool(&hints);
        let iou = intersection_over_union(truth, &found);
        best = best.max(iou);
        if iou >= target_iou {
            return (clicks, iou);
        }
    }
    (most, best)
}

/// Pixels of both over pixels of either; 1 when there are none at all.
pub fn intersection_over_union(one: &Selection, other: &Selection) -> f64 {
    let either = one.with(other).num_pixels();
    let both = one.num_pixels() + other.num_pixels() - either;
    if either == 0 {
        1.0
    } else {
        both as f64 / either as f64
    }
}

impl Side {
    /// `all` with the pixels of `part`, or without them.
    pub fn applied(self, all: &Selection, part: &Selection) -> Selection {
        match self {
            Self::For => all.with(part),
            Self::Against => all.without(part),
        }
    }
}

/// Whether each pixel of `window`, row by row, is selected.
pub(super) fn grid_of(selection: &Selection, window: PixelRect) -> Vec<bool> {
    let mut grid = vec![false; window.num_pixels() as usize];
    for span in selection.spans() {
        let row = PixelRect::new(span.start, span.y, span.end - span.start, 1).intersect(window);
        if !row.is_empty() {
            let start = (row.y - window.y) as usize * window.width as usize;
            let first = start + (row.x - window.x) as usize;
            grid[first..first + row.width as usize].fill(true);
        }
    }
    grid
}

/// The pixels of `window` that are set, row by row.
pub(super) fn spans_of(grid: &[bool], window: PixelRect) -> Vec<Span> {
    let mut spans = Vec::new();
    let rows = grid.chunks_exact((window.width as usize).max(1));
    for (y, row) in (window.y..).zip(rows) {
        let mut start = window.x;
        for run in row.chunk_by(|a, b| a == b) {
            let end = start + run.len() as u32;
            if run[0] {
                spans.push(Span { y, start, end });
            }
            start = end;
        }
    }
    spans
}

/// The next click; `None` when all is right or was clicked on.
fn next_click(truth: &Selection, found: &Selection, hints: &[Hint]) -> Option<Hint> {
    let window = truth.bounds().union(found.bounds());
    let (truth, found) = (grid_of(truth, window), grid_of(found, window));
    let mut wrong: Vec<Option<Side>> = truth
        .iter()
        .zip(&found)
        .map(|(&is_true, &is_found)| match (is_true, is_found) {
            (true, false) => Some(Side::For),
            (false, true) => Some(Side::Against),
            _ => None,
        })
        .collect();
    for hint in hints {
        hint.visit_pixels(window, |index| wrong[index] = None);
    }
    let width = window.width as usize;
    let largest = largest_piece(&wrong, width)?;
    let side = wrong[largest[0]]?;
    let mut is_error = vec![false; wrong.len()];
    for index in largest {
        is_error[index] = true;
    }
    let depth = depths(&is_error, width);
    let middle = (0..depth.len()).rev().max_by_key(|&index| depth[index])?;
    let (x, y) = ((middle % width) as u32, (middle / width) as u32);
    let at = ImagePoint::new(f64::from(window.x + x) + 0.5, f64::from(window.y + y) + 0.5);
    Some(Hint::click(side, at))
}

/// The most pixels that hang together by sides and have the same error; the first of several.
fn largest_piece(wrong: &[Option<Side>], width: usize) -> Option<Vec<usize>> {
    let mut is_seen = vec![false; wrong.len()];
    let mut largest: Vec<usize> = Vec::new();
    for start in 0..wrong.len() {
        if wrong[start].is_none() || is_seen[start] {
            continue;
        }
        is_seen[start] = true;
        let mut piece = vec![start];
        let mut at = 0;
        while let Some(&index) = piece.get(at) {
            at += 1;
            for next in sides_of(index, width, wrong.len()).into_iter().flatten() {
                if wrong[next] == wrong[start] && !is_seen[next] {
                    is_seen[next] = true;
                    piece.push(next);
                }
            }
        }
        if piece.len() > largest.len() {
            largest = piece;
        }
    }
    (!largest.is_empty()).then_some(largest)
}

/// The places left, right, above and below in a grid of `len` places and rows of `width`.
pub(super) fn sides_of(index: usize, width: usize, len: usize) -> [Option<usize>; 4] {
    let column = index % width;
    [
        (column > 0).then(|| index - 1),
        (column + 1 < width).then(|| index + 1),
        index.checked_sub(width),
        (index + width < len).then_some(index + width),
    ]
}

/// Distance of each set pixel from the nearest one that is not, in thirds of a pixel; what lies
/// outside the grid is not set.
fn depths(is_set: &[bool], width: usize) -> Vec<u32> {
    let height = is_set.len() / width.max(1);
    // A frame of zeros spares the passes all questions of edges.
    let wide = width + 2;
    let mut depth = vec![0_u32; wide * (height + 2)];
    for (y, row) in is_set.chunks_exact(width.max(1)).enumerate() {
        for (x, &is_in) in row.iter().enumerate() {
            depth[(y + 1) * wide + x + 1] = if is_in { u32::MAX / 2 } else { 0 };
        }
    }
    let inner = wide + 1..wide * (height + 1) - 1;
    for at in inner.clone() {
        let before = depth[at - wide - 1].min(depth[at - wide + 1]) + STEPS.1;
        let straight = depth[at - 1].min(depth[at - wide]) + STEPS.0;
        depth[at] = depth[at].min(before).min(straight);
    }
    for at in inner.rev() {
        let behind = depth[at + wide - 1].min(depth[at + wide + 1]) + STEPS.1;
        let straight = depth[at + 1].min(depth[at + wide]) + STEPS.0;
        depth[at] = depth[at].min(behind).min(straight);
    }
    let rows = depth.chunks_exact(wide).skip(1).take(height);
    rows.flat_map(|row| row[1..=width].iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(rects: &[PixelRect]) -> Selection {
        rects.iter().fold(Selection::default(), |all, &rect| {
            let grid = vec![true; rect.num_pixels() as usize];
            Side::For.applied(&all, &Selection::from_spans(spans_of(&grid, rect)))
        })
    }

    #[test]
    fn overlap_is_counted_in_pixels() {
        let one = selection(&[PixelRect::new(3, 3, 4, 4)]);
        let other = selection(&[PixelRect::new(5, 3, 4, 4)]);
        assert_eq!(intersection_over_union(&one, &other), 8.0 / 24.0);
        assert_eq!(Side::Against.applied(&one, &other).num_pixels(), 8);
        let none = Selection::default();
        assert_eq!(intersection_over_union(&one, &none), 0.0);
        assert_eq!(intersection_over_union(&none, &none), 1.0);
    }

    #[test]
    fn clicks_go_to_the_middle_of_the_largest_error() {
        let truth = selection(&[PixelRect::new(10, 10, 9, 9), PixelRect::new(40, 10, 5, 5)]);
        let excess = PixelRect::new(60, 60, 7, 7);
        let answers = [
            selection(&[PixelRect::new(10, 10, 9, 9), excess]),
            selection(&[PixelRect::new(10, 10, 9, 9)]),
            truth.clone(),
        ];
        let mut asked = Vec::new();
        let (clicks, iou) = clicks_to_iou(&truth, 0.9, 20, &mut |hints| {
            asked = hints.to_vec();
            answers[hints.len() - 1].clone()
        });
        assert_eq!((clicks, iou), (3, 1.0));
        let click = |side, x, y| Hint::click(side, ImagePoint::new(x, y));
        let expected = [
            click(Side::For, 14.5, 14.5),
            click(Side::Against, 63.5, 63.5),
            click(Side::For, 42.5, 12.5),
        ];
        assert_eq!(asked, expected);
    }

    #[test]
    fn a_tool_that_learns_nothing_is_given_up() {
        let truth = selection(&[PixelRect::new(0, 0, 5, 5)]);
        let mut calls = 0;
        let never = clicks_to_iou(&truth, 0.85, 7, &mut |_| {
            calls += 1;
            Selection::default()
        });
        assert_eq!((never, calls), ((7, 0.0), 7));
        assert_eq!(
            clicks_to_iou(&Selection::default(), 0.85, 7, &mut |_| truth.clone()).0,
            0
        );
    }
}
