//! Ground chosen by the image's own colors: the magic wand, superpixels, the object finder.

use std::hint::black_box;

use criterion::Criterion;
use orthobrush::geom::{ImagePoint, PixelRect};
use orthobrush::label::{Hint, ObjectFinder, Side, Superpixels, Wand, wand};

use crate::{few, ground, side, thrice};

pub fn bench(criterion: &mut Criterion) {
    wands();
    windows(criterion);
}

fn wands() {
    let side = side(10_000);
    let area = PixelRect::new(0, 0, side, side);
    let seed = (side / 2 + 3, side / 2 + 1);
    for (name, noise, contiguous) in [
        ("plain, joined", 0, true),
        ("noisy, joined", 48, true),
        ("noisy, everywhere", 48, false),
    ] {
        let read = |rect: PixelRect| Ok(ground::plain(rect, noise));
        let ask = Wand {
            tolerance: 16,
            contiguous,
            max_pixels: u64::MAX,
        };
        thrice(&format!("wand over {side}², {name}"), || {
            wand(&read, area, seed, &ask, &|| false).expect("no limit")
        });
    }
    let count = side.div_ceil(512);
    let blocks = (0..count).flat_map(|row| (0..count).map(move |col| (col, row)));
    thrice("  making its pixels alone, on one thread", || {
        for (col, row) in blocks.clone() {
            let block = PixelRect::new(col * 512, row * 512, 512, 512);
            black_box(ground::plain(block.intersect(area), 48));
        }
    });
}

fn windows(criterion: &mut Criterion) {
    let side = side(1_024);
    let window = PixelRect::new(0, 0, side, side);
    let pixels = ground::landscape(side);
    let mut group = few(criterion, &format!("a window of {side}²"));
    for width in [8, 16, 32] {
        group.bench_function(format!("superpixels {width} px wide"), |bencher| {
            bencher.iter(|| Superpixels::of(window, &pixels, width, 10.0));
        });
    }
    group.bench_function("object finder: prepare", |bencher| {
        bencher.iter(|| ObjectFinder::of(window, &pixels));
    });
    let finder = ObjectFinder::of(window, &pixels);
    let at = |share: f64| ImagePoint::new(f64::from(side) * share, f64::from(side) * share);
    let hints = [
        Hint::click(Side::For, at(0.5)),
        Hint::click(Side::Against, at(0.8)),
        Hint::click(Side::For, at(0.45)),
    ];
    for count in [1, 3] {
        group.bench_function(format!("object finder: find, hints: {count}"), |bencher| {
            bencher.iter(|| finder.find(&hints[..count], f64::from(side) / 2.0));
        });
    }
    group.finish();
}
