use std::path::PathBuf;

use super::base64::base64;

/// A picture for a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPicture {
    /// What it shows.
    pub caption: String,
    /// Where it lies, as seen from the report; reports in Markdown show it by this.
    pub path: PathBuf,
    /// A PNG or JPEG file; reports in HTML hold it whole.
    pub bytes: Vec<u8>,
}

impl ReportPicture {
    /// The picture as the address that holds all of it; `None` when it is neither PNG nor JPEG.
    pub(super) fn data_url(&self) -> Option<String> {
        let kind = match &self.bytes[..] {
            [0x89, b'P', b'N', b'G', ..] => "png",
            [0xff, 0xd8, 0xff, ..] => "jpeg",
            _ => return None,
        };
        Some(format!("data:image/{kind};base64,{}", base64(&self.bytes)))
    }

    /// The path as an address in Markdown, in angle brackets so that it may hold spaces.
    pub(super) fn address(&self) -> String {
        let path = self.path.to_string_lossy().replace('\\', "/");
        let mut address = String::from("<");
        for letter in path.chars() {
            match letter {
                '<' => address.push_str("%3C"),
                '>' => address.push_str("%3E"),
                '%' => address.push_str("%25"),
                letter if letter.is_control() => {}
                letter => address.push(letter),
            }
        }
        address.push('>');
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_held() {
        let picture = |bytes: &[u8]| ReportPicture {
            caption: String::new(),
            path: PathBuf::from("a b/<c>%.png"),
            bytes: bytes.to_vec(),
        };
        let url = |bytes: &[u8]| picture(bytes).data_url();
        assert_eq!(
            url(b"\x89PNG").as_deref(),
            Some("data:image/png;base64,iVBORw==")
        );
        assert_eq!(
            url(b"\xff\xd8\xff").as_deref(),
            Some("data:image/jpeg;base64,/9j/")
        );
        assert_eq!(url(b"<svg onload=alert(1)>"), None);
        assert_eq!(picture(b"").address(), "<a b/%3Cc%3E%25.png>");
    }
}
