//! All bands of a window in the layers that the viewer keeps.

use super::source::{Jp2Source, buffer_len};
use crate::geom::PixelRect;
use crate::raster::error::Fault;
use crate::raster::layers::{format_of, found_scale, packed, scale_of};
use crate::raster::source::{BandSamples, TileSamples, TileSource as _};
use crate::raster::tile::{Depth, TileFormat};

impl Jp2Source {
    /// Whether tiles are pictures: where bytes of one to three bands make it, or colors are not the
    /// samples themselves.
    fn has_pictures(&self) -> bool {
        let has_all = self.data_bands().len() == self.look.color_bands.len();
        self.look.makes_colors() || (self.info().sample.is_index() && has_all)
    }

    /// The bands that tiles can hold.
    pub(super) fn bands_of_tiles(&self) -> Vec<u16> {
        if self.look.palette().is_some() {
            Vec::new()
        } else if self.has_pictures() {
            self.color_bands()
        } else {
            self.data_bands()
        }
    }

    /// How tiles are stored.
    pub(super) fn format_of_tiles(&self) -> TileFormat {
        if self.has_pictures() {
            return TileFormat::PICTURE;
        }
        format_of(self.info().sample, self.data_bands().len())
    }

    /// What tiles hold. Samples of 9 to 15 bits are on the scale of those of 16, since a half is as
    /// fine there as anywhere; how few of the values are used is up to who looks at them.
    pub(super) fn samples_of_tiles(&self, bands: &[u16]) -> Result<TileSamples, Fault> {
        let format = self.format_of_tiles();
        let own = || {
            self.stretch()
                .map(|found| found_scale([found.low, found.high]))
        };
        let usual = (format.depth == Depth::Byte).then(own).transpose()?;
        let known = scale_of(self.info().sample).filter(|_| !self.has_pictures());
        Ok(TileSamples {
            bands: bands.to_vec(),
            format,
            scale: known.map_or_else(own, Ok)?,
            usual,
            is_inverted: false,
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
        let (read, opacity) = self.level_samples(stored, rect, bands)?;
        Ok(packed(&samples, &read, &opacity, rect))
    }

    /// The samples of `bands` within `rect` of a stored level, and for each pixel how much of it is
    /// seen, 0 to 1.
    pub(super) fn level_samples(
        &self,
        stored: usize,
        rect: PixelRect,
        bands: &[u16],
    ) -> Result<(BandSamples, Vec<f32>), Fault> {
        if bands.iter().any(|&band| band >= self.info().bands) {
            return Err(Fault::Outside);
        }
        let len = buffer_len(rect, 1)?;
        let mut planes = vec![vec![0.0; len]; bands.len()];
        let mut opacity = vec![1.0; len];
        self.for_each_run(stored, rect, |block, pixel, place, count| {
            for (plane, &band) in planes.iter_mut().zip(bands) {
                let samples = self.look.samples(block, band, pixel, count);
                samples.each_with(&mut plane[place..], |out, value| *out = value as f32);
            }
            if let Some(alpha) = self.look.alpha {
                let full = self.look.full_alpha(alpha).high;
                let samples = self.look.samples(block, alpha.band, pixel, count);
                samples.each_with(&mut opacity[place..], |out, value| {
                    *out = (value / full).clamp(0.0, 1.0) as f32;
                });
            }
        })?;
        let has_data = opacity.iter().map(|&opacity| opacity > 0.0).collect();
        Ok((BandSamples { planes, has_data }, opacity))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::geom::ImageSize;
    use crate::raster::jp2::made::{
        boxed, boxed_file, deep_file, rgb_file, rgb_pixel, wide_file, wide_sample,
    };

    fn open(file: Vec<u8>) -> Jp2Source {
        Jp2Source::read(Box::new(file), Path::new("a.jp2")).expect("a sound file")
    }

    fn samples(source: &Jp2Source) -> TileSamples {
        let samples = source.tile_samples(&source.tile_bands());
        samples.expect("a scale")
    }

    /// The sample values in a layer of a tile of one row, and each opacity.
    fn row(source: &Jp2Source, stored: usize, rect: PixelRect) -> Vec<[f64; 4]> {
        let samples = samples(source);
        let tile = source.read_tile(stored, rect, &samples.bands);
        let tile = tile.expect("a tile");
        let numbers = samples.format.widened(&tile);
        let pixels = numbers.as_chunks::<4>().0.iter();
        let value = |pixel: &[f32; 4]| {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(|one| samples.value(one));
            [
                red,
                green,
                blue,
                f64::from(pixel[3] / samples.format.opaque()),
            ]
        };
        pixels.map(value).collect()
    }

    #[track_caller]
    fn assert_near(found: [f64; 4], expected: [f64; 4]) {
        for (found, expected) in found.into_iter().zip(expected) {
            let near = (found - expected).abs() <= 0.01 + expected.abs() / 1_000.0;
            assert!(near, "{found} for {expected}");
        }
    }

    #[test]
    fn wide_samples_are_halves_on_one_scale() {
        let source = open(wide_file());
        let samples = samples(&source);
        assert_eq!(
            (samples.format.depth, samples.format.layers),
            (Depth::Half, 1)
        );
        assert_eq!((samples.bands, samples.usual), (vec![0], None));
        for (x, found) in (2..).zip(row(&source, 0, PixelRect::new(2, 7, 18, 1))) {
            let value = f64::from(wide_sample(x, 7));
            assert_near(found, [value, value, value, 1.0]);
        }
    }

    /// Twelve bits with and without a sign, which move the colors of the small file.
    #[test]
    fn all_levels_hold_the_samples() {
        for (is_signed, moved) in [(false, 1_920.0), (true, -128.0)] {
            let source = open(deep_file(is_signed));
            assert_eq!(source.tile_format().depth, Depth::Half);
            assert_eq!(source.tile_bands(), [0, 1, 2]);
            let expected = |color: [u8; 3]| {
                let [red, green, blue] = color.map(|value| f64::from(value) + moved);
                [red, green, blue, 1.0]
            };
            for (x, found) in (10..).zip(row(&source, 0, PixelRect::new(10, 13, 25, 1))) {
                assert_near(found, expected(rgb_pixel(x, 13)));
            }
            // By `opj_decompress -r 1` of the file of bytes.
            let half = row(&source, 1, PixelRect::new(7, 0, 13, 1));
            assert_near(half[0], expected([90, 8, 67]));
            assert_near(half[12], expected([235, 8, 140]));
        }
    }

    #[test]
    fn more_bands_than_colors_are_bytes_with_their_opacity() {
        let grey = boxed(*b"colr", &[1, 0, 0, 0, 0, 0, 17]);
        let channels = boxed(*b"cdef", &[0, 1, 0, 2, 0, 1, 0, 0]);
        for (header, has_alpha) in [(grey.clone(), false), ([grey, channels].concat(), true)] {
            let source = open(boxed_file(&header, &rgb_file()));
            let samples = samples(&source);
            assert_eq!(
                (samples.format.depth, samples.format.layers),
                (Depth::Byte, 1)
            );
            assert_eq!(samples.bands.len(), if has_alpha { 2 } else { 3 });
            assert_eq!(samples.usual, Some([0.0, 255.0]));
            for (x, found) in (5..).zip(row(&source, 0, PixelRect::new(5, 3, 30, 1))) {
                let [red, green, blue] = rgb_pixel(x, 3).map(f64::from);
                let expected = if has_alpha {
                    [red, green, 0.0, blue / 255.0]
                } else {
                    [red, green, blue, 1.0]
                };
                assert_near(found, expected);
            }
        }
    }

    #[test]
    fn colors_of_bytes_stay_pictures() {
        let sycc = boxed(*b"colr", &[1, 0, 0, 0, 0, 0, 18]);
        for file in [
            rgb_file(),
            boxed_file(&sycc, &rgb_file()),
            boxed_file(&sycc, &deep_file(false)),
        ] {
            let source = open(file);
            let samples = samples(&source);
            assert_eq!(samples.format, TileFormat::PICTURE);
            assert_eq!(samples.usual, Some(samples.scale));
            assert_eq!(samples.bands, [0, 1, 2]);
            let rect = ImageSize::new(20, 12).bounds();
            let (tile, picture) = (source.read_tile(1, rect, &[]), source.read_rgba(1, rect));
            assert_eq!(tile.expect("a tile"), picture.expect("a picture"));
        }
    }
}
