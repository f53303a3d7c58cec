pub use crate::label::{count_of, grouped};

/// So many of all: 2 of 2,300.
pub fn of_all(count: u64, all: u64) -> String {
    format!("{} of {}", grouped(count), grouped(all))
}

/// A whole number in at most four signs: 999, 1.2k, 85M.
pub fn short(number: u64) -> String {
    let exact = number as f64;
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    // What rounds up to the next unit is told in it.
    let found = units.into_iter().find(|(unit, _)| exact >= unit * 0.9995);
    match found.map(|(unit, letter)| (exact / unit, letter)) {
        Some((scaled, letter)) if scaled < 9.95 => format!("{scaled:.1}{letter}"),
        Some((scaled, letter)) => format!("{scaled:.0}{letter}"),
        None => number.to_string(),
    }
}

/// Bytes as people read them: 212 MB.
pub fn bytes(count: usize) -> String {
    let count = count as f64;
    match count {
        count if count < 1e6 => format!("{:.0} kB", count / 1e3),
        count if count < 1e9 => format!("{:.0} MB", count / 1e6),
        count => format!("{:.2} GB", count / 1e9),
    }
}

/// Seconds as people read them: 1 min 20 s.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

/// Seconds that may be parts of one: 17 ms, 1.80 s, 12 s, 1 min 20 s.
pub fn span(seconds: f64) -> String {
    match seconds {
        none if none <= 0.0 => "0 s".to_owned(),
        few if few < 0.0995 => format!("{:.0} ms", few * 1000.0),
        few if few < 9.995 => format!("{few:.2} s"),
        many => duration(many),
    }
}

/// Seconds that nobody knows exactly: 40 s, 3 min, 2 h 10 min.
pub fn about(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match (minutes / 60, minutes % 60) {
        (0, 0 | 1) => format!("{:.0} s", (seconds / 5.0).ceil() * 5.0),
        (0, m) => format!("{m} min"),
        (h, m) => format!("{h} h {m:02} min"),
    }
}

/// A ratio with three decimals, or a dash.
pub fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// A magnification: 50 %.
pub fn zoom(scale: f64) -> String {
    let percent = scale * 100.0;
    if percent < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(of_all(2, 2_300), "2 of 2,300");
        assert_eq!(
            [999, 1_234, 9_960, 85_500, 999_600, 85_500_000].map(short),
            ["999", "1.2k", "10k", "86k", "1.0M", "86M"]
        );
        assert_eq!([bytes(4_000), bytes(212_400_000)], ["4 kB", "212 MB"]);
        assert_eq!(
            [duration(9.4), duration(80.0), duration(7_500.0)],
            ["9 s", "1 min 20 s", "2 h 05 min"]
        );
        assert_eq!(
            [0.0, 0.017, 0.0999, 1.8, 12.2].map(span),
            ["0 s", "17 ms", "0.10 s", "1.80 s", "12 s"]
        );
        assert_eq!(
            [1.2, 41.0, 89.0, 200.0, 7_500.0].map(about),
            ["5 s", "45 s", "90 s", "3 min", "2 h 05 min"]
        );
        assert_eq!([zoom(0.5), zoom(0.0312)], ["50 %", "3.1 %"]);
    }
}
