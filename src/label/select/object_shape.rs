use super::clicks::sides_of;
use super::hint::Side;

/// Holes larger than this share of the object are taken for what they are, such as courtyards.
const MAX_HOLE_SHARE: f32 = 0.1;

/// Takes out what is not joined by sides to a pixel that a hint for the object marks.
pub(super) fn keep_joined(grid: &mut [bool], width: usize, marks: &[Option<Side>]) {
    let mut is_joined: Vec<bool> = marks.iter().map(|mark| *mark == Some(Side::For)).collect();
    let mut stack: Vec<usize> = (0..grid.len()).filter(|&index| is_joined[index]).collect();
    while let Some(index) = stack.pop() {
        for next in sides_of(index, width, grid.len()).into_iter().flatten() {
            if grid[next] && !is_joined[next] {
                is_joined[next] = true;
                stack.push(next);
            }
        }
    }
    grid.copy_from_slice(&is_joined);
}

/// Fills holes that are small against the object and all of whose pixels `may_fill` allows; what
/// touches the edge of the grid is no hole.
pub(super) fn fill_holes(grid: &mut [bool], width: usize, may_fill: impl Fn(usize) -> bool) {
    let area = grid.iter().filter(|is_in| **is_in).count();
    let most = (area as f32 * MAX_HOLE_SHARE) as usize;
    let mut is_seen = grid.to_vec();
    for start in 0..grid.len() {
        if is_seen[start] {
            continue;
        }
        is_seen[start] = true;
        let mut hole = vec![start];
        let (mut at, mut is_fillable) = (0, true);
        while let Some(&index) = hole.get(at) {
            at += 1;
            let sides = sides_of(index, width, grid.len());
            is_fillable &= may_fill(index) && sides.iter().all(Option::is_some);
            for next in sides.into_iter().flatten() {
                if !is_seen[next] {
                    is_seen[next] = true;
                    hole.push(next);
                }
            }
        }
        if is_fillable && hole.len() <= most {
            for index in hole {
                grid[index] = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid_of(rows: &[&str]) -> Vec<bool> {
        rows.concat().chars().map(|sign| sign == '#').collect()
    }

    #[test]
    fn only_what_touches_a_hint_stays() {
        let mut grid = grid_of(&["##..", "..##", "...#"]);
        let mut marks = vec![None; 12];
        marks[6] = Some(Side::For);
        keep_joined(&mut grid, 4, &marks);
        assert_eq!(grid, grid_of(&["....", "..##", "...#"]));
    }

    #[test]
    fn small_holes_are_filled_unless_they_are_wanted() {
        let rows = ["######", "#.####", "######", "####.#", "#####."];
        let mut grid = grid_of(&rows);
        fill_holes(&mut grid, 6, |index| index != 7);
        assert_eq!(
            grid,
            grid_of(&["######", "#.####", "######", "######", "#####."])
        );
        let mut ring = grid_of(&["###", "#.#", "###"]);
        fill_holes(&mut ring, 3, |_| true);
        assert!(!ring[4], "an eighth of the object is large");
    }
}
