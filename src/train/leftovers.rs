//! What a training that was killed while it wrote leaves in its folder.

use std::fs::{self, DirEntry};
use std::path::Path;
use std::time::Duration;

use super::resume::begins_as_state;
use super::run_folder::{CHECKPOINTS, TRYING, WRITING, names_checkpoint};

/// So long nobody writes nothing to a file that is still being written.
const FORGOTTEN: Duration = Duration::from_hours(1);

/// Removes half-written checkpoints and states from the folder of a run; whoever calls it is the
/// one who trains there. What cannot be removed stays, and files of others are left alone: of those
/// that are written under another name first, only a state and the name of a checkpoint are surely
/// ours, and what nobody has written to for an hour is nobody's.
pub(super) fn remove_leftovers(run: &Path) {
    for entry in entries(&run.join(CHECKPOINTS)) {
        remove_folder(&entry, WRITING);
    }
    for entry in entries(run) {
        remove_folder(&entry, TRYING);
        if is_leftover_draft(&entry) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

fn begins(entry: &DirEntry, name: &str) -> bool {
    entry.file_name().to_string_lossy().starts_with(name)
}

fn remove_folder(entry: &DirEntry, name: &str) {
    if begins(entry, name) && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
        drop(fs::remove_dir_all(entry.path()));
    }
}

fn is_leftover_draft(entry: &DirEntry) -> bool {
    let is_draft = begins(entry, ".orthobrush-");
    let is_file = is_draft && entry.file_type().is_ok_and(|kind| kind.is_file());
    let path = entry.path();
    is_file && (begins_as_state(&path) || names_checkpoint(&path) || is_forgotten(entry))
}

fn is_forgotten(entry: &DirEntry) -> bool {
    let written = entry.metadata().and_then(|it| it.modified()).ok();
    let age = written.and_then(|written| written.elapsed().ok());
    age.is_some_and(|age| age > FORGOTTEN)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::disk::replace_file;

    #[test]
    fn what_was_half_written_goes_and_all_else_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, bytes: &[u8]| {
            replace_file(&folder.path().join(path), bytes).expect("written");
        };
        let state = b"ORTHRUN\x01 and half of the rest";
        let gone = [
            "ckpt/.writing-a1/weights.safetensors",
            ".trying-b2/model.json",
            ".orthobrush-c3",
        ];
        let kept = [
            "ckpt/00000010/weights.safetensors",
            "ckpt/.writing",
            "resume.state",
            "writing-notes/x.txt",
        ];
        for path in gone.iter().chain(&kept) {
            write(path, state);
        }
        // Another program predicts into the folder, and just began to write something.
        let others = [
            (".orthobrush-d4", &b"II*\0 an image"[..]),
            (".orthobrush-e5", &b""[..]),
        ];
        for (path, bytes) in others {
            write(path, bytes);
        }
        write(".orthobrush-f6", b"00000040\n");
        let forgotten = folder.path().join(".orthobrush-g7");
        write(".orthobrush-g7", b"epoch,train_loss");
        let long_ago = SystemTime::now() - Duration::from_hours(2);
        let file = fs::File::options().write(true).open(&forgotten);
        file.and_then(|file| file.set_modified(long_ago))
            .expect("set");
        remove_leftovers(folder.path());
        let is_there = |path: &str| folder.path().join(path).exists();
        assert!(!is_there(".orthobrush-f6") && !forgotten.exists());
        assert!(!gone.iter().any(|path| is_there(path)));
        assert!(!is_there("ckpt/.writing-a1") && !is_there(".trying-b2"));
        assert!(kept.iter().all(|path| is_there(path)));
        assert!(others.iter().all(|(path, _)| is_there(path)));
        remove_leftovers(&folder.path().join("none"));
        assert!(!is_there("none"));
    }
}
