use crate::train::epoch::quoted;

/// One line of a CSV file; fields that need quotes have them (RFC 4180).
pub(in crate::train) fn csv_line<T: AsRef<str>>(fields: impl IntoIterator<Item = T>) -> String {
    let fields: Vec<String> = fields
        .into_iter()
        .map(|field| quoted(field.as_ref()))
        .collect();
    let mut line = fields.join(",");
    line.push('\n');
    line
}

/// The records of a CSV text, one after the other. Total: a quote that is never closed reaches to
/// the end of the text, and what follows a closing quote belongs to the field.
pub(in crate::train) struct Records<'a> {
    rest: &'a str,
}

/// The text of a CSV file whatever its bytes are; a byte order mark is left out.
pub(in crate::train) fn csv_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()
}

/// A record with more fields than this is cut: no table here is wider.
const MOST_FIELDS: usize = 512;

impl<'a> Records<'a> {
    pub(in crate::train) const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }
}

impl Iterator for Records<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut fields, mut field) = (Vec::new(), String::new());
        let mut is_quoted = false;
        let mut chars = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, letter)) = chars.next() {
            match letter {
                '"' if is_quoted && chars.next_if(|&(_, next)| next == '"').is_some() => {
                    field.push('"');
                }
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => push_field(&mut fields, &mut field),
                '\n' if !is_quoted => {
                    end = at + 1;
                    break;
                }
                '\r' if !is_quoted && chars.peek().is_none_or(|&(_, next)| next == '\n') => {}
                other => field.push(other),
            }
        }
        push_field(&mut fields, &mut field);
        self.rest = &self.rest[end..];
        Some(fields)
    }
}

fn push_field(fields: &mut Vec<String>, field: &mut String) {
    let field = std::mem::take(field);
    if fields.len() < MOST_FIELDS {
        fields.push(field);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_end_with_lines_outside_of_quotes() {
        let text = "a,\"b, \"\"c\"\"\"\r\n\"two\nlines\",\n,\nlast";
        let records: Vec<_> = Records::new(text).collect();
        let expected: [&[&str]; 4] = [
            &["a", "b, \"c\""],
            &["two\nlines", ""],
            &["", ""],
            &["last"],
        ];
        assert_eq!(records, expected);
        assert_eq!(Records::new("").count(), 0);
        assert_eq!(csv_text(b"\xef\xbb\xbfa"), "a");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(
            prop::collection::vec(any::<String>(), 1..5), 0..5)) {
            let text: String = rows.iter().map(csv_line).collect();
            prop_assert_eq!(Records::new(&text).collect::<Vec<_>>(), rows);
        }

        #[test]
        fn any_bytes_are_some_records(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let text = csv_text(&bytes);
            prop_assert!(Records::new(&text).count() <= bytes.len());
        }
    }
}
