//! How long it takes to look at a whole image, and to find similar places in it then.
//!
//! `cargo bench --bench similar -- IMAGE [LABEL]`; with a label of class indices it also says how
//! often the places that are found have the class of what was shown, beside how common that is.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use orthobrush::dataset::Rng;
use orthobrush::geom::PixelRect;
use orthobrush::job::{JobEvent, Waker};
use orthobrush::label::{Encoding, Mask, Selection, load_mask};
use orthobrush::raster::open_raster;
use orthobrush::train::{Engine, FeatureIndex, SimilarEvent, SimilarOrder};

/// Questions that are asked.
const QUESTIONS: usize = 200;
/// Places that are looked at for each.
const PLACES: usize = 20;
/// Side of what is shown, in pixels.
const SIDE: u32 = 64;

fn main() {
    let arguments = std::env::args().skip(1);
    let paths: Vec<String> = arguments.filter(|it| !it.starts_with("--")).collect();
    let Some(image) = paths.first() else {
        println!("Name an image: cargo bench --bench similar -- IMAGE [LABEL]");
        return;
    };
    let source = open_raster(Path::new(image)).expect("an image");
    let size = source.info().size;
    let began = Instant::now();
    let engine = Engine::start().expect("a thread");
    let job = engine.look_over(SimilarOrder { source, kept: None }, Waker::none());
    let mut index: Option<Arc<FeatureIndex>> = None;
    while let Some(event) = job.next_within(Duration::from_hours(2)) {
        match event {
            JobEvent::Said(SimilarEvent::Index(done)) => index = Some(done),
            JobEvent::Said(SimilarEvent::Progress(_)) => {}
            JobEvent::Finished => break,
            ended => panic!("{ended:?}"),
        }
    }
    let index = index.expect("an index");
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{size} pixels: looked at in {seconds:.1} s, {:.1} MB",
        index.bytes_used() as f64 / 1e6
    );
    let label = paths
        .get(1)
        .map(|path| load_mask(Path::new(path), Some(size), Encoding::Auto, None).expect("a label"));
    ask(&index, label.map(|loaded| loaded.mask));
}

/// Shows squares at random, of one class where a label says so, and counts what is found.
fn ask(index: &FeatureIndex, label: Option<Mask>) {
    let size = index.size();
    let mut rng = Rng::of(&[7]);
    let (mut longest, mut total) = (Duration::ZERO, Duration::ZERO);
    let (mut asked, mut hits, mut by_chance) = (0_u32, 0.0, 0.0);
    for _ in 0..QUESTIONS {
        let mut below = |end: u32| rng.below(u64::from(end)) as u32;
        let (x, y) = (below(size.width - SIDE + 1), below(size.height - SIDE + 1));
        let shown = PixelRect::new(x, y, SIDE, SIDE);
        let began = Instant::now();
        let found = index.alike(&Selection::of_rect(shown), PLACES);
        longest = longest.max(began.elapsed());
        total += began.elapsed();
        let Some(label) = &label else { continue };
        let alone = commonest(label, shown).filter(|it| it.1 > 0.999);
        let Some((class, _)) = alone else {
            continue;
        };
        let is_hit = |rect: PixelRect| commonest(label, rect).is_some_and(|it| it.0 == class);
        asked += 1;
        hits +=
            found.iter().filter(|it| is_hit(it.rect)).count() as f64 / found.len().max(1) as f64;
        let counts = label.histogram();
        let labeled: u64 = counts[..255].iter().sum();
        by_chance += counts[usize::from(class)] as f64 / labeled as f64;
    }
    println!(
        "{QUESTIONS} questions: {:.0} ms each, {:.0} ms at most",
        total.as_secs_f64() * 1e3 / QUESTIONS as f64,
        longest.as_secs_f64() * 1e3
    );
    if asked > 0 {
        println!(
            "{asked} squares of one class: {:.1} % of {PLACES} places are of it; {:.1} % of all ground is",
            hits / f64::from(asked) * 100.0,
            by_chance / f64::from(asked) * 100.0
        );
    }
}

/// The commonest class of some ground and its share of what is labeled there.
fn commonest(label: &Mask, rect: PixelRect) -> Option<(u8, f64)> {
    let mut counts = [0_u32; 256];
    for class in label.read_rect(rect) {
        counts[usize::from(class)] += 1;
    }
    let labeled: u32 = counts[..255].iter().sum();
    let best = (0..255_u8).max_by_key(|&class| counts[usize::from(class)])?;
    (labeled > 0).then(|| {
        (
            best,
            f64::from(counts[usize::from(best)]) / f64::from(labeled),
        )
    })
}
