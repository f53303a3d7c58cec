use super::blur::Grey;
use crate::geom::PixelRect;

/// Pixels of a picture in one of its smaller version, in each direction.
pub(super) const FACTOR: f32 = std::f32::consts::SQRT_2;

/// A version smaller by [`FACTOR`]: each pixel is the mean of the ground it covers, transparent
/// where any of that is. Its rectangle begins at 0, 0; of less than three pixels it is empty.
pub(super) fn shrunk(grey: &Grey) -> Grey {
    let (columns, rows) = (covers(grey.width()), covers(grey.height()));
    let (width, height) = (columns.len(), rows.len());
    let mut across = vec![0.0; width];
    let mut luma = Vec::with_capacity(width * height);
    for &(y, weights) in &rows {
        across.fill(0.0);
        for (line, weight) in grey.luma[y * grey.width()..]
            .chunks_exact(grey.width())
            .zip(weights)
        {
            for (sum, &(x, [a, b, c])) in across.iter_mut().zip(&columns) {
                let line = [line[x], line[x + 1], line[x + 2]].map(f32::from);
                *sum += weight * (a * line[0] + b * line[1] + c * line[2]);
            }
        }
        luma.extend(across.iter().map(|sum| (sum + 0.5) as u8));
    }
    let void = grey.void.as_ref().map(|void| {
        let is_void = |y: usize, x: usize| {
            let line = |y: usize| &void[y * grey.width() + x..][..3];
            (y..y + 3).flat_map(line).any(|&void| void)
        };
        let cells = rows
            .iter()
            .flat_map(|row| columns.iter().map(|column| (row.0, column.0)));
        cells.map(|(y, x)| is_void(y, x)).collect()
    });
    Grey {
        rect: PixelRect::new(0, 0, width as u32, height as u32),
        luma,
        void,
    }
}

/// For each pixel of the smaller version of a line of `length`: the first of the three that it may
/// cover, and their weights, 1 together.
fn covers(length: usize) -> Vec<(usize, [f32; 3])> {
    let cover = |at: usize| {
        let (start, end) = (at as f32 * FACTOR, (at + 1) as f32 * FACTOR);
        let first = (start as usize).min(length - 3);
        let weight = |pixel: usize| {
            let shared = end.min(pixel as f32 + 1.0) - start.max(pixel as f32);
            shared.max(0.0) / FACTOR
        };
        (first, [weight(first), weight(first + 1), weight(first + 2)])
    };
    let smaller = if length < 3 {
        0
    } else {
        (length as f32 / FACTOR) as usize
    };
    (0..smaller).map(cover).collect()
}
