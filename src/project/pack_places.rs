use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

/// Where the files of a project go in a packed folder: each folder they come from becomes one
/// there, so that files keep their names and what lies beside them.
///
/// A folder below the project's keeps its place; any other gets its own name at the top, with a
/// number when that is taken. Names are compared without regard to case, since the packed folder
/// may go to a system that knows none.
#[derive(Debug)]
pub(super) struct Places {
    /// The project's folder, as [`real_folder`] gives it.
    root: PathBuf,
    /// Packed folders, relative and with `/`, by folder.
    folders: HashMap<PathBuf, String>,
    /// Names in lower case that nothing else may have.
    taken: HashSet<String>,
}

impl Places {
    /// Places for files in these `folders` of a project in the folder `root`, all as
    /// [`real_folder`] gives them; files of the root keep the names in `files`.
    pub(super) fn new(root: &Path, files: &[String], folders: &[PathBuf]) -> Self {
        let mut places = Self {
            root: root.to_owned(),
            folders: HashMap::new(),
            taken: files.iter().map(|name| name.to_lowercase()).collect(),
        };
        // Those that keep their place take their names before any other may.
        for folder in folders {
            if let Some(name) = places.below(folder) {
                places.take_with_parents(&name);
                places.folders.insert(folder.clone(), name);
            }
        }
        for folder in folders {
            if !places.folders.contains_key(folder) {
                let name = places.free_name(folder);
                places.folders.insert(folder.clone(), name);
            }
        }
        places
    }

    /// The packed name of a file in one of the folders, relative and with `/`.
    pub(super) fn of(&mut self, folder: &Path, file: &str) -> String {
        if let Some(place) = self.folders.get(folder) {
            return joined(place, file);
        }
        let place = self.free_name(folder);
        self.folders.insert(folder.to_owned(), place.clone());
        joined(&place, file)
    }

    /// A packed name of a file that has one already, in a folder of its own.
    pub(super) fn again(&mut self, folder: &Path, file: &str) -> String {
        joined(&self.free_name(folder), file)
    }

    /// The folder's name relative to the project's, when it lies below.
    fn below(&self, folder: &Path) -> Option<String> {
        let rest = folder.strip_prefix(&self.root).ok()?;
        let parts = rest.components().map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        });
        Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
    }

    fn take_with_parents(&mut self, name: &str) {
        let lower = name.to_lowercase();
        let ends = lower.match_indices('/').map(|(at, _)| at);
        for end in ends.chain([lower.len()]) {
            self.taken.insert(lower[..end].to_owned());
        }
    }

    fn free_name(&mut self, folder: &Path) -> String {
        let own = folder.file_name().unwrap_or_default().to_string_lossy();
        let own: &str = if own.is_empty() { "files" } else { &own };
        let numbered = (2_u64..).map(|number| format!("{own}-{number}"));
        let name = std::iter::once(own.to_owned())
            .chain(numbered)
            .find(|name| self.taken.insert(name.to_lowercase()));
        name.expect("there are more numbers than folders")
    }
}

fn joined(folder: &str, file: &str) -> String {
    if folder.is_empty() {
        file.to_owned()
    } else {
        format!("{folder}/{file}")
    }
}

/// The folder of a file without links and `..`, so that two ways to it are one; as it is when it
/// is not there.
pub(super) fn real_folder(file: &Path) -> PathBuf {
    let folder = crate::disk::folder_of(file);
    let absolute = || std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    folder.canonicalize().unwrap_or_else(|_| absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_keep_their_place_or_get_a_name_of_their_own() {
        let folders = [
            "/w/p",
            "/w/p/Images/a",
            "/x/images",
            "/y/images",
            "/z/P.orthobrush",
            "/",
        ]
        .map(PathBuf::from);
        let mut places = Places::new(Path::new("/w/p"), &["p.orthobrush".to_owned()], &folders);
        for (folder, expected) in [
            ("/w/p", "1.tif"),
            ("/w/p/Images/a", "Images/a/1.tif"),
            ("/x/images", "images-2/1.tif"),
            ("/y/images", "images-3/1.tif"),
            ("/z/P.orthobrush", "P.orthobrush-2/1.tif"),
            ("/", "files/1.tif"),
        ] {
            assert_eq!(places.of(Path::new(folder), "1.tif"), expected);
        }
        assert_eq!(places.again(Path::new("/w/p"), "1.tif"), "p/1.tif");
        assert_eq!(places.again(Path::new("/w/p"), "1.tif"), "p-2/1.tif");
    }
}
