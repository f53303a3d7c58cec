use std::collections::BTreeMap;

use rayon::prelude::*;

use super::blur::Grey;
use super::landmark::{Finder, Landmark};
use super::report::{Leak, LeakKind, LeakReport, MOST_EXAMPLES};
use super::shown_twice::{Looks, Repeat};
use super::spots::Relief;
use crate::dataset::parts::Part;
use crate::dataset::watch::counted;
use crate::dataset::{DatasetError, Watch, hash};
use crate::geom::{ImageSize, PixelRect};
use crate::raster::{ReadError, TileSource};

/// Distance between landmarks, in pixels.
const RADIUS: u32 = 10;
/// Side of the pieces that the image is read in.
const PIECE: u32 = 1024;
/// The parts of one image whose blocks are held out, in its pixels.
#[derive(Clone, Copy, Debug)]
pub struct LeakBlocks<'a> {
    /// What the image is called.
    pub name: &'a str,
    /// Blocks that choose.
    pub validation: &'a [PixelRect],
    /// Blocks that judge.
    pub test: &'a [PixelRect],
    /// Ground besides those that nothing is learned from.
    pub unused: &'a [PixelRect],
}

impl LeakBlocks<'_> {
    fn held(&self) -> impl Iterator<Item = (Part, PixelRect)> {
        let validation = self.validation.iter();
        let validation = validation.map(|block| (Part::Validation, *block));
        validation.chain(self.test.iter().map(|block| (Part::Test, *block)))
    }
}

/// Finds ground that an image shows twice, in different ones of its parts; at most about
/// `most_pixels` are read, of larger images a sample with the held-out ground first. What the image
/// shows once is not found, also where neighboring ground was put into different parts, and blocks
/// below 100 pixels hold too few landmarks to be known again.
///
/// # Errors
/// [`DatasetError::Stopped`] when `watch` says so; pieces that cannot be read are noted.
pub fn find_repeats(
    source: &dyn TileSource,
    blocks: &LeakBlocks<'_>,
    most_pixels: u64,
    watch: &Watch<'_>,
) -> Result<LeakReport, DatasetError> {
    let all = (source.info().size.bounds()).pieces(ImageSize::new(PIECE, PIECE));
    let num_pieces = all.len();
    let pieces = affordable(all, blocks, most_pixels);
    let finder = Finder::new(RADIUS);
    let read = counted(watch, pieces.len(), |at| {
        Ok(places_in(pieces[at], source, &finder, blocks))
    })?;
    let pieces: Vec<Vec<Place>> = read.into_iter().filter_map(Result::ok).collect();
    let num_read = pieces.len();
    let places = pieces.concat();
    let pairs = [
        (Part::Train, Part::Validation),
        (Part::Train, Part::Test),
        (Part::Validation, Part::Test),
    ];
    let leaks = pairs.into_iter();
    let leaks = leaks.filter_map(|between| leak(&places, blocks.name, between, watch));
    let leaks: Vec<Leak> = leaks.collect();
    if (watch.is_cancelled)() {
        return Err(DatasetError::Stopped);
    }
    let note = (num_read < num_pieces).then(|| {
        format!(
            "Ground that the image shows twice was looked for in {num_read} of its {num_pieces} \
             pieces"
        )
    });
    Ok(LeakReport {
        leaks,
        images: 1,
        patchwork: None,
        notes: note.into_iter().collect(),
    })
}

/// Which of the pieces are read: all where they have at most `most` pixels, else those with
/// held-out ground first, up to half of that.
fn affordable(mut pieces: Vec<PixelRect>, blocks: &LeakBlocks<'_>, most: u64) -> Vec<PixelRect> {
    let pixels: u64 = pieces.iter().map(|piece| piece.num_pixels()).sum();
    if pixels <= most {
        return pieces;
    }
    pieces.sort_by_cached_key(|piece| hash(&[piece.x.into(), piece.y.into()]));
    let is_held = |piece: &PixelRect| {
        let mut held = blocks.held();
        held.any(|(_, block)| !block.intersect(*piece).is_empty())
    };
    let (held, rest): (Vec<_>, Vec<_>) = pieces.into_iter().partition(is_held);
    let (mut chosen, mut spent) = (Vec::new(), 0);
    for (among, limit) in [(held, most / 2), (rest, most)] {
        for piece in among {
            if spent + piece.num_pixels() <= limit {
                spent += piece.num_pixels();
                chosen.push(piece);
            }
        }
    }
    chosen
}

/// A landmark and the part that its ground is of.
#[derive(Clone, Copy)]
struct Place {
    landmark: Landmark,
    part: Part,
    /// Which of the blocks it lies in; 0 in training ground.
    block: usize,
}

/// The landmarks in a piece of the image, but for those of ground that is of no part.
fn places_in(
    piece: PixelRect,
    source: &dyn TileSource,
    finder: &Finder,
    blocks: &LeakBlocks<'_>,
) -> Result<Vec<Place>, ReadError> {
    let size = source.info().size;
    let rect = piece.grown(finder.halo()).intersect(size.bounds());
    let grey = Grey::new(rect, &source.read_rgba(0, rect)?);
    let is_near = |rect: PixelRect| !rect.intersect(piece).is_empty();
    let held = blocks.held().enumerate();
    let held: Vec<_> = held.filter(|(_, (_, block))| is_near(*block)).collect();
    let unused = blocks.unused.iter();
    let unused: Vec<_> = unused.filter(|rect| is_near(**rect)).collect();
    let place = |landmark: Landmark| {
        let (x, y) = landmark.at;
        let of_block = held.iter().find(|(_, (_, block))| block.contains(x, y));
        let (part, block) = match of_block {
            Some((at, (part, _))) => (*part, *at),
            None if unused.iter().any(|rect| rect.contains(x, y)) => return None,
            None => (Part::Train, 0),
        };
        Some(Place {
            landmark,
            part,
            block,
        })
    };
    let relief = Relief::of(&grey);
    let landmarks = finder.landmarks((&grey, &relief), piece, size);
    Ok(landmarks.into_iter().filter_map(place).collect())
}

/// What blocks of the second part share with the first one; `None` where that is nothing.
fn leak(places: &[Place], name: &str, between: (Part, Part), watch: &Watch<'_>) -> Option<Leak> {
    let of = |part| places.iter().filter(move |place| place.part == part);
    let known = Looks::new(of(between.0).map(|place| place.landmark).collect());
    let mut blocks: BTreeMap<usize, Vec<Landmark>> = BTreeMap::new();
    for place in of(between.1) {
        blocks.entry(place.block).or_default().push(place.landmark);
    }
    let blocks: Vec<Vec<Landmark>> = blocks.into_values().collect();
    let blocks = blocks.par_iter().filter(|_| !(watch.is_cancelled)());
    let found = blocks.filter_map(|block| known.repeat(block));
    let mut found: Vec<Repeat> = found.collect();
    if found.is_empty() {
        return None;
    }
    found.sort_by_key(|repeat| (std::cmp::Reverse(repeat.votes), repeat.middles));
    let examples = found.iter().take(MOST_EXAMPLES);
    Some(Leak {
        kind: LeakKind::SameGround,
        between,
        sets: None,
        pairs: found.len(),
        samples: found.len(),
        examples: examples.map(|repeat| repeat.example(name)).collect(),
        sentence: sentence(found.len(), between),
    })
}

fn sentence(blocks: usize, (first, second): (Part, Part)) -> String {
    let (plural, verb) = if blocks == 1 {
        ("", "shows")
    } else {
        ("s", "show")
    };
    format!(
        "{blocks} {} block{plural} of the image {verb} ground that its {} part shows too; take one \
         of the two out of the label, or judge on another image",
        second.word(),
        first.word()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::discover::test_folders::{Kind, png};
    use crate::raster::open_raster;

    const SIDE: u32 = 1024;
    const COPY: PixelRect = PixelRect::new(640, 128, 256, 256);
    const JUDGING: PixelRect = PixelRect::new(640, 640, 256, 256);

    /// Random ground, the same wherever it is asked for.
    fn ground(x: u32, y: u32) -> u8 {
        (hash(&[9, u64::from(x / 7), u64::from(y / 7)]) >> 56) as u8
    }

    /// What is found between the blocks of a picture, with more ground that is not learned from.
    fn found(
        pixel: impl Fn(u32, u32) -> u8,
        unused: &[PixelRect],
        most_pixels: u64,
        watch: &Watch<'_>,
    ) -> Result<LeakReport, DatasetError> {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
        let pixels: Vec<u8> = rows.map(|(x, y)| pixel(x, y)).collect();
        png(folder.path(), "ortho.png", Kind::Grey, SIDE, &pixels);
        let source = open_raster(&folder.path().join("ortho.png")).expect("an image");
        let margins = [COPY, JUDGING].map(|block| block.grown(64));
        let blocks = LeakBlocks {
            name: "ortho.png",
            validation: &[COPY],
            test: &[JUDGING],
            unused: &[&margins[..], unused].concat(),
        };
        find_repeats(&*source, &blocks, most_pixels, watch)
    }

    #[track_caller]
    fn leaks(pixel: impl Fn(u32, u32) -> u8, unused: &[PixelRect]) -> Vec<Leak> {
        let report = found(pixel, unused, u64::MAX, &Watch::NOBODY).expect("a report");
        assert_eq!((report.images, report.notes), (1, Vec::new()));
        report.leaks
    }

    /// The ground with other ground of it in the block that chooses, from column 100, row 600.
    fn copied(x: u32, y: u32) -> u8 {
        if COPY.contains(x, y) {
            ground(x - COPY.x + 100, y - COPY.y + 600)
        } else {
            ground(x, y)
        }
    }

    #[test]
    fn ground_that_an_image_shows_twice_is_told_with_both_places() {
        let found = leaks(copied, &[]);
        let [leak] = &found[..] else {
            panic!("{found:?}");
        };
        let between = (Part::Train, Part::Validation);
        assert_eq!((leak.kind, leak.between), (LeakKind::SameGround, between));
        assert_eq!((leak.pairs, leak.samples), (1, 1));
        let words = "1 validation block of the image shows ground that its training part shows too";
        assert!(leak.sentence.starts_with(words), "{}", leak.sentence);
        let [example] = &leak.examples[..] else {
            panic!("{leak:?}");
        };
        let place = |words: &str| -> (i64, i64) {
            let words = words.strip_prefix("ortho.png around ").expect("a place");
            let (x, y) = words.split_once(", ").expect("two numbers");
            (x.parse().expect("a column"), y.parse().expect("a row"))
        };
        let (first, second) = (place(&example.first), place(&example.second));
        assert!(
            COPY.contains(second.0 as u32, second.1 as u32),
            "{second:?}"
        );
        let shift = (second.0 - first.0, second.1 - first.1);
        assert!((shift.0 - 540).abs() <= 1 && (shift.1 + 472).abs() <= 1);
        assert!(!example.detail.contains("turned"), "{}", example.detail);
    }

    #[test]
    fn a_mirrored_copy_is_told_and_ground_that_nobody_learns_from_is_not() {
        let mirrored = |x: u32, y: u32| {
            if COPY.contains(x, y) {
                ground(355 - (x - COPY.x), y - COPY.y + 600)
            } else {
                ground(x, y)
            }
        };
        let found = leaks(mirrored, &[]);
        let details = found.iter().flat_map(|leak| &leak.examples);
        let turned = details.filter(|example| example.detail.ends_with("turned or flipped"));
        assert_eq!((found.len(), turned.count()), (1, 1), "{found:?}");
        let source = PixelRect::new(100, 600, 256, 256);
        assert_eq!(leaks(copied, &[source]), []);
    }

    #[test]
    fn other_ground_and_patterns_raise_no_alarm() {
        assert_eq!(leaks(ground, &[]), []);
        assert_eq!(leaks(|x, y| ground(x % 70, y % 70), &[]), []);
        // The dashes of a road that goes down to the right.
        let road = |x: u32, y: u32| match (x.abs_diff(y), (x + y) % 80) {
            (0..6, 0..40) => 250,
            (0..20, _) => 90,
            _ => ground(x, y),
        };
        assert_eq!(leaks(road, &[]), []);
    }

    #[test]
    fn of_a_large_image_a_sample_is_read_and_it_can_be_stopped() {
        let none = found(copied, &[], 1, &Watch::NOBODY).expect("a report");
        assert_eq!(none.leaks, []);
        assert!(none.notes[0].contains("0 of its 1 pieces"), "{none:?}");
        let stop = Watch {
            is_cancelled: &|| true,
            ..Watch::NOBODY
        };
        let stopped = found(copied, &[], u64::MAX, &stop);
        assert!(matches!(stopped, Err(DatasetError::Stopped)));
        let blocks = LeakBlocks {
            name: "",
            validation: &[PixelRect::new(1_500, 0, 64, 64)],
            test: &[],
            unused: &[],
        };
        let all = PixelRect::new(0, 0, 4_096, 1_024).pieces(ImageSize::new(PIECE, PIECE));
        let chosen = affordable(all.clone(), &blocks, 2 << 20);
        assert_eq!((chosen.len(), chosen[0].x), (2, 1_024));
        assert_eq!(affordable(all.clone(), &blocks, 4 << 20), all);
    }
}
