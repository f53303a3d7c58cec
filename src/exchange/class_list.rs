use std::path::Path;

use super::records::{Separator, quoted, records};
use super::text_file::read_text;
use crate::disk::{ReplaceError, replace_file};
use crate::label::{Class, ClassTable, MaskError, Rgb, default_color};
use crate::raster::has_raster_ending;

/// A list of 255 classes is some 20 KB; a larger file is something else.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// How classes are listed in a text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassList {
    /// `index,name,color` with colors like `#e69f00`.
    Csv,
    /// `name,r,g,b` of the color codes, as in DeepGlobe's `class_dict.csv`; indices are the order.
    DeepGlobe,
    /// `r g b`, a tab and the name on each line, as in CamVid's `label_colors.txt`; indices are
    /// the order.
    CamVid,
}

/// Writes the classes as a list, whole or not at all; what the list cannot say.
///
/// Lists have no background; the first form has no color codes, the others have no indices and no
/// colors but the codes. `classes.toml` says all ([`ClassTable::save`]).
///
/// # Errors
/// [`ReplaceError`] when the disk refuses; the old file is then untouched.
pub fn write_class_list(
    path: &Path,
    classes: &ClassTable,
    form: ClassList,
) -> Result<Vec<String>, ReplaceError> {
    replace_file(path, list(classes, form).as_bytes())?;
    let all = classes.classes();
    let is_moved = (0..).zip(all).any(|(place, class)| class.index != place);
    let note = "The list has no indices, so classes get new ones without gaps when it is read";
    let is_told = form == ClassList::Csv || !is_moved;
    Ok((!is_told).then(|| note.to_owned()).into_iter().collect())
}

fn list(classes: &ClassTable, form: ClassList) -> String {
    let line = |class: &Class| {
        let ([red, green, blue], [r, g, b]) = (class.color, class.code());
        let (index, name) = (class.index, quoted(&class.name));
        match form {
            ClassList::Csv => format!("{index},{name},#{red:02x}{green:02x}{blue:02x}\n"),
            ClassList::DeepGlobe => format!("{name},{r},{g},{b}\n"),
            ClassList::CamVid => {
                let words: Vec<&str> = class.name.split_whitespace().collect();
                format!("{r} {g} {b}\t{}\n", words.join(" "))
            }
        }
    };
    let head = match form {
        ClassList::Csv => "index,name,color\n",
        ClassList::DeepGlobe => "name,r,g,b\n",
        ClassList::CamVid => "",
    };
    let lines = classes.classes().iter().map(line);
    std::iter::once(head.to_owned()).chain(lines).collect()
}

/// Reads a list of classes in any of the forms of [`ClassList`].
///
/// A file with a head line may have its columns in any order, split by commas, semicolons or tabs:
/// `name` (or `class`, `label`), and where there are `index` (or `id`, `value`), `color` and `r`,
/// `g`, `b` (or `red`, `green`, `blue`). CVAT's `labelmap.txt` is read, too, and names alone, one a
/// line. Without indices classes are numbered by line from 0,
/// without colors they get those of our own. `r`, `g` and `b` are the color code as well. Classes
/// named void or unknown are classes like others: remove those that shall be unlabeled.
///
/// # Errors
/// [`MaskError::ClassFile`] when the disk does not give the file, a line is not understood, or the
/// classes break a rule of class tables.
pub fn read_class_list(path: &Path) -> Result<ClassTable, MaskError> {
    let unusable = |reason: String| MaskError::ClassFile {
        reason,
        path: path.to_owned(),
    };
    let text = read_text(path, MAX_FILE_BYTES).map_err(|error| unusable(error.to_string()))?;
    if text.contains(char::REPLACEMENT_CHARACTER) {
        let reason = "it is neither UTF-8 nor UTF-16 with a byte order mark; save it as UTF-8";
        return Err(unusable(reason.to_owned()));
    }
    parse(&text).map_err(unusable)
}

fn parse(text: &str) -> Result<ClassTable, String> {
    let head = text.lines().find(|line| !line.trim().is_empty());
    let head = head.ok_or("it is empty")?;
    let entries = match Columns::of_head(head) {
        Some(columns) => entries_by_columns(text, &columns)?,
        None if head.starts_with('#') && head.contains("label:color_rgb") => labelmap(text)?,
        None if is_names(text) => names(text),
        None => entries_by_words(text)?,
    };
    let count = entries.len();
    if count > 255 {
        return Err(format!(
            "it has {count} classes, but at most 255 are possible"
        ));
    }
    let class = |(place, entry): (usize, Entry)| Class {
        index: entry.index.unwrap_or(place as u8),
        name: entry.name,
        color: entry
            .color
            .or(entry.code)
            .unwrap_or_else(|| default_color(place, count)),
        codes: entry.code.into_iter().collect(),
    };
    let classes = entries.into_iter().enumerate().map(class).collect();
    ClassTable::new(None, classes).map_err(|error| error.to_string())
}

/// A line of a list.
struct Entry {
    index: Option<u8>,
    name: String,
    color: Option<Rgb>,
    code: Option<Rgb>,
}

/// Where a head line says that things are.
struct Columns {
    separator: Separator,
    name: usize,
    index: Option<usize>,
    color: Option<usize>,
    code: Option<[usize; 3]>,
}

impl Columns {
    /// `None` when the line is no head line.
    fn of_head(line: &str) -> Option<Self> {
        let separator = Separator::of_head(line);
        let head: Vec<String> = records(line, separator)
            .next()?
            .1
            .iter()
            .map(|field| field.to_lowercase())
            .collect();
        let find = |names: &[&str]| {
            head.iter()
                .position(|field| names.contains(&field.as_str()))
        };
        let parts = [["r", "red"], ["g", "green"], ["b", "blue"]].map(|names| find(&names));
        Some(Self {
            separator,
            name: find(&["name", "class", "label"])?,
            index: find(&["index", "id", "value"]),
            color: find(&["color", "colour"]),
            code: match parts {
                [Some(r), Some(g), Some(b)] => Some([r, g, b]),
                _ => None,
            },
        })
    }

    fn entry(&self, fields: &[String]) -> Result<Entry, String> {
        let field = |column: usize| {
            let field = fields.get(column).map(String::as_str);
            field.ok_or_else(|| format!("it has only {} columns", fields.len()))
        };
        let index = self.index.map(|column| index_of(field(column)?));
        let color = self.color.map(|column| color_of(field(column)?));
        let code = self.code.map(|columns| {
            let [r, g, b] = columns.map(|column| byte_of(field(column)?));
            Ok::<_, String>([r?, g?, b?])
        });
        Ok(Entry {
            index: index.transpose()?,
            name: field(self.name)?.to_owned(),
            color: color.transpose()?,
            code: code.transpose()?,
        })
    }
}

fn entries_by_columns(text: &str, columns: &Columns) -> Result<Vec<Entry>, String> {
    let is_filled = |fields: &[String]| fields.iter().any(|field| !field.is_empty());
    records(text, columns.separator)
        .filter(|(_, fields)| is_filled(fields))
        .skip(1)
        .map(|(line, fields)| {
            let entry = columns.entry(&fields);
            entry.map_err(|reason| format!("line {line}: {reason}"))
        })
        .collect()
}

/// CVAT's `labelmap.txt`: `name:r,g,b:parts:actions` a line, classes by line; no color may be said.
fn labelmap(text: &str) -> Result<Vec<Entry>, String> {
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next().unwrap_or_default().trim().to_owned();
        let color = fields.next().unwrap_or_default();
        let bytes: Result<Vec<u8>, String> = color
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(byte_of)
            .collect();
        let code = match bytes?[..] {
            [] => None,
            [r, g, b] => Some([r, g, b]),
            _ => return Err(format!("the color {color:?} is not like \"255,0,0\"")),
        };
        Ok(Entry {
            index: None,
            name,
            color: None,
            code,
        })
    };
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|(number, line): (usize, &str)| {
            entry(line).map_err(|reason| format!("line {number}: {reason}"))
        })
        .collect()
}

/// Whether the lines, two or more, are names of classes and nothing else, not of files.
fn is_names(text: &str) -> bool {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_name = |line: &str| {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        first.parse::<f64>().is_err()
            && !line.contains(['\t', ',', ';', ':', '=', '"', '{', '#'])
            && !has_raster_ending(Path::new(line))
    };
    // A class may be called grass/shrub.
    let is_path = |line: &str| line.contains(['/', '\\']);
    lines().count() > 1 && lines().all(is_name) && !lines().all(is_path)
}

fn names(text: &str) -> Vec<Entry> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let entry = |line: &str| Entry {
        index: None,
        name: line.to_owned(),
        color: None,
        code: None,
    };
    lines.map(entry).collect()
}

fn entries_by_words(text: &str) -> Result<Vec<Entry>, String> {
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        let mut byte = || byte_of(words.next().unwrap_or_default());
        let code = [byte()?, byte()?, byte()?];
        Ok::<_, String>(Entry {
            index: None,
            name: words.collect::<Vec<_>>().join(" "),
            color: None,
            code: Some(code),
        })
    };
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line): (usize, &str)| {
            entry(line).map_err(|reason| {
                format!(
                    "line {number}: {reason}; there is no head line with a name, \
                     so lines must be like \"128 64 128 Road\""
                )
            })
        })
        .collect()
}

fn index_of(text: &str) -> Result<u8, String> {
    text.parse()
        .map_err(|_error| format!("{text:?} is not an index from 0 to 254"))
}

fn byte_of(text: &str) -> Result<u8, String> {
    text.parse()
        .map_err(|_error| format!("{text:?} is not a number from 0 to 255"))
}

/// A color like `#e69f00`, the sign being optional.
fn color_of(text: &str) -> Result<Rgb, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let is_color = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16)
        .ok()
        .filter(|_| is_color)
        .map(|number| {
            let [_, r, g, b] = number.to_be_bytes();
            [r, g, b]
        })
        .ok_or_else(|| format!("the color {text:?} is not like \"#e69f00\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORMS: [ClassList; 3] = [ClassList::Csv, ClassList::DeepGlobe, ClassList::CamVid];

    #[test]
    fn lists_are_as_documented() {
        let mut classes = vec![
            Class::new(1, "road, new", [230, 159, 0]),
            Class::new(0, "rest \"x\"", [1, 2, 3]),
        ];
        classes[0].codes = vec![[255; 3], [254; 3]];
        let table = ClassTable::new(Some(0), classes).expect("valid");
        for (form, expected) in [
            (
                ClassList::Csv,
                "index,name,color\n0,\"rest \"\"x\"\"\",#010203\n1,\"road, new\",#e69f00\n",
            ),
            (
                ClassList::DeepGlobe,
                "name,r,g,b\n\"rest \"\"x\"\"\",1,2,3\n\"road, new\",255,255,255\n",
            ),
            (
                ClassList::CamVid,
                "1 2 3\trest \"x\"\n255 255 255\troad, new\n",
            ),
        ] {
            assert_eq!(list(&table, form), expected);
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("list");
            let notes = write_class_list(&path, &table, form).expect("written");
            assert!(notes.is_empty(), "{notes:?}");
            let read = read_class_list(&path).expect("our own");
            assert_eq!(read.by_name("Road, new").map(|class| class.index), Some(1));
        }
        let gap = table.removed(0).expect("there");
        let folder = tempfile::tempdir().expect("a folder");
        let notes = write_class_list(&folder.path().join("a"), &gap, ClassList::CamVid);
        assert_eq!(notes.expect("written").len(), 1);
    }

    #[test]
    fn files_of_others_are_understood() {
        for (text, expected) in [
            (" name , r,g,b\r\nwater,0,0,255\r\n\r\nland,255,1,2\r\n", 0),
            (
                "Value;Red;Green;Blue;Class\n7;0;0;255;water\n8;255;1;2;land\n",
                7,
            ),
            ("0 0 255\t\twater\n\n255 1 2 land", 0),
        ] {
            let table = parse(text).expect(text);
            let classes = table.classes();
            assert_eq!((classes.len(), classes[0].index), (2, expected), "{text}");
            assert_eq!(classes[0].codes, [[0, 0, 255]]);
            assert_eq!(
                (classes[1].name.as_str(), classes[1].color),
                ("land", [255, 1, 2])
            );
        }
        for text in [
            "# label:color_rgb:parts:actions\nwater:0,0,255::\nland:255,1,2::\n",
            "water\r\n\r\nland\r\n",
        ] {
            let table = parse(text).expect(text);
            let names: Vec<&str> = table.classes().iter().map(|class| &*class.name).collect();
            assert_eq!(names, ["water", "land"], "{text}");
            let codes = &table.classes()[0].codes;
            let is_labelmap = text.starts_with('#');
            let code = is_labelmap.then_some([0, 0, 255]);
            assert_eq!(codes.first(), code.as_ref());
        }
        let bare = parse("label\na\nb\n").expect("names are enough");
        assert_ne!(bare.classes()[0].color, bare.classes()[1].color);
    }

    #[test]
    fn lists_have_marks_and_wide_letters() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("labelmap.txt");
        let text = "\u{feff}# label:color_rgb:parts:actions\nStraße:0,0,255::\nland:9,1,2::\n";
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [text.as_bytes(), &wide] {
            replace_file(&path, bytes).expect("written");
            let table = read_class_list(&path).expect("a list");
            assert_eq!(table.name_of(0), "Straße");
        }
        replace_file(&path, b"Stra\xdfe\nland\n").expect("written");
        let error = read_class_list(&path).expect_err("of another code page");
        assert!(error.to_string().contains("UTF-8"), "{error}");
        let slashed = parse("grass/shrub\nwater\n").expect("names");
        assert_eq!(slashed.name_of(0), "grass/shrub");
    }

    #[test]
    fn wrong_lists_say_what_is_wrong() {
        let many: Vec<_> = (0..256)
            .map(|n| format!("0 {} {} c", n / 200, n % 200))
            .collect();
        let many = many.join("\n");
        for (text, expected) in [
            (" \n", "empty"),
            ("1 2 3 a\n1 2 x b\n", "line 2: \"x\""),
            ("1 2 3\n", "no name"),
            ("index,name,color\n0,a,red\n", "line 2: the color \"red\""),
            ("index,name,color\n0,a\n", "only 2 columns"),
            ("index,name\n255,a\n", "unlabeled"),
            ("index,name\n256,a\n", "0 to 254"),
            ("name,r,g,b\na,1,2,3\nb,1,2,3\n", "1, 2, 3"),
            (many.as_str(), "256 classes"),
            (
                "# label:color_rgb:parts:actions\na:1,2::\n",
                "line 2: the color",
            ),
            ("water: 3\nland: 4\n", "no head line"),
            ("a_1.png\na_2.PNG\n", "no head line"),
            ("masks/a_1\nmasks/a_2\n", "no head line"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn lists_of_public_data_sets_are_read() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
        for (file, count, (index, name, code)) in [
            (
                "deepglobe_style/class_dict.csv",
                7,
                (3, "forest_land", [0, 255, 0]),
            ),
            (
                "camvid_11_480x360/label_colors.txt",
                12,
                (3, "Road", [128, 64, 128]),
            ),
            (
                "Cam101_480x360/label_colors.txt",
                32,
                (0, "Animal", [64, 128, 64]),
            ),
        ] {
            let path = data.join(file);
            if !path.exists() {
                eprintln!("{file} is missing; not checked");
                continue;
            }
            let table = read_class_list(&path).expect("a list");
            assert_eq!(table.classes().len(), count, "{file}");
            let class = table.get(index).expect("there");
            assert_eq!((class.name.as_str(), class.code()), (name, code));
        }
    }

    proptest! {
        #[test]
        fn a_table_reads_back(
            names in prop::collection::vec("[^\\s\u{feff}][ -~\u{e0}-\u{ff}]{0,8}[^\\s]", 1..20),
            color in any::<u8>(),
        ) {
            let classes: Vec<Class> = (0..)
                .zip(&names)
                .map(|(index, name)| {
                    let color = [color, index, 7];
                    Class { codes: vec![color], ..Class::new(index, name.as_str(), color) }
                })
                .collect();
            let table = ClassTable::new(None, classes).expect("valid");
            for form in FORMS {
                let read = parse(&list(&table, form)).expect("our own");
                for (class, read) in table.classes().iter().zip(read.classes()) {
                    prop_assert_eq!(class.color, read.color);
                    if form == ClassList::CamVid {
                        let words: Vec<&str> = class.name.split_whitespace().collect();
                        prop_assert_eq!(&words.join(" "), &read.name);
                    } else {
                        prop_assert_eq!(&class.name, &read.name);
                    }
                }
            }
        }

        #[test]
        fn any_text_is_read_without_panic(text in "(name,r,g,b|index,name,color)?[\n-~\"é]{0,80}") {
            let _either_is_fine = parse(&text);
        }
    }
}
