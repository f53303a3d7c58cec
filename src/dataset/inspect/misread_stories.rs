//! Made data sets with labels that are read as something else than they are.

use std::path::Path;

use jpeg_encoder::ColorType;

use super::stories::{SIDE, fields, found, jpeg, look, set};
use super::{Problem, ProblemKind, Severity};
use crate::dataset::discover::test_folders::{Kind, image, png, write};
use crate::dataset::{Corrections, OffPalette, discover, discover_corrected};
use crate::raster::MadeBands;

#[track_caller]
fn check(folder: &Path, kind: ProblemKind, (count, severity): (usize, Severity), words: &[&str]) {
    let problem = found(folder, kind).expect("a problem");
    assert_eq!((problem.count, problem.severity), (count, severity));
    assert_eq!(problem.examples.len(), count);
    for words in words {
        assert!(problem.sentence.contains(words), "{}", problem.sentence);
    }
}

/// The problem of a kind where something is stated.
fn found_with(folder: &Path, said: &Corrections, kind: ProblemKind) -> Option<Problem> {
    let discovery = discover_corrected(folder, said).expect("pairs");
    let mut problems = look(&discovery).problems.into_iter();
    problems.find(|problem| problem.kind == kind)
}

#[test]
fn colors_that_are_taken_for_a_class_are_told() {
    let colors = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];
    let list = b"name,r,g,b\nroof,255,0,0\ntree,0,255,0\nroad,0,0,255\n";
    let clean = set(Kind::Rgb, |seed| fields(&colors, seed));
    write(clean.path(), "class_dict.csv", list);
    assert_eq!(found(clean.path(), ProblemKind::GuessedColors), None);
    let folder = set(Kind::Rgb, |seed| {
        let mut mask = fields(&colors, seed);
        mask[..24].copy_from_slice(&[9, 99, 199].repeat(8));
        mask
    });
    write(folder.path(), "class_dict.csv", list);
    let words = [
        "4 masks hold 32 pixels, 0.05 % of all, of colors that are no class's",
        "color 9, 99, 199 as “road”;",
    ];
    let kind = ProblemKind::GuessedColors;
    check(folder.path(), kind, (4, Severity::Error), &words);
    let unlabeled = Corrections {
        off_palette: Some(OffPalette::Unlabeled),
        ..Corrections::default()
    };
    assert_eq!(found_with(folder.path(), &unlabeled, kind), None);
    let unknown = found_with(folder.path(), &unlabeled, ProblemKind::UnknownValues);
    assert_eq!(unknown.expect("a problem").count, 4);
}

#[test]
fn indices_among_black_and_white_are_told() {
    let folder = set(Kind::Grey, |seed| match seed {
        2 => fields(&[[0], [1]], seed),
        _ => fields(&[[0], [255]], seed),
    });
    let kind = ProblemKind::FaintMasks;
    let words = [
        "1 mask holds numbers up to 1 and nothing bright",
        "probably class indices",
    ];
    check(folder.path(), kind, (1, Severity::Error), &words);
    assert_eq!(found(folder.path(), ProblemKind::EmptyMasks), None);
    let clean = set(Kind::Grey, |seed| match seed {
        2 => vec![0; (SIDE * SIDE) as usize],
        _ => fields(&[[0], [40], [200], [255]], seed),
    });
    assert_eq!(found(clean.path(), kind), None);
    let empty = found(clean.path(), ProblemKind::EmptyMasks);
    assert_eq!(empty.expect("a problem").count, 1);
}

#[test]
fn indices_that_come_too_late_to_be_tried_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    for at in 0..60_u8 {
        let name = |folder: &str| format!("{folder}/t{at:02}.png");
        image(folder.path(), &name("images"), 2, at * 3);
        let pixels = match at {
            31 => [0, 1, 2, 3],
            _ => [0, 255, 255, 0],
        };
        png(folder.path(), &name("masks"), Kind::Grey, 2, &pixels);
    }
    let words = [
        "1 mask holds numbers up to 3",
        "also 3 pixels, 1.25 % of all",
    ];
    let kind = ProblemKind::FaintMasks;
    check(folder.path(), kind, (1, Severity::Error), &words);
}

#[test]
fn colors_that_jpeg_made_are_told_as_such() {
    let colors = [[200, 0, 0], [0, 180, 40], [20, 0, 200]];
    let folder = set(Kind::Rgb, |_| vec![0; (SIDE * SIDE * 3) as usize]);
    let halves =
        |at: u32| colors[usize::from(at % SIDE >= SIDE / 2) + usize::from(at.is_multiple_of(8))];
    let pixels: Vec<u8> = (0..SIDE * SIDE).flat_map(halves).collect();
    for seed in 0..4 {
        // Formats are told by content.
        let name = format!("masks/{seed}.png");
        write(folder.path(), &name, &jpeg(&pixels, ColorType::Rgb, 95));
    }
    let discovery = discover(folder.path()).expect("pairs");
    assert!(discovery.are_classes_made);
    let words = [
        "4 masks are stored as JPEG, which makes new colors where classes meet",
        "--off-palette nearest",
    ];
    let kind = ProblemKind::BlurredMasks;
    check(folder.path(), kind, (4, Severity::Warning), &words);
}

/// Three pairs whose masks declare `nodata`; their numbers are 0 to 2 and 9.
fn declaring(nodata: &'static str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for seed in 0..3_u32 {
        let name = format!("images/{seed}.png");
        image(folder.path(), &name, 8, 40 * seed as u8);
        let made = MadeBands {
            nodata,
            ..MadeBands::new(8, 2, 1, 8)
        };
        let number = |x: u32| [0, 0, 1, 2, 9, 9, 9, (seed % 2) as u8][x as usize];
        let file = made.file(|x, _, _| f64::from(number(x)));
        write(folder.path(), &format!("masks/{seed}.tif"), &file);
    }
    folder
}

#[test]
fn what_masks_declare_as_nodata_is_unlabeled() {
    let folder = declaring("9");
    let inspection = look(&discover(folder.path()).expect("pairs"));
    let classes: Vec<u8> = inspection.classes.iter().map(|class| class.index).collect();
    assert_eq!(classes, [0, 1, 2]);
    assert_eq!(inspection.unlabeled_pixels, 3 * 3 * 2);
    assert_eq!(found(folder.path(), ProblemKind::DeclaredZeros), None);
}

#[test]
fn a_class_that_masks_declare_as_nodata_is_told() {
    let folder = declaring("0");
    let kind = ProblemKind::DeclaredZeros;
    // 16 of 48 pixels: 3, 2 and 3 columns of two rows.
    let words = [
        "3 masks declare 0 as nodata, which counts as “class 0” all the same, 33.33 % of all pixels",
        "--ignore-classes 0",
    ];
    check(folder.path(), kind, (3, Severity::Warning), &words);
    let unlabeled = Corrections {
        ignored: Some(vec![0]),
        ..Corrections::default()
    };
    assert_eq!(found_with(folder.path(), &unlabeled, kind), None);
}
