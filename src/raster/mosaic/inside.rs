//! Which files a mosaic may name: those in its own folder or below it.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// From where files may come.
#[derive(Clone, Debug)]
pub(super) enum Access {
    /// From this folder and those below it. Names are relative to it.
    Folder {
        /// As it was named.
        named: PathBuf,
        /// Without links.
        real: PathBuf,
    },
    /// From anywhere: a person named each of them.
    Given,
}

impl Access {
    /// From the folder of a file.
    pub(super) fn beside(file: &Path) -> std::io::Result<Self> {
        let named = match file.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => Path::new("."),
        };
        Ok(Self::Folder {
            named: std::path::absolute(named)?,
            real: fs::canonicalize(named)?,
        })
    }

    /// Where a file lies that a mosaic names, as far as its name tells.
    ///
    /// # Errors
    /// What kind of a place is meant that is not read from.
    pub(super) fn place(&self, name: &str, is_relative: bool) -> Result<PathBuf, &'static str> {
        if name.trim().is_empty() {
            return Err("no name at all");
        }
        if name.starts_with("/vsi") || name.starts_with("\\vsi") {
            return Err("one of GDAL's virtual file systems");
        }
        if name.contains("://") {
            return Err("an address on the net");
        }
        let Self::Folder { named, real } = self else {
            return Ok(PathBuf::from(name));
        };
        let path = if is_relative || Path::new(name).is_relative() {
            named.join(name)
        } else {
            PathBuf::from(name)
        };
        let path = without_steps_up(&path).ok_or("a file outside of its own folder")?;
        if path.starts_with(named) || path.starts_with(real) {
            return Ok(path);
        }
        // Another way may lead to the folder.
        match fs::canonicalize(&path) {
            Ok(path) if path.starts_with(real) => Ok(path),
            _ => Err("a file outside of its own folder"),
        }
    }

    /// The file behind all links.
    ///
    /// # Errors
    /// When there is none, or links lead out of the folder.
    pub(super) fn follow(&self, path: &Path) -> Result<PathBuf, String> {
        let Self::Folder { real, .. } = self else {
            return Ok(path.to_owned());
        };
        let found = fs::canonicalize(path).map_err(|error| error.to_string())?;
        if found.starts_with(real) {
            return Ok(found);
        }
        Err("a link leads out of the folder of the mosaic".to_owned())
    }
}

/// A path with its `.` and `..` taken away; `None` where it leads above its root.
fn without_steps_up(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                let is_step_back =
                    matches!(out.components().next_back(), Some(Component::Normal(_)));
                if !is_step_back {
                    return None;
                }
                out.pop();
            }
            part => out.push(part),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folder_and_what_is_below_it_is_read() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("mosaic");
        let file = |name: &str| {
            crate::disk::replace_file(&root.path().join(name), b"x").expect("written");
        };
        fs::create_dir_all(folder.join("below")).expect("made");
        for name in ["secret.tif", "mosaic/a.tif", "mosaic/below/b.tif"] {
            file(name);
        }
        let access = Access::beside(&folder.join("m.vrt")).expect("there");
        let absolute = |name: &str| root.path().join(name).display().to_string();
        for name in [
            "a.tif",
            "./a.tif",
            "below/../a.tif",
            "below/b.tif",
            "missing.tif",
        ] {
            assert!(access.place(name, true).is_ok(), "{name}");
        }
        assert!(access.place(&absolute("mosaic/a.tif"), false).is_ok());
        let outside = [
            "../secret.tif",
            "below/../../secret.tif",
            "/vsicurl/http://x/a.tif",
            "/vsizip/a.zip/a.tif",
            "https://example.org/a.tif",
            "../../../../../../../../../../etc/passwd",
            "/etc/passwd",
            " ",
        ];
        for name in outside {
            assert!(access.place(name, true).is_err(), "{name}");
            assert!(access.place(name, false).is_err(), "{name}");
        }
        assert!(access.place(&absolute("secret.tif"), false).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_are_not_followed() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("mosaic");
        fs::create_dir(&folder).expect("made");
        let secret = root.path().join("secret.tif");
        crate::disk::replace_file(&secret, b"x").expect("written");
        crate::disk::replace_file(&folder.join("a.tif"), b"x").expect("written");
        std::os::unix::fs::symlink(&secret, folder.join("out.tif")).expect("linked");
        std::os::unix::fs::symlink(folder.join("a.tif"), folder.join("in.tif")).expect("linked");
        let access = Access::beside(&folder.join("m.vrt")).expect("there");
        let follow = |name: &str| {
            let place = access.place(name, true).expect("inside by name");
            access.follow(&place)
        };
        assert!(follow("in.tif").is_ok());
        assert!(follow("out.tif").is_err_and(|why| why.contains("link")));
        assert!(follow("missing.tif").is_err());
    }
}
