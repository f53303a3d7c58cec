//! Twins of layouts with tables beside their pictures, as they are published.

use super::LayoutKind;
use super::test_folders::write;
use super::twins::{TEST, TRAIN, Twin, VALIDATION, grey, picture, rgb};
use crate::label::{Encoding, UNLABELED};

/// All classes of `CamVid` by name, with the spaces of the published list.
const CLASS_DICT: &str = "\
name,r,g,b
Animal,64,128, 64
Archway,192,0, 128
Bicyclist,0,128, 192
Bridge,0,128, 64
Building,128,0, 0
Car,64,0, 128
CartLuggagePram,64,0, 192
Child,192,128, 64
Column_Pole,192,192, 128
Fence,64,64, 128
LaneMkgsDriv,128,0, 192
LaneMkgsNonDriv,192,0, 64
Misc_Text,128,128, 64
MotorcycleScooter,192,0, 192
OtherMoving,128,64, 64
ParkingBlock,64,192, 128
Pedestrian,64,64, 0
Road,128,64, 128
RoadShoulder,128,128, 192
Sidewalk,0,0, 192
SignSymbol,192,128, 128
Sky,128,128, 128
SUVPickupTruck,64,128, 192
TrafficCone,0,0, 64
TrafficLight,0,64, 64
Train,192,64, 128
Tree,128,128, 0
Truck_Bus,192,128, 192
Tunnel,64,0, 64
VegetationMisc,192,192, 0
Void,0,0, 0
Wall,64,192, 0
";

#[test]
fn camvid_with_folders_of_labels_and_a_list_of_classes() {
    let twin = Twin {
        kind: LayoutKind::CamVidSuite,
        form: Encoding::Rgb,
        samples: &[
            (TRAIN, Some([21, 2, 5, UNLABELED])),
            (VALIDATION, Some([31, 29, 17, 26])),
            (TEST, Some([17, 17, 8, 0])),
        ],
    };
    let (road, void) = ([128, 64, 128], [0; 3]);
    let files = [
        (
            "train",
            "0001TP_006690",
            [[128; 3], [0, 128, 192], [64, 0, 128], void],
        ),
        (
            "val",
            "0016E5_07959",
            [[64, 192, 0], [192, 192, 0], road, [128, 128, 0]],
        ),
        (
            "test",
            "Seq05VD_f00000",
            [road, road, [192, 192, 128], [64, 128, 64]],
        ),
    ];
    for above in ["CamVid/", ""] {
        let found = twin.check(|folder| {
            write(
                folder,
                &format!("{above}class_dict.csv"),
                CLASS_DICT.as_bytes(),
            );
            for (part, name, mask) in files {
                picture(folder, &format!("{above}{part}/{name}.png"));
                rgb(folder, &format!("{above}{part}_labels/{name}_L.png"), mask);
            }
        });
        assert!(
            found.layout.why.contains("class_dict.csv"),
            "{}",
            found.layout
        );
        let classes = found.classes.expect("classes");
        assert_eq!(classes.classes().len(), 31);
        assert_eq!(
            classes.by_name("Bicyclist").map(|class| class.index),
            Some(2)
        );
        assert_eq!(found.ignored[0].name, "Void");
        assert_eq!(found.samples[0].group.as_deref(), Some("0001TP"));
    }
}

#[test]
fn massachusetts_roads_as_pictures_with_a_list_of_them() {
    let tables: [&[u8]; 2] = [
        b"image,mask\nimages/10378780_15.png,masks/10378780_15.png\n",
        b",image_id\n0,10378780_15\n1,10528675_15\n",
    ];
    for table in tables {
        let found = Twin {
            kind: LayoutKind::MassachusettsRoads,
            form: Encoding::Binary,
            samples: &[
                (None, Some([0, 1, 1, 0])),
                (None, Some([0, 0, 0, 0])),
                (None, None),
            ],
        }
        .check(|folder| {
            write(folder, "train.csv", table);
            for name in ["10378780_15", "10528675_15", "10678780_15"] {
                picture(folder, &format!("images/{name}.png"));
            }
            grey(folder, "masks/10378780_15.png", [0, 255, 255, 0]);
            grey(folder, "masks/10528675_15.png", [0; 4]);
            grey(folder, "masks/99928675_15.png", [0; 4]);
        });
        assert_eq!(found.lonely_masks.len(), 1);
        let classes = found.classes.expect("classes");
        assert_eq!(classes.name_of(1), "road");
    }
}
