use crate::label::{Class, ClassTable, Rgb, default_color};

/// Classes that a published data set defines, and which index is no class.
pub(super) struct Known {
    /// All of them, the one that is none included.
    pub(super) classes: ClassTable,
    /// The index of ground that counts as unlabeled.
    pub(super) ignored: Option<u8>,
}

type Named = (&'static str, Rgb);

const CAMVID_11: [Named; 12] = [
    ("Sky", [128, 128, 128]),
    ("Building", [128, 0, 0]),
    ("Pole", [192, 192, 128]),
    ("Road", [128, 64, 128]),
    ("Pavement", [60, 40, 222]),
    ("Tree", [128, 128, 0]),
    ("SignSymbol", [192, 128, 128]),
    ("Fence", [64, 64, 128]),
    ("Car", [64, 0, 128]),
    ("Pedestrian", [64, 64, 0]),
    ("Bicyclist", [0, 128, 192]),
    ("Void", [0, 0, 0]),
];

const CAMVID_32: [Named; 32] = [
    ("Animal", [64, 128, 64]),
    ("Archway", [192, 0, 128]),
    ("Bicyclist", [0, 128, 192]),
    ("Bridge", [0, 128, 64]),
    ("Building", [128, 0, 0]),
    ("Car", [64, 0, 128]),
    ("CartLuggagePram", [64, 0, 192]),
    ("Child", [192, 128, 64]),
    ("Column_Pole", [192, 192, 128]),
    ("Fence", [64, 64, 128]),
    ("LaneMkgsDriv", [128, 0, 192]),
    ("LaneMkgsNonDriv", [192, 0, 64]),
    ("Misc_Text", [128, 128, 64]),
    ("MotorcycleScooter", [192, 0, 192]),
    ("OtherMoving", [128, 64, 64]),
    ("ParkingBlock", [64, 192, 128]),
    ("Pedestrian", [64, 64, 0]),
    ("Road", [128, 64, 128]),
    ("RoadShoulder", [128, 128, 192]),
    ("Sidewalk", [0, 0, 192]),
    ("SignSymbol", [192, 128, 128]),
    ("Sky", [128, 128, 128]),
    ("SUVPickupTruck", [64, 128, 192]),
    ("TrafficCone", [0, 0, 64]),
    ("TrafficLight", [0, 64, 64]),
    ("Train", [192, 64, 128]),
    ("Tree", [128, 128, 0]),
    ("Truck_Bus", [192, 128, 192]),
    ("Tunnel", [64, 0, 64]),
    ("VegetationMisc", [192, 192, 0]),
    ("Void", [0, 0, 0]),
    ("Wall", [64, 192, 0]),
];

const DEEPGLOBE_LAND: [Named; 7] = [
    ("urban_land", [0, 255, 255]),
    ("agriculture_land", [255, 255, 0]),
    ("rangeland", [255, 0, 255]),
    ("forest_land", [0, 255, 0]),
    ("water", [0, 0, 255]),
    ("barren_land", [255, 255, 255]),
    ("unknown", [0, 0, 0]),
];

const LOVEDA: [Named; 8] = [
    ("no data", [0, 0, 0]),
    ("background", [255, 255, 255]),
    ("building", [255, 0, 0]),
    ("road", [255, 255, 0]),
    ("water", [0, 0, 255]),
    ("barren", [159, 129, 183]),
    ("forest", [0, 255, 0]),
    ("agriculture", [255, 195, 128]),
];

const POTSDAM: [Named; 6] = [
    ("impervious surface", [255, 255, 255]),
    ("building", [0, 0, 255]),
    ("low vegetation", [0, 255, 255]),
    ("tree", [0, 255, 0]),
    ("car", [255, 255, 0]),
    ("clutter", [255, 0, 0]),
];

impl Known {
    /// The eleven classes of CamVid as `SegNet` uses them; 11 is void.
    pub(super) fn camvid_11() -> Self {
        Self::of(&CAMVID_11, 0, Some(11))
    }

    /// The 32 colors of CamVid, by name; black is void.
    pub(super) fn camvid_32() -> Self {
        Self::of(&CAMVID_32, 0, Some(30))
    }

    /// The land cover of DeepGlobe; black is unknown.
    pub(super) fn deepglobe_land() -> Self {
        Self::of(&DEEPGLOBE_LAND, 0, Some(6))
    }

    /// `LoveDA`; 0 is no data.
    pub(super) fn loveda() -> Self {
        Self::of(&LOVEDA, 0, Some(0))
    }

    /// ISPRS Potsdam and Vaihingen with the first class at `first`; what lies below is the border,
    /// which is no class.
    pub(super) fn potsdam(first: u8) -> Self {
        let mut known = Self::of(&POTSDAM, first, None);
        if first == 1 {
            let border = [Class::new(0, "border", [0; 3])];
            let classes = known.classes.classes().iter().cloned().chain(border);
            known = Self {
                classes: ClassTable::new(None, classes.collect()).unwrap_or_default(),
                ignored: Some(0),
            };
        }
        known
    }

    /// A background and one class, as dark and bright.
    pub(super) fn two(background: &str, class: &str) -> Self {
        let code = |index: u8, name: &str, code: Rgb, color: Rgb| Class {
            codes: vec![code],
            ..Class::new(index, name, color)
        };
        let classes = vec![
            code(0, background, [0; 3], [0x3a, 0x3d, 0x42]),
            code(1, class, [255; 3], default_color(1, 2)),
        ];
        Self {
            classes: ClassTable::new(Some(0), classes).unwrap_or_default(),
            ignored: None,
        }
    }

    /// A table without anything to ignore.
    pub(super) const fn all(classes: ClassTable) -> Self {
        Self {
            classes,
            ignored: None,
        }
    }

    fn of(named: &[Named], first: u8, ignored: Option<u8>) -> Self {
        let class = |(index, &(name, code)): (u8, &Named)| Class {
            codes: vec![code],
            ..Class::new(index, name, code)
        };
        let classes = (first..).zip(named).map(class).collect();
        Self {
            classes: ClassTable::new(None, classes).unwrap_or_default(),
            ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_valid_and_ignores_what_its_name_says() {
        for (known, count, ignored) in [
            (Known::camvid_11(), 12, Some("Void")),
            (Known::camvid_32(), 32, Some("Void")),
            (Known::deepglobe_land(), 7, Some("unknown")),
            (Known::loveda(), 8, Some("no data")),
            (Known::potsdam(0), 6, None),
            (Known::potsdam(1), 7, Some("border")),
            (Known::two("background", "salt"), 2, None),
        ] {
            assert_eq!(known.classes.classes().len(), count);
            let name = known.ignored.map(|index| known.classes.name_of(index));
            assert_eq!(name.as_deref(), ignored);
        }
        assert_eq!(Known::potsdam(1).classes.name_of(6), "clutter");
    }
}
