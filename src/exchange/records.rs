/// What stands between the fields of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// As RFC 4180 has it.
    Comma,
    /// As spreadsheets write it where the comma is the decimal point.
    Semicolon,
    /// As they put it on the clipboard.
    Tab,
}

impl Separator {
    /// The one that a head line uses.
    pub(super) fn of_head(line: &str) -> Self {
        if line.contains(',') {
            Self::Comma
        } else if line.contains(';') {
            Self::Semicolon
        } else {
            Self::Tab
        }
    }

    const fn char(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
        }
    }
}

/// The records of a text (RFC 4180) with the number of the line each starts on, from 1.
///
/// A quoted field may hold separators, line ends and doubled quotes; a quote that is never closed
/// ends with the text. Fields without quotes are trimmed.
pub(super) fn records(
    text: &str,
    separator: Separator,
) -> impl Iterator<Item = (usize, Vec<String>)> {
    let (mut rest, mut line) = (text, 1);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (before, first) = (rest, line);
        let mut fields = Vec::new();
        loop {
            let field = next_field(&mut rest, separator);
            fields.push(field.text);
            if field.is_last {
                break;
            }
        }
        let read = &before[..before.len() - rest.len()];
        line += read.bytes().filter(|&byte| byte == b'\n').count();
        Some((first, fields))
    })
}

/// A field, and whether the record ends with it.
struct Field {
    text: String,
    is_last: bool,
}

fn next_field(rest: &mut &str, separator: Separator) -> Field {
    let start = rest.trim_start_matches([' ', '\u{feff}']);
    let mut text = String::new();
    let mut after = start;
    if let Some(mut inside) = start.strip_prefix('"') {
        loop {
            let (part, behind) = inside.split_once('"').unwrap_or((inside, ""));
            text.push_str(part);
            after = behind;
            let Some(more) = behind.strip_prefix('"') else {
                break;
            };
            text.push('"');
            inside = more;
        }
    }
    let end = after.find([separator.char(), '\n']).unwrap_or(after.len());
    // What follows a closing quote belongs to the field, as spreadsheets take it.
    text.push_str(after[..end].trim());
    let mut behind = after[end..].chars();
    let ended_by = behind.next();
    *rest = behind.as_str();
    Field {
        text,
        is_last: ended_by != Some(separator.char()),
    }
}

/// A field as it is written between commas.
pub fn quoted(text: &str) -> String {
    let is_plain =
        !text.contains([',', ';', '\t', '"', '\n', '\r', '\u{feff}']) && text == text.trim();
    if is_plain {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_hold_what_would_end_a_field() {
        let text = "a, b ,\"c,\"\"d\"\"\ne\"\r\n\n\"x\" y,\"open\n";
        let all: Vec<_> = records(text, Separator::Comma).collect();
        assert_eq!(
            all,
            [
                (1, vec!["a".into(), "b".into(), "c,\"d\"\ne".into()]),
                (3, vec![String::new()]),
                (4, vec!["xy".into(), "open\n".into()]),
            ]
        );
        let tabs: Vec<_> = records("a b\tc", Separator::of_head("a b\tc")).collect();
        assert_eq!(tabs, [(1, vec!["a b".to_owned(), "c".to_owned()])]);
    }

    proptest! {
        #[test]
        fn fields_read_back(fields in prop::collection::vec("[ -~\n\r\té]{0,9}", 1..5)) {
            let line: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
            let text = format!("{}\n", line.join(","));
            let all: Vec<_> = records(&text, Separator::Comma).collect();
            prop_assert_eq!(all, [(1, fields)]);
        }

        #[test]
        fn records_always_end(text in "[a,;\"\n\r\t é]{0,60}") {
            prop_assert!(records(&text, Separator::Semicolon).count() <= text.len());
        }
    }
}
