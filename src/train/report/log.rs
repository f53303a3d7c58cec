use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use crate::train::TrainError;

/// Name of the log in a run folder.
const LOG_FILE: &str = "log.txt";

/// Appends a line to the run's `log.txt`: the time as `time` gives it (trainings give their time of
/// work, like `1:02:03`), a tab, and what happened. The text stays in one line.
///
/// # Errors
/// [`TrainError::Log`] when the disk refuses.
pub fn append_log(folder: &Path, time: &str, what: &str) -> Result<(), TrainError> {
    let path = folder.join(LOG_FILE);
    let in_one_line = |text: &str| text.replace(['\n', '\r', '\t'], " ");
    let line = format!("{}\t{}\n", in_one_line(time), in_one_line(what.trim_end()));
    // Lines are added and never changed, so the file is not replaced; one write keeps them whole.
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    options
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .map_err(|source| TrainError::Log { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_is_one_line_each() {
        let folder = tempfile::tempdir().expect("a folder");
        append_log(folder.path(), "2026-01-02T03:04:05Z", "Began").expect("written");
        append_log(folder.path(), "2026-01-02T03:04:06Z", "two\nlines\n").expect("written");
        let text = std::fs::read_to_string(folder.path().join(LOG_FILE)).expect("written");
        assert_eq!(
            text,
            "2026-01-02T03:04:05Z\tBegan\n2026-01-02T03:04:06Z\ttwo lines\n"
        );
        let error = append_log(&folder.path().join("none"), "", "").expect_err("no folder");
        assert!(error.to_string().contains("log.txt"), "{error}");
    }
}
