use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint::{CARD_FILE, ModelCard, WEIGHTS_FILE};
use super::data::{DATA_FILE, LABEL_FILE, check_name};
use super::epoch::metrics_csv;
use super::find_rate::RATE_FILES;
use super::finetune::{REPLAY_FILE, Replay, keep_image_print};
use super::folder_lock::taken;
use super::leak_check::LEAKS_FILE;
use super::resume::Progress;
use super::{EpochRow, SavedModel, TrainError, TrainPlan};
use crate::dataset::Ground;
use crate::disk::{FileLock, replace_file};
use crate::label::{ClassTable, SaveAs, save_mask};

/// The file that names the best checkpoint.
pub(super) const BEST: &str = "best";
/// The file that names the last checkpoint.
pub(super) const LAST: &str = "last";
/// The folder of checkpoints.
pub(super) const CHECKPOINTS: &str = "ckpt";
/// What a checkpoint's folder is called at first while it is written.
pub(super) const WRITING: &str = ".writing-";
/// The same of one that is only tried.
pub(super) const TRYING: &str = ".trying-";

/// The folder of one run: recipe, classes, split, metrics and checkpoints, each written whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The run folder at `path`, which need not exist yet.
    ///
    /// # Errors
    /// When it holds a run already, or files that are of no run, or no file of the run could name it.
    pub(super) fn unused(path: PathBuf) -> Result<Self, TrainError> {
        check_name(&path)?;
        let taken = [BEST, LAST, CHECKPOINTS, "recipe.toml"];
        if taken.iter().any(|name| path.join(name).exists()) {
            return Err(TrainError::FolderTaken(path));
        }
        match strangers(&path) {
            found if found.is_empty() => Ok(Self { path }),
            found => Err(TrainError::FolderInUse { found, path }),
        }
    }

    /// The folder of a run that was begun.
    ///
    /// # Errors
    /// When there is none, or its files cannot name it.
    pub(super) fn begun(path: PathBuf) -> Result<Self, TrainError> {
        check_name(&path)?;
        if path.join("recipe.toml").is_file() {
            return Ok(Self { path });
        }
        Err(TrainError::NoRun(path))
    }

    /// `progress` with its best checkpoint in this folder, which may have been moved.
    pub(super) fn rebased(&self, mut progress: Progress) -> Progress {
        if let Some((_, best)) = &mut progress.best {
            let name = best.file_name().unwrap_or_default().to_owned();
            *best = self.path.join(CHECKPOINTS).join(name);
        }
        progress
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps others from training into it as long as what comes back is held.
    ///
    /// # Errors
    /// When somebody else does, or the disk refuses.
    pub(super) fn taken(&self) -> Result<Option<FileLock>, TrainError> {
        taken(&self.path)
    }

    /// Takes it and writes what is known before the first step.
    ///
    /// # Errors
    /// As for [`Self::taken`], and when somebody else began a run there since it was found unused.
    pub(super) fn begin(&self, plan: &TrainPlan) -> Result<Option<FileLock>, TrainError> {
        let lock = self.taken()?;
        Self::unused(self.path.clone())?;
        make_folder(&self.path.join(CHECKPOINTS))?;
        plan.classes.save(&self.path.join("classes.toml"))?;
        if let Some(data) = &plan.data {
            replace_file(&self.path.join(DATA_FILE), json(data).as_bytes())?;
        }
        if let Ground::Image(scene) = plan.patches.ground() {
            let path = self.path.join(LABEL_FILE);
            save_mask(
                &path,
                scene.image_mask(),
                &plan.classes,
                None,
                SaveAs::GeoTiff,
            )?;
            keep_image_print(&self.path, scene)?;
        }
        if let Some(label) = plan.replay.as_ref().and_then(Replay::own_label) {
            let path = self.path.join(REPLAY_FILE);
            save_mask(&path, label, &plan.classes, None, SaveAs::GeoTiff)?;
        }
        let split = json(&plan.split().report);
        replace_file(&self.path.join("split.json"), split.as_bytes())?;
        if let Some(leaks) = &plan.leaks {
            replace_file(&self.path.join(LEAKS_FILE), json(leaks).as_bytes())?;
        }
        // Last: a folder with a recipe holds a run.
        plan.recipe.save(&self.path.join("recipe.toml"))?;
        Ok(lock)
    }

    /// Writes all rows so far.
    pub(super) fn write_metrics(
        &self,
        rows: &[EpochRow],
        classes: &ClassTable,
    ) -> Result<(), TrainError> {
        let text = metrics_csv(rows, classes);
        Ok(replace_file(
            &self.path.join("metrics.csv"),
            text.as_bytes(),
        )?)
    }

    /// Writes a checkpoint whole and names it in each of `names`; checkpoints that nothing names
    /// any more are removed.
    pub(super) fn save(
        &self,
        card: &ModelCard,
        weights: &[u8],
        names: &[&str],
    ) -> Result<PathBuf, TrainError> {
        let step = step_name(card.step);
        let all = self.path.join(CHECKPOINTS);
        let folder = all.join(&step);
        make_folder(&all)?;
        let failed = |source| TrainError::Folder {
            path: folder.clone(),
            source,
        };
        let writing = tempfile::Builder::new()
            .prefix(WRITING)
            .tempdir_in(&all)
            .map_err(failed)?;
        replace_file(&writing.path().join(WEIGHTS_FILE), weights)?;
        replace_file(&writing.path().join(CARD_FILE), json(card).as_bytes())?;
        publish(writing, &folder)
            .and_then(|()| sync_folder(&all))
            .map_err(failed)?;
        for name in names {
            replace_file(&self.path.join(name), format!("{step}\n").as_bytes())?;
        }
        self.remove_unnamed(&all);
        Ok(folder)
    }

    /// Writes a checkpoint where the run will be, reads it back and takes it away again.
    ///
    /// # Errors
    /// When the disk refuses, or what is read is not what was written.
    pub(super) fn try_checkpoint(
        &self,
        card: &ModelCard,
        weights: &[u8],
    ) -> Result<(), TrainError> {
        let is_new = !self.path.exists();
        let tried = make_folder(&self.path).and_then(|()| self.write_and_read(card, weights));
        if is_new {
            // Only what is empty goes, so nothing is lost if it stays.
            drop(fs::remove_dir(&self.path));
        }
        tried
    }

    fn write_and_read(&self, card: &ModelCard, weights: &[u8]) -> Result<(), TrainError> {
        let writing = tempfile::Builder::new()
            .prefix(TRYING)
            .tempdir_in(&self.path)
            .map_err(|source| TrainError::Folder {
                path: self.path.clone(),
                source,
            })?;
        let path = writing.path().join(WEIGHTS_FILE);
        replace_file(&path, weights)?;
        replace_file(&writing.path().join(CARD_FILE), json(card).as_bytes())?;
        SavedModel::load(writing.path())?;
        if fs::read(&path).is_ok_and(|read| read == weights) {
            return Ok(());
        }
        let reason = "what is read is not what was written; check the disk".to_owned();
        Err(TrainError::Model { reason, path })
    }

    /// A checkpoint too many costs space, no more: what cannot be removed stays.
    fn remove_unnamed(&self, all: &Path) {
        let named = [BEST, LAST].map(|name| fs::read_to_string(self.path.join(name)));
        let named: Vec<&str> = named.iter().flatten().map(|text| text.trim()).collect();
        let Ok(entries) = fs::read_dir(all) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_checkpoint = name.bytes().all(|byte| byte.is_ascii_digit());
            if is_checkpoint
                && !named.contains(&&*name)
                && let Err(error) = fs::remove_dir_all(entry.path())
            {
                tracing::debug!(
                    "An old checkpoint stays ({error}): {}",
                    entry.path().display()
                );
            }
        }
    }
}

/// What the checkpoint after `step` steps is called.
fn step_name(step: u64) -> String {
    format!("{step:08}")
}

/// Whether a file holds the name of a checkpoint and nothing else.
pub(super) fn names_checkpoint(path: &Path) -> bool {
    const MOST_BYTES: u64 = 32;
    let size = fs::metadata(path).ok().filter(|it| it.len() < MOST_BYTES);
    let text = size.and_then(|_| fs::read_to_string(path).ok());
    let name = text.as_deref().and_then(|text| text.strip_suffix('\n'));
    name.is_some_and(|name| name.parse().is_ok_and(|step| step_name(step) == name))
}

/// What lies in a folder that is for a run, the first by name: neither what is hidden, nor locks, nor
/// what a search for a learning rate left.
fn strangers(folder: &Path) -> String {
    const MOST: usize = 3;
    let Ok(entries) = fs::read_dir(folder) else {
        // Where there is none yet nothing lies; what else there is, making it will say.
        return String::new();
    };
    let is_ours = |name: &String| {
        let is_lock = Path::new(name)
            .extension()
            .is_some_and(|ending| ending == "lock");
        is_lock || name.starts_with('.') || RATE_FILES.contains(&name.as_str())
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !is_ours(name)).collect();
    names.sort();
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    let first = names.join(", ");
    if more > 0 {
        return format!("{first} and {more} more");
    }
    first
}

fn make_folder(folder: &Path) -> Result<(), TrainError> {
    fs::create_dir_all(folder).map_err(|source| TrainError::Folder {
        path: folder.to_owned(),
        source,
    })
}

/// Renames the finished folder into place; one of the same step is replaced.
fn publish(writing: tempfile::TempDir, folder: &Path) -> io::Result<()> {
    sync_folder(writing.path())?;
    share(writing.path())?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::rename(writing.path(), folder)?;
    // It has another name now; nothing is left to clean up.
    let _renamed = writing.keep();
    Ok(())
}

/// Temporary folders are private; a checkpoint is as readable as other folders.
#[cfg(unix)]
fn share(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let like = folder.parent().map_or(Ok(0o755), |parent| {
        fs::metadata(parent).map(|known| known.permissions().mode())
    })?;
    fs::set_permissions(folder, fs::Permissions::from_mode(like))
}

#[cfg(not(unix))]
fn share(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("plain records of numbers, words and lists become JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::super::checkpoint::fresh_network;
    use super::*;
    use crate::dataset::Normalization;
    use crate::label::Class;
    use crate::nn::{ModelConfig, write_weights};

    fn classes() -> ClassTable {
        let classes = vec![
            Class::new(0, "ground", [0; 3]),
            Class::new(1, "road", [9; 3]),
        ];
        ClassTable::new(Some(0), classes).expect("a table")
    }

    fn card(step: u64) -> ModelCard {
        let model = ModelConfig {
            base_filters: 2,
            depth: 1,
            ..ModelConfig::default()
        };
        let normalization = Normalization {
            mean: vec![0.5; 3],
            std: vec![0.2; 3],
        };
        ModelCard {
            step,
            ..ModelCard::new(model, &classes(), normalization, 32, 7)
        }
    }

    fn weights() -> Vec<u8> {
        let network = fresh_network(&card(0).model, 2, 3, &Device::flex());
        write_weights(&network).expect("bytes")
    }

    #[test]
    fn best_and_last_are_kept_and_the_rest_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = RunFolder::unused(folder.path().join("run 1")).expect("unused");
        run.save(&card(10), &weights(), &[BEST, LAST])
            .expect("saved");
        run.save(&card(20), &weights(), &[LAST]).expect("saved");
        run.save(&card(30), &weights(), &[LAST]).expect("saved");
        let mut steps: Vec<String> = fs::read_dir(run.path.join(CHECKPOINTS))
            .expect("a folder")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        steps.sort();
        assert_eq!(steps, ["00000010", "00000030"]);
        let best = SavedModel::load(&run.path).expect("a model");
        assert_eq!(*best.card(), card(10));
        let last = SavedModel::load(&run.path.join(CHECKPOINTS).join("00000030")).expect("a model");
        assert_eq!(last.card().step, 30);
        assert!(RunFolder::unused(run.path).is_err());
    }

    #[test]
    fn a_run_does_not_go_among_files_that_are_of_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str| replace_file(&folder.path().join(name), b"mine").expect("written");
        let unused = || RunFolder::unused(folder.path().to_owned());
        let ours = ["rate_range.csv", "rate_range.svg", ".hidden", "run.lock"];
        ours.into_iter().for_each(put);
        unused().expect("nobody's");
        put("label.tif");
        let refusal = unused().expect_err("in use").to_string();
        assert!(refusal.contains("other files (label.tif)"), "{refusal}");
        let others = ["ortho.tif", "classes.toml", "notes.txt"];
        others.into_iter().for_each(put);
        let refusal = unused().expect_err("in use").to_string();
        let told = "other files (classes.toml, label.tif, notes.txt and 1 more)";
        assert!(refusal.contains(told), "{refusal}");
        assert!(refusal.contains("name a new one"), "{refusal}");
    }

    #[test]
    fn a_checkpoint_is_tried_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = RunFolder::unused(folder.path().join("run")).expect("unused");
        run.try_checkpoint(&card(0), &weights()).expect("it works");
        assert!(!run.path.exists());
        assert!(run.try_checkpoint(&card(0), b"no weights").is_err());
        replace_file(&folder.path().join("file"), b"").expect("written");
        let run = RunFolder::unused(folder.path().join("file/run")).expect("unused");
        let error = run.try_checkpoint(&card(0), &weights());
        assert!(error.expect_err("no folder").to_string().contains("run"));
    }

    #[test]
    fn damage_is_named_with_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = RunFolder::unused(folder.path().join("run")).expect("unused");
        let saved = run.save(&card(1), &weights(), &[BEST]).expect("saved");
        let check = |file: &str, bytes: &[u8]| {
            let before = fs::read(saved.join(file)).expect("a file");
            replace_file(&saved.join(file), bytes).expect("written");
            let error = SavedModel::load(&run.path).expect_err("damage").to_string();
            assert!(error.contains(file), "{error}");
            replace_file(&saved.join(file), &before).expect("written");
        };
        check(WEIGHTS_FILE, &weights()[..100]);
        check(WEIGHTS_FILE, b"");
        check(CARD_FILE, b"{}");
        check(
            CARD_FILE,
            json(&ModelCard {
                schema: 9,
                ..card(1)
            })
            .as_bytes(),
        );
        check(
            CARD_FILE,
            json(&ModelCard {
                num_classes: 0,
                ..card(1)
            })
            .as_bytes(),
        );
        SavedModel::load(&run.path).expect("all is back");
        replace_file(&run.path.join(BEST), b"../../etc").expect("written");
        assert!(SavedModel::load(&run.path).is_err());
    }

    #[test]
    fn other_classes_are_said() {
        assert!(card(1).class_differences(&classes()).is_empty());
        let other = vec![
            Class::new(0, "ground", [0; 3]),
            Class::new(1, "river", [9; 3]),
            Class::new(2, "road", [8; 3]),
        ];
        let other = ClassTable::new(None, other).expect("a table");
        assert_eq!(
            card(1).class_differences(&other),
            [
                "class 1 is road in the model and river in the table",
                "the model does not know class 2 (road)"
            ]
        );
    }
}
