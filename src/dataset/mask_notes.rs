use std::collections::HashMap;

/// Notes that differ only in their number of pixels, or in their example.
struct Group {
    /// What is said of the pixels.
    words: String,
    files: usize,
    pixels: u64,
    /// The most pixels of a file, its whole note and its name.
    worst: (u64, String, String),
}

/// The notes of many masks, each with the name of its mask, as few lines: those that begin with a
/// number of pixels and are otherwise alike become one, with the number of files, all pixels and
/// the file that has the most. Of others that are equal one is kept.
pub(super) fn told_together(notes: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (name, note) in notes {
        let (pixels, words) = counted(&note).unwrap_or((0, &note));
        let place = *places.entry(words.to_owned()).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group {
                words: words.to_owned(),
                files: 0,
                pixels: 0,
                worst: (0, String::new(), String::new()),
            });
        }
        let group = &mut groups[place];
        group.files += 1;
        group.pixels += pixels;
        if group.files == 1 || pixels > group.worst.0 {
            group.worst = (pixels, note, name);
        }
    }
    groups.into_iter().map(Group::told).collect()
}

/// The number that a note begins with, and what it says of so many pixels without its example.
fn counted(note: &str) -> Option<(u64, &str)> {
    let (number, rest) = note.split_once(' ')?;
    let pixels = number.parse().ok()?;
    let words = rest
        .split_once(", for example ")
        .map_or(rest, |(words, _)| words);
    Some((pixels, words))
}

impl Group {
    fn told(self) -> String {
        let Self {
            words,
            files,
            pixels,
            worst: (most, note, name),
        } = self;
        match (pixels, files) {
            (0, _) => note,
            (_, 1) => format!("{note}: {name}"),
            _ => format!("In {files} masks {pixels} {words}; the most, {most}, in {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_notes_become_one_line() {
        let notes = [
            ("a.png", "12 pixels are grey; the brighter half is class 1"),
            ("b.png", "Classes were added: 7"),
            ("c.png", "30 pixels are grey; the brighter half is class 1"),
            (
                "c.png",
                "5 pixels stand for no class, for example value 9 at 1, 2",
            ),
            ("d.png", "Classes were added: 7"),
            (
                "e.png",
                "4 pixels stand for no class, for example value 8 at 0, 0",
            ),
            ("f.png", "1 pixels are odd"),
        ];
        let notes = notes.map(|(name, note)| (name.to_owned(), note.to_owned()));
        let expected = [
            "In 2 masks 42 pixels are grey; the brighter half is class 1; the most, 30, in c.png",
            "Classes were added: 7",
            "In 2 masks 9 pixels stand for no class; the most, 5, in c.png",
            "1 pixels are odd: f.png",
        ];
        assert_eq!(told_together(notes.into_iter()), expected);
    }
}
