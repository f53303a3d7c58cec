use super::meaning::{Encoding, Meaning};
use super::rows::{Form, RowReader};
use super::shade_counts::ShadeCounts;
use super::shades::Shade;
use super::understood::TableOrigin;

/// Why a file was taken for this encoding, as a sentence without its period.
pub(super) fn why(
    reader: &RowReader,
    counts: &ShadeCounts,
    meaning: &Meaning,
    origin: &TableOrigin,
    num_unknown: usize,
) -> String {
    let values = counts.num_opaque();
    match meaning.encoding {
        Encoding::Rgb => format!(
            "{}, {} different colors, {}",
            form(reader),
            number(values, counts.unlisted > 0),
            in_table(origin, values, num_unknown)
        ),
        Encoding::Binary => format!("{}, {}", form(reader), greys(counts, reader.form)),
        Encoding::Index | Encoding::Auto => format!(
            "{}, {}, {}",
            form(reader),
            range(counts),
            in_table(origin, values, num_unknown)
        ),
    }
}

fn form(reader: &RowReader) -> &'static str {
    match (reader.form, reader.bands) {
        _ if reader.palette.is_some() => "Indices into a palette",
        (Form::Wide | Form::Stretched, _) => "One band of more than 8 bits",
        (Form::Byte, _) | (Form::Rgba, 1) => "One band",
        (Form::Rgba, 2) => "One band with transparency",
        (Form::Rgba, 3) => "Three bands",
        (Form::Rgba, _) => "Four bands",
    }
}

fn in_table(origin: &TableOrigin, values: usize, num_unknown: usize) -> String {
    match origin {
        TableOrigin::Values | TableOrigin::BlackAndWhite => "and no class table".to_owned(),
        TableOrigin::Palette => "which the palette colors".to_owned(),
        TableOrigin::Colors if num_unknown == 0 => "few enough to be classes".to_owned(),
        TableOrigin::Colors => format!(
            "of which the {} most frequent were taken for classes",
            values - num_unknown.min(values)
        ),
        _ if num_unknown == 0 => "all in the class table".to_owned(),
        _ if num_unknown >= values => "none of them in the class table".to_owned(),
        _ => format!("{} of them in the class table", values - num_unknown),
    }
}

fn number(values: usize, is_more: bool) -> String {
    if is_more {
        format!("more than {values}")
    } else {
        values.to_string()
    }
}

fn numbers(counts: &ShadeCounts) -> Vec<u16> {
    let all = counts.by_frequency().into_iter();
    let mut numbers: Vec<u16> = all.filter_map(|(shade, _)| shade.as_number()).collect();
    numbers.sort_unstable();
    numbers
}

fn range(counts: &ShadeCounts) -> String {
    match numbers(counts)[..] {
        [] => "no value at all".to_owned(),
        [only] => format!("the value {only} alone"),
        [ref rest @ .., last] if rest.len() < 6 => {
            let rest: Vec<String> = rest.iter().map(u16::to_string).collect();
            format!("the values {} and {last}", rest.join(", "))
        }
        [first, .., last] => {
            let different = numbers(counts).len();
            format!("{different} different values from {first} to {last}")
        }
    }
}

fn greys(counts: &ShadeCounts, form: Form) -> String {
    let white = if form == Form::Wide { u16::MAX } else { 255 };
    let (mut pure, mut total) = (0, counts.unlisted);
    for (shade, found) in counts.by_frequency() {
        if shade != Shade::Clear {
            total += found.pixels;
            let is_pure = shade.as_number().is_some_and(|n| n == 0 || n == white);
            pure += if is_pure { found.pixels } else { 0 };
        }
    }
    if pure == total {
        return "black and white alone".to_owned();
    }
    format!(
        "{} different greys, {:.1} % of the pixels black or white; the others were split in the middle",
        counts.num_opaque(),
        100.0 * pure as f64 / total.max(1) as f64
    )
}
