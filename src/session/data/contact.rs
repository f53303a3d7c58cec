use std::sync::Arc;

use super::super::thumbnails::thumbnail;
use crate::dataset::{Discovery, Part, Sample};
use crate::geom::ImageSize;
use crate::label::{ClassTable, Mask, UNLABELED};
use crate::raster::RgbaTile;

/// Samples of a sheet at most.
const SHOWN: usize = 24;

/// A sample in small, with its mask to lay over it.
#[derive(Clone, Debug)]
pub struct ContactTile {
    /// What it is called.
    pub name: String,
    /// What the data set says it is for.
    pub part: Option<Part>,
    /// The image.
    pub image: Arc<RgbaTile>,
    /// The classes in their colors, of the same extent; `None` without a mask that can be read.
    pub mask: Option<Arc<RgbaTile>>,
}

impl ContactTile {
    /// Longest side of a picture in pixels.
    pub const SIDE: u32 = 192;

    /// How much masks cover where nobody says otherwise, 0 to 1.
    pub const COVER: f32 = 0.5;

    /// The samples of a sheet: spread over all of the data set, those with masks first of all.
    pub fn samples(discovery: &Discovery) -> Vec<&Sample> {
        let samples = discovery.samples.iter();
        let mut all: Vec<&Sample> = samples.filter(|sample| sample.mask.is_some()).collect();
        if all.is_empty() {
            all = discovery.samples.iter().collect();
        }
        let step = all.len().div_ceil(SHOWN).max(1);
        all.into_iter().step_by(step).collect()
    }

    /// The sample in small; `None` when its image cannot be read.
    pub fn of(sample: &Sample, discovery: &Discovery) -> Option<Self> {
        let image = thumbnail(&sample.image, Self::SIDE)?;
        let classes = discovery.classes.clone();
        let mask = sample.mask.as_ref().and_then(|_| {
            let read = sample.load_mask(discovery);
            let said = read.map_err(|why| tracing::debug!("{why}"));
            let (mask, _) = said.ok()?;
            let classes = classes.unwrap_or_else(|| table_of(&mask));
            Some(Arc::new(colored(&mask, &classes, image.size)))
        });
        Some(Self {
            name: sample.name.clone(),
            part: sample.part,
            image: Arc::new(image),
            mask,
        })
    }
}

fn table_of(mask: &Mask) -> ClassTable {
    let values = (0..UNLABELED).zip(mask.histogram());
    ClassTable::from_values(
        values
            .filter(|(_, pixels)| *pixels > 0)
            .map(|(value, _)| value),
    )
}

/// The mask in colors, by the nearest pixel: a mixture of classes would be another class.
fn colored(mask: &Mask, classes: &ClassTable, size: ImageSize) -> RgbaTile {
    let (from, colors) = (mask.size(), classes.colors());
    let mut picture = RgbaTile::blank(size);
    for (at, pixel) in picture.pixels.chunks_exact_mut(4).enumerate() {
        let (x, y) = (at as u32 % size.width, at as u32 / size.width);
        let nearest = |to: u32, from: u32, at: u32| {
            (u64::from(at) * u64::from(from) / u64::from(to.max(1))) as u32
        };
        let class = mask.get(
            nearest(size.width, from.width, x),
            nearest(size.height, from.height, y),
        );
        if class != UNLABELED {
            let [red, green, blue] = colors[usize::from(class)];
            pixel.copy_from_slice(&[red, green, blue, 255]);
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::PixelRect;
    use crate::label::Class;

    #[test]
    fn a_mask_is_colored_by_its_nearest_pixels() {
        let mut mask = Mask::new(ImageSize::new(8, 4));
        mask.set_rect(PixelRect::new(4, 0, 4, 4), &[1; 16]);
        let classes = vec![Class::new(0, "a", [9; 3]), Class::new(1, "b", [1, 2, 3])];
        let classes = ClassTable::new(None, classes).expect("a table");
        let small = colored(&mask, &classes, ImageSize::new(2, 1));
        assert_eq!(small.pixels, [0, 0, 0, 0, 1, 2, 3, 255]);
    }
}
