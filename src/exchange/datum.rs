/// How the datums of two PROJ strings are joined.
#[derive(Debug, PartialEq)]
pub(super) enum Shift {
    /// They are one, or lie within a meter or two of each other.
    None,
    /// They are the same; these are the strings without it, since its way to WGS 84 is not needed.
    SameDatum(String, String),
    /// By few parameters; how far that may be off, as a sentence.
    Rough(String),
}

/// The datum of one PROJ string.
#[derive(Debug, PartialEq)]
enum Datum {
    /// WGS 84, or one that lies with it.
    Global,
    /// Three or seven parameters to WGS 84.
    Parameters(usize),
    /// A grid of shifts.
    Grid,
    /// An old ellipsoid without a way to WGS 84.
    Unknown,
}

/// The shift by which the Swiss datum CH1903+ is defined: exact, not fitted.
const CH1903_PLUS: [f64; 3] = [674.374, 15.056, 405.346];

/// Named datums with parameters, and how many.
const NAMED: [(&str, usize); 7] = [
    ("potsdam", 7),
    ("hermannskogel", 7),
    ("nzgd49", 7),
    ("ire65", 7),
    ("OSGB36", 7),
    ("carthage", 3),
    ("GGRS87", 3),
];

/// How to come from the datum of one PROJ string to that of another.
///
/// # Errors
/// Why there is no way.
pub(super) fn shift_between(from: &str, to: &str) -> Result<Shift, String> {
    if datum_words(from) == datum_words(to) {
        return Ok(Shift::SameDatum(without_datum(from), without_datum(to)));
    }
    let mut fewest = None::<usize>;
    for text in [from, to] {
        match datum_of(text) {
            Datum::Global => {}
            Datum::Parameters(count) => fewest = Some(fewest.map_or(count, |old| old.min(count))),
            Datum::Grid => {
                return Err(
                    "the way leads over a grid of shifts, which is not known here".to_owned(),
                );
            }
            Datum::Unknown => {
                return Err("how their datums lie to each other is not known here".to_owned());
            }
        }
    }
    Ok(fewest.map_or(Shift::None, |count| {
        let meters = if count == 7 { "a few" } else { "ten" };
        Shift::Rough(format!(
            "The shift between the datums is by {count} parameters, which may be off by {meters} \
             meters; tools with grids of shifts, such as ogr2ogr, do it better"
        ))
    }))
}

/// The words that say the ellipsoid and its place in the earth.
fn datum_words(text: &str) -> Vec<&str> {
    const KEYS: [&str; 9] = [
        "+datum=",
        "+ellps=",
        "+towgs84=",
        "+nadgrids=",
        "+a=",
        "+b=",
        "+rf=",
        "+R=",
        "+pm=",
    ];
    let words = text.split_whitespace();
    words
        .filter(|word| KEYS.iter().any(|key| word.starts_with(key)))
        .collect()
}

/// With the ellipsoid alone.
fn without_datum(text: &str) -> String {
    let kept = text.split_whitespace().filter_map(|word| match word {
        "+datum=NAD27" => Some("+ellps=clrk66"),
        _ if word.starts_with("+towgs84=") || word.starts_with("+nadgrids=") => None,
        _ => Some(word),
    });
    kept.collect::<Vec<_>>().join(" ")
}

fn datum_of(text: &str) -> Datum {
    let value = |key: &str| {
        text.split_whitespace()
            .find_map(|word| word.strip_prefix(key))
    };
    match (value("+nadgrids="), value("+towgs84="), value("+datum=")) {
        (Some("@null"), _, _) => Datum::Global,
        (Some(_), _, _) | (_, None, Some("NAD27")) => Datum::Grid,
        (_, Some(shift), _) => {
            let numbers = shift
                .split(',')
                .map(|number| number.trim().parse().unwrap_or(f64::NAN));
            let numbers: Vec<f64> = numbers.collect();
            match numbers.iter().rposition(|&number| number != 0.0) {
                None => Datum::Global,
                Some(_) if numbers.starts_with(&CH1903_PLUS) => Datum::Global,
                Some(last) => Datum::Parameters(if last < 3 { 3 } else { 7 }),
            }
        }
        (_, _, Some("WGS84" | "NAD83")) => Datum::Global,
        (_, _, Some(name)) => {
            let named = NAMED.iter().find(|(known, _)| *known == name);
            named.map_or(Datum::Unknown, |&(_, count)| Datum::Parameters(count))
        }
        // Modern systems, whose ellipsoids lie with WGS 84.
        _ if matches!(value("+ellps="), Some("GRS80" | "WGS84")) => Datum::Global,
        _ => Datum::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datums_are_told_apart() {
        for (text, expected) in [
            ("+proj=longlat +datum=WGS84 +no_defs", Datum::Global),
            (
                "+proj=utm +ellps=GRS80 +towgs84=0,0,0,0,0,0,0",
                Datum::Global,
            ),
            ("+proj=utm +zone=55 +ellps=GRS80 +units=m", Datum::Global),
            (
                "+proj=merc +a=6378137 +b=6378137 +nadgrids=@null",
                Datum::Global,
            ),
            ("+proj=tmerc +datum=potsdam", Datum::Parameters(7)),
            (
                "+ellps=bessel +towgs84=674.4,15.1,405.3,0,0,0,0",
                Datum::Parameters(3),
            ),
            ("+proj=utm +datum=NAD27", Datum::Grid),
            ("+ellps=intl +nadgrids=nzgd2kgrid0005.gsb", Datum::Grid),
            ("+proj=utm +ellps=clrk66", Datum::Unknown),
            ("", Datum::Unknown),
        ] {
            assert_eq!(datum_of(text), expected, "{text}");
        }
    }

    #[test]
    fn one_datum_needs_no_way_to_another() {
        let shift = shift_between(
            "+proj=utm +zone=18 +datum=NAD27",
            "+proj=longlat +datum=NAD27",
        );
        let [from, to] = [
            "+proj=utm +zone=18 +ellps=clrk66",
            "+proj=longlat +ellps=clrk66",
        ];
        assert_eq!(shift, Ok(Shift::SameDatum(from.to_owned(), to.to_owned())));
        let unknown = "+proj=utm +zone=18 +ellps=clrk66";
        assert!(shift_between(unknown, unknown).is_ok());
        assert!(shift_between(unknown, "+proj=longlat +datum=WGS84").is_err());
    }
}
