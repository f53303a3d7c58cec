/// The squared Euclidean distance, in pixels, from the middle of each pixel to the middle of the
/// nearest pixel of `class`, row by row; `None` everywhere when there is none.
///
/// Exact and linear in the number of pixels: distances along columns first, then the lower envelope
/// of one parabola a column (P. F. Felzenszwalb and D. P. Huttenlocher, "Distance transforms of
/// sampled functions", Theory of Computing 8, 2012, section 2).
pub(super) fn squared_distances(pixels: &[u8], width: usize, class: u8) -> Option<Vec<u64>> {
    if !pixels.contains(&class) {
        return None;
    }
    let columns = distances_along_columns(pixels, width, class);
    let mut squared = Vec::with_capacity(pixels.len());
    let mut envelope = Vec::with_capacity(width);
    for row in columns.chunks_exact(width) {
        lower_envelope(row, &mut envelope);
        squared.extend(distances_below(&envelope, row));
    }
    Some(squared)
}

/// Distance to the nearest pixel of the class in the same column, `None` where there is none.
fn distances_along_columns(pixels: &[u8], width: usize, class: u8) -> Vec<Option<u32>> {
    let mut found: Vec<Option<u32>> = pixels
        .iter()
        .map(|&pixel| (pixel == class).then_some(0))
        .collect();
    let nearer = |here: Option<u32>, beside: Option<u32>| {
        let over = beside.map(|distance| distance + 1);
        here.into_iter().chain(over).min()
    };
    for at in width..found.len() {
        found[at] = nearer(found[at], found[at - width]);
    }
    for at in (0..found.len() - width).rev() {
        found[at] = nearer(found[at], found[at + width]);
    }
    found
}

/// A parabola (x - `column`)² + `height` that is the lowest from `from` on.
struct Parabola {
    column: usize,
    height: u64,
    from: f64,
}

fn lower_envelope(row: &[Option<u32>], envelope: &mut Vec<Parabola>) {
    envelope.clear();
    for (column, distance) in row.iter().enumerate() {
        let Some(distance) = distance else {
            continue;
        };
        let height = u64::from(*distance).pow(2);
        let mut from = f64::NEG_INFINITY;
        while let Some(last) = envelope.last() {
            from = crossing(last, column, height);
            if from > last.from {
                break;
            }
            envelope.pop();
            from = f64::NEG_INFINITY;
        }
        envelope.push(Parabola {
            column,
            height,
            from,
        });
    }
}

/// Where a parabola further right becomes lower. Rounding cannot matter: the crossing is a multiple
/// of 1 / 2·width, so it is either exactly a pixel or far from one, and at a pixel both are equal.
fn crossing(left: &Parabola, column: usize, height: u64) -> f64 {
    let rise = |column: usize, height: u64| height as f64 + (column as f64).powi(2);
    let run = 2.0 * (column - left.column) as f64;
    (rise(column, height) - rise(left.column, left.height)) / run
}

fn distances_below(envelope: &[Parabola], row: &[Option<u32>]) -> impl Iterator<Item = u64> {
    let mut lowest = 0;
    (0..row.len()).map(move |x| {
        while envelope
            .get(lowest + 1)
            .is_some_and(|next| next.from < x as f64)
        {
            lowest += 1;
        }
        let parabola = &envelope[lowest];
        (x.abs_diff(parabola.column) as u64).pow(2) + parabola.height
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn distances_are_between_the_middles_of_pixels() {
        let pixels = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        let found = squared_distances(&pixels, 4, 1).expect("a pixel of the class");
        assert_eq!(found, [1, 2, 5, 10, 0, 1, 4, 9, 1, 2, 5, 10]);
        assert_eq!(squared_distances(&pixels, 4, 7), None);
        assert_eq!(squared_distances(&[], 0, 7), None);
    }

    proptest! {
        #[test]
        fn the_nearest_pixel_is_found(
            width in 1_usize..24, height in 1_usize..24,
            sources in prop::collection::vec((0_usize..24, 0_usize..24), 1..8),
        ) {
            let mut pixels = vec![0; width * height];
            let sources: Vec<_> = sources.iter().map(|(x, y)| (x % width, y % height)).collect();
            for (x, y) in &sources {
                pixels[y * width + x] = 1;
            }
            let found = squared_distances(&pixels, width, 1).expect("sources");
            for (at, found) in found.iter().enumerate() {
                let to = |(x, y): &(usize, usize)| {
                    x.abs_diff(at % width).pow(2) + y.abs_diff(at / width).pow(2)
                };
                prop_assert_eq!(*found, sources.iter().map(to).min().expect("sources") as u64);
            }
        }
    }
}
