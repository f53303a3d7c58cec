use crate::geom::PixelRect;

/// Weights of the smoothing in each direction: a box of five, twice.
const WEIGHTS: [f32; 9] = [1.0, 2.0, 3.0, 4.0, 5.0, 4.0, 3.0, 2.0, 1.0];
/// Pixels at each edge of a picture that have no smoothed value.
pub(super) const REACH: usize = WEIGHTS.len() / 2;

/// The brightness of a part of an image.
pub(super) struct Grey {
    /// Where it lies in the image.
    pub(super) rect: PixelRect,
    /// One byte a pixel, row by row.
    pub(super) luma: Vec<u8>,
    /// Whether each pixel is transparent; `None` when none is.
    pub(super) void: Option<Vec<bool>>,
}

impl Grey {
    /// From RGBA8 of `rect`.
    pub(super) fn new(rect: PixelRect, rgba: &[u8]) -> Self {
        let luma = rgba.chunks_exact(4).map(|pixel| {
            let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
            ((77 * r + 150 * g + 29 * b) >> 8) as u8
        });
        let luma = luma.collect();
        let is_void = |pixel: &[u8]| pixel[3] == 0;
        let has_void = rgba.chunks_exact(4).any(is_void);
        let void = has_void.then(|| rgba.chunks_exact(4).map(is_void).collect());
        Self { rect, luma, void }
    }

    /// Columns.
    pub(super) const fn width(&self) -> usize {
        self.rect.width as usize
    }

    /// Rows.
    pub(super) const fn height(&self) -> usize {
        self.rect.height as usize
    }
}

/// The brightness smoothed, 625 for each step of a byte; the outer [`REACH`] pixels are 0.
///
/// All sums are whole numbers that a float holds, so a turned picture has just the turned values.
pub(super) fn blurred(grey: &Grey) -> Vec<f32> {
    let (width, height) = (grey.width(), grey.height());
    let mut out = vec![0.0; width * height];
    if width < WEIGHTS.len() || height < WEIGHTS.len() {
        return out;
    }
    let mut across = vec![0.0; width * height];
    let mut line = vec![0.0; width];
    for (y, out) in across.chunks_exact_mut(width).enumerate() {
        for (value, &luma) in line.iter_mut().zip(&grey.luma[y * width..]) {
            *value = f32::from(luma);
        }
        let out = &mut out[REACH..width - REACH];
        for (step, weight) in WEIGHTS.into_iter().enumerate() {
            add_weighted(out, &line[step..], weight);
        }
    }
    for y in REACH..height - REACH {
        let out = &mut out[y * width..][..width];
        for (step, weight) in WEIGHTS.into_iter().enumerate() {
            add_weighted(out, &across[(y + step - REACH) * width..], weight);
        }
    }
    out
}

fn add_weighted(out: &mut [f32], values: &[f32], weight: f32) {
    for (out, value) in out.iter_mut().zip(values) {
        *out += value * weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat_inside() {
        let rect = PixelRect::new(0, 0, 12, 10);
        let rgba = [100, 100, 100, 255].repeat(120);
        let grey = Grey::new(rect, &rgba);
        assert!(grey.void.is_none() && grey.luma.iter().all(|&luma| luma == 100));
        let smooth = blurred(&grey);
        assert_eq!(
            (smooth[0], smooth[4 * 12 + 4], smooth[5 * 12 + 7]),
            (0.0, 62_500.0, 62_500.0)
        );
    }

    #[test]
    fn pictures_smaller_than_the_smoothing_give_zeros() {
        let grey = Grey::new(PixelRect::new(0, 0, 2, 2), &[9; 16]);
        assert_eq!(blurred(&grey), [0.0; 4]);
    }
}
