use std::sync::Arc;

use super::MaskTile;
use super::runs::Runs;
use super::tile::{SIDE, filled_pixels};

/// Which form a stored tile has: its first byte.
const UNIFORM: u8 = 0;
const RUNS: u8 = 1;
const PLAIN: u8 = 2;

impl MaskTile {
    /// The tile as bytes for a project file: one class, else runs, else one byte a pixel where
    /// runs would take more.
    pub fn to_bytes(&self) -> Vec<u8> {
        let pixels = match self {
            Self::Uniform(class) => return vec![UNIFORM, *class],
            Self::Pixels(pixels) => pixels,
        };
        let runs = Runs::encode([&pixels[..]]);
        let (form, content) = if runs.as_bytes().len() < pixels.len() {
            (RUNS, runs.as_bytes())
        } else {
            (PLAIN, &pixels[..])
        };
        let mut bytes = Vec::with_capacity(1 + content.len());
        bytes.push(form);
        bytes.extend_from_slice(content);
        bytes
    }

    /// The tile that [`MaskTile::to_bytes`] wrote; `None` for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&form, content) = bytes.split_first()?;
        match (form, content) {
            (UNIFORM, &[class]) => Some(Self::Uniform(class)),
            (RUNS, content) => {
                let runs = Runs::from_bytes(content, (SIDE * SIDE) as u32)?;
                let mut pixels = filled_pixels(0);
                let mut rest = &mut Arc::make_mut(&mut pixels)[..];
                for (length, class) in runs.iter() {
                    let (run, behind) = rest.split_at_mut(length as usize);
                    run.fill(class);
                    rest = behind;
                }
                Some(Self::Pixels(pixels))
            }
            (PLAIN, content) if content.len() == SIDE * SIDE => {
                let pixels: Arc<[u8]> = Arc::from(content);
                Some(Self::Pixels(pixels.try_into().ok()?))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Mask;
    use super::*;
    use crate::geom::{ImageSize, PixelRect};

    fn tile_of(pixels: impl Fn(usize) -> u8) -> MaskTile {
        let classes: Vec<u8> = (0..SIDE * SIDE).map(pixels).collect();
        let mut mask = Mask::new(ImageSize::new(SIDE as u32, SIDE as u32));
        mask.set_rect(PixelRect::new(0, 0, SIDE as u32, SIDE as u32), &classes);
        mask.tile(0, 0).clone()
    }

    fn pixels_of(tile: &MaskTile) -> Vec<u8> {
        let side = SIDE as u32;
        (0..side * side)
            .map(|at| tile.get(at % side, at / side))
            .collect()
    }

    #[test]
    fn every_form_comes_back() {
        let tiles = [
            MaskTile::Uniform(7),
            tile_of(|at| u8::from(at % 100 > 50)),
            tile_of(|at| (at * 31 % 251) as u8),
        ];
        let lengths: Vec<usize> = tiles.iter().map(|tile| tile.to_bytes().len()).collect();
        assert_eq!((lengths[0], lengths[2]), (2, 1 + SIDE * SIDE));
        for tile in tiles {
            let back = MaskTile::from_bytes(&tile.to_bytes()).expect("our own bytes");
            assert_eq!(pixels_of(&back), pixels_of(&tile));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_tile_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(tile) = MaskTile::from_bytes(&bytes) {
                prop_assert_eq!(pixels_of(&tile).len(), SIDE * SIDE);
            }
        }
    }
}
