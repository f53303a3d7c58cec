use std::path::Path;

use super::cells::Cells;
use super::leaks::alike_files;
use super::parts::{Assignment, PartLists, PartRule, SampleId, Twins, assign_parts};
use super::split::{Split, SplitKind, SplitReport};
use super::watch::counted;
use super::{DatasetError, FileSet, Part, Watch};
use crate::label::subject_of;

/// More images are not decoded only to find equal ones.
const MOST_DECODED: usize = 5_000;
/// Said when a rule gives one part nothing.
const NO_PART: &str = "The rule for the parts leaves nothing to learn from, or nothing to validate \
                       with; change it";

/// Which files of a data set learn, choose and judge.
#[derive(Debug)]
pub(super) struct FileParts {
    /// The files of each part, by [`Part::ALL`], rising.
    pub(super) parts: [Vec<usize>; 3],
    /// What the user should know about the choice.
    pub(super) notes: Vec<String>,
}

impl FileParts {
    /// The parts of `files`, whose labelled pixels by class are `counts`, as `rule` says; those
    /// without labels are in none. `print` tells the number that images of equal pixels share.
    ///
    /// # Errors
    /// When fewer than two files hold labels, the rule leaves nothing to learn from or to validate
    /// with, or `print` says so.
    pub(super) fn of(
        (files, counts): (&FileSet, &[Vec<u64>]),
        rule: &PartRule,
        print: impl Fn(usize) -> Result<Option<u64>, DatasetError> + Sync,
        watch: &Watch<'_>,
    ) -> Result<Self, DatasetError> {
        let is_labelled = |&at: &usize| counts[at].iter().any(|&pixels| pixels > 0);
        let labelled: Vec<usize> = (0..counts.len()).filter(is_labelled).collect();
        if labelled.len() < 2 {
            return Err(DatasetError::TooLittle(format!(
                "{} of {} masks hold labels, but one is held out and one is needed to learn from; \
                 label more files",
                labelled.len(),
                counts.len()
            )));
        }
        let mut notes = Vec::new();
        let prints = match rule.twins {
            Twins::Apart => vec![None; labelled.len()],
            Twins::Together if labelled.len() > MOST_DECODED => {
                notes.push(format!(
                    "More than {MOST_DECODED} images: of those with equal pixels only equal files \
                     are kept in one part; orthobrush dataset inspect finds the others"
                ));
                prints_of_files(files, &labelled, watch)?
            }
            Twins::Together => counted(watch, labelled.len(), |at| print(labelled[at]))?,
        };
        let assigned = assigned((files, counts), (&labelled, &prints), rule)?;
        let of = |part| -> Vec<usize> {
            let indices = assigned.indices(part).into_iter();
            indices.map(|index| labelled[index]).collect()
        };
        let parts = Part::ALL.map(of);
        let [train, validation, _] = &parts;
        if train.is_empty() || validation.is_empty() {
            return Err(DatasetError::TooLittle(NO_PART.to_owned()));
        }
        let empty = counts.len() - labelled.len();
        if empty > 0 {
            let (one, many) = ("holds no labels and is", "hold no labels and are");
            let masks = subject_of(empty, "mask", one, many);
            notes.push(format!("{masks} not used"));
        }
        notes.extend(assigned.notes);
        Ok(Self { parts, notes })
    }
}

/// The parts of the `labelled` files with their `prints`, as `rule` says.
fn assigned(
    (files, counts): (&FileSet, &[Vec<u64>]),
    (labelled, prints): (&[usize], &[Option<u64>]),
    rule: &PartRule,
) -> Result<Assignment, DatasetError> {
    let names: Vec<String> = labelled.iter().map(|&at| files.name(at)).collect();
    let known = labelled.iter().zip(&names).zip(prints);
    let samples: Vec<SampleId<'_>> = known
        .map(|((&at, name), &fingerprint)| SampleId {
            name,
            path: &files.sample(at).image,
            stated_part: files.sample(at).part,
            group: files.sample(at).group.as_deref(),
            fingerprint,
            class_pixels: Some(&counts[at]),
        })
        .collect();
    let lists = PartLists::of(rule, &files.discovery().folder)?;
    assign_parts(rule, &samples, &lists)
}

/// Numbers that equal files share, without decoding any.
fn prints_of_files(
    files: &FileSet,
    labelled: &[usize],
    watch: &Watch<'_>,
) -> Result<Vec<Option<u64>>, DatasetError> {
    let path = |&at: &usize| files.sample(at).image.as_path();
    let paths: Vec<&Path> = labelled.iter().map(path).collect();
    let twins = alike_files(&paths, &|group| group.len() > 1, watch.is_cancelled);
    if (watch.is_cancelled)() {
        return Err(DatasetError::Stopped);
    }
    let mut prints = vec![None; labelled.len()];
    for (number, twins) in (0..).zip(twins) {
        for at in twins {
            prints[at] = Some(number);
        }
    }
    Ok(prints)
}

impl Split {
    /// Holds whole files out as `rule` says; files without labels are not used.
    ///
    /// # Errors
    /// When fewer than two files hold labels, or the rule leaves nothing to learn from or to
    /// validate with.
    pub(super) fn of_files(
        scans: &[Cells],
        files: &FileSet,
        rule: &PartRule,
        num_classes: usize,
        watch: &Watch<'_>,
    ) -> Result<Self, DatasetError> {
        let counts: Vec<Vec<u64>> = scans
            .iter()
            .map(|cells| cells.histogram(|_| true)[..num_classes].to_vec())
            .collect();
        let print = |at| files.fingerprint(at).map(Some);
        let FileParts { parts, notes } = FileParts::of((files, &counts), rule, print, watch)?;
        let [train, validation, test] = parts;
        let called = |those: &[usize]| those.iter().map(|&at| files.name(at)).collect();
        let sum = |those: &[usize]| those.iter().flat_map(|&at| &counts[at]).sum();
        let report = SplitReport {
            kind: SplitKind::Files,
            seed: rule.seed,
            train_pixels: sum(&train),
            validation_pixels: sum(&validation),
            validation_blocks: Vec::new(),
            test_blocks: Vec::new(),
            margin: 0,
            validation_files: called(&validation),
            test_files: called(&test),
            train_files: train.len(),
            unreviewed: None,
            notes,
        };
        let held_out = validation.iter();
        Ok(Self {
            report,
            held_out: held_out
                .map(|&at| (at, scans[at].extent.bounds()))
                .collect(),
            train_scenes: train,
            test_scenes: test,
            judging: Vec::new(),
            margin: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::discover;
    use crate::geom::ImageSize;
    use crate::label::{ClassTable, Mask, SaveAs, save_mask};

    #[test]
    fn whole_files_are_held_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let (size, table) = (ImageSize::new(10, 10), ClassTable::from_values(0..30));
        let mut scans = Vec::new();
        for n in 0..21_u8 {
            let mask = Mask::filled(size, if n == 4 { 255 } else { 1 });
            // Any picture does, as long as no two are alike.
            let image = Mask::filled(size, n);
            for (kind, pixels) in [("images", &image), ("masks", &mask)] {
                let path = folder.path().join(kind).join(format!("{n:02}.png"));
                save_mask(&path, pixels, &table, None, SaveAs::IndexPng).expect("saved");
            }
            scans.push(Cells::scan(&mask));
        }
        let files = FileSet::new(discover(folder.path()).expect("pairs"), 1 << 20);
        let rule = PartRule::default();
        let split = Split::of_files(&scans, &files, &rule, 2, &Watch::NOBODY).expect("a split");
        assert_eq!((split.held_out.len(), split.train_scenes.len()), (2, 18));
        assert!(!split.train_scenes.contains(&4));
        assert_eq!(split.report.notes.len(), 1, "{:?}", split.report.notes);
        assert!(split.report.test_files.is_empty());
        let again = Split::of_files(&scans, &files, &rule, 2, &Watch::NOBODY).expect("a split");
        assert_eq!(split, again);
        let bare = |_| Cells::scan(&Mask::new(size));
        let empty: Vec<Cells> = (0..21).map(bare).collect();
        assert!(Split::of_files(&empty, &files, &rule, 2, &Watch::NOBODY).is_err());
    }

    #[test]
    fn equal_files_have_one_number_without_being_decoded() {
        let folder = tempfile::tempdir().expect("a folder");
        let (size, table) = (ImageSize::new(10, 10), ClassTable::from_values(0..30));
        // The images are no pictures, so that decoding one would fail.
        for (name, bytes) in [("0", "same"), ("1", "else"), ("2", "same"), ("3", "longer")] {
            let path = folder.path().join(format!("images/{name}.png"));
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            crate::disk::replace_file(&path, bytes.as_bytes()).expect("a file");
            let path = folder.path().join(format!("masks/{name}.png"));
            save_mask(
                &path,
                &Mask::filled(size, 1),
                &table,
                None,
                SaveAs::IndexPng,
            )
            .expect("saved");
        }
        let files = FileSet::new(discover(folder.path()).expect("pairs"), 1 << 20);
        let prints = prints_of_files(&files, &[0, 1, 2, 3], &Watch::NOBODY).expect("nobody stops");
        assert_eq!(prints, [Some(0), None, Some(0), None]);
        let some = prints_of_files(&files, &[3, 2, 0], &Watch::NOBODY).expect("nobody stops");
        assert_eq!(some, [None, Some(0), Some(0)]);
        let stop = Watch {
            is_cancelled: &|| true,
            ..Watch::NOBODY
        };
        let stopped = prints_of_files(&files, &[0, 1], &stop);
        assert!(matches!(stopped, Err(DatasetError::Stopped)));
    }
}
