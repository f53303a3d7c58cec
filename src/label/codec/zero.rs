use super::decisions::ZeroMeans;
use super::meaning::{Encoding, Meaning};
use super::shades::Shade;
use super::understood::{TableOrigin, Understood};

/// What the number 0, or black, may stand for in a file where it occurs.
#[derive(Clone, Debug, PartialEq)]
pub struct Zero {
    /// How many pixels have it.
    pub pixels: u64,
    /// Their share of the file, 0 to 1.
    pub share: f64,
    /// What it probably stands for.
    pub suggested: ZeroMeans,
    /// Why, as a sentence without its period.
    pub why: String,
    /// Whether a person should say, since the file contradicts itself or says nothing.
    pub is_open: bool,
}

/// Names that data sets give to what is no class.
const VOID_NAMES: [&str; 9] = [
    "void",
    "unlabeled",
    "unlabelled",
    "unknown",
    "ignore",
    "nodata",
    "no data",
    "no-data",
    "unclassified",
];

impl Zero {
    /// What is known; `None` where neither 0 nor black is in question.
    pub(super) fn of(understood: &Understood) -> Option<Self> {
        let meaning = &understood.meaning;
        let shades = understood.counts.by_frequency().into_iter();
        let zeros = shades.filter(|&(shade, _)| is_zero(meaning, shade));
        let pixels: u64 = zeros.map(|(_, found)| found.pixels).sum();
        let class = class_of_zero(meaning);
        if pixels == 0 || (meaning.encoding == Encoding::Rgb && class.is_none()) {
            return None;
        }
        let share = pixels as f64 / understood.reader.size.num_pixels().max(1) as f64;
        let what = if meaning.encoding == Encoding::Rgb {
            "Black"
        } else {
            "0"
        };
        let (suggested, is_open, why) = judged(understood, class, what, share);
        Some(Self {
            pixels,
            share,
            suggested,
            why,
            is_open,
        })
    }
}

/// Whether a shade is the number 0, or black in a color-coded file.
pub(super) fn is_zero(meaning: &Meaning, shade: Shade) -> bool {
    match meaning.encoding {
        Encoding::Rgb => meaning.color_of(shade) == Some([0; 3]),
        _ => shade.as_number() == Some(0),
    }
}

/// The class of the number 0 or of black, where the table has it.
pub(super) fn class_of_zero(meaning: &Meaning) -> Option<u8> {
    match meaning.encoding {
        Encoding::Rgb => meaning.codes.get(&[0; 3]).copied(),
        _ => meaning.classes.get(0).map(|class| class.index),
    }
}

fn judged(
    understood: &Understood,
    class: Option<u8>,
    what: &str,
    share: f64,
) -> (ZeroMeans, bool, String) {
    let is_void = understood.reader.nodata == Some(0.0);
    let is_named = understood.origin.is_named();
    let name = |class| understood.meaning.classes.name_of(class);
    let percent = 100.0 * share;
    match class {
        Some(class) if is_named && is_void => (
            ZeroMeans::Unlabeled,
            true,
            format!(
                "The file says that 0 is no data, but the class table calls it “{}”",
                name(class)
            ),
        ),
        // Many programs tag the background so, hence somebody should say.
        _ if is_void => (
            ZeroMeans::Unlabeled,
            true,
            format!("The file says that 0 is no data; it covers {percent:.1} %"),
        ),
        Some(class) if is_named && is_void_name(&name(class)) => (
            ZeroMeans::Unlabeled,
            true,
            format!(
                "{what} is “{}” in the class table, which is a name for no class",
                name(class)
            ),
        ),
        Some(class) if is_named => (
            ZeroMeans::Class,
            false,
            format!("{what} is “{}” in the class table", name(class)),
        ),
        _ if understood.meaning.encoding == Encoding::Binary => {
            let why = "0 is the dark one of two classes".to_owned();
            (ZeroMeans::Class, false, why)
        }
        _ if understood.origin == TableOrigin::Palette => (
            ZeroMeans::Class,
            false,
            "0 has a color in the palette".to_owned(),
        ),
        None => (
            ZeroMeans::Unlabeled,
            true,
            format!("0 is not in the class table and covers {percent:.1} %"),
        ),
        Some(_) => (
            ZeroMeans::Class,
            true,
            format!("{what} has no name and covers {percent:.1} %"),
        ),
    }
}

/// Whether people call ground so that is of no class: `void`, `unlabeled`, `ignore` and the like.
pub fn is_void_name(name: &str) -> bool {
    VOID_NAMES.contains(&name.trim().to_lowercase().as_str())
}
