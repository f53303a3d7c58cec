use std::collections::HashMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::super::{Class, ClassTable, MaskError, Rgb, UNLABELED};
use super::rows::Form;
use super::shades::Shade;

/// Why a mask cannot be read as class indices.
const TOO_LARGE: &str = "its values go beyond 255, and classes are 0 to 254; write the number of \
                         each class instead, or read it as binary if it is black and white";

/// The same, of other numbers than whole ones of 16 bits.
pub(super) const TOO_WIDE: &str = "it holds numbers that are no classes, such as fractions; write \
                                   the number of each class, 0 to 254";

/// How the pixels of a mask file stand for classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Found out from the pixels and the class table.
    #[default]
    Auto,
    /// The number is the class index; 255 is unlabeled, and so is what the file declares as nodata,
    /// unless it is the number of a class.
    Index,
    /// Dark is class 0, bright (half of the range and more) is class 1.
    Binary,
    /// Colors stand for classes by the codes of the class table.
    Rgb,
}

impl FromStr for Encoding {
    type Err = MaskError;

    fn from_str(text: &str) -> Result<Self, MaskError> {
        match text.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "index" => Ok(Self::Index),
            "binary" => Ok(Self::Binary),
            "rgb" => Ok(Self::Rgb),
            _ => Err(MaskError::UnknownEncoding {
                text: text.to_owned(),
            }),
        }
    }
}

/// The least grey of 8 bits that is bright where nobody says otherwise.
pub const MIDDLE_GREY: u8 = 128;

/// More colors than this are a picture, not classes.
const MOST_COLORS: usize = 64;

/// A number mask without a table that holds more values than this is a soft black and white one.
const MOST_INDICES: usize = 48;

/// The decided meaning of a file's shades.
pub(super) struct Meaning {
    pub(super) encoding: Encoding,
    pub(super) classes: ClassTable,
    pub(super) codes: HashMap<Rgb, u8>,
    /// Colors near a code count as it, each channel split at 128.
    is_split: bool,
    palette: Option<Vec<Rgb>>,
    /// The number that stands for nothing, as the file says.
    void: Option<u16>,
    /// The least grey of 8 bits that is bright.
    pub(super) threshold: u8,
    /// The least number that is bright.
    half: u16,
    /// The greatest number.
    full: u16,
}

/// What is known about a file when its meaning is decided.
pub(super) struct Evidence<'a> {
    pub(super) form: Form,
    pub(super) palette: Option<&'a [Rgb]>,
    /// The number that the file says means "no data".
    pub(super) void: Option<u16>,
    /// The shades that occur; `None` when they are too many to list.
    pub(super) shades: Option<&'a [Shade]>,
    /// The table that was given or lies beside the file.
    pub(super) table: Option<&'a ClassTable>,
    /// The least grey of 8 bits that is bright in a black and white file.
    pub(super) threshold: u8,
}

impl Meaning {
    /// Decides; an error is the reason for the user.
    pub(super) fn decide(wanted: Encoding, evidence: &Evidence<'_>) -> Result<Self, String> {
        let encoding = match wanted {
            Encoding::Auto => evidence.guess()?,
            wanted => wanted,
        };
        let classes = match encoding {
            Encoding::Rgb => evidence.table_by_color()?,
            Encoding::Binary => evidence.table.cloned().unwrap_or_else(black_and_white),
            Encoding::Index | Encoding::Auto => evidence.table_by_index()?,
        };
        let codes = codes_of(&classes);
        let is_extreme = |code: &Rgb| code.iter().all(|&channel| channel == 0 || channel == 255);
        let mut meaning = Self {
            encoding,
            is_split: !codes.is_empty() && codes.keys().all(is_extreme),
            codes,
            classes,
            palette: evidence.palette.map(<[Rgb]>::to_vec),
            void: None,
            threshold: evidence.threshold,
            half: evidence.half(),
            full: if evidence.is_wide() { u16::MAX } else { 255 },
        };
        meaning.void = evidence.void.filter(|&void| match encoding {
            Encoding::Binary => void != 0 && void != meaning.full,
            Encoding::Rgb => {
                let color = meaning.color_of(Shade::Number(void));
                color.is_none_or(|color| !meaning.codes.contains_key(&color))
            }
            Encoding::Index | Encoding::Auto => evidence.is_void(void),
        });
        Ok(meaning)
    }

    /// Whether the file says of a shade that nothing is there, and no class is it.
    pub(super) fn is_void(&self, shade: Shade) -> bool {
        self.void.is_some() && shade.as_number() == self.void
    }

    /// The class of a shade; `None` when it stands for nothing.
    pub(super) fn class_of(&self, shade: Shade) -> Option<u8> {
        match (self.encoding, shade) {
            (_, shade) if shade == Shade::Clear || self.is_void(shade) => Some(UNLABELED),
            (Encoding::Rgb, shade) => self.class_of_color(self.color_of(shade)?),
            (Encoding::Binary, Shade::Color(color)) => Some(u8::from(
                color.map(u16::from).iter().sum::<u16>() >= 3 * u16::from(self.threshold),
            )),
            (Encoding::Binary, Shade::Number(number)) => Some(u8::from(number >= self.half)),
            (_, shade) => shade
                .as_number()
                .and_then(|number| u8::try_from(number).ok()),
        }
    }

    /// Whether the shade counts as a class only because it is near one.
    pub(super) fn is_near_only(&self, shade: Shade) -> bool {
        match self.encoding {
            _ if self.is_void(shade) => false,
            Encoding::Rgb => {
                self.color_of(shade)
                    .is_some_and(|color| !self.codes.contains_key(&color))
                    && self.class_of(shade).is_some()
            }
            Encoding::Binary => shade
                .as_number()
                .is_none_or(|number| number != 0 && number != self.full),
            Encoding::Index | Encoding::Auto => false,
        }
    }

    fn class_of_color(&self, color: Rgb) -> Option<u8> {
        let exact = self.codes.get(&color);
        let split = || {
            self.codes
                .get(&color.map(|channel| if channel < 128 { 0 } else { 255 }))
        };
        exact
            .or_else(|| if self.is_split { split() } else { None })
            .copied()
    }

    /// The color of a shade; grey for numbers without a palette.
    pub(super) fn color_of(&self, shade: Shade) -> Option<Rgb> {
        match (shade, &self.palette) {
            (Shade::Color(color), _) => Some(color),
            (Shade::Number(number), Some(palette)) => palette.get(usize::from(number)).copied(),
            (Shade::Number(number), None) => u8::try_from(number).ok().map(|grey| [grey; 3]),
            (Shade::Clear, _) => None,
        }
    }
}

impl Evidence<'_> {
    /// The least number that is bright: the threshold, of wide numbers in proportion, or the other
    /// one of two wide numbers of which one is 0 and the other white in 8 bits or more.
    fn half(&self) -> u16 {
        let threshold = u16::from(self.threshold);
        if !self.is_wide() {
            return threshold;
        }
        let numbers = self
            .shades
            .map(|shades| shades.iter().map(|shade| shade.as_number()));
        let mut numbers: Option<Vec<u16>> = numbers.and_then(Iterator::collect);
        if let Some(numbers) = &mut numbers {
            numbers.retain(|&number| !self.is_void(number));
        }
        match numbers.as_deref() {
            Some(&[0, bright] | &[bright, 0]) if bright >= 255 => bright,
            _ => threshold << 8,
        }
    }

    /// Whether a number stands for nothing among class indices: the file says so, and the table does
    /// not have it. Many programs declare the background so, hence 0 is a class where there is none.
    fn is_void(&self, number: u16) -> bool {
        let is_class = match self.table {
            Some(table) => u8::try_from(number).is_ok_and(|index| table.get(index).is_some()),
            None => number == 0,
        };
        self.void == Some(number) && !is_class
    }

    fn is_wide(&self) -> bool {
        self.form == Form::Wide
    }

    fn guess(&self) -> Result<Encoding, String> {
        let Some(shades) = self.shades else {
            // Too many: a soft wide grey, or a picture that only codes can make sense of.
            return match self.form {
                Form::Wide => Ok(Encoding::Binary),
                Form::Stretched => Err(TOO_WIDE.to_owned()),
                Form::Byte | Form::Rgba => Ok(Encoding::Rgb),
            };
        };
        if self.palette.is_some() || (self.void == Some(255) && self.form == Form::Byte) {
            return Ok(Encoding::Index);
        }
        if self.form == Form::Rgba && self.has_only_codes(shades) {
            return Ok(Encoding::Rgb);
        }
        let opaque = || shades.iter().filter(|shade| **shade != Shade::Clear);
        let numbers: Option<Vec<u16>> = opaque().map(|shade| shade.as_number()).collect();
        match numbers {
            Some(mut numbers) => {
                numbers.retain(|&number| !self.is_void(number));
                self.guess_numbers(&numbers)
            }
            None => Ok(Encoding::Rgb),
        }
    }

    fn guess_numbers(&self, numbers: &[u16]) -> Result<Encoding, String> {
        if self.form == Form::Stretched {
            let is_two_valued = numbers.iter().all(|&number| number == 0 || number == 255);
            return if is_two_valued {
                Ok(Encoding::Binary)
            } else {
                Err(TOO_WIDE.to_owned())
            };
        }
        if numbers.iter().any(|&number| number > 255) {
            return Ok(Encoding::Binary);
        }
        let is_known = |number: u16| match self.table {
            Some(table) => table.get(number as u8).is_some(),
            None => number < 128,
        };
        let is_black_and_white =
            numbers.contains(&255) && numbers.iter().all(|n| [0, 255].contains(n));
        let is_soft = numbers
            .iter()
            .any(|&number| number != 255 && !is_known(number));
        let has_two_classes = self.table.is_none_or(|table| {
            let white = |class: &Class| class.codes.contains(&[255; 3]);
            table.num_classes() <= 2 || (is_black_and_white && table.classes().iter().any(white))
        });
        let is_crowded = self.table.is_none() && numbers.len() > MOST_INDICES;
        let is_binary = has_two_classes && (is_black_and_white || is_soft || is_crowded);
        Ok(match (is_binary, self.table) {
            (true, Some(table)) if table.num_classes() > 2 => Encoding::Rgb,
            (true, _) => Encoding::Binary,
            (false, _) => Encoding::Index,
        })
    }

    fn has_only_codes(&self, shades: &[Shade]) -> bool {
        let codes = self.table.map(codes_of).unwrap_or_default();
        shades.iter().all(|shade| match shade {
            Shade::Color(color) => codes.contains_key(color),
            Shade::Number(_) => false,
            Shade::Clear => true,
        })
    }

    fn table_by_index(&self) -> Result<ClassTable, String> {
        let reason = "its pixels are colors, not class indices; read it as rgb with a class table";
        let number = |shade: &Shade| match shade {
            Shade::Clear => Some(u16::from(UNLABELED)),
            shade => shade.as_number(),
        };
        let shades = self.shades.ok_or(reason)?;
        let numbers: Option<Vec<u16>> = shades.iter().map(number).collect();
        let indices: Result<Vec<u8>, _> = numbers
            .ok_or(reason)?
            .into_iter()
            .filter(|&number| !self.is_void(number))
            .map(u8::try_from)
            .collect();
        let indices = indices.map_err(|_too_large| TOO_LARGE)?;
        Ok(match (self.table, self.palette) {
            (Some(table), _) => table.with_values(indices),
            (None, Some(palette)) => ClassTable::from_palette(palette, indices),
            (None, None) => ClassTable::from_values(indices),
        })
    }

    fn table_by_color(&self) -> Result<ClassTable, String> {
        if let Some(table) = self.table {
            return Ok(table.clone());
        }
        let mut colors: Vec<Rgb> = match (self.palette, self.shades) {
            (Some(palette), _) => palette.to_vec(),
            (None, Some(shades)) => shades
                .iter()
                .filter_map(|shade| match shade {
                    Shade::Color(color) => Some(*color),
                    Shade::Number(number) if self.is_void(*number) => None,
                    Shade::Number(number) => u8::try_from(*number).ok().map(|grey| [grey; 3]),
                    Shade::Clear => None,
                })
                .collect(),
            (None, None) => Vec::new(),
        };
        colors.sort_unstable();
        colors.dedup();
        if colors.is_empty() || colors.len() > MOST_COLORS {
            return Err(
                "its colors are too many to be classes; give a class table with codes".to_owned(),
            );
        }
        Ok(ClassTable::from_codes(&colors))
    }
}

/// The color codes of a table; a class without codes stands for its own color.
fn codes_of(table: &ClassTable) -> HashMap<Rgb, u8> {
    let mut codes = HashMap::new();
    for class in table.classes() {
        let own = if class.codes.is_empty() {
            vec![class.color]
        } else {
            class.codes.clone()
        };
        for code in own {
            codes.entry(code).or_insert(class.index);
        }
    }
    codes
}

fn black_and_white() -> ClassTable {
    let class = |index, name: &str, code: Rgb| Class {
        codes: vec![code],
        ..Class::new(
            index,
            name,
            super::super::default_color(usize::from(index), 2),
        )
    };
    let dark = Class {
        color: [0x3a, 0x3d, 0x42],
        ..class(0, "background", [0; 3])
    };
    ClassTable::new(Some(0), vec![dark, class(1, "foreground", [255; 3])]).unwrap_or_default()
}
