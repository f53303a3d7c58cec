use super::class::{Class, ClassTable, Rgb, default_name};
use super::{MaskError, UNLABELED};

/// Okabe and Ito's colors, told apart by everybody.
const OKABE_ITO: [u32; 7] = [
    0xE6_9F00, 0x56_B4E9, 0x00_9E73, 0xF0_E442, 0x00_72B2, 0xD5_5E00, 0xCC_79A7,
];

/// Paul Tol's muted colors.
const TOL_MUTED: [u32; 10] = [
    0x33_2288, 0x88_CCEE, 0x44_AA99, 0x11_7733, 0x99_9933, 0xDD_CC77, 0xCC_6677, 0x88_2255,
    0xAA_4499, 0xDD_DDDD,
];

/// The first colors of colorcet's `glasbey_bw_minc_20` (CC-BY, Glasbey et al., Peter Kovesi); past
/// ten classes no palette is safe for color-blind people.
const GLASBEY: [u32; 32] = [
    0xD6_0000, 0x8C_3BFF, 0x01_8700, 0x00_ACC6, 0x97_FF00, 0xFF_7ED1, 0x6B_004F, 0xFF_A52F,
    0x57_3B00, 0x00_5659, 0x00_00DD, 0x00_FDCF, 0xA1_7569, 0xBC_B6FF, 0x95_B577, 0xBF_03B8,
    0x64_5474, 0x79_0000, 0x07_74D8, 0xFD_F490, 0x00_4B00, 0x8E_7900, 0xFF_7266, 0xED_B8B8,
    0x5D_7E66, 0x9A_E4FF, 0xEB_0077, 0xA5_7BB8, 0x59_00A3, 0x03_C600, 0x9E_4B00, 0x9C_3B4F,
];

/// A palette of the file's own longer than this is taken for a color ramp, not a list of classes.
const LONGEST_CLASS_LIST: usize = 64;

/// The color of the class at `position` in a table of `num_classes`; colors come again after 32.
pub fn default_color(position: usize, num_classes: usize) -> Rgb {
    let palette: &[u32] = match num_classes {
        0..=7 => &OKABE_ITO,
        8..=10 => &TOL_MUTED,
        _ => &GLASBEY,
    };
    let [_, red, green, blue] = palette[position % palette.len()].to_be_bytes();
    [red, green, blue]
}

impl ClassTable {
    /// The classes of LandCover.ai: background, building, woodland, water, road.
    pub fn landcover_ai() -> Self {
        shipped(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/assets/palettes/landcover_ai.toml"
        )))
    }

    /// Background and road.
    pub fn road() -> Self {
        shipped(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/assets/palettes/road.toml"
        )))
    }

    /// The preset of this name (`landcover_ai`, `road`).
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "landcover_ai" => Some(Self::landcover_ai()),
            "road" => Some(Self::road()),
            _ => None,
        }
    }

    /// Unnamed classes for the values that occur in a mask; 255 is none of them. Class 0 is the
    /// background when it occurs.
    pub fn from_values(values: impl IntoIterator<Item = u8>) -> Self {
        let mut indices: Vec<u8> = values
            .into_iter()
            .filter(|&index| index != UNLABELED)
            .collect();
        indices.sort_unstable();
        indices.dedup();
        let count = indices.len();
        let class = |(position, &index): (usize, &u8)| {
            Class::new(index, default_name(index), default_color(position, count))
        };
        let classes = indices.iter().enumerate().map(class).collect();
        let background = indices.first().copied().filter(|&index| index == 0);
        Self::new(background, classes).unwrap_or_default()
    }

    /// Unnamed classes in the colors of a file's own palette: all of its entries when it is short,
    /// else those that occur.
    pub fn from_palette(palette: &[Rgb], occurring: impl IntoIterator<Item = u8>) -> Self {
        let mut indices: Vec<u8> = occurring.into_iter().collect();
        if palette.len() <= LONGEST_CLASS_LIST {
            indices.extend(0..palette.len() as u8);
        }
        let mut table = Self::from_values(indices);
        for index in table
            .classes()
            .iter()
            .map(|class| class.index)
            .collect::<Vec<_>>()
        {
            if let Some(&color) = palette.get(usize::from(index)) {
                table = table.recolored(index, color).unwrap_or(table);
            }
        }
        table
    }

    /// Unnamed classes whose codes are these colors, in their order; black is the background.
    ///
    /// Colors beyond the 255th are left out.
    pub fn from_codes(codes: &[Rgb]) -> Self {
        let class = |(index, &code): (u8, &Rgb)| Class {
            codes: vec![code],
            ..Class::new(index, default_name(index), code)
        };
        let classes = (0..UNLABELED).zip(codes).map(class).collect();
        let background = (0..UNLABELED).zip(codes).find(|(_, code)| **code == [0; 3]);
        Self::new(background.map(|(index, _)| index), classes).unwrap_or_default()
    }

    /// The same table with unnamed classes for those of the values that it does not have.
    #[must_use]
    pub fn with_values(&self, values: impl IntoIterator<Item = u8>) -> Self {
        let is_new = |index: &u8| *index != UNLABELED && self.get(*index).is_none();
        let new = Self::from_values(values.into_iter().filter(is_new));
        let mut classes = self.classes().to_vec();
        for class in new.classes() {
            let color = default_color(classes.len(), self.num_classes().max(11));
            classes.push(Class::new(class.index, class.name.clone(), color));
        }
        Self::new(self.background(), classes).unwrap_or_else(|_| self.clone())
    }

    /// The same table with a class more in the color that comes next by default, and its index.
    ///
    /// # Errors
    /// [`MaskError::ClassTable`] when the name is empty or all 255 indices are taken.
    pub fn added_by_name(&self, name: &str) -> Result<(Self, u8), MaskError> {
        let count = self.classes().len() + 1;
        let is_free = |color: &Rgb| self.classes().iter().all(|class| class.color != *color);
        let mut candidates = (0..32).map(|position| default_color(position, count));
        let color = candidates
            .find(is_free)
            .unwrap_or_else(|| default_color(count, count));
        self.added(name, color, |_| false)
    }
}

fn shipped(text: &str) -> ClassTable {
    ClassTable::from_toml(text).expect("a test reads every shipped class table")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_tables_are_what_the_data_sets_mean() {
        let names = |table: &ClassTable| -> Vec<String> {
            table
                .classes()
                .iter()
                .map(|class| class.name.clone())
                .collect()
        };
        let landcover = ClassTable::landcover_ai();
        assert_eq!(
            names(&landcover),
            ["background", "building", "woodland", "water", "road"]
        );
        assert_eq!(landcover.get(1).map(Class::code), Some([97, 74, 74]));
        let road = ClassTable::road();
        assert_eq!(
            (names(&road), road.background()),
            (vec!["background".into(), "road".into()], Some(0))
        );
        assert!(ClassTable::preset("landcover_ai").is_some() && ClassTable::preset("x").is_none());
    }

    #[test]
    fn the_palette_follows_the_number_of_classes() {
        for (position, count, expected) in [
            (0, 2, [0xE6, 0x9F, 0x00]),
            (6, 7, [0xCC, 0x79, 0xA7]),
            (0, 8, [0x33, 0x22, 0x88]),
            (9, 10, [0xDD, 0xDD, 0xDD]),
            (0, 11, [0xD6, 0x00, 0x00]),
            (32, 40, [0xD6, 0x00, 0x00]),
        ] {
            assert_eq!(
                default_color(position, count),
                expected,
                "{position} of {count}"
            );
        }
    }

    #[test]
    fn values_make_a_table() {
        let table = ClassTable::from_values([3, 0, 255, 3]);
        let indices: Vec<u8> = table.classes().iter().map(|class| class.index).collect();
        assert_eq!((indices, table.background()), (vec![0, 3], Some(0)));
        assert!(ClassTable::from_values([255]).is_empty());
    }

    #[test]
    fn a_short_palette_lists_classes_and_a_ramp_does_not() {
        let short = ClassTable::from_palette(&[[1; 3], [2; 3], [3; 3]], [0]);
        assert_eq!(short.classes().len(), 3);
        assert_eq!(short.colors()[2], [3; 3]);
        let ramp: Vec<Rgb> = (0..=255).map(|grey| [grey; 3]).collect();
        assert_eq!(ClassTable::from_palette(&ramp, [0, 9]).classes().len(), 2);
    }

    #[test]
    fn a_new_class_gets_a_color_of_its_own() {
        let (table, index) = ClassTable::road().added_by_name("house").expect("free");
        let color = table.get(index).map(|class| class.color);
        assert_eq!((index, color), (2, Some([0x56, 0xB4, 0xE9])));
    }
}
