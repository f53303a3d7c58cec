use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::args::PredictArgs;
use super::ground::areas;
use super::say::refuse_to_overwrite;
use crate::disk::folder_of;
use crate::job::told;
use crate::label::{SaveAs, grouped};
use crate::raster::open_raster;
use crate::session::images_in;
use crate::train::{Certainty, FileMaker, FileTask};

/// A list has fewer bytes, or it is none.
const MOST_LIST_BYTES: u64 = 64 << 20;
/// So much of a file tells whether it is text.
const LIST_HEAD_BYTES: u64 = 4 << 10;

/// The measures of certainty that are asked for.
pub fn measures(args: &PredictArgs) -> Vec<Certainty> {
    match (args.uncertainty, &args.certainty) {
        (true, _) => Certainty::ALL.to_vec(),
        (false, Some(_)) => vec![args.certainty_by],
        (false, None) => Vec::new(),
    }
}

/// An image to predict.
pub struct Asked {
    /// What of it goes where.
    pub task: FileTask,
    /// Why it cannot be predicted, where that is known before; only one of many has it.
    pub fault: Option<String>,
}

/// What is to be predicted, after a look at where it will go: what cannot be written is refused
/// before hours of work.
pub fn asked(args: &PredictArgs) -> anyhow::Result<Vec<Asked>> {
    let all = match (&args.image, &args.images) {
        (Some(image), _) => {
            let task = task(args, image.clone(), args.out.clone());
            let areas = areas(&args.part, image)?;
            vec![Asked {
                task: FileTask { areas, ..task },
                fault: None,
            }]
        }
        (None, Some(images)) => of_many(args, images)?,
        (None, None) => bail!("Name an image with --image, or many with --images"),
    };
    let mut outs = HashSet::new();
    let tasks = || all.iter().map(|asked| &asked.task);
    for task in tasks() {
        let inputs = [task.image.as_path(), args.model.as_path()];
        for out in task.written() {
            refuse_to_overwrite(out, inputs)?;
            ensure!(
                outs.insert(out.clone()),
                "Two predictions would go into one file; rename an image, or predict them apart: {}",
                out.display()
            );
        }
    }
    let folders: HashSet<&Path> = outs.iter().map(|out| folder_of(out)).collect();
    folders.into_iter().try_for_each(check_folder)?;
    outs.iter().try_for_each(|out| check_name(out))?;
    tasks().try_for_each(check_extent)?;
    check_foreign(args, tasks())?;
    Ok(all)
}

/// What no prediction wrote is replaced only where that is asked for.
fn check_foreign<'a>(
    args: &PredictArgs,
    tasks: impl Iterator<Item = &'a FileTask>,
) -> anyhow::Result<()> {
    // What a prediction that goes on may leave as it is, it looks at itself.
    let goes_on = |task: &&FileTask| args.resume && FileMaker::has_record(&task.out);
    let tasks = tasks.filter(|task| !goes_on(task));
    let foreign: Vec<PathBuf> = tasks.filter_map(FileTask::foreign_file).collect();
    let [first, others @ ..] = &foreign[..] else {
        return Ok(());
    };
    let first = first.display();
    let more = match others.len() {
        0 => String::new(),
        more => format!(" (and {} more)", grouped(more as u64)),
    };
    ensure!(
        args.overwrite,
        "The prediction would replace a file that no prediction wrote, or that was changed since; \
         give the output another name, or replace what is there with --overwrite: {first}{more}"
    );
    Ok(())
}

/// All of an image.
fn task(args: &PredictArgs, image: PathBuf, out: PathBuf) -> FileTask {
    let beside = |measure: &Certainty| out.with_extension(format!("{}.tif", measure.name()));
    let sure = match &args.certainty {
        Some(path) => vec![path.clone()],
        None => measures(args).iter().map(beside).collect(),
    };
    FileTask {
        image,
        out,
        sure,
        areas: Vec::new(),
    }
}

/// The images of a folder or a list, each to a file of its name in the wanted folder. One whose
/// ground is not known fails alone.
fn of_many(args: &PredictArgs, images: &Path) -> anyhow::Result<Vec<Asked>> {
    let found = if images.is_dir() {
        in_folder(images)?
    } else {
        in_list(images)?
    };
    let place = images.display();
    ensure!(!found.is_empty(), "No image to predict is there: {place}");
    fs::create_dir_all(&args.out)
        .with_context(|| format!("The folder cannot be made: {}", args.out.display()))?;
    let to = |image: PathBuf| {
        let mut name = image.file_stem().unwrap_or_default().to_owned();
        name.push(".tif");
        let task = task(args, image, args.out.join(name));
        match areas(&args.part, &task.image) {
            Ok(areas) => Asked {
                task: FileTask { areas, ..task },
                fault: None,
            },
            Err(error) => Asked {
                task,
                fault: Some(told(&error)),
            },
        }
    };
    Ok(found.into_iter().map(to).collect())
}

/// The images of a folder by name; masks that lie beside their image are none.
pub(super) fn in_folder(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("The folder cannot be read: {}", folder.display());
    images_in(folder).with_context(cannot)
}

/// The images that a text file names, one a line, from the file's own folder; what begins with `#`
/// is left out.
fn in_list(list: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let text = list_text(list, MOST_LIST_BYTES)?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let named = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(named.map(|line| folder_of(list).join(line)).collect())
}

/// The text of a list, of which at most `most_bytes` are read. An image is told from it by its
/// beginning, however long it is.
fn list_text(list: &Path, most_bytes: u64) -> anyhow::Result<String> {
    let place = list.display();
    let cannot = || format!("The list of images cannot be read: {place}");
    let no_text = || {
        format!(
            "This is no list of images, which is text with one image a line; an image itself is \
             named with --image: {place}"
        )
    };
    let file = File::open(list).with_context(cannot)?;
    let mut file = file.take(most_bytes.saturating_add(1));
    let mut bytes = Vec::new();
    let head = file.by_ref().take(LIST_HEAD_BYTES).read_to_end(&mut bytes);
    head.with_context(cannot)?;
    ensure!(
        open_raster(list).is_err(),
        "This is an image and no list of images; name it with --image, or the folder that it is in \
         with --images: {place}"
    );
    ensure!(!bytes.contains(&0), no_text());
    file.read_to_end(&mut bytes).with_context(cannot)?;
    ensure!(bytes.len() as u64 <= most_bytes, no_text());
    String::from_utf8(bytes).with_context(no_text)
}

fn check_name(out: &Path) -> anyhow::Result<()> {
    SaveAs::of_path(out)
        .map(drop)
        .with_context(|| format!("Masks are written as .tif or .png: {}", out.display()))
}

/// A PNG that nothing could read again is refused before it is predicted.
fn check_extent(task: &FileTask) -> anyhow::Result<()> {
    for out in task.written() {
        let png = SaveAs::of_path(out).filter(|form| *form != SaveAs::GeoTiff);
        let Some(png) = png else { continue };
        let size = open_raster(&task.image)?.info().size;
        let out = out.display();
        ensure!(
            png.can_hold(size),
            "A PNG of {size} pixels is too large to be read again; name the output .tif: {out}"
        );
    }
    Ok(())
}

fn check_folder(folder: &Path) -> anyhow::Result<()> {
    tempfile::Builder::new()
        .prefix(".orthobrush-")
        .tempfile_in(folder)
        .map(drop)
        .with_context(|| format!("Nothing can be written there: {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::replace_file;

    fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
        let path = folder.join(name);
        replace_file(&path, bytes).expect("written");
        path
    }

    #[test]
    fn a_list_names_images_from_its_own_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "\u{feff}a.tif\r\n# none\n\n b/c.png \n";
        let list = written(folder.path(), "list.txt", text.as_bytes());
        let found = in_list(&list).expect("a list");
        assert_eq!(
            found,
            ["a.tif", "b/c.png"].map(|name| folder.path().join(name))
        );
    }

    #[test]
    fn what_is_no_list_is_told_from_one_without_reading_all_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("image.png");
        image::RgbImage::new(8, 8).save(&image).expect("saved");
        let why = |path: &Path, most: u64| {
            let error = list_text(path, most).expect_err("no list");
            format!("{error:#}")
        };
        assert!(why(&image, 1 << 20).contains("--image"));
        assert!(why(&image, 1 << 20).contains("This is an image"));
        let bytes = written(folder.path(), "bytes", b"a.tif\n\0\0");
        assert!(why(&bytes, 1 << 20).contains("no list of images"));
        let latin = written(folder.path(), "latin", b"\xfcber.tif\n");
        assert!(why(&latin, 1 << 20).contains("no list of images"));
        let list = written(folder.path(), "list.txt", b"a.tif\n");
        assert!(why(&list, 5).contains("no list of images"));
        assert_eq!(list_text(&list, 6).expect("a list"), "a.tif\n");
        assert!(why(&folder.path().join("none"), 6).contains("cannot be read"));
    }
}
