//! Finished blocks of predictions that a window shows, on the disk: what was killed goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::PredictPlan;
use super::blocks::{KeptBlocks, PLANES};
use super::ground::{DoneBlocks, load_ground, save_ground};
use super::read_back::ReadBlocks;
use crate::disk::{FileLock, free_bytes, replace_file};
use crate::geom::PixelRect;
use crate::label::Mask;
use crate::raster::TileSource;
use crate::train::block_file::BlockFile;
use crate::train::finetune::image_print;
use crate::train::to_files::bytes_and_time;
use crate::train::{DecisionThreshold, DeviceChoice, Flips, SavedModel};

/// Raised when the same model and settings come to say something else.
const SCHEMA: u32 = 2;
/// A prediction that was just left ends within this.
const PATIENCE: Duration = Duration::from_secs(2);
/// No more is kept of one prediction.
const MOST_BYTES: u64 = 2 << 30;
/// Of others so many are kept, the newest, and so much.
const MOST_OTHERS: usize = 32;
const MOST_BYTES_OF_OTHERS: u64 = 1 << 30;
/// The disk is never filled up to less than this.
const LEAST_FREE: u64 = 1 << 30;

/// A folder in which finished blocks of predictions are kept. Each prediction has a folder of its
/// own: `made-of.json` says what it is made of, `blocks` holds what is finished, and `ground` says
/// where alone it predicts when that is no rectangle.
#[derive(Clone, Debug)]
pub struct BlockStore {
    folder: PathBuf,
    image: PathBuf,
    run: Option<PathBuf>,
    /// Folders of runs, in which one may lie by now.
    shelves: Vec<PathBuf>,
}

/// What is kept of a prediction.
#[derive(Debug)]
pub struct KeptPrediction {
    /// The run whose model predicted.
    pub run: PathBuf,
    /// That model.
    pub model: SavedModel,
    /// Which mirror images were looked at as well.
    pub flips: Flips,
    /// From which probability on the second of two classes was predicted.
    pub threshold: DecisionThreshold,
    /// The ground that was asked for last.
    pub area: PixelRect,
    /// Where alone it was asked for: all but unlabeled pixels; `None` is all of the area.
    pub ground: Option<Mask>,
    /// Classes, and how sure they are by the usual measure.
    pub masks: [Mask; 2],
    /// The same with all measures.
    pub on_disk: KeptBlocks,
    /// The blocks that are there.
    pub done: DoneBlocks,
    /// Blocks of the ground that was asked for: those that are there, and all.
    pub blocks: (u64, u64),
}

/// What a prediction is made of, and what was asked of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Story {
    made_of: MadeOf,
    run: PathBuf,
    image: PathBuf,
    area: PixelRect,
    /// Blocks are kept as they are without it.
    #[serde(default)]
    threshold: DecisionThreshold,
}

/// Predictions of the same have the same pixels, but for what devices differ in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MadeOf {
    schema: u32,
    /// Checksums (crc32c) of the model's description and of its weights.
    model_checksums: [u32; 2],
    flips: Flips,
    image_bytes: u64,
    /// When the image's file was written last, in nanoseconds since 1970.
    image_time: u64,
    image_print: String,
    /// The checksum of the ground that alone is predicted; `None` is rectangles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ground: Option<u32>,
}

/// The right to add blocks to the prediction in `folder`: nobody else writes in its store.
pub(super) struct StoreLock {
    folder: PathBuf,
    /// The checksum of the ground that alone is predicted; `None` is rectangles.
    pub ground: Option<u32>,
    _lock: FileLock,
}

impl BlockStore {
    /// Keeps predictions of the image at `image` in `folder`, which is made when it is needed.
    pub const fn new(folder: PathBuf, image: PathBuf) -> Self {
        Self {
            folder,
            image,
            run: None,
            shelves: Vec::new(),
        }
    }

    /// What is predicted is by the model of `run`.
    #[must_use]
    pub fn of_run(self, run: PathBuf) -> Self {
        Self {
            run: Some(run),
            ..self
        }
    }

    /// Looks for a run that is no longer where it was in these folders, too.
    #[must_use]
    pub fn with_shelves(self, shelves: Vec<PathBuf>) -> Self {
        Self { shelves, ..self }
    }

    /// The newest prediction of the image, whose pixels `source` reads, that a run's model made
    /// which is still the same. Reads all its blocks, and those that the same model has on other
    /// ground.
    pub fn read(&self, source: &Arc<dyn TileSource>) -> Option<KeptPrediction> {
        let file = bytes_and_time(&self.image).ok()?;
        let mut kept = stories(&self.folder);
        kept.retain(|(_, story)| {
            let made_of = &story.made_of;
            file == (made_of.image_bytes, made_of.image_time)
        });
        if kept.is_empty() {
            return None;
        }
        let print = image_print(&**source).ok()?;
        kept.retain(|(_, story)| story.made_of.image_print == print);
        (0..kept.len()).find_map(|at| self.read_first(&kept[at..], source))
    }

    /// The run that made a prediction, wherever it lies by now, and its model, if that is still the
    /// same.
    fn model_of(&self, story: &Story) -> Option<(PathBuf, SavedModel)> {
        let name = story.run.file_name();
        let moved = self
            .shelves
            .iter()
            .filter_map(|shelf| Some(shelf.join(name?)));
        let mut places = std::iter::once(story.run.clone()).chain(moved);
        places.find_map(|run| {
            let model = SavedModel::load(&run).ok()?;
            let is_same = model.checksums() == story.made_of.model_checksums;
            is_same.then_some((run, model))
        })
    }

    /// What the first of `kept` has, over what the others have of the same model and image; `None`
    /// when it has nothing, or its run has another model by now.
    fn read_first(
        &self,
        kept: &[(Found, Story)],
        source: &Arc<dyn TileSource>,
    ) -> Option<KeptPrediction> {
        let ((newest, story), others) = kept.split_first()?;
        let (made_of, size) = (&story.made_of, source.info().size);
        if made_of.schema != SCHEMA {
            return None;
        }
        let (run, model) = self.model_of(story)?;
        let load = |sum| load_ground(&newest.path.join("ground"), size, sum);
        let ground = made_of.ground.map(load);
        let plan = PredictPlan::with(model.clone(), Arc::clone(source), DeviceChoice::default());
        let plan = match ground {
            None => plan.ok()?.within(story.area),
            Some(ground) => plan.ok()?.only_where(ground?),
        };
        let plan = plan.ok()?;
        let mut read = ReadBlocks::new(size, &run, story.threshold);
        let is_same = |other: &Story| other.made_of.on_rectangles() == made_of.on_rectangles();
        for (folder, other) in others.iter().rev().filter(|(_, other)| is_same(other)) {
            read.add(&folder.path, other.made_of.ground);
        }
        if read.add(&newest.path, made_of.ground) == 0 {
            return None;
        }
        let total = plan.num_blocks();
        let known = read.done.known(made_of.ground);
        let missing = plan.clone().without(known).blocks().len() as u64;
        Some(KeptPrediction {
            run,
            model,
            flips: made_of.flips,
            threshold: story.threshold,
            area: plan.area(),
            ground: plan.ground().cloned(),
            masks: read.masks,
            on_disk: read.on_disk,
            done: read.done,
            blocks: (total - missing, total),
        })
    }

    /// What is kept of the prediction `plan`, to be gone on with; it is begun where there is nothing.
    pub(super) fn begin(&self, plan: &PredictPlan) -> io::Result<(BlockFile, StoreLock)> {
        fs::create_dir_all(&self.folder)?;
        let lock = FileLock::acquire(&self.folder.join("lock"), PATIENCE)?;
        let lock = lock.ok_or_else(|| {
            io::Error::other(format!(
                "another window writes there: {}",
                self.folder.display()
            ))
        })?;
        let story = self.story_of(plan)?;
        let folder = self.folder.join(story.made_of.name());
        self.clean_up(&folder, &story);
        let known = Story::load(&folder);
        if known.is_none_or(|known| known.made_of != story.made_of) {
            remove(&folder)?;
            fs::create_dir(&folder)?;
        }
        if let Some(ground) = plan.ground() {
            save_ground(&folder.join("ground"), ground)?;
        }
        story.save(&folder)?;
        let blocks = BlockFile::open(&folder.join("blocks"), PLANES)?;
        let lock = StoreLock {
            folder,
            ground: story.made_of.ground,
            _lock: lock,
        };
        Ok((blocks, lock))
    }

    fn story_of(&self, plan: &PredictPlan) -> io::Result<Story> {
        let (image_bytes, image_time) = bytes_and_time(&self.image)?;
        let made_of = MadeOf {
            schema: SCHEMA,
            model_checksums: plan.model.checksums(),
            flips: plan.flips,
            image_bytes,
            image_time,
            image_print: image_print(plan.source()).map_err(io::Error::other)?,
            ground: plan.ground().map(Mask::checksum),
        };
        let run = self.run.clone();
        Ok(Story {
            made_of,
            run: run.unwrap_or_else(|| plan.model.folder().to_owned()),
            image: self.image.clone(),
            area: plan.area,
            threshold: plan.threshold,
        })
    }

    /// Removes predictions beside the one in `ours` that can be of no use any more, and those that
    /// are too many.
    fn clean_up(&self, ours: &Path, story: &Story) {
        let (mut count, mut bytes) = (0, 0);
        let on_rectangles = story.made_of.on_rectangles();
        for (folder, other) in stories(&self.folder) {
            if folder.path == ours || other.made_of == on_rectangles {
                continue;
            }
            let was_model = other.run == story.run
                && other.made_of.model_checksums != story.made_of.model_checksums;
            let was_image = other.image == story.image
                && other.made_of.image_print != story.made_of.image_print;
            count += 1;
            bytes += folder.bytes;
            let is_too_much = count > MOST_OTHERS || bytes > MOST_BYTES_OF_OTHERS;
            let is_gone = !other.run.exists() || !other.image.exists();
            if (was_model || was_image || is_gone || is_too_much)
                && let Err(error) = remove(&folder.path)
            {
                tracing::debug!(
                    "an old prediction stays ({error}): {}",
                    folder.path.display()
                );
            }
        }
    }
}

impl StoreLock {
    /// Adds a block to `file`.
    ///
    /// # Errors
    /// When the disk refuses, or enough is kept; the block is then not there.
    pub(super) fn put(
        &self,
        file: &mut BlockFile,
        rect: PixelRect,
        planes: &[&[u8]],
    ) -> io::Result<()> {
        let is_full = free_bytes(&self.folder).is_some_and(|free| free < LEAST_FREE);
        if is_full || file.num_bytes() > MOST_BYTES {
            return Err(io::Error::other(format!(
                "there is no more room for them: {}",
                self.folder.display()
            )));
        }
        file.put(rect, planes)
    }
}

impl MadeOf {
    /// A short name; whoever has the same may still be made of something else.
    fn name(&self) -> String {
        let text = serde_json::to_vec(self).expect("plain numbers and texts");
        format!("{:08x}", crc32c::crc32c(&text))
    }

    /// The same without a ground that alone is predicted.
    fn on_rectangles(&self) -> Self {
        Self {
            ground: None,
            ..self.clone()
        }
    }
}

impl Story {
    fn load(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join("made-of.json")).ok()?).ok()
    }

    fn save(&self, folder: &Path) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        replace_file(&folder.join("made-of.json"), &text).map_err(io::Error::other)
    }
}

/// The folder of a prediction.
struct Found {
    path: PathBuf,
    bytes: u64,
    /// When it was asked for last, or went on.
    written: SystemTime,
}

/// All predictions in `folder`, the newest first. What has no story is nobody's: it goes when its
/// name is taken again.
fn stories(folder: &Path) -> Vec<(Found, Story)> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let story = Story::load(&path)?;
            let facts = fs::metadata(path.join("blocks")).ok()?;
            // Blocks are left as they are when all were there, the story is not.
            let begun = fs::metadata(path.join("made-of.json")).ok()?;
            let written = facts.modified().ok()?.max(begun.modified().ok()?);
            let bytes = facts.len();
            let found = Found {
                path,
                bytes,
                written,
            };
            Some((found, story))
        })
        .collect();
    found.sort_by_key(|(found, _)| std::cmp::Reverse(found.written));
    found
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::test_world::World;

    /// Keeps an empty prediction with a model of these checksums.
    fn keep(store: &BlockStore, checksums: u32, image_print: &str) -> PathBuf {
        keep_on(store, (checksums, None), image_print)
    }

    /// The same on the ground of a checksum alone.
    fn keep_on(
        store: &BlockStore,
        (checksums, ground): (u32, Option<u32>),
        image_print: &str,
    ) -> PathBuf {
        let story = Story {
            made_of: MadeOf {
                schema: SCHEMA,
                model_checksums: [checksums, 1],
                flips: Flips::None,
                image_bytes: 5,
                image_time: 6,
                image_print: image_print.to_owned(),
                ground,
            },
            run: store.run.clone().expect("a run"),
            image: store.image.clone(),
            area: PixelRect::new(0, 0, 9, 9),
            threshold: DecisionThreshold::default(),
        };
        let folder = store.folder.join(story.made_of.name());
        fs::create_dir_all(&store.folder).expect("a folder");
        store.clean_up(&folder, &story);
        fs::create_dir_all(&folder).expect("a folder");
        story.save(&folder).expect("written");
        drop(BlockFile::open(&folder.join("blocks"), PLANES).expect("a file"));
        folder
    }

    #[test]
    fn what_is_of_no_use_any_more_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let [image, first, second] = ["i.tif", "first", "second"].map(|name| {
            let path = folder.path().join(name);
            fs::create_dir(&path).expect("a folder");
            path
        });
        let store = BlockStore::new(folder.path().join("kept"), image.clone());
        let [by_first, by_second] = [&first, &second].map(|run| store.clone().of_run(run.clone()));
        let is_there =
            |kept: &[&PathBuf]| kept.iter().map(|path| path.exists()).collect::<Vec<_>>();

        let one = keep(&by_first, 1, "a");
        let two = keep(&by_second, 2, "a");
        assert_eq!(is_there(&[&one, &two]), [true, true], "two models");
        let trained_on = keep(&by_first, 3, "a");
        assert_eq!(is_there(&[&one, &two, &trained_on]), [false, true, true]);
        fs::remove_dir(&second).expect("removed");
        let three = keep(&by_first, 3, "b");
        // The run is gone, and the image has other pixels.
        assert_eq!(is_there(&[&two, &trained_on, &three]), [false, false, true]);
    }

    #[test]
    fn not_too_many_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("run");
        fs::create_dir(&run).expect("a folder");
        let kept = folder.path().join("kept");
        for number in 0..MOST_OTHERS + 9 {
            let image = folder.path().join(format!("{number}.tif"));
            fs::create_dir(&image).expect("a folder");
            let store = BlockStore::new(kept.clone(), image).of_run(run.clone());
            let last = keep(&store, 1, &number.to_string());
            let count = fs::read_dir(&kept).expect("a folder").count();
            assert_eq!(count, (number + 1).min(MOST_OTHERS + 1));
            assert!(last.exists());
        }
    }

    #[test]
    fn a_prediction_on_rectangles_is_not_given_up_for_grounds() {
        let folder = tempfile::tempdir().expect("a folder");
        let [image, run] = ["i.tif", "run"].map(|name| {
            let path = folder.path().join(name);
            fs::create_dir(&path).expect("a folder");
            path
        });
        let store = BlockStore::new(folder.path().join("kept"), image).of_run(run);
        let everywhere = keep(&store, 1, "a");
        let count = || fs::read_dir(&store.folder).expect("a folder").count();
        for ground in 0..MOST_OTHERS as u32 + 9 {
            let last = keep_on(&store, (1, Some(ground)), "a");
            assert!(everywhere.exists() && last.exists());
        }
        assert_eq!(count(), MOST_OTHERS + 2);
        let after_training = keep_on(&store, (2, Some(1)), "a");
        assert!(after_training.exists());
        assert_eq!(count(), 1);
    }

    #[test]
    fn a_folder_without_a_story_is_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = folder.path().join("kept");
        fs::create_dir_all(kept.join("0badf00d")).expect("a folder");
        let image = folder.path().join("image.tif");
        replace_file(&image, b"12345").expect("written");
        let source: Arc<dyn TileSource> = World::new();
        assert!(BlockStore::new(kept, image).read(&source).is_none());
    }
}
