//! Twins of layouts whose folders and files have names of other usages.

use super::LayoutKind;
use super::test_folders::write;
use super::twins::{TEST, TRAIN, Twin, VALIDATION, grey, picture, rgb};
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
