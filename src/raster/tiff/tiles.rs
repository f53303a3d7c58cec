//! All bands of a window in the layers that the viewer keeps.

use super::bands::reserved;
use super::display::{full_alpha, stretch_of};
use super::grid::ChunkAt;
use super::page::{Page, Photometric};
use super::source::{PageKind, TiffSource, buffer_len, check_inside, chunks_of, for_each_run};
use super::words::table_for;
use crate::geom::PixelRect;
use crate::raster::error::Fault;
use crate::raster::layers::{format_of, found_scale, packed, scale_of};
use crate::raster::limits::zeroed;
use crate::raster::source::{TileSamples, TileSource as _};
use crate::raster::tile::{Depth, TileFormat};

impl TiffSource {
    /// Whether tiles are pictures: where bytes of one to three bands make it, or colors are not the
    /// samples themselves.
    fn has_pictures(&self) -> bool {
        let page = self.base_page();
        let is_plain = matches!(
            page.photometric,
            Photometric::Rgb | Photometric::BlackIsZero | Photometric::WhiteIsZero
        );
        let has_all = self.data_bands().len() == page.color_bands().len();
        !is_plain || (page.sample.is_index() && has_all)
    }

    /// How tiles are stored.
    pub(super) fn format_of_tiles(&self) -> TileFormat {
        if self.has_pictures() {
            return TileFormat::PICTURE;
        }
        format_of(self.base_page().sample, self.data_bands().len())
    }

    /// The bands that tiles can hold.
    pub(super) fn bands_of_tiles(&self) -> Vec<u16> {
        match self.base_page().photometric {
            Photometric::Palette | Photometric::Cmyk => Vec::new(),
            _ if self.has_pictures() => self.color_bands(),
            _ => self.data_bands(),
        }
    }

    pub(super) fn samples_of_tiles(&self, bands: &[u16]) -> Result<TileSamples, Fault> {
        let page = self.base_page();
        if self.has_pictures() {
            return Ok(picture_samples(page, bands));
        }
        let format = self.format_of_tiles();
        let own = stretch_of(page).map(|stretch| [stretch.low, stretch.high]);
        let scale = match scale_of(page.sample) {
            Some(scale) => scale,
            None => self
                .stretch()
                .map(|found| found_scale([found.low, found.high]))?,
        };
        Ok(TileSamples {
            bands: bands.to_vec(),
            format,
            scale,
            usual: own.filter(|_| format.depth == Depth::Byte),
            is_inverted: page.photometric == Photometric::WhiteIsZero,
        })
    }

    /// The pixels of `rect` in the format of tiles.
    pub(super) fn tile(
        &self,
        stored: usize,
        rect: PixelRect,
        bands: &[u16],
    ) -> Result<Vec<u8>, Fault> {
        if self.has_pictures() {
            return self.rgba(stored, rect);
        }
        let samples = self.samples_of_tiles(bands)?;
        let has_plain_bytes = samples.format.depth == Depth::Byte && self.info().nodata.is_none();
        if has_plain_bytes && self.is_interleaved(stored)? {
            return self.bytes_in_layers(stored, rect, &samples);
        }
        let sample = self.level_page(stored)?.sample;
        if let Some(table) = table_for(sample, samples.format.depth) {
            return self.words_in_layers(stored, rect, &samples, table);
        }
        let read = self.level_samples(stored, rect, &samples.bands)?;
        let opacity = self.opacity(stored, rect, &read.has_data)?;
        Ok(packed(&samples, &read, &opacity, rect))
    }

    /// Whether the bands of a pixel lie beside each other, and no mask hides any.
    fn is_interleaved(&self, stored: usize) -> Result<bool, Fault> {
        let page = self.level_page(stored)?;
        Ok(page.grid.chunk_bands == page.bands && !self.has_mask())
    }

    /// Bytes of interleaved bands in layers, without a look at each: the commonest kind of images
    /// with infrared.
    fn bytes_in_layers(
        &self,
        stored: usize,
        rect: PixelRect,
        samples: &TileSamples,
    ) -> Result<Vec<u8>, Fault> {
        let page = self.level_page(stored)?;
        check_inside(rect, page.size)?;
        let (width, bands) = (rect.width as usize, usize::from(page.bands));
        let layers = usize::from(samples.format.layers);
        let mut out = zeroed(buffer_len(rect, 4 * layers as u64)?)?;
        let alpha = page.alpha.map(|alpha| usize::from(alpha.band));
        for (col, row) in chunks_of(page, rect) {
            let at = ChunkAt { col, row, plane: 0 };
            let chunk = self.chunk((stored, PageKind::Image, at))?;
            for_each_run(page, (col, row), rect, |pixel, first, count| {
                let (y, x) = (first / width, first % width);
                let pixels = &chunk.bytes[pixel * bands..][..count * bands];
                for (layer, shown) in samples.bands.chunks(3).enumerate() {
                    let start = ((y * layers + layer) * width + x) * 4;
                    let out = out[start..][..4 * count].as_chunks_mut::<4>().0;
                    for (out, pixel) in out.iter_mut().zip(pixels.chunks_exact(bands)) {
                        for (out, &band) in out.iter_mut().zip(shown) {
                            *out = pixel[usize::from(band)];
                        }
                        out[3] = alpha.map_or(255, |alpha| pixel[alpha]);
                    }
                }
            });
        }
        Ok(out)
    }

    /// For each pixel of `rect` how much of it is seen, 0 to 1.
    pub(super) fn opacity(
        &self,
        stored: usize,
        rect: PixelRect,
        has_data: &[bool],
    ) -> Result<Vec<f32>, Fault> {
        let mut opacity = reserved(has_data.len())?;
        if let Some(alpha) = self.base_page().alpha {
            let full = full_alpha(self.base_page().sample);
            self.each_run_of((stored, alpha.band), rect, |at, samples| {
                samples.each_with(&mut opacity[at..], |target, value| {
                    *target = (value / full).clamp(0.0, 1.0) as f32;
                });
            })?;
        } else {
            opacity.fill(1.0);
        }
        let hidden = opacity.iter_mut().zip(has_data).filter(|(_, has)| !**has);
        hidden.for_each(|(opacity, _)| *opacity = 0.0);
        Ok(opacity)
    }
}

/// What a picture of the colors of `page` stands for.
fn picture_samples(page: &Page, bands: &[u16]) -> TileSamples {
    let own = stretch_of(page).map_or([0.0, 255.0], |stretch| [stretch.low, stretch.high]);
    let is_inverted = page.photometric == Photometric::WhiteIsZero;
    TileSamples {
        bands: bands.to_vec(),
        format: TileFormat::PICTURE,
        // A picture is bright where it is to be bright.
        scale: if is_inverted { [own[1], own[0]] } else { own },
        usual: Some(own),
        is_inverted,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::raster::tiff::MadeBands;

    fn source(made: &MadeBands, value: impl Fn(u32, u32, u16) -> f64) -> TiffSource {
        let file = made.file(value);
        TiffSource::read(Box::new(file), Path::new("a.tif")).expect("a sound file")
    }

    /// Every value of every band comes back from the tiles to within what a half holds.
    #[test]
    fn tiles_hold_the_values_of_all_bands() {
        let value = |x: u32, y: u32, band: u16| f64::from(x * 31 + y * 7 + u32::from(band) * 50);
        for bits in [8, 16, 32] {
            for bands in [1, 2, 3, 4, 7] {
                let made = MadeBands::new(23, 9, bands, bits);
                let most = if bits == 8 { 256.0 } else { 1e9 };
                let value = |x, y, band| value(x, y, band).rem_euclid(most);
                let source = source(&made, value);
                let rect = PixelRect::new(2, 1, 20, 7);
                let shown = source.tile_bands();
                let (samples, bytes) = (
                    source.tile_samples(&shown).unwrap(),
                    source.read_tile(0, rect, &shown).unwrap(),
                );
                let format = source.tile_format();
                assert_eq!(samples.format, format);
                let is_picture = bits == 8 && (bands == 1 || bands == 3);
                assert_eq!(source.has_pictures(), is_picture, "{bits} {bands}");
                let numbers = format.widened(&bytes);
                let row = 4 * rect.width as usize * usize::from(format.layers);
                for (place, &band) in samples.bands.iter().enumerate() {
                    for (x, y) in [(0, 0), (19, 6), (7, 3)] {
                        let at = y * row + (place / 3 * 20 + x) * 4 + place % 3;
                        let expected = value(2 + x as u32, 1 + y as u32, band);
                        let found = samples.value(numbers[at]);
                        let near = (found - expected).abs() <= 0.5 + expected / 1_000.0;
                        assert!(near, "{bits} {bands}: {found} for {expected}");
                        assert_eq!(numbers[y * row + x * 4 + 3], format.opaque());
                    }
                }
                assert_eq!(samples.bands.len(), usize::from(bands));
            }
        }
    }
}
