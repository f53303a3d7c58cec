use super::{Camera, ImagePoint, PixelRect, PyramidShape, ScreenSize, TileKey};

/// What one canvas draws and loads in a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TilePlan {
    /// What to draw now, coarse first, so that fine tiles cover their stand-ins.
    pub draw: Vec<TileQuad>,
    /// What is missing, most wanted first.
    pub want: Vec<TileKey>,
}

/// A piece of ground and the resident tile that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileQuad {
    /// The resident tile to sample.
    pub source: TileKey,
    /// The ground to cover, in level-0 pixels.
    pub ground: PixelRect,
}

/// Decides what one canvas draws and loads this frame.
///
/// `level` comes from [`PyramidShape::level_for_view`]. A missing tile is covered by its nearest
/// resident ancestor. Asks the world a single question, `is_resident`, and changes nothing. Wanted
/// tiles come nearest to the middle of the canvas first, after the root, which stands in for
/// everything.
pub fn plan_tiles(
    shape: &PyramidShape,
    camera: &Camera,
    canvas: ScreenSize,
    level: u8,
    is_resident: impl Fn(TileKey) -> bool,
) -> TilePlan {
    let mut plan = TilePlan::default();
    for key in shape.tiles_in(level, camera.visible_image_rect(canvas)) {
        let source = nearest_resident(shape, key, &is_resident);
        if source != Some(key) {
            plan.want.push(key);
        }
        if let Some(source) = source {
            plan.draw.push(TileQuad {
                source,
                ground: shape.ground(key),
            });
        }
    }
    plan.draw
        .sort_by_key(|quad| std::cmp::Reverse(quad.source.level));
    sort_by_distance(shape, camera.center, &mut plan.want);
    if !plan.want.is_empty() && !is_resident(shape.root()) {
        plan.want.retain(|&key| key != shape.root());
        plan.want.insert(0, shape.root());
    }
    plan
}

fn nearest_resident(
    shape: &PyramidShape,
    key: TileKey,
    is_resident: impl Fn(TileKey) -> bool,
) -> Option<TileKey> {
    let last = shape.num_levels();
    std::iter::successors(Some(key), |key| Some(key.parent()))
        .take_while(|key| key.level < last)
        .find(|&key| is_resident(key))
}

fn sort_by_distance(shape: &PyramidShape, from: ImagePoint, keys: &mut [TileKey]) {
    let distance = |key: &TileKey| {
        let ground = shape.ground(*key);
        let x = f64::from(ground.x) + f64::from(ground.width) / 2.0;
        let y = f64::from(ground.y) + f64::from(ground.height) / 2.0;
        from.distance(ImagePoint::new(x, y))
    };
    keys.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    const CANVAS: ScreenSize = ScreenSize::new(1_280.0, 800.0);

    fn orthophoto() -> PyramidShape {
        PyramidShape::new(ImageSize::new(9_500, 9_000), 512)
    }

    fn zoomed_in() -> Camera {
        Camera {
            center: ImagePoint::new(5_000.0, 5_000.0),
            scale: 1.0,
        }
    }

    #[test]
    fn a_missing_tile_is_covered_by_its_nearest_resident_ancestor() {
        let only_the_root = |key: TileKey| key.level == 5;
        let plan = plan_tiles(&orthophoto(), &zoomed_in(), CANVAS, 0, only_the_root);
        assert!(!plan.draw.is_empty());
        assert!(plan.draw.iter().all(|quad| quad.source.level == 5));
        assert!(plan.want.iter().all(|key| key.level == 0));
    }

    #[test]
    fn nothing_is_wanted_when_all_is_there() {
        let plan = plan_tiles(&orthophoto(), &zoomed_in(), CANVAS, 0, |_| true);
        assert!(plan.want.is_empty());
        assert!(plan.draw.iter().all(|quad| quad.source.level == 0));
    }

    #[test]
    fn the_root_is_wanted_first() {
        let plan = plan_tiles(&orthophoto(), &zoomed_in(), CANVAS, 0, |_| false);
        assert_eq!(plan.want[0], orthophoto().root());
        assert!(plan.draw.is_empty());
    }

    #[test]
    fn the_quads_cover_the_view() {
        let plan = plan_tiles(&orthophoto(), &zoomed_in(), CANVAS, 0, |_| true);
        let view = zoomed_in()
            .visible_image_rect(CANVAS)
            .pixels_in(orthophoto().size());
        let covered: u64 = plan
            .draw
            .iter()
            .map(|quad| quad.ground.intersect(view).num_pixels())
            .sum();
        assert_eq!(covered, view.num_pixels());
    }
}
