use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::naming::stem_of;
use super::tree::Folder;
use crate::dataset::layout::{file_name, has_raster_name};
use crate::exchange::Part;
use crate::label::subject_of;

/// A list of a million names is some 100 MB; a longer one is something else.
const MAX_LIST_BYTES: u64 = 256 << 20;

/// Names of the files that list what is for training, validation and tests.
const LISTS: [(&str, Part); 4] = [
    ("train", Part::Train),
    ("val", Part::Validation),
    ("valid", Part::Validation),
    ("test", Part::Test),
];

/// A file that lists the images of one part.
pub(super) struct PartList {
    pub(super) path: PathBuf,
    pub(super) part: Part,
    lines: Vec<String>,
}

/// How many lines of a list are tried before it is known whose list it is.
const MOST_TRIED: usize = 200;

impl PartList {
    /// Whether one of the first lines names one of these, without endings.
    pub(super) fn names_any(&self, stems: &BTreeSet<String>) -> bool {
        let mut names = self
            .lines
            .iter()
            .take(MOST_TRIED)
            .flat_map(|line| candidates(line));
        names.any(|path| name_of(path).is_some_and(|name| stems.contains(&name)))
    }
}

/// What lists say of images.
#[derive(Default)]
pub(super) struct Listed {
    /// The part of each image, in the order in which they were given.
    pub(super) parts: Vec<Option<Part>>,
    /// How many images are in a list.
    pub(super) num_listed: usize,
    pub(super) notes: Vec<String>,
}

/// The lists `train.txt`, `val.txt` and `test.txt` of a folder, and what could not be read.
pub(super) fn read_lists(folder: &Folder) -> (Vec<PartList>, Vec<String>) {
    let (mut lists, mut notes) = (Vec::new(), Vec::new());
    for name in &folder.others {
        let text = name.to_string_lossy().to_lowercase();
        let part = LISTS
            .iter()
            .find(|(list, _)| text.strip_suffix(".txt") == Some(list));
        let Some(&(_, part)) = part else { continue };
        let path = folder.path.join(name);
        match read_lines(&path) {
            Ok(lines) => lists.push(PartList { path, part, lines }),
            Err(error) => notes.push(format!(
                "A list is left out, it cannot be read ({error}): {}",
                path.display()
            )),
        }
    }
    (lists, notes)
}

fn read_lines(path: &Path) -> std::io::Result<Vec<String>> {
    let text = read_text(path, MAX_LIST_BYTES)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

/// The text of a file of at most `max_bytes`; what is no UTF-8 is replaced by signs.
pub(super) fn read_text(path: &Path, max_bytes: u64) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(max_bytes + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        let reason = format!("it is larger than {} MiB", max_bytes >> 20);
        return Err(std::io::Error::other(reason));
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Finds the images that the lists name. Paths may be those of another machine: of the images with
/// the listed name the one that has most of the last folders in common is meant.
pub(super) fn apply_lists(lists: &[PartList], images: &[&Path]) -> Listed {
    let mut by_stem: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, image) in images.iter().enumerate() {
        let stem = stem_of(image.file_name().unwrap_or_default());
        by_stem.entry(stem).or_default().push(at);
    }
    let mut listed = Listed {
        parts: vec![None; images.len()],
        ..Listed::default()
    };
    let mut contradictions = 0;
    for list in lists {
        let mut missing: Vec<&str> = Vec::new();
        for line in &list.lines {
            let found = candidates(line).find_map(|path| by_tail(path, &by_stem, images));
            match found {
                None => missing.push(line),
                Some(at) => match listed.parts[at] {
                    Some(part) if part != list.part => contradictions += 1,
                    _ => listed.parts[at] = Some(list.part),
                },
            }
        }
        listed.notes.extend(missing_note(list, &missing));
    }
    if contradictions > 0 {
        let lines = subject_of(contradictions, "line", "puts", "put");
        listed.notes.push(format!(
            "{lines} an image into a second part; the first list counts"
        ));
    }
    listed.num_listed = listed.parts.iter().flatten().count();
    listed
}

fn missing_note(list: &PartList, missing: &[&str]) -> Option<String> {
    let first = missing.first()?;
    Some(format!(
        "{} of {} lines of {} name no image here; the first is {first:.80}",
        missing.len(),
        list.lines.len(),
        file_name(&list.path)
    ))
}

/// What of a line may be the path of an image: all of it, for names with spaces, or its first
/// column.
fn candidates(line: &str) -> impl Iterator<Item = &str> {
    let first = line.split([' ', '\t', ',', ';']).next();
    std::iter::once(line).chain(first)
}

fn by_tail(path: &str, by_stem: &HashMap<String, Vec<usize>>, images: &[&Path]) -> Option<usize> {
    let found = by_stem.get(&name_of(path)?)?;
    let steps: Vec<&str> = path.split(['/', '\\']).collect();
    let steps = &steps[..steps.len() - 1];
    let common = |at: usize| {
        let folders = images[at].parent()?.iter().rev();
        let alike = folders
            .zip(steps.iter().rev())
            .take_while(|(have, want)| have.to_str() == Some(want));
        Some(alike.count())
    };
    let best = found.iter().map(|&at| common(at)).max()?;
    let mut best_ones = found.iter().filter(|&&at| common(at) == best);
    // Of equals none is meant rather than a wrong one.
    match (best_ones.next(), best_ones.next()) {
        (Some(&only), None) => Some(only),
        _ => None,
    }
}

/// The last part of a path of any system, without the ending of a raster.
fn name_of(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next()?;
    let is_file = has_raster_name(Path::new(name));
    Some(if is_file {
        stem_of(name.as_ref())
    } else {
        name.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(part: Part, lines: &[&str]) -> PartList {
        PartList {
            path: "d/train.txt".into(),
            part,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[test]
    fn paths_of_another_machine_are_found_by_their_tail() {
        let images = ["d/train/x.png", "d/val/x.png", "d/val/a b.jpg"].map(Path::new);
        let lists = [
            list(
                Part::Validation,
                &["/SegNet/CamVid/val/x.png /SegNet/CamVid/valannot/x.png"],
            ),
            list(Part::Train, &["C:\\data\\train\\x.png", "a b"]),
        ];
        let listed = apply_lists(&lists, &images);
        let (train, val) = (Some(Part::Train), Some(Part::Validation));
        assert_eq!(listed.parts, [train, val, train]);
        assert_eq!((listed.num_listed, listed.notes.len()), (3, 0));
    }

    #[test]
    fn lines_without_an_image_are_counted_and_equals_are_not_guessed() {
        let images = ["a/1.png", "b/1.png", "a/2.png"].map(Path::new);
        let listed = apply_lists(
            &[
                list(Part::Train, &["1", "2.png", "M-33_7"]),
                list(Part::Test, &["2"]),
            ],
            &images,
        );
        assert_eq!(listed.parts, [None, None, Some(Part::Train)]);
        assert_eq!(
            listed.notes,
            [
                "2 of 3 lines of train.txt name no image here; the first is 1",
                "1 line puts an image into a second part; the first list counts"
            ]
        );
    }
}
