use std::sync::Arc;

use crate::geom::{ImageSize, PixelRect};
use crate::raster::{RasterInfo, ReadError, SampleType, TileSource};

/// The band of a channel, from 0, and its values that become 0 and 255.
type Slot = (u16, [f32; 2]);

/// Pixels whose samples are in memory at once, besides the picture.
const PIXELS_AT_ONCE: u32 = 1 << 20;

/// Three bands of an image as an opaque or transparent picture; it has the image's level 0 alone.
pub(super) struct BandPicture {
    source: Arc<dyn TileSource>,
    info: RasterInfo,
    slots: [Slot; 3],
    /// The bands that say whether a pixel has data: all that are read, in this picture or others.
    known_by: Vec<u16>,
}

impl BandPicture {
    /// Three bands of `source`, which are among `all` that are read of it.
    pub(super) fn new(source: Arc<dyn TileSource>, slots: [Slot; 3], all: Vec<u16>) -> Self {
        let info = source.info().clone();
        let may_lack = info.nodata.is_some() || info.sample.range().is_none();
        Self {
            info: RasterInfo {
                bands: 4,
                sample: SampleType::U8,
                level_sizes: vec![info.size],
                nodata: None,
                has_alpha: true,
                ..info
            },
            source,
            slots,
            known_by: if may_lack { all } else { Vec::new() },
        }
    }

    fn read_rows(&self, rect: PixelRect, out: &mut [u8]) -> Result<(), ReadError> {
        let mut bands = self.slots.map(|(band, _)| band).to_vec();
        bands.dedup();
        let num_shown = bands.len();
        bands.extend(self.known_by.iter().filter(|band| !self.shows(**band)));
        let samples = self.source.read_bands(rect, &bands)?;
        for (slot, (band, [low, high])) in self.slots.iter().enumerate() {
            let plane = bands[..num_shown].iter().position(|shown| shown == band);
            let plane = &samples.planes[plane.unwrap_or(0)];
            let scale = 255.0 / (high - low);
            for (pixel, value) in out.as_chunks_mut::<4>().0.iter_mut().zip(plane) {
                // Casting takes what is no number to 0 and cuts what is out of range.
                pixel[slot] = ((value - low) * scale + 0.5) as u8;
            }
        }
        for (pixel, has_data) in out.as_chunks_mut::<4>().0.iter_mut().zip(samples.has_data) {
            pixel[3] = if has_data { 255 } else { 0 };
        }
        Ok(())
    }

    fn shows(&self, band: u16) -> bool {
        self.slots.iter().any(|(shown, _)| *shown == band)
    }
}

impl TileSource for BandPicture {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn read_rgba(&self, _stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let mut out = vec![0; rect.num_pixels() as usize * 4];
        let rows = (PIXELS_AT_ONCE / rect.width.max(1)).max(1);
        let parts = out.chunks_mut(rect.width.max(1) as usize * rows as usize * 4);
        for (part, top) in parts.zip((rect.y..rect.bottom()).step_by(rows as usize)) {
            let height = rows.min(rect.bottom() - top);
            self.read_rows(PixelRect::new(rect.x, top, rect.width, height), part)?;
        }
        Ok(out)
    }

    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.source.read_index(rect)
    }

    fn block_size(&self, stored: usize) -> ImageSize {
        self.source.block_size(stored)
    }
}

#[cfg(test)]
mod tests {
    use crate::dataset::BandReading;
    use crate::disk::replace_file;
    use crate::raster::{MadeBands, open_raster};

    fn pictures(made: &MadeBands, reading: &BandReading) -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.tif");
        let file = made.file(|x, _, band| f64::from(x * 100 + u32::from(band)));
        replace_file(&path, &file).expect("written");
        let source = open_raster(&path).expect("an image");
        let whole = source.info().size.bounds();
        let pictures = reading.pictures(&source).into_iter();
        pictures
            .map(|picture| picture.read_rgba(0, whole).expect("pixels"))
            .collect()
    }

    #[test]
    fn bytes_stay_and_wide_samples_are_scaled_by_their_range() {
        let mut reading = BandReading {
            bands: vec![4, 1, 2, 3],
            ranges: Vec::new(),
        };
        let bytes = MadeBands {
            nodata: "102",
            ..MadeBands::new(2, 1, 4, 8)
        };
        // Of the second pixel one band is nodata, but not all.
        let found = pictures(&bytes, &reading);
        assert_eq!(found[0], [3, 0, 1, 255, 103, 100, 101, 255]);
        assert_eq!(found[1], [2, 2, 2, 255, 102, 102, 102, 255]);
        reading.ranges = vec![[0.0, 51.0], [-100.0, 155.0], [0.0, 1.0], [100.0, 200.0]];
        let found = pictures(&MadeBands::new(2, 1, 4, 16), &reading);
        assert_eq!(found[0], [15, 100, 255, 255, 255, 200, 255, 255]);
        assert_eq!(found[1], [0, 0, 0, 255, 5, 5, 5, 255]);
    }

    #[test]
    fn colors_of_wide_samples_are_scaled_alike_in_all_images() {
        let reading = BandReading {
            bands: Vec::new(),
            ranges: vec![[0.0, 255.0]; 3],
        };
        let found = pictures(&MadeBands::new(2, 1, 5, 16), &reading);
        assert_eq!(found, [[0, 1, 2, 255, 100, 101, 102, 255]]);
        let grey = pictures(&MadeBands::new(2, 1, 1, 16), &reading);
        assert_eq!(grey, [[0, 0, 0, 255, 100, 100, 100, 255]]);
        // Bytes are read as they are shown.
        let bytes = pictures(&MadeBands::new(2, 1, 3, 8), &reading);
        assert_eq!(bytes, [[0, 1, 2, 255, 100, 101, 102, 255]]);
    }
}
