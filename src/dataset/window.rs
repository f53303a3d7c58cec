use crate::geom::{ImageSize, PixelRect};

/// A square window that may hang over the edges of an image, as columns and rows to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MirroredWindow {
    /// First column; may be negative.
    pub x: i64,
    /// First row; may be negative.
    pub y: i64,
    /// Columns and rows.
    pub side: u32,
}

impl MirroredWindow {
    /// The part of the window that lies inside an image of `size`; empty when it lies outside.
    pub fn inside(&self, size: ImageSize) -> PixelRect {
        let span = |start: i64, end: u32| {
            let low = start.clamp(0, i64::from(end));
            let high = (start + i64::from(self.side)).clamp(low, i64::from(end));
            (low as u32, (high - low) as u32)
        };
        let ((x, width), (y, height)) = (span(self.x, size.width), span(self.y, size.height));
        PixelRect::new(x, y, width, height)
    }

    /// The smallest part of the image that fills the window when mirrored at the edges.
    fn needed(&self, size: ImageSize) -> PixelRect {
        let span = |start: i64, length: u32| {
            let at = (0..i64::from(self.side)).map(|step| mirrored(start + step, length));
            let (low, high) = at.fold((u32::MAX, 0), |(low, high), at| (low.min(at), high.max(at)));
            (low, high + 1 - low)
        };
        let ((x, width), (y, height)) = (span(self.x, size.width), span(self.y, size.height));
        PixelRect::new(x, y, width, height)
    }
}

/// Reads `window` of an image of `size` (not empty), mirrored at its edges, through `read`, which
/// gives RGBA8 of a rectangle inside the image.
///
/// # Errors
/// What `read` says.
pub fn read_mirrored<E>(
    window: MirroredWindow,
    size: ImageSize,
    read: impl FnOnce(PixelRect) -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    gathered(window, size, 4, read)
}

/// As [`read_mirrored`] for samples of `width` bytes.
pub(super) fn gathered<E>(
    window: MirroredWindow,
    size: ImageSize,
    width: usize,
    read: impl FnOnce(PixelRect) -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    let needed = window.needed(size);
    let samples = read(needed)?;
    let inside = window.inside(size);
    if (inside.width, inside.height) == (window.side, window.side) {
        return Ok(samples);
    }
    let steps = 0..i64::from(window.side);
    let columns: Vec<usize> = steps
        .clone()
        .map(|step| (mirrored(window.x + step, size.width) - needed.x) as usize * width)
        .collect();
    let mut filled = Vec::with_capacity(columns.len() * columns.len() * width);
    for step in steps {
        let row = (mirrored(window.y + step, size.height) - needed.y) as usize;
        let row = &samples[row * needed.width as usize * width..][..needed.width as usize * width];
        for &column in &columns {
            filled.extend_from_slice(&row[column..column + width]);
        }
    }
    Ok(filled)
}

/// The sample that stands at `at` when `length` samples are mirrored without repeating the edge
/// (…2 1 0 1 2…); any distance, any length of at least 1.
fn mirrored(at: i64, length: u32) -> u32 {
    let last = i64::from(length) - 1;
    if last <= 0 {
        return 0;
    }
    let folded = at.rem_euclid(2 * last);
    folded.min(2 * last - folded) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_mirrored_without_repeating_the_edge() {
        let at = |range: std::ops::Range<i64>, length| {
            range.map(|at| mirrored(at, length)).collect::<Vec<_>>()
        };
        assert_eq!(at(-3..6, 3), [1, 2, 1, 0, 1, 2, 1, 0, 1]);
        assert_eq!(at(-2..3, 1), [0; 5]);
    }

    /// An image whose red is the column and whose green is the row.
    fn read(window: MirroredWindow, size: ImageSize) -> Vec<[u8; 2]> {
        let pixels = read_mirrored(window, size, |rect| {
            assert_eq!(rect.intersect(size.bounds()), rect);
            let rows = rect.y..rect.bottom();
            let pixel = |y| (rect.x..rect.right()).flat_map(move |x| [x as u8, y as u8, 0, 255]);
            Ok::<_, ()>(rows.flat_map(pixel).collect())
        });
        pixels
            .expect("pixels")
            .chunks_exact(4)
            .map(|p| [p[0], p[1]])
            .collect()
    }

    #[test]
    fn a_window_inside_is_read_as_it_is() {
        let window = MirroredWindow {
            x: 1,
            y: 2,
            side: 2,
        };
        assert_eq!(
            read(window, ImageSize::new(9, 9)),
            [[1, 2], [2, 2], [1, 3], [2, 3]]
        );
    }

    #[test]
    fn a_window_over_a_corner_is_mirrored() {
        let window = MirroredWindow {
            x: -1,
            y: 1,
            side: 3,
        };
        let row = |y| [[1, y], [0, y], [1, y]];
        assert_eq!(
            read(window, ImageSize::new(2, 3)),
            [row(1), row(2), row(1)].concat()
        );
        assert_eq!(
            window.inside(ImageSize::new(2, 3)),
            PixelRect::new(0, 1, 2, 2)
        );
    }

    #[test]
    fn an_image_smaller_than_the_window_fills_it() {
        let window = MirroredWindow {
            x: 0,
            y: 0,
            side: 5,
        };
        assert_eq!(read(window, ImageSize::new(1, 1)), [[0, 0]; 25]);
    }
}
