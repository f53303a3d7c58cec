use crate::geom::ImagePoint;

/// Two ends of a straight line piece.
pub(super) type Piece = [ImagePoint; 2];

/// Whether two pieces have more in common than an end of both.
///
/// Exact for whole coordinates below 2²⁶, whose products are whole numbers that `f64` holds.
pub(super) fn meet([a, b]: Piece, [c, d]: Piece) -> bool {
    let apart = |p: f64, q: f64, r: f64, s: f64| p.max(q) < r.min(s) || r.max(s) < p.min(q);
    if apart(a.x, b.x, c.x, d.x) || apart(a.y, b.y, c.y, d.y) {
        return false;
    }
    let pairs = [(a, b, c, d), (a, b, d, c), (b, a, c, d), (b, a, d, c)];
    if let Some((shared, p, _, q)) = pairs.into_iter().find(|(p, _, r, _)| p == r) {
        return turn(shared, p, q) == 0.0 && along(shared, p, q) > 0.0;
    }
    let on_one_side = |p, q, r, s| {
        let (side, other) = (turn(p, q, r), turn(p, q, s));
        (side > 0.0 && other > 0.0) || (side < 0.0 && other < 0.0)
    };
    !on_one_side(a, b, c, d) && !on_one_side(c, d, a, b)
}

/// Twice the area of the triangle; its sign tells on which side of the line from `p` to `q` the
/// point `r` lies.
pub(super) fn turn(p: ImagePoint, q: ImagePoint, r: ImagePoint) -> f64 {
    (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x)
}

fn along(from: ImagePoint, p: ImagePoint, q: ImagePoint) -> f64 {
    (p.x - from.x) * (q.x - from.x) + (p.y - from.y) * (q.y - from.y)
}

/// Whether a point is inside a ring by the even-odd rule. The last corner is joined to the first.
pub(super) fn is_inside(ring: &[ImagePoint], at: ImagePoint) -> bool {
    let mut is_inside = false;
    let Some(mut from) = ring.last() else {
        return false;
    };
    for to in ring {
        if (from.y > at.y) != (to.y > at.y) {
            let side = turn(*from, *to, at);
            if (side > 0.0) == (to.y > from.y) {
                is_inside = !is_inside;
            }
        }
        from = to;
    }
    is_inside
}

/// Twice the area of a ring with y down: negative when it runs counterclockwise on the screen.
pub(super) fn doubled_area(ring: &[ImagePoint]) -> f64 {
    let Some(&origin) = ring.first() else {
        return 0.0;
    };
    // From a corner of its own, so that small rings far out keep their digits.
    let areas = ring.windows(2).map(|pair| turn(origin, pair[0], pair[1]));
    areas.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at((x, y): (i32, i32)) -> ImagePoint {
        ImagePoint::new(x.into(), y.into())
    }

    #[test]
    fn pieces_meet_unless_they_share_an_end_only() {
        for (a, b, c, d, expected) in [
            ((0, 0), (4, 4), (0, 4), (4, 0), true),
            ((0, 0), (4, 0), (2, 0), (2, 3), true),
            ((0, 0), (4, 0), (2, 0), (6, 0), true),
            ((0, 0), (4, 0), (5, 0), (6, 0), false),
            ((0, 0), (4, 0), (4, 0), (6, 0), false),
            ((0, 0), (4, 0), (4, 0), (2, 0), true),
            ((0, 0), (4, 0), (4, 0), (0, 0), true),
            ((0, 0), (4, 0), (4, 0), (0, 1), false),
            ((0, 0), (4, 4), (2, 3), (0, 4), false),
        ] {
            let pieces = [[at(a), at(b)], [at(c), at(d)]];
            assert_eq!(meet(pieces[0], pieces[1]), expected, "{pieces:?}");
            assert_eq!(meet(pieces[1], pieces[0]), expected, "{pieces:?}");
        }
    }

    #[test]
    fn rings_have_insides_and_areas() {
        let ring = [(0, 0), (0, 4), (4, 4), (2, 2), (4, 0)].map(at);
        assert_eq!(doubled_area(&ring), -24.0);
        let inside = [(1, 1), (1, 3), (3, 2), (5, 2), (-1, 2)].map(|p| is_inside(&ring, at(p)));
        assert_eq!(inside, [true, true, false, false, false]);
    }
}
