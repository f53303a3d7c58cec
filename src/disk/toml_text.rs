use serde::de::DeserializeOwned;
use toml::Table;
use toml::de::Error;

/// So much of a line is shown where it is said to be wrong.
const MOST_SHOWN: usize = 80;

/// Reads a value from the text of a TOML file.
///
/// # Errors
/// Where the text is wrong, what is wrong there and what may stand there, in one line.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        let fault = if toml::from_str::<Table>(text).is_err() {
            format!("this is no TOML: {}", one_line(error.message()))
        } else {
            toml_fault(&error)
        };
        match place_of(&error, text) {
            Some(place) => format!("{place}: {fault}"),
            None => fault,
        }
    })
}

/// What is wrong with a value of a TOML file, and what may stand there, in one line and without the
/// names of types.
pub fn toml_fault(error: &Error) -> String {
    let message = one_line(error.message());
    let (what, wanted) = match message.split_once(", expected ") {
        Some((what, wanted)) => (what, Some(wanted)),
        None => (message.as_str(), None),
    };
    let is_of = |beginnings: [&str; 2]| beginnings.iter().any(|begin| what.starts_with(begin));
    match wanted {
        Some(wanted) if is_of(["invalid type: ", "invalid value: "]) => {
            let found = what.split_once(": ").map_or(what, |(_, found)| found);
            format!("it is {}, and must be {}", told(found), words_of(wanted))
        }
        Some(wanted) if is_of(["unknown field", "unknown variant"]) => {
            format!("{what}; write {wanted}")
        }
        None if what.starts_with("missing field") => format!("{what}; add it"),
        _ => message,
    }
}

/// The line that is wrong. What is missing is in none.
fn place_of(error: &Error, text: &str) -> Option<String> {
    let begin = error.span()?.start;
    if begin == 0 && error.message().starts_with("missing field") {
        return None;
    }
    let number = text.get(..begin)?.matches('\n').count();
    let line = text.lines().nth(number)?.trim();
    let line: String = line.chars().take(MOST_SHOWN).collect();
    Some(format!("line {}, “{line}”", number + 1))
}

fn one_line(message: &str) -> String {
    let lines: Vec<&str> = message.lines().map(str::trim).collect();
    lines.join("; ")
}

/// What was found, as people call it.
fn told(found: &str) -> String {
    let kinds = [
        ("string ", "the text "),
        ("integer ", "the number "),
        ("floating point ", "the number "),
        ("boolean ", ""),
        ("map", "a table"),
        ("sequence", "a list"),
    ];
    let known = kinds
        .into_iter()
        .find_map(|(kind, name)| Some(format!("{name}{}", found.strip_prefix(kind)?)));
    known.unwrap_or_else(|| found.to_owned())
}

/// What is wanted, as people call it.
fn words_of(wanted: &str) -> &str {
    match wanted {
        "u8" => "a whole number from 0 to 255",
        "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(rename = "epochs")]
        _epochs: u32,
        #[serde(default, rename = "class")]
        _classes: Vec<Entry>,
    }

    #[derive(Debug, Deserialize)]
    struct Entry {
        #[serde(rename = "index")]
        _index: u8,
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let error = from_toml::<File>(text).expect_err(text);
        assert_eq!(error, expected);
    }

    #[test]
    fn a_fault_is_one_line_that_says_where_what_and_what_to_write() {
        from_toml::<File>("epochs = 3").expect("a file");
        check(
            "epochs = 3\nepoch = 4",
            "line 2, “epoch = 4”: unknown field `epoch`; write `epochs` or `class`",
        );
        check(
            "# few\nepochs = \"many\"",
            "line 2, “epochs = \"many\"”: it is the text \"many\", and must be a whole number, 0 or \
             more",
        );
        check(
            "epochs = 3\n[[class]]\nindex = 300",
            "line 3, “index = 300”: it is the number `300`, and must be a whole number from 0 to \
             255",
        );
        check("class = []", "missing field `epochs`; add it");
        let error = from_toml::<File>("epochs = 3\nepochs").expect_err("no value");
        assert!(
            error.starts_with("line 2, “epochs”: this is no TOML: "),
            "{error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
}
