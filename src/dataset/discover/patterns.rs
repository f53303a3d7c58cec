use std::fmt;
use std::path::Path;

use crate::dataset::DatasetError;
use crate::dataset::layout::has_raster_name;

/// How files are named, as a person says it: text around what differs from sample to sample, for
/// example `*_sat`, `img_*.png` or `*/image.tif`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pattern<'a> {
    before: &'a str,
    behind: &'a str,
}

impl<'a> Pattern<'a> {
    /// Takes a pattern with one `*`, or without any what names end with; `None` when nothing is
    /// said.
    ///
    /// # Errors
    /// [`DatasetError::Correction`] when no file can be told by it.
    pub(super) fn stated(text: &'a str) -> Result<Option<Self>, DatasetError> {
        let text = text.trim();
        let parts = text.split_once('*');
        let (before, behind) = parts.unwrap_or(("", text));
        let is_end_with_folder = parts.is_none() && text.contains('/');
        if is_end_with_folder || behind.contains('*') || text.contains(['\\', '?']) {
            return Err(DatasetError::Correction(format!(
                "“{text}” does not say how files are named; write what the names end with, for \
                 example _sat or _sat.jpg, or one * for what differs from sample to sample, for \
                 example img_* or */image.tif"
            )));
        }
        let is_said = !(before.is_empty() && behind.is_empty());
        Ok(is_said.then_some(Self { before, behind }))
    }

    /// Whether folders belong to it.
    pub(super) fn has_folders(self) -> bool {
        self.before.contains('/') || self.behind.contains('/')
    }

    /// Whether it only says what the names end with.
    pub(super) fn is_end(self) -> bool {
        self.before.is_empty() && !self.behind.contains('/')
    }

    /// How much of a name it fixes.
    pub(super) const fn len(self) -> usize {
        self.before.len() + self.behind.len()
    }

    /// What stands for the sample in a path below the data set, before the ending of the file or
    /// with it; the folders before the pattern belong to it. A name that is nothing but what names
    /// end with is called after its folder. `None` for other names.
    pub(super) fn sample_of(self, path: &str) -> Option<String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let whole = if self.has_folders() { path } else { name };
        let has_ending = has_raster_name(Path::new(&format!("name{}", self.behind)));
        let whole = if has_ending { whole } else { stem_of(whole) };
        let rest = whole.strip_suffix(self.behind)?;
        let is_start = |at: &usize| *at == 0 || (self.has_folders() && rest[..*at].ends_with('/'));
        let mut starts = rest.match_indices(self.before).map(|(at, _)| at);
        let start = starts.find(is_start)?;
        let star = &rest[start + self.before.len()..];
        if star.is_empty() {
            let above = folder.rsplit('/').next().filter(|above| !above.is_empty());
            return above.filter(|_| self.is_end()).map(str::to_owned);
        }
        Some(format!("{}{star}", &rest[..start]))
    }
}

impl fmt::Display for Pattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}*{}", self.before, self.behind)
    }
}

/// A name without its ending.
pub(super) fn stem_of(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// What a stem has around the part that is the sample's: `_sat` behind it, or else a pattern such
/// as `img_*`.
pub(super) fn around(stem: &str, sample: &str) -> String {
    stem.strip_prefix(sample).map_or_else(
        || format!("{}*", stem.strip_suffix(sample).unwrap_or(stem)),
        str::to_owned,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_star_stands_for_the_sample() {
        for (pattern, path, expected) in [
            ("_sat", "a/1_sat.jpg", Some("1")),
            ("*_sat.jpg", "1_sat.jpg", Some("1")),
            ("_sat.png", "1_sat.jpg", None),
            ("img_*", "a/img_0.png", Some("0")),
            ("img_*.png", "img_0.tif", None),
            ("img_*_x", "img_7_x.tif", Some("7")),
            ("img_*", "img_.png", None),
            ("img_*", "my_img_0.png", None),
            ("*/image.tif", "s0/image.tif", Some("s0")),
            ("*/image", "a/s0/image.tif", Some("a/s0")),
            ("*/image.tif", "image.tif", None),
            ("image.tif", "s0/image.tif", Some("s0")),
            ("image.tif", "image.tif", None),
            ("images/*", "train/images/7.png", Some("train/7")),
            ("images/*", "myimages/7.png", None),
            ("images/img_*.png", "images/b/7.png", None),
        ] {
            let stated = Pattern::stated(pattern).expect(pattern).expect(pattern);
            let sample = stated.sample_of(path);
            assert_eq!(sample.as_deref(), expected, "{pattern} {path}");
        }
        assert_eq!(around("1_sat", "1"), "_sat");
        assert_eq!(around("img_0", "0"), "img_*");
    }
}
