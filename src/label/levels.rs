use std::collections::HashMap;
use std::sync::Arc;

use super::tile::{SIDE, filled_pixels};
use super::{MASK_TILE_SIZE, Mask, MaskTile, TilePixels, UNLABELED};
use crate::geom::{ImageSize, PixelRect, PyramidShape, TileKey};

/// Coarse levels of a mask for drawing it zoomed out, derived when they are asked for.
///
/// A coarse pixel has the most frequent class among the up to four pixels it covers, the smaller
/// one when two are equally frequent; it is unlabeled only when all of them are.
#[derive(Clone, Debug)]
pub struct MaskLevels {
    shape: PyramidShape,
    /// Level 1 and up. Whenever a tile is here, all tiles it covers are as well.
    cached: HashMap<TileKey, Coarse>,
}

#[derive(Clone, Debug)]
struct Coarse {
    tile: MaskTile,
    /// The part to derive again, in pixels of the tile's level.
    stale: PixelRect,
}

impl MaskLevels {
    /// The levels of masks of `size`; nothing is derived yet.
    pub fn new(size: ImageSize) -> Self {
        Self {
            shape: PyramidShape::new(size, MASK_TILE_SIZE),
            cached: HashMap::new(),
        }
    }

    /// Levels, sizes and tiles.
    pub const fn shape(&self) -> &PyramidShape {
        &self.shape
    }

    /// The tile of `mask`, an unlabeled one outside. Level 0 is the mask itself; on other levels
    /// only what is new or stale is derived.
    pub fn tile(&mut self, mask: &Mask, key: TileKey) -> MaskTile {
        if !self.shape.contains(key) {
            return MaskTile::Uniform(UNLABELED);
        }
        if key.level == 0 {
            return mask.tile(key.col, key.row).clone();
        }
        let (old, stale) = match self.cached.get(&key) {
            Some(coarse) if coarse.stale.is_empty() => return coarse.tile.clone(),
            Some(coarse) => (Some(coarse.tile.clone()), coarse.stale),
            None => (None, self.shape.tile_rect(key)),
        };
        // Its own entry must not share the pixels that are about to be written.
        self.cached.remove(&key);
        let tile = self.derive(mask, key, old, stale);
        self.cached.insert(
            key,
            Coarse {
                tile: tile.clone(),
                stale: PixelRect::default(),
            },
        );
        tile
    }

    /// Notes that the mask changed inside `dirty` (level-0 pixels).
    pub fn invalidate(&mut self, dirty: &[PixelRect]) {
        for &rect in dirty.iter().filter(|rect| !rect.is_empty()) {
            for level in 1..self.shape.num_levels() {
                if !self.invalidate_level(level, rect_at_level(rect, level)) {
                    break;
                }
            }
        }
    }

    /// Forgets everything that was derived.
    pub fn clear(&mut self) {
        self.cached.clear();
    }

    /// Main memory of the derived tiles, in bytes.
    pub fn bytes_used(&self) -> usize {
        let pixels = self
            .cached
            .values()
            .filter(|coarse| coarse.tile.uniform_class().is_none());
        self.cached.len() * size_of::<(TileKey, Coarse)>() + pixels.count() * SIDE * SIDE
    }

    /// Whether any tile was there to be marked.
    fn invalidate_level(&mut self, level: u8, rect: PixelRect) -> bool {
        let rect = rect.intersect(self.shape.size().at_level(level).bounds());
        let mut found = false;
        for row in rect.y / MASK_TILE_SIZE..rect.bottom().div_ceil(MASK_TILE_SIZE) {
            for col in rect.x / MASK_TILE_SIZE..rect.right().div_ceil(MASK_TILE_SIZE) {
                let key = TileKey::new(level, col, row);
                let ground = self.shape.tile_rect(key);
                if let Some(coarse) = self.cached.get_mut(&key) {
                    coarse.stale = coarse.stale.union(rect.intersect(ground));
                    found = true;
                }
            }
        }
        found
    }

    fn derive(
        &mut self,
        mask: &Mask,
        key: TileKey,
        old: Option<MaskTile>,
        stale: PixelRect,
    ) -> MaskTile {
        let shape = self.shape;
        let ground = shape.tile_rect(key);
        let children: Vec<(TileKey, MaskTile)> = key
            .children()
            .filter(|&child| shape.contains(child))
            .map(|child| (child, self.tile(mask, child)))
            .collect();
        if let Some(class) = shared_class(&children) {
            return MaskTile::Uniform(class);
        }
        let mut pixels = match old {
            Some(MaskTile::Pixels(pixels)) => pixels,
            Some(MaskTile::Uniform(class)) => filled_pixels(class),
            None => filled_pixels(UNLABELED),
        };
        let target = Arc::make_mut(&mut pixels);
        for (child, tile) in &children {
            let below = shape.tile_rect(*child);
            let part = rect_at_level(below, 1).intersect(stale);
            halve_into(target, ground, tile, below, part);
        }
        MaskTile::collapsed(pixels, ground.width, ground.height)
    }
}

/// The smallest rectangle of level `level` that covers `rect` of level 0.
pub fn rect_at_level(rect: PixelRect, level: u8) -> PixelRect {
    let shift = u32::from(level.min(31));
    let (x, y) = (rect.x >> shift, rect.y >> shift);
    let behind = |edge: u32| (u64::from(edge).div_ceil(1 << shift)) as u32;
    PixelRect::new(x, y, behind(rect.right()) - x, behind(rect.bottom()) - y)
}

fn shared_class(children: &[(TileKey, MaskTile)]) -> Option<u8> {
    let first = children.first()?.1.uniform_class()?;
    children
        .iter()
        .all(|(_, tile)| tile.uniform_class() == Some(first))
        .then_some(first)
}

/// Derives `part` of the tile that covers `ground` from the tile `child` that covers `below` one
/// level down.
fn halve_into(
    target: &mut TilePixels,
    ground: PixelRect,
    child: &MaskTile,
    below: PixelRect,
    part: PixelRect,
) {
    let (mut upper, mut lower) = ([UNLABELED; SIDE], [UNLABELED; SIDE]);
    let width = below.width as usize;
    for y in part.y..part.bottom() {
        let row = (y * 2 - below.y) as usize;
        child.copy_row(0, row, &mut upper[..width]);
        if row + 1 < below.height as usize {
            child.copy_row(0, row + 1, &mut lower[..width]);
        } else {
            lower.fill(UNLABELED);
        }
        let from = (y - ground.y) as usize * SIDE;
        for x in part.x..part.right() {
            let pair = (x * 2 - below.x) as usize;
            let four = [upper[pair], upper[pair + 1], lower[pair], lower[pair + 1]];
            target[from + (x - ground.x) as usize] = most_frequent(four);
        }
    }
}

/// The most frequent class, the smaller of equals; unlabeled only when all are.
fn most_frequent(four: [u8; 4]) -> u8 {
    if four == [four[0]; 4] {
        return four[0];
    }
    let mut best = (0, UNLABELED);
    for class in four.into_iter().filter(|&class| class != UNLABELED) {
        let count = four
            .into_iter()
            .map(|other| u8::from(other == class))
            .sum::<u8>();
        if count > best.0 || (count == best.0 && class < best.1) {
            best = (count, class);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_definition(mask: &[u8], size: ImageSize) -> Vec<u8> {
        let half = size.at_level(1);
        let mut coarse = Vec::new();
        for (x, y) in (0..half.height).flat_map(|y| (0..half.width).map(move |x| (x, y))) {
            let mut counts = [0; 256];
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let (x, y) = (x * 2 + dx, y * 2 + dy);
                if x < size.width && y < size.height {
                    counts[usize::from(mask[(y * size.width + x) as usize])] += 1;
                }
            }
            let best = (0..255_u8)
                .max_by_key(|&class| (counts[usize::from(class)], std::cmp::Reverse(class)));
            let labeled = counts[..255].iter().any(|&count| count > 0);
            coarse.push(best.filter(|_| labeled).unwrap_or(255));
        }
        coarse
    }

    fn level_of(levels: &mut MaskLevels, mask: &Mask, level: u8) -> Vec<u8> {
        let size = mask.size().at_level(level);
        let mut all = Vec::new();
        for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
            let key = TileKey::new(level, x / MASK_TILE_SIZE, y / MASK_TILE_SIZE);
            all.push(
                levels
                    .tile(mask, key)
                    .get(x % MASK_TILE_SIZE, y % MASK_TILE_SIZE),
            );
        }
        all
    }

    fn assert_levels(levels: &mut MaskLevels, mask: &Mask) {
        let mut expected = mask.read_rect(mask.size().bounds());
        for level in 1..levels.shape().num_levels() {
            expected = by_definition(&expected, mask.size().at_level(level - 1));
            assert!(level_of(levels, mask, level) == expected, "level {level}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn levels_are_their_definition_before_and_after_edits(
            width in 1_u32..700,
            height in 1_u32..600,
            rects in prop::collection::vec((0_u32..700, 0_u32..600, 1_u32..90, 1_u32..90, 0_u8..4), 1..8),
        ) {
            let size = ImageSize::new(width, height);
            let mut mask = Mask::new(size);
            let mut levels = MaskLevels::new(size);
            for (x, y, w, h, class) in rects {
                let rect = PixelRect::new(x, y, w, h);
                let classes: Vec<u8> =
                    (0..w * h).map(|n| if n % 3 == 0 { 255 } else { class }).collect();
                mask.set_rect(rect, &classes);
                levels.invalidate(&[rect]);
                assert_levels(&mut levels, &mask);
            }
        }
    }

    #[test]
    fn ties_go_to_the_smaller_class_and_labels_win() {
        for (four, expected) in [
            ([2, 2, 1, 1], 1),
            ([255, 255, 255, 7], 7),
            ([255, 255, 4, 3], 3),
            ([255; 4], 255),
            ([9, 9, 0, 255], 9),
        ] {
            assert_eq!(most_frequent(four), expected, "{four:?}");
        }
    }

    #[test]
    fn uniform_ground_takes_no_pixels() {
        let mask = Mask::filled(ImageSize::new(30_000, 30_000), 3);
        let mut levels = MaskLevels::new(mask.size());
        let root = levels.shape().root();
        assert_eq!(levels.tile(&mask, root).uniform_class(), Some(3));
        assert!(levels.bytes_used() < 1 << 20);
    }

    #[test]
    fn tiles_outside_are_unlabeled() {
        let mask = Mask::filled(ImageSize::new(300, 300), 3);
        let mut levels = MaskLevels::new(mask.size());
        assert_eq!(
            levels.tile(&mask, TileKey::new(1, 5, 0)).uniform_class(),
            Some(255)
        );
        assert_eq!(
            levels.tile(&mask, TileKey::new(9, 0, 0)).uniform_class(),
            Some(255)
        );
    }
}
