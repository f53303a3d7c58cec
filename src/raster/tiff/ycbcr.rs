use super::directory::Directory;
use super::tag;
use crate::geom::ImageSize;
use crate::raster::error::Fault;
use crate::raster::read_at::ReadAt;

/// Bits behind the point of the fixed-point numbers below.
const SHIFT: u32 = 16;
const ONE_HALF: i32 = 1 << (SHIFT - 1);
/// Shares of red, green and blue in luminance (ITU-R BT.601), where a file states none.
const USUAL_LUMA: [f32; 3] = [0.299, 0.587, 0.114];
/// Codes of black and white of Y, Cb and Cr, where a file states none.
const USUAL_RANGE: [f32; 6] = [0.0, 255.0, 128.0, 255.0, 128.0, 255.0];

/// Luminance and two differences of color outside of JPEG (TIFF 6, section 21), of 8 bits.
///
/// Colors are computed in the fixed-point numbers of libtiff, so that pixels are the same as in the
/// programs that use it.
#[derive(Debug)]
pub struct YCbCr {
    /// Pixels side by side, and one above the other, that share their color.
    shared: [usize; 2],
    luma: Vec<i32>,
    red_of_cr: Vec<i32>,
    green_of_cr: Vec<i32>,
    green_of_cb: Vec<i32>,
    blue_of_cb: Vec<i32>,
}

impl YCbCr {
    /// What a directory says of its colors.
    pub fn read(bytes: &dyn ReadAt, directory: &Directory) -> Result<Self, Fault> {
        let shared = directory.numbers(bytes, tag::YCBCR_SUBSAMPLING, 2)?;
        let shared = match shared[..] {
            [] => [2, 2],
            [across @ (1 | 2 | 4), down @ (1 | 2 | 4)] => [across as usize, down as usize],
            _ => {
                return Err(Fault::damaged(format!(
                    "{shared:?} pixels are said to share a color"
                )));
            }
        };
        let stated = |tag, usual: &[f32]| -> Result<Vec<f32>, Fault> {
            let found = directory.floats(bytes, tag, usual.len() as u64)?;
            let is_usable = found.len() == usual.len() && found.iter().all(|it| it.is_finite());
            Ok(if is_usable {
                found.into_iter().map(|number| number as f32).collect()
            } else {
                usual.to_vec()
            })
        };
        let luma = stated(tag::YCBCR_COEFFICIENTS, &USUAL_LUMA)?;
        let range = stated(tag::REFERENCE_BLACK_WHITE, &USUAL_RANGE)?;
        Ok(Self::new(shared, &luma, &range))
    }

    fn new(shared: [usize; 2], luma: &[f32], range: &[f32]) -> Self {
        let fixed = |number: f32| {
            let number = if number.is_finite() { number } else { 0.0 };
            (f64::from(number.clamp(0.0, 2.0)) * f64::from(1 << SHIFT) + 0.5) as i32
        };
        let [red, green, blue] = [luma[0], luma[1], luma[2]];
        let (of_red, of_blue) = (2.0 - 2.0 * red, 2.0 - 2.0 * blue);
        let factors = [
            fixed(of_red),
            -fixed(red * of_red / green),
            fixed(of_blue),
            -fixed(blue * of_blue / green),
        ];
        // A code between those of black and white, as a number of which `most` is white.
        let value = |code: i32, black: f32, white: f32, most: f32| -> i32 {
            let span = if white == black { 1.0 } else { white - black };
            let value = (code - black as i32) as f32 * most / span;
            value.clamp(-128.0 * 32.0, 128.0 * 32.0) as i32
        };
        let difference = |code: i32, at: usize| {
            value(code - 128, range[at] - 128.0, range[at + 1] - 128.0, 127.0)
        };
        let table = |entry: &dyn Fn(i32) -> i32| (0..256).map(entry).collect();
        Self {
            shared,
            luma: table(&|code| value(code, range[0], range[1], 255.0)),
            red_of_cr: table(&|code| (factors[0] * difference(code, 4) + ONE_HALF) >> SHIFT),
            green_of_cr: table(&|code| factors[1] * difference(code, 4)),
            green_of_cb: table(&|code| factors[3] * difference(code, 2) + ONE_HALF),
            blue_of_cb: table(&|code| (factors[2] * difference(code, 2) + ONE_HALF) >> SHIFT),
        }
    }

    /// Whether pixels share colors, so that bands are not interleaved pixel by pixel.
    pub fn is_subsampled(&self) -> bool {
        self.shared != [1, 1]
    }

    /// Red, green and blue of a pixel.
    pub fn rgb(&self, [luma, cb, cr]: [u8; 3]) -> [u8; 3] {
        let (luma, cb, cr) = (
            self.luma[usize::from(luma)],
            usize::from(cb),
            usize::from(cr),
        );
        let green = (self.green_of_cb[cb] + self.green_of_cr[cr]) >> SHIFT;
        [self.red_of_cr[cr], green, self.blue_of_cb[cb]]
            .map(|difference| (luma + difference).clamp(0, 255) as u8)
    }

    /// Blocks side by side and one above the other in a chunk, and the bytes of a block.
    fn blocks(&self, size: ImageSize) -> ([usize; 2], usize) {
        let [across, down] = self.shared;
        let blocks = [
            (size.width as usize).div_ceil(across),
            (size.height as usize).div_ceil(down),
        ];
        (blocks, across * down + 2)
    }

    /// Bytes of an interleaved chunk as it is stored.
    pub fn packed_bytes(&self, size: ImageSize) -> usize {
        let ([cols, rows], bytes) = self.blocks(size);
        cols * rows * bytes
    }

    /// Fills `out` with the colors of an interleaved chunk.
    pub fn paint(&self, packed: &[u8], size: ImageSize, out: &mut [u8]) {
        let [across, down] = self.shared;
        let ([cols, _], bytes) = self.blocks(size);
        let (width, height) = (size.width as usize, size.height as usize);
        for (index, block) in packed.chunks_exact(bytes).enumerate() {
            let (left, top) = (index % cols * across, index / cols * down);
            let (luma, color) = block.split_at(across * down);
            for (at, &luma) in luma.iter().enumerate() {
                let (x, y) = (left + at % across, top + at / across);
                if x < width && y < height {
                    let pixel = self.rgb([luma, color[0], color[1]]);
                    out[(y * width + x) * 3..][..3].copy_from_slice(&pixel);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(shared: [usize; 2]) -> YCbCr {
        YCbCr::new(shared, &USUAL_LUMA, &USUAL_RANGE)
    }

    #[test]
    fn greys_stay_and_primary_colors_come_back() {
        let colors = usual([1, 1]);
        for grey in [0, 1, 127, 128, 255] {
            assert_eq!(colors.rgb([grey, 128, 128]), [grey; 3]);
        }
        // ITU-R BT.601 in full range, rounded to codes.
        for (codes, expected) in [
            ([76, 85, 255], [255, 0, 0]),
            ([150, 44, 21], [0, 255, 0]),
            ([29, 255, 107], [0, 0, 255]),
        ] {
            for (found, expected) in colors.rgb(codes).into_iter().zip(expected) {
                assert!(i32::from(found).abs_diff(expected) <= 2, "{codes:?}");
            }
        }
    }

    #[test]
    fn shared_colors_are_spread_over_their_pixels_and_blocks_are_cut_at_the_edges() {
        let colors = usual([2, 2]);
        let size = ImageSize::new(3, 3);
        assert_eq!(colors.packed_bytes(size), 4 * 6);
        let block = |luma: u8| [luma, luma + 1, luma + 2, luma + 3, 128, 128];
        let packed = [block(10), block(20), block(30), block(40)].concat();
        let mut out = [0; 27];
        colors.paint(&packed, size, &mut out);
        let greys: Vec<u8> = out.chunks(3).map(|pixel| pixel[0]).collect();
        assert_eq!(greys, [10, 11, 20, 12, 13, 22, 30, 31, 40]);
    }
}
