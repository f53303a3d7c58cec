use std::fmt::Write as _;

/// Appends formatted text to a string, which takes any text.
macro_rules! put {
    ($text:expr, $($what:tt)*) => {
        std::fmt::Write::write_fmt($text, format_args!($($what)*))
            .expect("a string takes any text")
    };
}
pub(in crate::train) use put;

/// What stands where there is no number.
pub(in crate::train) const NONE: &str = "–";

/// A ratio as people read it, with three digits.
pub(in crate::train) fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.3}"))
}

/// A number as tables for programs have it; empty when there is none.
pub(super) fn exact(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.6}"))
}

/// How much more `value` is than `than`, with its sign; ± where no digit that is shown differs.
pub(super) fn difference(value: Option<f64>, than: Option<f64>) -> Option<String> {
    let difference = value? - than?;
    let sign = match difference {
        -0.0005..0.0005 => '±',
        ..0.0 => '−',
        _ => '+',
    };
    Some(format!("{sign}{:.3}", difference.abs()))
}

/// A count with thin spaces between thousands.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A time as people say it.
pub(in crate::train) fn duration(seconds: f64) -> String {
    if !(seconds.is_finite() && seconds >= 0.0) {
        return NONE.to_owned();
    }
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{whole} s"),
        120..7200 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

/// Text as it may stand in HTML, in attributes as well.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // No XML and no page may hold them.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

/// Text as it may stand in Markdown, in the cells of tables as well: in one line, and no letter
/// that means something.
pub(in crate::train) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' => {
                safe.push('\\');
                safe.push(letter);
            }
            '&' => safe.push_str("&amp;"),
            '\n' | '\r' | '\t' => safe.push(' '),
            letter if letter.is_control() => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

/// A line of a Markdown table.
pub(in crate::train) fn markdown_row<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let mut line = String::from("|");
    for cell in cells {
        write!(line, " {} |", cell.as_ref()).expect("a string takes any text");
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_people_say_them() {
        for (seconds, text) in [
            (0.25, "0.2 s"),
            (59.6, "60 s"),
            (125.0, "2 min 05 s"),
            (7260.0, "2 h 01 min"),
            (f64::NAN, "–"),
            (-1.0, "–"),
        ] {
            assert_eq!(duration(seconds), text);
        }
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!((count(12), count(123)), ("12".to_owned(), "123".to_owned()));
        assert_eq!(
            difference(Some(0.5), Some(0.625)).as_deref(),
            Some("−0.125")
        );
        assert_eq!(difference(Some(0.5), Some(0.5)).as_deref(), Some("±0.000"));
        assert_eq!(difference(None, Some(0.5)), None);
    }

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(
            escaped("<b a='\"'>&\u{1}"),
            "&lt;b a=&#39;&quot;&#39;&gt;&amp;\u{fffd}"
        );
        assert_eq!(plain("a|b\n<i> [x](y) *"), "a\\|b \\<i\\> \\[x\\](y) \\*");
    }
}
