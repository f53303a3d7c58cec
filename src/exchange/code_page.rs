/// The letters of a table of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodePage {
    /// UTF-8, and Windows-1252 where a text is not valid UTF-8.
    Utf8,
    /// Western Europe, as Windows has it: Latin-1 with more signs.
    Windows1252,
    /// Central Europe, as Windows has it.
    Windows1250,
    /// Central Europe, as Unix had it.
    Latin2,
}

/// From 0x80 on.
const WINDOWS_1250: &str = "\
    €\u{fffd}‚\u{fffd}„…†‡\u{fffd}‰Š‹ŚŤŽŹ\u{fffd}‘’“”•–—\u{fffd}™š›śťžź\
    \u{a0}ˇ˘Ł¤Ą¦§¨©Ş«¬\u{ad}®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľż\
    ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß\
    ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";
/// From 0x80 on; from 0xa0 on it is Latin-1.
const WINDOWS_1252: &str = "\
    €\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ";
/// From 0xa0 on.
const LATIN_2: &str = "\
    \u{a0}Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u{ad}ŽŻ°ą˛ł´ľśˇ¸šşťź˝žż\
    ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß\
    ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";

impl CodePage {
    /// By what a `.cpg` file says; `None` when it is not known.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        let name = name
            .trim()
            .trim_start_matches('\u{feff}')
            .to_ascii_uppercase();
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        match (name.as_str(), digits.as_str()) {
            ("UTF-8" | "UTF8", _) | (_, "65001") => Some(Self::Utf8),
            ("LATIN1" | "LATIN-1", _) | (_, "1252" | "88591" | "885915") => Some(Self::Windows1252),
            ("LATIN2" | "LATIN-2", _) | (_, "88592") => Some(Self::Latin2),
            (_, "1250") => Some(Self::Windows1250),
            _ => None,
        }
    }

    /// By the language driver in the head of a `.dbf` file; `None` when it is not known.
    pub(super) const fn by_driver(driver: u8) -> Option<Self> {
        match driver {
            0x03 | 0x57..=0x59 => Some(Self::Windows1252),
            0xc8 => Some(Self::Windows1250),
            _ => None,
        }
    }

    /// The text that these bytes are.
    pub(super) fn decode(self, bytes: &[u8]) -> String {
        if self == Self::Utf8 {
            return match str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => Self::Windows1252.decode(bytes),
            };
        }
        bytes.iter().map(|&byte| self.letter(byte)).collect()
    }

    fn letter(self, byte: u8) -> char {
        let (table, first) = match self {
            Self::Windows1250 => (WINDOWS_1250, 0x80),
            Self::Latin2 => (LATIN_2, 0xa0),
            Self::Windows1252 | Self::Utf8 => (WINDOWS_1252, 0x80),
        };
        let place = byte.checked_sub(first).map(usize::from);
        place
            .and_then(|place| table.chars().nth(place))
            .unwrap_or(char::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_the_page() {
        for (page, bytes, expected) in [
            (CodePage::Utf8, "Łódź".as_bytes(), "Łódź"),
            (CodePage::Utf8, b"Z\xfcrich", "Zürich"),
            (CodePage::Windows1252, b"\x80 Z\xfcrich\xff", "€ Zürichÿ"),
            (CodePage::Windows1250, b"\xa3\xf3d\x9f", "Łódź"),
            (CodePage::Latin2, b"\xa3\xf3d\xbc", "Łódź"),
        ] {
            assert_eq!(page.decode(bytes), expected, "{page:?}");
        }
        assert_eq!(WINDOWS_1250.chars().count(), 128);
        assert_eq!(WINDOWS_1252.chars().count(), 32);
        assert_eq!(LATIN_2.chars().count(), 96);
    }

    #[test]
    fn names_of_pages_are_understood() {
        for (name, expected) in [
            ("UTF-8", Some(CodePage::Utf8)),
            ("utf8\r\n", Some(CodePage::Utf8)),
            ("ISO-8859-1", Some(CodePage::Windows1252)),
            ("ISO 88591", Some(CodePage::Windows1252)),
            ("ANSI 1250", Some(CodePage::Windows1250)),
            ("cp1252", Some(CodePage::Windows1252)),
            ("ISO-8859-2", Some(CodePage::Latin2)),
            ("Big5", None),
            ("", None),
        ] {
            assert_eq!(CodePage::by_name(name), expected, "{name}");
        }
    }
}
