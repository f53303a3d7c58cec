//! Twins of data sets by the names of their publishers, and of files that differ among themselves.

use std::path::Path;

use super::test_folders::write;
use super::twins::{TEST, TRAIN, Twin, VALIDATION, grey, picture, rgb};
use super::{Discovery, LayoutKind};
use crate::dataset::{Corrections, discover_corrected};
use crate::label::{Encoding, UNLABELED};

const IMPERVIOUS: [u8; 3] = [255; 3];
const BUILDING: [u8; 3] = [0, 0, 255];
const TREE: [u8; 3] = [0, 255, 0];
const CLUTTER: [u8; 3] = [255, 0, 0];
const BLACK: [u8; 3] = [0; 3];

#[track_caller]
fn is_told(found: &Discovery, words: &str) {
    let is_it = |note: &String| note.contains(words);
    assert!(found.notes.iter().any(is_it), "{words}: {:?}", found.notes);
}

#[test]
fn vaihingen_with_heights_beside_its_orthophotos() {
    for [above, heights] in [
        ["", "dsm/dsm_09cm_matching_area1.tif"],
        ["Vaihingen/", "Vaihingen/dsm/dsm_09cm_matching_area1.tif"],
    ] {
        let found = Twin {
            kind: LayoutKind::Vaihingen,
            form: Encoding::Rgb,
            samples: &[(None, Some([0, 1, 3, 5])), (None, None)],
        }
        .check(|folder| {
            let name = "top_mosaic_09cm_area1.tif";
            picture(folder, &format!("{above}top/{name}"));
            picture(folder, &format!("{above}top/top_mosaic_09cm_area2.tif"));
            picture(folder, heights);
            let mask = [IMPERVIOUS, BUILDING, TREE, CLUTTER];
            rgb(folder, &format!("{above}gts_for_participants/{name}"), mask);
        });
        assert_eq!(found.samples[0].group, None, "each area is a place");
        let classes = found.classes.as_ref().expect("classes");
        assert_eq!(classes.name_of(5), "clutter");
        is_told(&found, "since no image in the same folder has a mask");
    }
    // As cut for mmsegmentation.
    let found = Twin {
        kind: LayoutKind::Vaihingen,
        form: Encoding::Index,
        samples: &[
            (TRAIN, Some([UNLABELED, 1, 6, 2])),
            (VALIDATION, Some([3, 4, 5, UNLABELED])),
        ],
    }
    .check(|folder| {
        for (part, area, mask) in [("train", 1, [0, 1, 6, 2]), ("val", 2, [3, 4, 5, 0])] {
            let name = format!("{part}/area{area}_0_0_512_512.png");
            picture(folder, &format!("img_dir/{name}"));
            grey(folder, &format!("ann_dir/{name}"), mask);
        }
    });
    assert_eq!(found.samples[1].group.as_deref(), Some("area2"));
}

#[test]
fn potsdam_by_the_names_of_its_publisher() {
    let twin = Twin {
        kind: LayoutKind::Potsdam,
        form: Encoding::Rgb,
        samples: &[(None, Some([0, 1, 3, 5]))],
    };
    let mask = [IMPERVIOUS, BUILDING, TREE, CLUTTER];
    twin.check(|folder| {
        picture(folder, "top_potsdam_2_10_RGB.tif");
        rgb(folder, "top_potsdam_2_10_label.tif", mask);
    });
    let found = twin.check(|folder| {
        picture(folder, "1_DSM/dsm_potsdam_02_10.tif");
        picture(folder, "2_Ortho_RGB/top_potsdam_2_10_RGB.tif");
        picture(folder, "3_Ortho_IRRG/top_potsdam_2_10_IRRG.tif");
        picture(folder, "4_Ortho_RGBIR/top_potsdam_2_10_RGBIR.tif");
        rgb(folder, "5_Labels_all/top_potsdam_2_10_label.tif", mask);
    });
    assert!(found.samples[0].image.ends_with("top_potsdam_2_10_RGB.tif"));
    assert_eq!(found.samples[0].group, None);
    is_told(&found, "3 images left out");
    let found = twin.check(|folder| {
        picture(folder, "3_Ortho_IRRG/top_potsdam_2_10_IRRG.tif");
        rgb(folder, "5_Labels_all/top_potsdam_2_10_label.tif", mask);
    });
    assert_eq!(found.samples[0].name, "top_potsdam_2_10");
}

#[test]
fn potsdam_without_borders_by_what_names_end_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let pair = "top_potsdam_2_10";
    picture(folder.path(), &format!("2_Ortho_RGB/{pair}_RGB.tif"));
    picture(folder.path(), &format!("3_Ortho_IRRG/{pair}_IRRG.tif"));
    let mask = [IMPERVIOUS, BLACK, TREE, CLUTTER];
    let labels = "5_Labels_all_noBoundary";
    let name = format!("{labels}/{pair}_label_noBoundary.tif");
    rgb(folder.path(), &name, mask);
    let corrections = Corrections {
        image_suffix: Some("*_IRRG.tif".to_owned()),
        mask_suffix: Some("_label_noBoundary".to_owned()),
        ..Corrections::default()
    };
    let found = discover_corrected(folder.path(), &corrections).expect("a pair");
    assert_eq!(found.layout.kind, LayoutKind::Potsdam, "{}", found.layout);
    assert!(found.layout.why.contains(labels), "{}", found.layout);
    assert_eq!(found.samples.len(), 1);
    assert!(
        found.samples[0]
            .image
            .ends_with("top_potsdam_2_10_IRRG.tif")
    );
    let (read, _) = found.samples[0].load_mask(&found).expect("a mask");
    let all = read.size().bounds();
    assert_eq!(read.read_rect(all), [0, UNLABELED, 3, 5]);
    is_told(&found, "as was stated");
}

#[test]
fn loveda_in_towns_and_country() {
    for above in ["", "data/"] {
        let found = Twin {
            kind: LayoutKind::LoveDa,
            form: Encoding::Index,
            samples: &[
                (TRAIN, Some([UNLABELED, 1, 7, 6])),
                (TRAIN, Some([2, 2, 3, 3])),
                (VALIDATION, Some([4, 5, 1, UNLABELED])),
                (TEST, None),
            ],
        }
        .check(|folder| {
            for (place, number, mask) in [
                ("Train/Rural", 0, [0, 1, 7, 6]),
                ("Train/Urban", 1366, [2, 2, 3, 3]),
                ("Val/Rural", 2522, [4, 5, 1, 0]),
            ] {
                picture(folder, &format!("{above}{place}/images_png/{number}.png"));
                grey(
                    folder,
                    &format!("{above}{place}/masks_png/{number}.png"),
                    mask,
                );
            }
            picture(folder, &format!("{above}Test/Urban/images_png/5167.png"));
        });
        assert_eq!(found.samples[0].group.as_deref(), Some("Rural"));
        assert_eq!(found.ignored[0].name, "no data");
    }
}

#[test]
fn folders_of_mmsegmentation_with_other_files() {
    Twin {
        kind: LayoutKind::MmSegmentation,
        form: Encoding::Index,
        samples: &[
            (TRAIN, Some([0, 1, 2, 3])),
            (VALIDATION, Some([3, 3, 0, 255])),
        ],
    }
    .check(|folder| {
        picture(folder, "img_dir/train/field.jpg");
        grey(folder, "ann_dir/train/field.png", [0, 1, 2, 3]);
        picture(folder, "img_dir/val/wood.jpg");
        grey(folder, "ann_dir/val/wood.png", [3, 3, 0, 255]);
    });
}

#[test]
fn massachusetts_and_epfl_with_their_test_images() {
    let found = Twin {
        kind: LayoutKind::MassachusettsRoads,
        form: Encoding::Binary,
        samples: &[
            (TRAIN, Some([0, 1, 1, 0])),
            (VALIDATION, Some([0; 4])),
            (TEST, Some([1, 0, 0, 0])),
        ],
    }
    .check(|folder| {
        for (part, name, mask) in [
            ("train", "10078660_15", [0, 255, 255, 0]),
            ("val", "10228690_15", [0; 4]),
            ("test", "10378780_15", [255, 0, 0, 0]),
        ] {
            picture(folder, &format!("tiff/{part}/{name}.tiff"));
            grey(folder, &format!("tiff/{part}_labels/{name}.tif"), mask);
        }
        let colors = b"name,r,g,b\nbackground,0,0,0\nroad,255,255,255\n";
        write(folder, "label_class_dict.csv", colors);
    });
    assert!(found.lonely_masks.is_empty());
    Twin {
        kind: LayoutKind::EpflRoads,
        form: Encoding::Binary,
        samples: &[
            (TRAIN, Some([0, 0, 1, 1])),
            (TRAIN, Some([0, 1, 1, 0])),
            (TEST, None),
        ],
    }
    .check(|folder| {
        for (name, mask) in [
            ("satImage_001", [0, 127, 128, 237]),
            ("satImage_002", [3, 200, 255, 90]),
        ] {
            picture(folder, &format!("training/images/{name}.png"));
            grey(folder, &format!("training/groundtruth/{name}.png"), mask);
        }
        picture(folder, "test_set_images/test_1/test_1.png");
    });
}

#[test]
fn deepglobe_in_folders_of_two_parts_and_roads_without_a_list() {
    Twin {
        kind: LayoutKind::DeepGlobeLandCover,
        form: Encoding::Rgb,
        samples: &[
            (TRAIN, Some([0, 1, 2, UNLABELED])),
            (TEST, Some([3, 4, 5, 4])),
        ],
    }
    .check(|folder| {
        let [urban, fields, range] = [[0, 255, 255], [255, 255, 0], [255, 0, 255]];
        for (part, number, mask) in [
            ("training_data", "100694", [urban, fields, range, BLACK]),
            (
                "test_data",
                "989953",
                [TREE, BUILDING, IMPERVIOUS, [9, 3, 201]],
            ),
        ] {
            let part = format!("data/{part}");
            picture(folder, &format!("{part}/images/{number}_sat.jpg"));
            rgb(folder, &format!("{part}/masks/{number}_mask.png"), mask);
        }
    });
    Twin {
        kind: LayoutKind::DeepGlobeRoads,
        form: Encoding::Binary,
        samples: &[(TRAIN, Some([0, 1, 0, 0])), (VALIDATION, None)],
    }
    .check(|folder| {
        picture(folder, "train/100034_sat.jpg");
        let mask = [BLACK, IMPERVIOUS, BLACK, BLACK];
        rgb(folder, "train/100034_mask.png", mask);
        picture(folder, "valid/100794_sat.jpg");
    });
}

#[test]
fn land_cover_before_it_is_split_and_patches_in_folders_of_parts() {
    let found = Twin {
        kind: LayoutKind::LandCoverAi,
        form: Encoding::Index,
        samples: &[(None, Some([0, 1, 3, 4]))],
    }
    .check(|folder| {
        picture(folder, "images/M-33-20-D-c-4-2.tif");
        grey(folder, "masks/M-33-20-D-c-4-2.tif", [0, 1, 3, 4]);
        for (list, line) in [("train.txt", 0), ("val.txt", 1), ("test.txt", 2)] {
            let line = format!("M-33-20-D-c-4-2_{line}\n");
            write(folder, list, line.as_bytes());
        }
    });
    is_told(&found, "1 of 1 lines of train.txt name no image here");
    let found = Twin {
        kind: LayoutKind::LandCoverAiPatches,
        form: Encoding::Index,
        samples: &[
            (TRAIN, Some([4, 0, 0, 0])),
            (TRAIN, Some([0, 2, 0, 0])),
            (VALIDATION, Some([0, 0, 1, 3])),
        ],
    }
    .check(|folder| {
        for (part, name, mask) in [
            ("train", "M-33-7-A-d-2-3.tifpatch_111.tif", [4, 0, 0, 0]),
            ("train", "M-33-7-A-d-2-3_patch_1011.tif", [0, 2, 0, 0]),
            ("val", "N-34-77-A-b-1-4.tifpatch_010.tif", [0, 0, 1, 3]),
        ] {
            picture(folder, &format!("{part}_images/{part}/{name}"));
            grey(folder, &format!("{part}_masks/{part}/{name}"), mask);
        }
    });
    let groups: Vec<_> = found.samples.iter().map(|sample| &sample.group).collect();
    assert_eq!(groups[0], groups[1], "patches of a tile stay together");
    assert_ne!(groups[0], groups[2]);
}

#[test]
fn grey_and_colored_masks_of_one_meaning_in_one_folder() {
    let found = Twin {
        kind: LayoutKind::SageMakerRoads,
        form: Encoding::Binary,
        samples: &[(TRAIN, Some([0, 1, 1, 0])), (TRAIN, Some([0, 1, 0, 0]))],
    }
    .check(|folder| {
        let place = "seg-data/train";
        picture(folder, &format!("{place}/images/100034_0_1.jpg"));
        grey(
            folder,
            &format!("{place}/masks/100034_0_1.png"),
            [0, 255, 255, 0],
        );
        picture(folder, &format!("{place}/images/100034_1_1.jpg"));
        let road = [BLACK, IMPERVIOUS, BLACK, BLACK];
        rgb(folder, &format!("{place}/masks/100034_1_1.png"), road);
    });
    is_told(&found, "different depths");
    Twin {
        kind: LayoutKind::LandCoverAi,
        form: Encoding::Index,
        samples: &[(None, Some([0, 1, 2, 4])), (None, Some([1, 0, 3, 2]))],
    }
    .check(|folder| {
        picture(folder, "images/M-33-20-D-c-4-2.tif");
        grey(folder, "masks/M-33-20-D-c-4-2.tif", [0, 1, 2, 4]);
        picture(folder, "images/N-34-77-A-b-1-4.tif");
        let mask = [[1; 3], BLACK, [3; 3], [2; 3]];
        rgb(folder, "masks/N-34-77-A-b-1-4.tif", mask);
    });
}

fn with_suffixes(image: &str, mask: &str) -> Corrections {
    let own = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Corrections {
        image_suffix: own(image),
        mask_suffix: own(mask),
        ..Corrections::default()
    }
}

fn pairs(folder: &Path, corrections: &Corrections) -> Vec<String> {
    let found = discover_corrected(folder, corrections).expect("a data set");
    let text = |path: &Path| {
        let path = path.strip_prefix(folder).expect("within");
        path.to_string_lossy().replace('\\', "/")
    };
    let pair = |sample: &super::Sample| {
        let mask = sample.mask.as_ref().map(|mask| text(mask.path()));
        format!("{} {}", text(&sample.image), mask.unwrap_or_default())
    };
    found.samples.iter().map(pair).collect()
}

#[test]
fn one_of_several_data_sets_in_one_folder_is_told_by_its_suffixes() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for part in ["train", "valid"] {
        picture(folder, &format!("{part}/1_sat.jpg"));
        picture(folder, &format!("{part}/1_near.jpg"));
        grey(folder, &format!("{part}/1_mask.png"), [0, 1, 2, 3]);
        grey(folder, &format!("{part}/1_roads.png"), [0, 255, 0, 255]);
    }
    let pairs = |image, mask| pairs(folder, &with_suffixes(image, mask));
    assert_eq!(
        pairs("_sat", "_roads.png"),
        [
            "train/1_sat.jpg train/1_roads.png",
            "valid/1_sat.jpg valid/1_roads.png"
        ]
    );
    assert_eq!(
        pairs("_near.jpg", "_mask"),
        [
            "train/1_near.jpg train/1_mask.png",
            "valid/1_near.jpg valid/1_mask.png"
        ]
    );
    let found = discover_corrected(folder, &with_suffixes("_sat", "_roads")).expect("pairs");
    let parts: Vec<_> = found.samples.iter().map(|sample| sample.part).collect();
    assert_eq!(parts, [TRAIN, VALIDATION]);
    assert_eq!(found.encoding.form, Encoding::Binary);
    is_told(&found, "4 files left out");
}

#[test]
fn suffixes_count_wherever_the_files_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    // Folders whose names mislead.
    picture(folder, "labels/7_ortho.tif");
    grey(folder, "images/7_truth.png", [0, 1, 2, 3]);
    let read = with_suffixes("_ortho", "_truth");
    let expected = ["labels/7_ortho.tif images/7_truth.png"];
    assert_eq!(pairs(folder, &read), expected);
    let stated = Corrections {
        images: Some(folder.join("labels")),
        masks: Some(folder.join("images")),
        ..read
    };
    assert_eq!(pairs(folder, &stated), expected);
    for (image, mask, words) in [
        ("_sat", "", "No image is named like “*_sat”"),
        ("_ortho", "_mask", "No mask is named like “*_mask”"),
        ("rtho", "_truth", "apart from what was stated"),
        ("_x", "_x", "cannot be told apart"),
    ] {
        let error = discover_corrected(folder, &with_suffixes(image, mask));
        let error = error.expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
}
