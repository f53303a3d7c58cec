//! Twins of layouts whose folders and files have names of other usages.

use std::path::Path;

use super::test_folders::write;
use super::twins::{TEST, TRAIN, Twin, VALIDATION, grey, picture, rgb};
use super::{Corrections, LayoutKind, discover, discover_corrected};
use crate::label::{Encoding, UNLABELED};

#[test]
fn camvid_as_its_publisher_has_it() {
    let found = Twin {
        kind: LayoutKind::CamVidSuite,
        form: Encoding::Rgb,
        samples: &[
            (None, Some([0, 1, 1, UNLABELED])),
            (None, Some([1, 1, 0, 0])),
        ],
    }
    .check(|folder| {
        let (sky, car, void) = ([128; 3], [64, 0, 128], [0; 3]);
        let list = b"128 128 128\tSky\n64 0 128\t\tCar\n0 0 0\t\tVoid\n";
        write(folder, "label_colors.txt", list);
        for (name, mask) in [
            ("0001TP_006690", [sky, car, car, void]),
            ("0016E5_07959", [car, car, sky, sky]),
        ] {
            picture(folder, &format!("701_StillsRaw_full/{name}.png"));
            rgb(folder, &format!("LabeledApproved_full/{name}_L.png"), mask);
        }
    });
    assert!(
        found.layout.why.contains("label_colors.txt"),
        "{}",
        found.layout
    );
    assert_eq!(found.samples[0].group.as_deref(), Some("0001TP"));
    assert!(
        found.lonely_masks.is_empty() && found.notes.is_empty(),
        "{:?}",
        found.notes
    );
}

#[test]
fn folders_of_images_and_masks_by_letters_and_in_german() {
    Twin {
        kind: LayoutKind::PairedFolders,
        form: Encoding::Index,
        samples: &[
            (TRAIN, Some([0, 1, 2, 3])),
            (VALIDATION, Some([3, 3, 0, 1])),
            (TEST, Some([2, 2, 0, 1])),
        ],
    }
    .check(|folder| {
        for (part, name, mask) in [
            ("train", "a", [0, 1, 2, 3]),
            ("val", "b", [3, 3, 0, 1]),
            ("test", "c", [2, 2, 0, 1]),
        ] {
            picture(folder, &format!("x_{part}/{name}.png"));
            grey(folder, &format!("y_{part}/{name}.png"), mask);
        }
    });
    Twin {
        kind: LayoutKind::PairedFolders,
        form: Encoding::Index,
        samples: &[(None, Some([0, 1, 2, 3]))],
    }
    .check(|folder| {
        picture(folder, "Bilder/a.jpg");
        grey(folder, "Masken/a.png", [0, 1, 2, 3]);
    });
}

#[test]
fn names_that_begin_with_what_they_are() {
    let twin = |kind| Twin {
        kind,
        form: Encoding::Index,
        samples: &[(None, Some([0, 1, 2, 3])), (None, Some([3, 3, 0, 1]))],
    };
    let masks = [[0, 1, 2, 3], [3, 3, 0, 1]];
    twin(LayoutKind::PairedFolders).check(|folder| {
        for (at, mask) in masks.into_iter().enumerate() {
            picture(folder, &format!("images/img_{at}.jpg"));
            grey(folder, &format!("masks/mask_{at}.png"), mask);
        }
    });
    let found = twin(LayoutKind::PairedNames).check(|folder| {
        for (at, mask) in masks.into_iter().enumerate() {
            picture(folder, &format!("all/image{at}.jpg"));
            grey(folder, &format!("all/mask{at}.png"), mask);
        }
    });
    let why = &found.layout.why;
    assert!(why.contains("named image* with masks named mask*"), "{why}");
    let found = twin(LayoutKind::PairedNames).check(|folder| {
        for (at, mask) in masks.into_iter().enumerate() {
            picture(folder, &format!("s{at}/image.tif"));
            grey(folder, &format!("s{at}/label.tif"), mask);
        }
    });
    let names: Vec<&str> = found.samples.iter().map(|sample| &*sample.name).collect();
    assert_eq!(names, ["s0", "s1"]);
}

/// The names of the samples and their masks, given how they are named.
fn pairs(folder: &Path, image: &str, mask: &str) -> Vec<(String, String)> {
    let own = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let corrections = Corrections {
        image_suffix: own(image),
        mask_suffix: own(mask),
        ..Corrections::default()
    };
    let found = discover_corrected(folder, &corrections).expect("a data set");
    let pair = |sample: &super::Sample| {
        let mask = sample.mask.as_ref().map(|mask| {
            let within = mask.path().strip_prefix(folder).expect("within");
            within.to_string_lossy().replace('\\', "/")
        });
        (sample.name.clone(), mask.unwrap_or_default())
    };
    found.samples.iter().map(pair).collect()
}

#[test]
fn patterns_say_how_files_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for sample in ["north", "south"] {
        picture(folder, &format!("{sample}/view.tif"));
        picture(folder, &format!("{sample}/heights.tif"));
        grey(folder, &format!("{sample}/truth.tif"), [0, 1, 2, 3]);
    }
    let expected = ["north", "south"].map(|name| (name.to_owned(), format!("{name}/truth.tif")));
    assert_eq!(pairs(folder, "*/view.tif", "*/truth.tif"), expected);
    assert_eq!(pairs(folder, "*/view", "*/truth"), expected);
    assert_eq!(pairs(folder, "view.tif", "truth.tif"), expected);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for sample in 0..2 {
        picture(folder, &format!("a/view_{sample}.png"));
        picture(folder, &format!("a/height_{sample}.png"));
        grey(folder, &format!("b/truth_{sample}.png"), [0, 1, 2, 3]);
    }
    let expected = [0, 1].map(|name| (name.to_string(), format!("b/truth_{name}.png")));
    assert_eq!(pairs(folder, "view_*", "truth_*.png"), expected);
    assert_eq!(pairs(folder, "a/view_*", "b/truth_*"), expected);
}

#[test]
fn pictures_of_kinds_that_are_not_read_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for name in ["masks/a.gif", "masks/b.GIF"] {
        write(folder, name, b"GIF89a");
    }
    write(folder, "images/b.bmp", b"BM");
    let error = discover(folder).expect_err("no image").to_string();
    let words = "3 files of a kind that is not read (.bmp, .gif)";
    assert!(error.contains(words), "{error}");
    picture(folder, "images/a.png");
    let found = discover(folder).expect("an image");
    assert_eq!(found.layout.kind, LayoutKind::ImagesOnly);
    let is_told = |note: &String| note.starts_with(words);
    assert!(found.notes.iter().any(is_told), "{:?}", found.notes);
}

#[test]
fn it_is_said_what_a_known_data_set_was_recognized_by() {
    let folder = tempfile::tempdir().expect("a folder");
    let found = |name: &str| {
        let folder = folder.path().join(name);
        picture(&folder, "images/a.tif");
        grey(&folder, "masks/a.tif", [0, 1, 3, 4]);
        discover(&folder).expect("a data set")
    };
    let known = found("my_landcover");
    assert_eq!(known.layout.kind, LayoutKind::LandCoverAi);
    let why = &known.layout.why;
    let words = "recognized by “landcover” in the name of a folder and masks of classes up to 4";
    assert!(why.ends_with(words), "{why}");
    let plain = found("mine");
    assert_eq!(plain.layout.kind, LayoutKind::PairedFolders);
    assert!(!plain.layout.why.contains("recognized"), "{}", plain.layout);
    let is_hint = |note: &String| note.contains("if this is LandCover.ai");
    assert!(plain.notes.iter().any(is_hint), "{:?}", plain.notes);
    assert!(!known.notes.iter().any(is_hint), "{:?}", known.notes);
}

#[test]
fn lists_in_folders_of_their_own_and_tables_make_parts() {
    let masks = [[0, 1, 2, 3], [3, 3, 0, 1]];
    let twin = Twin {
        kind: LayoutKind::PairedFolders,
        form: Encoding::Index,
        samples: &[
            (TRAIN, Some([0, 1, 2, 3])),
            (VALIDATION, Some([3, 3, 0, 1])),
        ],
    };
    let pictures = |folder: &Path| {
        for (name, mask) in ["a_1", "b_2"].into_iter().zip(masks) {
            picture(folder, &format!("JPEGImages/{name}.jpg"));
            grey(folder, &format!("SegmentationClass/{name}.png"), mask);
        }
    };
    twin.check(|folder| {
        pictures(folder);
        write(folder, "ImageSets/Segmentation/train.txt", b"a_1\n");
        write(folder, "ImageSets/Segmentation/val.txt", b"b_2\n");
        write(folder, "ImageSets/Segmentation/trainval.txt", b"a_1\nb_2\n");
    });
    twin.check(|folder| {
        pictures(folder);
        let table = b"image,mask,split\nx/a_1.jpg,y/a_1.png,train\nx/b_2.jpg,y/b_2.png,val\n";
        write(folder, "split.csv", table);
    });
    let found = twin.check(|folder| {
        pictures(folder);
        write(folder, "train.txt", b"\xff\xfea\0_\x001\0\n\0");
        write(folder, "validation.txt", b"b_2\n");
        write(folder, "fold1.txt", b"a_1\nb_2\n");
    });
    let is_told = |note: &String| note.starts_with("fold1.txt names images but is not used");
    assert!(found.notes.iter().any(is_told), "{:?}", found.notes);
    assert_eq!(found.notes.len(), 1, "{:?}", found.notes);
}

#[test]
fn lists_of_names_and_of_cvat_name_classes() {
    let found = |list: &str, text: &[u8], is_colored: bool| {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        picture(folder, "images/a.png");
        if is_colored {
            let [roof, tree] = [[255, 0, 0], [0, 200, 0]];
            rgb(folder, "masks/a.png", [roof, tree, tree, roof]);
        } else {
            grey(folder, "masks/a.png", [0, 1, 2, 0]);
        }
        write(folder, list, text);
        discover(folder).expect("a data set")
    };
    let names = b"roof\ntree\nroad\n";
    let plain = found("classes.txt", names, false);
    let classes = plain.classes.as_ref().expect("classes");
    assert_eq!(classes.name_of(2), "road");
    assert!(!plain.are_classes_made);
    let colored = found("classes.txt", names, true);
    assert!(colored.are_classes_made);
    let is_told = |note: &String| note.starts_with("classes.txt is not used");
    assert!(colored.notes.iter().any(is_told), "{:?}", colored.notes);
    let map = b"# label:color_rgb:parts:actions\nroof:255,0,0::\ntree:0,200,0::\n";
    let mapped = found("labelmap.txt", map, true);
    assert_eq!(mapped.encoding.form, Encoding::Rgb);
    let classes = mapped.classes.as_ref().expect("classes");
    assert_eq!(classes.name_of(1), "tree");
}

#[test]
fn names_beside_black_and_white_masks_are_not_used() {
    let found = |list: &str, text: &[u8], pixels| {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        picture(folder, "images/a.png");
        grey(folder, "masks/a.png", pixels);
        write(folder, list, text);
        discover(folder).expect("a data set")
    };
    let names = b"roof\ntree\nroad\n";
    let black_and_white = [0, 255, 255, 0];
    for text in [&names[..], b"a_1.png\na_2.png\na_3.png\n"] {
        let found = found("labels.txt", text, black_and_white);
        assert_eq!(found.encoding.form, Encoding::Binary);
        assert!(found.are_classes_made);
        let is_told = |note: &String| note.contains("labels.txt");
        assert!(found.notes.iter().any(is_told), "{:?}", found.notes);
    }
    // 255 is unlabeled.
    let indices = found("labels.txt", names, [0, 255, 2, 0]);
    assert_eq!(indices.encoding.form, Encoding::Index);
    assert!(!indices.are_classes_made);
}

#[test]
fn run_lengths_of_images_that_are_missing_are_told_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    picture(folder, "train/images/0a.png");
    write(folder, "train.csv", b"id,rle_mask\n0a,3 2\n1b,1 1\n2c,\n");
    let found = discover(folder).expect("a data set");
    let words = "2 of 3 images in train.csv are not here; the first is 1b";
    assert!(
        found.notes.iter().any(|note| note == words),
        "{:?}",
        found.notes
    );
    let place = found.samples[0].mask_place().expect("a mask");
    assert!(
        place.to_string_lossy().ends_with("train.csv: 0a"),
        "{place:?}"
    );
}
