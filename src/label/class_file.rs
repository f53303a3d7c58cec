use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::MaskError;
use super::class::{Class, ClassTable, Rgb};
use crate::disk::{ReplaceError, from_toml, keep_version, open_file, replace_file};

const SCHEMA: u32 = 1;

/// A class table of 255 classes is some 20 KB; a larger file is something else.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Old versions of a class table that are kept.
const VERSIONS: u32 = 3;

/// `classes.toml` as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    background: Option<u8>,
    #[serde(default, rename = "class")]
    classes: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    index: u8,
    name: String,
    color: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    codes: Vec<Rgb>,
}

impl ClassTable {
    /// Reads the text of a `classes.toml`.
    ///
    /// # Errors
    /// [`MaskError::ClassTable`] when it is not TOML, has another schema or breaks a rule.
    pub fn from_toml(text: &str) -> Result<Self, MaskError> {
        let broken = |reason: String| MaskError::ClassTable { reason };
        let file: File = from_toml(text).map_err(broken)?;
        if file.schema != SCHEMA {
            let reason = format!(
                "it has schema {}; this version reads schema {SCHEMA}",
                file.schema
            );
            return Err(broken(reason));
        }
        let class = |entry: Entry| -> Result<Class, MaskError> {
            let color = parse_color(&entry.color).ok_or_else(|| {
                broken(format!(
                    "the color {:?} is not like \"#e69f00\"",
                    entry.color
                ))
            })?;
            Ok(Class {
                index: entry.index,
                name: entry.name,
                color,
                codes: entry.codes,
            })
        };
        Self::new(
            file.background,
            file.classes
                .into_iter()
                .map(class)
                .collect::<Result<_, _>>()?,
        )
    }

    /// The text of a `classes.toml`.
    pub fn to_toml(&self) -> String {
        let entry = |class: &Class| {
            let [red, green, blue] = class.color;
            Entry {
                index: class.index,
                name: class.name.clone(),
                color: format!("#{red:02x}{green:02x}{blue:02x}"),
                codes: class.codes.clone(),
            }
        };
        let classes = self.classes().iter().map(entry).collect();
        let file = File {
            schema: SCHEMA,
            background: self.background(),
            classes,
        };
        toml::to_string(&file).expect("numbers, strings and lists are all TOML")
    }

    /// Reads a `classes.toml`.
    ///
    /// # Errors
    /// [`MaskError::ClassFile`] when it cannot be read or is not a class table.
    pub fn load(path: &Path) -> Result<Self, MaskError> {
        let unusable = |reason: String| MaskError::ClassFile {
            reason,
            path: path.to_owned(),
        };
        let text = read_limited(path).map_err(|error| unusable(error.to_string()))?;
        Self::from_toml(&text).map_err(|error| match error {
            MaskError::ClassTable { reason } => unusable(reason),
            other => other,
        })
    }

    /// Writes a `classes.toml`, whole or not at all. A file that says the same stays as somebody
    /// wrote it; one that says something else is kept as
    /// [`version_path`](crate::disk::version_path) names it.
    ///
    /// # Errors
    /// [`MaskError::Write`] when the disk refuses.
    pub fn save(&self, path: &Path) -> Result<(), MaskError> {
        if Self::load(path).is_ok_and(|there| there == *self) {
            return Ok(());
        }
        keep_version(path, VERSIONS).map_err(|source| ReplaceError {
            path: path.to_owned(),
            source,
        })?;
        Ok(replace_file(path, self.to_toml().as_bytes())?)
    }

    /// The table that lies beside a mask: `STEM.classes.toml`, else `classes.toml`.
    ///
    /// # Errors
    /// [`MaskError::ClassFile`] when there is one that cannot be used.
    pub fn beside(mask: &Path) -> Result<Option<Self>, MaskError> {
        let own = Self::own(mask)?;
        if own.is_some() {
            return Ok(own);
        }
        let shared = Some(mask.with_file_name("classes.toml"));
        let shared = shared.filter(|path| path.is_file());
        shared.map(|path| Self::load(&path)).transpose()
    }

    /// The table of a mask alone: `STEM.classes.toml` beside it.
    ///
    /// # Errors
    /// [`MaskError::ClassFile`] when there is one that cannot be used.
    pub fn own(mask: &Path) -> Result<Option<Self>, MaskError> {
        let own = stem_file(mask).filter(|path| path.is_file());
        own.map(|path| Self::load(&path)).transpose()
    }
}

/// `STEM.classes.toml` beside a mask.
pub(super) fn stem_file(mask: &Path) -> Option<PathBuf> {
    let mut name = mask.file_stem()?.to_owned();
    name.push(".classes.toml");
    Some(mask.with_file_name(name))
}

fn read_limited(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let read = open_file(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)?;
    if read as u64 > MAX_FILE_BYTES {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

fn parse_color(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some([red, green, blue])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::version_path;

    #[test]
    fn a_table_reads_back_as_it_was_written() {
        for table in [
            ClassTable::landcover_ai(),
            ClassTable::road(),
            ClassTable::from_values([7, 9]),
        ] {
            assert_eq!(
                ClassTable::from_toml(&table.to_toml()).expect("our own"),
                table
            );
        }
    }

    #[test]
    fn the_text_is_as_documented() {
        let text = ClassTable::road().to_toml();
        assert!(
            text.starts_with("schema = 1\nbackground = 0\n\n[[class]]\nindex = 0\n"),
            "{text}"
        );
        assert!(
            text.contains("color = \"#e69f00\"\ncodes = [[255, 255, 255]]"),
            "{text}"
        );
    }

    #[test]
    fn wrong_texts_say_what_is_wrong() {
        let class = "[[class]]\nindex = 0\nname = \"a\"\n";
        for (text, expected) in [
            ("classes".to_owned(), "TOML"),
            ("schema = 2".to_owned(), "schema 2"),
            (format!("schema = 1\n{class}color = \"red\""), "#e69f00"),
            (format!("schema = 1\n{class}color = \"#+12345\""), "#e69f00"),
            (format!("schema = 1\n{class}colour = \"#000000\""), "colour"),
            (
                format!("schema = 1\nbackground = 3\n{class}color = \"#000000\""),
                "background 3",
            ),
        ] {
            let error = ClassTable::from_toml(&text).expect_err("wrong").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_table_that_says_the_same_stays_and_another_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("classes.toml");
        let own = format!("# my own words\n{}", ClassTable::road().to_toml());
        replace_file(&path, own.as_bytes()).expect("written");
        let read = |path: &Path| std::fs::read_to_string(path).expect("a table");
        ClassTable::road().save(&path).expect("saved");
        assert_eq!(read(&path), own);
        let other = ClassTable::landcover_ai();
        other.save(&path).expect("saved");
        assert_eq!(read(&path), other.to_toml());
        assert_eq!(read(&version_path(&path, 1)), own);
    }

    #[test]
    fn a_mask_finds_its_own_table_before_the_shared_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let mask = folder.path().join("a.b.tif");
        assert_eq!(ClassTable::beside(&mask).expect("none is fine"), None);
        ClassTable::road()
            .save(&folder.path().join("classes.toml"))
            .expect("written");
        assert_eq!(
            ClassTable::beside(&mask).expect("valid"),
            Some(ClassTable::road())
        );
        let own = ClassTable::landcover_ai();
        own.save(&folder.path().join("a.b.classes.toml"))
            .expect("written");
        assert_eq!(ClassTable::beside(&mask).expect("valid"), Some(own));
    }
}
