use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::disk::{FileLock, folder_of};
use crate::project::project_path;

/// Where projects are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProjectPlace {
    /// Nowhere: strokes live in memory until the label is saved.
    #[default]
    Nowhere,
    /// Beside the image or inside the folder that was opened.
    Beside {
        /// The folder for images that lie where nothing can be written.
        fallback: Option<PathBuf>,
    },
}

/// The project file of what was opened, and whether it is ours to write.
#[derive(Debug)]
pub(super) struct Place {
    pub path: PathBuf,
    /// `None`: somebody else writes it.
    pub lock: Option<FileLock>,
}

/// A window that is just closing needs so long for its last copy.
const PATIENCE: Duration = Duration::from_secs(2);

impl ProjectPlace {
    /// Finds the project's place for what was `opened` (absolute) and takes its lock.
    pub(super) fn settle(&self, opened: &Path) -> io::Result<Option<Place>> {
        let Self::Beside { fallback } = self else {
            return Ok(None);
        };
        let beside = project_path(opened);
        match (lock(&beside), fallback) {
            (Ok(lock), _) => Ok(Some(Place { path: beside, lock })),
            (Err(_), _) if beside.exists() => Ok(Some(Place {
                path: beside,
                lock: None,
            })),
            (Err(_), Some(fallback)) => {
                std::fs::create_dir_all(fallback)?;
                let path = fallback.join(fallback_name(opened));
                let lock = lock(&path)?;
                Ok(Some(Place { path, lock }))
            }
            (Err(error), None) => Err(error),
        }
    }
}

fn lock(project: &Path) -> io::Result<Option<FileLock>> {
    let name = project.file_name().unwrap_or_default().to_string_lossy();
    let path = folder_of(project).join(format!(".{name}.lock"));
    FileLock::acquire(&path, PATIENCE)
}

/// Its own name and a number of its whole path, so that equal names of two folders stay apart.
fn fallback_name(opened: &Path) -> String {
    let name = opened.file_stem().unwrap_or_default().to_string_lossy();
    // FNV-1a: any stable number does.
    let number = opened
        .to_string_lossy()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
    format!("{name}-{number:016x}.orthobrush")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_beside_and_held_by_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("north.tif");
        let place = ProjectPlace::Beside { fallback: None };
        let first = place.settle(&image).expect("writable").expect("a place");
        assert_eq!(first.path, folder.path().join("north.orthobrush"));
        assert!(first.lock.is_some());
        let second = place.settle(&image).expect("writable").expect("a place");
        assert!(second.lock.is_none());
        drop(first);
        assert_eq!(
            ProjectPlace::Nowhere
                .settle(&image)
                .expect("nothing")
                .map(|_| ()),
            None
        );
    }

    #[test]
    fn what_cannot_be_written_goes_to_the_fallback() {
        let fallback = tempfile::tempdir().expect("a folder");
        let place = ProjectPlace::Beside {
            fallback: Some(fallback.path().join("projects")),
        };
        let image = Path::new("/nowhere/at all/north.tif");
        let found = place.settle(image).expect("writable").expect("a place");
        assert!(found.path.starts_with(fallback.path()) && found.lock.is_some());
        assert_ne!(
            fallback_name(image),
            fallback_name(Path::new("/elsewhere/north.tif"))
        );
    }
}
