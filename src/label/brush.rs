use std::ops::Range;

use super::UNLABELED;
use super::span::Span;
use crate::geom::{ImagePoint, ImageSize};

/// The outline of a brush.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BrushShape {
    /// A disc: pixels whose centre is within half the diameter.
    #[default]
    Round,
    /// An upright square with the diameter as its side.
    Square,
}

/// The tool's tip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brush {
    /// Diameter, or side, in level-0 pixels.
    pub diameter_px: f64,
    /// The outline.
    pub shape: BrushShape,
}

/// What painting leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// This class.
    Class(u8),
    /// No label at all.
    Erase,
}

impl Ink {
    /// The index that is written.
    pub const fn index(self) -> u8 {
        match self {
            Self::Class(class) => class,
            Self::Erase => UNLABELED,
        }
    }
}

/// The classes that may be painted over; pixels of others stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaintOver([u64; 4]);

impl Default for PaintOver {
    fn default() -> Self {
        Self::everything()
    }
}

impl PaintOver {
    /// All classes and unlabeled ground.
    pub const fn everything() -> Self {
        Self([u64::MAX; 4])
    }

    /// Only these indices; 255 stands for unlabeled ground.
    pub fn only(indices: impl IntoIterator<Item = u8>) -> Self {
        let mut bits = [0; 4];
        for index in indices {
            bits[usize::from(index / 64)] |= 1 << (index % 64);
        }
        Self(bits)
    }

    /// The same without `index`: a locked class.
    #[must_use]
    pub fn without(mut self, index: u8) -> Self {
        self.0[usize::from(index / 64)] &= !(1 << (index % 64));
        self
    }

    /// Whether pixels of `index` may be painted over.
    pub const fn contains(&self, index: u8) -> bool {
        self.0[(index / 64) as usize] >> (index % 64) & 1 == 1
    }
}

/// What painting writes and where it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    /// What is written.
    pub ink: Ink,
    /// What it may replace.
    pub over: PaintOver,
}

impl Paint {
    /// Paint of this class over everything.
    pub const fn class(class: u8) -> Self {
        Self {
            ink: Ink::Class(class),
            over: PaintOver::everything(),
        }
    }

    /// An eraser of everything.
    pub const fn eraser() -> Self {
        Self {
            ink: Ink::Erase,
            over: PaintOver::everything(),
        }
    }
}

/// Farther positions than this, in pixels, are not the pointer's.
const FARTHEST: f64 = 1e9;

/// Ends of a row are corrected by the definition itself, at most this often.
const MAX_NUDGES: u32 = 8;

impl Brush {
    /// A round brush of this diameter in level-0 pixels.
    pub const fn round(diameter_px: f64) -> Self {
        Self {
            diameter_px,
            shape: BrushShape::Round,
        }
    }

    /// A square brush of this side in level-0 pixels.
    pub const fn square(diameter_px: f64) -> Self {
        Self {
            diameter_px,
            shape: BrushShape::Square,
        }
    }

    /// `at` itself, or the centre of its pixel for brushes so small that they could fall between
    /// the pixel centres and paint nothing.
    pub fn anchored(&self, at: ImagePoint) -> ImagePoint {
        if self.diameter_px >= std::f64::consts::SQRT_2 {
            return at;
        }
        ImagePoint::new(at.x.floor() + 0.5, at.y.floor() + 0.5)
    }

    /// The pixels that a drag from `from` to `to` paints in a mask of `size`: those whose centre
    /// is within half the diameter of the segment. At most one span a row, from the top.
    pub(super) fn capsule(&self, from: ImagePoint, to: ImagePoint, size: ImageSize) -> Vec<Span> {
        self.capsule_in(from, to, 0..size.height, size.width)
    }

    /// The part of [`Brush::capsule`] in some rows of a mask of `width`.
    pub(super) fn capsule_in(
        &self,
        from: ImagePoint,
        to: ImagePoint,
        rows: Range<u32>,
        width: u32,
    ) -> Vec<Span> {
        let radius = self.diameter_px / 2.0;
        let sane = |value: f64| value.is_finite() && value.abs() < FARTHEST;
        let numbers = [from.x, from.y, to.x, to.y, radius];
        if !numbers.into_iter().all(sane) || radius < 0.0 || width == 0 || rows.is_empty() {
            return Vec::new();
        }
        let capsule = Capsule {
            from,
            to,
            radius,
            shape: self.shape,
        };
        let top = (from.y.min(to.y) - radius - 0.5).ceil() - 1.0;
        let bottom = (from.y.max(to.y) + radius - 0.5).floor() + 1.0;
        let (first_row, last_row) = (f64::from(rows.start), f64::from(rows.end) - 1.0);
        if bottom < first_row || top > last_row {
            return Vec::new();
        }
        let rows = top.max(first_row) as u32..=bottom.min(last_row) as u32;
        rows.filter_map(|y| capsule.span(y, width)).collect()
    }
}

/// A segment with a brush drawn along it.
struct Capsule {
    from: ImagePoint,
    to: ImagePoint,
    radius: f64,
    shape: BrushShape,
}

impl Capsule {
    /// The painted pixels of row `y`.
    fn span(&self, y: u32, width: u32) -> Option<Span> {
        let center_y = f64::from(y) + 0.5;
        let (left, right) = match self.shape {
            BrushShape::Round => self.round_interval(center_y),
            BrushShape::Square => self.square_interval(center_y),
        }?;
        let last_column = f64::from(width) - 1.0;
        let mut first = (left - 0.5).ceil();
        let mut last = (right - 0.5).floor();
        if self.shape == BrushShape::Round {
            (first, last) = self.nudged(first, last, center_y);
        }
        if first > last || last < 0.0 || first > last_column {
            return None;
        }
        let (start, end) = (first.max(0.0) as u32, last.min(last_column) as u32 + 1);
        Some(Span { y, start, end })
    }

    /// The ends, moved until they agree with the definition where rounding went against it.
    fn nudged(&self, mut first: f64, mut last: f64, center_y: f64) -> (f64, f64) {
        let covers = |x: f64| self.covers_round(ImagePoint::new(x + 0.5, center_y));
        for _ in 0..MAX_NUDGES {
            match (covers(first), covers(first - 1.0)) {
                (_, true) => first -= 1.0,
                (false, false) if first <= last => first += 1.0,
                _ => break,
            }
        }
        last = last.max(first - 1.0);
        for _ in 0..MAX_NUDGES {
            match (covers(last), covers(last + 1.0)) {
                (_, true) => last += 1.0,
                (false, false) if last >= first => last -= 1.0,
                _ => break,
            }
        }
        (first, last)
    }

    fn covers_round(&self, at: ImagePoint) -> bool {
        squared_distance(at, self.from, self.to) <= self.radius * self.radius
    }

    /// The stretch of the row at `y` that lies in the two end discs and the rectangle between.
    fn round_interval(&self, y: f64) -> Option<(f64, f64)> {
        let mut interval = Interval::default();
        for end in [self.from, self.to] {
            let dy = y - end.y;
            if dy.abs() <= self.radius {
                let half = (self.radius * self.radius - dy * dy).sqrt();
                interval.add(end.x - half);
                interval.add(end.x + half);
            }
        }
        let (dx, dy) = (self.to.x - self.from.x, self.to.y - self.from.y);
        let length = dx.hypot(dy);
        if length > 0.0 {
            let (nx, ny) = (-dy / length * self.radius, dx / length * self.radius);
            let corner =
                |p: ImagePoint, sign: f64| ImagePoint::new(p.x + sign * nx, p.y + sign * ny);
            let ring = [
                corner(self.from, 1.0),
                corner(self.to, 1.0),
                corner(self.to, -1.0),
                corner(self.from, -1.0),
            ];
            for (index, &a) in ring.iter().enumerate() {
                interval.add_crossing(a, ring[(index + 1) % 4], y);
            }
        }
        interval.ends()
    }

    /// The stretch of the row at `y` that a square slid along the segment covers.
    fn square_interval(&self, y: f64) -> Option<(f64, f64)> {
        let (dx, dy) = (self.to.x - self.from.x, self.to.y - self.from.y);
        let (mut start, mut end) = (0.0_f64, 1.0_f64);
        if dy == 0.0 {
            if (y - self.from.y).abs() > self.radius {
                return None;
            }
        } else {
            let a = (y - self.radius - self.from.y) / dy;
            let b = (y + self.radius - self.from.y) / dy;
            (start, end) = (start.max(a.min(b)), end.min(a.max(b)));
        }
        if start > end {
            return None;
        }
        let (a, b) = (self.from.x + dx * start, self.from.x + dx * end);
        Some((a.min(b) - self.radius, a.max(b) + self.radius))
    }
}

/// Squared distance of a point to a segment.
fn squared_distance(at: ImagePoint, from: ImagePoint, to: ImagePoint) -> f64 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let squared_length = dx * dx + dy * dy;
    let along = (at.x - from.x) * dx + (at.y - from.y) * dy;
    let t = if squared_length > 0.0 {
        (along / squared_length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let (x, y) = (at.x - (from.x + t * dx), at.y - (from.y + t * dy));
    x * x + y * y
}

/// A growing stretch of a row.
struct Interval {
    left: f64,
    right: f64,
}

impl Default for Interval {
    fn default() -> Self {
        Self {
            left: f64::INFINITY,
            right: f64::NEG_INFINITY,
        }
    }
}

impl Interval {
    fn add(&mut self, x: f64) {
        self.left = self.left.min(x);
        self.right = self.right.max(x);
    }

    /// Adds where the edge from `a` to `b` meets the row at `y`.
    fn add_crossing(&mut self, a: ImagePoint, b: ImagePoint, y: f64) {
        if y < a.y.min(b.y) || y > a.y.max(b.y) {
            return;
        }
        let rise = b.y - a.y;
        if rise.abs() < f64::MIN_POSITIVE {
            self.add(a.x);
            self.add(b.x);
        } else {
            self.add(a.x + (b.x - a.x) * ((y - a.y) / rise));
        }
    }

    fn ends(&self) -> Option<(f64, f64)> {
        (self.left <= self.right).then_some((self.left, self.right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: ImageSize = ImageSize::new(64, 48);

    fn painted(brush: Brush, from: ImagePoint, to: ImagePoint) -> Vec<(u32, u32)> {
        let spans = brush.capsule(from, to, SIZE);
        spans
            .iter()
            .flat_map(|span| (span.start..span.end).map(|x| (x, span.y)))
            .collect()
    }

    #[test]
    fn a_round_brush_holds_the_centres_on_its_rim() {
        let at = ImagePoint::new(10.5, 10.5);
        let disc = painted(Brush::round(10.0), at, at);
        assert_eq!(disc.len(), 81);
        for rim in [(15, 10), (13, 14), (14, 13), (7, 6)] {
            assert!(disc.contains(&rim), "{rim:?}");
        }
    }

    #[test]
    fn a_square_brush_is_square() {
        let at = ImagePoint::new(10.0, 10.0);
        assert_eq!(painted(Brush::square(4.0), at, at).len(), 16);
        let drag = painted(Brush::square(4.0), at, ImagePoint::new(20.0, 10.0));
        assert_eq!(drag.len(), 14 * 4);
    }

    #[test]
    fn positions_that_are_none_paint_nothing() {
        let here = ImagePoint::new(3.0, 3.0);
        for there in [f64::NAN, f64::INFINITY, 1e300] {
            assert!(painted(Brush::round(9.0), here, ImagePoint::new(there, 0.0)).is_empty());
        }
        for diameter in [f64::NAN, -1.0, f64::INFINITY] {
            assert!(painted(Brush::round(diameter), here, here).is_empty());
        }
        let far = ImagePoint::new(-500.0, 900.0);
        assert!(painted(Brush::round(9.0), far, far).is_empty());
    }

    #[test]
    fn a_tiny_brush_finds_its_pixel() {
        let brush = Brush::round(1.0);
        let at = brush.anchored(ImagePoint::new(7.99, 3.01));
        assert_eq!(painted(brush, at, at), [(7, 3)]);
    }

    fn by_definition(brush: Brush, from: ImagePoint, to: ImagePoint, x: u32, y: u32) -> f64 {
        let at = ImagePoint::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
        if brush.shape == BrushShape::Round {
            return squared_distance(at, from, to).sqrt();
        }
        let steps = (0..=4_000).map(|step| f64::from(step) / 4_000.0);
        let reach = |t: f64| {
            let dx = at.x - (from.x + t * (to.x - from.x));
            let dy = at.y - (from.y + t * (to.y - from.y));
            dx.abs().max(dy.abs())
        };
        steps.map(reach).fold(f64::INFINITY, f64::min)
    }

    fn any_point() -> impl proptest::strategy::Strategy<Value = ImagePoint> {
        use proptest::strategy::Strategy as _;
        (-40_i32..300, -40_i32..240)
            .prop_map(|(x, y)| ImagePoint::new(f64::from(x) / 4.0, f64::from(y) / 4.0))
    }

    proptest::proptest! {
        #[test]
        fn a_round_drag_is_its_definition(from in any_point(), to in any_point(), d in 0_u32..80) {
            let brush = Brush::round(f64::from(d) / 4.0);
            let painted = painted(brush, from, to);
            let radius = brush.diameter_px / 2.0;
            for (x, y) in (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y))) {
                let at = ImagePoint::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
                let expected = squared_distance(at, from, to) <= radius * radius;
                proptest::prop_assert_eq!(painted.contains(&(x, y)), expected, "{} {}", x, y);
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(16))]
        #[test]
        fn a_square_drag_is_its_definition(from in any_point(), to in any_point(), d in 0_u32..80) {
            let brush = Brush::square(f64::from(d) / 4.0);
            let painted = painted(brush, from, to);
            let radius = brush.diameter_px / 2.0;
            for (x, y) in (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y))) {
                let reach = by_definition(brush, from, to, x, y);
                if (reach - radius).abs() > 0.05 {
                    proptest::prop_assert_eq!(painted.contains(&(x, y)), reach < radius);
                }
            }
        }
    }
}
