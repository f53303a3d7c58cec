//! Whole looks at made data sets, each with one thing that is wrong, or nothing.

use std::path::Path;

use jpeg_encoder::{ColorType, Encoder};
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::*;
use crate::dataset::discover::test_folders::{Kind, png, write};
use crate::dataset::{Corrections, Discovery, discover, discover_corrected};
use crate::disk::replace_with;
use crate::raster::MadeBands;

pub(super) const SIDE: u32 = 128;

/// Slanted fields of these colors, other ones for each seed, `N` bytes a pixel.
pub(super) fn fields<const N: usize>(colors: &[[u8; N]], seed: u32) -> Vec<u8> {
    let field = |x: u32, y: u32| ((x + y / 3) / 22 + (y + x / 4) / 18) as usize;
    let places = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x + seed * 17, y)));
    places
        .flat_map(|(x, y)| colors[field(x, y) % colors.len()])
        .collect()
}

/// Greys or colors as a JPEG file.
pub(super) fn jpeg(pixels: &[u8], colors: ColorType, quality: u8) -> Vec<u8> {
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, quality)
        .encode(pixels, SIDE as u16, SIDE as u16, colors)
        .expect("a JPEG");
    jpeg
}

/// What JPEG leaves of greys or colors.
fn packed(pixels: &[u8], kind: Kind, quality: u8) -> Vec<u8> {
    let (colors, space) = match kind {
        Kind::Rgb => (ColorType::Rgb, ColorSpace::RGB),
        Kind::Grey | Kind::Wide => (ColorType::Luma, ColorSpace::Luma),
    };
    let file = std::io::Cursor::new(jpeg(pixels, colors, quality));
    let options = DecoderOptions::default().jpeg_set_out_colorspace(space);
    JpegDecoder::new_with_options(file, options)
        .decode()
        .expect("pixels")
}

/// Four pictures of noise, which nothing is wrong with, each with the mask that `mask` makes.
pub(super) fn set(kind: Kind, mask: impl Fn(u32) -> Vec<u8>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for seed in 0..4 {
        let noise = |at: u32| (at.wrapping_mul(2_654_435_761 + 2 * seed) >> 21) as u8;
        let pixels: Vec<u8> = (0..SIDE * SIDE * 3).map(noise).collect();
        let name = |folder: &str| format!("{folder}/{seed}.png");
        png(folder.path(), &name("images"), Kind::Rgb, SIDE, &pixels);
        png(folder.path(), &name("masks"), kind, SIDE, &mask(seed));
    }
    folder
}

pub(super) fn look(discovery: &Discovery) -> Inspection {
    let options = InspectOptions {
        max_samples: None,
        cancel: || false,
        progress: |_, _| {},
    };
    inspect(discovery, &options)
}

pub(super) fn found(folder: &Path, kind: ProblemKind) -> Option<Problem> {
    let mut problems = look(&discover(folder).expect("pairs")).problems.into_iter();
    problems.find(|problem| problem.kind == kind)
}

#[track_caller]
fn check_blurred(folder: &Path, words: &[&str]) {
    let problem = found(folder, ProblemKind::BlurredMasks).expect("a problem");
    assert_eq!((problem.count, problem.severity), (4, Severity::Warning));
    for words in words {
        assert!(problem.sentence.contains(words), "{}", problem.sentence);
    }
}

#[test]
fn colors_after_jpeg_are_told() {
    let colors = [[128, 0, 0], [0, 128, 64], [64, 0, 128]];
    let folder = set(Kind::Rgb, |seed| {
        packed(&fields(&colors, seed), Kind::Rgb, 92)
    });
    let list = b"name,r,g,b\na,128,0,0\nb,0,128,64\nc,64,0,128\n";
    write(folder.path(), "class_dict.csv", list);
    check_blurred(folder.path(), &["4 masks look as after lossy compression"]);
    let clean = set(Kind::Rgb, |seed| fields(&colors, seed));
    write(clean.path(), "class_dict.csv", list);
    assert_eq!(found(clean.path(), ProblemKind::BlurredMasks), None);
}

#[test]
fn indices_after_jpeg_are_told_with_those_that_look_real() {
    let values = [[0], [1], [4], [7]];
    for quality in [75, 90] {
        let folder = set(Kind::Grey, |seed| {
            packed(&fields(&values, seed), Kind::Grey, quality)
        });
        let words = [
            "4 masks look as after lossy compression",
            "those that look real are 0, 1, 4, 7;",
            "convert the masks from the originals again",
        ];
        check_blurred(folder.path(), &words);
    }
}

#[test]
fn greys_about_black_and_white_after_jpeg_are_told() {
    let folder = set(Kind::Grey, |seed| {
        packed(&fields(&[[0], [255]], seed), Kind::Grey, 75)
    });
    check_blurred(folder.path(), &["0 and 255 look real"]);
}

#[test]
fn the_highest_qualities_of_jpeg_are_told() {
    for values in [&[[0], [1], [2], [3]][..], &[[0], [255]]] {
        let clean = set(Kind::Grey, |seed| fields(values, seed));
        assert_eq!(found(clean.path(), ProblemKind::BlurredMasks), None);
        for quality in [98, 99, 100] {
            let folder = set(Kind::Grey, |seed| {
                packed(&fields(values, seed), Kind::Grey, quality)
            });
            check_blurred(
                folder.path(),
                &["convert the masks from the originals again"],
            );
        }
    }
}

#[test]
fn masks_in_jpeg_files_are_told_even_where_nothing_was_lost() {
    // Black and white meet where blocks do.
    let halves = |at: u32| u8::from(at % SIDE >= SIDE / 2) * 255;
    let pixels: Vec<u8> = (0..SIDE * SIDE).map(halves).collect();
    let folder = set(Kind::Grey, |_| pixels.clone());
    assert_eq!(found(folder.path(), ProblemKind::BlurredMasks), None);
    for seed in 0..4 {
        // Formats are told by content.
        let name = format!("masks/{seed}.png");
        write(folder.path(), &name, &jpeg(&pixels, ColorType::Luma, 100));
    }
    check_blurred(folder.path(), &["4 masks are stored as JPEG"]);
}

#[test]
fn rare_classes_thin_lines_and_smooth_borders_are_not_blurred() {
    // Rare classes are blobs of some pixels; a road is a line of one pixel.
    let blobs = [(40, 60, 4, 6, 9), (90, 20, 3, 4, 2), (60, 60, 2, 4, 3)];
    let lines = [(5, 30), (6, 70), (8, 110)];
    let folder = set(Kind::Grey, |seed| {
        let mut mask = fields(&[[0], [1], [4], [7]], seed);
        for (top, left, rows, cols, value) in blobs {
            for y in top..top + rows {
                for x in left..left + cols {
                    mask[(y * SIDE + x) as usize] = value;
                }
            }
        }
        mask
    });
    assert_eq!(found(folder.path(), ProblemKind::BlurredMasks), None);
    let roads = set(Kind::Grey, |_| {
        let mut mask = vec![0; (SIDE * SIDE) as usize];
        for (value, row) in lines {
            for x in 0..SIDE {
                mask[((row + x / 5 - 10) * SIDE + x) as usize] = value;
            }
        }
        mask
    });
    assert_eq!(found(roads.path(), ProblemKind::BlurredMasks), None);
    let smooth = set(Kind::Grey, |seed| {
        let row = |x: u32| [0, 0, 0, 90, 200, 255, 255, 255, 130, 60][(x / 4 % 10) as usize];
        (0..SIDE * SIDE)
            .map(|at| row((at % SIDE + seed) * 4))
            .collect()
    });
    assert_eq!(found(smooth.path(), ProblemKind::BlurredMasks), None);
}

#[test]
fn values_of_a_stated_list_are_real_but_borders_tell() {
    let values = [[0], [1], [4], [7]];
    let folder = set(Kind::Grey, |seed| {
        packed(&fields(&values, seed), Kind::Grey, 90)
    });
    let rows = (0..40).map(|value| format!("c{value},{value},0,0"));
    let all: Vec<String> = ["name,r,g,b".to_owned()].into_iter().chain(rows).collect();
    let list = write(folder.path(), "all.csv", all.join("\n").as_bytes());
    let corrections = Corrections {
        classes: Some(list),
        ..Corrections::default()
    };
    let discovery = discover_corrected(folder.path(), &corrections).expect("pairs");
    let problems = look(&discovery).problems;
    let mut blurred = problems
        .iter()
        .filter(|problem| problem.kind == ProblemKind::BlurredMasks);
    let sentence = &blurred.next().expect("a problem").sentence;
    assert!(
        sentence.starts_with("4 masks look as if resized"),
        "{sentence}"
    );
}

/// What interpolation makes of `SIDE` × `SIDE` indices that are stretched to twice the size.
fn stretched(values: &[u8]) -> Vec<u8> {
    let at = |x: u32, y: u32| f64::from(values[(y * SIDE + x) as usize]);
    // Pixel centers of the large grid in the small one.
    let along = |place: u32| f64::midpoint(f64::from(place), 0.5) - 0.5 + f64::from(SIDE) / 4.0;
    let value = |x: u32, y: u32| {
        let ([x, y], [left, top]) = ([along(x), along(y)], [along(x) as u32, along(y) as u32]);
        let (right, down) = (x - f64::from(left), y - f64::from(top));
        let row = |y| at(left, y) * (1.0 - right) + at(left + 1, y) * right;
        (row(top) * (1.0 - down) + row(top + 1) * down).round() as u8
    };
    (0..SIDE * SIDE)
        .map(|at| value(at % SIDE, at / SIDE))
        .collect()
}

#[test]
fn indices_that_follow_each_other_are_told_by_their_borders() {
    for values in [[[0], [1], [2], [3]], [[0], [2], [1], [3]]] {
        let clean = set(Kind::Grey, |seed| fields(&values, seed));
        assert_eq!(found(clean.path(), ProblemKind::BlurredMasks), None);
        let words = [
            "4 masks look as if resized with interpolation or JPEG-compressed",
            "of the borders between classes that do not follow each other",
        ];
        for quality in [75, 95] {
            let folder = set(Kind::Grey, |seed| {
                packed(&fields(&values, seed), Kind::Grey, quality)
            });
            check_blurred(folder.path(), &words);
        }
        let folder = set(Kind::Grey, |seed| stretched(&fields(&values, seed)));
        check_blurred(folder.path(), &words);
    }
}

#[test]
fn absent_classes_are_named() {
    let folder = set(Kind::Rgb, |seed| fields(&[[128, 0, 0], [0, 128, 64]], seed));
    let list = b"name,r,g,b\nfield,128,0,0\nwood,0,128,64\npond,64,0,128\n";
    write(folder.path(), "class_dict.csv", list);
    let problem = found(folder.path(), ProblemKind::AbsentClasses).expect("a problem");
    let expected = "1 class is in none of the masks that were looked at: pond";
    assert_eq!((problem.count, problem.sentence.as_str()), (1, expected));
    assert_eq!(problem.severity, Severity::Info);
}

/// Rewrites an image of a set as RGBA with some transparent pixels.
fn make_transparent(path: &Path) {
    let opacity = |at: u32| if at < 50 { 0 } else { 255 };
    let pixels = (0..SIDE * SIDE).flat_map(|at| [at as u8, (at >> 7) as u8, 9, opacity(at)]);
    let pixels: Vec<u8> = pixels.collect();
    replace_with(path, |file| {
        let mut encoder = ::png::Encoder::new(file, SIDE, SIDE);
        encoder.set_color(::png::ColorType::Rgba);
        encoder.write_header()?.write_image_data(&pixels)?;
        Ok(())
    })
    .expect("a picture");
}

#[test]
fn transparent_ground_is_told() {
    let folder = set(Kind::Grey, |seed| fields(&[[0], [1]], seed));
    assert_eq!(found(folder.path(), ProblemKind::Nodata), None);
    make_transparent(&folder.path().join("images/2.png"));
    let inspection = look(&discover(folder.path()).expect("pairs"));
    let of_kind = |kind| {
        let mut problems = inspection.problems.iter();
        problems.find(|problem| problem.kind == kind)
    };
    let problem = of_kind(ProblemKind::Nodata).expect("a problem");
    assert_eq!(
        problem.sentence,
        "1 image is transparent or without data in part"
    );
    assert!(problem.examples[0].ends_with("images/2.png"));
    assert!(inspection.nodata_share > 0.0);
    assert!(of_kind(ProblemKind::Voids).is_none());
}

/// Rewrites an image of a set with its first 40 rows of one grey.
fn cut_off(folder: &Path, name: &str, void: u8) {
    let noise = |at: u32| (at.wrapping_mul(2_654_435_761) >> 21) as u8;
    let byte = |at: u32| if at < SIDE * 40 * 3 { void } else { noise(at) };
    let pixels: Vec<u8> = (0..SIDE * SIDE * 3).map(byte).collect();
    let name = format!("images/{name}.png");
    png(folder, &name, Kind::Rgb, SIDE, &pixels);
}

#[test]
fn a_bright_sky_is_no_void() {
    let (sky, building, void) = ([128; 3], [128, 0, 0], [0; 3]);
    let folder = set(Kind::Rgb, |seed| {
        let top = if seed == 3 { void } else { sky };
        let mut mask = fields(&[sky, building], seed);
        let rows = &mut mask[..(SIDE * 40 * 3) as usize];
        rows.as_chunks_mut::<3>().0.fill(top);
        mask
    });
    let list = b"name,r,g,b\nSky,128,128,128\nBuilding,128,0,0\nVoid,0,0,0\n";
    write(folder.path(), "class_dict.csv", list);
    cut_off(folder.path(), "1", 255);
    assert_eq!(found(folder.path(), ProblemKind::Voids), None);
    cut_off(folder.path(), "3", 255);
    let problem = found(folder.path(), ProblemKind::Voids).expect("a problem");
    assert_eq!(problem.count, 1);
    assert!(problem.examples[0].ends_with("images/3.png"));
    let corrections = Corrections {
        voids_are_nodata: true,
        ..Corrections::default()
    };
    let discovery = discover_corrected(folder.path(), &corrections).expect("pairs");
    let (mask, _) = discovery.samples[1].load_mask(&discovery).expect("a mask");
    assert_eq!((mask.histogram()[255], mask.get(5, 5)), (0, 0));
}

#[test]
fn voids_are_told_and_their_labels_can_be_left_out() {
    let folder = set(Kind::Grey, |seed| fields(&[[0], [255]], seed));
    assert_eq!(found(folder.path(), ProblemKind::Voids), None);
    cut_off(folder.path(), "1", 255);
    cut_off(folder.path(), "3", 0);
    let problem = found(folder.path(), ProblemKind::Voids).expect("a problem");
    assert_eq!((problem.count, problem.severity), (2, Severity::Warning));
    // Two rows of whole blocks, 32 of 128 rows in two of four images.
    assert!(
        problem.sentence.contains("12.50 % of all pixels"),
        "{}",
        problem.sentence
    );
    let corrections = Corrections {
        voids_are_nodata: true,
        ..Corrections::default()
    };
    let discovery = discover_corrected(folder.path(), &corrections).expect("pairs");
    let (mask, _) = discovery.samples[1].load_mask(&discovery).expect("a mask");
    assert_eq!(mask.histogram()[255], u64::from(SIDE * 32));
    assert_eq!((mask.get(5, 31), mask.get(5, 32) < 2), (255, true));
    let (whole, _) = discovery.samples[0].load_mask(&discovery).expect("a mask");
    assert_eq!(whole.histogram()[255], 0);
    let inspection = look(&discovery);
    assert_eq!(inspection.unlabeled_pixels, u64::from(2 * SIDE * 32));
    assert!(
        inspection
            .problems
            .iter()
            .all(|problem| problem.kind != ProblemKind::Voids)
    );
}

/// A data set of one image with a mask.
fn banded(made: &MadeBands, value: impl Fn(u32, u32, u16) -> f64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "images/a.tif", &made.file(value));
    let mask = [0, 1].repeat((made.width * made.height / 2) as usize);
    png(folder.path(), "masks/a.png", Kind::Grey, made.width, &mask);
    folder
}

#[track_caller]
fn check_channels(folder: &Path, expected: &[(&str, f64, f64)]) {
    let inspection = look(&discover(folder).expect("pairs"));
    let json = serde_json::to_value(&inspection).expect("JSON");
    let channels = json["channels"].as_array().expect("a list");
    assert_eq!(channels.len(), expected.len(), "{channels:?}");
    for (found, &(name, mean, deviation)) in channels.iter().zip(expected) {
        assert_eq!(
            (&found["name"], &found["images"]),
            (&name.into(), &1.into())
        );
        for (what, expected) in [("mean", mean), ("deviation", deviation)] {
            let number = found[what].as_f64().expect("a number");
            assert!((number - expected).abs() < 1e-9, "{what} of {found}");
        }
    }
    let text = inspection.to_text();
    let last = expected.last().expect("a channel").0;
    assert!(text.lines().any(|line| line.starts_with(last)), "{text}");
}

#[test]
fn every_band_has_a_mean_and_a_deviation() {
    // Columns take turns in the last band; the others are even.
    let value = |x: u32, even: f64, band: u16| match (band, x % 2) {
        (3, 1) => 4.0 * even,
        (3, _) => 0.0,
        _ => even,
    };
    let bytes = MadeBands::new(8, 6, 4, 8);
    let folder = banded(&bytes, |x, _, band| value(x, 51.0, band));
    let even = |name| (name, 0.2, 0.0);
    let shown = [even("red"), even("green"), even("blue")];
    let last = ("band 4", 0.4, 0.4);
    check_channels(folder.path(), &[&shown[..], &[last]].concat());
    let wide = MadeBands::new(8, 6, 4, 16);
    let folder = banded(&wide, |x, _, band| value(x, 1_000.0, band));
    let names = ["band 1 (uint16)", "band 2 (uint16)", "band 3 (uint16)"];
    let even = names.map(|name| (name, 1_000.0, 0.0));
    let last = ("band 4 (uint16)", 2_000.0, 2_000.0);
    check_channels(folder.path(), &[&even[..], &[last]].concat());
    // Opacity is no channel, and grey is one.
    let alpha = MadeBands {
        extra: vec![2],
        ..MadeBands::new(8, 6, 4, 8)
    };
    let folder = banded(&alpha, |_, _, band| if band == 3 { 255.0 } else { 51.0 });
    check_channels(folder.path(), &shown);
    let grey = MadeBands::new(8, 6, 1, 8);
    let folder = banded(&grey, |x, _, _| f64::from(x % 2) * 255.0);
    check_channels(folder.path(), &[("grey", 0.5, 0.5)]);
}
