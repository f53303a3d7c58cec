use std::collections::HashSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::ProjectError;

/// Bytes copied between two looks at whether to go on.
const CHUNK: usize = 1 << 20;

/// Files to copy, by their names in the packed folder.
#[derive(Debug, Default)]
pub(super) struct PackFiles {
    files: BTreeMap<String, PathBuf>,
    /// Names that were looked for, in lower case.
    lower_names: HashSet<String>,
    bytes: u64,
}

impl PackFiles {
    /// Adds a file, which is there, and what lies beside it for it.
    pub(super) fn add(&mut self, name: &str, file: &Path) {
        self.lower_names.insert(name.to_lowercase());
        self.add_one(name.to_owned(), file);
        let folder = name.rsplit_once('/').map(|(folder, _)| folder);
        for beside in names_beside(file) {
            let name = folder.map_or_else(|| beside.clone(), |folder| format!("{folder}/{beside}"));
            // Where case does not count, two of the names are one file.
            if self.lower_names.insert(name.to_lowercase()) {
                self.add_one(name, &file.with_file_name(beside));
            }
        }
    }

    fn add_one(&mut self, name: String, file: &Path) {
        let found = fs::metadata(file).ok().filter(fs::Metadata::is_file);
        if let Some(metadata) = found
            && let Entry::Vacant(place) = self.files.entry(name)
        {
            place.insert(file.to_owned());
            self.bytes += metadata.len();
        }
    }

    /// Whether a file has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// How many files there are.
    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// Bytes of all files when they were added.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Copies all into `folder`, with their times; `go_on` takes the bytes of each piece and says
    /// whether to.
    pub(super) fn copy_into(
        &self,
        folder: &Path,
        go_on: &mut dyn FnMut(u64) -> Result<(), ProjectError>,
    ) -> Result<(), ProjectError> {
        let mut chunk = vec![0; CHUNK];
        for (name, file) in &self.files {
            let refused = |source| ProjectError::Copy {
                source,
                path: file.clone(),
            };
            let target = folder.join(name);
            fs::create_dir_all(crate::disk::folder_of(&target)).map_err(refused)?;
            let mut from = File::open(file).map_err(refused)?;
            // One that is there already would be another file's.
            let mut to = File::create_new(&target).map_err(refused)?;
            loop {
                let count = read_some(&mut from, &mut chunk).map_err(refused)?;
                if count == 0 {
                    break;
                }
                to.write_all(&chunk[..count]).map_err(refused)?;
                go_on(count as u64)?;
            }
            let time = from.metadata().and_then(|metadata| metadata.modified());
            time.and_then(|time| to.set_modified(time))
                .and_then(|()| to.sync_all())
                .map_err(refused)?;
        }
        Ok(())
    }
}

fn read_some(file: &mut File, chunk: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Names of files that say more about an image or mask: world files in the forms that are read,
/// GDAL's statistics and overviews, and classes.
fn names_beside(file: &Path) -> Vec<String> {
    let text =
        |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str().map(String::from));
    let (Some(name), Some(stem)) = (text(file.file_name()), text(file.file_stem())) else {
        return Vec::new();
    };
    let extension = text(file.extension()).unwrap_or_default().to_lowercase();
    let mut endings = vec![format!("{extension}w"), "wld".to_owned(), "prj".to_owned()];
    if let (Some(first), Some(last)) = (extension.chars().next(), extension.chars().last()) {
        endings.insert(0, format!("{first}{last}w"));
    }
    let world = endings
        .iter()
        .flat_map(|ending| [ending.clone(), ending.to_uppercase()])
        .map(|ending| format!("{stem}.{ending}"));
    let others = [
        format!("{name}.aux.xml"),
        format!("{stem}.aux.xml"),
        format!("{name}.ovr"),
        format!("{stem}.classes.toml"),
        "classes.toml".to_owned(),
    ];
    world.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::replace_file;

    #[test]
    fn a_file_goes_with_what_lies_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let there = [
            "a.b.tif",
            "a.b.tfw",
            "a.b.tif.ovr",
            "a.b.tif.aux.xml",
            "a.b.classes.toml",
            "classes.toml",
            "other.tif",
            "a.b.txt",
        ];
        for name in there {
            replace_file(&folder.path().join(name), name.as_bytes()).expect("written");
        }
        let mut files = PackFiles::default();
        for _ in 0..2 {
            files.add("x/a.b.tif", &folder.path().join("a.b.tif"));
        }
        assert!(files.has("x/a.b.tif") && !files.has("x/a.b.txt"));
        let expected: u64 = there[..6].iter().map(|name| name.len() as u64).sum();
        assert_eq!((files.count(), files.bytes()), (6, expected));
        let out = tempfile::tempdir().expect("a folder");
        let mut copied = 0;
        files
            .copy_into(out.path(), &mut |bytes| {
                copied += bytes;
                Ok(())
            })
            .expect("copied");
        assert_eq!(copied, expected);
        for name in &there[..6] {
            let (from, to) = (folder.path().join(name), out.path().join("x").join(name));
            assert_eq!(fs::read(&to).expect("copied"), name.as_bytes());
            let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
            assert_eq!(time(&to).expect("a time"), time(&from).expect("a time"));
        }
        let again = files.copy_into(out.path(), &mut |_| Ok(()));
        assert!(
            matches!(again, Err(ProjectError::Copy { .. })),
            "never over another file"
        );
    }
}
