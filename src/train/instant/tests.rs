use std::sync::Arc;

use super::super::test_world::{SIZE, World, class_at, events_of};
use super::*;
use crate::geom::{ImageSize, PixelRect};
use crate::job::{Job, JobEvent, Waker};
use crate::label::{Mask, Origin, UNLABELED};
use crate::raster::{RasterInfo, ReadError, TileSource};
use crate::train::{Certainty, Engine, InstantEvent};

/// The world side by side as often as it takes to fill several tiles.
struct Wide {
    world: Arc<World>,
    info: RasterInfo,
}

const WIDE: ImageSize = ImageSize::new(600, 400);

impl Wide {
    fn new() -> Arc<Self> {
        let world = World::new();
        let info = RasterInfo {
            size: WIDE,
            level_sizes: vec![WIDE],
            ..world.info().clone()
        };
        Arc::new(Self { world, info })
    }

    fn class_at(x: u32, y: u32) -> u8 {
        class_at(x % SIZE.width, y % SIZE.height)
    }

    fn has_data(x: u32) -> bool {
        x % SIZE.width < SIZE.width - 6
    }
}

impl TileSource for Wide {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn read_rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let mut pixels = Vec::new();
        for y in rect.y..rect.bottom() {
            for x in rect.x..rect.right() {
                let one = PixelRect::new(x % SIZE.width, y % SIZE.height, 1, 1);
                pixels.extend(self.world.read_rgba(stored, one)?);
            }
        }
        Ok(pixels)
    }

    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        Ok(vec![0; rect.num_pixels() as usize])
    }

    fn block_size(&self, _stored: usize) -> ImageSize {
        ImageSize::new(64, 64)
    }
}

/// A stroke on a disc in one tile, another on the ground beside it.
fn scribbled() -> Mask {
    let mut label = Mask::new(WIDE);
    label.set_rect(PixelRect::new(20, 20, 10, 10), &[1; 100]);
    label.set_rect(PixelRect::new(0, 45, 40, 10), &[0; 400]);
    label
}

fn order(mind: InstantMind, label: &Mask, area: PixelRect) -> InstantOrder {
    InstantOrder {
        mind: Box::new(mind),
        image: 7,
        source: Wide::new(),
        label: label.clone(),
        origins: label.origins_from(Origin::HAND),
        area,
        measures: Certainty::ALL.to_vec(),
    }
}

/// What an order brought.
struct Brought {
    answer: Mask,
    blocks: usize,
    report: Option<InstantReport>,
    mind: InstantMind,
    last: JobEvent<InstantEvent>,
}

fn brought(job: &Job<InstantEvent>) -> Brought {
    let mut events = events_of(job);
    let last = events.pop().expect("an end");
    let Some(JobEvent::Said(InstantEvent::Back(mind))) = events.pop() else {
        panic!("the mind comes back before the end");
    };
    let (mut answer, mut blocks, mut report) = (Mask::new(WIDE), 0, None);
    for event in events {
        match event {
            JobEvent::Said(InstantEvent::Block {
                rect,
                classes,
                sure,
                nearest,
            }) => {
                assert_eq!(nearest, None, "all tiles are looked at");
                let measures = sure.iter().map(|(measure, _)| *measure);
                assert!(measures.eq(Certainty::ALL));
                assert!(sure.iter().all(|(_, sure)| sure.len() == classes.len()));
                answer.set_rect(rect, &classes);
                blocks += 1;
            }
            JobEvent::Said(InstantEvent::Looked { tiles, of }) => assert!(tiles < of),
            JobEvent::Said(InstantEvent::Ended(found)) => report = Some(found),
            _ => panic!("nothing else is said"),
        }
    }
    Brought {
        answer,
        blocks,
        report,
        mind: *mind,
        last,
    }
}

fn asked(engine: &Engine, mind: InstantMind, label: &Mask, area: PixelRect) -> Brought {
    brought(&engine.answer(order(mind, label, area), Waker::none()))
}

#[test]
fn two_strokes_tell_discs_from_ground_and_no_view_changes_a_pixel() {
    let engine = Engine::start().expect("a thread");
    let label = scribbled();
    let whole = WIDE.bounds();
    let first = asked(&engine, InstantMind::new(Sight::Pretrained), &label, whole);
    assert_eq!(first.blocks, 6);
    let report = first.report.expect("a report");
    assert_eq!((report.num_classes, report.num_pixels), (2, 500));
    assert_eq!(report.outcome, InstantOutcome::Answered);
    let (mut right, mut all) = (0, 0);
    for (x, y) in (0..WIDE.height).flat_map(|y| (0..WIDE.width).map(move |x| (x, y))) {
        let found = first.answer.get(x, y);
        if Wide::has_data(x) {
            right += u32::from(found == Wide::class_at(x, y));
            all += 1;
        } else {
            assert_eq!(found, UNLABELED, "no answer where there is no data");
        }
    }
    assert!(f64::from(right) > 0.95 * f64::from(all), "{right} of {all}");
    // From another mind, of a part alone, across a border of tiles.
    let part = PixelRect::new(250, 200, 20, 100);
    let other = asked(&engine, InstantMind::new(Sight::Pretrained), &label, part);
    assert_eq!(other.blocks, 4);
    let tiles = PixelRect::new(0, 0, 512, 400);
    assert_eq!(other.answer.read_rect(tiles), first.answer.read_rect(tiles));
    // From the same mind again, which has seen all of it.
    let bytes = first.mind.bytes_used();
    let again = asked(&engine, first.mind, &label, whole);
    assert_eq!(
        (again.answer, again.mind.bytes_used()),
        (first.answer, bytes)
    );
}

#[test]
fn one_class_gives_no_answer_but_the_ground_is_looked_at() {
    let engine = Engine::start().expect("a thread");
    let mut label = Mask::new(WIDE);
    label.set_rect(PixelRect::new(20, 20, 10, 10), &[1; 100]);
    let area = PixelRect::new(0, 0, 100, 100);
    let brought = asked(&engine, InstantMind::new(Sight::Colors), &label, area);
    assert_eq!(brought.blocks, 0);
    let report = brought.report.expect("a report");
    assert_eq!(report.outcome, InstantOutcome::TooFewClasses);
    assert_eq!(report.num_classes, 1);
    assert!(brought.mind.bytes_used() > 0);
}

#[test]
fn what_was_looked_at_before_the_first_stroke_is_answered_without_another_look() {
    let engine = Engine::start().expect("a thread");
    let (whole, nothing) = (WIDE.bounds(), Mask::new(WIDE));
    let blank = || InstantMind::new(Sight::Pretrained);
    let looked_at = |brought: &Brought| brought.report.expect("a report").looked_at;
    let prepared = asked(&engine, blank(), &nothing, whole);
    let report = prepared.report.expect("a report");
    assert_eq!((report.num_classes, report.num_pixels), (0, 0));
    assert_eq!(report.outcome, InstantOutcome::TooFewClasses);
    // Two windows of four tiles each hold the six of the image.
    assert_eq!((prepared.blocks, looked_at(&prepared)), (0, 2));
    let first = asked(&engine, prepared.mind, &scribbled(), whole);
    assert_eq!((first.blocks, looked_at(&first)), (6, 0));
    let unprepared = asked(&engine, blank(), &scribbled(), whole);
    assert_eq!((unprepared.blocks, looked_at(&unprepared)), (6, 2));
    assert_eq!(first.answer, unprepared.answer);
}

#[test]
fn a_cancelled_order_gives_the_mind_back() {
    let engine = Engine::start().expect("a thread");
    let mind = InstantMind::new(Sight::Pretrained);
    let job = engine.answer(order(mind, &scribbled(), WIDE.bounds()), Waker::none());
    job.cancel();
    let brought = brought(&job);
    assert!(matches!(brought.last, JobEvent::Cancelled));
    assert_eq!(brought.report, None);
    let after = asked(&engine, brought.mind, &scribbled(), WIDE.bounds());
    assert_eq!(after.blocks, 6);
}
