use std::sync::Arc;

/// Side of a mask tile in pixels of its own level.
pub const MASK_TILE_SIZE: u32 = 256;

/// Side of a mask tile as a length of slices.
pub(super) const SIDE: usize = MASK_TILE_SIZE as usize;

/// The class indices of one tile, row by row.
pub type TilePixels = [u8; SIDE * SIDE];

/// A square of 256 × 256 class indices. Cloning shares the pixels.
///
/// Pixels beyond the edge of the mask have no meaning. A tile of a [`Mask`](super::Mask) that holds
/// one class only is always `Uniform`.
#[derive(Clone, Debug)]
pub enum MaskTile {
    /// Every pixel inside the mask has this class.
    Uniform(u8),
    /// At least two classes.
    Pixels(Arc<TilePixels>),
}

impl MaskTile {
    /// The class at (x, y) inside the tile; both below 256.
    pub fn get(&self, x: u32, y: u32) -> u8 {
        match self {
            Self::Uniform(class) => *class,
            Self::Pixels(pixels) => pixels[y as usize * SIDE + x as usize],
        }
    }

    /// The one class of the tile, `None` when it holds several.
    pub const fn uniform_class(&self) -> Option<u8> {
        match self {
            Self::Uniform(class) => Some(*class),
            Self::Pixels(_) => None,
        }
    }

    /// Whether both show the same pixels for certain, without looking at them.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Uniform(a), Self::Uniform(b)) => a == b,
            (Self::Pixels(a), Self::Pixels(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Copies `out.len()` classes of row `y` from column `x` on.
    pub(super) fn copy_row(&self, x: usize, y: usize, out: &mut [u8]) {
        match self {
            Self::Uniform(class) => out.fill(*class),
            Self::Pixels(pixels) => {
                let from = y * SIDE + x;
                out.copy_from_slice(&pixels[from..from + out.len()]);
            }
        }
    }

    /// Row `y`; that of a uniform tile is written into `plain`.
    pub fn row<'a>(&'a self, y: usize, plain: &'a mut [u8; SIDE]) -> &'a [u8; SIDE] {
        match self {
            Self::Uniform(class) => {
                plain.fill(*class);
                plain
            }
            Self::Pixels(pixels) => &pixels.as_chunks().0[y],
        }
    }

    /// The pixels as an own copy that can be written.
    pub(super) fn to_owned_pixels(&self) -> Arc<TilePixels> {
        match self {
            Self::Uniform(class) => filled_pixels(*class),
            Self::Pixels(pixels) => Arc::clone(pixels),
        }
    }

    /// The tile of these pixels, `Uniform` when the `width` × `height` pixels inside the mask are
    /// of one class.
    pub(super) fn collapsed(pixels: Arc<TilePixels>, width: u32, height: u32) -> Self {
        let first = pixels[0];
        let rows = pixels.chunks_exact(SIDE).take(height as usize);
        for row in rows {
            if row[..width as usize].iter().any(|&class| class != first) {
                return Self::Pixels(pixels);
            }
        }
        Self::Uniform(first)
    }
}

/// Pixels of one class, made on the heap: 64 KiB are too much for some threads' stacks.
pub(super) fn filled_pixels(class: u8) -> Arc<TilePixels> {
    let pixels: Arc<[u8]> = Arc::from(vec![class; SIDE * SIDE]);
    Arc::try_from(pixels).expect("the length is that of a tile")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_class_inside_the_mask_is_uniform_whatever_lies_beyond() {
        let mut pixels = filled_pixels(3);
        Arc::make_mut(&mut pixels)[100] = 9;
        let tile = MaskTile::collapsed(Arc::clone(&pixels), 100, 256);
        assert_eq!(tile.uniform_class(), Some(3));
        assert_eq!(MaskTile::collapsed(pixels, 101, 256).uniform_class(), None);
    }
}
