use super::{Camera, ImageRect, ImageSize, PixelRect, ScreenSize, TileKey};

/// Sizes and tile counts of a pyramid: pure arithmetic, no pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PyramidShape {
    size: ImageSize,
    tile_size: u32,
}

impl PyramidShape {
    /// The shape of a pyramid over an image of `size` with square tiles of `tile_size` pixels.
    pub const fn new(size: ImageSize, tile_size: u32) -> Self {
        Self { size, tile_size }
    }

    /// Extent of level 0.
    pub const fn size(&self) -> ImageSize {
        self.size
    }

    /// Side of a tile in pixels of its own level.
    pub const fn tile_size(&self) -> u32 {
        self.tile_size
    }

    /// Number of levels: the last is the first that fits one tile.
    pub fn num_levels(&self) -> u8 {
        let mut level = 0;
        loop {
            let size = self.size.at_level(level);
            if size.width <= self.tile_size && size.height <= self.tile_size {
                return level + 1;
            }
            level += 1;
        }
    }

    /// The one tile that covers everything.
    pub fn root(&self) -> TileKey {
        TileKey::new(self.num_levels() - 1, 0, 0)
    }

    /// Tile columns and rows at `level`.
    pub fn grid(&self, level: u8) -> (u32, u32) {
        let size = self.size.at_level(level);
        (
            size.width.div_ceil(self.tile_size),
            size.height.div_ceil(self.tile_size),
        )
    }

    /// Whether the tile exists.
    pub fn contains(&self, key: TileKey) -> bool {
        let (cols, rows) = self.grid(key.level);
        key.level < self.num_levels() && key.col < cols && key.row < rows
    }

    /// The pixels of `key`, in pixels of its own level, cut at the image's edge.
    pub fn tile_rect(&self, key: TileKey) -> PixelRect {
        let side = self.tile_size;
        PixelRect::new(key.col * side, key.row * side, side, side)
            .intersect(self.size.at_level(key.level).bounds())
    }

    /// The ground of `key` in level-0 pixels, cut at the image's edge.
    pub fn ground(&self, key: TileKey) -> PixelRect {
        let side = u64::from(self.tile_size) << key.level;
        let clamp = |value: u64, limit: u32| value.min(u64::from(limit)) as u32;
        let x = clamp(u64::from(key.col) * side, self.size.width);
        let y = clamp(u64::from(key.row) * side, self.size.height);
        let right = clamp((u64::from(key.col) + 1) * side, self.size.width);
        let bottom = clamp((u64::from(key.row) + 1) * side, self.size.height);
        PixelRect::new(x, y, right - x, bottom - y)
    }

    /// The tiles of `level` that touch `view` (level-0 pixels), row by row.
    pub fn tiles_in(&self, level: u8, view: ImageRect) -> impl Iterator<Item = TileKey> + use<> {
        let pixels = view.pixels_in(self.size);
        let side = u64::from(self.tile_size) << level;
        let (cols, rows) = self.grid(level);
        let span = |from: u32, to: u32, count: u32| {
            let first = (u64::from(from) / side) as u32;
            let behind = (u64::from(to).div_ceil(side) as u32).min(count);
            if to > from { first..behind } else { 0..0 }
        };
        let cols = span(pixels.x, pixels.right(), cols);
        let rows = span(pixels.y, pixels.bottom(), rows);
        rows.flat_map(move |row| cols.clone().map(move |col| TileKey::new(level, col, row)))
    }

    /// The level whose pixels are nearest to screen pixels without being coarser.
    ///
    /// `scale` is screen pixels per level-0 pixel.
    pub fn level_for_scale(&self, scale: f64) -> u8 {
        let halvings = (1.0 / scale).log2().floor().max(0.0);
        (halvings as u8).min(self.num_levels() - 1)
    }

    /// The level to draw a view with: that of [`Self::level_for_scale`], or the first coarser one
    /// whose tiles in view are at most `max_tiles`, since a cache must hold all that one frame shows.
    pub fn level_for_view(&self, camera: &Camera, canvas: ScreenSize, max_tiles: usize) -> u8 {
        let view = camera.visible_image_rect(canvas);
        let finest = self.level_for_scale(camera.scale);
        (finest..self.num_levels())
            .find(|&level| self.tiles_in(level, view).count() <= max_tiles)
            .unwrap_or(self.num_levels() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImagePoint;

    fn orthophoto() -> PyramidShape {
        PyramidShape::new(ImageSize::new(9_500, 9_000), 512)
    }

    #[test]
    fn an_orthophoto_has_471_tiles() {
        let shape = orthophoto();
        let count: u32 = (0..shape.num_levels())
            .map(|level| {
                let (c, r) = shape.grid(level);
                c * r
            })
            .sum();
        assert_eq!((shape.num_levels(), count), (6, 471));
    }

    #[test]
    fn a_view_asks_for_the_tiles_it_touches() {
        let view = ImageRect {
            min: ImagePoint::new(500.0, -10.0),
            max: ImagePoint::new(520.0, 600.0),
        };
        let keys: Vec<_> = orthophoto()
            .tiles_in(0, view)
            .map(|key| (key.col, key.row))
            .collect();
        assert_eq!(keys, [(0, 0), (1, 0), (0, 1), (1, 1)]);
    }

    #[test]
    fn edge_tiles_are_cut() {
        let shape = orthophoto();
        assert_eq!(
            shape.tile_rect(TileKey::new(0, 18, 17)),
            PixelRect::new(9_216, 8_704, 284, 296)
        );
        assert_eq!(
            shape.ground(shape.root()),
            ImageSize::new(9_500, 9_000).bounds()
        );
    }

    #[test]
    fn a_small_cache_is_given_coarser_tiles() {
        let camera = Camera {
            center: ImagePoint::new(4_000.0, 4_000.0),
            scale: 1.0,
        };
        let canvas = ScreenSize::new(2_000.0, 2_000.0);
        let level = |max_tiles| orthophoto().level_for_view(&camera, canvas, max_tiles);
        assert_eq!((level(100), level(9), level(1)), (0, 1, 4));
    }

    #[test]
    fn the_level_is_never_coarser_than_the_screen() {
        let shape = orthophoto();
        assert_eq!(shape.level_for_scale(2.0), 0);
        assert_eq!(shape.level_for_scale(0.51), 0);
        assert_eq!(shape.level_for_scale(0.5), 1);
        assert_eq!(shape.level_for_scale(0.0001), 5);
    }
}
