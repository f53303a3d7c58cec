/// A point or a direction in world pixels; y points down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Vec2 {
    pub x: f32,
    pub y: f32,
}

impl Vec2 {
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// The direction that is `angle` radians from the x axis.
    pub fn from_angle(angle: f32) -> Self {
        Self::new(angle.cos(), angle.sin())
    }

    pub fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    /// Turned by a quarter.
    pub const fn perp(self) -> Self {
        Self::new(-self.y, self.x)
    }

    pub fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// The same direction with length 1; the x axis for the null vector.
    pub fn unit(self) -> Self {
        let length = self.length();
        if length < 1e-6 {
            Self::new(1.0, 0.0)
        } else {
            self * (1.0 / length)
        }
    }

    pub fn distance(self, other: Self) -> f32 {
        (self - other).length()
    }

    /// Coordinates along `axis` (a unit vector) and across it.
    pub fn in_frame(self, axis: Self) -> Self {
        Self::new(self.dot(axis), self.dot(axis.perp()))
    }
}

impl std::ops::Add for Vec2 {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }
}

impl std::ops::Sub for Vec2 {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }
}

impl std::ops::Mul<f32> for Vec2 {
    type Output = Self;

    fn mul(self, by: f32) -> Self {
        Self::new(self.x * by, self.y * by)
    }
}

/// An axis-parallel rectangle in world pixels with fractional corners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub min: Vec2,
    pub max: Vec2,
}

impl Bounds {
    /// Around a point with `reach` to all sides.
    pub fn around(center: Vec2, reach: f32) -> Self {
        let reach = Vec2::new(reach, reach);
        Self {
            min: center - reach,
            max: center + reach,
        }
    }

    /// Around a stretch with `reach` to all sides.
    pub fn around_stretch(a: Vec2, b: Vec2, reach: f32) -> Self {
        let low = Vec2::new(a.x.min(b.x), a.y.min(b.y));
        let high = Vec2::new(a.x.max(b.x), a.y.max(b.y));
        Self {
            min: low,
            max: high,
        }
        .grown(reach)
    }

    /// With `reach` more on all sides.
    pub fn grown(self, reach: f32) -> Self {
        let reach = Vec2::new(reach, reach);
        Self {
            min: self.min - reach,
            max: self.max + reach,
        }
    }

    pub fn holds(&self, p: Vec2) -> bool {
        p.x >= self.min.x && p.y >= self.min.y && p.x < self.max.x && p.y < self.max.y
    }

    pub fn touches(&self, other: &Self) -> bool {
        self.min.x < other.max.x
            && other.min.x < self.max.x
            && self.min.y < other.max.y
            && other.min.y < self.max.y
    }

    /// The smallest upright rectangle around both.
    pub fn union(&self, other: &Self) -> Self {
        let low = |a: Vec2, b: Vec2| Vec2::new(a.x.min(b.x), a.y.min(b.y));
        let high = |a: Vec2, b: Vec2| Vec2::new(a.x.max(b.x), a.y.max(b.y));
        Self {
            min: low(self.min, other.min),
            max: high(self.max, other.max),
        }
    }

    pub fn center(&self) -> Vec2 {
        (self.min + self.max) * 0.5
    }
}

/// A rectangle that lies any way round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TurnedBox {
    pub center: Vec2,
    /// Unit vector along the first side.
    pub axis: Vec2,
    /// Half the extent along the axis and across it.
    pub half: Vec2,
}

impl TurnedBox {
    /// `p` in the box's own frame.
    pub fn local(&self, p: Vec2) -> Vec2 {
        (p - self.center).in_frame(self.axis)
    }

    /// Distance to the border, negative inside.
    pub fn distance(&self, p: Vec2) -> f32 {
        let at = self.local(p);
        let (dx, dy) = (at.x.abs() - self.half.x, at.y.abs() - self.half.y);
        if dx > 0.0 && dy > 0.0 {
            (dx * dx + dy * dy).sqrt()
        } else {
            dx.max(dy)
        }
    }

    pub fn corners(&self) -> [Vec2; 4] {
        let (a, b) = (self.axis * self.half.x, self.axis.perp() * self.half.y);
        let c = self.center;
        [c + a + b, c + a - b, c - a - b, c - a + b]
    }

    /// The upright rectangle around it with `reach` more on all sides.
    pub fn bounds(&self, reach: f32) -> Bounds {
        let (a, b) = (self.axis, self.axis.perp());
        let x = (a.x * self.half.x).abs() + (b.x * self.half.y).abs();
        let y = (a.y * self.half.x).abs() + (b.y * self.half.y).abs();
        let half = Vec2::new(x + reach, y + reach);
        Bounds {
            min: self.center - half,
            max: self.center + half,
        }
    }

    /// With `by` more on all sides.
    pub fn grown(mut self, by: f32) -> Self {
        self.half = self.half + Vec2::new(by, by);
        self
    }

    /// Moved by `by`.
    pub fn moved(mut self, by: Vec2) -> Self {
        self.center = self.center + by;
        self
    }

    /// Whether both come nearer than `gap`, judged by corners and middles.
    pub fn is_near(&self, other: &Self, gap: f32) -> bool {
        let hit = |a: &Self, b: &Self| {
            b.corners()
                .iter()
                .chain([&b.center])
                .any(|&corner| a.distance(corner) < gap)
        };
        hit(self, other) || hit(other, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_box_measures_from_its_border() {
        let tilted = TurnedBox {
            center: Vec2::new(10.0, 10.0),
            axis: Vec2::new(0.6, 0.8),
            half: Vec2::new(5.0, 2.0),
        };
        assert!((tilted.distance(tilted.center) + 2.0).abs() < 1e-5);
        assert!((tilted.distance(Vec2::new(16.0, 18.0)) - 5.0).abs() < 1e-5);
        assert!(tilted.is_near(&tilted.moved(Vec2::new(3.0, 0.0)), 0.0));
        assert!(!tilted.is_near(&tilted.moved(Vec2::new(30.0, 0.0)), 4.0));
    }
}
