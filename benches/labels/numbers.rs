use std::hint::black_box;

use criterion::Criterion;
use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::label::{CELL_SIDE, Mask, Origin, UNLABELED};
use orthobrush::metrics::{Confusion, PartConfusion, PartFact, TileConfusion, TiledGround};

use super::ground::{blocky, smooth};
use super::{few, side, thrice};

/// Classes of the counted masks, and one more than they have.
const NUM_CLASSES: usize = 6;
/// Side of the blocks that a model holds out.
const BLOCK_SIDE: u32 = 256;

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
    let stroke: Vec<_> = TileConfusion::tiles_in(stroke()).collect();
    let mut group = few(criterion, "numbers");
    group.bench_function("after a stroke over 64 tiles", |bencher| {
        bencher.iter(|| counted.update([&truth, &prediction], &stroke));
    });
    let view = TiledGround::of_rects(size, &[view()]);
    group.bench_function("of 8,000 by 8,000 pixels in view", |bencher| {
        let masks = [&truth, &prediction];
        bencher.iter(|| black_box(PartConfusion::default().of(&view, &counted, masks)));
    });
    group.finish();
    after_strokes(criterion, [prediction, truth]);
}

fn stroke() -> PixelRect {
    PixelRect::new(256, 256, side(2_048), side(2_048))
}

fn view() -> PixelRect {
    PixelRect::new(300, 300, side(8_000), side(8_000))
}

/// The counts and the numbers of each scope after strokes over 64 tiles, which turn by turn paint
/// and take back, as the Scores panel has them; and the look for the word about the ground.
fn after_strokes(criterion: &mut Criterion, [label, prediction]: [Mask; 2]) {
    let size = label.size();
    let stroke_tiles: Vec<_> = TileConfusion::tiles_in(stroke()).collect();
    let mut counted = TileConfusion::new(&label, &prediction, NUM_CLASSES);
    let grounds = grounds(&label);
    let labels = [painted(&label), label];
    let mut turn = 0;
    let mut stroked = |counted: &mut TileConfusion| {
        turn = 1 - turn;
        counted.update([&labels[turn], &prediction], &stroke_tiles);
        &labels[turn]
    };
    let mut group = few(criterion, "a stroke over 64 tiles and the numbers");
    for (name, ground) in &grounds {
        let mut kept = PartConfusion::default();
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                let label = stroked(&mut counted);
                black_box(kept.of(ground, &counted, [label, &prediction]))
            });
        });
    }
    let blocks = TiledGround::of_rects(size, &blocks(size, 16, 0));
    let mut judging = PartConfusion::default();
    group.bench_function("of the whole image without blocks that judge", |bencher| {
        bencher.iter(|| {
            let label = stroked(&mut counted);
            let mut all = counted.total().clone();
            all.take_away(&judging.of(&blocks, &counted, [label, &prediction]));
            black_box(all)
        });
    });
    group.finish();
    let [origins, learned] = nowhere(&labels[1]);
    let whole = TiledGround::of_rects(size, &[size.bounds()]);
    let grounds = [("the whole image", &whole), (grounds[1].0, &grounds[1].1)];
    let mut group = few(criterion, "the word about the ground after a stroke");
    for (name, ground) in grounds {
        let (mut taught, mut unreviewed) = (PartFact::default(), PartFact::default());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                turn = 1 - turn;
                let label = &labels[turn];
                let is_nobodys = |origin| origin != UNLABELED && !Origin::is_persons(origin);
                let is_taught = taught.holds(ground, [label, &learned], |of| of != UNLABELED);
                black_box(is_taught || unreviewed.holds(ground, [label, &origins], is_nobodys))
            });
        });
    }
    group.finish();
}

/// What numbers are of.
fn grounds(label: &Mask) -> [(&'static str, TiledGround); 4] {
    let size = label.size();
    let mut only = [UNLABELED; 256];
    only[1] = 0;
    let selected = label.clone().recoded(&only);
    let cells: Vec<PixelRect> = size
        .bounds()
        .pieces(ImageSize::new(CELL_SIDE, CELL_SIDE))
        .into_iter()
        .step_by(2)
        .collect();
    [
        ("of what is in view", TiledGround::of_rects(size, &[view()])),
        ("of a ragged selection", TiledGround::of_mask(&selected)),
        (
            "of cells that are done",
            TiledGround::of_rects(size, &cells),
        ),
        (
            "of held-out ground that cuts tiles",
            TiledGround::of_rects(size, &blocks(size, 32, 100)),
        ),
    ]
}

/// One of so many blocks, moved by so many pixels.
fn blocks(size: ImageSize, one_of: usize, by: u32) -> Vec<PixelRect> {
    let block = ImageSize::new(BLOCK_SIDE, BLOCK_SIDE);
    let all = size.bounds().pieces(block).into_iter();
    let moved = |block: PixelRect| PixelRect {
        x: block.x + by,
        y: block.y + by,
        ..block
    };
    all.step_by(one_of).map(moved).collect()
}

/// The label after a stroke that changes each labeled pixel below it.
fn painted(label: &Mask) -> Mask {
    let mut painted = label.clone();
    let rect = stroke().intersect(label.size().bounds());
    let mut classes = painted.read_rect(rect);
    for class in classes.iter_mut().filter(|class| **class != UNLABELED) {
        *class = (*class + 1) % 3;
    }
    painted.set_rect(rect, &classes);
    painted
}

/// Origins of a label that is made by hand, and learned ground that is nowhere labeled: no tile is
/// plain, and no look at one ends early.
fn nowhere(label: &Mask) -> [Mask; 2] {
    let unlabeled = usize::from(UNLABELED);
    let (mut by_hand, mut elsewhere) = ([Origin::HAND.index(); 256], [UNLABELED; 256]);
    (by_hand[unlabeled], elsewhere[unlabeled]) = (UNLABELED, 0);
    [by_hand, elsewhere].map(|table| label.clone().recoded(&table))
}
