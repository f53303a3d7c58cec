//! Whole numbers of 16 bits in the layers that the viewer keeps: the commonest wide samples, looked
//! up in a table instead of computed one by one.

use std::sync::LazyLock;

use super::bands::HAS_VALUE;
use super::source::{TiffSource, buffer_len, check_inside};
use crate::geom::PixelRect;
use crate::raster::error::Fault;
use crate::raster::halves;
use crate::raster::layers::scale_of;
use crate::raster::limits::zeroed;
use crate::raster::source::{SampleType, TileSamples, TileSource as _};
use crate::raster::tile::Depth;

/// What tiles hold for each word, by its bits.
type Table = Vec<[u8; 2]>;

static UNSIGNED: LazyLock<Table> = LazyLock::new(|| table(SampleType::U16, f64::from));
static SIGNED: LazyLock<Table> =
    LazyLock::new(|| table(SampleType::I16, |word| f64::from(word as i16)));

fn table(sample: SampleType, value: fn(u16) -> f64) -> Table {
    let [low, high] = scale_of(sample).unwrap_or([0.0, 1.0]);
    let shares = (0..=u16::MAX).map(|word| ((value(word) - low) / (high - low)) as f32);
    let halves = halves::narrowed(&shares.collect::<Vec<_>>());
    halves.as_chunks().0.to_vec()
}

/// The table for samples of this type and depth, where there is one.
pub(super) fn table_for(sample: SampleType, depth: Depth) -> Option<&'static [[u8; 2]]> {
    match (sample, depth) {
        (SampleType::U16, Depth::Half) => Some(&UNSIGNED),
        (SampleType::I16, Depth::Half) => Some(&SIGNED),
        _ => None,
    }
}

impl TiffSource {
    /// The pixels of `rect` in the format of tiles, by `table`.
    pub(super) fn words_in_layers(
        &self,
        stored: usize,
        rect: PixelRect,
        samples: &TileSamples,
        table: &[[u8; 2]],
    ) -> Result<Vec<u8>, Fault> {
        check_inside(rect, self.level_page(stored)?.size)?;
        let format = samples.format;
        let (width, layers) = (rect.width as usize, usize::from(format.layers));
        let texel = format.texel_bytes();
        let mut out = zeroed(buffer_len(rect, (texel * layers) as u64)?)?;
        let mut flags = zeroed(buffer_len(rect, 1)?)?;
        let nodata = self.info().nodata.and_then(|value| self.word_of(value));
        // One band alone is grey.
        let is_grey = samples.bands.len() == 1;
        for (place, &band) in samples.bands.iter().enumerate() {
            let slot = 2 * (place % 3);
            self.each_run_of((stored, band), rect, |at, run| {
                let start = ((at / width * layers + place / 3) * width + at % width) * texel;
                let pixels = out[start..].chunks_exact_mut(texel);
                let words = run.bytes.chunks(run.stride);
                for ((pixel, raw), flags) in pixels.zip(words).zip(&mut flags[at..]) {
                    let word = u16::from_ne_bytes([raw[0], raw[1]]);
                    let number = &table[usize::from(word)];
                    pixel[slot..slot + 2].copy_from_slice(number);
                    if is_grey {
                        pixel[2..4].copy_from_slice(number);
                        pixel[4..6].copy_from_slice(number);
                    }
                    *flags |= if nodata == Some(word) { 0 } else { HAS_VALUE };
                }
            })?;
        }
        self.hide(stored, rect, &mut flags)?;
        let has_data: Vec<bool> = flags.iter().map(|&flags| flags == HAS_VALUE).collect();
        let opacity = halves::narrowed(&self.opacity(stored, rect, &has_data)?);
        let rows = opacity.chunks_exact(2 * width);
        for (row, opacity) in out.chunks_exact_mut(format.row_bytes(rect.width)).zip(rows) {
            for layer in row.chunks_exact_mut(format.layer_bytes(rect.width)) {
                let pixels = layer
                    .chunks_exact_mut(texel)
                    .zip(opacity.as_chunks::<2>().0);
                pixels.for_each(|(pixel, opacity)| pixel[6..8].copy_from_slice(opacity));
            }
        }
        Ok(out)
    }

    /// The bits of a sample of 16 bits; `None` for what it cannot hold.
    fn word_of(&self, value: f64) -> Option<u16> {
        let sample = self.info().sample;
        let is_there = sample.range()?.contains(&value) && value.fract() == 0.0;
        // From the signed number, so that what is below zero keeps its bits.
        is_there.then_some(value as i32 as u16)
    }
}
