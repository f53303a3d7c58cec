//! Brush events late in a long day, flood fill, replacing a class.

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use orthobrush::geom::{ImagePoint, ImageSize};
use orthobrush::label::{Brush, Edit, EditKind, FillLimits, History, Mask, Origin, Paint, Stroke};

use crate::{few, ground, is_measuring, side, thrice, timed};

const BRUSH_PX: f64 = 512.0;

/// Strokes of the history, and brush events of each.
const STROKES: u32 = 10_000;
const EVENTS: u32 = 8;

/// Side of the square that the strokes lie in, in pixels: what a person works on for a day.
const WORKPLACE: u32 = 16_384;

/// What the history may take in memory.
const HISTORY_MIB: usize = 256;

pub fn bench(criterion: &mut Criterion) {
    brush(criterion);
    fill(criterion);
    replace();
}

/// A label as a session holds it.
struct Label {
    mask: Mask,
    origins: Mask,
    history: History,
}

impl Label {
    fn new(size: ImageSize) -> Self {
        let mask = Mask::filled(size, 0);
        Self {
            origins: mask.origins_from(Origin::IMPORTED),
            mask,
            // Without a limit, so that it tells what all strokes take.
            history: History::new(usize::MAX),
        }
    }

    /// A stroke of the given number as an undo step.
    fn stroke(&mut self, number: u32) {
        let mut stroke = Stroke::begin(EditKind::Brush);
        for event in 0..EVENTS {
            self.event(&mut stroke, number, event);
        }
        if let Some(edit) = stroke.commit(&self.mask) {
            let edit = edit.with_origin(&mut self.origins, Origin::HAND);
            self.history.push(edit);
        }
    }

    /// From one sample point of the pointer to the next, 24 pixels on.
    fn event(&mut self, stroke: &mut Stroke, number: u32, event: u32) {
        let corner = f64::from(self.mask.size().width - WORKPLACE) / 2.0;
        let place =
            |salt| f64::from((ground::random(salt, number, 0) % u64::from(WORKPLACE)) as u32);
        let at = |event: u32| {
            let along = f64::from(event) * 24.0;
            ImagePoint::new(corner + place(1) + along, corner + place(2) + along / 3.0)
        };
        let paint = Paint::class((number % 5) as u8);
        let ends = (at(event), at(event + 1));
        black_box(stroke.segment(&mut self.mask, ends, &Brush::round(BRUSH_PX), &paint));
    }
}

fn brush(criterion: &mut Criterion) {
    let strokes = if is_measuring() { STROKES } else { 10 };
    let mut label = Label::new(ImageSize::new(100_000, 100_000));
    let (seconds, ()) = timed(|| (0..strokes).for_each(|number| label.stroke(number)));
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    println!(
        "history of {strokes} strokes of {BRUSH_PX} px: {:.1} MiB of at most {HISTORY_MIB}, \
         the mask {:.0} MiB; {:.2} ms for each stroke of {EVENTS} events and its undo step",
        mib(label.history.bytes()),
        mib(label.mask.bytes_used()),
        seconds * 1e3 / f64::from(strokes)
    );
    let mut group = criterion.benchmark_group("100,000²");
    group.measurement_time(Duration::from_secs(3));
    let (mut stroke, mut event) = (Stroke::begin(EditKind::Brush), 0);
    // A new place every few events, so that tiles are touched for the first time as well.
    group.bench_function("brush event of 512 px after 10,000 strokes", |bencher| {
        bencher.iter(|| {
            label.event(&mut stroke, STROKES + event / EVENTS, event % EVENTS);
            event = event.wrapping_add(1) % (1_000 * EVENTS);
        });
    });
    drop(stroke.rollback(&mut label.mask));
    group.finish();
}

fn fill(criterion: &mut Criterion) {
    let side = side(10_000);
    let size = ImageSize::new(side, side);
    let plain = Mask::filled(size, 0);
    few(criterion, &format!("flood fill of {side}²")).bench_function(
        "plain, with its undo step",
        |bencher| {
            bencher.iter_with_large_drop(|| filled(plain.clone()));
        },
    );
    let mask = ground::speckled(size);
    thrice(
        &format!("flood fill of {side}² around specks, with its undo step"),
        || filled(mask.clone()),
    );
}

fn filled(mut mask: Mask) -> (Option<Edit>, Mask) {
    let mut stroke = Stroke::begin(EditKind::Fill);
    let limits = FillLimits::default();
    let dirty = stroke.flood(&mut mask, (0, 0), &Paint::class(4), &limits);
    drop(dirty.expect("no limit"));
    (stroke.commit(&mask), mask)
}

fn replace() {
    let size = ImageSize::new(100_000, 100_000);
    let plain = Mask::filled(size, 4);
    thrice(
        "replace class on a uniform 100,000², with its undo step",
        || {
            let mut mask = plain.clone();
            let mut stroke = Stroke::begin(EditKind::Replace);
            drop(stroke.replace_class(&mut mask, 4, 5, size.bounds()));
            (stroke.commit(&mask), mask)
        },
    );
}
