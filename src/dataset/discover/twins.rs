//! A tiny twin of each layout and encoding, written by the test.

use std::path::Path;

use super::test_folders::{Kind, image, png, write};
use super::{Discovery, LayoutKind, MaskSource, discover};
use crate::exchange::Part;
use crate::label::{Encoding, UNLABELED};

pub(super) const TRAIN: Option<Part> = Some(Part::Train);
pub(super) const VALIDATION: Option<Part> = Some(Part::Validation);
pub(super) const TEST: Option<Part> = Some(Part::Test);

/// Writes a data set, and what must be recognized.
pub(super) struct Twin {
    pub(super) kind: LayoutKind,
    pub(super) form: Encoding,
    /// Part and mask of each sample in order: the classes of 2 × 2 pixels, if there is a mask.
    pub(super) samples: &'static [(Option<Part>, Option<[u8; 4]>)],
}

impl Twin {
    #[track_caller]
    pub(super) fn check(&self, fill: impl Fn(&Path)) -> Discovery {
        let folder = tempfile::tempdir().expect("a folder");
        fill(folder.path());
        let found = discover(folder.path()).expect("a data set");
        assert_eq!(
            found.layout.kind, self.kind,
            "{} {:?}",
            found.layout, found.notes
        );
        assert_eq!(found.encoding.form, self.form, "{:?}", found.encoding);
        let samples: Vec<_> = found
            .samples
            .iter()
            .map(|sample| {
                let mask = sample.mask.as_ref().map(|_| {
                    let (mask, _) = sample.load_mask(&found).expect("a mask");
                    let pixels = mask.read_rect(mask.size().bounds());
                    <[u8; 4]>::try_from(pixels).expect("2 × 2 pixels")
                });
                (sample.part, mask)
            })
            .collect();
        assert_eq!(samples, self.samples, "{}", found.layout);
        found
    }
}

/// An image of 2 × 2 pixels.
pub(super) fn picture(folder: &Path, name: &str) {
    image(folder, name, 2, name.len() as u8);
}

pub(super) fn grey(folder: &Path, name: &str, pixels: [u8; 4]) {
    png(folder, name, Kind::Grey, 2, &pixels);
}

pub(super) fn rgb(folder: &Path, name: &str, pixels: [[u8; 3]; 4]) {
    png(folder, name, Kind::Rgb, 2, pixels.as_flattened());
}

const BLACK: [u8; 3] = [0; 3];
const WHITE: [u8; 3] = [255; 3];

#[test]
fn land_cover_tiles_pieces_and_patches() {
    Twin {
        kind: LayoutKind::LandCoverAi,
        form: Encoding::Index,
        samples: &[(None, Some([0, 1, 3, 4])), (None, Some([2, 2, 0, 0]))],
    }
    .check(|folder| {
        picture(folder, "images/M-33-20-D-c-4-2.tif");
        picture(folder, "images/N-34-77-A-b-1-4.tif");
        grey(folder, "masks/M-33-20-D-c-4-2.tif", [0, 1, 3, 4]);
        grey(folder, "masks/N-34-77-A-b-1-4.tif", [2, 2, 0, 0]);
    });
    let found = Twin {
        kind: LayoutKind::LandCoverAiSplit,
        form: Encoding::Index,
        samples: &[(TRAIN, Some([0, 1, 2, 4])), (TEST, Some([0; 4]))],
    }
    .check(|folder| {
        for (at, mask) in [(0, [0, 1, 2, 4]), (1, [0; 4])] {
            picture(folder, &format!("output/M-33-20-D-c-4-2_{at}.jpg"));
            grey(folder, &format!("output/M-33-20-D-c-4-2_{at}_m.png"), mask);
        }
        picture(folder, "images/M-33-20-D-c-4-2.tif");
        grey(folder, "masks/M-33-20-D-c-4-2.tif", [0, 1, 3, 4]);
        write(
            folder,
            "train.txt",
            b"M-33-20-D-c-4-2_0\nM-33-20-D-c-4-2_9\n",
        );
        write(folder, "test.txt", b"M-33-20-D-c-4-2_1\n");
    });
    assert_eq!(found.samples[0].group.as_deref(), Some("M-33-20-D-c-4-2"));
    let is_said = |text: &str| found.notes.iter().any(|note| note.contains(text));
    assert!(is_said("1 of 2 lines of train.txt"), "{:?}", found.notes);
    Twin {
        kind: LayoutKind::LandCoverAiPatches,
        form: Encoding::Index,
        samples: &[(None, Some([4, 0, 0, 0])), (None, Some([0, 0, 1, 0]))],
    }
    .check(|folder| {
        picture(folder, "image_patches/M-33-7-A-d-2-3.tifpatch_010.tif");
        picture(folder, "image_patches/M-33-7-A-d-2-3_patch_111.tif");
        grey(
            folder,
            "mask_patches/M-33-7-A-d-2-3.tifpatch_010.tif",
            [4, 0, 0, 0],
        );
        grey(
            folder,
            "mask_patches/M-33-7-A-d-2-3_patch_111.tif",
            [0, 0, 1, 0],
        );
    });
}

#[test]
fn road_tiles_in_three_trees() {
    let road = [BLACK, WHITE, BLACK, BLACK];
    let twin = Twin {
        kind: LayoutKind::SageMakerRoads,
        form: Encoding::Binary,
        samples: &[(TRAIN, Some([0, 1, 0, 0])), (TEST, Some([0, 1, 0, 0]))],
    };
    for [train, test, images, masks] in [
        [
            "sagemaker/seg-data/train",
            "sagemaker/seg-data/test",
            "images",
            "masks",
        ],
        ["Data/Train data", "Data/Test data", "Images", "Masks"],
    ] {
        let found = twin.check(|folder| {
            for (part, name) in [(train, "100034_0_1"), (test, "10246_1_0")] {
                picture(folder, &format!("{part}/{images}/{name}.jpg"));
                rgb(folder, &format!("{part}/{masks}/{name}.png"), road);
            }
        });
        assert_eq!(found.samples[0].group.as_deref(), Some("100034"));
    }
    twin.check(|folder| {
        for (part, name) in [("Train", "100034_0_1"), ("Test", "10246_1_0")] {
            picture(
                folder,
                &format!("Data/{part} data/{part} Images/{name}.jpg"),
            );
            rgb(
                folder,
                &format!("Data/{part} data/{part} Masks/{name}.png"),
                road,
            );
        }
    });
    Twin {
        kind: LayoutKind::SageMakerRoads,
        form: Encoding::Binary,
        samples: &[(None, Some([0, 1, 0, 0]))],
    }
    .check(|folder| {
        picture(folder, "data-raw/images/100034.jpg");
        rgb(folder, "data-raw/masks/100034.png", road);
    });
}

#[test]
fn deepglobe_colors_are_cut_at_128() {
    let list = b"name,r,g,b\nurban_land,0,255, 255\nagriculture_land,255,255,0\nwater,0,0,255\n\
        unknown,0,0,0\n";
    let found = Twin {
        kind: LayoutKind::DeepGlobeLandCover,
        form: Encoding::Rgb,
        samples: &[(TRAIN, Some([0, 1, 2, UNLABELED])), (VALIDATION, None)],
    }
    .check(|folder| {
        write(folder, "class_dict.csv", list);
        picture(folder, "train/100694_sat.jpg");
        let pixels = [[3, 200, 250], [255, 255, 0], [0, 0, 255], [9, 0, 4]];
        rgb(folder, "train/100694_mask.png", pixels);
        picture(folder, "valid/200_sat.jpg");
    });
    assert_eq!(found.ignored[0].name, "unknown");
    assert!(
        found.layout.why.contains("class_dict.csv"),
        "{}",
        found.layout
    );
    // Without the list, in folders of their own.
    Twin {
        kind: LayoutKind::DeepGlobeLandCover,
        form: Encoding::Rgb,
        samples: &[(TRAIN, Some([0, 1, 4, UNLABELED])), (TEST, None)],
    }
    .check(|folder| {
        picture(folder, "data/training_data/images/100694_sat.jpg");
        let pixels = [[0, 255, 255], [255, 255, 0], [0, 0, 255], BLACK];
        rgb(folder, "data/training_data/masks/100694_mask.png", pixels);
        picture(folder, "data/test_data/images/7_sat.jpg");
    });
    // Roads, with the road as the first class of the list.
    Twin {
        kind: LayoutKind::DeepGlobeRoads,
        form: Encoding::Rgb,
        samples: &[(TRAIN, Some([1, 0, 1, 1]))],
    }
    .check(|folder| {
        write(
            folder,
            "class_dict.csv",
            b"name,r,g,b\nroad,255,255,255\nbackground,0,0,0\n",
        );
        picture(folder, "train/100034_sat.jpg");
        rgb(
            folder,
            "train/100034_mask.png",
            [BLACK, WHITE, BLACK, BLACK],
        );
    });
}

const SKY: [u8; 3] = [128; 3];
const CAR: [u8; 3] = [64, 0, 128];
const LABEL_COLORS: &[u8] = b"128 128 128\tSky\n64 0 128\t\tCar\n0 0 0\t\tVoid\n";

#[test]
fn camvid_in_its_three_forms() {
    Twin {
        kind: LayoutKind::CamVid,
        form: Encoding::Rgb,
        samples: &[
            (TRAIN, Some([0, 1, 1, UNLABELED])),
            (TEST, Some([0, 0, 1, 1])),
        ],
    }
    .check(|folder| {
        write(folder, "label_colors.txt", LABEL_COLORS);
        picture(folder, "train/0016E5_07959.png");
        rgb(folder, "train/0016E5_07959_L.png", [SKY, CAR, CAR, BLACK]);
        picture(folder, "test/0016E5_08139.png");
        rgb(folder, "test/0016E5_08139_L.png", [SKY, SKY, CAR, CAR]);
    });
    Twin {
        kind: LayoutKind::CamVidSuite,
        form: Encoding::Rgb,
        samples: &[(VALIDATION, Some([21, 5, 5, UNLABELED]))],
    }
    .check(|folder| {
        picture(folder, "CamVid/val/0016E5_07959.png");
        rgb(
            folder,
            "CamVid/val_labels/0016E5_07959_L.png",
            [SKY, CAR, CAR, BLACK],
        );
    });
    let found = Twin {
        kind: LayoutKind::CamVidSegNet,
        form: Encoding::Index,
        samples: &[
            (TRAIN, Some([0, 8, 10, UNLABELED])),
            (VALIDATION, Some([3, 3, 0, 1])),
        ],
    }
    .check(|folder| {
        picture(folder, "train/0001TP_006690.png");
        grey(folder, "trainannot/0001TP_006690.png", [0, 8, 10, 11]);
        picture(folder, "val/0016E5_07959.png");
        grey(folder, "valannot/0016E5_07959.png", [3, 3, 0, 1]);
        let line = b"/SegNet/CamVid/train/0001TP_006690.png /SegNet/CamVid/trainannot/x.png\n";
        write(folder, "train.txt", line);
    });
    assert!(found.notes.is_empty(), "{:?}", found.notes);
}

#[test]
fn salt_with_masks_of_two_depths_and_with_run_lengths() {
    let twin = Twin {
        kind: LayoutKind::TgsSalt,
        form: Encoding::Binary,
        samples: &[
            (TRAIN, Some([0, 1, 0, 1])),
            (TRAIN, Some([0; 4])),
            (TEST, None),
        ],
    };
    let common = |folder: &Path| {
        picture(folder, "train/images/0a.png");
        picture(folder, "train/images/1b.png");
        picture(folder, "test/images/2c.png");
        write(folder, "train.csv", b"id,rle_mask\n0a,3 2\n1b,\n");
        write(folder, "depths.csv", b"id,z\n0a,12\n1b,7\n2c,99\n");
        let template = b"id,rle_mask\n2c,1 1\n3d,1 1\n4e,1 1\n";
        write(folder, "sample_submission.csv", template);
    };
    let found = twin.check(|folder| {
        common(folder);
        let wide = [0, 0, 255, 255, 0, 0, 255, 255];
        png(folder, "train/masks/0a.png", Kind::Wide, 2, &wide);
        grey(folder, "train/masks/1b.png", [0; 4]);
    });
    assert_eq!(found.side[0].get("2c", "z"), Some(99.0));
    let found = twin.check(common);
    let is_run = |mask: &Option<MaskSource>| matches!(mask, Some(MaskSource::Rle { .. }));
    assert!(is_run(&found.samples[0].mask) && is_run(&found.samples[1].mask));
    let is_told = |note: &String| note.starts_with("sample_submission.csv");
    assert!(found.notes.iter().any(is_told), "{:?}", found.notes);
}

#[test]
fn roads_and_buildings_of_other_publishers() {
    Twin {
        kind: LayoutKind::MassachusettsRoads,
        form: Encoding::Binary,
        samples: &[
            (TRAIN, Some([0, 1, 1, 0])),
            (VALIDATION, Some([0, 0, 1, 0])),
        ],
    }
    .check(|folder| {
        picture(folder, "tiff/train/10378780_15.tiff");
        grey(
            folder,
            "tiff/train_labels/10378780_15.tif",
            [0, 255, 255, 0],
        );
        picture(folder, "tiff/val/10528675_15.tiff");
        grey(folder, "tiff/val_labels/10528675_15.tif", [0, 0, 255, 0]);
    });
    let found = Twin {
        kind: LayoutKind::EpflRoads,
        form: Encoding::Binary,
        samples: &[(TRAIN, Some([0, 0, 1, 1])), (TRAIN, Some([0; 4]))],
    }
    .check(|folder| {
        picture(folder, "training/images/satImage_001.png");
        grey(
            folder,
            "training/groundtruth/satImage_001.png",
            [0, 127, 128, 237],
        );
        picture(folder, "training/images/satImage_002.png");
        grey(
            folder,
            "training/groundtruth/satImage_002.png",
            [0, 3, 90, 127],
        );
    });
    assert!(
        found.notes.iter().any(|note| note.contains("greys")),
        "{:?}",
        found.notes
    );
    Twin {
        kind: LayoutKind::Inria,
        form: Encoding::Binary,
        samples: &[(TRAIN, Some([0, 1, 0, 0])), (TEST, None)],
    }
    .check(|folder| {
        picture(folder, "AerialImageDataset/train/images/austin1.tif");
        grey(
            folder,
            "AerialImageDataset/train/gt/austin1.tif",
            [0, 255, 0, 0],
        );
        picture(folder, "AerialImageDataset/test/images/sfo3.tif");
    });
}

#[test]
fn another_threshold_splits_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    picture(folder.path(), "images/satImage_001.png");
    grey(
        folder.path(),
        "groundtruth/satImage_001.png",
        [0, 127, 200, 255],
    );
    let mut found = discover(folder.path()).expect("a data set");
    for (threshold, expected) in [(100, [0, 1, 1, 1]), (201, [0, 0, 0, 1])] {
        found.encoding.threshold = threshold;
        let (mask, _) = found.samples[0].load_mask(&found).expect("a mask");
        assert_eq!(mask.read_rect(mask.size().bounds()), expected);
    }
}

#[test]
fn img_dir_and_ann_dir() {
    Twin {
        kind: LayoutKind::LoveDa,
        form: Encoding::Index,
        samples: &[
            (TRAIN, Some([UNLABELED, 1, 7, 2])),
            (VALIDATION, Some([3, 4, 5, 6])),
        ],
    }
    .check(|folder| {
        picture(folder, "img_dir/train/0.png");
        grey(folder, "ann_dir/train/0.png", [0, 1, 7, 2]);
        picture(folder, "img_dir/val/1.png");
        grey(folder, "ann_dir/val/1.png", [3, 4, 5, 6]);
    });
    for (mask, expected) in [([0, 1, 6, 2], UNLABELED), ([0, 1, 5, 2], 0)] {
        let folder = tempfile::tempdir().expect("a folder");
        picture(folder.path(), "img_dir/train/2_10_0_0_512_512.png");
        grey(folder.path(), "ann_dir/train/2_10_0_0_512_512.png", mask);
        let found = discover(folder.path()).expect("a data set");
        assert_eq!(found.layout.kind, LayoutKind::Potsdam);
        assert_eq!(found.samples[0].group.as_deref(), Some("2_10"));
        let (mask, _) = found.samples[0].load_mask(&found).expect("a mask");
        assert_eq!(mask.get(0, 0), expected);
    }
}

#[test]
fn unknown_data_sets_are_read_by_usual_names() {
    let found = Twin {
        kind: LayoutKind::PairedFolders,
        form: Encoding::Index,
        samples: &[(TRAIN, Some([0, 1, 2, 5])), (TRAIN, None)],
    }
    .check(|folder| {
        picture(folder, "x/y/train/imgs/one.jpg");
        picture(folder, "x/y/train/imgs/two.jpg");
        grey(folder, "x/y/train/labels/one.png", [0, 1, 2, 5]);
        grey(folder, "x/y/train/labels/three.png", [0, 1, 2, 5]);
        write(folder, "x/y/train/imgs/model.bin", b"");
    });
    assert!(found.folder.ends_with("x/y"));
    assert_eq!(
        (found.lonely_masks.len(), found.notes.len()),
        (1, 3),
        "{:?}",
        found.notes
    );
    Twin {
        kind: LayoutKind::PairedNames,
        form: Encoding::Rgb,
        samples: &[(None, Some([0, 1, 2, 1])), (None, Some([0, 0, 1, 1]))],
    }
    .check(|folder| {
        let (a, b, c) = ([10, 20, 30], [200, 0, 7], [250, 250, 0]);
        picture(folder, "field.tif");
        rgb(folder, "field_label.png", [a, b, c, b]);
        picture(folder, "wood.tif");
        rgb(folder, "wood_label.png", [a, a, b, b]);
    });
    // Folders with names of their own, colors by the publisher's table.
    Twin {
        kind: LayoutKind::Potsdam,
        form: Encoding::Rgb,
        samples: &[(None, Some([0, 1, 3, 4]))],
    }
    .check(|folder| {
        picture(folder, "2_Ortho_RGB/top_potsdam_2_10_RGB.tif");
        let pixels = [WHITE, [0, 0, 255], [0, 255, 0], [255, 255, 0]];
        rgb(folder, "5_Labels_all/top_potsdam_2_10_label.tif", pixels);
    });
    let folder = tempfile::tempdir().expect("a folder");
    assert!(discover(folder.path()).is_err());
}

#[test]
fn folders_of_one_form_are_one_data_set_and_others_are_several() {
    let found = Twin {
        kind: LayoutKind::PairedFolders,
        form: Encoding::Index,
        samples: &[(None, Some([0, 1, 1, 0])), (None, Some([0, 2, 1, 0]))],
    }
    .check(|folder| {
        for (name, mask) in [("north", [0, 1, 1, 0]), ("south", [0, 2, 1, 0])] {
            picture(folder, &format!("{name}/images/{name}.tif"));
            grey(folder, &format!("{name}/masks/{name}.tif"), mask);
        }
    });
    assert_eq!(found.samples[1].group.as_deref(), Some("south"));
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["loveda", "potsdam"] {
        picture(folder.path(), &format!("{name}/img_dir/1.png"));
        grey(
            folder.path(),
            &format!("{name}/ann_dir/1.png"),
            [0, 1, 1, 0],
        );
    }
    let found = discover(folder.path()).expect("a folder");
    assert_eq!(found.layout.kind, LayoutKind::Several);
    let names = ["loveda", "potsdam"].map(|name| folder.path().join(name));
    assert_eq!(found.datasets, names);
}
