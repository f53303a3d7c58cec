use std::hint::black_box;

use criterion::Criterion;
use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::metrics::{Confusion, TileConfusion};

use super::ground::{blocky, smooth};
use super::{few, side, thrice};

/// Classes of the counted masks, and one more than they have.
const NUM_CLASSES: usize = 6;

/// The confusion of label and prediction: counted whole, and after a stroke over 64 tiles.
pub fn bench(criterion: &mut Criterion) {
    let size = ImageSize::new(side(9_500), side(9_000));
    let (truth, prediction) = (smooth(size), blocky(size));
    thrice("confusion of a whole mask, counted anew", || {
        Confusion::between(&truth, &prediction, NUM_CLASSES)
    });
    thrice("the same by tiles", || {
        TileConfusion::new(&truth, &prediction, NUM_CLASSES)
    });
    let mut counted = TileConfusion::new(&truth, &prediction, NUM_CLASSES);
    let stroke = PixelRect::new(256, 256, side(2_048), side(2_048));
    let stroke: Vec<_> = TileConfusion::tiles_in(stroke).collect();
    let mut group = few(criterion, "numbers");
    group.bench_function("after a stroke over 64 tiles", |bencher| {
        bencher.iter(|| counted.update(&truth, &prediction, &stroke));
    });
    let view = PixelRect::new(300, 300, side(8_000), side(8_000));
    group.bench_function("of 8,000 by 8,000 pixels in view", |bencher| {
        bencher.iter(|| black_box(counted.within(&truth, &prediction, view)));
    });
    group.finish();
}
