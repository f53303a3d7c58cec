use super::boxes::{Channel, Container};
use super::codestream::Component;
use super::decode::Block;
use crate::raster::source::SampleType;
use crate::raster::stretch::{Samples, Stretch};

/// Number of the color space of luma and two differences.
const SYCC: u32 = 18;
/// Number of the color space of greys.
const GREY: u32 = 17;

/// The band that tells how opaque pixels are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alpha {
    pub band: u16,
    is_premultiplied: bool,
    bits: u8,
}

/// Which bands make the picture, and how.
#[derive(Debug, PartialEq)]
pub struct Look {
    /// Red, green and blue, or one band of greys or indices.
    pub color_bands: Vec<u16>,
    pub alpha: Option<Alpha>,
    is_sycc: bool,
    sample: SampleType,
    palette: Option<Vec<[u8; 3]>>,
}

impl Look {
    /// What boxes say of the bands of a codestream.
    pub fn new(container: &Container, components: &[Component], sample: SampleType) -> Self {
        let count = components.len() as u16;
        let channels = container
            .channels
            .iter()
            .filter(|channel| channel.band < count);
        let opacity = |channel: &&Channel| matches!(channel.kind, 1 | 2);
        let alpha = channels.clone().find(opacity).map(|channel| Alpha {
            band: channel.band,
            is_premultiplied: channel.kind == 2,
            bits: components[usize::from(channel.band)].bits,
        });
        let alpha = alpha.filter(|_| count > 1);
        let named = |color: u16| {
            let mut channels = channels.clone();
            channels.find(|channel| channel.kind == 0 && channel.of == color)
        };
        let colors = (0..count).filter(|&band| Some(band) != alpha.map(|alpha| alpha.band));
        let colors: Vec<u16> = colors.collect();
        let in_order = [1, 2, 3].map(|color| named(color).map(|channel| channel.band));
        let color_bands = match (in_order, &colors[..]) {
            _ if container.colors == Some(GREY) || colors.len() < 3 => colors[..1].to_vec(),
            ([Some(red), Some(green), Some(blue)], _) => vec![red, green, blue],
            (_, colors) => colors[..3].to_vec(),
        };
        let is_indexed = count == 1 && sample == SampleType::U8;
        Self {
            is_sycc: container.colors == Some(SYCC) && color_bands.len() == 3,
            color_bands,
            alpha,
            sample,
            palette: container.palette.clone().filter(|_| is_indexed),
        }
    }

    /// The color of each index, where the only band holds indices.
    pub const fn palette(&self) -> Option<&Vec<[u8; 3]>> {
        self.palette.as_ref()
    }

    /// Whether colors are made of the samples by more than a stretch.
    pub const fn makes_colors(&self) -> bool {
        self.is_sycc || self.palette.is_some()
    }

    /// From hidden to opaque, in samples of opacity.
    pub fn full_alpha(&self, alpha: Alpha) -> Stretch {
        let is_widened = alpha.bits == 1 && self.sample == SampleType::U8;
        Stretch::of_bits(if is_widened { 8 } else { u32::from(alpha.bits) })
    }

    /// Makes opacity of one bit that of a byte, as GDAL does.
    pub fn widen_alpha(&self, block: &mut Block) {
        if let Some(alpha) = self.alpha.filter(|alpha| alpha.bits == 1)
            && self.sample == SampleType::U8
        {
            let plane = &mut block.planes[usize::from(alpha.band)];
            for opacity in plane.iter_mut() {
                *opacity *= 255;
            }
        }
    }

    /// Values of `count` pixels of a band from pixel number `pixel` on.
    pub fn samples<'a>(
        &self,
        block: &'a Block,
        band: u16,
        pixel: usize,
        count: usize,
    ) -> Samples<'a> {
        let size = usize::from(self.sample.bits() / 8);
        let plane = &block.planes[usize::from(band)];
        Samples {
            bytes: &plane[pixel * size..(pixel + count) * size],
            stride: size,
            sample: self.sample,
        }
    }

    /// Paints a run of pixels of a block from pixel number `pixel` on.
    pub fn paint(&self, block: &Block, pixel: usize, stretch: Stretch, out: &mut [u8]) {
        let count = out.len() / 4;
        let out = out.as_chunks_mut::<4>().0;
        let is_plain = stretch == Stretch::of_bits(8) && self.sample == SampleType::U8;
        for (slot, &band) in self.color_bands.iter().enumerate() {
            let samples = self.samples(block, band, pixel, count);
            if is_plain {
                let pairs = out.iter_mut().zip(samples.bytes);
                pairs.for_each(|(out, &value)| out[slot] = value);
            } else {
                samples.each_with(&mut *out, |out, value| out[slot] = stretch.apply(value));
            }
        }
        for pixel in out.iter_mut() {
            pixel[3] = 255;
        }
        if let Some(palette) = &self.palette {
            let indices = self.samples(block, self.color_bands[0], pixel, count).bytes;
            for (out, &index) in out.iter_mut().zip(indices) {
                let color = palette.get(usize::from(index)).copied().unwrap_or_default();
                out[..3].copy_from_slice(&color);
            }
        } else if self.color_bands.len() == 1 {
            for pixel in out.iter_mut() {
                *pixel = [pixel[0], pixel[0], pixel[0], 255];
            }
        } else if self.is_sycc {
            for pixel in out.iter_mut() {
                *pixel = rgb_of_sycc(*pixel);
            }
        }
        self.paint_alpha(block, pixel, out);
    }

    fn paint_alpha(&self, block: &Block, pixel: usize, out: &mut [[u8; 4]]) {
        let Some(alpha) = self.alpha else { return };
        let full = self.full_alpha(alpha);
        let samples = self.samples(block, alpha.band, pixel, out.len());
        samples.each_with(out, |out, value| {
            out[3] = full.apply(value);
            if alpha.is_premultiplied && out[3] > 0 {
                let straight = |color: u8| u32::from(color) * 255 / u32::from(out[3]);
                let [red, green, blue] = [out[0], out[1], out[2]].map(straight);
                let colors = [red, green, blue].map(|color| color.min(255) as u8);
                out[..3].copy_from_slice(&colors);
            }
        });
    }
}

/// Red, green and blue of luma and differences that use the full range (IEC 61966-2-1).
fn rgb_of_sycc([luma, blue, red, alpha]: [u8; 4]) -> [u8; 4] {
    let (luma, blue, red) = (
        f64::from(luma),
        f64::from(blue) - 128.0,
        f64::from(red) - 128.0,
    );
    let colors = [
        luma + 1.402 * red,
        luma - 0.344_136 * blue - 0.714_136 * red,
        luma + 1.772 * blue,
    ];
    let [red, green, blue] = colors.map(|color| (color + 0.5) as u8);
    [red, green, blue, alpha]
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTE: Component = Component {
        bits: 8,
        is_signed: false,
    };

    fn painted(container: &Container, planes: &[u8]) -> Vec<u8> {
        let components = vec![BYTE; planes.len()];
        let look = Look::new(container, &components, SampleType::U8);
        let block = Block {
            planes: planes.iter().map(|&value| vec![value]).collect(),
        };
        let mut out = vec![0; 4];
        look.paint(&block, 0, Stretch::of_bits(8), &mut out);
        out
    }

    fn channel(band: u16, kind: u16, of: u16) -> Channel {
        Channel { band, kind, of }
    }

    #[test]
    fn channels_say_which_band_is_which() {
        let usual = Container::default();
        assert_eq!(painted(&usual, &[9]), [9, 9, 9, 255]);
        assert_eq!(painted(&usual, &[1, 2, 3, 4]), [1, 2, 3, 255]);
        let reversed = Container {
            channels: vec![
                channel(0, 0, 3),
                channel(1, 0, 2),
                channel(2, 0, 1),
                channel(3, 1, 0),
            ],
            ..Container::default()
        };
        assert_eq!(painted(&reversed, &[1, 2, 3, 4]), [3, 2, 1, 4]);
        let grey = Container {
            colors: Some(GREY),
            channels: vec![channel(0, 0, 1), channel(1, 2, 0)],
            ..Container::default()
        };
        assert_eq!(painted(&grey, &[50, 127]), [100, 100, 100, 127]);
    }

    #[test]
    fn palettes_and_differences_become_colors() {
        let palette = Container {
            palette: Some(vec![[1, 2, 3], [4, 5, 6]]),
            ..Container::default()
        };
        assert_eq!(painted(&palette, &[1]), [4, 5, 6, 255]);
        assert_eq!(painted(&palette, &[7]), [0, 0, 0, 255]);
        let sycc = Container {
            colors: Some(SYCC),
            ..Container::default()
        };
        assert_eq!(painted(&sycc, &[76, 85, 255]), [254, 0, 0, 255]);
        assert_eq!(painted(&sycc, &[90, 128, 128]), [90, 90, 90, 255]);
    }
}
