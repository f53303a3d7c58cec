use std::ffi::OsStr;
use std::path::Path;

use super::lists::PartList;
use super::tree::{Folder, Tree};
use super::words::part_of;
use crate::dataset::layout::file_name;
use crate::exchange::{Part, read_first_line, read_text};

/// A list of a million names is some 100 MB; a longer one is something else.
const MAX_LIST_BYTES: u64 = 256 << 20;
/// A text whose name says nothing is looked at up to this length.
const MAX_OTHER_BYTES: u64 = 16 << 20;
/// So many of them are looked at: there may be one for each image.
const MOST_OTHERS: usize = 20;
/// A head line is shorter.
const MAX_HEAD_BYTES: u64 = 64 << 10;

/// Folders of lists below a data set's own.
const FOLDERS: [&str; 5] = ["", "imagesets/segmentation", "splits", "split", "lists"];
/// Heads of columns that say which part an image is for.
const PART_COLUMNS: [&str; 4] = ["split", "part", "subset", "set"];
/// Heads of columns that name images, the surest ones first.
const NAME_COLUMNS: [&str; 14] = [
    "sat_image_path",
    "image_path",
    "image",
    "images",
    "img",
    "image_name",
    "image_id",
    "filename",
    "file_name",
    "file",
    "path",
    "name",
    "id",
    "imageid",
];

/// The lists of a data set in `own` and in the usual folders below it: `train.txt`, `val.txt` and
/// the like, tables of the same names, tables with a column of parts, and what may be a list
/// though its name does not say of what. With it, what there is to say.
pub(super) fn read_lists(tree: &Tree, own: &Folder) -> (Vec<PartList>, Vec<String>) {
    let mut read = Read::default();
    let below = |folder: &&Folder| {
        let steps = folder.steps.strip_prefix(own.steps.as_slice());
        let name = steps.map(|steps| steps.join("/").to_lowercase());
        name.is_some_and(|name| FOLDERS.contains(&name.as_str()))
    };
    for folder in tree.folders.iter().filter(below) {
        for name in &folder.others {
            read.file(&folder.path.join(name));
        }
    }
    read.finished()
}

#[derive(Default)]
struct Read {
    lists: Vec<PartList>,
    /// Tables called after a part, which count where there are such of another part, too.
    tables: Vec<PartList>,
    /// `trainval.txt`, which counts where nothing else says what is for training.
    rest: Vec<PartList>,
    /// Texts whose names say nothing.
    other: Vec<PartList>,
    /// How many such were looked at, lists or not.
    num_others: usize,
    notes: Vec<String>,
}

impl Read {
    fn file(&mut self, path: &Path) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let ending = path.extension().map(OsStr::to_ascii_lowercase);
        let ending = ending.unwrap_or_default();
        let is_table = ending == "csv";
        if !is_table && ending != "txt" && ending != "lst" {
            return;
        }
        let part = part_of(&stem);
        let is_rest = stem.eq_ignore_ascii_case("trainval");
        let is_named = part.is_some() || is_rest || is_table;
        if is_table && !may_list(path, part) {
            return;
        }
        if !is_named {
            if self.num_others == MOST_OTHERS {
                return;
            }
            self.num_others += 1;
        }
        let most = if is_named {
            MAX_LIST_BYTES
        } else {
            MAX_OTHER_BYTES
        };
        let text = match read_text(path, most) {
            Ok(text) => text,
            Err(error) if is_named => {
                self.notes.push(format!(
                    "A list is left out, it cannot be read ({error}): {}",
                    path.display()
                ));
                return;
            }
            // Nothing says that it is a list.
            Err(_) => return,
        };
        if is_table {
            self.table(path, part, &text);
            return;
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let part_or_rest = part.or(is_rest.then_some(Part::Train));
        let list = PartList::new(path, part_or_rest, lines);
        match (part, is_rest) {
            (Some(_), _) => self.lists.push(list),
            (None, true) => self.rest.push(list),
            (None, false) => self.other.push(list),
        }
    }

    fn table(&mut self, path: &Path, part: Option<Part>, text: &str) {
        let Some(table) = NameTable::of(text) else {
            return;
        };
        if let Some(part) = part {
            let names = table.rows().map(|(name, _)| name);
            self.tables.push(PartList::new(path, Some(part), names));
        } else if table.part.is_some() {
            for part in Part::ALL {
                let is_it = |(_, word): &(&str, &str)| part_of(word) == Some(part);
                let names = table.rows().filter(is_it).map(|(name, _)| name);
                let list = PartList::new(path, Some(part), names);
                self.lists.extend((!list.is_empty()).then_some(list));
            }
        }
    }

    fn finished(mut self) -> (Vec<PartList>, Vec<String>) {
        let mut all = self.lists.iter().chain(&self.tables);
        let first = all.next().and_then(|list| list.part);
        let has_two = all.any(|list| list.part != first);
        if has_two {
            self.lists.append(&mut self.tables);
        }
        for table in self.tables {
            self.notes.push(format!(
                "{} names images, but no list says what the others are for, so it is not used to \
                 make parts",
                file_name(&table.path)
            ));
        }
        let has_train = self.lists.iter().any(|list| list.part == Some(Part::Train));
        if !has_train {
            self.lists.append(&mut self.rest);
        }
        self.lists.append(&mut self.other);
        (self.lists, self.notes)
    }
}

/// Whether a table's head says that it names images of the part, or parts of images. What cannot be
/// read is told when all of it is.
fn may_list(path: &Path, part: Option<Part>) -> bool {
    let is_list = |head: String| {
        let table = NameTable::of(&head);
        table.is_some_and(|table| part.is_some() || table.part.is_some())
    };
    read_first_line(path, MAX_HEAD_BYTES).map_or(true, is_list)
}

/// A table with a head line that has a column of names of images.
struct NameTable<'t> {
    text: &'t str,
    separator: char,
    name: usize,
    /// The column of parts.
    part: Option<usize>,
}

impl<'t> NameTable<'t> {
    /// `None` for other tables and such of run lengths.
    fn of(text: &'t str) -> Option<Self> {
        let head = text.lines().next()?;
        let separator = [',', ';', '\t']
            .into_iter()
            .find(|sign| head.contains(*sign));
        let separator = separator.unwrap_or(',');
        let heads: Vec<String> = head
            .split(separator)
            .map(|field| unquoted(field).to_lowercase())
            .collect();
        let is_run = |head: &String| head.contains("rle") || head.contains("encodedpixels");
        if heads.iter().any(is_run) {
            return None;
        }
        let find = |names: &[&str]| {
            let mut names = names.iter();
            names.find_map(|name| heads.iter().position(|head| head == name))
        };
        Some(Self {
            text,
            separator,
            name: find(&NAME_COLUMNS)?,
            part: find(&PART_COLUMNS),
        })
    }

    /// The name of each row and what its column of parts says.
    fn rows(&self) -> impl Iterator<Item = (&'t str, &'t str)> {
        let (separator, name, part) = (self.separator, self.name, self.part);
        let row = move |line: &'t str| {
            let field = |column| Some(unquoted(line.split(separator).nth(column)?));
            let part = part.and_then(field).unwrap_or_default();
            Some((field(name)?, part))
        };
        let rows = self.text.lines().skip(1).filter_map(row);
        rows.filter(|(name, _)| !name.is_empty())
    }
}

fn unquoted(field: &str) -> &str {
    field.trim().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::super::test_folders::write;
    use super::super::tree::{Limits, walk};
    use super::*;

    /// The name, part and number of lines of a list.
    type Told = (String, Option<Part>, usize);

    /// What there is of each list, and the notes.
    fn read(files: &[(&str, &[u8])]) -> (Vec<Told>, Vec<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            write(folder.path(), name, text);
        }
        let tree = walk(folder.path(), Limits::default()).expect("a folder");
        let (lists, notes) = read_lists(&tree, &tree.folders[0]);
        let told = |list: &PartList| (file_name(&list.path), list.part, list.len());
        (lists.iter().map(told).collect(), notes)
    }

    #[track_caller]
    fn check(files: &[(&str, &[u8])], expected: &[(&str, Option<Part>, usize)], notes: usize) {
        let (lists, told) = read(files);
        let expected: Vec<_> = expected
            .iter()
            .map(|&(name, part, lines)| (name.to_owned(), part, lines))
            .collect();
        assert_eq!(lists, expected);
        assert_eq!(told.len(), notes, "{told:?}");
    }

    const TRAIN: Option<Part> = Some(Part::Train);
    const VALIDATION: Option<Part> = Some(Part::Validation);
    const TEST: Option<Part> = Some(Part::Test);

    #[test]
    fn lists_have_many_names() {
        check(
            &[
                ("Validation.txt", b"a\nb\n"),
                ("holdout.txt", b"c"),
                ("trainval.txt", b"a\nd\n"),
                ("notes.txt", b"hello"),
            ],
            &[
                ("Validation.txt", VALIDATION, 2),
                ("holdout.txt", TEST, 1),
                ("trainval.txt", TRAIN, 2),
                ("notes.txt", None, 1),
            ],
            0,
        );
        check(
            &[
                ("ImageSets/Segmentation/train.txt", b"a\nb\n"),
                ("ImageSets/Segmentation/trainval.txt", b"a\nb\nc\n"),
                ("ImageSets/Segmentation/val.txt", b"c\n"),
                ("other/train.txt", b"c\n"),
            ],
            &[("train.txt", TRAIN, 2), ("val.txt", VALIDATION, 1)],
            0,
        );
    }

    #[test]
    fn tables_name_images_and_parts() {
        check(
            &[
                (
                    "train.csv",
                    b"image,label\ni/a.png,m/a.png\ni/b.png,m/b.png\n",
                ),
                ("val.csv", b"label;\"image\"\nm/c.png;\"i/c.png\"\n"),
            ],
            &[("train.csv", TRAIN, 2), ("val.csv", VALIDATION, 1)],
            0,
        );
        check(
            &[(
                "split.csv",
                b"image,mask,Split\na,a,train\nb,b,val\nc,c,train\nd,d,\n",
            )],
            &[("split.csv", TRAIN, 2), ("split.csv", VALIDATION, 1)],
            0,
        );
        // Of one part alone it may be anything.
        check(&[("train.csv", b",image_id\n0,a\n")], &[], 1);
        check(&[("train.csv", b"id,rle_mask\na,1 2\n")], &[], 0);
        check(&[("depths.csv", b"id,z\na,3\n")], &[], 0);
    }

    #[test]
    fn of_texts_without_a_telling_name_a_few_are_looked_at() {
        let names: Vec<String> = (0..50).map(|at| format!("a{at}.txt")).collect();
        let texts = names.iter().map(|name| (name.as_str(), &b"a\n"[..]));
        let files: Vec<_> = texts.chain([("train.txt", &b"a\n"[..])]).collect();
        let (lists, notes) = read(&files);
        assert_eq!((lists.len(), notes.len()), (1 + MOST_OTHERS, 0));
        assert_eq!(lists[0], ("train.txt".to_owned(), TRAIN, 1));
    }
}
