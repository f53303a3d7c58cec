use super::span::Span;
use crate::geom::ImagePoint;

/// The edges of sorted spans that neither overlap nor touch as closed polygons of pixel corners.
///
/// Pixels joined by sides share a polygon, pixels joined by a corner do not cross there.
pub(super) fn outline(spans: &[Span]) -> Vec<Vec<ImagePoint>> {
    let left = spans.iter().map(|span| span.start).min().unwrap_or(0);
    let right = spans.iter().map(|span| span.end).max().unwrap_or(0);
    let mut edges = Edges {
        edges: Vec::new(),
        left,
        open: vec![0; (right - left) as usize + 1],
    };
    let mut above: &[Span] = &[];
    for row in spans.chunk_by(|a, b| a.y == b.y) {
        let y = row[0].y;
        if let Some(last) = above.first().filter(|span| span.y + 1 < y) {
            edges.add_line(last.y + 1, above, &[]);
            above = &[];
        }
        edges.add_line(y, above, row);
        above = row;
    }
    if let Some(last) = above.first() {
        edges.add_line(last.y + 1, above, &[]);
    }
    edges.rings()
}

/// A horizontal edge with selected pixels on one side, as long as it can be.
struct Edge {
    y: u32,
    /// Where it starts: pixels are below an edge that runs right and above one that runs left.
    from: u32,
    to: u32,
    /// The edge at the other end of the vertical one that goes on from `to`.
    next: usize,
}

/// Whether the pixels around a corner are selected.
#[derive(Clone, Copy, Default)]
struct Around {
    upper_left: bool,
    upper_right: bool,
    lower_left: bool,
    lower_right: bool,
}

/// The horizontal edges that were met from top to bottom.
struct Edges {
    edges: Vec<Edge>,
    /// The column that `open` starts with.
    left: u32,
    /// For the columns where a vertical edge is open downwards, the edge at its upper end.
    open: Vec<usize>,
}

impl Edges {
    /// Adds the edges between two neighboring rows; `y` is the lower one.
    fn add_line(&mut self, y: u32, above: &[Span], below: &[Span]) {
        let (mut upper, mut lower) = (ends(above).peekable(), ends(below).peekable());
        let mut around = Around::default();
        loop {
            let next = match (upper.peek(), lower.peek()) {
                (Some(&a), Some(&b)) => a.min(b),
                (Some(&x), None) | (None, Some(&x)) => x,
                (None, None) => return,
            };
            around.upper_left = around.upper_right;
            around.lower_left = around.lower_right;
            around.upper_right ^= upper.next_if_eq(&next).is_some();
            around.lower_right ^= lower.next_if_eq(&next).is_some();
            self.add_corner(next, y, around);
        }
    }

    /// Ends the edge left of a corner, starts the one right of it and joins them to the vertical
    /// edges. Where two pixels meet only here, each keeps to its own.
    fn add_corner(&mut self, x: u32, y: u32, around: Around) {
        let left = (around.upper_left != around.lower_left).then(|| self.edges.len() - 1);
        if let Some(edge) = left {
            // An edge with pixels above runs left, so it starts here.
            let end = if around.upper_left {
                &mut self.edges[edge].from
            } else {
                &mut self.edges[edge].to
            };
            *end = x;
        }
        let right = (around.upper_right != around.lower_right).then(|| {
            self.edges.push(Edge {
                y,
                from: x,
                to: x,
                next: 0,
            });
            self.edges.len() - 1
        });
        match (left, right) {
            (Some(left), Some(right)) if around.upper_left => {
                self.join_above(x, left, around);
                self.open_below(x, right);
            }
            (Some(left), Some(right)) => {
                self.join_above(x, right, around);
                self.open_below(x, left);
            }
            (Some(edge), None) | (None, Some(edge)) => {
                if around.upper_left == around.upper_right {
                    self.open_below(x, edge);
                } else {
                    self.join_above(x, edge, around);
                }
            }
            // A vertical edge that goes straight on.
            (None, None) => {}
        }
    }

    fn open_below(&mut self, x: u32, edge: usize) {
        self.open[(x - self.left) as usize] = edge;
    }

    /// Joins an edge to the vertical one that comes down to it from `x`, which runs down when its
    /// pixels are on the left and up when they are on the right.
    fn join_above(&mut self, x: u32, edge: usize, around: Around) {
        let upper = self.open[(x - self.left) as usize];
        if around.upper_left {
            self.edges[upper].next = edge;
        } else {
            self.edges[edge].next = upper;
        }
    }

    fn rings(self) -> Vec<Vec<ImagePoint>> {
        let mut is_done = vec![false; self.edges.len()];
        let mut rings = Vec::new();
        for first in 0..self.edges.len() {
            let mut points = Vec::new();
            let mut at = first;
            while !is_done[at] {
                is_done[at] = true;
                let edge = &self.edges[at];
                for x in [edge.from, edge.to] {
                    points.push(ImagePoint::new(f64::from(x), f64::from(edge.y)));
                }
                at = edge.next;
            }
            if !points.is_empty() {
                rings.push(points);
            }
        }
        rings
    }
}

/// The columns where a row's pixels start and end, from the left.
fn ends(row: &[Span]) -> impl Iterator<Item = u32> {
    row.iter().flat_map(|span| [span.start, span.end])
}
