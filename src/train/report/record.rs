use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::bounded::read_bounded;
use super::class_rows::{ClassEpoch, parse_per_class};
use super::end::END_FILE;
use super::environment::ENVIRONMENT_FILE;
use super::files::{MOST_TABLE_BYTES, PER_CLASS_FILE};
use super::metrics_table::MetricsTable;
use super::steps::{STEPS_FILE, parse_steps};
use super::strip::{list_samples, sample_path};
use super::weights_header::num_weights;
use super::{
    Environment, FinalScores, JudgedClass, ReportPicture, RunEnd, ScoredOn, StepLoss, TestReading,
};
use crate::dataset::SplitReport;
use crate::dataset::leaks::LeakReport;
use crate::label::ClassTable;
use crate::train::checkpoint::{CARD_FILE, WEIGHTS_FILE, named_checkpoint};
use crate::train::leak_check::LEAKS_FILE;
use crate::train::resume::can_go_on;
use crate::train::run_folder::{BEST, LAST};
use crate::train::{EpochRow, ModelCard, Recipe, TrainError};

/// No recipe, card or report of this program is larger.
const MOST_TEXT_BYTES: u64 = 8 << 20;
/// No strip is larger.
const MOST_PICTURE_BYTES: u64 = 16 << 20;
/// A report shows no more.
const MOST_PICTURES: usize = 12;

/// What a run's folder says. Whatever is missing or damaged is `None` or empty, and in `notes`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunRecord {
    /// The folder.
    pub folder: PathBuf,
    /// All choices.
    pub recipe: Option<Recipe>,
    /// The text of the recipe, which may be one that this version cannot read.
    pub recipe_text: Option<String>,
    /// The classes.
    pub classes: Option<ClassTable>,
    /// What was held out.
    pub split: Option<SplitReport>,
    /// What its parts share and should not, where that was looked for.
    pub leaks: Option<LeakReport>,
    /// The rows of `metrics.csv`.
    pub rows: Vec<EpochRow>,
    /// The names of the classes in `metrics.csv`, by class index.
    pub class_names: Vec<String>,
    /// The rows of `per_class.csv`.
    pub class_rows: Vec<ClassEpoch>,
    /// The rows of `steps.csv`.
    pub step_losses: Vec<StepLoss>,
    /// The best checkpoint.
    pub best: Option<ModelCard>,
    /// The last checkpoint.
    pub last: Option<ModelCard>,
    /// Numbers that the network learned.
    pub num_weights: Option<u64>,
    /// Whether the training is going on, or was stopped or killed and can go on.
    pub can_go_on: bool,
    /// How it ended.
    pub end: Option<RunEnd>,
    /// Where it was made.
    pub environment: Option<Environment>,
    /// The scores of the best network on the validation ground.
    pub validation_scores: Option<FinalScores>,
    /// The scores of the best network on the test ground.
    pub test_scores: Option<FinalScores>,
    /// How often the test ground was judged, and what is known of it image by image.
    pub test_reading: Option<TestReading>,
    /// What one of two classes came to on the parts that were judged.
    pub judged_classes: Vec<JudgedClass>,
    /// What is missing or damaged, in sentences for the user.
    pub notes: Vec<String>,
}

impl RunRecord {
    /// Reads the run folder; weights are only counted. Reads each file to a limit and never fails
    /// by what is in one.
    ///
    /// # Errors
    /// [`TrainError::NoRun`] when the folder holds neither a recipe, nor metrics, nor a checkpoint.
    pub fn load(folder: &Path) -> Result<Self, TrainError> {
        if !Self::is_run(folder) {
            return Err(TrainError::NoRun(folder.to_owned()));
        }
        let mut record = Self {
            folder: folder.to_owned(),
            can_go_on: can_go_on(folder),
            ..Self::default()
        };
        record.read_choices();
        record.read_tables();
        record.read_checkpoints();
        record.end = record.json(END_FILE);
        record.environment = record.json(ENVIRONMENT_FILE);
        record.validation_scores = record.scores_on(ScoredOn::Validation);
        record.test_scores = record.scores_on(ScoredOn::Test);
        if record.test_scores.is_some() {
            record.test_reading = record.json(ScoredOn::Test.file_name());
        }
        let judged = |on| JudgedClass::read(folder, on, record.best_epoch());
        record.judged_classes = [ScoredOn::Test, ScoredOn::Validation]
            .into_iter()
            .filter_map(judged)
            .collect();
        Ok(record)
    }

    /// Whether the folder holds a recipe, metrics or a checkpoint.
    pub fn is_run(folder: &Path) -> bool {
        let traces = ["recipe.toml", "metrics.csv", BEST, LAST];
        traces.iter().any(|name| folder.join(name).is_file())
    }

    /// The folder's name.
    pub fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or(self.folder.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// The strips of the best epoch, or of the last one that has any; at most 12.
    pub fn best_pictures(&self) -> Vec<ReportPicture> {
        let samples = list_samples(&self.folder);
        let best = self.best_epoch();
        let has_best = samples.iter().any(|&(_, epoch)| Some(epoch) == best);
        let shown = if has_best {
            best
        } else {
            samples.iter().map(|&(_, epoch)| epoch).max()
        };
        let of_epoch = samples.iter().filter(|(_, epoch)| Some(*epoch) == shown);
        of_epoch
            .take(MOST_PICTURES)
            .filter_map(|&(sample, epoch)| self.picture(sample, epoch))
            .collect()
    }

    fn picture(&self, sample: usize, epoch: u32) -> Option<ReportPicture> {
        let bytes = read_bounded(
            &sample_path(&self.folder, sample, epoch),
            MOST_PICTURE_BYTES,
        );
        Some(ReportPicture {
            caption: format!("Sample {} after epoch {epoch}", sample + 1),
            path: sample_path(Path::new(""), sample, epoch),
            bytes: bytes.ok()?,
        })
    }

    fn read_choices(&mut self) {
        self.recipe_text = self.text("recipe.toml");
        if let Some(text) = &self.recipe_text {
            let read = Recipe::from_toml(text);
            self.recipe = self.kept("recipe.toml", read);
        }
        self.classes = self.text("classes.toml").and_then(|text| {
            let read = ClassTable::from_toml(&text);
            self.kept("classes.toml", read)
        });
        self.split = self.json("split.json");
        self.leaks = self.json(LEAKS_FILE);
        for (name, is_missing) in [
            ("recipe.toml", self.recipe.is_none()),
            ("classes.toml", self.classes.is_none()),
            ("split.json", self.split.is_none()),
        ] {
            if is_missing && !self.folder.join(name).exists() {
                self.notes.push(format!("There is no {name}"));
            }
        }
    }

    fn read_tables(&mut self) {
        if let Some(bytes) = self.bytes("metrics.csv", MOST_TABLE_BYTES) {
            let table = MetricsTable::parse(&bytes);
            self.note_damaged_lines("metrics.csv", table.damaged);
            (self.rows, self.class_names) = (table.rows, table.class_names);
        }
        if self.rows.is_empty() {
            self.notes.push("No epoch was completed".to_owned());
        }
        if let Some(bytes) = self.bytes(PER_CLASS_FILE, MOST_TABLE_BYTES) {
            let (rows, damaged) = parse_per_class(&bytes);
            self.note_damaged_lines(PER_CLASS_FILE, damaged);
            self.class_rows = rows;
        }
        if let Some(bytes) = self.bytes(STEPS_FILE, MOST_TABLE_BYTES) {
            let (steps, damaged) = parse_steps(&bytes);
            self.note_damaged_lines(STEPS_FILE, damaged);
            self.step_losses = steps;
        }
    }

    fn note_damaged_lines(&mut self, name: &str, damaged: usize) {
        if damaged > 0 {
            let lines = if damaged == 1 { "line" } else { "lines" };
            self.notes
                .push(format!("{name} has {damaged} {lines} that cannot be read"));
        }
    }

    fn read_checkpoints(&mut self) {
        self.last = self.card(LAST).map(|(card, _)| card);
        if let Some((card, folder)) = self.card(BEST) {
            self.best = Some(card);
            let counted = num_weights(&folder.join(WEIGHTS_FILE));
            self.num_weights = self.kept(WEIGHTS_FILE, counted);
        }
        if self.best.is_none() && self.last.is_none() {
            self.notes.push("There is no checkpoint".to_owned());
        }
    }

    fn card(&mut self, name: &str) -> Option<(ModelCard, PathBuf)> {
        let text = self.text(name)?;
        let Some(folder) = named_checkpoint(&self.folder, &text) else {
            self.notes
                .push(format!("The file {name} names no checkpoint"));
            return None;
        };
        let read = read_bounded(&folder.join(CARD_FILE), MOST_TEXT_BYTES)
            .and_then(|bytes| Ok(serde_json::from_slice::<ModelCard>(&bytes)?))
            .map_err(|error| error.to_string());
        let sound = read.and_then(|card| card.fault().map_or(Ok(card), Err));
        let card = self.kept(&format!("{CARD_FILE} of the {name} checkpoint"), sound)?;
        Some((card, folder))
    }

    fn scores_on(&mut self, on: ScoredOn) -> Option<FinalScores> {
        let scores: FinalScores = self.json(on.file_name())?;
        if scores.on != on {
            let name = on.file_name();
            self.notes
                .push(format!("{name} holds scores of other ground"));
            return None;
        }
        Some(scores)
    }

    fn json<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let bytes = self.bytes(name, MOST_TEXT_BYTES)?;
        let read = serde_json::from_slice(&bytes);
        self.kept(name, read)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let read = String::from_utf8(self.bytes(name, MOST_TEXT_BYTES)?);
        self.kept(name, read)
    }

    /// The bytes of a file of the run; nothing is noted when there is none.
    fn bytes(&mut self, name: &str, most: u64) -> Option<Vec<u8>> {
        match read_bounded(&self.folder.join(name), most) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => self.kept(name, read),
        }
    }

    /// What was read, or a note.
    fn kept<T, E: ToString>(&mut self, name: &str, read: Result<T, E>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                let why = in_short(&error.to_string());
                self.notes.push(format!("{name} cannot be read ({why})"));
                None
            }
        }
    }
}

/// The first and the last line of what a reader says: between them TOML shows the text.
fn in_short(why: &str) -> String {
    const MOST_LETTERS: usize = 160;
    let mut lines = why.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let text = lines
        .next_back()
        .map_or_else(|| first.to_owned(), |last| format!("{first}: {last}"));
    if text.chars().count() <= MOST_LETTERS {
        return text;
    }
    text.chars().take(MOST_LETTERS).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::test_run::plain_run;
    use super::*;
    use crate::disk::replace_file;

    #[test]
    fn a_whole_run_is_read_without_a_note() {
        let run = plain_run();
        let record = run.record();
        assert_eq!(record.notes, [""; 0]);
        assert_eq!((record.rows.len(), record.class_rows.len()), (3, 6));
        assert_eq!(
            (record.best_epoch(), record.seconds()),
            (Some(2), Some(120.0))
        );
        assert_eq!(record.num_weights, Some(8 * 27));
        assert_eq!(record.best.as_ref().map(|card| card.step), Some(100));
        assert_eq!(record.last.as_ref().map(|card| card.step), Some(150));
        assert_eq!(record.network().as_deref(), Some("unet, plain"));
        assert_eq!(record.scores().map(|scores| scores.epoch), Some(2));
        assert!(record.environment.is_some() && !record.can_go_on);
        assert_eq!(record.class_scores()[1].support, 2);
        assert_eq!(record.peak_bytes(), Some(3 << 30));
    }

    #[test]
    fn a_run_of_an_older_version_is_read_from_its_metrics() {
        let run = plain_run();
        for name in [
            PER_CLASS_FILE,
            "scores-validation.json",
            ENVIRONMENT_FILE,
            "recipe.toml",
        ] {
            fs::remove_file(run.path().join(name)).expect("it was there");
        }
        let record = run.record();
        assert_eq!(record.notes, ["There is no recipe.toml"]);
        let classes = record.class_scores();
        assert_eq!(
            (classes[1].name.as_str(), classes[1].iou),
            ("road", Some(0.333_333))
        );
        assert_eq!(classes[1].precision, None);
        assert_eq!(record.validation_baseline(), Some(0.6));
    }

    #[test]
    fn each_epoch_has_the_scores_of_its_classes() {
        let mut record = plain_run().record();
        let of_first = &mut record.class_rows[1];
        assert_eq!((of_first.epoch, of_first.scores.index), (1, 1));
        of_first.scores.iou = Some(0.25);
        let iou = |record: &RunRecord, epoch| record.class_scores_after(epoch)[1].iou;
        assert_eq!(iou(&record, 1), Some(0.25));
        assert_eq!(iou(&record, 3), Some(0.333_333));
        record.class_rows.clear();
        assert_eq!(iou(&record, 1), Some(0.333_333));
        assert!(record.class_scores_after(9).is_empty());
    }

    #[test]
    fn scores_of_an_earlier_epoch_are_not_those_of_the_best() {
        let run = plain_run();
        let mut scores = run.record().validation_scores.expect("written");
        scores.epoch = 1;
        scores.save(run.path()).expect("written");
        assert_eq!(run.record().scores(), None);
        assert_eq!(run.record().class_scores()[1].precision, Some(0.5));
    }

    #[test]
    fn whatever_is_damaged_is_noted_and_the_rest_is_read() {
        for name in [
            "recipe.toml",
            "classes.toml",
            "split.json",
            BEST,
            LAST,
            ENVIRONMENT_FILE,
            "scores-validation.json",
            "ckpt/00000100/model.json",
            "ckpt/00000100/weights.safetensors",
            "metrics.csv",
            PER_CLASS_FILE,
        ] {
            let run = plain_run();
            run.write(name, b"\xff\xfe{[\n\n\"");
            let record = run.record();
            assert!(!record.notes.is_empty(), "{name}");
            assert!(
                record.notes.iter().all(|note| !note.contains('\n')),
                "{name}"
            );
        }
    }

    #[test]
    fn a_recipe_of_another_version_is_still_shown() {
        let run = plain_run();
        run.write("recipe.toml", b"epochs = 3\nold_choice = 1\n");
        let record = run.record();
        assert_eq!(record.recipe, None);
        assert!(record.notes[0].contains("line 2") && record.notes[0].contains("old_choice"));
        assert!(super::super::report_html(&record, &[]).contains("old_choice = 1"));
    }

    #[test]
    fn a_state_to_go_on_from_is_seen() {
        let run = plain_run();
        run.write("resume.state", b"ORTHRUN\x01 and more");
        assert!(run.record().can_go_on);
        run.write("resume.state", b"ORTHRUN");
        assert!(!run.record().can_go_on);
    }

    #[test]
    fn a_folder_of_something_else_is_no_run() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(
            RunRecord::load(folder.path()),
            Err(TrainError::NoRun(_))
        ));
        assert!(matches!(
            RunRecord::load(&folder.path().join("none")),
            Err(TrainError::NoRun(_))
        ));
        replace_file(&folder.path().join("metrics.csv"), b"").expect("written");
        let record = RunRecord::load(folder.path()).expect("a trace of a run");
        assert!(record.notes.contains(&"No epoch was completed".to_owned()));
    }

    #[test]
    fn the_pictures_of_the_best_epoch_are_shown() {
        let run = plain_run();
        assert_eq!(run.record().best_pictures(), []);
        for (sample, epoch) in [(0, 1), (1, 2), (0, 2), (0, 3)] {
            let path = sample_path(run.path(), sample, epoch);
            replace_file(&path, &[epoch as u8]).expect("written");
        }
        let pictures = run.record().best_pictures();
        assert_eq!(pictures.len(), 2);
        assert_eq!(pictures[0].caption, "Sample 1 after epoch 2");
        assert_eq!(pictures[1].bytes, [2]);
        assert_eq!(
            pictures[1].path,
            Path::new("samples/sample-01-epoch-00002.png")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn any_bytes_in_any_file_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let run = plain_run();
            for name in ["metrics.csv", PER_CLASS_FILE, "split.json", BEST, "recipe.toml"] {
                run.write(name, &bytes);
            }
            let record = run.record();
            super::super::report_markdown(&record, &[]);
            super::super::report_html(&record, &[]);
        }
    }
}
