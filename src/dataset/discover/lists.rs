use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::naming::stem_of;
use crate::dataset::layout::{file_name, has_raster_name};
use crate::exchange::Part;
use crate::label::subject_of;

/// A file that lists the images of one part, or a part of a file.
pub(super) struct PartList {
    pub(super) path: PathBuf,
    /// Not known of a text that may be something else.
    pub(super) part: Option<Part>,
    lines: Vec<String>,
}

/// How many lines of a list are tried before it is known whose list it is.
const MOST_TRIED: usize = 200;

impl PartList {
    pub(super) fn new<'t>(
        path: &Path,
        part: Option<Part>,
        lines: impl Iterator<Item = &'t str>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            part,
            lines: lines.map(str::to_owned).collect(),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether one of the first lines names one of these, without endings; never of a text that
    /// may be no list.
    pub(super) fn names_any(&self, stems: &BTreeSet<String>) -> bool {
        let lines = self.lines.iter().filter(|_| self.part.is_some());
        let mut names = lines.take(MOST_TRIED).flat_map(|line| candidates(line));
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

/// Finds the images that the lists name, by their files or by what the samples are called. Paths
/// may be those of another machine: of the images with the listed name the one that has most of the
/// last folders in common is meant.
pub(super) fn apply_lists(lists: &[PartList], samples: &[(&str, &Path)]) -> Listed {
    let mut by_stem: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, (name, image)) in samples.iter().enumerate() {
        let stem = stem_of(image.file_name().unwrap_or_default());
        if stem != *name {
            by_stem.entry((*name).to_owned()).or_default().push(at);
        }
        by_stem.entry(stem).or_default().push(at);
    }
    let images: Vec<&Path> = samples.iter().map(|(_, image)| *image).collect();
    let mut listed = Listed {
        parts: vec![None; images.len()],
        ..Listed::default()
    };
    let mut contradictions = 0;
    let mut unused: Vec<&PartList> = Vec::new();
    for list in lists {
        let find = |line: &str| candidates(line).find_map(|path| by_tail(path, &by_stem, &images));
        let Some(own) = list.part else {
            unused.extend(names_images(list, find).then_some(list));
            continue;
        };
        let mut missing: Vec<&str> = Vec::new();
        for line in &list.lines {
            match find(line) {
                None => missing.push(line),
                Some(at) => match listed.parts[at] {
                    Some(part) if part != own => contradictions += 1,
                    _ => listed.parts[at] = Some(own),
                },
            }
        }
        listed.notes.extend(missing_note(list, &missing));
    }
    listed.notes.extend(unused_note(&unused));
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

/// Whether half of the first lines name images.
fn names_images(list: &PartList, find: impl Fn(&str) -> Option<usize>) -> bool {
    let tried = list.lines.iter().take(MOST_TRIED);
    let named = tried.clone().filter(|line| find(line).is_some()).count();
    named > 0 && named * 2 >= tried.count()
}

/// What there is to say of texts that name images, though their names do not say of which part.
fn unused_note(lists: &[&PartList]) -> Option<String> {
    let (first, others) = lists.split_first()?;
    let first = file_name(&first.path);
    let which = if others.is_empty() {
        format!("{first} names images but is not used: its name does not say")
    } else {
        let others = others.len();
        format!("{first} and {others} more name images but are not used: their names do not say")
    };
    Some(format!(
        "{which} whether they are for training (train), validation (val) or the test (test)"
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
    use crate::dataset::parts::name_stem;

    fn list(part: Part, lines: &[&str]) -> PartList {
        PartList {
            path: "d/train.txt".into(),
            part: Some(part),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    /// Images that are called as their files are.
    fn samples<'p>(paths: &[&'p str]) -> Vec<(&'p str, &'p Path)> {
        let sample = |path: &&'p str| (name_stem(path), Path::new(*path));
        paths.iter().map(sample).collect()
    }

    #[test]
    fn paths_of_another_machine_are_found_by_their_tail() {
        let images = samples(&["d/train/x.png", "d/val/x.png", "d/val/a b.jpg"]);
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
        let images = samples(&["a/1.png", "b/1.png", "a/2.png"]);
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

    #[test]
    fn samples_are_listed_by_what_they_are_called_and_unused_lists_are_told() {
        let images = [
            ("7", Path::new("d/7_sat.jpg")),
            ("8", Path::new("d/8_sat.jpg")),
        ];
        let unused = |lines: &[&str]| PartList {
            part: None,
            path: "d/fold1.txt".into(),
            ..list(Part::Train, lines)
        };
        let lists = [
            list(Part::Train, &["7"]),
            list(Part::Test, &["x/8_sat.jpg"]),
            unused(&["8_sat", "7"]),
            unused(&["8 fields", "were", "seen", "there"]),
        ];
        let listed = apply_lists(&lists, &images);
        assert_eq!(listed.parts, [Some(Part::Train), Some(Part::Test)]);
        assert_eq!(listed.notes.len(), 1, "{:?}", listed.notes);
        assert!(
            listed.notes[0].starts_with("fold1.txt names"),
            "{:?}",
            listed.notes
        );
        let several = apply_lists(&[unused(&["7"]), unused(&["8"])], &images).notes;
        assert_eq!(several.len(), 1, "{several:?}");
        assert!(
            several[0].starts_with("fold1.txt and 1 more name"),
            "{several:?}"
        );
    }
}
