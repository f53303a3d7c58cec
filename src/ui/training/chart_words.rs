use egui::{Pos2, Rangef, Rect};

/// How far apart points of a line are looked at, in points.
const STEP: f32 = 2.0;

/// For each span the first of the lines from 0 on that it has to itself.
pub(super) fn lines_of(spans: &[Rangef]) -> Vec<usize> {
    let mut taken: Vec<(usize, Rangef)> = Vec::with_capacity(spans.len());
    for span in spans {
        let is_free = |line: &usize| {
            let mut others = taken.iter().filter(|(other, _)| other == line);
            others.all(|(_, other)| !other.intersects(*span))
        };
        // Each takes one line, so that one more is free at last.
        let line = (0..taken.len()).find(is_free).unwrap_or(taken.len());
        taken.push((line, *span));
    }
    taken.into_iter().map(|(line, _)| line).collect()
}

/// Of places that touch none of the taken ones that which covers least of the lines; of those
/// alike the first.
pub(super) fn least_covering(places: &[Rect], taken: &[Rect], lines: &[Vec<Pos2>]) -> Option<Rect> {
    let is_free = |place: &&Rect| taken.iter().all(|other| !other.intersects(**place));
    let covered = |place: &&Rect| -> usize {
        let lines = lines.iter();
        lines.map(|line| points_inside(**place, line)).sum()
    };
    places.iter().filter(is_free).min_by_key(covered).copied()
}

/// How many points of a line, a step from each other, lie inside.
fn points_inside(place: Rect, line: &[Pos2]) -> usize {
    let inside = |pair: &[Pos2]| {
        let (from, way) = (pair[0], pair[1] - pair[0]);
        if !place.intersects(Rect::from_two_pos(from, pair[1])) {
            return 0;
        }
        let steps = (way.length() / STEP).ceil().max(1.0) as usize;
        let at = |step: usize| from + way * (step as f32 / steps as f32);
        (0..=steps).filter(|&step| place.contains(at(step))).count()
    };
    line.windows(2).map(inside).sum()
}

#[cfg(test)]
mod tests {
    use egui::{pos2, vec2};

    use super::*;

    #[test]
    fn words_beside_each_other_share_a_line() {
        let spans = [(0.0, 50.0), (60.0, 90.0), (40.0, 70.0), (80.0, 99.0)];
        let lines = lines_of(&spans.map(|(from, to)| Rangef::new(from, to)));
        assert_eq!(lines, [0, 0, 1, 1]);
        assert!(lines_of(&[]).is_empty());
    }

    #[test]
    fn words_stand_where_they_cover_least() {
        let place = |x: f32| Rect::from_min_size(pos2(x, 0.0), vec2(20.0, 10.0));
        let places = [0.0, 30.0, 60.0].map(place);
        let flat = vec![pos2(-50.0, 5.0), pos2(25.0, 5.0)];
        let steep = vec![pos2(40.0, -50.0), pos2(40.0, 50.0)];
        let lines = [flat.clone(), steep];
        assert_eq!(least_covering(&places, &[], &lines), Some(places[2]));
        // Rather over a steep line than over a flat one.
        assert_eq!(least_covering(&places[..2], &[], &lines), Some(places[1]));
        assert_eq!(least_covering(&places, &[], &[]), Some(places[0]));
        let taken = [place(55.0)];
        assert_eq!(least_covering(&places, &taken, &[flat]), Some(places[1]));
        assert_eq!(least_covering(&places[2..], &taken, &[]), None);
    }
}
