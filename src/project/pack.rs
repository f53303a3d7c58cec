use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, params};

use super::pack_files::PackFiles;
use super::pack_places::{Places, real_folder};
use super::{Project, ProjectError, SourceFile};
use crate::disk::{folder_of, move_into_place};

/// Pages of the project copied between two looks at whether to go on.
const PAGES: i32 = 1_024;

/// How far packing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackProgress {
    /// Bytes of images, masks and what lies beside them that were copied.
    pub done_bytes: u64,
    /// Bytes of all of them.
    pub total_bytes: u64,
}

/// A project in a folder with all it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The copied project file.
    pub project: PathBuf,
    /// Files that were copied besides.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Images and masks that the project names and that are not there. The copy names the place
    /// in its folder where they would be.
    pub missing: Vec<PathBuf>,
}

/// Copies a project with all images and masks that it names, world files, GDAL's side files and
/// classes beside them into the folder `out`, which must be empty or not be there; in the copy all
/// paths are relative to it. The project may be open elsewhere: the copy is its state at one moment.
///
/// The folder is there whole or not at all: it grows under another name beside it. A mask file
/// that was as the project knows it is so in the copy as well.
///
/// # Errors
/// [`ProjectError::Occupied`] when there is something in the folder, [`ProjectError::Stopped`] when
/// `is_cancelled` says so, the other kinds when a file cannot be read or written.
pub fn pack(
    project: &Path,
    out: &Path,
    progress: &mut dyn FnMut(PackProgress),
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Packed, ProjectError> {
    let out_refused = |source| ProjectError::Copy {
        source,
        path: out.to_owned(),
    };
    refuse_occupied(out)?;
    let original = Project::open_read_only(project)?;
    // One state for the plan and the copy, whatever is written meanwhile.
    let moment = original.db.unchecked_transaction()?;
    let plan = Plan::new(&original)?;
    fs::create_dir_all(folder_of(out)).map_err(out_refused)?;
    let room = tempfile::Builder::new()
        .prefix(".orthobrush-")
        .tempdir_in(folder_of(out))
        .map_err(out_refused)?;
    // A folder inside, since the temporary one is private.
    let draft = room.path().join("pack");
    fs::create_dir(&draft).map_err(out_refused)?;
    let name = project.file_name().unwrap_or_default();
    let stop = || {
        if is_cancelled() {
            Err(ProjectError::Stopped)
        } else {
            Ok(())
        }
    };
    copy_project(&original, &draft.join(name), &stop)?;
    moment.commit()?;
    let (mut done_bytes, total_bytes) = (0, plan.files.bytes());
    plan.files.copy_into(&draft, &mut |bytes| {
        done_bytes += bytes;
        progress(PackProgress {
            done_bytes,
            total_bytes,
        });
        stop()
    })?;
    plan.write_into(&draft.join(name))?;
    plan.verify(&draft.join(name))?;
    stop()?;
    refuse_occupied(out)?;
    if out.exists() {
        fs::remove_dir(out).map_err(out_refused)?;
    }
    move_into_place(&draft, out).map_err(out_refused)?;
    Ok(Packed {
        project: out.join(name),
        files: plan.files.count(),
        bytes: total_bytes,
        missing: plan.missing,
    })
}

fn refuse_occupied(out: &Path) -> Result<(), ProjectError> {
    let is_free = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_free {
        return Ok(());
    }
    Err(ProjectError::Occupied {
        path: out.to_owned(),
    })
}

/// Copies the project file through SQLite, since a plain copy of an open one may be torn.
fn copy_project(
    original: &Project,
    to: &Path,
    stop: &dyn Fn() -> Result<(), ProjectError>,
) -> Result<(), ProjectError> {
    let mut copy = Connection::open(to)?;
    let backup = Backup::new(&original.db, &mut copy)?;
    loop {
        stop()?;
        match backup.step(PAGES)? {
            StepResult::Done => break,
            StepResult::More => {}
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    drop(backup);
    copy.close().map_err(|(_, source)| source.into())
}

/// What is copied, and which name each row has then.
#[derive(Debug)]
struct Plan {
    files: PackFiles,
    images: Vec<PackedRow>,
    masks: Vec<PackedRow>,
    missing: Vec<PathBuf>,
}

/// A row that names a file.
#[derive(Debug)]
struct PackedRow {
    id: i64,
    file: PathBuf,
    /// Size and time that the project knows of a mask file.
    stamp: Option<(i64, i64)>,
    /// Its name in the packed folder, relative and with `/`.
    name: String,
    is_missing: bool,
}

impl Plan {
    fn new(original: &Project) -> Result<Self, ProjectError> {
        let mut plan = Self {
            files: PackFiles::default(),
            images: rows(
                original,
                "SELECT id, path, NULL, NULL FROM image ORDER BY id",
            )?,
            masks: rows(
                original,
                "SELECT id, source, source_bytes, source_time FROM layer \
                 WHERE source IS NOT NULL ORDER BY id",
            )?,
            missing: Vec::new(),
        };
        plan.name_rows(original);
        Ok(plan)
    }

    fn name_rows(&mut self, original: &Project) {
        let root = real_folder(&original.path);
        let mut rows: Vec<_> = self
            .images
            .iter_mut()
            .map(|row| (row, true))
            .chain(self.masks.iter_mut().map(|row| (row, false)))
            .collect();
        // A file that is not there never takes the name of one that is.
        rows.sort_by_key(|(row, _)| row.is_missing);
        let mut folders: Vec<_> = rows.iter().map(|(row, _)| real_folder(&row.file)).collect();
        let in_root = rows
            .iter()
            .zip(&folders)
            .filter(|(_, folder)| **folder == root);
        let mut in_root: Vec<_> = in_root.map(|((row, _), _)| file_name(&row.file)).collect();
        in_root.push(file_name(&original.path));
        folders.sort_unstable();
        folders.dedup();
        let mut places = Places::new(&root, &in_root, &folders);
        let mut used = HashSet::new();
        for (row, is_image) in rows {
            let (folder, file) = (real_folder(&row.file), file_name(&row.file));
            row.name = places.of(&folder, &file);
            // Two rows for one image need two names.
            let is_second = is_image && used.contains(&row.name);
            if is_second || row.is_missing && self.files.has(&row.name) {
                row.name = places.again(&folder, &file);
            }
            used.insert(row.name.clone());
            if row.is_missing {
                self.missing.push(row.file.clone());
            } else {
                self.files.add(&row.name, &row.file);
            }
        }
    }

    /// Gives all rows of the copied project their new names.
    fn write_into(&self, copy: &Path) -> Result<(), ProjectError> {
        let mut db = Connection::open(copy)?;
        // One file that also opens where nothing can be written beside it.
        db.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
        let transaction = db.transaction()?;
        // New names may be old names of others.
        transaction.execute("UPDATE image SET path = '?' || id", [])?;
        for row in &self.images {
            transaction.execute(
                "UPDATE image SET path = ?2 WHERE id = ?1",
                params![row.id, row.name],
            )?;
        }
        for row in &self.masks {
            transaction.execute(
                "UPDATE layer SET source = ?2 WHERE id = ?1",
                params![row.id, row.name],
            )?;
            if row.is_as_known() {
                let now = SourceFile::now(&folder_of(copy).join(&row.name));
                let now = now.map_err(|source| ProjectError::Copy {
                    source,
                    path: row.file.clone(),
                })?;
                transaction.execute(
                    "UPDATE layer SET source_bytes = ?2, source_time = ?3 WHERE id = ?1",
                    params![row.id, now.bytes as i64, now.time],
                )?;
            }
        }
        transaction.commit()?;
        db.close().map_err(|(_, source)| source.into())
    }

    /// Reads the copied project back: it is whole and finds every file that was copied.
    fn verify(&self, copy: &Path) -> Result<(), ProjectError> {
        let project = Project::open_read_only(copy)?;
        let masks = rows(
            &project,
            "SELECT id, source, NULL, NULL FROM layer WHERE source IS NOT NULL",
        )?;
        let images = rows(&project, "SELECT id, path, NULL, NULL FROM image")?;
        let lost = images
            .iter()
            .chain(&masks)
            .filter(|row| !row.file.is_file());
        let is_whole = images.len() == self.images.len() && masks.len() == self.masks.len();
        if is_whole && lost.count() == self.missing.len() {
            return Ok(());
        }
        Err(project.damaged("the packed copy does not find its files"))
    }
}

impl PackedRow {
    /// Whether the mask file is as it was when it was read or saved last.
    fn is_as_known(&self) -> bool {
        let now = SourceFile::now(&self.file).ok();
        let now = now.map(|now| (now.bytes as i64, now.time));
        !self.is_missing && now.is_some() && now == self.stamp
    }
}

fn rows(project: &Project, query: &str) -> Result<Vec<PackedRow>, ProjectError> {
    let mut query = project.db.prepare(query)?;
    let rows = query.query_map([], |row| {
        let file = project.found(&row.get::<_, String>(1)?);
        Ok(PackedRow {
            id: row.get(0)?,
            stamp: Option::zip(row.get(2)?, row.get(3)?),
            name: String::new(),
            is_missing: !file.is_file(),
            file,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The last part of a path, which may be of another system.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let last = name.rsplit('\\').next().unwrap_or_default();
    last.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Painter, SIZE};
    use super::*;
    use crate::disk::replace_file;
    use crate::geom::PixelRect;
    use crate::label::{Mask, StateMark};

    fn pack_all(project: &Path, out: &Path) -> Result<Packed, ProjectError> {
        pack(project, out, &mut |_| (), &|| false)
    }

    fn write(path: &Path, text: &str) {
        replace_file(path, text.as_bytes()).expect("written");
    }

    fn entries(folder: &Path) -> usize {
        fs::read_dir(folder).expect("a folder").count()
    }

    /// A project with images in three folders, one of which is gone, and a mask in a fourth.
    fn scattered(folder: &Path) -> Painter {
        let at = |name: &str| folder.join(name);
        for image in ["p/images/1.tif", "x/images/1.tif", "y/images/1.tif"] {
            write(&at(image), image);
        }
        write(&at("x/images/1.tfw"), "world");
        write(&at("x/masks/1.tif"), "mask");
        write(&at("x/masks/classes.toml"), "classes");
        let mut painter = Painter::new(&at("p/p.orthobrush"), &at("p/images/1.tif"));
        painter.paint(PixelRect::new(0, 0, 300, 300), 1);
        let source = SourceFile::now(&at("x/masks/1.tif")).expect("there");
        for (image, source) in [
            ("x/images/1.tif", Some(&source)),
            ("y/images/1.tif", None),
            ("y/gone.tif", None),
        ] {
            painter
                .project
                .begin_layer(&at(image), SIZE, source, StateMark::from_number(0))
                .expect("kept");
        }
        painter
    }

    #[test]
    fn an_open_project_is_packed_with_all_it_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let painter = scattered(folder.path());
        let mut last = None;
        let out = at("out/packed");
        let packed = pack(
            &at("p/p.orthobrush"),
            &out,
            &mut |now| last = Some(now),
            &|| false,
        );
        let packed = packed.expect("packed");
        assert_eq!(
            (packed.files, &packed.missing),
            (6, &vec![at("y/gone.tif")])
        );
        let last = last.expect("progress");
        assert_eq!(
            (last.done_bytes, last.total_bytes),
            (packed.bytes, packed.bytes)
        );
        assert_eq!(entries(&at("out")), 1, "nothing else is left");
        fs::rename(&out, at("moved")).expect("moved");
        fs::remove_dir_all(at("x")).expect("removed");
        let copy = Project::open(&at("moved/p.orthobrush")).expect("a project");
        let mut found = Vec::new();
        for image in copy.images().expect("whole") {
            let name = image.path.strip_prefix(at("moved")).expect("inside");
            found.push((name.to_owned(), fs::read_to_string(&image.path).ok()));
        }
        let expected = [
            ("images-2/1.tif", Some("x/images/1.tif")),
            ("images-3/1.tif", Some("y/images/1.tif")),
            ("images/1.tif", Some("p/images/1.tif")),
            ("y/gone.tif", None),
        ];
        let expected = expected.map(|(name, text)| (PathBuf::from(name), text.map(str::to_owned)));
        assert_eq!(found, expected);
        assert_eq!(
            fs::read(at("moved/images-2/1.tfw")).expect("copied"),
            b"world"
        );
        assert_eq!(
            fs::read(at("moved/masks/classes.toml")).expect("copied"),
            b"classes"
        );
        let layer = |name| {
            copy.layer(&at(name), 1 << 20)
                .expect("whole")
                .expect("kept")
        };
        let kept = layer("moved/images-2/1.tif");
        let now = SourceFile::now(&at("moved/masks/1.tif")).expect("there");
        assert_eq!(kept.source, Some(now));
        let painted = layer("moved/images/1.tif");
        assert_eq!(painted.masks_over(Mask::new(SIZE)).0, painter.mask);
        assert_eq!(painted.history.steps.len(), 1);
    }

    #[test]
    fn one_image_under_two_names_is_packed_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        write(&at("p/1.tif"), "image");
        let painter = Painter::new(&at("p/p.orthobrush"), &at("p/1.tif"));
        for path in ["../p/1.tif", "C:\\photos\\1.tif"] {
            painter
                .project
                .db
                .execute("INSERT INTO image (path) VALUES (?1)", [path])
                .expect("added");
        }
        let packed = pack_all(&at("p/p.orthobrush"), &at("out")).expect("packed");
        assert_eq!((packed.files, packed.missing.len()), (2, 1));
        let copy = Project::open(&packed.project).expect("a project");
        let images = copy.images().expect("whole");
        let names: Vec<_> = images
            .iter()
            .map(|image| image.path.strip_prefix(at("out")).expect("inside"))
            .collect();
        assert_eq!(names, ["1.tif", "p-2/1.tif", "p/1.tif"].map(Path::new));
        assert!(images[2].path.is_file() && !images[1].path.exists());
    }

    #[test]
    fn full_folders_are_refused_and_stopped_work_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        write(&at("p/1.tif"), "image");
        write(&at("full/a.txt"), "mine");
        drop(Painter::new(&at("p/p.orthobrush"), &at("p/1.tif")));
        let error = pack_all(&at("p/p.orthobrush"), &at("full")).expect_err("full");
        assert!(matches!(error, ProjectError::Occupied { .. }), "{error}");
        let error = pack_all(&at("p/p.orthobrush"), &at("full/a.txt")).expect_err("a file");
        assert!(matches!(error, ProjectError::Occupied { .. }), "{error}");
        let seen = std::cell::Cell::new(false);
        let error = pack(
            &at("p/p.orthobrush"),
            &at("new"),
            &mut |_| seen.set(true),
            &|| seen.get(),
        );
        assert!(matches!(error, Err(ProjectError::Stopped)));
        assert!(seen.get() && !at("new").exists());
        assert_eq!(entries(folder.path()), 2, "p and full");
        fs::create_dir(at("empty")).expect("made");
        pack_all(&at("p/p.orthobrush"), &at("empty")).expect("an empty folder will do");
        assert!(pack_all(&at("none.orthobrush"), &at("new")).is_err());
        assert_eq!(entries(folder.path()), 3);
    }
}
