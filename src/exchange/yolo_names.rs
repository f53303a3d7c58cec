use std::path::Path;

use super::ExchangeError;
use super::text_file::read_limited;
use crate::label::{Class, ClassTable, UNLABELED, default_color};

/// A list of 255 names is some 20 KB; a larger file is something else.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Reads the class names of a `data.yaml`, in colors of our own.
///
/// Of YAML only the forms are understood in which such names are written: after `names:` a list or
/// a table of indices, in brackets or one entry a line, plain or in quotes.
///
/// # Errors
/// [`ExchangeError`] when the disk does not give the file or there are no such names in it.
pub fn read_yolo_names(path: &Path) -> Result<ClassTable, ExchangeError> {
    let bytes = read_limited(path, MAX_FILE_BYTES)?;
    let parsed = str::from_utf8(&bytes)
        .map_err(|error| format!("it is not text: {error}"))
        .and_then(parse);
    parsed.map_err(|reason| ExchangeError::Malformed {
        reason,
        path: path.to_owned(),
    })
}

fn parse(text: &str) -> Result<ClassTable, String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("names:"));
    let head = lines.next().ok_or("it has no line \"names:\"")?;
    let inline = without_comment(&head["names:".len()..]).trim();
    let entries = if inline.is_empty() {
        let is_part = |line: &&str| line.is_empty() || line.starts_with([' ', '\t', '-', '#']);
        let block = lines
            .take_while(is_part)
            .map(|line| without_comment(line).trim());
        let filled = block.filter(|line| !line.is_empty());
        filled
            .map(|line| line.strip_prefix('-').unwrap_or(line).trim().to_owned())
            .collect()
    } else {
        // Brackets may go on over lines.
        let rest = lines
            .map(without_comment)
            .fold(inline.to_owned(), |all, line| all + " " + line);
        in_brackets(&rest)?
    };
    if entries.len() > usize::from(UNLABELED) {
        return Err(format!(
            "it has {} names, but at most 255 are possible",
            entries.len()
        ));
    }
    let named = entries
        .iter()
        .zip(0..)
        .map(|(entry, place)| match split_index(entry) {
            Some((index, name)) => (index, unquoted(name)),
            None => (place, unquoted(entry)),
        });
    let class = |(index, name): (u8, String)| {
        Class::new(
            index,
            name,
            default_color(usize::from(index), entries.len()),
        )
    };
    ClassTable::new(None, named.map(class).collect()).map_err(|error| error.to_string())
}

/// `7: name` as its parts.
fn split_index(entry: &str) -> Option<(u8, &str)> {
    let (index, name) = entry.split_once(':')?;
    Some((index.trim().parse().ok()?, name.trim()))
}

/// The entries between the first bracket and the one that closes it.
fn in_brackets(text: &str) -> Result<Vec<String>, String> {
    let end = match text.chars().next() {
        Some('[') => ']',
        Some('{') => '}',
        _ => return Err("its names are neither a list nor a table".to_owned()),
    };
    let (mut entries, mut entry) = (Vec::new(), String::new());
    let mut quotes = Quotes::default();
    for char in text.chars().skip(1) {
        let is_outside = quotes.go_on(char);
        if is_outside && (char == ',' || char == end) {
            entries.push(std::mem::take(&mut entry).trim().to_owned());
            if char == end {
                entries.retain(|entry| !entry.is_empty());
                return Ok(entries);
            }
        } else {
            entry.push(char);
        }
    }
    Err(format!("its names do not end with \"{end}\""))
}

/// Knows whether a character is in quotes.
#[derive(Default)]
struct Quotes {
    open: Option<char>,
    is_escaped: bool,
    /// The last character that is no space.
    before: Option<char>,
}

impl Quotes {
    /// Whether the next character stands outside of quotes.
    fn go_on(&mut self, char: char) -> bool {
        // Within a plain name a quote is a character like others; two are one in a quoted name.
        let begins = |before: char| ",:[{-".contains(before) || before == char;
        let is_quote = char == '"' || char == '\'';
        let opens = is_quote && self.before.is_none_or(begins);
        if !char.is_whitespace() {
            self.before = Some(char);
        }
        match self.open {
            None if opens => self.open = Some(char),
            None => return true,
            Some(_) if self.is_escaped => self.is_escaped = false,
            Some('"') if char == '\\' => self.is_escaped = true,
            Some(open) if char == open => self.open = None,
            Some(_) => {}
        }
        false
    }
}

fn without_comment(line: &str) -> &str {
    let mut quotes = Quotes::default();
    let mut before = ' ';
    for (at, char) in line.char_indices() {
        if quotes.go_on(char) && char == '#' && before.is_whitespace() {
            return &line[..at];
        }
        before = char;
    }
    line
}

/// A plain or quoted scalar as text.
fn unquoted(text: &str) -> String {
    let inside = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(text) = inside('\'') {
        return text.replace("''", "'");
    }
    serde_json::from_str(text)
        .ok()
        .or_else(|| inside('"').map(str::to_owned))
        .unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{YoloFolders, write_yolo_data};
    use super::*;

    #[test]
    fn names_are_read_in_all_forms() {
        for text in [
            "nc: 2\nnames: ['it''s', \"b, c\"]  # two\n",
            "names: {0: it's, 1: 'b, c'}",
            "names: [ \"it's\",\n  'b, c' ]\nnc: 2",
            "names:\n  0: it's # one\n  1: b, c\nnc: 2\n",
            "path: x\nnames:\n- it's\n\n- \"b, c\"\ntrain: y",
        ] {
            let table = parse(text).expect(text);
            let names: Vec<_> = table
                .classes()
                .iter()
                .map(|class| class.name.as_str())
                .collect();
            assert_eq!(names, ["it's", "b, c"], "{text}");
        }
    }

    #[test]
    fn other_files_say_what_is_wrong() {
        let many = format!("names: [{}]", "a,".repeat(256));
        for (text, expected) in [
            ("nc: 2", "no line"),
            ("names: 7", "neither"),
            ("names: [a", "do not end"),
            ("names: {1: a, 1: b}", "share index 1"),
            (many.as_str(), "256 names"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn our_own_file_reads_back(names in prop::collection::vec("[!-~é][ -~\n]{0,9}", 1..9)) {
            let classes = (0..).zip(&names).map(|(index, name)| Class::new(index, name.as_str(), [0; 3]));
            let table = ClassTable::new(None, classes.collect()).expect("valid");
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("data.yaml");
            let folders = YoloFolders { train: "a", validation: "b", test: Some("c") };
            write_yolo_data(&path, &table, &folders).expect("written");
            let read = read_yolo_names(&path).expect("our own");
            let read: Vec<_> = read.classes().iter().map(|class| class.name.clone()).collect();
            prop_assert_eq!(read, names);
        }

        #[test]
        fn any_text_is_read_without_panic(text in "names:[ \n\\[{]?[a0:,'\"\\\\\\]}# \n-]{0,40}") {
            let _either_is_fine = parse(&text);
        }
    }
}
