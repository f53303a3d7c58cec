use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::DatasetError;
use super::super::layout::has_raster_name;

/// How much of a disk is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) files: usize,
    pub(super) folders: usize,
    /// Folders below the root.
    pub(super) depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files: 2_000_000,
            folders: 100_000,
            depth: 8,
        }
    }
}

/// The folders below a root, ordered by path, with the names of their files.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) folders: Vec<Folder>,
    /// What was not looked at.
    pub(super) notes: Vec<String>,
}

/// One folder.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// The names of the folders that lead to it from the root; none for the root.
    pub(super) steps: Vec<String>,
    /// File names with the ending of a raster, ordered.
    pub(super) rasters: Vec<OsString>,
    /// All other file names, ordered.
    pub(super) others: Vec<OsString>,
}

/// Lists the files below `root`. Hidden files and folders are left out, a folder that links lead
/// to more than once is looked at once.
///
/// # Errors
/// [`DatasetError::Folder`] when the root cannot be listed.
pub(super) fn walk(root: &Path, limits: Limits) -> Result<Tree, DatasetError> {
    let mut walk = Walk {
        limits,
        num_files: 0,
        seen: HashSet::new(),
        waiting: VecDeque::from([(root.to_owned(), Vec::new())]),
        linked: VecDeque::new(),
        tree: Tree {
            folders: Vec::new(),
            notes: Vec::new(),
        },
    };
    walk.list(root)?;
    walk.tree.folders.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.tree)
}

struct Walk {
    limits: Limits,
    num_files: usize,
    /// Folders as the system knows them, so that links cannot lead in circles.
    seen: HashSet<PathBuf>,
    waiting: VecDeque<(PathBuf, Vec<String>)>,
    /// Links to folders come last, so that what they lead to keeps its own name.
    linked: VecDeque<(PathBuf, Vec<String>)>,
    tree: Tree,
}

impl Walk {
    fn list(&mut self, root: &Path) -> Result<(), DatasetError> {
        let mut too_deep = 0;
        while let Some((path, steps)) = self.next() {
            let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            if !self.seen.insert(real) {
                continue;
            }
            if steps.len() > self.limits.depth {
                too_deep += 1;
                continue;
            }
            if self.is_full() {
                self.note(format!(
                    "Only the first {} files and {} folders were looked at",
                    self.num_files,
                    self.tree.folders.len()
                ));
                break;
            }
            match self.folder(&path, steps) {
                Ok(folder) => self.tree.folders.push(folder),
                Err(source) if path == root => return Err(DatasetError::Folder { path, source }),
                Err(error) => self.note(format!(
                    "A folder could not be listed ({error}): {}",
                    path.display()
                )),
            }
        }
        if too_deep > 0 {
            self.note(format!(
                "{too_deep} folders deeper than {} were not looked at",
                self.limits.depth
            ));
        }
        Ok(())
    }

    fn next(&mut self) -> Option<(PathBuf, Vec<String>)> {
        self.waiting.pop_front().or_else(|| self.linked.pop_front())
    }

    fn is_full(&self) -> bool {
        self.num_files >= self.limits.files || self.tree.folders.len() >= self.limits.folders
    }

    fn note(&mut self, note: String) {
        self.tree.notes.push(note);
    }

    fn folder(&mut self, path: &Path, steps: Vec<String>) -> std::io::Result<Folder> {
        let (mut rasters, mut others) = (Vec::new(), Vec::new());
        let mut below = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name();
            let words = name.to_string_lossy();
            if words.starts_with('.') || words == "__MACOSX" {
                continue;
            }
            let kind = entry.file_type()?;
            let target = kind.is_symlink().then(|| fs::metadata(entry.path()));
            let (is_folder, is_file) = match target {
                Some(Ok(target)) => (target.is_dir(), target.is_file()),
                // A link that leads nowhere.
                Some(Err(_)) => (false, false),
                None => (kind.is_dir(), kind.is_file()),
            };
            if is_folder {
                below.push((name, kind.is_symlink()));
            } else if is_file && self.num_files < self.limits.files {
                self.num_files += 1;
                let is_raster = has_raster_name(Path::new(&name));
                if is_raster { &mut rasters } else { &mut others }.push(name);
            }
        }
        below.sort();
        for (name, is_link) in below {
            let mut steps = steps.clone();
            steps.push(name.to_string_lossy().into_owned());
            let queue = if is_link {
                &mut self.linked
            } else {
                &mut self.waiting
            };
            queue.push_back((path.join(&name), steps));
        }
        rasters.sort();
        others.sort();
        Ok(Folder {
            path: path.to_owned(),
            steps,
            rasters,
            others,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_folders::folder_with;
    use super::*;

    fn paths(root: &Path, limits: Limits) -> (Vec<String>, Vec<String>) {
        let tree = walk(root, limits).expect("a folder");
        let names = tree.folders.iter().flat_map(|folder| {
            let names = folder.rasters.iter().chain(&folder.others);
            names.map(|name| format!("{}/{}", folder.steps.join("/"), name.to_string_lossy()))
        });
        (names.collect(), tree.notes)
    }

    #[test]
    fn files_are_listed_by_folder_and_hidden_ones_left_out() {
        let folder = folder_with(&["b/x.TIF", "a/c/y.txt", "a/.z.png", ".git/w.png", "v.png"]);
        let (names, notes) = paths(folder.path(), Limits::default());
        assert_eq!(names, ["/v.png", "a/c/y.txt", "b/x.TIF"]);
        assert!(notes.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn links_in_circles_are_followed_once() {
        let folder = folder_with(&["a/x.png"]);
        for link in ["a/up", "a/self"] {
            std::os::unix::fs::symlink(folder.path(), folder.path().join(link)).expect("a link");
        }
        std::os::unix::fs::symlink("nowhere", folder.path().join("lost.png")).expect("a link");
        assert_eq!(paths(folder.path(), Limits::default()).0, ["a/x.png"]);
    }

    #[test]
    fn limits_hold_and_are_said() {
        let folder = folder_with(&["1.png", "a/2.png", "a/b/3.png"]);
        for (limits, expected) in [
            (
                Limits {
                    files: 1,
                    ..Limits::default()
                },
                "first 1 files",
            ),
            (
                Limits {
                    folders: 2,
                    ..Limits::default()
                },
                "2 folders",
            ),
            (
                Limits {
                    depth: 1,
                    ..Limits::default()
                },
                "deeper than 1",
            ),
        ] {
            let (names, notes) = paths(folder.path(), limits);
            assert!(names.len() < 3 && notes.len() == 1, "{names:?} {notes:?}");
            assert!(notes[0].contains(expected), "{notes:?}");
        }
        let missing = folder.path().join("none");
        assert!(walk(&missing, Limits::default()).is_err());
    }
}
