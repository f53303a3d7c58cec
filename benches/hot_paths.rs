//! What must never be slow: a brush event, the plan of a frame, a decoded tile.
//!
//! `cargo bench` prints the times and, for the brush, the ratio of a large mask to a small one,
//! measured in the same run.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use orthobrush::geom::{Camera, ImagePoint, ImageSize, PyramidShape, ScreenSize, plan_tiles};
use orthobrush::label::{Brush, EditKind, Mask, Paint, Stroke};

const CANVAS: ScreenSize = ScreenSize::new(1_280.0, 800.0);

/// One event of a 512-pixel brush: from one sample point of the pointer to the next.
fn brush_event(mask: &mut Mask, stroke: &mut Stroke, step: u32) {
    let side = f64::from(mask.size().width);
    let at = |step: u32| {
        let along = f64::from(step * 24 % 700);
        ImagePoint::new(side / 2.0 - 350.0 + along, side / 2.0)
    };
    let ends = (at(step), at(step + 1));
    let paint = Paint::class((step % 5) as u8);
    black_box(stroke.segment(mask, ends, &Brush::round(512.0), &paint));
}

fn brush(criterion: &mut Criterion) {
    for side in [1_000, 30_000] {
        let mut mask = Mask::filled(ImageSize::new(side, side), 0);
        let mut stroke = Stroke::begin(EditKind::Brush);
        let mut step = 0;
        criterion.bench_function(&format!("brush event of 512 px on {side}²"), |bencher| {
            bencher.iter(|| {
                brush_event(&mut mask, &mut stroke, step);
                step = step.wrapping_add(1) % 1_000;
            });
        });
        drop(stroke.commit(&mask));
    }
    println!(
        "large over small: {:.2}",
        mean_event(30_000) / mean_event(1_000)
    );
}

/// Seconds of a brush event, the mean of 2,000.
fn mean_event(side: u32) -> f64 {
    let mut mask = Mask::filled(ImageSize::new(side, side), 0);
    let mut stroke = Stroke::begin(EditKind::Brush);
    let began = Instant::now();
    (0..2_000).for_each(|step| brush_event(&mut mask, &mut stroke, step));
    let seconds = began.elapsed().as_secs_f64() / 2_000.0;
    drop(stroke.rollback(&mut mask));
    seconds
}

fn plan(criterion: &mut Criterion) {
    let shape = PyramidShape::new(ImageSize::new(30_000, 30_000), 512);
    let camera = Camera {
        center: ImagePoint::new(15_000.0, 15_000.0),
        scale: 0.51,
    };
    criterion.bench_function("plan of a frame over 30,000²", |bencher| {
        bencher.iter(|| {
            let level = shape.level_for_view(&camera, CANVAS, 95);
            let is_resident = |key: orthobrush::geom::TileKey| !key.col.is_multiple_of(3);
            black_box(plan_tiles(&shape, &camera, CANVAS, level, is_resident))
        });
    });
}

criterion_group!(hot_paths, brush, plan);
criterion_main!(hot_paths);
