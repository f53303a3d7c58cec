use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::super::DatasetError;
use crate::dataset::layout::file_name;
use crate::exchange::{read_first_line, read_text};
use crate::geom::ImageSize;
use crate::label::{Mask, MaskBuilder};

/// A table of run lengths of a million masks is some 1 GB; a longer one is something else.
const MAX_TABLE_BYTES: u64 = 1 << 30;
/// A head line is shorter.
const MAX_HEAD_BYTES: u64 = 64 << 10;

/// The run lengths of a table by image name, for example from `train.csv` with `id,rle_mask`.
#[derive(Debug)]
pub(super) struct RunTable {
    pub(super) path: PathBuf,
    pub(super) runs: HashMap<String, String>,
}

impl RunTable {
    /// Reads a table whose second column says that it holds run lengths; `None` for other files.
    /// Several lines of one image belong together.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let head = read_first_line(path, MAX_HEAD_BYTES).ok()?;
        let (_, second) = head.split_once(',')?;
        let second = second.to_lowercase();
        if !second.contains("rle") && !second.contains("encodedpixels") {
            return None;
        }
        let text = read_text(path, MAX_TABLE_BYTES).ok()?;
        let mut runs: HashMap<String, String> = HashMap::new();
        for line in text.lines().skip(1) {
            let Some((name, text)) = line.split_once(',') else {
                continue;
            };
            let name = name.trim().trim_matches('"');
            let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            let all = runs.entry(name.to_owned()).or_default();
            all.push(' ');
            all.push_str(text.trim().trim_matches('"'));
        }
        Some(Self {
            path: path.to_owned(),
            runs,
        })
    }

    /// What there is to say about images of it that are not there.
    pub(super) fn missing_note(&self, names: &HashSet<&str>) -> Option<String> {
        let is_missing = |name: &&String| !names.contains(name.as_str());
        let missing: Vec<&String> = self.runs.keys().filter(is_missing).collect();
        let first = missing.iter().min()?;
        Some(format!(
            "{} of {} images in {} are not here; the first is {first:.80}",
            missing.len(),
            self.runs.len(),
            file_name(&self.path)
        ))
    }

    /// Whether it shows what answers look like, as `sample_submission.csv` does, or holds such: it
    /// is called a submission, or all its images, more than two, have the same bright pixels.
    pub(super) fn is_template(&self) -> bool {
        let mut runs = self.runs.values().map(|runs| runs.trim());
        let first = runs.next().unwrap_or_default();
        let is_same = self.runs.len() > 2 && !first.is_empty() && runs.all(|runs| runs == first);
        is_same || file_name(&self.path).to_lowercase().contains("submission")
    }
}

/// The mask whose bright pixels (class 1) are the `runs` "start length …": starts count from 1, down
/// the columns from left to right, as Kaggle has them.
///
/// # Errors
/// [`DatasetError::Runs`] when a word is no number or a run leaves the image.
pub(super) fn mask_of_runs(
    runs: &str,
    size: ImageSize,
    (name, path): (&str, &Path),
) -> Result<Mask, DatasetError> {
    let broken = |reason: String| DatasetError::Runs {
        name: name.to_owned(),
        reason,
        path: path.to_owned(),
    };
    let numbers: Result<Vec<u64>, _> = runs.split_whitespace().map(str::parse).collect();
    let numbers = numbers.map_err(|error| broken(format!("a word is no number ({error})")))?;
    let (pairs, rest) = numbers.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(broken("a start has no length".to_owned()));
    }
    for &[start, length] in pairs {
        let end = start.checked_add(length);
        if length > 0 && (start == 0 || end.is_none_or(|end| end - 1 > size.num_pixels())) {
            return Err(broken(format!(
                "the run {start} {length} leaves the image of {size} pixels"
            )));
        }
    }
    Ok(drawn(&disjoint(pairs), size))
}

/// The runs as (first, one behind the last), counted from 0, in order and merged where they touch.
fn disjoint(runs: &[[u64; 2]]) -> Vec<(u64, u64)> {
    let filled = runs.iter().filter(|[_, length]| *length > 0);
    let mut all: Vec<(u64, u64)> = filled
        .map(|[start, length]| (start - 1, start - 1 + length))
        .collect();
    all.sort_unstable();
    all.dedup_by(|next, kept| {
        let touches = next.0 <= kept.1;
        if touches {
            kept.1 = kept.1.max(next.1);
        }
        touches
    });
    all
}

/// Draws disjoint runs that lie within the image, row by row: memory is bounded by some rows.
fn drawn(runs: &[(u64, u64)], size: ImageSize) -> Mask {
    let height = u64::from(size.height);
    let mut builder = MaskBuilder::new(size);
    // For each column the first run that does not end above the row that is drawn.
    let mut next: Vec<usize> = (0..u64::from(size.width))
        .map(|x| runs.partition_point(|(_, end)| *end <= x * height))
        .collect();
    for y in 0..height {
        let pixel_of = |(x, at): (u64, &mut usize)| {
            let pixel = x * height + y;
            while runs.get(*at).is_some_and(|(_, end)| *end <= pixel) {
                *at += 1;
            }
            u8::from(runs.get(*at).is_some_and(|(first, _)| *first <= pixel))
        };
        let row: Vec<u8> = (0..).zip(&mut next).map(pixel_of).collect();
        builder.push_rows(&row);
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::super::test_folders::write;
    use super::*;

    fn mask(runs: &str, width: u32, height: u32) -> Result<Vec<u8>, String> {
        let size = ImageSize::new(width, height);
        let mask = mask_of_runs(runs, size, ("a", Path::new("train.csv")));
        mask.map(|mask| mask.read_rect(size.bounds()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn runs_go_down_the_columns_from_one() {
        // 3 wide, 2 high: pixels 2 and 3 are the foot of column 0 and the head of column 1.
        assert_eq!(mask("2 2", 3, 2).expect("runs"), [0, 1, 0, 1, 0, 0]);
        assert_eq!(mask("", 3, 1).expect("empty"), [0, 0, 0]);
        assert_eq!(mask("1 6", 3, 2).expect("full"), [1; 6]);
        assert_eq!(
            mask(" 5 1  1 1", 3, 2).expect("any order"),
            [1, 0, 1, 0, 0, 0]
        );
        assert_eq!(
            mask("1 5 2 1", 3, 2).expect("within another"),
            [1, 1, 1, 1, 1, 0]
        );
    }

    #[test]
    fn tables_of_one_run_for_all_are_templates() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, rows, expected) in [
            ("train.csv", "a,1 1\nb,1 1\nc,1 1\n", true),
            ("train.csv", "a,1 1\nb,1 1\nc,1 2\n", false),
            ("train.csv", "a,1 1\nb,1 1\n", false),
            ("train.csv", "a,\nb,\nc,\n", false),
            ("Sample_Submission_v2.csv", "a,1 1\nb,2 2\n", true),
        ] {
            let text = format!("id,rle_mask\n{rows}");
            let path = write(folder.path(), name, text.as_bytes());
            let table = RunTable::read(&path).expect("run lengths");
            assert_eq!(table.is_template(), expected, "{name} {rows}");
        }
    }

    #[test]
    fn runs_that_cannot_be_are_refused() {
        for (runs, expected) in [
            ("1", "no length"),
            ("0 1", "leaves"),
            ("6 2", "leaves"),
            ("1 x", "no number"),
            ("18446744073709551615 2", "leaves"),
        ] {
            let error = mask(runs, 3, 2).expect_err("broken");
            assert!(
                error.contains(expected) && error.ends_with("train.csv"),
                "{error}"
            );
        }
    }
}
